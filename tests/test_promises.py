"""What always holds, from files to golden table: random sources, changes and decisions.

Each example writes two small sources, refreshes, changes records, decides as a
steward would and refreshes again, on SQLite and on PostgreSQL.
"""

import csv
import random
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dedupe.identity import resolve
from onefold.errors import DecisionConflict
from pipelines import stages
from warehouse import decisions, export, publish, tables

SOURCES = ("shop", "desk")
NAMES = [
    "张伟",
    "張偉",
    "Zhang Wei",
    "李晓明",
    "王芳",
    "Ann Smith",
    "Anne Smith",
    "杭州云帆科技有限公司",
]
PHONES = ["13900000001", "+86 139 0000 0001", "13900000002", "1.39E+10", "", "无"]
EMAILS = ["a@example.com", "b@example.com", "", "broken@@"]
CITIES = ["杭州市", "上海市", ""]

people = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["", *NAMES]),
        "phone": st.sampled_from(PHONES),
        "email": st.sampled_from(EMAILS),
        "city": st.sampled_from(CITIES),
    }
)
worlds = st.fixed_dictionaries(
    {
        source: st.dictionaries(st.integers(1, 9), people, min_size=2, max_size=7)
        for source in SOURCES
    }
)
World = dict[str, dict[int, dict[str, str]]]


def write(home: Path, world: World, order: random.Random) -> None:
    """The world as one CSV file and one YAML file per source, rows in a random order."""
    for source, records in world.items():
        keys = list(records)
        order.shuffle(keys)
        with (home / f"{source}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["no", "name", "phone", "email", "city"])
            writer.writerows([key, *records[key].values()] for key in keys)
        (home / "sources" / f"{source}.yml").write_text(
            f"name: {source}\nconnector: delimited\npath: {source}.csv\nkey: no\n"
            "hold_if_shrinks_by: 1.0\n"
            "columns: {name: name, phone: phone, email: email, city: city}\n",
            encoding="utf-8",
        )


def refresh(home: Path) -> None:
    """Every stage, as the job runs them."""
    with stages.opened(home) as deployment:
        for source in SOURCES:
            assert stages.sync(deployment, source).good
            assert stages.stage(deployment, source).good
        assert all(check.passed for check in stages.accounting(deployment))
        stages.publish(deployment)


def dump(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of the warehouse."""
    with stages.opened(home) as deployment, deployment.warehouse.read() as connection:
        return {
            name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for name, table in tables.warehouse.tables.items()
        }


def golden_rows(home: Path) -> list[dict[str, Any]]:
    with stages.opened(home) as deployment:
        return export.read_golden(deployment.warehouse).to_pylist()


def lake_files(home: Path) -> dict[str, int]:
    return {str(f): f.stat().st_mtime_ns for f in (home / "lake").rglob("*") if f.is_file()}


def crosswalk_of(home: Path) -> dict[str, str]:
    with stages.opened(home) as deployment:
        rows = publish.read_identity(deployment.warehouse).crosswalk.to_pylist()
    return {row["record_id"]: row["golden_id"] for row in rows}


def check_records(home: Path) -> None:
    """Promises 1 and 8: no record is lost, and every golden value is its record's."""
    with stages.opened(home) as deployment:
        staged = {row["record_id"]: row for row in deployment.staged().to_pylist()}
        with deployment.warehouse.read() as connection:
            fields = connection.execute(sa.select(tables.golden_field)).mappings().all()
        golden = {
            row["golden_id"]: row for row in export.read_golden(deployment.warehouse).to_pylist()
        }
    crosswalk = crosswalk_of(home)
    assert set(crosswalk) == set(staged)
    assert set(crosswalk.values()) == set(golden)
    named: set[tuple[str, str, int]] = set()
    for one in fields:
        record = staged[f"{one['source']}:{one['source_key']}"]
        assert crosswalk[record["record_id"]] == one["golden_id"]
        value = golden[one["golden_id"]][one["field"]]
        held = record[one["field"]]
        assert value[one["item"]] in held if isinstance(value, list) else value == held
        named.add((one["golden_id"], one["field"], one["item"]))
    for golden_id, row in golden.items():
        for name in ("name", "city", "customer_type", "emails", "phones"):
            items = row[name] if isinstance(row[name], list) else [row[name]]
            for at, item in enumerate(items):
                assert item is None or (golden_id, name, at) in named


def check_ids(home: Path, ever: set[str]) -> None:
    """Promise 3: every id ever published resolves, without cycles, to a live one or an end."""
    live = set(crosswalk_of(home).values())
    with stages.opened(home) as deployment:
        redirects = publish.redirects(deployment.warehouse)
    assert not live & set(redirects)
    for golden_id in ever | live:
        assert resolve(golden_id, redirects) in {None, *live}
    ever |= live


def decide(home: Path, random_: random.Random) -> list[tuple[str, str, str]]:
    """A few random decisions on live records; contradictions are refused, not stored."""
    records = sorted(crosswalk_of(home))
    kept = []
    with stages.opened(home) as deployment:
        for _ in range(3):
            left, right = sorted(random_.sample(records, 2))
            kind = random_.choice(["link", "no_link"])
            try:
                decisions.add(
                    deployment.warehouse,
                    kind,
                    left_id=left,
                    right_id=right,
                    decided_by="ann",
                    reason="seen on paper",
                )
            except DecisionConflict:
                continue
            kept.append((kind, left, right))
    return kept


@contextmanager
def home_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A home as ``onefold init`` leaves it, on SQLite or on a PostgreSQL database of its own."""
    (folder / "sources").mkdir(parents=True)
    database = "sqlite"
    with ExitStack() as stack:
        if kind == "sqlite":
            migrated = request.getfixturevalue("migrated_files")
            shutil.copytree(migrated, folder, dirs_exist_ok=True)
        else:
            new_database = request.getfixturevalue("new_database")
            database = stack.enter_context(new_database(request.getfixturevalue("migrated_url")))
        (folder / "onefold.yml").write_text(f"database: {database}\n", encoding="utf-8")
        yield folder


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=worlds, second=worlds, seed=st.integers(0, 2**32 - 1))
def test_promises_hold_on_random_sources_changes_and_decisions(
    kind: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
    first: World,
    second: World,
    seed: int,
) -> None:
    order = random.Random(seed)
    tmp = tmp_path_factory.mktemp("world")
    with home_of(kind, tmp / "home", request) as home:
        ever: set[str] = set()
        write(home, first, order)
        refresh(home)
        check_records(home)
        check_ids(home, ever)

        decided = decide(home, order)
        write(home, second, order)
        refresh(home)
        check_records(home)
        check_ids(home, ever)
        crosswalk = crosswalk_of(home)
        for how, left, right in decided:  # promise 2
            if left in crosswalk and right in crosswalk:
                assert (crosswalk[left] == crosswalk[right]) == (how == "link")

        before = dump(home), lake_files(home)  # promises 4 and 6
        golden = golden_rows(home)
        refresh(home)
        assert (dump(home), lake_files(home)) == before
        write(home, second, order)
        refresh(home)
        assert golden_rows(home) == golden
        assert crosswalk_of(home) == crosswalk
