"""An empty table is filled before its keys and indexes are made, and has them all afterwards."""

import pyarrow as pa
import pytest
import sqlalchemy as sa

from onefold.errors import WarehouseError
from warehouse import bulk, rows
from warehouse.tables import customer_search, golden_customer_history

TWO = pa.table({"key": ["a", "b"], "kind": ["name", "name"], "golden_id": ["G1", "G2"]})


def _made(connection: sa.Connection, table: sa.Table) -> tuple[object, ...]:
    """The primary key's columns and every index of a table in the database."""
    found = sa.inspect(connection)
    schema = table.schema if connection.dialect.name == "postgresql" else None
    key = found.get_pk_constraint(table.name, schema)["constrained_columns"]
    indexes = found.get_indexes(table.name, schema)
    return key, sorted((str(one["name"]), str(one["column_names"])) for one in indexes)


@pytest.mark.parametrize("table", [customer_search, golden_customer_history])
def test_keys_and_indexes_are_those_that_the_table_had(warehouse, table):
    with warehouse.write() as connection:
        before = _made(connection, table)
        with bulk.indexes_last(connection, table):
            assert _made(connection, table)[1] == []
        assert _made(connection, table) == before


def test_a_row_that_stands_twice_is_refused_and_nothing_is_kept(warehouse):
    twice = pa.concat_tables([TWO, TWO.slice(0, 1)])
    with (
        pytest.raises(WarehouseError),
        warehouse.write() as connection,
        bulk.indexes_last(connection, customer_search),
    ):
        rows.insert(connection, customer_search, twice)
    with warehouse.write() as connection:
        assert bulk.is_empty(connection, customer_search)
        assert _made(connection, customer_search)[1] != []


def test_a_table_with_rows_keeps_its_indexes(warehouse):
    with warehouse.write() as connection:
        rows.insert(connection, customer_search, TWO)
        before = _made(connection, customer_search)
        with bulk.indexes_last(connection, customer_search):
            assert _made(connection, customer_search) == before


def test_nobody_is_waited_for_who_reads_the_empty_table(warehouse):
    with warehouse.read() as reader:
        assert reader.execute(sa.select(customer_search)).all() == []
        with warehouse.write() as connection, bulk.indexes_last(connection, customer_search):
            rows.insert(connection, customer_search, TWO)
        assert reader.execute(sa.select(customer_search)).all() == []
    with warehouse.read() as reader:
        assert len(reader.execute(sa.select(customer_search)).all()) == 2


@pytest.mark.parametrize("warehouse", ["postgresql"], indirect=True)  # SQLite has one file
def test_a_table_without_pages_gets_a_file_of_the_transaction(warehouse):
    name = f"{customer_search.schema}.{customer_search.name}"
    file = sa.select(sa.func.pg_relation_filenode(name))
    with warehouse.write() as connection:  # other tests may have left pages
        connection.exec_driver_sql(f"TRUNCATE {name}")
    with warehouse.write() as connection:
        before = connection.execute(file).scalar_one()
        with bulk.indexes_last(connection, customer_search):
            rows.insert(connection, customer_search, TWO)
        filled = connection.execute(file).scalar_one()
        with bulk.indexes_last(connection, customer_search):
            pass
        assert before != filled == connection.execute(file).scalar_one()


def test_a_reader_with_an_older_snapshot_still_sees_rows_deleted_since(warehouse):
    with warehouse.write() as connection:
        rows.insert(connection, customer_search, TWO)
    with warehouse.read() as reader:
        assert len(reader.execute(sa.select(golden_customer_history)).all()) == 0  # its snapshot
        with warehouse.write() as connection:
            rows.delete(connection, customer_search, TWO, ["key"])
        with warehouse.write() as connection, bulk.indexes_last(connection, customer_search):
            rows.insert(connection, customer_search, TWO.slice(0, 1))
        assert len(reader.execute(sa.select(customer_search)).all()) == 2
