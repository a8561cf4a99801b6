"""An attempt to log in with a password: counted first, then looked at.

The answer says as little about known as about unknown logins.
"""

from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request

from review.policy import ReviewPolicy
from review.security import passwords, throttle
from review.security.key import Key
from warehouse import accounts, audit
from warehouse import sessions as store
from warehouse.engine import Warehouse
from warehouse.moments import now


@dataclass(frozen=True)
class Attempt:
    """How an attempt went.

    Attributes:
        login: the name that was given, as it is kept.
        is_right: whether the password is the account's.
        wait: seconds to wait before the next attempt is looked at; 0: it was looked at.
    """

    login: str
    is_right: bool
    wait: int


def attempt(
    request: Request, wh: Warehouse, policy: ReviewPolicy, key: Key, login: str, password: str
) -> Attempt:
    """Look at a login and password.

    Raises:
        WarehouseError: the database refuses.
    """
    name = accounts.canonical(login)
    address = request.client.host if request.client else ""
    login_mark = key.mark("login", name)
    left = store.attempt(
        wh,
        login_mark,
        key.mark("address", address),
        now(),
        lambda failures, moment: throttle.wait(policy.throttle, failures, moment),
    )
    if left > timedelta(0):
        return Attempt(name, False, max(1, round(left.total_seconds())))
    kept = accounts.password_hash(wh, name)
    if not passwords.matches(kept, password):
        # A name nobody has may be a password typed in the wrong place: it is not kept.
        known = name if kept is not None else None
        audit.note(wh, audit.NOBODY, "login_refused", "account", known)
        return Attempt(name, False, 0)
    if kept and passwords.is_old(kept):
        accounts.rehash(wh, name, passwords.hashed(password))
    store.forgive(wh, login_mark)
    return Attempt(name, True, 0)
