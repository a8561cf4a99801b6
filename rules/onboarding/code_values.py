"""What the codes of a column mean: ``values`` of a source.

What belongs here: columns of few different codes, such as the kind of customer
or the state of a record. A code that the rules understand needs no entry; one
of a known system stands in resources/known_codes.tsv; the kind of customer can
be seen in the names beside its codes. What is not known is not guessed.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from connectors.mapping import normalize
from rules import codes, customer_type, tables
from rules.customer import ORGANIZATION, PERSON

_MEANINGS: dict[str, Callable[[str], object]] = {
    "customer_type": codes.customer_type,
    "sex": codes.sex,
    "status": codes.status,
    "consent_marketing": codes.yes_no,
    "do_not_contact": codes.yes_no,
}
CHOICES = {
    "customer_type": (PERSON, ORGANIZATION),
    "sex": ("M", "F"),
    "status": ("active", "closed"),
    "consent_marketing": ("yes", "no"),
    "do_not_contact": ("yes", "no"),
}
"""Fields that hold codes, and what a code can mean."""
MOST = 12
"""Different codes of a column at most."""
_NAMES_PER_CODE = 5
_NAMES_LOOKED_AT = 400
_CLEAR = 0.75


@dataclass(frozen=True)
class Codes:
    """The codes of one column.

    Attributes:
        values: code → meaning, for ``values`` in the YAML.
        unknown: codes whose meaning is not known, the most frequent first.
        reason: how the meanings were found, without values of customers.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    reason: str = ""


def read(
    name: str,
    column: str,
    samples: Sequence[pa.Table],
    names: Sequence[str],
    known: Mapping[str, str] | None = None,
) -> Codes | None:
    """What the codes of a column mean.

    Args:
        name: the input field that the column is mapped to.
        column: its heading.
        samples: tables of text.
        names: columns that hold names of customers.
        known: meanings that are already declared, such as by a layout.

    Returns:
        None if the column holds no codes: too many different values.
    """
    found = _counted(column, samples)
    if len(found) > MOST:
        return None
    meaning = _MEANINGS[name]
    open_ = [code for code in found if meaning((known or {}).get(code, code)) is None]
    open_ = [code for code in open_ if not (known and known.get(code) == "")]
    if not open_:
        return Codes()
    listed = {_folded(code): to for code, to in _listed(name, column).items()}
    values = {code: listed[_folded(code)] for code in open_ if _folded(code) in listed}
    if len(values) == len(open_):
        return Codes(values, (), "codes of a system that is known")
    if name == "customer_type":
        seen = _by_names(column, samples, names)
        if set(open_) <= set(seen) and len(set(seen.values())) == 2:
            values = {code: seen[code] for code in open_}
            return Codes(values, (), "by the names beside the codes")
    return Codes({}, tuple(open_), "what the codes mean is not known")


def _counted(column: str, samples: Sequence[pa.Table]) -> list[str]:
    counts: Counter[str] = Counter()
    for table in samples:
        if column in table.column_names:
            for one in pc.value_counts(table[column].drop_null()).to_pylist():
                counts[one["values"].strip()] += one["counts"]
    counts.pop("", None)
    return sorted(counts, key=lambda code: (-counts[code], code))


@cache
def _known() -> dict[tuple[str, str], dict[str, str]]:
    found = {}
    for name, headings, meanings in tables.rows("known_codes"):
        pairs = dict(one.split("=") for one in meanings.split("|"))
        for heading in headings.split("|"):
            found[name, normalize(heading)] = pairs
    return found


def _listed(name: str, column: str) -> dict[str, str]:
    return _known().get((name, normalize(column)), {})


def _folded(code: str) -> str:
    return code.casefold().removesuffix(".0")


def _by_names(column: str, samples: Sequence[pa.Table], names: Sequence[str]) -> dict[str, str]:
    """Code → person or organization, where the names beside it are clearly of one kind."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for table in samples:
        there = [name for name in names if name in table.column_names]
        if column not in table.column_names or not there:
            continue
        rows = zip(
            table[column].to_pylist(), *(table[name].to_pylist() for name in there), strict=True
        )
        for code, *cells in rows:
            text = next((cell for cell in cells if cell and cell.strip()), None)
            if code and text and votes[code.strip()].total() < _NAMES_LOOKED_AT:
                kind = ORGANIZATION if customer_type.of_name(text) > 0 else PERSON
                votes[code.strip()][kind] += 1
    found = {}
    for code, seen in votes.items():
        kind, count = seen.most_common(1)[0]
        if seen.total() >= _NAMES_PER_CODE and count >= _CLEAR * seen.total():
            found[code] = kind
    return found
