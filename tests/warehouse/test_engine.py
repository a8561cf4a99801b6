"""Opening, migrating and what is said when that cannot be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from onefold.errors import WarehouseError
from onefold.settings import Settings
from warehouse import engine, tables
from warehouse.stores import METADATA, STORES

PASSWORD = "hunter2-secret"


def test_migrated_tables_are_those_of_the_metadata(warehouse):
    for store in STORES:
        with warehouse.read(store) as connection:
            context = MigrationContext.configure(
                connection, opts=engine.migration_options(connection, store)
            )
            metadata = METADATA[store]
            if not warehouse.is_postgresql:
                metadata = sa.MetaData()
                for table in METADATA[store].tables.values():
                    table.to_metadata(
                        metadata, schema=None, referred_schema_fn=lambda *_: sa.BLANK_SCHEMA
                    )
            assert compare_metadata(context, metadata) == []


def test_versions_told_by_names_of_modules_are_those_that_alembic_knows():
    scripts = ScriptDirectory(str(engine._MIGRATIONS))
    known = frozenset(one.revision for one in scripts.walk_revisions())
    assert engine._versions() == (scripts.get_current_head(), known)


def test_a_column_that_no_migration_made_would_be_noticed(migrated):
    """The comparison above can fail."""
    warehouse = engine.connect(migrated)
    with warehouse.write() as connection:
        name = "warehouse.redirect" if warehouse.is_postgresql else "redirect"
        connection.execute(sa.text(f"ALTER TABLE {name} ADD COLUMN stray TEXT"))
    with pytest.raises(AssertionError, match="stray"):
        test_migrated_tables_are_those_of_the_metadata(warehouse)
    warehouse.close()


def test_every_table_and_column_says_what_it_holds():
    for metadata in METADATA.values():
        for table in metadata.tables.values():
            assert table.comment, table.name
            for column in table.columns:
                assert column.comment, f"{table.name}.{column.name}"


def test_postgresql_keeps_comments_for_whoever_queries(postgres_database, tmp_path):
    settings = _postgresql(tmp_path, postgres_database)
    engine.migrate(settings)
    wh = engine.connect(settings)
    with wh.read() as connection:
        said = sa.inspect(connection).get_table_comment("golden_customer", schema="warehouse")
    wh.close()
    assert said["text"] == tables.golden_customer.comment


def test_migrating_twice_changes_nothing(settings):
    engine.migrate(settings)
    wh = engine.connect(settings)
    before = _versions(wh)
    wh.close()
    engine.migrate(settings)
    wh = engine.connect(settings)
    assert _versions(wh) == before
    wh.close()


def _versions(wh):
    found = {}
    for store in STORES:
        with wh.read(store) as connection:
            prefix = f"{store}." if wh.is_postgresql else ""
            query = sa.text(f"SELECT version_num FROM {prefix}alembic_version")
            found[store] = connection.execute(query).scalar_one()
    return found


def _postgresql(folder: Path, url: str) -> Settings:
    return Settings(home=folder, database_url=url, review_url=url, lake=str(folder))


def test_what_is_up_to_date_is_opened_while_a_publish_writes(migrated, monkeypatch):
    warehouse = engine.connect(migrated)
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.2)
    with warehouse.write() as writing:
        writing.execute(sa.insert(tables.id_sequence).values(name="held", next_number=1))
        engine.migrate(migrated)
        engine.connect(migrated).close()
    warehouse.close()


def test_missing_files_are_not_made_by_connecting(tmp_path):
    settings = Settings(
        home=tmp_path,
        database_url=f"sqlite:///{tmp_path}/warehouse.db",
        review_url=f"sqlite:///{tmp_path}/review.db",
        lake="",
    )
    with pytest.raises(WarehouseError, match=r"there is no such file.*onefold migrate"):
        engine.connect(settings)
    assert list(tmp_path.iterdir()) == []


def test_database_without_tables_is_said_to_lack_them(settings):
    wh = engine.Warehouse(settings, engine._engines(settings))
    for store in STORES:  # the database is there, and empty
        with wh.read(store) as connection:
            connection.execute(sa.text("SELECT 1"))
    wh.close()
    with pytest.raises(WarehouseError, match=r"no warehouse tables yet\. Run 'onefold migrate'"):
        engine.connect(settings)


def _set_version(settings, version):
    wh = engine.connect(settings)
    with wh.write() as connection:
        prefix = "warehouse." if wh.is_postgresql else ""
        update = sa.text(f"UPDATE {prefix}alembic_version SET version_num = :version")
        connection.execute(update, {"version": version})
    wh.close()


def test_tables_of_a_newer_onefold_are_left_alone(migrated):
    _set_version(migrated, "9999")
    with pytest.raises(WarehouseError, match=r"made by a newer Onefold.*9999"):
        engine.connect(migrated)
    with pytest.raises(WarehouseError, match=r"made by a newer Onefold.*9999"):
        engine.migrate(migrated)


def test_a_folder_that_is_no_database_is_named(tmp_path):
    (tmp_path / "warehouse.db").mkdir()
    settings = Settings(
        home=tmp_path,
        database_url=f"sqlite:///{tmp_path}/warehouse.db",
        review_url=f"sqlite:///{tmp_path}/review.db",
        lake="",
    )
    with pytest.raises(WarehouseError, match=r"warehouse\.db: the file cannot be opened"):
        engine.migrate(settings)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    for name in ("warehouse.db", "review.db"):
        (tmp_path / name).write_bytes(b"this is a text and no database at all" * 100)
    settings = Settings(
        home=tmp_path,
        database_url=f"sqlite:///{tmp_path}/warehouse.db",
        review_url=f"sqlite:///{tmp_path}/review.db",
        lake="",
    )
    with pytest.raises(WarehouseError, match="file is not a database"):
        engine.connect(settings)


def _with_password(url: str, **parts) -> str:
    return sa.make_url(url).set(password=PASSWORD, **parts).render_as_string(hide_password=False)


def test_server_that_does_not_answer_is_named_without_password(tmp_path):
    url = f"postgresql+psycopg://me:{PASSWORD}@127.0.0.1:1/crm"
    with pytest.raises(WarehouseError) as caught:
        engine.connect(_postgresql(tmp_path, url))
    said = str(caught.value)
    assert "PostgreSQL database crm on 127.0.0.1:1: the database cannot be reached" in said
    assert PASSWORD not in said
    assert "me" not in said.split()


def test_missing_database_is_told_from_a_server_that_is_down(postgres_url, tmp_path):
    url = _with_password(postgres_url, database="nowhere")
    with pytest.raises(WarehouseError, match=r"nowhere.*no such database") as caught:
        engine.migrate(_postgresql(tmp_path, url))
    assert PASSWORD not in str(caught.value)


def test_password_in_the_parameters_of_the_url_is_not_shown(tmp_path):
    url = f"postgresql+psycopg://127.0.0.1:1/crm?password={PASSWORD}&user=me"
    with pytest.raises(WarehouseError) as caught:
        engine.connect(_postgresql(tmp_path, url))
    assert PASSWORD not in str(caught.value)


def test_values_of_a_refused_row_are_not_shown(warehouse):
    secret = "张伟 13800138000"
    row = {
        "golden_id": secret,
        "retired_at": sa.func.current_timestamp(),
        "publish_id": "P1",
    }
    with pytest.raises(WarehouseError) as caught, warehouse.write() as connection:
        connection.execute(sa.insert(tables.redirect).values(**row))
        connection.execute(sa.insert(tables.redirect).values(**row))
    assert "the database refuses" in str(caught.value)
    assert secret not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_failed_write_leaves_nothing(warehouse):
    with pytest.raises(ZeroDivisionError), warehouse.write() as connection:
        connection.execute(
            sa.insert(tables.id_sequence).values(name="golden_id", next_number=1 // 1)
        )
        raise ZeroDivisionError
    with warehouse.read() as connection:
        assert connection.execute(sa.select(tables.id_sequence)).all() == []


def test_a_writer_that_waits_too_long_is_told_why(migrated, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.3)
    one, other = engine.connect(migrated), engine.connect(migrated)
    with (
        one.write(),
        pytest.raises(WarehouseError, match=r"another program held the database for 0\.3 s"),
        other.write(),
    ):
        pass
    one.close()
    with other.write() as connection:
        connection.execute(sa.insert(tables.id_sequence).values(name="x", next_number=1))
    other.close()


def test_a_reader_sees_one_state_through_all_its_statements(warehouse):
    query = sa.select(sa.func.count()).select_from(tables.id_sequence)
    with warehouse.read() as reader:
        assert reader.execute(query).scalar() == 0
        with warehouse.write() as writer:
            writer.execute(sa.insert(tables.id_sequence).values(name="x", next_number=1))
        assert reader.execute(query).scalar() == 0
    with warehouse.read() as reader:
        assert reader.execute(query).scalar() == 1


def test_migrations_run_from_an_installed_copy(tmp_path):
    """Only what setup packages: the folders are copied as an installer lays them out."""
    from setuptools import find_packages

    root = Path(engine.__file__).parent.parent
    site = tmp_path / "site"
    for package in find_packages(str(root), include=["onefold*", "rules*", "warehouse*"]):
        target = site / package.replace(".", "/")
        target.mkdir(parents=True, exist_ok=True)
        for file in (root / package.replace(".", "/")).iterdir():
            if file.suffix in {".py", ".mako", ".tsv", ".yml"}:
                shutil.copy(file, target)
    script = (
        "import sys; from pathlib import Path; import warehouse.engine as e;"
        "from onefold.settings import Settings; f = Path(sys.argv[1]);"
        "s = Settings(home=f, database_url=f'sqlite:///{f}/w.db',"
        " review_url=f'sqlite:///{f}/r.db', lake='');"
        "e.migrate(s); e.connect(s).close(); print(e.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(site / "warehouse" / "engine.py")
