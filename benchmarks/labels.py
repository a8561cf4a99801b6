"""What labels gain: accuracy after 0, 50 and 200 of them, on worlds whose truth is known.

    python -m benchmarks.labels DIR [DIR ...]

The truth answers what ``onefold label`` would ask, in rounds of 50 with training
between them; for comparison the same number of candidate pairs drawn at random.
``trained`` uses the answers for training only; ``decided`` keeps them as
decisions too, as ``onefold label`` does. The figures are printed, and written to
benchmarks/results/labels-<world>.json.
"""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.run import COUNTRY, Timer, each_world, entities, staged
from dedupe import blocking, clusters, features, matching
from dedupe.evaluation import evaluate
from dedupe.labels import SCHEMA
from dedupe.model import MatchingSettings
from dedupe.teaching import teaching

ROUND = 50
COUNTS = (50, 200)
SEED = 1


class Bench:
    """One world, ready to be matched with any labels."""

    def __init__(self, world: Path, settings: MatchingSettings) -> None:
        truth = world / "truth"
        params = json.loads((truth / "params.json").read_text(encoding="utf-8"))
        self.settings = settings
        self.records, _ = staged(world, COUNTRY.get(params.get("lang", "zh"), "CN"), Timer())
        self.features = features.build(self.records, settings.text_fields)
        found = blocking.candidates(self.features, settings)
        self.levels = matching.compare(found.pairs, self.features)
        self.truth = pq.read_table(truth / "truth.parquet")
        self.hard = pq.read_table(truth / "hard_negatives.parquet")
        columns = ["record_id", "source", "source_key", "position"]
        self.keys = self.records.select(columns)
        self.entity = entities(self.keys, self.truth)

    def scored(self, labels: pa.Table) -> pa.Table:
        """Pairs scored by models that were trained with the labels."""
        models = matching.learn(self.levels, self.features, self.settings, labels)
        return matching.score_pairs(self.levels, self.features, models, None, self.settings)

    def answer(self, pairs: pa.Table) -> pa.Table:
        """The truth of some pairs, as labels."""
        left, right = pairs["left_id"].to_pylist(), pairs["right_id"].to_pylist()
        said = [self.entity.get(a) == self.entity.get(b) for a, b in zip(left, right, strict=True)]
        return pa.table([left, right, said], schema=SCHEMA)

    def quality(self, scored: pa.Table, decisions: pa.Table | None) -> dict[str, float]:
        """F1 and look-alikes of the clusters."""
        ids = self.features.column("record_id").to_pylist()
        found = clusters.cluster(ids, scored, decisions, self.settings)
        crosswalk = self.keys.join(found.clusters, "record_id")
        score = evaluate(crosswalk, self.truth, self.hard)
        return {
            "f1": round(score.f1, 4),
            "precision": round(score.precision, 4),
            "recall": round(score.recall, 4),
            "look_alikes_merged": round(score.hard_negatives_merged_share, 4),
        }


def as_decisions(labels: pa.Table) -> pa.Table:
    """Labels as the decisions that onefold label keeps."""
    return pa.table(
        {
            "decision_id": [f"D{i:06d}" for i in range(labels.num_rows)],
            "kind": pc.if_else(labels["is_match"], "link", "no_link"),
            "left_id": labels["left_id"],
            "right_id": labels["right_id"],
        }
    )


def run(world: Path, settings: MatchingSettings) -> dict[str, object]:
    """Quality of one world by number and choice of labels."""
    bench = Bench(world, settings)
    empty = SCHEMA.empty_table()
    scored = bench.scored(empty)
    figures: dict[str, object] = {"world": world.name, "labels_0": bench.quality(scored, None)}
    asked = empty
    while asked.num_rows < max(COUNTS):
        chosen = bench.answer(teaching(scored, asked, ROUND))
        asked = pa.concat_tables([asked, chosen])
        scored = bench.scored(asked)
        if asked.num_rows in COUNTS:
            figures[f"labels_{asked.num_rows}"] = {
                "matches_among_them": int(pc.sum(asked["is_match"]).as_py()),
                "trained": bench.quality(scored, None),
                "decided": bench.quality(scored, as_decisions(asked)),
            }
        if not chosen.num_rows:
            break
    rows = np.random.default_rng(SEED).permutation(bench.levels.num_rows)
    for count in COUNTS:
        drawn = bench.answer(bench.levels.take(pa.array(np.sort(rows[:count]))))
        figures[f"random_{count}"] = {"trained": bench.quality(bench.scored(drawn), None)}
    return figures


if __name__ == "__main__":
    each_world(run, __doc__.split("\n", 1)[0], "labels-")
