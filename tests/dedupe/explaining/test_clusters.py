"""What a cluster hangs on, what is near it, and its graph."""

from dataclasses import replace

import pytest

from dedupe import explain
from dedupe.explain import Evidence
from dedupe.explaining import clusters
from dedupe.explaining.messages import say


def test_a_cluster_that_hangs_on_one_telephone_says_so(matched, records) -> None:
    two = [records[0], dict(records[2]) | {"name": "钱青涵", "name_key": "钱青涵"}]
    two[1] |= {"given_name": "青涵"}
    evidence = matched(two)
    found = explain.cluster(evidence, "crm:same-1")
    assert found.weakest is not None
    losses = {loss.field: loss.parts for loss in found.weakest.losses}
    assert losses["phone"] == (("crm:same-1",), ("crm:same-3",))
    assert losses[""] == losses["phone"]
    said = [say(reason) for reason in found.reasons]
    assert "Without the evidence “Telephone”: 2 customers, of 1 + 1 records." in said


def test_a_check_of_all_fields_is_not_evidence_that_may_be_missing(world: Evidence) -> None:
    pair = explain.pair(world, "crm:same-1", "crm:same-2")
    check = replace(pair.steps[-1], kind="check", field="check_bits", bits=9.0)
    supporting = clusters._supporting(replace(pair, steps=(*pair.steps, check)))
    assert supporting == clusters._supporting(pair) != []


def test_a_cluster_with_much_evidence_hangs_on_nothing_alone(world: Evidence) -> None:
    found = explain.cluster(world, "crm:same-1")
    assert [record.record_id for record in found.records] == [f"crm:same-{n}" for n in (1, 2, 3)]
    assert found.golden_id == "G0000000001" and found.weakest is not None
    pair = next(loss for loss in found.weakest.losses if not loss.field)
    assert len(pair.parts) == 1
    assert {*found.weakest.left_ids, *found.weakest.right_ids} == {
        record.record_id for record in found.records
    }


def test_the_weakest_link_is_the_joint_with_the_lowest_mean(matched, records) -> None:
    moved = dict(records[2]) | {"phones": ["+8613900000077"], "phone_keys": ["+8613900000077"]}
    moved |= {"record_id": "crm:moved", "source_key": "moved"}
    evidence = matched([records[0], records[1], moved], ("link", "crm:moved", "crm:same-2"))
    found = explain.cluster(evidence, "crm:moved")
    assert found.weakest is not None
    assert found.weakest.pair.left.record_id != found.weakest.pair.right.record_id
    assert "Some of its records were linked by a steward." in [say(r) for r in found.reasons]


def test_a_single_record_has_no_weakest_link(world: Evidence) -> None:
    found = explain.cluster(world, "crm:alone")
    assert found.weakest is None and len(found.records) == 1
    assert "One record" in say(found.verdict)


def test_records_that_only_decisions_hold_together_have_no_weakest_link(matched, records) -> None:
    evidence = matched(records, ("link", "crm:alone", "crm:low-1"))
    found = explain.cluster(evidence, "crm:alone")
    assert found.weakest is None and len(found.records) == 2
    assert "decisions" in say(found.verdict)


def test_an_unknown_cluster_is_refused(world: Evidence) -> None:
    with pytest.raises(KeyError):
        explain.cluster(world, "crm:nobody")


def test_nearest_others_are_the_strongest_pairs_outside(world: Evidence) -> None:
    near = explain.near(world, ["crm:born-1"])
    assert [one.record.record_id for one in near] == ["crm:born-2"]
    assert near[0].veto == "birth_date" and not near[0].together
    bits = [one.weight_bits for one in explain.near(world, ["crm:desk-00"], limit=5)]
    assert bits == sorted(bits, reverse=True) and len(bits) == 5
    assert explain.near(world, ["crm:same-1", "crm:same-2", "crm:same-3"]) == ()


def test_a_graph_has_every_record_and_what_was_found_between_them(matched, records) -> None:
    evidence = matched(records, ("no_link", "crm:alone", "crm:same-1"))
    ids = ["crm:alone", *(f"crm:same-{n}" for n in (1, 2, 3))]
    graph = explain.graph(evidence, ids)
    assert [node.record_id for node in graph.nodes] == ids
    edges = {(one.left_id, one.right_id): one for one in graph.edges}
    assert edges["crm:alone", "crm:same-1"].decision == "no_link"
    assert edges["crm:alone", "crm:same-1"].weight_bits is None
    inside = evidence.pairs_between(ids, ids).to_pylist()
    for row in inside:
        assert edges[row["left_id"], row["right_id"]].weight_bits == row["weight_bits"]
    assert len(edges) == len(inside) + 1
    assert sum(one.weakest for one in graph.edges) == 1
