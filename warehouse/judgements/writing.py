"""Writing judgements with their decisions and the state of their cases, in one transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from dedupe import cases as casing
from onefold.errors import DecisionConflict
from warehouse import case_states, decisions, drawing
from warehouse.judgements.terms import ALONE, Groups, Judged, Pinned, Shown, Terms, pairs, partition
from warehouse.moments import now
from warehouse.review_tables import case_state, decision, judgement


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
