"""Alerts in words (Chinese or English) and as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from connectors.durations import shown
from pipelines.alerting.conditions import Condition
from pipelines.alerting.policy import Event

Language = Literal["zh", "en"]

_DETAIL = 300
"""Characters of a cause that a text holds."""

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "failed": "{what}: the sync failed.",
        "held": "{what}: the sync is held back.",
        "stale": "{what} is stale.",
        "recovered_failed": "{what}: synced again.",
        "recovered_held": "{what}: synced again.",
        "recovered_stale": "{what} is fresh again.",
        "golden_failed": "Golden table: the run failed.",
        "golden_held": "Golden table: a check holds it back.",
        "golden_recovered": "Golden table: up to date again.",
        "test": "A trial message: alerts reach you here.",
        "source": "Source {name}",
        "cause": "Cause: {text}",
        "good": "Last good: {at} ({age} ago)",
        "never": "Never synced well.",
        "within": "Fresh within: {length}",
        "owner": "Owner: {owner}",
        "more": "… and {count} more; see 'onefold status'.",
    },
    "zh": {
        "failed": "{what}：同步失败。",
        "held": "{what}：同步被拦截，沿用上一次的有效数据。",
        "stale": "{what}：数据已过期。",
        "recovered_failed": "{what}：同步已恢复。",
        "recovered_held": "{what}：同步已恢复。",
        "recovered_stale": "{what}：数据已恢复及时。",
        "golden_failed": "黄金客户表：运行失败。",
        "golden_held": "黄金客户表：检查未通过，暂不发布。",
        "golden_recovered": "黄金客户表：已恢复最新。",
        "test": "测试消息：告警可以送达此处。",
        "source": "数据源 {name}",
        "cause": "原因：{text}",
        "good": "上次成功：{at}（{age} 前）",
        "never": "从未同步成功。",
        "within": "时效要求：{length}",
        "owner": "负责人：{owner}",
        "more": "……另有 {count} 条，详见 onefold status。",
    },
}


@dataclass(frozen=True)
class Alert:
    """One change of state to tell.

    Attributes:
        event: failed, held, stale or recovered; test for a trial.
        was: for recovered: what it was: failed, held or stale.
        condition: what changed, as it is now.
    """

    event: Event | Literal["test"]
    condition: Condition
    was: str = ""

    def as_plain(self) -> dict[str, Any]:
        """Plain values by name; moments as ISO 8601."""
        one = self.condition
        return {
            "event": self.event,
            "was": self.was or None,
            "subject": "source" if one.source else "golden_customer",
            "source": one.source or None,
            "owner": one.owner or None,
            "message": one.message or None,
            "last_good_at": one.last_good_at and one.last_good_at.isoformat(timespec="seconds"),
            "fresh_within_seconds": one.fresh_within and int(one.fresh_within.total_seconds()),
        }


def text(alerts: Sequence[Alert], home: str, zone: ZoneInfo, language: Language, limit: int) -> str:
    """Alerts as plain text, a paragraph each.

    Args:
        alerts: what to tell.
        home: name of the deployment.
        zone: in which moments are shown.
        language: zh or en.
        limit: bytes of UTF-8 that it may have; what does not fit is counted.
    """
    said = _WORDS[language]
    head = f"[Onefold · {home}]"
    parts = [head]
    for number, alert in enumerate(alerts):
        more = said["more"].format(count=len(alerts) - number)
        paragraph = _paragraph(alert, zone, said)
        room = limit - len("\n\n".join([*parts, more]).encode()) - 2
        if len(paragraph.encode()) > room:
            parts.append(more)
            break
        parts.append(paragraph)
    return "\n\n".join(parts)


def _paragraph(alert: Alert, zone: ZoneInfo, said: dict[str, str]) -> str:
    one = alert.condition
    if alert.event == "test":
        return said["test"]
    what = said["source"].format(name=one.source)
    if alert.event == "recovered":
        name = f"recovered_{alert.was}" if one.source else "golden_recovered"
        return said[name].format(what=what)
    lines = [said[alert.event if one.source else f"golden_{alert.event}"].format(what=what)]
    if one.message:
        cause = one.message if len(one.message) <= _DETAIL else f"{one.message[:_DETAIL]}…"
        lines.append(said["cause"].format(text=cause))
    if one.last_good_at and one.age is not None:
        at = _local(one.last_good_at, zone)
        lines.append(said["good"].format(at=at, age=shown(one.age)))
    elif one.source:
        lines.append(said["never"])
    if alert.event == "stale" and one.fresh_within:
        lines.append(said["within"].format(length=shown(one.fresh_within)))
    if one.owner:
        lines.append(said["owner"].format(owner=one.owner))
    return "\n".join(lines)


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
