"""What agreements are worth together: pairs with numbers tell.

Expectation maximization believes what its fields say together: parents and
children who share name, telephone and address look like one person to it, and
so do firms of one name. But of some such pairs both records tell a number or a
birth date, which hardly ever agree by chance nor differ within one customer.
How often they do shows how often the other fields are right, without any truth.

From these pairs a logistic correction of the log odds is learned: one addend
for all, one per level, a slope per rarity, and one for telephone and address
together. Whether a pair matches is never known for certain, so each counts by
how likely its numbers are under either answer. Addends stay near 0 where few
pairs tell. Pairs that a label answers tell, too. The correction is of what the
other fields say, so pairs with numbers get it as well as those without.

Pairs with a contradiction have another mixture of right and wrong, so those that
share a telephone or house (levels.Veto.at_home) get a correction of their own.
In other contradictions numbers do not tell: a pair of unlike names is compared
because its birth dates agree, a branch has its parent's number.

Source: noisy labels in logistic regression, Raykar et al. 2010, JMLR 11, 1297.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from dedupe.comparing.columns import positions
from dedupe.counting import distinct, pairs_of
from dedupe.counts import rarities
from dedupe.learning import label_pairs
from dedupe.levels import NUMBERS, VETOES, fields_of
from dedupe.model import APART_PRIOR, Check, Model, Models, logit_bits
from dedupe.scoring import ValueCounts, at_one_place, checkable, weight_table

ALL_SPREAD, LEVEL_SPREAD, RARITY_SPREAD, TOGETHER_SPREAD = 1.5, 0.6, 0.6, 1.0
"""Standard deviations in bits: of what all get, a level, a bit of rarity, and both together."""
RARITY_STEPS = 4
"""Steps per bit to which rarities are rounded, so that equal pairs are counted once."""
NUMBER_BITS = 10.0
"""Most bits for which a pair's numbers count."""
_KINDS = list(VETOES)
_FIRM = [name for name, veto in VETOES.items() if not veto.deniable and not veto.at_home]
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
    """The models with what pairs that have numbers say of all that agree alike.

    Args:
        models: trained on the pairs; shipped ones stay as they are.
        told: of :func:`told`.
    """
    result = dict(models)
    for customer_type, model in models.items():
        if model.basis == "prior":
            continue
        mine = told.filter(pc.equal(told.column("customer_type"), customer_type))
        names = [name for name in fields_of(told.column_names) if name in model.fields]
        tells = checkable(_levels(mine, names)) | ~np.isnan(mine.column("known").to_numpy())
        mine = mine.filter(pa.array(tells))
        checks = {
            stratum: _learned(model, stratum, names, mine.take(pa.array(rows)))
            for stratum, rows in _strata(mine, model)
        }
        result[customer_type] = replace(
            model,
            check=checks.pop(0, model.check),
            apart_check={_KINDS[stratum - 1]: check for stratum, check in checks.items()},
        )
    return result


def _strata(told: pa.Table, model: Model) -> Iterator[tuple[int, np.ndarray]]:
    """Rows by kind of contradiction, as numbered by :func:`weight_table`: 0 is none or denied."""
    stratum = positions(told.column("veto_without_numbers"), pa.array(_KINDS)) + 1
    stratum[np.isin(stratum, [_KINDS.index(name) + 1 for name in model.denied])] = 0
    for one in np.unique(stratum).tolist():
        if not one or VETOES[_KINDS[one - 1]].at_home:
            yield one, np.flatnonzero(stratum == one)


def _levels(levels: pa.Table, fields: Iterable[str]) -> dict[str, np.ndarray]:
    return {name: levels.column(f"{name}_level").to_numpy().astype(np.int64) for name in fields}


def _learned(model: Model, stratum: int, fields: Iterable[str], told: pa.Table) -> Check:
    """The correction that makes what numbers and labels say of the pairs most likely.

    Args:
        stratum: kind of contradiction of the pairs, see :func:`_strata`.
        fields: those of the model that the pairs have.
        told: rows of :func:`told`, of which each tells.
    """
    level = _levels(told, fields)
    rarity = {
        name: told.column(f"{name}_rarity").to_numpy().astype(np.int64)
        for name in rarities(model.customer_type, level)
        if name in level
    }
    answers = np.nan_to_num(told.column("known").to_numpy(), nan=-1.0)
    columns = [*level.values(), *rarity.values(), answers]
    patterns, pattern = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
    counts = np.bincount(pattern.ravel(), weights=pairs_of(told))
    level = {name: patterns[:, i].astype(np.int64) for i, name in enumerate(level)}
    rare = {name: patterns[:, len(level) + i] / RARITY_STEPS for i, name in enumerate(rarity)}
    answer = patterns[:, -1]
    kind = _KINDS[stratum - 1] if stratum else ""
    prior = model.apart_prior.get(kind, APART_PRIOR) if stratum else model.prior
    base, said = np.full(len(patterns), logit_bits(prior)), np.zeros(len(patterns))
    for name, of_pattern in level.items():
        if name in NUMBERS:
            said += weight_table(model, name)[0, of_pattern + 1]
        else:
            base += weight_table(model, name)[stratum, of_pattern + 1] + rare.get(name, 0.0)
    said = np.clip(said, -NUMBER_BITS, NUMBER_BITS)
    said = np.where(answer < 0, said, np.where(answer > 0, NUMBER_BITS, -NUMBER_BITS))
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
    found = _fitted(np.column_stack(design), np.array(spread), base, said, weight).tolist()
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
    from scipy.optimize import minimize  # only training needs it, and it is slow to load

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS})
    # Beyond these digits the search's last steps depend on the machine.
    return np.round(found.x, DECIMALS) + 0.0
