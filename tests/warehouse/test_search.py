"""Customers are found by what people type."""

import pytest

from dedupe import search_keys
from warehouse import search
from warehouse.tables import crosswalk, customer_search, golden_customer


@pytest.fixture
def found(world):
    """What a search finds among three customers, as record names."""
    world.put(
        "erp", {"C-1": "张伟", "2": "李娜"}, emails=["li.na@example.com"], phones=["+8613800138000"]
    )
    world.put("crm", {"9": "Anna Müller"}, phones=["+442079460018"])
    world.publish([["erp:C-1"], ["erp:2"], ["crm:9"]])
    ids = {row["golden_id"]: row["name"] for row in _golden(world)}
    return lambda typed, **more: [
        ids[one.golden_id] for one in search.find(world.wh, typed, **more)
    ]


def _golden(world):
    return world.rows(golden_customer)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("张伟", ["张伟"]),
        ("張偉", ["张伟"]),
        ("张", ["张伟"]),
        ("zhang wei", ["张伟"]),
        ("Zhangw", ["张伟"]),
        ("zw", ["张伟"]),
        ("müller", ["Anna Müller"]),
        ("Muller, Anna", ["Anna Müller"]),
        ("anna m", ["Anna Müller"]),
        ("020 7946 0018", ["Anna Müller"]),
        ("20 7946 0018", ["Anna Müller"]),
        ("+44 20 7946", ["Anna Müller"]),
        ("LI.NA@example.com", ["张伟", "李娜"]),
        ("c-1", ["张伟"]),
        ("erp:C-1", ["张伟"]),
        ("crm:9", ["Anna Müller"]),
        ("", []),
        ("  ", []),
        ("anna zhang", []),
        ("'; DROP TABLE golden_customer", []),
        ("%", []),
    ],
)
def test_a_customer_is_found_by(found, typed, names):
    assert sorted(found(typed)) == sorted(names)


@pytest.mark.parametrize("typed", ["anna m", "Muller, Anna", "anna zhang", "zhang 138", "li na li"])
def test_words_that_many_customers_have_find_the_same(found, typed, monkeypatch):
    one_by_one = found(typed)
    monkeypatch.setattr(search, "_ONE_BY_ONE", 0)
    assert found(typed) == one_by_one


def test_whole_keys_come_first_and_the_number_is_limited(found):
    assert found("138", limit=1) != []
    assert len(found("138", limit=1)) == 1
    assert len(found("138")) == 2


def test_a_retired_id_leads_to_its_successor(world):
    world.put("erp", {"1": "张伟", "2": "章伟"})
    world.publish([["erp:1"], ["erp:2"]])
    old = {row["golden_id"] for row in _golden(world)}
    world.publish([["erp:1", "erp:2"]])
    (live,) = {row["golden_id"] for row in _golden(world)}
    (retired,) = old - {live}
    assert search.find(world.wh, retired) == [search.Found(live, "golden_id", True, retired)]
    assert search.find(world.wh, live) == [search.Found(live, "golden_id", True)]


def test_an_id_of_a_customer_that_ended_is_known_too(world):
    world.put("erp", {"1": "Ann Lee", "2": "Bob"})
    world.publish([["erp:1"], ["erp:2"]])
    before = {row["record_id"]: row["golden_id"] for row in world.rows(crosswalk)}
    world.put("erp", {"2": "Bob"})
    world.publish([["erp:2"]])
    gone = before["erp:1"]
    assert search.find(world.wh, gone) == []
    assert search.ended(world.wh, f" {gone.lower()} ") == gone
    assert search.ended(world.wh, before["erp:2"]) is None


def test_keys_follow_what_changed_and_are_the_same_as_made_anew(world):
    world.put("erp", {"1": "张伟", "2": "章伟", "3": "李娜"})
    world.publish([["erp:1", "erp:2"], ["erp:3"]])
    world.put("erp", {"1": "王芳", "2": "章伟"})
    done = world.publish([["erp:1"], ["erp:2"]])
    assert done.count("customer_search", "added")
    kept = sorted(map(tuple, map(dict.values, world.rows(customer_search))))
    with world.wh.write() as connection:
        connection.execute(customer_search.delete())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_keys, "VERSION", search_keys.VERSION + 1)
        patch.setattr(search, "_WRITTEN_AT_ONCE", 2)
        world.publish([["erp:1"], ["erp:2"]])
        assert sorted(map(tuple, map(dict.values, world.rows(customer_search)))) == kept
        with world.wh.write() as connection:  # as other keys of another version
            this = customer_search.c.key == kept[0][0]
            connection.execute(customer_search.update().where(this).values(key="old"))
        patch.setattr(search_keys, "VERSION", search_keys.VERSION + 1)
        patch.setattr(search, "_AT_ONCE", 1)
        done = world.publish([["erp:1"], ["erp:2"]])
    assert done.counts["customer_search"]["added"] == done.counts["customer_search"]["deleted"] == 1
    assert sorted(map(tuple, map(dict.values, world.rows(customer_search)))) == kept
    assert "li" not in {key[:2] for key, *_ in kept}
