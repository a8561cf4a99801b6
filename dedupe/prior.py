"""The model that Onefold ships: what it assumes before it has seen any data.

Training starts from it and keeps it as pseudo-counts; with too few pairs to
learn from it is used as it is. The shares stand in resources/prior_weights.tsv;
those of ``text`` are of any attribute compared as plain text.
"""

import csv
from functools import cache
from importlib.resources import files

import numpy as np

from dedupe.levels import LEVELS, TEXT, VERSION, is_text, levels_of
from dedupe.model import FieldModel, Model
from onefold.errors import ModelError

SHIPPED_PRIOR = 0.3
"""Share of candidate pairs assumed to match."""

CAPS = {"name": 11.0, "id": 14.0, "phone": 8.0, "email": 9.0, "address": 8.0, "text": 8.0}
"""Most bits a comparison may add or take; 9 where none is named."""
_ANY_TYPE, _TEXT = "any", TEXT.removesuffix(":")


@cache
def shipped_model(customer_type: str, text_fields: tuple[str, ...] = ()) -> Model:
    """The model that needs no data: dedupe/resources/prior_weights.tsv.

    Args:
        text_fields: further fields, ``text:<attribute>``.

    Raises:
        ModelError: the file does not fit levels.py.
    """
    shares: dict[str, dict[str, tuple[float, float]]] = {}
    text = (files("dedupe") / "resources" / "prior_weights.tsv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    for row in csv.DictReader(lines, delimiter="\t"):
        if row["customer_type"] in (customer_type, _ANY_TYPE):
            pair = (float(row["m"]), float(row["u"]))
            shares.setdefault(row["field"], {})[row["level"]] = pair
    fields: dict[str, FieldModel] = {}
    for name in (*LEVELS[customer_type], *text_fields):
        kind = _TEXT if is_text(name) else name
        names = tuple(level.name for level in levels_of(customer_type, name))
        if set(shares.get(kind, ())) != set(names):
            raise ModelError(
                "prior_weights.tsv",
                f"the levels of {customer_type} {kind} are not those of the code",
                found=", ".join(shares.get(kind, ())) or "none",
                do="Reinstall Onefold.",
            )
        m = np.array([shares[kind][level][0] for level in names])
        u = np.array([shares[kind][level][1] for level in names])
        fields[name] = FieldModel(
            names,
            tuple((m / m.sum()).tolist()),
            tuple((u / u.sum()).tolist()),
            CAPS.get(kind, 9.0),
        )
    return Model(customer_type, SHIPPED_PRIOR, fields, "prior", VERSION)
