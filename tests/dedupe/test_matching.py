"""The chain from features to clusters on invented people: trained, closed, independent of order."""

import random
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dedupe import blocking, clusters, features, matching
from dedupe.model import MatchingSettings
from rules.customer import STAGED_SCHEMA

FAMILIES = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴"]
SETTINGS = MatchingSettings()
READINGS = {
    "王": "wang", "李": "li", "张": "zhang", "刘": "liu", "陈": "chen",
    "杨": "yang", "赵": "zhao", "黄": "huang", "周": "zhou", "吴": "wu",
    "建国": "jianguo", "秀英": "xiuying", "志强": "zhiqiang", "桂兰": "guilan",
    "晓东": "xiaodong", "丽华": "lihua", "海燕": "haiyan", "文博": "wenbo",
    "雨桐": "yutong", "子涵": "zihan", "明远": "mingyuan", "静怡": "jingyi",
}  # fmt: skip
GIVENS = [name for name in READINGS if len(name) == 2]


def people(count: int, seed: int = 5) -> pa.Table:
    """``count`` invented persons with two or three records each, source_key ``person-record``."""
    rng = random.Random(seed)
    rows = []
    for person in range(count):
        family, given = rng.choice(FAMILIES), rng.choice(GIVENS)
        phone = f"+861390000{person:04d}"
        birth = date(rng.randrange(1950, 1999), rng.randrange(1, 13), rng.randrange(1, 29))
        for record in range(rng.choice([2, 2, 3])):
            key = f"{person:04d}-{record}"
            phones = [phone] if record != 2 or rng.random() < 0.5 else []
            rows.append(
                {
                    "record_id": f"crm:{key}",
                    "source": "crm",
                    "source_key": key,
                    "customer_type": "person",
                    "name": family + given,
                    "name_key": family + given,
                    "name_readings": [f"{READINGS[family]} {READINGS[given]}"],
                    "family_name": family,
                    "given_name": given,
                    "birth_date": birth if record != 1 or rng.random() < 0.7 else None,
                    "phones": phones,
                    "phone_kinds": ["mobile"] * len(phones),
                    "phone_keys": phones,
                    "country": "CN",
                }
            )
    return pa.Table.from_pylist(rows, schema=STAGED_SCHEMA)


def resolved(staged: pa.Table, settings: MatchingSettings = SETTINGS):
    table = features.build(staged)
    found = blocking.candidates(table, settings)
    models = matching.learn(found.pairs, table, settings)
    scored = matching.score_pairs(found.pairs, table, models, None, settings)
    ids = table.column("record_id").to_pylist()
    return models, scored, clusters.cluster(ids, scored, None, settings)


def test_invented_people_are_found_without_any_truth():
    models, _, found = resolved(people(250))
    assert models["person"].basis == "em" and models["organization"].basis == "prior"
    of = {row["record_id"]: row["cluster_id"] for row in found.clusters.to_pylist()}
    person_of = {record: record.split(":")[1].split("-")[0] for record in of}
    mixed = {
        cluster_id
        for record, cluster_id in of.items()
        if person_of[record] != person_of[cluster_id]
    }
    assert len(mixed) <= 5
    assert len(set(of.values())) == pytest.approx(250, abs=20)


def test_pairs_compared_beforehand_give_the_same_models_and_scores():
    table = features.build(people(120))
    pairs = blocking.candidates(table, SETTINGS).pairs
    levels = matching.compare(pairs, table)
    models = matching.learn(pairs, table, SETTINGS)
    again = matching.learn(levels, table, SETTINGS)
    assert {n: m.fingerprint for n, m in models.items()} == {
        n: m.fingerprint for n, m in again.items()
    }
    scored = matching.score_pairs(pairs, table, models, None, SETTINGS)
    assert matching.score_pairs(levels, table, models, None, SETTINGS).equals(scored)


def test_weighed_pairs_are_the_scored_ones_without_the_parts_of_their_weight(monkeypatch):
    table = features.build(people(120))
    pairs = blocking.candidates(table, SETTINGS).pairs
    models = matching.learn(pairs, table, SETTINGS)
    # Without some candidates there are pairs that only closure finds.
    pairs = pairs.filter(pa.array([n % 5 > 0 for n in range(pairs.num_rows)]))
    scored = matching.score_pairs(pairs, table, models, None, SETTINGS)
    monkeypatch.setattr(matching, "CHUNK_ROWS", 101)
    chunks = list(matching.scored_chunks(pairs, table, models, None, SETTINGS))
    assert max(chunk.num_rows for chunk in chunks) == 101
    assert pa.concat_tables(chunks).equals(scored)
    weighed = matching.weigh_pairs(pairs, table, models, None, SETTINGS)
    assert "closure" in weighed["found_by"].to_pylist()
    assert weighed.to_pylist() == scored.select(weighed.column_names).to_pylist()


@pytest.mark.parametrize("count", [1, 3])
def test_a_handful_of_records_is_matched_with_the_shipped_weights(count):
    staged = people(count)
    models, _, found = resolved(staged)
    assert models["person"].basis == "prior"
    assert found.report["clusters"] == count


def test_every_scored_pair_is_there_once_and_sorted():
    _, scored, _ = resolved(people(120))
    ids = list(zip(scored["left_id"].to_pylist(), scored["right_id"].to_pylist(), strict=True))
    assert ids == sorted(set(ids))
    assert all(left < right for left, right in ids)


def test_pairs_inside_components_are_scored_too():
    staged = people(120)
    table = features.build(staged)
    ids = table.column("record_id").to_pylist()
    complete = {
        row["record_id"]
        for row in staged.select(["record_id", "phones", "birth_date"]).to_pylist()
        if row["phones"] and row["birth_date"]
    }
    groups = [[f"crm:{person:04d}-{record}" for record in range(3)] for person in range(120)]
    three = next(group for group in groups if complete.issuperset(group))
    pairs = blocking.candidates(table, SETTINGS).pairs
    models = matching.learn(pairs, table, SETTINGS)
    chain = pa.table(
        {"left_id": three[:-1], "right_id": three[1:], "found_by": ["phone"] * (len(three) - 1)}
    )
    scored = matching.score_pairs(chain, table, models, None, SETTINGS)
    again = clusters.missing_pairs(ids, scored, None, SETTINGS)
    assert again.num_rows == 0
    expected = len(three) * (len(three) - 1) // 2
    assert scored.num_rows == expected
    assert scored.column("found_by").to_pylist().count("closure") == expected - chain.num_rows


def test_the_order_of_records_changes_nothing(monkeypatch):
    staged = people(150)
    order = list(range(staged.num_rows))
    random.Random(9).shuffle(order)
    models, scored, found = resolved(staged)
    monkeypatch.setattr(matching, "CHUNK_ROWS", 97)
    other_models, other_scored, other_found = resolved(staged.take(order))
    assert {n: m.fingerprint for n, m in models.items()} == {
        n: m.fingerprint for n, m in other_models.items()
    }
    assert scored.equals(other_scored)
    assert found.clusters.equals(other_found.clusters)
    assert found.suggestions.equals(other_found.suggestions)


def test_labels_of_candidates_and_of_unseen_pairs_change_the_model():
    table = features.build(people(150))
    pairs = blocking.candidates(table, SETTINGS).pairs
    seen = pairs.slice(0, 40).select(["left_id", "right_id"]).to_pylist()
    ids = table.column("record_id").to_pylist()
    unseen = [{"left_id": ids[i], "right_id": ids[-1 - i]} for i in range(20)]
    rows = [row | {"is_match": False} for row in [*seen, *unseen]]
    plain = matching.learn(pairs, table, SETTINGS)["person"]
    labeled = matching.learn(pairs, table, SETTINGS, pa.Table.from_pylist(rows))["person"]
    mixed = matching.learn(pairs, table, SETTINGS, pa.Table.from_pylist(rows[::-1]))["person"]
    assert matching.learn(pairs, table, SETTINGS, None)["person"].fingerprint == plain.fingerprint
    assert labeled.fingerprint == mixed.fingerprint != plain.fingerprint
    about = pa.Table.from_pylist([row | {"found_by": "label"} for row in rows])
    means = [
        pc.mean(
            matching.score_pairs(about, table, {"person": model}, None, SETTINGS)["weight_bits"]
        )
        for model in (plain, labeled)
    ]
    assert means[1].as_py() < means[0].as_py()
