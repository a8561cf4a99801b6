"""Accounts and sessions: what the store lets happen to them."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from onefold.errors import AccountError
from warehouse import accounts, audit, sessions
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.moments import now
from warehouse.review_tables import session

HOUR = timedelta(hours=1)


@pytest.fixture
def wh(warehouse: Warehouse) -> Warehouse:
    """A migrated warehouse with one admin, on each database."""
    accounts.add(warehouse, "root", full_name="Root", role="admin", created_by="onefold")
    return warehouse


def begin(wh: Warehouse, login: str, token: str, lifetime: timedelta = HOUR) -> None:
    sessions.begin(wh, login, token, "csrf", lifetime, action="login")


def age(wh: Warehouse, token: str, **columns: datetime) -> None:
    with wh.write(REVIEW) as connection:
        changed = sa.update(session).where(session.c.session_hash == token)
        connection.execute(changed.values(**columns))


def test_logins_are_kept_in_lower_case_and_are_unique(wh: Warehouse) -> None:
    made = accounts.add(wh, " Li.Na ", full_name="", role="steward", created_by="root")
    assert (made.login, made.full_name) == ("li.na", "li.na")
    assert accounts.find(wh, "LI.NA") == made
    with pytest.raises(AccountError, match="already"):
        accounts.add(wh, "li.na", full_name="", role="viewer", created_by="root")


@pytest.mark.parametrize("login", ["", "-", "li na", "李娜", "x" * 65, ".a", "a\nb", "<b>"])
def test_what_is_no_login_is_refused(wh: Warehouse, login: str) -> None:
    with pytest.raises(AccountError):
        accounts.add(wh, login, full_name="", role="steward", created_by="root")


def test_the_last_admin_who_may_log_in_stays(wh: Warehouse) -> None:
    accounts.add(wh, "second", full_name="", role="admin", created_by="root")
    accounts.set_active(wh, "second", False, by="root")
    for change in (
        lambda: accounts.set_role(wh, "root", "steward", by="root"),
        lambda: accounts.set_active(wh, "root", False, by="root"),
    ):
        with pytest.raises(AccountError, match="last admin"):
            change()
    accounts.set_active(wh, "second", True, by="root")
    accounts.set_role(wh, "root", "steward", by="second")
    assert accounts.find(wh, "root").role == "steward"  # type: ignore[union-attr]


def test_roles_and_accounts_that_do_not_exist_are_refused(wh: Warehouse) -> None:
    with pytest.raises(AccountError, match="no such role"):
        accounts.set_role(wh, "root", "king", by="root")
    with pytest.raises(AccountError, match="no such account"):
        accounts.set_active(wh, "nobody", False, by="root")


def test_a_given_password_must_be_changed_and_every_change_is_audited(wh: Warehouse) -> None:
    given = accounts.add(
        wh, "li", full_name="", role="viewer", created_by="root", password_hash="h1"
    )
    assert given.must_change_password
    accounts.set_password(wh, "li", "h2", by="li", must_change=False)
    assert accounts.password_hash(wh, "li") == "h2"
    accounts.set_password(wh, "li", "h3", by="root", must_change=True)
    accounts.set_active(wh, "li", False, by="root")
    assert accounts.password_hash(wh, "li") is None, "switched off"
    acts = [(one.login, one.action) for one in audit.show(wh, object_id="li")]
    assert acts == [
        ("root", "deactivate_account"),
        ("root", "reset_password"),
        ("li", "change_password"),
        ("root", "add_account"),
    ]


def test_a_session_ends_when_idle_when_old_and_when_its_account_is_off(wh: Warehouse) -> None:
    accounts.add(wh, "li", full_name="", role="viewer", created_by="root")
    for token in ("a", "b", "c"):
        begin(wh, "li", token)
    assert sessions.find(wh, "a", HOUR).account.login == "li"  # type: ignore[union-attr]
    assert sessions.find(wh, "other", HOUR) is None
    age(wh, "a", seen_at=now() - HOUR)
    assert sessions.find(wh, "a", HOUR) is None
    age(wh, "b", expires_at=now())
    assert sessions.find(wh, "b", HOUR) is None
    accounts.set_active(wh, "li", False, by="root")
    assert sessions.find(wh, "c", HOUR) is None
    accounts.set_active(wh, "li", True, by="root")
    assert sessions.find(wh, "c", HOUR) is None, "switching on does not bring it back"


def test_use_is_noted_once_a_minute(wh: Warehouse) -> None:
    begin(wh, "root", "a", timedelta(hours=9))

    def seen() -> datetime:
        with wh.read(REVIEW) as connection:
            return connection.execute(sa.select(session.c.seen_at)).scalar_one()

    first = seen()
    sessions.find(wh, "a", HOUR)
    assert seen() == first
    age(wh, "a", seen_at=now() - timedelta(minutes=2))
    sessions.find(wh, "a", HOUR)
    assert seen() >= first


def test_another_password_ends_all_sessions_but_the_one_that_changed_it(wh: Warehouse) -> None:
    for token in ("a", "b"):
        begin(wh, "root", token)
    accounts.set_password(wh, "root", "h", by="root", must_change=False, keep_session="a")
    assert sessions.find(wh, "a", HOUR)
    assert sessions.find(wh, "b", HOUR) is None


def test_a_login_replaces_the_browsers_old_session_and_drops_those_that_are_over(
    wh: Warehouse,
) -> None:
    for token in ("old", "over"):
        begin(wh, "root", token)
    age(wh, "over", expires_at=now())
    sessions.begin(wh, "root", "new", "csrf", HOUR, action="login", replaces="old")
    with wh.read(REVIEW) as connection:
        assert list(connection.execute(sa.select(session.c.session_hash)).scalars()) == ["new"]


def test_attempts_are_counted_by_login_and_by_address_for_a_day(wh: Warehouse) -> None:
    seen: list[sessions.Failures] = []

    def wait(failures: sessions.Failures, moment: datetime) -> timedelta:
        seen.append(failures)
        return timedelta(seconds=9) if failures.by_login >= 2 else timedelta(0)

    start = datetime(2026, 3, 1, tzinfo=UTC)
    for login, address in (("a", "x"), ("a", "y"), ("b", "y")):
        assert sessions.attempt(wh, login, address, start, wait) == timedelta(0)
    assert sessions.attempt(wh, "a", "z", start, wait) == timedelta(seconds=9)
    assert seen[-1] == sessions.Failures(2, start, 0, None), "refused ones are not counted"
    sessions.forgive(wh, "b")
    sessions.attempt(wh, "c", "y", start, wait)
    assert (seen[-1].by_login, seen[-1].by_address) == (0, 1)
    assert sessions.attempt(wh, "a", "x", start + timedelta(days=2), wait) == timedelta(0)
    assert seen[-1].by_login == 0
