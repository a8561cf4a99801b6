"""Candidate pairs: which keys pair records, and what becomes of large blocks."""

import random
from datetime import date
from itertools import combinations
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dedupe import blocking, blocking_keys, blocks, features, lone_pairs, pair_codes
from rules.customer import STAGED_SCHEMA


class Settings(NamedTuple):
    """What blocking reads of the matching settings."""

    block_limit: int = 60
    link_only: bool = False


def staged(*rows: dict[str, Any]) -> pa.Table:
    """Staged records a:0001, a:0002, ...; what a row does not give is null."""
    full = [
        {"record_id": f"a:{number:04d}", "source": "a", "source_key": str(number), **row}
        for number, row in enumerate(rows, 1)
    ]
    columns = {field.name: [row.get(field.name) for row in full] for field in STAGED_SCHEMA}
    return pa.table(columns, schema=STAGED_SCHEMA)


def person(family: str, given: str, *readings: str, **rest: Any) -> dict[str, Any]:
    """A person's record."""
    key = f"{family}{given}".replace(" ", "").lower()
    return {
        "customer_type": "person",
        "name": f"{family}{given}",
        "name_key": key,
        "family_name": family,
        "given_name": given,
        "name_readings": list(readings) or [f"{family.lower()} {given.lower()}"],
        **rest,
    }


def organization(name: str, brand: str | None = None, **rest: Any) -> dict[str, Any]:
    """An organization's record."""
    return {
        "customer_type": "organization",
        "name": name,
        "name_key": name.lower(),
        "org_brand": brand or name,
        **rest,
    }


def found(*rows: dict[str, Any], limit: int = 60) -> dict[tuple[str, str], set[str]]:
    """Pairs and the kinds of keys that found them."""
    pairs = blocking.candidates(features.build(staged(*rows)), Settings(limit)).pairs
    return {
        (row["left_id"][-1], row["right_id"][-1]): set(row["found_by"].split(","))
        for row in pairs.to_pylist()
    }


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        (person("张", "伟明", "zhang weiming"), person("Weiming", "Zhang"), "name"),
        (person("单", "雄", "shan xiong", "dan xiong"), person("Dan", "Xiong"), "name"),
        (person("Green", "William"), person("Green", "Walter"), "short_name"),
        (person("Greene", "William"), person("Grean", "William"), "given"),
        (
            person(
                "张",
                "伟明",
                "zhang weiming",
                phones=["+8613800000001"],
                phone_keys=["+8613800000001"],
            ),
            person("王", "芳", "wang fang", phone_keys=["local:0000001"]),
            "phone",
        ),
        (
            person("张", "伟", id_keys=["ssn:900000001"]),
            person("王", "芳", id_keys=["ssn:900000001"]),
            "id",
        ),
        (
            person("张", "伟", "zhang wei", id_keys=["ssn:900123456"]),
            person("赵", "芳", "zhao fang", id_keys=["ssn:900128456"]),
            "id_part",
        ),
        (
            person("张", "伟", house_number="12", street="Mill Lane"),
            person("王", "芳", house_number="12", street="Mill Ln"),
            "address",
        ),
        (
            person("Packer", "Ann", postal_code="RH6 7NB"),
            person("Palmer", "Jane", postal_code="RH6 7NB"),
            "postal",
        ),
        (
            person("Packer", "Ann", postal_code="RH6 7NB"),
            person("Barker", "Anna", postal_code="RH6 7NB"),
            "postal",
        ),
        (
            person("Packer", "Ann", postal_code="RH6 7NB"),
            person("Grant", "Susan", postal_code="RH6 7NB"),
            "postal",
        ),
        (
            person("Packer", "Ann", city="Horley"),
            person("Packard", "Jane", city="Horley"),
            "place",
        ),
        (
            person("Packer", "Ann", city="Horley"),
            person("Smith", "Ann", city="Horley"),
            "place",
        ),
        (
            person("Packer", "Ann", postal_code="RH6 7NB"),
            person("Packer", "Jane", postal_code="RH1 1AA"),
            "place",
        ),
        (
            person("Packer", "Ann", birth_date=date(1970, 3, 1)),
            person("Parker", "Anna", birth_date=date(1970, 8, 2)),
            "born",
        ),
        (
            person("张", "伟", emails=["zw@example.com"]),
            person("王", "芳", emails=["zw@example.com"]),
            "email",
        ),
        (
            organization("杭州星辰科技有限公司", "星辰"),
            organization("Xingchen", "Xingchen"),
            "brand",
        ),
        (
            organization("杭州星辰科技有限公司", "星辰"),
            organization("Hangzhou Xingchen Technology"),
            "brand_start",
        ),
        (organization("Perry & Savage Electronics Ltd"), organization("PSE"), "acronym"),
        (
            organization("Blue Ridge", contact_name="Ann Lee"),
            organization("Northgate", legal_representative="Ann Lee"),
            "contact",
        ),
    ],
)
def test_a_shared_key_makes_a_pair(left: dict[str, Any], right: dict[str, Any], kind: str) -> None:
    assert kind in found(left, right).get(("1", "2"), set())


@pytest.mark.parametrize(
    ("left", "right", "pairs"),
    [
        (person("Packer", "Ann"), person("Annette", "", "annette"), True),
        (person("Packer", "Jane", middle_name="Ann"), person("Grant", "Ann"), True),
        (person("Packer", "Ann"), person("Grant", "Susan"), False),
        (
            person("Packer", "Ann", birth_date=date(1970, 3, 1)),
            person("Grant", "Susan", birth_date=date(1970, 8, 2)),
            True,
        ),
    ],
)
def test_people_with_one_text_pair_by_any_word_of_the_name_or_the_birth_year(
    left: dict[str, Any], right: dict[str, Any], pairs: bool
) -> None:
    rows = [row | {"attributes": '{"trade": "weaver"}'} for row in (left, right)]
    assert bool(by_texts(rows, ["trade"])) == pairs


def test_people_who_share_two_texts_pair_whatever_they_are_called() -> None:
    known = {"attributes": '{"trade": "weaver", "origin": "Leeds"}'}
    rows = [person("Packer", "Ann") | known, person("Grant", "Susan") | known]
    assert by_texts(rows, ["trade", "origin"]) and not by_texts(rows, ["trade"])


def by_texts(rows: list[dict[str, Any]], fields: list[str]) -> list[dict[str, Any]]:
    """The pairs that texts alone propose."""
    pairs = blocking.candidates(features.build(staged(*rows), fields), Settings(60)).pairs
    return [row for row in pairs.to_pylist() if row["found_by"] == "text"]


def test_records_that_share_nothing_make_no_pair() -> None:
    assert found(person("Green", "William"), person("Miller", "Ann")) == {}


def test_missing_values_pair_nothing() -> None:
    assert found({"customer_type": "person"}, {"customer_type": "person"}) == {}


def test_different_customer_types_are_never_paired() -> None:
    number = {"phones": ["+8613800000001"], "phone_keys": ["+8613800000001"]}
    assert found(person("张", "伟", **number), organization("张伟", **number)) == {}


def test_left_id_is_the_smaller_and_no_pair_comes_twice() -> None:
    rows = [person("Green", "William", emails=["w@example.com"]) for _ in range(5)]
    pairs = blocking.candidates(features.build(staged(*rows)), Settings()).pairs.to_pylist()
    assert [(p["left_id"], p["right_id"]) for p in pairs] == list(
        combinations([f"a:{number:04d}" for number in range(1, 6)], 2)
    )


def _crowd(size: int, cities: int) -> list[dict[str, Any]]:
    return [
        person("张", "伟", "zhang wei", city=f"City{number % cities}") for number in range(size)
    ]


def test_an_oversized_block_is_refined_by_another_property() -> None:
    made = blocking.candidates(features.build(staged(*_crowd(30, 6))), Settings(10))
    assert made.pairs.num_rows == 6 * (5 * 4 // 2)
    name = next(row for row in made.report.to_pylist() if row["kind"] == "name")
    assert (name["oversized"], name["refined_pairs"]) == (3, 60)


def test_what_stays_too_large_is_left_out_and_counted() -> None:
    made = blocking.candidates(features.build(staged(*_crowd(30, 1))), Settings(10))
    assert made.pairs.num_rows == 0
    name = next(row for row in made.report.to_pylist() if row["kind"] == "name")
    assert name["largest"] == 30
    assert name["oversized"] == 3  # as spelled, and its reading in both orders
    assert name["left_out"] == 3 * (30 * 29 // 2)


def test_two_properties_together_refine_what_one_cannot() -> None:
    rows = [
        person("张", "伟", "zhang wei", city=f"C{n % 4}", street=f"{'甲乙丙丁'[n // 12]}路")
        for n in range(48)
    ]
    made = blocking.candidates(features.build(staged(*rows)), Settings(10))
    assert made.pairs.num_rows == 16 * (3 * 2 // 2)


def test_row_order_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = random.Random(7)
    rows = [
        person(
            generator.choice("张王李赵"),
            generator.choice("伟芳娜敏"),
            f"a {n % 9}",
            city=f"C{n % 5}",
        )
        for n in range(300)
    ]
    table = staged(*rows)
    shuffled = table.take(pa.array(generator.sample(range(300), 300)))
    first, second = (
        blocking.candidates(features.build(records), Settings(20)) for records in (table, shuffled)
    )
    connect = blocking_keys.duckdb.connect
    monkeypatch.setattr(
        blocking_keys.duckdb, "connect", lambda config: connect(config={**config, "threads": 1})
    )
    third = blocking.candidates(features.build(table), Settings(20))
    assert first.pairs.num_rows > 300
    assert first.pairs.equals(second.pairs)
    assert first.pairs.equals(third.pairs)
    assert first.report.equals(third.report)


def test_pairs_are_those_of_a_plain_loop_over_one_kind_of_key() -> None:
    generator = random.Random(3)
    numbers = [f"+86138{generator.randrange(25):08d}" for _ in range(80)]
    rows = [
        {"customer_type": "person", "phones": [number], "phone_keys": [number]}
        for number in numbers
    ]
    made = blocking.candidates(features.build(staged(*rows)), Settings(60)).pairs
    expected = {
        (f"a:{a + 1:04d}", f"a:{b + 1:04d}")
        for a, b in combinations(range(80), 2)
        if numbers[a] == numbers[b]
    }
    assert (
        set(zip(made["left_id"].to_pylist(), made["right_id"].to_pylist(), strict=True)) == expected
    )


def test_report_knows_every_kind() -> None:
    made = blocking.candidates(
        features.build(staged(person("张", "伟", "zhang wei"), person("张", "伟", "zhang wei"))),
        Settings(),
    )
    kinds = {kind for row in made.pairs.to_pylist() for kind in row["found_by"].split(",")}
    assert kinds == {row["kind"] for row in made.report.to_pylist()}
    assert kinds <= set(blocking_keys.KINDS)


def test_no_records_give_no_pairs() -> None:
    made = blocking.candidates(features.build(staged()), Settings())
    assert (made.pairs.num_rows, made.report.num_rows) == (0, 0)


def test_a_holder_whom_a_list_repeats_is_still_paired_by_its_number() -> None:
    rows = [person("Green", "Ann", id_keys=["ssn:900123456"]) for _ in range(30)]
    table = features.build(staged(*rows))
    assert blocking.candidates(table, Settings(10)).pairs.num_rows == 30 * 29 // 2
    assert blocking.candidates(table, Settings(5)).pairs.num_rows == 0


def test_equal_records_are_paired_although_their_keys_are_oversized() -> None:
    reach = {"phone_keys": ["+12025550143"], "emails": ["ann@example.com"]}
    rows = [person("Green", "Ann", **reach) for _ in range(30)]
    others = [person("Green", "Ann", emails=[f"a{n}@example.com"]) for n in range(30)]
    table = features.build(staged(*rows, *others))
    made = blocking.candidates(table, Settings(10)).pairs
    assert (
        made.filter(pc.match_substring(made["found_by"].cast(pa.string()), "same")).num_rows == 435
    )
    assert made.num_rows == 435


def test_with_link_only_records_of_one_source_make_no_pair() -> None:
    rows = [person("张", "伟", "zhang wei") | {"source": source} for source in ("a", "a", "b")]
    table = features.build(staged(*rows))
    pairs = blocking.candidates(table, Settings(link_only=True)).pairs.to_pylist()
    assert {(row["left_id"], row["right_id"]) for row in pairs} == {
        ("a:0001", "a:0003"), ("a:0002", "a:0003")
    }  # fmt: skip
    assert blocking.candidates(table, Settings()).pairs.num_rows == 3


def _strangers(count: int, **shared: Any) -> list[dict[str, Any]]:
    """People who share nothing but what is given."""
    return [
        person(f"F{n:x}q", f"G{n:x}q", f"{n % 26 + 97:c}{n:x}z {n * 7 % 26 + 97:c}{n:x}y", **shared)
        for n in range(count)
    ]


def test_a_value_of_fifty_thousand_records_makes_no_pairs_and_is_counted() -> None:
    count = 50_000
    numbers = [["+12025550143"]] * count + [["+12025550187"]] * 2
    readings = [[f"{n % 17576:03x} {n:x}"] for n in range(count)] + [["green ann"]] * 2
    table = pa.table(
        {
            **{name: pa.nulls(count + 2, pa.string()) for name in blocking_keys.USED},
            "record_id": [f"a:{n:05d}" for n in range(1, count + 3)],
            "customer_type": ["person"] * (count + 2),
            "phone_keys": numbers,
            "name_readings": readings,
            "birth_date": pa.nulls(count + 2, pa.date32()),
            **{
                name: pa.nulls(count + 2, pa.list_(pa.string()))
                for name in blocking_keys.USED
                if name.startswith("brand") or name in ("initials", "contacts", "id_keys", "emails")
            },
        }
    )
    made = blocking.candidates(table, Settings())
    assert made.pairs.num_rows < 50_000
    phone = next(row for row in made.report.to_pylist() if row["kind"] == "phone")
    assert (phone["largest"], phone["oversized"]) == (50_000, 1)
    assert phone["left_out"] + phone["refined_pairs"] == 50_000 * 49_999 // 2
    assert ("a:50001", "a:50002") in set(
        zip(made.pairs["left_id"].to_pylist(), made.pairs["right_id"].to_pylist(), strict=True)
    )


def _born_together(monkeypatch: pytest.MonkeyPatch, without: int = 0) -> blocking.Candidates:
    """40 strangers on each of 4 days and 3 on another, 2 namesakes among them.

    Args:
        without: so many of the first ones are not there.
    """
    monkeypatch.setattr(lone_pairs, "LONE_PAIRS", 100)
    monkeypatch.setattr(lone_pairs, "SAMPLED_PAIRS", 50)
    rows = _strangers(163)
    for n, row in enumerate(rows):
        row["birth_date"] = date(1970, 1, 2 + min(n // 40, 4))
    rows[1] |= person("Green", "Ann", "green ann")
    rows[2] |= person("Green", "Ann", "green ann")
    return blocking.candidates(features.build(staged(*rows)).slice(without), Settings())


def test_of_pairs_with_one_evidence_only_those_of_small_blocks_and_a_sample_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = _born_together(monkeypatch)
    pairs = {(row["left_id"], row["right_id"]): row for row in made.pairs.to_pylist()}
    alone = 4 * (40 * 39 // 2) - 1
    assert {"name", "birth"} <= set(pairs["a:0002", "a:0003"]["found_by"].split(","))
    assert ("a:0161", "a:0162") in pairs  # the day that only three were born on
    born = next(row for row in made.report.to_pylist() if row["kind"] == "birth")
    sampled = [row for row in pairs.values() if row["stands_for"] > 1]
    assert 20 < len(sampled) < 120
    assert born["lone_left_out"] == alone - len(sampled)


def test_the_sample_stands_for_all_that_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sampled = [n for n in _born_together(monkeypatch).pairs["stands_for"].to_pylist() if n > 1]
    assert abs(sum(sampled) - 4 * (40 * 39 // 2)) < len(sampled)


def test_who_is_sampled_does_not_hang_on_other_records(monkeypatch: pytest.MonkeyPatch) -> None:
    def sampled(without: int) -> set[tuple[str, str]]:
        rows = _born_together(monkeypatch, without).pairs.to_pylist()
        return {(row["left_id"], row["right_id"]) for row in rows if row["stands_for"] > 1}

    before, after = sampled(0), sampled(1)
    stand = {pair for pair in before if "a:0001" not in pair}
    assert len(stand - after) + len(after - stand) <= len(stand) // 8


def test_lone_pairs_all_stay_where_other_evidence_confirms_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lone_pairs, "LONE_PAIRS", 0)
    monkeypatch.setattr(lone_pairs, "LONE_PER_RECORD", 0.0)
    rows = [person("Green", "Ann", "green ann", birth_date=date(1970, 1, 2)) for _ in range(6)]
    rows.append(person("Bell", "Tom", "bell tom", birth_date=date(1970, 1, 2)))
    made = blocking.candidates(features.build(staged(*rows)), Settings())
    assert made.pairs.num_rows == 7 * 6 // 2
    assert set(made.pairs["stands_for"].to_pylist()) == {1}


def test_blocks_that_make_too_many_pairs_for_the_records_are_refined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = _strangers(123)
    for n, row in enumerate(rows):
        row["birth_date"] = date(1970, 1, 2 + min(n // 40, 3))
    rows[1] |= person("Green", "Ann", "green ann")
    rows[2] |= person("Green", "Ann", "green ann")
    table = features.build(staged(*rows))
    every = 3 * (40 * 39 // 2) + 3
    assert _birth(blocking.candidates(table, Settings()))["pairs"] == every
    monkeypatch.setattr(blocks, "KIND_PAIRS", 0)
    made = blocking.candidates(table, Settings())
    born = _birth(made)
    assert born["pairs"] < every
    assert (born["oversized"], born["pairs"] + born["left_out"]) == (3, every)
    found_by = {(r["left_id"], r["right_id"]): r["found_by"] for r in made.pairs.to_pylist()}
    assert "birth" in found_by["a:0002", "a:0003"].split(",")  # the start of the name is the same
    assert "birth" in found_by["a:0121", "a:0122"].split(",")  # the day that only three share


def _birth(made: blocking.Candidates) -> dict[str, Any]:
    return next(row for row in made.report.to_pylist() if row["kind"] == "birth")


def test_keys_read_as_text_are_those_that_pair() -> None:
    rows = (person("Green", "Ann", emails=["ann@example.com"]), person("Greene", "Ann"))
    table = features.build(staged(*rows))
    known = blocking.keys(table, Settings())
    held = {name: set() for name in ("a:0001", "a:0002")}
    for row in known.to_pylist():
        held[row["record_id"]].add((row["kind"], row["key"]))
    assert ("email", "ann@example.com") in held["a:0001"]
    kinds = {kind for kind, _ in held["a:0001"] & held["a:0002"]}
    assert kinds == set(found(*rows)["1", "2"])


@pytest.mark.parametrize("codes", [1, 3, 50])
def test_codes_looked_at_in_parts_make_the_same_pairs(
    codes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = {"city": "Leeds", "house_number": "7", "road_key": "north", "postal_code": "LS1 1AA"}
    rows = [
        person(f"Green{chr(97 + n % 9)}", "Ann", birth_date=date(1970, 1, 1 + n % 4), **town)
        for n in range(40)
    ]
    table = features.build(staged(*rows))
    whole = blocking.candidates(table, Settings())
    assert any("," in kinds for kinds in whole.pairs["found_by"].to_pylist())
    monkeypatch.setattr(pair_codes, "CODES", codes)
    parts = blocking.candidates(table, Settings())
    assert parts.pairs.equals(whole.pairs)
    assert parts.report.equals(whole.report)
