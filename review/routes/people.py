"""Accounts: who may use the app and as what. For admins."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from onefold.errors import AccountError
from review import deciding, pages
from review.language import N_
from review.pages import Stores
from review.security.roles import Admin
from warehouse import accounts
from warehouse.engine import Warehouse

router = APIRouter(prefix="/people", include_in_schema=False)


@router.get("")
def people(request: Request, caller: Admin, wh: Stores) -> Response:
    """Every account, and the form for a new one."""
    return _page(request, wh)


@router.post("")
def add(
    request: Request,
    caller: Admin,
    wh: Stores,
    login: Annotated[str, Form(max_length=200)] = "",
    full_name: Annotated[str, Form(max_length=200)] = "",
    role: Annotated[str, Form(max_length=20)] = "steward",
) -> Response:
    """Make an account; its one-time password is shown on this one answer only."""
    try:
        made, password = deciding.add_account(wh, login, full_name, role, caller.login)
    except AccountError as error:
        form = {"login": login, "full_name": full_name, "role": role}
        return _page(request, wh, problem=pages.explain(request, error), form=form, status=422)
    return _page(request, wh, shown={"login": made.login, "password": password})


@router.post("/{login}/role")
def set_role(
    request: Request,
    caller: Admin,
    wh: Stores,
    login: str,
    role: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Give an account another role."""
    accounts.set_role(wh, deciding.known(wh, login).login, role, by=caller.login)
    return pages.redirect(request, "/people", N_("The role is changed."))


@router.post("/{login}/active")
def set_active(
    request: Request,
    caller: Admin,
    wh: Stores,
    login: str,
    active: Annotated[bool, Form()] = False,
) -> Response:
    """Switch an account on or off."""
    accounts.set_active(wh, deciding.known(wh, login).login, active, by=caller.login)
    text = N_("The account may log in.") if active else N_("The account is switched off.")
    return pages.redirect(request, "/people", text)


@router.post("/{login}/password")
def reset_password(request: Request, caller: Admin, wh: Stores, login: str) -> Response:
    """Give an account a one-time password; it is shown on this one answer only."""
    password = deciding.reset_password(wh, login, caller.login)
    return _page(request, wh, shown={"login": login, "password": password})


def _page(
    request: Request,
    wh: Warehouse,
    *,
    shown: dict[str, str] | None = None,
    problem: str = "",
    form: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    return pages.render(
        request,
        "people/list.html",
        status=status,
        accounts=accounts.everybody(wh),
        roles=accounts.ROLES,
        shown=shown,
        problem=problem,
        form=form or {"login": "", "full_name": "", "role": "steward"},
    )
