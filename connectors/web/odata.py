"""OData services, versions 2 and 4: SAP S/4HANA, Dynamics 365 and others.

What belongs here: what is asked for, by ``$metadata`` and by the columns that the source
maps. Fields of related records are asked for where a column names them
(``to_Address.City``); with a template nothing but mapped fields is, as of a database.

Source: OASIS OData 4.01 Protocol and JSON Format; OData.org 2.0 JSON Format.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from connectors import mapping
from connectors.config import SourceConfig
from connectors.reading import Key
from connectors.web import metadata, odata_fields, paging
from connectors.web.answers import Answer
from connectors.web.client import Client, Gone, Request
from connectors.web.metadata import Entity, Model
from connectors.web.moments import Point
from connectors.web.odata_values import ANNOTATION, SHOWN, is_removed, literal, of_2, of_4, removed
from connectors.web.paging import Page, Record, Route
from connectors.web.service import Deleted, Query, address, identifying, is_narrow, wanted
from connectors.web.settings import ApiSettings
from onefold.errors import SourceLayout, SourceMissing

PAGE_SIZE = 1_000
_NUMBERS = frozenset(
    f"Edm.{kind}" for kind in ("Byte", "SByte", "Int16", "Int32", "Int64", "Decimal")
)
_KEYS_AT_ONCE = 25
"""Keys that one address names: 25 GUIDs are 1,500 characters."""


class Service:
    """One set of records of an OData service."""

    def __init__(self, config: SourceConfig, api: ApiSettings, client: Client) -> None:
        """Reads ``$metadata``.

        Raises:
            SourceMissing: the service has no such set.
            SourceLayout: there is no metadata at the address.
            SourceError: as :meth:`Client.ask`.
        """
        self._config, self._api = config, api
        place, _, query = address(config, api).partition("?")
        root, _, name = place.rstrip("/").rpartition("/")
        self._parameters = dict(parse_qsl(query, keep_blank_values=True)) | api.parameters
        found = model(config, client, root, self._parameters)
        if name not in found.sets:
            raise SourceMissing(
                config.name,
                f"the service has no set of records '{name}'",
                found=", ".join(sorted(found.sets)[:40]),
                do=f"Mend 'url' in {config.file}.",
            )
        self._version = found.version
        self._address = f"{root}/{name}"
        self._entity = found.entities.get(found.sets[name], Entity((), {}, {}))
        self._model = found
        self._fields, self._columns = odata_fields.needed(
            found, self._entity, [*self._entity.key, *wanted(config)]
        )
        self._narrow = is_narrow(config)
        self._shown = frozenset(name for name in self._columns if name.endswith(SHOWN))
        by_cursor = config.mode == "cursor" and config.cursor
        self._numbers = bool(by_cursor and self._entity.fields[self._field(by_cursor)] in _NUMBERS)

    def everything(self) -> Query:
        """All records that ``filter`` allows; in mode changes with the address of what follows."""
        if self._config.mode == "changes":
            return self._tracked(self._request("", tracked=True))
        return self._query(self._api.filter, counted=True)

    def changed(self, begin: Point) -> Query:
        """By the cursor; those without one by when they were made, if that is said."""
        name = self._field(self._config.cursor or "")
        empty = f"{name} eq null"
        if self._api.created and not self._numbers:
            made = self._field(self._api.created)
            empty = f"({empty} and {made} ge {self._moment(made, begin)})"
        condition = f"{name} ge {self._moment(name, begin)} or {empty}"
        return self._query(_both(self._api.filter, condition), counted=True)

    def after(self, link: str) -> Query | None:
        """What ``odata.track-changes`` reports."""
        if self._config.mode != "changes":
            return None
        headers = self._request("", tracked=True).headers
        return self._tracked(Request(link, headers=headers))

    def deleted(self, begin: Point) -> Deleted | None:
        """Nothing lists them; only ``odata.track-changes`` does, with all other changes."""
        return None

    def listing(self) -> Query | None:
        """Key and cursor of all records."""
        names = [*self._entity.key, *identifying(self._config)]
        fields, columns = odata_fields.needed(self._model, self._entity, names)
        shape = odata_fields.shape(self._version, fields, narrow=True)
        return replace(self._query(self._api.filter, counted=True, shape=shape), columns=columns)

    def fetched(self, keys: Sequence[Key]) -> Iterator[Query]:
        """Some keys at a time, as long as an address may be."""
        names = [self._field(name) for name in self._config.key]
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[start : start + _KEYS_AT_ONCE]
            each = (
                " and ".join(
                    f"{name} eq {self._literal(name, value or '')}"
                    for name, value in zip(names, key, strict=True)
                )
                for key in some
            )
            yield self._query(_both(self._api.filter, " or ".join(f"({one})" for one in each)))

    def _query(
        self, condition: str, *, counted: bool = False, shape: Mapping[str, str] | None = None
    ) -> Query:
        own = [] if self._narrow else list(self._entity.fields)
        columns = list(dict.fromkeys([*own, *self._columns]))
        first = self._request(condition, counted=counted, shape=shape)
        route = self._route(condition, shape)
        return Query(first, route, columns, self._entity.key, numbers=self._numbers)

    def _tracked(self, request: Request) -> Query:
        query = self._query("")
        return replace(
            query,
            first=request,
            gone=lambda answer: removed(answer.body, self._entity.key),
            link=lambda answer: str(answer.at("@odata.deltaLink") or ""),
        )

    def _field(self, name: str) -> str:
        """The field behind a column of the settings.

        Raises:
            SourceLayout: there is none.
        """
        plain = name.removesuffix("?")
        found = mapping.find_column(list(self._entity.fields), plain)
        if found is None:
            raise mapping.missing_column(
                self._config, plain, list(self._entity.fields), "key, cursor and api.created"
            )
        return found

    def _moment(self, name: str, moment: Point) -> str:
        if isinstance(moment, int):
            return self._literal(name, str(moment))
        kind = self._entity.fields[name]
        zone = UTC if kind == "Edm.DateTimeOffset" else ZoneInfo(self._config.time_zone)
        return self._literal(name, moment.astimezone(zone).replace(tzinfo=None).isoformat())

    def _request(
        self,
        condition: str,
        *,
        counted: bool = False,
        tracked: bool = False,
        shape: Mapping[str, str] | None = None,
    ) -> Request:
        """The request for the first page of the records that a condition holds for."""
        size = self._api.page_size or PAGE_SIZE
        parameters = dict(self._parameters)
        parameters |= shape or odata_fields.shape(self._version, self._fields, narrow=self._narrow)
        if condition:
            parameters["$filter"] = condition
        if self._entity.key and not tracked:
            parameters["$orderby"] = ",".join(self._entity.key)
        if self._version == 2:
            parameters |= {"$format": "json"} | ({"$inlinecount": "allpages"} if counted else {})
            if self._entity.key:
                parameters["$top"] = str(size)
            headers = {"DataServiceVersion": "2.0", "MaxDataServiceVersion": "2.0"}
        else:
            parameters |= {"$count": "true"} if counted else {}
            prefer = ["odata.track-changes"] if tracked else []
            prefer += [f"odata.maxpagesize={size}"]
            prefer += [f'odata.include-annotations="{ANNOTATION}"'] if self._shown else []
            headers = {"OData-Version": "4.0", "OData-MaxVersion": "4.0"}
            headers["Prefer"] = ",".join(prefer)
        return Request(self._address, tuple(parameters.items()), headers=tuple(headers.items()))

    def _route(self, condition: str, shape: Mapping[str, str] | None) -> Route:
        if self._version == 2:
            return Route(
                self._records_of_2,
                lambda request, page: self._following_of_2(request, page, condition, shape),
                lambda answer: paging.total_at(answer, "d.__count"),
            )
        return Route(
            self._records_of_4,
            lambda request, page: _linked(request, page.answer.at("@odata.nextLink")),
            lambda answer: paging.total_at(answer, "@odata.count"),
        )

    def _records_of_4(self, answer: Answer) -> list[Record]:
        found = paging.records_at(answer, "value", self._config.name, self._config.file)
        return [of_4(record, self._shown) for record in found if not is_removed(record)]

    def _records_of_2(self, answer: Answer) -> list[Record]:
        inside = Answer(answer.at("d"), answer.url)
        path = "results" if isinstance(inside.body, Mapping) else ""
        found = paging.records_at(inside, path, self._config.name, self._config.file)
        return [of_2(record) for record in found]

    def _following_of_2(
        self, request: Request, page: Page, condition: str, shape: Mapping[str, str] | None
    ) -> Request | None:
        """The next page: where the service says, else what comes after the last key.

        After the last key, and not so many records further on: a record that is made or
        deleted meanwhile moves no other one to a page that was read already. Until a page
        is empty: a service may give fewer records than it is asked for.
        """
        link = page.answer.at("d.__next")
        if link:
            return _linked(request, link)
        if not self._entity.key or not page.records:
            return None
        after = self._after(page.records[-1])
        return self._request(_both(condition, after), shape=shape)

    def _after(self, record: Record) -> str:
        """The condition that a record comes after another one, in the order of the key."""
        parts: list[str] = []
        same: list[str] = []
        for name in self._entity.key:
            value = self._literal(name, str(record.get(name)))
            parts.append(" and ".join([*same, f"{name} gt {value}"]))
            same.append(f"{name} eq {value}")
        return parts[0] if len(parts) == 1 else " or ".join(f"({part})" for part in parts)

    def _literal(self, name: str, value: str) -> str:
        return literal(self._version, self._entity.fields.get(name, "Edm.String"), value)


def model(config: SourceConfig, client: Client, root: str, parameters: Mapping[str, str]) -> Model:
    """The metadata of a service.

    Raises:
        SourceLayout: there is none at the address.
        SourceError: as :meth:`Client.ask`.
    """
    accepted = (("Accept", "application/xml"),)
    request = Request(f"{root}/$metadata", tuple(parameters.items()), headers=accepted)
    try:
        return metadata.parse(client.text(request))
    except (ValueError, Gone) as error:
        raise SourceLayout(
            config.name,
            "there is no OData service at this address",
            found=f"{root}/$metadata: {error if isinstance(error, ValueError) else 'nothing'}",
            do=f"Give the address of a set of records as 'url' in {config.file}, such as"
            " https://HOST/SERVICE/Customers.",
        ) from error


def _both(condition: str, other: str) -> str:
    return f"({condition}) and ({other})" if condition else other


def _linked(request: Request, link: Any) -> Request | None:
    return Request(str(link), headers=request.headers) if link else None
