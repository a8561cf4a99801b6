"""The golden record: which value wins, and that every value names its record."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedupe import survivorship
from onefold.errors import ConfigError
from rules.customer import GOLDEN_FIELDS, STAGED_SCHEMA

POLICY = survivorship.Policy(trust={"erp": 0.9, "crm": 0.6, "excel": 0.3})


def record(source: str, key: str, **values: Any) -> dict[str, Any]:
    return {
        "record_id": f"{source}:{key}",
        "source": source,
        "source_key": key,
        "customer_type": "person",
        **values,
    }


def consolidate(*records: dict, policy: survivorship.Policy = POLICY, overrides=None) -> tuple:
    """All records as one customer → its golden row and (field, item) → provenance."""
    staged = pa.Table.from_pylist(list(records), schema=STAGED_SCHEMA)
    crosswalk = pa.table(
        {"record_id": staged["record_id"], "golden_id": pa.array(["G1"] * len(records))}
    )
    outcome = survivorship.consolidate(staged, crosswalk, policy, overrides)
    trail = {(row["field"], row["item"]): row for row in outcome.provenance.to_pylist()}
    return outcome.golden.to_pylist()[0], trail


def day(year: int) -> dt.datetime:
    return dt.datetime(year, 1, 1, tzinfo=dt.UTC)


def test_trusted_source_wins_and_provenance_says_so() -> None:
    golden, trail = consolidate(
        record("excel", "1", legal_representative="Ann"),
        record("erp", "9", legal_representative="Anne"),
    )
    assert golden["legal_representative"] == "Anne"
    assert trail["legal_representative", 0]["source_key"] == "9"
    assert trail["legal_representative", 0]["rule"] == "verified > trusted > recent > longest"


def test_trust_decays_with_age() -> None:
    old_erp = record("erp", "1", employer_name="Old Ltd", updated_at=day(2005))
    new_crm = record("crm", "2", employer_name="New Ltd", updated_at=day(2025))
    assert consolidate(old_erp, new_crm)[0]["employer_name"] == "New Ltd"


def test_chinese_name_is_shown_before_its_pinyin() -> None:
    golden, _ = consolidate(
        record("erp", "1", name="Zhang Xiaoming", family_name="Zhang", given_name="Xiaoming"),
        record("excel", "2", name="张晓明", family_name="张", given_name="晓明"),
    )
    assert (golden["name"], golden["family_name"]) == ("张晓明", "张")


def test_parts_of_an_address_come_from_one_record() -> None:
    golden, trail = consolidate(
        record("erp", "1", address_line="1 Elm St", street="Elm St", city="Leeds"),
        record("crm", "2", city="York", postal_code="YO1 7EP", updated_at=day(2024)),
    )
    assert golden["city"] == "Leeds"
    assert golden["postal_code"] is None
    assert trail["city", 0]["source"] == trail["street", 0]["source"] == "erp"


def test_lists_are_united_without_doubles_newest_first() -> None:
    old = dict(phones=["+8613900000001"], phone_kinds=["mobile"], phone_extensions=[""])
    new = dict(
        phones=["+861055550000", "+8613900000001"],
        phone_kinds=["fixed", "mobile"],
        phone_extensions=["8", ""],
    )
    golden, trail = consolidate(
        record("erp", "1", updated_at=day(2010), **old),
        record("crm", "2", updated_at=day(2020), **new),
    )
    assert golden["phones"] == ["+861055550000", "+8613900000001"]
    assert golden["phone_kinds"] == ["fixed", "mobile"]
    assert golden["phone_extensions"] == ["8", ""]
    assert trail["phones", 0]["source"] == trail["phones", 1]["source"] == "crm"


def test_most_restrictive_consent_wins() -> None:
    golden, _ = consolidate(
        record("erp", "1", consent_marketing=True, do_not_contact=False),
        record("excel", "2", consent_marketing=False),
        record("crm", "3", do_not_contact=True),
    )
    assert golden["consent_marketing"] is False
    assert golden["do_not_contact"] is True


def test_first_and_last_dates_span_the_records() -> None:
    golden, _ = consolidate(
        record("erp", "1", created_at=day(2012), updated_at=day(2013)),
        record("crm", "2", created_at=day(2002), updated_at=day(2009)),
        record("excel", "3"),
    )
    assert (golden["created_at"], golden["updated_at"]) == (day(2002), day(2013))


def test_override_wins_and_names_the_decision() -> None:
    overrides = pa.table(
        {
            "decision_id": ["D1", "D2"],
            "kind": ["override", "override"],
            "golden_id": ["G1", "G1"],
            "field": ["city", "emails"],
            "value": ["Hull", '["a@example.com"]'],
            "decided_at": [day(2025), day(2025)],
        }
    )
    golden, trail = consolidate(
        record("erp", "1", city="Leeds", emails=["x@example.com", "y@example.com"]),
        overrides=overrides,
    )
    assert golden["city"] == "Hull"
    assert golden["emails"] == ["a@example.com"]
    assert (trail["city", 0]["source"], trail["city", 0]["source_key"]) == ("decision", "D1")
    assert ("emails", 1) not in trail


def test_a_source_is_trusted_field_by_field() -> None:
    policy = survivorship.load_policy({"trust": {"erp": 0.5, "crm": {"default": 0.1, "sex": 0.9}}})
    golden, _ = consolidate(
        record("erp", "1", sex="F", legal_representative="Anne"),
        record("crm", "2", sex="M", legal_representative="Ann"),
        policy=policy,
    )
    assert (golden["sex"], golden["legal_representative"]) == ("M", "Anne")


def test_trust_ages_field_by_field() -> None:
    section = {"trust": {"erp": 0.9}, "half_life_days": {"default": 36500, "contact_name": 30}}
    section["fields"] = {"contact_name": ["trusted"], "legal_representative": ["trusted"]}
    golden, _ = consolidate(
        record("erp", "1", contact_name="Old", legal_representative="Old", updated_at=day(2020)),
        record("crm", "2", contact_name="New", legal_representative="New", updated_at=day(2021)),
        policy=survivorship.load_policy(section),
    )
    assert (golden["contact_name"], golden["legal_representative"]) == ("New", "Old")


def test_verified_value_wins_over_trusted_newer_and_more_frequent_ones() -> None:
    others = [record("erp", key, sex="F", updated_at=day(2024)) for key in "12"]
    single = record("excel", "3", sex="M", verified=["sex"], updated_at=day(2001))
    assert consolidate(*others, single)[0]["sex"] == "M"
    whole = POLICY.model_copy(update={"verified": {"excel": ["sex"]}})
    assert consolidate(*others, {**single, "verified": None}, policy=whole)[0]["sex"] == "M"


def test_first_mail_address_is_of_the_source_that_the_policy_puts_first() -> None:
    policy = survivorship.load_policy(
        {"trust": {"crm": {"emails": 0.9}}, "fields": {"emails": ["trusted"]}}
    )
    old = record("crm", "1", emails=["a@example.com"], updated_at=day(2023))
    new = record("erp", "2", emails=["b@example.com"], updated_at=day(2024))
    assert consolidate(old, new, policy=policy)[0]["emails"] == ["a@example.com", "b@example.com"]
    assert consolidate(old, new)[0]["emails"] == ["b@example.com", "a@example.com"]


def test_backed_weighs_sources_and_counts_each_once() -> None:
    policy = survivorship.load_policy(
        {"trust": {"erp": 0.9, "crm": 0.5, "excel": 0.3}, "fields": {"sex": ["backed"]}}
    )
    excel = [record("excel", key, sex="F") for key in "1234"]
    assert consolidate(*excel, record("crm", "5", sex="M"), policy=policy)[0]["sex"] == "M"
    both = (*excel, record("crm", "5", sex="F"), record("erp", "6", sex="M"))
    assert consolidate(*both, policy=policy)[0]["sex"] == "M"


def test_date_of_consent_is_that_of_the_answer_that_counts() -> None:
    golden, trail = consolidate(
        record("erp", "1", consent_marketing=True, consent_marketing_at=day(2024)),
        record("crm", "2", consent_marketing=False, consent_marketing_at=day(2019)),
        record("excel", "3", consent_marketing=False, consent_marketing_at=day(2021)),
    )
    assert (golden["consent_marketing"], golden["consent_marketing_at"]) == (False, day(2021))
    assert trail["consent_marketing_at", 0]["source"] == "excel"


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ({"trust": {"crm": 1.5}}, "trust.crm"),
        ({"trust": {"crm": {"city": 0.5}}}, "trust.crm.city"),
        ({"half_life_days": {"shoes": 3}}, "half_life_days.shoes"),
        ({"verified": {"crm": ["phone"]}}, "verified.crm.phone"),
        ({"fields": {"do_not_contact": ["recent"]}}, "fields.do_not_contact"),
        ({"fields": {"phones": ["majority"]}}, "fields.phones"),
        ({"fields": {"sex": "union"}}, "fields.sex"),
        ({"fields": {"name": ["earliest"]}}, "fields.name"),
    ],
)
def test_wrong_setting_is_named(section: dict, place: str) -> None:
    with pytest.raises(ConfigError, match=rf"onefold.yml, survivorship.{place}"):
        survivorship.load_policy(section)


def test_unknown_criterion_names_the_setting() -> None:
    with pytest.raises(ConfigError, match=r"onefold.yml, survivorship.fields.city"):
        survivorship.load_policy({"fields": {"city": ["newest"]}})
    with pytest.raises(ConfigError, match="no golden field of this name"):
        survivorship.load_policy({"fields": {"shoe_size": ["recent"]}})


texts = st.sampled_from([None, "a", "bb", "张"])
records = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["erp", "crm", "excel"]),
            "name": texts,
            "family_name": texts,
            "city": texts,
            "address_line": texts,
            "emails": st.lists(st.sampled_from("xyz"), max_size=3, unique=True),
            "birth_date": st.sampled_from([None, dt.date(1980, 1, 2), dt.date(1970, 3, 4)]),
            "do_not_contact": st.sampled_from([None, True, False]),
            "updated_at": st.sampled_from([None, day(2001), day(2020)]),
            "golden": st.sampled_from(["G1", "G2"]),
        }
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=40)
@given(records, st.randoms())
def test_every_golden_value_is_the_value_of_the_record_it_names(rows, random) -> None:
    people = []
    for at, row in enumerate(rows):
        values = {k: v for k, v in row.items() if k not in ("golden", "source")}
        people.append(record(row["source"], str(at), **values))
    staged = pa.Table.from_pylist(people, schema=STAGED_SCHEMA)
    crosswalk = pa.table(
        {
            "record_id": [person["record_id"] for person in people],
            "golden_id": [row["golden"] for row in rows],
        }
    )
    outcome = survivorship.consolidate(staged, crosswalk, POLICY)
    parts = [*survivorship.in_parts(staged, crosswalk, POLICY, size=1)]
    assert [part.golden.num_rows for part in parts] == [1] * outcome.golden.num_rows
    assert pa.concat_tables([part.golden for part in parts]).equals(outcome.golden)
    assert pa.concat_tables([part.provenance for part in parts]).equals(outcome.provenance)
    by_key = {(p["source"], p["source_key"]): p for p in people}
    trail = {(r["golden_id"], r["field"], r["item"]): r for r in outcome.provenance.to_pylist()}
    for golden in outcome.golden.to_pylist():
        for field in GOLDEN_FIELDS:
            value = golden[field.name]
            items = value if isinstance(value, list) else [value] if value is not None else []
            for at, item in enumerate(items):
                named = trail.pop((golden["golden_id"], field.name, at))
                held = by_key[named["source"], named["source_key"]][field.name]
                assert item in held if isinstance(held, list) else item == held
    assert not trail
    order = random.sample(range(len(people)), len(people))
    again = survivorship.consolidate(staged.take(order), crosswalk, POLICY)
    assert again.golden.equals(outcome.golden)
    assert again.provenance.equals(outcome.provenance)
