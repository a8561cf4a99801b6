"""One's own things: language, light or dark, password."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from onefold.errors import AccountError
from review import pages
from review.errors import Refused
from review.language import LANGUAGES, N_
from review.pages import THEMES, Policy, Stores
from review.security import passwords
from review.security.roles import Anyone, Viewer
from warehouse import accounts

router = APIRouter(include_in_schema=False)

_YEAR = 365 * 24 * 3600


@router.get("/me")
def me(request: Request, caller: Viewer) -> Response:
    """The page of one's own account."""
    return pages.render(request, "me.html", problem="")


@router.post("/me")
def change_password(
    request: Request,
    caller: Viewer,
    wh: Stores,
    policy: Policy,
    current: Annotated[str, Form(max_length=2000)] = "",
    new: Annotated[str, Form(max_length=2000)] = "",
    again: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Change the own password; all other sessions of the account end."""
    problem = ""
    if not passwords.matches(accounts.password_hash(wh, caller.login), current):
        problem = N_("The current password is not right.")
    elif new != again:
        problem = N_("The new password was not typed alike twice.")
    elif new == current:
        problem = N_("The new password is the old one.")
    else:
        try:
            passwords.require_good(new, caller.login, policy.password_length)
        except AccountError as error:
            return _refused(request, pages.explain(request, error))
    if problem:
        return _refused(request, pages.say(request, problem))
    accounts.set_password(
        wh,
        caller.login,
        passwords.hashed(new),
        by=caller.login,
        must_change=False,
        keep_session=caller.session_hash,
    )
    return pages.redirect(request, "/", N_("Your password is changed."))


def _refused(request: Request, problem: str) -> Response:
    return pages.render(request, "me.html", status=422, problem=problem)


@router.post("/preferences")
def preferences(
    request: Request,
    caller: Anyone,
    wh: Stores,
    language: Annotated[str, Form(max_length=10)] = "",
    theme: Annotated[str, Form(max_length=10)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Choose language, or light or dark; kept in the account or in the browser."""
    cookies = request.app.state.cookies
    answer = pages.redirect(request, pages.own_path(next))
    if language:
        if language not in LANGUAGES:
            raise Refused(422, N_("There is no such language."))
        if caller is not None:
            accounts.set_language(wh, caller.login, language)
        cookies.set(answer, cookies.language, language, _YEAR)
    if theme in THEMES:
        cookies.set(answer, cookies.theme, theme, _YEAR)
    elif theme:
        cookies.drop(answer, cookies.theme)
    return answer
