"""Repairs: one per finding, in force until taken back, bound to the value as it was read."""

import pytest

from onefold.errors import DecisionConflict, NotThere
from rules.repairs import REPAIRS_SCHEMA, raw_hash
from warehouse import audit, findings, quarantine, repairs, staged
from warehouse.findings import Filter
from warehouse.review_tables import repair


def _put(world, count=1, source="erp", **more):
    """So many findings of one rule."""
    found = [{"source_key": f"{n:03d}", "raw_value": f"12{n}", **more} for n in range(count)]
    world.put(source, {f"{n:03d}": "a" for n in range(count)}, *found)
    return quarantine.read(world.wh, source)["quarantine_id"].to_pylist()


def test_a_repair_is_in_force_for_its_record_and_the_value_as_read(world):
    [finding] = _put(world)
    made = repairs.add(world.wh, finding, "value", "li.na", value=" 13800000001 ", reason=" asked ")
    table = repairs.in_force(world.wh, "erp")
    assert table.schema.equals(REPAIRS_SCHEMA)
    assert table.to_pylist() == [
        {
            "repair_id": made,
            "source_key": "000",
            "field": "phones",
            "rule": "phone_too_short",
            "kind": "value",
            "value": "13800000001",
            "raw_hash": raw_hash("120"),
        }
    ]
    assert repairs.in_force(world.wh, "crm").num_rows == 0
    [told] = repairs.listed(world.wh, quarantine_id=finding)
    assert (told.state, told.reason, told.repaired_by) == ("waiting", "asked", "li.na")


def test_a_repair_that_is_taken_back_is_kept_and_not_in_force(world):
    [finding] = _put(world)
    made = repairs.add(world.wh, finding, "accept", "li.na")
    assert repairs.undo(world.wh, made, "wang.wei") == 1
    assert repairs.in_force(world.wh, "erp").num_rows == 0
    [told] = repairs.listed(world.wh)
    assert (told.repair_id, told.state, told.undone_by) == (made, "undone", "wang.wei")
    with pytest.raises(DecisionConflict, match="undone already"):
        repairs.undo(world.wh, made, "wang.wei")
    with pytest.raises(NotThere):
        repairs.undo(world.wh, "R000099", "wang.wei")
    assert repairs.add(world.wh, finding, "accept", "li.na") > made


def test_a_finding_is_dealt_with_once(world):
    [finding] = _put(world)
    repairs.add(world.wh, finding, "accept", "li.na")
    with pytest.raises(DecisionConflict, match=r"dealt with already.*li\.na"):
        repairs.add(world.wh, finding, "value", "wang.wei", value="1")
    assert len(world.rows(repair)) == 1


def test_a_whole_record_has_no_value_to_mend(world):
    [finding] = _put(world, field=None, whole_record=True)
    with pytest.raises(DecisionConflict, match="accepted only"):
        repairs.add(world.wh, finding, "value", "li.na", value="1")
    assert repairs.add(world.wh, finding, "accept", "li.na")
    assert world.rows(repair)[0]["field"] is None


def test_what_is_not_found_any_more_or_never_was_cannot_be_repaired(world):
    [finding] = _put(world)
    world.put("erp", {"000": "a"})
    with pytest.raises(DecisionConflict, match="not found any more"):
        repairs.add(world.wh, finding, "accept", "li.na")
    with pytest.raises(NotThere):
        repairs.add(world.wh, "x", "accept", "li.na")


def test_every_change_leaves_an_event_without_values(world):
    [finding] = _put(world)
    made = repairs.add(world.wh, finding, "value", "li.na", value="13800000001")
    repairs.undo(world.wh, made, "li.na")
    repairs.accept_all(world.wh, Filter(), "li.na", 1)
    events = audit.show(world.wh)
    assert [one.action for one in events] == ["accept_findings", "undo_repair", "repair_value"]
    assert audit.verify(world.wh).ok
    assert not any("13800000001" in str(one.detail) or "120" in str(one.detail) for one in events)


def test_many_are_accepted_by_filter_and_taken_back_in_one_act(world):
    ids = _put(world, 7)
    _put(world, 2, source="crm")
    repairs.add(world.wh, ids[3], "value", "li.na", value="1")
    with pytest.raises(DecisionConflict, match="not as many"):
        repairs.accept_all(world.wh, Filter(source="erp"), "li.na", 7)
    act, count = repairs.accept_all(world.wh, Filter(source="erp", state=None), "li.na", 6)
    assert count == 6
    assert repairs.in_force(world.wh, "erp").num_rows == 7
    assert repairs.in_force(world.wh, "crm").num_rows == 0
    assert findings.page(world.wh, Filter(source="erp")).rows == []
    assert repairs.undo(world.wh, act, "li.na") == 6
    assert repairs.in_force(world.wh, "erp")["kind"].to_pylist() == ["value"]
    assert len(findings.page(world.wh, Filter(source="erp")).rows) == 6


def test_a_staging_says_which_repairs_it_used_and_which_found_nothing(world):
    first, second, third = _put(world, 3)
    made = [repairs.add(world.wh, one, "accept", "li.na") for one in (first, second)]
    sync = world.sync(3)
    sync.manifest["repairs"] = {"last": made[1], "overtaken": [made[0]]}
    staged.replace(world.wh, "erp", world.records("erp", {"000": "b"}), world.findings("erp"), sync)
    world.put("crm", {}, {})
    made.append(repairs.add(world.wh, quarantine.read(world.wh, "crm")["quarantine_id"][0].as_py(),
                            "accept", "li.na"))  # fmt: skip
    states = {one.repair_id: one.state for one in repairs.listed(world.wh)}
    assert states == {made[0]: "overtaken", made[1]: "used", made[2]: "waiting"}
    assert [one.repair_id for one in repairs.listed(world.wh, after=made[1])] == [made[0]]
    assert third


def test_findings_are_paged_through_once_each_and_counted_by_state(world):
    ids = _put(world, 7)
    _put(world, 3, source="crm", rule="email_syntax", field="emails", severity="warning")
    repairs.add(world.wh, ids[0], "accept", "li.na")
    seen, after = [], None
    while True:
        page = findings.page(world.wh, Filter(), after, 4)
        seen += [one.quarantine_id for one in page.rows]
        if (after := page.after) is None:
            break
    assert len(seen) == len(set(seen)) == 9
    assert ids[0] not in seen
    counted = {(one.source, one.rule): one.findings for one in findings.counts(world.wh)}
    assert counted == {("erp", "phone_too_short"): 6, ("crm", "email_syntax"): 3}
    waiting = findings.page(world.wh, Filter(state="waiting")).rows
    assert [(one.quarantine_id, one.kind) for one in waiting] == [(ids[0], "accept")]
    assert [one.findings for one in findings.counts(world.wh, Filter(state="waiting"))] == [1]
    assert [one.findings for one in findings.counts(world.wh, Filter(state=None))] == [7, 3]
    chosen = Filter(source="crm", severity="warning", field="emails", rule="email_syntax")
    assert len(findings.page(world.wh, chosen).rows) == 3
    assert findings.page(world.wh, Filter(field="")).rows == []


def test_the_neighbors_of_a_finding_are_of_its_filter_and_errors_come_first(world):
    ids = sorted(_put(world, 4))
    _put(world, 2, source="crm", severity="warning")
    warned = sorted(quarantine.read(world.wh, "crm")["quarantine_id"].to_pylist())
    repairs.add(world.wh, ids[1], "accept", "li.na")

    def around(name, wanted=None):
        return findings.neighbors(world.wh, wanted or Filter(), findings.get(world.wh, name))

    assert around(ids[2]) == (ids[0], ids[3])
    assert around(ids[0]) == (None, ids[2])
    assert around(ids[3]) == (ids[2], warned[0])
    assert around(ids[3], Filter(source="erp")) == (ids[2], None)
    assert around(warned[1]) == (warned[0], None)
    listed = [one.quarantine_id for one in findings.page(world.wh, Filter(state=None)).rows]
    assert listed == [*ids, *warned]


def test_a_finding_tells_its_repair(world):
    [finding] = _put(world)
    made = repairs.add(world.wh, finding, "value", "li.na", value="13800000001")
    found = findings.get(world.wh, finding)
    assert (found.state, found.repair_id, found.value) == ("waiting", made, "13800000001")
    assert [one.quarantine_id for one in findings.of_record(world.wh, "erp:000")] == [finding]
    with pytest.raises(NotThere):
        findings.get(world.wh, "x")
