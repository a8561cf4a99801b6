"""The matching model: what it knows, and how it is kept.

A model is what training learned about one customer type: for each comparison
the share of every level among true matches (``m``) and among other candidate
pairs (``u``), and the share of candidate pairs that match (``prior``). It is
frozen until trained again, so that an unchanged record scores the same
tomorrow. :class:`MatchingSettings` is what a deployment may choose: the
section ``matching`` of ``onefold.yml``.

Learning stands in scoring.py, the levels' meaning in levels.py.
"""

import functools
import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dedupe.counts import Counts
from dedupe.levels import VERSION
from onefold.errors import ModelError
from onefold.keys import Keys
from onefold.settings import validated

FORMAT = 7
_FILE = re.compile(r"^(?P<type>[a-z]+)-(?P<version>\d{4,})\.json$")


class MatchingSettings(BaseModel):
    """The section ``matching`` of onefold.yml; every field has a sensible default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    match: float = Field(default=0.6, gt=0.0, lt=1.0)
    """Probability from which two records count as one customer; at .6 a wrong merge weighs one and
    a half times a missed one (docs/decisions/0030)."""
    review: float = Field(default=0.3, gt=0.0, lt=1.0)
    """Probability from which two customers below ``match`` are suggested to a steward."""
    block_limit: int = Field(default=60, ge=2)
    """Records that may share one blocking key; larger blocks are refined and reported."""
    ignore: tuple[str, ...] = ()
    """Comparisons that shall not count, by name."""
    text_fields: tuple[str, ...] = ()
    """Attributes compared as plain text: ``birth_place`` for ``attributes.birth_place``."""
    link_only: bool = False
    """Whether every source is free of duplicates: only records of two sources can be one."""
    closure_limit: int = Field(default=40, ge=2)
    """Records in a component up to which every pair inside it is compared before clustering."""
    leiden_above: int = Field(default=60, ge=2)
    """Records in a component above which Leiden splits it before agglomeration."""

    @model_validator(mode="after")
    def _ordered(self) -> "MatchingSettings":
        if self.review > self.match:
            raise ValueError("review must not be above match")
        return self

    @classmethod
    def read(cls, section: Mapping[str, Any] | None) -> "MatchingSettings":
        """The settings in the section ``matching`` of onefold.yml.

        Raises:
            ConfigError: a setting is unknown or out of its range.
        """
        return validated(cls, section, "matching")


@dataclass(frozen=True)
class FieldModel:
    """What is known about one comparison.

    Attributes:
        levels: the levels' names, in the order of their numbers.
        m: probability of each level among matching pairs where it was measured.
        u: the same among candidate pairs that do not match.
        cap: largest evidence in bits that the comparison may add or take.
    """

    levels: tuple[str, ...]
    m: tuple[float, ...]
    u: tuple[float, ...]
    cap: float = 14.0

    @property
    def bits(self) -> tuple[float, ...]:
        """Weight of each level: log2(m / u), within the cap."""
        raw = (math.log2(m / u) for m, u in zip(self.m, self.u, strict=True))
        return tuple(max(-self.cap, min(self.cap, bit)) for bit in raw)


@dataclass(frozen=True)
class Check:
    """What to add, in bits, to what the agreements of pairs of one kind weigh together.

    Pairs that have numbers or birth dates tell how often such agreements are right (checking.py).

    Attributes:
        all: to every such pair.
        levels: field → by level.
        rarity: field → for each bit that the agreeing value's rarity adds.
        together: where telephone and address agree: who lives together shares both.
        pairs: pairs that told it.
    """

    all: float = 0.0
    levels: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    rarity: Mapping[str, float] = field(default_factory=dict)
    together: float = 0.0
    pairs: int = 0


APART_PRIOR = 0.01
"""Share of the pairs with one kind of contradiction that match, before any data are seen."""


@dataclass(frozen=True)
class Model:
    """A trained (or prior) Fellegi-Sunter model of one customer type.

    Attributes:
        customer_type: person or organization.
        prior: share of candidate pairs that match, 0..1.
        fields: one FieldModel per comparison, by its name.
        basis: ``em`` if learned from the data, ``prior`` if these are the shipped weights.
        levels_version: fingerprint of the levels that the code had at training.
        trained_on: counts of records, pairs, patterns and rounds.
        apart_prior: kind of contradiction (a name in levels.VETOES) → share of its pairs that
            match, 0..1; :data:`APART_PRIOR` for a kind that was not seen.
        apart: kind of contradiction → the fields with u as among its pairs; a kind that was
            not seen has the fields of the others.
        denied: kinds of contradiction that are none in this data (levels.Veto.deniable).
        check: what numbers say of the agreements of pairs that nothing contradicts.
        apart_check: kind of contradiction (levels.Veto.at_home) → the same of its pairs.
        version: number of the saved file, 0 before it is saved.
        counts: of all records at training; None: a model made by hand, which scores by the
            counts of the records that it is given.
    """

    customer_type: str
    prior: float
    fields: Mapping[str, FieldModel]
    basis: str
    levels_version: str
    trained_on: Mapping[str, float] = field(default_factory=dict)
    version: int = 0
    apart_prior: Mapping[str, float] = field(default_factory=dict)
    apart: Mapping[str, Mapping[str, FieldModel]] = field(default_factory=dict)
    denied: tuple[str, ...] = ()
    check: Check = Check()
    apart_check: Mapping[str, Check] = field(default_factory=dict)
    counts: Counts | None = field(default=None, compare=False, repr=False)

    @property
    def fingerprint(self) -> str:
        """Hash of everything that changes a score; the version number does not."""
        return hashlib.sha256(_dump(replace(self, version=0, trained_on={})).encode()).hexdigest()[
            :16
        ]


Models = dict[str, Model]
"""One model per customer type; all have the same counts."""


def counts_of(models: Models) -> Counts | None:
    """What was counted when the models were trained; None for models made by hand."""
    return next((one.counts for one in models.values() if one.counts is not None), None)


def logit_bits(probability: float) -> float:
    """Probability 0..1 → log2 odds.

    >>> logit_bits(0.5), round(logit_bits(0.8), 9)
    (0.0, 2.0)
    """
    return math.log2(probability) - math.log2(1.0 - probability)


def probability_of(bits: float) -> float:
    """Log2 odds → probability 0..1.

    >>> probability_of(2.0)
    0.8
    """
    return 1.0 / (1.0 + 2.0 ** -max(-60.0, min(60.0, bits)))


def _dump(model: Model) -> str:
    data = {"format": FORMAT, **asdict(replace(model, fields={}, apart={}, counts=None))}
    data["counts"] = model.counts and model.counts.fingerprint
    data["fields"] = {name: asdict(known) for name, known in model.fields.items()}
    data["apart"] = {
        veto: {name: asdict(known) for name, known in fields.items()}
        for veto, fields in model.apart.items()
    }
    return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True)


def save(models: Models, models_dir: Path, keys: Keys | None = None) -> Models:
    """Write each model as ``<type>-NNNN.json``, one number above the newest.

    Its counts are ``counts-<fingerprint>.parquet`` beside it, written first. They hold values of
    records, encrypted where ``keys`` hide these.

    A model that equals the newest saved one is not written again; one that cannot be read,
    such as another version's, equals none.

    Returns:
        the models with the version numbers they now have.
    """
    models_dir.mkdir(parents=True, exist_ok=True)
    counts = counts_of(models)
    if counts is not None and not _counts_path(models_dir, counts.fingerprint).is_file():
        _durably(_counts_path(models_dir, counts.fingerprint), partial(counts.write, keys=keys))
    saved: Models = {}
    for customer_type, model in sorted(models.items()):
        versions = _versions(models_dir, customer_type)
        if versions:
            newest = max(versions)
            if _fingerprint(versions[newest], keys) == model.fingerprint:
                saved[customer_type] = replace(model, version=newest)
                continue
        numbered = replace(model, version=max(versions, default=0) + 1)
        path = models_dir / f"{customer_type}-{numbered.version:04d}.json"
        _durably(path, partial(_write, numbered))
        saved[customer_type] = numbered
    return saved


def forget_values(models_dir: Path, features: pa.Table, keys: Keys | None = None) -> int:
    """Take values that no record has any more out of every saved file of counts.

    Models and what they weigh stay as they are (dedupe.counts.Counts.forget).

    Args:
        features: of features.build, of all records.

    Returns:
        how many values were forgotten.
    """
    forgotten = 0
    for path in sorted(models_dir.glob("counts-*.parquet")):
        counts = Counts.read(path, keys)
        left = counts.forget(features)
        if counts.size != left.size:
            forgotten += counts.size - left.size
            _durably(path, partial(left.write, keys=keys))
    return forgotten


def rekey_values(models_dir: Path, keys: Keys) -> int:
    """Write every saved file of counts as the home's keys say now.

    Returns:
        how many were written again.

    Raises:
        ConfigError: a key that values were encrypted with is not declared.
    """
    written = 0
    for path in sorted(models_dir.glob("counts-*.parquet")):
        kept = path.read_bytes()
        _durably(path, partial(Counts.read(path, keys).write, keys=keys))
        written += path.read_bytes() != kept
    return written


def _counts_path(models_dir: Path, fingerprint: str) -> Path:
    return models_dir / f"counts-{fingerprint}.parquet"


def _write(model: Model, path: Path) -> None:
    path.write_text(_dump(model) + "\n", encoding="utf-8")


def _durably(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name, and rename it when it is whole."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    write(temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def load(models_dir: Path, levels_version: str = VERSION, keys: Keys | None = None) -> Models:
    """The newest saved model of each customer type; empty if none was saved.

    Args:
        models_dir: the home's ``models`` folder.
        levels_version: fingerprint of the levels that the code has now.
        keys: of the home; None: nothing is encrypted.

    Raises:
        ModelError: a file cannot be read, or was trained on other levels.
        ConfigError: the key that counted values were encrypted with is not declared.
    """
    models: Models = {}
    counts = functools.cache(partial(Counts.read, keys=keys))
    for customer_type in sorted({_type(path) for path in _files(models_dir)}):
        versions = _versions(models_dir, customer_type)
        path = versions[max(versions)]
        model = _read(path, counts)
        if model.levels_version != levels_version:
            raise ModelError(
                path.name,
                "the model was trained on other comparison levels than this version of Onefold has",
                found=f"levels {model.levels_version} instead of {levels_version}",
                do="Train again with 'onefold train', or go back to the version that made it.",
            )
        models[customer_type] = model
    return models


def newest_versions(models_dir: Path) -> dict[str, int]:
    """The newest saved version of each customer type's model."""
    kinds = {_type(path) for path in _files(models_dir)}
    return {kind: max(_versions(models_dir, kind)) for kind in kinds}


def _files(models_dir: Path) -> list[Path]:
    if not models_dir.is_dir():
        return []
    return sorted(path for path in models_dir.iterdir() if _FILE.match(path.name))


def _type(path: Path) -> str:
    return path.name.split("-")[0]


def _versions(models_dir: Path, customer_type: str) -> dict[int, Path]:
    return {
        int(path.stem.split("-")[1]): path
        for path in _files(models_dir)
        if _type(path) == customer_type
    }


def _fingerprint(path: Path, keys: Keys | None) -> str | None:
    """Of a saved model; None if it cannot be read."""
    try:
        return _read(path, partial(Counts.read, keys=keys)).fingerprint
    except ModelError:
        return None


def _read(path: Path, counts: Callable[[Path], Counts]) -> Model:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("format", None) != FORMAT:
            raise ModelError(
                path.name,
                "the model file has another format than this version of Onefold reads",
                do="Train again with 'onefold train'.",
            )
        fields = _fields(data.pop("fields"))
        apart = {veto: _fields(known) for veto, known in data.pop("apart").items()}
        denied = tuple(data.pop("denied"))
        check = _check(data.pop("check"))
        apart_check = {veto: _check(known) for veto, known in data.pop("apart_check").items()}
        name = data.pop("counts")
        return Model(
            fields=fields,
            apart=apart,
            denied=denied,
            check=check,
            apart_check=apart_check,
            counts=counts(_counts_path(path.parent, name)) if name else None,
            **data,
        )
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise ModelError(
            path.name,
            "the model file cannot be read",
            do="Remove it to fall back on the version before, or train again.",
        ) from error


def _check(data: Mapping[str, Any]) -> Check:
    levels = {name: tuple(bits) for name, bits in data["levels"].items()}
    return Check(**{**data, "levels": levels})


def _fields(data: Mapping[str, Any]) -> dict[str, FieldModel]:
    return {
        name: FieldModel(
            tuple(known["levels"]), tuple(known["m"]), tuple(known["u"]), float(known["cap"])
        )
        for name, known in data.items()
    }
