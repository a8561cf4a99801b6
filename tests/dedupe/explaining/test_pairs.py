"""Why and why not, on a small invented world: the reason named is the one that decided."""

import json
from datetime import date

import pytest

from dedupe import explain
from dedupe.explain import Evidence
from dedupe.explaining.facts import Pair, plain
from dedupe.explaining.messages import say
from dedupe.levels import VETOES
from dedupe.model import MatchingSettings, logit_bits


def words(pair: Pair) -> str:
    """Verdict and reasons in English."""
    said = [pair.verdict, *pair.reasons, *filter(None, [pair.suggestion])]
    return " ".join(say(one) for one in said)


def test_records_that_match_are_merged(world: Evidence) -> None:
    pair = explain.pair(world, "crm:same-2", "crm:same-1")
    assert (pair.outcome, pair.together, pair.stored) == ("merged", True, True)
    assert (pair.left.record_id, pair.right.record_id) == ("crm:same-1", "crm:same-2")
    assert pair.weight_bits >= pair.match_bits == logit_bits(world.settings.match)
    assert "phone" in pair.found_by and pair.left.golden_id == "G0000000001"


@pytest.mark.parametrize(
    ("left", "right", "veto"),
    [("crm:born-1", "crm:born-2", "birth_date"), ("crm:firm", "crm:sister", "sister")],
)
def test_a_contradiction_is_named_with_what_overrules_it(
    world: Evidence, left: str, right: str, veto: str
) -> None:
    pair = explain.pair(world, left, right)
    assert (pair.outcome, pair.veto) == ("veto", veto)
    assert VETOES[veto].sentence in words(pair)
    missing = f"{(VETOES[veto].overruled_at_bits or pair.match_bits) - pair.weight_bits:.1f}"
    assert f"{missing} bits more of agreement would overrule it" in words(pair)


def test_a_pair_below_the_cut_names_the_field_that_costs_most(world: Evidence) -> None:
    pair = explain.pair(world, "crm:low-1", "crm:low-2")
    assert pair.outcome == "below"
    assert f"{pair.match_bits - pair.weight_bits:.1f} bits below the cut" in words(pair)
    cost = {step.field: step.bits for step in pair.steps if step.kind == "level"}
    worst = min(cost, key=lambda field: cost[field])
    assert {"phone": "Telephone", "email": "E-mail"}[worst] + " costs most" in words(pair)


def test_records_without_a_common_key_were_never_compared(world: Evidence) -> None:
    pair = explain.pair(world, "crm:alone", "crm:low-1")
    assert (pair.outcome, pair.stored, pair.found_by) == ("never_compared", False, ())
    assert "no key in common" in words(pair)
    keys = {key.kind: key for key in pair.keys}
    assert keys["name"].left == ("wuyutong", "yutongwu", "吴雨桐")
    assert keys["email"].left == () and keys["email"].right == ("a@a.example",)
    assert not any(key.shared for key in pair.keys)


def test_a_key_that_too_many_share_is_named_with_their_number(matched, records) -> None:
    evidence = matched(records, settings=MatchingSettings(block_limit=8))
    pair = explain.pair(evidence, "crm:desk-03", "crm:desk-04")
    assert pair.outcome == "never_compared"
    phone = next(key for key in pair.keys if key.kind == "phone")
    assert (phone.shared, phone.left_out_records, phone.limit) == (("…0017",), 15, 8)
    assert "15 records share it, more than the 8 that may" in words(pair)


def test_a_person_and_an_organization_are_never_paired(world: Evidence) -> None:
    pair = explain.pair(world, "crm:alone", "crm:firm")
    assert pair.outcome == "types" and "an organization" in words(pair)


def test_a_shared_switchboard_is_counted_in_customers(world: Evidence) -> None:
    pair = explain.pair(world, "crm:desk-01", "crm:desk-00")
    rarity = next(s for s in pair.steps if s.kind == "rarity" and s.field == "phone")
    assert rarity.frequency is not None
    assert (rarity.frequency.records, rarity.frequency.customers) == (15, 14)
    assert say(rarity.says).startswith("Telephone 571…0017 is shared by 14 customers (15 records)")


def test_a_steward_s_link_is_the_reason(matched, records) -> None:
    links = [("link", "crm:low-1", "crm:low-2"), ("link", "crm:alone", "crm:low-2")]
    evidence = matched(records, *links)
    pair = explain.pair(evidence, "crm:alone", "crm:low-1")
    assert pair.outcome == "linked" and "decision D2; D1" in words(pair)


def test_a_steward_s_no_link_is_the_reason(matched, records) -> None:
    evidence = matched(records, ("no_link", "crm:same-1", "crm:same-2"))
    pair = explain.pair(evidence, "crm:same-1", "crm:same-2")
    assert (pair.outcome, pair.together) == ("kept_apart", False)
    assert "decision D1" in words(pair) and "Without the decision they would match." in words(pair)


def test_a_matching_pair_names_the_decision_between_other_records(matched, records) -> None:
    first, third = (dict(records[n]) | {"emails": ["a@a.example"]} for n in (0, 2))
    evidence = matched([first, records[1], third], ("no_link", "crm:same-1", "crm:same-2"))
    assert evidence.cluster_of("crm:same-3") == evidence.cluster_of("crm:same-1")
    pair = explain.pair(evidence, "crm:same-3", "crm:same-2")
    assert pair.outcome == "not_formed" and "decision D1" in words(pair)


def test_a_matching_pair_names_the_customer_that_one_of_them_fits_as_well(matched, records) -> None:
    evidence = matched(records, ("no_link", "crm:same-1", "crm:same-2"))
    pair = explain.pair(evidence, "crm:same-2", "crm:same-3")
    assert pair.outcome == "not_formed"
    assert "The customer of crm:same-3 fits that of crm:same-1 about as well" in words(pair)
    assert "surely not the customer of crm:same-2" in words(pair)


def test_a_matching_pair_names_the_contradiction_it_inherits(matched, records) -> None:
    more = [dict(records[0]) for _ in range(2)]
    for row, key, born in zip(more, ("old", "young"), (1940, 1999), strict=True):
        row |= {"record_id": f"crm:{key}", "source_key": key, "birth_date": date(born, 1, 1)}
    bridge = dict(records[2]) | {"emails": ["a@a.example"]}
    more[0]["emails"] = bridge["emails"]
    evidence = matched([*more, bridge])
    here = evidence.cluster_of("crm:same-3")
    left_out = next(k for k in ("crm:old", "crm:young") if evidence.cluster_of(k) != here)
    pair = explain.pair(evidence, "crm:same-3", left_out)
    assert pair.outcome == "not_formed"
    assert VETOES["birth_date_at_home"].sentence in words(pair)


def test_records_held_together_by_others_say_by_which(matched, records) -> None:
    moved = dict(records[2]) | {"record_id": "crm:moved", "source_key": "moved"}
    moved |= {"phones": ["+8613900000077"], "phone_keys": ["+8613900000077"]}
    moved |= {"emails": ["q@q.example"]}
    first = dict(records[0]) | {"emails": ["a@a.example"]}
    evidence = matched([first, records[1], moved], ("link", "crm:moved", "crm:same-2"))
    pair = explain.pair(evidence, "crm:moved", "crm:same-1")
    assert pair.weight_bits < pair.match_bits
    assert pair.outcome == "through" and pair.together
    assert pair.via == ("crm:same-2",)
    assert f"{pair.match_bits - pair.weight_bits:.1f} bits below the cut" in words(pair)


def test_numbers_are_masked_and_what_differs_stays_visible(matched, records) -> None:
    one, two = dict(records[0]), dict(records[0])
    for row, key, phone in ((one, "one", "+8613900100017"), (two, "two", "+8613900200017")):
        row |= {"record_id": f"crm:{key}", "source_key": key}
        row |= {"phones": [phone], "phone_keys": [phone]}
    evidence = matched([one, two])
    pair = explain.pair(evidence, "crm:one", "crm:two")
    assert pair.left.values["phone"] == "139…1…0017"
    assert pair.right.values["phone"] == "139…2…0017"


def test_an_explanation_is_json_in_any_language(world: Evidence) -> None:
    pair = explain.pair(world, "crm:alone", "crm:low-1")
    english, chinese = (json.dumps(plain(pair, one)) for one in ("en", "zh"))
    assert json.loads(english)["verdict"] == say(pair.verdict)
    assert json.loads(chinese)["verdict"] == say(pair.verdict, "zh") != say(pair.verdict)
    assert json.loads(json.dumps(plain(pair)))["verdict"]["text"] == pair.verdict.text


def test_the_middle_of_a_number_is_nowhere_in_an_explanation(world: Evidence) -> None:
    pair = explain.pair(world, "crm:same-1", "crm:same-2")
    assert "139…0001" in json.dumps(plain(pair), ensure_ascii=False)
    assert "13900000001" not in json.dumps(plain(pair))


def test_a_record_is_not_explained_with_itself_or_an_unknown_one(world: Evidence) -> None:
    for other in ("crm:same-1", "crm:nobody"):
        with pytest.raises(KeyError):
            explain.pair(world, "crm:same-1", other)
