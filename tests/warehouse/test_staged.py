"""What a sync writes, and what it leaves alone."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.errors import WarehouseError
from rules.customer import STAGED_SCHEMA
from rules.quarantine import QUARANTINE_SCHEMA
from warehouse import staged, staged_records, sync_runs
from warehouse.tables import staged_customer, sync_run


def test_staged_records_are_read_as_they_were_written(world):
    names = {"2": "张伟", "1": "Ann Lee", "3": None}
    world.put("erp", names, other_names=["A", 'B "b"'], emails=[])
    expected = world.records("erp", names, other_names=["A", 'B "b"'], emails=[])
    found = staged_records.read(world.wh)
    assert found.schema == STAGED_SCHEMA
    assert found.equals(expected.sort_by("record_id"))


def test_an_empty_warehouse_reads_as_an_empty_table(world):
    found = staged_records.read(world.wh)
    assert (found.num_rows, found.schema) == (0, STAGED_SCHEMA)
    assert staged_records.sources(world.wh) == {}
    assert staged_records.source_names(world.wh) == []
    assert sync_runs.last_sync(world.wh, "erp") is None


def test_added_changed_and_deleted_records_are_counted(world):
    world.put("erp", {"1": "a", "2": "b", "3": "c"})
    changes = world.put("erp", {"1": "a", "2": "B", "4": "d"}, position="same")
    assert (changes.added, changes.changed, changes.deleted) == (1, 1, 1)
    assert (changes.staged, changes.unchanged) == (3, 1)
    assert staged_records.read(world.wh)["name"].to_pylist() == ["a", "B", "d"]


def test_sources_do_not_touch_each_other(world):
    world.put("erp", {"1": "a"}, {})
    world.put("crm", {"1": "b", "2": "c"})
    assert world.put("crm", {}).deleted == 2
    assert staged_records.read(world.wh)["record_id"].to_pylist() == ["erp:1"]
    assert staged_records.sources(world.wh) == {"erp": 1}
    assert staged_records.source_names(world.wh) == ["erp"]


def test_unchanged_rows_are_not_written_again(world):
    world.put("erp", {"1": "a", "2": "b"})
    with world.wh.write() as connection:  # leave a mark that a rewrite would wipe out
        connection.execute(
            staged_customer.update()
            .where(staged_customer.c.source_key == "1")
            .values(note_mark := {"org_brand": "mark"})
        )
    world.put("erp", {"1": "a", "2": "B"})
    assert [row["org_brand"] for row in staged_records.read(world.wh).to_pylist()] == [
        note_mark["org_brand"],
        None,
    ]


def test_a_moved_record_gets_its_position_but_is_not_changed(world):
    world.put("erp", {"1": "a", "2": "b"})
    before = sync_runs.content_fingerprint(world.wh)
    changes = world.put("erp", {"2": "b", "1": "a"}, do_not_contact=None)
    world.put("erp", {"1": "a", "2": "b"})
    assert sync_runs.content_fingerprint(world.wh) == before
    changes = world.put("erp", {"1": "a", "2": "b"}, position="elsewhere|9")
    assert (changes.changed, changes.moved, changes.unchanged) == (0, 2, 2)
    assert set(staged_records.read(world.wh)["position"].to_pylist()) == {"elsewhere|9"}
    assert sync_runs.content_fingerprint(world.wh) == before


def test_fingerprint_is_of_content_and_not_of_the_way_to_it(world):
    empty = sync_runs.content_fingerprint(world.wh)
    world.put("erp", {"1": "a"})
    one = sync_runs.content_fingerprint(world.wh)
    world.put("crm", {"1": "b"})
    two = sync_runs.content_fingerprint(world.wh)
    world.put("erp", {"1": "x"})
    changed = sync_runs.content_fingerprint(world.wh)
    assert len({empty, one, two, changed}) == 4
    sync_runs.record_failure(world.wh, "erp", "failed", "the file is locked")
    assert sync_runs.content_fingerprint(world.wh) == changed
    world.put("erp", {"1": "a"})
    assert sync_runs.content_fingerprint(world.wh) == two
    world.put("crm", {})
    assert sync_runs.content_fingerprint(world.wh) == one
    world.put("erp", {})
    assert sync_runs.content_fingerprint(world.wh) == empty


def test_a_sync_says_what_it_did(world):
    world.put("erp", {"1": "a", "2": "b"}, {"source_key": "9", "whole_record": True})
    run = sync_runs.last_sync(world.wh, "erp")
    assert run is not None
    assert (run.status, run.rows_read, run.rows_staged, run.rows_quarantined) == ("synced", 2, 2, 1)
    assert (run.rows_added, run.rows_changed, run.rows_deleted, run.findings) == (2, 0, 0, 1)
    assert run.manifest["files"] == ["x.csv"]
    assert run.finished_at >= run.started_at
    assert run.finished_at.tzinfo == UTC
    assert datetime.now(UTC) - run.finished_at < timedelta(minutes=5)


def test_a_sync_without_changes_is_noted_as_unchanged(world):
    world.put("erp", {"1": "a"})
    assert not world.put("erp", {"1": "a"})
    run = sync_runs.last_sync(world.wh, "erp")
    assert run is not None
    assert (run.sync_id, run.status) == ("s2", "unchanged")


def test_the_same_sync_once_more_writes_nothing(world):
    records, none = world.records("erp", {"1": "a"}), QUARANTINE_SCHEMA.empty_table()
    sync = world.sync(1, "twice")
    staged.replace(world.wh, "erp", records, none, sync)
    before = world.dump()
    staged.replace(world.wh, "erp", records, none, sync)
    assert world.dump() == before


def test_a_failure_leaves_the_last_good_records(world):
    world.put("erp", {"1": "a", "2": "b"})
    run = sync_runs.record_failure(world.wh, "erp", "held", "half of the rows are gone")
    assert (run.status, run.message, run.rows_staged) == ("held", "half of the rows are gone", 2)
    good, latest = (sync_runs.last_sync(world.wh, "erp", good=good) for good in (True, False))
    assert good is not None
    assert good.sync_id == "s1"
    assert latest == run
    assert staged_records.read(world.wh).num_rows == 2


def test_last_sync_is_the_last_even_if_the_clock_was_set_back(world):
    world.put("erp", {"1": "a"})
    future = datetime.now(UTC) + timedelta(days=400)
    with world.wh.write() as connection:
        connection.execute(sync_run.update().values(finished_at=future))
    world.put("erp", {"1": "b"})
    run = sync_runs.last_sync(world.wh, "erp")
    assert run is not None
    assert run.sync_id == "s2"
    assert run.finished_at > future


def test_records_of_another_source_are_refused(world):
    with pytest.raises(WarehouseError, match=r"some are of another source \(found 1 of 1\)"):
        staged.replace(
            world.wh,
            "crm",
            world.records("erp", {"1": "a"}),
            QUARANTINE_SCHEMA.empty_table(),
            world.sync(),
        )


def test_a_record_that_stands_twice_is_refused_and_nothing_written(world):
    twice = pa.concat_tables([world.records("erp", {"1": "a"})] * 2)
    before = world.dump()
    with pytest.raises(WarehouseError, match="a record stands twice"):
        staged.replace(world.wh, "erp", twice, QUARANTINE_SCHEMA.empty_table(), world.sync())
    assert world.dump() == before


SOURCE = st.dictionaries(
    st.sampled_from("abcdef"), st.sampled_from(["x", "y", "", None]), max_size=6
)


@settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.sampled_from(["erp", "crm"]), SOURCE), min_size=1, max_size=5))
def test_staged_equals_the_last_sync_of_every_source(world, syncs):
    world.clear()
    last = {}
    for source, names in syncs:
        before = last.get(source, {})
        changes = world.put(source, names)
        assert changes.added == len(names.keys() - before.keys())
        assert changes.deleted == len(before.keys() - names.keys())
        assert changes.unchanged + changes.changed + changes.added == len(names)
        last[source] = names
    found = staged_records.read(world.wh).to_pylist()
    expected = {
        f"{source}:{key}": name for source, names in last.items() for key, name in names.items()
    }
    assert {row["record_id"]: row["name"] for row in found} == expected
    assert staged_records.sources(world.wh) == {
        source: len(names) for source, names in sorted(last.items()) if names
    }
