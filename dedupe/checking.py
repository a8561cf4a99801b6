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

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.optimize import minimize
from scipy.sparse import csr_array

from dedupe.comparing.columns import positions
from dedupe.counting import distinct, pairs_of
from dedupe.learning import label_pairs
from dedupe.levels import NUMBERS, VETOES, fields_of
from dedupe.model import Check, Model, Models, logit_bits
from dedupe.scoring import ValueCounts, at_one_place, checkable, rarities

ALL_SPREAD, LEVEL_SPREAD, RARITY_SPREAD, TOGETHER_SPREAD = 1.5, 0.6, 0.6, 1.0
"""Standard deviations in bits: of what all get, a level, a bit of rarity, and both together."""
RARITY_STEPS = 4
"""Steps per bit to which rarities are rounded, so that equal pairs are counted once."""
NUMBER_BITS = 10.0
"""Most bits for which a pair's numbers count."""
_FIRM = [name for name, veto in VETOES.items() if not veto.deniable]
ROUNDS, DECIMALS = 300, 3


def told(levels: pa.Table, values: ValueCounts) -> pa.Table:
    """Count the pairs that tell: whose records both have numbers, or that a label answers.

    Args:
        levels: what comparisons.compare returns, and known: 1.0 or 0.0 where a label says
            so, else NaN.
        values: of all records.

    Returns:
        customer_type, veto_without_numbers, ``<field>_level``, ``<field>_rarity`` (in whole
        steps; 0 where rarity does not bear on the field), known, stands_for.
    """
    fields = fields_of(levels.column_names)
    known = levels.column("known").to_numpy()
    types = levels.column("customer_type")
    veto = positions(levels.column("veto_without_numbers"), pa.array(_FIRM))
    free = (veto < 0) & np.asarray(types.is_valid())
    tells = checkable(_levels(levels, fields)) | ~np.isnan(known)
    levels = levels.filter(pa.array(free & tells))
    left, right = values.rows(levels)
    types = levels.column("customer_type").to_numpy(zero_copy_only=False)
    level = _levels(levels, fields)
    rarity: dict[str, np.ndarray] = {}
    for customer_type in values.types:
        rows = np.flatnonzero(types == customer_type)
        for name in values.fields(customer_type):
            if name in level:
                bits = values.bits(customer_type, name, left[rows], right[rows], level[name][rows])
                steps = rarity.setdefault(name, np.zeros(levels.num_rows, dtype=np.int16))
                steps[rows] = np.round(bits * RARITY_STEPS)
    for name, steps in rarity.items():
        levels = levels.append_column(f"{name}_rarity", pa.array(steps))
    own = [*(f"{name}_level" for name in fields), *(f"{name}_rarity" for name in rarity)]
    return distinct(levels, ["customer_type", "veto_without_numbers", *own, "known"])


def checked(models: Models, told: pa.Table) -> Models:
    """The models with what pairs that have numbers say of those that have none.

    Args:
        models: trained on the pairs; shipped ones stay as they are.
        told: of :func:`told`.
    """
    result = dict(models)
    for customer_type, model in models.items():
        if model.basis == "prior":
            continue
        kinds = pa.array([None, *model.denied], pa.string())
        free = pc.is_in(told.column("veto_without_numbers"), value_set=kinds)
        mine = told.filter(pc.and_(free, pc.equal(told.column("customer_type"), customer_type)))
        level = _levels(mine, [n for n in fields_of(told.column_names) if n in model.fields])
        rows = np.flatnonzero(checkable(level) | ~np.isnan(mine.column("known").to_numpy()))
        if len(rows):
            rarity = {
                name: mine.column(f"{name}_rarity").to_numpy()[rows].astype(np.int64)
                for name in rarities(customer_type, level)
                if name in level
            }
            level = {name: one[rows] for name, one in level.items()}
            answers = mine.column("known").to_numpy()[rows]
            pairs = pairs_of(mine)[rows]
            check = _learned(model, level, rarity, answers, pairs)
            result[customer_type] = replace(model, check=check)
    return result


def _levels(levels: pa.Table, fields: Iterable[str]) -> dict[str, np.ndarray]:
    return {name: levels.column(f"{name}_level").to_numpy().astype(np.int64) for name in fields}


def _learned(
    model: Model,
    level: Mapping[str, np.ndarray],
    rarity: Mapping[str, np.ndarray],
    answers: np.ndarray,
    pairs: np.ndarray,
) -> Check:
    """The correction that makes what numbers and labels say of the pairs most likely."""
    columns = [*level.values(), *rarity.values(), np.nan_to_num(answers, nan=-1.0)]
    patterns, pattern = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
    counts = np.bincount(pattern.ravel(), weights=pairs)
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
