"""A record is as sure in its cluster as the weakest link it needs."""

import random

import pyarrow as pa
import pytest

from dedupe import membership
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


@pytest.mark.parametrize("few", [1, 3, 50])
@pytest.mark.parametrize("seed", range(30))
def test_links_looked_at_together_say_what_a_plain_loop_says(
    seed: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "_FEW", few)
    rng = random.Random(seed)
    records = [f"r{number:03d}" for number in range(rng.randrange(3, 120))]
    clusters = {record: f"c{rng.randrange(1 + len(records) // 8)}" for record in records}
    pairs = [
        (a, b, rng.choice([0.6, 0.7, 0.8, 0.9, 0.99]))
        for a in records
        for b in records
        if a < b and clusters[a] == clusters[b] and rng.random() < 0.4
    ]
    found = sure(clusters, pairs)
    several = [record for record in records if list(clusters.values()).count(clusters[record]) > 1]
    expected = dict.fromkeys(records, 1.0) | dict.fromkeys(several, 0.0)
    assert found == expected | _of_a_plain_loop(pairs)


def _of_a_plain_loop(pairs: list[tuple[str, str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    part = {record: {record} for pair in pairs for record in pair[:2]}
    for a, b, probability in sorted(pairs, key=lambda pair: (-pair[2], *pair[:2])):
        one, other = part[a], part[b]
        if one is other:
            continue
        for needing, large in ((one, other), (other, one)):
            if len(needing) <= len(large):
                found |= dict.fromkeys(needing, probability)
        both = one | other
        part |= dict.fromkeys(both, both)
    return found
