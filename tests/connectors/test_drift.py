"""A source that is not what it was: what is used and other holds it, what is new is told."""

import sqlite3

import pytest

from connectors import drift, snapshot
from onefold.errors import SourceHeld

PEOPLE = 40
MAPPED = {"key": "Id", "columns": {"name": "Name", "phone": "Phone", "birth_date": "Born"}}


def _write(home, **columns):
    """A file of people; ``columns`` change or add columns, None takes one away."""
    people = {
        "Id": [f"{i:04}" for i in range(PEOPLE)],
        "Name": [f"Person {chr(65 + i % 26)}{i}" for i in range(PEOPLE)],
        "Phone": [f"555-01{i:02}" for i in range(PEOPLE)],
        "Born": [f"19{50 + i}-03-{1 + i % 28:02}" for i in range(PEOPLE)],
        "Fax": ["" for _ in range(PEOPLE)],
    } | columns
    kept = {name: values for name, values in people.items() if values is not None}
    lines = [",".join(kept), *(",".join(row) for row in zip(*kept.values(), strict=True))]
    (home.data / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _config(home, **settings):
    return home.config(connector="delimited", path="data/a.csv", **{**MAPPED, **settings})


@pytest.fixture
def synced(home):
    """The manifest of a first sync."""
    _write(home)
    return home.sync(_config(home))[0]


def _held(home, synced, config=None):
    files = home.lake_files()
    with pytest.raises(SourceHeld) as caught:
        home.sync(config or _config(home), synced)
    assert home.lake_files() == files
    return str(caught.value)


def test_new_column_is_told_and_holds_nothing(home, synced):
    _write(home, Grade=["A"] * PEOPLE)
    manifest, rows = home.sync(_config(home), synced)
    assert 'new column "Grade"' in manifest.notes
    assert rows[0]["Grade"] == "A"
    _write(home, Grade=["B"] * PEOPLE)
    assert home.sync(_config(home), manifest)[0].notes == ()


def test_column_that_nothing_reads_may_go(home, synced):
    _write(home, Fax=None)
    assert home.sync(_config(home), synced)[0].notes == (
        'column "Fax", which is not mapped, is gone',
    )


def test_renamed_column_is_known_by_its_values_wherever_it_stands(home, synced):
    _write(home, Phone=None, Grade=["A"] * PEOPLE, Tel=[f"555-01{i:02}" for i in range(PEOPLE)])
    said = _held(home, synced)
    assert '"Phone" (columns.phone), renamed "Tel"?' in said
    assert "columns.phone in sources/customers.yml" in said
    assert "555-01" not in said


def test_renamed_column_with_new_values_is_known_by_its_place(home, synced):
    text = (home.data / "a.csv").read_text().replace("Phone", "Mobil").replace("555-01", "555-02")
    (home.data / "a.csv").write_text(text)
    assert 'renamed "Mobil"?' in _held(home, synced)


def test_editing_the_mapping_accepts_a_renamed_column(home, synced):
    text = (home.data / "a.csv").read_text()
    (home.data / "a.csv").write_text(text.replace("Phone", "Tel"))
    config = _config(home, columns={**MAPPED["columns"], "phone": "Tel"})
    assert home.sync(config, synced)[0].sync_id != synced.sync_id


def test_column_that_may_be_missing_may_go(home):
    _write(home)
    config = _config(home, columns={"name": "Name", "phone": "Phone?"})
    synced = home.sync(config)[0]
    _write(home, Phone=None)
    assert home.sync(config, synced)[0].rows == PEOPLE


def test_key_that_is_gone_holds(home, synced):
    _write(home, Id=None)
    assert '"Id" (key)' in _held(home, synced)


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("Name", [f"{i}" for i in range(PEOPLE)], "numbers, text before"),
        ("Phone", ["unknown"] * PEOPLE, "text, numbers before"),
        (
            "Born",
            [f"{1 + i % 28}/03/19{50 + i}" for i in range(PEOPLE)],
            "dates as 31/12/2024, dates as 2024-12-31 before",
        ),
        ("Born", [f"{40_000 + i}" for i in range(PEOPLE)], "numbers, dates as 2024-12-31 before"),
    ],
)
def test_values_of_another_kind_hold_and_are_named(home, synced, column, values, said):
    _write(home, **{column: values})
    message = _held(home, synced)
    assert f'"{column}"' in message and said in message
    assert "onefold source accept customers" in message


def test_values_of_another_kind_in_a_column_that_nothing_reads_hold_nothing(home, synced):
    _write(home, Fax=["555-0199"] * PEOPLE)
    assert home.sync(_config(home), synced)[0].rows == PEOPLE


def test_some_odd_values_hold_nothing(home, synced):
    phones = ["unknown"] * (PEOPLE // 4) + [f"555-01{i:02}" for i in range(PEOPLE - PEOPLE // 4)]
    _write(home, Phone=phones)
    assert home.sync(_config(home), synced)[0].rows == PEOPLE


def test_accepting_lets_one_snapshot_through_and_no_more(home, synced):
    _write(home, Name=[f"{i}" for i in range(PEOPLE)])
    _held(home, synced)
    drift.accept(snapshot.folder(home.lake, "customers"), synced.sync_id)
    accepted = home.sync(_config(home), synced)[0]
    assert accepted.kinds["Name"] == "numbers"
    _write(home)
    assert "text, numbers before" in _held(home, accepted)


def test_accepting_lets_a_source_shrink(home, synced):
    lines = (home.data / "a.csv").read_text().splitlines()
    (home.data / "a.csv").write_text("\n".join(lines[:5]) + "\n")
    assert "onefold source accept customers" in _held(home, synced)
    drift.accept(snapshot.folder(home.lake, "customers"), synced.sync_id)
    assert home.sync(_config(home), synced)[0].rows == 4


def test_heading_that_alone_mapped_a_column_holds_when_it_goes(home):
    _write(home)
    config = _config(home, columns={}, headings="auto")
    synced = home.sync(config)[0]
    _write(home, Phone=None)
    assert "columns.phone" in _held(home, synced, config)


def test_database_type_of_a_mapped_column_holds_and_is_in_the_manifest(home):
    url = f"sqlite:///{home.data / 'erp.db'}"

    def table(kind):
        with sqlite3.connect(home.data / "erp.db") as connection:
            connection.execute("DROP TABLE IF EXISTS customers")
            connection.execute(f"CREATE TABLE customers (id integer, name {kind}, note text)")
            connection.execute("INSERT INTO customers VALUES (1, 'Ann', 'x')")

    table("varchar(10)")
    config = home.config(
        connector="sql", url=url, table="customers", key="id", columns={"name": "name"}
    )
    synced = home.sync(config)[0]
    assert synced.types == {"id": "whole numbers", "name": "text", "note": "text"}
    table("varchar(80)")
    assert home.sync(config, synced)[0] == synced
    table("blob")
    assert '"name" (columns.name)' in _held(home, synced, config)
    assert "bytes, text before" in _held(home, synced, config)
