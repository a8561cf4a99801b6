"""Salesforce through its API: the fields that are there, pages, lookups, the same columns."""

import copy
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.web import auth
from onefold.errors import SourceMissing

FIELDS = {
    "Account": {
        "Id": "id",
        "IsDeleted": "boolean",
        "Name": "string",
        "BillingStreet": "textarea",
        "BillingCity": "string",
        "BillingAddress": "address",
        "Phone": "phone",
        "Industry": "picklist",
        "CreatedDate": "datetime",
        "SystemModstamp": "datetime",
        "Score__c": "double",
    },
    "Contact": {
        "Id": "id",
        "IsDeleted": "boolean",
        "IsPersonAccount": "boolean",
        "LastName": "string",
        "FirstName": "string",
        "AccountId": "reference",
        "Email": "email",
        "MobilePhone": "phone",
        "Birthdate": "date",
        "SystemModstamp": "datetime",
    },
}
_SOQL = re.compile(r"SELECT (?P<fields>[\w.,]+) FROM (?P<object>\w+)(?: WHERE (?P<where>.+))?")


class Salesforce:
    """One organization: describe, query with its pages, tokens by client credentials."""

    def __init__(self, reply, objects, most=2):
        self.reply, self.objects, self.most = reply, objects, most
        self.token = "00D!t1"
        self.cursors = {}
        self.gone = []
        self.covered = None

    def __call__(self, asked):
        reply = self.reply
        if asked.path == "/services/oauth2/token":
            if asked.form.get("client_secret") != "geheim":
                return reply({"error": "invalid_client_id"}, 400)
            return reply({"access_token": self.token, "instance_url": "https://x.invalid"})
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return reply([{"errorCode": "INVALID_SESSION_ID", "message": "Ann"}], 401)
        parts = asked.path.removeprefix("/services/data/v62.0/").split("/")
        if parts[0] == "sobjects":
            return self.sobject(asked, *parts[1:])
        if parts == ["query"]:
            return self.query(asked.query["q"])
        if parts[0] == "query":
            return self.page(parts[1])
        return reply([{"errorCode": "NOT_FOUND"}], 404)

    def sobject(self, asked, name, what):
        if name not in FIELDS:
            return self.reply([{"errorCode": "NOT_FOUND"}], 404)
        if what == "deleted":
            return self.deleted(asked.query)
        fields = [
            {
                "name": field,
                "type": kind,
                "referenceTo": ["Account"] if kind == "reference" else [],
                "relationshipName": field.removesuffix("Id") if kind == "reference" else None,
            }
            for field, kind in FIELDS[name].items()
        ]
        return self.reply({"name": name, "fields": fields})

    def deleted(self, query):
        begin, end = (datetime.fromisoformat(query[name]) for name in ("start", "end"))
        if begin < datetime.now(UTC) - timedelta(days=30) or end - begin < timedelta(minutes=1):
            return self.reply([{"errorCode": "INVALID_REPLICATION_DATE", "message": "x"}], 400)
        found = [{"id": one, "deletedDate": f"{at}"} for one, at in self.gone if begin <= at <= end]
        return self.reply(
            {
                "deletedRecords": found,
                "earliestDateAvailable": "2020-01-01T00:00:00.000+0000",
                "latestDateCovered": f"{self.covered or end:%Y-%m-%dT%H:%M:%S}.000+0000",
            }
        )

    def query(self, soql):
        match = _SOQL.fullmatch(soql)
        if not match:
            return self.reply([{"errorCode": "MALFORMED_QUERY", "message": soql}], 400)
        names = match["fields"].split(",")
        if any("." not in name and name not in FIELDS[match["object"]] for name in names):
            return self.reply([{"errorCode": "INVALID_FIELD", "message": soql}], 400)
        rows = [row for row in self.objects[match["object"]] if not row.get("IsDeleted")]
        for part in (match["where"] or "").split(" AND "):
            rows = [row for row in rows if not part or _holds(row, part[1:-1])]
        number = f"01g{len(self.cursors)}"
        self.cursors[number] = (names, rows)
        return self.page(f"{number}-0")

    def page(self, locator):
        number, _, start = locator.partition("-")
        names, rows = self.cursors[number]
        start = int(start)
        part, after = rows[start : start + self.most], start + self.most
        done = after >= len(rows)
        body = {
            "totalSize": len(rows),
            "done": done,
            "records": [self.shown(row, names) for row in part],
        }
        if not done:
            body["nextRecordsUrl"] = f"/services/data/v62.0/query/{number}-{after}"
        return self.reply(body)

    def shown(self, row, names):
        shown = {"attributes": {"type": "x", "url": "/x"}}
        for name in names:
            first, _, rest = name.partition(".")
            if not rest:
                shown[name] = row.get(name)
                continue
            parent = next((a for a in self.objects["Account"] if a["Id"] == row["AccountId"]), None)
            shown[first] = parent and {"attributes": {"type": first}, rest: parent.get(rest)}
        return shown


def _holds(row, condition):
    name, sign, value = re.fullmatch(r"(\w+) (=|>=|<|IN) (.+)", condition).groups()
    own = str(row.get(name))
    if sign == "IN":
        return f"'{own}'" in value.strip("()").split(",")
    if "T" in value and value.endswith("Z"):
        own = own.replace(".000+0000", "Z")
    return {
        "=": own == value.strip("'"),
        ">=": own >= value,
        "<": own < value,
    }[sign]


OBJECTS = {
    "Account": [
        {
            "Id": f"001A000000000{n}aIAA",
            "Name": f"Sample Robotics {n}, Inc.",
            "BillingStreet": "1 Sample Road\nSuite 5",
            "BillingCity": "Hartford",
            "Phone": "(860) 555-0100",
            "Score__c": 1.5,
            "IsDeleted": n == 5,
            "CreatedDate": "2020-01-01T08:00:00.000+0000",
            "SystemModstamp": "2024-02-03T04:05:06.000+0000",
        }
        for n in range(1, 6)
    ],
    "Contact": [
        {
            "Id": "003A0000000001aIAA",
            "LastName": "Beispiel",
            "FirstName": "Bob",
            "AccountId": "001A0000000001aIAA",
            "Email": "bob@example.com",
            "MobilePhone": "+49 1512 3456789",
            "Birthdate": "1990-03-07",
            "IsPersonAccount": False,
            "SystemModstamp": "2024-02-03T04:05:06.000+0000",
        },
        {"Id": "003A0000000002aIAA", "LastName": "Muster", "AccountId": None, "IsPersonAccount": 1},
    ],
}
OBJECTS["Contact"][1]["IsPersonAccount"] = True


@pytest.fixture
def salesforce(server, reply, monkeypatch):
    monkeypatch.setattr(auth, "_tokens", {})
    server.handle = Salesforce(reply, copy.deepcopy(OBJECTS))
    return {
        "url": server.url,
        "api": {"auth": {"client_id": "onefold", "client_secret": "geheim"}},
    }


def test_accounts_are_read_with_the_columns_that_the_organization_has(salesforce, staged, server):
    found = staged("US", template="salesforce_accounts", **salesforce)
    assert sorted(found) == [f"001A000000000{n}aIAA" for n in range(1, 5)]
    row = found["001A0000000001aIAA"]
    assert (row["name"], row["customer_type"], row["city"]) == (
        "Sample Robotics 1, Inc.",
        "organization",
        "Hartford",
    )
    assert row["phones"] == ["+18605550100"]
    query = next(asked.query["q"] for asked in server.asked if "q" in asked.query)
    assert "Score__c" not in query and "BillingAddress" not in query


def test_contact_comes_with_its_account_and_person_accounts_do_not(salesforce, staged):
    found = staged("US", template="salesforce_contacts", **salesforce)
    assert list(found) == ["003A0000000001aIAA"]
    row = found["003A0000000001aIAA"]
    assert (row["name"], row["birth_date"]) == ("Bob Beispiel", date(1990, 3, 7))
    assert row["employer_name"] == "Sample Robotics 1, Inc."
    assert row["emails"] == ["bob@example.com"] and row["phones"] == ["+4915123456789"]


def test_own_field_is_read_where_a_column_names_it(salesforce, home):
    config = home.config(
        template="salesforce_accounts", columns={"attributes.score": "Score__c"}, **salesforce
    )
    _, rows = home.sync(config)
    assert {row["Score__c"] for row in rows} == {"1.5"}


def test_condition_of_soql_says_which_records(salesforce, home):
    salesforce["api"]["filter"] = "Name = 'Sample Robotics 3, Inc.'"
    _, rows = home.sync(home.config(template="salesforce_accounts", **salesforce))
    assert [row["_source_key"] for row in rows] == ["001A0000000003aIAA"]


def test_object_without_a_template_is_read_with_all_its_fields(salesforce, home):
    settings = {**salesforce, "api": {"kind": "salesforce", "object": "Account"}}
    settings["api"]["auth"] = salesforce["api"]["auth"]
    config = home.config(connector="api", columns={"name": "Name"}, key="Id", **settings)
    _, rows = home.sync(config)
    assert {"Score__c", "Industry"} <= set(rows[0]) and "BillingAddress" not in rows[0]


def test_object_that_is_not_there_is_said(salesforce, home):
    settings = {**salesforce, "api": {**salesforce["api"], "object": "Kunde__c"}}
    with pytest.raises(SourceMissing, match="no object 'Kunde__c'"):
        home.sync(home.config(template="salesforce_accounts", **settings))


# -- what changed


def _stamp(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"


@pytest.fixture
def source(salesforce, home):
    config = home.config(template="salesforce_accounts", mode="cursor", **salesforce)
    manifest, _ = home.sync(config)
    return config, manifest


def test_changes_come_by_the_stamp_and_deletes_from_their_list(source, server, home):
    config, manifest = source
    accounts, now = server.handle.objects["Account"], datetime.now(UTC)
    accounts[0] |= {"Name": "Changed, Inc.", "SystemModstamp": _stamp(now)}
    accounts[1]["IsDeleted"] = True
    server.handle.gone = [(accounts[1]["Id"], now - timedelta(minutes=1))]
    before = len(server.asked)
    manifest, rows = home.sync(config, manifest)
    found = {row["_source_key"]: row for row in rows}
    assert sorted(found) == [f"001A000000000{n}aIAA" for n in (1, 3, 4)]
    assert found["001A0000000001aIAA"]["Name"] == "Changed, Inc."
    queries = [asked.query["q"] for asked in server.asked[before:] if "q" in asked.query]
    assert len(queries) == 1 and "(SystemModstamp >= 2024-02-03T03:55:06Z)" in queries[0]


def test_deletes_are_asked_for_from_where_their_list_ended(source, server, home):
    config, manifest = source
    covered = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    server.handle.covered = covered
    manifest, _ = home.sync(config, manifest)
    server.handle.objects["Account"][0] |= {"SystemModstamp": _stamp(datetime.now(UTC))}
    manifest, _ = home.sync(config, manifest)
    home.sync(config, manifest)
    asked = [one for one in server.asked if one.path.endswith("/deleted")][-1]
    assert datetime.fromisoformat(asked.query["start"]) == covered - timedelta(minutes=10)


def test_list_of_deletes_that_ends_too_soon_means_reading_everything(
    source, server, home, monkeypatch
):
    config, manifest = source
    server.handle.deleted = lambda query: server.handle.reply(
        [{"errorCode": "INVALID_REPLICATION_DATE"}], 400
    )
    server.handle.objects["Account"].pop(2)
    _, rows = home.sync(config, manifest)
    assert len(rows) == 3


def test_comparison_reads_ids_and_then_what_is_not_known(source, server, home):
    config, manifest = source
    accounts = server.handle.objects["Account"]
    accounts[3] |= {"Id": "001A0000000007aIAA", "SystemModstamp": "2020-01-01T00:00:00.000+0000"}
    config = config.model_copy(update={"full_every": timedelta(0)})
    before = len(server.asked)
    _, rows = home.sync(config, manifest)
    assert sorted(row["Id"][13] for row in rows) == ["1", "2", "3", "7"]
    queries = [asked.query["q"] for asked in server.asked[before:] if "q" in asked.query]
    assert queries[1] == "SELECT Id,SystemModstamp FROM Account"
    assert queries[2].endswith("WHERE (Id IN ('001A0000000007aIAA'))")
