"""Which column holds what, by its heading and by what stands in it.

What belongs here: weighing headings (connectors/mapping.py) against content
(connectors/content.py), and the part every column takes: an input field, a
plain text to compare, the key, or none. Nothing here depends on the order of
rows: what is looked at are the rows with the smallest hashes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from connectors import content, mapping
from connectors.fields import ATTRIBUTE, INPUT_FIELDS, is_input_field, nearest_input_field
from connectors.reading import ROW_HASH
from onefold.errors import ConfigError

SAMPLE_ROWS = 500
"""Rows whose values are looked at one by one."""
TEXT, KEY = "text", "key"
"""What --map may say besides an input field."""
TEXT_LIMIT = 10
"""Columns compared as plain text, at most: the fullest ones."""
_LONGEST_TEXT = 80

Role = Literal["field", "text", "key", "none"]


@dataclass(frozen=True)
class Guess:
    """One reading of a column: an input field, how sure it is (0..1), and why."""

    field: str
    confidence: float
    reason: str


@dataclass(frozen=True)
class Column:
    """What a column is taken for.

    Attributes:
        name: its heading.
        role: field (mapped), text (compared as plain text), key, none (left out).
        field: the input field of a mapped column, else ''.
        confidence: 0..1; how sure the role is.
        reason: why, in a few words without any value.
        others: further readings, the surest first.
    """

    name: str
    role: Role
    field: str
    confidence: float
    reason: str
    others: tuple[Guess, ...] = ()


@dataclass(frozen=True)
class Recognition:
    """What the columns of some tables are.

    Attributes:
        columns: one per heading, in the order of their first appearance.
        country: ISO 3166 code for records that do not say theirs.
        country_reason: why.
        has_organizations: whether more than a few names are of organizations.
    """

    columns: tuple[Column, ...]
    country: str
    country_reason: str
    has_organizations: bool = False

    def key(self, names: Iterable[str]) -> str | None:
        """The key column of a table with these columns."""
        there = set(names)
        return next((c.name for c in self.columns if c.role == "key" and c.name in there), None)

    @property
    def text_fields(self) -> tuple[str, ...]:
        """Names of the attributes that are compared as plain text."""
        return tuple(column.name for column in self.columns if column.role == "text")

    def mapped(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Input field → columns, for ``columns`` of a source with these columns."""
        there = set(names)
        found: dict[str, list[str]] = {}
        for column in self.columns:
            if column.name in there and column.role == "field":
                found.setdefault(column.field, []).append(column.name)
            elif column.name in there and column.role == "text":
                found[f"{ATTRIBUTE}{column.name}"] = [column.name]
        if "address" in found:
            found["address"].sort(key=_place_in_address)
        if "given_name" in found:
            found["given_name"].sort(key=_is_middle_name)
        if "city" not in found and "district" in found and self.country not in ("CN", "TW"):
            found["city"] = found.pop("district")
        return {field: tuple(columns) for field, columns in found.items()}

    def customer_type(self, names: Iterable[str]) -> str | None:
        """``person`` if a table with these columns lists persons only, else None: their columns
        say so, and there is none for the kind or the name of an organization."""
        mapped = self.mapped(names)
        if any(field in mapped for field in _OF_ORGANIZATIONS) or self.has_organizations:
            return None
        parts = "family_name" in mapped and "given_name" in mapped
        return "person" if parts or ("birth_date" in mapped and "sex" in mapped) else None


def recognize(
    tables: Sequence[pa.Table],
    *,
    fields: Mapping[str, str] | None = None,
    ignore: Iterable[str] = (),
    country: str | None = None,
) -> Recognition:
    """Say what every column of some tables of one kind is.

    Columns of one heading are one column, whichever tables they are in.

    Args:
        tables: text columns; those that start with ``_`` are not looked at, but
            ``_row_hash`` chooses the sample.
        fields: column → what it is, said by somebody: an input field, ``text`` or ``key``.
        ignore: columns to leave out.
        country: ISO 3166 code; guessed where it is None.

    Raises:
        ConfigError: ``fields`` or ``ignore`` name a column or field that is not there.
    """
    names = list(dict.fromkeys(n for table in tables for n in table.column_names if n[:1] != "_"))
    said = _said(fields or {}, ignore, names)
    profiles = {name: _profile(name, tables) for name in names}
    columns = [
        _as_said(name, said[name]) if name in said else _column(profiles[name]) for name in names
    ]
    columns = _one_key(columns)
    columns = _no_stray_names(columns, tables, profiles)
    columns = _one_each(columns, tables, said)
    columns = _no_repeats(columns, tables, said)
    columns = _not_too_many(columns, profiles, said)
    place = (country, "said") if country is not None else _country(columns, profiles)
    named = [profiles[c.name].shares for c in columns if c.field == "name"]
    firms = any(shares["organization"] > 0.05 for shares in named)
    return Recognition(tuple(columns), *place, has_organizations=firms)


def _said(fields: Mapping[str, str], ignore: Iterable[str], names: list[str]) -> dict[str, str]:
    """Column → what somebody said it is; '' for a column to leave out."""
    said: dict[str, str] = {}
    for option, pairs in (("--map", fields.items()), ("--ignore", [(n, "") for n in ignore])):
        for wanted, field in pairs:
            column = mapping.find_column(names, wanted)
            if column is None:
                raise ConfigError(
                    f"{option} {wanted}",
                    "there is no such column",
                    found=mapping.shown(names),
                    do="Write the heading as the file has it.",
                )
            if field and field not in (TEXT, KEY) and not is_input_field(field):
                near = nearest_input_field(field)
                raise ConfigError(
                    f"--map {wanted}={field}",
                    f"'{field}' is no field",
                    do=(f"Did you mean '{near}'? " if near else "")
                    + f"The fields are {', '.join(INPUT_FIELDS)}, {TEXT} and {KEY}.",
                )
            said[column] = field
    return said


def _as_said(name: str, field: str) -> Column:
    if not field:
        return Column(name, "none", "", 1.0, "ignored, as you said")
    if field == KEY:
        return Column(name, "key", "", 1.0, "as you said")
    if field == TEXT or field.startswith(ATTRIBUTE):
        return Column(name, "text", "", 1.0, "as you said")
    return Column(name, "field", field, 1.0, "as you said")


# -- one column


@dataclass(frozen=True)
class _Profile:
    """What is known about a column."""

    name: str
    rows: int
    filled: int
    distinct: int
    is_unique: bool
    is_sequence: bool
    sample: tuple[str, ...]
    shares: Mapping[str, float]


def _profile(name: str, tables: Sequence[pa.Table]) -> _Profile:
    columns = [table[name] for table in tables if name in table.column_names]
    rows = sum(len(column) for column in columns)
    filled = [column.drop_null() for column in columns]
    distinct = [pc.unique(column) for column in filled]
    count = len(pc.unique(pa.concat_arrays(distinct))) if distinct else 0
    share = [len(d) / max(len(column), 1) for d, column in zip(distinct, columns, strict=True)]
    values = tuple(
        value
        for table in tables
        if name in table.column_names
        for value in _sampled(table)[name].drop_null().to_pylist()
    )
    kinds = content.shares(values)
    sequence = kinds["integer"] == 1.0 and all(_is_sequence(column) for column in filled)
    return _Profile(
        name=name,
        rows=rows,
        filled=sum(map(len, filled)),
        distinct=count,
        is_unique=rows > 1 and min(share, default=0.0) >= 0.99,
        is_sequence=sequence and rows > 1,
        sample=values,
        shares=kinds,
    )


def _sampled(table: pa.Table) -> pa.Table:
    if table.num_rows <= SAMPLE_ROWS:
        return table
    if ROW_HASH not in table.column_names:
        return table.slice(0, SAMPLE_ROWS)
    chosen = pc.select_k_unstable(table[ROW_HASH], SAMPLE_ROWS, [("", "ascending")])
    return table.take(chosen)


def _is_sequence(column: pa.ChunkedArray) -> bool:
    """Whether whole numbers number the rows: all different, few left out."""
    if len(pc.unique(column)) < len(column) or len(column) < 2:
        return False
    if not pc.all(pc.match_substring_regex(column, r"^\d{1,15}$")).as_py():
        return False
    numbers = column.cast(pa.int64())
    ends = pc.min_max(numbers).as_py()
    return bool(ends["max"] - ends["min"] <= 3 * len(column) + 10)


def _column(profile: _Profile) -> Column:
    """The part a column takes when nobody said anything."""
    name, filled = profile.name, profile.filled
    if not filled:
        return Column(name, "none", "", 1.0, "empty")
    ranked = guesses(profile)
    best = ranked[0] if ranked else None
    constant = profile.distinct == 1 and profile.rows > 1
    if constant and (best is None or best.field not in ("country", "customer_type")):
        return Column(name, "none", "", 1.0, "the same in every row", ranked)
    listed = mapping.is_known(name) and mapping.meaning(name) is None
    if profile.is_sequence and (best is None or best.confidence < 0.9):
        return Column(name, "key", "", 0.9, "numbers the rows", ranked)
    if profile.is_unique and _is_token(profile) and (listed or best is None):
        return Column(name, "key", "", 0.95, "another value in every row", ranked)
    if best is not None and best.confidence >= 0.5 and not (listed and best.confidence < 0.9):
        if best.field in _SAYS_NOTHING:
            return Column(name, "none", "", best.confidence, _SAYS_NOTHING[best.field], ranked)
        return Column(name, "field", best.field, best.confidence, best.reason, ranked[1:])
    if listed:
        return Column(name, "none", "", 0.8, "not about who the customer is", ranked)
    return _as_text(profile, ranked)


_SAYS_NOTHING = {
    "created_at": "a date of the record, not of the customer",
    "updated_at": "a date of the record, not of the customer",
    "status": "a state of the record",
    "consent_marketing": "a yes or no",
    "do_not_contact": "a yes or no",
}
"""Fields that two records of one customer need not share."""


def _is_token(profile: _Profile) -> bool:
    kinds = profile.shares
    return kinds["one_word"] >= 0.99 and kinds["digit"] >= 0.9 and kinds["decimal"] < 0.5


def _as_text(profile: _Profile, ranked: tuple[Guess, ...]) -> Column:
    """An unknown column: a plain text to compare, if it can be one."""
    name, kinds = profile.name, profile.shares
    lengths = [len(value) for value in profile.sample]
    reason = None
    if sum(lengths) > _LONGEST_TEXT * len(lengths):
        reason = "long texts"
    elif kinds["decimal"] >= 0.5:
        reason = "amounts or measures"
    elif kinds["time"] >= 0.5:
        reason = "times"
    elif profile.filled < 0.02 * profile.rows:
        reason = "almost empty"
    if reason:
        return Column(name, "none", "", 0.8, reason, ranked)
    return Column(name, "text", "", 0.5, "unknown: compared as plain text", ranked)


# -- what a column may be

_STRICT = frozenset({"email", "phone", "mobile", "birth_date", "created_at", "updated_at"})
"""Fields whose values show what they are: a heading alone does not make them."""
_LABELS = {
    "email": "e-mail addresses",
    "mobile": "mobile numbers",
    "phone": "telephone numbers",
    "national_id": "identity numbers",
    "tax_id": "registration numbers",
    "birth_date": "dates of birth",
    "created_at": "dates",
    "updated_at": "dates",
    "postal_code": "postal codes",
    "name": "names",
    "organization_name": "organizations",
    "given_name": "given names",
    "family_name": "family names",
    "address": "addresses",
    "city": "cities",
    "region": "provinces or states",
    "country": "countries",
    "sex": "sexes",
    "customer_type": "kinds of customer",
}


def guesses(profile: _Profile) -> tuple[Guess, ...]:
    """The readings of a column, the surest first."""
    meant = mapping.meaning(profile.name)
    seen = _seen(profile)
    found: dict[str, Guess] = {}
    if _place_in_address(profile.name)[0] != _LINE:
        found["address"] = Guess("address", 0.9, "heading, a part of the address")
    elif _is_middle_name(profile.name):
        found["given_name"] = Guess("given_name", 0.9, "heading, a part of the name")
    elif meant is not None:
        field = _refined(meant.field, profile)
        base = 0.9 if meant.rank < 500 else 0.8 if meant.rank < 2000 else 0.65
        support = _support(field, profile)
        label = f"{support:.0%} look like {_LABELS[field]}" if field in _LABELS else ""
        if support >= 0.5 and label:
            sure = base + (1 - base) * 0.9 * support
            found[field] = Guess(field, round(sure, 2), f"heading; {label}")
        elif not _refused(field, support, profile):
            found[field] = Guess(field, round(base - 0.1, 2), "heading")
    for field, share in seen.items():
        label = f"{share:.0%} look like {_LABELS[field]}"
        if field not in found:
            sure = 0.5 + 0.4 * share
            if found and _support(next(iter(found)), profile) >= 0.5:
                sure *= 0.5
            elif found and field not in _DECISIVE:
                sure *= 0.7
            found[field] = Guess(field, round(sure, 2), label)
    return tuple(sorted(found.values(), key=lambda guess: -guess.confidence))


_DECISIVE = frozenset({"email", "mobile", "national_id", "tax_id"})
"""Kinds that outweigh a heading that says otherwise."""


def _refined(field: str, profile: _Profile) -> str:
    """A heading that means any name, over single given names, means these."""
    kinds = profile.shares
    if field == "name" and kinds["one_word"] >= 0.8 and not kinds["han"]:
        if kinds["given_name"] >= 0.5 and kinds["given_name"] >= kinds["family_name"]:
            return "given_name"
        if kinds["family_name"] >= 0.5:
            return "family_name"
    return field


def _support(field: str, profile: _Profile) -> float:
    """Share of the values that look like what the field holds; 0 where nothing can tell."""
    kinds = profile.shares
    if field == "name":
        return min(1.0, kinds["person"] + kinds["organization"])
    if field in ("phone", "mobile"):
        return kinds["phone"]
    if field in ("national_id", "tax_id", "identifier"):
        return max(kinds["national_id"], kinds["tax_id"])
    if field in ("birth_date", "created_at", "updated_at"):
        return kinds["date"]
    return kinds.get(field, 0.0)


def _refused(field: str, support: float, profile: _Profile) -> bool:
    """Whether the values contradict the heading."""
    kinds = profile.shares
    if field in _STRICT and support < 0.2:
        return field == "email" or kinds["digit"] < 0.2
    if field in ("name", "organization_name", "given_name", "family_name", "city", "country"):
        return kinds["integer"] >= 0.9 or max(kinds[name] for name in _DECISIVE) >= 0.8
    return field == "sex" and profile.distinct > 8


def _seen(profile: _Profile) -> dict[str, float]:
    """The fields that the values alone suggest, with the share that looks like them."""
    kinds, found = profile.shares, {}
    for field, least in (("email", 0.7), ("national_id", 0.6), ("tax_id", 0.6), ("mobile", 0.7)):
        if kinds[field] >= least:
            found[field] = kinds[field]
    if "mobile" not in found and kinds["phone"] >= 0.7 and kinds["integer"] < 0.9:
        found["phone"] = kinds["phone"]
    if kinds["date"] >= 0.8:
        found["birth_date" if _are_births(profile) else "created_at"] = kinds["date"]
    if kinds["postal_letters"] >= 0.7:
        found["postal_code"] = kinds["postal_letters"]
    few = profile.distinct <= 8
    for field in ("sex", "customer_type", "country", "region"):
        if kinds[field] >= 0.95 and (few or field in ("country", "region")):
            found[field] = kinds[field]
    if kinds["address"] >= 0.6:
        found["address"] = kinds["address"]
    elif kinds["organization"] >= 0.2 and kinds["organization"] + kinds["person"] >= 0.5:
        found["name"] = min(1.0, kinds["organization"] + kinds["person"])
    elif kinds["city"] >= 0.7:
        found["city"] = kinds["city"]
    elif kinds["person"] >= 0.6:
        found["name"] = kinds["person"]
    elif kinds["one_word"] >= 0.8 and max(kinds["given_name"], kinds["family_name"]) >= (
        # Of names with many slips a quarter is in the lists, of towns and trades under a tenth;
        # a few values tell less.
        0.2 if profile.distinct >= _MANY else 0.5
    ):
        better = max(("given_name", "family_name"), key=lambda name: kinds[name])
        found[better] = kinds[better]
    return found


_MANY = 30


def _are_births(profile: _Profile) -> bool:
    """Whether dates are of birth: spread over decades, without a time of day, most long ago."""
    years = sorted(filter(None, (content.year(content.folded(v)) for v in profile.sample)))
    if not years or profile.shares["time"] > 0.2:
        return False
    low, middle, high = (years[int(len(years) * q)] for q in (0.05, 0.5, 0.95))
    return high - low >= 25 and middle <= 2008


# -- all columns together

_OF_ORGANIZATIONS = (
    *("customer_type", "organization_name", "tax_id", "identifier", "contact_name"),
    *("legal_representative", "short_name"),
)
"""Fields of a table that may list organizations."""

_SEVERAL = frozenset(
    {"name", "organization_name", "short_name", "phone", "mobile", "email", "note"}
)
"""Fields that take every column that means them."""


def _one_key(columns: list[Column]) -> list[Column]:
    """Of several columns that tell the rows apart the first stays the key."""
    first = next((c for c in columns if c.role == "key" and c.confidence == 1.0), None)
    first = first or max(
        (c for c in columns if c.role == "key"), key=lambda c: c.confidence, default=None
    )
    return [replace(c, role="none") if c.role == "key" and c is not first else c for c in columns]


def _one_each(
    columns: list[Column], tables: Sequence[pa.Table], said: Mapping[str, str]
) -> list[Column]:
    """Of columns that would fill one field of one record the surest does; an address may
    stand in several. Columns of different files or sheets do not compete."""
    result = list(columns)
    for field in {c.field for c in columns if c.role == "field"} - _SEVERAL:
        group = [i for i, c in enumerate(columns) if c.role == "field" and c.field == field]
        if field == "given_name":
            group = [i for i in group if not _is_middle_name(columns[i].name)]
        if field == "address":
            group = [i for i in group if not _belongs(columns[i].name, columns, group)]
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


def _no_stray_names(
    columns: list[Column], tables: Sequence[pa.Table], profiles: Mapping[str, _Profile]
) -> list[Column]:
    """A column of single words is no part of the name (it may be a city) where another column
    holds the whole name, and does not have these words in it."""
    whole = [c.name for c in columns if c.role == "field" and c.field == "name"]
    samples = [_sampled(table) for table in tables]
    return [
        _as_text(profiles[c.name], c.others)
        if whole
        and c.field in ("given_name", "family_name")
        and c.confidence < 1.0
        and not c.reason.startswith("heading")
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
    if _place_in_address(name)[0] != _LINE:
        return True
    stem = _stem(name)
    return sum(_stem(columns[i].name) == stem for i in group) > 1 and stem != mapping.normalize(
        name
    )


def _is_middle_name(name: str) -> bool:
    plain = mapping.normalize(name)
    return any(mapping.normalize(known) == plain for known in content.words()["middle_name"])


_NUMBER, _LINE, _UNIT = range(3)


def _stem(name: str) -> str:
    return mapping.normalize(name).rstrip("0123456789")


def _place_in_address(name: str) -> tuple[int, str]:
    """Where a column stands in an address: number, then lines, then unit."""
    plain = mapping.normalize(name)
    parts = content.words()
    if plain in {mapping.normalize(known) for known in parts["house_number"]}:
        return _NUMBER, plain
    if plain in {mapping.normalize(known) for known in parts["unit"]}:
        return _UNIT, plain
    return _LINE, plain


def _no_repeats(
    columns: list[Column], tables: Sequence[pa.Table], said: Mapping[str, str]
) -> list[Column]:
    """Leave out texts that say what other columns say: a full name beside its parts."""
    samples = [_sampled(table) for table in tables]
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


def _not_too_many(
    columns: list[Column], profiles: Mapping[str, _Profile], said: Mapping[str, str]
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


def _country(columns: list[Column], profiles: Mapping[str, _Profile]) -> tuple[str, str]:
    """Where records that do not say so are from, by the columns' content."""
    by_field = {c.field: profiles[c.name] for c in reversed(columns) if c.role == "field"}
    named = ("name", "organization_name", "given_name", "family_name", "address", "city")
    han = [by_field[field].shares["han"] for field in named if field in by_field]
    if max(han, default=0.0) > 0.2:
        return "CN", "names or addresses are Chinese"
    if "mobile" in by_field and by_field["mobile"].shares["mobile"] > 0.5:
        return "CN", "mobile numbers are Chinese"
    for field, find, words in (
        ("postal_code", content.postal_country, "by the form of the postal codes"),
        ("region", content.region_country, "by the provinces or states"),
    ):
        if field in by_field and (found := find(by_field[field].sample)):
            return found, words
    return "US", "nothing says otherwise"
