"""``onefold prune``: raw snapshots that are older than they may be."""

from typing import Annotated

import typer

from onefold.cli.options import Home


def prune(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    home: Home = None,
) -> None:
    """Remove raw snapshots older than privacy: raw_keep_days; every refresh does it, too.

    The newest snapshot of a source, and the one its records stand on, always stay.
    """
    from onefold import settings
    from onefold.cli.console import out
    from pipelines import stages
    from pipelines.stages import retention

    with stages.opened(settings.find_home(home)) as opened:
        found = {source: len(paths) for source, paths in retention.too_old(opened).items()}
        if not dry_run:
            retention.prune(opened)
    verb = "would be removed" if dry_run else "removed"
    for source, count in found.items():
        out.print(f"{source}: {count:,} snapshots {verb}")
    if not found:
        out.print("No snapshot is older than is kept.")
