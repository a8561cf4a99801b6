"""``onefold up``: Dagster's page and daemon and the review app, started and stopped together."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from onefold.errors import ConfigError, OnefoldError
from pipelines import definitions, stages
from pipelines.run import write_instance

log = logging.getLogger("onefold.up")

HOST = "127.0.0.1"
GRACE_SECONDS = 20
"""How long they may take to end before they are killed."""
_SERVED = ["-w", str(Path(__file__).with_name("workspace.yaml"))]


def up(home: Path, port: int = 3000, review_port: int = 3001) -> int:
    """Serve a home until Ctrl-C, SIGTERM, or until one of the three processes ends.

    Dagster's page is at http://127.0.0.1:PORT, the review app at REVIEW_PORT;
    the daemon runs schedules, sensors and the queue.

    Args:
        home: the home folder.
        port: port of Dagster's web page.
        review_port: port of the review app.

    Returns:
        exit code: 0 when it was told to stop, 1 when a process ended by itself.

    Raises:
        ConfigError: onefold.yml is wrong, or a port is taken.
        WarehouseError: a database cannot be reached or refuses.
    """
    with stages.opened(home) as deployment:
        home = deployment.settings.home
        for error in deployment.broken.values():
            log.error("%s", error)
    definitions.build(home)
    write_instance(home)
    _require_free(port, "--port")
    _require_free(review_port, "--review-port")
    environment = {**os.environ, "ONEFOLD_HOME": str(home), "DAGSTER_HOME": str(home)}
    commands = {
        "webserver": [_program("dagster-webserver"), *_SERVED, "-h", HOST, "-p", str(port)],
        "daemon": [_program("dagster-daemon"), "run", *_SERVED],
        "review app": [_program("onefold"), "review", "--host", HOST, "--port", str(review_port)],
    }
    stopped = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopped
        stopped = True

    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            # A session of its own: Ctrl-C reaches only us, and we stop both in order.
            processes[name] = subprocess.Popen(  # noqa: S603
                command, env=environment, cwd=home, start_new_session=True
            )
        print(f"Dagster serves {home} on http://{HOST}:{port} - Ctrl-C stops all.", flush=True)
        while not stopped:
            ended = [name for name, one in processes.items() if one.poll() is not None]
            if ended:
                log.error("the %s ended by itself", ended[0])
                return 1
            time.sleep(0.2)
        return 0
    finally:
        _stop(list(processes.values()))
        for one, handler in before.items():
            signal.signal(one, handler)


def _program(name: str) -> str:
    path = Path(sys.executable).with_name(name)
    if not path.is_file():
        raise OnefoldError(name, "the program is not installed", do="Install Onefold again.")
    return str(path)


def _require_free(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigError(
                f"port {port}", "another program uses it", do=f"Choose another with {option}."
            ) from error


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """End the processes and the code servers they started."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + GRACE_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
