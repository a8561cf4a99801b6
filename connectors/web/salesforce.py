"""Salesforce: one kind of object through its REST API.

What belongs here: the fields that there are (``describe``), the SOQL that asks for them,
and the pages of its answer. A column may name a field of another object that a lookup
leads to, such as ``Account.Name``.

Source: Salesforce REST API Developer Guide, 62.0: Query, sObject Describe.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.config import SourceConfig
from connectors.web import odata_fields, paging
from connectors.web.answers import Answer
from connectors.web.client import Client, Gone, Request
from connectors.web.metadata import Entity, Model
from connectors.web.odata_fields import Fields
from connectors.web.paging import Page, Record, Route
from connectors.web.service import Query, is_narrow, wanted
from connectors.web.settings import ApiSettings
from onefold.errors import SourceMissing

_COMPOUND = frozenset({"address", "location", "base64", "complexvalue"})
"""Types of fields that repeat others, or that no query may name beside many records."""


class Service:
    """One kind of object of a Salesforce organization."""

    def __init__(self, config: SourceConfig, api: ApiSettings, client: Client) -> None:
        """Reads which fields there are.

        Raises:
            SourceMissing: there is no such kind of object.
            SourceError: as :meth:`Client.ask`.
        """
        self._config, self._api, self._client = config, api, client
        self._root = f"/services/data/v{api.version.removeprefix('v')}"
        main = self._described(api.object)
        used = {name.partition(".")[0] for name in wanted(config) if "." in name}
        others = {main.relations[name] for name in used if name in main.relations}
        entities = {api.object: main, **{name: self._described(name) for name in others}}
        model = Model(4, {}, entities)
        self._fields, self._columns = odata_fields.needed(model, main, ["Id", *wanted(config)])
        if not is_narrow(config):
            self._fields.own.update(dict.fromkeys(main.fields))
            self._columns = list(dict.fromkeys([*main.fields, *self._columns]))

    def _described(self, name: str) -> Entity:
        try:
            answer = self._client.ask(Request(f"{self._root}/sobjects/{name}/describe"))
        except Gone as error:
            raise SourceMissing(
                self._config.name,
                f"there is no object '{name}' that this user may see",
                found=error.found,
                do=f"Mend api.object and api.version in {self._config.file}.",
            ) from error
        fields, relations = dict[str, str](), dict[str, str]()
        for field in paging.records_at(answer, "fields", self._config.name, self._config.file):
            if field.get("type") not in _COMPOUND:
                fields[str(field["name"])] = f"Edm.{field.get('type')}"
            targets = field.get("referenceTo") or []
            if field.get("relationshipName") and targets:
                relations[str(field["relationshipName"])] = str(targets[0])
        return Entity(("Id",), fields, relations)

    def everything(self) -> Query:
        """All objects that are not deleted and that ``filter`` allows."""
        return Query(self._request(self._api.filter), self.route(), self._columns, key=("Id",))

    def _request(self, condition: str) -> Request:
        where = f" WHERE {condition}" if condition else ""
        soql = f"SELECT {','.join(_names(self._fields, ''))} FROM {self._api.object}{where}"
        headers = (("Sforce-Query-Options", f"batchSize={self._api.page_size or 2000}"),)
        parameters = (*self._api.parameters.items(), ("q", soql))
        return Request(f"{self._root}/query", parameters, headers=headers)

    def route(self) -> Route:
        """How the answers of a query are read and followed."""
        return Route(
            self._records,
            self._following,
            lambda answer: paging.total_at(answer, "totalSize"),
        )

    def _records(self, answer: Answer) -> list[Record]:
        found = paging.records_at(answer, "records", self._config.name, self._config.file)
        return [_plain(record) for record in found]

    def _following(self, request: Request, page: Page) -> Request | None:
        link = page.answer.at("nextRecordsUrl")
        return Request(str(link), headers=request.headers) if link else None


def _names(fields: Fields, before: str) -> Iterator[str]:
    yield from (f"{before}{name}" for name in fields.own)
    for relation, inside in fields.related.items():
        yield from _names(inside, f"{before}{relation}.")


def _plain(record: Record) -> dict[str, Any]:
    """An object without what is said about it.

    >>> _plain({"attributes": {}, "Id": "1", "Account": {"attributes": {}, "N": "A"}})
    {'Id': '1', 'Account': {'N': 'A'}}
    """
    return {
        name: _plain(value) if isinstance(value, Mapping) else value
        for name, value in record.items()
        if name != "attributes"
    }
