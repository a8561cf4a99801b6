"""Which role a route asks for. A route that does not say it does not start.

A route says it by the type of a parameter (``caller: Steward``), or in its
decorator (``dependencies=[needs("steward")]``); ``Anyone`` is for the few pages
before the login.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount

from review.errors import LoginNeeded, PasswordNeeded, RoleNeeded
from review.security import caller as callers
from review.security.caller import Caller
from warehouse.accounts import Role

OWN_PAGES = ("/me", "/logout", "/preferences")
"""What somebody may open whose password must be changed first."""


class Needs:
    """Lets a request pass whose caller has a role; a dependency of routes.

    Attributes:
        role: the least role; None: nobody needs to be logged in.
    """

    def __init__(self, role: Role | None) -> None:
        self.role = role

    def __call__(self, request: Request) -> Caller | None:
        """The caller.

        Raises:
            LoginNeeded: nobody is logged in.
            PasswordNeeded: the password must be changed first.
            RoleNeeded: the caller's role is not enough.
        """
        caller = callers.of(request)
        if self.role is None:
            return caller
        if caller is None:
            raise LoginNeeded
        if caller.account.must_change_password and request.url.path not in OWN_PAGES:
            raise PasswordNeeded
        if not caller.may(self.role):
            raise RoleNeeded(self.role)
        return caller


def needs(role: Role) -> Any:
    """What a route declares whose callers need at least this role."""
    return Depends(Needs(role))


public = Depends(Needs(None))
"""What a route declares that needs no login."""

Viewer = Annotated[Caller, needs("viewer")]
Steward = Annotated[Caller, needs("steward")]
Admin = Annotated[Caller, needs("admin")]
Anyone = Annotated[Caller | None, public]


def declared(route: APIRoute) -> Needs | None:
    """What a route asks for; None: it does not say it."""
    found = [call for call in _calls(route.dependant) if isinstance(call, Needs)]
    return found[0] if len(found) == 1 else None


def _calls(dependant: Dependant) -> Iterator[object]:
    for one in dependant.dependencies:
        yield one.call
        yield from _calls(one)


def require_declared(routes: Iterable[BaseRoute], folders: tuple[str, ...]) -> None:
    """Refuse routes that anybody could call by oversight.

    Args:
        routes: the app's routes.
        folders: paths of the mounted folders with public files.

    Raises:
        TypeError: a route does not declare one role, or is none of ours.
    """
    for route in routes:
        if isinstance(route, APIRoute):
            if declared(route) is None:
                raise TypeError(f"route {route.path} ({route.name}) must declare one role")
        elif not (isinstance(route, Mount) and route.path in folders):
            raise TypeError(f"route {route} cannot be checked for the role it needs")
