"""The list of where personal data stands is whole, and shown."""

from pathlib import Path

from pipelines import lake
from rules.customer import GOLDEN_FIELDS, PERSONAL
from warehouse import holdings
from warehouse.holdings import FILES, HOLDINGS, KEPT_OF_HISTORY
from warehouse.stores import METADATA
from warehouse.tables import golden_customer_history


def test_every_table_is_named_once() -> None:
    every = [table for metadata in METADATA.values() for table in metadata.sorted_tables]
    assert sorted(one.table.fullname for one in HOLDINGS) == sorted(one.fullname for one in every)


def test_every_table_of_the_lake_is_named() -> None:
    named = {name.partition("/")[2] for name in FILES if name.startswith("lake/")}
    assert named == {"raw", *lake.TABLES}


def test_every_file_of_a_home_that_ran_is_named(synced: Path) -> None:
    ours = {one.strip() for name in FILES for one in name.partition("/")[0].split(",")}
    settings = {"onefold.yml", "dagster.yaml", "sources", "data"}
    stores = {"warehouse.db", "review.db"}
    there = {
        path.name
        for path in synced.iterdir()
        if not path.name.startswith(".") and not path.name.endswith(("-wal", "-shm"))
    }
    assert there - ours - settings - stores == set()
    kinds = {path.name for path in (synced / "lake").iterdir()}
    assert kinds <= {name.partition("/")[2] for name in FILES if name.startswith("lake/")}


def test_columns_that_are_named_exist_and_every_personal_value_leaves_the_history() -> None:
    for one in HOLDINGS:
        for name in (*one.by, *(one.becomes or ()), *one.texts):
            assert name in one.table.c, f"{one.table.name}.{name}"
    history = next(one for one in HOLDINGS if one.table is golden_customer_history)
    assert history.becomes is not None
    assert PERSONAL & {field.name for field in GOLDEN_FIELDS} <= history.becomes.keys()
    assert not KEPT_OF_HISTORY & PERSONAL


def test_the_documentation_shows_the_list() -> None:
    document = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
    assert holdings.text() in document
