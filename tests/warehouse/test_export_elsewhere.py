"""Exports that follow: another database, a folder by segment, a crosswalk per source."""

from pathlib import Path

import pyarrow.dataset as ds
import pytest
import sqlalchemy as sa

from onefold.errors import ConfigError, WarehouseError
from warehouse import export_database, export_folder
from warehouse.export_database import to_database


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of another kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'other.db'}"
    name = "postgres_database" if request.param == "postgresql" else "mariadb_database"
    return str(request.getfixturevalue(name))


def rows(url: str, table: str) -> list[dict]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        reflected = sa.Table(table, sa.MetaData(), autoload_with=connection)
        order = list(reflected.primary_key.columns)
        found = [
            dict(row._mapping) for row in connection.execute(sa.select(reflected).order_by(*order))
        ]
    engine.dispose()
    return found


def test_another_database_follows_what_is_published_and_is_written_only_where_it_differs(
    sqlite_world, elsewhere
):
    world = sqlite_world
    world.put("crm", {"1": "欧阳小明", "2": "Zoë ’ \\ %s :x", "3": "Ina"}, city="上海市")
    world.publish([["crm:1"], ["crm:2"], ["crm:3"]])
    first = {one.table: one for one in to_database(world.wh, elsewhere, prefix="gold_")}
    assert (first["gold_dim_customer"].rows, first["gold_dim_customer"].added) == (3, 3)
    names = {row["golden_id"]: row["name"] for row in rows(elsewhere, "gold_dim_customer")}
    assert set(names.values()) == {"欧阳小明", "Zoë ’ \\ %s :x", "Ina"}
    again = to_database(world.wh, elsewhere, prefix="gold_")
    assert [(one.added, one.changed, one.deleted) for one in again] == [(0, 0, 0)] * 4
    world.put("crm", {"1": "欧阳小明", "2": "Zoë"}, city="上海市")
    world.publish([["crm:1"], ["crm:2"]])
    dim, bridge, ids, contacts = to_database(world.wh, elsewhere, prefix="gold_")
    assert (dim.added, dim.changed, dim.deleted) == (0, 1, 1)
    assert (bridge.deleted, ids.changed, contacts.deleted) == (1, 1, 1)
    (ended,) = (row for row in rows(elsewhere, "gold_id_map") if row["state"] == "ended")
    assert ended["current_golden_id"] is None


def test_what_somebody_emptied_there_is_mended_by_the_next_run(sqlite_world, elsewhere):
    sqlite_world.put("crm", {"1": "Anna"})
    sqlite_world.publish([["crm:1"]])
    to_database(sqlite_world.wh, elsewhere)
    engine = sa.create_engine(elsewhere)
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM dim_customer"))
    engine.dispose()
    assert to_database(sqlite_world.wh, elsewhere)[0].added == 1


def test_masked_tables_hold_no_personal_values(sqlite_world, tmp_path):
    sqlite_world.put("crm", {"1": "欧阳小明"}, emails=["xiaoming@example.com"])
    sqlite_world.publish([["crm:1"]])
    url = f"sqlite:///{tmp_path / 'masked.db'}"
    to_database(sqlite_world.wh, url, masked=True)
    held = (tmp_path / "masked.db").read_bytes()
    for value in ("欧阳小明", "xiaoming", "13800138000"):
        assert value.encode() not in held


def test_a_database_that_refuses_is_named_without_password_or_values(sqlite_world, tmp_path):
    sqlite_world.put("crm", {"1": "欧阳小明"})
    sqlite_world.publish([["crm:1"]])
    with pytest.raises(WarehouseError) as refused:
        to_database(sqlite_world.wh, "postgresql+psycopg://me:hunter2@127.0.0.1:1/crm")
    assert "hunter2" not in str(refused.value)
    with pytest.raises(ConfigError, match="driver"):
        to_database(sqlite_world.wh, "nosuch://x")
    with pytest.raises(ConfigError, match="URL"):
        to_database(sqlite_world.wh, "no url")


def test_every_exported_view_has_its_key():
    known = {view.name: {one.name for one in view.columns} for view in export_database.views()}
    for name, keys in export_database.KEYS.items():
        assert set(keys) <= known[name]


def test_a_folder_has_a_file_per_segment_and_only_changed_ones_are_written(sqlite_world, tmp_path):
    world, folder = sqlite_world, tmp_path / "golden"
    world.put("crm", {"1": "Anna", "2": "Zoe"}, region="上海市")
    world.put("erp", {"1": "Haitang"}, customer_type="organization", region=None, birth_date=None)
    world.publish([["crm:1"], ["crm:2"], ["erp:1"]])
    by = ["customer_type", "region"]
    first = export_folder.partitioned(world.wh, folder, by)
    assert (first.rows, first.files, first.written, first.removed) == (3, 2, 2, 0)
    table = ds.dataset(folder, partitioning="hive").to_table().to_pylist()
    assert {(one["name"], one["customer_type"], one["region"]) for one in table} == {
        ("Anna", "person", "上海市"),
        ("Zoe", "person", "上海市"),
        ("Haitang", "organization", None),
    }
    assert export_folder.partitioned(world.wh, folder, by).written == 0
    world.put("crm", {"1": "Anna", "2": "Zoey"}, region="上海市")
    world.publish([["crm:1"], ["crm:2"], ["erp:1"]])
    then = export_folder.partitioned(world.wh, folder, by)
    assert (then.written, then.removed, then.files) == (1, 1, 2)
    world.put("erp", {})
    world.publish([["crm:1"], ["crm:2"]])
    assert export_folder.partitioned(world.wh, folder, by).removed == 1
    assert not (folder / "customer_type=organization").exists()


def test_a_folder_with_other_files_and_an_unknown_segment_are_refused(sqlite_world, tmp_path):
    with pytest.raises(ConfigError, match="not parted by this"):
        export_folder.partitioned(sqlite_world.wh, tmp_path / "x", ["name"])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="other files"):
        export_folder.partitioned(sqlite_world.wh, tmp_path / "other", ["region"])
    assert (tmp_path / "other" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_each_sources_owner_gets_the_golden_ids_of_their_records(sqlite_world, tmp_path, suffix):
    sqlite_world.put("crm", {"1": "Anna", "2": "Zoe"})
    sqlite_world.put("erp/新", {"9": "Anna"})
    sqlite_world.publish([["crm:1", "erp/新:9"], ["crm:2"]])
    written = export_folder.crosswalks(sqlite_world.wh, tmp_path / "out", suffix)
    assert written == {"crm": 2, "erp/新": 1}
    assert len(list((tmp_path / "out").glob(f"*{suffix}"))) == 2
