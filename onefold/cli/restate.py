"""``onefold restate``: why the number of customers is another one than it was."""

import json
from contextlib import closing
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from onefold.cli.options import Home
from onefold.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from warehouse.restatement import Line, Restatement


def restate(
    home: Home = None,
    publish: Annotated[
        str | None, typer.Option(help="This publish against the one before; else the latest.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", help="From the end of this day, or this moment, as 2026-10-31."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--to", help="Until the end of this day, or this moment; else now."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the latest publishes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with every id.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots.")] = None,
    ids: Annotated[
        Path | None,
        typer.Option(help="Write every id that came or went: .csv, .parquet or .xlsx."),
    ] = None,
) -> None:
    """Say what changed the number of customers: a publish, or all between two days."""
    from onefold import settings
    from onefold.cli import html_file, restate_page
    from onefold.cli.console import out
    from pipelines.timezone import time_zone
    from warehouse import engine, export, restatement

    found = settings.load(settings.find_home(home))
    zone = ZoneInfo(time_zone(found))
    if publish is not None and (since or until):
        raise ConfigError("--publish", "name a publish or two days, not both", do="Leave one out.")
    if until is not None and since is None:
        raise ConfigError("--to", "from when on?", do="Add --from DAY.")
    if html is not None:
        html_file.check(html, "--html")
    with closing(engine.connect(found)) as warehouse:
        if list_:
            for name, at in restatement.publishes(warehouse):
                out.print(f"{name}  {at.astimezone(zone):%Y-%m-%d %H:%M}")
            return
        if since is None:
            made = restatement.of_publish(warehouse, publish)
        else:
            end = moment(until, zone, "--to") if until else datetime.now(zone)
            made = restatement.between(warehouse, moment(since, zone, "--from"), end)
        if made is None:
            out.print("Nothing was published yet. Run 'onefold refresh'.")
            return
        if ids is not None:
            count = export.moved(made, ids)
            out.print(f"{ids}: {count:,} ids")
    if html is not None:
        restate_page.write(made, html, zone)
        out.print(f"wrote {html}")
    if as_json:
        typer.echo(json.dumps(plain(made), ensure_ascii=False, indent=1))
    elif html is None and ids is None:
        out.print(made.sentence)
        out.print(table(made))


def moment(said: str, zone: ZoneInfo, where: str) -> datetime:
    """The end of a day, or a moment, in the deployment's time zone.

    Raises:
        ConfigError: it is neither.
    """
    try:
        if len(said) == len("2026-10-31"):
            day = date.fromisoformat(said) + timedelta(days=1)
            return datetime.combine(day, time(), zone) - timedelta(microseconds=1)
        found = datetime.fromisoformat(said)
        return found if found.tzinfo else found.replace(tzinfo=zone)
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            where,
            "this is no day and no moment",
            found=said,
            do="Write 2026-10-31 or 2026-10-31T18:00.",
        ) from error


_SEGMENTS = 12
"""Segments of a dimension that the terminal shows, more where several changed as much."""


def plain(made: "Restatement") -> dict[str, Any]:
    """The whole for JSON."""
    return {
        "since": made.since.isoformat(),
        "until": made.until.isoformat(),
        "publishes": made.publishes,
        "changed": made.changed,
        "lines": [
            {
                "dimension": one.dimension,
                "segment": one.segment,
                "before": one.before,
                **one.causes,
                "after": one.after,
            }
            for one in made.lines
        ],
        "moved": [
            {
                "golden_id": one.golden_id,
                "cause": one.cause,
                "other_golden_id": one.other_golden_id,
                "reason": one.reason,
                "at": one.at.isoformat(),
            }
            for one in made.moved
        ],
    }


def _largest(lines: list["Line"]) -> list["Line"]:
    """Of each dimension the segments that changed most, in their order."""
    ranked: dict[str, list[int]] = {}
    for line in lines:
        ranked.setdefault(line.dimension, []).append(sum(line.causes.values()))
    least = {name: sorted(sizes)[-_SEGMENTS:][0] for name, sizes in ranked.items()}
    return [line for line in lines if sum(line.causes.values()) >= least[line.dimension]]


def table(made: "Restatement") -> "Table":
    """All customers, and the segments that changed."""
    from rich import box
    from rich.table import Table

    from warehouse.restatement import ALL, CAUSES

    shown_table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    shown_table.add_column("", no_wrap=True)
    shown = [name for name in CAUSES if any(line.causes[name] for line in made.lines)]
    for heading in ("before", *shown, "after"):
        shown_table.add_column(heading.replace("_", " "), justify="right", no_wrap=True)
    before = ""
    lines = [line for line in made.lines if line.dimension == ALL or any(line.causes.values())]
    for line in _largest(lines):
        if line.dimension not in (ALL, before):
            shown_table.add_section()
            shown_table.add_row(f"by {line.dimension.replace('_', ' ')}", style="dim")
        before = line.dimension
        name = "all customers" if line.dimension == ALL else f"  {line.segment or '(none)'}"
        told = [f"{line.causes[cause]:,}" if line.causes[cause] else "" for cause in shown]
        shown_table.add_row(name, f"{line.before:,}", *told, f"{line.after:,}")
    return shown_table
