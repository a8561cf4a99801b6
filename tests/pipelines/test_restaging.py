"""Staging what changed gives what staging everything gives."""

import csv
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.errors import DecisionConflict
from onefold.settings import load
from pipelines import stages
from warehouse import findings, moved, quarantine, repairs, staged_records, sync_runs, tables
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse, connect

YML = """\
connector: delimited
path: data/people.csv
key: Id
hold_if_shrinks_by: 1
columns: {name: Name, phone: Phone, email: Email, birth_date: Born, updated_at: Updated,
          city: City, attributes.code: Code}
"""
OWN = {
    "unique": "{type: expect_column_values_to_be_unique, kwargs: {column: name_key}}",
    "mostly": "{type: expect_column_values_to_match_regex, severity: warning,"
    " kwargs: {column: emails, regex: example, mostly: 0.7}}",
    "count": "{type: expect_column_unique_value_count_to_be_between,"
    " kwargs: {column: city, min_value: 2}}",
}
GOOD: dict[str, list[str]] = {
    "Name": ["张伟", "李娜", "王芳", "陈静", "Ann Doyle"],
    "Phone": ["13800000001", "13800000002"],
    "Email": ["a@example.com", "b@mail.example", ""],
    "Born": ["1980-01-02", "1981-04-03", ""],
    "Updated": ["2024-01-05", "2024-02-06", ""],
    "City": ["南京", "苏州"],
    "Code": ["a", "b", ""],
}
BAD: dict[str, list[str]] = {
    "Name": ["", "#N/A"],
    "Phone": ["123", "1.38E+10"],
    "Email": ["c@", "d@sample.test"],
    "Born": ["03/04/1981", "25/12/1982", "12/25/1982", "2999-01-01", "x"],
    "Updated": ["2999-12-31 10:00:00", "5/6/2024", "31/1/2024"],
    "City": ["无锡"],
}
Row = dict[str, str]


class Source:
    """A CSV file that changes, staged as changes come and once more from nothing."""

    def __init__(self, home: Path, deployment: stages.Deployment, fresh: Warehouse) -> None:
        self.home, self.deployment = home, deployment
        both = {**fresh.engines, REVIEW: deployment.warehouse.engines[REVIEW]}
        self._fresh = Warehouse(fresh.settings, both)
        self.rows: list[Row] = []
        self.made: list[str] = []

    def sync(self) -> None:
        with (self.home / "data" / "people.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["Id", *GOOD])
            writer.writeheader()
            writer.writerows(self.rows)
        assert stages.sync(self.deployment, "people").good

    def staged(self) -> dict[str, Any]:
        """How it stands, staged as it came."""
        assert stages.stage(self.deployment, "people").good
        return stand(self.deployment.warehouse)

    def staged_anew(self) -> dict[str, Any]:
        """How it would stand if all of it were staged now."""
        with self._fresh.write() as connection:
            for table in (tables.staged_customer, tables.quarantine, tables.sync_run):
                connection.execute(sa.delete(table))
        assert stages.stage(replace(self.deployment, warehouse=self._fresh), "people").good
        return stand(self._fresh)

    def repair(self, number: int, value: str | None) -> None:
        """Mend or accept one of the open findings."""
        ids = sorted(quarantine.read(self.deployment.warehouse)["quarantine_id"].to_pylist())
        if ids:
            kind, chosen = "accept" if value is None else "value", ids[number % len(ids)]
            wh = self.deployment.warehouse
            try:
                self.made.append(repairs.add(wh, chosen, kind, "li", value=value))  # type: ignore[arg-type]
            except DecisionConflict:  # of a whole record, or dealt with already
                assert value is not None or findings.get(wh, chosen).state != "open"

    def undo(self, number: int) -> None:
        """Take back one of the repairs."""
        if self.made:
            repairs.undo(self.deployment.warehouse, self.made.pop(number % len(self.made)), "li")


def stand(wh: Warehouse) -> dict[str, Any]:
    """All that a staging leaves, without when and in which run."""
    table = tables.staged_customer.c
    with wh.read() as connection:
        query = sa.select(table.record_id, table.content_hash).order_by(table.record_id)
        hashes = [tuple(row) for row in connection.execute(query)]
    kept = quarantine.read(wh), quarantine.read(wh, status="accepted")
    run = sync_runs.last_sync(wh, "people")
    assert run is not None and run.manifest is not None
    return {
        "staged": staged_records.read(wh).to_pylist(),
        "hashes": hashes,
        "quarantine": [found.drop_columns(["first_seen"]).to_pylist() for found in kept],
        "counts": (run.rows_read, run.rows_staged, run.rows_quarantined, run.findings),
        "told": [run.manifest[name] for name in ("checks", "repairs", "cleaned", "counts")],
        "hash": run.staged_hash,
    }


@pytest.fixture(scope="module", autouse=True)
def short_runs() -> Iterator[None]:
    """Few records that moved together are a run, as there are few."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moved, "LEAST", 2)
        yield


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two homes with tables and nothing in them, to be copied."""
    folder = tmp_path_factory.mktemp("restaging")
    for name in ("a", "b"):
        (folder / name / "sources").mkdir(parents=True)
        (folder / name / "data").mkdir()
        (folder / name / "onefold.yml").write_text("database: sqlite\ncountry: CN\n")
        with stages.opened(folder / name):
            pass
    return folder


@pytest.fixture
def opened(homes: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Opens a source with expectations of its own, on SQLite or another database."""

    @contextmanager
    def open_source(own: Sequence[str] = (), database: str = "sqlite") -> Iterator[Source]:
        with ExitStack() as stack:
            folder = tmp_path_factory.mktemp("world")
            stack.callback(shutil.rmtree, folder)
            for name in ("a", "b"):
                shutil.copytree(homes / name, folder / name)
            text = "".join(f"\n  - {OWN[name]}" for name in own)
            yml = YML + (f"expectations:{text}\n" if own else "")
            (folder / "a" / "sources" / "people.yml").write_text(yml, encoding="utf-8")
            (folder / "a" / "onefold.yml").write_text(f"database: {database}\ncountry: CN\n")
            deployment = stack.enter_context(stages.opened(folder / "a"))
            fresh = stack.enter_context(closing(connect(load(folder / "b"))))
            yield Source(folder / "a", deployment, fresh)

    return open_source


good = st.fixed_dictionaries({name: st.sampled_from(found) for name, found in GOOD.items()})
one_bad = st.one_of(st.tuples(st.just(name), st.sampled_from(found)) for name, found in BAD.items())
rows = st.one_of(good, good, st.builds(lambda row, bad: {**row, bad[0]: bad[1]}, good, one_bad))
places = st.integers(0, 1000)
steps = st.one_of(
    st.tuples(st.just("insert"), places, rows),
    st.tuples(st.just("update"), places, st.sampled_from(list(GOOD)), rows),
    st.tuples(st.just("delete"), places),
    st.tuples(st.just("move"), places, places),
    st.tuples(st.just("same key"), places, rows),
    st.tuples(st.just("value"), places, st.sampled_from(["13800000009", "1990-02-03", "陈静", ""])),
    st.tuples(st.just("accept"), places),
    st.tuples(st.just("undo"), places),
)


def take(source: Source, step: tuple[Any, ...]) -> None:
    """Do one step to a source."""
    what, number, *more = step
    own, place = source.rows, number % len(source.rows)
    if what == "insert":
        own.insert(place, {"Id": f"N{len(own)}-{number}", **more[0]})
    elif what == "update":
        own[place] = {**own[place], more[0]: more[1][more[0]]}
    elif what == "delete" and len(own) > 1:
        del own[place]
    elif what == "move":
        own.insert(more[0] % len(own), own.pop(place))
    elif what == "same key":
        own.append({**more[0], "Id": own[place]["Id"]})
    elif what == "value":
        source.repair(number, more[0])
    elif what == "accept":
        source.repair(number, None)
    elif what == "undo":
        source.undo(number)


@settings(
    max_examples=4,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    own=st.sets(st.sampled_from(sorted(OWN))),
    first=st.lists(rows, min_size=12, max_size=16),
    syncs=st.lists(st.lists(steps, min_size=1, max_size=3), min_size=2, max_size=3),
)
def test_staging_what_changed_gives_what_staging_everything_gives(
    opened: Callable[..., Any],
    own: set[str],
    first: list[Row],
    syncs: list[list[tuple[Any, ...]]],
) -> None:
    with opened(sorted(own)) as source:
        source.rows = [{"Id": f"P{number}", **row} for number, row in enumerate(first)]
        source.sync()
        source.staged()
        for one in syncs:
            for step in one:
                take(source, step)
            source.sync()
            assert source.staged() == source.staged_anew()


def people(count: int) -> list[Row]:
    """Records without a finding."""
    return [{"Id": f"P{n}", **{name: own[0] for name, own in GOOD.items()}} for n in range(count)]


def cleaned(source: Source, world: ModuleType) -> str:
    """How many records were cleaned, and that the result is that of cleaning all."""
    lines: list[str] = []
    source.sync()
    with world.told(lines):
        as_it_came = source.staged()
    assert as_it_came == source.staged_anew()
    [line] = [line for line in lines if "cleaning" in line]
    return line.removeprefix("staged/people: cleaning ")


def test_only_records_that_changed_are_cleaned(
    opened: Callable[..., Any], world: ModuleType
) -> None:
    with opened() as source:
        source.rows = people(9)
        assert cleaned(source, world) == "9 of 9 rows"
        source.rows[3]["Phone"] = "123"
        assert cleaned(source, world) == "1 of 9 rows"
        source.rows.insert(0, source.rows.pop(4))
        assert cleaned(source, world) == "0 of 9 rows"
        del source.rows[2:5]
        assert cleaned(source, world) == "0 of 6 rows"


def test_another_habit_or_setting_of_the_source_cleans_all_records(
    opened: Callable[..., Any], world: ModuleType
) -> None:
    with opened() as source:
        source.rows = people(5)
        source.rows[0]["Born"] = "3/4/1980"
        assert cleaned(source, world) == "5 of 5 rows"
        source.rows[1]["Born"] = "31/12/1980"
        assert cleaned(source, world) == "5 of 5 rows"
        config = source.deployment.sources["people"]
        severe = {"date_two_digit_year": "error"}
        source.deployment.sources["people"] = config.model_copy(update={"severity": severe})
        assert cleaned(source, world) == "5 of 5 rows"


def test_a_snapshot_that_is_gone_cleans_all_records(
    opened: Callable[..., Any], world: ModuleType
) -> None:
    with opened() as source:
        source.rows = people(5)
        cleaned(source, world)
        [first] = (source.home / "lake" / "raw" / "people").glob("*.parquet")
        source.rows[1]["Phone"] = "123"
        first.unlink()
        assert cleaned(source, world) == "5 of 5 rows"


def test_a_repair_cleans_the_record_it_is_for(
    opened: Callable[..., Any], world: ModuleType
) -> None:
    with opened() as source:
        source.rows = people(9)
        source.rows[3]["Phone"] = "123"
        cleaned(source, world)
        source.repair(0, "13800000007")
        assert cleaned(source, world) == "1 of 9 rows"
        source.rows[5]["Name"] = "陈静"
        assert cleaned(source, world) == "1 of 9 rows"
        source.undo(0)
        assert cleaned(source, world) == "1 of 9 rows"


def doubles(source: Source) -> int:
    """Values that are not unique, as the check tells."""
    checks, *_ = stand(source.deployment.warehouse)["told"]
    [check] = [one for one in checks if one["name"] == "name_key_be_unique"]
    assert check["failed"] == check["quarantined"]
    return int(check["failed"])


def test_a_value_is_unique_again_when_its_double_is_gone(
    opened: Callable[..., Any], world: ModuleType
) -> None:
    with opened(["unique"]) as source:
        source.rows = people(9)
        for number, row in enumerate(source.rows):
            row["Name"] = f"Ann {chr(65 + number)}oyle"
        source.rows[7]["Name"] = source.rows[2]["Name"]
        assert cleaned(source, world) == "9 of 9 rows"
        assert doubles(source) == 2
        source.rows[7]["Name"] = "Bob Last"
        assert cleaned(source, world) == "2 of 9 rows"
        assert doubles(source) == 0
        source.rows[0]["Name"] = source.rows[5]["Name"]
        assert cleaned(source, world) == "1 of 9 rows"
        assert doubles(source) == 2


def test_it_is_the_same_on_postgresql(
    opened: Callable[..., Any], world: ModuleType, postgres_database: str
) -> None:
    with opened(["mostly"], postgres_database) as source:
        source.rows = people(9)
        source.rows[3]["Phone"] = "123"
        source.rows[4]["Updated"] = "2999-12-31 10:00:00"
        assert cleaned(source, world) == "9 of 9 rows"
        source.rows[5]["Email"] = "c@"
        source.rows.insert(1, source.rows.pop(3))
        del source.rows[0]
        source.repair(0, "13800000007")
        assert cleaned(source, world) == "3 of 8 rows"
