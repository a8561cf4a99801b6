"""Templates in mode cursor: a change of any joined table is read by the next sync."""

import pyarrow.parquet as pq
import pytest

from connectors.templates.model import load, names
from onefold.errors import ConfigError, SourceLayout

_WITH_TABLES = [name for name in names() if load(name).main]


@pytest.fixture
def changed(home, run_sql):
    """What the second of two syncs reads after some statements: its counts, and all rows by key."""

    def read(url, template, *statements, **settings):
        config = home.config(template=template, url=url, mode="cursor", **settings)
        first, _ = home.sync(config)
        run_sql(url, *statements)
        second, rows = home.sync(config, first)
        return second.counts, {row["_source_key"]: row for row in rows}

    return read


def test_partner_is_read_again_when_its_state_is_renamed(postgres_database, run_sql, changed):
    run_sql(postgres_database, schema="odoo")
    run_sql(postgres_database, "ALTER TABLE res_country_state ADD write_date timestamp")
    counts, rows = changed(
        postgres_database,
        "odoo",
        "UPDATE res_country_state SET name = '浙江', write_date = '2025-06-01 10:00' WHERE id = 1",
    )
    assert rows["7"]["state.name"] == "浙江"
    assert counts.read < 4 and not counts.deleted


def test_customer_is_read_again_when_another_contact_becomes_the_one(
    mariadb_database, run_sql, changed
):
    run_sql(mariadb_database, schema="erpnext")
    # Nothing of the contact that is read from now on moves.
    counts, rows = changed(
        mariadb_database,
        "erpnext",
        "UPDATE `tabContact` SET is_primary_contact = 0, modified = '2025-06-01 10:00'"
        " WHERE name LIKE '钱二%%'",
    )
    assert rows["示例科技"]["contact_name"] == "赵一"
    assert (counts.read, counts.changed) == (1, 1)


@pytest.fixture
def vtiger(mariadb_database, run_sql):
    run_sql(mariadb_database, "SET GLOBAL sql_mode = ''")
    run_sql(mariadb_database, schema="vtiger")
    yield mariadb_database
    run_sql(mariadb_database, "SET GLOBAL sql_mode = DEFAULT")


def test_contact_is_read_again_when_its_organization_is_deleted(vtiger, changed):
    counts, rows = changed(
        vtiger,
        "vtiger_contacts",
        "UPDATE vtiger_crmentity SET deleted = 1, modifiedtime = '2025-06-01 10:00'"
        " WHERE crmid = 10",
    )
    assert rows["12"]["employer.accountname"] is None and counts.changed == 1


@pytest.fixture
def u8(tmp_path, run_sql):
    (tmp_path / "u8.db").touch()
    url = f"sqlite:///{tmp_path / 'u8.db'}"
    run_sql(url, schema="yonyou_u8")
    return url


def test_release_without_a_date_of_change_is_read_whole_only(u8, home, run_sql):
    run_sql(u8, "ALTER TABLE Customer DROP COLUMN dModifyDate")
    assert home.sync_path(home.config(template="yonyou_u8", url=u8))
    with pytest.raises(SourceLayout, match=r"no column 'dModifyDate'.*mode: snapshot"):
        home.sync_path(home.config(template="yonyou_u8", url=u8, mode="cursor"))


def test_snapshot_has_no_column_for_the_cursor(u8, home):
    whole, by_cursor = (
        pq.read_schema(home.sync_path(home.config(template="yonyou_u8", url=u8, mode=mode))).names
        for mode in ("snapshot", "cursor")
    )
    assert "touched_at" not in whole and "touched_at" in by_cursor


@pytest.mark.parametrize("name", [name for name in _WITH_TABLES if not load(name).cursor])
def test_system_that_dates_no_change_says_why_there_is_no_cursor(name, home):
    with pytest.raises(ConfigError, match=f"{name} has none, because {load(name).without_cursor}"):
        home.config(template=name, url="sqlite:///x.db", mode="cursor")
