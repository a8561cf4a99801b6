"""Missing is not disagreement: what a record does not say never weighs anything."""

from datetime import date
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from dedupe import comparisons, features, scoring
from dedupe.prior import shipped_model
from rules.customer import STAGED_SCHEMA

GIVES: dict[str, tuple[str, ...]] = {
    "birth_date": ("birth_date",),
    "email": ("emails",),
    "phone": ("phones", "phone_kinds", "phone_keys"),
    "id": ("national_id", "id_keys"),
    "address": ("address_line", "street", "house_number", "address_key", "city", "region"),
}
"""Comparison → the staged columns that say something about it."""

NUMBERS = ["+8613900000001", "+8613900000002", "+861055550000"]
IDS = ["11010119900307121X", "330106198001020011"]


def _record(number: int, given_name: str, birth: date, mail: str, phone: str, id_: str, no: int):
    return {
        "record_id": f"a:{number}",
        "source": "a",
        "source_key": str(number),
        "customer_type": "person",
        "name": f"王{given_name}",
        "name_key": f"王{given_name}",
        "family_name": "王",
        "given_name": given_name,
        "birth_date": birth,
        "emails": [mail],
        "phones": [phone],
        "phone_kinds": ["mobile"],
        "phone_keys": [phone],
        "national_id": id_,
        "id_keys": [f"ric:{id_}"],
        "address_line": f"杭州市文三路{no}号",
        "street": "文三路",
        "house_number": str(no),
        "address_key": f"wensan {no}",
        "city": "杭州市",
        "region": "浙江省",
        "country": "CN",
    }


def people(number: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        _record,
        st.just(number),
        st.sampled_from(["伟", "伟明", "芳"]),
        st.dates(date(1980, 1, 1), date(1980, 12, 31)),
        st.sampled_from(["a@example.com", "b@example.com"]),
        st.sampled_from(NUMBERS),
        st.sampled_from(IDS),
        st.integers(1, 3),
    )


def scored(*records: dict[str, Any]) -> dict[str, Any]:
    table = features.build(pa.Table.from_pylist(list(records), schema=STAGED_SCHEMA))
    pairs = pa.table({"left_id": ["a:1"], "right_id": ["a:2"], "found_by": ["name"]})
    levels = comparisons.compare(pairs, table)
    return scoring.score(levels, table, {"person": shipped_model("person")}).to_pylist()[0]


@settings(max_examples=60)
@given(
    people(1),
    people(2),
    st.sets(st.sampled_from(sorted(GIVES))),
    st.sets(st.sampled_from(sorted(GIVES))),
)
def test_what_either_record_does_not_say_is_not_measured_and_weighs_nothing(
    left: dict[str, Any], right: dict[str, Any], left_lacks: set[str], right_lacks: set[str]
) -> None:
    for record, lacks in ((left, left_lacks), (right, right_lacks)):
        for field in lacks:
            record.update(dict.fromkeys(GIVES[field]))
    row = scored(left, right)
    for field in GIVES:
        if field in left_lacks | right_lacks:
            assert row[f"{field}_level"] == -1
            assert row[f"{field}_bits"] == 0
            assert not row[f"{field}_rarity_bits"] if f"{field}_rarity_bits" in row else True
        else:
            assert row[f"{field}_level"] >= 0
