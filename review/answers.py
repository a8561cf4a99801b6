"""What a refused request gets: a page in plain words, or for the API a problem (RFC 9457)."""

import logging
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from onefold.errors import AccountError, CaseTaken, DecisionConflict, NotThere, OnefoldError
from review import pages, problems
from review.errors import (
    SAYS,
    TEXTS,
    TITLES,
    TOO_LONG,
    LoginNeeded,
    PasswordNeeded,
    Refused,
    Throttled,
    status_of,
)
from review.language import N_
from review.presenters.queue import STATE_NAMES
from review.security import headers

log = logging.getLogger("onefold.review")

API = "/api/"


def answer(request: Request, error: Exception) -> Response:
    """The answer to a request that ended with an expected error."""
    is_page = not request.url.path.startswith(API)
    if isinstance(error, LoginNeeded) and is_page:
        return _lead(request, f"/login?next={quote(_here(request))}")
    if isinstance(error, PasswordNeeded) and is_page:
        return _lead(request, "/me")
    if isinstance(error, DecisionConflict) and is_page:
        page = _conflict(request, error)
        if page is not None:
            return page
    status, text, detail = _said(request, error)
    title = pages.say(request, TITLES.get(status, TITLES[500]))
    if is_page:
        back = pages.back(request)
        return pages.render(
            request,
            "errors/error.html",
            status=status,
            code=status,
            title=title,
            text=text,
            detail=detail,
            back=back,
        )
    more = error.headers if isinstance(error, HTTPException) else None
    if isinstance(error, Throttled):
        more = {"Retry-After": str(error.seconds)}
    return problems.answer(status, title, text or detail, error, more)


def _conflict(request: Request, error: DecisionConflict) -> Response | None:
    """The page of a decision that others stand against, or that somebody else made first."""
    if isinstance(error, CaseTaken):
        asked = f"?{request.url.query}" if request.url.query else ""
        on = f"/cases/next{asked}" if request.url.path.startswith("/cases/") else "/cases"
        return pages.render(
            request,
            "errors/taken.html",
            409,
            error=error,
            on=pages.own_path(on),
            states=STATE_NAMES,
        )
    if error.chain:
        return pages.render(
            request, "errors/conflict.html", 409, error=error, back=pages.back(request), says=SAYS
        )
    return None


def _said(request: Request, error: Exception) -> tuple[int, str, str]:
    """Status, what is said in the reader's language, and what is said in English only."""
    match error:
        case Refused():
            return error.status, pages.say(request, error.text, **error.values), ""
        case CaseTaken():
            said = N_("Somebody was first. Look at it again.")
            if error.state == "settled":
                said = N_("The case is settled and has left the queue.")
            return 409, pages.say(request, said), ""
        case AccountError() | DecisionConflict() | NotThere():
            return status_of(error), pages.explain(request, error), ""
        case OnefoldError():
            return status_of(error), "", str(error)
        case RequestValidationError():
            wrong, said = error.errors(), ""
            if all(one["type"] == "string_too_long" for one in wrong):
                most = min(one["ctx"]["max_length"] for one in wrong)
                said = pages.say(request, TOO_LONG, most=most)
            return 422, said, ", ".join(problems.places(error))
        case HTTPException():
            text = TEXTS.get(error.status_code)
            if text:
                return error.status_code, pages.say(request, text), ""
            return error.status_code, "", error.detail
        case _:
            return 500, pages.say(request, TEXTS[500]), ""


def _here(request: Request) -> str:
    """Where to go after the login: the page that was asked for."""
    if request.headers.get("hx-request"):
        return pages.back(request)
    if request.method != "GET":
        return "/"
    query = f"?{request.url.query}" if request.url.query else ""
    return pages.own_path(request.url.path + query)


def _lead(request: Request, to: str) -> Response:
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": to})
    return RedirectResponse(to, status_code=303)


async def _expected(request: Request, error: Exception) -> Response:
    if isinstance(error, OnefoldError) and status_of(error) >= 500:
        log.error("%s", error)
    return answer(request, error)


async def _unexpected(request: Request, error: Exception) -> Response:
    # What the error says may hold a customer's values; where it happened does not.
    log.error("%s in %s %s", type(error).__name__, request.method, _pattern(request))
    made = answer(request, error)
    # This answer is made outside of the guard.
    for name, value in {**headers.ALWAYS, "Cache-Control": headers.PAGE_CACHE}.items():
        made.headers.setdefault(name, value)
    return made


def _pattern(request: Request) -> str:
    """The route's path with its placeholders: the path itself may hold values."""
    return str(getattr(request.scope.get("route"), "path", "an unknown route"))


def install(app: FastAPI) -> None:
    """Let the app answer errors like this."""
    for kind in (Refused, OnefoldError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _expected)
    app.add_exception_handler(Exception, _unexpected)
