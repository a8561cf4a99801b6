"""Clustering what changed decisions touch gives what clustering everything gives."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedupe import clusters
from dedupe.clusters import Clustering
from dedupe.model import MatchingSettings
from dedupe.reclustering import Earlier, changed_pairs, recluster, said
from onefold.errors import DecisionConflict

RECORDS = [f"s{number % 3}:{number:02d}" for number in range(18)]
IDS = pa.array(RECORDS)
KEPT = MatchingSettings(match=0.5, review=0.15, closure_limit=6, leiden_above=7)
WEIGHTS = (-6.0, -3.0, -1.0, 0.5, 2.0, 4.0, 9.0)
VETOES = (None, None, None, None, None, "birth_date", "type")

PAIR = st.tuples(st.sampled_from(RECORDS), st.sampled_from(RECORDS)).filter(lambda p: p[0] < p[1])
SCORE = st.tuples(st.sampled_from(WEIGHTS), st.sampled_from(VETOES))
PAIRS = st.dictionaries(PAIR, SCORE, max_size=45)
DECISION = st.tuples(
    st.sampled_from(("link", "no_link")),
    st.sampled_from([*RECORDS, "gone:1", "gone:2"]),
    st.sampled_from([*RECORDS, "gone:1", "gone:2"]),
).filter(lambda one: one[1] < one[2])
STEPS = st.lists(
    st.tuples(
        st.frozensets(DECISION, max_size=4),
        st.dictionaries(PAIR, SCORE, max_size=4) | st.just({}),
        st.frozensets(st.sampled_from(RECORDS), max_size=2),
    ),
    min_size=1,
    max_size=4,
)
"""What each step toggles (makes if it is not in force, else revokes), which pairs it scores, and
which records are not there after it."""


def scored(rows: dict[tuple[str, str], tuple[float, str | None]]) -> pa.Table:
    ordered = sorted(rows.items())
    return pa.table(
        {
            "left_id": pa.array([pair[0] for pair, _ in ordered], pa.string()),
            "right_id": pa.array([pair[1] for pair, _ in ordered], pa.string()),
            "veto": pa.array([veto for _, (_, veto) in ordered], pa.string()),
            "weight_bits": pa.array([bits for _, (bits, _) in ordered], pa.float64()),
        }
    )


def decided(rows: frozenset[tuple[str, str, str]]) -> pa.Table:
    names = ("kind", "left_id", "right_id")
    columns = list(zip(*sorted(rows), strict=True)) or [()] * 3
    table = {
        name: pa.array(list(column), pa.string())
        for name, column in zip(names, columns, strict=True)
    }
    return pa.table(
        {"decision_id": pa.array([f"D{n}" for n in range(len(rows))], pa.string()), **table}
    )


def closing(matching: MatchingSettings) -> Callable[[pa.Array, pa.Table, pa.Table], pa.Table]:
    """Scores a missing pair by its names alone, as any score of a pair is a function of it."""

    def close(ids: pa.Array, pairs: pa.Table, decisions: pa.Table) -> pa.Table:
        missing = clusters.missing_pairs(ids, pairs, decisions, matching, linked_only=True)
        ends = [missing[name].cast(pa.string()).to_pylist() for name in ("left_id", "right_id")]
        found = {
            (a, b): (WEIGHTS[(int(a[3:]) * 7 + int(b[3:])) % len(WEIGHTS)], None)
            for a, b in zip(*ends, strict=True)
        }
        return pa.concat_tables([pairs, scored(found)])

    return close


def everything(
    pairs: pa.Table, decisions: pa.Table, matching: MatchingSettings, ids: pa.Array = IDS
) -> Clustering:
    return clusters.cluster(ids, closing(matching)(ids, pairs, decisions), decisions, matching)


def among(rows: dict[tuple[str, str], Any], ids: pa.Array) -> pa.Table:
    """The scored pairs of some records."""
    live = set(ids.to_pylist())
    return scored({pair: one for pair, one in rows.items() if live.issuperset(pair)})


def plain(found: Clustering) -> tuple[list[dict], list[dict]]:
    return found.clusters.to_pylist(), found.suggestions.to_pylist()


@pytest.mark.parametrize("link_only", [False, True])
@pytest.mark.parametrize("review", [0.15, 0.45])
@settings(max_examples=25, deadline=None)
@given(rows=PAIRS, steps=STEPS)
def test_any_steps_of_decisions_and_records_give_what_clustering_everything_gives(
    link_only, review, rows, steps
):
    matching = KEPT.model_copy(update={"link_only": link_only, "review": review})
    pairs, standing = scored(rows), frozenset()
    found = everything(pairs, decided(standing), matching)
    for toggled, moved, gone in steps:
        wanted, rows = standing ^ toggled, rows | moved
        live = pa.array([one for one in RECORDS if one not in gone], pa.string())
        now = among(rows, live)
        earlier = Earlier(
            found.clusters, found.suggestions, said(decided(standing)), changed_pairs(pairs, now)
        )
        try:
            full = everything(now, decided(wanted), matching, live)
        except DecisionConflict:
            with pytest.raises(DecisionConflict):
                recluster(live, now, earlier, decided(wanted), matching, closing(matching))
            continue
        again = recluster(live, now, earlier, decided(wanted), matching, closing(matching))
        assert plain(again) == plain(full)
        counted = {
            name: again.report[name] for name in ("records", "clusters", "largest", "suggestions")
        }
        assert counted.items() <= full.report.items()
        found, standing, pairs = again, wanted, now


@settings(max_examples=40, deadline=None)
@given(before=PAIRS, after=PAIRS)
def test_changed_pairs_are_those_that_differ(before, after):
    expected = {
        (*pair, max(one[pair][0] for one in (before, after) if pair in one))
        for pair in before.keys() | after.keys()
        if before.get(pair) != after.get(pair)
    }
    found = changed_pairs(scored(before), scored(after))
    assert {tuple(row.values()) for row in found.to_pylist()} == expected
    assert found.num_rows == len(expected)


def test_only_touched_neighborhoods_are_looked_at():
    pairs = scored(
        {
            (RECORDS[0], RECORDS[1]): (6.0, None),
            (RECORDS[1], RECORDS[2]): (-1.5, None),
            (RECORDS[2], RECORDS[3]): (6.0, None),
            (RECORDS[3], RECORDS[4]): (-6.0, None),
            (RECORDS[4], RECORDS[5]): (6.0, None),
        }
    )
    before = everything(pairs, decided(frozenset()), KEPT)
    apart = decided(frozenset({("no_link", RECORDS[0], RECORDS[1])}))
    earlier = Earlier(before.clusters, before.suggestions, said(decided(frozenset())))
    found = recluster(IDS, pairs, earlier, apart, KEPT, closing(KEPT))
    assert found.report["reclustered"] == 4
    changed = pc.not_equal(found.clusters["cluster_id"], before.clusters["cluster_id"])
    assert found.clusters.filter(changed)["record_id"].to_pylist() == [RECORDS[1]]


def test_said_again_by_somebody_else_is_the_same():
    rows = frozenset({("link", RECORDS[0], RECORDS[1])})
    twice = pa.concat_tables([decided(rows), decided(rows)])
    assert said(twice).equals(said(decided(rows)))
