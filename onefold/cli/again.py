"""``onefold replay`` and ``onefold backfill``: doing again what was done."""

from typing import Annotated

import typer

from onefold.cli.options import Home

Source = Annotated[str, typer.Argument(help="A source of the home.")]
INCOMPLETE = 3


def replay(
    source: Source,
    since: Annotated[
        str, typer.Option(help="First snapshot: a sync's id, or a day or moment (UTC).")
    ] = "",
    until: Annotated[
        str, typer.Option(help="Last snapshot, likewise; else the newest, where all ends.")
    ] = "",
    home: Home = None,
) -> None:
    """Stage a source again from the snapshots in the lake, in order; nothing is read from it.

    Staged records, findings and the list of syncs go through every snapshot, dated now. The
    golden table and its history change with the next refresh only.
    """
    from onefold import settings
    from onefold.cli import console
    from pipelines import stages

    with console.progress("Replaying"), stages.opened(settings.find_home(home)) as opened:
        done = stages.replay(opened, source, since, until)
    for manifest, staged in done:
        console.out.print(
            f"{manifest.sync_id}: {staged.status}, {staged.read:,} rows, {staged.staged:,} staged,"
            f" {staged.added:,} added, {staged.changed:,} changed, {staged.deleted:,} deleted",
            highlight=False,
        )
    if not done[-1][1].good:
        console.out.print(done[-1][1].message, style="red", highlight=False)
        raise typer.Exit(INCOMPLETE)
    console.out.print("Run 'onefold refresh' to bring it into the golden table.")


def backfill(
    source: Source,
    begin: Annotated[str, typer.Option("--from", help="First value of its cursor.")],
    end: Annotated[str, typer.Option("--to", help="First value that is not read any more.")],
    home: Home = None,
) -> None:
    """Read a range of a source's cursor again and put it over the last snapshot."""
    from onefold import settings
    from onefold.cli import console
    from pipelines import stages

    with console.progress("Reading again"), stages.opened(settings.find_home(home)) as opened:
        synced = stages.sync(opened, source, between=(begin, end))
        staged = stages.stage(opened, source) if synced.good else None
    if staged is None or not staged.good:
        message = synced.message if staged is None else staged.message
        console.out.print(message, style="red", highlight=False)
        raise typer.Exit(INCOMPLETE)
    console.out.print(
        f"{source}: {synced.fetched:,} rows read, {synced.new:,} new, {synced.changed:,} changed,"
        f" {synced.deleted:,} gone. Run 'onefold refresh' to bring them into the golden table.",
        highlight=False,
    )
