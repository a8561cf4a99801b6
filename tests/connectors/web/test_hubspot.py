"""HubSpot through its API: properties that are there, pages by id, the same columns."""

import pytest

from onefold.errors import SourceError

PROPERTIES = ("firstname", "lastname", "email", "phone", "mobilephone", "company", "city", "zip")


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
        return self.reply({"category": "OBJECT_NOT_FOUND"}, 404)

    def listed(self, query):
        archived = query.get("archived") == "true"
        found = [one for one in self.objects if one["archived"] == archived]
        found = [one for one in found if int(one["id"]) > int(query.get("after", 0))]
        limit = int(query["limit"])
        if limit > 100:
            return self.reply({"category": "VALIDATION_ERROR"}, 400)
        page = found[:limit]
        body = {"results": [self.shown(one, query["properties"].split(",")) for one in page]}
        if len(found) > limit:
            body["paging"] = {"next": {"after": page[-1]["id"], "link": "https://x.invalid"}}
        return self.reply(body)

    def shown(self, one, names):
        properties = {name: one["properties"].get(name) for name in names}
        return {**one, "properties": properties}


def _contact(number, archived=False, **properties):
    return {
        "id": str(number),
        "createdAt": "2024-01-01T00:00:00Z",
        "updatedAt": "2025-01-01T00:00:00.5Z",
        "archived": archived,
        "properties": {"lastname": "Beispiel", **properties},
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
