"""Which fields of an OData service the columns of a source need.

What belongs here: from the names of columns (``to_Address.City``) to fields and relations
of ``$metadata``, and from those to ``$select`` and ``$expand``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors import mapping
from connectors.web.metadata import Entity, Model
from connectors.web.odata_values import SHOWN


@dataclass
class Fields:
    """Fields of one kind of record that are asked for, and those of related ones.

    Attributes:
        own: names of its own fields.
        related: relation → what is asked for of the other side.
    """

    own: dict[str, None] = field(default_factory=dict)
    related: dict[str, "Fields"] = field(default_factory=dict)


def needed(model: Model, entity: Entity, wanted: Iterable[str]) -> tuple[Fields, list[str]]:
    """The fields behind some columns.

    Args:
        wanted: names of columns, as a source's settings have them; those that the service
            does not have are left out.

    Returns:
        What is asked for, and the names under which it comes.
    """
    top, found = Fields(), dict[str, None]()
    for name in wanted:
        plain = name.removesuffix("?")
        column = _found(model, plain.removesuffix(SHOWN), entity, top)
        if column:
            found[column + SHOWN if plain.endswith(SHOWN) else column] = None
    return top, list(found)


def _found(model: Model, name: str, entity: Entity, into: Fields) -> str:
    """Note what a column needs; the name under which it comes, '' if it does not."""
    own = mapping.find_column(list(entity.fields), name)
    if own is not None:
        into.own[own] = None
        return own
    first, _, rest = name.partition(".")
    relation = mapping.find_column(list(entity.relations), first) if rest else None
    if relation is not None:
        inside = into.related.get(relation, Fields())
        other = model.entities.get(entity.relations[relation], Entity((), {}, {}))
        column = _found(model, rest, other, inside)
        if column:
            into.related[relation] = inside
        return column and f"{relation}.{column}"
    parts = mapping.find_column(list(entity.fields), first) if rest else None
    if parts is not None and not entity.fields[parts].startswith("Edm."):
        into.own[parts] = None  # a field with parts of its own
        return f"{parts}.{rest}"
    return ""


def shape(version: int, fields: Fields, *, narrow: bool) -> dict[str, str]:
    """``$select`` and ``$expand``.

    Args:
        narrow: nothing but these fields; else all fields of the records.

    >>> some = Fields({"Id": None}, {"to_A": Fields({"City": None}, {"to_B": Fields({"C": None})})})
    >>> shape(4, some, narrow=True)
    {'$select': 'Id', '$expand': 'to_A($select=City;$expand=to_B($select=C))'}
    >>> shape(2, some, narrow=True)
    {'$select': 'Id,to_A/City,to_A/to_B/C', '$expand': 'to_A,to_A/to_B'}
    >>> shape(4, some, narrow=False), shape(2, Fields(), narrow=False)
    ({'$expand': 'to_A($expand=to_B)'}, {})
    """
    if version == 2:
        paths = list(_paths(fields, ""))
        own = [f"{before}{name}" for before, part in [("", fields), *paths] for name in part.own]
        select = ",".join(own) if narrow else ""
        expand = ",".join(path.rstrip("/") for path, _ in paths)
    else:
        select = ",".join(fields.own) if narrow else ""
        expand = ",".join(_expanded(fields, narrow=narrow))
    parameters = {"$select": select, "$expand": expand}
    return {name: value for name, value in parameters.items() if value}


def _paths(fields: Fields, before: str) -> Iterator[tuple[str, Fields]]:
    for name, part in fields.related.items():
        yield f"{before}{name}/", part
        yield from _paths(part, f"{before}{name}/")


def _expanded(fields: Fields, *, narrow: bool) -> Iterator[str]:
    for name, part in fields.related.items():
        inner = [f"$select={','.join(part.own)}"] if narrow and part.own else []
        deeper = ",".join(_expanded(part, narrow=narrow))
        inner += [f"$expand={deeper}"] if deeper else []
        yield f"{name}({';'.join(inner)})" if inner else name
