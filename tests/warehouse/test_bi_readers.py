"""Readers that loop over the views while customers are published and views are made anew.

Each reader has a connection of its own, as a BI tool has, and knows nothing of Onefold. Publish
number n makes every customer's city "n", and has as many customers as :func:`size` says; so a
reader that ever saw half a publish would find two cities, or a number that does not fit.
"""

import os
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from warehouse.bi import install
from warehouse.bi.views import Column, View, views

PUBLISHES = int(os.environ.get("ONEFOLD_READ_PUBLISHES", "8"))
"""Publishes while the readers loop; ONEFOLD_READ_PUBLISHES=200 for a long look."""
READERS = 2


def size(number):
    """Customers of a publish: other ones than of the publish before, some merged."""
    return 24 + number % 5


def turn(world, number):
    keys = [str(each) for each in range(number % 3, number % 3 + size(number) + 1)]
    world.put("erp", dict.fromkeys(keys, "Anna"), city=f"{number}")
    records = [f"erp:{key}" for key in keys]
    world.publish([records[:2], *([each] for each in records[2:])])


class Client:
    """A program that reads the views of a database, given its URL only."""

    def __init__(self, wh, role=None):
        url = wh.engines["warehouse"].url
        self.postgresql = wh.is_postgresql
        self.engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        if role is not None:

            @sa.event.listens_for(self.engine, "connect")
            def _become(connection, _record):
                connection.execute(f'SET ROLE "{role}"')

    def query(self, connection, text):
        schema = "bi." if self.postgresql else ""
        return connection.execute(sa.text(text.replace("bi.", schema))).all()


ONE_STATEMENT = """
SELECT d.golden_id, d.city, d.email_count, b.records, m.state, m.current_golden_id, p.points
FROM bi.dim_customer d
LEFT JOIN (SELECT golden_id, count(*) AS records FROM bi.bridge_source_customer
  GROUP BY golden_id) b ON b.golden_id = d.golden_id
LEFT JOIN bi.id_map m ON m.golden_id = d.golden_id
LEFT JOIN (SELECT golden_id, count(*) AS points FROM bi.customer_contact_point
  GROUP BY golden_id) p ON p.golden_id = d.golden_id
"""
WITHOUT_A_CUSTOMER = """
SELECT count(*) FROM bi.bridge_source_customer b LEFT JOIN bi.dim_customer d
  ON d.golden_id = b.golden_id WHERE d.golden_id IS NULL
UNION ALL
SELECT count(*) FROM bi.id_map m LEFT JOIN bi.dim_customer d
  ON d.golden_id = m.current_golden_id
  WHERE (d.golden_id IS NULL) <> (m.current_golden_id IS NULL)
UNION ALL
SELECT count(*) FROM bi.dim_customer d LEFT JOIN bi.dim_customer_history h
  ON h.golden_id = d.golden_id AND h.is_current AND h.city = d.city WHERE h.golden_id IS NULL
"""


def _whole(rows):
    """Which publish the rows are of; they are all of it and nothing else."""
    (city,) = {row.city for row in rows}
    assert len(rows) == size(int(city))
    assert sorted(row.records for row in rows) == [1] * (len(rows) - 1) + [2]
    assert {(row.state, row.points) for row in rows} == {("live", 1)}
    assert all(row.current_golden_id == row.golden_id for row in rows)
    return int(city)


def test_readers_see_whole_publishes_only(world):
    done = threading.Event()
    turn(world, 0)

    def read():
        client, seen = Client(world.wh), []
        with client.engine.connect() as connection:
            while not done.is_set():
                seen.append(_whole(client.query(connection, ONE_STATEMENT)))
                assert [count for (count,) in client.query(connection, WITHOUT_A_CUSTOMER)] == [
                    0, 0, 0,
                ]  # fmt: skip
        client.engine.dispose()
        return seen

    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read) for _ in range(READERS)]
        try:
            for number in range(1, PUBLISHES + 1):
                turn(world, number)
        finally:
            done.set()
        seen = [reader.result() for reader in readers]
    for one in seen:
        assert one == sorted(one), "a reader went back to an older publish"
    assert len(set().union(*seen)) > PUBLISHES / 2, "the readers saw too few publishes to tell"


def _newer(view):
    """A view with one more column in the first place: PostgreSQL has to make it anew."""
    added = Column("added", "Of a newer version.", sa.literal(1))
    return View(view.name, view.doc, (added, *view.columns), view.source, view.pii)


@pytest.fixture
def role(world):
    """A role that may read one view only; None on SQLite."""
    if not world.wh.is_postgresql:
        yield None
        return
    name = f"one_view_{uuid.uuid4().hex[:8]}"
    with world.wh.write() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name}")
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA bi TO {name}")
        connection.exec_driver_sql(f"GRANT SELECT ON bi.dim_customer TO {name}, PUBLIC")
        connection.exec_driver_sql(f"GRANT SELECT ON bi.id_map TO {name}")
    yield name
    with world.wh.write() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {name}")
        connection.exec_driver_sql(f"DROP ROLE {name}")
        connection.exec_driver_sql("REVOKE ALL ON bi.dim_customer FROM PUBLIC")


def test_views_made_anew_break_no_reader_and_drop_no_right(world, monkeypatch, role):
    turn(world, 0)
    done = threading.Event()
    generations = [views(), tuple(_newer(view) for view in views())]

    def read():
        client, times = Client(world.wh, role), 0
        with client.engine.connect() as connection:
            while not done.is_set():
                rows = client.query(connection, "SELECT golden_id, city FROM bi.dim_customer")
                ids = client.query(connection, "SELECT golden_id FROM bi.id_map")
                assert len(rows) == len(ids) == size(0)
                times += 1
        client.engine.dispose()
        return times

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            for number in range(1, 7):
                monkeypatch.setattr(install, "views", lambda now=number: generations[now % 2])
                with world.wh.write() as connection:
                    install.install(connection)
                with world.wh.read() as connection:
                    assert install.stands(connection)
        finally:
            done.set()
        assert reader.result() > 6
    if role is not None:
        with world.wh.read() as connection:
            may = sa.text("SELECT has_table_privilege(:role, :view, 'SELECT')")
            told = {
                view.name: connection.execute(
                    may, {"role": role, "view": f"bi.{view.name}"}
                ).scalar()
                for view in views()
            }
            assert {name for name, allowed in told.items() if allowed} == {"dim_customer", "id_map"}
