"""Whether a cleaned record is of a person who was erased, by keyed hashes alone.

What belongs here: what of a record is hashed, and when hashes that agree mean the same
customer. Nothing of an erased customer is known but these hashes.

| kind | hash of | what it says |
|---|---|---|
| ``key`` | source and key | this record |
| ``row`` | source and all it holds | this record, of a source without a key or with a key twice |
| ``number:KIND`` | a person's identity number | this person; another number of KIND: not |
| ``named`` | name with an e-mail address or mobile number | this customer |
| ``near`` | name with a fixed-line number, an address or a birth date | two of them: this one |
| ``alone`` | an e-mail address or mobile number | a record without a name is this customer's |
| ``born`` | birth date | another one: not this person, unless two contacts agree |

A relative, a colleague or a company that shares a telephone, an address or a mailbox has
another name and is let in; so is a namesake with another identity number, or another birth
date and no more than one contact in common. An organization's registration number counts
with its name only, for branches share it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from rules.customer import PERSON

PURPOSE = "suppression"
"""What the keyed hashes are for (onefold.keys)."""
KEY, ROW = "key", "row"
NAMED, NEAR, ALONE, BORN, NUMBER = "named", "near", "alone", "born", "number:"
COLUMNS = (
    "customer_type", "name_key", "name_readings", "id_keys", "birth_date", "emails", "phones",
    "phone_kinds", "phone_keys", "address_key",
)  # fmt: skip
"""Staged columns that are looked at."""
_HAN = ("\u3400", "\u9fff")
_MIN_NEAR = 2
_BETWEEN = "\0"


class Trait(NamedTuple):
    """Something of a record that is hashed.

    Attributes:
        kind: as in the table above.
        text: what is hashed.
        contact: which contact it is, for counting how many agree.
    """

    kind: str
    text: str
    contact: str = ""


class Stored(NamedTuple):
    """A row of the suppressions: erasure, kind, hash, and the source it holds for."""

    erasure_id: str
    kind: str
    hash: str
    source: str | None = None


def of_key(source: str, key: str) -> str:
    """What is hashed of a record's key."""
    return f"{KEY}{_BETWEEN}{source}{_BETWEEN}{key}"


def of_row(source: str, content: str) -> str:
    """What is hashed of a record's content; ``content`` is its hash, hexadecimal."""
    return f"{ROW}{_BETWEEN}{source}{_BETWEEN}{content}"


def traits(record: Mapping[str, Any], *, stored: bool) -> list[Trait]:
    """What of a staged record is hashed.

    Args:
        record: COLUMNS as plain values.
        stored: whether to be kept, else to be looked up: a Chinese name is also kept by its
            reading, under which only names in Latin letters are looked up.
    """
    person = record["customer_type"] == PERSON
    numbers = record["id_keys"] or []
    found = [Trait(f"{NUMBER}{one.partition(':')[0]}", one) for one in numbers]
    strong, weak = _contacts(record)
    if not person:
        strong += [f"number {one}" for one in numbers]
    names = list(_names(record, stored=stored))
    for name in names:
        found += [Trait(NAMED, f"{name}{_BETWEEN}{one}", one) for one in strong]
        found += [Trait(NEAR, f"{name}{_BETWEEN}{one}", one) for one in weak]
    if stored or not names:
        found += [Trait(ALONE, one, one) for one in strong]
    if person and record["birth_date"]:
        found.append(Trait(BORN, str(record["birth_date"])))
    return found


def _contacts(record: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """By which a customer is reached alone, and by which others are reached too."""
    kinds = record["phone_kinds"] or []
    phones = record["phones"] or []
    mobile = {one for one, kind in zip(phones, kinds, strict=False) if kind == "mobile"}
    strong = [f"mail {one}" for one in record["emails"] or []]
    strong += [f"phone {one}" for one in sorted(mobile)]
    weak = [f"phone {one}" for one in record["phone_keys"] or [] if one not in mobile]
    if record["address_key"]:
        weak.append(f"at {record['address_key']}")
    if record["birth_date"]:
        weak.append(f"born {record['birth_date']}")
    return strong, weak


def _names(record: Mapping[str, Any], *, stored: bool) -> Iterator[str]:
    """The forms of a name that are hashed; a reading is compared with Latin letters only."""
    name = record["name_key"]
    if not name:
        return
    yield f"name {name}"
    latin = not any(_HAN[0] <= sign <= _HAN[1] for sign in name)
    for reading in record["name_readings"] or []:
        if latin:
            yield f"latin {reading}"
            yield f"han {reading}" if not stored else f"either {reading}"
        else:
            yield f"han {reading}" if stored else f"either {reading}"


class Suppressed:
    """The hashes of all erased customers, ready to be asked.

    Args:
        stored: every suppression in force.
        hashed: the keyed hash of each text of a column, for PURPOSE.
    """

    def __init__(
        self, stored: Iterable[Stored], hashed: Callable[[pa.Array], pa.ChunkedArray]
    ) -> None:
        self._hashed = hashed
        self._exact: dict[tuple[str, str | None], set[str]] = defaultdict(set)
        self._by_hash: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._kinds: dict[str, set[str]] = defaultdict(set)
        self._keyless: set[tuple[str, str | None]] = set()
        for one in stored:
            if one.kind in (KEY, ROW):
                self._exact[one.kind, one.source].add(one.hash)
                if one.kind == ROW:
                    self._keyless.add((one.erasure_id, one.source))
            else:
                self._by_hash[one.kind, one.hash].add(one.erasure_id)
                self._kinds[one.erasure_id].add(one.kind)

    def __bool__(self) -> bool:
        return bool(self._exact or self._by_hash)

    @property
    def knows_people(self) -> bool:
        """Whether records can be recognized by what they say."""
        return bool(self._by_hash)

    def exact(self, kind: str, source: str) -> pa.Array:
        """The hashes of a source's keys or rows."""
        return pa.array(sorted(self._exact.get((kind, source), ())), pa.string())

    def recognized(self, staged: pa.Table, source: str) -> list[frozenset[str]]:
        """For each cleaned record the erasures of the customers that it is of.

        Args:
            staged: COLUMNS at least.
            source: the source that the records are of.
        """
        records = staged.select(COLUMNS).to_pylist()
        every = [traits(record, stored=False) for record in records]
        texts = sorted({f"{one.kind}{_BETWEEN}{one.text}" for found in every for one in found})
        hashes = self._hashed(pa.array(texts, pa.string())).to_pylist()
        of = dict(zip(texts, hashes, strict=True))
        return [
            self._whose([(one, of[f"{one.kind}{_BETWEEN}{one.text}"]) for one in found], source)
            for found in every
        ]

    def _whose(self, found: list[tuple[Trait, str]], source: str) -> frozenset[str]:
        agreeing: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for trait, value in found:
            for erasure_id in self._by_hash.get((trait.kind, value), ()):
                agreeing[erasure_id][trait.kind].add(trait.contact)
        kinds = {trait.kind for trait, _ in found}
        return frozenset(
            erasure_id
            for erasure_id, agreed in agreeing.items()
            if self._is_the_one(kinds, agreed, erasure_id, source)
        )

    def _is_the_one(
        self, kinds: set[str], agreed: Mapping[str, set[str]], erasure_id: str, source: str
    ) -> bool:
        known = self._kinds[erasure_id]
        numbers = {kind for kind in kinds & known if kind.startswith(NUMBER)}
        if numbers & agreed.keys() and NUMBER in known:
            return True
        if numbers - agreed.keys():
            return False
        sure = len(agreed.get(NAMED, ())) + len(agreed.get(ALONE, ()))
        contacts = sure + len(agreed.get(NEAR, ()))
        if BORN in kinds & known and BORN not in agreed and contacts < _MIN_NEAR:
            return False
        least = 1 if (erasure_id, source) in self._keyless else _MIN_NEAR
        return sure > 0 or contacts >= least


def stored_of(
    erasure_id: str,
    staged: pa.Table,
    keys: Iterable[tuple[str, str]],
    contents: Iterable[tuple[str, str]],
    hashed: Callable[[pa.Array], pa.ChunkedArray],
) -> list[Stored]:
    """What is kept of an erased customer.

    Args:
        erasure_id: the erasure.
        staged: COLUMNS of the customer's records.
        keys: source and key of each record that its key names alone.
        contents: source and hash of the content of all others.
        hashed: as for :class:`Suppressed`.
    """
    texts: dict[tuple[str, str | None, str], None] = {}
    for source, key in keys:
        texts[KEY, source, of_key(source, key)] = None
    for source, content in contents:
        texts[ROW, source, of_row(source, content)] = None
    person = False
    for record in staged.select(COLUMNS).to_pylist():
        person = person or record["customer_type"] == PERSON
        for one in traits(record, stored=True):
            texts[one.kind, None, f"{one.kind}{_BETWEEN}{one.text}"] = None
    if person:  # an identity number is a person's own: it says by itself who that is
        texts[NUMBER, None, NUMBER] = None
    hashes = hashed(pa.array([text for _, _, text in texts], pa.string())).to_pylist()
    return [
        Stored(erasure_id, kind, value, source)
        for (kind, source, _), value in zip(texts, hashes, strict=True)
    ]
