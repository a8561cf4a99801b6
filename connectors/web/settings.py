"""The ``api:`` section of a source: how a web API is asked.

What belongs here: the settings and the sentences about wrong ones. Where the API is
(``url``), what its columns mean and what its key is, is said as for every source.
"""

from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

Kind = Literal["rest", "odata", "salesforce", "hubspot"]

_ONLY_FOR: dict[str, tuple[Kind, ...]] = {
    "object": ("salesforce", "hubspot"),
    "version": ("salesforce",),
    "filter": ("odata", "salesforce"),
    "records": ("rest",),
    "total": ("rest",),
    "paging": ("rest",),
    "since": ("rest",),
    "changes": ("rest",),
    "deletions": ("rest",),
    "created": ("odata",),
}


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Auth(_Section):
    """Who asks. One of: a client of OAuth2, user and password, a bearer token, a key."""

    token_url: str = ""
    """OAuth2 client credentials: where a token is fetched."""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    scope: str = ""
    client_in: Literal["body", "header"] = "body"
    """Where id and secret stand when a token is fetched."""
    token_parameters: dict[str, str] = {}
    """What else a token is asked for with, such as ``resource`` or ``audience``."""
    user: str = ""
    password: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")
    """A lasting bearer token."""
    key: SecretStr = SecretStr("")
    """An API key, sent as ``header`` or as ``parameter``."""
    header: str = ""
    parameter: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = {
            "client_id": bool(self.client_id),
            "user": bool(self.user),
            "token": bool(self.token.get_secret_value()),
            "key": bool(self.key.get_secret_value()),
        }
        said = [name for name, there in ways.items() if there]
        if len(said) != 1:
            raise ValueError(
                "say one of client_id with client_secret, user with password, token, and key;"
                f" found {', '.join(said) or 'none that is filled'}"
            )
        if self.client_id and not self.client_secret.get_secret_value():
            raise ValueError("client_id needs client_secret, as ${NAME} from the environment")
        if (self.token_url or self.scope) and not self.client_id:
            raise ValueError("token_url and scope are for client_id with client_secret")
        if bool(self.header) + bool(self.parameter) != (said == ["key"]):
            raise ValueError(
                "key needs either 'header' or 'parameter': the name that it is sent as"
            )
        return self


class Paging(_Section):
    """How the next page is asked for. One of next, link, page, offset and cursor."""

    next: str = ""
    """Where in the answer the address of the next page stands (names with dots)."""
    link: bool = False
    """The header ``Link`` names the next page."""
    page: str = ""
    """Parameter of the page's number."""
    first: int = Field(default=1, ge=0)
    """Number of the first page."""
    offset: str = ""
    """Parameter of how many records to leave out."""
    cursor: str = ""
    """Parameter of a token; where it stands in the answer say ``token`` or ``last``."""
    token: str = ""
    """Where in the answer the token of the next page stands."""
    last: str = ""
    """The field of a page's last record that is the token."""
    size: str = ""
    """Parameter of the number of records on a page (``page_size``)."""
    more: str = ""
    """Where in the answer stands whether there are more pages."""

    @model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        return {"link": True} if value == "link" else value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = ("next", "link", "page", "offset", "cursor")
        said = [way for way in ways if getattr(self, way)]
        if len(said) != 1:
            raise ValueError(f"say one of {', '.join(ways)}; found {', '.join(said) or 'none'}")
        if bool(self.token) + bool(self.last) != (said == ["cursor"]):
            raise ValueError("cursor needs either 'token' or 'last': where the token stands")
        if "first" in self.model_fields_set and not self.page:
            raise ValueError("'first' is for 'page'")
        return self


class Since(_Section):
    """How a REST service is asked for what changed since a moment, or from a number on."""

    parameter: str
    """Name of the parameter."""
    form: Literal["iso", "date", "unix", "unix_ms", "number"] = "iso"
    """How the moment is written: 2026-01-31T08:00:00Z, 2026-01-31, seconds or milliseconds;
    number: the cursor is no moment but a number that only grows."""
    value: str = "{}"
    """What stands there, ``{}`` for the moment, such as ``gte:{}``."""

    @model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        return {"parameter": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _has_place(self) -> Self:
        if self.value.count("{}") != 1:
            raise ValueError("'value' needs '{}' once, for the moment")
        return self


class Changes(_Section):
    """Where a REST service says how to ask for what changed after an answer."""

    link: str = ""
    """Where in the last page's answer the address of the changes stands."""
    token: str = ""
    """Where a token of them stands instead."""
    parameter: str = ""
    """Name of the parameter that the token is sent as."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.link) == bool(self.token):
            raise ValueError("say either 'link' or 'token': where the last page says it")
        if bool(self.token) != bool(self.parameter):
            raise ValueError("token needs 'parameter': the name that it is sent as")
        return self

    @property
    def place(self) -> str:
        """Where in the answer it stands."""
        return self.link or self.token


class Deletions(_Section):
    """Where a REST service lists the records that were deleted."""

    path: str = ""
    """Its address, on the same host; empty: that of the records, with other parameters."""
    parameters: dict[str, str] = Field(default={}, repr=False)
    """Parameters of its own."""
    since: Since | None = None
    """How it is asked for deletes since a moment; without it always all of them come."""
    records: str = ""
    """Where in the answer the list stands; default: found."""
    key: tuple[str, ...]
    """Its fields that hold the key, in the order of the source's ``key``."""

    @field_validator("key", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class ApiSettings(_Section):
    """How a web API is asked; every setting has one meaning for all kinds that have it."""

    kind: Kind = "rest"
    auth: Auth | None = None
    """Who asks; without it nobody in particular."""
    headers: dict[str, str] = Field(default={}, repr=False)
    """Further headers of every request."""
    parameters: dict[str, str] = Field(default={}, repr=False)
    """Further parameters of every request for records."""
    verify: str | None = None
    """File of the certificates (PEM) that the server's must be signed by; default: those that
    the system and certifi trust."""
    timeout: float = Field(default=60, gt=0, le=3600)
    """Seconds without a byte after which a request is given up."""
    page_size: int | None = Field(default=None, ge=1, le=100_000)
    """Records on a page; default: what suits the service."""
    requests_per_second: float | None = Field(default=None, gt=0)
    """At most so many."""
    wait_at_most: float = Field(default=600, ge=0, le=86_400)
    """Seconds in one sync that are spent on waiting, for a rate limit or before a new try."""
    path: str = ""
    """Where the records are, if ``url`` names only the host."""
    object: str = ""
    """salesforce, hubspot: kind of record, such as Account or contacts."""
    version: str = "62.0"
    """salesforce: version of the API."""
    filter: str = ""
    """odata, salesforce: which records, as $filter or as a condition of SOQL."""
    created: str = ""
    """odata, mode cursor: the field that says when a record was made, where the cursor is empty
    until it changes."""
    since: Since | None = None
    """rest, mode cursor: the parameter that asks for what changed since a moment."""
    changes: Changes | None = None
    """rest, mode changes: where the last page says how to ask for what changed after it."""
    deletions: Deletions | None = None
    """rest, mode cursor: where deleted records are listed."""
    records: str = ""
    """rest: where in the answer the list of records stands; default: found."""
    total: str = ""
    """rest: where in the answer the number of all records stands."""
    paging: Paging | None = None
    """rest: how the next page is asked for; default: as a header ``Link`` says."""

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        for name, kinds in _ONLY_FOR.items():
            if name in self.model_fields_set and self.kind not in kinds:
                raise ValueError(f"'{name}' has no meaning for kind {self.kind}")
        if self.kind in _ONLY_FOR["object"] and not self.object:
            raise ValueError(f"kind {self.kind} needs 'object': the kind of record")
        fetched = self.auth is not None and self.auth.client_id and not self.auth.token_url
        if fetched and self.kind != "salesforce":
            raise ValueError("auth with client_id needs 'token_url'")
        listed = self.deletions and self.deletions.since
        if listed and listed.form == "number" and not self.by_number:
            raise ValueError("deletions since a number need 'since' with form number, too")
        return self

    @property
    def by_number(self) -> bool:
        """Whether the cursor of a REST service is a number."""
        return self.since is not None and self.since.form == "number"
