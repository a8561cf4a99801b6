"""Stewards' decisions: kept, revoked, and never in contradiction."""

from datetime import UTC, datetime

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.errors import DecisionConflict, WarehouseError
from warehouse import decisions
from warehouse.review_tables import case_state, decision

WHO = {"decided_by": "ann", "reason": "same phone, same street"}


def _link(wh, left, right, kind="link"):
    return decisions.add(wh, kind, left_id=left, right_id=right, **WHO)


def test_a_decision_is_read_as_it_was_made(warehouse):
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    first = decisions.add(
        warehouse, "link", left_id="erp:2", right_id="crm:1", decided_at=at, **WHO
    )
    second = decisions.add(
        warehouse, "override", golden_id="G1", field="name", value=None, decided_at=at, **WHO
    )
    found = decisions.read(warehouse)
    assert found.schema == decisions.DECISIONS_SCHEMA
    empty = dict.fromkeys(found.column_names)
    assert found.to_pylist() == [
        {**empty, **WHO, "decision_id": first, "kind": "link", "left_id": "crm:1",
         "right_id": "erp:2", "decided_at": at},
        {**empty, **WHO, "decision_id": second, "kind": "override", "golden_id": "G1",
         "field": "name", "decided_at": at},
    ]  # fmt: skip


def test_no_decisions_read_as_an_empty_table(warehouse):
    found = decisions.read(warehouse)
    assert (found.num_rows, found.schema) == (0, decisions.DECISIONS_SCHEMA)


def test_a_revoked_decision_is_out_of_force_and_on_record(world):
    made = _link(world.wh, "a:1", "b:1")
    decisions.revoke(world.wh, made, revoked_by="bob", reason="two brothers")
    assert decisions.read(world.wh).num_rows == 0
    (row,) = world.rows(decision)
    assert (row["revoked_by"], row["revoked_reason"]) == ("bob", "two brothers")
    assert row["revoked_at"] is not None
    with pytest.raises(DecisionConflict, match="it is revoked already"):
        decisions.revoke(world.wh, made, revoked_by="bob", reason="two brothers")
    again = _link(world.wh, "a:1", "b:1")
    assert again != made


def test_the_same_decision_twice_is_one(world):
    made = _link(world.wh, "a:1", "b:1")
    assert _link(world.wh, "b:1", "a:1") == made
    assert len(world.rows(decision)) == 1


def test_an_unknown_decision_cannot_be_revoked(warehouse):
    with pytest.raises(WarehouseError, match="decision D9: there is no such decision"):
        decisions.revoke(warehouse, "D9", revoked_by="bob", reason="wrong")


def test_evidence_is_kept(world):
    seen = {"probability": 0.71, "records": ["erp:1", "crm:1"], "name": "张伟"}
    decisions.add(world.wh, "link", left_id="a:1", right_id="b:1", evidence=seen, **WHO)
    assert world.rows(decision)[0]["evidence"] == seen


def test_no_link_against_a_chain_of_links_names_the_chain(warehouse):
    chain = [_link(warehouse, "a:1", "b:1"), _link(warehouse, "b:1", "c:1")]
    _link(warehouse, "x:1", "y:1")
    with pytest.raises(DecisionConflict) as caught:
        _link(warehouse, "a:1", "c:1", "no_link")
    assert caught.value.found == ", ".join(chain)
    assert decisions.read(warehouse).num_rows == 3


def test_link_that_would_join_a_no_link_pair_names_the_way(warehouse):
    ids = [
        _link(warehouse, "b:1", "a:1"),
        _link(warehouse, "b:1", "c:1", "no_link"),
        _link(warehouse, "c:1", "d:1"),
    ]
    with pytest.raises(DecisionConflict) as caught:
        _link(warehouse, "a:1", "d:1")
    assert sorted(caught.value.found.split(", ")) == ids
    decisions.revoke(warehouse, ids[1], revoked_by="bob", reason="they are one")
    _link(warehouse, "a:1", "d:1")


def test_another_value_for_an_overridden_field_is_a_conflict(warehouse):
    def override(value, field="name"):
        return decisions.add(warehouse, "override", golden_id="G1", field=field, value=value, **WHO)

    made = override("Ann")
    assert override("Ann") == made
    assert override("Ann", "city") != made
    with pytest.raises(DecisionConflict, match=f"another value was decided .found decision {made}"):
        override("Anne")
    decisions.revoke(warehouse, made, revoked_by="bob", reason="misspelt")
    assert override("Anne") != made


@pytest.mark.parametrize(
    ("kind", "given_", "said"),
    [
        ("link", {"left_id": "a:1", "right_id": "b:1", "reason": " "}, "it has no reason"),
        ("link", {"left_id": "a:1", "right_id": "b:1", "decided_by": ""}, "nobody decided it"),
        ("link", {"left_id": "a:1"}, "two different records"),
        ("no_link", {"left_id": "a:1", "right_id": "a:1"}, "two different records"),
        ("override", {"field": "name"}, "names no golden customer"),
        ("override", {"golden_id": "G1", "field": "name_key"}, "no such field"),
        ("merge", {}, "no such kind"),
    ],
)
def test_incomplete_decisions_are_refused(world, kind, given_, said):
    with pytest.raises(DecisionConflict, match=said):
        decisions.add(world.wh, kind, **{**WHO, **given_})
    assert world.rows(decision) == []


def test_a_revocation_says_who_and_why(warehouse):
    made = _link(warehouse, "a:1", "b:1")
    with pytest.raises(DecisionConflict, match="nobody revokes it"):
        decisions.revoke(warehouse, made, revoked_by="", reason="x")
    with pytest.raises(DecisionConflict, match="it has no reason"):
        decisions.revoke(warehouse, made, revoked_by="bob", reason="")
    assert decisions.read(warehouse).num_rows == 1


def test_what_became_of_a_case_names_a_judgement_that_is_there(world):
    state = {"state": "decided", "changed_by": "ann", "changed_at": datetime.now(UTC), "version": 1}
    with (
        pytest.raises(WarehouseError, match="refuses"),
        world.wh.write("review") as connection,
    ):
        connection.execute(case_state.insert().values(case_id="C1", judgement_id="J9", **state))


RECORD = st.sampled_from(["a:1", "b:1", "c:1", "d:1", "e:1"])
STEP = st.tuples(st.sampled_from(["link", "no_link"]), RECORD, RECORD).filter(
    lambda step: step[1] != step[2]
)


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(STEP, max_size=10))
def test_decisions_in_force_never_contradict_and_only_those_are_refused(world, steps):
    """Against networkx: a set is free of contradiction if no component holds a no_link pair."""
    world.clear()
    held = []

    def consistent(some):
        graph = nx.Graph((left, right) for kind, left, right in some if kind == "link")
        graph.add_nodes_from(record for step in some for record in step[1:])
        return not any(
            nx.has_path(graph, left, right) for kind, left, right in some if kind == "no_link"
        )

    for step in steps:
        try:
            _link(world.wh, step[1], step[2], step[0])
        except DecisionConflict:
            assert not consistent([*held, step])
        else:
            held.append(step)
            assert consistent(held)
