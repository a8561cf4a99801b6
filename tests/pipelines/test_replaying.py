"""Replays from the lake, and ranges of a cursor that are read again."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from onefold.errors import ConfigError
from pipelines import definitions, stages
from pipelines.run import instance
from warehouse import staged_records

YML = """\
connector: sql
url: sqlite:///data/shop.db
table: customer
key: id
mode: cursor
cursor: at
full_every: never
backfill_from: 2024-01-01
columns: {name: name, phone: tel}
defaults: {customer_type: person}
"""


class Shop:
    """A home whose only source is synced by its cursor."""

    def __init__(self, home: Path) -> None:
        self.home = home
        for file in (home / "sources").iterdir():
            file.unlink()
        (home / "sources" / "shop.yml").write_text(YML, encoding="utf-8")
        self.run("CREATE TABLE customer (id, name, tel, at)")
        self.put("1", "王芳", "2024-01-01 10:00:00")
        self.put("2", "李娜", "2024-01-02 10:00:00")

    def run(self, *statement: Any) -> None:
        with sqlite3.connect(self.home / "data" / "shop.db") as connection:
            connection.execute(*statement)
        connection.close()

    def put(self, key: str, name: str, at: str) -> None:
        self.run("DELETE FROM customer WHERE id = ?", (key,))
        self.run("INSERT INTO customer VALUES (?, ?, '13800000001', ?)", (key, name, at))

    def sync(self, **options: Any) -> tuple[Any, Any]:
        with stages.opened(self.home) as opened:
            return stages.sync(opened, "shop", **options), stages.stage(opened, "shop")

    def names(self) -> dict[str, str]:
        with stages.opened(self.home) as opened:
            table = staged_records.read(opened.warehouse)
        return dict(zip(table["source_key"].to_pylist(), table["name"].to_pylist(), strict=True))


@pytest.fixture
def shop(home: Path) -> Shop:
    return Shop(home)


@pytest.fixture
def three_syncs(shop: Shop) -> tuple[Shop, list[str]]:
    """Two customers, then three, then two of them with other names."""
    ids = [shop.sync()[0].sync_id]
    shop.put("3", "陈静", "2024-01-03 10:00:00")
    ids.append(shop.sync()[0].sync_id)
    shop.put("3", "陈敬", "2024-01-04 10:00:00")
    ids.append(shop.sync()[0].sync_id)
    return shop, ids


def test_a_sync_says_what_it_read_and_what_changed(shop: Shop) -> None:
    shop.sync()
    shop.put("2", "李纳", "2024-01-05 10:00:00")
    shop.put("3", "陈静", "2024-01-05 11:00:00")
    synced, staged = shop.sync()
    assert (synced.read, synced.fetched, synced.new, synced.changed, synced.deleted) == (
        3, 2, 1, 1, 0,
    )  # fmt: skip
    assert (staged.added, staged.changed, staged.deleted) == (1, 1, 0)
    assert shop.sync()[0].status == "unchanged"


def test_a_held_sync_says_how_many_rows_would_be_gone(shop: Shop) -> None:
    shop.put("3", "陈静", "2024-01-03 10:00:00")
    shop.sync()
    path = shop.home / "sources" / "shop.yml"
    path.write_text(YML.replace("full_every: never", "mode: snapshot").replace(
        "mode: cursor\ncursor: at\n", ""
    ).replace("backfill_from: 2024-01-01\n", ""), encoding="utf-8")  # fmt: skip
    shop.run("DELETE FROM customer WHERE id <> '1'")
    synced, staged = shop.sync()
    assert (synced.status, synced.held, synced.read) == ("held", 2, 3)
    assert staged.staged == 3


def test_a_replay_goes_through_every_snapshot_and_ends_at_the_newest(three_syncs: Any) -> None:
    shop, ids = three_syncs
    before = shop.names()
    with stages.opened(shop.home) as opened:
        done = stages.replay(opened, "shop")
    assert [manifest.sync_id for manifest, _ in done] == ids
    assert [(one.added, one.changed, one.deleted) for _, one in done] == [
        (0, 0, 1), (1, 0, 0), (0, 1, 0),
    ]  # fmt: skip
    assert shop.names() == before
    assert shop.sync()[1].status == "unchanged"


def test_a_replay_may_end_at_an_older_snapshot_until_the_next_staging(three_syncs: Any) -> None:
    shop, ids = three_syncs
    with stages.opened(shop.home) as opened:
        stages.replay(opened, "shop", since=ids[1], until=ids[1])
    assert shop.names() == {"1": "王芳", "2": "李娜", "3": "陈静"}
    assert shop.sync()[1].changed == 1
    assert shop.names()["3"] == "陈敬"


@pytest.mark.parametrize("since", ["2999-01-01", "nonsense"])
def test_a_replay_of_nothing_is_refused(three_syncs: Any, since: str) -> None:
    shop, _ = three_syncs
    with (
        stages.opened(shop.home) as opened,
        pytest.raises(ConfigError, match=r"no snapshot lies|neither a sync nor a day"),
    ):
        stages.replay(opened, "shop", since=since)


def test_a_day_of_the_cursor_is_read_again_and_put_over_the_snapshot(shop: Shop) -> None:
    first, _ = shop.sync()
    shop.run("UPDATE customer SET name = '王方', at = '2024-01-01 09:00:00' WHERE id = '1'")
    shop.run("UPDATE customer SET name = '李纳' WHERE id = '2'")
    job = definitions.build(shop.home).resolve_job_def("backfill_shop")
    with instance(shop.home) as dagster:
        done = job.execute_in_process(instance=dagster, partition_key="2024-01-01")
    assert done.success
    assert shop.names() == {"1": "王方", "2": "李娜"}
    shop.put("3", "陈静", "2024-01-03 10:00:00")
    synced, _ = shop.sync()
    assert (synced.new, synced.status) == (1, "changed")
    assert synced.sync_id > first.sync_id
    again, _ = shop.sync(between=("2024-01-02", "2024-01-03"))
    assert (again.fetched, again.changed) == (1, 0)


def test_a_day_that_is_read_again_loses_the_rows_that_are_gone(shop: Shop) -> None:
    for key, day in (("3", 1), ("4", 1), ("5", 2)):
        shop.put(key, "陈静", f"2024-01-0{day} 11:00:00")
    shop.sync()
    shop.run("DELETE FROM customer WHERE id IN ('3', '5')")
    shop.run("UPDATE customer SET name = '陈敬', at = '2023-12-31 08:00:00' WHERE id = '4'")
    job = definitions.build(shop.home).resolve_job_def("backfill_shop")
    with instance(shop.home) as dagster:
        assert job.execute_in_process(instance=dagster, partition_key="2024-01-01").success
    # 3 is gone, 4 only moved to another day, 5 is another day's
    assert shop.names() == {"1": "王芳", "2": "李娜", "4": "陈敬", "5": "陈静"}
    synced, _ = shop.sync(between=("2024-01-01", "2024-01-03"))
    assert (synced.deleted, synced.changed, synced.read) == (1, 0, 3)


def test_a_range_that_is_none_is_refused(shop: Shop) -> None:
    shop.sync()
    synced, _ = shop.sync(between=("yesterday", "2024-01-03"))
    assert synced.status == "failed"
    assert "no range of the cursor" in synced.message
