"""Keys by which people look for a customer: names, readings, numbers, addresses, source keys.

What belongs here: the keys of golden customers, and how what somebody typed
becomes beginnings of keys. A key is folded (simplified, lower case, no blanks
or marks); a beginning of it finds the customer. The table is
warehouse/search.py.

>>> customers = pa.table({
...     "golden_id": ["G1"], "name": ["张伟"], "org_brand": [None], "other_names": [[]],
...     "phones": [["+8613800138000"]], "emails": [["Wei@example.com"]],
... })
>>> sorted(row["key"] for row in of_customers(customers).to_pylist())
['13800138000', '8613800138000', 'wei@example.com', 'zhangwei', 'zw', '张伟']
>>> beginnings("zhang wei")
[['zhangwei'], ['zhang', 'wei'], ['zhang wei']]
>>> beginnings("+86 138-0013-8000")
[['8613800138000']]
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from rules import text

VERSION = 1
"""Counts changes of what the keys are: another one makes every key anew."""

LONGEST = 200
"""Characters of a key; what is longer is cut."""
SCHEMA = pa.schema([(name, pa.string()) for name in ("key", "kind", "golden_id")])
_READINGS = 4
_NUMBER = re.compile(r"[\d\s()+./-]+")
_BLANKS = re.compile(r"[\s,;，、；·]+")


def of_customers(customers: pa.Table, identifiers: Sequence[str] = ()) -> pa.Table:
    """Keys of golden customers' values; a customer may have one of them several times.

    Args:
        customers: golden_id, name, org_brand (text), other_names, phones, emails (lists of
            text), and the columns of ``identifiers``; phones in E.164.
        identifiers: columns of identity, tax and license numbers, as text.

    Returns:
        SCHEMA, in no particular order.
    """
    ids = customers["golden_id"].combine_chunks()
    parts = [_of_names(customers, ids)]
    for name, kind, make in (("phones", "phone", _of_phones), ("emails", "email", _of_emails)):
        lists = customers[name].combine_chunks()
        of = ids.take(pc.list_parent_indices(lists))
        parts += [_keys(key, kind, of) for key in make(pc.list_flatten(lists))]
    for name in identifiers:
        parts.append(_keys(_folded(customers[name].combine_chunks()), "identifier", ids))
    return pa.concat_tables(parts)


def of_records(crosswalk: pa.Table) -> pa.Table:
    """The keys of records: their key in their source, alone and with the source.

    Args:
        crosswalk: source, source_key, golden_id.
    """
    whole = pc.binary_join_element_wise(crosswalk["source"], crosswalk["source_key"], ":")
    of = crosswalk["golden_id"].combine_chunks()
    found = [crosswalk["source_key"].combine_chunks(), whole.combine_chunks()]
    return pa.concat_tables([_keys(_casefolded(one), "source_key", of) for one in found])


def _keys(keys: pa.Array, kind: str, golden_ids: pa.Array) -> pa.Table:
    """SCHEMA of keys of one kind, cut, without those that are null or empty."""
    cut = pc.utf8_slice_codeunits(keys, 0, LONGEST)
    kinds = pa.repeat(pa.scalar(kind), len(cut))
    return pa.table([cut, kinds, golden_ids], schema=SCHEMA).filter(pc.not_equal(cut, ""))


def _of_names(customers: pa.Table, ids: pa.Array) -> pa.Table:
    """What names are looked for by, and their readings; every name is looked at once."""
    others = customers["other_names"].combine_chunks().cast(pa.list_(pa.string()))
    own = customers["name"].combine_chunks()
    of = pa.array(np.arange(len(ids)))
    of = pa.concat_arrays([of, of.take(pc.list_parent_indices(others))])
    names = pa.concat_arrays([own, pc.list_flatten(others)])
    brands = customers["org_brand"].combine_chunks().cast(pa.string()).take(of)
    pairs = pc.binary_join_element_wise(
        names, brands, _PART, null_handling="replace", null_replacement=""
    ).dictionary_encode()
    shown = _Shown.of(pairs.dictionary.to_pylist())
    ids = ids.take(of).take(pc.sort_indices(pairs.indices))
    counts = np.bincount(np.asarray(pairs.indices), minlength=len(pairs.dictionary))
    starts = np.cumsum(counts) - counts
    parts = []
    for kind, texts, which in (
        ("name", shown.keys, shown.of_keys),
        ("reading", shown.readings, shown.of_readings),
    ):
        # Every key once for each of the customers that have its name.
        often = counts[which]
        at = np.repeat(np.arange(len(texts)), often)
        nth = np.arange(len(at)) - np.repeat(np.cumsum(often) - often, often)
        own_ids = ids.take(pa.array(np.repeat(starts[which], often) + nth))
        parts.append(_keys(texts.take(pa.array(at)), kind, own_ids))
    return pa.concat_tables(parts)


_PART = "\x1f"
"""Parts a name from its brand: no name has it after cleaning."""


@dataclass(frozen=True)
class _Shown:
    """Keys and readings of names, and which name each is of."""

    keys: pa.Array
    of_keys: np.ndarray
    readings: pa.Array
    of_readings: np.ndarray

    @classmethod
    def of(cls, names: Sequence[str]) -> "_Shown":
        """Of names, each followed by _PART and its brand."""
        keys: list[str] = []
        of_keys: list[int] = []
        read: list[int] = []
        words: list[tuple[str, int]] = []
        for place, (name, _, brand) in enumerate(one.rpartition(_PART) for one in names):
            folded = text.fold(name)
            han = text.has_han(name)
            start = folded.find(text.fold(brand)) if brand else 0
            # 上海华东科技有限公司 is looked for as 华东科技
            for each in (folded, folded[start:]) if start > 0 else (folded,):
                if han:
                    read.append(len(keys))
                keys.append(each)
                of_keys.append(place)
            if not name.isalnum():
                words += [(word, place) for word in _words(name)]
        han_keys = [keys[at] for at in read]
        of = np.array(of_keys, dtype=np.int64)
        places = of[read]
        several = [
            (one, place)
            for key, place in zip(han_keys, places.tolist(), strict=True)
            if text.has_several_readings(key)
            for one in text.readings(key)[1:_READINGS]
        ]
        readings = [
            _spelled(han_keys, text.usual_readings()),
            _spelled(han_keys, _initials()),
            pa.array([one for one, _ in several], pa.string()),
        ]
        more = np.array([place for _, place in several], dtype=np.int64)
        return cls(
            pa.array(keys + [word for word, _ in words], pa.string()),
            np.concatenate([of, np.array([place for _, place in words], dtype=np.int64)]),
            pa.concat_arrays(readings),
            np.concatenate([places, places, more]),
        )


def _spelled(texts: Sequence[str], table: Mapping[int, str]) -> pa.Array:
    """Texts as str.translate makes them; a fifth of its time for many.

    >>> _spelled(["张a", ""], {ord("张"): "zhang"}).to_pylist()
    ['zhanga', '']
    """
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
    size = int(codes.max(initial=0)) + 1
    used = np.zeros(size, dtype=bool)
    used[codes] = True
    seen = np.flatnonzero(used)
    place = np.zeros(size, dtype=np.int32)
    place[seen] = np.arange(len(seen))
    spelled = pa.array([table.get(code, chr(code)) for code in seen.tolist()], pa.string())
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    pieces = spelled.take(pa.array(place[codes]))
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), pieces), "")


def _of_phones(phones: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The digits of numbers in E.164, with and without the country's."""
    digits = pc.utf8_replace_slice(phones, 0, 1, "")
    digits = pc.if_else(pc.starts_with(phones, "+"), digits, phones)
    national = pa.nulls(len(phones), pa.string())
    for length in (3, 2, 1):  # no country's digits begin with another one's
        country = pc.utf8_slice_codeunits(digits, 0, length)
        known = pc.and_(
            pc.is_in(country, value_set=_COUNTRIES), pc.equal(pc.utf8_length(country), length)
        )
        national = pc.if_else(known, pc.utf8_slice_codeunits(digits, length), national)
    return digits, national


_COUNTRIES = pa.array(sorted(map(str, COUNTRY_CODE_TO_REGION_CODE)), pa.string())


def _of_emails(emails: pa.Array) -> tuple[pa.Array]:
    return (_casefolded(emails),)


def _casefolded(texts: pa.Array) -> pa.Array:
    return _changed(pc.ascii_lower(texts), pc.invert(pc.string_is_ascii(texts)), str.casefold)


def _folded(texts: pa.Array) -> pa.Array:
    """Texts as rules.text.fold makes them; plain numbers and letters without calling it."""
    plain = pc.match_substring_regex(texts, "^[0-9A-Za-z]*$")
    return _changed(pc.ascii_lower(texts), pc.invert(plain), text.fold)


def _changed(texts: pa.Array, where: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """Texts, some of them changed one by one."""
    where = pc.fill_null(where, False)
    if not pc.any(where).as_py():
        return texts
    made = [change(one) for one in texts.filter(where).to_pylist()]
    return pc.replace_with_mask(texts, where, pa.array(made, pa.string()))


def _words(name: str) -> Iterator[str]:
    """Words of Latin letters, folded; names without blanks have none of their own."""
    pieces = _BLANKS.split(name)
    if len(pieces) > 1:
        for piece in pieces:
            word = text.fold(piece)
            if len(word) > 1 and not text.has_han(word):
                yield word


@cache
def _initials() -> dict[int, str]:
    """Characters to the first letter of their usual reading."""
    return {place: reading[:1] for place, reading in text.usual_readings().items()}


def beginnings(typed: str) -> list[list[str]]:
    """What somebody typed, as alternatives: beginnings that one customer's keys must all have.

    Longest first within an alternative: it leaves the fewest customers to look at.
    """
    shown = text.clean(typed).strip()
    if not shown:
        return []
    if "@" in shown:
        return [[shown.casefold()]]
    if _NUMBER.fullmatch(shown) and any(character.isdigit() for character in shown):
        digits = re.sub(r"\D", "", shown)
        national = digits.lstrip("0")  # an area code is dialed with a zero that no key has
        return [[each] for each in dict.fromkeys((digits, national)) if each]
    found = [[text.fold(shown)]] if text.fold(shown) else []
    words = [word for word in (text.fold(piece) for piece in _BLANKS.split(shown)) if word]
    if len(words) > 1:
        found.append(sorted(dict.fromkeys(words), key=lambda word: (-len(word), word)))
    if shown.casefold() not in {one[0] for one in found}:
        found.append([shown.casefold()])  # a source's key is kept as written
    return found


def wholes(typed: str) -> list[list[str]]:
    """What somebody typed, as alternatives of whole keys: for values whose keys are hashed.

    A number may be a telephone number, with or without the country's, or an identity number.

    >>> wholes("110101 19900307 8515")
    [['110101199003078515']]
    """
    found = beginnings(typed)
    if folded := text.fold(typed):
        found.append([folded[:LONGEST]])
    return [list(one) for one in dict.fromkeys(map(tuple, found))]
