"""What became of the number of customers, by cause; test_thirty_days.py shows that it adds up."""

from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from onefold.errors import ConfigError
from warehouse import export, restatement
from warehouse.restatement import ALL, REGION, SOURCE

EVER = datetime(1990, 1, 1, tzinfo=UTC)


def line(made, dimension=ALL, segment=""):
    (found,) = (one for one in made.lines if (one.dimension, one.segment) == (dimension, segment))
    return found


def causes(made, dimension=ALL, segment=""):
    return {name: count for name, count in line(made, dimension, segment).causes.items() if count}


def test_a_publish_says_who_came_who_merged_and_who_went(world):
    world.put("crm", {"1": "Anna", "2": "Anne", "3": "Zoe"})
    world.publish([["crm:1"], ["crm:2"], ["crm:3"]])
    first = restatement.of_publish(world.wh)
    assert (first.total.before, first.total.after, causes(first)) == (0, 3, {"new": 3})
    world.put("crm", {"1": "Anna", "2": "Anne", "4": "Ina"})
    world.publish([["crm:1", "crm:2"], ["crm:4"]])
    made = restatement.of_publish(world.wh)
    assert (made.total.before, made.total.after) == (3, 2)
    assert causes(made) == {"merged": 1, "ended": 1, "new": 1}
    (merged,) = (one for one in made.moved if one.cause == "merged")
    assert merged.other_golden_id in {"G0000000001", "G0000000002"}
    assert merged.reason


def test_a_split_and_a_merge_undone_are_told_apart(world):
    world.put("crm", {"1": "Anna", "2": "Anne", "3": "Ina", "4": "Inna"})
    world.publish([["crm:1"], ["crm:2"], ["crm:3", "crm:4"]])
    world.publish([["crm:1", "crm:2"], ["crm:3", "crm:4"]])
    world.publish([["crm:1"], ["crm:2"], ["crm:3"], ["crm:4"]])
    made = restatement.of_publish(world.wh)
    assert causes(made) == {"restored": 1, "split": 1}
    assert causes(restatement.between(world.wh, EVER, datetime.now(UTC))) == {"new": 3, "split": 1}


def test_a_customer_that_changes_its_region_moves_and_the_total_stays(world):
    world.put("crm", {"1": "Anna"}, region="上海市")
    world.publish([["crm:1"]])
    world.put("crm", {"1": "Anna"}, region="北京市")
    world.publish([["crm:1"]])
    made = restatement.of_publish(world.wh)
    assert (causes(made), made.changed) == ({}, 1)
    assert causes(made, REGION, "上海市") == {"moved_out": 1}
    assert causes(made, REGION, "北京市") == {"moved_in": 1}
    assert (line(made, REGION, "上海市").before, line(made, REGION, "上海市").after) == (1, 0)


def test_a_customer_of_two_sources_counts_in_both(world):
    world.put("crm", {"1": "Anna"})
    world.put("erp", {"1": "Anna"})
    world.publish([["crm:1", "erp:1"]])
    made = restatement.of_publish(world.wh)
    assert made.total.after == 1
    assert causes(made, SOURCE, "crm") == causes(made, SOURCE, "erp") == {"new": 1}


def test_the_same_moment_twice_and_no_publish_restate_nothing(world):
    assert restatement.of_publish(world.wh) is None
    now = datetime.now(UTC)
    made = restatement.between(world.wh, now, now)
    assert (made.total.before, made.total.after, made.moved) == (0, 0, ())


def test_wrong_moments_and_unknown_publishes_are_refused(world):
    now = datetime.now(UTC)
    with pytest.raises(ConfigError, match="before the first"):
        restatement.between(world.wh, now, now - timedelta(days=1))
    world.put("crm", {"1": "Anna"})
    world.publish([["crm:1"]])
    with pytest.raises(ConfigError, match="no such publish"):
        restatement.of_publish(world.wh, "never")


def test_every_id_that_moved_is_in_the_file(world, tmp_path):
    world.put("crm", {"1": "Anna", "2": "Anne"})
    world.publish([["crm:1"], ["crm:2"]])
    world.publish([["crm:1", "crm:2"]])
    made = restatement.of_publish(world.wh)
    assert export.moved(made, tmp_path / "ids.parquet") == 1
    (row,) = pq.read_table(tmp_path / "ids.parquet").to_pylist()
    assert (row["golden_id"], row["cause"], row["other_golden_id"]) == (
        made.moved[0].golden_id,
        "merged",
        made.moved[0].other_golden_id,
    )
