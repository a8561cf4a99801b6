"""One column by itself: its heading against what stands in it.

What belongs here: the readings of a column, each with how sure it is, and why.
What columns mean beside each other stands in columns_together.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from connectors import content, headings, mapping
from connectors.reading import ROW_HASH

SAMPLE_ROWS = 500
"""Rows whose values are looked at one by one."""
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
        part: which part of a value that stands in several columns it holds, from 1 on in the
            order in which they are joined; 0: the whole.
    """

    name: str
    role: Role
    field: str
    confidence: float
    reason: str
    others: tuple[Guess, ...] = ()
    part: int = 0


@dataclass(frozen=True)
class Profile:
    """What is known about a column."""

    name: str
    rows: int
    filled: int
    distinct: int
    is_unique: bool
    is_sequence: bool
    sample: tuple[str, ...]
    shares: Mapping[str, float]


def profile(name: str, tables: Sequence[pa.Table]) -> Profile:
    """What stands in a column, over all tables that have it."""
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
        for value in sampled(table)[name].drop_null().to_pylist()
    )
    kinds = content.shares(values)
    sequence = kinds["integer"] == 1.0 and all(_is_sequence(column) for column in filled)
    return Profile(
        name=name,
        rows=rows,
        filled=sum(map(len, filled)),
        distinct=count,
        is_unique=rows > 1 and min(share, default=0.0) >= 0.99,
        is_sequence=sequence and rows > 1,
        sample=values,
        shares=kinds,
    )


def sampled(table: pa.Table) -> pa.Table:
    """The rows with the smallest hashes: the same ones in any order of rows."""
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


def read(profile: Profile, *, whole: bool = False) -> Column:
    """The part a column takes when nobody said anything.

    Args:
        whole: also name what says nothing about who a customer is, such as dates of the
            record and its state, and what is empty or the same in every row: for the
            settings of a source, whose other rows may differ.
    """
    name, filled = profile.name, profile.filled
    if not filled:
        return _by_heading(profile, "empty") if whole else Column(name, "none", "", 1.0, "empty")
    ranked = guesses(profile)
    best = ranked[0] if ranked else None
    constant = profile.distinct == 1 and profile.rows > 1
    if constant and (best is None or best.field not in ("country", "customer_type")):
        if whole and best is not None and best.reason.startswith(HEADING):
            return Column(name, "field", best.field, best.confidence, best.reason, ranked[1:])
        return Column(name, "none", "", 1.0, "the same in every row", ranked)
    listed = mapping.is_known(name) and mapping.meaning(name) is None
    if profile.is_sequence and (best is None or best.confidence < 0.9):
        return Column(name, "key", "", 0.9, "numbers the rows", ranked)
    if profile.is_unique and _is_token(profile) and (listed or best is None):
        return Column(name, "key", "", 0.95, "another value in every row", ranked)
    if best is not None and best.confidence >= 0.5 and not (listed and best.confidence < 0.9):
        said = whole and best.reason.startswith(HEADING)
        if best.field in _SAYS_NOTHING and not said:
            return Column(name, "none", "", best.confidence, _SAYS_NOTHING[best.field], ranked)
        return Column(name, "field", best.field, best.confidence, best.reason, ranked[1:])
    if listed:
        return Column(name, "none", "", 0.8, "not about who the customer is", ranked)
    return as_text(profile, ranked)


def _by_heading(profile: Profile, otherwise: str) -> Column:
    """The part of a column without values: what its heading says, not quite sure."""
    meant = mapping.meaning(profile.name)
    if meant is None or meant.rank >= _GUESSED:
        return Column(profile.name, "none", "", 1.0, otherwise)
    sure = 0.8 if meant.rank < _PARTLY else 0.7
    return Column(profile.name, "field", meant.field, sure, f"{HEADING}; {otherwise}")


HEADING = "heading"
"""A reason that begins so follows from the heading."""
_PARTLY, _GUESSED = 500, 2000
"""Ranks of connectors/mapping.py from which a heading is known with words around it only, and
from which only a part of it is known."""

_SAYS_NOTHING = {
    "created_at": "a date of the record, not of the customer",
    "updated_at": "a date of the record, not of the customer",
    "status": "a state of the record",
    "consent_marketing": "a yes or no",
    "do_not_contact": "a yes or no",
    "consent_marketing_at": "a date of the record, not of the customer",
    "do_not_contact_at": "a date of the record, not of the customer",
}
"""Fields that two records of one customer need not share."""


def _is_token(profile: Profile) -> bool:
    kinds = profile.shares
    return kinds["one_word"] >= 0.99 and kinds["digit"] >= 0.9 and kinds["decimal"] < 0.5


def as_text(profile: Profile, ranked: tuple[Guess, ...]) -> Column:
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

_DATES = frozenset(
    {"birth_date", "created_at", "updated_at", "consent_marketing_at", "do_not_contact_at"}
)
_STRICT = frozenset({"email", "phone", "mobile"}) | _DATES
"""Fields whose values show what they are: a heading alone does not make them."""
_LABELS = {
    "email": "e-mail addresses",
    "mobile": "mobile numbers",
    "phone": "telephone numbers",
    "national_id": "identity numbers",
    "tax_id": "registration numbers",
    "identifier": "identity or registration numbers",
    "birth_date": "dates of birth",
    "created_at": "dates",
    "updated_at": "dates",
    "consent_marketing_at": "dates",
    "do_not_contact_at": "dates",
    "postal_code": "postal codes",
    "name": "names",
    "organization_name": "organizations",
    "contact_name": "persons",
    "legal_representative": "persons",
    "given_name": "given names",
    "family_name": "family names",
    "address": "addresses",
    "city": "cities",
    "region": "provinces or states",
    "country": "countries",
    "sex": "sexes",
    "customer_type": "kinds of customer",
}


def guesses(profile: Profile) -> tuple[Guess, ...]:
    """The readings of a column, the surest first."""
    meant = mapping.meaning(profile.name)
    seen = _seen(profile)
    found: dict[str, Guess] = {}
    if headings.place_in_address(profile.name)[0] != headings.LINE:
        found["address"] = Guess("address", 0.9, "heading, a part of the address")
    elif headings.is_middle_name(profile.name) and not _are_whole_names(profile):
        found["given_name"] = Guess("given_name", 0.9, "heading, a part of the name")
    elif meant is not None:
        field = _refined(meant.field, profile)
        base = 0.9 if meant.rank < _PARTLY else 0.85 if meant.rank < _GUESSED else 0.65
        support = _support(field, profile)
        label = f"{support:.0%} look like {_LABELS[field]}" if field in _LABELS else ""
        said = HEADING
        if meant.rank >= _GUESSED:
            by_initials = meant.rank >= mapping.INITIALS
            said = f"{HEADING}, by its initials" if by_initials else "part of the heading"
        if support >= 0.5 and label:
            sure = base + (1 - base) * 0.9 * support
            found[field] = Guess(field, round(sure, 2), f"{said}; {label}")
        elif not _refused(field, support, profile):
            found[field] = Guess(field, round(base - 0.1, 2), said)
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


def _are_whole_names(profile: Profile) -> bool:
    """Whether a column ``mname`` holds names of members and not middle names."""
    return profile.shares["person"] + profile.shares["organization"] >= 0.5


def _refined(field: str, profile: Profile) -> str:
    """A heading that means any name, over single given names, means these."""
    kinds = profile.shares
    if field == "name" and kinds["one_word"] >= 0.8 and not kinds["han"]:
        if kinds["given_name"] >= 0.5 and kinds["given_name"] >= kinds["family_name"]:
            return "given_name"
        if kinds["family_name"] >= 0.5:
            return "family_name"
    return field


def _support(field: str, profile: Profile) -> float:
    """Share of the values that look like what the field holds; 0 where nothing can tell."""
    kinds = profile.shares
    if field == "name":
        return min(1.0, kinds["person"] + kinds["organization"])
    if field in ("phone", "mobile"):
        return kinds["phone"]
    if field == "identifier":
        return min(1.0, kinds["national_id"] + kinds["tax_id"])
    if field in ("national_id", "tax_id"):
        return max(kinds["national_id"], kinds["tax_id"])
    if field in _DATES:
        return kinds["date"]
    if field in ("contact_name", "legal_representative"):
        return kinds["person"]
    if field == "organization_name":
        return kinds["organization"]
    return kinds.get(field, 0.0)


_CODES = {"sex": 8, "customer_type": 30, "status": 30, "consent_marketing": 8, "do_not_contact": 8}
"""Fields that hold codes, and how many different ones at most."""


def _refused(field: str, support: float, profile: Profile) -> bool:
    """Whether the values contradict the heading."""
    kinds = profile.shares
    if field in _STRICT and support < 0.2:
        return field == "email" or kinds["digit"] < 0.2
    if field == "address" and support < 0.2 and _are_whole_names(profile):
        return True
    if field in ("name", "organization_name", "given_name", "family_name", "city", "country"):
        return kinds["integer"] >= 0.9 or max(kinds[name] for name in _DECISIVE) >= 0.8
    return profile.distinct > _CODES.get(field, profile.distinct)


def _seen(profile: Profile) -> dict[str, float]:
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


def _are_births(profile: Profile) -> bool:
    """Whether dates are of birth: spread over decades, without a time of day, most long ago."""
    years = sorted(filter(None, (content.year(content.folded(v)) for v in profile.sample)))
    if not years or profile.shares["time"] > 0.2:
        return False
    low, middle, high = (years[int(len(years) * q)] for q in (0.05, 0.5, 0.95))
    return high - low >= 25 and middle <= 2008
