"""HubSpot through its API: properties that are there, pages by id, the same columns."""

from datetime import UTC, datetime, timedelta

import pytest

from onefold.errors import SourceError

PROPERTIES = ["lastmodifieddate", "firstname", "lastname", "email", "phone", "mobilephone"]
PROPERTIES += ["company", "city", "zip"]


class HubSpot:
    """One account: properties, the list of objects."""

    def __init__(self, reply, objects):
        self.reply, self.objects = reply, objects

    def __call__(self, asked):
        if asked.headers.get("authorization") != "Bearer pat-1":
            return self.reply({"category": "INVALID_AUTHENTICATION", "message": "Ann"}, 401)
        if asked.path == "/crm/v3/properties/contacts":
            return self.reply({"results": [{"name": name} for name in PROPERTIES]})
        if asked.path == "/crm/v3/objects/contacts":
            return self.listed(asked.query)
        if asked.path == "/crm/v3/objects/contacts/search":
            return self.search(asked.json)
        if asked.path == "/crm/v3/objects/contacts/batch/read":
            ids = {one["id"] for one in asked.json["inputs"]}
            found = [one for one in self.objects if one["id"] in ids and not one["archived"]]
            shown = [self.shown(one, asked.json["properties"]) for one in found]
            return self.reply({"results": shown}, 200 if len(found) == len(ids) else 207)
        return self.reply({"category": "OBJECT_NOT_FOUND"}, 404)

    def listed(self, query):
        archived = query.get("archived") == "true"
        found = [one for one in self.objects if one["archived"] == archived]
        found = [one for one in found if int(one["id"]) > int(query.get("after", 0))]
        limit = int(query["limit"])
        if limit > 100:
            return self.reply({"category": "VALIDATION_ERROR"}, 400)
        page = found[:limit]
        body = {
            "results": [self.shown(one, query.get("properties", "").split(",")) for one in page]
        }
        if len(found) > limit:
            body["paging"] = {"next": {"after": page[-1]["id"], "link": "https://x.invalid"}}
        return self.reply(body)

    def search(self, body):
        """At most 10,000 results of one search, whatever its pages."""
        if int(body.get("after", 0)) + body["limit"] > MOST or body["limit"] > 200:
            return self.reply({"category": "VALIDATION_ERROR"}, 400)
        found = [one for one in self.objects if not one["archived"]]
        for test in body["filterGroups"][0]["filters"]:
            name, value = test["propertyName"], int(test["value"])
            sign = {"GTE": int.__ge__, "GT": int.__gt__, "LT": int.__lt__}[test["operator"]]
            found = [one for one in found if sign(_number(one, name), value)]
        assert body["sorts"] == [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
        found.sort(key=lambda one: int(one["id"]))
        start = int(body.get("after", 0))
        page = found[start : start + body["limit"]]
        after = {"paging": {"next": {"after": str(start + len(page))}}}
        shown = [self.shown(one, body["properties"]) for one in page]
        more = after if start + len(page) < len(found) else {}
        return self.reply({"total": len(found), "results": shown, **more})

    def shown(self, one, names):
        properties = {name: one["properties"].get(name) for name in names}
        return {**one, "properties": properties}


MOST = 10_000


def _number(one, name):
    if name == "hs_object_id":
        return int(one["id"])
    return int(datetime.fromisoformat(one["properties"][name]).timestamp() * 1000)


def _contact(number, archived=False, **properties):
    return {
        "id": str(number),
        "createdAt": "2024-01-01T00:00:00Z",
        "updatedAt": "2025-01-01T00:00:00.5Z",
        "archived": archived,
        "properties": {
            "lastname": "Beispiel",
            "lastmodifieddate": "2025-01-01T00:00:00.500Z",
            **properties,
        },
    }


@pytest.fixture
def hubspot(server, reply):
    objects = [_contact(n, city="Ulm", company="Nordwind GmbH") for n in range(1, 8)]
    objects[2]["properties"] |= {"firstname": "Ann", "email": "ann@example.com"}
    server.handle = HubSpot(reply, [*objects, _contact(9, archived=True)])
    auth = {"token": "pat-1"}
    api = {"auth": auth, "page_size": 3, "requests_per_second": 1000}
    return {"template": "hubspot_contacts", "url": server.url, "api": api}


def test_contacts_are_read_page_by_page_with_the_mapped_properties(hubspot, staged, server):
    found = staged("DE", **hubspot)
    assert sorted(found) == [str(n) for n in range(1, 8)]
    row = found["3"]
    assert (row["name"], row["emails"], row["employer_name"]) == (
        "Ann Beispiel",
        ["ann@example.com"],
        "Nordwind GmbH",
    )
    assert row["status"] == "active" and row["city"] == "Ulm"
    pages = [asked for asked in server.asked if asked.path.endswith("objects/contacts")]
    assert len(pages) == 3 and "date_of_birth" not in pages[0].query["properties"]


def test_wrong_token_is_said(hubspot, home):
    hubspot["api"]["auth"] = {"token": "pat-2"}
    with pytest.raises(SourceError, match="INVALID_AUTHENTICATION") as error:
        home.sync(home.config(**hubspot))
    assert "pat-2" not in str(error.value) and "Ann" not in str(error.value)


# -- what changed


def _stamp(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


@pytest.fixture
def source(hubspot, home):
    config = home.config(mode="cursor", **hubspot)
    manifest, _ = home.sync(config)
    return config, manifest


def test_search_gives_what_changed_and_the_archive_what_is_gone(source, server, home):
    config, manifest = source
    objects = server.handle.objects
    objects[0]["properties"] |= {"city": "Bonn", "lastmodifieddate": _stamp(datetime.now(UTC))}
    objects[1]["archived"] = True
    before = len(server.asked)
    _, rows = home.sync(config, manifest)
    assert sorted(row["id"] for row in rows) == ["1", "3", "4", "5", "6", "7"]
    assert {row["id"]: row["city"] for row in rows}["1"] == "Bonn"
    assert not [
        one for one in server.asked[before:] if one.query.get("archived") == "false"
    ]  # the list of all was not asked for


def test_search_beyond_its_limit_misses_nothing(source, server, home, monkeypatch):
    """Every record changed, more than one search gives; one changes again meanwhile."""
    monkeypatch.setattr("tests.connectors.web.test_hubspot.MOST", 10)
    monkeypatch.setitem(globals(), "MOST", 10)
    config, manifest = source
    stamp = _stamp(datetime.now(UTC))
    objects = [_contact(n, lastmodifieddate=stamp, city="Bonn") for n in range(1, 31)]
    server.handle.objects = objects
    search = server.handle.search

    def changing(body):
        objects[3]["properties"]["lastmodifieddate"] = _stamp(datetime.now(UTC))
        return search(body)

    server.handle.search = changing
    _, rows = home.sync(config, manifest)
    assert len(rows) == 30 and {row["city"] for row in rows} == {"Bonn"}


def test_comparison_reads_ids_and_then_what_is_not_known(source, server, home):
    config, manifest = source
    server.handle.objects.pop(2)  # merged into another one: not even archived
    server.handle.objects.append(_contact(8, lastmodifieddate="2020-01-01T00:00:00Z"))
    config = config.model_copy(update={"full_every": timedelta(0)})
    _, rows = home.sync(config, manifest)
    assert sorted(row["id"] for row in rows) == ["1", "2", "4", "5", "6", "7", "8"]
    assert [one.json["inputs"] for one in server.asked if one.path.endswith("/read")] == [
        [{"id": "8"}]
    ]
