"""Salesforce: one kind of object through its REST API.

What belongs here: the fields that there are (``describe``), the SOQL that asks for them,
and the pages of its answer. A column may name a field of another object that a lookup
leads to, such as ``Account.Name``.

Source: Salesforce REST API Developer Guide, 62.0: Query, sObject Describe, sObject Get Deleted.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors import mapping
from connectors.config import SourceConfig
from connectors.reading import Key
from connectors.web import odata_fields, paging
from connectors.web.answers import Answer
from connectors.web.client import Client, Gone, NotUnderstood, Request
from connectors.web.metadata import Entity, Model
from connectors.web.moments import Point, read, written
from connectors.web.odata_fields import Fields
from connectors.web.paging import Page, Record, Route
from connectors.web.service import Deleted, Expired, Query, identifying, is_narrow, wanted
from connectors.web.settings import ApiSettings
from onefold.errors import SourceMissing

_COMPOUND = frozenset({"address", "location", "base64", "complexvalue"})
"""Types of fields that repeat others, or that no query may name beside many records."""
_TOO_LONG_AGO = ("INVALID_REPLICATION_DATE", "EXCEEDED_ID_LIMIT")
_SHORTEST = timedelta(minutes=2)
"""The shortest time that getDeleted is asked for; less than a minute it refuses."""
_KEYS_AT_ONCE = 300
"""Ids that one query names: 6,300 characters of an address."""


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
        self._main, self._model = main, Model(4, {}, entities)
        self._fields, self._columns = odata_fields.needed(
            self._model, main, ["Id", *wanted(config)]
        )
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
        return self._query(self._fields, self._columns, self._api.filter)

    def changed(self, begin: Point) -> Query:
        """By the cursor, best SystemModstamp, which moves with everything."""
        name = self._field(self._config.cursor or "")
        condition = f"{name} >= {written(begin, 'iso')}"
        return self._query(self._fields, self._columns, condition, self._api.filter)

    def after(self, link: str) -> Query | None:
        """No address is named."""
        return None

    def deleted(self, begin: Point) -> Deleted | None:
        """What ``getDeleted`` lists: objects that were deleted, emptied out of the bin or not.

        Raises:
            Expired: it goes back 30 days at most.
        """
        now = self._client.began or datetime.now(UTC)
        assert isinstance(begin, datetime)  # it has no cursors of numbers
        begin = min(begin, now - _SHORTEST)
        parameters = {
            "start": written(begin, "iso").replace("Z", "+00:00"),
            "end": written(now, "iso").replace("Z", "+00:00"),
        }
        place = f"{self._root}/sobjects/{self._api.object}/deleted"
        try:
            answer = self._client.ask(Request(place, tuple(parameters.items())))
        except NotUnderstood as error:
            if any(code in error.found for code in _TOO_LONG_AGO):
                raise Expired from error
            raise
        earliest = read(answer.at("earliestDateAvailable"), ZoneInfo("UTC"))
        if earliest is not None and begin < earliest:
            raise Expired
        found = paging.records_at(answer, "deletedRecords", self._config.name, self._config.file)
        until = read(answer.at("latestDateCovered"), ZoneInfo("UTC"))
        return Deleted([(str(one.get("id")),) for one in found], until)

    def listing(self) -> Query | None:
        """Key and cursor of all objects."""
        names = ["Id", *identifying(self._config)]
        fields, columns = odata_fields.needed(self._model, self._main, names)
        return self._query(fields, columns, self._api.filter)

    def fetched(self, keys: Sequence[Key]) -> Iterator[Query]:
        """Some ids at a time, as long as an address may be."""
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[start : start + _KEYS_AT_ONCE]
            ids = ",".join(f"'{_escaped(key[0] or '')}'" for key in some)
            yield self._query(self._fields, self._columns, f"Id IN ({ids})", self._api.filter)

    def _field(self, name: str) -> str:
        found = mapping.find_column(list(self._main.fields), name.removesuffix("?"))
        if found is None:
            raise mapping.missing_column(self._config, name, list(self._main.fields), "cursor")
        return found

    def _query(self, fields: Fields, columns: Sequence[str], *conditions: str) -> Query:
        said = [f"({condition})" for condition in conditions if condition]
        where = f" WHERE {' AND '.join(said)}" if said else ""
        soql = f"SELECT {','.join(_names(fields, ''))} FROM {self._api.object}{where}"
        headers = (("Sforce-Query-Options", f"batchSize={self._api.page_size or 2000}"),)
        parameters = (*self._api.parameters.items(), ("q", soql))
        request = Request(f"{self._root}/query", parameters, headers=headers)
        return Query(request, self._route(), columns, key=("Id",))

    def _route(self) -> Route:
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


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


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
