"""Who may use the review pages, and as what.

What belongs here: the table ``account``. An account is never deleted, since
decisions and audit events name it; it can be switched off. Hashing passwords
and asking OpenID providers is done in review/security/.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from onefold.errors import AccountError
from warehouse import audit
from warehouse.columns import REVIEW, STORES
from warehouse.engine import Warehouse
from warehouse.moments import now, utc
from warehouse.review_tables import account, session

Role = Literal["viewer", "steward", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "steward", "admin")
"""From the one that may least to the one that may most."""
LANGUAGES = ("zh", "en")

_LOGIN = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")


@dataclass(frozen=True)
class Account:
    """An account without its secrets.

    Attributes:
        login: name to log in with, lower case.
        full_name: name to show.
        role: viewer, steward or admin.
        language: zh or en; None: as the browser asks.
        must_change_password: whether somebody else gave it its password.
        is_active: whether it may log in.
        has_password: whether it may log in without OpenID Connect.
        subject: issuer and subject at the OpenID provider.
        created_by: a login, or onefold.
        created_at: when, UTC.
        last_login_at: when it logged in last, UTC.
    """

    login: str
    full_name: str
    role: Role
    language: str | None
    must_change_password: bool
    is_active: bool
    has_password: bool
    subject: str | None
    created_by: str
    created_at: datetime
    last_login_at: datetime | None


def from_row(row: sa.Row[Any]) -> Account:
    """The account in a row of the table."""
    return Account(
        login=row.login,
        full_name=row.full_name,
        role=row.role,
        language=row.language,
        must_change_password=row.must_change_password,
        is_active=row.is_active,
        has_password=row.password_hash is not None,
        subject=row.subject,
        created_by=row.created_by,
        created_at=utc(row.created_at),
        last_login_at=utc(row.last_login_at) if row.last_login_at else None,
    )


def canonical(login: str) -> str:
    """A login as it is kept.

    >>> canonical(" Li.Na ")
    'li.na'
    """
    return login.strip().lower()


def reachable(wh: Warehouse) -> None:
    """Ask both stores for nothing.

    Raises:
        WarehouseError: one cannot be reached.
    """
    for store in STORES:
        with wh.read(store) as connection:
            connection.execute(sa.select(1))


def find(wh: Warehouse, login: str) -> Account | None:
    """The account with this login.

    Raises:
        WarehouseError: the database cannot be reached.
    """
    with wh.read(REVIEW) as connection:
        row = _row(connection, canonical(login))
    return from_row(row) if row else None


def password_hash(wh: Warehouse, login: str) -> str | None:
    """The password hash of an active account; None if it has none.

    Raises:
        WarehouseError: the database cannot be reached.
    """
    with wh.read(REVIEW) as connection:
        row = _row(connection, canonical(login))
    return row.password_hash if row and row.is_active else None


def by_subject(wh: Warehouse, subject: str) -> Account | None:
    """The account of a person at the OpenID provider.

    Raises:
        WarehouseError: the database cannot be reached.
    """
    with wh.read(REVIEW) as connection:
        row = connection.execute(sa.select(account).where(account.c.subject == subject)).first()
    return from_row(row) if row else None


def everybody(wh: Warehouse) -> list[Account]:
    """Every account, by login.

    Raises:
        WarehouseError: the database cannot be reached.
    """
    with wh.read(REVIEW) as connection:
        rows = connection.execute(sa.select(account).order_by(account.c.login)).all()
    return [from_row(row) for row in rows]


def add(
    wh: Warehouse,
    login: str,
    *,
    full_name: str,
    role: str,
    created_by: str,
    password_hash: str | None = None,
    subject: str | None = None,
    language: str | None = None,
) -> Account:
    """Make an account; its password, if it gets one, must be changed at the first login.

    Raises:
        AccountError: the login is taken or no login, or there is no such role.
        WarehouseError: the database refuses.
    """
    login = canonical(login)
    if not _LOGIN.fullmatch(login):
        raise AccountError(
            "login",
            "a login is 1 to 64 letters a to z, digits and . _ @ + -",
            do="Choose another one.",
        )
    _require_role(role)
    with wh.write(REVIEW) as connection:
        if _row(connection, login):
            raise AccountError(login, "there is such an account already", do="Choose another one.")
        connection.execute(
            sa.insert(account).values(
                login=login,
                full_name=full_name.strip() or login,
                role=role,
                password_hash=password_hash,
                subject=subject,
                language=language,
                must_change_password=password_hash is not None,
                is_active=True,
                created_by=created_by,
                created_at=now(),
            )
        )
        audit.append(connection, created_by, "add_account", "account", login, {"role": role})
        return from_row(_existing(connection, login))


def set_role(wh: Warehouse, login: str, role: str, *, by: str) -> None:
    """Give an account another role.

    Raises:
        AccountError: there is no such account or role, or it is the last admin.
        WarehouseError: the database refuses.
    """
    _require_role(role)
    with wh.write(REVIEW) as connection:
        before = _existing(connection, login)
        if before.role == role:
            return
        if role != "admin":
            _require_other_admin(connection, before)
        _update(connection, login, role=role)
        detail = {"from": before.role, "to": role}
        audit.append(connection, by, "set_role", "account", login, detail)


def set_active(wh: Warehouse, login: str, active: bool, *, by: str) -> None:
    """Switch an account on, or off; off ends its sessions.

    Raises:
        AccountError: there is no such account, or it is the last admin.
        WarehouseError: the database refuses.
    """
    with wh.write(REVIEW) as connection:
        before = _existing(connection, login)
        if before.is_active == active:
            return
        if not active:
            _require_other_admin(connection, before)
            _end_sessions(connection, login)
        _update(connection, login, is_active=active)
        action = "activate_account" if active else "deactivate_account"
        audit.append(connection, by, action, "account", login)


def set_password(
    wh: Warehouse,
    login: str,
    password_hash: str,
    *,
    by: str,
    must_change: bool,
    keep_session: str | None = None,
) -> None:
    """Give an account another password; its sessions end, but for ``keep_session``.

    Args:
        wh: the warehouse.
        login: whose.
        password_hash: argon2.
        by: who gives it: a login.
        must_change: whether it has to be changed at the next login.
        keep_session: hash of a session that goes on.

    Raises:
        AccountError: there is no such account.
        WarehouseError: the database refuses.
    """
    with wh.write(REVIEW) as connection:
        _existing(connection, login)
        _end_sessions(connection, login, keep_session)
        _update(connection, login, password_hash=password_hash, must_change_password=must_change)
        action = "change_password" if by == login else "reset_password"
        audit.append(connection, by, action, "account", login)


def rehash(wh: Warehouse, login: str, password_hash: str) -> None:
    """Keep the same password in a newer form of hash.

    Raises:
        WarehouseError: the database refuses.
    """
    with wh.write(REVIEW) as connection:
        _update(connection, login, password_hash=password_hash)


def set_language(wh: Warehouse, login: str, language: str) -> None:
    """Keep which language an account wants to read.

    Raises:
        AccountError: there is no such language.
        WarehouseError: the database refuses.
    """
    if language not in LANGUAGES:
        raise AccountError("language", "there is no such language")
    with wh.write(REVIEW) as connection:
        _update(connection, login, language=language)


def _row(connection: sa.Connection, login: str) -> sa.Row[Any] | None:
    return connection.execute(sa.select(account).where(account.c.login == login)).first()


def _existing(connection: sa.Connection, login: str) -> sa.Row[Any]:
    row = _row(connection, login)
    if row is None:
        raise AccountError(login, "there is no such account")
    return row


def _update(connection: sa.Connection, login: str, **values: Any) -> None:
    connection.execute(sa.update(account).where(account.c.login == login).values(**values))


def _end_sessions(connection: sa.Connection, login: str, keep: str | None = None) -> None:
    which = session.c.login == login
    if keep is not None:
        which &= session.c.session_hash != keep
    connection.execute(sa.delete(session).where(which))


def _require_role(role: str) -> None:
    if role not in ROLES:
        raise AccountError("role", "there is no such role", do="Say viewer, steward or admin.")


def _require_other_admin(connection: sa.Connection, row: sa.Row[Any]) -> None:
    """Refuse to lose the last account that can let others in."""
    if row.role != "admin" or not row.is_active:
        return
    others = connection.execute(
        sa.select(sa.func.count())
        .select_from(account)
        .where(account.c.role == "admin", account.c.is_active, account.c.login != row.login)
    ).scalar_one()
    if not others:
        raise AccountError(row.login, "it is the last admin", do="Make somebody else admin first.")
