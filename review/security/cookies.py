"""Names and attributes of our cookies.

``__Host-`` cookies are for https, this host and all paths: no other host of the
domain can set them. On plain http at 127.0.0.1 they cannot be set, so the names
lose the prefix there.

Source: RFC 6265bis 4.1.3.2.
"""

from dataclasses import dataclass

from starlette.responses import Response


@dataclass(frozen=True)
class Cookies:
    """The cookies of a deployment.

    Attributes:
        secure: whether browsers shall send them over https only.
    """

    secure: bool

    def _name(self, name: str) -> str:
        return f"__Host-onefold-{name}" if self.secure else f"onefold-{name}"

    @property
    def session(self) -> str:
        """Holds the token of who is logged in."""
        return self._name("session")

    @property
    def visit(self) -> str:
        """Random; the CSRF token before the login is made from it."""
        return self._name("visit")

    @property
    def openid(self) -> str:
        """What a login through OpenID Connect remembers on its way; sealed."""
        return self._name("openid")

    @property
    def flash(self) -> str:
        """What the next page shall say; sealed."""
        return self._name("flash")

    @property
    def language(self) -> str:
        """zh or en, for before the login."""
        return self._name("language")

    @property
    def theme(self) -> str:
        """light or dark; none: as the system."""
        return self._name("theme")

    def set(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        """Give a browser a cookie; without seconds until it is closed."""
        response.headers.append("Set-Cookie", self.line(name, value, seconds))

    def drop(self, response: Response, name: str) -> None:
        """Take a cookie back."""
        response.headers.append("Set-Cookie", self.line(name, "", 0))

    def line(self, name: str, value: str, seconds: int | None = None) -> str:
        """The Set-Cookie line."""
        parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
        if seconds is not None:
            parts.append(f"Max-Age={seconds}")
        if self.secure:
            parts.append("Secure")
        return "; ".join(parts)
