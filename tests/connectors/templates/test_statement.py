"""The SQL of templates in the dialects of servers that tests cannot start."""

import re

import pytest
import sqlalchemy as sa

from connectors.templates import statement
from connectors.templates.model import load, names
from onefold.errors import SourceLayout, SourceMissing

pytestmark = pytest.mark.filterwarnings("ignore:Could not instantiate type")


DIALECTS = ("db2", "hana", "mssql", "mysql", "oracle", "postgresql")
SCHEMAS = {
    "erpnext": "erpnext",
    "idempiere": "idempiere",
    "kingdee_cloud": "kingdee_cloud",
    "kingdee_k3": "kingdee_k3",
    "odoo": "odoo",
    "sap_ecc": "sap_ecc",
    "sap_s4": "sap_s4",
    "suitecrm_accounts": "suitecrm",
    "suitecrm_contacts": "suitecrm",
    "vtiger_accounts": "vtiger",
    "vtiger_contacts": "vtiger",
    "yonyou_u8": "yonyou_u8",
}


@pytest.fixture
def sql(home, schema_text, dialect_of):
    """The SELECT for a dialect; the catalog is that of the system's schema, made in SQLite."""

    def write(name, kind, edit=lambda text: text, **settings):
        engine = sa.create_engine("sqlite://")
        dialect = dialect_of(kind)
        text = re.sub("CREATE SCHEMA [^;]*;|adempiere[.]", "", schema_text(SCHEMAS[name]))
        with engine.begin() as connection:
            for part in edit(text).split(";\n"):
                if "CREATE TABLE" in part:
                    connection.exec_driver_sql(part)
            config = home.config(template=name, url="sqlite:///x.db", **settings)
            select = statement.build(config, sa.inspect(connection), dialect).select()
        written = select.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        return " ".join(str(written).split())

    return write


CASES = [(name, kind) for name in SCHEMAS for kind in load(name).databases if kind in DIALECTS]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_sql_is_written_for_every_dialect_of_a_system(name, kind, sql):
    # The SQL of a sync by the cursor has all that the other one has, and more.
    written = sql(name, kind, **({"mode": "cursor"} if load(name).cursor else {}))
    assert written.count("(") == written.count(")")
    if kind == "mssql":
        assert not re.search(r"GREATEST|LISTAGG| TRIM\(|= true|[|]{2}|GROUP_CONCAT", written)
    if kind == "oracle":
        assert not re.search(r"STRING_AGG|NVARCHAR|GROUP_CONCAT| AS main ", written)


def test_sql_server_gets_unicode_text_and_moments_in_iso_8601(sql):
    written = sql("kingdee_k3", "mssql")
    assert "CAST(main.[FName] AS NVARCHAR(max)) AS [FName]" in written
    assert "CONVERT(NVARCHAR(40), main.[FRegDate], 121) AS [FRegDate]" in written


def test_sql_server_before_2022_finds_the_latest_moment(sql):
    written = sql("kingdee_k3", "mssql")
    moments = "VALUES (main.[FLastModifyDate]), (main.[FRegDate])) AS moments (moment)"
    assert f"CONVERT(NVARCHAR(40), (SELECT MAX(moment) FROM ({moments}), 121)" in written


def test_flags_of_sql_server_are_compared_as_bits(sql):
    written = sql(
        "kingdee_k3", "mssql", lambda text: text.replace("FDetail bit", "FDetail boolean")
    )
    assert "item.[FDetail] = 1" in written


def test_oracle_gets_moments_in_iso_8601_and_lists_in_their_order(sql):
    written = sql("idempiere", "oracle")
    assert "TO_CHAR(GREATEST(coalesce(main.updated, " in written
    assert "LISTAGG(CAST(contacts_rows.emails AS VARCHAR2(4000)), '; ') WITHIN GROUP" in written


def test_hana_gets_lists_in_their_order(sql):
    written = sql("sap_ecc", "hana")
    assert re.search(
        r"STRING_AGG\(CAST\(mails_rows.addresses AS NVARCHAR\(5000\)\), '; ' ORDER BY", written
    )


def test_db2_gets_listagg(sql):
    assert "LISTAGG(CAST(mails_rows.addresses AS VARCHAR(4000)), '; ') WITHIN" in sql(
        "sap_ecc", "db2"
    )


def test_missing_column_is_named(sql):
    with pytest.raises(SourceLayout, match="t_Organization has no column 'FName'"):
        sql(
            "kingdee_k3",
            "mssql",
            lambda text: text.replace("    FName varchar", "    FNam varchar"),
        )


def test_missing_table_is_named(sql):
    with pytest.raises(SourceMissing, match="has a table 't_Item', this database has none"):
        sql("kingdee_k3", "mssql", lambda text: text.replace("t_Item ", "t_Things "))


@pytest.mark.parametrize("name", names())
def test_columns_of_optional_tables_may_be_missing(name):
    template = load(name)
    optional = {alias for alias, link in template.joins.items() if link.optional}
    for value in template.settings["columns"].values():
        for reference in [value] if isinstance(value, str) else value:
            alias, _, _ = reference.rpartition(".")
            assert alias not in optional or reference.endswith("?"), reference
