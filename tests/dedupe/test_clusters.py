"""Clusters: decisions always hold, vetoes are inherited, order does not matter."""

import networkx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedupe.clusters import cluster, missing_pairs
from dedupe.model import MatchingSettings, logit_bits, probability_of
from onefold.errors import DecisionConflict

SETTINGS = MatchingSettings(match=0.5, review=0.15)


def scored(*rows: tuple[str, str, float] | tuple[str, str, float, str]) -> pa.Table:
    """Scored pairs from (left, right, bits) or (left, right, bits, veto)."""
    return pa.table(
        {
            "left_id": pa.array([min(row[0], row[1]) for row in rows], pa.string()),
            "right_id": pa.array([max(row[0], row[1]) for row in rows], pa.string()),
            "veto": pa.array([row[3] if len(row) > 3 else None for row in rows], pa.string()),
            "weight_bits": pa.array([row[2] for row in rows], pa.float64()),
        }
    )


def decided(*rows: tuple[str, str, str]) -> pa.Table:
    """Decisions from (kind, left, right), numbered D1, D2, ..."""
    return pa.table(
        {
            "decision_id": pa.array([f"D{i}" for i in range(1, len(rows) + 1)], pa.string()),
            "kind": pa.array([row[0] for row in rows], pa.string()),
            "left_id": pa.array([row[1] for row in rows], pa.string()),
            "right_id": pa.array([row[2] for row in rows], pa.string()),
        }
    )


def groups(record_ids, pairs, decisions=None, settings=SETTINGS) -> set[frozenset[str]]:
    found = cluster(record_ids, pairs, decisions, settings).clusters.to_pylist()
    by_id: dict[str, set[str]] = {}
    for row in found:
        by_id.setdefault(row["cluster_id"], set()).add(row["record_id"])
    assert all(min(members) == cluster_id for cluster_id, members in by_id.items())
    return {frozenset(members) for members in by_id.values()}


def test_records_without_pairs_are_clusters_of_their_own():
    assert groups("ab", scored()) == {frozenset("a"), frozenset("b")}


def test_nothing_gives_nothing():
    found = cluster([], scored(), None, SETTINGS)
    assert found.clusters.num_rows == found.suggestions.num_rows == 0


def test_one_weak_bridge_does_not_join_two_customers():
    tight = [("a", "b", 9.0), ("a", "c", 9.0), ("b", "c", 9.0)]
    other = [("x", "y", 9.0), ("x", "z", 9.0), ("y", "z", 9.0)]
    assert groups("abcxyz", scored(*tight, *other, ("c", "x", 2.0))) == {
        frozenset("abc"),
        frozenset("xyz"),
    }


def test_a_veto_is_inherited_by_the_cluster():
    pairs = scored(("a", "b", 8.0), ("b", "c", 5.0), ("a", "c", 5.0, "birth_date"))
    assert groups("abc", pairs) == {frozenset("ab"), frozenset("c")}


def test_one_noisy_record_does_not_split_a_large_customer():
    members = [f"r{i}" for i in range(8)]
    pairs = [(a, b, 6.0) for i, a in enumerate(members) for b in members[i + 1 :]]
    pairs[0] = ("r0", "r1", -3.0, "birth_date")
    assert groups(members, scored(*pairs)) == {frozenset(members)}


def test_what_is_settled_at_once_is_what_agglomeration_finds(monkeypatch):
    ids = [f"r{i:02d}" for i in range(40)]
    pairs = [
        (a, b, float((3 * i + 5 * j) % 17 - 4))
        for i, a in enumerate(ids)
        for j, b in enumerate(ids[i + 1 : i + 4])
    ]
    decisions = decided(("link", "r00", "r09"), ("no_link", "r20", "r21"))
    at_once = groups(ids, scored(*pairs), decisions)
    monkeypatch.setattr(
        "dedupe.clusters.settled", lambda graph, component, cut: np.zeros(component.max() + 1, bool)
    )
    assert groups(ids, scored(*pairs), decisions) == at_once
    assert 5 < len(at_once) < 38


def test_the_cut_is_the_setting_match():
    pairs = scored(("a", "b", logit_bits(0.7)))
    assert groups("ab", pairs, settings=MatchingSettings(match=0.69)) == {frozenset("ab")}
    assert len(groups("ab", pairs, settings=MatchingSettings(match=0.71))) == 2


def test_links_join_what_scores_and_vetoes_keep_apart():
    pairs = scored(("a", "b", -20.0, "unlike"))
    assert groups("ab", pairs, decided(("link", "a", "b"))) == {frozenset("ab")}


def test_no_link_splits_what_scores_join_and_is_no_suggestion():
    found = cluster("ab", scored(("a", "b", 30.0)), decided(("no_link", "b", "a")), SETTINGS)
    assert found.clusters.column("cluster_id").to_pylist() == ["a", "b"]
    assert found.suggestions.num_rows == 0


def test_no_link_holds_for_the_whole_linked_group():
    decisions = decided(("link", "a", "b"), ("no_link", "b", "c"))
    pairs = scored(("a", "c", 12.0), ("a", "b", 1.0))
    assert groups("abc", pairs, decisions) == {frozenset("ab"), frozenset("c")}


def test_links_hold_through_a_record_that_is_gone():
    decisions = decided(("link", "a", "gone"), ("link", "gone", "b"))
    assert groups("ab", scored(), decisions) == {frozenset("ab")}


def test_contradicting_decisions_name_each_other():
    decisions = decided(
        ("link", "a", "b"), ("link", "b", "c"), ("link", "x", "y"), ("no_link", "c", "a")
    )
    with pytest.raises(DecisionConflict) as caught:
        cluster("abcxy", scored(), decisions, SETTINGS)
    text = str(caught.value)
    assert "D4" in text and "D1" in text and "D2" in text and "D3" not in text


def test_overrides_and_unknown_records_do_not_disturb():
    decisions = decided(("override", "a", "b"), ("no_link", "nobody", "else"))
    assert groups("ab", scored(("a", "b", 5.0)), decisions) == {frozenset("ab")}


def test_a_record_that_fits_two_customers_about_as_well_joins_neither():
    """Mother and daughter of one name and house have numbers of their own; the sheet has none."""
    pairs = [("a", "m", 4.0), ("b", "m", 4.0), ("a", "b", -6.0)]
    assert groups("abm", scored(*pairs)) == {frozenset("a"), frozenset("b"), frozenset("m")}
    found = cluster("abm", scored(*pairs), None, SETTINGS).suggestions.to_pylist()
    assert [(s["left_id"], s["right_id"], s["reason"]) for s in found] == [
        ("a", "m", "rival"),
        ("b", "m", "rival"),
    ]


def test_a_record_joins_the_customer_that_it_fits_clearly_better():
    pairs = [("a", "m", 7.0), ("b", "m", 3.0), ("a", "b", -6.0)]
    assert groups("abm", scored(*pairs)) == {frozenset("am"), frozenset("b")}


def test_a_customer_that_may_be_the_same_one_is_no_rival():
    pairs = [("a", "m", 4.0), ("b", "m", 4.0), ("a", "b", -4.5)]
    assert groups("abm", scored(*pairs)) == {frozenset("am"), frozenset("b")}


def test_who_would_join_both_is_no_rival():
    """A noisy record contradicts another of its customer; a third one is sure of both."""
    pairs = [("a", "m", 12.0), ("b", "m", 11.0), ("a", "b", -6.0, "birth_date")]
    assert groups("abm", scored(*pairs)) == {frozenset("abm")}


def test_a_no_link_decision_makes_rivals():
    pairs = scored(("a", "m", 4.0), ("b", "m", 4.0), ("a", "b", 1.0))
    assert groups("abm", pairs) == {frozenset("abm")}
    apart = decided(("no_link", "a", "b"))
    assert groups("abm", pairs, apart) == {frozenset("a"), frozenset("b"), frozenset("m")}


def test_a_rival_that_has_joined_is_one_no_more():
    """b is surely one customer with c, which m contradicts: then only a is left for m."""
    pairs = [("a", "m", 9.0), ("b", "m", 9.0), ("a", "b", -6.0), ("b", "c", 14.0), ("c", "m", -9.0)]
    assert groups("abcm", scored(*pairs)) == {frozenset("am"), frozenset("bc")}


def test_a_doubtful_merge_is_suggested_once_per_pair_of_clusters():
    pairs = scored(
        ("a", "b", 9.0), ("x", "y", 9.0), ("a", "x", 1.0), ("b", "x", -2.0), ("b", "y", -2.0)
    )
    found = cluster("abxy", pairs, None, SETTINGS).suggestions.to_pylist()
    assert [(s["left_id"], s["right_id"], s["kind"]) for s in found] == [("a", "x", "merge")]
    assert found[0]["left_cluster_id"] == "a" and found[0]["right_cluster_id"] == "x"
    assert found[0]["probability"] == pytest.approx(1 / 3)
    assert found[0]["reason"] == "others"


def test_one_good_pair_among_many_bad_ones_is_not_suggested():
    pairs = scored(
        ("a", "b", 9.0), ("x", "y", 9.0), ("a", "x", 1.0), ("b", "x", -6.0), ("b", "y", -6.0)
    )
    assert cluster("abxy", pairs, None, SETTINGS).suggestions.num_rows == 0


def test_a_contradicted_pair_is_suggested_with_its_reason_if_its_weight_is_near_the_cut():
    found = cluster("ab", scored(("a", "b", -1.0, "id")), None, SETTINGS).suggestions.to_pylist()
    assert len(found) == 1 and found[0]["reason"] == "id"
    assert cluster("ab", scored(("a", "b", -6.0, "id")), None, SETTINGS).suggestions.num_rows == 0


def test_a_cluster_with_two_records_that_contradict_is_suggested_for_splitting():
    pairs = [(a, b, 8.0) for a, b in ("ab", "ac", "ad", "bc", "bd")]
    found = cluster("abcd", scored(*pairs, ("c", "d", -7.0, "birth_date")), None, SETTINGS)
    assert found.clusters.column("cluster_id").to_pylist() == ["a"] * 4
    rows = found.suggestions.to_pylist()
    assert [(s["kind"], s["left_id"], s["right_id"]) for s in rows] == [("split", "c", "d")]
    assert rows[0]["left_cluster_id"] == rows[0]["right_cluster_id"] == "a"
    assert rows[0]["reason"] == "birth_date"


def test_a_cluster_that_only_hangs_on_a_weak_pair_is_not_suggested_for_splitting():
    found = cluster("ab", scored(("a", "b", 0.4)), None, SETTINGS)
    assert found.report["clusters"] == 1 and found.suggestions.num_rows == 0


def test_a_confirmed_link_is_not_suggested_for_splitting():
    decisions = decided(("link", "a", "b"))
    assert cluster("ab", scored(("a", "b", -9.0)), decisions, SETTINGS).suggestions.num_rows == 0


def test_what_would_put_most_pairs_right_comes_first():
    pairs = [("a", "b", 9.0), ("c", "d", 9.0), ("e", "f", -0.5)]
    pairs += [(x, y, -0.6) for x in "ab" for y in "cd"]
    found = cluster("abcdef", scored(*pairs), None, SETTINGS).suggestions.to_pylist()
    assert [(s["left_id"], s["right_id"]) for s in found] == [("a", "c"), ("e", "f")]
    assert found[0]["probability"] < found[1]["probability"]


def test_unseen_pairs_inside_a_component_are_asked_for():
    pairs = scored(("a", "b", 4.0), ("b", "c", 4.0), ("c", "d", -4.0))
    found = missing_pairs("abcd", pairs, None, SETTINGS)
    assert found.to_pylist() == [{"left_id": "a", "right_id": "c", "found_by": "closure"}]


def test_a_component_above_the_closure_limit_is_closed_part_by_part():
    limited = MatchingSettings(match=0.5, closure_limit=3)
    chain = [("a", "b", 9.0), ("b", "c", 9.0), ("d", "e", 9.0), ("e", "f", 9.0)]
    found = missing_pairs("abcdef", scored(*chain, ("c", "d", 0.5)), None, limited).to_pylist()
    assert [(row["left_id"], row["right_id"]) for row in found] == [("a", "c"), ("d", "f")]


def test_a_part_above_the_closure_limit_is_left_as_it_is():
    pairs = scored(("a", "b", 4.0), ("b", "c", 4.0))
    limited = MatchingSettings(match=0.5, closure_limit=2)
    assert missing_pairs("abc", pairs, None, limited).num_rows == 0


def test_a_large_component_is_split_by_leiden_into_its_communities():
    ids, pairs = [], []
    for group in range(6):
        members = [f"g{group}:{i:02d}" for i in range(15)]
        ids += members
        pairs += [(a, b, 8.0) for i, a in enumerate(members) for b in members[i + 1 :]]
        if group:
            pairs.append((members[0], f"g{group - 1}:14", 1.0))
    found = cluster(ids, scored(*pairs), None, MatchingSettings(match=0.5, leiden_above=20))
    assert found.report["leiden_splits"] == 1 and found.report["components"] == 1
    assert {row["cluster_id"] for row in found.clusters.to_pylist()} == {
        f"g{group}:00" for group in range(6)
    }


def test_no_links_and_different_types_hold_inside_leiden_communities():
    members = [f"r{i:02d}" for i in range(30)]
    pairs = [(a, b, 9.0) for i, a in enumerate(members) for b in members[i + 1 :]]
    pairs[0] = ("r00", "r01", 9.0, "type")
    found = groups(
        members,
        scored(*pairs),
        decided(("no_link", "r02", "r03")),
        MatchingSettings(match=0.5, leiden_above=10),
    )
    assert not any({"r00", "r01"} <= group or {"r02", "r03"} <= group for group in found)


def test_probability_and_bits_are_inverse():
    for probability in (0.01, 0.5, 0.9):
        assert probability_of(logit_bits(probability)) == pytest.approx(probability)


IDS = [f"s:{i}" for i in range(9)]
pair = st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)).filter(lambda p: p[0] != p[1])
pairs_strategy = st.dictionaries(
    pair.map(lambda p: (min(p), max(p))),
    st.tuples(
        st.floats(-15, 15, allow_nan=False), st.sampled_from([None, None, None, "id", "type"])
    ),
    max_size=30,
)
decisions_strategy = st.lists(st.tuples(st.sampled_from(["link", "no_link"]), pair), max_size=8)


def _linked(decisions) -> networkx.Graph:
    graph = networkx.Graph()
    graph.add_nodes_from(IDS)
    graph.add_edges_from(p for kind, p in decisions if kind == "link")
    return graph


@settings(max_examples=300, deadline=None)
@given(pairs_strategy, decisions_strategy, st.randoms(use_true_random=False))
def test_decisions_hold_and_order_is_nothing(pairs, decisions, random):
    rows = [(a, b, bits, veto) for (a, b), (bits, veto) in pairs.items()]
    table = decided(*((kind, *p) for kind, p in decisions))
    linked = _linked(decisions)
    contradiction = any(
        kind == "no_link" and networkx.has_path(linked, *p) for kind, p in decisions
    )
    small = MatchingSettings(match=0.5, leiden_above=4)
    if contradiction:
        with pytest.raises(DecisionConflict):
            cluster(IDS, scored(*rows), table, small)
        return
    found = cluster(IDS, scored(*rows), table, small)
    of = {row["record_id"]: row["cluster_id"] for row in found.clusters.to_pylist()}
    assert sorted(of) == IDS
    for kind, (a, b) in decisions:
        assert (of[a] == of[b]) == (kind == "link")
    atom = {node: min(group) for group in networkx.connected_components(linked) for node in group}
    for a, b, _, veto in rows:
        if veto == "type" and atom[a] != atom[b]:
            assert of[a] != of[b]
    for row in found.suggestions.to_pylist():
        assert row["left_cluster_id"] == of[row["left_id"]]
        assert row["right_cluster_id"] == of[row["right_id"]]
        assert (row["kind"] == "split") == (of[row["left_id"]] == of[row["right_id"]])
        assert not any(
            {of[row["left_id"]], of[row["right_id"]]} == {of[p[0]], of[p[1]]}
            for kind, p in decisions
            if kind == "no_link"
        )
    mixed = list(rows)
    random.shuffle(mixed)
    shuffled_ids = list(IDS)
    random.shuffle(shuffled_ids)
    again = cluster(shuffled_ids, scored(*mixed), table, small)
    assert again.clusters.equals(found.clusters)
    assert again.suggestions.equals(found.suggestions)


@settings(max_examples=150, deadline=None)
@given(pairs_strategy)
def test_clusters_lie_within_the_components_above_the_cut(pairs):
    rows = [(a, b, bits, veto) for (a, b), (bits, veto) in pairs.items()]
    graph = networkx.Graph()
    graph.add_nodes_from(IDS)
    graph.add_edges_from((a, b) for a, b, bits, veto in rows if bits >= 0 and not veto)
    components = list(networkx.connected_components(graph))
    for group in groups(IDS, scored(*rows)):
        assert any(group <= component for component in components)


LINKS = SETTINGS.model_copy(update={"link_only": True})


def test_with_link_only_a_cluster_has_one_record_of_each_source_at_most():
    pairs = scored(("a:1", "b:1", 9.0), ("a:2", "b:1", 6.0), ("a:2", "c:1", 8.0))
    ids = ["a:1", "a:2", "b:1", "c:1"]
    assert groups(ids, pairs, settings=LINKS) == {
        frozenset(["a:1", "b:1"]), frozenset(["a:2", "c:1"])
    }  # fmt: skip
    assert frozenset(["a:1", "a:2", "b:1"]) <= max(groups(ids, pairs), key=len)


def test_with_link_only_a_chain_of_sources_is_one_cluster_that_no_second_record_enters():
    pairs = scored(
        ("a:1", "b:1", 9.0), ("a:1", "c:1", 9.0), ("b:1", "c:1", 9.0),
        ("b:2", "c:1", 8.0), ("a:2", "b:2", 7.0),
    )  # fmt: skip
    ids = ["a:1", "a:2", "b:1", "b:2", "c:1"]
    assert groups(ids, pairs, settings=LINKS) == {
        frozenset(["a:1", "b:1", "c:1"]), frozenset(["a:2", "b:2"])
    }  # fmt: skip


def test_with_link_only_no_pair_within_a_source_is_asked_for():
    pairs = scored(("a:1", "b:1", 9.0), ("a:2", "b:1", 9.0), ("b:1", "c:1", 9.0))
    ids = ["a:1", "a:2", "b:1", "c:1"]
    wanted = missing_pairs(ids, pairs, None, LINKS).to_pylist()
    assert {(row["left_id"], row["right_id"]) for row in wanted} == {("a:1", "c:1"), ("a:2", "c:1")}
