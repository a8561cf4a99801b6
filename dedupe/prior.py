"""The model that Onefold ships: what it assumes before it has seen any data.

Training starts from it and keeps it as pseudo-counts; with too few pairs to
learn from it is used as it is. The shares stand in resources/prior_weights.tsv.
"""

import csv
from functools import cache
from importlib.resources import files

import numpy as np

from dedupe.levels import LEVELS, VERSION
from dedupe.model import FieldModel, Model
from onefold.errors import ModelError

SHIPPED_PRIOR = 0.3
"""Share of candidate pairs assumed to match."""

CAPS = {"name": 11.0, "id": 14.0, "phone": 8.0, "email": 9.0, "address": 8.0}
"""Most bits a comparison may add or take; 9 where none is named."""


@cache
def shipped_model(customer_type: str) -> Model:
    """The model that needs no data: dedupe/resources/prior_weights.tsv.

    Raises:
        ModelError: the file does not fit levels.py.
    """
    shares: dict[str, dict[str, tuple[float, float]]] = {}
    text = (files("dedupe") / "resources" / "prior_weights.tsv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    for row in csv.DictReader(lines, delimiter="\t"):
        if row["customer_type"] == customer_type:
            pair = (float(row["m"]), float(row["u"]))
            shares.setdefault(row["field"], {})[row["level"]] = pair
    fields: dict[str, FieldModel] = {}
    for name, levels in LEVELS[customer_type].items():
        names = tuple(level.name for level in levels)
        if set(shares.get(name, ())) != set(names):
            raise ModelError(
                "prior_weights.tsv",
                f"the levels of {customer_type} {name} are not those of the code",
                found=", ".join(shares.get(name, ())) or "none",
                do="Reinstall Onefold.",
            )
        m = np.array([shares[name][level][0] for level in names])
        u = np.array([shares[name][level][1] for level in names])
        fields[name] = FieldModel(
            names,
            tuple((m / m.sum()).tolist()),
            tuple((u / u.sum()).tolist()),
            CAPS.get(name, 9.0),
        )
    return Model(customer_type, SHIPPED_PRIOR, fields, "prior", VERSION)
