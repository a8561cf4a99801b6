"""``$metadata`` of an OData service: its sets of records, their keys, fields and relations.

What belongs here: reading the document (OData CSDL 2 to 4.01). What is asked for is
connectors/web/odata.py.
"""

import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Entity:
    """One kind of record.

    Attributes:
        key: names of the fields that identify one.
        fields: name → type, such as ``Edm.String``; those of the kinds that it builds on, too.
        relations: name → kind of record on the other side, as its full name.
    """

    key: tuple[str, ...]
    fields: Mapping[str, str]
    relations: Mapping[str, str]


@dataclass(frozen=True)
class Model:
    """What a service has.

    Attributes:
        version: 2 or 4.
        sets: name of a set of records → full name of their kind.
        entities: full name of a kind of record → it.
    """

    version: int
    sets: Mapping[str, str]
    entities: Mapping[str, Entity]


@dataclass
class _Draft:
    base: str
    key: tuple[str, ...]
    fields: dict[str, str]
    relations: dict[str, str]


def parse(document: bytes) -> Model:
    """Read the document.

    Raises:
        ValueError: it is no such document.
    """
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise ValueError("a document with definitions of its own")
    drafts: dict[str, _Draft] = {}
    sets: dict[str, str] = {}
    ends: dict[tuple[str, str], str] = {}
    aliases: dict[str, str] = {}
    version = 0
    try:
        root = ET.parse(io.BytesIO(document)).getroot()  # noqa: S314  (definitions are refused)
    except ET.ParseError:
        raise ValueError("no XML") from None
    if _plain(root.tag) == "Edmx":
        version = 4 if root.get("Version", "").startswith("4") else 2
    for schema in _all(root, "Schema"):
        space = schema.get("Namespace", "")
        aliases[schema.get("Alias") or space] = space
        for part in schema:
            name = f"{space}.{part.get('Name', '')}"
            kind = _plain(part.tag)
            if kind in ("EntityType", "ComplexType"):
                drafts[name] = _draft(part)
            elif kind == "Association":
                for end in _all(part, "End"):
                    ends[name, end.get("Role", "")] = end.get("Type", "")
            elif kind == "EntityContainer":
                for one in _all(part, "EntitySet"):
                    sets[one.get("Name", "")] = one.get("EntityType", "")
    if not version or not sets:
        raise ValueError("no OData metadata")

    def full(name: str) -> str:
        name = name.removeprefix("Collection(").removesuffix(")")
        space, _, plain = name.rpartition(".")
        return f"{aliases.get(space, space)}.{plain}"

    def whole(name: str, seen: frozenset[str] = frozenset()) -> Entity:
        draft = drafts[name]
        base = full(draft.base) if draft.base else ""
        above = whole(base, seen | {name}) if base in drafts and base not in seen else None
        own = {
            relation: full(ends.get((full(target.partition("|")[0]), target.partition("|")[2]), ""))
            if "|" in target
            else full(target)
            for relation, target in draft.relations.items()
        }
        return Entity(
            draft.key or (above.key if above else ()),
            {**(above.fields if above else {}), **draft.fields},
            {**(above.relations if above else {}), **own},
        )

    return Model(
        version,
        {name: full(kind) for name, kind in sets.items()},
        {name: whole(name) for name in drafts},
    )


def _draft(part: ET.Element) -> _Draft:
    relations = {}
    for one in _all(part, "NavigationProperty"):
        # Version 4 names the kind, version 2 a relation and the role of the other side in it.
        kind = one.get("Type") or f"{one.get('Relationship', '')}|{one.get('ToRole', '')}"
        relations[one.get("Name", "")] = kind
    return _Draft(
        base=part.get("BaseType", ""),
        key=tuple(one.get("Name", "") for one in _all(part, "PropertyRef")),
        fields={one.get("Name", ""): one.get("Type", "") for one in _all(part, "Property")},
        relations=relations,
    )


def _all(element: ET.Element, name: str) -> Iterator[ET.Element]:
    return (one for one in element.iter() if _plain(one.tag) == name)


def _plain(tag: str) -> str:
    """The name without its namespace, which differs from version to version."""
    return tag.rpartition("}")[2]
