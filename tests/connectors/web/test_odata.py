"""OData, versions 2 and 4: fields that are mapped, related records, pages that do not shift."""

import pytest

from connectors.source import check
from connectors.web import metadata
from onefold.errors import SourceLayout, SourceMissing, SourceUnreachable
from tests.connectors.web.odata_service import Service

KINDS = {
    "Customer": {
        "Id": "Edm.String",
        "Name": "Edm.String",
        "Born": "Edm.DateTime",
        "At": "Edm.Time",
        "Credit": "Edm.Decimal",
        "to_Address": ["Address"],
        "to_Group": ("Group",),
    },
    "Address": {"City": "Edm.String", "Usage": "Edm.String", "to_Email": ["Email"]},
    "Email": {"EmailAddress": "Edm.String"},
    "Group": {"Title": "Edm.String"},
}
COLUMNS = {
    "name": "Name",
    "city": "to_Address.City",
    "email": "to_Address.to_Email.EmailAddress?",
    "attributes.group": "to_Group.Title?",
    "note": "NotThere?",
}


def _records(count):
    return [
        {
            "Id": f"C{n:02d}",
            "Name": f"O'Sample {n}",
            "Born": "1980-02-29",
            "At": "08:05:01",
            "Credit": "1.50",
            "to_Address": [
                {"City": "Ulm", "Usage": "BILL"},
                {
                    "City": "Bonn",
                    "Usage": "MAIN",
                    "to_Email": [
                        {"EmailAddress": "a@example.com"},
                        {"EmailAddress": "b@example.com"},
                    ],
                },
            ],
            "to_Group": {"Title": "Trade"},
        }
        for n in range(1, count + 1)
    ]


@pytest.fixture(params=[2, 4])
def service(request, server):
    made = Service(request.param, KINDS, ["Id"], _records(8))
    server.handle = made
    return made


def _api(**more):
    return {"kind": "odata", "page_size": 3, **more}


LISTS = {"to_Address": {"prefer": {"Usage": "MAIN"}}}


def _read(server, read, **settings):
    settings = {"api": _api(), "columns": COLUMNS, "key": "Id", "lists": LISTS, **settings}
    return read(f"{server.url}/srv/Customers", **settings)


def test_every_record_comes_with_the_related_ones_that_columns_name(service, server, read):
    rows = _read(server, read)
    assert sorted(rows) == [f"C{n:02d}" for n in range(1, 9)]
    row = rows["C03"]
    assert (row["Name"], row["to_Address.City"], row["to_Group.Title"]) == (
        "O'Sample 3",
        "Bonn",
        "Trade",
    )
    assert row["to_Address.to_Email.EmailAddress"] == "a@example.com; b@example.com"
    assert row["Credit"] == "1.50"


def test_dates_and_times_of_version_2_are_written_as_others_write_them(server, read):
    server.handle = Service(2, KINDS, ["Id"], _records(1))
    row = _read(server, read)["C01"]
    assert (row["Born"], row["At"]) == ("1980-02-29", "08:05:01")


def test_filter_says_which_records(service, server, read):
    rows = _read(server, read, api=_api(filter="Name eq 'O''Sample 2' or Id ge 'C07'"))
    assert sorted(rows) == ["C02", "C07", "C08"]


def test_key_is_that_of_the_service_where_the_source_names_none(service, server, read):
    rows = _read(server, read, key=[])
    assert "C05" in rows


def test_parameters_of_the_address_go_with_every_request(service, server, read):
    read(
        f"{server.url}/srv/Customers?sap-client=100",
        api=_api(parameters={"sap-language": "ZH"}),
        columns=COLUMNS,
        key="Id",
    )
    first = server.asked[:3]
    assert all(asked.query["sap-client"] == "100" for asked in first)
    assert all(asked.query["sap-language"] == "ZH" for asked in first)


def test_record_deleted_between_pages_hides_no_other_one(server, read):
    service = Service(2, KINDS, ["Id"], _records(8), most=3)
    answer = service.answer

    def handle(asked):
        if len([a for a in server.asked if a.path.endswith("Customers")]) == 2:
            service.records = [r for r in service.records if r["Id"] not in ("C01", "C08")]
        return answer(asked)

    service.answer = handle
    server.handle = service
    assert sorted(_read(server, read)) == ["C01", "C02", "C03", "C04", "C05", "C06", "C07"]


def test_keys_of_several_fields_are_paged_through(server, read):
    kinds = {"Customer": {"Client": "Edm.String", "No": "Edm.Int32", "Name": "Edm.String"}}
    records = [
        {"Client": client, "No": n, "Name": "A"} for client in ("100", "200") for n in range(1, 5)
    ]
    server.handle = Service(2, kinds, ["Client", "No"], records, most=3)
    rows = _read(server, read, columns={"name": "Name"}, key=["Client", "No"])
    assert len(rows) == 8 and "200|4" in rows


def test_count_that_does_not_come_keeps_everything_back(service, server, read):
    answer = service.answer

    def lost(asked):
        reply = answer(asked)
        if "d" in reply.body:
            reply.body["d"]["results"] = reply.body["d"]["results"][:2]
            reply.body["d"].pop("__next", None)
        else:
            reply.body["value"] = reply.body["value"][:2]
            reply.body.pop("@odata.nextLink", None)
        return (
            reply
            if "gt" not in asked.query.get("$filter", "")
            else type(reply)({"d": {"results": []}})
        )

    service.answer = lost
    with pytest.raises(SourceUnreachable, match="found 2 of 8"):
        _read(server, read)


def test_set_that_is_not_there_names_those_that_are(service, server, read):
    with pytest.raises(SourceMissing, match="no set of records 'Kunden'") as error:
        read(f"{server.url}/srv/Kunden", api=_api(), columns=COLUMNS, key="Id")
    assert "found Customers" in str(error.value)


def test_address_without_a_service_is_said(server, reply, read):
    with pytest.raises(SourceLayout, match="no OData service at this address"):
        _read(server, read)
    server.handle = lambda asked: reply(b"<html>Sign in</html>")
    with pytest.raises(SourceLayout, match="no OData metadata"):
        _read(server, read)


def test_wrong_filter_is_said_with_the_code_of_the_service_and_no_value(service, server, read):
    with pytest.raises(SourceLayout, match="status 400, NO_SUCH_PROPERTY") as error:
        _read(server, read, api=_api(filter="Nme eq 'x'"))
    assert "Ann" not in str(error.value)


def test_check_asks_for_one_page(service, server, home):
    config = home.config(
        connector="api", url=f"{server.url}/srv/Customers", api=_api(), columns=COLUMNS, key="Id"
    )
    assert "mapped: name" in check(config)
    assert len(server.asked) == 2  # metadata, and a page


def test_metadata_with_definitions_of_its_own_is_refused():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><edmx:Edmx Version="4.0">&a;</edmx:Edmx>'
    with pytest.raises(ValueError, match="definitions"):
        metadata.parse(bomb)


def test_fields_of_the_kinds_that_a_kind_builds_on_are_its_own():
    document = b"""<e:Edmx Version="4.0" xmlns:e="x"><Schema Namespace="crm" Alias="c" xmlns="y">
    <EntityType Name="base"><Key><PropertyRef Name="id"/></Key>
    <Property Name="id" Type="Edm.Guid"/></EntityType>
    <EntityType Name="account" BaseType="c.base"><Property Name="name" Type="Edm.String"/>
    <NavigationProperty Name="boss" Type="crm.account"/></EntityType>
    <EntityContainer Name="C"><EntitySet Name="accounts" EntityType="crm.account"/>
    </EntityContainer></Schema></e:Edmx>"""
    found = metadata.parse(document)
    account = found.entities[found.sets["accounts"]]
    assert account.key == ("id",) and list(account.fields) == ["id", "name"]
    assert account.relations == {"boss": "crm.account"} and found.version == 4
