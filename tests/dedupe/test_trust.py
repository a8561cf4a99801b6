"""Trust learned from what sources say: right where it can be known, silent where it cannot."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from dedupe import claims, trust
from dedupe.survivorship import Policy, consolidate
from dedupe.trust import Claims, Known, Learned
from rules.customer import STAGED_SCHEMA

SOURCES = ("a", "b", "c", "d")


def world(
    accuracy: dict[str, float], items: int = 600, values: int = 5000, copies: dict | None = None
) -> tuple[Claims, np.ndarray]:
    """Claims of sources of known accuracy, and which are right; a copy repeats another's value."""
    random = np.random.default_rng(3)
    truth = random.integers(0, values, items)
    said = {}
    for name, share in accuracy.items():
        wrong = random.integers(0, values, items)
        said[name] = np.where(random.random(items) < share, truth, wrong)
    for name, original in (copies or {}).items():
        said[name] = said[original].copy()
    names = tuple(sorted(said))
    value = np.concatenate([said[name] for name in names])
    found = Claims(
        names,
        np.tile(np.arange(items), len(names)),
        np.repeat(np.arange(len(names)), items),
        value,
        trust.strengths(value, values),
    )
    return found, value == np.tile(truth, len(names))


def by_source(learned: Learned) -> dict[str, trust.Estimate]:
    return {one.source: one for one in learned.estimates}


def test_the_accuracy_of_each_source_is_found() -> None:
    accuracy = {"a": 0.97, "b": 0.8, "c": 0.6}
    claimed, right = world(accuracy)
    learned = trust.learn(claimed)
    for name, one in by_source(learned).items():
        true = right[claimed.source == claimed.sources.index(name)].mean()
        assert abs(one.right / one.judged - true) < 0.03
        assert one.low < true < one.high
    assert learned.differ()


def test_agreement_on_a_common_value_is_no_proof() -> None:
    """Of two values, one of 95 %: sources that guess agree nine times of ten."""
    random = np.random.default_rng(5)
    value = (random.random(900) < 0.05).astype(int)
    guessed = Claims(
        ("a", "b", "c"), np.tile(np.arange(300), 3), np.repeat(np.arange(3), 300), value,
        trust.strengths(value, 2),
    )  # fmt: skip
    learned = trust.learn(guessed)
    assert all(one.agreeing / one.compared > 0.9 for one in learned.estimates)
    assert not learned.differ()


def test_sources_that_share_wrong_values_count_as_one() -> None:
    claimed, right = world({"a": 0.9, "b": 0.88, "c": 0.9, "x": 0.6}, copies={"y": "x"})
    learned = by_source(trust.learn(claimed))
    assert list(learned["x"].copies) == ["y"]
    assert not learned["a"].copies
    for name in ("a", "x"):
        true = right[claimed.source == claimed.sources.index(name)].mean()
        assert abs(learned[name].right / learned[name].judged - true) < 0.05


def test_nothing_is_proposed_of_two_sources_that_nobody_judged() -> None:
    claimed, _ = world({"a": 0.97, "b": 0.6})
    learned = trust.learn(claimed)
    assert all(one.judged == 0 for one in learned.estimates)
    assert trust.proposed({"sex": learned}) == (0.5, {})


def test_stewards_and_corrections_tell_two_sources_apart() -> None:
    claimed, _ = world({"a": 0.97, "b": 0.6})
    learned = trust.learn(
        claimed, {"a": Known(28, 30), "b": Known(10, 30)}, {"a": Known(20, 20), "b": Known(0, 20)}
    )
    assert by_source(learned)["b"].stewards == Known(10, 30)
    default, found = trust.proposed({"sex": learned})
    assert found == {"a": {"default": 0.96, "sex": 0.96}, "b": {"default": 0.2, "sex": 0.2}}
    assert default == 0.58


def test_little_evidence_proposes_nothing_and_equal_sources_neither() -> None:
    few, _ = world({"a": 0.97, "b": 0.8, "c": 0.5}, items=25)
    assert trust.proposed({"sex": trust.learn(few)})[1] == {}
    equal, _ = world({"a": 0.9, "b": 0.9, "c": 0.9})
    assert trust.proposed({"sex": trust.learn(equal)})[1] == {}


def test_the_order_of_claims_changes_nothing() -> None:
    claimed, _ = world({"a": 0.97, "b": 0.8, "c": 0.6}, items=100)
    order = np.random.default_rng(1).permutation(len(claimed.item))
    shuffled = Claims(
        claimed.sources, claimed.item[order], claimed.source[order], claimed.value[order],
        claimed.share,
    )  # fmt: skip
    one, other = trust.learn(claimed), trust.learn(shuffled)
    for left, right in zip(one.estimates, other.estimates, strict=True):
        assert left.right == pytest.approx(right.right)
        assert (left.judged, left.agreeing) == (right.judged, right.agreeing)


def _staged(names: dict[str, float], people: int = 400) -> tuple[pa.Table, pa.Table, list[str]]:
    """Persons in three sources with birth dates of known accuracy; every third is in two only."""
    random = np.random.default_rng(11)
    rows, truth = [], []
    for number in range(people):
        day = int(random.integers(-10_000, 10_000))
        truth.append(str(np.datetime64("1970-01-01") + day))
        for place, (source, share) in enumerate(names.items()):
            if place == 2 and number % 3 == 0:
                continue
            said = day if random.random() < share else int(random.integers(-10_000, 10_000))
            rows.append(
                {
                    "record_id": f"{source}:{number:04}",
                    "source": source,
                    "source_key": f"{number:04}",
                    "customer_type": "person",
                    "birth_date": (np.datetime64("1970-01-01") + said).astype(object),
                }
            )
    staged = pa.Table.from_pylist(rows, schema=STAGED_SCHEMA)
    ids = [f"G{row['source_key']}" for row in rows]
    return staged, pa.table({"record_id": staged["record_id"], "golden_id": ids}), truth


def test_learned_trust_makes_golden_values_right_where_one_source_is_bad() -> None:
    staged, crosswalk, truth = _staged({"bad": 0.5, "good": 0.97, "fair": 0.9})
    found = {head: trust.learn(said.claims) for head, said in claims.of(staged, crosswalk)}
    default, proposed = trust.proposed(found)

    def right(policy: Policy) -> float:
        golden = consolidate(staged, crosswalk, policy).golden["birth_date"].to_pylist()
        return float(np.mean([str(one) == true for one, true in zip(golden, truth, strict=True)]))

    before, after = right(Policy()), right(Policy(default_trust=default, trust=proposed))
    assert before < 0.85
    assert after > before + 0.1


def test_one_record_speaks_for_a_source_and_lists_agree_where_they_meet() -> None:
    rows = [
        ("erp", "1", ["+8613800138001", "+8613800138002"], 2020),
        ("crm", "1", ["+8613800138002"], 2021),
        ("crm", "2", ["+8613800138009"], 2019),
    ]
    staged = pa.Table.from_pylist(
        [
            {
                "record_id": f"{source}:{key}", "source": source, "source_key": key,
                "phones": phones, "updated_at": dt.datetime(year, 1, 1, tzinfo=dt.UTC),
            }
            for source, key, phones, year in rows
        ],
        schema=STAGED_SCHEMA,
    )  # fmt: skip
    crosswalk = pa.table({"record_id": staged["record_id"], "golden_id": ["G1"] * 3})
    said = dict(claims.of(staged, crosswalk))["phones"]
    assert sorted(said.record_id) == ["crm:1", "erp:1"]
    assert said.claims.value[0] == said.claims.value[1]
