"""What a kind of service says of itself so that its records can be read.

What belongs here: the shape that rest.py, odata.py, salesforce.py and hubspot.py fill.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

import httpx

from connectors import templates
from connectors.config import SourceConfig
from connectors.reading import Key
from connectors.templates import rows
from connectors.web.answers import Answer
from connectors.web.client import Client, Request
from connectors.web.moments import Point
from connectors.web.paging import Route
from connectors.web.settings import ApiSettings


@dataclass(frozen=True)
class Query:
    """What is asked for, page by page.

    Attributes:
        first: the request for the first page.
        route: how its answers are read and followed.
        columns: columns that the records have, as far as that is known before.
        key: key columns that the service itself declares.
        gone: keys of deleted records that an answer lists beside the others.
        link: the address or the token of the changes after this answer, if it names one.
        numbers: whether the cursor is a number and no moment.
    """

    first: Request
    route: Route
    columns: Sequence[str] = ()
    key: tuple[str, ...] = ()
    gone: Callable[[Answer], list[Key]] = lambda answer: []
    link: Callable[[Answer], str] = lambda answer: ""
    numbers: bool = False


class Deleted(NamedTuple):
    """What a service lists as deleted.

    Attributes:
        keys: of the records.
        until: up to when the list is complete; None: it does not say.
    """

    keys: Iterable[Key]
    until: datetime | None = None


def wanted(config: SourceConfig) -> list[str]:
    """The columns that a source needs of a service, as its settings write them."""
    names = [*config.key, *(name for names in config.columns.values() for name in names)]
    names += [config.cursor] if config.cursor else []
    names += [config.deleted.column] if config.deleted else []
    names += [config.api.created] if config.api and config.api.created else []
    template = template_of(config)
    names += rows.references(template) if template else ()
    for column, rule in config.lists.items():
        names += [f"{column}.{field}" for field in rule.prefer]
    return list(dict.fromkeys(names))


def template_of(config: SourceConfig) -> templates.Api | None:
    """What the source's template says of the web API."""
    return templates.load(config.template).api if config.template else None


def is_narrow(config: SourceConfig) -> bool:
    """Whether nothing is asked for but what is needed."""
    return config.template is not None and config.headings != "auto"


def address(config: SourceConfig, api: ApiSettings) -> str:
    """Where the records are: ``api.path`` below a ``url`` that names only the host."""
    url = config.url or ""
    return f"{url.rstrip('/')}{api.path}" if httpx.URL(url).path in ("", "/") else url


def identifying(config: SourceConfig) -> list[str]:
    """The columns by which all records are compared: key, cursor, and which ones count."""
    names = [*config.key, *([config.cursor] if config.cursor else [])]
    names += [config.deleted.column] if config.deleted else []
    template = template_of(config)
    return list(dict.fromkeys([*names, *(rows.references(template) if template else ())]))


class Service(Protocol):
    """A service as one source asks it."""

    def __init__(self, config: SourceConfig, api: ApiSettings, client: Client) -> None:
        """May ask what there is."""

    def everything(self) -> Query:
        """All records."""

    def changed(self, begin: Point) -> Query:
        """The records that changed from a moment or number on, and those that do not say when."""

    def after(self, link: str) -> Query | None:
        """What changed since a service gave this address or token; None: it gives none."""

    def deleted(self, begin: Point) -> Deleted | None:
        """Keys that the service lists as deleted, some from before too; None if it lists none.

        Raises:
            Expired: it does not reach back so far.
        """

    def listing(self) -> Query | None:
        """What identifies every record; None if nothing but all of it can be asked for."""

    def fetched(self, keys: Sequence[Key]) -> Iterator[Query]:
        """The records of some keys, those that are there; where there is a listing."""


class Expired(Exception):
    """A service does not know any more what changed since then."""
