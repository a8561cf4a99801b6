"""How many records, and customers, have the value that two records agree on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.comparing.columns import as_array, positions
from dedupe.counts import rarities
from dedupe.explaining import shown
from dedupe.explaining.evidence import Evidence
from dedupe.explaining.facts import Frequency
from dedupe.name_rarity import NameRarity, surnames_and_initials
from dedupe.rarity import Rarity, exploded
from rules.customer import ORGANIZATION, PERSON


def frequencies(
    evidence: Evidence, left: Mapping[str, Any], right: Mapping[str, Any]
) -> dict[str, Frequency]:
    """Field → how common the rarest value is that two records share; without unshared fields.

    Args:
        left, right: rows of features.
    """
    customer_type = left["customer_type"]
    found = {}
    for field, rarity in rarities(customer_type, left).items():
        one = _rarest(evidence, rarity, left, right)
        if one is not None:
            found[field] = one
    return found


def _rarest(
    evidence: Evidence,
    rarity: Rarity | NameRarity,
    left: Mapping[str, Any],
    right: Mapping[str, Any],
) -> Frequency | None:
    """The rarest whole value in common, else the rarest shortened one."""
    coarser = (surnames_and_initials,) if isinstance(rarity, NameRarity) else ()
    for shorten in (None, *coarser):
        shared = _texts(left, rarity, shorten) & _texts(right, rarity, shorten)
        if not shared:
            continue
        held = {
            value: _held(evidence, rarity, shorten, value, left["customer_type"])
            for value in sorted(shared)
        }
        value = min(held, key=lambda one: (held[one][0], _column(rarity, one, left)))
        return Frequency(_shown(rarity, value, left), *held[value])
    return None


def _held(
    evidence: Evidence,
    rarity: Rarity | NameRarity,
    shorten: Callable[[pa.Array], pa.Array] | None,
    value: str,
    customer_type: str,
) -> tuple[int, int]:
    """Records of a type that have a value, and the customers that they are in."""
    known = evidence.held(customer_type, rarity.columns, shorten is not None, value)
    if known is not None:
        return known
    rows = _holders(evidence, rarity, shorten, value, customer_type)
    return len(rows), len(pc.unique(evidence.cluster_ids.take(pa.array(rows))))


Held = dict[tuple[str, tuple[str, ...], bool, str], tuple[int, int]]
"""Customer type, columns, whether shortened, value → records and customers that have it."""


Part = tuple[pa.Table, np.ndarray]
"""Rows of features, and the number of each; -1 of one that does not count."""


def count(
    features: Sequence[Part], record_ids: pa.Array, clusters: pa.Table, wanted: pa.Table
) -> Held:
    """Count at once all values that some records have, instead of one by one.

    Args:
        features: customer_type and the columns of :func:`columns`, of every record.
        record_ids: of every record, by the number of its row.
        clusters: record_id, cluster_id, sorted by record_id.
        wanted: the same columns of the records whose values are asked.
    """
    asked: list[tuple[str, Rarity | NameRarity, bool, pa.Array]] = []
    hits: list[tuple[np.ndarray, np.ndarray]] = []
    for customer_type in pc.unique(wanted["customer_type"]).to_pylist():
        own = wanted.filter(pc.equal(wanted["customer_type"], customer_type))
        for rarity in rarities(customer_type, wanted.column_names).values():
            for shortened in (False, True) if isinstance(rarity, NameRarity) else (False,):
                values = _values(own, rarity, shortened)
                asked.append((customer_type, rarity, shortened, values))
                found = [_hits(*one, customer_type, rarity, shortened, values) for one in features]
                rows, places = (np.concatenate(both) for both in zip(*found, strict=True))
                hits.append((rows, places))
    rows = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(one for one, _ in hits)]))
    cluster = _clusters(record_ids.take(pa.array(rows)), clusters)
    counted: Held = {}
    for (customer_type, rarity, shortened, values), (owner, at) in zip(asked, hits, strict=True):
        records = _distinct(owner, at, len(values))
        customers = _distinct(cluster[np.searchsorted(rows, owner)], at, len(values))
        for value, *counts in zip(values.to_pylist(), records, customers, strict=True):
            counted[customer_type, rarity.columns, shortened, value] = (counts[0], counts[1])
    return counted


def _clusters(record_ids: pa.Array, clusters: pa.Table) -> np.ndarray:
    """A number for the cluster of each record; 0 where it has none."""
    at = positions(record_ids, as_array(clusters["record_id"]))
    of = as_array(clusters["cluster_id"]).take(pa.array(at, mask=at < 0))
    return of.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False) + 1


def columns(names: Sequence[str]) -> list[str]:
    """The columns of features whose values are counted, and the type, of those there are."""
    counted = {
        column
        for customer_type in (PERSON, ORGANIZATION)
        for rarity in rarities(customer_type, names).values()
        for column in rarity.columns
    }
    return [name for name in names if name in counted or name == "customer_type"]


def _values(wanted: pa.Table, rarity: Rarity | NameRarity, shortened: bool) -> pa.Array:
    """The values that some records have in the columns of a rarity, each once."""
    values = pc.unique(exploded(wanted, rarity.columns)[1])
    if shortened:
        values = pc.unique(surnames_and_initials(values))
        values = values.filter(pc.not_equal(values, ""))
    return values


def _hits(
    features: pa.Table,
    numbers: np.ndarray,
    customer_type: str,
    rarity: Rarity | NameRarity,
    shortened: bool,
    values: pa.Array,
) -> tuple[np.ndarray, np.ndarray]:
    """Which rows of a type have one of the values in the columns of a rarity, and which value."""
    owners, places = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for name in rarity.columns if len(values) else ():
        column = as_array(features.column(name))
        is_list = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
        texts = (pc.list_flatten(column) if is_list else column).cast(pa.string())
        if shortened:
            near = _beginning_like(texts, values)
            at = pc.index_in(surnames_and_initials(texts.take(near)), value_set=values)
            near = near.filter(at.is_valid())
        else:
            at = pc.index_in(texts, value_set=values)
            near = pc.indices_nonzero(at.is_valid())
        owner = pc.list_parent_indices(column).take(near) if is_list else near
        owners.append(owner.to_numpy().astype(np.int64))
        places.append(at.drop_null().to_numpy().astype(np.int64))
    owner, place = np.concatenate(owners), np.concatenate(places)
    types = as_array(features.column("customer_type")).take(pa.array(owner))
    counts = (numbers[owner] >= 0) & np.asarray(pc.equal(types, customer_type))
    return numbers[owner[counts]], place[counts]


_MARKS = 18
"""Bits of the number that stands for a beginning."""


def _beginning_like(texts: pa.Array, values: pa.Array) -> pa.Array:
    """Places of the texts that can be one of the values when they are shortened.

    Names are looked through by a few bytes of what stays of them: to shorten them takes ten times
    that.
    """
    marks = np.zeros(1 << _MARKS, dtype=bool)
    marks[_beginnings(values)[1]] = True
    places, found = _beginnings(texts)
    return pa.array(places[marks[found]])


def _beginnings(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Places of the texts with something after a blank, and a number for what begins each.

    Texts that begin alike up to the character after the first blank have one number.
    """
    _, written, data = texts.buffers()
    if not len(texts) or data is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint32)
    offsets = np.frombuffer(written, np.int32, len(texts) + 1, 4 * texts.offset)
    text = np.frombuffer(data, np.uint8, offsets[-1])
    if not (text[offsets[0] :] == ord(" ")).any():  # as of all keys of names
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint32)
    blank = pc.fill_null(pc.find_substring(texts, " "), -1).to_numpy()
    places = np.flatnonzero((blank >= 0) & (blank + 1 < np.diff(offsets)))
    start, size = offsets[places], blank[places]
    number = size.astype(np.uint32) << np.uint32(24)
    before = start + np.maximum(size, 1) - 1
    for shift, at in ((0, start), (8, before), (16, start + size + 1)):
        number |= text[at].astype(np.uint32) << np.uint32(shift)
    number *= np.uint32(0x9E3779B1)
    return places, number >> np.uint32(32 - _MARKS)


def _distinct(things: np.ndarray, values: np.ndarray, count: int) -> list[int]:
    """How many different things have each value."""
    pairs = np.unique(things.astype(np.int64) * max(count, 1) + values)
    return np.bincount(pairs % max(count, 1), minlength=count).tolist()


def _texts(
    row: Mapping[str, Any],
    rarity: Rarity | NameRarity,
    shorten: Callable[[pa.Array], pa.Array] | None,
) -> set[str]:
    found: set[str] = set()
    for column in rarity.columns:
        value = row.get(column)
        found.update(value if isinstance(value, list) else [value] if value else [])
    if shorten is not None:
        found = set(shorten(pa.array(sorted(found), pa.string())).to_pylist())
    return found - {""}


def _holders(
    evidence: Evidence,
    rarity: Rarity | NameRarity,
    shorten: Callable[[pa.Array], pa.Array] | None,
    value: str,
    customer_type: str,
) -> np.ndarray:
    """Rows of features of a type that have a value in any of the columns."""
    rows = np.zeros(0, dtype=np.int64)
    for name in rarity.columns:
        column = evidence.features.column(name).combine_chunks()
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            owner, flat = pc.list_parent_indices(column).to_numpy(), pc.list_flatten(column)
        else:
            owner, flat = np.arange(len(column)), column
        if shorten is None:
            hit = pc.equal(flat, value)
        else:
            coded = flat.dictionary_encode()
            hit = pc.equal(shorten(coded.dictionary), value).take(coded.indices)
        rows = np.union1d(rows, owner[np.asarray(pc.fill_null(hit, False))])
    types = evidence.features.column("customer_type").take(pa.array(rows))
    return rows[np.asarray(pc.equal(types, customer_type))]


def _column(rarity: Rarity | NameRarity, value: str, row: Mapping[str, Any]) -> int:
    """The first column of a row that has a value; beyond the last for a shortened one."""
    has = (n for n, c in enumerate(rarity.columns) if value in _texts(row, Rarity((c,)), None))
    return next(has, len(rarity.columns))


def _shown(rarity: Rarity | NameRarity, value: str, left: Mapping[str, Any]) -> str:
    """A value as it is shown: a name itself where the value is its key, else the key in quotes."""
    at = _column(rarity, value, left)
    if at == len(rarity.columns):
        return f"“{value}…”"
    column = rarity.columns[at]
    if column in _SHOWN_NAMES:
        return str(left[_SHOWN_NAMES[column]])
    text = shown.key_text(column, value, left.get("country"))
    return f"“{text}”" if column.endswith("_readings") else text


_SHOWN_NAMES = {"name_key": "name", "brand_key": "org_brand"}
"""Columns of keys that are made of one shown column of features."""
