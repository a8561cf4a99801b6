"""Findings stay until they are repaired or accepted."""

import pyarrow as pa
import pytest

from rules.quarantine import QUARANTINE_SCHEMA
from warehouse import quarantine, staged, staged_records


def _ids(world, status="open", source=None):
    return quarantine.read(world.wh, source, status)["quarantine_id"].to_pylist()


def test_findings_are_read_as_they_were_written(world):
    found = {"source_key": "7", "raw_value": None, "field": None, "whole_record": True}
    world.put("erp", {"1": "a"}, found)
    expected = world.findings("erp", found)
    assert quarantine.read(world.wh).select(QUARANTINE_SCHEMA.names).equals(expected)


def test_a_finding_keeps_its_id_and_the_sync_that_saw_it_first(world):
    world.put("erp", {"1": "a"}, {"raw_value": "123"})
    before = quarantine.read(world.wh).to_pylist()
    changes = world.put("erp", {"1": "a"}, {"raw_value": "123"}, {"raw_value": "456"})
    assert (changes.opened, changes.closed, changes.findings) == (1, 0, 2)
    after = {row["quarantine_id"]: row for row in quarantine.read(world.wh).to_pylist()}
    assert after.pop(before[0]["quarantine_id"]) == before[0]
    assert [row["first_seen"] for row in after.values()] == ["s2"]


def test_a_moved_finding_is_the_same_finding(world):
    world.put("erp", {"1": "a"}, {"position": "x|2"})
    before = _ids(world)
    world.put("erp", {"1": "a"}, {"position": "x|9"})
    assert _ids(world) == before
    assert quarantine.read(world.wh)["position"].to_pylist() == ["x|9"]


def test_a_repaired_finding_is_closed_and_opens_again(world):
    world.put("erp", {"1": "a"}, {})
    finding = _ids(world)
    changes = world.put("erp", {"1": "a"})
    assert (changes.closed, changes.findings) == (1, 0)
    assert (_ids(world), _ids(world, "repaired")) == ([], finding)
    assert quarantine.read(world.wh, status="repaired")["last_seen"].to_pylist() == ["s2"]
    assert not world.put("erp", {"1": "a"})
    changes = world.put("erp", {"1": "a"}, {})
    assert (changes.opened, _ids(world), _ids(world, "repaired")) == (1, finding, [])
    assert quarantine.read(world.wh)["last_seen"].to_pylist() == [None]


def test_an_accepted_finding_is_not_open_and_opens_again_when_it_is_not_accepted(world):
    found = world.findings("erp", {}, {"raw_value": "456"})

    def sync(*accepted):
        return staged.replace(
            world.wh,
            "erp",
            world.records("erp", {"1": "a"}),
            found,
            world.sync(1),
            pa.array(accepted),
        )

    changes = sync(True, False)
    assert (changes.findings, changes.opened, changes.closed) == (1, 2, 0)
    [accepted], [still_open] = _ids(world, "accepted"), _ids(world)
    assert accepted != still_open
    assert not sync(True, False)
    changes = sync(False, False)
    assert (changes.findings, changes.opened, changes.closed) == (2, 1, 1)
    assert set(_ids(world)) == {accepted, still_open}
    sync(True, True)
    world.put("erp", {"1": "a"})
    assert _ids(world, "accepted") == []
    assert len(_ids(world, "repaired")) == 2


def test_a_record_that_is_let_in_keeps_its_finding(world):
    world.put("erp", {}, {"whole_record": True, "field": None})
    before = _ids(world)
    world.put("erp", {"1": "a"}, {"whole_record": False, "field": None})
    assert _ids(world) == before
    assert quarantine.read(world.wh)["whole_record"].to_pylist() == [False]


def test_two_records_with_one_key_are_two_findings(world):
    both = [
        {"position": f"x|{line}", "whole_record": True, "raw_value": None} for line in (2, 5, 9)
    ]
    changes = world.put("erp", {}, *both)
    assert (changes.findings, changes.quarantined) == (3, 3)
    assert len(set(_ids(world))) == 3
    changes = world.put("erp", {}, both[0], both[2])
    assert (changes.closed, changes.quarantined) == (1, 2)
    assert quarantine.read(world.wh)["position"].to_pylist() == ["x|2", "x|9"]


def test_findings_are_of_one_source(world):
    world.put("erp", {}, {})
    world.put("crm", {}, {"raw_value": "9"})
    world.put("crm", {})
    assert _ids(world, source="crm") == []
    assert len(_ids(world, source="erp")) == len(_ids(world)) == 1


@pytest.mark.parametrize("quote", ["o'neil", 'a"b'])
def test_a_source_may_have_a_quote_in_its_name(world, quote):
    world.put(quote, {"1": "a"}, {})
    assert len(_ids(world, source=quote)) == 1
    assert staged_records.sources(world.wh) == {quote: 1}
