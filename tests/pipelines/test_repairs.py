"""What stewards mend or accept reaches staged and golden table, for as long as it holds."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from onefold import settings
from pipelines import definitions, stages
from pipelines.repair_sensor import NAME
from warehouse import engine, export, findings, repairs, staged_records
from warehouse.engine import Warehouse
from warehouse.findings import Filter

Edit = Callable[[str, str, str], None]


@contextmanager
def _opened(home: Path) -> Iterator[Warehouse]:
    with closing(engine.connect(settings.load(home))) as wh:
        yield wh


def _finding(wh: Warehouse, record_id: str, field: str | None = "") -> findings.Finding:
    found = [one for one in findings.of_record(wh, record_id) if one.state != "repaired"]
    [one] = [one for one in found if field == "" or one.field == field]
    return one


def _record(wh: Warehouse, record_id: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = staged_records.read(wh, [record_id]).to_pylist()
    return found[0] if found else {}


def test_a_mended_value_is_read_as_if_the_source_had_written_it(
    any_synced: Path, world: Any
) -> None:
    with _opened(any_synced) as wh:
        finding = _finding(wh, "erp:E6")
        assert finding.raw_value == "not a number"
        made = repairs.add(wh, finding.quarantine_id, "value", "li", value="13800000099")
        world.run_all(any_synced)
        assert _record(wh, "erp:E6")["phones"] == ["+8613800000099"]
        assert findings.get(wh, finding.quarantine_id).state == "repaired"
        assert repairs.listed(wh)[0].state == "used"
        golden = export.read_golden(wh).to_pylist()
        assert [one for one in golden if "+8613800000099" in (one["phones"] or [])]

        before = world.contents(any_synced, frozenset()), world.files(any_synced / "lake")
        world.run_all(any_synced)
        assert world.contents(any_synced, frozenset()) == before[0], "replayed once"
        assert world.files(any_synced / "lake") == before[1]

        repairs.undo(wh, made, "li")
        world.run_all(any_synced)
        assert _record(wh, "erp:E6")["phones"] is None
        assert findings.get(wh, finding.quarantine_id).state == "open"


def test_a_repair_ends_when_the_source_has_another_value_and_is_kept(
    synced: Path, world: Any
) -> None:
    with _opened(synced) as wh:
        finding = _finding(wh, "erp:E6")
        repairs.add(wh, finding.quarantine_id, "value", "li", value="13800000099")
        world.run_all(synced)

        def write(phone: str) -> None:
            *row, _, mail, city, street = world.ERP[5]
            world.write_erp(synced, [*world.ERP[:5], (*row, phone, mail, city, street)])
            world.run_all(synced)

        write("13800000044")
        assert _record(wh, "erp:E6")["phones"] == ["+8613800000044"]
        assert [one.state for one in repairs.listed(wh)] == ["overtaken"]
        write("still no number")
        assert _finding(wh, "erp:E6").raw_value == "still no number"
        write("not a number")
        assert _record(wh, "erp:E6")["phones"] == ["+8613800000099"], "the same value again"
        assert [one.state for one in repairs.listed(wh)] == ["used"]


def test_a_mended_value_that_is_wrong_itself_is_a_finding_and_can_be_mended(
    synced: Path, world: Any
) -> None:
    with _opened(synced) as wh:
        first = _finding(wh, "erp:E6")
        repairs.add(wh, first.quarantine_id, "value", "li", value="123")
        world.run_all(synced)
        second = _finding(wh, "erp:E6")
        assert second.raw_value == "123"
        repairs.add(wh, second.quarantine_id, "value", "li", value="13800000099")
        world.run_all(synced)
        assert _record(wh, "erp:E6")["phones"] == ["+8613800000099"]


def test_an_accepted_record_is_let_in_and_its_finding_stays_accepted(
    any_synced: Path, world: Any
) -> None:
    with _opened(any_synced) as wh:
        finding = _finding(wh, "crm:C8")
        assert finding.whole_record
        repairs.add(wh, finding.quarantine_id, "accept", "li")
        with stages.opened(any_synced) as opened:
            report = stages.stage(opened, "crm")
            assert all(check.passed for check in stages.accounting(opened))
            assert all(check.passed for check in stages.canonical(opened) if check.blocking)
        assert (report.staged, report.quarantined) == (8, 0)
        assert _record(wh, "crm:C8")["source_key"] == "C8"
        assert findings.get(wh, finding.quarantine_id).state == "accepted"
        still = findings.page(wh, Filter(source="crm")).rows
        assert report.findings == len(still)
        assert finding.quarantine_id not in {one.quarantine_id for one in still}


def test_what_a_text_field_holds_is_used_as_written_when_accepted(
    synced: Path, world: Any, edit: Edit
) -> None:
    edit("data/crm.csv", "运河路7号", "不详")
    edit("sources/crm.yml", "updated_at: Updated", "updated_at: Updated, tax_id: Tax")
    head, *lines = (synced / "data" / "crm.csv").read_text(encoding="utf-8").splitlines()
    taxed = [f"{one},{'91420581031207384' if one.startswith('C4') else ''}" for one in lines]
    text = "\n".join([f"{head},Tax", *taxed])
    (synced / "data" / "crm.csv").write_text(text, encoding="utf-8")
    world.run_all(synced)
    with _opened(synced) as wh:
        for record_id, field in (("crm:C7", "address_line"), ("crm:C4", "tax_id")):
            finding = _finding(wh, record_id, field)
            repairs.add(wh, finding.quarantine_id, "accept", "li")
        assert _record(wh, "crm:C4")["tax_id"] is None
        with stages.opened(synced) as opened:
            stages.stage(opened, "crm")
            assert all(check.passed for check in stages.canonical(opened) if check.blocking)
        assert _record(wh, "crm:C7")["address_line"] == "不详"
        record = _record(wh, "crm:C4")
        assert (record["tax_id"], record["tax_id_kind"]) == ("91420581031207384", "other")
        assert "id:91420581031207384" in record["id_keys"]


def test_an_expectation_of_the_source_can_be_accepted_for_one_record(
    synced: Path, world: Any, edit: Edit
) -> None:
    edit(
        "sources/crm.yml",
        'schedule: "30 2 * * *"',
        "expectations:\n- type: expect_column_values_to_not_match_regex\n"
        "  name: not_wuxi\n  kwargs: {column: city, regex: 无锡}\n"
        "required: [emails]",
    )
    world.run_all(synced)
    with _opened(synced) as wh:
        wuxi = findings.page(wh, Filter(rule="not_wuxi")).rows
        assert {one.source_key for one in wuxi} == {"C6", "C7"}
        missing = findings.page(wh, Filter(rule="emails_required")).rows
        assert {one.source_key for one in missing} == {"C3", "C8"}
        for one in wuxi:
            if one.source_key == "C6":
                repairs.add(wh, one.quarantine_id, "accept", "li")
        for one in missing:
            if one.source_key == "C3":
                repairs.add(wh, one.quarantine_id, "value", "li", value="wang@example.com")
        world.run_all(synced)
        assert _record(wh, "crm:C6")["city"] == "无锡市"
        assert _record(wh, "crm:C7")["city"] is None
        assert _record(wh, "crm:C3")["emails"] == ["wang@example.com"]
        assert _record(wh, "crm:C8") == {}


def test_a_repair_asks_for_a_sync_of_its_source_once(synced: Path, world: Any) -> None:
    sensor = definitions.build(synced).resolve_sensor_def(NAME)

    def tick(cursor: str | None) -> tuple[list[str | None], str | None]:
        with dg.build_sensor_context(cursor=cursor) as context:
            outcome = sensor.evaluate_tick(context)
        return [one.job_name for one in outcome.run_requests or []], outcome.cursor

    asked, cursor = tick(None)
    assert asked == []
    with _opened(synced) as wh:
        finding = _finding(wh, "erp:E6")
        made = repairs.add(wh, finding.quarantine_id, "value", "li", value="13800000099")
        asked, cursor = tick(cursor)
        assert asked == ["sync_erp"]
        assert tick(cursor)[0] == []
        world.run_all(synced)
        assert tick(cursor)[0] == []
        repairs.undo(wh, made, "li")
        assert tick(cursor)[0] == ["sync_erp"]
