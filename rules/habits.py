"""What a whole column says about its cells: the order of day and month, people of the past.

What belongs here: a light look at all records before the first is cleaned, so
that they may be cleaned slice by slice with one result for any size of slice.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from connectors.config import SourceConfig
from connectors.mapping import resolve
from rules import dates
from rules.cells import Cells
from rules.repairs import Repairs
from rules.slices import Slices

LEAST_OLD = 20
"""Dates of other centuries from which a column can be one of people of the past."""
DATES = ("birth_date", "created_at", "updated_at")
"""Input fields whose cells are read by the habits of their column."""
AGAIN = "another record of the source has the same key; give each record one of its own"
"""The ``_problem`` of a record whose key came before."""

_FIRST_RECORDED = date(1000, 1, 1)
_OLD_DATE = re.compile(r"\s*(?:(?:\d{1,2}[-/.]){2})?1(?:[0-7]\d\d|8[0-4]\d)(?:[-/.]\d|\d{4}$|\s*$)")
_DAY_MONTH = re.compile(r"\s*(\d{1,2})[-/.](\d{1,2})[-/.](?:\d{4}|\d{2})(?:\D.*)?")
_MONTH_FIRST = frozenset({"US", "CN", "TW", "HK", "MO", "PH", "CA"})


@dataclass(frozen=True)
class Habits:
    """How a source writes.

    Attributes:
        day_first: field of :data:`DATES` → whether 3/4/2020 is the third of April.
        earliest: the first birth date that can be one.
        again: records, counted from 0, whose key came before.
    """

    day_first: Mapping[str, bool]
    earliest: date
    again: frozenset[int] = frozenset()


def of(slices: Slices, config: SourceConfig, country: str, repairs: Repairs) -> Habits:
    """Look through the keys and the columns of dates of a source.

    Args:
        slices: the raw table's.
        config: the source.
        country: ISO 3166 code of the home, for a source that declares none.
        repairs: what stewards mended and accepted.

    Raises:
        SourceLayout: a mapped column is not there.
    """
    columns = next(slices(None)).column_names
    mapped = resolve(config, [name for name in columns if name[:1] != "_"])
    read = {field: mapped.get(field, []) for field in DATES}
    needed = dict.fromkeys(["_source_key", *(name for names in read.values() for name in names)])
    counts = {field: Counter[str]() for field in DATES}
    for part in slices(None if repairs.values else list(needed)):
        cells = Cells(repairs.apply(part, config), config, repairs, read)
        for field in DATES:
            counts[field].update(filter(None, cells.first(field)))
    default = config.country or country
    return Habits(
        day_first={field: _day_first(counts[field], config, default) for field in DATES},
        earliest=_earliest(counts["birth_date"]),
        again=_again(slices, "_problem" in columns),
    )


def mark(raw: pa.Table, again: frozenset[int], start: int) -> pa.Table:
    """A slice with a ``_problem`` for every record whose key came before.

    Args:
        raw: the slice.
        again: of :class:`Habits`.
        start: number of the slice's first record in its source.
    """
    problems: list[str | None] = [None] * raw.num_rows
    if "_problem" in raw.column_names:
        if not again:
            return raw
        problems = raw["_problem"].to_pylist()
        raw = raw.drop_columns(["_problem"])
    marked = [AGAIN if start + row in again else problem for row, problem in enumerate(problems)]
    return raw.append_column("_problem", pa.array(marked, pa.string()))


def _again(slices: Slices, may_have_problems: bool) -> frozenset[int]:
    """The records without a problem of their own whose key came before.

    Connectors make keys unique; a table from elsewhere may not.
    """
    names = ["_source_key", "_problem"] if may_have_problems else ["_source_key"]
    parts = [part.columns for part in slices(names)]
    keys = pc.fill_null(pa.chunked_array([c for part in parts for c in part[0].chunks]), "")
    if pc.count_distinct(keys).as_py() == len(keys):
        return frozenset()
    marked = [""] * len(keys)
    if may_have_problems:
        marked = [problem or "" for part in parts for problem in part[1].to_pylist()]
    seen: set[str] = set()
    found = set()
    for row, (key, problem) in enumerate(zip(keys.to_pylist(), marked, strict=True)):
        if problem:
            continue
        if key in seen:
            found.add(row)
        seen.add(key)
    return frozenset(found)


def _earliest(cells: Mapping[str, int]) -> date:
    """The first birth date that a column may hold: people of earlier centuries have their own.

    A few old dates among living customers are slips and fillers; where a tenth
    of a column is older than any customer can be, its people are of the past.

    Args:
        cells: text → how many records have it.
    """
    old = sum(count for cell, count in cells.items() if _OLD_DATE.match(cell))
    is_past = old >= LEAST_OLD and old * 10 >= sum(cells.values())
    return _FIRST_RECORDED if is_past else dates.EARLIEST


def _day_first(cells: Mapping[str, int], config: SourceConfig, country: str) -> bool:
    """Whether 3/4/2020 is the third of April in this column, by its other dates.

    A day over 12 tells; the more frequent order wins. A column that does not
    tell follows its source's ``day_first``, then its country's habit.
    """
    if config.day_first:
        return True
    day = month = 0
    for cell, count in cells.items():
        if match := _DAY_MONTH.fullmatch(cell):
            first, second = int(match[1]), int(match[2])
            day += count * (first > 12 >= second)
            month += count * (second > 12 >= first)
    return day > month if day or month else country not in _MONTH_FIRST
