"""Taking customers out of the review store: decisions, judgements, second reviews."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.erasing.files import writing
from warehouse.erasing.held import Named, judgements_of, treated
from warehouse.erasing.whom import pieces
from warehouse.erasures import Target
from warehouse.holdings import ERASED
from warehouse.moments import now
from warehouse.review_tables import decision, judgement, repair, second_review

_NOBODY = "onefold erase"


def from_review(wh: Warehouse, targets: Mapping[str, Target]) -> dict[str, int]:
    """Take customers out of the review store, in one transaction.

    Decisions and repairs that named their records are revoked, what waits for a second person
    is taken back. Groups of records keep the records of others.

    Returns:
        table → rows that went or were blanked.
    """
    named = Named(targets.values())
    with writing(wh, REVIEW) as connection:
        named.ids["judgements"] = judgements_of(connection, named)
        _revoke(connection, named)
        gone = set(named.ids["records"])
        for judgement_id in named.ids["judgements"]:
            _ungroup(connection, judgement_id, gone)
        return treated(connection, REVIEW, named)


def _revoke(connection: sa.Connection, named: Named) -> None:
    """Take back what is in force for the customers' records, or waits for a second person."""
    at = now()
    ended = {"revoked_at": at, "revoked_by": _NOBODY}
    for column, by in (("left_id", "records"), ("right_id", "records"), ("golden_id", "customers")):
        for some in pieces(named.ids[by]):  # type: ignore[index]
            connection.execute(
                sa.update(decision)
                .where(decision.c[column].in_(some), decision.c.revoked_at.is_(None))
                .values(ended)
            )
    for where in named.repairs():
        connection.execute(
            sa.update(repair)
            .where(where, repair.c.undone_at.is_(None))
            .values(undone_by=_NOBODY, undone_at=repair.c.repaired_at)
        )
    for some in pieces(named.ids["judgements"]):
        connection.execute(
            sa.update(judgement)
            .where(judgement.c.judgement_id.in_(some), judgement.c.state == "waiting")
            .values(state="undone", undone_by=_NOBODY, undone_at=at)
        )
        connection.execute(
            sa.delete(second_review).where(
                second_review.c.judgement_id.in_(some), second_review.c.answered_at.is_(None)
            )
        )


def _ungroup(connection: sa.Connection, judgement_id: str, gone: set[str]) -> None:
    """Leave the records of others in what a judgement grouped, and nothing of its evidence."""
    this = judgement.c.judgement_id == judgement_id
    columns = (judgement.c.groups, judgement.c.evidence)
    row = connection.execute(sa.select(*columns).where(this)).one()
    before = (row.evidence or {}).get("before") or {}
    connection.execute(
        sa.update(judgement)
        .where(this)
        .values(
            groups=_others(row.groups or (), gone),
            evidence={
                "before": {
                    name: left
                    for name, group in before.items()
                    if (left := [one for one in group if one not in gone])
                }
            },
        )
    )
    told = {"reason": ERASED, "revoked_reason": sa.null(), "evidence": sa.null()}
    of = decision.c.judgement_id == judgement_id
    connection.execute(sa.update(decision).where(of).values(told))
    again = second_review.c.judgement_id == judgement_id
    second = connection.execute(sa.select(second_review.c.groups).where(again)).first()
    if second is not None and second.groups:
        left = _others(second.groups, gone)
        connection.execute(sa.update(second_review).where(again).values(groups=left))


def _others(groups: Iterable[Iterable[str]], gone: set[str]) -> list[list[str]]:
    """Groups of records without some of them."""
    left = ([one for one in group if one not in gone] for group in groups)
    return [group for group in left if group]
