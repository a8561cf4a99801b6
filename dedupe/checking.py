"""What an agreement is worth where no number confirms it: pairs with numbers tell.

Expectation maximization believes what its fields say together: parents and
children who share name, telephone and address look like one person to it, and
so do firms of one name. But of some such pairs both records tell a number or a
birth date, which hardly ever agree by chance nor differ within one customer.
How often they do shows how often the other fields are right, without any truth.

From these pairs a logistic correction of the log odds is learned: one addend
for all, one per level, a slope per rarity, and one for telephone and address
together. Whether a pair matches is never known for certain, so each counts by
how likely its numbers are under either answer. Addends stay near 0 where few
pairs tell. Pairs that a label answers tell, too. Pairs whose numbers speak for
themselves are not corrected, nor those with a contradiction (training.py).

Source: noisy labels in logistic regression, Raykar et al. 2010, JMLR 11, 1297.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.optimize import minimize
from scipy.sparse import csr_array

from dedupe.learning import label_pairs
from dedupe.levels import NUMBERS, fields_of
from dedupe.model import Check, Model, Models, logit_bits
from dedupe.scoring import agreement, at_one_place, checkable, rarities

ALL_SPREAD, LEVEL_SPREAD, RARITY_SPREAD, TOGETHER_SPREAD = 1.5, 0.6, 0.6, 1.0
"""Standard deviations in bits: of what all get, a level, a bit of rarity, and both together."""
RARITY_STEPS = 4
"""Steps per bit to which rarities are rounded, so that equal pairs are counted once."""
NUMBER_BITS = 10.0
"""Most bits for which a pair's numbers count."""
ROUNDS, DECIMALS = 300, 3


def checked(
    models: Models, levels: pa.Table, features: pa.Table, known: np.ndarray | None = None
) -> Models:
    """The models with what pairs that have numbers say of those that have none.

    Args:
        models: trained on the pairs; shipped ones stay as they are.
        levels: what comparisons.compare returns.
        features: one row per record: record_id, customer_type, what rarities count.
        known: per pair 1.0 or 0.0 where a label says so, else NaN; None if there are no labels.
    """
    known = np.full(levels.num_rows, np.nan) if known is None else known
    types = np.asarray(pc.fill_null(levels.column("customer_type"), "").to_pylist())
    veto = pc.fill_null(levels.column("veto_without_numbers"), "").combine_chunks()
    result = dict(models)
    for customer_type, model in models.items():
        if model.basis == "prior":
            continue
        fields = [name for name in fields_of(levels.column_names) if name in model.fields]
        free = np.asarray(pc.is_in(veto, value_set=pa.array(["", *model.denied], pa.string())))
        rows = np.flatnonzero(free & (types == customer_type))
        level = _levels(levels, fields, rows)
        told = checkable(level) | ~np.isnan(known[rows])
        rows, level = rows[told], {name: one[told] for name, one in level.items()}
        if len(rows):
            rarity = _rarities(customer_type, levels.take(pa.array(rows)), features, level)
            answers = known[rows]
            result[customer_type] = replace(model, check=_learned(model, level, rarity, answers))
    return result


def _levels(levels: pa.Table, fields: list[str], rows: np.ndarray) -> dict[str, np.ndarray]:
    return {
        name: levels.column(f"{name}_level").to_numpy()[rows].astype(np.int64) for name in fields
    }


def _rarities(
    customer_type: str, pairs: pa.Table, features: pa.Table, level: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Field → rarity of the agreeing values in whole steps, int64, shape (pairs,)."""
    ids = features.column("record_id").combine_chunks()
    left, right = (
        pc.index_in(pairs.column(name), value_set=ids).to_numpy()
        for name in ("left_id", "right_id")
    )
    counted = np.flatnonzero(np.asarray(pc.equal(features.column("customer_type"), customer_type)))
    found = {}
    for name, rarity in rarities(customer_type, level).items():
        if name in level:
            agrees = agreement(customer_type, name)[level[name] + 1]
            bits = rarity.frequencies(features, counted).bits(left, right, agrees)
            found[name] = np.round(bits * RARITY_STEPS).astype(np.int64)
    return found


def _learned(
    model: Model,
    level: Mapping[str, np.ndarray],
    rarity: Mapping[str, np.ndarray],
    answers: np.ndarray,
) -> Check:
    """The correction that makes what numbers and labels say of the pairs most likely."""
    columns = [*level.values(), *rarity.values(), np.nan_to_num(answers, nan=-1.0)]
    patterns, counts = np.unique(np.column_stack(columns), axis=0, return_counts=True)
    level = {name: patterns[:, i].astype(np.int64) for i, name in enumerate(level)}
    rare = {name: patterns[:, len(level) + i] / RARITY_STEPS for i, name in enumerate(rarity)}
    answer = patterns[:, -1]
    base, told = np.full(len(patterns), logit_bits(model.prior)), np.zeros(len(patterns))
    for name, of_pattern in level.items():
        bits = np.array([0.0, *model.fields[name].bits])[of_pattern + 1]
        if name in NUMBERS:
            told += bits
        else:
            base += bits + rare.get(name, 0.0)
    told = np.clip(told, -NUMBER_BITS, NUMBER_BITS)
    told = np.where(answer < 0, told, np.where(answer > 0, NUMBER_BITS, -NUMBER_BITS))
    labels = int(counts[answer >= 0].sum())
    weight = counts * np.where(answer < 0, 1.0, label_pairs(labels, int(counts.sum()) - labels))
    names: list[tuple[str, int]] = [("", 0)]
    design, spread = [np.ones(len(patterns))], [ALL_SPREAD]
    for name, of_pattern in level.items():
        if name not in NUMBERS:
            for number in range(len(model.fields[name].levels)):
                names.append((name, number))
                design.append(of_pattern == number)
                spread.append(LEVEL_SPREAD)
    for bits in rare.values():
        design.append(bits)
        spread.append(RARITY_SPREAD)
    design.append(at_one_place(model.customer_type, level))
    spread.append(TOGETHER_SPREAD)
    found = _fitted(np.column_stack(design), np.array(spread), base, told, weight).tolist()
    by_level: dict[str, list[float]] = {}
    for (name, _), bit in zip(names[1:], found[1:], strict=False):
        by_level.setdefault(name, []).append(bit)
    return Check(
        all=found[0],
        levels={name: tuple(bits) for name, bits in by_level.items()},
        rarity=dict(zip(rare, found[len(names) : -1], strict=True)),
        together=found[-1],
        pairs=int(counts.sum()),
    )


def _fitted(
    design: np.ndarray, spread: np.ndarray, base: np.ndarray, told: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Addends in bits, shape (columns,), with the largest penalized likelihood.

    Args:
        design: what each pattern has, shape (patterns, columns).
        spread: standard deviation of each addend.
        base: log2 odds of each pattern by the fields that are corrected.
        told: log2 likelihood ratio of what its numbers or labels say.
        weight: pairs with the pattern.
    """
    nat = np.log(2.0)
    matrix = csr_array(design.astype(np.float64))
    turned = csr_array(matrix.T)

    def loss(addends: np.ndarray) -> tuple[float, np.ndarray]:
        odds = np.clip((base + matrix @ addends) * nat, -60.0, 60.0)
        # Of a match with the odds e^x, numbers e^t times likelier: log(p e^t + 1 - p).
        said = np.logaddexp(odds + told * nat, 0.0) - np.logaddexp(odds, 0.0)
        slope = 1.0 / (1.0 + np.exp(-odds - told * nat)) - 1.0 / (1.0 + np.exp(-odds))
        scaled = addends / spread
        return (
            float(0.5 * scaled @ scaled - weight @ said),
            scaled / spread - turned @ (weight * slope) * nat,
        )

    start = np.zeros(len(spread))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS})
    # Beyond these digits the search's last steps depend on the machine.
    return np.round(found.x, DECIMALS) + 0.0
