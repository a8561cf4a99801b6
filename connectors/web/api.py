"""Web APIs as a source: everything that is there, or what changed.

What belongs here: from a declared source to its reading, and how far a reading goes. How a
kind of service is asked stands in its own module.

In mode cursor the mark is the greatest cursor that was read, but no later than the first
answer by the service's own clock: a record that changes while others are read is read again
by the next sync, and a record stamped in the future hides nothing. Deletes are asked for from
the last sync on, by the same clock.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from connectors.config import SourceConfig
from connectors.reading import Changes, Key, Reading, Report, Row, Since
from connectors.web import answers, hubspot, moments, odata, rest, salesforce
from connectors.web.asking import Asker, Told
from connectors.web.client import Client, Gone, NotUnderstood
from connectors.web.gathering import Gathered
from connectors.web.moments import Point
from connectors.web.service import Expired, Query, Service, address
from connectors.web.settings import ApiSettings, Kind
from onefold.errors import ConfigError, SourceLayout

SERVICES: dict[Kind, type[Service]] = {
    "rest": rest.Service,
    "odata": odata.Service,
    "salesforce": salesforce.Service,
    "hubspot": hubspot.Service,
}


@contextmanager
def read(
    config: SourceConfig, since: Since | None = None, limit: int | None = None
) -> Iterator[Reading]:
    """Ask a web API for its records.

    All pages are read before the first row is handed out: only then it is known which
    columns there are, which records came twice, and whether all came.

    Args:
        since: where the last sync left off; None: everything is read.
        limit: records after which no further page is asked for; None: all are.

    Raises:
        SourceUnreachable: it does not answer, or fewer records come than it says there are.
        SourceMissing: there is nothing at the address.
        SourceLayout: what comes is not what the settings say.
        SourceError: credentials or certificate are refused.
    """
    api = config.api or ApiSettings()
    client = Client(config.name, config.file, config.url or "", api)
    with client, ExitStack() as stack:
        opened = _Opened(
            config, client, SERVICES[api.kind](config, api, client), Asker(config, api, client)
        )
        found = opened.changes(stack, since) if since is not None else None
        yield found or opened.whole(stack, limit)


@dataclass(frozen=True)
class _Mark:
    """How far a reading went.

    Attributes:
        at: the greatest cursor: a moment or a number.
        days: whether cursors have no hours.
        listed: up to when deletes are known.
        link: the address or token of the changes after it.
        columns: those that the records had, which a reading of some need not show.
    """

    at: Point | None = None
    days: bool = False
    listed: datetime | None = None
    link: str = ""
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        at = self.at.isoformat() if isinstance(self.at, datetime) else self.at
        listed = self.listed and self.listed.isoformat()
        parts = {"at": at, "days": self.days, "listed": listed, "link": self.link}
        return json.dumps(parts | {"columns": self.columns}, ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> "_Mark | None":
        try:
            parts = json.loads(text)
            at, listed = parts["at"], parts["listed"]
            at = datetime.fromisoformat(at) if isinstance(at, str) else at
            listed = listed and datetime.fromisoformat(listed)
            return cls(at, parts["days"], listed, parts["link"], tuple(parts["columns"]))
        except (ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True)
class _Opened:
    config: SourceConfig
    client: Client
    service: Service
    asker: Asker

    def whole(self, stack: ExitStack, limit: int | None) -> Reading:
        """All records that there are."""
        config, query, changes = self.config, self.service.everything(), self.api.changes
        found, told = stack.enter_context(self.asker.all(query, limit=limit))
        if config.mode == "changes" and not told.link and limit is None:
            raise SourceLayout(
                config.name,
                "the service does not say where changes are",
                found=f"nothing at {changes.place if changes else '@odata.deltaLink'} on the last"
                " page",
                do=f"Mend api.changes in {config.file}."
                if changes
                else "Switch change tracking on for these records there, or say 'mode: cursor' in"
                f" {config.file}.",
            )
        return self._reading(query, found, told, self._mark(found, told, None))

    def changes(self, stack: ExitStack, since: Since) -> Reading | None:
        """What changed; None if that cannot be said any more."""
        before = _Mark.parse(since.mark)
        if before is None:
            return None
        begin = self._begin(before)
        deleted: Iterator[Row] = iter(())
        if begin is not None:
            query: Query | None = self.service.changed(begin)
        else:
            query = self.service.after(before.link) if before.link else None
        if query is None:
            return None
        covered = None
        try:
            found, told = stack.enter_context(self.asker.all(query, before.columns))
            if before.listed is not None:
                gone = self.service.deleted(
                    moments.begin(self._listed(before), self.config.overlap, days=False)
                )
                if gone is not None:
                    covered = gone.until
                    deleted = (Row("", key) for key in gone.keys)
        except Expired:
            return None
        except (Gone, NotUnderstood):
            if begin is not None:
                raise
            return None  # the address of the changes is not known any more
        reading = self._reading(query, found, told, self._mark(found, told, before, covered))
        reading.changes = Changes(
            deleted=itertools.chain(
                found.unwanted_keys(), (Row("", key) for key in told.gone), deleted
            )
        )
        listing = self.service.listing()
        if listing is not None:
            reading.changes.listing = partial(self.asker.keys, listing)
            reading.changes.fetch = partial(self._fetched, reading)
        return reading

    def _listed(self, before: _Mark) -> Point:
        """From where on deletes are asked for: as the feed counts."""
        feed = self.api.deletions
        by_number = feed is not None and feed.since is not None and feed.since.form == "number"
        found = before.at if by_number else before.listed
        assert found is not None  # there are no deletes without a cursor
        return found

    def _fetched(self, reading: Reading, keys: Sequence[Key]) -> Iterator[Row]:
        for query in self.service.fetched(keys):
            yield from self.asker.rows(query, reading.columns, self.position)

    def _begin(self, before: _Mark) -> Point | None:
        """From where on changes are asked for by the cursor; None: they are not."""
        config = self.config
        if before.at is None:
            return None
        numbers = isinstance(before.at, int)
        if config.overlap is not None and numbers != isinstance(config.overlap, int):
            raise ConfigError(
                f"{config.file}, overlap",
                f"'{config.cursor}' needs "
                + ("a number, such as 1000" if numbers else "a length of time, such as 10m"),
                found=str(config.overlap),
                do="Mend it, or leave it out.",
            )
        return moments.begin(before.at, config.overlap, days=before.days)

    def _mark(
        self,
        found: Gathered,
        told: Told,
        before: _Mark | None,
        covered: datetime | None = None,
    ) -> str:
        columns = tuple(found.columns)
        if self.config.mode == "changes":
            return str(_Mark(link=told.link, columns=columns)) if told.link else ""
        known: Any = before.at if before else None
        reached = [one for one in (known, found.greatest) if one is not None]
        if self.config.mode != "cursor" or not reached:
            return ""
        days = found.days if found.greatest else bool(before and before.days)
        listed = covered or self.client.began
        return str(_Mark(max(reached), days, listed, columns=columns))

    def _reading(self, query: Query, found: Gathered, told: Told, mark: str) -> Reading:
        report, origin = Report(), answers.shown(address(self.config, self.api))
        if found.again:
            report.note("a record came more than once; it counts once", found.again)
        if found.in_future and self.config.mode == "cursor":
            report.note(
                f"'{self.config.cursor}' lies in the future in some records; they are read again"
                f" by every sync (is time_zone: {self.config.time_zone} right?)"
            )
        if self.config.mode == "cursor" and found.count and not mark:
            what = "number" if query.numbers else "moment"
            report.note(f"no '{self.config.cursor}' is a {what}: every sync reads everything")
        report.skip(self.position, "no customer", found.unwanted)
        rows = found.rows(self.position)
        return Reading(found.columns, rows, report, origin, key=query.key, mark=mark)

    @property
    def api(self) -> ApiSettings:
        """How the service is asked."""
        return self.config.api or ApiSettings()

    @property
    def position(self) -> str:
        """Where all records stand: the last part of the address, or the kind of object."""
        place = address(self.config, self.api).partition("?")[0].rstrip("/")
        return self.api.object or place.rpartition("/")[2]
