"""Columns beside each other: one key, one column per field, no repetitions, not too many texts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from connectors import content, headings, mapping
from connectors.column_reading import HEADING, Column, Profile, as_text, sampled

TEXT_LIMIT = 10
"""Columns compared as plain text, at most: the fullest ones."""

_SEVERAL = frozenset(
    {"name", "organization_name", "short_name", "phone", "mobile", "email", "note"}
)
"""Fields that take every column that means them."""


def one_key(columns: list[Column]) -> list[Column]:
    """Of several columns that tell the rows apart the first stays the key."""
    first = next((c for c in columns if c.role == "key" and c.confidence == 1.0), None)
    first = first or max(
        (c for c in columns if c.role == "key"), key=lambda c: c.confidence, default=None
    )
    return [replace(c, role="none") if c.role == "key" and c is not first else c for c in columns]


_ALIKE = (
    frozenset({"name", "organization_name", "family_name", "given_name", "contact_name"}),
    frozenset({"phone", "mobile"}),
    frozenset({"email"}),
    frozenset({"national_id", "tax_id", "identifier"}),
    frozenset({"address"}),
    frozenset({"birth_date"}),
)
"""Fields whose values look alike."""


def less_sure_beside_headings(columns: list[Column]) -> list[Column]:
    """Doubt a column that only its values or a part of its heading speak for, where another
    one's heading says that it holds such values of the customer: these may be a salesperson's,
    a tenant's, anybody's."""
    said = {c.field for c in columns if c.role == "field" and c.reason.startswith(HEADING)}
    result = []
    for c in columns:
        rivals = any(c.field in fields and fields & said for fields in _ALIKE)
        if c.role == "field" and rivals and not c.reason.startswith(HEADING) and c.confidence < 1:
            c = replace(c, confidence=min(c.confidence, 0.55))
        result.append(c)
    return result


_PARTS_OF_DATE = ("year", "month", "day")
_MOST = 0.96
"""Share of a column's values that must look like a part of a date: some are slips."""


def dates_in_parts(
    columns: list[Column], profiles: Mapping[str, Profile], said: Mapping[str, str]
) -> list[Column]:
    """Year, month and day of birth in columns of their own are one birth date.

    Their headings say birth, or all three look like it: years over decades, most of them long
    ago, twelve months, days up to 31.
    """
    if any(c.field == "birth_date" and profiles[c.name].shares["date"] >= 0.5 for c in columns):
        return columns
    numbers = {
        c.name: _whole_numbers(profiles[c.name].sample) for c in columns if c.name not in said
    }
    named = [c.name for c in columns if _says_birth(c.name) and numbers.get(c.name)]
    others = [c.name for c in columns if c.role != "field" and numbers.get(c.name)]
    others = [name for name in others if name not in named]
    for group, sure in ((named, 0.9), ([*named, *others], 0.7)):
        parts: dict[str, list[str]] = {part: [] for part in _PARTS_OF_DATE}
        for name in group:
            if part := _part_of_date(numbers[name], few=group is named):
                parts[part].append(name)
        if all(len(names) == 1 for names in parts.values()):
            dates = {
                name: Column(
                    name, "field", "birth_date", sure, f"{part} of the date of birth", part=place
                )
                for place, (part, (name,)) in enumerate(parts.items(), start=1)
            }
            return [dates.get(c.name, c) for c in columns]
    return columns


def _says_birth(heading: str) -> bool:
    meant = mapping.meaning(heading)
    return meant is not None and meant.field == "birth_date"


def _whole_numbers(sample: Sequence[str]) -> list[int]:
    """The numbers of a column of small ones, as a data frame writes them, too; [] if it is none."""
    plain = [value.strip().removesuffix(".0") for value in sample]
    numbers = sorted(int(value) for value in plain if value.isdecimal() and len(value) <= 4)
    return numbers if len(numbers) >= _MOST * len(plain) else []


def _part_of_date(numbers: list[int], *, few: bool) -> str:
    """What part of a date of birth a column of sorted numbers may be; '' if none.

    Args:
        few: whether a few values are enough, as the heading says it.
    """

    def share(low: int, high: int) -> float:
        return sum(low <= number <= high for number in numbers) / len(numbers)

    if share(1800, 2100) >= _MOST:
        low, middle, high = (numbers[int(len(numbers) * q)] for q in (0.05, 0.5, 0.95))
        return "year" if few or (high - low >= 25 and middle <= 2008) else ""
    months = set(range(1, 13))
    if share(1, 12) >= _MOST:
        return "month" if few or months <= set(numbers) else ""
    days = share(1, 31) >= _MOST and share(1, 12) < 0.6
    return "day" if days and (few or months <= set(numbers)) else ""


def one_each(
    columns: list[Column], tables: Sequence[pa.Table], said: Mapping[str, str]
) -> list[Column]:
    """Of columns that would fill one field of one record the surest does; an address may
    stand in several. Columns of different files or sheets do not compete."""
    result = list(columns)
    for field in {c.field for c in columns if c.role == "field"} - _SEVERAL:
        group = [i for i, c in enumerate(columns) if c.role == "field" and c.field == field]
        if field == "given_name":
            group = [i for i in group if not headings.is_middle_name(columns[i].name)]
        if field == "address":
            group = [i for i in group if not _belongs(columns[i].name, columns, group)]
        group = [i for i in group if not columns[i].part]
        kept: list[int] = []
        for i in sorted(group, key=lambda i: (-columns[i].confidence, i)):
            name = columns[i].name
            better = [j for j in kept if _meet(name, columns[j].name, tables)]
            if not better or name in said:
                kept.append(i)
                continue
            reason = f"another {field.replace('_', ' ')}; {columns[better[0]].name} counts"
            result[i] = replace(columns[i], role="none", field="", reason=reason)
    return result


def given_beside_family(columns: list[Column], profiles: Mapping[str, Profile]) -> list[Column]:
    """A name of one word beside a family name, without a given name, is the given name."""
    fields = {c.field for c in columns if c.role == "field" and c.confidence > 0.55}
    if "family_name" not in fields or "given_name" in fields:
        return columns
    return [
        replace(c, field="given_name", reason=f"{c.reason}, beside a family name")
        if c.field == "name" and c.confidence < 1.0 and profiles[c.name].shares["one_word"] >= 0.8
        else c
        for c in columns
    ]


def no_stray_names(
    columns: list[Column], tables: Sequence[pa.Table], profiles: Mapping[str, Profile]
) -> list[Column]:
    """A column of single words is no part of the name (it may be a city) where another column
    holds the whole name, and does not have these words in it."""
    whole = [c.name for c in columns if c.role == "field" and c.field == "name"]
    samples = [sampled(table) for table in tables]
    return [
        as_text(profiles[c.name], c.others)
        if whole
        and c.field in ("given_name", "family_name")
        and c.confidence < 1.0
        and not c.reason.startswith(HEADING)
        and not _repeated(c.name, whole, samples)
        else c
        for c in columns
    ]


def _meet(one: str, other: str, tables: Sequence[pa.Table]) -> bool:
    """Whether records fill both columns."""
    for table in tables:
        if one in table.column_names and other in table.column_names:
            both = pc.and_(pc.is_valid(table[one]), pc.is_valid(table[other]))
            if (pc.sum(both).as_py() or 0) > 0.01 * table.num_rows:
                return True
    return False


def _belongs(name: str, columns: list[Column], group: list[int]) -> bool:
    """Whether a column is a part of an address: its number, unit or one of its lines."""
    if headings.place_in_address(name)[0] != headings.LINE:
        return True
    stem = headings.stem(name)
    return sum(
        headings.stem(columns[i].name) == stem for i in group
    ) > 1 and stem != mapping.normalize(name)


def no_repeats(
    columns: list[Column], tables: Sequence[pa.Table], said: Mapping[str, str]
) -> list[Column]:
    """Leave out texts that say what other columns say: a full name beside its parts."""
    samples = [sampled(table) for table in tables]
    result: list[Column] = []
    for column in columns:
        if column.role == "text" and column.name not in said:
            others = [c.name for c in columns if c.role == "field"]
            others += [c.name for c in result if c.role == "text"]
            repeated = _repeated(column.name, others, samples)
            if repeated:
                column = replace(column, role="none", reason=f"repeats {repeated}")
        result.append(column)
    return result


def _repeated(name: str, others: list[str], samples: Sequence[pa.Table]) -> str:
    """The column, or 'other columns', in which nearly all words of a column stand; '' if none."""
    filled, held = 0, 0
    by_column = dict.fromkeys(others, 0)
    for sample in samples:
        if name not in sample.column_names:
            continue
        there = [other for other in others if other in sample.column_names]
        texts = {other: [_words_of(v) for v in sample[other].to_pylist()] for other in there}
        for row, value in enumerate(sample[name].to_pylist()):
            own = _words_of(value)
            if not own:
                continue
            filled += 1
            held += own <= frozenset().union(*(texts[other][row] for other in there))
            for other in there:
                by_column[other] += own <= texts[other][row]
    if not filled or held < 0.95 * filled:
        return ""
    best = max(by_column, key=lambda other: by_column[other])
    return best if by_column[best] >= 0.95 * filled else "other columns"


def _words_of(value: str | None) -> frozenset[str]:
    return frozenset(content.folded(value).split()) if value else frozenset()


def not_too_many(
    columns: list[Column], profiles: Mapping[str, Profile], said: Mapping[str, str]
) -> list[Column]:
    """Compare the fullest unknown columns only, where there are very many."""
    texts = [c for c in columns if c.role == "text" and c.name not in said]
    kept = sorted(texts, key=lambda c: (-profiles[c.name].filled, c.name))[:TEXT_LIMIT]
    return [
        replace(c, role="none", reason=f"one more unknown text than {TEXT_LIMIT}")
        if c in texts and c not in kept
        else c
        for c in columns
    ]
