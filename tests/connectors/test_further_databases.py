"""SQL Server, Oracle and the others: the SQL of a table, a query and a cursor, as it is sent."""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, oracle

from connectors.queries import Query, written

TABLE = sa.table(
    "customers", sa.column("id", sa.Integer), sa.column("seen", sa.DateTime), schema="crm"
)


def _sql(select, dialect):
    return " ".join(str(select.compile(dialect=dialect)).split())


@pytest.mark.parametrize(
    ("dialect", "number", "moment", "few"),
    [
        (
            mssql.dialect(),
            "CAST(crm.customers.id AS NVARCHAR(max)) AS id",
            "CONVERT(NVARCHAR(40), crm.customers.seen, 121) AS seen",
            "TOP",
        ),
        (
            oracle.dialect(),
            "CAST(crm.customers.id AS VARCHAR2(4000)) AS id",
            "TO_CHAR(crm.customers.seen, 'YYYY-MM-DD HH24:MI:SS') AS seen",
            "FETCH FIRST",
        ),
    ],
    ids=["mssql", "oracle"],
)
def test_table_is_asked_for_as_text_by_cursor_and_in_part(dialect, number, moment, few):
    query = Query({column.name: column for column in TABLE.c}, TABLE)
    text = _sql(query.select(None, TABLE.c.seen >= sa.bindparam("mark")), dialect)
    assert text.startswith(f"SELECT {number}, {moment} FROM crm.customers WHERE")
    assert "crm.customers.seen >= :mark" in text
    assert few in _sql(query.select().limit(5), dialect)


@pytest.mark.parametrize("dialect", [mssql.dialect(), oracle.dialect()], ids=["mssql", "oracle"])
def test_query_is_asked_as_it_was_written(dialect):
    origin = written("SELECT id, ':a' AS name FROM t WHERE x LIKE '%1:2%';")
    text = _sql(Query({"id": sa.column("id")}, origin).select(), dialect)
    assert "FROM (SELECT id, ':a' AS name FROM t WHERE x LIKE '%1:2%' ) onefold_query" in text
