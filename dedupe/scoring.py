"""Comparison levels → weights in bits and a probability per pair.

Fellegi-Sunter, one model per customer type: every level of every comparison
carries log2(m / u) bits, a missing one carries none, and the bits add up.
Agreeing on a rare value carries more than on a common one (rarity.py). A pair
with a contradiction is weighed by what its kind of contradiction taught
(training.py). What agreements weigh together is corrected by what pairs with
numbers taught (checking.py). How weights are learned stands in learning.py; which
levels there are in levels.py.

Source: Fellegi & Sunter 1969, doi:10.1080/01621459.1969.10501049
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.comparing.columns import as_array, positions
from dedupe.counts import Spaces, Values
from dedupe.learning import posterior
from dedupe.levels import MISSING, NUMBERS, VETOES, fields_of, levels_of
from dedupe.model import APART_PRIOR, Check, Model, Models, counts_of, logit_bits
from dedupe.name_rarity import NameFrequencies
from dedupe.rarity import Frequencies
from onefold.errors import ModelError

CHUNK_ROWS = 200_000


def score(levels: pa.Table, features: pa.Table, models: Models) -> pa.Table:
    """Weigh every pair.

    Args:
        levels: left_id, right_id, found_by, <field>_level per comparison, veto.
        features: one row per record: record_id, customer_type, the columns of counts.RARITIES.
        models: one per customer type; a pair of two types is weighed as its
            left record's type, and has its veto.

    Returns:
        the same rows in the same order: left_id, right_id, found_by, veto (null
        where the weight overrules it), <field>_level, <field>_bits,
        <field>_rarity_bits, veto_bits (what the contradiction takes beside what
        it does to the fields' bits), check_bits (what pairs with numbers say
        of such agreements), weight_bits (log2 odds), probability (0..1).

    Raises:
        ModelError: a model for a type in the data is missing, or names other
            comparisons.
    """
    scorer = Scorer(features, models)
    return pa.concat_tables(map(scorer.score, _chunks(levels)))


class _Weighed(NamedTuple):
    """The parts of some pairs' weights.

    Attributes:
        bits, rare: float64 by field, one per pair: of the level, and of the value's rarity.
        against: what the contradiction takes beside, one per pair.
        checked: what pairs with numbers say of such agreements, one per pair.
        weight: their sum and the prior's, log2 odds.
        veto: the contradictions in force.
    """

    bits: dict[str, np.ndarray]
    rare: dict[str, np.ndarray]
    against: np.ndarray
    checked: np.ndarray
    weight: np.ndarray
    veto: pa.Array


class ValueCounts:
    """How common the values of records are: what rarities of pairs are read from."""

    def __init__(self, features: pa.Table, spaces: Spaces | None = None) -> None:
        """Look the values of some records up.

        Args:
            features: record_id, customer_type, the columns of counts.RARITIES.
            spaces: of all records; None: these are all, and are counted.
        """
        self._ids = as_array(features.column("record_id"))
        self.types = sorted(pc.unique(features.column("customer_type")).to_pylist())
        """Customer types that there are."""
        known = pa.array(self.types, pa.string())
        self._type = positions(features.column("customer_type"), known)
        self._frequencies: dict[str, dict[str, Frequencies | NameFrequencies]] = {}
        values = Values(features)
        self.spaces: Spaces = values.spaces() if spaces is None else spaces
        """How common values are."""
        for kind, name, rarity, forms, mine in values.each():
            if kind in self.types:
                found = rarity.frequencies(forms, mine, self.spaces[kind, name])
                self._frequencies.setdefault(kind, {})[name] = found

    def rows(self, pairs: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """Rows of features of each pair's records."""
        left, right = (positions(pairs.column(name), self._ids) for name in ("left_id", "right_id"))
        return left, right

    def types_of(self, rows: np.ndarray) -> np.ndarray:
        """Per row of features the place of its customer type in ``types``."""
        return self._type[rows]

    def fields(self, customer_type: str) -> tuple[str, ...]:
        """Comparisons of a type that rarity bears on."""
        return tuple(self._frequencies.get(customer_type, ()))

    def bits(
        self,
        customer_type: str,
        field: str,
        left: np.ndarray,
        right: np.ndarray,
        level: np.ndarray,
    ) -> np.ndarray:
        """Rarity bits of pairs of rows of features, given their levels."""
        agrees = agreement(customer_type, field)[level + 1]
        return self._frequencies[customer_type][field].bits(left, right, agrees)


class Scorer:
    """Models and value counts, ready to score one chunk of pairs after another."""

    def __init__(
        self, features: pa.Table, models: Models, values: ValueCounts | None = None
    ) -> None:
        """Look the values of the records of the pairs up in the counts of the models.

        Args:
            values: of the features, as counted for the models; None: they are looked up.

        Raises:
            ModelError: a model for a type in the data is missing.
        """
        known = counts_of(models)
        self._values = values or ValueCounts(features, known.spaces if known else None)
        for customer_type in sorted(set(self._values.types) - set(models)):
            raise ModelError(
                f"models/{customer_type}",
                "there is no model for this customer type",
                do="Train with 'onefold train'.",
            )
        self._models = models

    def weigh(self, chunk: pa.Table) -> pa.Table:
        """The pairs as clustering reads them.

        Returns:
            left_id, right_id, found_by, veto, weight_bits, probability.
        """
        return _with_weight(chunk, {}, self._weighed(chunk))

    def score(self, chunk: pa.Table) -> pa.Table:
        """The pairs with every part of their weight; see :func:`score`."""
        weighed = self._weighed(chunk)
        parts: dict[str, pa.ChunkedArray | pa.Array] = {}
        for name, bits in weighed.bits.items():
            parts[f"{name}_level"] = chunk.column(f"{name}_level")
            parts[f"{name}_bits"] = pa.array(bits)
            if name in weighed.rare:
                parts[f"{name}_rarity_bits"] = pa.array(weighed.rare[name])
        parts["veto_bits"] = pa.array(weighed.against)
        parts["check_bits"] = pa.array(weighed.checked)
        return _with_weight(chunk, parts, weighed)

    def _weighed(self, chunk: pa.Table) -> _Weighed:
        left, right = self._values.rows(chunk)
        pair_type = self._values.types_of(left)
        fields = fields_of(chunk.column_names)
        counted = {name for kind in self._values.types for name in self._values.fields(kind)}
        bits = {name: np.zeros(chunk.num_rows) for name in fields}
        rare = {name: np.zeros(chunk.num_rows) for name in fields if name in counted}
        weight, against, checked = (np.zeros(chunk.num_rows) for _ in range(3))
        stratum = positions(chunk.column("veto"), pa.array(list(VETOES))) + 1
        kinds = ["", *VETOES]
        denied = np.zeros(chunk.num_rows, dtype=bool)
        for number, customer_type in enumerate(self._values.types):
            model = self._models[customer_type]
            rows = np.flatnonzero(pair_type == number)
            if not len(rows):
                continue
            none = [veto for veto, name in enumerate(VETOES, 1) if name in model.denied]
            denied[rows] = np.isin(stratum[rows], none)
            stratum[denied] = 0
            prior = logit_bits(model.prior)
            weight[rows] = prior
            apart = [logit_bits(model.apart_prior.get(name, APART_PRIOR)) for name in VETOES]
            against[rows] = np.array([prior, *apart])[stratum[rows]] - prior
            level = {
                name: chunk.column(f"{name}_level").to_numpy()[rows].astype(np.int64)
                for name in fields
                if name in model.fields
            }
            for name, of_pair in level.items():
                bits[name][rows] = weight_table(model, name)[stratum[rows], of_pair + 1]
                if name in self._values.fields(customer_type):
                    ends = left[rows], right[rows]
                    rare[name][rows] = self._values.bits(customer_type, name, *ends, of_pair)
            for kind, check in {"": model.check, **model.apart_check}.items():
                if not check.pairs:
                    continue
                those = np.flatnonzero(stratum[rows] == kinds.index(kind))
                rarity = {name: known[rows[those]] for name, known in rare.items()}
                of_those = {name: known[those] for name, known in level.items()}
                checked[rows[those]] = check_bits(check, customer_type, of_those, rarity)
        for name in fields:
            weight += bits[name] + rare.get(name, 0.0)
        weight += against + checked
        return _Weighed(
            bits, rare, against, checked, weight, _in_force(chunk.column("veto"), weight, denied)
        )


def _with_weight(
    chunk: pa.Table, parts: dict[str, pa.ChunkedArray | pa.Array], weighed: _Weighed
) -> pa.Table:
    columns = {name: chunk.column(name) for name in ("left_id", "right_id", "found_by")}
    columns |= {"veto": weighed.veto, **parts}
    columns["weight_bits"] = pa.array(weighed.weight)
    columns["probability"] = pa.array(posterior(weighed.weight))
    return pa.table(columns)


def _chunks(table: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, max(table.num_rows, 1), CHUNK_ROWS):
        yield table.slice(start, CHUNK_ROWS).combine_chunks()


def weight_table(model: Model, field: str) -> np.ndarray:
    """Bits by kind of contradiction and level, both + 1: index 0 is none, and missing.

    Returns:
        float64, shape (1 + vetoes, 1 + levels).
    """
    rows = [model.fields[field].bits]
    for veto, known in VETOES.items():
        learned = model.apart.get(veto, model.fields).get(field, model.fields[field]).bits
        rows.append(tuple(0.0 for _ in learned) if field == known.field else learned)
    return np.column_stack([np.zeros(len(rows)), np.array(rows)])


def checkable(level: Mapping[str, np.ndarray]) -> np.ndarray:
    """Per pair whether both records tell a number or birth date to check it by.

    Args:
        level: field → level per pair.
    """
    known = [level[name] != MISSING for name in NUMBERS if name in level]
    return np.any(known, axis=0) if known else np.zeros(_pairs(level), dtype=bool)


def at_one_place(customer_type: str, level: Mapping[str, np.ndarray]) -> np.ndarray:
    """Per pair whether telephone and address both agree.

    Args:
        level: field → level per pair.
    """
    both = [
        agreement(customer_type, name)[level[name] + 1] >= _AT_ONE_PLACE
        for name in ("phone", "address")
        if name in level
    ]
    return np.all(both, axis=0) if len(both) > 1 else np.zeros(_pairs(level), dtype=bool)


_AT_ONE_PLACE = 0.3
"""Agreement from which a telephone number or an address may be that of one household or firm."""


def _pairs(level: Mapping[str, np.ndarray]) -> int:
    return len(next(iter(level.values()), ()))


def check_bits(
    check: Check,
    customer_type: str,
    level: Mapping[str, np.ndarray],
    rarity: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Bits that pairs of one kind get besides their agreements, float64, shape (pairs,).

    Args:
        level: field → level per pair, -1 where missing.
        rarity: field → rarity bits per pair.
    """
    bits = np.full(_pairs(level), check.all)
    # In order of names: a model that was saved has them so, and the order moves the last bit.
    for name, added in sorted(check.levels.items()):
        bits += np.array([0.0, *added])[level[name] + 1]
    for name, slope in sorted(check.rarity.items()):
        bits += slope * rarity[name]
    return bits + check.together * at_one_place(customer_type, level)


@cache
def agreement(customer_type: str, field: str) -> np.ndarray:
    """By level + 1: how much a level speaks for a match before any training."""
    return np.array([0.0, *(level.agreement for level in levels_of(customer_type, field))])


def _in_force(veto: pa.ChunkedArray, weight: np.ndarray, denied: np.ndarray) -> pa.Array:
    """The vetoes that are not denied and that the weight does not overrule; a byte each."""
    names = pa.array(list(VETOES))
    number = positions(veto, names)
    bounds = [known.overruled_at_bits for known in VETOES.values()]
    overruled_at = np.array([np.inf if bits is None else bits for bits in bounds])
    gone = denied | (number < 0) | (weight >= overruled_at[number])
    return pa.DictionaryArray.from_arrays(pa.array(number.astype(np.int8), mask=gone), names)
