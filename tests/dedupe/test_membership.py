"""A record is as sure in its cluster as the weakest link it needs."""

import pyarrow as pa
import pytest

from dedupe.membership import confidence


def sure(clusters: dict[str, str], pairs: list[tuple[str, str, float]], veto=None) -> dict:
    table = pa.table(
        {"record_id": sorted(clusters), "cluster_id": [clusters[r] for r in sorted(clusters)]}
    )
    scored = pa.table(
        {
            "left_id": pa.array([a for a, _, _ in pairs], pa.string()),
            "right_id": pa.array([b for _, b, _ in pairs], pa.string()),
            "probability": pa.array([p for _, _, p in pairs], pa.float64()),
            "veto": pa.array([veto] * len(pairs), pa.string()),
        }
    )
    return dict(zip(sorted(clusters), confidence(table, scored).to_pylist(), strict=True))


def test_two_records_are_as_sure_as_their_link():
    assert sure({"a": "a", "b": "a"}, [("a", "b", 0.8)]) == {"a": 0.8, "b": 0.8}


def test_the_record_that_hangs_on_a_weak_link_is_the_doubtful_one():
    pairs = [("a", "b", 0.99), ("b", "c", 0.98), ("c", "d", 0.5), ("a", "d", 0.4)]
    found = sure(dict.fromkeys("abcd", "a"), pairs)
    assert found == {"a": 0.99, "b": 0.99, "c": 0.98, "d": 0.5}


def test_a_bridge_between_equal_parts_makes_all_of_them_doubtful():
    pairs = [("a", "b", 0.99), ("c", "d", 0.99), ("b", "c", 0.6)]
    assert set(sure(dict.fromkeys("abcd", "a"), pairs).values()) == {0.6}


@pytest.mark.parametrize(("veto", "expected"), [(None, 0.7), ("id", 1.0)])
def test_a_record_alone_is_as_sure_as_it_is_no_other(veto, expected):
    found = sure({"a": "a", "b": "b", "c": "c"}, [("a", "b", 0.3)], veto)
    assert found["a"] == pytest.approx(expected)
    assert found["c"] == 1.0
