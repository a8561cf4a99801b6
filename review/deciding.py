"""What stewards do, as pages and API do it alike: the checks and settings around the stores.

What belongs here: what both must do the same beyond calling ``warehouse``.
"""

from typing import Literal

from starlette.requests import Request

from review import pages
from review.errors import NotFound
from review.language import N_
from review.policy import ReviewPolicy
from review.security import passwords
from warehouse import accounts, case_states, cases, judgements
from warehouse.accounts import Account
from warehouse.engine import Warehouse
from warehouse.judgements import Groups, Judged

Answer = Literal["link", "no_link", "groups"]


def judge(
    wh: Warehouse,
    policy: ReviewPolicy,
    row: cases.Row,
    kind: Answer,
    login: str,
    version: int,
    groups: Groups | None,
    reason: str,
) -> Judged:
    """Decide a case; notes what the steward saw of it.

    Raises:
        CaseTaken: somebody was first, or a run settled it.
        DecisionConflict: it contradicts decisions in force, or is incomplete.
    """
    return judgements.judge(
        wh,
        row.case_id,
        kind,
        login,
        version,
        groups=groups if kind == "groups" else None,
        reason=reason,
        seen={"probability": row.probability, "reason": row.reason},
        terms=policy.terms,
    )


def assign(wh: Warehouse, case_id: str, assignee: str | None, login: str, version: int) -> int:
    """Say who should look at a case; nobody if empty.

    Raises:
        NotFound: there is no such account.
        NotThere: there is no such case.
        CaseTaken: somebody changed it meanwhile.
    """
    cases.row(wh, case_id)
    if assignee and accounts.find(wh, assignee) is None:
        raise NotFound(N_("There is no such account."))
    name = accounts.canonical(assignee) if assignee else None
    return case_states.assign(wh, case_id, name, login, version)


def comment(wh: Warehouse, case_id: str, said: str, login: str) -> str:
    """Say something about a case.

    Raises:
        NotThere: there is no such case.
        DecisionConflict: nothing was said.
    """
    cases.row(wh, case_id)
    return case_states.comment(wh, case_id, said, login)


def undo(request: Request, wh: Warehouse, judgement_id: str, login: str, reason: str) -> int:
    """Take a judgement back; who gives no reason gets one in their language.

    Raises:
        NotThere: there is no such judgement.
        DecisionConflict: it is not in force.
    """
    said = reason.strip() or pages.say(request, N_("undone"))
    return judgements.undo(wh, judgement_id, login, said)


def add_account(
    wh: Warehouse, login: str, full_name: str, role: str, by: str
) -> tuple[Account, str]:
    """Make an account.

    Returns:
        it, and its one-time password.

    Raises:
        AccountError: the login is taken or no login, or there is no such role.
    """
    password = passwords.one_time()
    made = accounts.add(
        wh,
        login,
        full_name=full_name,
        role=role,
        created_by=by,
        password_hash=passwords.hashed(password),
    )
    return made, password


def reset_password(wh: Warehouse, login: str, by: str) -> str:
    """Give an account a one-time password.

    Raises:
        NotFound: there is no such account.
    """
    password = passwords.one_time()
    accounts.set_password(
        wh, known(wh, login).login, passwords.hashed(password), by=by, must_change=True
    )
    return password


def known(wh: Warehouse, login: str) -> Account:
    """An account.

    Raises:
        NotFound: there is none with this login.
    """
    found = accounts.find(wh, login)
    if found is None:
        raise NotFound(N_("There is no such account."))
    return found
