"""Who is logged in, and who tried in vain.

What belongs here: the tables ``session`` and ``login_attempt``. Only hashes of
tokens, names and addresses come in; whoever reads the store cannot log in with
what stands there. Rows that are over are deleted.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from warehouse import audit
from warehouse.accounts import Account, from_row
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.moments import now, utc
from warehouse.review_tables import account, login_attempt, session

_MINUTE = timedelta(minutes=1)
_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Session:
    """A session that holds, and whose it is."""

    session_hash: str
    csrf_token: str
    account: Account


@dataclass(frozen=True)
class Failures:
    """Failed logins in a row: how many and when the last one was."""

    by_login: int
    last_by_login: datetime | None
    by_address: int
    last_by_address: datetime | None


def begin(
    wh: Warehouse,
    login: str,
    session_hash: str,
    csrf_token: str,
    lifetime: timedelta,
    *,
    action: str,
    replaces: str | None = None,
) -> None:
    """Note a new session; what is over, and the session it replaces, goes.

    Args:
        wh: the warehouse.
        login: whose.
        session_hash: hash of the token in the cookie.
        csrf_token: what every write must bring.
        lifetime: how long it holds at most.
        action: name of the audit event.
        replaces: hash of the session that the browser had before.

    Raises:
        WarehouseError: the database refuses.
    """
    moment = now()
    with wh.write(REVIEW) as connection:
        connection.execute(sa.delete(session).where(session.c.expires_at <= moment))
        if replaces:
            connection.execute(sa.delete(session).where(session.c.session_hash == replaces))
        connection.execute(
            sa.insert(session).values(
                session_hash=session_hash,
                login=login,
                csrf_token=csrf_token,
                created_at=moment,
                seen_at=moment,
                expires_at=moment + lifetime,
            )
        )
        connection.execute(
            sa.update(account).where(account.c.login == login).values(last_login_at=moment)
        )
        audit.append(connection, login, action, "account", login)


def find(wh: Warehouse, session_hash: str, idle: timedelta) -> Session | None:
    """The session with this hash, if it holds and its account is active.

    That it was used is noted once a minute.

    Raises:
        WarehouseError: the database cannot be reached.
    """
    moment = now()
    query = (
        sa.select(account, session.c.csrf_token, session.c.seen_at, session.c.expires_at)
        .join_from(session, account, session.c.login == account.c.login)
        .where(session.c.session_hash == session_hash, account.c.is_active)
    )
    with wh.read(REVIEW) as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    seen = utc(row.seen_at)
    if moment >= utc(row.expires_at) or moment - seen >= idle:
        return None
    if moment - seen >= _MINUTE:
        with wh.write(REVIEW) as connection:
            connection.execute(
                sa.update(session)
                .where(session.c.session_hash == session_hash)
                .values(seen_at=moment)
            )
    return Session(session_hash, row.csrf_token, from_row(row))


def end(wh: Warehouse, session_hash: str, login: str, *, action: str) -> None:
    """End a session.

    Raises:
        WarehouseError: the database refuses.
    """
    with wh.write(REVIEW) as connection:
        connection.execute(sa.delete(session).where(session.c.session_hash == session_hash))
        audit.append(connection, login, action, "account", login)


def attempt(
    wh: Warehouse,
    login: str,
    address: str,
    moment: datetime,
    wait: Callable[[Failures, datetime], timedelta],
) -> timedelta:
    """Note an attempt to log in before its password is looked at, or say how long to wait.

    Counting first means that guesses sent side by side slow each other down.

    Args:
        wh: the warehouse.
        login: the name given, as a keyed hash.
        address: where it comes from, as a keyed hash.
        moment: now, UTC.
        wait: how long to wait after such failures.

    Returns:
        Zero where the attempt may go on and was noted; else what is left to wait.

    Raises:
        WarehouseError: the database refuses.
    """
    with wh.write(REVIEW) as connection:
        connection.execute(sa.delete(login_attempt).where(login_attempt.c.at < moment - _KEPT))
        failures = Failures(
            *_counted(connection, login_attempt.c.login == login),
            *_counted(connection, login_attempt.c.address == address),
        )
        left = wait(failures, moment)
        if left <= timedelta(0):
            connection.execute(
                sa.insert(login_attempt).values(
                    attempt_id=uuid.uuid4().hex, login=login, address=address, at=moment
                )
            )
    return max(left, timedelta(0))


def _counted(
    connection: sa.Connection, which: sa.ColumnElement[bool]
) -> tuple[int, datetime | None]:
    query = sa.select(sa.func.count(), sa.func.max(login_attempt.c.at)).where(which)
    number, last = connection.execute(query).one()
    return number, utc(last) if last else None


def forgive(wh: Warehouse, login: str) -> None:
    """Forget the attempts with a login (a keyed hash) that got in.

    Raises:
        WarehouseError: the database refuses.
    """
    with wh.write(REVIEW) as connection:
        connection.execute(sa.delete(login_attempt).where(login_attempt.c.login == login))
