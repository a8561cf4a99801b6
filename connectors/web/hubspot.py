"""HubSpot: one kind of CRM object.

What belongs here: the properties that there are, the list of all objects, and an object's
properties as if they stood beside its id.

Source: HubSpot developers, CRM API v3: objects, search, properties; usage guidelines.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors import mapping
from connectors.config import SourceConfig
from connectors.reading import Key
from connectors.web import paging
from connectors.web.answers import Answer
from connectors.web.client import Client, Request
from connectors.web.moments import Point, written
from connectors.web.paging import Page, Record, Route
from connectors.web.service import Deleted, Query, identifying, is_narrow, wanted
from connectors.web.settings import ApiSettings

_ENVELOPE = ("id", "createdAt", "updatedAt", "archived")
_PAGE, _SEARCH_PAGE = 100, 200
"""The most that the list gives, and a search."""


class Service:
    """One kind of object of a HubSpot account."""

    def __init__(self, config: SourceConfig, api: ApiSettings, client: Client) -> None:
        """Reads which properties there are.

        Raises:
            SourceError: as :meth:`Client.ask`.
        """
        self._config, self._api, self._client = config, api, client
        answer = client.ask(Request(f"/crm/v3/properties/{api.object}"))
        self._there = there = [
            str(one["name"])
            for one in paging.records_at(answer, "results", config.name, config.file)
        ]
        names = [mapping.find_column(there, name.removesuffix("?")) for name in wanted(config)]
        mapped = [name for name in names if name is not None]
        self._properties = list(dict.fromkeys(mapped if is_narrow(config) else [*mapped, *there]))
        self._columns = list(dict.fromkeys([*_ENVELOPE, *self._properties]))
        self._objects = f"/crm/v3/objects/{api.object}"

    def everything(self) -> Query:
        """All objects that are not archived, in the order of their ids."""
        return self._listed(self._properties, archived=False)

    def changed(self, begin: Point) -> Query:
        """A search by the cursor, page by page after the last id.

        A search gives 10,000 results at most. After the last id there is no end, and an
        object that changes meanwhile moves no other one to a page that was read already.
        """
        cursor = self._property(self._config.cursor or "")
        filters = [_filter(cursor, "GTE", written(begin, "unix_ms"))]
        return Query(
            self._search(filters, ""),
            Route(
                self._records,
                lambda request, page: (
                    self._search(filters, str(page.records[-1]["id"])) if page.records else None
                ),
                lambda answer: None,  # that of the objects after the last id
            ),
            self._columns,
            key=("id",),
        )

    def after(self, link: str) -> Query | None:
        """No address is named."""
        return None

    def deleted(self, begin: Point) -> Deleted | None:
        """The archived objects, which HubSpot keeps for 90 days; all of them every time."""
        query = self._listed([], archived=True)
        config = self._config
        pages = paging.walk(self._client, config.name, config.file, query.first, query.route)
        return Deleted((str(record["id"]),) for page in pages for record in page.records)

    def listing(self) -> Query | None:
        """Id and cursor of all objects."""
        names = [
            self._property(name) for name in identifying(self._config) if name not in _ENVELOPE
        ]
        return self._listed(names, archived=False)

    def fetched(self, keys: Sequence[Key]) -> Iterator[Query]:
        """Some ids at a time; those that are not there are left out of the answer."""
        for start in range(0, len(keys), _PAGE):
            inputs = [{"id": key[0]} for key in keys[start : start + _PAGE]]
            body = {"inputs": inputs, "properties": self._properties}
            request = Request(f"{self._objects}/batch/read", body=body)
            end = Route(self._records, lambda request, page: None, lambda answer: None)
            yield Query(request, end, self._columns, key=("id",))

    def _listed(self, properties: Sequence[str], *, archived: bool) -> Query:
        parameters = {
            **self._api.parameters,
            "limit": str(min(self._api.page_size or _PAGE, _PAGE)),
            "archived": "true" if archived else "false",
        }
        if properties:
            parameters["properties"] = ",".join(properties)
        request = Request(self._objects, tuple(parameters.items()))
        columns = list(dict.fromkeys([*_ENVELOPE, *properties]))
        return Query(request, self._route(), columns, key=("id",))

    def _search(self, filters: Sequence[Mapping[str, str]], last: str) -> Request:
        after = [_filter("hs_object_id", "GT", last)] if last else []
        body = {
            "filterGroups": [{"filters": [*filters, *after]}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": self._properties,
            "limit": min(self._api.page_size or _SEARCH_PAGE, _SEARCH_PAGE),
        }
        return Request(f"{self._objects}/search", body=body)

    def _property(self, name: str) -> str:
        found = mapping.find_column(self._there, name.removesuffix("?"))
        if found is None:
            raise mapping.missing_column(self._config, name, self._there, "cursor")
        return found

    def _route(self) -> Route:
        return Route(self._records, _following, lambda answer: None)

    def _records(self, answer: Answer) -> list[Record]:
        found = paging.records_at(answer, "results", self._config.name, self._config.file)
        return [_plain(one) for one in found]


def _filter(name: str, operator: str, value: str) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": value}


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
