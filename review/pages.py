"""Pages: templates in the reader's language, with what every page needs.

What belongs here: the template environments, and how a route makes a page, a
redirect with a word for the next page, and words in the reader's language.
"""

import zoneinfo
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import Depends
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from onefold.errors import AccountError, OnefoldError, WarehouseError
from review.language import LANGUAGES, N_, NAMES, preferred, translations
from review.language.formats import Formats
from review.policy import ReviewPolicy
from review.presenters import masking
from review.presenters.rule_words import rule_words
from review.security import caller as callers
from review.security.cookies import Cookies
from review.security.key import Key
from warehouse import judgements, second_reviews
from warehouse.engine import Warehouse

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
THEMES = ("light", "dark")
_OF_ADDRESSES = ":/%#?=@[]!$&'()*+,;"
"""What stays as it is in an address, as in other redirects; a header holds ASCII only."""
ROLE_NAMES: Mapping[str, str] = {
    "viewer": N_("viewer"),
    "steward": N_("steward"),
    "admin": N_("admin"),
}


def environment(language: str, zone: zoneinfo.ZoneInfo) -> Environment:
    """The template environment of a language."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    formats = Formats(language, zone)
    said = translations(language)

    def counted(one: str, many: str, count: int) -> str:
        return said.ngettext(one, many, count).replace("%(num)s", formats.number(count))

    made.install_gettext_callables(said.gettext, counted, newstyle=True)  # type: ignore[attr-defined]
    made.policies["ext.i18n.trimmed"] = True
    for name in ("moment", "day", "ago", "number", "share"):
        made.filters[name] = getattr(formats, name)
    made.filters["short"] = short
    made.globals["static"] = static_url
    made.globals["language_names"] = NAMES
    made.globals["rule_words"] = lambda rule: rule_words(rule, language)
    made.globals["role_name"] = lambda role: translations(language).gettext(ROLE_NAMES[role])
    return made


def short(record: str, most: int = 18) -> str:
    """A record's or customer's id for a narrow place: a long one without its end.

    >>> short("erp:1001"), short("excel:51c41824268419df74d1a341e9d70893")
    ('erp:1001', 'excel:51c4182426…')
    """
    return record if len(record) <= most else f"{record[: most - 2]}…"


def environments(zone: zoneinfo.ZoneInfo) -> dict[str, Environment]:
    """One environment per language."""
    return {language: environment(language, zone) for language in LANGUAGES}


@cache
def static_url(name: str) -> str:
    """URL of a file in static/; it changes with the file, so that browsers fetch it anew."""
    return f"/static/{name}?v={int((STATIC / name).stat().st_mtime):x}"


def language_of(request: Request) -> str:
    """The reader's language: of the account, else the cookie, else as the browser asks."""
    caller = callers.of(request)
    if caller and caller.account.language in LANGUAGES:
        return caller.account.language
    chosen = request.cookies.get(_cookies(request).language)
    if chosen in LANGUAGES:
        return chosen
    return preferred(request.headers.get("accept-language", ""))


def say(request: Request, text: str, **values: object) -> str:
    """A marked text in the reader's language, with its values put in."""
    words = translations(language_of(request)).gettext(text)
    return words % values if values else words


def explain(request: Request, error: OnefoldError) -> str:
    """What an error says is wrong and what to do, as sentences in the reader's language.

    Chinese leaves out where it happened and what was found: the page knows where, and both are
    English.
    """
    if language_of(request) != "zh":
        words = f"{error.what[:1].upper()}{error.what[1:]}."
        return words if isinstance(error, AccountError) else str(error)
    said = [say(request, text) for text in (error.what, error.do) if text]
    return "".join(one if one.endswith(("。", "？")) else f"{one}。" for one in said)


def render(request: Request, template: str, /, status: int = 200, **values: Any) -> HTMLResponse:
    """A page.

    Args:
        request: the request that asks for it.
        template: path below templates/.
        status: HTTP status.
        values: what the template shows.

    Every template also sees ``me`` (the caller or None), ``csrf_token``, ``language``,
    ``theme``, ``path``, ``waits`` (what waits for the caller, by path), ``free`` (what stewards
    wrote, as the caller may see it), ``flash`` (text, kind and undo, or None) and the filters of
    language/formats.py.
    """
    state = request.app.state
    cookies = _cookies(request)
    language = language_of(request)
    flash = state.key.unseal("flash", request.cookies.get(cookies.flash, ""))
    theme = request.cookies.get(cookies.theme, "")
    html = (
        state.environments[language]
        .get_template(template)
        .render(
            me=callers.of(request),
            csrf_token=request.state.csrf_token,
            language=language,
            theme=theme if theme in THEMES else "",
            path=request.url.path,
            here=here(request),
            parts=state.parts,
            waits=_waits(request),
            free=_free(request),
            flash=flash,
            policy=state.policy,
            **values,
        )
    )
    page = HTMLResponse(html, status)
    page.headers["Vary"] = "Cookie, Accept-Language, HX-Request"
    if flash is not None:
        cookies.drop(page, cookies.flash)
    return page


def _free(request: Request) -> Callable[[str], str]:
    """Gives what stewards wrote in their own words as the caller may see it."""
    caller = callers.of(request)
    may_see_all = caller is not None and caller.may("steward")
    return lambda text: masking.words(text, may_see_all)


def _waits(request: Request) -> dict[str, int]:
    """What waits for the caller, by the path of the page where it is found."""
    caller = callers.of(request)
    if caller is None or not caller.may("steward"):
        return {}
    wh, login = _warehouse(request), caller.login
    try:
        return {
            "/judgements": judgements.waiting(wh, login),
            "/second": second_reviews.waiting(wh, login),
        }
    except WarehouseError:  # the page that says so must still come
        return {}


def redirect(
    request: Request,
    to: str,
    text: str = "",
    *,
    kind: str = "done",
    values: Mapping[str, object] | None = None,
    undo: str = "",
) -> Response:
    """Lead to another page of ours, which says the text (marked with N_).

    Args:
        request: the request.
        to: path to go to.
        text: what the page shall say first.
        kind: done or problem.
        values: what to put into the text.
        undo: path of the page where it can be taken back; the word links to it.
    """
    answer: Response
    if request.headers.get("hx-request"):
        answer = Response(status_code=204, headers={"HX-Redirect": quote(to, safe=_OF_ADDRESSES)})
    else:
        answer = RedirectResponse(to, status_code=303)
    if text:
        said = {"kind": kind, "text": say(request, text, **dict(values or {})), "undo": undo}
        cookies = _cookies(request)
        cookies.set(answer, cookies.flash, request.app.state.key.seal("flash", said, 60), 60)
    return answer


def here(request: Request) -> str:
    """Path and query of the page that is asked for; of the page above it where it is a write."""
    path = request.url.path if request.method == "GET" else nearest(request, request.url.path)
    query = f"?{request.url.query}" if request.url.query else ""
    return own_path(path + query)


def back(request: Request) -> str:
    """The page of ours that led here, else the first page."""
    base = str(request.base_url).rstrip("/")
    referrer = request.headers.get("hx-current-url") or request.headers.get("referer", "")
    ours = referrer.removeprefix(base) if referrer.startswith(f"{base}/") else "/"
    path, mark, query = ours.partition("?")
    path = nearest(request, path)
    return own_path(path + mark + query if path != request.url.path else "/")


def nearest(request: Request, path: str) -> str:
    """The path if a page answers it, else the nearest one above it that does.

    What takes writes only stands below the page that it is about: ``/cases/C1/judge``.
    """
    while path != "/":
        asked = {"type": "http", "method": "GET", "path": unquote(path), "root_path": ""}
        if any(route.matches(asked)[0] is Match.FULL for route in request.app.routes):
            return path
        path = path.rpartition("/")[0] or "/"
    return path


def own_path(path: str, otherwise: str = "/") -> str:
    """The path if it leads to a page of ours, else another one.

    >>> own_path("/cases?band=4"), own_path("//elsewhere.example"), own_path("https://x.example")
    ('/cases?band=4', '/', '/')
    """
    ours = path.startswith("/") and not path.startswith("//")
    return path if ours and path.isprintable() and "\\" not in path else otherwise


def _cookies(request: Request) -> Cookies:
    cookies: Cookies = request.app.state.cookies
    return cookies


def _warehouse(request: Request) -> Warehouse:
    warehouse: Warehouse = request.app.state.warehouse
    return warehouse


def _policy(request: Request) -> ReviewPolicy:
    policy: ReviewPolicy = request.app.state.policy
    return policy


def _key(request: Request) -> Key:
    key: Key = request.app.state.key
    return key


Stores = Annotated[Warehouse, Depends(_warehouse)]
"""Parameter of a route: the open warehouse."""
Policy = Annotated[ReviewPolicy, Depends(_policy)]
"""Parameter of a route: section ``review`` of onefold.yml."""
SealingKey = Annotated[Key, Depends(_key)]
"""Parameter of a route: the deployment's key."""
