"""Recall of blocking, pairs per record, CPU seconds per stage and the best cut of Onefold.

    python -m benchmarks.details PREPARED [WORLD]

Prints one line of JSON. The stages are the product's own functions, called as
the command line calls them; the truth is read afterwards.
"""

import json
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import cuts, run, scores
from dedupe import files
from dedupe.model import MatchingSettings

STAGES = {
    "raw": "read", "staged": "clean", "features": "pair",
    "candidates": "pair", "compare": "compare", "train": "learn", "scored_pairs": "score",
    "clusters": "group",
}  # fmt: skip
"""Stage of benchmarks.run → stage of ``onefold dedupe``."""
CUTS = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95)
"""Cuts tried for the best."""


class Clock:
    """CPU seconds, user and system, between the calls that announce a stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stage, self._since = "", time.process_time()

    def announce(self, stage: str, what: str = "") -> None:
        """A stage begins; the one before is over."""
        now = time.process_time()
        if self._stage:
            before = self.seconds.get(self._stage, 0.0)
            self.seconds[self._stage] = round(before + now - self._since, 2)
        self._stage, self._since = stage, now


def of_files(paths: list[Path], folder: Path) -> dict[str, object]:
    """Details of files that ``onefold dedupe`` reads."""
    clock = Clock()
    settings = MatchingSettings.read({"link_only": len(paths) > 1})
    outcome = files.dedupe(paths, settings, progress=clock.announce)
    clock.announce("")
    truth = pq.read_table(folder / "truth.parquet")
    entity = truth["entity_id"].take(
        pc.index_in(
            pq.read_table(folder / "records.parquet")["record_id"], value_set=truth["record_id"]
        )
    )
    ids = outcome.record_ids
    scored = outcome.scored
    scored = scored.filter(pc.not_equal(scored["found_by"].cast(pa.string()), "closure"))
    sides = [
        entity.take(pc.index_in(scored[side], value_set=ids)) for side in ("left_id", "right_id")
    ]
    found = pc.sum(pc.equal(*sides)).as_py() or 0
    made = _details(clock.seconds, scored, len(ids), found, folder)
    names = pq.read_table(folder / "records.parquet", columns=["record_id"])["record_id"]
    return {**made, "best": _best_of_files(outcome, names, scores.Truth.read(folder), settings)}


def _best_of_files(
    outcome: files.Outcome, names: pa.ChunkedArray, truth: scores.Truth, settings: MatchingSettings
) -> dict[str, float]:
    """Scores at the best cut; ``names`` are the records' ids in the truth, in their order."""
    ids = outcome.record_ids
    found = {}
    for cut in CUTS:
        made = run.cluster_at(cut, sorted(ids.to_pylist()), outcome.scored, settings)
        place = pc.index_in(made["record_id"], value_set=ids)
        table = pa.table({"record_id": names.take(place), "cluster_id": made["cluster_id"]})
        found[cut] = truth.score(table).as_dict()
    return cuts.best(found)


def _details(
    seconds: dict[str, float], pairs: pa.Table, records: int, found: int, folder: Path
) -> dict[str, object]:
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    return {
        "blocking_recall": found / max(about["true_pairs"], 1),
        "pairs_per_record": pairs.num_rows / records,
        "cpu_seconds": seconds,
    }


def of_world(world: Path) -> dict[str, object]:
    """Details of a world of four systems."""
    figures = run.run(world, MatchingSettings(), CUTS)
    seconds: dict[str, float] = {}
    for name, value in figures["cpu_seconds"].items():
        stage = STAGES[name]
        seconds[stage] = round(seconds.get(stage, 0.0) + value, 2)
    return {
        "blocking_recall": figures["blocking_recall"],
        "pairs_per_record": figures["candidate_pairs"] / figures["records"],
        "cpu_seconds": seconds,
        "best": cuts.best(figures["cuts"]),
    }


def main() -> None:
    """Print the details of the data set on the command line."""
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        made = of_world(Path(sys.argv[2]))
    else:
        made = of_files(sorted(folder.glob("*.csv")), folder)
    print(json.dumps(made))


if __name__ == "__main__":
    main()
