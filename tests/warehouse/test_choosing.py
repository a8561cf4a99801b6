"""Why a published value is what it is, told of the published customer."""

from dedupe.explaining.messages import say
from dedupe.survivorship import Policy
from warehouse import choosing, customers, overrides
from warehouse.tables import crosswalk


def test_published_values_are_told_with_their_losers_and_who_pinned_one(world):
    world.put("erp", {"1": "Ann Lee"}, city="Hull")
    world.put("crm", {"1": "Anne Lee"}, city="York")
    world.publish([["erp:1", "crm:1"]])
    golden_id = world.rows(crosswalk)[0]["golden_id"]
    found = customers.get(world.wh, golden_id)
    told = {one.head: one for one in choosing.of(found, Policy())}
    assert all(choosing.stands(one, found) for one in told.values())
    assert told["name"].values["name"] == found.values["name"] == "Anne Lee"
    assert [lost.claim.record_id for lost in told["name"].lost] == ["erp:1"]
    overrides.override(world.wh, golden_id, "name", "Anna Lee", "lina", reason="her passport")
    found = customers.get(world.wh, golden_id)
    told = {one.head: one for one in choosing.of(found, Policy())}
    assert say(told["name"].sentence) == "Name set by lina"
    assert told["name"].pins[0].reason == "her passport"
    assert [one.head for one in told.values() if not choosing.stands(one, found)] == ["name"]
