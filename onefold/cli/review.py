"""Commands of the review app: serving it, its accounts, its audit log."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.options import Home
from onefold.errors import ConfigError

if TYPE_CHECKING:
    from warehouse.engine import Warehouse


account = typer.Typer(help="Accounts of the review app.", no_args_is_help=True)
audit = typer.Typer(help="Who saw and changed what.", no_args_is_help=True)


@contextmanager
def _opened(home: Path | None) -> "Iterator[Warehouse]":
    from onefold import settings
    from warehouse import engine

    wh = engine.connect(settings.load(home))
    try:
        yield wh
    finally:
        wh.close()


def review(
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 3001 by default.")] = None,
    is_open: Annotated[
        bool, typer.Option("--open", help="Let other machines reach it: needs https.")
    ] = False,
) -> None:
    """Serve the review app: its pages and API. Ctrl-C stops it."""
    from onefold import settings
    from onefold.cli.console import out
    from review import serving
    from warehouse import engine

    serving.log_to_stderr()
    config = serving.listening(settings.load(home), host, port, is_open)
    wh = engine.connect_migrated(config)
    try:
        password = serving.first_account(wh)
        if password is not None:
            out.print(f"First login: {serving.FIRST}, one-time password {password} (shown once)")
        serving.serve(config, wh, out.print)
    finally:
        wh.close()


@account.command("add")
def add(
    login: Annotated[str, typer.Argument(help="Name to log in with.")],
    role: Annotated[str, typer.Option(help="viewer, steward or admin.")] = "steward",
    name: Annotated[str, typer.Option(help="Name to show; else the login.")] = "",
    home: Home = None,
) -> None:
    """Make an account; prints its one-time password."""
    from onefold.cli.console import out
    from review import serving
    from review.security import passwords
    from warehouse import accounts

    with _opened(home) as wh:
        password = passwords.one_time()
        made = accounts.add(
            wh,
            login,
            full_name=name,
            role=role,
            created_by=serving.BY,
            password_hash=passwords.hashed(password),
        )
    out.print(f"{made.login} ({made.role}): one-time password {password} (shown once)")


@account.command("list")
def list_(home: Home = None) -> None:
    """Print the accounts."""
    from rich import box
    from rich.table import Table

    from onefold.cli.console import out
    from warehouse import accounts

    with _opened(home) as wh:
        found = accounts.everybody(wh)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0))
    for name in ("login", "name", "role", "active", "last login (UTC)"):
        table.add_column(name)
    for one in found:
        last = one.last_login_at.strftime("%Y-%m-%d %H:%M") if one.last_login_at else "never"
        table.add_row(one.login, one.full_name, one.role, "yes" if one.is_active else "no", last)
    out.print(table)


@account.command("reset")
def reset(login: Annotated[str, typer.Argument(help="Whose password.")], home: Home = None) -> None:
    """Give an account a one-time password and end its sessions."""
    from onefold.cli.console import out
    from review import serving
    from review.security import passwords
    from warehouse import accounts

    with _opened(home) as wh:
        password = passwords.one_time()
        name = accounts.canonical(login)
        accounts.set_password(wh, name, passwords.hashed(password), by=serving.BY, must_change=True)
        accounts.set_active(wh, name, True, by=serving.BY)
    out.print(f"{name}: one-time password {password} (shown once)")


@audit.command("verify")
def verify(
    expect: Annotated[
        str | None,
        typer.Option(metavar="NUMBER:HASH", help="An event noted earlier, which must be there."),
    ] = None,
    home: Home = None,
) -> None:
    """Check the audit log's chain of hashes and name the first event that does not fit."""
    from onefold.cli.console import err, out
    from warehouse import audit as events

    noted = _noted(expect) if expect else None
    with _opened(home) as wh:
        result = events.verify(wh, noted)
    if not result.ok:
        err.print(f"Event {result.broken_at}: {result.why}.", style="red")
        raise typer.Exit(1)
    out.print(f"{result.events:,} events, none changed or removed.")
    if result.events:
        out.print(f"Note the last one elsewhere: {result.head[0]}:{result.head[1]}")


def _noted(text: str) -> tuple[int, str]:
    number, sign, sealed = text.partition(":")
    if not sign or not number.isdecimal():
        raise ConfigError(f"--expect {text}", "it is no event", do="Write NUMBER:HASH.")
    return int(number), sealed


@audit.command("show")
def show(
    login: Annotated[str | None, typer.Option(help="Only by this login.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action.")] = None,
    object_id: Annotated[str | None, typer.Option("--object", help="Only to this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    home: Home = None,
) -> None:
    """Print the newest events of the audit log."""
    from rich import box
    from rich.table import Table

    from onefold.cli.console import out
    from warehouse import audit as events

    with _opened(home) as wh:
        found = events.show(wh, login=login, action=action, object_id=object_id, limit=limit)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0))
    for name in ("number", "at (UTC)", "login", "action", "object"):
        table.add_column(name, justify="right" if name == "number" else "left")
    for one in reversed(found):
        what = " ".join(part for part in (one.object_kind, one.object_id) if part)
        moment = one.at.strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(f"{one.number:,}", moment, one.login, one.action, what)
    out.print(table)
