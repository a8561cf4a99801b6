"""``onefold source add https://…``: what an address leads to, and the YAML that reads it."""

import pytest
import yaml
from typer.testing import CliRunner

from connectors.locating import locate
from connectors.source import load_one
from connectors.web import auth, finding
from onefold.cli import app as commands
from onefold.errors import ConfigError
from tests.connectors.web.odata_service import Service

KINDS = {
    "Customer": {
        "Id": "Edm.String",
        "Name": "Edm.String",
        "Phone": "Edm.String",
        "Email": "Edm.String",
        "City": "Edm.String",
        "Changed": "Edm.DateTimeOffset",
    }
}
RECORDS = [
    {
        "Id": f"C{n}",
        "Name": f"Nordwind Handel {'ABCDEFGHI'[n]} GmbH",
        "Phone": f"030 5550 010{n}",
        "Email": f"kauf{n}@example.com",
        "City": "Berlin",
        "Changed": f"2026-01-0{n}T08:00:00Z",
    }
    for n in range(1, 9)
]


@pytest.fixture
def bare(tmp_path):
    """A home without sources."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/onefold.yml").write_text("country: DE\n")
    return tmp_path / "bare"


def _add(home, *arguments):
    result = CliRunner().invoke(
        commands.app, ["source", "add", *arguments, "--home", str(home), "--yes"]
    )
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


@pytest.mark.parametrize("version", [2, 4])
def test_root_of_an_odata_service_is_enough(version, server, bare, home, monkeypatch):
    server.handle = Service(version, KINDS, ["Id"], RECORDS)
    address = server.url.replace("http://", "http://reader:geheim@")
    _add(bare, f"{address}/srv/", "--name", "erp")
    text = (bare / "sources/erp.yml").read_text()
    assert "geheim" not in text
    written = yaml.safe_load(text)
    assert written["connector"] == "api" and written["url"] == f"{server.url}/srv/Customers"
    assert written["api"] == {
        "kind": "odata",
        "auth": {"user": "reader", "password": "${ERP_PASSWORD}"},
    }
    assert written["key"] == "Id"
    assert {"name": "Name", "phone": "Phone", "email": "Email"}.items() <= written[
        "columns"
    ].items()
    assert server.asked[-1].headers["authorization"].startswith("Basic ")
    monkeypatch.setenv("ERP_PASSWORD", "geheim")
    config = load_one(bare, "erp")
    assert len(home.sync(config)[1]) == 8
    checked = CliRunner().invoke(
        commands.app, ["source", "check", "erp", "--home", str(bare), "--show", "1"]
    )
    assert checked.exit_code == 0, checked.output
    page = bare / "erp.html"
    profiled = CliRunner().invoke(
        commands.app, ["source", "profile", "erp", "--home", str(bare), "--out", str(page)]
    )
    assert profiled.exit_code == 0 and page.is_file()


def test_list_of_a_rest_service_is_found_in_its_answer(server, reply, bare):
    rows = [{name.lower(): value for name, value in record.items()} for record in RECORDS]
    server.handle = lambda asked: (
        reply({"meta": {"tags": []}, "payload": {"customers": rows}, "errors": [{}]})
        if asked.path == "/v1/customers"
        else reply({"error": "not_found"}, 404)
    )
    _add(bare, f"{server.url}/v1/customers")
    written = yaml.safe_load((bare / "sources/customers.yml").read_text())
    assert written["api"] == {"records": "payload.customers"} and written["key"] == "id"
    assert written["columns"]["name"] == "name"


def test_known_system_is_told_by_its_host_and_asks_for_its_secrets(bare, monkeypatch):
    with pytest.raises(ConfigError, match="SF_CLIENT_ID"):
        locate("https://example.my.salesforce.com", bare, name="sf")
    monkeypatch.setenv("SF_CLIENT_ID", "id")
    monkeypatch.setenv("SF_CLIENT_SECRET", "geheim")
    (place,) = locate("https://example.my.salesforce.com", bare, name="sf")
    assert place.template == "salesforce_accounts"
    assert place.settings["api"]["auth"] == {
        "client_id": "${SF_CLIENT_ID}",
        "client_secret": "${SF_CLIENT_SECRET}",
    }
    assert place.config.api.auth.client_secret.get_secret_value() == "geheim"


def test_template_can_be_named_for_any_host(server, bare, monkeypatch):
    monkeypatch.setattr(auth, "_tokens", {})
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"CRM_{name}", name.lower())
    (place,) = locate(server.url, bare, name="crm", template="dynamics_contacts")
    assert place.settings["api"]["auth"]["scope"] == f"{server.url}/.default"
    assert "/${CRM_TENANT_ID}/" in place.settings["api"]["auth"]["token_url"]
    assert "/tenant_id/" in place.config.api.auth.token_url


def test_addresses_of_files_are_no_services():
    assert finding.is_file("https://a.example/exports/customers.csv")
    assert finding.is_file("https://a.example/exports/*")
    assert not finding.is_file("https://a.example/srv/")


@pytest.mark.parametrize("way", ["next", "page", "offset", "cursor"])
def test_way_to_the_next_page_is_tried_out(way, server, reply, bare, home):
    rows = [{name.lower(): value for name, value in record.items()} for record in RECORDS]

    def handle(asked):
        if asked.path != "/customers":
            return reply({"error": "not_found"}, 404)
        known = {"next": "n", "page": "page", "offset": "skip", "cursor": "after"}[way]
        value = asked.query.get(known)
        start = {
            "page": lambda: (int(value or 1) - 1) * 3,
            "cursor": lambda: int(value.removeprefix("t")) if value else 0,
        }.get(way, lambda: int(value or 0))()
        more = start + 3 < len(rows)
        meta = {
            "next": {"next": f"/customers?n={start + 3}" if more else None},
            "page": {"total": 8},
            "offset": {"total": 8},
            "cursor": {"next_cursor": f"t{start + 3}" if more else None},
        }[way]
        return reply({"data": rows[start : start + 3], "meta": meta})

    server.handle = handle
    _add(bare, f"{server.url}/customers")
    assert len(home.sync(load_one(bare, "customers"))[1]) == 8


def test_one_of_several_addresses_is_taken_and_not_all_together(server, reply, bare, home):
    places = [{"city": "Ulm", "primary": False}, {"city": "Bonn", "primary": True}]
    rows = [{"id": n, "name": RECORDS[n]["Name"], "places": places} for n in range(8)]
    server.handle = lambda asked: (
        reply(rows) if asked.path == "/customers" else reply({"error": "not_found"}, 404)
    )
    _add(bare, f"{server.url}/customers")
    config = load_one(bare, "customers")
    assert config.lists["places"].prefer == {"primary": "true"}
    assert {row["places.city"] for row in home.sync(config)[1]} == {"Bonn"}
