"""Attributes compared as plain text: three levels, learned weights, rarity, bounded keys."""

import json
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from dedupe import blocking, comparisons, features, matching, model, scoring
from dedupe.comparing import texts
from dedupe.learning import count_patterns
from dedupe.levels import FIELDS, VERSION
from dedupe.model import MatchingSettings
from dedupe.prior import shipped_model
from rules.customer import STAGED_SCHEMA

SETTINGS = MatchingSettings(text_fields=("birth_place",))
FIELD = "text:birth_place"


def staged(*records: dict) -> pa.Table:
    """Staged persons a:0, a:1, ... without values unless given; attributes as a dict."""
    rows = []
    for number, record in enumerate(records):
        attributes = json.dumps(record.get("attributes")) if record.get("attributes") else None
        rows.append(
            {"record_id": f"a:{number:05d}", "customer_type": "person", "source": "a"}
            | record
            | {"attributes": attributes}
        )
    return pa.Table.from_pylist(rows, schema=STAGED_SCHEMA)


def born(place: str | None, **values) -> dict:
    return values | {"attributes": {"birth_place": place} if place else {"other": "x"}}


def level(one: str | None, other: str | None) -> int:
    table = features.build(staged(born(one), born(other)), SETTINGS.text_fields)
    pairs = pa.table({"left_id": ["a:00000"], "right_id": ["a:00001"], "found_by": ["name"]})
    return comparisons.compare(pairs, table)[f"{FIELD}_level"][0].as_py()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Leeds", "LEEDS ", texts.SAME),
        ("Leeds", "Leeds, Yorkshire", texts.SIMILAR),
        ("Wolverhampton", "Wolverhamton", texts.SIMILAR),
        ("杭州", "浙江杭州", texts.SIMILAR),
        ("臺灣", "台湾", texts.SAME),
        ("Leeds", "York", texts.DIFFERENT),
        ("Leeds", None, -1),
        ("Leeds", "n/a", -1),
        (None, None, -1),
    ],
)
def test_texts_differ_are_similar_or_the_same_and_missing_is_not_measured(one, other, expected):
    assert level(one, other) == expected == level(other, one)


def test_without_text_fields_nothing_changes():
    table = features.build(staged(born("Leeds"), born("Leeds")))
    assert not [name for name in table.column_names if name.startswith("text:")]
    assert set(shipped_model("person").fields) <= set(FIELDS)


_PLACES = [first + last for first in ("nor", "wes", "ash", "dun") for last in ("ton", "by", "ford")]


def people(count: int) -> pa.Table:
    """Each person twice, half of them with a birth date; the place tells, the color does not."""
    random = np.random.default_rng(5)
    families = ["taylor", "moore", "fox", "gandy", "howden", "thorp", "greene", "stone"]
    givens = ["ann", "bo", "cy", "dee", "eve", "flo", "gus", "hal", "ida", "jo", "kit", "lou"]
    rows = []
    for _ in range(count):
        family, given = random.choice(families), random.choice(givens)
        place = _PLACES[random.integers(len(_PLACES))]
        born = date(1950, 1, 2) + timedelta(days=int(random.integers(18_000)))
        for _ in range(2):
            name = {"name_key": given + family, "name_readings": [f"{family} {given}"]}
            name |= {"name": f"{given} {family}", "family_name": family, "given_name": given}
            color = str(random.choice(["red", "blue"]))
            told = {"birth_date": born} if random.random() < 0.5 else {}
            rows.append(name | told | {"attributes": {"birth_place": place, "color": color}})
    return staged(*rows)


def test_what_a_text_field_is_worth_is_learned_per_field_and_the_model_names_it(tmp_path):
    settings = MatchingSettings(text_fields=("birth_place", "color"), block_limit=200)
    table = features.build(people(300), settings.text_fields)
    pairs = blocking.candidates(table, settings).pairs
    models = matching.learn(pairs, table, settings)
    place, color = (models["person"].fields[f"text:{name}"] for name in settings.text_fields)
    assert place.bits[texts.SAME] > 2 > -2 > place.bits[texts.DIFFERENT]
    assert abs(color.bits[texts.SAME]) < 1
    assert models["person"].levels_version == VERSION
    saved = model.save(models, tmp_path)
    assert model.load(tmp_path)["person"].fields == saved["person"].fields
    scored = matching.score_pairs(pairs, table, models, None, settings).to_pylist()
    assert {row["text:birth_place_bits"] for row in scored} >= {place.bits[texts.SAME]}


def test_two_comparisons_alone_teach_nothing_and_the_shipped_weights_are_used():
    settings = MatchingSettings(text_fields=("birth_place",), ignore=("birth_date", "source"))
    table = features.build(people(300), settings.text_fields)
    pairs = blocking.candidates(table, settings).pairs
    learned = matching.learn(pairs, table, settings)["person"]
    assert learned.basis == "prior" and learned.trained_on["pairs"] > 200
    assert learned.fields["name"] == shipped_model("person").fields["name"]


def test_an_ignored_text_field_does_not_count():
    settings = MatchingSettings(text_fields=("birth_place",), ignore=(FIELD,))
    table = features.build(people(100), settings.text_fields)
    pairs = blocking.candidates(table, settings).pairs
    models = matching.learn(pairs, table, settings)
    assert FIELD not in models["person"].fields
    scored = matching.score_pairs(pairs, table, models, None, settings)
    assert set(scored[f"{FIELD}_bits"].to_pylist()) == {0.0}


def test_a_rare_text_weighs_more_than_a_common_one():
    places = ["London"] * 60 + ["Chillingham"] * 2
    table = features.build(staged(*(born(place) for place in places)), SETTINGS.text_fields)
    pairs = pa.table(
        {
            "left_id": ["a:00000", "a:00060"],
            "right_id": ["a:00001", "a:00061"],
            "found_by": ["text", "text"],
        }
    )
    models = {"person": shipped_model("person", (FIELD,))}
    scored = scoring.score(comparisons.compare(pairs, table), table, models)
    common, rare = scored[f"{FIELD}_rarity_bits"].to_pylist()
    assert rare > common + 3


def test_a_text_and_the_start_of_a_name_propose_a_pair_unless_too_many_share_the_text():
    def person(family: str, given: str, place: str) -> dict:
        return born(place, name_readings=[f"{family} {given}"])

    two = [person("taylor", "jon", "Chillingham"), person("tayler", "x", "chillingham")]
    crowd = [person(chr(97 + i % 25) + "z", f"{i:02d}", "London") for i in range(100)]
    table = features.build(staged(*two, *crowd), SETTINGS.text_fields)
    for limit, are_found in ((60, True), (4, False)):
        pairs = blocking.candidates(table, MatchingSettings(block_limit=limit)).pairs.to_pylist()
        assert ("a:00000", "a:00001", "text") in [tuple(pair.values())[:3] for pair in pairs]
        found_in_crowd = [pair for pair in pairs if pair["left_id"] > "a:00001"]
        assert bool(found_in_crowd) == are_found


def test_patterns_of_more_fields_than_fit_into_one_number_are_counted_right():
    random = np.random.default_rng(3)
    levels = random.integers(-1, 3, (500, 30)).astype(np.int8)
    levels[250:] = levels[:250]
    counted = count_patterns(levels, tuple(f"text:{i}" for i in range(30)))
    distinct, counts = np.unique(levels, axis=0, return_counts=True)
    assert len(counted.counts) == len(distinct)
    assert sorted(counted.counts) == sorted(counts)
    assert (counted.levels[counted.inverse] == levels).all()
