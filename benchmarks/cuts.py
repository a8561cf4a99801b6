"""The best cut of a tool, found by looking at the truth; nobody has it in practice."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from benchmarks import scores


def components(ids: pa.Array, *sides: pa.Array) -> pa.Table:
    """Clusters of records that pairs join, directly or by way of others.

    Args:
        ids: of all records.
        sides: of the pairs: left and right ids.

    Returns:
        record_id (in the order of ids), cluster_id.
    """
    places = [pc.index_in(side, value_set=ids).to_numpy(zero_copy_only=False) for side in sides]
    graph = coo_matrix((np.ones(len(sides[0])), places), shape=(len(ids), len(ids)))
    label = connected_components(graph, directed=False)[1]
    return pa.table({"record_id": ids, "cluster_id": pa.array(label).cast(pa.string())})


def best_of_pairs(pairs: pa.Table, folder: Path, cuts: Sequence[float]) -> dict[str, float]:
    """The cut of the highest F1 among some, with its scores.

    Args:
        pairs: left_id, right_id, score; what a tool scored.
        folder: of a prepared data set.
        cuts: scores from which on pairs join.
    """
    ids = pq.read_table(folder / "records.parquet", columns=["record_id"])["record_id"]
    truth = scores.Truth.read(folder)
    found = {}
    for cut in cuts:
        linked = pairs.filter(pc.greater_equal(pairs["score"], cut)).combine_chunks()
        made = components(
            ids.combine_chunks(), linked["left_id"].cast(ids.type).combine_chunks(),
            linked["right_id"].cast(ids.type).combine_chunks(),
        )  # fmt: skip
        found[cut] = truth.score(made).as_dict()
    return best(found)


def best(found: dict[float, dict[str, float]]) -> dict[str, float]:
    """Of scores by cut those of the highest F1, the lowest such cut, with the cut."""
    cut = max(sorted(found), key=lambda one: found[one]["f1"])
    return {"cut": cut, **found[cut]}
