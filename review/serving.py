"""Starting the app: first account, where it listens, uvicorn in this process."""

import logging
import signal
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import uvicorn
from fastapi import FastAPI

from onefold.errors import ConfigError
from onefold.settings import Settings
from review.app import LOCAL, create_app, needs_https
from review.policy import ReviewPolicy
from review.security import passwords
from warehouse import accounts
from warehouse.engine import Warehouse

log = logging.getLogger("onefold.review")

FIRST = "admin"
BY = "onefold"
"""Who makes accounts from the command line."""


class WithoutWords(logging.Formatter):
    """Logs an unexpected error as its class and the places it came through.

    What such an error says may quote a customer's values.
    """

    def formatException(  # noqa: N802
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """The places and the class."""
        places = "".join(traceback.format_tb(ei[2])).rstrip()
        return f"{places}\n{ei[0].__name__ if ei[0] else 'no error'}"


def log_to_stderr() -> None:
    """Log warnings and errors of the app and its server, none with customers' values."""
    handler = logging.StreamHandler()
    handler.setFormatter(WithoutWords("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def first_account(wh: Warehouse) -> str | None:
    """Make the account admin where there is no account yet; gives its one-time password.

    Raises:
        WarehouseError: the database refuses.
    """
    if accounts.everybody(wh):
        return None
    password = passwords.one_time()
    accounts.add(
        wh,
        FIRST,
        full_name="Admin",
        role="admin",
        created_by=BY,
        password_hash=passwords.hashed(password),
    )
    return password


def listening(settings: Settings, host: str | None, port: int | None, is_open: bool) -> Settings:
    """The settings with what the command line says about host and port.

    Raises:
        ConfigError: the section is wrong; or others shall reach the app and that was not said
            explicitly, or their browsers could not keep a session.
    """
    section = dict(settings.sections.get("review") or {})
    section |= {"host": host} if host else {}
    section |= {"port": port} if port else {}
    policy = ReviewPolicy.read(section)
    if policy.host not in LOCAL:
        if not is_open:
            raise ConfigError(
                f"host {policy.host}",
                "other machines would reach the app",
                do="Add --open if they shall.",
            )
        if not policy.certificate and not policy.address:
            raise ConfigError(
                f"host {policy.host}",
                "browsers keep a session over https only",
                do="Set 'certificate' and 'private_key' in section review of onefold.yml, or"
                " 'address' to the https:// address of a proxy in front.",
            )
        if not needs_https(policy):
            log.warning(
                "%s is plain http: passwords and customers' data cross the network readable.",
                policy.address,
            )
    for file in (policy.certificate, policy.private_key):
        if file and not (settings.home / file).is_file():
            raise ConfigError(f"onefold.yml, review: {file}", "there is no such file")
    return settings.model_copy(update={"sections": {**settings.sections, "review": section}})


def where(policy: ReviewPolicy) -> str:
    """The address to open in a browser."""
    if policy.address:
        return policy.address
    scheme = "https" if policy.certificate else "http"
    host = f"[{policy.host}]" if ":" in policy.host else policy.host
    return f"{scheme}://{host}:{policy.port}"


def serve(settings: Settings, wh: Warehouse, tell: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        settings: the deployment, with its section ``review``.
        wh: its open warehouse.
        tell: called with the line to print when the app listens.

    Raises:
        ConfigError: the section is wrong or the port is taken.
        WarehouseError: the database cannot be reached.
    """
    app = create_app(settings, wh)
    policy: ReviewPolicy = app.state.policy
    require_free(policy.host, policy.port)
    server = uvicorn.Server(config(app, policy, settings.home))
    tell(f"Onefold review serves {settings.home} on {where(policy)} - Ctrl-C stops it.")
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.run()  # ends in order, then passes the signal on
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def config(app: FastAPI, policy: ReviewPolicy, home: Path) -> uvicorn.Config:
    """uvicorn's settings. No access log: addresses hold what people search for."""
    return uvicorn.Config(
        app,
        host=policy.host,
        port=policy.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=bool(policy.proxy),
        forwarded_allow_ips=policy.proxy or None,
        ssl_certfile=str(home / policy.certificate) if policy.certificate else None,
        ssl_keyfile=str(home / policy.private_key) if policy.private_key else None,
        timeout_graceful_shutdown=5,
        lifespan="off",
    )


def require_free(host: str, port: int) -> None:
    """Refuse a port that another program uses.

    Raises:
        ConfigError: it is taken, or the host is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"{host} port {port}",
                "the app cannot listen there",
                found=error.strerror or type(error).__name__,
                do="Choose another port with --port, or --review-port of 'onefold up'.",
            ) from error
