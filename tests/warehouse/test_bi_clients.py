"""Programs that know nothing of Onefold read the views: psql, DuckDB, pandas.

Superset's way is tests/warehouse/test_superset.py.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

CLIENTS = Path(__file__).parents[1] / "clients"
DUCKDB = Path(__file__).parents[2] / ".venv" / "duckdb" / "bin" / "python"
"""Made by ``make test``."""

QUERIES = {
    "SELECT count(*), min(city), max(city) FROM bi.dim_customer": [3, "上海市", "北京市"],
    "SELECT sum(email_count), count(email) FROM bi.dim_customer": [6, 3],
    "SELECT count(*) FROM bi.customer_contact_point WHERE kind = 'email'": [6],
    "SELECT count(*) FROM bi.id_map WHERE state = 'live' AND current_golden_id = golden_id": [3],
    "SELECT count(*) FROM bi.bridge_source_customer b JOIN bi.dim_customer d"
    " ON d.golden_id = b.golden_id": [4],
    "SELECT count(*) FROM bi.dim_customer_history h JOIN bi.dim_customer d"
    " ON d.golden_id = h.golden_id WHERE h.is_current AND h.valid_from = d.published_at": [3],
}


@pytest.fixture
def published(world):
    """Three customers of four records."""
    emails = {"emails": ["a@example.com", "b@example.com"]}
    world.put("crm", {"1": "Anna", "2": "Anne"}, city="上海市", **emails)
    world.put("erp", {"1": "Anna", "2": "Zoe"}, city="北京市", **emails)
    world.publish([["crm:1", "erp:1"], ["crm:2"], ["erp:2"]])
    return world


def _found_or(program, what):
    """The program, or the test is skipped; in CI it fails."""
    if program is not None and Path(program).exists():
        return str(program)
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")


def test_duckdb_attached_to_the_store_reads_every_view(published):
    python = _found_or(DUCKDB, "DuckDB's environment (make test)")
    url = published.wh.engines["warehouse"].url
    if published.wh.is_postgresql:
        place = (
            f"dbname={url.database} user={url.username} host={url.query.get('host') or url.host}"
        )
        told = ["postgres", f"{place} password={url.password or ''} port={url.port or 5432}"]
    else:
        told = ["sqlite", str(url.database)]
    done = subprocess.run(
        [python, CLIENTS / "duckdb_reads.py", *told],
        input="\n".join(QUERIES),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line)[0] for line in done.stdout.splitlines()]
    assert rows == list(QUERIES.values())


@pytest.mark.parametrize("warehouse", ["postgresql"], indirect=True)
def test_psql_reads_the_views_and_their_comments(published):
    psql = _found_or(shutil.which("psql"), "psql (Debian package postgresql-client)")
    url = published.wh.engines["warehouse"].url.set(drivername="postgresql")
    asked = [part for query in QUERIES for part in ("-c", query)]
    done = subprocess.run(
        [psql, "-X", "-A", "-t", "-F", "|", url.render_as_string(hide_password=False), *asked,
         "-c", r"\d+ bi.dim_customer"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PGCLIENTENCODING": "UTF8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[: len(QUERIES)] == ["|".join(map(str, row)) for row in QUERIES.values()]
    assert "Lasting id; never reused." in done.stdout


def test_pandas_reads_the_views_with_their_types(published):
    schema = "bi." if published.wh.is_postgresql else ""
    engine = sa.create_engine(published.wh.engines["warehouse"].url)
    with engine.connect() as connection:
        for query, expected in QUERIES.items():
            frame = pd.read_sql(sa.text(query.replace("bi.", schema)), connection)
            assert frame.iloc[0].tolist() == expected
        frame = pd.read_sql(
            sa.text(f"SELECT * FROM {schema}dim_customer_history"),
            connection,
            parse_dates=["valid_from"],
        )
    engine.dispose()
    assert pd.api.types.is_datetime64_any_dtype(frame["valid_from"])
    assert pd.api.types.is_integer_dtype(frame["birth_year"])
