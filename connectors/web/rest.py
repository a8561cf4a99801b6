"""REST services whose paging, records, totals and changes the source's YAML declares."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from connectors.config import SourceConfig
from connectors.flattening import flatten
from connectors.reading import Key
from connectors.web import paging
from connectors.web.answers import Answer
from connectors.web.client import Client, Request
from connectors.web.moments import Point, written
from connectors.web.paging import Declared
from connectors.web.service import Deleted, Query, address
from connectors.web.settings import ApiSettings, Since


class Service:
    """A REST service."""

    def __init__(self, config: SourceConfig, api: ApiSettings, client: Client) -> None:
        """Asks nothing yet."""
        self._config, self._api, self._client = config, api, client
        self._declared = Declared(
            api.paging, api.records, api.total, api.page_size, config.name, config.file
        )

    def everything(self) -> Query:
        """All records."""
        request = Request(address(self._config, self._api), tuple(self._api.parameters.items()))
        return Query(
            self._declared.first(request),
            self._declared.route(),
            link=self._link,
            numbers=self._api.by_number,
        )

    def changed(self, begin: Point) -> Query:
        """What the parameter of ``since`` asks for; the end of a range is not asked for."""
        query = self.everything()
        return replace(query, first=_from(query.first, self._api.since, begin))

    def after(self, link: str) -> Query | None:
        """What ``changes`` asks for by the address or the token of an answer."""
        changes = self._api.changes
        if changes is None:
            return None
        query = self.everything()
        by_token = query.first.with_parameters({changes.parameter: link})
        return replace(query, first=by_token if changes.token else Request(link))

    def _link(self, answer: Answer) -> str:
        found = answer.at(self._api.changes.place) if self._api.changes else None
        return "" if found is None else str(found)

    def deleted(self, begin: Point) -> Deleted | None:
        """What ``deletions`` lists."""
        feed = self._api.deletions
        if feed is None:
            return None
        declared = replace(self._declared, records=feed.records, total="")
        place = feed.path or address(self._config, self._api)
        request = Request(place, tuple({**self._api.parameters, **feed.parameters}.items()))
        first = declared.first(_from(request, feed.since, begin))
        pages = paging.walk(
            self._client, self._config.name, self._config.file, first, declared.route()
        )
        flats = (flatten(record) for page in pages for record in page.records)
        return Deleted(tuple(flat.get(name) for name in feed.key) for flat in flats)

    def listing(self) -> Query | None:
        """All of it has to be read."""
        return None

    def fetched(self, keys: Sequence[Key]) -> Iterator[Query]:
        """All of it has to be read."""
        return iter(())


def _from(request: Request, since: Since | None, begin: Point) -> Request:
    if since is None:
        return request
    value = since.value.replace("{}", written(begin, since.form))
    return request.with_parameters({since.parameter: value})
