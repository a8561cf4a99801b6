"""Logging in through an OpenID Connect provider: there and back."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from onefold.errors import AccountError
from review import pages
from review.errors import NotFound, Refused
from review.language import N_
from review.pages import Policy, SealingKey, Stores
from review.policy import OpenID
from review.security import sessions
from review.security.openid import Begun, LoginRefused, Provider, claim
from review.security.roles import Anyone
from warehouse import accounts, audit
from warehouse.accounts import ROLES, Account, Role
from warehouse.engine import Warehouse

log = logging.getLogger("onefold.review")

router = APIRouter(prefix="/openid", include_in_schema=False)

CALLBACK = "/openid/callback"
_MINUTES = 10


@router.get("")
def begin(
    request: Request,
    caller: Anyone,
    policy: Policy,
    key: SealingKey,
    next: Annotated[str, Query(max_length=2000)] = "/",
) -> Response:
    """Send the browser to the provider."""
    base = policy.address or str(request.base_url).rstrip("/")
    url, begun = _provider(request).begin(base + CALLBACK, pages.own_path(next))
    answer = RedirectResponse(url, status_code=303)
    cookies = request.app.state.cookies
    seconds = _MINUTES * 60
    cookies.set(answer, cookies.openid, key.seal("openid", begun.plain(), seconds), seconds)
    return answer


@router.get("/callback")
def finish(
    request: Request,
    caller: Anyone,
    wh: Stores,
    policy: Policy,
    key: SealingKey,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=5000)] = "",
) -> Response:
    """Begin a session for the person whom the provider sent back."""
    provider = _provider(request)
    cookies = request.app.state.cookies
    remembered = key.unseal("openid", request.cookies.get(cookies.openid, ""))
    try:
        if remembered is None:
            raise LoginRefused("cookie")
        begun = Begun(**remembered)
        claims = provider.finish(begun, state, code)
        known = account_of(wh, provider.settings, claims)
    except Refused as error:
        log.warning("a login through OpenID Connect was refused: %s", getattr(error, "what", ""))
        audit.note(wh, audit.NOBODY, "login_refused", "account", None, {"by": "openid"})
        raise
    answer = RedirectResponse(begun.next, status_code=303)
    lifetime = timedelta(hours=policy.session_hours)
    sessions.start(request, answer, wh, known.login, lifetime, "login_openid")
    cookies.drop(answer, cookies.openid)
    return answer


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.openid
    if provider is None:
        raise NotFound
    return provider


def account_of(wh: Warehouse, settings: OpenID, claims: Mapping[str, Any]) -> Account:
    """The account of a person: made at the first login, its role as the claims say now.

    An account that was made here is never taken over by a name at the provider.

    Raises:
        Refused: their claims give them no role, the account is switched off, or the login
            belongs to somebody else.
        WarehouseError: the database refuses.
    """
    role = role_of(settings, claims)
    if role is None:
        raise Refused(403, N_("The login provider gives you no role here. Ask an admin."))
    subject = f"{settings.issuer} {claims['sub']}"
    known = accounts.by_subject(wh, subject)
    if known is None:
        login = claim(claims, settings.login_claim)
        try:
            return accounts.add(
                wh,
                str(login or ""),
                full_name=str(claims.get("name") or ""),
                role=role,
                created_by="openid",
                subject=subject,
            )
        except AccountError as error:
            raise Refused(
                403, N_("Your login at the provider cannot be used here. Ask an admin.")
            ) from error
    if not known.is_active:
        raise Refused(403, N_("Your account is switched off."))
    if settings.role_claim and known.role != role:
        try:
            accounts.set_role(wh, known.login, role, by="openid")
        except AccountError as error:
            log.warning("%s", error)  # the last admin stays admin
    return known


def role_of(settings: OpenID, claims: Mapping[str, Any]) -> Role | None:
    """The highest role that the claims give; None: they are not let in."""
    said = claim(claims, settings.role_claim) if settings.role_claim else None
    values = said if isinstance(said, list) else [said]
    found = [
        settings.roles[one] for one in values if isinstance(one, str) and one in settings.roles
    ]
    if not found:
        return settings.default_role
    return max(found, key=ROLES.index)
