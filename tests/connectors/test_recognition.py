"""Columns are recognized by heading and by content, in Chinese, English and pinyin."""

import pyarrow as pa
import pytest

from connectors.recognition import Recognition, recognize
from onefold.errors import ConfigError

PEOPLE = {
    "name": ["James Taylor", "Mary Johnson", "Robert Smith", "Linda Brown", "John Davis"],
    "姓名": ["王伟", "李娜", "张敏", "刘洋", "陈静"],
    "org": ["Acme Tools Ltd", "Nova Foods Inc", "Blue Lake GmbH", "Orion Bank", "Zenith LLC"],
    "公司": ["南京青禾信息技术有限公司", "苏州蓝湖食品厂", "上海曙光商行", "星辰中心", "远山集团"],
    "mobile": ["13800000001", "138 0000 0002", "+86 13800000003", "13800000004", "13800000005"],
    "phone": ["(555) 010-0001", "(555) 010-0002", "555-010-0003", "+1 555 010 0004", "5550100005"],
    "email": ["a@example.com", "b@example.org", "c@example.cn", "d@example.com", "e@example.com"],
    "uscc": ["91350100M000100Y43", "91320100MA00000A1X", "91310000MA00000B2Q"],
    "ric": ["11010519491231002X", "110105198001010010", "110105197502030029"],
    "dob": ["1949-12-31", "1980-01-01", "1975-02-03", "1990-12-12", "1966-07-08"],
    "street": ["12 High Street", "7 Wallaby Place", "23 Oak Avenue", "1 Mill Lane", "5 King Road"],
    "地址": ["南京市中山路1号", "苏州市人民路300号", "学前街12号", "四川北路8号", "延陵路40号"],
    "gb": ["SW1A 1AA", "M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT"],
    "sex": ["M", "F", "F", "M", "M"],
}  # fmt: skip


def table(**columns: list[str | None]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def fields(found: Recognition) -> dict[str, str]:
    """Column → its field, or its role."""
    return {c.name: c.field if c.role == "field" else c.role for c in found.columns}


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        ("given_name surname street_number address_1 address_2 suburb postcode state",
         "given_name family_name address address address district postal_code region"),
        ("first_name last_name dob ssn", "given_name family_name birth_date national_id"),
        ("姓名 手机 邮箱 通讯地址 出生日期", "name mobile email address birth_date"),
        ("客户名称 联系电话 统一社会信用代码 联系人", "name phone tax_id contact_name"),
        ("xing ming dianhua dizhi", "family_name given_name phone address"),
        ("AccountName MailingCity MailingPostalCode", "organization_name city postal_code"),
        ("Bedrijfsnaam Straat Woonplaats Telefoonnummer", "organization_name address city phone"),
        ("Cognome Indirizzo Comune", "family_name address city"),
        ("Apellidos Calle Población", "family_name address city"),
    ],
)  # fmt: skip
def test_headings_name_the_fields(headings, expected):
    values = {
        "dob": PEOPLE["dob"], "出生日期": PEOPLE["dob"], "邮箱": PEOPLE["email"],
        "手机": PEOPLE["mobile"], "dianhua": PEOPLE["phone"],
        "Telefoonnummer": PEOPLE["phone"], "联系电话": PEOPLE["phone"],
    }  # fmt: skip
    names = headings.split()
    made = {n: values.get(n, [f"{word} {n}" for word in "abcde"]) for n in names}
    assert fields(recognize([table(**made)])) == dict(zip(names, expected.split(), strict=True))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("name", "name"), ("姓名", "name"), ("org", "name"), ("公司", "name"),
        ("mobile", "mobile"), ("phone", "phone"), ("email", "email"), ("uscc", "tax_id"),
        ("ric", "national_id"), ("dob", "birth_date"), ("street", "address"), ("地址", "address"),
        ("gb", "postal_code"), ("sex", "sex"),
    ],
)  # fmt: skip
def test_content_tells_what_a_meaningless_heading_does_not(kind, expected):
    (column,) = recognize([table(f1=PEOPLE[kind])]).columns
    assert (column.role, column.field) == ("field", expected)
    assert 0.5 <= column.confidence <= 0.95
    assert "%" in column.reason
    assert not set(PEOPLE[kind]) & set(column.reason.split())


def test_content_corrects_a_heading_that_says_otherwise():
    found = recognize(
        [
            table(
                contact=PEOPLE["mobile"],
                birth_place=["Leeds", "York", "Leeds", "Bath", "Hull"],
                customer=["1001", "1007", "1012", "1044", "1050"],
                email=["yes", "no", "no", "yes", "no"],
            )
        ]
    )
    assert fields(found) == {
        "contact": "mobile", "birth_place": "text", "customer": "key", "email": "text"
    }  # fmt: skip


def test_heading_and_content_together_are_surer_than_one_of_them():
    both, heading, content = (
        recognize([table(**{name: values})]).columns[0].confidence
        for name, values in (
            ("email", PEOPLE["email"]),
            ("city", ["x y", "z", "v", "w", "u"]),
            ("c7", PEOPLE["email"]),
        )
    )
    assert both > content > heading


def test_what_tells_nothing_is_left_out_and_says_why():
    found = recognize(
        [
            table(
                name=PEOPLE["name"],
                nr=["1", "2", "3", "4", "5"],
                rec_id=["rec-1-org", "rec-2-org", "rec-2-dup", "rec-4-org", "rec-9-org"],
                batch=["A"] * 5,
                blank=[None] * 5,
                cluster=["1", "1", "2", "3", "3"],
                created_at=["2024-01-05"] * 4 + ["2024-02-05"],
                amount=["1.50", "2.25", "1,000.00", "3.75", "9.99"],
                weight=["61.5", "72.25", "61.5", "80.75", "59.9"],
            )
        ]
    )
    reasons = {c.name: c.reason for c in found.columns if c.role != "field"}
    assert fields(found)["name"] == "name"
    assert {c.name for c in found.columns if c.role == "key"} == {"rec_id"}
    assert reasons == {
        "nr": "numbers the rows",
        "rec_id": "another value in every row",
        "batch": "the same in every row",
        "blank": "empty",
        "cluster": "not about who the customer is",
        "created_at": "a date of the record, not of the customer",
        "amount": "not about who the customer is",
        "weight": "amounts or measures",
    }
    assert found.text_fields == ()


def test_a_full_name_beside_its_parts_is_one_name_and_a_text_of_both_is_left_out():
    first, last = zip(*(name.split() for name in PEOPLE["name"]), strict=True)
    found = recognize(
        [
            table(
                full_name=PEOPLE["name"], first_name=list(first), surname=list(last),
                shown=[f"{b}, {a}".replace(",", "") for a, b in zip(first, last, strict=True)],
                trade=["baker", "painter", "singer", "baker", "clerk"],
            )
        ]
    )  # fmt: skip
    assert found.mapped(["full_name", "first_name", "surname", "trade"]) == {
        "name": ("full_name",),
        "given_name": ("first_name",),
        "family_name": ("surname",),
        "attributes.trade": ("trade",),
    }
    assert "shown" not in found.text_fields


def test_the_parts_of_an_address_stand_in_order_and_a_second_address_does_not_count():
    lines = {"address_2": ["flat"] * 4 + ["top"], "address_1": PEOPLE["street"]}
    found = recognize([table(**lines, street_number=["1", "2", "3", "4", "6"], unit=list("abcde"))])
    columns = ["address_2", "address_1", "street_number", "unit"]
    assert found.mapped(columns)["address"] == ("street_number", "address_1", "address_2", "unit")
    two = recognize([table(地址=PEOPLE["地址"], 送货地址=PEOPLE["地址"][::-1])])
    assert sorted(c.role for c in two.columns) == ["field", "none"]


def test_a_suburb_is_the_city_where_there_is_none():
    suburb = table(suburb=["a", "b", "c", "d", "e"], state=["nsw", "vic", "qld", "nsw", "wa"])
    found = recognize([suburb])
    assert found.country == "AU"
    assert found.mapped(["suburb", "state"]) == {"region": ("state",), "city": ("suburb",)}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"姓名": PEOPLE["姓名"]}, "CN"),
        ({"postcode": PEOPLE["gb"]}, "GB"),
        ({"state": ["TX", "CA", "NY", "WA", "OR"]}, "US"),
        ({"phone": ["0171 5550100", "+49 30 5550101", "0049 171 5550102"]}, "DE"),
        ({"phone": ["06 12345678", "020 5550101", "06 87654321", "+31 6 11112222"] * 3}, "NL"),
        ({"phone": ["(212) 736-5000"] * 9 + ["+44 20 7946 0958"]}, "US"),
        ({"email": ["a@voorbeeld.nl", "b@gmail.com", "c@voorbeeld.nl"]}, "NL"),
        ({"email": ["a@startup.io", "b@gmail.com", "c@startup.io"]}, "US"),
        ({"name": PEOPLE["name"]}, "US"),
    ],
)
def test_the_country_follows_from_what_stands_there(columns, expected):
    assert recognize([table(**columns)]).country == expected
    assert recognize([table(**columns)], country="FR").country == "FR"


def test_somebody_who_says_what_a_column_is_is_right():
    made = table(name=PEOPLE["name"], code=PEOPLE["mobile"], extra=PEOPLE["org"], note=["x"] * 5)
    found = recognize(
        [made], fields={"code": "key", "extra": "text", "NOTE": "short_name"}, ignore=["name"]
    )
    assert fields(found) == {
        "name": "none", "code": "key", "extra": "text", "note": "short_name"
    }  # fmt: skip
    assert all(column.confidence == 1.0 for column in found.columns)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"fields": {"name": "phones"}}, "Did you mean 'phone'"),
        ({"fields": {"nmae": "name"}}, "no such column"),
        ({"ignore": ["tel"]}, "no such column"),
    ],
)
def test_a_wrong_correction_is_an_error_that_says_what_there_is(said, words):
    with pytest.raises(ConfigError, match=words):
        recognize([table(name=PEOPLE["name"])], **said)


def test_the_order_of_the_rows_changes_nothing():
    rows = 3_000
    made = pa.table(
        {
            "_row_hash": [f"{i * 7919 % 104729:08x}" for i in range(rows)],
            "who": [PEOPLE["name"][i % 5] if i % 3 else f"thing {i}" for i in range(rows)],
            "place": [f"place {i % 70}" for i in range(rows)],
        }
    )
    turned = made.take(list(range(rows))[::-1])
    assert recognize([made]) == recognize([turned])


def test_files_with_the_same_headings_are_recognized_together():
    one, other = table(id=["a1", "a2"], name=PEOPLE["name"][:2]), table(name=PEOPLE["name"][2:])
    found = recognize([one, other])
    assert found.key(one.column_names) == "id"
    assert found.key(other.column_names) is None
    assert found.mapped(other.column_names) == {"name": ("name",)}


def test_columns_that_no_record_fills_both_do_not_compete():
    one = table(city=["Bath", "Hull", None, None], town=[None, None, "York", "Leeds"])
    other = table(city=["Bath", "Hull"], town=["Bath", "Leeds"])
    assert [c.role for c in recognize([one]).columns] == ["field", "field"]
    assert [c.role for c in recognize([table(city=["Bath"]), table(town=["Hull"])]).columns] == [
        "field", "field"
    ]  # fmt: skip
    assert [c.role for c in recognize([other]).columns] == ["field", "none"]


def test_a_list_of_persons_is_told_from_one_that_may_hold_organizations():
    first, last = ["Ann", "Bob", "Cy"], ["Fox", "Moore", "Taylor"]
    persons = table(first_name=first, surname=last)
    assert recognize([persons]).customer_type(persons.column_names) == "person"
    mixed = table(first_name=first, surname=last, company=PEOPLE["org"][:3])
    assert recognize([mixed]).customer_type(mixed.column_names) is None
    named = table(name=PEOPLE["name"][:2] + PEOPLE["org"][:3], dob=PEOPLE["dob"], sex=PEOPLE["sex"])
    assert recognize([named]).customer_type(named.column_names) is None


def test_a_middle_name_is_a_part_of_the_given_name():
    names = table(
        middle_name=["J.", None, "Lee"], first_name=["Ann", "Bob", "Cy"], surname=["F", "M", "T"]
    )
    assert recognize([names]).mapped(names.column_names) == {
        "given_name": ("first_name", "middle_name"), "family_name": ("surname",)
    }  # fmt: skip


def test_single_words_beside_a_whole_name_are_no_part_of_it():
    first, last = zip(*(name.split() for name in PEOPLE["name"]), strict=True)
    towns = ["Lee", "Jackson", "Washington", "Lincoln", "Madison"]
    found = fields(recognize([table(c1=PEOPLE["name"], c2=list(last), c3=towns)]))
    assert found == {"c1": "name", "c2": "family_name", "c3": "text"}
    assert fields(recognize([table(c1=list(first), c2=list(last))])) == {
        "c1": "given_name", "c2": "family_name"
    }  # fmt: skip


def test_names_with_many_slips_are_still_names_but_only_where_there_are_many():
    rare = [f"q{a}{b}" for a in "aeiou" for b in "ltrnsm"]
    given = ["james", "mary", "robert", "linda", "john", "susan", "david", "karen", "mark", "laura"]
    found = fields(recognize([table(c1=given + rare, c2=given[:2] + rare + rare[:8])]))
    assert found == {"c1": "given_name", "c2": "text"}
    assert fields(recognize([table(c1=given[:2] + rare[:4])])) == {"c1": "text"}


@pytest.mark.parametrize(
    ("heading", "content", "expected"),
    [
        ("djzh", "uscc", "tax_id"), ("khdh", "phone", "phone"), ("jmsfzh", "ric", "national_id"),
        ("hzxm", "姓名", "name"), ("gzdwmc", "公司", "organization_name"),
    ],
)  # fmt: skip
def test_initials_of_chinese_headings_count_where_the_values_agree(heading, content, expected):
    found = recognize([table(**{heading: PEOPLE[content]})])
    assert fields(found)[heading] == expected
    other = recognize([table(**{heading: ["red", "blue", "red", "green", "blue"]})], whole=True)
    assert max((c.confidence for c in other.columns if c.role == "field"), default=0) < 0.75


@pytest.mark.parametrize(
    "heading",
    ["客服电话", "代理人姓名", "司机手机号", "Assistant's Phone", "spouse_email", "guardian name"],
)
def test_what_belongs_to_somebody_else_is_not_the_customers(heading):
    content = {"话": "mobile", "名": "姓名", "号": "mobile", "e": "mobile", "l": "email"}
    values = PEOPLE["name"] if heading.endswith("name") else PEOPLE[content[heading[-1]]]
    said = {"客户名称": PEOPLE["姓名"], "电话": PEOPLE["phone"], "邮箱": PEOPLE["email"]}
    found = recognize([table(**said, **{heading: values})], whole=True)
    (column,) = [c for c in found.columns if c.name == heading]
    assert column.role != "field" or column.confidence < 0.75


def test_a_whole_reading_names_dates_states_and_empty_columns_by_their_headings():
    made = table(
        name=PEOPLE["name"], 创建时间=PEOPLE["dob"], status=["A"] * 5, 邮箱=[None] * 5,
        due=PEOPLE["dob"],
    )  # fmt: skip
    assert fields(recognize([made], whole=True)) == {
        "name": "name", "创建时间": "created_at", "status": "status", "邮箱": "email",
        "due": "birth_date",
    }  # fmt: skip
    assert set(fields(recognize([made])).values()) == {"name", "birth_date", "none"}


def test_a_column_called_mname_is_a_name_where_whole_names_stand_in_it():
    assert fields(recognize([table(m_name=PEOPLE["name"])])) == {"m_name": "name"}


def test_a_heading_known_in_part_is_doubted_beside_one_that_is_known():
    named = {"姓名": PEOPLE["姓名"], "电话": PEOPLE["phone"]}
    both = recognize([table(**named, 邻居电话=PEOPLE["mobile"])], whole=True)
    alone = recognize([table(姓名=PEOPLE["姓名"], 邻居电话=PEOPLE["mobile"])], whole=True)
    assert both.columns[-1].confidence < 0.75 <= alone.columns[-1].confidence


def test_year_month_and_day_of_birth_are_one_birth_date_in_that_order():
    found = recognize(
        [table(n=PEOPLE["name"], birth_day=["27", "3", "19", "8", "30"],
               birth_month=["9", "2", "11", "1", "12"],
               birth_year=["1967", "1958", "1990", "2001", "1944"])]
    )  # fmt: skip
    names = [c.name for c in found.columns]
    assert found.mapped(names)["birth_date"] == ("birth_year", "birth_month", "birth_day")


def _numbers(*, years: range) -> pa.Table:
    rows = range(300)
    return table(
        who=[PEOPLE["name"][i % 5] for i in rows],
        x=[str(i * 7 % 31 + 1) for i in rows],
        y=[str(years[i * 13 % len(years)]) for i in rows],
        z=[str(i * 5 % 12 + 1) for i in rows],
    )


def test_three_columns_of_numbers_without_headings_are_a_birth_date_if_all_look_like_it():
    births = recognize([_numbers(years=range(1940, 2005))])
    assert births.mapped("xyz")["birth_date"] == ("y", "z", "x")
    recent = recognize([_numbers(years=range(2020, 2026))])
    assert "birth_date" not in recent.mapped("xyz")


def test_a_name_of_one_word_beside_a_family_name_is_the_given_name():
    found = recognize(
        [table(fname=["FRANK", "MARTIN", "UTE", "GERD"], lname=["BAUER", "SCHWARZ", "KOCH", "ZE"])]
    )
    assert fields(found) == {"fname": "given_name", "lname": "family_name"}
