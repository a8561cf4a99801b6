"""What stewards do: judge a case, part a customer, undo, and answer as the second person."""

from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from dedupe import cases as casing
from onefold.errors import CaseTaken, DecisionConflict
from warehouse import audit, case_states
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.judgements.reading import read, records_of, replaced, shown
from warehouse.judgements.terms import ALONE, Groups, Judged, Pinned, Terms, partition
from warehouse.judgements.writing import Writer
from warehouse.moments import utc
from warehouse.review_tables import case_state, judgement


def judge(
    wh: Warehouse,
    case_id: str,
    kind: Literal["link", "no_link", "groups"],
    login: str,
    version: int,
    *,
    groups: Groups | None = None,
    reason: str = "",
    seen: dict[str, Any] | None = None,
    terms: Terms = ALONE,
) -> Judged:
    """Decide a case.

    Args:
        wh: the warehouse.
        case_id: the case.
        kind: link (all one customer), no_link (the customers are different) or groups.
        login: who.
        version: of the case as the steward saw it.
        groups: record ids of each customer (groups): every record of the case once.
        reason: why, in the steward's words; may be empty.
        seen: what the steward saw, as plain values.
        terms: what the deployment asks for beyond.

    Raises:
        CaseTaken: somebody changed or decided the case meanwhile, or a run settled it.
        DecisionConflict: it contradicts decisions in force (``chain``), or it is incomplete.
    """
    case = shown(wh, [case_id]).get(case_id)
    if case is None:
        raise CaseTaken(case_id, "settled", None, None)
    with wh.write(REVIEW) as connection:
        row = case_states.check(connection, case_id, version)
        if row is not None and row.state in ("waiting", "decided"):
            raise CaseTaken(case_id, row.state, row.changed_by, utc(row.changed_at))
        done = Writer(connection, terms).case(case, kind, login, version, groups, reason, seen)
        _note(connection, login, "judge", done.judgement_id, case_id)
        return done


def unmerge(
    wh: Warehouse,
    golden_id: str,
    groups: Groups,
    login: str,
    *,
    reason: str,
    seen: dict[str, Any] | None = None,
    terms: Terms = ALONE,
) -> Judged:
    """Part a golden customer into groups of its records; former ids come back with the next run.

    Raises:
        DecisionConflict: the groups are not its records, each once, in two groups at least; or
            it contradicts decisions in force.
    """
    records = records_of(wh, golden_id)
    parts = partition(f"unmerge {golden_id}", groups, records)
    if len(parts) < 2:
        raise DecisionConflict(f"unmerge {golden_id}", "it names one group only")
    sizes, sources = list(map(len, parts)), {casing.source_of(one) for one in records}
    cost = casing.expected_cost(0.5, casing.pairs_at_stake("merge", sizes), len(sources))
    before = {golden_id: records}
    with wh.write(REVIEW) as connection:
        _require_new(connection, golden_id, parts)
        done = Writer(connection, terms).judgement(
            "unmerge", parts, login, reason, before, cost, seen
        )
        audit.append(
            connection, login, "unmerge", "customer", golden_id, {"judgement_id": done.judgement_id}
        )
        return done


def _require_new(connection: sa.Connection, golden_id: str, parts: Groups) -> None:
    """Refuse to part a customer a second time as it was parted already.

    Raises:
        DecisionConflict: the same holds, or waits for a second person.
    """
    query = sa.select(judgement.c.judgement_id, judgement.c.groups).where(
        judgement.c.kind == "unmerge",
        judgement.c.case_id.is_(None),
        judgement.c.state.in_(("in_force", "waiting")),
    )
    for row in connection.execute(query):
        if row.groups == parts:
            raise DecisionConflict(
                f"unmerge {golden_id}",
                "it was parted like this already",
                found=row.judgement_id,
                do="Wait for the next publish, or undo that first.",
            )


def undo(wh: Warehouse, judgement_id: str, login: str, reason: str) -> int:
    """Take a judgement back: its decisions are revoked, its case is open again.

    A pinned value whose place it had taken is in force again.

    Returns:
        decisions that were revoked.

    Raises:
        NotThere: there is no such judgement.
        DecisionConflict: it was undone or refused already, or there is no reason.
    """
    where = f"undoing {judgement_id}"
    if not reason.strip():
        raise DecisionConflict(where, "it has no reason", do="Say why.")
    with wh.write(REVIEW) as connection:
        row = read(connection, judgement_id)
        if row.state not in ("in_force", "waiting"):
            raise DecisionConflict(where, "it is not in force", found=_ended(row))
        writer = Writer(connection)
        revoked = writer.undo(judgement_id, login, reason.strip())
        earlier = replaced(row)
        if revoked and earlier is not None:
            writer.restore(earlier)
        _note(connection, login, "undo", judgement_id, row.case_id)
    return revoked


def approve(wh: Warehouse, judgement_id: str, login: str, terms: Terms = ALONE) -> Judged:
    """Say yes to a judgement that waits for a second person: its decisions are in force then.

    Raises:
        NotThere: there is no such judgement.
        DecisionConflict: it does not wait, it is one's own, or it contradicts decisions made since.
    """
    with wh.write(REVIEW) as connection:
        row = _waiting(connection, judgement_id, login, "approving")
        writer = Writer(connection, terms)
        if row.kind == "override":
            pinned = Pinned(**row.evidence["pinned"])
            found = writer.override(judgement_id, pinned, row.judged_by, row.reason)
        else:
            wanted = writer.checked(row.kind, row.groups)
            found = writer.decide(judgement_id, wanted, row.judged_by, row.reason)
        writer.draw(judgement_id, row.kind, row.case_id, row.batch_id)
        writer.answer(judgement_id, state="in_force", approved_by=login, approved_at=writer.at)
        _settle(writer, judgement_id, login)
        _note(connection, login, "approve", judgement_id, row.case_id)
    return Judged(judgement_id, "in_force", found)


def _settle(writer: Writer, judgement_id: str, login: str) -> None:
    """Note that the case of an approved judgement is decided."""
    row = writer.connection.execute(
        sa.select(case_state).where(case_state.c.judgement_id == judgement_id)
    ).first()
    if row is not None:
        case_states.put(
            writer.connection, row.case_id, login, row.version, at=writer.at, state="decided"
        )


def refuse(wh: Warehouse, judgement_id: str, login: str) -> None:
    """Say no to a judgement that waits for a second person: its case is open again.

    Raises:
        NotThere: there is no such judgement.
        DecisionConflict: it does not wait, or it is one's own.
    """
    with wh.write(REVIEW) as connection:
        row = _waiting(connection, judgement_id, login, "refusing")
        writer = Writer(connection)
        writer.answer(judgement_id, state="refused", approved_by=login, approved_at=writer.at)
        writer.reopen(judgement_id, login)
        _note(connection, login, "refuse", judgement_id, row.case_id)


def _waiting(connection: sa.Connection, judgement_id: str, login: str, doing: str) -> sa.Row[Any]:
    row = read(connection, judgement_id)
    where = f"{doing} {judgement_id}"
    if row.state != "waiting":
        raise DecisionConflict(where, "it does not wait for a second person", found=_ended(row))
    if row.judged_by == login:
        raise DecisionConflict(where, "the second person is another one than the first")
    return row


def _ended(row: sa.Row[Any]) -> str:
    by, at = (
        (row.undone_by, row.undone_at)
        if row.state == "undone"
        else (row.approved_by, row.approved_at)
    )
    moment: datetime | None = at
    return f"{row.state} by {by}, {utc(moment):%Y-%m-%d %H:%M} UTC" if moment else row.state


def _note(
    connection: sa.Connection, login: str, action: str, judgement_id: str, case_id: str | None
) -> None:
    """Audit what was done to a judgement."""
    detail = {"case_id": case_id} if case_id else None
    audit.append(connection, login, action, "judgement", judgement_id, detail)
