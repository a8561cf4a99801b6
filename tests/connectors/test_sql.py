"""Databases: real servers, every column as text, nothing written to the source."""

import socket
import sqlite3
import threading
import traceback

import pytest
import sqlalchemy as sa

from connectors.source import check, files
from onefold.errors import (
    SourceError,
    SourceLayout,
    SourceMissing,
    SourceUnreachable,
)


def _run(url, *statements):
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execution_options(no_parameters=True).exec_driver_sql(statement)
    engine.dispose()


def _rows(rows):
    return [{k: v for k, v in row.items() if not k.startswith("_")} for row in rows]


@pytest.fixture
def sqlite_url(home):
    return f"sqlite:///{home.data / 'erp.db'}"


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request, home):
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        sqlite3.connect(home.data / "erp.db").close()
        return f"sqlite:///{home.data / 'erp.db'}"
    name = {"postgresql": "postgres_database", "mariadb": "mariadb_database"}[request.param]
    return request.getfixturevalue(name)


def _customers(home, database, **settings):
    settings = {"table": "customers", "key": "id", "columns": {"name": "name"}, **settings}
    return home.config(connector="sql", url=database, **settings)


def test_every_database_gives_the_same_text(home, database):
    _run(
        database,
        "CREATE TABLE customers (id varchar(10), name varchar(50), amount decimal(20,2))",
        "INSERT INTO customers VALUES ('0012', '示例贸易有限公司', 12345678901234567.25),"
        " ('A 100%', 'Ann :Sample', NULL), ('x', '', 0)",
    )
    manifest, rows = home.sync(_customers(home, database))
    found = {row["_source_key"]: row for row in rows}
    assert found["0012"]["name"] == "示例贸易有限公司"
    assert found["A 100%"]["amount"] is None
    assert found["x"]["name"] == ""
    assert {row["_position"] for row in rows} == {"customers"}
    if not database.startswith("sqlite"):
        assert found["0012"]["amount"] == "12345678901234567.25"
    assert manifest.key_basis == "columns" and manifest.rows == 3


def test_query_with_percent_and_colon_is_read(home, database):
    _run(
        database,
        "CREATE TABLE customers (id integer, name varchar(50))",
        "INSERT INTO customers VALUES (1, 'Ann Sample'), (2, 'Bob :x Beispiel')",
    )
    query = "SELECT id AS number, name FROM customers WHERE name LIKE '%:x%' -- only these\n;"
    config = _customers(home, database, table="", query=query, key="number")
    _, rows = home.sync(config)
    assert _rows(rows) == [{"number": "2", "name": "Bob :x Beispiel"}]


def test_unchanged_database_writes_nothing(home, database):
    _run(
        database,
        "CREATE TABLE customers (id integer, name varchar(50))",
        "INSERT INTO customers VALUES (1, 'Ann Sample'), (2, 'Bob Beispiel')",
    )
    config = _customers(home, database)
    manifest, _ = home.sync(config)
    before = home.lake_files()
    assert home.sync(config, manifest)[0] == manifest
    assert home.lake_files() == before
    _run(database, "UPDATE customers SET name = 'Bob Muster' WHERE id = 2")
    changed, rows = home.sync(config, manifest)
    assert changed.sync_id > manifest.sync_id
    assert {row["name"] for row in rows} == {"Ann Sample", "Bob Muster"}


def test_many_rows_are_streamed(home, database):
    _run(database, "CREATE TABLE customers (id integer, name varchar(50))")
    engine = sa.create_engine(database, poolclass=sa.NullPool)
    table = sa.table("customers", sa.column("id"), sa.column("name"))
    with engine.begin() as connection:
        people = [{"id": i, "name": f"Person {i}"} for i in range(12_000)]
        connection.execute(table.insert(), people)
    manifest, rows = home.sync(_customers(home, database))
    assert manifest.rows == 12_000 == len({row["_source_key"] for row in rows})


def test_views_and_columns_with_odd_names_are_read(home, database):
    quote = "`" if database.startswith("mysql") else '"'
    _run(
        database,
        f"CREATE TABLE customers (id integer, {quote}客户 名称{quote} varchar(50),"
        f" {quote}order{quote} varchar(5))",
        "INSERT INTO customers VALUES (1, 'Ann Sample', 'x')",
        "CREATE VIEW active AS SELECT * FROM customers",
    )
    config = _customers(home, database, table="active", columns={"name": "客户 名称"})
    assert _rows(home.sync(config)[1]) == [{"id": "1", "客户 名称": "Ann Sample", "order": "x"}]


def test_missing_table_names_those_there_are(home, database):
    _run(database, "CREATE TABLE bd_customer (id integer)")
    with pytest.raises(SourceMissing, match=r"no table 'customers' \(found bd_customer\)"):
        home.sync(_customers(home, database))


def test_wrong_query_is_named(home, database):
    config = _customers(home, database, table="", query="SELECT nothing FROM nowhere")
    with pytest.raises(SourceLayout, match="the query is not accepted"):
        home.sync(config)


def test_query_with_two_columns_of_one_name_is_named(home, database):
    _run(database, "CREATE TABLE customers (id integer, name varchar(50))")
    query = "SELECT a.name, b.name FROM customers a JOIN customers b ON a.id = b.id"
    with pytest.raises(SourceLayout):
        home.sync(_customers(home, database, table="", query=query))


def test_source_is_never_written(home, database):
    _run(database, "CREATE TABLE customers (id integer, name varchar(50))")
    query = "SELECT * FROM customers) x; DELETE FROM customers; SELECT * FROM (SELECT 1"
    _run(database, "INSERT INTO customers VALUES (1, 'Ann Sample')")
    with pytest.raises(SourceError):
        home.sync(_customers(home, database, table="", query=query))
    assert len(home.sync(_customers(home, database))[1]) == 1


def test_zero_dates_and_bits_of_mariadb_are_text(home, mariadb_database):
    _run(
        mariadb_database,
        "SET SESSION sql_mode = ''",
        "CREATE TABLE customers (id int, name text, born date, seen datetime, active bit(1),"
        " note text CHARACTER SET gbk)",
        "INSERT INTO customers"
        " VALUES (1, 'Ann', '0000-00-00', '2020-00-10 00:00:00', b'1', '备注')",
    )
    _, rows = home.sync(_customers(home, mariadb_database))
    assert _rows(rows) == [
        {
            "id": "1",
            "name": "Ann",
            "born": "0000-00-00",
            "seen": "2020-00-10 00:00:00",
            "active": "1",
            "note": "备注",
        }
    ]


def test_schemas_and_types_of_postgresql_are_text(home, postgres_database):
    _run(
        postgres_database,
        "CREATE SCHEMA crm",
        "CREATE TYPE crm.kind AS ENUM ('person')",
        "CREATE TABLE crm.customers (id uuid, name text, born date, tags text[], extra jsonb,"
        " active boolean, kind crm.kind, seen timestamptz)",
        "INSERT INTO crm.customers VALUES ('00000000-0000-0000-0000-000000000001', 'Ann',"
        " 'infinity', '{a,b}', '{\"a\": 1}', true, 'person', NULL)",
    )
    _, rows = home.sync(_customers(home, postgres_database, table="crm.customers"))
    assert _rows(rows) == [
        {
            "id": "00000000-0000-0000-0000-000000000001",
            "name": "Ann",
            "born": "infinity",
            "tags": "{a,b}",
            "extra": '{"a": 1}',
            "active": "true",
            "kind": "person",
            "seen": None,
        }
    ]


def test_broken_values_of_sqlite_are_text(home, sqlite_url):
    connection = sqlite3.connect(home.data / "erp.db")
    connection.execute("CREATE TABLE customers (id integer, name text, born date)")
    values = [(1, "王小明".encode("gb18030")), (2, b"\xff\xfe\xfd"), (3, b"Ann")]
    for number, name in values:
        connection.execute(
            "INSERT INTO customers VALUES (?, CAST(? AS TEXT), '0000-00-00')", (number, name)
        )
    connection.commit()
    connection.close()
    _, rows = home.sync(_customers(home, sqlite_url))
    assert [row["name"] for row in rows] == ["王小明", "\ufffd\ufffd\ufffd", "Ann"]
    assert rows[0]["born"] == "0000-00-00"


def test_nul_characters_are_taken_out(home, sqlite_url):
    connection = sqlite3.connect(home.data / "erp.db")
    connection.execute("CREATE TABLE customers (id integer, name text)")
    connection.execute("INSERT INTO customers VALUES (1, ?)", ("Ann\0 Sample\0",))
    connection.commit()
    connection.close()
    assert home.sync(_customers(home, sqlite_url))[1][0]["name"] == "Ann Sample"


def test_missing_database_file_is_named_and_not_made(home, sqlite_url):
    with pytest.raises(SourceMissing, match=r"no .*erp\.db"):
        home.sync(_customers(home, sqlite_url))
    assert not (home.data / "erp.db").exists()


def test_file_that_is_no_database_is_named(home, sqlite_url):
    (home.data / "erp.db").write_bytes(b"Name,Phone\n" * 200)
    with pytest.raises(SourceLayout, match="no SQLite database"):
        home.sync(_customers(home, sqlite_url))


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_unreachable_server_is_worth_a_retry_and_keeps_the_password(home, kind):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"{kind}://reader:s3cret@127.0.0.1:{port}/erp"
    with pytest.raises(SourceUnreachable, match=f"127.0.0.1:{port}") as caught:
        home.sync(_customers(home, url))
    assert caught.value.transient
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in repr(_customers(home, url))


def test_server_that_hangs_up_is_unreachable(home):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            connection, _ = server.accept()
            connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        url = f"postgresql://reader@127.0.0.1:{server.getsockname()[1]}/erp"
        with pytest.raises(SourceUnreachable):
            home.sync(_customers(home, url))


def test_refused_user_is_not_tried_again(home, mariadb_database):
    url = sa.make_url(mariadb_database).set(username="nobody", password="s3cret")
    with pytest.raises(SourceError, match="refuses the user") as caught:
        home.sync(_customers(home, url.render_as_string(hide_password=False)))
    assert not caught.value.transient
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("fixture", ["postgres_url", "mariadb_url"])
def test_missing_database_on_a_server_is_named(home, request, fixture):
    url = sa.make_url(request.getfixturevalue(fixture)).set(database="no_such_database")
    with pytest.raises(SourceMissing, match="no such database"):
        home.sync(_customers(home, url.render_as_string(hide_password=False)))


@pytest.mark.parametrize("url", ["not a url", "oracle9://a/b"])
def test_wrong_url_is_named(home, url):
    with pytest.raises(SourceError, match=r"sources/customers\.yml, url"):
        home.sync(_customers(home, url))


def test_password_comes_from_the_environment(home, database, monkeypatch):
    _run(database, "CREATE TABLE customers (id integer, name varchar(50))")
    monkeypatch.setenv("ERP_URL", database)
    assert "customers in" in check(_customers(home, "${ERP_URL}"))


def test_sqlite_file_is_watched_and_a_server_is_not(home, sqlite_url):
    _run(sqlite_url, "CREATE TABLE customers (id integer, name varchar(50))")
    watched = files(_customers(home, sqlite_url))
    assert [path for path, _, _ in watched] == [str(home.data / "erp.db")]
    assert files(_customers(home, "postgresql://a@127.0.0.1:1/b")) == []
