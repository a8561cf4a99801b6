"""What a web address leads to: a known system, an OData service, a REST service, or a file.

What belongs here: the settings that say where the records are. What their fields mean is
found as for every source (connectors/recognition.py).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

import httpx

from connectors import databases, mapping, templates
from connectors.config import SourceConfig
from connectors.databases import Fit
from connectors.web import metadata, paging
from connectors.web.answers import Answer
from connectors.web.client import Client, Gone, NotUnderstood, Request
from connectors.web.metadata import Model
from connectors.web.paging import Page
from connectors.web.settings import ApiSettings
from onefold.errors import SourceLayout, SourceMissing
from onefold.settings import expand_environment

_ENDING = re.compile(r"\.[A-Za-z]\w{0,8}(\.(gz|zip))?$")
_USER = re.compile(r"(https?://)([^/@:]*)(?::([^/@]*))?@")
_CURSORS = ("cursor", "after", "page_token", "pageToken", "next_token", "starting_after")
_PAGES = ("page", "page_number", "pageNumber", "p")
_OFFSETS = ("offset", "skip", "start", "startIndex")
"""What services usually call the parameter of the next page."""
_PLACE = frozenset({"address", "city", "postal_code", "region", "country"})
_MAIN = re.compile(r"(is_?)?(main|default|primary)", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """Where records are.

    Attributes:
        settings: of the source's YAML, secrets as ``${NAME}``.
        config: the same with everything filled in.
        what: in words.
        secret: an environment variable that must hold a secret, '' without.
        others: further sets of records that may list customers.
        template: the known system, or ''.
    """

    settings: dict[str, Any]
    config: SourceConfig
    what: str
    secret: str = ""
    others: tuple[Fit, ...] = ()
    template: str = ""


def is_file(url: str) -> bool:
    """Whether an address looks like that of a file and not of a service.

    >>> is_file("https://a.example/exports/crm.csv.gz"), is_file("https://a.example/v1.0/Customers")
    (True, False)
    """
    last = httpx.URL(url).path.rpartition("/")[2]
    return bool(_ENDING.search(last)) or "*" in last


def find(
    url: str, name: str, variable: str, *, table: str | None = None, template: str | None = None
) -> Found | None:
    """What an address leads to; None if it gives something else than records.

    Args:
        url: the address, with or without user and password.
        name: the source's name.
        variable: what names of its environment variables begin with.
        table: the set of records of an OData service; else the likeliest.
        template: known system; '' for none; else by the host.

    Raises:
        ConfigError: a variable is not set.
        SourceError: the service does not answer, refuses, or has nothing like customers.
    """
    plain, written, real, secret = _without_user(url, f"{variable}_PASSWORD")
    known = _by_host(plain) if template is None else template
    if known:
        return _of_template(known, plain, written, real, secret, name, variable)
    reached = {"auth": real} if real else {}
    start = {"connector": "api", "url": plain, "api": reached}
    config = SourceConfig.model_validate({**start, "name": name, "headings": "auto"})
    with Client(name, "the URL", plain, config.api or ApiSettings()) as client:
        root, model = _odata(client, plain)
        if model is not None:
            place, others = _set_of(model, plain, root, table, name)
            api: dict[str, Any] = {"kind": "odata"}
            what = place.rpartition("/")[2]
        else:
            found = _rest(client, plain)
            if found is None:
                return None
            place, others, api, what = plain, (), found, httpx.URL(plain).path or plain
    api |= {"auth": written} if written else {}
    lists = api.pop("lists", {})
    settings: dict[str, Any] = {"connector": "api", "url": place}
    settings |= {"lists": lists} if lists else {}
    settings |= {"api": api} if api else {}
    config = SourceConfig.model_validate(
        {**settings, "api": {**api, **reached}, "name": name, "headings": "auto"}
    )
    return Found(settings, config, what, secret, others)


def _of_template(
    template: str,
    url: str,
    written: dict[str, str],
    real: dict[str, str],
    secret: str,
    name: str,
    variable: str,
) -> Found:
    """A known system, asked as its template says."""
    known = templates.load(template)
    said = dict(known.api.auth) if known.api and not written else written
    auth = {
        key: text.replace("${NAME_URL}", url.rstrip("/")).replace("${NAME", f"${{{variable}")
        for key, text in said.items()
    }
    settings: dict[str, Any] = {"template": template, "url": url}
    settings |= {"api": {"auth": auth}} if auth else {}
    reached = {"auth": real or _filled(auth)} if auth else {}
    filled = templates.fill({**settings, "api": reached, "name": name})
    return Found(
        settings,
        SourceConfig.model_validate(filled),
        f"{known.title} ({template})",
        secret,
        template=template,
    )


def _by_host(url: str) -> str:
    host = httpx.URL(url).host
    for name in templates.names():
        api = templates.load(name).api
        if api and any(host.endswith(end) for end in api.hosts):
            return name
    return ""


def _without_user(url: str, variable: str) -> tuple[str, dict[str, str], dict[str, str], str]:
    """The address without user and password; these as they are written, and as they are; and
    the variable that holds the password."""
    match = _USER.match(url)
    if not match:
        return expand_environment(url, "the URL"), {}, {}, ""
    plain = expand_environment(match.group(1) + url[match.end() :], "the URL")
    user, given = match.group(2), match.group(3) or ""
    in_variable = re.fullmatch(r"\$\{([A-Za-z_]\w*)\}", given)
    secret = in_variable.group(1) if in_variable else variable
    password = expand_environment(given, "the URL") if in_variable else unquote(given)
    written = {"user": unquote(user), "password": f"${{{secret}}}"}
    return plain, written, {**written, "password": password}, secret


def _filled(settings: Mapping[str, str]) -> dict[str, str]:
    return {key: expand_environment(value, "the URL") for key, value in settings.items()}


# -- services


def _odata(client: Client, url: str) -> tuple[str, Model | None]:
    """The root of an OData service at or above an address, and what it has."""
    place = url.partition("?")[0].rstrip("/")
    for root in (place, place.rpartition("/")[0]):
        if root.count("/") < 2:  # the host itself is the least
            continue
        try:
            text = client.text(
                Request(f"{root}/$metadata", headers=(("Accept", "application/xml"),))
            )
            return root, metadata.parse(text)
        except (Gone, NotUnderstood, ValueError):
            continue
    return "", None


def _set_of(
    model: Model, url: str, root: str, table: str | None, name: str
) -> tuple[str, tuple[Fit, ...]]:
    """The address of the set of records, and those of further ones."""
    last = url.partition("?")[0].rstrip("/").removeprefix(root).strip("/")
    wanted = table or last
    if wanted:
        if wanted not in model.sets:
            raise SourceMissing(
                name,
                f"the service has no set of records '{wanted}'",
                found=", ".join(sorted(model.sets)[:40]),
                do="Name one of them with --table.",
            )
        return f"{root}/{wanted}", ()
    fits = [
        databases.fit(one, list(model.entities[kind].fields))
        for one, kind in model.sets.items()
        if kind in model.entities
    ]
    fits = sorted(
        (fit for fit in fits if fit.score >= databases.LIKELY),
        key=lambda one: (-one.score, one.table),
    )
    if not fits:
        raise SourceLayout(
            name,
            "no set of records looks like one of customers",
            found=", ".join(sorted(model.sets)[:40]),
            do="Name it with --table.",
        )
    return f"{root}/{fits[0].table}", tuple(fits[1:])


def _rest(client: Client, url: str) -> dict[str, Any] | None:
    """The settings of a REST service; None if the address gives no list of records."""
    try:
        answer = client.ask(Request(url))
        records = paging.records_at(answer, "", "", "")
    except SourceLayout:
        return None
    lists = {"lists": lists} if (lists := _lists(records)) else {}
    if not records or isinstance(answer.body, list):
        return lists
    path = _path_of(answer, records)
    found: dict[str, Any] = {"records": path} if path else {}
    found |= lists
    hints, totals = paging.hidden(Page(records, answer, len(records), None))
    if totals:
        found["total"] = totals[0]
    if (hints or totals) and not answer.link:
        way = _way(client, url, answer, records, hints, path)
        found |= {"paging": way} if way else {}
    return found


def _way(
    client: Client,
    url: str,
    answer: Answer,
    records: Sequence[Any],
    hints: Sequence[str],
    path: str,
) -> dict[str, str] | None:
    """How the second page is asked for: what the answer says, else the usual ways, tried out."""
    for place in hints:
        said = answer.at(place)
        if isinstance(said, str) and said.startswith(("http://", "https://", "/", "?")):
            return {"next": place}
    tokens = [place for place in hints if isinstance(answer.at(place), str)]
    ways = [({"cursor": name, "token": place}, name, str(answer.at(place)))
            for place in tokens for name in _CURSORS]  # fmt: skip
    ways += [({"page": name}, name, "2") for name in _PAGES]
    ways += [({"offset": name}, name, str(len(records))) for name in _OFFSETS]
    for way, name, value in ways:
        try:
            second = client.ask(Request(url).with_parameters({name: value}))
            others = paging.records_at(second, path, "", "")
        except (Gone, SourceLayout):
            continue
        if others and others[0] not in records:
            return way
    return None


def _lists(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Lists of places: one place of several is an address, all of them together are none."""
    found: dict[str, Any] = {}
    for record in records:
        for name, value in record.items():
            for one in value if isinstance(value, list) else ():
                if not isinstance(one, Mapping):
                    continue
                meant = {known.field for known in map(mapping.meaning, one) if known}
                if not meant & _PLACE:
                    continue
                main = [key for key in one if _MAIN.fullmatch(key) and isinstance(one[key], bool)]
                found[name] = {"prefer": {main[0]: "true"}} if main else "first"
    return found


def _path_of(answer: Answer, records: Sequence[Any]) -> str:
    """Where the list of records stands."""
    if not isinstance(answer.body, Mapping):
        return ""
    for name, value in answer.body.items():
        if value is records or value == records:
            return str(name)
        if isinstance(value, Mapping):
            inner = _path_of(replace(answer, body=value), records)
            if inner:
                return f"{name}.{inner}"
    return ""
