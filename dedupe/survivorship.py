"""Cluster → golden record: which value each field shows, and why.

What belongs here: taking each golden value from the record that
dedupe/ranking.py puts first. Fields that only make sense together (the parts of
an address, of a name) are chosen together, from one record. Every golden value
is some source record's value, unchanged, or a steward's override; provenance
names which.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.ranking import Members, firsts, rank, union
from dedupe.survivorship_policy import HEADS, LISTS, Policy, load_policy
from rules.customer import BY_NAME, GOLDEN_FIELDS

__all__ = [
    "GOLDEN_SCHEMA",
    "PROVENANCE_SCHEMA",
    "Consolidated",
    "Policy",
    "consolidate",
    "in_parts",
    "load_policy",
    "parsed",
]

PART = 20_000
"""Customers of one part, of some 21 values each."""
ONLY = "only value"
"""The rule of a value that stands in one record only."""

PROVENANCE_SCHEMA = pa.schema(
    [
        pa.field("golden_id", pa.string()),
        pa.field("field", pa.string()),
        pa.field("item", pa.int32()),
        pa.field("source", pa.string()),
        pa.field("source_key", pa.string()),
        pa.field("rule", pa.string()),
    ]
)
GOLDEN_SCHEMA = pa.schema(
    [
        pa.field("golden_id", pa.string()),
        *(field.arrow for field in GOLDEN_FIELDS),
        pa.field("record_count", pa.int64()),
        pa.field("source_count", pa.int64()),
        pa.field("sources", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True)
class Consolidated:
    """The outcome of :func:`consolidate`.

    Attributes:
        golden: GOLDEN_SCHEMA, one row per golden customer, sorted by golden_id.
        provenance: golden_id, field, item (place in a list, else 0), source,
            source_key, rule; one row per golden value, sorted.
    """

    golden: pa.Table
    provenance: pa.Table


def in_parts(
    staged: pa.Table,
    crosswalk: pa.Table,
    policy: Policy,
    overrides: pa.Table | None = None,
    size: int = PART,
) -> Iterator[Consolidated]:
    """As :func:`consolidate`, ``size`` customers at a time, so that memory stays bounded.

    Yields:
        Consolidated, by ascending golden_id; none where there is no customer.
    """
    where = pc.index_in(crosswalk["record_id"], staged["record_id"])
    pairs = crosswalk.select(["record_id", "golden_id"]).append_column("row", where)
    pairs = pairs.filter(pc.is_valid(where)).sort_by("golden_id").combine_chunks()
    starts = _starts(pairs["golden_id"])
    ends = [*starts[size::size].tolist(), pairs.num_rows]
    staged = staged.combine_chunks()
    for start, end in pairwise([0, *ends]):
        if start < end:
            some = pairs.slice(start, end - start)
            yield consolidate(staged.take(some["row"]), some, policy, overrides)


def _starts(ids: pa.ChunkedArray) -> np.ndarray:
    """Where each run of equal ids begins."""
    runs = pc.run_end_encode(ids.combine_chunks(), run_end_type=pa.int64())
    ends = np.asarray(runs.run_ends) if len(ids) else np.zeros(0, dtype=np.int64)
    return np.concatenate([[0], ends])[:-1] if len(ends) else ends


def consolidate(
    staged: pa.Table,
    crosswalk: pa.Table,
    policy: Policy,
    overrides: pa.Table | None = None,
) -> Consolidated:
    """Build the golden record of every customer.

    Args:
        staged: STAGED_SCHEMA.
        crosswalk: record_id, golden_id; records that are not staged are left out.
        policy: which value wins.
        overrides: decisions in force; rows of kind ``override`` (decision_id,
            golden_id, field, value as text) win over every source.

    Returns:
        Consolidated; the same for any order of rows.
    """
    members = Members(staged, crosswalk, policy)
    size = len(members.ids)
    values: dict[str, pa.Array | list[Any]] = {}
    trail = _Trail()
    for head in HEADS:
        ranking = rank(members, head)
        if head in LISTS:
            found, origins = union(members, ranking)
            groups, items, rows = np.array(origins, dtype=np.int64).reshape(-1, 3).T
            for at, name in enumerate(ranking.fields):
                values[name] = [
                    [item[at] for item in found.get(group, ())] for group in range(size)
                ]
                rules = np.full(len(rows), ranking.rule, dtype=object)
                trail.note(name, groups, items, rows, rules)
            continue
        groups, rows = firsts(members, ranking)
        candidates = np.bincount(members.group[ranking.order], minlength=size)
        rules = np.where(candidates[groups] > 1, ranking.rule, ONLY).astype(object)
        chosen = np.full(size, -1)
        chosen[groups] = rows
        where = pa.array(chosen, mask=chosen < 0)
        for name in ranking.fields:
            values[name] = members.table.column(name).combine_chunks().take(where)
            held = np.asarray(pc.is_valid(members.table.column(name)))[rows]
            trail.note(name, groups[held], np.zeros(held.sum(), int), rows[held], rules[held])
    decided = _override(members, values, overrides)

    sources: list[list[str]] = [[] for _ in range(size)]
    for group, name in sorted({*zip(members.group.tolist(), members.source, strict=True)}):
        sources[group].append(name)
    columns = {
        "golden_id": members.ids.tolist(),
        **values,
        "record_count": np.bincount(members.group, minlength=size),
        "source_count": [len(names) for names in sources],
        "sources": sources,
    }
    golden = pa.Table.from_pydict(columns, schema=GOLDEN_SCHEMA)
    return Consolidated(golden=golden, provenance=_decided(trail.table(members), decided))


class _Trail:
    """Where golden values came from, field by field."""

    def __init__(self) -> None:
        self.fields: list[str] = []
        self.parts: list[tuple[np.ndarray, ...]] = []

    def note(
        self,
        field: str,
        groups: np.ndarray,
        items: np.ndarray,
        rows: np.ndarray,
        rules: np.ndarray,
    ) -> None:
        """One field's values: their groups, places in a list, records and rules."""
        self.fields.append(field)
        self.parts.append((groups, items, rows, rules))

    def table(self, members: Members) -> pa.Table:
        """PROVENANCE_SCHEMA, sorted by golden_id, field and item."""
        groups, items, rows, rules = (
            np.concatenate(parts) for parts in zip(*self.parts, strict=True)
        )
        names = np.array(self.fields, dtype=object)
        rank = np.argsort(np.argsort(names))
        field = np.repeat(np.arange(len(names)), [len(part[0]) for part in self.parts])
        order = np.lexsort([items, rank[field], groups])
        rows = rows[order]
        columns = {
            "golden_id": members.ids[groups[order]],
            "field": names[field[order]],
            "item": items[order],
            "source": members.source[rows],
            "source_key": members.source_key[rows],
            "rule": rules[order],
        }
        return pa.Table.from_pydict(columns, schema=PROVENANCE_SCHEMA)


_Decided = dict[tuple[str, str], tuple[int, str]]
"""Golden id and field → how many values a steward gave it, by which decision."""


def _override(
    members: Members, values: dict[str, pa.Array | list[Any]], overrides: pa.Table | None
) -> _Decided:
    """Put the stewards' values over the sources', in place."""
    decided: _Decided = {}
    place = {golden: number for number, golden in enumerate(members.ids.tolist())}

    def put(field: str, golden: str, value: Any) -> None:
        column = values[field]
        if not isinstance(column, list):
            column = values[field] = column.to_pylist()
        column[place[golden]] = value

    for (golden, name), row in standing(overrides).items():
        if golden not in place:
            continue
        value = parsed(row["value"], BY_NAME[name].kind)
        put(name, golden, value)
        if name == "phones":
            put("phone_kinds", golden, ["unknown"] * len(value))
            put("phone_extensions", golden, [""] * len(value))
        count = len(value) if isinstance(value, list) else 1
        decided[golden, name] = (count, row["decision_id"])
    return decided


def standing(overrides: pa.Table | None) -> dict[tuple[str, str], dict[str, Any]]:
    """The overrides that hold: golden id and field → the latest decision on it."""
    rows = (
        [row for row in overrides.to_pylist() if row["kind"] == "override"]
        if overrides is not None
        else []
    )
    rows.sort(key=lambda row: (str(row["decided_at"]), row["decision_id"]))
    golden = {field.name for field in GOLDEN_FIELDS}
    return {(row["golden_id"], row["field"]): row for row in rows if row["field"] in golden}


def _decided(provenance: pa.Table, decided: _Decided) -> pa.Table:
    """The provenance, with stewards' decisions in the place of what they overrule."""
    if not decided:
        return provenance
    mine = pa.array([f"{golden} {field}" for golden, field in decided], pa.string())
    named = pc.binary_join_element_wise(provenance["golden_id"], provenance["field"], " ")
    kept = provenance.filter(pc.invert(pc.is_in(named, value_set=mine)))
    added = [
        (golden, field, item, "decision", decision_id, "override")
        for (golden, field), (count, decision_id) in decided.items()
        for item in range(count)
    ]
    new = [dict(zip(PROVENANCE_SCHEMA.names, row, strict=True)) for row in added]
    whole = pa.concat_tables([kept, pa.Table.from_pylist(new, schema=PROVENANCE_SCHEMA)])
    keys = ("golden_id", "field", "item")
    return whole.sort_by([(key, "ascending") for key in keys]).combine_chunks()


def parsed(text: str | None, kind: str) -> Any:
    """An override's text as a value of the field's kind.

    Raises:
        ValueError, KeyError: it is none (pyarrow's and json's errors are ValueErrors).
    """
    if text is None or text == "":
        return [] if kind == "list" else None
    if kind == "list":
        found = json.loads(text)
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise ValueError("not a list of text")
        return found
    if kind == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}[text.casefold()]
    if kind in ("date", "timestamp"):
        return pc.cast(
            pa.scalar(text), pa.date32() if kind == "date" else pa.timestamp("us", "UTC")
        ).as_py()
    return text
