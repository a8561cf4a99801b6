"""Measuring a home against a truth file: its golden table, and its pairs' probabilities."""

from contextlib import closing
from pathlib import Path

import pyarrow as pa

from dedupe import calibration, evaluation
from onefold.cli import truth as truths
from onefold.settings import Settings
from warehouse import engine, export

TRUTH_COLUMNS = ("source", "source_key", "entity_id")
HARD_COLUMNS = ("entity_a", "entity_b")


def golden_table(
    config: Settings, truth: Path, hard_negatives: Path | None
) -> evaluation.Evaluation:
    """How right the golden table is.

    Raises:
        ConfigError: a file cannot be read or lacks a column.
        OnefoldError: truth and golden table share no record.
    """
    with closing(engine.connect(config)) as wh:
        return evaluation.evaluate(
            export.read_crosswalk(wh),
            truths.read(truth, TRUTH_COLUMNS),
            truths.read(hard_negatives, HARD_COLUMNS) if hard_negatives else None,
        )


def demo(config: Settings) -> evaluation.Evaluation | None:
    """How right the golden table is, when the home names its truth."""
    section = config.sections.get("evaluation")
    if not section or not Path(section["truth"]).is_file():
        return None
    hard = Path(section["hard_negatives"]) if section.get("hard_negatives") else None
    return golden_table(config, Path(section["truth"]), hard if hard and hard.is_file() else None)


def probabilities(config: Settings, truth: Path) -> calibration.Calibration:
    """How well the probabilities of the scored pairs fit the truth.

    Scores the pairs first if the staged records, the settings or the model
    changed since the last refresh.

    Raises:
        ConfigError: the file cannot be read or lacks a column.
        OnefoldError: no scored pair has both its records in the truth.
    """
    from pipelines import lake, stages

    known = truths.read(truth, TRUTH_COLUMNS)
    with stages.opened(config.home) as deployment:
        scored = stages.scored_pairs(deployment)
        pairs = lake.read(deployment.lake, scored.table, scored.fingerprint)
        entity_of = _entities(export.read_crosswalk(deployment.warehouse), known)
    return calibration.calibrate(pairs, entity_of)


def _entities(crosswalk: pa.Table, truth: pa.Table) -> pa.Table:
    """record_id, entity_id of every record that the truth names by its key or its position."""
    names = (truth.column(name).to_pylist() for name in TRUTH_COLUMNS)
    known = {(source, key): entity for source, key, entity in zip(*names, strict=True)}
    found = []
    columns = (crosswalk.column(name).to_pylist() for name in ("source", "source_key", "position"))
    for source, key, position in zip(*columns, strict=True):
        entity = known.get((source, key), known.get((source, position)))
        if entity is not None:
            found.append((f"{source}:{key}", entity))
    return pa.table(
        {"record_id": [one[0] for one in found], "entity_id": [one[1] for one in found]},
        schema=pa.schema([("record_id", pa.string()), ("entity_id", pa.string())]),
    )
