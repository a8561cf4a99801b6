"""What a publish took in: which decisions, and of which records.

Decisions are never deleted and revoked once at most, so how many were made and
how many revoked say exactly which were known. Both are counted before the
decisions are read: one that comes in between is asked for again, never lost.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import sqlalchemy as sa

from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.moments import utc
from warehouse.review_tables import decision
from warehouse.tables import publish_run

KEY = "taken_in"
"""Name in the counts of a publish."""
AT_MOST = 400
"""Records of one case or customer whose decisions are looked at."""


@dataclass(frozen=True)
class Decided:
    """How far stewards have come.

    Attributes:
        made: decisions ever made; they are numbered, so also the number of the last.
        revoked: of these, taken back.
    """

    made: int
    revoked: int


@dataclass(frozen=True)
class TakenIn:
    """What a publish was made from.

    Attributes:
        made, revoked: as of :class:`Decided`.
        staged: fingerprint of the staged records.
        clusters: fingerprint of the clusters.
        rest: fingerprint of what else the golden table depends on, decisions apart.
    """

    made: int
    revoked: int
    staged: str
    clusters: str
    rest: str

    @property
    def decided(self) -> Decided:
        """The decisions it knew."""
        return Decided(self.made, self.revoked)

    def plain(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


def decided(wh: Warehouse) -> Decided:
    """The decisions there are now."""
    query = sa.select(sa.func.count(), sa.func.count(decision.c.revoked_at))
    with wh.read(REVIEW) as connection:
        made, revoked = connection.execute(query.select_from(decision)).one()
    return Decided(int(made), int(revoked))


def records_since(wh: Warehouse, known: Decided) -> list[str]:
    """Records at the ends of decisions that were made or revoked since, each once.

    Where one was revoked, those of all that were ever revoked.
    """
    number = sa.cast(sa.func.substr(decision.c.decision_id, 2), sa.BigInteger)
    other = number > known.made
    if decided(wh).revoked != known.revoked:
        other = sa.or_(other, decision.c.revoked_at.is_not(None))
    query = sa.select(decision.c.left_id, decision.c.right_id).where(other)
    with wh.read(REVIEW) as connection:
        ends = connection.execute(query).all()
    return sorted({one for pair in ends for one in pair if one is not None})


def last(wh: Warehouse) -> TakenIn | None:
    """What the last publish took in; None before the first that said so."""
    with wh.read() as connection:
        found = _last(connection)
    return _of(found.counts) if found is not None else None


def unpublished(wh: Warehouse, record_ids: Sequence[str], golden_ids: Sequence[str] = ()) -> int:
    """Decisions on records or customers that the golden table does not know yet.

    Args:
        wh: the warehouse.
        record_ids: of a case or customer; the first AT_MOST are looked at.
        golden_ids: customers, for values that were pinned.
    """
    with wh.read() as connection:
        found = _last(connection)
    known = _of(found.counts) if found is not None else None
    if found is None or known is None or known.decided == decided(wh):
        return 0
    some = list(record_ids)[:AT_MOST]
    query = sa.select(decision.c.decision_id, decision.c.revoked_at).where(
        sa.or_(
            decision.c.left_id.in_(some),
            decision.c.right_id.in_(some),
            decision.c.golden_id.in_(list(golden_ids)),
        )
    )
    with wh.read(REVIEW) as connection:
        rows = connection.execute(query).all()
    # What was decided and undone since changes nothing.
    return sum(
        (int(row.decision_id[1:]) > known.made)
        != (row.revoked_at is not None and utc(row.revoked_at) > utc(found.at))
        for row in rows
    )


def note(wh: Warehouse, now: TakenIn) -> bool:
    """Note that the last publish stands with these decisions too.

    Returns:
        whether it did not say so already.
    """
    with wh.write() as connection:
        found = _last(connection)
        if found is None or _of(found.counts) == now:
            return False
        connection.execute(
            sa.update(publish_run)
            .where(publish_run.c.publish_id == found.publish_id)
            .values(counts={**(found.counts or {}), KEY: now.plain()})
        )
    return True


def _last(connection: sa.Connection) -> sa.Row[Any] | None:
    columns: list[Any] = [publish_run.c[name] for name in ("publish_id", "counts", "at")]
    latest = sa.select(*columns).order_by(publish_run.c.at.desc()).limit(1)
    return connection.execute(latest).first()


def _of(counts: dict[str, Any] | None) -> TakenIn | None:
    said = (counts or {}).get(KEY)
    if said is None or said.keys() != {one.name for one in fields(TakenIn)}:
        return None
    return TakenIn(**said)
