"""What a kind of service says of itself so that its records can be read.

What belongs here: the shape that rest.py, odata.py, salesforce.py and hubspot.py fill.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx

from connectors import templates
from connectors.config import SourceConfig
from connectors.templates import rows
from connectors.web.client import Client, Request
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
    """

    first: Request
    route: Route
    columns: Sequence[str] = ()
    key: tuple[str, ...] = ()


def wanted(config: SourceConfig) -> list[str]:
    """The columns that a source needs of a service, as its settings write them."""
    names = [*config.key, *(name for names in config.columns.values() for name in names)]
    template = template_of(config)
    names += rows.references(template) if template else ()
    for column, rule in (config.api.lists if config.api else {}).items():
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


class Service(Protocol):
    """A service as one source asks it."""

    def __init__(self, config: SourceConfig, api: ApiSettings, client: Client) -> None:
        """May ask what there is."""

    def everything(self) -> Query:
        """All records."""
