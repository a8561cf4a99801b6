"""An explanation adds up to the score and says it in words."""

import numpy as np
import pyarrow as pa
import pytest

from dedupe.explain import explain
from dedupe.levels import FIELDS, LEVELS, VETOES
from dedupe.prior import shipped_model
from dedupe.scoring import score


def row(veto: str | None = None, **by_field: int) -> dict:
    """One scored pair of invented persons who share a rare name."""
    people = pa.table(
        {
            "record_id": ["a", "b", "c", "d", "e"],
            "customer_type": ["person"] * 5,
            "name_key": ["ouyangqinghan"] * 2 + ["wangwei"] * 3,
            "name_readings": pa.nulls(5, pa.list_(pa.string())),
            "brand_key": pa.nulls(5, pa.string()),
            "brand_readings": pa.nulls(5, pa.list_(pa.string())),
            "phone_keys": pa.nulls(5, pa.list_(pa.string())),
            "emails": pa.nulls(5, pa.list_(pa.string())),
        }
    )
    levels = {f"{name}_level": pa.array([by_field.get(name, -1)], pa.int8()) for name in FIELDS}
    pair = {"left_id": ["a"], "right_id": ["b"], "found_by": ["name"], **levels}
    table = pa.table(pair | {"veto": pa.array([veto], pa.string())})
    return score(table, people, {"person": shipped_model("person")}).to_pylist()[0]


def test_steps_add_up_to_the_weight():
    pair = row(name=10, phone=0, birth_date=2)
    found = explain(pair, "person")
    assert found.steps[-1].sum_bits == pytest.approx(pair["weight_bits"])
    assert sum(step.bits for step in found.steps) == pytest.approx(found.weight_bits)
    assert found.steps[0].field == "start"
    assert found.steps[0].bits == pytest.approx(np.log2(0.3 / 0.7))


def test_the_strongest_comparison_comes_first():
    bits = [abs(step.bits) for step in explain(row(name=10, phone=0, email=4), "person").steps[1:]]
    assert bits == sorted(bits, reverse=True) and len(bits) >= 3


def test_every_level_is_said_in_the_words_of_the_table():
    found = explain(row(birth_date=1), "person")
    assert [step.sentence for step in found.steps[1:]] == [
        LEVELS["person"]["birth_date"][1].sentence
    ]


def test_rarity_is_a_step_of_its_own():
    sentences = [step.sentence for step in explain(row(name=10), "person").steps]
    assert "The agreeing name is rare." in sentences


def test_what_was_not_compared_is_named_and_not_weighed():
    found = explain(row(name=10), "person")
    assert "phone" in found.not_compared and "name" not in found.not_compared
    assert "phone" not in [step.field for step in found.steps]


def test_a_veto_is_said():
    found = explain(row(veto="birth_date", name=10), "person")
    assert found.veto == VETOES["birth_date"].sentence
    assert f"Kept apart: {found.veto}" in str(found)


def test_the_text_holds_no_value_of_the_records():
    text = str(explain(row(name=10, phone=3), "person"))
    assert "ouyang" not in text and "Probability" in text
