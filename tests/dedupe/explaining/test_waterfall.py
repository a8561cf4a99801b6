"""The steps of a pair add up to its weight, whatever the levels, caps and frequencies."""

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.explaining.facts import Frequency
from dedupe.explaining.messages import say
from dedupe.explaining.waterfall import not_compared, steps
from dedupe.levels import FIELDS, LEVELS, VETOES
from dedupe.model import APART_PRIOR, Model, logit_bits
from dedupe.prior import shipped_model
from dedupe.scoring import score

COMMON = Frequency("138…0017", 23, 14)


def scored(model: Model, levels: dict[str, int], veto: str | None = None) -> dict:
    """One scored pair of records that share a rare name, a number and an e-mail."""
    count = 6
    texts = {
        "name_key": ["ouyangqinghan"] * 2 + ["wangwei"] * 4,
        "brand_key": ["xingchen"] * 3 + ["haiwang"] * 3,
    }
    lists = {
        "phone_keys": [["+8613900000017"]] * 5 + [["+8613900000018"]],
        "emails": [["a@example.com"]] * 2 + [["b@example.com"]] * 4,
        "name_readings": [None] * count,
        "brand_readings": [None] * count,
    }
    table = pa.table(
        {"record_id": list("abcdef"), "customer_type": [model.customer_type] * count}
        | texts
        | {name: pa.array(values, pa.list_(pa.string())) for name, values in lists.items()}
    )
    columns = {f"{n}_level": pa.array([levels.get(n, -1)], pa.int8()) for n in FIELDS}
    pair = {"left_id": ["a"], "right_id": ["b"], "found_by": ["name"], **columns}
    pair["veto"] = pa.array([veto], pa.string())
    return score(pa.table(pair), table, {model.customer_type: model}).to_pylist()[0]


@st.composite
def weighed(draw: st.DrawFn) -> tuple[dict, Model, str | None]:
    """A pair with any levels and contradiction, scored by a model with any prior and caps."""
    kind = draw(st.sampled_from(sorted(LEVELS)))
    levels = {field: draw(st.integers(-1, len(known) - 1)) for field, known in LEVELS[kind].items()}
    shipped = shipped_model(kind)
    fields = {
        name: replace(known, cap=draw(st.sampled_from([0.25, 1.5, 3.0, known.cap])))
        for name, known in shipped.fields.items()
        if draw(st.integers(0, 9))
    }
    others = {name: replace(known, u=known.u[::-1], cap=2.0) for name, known in fields.items()}
    model = replace(
        shipped,
        prior=draw(st.floats(0.001, 0.999)),
        apart_prior={name: draw(st.floats(0.001, 0.999)) for name in sorted(VETOES)[::2]},
        fields=fields,
        apart={draw(st.sampled_from(sorted(VETOES))): others},
    )
    veto = draw(st.none() | st.sampled_from(sorted(VETOES)))
    return scored(model, levels, veto), model, veto


@given(weighed())
def test_steps_add_up_exactly_to_the_stored_weight(drawn: tuple[dict, Model, str | None]) -> None:
    pair, model, veto = drawn
    found = steps(pair, model, model.customer_type, {"phone": COMMON}, veto)
    assert sum(step.bits for step in found) == pytest.approx(pair["weight_bits"], abs=1e-9)
    assert found[-1].sum_bits == pytest.approx(pair["weight_bits"], abs=1e-9)
    assert found[0].kind == "prior" and found[0].bits == pytest.approx(logit_bits(model.prior))
    assert not [step for step in found if step.kind == "other"]


@given(weighed())
def test_the_numbers_shown_add_up_to_the_sum_shown(drawn: tuple[dict, Model, str | None]) -> None:
    pair, model, veto = drawn
    found = steps(pair, model, model.customer_type, {}, veto)
    assert sum(step.shown_tenths for step in found) == round(pair["weight_bits"] * 10)
    for step in found:
        assert abs(step.shown_tenths / 10 - step.bits) <= 0.1 + 1e-9


@given(weighed())
def test_every_cut_weight_is_shown_uncut_and_its_cap_as_a_step(
    drawn: tuple[dict, Model, str | None],
) -> None:
    pair, model, veto = drawn
    found = steps(pair, model, model.customer_type, {}, veto)
    own = VETOES[veto].field if veto else ""
    learned = model.apart.get(veto or "", model.fields)
    for field, known in learned.items():
        if field == own:
            continue
        mine = {step.kind: step.bits for step in found if step.field == field}
        if "cap" in mine:
            assert abs(mine["level"]) > known.cap
            assert abs(mine["level"] + mine["cap"]) == pytest.approx(known.cap)
        elif "level" in mine:
            assert abs(mine["level"]) <= known.cap + 1e-9


@given(weighed(), st.floats(0.01, 3.0) | st.floats(-3.0, -0.01))
def test_a_part_that_has_no_comparison_is_a_step_of_its_own(
    drawn: tuple[dict, Model, str | None], extra: float
) -> None:
    pair, model, veto = drawn
    pair = pair | {"household_bits": extra, "weight_bits": pair["weight_bits"] + extra}
    found = steps(pair, model, model.customer_type, {}, veto)
    assert [step.bits for step in found if step.field == "household_bits"] == [extra]
    assert found[-1].sum_bits == pytest.approx(pair["weight_bits"], abs=1e-9)


def test_the_strongest_field_comes_first() -> None:
    model = shipped_model("person")
    found = steps(scored(model, {"name": 10, "phone": 0, "email": 4}), model, "person", {})
    by_field: dict[str, float] = {}
    for step in found[1:]:
        by_field[step.field] = by_field.get(step.field, 0.0) + step.bits
    sizes = [abs(bits) for bits in by_field.values()]
    assert sizes == sorted(sizes, reverse=True) and len(sizes) == 3


def test_every_level_is_said_in_the_words_of_the_table() -> None:
    model = shipped_model("person")
    for number, level in enumerate(LEVELS["person"]["birth_date"]):
        found = steps(scored(model, {"birth_date": number}), model, "person", {})
        assert (found[1].level, say(found[1].says)) == (level.name, level.sentence)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Telephone 138…0017 is shared by 14 customers (23 records): weak."),
        ("zh", "电话 138…0017 由 14 个客户（23 条记录）共用：证据弱。"),
    ],
)
def test_a_number_that_many_share_is_called_weak(language: str, words: str) -> None:
    model = shipped_model("person")
    pair = scored(model, {"phone": 3}) | {"phone_rarity_bits": -2.5}
    found = steps(pair, model, "person", {"phone": COMMON})
    assert words in [say(step.says, language) for step in found if step.kind == "rarity"]


def test_what_was_not_compared_is_named_and_not_weighed() -> None:
    model = shipped_model("person")
    pair = scored(model, {"name": 10})
    assert not_compared(pair, "person") == (
        *("id", "birth_date", "phone", "email", "address", "employer", "source"),
    )
    assert {step.field for step in steps(pair, model, "person", {})} == {"", "name"}


def test_a_comparison_that_the_settings_ignore_is_no_step() -> None:
    shipped = shipped_model("person")
    fields = {name: known for name, known in shipped.fields.items() if name != "phone"}
    model = replace(shipped, fields=fields)
    found = steps(scored(model, {"name": 10, "phone": 3}), model, "person", {})
    assert "phone" not in {step.field for step in found}


@pytest.mark.parametrize("rest", [{"phone": 0}, {"phone": 4, "email": 4, "id": 3}])
def test_a_contradiction_is_a_step_also_where_the_rest_outweighs_it(rest: dict[str, int]) -> None:
    model = shipped_model("person")
    pair = scored(model, {"name": 10, "birth_date": 0, **rest}, "birth_date")
    assert (pair["veto"] is None) == ("id" in rest)
    found = steps(pair, model, "person", {}, "birth_date")
    veto = next(step for step in found if step.kind == "veto")
    assert say(veto.says) == VETOES["birth_date"].sentence and veto.field == "birth_date"
    assert veto.bits == pytest.approx(logit_bits(APART_PRIOR) - logit_bits(model.prior))
    assert found[-1].sum_bits == pytest.approx(pair["weight_bits"])


def test_a_contradiction_stands_in_place_of_the_level_that_says_the_same() -> None:
    model = shipped_model("person")
    pair = scored(model, {"name": 0, "phone": 3}, "housemates")
    found = steps(pair, model, "person", {}, "housemates")
    assert [step.kind for step in found if step.field == "name"] == ["veto"]
    assert found[-1].sum_bits == pytest.approx(pair["weight_bits"])
