"""A scored pair as steps in bits that add up to its weight, each in words."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dedupe.explaining.facts import Frequency, Step
from dedupe.explaining.messages import Message, message
from dedupe.explaining.words import field_name
from dedupe.levels import MISSING, TEXT_LEVELS, VETOES, fields_of, is_text, levels_of
from dedupe.model import FieldModel, Model, logit_bits

_ENDINGS = ("_rarity_bits", "_bits")
SLIGHT_BITS = 0.5
"""Bits below which a frequency says neither strong nor weak."""


def not_compared(pair: Mapping[str, Any], customer_type: str) -> tuple[str, ...]:
    """Comparisons of the type that found nothing to compare."""
    return tuple(
        field
        for field in fields_of(pair)
        if levels_of(customer_type, field) and pair[f"{field}_level"] == MISSING
    )


def steps(
    pair: Mapping[str, Any],
    model: Model | None,
    customer_type: str,
    frequencies: Mapping[str, Frequency],
    contradiction: str | None = None,
) -> tuple[Step, ...]:
    """The waterfall of a scored pair: the prior, then what weighs, strongest field first.

    Args:
        pair: a row of scored_pairs. Every column that ends in ``_bits`` is a part of
            weight_bits, also one that no comparison is known for.
        model: that scored it; None leaves the prior to what the parts do not explain.
        customer_type: of the left record.
        frequencies: field → how common its agreeing value is.
        contradiction: what the records contradict each other in (a name in VETOES), also
            where the weight overruled it and ``veto`` is null; None if they do not.

    Returns:
        steps whose bits add up to weight_bits, and whose tenths add up to it rounded.
    """
    weight = float(pair["weight_bits"])
    learned = _learned(model, contradiction)
    groups = {
        field: _field_parts(pair, field, learned, customer_type, frequencies)
        for field in fields_of(pair)
    }
    named = {f"{field}{ending}" for field in groups for ending in _ENDINGS}
    for column in pair:
        if column.endswith("_bits") and column not in named and column != "weight_bits":
            bits = float(pair[column])
            if column == VETO_COLUMN and contradiction is not None:
                says = message(VETOES[contradiction].sentence)
                field = VETOES[contradiction].field
                # Its level weighs nothing by itself, and would say the same once more.
                others = [part for part in groups.get(field, []) if part[4]]
                groups[field] = [*others, ("veto", field, "", says, bits)]
            elif column == CHECK_COLUMN and bits:
                groups[column] = [("check", column, "", _MORE if bits > 0 else _FEWER, bits)]
            elif bits:
                says = message("{field}.", field=field_name(column.removesuffix("_bits")))
                groups[column] = [("other", column, "", says, bits)]
    strongest = sorted(groups.values(), key=lambda group: -abs(sum(part[4] for part in group)))
    parts = [part for group in strongest for part in group]
    explained = sum(part[4] for part in parts)
    prior = weight - explained if model is None else logit_bits(model.prior)
    start = message("Where every comparison starts, before anything is compared.")
    parts = [("prior", "", "", start, prior), *parts]
    rest = weight - prior - explained
    if abs(rest) > 1e-6:
        parts.append(("other", "", "", message("Other adjustments."), rest))
    tenths = in_tenths([part[4] for part in parts], weight)
    shares = _shares(pair, learned or {})
    found, total = [], 0.0
    for (kind, field, level, says, bits), shown in zip(parts, tenths, strict=True):
        total += bits
        common = frequencies.get(field) if kind == "rarity" else None
        match, other = shares.get(field, (None, None)) if kind == "level" else (None, None)
        found.append(Step(kind, field, level, says, bits, total, shown, common, match, other))
    return tuple(found)


VETO_COLUMN, CHECK_COLUMN = "veto_bits", "check_bits"
_MORE, _FEWER = (
    message(
        "Checked on pairs that agree alike and have numbers or birth dates: more of them are one"
        " customer than their agreements promise."
    ),
    message(
        "Checked on pairs that agree alike and have numbers or birth dates: fewer of them are one"
        " customer than their agreements promise."
    ),
)
_Fields = Mapping[str, FieldModel | None]


def _learned(model: Model | None, contradiction: str | None) -> _Fields | None:
    """Field → what the model knows of it among pairs with the same contradiction, or none.

    The field that contradicts weighs nothing more by itself: None.
    """
    if model is None or contradiction is None:
        return model.fields if model else None
    apart = model.apart.get(contradiction, model.fields)
    own = VETOES[contradiction].field
    return {
        field: None if field == own else apart.get(field, known)
        for field, known in model.fields.items()
    }


def _shares(pair: Mapping[str, Any], learned: _Fields) -> dict[str, tuple[float, float]]:
    """Field → share of matching and of other pairs that have the pair's level."""
    found = {}
    for field, known in learned.items():
        number = pair.get(f"{field}_level")
        if known is not None and number is not None and number != MISSING:
            found[field] = (known.m[number], known.u[number])
    return found


_Part = tuple[str, str, str, Message, float]


def _field_parts(
    pair: Mapping[str, Any],
    field: str,
    learned: _Fields | None,
    customer_type: str,
    frequencies: Mapping[str, Frequency],
) -> list[_Part]:
    """What one comparison adds: its level, its cap, the rarity of the value."""
    if learned is not None and field not in learned:
        return []  # matching.ignore
    number, bits = int(pair[f"{field}_level"]), float(pair.get(f"{field}_bits") or 0.0)
    rarity = float(pair.get(f"{field}_rarity_bits") or 0.0)
    if number == MISSING and not bits and not rarity:
        return []
    name, says = level_words(customer_type, field, number)
    if field == "name" and name == "equal" and _other_branch(pair, customer_type):
        says = message("The names are the same but for the branch.")
    parts: list[_Part] = []
    uncapped = _uncapped((learned or {}).get(field), number, bits)
    if uncapped is None:
        parts.append(("level", field, name, says, bits))
    else:
        parts.append(("level", field, name, says, uncapped))
        cap = message(
            "{field} may weigh {cap} bits at most.", field=field_name(field), cap=f"{abs(bits):.0f}"
        )
        parts.append(("cap", field, "", cap, bits - uncapped))
    if rarity:
        parts.append(
            ("rarity", field, "", rarity_words(field, rarity, frequencies.get(field)), rarity)
        )
    return parts


def _other_branch(pair: Mapping[str, Any], customer_type: str) -> bool:
    """Whether the records are of different branches, or of a branch and the whole firm."""
    levels, number = levels_of(customer_type, "branch"), pair.get("branch_level")
    return bool(levels) and number not in (None, MISSING) and levels[number].name != "same"


def _uncapped(known: FieldModel | None, number: int, bits: float) -> float | None:
    """What a level would weigh without the cap, where the cap cuts it; else None."""
    if known is None or number == MISSING or abs(abs(bits) - known.cap) > 1e-9:
        return None
    raw = float(np.log2(known.m[number] / known.u[number]))
    return raw if abs(raw) - known.cap > 1e-9 and raw * bits > 0 else None


def level_words(customer_type: str, field: str, number: int) -> tuple[str, Message]:
    """Name and sentence of a level; a field that the type lacks has only its own name."""
    levels = levels_of(customer_type, field)
    if number == MISSING or not levels:
        return "", message("{field}.", field=field_name(field))
    if is_text(field):
        said = TEXT_LEVELS[number].sentence
        return levels[number].name, message(said, name=field_name(field))
    return levels[number].name, message(levels[number].sentence)


def rarity_words(field: str, bits: float, frequency: Frequency | None) -> Message:
    """How common the agreeing value is, and whether that makes it strong or weak evidence."""
    what = field_name(field)
    if frequency is None:
        if bits > 0:
            return message("The agreeing value is rare: {field}.", field=what)
        return message("The agreeing value is common: {field}.", field=what)
    said = {"field": what, "value": frequency.value, "records": frequency.records}
    if frequency.records <= 2 and bits > SLIGHT_BITS:
        return message("{field} {value}: no other record has it: strong.", **said)
    if frequency.records <= 2:
        return message("{field} {value}: no other record has it.", **said)
    if frequency.customers <= 1 and bits < -SLIGHT_BITS:
        return message(
            "{field} {value}: {records} records have it, all of one customer;"
            " what fewer have would weigh more.",
            **said,
        )
    if frequency.customers <= 1:
        return message("{field} {value}: {records} records have it, all of one customer.", **said)
    said["customers"] = frequency.customers
    if bits < -SLIGHT_BITS:
        return message(
            "{field} {value} is shared by {customers} customers ({records} records): weak.", **said
        )
    if bits > SLIGHT_BITS:
        return message(
            "{field} {value} is shared by {customers} customers ({records} records): still rare.",
            **said,
        )
    return message(
        "{field} {value} is shared by {customers} customers ({records} records).", **said
    )


def in_tenths(bits: list[float], total: float) -> list[int]:
    """Bits in tenths, each rounded up or down so that they add up to the total, rounded.

    >>> in_tenths([0.04, 0.04, 0.04], 0.12)
    [1, 0, 0]
    """
    scaled = np.array(bits) * 10.0
    floors = np.floor(scaled).astype(np.int64)
    missing = round(total * 10.0) - int(floors.sum())
    order = np.argsort(-(scaled - floors), kind="stable")
    floors[order[: max(missing, 0)]] += 1
    return [int(n) for n in floors]
