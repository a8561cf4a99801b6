"""Training finds the weights that made the data; scores add up and do not depend on order."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from dedupe import scoring
from dedupe.learning import count_patterns
from dedupe.levels import FIELDS, LEVELS
from dedupe.model import Check, MatchingSettings
from dedupe.prior import shipped_model
from dedupe.scoring import score
from dedupe.training import train
from onefold.errors import ModelError

SETTINGS = MatchingSettings()


def features(count: int, customer_type: str = "person", **columns) -> pa.Table:
    """Features of invented records r000000..., without values unless given."""
    text, texts = pa.nulls(count, pa.string()), pa.nulls(count, pa.list_(pa.string()))
    table = {
        "record_id": pa.array([f"r{i:06d}" for i in range(count)]),
        "customer_type": pa.array([customer_type] * count),
        "name_key": text,
        "name_readings": texts,
        "brand_key": text,
        "brand_readings": texts,
        "phone_keys": texts,
        "emails": texts,
    }
    return pa.table(table | {name: pa.array(values) for name, values in columns.items()})


def number(field: str, level: str) -> int:
    """The number of a person's level."""
    return [known.name for known in LEVELS["person"][field]].index(level)


EQUAL, SCRIPT, SHORT = (number("name", level) for level in ("equal", "script", "short_form"))
SHARED, BORN, SAME_ID = (
    number(field, level)
    for field, level in (("phone", "shared"), ("birth_date", "same"), ("id", "same"))
)


def levels(left, right, veto=None, **by_field) -> pa.Table:
    """What comparisons.compare returns; fields not given are missing everywhere."""
    count = len(left)
    table = {
        "left_id": pa.array([f"r{i:06d}" for i in left], pa.string()),
        "right_id": pa.array([f"r{i:06d}" for i in right], pa.string()),
        "found_by": pa.array(["name"] * count, pa.string()),
    }
    for name in FIELDS:
        values = by_field.get(name, np.full(count, -1))
        table[f"{name}_level"] = pa.array(np.asarray(values, dtype=np.int8))
    table["veto"] = pa.array(veto or [None] * count, pa.string())
    return pa.table(table)


def made(count: int, share: float, seed: int = 7, customer_type: str = "person"):
    """Pairs drawn from the shipped weights, some fields missing; and which of them match."""
    random = np.random.default_rng(seed)
    match = random.random(count) < share
    by_field = {}
    for name, known in shipped_model(customer_type).fields.items():
        yes = random.choice(len(known.levels), count, p=known.m)
        no = random.choice(len(known.levels), count, p=known.u)
        drawn = np.where(match, yes, no)
        by_field[name] = np.where(random.random(count) < 0.3, -1, drawn)
    return levels(range(count), range(1, count + 1), **by_field), match


def test_training_recovers_the_weights_that_made_the_data():
    table, match = made(20_000, 0.2)
    model = train(table, features(20_001), SETTINGS)["person"]
    assert model.basis == "em" and model.trained_on["pairs"] == 20_000
    assert model.prior == pytest.approx(0.2, abs=0.02)
    truth = shipped_model("person").fields["address"]
    assert model.fields["address"].bits == pytest.approx(truth.bits, abs=0.7)
    found = score(table, features(20_001), {"person": model}).column("probability").to_numpy()
    assert ((found >= 0.5) == match).mean() > 0.98
    assert found.mean() == pytest.approx(match.mean(), abs=0.02)


@pytest.mark.parametrize("share", [0.005, 0.03, 0.5, 0.85])
def test_rare_and_frequent_matches_do_not_swap_the_classes(share):
    table, match = made(40_000, share)
    models = train(table, features(40_001), SETTINGS)
    found = score(table, features(40_001), models).column("probability").to_numpy() >= 0.5
    best = {"person": replace(shipped_model("person"), prior=share)}  # what made the data
    at_best = score(table, features(40_001), best).column("probability").to_numpy() >= 0.5
    for total in (found.sum() / at_best.sum(), 1.0):
        assert (found & match).sum() / (at_best & match).sum() > 0.9 * total
    for name in ("birth_date", "id", "email"):
        bits = models["person"].fields[name].bits
        assert (np.diff(bits) > -1e-9).all() and bits[-1] > 2 and bits[0] < -1


def test_other_habits_than_the_shipped_ones_are_learned():
    random = np.random.default_rng(3)
    match = random.random(30_000) < 0.3
    noisy = {
        "name": np.where(
            match,
            random.choice([SHORT, SCRIPT, EQUAL], 30_000),
            random.choice(len(LEVELS["person"]["name"]), 30_000),
        ),
        "birth_date": np.where(
            match,
            random.choice([0, number("birth_date", "near"), BORN], 30_000, p=[0.4, 0.1, 0.5]),
            random.choice([0, number("birth_date", "near"), BORN], 30_000, p=[0.9, 0.05, 0.05]),
        ),
        "phone": np.where(match, SHARED, random.choice([0, SHARED], 30_000, p=[0.95, 0.05])),
    }
    table = levels(range(30_000), range(1, 30_001), **noisy)
    model = train(table, features(30_001), SETTINGS)["person"]
    assert model.fields["birth_date"].m[0] == pytest.approx(0.4, abs=0.03)
    assert model.fields["birth_date"].bits[0] > shipped_model("person").fields["birth_date"].bits[0]


def test_too_few_pairs_use_the_shipped_weights_and_say_so():
    table, _ = made(10, 0.5)
    models = train(table, features(11), SETTINGS)
    assert models["person"].basis == models["organization"].basis == "prior"
    assert models["person"].fields == shipped_model("person").fields
    assert models["person"].trained_on["pairs"] == 10


def test_no_pairs_at_all_are_scored_to_no_rows():
    table = levels([], [])
    scored = score(table, features(3), train(table, features(3), SETTINGS))
    assert scored.num_rows == 0 and "probability" in scored.column_names


def test_ten_records_without_training_are_told_apart_by_the_shipped_weights():
    same = {"name": [EQUAL], "birth_date": [BORN], "phone": [SHARED]}
    other = {"name": [number("name", "family_only")], "birth_date": [0], "phone": [0]}
    models = train(levels([], []), features(10), SETTINGS)
    yes = score(levels([0], [1], **same), features(10), models).column("probability")[0].as_py()
    no = score(levels([0], [1], **other), features(10), models).column("probability")[0].as_py()
    assert yes > 0.95 and no < 0.05


def test_missing_weighs_nothing():
    models = {"person": shipped_model("person")}
    row = score(levels([0], [1], name=[EQUAL]), features(2), models).to_pylist()[0]
    prior = np.log2(models["person"].prior / (1 - models["person"].prior))
    assert row["birth_date_level"] == -1 and row["birth_date_bits"] == 0.0
    assert row["weight_bits"] == pytest.approx(prior + models["person"].fields["name"].bits[EQUAL])


def test_bits_add_up_and_columns_are_complete():
    table, _ = made(500, 0.3)
    found = score(table, features(501), {"person": shipped_model("person")})
    parts = [
        name for name in found.column_names if name.endswith("_bits") and name != "weight_bits"
    ]
    total = sum(found.column(name).to_numpy() for name in parts)
    prior = np.log2(0.3 / 0.7)
    assert found.column("weight_bits").to_numpy() == pytest.approx(total + prior)
    assert {f"{name}_level" for name in FIELDS} <= set(found.column_names)
    assert found.column_names[:4] == ["left_id", "right_id", "found_by", "veto"]


def test_an_agreeing_common_value_weighs_less_than_a_rare_one():
    names = ["wangwei"] * 40 + ["ouyangqinghan"] * 2 + [f"name{i}" for i in range(58)]
    people = features(100, name_key=names)
    table = levels([0, 40], [1, 41], name=[EQUAL] * 2)
    common, rare = score(table, people, {"person": shipped_model("person")}).to_pylist()
    assert common["name_rarity_bits"] < 0 < rare["name_rarity_bits"]
    apart = rare["name_rarity_bits"] - common["name_rarity_bits"]
    assert rare["weight_bits"] - common["weight_bits"] == pytest.approx(apart) and apart > 3


def test_a_phone_of_fourteen_customers_is_weak():
    phones = [["+8613800000000"]] * 14 + [[f"+86139000000{i // 2:02d}"] for i in range(86)]
    table = levels([0, 14], [1, 15], phone=[SHARED] * 2)
    shared, own = score(
        table, features(100, phone_keys=phones), {"person": shipped_model("person")}
    ).to_pylist()
    assert shared["phone_rarity_bits"] < own["phone_rarity_bits"] - 2


def test_rarity_counts_only_where_the_values_agree():
    names = ["wangwei"] * 40 + ["ouyangqinghan"] * 60
    table = levels([0, 0], [1, 1], name=[2, EQUAL])
    unlike, equal = score(
        table, features(100, name_key=names), {"person": shipped_model("person")}
    ).to_pylist()
    assert unlike["name_rarity_bits"] == 0.0 != equal["name_rarity_bits"]


def test_rarity_finds_the_common_reading_across_scripts():
    count = 50
    readings = [["ouyang qinghan"], ["ouyang qinghan", "ouyang qinghang"]] + [["wang wei"]] * 48
    people = features(
        count, name_key=["欧阳清涵", "ouyangqinghan"] + ["王伟"] * 48, name_readings=readings
    )
    row = score(
        levels([0], [1], name=[SCRIPT]), people, {"person": shipped_model("person")}
    ).to_pylist()[0]
    assert row["name_rarity_bits"] > 1


def test_a_rare_chinese_name_is_rare_whatever_sounds_like_it():
    keys = ["陈桂卿"] * 2 + ["陈贵清"] * 48 + ["陈桂卿", "陈贵清"]
    people = features(52, name_key=keys, name_readings=[["chen guiqing"]] * 52)
    table = levels([0, 2, 50], [1, 3, 51], name=[EQUAL, EQUAL, SCRIPT])
    rare, common, sounding = score(
        table, people, {"person": shipped_model("person")}
    ).column("name_rarity_bits").to_pylist()  # fmt: skip
    assert rare > 1 > 0.5 > common
    assert sounding < rare - 1


def test_scores_do_not_depend_on_row_order_or_chunks(monkeypatch):
    table, _ = made(1000, 0.3)
    people = features(1001, name_key=[f"n{i % 90}" for i in range(1001)])
    models = train(table, people, SETTINGS)
    expected = score(table, people, models)
    monkeypatch.setattr(scoring, "CHUNK_ROWS", 137)
    assert score(table, people, models).combine_chunks().equals(expected.combine_chunks())
    order = np.random.default_rng(1).permutation(1000)
    shuffled_people = people.take(np.random.default_rng(2).permutation(1001))
    shuffled = score(table.take(order), shuffled_people, models)
    assert shuffled.combine_chunks().equals(expected.take(order).combine_chunks())


def test_training_does_not_depend_on_row_order():
    table, _ = made(3000, 0.3)
    order = np.random.default_rng(1).permutation(3000)
    first = train(table, features(3001), SETTINGS)["person"]
    second = train(table.take(order), features(3001), SETTINGS)["person"]
    assert first.fingerprint == second.fingerprint


def test_each_customer_type_has_weights_of_its_own():
    table = levels([0, 2], [1, 3], name=[10, 10])
    people = features(4, customer_type="person").set_column(
        1, "customer_type", pa.array(["person", "person", "organization", "organization"])
    )
    models = {name: shipped_model(name) for name in LEVELS}
    person, organization = score(table, people, models).to_pylist()
    assert person["name_bits"] == models["person"].fields["name"].bits[10]
    assert organization["name_bits"] == models["organization"].fields["name"].bits[10]


def test_a_pair_of_two_types_is_scored_and_keeps_its_veto():
    people = features(2).set_column(1, "customer_type", pa.array(["person", "organization"]))
    models = {name: shipped_model(name) for name in LEVELS}
    row = score(levels([0], [1], veto=["type"], phone=[SHARED]), people, models).to_pylist()[0]
    assert row["veto"] == "type" and row["phone_bits"] > 0


def test_a_missing_model_is_named():
    with pytest.raises(ModelError, match="organization"):
        score(
            levels([0], [1]),
            features(2, customer_type="organization"),
            {"person": shipped_model("person")},
        )


def test_strong_evidence_overrules_a_contradiction_but_never_two_types():
    strong = {"id": [3] * 3, "phone": [4] * 3, "email": [4] * 3, "contact": [2] * 3}
    people = features(2, customer_type="organization")
    table = levels([0] * 3, [1] * 3, veto=["sister", None, "type"], **strong)
    rows = score(table, people, {"organization": shipped_model("organization")}).to_pylist()
    assert rows[0]["weight_bits"] < rows[1]["weight_bits"]
    assert [row["veto"] for row in rows] == [None, None, "type"]
    weak = levels([0], [1], veto=["sister"], name=[1], phone=[3])
    row = score(weak, people, {"organization": shipped_model("organization")}).to_pylist()[0]
    assert row["veto"] == "sister" and row["weight_bits"] < 0


def test_the_contradicting_level_itself_is_not_counted_twice():
    table = levels(
        [0, 0], [1, 1], veto=["birth_date", None], birth_date=[0, 0], name=[EQUAL, EQUAL]
    )
    vetoed, other = score(table, features(2), {"person": shipped_model("person")}).to_pylist()
    assert vetoed["birth_date_bits"] == 0.0 > other["birth_date_bits"]
    assert vetoed["veto_bits"] < 0.0 == other["veto_bits"]


def test_ignored_comparisons_do_not_count():
    table, _ = made(500, 0.3)
    models = train(table, features(501), MatchingSettings(ignore=("phone",)))
    assert "phone" not in models["person"].fields
    found = score(table, features(501), models)
    assert set(found.column("phone_bits").to_pylist()) == {0.0}


def test_patterns_are_counted_and_found_again():
    matrix = np.array([[1, -1], [0, 2], [1, -1], [-1, -1]], dtype=np.int8)
    patterns = count_patterns(matrix, ("birth_date", "id"))
    assert sorted(patterns.counts.tolist()) == [1.0, 1.0, 2.0]
    assert (patterns.levels[patterns.inverse] == matrix).all()


def with_veto(table: pa.Table, veto: str) -> pa.Table:
    at = table.schema.get_field_index("veto")
    return table.set_column(at, "veto", pa.array([veto] * table.num_rows))


@pytest.mark.parametrize("veto", ["branch", "sister"])
def test_pairs_that_contradict_do_not_teach_what_a_name_is_worth(veto):
    table, _ = made(2000, 0.3, customer_type="organization")
    people = features(2001, customer_type="organization")
    model = train(table, people, SETTINGS)["organization"]
    name = made(1000, 0.9, seed=8, customer_type="organization")[0].column("name_level").to_numpy()
    more = levels(range(1000), range(1, 1001), name=name)
    both = train(pa.concat_tables([table, with_veto(more, veto)]), people, SETTINGS)
    assert both["organization"].fields == model.fields and veto in both["organization"].apart


def test_what_relatives_share_is_worth_little_between_relatives():
    table, _ = made(3000, 0.4)
    count = 1000
    shared = np.where(np.arange(count) % 2, SHARED, 0)
    more = levels(range(count), range(1, count + 1), name=np.full(count, 3), phone=shared)
    people = features(3001)
    model = train(pa.concat_tables([table, with_veto(more, "given_name")]), people, SETTINGS)
    rows = levels(
        [0, 0], [1, 1], veto=["given_name", None], name=[3, EQUAL], phone=[SHARED, SHARED]
    )
    relative, same = score(rows, people, model).to_pylist()
    assert relative["phone_bits"] < 2 < same["phone_bits"]
    assert relative["probability"] < 0.05 < 0.9 < same["probability"]


def test_a_contradiction_that_all_else_denies_is_none_where_names_vary():
    table, _ = made(3000, 0.4)
    count, given = 1000, number("name", "family_only")
    same = made(count, 0.95, seed=9)[0].drop_columns(["name_level", "veto"])
    same = same.append_column("name_level", pa.array([given] * count, pa.int8()))
    same = same.append_column("veto", pa.array(["given_name"] * count)).select(table.column_names)
    people = features(3001)
    varied = train(pa.concat_tables([table, same]), people, SETTINGS)
    assert varied["person"].denied == ("given_name", "twins")
    rows = levels(
        [0, 0], [1, 1], veto=["given_name", "id"], name=[given] * 2, birth_date=[BORN] * 2
    )
    taught, number_differs = score(rows, people, varied).to_pylist()
    assert taught["veto"] is None and taught["veto_bits"] == 0.0 and taught["name_bits"] > 0
    assert number_differs["veto"] == "id"
    strangers = with_veto(made(count, 0.05, seed=9)[0], "given_name")
    few = train(pa.concat_tables([table, strangers]), people, SETTINGS)
    assert few["person"].denied == ()


def test_how_many_pairs_with_a_contradiction_match_is_learned_by_kind():
    table, _ = made(3000, 0.4)
    people, count = features(3001), 2000
    some, match = made(count, 0.2, seed=9)
    few = made(count, 0.0, seed=10)[0]
    pairs = pa.concat_tables([table, with_veto(some, "unlike"), with_veto(few, "given_name")])
    model = train(pairs, people, SETTINGS)["person"]
    assert model.apart_prior["unlike"] == pytest.approx(match.mean(), abs=0.05)
    assert model.apart_prior["given_name"] < 0.02


def test_namesakes_with_other_numbers_teach_what_strangers_share():
    table, _ = made(3000, 0.5)
    people = features(3001)
    plain = train(table, people, SETTINGS)["person"]
    count = 1000
    values = {"name": np.full(count, EQUAL), "id": np.zeros(count), "address": np.full(count, 7)}
    namesakes = with_veto(levels(range(count), range(1, count + 1), **values), "id")
    relatives = levels(range(count), range(1, count + 1), **(values | {"name": np.full(count, 3)}))
    relatives = with_veto(relatives, "id")
    unnamed = with_veto(
        levels(range(count), range(1, count + 1), name=np.full(count, 3)), "given_name"
    )
    taught = train(pa.concat_tables([table, namesakes, unnamed]), people, SETTINGS)["person"]
    not_taught = train(pa.concat_tables([table, relatives, unnamed]), people, SETTINGS)["person"]
    assert taught.fields["address"].bits[7] < plain.fields["address"].bits[7] - 1
    assert not_taught.fields["address"] == plain.fields["address"]
    assert taught.prior < plain.prior


def test_an_equal_number_is_strong_where_numbers_conflict_too():
    matching = levels(range(300), range(1, 301), name=[EQUAL] * 300, id=[SAME_ID] * 300)
    unknown = levels(range(300, 600), range(301, 601), name=[EQUAL] * 150 + [0] * 150)
    conflict = levels(range(600, 900), range(601, 901), name=[EQUAL] * 300, id=[0] * 300)
    table = pa.concat_tables([matching, unknown, with_veto(conflict, "id")])
    bits = train(table, features(901), SETTINGS)["person"].fields["id"].bits
    assert bits[-1] > 3 and bits[0] < -3


def test_the_shipped_weights_agree_with_the_order_of_the_levels():
    for customer_type, fields in LEVELS.items():
        for name, known in shipped_model(customer_type).fields.items():
            agreement = [level.agreement for level in fields[name]]
            assert np.corrcoef(agreement, known.bits)[0, 1] > 0.75, (customer_type, name)
            assert sum(known.m) == pytest.approx(1) == pytest.approx(sum(known.u))


def test_a_shared_surname_and_initial_counts_where_no_whole_name_is_shared():
    readings = [["ouyang q"], ["ouyang qinghan"]] + [["wang wei"], ["wang w"]] * 20
    people = features(42, name_readings=readings)
    table = levels([0, 2], [1, 3], name=[SHORT, SHORT])
    rare, common = score(table, people, {"person": shipped_model("person")}).to_pylist()
    assert rare["name_rarity_bits"] > 1 > 0 > common["name_rarity_bits"] - 0.5


def test_a_number_measured_only_where_it_agrees_keeps_its_shipped_weight():
    table, _ = made(5_000, 0.9)
    same = np.where(np.arange(5_000) % 2, number("id", "same"), -1)
    at = table.column_names.index("id_level")
    table = table.set_column(at, "id_level", pa.array(same.astype(np.int8)))
    learned = train(table, features(5_001), SETTINGS)["person"].fields["id"]
    assert learned.bits == shipped_model("person").fields["id"].bits


def test_labels_turn_a_level_that_training_alone_misreads():
    random = np.random.default_rng(11)
    match = random.random(6_000) < 0.3
    # Half of the matches share a telephone number only, so nothing but labels tells them.
    bare = match & (random.random(6_000) < 0.5)
    by_field = {
        "name": np.where(match & ~bare, 10, 0),
        "birth_date": np.where(match & ~bare, 2, np.where(bare, -1, 0)),
        "phone": np.where(match, 3, 0),
    }
    table, people = levels(range(6_000), range(1, 6_001), **by_field), features(6_001)
    asked = np.full(6_000, np.nan)
    asked[np.flatnonzero(bare)[:60]] = 1.0
    right = []
    for known in (None, asked):
        models = train(table, people, SETTINGS, known)
        found = score(table, people, models).column("probability").to_numpy() >= 0.5
        right.append((found == match).mean())
    assert right[1] > right[0]
    assert train(table, people, SETTINGS, asked)["person"].trained_on["labels"] == 60


def test_the_bits_of_a_check_are_the_same_in_any_order_of_its_fields():
    names = ("name", "birth_date", "email", "phone", "address")
    levels = {name: (0.1 * number,) for number, name in enumerate(names, start=1)}
    rarity = {name: 0.07 * number for number, name in enumerate(names, start=1)}
    level = {name: np.zeros(64, dtype=np.int8) for name in names}
    rare = {name: np.random.default_rng(1).random(64) for name in names}
    learned = Check(0.3, levels, rarity)
    saved = Check(0.3, dict(sorted(levels.items())), dict(sorted(rarity.items())))
    bits = [scoring.check_bits(one, "person", level, rare) for one in (learned, saved)]
    assert np.array_equal(*bits)
