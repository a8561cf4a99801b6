"""Section ``review:`` of onefold.yml: how the web app is served, guarded and asked for help.

Secrets stand in the environment: ``${NAME}`` in a value is replaced from it.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from onefold.settings import expand_environment, validated
from warehouse.accounts import Role
from warehouse.judgements import Terms


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OpenID(_Section):
    """Section ``review: openid:``: log in through an OpenID Connect provider."""

    issuer: str = Field(pattern=r"^https?://")
    """URL of the provider; its configuration is at /.well-known/openid-configuration."""
    client_id: str = Field(min_length=1)
    """Name under which the provider knows this deployment."""
    client_secret: str = Field(default="", repr=False)
    """What the provider gave with it, as ${NAME}; empty for a public client."""
    name: str = "OpenID"
    """What the button on the login page calls the provider."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    """What is asked for."""
    login_claim: str = "preferred_username"
    """Claim that becomes the login of a new account."""
    role_claim: str = ""
    """Claim with roles or groups, dots for nesting; empty: everybody has default_role."""
    roles: dict[str, Role] = {}
    """Value of the claim → viewer, steward or admin; the highest counts, at every login."""
    default_role: Role | None = None
    """Role of those whose claim names none; null: they are not let in."""


class Throttle(_Section):
    """Section ``review: throttle:``: how failed logins slow down."""

    free: int = Field(default=5, ge=1)
    """Failures of a login in a day that cost no wait."""
    free_per_address: int = Field(default=30, ge=1)
    """The same for an address, where many people may sit behind one."""
    first_seconds: float = Field(default=2.0, gt=0)
    """Wait after the first failure that costs one; doubles with each further one."""
    longest_seconds: float = Field(default=900.0, gt=0)
    """No wait is longer."""


class ReviewPolicy(_Section):
    """The section ``review`` of onefold.yml; every field has a sensible default."""

    host: str = "127.0.0.1"
    """Address to listen on; another than this machine only with --open."""
    port: int = Field(default=3001, ge=1, le=65535)
    """Port to listen on."""
    address: str = Field(default="", pattern=r"^(https?://[^/]+/?)?$")
    """Where browsers find the app, as https://crm.example.com; needed behind a proxy."""
    proxy: str = ""
    """Address of a proxy in front, whose X-Forwarded-* headers are believed."""
    certificate: str = ""
    """File with the TLS certificate (PEM), to serve https without a proxy."""
    private_key: str = ""
    """File with its key (PEM)."""
    secure_cookies: Literal["auto", "always"] = "auto"
    """Cookies for https only: auto leaves that out on plain http at 127.0.0.1."""
    session_hours: float = Field(default=12.0, gt=0)
    """A session ends after this time at the latest."""
    idle_minutes: float = Field(default=60.0, gt=0)
    """A session ends when it was not used for this time."""
    password_length: int = Field(default=10, ge=8)
    """Characters that a password has at least."""
    throttle: Throttle = Throttle()
    """How failed logins slow down."""
    openid: OpenID | None = None
    """Log in through an OpenID Connect provider; null: local accounts only."""
    second_person_above: float | None = Field(default=None, ge=0.0)
    """Expected cost of a judgement above which a second person must approve; null: never."""
    blind_share: float = Field(default=0.02, ge=0.0, le=1.0)
    """Share of judgements that are judged again by somebody who does not see the first."""

    @property
    def terms(self) -> Terms:
        """What judging asks for beyond one steward's word."""
        return Terms(self.second_person_above, self.blind_share)

    @field_validator("address")
    @classmethod
    def _bare(cls, value: str) -> str:
        return value.rstrip("/")

    @classmethod
    def read(cls, section: Mapping[str, Any] | None) -> "ReviewPolicy":
        """The settings in the section ``review`` of onefold.yml.

        Raises:
            ConfigError: a setting is unknown or out of its range, or the environment lacks a
                variable that it names.
        """
        return validated(cls, _expanded(section, "onefold.yml, review"), "review")


def _expanded(value: Any, where: str) -> Any:
    """The value with every ${NAME} in its texts replaced."""
    if isinstance(value, str):
        return expand_environment(value, where)
    if isinstance(value, Mapping):
        return {key: _expanded(one, f"{where}.{key}") for key, one in value.items()}
    if isinstance(value, list):
        return [_expanded(one, where) for one in value]
    return value
