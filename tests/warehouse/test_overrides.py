"""A pinned value stays until somebody takes it back, and is asked about when its ground moves."""

import pytest

from onefold.errors import CaseTaken, DecisionConflict, WarehouseError
from warehouse import cases, decisions, judgements, overrides
from warehouse.review_tables import judgement
from warehouse.tables import crosswalk


@pytest.fixture
def pinned(world):
    """A customer of two records whose name was set by hand."""
    world.put("erp", {"1": "Ann Lee"})
    world.put("crm", {"1": "Anne Lee", "2": "Bob"})
    world.publish([["erp:1", "crm:1"], ["crm:2"]])
    golden = {row["record_id"]: row["golden_id"] for row in world.rows(crosswalk)}
    done = overrides.override(
        world.wh, golden["erp:1"], "name", "Anna Lee", "ann", reason="her passport"
    )
    return world, golden["erp:1"], done


def _again(world):
    world.publish([["erp:1", "crm:1"], ["crm:2"]])
    return cases.queue(world.wh).rows


def test_a_pinned_value_is_a_judgement_with_one_decision(pinned):
    world, golden_id, done = pinned
    (row,) = decisions.read(world.wh).to_pylist()
    assert (row["kind"], row["golden_id"], row["field"], row["value"]) == (
        "override", golden_id, "name", "Anna Lee"
    )  # fmt: skip
    assert done.decision_ids == (row["decision_id"],)
    assert [one["kind"] for one in world.rows(judgement)] == ["override"]
    assert _again(world) == []


def test_another_value_is_refused_unless_it_names_the_one_it_replaces(pinned):
    world, golden_id, done = pinned
    with pytest.raises(DecisionConflict, match="another value was decided") as told:
        overrides.override(world.wh, golden_id, "name", "Anja", "bob", reason="he said")
    assert [one.decided_by for one in told.value.chain] == ["ann"]
    (old,) = done.decision_ids
    overrides.override(world.wh, golden_id, "name", "Anja", "bob", reason="he said", replaces=old)
    assert [row["value"] for row in decisions.read(world.wh).to_pylist()] == ["Anja"]
    with pytest.raises(DecisionConflict, match="no such field"):
        overrides.override(world.wh, golden_id, "shoe_size", "43", "bob", reason="x")


def test_records_that_say_something_else_put_it_back_in_the_queue_until_confirmed(pinned):
    world, golden_id, done = pinned
    world.put("erp", {"1": "Ann Li"})
    (row,) = _again(world)
    assert (row.kind, row.golden_ids, row.reason) == ("override", [golden_id], "evidence_changed")
    told = cases.get(world.wh, row.case_id).evidence
    assert told["before"] == {"crm:1": "Anne Lee", "erp:1": "Ann Lee"}
    assert told["now"] == {"crm:1": "Anne Lee", "erp:1": "Ann Li"}
    assert told["value"] == "Anna Lee"
    assert [one.case_id for one in _again(world)] == [row.case_id]
    (old,) = done.decision_ids
    overrides.override(
        world.wh, golden_id, "name", "Anna Lee", "ann", reason="still so",
        replaces=old, case_id=row.case_id, version=row.version,
    )  # fmt: skip
    assert cases.queue(world.wh).rows == []
    with pytest.raises(CaseTaken):
        overrides.withdraw(
            world.wh, old, "bob", reason="no", case_id=row.case_id, version=row.version
        )
    assert _again(world) == []
    assert decisions.read(world.wh).num_rows == 1


def test_a_withdrawn_value_is_asked_about_no_more(pinned):
    world, _, done = pinned
    world.put("erp", {"1": "Ann Li"})
    (row,) = _again(world)
    (old,) = done.decision_ids
    overrides.withdraw(world.wh, old, "bob", reason="it was right before", case_id=row.case_id)
    assert decisions.read(world.wh).num_rows == 0
    assert _again(world) == []
    with pytest.raises(WarehouseError, match="no such override"):
        overrides.withdraw(world.wh, old, "bob", reason="again")
    with pytest.raises(DecisionConflict, match="undone by bob"):
        judgements.undo(world.wh, done.judgement_id, "bob", "again")


def test_records_that_only_repeat_a_value_change_nothing(pinned):
    world, *_ = pinned
    world.put("web", {"9": "Ann Lee"})
    world.publish([["erp:1", "crm:1", "web:9"], ["crm:2"]])
    assert cases.queue(world.wh).rows == []
