"""Which pairs teach what: one model per customer type, without any truth.

Pairs fall into those that nothing contradicts, from which m, u and the prior
are learned together (learning.py), and those with a contradiction. A pair
whose numbers or birth dates differ is as good a chance pair as any if its
names allow a match: it belongs to the former, as one that does not match, and
anchors what people who are not the same have in common. What all others share,
by kind of contradiction, says how much agreements are worth in spite of it:
relatives and branches share telephone and address, strangers with one name do not.
"""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.comparing.columns import as_array, positions
from dedupe.counting import distinct, pairs_of
from dedupe.learning import (
    Patterns,
    contradicted,
    count_patterns,
    expectation_maximization,
    level_counts,
    share_of_matches,
)
from dedupe.levels import LEVELS, MISSING, NUMBERS, VETOES, fields_of, is_text
from dedupe.model import FieldModel, MatchingSettings, Model, Models
from dedupe.prior import shipped_model

LEAST_PAIRS = 200
"""Candidate pairs of a type below which its shipped weights are used as they are."""

LEAST_FIELDS, LEAST_MEASURED = 3, 20
"""Comparisons, and the pairs from which one counts as measured: of fewer comparisons nothing
can be learned, as two classes cannot be told apart by how two of them agree; shipped weights
are used. Source: Allman, Matias & Rhodes 2009, doi:10.1214/09-AOS689 (three views needed)."""

DENIED_FROM = 0.75
"""Share of a contradiction's pairs that match by all other comparisons, from which it is none."""
TWINS = "twins"
"""The contradiction that identity numbers deny: in pairs of one family name and birth date."""
MOSTLY = 0.5
"""Share of a name level's pairs with a contradiction from which the level itself is one."""


def train(
    levels: pa.Table,
    features: pa.Table,
    settings: MatchingSettings,
    known: np.ndarray | None = None,
) -> Models:
    """Learn one model per customer type from candidate pairs, without any truth.

    Args:
        levels: what comparisons.compare returns, or the distinct rows of it without the
            records; ``stands_for`` is how many pairs a row counts for, 1 without it.
        features: one row per record: record_id, customer_type.
        settings: comparisons to ignore.
        known: per row 1.0 or 0.0 where a label says so, else NaN (labels.align);
            None if there are no labels.

    Returns:
        a model for person and for organization; its basis is ``prior`` where
        there were too few pairs to learn from.
    """
    types, pairs = _pair_types(levels, features), pairs_of(levels)
    strata = _strata(levels, types, known)
    models: Models = {}
    for customer_type in LEVELS:
        open_type, veto = strata
        texts = tuple(filter(is_text, fields_of(levels.column_names)))
        start = _reduced(shipped_model(customer_type, texts), settings)
        rows = np.flatnonzero(open_type == customer_type)
        records = _count_records(features, customer_type)
        count = int(pairs[rows].sum())
        if count < LEAST_PAIRS or (known is None and _measured(levels, start, rows) < LEAST_FIELDS):
            counts = {"records": records, "pairs": count}
            models[customer_type] = replace(start, trained_on=counts)
            continue
        patterns = _patterns(levels, start, rows, known, veto != "")
        model, rounds = expectation_maximization(patterns, start)
        denied = _denied(model, levels, types, veto)
        if denied:
            open_type, veto = _strata(levels, types, known, denied)
            rows = np.flatnonzero(open_type == customer_type)
            count = int(pairs[rows].sum())
            patterns = _patterns(levels, start, rows, known, veto != "")
            model, rounds = expectation_maximization(patterns, start)
        models[customer_type] = replace(
            _with_apart(model, levels, types, veto),
            basis="em",
            denied=denied,
            trained_on={
                "records": records,
                "pairs": count,
                "patterns": len(patterns.counts),
                "rounds": rounds,
                "labels": 0 if known is None else int(pairs[rows][~np.isnan(known[rows])].sum()),
                **{f"measured_{name}": n for name, n in level_counts(patterns).items()},
            },
        )
    return models


def counted(levels: pa.Table) -> pa.Table:
    """The distinct rows of levels, without their records: what :func:`train` counts, and no more.

    Args:
        levels: what comparisons.compare returns, with or without ``known``.

    Returns:
        customer_type, ``<field>_level``, veto, ``known`` (if there), and stands_for: how many
        pairs have the row.
    """
    fields = [f"{name}_level" for name in fields_of(levels.column_names)]
    own = ["customer_type", *fields, "veto", "known"]
    return distinct(levels, [name for name in own if name in levels.column_names])


def _measured(levels: pa.Table, model: Model, rows: np.ndarray) -> int:
    """How many comparisons of the model are measured in enough of some pairs."""
    counts = pairs_of(levels)[rows]
    names = [name for name in fields_of(levels.column_names) if name in model.fields]
    there = (levels.column(f"{name}_level").to_numpy()[rows] != MISSING for name in names)
    return sum(bool(counts[known].sum() >= LEAST_MEASURED) for known in there)


def _reduced(model: Model, settings: MatchingSettings) -> Model:
    kept = {name: f for name, f in model.fields.items() if name not in settings.ignore}
    return replace(model, fields=kept)


def _types(features: pa.Table) -> np.ndarray:
    return features.column("customer_type").to_numpy(zero_copy_only=False).astype(str)


def _count_records(features: pa.Table, customer_type: str) -> int:
    return int((_types(features) == customer_type).sum())


def _pair_types(levels: pa.Table, features: pa.Table) -> np.ndarray:
    """Customer type of each pair, empty where the two records are of different types."""
    if "customer_type" in levels.column_names:
        return levels.column("customer_type").fill_null("").to_numpy().astype(str)
    ids = as_array(features.column("record_id"))
    types = _types(features)
    left, right = (types[positions(levels.column(name), ids)] for name in ("left_id", "right_id"))
    return np.where(left == right, left, "")


def _strata(
    levels: pa.Table, types: np.ndarray, known: np.ndarray | None, denied: tuple[str, ...] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Customer type of each pair that m, u and the prior are learned from, and its contradiction.

    Args:
        types: of :func:`_pair_types`.
        known: see :func:`train`.
        denied: kinds of contradiction that are none.

    Returns:
        two arrays of text: the type, empty where the pair only teaches what
        its contradiction leaves of an agreement; the contradiction, empty
        where there is none. A pair that a label calls a match has none.
    """
    veto = levels.column("veto").to_numpy(zero_copy_only=False)
    veto = np.where(pc.is_null(levels.column("veto")).to_numpy(), "", veto).astype(str)
    veto[np.isin(veto, denied)] = ""
    if known is not None:
        veto = np.where(known == 1.0, "", veto)
    counts = pairs_of(levels)
    by_number = np.isin(veto, [name for name, known in VETOES.items() if known.field in NUMBERS])
    name = levels.column("name_level").to_numpy().astype(np.int64)
    open_type = np.where(veto == "", types, "")
    for customer_type in LEVELS:
        mine = types == customer_type
        size = len(LEVELS[customer_type]["name"])
        judged = mine & ~by_number & (name != MISSING)
        pairs = np.bincount(name[judged], weights=counts[judged], minlength=size)
        judged &= veto != ""
        vetoed = np.bincount(name[judged], weights=counts[judged], minlength=size)
        # By index -1 a missing name contradicts nothing.
        allows = np.append((pairs > 0) & (vetoed < MOSTLY * pairs), True)
        taken = mine & by_number
        open_type[taken] = np.where(allows[name[taken]], customer_type, "")
    return open_type, veto


def _patterns(
    levels: pa.Table,
    model: Model,
    rows: np.ndarray,
    known: np.ndarray | None = None,
    unlike: np.ndarray | None = None,
) -> Patterns:
    """Counted patterns of the given pairs, in the fields of the model.

    Args:
        known: per pair of levels what a label says, else NaN; None without labels.
        unlike: per pair of levels whether it does not match for certain.
    """
    fields = tuple(name for name in fields_of(levels.column_names) if name in model.fields)
    matrix = np.column_stack([levels.column(f"{name}_level").to_numpy()[rows] for name in fields])
    return count_patterns(
        matrix,
        fields,
        None if known is None else known[rows],
        None if unlike is None else unlike[rows],
        pairs_of(levels)[rows],
    )


def _denied(model: Model, levels: pa.Table, types: np.ndarray, veto: np.ndarray) -> tuple[str, ...]:
    """Contradictions that the other comparisons deny in most of their pairs."""
    found = []
    for name, known in VETOES.items():
        rows = np.flatnonzero((types == model.customer_type) & (veto == name))
        if known.deniable and pairs_of(levels)[rows].sum() >= LEAST_PAIRS:
            reduced = _without(model, known.field)
            if share_of_matches(_patterns(levels, reduced, rows), reduced) > DENIED_FROM:
                found.append(name)
    # Where given names contradict nothing, or numbers say that they are slips, nobody is a twin.
    if "given_name" in found or _no_twins(levels, types == model.customer_type):
        found.append(TWINS)
    return tuple(found)


def _no_twins(levels: pa.Table, mine: np.ndarray) -> bool:
    """Whether most pairs that look like twins have one identity number: given names are slips."""
    name, born, number = (
        levels.column(f"{field}_level").to_numpy() for field in ("name", "birth_date", "id")
    )
    person = LEVELS["person"]
    only_family = [level.name for level in person["name"]].index("family_only")
    near = [level.name for level in person["id"]].index("near")
    alike = mine & (name == only_family) & (born == len(person["birth_date"]) - 1)
    alike &= number != MISSING
    pairs = pairs_of(levels)
    agreeing = pairs[alike & (number >= near)].sum()
    return bool(agreeing >= LEAST_MEASURED and agreeing > MOSTLY * pairs[alike].sum())


def _with_apart(model: Model, levels: pa.Table, types: np.ndarray, veto: np.ndarray) -> Model:
    """The model with what each kind of contradiction leaves of an agreement.

    Most pairs with a contradiction are chance pairs; how many, their other levels tell.
    """
    apart: dict[str, dict[str, FieldModel]] = {}
    shares: dict[str, float] = {}
    for name, known in VETOES.items():
        rows = np.flatnonzero((types == model.customer_type) & (veto == name))
        if len(rows):
            reduced = _without(model, known.field)
            apart[name], shares[name] = contradicted(_patterns(levels, reduced, rows), reduced)
    return replace(model, apart=apart, apart_prior=shares)


def _without(model: Model, field: str) -> Model:
    return replace(model, fields={name: f for name, f in model.fields.items() if name != field})
