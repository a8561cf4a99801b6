"""Who sends a request, as the routes see it."""

from dataclasses import dataclass

from starlette.requests import Request

from warehouse.accounts import ROLES, Account, Role


@dataclass(frozen=True)
class Caller:
    """Somebody who is logged in.

    Attributes:
        account: their account.
        session_hash: hash of the token in their cookie.
        csrf_token: what their writes must bring.
    """

    account: Account
    session_hash: str
    csrf_token: str

    @property
    def login(self) -> str:
        """The name they log in with; kept with what they do."""
        return self.account.login

    @property
    def role(self) -> Role:
        """viewer, steward or admin."""
        return self.account.role

    def may(self, role: Role) -> bool:
        """Whether their role includes this one."""
        return ROLES.index(self.role) >= ROLES.index(role)


def of(request: Request) -> Caller | None:
    """The caller of a request, as the guard found it; None: nobody is logged in."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return caller
