"""What a kind of service says of itself so that its records can be read.

What belongs here: the shape that rest.py, odata.py, salesforce.py and hubspot.py fill.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.config import SourceConfig
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


class Service(Protocol):
    """A service as one source asks it."""

    def __init__(self, config: SourceConfig, api: ApiSettings, client: Client) -> None:
        """May ask what there is."""

    def everything(self) -> Query:
        """All records."""
