"""Which template fits a database or a file."""

import pytest
import sqlalchemy as sa

from connectors.templates import recognize
from connectors.templates.model import load, names

SCHEMAS = {
    "sap_ecc": {"sap_ecc"},
    "sap_s4": {"sap_s4"},
    "yonyou_u8": {"yonyou_u8"},
    "kingdee_k3": {"kingdee_k3"},
    "kingdee_cloud": {"kingdee_cloud"},
}


def _tables(url):
    inspector = sa.inspect(sa.create_engine(url, poolclass=sa.NullPool))
    return {
        table: [str(column["name"]) for column in inspector.get_columns(table)]
        for table in inspector.get_table_names()
    }


@pytest.mark.parametrize("schema", SCHEMAS)
def test_database_is_recognized_by_its_tables(schema, tmp_path, run_sql):
    (tmp_path / "erp.db").touch()
    url = f"sqlite:///{tmp_path / 'erp.db'}"
    run_sql(url, schema=schema)
    found = recognize(_tables(url))
    assert {fit.template for fit in found} == SCHEMAS[schema]
    assert found[0].score == 1 and found[0].table == load(schema).main


def test_tables_with_other_columns_are_not_taken_for_a_system():
    columns = ["id", "first_name", "last_name", "city"]
    assert recognize({"customer": columns, "contacts": columns, "account": columns}) == []


def test_names_alone_are_a_hint_at_most():
    found = recognize(["public.res_partner", "public.res_country_state", "public.sale_order"])
    assert [(fit.template, fit.score, fit.table) for fit in found] == [
        ("odoo", 0.5, "public.res_partner")
    ]


def test_upper_case_and_schema_are_no_matter():
    columns = load("idempiere").recognized_by.tables
    tables = {
        f"ADEMPIERE.{name.upper()}": [c.upper() for c in own] for name, own in columns.items()
    }
    assert recognize(tables)[0].template == "idempiere"


@pytest.mark.parametrize(
    ("headings", "template"),
    [
        (["Id", "Name", "BillingStreet", "BillingCity", "OwnerId"], "salesforce_accounts"),
        (["Contact ID", "Last Name", "Account Name", "Mailing City"], "salesforce_contacts"),
        (
            [
                "(Do Not Modify) Account",
                "(Do Not Modify) Row Checksum",
                "(Do Not Modify) Modified On",
                "Account Name",
            ],
            "dynamics_accounts",
        ),
        (
            ["Record ID", "First Name", "Last Name", "Email", "Contact owner", "Create Date"],
            "hubspot_contacts",
        ),
        (["Record ID", "Company name", "Company Domain Name", "Create Date"], "hubspot_companies"),
    ],
)
def test_export_is_recognized_by_its_headings(headings, template):
    found = recognize({"export.csv": headings})
    assert found[0].template == template and found[0].table == "export.csv"


def test_plain_customer_list_is_not_taken_for_an_export():
    headings = ["Customer ID", "First Name", "Last Name", "Email", "Phone", "City", "Country"]
    assert recognize({"customers.xlsx": headings}) == []


def test_every_template_can_be_recognized_and_says_where_it_comes_from():
    for name in names():
        template = load(name)
        assert template.recognized_by.tables or template.recognized_by.headings, name
        assert template.evidence and bool(template.main) == bool(template.databases), name
