"""Judgements: what a steward says of a case or customer, as decisions that bind every later run.

What belongs here: one transaction of the review store that writes judgement,
decisions and case_state, or none of them. Which decisions:

- link: the records of all its customers, chained by link decisions. Every
  record is in the chain, so all stay one customer however matching groups them
  later, also when a record in between leaves its source.
- no_link: a no-link decision for every pair of records across the customers,
  so that none of one ever meets one of another, wherever records move. Beyond
  CROSS_PAIRS pairs every record is kept apart from one of each other customer.
- groups and unmerge: records picked into one group are linked, and one no-link
  decision keeps each two groups apart, which holds for all their records since
  they are linked.

A judgement never leans on decisions of another one: undoing one leaves what
the others said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import combinations, pairwise, product
from typing import Any, Literal

import sqlalchemy as sa

from dedupe import cases as casing
from onefold.errors import CaseTaken, DecisionConflict, NotThere
from warehouse import audit, case_states, decisions, drawing
from warehouse.columns import REVIEW, Time
from warehouse.engine import Warehouse
from warehouse.moments import now, utc
from warehouse.review_tables import case_state, decision, judgement
from warehouse.tables import case_member, crosswalk, review_case

Kind = Literal["link", "no_link", "groups", "override", "unmerge"]
CROSS_PAIRS = 1000
"""No-link decisions between two customers at most."""

Groups = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Terms:
    """What a deployment asks for beyond one steward's word.

    Attributes:
        approve_above: expected cost above which a second person must approve; None: never.
        blind_share: share of judgements, 0 to 1, that somebody judges again without seeing them.
    """

    approve_above: float | None = None
    blind_share: float = 0.0

    def wait(self, expected_cost: float) -> bool:
        """Whether a judgement of this cost waits for a second person."""
        return self.approve_above is not None and expected_cost > self.approve_above


ALONE = Terms()
"""One steward's word is enough."""


@dataclass(frozen=True)
class Judged:
    """What a judgement wrote.

    Attributes:
        judgement_id: its id.
        state: in_force, or waiting for a second person.
        decision_ids: decisions now in force; none while it waits.
    """

    judgement_id: str
    state: str
    decision_ids: tuple[str, ...]


@dataclass(frozen=True)
class Pinned:
    """A value that a steward sets for a field of a golden customer.

    Attributes:
        golden_id, field: where.
        value: as text; a list as JSON; None: empty on purpose.
        replaces: the decision in force whose place it takes, if there is one.
        said: record id → what it says in the field, as text.
        basis: hash of that.
    """

    golden_id: str
    field: str
    value: str | None
    replaces: str | None
    said: dict[str, str | None]
    basis: str


@dataclass(frozen=True)
class Shown:
    """A case as a steward judges it.

    Attributes:
        case_id, kind: of the case.
        expected_cost: of the case.
        groups: golden customer → its records, largest first.
    """

    case_id: str
    kind: str
    expected_cost: float
    groups: dict[str, list[str]]


def shown(wh: Warehouse, case_ids: Sequence[str]) -> dict[str, Shown]:
    """Cases as they stand published; those that a run settled are missing."""
    found: dict[str, Shown] = {}
    members = case_member.c
    with wh.read() as connection:
        for start in range(0, len(case_ids), 400):
            some = case_ids[start : start + 400]
            columns = (review_case.c[n] for n in ("case_id", "kind", "expected_cost", "golden_ids"))
            for row in connection.execute(
                sa.select(*columns).where(review_case.c.case_id.in_(some))
            ):
                groups: dict[str, list[str]] = {one: [] for one in row.golden_ids}
                found[row.case_id] = Shown(row.case_id, row.kind, row.expected_cost, groups)
            query = sa.select(members.case_id, members.golden_id, members.record_id)
            for case_id, golden_id, record_id in connection.execute(
                query.where(members.case_id.in_(some)).order_by(members.record_id)
            ):
                found[case_id].groups.setdefault(golden_id, []).append(record_id)
    return found


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


def records_of(wh: Warehouse, golden_id: str) -> list[str]:
    """The records of a live golden customer, sorted.

    Raises:
        DecisionConflict: there is none with this id.
    """
    query = sa.select(crosswalk.c.record_id).where(crosswalk.c.golden_id == golden_id)
    with wh.read() as connection:
        found = sorted(connection.execute(query).scalars())
    if not found:
        raise DecisionConflict(f"golden customer {golden_id}", "it is not live")
    return found


def partition(where: str, groups: Groups, records: Sequence[str]) -> list[list[str]]:
    """Groups, checked: every record once, no other, no empty group; sorted.

    Raises:
        DecisionConflict: they are not.
    """
    parts = sorted(sorted(group) for group in groups if group)
    if sorted(one for group in parts for one in group) != sorted(records):
        raise DecisionConflict(
            where,
            "the groups are not its records, each once",
            found=f"{sum(map(len, parts))} records in groups, {len(records)} to group",
            do="Look at it again: it may have changed.",
        )
    return parts


def pairs(kind: str, groups: Groups) -> Iterator[tuple[str, str, str]]:
    """The decisions that say a grouping: kind, left_id, right_id; left_id < right_id.

    >>> list(pairs("link", [["a", "b"], ["c"]]))
    [('link', 'a', 'b'), ('link', 'b', 'c')]
    >>> list(pairs("no_link", [["a", "b"], ["c"]]))
    [('no_link', 'a', 'c'), ('no_link', 'b', 'c')]
    >>> list(pairs("groups", [["a", "b"], ["c"]]))
    [('link', 'a', 'b'), ('no_link', 'a', 'c')]
    """
    if kind == "link":
        groups = [[one for group in groups for one in group]]
    if kind != "no_link":
        for group in groups:
            yield from (("link", a, b) for a, b in pairwise(sorted(group)))
    for one, other in combinations([sorted(group) for group in groups], 2):
        across = [(one[0], other[0])]
        if kind == "no_link":
            across = list(product(one, other))
            if len(across) > CROSS_PAIRS:
                longest = max(len(one), len(other))
                across = [(one[n % len(one)], other[n % len(other)]) for n in range(longest)]
        yield from (("no_link", min(pair), max(pair)) for pair in across)


class Writer:
    """Writes judgements within one transaction of the review store, and numbers them."""

    def __init__(self, connection: sa.Connection, terms: Terms = ALONE) -> None:
        self.connection, self.terms = connection, terms
        self.at = now()
        self._judgements = self._count(judgement)
        self._decisions = decisions.next_number(connection)

    def _count(self, table: sa.Table) -> int:
        query = sa.select(sa.func.count()).select_from(table)
        return int(self.connection.execute(query).scalar_one())

    def case(
        self,
        case: Shown,
        kind: str,
        login: str,
        version: int,
        groups: Groups | None = None,
        reason: str = "",
        seen: dict[str, Any] | None = None,
        batch_id: str | None = None,
    ) -> Judged:
        """Judge a case whose version was checked."""
        where = f"case {case.case_id}"
        if case.kind == "override":
            raise DecisionConflict(
                where, "it asks about a value", do="Pin the value again, or withdraw it."
            )
        records = [one for group in case.groups.values() for one in group]
        if kind == "groups":
            parts = partition(where, groups or [], records)
        elif kind == "link":
            parts = [sorted(records)]
        else:
            parts = sorted(sorted(group) for group in case.groups.values())
            if len(parts) < 2:
                raise DecisionConflict(
                    where, "it is one customer", do="Say which records are another one."
                )
        done = self.judgement(
            kind,
            parts,
            login,
            reason,
            case.groups,
            case.expected_cost,
            seen,
            case.case_id,
            batch_id,
        )
        state = "waiting" if done.state == "waiting" else "decided"
        case_states.put(
            self.connection,
            case.case_id,
            login,
            version,
            at=self.at,
            state=state,
            judgement_id=done.judgement_id,
        )
        return done

    def judgement(
        self,
        kind: str,
        groups: Groups,
        login: str,
        reason: str,
        before: dict[str, list[str]],
        expected_cost: float,
        seen: dict[str, Any] | None = None,
        case_id: str | None = None,
        batch_id: str | None = None,
    ) -> Judged:
        """Write a judgement of groups, and its decisions unless it has to wait."""
        if not login.strip():
            raise DecisionConflict(f"judgement {kind}", "nobody decided it", do="Say who decides.")
        wanted = self.checked(kind, groups)  # a contradiction is told now, not to a second person
        evidence = {"before": before, **({"seen": seen} if seen else {})}
        made, waits = self._put(
            kind, groups, login, reason, evidence, expected_cost, case_id, batch_id
        )
        if waits:
            return Judged(made, "waiting", ())
        found = self.decide(made, wanted, login, reason)
        self.draw(made, kind, case_id, batch_id)
        return Judged(made, "in_force", found)

    def _put(
        self,
        kind: str,
        groups: Groups,
        login: str,
        reason: str,
        evidence: dict[str, Any],
        expected_cost: float,
        case_id: str | None,
        batch_id: str | None,
    ) -> tuple[str, bool]:
        """Number a judgement and write it.

        Returns:
            its id, and whether it waits for a second person.
        """
        self._judgements += 1  # rows are never deleted
        judgement_id, waits = f"J{self._judgements:06d}", self.terms.wait(expected_cost)
        self.connection.execute(
            sa.insert(judgement).values(
                judgement_id=judgement_id,
                case_id=case_id,
                kind=kind,
                groups=[list(group) for group in groups],
                reason=reason.strip(),
                state="waiting" if waits else "in_force",
                evidence=evidence,
                expected_cost=expected_cost,
                judged_by=login.strip(),
                judged_at=self.at,
                batch_id=batch_id,
            )
        )
        return judgement_id, waits

    def draw(self, judgement_id: str, kind: str, case_id: str | None, batch_id: str | None) -> None:
        """Let the lot say whether a judgement that came in force is looked at a second time."""
        if kind in drawing.KINDS and case_id is not None and batch_id is None:
            drawing.draw(self.connection, judgement_id, case_id, self.terms.blind_share, self.at)

    def checked(self, kind: str, groups: Groups) -> list[tuple[str, str, str]]:
        """The decisions of a grouping: kind, left_id, right_id.

        Raises:
            DecisionConflict: they contradict others in force.
        """
        wanted = list(pairs(kind, groups))
        existing = decisions.bearing_on(self.connection, {one for w in wanted for one in w[1:]})
        for what, left, right in wanted:
            decisions.check(what, left, right, existing)
            existing.append(decisions.Known("", what, left, right))
        return wanted

    def decide(
        self, judgement_id: str, wanted: Sequence[tuple[str, str, str]], login: str, reason: str
    ) -> tuple[str, ...]:
        """Put a judgement's decisions in force, as :meth:`checked` gave them."""
        rows = [
            {
                "decision_id": decisions.named(self._decisions + number),
                "kind": what,
                "left_id": left,
                "right_id": right,
                "reason": reason.strip(),
                "decided_by": login.strip(),
                "decided_at": self.at,
                "judgement_id": judgement_id,
            }
            for number, (what, left, right) in enumerate(wanted)
        ]
        if rows:
            self.connection.execute(sa.insert(decision), rows)
        self._decisions += len(rows)
        return tuple(str(row["decision_id"]) for row in rows)

    def pin(
        self,
        pinned: Pinned,
        login: str,
        reason: str,
        records: Sequence[str],
        case_id: str | None,
    ) -> Judged:
        """Write a judgement of a pinned value, and its override unless it has to wait.

        Args:
            pinned: the value, and what it was set for.
            login: who.
            reason: why.
            records: of the customer.
            case_id: the case that it answers, if it does.

        Raises:
            DecisionConflict: another value is in force and not named.
        """
        self._require_free(pinned)  # told now, not to a second person
        evidence = {"before": {pinned.golden_id: list(records)}, "pinned": asdict(pinned)}
        cost = casing.pinned_cost(records)
        made, waits = self._put(
            "override", [list(records)], login, reason, evidence, cost, case_id, None
        )
        if waits:
            return Judged(made, "waiting", ())
        return Judged(made, "in_force", self.override(made, pinned, login, reason))

    def _require_free(self, pinned: Pinned) -> None:
        standing = decisions.overriding(self.connection, pinned.golden_id, pinned.field)
        if standing is not None and standing.decision_id != pinned.replaces:
            raise decisions.override_conflict(standing)

    def override(
        self, judgement_id: str, pinned: Pinned, login: str, reason: str
    ) -> tuple[str, ...]:
        """Put a pinned value in force, in the place of the one that it replaces.

        Raises:
            DecisionConflict: another value is in force since.
        """
        self._require_free(pinned)
        if pinned.replaces is not None:
            self.unpin(pinned.replaces, login, reason)
        name = decisions.named(self._decisions)
        self._decisions += 1
        self.connection.execute(
            sa.insert(decision).values(
                decision_id=name,
                kind="override",
                golden_id=pinned.golden_id,
                field=pinned.field,
                value=pinned.value,
                reason=reason.strip(),
                decided_by=login.strip(),
                decided_at=self.at,
                judgement_id=judgement_id,
                evidence={"values": pinned.said},
                evidence_hash=pinned.basis,
            )
        )
        return (name,)

    def unpin(self, decision_id: str, login: str, reason: str) -> bool:
        """Revoke an override, and its judgement with it.

        Returns:
            whether it was in force.
        """
        row = self.connection.execute(
            sa.select(decision.c.judgement_id).where(
                decision.c.decision_id == decision_id,
                decision.c.kind == "override",
                decision.c.revoked_at.is_(None),
            )
        ).first()
        if row is None:
            return False
        if row.judgement_id is not None:
            self.undo(row.judgement_id, login, reason.strip())
        else:
            decisions.end(self.connection, decision_id, login, reason)
        return True

    def revoke(self, judgement_id: str, login: str, reason: str) -> int:
        """Take a judgement's decisions back.

        Returns:
            how many.
        """
        done = self.connection.execute(
            sa.update(decision)
            .where(decision.c.judgement_id == judgement_id, decision.c.revoked_at.is_(None))
            .values(revoked_at=self.at, revoked_by=login, revoked_reason=reason)
        )
        return int(done.rowcount)

    def undo(self, judgement_id: str, login: str, reason: str) -> int:
        """Take a judgement back, and open its case.

        Returns:
            decisions that were revoked.
        """
        revoked = self.revoke(judgement_id, login, reason)
        self.answer(judgement_id, state="undone", undone_by=login, undone_at=self.at)
        self.reopen(judgement_id, login)
        return revoked

    def restore(self, decision_id: str) -> None:
        """Put a pinned value in force again that a later one had taken the place of.

        A decision is revoked once and for all, so a copy of it is made; its judgement holds again.
        Nothing is done where another value is in force by now.
        """
        query = sa.select(decision).where(decision.c.decision_id == decision_id)
        row = self.connection.execute(query).one()
        if decisions.overriding(self.connection, row.golden_id, row.field) is not None:
            return
        copied = {**row._mapping, "decision_id": decisions.named(self._decisions)}
        copied |= {"decided_at": self.at, "revoked_at": None}
        copied |= {"revoked_by": None, "revoked_reason": None}
        self._decisions += 1
        self.connection.execute(sa.insert(decision).values(**copied))
        if row.judgement_id is not None:
            self.answer(row.judgement_id, state="in_force", undone_by=None, undone_at=None)

    def answer(self, judgement_id: str, **values: Any) -> None:
        """Change a judgement's state."""
        self.connection.execute(
            sa.update(judgement).where(judgement.c.judgement_id == judgement_id).values(**values)
        )

    def reopen(self, judgement_id: str, login: str) -> None:
        """Open the case that a judgement had decided."""
        row = self.connection.execute(
            sa.select(case_state).where(case_state.c.judgement_id == judgement_id)
        ).first()
        if row is not None:
            case_states.put(
                self.connection,
                row.case_id,
                login,
                row.version,
                at=self.at,
                state="open",
                judgement_id=None,
            )


def read(connection: sa.Connection, judgement_id: str) -> sa.Row[Any]:
    """A judgement.

    Raises:
        NotThere: there is none with this id.
    """
    query = sa.select(judgement).where(judgement.c.judgement_id == judgement_id)
    row = connection.execute(query).first()
    if row is None:
        raise NotThere(f"judgement {judgement_id}", "there is no such judgement")
    return row


def listed(
    wh: Warehouse,
    *,
    state: str | None = None,
    limit: int = 200,
    after: tuple[datetime, str] | None = None,
) -> list[dict[str, Any]]:
    """Judgements, latest first: columns of the table without groups and evidence, record_count, and
    golden_ids: the customers that it was about.

    Args:
        wh: the warehouse.
        state: only those in it; None: any.
        limit: how many at most.
        after: judged_at and judgement_id of the last one of the page before.
    """
    query = sa.select(judgement).order_by(
        judgement.c.judged_at.desc(), judgement.c.judgement_id.desc()
    )
    if state is not None:
        query = query.where(judgement.c.state == state)
    if after is not None:
        place = sa.tuple_(judgement.c.judged_at, judgement.c.judgement_id)
        here = sa.tuple_(sa.literal(utc(after[0]), Time), sa.literal(after[1]))
        query = query.where(place < here)
    with wh.read(REVIEW) as connection:
        found = [_told(row) for row in connection.execute(query.limit(limit))]
    for one in found:
        one["record_count"] = sum(map(len, one.pop("groups") or []))
        one["golden_ids"] = list(one.pop("before"))
        del one["pinned"]
    return found


def last_of(wh: Warehouse, login: str) -> str | None:
    """The latest judgement of somebody that can still be undone; None if there is none."""
    query = (
        sa.select(judgement.c.judgement_id)
        .where(judgement.c.judged_by == login, judgement.c.state.in_(("in_force", "waiting")))
        .order_by(judgement.c.judged_at.desc(), judgement.c.judgement_id.desc())
        .limit(1)
    )
    with wh.read(REVIEW) as connection:
        found: str | None = connection.execute(query).scalar()
    return found


def waiting(wh: Warehouse, login: str) -> int:
    """How many judgements wait for somebody as the second person: not their own."""
    many = sa.select(sa.func.count()).select_from(judgement)
    other = (judgement.c.state == "waiting") & (judgement.c.judged_by != login)
    of_cases = (
        sa.select(sa.func.count())
        .select_from(case_state)
        .join(judgement, judgement.c.judgement_id == case_state.c.judgement_id)
        .where(case_state.c.state == "waiting", other)
    )
    with wh.read(REVIEW) as connection:  # each by an index
        without = many.where(judgement.c.case_id.is_(None), other)
        return sum(int(connection.execute(one).scalar_one()) for one in (of_cases, without))


def get(wh: Warehouse, judgement_id: str) -> dict[str, Any]:
    """A judgement: the table's columns, and

    - before: golden customer → its records when it was judged;
    - decision_count: its decisions in force;
    - customers: live golden customers that hold its records;
    - case_is_live: whether its case is still there;
    - pinned: golden_id, field and value that it sets (override), else None;
    - puts_back: decision_id and value of the pinned value that undoing it puts in force again,
      else None.

    Raises:
        NotThere: there is no such judgement.
    """
    with wh.read(REVIEW) as connection:
        asked = read(connection, judgement_id)
        found = _told(asked)
        earlier = sa.select(decision.c.decision_id, decision.c.value).where(
            decision.c.decision_id == _replaced(asked)
        )
        back = connection.execute(earlier).first() if asked.state == "in_force" else None
        found["puts_back"] = dict(back._mapping) if back is not None else None
        mine = (decision.c.judgement_id == judgement_id) & decision.c.revoked_at.is_(None)
        query = sa.select(sa.func.count()).select_from(decision).where(mine)
        found["decision_count"] = connection.execute(query).scalar_one()
        columns = (decision.c.golden_id, decision.c.field, decision.c.value)
        value = sa.select(*columns).where(
            decision.c.judgement_id == judgement_id, decision.c.kind == "override"
        )
        row = connection.execute(value).first()
        if row is not None:  # else it waits for a second person, or never came in force
            found["pinned"] = dict(row._mapping)
    records = [one for group in found["groups"] or [] for one in group]
    with wh.read() as connection:
        holders = sa.select(crosswalk.c.golden_id).where(crosswalk.c.record_id.in_(records))
        found["customers"] = sorted(set(connection.execute(holders).scalars()))
        same = sa.select(review_case.c.case_id).where(review_case.c.case_id == found["case_id"])
        found["case_is_live"] = connection.execute(same).first() is not None
    return found


def _told(row: sa.Row[Any]) -> dict[str, Any]:
    found: dict[str, Any] = dict(row._mapping)
    for name in ("judged_at", "approved_at", "undone_at"):
        found[name] = found[name] and utc(found[name])
    evidence = found.pop("evidence") or {}
    found["before"] = evidence.get("before") or {}
    pinned = evidence.get("pinned")
    found["pinned"] = pinned and {name: pinned[name] for name in ("golden_id", "field", "value")}
    return found


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
        replaced = _replaced(row)
        if revoked and replaced is not None:
            writer.restore(replaced)
        _note(connection, login, "undo", judgement_id, row.case_id)
    return revoked


def _replaced(row: sa.Row[Any]) -> str | None:
    """The decision whose place a judgement's pinned value took."""
    found: str | None = ((row.evidence or {}).get("pinned") or {}).get("replaces")
    return found


def _note(
    connection: sa.Connection, login: str, action: str, judgement_id: str, case_id: str | None
) -> None:
    """Audit what was done to a judgement."""
    detail = {"case_id": case_id} if case_id else None
    audit.append(connection, login, action, "judgement", judgement_id, detail)


def _ended(row: sa.Row[Any]) -> str:
    by, at = (
        (row.undone_by, row.undone_at)
        if row.state == "undone"
        else (row.approved_by, row.approved_at)
    )
    moment: datetime | None = at
    return f"{row.state} by {by}, {utc(moment):%Y-%m-%d %H:%M} UTC" if moment else row.state


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
