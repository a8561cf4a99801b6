"""The web app put together: settings, guard, routes and errors; nothing else.

The routes are plain entries of the app's router, so that one walk sees them
all: each must declare the role it needs.
"""

import zoneinfo
from datetime import timedelta
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware import Middleware

from onefold import __version__
from onefold.errors import ConfigError
from onefold.settings import Settings
from review import answers, pages, routes
from review.policy import ReviewPolicy
from review.security import key as keys
from review.security import roles
from review.security.cookies import Cookies
from review.security.guard import STATIC, Guard
from review.security.openid import Provider
from warehouse import engine
from warehouse.engine import Warehouse

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this machine for itself."""


def create_app(settings: Settings, warehouse: Warehouse | None = None) -> FastAPI:
    """The app of a deployment.

    Args:
        settings: the deployment.
        warehouse: its open warehouse; opened if not given. Whoever gave it closes it.

    Returns:
        an ASGI app. Its state holds settings, policy, warehouse, key, cookies.

    Raises:
        ConfigError: section ``review`` of onefold.yml is wrong.
        WarehouseError: a store is missing, not up to date, or cannot be reached.
        TypeError: a route does not declare the role it needs.
    """
    policy = ReviewPolicy.read(settings.sections.get("review"))
    key = keys.load(settings.home)
    cookies = Cookies(secure=needs_https(policy))
    stores = warehouse or engine.connect(settings)
    app = FastAPI(
        title="Onefold",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(
                Guard,
                warehouse=stores,
                key=key,
                cookies=cookies,
                idle=timedelta(minutes=policy.idle_minutes),
                hosts=hosts(policy),
                refuse=answers.answer,
            )
        ],
    )
    app.state.settings = settings
    app.state.policy = policy
    app.state.warehouse = stores
    app.state.key = key
    app.state.cookies = cookies
    app.state.openid = Provider(policy.openid) if policy.openid else None
    app.state.zone = _zone(settings)
    app.state.environments = pages.environments(app.state.zone)
    answers.install(app)
    app.mount(STATIC, StaticFiles(directory=pages.STATIC), name="static")
    for router in routes.ROUTERS:
        app.router.routes.extend(router.routes)
    app.state.parts = frozenset(getattr(route, "path", "") for route in app.routes)
    roles.require_declared(app.routes, (STATIC,))
    return app


def needs_https(policy: ReviewPolicy) -> bool:
    """Whether browsers reach the app over https, or should."""
    if policy.secure_cookies == "always" or policy.certificate:
        return True
    if policy.address:
        return policy.address.startswith("https://")
    return policy.host not in LOCAL


def hosts(policy: ReviewPolicy) -> frozenset[str]:
    """Names under which browsers may ask for pages; empty where they cannot be known."""
    if policy.host not in LOCAL and not policy.address:
        return frozenset()
    named = {urlsplit(policy.address).hostname} if policy.address else set()
    return LOCAL | {name for name in named if name}


def _zone(settings: Settings) -> zoneinfo.ZoneInfo:
    name = str(settings.sections.get("timezone") or "UTC")
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            "onefold.yml, timezone", "there is no such time zone", found=name
        ) from error
