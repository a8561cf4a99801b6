"""A golden customer with its origin, history and decisions."""

import pytest

from onefold.errors import WarehouseError
from warehouse import customers, decisions
from warehouse.tables import golden_customer


def _ids(world):
    return {row["name"]: row["golden_id"] for row in world.rows(golden_customer)}


def test_values_records_and_origins_are_those_published(world):
    world.put("erp", {"1": "张伟"})
    world.put("crm", {"9": "张伟"}, {"source_key": "9"})
    world.publish([["erp:1", "crm:9"]])
    found = customers.get(world.wh, _ids(world)["张伟"])
    assert found.values["name"] == "张伟"
    assert found.values["phones"] == ["+8613800138000"]
    assert found.values["attributes"] == {"tier": "gold"}
    assert {one["record_id"] for one in found.records} == {"erp:1", "crm:9"}
    assert found.record_count == 2
    assert {(one.source, one.source_key) for one in found.origins["name"]} <= {
        ("erp", "1"),
        ("crm", "9"),
    }
    assert [one["rule"] for one in found.findings] == ["phone_too_short"]
    assert set(found.synced_at) == {"erp", "crm"}
    assert customers.brief(world.wh, [found.golden_id])[found.golden_id]["name"] == "张伟"


def test_the_timeline_tells_what_changed_and_what_was_absorbed(world):
    world.put("erp", {"1": "张伟", "2": "章伟"})
    world.publish([["erp:1"], ["erp:2"]])
    before = _ids(world)
    world.publish([["erp:1", "erp:2"]])
    world.put("erp", {"1": "张玮", "2": "张玮"})
    world.publish([["erp:1", "erp:2"]])
    (live,) = _ids(world).values()
    (retired,) = set(before.values()) - {live}
    found = customers.get(world.wh, retired)
    assert (found.golden_id, found.asked_id, found.former_ids) == (live, retired, [retired])
    kinds = [one.kind for one in found.timeline]
    assert "absorbed" in kinds
    assert kinds.count("version") >= 2
    latest = next(one for one in found.timeline if one.kind == "version")
    assert latest.detail.differs["name"][1] == "张玮"
    times = [one.at for one in found.timeline]
    assert times == sorted(times, reverse=True)


def test_decisions_on_its_records_are_told_revoked_ones_in_the_timeline_only(world):
    world.put("erp", {"1": "张伟", "2": "章伟"})
    world.publish([["erp:1", "erp:2"]])
    (live,) = _ids(world).values()
    kept = decisions.add(
        world.wh, "link", left_id="erp:1", right_id="erp:2", reason="same", decided_by="ann"
    )
    other = decisions.add(
        world.wh, "override", golden_id=live, field="name", value="张伟", reason="x", decided_by="b"
    )
    decisions.revoke(world.wh, other, revoked_by="bob", reason="no")
    found = customers.get(world.wh, live)
    assert [one["decision_id"] for one in found.decisions] == [kept]
    assert [one.kind for one in found.timeline if one.kind in {"decision", "revoked"}].count(
        "decision"
    ) == 2
    assert "revoked" in [one.kind for one in found.timeline]


def test_a_customer_whose_records_are_gone_has_ended(world):
    world.put("erp", {"1": "张伟", "2": "李娜"})
    world.publish([["erp:1"], ["erp:2"]])
    gone = _ids(world)["张伟"]
    world.put("erp", {"2": "李娜"})
    world.publish([["erp:2"]])
    found = customers.get(world.wh, gone)
    assert isinstance(found, customers.Ended)
    assert "retired" in [one.kind for one in found.timeline]


def test_an_id_that_never_was_is_an_error(world):
    with pytest.raises(WarehouseError, match="never published"):
        customers.get(world.wh, "G0000000099")


def test_relations_name_the_other_side(world):
    world.put("erp", {"1": "张伟"})
    world.put("crm", {"9": "华东科技"}, customer_type="organization")
    world.publish([["erp:1"], ["crm:9"]])
    ids = _ids(world)
    world.publish(
        [["erp:1"], ["crm:9"]],
        relations=[
            {
                "person_id": ids["张伟"],
                "organization_id": ids["华东科技"],
                "kind": "works_at",
                "basis": "employer",
                "person_record_id": "erp:1",
                "organization_record_id": "crm:9",
            }
        ],
    )
    (one,) = customers.get(world.wh, ids["张伟"]).relations
    assert (one["name"], one["is_person"], one["kind"]) == ("华东科技", False, "works_at")
    (one,) = customers.get(world.wh, ids["华东科技"]).relations
    assert (one["name"], one["is_person"]) == ("张伟", True)
