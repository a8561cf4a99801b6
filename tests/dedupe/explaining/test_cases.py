"""Facts of a case: the pairs that matter, the same from prepared evidence, in and out of JSON."""

import json
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe import explain
from dedupe.counts import Counts
from dedupe.explain import CaseFacts, Evidence
from dedupe.explaining import frequency, graph_svg, stored, svg
from dedupe.explaining.facts import plain
from dedupe.explaining.messages import say
from dedupe.explaining.prepared import Prepared, contradictions
from dedupe.name_rarity import surnames_and_initials


def counted(evidence, wanted):
    """How many records have the values of some, looked for in two parts and some rows too many."""
    features = evidence.features
    half, numbers = features.num_rows // 2, np.arange(features.num_rows)
    gone = (features.slice(0, half), np.full(half, -1))
    parts = [
        (features.slice(0, half), numbers[:half]),
        gone,
        (features.slice(half), numbers[half:]),
    ]
    return frequency.count(parts, evidence.record_ids, evidence.clusters, wanted)


def prepared(evidence: Evidence, ids: list[str]) -> Prepared:
    """The same matching as read and counted before, of some whole clusters."""

    def among(table):
        return table.filter(pc.is_in(table["record_id"], pa.array(ids)))

    pairs = evidence.pairs_inside(ids)
    features = among(evidence.features)
    return Prepared(
        features=features,
        scored=evidence.scored,
        clusters=among(evidence.clusters),
        suggestions=evidence.suggestions,
        models=evidence.models,
        settings=evidence.settings,
        staged=lambda _: evidence.staged(ids),
        decisions=evidence.decisions,
        crosswalk=evidence.crosswalk,
        pairs=pairs,
        frequencies=counted(evidence, features),
        contradictions=contradictions(pairs, features, Counts.of(evidence.features)),
    )


CASES = [
    ("merge", [["crm:same-1", "crm:same-2", "crm:same-3"], ["crm:low-1"]], []),
    ("merge", [["crm:low-1"], ["crm:low-2"]], [("crm:low-1", "crm:low-2")]),
    ("merge", [["crm:born-1"], ["crm:born-2"]], []),
    ("merge", [["crm:firm"], ["crm:sister"]], []),
    ("split", [["crm:same-1", "crm:same-2", "crm:same-3"]], [("crm:same-1", "crm:same-3")]),
    ("split", [["crm:desk-00", "crm:desk-00-again"]], [("crm:desk-00", "crm:desk-00-again")]),
]


@pytest.mark.parametrize(("kind", "groups", "suggested"), CASES)
def test_prepared_evidence_tells_the_same(world: Evidence, kind, groups, suggested) -> None:
    ids = sorted(one for group in groups for one in group)
    told = explain.case(world, kind, groups, suggested)
    assert explain.case(prepared(world, ids), kind, groups, suggested) == told
    assert [node.record_id for node in told.graph.nodes] == ids
    assert (told.cluster is None) == (kind == "merge")


def test_prepared_evidence_tells_the_same_under_decisions(matched, records) -> None:
    evidence = matched(records, ("link", "crm:low-1", "crm:low-2"), ("no_link", "crm:same-1", "x"))
    ids = ["crm:low-1", "crm:low-2"]
    case = ("split", [ids], [("crm:low-1", "crm:low-2")])
    told = explain.case(evidence, *case)
    assert told.pairs[0].outcome == "linked"
    assert explain.case(prepared(evidence, ids), *case) == told


def test_the_strongest_pair_between_each_two_customers_is_explained(world: Evidence) -> None:
    groups = [["crm:same-1", "crm:same-2"], ["crm:same-3"], ["crm:low-1"]]
    told = explain.case(world, "merge", groups, [])
    assert [(p.left.record_id, p.right.record_id) for p in told.pairs] == [
        max(
            (("crm:same-1", "crm:same-3"), ("crm:same-2", "crm:same-3")),
            key=lambda ends: (world.pair(*ends)[0]["weight_bits"], ends),
        )
    ]


@pytest.mark.parametrize(("kind", "groups", "suggested"), CASES)
def test_facts_come_back_from_json_and_are_said_in_both_languages(
    world: Evidence, kind, groups, suggested
) -> None:
    told = explain.case(world, kind, groups, suggested)
    text = stored.dumps(told)
    back = stored.restored(CaseFacts, json.loads(text))
    assert stored.dumps(back) == text
    assert back == told
    for language in ("en", "zh"):
        assert stored.said(json.loads(text), language) == plain(told, language)
        for pair in back.pairs:
            assert say(pair.verdict, language) in svg.waterfall(pair, language)
        assert graph_svg.graph(back.graph, 0.0, language).startswith("<svg")


def test_values_are_counted_at_once_as_one_by_one(world: Evidence) -> None:
    found = counted(world, world.features)
    rows = world.features.to_pylist()
    seen = 0
    for left, right in combinations(rows, 2):
        if left["customer_type"] == right["customer_type"]:
            for field, one in frequency.frequencies(world, left, right).items():
                at = [n for key, n in found.items() if key[0] == left["customer_type"]]
                assert (one.records, one.customers) in at, field
                seen += 1
    assert seen > 50


READINGS = st.text(alphabet="ab é", max_size=6)


@given(texts=st.lists(st.one_of(st.none(), READINGS), max_size=8), asked=st.lists(READINGS))
def test_a_name_that_begins_as_asked_is_always_found(texts, asked) -> None:
    values = surnames_and_initials(pa.array(asked, pa.string()))
    values = values.filter(pc.not_equal(values, ""))
    names = pa.array(["left out", *texts], pa.string()).slice(1)
    found = frequency._beginning_like(names, values).to_pylist()
    shortened = surnames_and_initials(pc.fill_null(names, "")).to_pylist()
    held = {place for place, one in enumerate(shortened) if one in values.to_pylist()}
    assert held <= set(found)
