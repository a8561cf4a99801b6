"""Servers are looked through for the table of customers, and added without their password."""

import pytest
import sqlalchemy as sa

from connectors import databases, locating, sampling
from connectors.declarations import load_source
from onefold.errors import SourceLayout
from rules.onboarding.proposal import propose
from rules.onboarding.writing import text, write


@pytest.fixture(params=["postgres_database", "mariadb_database"])
def database(request):
    """A real server's empty database."""
    return request.getfixturevalue(request.param)


def fill(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


ROWS = ", ".join(
    f"('C{i:03d}', 'Name{i} Foster', 'n{i}@example.com', '555-010-{i:04d}', '2024-01-0{i % 9 + 1}')"
    for i in range(30)
)


def test_the_table_of_customers_is_found_read_and_added(database, tmp_path, monkeypatch):
    fill(
        database,
        "CREATE TABLE customer_order (id int primary key, customer_name varchar(20), email text)",
        "INSERT INTO customer_order VALUES (1, 'x', 'y')",
        "CREATE TABLE customer_copy (name varchar(9), email text, phone text)",
        "CREATE TABLE crm_clients (client_no varchar(9) primary key, client_name text,"
        ' "e%%mail" text, phone text, changed_on date)'.replace(
            '"', "`" if "mysql" in database else '"'
        ),
        f"INSERT INTO crm_clients VALUES {ROWS}".replace("%", "%%"),
    )
    (place,) = locating.locate(database, tmp_path, name="crm")
    assert place.settings["table"] == "crm_clients"
    assert (place.key, place.others) == (("client_no",), ())
    samples = sampling.unmapped(place.config, rows=20)
    assert (samples[0].table.num_rows, samples[0].complete) == (20, False)
    proposal = propose(place, samples, "CN")
    password = sa.make_url(database).password
    if password:
        assert password not in text(proposal)
        monkeypatch.setenv("CRM_PASSWORD", password)
    config = load_source(write(proposal, tmp_path), tmp_path)
    assert config.columns == {
        "name": ("client_name",), "phone": ("phone",), "email": ("e%mail",),
        "updated_at": ("changed_on",),
    }  # fmt: skip
    assert sampling.read(config).table.num_rows == 30


def test_a_schema_of_its_own_is_named(postgres_database, tmp_path):
    fill(
        postgres_database,
        "CREATE SCHEMA sales",
        "CREATE TABLE sales.accounts (id int primary key, account_name text, phone text)",
        "INSERT INTO sales.accounts VALUES (1, 'Acme Ltd', '555-010-0001')",
    )
    (place,) = locating.locate(postgres_database, tmp_path)
    assert (place.settings["table"], place.key) == ("sales.accounts", ("id",))


def test_a_database_without_customers_is_refused(tmp_path):
    fill(f"sqlite:///{tmp_path / 'a.db'}", "CREATE TABLE stock (sku text, amount int)")
    with pytest.raises(SourceLayout, match="no table looks like one of customers"):
        locating.locate(str(tmp_path / "a.db"), tmp_path)


def test_an_empty_table_is_not_proposed(tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    fill(url, "CREATE TABLE customer (name text, email text, phone text)")
    config = locating._config("a", {"connector": "sql", "url": url, "table": "?"})
    assert databases.look(config).tables == ()
