"""Asking a service for the records of a source, and seeing that all of them came.

What belongs here: from a query to records on disk or in a row, as the source wants them.
Which query is asked is connectors/web/api.py.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from connectors import mapping
from connectors.config import SourceConfig
from connectors.flattening import Flat, flatten
from connectors.reading import Key, Row
from connectors.templates import rows
from connectors.web import moments, paging
from connectors.web.client import Client
from connectors.web.gathering import Gathered, Shape, gathered
from connectors.web.paging import Page
from connectors.web.service import Query, template_of
from connectors.web.settings import ApiSettings
from onefold.errors import SourceUnreachable


@dataclass
class Told:
    """What the answers to a query said besides the records.

    Attributes:
        totals: how many records there are, as each answer says.
        gone: keys of deleted records.
        link: the address or token of the changes after this, of the last answer that named one.
    """

    totals: list[int] = field(default_factory=list)
    gone: list[Key] = field(default_factory=list)
    link: str = ""


class Asker:
    """Asks one service for one source."""

    def __init__(self, config: SourceConfig, api: ApiSettings, client: Client) -> None:
        self._config, self._api, self._client = config, api, client
        self._template = template_of(config)
        self._zone = ZoneInfo(config.time_zone)

    @contextmanager
    def all(
        self, query: Query, columns: Sequence[str] = (), limit: int | None = None
    ) -> Iterator[tuple[Gathered, Told]]:
        """Every record of a query, on disk.

        Args:
            columns: columns that are there whether a record fills them or not, besides those
                that the query names.
            limit: records after which no further page is asked for; None: all are.

        Raises:
            SourceUnreachable: fewer came than the service says there are.
        """
        config, told = self._config, Told()
        cursor = config.columns.get("updated_at", ())
        if config.cursor:
            cursor = (config.cursor, *filter(None, [self._api.created]))
        computed = self._template.computed if self._template else ()
        shape = Shape(
            key=config.key or query.key,
            cursor=cursor,
            columns=[*query.columns, *computed, *columns, *self._removed()],
            lists=config.lists,
            completed=self._completed,
            is_wanted=self._is_wanted,
            point=moments.number if query.numbers else lambda text: moments.read(text, self._zone),
            now=lambda: self._client.began,
        )
        pages = self._walked(query, told)
        with gathered(pages, shape, config.name, config.file, limit) as found:
            if limit is None:
                self._require_all(query, told, found)
            yield found, told

    def rows(self, query: Query, columns: Sequence[str], position: str) -> Iterator[Row]:
        """The records of a query, page by page as they come."""
        for page in self._walked(query, Told()):
            for record in page.records:
                flat = self._completed(flatten(record, self._config.lists))
                if self._is_wanted(flat):
                    yield Row(position, [flat.get(column) for column in columns])

    def keys(self, query: Query) -> Iterator[Row]:
        """Of every record of a query its key and, if there is one, its cursor."""
        config = self._config
        names = [*config.key, *([config.cursor] if config.cursor else [])]
        with self.all(query) as (found, _):
            places = [mapping.find_column(found.columns, name) for name in names]
            off = config.deleted and mapping.find_column(found.columns, config.deleted.column)
            for flat in found.flats():
                if config.deleted and off and config.deleted.holds(flat.get(off)):
                    continue
                yield Row("", [flat.get(place) if place else None for place in places])

    def _walked(self, query: Query, told: Told) -> Iterator[Page]:
        config = self._config
        for page in paging.walk(self._client, config.name, config.file, query.first, query.route):
            told.gone += query.gone(page.answer)
            told.link = query.link(page.answer) or told.link
            if page.total is not None:
                told.totals.append(page.total)
            yield page

    def _removed(self) -> list[str]:
        """The column that says that a record is gone, where only answers of changes have it."""
        said = self._config.deleted
        return [said.column] if said and self._config.mode == "changes" else []

    def _completed(self, flat: Flat) -> Flat:
        return rows.complete(self._template, flat) if self._template else flat

    def _is_wanted(self, flat: Flat) -> bool:
        return self._template is None or rows.is_customer(self._template, flat)

    def _require_all(self, query: Query, told: Told, found: Gathered) -> None:
        """Refuse fewer records than there are.

        Records may have been deleted while the others were read, so a service is asked once
        more how many there are.
        """
        if not told.totals or found.count >= min(told.totals):
            return
        now = query.route.total(self._client.ask(query.first))
        least = min(told.totals) if now is None else min(now, *told.totals)
        if found.count < least:
            again = f", and {found.again:,} of them more than once" if found.again else ""
            raise SourceUnreachable(
                self._config.name,
                "fewer records came than the service says there are",
                found=f"{found.count:,} of {least:,}{again}",
                do="Sync again. If it stays so, the service leaves some out for this user, or the"
                f" key in {self._config.file} is the same for several.",
            )
