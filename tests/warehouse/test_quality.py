"""How good the sources are: every measure counts what its line in docs/quality.md says."""

from datetime import UTC, date, datetime

import pytest

from onefold.errors import ConfigError
from warehouse import quality, quality_policy
from warehouse.quality_policy import QualityPolicy

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
TODAY = date(2026, 11, 22)


def figures(world, now=NOW, day=TODAY, policy=None):
    quality.measure(world.wh, now, day, policy or QualityPolicy())
    return {
        (one.source, one.field, one.measure): (one.good, one.counted)
        for one in quality.latest(world.wh)
    }


def test_completeness_counts_only_records_that_the_field_applies_to(world):
    world.put("crm", {"1": "Anna", "2": "Anne"}, national_id="11010119800102001X")
    world.put("erp", {"3": "Haitang Ltd"}, customer_type="organization", birth_date=None)
    world.publish([["crm:1"], ["crm:2"], ["erp:3"]])
    found = figures(world)
    assert found["crm", "national_id", "completeness"] == (2, 2)
    assert ("erp", "national_id", "completeness") not in found
    assert found["erp", "tax_id", "completeness"] == (0, 1)
    assert found["crm", "emails", "completeness"] == (0, 2)
    assert found["crm", "phones", "completeness"] == (2, 2)


def test_an_empty_list_is_no_value(world):
    world.put("crm", {"1": "Anna"}, phones=[], phone_kinds=[], phone_extensions=[])
    world.publish([["crm:1"]])
    assert figures(world)["crm", "phones", "completeness"] == (0, 1)


def test_validity_counts_rejected_values_and_not_warnings(world):
    rejected = {"source_key": "1", "field": "emails", "rule": "email_form"}
    doubtful = {"source_key": "2", "field": "emails", "rule": "email_typo", "severity": "warning"}
    world.put("crm", {"1": "A", "2": "B", "3": "C"}, rejected, doubtful, emails=["a@example.com"])
    world.publish([["crm:1"], ["crm:2"], ["crm:3"]])
    assert figures(world)["crm", "emails", "validity"] == (3, 4)


def test_records_kept_out_whole_are_not_accepted(world):
    world.put("crm", {"1": "A"}, {"source_key": "9", "field": None, "whole_record": True})
    world.publish([["crm:1"]])
    assert figures(world)["crm", "", "accepted"] == (1, 2)


def test_duplicates_within_a_source_and_repeated_numbers_show(world):
    world.put("crm", {"1": "Anna", "2": "Anna", "3": "Zoe"}, national_id="11010119800102001X")
    world.put("erp", {"1": "Anna"})
    world.publish([["crm:1", "crm:2", "erp:1"], ["crm:3"]])
    found = figures(world)
    assert found["crm", "", "single"] == (2, 3)
    assert found["erp", "", "single"] == (1, 1)
    assert found["crm", "national_id", "uniqueness"] == (1, 3)


def test_consistency_looks_only_at_customers_that_two_sources_hold(world):
    world.put("crm", {"1": "Anna", "2": "Zoe"}, city="上海市")
    world.put("erp", {"1": "Anna"}, city="北京市")
    world.publish([["crm:1", "erp:1"], ["crm:2"]])
    found = figures(world)
    sources = {source: found[source, "city", "consistency"] for source in ("crm", "erp")}
    assert sorted(sources.values()) == [(0, 1), (1, 1)]
    assert found["crm", "birth_date", "consistency"] == (1, 1)


def test_timeliness_is_of_the_days_asked_for(world):
    world.put("crm", {"1": "Anna"}, updated_at=datetime(2026, 11, 1, tzinfo=UTC))
    world.put("erp", {"1": "Anna"}, updated_at=datetime(2024, 11, 1, tzinfo=UTC))
    world.publish([["crm:1", "erp:1"]])
    found = figures(world)
    assert found["crm", "updated_at", "timeliness"] == (1, 1)
    assert found["erp", "updated_at", "timeliness"] == (0, 1)
    assert figures(world, policy=QualityPolicy(timely_days=5))[
        "crm", "updated_at", "timeliness"
    ] == (0, 1)


def test_nothing_is_written_while_nothing_changed(world):
    world.put("crm", {"1": "Anna"})
    world.publish([["crm:1"]])
    assert quality.measure(world.wh, NOW, TODAY, QualityPolicy()) > 0
    assert quality.measure(world.wh, NOW, TODAY, QualityPolicy()) == 0
    assert quality.measure(world.wh, NOW, date(2026, 11, 23), QualityPolicy()) == 0


def test_a_day_keeps_its_last_figures_and_the_days_before_stay(world):
    world.put("crm", {"1": "Anna"}, city=None)
    world.publish([["crm:1"]])
    figures(world, day=date(2026, 11, 20))
    world.put("crm", {"1": "Anna"}, city="上海市")
    world.publish([["crm:1"]])
    figures(world)
    world.put("crm", {"1": "Anna", "2": "Zoe"}, city="上海市")
    world.publish([["crm:1"], ["crm:2"]])
    figures(world)
    cities = [
        (one.day.day, one.good, one.counted)
        for one in quality.trend(world.wh, "crm", date(2026, 11, 1))
        if (one.field, one.measure) == ("city", "completeness")
    ]
    assert cities == [(20, 0, 1), (22, 2, 2)]


def test_a_target_of_a_field_comes_before_the_one_for_all():
    policy = quality_policy.load(
        {"targets": {"completeness": {"phones": 0.9, "*": 0.5}, "single": 0.8}}
    )
    assert policy.asked("completeness", "phones") == 0.9
    assert policy.asked("completeness", "city") == 0.5
    assert policy.asked("single", "") == 0.8
    assert policy.asked("validity", "city") is None
    assert policy.target("validity", "city") == 0.98


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"targets": {"completness": 0.9}}, "completeness"),
        ({"targets": {"single": 95}}, "from 0 to 1"),
        ({"timely_days": 0}, "timely_days"),
        ({"days": 3}, "days"),
        ("all", "quality"),
    ],
)
def test_a_wrong_section_is_refused_in_words(section, told):
    with pytest.raises(ConfigError, match=told):
        quality_policy.load(section)
