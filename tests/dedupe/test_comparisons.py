"""Levels and vetoes of pairs, field by field."""

import random
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from dedupe import comparisons, features
from dedupe.levels import FIELDS, LEVELS, VETOES, sentence
from rules import organization_name, person_name
from rules.customer import STAGED_SCHEMA


def staged(*rows: dict[str, Any]) -> pa.Table:
    """Staged records a:1, a:2, ...; what a row does not give is null."""
    full = [
        {"record_id": f"a:{number}", "source": "a", "source_key": str(number), **row}
        for number, row in enumerate(rows, 1)
    ]
    columns = {field.name: [row.get(field.name) for row in full] for field in STAGED_SCHEMA}
    return pa.table(columns, schema=STAGED_SCHEMA)


def person(name: str = "", **rest: Any) -> dict[str, Any]:
    """A person's record, its name parsed as the pipeline does."""
    parsed = person_name.parse(name)
    return {
        "customer_type": "person",
        "name": parsed.name or None,
        "name_key": parsed.key or None,
        "name_readings": parsed.readings or None,
        "family_name": parsed.family_name,
        "given_name": parsed.given_name,
        "middle_name": parsed.middle_name,
        "name_suffix": parsed.suffix,
        "other_names": parsed.other_names or None,
        **rest,
    }


def organization(name: str = "", **rest: Any) -> dict[str, Any]:
    """An organization's record, its name given in parts by the test."""
    parsed = organization_name.parse(name)
    return {
        "customer_type": "organization",
        "name": parsed.name or None,
        "name_key": parsed.key or None,
        "org_brand": parsed.brand,
        **rest,
    }


def compare(*rows: dict[str, Any]) -> dict[str, Any]:
    """Levels by name, and the veto, of the first two records."""
    pairs = pa.table({"left_id": ["a:1"], "right_id": ["a:2"], "found_by": ["name"]})
    row = comparisons.compare(pairs, features.build(staged(*rows))).to_pylist()[0]
    known = LEVELS.get(row["customer_type"] or "", {})
    named = {
        field: known[field][row[f"{field}_level"]].name if row[f"{field}_level"] >= 0 else None
        for field in FIELDS
        if field in known
    }
    return {**named, "veto": row["veto"]}


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("张伟明", "张伟明", "equal"),
        ("張偉明", "张伟明", "equal"),
        ("张伟明", "Zhang Weiming", "script"),
        ("张伟明", "Weiming Zhang", "script"),
        ("张伟明", "ZHANG, Wei-Ming", "script"),
        ("单雄", "Shan Xiong", "script"),
        ("张伟明", "张玮明", "confusable"),
        ("张伟明", "张纬明", "confusable"),
        ("张伟明", "张明伟", "confusable"),
        ("章伟明", "张伟明", "confusable"),
        ("张伟", "张伟伟", "confusable"),
        ("张伟明", "Kevin Zhang", "no_given"),
        ("张经理", "张伟明", "no_given"),
        ("张伟明", "张伟芳", "one_character"),
        ("张伟", "张芳", "family_only"),
        ("李春强", "Li Chun", "family_only"),
        ("张伟明", "王伟明", "given_only"),
        ("张伟明", "李芳", "unlike"),
        ("John Smith", "Smith, John", "equal"),
        ("John A. Smith", "John Smith", "script"),
        ("John A Smith", "John Albert Smith", "full"),
        ("John Smith", "John Smith", "equal"),
        ("Artie Lloyd", "Arthur Lloyd", "short_form"),
        ("Marcus Nate Adler", "Marcus Nathan Adler", "full"),
        ("Julia Constance Fletcher", "Connie Fletcher", "short_form"),
        ("William Frohawk Frederick", "Frederick W Frohawk", "short_form"),
        ("John Smith Jr", "John Smith", "suffix"),
        ("Johm Smith Jr", "John Smith", "suffix"),
        ("Johnn Smithe", "John Smith", "both_near"),
        ("William Green", "Bill Green", "short_form"),
        ("William Green", "W. Green", "initial"),
        ("Katherine Miller", "Katherne Miller", "confusable"),
        ("Katherine Miller", "Katherine Millre", "confusable"),
        ("James Stone", "Jamea Stone", "confusable"),
        ("Jim Stone", "Jamea Stone", "given_near"),
        ("Anna Smith", "Robert Smith", "family_only"),
        ("Susan Burton", "Susan King", "given_only"),
        ("Robert Hill Jr", "Robert Hill Sr", "conflict"),
        ("David L Hill", "David M Hill", "conflict"),
        ("Anna Copeland", "Robert Miller", "unlike"),
        ("Copeland", "Anna Copeland", "no_given"),
        ("Anna", "Annie Copeland", "no_given"),
        ("Robert", "Anna Copeland", "unlike"),
    ],
)
def test_person_names(left: str, right: str, level: str) -> None:
    assert compare(person(left), person(right))["name"] == level
    assert compare(person(right), person(left))["name"] == level


ORGANIZATIONS = {
    "full": organization(
        "杭州星辰科技有限公司",
        org_region="杭州",
        org_brand="星辰",
        org_industry="科技",
        org_legal_form="有限公司",
    ),
    "form": organization(
        "杭州星辰科技股份有限公司",
        org_region="杭州",
        org_brand="星辰",
        org_industry="科技",
        org_legal_form="股份有限公司",
    ),
    "regionless": organization(
        "星辰科技有限公司",
        org_region=None,
        org_brand="星辰",
        org_industry="科技",
        org_legal_form="有限公司",
    ),
    "brand": organization("星辰", org_brand="星辰", org_industry=None, org_legal_form=None),
    "ningbo": organization(
        "宁波星辰科技有限公司",
        org_region="宁波",
        org_brand="星辰",
        org_industry="科技",
        org_legal_form="有限公司",
    ),
    "food": organization(
        "杭州星辰食品有限公司",
        org_region="杭州",
        org_brand="星辰",
        org_industry="食品",
        org_legal_form="有限公司",
    ),
    "homophone": organization(
        "杭州星晨科技有限公司",
        org_region="杭州",
        org_brand="星晨",
        org_industry="科技",
        org_legal_form="有限公司",
    ),
    "latin": organization("Hangzhou Xingchen Technology", org_brand="Hangzhou Xingchen Technology"),
    "other": organization(
        "杭州远山科技有限公司",
        org_region="杭州",
        org_brand="远山",
        org_industry="科技",
        org_legal_form="有限公司",
    ),
    "ridge": organization(
        "Blue Ridge Services Ltd",
        org_brand="Blue Ridge",
        org_industry="services",
        org_legal_form="Ltd",
    ),
    "ridge_llc": organization(
        "Blueridge Services LLC",
        org_brand="Blueridge",
        org_industry="services",
        org_legal_form="LLC",
    ),
    "ridge_brand": organization(
        "Blue Ridge", org_brand="Blue Ridge", org_industry=None, org_legal_form=None
    ),
    "ridge_food": organization(
        "Blue Ridge Food Ltd", org_brand="Blue Ridge", org_industry="food", org_legal_form="Ltd"
    ),
    "ridge_slip": organization(
        "Blue Rigde Services Ltd",
        org_brand="Blue Rigde",
        org_industry="services",
        org_legal_form="Ltd",
    ),
    "acronym": organization("BRS", org_brand="BRS"),
    "harbor": organization("Summit Harbor Ltd", org_brand="Summit Harbor", org_legal_form="Ltd"),
}


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("full", "full", "equal"),
        ("full", "form", "other_form"),
        ("full", "regionless", "no_region"),
        ("full", "brand", "brand"),
        ("full", "ningbo", "other_region"),
        ("full", "food", "other_industry"),
        ("full", "homophone", "confusable"),
        ("full", "latin", "script"),
        ("full", "other", "unlike"),
        ("ridge", "ridge_llc", "other_form"),
        ("ridge", "ridge_brand", "brand"),
        ("ridge", "ridge_food", "other_industry"),
        ("ridge", "ridge_slip", "confusable"),
        ("ridge", "acronym", "acronym"),
        ("ridge", "harbor", "unlike"),
        ("full", "harbor", "unlike"),
    ],
)
def test_organization_names(left: str, right: str, level: str) -> None:
    assert compare(ORGANIZATIONS[left], ORGANIZATIONS[right])["name"] == level
    assert compare(ORGANIZATIONS[right], ORGANIZATIONS[left])["name"] == level


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (["ssn:900123456"], ["ssn:900123456"], "same"),
        (["ssn:900123456"], ["ssn:900123465"], "near"),
        (["ssn:900123456"], ["ssn:911987654"], "conflict"),
        (["ssn:900123456"], ["ein:911987654"], None),
        (["uscc:91350100M000100Y43", "org:M000100Y4"], ["org:M000100Y4"], "same"),
        (["lic:110108000000016"], ["uscc:91350100M000100Y43"], None),
        (
            ["ric:11010519491231002X", "ric17:11010519491231002", "ricp15:110105194912310"],
            ["ricp15:110105194912310"],
            "partial",
        ),
        (["bad:11010519491231003X"], ["ric:11010519491231002X"], "near"),
        (["bad:990105194912310031"], ["ric:11010519491231002X"], None),
        (None, ["ssn:900123456"], None),
        (["tax15:131122187950283", "lic:131122187950283"], ["lic:131122999950283"], None),
    ],
)
def test_numbers(left: list[str] | None, right: list[str] | None, level: str | None) -> None:
    assert compare(person("张伟", id_keys=left), person("张伟", id_keys=right))["id"] == level


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (date(1980, 3, 4), date(1980, 3, 4), "same"),
        (date(1980, 3, 4), date(1980, 4, 3), "near"),
        (date(1980, 3, 4), date(1980, 3, 14), "near"),
        (date(1980, 3, 4), date(1980, 3, 27), "partly"),
        (date(1980, 3, 4), date(1986, 3, 4), "near"),
        (date(1989, 3, 4), date(1996, 3, 4), "partly"),
        (date(1980, 3, 14), date(1908, 3, 14), "near"),
        (date(1980, 3, 4), date(1981, 3, 4), "near"),
        (date(1980, 3, 4), date(1953, 3, 4), "different"),
        (date(1980, 3, 4), date(1977, 11, 20), "different"),
        (date(1980, 3, 4), None, None),
    ],
)
def test_birth_dates(left: date, right: date | None, level: str | None) -> None:
    assert (
        compare(person("张伟", birth_date=left), person("张伟", birth_date=right))["birth_date"]
        == level
    )


def phones(*numbers: str, kind: str = "mobile", local: str | None = None) -> dict[str, Any]:
    """Telephone columns of a record."""
    keys = [*numbers, *([f"local:{local}"] if local else [])]
    return {
        "phones": list(numbers) or None,
        "phone_keys": keys or None,
        "phone_kinds": [kind] * len(numbers) or None,
    }


def kinds_apart(mobile: str, line: str) -> dict[str, Any]:
    """Telephone columns of a record with a mobile number and a landline."""
    return phones(mobile, line) | {"phone_kinds": ["mobile", "fixed"]}


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (phones("+8613800000001"), phones("+8613800000001"), "mobile"),
        (phones("+8657187654321", kind="fixed"), phones("+8657187654321", kind="fixed"), "line"),
        (phones("+12025550143", kind="unknown"), phones("+12025550143", kind="unknown"), "shared"),
        (
            phones("+8657187654321", "+8657187654322", kind="fixed"),
            phones("+8657187654321", "+8657187654323", kind="fixed"),
            "household",
        ),
        (
            phones("+8613800000001", "+8613900000002"),
            phones("+8613800000001", "+8613900000003"),
            "mobile",
        ),
        (
            phones("+8613800000001", "+8613900000002"),
            phones("+8613900000002", "+8613800000001"),
            "two_shared",
        ),
        (phones("+8613800000001"), phones("+8613800000011"), "near"),
        (phones(local="87654321"), phones("+8657187654321", kind="fixed"), "near"),
        (phones("+12025550143", kind="unknown"), phones("+12025550143"), "mobile"),
        (phones("+8613800000001"), phones("+8615912345678"), "other_mobile"),
        (phones("+8613800000001"), kinds_apart("+8615912345678", "+8657187654321"), "other_mobile"),
        (
            kinds_apart("+8613800000001", "+8657185550123"),
            kinds_apart("+8615912345678", "+8657187654321"),
            "all_differ",
        ),
        (
            phones("+12025550143", kind="unknown"),
            phones("+442079460018", kind="fixed"),
            "none",
        ),
        (phones("+8613800000001"), phones("+8657187654321", kind="fixed"), "other_kind"),
        (phones("+8613800000001"), phones(), None),
    ],
)
def test_phones(left: dict[str, Any], right: dict[str, Any], level: str | None) -> None:
    for one, other in ((left, right), (right, left)):
        result = compare(person("张伟", **one), person("张伟", **other))
        assert result["phone"] == level


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("wei@example.com", "wei@example.com", "same"),
        ("weiming@example.com", "weimng@example.com", "near"),
        ("wei1980@example.com", "wei1981@example.com", "domain"),
        ("zhangweiming@example.com", "zhangweiming@example.org", "local_part"),
        ("info@example.com", "info@example.org", "different"),
        ("wei@example.com", None, None),
    ],
)
def test_emails(left: str, right: str | None, level: str | None) -> None:
    result = compare(
        person("张伟", emails=[left]), person("张伟", emails=[right] if right else None)
    )
    assert result["email"] == level


def test_a_domain_of_many_owners_is_no_company() -> None:
    surnames = "张王李赵陈刘杨黄周吴徐孙马朱胡"
    crowd = [person(f"{c}伟", emails=[f"x{n}@mail.example"]) for n, c in enumerate(surnames)]
    assert compare(*crowd)["email"] == "different"


def place(
    street: str | None, number: str | None, unit: str | None = None, city: str | None = "杭州市"
) -> dict[str, Any]:
    """Address columns of a record."""
    return {"street": street, "house_number": number, "unit": unit, "city": city}


def code(postal_code: str, city: str | None = "Leeds") -> dict[str, Any]:
    """Address columns of a record that knows no road."""
    return {"postal_code": postal_code, "city": city}


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (place("朝晖路", "12", "4-302"), place("朝晖路", "12", "4-302"), "same"),
        (place("朝晖路", "12", "4-2-302"), place("朝晖路", "12", "302"), "same"),
        (place("朝晖路", "12", "4-302"), place("朝晖路", "12"), "number"),
        (place("莼湖街道朝晖路", "12"), place("朝晖路", "12"), "number"),
        (place("朝晖路", "12", "302"), place("朝晖路", "12", "303"), "other_unit"),
        (place("朝晖路", "12"), place("朝晖路", "14"), "other_number"),
        (place("朝晖路", "12"), place("朝辉路", "12"), "near"),
        (place("朝晖路", "12"), place("文二西街", "7"), "other_road"),
        (place("朝晖路", "12"), place(None, None), "city"),
        (place("朝晖路", "12"), place("朝晖路", "12", city="宁波市"), "elsewhere"),
        (place("朝晖路", "12"), place("朝晖路", "14", city="宁波市"), "other_city"),
        (place("朝晖路", "12", city=None), place("朝晖路", "12"), "number"),
        (place("朝晖路", "12", city=None), place("文二西街", "7"), "unlike"),
        (place("Mill Lane", "7", city=None), place("Oak Crescent", "7", city=None), "unlike"),
        (place("Mill Lane", "7", city=None), place(None, None), None),
        (place("Mill Lane", "12", city="Leeds"), place("Mill Ln", "12", city="Leeds"), "number"),
        (place(None, None), place(None, None, city=None), None),
        (code("DH4 5QU", city="Leeds"), code("DH4 5QU", city=None), "postal"),
        (code("DH4 5QU"), code("DH4 5QU", city="Leeds") | place("Mill Lane", "7"), "postal"),
        (code("DH4 5QU", city=None), code("DH4 4AU", city=None), "city"),
        (code("DH4 5QU", city=None), code("CR0 2PX", city=None), "other_city"),
        (
            code("DH4 5QU", city=None) | place("Mill Lane", "7", city=None),
            place("Oak Crescent", "7", city="Leeds"),
            "unlike",
        ),
    ],
)
def test_addresses(left: dict[str, Any], right: dict[str, Any], level: str | None) -> None:
    assert compare(person("张伟", **left), person("张伟", **right))["address"] == level
    assert compare(person("张伟", **right), person("张伟", **left))["address"] == level


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ({"contact_name": "王丽"}, {"legal_representative": "王丽"}, "same"),
        ({"contact_name": "王丽"}, {"contact_name": "Wang Li"}, "same"),
        ({"contact_name": "王经理"}, {"contact_name": "王丽"}, "near"),
        ({"contact_name": "王丽"}, {"contact_name": "赵强"}, "different"),
        ({"contact_name": "王丽"}, {}, None),
    ],
)
def test_contacts(left: dict[str, Any], right: dict[str, Any], level: str | None) -> None:
    assert compare(organization("远山", **left), organization("远山", **right))["contact"] == level


def branch(place: str | None, form: str | None = "有限公司") -> dict[str, Any]:
    """A record of one organization and its branch."""
    name = f"远山科技有限公司{place or ''}"
    return organization(
        name, org_brand="远山", org_industry="科技", org_legal_form=form, org_branch=place
    )


@pytest.mark.parametrize(
    ("left", "right", "level", "veto"),
    [
        (branch("杭州分公司"), branch("杭州分公司"), "same", None),
        (branch("杭州"), branch("杭州分公司"), "same", None),
        (branch("杭州分公司"), branch("宁波分公司"), "other", "branch"),
        (branch("杭州分公司"), branch(None), "parent", "branch"),
        (branch("杭州分公司"), branch(None, form=None), None, None),
        (branch(None), branch(None), None, None),
        (branch("大同"), branch("大捅"), "same", None),
        (branch("宁波"), branch("宁海"), "other", "branch"),
        (branch("杭州"), branch(None, form=None) | {"org_region": "杭州"}, "same", None),
        (branch("杭州"), branch(None) | {"org_region": "杭州"}, "parent", "branch"),
    ],
)
def test_branches(
    left: dict[str, Any], right: dict[str, Any], level: str | None, veto: str | None
) -> None:
    result = compare(left, right)
    assert (result["branch"], result["veto"]) == (level, veto)


@pytest.mark.parametrize(
    ("left", "right", "veto"),
    [
        (person("张伟"), organization("张伟"), "type"),
        (
            person("张伟", id_keys=["ssn:900123456"]),
            person("张伟", id_keys=["ssn:911987654"]),
            "id",
        ),
        (
            person("张伟", birth_date=date(1980, 3, 4)),
            person("张伟", birth_date=date(1953, 7, 9)),
            "birth_date",
        ),
        (person("张伟"), person("张芳"), "given_name"),
        (person("张伟明"), person("张伟芳"), "sibling"),
        (person("Robert Hill Jr"), person("Robert Hill Sr"), "relative"),
        (person("张伟"), person("李芳"), "unlike"),
        (person("张伟", emails=["a@example.com"]), person("李芳", emails=["a@example.com"]), None),
        (ORGANIZATIONS["full"], ORGANIZATIONS["ningbo"], "sister"),
        (ORGANIZATIONS["full"], ORGANIZATIONS["food"], "sister"),
        (
            ORGANIZATIONS["full"] | {"id_keys": ["uscc:91350100M000100Y43"]},
            ORGANIZATIONS["food"] | {"id_keys": ["uscc:91350100M000100Y43"]},
            None,
        ),
        (ORGANIZATIONS["full"], ORGANIZATIONS["form"], None),
        (person("张伟明"), person("Zhang Weiming"), None),
    ],
)
def test_vetoes(left: dict[str, Any], right: dict[str, Any], veto: str | None) -> None:
    assert compare(left, right)["veto"] == veto
    assert compare(right, left)["veto"] == veto


def test_missing_is_not_disagreement() -> None:
    for kind in ("person", "organization"):
        result = compare({"customer_type": kind}, {"customer_type": kind})
        assert set(result.values()) == {None}


def _random_records(count: int) -> pa.Table:
    generator = random.Random(5)
    rows = []
    for _ in range(count):
        name = generator.choice("张王李") + generator.choice(["伟", "伟明", "芳", "玮"])
        number = f"+86138{generator.randrange(9):08d}"
        rows.append(
            person(
                name,
                **phones(number),
                birth_date=date(1980, generator.randint(1, 3), generator.randint(1, 3)),
                city=generator.choice(["杭州市", "宁波市", None]),
            )
        )
    return staged(*rows)


def test_order_and_company_of_pairs_change_nothing() -> None:
    records = _random_records(40)
    built = features.build(records)
    ids = built["record_id"].to_pylist()
    pairs = pa.table(
        {
            "left_id": [a for a in ids for b in ids if a < b],
            "right_id": [b for a in ids for b in ids if a < b],
        }
    )
    whole = comparisons.compare(pairs, built)
    turned = pa.array(range(pairs.num_rows - 1, -1, -1))
    assert comparisons.compare(pairs.take(turned), built).equals(whole.take(turned))
    parts = [comparisons.compare(pairs.slice(start, 97), built) for start in range(0, 780, 97)]
    assert pa.concat_tables(parts).combine_chunks().equals(whole.combine_chunks())
    swapped = pairs.rename_columns(["right_id", "left_id"]).select(["left_id", "right_id"])
    back = comparisons.compare(swapped, built)
    assert back.drop(["left_id", "right_id"]).equals(whole.drop(["left_id", "right_id"]))


def test_columns_of_the_pairs_are_kept_and_levels_are_small_integers() -> None:
    built = features.build(staged(person("张伟"), person("张伟")))
    pairs = pa.table({"left_id": ["a:1"], "right_id": ["a:2"], "found_by": ["name"]})
    made = comparisons.compare(pairs, built)
    assert made.column_names[:3] == ["left_id", "right_id", "found_by"]
    assert all(made.schema.field(f"{field}_level").type == pa.int8() for field in FIELDS)
    assert made.schema.field("veto").type == pa.string()


def test_no_pairs_give_no_rows() -> None:
    built = features.build(staged(person("张伟")))
    empty = pa.table({"left_id": pa.array([], pa.string()), "right_id": pa.array([], pa.string())})
    assert comparisons.compare(empty, built).num_rows == 0


def test_a_record_without_features_is_an_error_that_names_nobody() -> None:
    built = features.build(staged(person("张伟")))
    pairs = pa.table({"left_id": ["a:1"], "right_id": ["secret:9"]})
    with pytest.raises(KeyError, match="1 records") as error:
        comparisons.compare(pairs, built)
    assert "secret" not in str(error.value)


def test_every_level_and_veto_has_a_sentence() -> None:
    for kind, fields in LEVELS.items():
        for field, levels in fields.items():
            texts = [sentence(kind, field, number) for number in range(-1, len(levels))]
            assert all(text.endswith(".") for text in texts)
            assert len(set(texts)) == len(texts)
    assert all(veto.sentence.endswith(".") for veto in VETOES.values())


BORN = {"birth_date": date(1980, 3, 4)}
MAIL = {"emails": ["hill@example.com"]}


def test_a_birth_date_alone_does_not_excuse_unlike_names() -> None:
    alone = compare(person("Jed Dulko", **BORN), person("Mary Quince", **BORN))
    phone = {"phones": ["+12025550143"], "phone_keys": ["+12025550143"], "phone_kinds": ["fixed"]}
    reached = compare(person("Jed Dulko", **BORN, **phone), person("Mary Quince", **BORN, **phone))
    assert (alone["veto"], reached["veto"]) == ("unlike", None)


HOME = {"city": "Portland", "street": "Cedar Road", "house_number": "12"}


@pytest.mark.parametrize(
    ("left", "right", "more", "veto"),
    [
        ("Caleb Challenor", "Nathan Challenor", BORN | HOME, "twins"),
        ("Caleb Challenor", "Nathan Challenor", BORN | HOME | MAIL, None),
        ("Eric Wang", "王济宪", BORN | HOME, None),
        ("Caleb Challenor", "Nathan Challenor", BORN, "given_name"),
        ("Caleb Challenor", "Nathan Challenor", HOME, "household"),
        ("John A Smith", "John B Smith", BORN, None),
        ("John A Smith", "John B Smith", HOME, "relative"),
        ("张伟明", "张伟峰", BORN, None),
        ("张伟明", "张伟峰", {}, "sibling"),
    ],
)
def test_a_birth_date_that_agrees_tells_a_slip_from_a_relative_but_for_twins(
    left: str, right: str, more: dict[str, Any], veto: str | None
) -> None:
    assert compare(person(left, **more), person(right, **more))["veto"] == veto


@pytest.mark.parametrize(
    ("left", "right", "home", "veto"),
    [
        (date(1960, 3, 4), date(1986, 7, 9), HOME, "birth_date_at_home"),
        (date(1960, 3, 4), date(1968, 7, 9), HOME, None),
        (date(1960, 3, 4), date(1968, 7, 9), {}, "birth_date"),
    ],
)
def test_one_name_at_one_address_is_two_people_only_a_generation_apart(
    left: date, right: date, home: dict[str, Any], veto: str | None
) -> None:
    pair = (person("Ann Lee", birth_date=left, **home), person("Ann Lee", birth_date=right, **home))
    assert compare(*pair)["veto"] == veto


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("ann1957@example.com", "1957-02-03", "year"),
        ("ann1957@example.com", "1961-02-03", "other_year"),
        ("ann19570203@example.com", "1961-02-03", None),
        ("ann@example.com", "1961-02-03", None),
    ],
)
def test_a_year_in_an_e_mail_address_is_compared_with_the_birth_date(
    left: str, right: str, level: str | None
) -> None:
    pair = (
        person("Ann Lee", emails=[left]),
        person("Ann Lee", birth_date=date.fromisoformat(right)),
    )
    assert compare(*pair)["birth_date"] == level == compare(*pair[::-1])["birth_date"]


def test_numbers_of_an_unknown_kind_differ_only_in_one_form() -> None:
    def level(*keys: str) -> str | None:
        return compare(*(person("Ann Lee", id_keys=[key]) for key in keys))["id"]

    assert level("id:1804974", "id:6089216") == "other"
    assert level("id:1804974", "id:AB60892") is None
    assert level("id:1804974", "id:1804974") == "same"
    assert level("id:1804974", "id:1804947") == "near"


def test_one_shared_number_among_others_is_a_household() -> None:
    def phone(*numbers: str) -> dict[str, Any]:
        return phones(*numbers, kind="fixed")

    home, his, hers = "+12025550143", "+12025550171", "+12025550182"
    level = compare(person("Ann Lee", **phone(home, his)), person("Al Lee", **phone(home, hers)))
    assert level["phone"] == "household"
    level = compare(person("Ann Lee", **phone(home, his)), person("Ann Lee", **phone(home)))
    assert level["phone"] == "line"


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ({"city": "Forest Hill"}, {"city": "Forets Hill"}, "number"),
        ({"city": "Forest Hill"}, {"city": "Rockdale"}, "elsewhere"),
        ({"street": "Allunga Woollum Street"}, {"street": "Woollum Street Allunga"}, "near"),
        ({"street": "Allunga Woollum Street"}, {"street": "Kirkland Circuit"}, "other_road"),
    ],
)
def test_slips_in_towns_and_words_in_another_order_are_no_other_address(
    left: dict[str, Any], right: dict[str, Any], level: str
) -> None:
    place = {"city": "Sale", "region": "NSW", "street": "Lance Avenue", "house_number": "26"}
    pair = person("Joel Ryan", **(place | left)), person("Joel Ryan", **(place | right))
    assert compare(*pair)["address"] == level


def test_roads_of_one_length_are_alike_whichever_record_comes_first() -> None:
    one, other = (
        person("Joel Ryan", **place(road, "12", city="Sale"))
        for road in ("Lake Nana Mana", "Lake Wood Mana")
    )
    assert compare(one, other)["address"] == compare(other, one)["address"] == "near"


def test_sources_are_compared_where_there_are_several() -> None:
    crm, erp = ({"source": name} for name in ("crm", "erp"))
    assert compare(person("Ann Lee", **crm), person("Ann Lee", **erp))["source"] == "other"
    assert compare(person("Ann Lee", **crm), person("Ann Lee", **crm))["source"] is None


def test_an_equal_identity_number_lets_a_given_name_differ() -> None:
    for keys, veto in ((["ssn:900123456"], None), (None, "given_name")):
        one = person("Caleb Challenor", id_keys=keys)
        assert compare(one, person("Nathan Challenor", id_keys=keys))["veto"] == veto


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (date(1857, 1, 1), date(1857, 11, 9), "year"),
        (date(1857, 1, 1), date(1857, 1, 1), "same"),
        (date(1857, 1, 1), date(1858, 1, 1), "partly"),
        (date(1857, 1, 1), date(1861, 1, 1), "different"),
        (date(1857, 1, 1), date(1827, 1, 1), "partly"),
        (date(1857, 1, 1), date(1859, 11, 9), "different"),
        (date(1857, 2, 1), date(1857, 11, 9), "different"),
    ],
)
def test_the_first_of_january_may_stand_for_the_year(left: date, right: date, level: str) -> None:
    pair = (person("Ann Lee", birth_date=left), person("Ann Lee", birth_date=right))
    assert compare(*pair)["birth_date"] == level


def test_a_number_that_hundreds_have_is_as_good_as_missing() -> None:
    phone = {"phones": ["+12025550143"], "phone_keys": ["+12025550143"], "phone_kinds": ["fixed"]}
    for count, level in ((300, "line"), (301, None)):
        assert compare(*[person("Ann Lee", **phone) for _ in range(count)])["phone"] == level


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (branch("杭州分公司"), branch(None, form=None), "whole"),
        (branch("杭州分公司"), branch("杭州分公司"), "equal"),
        (branch(None), branch(None), "equal"),
    ],
)
def test_a_branch_and_a_name_that_may_be_its_parents_are_no_equal_names(
    left: dict[str, Any], right: dict[str, Any], level: str
) -> None:
    assert compare(left, right)["name"] == level


PHONE = {"phones": ["+8613800138000"], "phone_keys": ["+8613800138000"]}


@pytest.mark.parametrize(
    ("left", "right", "veto"),
    [
        (person("张伟明", **PHONE), person("张伟峰", **PHONE), "household"),
        (person("王小明", **PHONE), person("王丽", **PHONE), "household"),
        (person("Robert Hill Jr", **HOME), person("Robert Hill", **HOME), "household"),
        (person("Robert Hill Jr", **HOME | MAIL), person("Robert Hill", **HOME | MAIL), None),
        (person("Robert Hill Jr"), person("Robert Hill"), None),
        (
            person("Robert Hill", id_keys=["ssn:900123456"], **PHONE),
            person("Robert Hill", id_keys=["ssn:911987654"], **PHONE),
            "id_at_home",
        ),
        (
            person("Rob Hill", id_keys=["ssn:900123456"], **PHONE | BORN),
            person("Robert Hill", id_keys=["ssn:911987654"], **PHONE | BORN),
            "id",
        ),
        (
            person("Robert Hill", id_keys=["ssn:900123456"]),
            person("Robert Hill", id_keys=["ssn:911987654"]),
            "id",
        ),
        (person("王小明", **PHONE), person("李丽", **PHONE), "housemates"),
        (person("Robert Hill", **HOME), person("Anna Lang", **HOME), "housemates"),
        (person("Robert Hill", **HOME | MAIL), person("Anna Lang", **HOME | MAIL), None),
        (person("Robert Hill"), person("Anna Lang"), "unlike"),
        (ORGANIZATIONS["full"] | PHONE, ORGANIZATIONS["food"] | PHONE, "group"),
        (ORGANIZATIONS["full"] | PHONE, ORGANIZATIONS["form"] | PHONE, None),
    ],
)
def test_people_of_one_home_and_sister_firms_who_share_reach_are_contradictions_of_their_own(
    left: dict[str, Any], right: dict[str, Any], veto: str | None
) -> None:
    assert compare(left, right)["veto"] == veto


def test_a_number_one_slip_away_does_not_outweigh_dates_that_differ_unless_the_name_is_the_same():
    anna = person("Anna Copeland", id_keys=["id:5628066"], birth_date=date(1967, 2, 3))
    other = {"id_keys": ["id:5928066"], "birth_date": date(1995, 4, 2)}
    assert compare(anna, person("Anna", **other))["veto"] == "birth_date"
    assert compare(anna, person("Anna Copeland", **other))["veto"] is None
