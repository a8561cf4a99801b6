"""Dynamics 365 and SAP S/4HANA through OData: their templates' columns, through to staged."""

from datetime import UTC, date, datetime

import pytest

from tests.connectors.web.odata_service import Service

ACCOUNT = {
    "accountid": "Edm.Guid",
    "name": "Edm.String",
    "telephone1": "Edm.String",
    "emailaddress1": "Edm.String",
    "address1_line1": "Edm.String",
    "address1_city": "Edm.String",
    "statecode": "Edm.Int32",
    "merged": "Edm.Boolean",
    "createdon": "Edm.DateTimeOffset",
    "modifiedon": "Edm.DateTimeOffset",
    "new_secret": "Edm.String",
}
CONTACT = {
    "contactid": "Edm.Guid",
    "fullname": "Edm.String",
    "lastname": "Edm.String",
    "firstname": "Edm.String",
    "emailaddress1": "Edm.String",
    "_parentcustomerid_value": "Edm.Guid",
    "statecode": "Edm.Int32",
    "modifiedon": "Edm.DateTimeOffset",
    "merged": "Edm.Boolean",
}


def _account(n, **more):
    return {
        "accountid": f"00000000-0000-0000-0000-00000000000{n}",
        "name": f"Nordwind Handel {'ABCDEFGH'[n]} GmbH",
        "telephone1": "030 5550 0100",
        "address1_line1": "Beispielweg 1",
        "address1_city": "Berlin",
        "statecode": 0,
        "merged": False,
        "createdon": "2020-01-01T08:00:00Z",
        "modifiedon": f"2026-01-0{n}T08:00:00Z",
        **more,
    }


@pytest.fixture
def dynamics(server):
    """An organization with accounts; the source's settings."""
    records = [_account(1), _account(2, statecode=1), _account(3, merged=True), _account(4)]
    made = Service(
        4, {"account": ACCOUNT}, ["accountid"], records, most=2, name="accounts", main="account"
    )
    server.handle = made
    return {"template": "dynamics_accounts", "url": server.url}


def test_accounts_of_dynamics_are_asked_for_by_their_mapped_fields(dynamics, staged, server):
    found = staged("DE", **dynamics)
    assert [key[-1] for key in sorted(found)] == ["1", "2", "4"]  # the loser of a merge is none
    row = found["00000000-0000-0000-0000-000000000002"]
    assert (row["name"], row["city"], row["status"]) == (
        "Nordwind Handel C GmbH",
        "Berlin",
        "closed",
    )
    assert row["updated_at"] == datetime(2026, 1, 2, 8, tzinfo=UTC)
    asked = server.asked[1]
    assert asked.path == "/api/data/v9.2/accounts" and "new_secret" not in asked.query["$select"]
    assert asked.headers["prefer"].startswith("odata.maxpagesize=")


def test_contact_of_dynamics_has_the_name_of_its_account(server, staged):
    record = {
        "contactid": "00000000-0000-0000-0000-00000000000a",
        "fullname": "Bob Beispiel",
        "lastname": "Beispiel",
        "firstname": "Bob",
        "_parentcustomerid_value": "00000000-0000-0000-0000-000000000001",
        "_parentcustomerid_value.text": "Nordwind Handel GmbH",
        "statecode": 0,
        "statecode.text": "Active",
        "merged": False,
        "modifiedon": "2026-01-02T08:00:00Z",
    }
    server.handle = Service(
        4, {"contact": CONTACT}, ["contactid"], [record], name="contacts", main="contact"
    )
    (row,) = staged("DE", template="dynamics_contacts", url=server.url).values()
    assert (row["name"], row["employer_name"]) == ("Bob Beispiel", "Nordwind Handel GmbH")
    assert row["updated_at"] == datetime(2026, 1, 2, 8, tzinfo=UTC)


PARTNER = {
    "A_BusinessPartnerType": {
        "BusinessPartner": "Edm.String",
        "Customer": "Edm.String",
        "BusinessPartnerCategory": "Edm.String",
        "BusinessPartnerGrouping": "Edm.String",
        "OrganizationBPName1": "Edm.String",
        "OrganizationBPName2": "Edm.String",
        "OrganizationBPName3": "Edm.String",
        "FirstName": "Edm.String",
        "LastName": "Edm.String",
        "BirthDate": "Edm.DateTime",
        "IsMarkedForArchiving": "Edm.Boolean",
        "CreationDate": "Edm.DateTime",
        "CreationTime": "Edm.Time",
        "LastChangeDate": "Edm.DateTime",
        "LastChangeTime": "Edm.Time",
        "SearchTerm1": "Edm.String",
        "to_BusinessPartnerAddress": ["A_BusinessPartnerAddressType"],
        "to_BusinessPartnerTax": ["A_BusinessPartnerTaxNumberType"],
    },
    "A_BusinessPartnerAddressType": {
        "StreetName": "Edm.String",
        "HouseNumber": "Edm.String",
        "District": "Edm.String",
        "CityName": "Edm.String",
        "Region": "Edm.String",
        "PostalCode": "Edm.String",
        "Country": "Edm.String",
        "to_AddressUsage": ["A_BuPaAddressUsageType"],
        "to_EmailAddress": ["A_AddressEmailAddressType"],
        "to_PhoneNumber": ["A_AddressPhoneNumberType"],
        "to_MobilePhoneNumber": ["A_AddressPhoneNumberType"],
    },
    "A_BuPaAddressUsageType": {"AddressUsage": "Edm.String"},
    "A_AddressEmailAddressType": {"EmailAddress": "Edm.String"},
    "A_AddressPhoneNumberType": {"PhoneNumber": "Edm.String"},
    "A_BusinessPartnerTaxNumberType": {"BPTaxType": "Edm.String", "BPTaxNumber": "Edm.String"},
}


def _address(city, usage):
    return {
        "StreetName": "示例路",
        "HouseNumber": "8号",
        "CityName": city,
        "Region": "020",
        "PostalCode": "200000",
        "Country": "CN",
        "to_AddressUsage": [{"AddressUsage": usage}],
        "to_EmailAddress": [
            {"EmailAddress": "kauf@example.com"},
            {"EmailAddress": "lager@example.com"},
        ],
        "to_PhoneNumber": [{"PhoneNumber": "021-5555-0100"}],
        "to_MobilePhoneNumber": [{"PhoneNumber": "13800000001"}, {"PhoneNumber": "13800000002"}],
    }


@pytest.fixture
def s4(server):
    """A system with an organization, a person, a group, and a partner who is no customer."""
    usual = {
        "Customer": "10",
        "IsMarkedForArchiving": False,
        "CreationDate": "2020-01-01",
        "CreationTime": "08:00:00",
        "LastChangeTime": "00:00:00",
        "to_BusinessPartnerAddress": [_address("苏州", "HOME"), _address("上海", "XXDEFAULT")],
    }
    records = [
        {
            **usual,
            "BusinessPartner": "0000001",
            "BusinessPartnerCategory": "2",
            "OrganizationBPName1": "上海示例贸易",
            "OrganizationBPName2": "有限公司",
            "LastChangeDate": "2026-01-31",
            "LastChangeTime": "12:30:00",
            "to_BusinessPartnerTax": [
                {"BPTaxType": "CN5", "BPTaxNumber": "91310000MA1FL0000N"},
                {"BPTaxType": "CN0", "BPTaxNumber": "1"},
            ],
        },
        {
            **usual,
            "BusinessPartner": "0000002",
            "BusinessPartnerCategory": "1",
            "FirstName": "伟",
            "LastName": "张",
            "BirthDate": "1980-02-29",
            "IsMarkedForArchiving": True,
        },
        {**usual, "BusinessPartner": "0000003", "BusinessPartnerCategory": "3"},
        {
            **usual,
            "BusinessPartner": "0000004",
            "BusinessPartnerCategory": "2",
            "Customer": "",
            "OrganizationBPName1": "供应商",
        },
    ]
    server.handle = Service(
        2,
        PARTNER,
        ["BusinessPartner"],
        records,
        name="A_BusinessPartner",
        main="A_BusinessPartnerType",
    )
    return {"template": "sap_s4", "url": server.url}


def test_customers_of_s4_come_with_standard_address_numbers_and_tax_number(s4, standardized):
    staged = standardized("CN", **s4).staged.to_pylist()
    rows = {row["source_key"]: row for row in staged}
    assert sorted(rows) == ["0000001", "0000002"]
    company = rows["0000001"]
    assert company["customer_type"] == "organization" and company["city"] == "上海市"
    assert company["name"].replace(" ", "") == "上海示例贸易有限公司"
    assert company["emails"] == ["kauf@example.com", "lager@example.com"]
    assert {"+8613800000001", "+8613800000002", "+862155550100"} == set(company["phones"])
    assert company["updated_at"] == datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
    assert "示例路" in company["address_line"] and "8号" in company["address_line"]
    person = rows["0000002"]
    assert (person["customer_type"], person["name"]) == ("person", "张伟")
    assert person["birth_date"] == date(1980, 2, 29) and person["status"] == "closed"
    assert person["updated_at"] == datetime(2020, 1, 1, 8, tzinfo=UTC)  # never changed since


def test_s4_is_asked_for_customers_and_mapped_fields_only(s4, home, server):
    manifest, rows = home.sync(home.config(**s4, api={"parameters": {"sap-client": "100"}}))
    assert {row["BusinessPartner"] for row in rows} == {"0000001", "0000002"}
    assert [(one.what, one.count) for one in manifest.skipped] == [("no customer", 1)]
    asked = server.asked[1]
    assert asked.query["sap-client"] == "100" and asked.query["$filter"] == "Customer ne ''"
    assert "SearchTerm1" not in asked.query["$select"]
    assert "to_BusinessPartnerAddress/to_MobilePhoneNumber" in asked.query["$expand"].split(",")
