"""Who is recognized by keyed hashes, and who is not."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from rules import recognizing
from rules.customer import STAGED_SCHEMA
from rules.recognizing import COLUMNS, Suppressed

BASE: dict[str, Any] = {
    "customer_type": "person",
    "name_key": "张伟",
    "name_readings": ["zhang wei"],
    "id_keys": ["ric:110101198001010010"],
    "birth_date": date(1980, 1, 1),
    "emails": ["zhang@example.com"],
    "phones": ["+8613800000001", "+862500000001"],
    "phone_kinds": ["mobile", "fixed"],
    "phone_keys": ["+8613800000001", "+862500000001"],
    "address_key": "中山路1",
}
NOTHING = dict.fromkeys(COLUMNS) | {"customer_type": "person"}


def table(*records: dict[str, Any]) -> pa.Table:
    schema = pa.schema([STAGED_SCHEMA.field(name) for name in COLUMNS])
    return pa.Table.from_pylist(list(records), schema=schema)


def hashed(texts: pa.Array) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([f"h{hash(one)}" for one in texts.to_pylist()])])


def recognized(record: dict[str, Any], erased: dict[str, Any], keyless: bool = False) -> bool:
    contents = [("crm", "00")] if keyless else []
    stored = recognizing.stored_of("E1", table(erased), [], contents, hashed)
    (found,) = Suppressed(stored, hashed).recognized(table(NOTHING | record), "crm")
    return bool(found)


@pytest.mark.parametrize(
    ("record", "is_the_one"),
    [
        ({"id_keys": ["ric:110101198001010010"]}, True),
        ({"name_key": "张伟", "emails": ["zhang@example.com"]}, True),
        ({"name_key": "zhangwei", "name_readings": ["zhang wei"],
          "phones": ["+8613800000001"], "phone_kinds": ["mobile"]}, True),
        ({"emails": ["zhang@example.com"]}, True),
        ({"name_key": "张伟", "address_key": "中山路1", "birth_date": date(1980, 1, 1)}, True),
        ({"name_key": "张伟", "address_key": "中山路1"}, False),
        ({"name_key": "张伟", "phone_keys": ["+862500000001"]}, False),
        ({"name_key": "张玮", "name_readings": ["zhang wei"], "emails": ["zhang@example.com"]},
         False),
        ({"name_key": "李娜", "phones": ["+8613800000001"], "phone_kinds": ["mobile"],
          "address_key": "中山路1"}, False),
        ({"name_key": "张伟商行", "customer_type": "organization",
          "phones": ["+8613800000001"], "phone_kinds": ["mobile"]}, False),
        ({"name_key": "张伟", "emails": ["zhang@example.com"],
          "id_keys": ["ric:110101199001010016"]}, False),
        ({"name_key": "张伟", "emails": ["zhang@example.com"], "birth_date": date(1999, 9, 9)},
         False),
        ({"name_key": "张伟", "emails": ["zhang@example.com"], "address_key": "中山路1",
          "birth_date": date(1999, 9, 9)}, True),
        ({"name_key": "张伟"}, False),
    ],
)  # fmt: skip
def test_a_person_is_known_again_and_a_relative_namesake_or_company_is_let_in(
    record: dict[str, Any], is_the_one: bool
) -> None:
    assert recognized(record, BASE) is is_the_one


def test_an_edited_row_of_a_source_without_a_key_is_known_by_one_contact() -> None:
    edited = {"name_key": "张伟", "address_key": "中山路1"}
    assert recognized(edited, BASE, keyless=True)


def test_branches_that_share_a_registration_number_are_not_one_another() -> None:
    head = NOTHING | {
        "customer_type": "organization",
        "name_key": "青禾信息",
        "id_keys": ["uscc:91320105500000002A"],
    }
    assert recognized(head, head)
    assert not recognized(head | {"name_key": "青禾信息南京分公司"}, head)
