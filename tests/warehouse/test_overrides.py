"""A pinned value stays until somebody takes it back, and is asked about when its ground moves."""

import pytest

from onefold.errors import CaseTaken, DecisionConflict, WarehouseError
from warehouse import cases, decisions, judgements, overrides
from warehouse.judgements import Terms
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


def test_undoing_what_took_a_pinned_values_place_puts_that_value_back(pinned):
    world, golden_id, done = pinned
    (old,) = done.decision_ids
    later = overrides.override(
        world.wh, golden_id, "name", "Anja", "bob", reason="he said", replaces=old
    )
    back = judgements.get(world.wh, later.judgement_id)["puts_back"]
    assert back == {"decision_id": old, "value": "Anna Lee"}
    assert judgements.undo(world.wh, later.judgement_id, "bob", "a slip") == 1
    (row,) = decisions.read(world.wh).to_pylist()
    assert (row["value"], row["decided_by"], row["reason"]) == ("Anna Lee", "ann", "her passport")
    first = judgements.get(world.wh, done.judgement_id)
    assert (first["state"], first["undone_by"], first["decision_count"]) == ("in_force", None, 1)
    assert _again(world) == [], "it holds for what the records said when it was pinned"
    judgements.undo(world.wh, done.judgement_id, "ann", "no passport after all")
    assert decisions.read(world.wh).num_rows == 0


def test_a_value_that_was_kept_by_mistake_can_be_judged_again_after_undoing(pinned):
    world, golden_id, done = pinned
    (old,) = done.decision_ids
    world.put("erp", {"1": "Ann Li"})
    (row,) = _again(world)

    def keep(version):
        return overrides.override(
            world.wh, golden_id, "name", "Anna Lee", "bob", reason="still so",
            replaces=old, case_id=row.case_id, version=version,
        )  # fmt: skip

    judgements.undo(world.wh, keep(row.version).judgement_id, "bob", "a slip")
    again = cases.row(world.wh, row.case_id)
    assert again.state == "open"
    keep(again.version)
    assert decisions.read(world.wh).num_rows == 1
    assert _again(world) == []


def test_a_value_that_was_put_back_is_withdrawn_by_the_name_that_pages_know(pinned):
    world, golden_id, done = pinned
    (old,) = done.decision_ids
    later = overrides.override(world.wh, golden_id, "name", "Anja", "bob", reason="x", replaces=old)
    with pytest.raises(WarehouseError, match="no such override"):
        overrides.withdraw(world.wh, old, "bob", reason="another one is in force")
    judgements.undo(world.wh, later.judgement_id, "bob", "a slip")
    overrides.withdraw(world.wh, old, "bob", reason="no longer right")
    assert decisions.read(world.wh).num_rows == 0


def test_a_value_settles_no_case_that_asks_about_records(pinned):
    world, golden_id, done = pinned
    (old,) = done.decision_ids
    doubt = {"left_id": "crm:2", "right_id": "erp:1", "probability": 0.4}
    doubt |= {"kind": "merge", "reason": "likely"}
    world.publish([["erp:1", "crm:1"], ["crm:2"]], suggestions=[doubt])
    (row,) = cases.queue(world.wh).rows
    assert row.kind == "merge"
    with pytest.raises(DecisionConflict, match="asks about records"):
        overrides.override(
            world.wh, golden_id, "city", "Ulm", "bob", reason="he said", case_id=row.case_id
        )
    with pytest.raises(DecisionConflict, match="asks about records"):
        overrides.withdraw(world.wh, old, "bob", reason="no", case_id=row.case_id)
    with pytest.raises(CaseTaken, match="settled"):
        overrides.withdraw(world.wh, old, "bob", reason="no", case_id="C0")
    assert cases.row(world.wh, row.case_id).state == "open"


def test_records_that_only_repeat_a_value_change_nothing(pinned):
    world, *_ = pinned
    world.put("web", {"9": "Ann Lee"})
    world.publish([["erp:1", "crm:1", "web:9"], ["crm:2"]])
    assert cases.queue(world.wh).rows == []


def _values(world):
    return [row["value"] for row in decisions.read(world.wh).to_pylist()]


def _dear(world, golden_id, value, login, **more):
    return overrides.override(
        world.wh, golden_id, "name", value, login, reason="her passport", terms=Terms(0.5), **more
    )


def test_a_value_of_a_dear_customer_waits_and_what_it_replaces_holds_meanwhile(pinned):
    world, golden_id, done = pinned
    (old,) = done.decision_ids
    made = _dear(world, golden_id, "Anja", "bob", replaces=old)
    assert (made.state, made.decision_ids, _values(world)) == ("waiting", (), ["Anna Lee"])
    assert judgements.get(world.wh, made.judgement_id)["pinned"] == {
        "golden_id": golden_id, "field": "name", "value": "Anja"
    }  # fmt: skip
    with pytest.raises(DecisionConflict, match="another one than the first"):
        judgements.approve(world.wh, made.judgement_id, "bob")
    (now,) = judgements.approve(world.wh, made.judgement_id, "cy").decision_ids
    (row,) = decisions.read(world.wh).to_pylist()
    assert (row["decision_id"], row["value"], row["decided_by"]) == (now, "Anja", "bob")
    assert judgements.get(world.wh, done.judgement_id)["state"] == "undone"


def test_a_value_that_is_refused_was_never_in_force(pinned):
    world, golden_id, done = pinned
    made = _dear(world, golden_id, "Anja", "bob", replaces=done.decision_ids[0])
    judgements.refuse(world.wh, made.judgement_id, "cy")
    assert _values(world) == ["Anna Lee"]


def test_a_value_that_waited_while_another_came_in_force_is_refused_with_that_one(pinned):
    world, golden_id, done = pinned
    made = _dear(world, golden_id, "Anja", "bob", replaces=done.decision_ids[0])
    overrides.override(
        world.wh, golden_id, "name", "Ann", "dan", reason="he said", replaces=done.decision_ids[0]
    )
    with pytest.raises(DecisionConflict, match="another value was decided") as told:
        judgements.approve(world.wh, made.judgement_id, "cy")
    assert [one.decided_by for one in told.value.chain] == ["dan"]
    assert _values(world) == ["Ann"]


def test_a_customer_of_one_source_is_not_dear(pinned):
    world, *_ = pinned
    (other,) = (row["golden_id"] for row in world.rows(crosswalk) if row["record_id"] == "crm:2")
    assert _dear(world, other, "Bobby", "bob").state == "in_force"


def test_a_value_in_question_that_is_kept_waits_too(pinned):
    world, golden_id, done = pinned
    world.put("erp", {"1": "Ann Li"})
    (row,) = _again(world)
    made = _dear(
        world, golden_id, "Anna Lee", "bob", replaces=done.decision_ids[0], case_id=row.case_id
    )
    assert cases.row(world.wh, row.case_id).state == "waiting"
    with pytest.raises(CaseTaken):
        overrides.withdraw(
            world.wh, done.decision_ids[0], "dan", reason="no", case_id=row.case_id, version=1
        )
    judgements.approve(world.wh, made.judgement_id, "cy")
    assert cases.row(world.wh, row.case_id).state == "decided"
    assert _again(world) == []
