"""The views for BI tools: what they show, to whom, and that they last."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from onefold.errors import WarehouseError
from review.presenters.masking import masked
from rules.customer import PERSONAL
from warehouse import engine
from warehouse.bi import dictionary, grants, install
from warehouse.bi.views import views
from warehouse.sealing import mask_of

PERSON = {
    "name": "欧阳小明",
    "family_name": "欧阳",
    "given_name": "小明",
    "other_names": ["Ouyang Xiaoming"],
    "national_id": "11010119800102001X",
    "emails": ["xiaoming@example.com", "second@example.com"],
    "phones": ["+8613800138000", "+862100000001"],
    "phone_kinds": ["mobile", "fixed"],
    "phone_extensions": ["", "88"],
    "address_line": "翠湖路123号",
    "street": "翠湖路",
    "house_number": "12345678901",
    "unit": "7-2-901",
    "postal_code": "200001",
    "contact_name": "李小姐",
    "legal_representative": "王先生",
    "employer_name": "海棠贸易",
    "middle_name": "Qwertz",
    "name_suffix": "Junior",
    "sex": "M",
    "attributes": '{"wechat": "secret-handle"}',
}


@pytest.fixture
def read(world):
    """A view as dictionaries."""

    def rows(view: str, where: str = "") -> list[dict]:
        with world.wh.read() as connection:
            name = install.sql_name(connection, view)
            found = connection.execute(sa.text(f"SELECT * FROM {name} {where}"))
            return [dict(row._mapping) for row in found]

    return rows


def test_a_dimension_has_one_row_per_customer_and_the_first_of_each_list(world, read):
    world.put("crm", {"1": "甲", "2": "乙"}, **{**PERSON, "name": "欧阳小明"})
    world.publish([["crm:1"], ["crm:2"]])
    rows = read("dim_customer_pii", "ORDER BY golden_id")
    assert len(rows) == 2
    assert rows[0]["email"] == "xiaoming@example.com"
    assert rows[0]["email_count"] == 2
    assert rows[0]["phone"] == "+8613800138000"
    assert rows[0]["other_names"] == "Ouyang Xiaoming"
    assert rows[0]["sources"] == "crm"
    assert rows[0]["birth_year"] == 1980
    assert "secret-handle" in rows[0]["attributes"]


def test_masked_views_hold_no_personal_value(world, read):
    world.put("crm", {"1": None}, **PERSON)
    world.publish([["crm:1"]])
    hidden = [
        *(value for name, value in PERSON.items() if isinstance(value, str) and name != "sex"),
        *PERSON["emails"], *PERSON["phones"], *PERSON["other_names"],
        "1980-01-02", "secret-handle", "example.com", "138001",
    ]  # fmt: skip
    hidden.remove(PERSON["attributes"])
    for view in views():
        if view.pii:
            continue
        for row in read(view.name):
            said = "\0".join(str(value) for value in row.values())
            assert not [value for value in hidden if value in said], view.name
    (row,) = read("dim_customer")
    assert row["name"] == "欧…"
    assert row["phone"] == "+86…8000"
    assert row["email"] == "x…@…"
    assert (row["birth_date"], row["sex"], row["attributes"]) == (None, None, None)
    assert row["birth_year"] == 1980


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("11010119800102001X", "110…001X"),
        ("110101800102001", "110…2001"),
        ("971128068", "…8068"),
        ("A763742(2)", "…2(2)"),
        ("C7224851", "C…"),
        (None, None),
    ],
)
def test_of_an_identity_number_less_than_half_is_shown(world, read, number, shown):
    world.put("crm", {"1": None}, **{**PERSON, "national_id": number})
    world.publish([["crm:1"]])
    (row,) = read("dim_customer")
    assert row["national_id"] == shown
    if number:
        assert mask_of("national_id")(number) == masked("national_id", number) == shown


def test_every_personal_column_of_the_model_is_masked():
    (dimension,) = (view for view in views() if view.name == "dim_customer")
    masked = {column.name for column in dimension.columns if column.masked is not None}
    shown = {column.name for column in dimension.columns}
    assert {name for name in PERSONAL if name in shown} <= masked
    assert {"email", "phone"} <= masked


def test_an_organization_keeps_its_name(world, read):
    company = {**PERSON, "name": "海棠贸易有限公司", "customer_type": "organization"}
    world.put("crm", {"1": None}, **company)
    world.publish([["crm:1"]])
    (row,) = read("dim_customer")
    assert row["name"] == "海棠贸易有限公司"
    assert row["contact_name"] == "李…"


def test_history_joins_as_of_a_moment(world, read):
    world.put("crm", {"1": "Anna Müller"})
    world.publish([["crm:1"]])
    between = datetime.now(UTC)
    world.put("crm", {"1": "Anna Schmidt"})
    world.publish([["crm:1"]])
    with world.wh.read() as connection:
        view = install.sql_name(connection, "dim_customer_history_pii")
        at = between if world.wh.is_postgresql else f"{between:%Y-%m-%d %H:%M:%S.%f}"
        query = sa.text(f"SELECT name FROM {view} WHERE valid_from <= :at AND :at < valid_to")
        assert connection.execute(query, {"at": at}).scalars().all() == ["Anna Müller"]
        query = sa.text(f"SELECT name, is_current FROM {view} ORDER BY valid_from")
        assert [tuple(row) for row in connection.execute(query)] == [
            ("Anna Müller", False),
            ("Anna Schmidt", True),
        ]


def test_every_id_ever_published_leads_to_the_one_it_is_now(world, read):
    world.put("crm", {"1": "Anna", "2": "Anne", "3": "Zoe"})
    world.publish([["crm:1"], ["crm:2"], ["crm:3"]])
    before = {row["golden_id"] for row in read("id_map")}
    world.put("crm", {"1": "Anna", "2": "Anne"})
    world.publish([["crm:1", "crm:2"]])
    rows = {row["golden_id"]: row for row in read("id_map")}
    assert set(rows) == before
    (live,) = (name for name, row in rows.items() if row["state"] == "live")
    (merged,) = (row for row in rows.values() if row["state"] == "merged")
    (ended,) = (row for row in rows.values() if row["state"] == "ended")
    assert rows[live]["current_golden_id"] == live
    assert merged["current_golden_id"] == live
    assert merged["reason"] and merged["retired_at"] and merged["first_published_at"]
    assert ended["current_golden_id"] is None


def test_facts_join_by_source_and_key(world, read):
    world.put("crm", {"1": "Anna"})
    world.put("erp", {"A|1": "Anna"})
    world.publish([["crm:1", "erp:A|1"]])
    bridge = {
        (row["source"], row["source_key"]): row["golden_id"]
        for row in read("bridge_source_customer")
    }
    assert bridge.keys() == {("crm", "1"), ("erp", "A|1")}
    assert len(set(bridge.values())) == 1


def test_contact_points_are_one_row_each_with_their_source(world, read):
    world.put("crm", {"1": None}, **PERSON)
    world.publish([["crm:1"]])
    rows = read("customer_contact_point_pii", "ORDER BY kind, item")
    assert [(row["kind"], row["item"], row["value"], row["phone_kind"]) for row in rows] == [
        ("email", 0, "xiaoming@example.com", None),
        ("email", 1, "second@example.com", None),
        ("phone", 0, "+8613800138000", "mobile"),
        ("phone", 1, "+862100000001", "fixed"),
    ]
    assert {row["source"] for row in rows} == {"crm"}
    assert [bool(row["is_primary"]) for row in rows] == [True, False, True, False]


def test_a_customer_without_lists_is_in_the_dimension_and_has_no_contact_points(world, read):
    world.put(
        "crm", {"1": "Anna"}, emails=None, phones=None, phone_kinds=None, phone_extensions=None
    )
    world.publish([["crm:1"]])
    (row,) = read("dim_customer_pii")
    assert (row["email"], row["email_count"], row["phone_count"]) == (None, 0, 0)
    assert read("customer_contact_point_pii") == []


def test_the_data_dictionary_is_that_of_the_views():
    stored = Path(__file__).parents[2] / "docs" / "data-dictionary.md"
    assert stored.read_text(encoding="utf-8") == dictionary.text()


def test_the_views_in_the_database_are_the_ones_documented(warehouse):
    with warehouse.read() as connection:
        inspector = sa.inspect(connection)
        schema = "bi" if warehouse.is_postgresql else None
        assert set(inspector.get_view_names(schema=schema)) == {view.name for view in views()}
        for view in views():
            found = inspector.get_columns(view.name, schema=schema)
            assert [one["name"] for one in found] == [column.name for column in view.columns]
            if warehouse.is_postgresql:
                assert [one["comment"] for one in found] == [one.doc for one in view.columns]
                said = inspector.get_table_comment(view.name, schema=schema)
                assert said["text"] == view.doc


def test_views_are_made_anew_where_they_differ_and_their_readers_stay(migrated):
    wh = engine.connect(migrated)
    if not wh.is_postgresql:
        with wh.write() as connection:
            connection.exec_driver_sql("DROP VIEW dim_customer")
            connection.exec_driver_sql("CREATE VIEW dim_customer AS SELECT 1 AS golden_id")
    else:
        _make_roles_anew(wh)
        grants.grant(wh, "test_reader", "test_reader_pii")
        with wh.write() as connection:
            connection.exec_driver_sql("DROP VIEW bi.id_map")
            connection.exec_driver_sql("DROP VIEW bi.dim_customer_history")
            connection.exec_driver_sql("CREATE VIEW bi.dim_customer_history AS SELECT 1 AS other")
            connection.exec_driver_sql("GRANT SELECT ON bi.dim_customer_history TO test_reader")
            connection.exec_driver_sql("COMMENT ON SCHEMA bi IS 'of an older version'")
    wh.close()
    engine.migrate(migrated)
    wh = engine.connect(migrated)
    with wh.read() as connection:
        assert install.stands(connection)
    if wh.is_postgresql:
        for view in ("id_map", "dim_customer_history", "dim_customer"):
            assert _may_read(wh, "test_reader", view)
        assert not _may_read(wh, "test_reader", "dim_customer_history_pii")
        _drop_roles(wh)
    wh.close()


def test_a_view_that_others_hang_on_is_not_dropped(migrated):
    wh = engine.connect(migrated)
    if not wh.is_postgresql:
        wh.close()
        return
    with wh.write() as connection:
        connection.exec_driver_sql("DROP VIEW bi.id_map")
        connection.exec_driver_sql("CREATE VIEW bi.id_map AS SELECT 1 AS other")
        connection.exec_driver_sql("CREATE VIEW public.mine AS SELECT * FROM bi.id_map")
        connection.exec_driver_sql("COMMENT ON SCHEMA bi IS 'of an older version'")
    wh.close()
    with pytest.raises(WarehouseError, match=r"id_map.*mine"):
        engine.migrate(migrated)


def test_one_role_reads_masks_and_the_other_values(warehouse):
    if not warehouse.is_postgresql:
        with pytest.raises(WarehouseError, match="SQLite has no roles"):
            grants.grant(warehouse)
        return
    _make_roles_anew(warehouse)
    grants.grant(warehouse, "test_reader", "test_reader_pii")
    grants.grant(warehouse, "test_reader", "test_reader_pii")  # again changes nothing
    for view in views():
        assert _may_read(warehouse, "test_reader", view.name) is not view.pii
        assert _may_read(warehouse, "test_reader_pii", view.name)
    with warehouse.write() as connection:
        connection.exec_driver_sql("SET LOCAL ROLE test_reader")
        connection.exec_driver_sql("SELECT * FROM bi.dim_customer")
        with pytest.raises(sa.exc.ProgrammingError), connection.begin_nested():
            connection.exec_driver_sql("SELECT * FROM warehouse.golden_customer")
        with pytest.raises(sa.exc.ProgrammingError), connection.begin_nested():
            connection.exec_driver_sql("SELECT * FROM bi.dim_customer_pii")
    _drop_roles(warehouse)


def _make_roles_anew(wh: engine.Warehouse) -> None:
    _drop_roles(wh)


def _drop_roles(wh: engine.Warehouse) -> None:
    with wh.write() as connection:
        for role in ("test_reader", "test_reader_pii"):
            known = connection.execute(
                sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}
            ).scalar()
            if known:
                connection.exec_driver_sql(f"DROP OWNED BY {role}")
                connection.exec_driver_sql(f"DROP ROLE {role}")


def _may_read(wh: engine.Warehouse, role: str, view: str) -> bool:
    with wh.read() as connection:
        query = sa.text("SELECT has_table_privilege(:role, :view, 'SELECT')")
        return bool(connection.execute(query, {"role": role, "view": f"bi.{view}"}).scalar())
