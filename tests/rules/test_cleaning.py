"""Slices of any size give one result; what a whole column says is known before the first."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.config import SourceConfig
from connectors.source import extract, load_sources
from rules.cleaning import clean
from rules.repairs import REPAIRS_SCHEMA, raw_hash
from rules.slices import of_table
from rules.standardize import standardize
from rules.suites import Validated, validate

DEMO = Path(__file__).parents[2] / "demo"


@cache
def demo(world: str) -> tuple[tuple[SourceConfig, pa.Table], ...]:
    """The four sources of a demo world, read."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "sources").mkdir()
        for template in sorted((DEMO / "sources").glob("*.yml")):
            text = template.read_text(encoding="utf-8").replace("{data}", str(DEMO / world))
            (home / "sources" / template.name).write_text(text, encoding="utf-8")
        sources = load_sources(home).values()
        return tuple(
            (config, pq.read_table(extract(config, home / "lake", None).path)) for config in sources
        )


def same(left: Validated, right: Validated) -> bool:
    assert left.staged.equals(right.staged)
    assert left.quarantine.equals(right.quarantine)
    assert left.accepted.equals(right.accepted)
    assert (left.checks, left.rejected) == (right.checks, right.rejected)
    assert left.overtaken == right.overtaken
    return True


@pytest.mark.parametrize(("world", "country"), [("zh", "CN"), ("en", "US")])
def test_a_world_in_slices_is_the_world_at_once(world: str, country: str) -> None:
    for config, raw in demo(world):
        own = [{"type": "expect_column_values_to_be_unique", "kwargs": {"column": "name_key"}}]
        config = config.model_copy(update={"expectations": tuple(own), "required": ("phones",)})
        once = validate(standardize(raw, config, country), config)
        assert once.quarantine.num_rows > 0
        assert same(clean(of_table(raw, 400), config, country), once)


def table(rows: list[dict[str, str]]) -> pa.Table:
    columns: dict[str, list[str | None]] = {
        "_source_key": [row.pop("key", f"k{number}") for number, row in enumerate(rows)],
        "_position": [f"list.csv|{number + 2}" for number in range(len(rows))],
        "_row_hash": [f"h{number}" for number in range(len(rows))],
    }
    names = dict.fromkeys(name for row in rows for name in row)
    columns |= {name: [row.get(name) for row in rows] for name in names}
    return pa.table(columns)


def source(raw: pa.Table, **more: Any) -> SourceConfig:
    columns = {name: [name] for name in raw.column_names if name[:1] != "_"}
    settings = {"name": "list", "connector": "delimited", "path": ["list.csv"], "columns": columns}
    return SourceConfig.model_validate({**settings, **more})


def cleaned(raw: pa.Table, rows: int, repairs: pa.Table | None = None, **more: Any) -> Validated:
    return clean(of_table(raw, rows), source(raw, **more), "GB", repairs)


def people(**columns: list[str]) -> pa.Table:
    first = [{"name": f"Ann {chr(65 + n)}oyle"} for n in range(len(next(iter(columns.values()))))]
    for name, cells in columns.items():
        for row, cell in zip(first, cells, strict=True):
            row[name] = cell
    return table(first)


def dates(found: Validated, field: str) -> Iterator[str]:
    return (day.isoformat()[:10] for day in found.staged[field].to_pylist())


@pytest.mark.parametrize("field", ["birth_date", "created_at"])
def test_a_date_of_the_last_slice_tells_the_order_of_the_first(field: str) -> None:
    raw = people(**{field: ["03/04/1980", "05/06/1980", "07/08/1980", "12/31/1980"]})
    wanted = ["1980-03-04", "1980-05-06", "1980-07-08", "1980-12-31"]
    assert list(dates(cleaned(raw, 1), field)) == wanted


def test_people_of_the_past_are_known_from_all_slices() -> None:
    born = [f"{1690 + 7 * n}-03-{1 + n:02d}" for n in range(25)]
    assert list(dates(cleaned(people(birth_date=born), 3), "birth_date")) == born


def test_a_key_of_an_earlier_slice_is_a_finding() -> None:
    raw = table(
        [{"key": k, "name": n} for k, n in zip("7879", ("Ann", "Bob", "Cy", "Di"), strict=True)]
    )
    found = cleaned(raw, 1)
    assert found.staged["source_key"].to_pylist() == ["7", "8", "9"]
    (finding,) = found.quarantine.to_pylist()
    assert (finding["rule"], finding["position"]) == ("duplicate_key", "list.csv|4")


def test_an_expectation_of_the_yaml_looks_at_all_slices() -> None:
    unique = {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "birth_date"}}
    raw = people(birth_date=["1980-01-02", "1980-01-03", "1980-01-02"])
    found = cleaned(raw, 1, expectations=[unique])
    assert found.staged["birth_date"].null_count == 2
    (check,) = (c for c in found.checks if c.name.endswith("unique"))
    assert (check.failed, check.evaluated, check.quarantined) == (2, 3, 2)


def test_repairs_hold_in_every_slice_and_those_met_by_none_are_told() -> None:
    raw = people(birth_date=["1980-01-02", "1980-13-41", "1980-14-41"])
    mended = [("a", "k1", "1981-02-03", "1980-13-41"), ("b", "k2", "1981-02-03", "1980-99-99")]
    repairs = pa.table(
        [
            [name for name, *_ in mended],
            [key for _, key, *_ in mended],
            ["birth_date"] * 2,
            ["date_impossible"] * 2,
            ["value"] * 2,
            [value for *_, value, _ in mended],
            [raw_hash(was) for *_, was in mended],
        ],
        schema=REPAIRS_SCHEMA,
    )
    for rows in (1, 3):
        found = cleaned(raw, rows, repairs)
        assert found.staged["birth_date"].null_count == 1
        assert found.staged["birth_date"].to_pylist()[1] == date(1981, 2, 3)
        assert found.overtaken == ["b"]


def test_a_source_without_records_is_clean() -> None:
    found = cleaned(people(birth_date=["1980-01-02"]).slice(0, 0), 10)
    assert (found.staged.num_rows, found.quarantine.num_rows) == (0, 0)
    assert all(check.passed for check in found.checks)
