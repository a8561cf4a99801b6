"""A small OData service, version 2 or 4: filters, orders, pages, expands and counts.

It takes what it is told literally and refuses what real services refuse: fields that it
does not have, filters that it cannot parse.
"""

import re
from datetime import UTC, datetime

from tests.connectors.web.conftest import Asked, Reply

V2 = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">
<edmx:DataServices><Schema Namespace="API" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">
{types}
<EntityContainer Name="C">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"""

V4 = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
<edmx:DataServices><Schema Namespace="API" Alias="self"
 xmlns="http://docs.oasis-open.org/odata/ns/edm">
{types}
<EntityContainer Name="C">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"""

_TOKEN = re.compile(
    r"\s*(\(|\)|datetimeoffset'[^']*'|datetime'[^']*'|guid'[^']*'|'(?:[^']|'')*'|[\w.:+-]+)"
)


class Refused(Exception):
    """A request that the service does not understand."""


def _parse(text, fields):
    """A filter → function of a record."""
    tokens = []
    place = 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if not match:
            raise Refused("FILTER_SYNTAX")
        tokens.append(match.group(1))
        place = match.end()

    def value(token):
        if token == "null":
            return None
        for mark in ("datetimeoffset", "datetime", "guid"):
            if token.startswith(f"{mark}'"):
                inside = token[len(mark) + 1 : -1]
                return inside if mark == "guid" else inside.removesuffix("Z")
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        return token.removesuffix("Z")

    def any_of():
        parts = [all_of()]
        while tokens and tokens[0] == "or":
            tokens.pop(0)
            parts.append(all_of())
        return lambda record: any(part(record) for part in parts)

    def all_of():
        parts = [one()]
        while tokens and tokens[0] == "and":
            tokens.pop(0)
            parts.append(one())
        return lambda record: all(part(record) for part in parts)

    def one():
        token = tokens.pop(0)
        if token == "(":
            inner = any_of()
            assert tokens.pop(0) == ")"
            return inner
        name, sign, wanted = token, tokens.pop(0), value(tokens.pop(0))
        if name not in fields:
            raise Refused("NO_SUCH_PROPERTY")

        def holds(record):
            own = record.get(name)
            if wanted is None or own is None:
                return {"eq": own is wanted, "ne": own is not wanted}.get(sign, False)
            own, there = str(own).removesuffix("Z"), wanted
            if own.isdecimal() and wanted.isdecimal():
                own, there = int(own), int(wanted)
            return {
                "eq": own == there,
                "ne": own != there,
                "gt": own > there,
                "ge": own >= there,
                "lt": own < there,
                "le": own <= there,
            }[sign]

        return holds

    made = any_of()
    if tokens:
        raise Refused("FILTER_SYNTAX")
    return made


class Service:
    """One set of records, ``Customers``, with relations.

    Attributes:
        records: each with all of its fields; a list or object of another kind under the name
            of a relation.
        most: records that one answer has at most.
        log: (moment, key) of changes for delta links; a key of a record that is gone was deleted.
    """

    def __init__(self, version, kinds, key, records, *, most=3, name="Customers", main="Customer"):
        """``kinds``: kind → {field: Edm type, or [kind] for a list, or (kind,) for one}."""
        self.version, self.kinds, self.key = version, kinds, key
        self.records, self.most, self.name, self.main = records, most, name, main
        self.tracked = False
        self.log = []
        self.expired = False

    # -- metadata

    def metadata(self):
        types, sets = [], []
        for kind, fields in self.kinds.items():
            key = "".join(f'<PropertyRef Name="{name}"/>' for name in self.key)
            body = f"<Key>{key}</Key>" if kind == self.main else ""
            for name, what in fields.items():
                if isinstance(what, str):
                    body += f'<Property Name="{name}" Type="{what}"/>'
                elif self.version == 4:
                    full = f"Collection(self.{what[0]})" if isinstance(what, list) else what[0]
                    full = full if isinstance(what, list) else f"self.{full}"
                    body += f'<NavigationProperty Name="{name}" Type="{full}"/>'
                else:
                    body += (
                        f'<NavigationProperty Name="{name}" Relationship="API.r_{kind}_{name}"'
                        f' FromRole="from" ToRole="to"/>'
                    )
                    types.append(
                        f'<Association Name="r_{kind}_{name}"><End Type="API.{kind}" Role="from"/>'
                        f'<End Type="API.{what[0]}" Role="to"/></Association>'
                    )
            types.append(f'<EntityType Name="{kind}">{body}</EntityType>')
        sets.append(f'<EntitySet Name="{self.name}" EntityType="API.{self.main}"/>')
        document = V2 if self.version == 2 else V4
        return document.format(types="".join(types), sets="".join(sets)).encode()

    # -- answers

    def __call__(self, asked: Asked) -> Reply:
        if asked.path.endswith("/$metadata"):
            return Reply(self.metadata(), headers={"Content-Type": "application/xml"})
        if not asked.path.endswith(f"/{self.name}"):
            return Reply({"error": {"code": "NOT_FOUND"}}, 404)
        try:
            return self.answer(asked)
        except Refused as refused:
            return Reply({"error": {"code": str(refused), "message": "Ann Sample"}}, 400)

    def answer(self, asked):
        query = asked.query
        if "$deltatoken" in query:
            return self.delta(asked)
        fields = self.kinds[self.main]
        found = self.records
        if "$filter" in query:
            holds = _parse(query["$filter"], fields)
            found = [record for record in found if holds(record)]
        total = len(found)
        for name in reversed([part for part in query.get("$orderby", "").split(",") if part]):
            found = sorted(found, key=lambda record: record[name])
        if "$top" in query:
            found = found[: int(query["$top"])]
        start = int(query.get("$skiptoken", 0))
        page, rest = found[start : start + self.most], found[start + self.most :]
        link = None
        if rest and ("$top" not in query):
            kept = "&".join(f"{n}={v}" for n, v in query.items() if n != "$skiptoken")
            link = f"http://internal.invalid{asked.path}?{kept}&$skiptoken={start + self.most}"
        if self.version == 2:
            body = {"results": [self.shown_2(record, query) for record in page]}
            body |= {"__count": str(total)} if query.get("$inlinecount") == "allpages" else {}
            body |= {"__next": link} if link else {}
            return Reply({"d": body})
        body = {"value": [self.shown_4(record, query, asked) for record in page]}
        body |= {"@odata.count": total} if query.get("$count") == "true" else {}
        body |= {"@odata.nextLink": link.replace(" ", "%20")} if link else {}
        if not link and "odata.track-changes" in asked.headers.get("prefer", "") and self.tracked:
            if {"$filter", "$orderby", "$expand", "$top"} & set(query):
                raise Refused("NOT_WITH_TRACKING")
            body |= {"@odata.deltaLink": self.link(asked)}
        return Reply(body)

    def link(self, asked):
        kept = f"$select={asked.query['$select']}&" if "$select" in asked.query else ""
        return f"http://internal.invalid{asked.path}?{kept}$deltatoken={len(self.log)}"

    def delta(self, asked):
        if self.expired:
            return Reply({"error": {"code": "0x80044352"}}, 410)
        changed = dict.fromkeys(key for _, key in self.log[int(asked.query["$deltatoken"]) :])
        there = {record[self.key[0]]: record for record in self.records}
        value = []
        for key in changed:
            if key in there:
                value.append(self.shown_4(there[key], asked.query, asked))
            else:
                context = f"$metadata#{self.name}/$deletedEntity"
                value.append({"@odata.context": context, "id": key, "reason": "deleted"})
        return Reply({"value": value, "@odata.deltaLink": self.link(asked)})

    # -- records

    def shown_2(self, record, query):
        selected = [part for part in query.get("$select", "").split(",") if part]
        expanded = [part for part in query.get("$expand", "").split(",") if part]
        return self._object_2(record, self.main, selected, expanded)

    def _object_2(self, record, kind, selected, expanded):
        fields = self.kinds[kind]
        plain = {part.partition("/")[0] for part in selected}
        if plain - set(fields) or {part.partition("/")[0] for part in expanded} - set(fields):
            raise Refused("NO_SUCH_PROPERTY")
        shown = {"__metadata": {"type": f"API.{kind}"}}
        for name, what in fields.items():
            if isinstance(what, str):
                if not selected or name in selected:
                    shown[name] = _value_2(record.get(name), what)
                continue
            if name not in expanded:
                if not selected:
                    shown[name] = {"__deferred": {"uri": "x"}}
                continue
            before = f"{name}/"
            inner = [p.removeprefix(before) for p in selected if p.startswith(before)]
            deeper = [p.removeprefix(before) for p in expanded if p.startswith(before)]
            value = record.get(name)
            many = [self._object_2(one, what[0], inner, deeper) for one in _many(value)]
            shown[name] = {"results": many} if isinstance(what, list) else (many or [None])[0]
        return shown

    def shown_4(self, record, query, asked):
        selected = [part for part in query.get("$select", "").split(",") if part]
        shown = self._object_4(record, self.main, selected, query.get("$expand", ""))
        if "FormattedValue" in asked.headers.get("prefer", ""):
            for name in list(shown):
                if f"{name}.text" in record:
                    said = "@OData.Community.Display.V1.FormattedValue"
                    shown[f"{name}{said}"] = record[f"{name}.text"]
        return {"@odata.etag": 'W/"1"', **shown}

    def _object_4(self, record, kind, selected, expand):
        fields = self.kinds[kind]
        if set(selected) - set(fields):
            raise Refused("NO_SUCH_PROPERTY")
        shown = {
            name: record.get(name)
            for name, what in fields.items()
            if isinstance(what, str) and (not selected or name in selected)
        }
        for part in _parts(expand, ","):
            name, _, inside = part.partition("(")
            if name not in fields:
                raise Refused("NO_SUCH_PROPERTY")
            options = dict(o.split("=", 1) for o in _parts(inside.removesuffix(")"), ";") if o)
            inner = [p for p in options.get("$select", "").split(",") if p]
            many = [
                self._object_4(one, fields[name][0], inner, options.get("$expand", ""))
                for one in _many(record.get(name))
            ]
            shown[name] = many if isinstance(fields[name], list) else (many or [None])[0]
        return shown


def _many(value):
    return value if isinstance(value, list) else [value] if value else []


def _parts(text, sign):
    """Split where no parenthesis is open."""
    parts, depth, current = [], 0, ""
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == sign and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += letter
    return [*parts, current] if current else parts


def _value_2(value, kind):
    if value is None or kind not in ("Edm.DateTime", "Edm.DateTimeOffset", "Edm.Time"):
        return value
    if kind == "Edm.Time":
        hours, minutes, seconds = value.split(":")
        return f"PT{hours}H{minutes}M{seconds}S"
    moment = datetime.fromisoformat(value).replace(tzinfo=UTC)
    offset = "+0000" if kind == "Edm.DateTimeOffset" else ""
    return f"/Date({int(moment.timestamp() * 1000)}{offset})/"
