"""What changed in a database: by cursor, by change table, by comparing keys."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql

from connectors import snapshot
from connectors.queries import EVERY_ROW, NO_ROW, Query
from connectors.source import extract, reread
from onefold.errors import ConfigError, SourceHeld, SourceLayout

ALWAYS, NEVER = timedelta(0), "never"


class Table:
    """A table of customers in some database, and the source that reads it."""

    def __init__(self, home, url, cursor="timestamp", key="integer"):
        self.home, self.url = home, url
        self.run(
            f"CREATE TABLE customer (id {key}, name varchar(20), at {cursor}, gone varchar(5))"
        )
        self.config = home.config(
            connector="sql", url=url, table="customer", key="id", columns={"name": "name"},
            mode="cursor", cursor="at", full_every=NEVER,
        )  # fmt: skip

    def run(self, *statements):
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    def put(self, key, name, at, gone="NULL"):
        at = "NULL" if at is None else at if isinstance(at, int) else f"'{at}'"
        self.run(
            f"DELETE FROM customer WHERE id = {key!r}",
            f"INSERT INTO customer VALUES ({key!r}, '{name}', {at}, {gone})",
        )

    def sync(self, **settings):
        config = self.config.model_copy(update=settings)
        return extract(config, self.home.lake, snapshot.latest(self.home.lake, config.name))

    def again(self, begin, end):
        lake = self.home.lake
        return reread(self.config, lake, snapshot.latest(lake, self.config.name), begin, end)

    def names(self, done):
        table = snapshot.read(done.path)
        return dict(zip(table["id"].to_pylist(), table["name"].to_pylist(), strict=True))

    def whole(self):
        config = self.config.model_copy(update={"mode": "snapshot"})
        return extract(config, self.home.folder / "whole", None)


@pytest.fixture
def table(home):
    sqlite3.connect(home.data / "crm.db").close()
    return Table(home, f"sqlite:///{home.data / 'crm.db'}", "text")


KINDS = {
    "sqlite": ["text", "bigint"],
    "postgres_database": ["timestamptz", "date"],
    "mariadb_database": ["timestamp NULL"],
}


@pytest.fixture(params=[(name, kind) for name, kinds in KINDS.items() for kind in kinds], ids=str)
def any_table(request, home):
    """A table in each kind of database, with each kind of cursor."""
    name, kind = request.param
    if name == "sqlite":
        url = f"sqlite:///{home.data / 'crm.db'}"
        sqlite3.connect(home.data / "crm.db").close()
    else:
        url = request.getfixturevalue(name)
    return Table(home, url, kind), kind


def moment(kind, day):
    """A day of 2024 as a value of a cursor."""
    return day if kind == "bigint" else f"2024-01-{day:02d}"


def test_every_database_and_kind_of_cursor_gives_what_a_whole_read_gives(any_table):
    table, kind = any_table
    for key in range(1, 20):
        table.put(key, f"name {key}", moment(kind, key))
    assert table.sync().counts.new == 19
    assert table.sync().status == "unchanged"
    table.put(3, "changed", moment(kind, 21))
    table.put(30, "null", None)
    table.put(31, "new", moment(kind, 20))
    done = table.sync()
    assert (done.counts.new, done.counts.changed, done.counts.deleted) == (2, 1, 0)
    assert done.counts.read < 8
    assert done.manifest.content_hash == table.whole().manifest.content_hash
    table.put(32, "late", moment(kind, 2))
    table.put(4, "late too", moment(kind, 3))
    table.put(30, "null again", None)
    table.run(
        "DELETE FROM customer WHERE id IN (5, 31)", "UPDATE customer SET id = 60 WHERE id = 6"
    )
    done = table.sync()
    assert (done.counts.new, done.counts.changed, done.counts.deleted) == (0, 1, 0)
    assert table.names(done)["30"] == "null again"
    done = table.sync(full_every=ALWAYS)
    assert (done.counts.new, done.counts.changed, done.counts.deleted) == (2, 1, 3)
    assert done.manifest.content_hash == table.whole().manifest.content_hash
    table.put(5, "back", moment(kind, 22))
    assert table.names(table.sync())["5"] == "back"
    table.run("DELETE FROM customer WHERE id IN (7, 8)")
    day = "{}" if kind == "bigint" else "2024-01-{:02d}"
    done = table.again(day.format(6), day.format(8))
    assert (done.counts.read, done.counts.deleted) == (1, 1)
    assert {"7", "8"} & table.names(done).keys() == {"8"}


def test_rows_at_the_boundary_and_in_the_overlap_are_read_again(table):
    table.put(1, "first", "2024-01-01 10:00:00")
    table.sync()
    table.put(2, "same moment", "2024-01-01 10:00:00")
    table.put(3, "committed late", "2024-01-01 09:51:00")
    table.put(4, "too late", "2024-01-01 09:49:00")
    assert table.names(table.sync()).keys() == {"1", "2", "3"}
    table.put(4, "too late", "2024-01-01 09:48:59")
    assert table.names(table.sync(overlap=timedelta(hours=1))).keys() == {"1", "2", "3", "4"}


@pytest.mark.parametrize(
    ("written", "next_one"),
    [
        ("2024-01-02T10:00:00.5Z", "2024-01-02T10:00:00.6Z"),
        ("20240102", "20240103"),
        ("20240102100000", "20240102100001"),
        ("v-000017", "v-000018"),
    ],
)
def test_text_is_a_cursor_as_it_is_written(table, written, next_one):
    table.put(1, "first", written)
    table.put(2, "nothing", "")
    table.sync()
    table.put(3, "next", next_one)
    table.put(2, "still nothing", "")
    names = table.names(table.sync())
    assert names["3"] == "next"
    assert names["2"] == ("nothing" if written.startswith("v") else "still nothing")


def test_a_row_stamped_in_the_future_hides_nothing(table):
    now = datetime.now(UTC)
    table.put(1, "now", f"{now:%Y-%m-%d %H:%M:%S}")
    table.put(2, "future", "2099-01-01 00:00:00")
    done = table.sync()
    assert "2099" not in done.manifest.mark
    assert any("future" in note and "time_zone" in note for note in done.manifest.notes)
    table.put(3, "after", f"{now + timedelta(seconds=1):%Y-%m-%d %H:%M:%S}")
    table.put(2, "future, changed", "2099-01-01 00:00:00")
    assert set(table.names(table.sync()).values()) == {"now", "after", "future, changed"}


def test_a_source_put_back_from_a_backup_is_compared_at_once(table):
    for key in range(1, 9):
        table.put(key, f"name {key}", f"2024-01-0{key} 10:00:00")
    table.sync()
    table.run("DELETE FROM customer WHERE id > 5")
    table.put(2, "as it was", "2023-12-01 10:00:00")
    done = table.sync()
    assert done.manifest.content_hash == table.whole().manifest.content_hash
    assert table.sync().status == "unchanged"


def test_rows_switched_off_leave_and_come_back(table):
    off = {"deleted": {"column": "gone", "values": ["yes"]}}
    table.config = table.home.config(
        connector="sql", url=table.url, table="customer", key="id", columns={"name": "name"},
        mode="cursor", cursor="at", full_every=NEVER, **off,
    )  # fmt: skip
    for key in range(1, 5):
        table.put(key, f"name {key}", f"2024-01-0{key}", "'yes'" if key == 4 else "'no'")
    assert table.names(table.sync()).keys() == {"1", "2", "3"}
    table.put(1, "name 1", "2024-01-05", "'yes'")
    assert table.names(table.sync()).keys() == {"2", "3"}
    table.put(1, "back", "2024-01-06", "NULL")
    done = table.sync()
    assert table.names(done) == {"1": "back", "2": "name 2", "3": "name 3"}
    assert done.manifest.content_hash == table.whole().manifest.content_hash


def test_a_change_table_says_what_was_deleted_and_what_came_back(table):
    table.run("CREATE TABLE log (n integer, customer integer)")
    with_log = {"changes": {"table": "log", "key": "customer", "cursor": "n"}}
    table.config = table.home.config(
        connector="sql", url=table.url, table="customer", key="id", columns={"name": "name"},
        mode="cursor", cursor="at", full_every=NEVER, **with_log,
    )  # fmt: skip
    for key in range(1, 6):
        table.put(key, f"name {key}", f"2024-01-0{key}")
    table.sync()
    table.run("DELETE FROM customer WHERE id IN (1, 2)", "INSERT INTO log VALUES (1, 1), (2, 2)")
    table.put(2, "came back with its old moment", "2024-01-02")
    done = table.sync()
    assert done.counts.deleted == 1
    assert done.manifest.content_hash == table.whole().manifest.content_hash
    assert table.sync().status == "unchanged"


def test_a_change_table_alone_is_enough(table):
    table.run("CREATE TABLE log (n integer, customer integer)")
    table.config = table.home.config(
        connector="sql", url=table.url, table="customer", key="id", columns={"name": "name"},
        mode="changes", changes={"table": "log", "key": "customer", "cursor": "n"},
        full_every=NEVER,
    )  # fmt: skip
    for key in range(1, 6):
        table.put(key, f"name {key}", None)
    table.sync()
    table.put(1, "changed", None)
    table.put(7, "new", None)
    table.run("DELETE FROM customer WHERE id = 3", "INSERT INTO log VALUES (1,1),(2,7),(3,3),(4,9)")
    done = table.sync()
    assert (done.counts.new, done.counts.changed, done.counts.deleted) == (1, 1, 1)
    assert done.manifest.content_hash == table.whole().manifest.content_hash
    table.put(8, "not noted", None)
    table.run("INSERT INTO log VALUES (5, 1)")
    assert "8" not in table.names(table.sync())
    assert "8" in table.names(table.sync(full_every=ALWAYS))


def test_a_range_of_which_very_many_rows_are_gone_is_read_with_all_others(table):
    rows = ", ".join(f"({key}, 'n', '2024-01-0{2 - (key > 3)}', NULL)" for key in range(1, 1_100))
    table.run(f"INSERT INTO customer VALUES {rows}")
    table.sync()
    table.run("DELETE FROM customer WHERE id > 4")
    assert table.sync().status == "unchanged"
    table.config = table.config.model_copy(update={"hold_if_shrinks_by": 1})
    done = table.again("2024-01-01", "2024-01-02")
    assert (done.counts.read, done.counts.deleted) == (4, 1_095)
    assert table.names(done).keys() == {"1", "2", "3", "4"}


def test_too_many_deletes_are_held_back_and_looked_at_again(table):
    for key in range(1, 11):
        table.put(key, f"name {key}", f"2024-01-{key:02d}")
    first = table.sync()
    table.run("DELETE FROM customer WHERE id <= 5")
    assert table.sync().status == "unchanged"
    for _ in range(2):
        with pytest.raises(SourceHeld, match="5 rows, 10 before"):
            table.sync(full_every=ALWAYS)
        assert snapshot.latest(table.home.lake, "customers") == first.manifest
    assert table.sync(full_every=ALWAYS, hold_if_shrinks_by=1).counts.deleted == 5


def test_another_cursor_or_a_new_column_reads_everything_again(table):
    table.put(1, "old", "2024-01-01")
    table.put(2, "new", "2024-01-09")
    table.sync()
    table.run("UPDATE customer SET name = 'silent' WHERE id = 1")
    assert table.names(table.sync())["1"] == "old"
    table.run("ALTER TABLE customer ADD COLUMN city text DEFAULT 'Bath'")
    done = table.sync()
    assert table.names(done)["1"] == "silent"
    assert set(snapshot.read(done.path)["city"].to_pylist()) == {"Bath"}


def test_a_comparison_that_finds_nothing_is_not_done_again(table):
    table.put(1, "one", "2024-01-01")
    first = table.sync()
    compared = table.sync(full_every=timedelta(days=1))
    assert (compared.status, compared.path) == ("unchanged", first.path)
    then = datetime.now(UTC)
    table.sync(full_every=ALWAYS)
    progress = snapshot.progress(table.home.lake, first.manifest)
    assert progress.compared_at is not None
    assert progress.compared_at >= then
    assert len(list(table.home.lake.rglob("*.parquet"))) == 1


def test_keys_are_compared_when_cron_came_round_since_the_last_time(table):
    table.config = table.home.config(
        connector="sql", url=table.url, table="customer", key="id", columns={"name": "name"},
        mode="cursor", cursor="at", full_every="0  3 1 jan,jul *",
    )  # fmt: skip
    for key in (1, 2, 3):
        table.put(key, f"name {key}", f"2024-01-0{key}")
    first = table.sync().manifest
    table.run("DELETE FROM customer WHERE id = 1")
    half_a_year = timedelta(days=185)
    for age, status in ((timedelta(0), "unchanged"), (half_a_year, "changed")):
        earlier = {"compared_at": first.compared_at - age}
        done = extract(table.config, table.home.lake, first.model_copy(update=earlier))
        assert done.status == status
    assert table.names(done).keys() == {"2", "3"}


@pytest.mark.parametrize("every", ["sometimes", "0 3 * *", "0 25 * * *", "3", "0 0 30 2 *"])
def test_a_comparison_that_never_comes_is_refused(table, every):
    with pytest.raises(ConfigError, match=r"customers.yml, full_every: .*(cron|never)"):
        table.home.config(
            connector="sql", url=table.url, table="customer", key="id", columns={"name": "name"},
            mode="cursor", cursor="at", full_every=every,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (
            {"changes": {"table": "gone", "key": "id", "cursor": "at"}},
            "'mode: changes' or 'mode: cursor'",
        ),
        ({"overlap": "1h"}, "'mode: cursor' or 'mode: changes'"),
    ],
)
def test_a_setting_of_another_mode_says_which_to_write(table, settings, wanted):
    message = f"'{next(iter(settings))}' is not for mode snapshot: write {wanted}"
    with pytest.raises(ConfigError, match=message):
        table.home.config(
            connector="sql", url=table.url, table="customer", key="id", columns={"name": "name"},
            **settings,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"overlap": 5}, ConfigError, "overlap: 'at' needs a length of time"),
        ({"cursor": "when"}, SourceLayout, "when"),
    ],
)
def test_a_cursor_that_cannot_be_used_is_said(table, settings, error, message):
    table.put(1, "one", "2024-01-01")
    table.sync()
    with pytest.raises(error, match=message):
        table.sync(**settings)


def test_a_sync_that_is_killed_leaves_mark_and_rows_as_they_were(table):
    for key in range(1, 6):
        table.put(key, f"name {key}", f"2024-01-0{key}")
    first = table.sync()
    table.put(6, "six", "2024-01-06")
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from connectors import snapshot
        from connectors.source import extract, load_sources

        home = Path(sys.argv[1])
        config, lake = load_sources(home)["customers"], home / "lake"

        def kill(*_, **__):
            os.kill(os.getpid(), signal.SIGKILL)

        # Of each the next begins: what is slow is to import everything.
        for point in ("assemble", "publish"):
            child = os.fork()
            if not child:
                setattr(snapshot, point, kill)
                extract(config, lake, snapshot.latest(lake, "customers"))
                os._exit(0)
            print(point, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            print(snapshot.latest(lake, "customers").sync_id, flush=True)
        """
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.check_output(
        [sys.executable, "-c", script, str(table.home.folder)], env=environment, text=True
    )
    kept = first.manifest.sync_id
    dead = -signal.SIGKILL
    assert said.split() == ["assemble", str(dead), kept, "publish", str(dead), kept]
    assert table.names(table.sync())["6"] == "six"
    assert len(list(table.home.lake.rglob(".*"))) == 0


@pytest.mark.parametrize("dialect", [mssql, oracle, mysql, postgresql])
def test_conditions_are_written_for_databases_that_know_no_booleans(dialect):
    columns = (sa.column("id", sa.Integer), sa.column("at", sa.DateTime))
    query = Query({column.name: column for column in columns}, sa.table("t", *columns))
    written = [
        str(query.select(None, *conditions, gone=gone).compile(dialect=dialect.dialect()))
        for conditions, gone in (((NO_ROW,), False), ((EVERY_ROW,), False), ((), True))
    ]
    assert [text.partition("WHERE ")[2] for text in written] == ["1 = 0", "1 = 1", "1 = 0"]
