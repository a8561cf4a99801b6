"""The fast path: connectorx gives the rows that Onefold itself would, or is not used."""

import sys
import time

import pytest
import sqlalchemy as sa

from connectors import fast
from onefold.errors import ConfigError, SourceError, SourceUnreachable
from tests.connectors.test_database_faults import Proxy, _fill, _run

MAPPED = {"connector": "sql", "table": "customers", "key": "id", "columns": {"name": "name"}}
LONG = 200_000
POSTGRESQL = (
    "CREATE TYPE grade AS ENUM ('gold', 'née')",
    "CREATE TABLE customers (id int, name text, amount numeric, ratio float8, single float4,"
    " born date, at timestamp, seen timestamptz, day time, span interval, raw bytea, rank grade,"
    " flag boolean, tags text[], doc jsonb, one uuid, fixed char(5), ip inet, nothing text)",
    "INSERT INTO customers VALUES (1, '示例 😀 100% :a ''q'' \\ \"x\"\n\t',"
    " 123456789012345678901.50, 0.1, 0.1, '0044-03-15 BC', 'infinity', '2024-03-10 02:30:00+05:45',"
    " '23:59:59.999999',"
    " '1 year -2 days 03:04:05', '\\x00ff41', 'née', true, '{a,NULL,\"b,c\"}', '{\"a\": 1.0}',"
    " 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ab', '10.0.0.1/8', NULL),"
    " (2, '', 'NaN', 'Infinity', 1e-40, '9999-12-31', '1999-01-01 00:00:00.5', '-infinity', NULL,"
    " NULL, '', NULL, false, '{}', 'null', NULL, '', NULL, NULL),"
    f" (3, repeat('长', {LONG}), 0.00, -0.0, 3, 'infinity', NULL, now(), NULL, NULL,"
    " decode(repeat('00', 5000), 'hex'), 'gold', NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
)
MARIADB = (
    "CREATE TABLE customers (id int, name text, amount decimal(38,10), ratio double, single float,"
    " born date, at datetime(6), seen timestamp(3) NULL, day time(6), y year, raw blob, fixed"
    " binary(4), rank enum('gold', 'née'), flags set('a','b'), bits bit(9), tiny tinyint(1),"
    " doc json, old varchar(20) CHARACTER SET latin1, gbk varchar(20) CHARACTER SET gbk,"
    " wide longtext, big bigint unsigned, nothing text)",
    "SET SESSION sql_mode = ''",
    "INSERT INTO customers VALUES (1, '示例 😀 100% :a ''q'' \\\\ \"x\"\\n\\t',"
    " 1234567890.5, 0.1, 0.1, '0000-00-00', '0000-00-00', '2024-03-10 02:30:00.125',"
    " '-838:59:59', 0, X'00FF41', X'41',"
    " 'née', 'a,b', b'101', 1, '{\"a\": 1.0}', 'éÿ', '汉字', '', 18446744073709551615, NULL),"
    " (2, '', 0, -0.0, 1e30, '2024-00-00', '9999-12-31 23:59:59.999999', 0, NULL, 2155, '', '',"
    " '', '', NULL, 0, NULL, '', '', 'a\\0b', 0, NULL),"
    f" (3, repeat('长', {LONG // 10}), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
    f" repeat(X'FE', 50), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, repeat('x', {LONG}),"
    " NULL, NULL)",
)
ODD = {"postgres_database": POSTGRESQL, "mariadb_database": MARIADB}


@pytest.fixture(autouse=True)
def _installed():
    pytest.importorskip("connectorx", reason="pip install 'onefold[fast]'")


@pytest.fixture(params=list(ODD))
def database(request):
    """URL of an empty database of each kind of server."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def asked(monkeypatch):
    """How often connectorx was asked, and what is done just before."""
    times, first, read = [], [], fast.read

    def seen(*given):
        times.append(given)
        for act in first:
            act()
        return read(*given)

    monkeypatch.setattr(fast, "read", seen)
    times_and_first = type("Asked", (), {"times": times, "first": first})
    return times_and_first()


def _both(home, asked, **settings):
    """Rows of the fast path, which was taken, and of the usual one."""
    results = []
    for told in ({"fast": True}, {}):
        manifest, rows = home.sync(home.config(**{**MAPPED, **told, **settings}))
        assert not manifest.notes
        results.append((manifest.content_hash, sorted(rows, key=lambda row: row["_source_key"])))
        for file in home.lake.rglob("*.parquet"):
            file.unlink()
    assert len(asked.times) == 1
    return results


@pytest.mark.parametrize("fixture", list(ODD))
def test_odd_values_are_the_same_rows_by_both_paths(home, request, asked, fixture):
    database = request.getfixturevalue(fixture)
    _run(database, *ODD[fixture])
    quick, usual = _both(home, asked, url=database)
    assert quick == usual
    assert len(quick[1]) == 3 and quick[1][0]["name"].startswith("示例 😀 100%")


def test_query_with_signs_and_conditions_gives_the_same_rows(home, asked, database):
    _run(
        database,
        "CREATE TABLE customers (id int, name varchar(30), off varchar(9))",
        "INSERT INTO customers VALUES (1, 'Ann :x 5%', 'a''b%'), (2, 'Bob 5%', 'no'), (3, '', '')",
    )
    quick, usual = _both(
        home,
        asked,
        url=database,
        table="",
        query="SELECT id, name, off FROM customers WHERE name LIKE '%5\\%' OR id = 3",
        deleted={"column": "off", "values": ["a'b%", ":off"]},
    )
    assert quick == usual
    assert [row["id"] for row in quick[1]] == ["2", "3"]


def test_table_without_rows_has_its_columns(home, asked, database):
    _run(database, "CREATE TABLE customers (id int, name varchar(30))")
    quick, usual = _both(home, asked, url=database)
    assert quick == usual and quick[1] == []


def test_rows_of_postgresql_are_those_of_the_moment_in_which_the_sync_began(
    home, asked, postgres_database
):
    _run(postgres_database, "CREATE TABLE customers AS SELECT 1 AS id, 'Ann Sample' AS name")
    asked.first.append(
        lambda: _run(postgres_database, "INSERT INTO customers VALUES (2, 'too late')")
    )
    _, rows = home.sync(home.config(url=postgres_database, fast=True, **MAPPED))
    assert [row["id"] for row in rows] == ["1"]


def test_password_with_signs_is_passed_on(home, asked, mariadb_database):
    name = sa.make_url(mariadb_database).database
    _run(
        mariadb_database,
        "CREATE TABLE customers AS SELECT 1 AS id, 'Ann Sample' AS name",
        f"CREATE USER {name}@'127.0.0.1' IDENTIFIED BY 'p@ss:w/r d%?#'",
        f"GRANT SELECT ON {name}.* TO {name}@'127.0.0.1'",
    )
    url = sa.make_url(mariadb_database).set(username=name, password="p@ss:w/r d%?#")
    quick, usual = _both(home, asked, url=url.render_as_string(hide_password=False))
    assert quick == usual and len(quick[1]) == 1


def test_connection_that_connectorx_loses_is_read_again_without_it(home, asked, database):
    _fill(database)
    way = Proxy(database, after=2_000_000, times=2)  # Onefold's own connection is the first
    try:
        manifest, _ = home.sync(home.config(url=way.url, fast=True, **MAPPED))
    finally:
        way.close()
    assert manifest.rows == 60_000
    assert len(asked.times) == 1
    assert any("connectorx broke off" in note for note in manifest.notes)


def test_server_that_falls_silent_is_cut_off(home, asked, database):
    _fill(database)
    way = Proxy(database, after=2_000_000, stalls=True, times=9)
    began = time.monotonic()
    try:
        with pytest.raises(SourceUnreachable, match="sends nothing for 2 seconds"):
            home.sync(home.config(url=way.url, fast=True, timeout=2, **MAPPED))
    finally:
        way.close()
    assert time.monotonic() - began < 20
    assert len(asked.times) == 1
    assert home.lake_files() == {}


def test_what_is_wrong_is_said_as_without_it_and_never_a_password(home, asked, mariadb_database):
    _run(
        mariadb_database,
        "CREATE TABLE customers AS SELECT 1 AS id, 'Ann Sample' AS name",
    )
    asked.first.append(lambda: _run(mariadb_database, "DROP TABLE customers"))
    url = sa.make_url(mariadb_database).set(password="")
    with pytest.raises(SourceError, match="no table 'customers'"):
        home.sync(home.config(url=url.render_as_string(hide_password=False), fast=True, **MAPPED))


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("sqlite:///erp.db", "is for PostgreSQL, MySQL and MariaDB"),
        ("mysql://ann:secret@db.invalid/erp?charset=latin1", "charset"),
        ("postgresql://ann:secret@db.invalid/erp?sslmode=verify-full", "sslmode"),
        ("postgresql:///erp", "needs a host"),
    ],
)
def test_what_connectorx_cannot_do_alike_is_refused(home, url, what):
    with pytest.raises(SourceError, match="'fast'") as caught:
        home.sync(home.config(url=url, fast=True, **MAPPED))
    assert what in str(caught.value) and "secret" not in str(caught.value)


def test_missing_connectorx_is_said_with_what_to_install(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "connectorx", None)
    with pytest.raises(SourceError, match=r"pip install 'onefold\[fast\]'"):
        home.sync(home.config(url="mysql://ann@db.invalid/erp", fast=True, **MAPPED))


def test_other_connectors_have_no_fast_path(home):
    with pytest.raises(ConfigError, match="'fast' has no meaning for connector delimited"):
        home.config(connector="delimited", path="x.csv", fast=True, columns={"name": "name"})
