import pyarrow as pa

from benchmarks import ablation
from dedupe.levels import FIELDS, VETOES
from dedupe.model import MatchingSettings

IDS = list("abcde")


def pairs(*rows: tuple[str, str, float, str | None]) -> pa.Table:
    left, right, probability, veto = zip(*rows, strict=True)
    return pa.table(
        {
            "left_id": left,
            "right_id": right,
            "probability": pa.array(probability, pa.float64()),
            "veto": pa.array(veto, pa.string()),
        }
    )


def test_components_join_what_is_linked_and_nothing_else() -> None:
    scored = pairs(("a", "b", 0.9, None), ("b", "c", 0.9, None), ("c", "d", 0.1, None))
    made = ablation.plain_components(IDS, scored, MatchingSettings())
    label = dict(zip(made["record_id"].to_pylist(), made["cluster_id"].to_pylist(), strict=True))
    assert label["a"] == label["b"] == label["c"]
    assert len({label["a"], label["d"], label["e"]}) == 3


def test_components_heed_a_veto_between_two() -> None:
    scored = pairs(("a", "b", 0.9, "id"), ("c", "d", 0.9, None))
    made = ablation.plain_components(IDS, scored, MatchingSettings())
    assert len(set(made["cluster_id"].to_pylist())) == 4


def test_a_veto_is_taken_away_and_the_others_stay() -> None:
    levels = pairs(("a", "b", 0.9, "id"), ("a", "c", 0.9, "branch"), ("a", "d", 0.9, None))
    made = ablation.without_vetoes("id")(levels)
    assert made["veto"].to_pylist() == [None, "branch", None]
    assert made.drop_columns("veto").equals(levels.drop_columns("veto"))


def test_pairs_stay_that_another_key_found() -> None:
    found = pa.table({"left_id": list("abc"), "found_by": ["phone", "phone,name", "name"]})
    assert ablation.without_keys("phone")(found)["left_id"].to_pylist() == ["b", "c"]


def test_readings_are_taken_from_chinese_names_only() -> None:
    kind = pa.list_(pa.string())
    made = pa.table(
        {
            "name": ["张伟", "John Smith"],
            "name_readings": pa.array([["zhang wei"], ["john smith"]], kind),
            "org_brand": pa.array([None, None], pa.string()),
            "brand_readings": pa.array([None, None], kind),
        }
    )
    assert ablation.without_pinyin(made)["name_readings"].to_pylist() == [None, ["john smith"]]


def test_every_field_veto_and_key_has_its_variant() -> None:
    names = [name for name, _ in ablation.variants(["phone", "name"])]
    assert len(set(names)) == len(names)
    assert {f"not compared: {field}" for field in FIELDS} <= set(names)
    assert {f"no veto: {veto}" for veto in VETOES} <= set(names)
    assert {"no key: phone", "no key: name", "full"} <= set(names)
