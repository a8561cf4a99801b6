"""Page by page through an answer, and out of it again where a service goes in circles.

What belongs here: the records of a page, where the next one is, and what no service
that works does: naming a page twice, sending the same page for two addresses, hiding
further pages. What is done with the records is connectors/web/gathering.py.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.web.answers import Answer, at
from connectors.web.client import Client, Gone, Request
from connectors.web.settings import Paging
from onefold.errors import SourceError, SourceLayout

Record = Mapping[str, Any]

_LISTS = ("value", "results", "items", "data", "records", "entries", "rows", "list", "content")
_ASIDE = frozenset({"errors", "warnings", "messages", "links", "_links", "included"})
"""Lists beside the records."""
_NEXT = (
    "next",
    "next_url",
    "nextLink",
    "@odata.nextLink",
    "next_page",
    "next_page_url",
    "nextPageToken",
    "next_cursor",
    "links.next",
    "_links.next",
    "paging.next",
    "pagination.next",
    "pagination.next_cursor",
    "pagination.next_page",
    "meta.next",
    "meta.next_cursor",
    "meta.next_page",
    "response_metadata.next_cursor",
    "has_more",
    "hasMore",
    "has_next",
    "pagination.has_more",
    "meta.has_more",
)
_TOTALS = (
    "total",
    "count",
    "total_count",
    "totalCount",
    "totalSize",
    "totalResults",
    "total_results",
    "meta.total",
    "meta.total_count",
    "meta.count",
    "pagination.total",
    "pagination.total_count",
    "paging.total",
    "page.totalElements",
    "totalElements",
    "data.total",
)
_NO = (None, "", False, "false", "0")


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        records: its records.
        answer: what it came in.
        came: how many records came with it and all pages before.
        total: how many there are in all, if the service says so.
    """

    records: list[Record]
    answer: Answer
    came: int
    total: int | None


@dataclass(frozen=True)
class Route:
    """How a kind of service is paged through.

    Attributes:
        records: the records of an answer.
        following: the request for the next page, after the request for this one; None at the end.
        total: the number of all records that an answer names, if it does.
        ends_with_404: whether a page after the first that is not there is the end.
    """

    records: Callable[[Answer], list[Record]]
    following: Callable[[Request, Page], Request | None]
    total: Callable[[Answer], int | None]
    ends_with_404: bool = False


def walk(client: Client, name: str, file: str, first: Request, route: Route) -> Iterator[Page]:
    """Every page, from the first one on.

    A page that came before is asked for once more: services stumble.

    Raises:
        SourceError: as :meth:`Client.ask`; a page leads back to an earlier one, or comes again.
    """
    asked: set[str] = set()
    came: set[str] = set()
    request: Request | None = first
    before = 0
    while request is not None:
        asked.add(_mark(request.url, request.parameters, request.body))
        try:
            page = _page(client, request, route, before)
        except Gone:
            if route.ends_with_404 and len(asked) > 1:
                return
            raise
        mark = _mark(page.records)
        if page.records and mark in came:
            page = _page(client, request, route, before)
            mark = _mark(page.records)
        if page.records and mark in came:
            raise SourceError(
                name,
                "the service sends a page that it sent before",
                found=f"page {len(asked)} of {page.answer.url}",
                do=f"Look whether api.paging in {file} names the right parameter, and say where"
                " the total stands (api.total) if the last page comes again and again.",
            )
        came.add(mark)
        before = page.came
        yield page
        request = route.following(request, page)
        if request is not None and _mark(request.url, request.parameters, request.body) in asked:
            raise SourceError(
                name,
                "the pages lead in a circle",
                found=f"page {len(asked)} of {page.answer.url} names an earlier one as the next",
                do="Tell whoever runs the service; nothing was taken over.",
            )


def _page(client: Client, request: Request, route: Route, before: int) -> Page:
    answer = client.ask(request)
    records = route.records(answer)
    return Page(records, answer, before + len(records), route.total(answer))


def _mark(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


# -- records and totals


def records_at(answer: Answer, path: str, name: str, file: str) -> list[Record]:
    """The list of records of an answer; one object is a list of one.

    Args:
        path: where it stands; '' finds it: the answer itself, or the one list that it has.

    Raises:
        SourceLayout: there is none there, or it holds something else than objects.
    """
    if answer.body is None:
        return []
    found = answer.at(path) if path else _found(answer.body)
    if found is None and path and _is_there(answer.body, path):
        return []
    if isinstance(found, Mapping):
        found = [found]
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise SourceLayout(
            name,
            f"the answer has no list of records at '{path}'" if path else "no list of records",
            found=_names(answer.body),
            do=f"Say where it stands as api.records in {file}.",
        )
    return found


def _found(body: Any) -> Any:
    """The one list of objects of an answer; of several the one that is called like one."""
    if isinstance(body, list) or not isinstance(body, Mapping):
        return body if isinstance(body, list) else None
    lists = list(_lists(body, 3))
    filled = [one for one in lists if one[1]] or lists
    named = [one for name in _LISTS for one in filled if one[0] == name]
    return named[0][1] if named else filled[0][1] if len(filled) == 1 else None


def _lists(body: Mapping[str, Any], depth: int) -> Iterator[tuple[str, list[Record]]]:
    """Every list of objects in an answer, the outer ones first, by its own name."""
    for name, value in body.items():
        is_list = isinstance(value, list) and all(isinstance(one, Mapping) for one in value)
        if is_list and name not in _ASIDE:
            yield name, value
    for value in body.values():
        if isinstance(value, Mapping) and depth > 1:
            yield from _lists(value, depth - 1)


def _is_there(body: Any, path: str) -> bool:
    """Whether a place is there, though nothing stands at it: a page without records."""
    before, _, last = path.rpartition(".")
    inside = at(body, before)
    return isinstance(inside, Mapping) and last in inside


def _names(body: Any) -> str:
    """What an answer has, without values."""
    if isinstance(body, Mapping):
        return ", ".join(map(str, list(body)[:12])) or "an empty object"
    return f"a list of {type(body[0]).__name__}" if isinstance(body, list) and body else "no object"


def total_at(answer: Answer, path: str) -> int | None:
    """How many records there are in all, as the answer says; None if it does not."""
    found = answer.at(path) if path else None
    try:
        return int(str(found)) if found is not None and not isinstance(found, bool) else None
    except ValueError:
        return None


# -- REST as declared


@dataclass(frozen=True)
class Declared:
    """The way through a REST service as its settings say.

    Attributes:
        paging: as declared; None: as the header ``Link`` says, and never silently the first
            page alone.
        records: where the list of records stands; '' finds it.
        total: where the number of all records stands.
        size: records on a page.
        name, file: of the source, for messages.
    """

    paging: Paging | None
    records: str
    total: str
    size: int | None
    name: str
    file: str

    def route(self) -> Route:
        """Records, next pages and totals."""
        return Route(
            records=lambda answer: records_at(answer, self.records, self.name, self.file),
            following=self._following,
            total=lambda answer: total_at(answer, self.total),
            ends_with_404=bool(self.paging and self.paging.page),
        )

    def first(self, request: Request) -> Request:
        """The request for the first page."""
        paging = self.paging
        if paging is None:
            return request
        if paging.size and self.size:
            request = request.with_parameters({paging.size: str(self.size)})
        if paging.page:
            request = request.with_parameters({paging.page: str(paging.first)})
        if paging.offset:
            request = request.with_parameters({paging.offset: "0"})
        return request

    def _following(self, request: Request, page: Page) -> Request | None:
        paging, answer = self.paging, page.answer
        if paging is None or paging.link:
            if not answer.link and paging is None:
                _refuse_hidden(page, self.name, self.file)
            return Request(answer.link, headers=request.headers) if answer.link else None
        if paging.more and answer.at(paging.more) in _NO:
            return None
        if paging.next:
            link = answer.at(paging.next)
            return Request(str(link), headers=request.headers) if link else None
        if paging.cursor:
            token = answer.at(paging.token) if paging.token else _last(page, paging.last)
            return None if token in _NO else request.with_parameters({paging.cursor: str(token)})
        # A page that is not full is no end: services give fewer records than they are asked for.
        said = total_at(answer, self.total)
        if not page.records or (said is not None and page.came >= said):
            return None
        if paging.offset:
            return request.with_parameters({paging.offset: str(page.came)})
        number = int(dict(request.parameters)[paging.page]) + 1
        return request.with_parameters({paging.page: str(number)})


def _last(page: Page, field: str) -> Any:
    return Answer(page.records[-1], "").at(field) if page.records else None


def hidden(page: Page) -> tuple[list[str], list[str]]:
    """Places of an answer that speak of more pages, and of more records in all than came."""
    body = page.answer
    if isinstance(body.body, list):
        return [], []
    hints = [place for place in _NEXT if body.at(place) not in (*_NO, [], {})]
    totals = [(place, total_at(body, place)) for place in _TOTALS]
    return hints, [place for place, said in totals if said is not None and said > page.came]


def _refuse_hidden(page: Page, name: str, file: str) -> None:
    """Raise if an answer speaks of more records than it has and nobody said how to get them."""
    hints, totals = hidden(page)
    if hints or totals:
        raise SourceLayout(
            name,
            "there are more pages, and nothing says how they are asked for",
            found=", ".join([*hints, *totals]),
            do=f"Say api.paging in {file}: next, link, page, offset or cursor.",
        )
