"""Erasing customers: no trace anywhere, nothing else changed, and they do not come back."""

import csv
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from connectors import snapshot
from onefold import keys, settings
from onefold.cli.app import app
from onefold.errors import ConfigError, NotThere, OnefoldError
from pipelines import lake, stages, stored
from pipelines.stages import changes, erasing, held
from pipelines.stages.held import Whom
from warehouse import (
    audit,
    case_states,
    customers,
    decisions,
    engine,
    erasures,
    export,
    findings,
    overrides,
    repairs,
    restatement,
)  # fmt: skip
from warehouse import erasing as tables


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEFOLD_KEY", keys.new())


def with_key(home: Path, encrypt: str = "[]") -> Path:
    path = home / "onefold.yml"
    section = f"privacy: {{key: '${{ONEFOLD_KEY}}', encrypt: {encrypt}}}\n"
    path.write_text(path.read_text("utf-8") + section, "utf-8")
    if encrypt != "[]":
        done = CliRunner().invoke(app, ["key", "apply", "--home", str(home)])
        assert done.exit_code == 0, done.output
    return home


def on_file(home: Path) -> Any:
    return closing(engine.connect(settings.load(home)))


def golden(home: Path) -> dict[str, dict[str, Any]]:
    with on_file(home) as wh:
        return {one["golden_id"]: one for one in export.read_golden(wh).to_pylist()}


def id_of(home: Path, name: str) -> str:
    return next(one["golden_id"] for one in golden(home).values() if one["name"] == name)


def sync_all(home: Path) -> dict[str, int]:
    """Sync, stage and publish everything; source → rows that were withheld."""
    with stages.opened(home) as opened:
        found = {}
        for source in opened.sources:
            synced = stages.sync(opened, source)
            assert synced.good, synced.message
            staged = stages.stage(opened, source)
            assert staged.good, staged.message
            assert staged.read == staged.staged + staged.quarantined
            found[source] = synced.withheld
        stages.publish(opened)
        assert all(check.passed for check in stages.published_checks(opened))
    return found


def read_again(world: Any, home: Path, line: str = "") -> None:
    """Make every source read whole, with a further customer in crm."""
    (home / "data" / "crm.csv").write_text(world.CRM + line, encoding="utf-8")
    world.write_erp(home, [*world.ERP])


def steward_everything(home: Path, tmp: Path) -> None:
    """A pinned value, a pair decision, a comment, a mended value, and every kind of export."""
    with on_file(home) as wh:
        chen, liu = id_of(home, "陈静"), id_of(home, "刘洋")
        overrides.override(
            wh, chen, "address_line", "学前街13号", "ann", reason="called 陈静 on 13800000006"
        )
        decisions.add(
            wh, "no_link", left_id="crm:C6", right_id="crm:C7", reason="陈静 is not 刘洋",
            decided_by="ann", evidence={"names": ["陈静", "刘洋"]},
        )  # fmt: skip
        decisions.add(
            wh, "no_link", left_id="crm:C2", right_id="crm:C3", reason="two people",
            decided_by="ann",
        )  # fmt: skip
        page = findings.page(wh, findings.Filter(source="erp"), None)
        finding = next(one for one in page.rows if one.source_key == "E6")
        repairs.add(
            wh, finding.quarantine_id, "value", "ann", value="13800000077", reason="asked 刘洋"
        )
        case_states.comment(wh, "C-of-old", "13800000007 is 刘洋's", "ann")
        assert customers.get(wh, liu).golden_id == liu
    to = str(tmp)
    for given in (
        [f"{to}/golden.csv"],
        [f"{to}/golden.xlsx", "--crosswalks", f"{to}/owners"],
        [f"{to}/golden.parquet", "--crosswalk", f"{to}/crosswalk.csv"],
        ["--folder", f"{to}/parts", "--by", "customer_type,region"],
        ["--to", f"sqlite:///{to}/bi.db", "--prefix", "gold_"],
    ):
        done = CliRunner().invoke(app, ["export", *given, "--home", str(home)])
        assert done.exit_code == 0, done.output


def history(world: Any, home: Path, tmp: Path) -> None:
    """Syncs with other values, then with those of the beginning, and stewards' work."""
    changed = world.CRM.replace("13800000001", "13800000091").replace("C6,", "C6X,")
    (home / "data" / "crm.csv").write_text(changed, encoding="utf-8")
    sync_all(home)
    read_again(world, home)
    sync_all(home)
    steward_everything(home, tmp)
    read_again(world, home, "C10,周敏,person,13800000010,,南京,洪武路10号,2024-01-05\n")
    sync_all(home)


def others(world: Any, home: Path, gone: set[str], keys_gone: set[str]) -> dict[str, set[Any]]:
    """What the stores say of everybody else."""
    names = (
        "staged_customer", "quarantine", "golden_customer", "golden_customer_history",
        "golden_field", "crosswalk", "merge_suggestion", "customer_search", "review_case",
        "case_member", "decision", "case_state", "case_comment", "repair", "quality_measure",
    )  # fmt: skip
    every = world.contents(home, frozenset({"last_seen"}))
    marks = gone | keys_gone
    return {
        name: {row for row in every[name] if not any(one in str(row) for one in marks)}
        for name in names
    }


@pytest.mark.parametrize(
    ("any_synced", "seed"),
    [("sqlite", 1), ("sqlite", 2), ("postgresql", 1)],
    indirect=["any_synced"],
)
def test_an_erased_customer_leaves_no_trace_and_does_not_come_back(
    any_synced: Path, world: Any, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed == 1:  # tables of the lake are changes to others, however many rows changed
        monkeypatch.setattr(changes, "MOST", 1000)
        monkeypatch.setattr(stored, "MOST", 1000)
    home = with_key(any_synced, "[national_id, tax_id]" if seed == 2 else "[]")
    exports = tmp_path / "exports"
    exports.mkdir()
    history(world, home, exports)
    people = sorted(one["name"] for one in golden(home).values() if one["name"] != "周敏")
    names = {"刘洋", "陈静", *random.Random(seed).sample(people, 2)}
    values = world.own_values(names) | {"13800000077", "学前街13号", "13800000091"}
    values -= {"13800000091"} if "张伟" not in names else set()
    assert {"13800000007", "chenjing@example.com"} <= values
    assert world.traces(home, exports, values).keys() >= {"13800000007", "13800000077"}
    ids = {one["golden_id"] for one in golden(home).values() if one["name"] in names}
    with on_file(home) as wh:
        mine = {
            f"{row['source']}:{row['source_key']}"
            for row in export.read_crosswalk(wh).to_pylist()
            if row["golden_id"] in ids
        } | {"crm:C6X"}
    keys_gone = {one.partition(":")[2] for one in mine} | {"陈静", "刘洋", "E000"}
    before = others(world, home, ids, keys_gone)
    with stages.opened(home) as opened:
        for table in ("features", "scored_pairs"):
            bases = {
                lake.base_of(opened.lake, table, one) for one in lake.names(opened.lake, table)
            }
            assert seed != 1 or len(bases) < len(lake.names(opened.lake, table)), table
        done = erasing.erase(opened, [Whom(golden_id=one) for one in sorted(ids)], "dpo", "12")
    assert done.finished
    assert world.traces(home, exports, values | {"C6X"}) == {}
    read_again(world, home, "C10,周敏,person,13800000010,,南京,洪武路10号,2024-01-06\n")
    withheld = sync_all(home)
    assert sum(withheld.values()) == len(mine - {"crm:C6X"})
    assert world.traces(home, exports, values) == {}
    new = {"周敏", "[erased]"}
    with on_file(home) as wh, wh.read() as connection:
        gone = tables.erased(connection, [f"G{number:010d}" for number in range(1, 40)])
    assert gone >= ids
    for name, rows in others(world, home, gone, keys_gone).items():
        differ = {
            row for row in rows ^ before[name] if not any(one in str(row) for one in new | gone)
        }
        assert differ == set(), name
    with on_file(home) as wh:
        assert audit.verify(wh).ok
        for one in ids:
            ended = customers.get(wh, one)
            assert isinstance(ended, customers.Ended) and ended.erased
        assert {one.finished_at is None for one in erasures.listed(wh)} == {False}
        with wh.read("review") as connection:
            proof = connection.execute(sa.text(_prefixed(wh, "SELECT * FROM {}erasure"))).all()
    assert not any(value in str(proof) for value in values)


def _prefixed(wh: Any, statement: str) -> str:
    return statement.replace("{}", "review." if wh.is_postgresql else "")


def test_snapshots_without_an_erased_record_are_what_a_sync_would_have_made(
    synced: Path, world: Any
) -> None:
    home = with_key(synced)
    with stages.opened(home) as opened:
        erasing.erase(opened, [Whom(source="erp", source_key="E4")], "dpo", "12")
        left = snapshot.latest(opened.lake, "erp")
    world.write_erp(home, [row for row in world.ERP if row[0] != "E4"])
    with stages.opened(home) as opened:
        synced_again = stages.sync(opened, "erp")
        staged = stages.stage(opened, "erp")
    assert (synced_again.status, staged.status) == ("unchanged", "unchanged")
    assert left is not None and synced_again.sync_id == left.sync_id


def test_the_person_is_known_under_another_key_and_in_another_source(
    synced: Path, world: Any
) -> None:
    home = with_key(synced)
    with stages.opened(home) as opened:
        erasing.erase(opened, [Whom(golden_id=id_of(home, "赵磊"))], "dpo", "12")
    rows = [
        *world.ERP[:3],
        ("E40", "赵磊", "P", "138-0000-0009", "", "常州市", ""),
        ("E41", "", "P", "", "zhaolei@example.com", "", ""),
        ("E42", "赵晶", "P", "13800000009", "", "常州市", "延陵路40号"),
        ("E43", "常州赵磊商贸有限公司", "C", "13800000009", "", "常州市", "延陵路40号"),
        ("E44", "赵磊", "P", "13800000044", "", "无锡市", ""),
        *world.ERP[4:],
    ]
    world.write_erp(home, rows)
    line = "C40,Zhao Lei,person,13800000009,,常州,,2024-01-05\n"
    (home / "data" / "crm.csv").write_text(world.CRM + line, encoding="utf-8")
    assert sync_all(home) == {"crm": 1, "erp": 2}
    with on_file(home) as wh:
        kept = set(export.read_crosswalk(wh)["source_key"].to_pylist())
    assert {"E42", "E43", "E44"} <= kept  # relative, company, namesake
    assert not {"E40", "E41", "C40"} & kept


def test_an_erasure_is_a_change_of_its_own_and_restatements_add_up(
    synced: Path, world: Any
) -> None:
    home = with_key(synced)
    before = len(golden(home))
    gone = id_of(home, "王芳")
    with stages.opened(home) as opened:
        erasing.erase(opened, [Whom(golden_id=gone)], "dpo", "12")
        made = restatement.between(
            opened.warehouse, restatement.publishes(opened.warehouse)[-1][1], erasures.now()
        )
    assert made.total.causes["erased"] == 1
    assert made.total.after == made.total.before - 1 == before - 1 == len(golden(home))
    by_source = {line.segment: line for line in made.lines if line.dimension == "source"}
    assert by_source["crm"].causes["erased"] == by_source["erp"].causes["erased"] == 1
    with on_file(home) as wh, wh.read() as connection:
        view = "bi.id_map" if wh.is_postgresql else "id_map"
        found = connection.execute(
            sa.text(f"SELECT * FROM {view} WHERE golden_id = :id"), {"id": gone}
        ).mappings().one()  # fmt: skip
    assert (found["current_golden_id"], found["state"]) == (None, "erased")


def test_what_is_left_of_an_erasure_is_encrypted_where_anything_is(
    synced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = with_key(synced, "[national_id]")

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(erasing.snapshots, "without", killed)
        with pytest.raises(KeyboardInterrupt), stages.opened(home) as opened:
            erasing.erase(opened, [Whom(golden_id=id_of(home, "李娜"))], "dpo", "12")
    with on_file(home) as wh:
        (known,) = erasures.under_way(wh)
        with wh.read("review") as connection:
            kept = connection.execute(
                sa.text(_prefixed(wh, "SELECT remaining FROM {}erasure"))
            ).scalar()
    assert known.target is not None and "lina@example.com" in known.target.marks
    stood = str(kept).encode().decode("unicode_escape")
    assert not any(mark in str(kept) or mark in stood for mark in known.target.marks)


def test_without_a_key_nothing_is_erased_and_it_says_what_to_do(synced: Path) -> None:
    with (
        stages.opened(synced) as opened,
        pytest.raises(ConfigError, match="onefold key new"),
    ):
        erasing.erase(opened, [Whom(golden_id=id_of(synced, "王芳"))], "dpo", "12")
    assert id_of(synced, "王芳")


def test_after_an_erasure_no_source_is_synced_without_the_key(
    synced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = with_key(synced)
    with stages.opened(home) as opened:
        erasing.erase(opened, [Whom(golden_id=id_of(home, "王芳"))], "dpo", "12")
    monkeypatch.delenv("ONEFOLD_KEY")
    path = home / "onefold.yml"
    named = path.read_text("utf-8")
    with pytest.raises(ConfigError, match="ONEFOLD_KEY"), stages.opened(home):
        pass
    path.write_text(named.partition("privacy:")[0], "utf-8")
    with stages.opened(home) as opened:
        outcome = stages.sync(opened, "crm")
    assert outcome.status == "failed"
    assert "key" in outcome.message


def test_a_lifted_erasure_lets_the_person_in_again(synced: Path, world: Any) -> None:
    home = with_key(synced)
    with stages.opened(home) as opened:
        erasing.erase(opened, [Whom(golden_id=id_of(home, "赵磊"))], "dpo", "12")
        erasures.lift(opened.warehouse, "E000001", "dpo", "came back as a customer")
    world.write_erp(home, [*world.ERP, ("E9", "吴涛", "P", "13800000099", "", "", "")])
    assert sync_all(home)["erp"] == 0
    assert id_of(home, "赵磊")


def test_a_dry_run_says_what_would_go_and_changes_nothing(synced: Path, world: Any) -> None:
    home, gone = with_key(synced), id_of(synced, "王芳")
    before = world.contents(home, frozenset())
    done = CliRunner().invoke(app, ["erase", "--customer", gone, "--dry-run", "--home", str(home)])
    assert done.exit_code == 0
    assert "lake.raw: 2 rows" in done.output
    assert "王芳" not in done.output
    assert world.contents(home, frozenset()) == before


def test_an_export_that_cannot_be_reached_keeps_the_erasure_open(
    synced: Path, tmp_path: Path
) -> None:
    home, gone = with_key(synced), id_of(synced, "王芳")
    place = tmp_path / "far"
    place.mkdir()
    url = f"sqlite:///{place}/bi.db"
    runner = CliRunner()
    assert runner.invoke(app, ["export", "--to", url, "--home", str(home)]).exit_code == 0
    place.rename(tmp_path / "away")
    asked = ["erase", "--customer", gone, "--by", "dpo", "--reason", "12", "--home", str(home)]
    done = runner.invoke(app, asked)
    assert done.exit_code == 3
    with on_file(home) as wh:
        (waiting,) = erasures.under_way(wh)
        assert waiting.target is not None and waiting.target.record_ids == ()
    (tmp_path / "away").rename(place)
    sync_all(home)
    with on_file(home) as wh:
        assert erasures.under_way(wh) == []
    assert "王芳".encode() not in (place / "bi.db").read_bytes()


def test_records_that_name_the_person_as_contact_are_named(synced: Path, world: Any) -> None:
    home = with_key(synced)
    crm = home / "sources" / "crm.yml"
    crm.write_text(
        crm.read_text("utf-8").replace("{name: Name,", "{name: Name, contact_name: Who,")
    )
    lines = world.CRM.splitlines()
    lines = [f"{lines[0]},Who", *(f"{x},{'赵磊' if x[:2] == 'C5' else ''}" for x in lines[1:])]
    (home / "data" / "crm.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sync_all(home)
    asked = ["erase", "--source-key", "erp", "E4", "--home", str(home)]
    for more in (["--dry-run"], ["--by", "dpo", "--reason", "12"]):
        done = CliRunner().invoke(app, [*asked, *more])
        assert done.exit_code == 0
        assert "crm:C5" in done.output and "赵磊" not in done.output
        assert "crm:C4" not in done.output


def test_snapshots_that_lack_a_column_of_today_are_erased_from_too(
    synced: Path, world: Any
) -> None:
    home = with_key(synced)
    crm = home / "sources" / "crm.yml"
    declared = crm.read_text("utf-8")
    lines = [f"{one},{one.split(',')[1]}" for one in world.CRM.splitlines()]
    lines[0] = lines[0].removesuffix("Name") + "Full"
    (home / "data" / "crm.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    asked = ["erase", "--source-key", "crm", "C4", "--home", str(home)]
    for mapped in ("{name: Name, contact_name: Full,", "{name: Full,"):
        crm.write_text(declared.replace("{name: Name,", mapped))
        sync_all(home)
        done = CliRunner().invoke(app, [*asked, "--dry-run"])
        assert done.exit_code == 0, done.output


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_lists_for_a_sources_owner_lose_the_rows_of_who_is_erased(
    synced: Path, tmp_path: Path, suffix: str, world: Any
) -> None:
    home = with_key(synced)
    write = [*world.ERP, ("E9", "吴涛", "P", "12", "", "", "")]
    world.write_erp(home, write)
    sync_all(home)
    file = tmp_path / f"mend.{suffix}"
    asked = ["quality", "--source", "erp", "--to-mend", str(file), "--home", str(home)]
    assert CliRunner().invoke(app, asked).exit_code == 0
    before = _cells(file)
    assert {"E6", "E9"} <= {row[2] for row in before}
    with stages.opened(home) as opened:
        assert erasing.erase(opened, [Whom(source="erp", source_key="E6")], "dpo", "12").finished
    assert _cells(file) == [row for row in before if row[2] != "E6"]


def _cells(file: Path) -> list[list[str]]:
    if file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as lines:
            return list(csv.reader(lines))
    rows = openpyxl.load_workbook(file).active.iter_rows(values_only=True)
    return [[str(value) for value in row] for row in rows]


def test_nobody_is_erased_twice_and_unknown_ids_are_told(synced: Path) -> None:
    home, gone = with_key(synced), id_of(synced, "王芳")
    with stages.opened(home) as opened:
        erasing.erase(opened, [Whom(golden_id=gone)], "dpo", "12")
        for whom in (
            Whom(golden_id=gone),
            Whom(golden_id="G9"),
            Whom(source="crm", source_key="9"),
        ):
            with pytest.raises(NotThere):
                erasing.erase(opened, [whom], "dpo", "12")
        with pytest.raises(OnefoldError, match="who asks"):
            erasing.erase(opened, [Whom(golden_id=id_of(home, "李娜"))], "", "")


@pytest.mark.parametrize(
    ("any_synced", "gone_too"),
    [("sqlite", False), ("sqlite", True), ("postgresql", False)],
    indirect=["any_synced"],
)
def test_of_two_once_merged_by_mistake_one_is_erased_and_the_other_stays(
    any_synced: Path, world: Any, tmp_path: Path, gone_too: bool
) -> None:
    home = with_key(any_synced, "[address_line]" if gone_too else "[]")
    with on_file(home) as wh:
        made = decisions.add(
            wh, "link", left_id="crm:C6", right_id="crm:C7", reason="one", decided_by="ann"
        )
    sync_all(home)
    assert len({one["golden_id"] for one in members(home) if one["source_key"] in _BOTH}) == 1
    with on_file(home) as wh:
        decisions.revoke(wh, made, revoked_by="ann", reason="two people")
    sync_all(home)
    assert len({one["golden_id"] for one in members(home) if one["source_key"] in _BOTH}) == 2
    left = [line for line in world.CRM.splitlines(True) if not line.startswith("C6,")]
    if gone_too:
        left = [line for line in left if not line.startswith("C7,")]
        world.write_erp(home, [row for row in world.ERP if row[0] != "E6"])
    (home / "data" / "crm.csv").write_text("".join(left), encoding="utf-8")
    sync_all(home)
    (tmp_path / "none").mkdir()
    mine, theirs = (world.own_values({name}) for name in ("陈静", "刘洋"))
    assert "陈静" in mine and mine <= world.traces(home, tmp_path / "none", mine).keys()
    kept = world.traces(home, tmp_path / "none", theirs).keys()
    assert kept == theirs
    with stages.opened(home) as opened:
        for key, records in (("C6", {"crm:C6"}), ("C7", {"crm:C7", "erp:E6"})):
            (found,) = held.look(opened, [Whom(source="crm", source_key=key)])
            assert set(found.target.record_ids) == records
        # 刘洋's old version shows 陈静's values among those of 刘洋.
        erasing.erase(opened, [Whom(source="crm", source_key="C6")], "dpo", "12")
    assert world.traces(home, tmp_path / "none", mine) == {}
    assert world.traces(home, tmp_path / "none", theirs).keys() == kept
    with on_file(home) as wh, wh.read() as connection:
        history = sa.text(_named(wh, "SELECT name, phones, sources FROM {}golden_customer_history"))
        shown = [tuple(map(str, row)) for row in connection.execute(history)]
    mixed = [row for row in shown if row[0] in {"刘洋", "None"} and "13800000007" in row[1]]
    assert len(mixed) == 3  # before, while it was one with the other, and after


def _named(wh: Any, statement: str) -> str:
    return statement.replace("{}", "warehouse." if wh.is_postgresql else "")


_BOTH = {"C6", "C7", "E6"}


def members(home: Path) -> list[dict[str, Any]]:
    with on_file(home) as wh:
        return export.read_crosswalk(wh).to_pylist()
