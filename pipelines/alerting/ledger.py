"""What was told to whom: ``operations/alerts.json``, and the telling of what was not.

What belongs here: comparing the present conditions with what each hook was told
last, and keeping that. One at a time: the daemon and a refresh that end together
tell a change once.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from onefold.errors import OnefoldError
from onefold.settings import Settings
from pipelines.alerting import conditions as looking
from pipelines.alerting import delivery
from pipelines.alerting.conditions import Condition
from pipelines.alerting.messages import Alert, text
from pipelines.alerting.policy import AlertPolicy, Hook
from pipelines.timezone import time_zone
from warehouse import outcomes

log = logging.getLogger("onefold.alerts")

_FILE = "alerts.json"
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Delivery:
    """What became of a hook's alerts.

    Attributes:
        hook: its name.
        alerts: how many there were to tell.
        error: why they were not taken; empty if they were.
    """

    hook: str
    alerts: int
    error: str = ""


def tell(settings: Settings, now: datetime | None = None) -> list[Delivery]:
    """Tell every hook what changed since it was told last.

    A hook that fails keeps nothing back: that is logged, kept for the status, and its alerts
    are sent at the next occasion, ever more rarely.

    Args:
        settings: the home's.
        now: the moment to judge by, UTC; this one.

    Returns:
        one for each hook that had something to be told.

    Raises:
        ConfigError: the section ``alerts`` is wrong.
    """
    hooks = AlertPolicy.of(settings).hooks
    if not hooks:
        return []
    now = now or datetime.now(UTC)
    path = settings.home / outcomes.FOLDER / _FILE
    with outcomes.alone(settings.home, "alerts"):
        found, whole = looking.examine(settings, now)
        kept = outcomes.read_json(path)
        told = []
        for hook in hooks:
            before = kept.get(hook.name, {})
            alerts, after = _due(hook, found, before.get("told", {}), whole=whole)
            state: dict[str, Any] = {"told": after}
            if alerts:
                if _waits(before, now):
                    continue
                outcome = _deliver(settings, hook, alerts, now)
                told.append(outcome)
                if outcome.error:
                    trouble = _trouble(before.get("trouble"), outcome.error, now)
                    state = {"told": before.get("told", {}), "trouble": trouble}
            if state != before:
                kept[hook.name] = state
                outcomes.write_json(path, kept)
    return told


def test(settings: Settings) -> list[Delivery]:
    """Send a trial message through every hook, whatever it was told before.

    Raises:
        ConfigError: the section ``alerts`` is wrong.
    """
    alerts = [Alert("test", Condition("test", "ok"))]
    now = datetime.now(UTC)
    return [_deliver(settings, hook, alerts, now) for hook in AlertPolicy.of(settings).hooks]


def troubles(home: Path) -> Mapping[str, str]:
    """Hooks that did not take their last alerts: name → since when and why."""
    found = {}
    for name, state in outcomes.read_json(home / outcomes.FOLDER / _FILE).items():
        trouble = state.get("trouble")
        if trouble:
            found[name] = f"not delivered since {trouble['since']}. {trouble['error']}"
    return found


def _due(
    hook: Hook, found: list[Condition], told: Mapping[str, str], *, whole: bool
) -> tuple[list[Alert], dict[str, str]]:
    """What a hook has to be told, and what it knows then: key → failed, held or stale.

    What is not among the conditions is as it was told; if they are all there are, it is gone
    (its source was removed), and nothing is to be said.
    """
    known = looking.by_key(found)
    after = {key: state for key, state in told.items() if not whole or key in known}
    alerts = []
    for key, one in known.items():
        was = after.get(key)
        if one.state == "ok":
            if was is not None:
                del after[key]
                if "recovered" in hook.on:
                    alerts.append(Alert("recovered", one, was))
        elif one.state != "unknown" and one.state != was and one.state in hook.on:
            after[key] = one.state
            alerts.append(Alert(one.state, one))
    return alerts, after


def _waits(state: Mapping[str, Any], now: datetime) -> bool:
    trouble = state.get("trouble")
    return trouble is not None and now < datetime.fromisoformat(trouble["again_at"])


def _trouble(before: Mapping[str, Any] | None, error: str, now: datetime) -> dict[str, Any]:
    before = before or {}
    times = int(before.get("times", 0)) + 1
    pause = min(_FIRST_PAUSE * 2 ** min(times - 1, 20), _LONGEST_PAUSE)
    return {
        "since": before.get("since", now.isoformat(timespec="seconds")),
        "error": error,
        "times": times,
        "again_at": (now + pause).isoformat(timespec="seconds"),
    }


def _deliver(settings: Settings, hook: Hook, alerts: list[Alert], now: datetime) -> Delivery:
    home = settings.home.name
    zone = ZoneInfo(time_zone(settings))
    words = text(alerts, home, zone, hook.speaks, delivery.LIMITS.get(hook.kind, delivery.NO_LIMIT))
    plain = {
        "home": home,
        "at": now.isoformat(timespec="seconds"),
        "alerts": [alert.as_plain() for alert in alerts],
        "text": words,
    }
    try:
        delivery.deliver(hook.expanded(), words, plain)
    except OnefoldError as error:
        log.warning("alerts: %s", error)
        return Delivery(hook.name, len(alerts), str(error))
    log.info("alerts: %s told of %s", hook.name, len(alerts))
    return Delivery(hook.name, len(alerts))
