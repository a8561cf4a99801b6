"""``onefold status``: is every source in step? What it says stands in warehouse/health.py."""

import json
from typing import Annotated

import typer

from onefold.cli.options import Home

NOT_WELL = 3
"""Exit code when a source failed, is held or stale, or the golden table is not up to date."""


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Write it as JSON.")] = False,
    home: Home = None,
) -> None:
    """Show each source: last good sync, fresh or stale, rows, quarantine rate, last error.

    Ends with 3 if a source failed, is held back or stale, the golden table is not up to date,
    or an erasure is under way.
    """
    from contextlib import closing
    from zoneinfo import ZoneInfo

    from onefold import settings
    from onefold.cli import status_view
    from pipelines.alerting import troubles
    from pipelines.timezone import time_zone
    from warehouse import engine, health

    config = settings.load(home)
    with closing(engine.connect(config)) as wh:
        found = health.examine(config, wh)
    untold = troubles(config.home)
    if as_json:
        made = status_view.plain(found, config.home, untold)
        typer.echo(json.dumps(made, ensure_ascii=False, indent=1))
    else:
        status_view.show(found, ZoneInfo(time_zone(config)), untold)
    if not found.well:
        raise typer.Exit(NOT_WELL)
