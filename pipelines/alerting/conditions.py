"""What can be well or not: each source's last sync, its age, and the golden table.

What belongs here: reading the present state of each, as a word. What of it was
told already is the ledger's.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from connectors.source import declared
from onefold.errors import WarehouseError
from onefold.settings import Settings
from warehouse import engine
from warehouse import health as healths
from warehouse.health import Health, SourceHealth

State = Literal["ok", "failed", "held", "stale", "unknown"]


@dataclass(frozen=True)
class Condition:
    """One thing that can be well or not.

    Attributes:
        key: names it for ever: ``sync:crm``, ``age:crm``, ``golden``.
        state: ok, failed, held or stale; unknown: nothing is to be said now.
        source: the source; empty for the golden table.
        message: what is wrong and what to do, in English; no customer values.
        owner: who answers for the source.
        last_good_at: of the source's last good sync, or the last publish, UTC; None: never.
        age: time since then.
        fresh_within: how old the source, or a change of its files, may be; None: nobody said.
    """

    key: str
    state: State
    source: str = ""
    message: str = ""
    owner: str = ""
    last_good_at: datetime | None = None
    age: timedelta | None = None
    fresh_within: timedelta | None = None


def examine(settings: Settings, now: datetime | None = None) -> tuple[list[Condition], bool]:
    """The state of everything in a home.

    Returns:
        the conditions, and whether they are all there are: a warehouse that cannot be reached
        is a condition of its own, and nothing is known of the others.
    """
    now = now or datetime.now(UTC)
    try:
        with closing(engine.connect(settings)) as wh:
            return _of(healths.examine(settings, wh, now), settings), True
    except WarehouseError as error:
        return [Condition("golden", "failed", message=str(error))], False


def _of(health: Health, settings: Settings) -> list[Condition]:
    sources = declared(settings.home).sources
    found = []
    for one in health.sources:
        if one.status == "undeclared":
            continue
        config = sources.get(one.source)
        synced = Condition(
            key=f"sync:{one.source}",
            state=one.status if one.status in ("failed", "held") else "ok",
            source=one.source,
            message=one.message,
            owner=config.owner if config else "",
            last_good_at=one.last_good_at,
            age=one.age,
            fresh_within=one.fresh_within,
        )
        found.append(synced)
        aged: State = "stale" if one.freshness == "stale" else "ok" if config else "unknown"
        if config is None or one.freshness != "unwatched":
            age = replace(synced, key=f"age:{one.source}", state=aged, message=_unread(one))
            found.append(age)
    golden = health.golden
    state: State = golden.status if golden.status in ("failed", "held") else "ok"
    at = golden.published_at
    return [
        *found,
        Condition(
            "golden",
            state,
            message=golden.message,
            last_good_at=at,
            age=health.at - at if at else None,
        ),
    ]


def _unread(one: SourceHealth) -> str:
    if one.unread_since is None:
        return ""
    at = one.unread_since.isoformat(" ", "minutes")
    return f"Its files changed at {at} and were not read since."


def by_key(conditions: Sequence[Condition]) -> dict[str, Condition]:
    """The conditions by their keys."""
    return {one.key: one for one in conditions}
