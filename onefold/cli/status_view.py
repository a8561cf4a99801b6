"""How a deployment stands, as JSON and as the table of ``onefold status``."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich import box
from rich.table import Table
from rich.text import Text

from connectors.durations import shown
from onefold.cli.console import err, out
from warehouse.health import Health, SourceHealth


def plain(found: Health, home: Path, troubles: Mapping[str, str]) -> dict[str, object]:
    """What ``--json`` writes; ``troubles``: words by the name of a hook that cannot be told."""
    return {
        "home": str(home),
        "at": found.at.isoformat(timespec="seconds"),
        "well": found.well,
        "sources": [one.as_plain() for one in found.sources],
        "golden": found.golden.as_plain(),
        "erasures_under_way": list(found.erasing),
        "alerts_not_delivered": dict(troubles),
    }


def show(found: Health, zone: ZoneInfo, troubles: Mapping[str, str]) -> None:
    """Print the table, and below it what is not well; times are told in ``zone``."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for name in ("source", "state"):
        table.add_column(name)
    for name in ("age", "records", "new", "changed", "deleted", "held", "rate"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found.sources:
        table.add_row(*_cells(one))
    out.print(table)
    for one in found.sources:
        if one.message:
            out.print(f"{one.source}: {_about(one)}", style="yellow")
            out.print(f"  {one.message}")
        if one.freshness == "stale":
            out.print(f"{one.source}: stale; {_late(one, found.at, zone)}.", style="yellow")
    if found.erasing:
        err.print(
            f"Erasures under way: {', '.join(found.erasing)}. The next run finishes them.",
            style="red",
        )
    golden = found.golden
    when = _moment(golden.published_at, found.at, zone)
    if golden.status == "never" or golden.published_at is None:
        out.print("Golden table: not published yet.")
    elif golden.well:
        out.print(f"Golden table: up to date, last changed {when}.")
    else:
        words = "held back by a check" if golden.status == "held" else "the last run failed"
        err.print(f"Golden table: {words}; it stands as of {when}.", style="red")
        err.print(f"  {golden.message}")
    for name, words in troubles.items():
        err.print(f"Alerts of {name}: {words}", style="yellow")


def _cells(one: SourceHealth) -> list[str | Text]:
    rate = one.quarantine_rate
    return [
        one.source,
        _state(one),
        _length(one.age),
        *(f"{n:,}" for n in (one.staged, one.added, one.changed, one.deleted, one.held)),
        "-" if rate is None else f"{rate:.1%}",
    ]


def _about(one: SourceHealth) -> str:
    stays = "its last good records stay" if one.staged else "it has no records yet"
    return one.status if one.status == "undeclared" else f"{one.status}; {stays}."


def _late(one: SourceHealth, now: datetime, zone: ZoneInfo) -> str:
    within = _length(one.fresh_within)
    if one.unread_since is not None:
        at = _moment(one.unread_since, now, zone)
        return f"its files changed {at} and were not read within {within}"
    return f"last good sync {_moment(one.last_good_at, now, zone)}, fresh within {within}"


def _state(one: SourceHealth) -> Text:
    """In a word or two: fresh, ok (nobody said how old it may be), stale, failed, held, never."""
    if one.status == "ok":
        word = "ok" if one.freshness == "unwatched" else str(one.freshness)
    else:
        word = f"{one.status}, stale" if one.freshness == "stale" else one.status
    return Text(word, style="green" if word in ("ok", "fresh") else "yellow" if one.well else "red")


def _moment(at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    if at is None:
        return "never"
    local = at.astimezone(zone)
    today = local.date() == now.astimezone(zone).date()
    return f"{local:%H:%M}" if today else f"{local:%Y-%m-%d %H:%M}"


def _length(length: timedelta | None) -> str:
    return "-" if length is None else shown(length)
