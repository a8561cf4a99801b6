"""SQL Server, Oracle and the others: the SQL of a table, a query and a cursor, as it is sent."""

import re

import pytest
import sqlalchemy as sa

from connectors.queries import Query, written

TABLE = sa.table(
    "customers", sa.column("id", sa.Integer), sa.column("seen", sa.DateTime), schema="crm"
)

DIALECTS = ("mssql", "oracle", "hana", "db2")


@pytest.fixture
def dialect(request, dialect_of):
    """A dialect, without a server."""
    return dialect_of(request.param)


def _sql(select, dialect):
    return " ".join(str(select.compile(dialect=dialect)).split())


@pytest.mark.parametrize(
    ("dialect", "number", "moment", "few"),
    [
        (
            "mssql",
            "CAST(crm.customers.id AS NVARCHAR(max)) AS id",
            "CONVERT(NVARCHAR(40), crm.customers.seen, 121) AS seen",
            "TOP",
        ),
        (
            "oracle",
            "CAST(crm.customers.id AS VARCHAR2(4000)) AS id",
            "TO_CHAR(crm.customers.seen, 'YYYY-MM-DD HH24:MI:SS') AS seen",
            "FETCH FIRST",
        ),
        (
            "hana",
            "CAST(crm.customers.id AS NVARCHAR(5000)) AS id",
            "CAST(crm.customers.seen AS NVARCHAR(5000)) AS seen",
            "LIMIT",
        ),
        (
            "db2",
            "CAST(crm.customers.id AS VARCHAR(4000)) AS id",
            "VARCHAR_FORMAT(crm.customers.seen, 'YYYY-MM-DD HH24:MI:SS') AS seen",
            "LIMIT",
        ),
    ],
    ids=DIALECTS,
    indirect=["dialect"],
)
def test_table_is_asked_for_as_text_by_cursor_and_in_part(dialect, number, moment, few):
    query = Query({column.name: column for column in TABLE.c}, TABLE)
    text = _sql(query.select(None, TABLE.c.seen >= sa.bindparam("mark")), dialect)
    assert text.startswith(f"SELECT {number}, {moment} FROM crm.customers WHERE")
    assert re.search(r"crm\.customers\.seen >= (:mark|\?)", text)
    assert few in _sql(query.select().limit(5), dialect)


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_query_is_asked_as_it_was_written(dialect):
    origin = written("SELECT id, ':a' AS name FROM t WHERE x LIKE '%1:2%';")
    text = _sql(Query({"id": sa.column("id")}, origin).select(), dialect)
    assert "FROM (SELECT id, ':a' AS name FROM t WHERE x LIKE '%1:2%' ) onefold_query" in text
