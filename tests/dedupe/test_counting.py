"""Pairs that agree in all that training looks at are one row with a count."""

import numpy as np
import pyarrow as pa

from dedupe import counting

PAIRS = pa.table(
    {
        "left_id": ["a", "b", "c", "d"],
        "name_level": pa.array([3, 3, 3, -1], pa.int8()),
        "veto": pa.array(["id", None, None, "id"]).dictionary_encode(),
        "known": [np.nan, 1.0, 1.0, np.nan],
        "stands_for": pa.array([1, 5, None, 2], pa.int32()),
    }
)
COLUMNS = ["name_level", "veto", "known"]


def counted(table: pa.Table) -> dict[tuple[int, str | None, str], int]:
    return {
        (row["name_level"], row["veto"], str(row["known"])): row["stands_for"]
        for row in table.to_pylist()
    }


def test_pairs_are_counted_as_often_as_they_stand_for():
    found = counting.distinct(PAIRS, COLUMNS)
    assert counted(found) == {(3, "id", "nan"): 1, (3, None, "1.0"): 6, (-1, "id", "nan"): 2}


def test_chunks_counted_one_by_one_are_the_whole_counted_at_once():
    chunks = [counting.distinct(PAIRS.slice(n, 1), COLUMNS) for n in range(4)]
    whole = counting.distinct(PAIRS, COLUMNS)
    assert counted(counting.together(chunks)) == counted(whole)
    assert counting.together(chunks).num_rows == whole.num_rows
