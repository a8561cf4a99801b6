"""What stands in a column, without its values: fill, kinds, lengths, patterns, years.

What belongs here: figures and masks. A mask keeps the form of a value and
nothing of it: digits become 9, letters a and A, Chinese characters 字. How a
report looks stands in onefold/cli.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from connectors import column_reading, content

_PATTERNS = 8
_VALUES = 12
_LONGEST_RUN = 6
_KINDS = (
    *("email", "url", "national_id", "tax_id", "mobile", "phone", "date", "postal_code"),
    *("organization", "person", "given_name", "family_name", "address", "city", "region"),
    *("country", "sex", "integer", "decimal"),
)
_LEAST_KIND = 0.05


@dataclass(frozen=True)
class Statistics:
    """What stands in a column.

    Attributes:
        name: its heading.
        rows: rows of the tables that have it.
        filled: rows in which something stands.
        distinct: different values.
        shortest, longest: characters.
        type: text, whole numbers, numbers, dates, dates with times, or empty.
        lengths: length → rows, in order of length.
        patterns: mask → rows, the most frequent first.
        kinds: what values look like → share of the filled rows, the largest first.
        values: value → rows, if there are few different ones; customers' values, not to be
            shown unasked.
        years: year → rows, if most values are dates.
    """

    name: str
    rows: int
    filled: int
    distinct: int
    shortest: int
    longest: int
    type: str
    lengths: tuple[tuple[int, int], ...]
    patterns: tuple[tuple[str, int], ...]
    kinds: tuple[tuple[str, float], ...]
    values: tuple[tuple[str, int], ...]
    years: tuple[tuple[int, int], ...]

    @property
    def fill(self) -> float:
        """Share of the rows that are filled, 0..1."""
        return self.filled / max(self.rows, 1)


def describe(name: str, tables: Sequence[pa.Table]) -> Statistics:
    """Describe a column over all tables that have it."""
    columns = [table[name] for table in tables if name in table.column_names]
    joined = pa.chunked_array(
        [chunk for column in columns for chunk in column.drop_null().chunks], pa.string()
    )
    counted = {row["values"]: row["counts"] for row in pc.value_counts(joined).to_pylist()}
    profile = column_reading.profile(name, tables)
    lengths: Counter[int] = Counter()
    patterns: Counter[str] = Counter()
    years: Counter[int] = Counter()
    for value, count in counted.items():
        lengths[len(value)] += count
        patterns[mask(value)] += count
        if profile.shares["date"] >= 0.5 and (found := content.year(content.folded(value))):
            years[found] += count
    kinds = [(kind, profile.shares[kind]) for kind in _KINDS]
    few = len(counted) <= _VALUES
    return Statistics(
        name=name,
        rows=sum(map(len, columns)),
        filled=len(joined),
        distinct=len(counted),
        shortest=min(lengths, default=0),
        longest=max(lengths, default=0),
        type=_type(profile),
        lengths=tuple(sorted(lengths.items())),
        patterns=tuple(_most(patterns)[:_PATTERNS]),
        kinds=tuple(
            sorted((one for one in kinds if one[1] >= _LEAST_KIND), key=lambda one: -one[1])
        ),
        values=tuple(_most(Counter(counted))) if few else (),
        years=tuple(sorted(years.items())),
    )


def _most(counter: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda one: (-one[1], one[0]))


def _type(profile: column_reading.Profile) -> str:
    kinds = profile.shares
    if not profile.filled:
        return "empty"
    if kinds["time"] >= 0.9:
        return "dates with times"
    if kinds["date"] >= 0.9:
        return "dates"
    if kinds["integer"] >= 0.99:
        return "whole numbers"
    if kinds["integer"] + kinds["decimal"] >= 0.99:
        return "numbers"
    return "text"


def mask(value: str) -> str:
    """The form of a value, long runs cut short.

    >>> mask("138 0013-8000"), mask("Ann O'Neil"), mask("南京市玄武区中山路1号")
    ('999 9999-9999', "Aaa A'Aaaa", '字{9}9字')
    >>> mask("a@example.com"), mask("13800138000")
    ('a@a{7}.aaa', '9{11}')
    """
    runs: list[list[str]] = []
    for character in value:
        kind = _kind(character)
        if runs and runs[-1][0] == kind and kind in _SHORTENED:
            runs[-1].append(kind)
        else:
            runs.append([kind])
    return "".join(
        f"{run[0]}{{{len(run)}}}" if len(run) > _LONGEST_RUN else "".join(run) for run in runs
    )


_SHORTENED = "9aA字?"


def _kind(character: str) -> str:
    if character.isdigit():
        return "9"
    if content.has_han(character):
        return "字"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return character if character.isascii() and character.isprintable() else "?"
