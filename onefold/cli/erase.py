"""``onefold erase``: a person out of every store, and kept out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onefold.cli.options import Home
from onefold.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.stages.erasing import Done
    from pipelines.stages.held import Looked, Whom
    from warehouse.engine import Warehouse

_INCOMPLETE = 3
_SHOWN = 10


def erase(
    customer: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A golden customer. Repeatable.")
    ] = None,
    source_key: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="SOURCE KEY", help="Whoever this source record belongs to."),
    ] = None,
    customers: Annotated[
        Path | None, typer.Option(help="A text file of golden ids, one a line.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who asked for it.")] = "",
    reason: Annotated[str, typer.Option(help="Why; write no personal data.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Show erasures, newest first.")] = False,
    lift: Annotated[
        str | None, typer.Option(metavar="ERASURE", help="Let an erased person in again.")
    ] = None,
    home: Home = None,
) -> None:
    """Erase a person from every table, file and export, and keep them out of later syncs.

    What was begun is finished by the next run, whatever was killed when.
    """
    from onefold import settings
    from onefold.cli.console import out, progress
    from pipelines import stages
    from pipelines.stages import erasing, held

    whom = _whom(customer, source_key, customers)
    if not whom and not show and lift is None:
        raise ConfigError(
            "onefold erase",
            "whom?",
            do="Name them with --customer, --customers or --source-key; or say --list or --lift.",
        )
    with stages.opened(settings.find_home(home)) as opened:
        if show:
            _list(opened.warehouse)
        elif lift is not None:
            _lift(opened.warehouse, lift, by, reason)
        elif dry_run:
            for one in held.look(opened, whom):
                _show(one)
            out.print("Nothing was erased: this was a dry run.")
        else:
            with progress("Erasing"):
                done = erasing.erase(opened, whom, by, reason)
            _tell(done)


def _whom(
    customer: list[str] | None, source_key: tuple[str, str] | None, customers: Path | None
) -> "list[Whom]":
    from pipelines.stages.held import Whom

    names = list(customer or ())
    if customers is not None:
        if not customers.is_file():
            raise ConfigError(str(customers), "there is no such file")
        names += customers.read_text(encoding="utf-8").split()
    found = [Whom(golden_id=name) for name in dict.fromkeys(names)]
    if source_key is not None:
        found.append(Whom(source=source_key[0], source_key=source_key[1]))
    return found


def _show(one: "Looked") -> None:
    from onefold.cli.console import out

    out.print(one.target.golden_id or one.target.record_ids[0])
    records = ", ".join(one.target.record_ids)
    out.print(f"  records: {records or 'none live'}")
    for place, rows in sorted(one.counts.items()):
        out.print(f"  {place}: {rows:,} rows")
    if one.once_with:
        out.print(
            f"  {', '.join(one.once_with)} once had a record of it: its values go from their old"
            " versions."
        )
    _tell_named(one.named_in)
    if one.others:
        out.print(
            f"  {one.others:,} records of others share a name, telephone number or address"
            " with it; they stay."
        )


def _tell_named(record_ids: "Sequence[str]") -> None:
    from onefold.cli.console import out

    if record_ids:
        more = f" and {len(record_ids) - _SHOWN:,} more" if len(record_ids) > _SHOWN else ""
        out.print(
            f"  {', '.join(record_ids[:_SHOWN])}{more}: names somebody of this name as contact or"
            " legal representative, and stays. If it is the person, have the source name"
            " somebody else, or erase that record with --source-key."
        )


def _tell(done: "Done") -> None:
    from onefold.cli.console import err, out

    _tell_named(done.named_in)
    if done.finished:
        out.print(f"Erased: {', '.join(done.erasure_ids)}. Nothing is left.")
        return
    out.print(f"Erased from every store: {', '.join(done.erasure_ids)}. Exports wait:")
    for words in done.waiting:
        err.print(words, style="red")
    out.print("The next run tries them again.")
    raise typer.Exit(_INCOMPLETE)


def _list(wh: "Warehouse") -> None:
    from onefold.cli.console import out
    from warehouse import erasures

    for one in reversed(erasures.listed(wh)):
        state = f"finished {one.finished_at:%Y-%m-%d}" if one.finished_at else "under way"
        if one.lifted_at is not None:
            state += f", lifted {one.lifted_at:%Y-%m-%d}"
        rows = sum(one.counts.values())
        out.print(
            f"{one.erasure_id}  {one.golden_id or 'a record':<14}  {one.requested_at:%Y-%m-%d}"
            f"  by {one.requested_by}  {rows:,} rows  {state}"
        )


def _lift(wh: "Warehouse", erasure_id: str, by: str, reason: str) -> None:
    from onefold.cli.console import out
    from warehouse import erasures

    gone = erasures.lift(wh, erasure_id, by, reason)
    out.print(
        f"{erasure_id}: {gone:,} hashes forgotten. The person comes back when a source that"
        " holds them is next read whole, or their record changes."
    )
