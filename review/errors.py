"""What a request is refused with, and how it is said: a page, or a problem of the API.

Nothing here names a customer's values.
"""

from collections.abc import Mapping

from onefold.errors import AccountError, DecisionConflict, NotThere, OnefoldError, WarehouseError
from review.language import N_
from warehouse.accounts import Role


class Refused(Exception):
    """A request is refused for a reason that the sender can understand.

    Args:
        status: HTTP status.
        text: why, marked with N_; ``%(name)s`` for values.
        values: what to put in.
    """

    def __init__(self, status: int, text: str, **values: object) -> None:
        self.status, self.text, self.values = status, text, values
        super().__init__(status, text)


class Throttled(Refused):
    """Too many attempts: wait so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(429, N_("Wait %(seconds)s seconds."), seconds=seconds)
        self.seconds = seconds


class NotFound(Refused):
    """There is no such thing, or no longer."""

    def __init__(self, text: str = N_("There is no such page."), **values: object) -> None:
        super().__init__(404, text, **values)


class LoginNeeded(Refused):
    """Nobody is logged in: pages lead to the login."""

    def __init__(self) -> None:
        super().__init__(401, N_("Log in first."))


class PasswordNeeded(Refused):
    """The password must be changed first: pages lead there."""

    def __init__(self) -> None:
        super().__init__(403, N_("Change the password that you were given first."))


class RoleNeeded(Refused):
    """The caller's role is not enough."""

    def __init__(self, role: Role) -> None:
        super().__init__(403, N_("Your role does not allow this."))
        self.role = role


class CsrfMissing(Refused):
    """A write did not bring the session's token: it may come from another site."""

    def __init__(self) -> None:
        super().__init__(
            403,
            N_("This form is out of date or was not opened here. Go back, reload and try again."),
        )


TITLES: Mapping[int, str] = {
    400: N_("This was not understood"),
    401: N_("Log in first"),
    403: N_("This is not allowed"),
    404: N_("There is nothing here"),
    405: N_("This was not understood"),
    409: N_("This cannot be done as things stand"),
    413: N_("This is too large"),
    422: N_("Something is missing or wrong"),
    429: N_("Too many attempts"),
    500: N_("Something broke here"),
    502: N_("Another system does not answer"),
    503: N_("The database does not answer"),
}
"""Heading of the page for a status."""

TEXTS: Mapping[int, str] = {
    404: N_("The page does not exist, or what it showed is gone since."),
    405: N_("The address cannot be used like this."),
    500: N_("The mistake is on our side and was noted in the log. Nothing was changed."),
}
"""What is said where nothing more is known."""


TOO_LONG = N_("A text is too long: at most %(most)s characters.")

SAYS: Mapping[str, str] = {
    "link": N_("are one customer"),
    "no_link": N_("are different customers"),
    "override": N_("a value was set"),
}
"""What an earlier decision says."""


def status_of(error: OnefoldError) -> int:
    """The HTTP status for an expected error."""
    match error:
        case DecisionConflict():
            return 409
        case AccountError():
            return 422
        case NotThere():
            return 404
        case WarehouseError():
            return 503
        case _:
            return 500
