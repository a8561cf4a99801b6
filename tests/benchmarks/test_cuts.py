from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import cuts


def test_the_best_cut_of_pairs_is_that_of_the_truth(tmp_path: Path) -> None:
    ids = pa.array(list("abcde"))
    pq.write_table(pa.table({"record_id": ids}), tmp_path / "records.parquet")
    truth = pa.table({"record_id": ids, "entity_id": list("xxyyz")})
    pq.write_table(truth, tmp_path / "truth.parquet")
    pairs = pa.table({"left_id": list("acb"), "right_id": list("bdc"), "score": [0.9, 0.8, 0.6]})
    found = cuts.best_of_pairs(pairs, tmp_path, (0.5, 0.7, 0.85, 0.99))
    assert (found["cut"], found["f1"]) == (0.7, 1.0)


def test_of_equal_cuts_the_lowest_is_the_best() -> None:
    found = cuts.best({0.9: {"f1": 0.8}, 0.5: {"f1": 0.8}, 0.95: {"f1": 0.7}})
    assert found["cut"] == 0.5


def test_components_go_by_way_of_others_and_leave_none_out() -> None:
    made = cuts.components(pa.array(list("abcd")), pa.array(["a", "c"]), pa.array(["c", "d"]))
    label = dict(zip(made["record_id"].to_pylist(), made["cluster_id"].to_pylist(), strict=True))
    assert label["a"] == label["c"] == label["d"] != label["b"]
