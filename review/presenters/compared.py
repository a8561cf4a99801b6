"""Records side by side: one row per field, one column per record, differences marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from review.presenters.differences import Piece, nearest, pieces
from review.presenters.fields import LABELS, PARTS, in_words, lines
from review.presenters.masking import seen

_NEVER = frozenset({"phone_kinds", "phone_extensions", "created_at", "updated_at"})


@dataclass(frozen=True)
class Column:
    """A record.

    Attributes:
        record_id, source, source_key, golden_id: of the record.
        customer: number of its customer among those compared, from 1.
        name: as shown.
        updated_at: when the source last changed it, UTC; None if it does not say.
        synced_at: when the source was synced last, UTC; None if not known.
        position: where it stood when last read.
    """

    record_id: str
    source: str
    source_key: str
    golden_id: str
    customer: int
    name: str
    updated_at: datetime | None
    synced_at: datetime | None
    position: str


@dataclass(frozen=True)
class Cell:
    """What one record says of one field.

    Attributes:
        values: each value as pieces; empty where the record says nothing.
        word: the marked text, where the value is a word of ours.
        state: same (as the first record that says something), differs, first, or missing.
    """

    values: list[list[Piece]]
    word: str | None
    state: str


@dataclass(frozen=True)
class Row:
    """One field of all records.

    Attributes:
        field: the column of the canonical model.
        label: what it is called, marked.
        cells: one per record, in the order of the columns.
        state: same (all that say something say the same, two at least), differs, or alone.
        part: whether it repeats a piece of another field.
    """

    field: str
    label: str
    cells: list[Cell]
    state: str
    part: bool


@dataclass(frozen=True)
class Compared:
    """The records of a case or customer.

    Attributes:
        columns: the records, those of one customer together.
        rows: fields that at least one of them has.
    """

    columns: list[Column]
    rows: list[Row]

    @property
    def customers(self) -> list[tuple[str, int]]:
        """Golden id and number of records, in the order of the columns."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if found and found[-1][0] == column.golden_id:
                found[-1] = (column.golden_id, found[-1][1] + 1)
            else:
                found.append((column.golden_id, 1))
        return found


def compare(
    records: Sequence[dict[str, Any]],
    golden_ids: Sequence[str],
    synced_at: dict[str, datetime],
    *,
    may_see_all: bool,
    sides: Mapping[str, int] | None = None,
) -> Compared:
    """Put records side by side.

    Args:
        records: golden_id and staged columns, as values.
        golden_ids: their customers, in the order to show them.
        synced_at: source → when it was synced last, UTC.
        may_see_all: whether personal values are shown in full.
        sides: record_id → part of a customer that may be several; each part stands together.
    """
    part = sides or {}
    rank = {golden_id: number for number, golden_id in enumerate(golden_ids)}
    ordered = sorted(
        records,
        key=lambda one: (
            rank.get(one["golden_id"], 99),
            part.get(one["record_id"], 0),
            one["record_id"],
        ),
    )
    columns = [
        Column(
            record_id=one["record_id"],
            source=one["source"],
            source_key=one["source_key"],
            golden_id=one["golden_id"],
            customer=rank.get(one["golden_id"], 0) + 1,
            name=seen("name", one["name"], may_see_all) or "",
            updated_at=one["updated_at"],
            synced_at=synced_at.get(one["source"]),
            position=one["position"] or "",
        )
        for one in ordered
    ]
    rows = [
        row
        for field, label in LABELS.items()
        if field not in _NEVER
        and (row := _row(field, label, [one[field] for one in ordered], may_see_all)) is not None
    ]
    return Compared(columns, rows)


def _row(field: str, label: str, values: list[Any], may_see_all: bool) -> Row | None:
    full = [lines(field, value) for value in values]
    shown = [lines(field, seen(field, value, may_see_all)) for value in values]
    if not any(full):
        return None
    cells, states = [], []
    known: list[list[str]] = []
    before: list[str] = []
    for number, each in enumerate(full):
        if not each:
            cells.append(Cell([], None, "missing"))
            continue
        same = any(set(each) == set(other) for other in known[:1])
        state = "first" if not known else "same" if same else "differs"
        word = in_words(field, seen(field, values[number], may_see_all))
        cells.append(Cell(_marked(before, shown[number], same or not known), word, state))
        states.append(state)
        known.append(each)
        before += shown[number]
    alike = "differs" if "differs" in states else "same"
    return Row(field, label, cells, alike if len(states) > 1 else "alone", field in PARTS)


def _marked(before: list[str], shown: list[str], same: bool) -> list[list[Piece]]:
    """Values as pieces, each compared with the one most like it of the records before."""
    if same:
        return [[Piece(one, False)] for one in shown]
    return [pieces(nearest(before, one), one) for one in shown]
