"""Quarantine: rejected values and records; mending a value, accepting, taking back."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field
from starlette.requests import Request

from review import mending, records
from review.pages import Stores
from review.presenters import masking
from review.presenters import quarantine as words
from review.problems import documented
from review.records import Cell
from review.routes.api.parts import (
    After,
    Body,
    Key,
    Language,
    Said,
    Shown,
    Word,
    language_of,
    part,
    place,
    token,
)
from review.security.roles import Steward, Viewer
from warehouse import audit, findings, repairs
from warehouse.findings import Filter
from warehouse.repairs import LONGEST, Kind

router = part("/quarantine", "quarantine")

Severity = Literal["error", "warning"]
State = Literal["open", "waiting", "accepted", "repaired"]
Whole = Annotated[str, Field(max_length=LONGEST, pattern=r"^[^\x00]*$")]


class Which(Body):
    """Which findings; what is not named does not matter."""

    source: Word | None = None
    rule: Word | None = Field(None, description="As `rule` of a finding")
    severity: Severity | None = Field(None, description="error: not used; warning: used")
    field: Word | None = Field(None, description="A staged column; empty: whole records")
    state: State | Literal["any"] = Field(
        "open",
        description="waiting: applied when its source is synced next; repaired: found no longer",
    )

    def filter(self) -> Filter:
        """As the warehouse takes it."""
        state = None if self.state == "any" else self.state
        return Filter(self.source, self.rule, self.severity, self.field, state)


class Asked(Which):
    """A page of findings."""

    after: After = None
    limit: int = Field(50, ge=1, le=200)


class AskedRepairs(Body):
    """A page of repairs."""

    source: Word | None = None
    after: After = None
    limit: int = Field(50, ge=1, le=200)


class FindingRow(Shown):
    """A value or record that failed a rule."""

    quarantine_id: str
    record_id: str = Field(examples=["crm:1001"])
    source: str
    source_key: str
    position: str | None = Field(description="Where it stood when last read")
    field: str | None = Field(description="Null: the record as a whole")
    rule: str
    severity: Severity
    reason: str = Field(description="What is wrong and what to do")
    raw_value: str | None = Field(description="As the source wrote it; only its form for viewers")
    whole_record: bool = Field(description="Whether it keeps the record out")
    state: State
    repair_id: str | None = Field(description="The repair in force")
    kind: Kind | None
    value: str | None = Field(description="What is used in its place; only its form for viewers")
    repaired_by: str | None
    repaired_at: datetime | None


class Findings(Shown):
    """Some findings, errors first."""

    findings: list[FindingRow]
    after: str | None = Field(description="For the next page; null on the last")


class FindingCount(Shown):
    """How many findings of a rule a source has."""

    source: str
    rule: str
    severity: Severity
    field: str | None
    findings: int


class FindingCounts(Shown):
    """Findings by source, rule, severity and field, the most first."""

    counts: list[FindingCount]
    total: int


class RecordCell(Shown):
    """A filled cell of a record as its source wrote it."""

    column: str
    text: str = Field(description="Only its form for viewers")
    field: str | None = Field(description="The staged field it feeds")


class RepairRow(Shown):
    """A value that is used in place of the source's, or a finding that was accepted."""

    repair_id: str = Field(examples=["R000001-0000001"])
    quarantine_id: str | None
    source: str
    source_key: str
    field: str | None
    rule: str
    kind: Kind
    value: str | None = Field(description="Only its form for viewers")
    reason: str
    repaired_by: str
    repaired_at: datetime
    undone_by: str | None
    undone_at: datetime | None
    state: Literal["waiting", "used", "overtaken", "undone"] = Field(
        description="overtaken: the source has another value, or the record no longer"
    )


class Repairs(Shown):
    """Some repairs, newest first."""

    repairs: list[RepairRow]
    after: str | None = Field(description="For the next page; null on the last")


class FullFinding(FindingRow):
    """A finding with its record and all that was done about it."""

    cells: list[RecordCell] = Field(
        description="The record in its source's newest snapshot; empty where it is not at hand"
    )
    others: list[str] = Field(description="Other findings on the record")
    repairs: list[RepairRow]


class Mend(Body):
    """Another value in place of the source's."""

    value: Whole = Field(description="As the source should have written it; empty: no value")
    reason: Said = ""
    dry_run: bool = Field(False, description="Only say what would become of it")


class ProblemFound(Shown):
    """What a rule says of a value."""

    rule: str
    severity: Severity
    reason: str


class Mended(Shown):
    """What the value becomes."""

    repair_id: str | None = Field(description="Null of a dry run")
    checked: bool = Field(description="Whether the record was at hand to be read again")
    becomes: list[str] = Field(description="What the field gains by it, as its rules read it")
    problems: list[ProblemFound] = Field(
        description="What the rules still say of it; none that refuses it"
    )


class Accept(Body):
    """Use it as it is."""

    reason: Said = ""


class Accepted(Shown):
    """What was done."""

    repair_id: str


class AcceptMany(Body):
    """Accept every open finding of a filter."""

    which: Which
    expected: int = Field(
        ge=1, le=2**31 - 1, description="How many there are, as counts say; else it is refused"
    )
    reason: Said = ""


class AcceptedMany(Shown):
    """What was done at once."""

    act: str = Field(description="Takes them all back at once", examples=["R000001"])
    findings: int


class TakenBack(Shown):
    """What was undone."""

    repair_id: str
    repairs: int


def _told(one: findings.Finding, language: str, may_see_all: bool) -> dict[str, Any]:
    value = one.value and words.text_seen(one.field, one.value, may_see_all)
    reason = words.reason(one.reason, one.rule, one.field, language)
    raw = one.raw_value and words.value_seen(one, may_see_all)
    return {**vars(one), "reason": reason, "raw_value": raw, "value": value}


def _repair(one: repairs.Repair, may_see_all: bool) -> RepairRow:
    value = one.value and words.text_seen(one.field, one.value, may_see_all)
    reason = masking.words(one.reason, may_see_all)
    return RepairRow(**{**vars(one), "value": value, "reason": reason})


@router.get("")
def list_findings(
    request: Request,
    caller: Viewer,
    wh: Stores,
    asked: Annotated[Asked, Query()],
) -> Findings:
    """Findings of a filter, errors first."""
    at = place(asked.after, str)
    found = findings.page(wh, asked.filter(), at[0] if at else None, asked.limit)
    audit.note(wh, caller.login, "view_quarantine", detail={"shown": len(found.rows)})
    language, all_of = language_of(request, None), caller.may("steward")
    return Findings(
        findings=[FindingRow(**_told(one, language, all_of)) for one in found.rows],
        after=token(found.after) if found.after else None,
    )


@router.get("/counts")
def count_findings(caller: Viewer, wh: Stores, which: Annotated[Which, Query()]) -> FindingCounts:
    """Findings of a filter by source, rule, severity and field."""
    counted = findings.counts(wh, which.filter())
    total = sum(one.findings for one in counted)
    return FindingCounts.model_validate({"counts": counted, "total": total})


@router.get("/repairs")
def list_repairs(caller: Viewer, wh: Stores, asked: Annotated[AskedRepairs, Query()]) -> Repairs:
    """What was mended and accepted, newest first, what was undone too."""
    at = place(asked.after, str)
    made = repairs.listed(
        wh, source=asked.source, after=at[0] if at else None, limit=asked.limit + 1
    )
    shown = made[: asked.limit]
    audit.note(wh, caller.login, "view_repairs", detail={"shown": len(shown)})
    return Repairs(
        repairs=[_repair(one, caller.may("steward")) for one in shown],
        after=token(shown[-1].repair_id) if len(made) > asked.limit else None,
    )


@router.post("/accept", responses=documented(409))
def accept_findings(caller: Steward, wh: Stores, body: AcceptMany) -> AcceptedMany:
    """Accept every open finding of a filter, if they are as many as you were told."""
    act, count = mending.accept_all(
        wh, body.which.filter(), caller.login, body.expected, body.reason
    )
    return AcceptedMany(act=act, findings=count)


@router.post("/repairs/{repair_id}/undo", responses=documented(404, 409))
def undo_repair(caller: Steward, wh: Stores, repair_id: Key) -> TakenBack:
    """Take a repair, or all of an act, back: the source's own values count at the next sync."""
    return TakenBack(repair_id=repair_id, repairs=mending.take_back(wh, repair_id, caller.login))


@router.get("/{quarantine_id}", responses=documented(404))
def get_finding(
    request: Request, caller: Viewer, wh: Stores, quarantine_id: Key, language: Language = None
) -> FullFinding:
    """A finding with its record as read, and what was done about it."""
    one = findings.get(wh, quarantine_id)
    audit.note(wh, caller.login, "view_finding", "finding", quarantine_id)
    all_of = caller.may("steward")
    record = records.find(request.app.state.settings, one.source, one.source_key)
    cells: list[Cell] = words.cells_seen(records.cells(record), all_of)
    others = [each.quarantine_id for each in findings.of_record(wh, one.record_id)]
    return FullFinding(
        **_told(one, language_of(request, language), all_of),
        cells=[RecordCell.model_validate(each) for each in cells],
        others=[each for each in others if each != quarantine_id],
        repairs=[_repair(each, all_of) for each in repairs.listed(wh, quarantine_id=quarantine_id)],
    )


@router.post("/{quarantine_id}/repair", responses=documented(404, 409))
def repair_finding(
    request: Request, caller: Steward, wh: Stores, quarantine_id: Key, body: Mend
) -> Mended:
    """Use another value until the source changes its own; 422 for one that cannot be used."""
    one = findings.get(wh, quarantine_id)
    login, language = caller.login, language_of(request, None)
    done = mending.mend(request, wh, one, login, body.value, body.reason, dry_run=body.dry_run)
    problems = done.tried.problems if done.tried else []
    return Mended(
        repair_id=done.repair_id,
        checked=done.tried is not None,
        becomes=words.gained(one.field, done.tried) if done.tried else [],
        problems=[
            ProblemFound(
                rule=each.rule,
                severity=each.severity,
                reason=words.reason(each.reason, each.rule, one.field, language),
            )
            for each in problems
        ],
    )


@router.post("/{quarantine_id}/accept", responses=documented(404, 409))
def accept_finding(
    request: Request, caller: Steward, wh: Stores, quarantine_id: Key, body: Accept
) -> Accepted:
    """Use value or record as it is until the source changes it."""
    one = findings.get(wh, quarantine_id)
    return Accepted(repair_id=mending.accept(request, wh, one, caller.login, body.reason))
