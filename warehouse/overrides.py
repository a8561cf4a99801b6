"""Values that stewards pinned, and what the records said when they did.

An override stays in force until somebody takes it back. When the records come
to say something else in that field than they did when it was pinned, the
publish puts it back in the queue as a case of kind override, with both: it is
confirmed by pinning again, or withdrawn.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dedupe import cases as casing
from onefold.errors import CaseTaken, DecisionConflict, NotThere
from warehouse import (
    audit,
    case_states,
    case_tables,
    decisions,
    judgements,
    staged_records,
    text_form,
)
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.judgements import ALONE, Judged, Pinned, Terms
from warehouse.moments import utc
from warehouse.review_tables import decision

REASON = "evidence_changed"


def values(records: pa.Table, field: str) -> dict[str, str | None]:
    """What staged records say in a field: record id → text; lists as JSON."""
    text = text_form.encode(records.select(["record_id", field]))
    return dict(zip(text["record_id"].to_pylist(), text[field].to_pylist(), strict=True))


def evidence_hash(said: Iterable[str | None]) -> str:
    """Hash of the different values that records have in a field.

    >>> evidence_hash(["a", None, "b", "a"]) == evidence_hash(["b", "a"])
    True
    """
    return case_tables.digest(json.dumps(sorted({one for one in said if one is not None})))


def override(
    wh: Warehouse,
    golden_id: str,
    field: str,
    value: str | None,
    login: str,
    *,
    reason: str,
    replaces: str | None = None,
    seen: Sequence[str] | None = None,
    case_id: str | None = None,
    version: int = 0,
    terms: Terms = ALONE,
) -> Judged:
    """Pin a value of a golden customer, or pin it again for what the records say now.

    Args:
        wh: the warehouse.
        golden_id: a live golden customer.
        field: one of its fields.
        value: as text; a list as JSON; None: empty on purpose.
        login: who.
        reason: why, in the steward's words.
        replaces: the decision in force on the field, which this one takes the place of.
        seen: the records whose values it was set for, such as those of a case; None: the
            customer's own.
        case_id: the case of kind override that this answers.
        version: of that case as the steward saw it.
        terms: what the deployment asks for beyond. While the value waits for a second person, the
            one that it replaces stays in force.

    Raises:
        CaseTaken: somebody changed the case meanwhile, or a run settled it.
        DecisionConflict: another value is in force and not named, something is missing, the value
            is none of the field's kind, or the case asks about records.
        NotThere: the decision that it replaces is not in force.
    """
    decisions.require("override", None, None, golden_id, field, reason, login, value)
    _require_asks(wh, case_id)
    records = judgements.records_of(wh, golden_id)
    said = values(staged_records.read(wh, sorted({*records, *(seen or ())})), field)
    with wh.write(REVIEW) as connection:
        _check(connection, case_id, version)
        if replaces is not None:
            replaces = _in_force(connection, replaces)
        pinned = Pinned(golden_id, field, value, replaces, said, evidence_hash(said.values()))
        writer = judgements.Writer(connection, terms)
        done = writer.pin(pinned, login, reason, records, case_id)
        state = "waiting" if done.state == "waiting" else "decided"
        _settle(connection, case_id, version, login, done.judgement_id, state)
        detail = {"field": field, "judgement_id": done.judgement_id}
        audit.append(connection, login, "override", "customer", golden_id, detail)
    return done


def withdraw(
    wh: Warehouse,
    decision_id: str,
    login: str,
    *,
    reason: str,
    case_id: str | None = None,
    version: int = 0,
) -> None:
    """Take a pinned value back; the rules choose the value again.

    Raises:
        CaseTaken: somebody changed the case meanwhile, or a run settled it.
        DecisionConflict: there is no reason, or the case asks about records.
        NotThere: no such override is in force.
    """
    if not reason.strip():
        raise DecisionConflict(f"withdrawing {decision_id}", "it has no reason", do="Say why.")
    _require_asks(wh, case_id)
    with wh.write(REVIEW) as connection:
        _check(connection, case_id, version)
        decision_id = _in_force(connection, decision_id)
        judgements.Writer(connection).unpin(decision_id, login, reason)
        _settle(connection, case_id, version, login, None)
        audit.append(connection, login, "withdraw", "decision", decision_id)


def _require_asks(wh: Warehouse, case_id: str | None) -> None:
    """Refuse to settle a case by a value that does not ask about one.

    Raises:
        CaseTaken: a run settled the case.
        DecisionConflict: it asks about records.
    """
    if case_id is None:
        return
    case = judgements.shown(wh, [case_id]).get(case_id)
    if case is None:
        raise CaseTaken(case_id, "settled", None, None)
    if case.kind != "override":
        raise DecisionConflict(f"case {case_id}", "it asks about records, not about a value")


def _check(connection: sa.Connection, case_id: str | None, version: int) -> None:
    if case_id is not None:
        row = case_states.check(connection, case_id, version)
        if row is not None and row.state in ("waiting", "decided"):
            raise CaseTaken(case_id, row.state, row.changed_by, utc(row.changed_at))


def _settle(
    connection: sa.Connection,
    case_id: str | None,
    version: int,
    login: str,
    judgement_id: str | None,
    state: str = "decided",
) -> None:
    if case_id is not None:
        case_states.put(connection, case_id, login, version, state=state, judgement_id=judgement_id)


def _in_force(connection: sa.Connection, decision_id: str) -> str:
    """The override that holds under a name: the decision, or its copy that an undoing put back.

    Raises:
        NotThere: neither is in force.
    """
    query = sa.select(decision).where(
        decision.c.decision_id == decision_id, decision.c.kind == "override"
    )
    named = connection.execute(query).first()
    if named is not None:
        standing = decisions.overriding(connection, named.golden_id, named.field)
        if standing is not None and _said(standing) == _said(named):
            return str(standing.decision_id)
    raise NotThere(f"decision {decision_id}", "no such override is in force")


def _said(row: sa.Row[Any]) -> tuple[Any, ...]:
    """What a decision and its copy have alike, and no other one of the field."""
    return row.judgement_id, row.value, row.evidence_hash, row.decided_by


def changed(
    wh: Warehouse, records: pa.Table, crosswalk: pa.Table, redirects: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """The overrides in force whose records say something else now.

    Args:
        wh: the warehouse.
        records: every live record, staged.
        crosswalk: record_id, golden_id, as it is to be published.
        redirects: retired golden id → the live one.

    Returns:
        decision_id, golden_id (the live one), field, value, before and now (record id → text),
        decided_by, decided_at, and basis: the hash of what they say now.
    """
    pinned = []
    with wh.read(REVIEW) as connection:
        query = sa.select(decision).where(
            decision.c.kind == "override",
            decision.c.revoked_at.is_(None),
            decision.c.evidence_hash.is_not(None),
        )
        for row in connection.execute(query.order_by(decision.c.decision_id)):
            golden_id: str | None = row.golden_id
            while golden_id is not None and golden_id in redirects:
                golden_id = redirects[golden_id]
            if golden_id is not None:
                pinned.append((row, golden_id))
    wanted = pa.array(sorted({golden_id for _, golden_id in pinned}), pa.string())
    held: dict[str, list[str]] = defaultdict(list)
    for one in crosswalk.filter(pc.is_in(crosswalk["golden_id"], value_set=wanted)).to_pylist():
        held[one["golden_id"]].append(one["record_id"])
    ids = pa.array([one for some in held.values() for one in some], pa.string())
    records = records.filter(pc.is_in(records["record_id"], value_set=ids))
    by_field = {row.field: values(records, row.field) for row, _ in pinned}
    found = []
    for row, golden_id in pinned:
        now = {one: by_field[row.field].get(one) for one in sorted(held[golden_id])}
        basis = evidence_hash(now.values())
        if now and basis != row.evidence_hash:
            found.append(
                {
                    "decision_id": row.decision_id,
                    "golden_id": golden_id,
                    "field": row.field,
                    "value": row.value,
                    "before": (row.evidence or {}).get("values", {}),
                    "now": now,
                    "decided_by": row.decided_by,
                    "decided_at": utc(row.decided_at).isoformat(),
                    "basis": basis,
                }
            )
    return found


def as_cases(moved: list[dict[str, Any]], golden: pa.Table) -> tuple[casing.Cases, pa.Table]:
    """Cases of kind override, and their evidence.

    Args:
        moved: of :func:`changed`.
        golden: golden_id, name, customer_type.
    """
    ids = pa.array([one["golden_id"] for one in moved], pa.string())
    shown = {
        row["golden_id"]: row
        for row in golden.select(["golden_id", "name", "customer_type"])
        .filter(pc.is_in(golden["golden_id"], value_set=ids))
        .to_pylist()
    }
    rows, members, evidence = [], [], []
    for one in moved:
        records, customer = list(one["now"]), shown[one["golden_id"]]
        more = f"{one['decision_id']} {one['basis']}"
        row = casing.pinned_case(records, one["golden_id"], customer, REASON, more)
        rows.append(row)
        members += casing.members_of(row["case_id"], {one["golden_id"]: records})
        text = json.dumps(one, ensure_ascii=False, sort_keys=True)
        evidence.append(
            {
                "case_id": row["case_id"],
                "evidence": text,
                "content_hash": case_tables.digest(text),
            }
        )
    return (
        casing.Cases(
            pa.Table.from_pylist(rows, casing.CASES_SCHEMA),
            pa.Table.from_pylist(members, casing.MEMBERS_SCHEMA),
            casing.PAIRS_SCHEMA.empty_table(),
        ),
        pa.Table.from_pylist(evidence, case_tables.EVIDENCE_SCHEMA),
    )
