"""Comparing pairs, whatever the field."""

import random
from datetime import date

import pyarrow as pa
import pytest

from dedupe import comparisons, features
from dedupe.levels import FIELDS, LEVELS, VETOES, sentence
from tests.dedupe.comparing.records import compare, person, phones, staged


def test_missing_is_not_disagreement() -> None:
    for kind in ("person", "organization"):
        result = compare({"customer_type": kind}, {"customer_type": kind})
        assert set(result.values()) == {None}


def _random_records(count: int) -> pa.Table:
    generator = random.Random(5)
    rows = []
    for _ in range(count):
        name = generator.choice("张王李") + generator.choice(["伟", "伟明", "芳", "玮"])
        number = f"+86138{generator.randrange(9):08d}"
        rows.append(
            person(
                name,
                **phones(number),
                birth_date=date(1980, generator.randint(1, 3), generator.randint(1, 3)),
                city=generator.choice(["杭州市", "宁波市", None]),
            )
        )
    return staged(*rows)


def test_order_and_company_of_pairs_change_nothing() -> None:
    records = _random_records(40)
    built = features.build(records)
    ids = built["record_id"].to_pylist()
    pairs = pa.table(
        {
            "left_id": [a for a in ids for b in ids if a < b],
            "right_id": [b for a in ids for b in ids if a < b],
        }
    )
    whole = comparisons.compare(pairs, built)
    turned = pa.array(range(pairs.num_rows - 1, -1, -1))
    assert comparisons.compare(pairs.take(turned), built).equals(whole.take(turned))
    parts = [comparisons.compare(pairs.slice(start, 97), built) for start in range(0, 780, 97)]
    assert pa.concat_tables(parts).combine_chunks().equals(whole.combine_chunks())
    swapped = pairs.rename_columns(["right_id", "left_id"]).select(["left_id", "right_id"])
    back = comparisons.compare(swapped, built)
    assert back.drop(["left_id", "right_id"]).equals(whole.drop(["left_id", "right_id"]))


def test_columns_of_the_pairs_are_kept_and_levels_are_small_integers() -> None:
    built = features.build(staged(person("张伟"), person("张伟")))
    pairs = pa.table({"left_id": ["a:1"], "right_id": ["a:2"], "found_by": ["name"]})
    made = comparisons.compare(pairs, built)
    assert made.column_names[:3] == ["left_id", "right_id", "found_by"]
    assert all(made.schema.field(f"{field}_level").type == pa.int8() for field in FIELDS)
    assert made.schema.field("veto").type == pa.string()


def test_no_pairs_give_no_rows() -> None:
    built = features.build(staged(person("张伟")))
    empty = pa.table({"left_id": pa.array([], pa.string()), "right_id": pa.array([], pa.string())})
    assert comparisons.compare(empty, built).num_rows == 0


def test_a_record_without_features_is_an_error_that_names_nobody() -> None:
    built = features.build(staged(person("张伟")))
    pairs = pa.table({"left_id": ["a:1"], "right_id": ["secret:9"]})
    with pytest.raises(KeyError, match="1 records") as error:
        comparisons.compare(pairs, built)
    assert "secret" not in str(error.value)


def test_every_level_and_veto_has_a_sentence() -> None:
    for kind, fields in LEVELS.items():
        for field, levels in fields.items():
            texts = [sentence(kind, field, number) for number in range(-1, len(levels))]
            assert all(text.endswith(".") for text in texts)
            assert len(set(texts)) == len(texts)
    assert all(veto.sentence.endswith(".") for veto in VETOES.values())


def test_sources_are_compared_where_there_are_several() -> None:
    crm, erp = ({"source": name} for name in ("crm", "erp"))
    assert compare(person("Ann Lee", **crm), person("Ann Lee", **erp))["source"] == "other"
    assert compare(person("Ann Lee", **crm), person("Ann Lee", **crm))["source"] is None
