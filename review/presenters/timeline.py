"""What became of a customer, latest first, in marked texts with their values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from review.language import N_
from review.presenters.fields import LABELS, PARTS, lines
from review.presenters.masking import seen, words
from warehouse.customers import Event, Version

LINEAGE: Mapping[str, str] = {
    "created": N_("%(id)s began; records: %(count)s"),
    "absorbed": N_("%(id)s was merged into %(other)s; records: %(count)s"),
    "split": N_("From %(other)s to %(id)s; records: %(count)s"),
    "retired": N_("%(id)s ended"),
    "restored": N_("%(id)s came back; records: %(count)s"),
    "erased": N_("%(id)s was erased on request"),
}
VERSIONS: Mapping[str, str] = {
    "created": N_("Published for the first time"),
    "changed": N_("Published with changes"),
    "restored": N_("Published again"),
}
DECISIONS: Mapping[str, str] = {
    "link": N_("Decided: %(left)s and %(right)s are one customer"),
    "no_link": N_("Decided: %(left)s and %(right)s are different customers"),
    "override": N_("Decided: the value of %(field)s"),
}
REVOKED: Mapping[str, str] = {
    "link": N_("Undone: %(left)s and %(right)s are one customer"),
    "no_link": N_("Undone: %(left)s and %(right)s are different customers"),
    "override": N_("Undone: the value of %(field)s"),
}
_NEVER = frozenset({"created_at", "updated_at", "phone_kinds", "phone_extensions"})


@dataclass(frozen=True)
class Told:
    """One line of a timeline.

    Attributes:
        at: when, UTC.
        kind: lineage, version, decision or revoked.
        text: marked, with ``%(name)s`` for values; field names among them are marked, too.
        values: what fills it.
        field: marked name of the field that the text says as ``field``; empty for none.
        who: login of the steward; empty for the program.
        why: in the steward's words; empty for none.
        changes: marked field name, lines before, lines after.
        link: path of a page with more; empty for none.
    """

    at: datetime
    kind: str
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)
    field: str = ""
    who: str = ""
    why: str = ""
    changes: Sequence[tuple[str, list[str], list[str]]] = ()
    link: str = ""


def told(events: Sequence[Event], *, may_see_all: bool) -> list[Told]:
    """A customer's events as lines, latest first."""
    return [_told(event, may_see_all) for event in events]


def _told(event: Event, may_see_all: bool) -> Told:
    if isinstance(event.detail, Version):
        return Told(
            event.at,
            "version",
            VERSIONS[event.detail.change],
            changes=_changes(event.detail, may_see_all),
        )
    if event.kind in ("decision", "revoked"):
        said = event.detail
        taken_back = event.kind == "revoked"
        texts = REVOKED if taken_back else DECISIONS
        judgement_id = said.get("judgement_id")
        return Told(
            event.at,
            event.kind,
            texts[said["kind"]],
            {"left": said["left_id"] or "", "right": said["right_id"] or ""},
            field=LABELS.get(said["field"] or "", said["field"] or ""),
            who=said["revoked_by"] if taken_back else said["decided_by"],
            why=words(said["revoked_reason" if taken_back else "reason"] or "", may_see_all),
            link=f"/judgements/{judgement_id}" if judgement_id else "",
        )
    return Told(
        event.at,
        "lineage",
        LINEAGE[event.kind],
        {
            "id": event.golden_id,
            "other": event.other_golden_id or "–",
            "count": event.detail["record_count"],
        },
    )


def _changes(version: Version, may_see_all: bool) -> list[tuple[str, list[str], list[str]]]:
    found = []
    for name, label in LABELS.items():
        if name not in version.differs or name in PARTS or name in _NEVER:
            continue
        before, after = version.differs[name]
        found.append(
            (
                label,
                lines(name, seen(name, before, may_see_all)),
                lines(name, seen(name, after, may_see_all)),
            )
        )
    return found
