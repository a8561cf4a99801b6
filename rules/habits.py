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
from rules import customer_type, dates
from rules.cells import Cells
from rules.repairs import Repairs
from rules.slices import Slices, column_names

LEAST_OLD = 20
"""Dates of other centuries from which a column can be one of people of the past."""
DATES = ("birth_date", "created_at", "updated_at", "consent_marketing_at", "do_not_contact_at")
"""Input fields whose cells are read by the habits of their column."""
AGAIN = "another record of the source has the same key; give each record one of its own"
"""The ``_problem`` of a record whose key came before."""

_COUNT = "count_all"
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
        usual_type: ``customer_type.usual`` of its names; 0 where columns say the kind.
    """

    day_first: Mapping[str, bool]
    earliest: date
    again: frozenset[int] = frozenset()
    usual_type: float = 0.0


def of(
    slices: Slices,
    config: SourceConfig,
    country: str,
    repairs: Repairs,
    *,
    unique: bool = False,
) -> Habits:
    """Look through the keys and the columns of dates of a source.

    Args:
        slices: the raw table's.
        config: the source.
        country: ISO 3166 code of the home, for a source that declares none.
        repairs: what stewards mended and accepted.
        unique: whether no key comes twice, as in every snapshot.

    Raises:
        SourceLayout: a mapped column is not there.
    """
    columns = column_names(slices)
    mapped = resolve(config, [name for name in columns if name[:1] != "_"])
    read = {field: mapped.get(field, []) for field in DATES}
    names = _telling_names(mapped, config)
    marks = [name for name in ("_source_key", "_problem") if name in columns and not unique]
    mended = pa.array(sorted({row["source_key"] for row in repairs.values}), pa.string())
    needed = dict.fromkeys([*marks, *(name for own in read.values() for name in own)])
    if names:
        needed |= dict.fromkeys([*names, "_row_hash"])
    if len(mended) or not needed:
        needed |= {"_source_key": None}
    written: dict[str, list[pa.Table]] = {field: [] for field in DATES}
    marked = []
    sampled: list[pa.Table] = []

    def take(part: pa.Table) -> None:
        for field, names in read.items():
            written[field].append(_written(part, field, names, config))

    for part in slices(list(needed)):
        if not unique:
            marked.append(part.select(marks))
        if names:
            sampled = [_sample(pa.concat_tables([*sampled, part.select([*names, "_row_hash"])]))]
        if len(mended):
            part = part.filter(pc.invert(pc.is_in(part["_source_key"], value_set=mended)))
        take(part)
    for part in slices(None) if len(mended) else ():
        some = part.filter(pc.is_in(part["_source_key"], value_set=mended))
        take(repairs.apply(some, config))
    counts = {
        field: _counted(pa.concat_tables(written[field]), field, names, config)
        for field, names in read.items()
    }
    default = config.country or country
    return Habits(
        day_first={field: _day_first(counts[field], config, default) for field in DATES},
        earliest=_earliest(counts["birth_date"]),
        again=frozenset() if unique else _again(pa.concat_tables(marked)),
        usual_type=_usual_type(sampled, names),
    )


_SAMPLE = 500
"""Records whose names tell which kind of customer is usual."""


def _telling_names(mapped: Mapping[str, list[str]], config: SourceConfig) -> list[str]:
    """The columns whose names tell which kind of customer is usual; none where others say it."""
    if config.customer_type or mapped.get("customer_type"):
        return []
    return mapped.get("name") or mapped.get("organization_name") or []


def _sample(names: pa.Table) -> pa.Table:
    """The records with the smallest hashes: the same ones in any order."""
    if names.num_rows <= _SAMPLE:
        return names
    return names.take(pc.select_k_unstable(names, _SAMPLE, [("_row_hash", "ascending")]))


def _usual_type(sampled: list[pa.Table], names: list[str]) -> float:
    firsts = [
        next(filter(None, row), "")
        for table in sampled
        for row in zip(*(table[name].to_pylist() for name in names), strict=True)
    ]
    return customer_type.usual(firsts)


def _written(raw: pa.Table, field: str, names: list[str], config: SourceConfig) -> pa.Table:
    """The distinct texts in the columns of a field, and how many records have them.

    Moments that begin with the year tell nothing of the order of day and month.
    """
    if not names:
        return pa.table({_COUNT: [raw.num_rows]})
    told = config.values.get(field) or config.defaults.get(field) or field in config.html
    if field != "birth_date" and len(names) == 1 and not told:
        plain = pc.fill_null(pc.match_substring_regex(raw[names[0]], "^[0-9]{4}-"), True)
        raw = raw.filter(pc.invert(plain))
    return raw.select(names).group_by(names).aggregate([([], _COUNT)])


def _counted(written: pa.Table, field: str, names: list[str], config: SourceConfig) -> Counter[str]:
    """What the cells of a field say, and how many records say it."""
    if names:
        written = written.group_by(names).aggregate([(_COUNT, "sum")])
    counts = Counter[str]()
    cells = Cells(written, config, None, {field: names}).first(field)
    for cell, count in zip(cells, written.column(written.num_columns - 1).to_pylist(), strict=True):
        if cell:
            counts[cell] += count
    return counts


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


def _again(marked: pa.Table) -> frozenset[int]:
    """The records without a problem of their own whose key came before.

    Connectors make keys unique; a table from elsewhere may not.

    Args:
        marked: the keys, and problems if there may be any.
    """
    keys = pc.fill_null(marked["_source_key"], "")
    if pc.count_distinct(keys).as_py() == len(keys):
        return frozenset()
    problems = [""] * len(keys)
    if "_problem" in marked.column_names:
        problems = [problem or "" for problem in marked["_problem"].to_pylist()]
    seen: set[str] = set()
    found = set()
    for row, (key, problem) in enumerate(zip(keys.to_pylist(), problems, strict=True)):
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
