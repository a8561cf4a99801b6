"""What stewards mended or let pass, put in before and while a source is read.

What belongs here: finding the cells that a repair was made for, and whether a
finding was accepted. A repair holds for one record of the source and one value
as it was read: a value that differs ends it, the same value brings it back.
What the repairs are and who made them stands in warehouse/repairs.py.

- value: the cells that made up the raw value get another text, and the record
  is read as if the source had written it. Repairs are put in in the order in
  which they were made, so that one may mend what another one wrote.
- accept: the finding is kept, and no longer takes value or record out. A text
  that no rule could read is used as written, where the field may hold any text
  (:data:`AS_WRITTEN`); elsewhere it stays out of use.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.config import SourceConfig
from connectors.mapping import resolve
from rules import text
from rules.cells import Cell, staged_fields
from rules.columns import Columns
from rules.quarantine import shorten

REPAIRS_SCHEMA = pa.schema(
    [
        pa.field("repair_id", pa.string()),
        pa.field("source_key", pa.string()),
        pa.field("field", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("value", pa.string()),
        pa.field("raw_hash", pa.string()),
    ]
)
"""One row per repair of a source, in the order in which they were made."""

AS_WRITTEN = frozenset(
    {
        "name", "contact_name", "legal_representative", "employer_name", "address_line",
        "national_id", "tax_id",
    }
)  # fmt: skip
"""Staged fields that may hold any text; the others have a form that later stages rely on."""

PARTS = " | "
"""Between the cells of a raw value that was read from several."""

_TOGETHER = (("address", "district", "city", "region"), ("family_name", "given_name"))
"""Input fields that rules read together: their raw value is that of all of them."""


def raw_hash(raw_value: str | None) -> str:
    """Hash of a raw value as the quarantine keeps it; no value and an empty one are alike.

    >>> raw_hash(None) == raw_hash(""), raw_hash("a") == raw_hash("b"), len(raw_hash("a"))
    (True, False, 32)
    """
    return hashlib.sha256((shorten(raw_value) or "").encode()).hexdigest()[:32]


class Repairs:
    """The repairs in force for one source.

    Args:
        table: :data:`REPAIRS_SCHEMA`; None: there are none.

    Attributes:
        values: repairs of kind value, in the order in which they were made.
    """

    def __init__(self, table: pa.Table | None = None) -> None:
        rows: list[dict[str, Any]] = table.to_pylist() if table is not None else []
        self.values = [row for row in rows if row["kind"] == "value"]
        self._accepted = {
            (row["source_key"], row["field"], row["rule"], row["raw_hash"]): str(row["repair_id"])
            for row in rows
            if row["kind"] == "accept"
        }
        self._keys = {key for key, *_ in self._accepted}
        self._ids = {str(row["repair_id"]) for row in rows}
        self._used: set[str] = set()

    @property
    def accepts_any(self) -> bool:
        """Whether anything was accepted."""
        return bool(self._keys)

    def accepts(self, key: str | None, field: str | None, rule: str, raw_value: str | None) -> bool:
        """Whether a steward accepted this finding on this record."""
        if key not in self._keys:
            return False
        repair_id = self._accepted.get((key, field, rule, raw_hash(raw_value)))
        if repair_id is not None:
            self._used.add(repair_id)
        return repair_id is not None

    @property
    def overtaken(self) -> list[str]:
        """Ids of the repairs for which no value or finding was met, sorted."""
        return sorted(self._ids - self._used)

    def apply(self, raw: pa.Table, config: SourceConfig) -> pa.Table:
        """The raw table with the mended values in place of the source's.

        Args:
            raw: ``_source_key`` and the source's columns as text.
            config: the source.

        Raises:
            SourceLayout: a mapped column is not there.
        """
        if not self.values:
            return raw
        wanted = pa.array(sorted({row["source_key"] for row in self.values}), pa.string())
        rows = pc.indices_nonzero(pc.is_in(raw["_source_key"], value_set=wanted)).to_pylist()
        known = raw.take(pa.array(rows, pa.int64())).to_pylist()
        place = {record["_source_key"]: number for number, record in enumerate(known)}
        columns = resolve(config, [name for name in raw.column_names if name[:1] != "_"])
        changed: dict[str, set[int]] = {}
        for repair in self.values:
            number = place.get(repair["source_key"])
            if number is None:
                continue
            mended = mend(known[number], columns, config.values, repair)
            if mended is None:
                continue
            self._used.add(repair["repair_id"])
            known[number].update(mended)
            for column in mended:
                changed.setdefault(column, set()).add(number)
        for column, numbers in changed.items():
            raw = _put(raw, column, {rows[one]: known[one][column] for one in sorted(numbers)})
        return raw


def _put(raw: pa.Table, column: str, cells: Mapping[int, str]) -> pa.Table:
    """The table with other texts in some rows of a column."""
    at = raw.schema.get_field_index(column)
    places = pa.array(sorted(cells), pa.int64())
    mask = pc.is_in(pa.array(range(raw.num_rows), pa.int64()), value_set=places)
    new = pa.array([cells[row] for row in sorted(cells)], pa.string())
    before = raw[column].cast(pa.string()).combine_chunks()
    return raw.set_column(at, column, pc.replace_with_mask(before, mask, new))


def mend(
    record: Mapping[str, str | None],
    columns: Mapping[str, Sequence[str]],
    values: Mapping[str, Mapping[str, str]],
    repair: Mapping[str, Any],
) -> dict[str, str] | None:
    """The cells of a record that a repair changes; None: none is as it was.

    A raw value that was read from several cells is mended in parts, which stand
    between :data:`PARTS`; cells for which no part is left become empty.

    Args:
        record: column → text as read.
        columns: input field → its columns.
        values: input field → value in the source → the one it stands for.
        repair: field, value and raw_hash.

    >>> record = {"tel": "138", "city": "南京", "street": "x"}
    >>> columns = {"phone": ["tel"], "city": ["city"], "address": ["street"]}
    >>> mend(record, columns, {}, {"field": "phones", "value": "13800000001",
    ...     "raw_hash": raw_hash("138")})
    {'tel': '13800000001'}
    >>> mend(record, columns, {}, {"field": "address_line", "value": "中山路1号 | 南京市",
    ...     "raw_hash": raw_hash("x | 南京")})
    {'street': '中山路1号', 'city': '南京市'}
    """
    wanted, new = repair["raw_hash"], repair["value"] or ""
    own = [
        (field, column)
        for field, names in columns.items()
        if repair["field"] in staged_fields(field)
        for column in names
    ]
    filled = [column for _, column in own if record.get(column)]
    if wanted == raw_hash(None):
        return {own[0][1]: new} if own and not filled else None
    others = [(field, column) for field, names in columns.items() for column in names]
    for among in (own, others):
        found = {
            column: new
            for field, column in among
            if any(raw_hash(one) == wanted for one in _read_as(record.get(column), values, field))
        }
        if found:
            return found
    for group in (filled, *_groups(record, columns)):
        for joint in (PARTS, " "):
            if len(group) > 1 and raw_hash(joint.join(str(record[one]) for one in group)) == wanted:
                return _parted(new, group, joint)
    return None


def _read_as(
    cell: str | None, values: Mapping[str, Mapping[str, str]], field: str
) -> Iterable[str]:
    """The texts that a finding on a cell may quote: as written, and what it stands for."""
    if not cell:
        return ()
    known = values.get(field, {})
    folded = {key.strip().casefold(): to for key, to in known.items()}
    stands_for = known.get(cell, folded.get(cell.strip().casefold()))
    return (cell, stands_for) if stands_for else (cell,)


def _groups(
    record: Mapping[str, str | None], columns: Mapping[str, Sequence[str]]
) -> Iterable[list[str]]:
    """Filled cells that are read together: the first of each input field, or all of them."""
    for fields in _TOGETHER:
        every = [[one for one in columns.get(field, ()) if record.get(one)] for field in fields]
        yield [names[0] for names in every if names]
    for names in columns.values():
        yield [one for one in names if record.get(one)]


def _parted(new: str, columns: Sequence[str], joint: str) -> dict[str, str]:
    """A text divided among cells; the last one takes what is left over."""
    parts = new.split(joint, len(columns) - 1) if joint == PARTS else [new]
    parts += [""] * (len(columns) - len(parts))
    return dict(zip(columns, parts, strict=True))


def use_as_written(staged: Columns, accepted: Iterable[tuple[int, str, Cell]]) -> None:
    """Fill staged fields that may hold any text with what a steward accepted, where empty.

    Of an address that is its line; city and region have fields of their own.

    Args:
        staged: the columns so far.
        accepted: row, staged field and raw value of each accepted finding.
    """
    for row, field, raw_value in accepted:
        parts = (raw_value or "").split(PARTS)
        written = text.clean(parts[0] if field == "address_line" else " ".join(parts))
        if field not in AS_WRITTEN or not text.fold(written) or staged[field][row]:
            continue
        if field in ("national_id", "tax_id"):
            written = written.upper()
            staged[f"{field}_kind"][row] = "other"
            keys = dict.fromkeys([*(staged["id_keys"][row] or ()), f"id:{written}"])
            staged["id_keys"][row] = list(keys)
        elif field == "name":
            staged["name_key"][row] = text.fold(written)
            staged["name_readings"][row] = text.readings(written)
        staged[field][row] = written
