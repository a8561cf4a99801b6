"""Comparison levels → weights in bits and a probability per pair.

Fellegi-Sunter, one model per customer type: every level of every comparison
carries log2(m / u) bits, a missing one carries none, and the bits add up.
Agreeing on a rare value carries more than on a common one (rarity.py). How
the weights are learned stands in learning.py; which levels there are in
levels.py.

Source: Fellegi & Sunter 1969, doi:10.1080/01621459.1969.10501049
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.learning import (
    Patterns,
    count_patterns,
    expectation_maximization,
    level_counts,
    maximize,
    posterior,
    weight_table,
)
from dedupe.levels import LEVELS, VETOES, fields_of, is_text, levels_of
from dedupe.model import FieldModel, MatchingSettings, Model, Models
from dedupe.prior import shipped_model
from dedupe.rarity import Frequencies, Rarity, frequencies, surname_and_initial
from onefold.errors import ModelError
from rules.customer import ORGANIZATION, PERSON

CHUNK_ROWS = 200_000
LEAST_PAIRS = 200
"""Candidate pairs of a type below which its shipped weights are used as they are."""

VETOING = ("id", "birth_date")
"""Comparisons of which one level is a veto by itself, and which most pairs lack.

Not so branches: a branch agrees where the name does, so it must not count twice."""

_SHARED_RARITIES = {
    "phone": Rarity(("phone_keys",), 4.0),
    "email": Rarity(("emails",), 3.0),
}
RARITIES: dict[str, dict[str, Rarity]] = {
    PERSON: {
        "name": Rarity(("name_key", "name_readings"), shorten=surname_and_initial),
        **_SHARED_RARITIES,
    },
    ORGANIZATION: {
        "name": Rarity(("brand_key", "brand_readings", "name_key")),
        **_SHARED_RARITIES,
    },
}
"""Comparisons whose agreement depends on how rare the agreeing value is."""
_TEXT_RARITY_BITS = 4.0


def rarities(customer_type: str, fields: Iterable[str]) -> dict[str, Rarity]:
    """The comparisons of a type whose agreement depends on how rare the agreeing value is.

    Args:
        fields: all comparisons, for those of attributes compared as plain text.
    """
    texts = {name: Rarity((name,), _TEXT_RARITY_BITS) for name in fields if is_text(name)}
    return RARITIES[customer_type] | texts


def train(
    levels: pa.Table,
    features: pa.Table,
    settings: MatchingSettings,
    known: np.ndarray | None = None,
) -> Models:
    """Learn one model per customer type from candidate pairs, without any truth.

    Args:
        levels: what comparisons.compare returns.
        features: one row per record: record_id, customer_type.
        settings: comparisons to ignore.
        known: per pair 1.0 or 0.0 where a label says so, else NaN (labels.align);
            None if there are no labels.

    Returns:
        a model for person and for organization; its basis is ``prior`` where
        there were too few pairs to learn from.
    """
    pair_type, apart = _open_and_apart(levels, features, known)
    models: Models = {}
    for customer_type in LEVELS:
        texts = tuple(filter(is_text, fields_of(levels.column_names)))
        start = _reduced(shipped_model(customer_type, texts), settings)
        rows = np.flatnonzero(pair_type == customer_type)
        patterns = _patterns(levels, start, rows, np.flatnonzero(apart == customer_type), known)
        records = _count_records(features, customer_type)
        if len(rows) < LEAST_PAIRS:
            counts = {"records": records, "pairs": len(rows)}
            models[customer_type] = replace(start, trained_on=counts)
            continue
        model, rounds = expectation_maximization(patterns, start)
        models[customer_type] = replace(
            model,
            basis="em",
            trained_on={
                "records": records,
                "pairs": len(rows),
                "patterns": len(patterns.counts),
                "rounds": rounds,
                "labels": 0 if known is None else int((~np.isnan(known[rows])).sum()),
                **{f"measured_{name}": n for name, n in level_counts(patterns).items()},
            },
        )
    return models


def refit(
    models: Models,
    levels: pa.Table,
    features: pa.Table,
    clusters: pa.Table,
    known: np.ndarray | None = None,
) -> Models:
    """Estimate each learned model once more, from the clusters it led to.

    A pair inside a cluster counts as a match, any other as none; average link
    and vetoes thereby correct what looked right pair by pair.

    Args:
        clusters: record_id, cluster_id.
        known: as in :func:`train`; a label counts, whatever the clusters say.
    """
    pair_type, apart = _open_and_apart(levels, features, known)
    together = _together(levels, clusters)
    refitted: Models = {}
    for customer_type, model in models.items():
        rows = np.flatnonzero(pair_type == customer_type)
        if model.basis == "prior" or not len(rows):
            refitted[customer_type] = model
            continue
        patterns = _patterns(levels, model, rows, np.flatnonzero(apart == customer_type), known)
        free = np.ones(len(rows)) if known is None else np.isnan(known[rows]).astype(np.float64)
        inside = np.bincount(
            patterns.inverse, weights=together[rows] * free, minlength=len(patterns.counts)
        )
        start = replace(shipped_model(customer_type), fields=_shipped_fields(model))
        share = inside / np.maximum(patterns.counts, 1.0)
        refitted[customer_type] = maximize(patterns, share, model, start)
    return refitted


def score(levels: pa.Table, features: pa.Table, models: Models) -> pa.Table:
    """Weigh every pair.

    Args:
        levels: left_id, right_id, found_by, <field>_level per comparison, veto.
        features: one row per record: record_id, customer_type, the columns of RARITIES.
        models: one per customer type; a pair of two types is weighed as its
            left record's type, and has its veto.

    Returns:
        the same rows in the same order: left_id, right_id, found_by, veto (null
        where the weight overrules it), <field>_level, <field>_bits,
        <field>_rarity_bits, weight_bits (log2 odds), probability (0..1).

    Raises:
        ModelError: a model for a type in the data is missing, or names other
            comparisons.
    """
    scorer = _Scorer(levels, features, models)
    chunks = [scorer.score(chunk) for chunk in _chunks(levels)]
    return pa.concat_tables(chunks)


class _Scorer:
    """Models and value counts, ready to score one chunk of pairs after another."""

    def __init__(self, levels: pa.Table, features: pa.Table, models: Models) -> None:
        self.ids = features.column("record_id").combine_chunks()
        self.types = _types(features)
        present = set(self.types.tolist())
        for customer_type in sorted(present - set(models)):
            raise ModelError(
                f"models/{customer_type}",
                "there is no model for this customer type",
                do="Train with 'onefold train'.",
            )
        self.models = models
        self.fields = fields_of(levels.column_names)
        self.frequencies: dict[str, dict[str, Frequencies]] = {
            customer_type: frequencies(
                features,
                rarities(customer_type, self.fields),
                np.flatnonzero(self.types == customer_type),
            )
            for customer_type in sorted(present)
        }
        self.rare = {name for counts in self.frequencies.values() for name in counts}

    def score(self, chunk: pa.Table) -> pa.Table:
        left = pc.index_in(chunk.column("left_id"), value_set=self.ids).to_numpy()
        right = pc.index_in(chunk.column("right_id"), value_set=self.ids).to_numpy()
        pair_type = self.types[left]
        bits = {name: np.zeros(chunk.num_rows) for name in self.fields}
        rare = {name: np.zeros(chunk.num_rows) for name in self.fields if name in self.rare}
        weight = np.zeros(chunk.num_rows)
        for customer_type, model in self.models.items():
            rows = np.flatnonzero(pair_type == customer_type)
            if not len(rows):
                continue
            weight[rows] = np.log2(model.prior / (1.0 - model.prior))
            for name in self.fields:
                if name not in model.fields:
                    continue
                level = chunk.column(f"{name}_level").to_numpy()[rows].astype(np.int64)
                bits[name][rows] = weight_table(model, name)[level + 1]
                if name in self.frequencies[customer_type]:
                    # 0.6 is the levels' own guess from which they are the same value.
                    agree = rows[_agreement(customer_type, name)[level + 1] >= 0.6]
                    counts = self.frequencies[customer_type][name]
                    rare[name][agree] = counts.bits(left[agree], right[agree])
        for name in self.fields:
            weight += bits[name] + rare.get(name, 0.0)
        columns = {name: chunk.column(name) for name in ("left_id", "right_id", "found_by")}
        columns["veto"] = _in_force(chunk.column("veto"), weight)
        for name in self.fields:
            columns[f"{name}_level"] = chunk.column(f"{name}_level")
            columns[f"{name}_bits"] = pa.array(bits[name])
            if name in rare:
                columns[f"{name}_rarity_bits"] = pa.array(rare[name])
        columns["weight_bits"] = pa.array(weight)
        columns["probability"] = pa.array(posterior(weight))
        return pa.table(columns)


def _chunks(table: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, max(table.num_rows, 1), CHUNK_ROWS):
        yield table.slice(start, CHUNK_ROWS).combine_chunks()


@cache
def _agreement(customer_type: str, field: str) -> np.ndarray:
    """By level + 1: how much a level speaks for a match before any training."""
    return np.array([0.0, *(level.agreement for level in levels_of(customer_type, field))])


def _in_force(veto: pa.ChunkedArray, weight: np.ndarray) -> pa.Array:
    """The vetoes that the weight does not overrule."""
    kept = np.ones(len(weight), dtype=bool)
    for name, known in VETOES.items():
        if known.overruled_at_bits is not None:
            named = pc.fill_null(pc.equal(veto, name), False).to_numpy(zero_copy_only=False)
            kept &= ~(named & (weight >= known.overruled_at_bits))
    return pc.if_else(pa.array(kept), veto.combine_chunks(), pa.scalar(None, pa.string()))


def _reduced(model: Model, settings: MatchingSettings) -> Model:
    kept = {name: f for name, f in model.fields.items() if name not in settings.ignore}
    return replace(model, fields=kept)


def _shipped_fields(model: Model) -> dict[str, FieldModel]:
    texts = tuple(filter(is_text, model.fields))
    shipped = shipped_model(model.customer_type, texts).fields
    return {name: shipped[name] for name in model.fields}


def _types(features: pa.Table) -> np.ndarray:
    return features.column("customer_type").to_numpy(zero_copy_only=False).astype(str)


def _count_records(features: pa.Table, customer_type: str) -> int:
    return int((_types(features) == customer_type).sum())


def _pair_types(levels: pa.Table, features: pa.Table) -> np.ndarray:
    """Customer type of each pair, empty where the two records are of different types."""
    ids = features.column("record_id").combine_chunks()
    types = _types(features)
    left = types[pc.index_in(levels.column("left_id"), value_set=ids).to_numpy()]
    right = types[pc.index_in(levels.column("right_id"), value_set=ids).to_numpy()]
    return np.where(left == right, left, "")


def _together(levels: pa.Table, clusters: pa.Table) -> np.ndarray:
    """1.0 per pair whose two records are in one cluster, else 0.0."""
    ids = clusters.column("record_id").combine_chunks()
    number = clusters.column("cluster_id").combine_chunks().dictionary_encode().indices.to_numpy()
    left = number[pc.index_in(levels.column("left_id"), value_set=ids).to_numpy()]
    right = number[pc.index_in(levels.column("right_id"), value_set=ids).to_numpy()]
    return (left == right).astype(np.float64)


def _open_and_apart(
    levels: pa.Table, features: pa.Table, known: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Customer type of each pair to learn from, and of each that a veto keeps apart for good.

    Pairs kept apart for good are left out of the patterns: their score decides
    nothing, and so many branches, relatives and sister firms with equal names
    would teach that an equal name says little. A pair that a label calls a
    match is open, whatever contradicts it.

    Returns:
        two arrays of text, empty where the pair is of the other kind.
    """
    final = [name for name, veto in VETOES.items() if veto.overruled_at_bits is None]
    vetoed = pc.is_in(levels.column("veto"), value_set=pa.array(final)).to_numpy()
    if known is not None:
        vetoed = vetoed & (known != 1.0)
    types = _pair_types(levels, features)
    return np.where(vetoed, "", types), np.where(vetoed, types, "")


def _patterns(
    levels: pa.Table,
    model: Model,
    rows: np.ndarray,
    apart: np.ndarray,
    known: np.ndarray | None,
) -> Patterns:
    """Counted patterns of some pairs, and levels of those that a veto keeps apart.

    Args:
        rows: pairs to learn from.
        apart: vetoed pairs of the same type. Nearly all chance pairs whose
            numbers can be compared are among them; without them an equal
            number would look common.
        known: per pair of levels what a label says, else NaN; None without labels.
    """
    fields = tuple(name for name in fields_of(levels.column_names) if name in model.fields)
    columns = {name: levels.column(f"{name}_level").to_numpy() for name in fields}
    matrix = np.column_stack([columns[name][rows] for name in fields])
    counted = count_patterns(matrix, fields, None if known is None else known[rows])
    vetoed = {}
    for name in VETOING:
        if name in columns:
            level = columns[name][apart].astype(np.int64)
            size = len(model.fields[name].levels)
            vetoed[name] = np.bincount(level[level >= 0], minlength=size)
    return replace(counted, apart=vetoed)
