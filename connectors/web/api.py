"""Web APIs as a source: everything that is there, or what changed.

What belongs here: from a declared source to its reading, and the comparison of what
came with what the service says there is. How a kind of service is asked stands in its
own module.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from connectors.config import SourceConfig
from connectors.reading import Reading, Report, Since
from connectors.templates import rows
from connectors.web import answers, hubspot, odata, paging, rest, salesforce
from connectors.web.client import Client
from connectors.web.gathering import Gathered, Shape, gathered
from connectors.web.paging import Page
from connectors.web.service import Query, Service, template_of
from connectors.web.settings import ApiSettings, Kind
from onefold.errors import SourceUnreachable

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
    report = Report()
    with Client(config.name, config.file, config.url or "", api) as client:
        query = SERVICES[api.kind](config, api, client).everything()
        walked = _Walked()
        pages = paging.walk(client, config.name, config.file, query.first, query.route)
        shape = _shape(config, api, query)
        with gathered(walked.through(pages), shape, config.name, config.file, limit) as found:
            if limit is None:
                _require_all(client, config, query, walked, found)
            if found.again:
                report.note("a record came more than once; it counts once", found.again)
            origin = answers.shown(query.first.url)
            report.skip(origin, "no customer", found.unwanted)
            yield Reading(found.columns, found.rows(origin), report, origin, key=query.key)


def _shape(config: SourceConfig, api: ApiSettings, query: Query) -> Shape:
    template = template_of(config)
    columns = [*query.columns, *(template.computed if template else ())]
    return Shape(
        key=config.key or query.key,
        cursor=config.columns.get("updated_at", ()),
        columns=columns,
        lists=api.lists,
        completed=lambda flat: rows.complete(template, flat) if template else flat,
        is_wanted=lambda flat: template is None or rows.is_customer(template, flat),
    )


@dataclass
class _Walked:
    """What the pages said of how many records there are."""

    totals: list[int] = field(default_factory=list)

    def through(self, pages: Iterator[Page]) -> Iterator[Page]:
        for page in pages:
            if page.total is not None:
                self.totals.append(page.total)
            yield page


def _require_all(
    client: Client, config: SourceConfig, query: Query, walked: _Walked, found: Gathered
) -> None:
    """Refuse fewer records than there are.

    Records may have been deleted while the others were read, so a service is asked once
    more how many there are.
    """
    if not walked.totals or found.count >= min(walked.totals):
        return
    now = query.route.total(client.ask(query.first))
    least = min(walked.totals) if now is None else min(now, *walked.totals)
    if found.count < least:
        raise SourceUnreachable(
            config.name,
            "fewer records came than the service says there are",
            found=f"{found.count:,} of {least:,}"
            + (f", and {found.again:,} of them more than once" if found.again else ""),
            do="Sync again. If it stays so, the service leaves some out for this user, or the key"
            f" in {config.file} is the same for several.",
        )
