"""Why a golden value is what it is: told by what chose it."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from dedupe.explaining.messages import say
from dedupe.explaining.values import Choice, choices
from dedupe.survivorship import Policy, consolidate, load_policy
from dedupe.survivorship_policy import DEFAULTS, HEADS, LISTS, PROHIBITS
from rules.customer import STAGED_SCHEMA


def day(number: int) -> dt.datetime:
    return dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=number)


def table(*records: dict[str, Any]) -> pa.Table:
    rows = [
        {
            "record_id": f"{one['source']}:{number}",
            "source_key": str(number),
            "customer_type": "person",
            **one,
        }
        for number, one in enumerate(records)
    ]
    return pa.Table.from_pylist(rows, schema=STAGED_SCHEMA)


def of(head: str, *records: dict[str, Any], **section: Any) -> Choice:
    found = choices(table(*records), "G1", load_policy(section))
    return next(one for one in found if one.head == head)


def test_the_email_is_from_the_crm_because_that_of_the_erp_is_900_days_older() -> None:
    found = of(
        "emails",
        dict(source="erp", emails=["old@example.com"], updated_at=day(0)),
        dict(source="crm", emails=["new@example.com"], updated_at=day(900)),
    )
    expected = "E-mail from crm, because that of erp is 900 days older"
    assert say(found.sentence) == expected
    assert say(found.sentence, "zh") == "电子邮箱取自 crm，因为 erp 的值旧 900 天"
    assert found.values == {"emails": ["new@example.com", "old@example.com"]}


def test_every_criterion_says_its_own_reason() -> None:
    def why(head: str, winner: dict, loser: dict, **section: Any) -> str:
        records = [{"source": "erp", **loser}, {"source": "crm", **winner}]
        return say(of(head, *records, **section).lost[0].why)

    city = {"city": "Leeds"}
    assert (
        why("sex", dict(sex="M", verified=["sex"]), dict(sex="F")) == "that of erp is not verified"
    )
    assert why("name", dict(name="李娜"), dict(name="Li Na")).endswith("customer's own script")
    assert why("address", {**city, "street": "Elm St"}, {"city": "York"}) == (
        "that of erp has 1 of the parts, this one 2"
    )
    assert why(
        "contact_name", {"contact_name": "A", "updated_at": day(9)}, {"contact_name": "B"}
    ) == ("that of erp has no date")
    trusted = {"trust": {"erp": 0.4, "crm": {"default": 0.1, "sex": 0.8}}}
    assert why("sex", {"sex": "M"}, {"sex": "F"}, **trusted) == (
        "erp is trusted 0.20, crm 0.40"  # halved: no date
    )
    aged = dict(sex="M", updated_at=day(1825)), dict(sex="F", updated_at=day(0))
    assert why("sex", *aged, **trusted) == ("erp is trusted 0.20 at its age of 1825 days, crm 0.80")
    assert why(
        "consent_marketing", dict(consent_marketing=False), dict(consent_marketing=True)
    ) == ("that of erp restricts less")
    assert why(
        "legal_representative", {"legal_representative": "Anna"}, {"legal_representative": "A"}
    ) == ("that of erp is shorter")


def test_what_a_steward_set_names_who_and_keeps_what_the_records_say() -> None:
    overrides = pa.table(
        {
            "decision_id": ["D1"], "kind": ["override"], "golden_id": ["G1"], "field": ["city"],
            "value": ["Hull"], "decided_at": [day(1)], "decided_by": ["lina"], "reason": ["called"],
        }
    )  # fmt: skip
    found = choices(table(dict(source="erp", city="Leeds")), "G1", Policy(), overrides)
    address = next(one for one in found if one.head == "address")
    assert say(address.sentence) == "Address set by lina"
    assert (address.values["city"], address.pins[0].reason) == ("Hull", "called")
    assert address.chosen is not None
    assert address.chosen.values["city"] == "Leeds"


_texts = st.sampled_from([None, "a", "bb", "张"])
_records = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["erp", "crm", "excel"]),
            "name": _texts,
            "family_name": _texts,
            "city": _texts,
            "address_line": _texts,
            "legal_representative": _texts,
            "emails": st.lists(st.sampled_from("xyz"), max_size=3, unique=True),
            "birth_date": st.sampled_from([None, dt.date(1980, 1, 2), dt.date(1970, 3, 4)]),
            "do_not_contact": st.sampled_from([None, True, False]),
            "do_not_contact_at": st.sampled_from([None, day(5), day(7)]),
            "updated_at": st.sampled_from([None, day(0), day(900), day(901)]),
            "verified": st.sampled_from([[], ["name", "emails"], ["birth_date"]]),
        }
    ),
    min_size=1,
    max_size=6,
)
_criteria = ["verified", "native_script", "complete", "majority", "backed", "trusted", "recent"]
_trust = st.sampled_from([0.0, 0.3, 0.5, 1.0])
_policies = st.fixed_dictionaries(
    {
        "trust": st.dictionaries(
            st.sampled_from(["erp", "crm"]),
            st.one_of(_trust, st.dictionaries(st.sampled_from(["default", "name"]), _trust)),
        ),
        "half_life_days": st.sampled_from([1, 365, {"default": 700, "name": 30}]),
        "verified": st.sampled_from([{}, {"crm": ["name", "emails"]}]),
        "fields": st.dictionaries(
            st.sampled_from(["name", "birth_date", "address", "legal_representative"]),
            st.lists(st.sampled_from([*_criteria, "longest"]), min_size=1, unique=True),
        ),
    }
)


@settings(deadline=None, max_examples=40)
@given(_records, _policies)
def test_the_winner_told_is_the_golden_value_and_the_next_one_wins_without_it(
    rows: list[dict[str, Any]], section: dict[str, Any]
) -> None:
    policy = load_policy(section)
    staged = table(*rows)

    def golden(records: pa.Table) -> dict[str, Any]:
        ids = pa.array(["G1"] * records.num_rows)
        crosswalk = pa.table({"record_id": records["record_id"], "golden_id": ids})
        return dict(consolidate(records, crosswalk, policy).golden.to_pylist()[0])

    values = golden(staged)
    told: set[str] = set()
    tried = False
    for one in choices(staged, "G1", policy):
        assert one.values == {name: values[name] for name in one.values}
        told |= set(one.values)
        assert one.chosen is not None
        said = {one.chosen.record_id, *one.alike, *(each.claim.record_id for each in one.lost)}
        assert said == {
            row["record_id"] for row in staged.to_pylist() if _says(row, one.head, one.values)
        }
        # Votes and ages are others without the winner; else the next one is in its place.
        counted = {"majority", "backed", "trusted"} & {*policy.criteria_of(one.head)}
        if one.lost and not (tried or one.alike or one.head in LISTS or counted):
            tried = True
            rest = pc.not_equal(staged["record_id"], one.chosen.record_id)
            after, nearest = golden(staged.filter(rest)), one.lost[0].claim.values
            assert {name: after[name] for name in nearest} == nearest
    assert all(values[name] in (None, []) for name in values.keys() - told - _COUNTED)


_COUNTED = {"golden_id", "record_count", "source_count", "sources"}


def _says(row: dict[str, Any], head: str, fields: dict[str, Any]) -> bool:
    named = (
        [name for name in fields if name != "country"]
        if head == "address"
        else [next(iter(fields))]
    )
    return any(row[name] not in (None, []) for name in named)


def test_all_fields_have_a_policy_and_restrictions_cannot_be_loosened() -> None:
    assert set(DEFAULTS) <= set(HEADS)
    assert set(PROHIBITS) <= set(HEADS)
    assert all(Policy().rule_of(head) == "restrictive" for head in PROHIBITS)
