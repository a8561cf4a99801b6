"""The audit log: sealed, without gaps, and one transaction with what it describes."""

import threading

import pytest
import sqlalchemy as sa

from onefold.errors import AccountError
from warehouse import accounts, audit
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.moments import now
from warehouse.review_tables import audit_event


@pytest.fixture
def wh(warehouse: Warehouse) -> Warehouse:
    """A migrated warehouse with no event yet, on each database."""
    return warehouse


def fill(wh: Warehouse, count: int) -> None:
    with wh.write(REVIEW) as connection:
        for number in range(count):
            detail = {"n": number, "名": "乙", "share": 0.1} if number % 2 else None
            audit.append(connection, "li.na", "view_case", "case", f"C{number}", detail)


def test_an_untouched_chain_is_whole_and_its_head_can_be_noted(wh: Warehouse) -> None:
    assert audit.verify(wh) == audit.Verified(0, (0, ""))
    fill(wh, 7)
    result = audit.verify(wh)
    assert result.ok
    assert (result.events, result.head[0]) == (7, 7)
    fill(wh, 1)
    assert audit.verify(wh, result.head).ok


@pytest.mark.parametrize(
    ("column", "value"),
    [("login", "wang"), ("object_id", "C9"), ("action", "judge"), ("detail", {"n": 4})],
)
def test_a_changed_event_is_named(wh: Warehouse, column: str, value: object) -> None:
    fill(wh, 7)
    with wh.write(REVIEW) as connection:
        changed = sa.update(audit_event).where(audit_event.c.number == 4)
        connection.execute(changed.values(**{column: value}))
    result = audit.verify(wh)
    assert (result.broken_at, result.why) == (4, "its content was changed")


def test_a_changed_event_that_was_sealed_again_breaks_the_next_one(wh: Warehouse) -> None:
    fill(wh, 3)
    with wh.write(REVIEW) as connection:
        connection.execute(sa.delete(audit_event).where(audit_event.c.number >= 2))
        audit.append(connection, "wang", "view_case", "case", "C1")
        forged = audit.show(wh, limit=1)  # read by another connection: still the old one
        assert forged[0].number == 3
    fill(wh, 1)
    assert audit.verify(wh).ok, "the end was written anew: the chain alone cannot tell"
    assert audit.verify(wh, (3, forged[0].hash)).broken_at == 3, "a noted head can"


def test_a_removed_event_is_named_also_at_the_end(wh: Warehouse) -> None:
    fill(wh, 7)
    head = audit.verify(wh).head
    with wh.write(REVIEW) as connection:
        connection.execute(sa.delete(audit_event).where(audit_event.c.number == 7))
    assert audit.verify(wh).ok
    assert audit.verify(wh, head).broken_at == 7
    with wh.write(REVIEW) as connection:
        connection.execute(sa.delete(audit_event).where(audit_event.c.number == 3))
    assert audit.verify(wh).broken_at == 3


@pytest.mark.parametrize(
    ("at", "named", "why"),
    [
        (0, 0, "slipped in"),
        (4, 5, "does not follow"),  # sealed as if it belonged there: the next one tells
        (8, 8, "does not follow"),
    ],
)
def test_a_slipped_in_event_is_named(wh: Warehouse, at: int, named: int, why: str) -> None:
    fill(wh, 7)
    row = {"number": at, "at": now(), "login": "wang", "action": "judge", "previous_hash": ""}
    with wh.write(REVIEW) as connection:
        for number in range(7, at - 1, -1) if at else ():  # make room for it
            moved = sa.update(audit_event).where(audit_event.c.number == number)
            connection.execute(moved.values(number=number + 1))
        if at == 4:
            before = sa.select(audit_event.c.hash).where(audit_event.c.number == at - 1)
            row["previous_hash"] = connection.execute(before).scalar_one()
        seal = audit._seal({"object_kind": None, "object_id": None, "detail": None, **row})
        connection.execute(sa.insert(audit_event).values(**row, hash=seal))
    result = audit.verify(wh)
    assert (result.broken_at, why in result.why) == (named, True), result


def test_a_change_that_fails_leaves_no_event(wh: Warehouse) -> None:
    accounts.add(wh, "root", full_name="", role="admin", created_by="onefold")
    with pytest.raises(AccountError, match="last admin"):
        accounts.set_role(wh, "root", "viewer", by="root")
    assert [one.action for one in audit.show(wh)] == ["add_account"]


def test_events_written_side_by_side_make_one_chain(wh: Warehouse) -> None:
    def write() -> None:
        for _ in range(10):
            audit.note(wh, "li.na", "view_case")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    result = audit.verify(wh)
    assert result.ok
    assert result.events == 40


def test_events_are_shown_newest_first_filtered_and_in_pages(wh: Warehouse) -> None:
    fill(wh, 5)
    audit.note(wh, "wang", "login")
    assert [one.number for one in audit.show(wh, limit=2)] == [6, 5]
    assert [one.number for one in audit.show(wh, before=5, limit=2)] == [4, 3]
    assert [one.login for one in audit.show(wh, login="wang")] == ["wang"]
    assert [one.number for one in audit.show(wh, object_kind="case", object_id="C1")] == [2]
    third = audit.show(wh)[3]
    assert third.detail is None
    assert third.at.tzinfo is not None
    assert [one.number for one in audit.show(wh, since=third.at)] == [6, 5, 4, 3]
    assert [one.number for one in audit.show(wh, until=third.at)] == [2, 1]
