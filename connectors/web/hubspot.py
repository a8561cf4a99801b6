"""HubSpot: one kind of CRM object.

What belongs here: the properties that there are, the list of all objects, and an object's
properties as if they stood beside its id.

Source: HubSpot developers, CRM API v3: objects, properties.
"""

from typing import Any

from connectors import mapping
from connectors.config import SourceConfig
from connectors.web import paging
from connectors.web.answers import Answer
from connectors.web.client import Client, Request
from connectors.web.paging import Page, Record, Route
from connectors.web.service import Query, is_narrow, wanted
from connectors.web.settings import ApiSettings

_ENVELOPE = ("id", "createdAt", "updatedAt", "archived")
_PAGE = 100
"""The most that the list gives."""


class Service:
    """One kind of object of a HubSpot account."""

    def __init__(self, config: SourceConfig, api: ApiSettings, client: Client) -> None:
        """Reads which properties there are.

        Raises:
            SourceError: as :meth:`Client.ask`.
        """
        self._config, self._api, self._client = config, api, client
        answer = client.ask(Request(f"/crm/v3/properties/{api.object}"))
        there = [
            str(one["name"])
            for one in paging.records_at(answer, "results", config.name, config.file)
        ]
        names = [mapping.find_column(there, name.removesuffix("?")) for name in wanted(config)]
        mapped = [name for name in names if name is not None]
        self._properties = list(dict.fromkeys(mapped if is_narrow(config) else [*mapped, *there]))
        self._objects = f"/crm/v3/objects/{api.object}"

    def everything(self) -> Query:
        """All objects that are not archived, in the order of their ids."""
        parameters = {
            **self._api.parameters,
            "limit": str(min(self._api.page_size or _PAGE, _PAGE)),
            "properties": ",".join(self._properties),
            "archived": "false",
        }
        columns = list(dict.fromkeys([*_ENVELOPE, *self._properties]))
        request = Request(self._objects, tuple(parameters.items()))
        return Query(request, self._route(), columns, key=("id",))

    def _route(self) -> Route:
        return Route(self._records, _following, lambda answer: paging.total_at(answer, "total"))

    def _records(self, answer: Answer) -> list[Record]:
        found = paging.records_at(answer, "results", self._config.name, self._config.file)
        return [_plain(one) for one in found]


def _following(request: Request, page: Page) -> Request | None:
    after = page.answer.at("paging.next.after")
    return request.with_parameters({"after": str(after)}) if after else None


def _plain(one: Record) -> dict[str, Any]:
    """An object with its properties beside its id.

    >>> _plain({"id": "7", "properties": {"email": "a@example.com"}, "archived": False})
    {'id': '7', 'archived': False, 'email': 'a@example.com'}
    """
    properties = one.get("properties") or {}
    return {**{name: one[name] for name in _ENVELOPE if name in one}, **properties}
