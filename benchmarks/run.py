"""Quality and time of the whole chain on worlds whose truth is known.

    python benchmarks/run.py DIR [DIR ...]

A world is a folder with erp.db, excel/, legacy.txt, crm.csv and truth/, such as
demo/zh. Every stage runs as the pipeline runs it, without Dagster and without
a warehouse; the truth is read only to score the result. Each world's figures
are printed and written to benchmarks/results/<world>.json.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors import snapshot
from connectors.source import extract, load_sources
from dedupe import blocking, clusters, features, matching
from dedupe.evaluation import evaluate
from dedupe.model import MatchingSettings
from rules import cleaning
from rules.slices import SLICE

HERE = Path(__file__).parent
TEMPLATES = HERE.parent / "demo" / "sources"
COUNTRY = {"zh": "CN", "en": "US"}


class Timer:
    """Wall and CPU seconds per stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start, cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
        self.cpu_seconds[name] = self.cpu_seconds.get(name, 0.0) + time.process_time() - cpu


def staged(world: Path, country: str, timer: Timer) -> tuple[pa.Table, int]:
    """Every accepted record of a world, and how many values went to quarantine."""
    tables, quarantined = [], 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "sources").mkdir()
        for template in sorted(TEMPLATES.glob("*.yml")):
            text = template.read_text(encoding="utf-8").replace("{data}", str(world))
            (home / "sources" / template.name).write_text(text, encoding="utf-8")
        for config in load_sources(home).values():
            with timer.stage("raw"):
                extraction = extract(config, home / "lake", None)
            with timer.stage("staged"):
                slices = partial(snapshot.slices, extraction.path, SLICE)
                valid = cleaning.clean(slices, config, config.country or country)
            tables.append(valid.staged)
            quarantined += valid.quarantine.num_rows
    return pa.concat_tables(tables), quarantined


def run(world: Path, settings: MatchingSettings, cuts: Sequence[float] = ()) -> dict[str, Any]:
    """All figures of one world; with cuts also the scores of its clusters at each of them."""
    truth = world / "truth"
    params = json.loads((truth / "params.json").read_text(encoding="utf-8"))
    timer = Timer()
    records, quarantined = staged(world, COUNTRY.get(params.get("lang", "zh"), "CN"), timer)
    with timer.stage("features"):
        table = features.build(records, settings.text_fields)
    with timer.stage("candidates"):
        candidates = blocking.candidates(table, settings)
    with timer.stage("compare"):
        counted = matching.Counted(table)
        levels = matching.compare(candidates.pairs, table, counted.counts)
    with timer.stage("train"):
        models = matching.learn(levels, table, settings, counted=counted)
    with timer.stage("scored_pairs"):
        scored = matching.weigh_pairs(levels, table, models, None, settings, counted)
    with timer.stage("clusters"):
        found = clusters.cluster(table["record_id"].combine_chunks(), scored, None, settings)
    keys = records.select(["record_id", "source", "source_key", "position"])
    crosswalk = keys.join(found.clusters, "record_id")
    true = pq.read_table(truth / "truth.parquet")
    hard = pq.read_table(truth / "hard_negatives.parquet")
    score = evaluate(crosswalk, true, hard)
    ids = table["record_id"].combine_chunks()
    by_cut = {
        cut: evaluate(keys.join(cluster_at(cut, ids, scored, settings), "record_id"), true, hard)
        for cut in cuts
    }
    entity = entities(crosswalk, true)
    by_kind = suggestions(found.suggestions, entity)
    return {
        "world": world.name,
        "records": records.num_rows,
        "quarantined": quarantined,
        "candidate_pairs": candidates.pairs.num_rows,
        "closure_pairs": scored.num_rows - candidates.pairs.num_rows,
        "blocking_recall": blocking_recall(candidates.pairs, entity),
        "evaluation": score.as_dict(),
        "cuts": {cut: one.as_dict() for cut, one in by_cut.items()},
        "suggestions": by_kind,
        "models": {
            name: dict(model.trained_on, basis=model.basis, prior=model.prior)
            for name, model in models.items()
        },
        "seconds": {name: round(value, 2) for name, value in timer.seconds.items()},
        "cpu_seconds": {name: round(value, 2) for name, value in timer.cpu_seconds.items()},
        "seconds_total": round(sum(timer.seconds.values()), 2),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def cluster_at(
    cut: float, ids: list[str], scored: pa.Table, settings: MatchingSettings
) -> pa.Table:
    """Clusters of scored pairs as a deployment with this cut would have them."""
    changed = settings.model_copy(update={"match": cut, "review": min(cut, settings.review)})
    return clusters.cluster(ids, scored, None, changed).clusters


def entities(crosswalk: pa.Table, truth: pa.Table) -> dict[str, str]:
    """Record id → true entity, for records that the truth knows."""
    known = {(row["source"], row["source_key"]): row["entity_id"] for row in truth.to_pylist()}
    found = {}
    for row in crosswalk.select(["record_id", "source", "source_key", "position"]).to_pylist():
        for key in (row["source_key"], row["position"]):
            if (row["source"], key) in known:
                found[row["record_id"]] = known[(row["source"], key)]
                break
    return found


def blocking_recall(pairs: pa.Table, entity: dict[str, str]) -> float:
    """Share of true pairs that blocking found."""
    members: dict[str, list[str]] = {}
    for record, name in sorted(entity.items()):
        members.setdefault(name, []).append(record)
    true = {pair for group in members.values() for pair in combinations(group, 2)}
    ids = zip(
        pairs.column("left_id").to_pylist(), pairs.column("right_id").to_pylist(), strict=True
    )
    return sum(pair in true for pair in ids) / max(len(true), 1)


def suggestions(table: pa.Table, entity: dict[str, str]) -> dict[str, float]:
    """How many suggestions of each kind there are, and which share of them is right."""
    figures: dict[str, float] = {}
    rows = table.to_pylist()
    for kind in ("merge", "split"):
        same = [
            entity.get(row["left_id"]) == entity.get(row["right_id"])
            for row in rows
            if row["kind"] == kind
        ]
        right = sum(same) if kind == "merge" else len(same) - sum(same)
        figures[kind] = len(same)
        figures[f"{kind}_right_share"] = round(right / len(same), 3) if same else 0.0
    figures["per_1000_records"] = round(1000 * len(rows) / max(len(entity), 1), 1)
    return figures


def each_world(
    measure: Callable[[Path, MatchingSettings], dict[str, object]], title: str, prefix: str = ""
) -> None:
    """Measure every world named on the command line; print the figures and keep them."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("worlds", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    arguments = parser.parse_args()
    arguments.results.mkdir(parents=True, exist_ok=True)
    for world in arguments.worlds:
        text = json.dumps(measure(world.resolve(), MatchingSettings()), indent=1)
        name = f"{prefix}{world.resolve().name}.json"
        (arguments.results / name).write_text(text + "\n", encoding="utf-8")
        print(text)


if __name__ == "__main__":
    each_world(run, __doc__.split("\n", 1)[0])
