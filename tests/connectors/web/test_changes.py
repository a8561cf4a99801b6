"""Only what changed is asked for, deletes are found, and the snapshot is as if all were read."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from connectors import snapshot
from onefold.errors import ConfigError, SourceLayout
from tests.connectors.web.odata_service import Service

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)


def _at(minutes):
    return (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def follow(home):
    """Sync again and again; each time the rows by key, and what a whole reading would give."""

    class Source:
        def __init__(self, **settings):
            self.config = home.config(**settings)
            self.manifest = None

        def sync(self):
            self.manifest, rows = home.sync(self.config, self.manifest)
            return {row["_source_key"]: row for row in rows}

        def whole(self):
            _, rows = home.sync(self.config)
            return {row["_source_key"]: row for row in rows}

        @property
        def mark(self):
            return snapshot.progress(home.lake, self.manifest).mark

    return Source


def _plain(rows):
    """Rows without what they lack: a whole reading may know of fewer columns."""
    return {key: {n: v for n, v in row.items() if v is not None} for key, row in rows.items()}


# -- REST


@pytest.fixture
def shop(server, reply):
    """Records, deletes, and a service that gives both since a moment."""

    class Shop:
        def __init__(self):
            self.records = {
                n: {"id": n, "name": f"N{n}", "changed": _at(n), "tel": None} for n in range(1, 9)
            }
            self.gone = {}

        def __call__(self, asked):
            since = asked.query.get("since", "")
            start = int(asked.query.get("start", 0))
            if asked.path == "/deleted":
                gone = [n for n, at in self.gone.items() if at >= since]
                return reply([{"customer": {"id": n}} for n in gone[start : start + 3]])
            found = [r for r in self.records.values() if r["changed"] >= since]
            return reply({"data": found[start : start + 3], "total": len(found)})

    server.handle = Shop()
    return server.handle


def _shop(server, **more):
    return {
        "connector": "api",
        "url": f"{server.url}/customers",
        "key": "id",
        "columns": {"name": "name"},
        "mode": "cursor",
        "cursor": "changed",
        "api": {
            "paging": {"offset": "start"},
            "total": "total",
            "since": "since",
            "deletions": {"path": "/deleted", "since": "since", "key": "customer.id"},
        },
        **more,
    }


def test_rest_is_asked_for_what_changed_and_what_was_deleted(shop, server, follow):
    source = follow(**_shop(server))
    assert len(source.sync()) == 8
    shop.records[2] |= {"name": "New", "changed": _at(20)}
    shop.records[9] = {"id": 9, "name": "N9", "changed": _at(21)}
    del shop.records[4]
    shop.gone = {4: _at(9999), 99: _at(9999)}
    before = len(server.asked)
    rows = source.sync()
    assert sorted(rows) == ["1", "2", "3", "5", "6", "7", "8", "9"]
    assert rows["2"]["name"] == "New" and _plain(rows) == _plain(source.whole())
    asked = [one for one in server.asked[before:] if "since" in one.query]
    assert {one.path for one in asked} == {"/customers", "/deleted"}
    assert asked[0].query["since"] == _at(8 - 10)  # the highest cursor less the overlap
    listed = datetime.fromisoformat(asked[-1].query["since"])  # the last sync less the overlap
    assert timedelta(minutes=10) <= datetime.now(UTC) - listed <= timedelta(minutes=12)


def test_record_that_comes_back_is_there_though_its_delete_is_listed(shop, server, follow):
    source = follow(**_shop(server))
    source.sync()
    shop.records[4]["changed"] = _at(30)
    shop.gone = {4: _at(9999)}
    assert "4" in source.sync()


def test_nothing_new_changes_nothing(shop, server, follow):
    source = follow(**_shop(server))
    source.sync()
    first = source.manifest
    source.sync()
    assert source.manifest == first


def test_record_that_changes_while_others_are_read_is_read_again(shop, server, follow):
    """The clock of the service is an hour behind ours, and the record's stamp is by it."""
    answer, skew = shop.__call__, -3600
    done = []

    def handle(asked):
        made = answer(asked)
        made.clock = skew
        if asked.query.get("start") == "6" and not done:
            done.append(1)
            now = datetime.now(UTC) + timedelta(seconds=skew + 2)
            shop.records[1] |= {"name": "Late", "changed": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
            later = now + timedelta(minutes=5)
            shop.records[8]["changed"] = f"{later:%Y-%m-%dT%H:%M:%SZ}"  # a clock that is wrong
        return made

    server.handle = handle
    source = follow(**_shop(server))
    assert source.sync()["1"]["name"] == "N1"
    assert source.sync()["1"]["name"] == "Late"


def test_record_from_the_future_hides_nothing_and_is_said(shop, server, follow):
    shop.records[5]["changed"] = "2999-01-01T00:00:00Z"
    source = follow(**_shop(server))
    source.sync()
    assert any("lies in the future" in note for note in source.manifest.notes)
    shop.records[6] |= {"name": "New", "changed": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    assert source.sync()["6"]["name"] == "New"


def test_deletes_that_nothing_lists_are_found_when_all_is_read(shop, server, follow):
    settings = _shop(server, full_every="1m")
    settings["api"].pop("deletions")
    source = follow(**settings)
    source.sync()
    del shop.records[3]
    assert "3" in source.sync()
    # As if the minute were over.
    source.config = source.config.model_copy(update={"full_every": timedelta(0)})
    assert "3" not in source.sync()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"api": {}}, "mode cursor needs 'api.since'"),
        ({"mode": "changes"}, "kind rest of an api has the modes snapshot and cursor"),
        ({"overlap": "1000"}, "'overlap' of an api is a length of time"),
        ({"api": {"since": {"parameter": "a", "value": "x"}}}, "'value' needs '{}' once"),
        ({"api": {"changes": {"token": "next"}}}, "token needs 'parameter'"),
        ({"api": {"changes": {"link": "a", "token": "b"}}}, "say either 'link' or 'token'"),
        (
            {
                "api": {
                    "since": "a",
                    "deletions": {"key": "k", "since": {"parameter": "b", "form": "number"}},
                }
            },
            "need 'since' with form number",
        ),
        ({"mode": "files"}, "has the modes"),
    ],
)
def test_settings_that_do_not_fit_say_so(home, more, says):
    class Nowhere:
        url = "https://a.example"

    with pytest.raises(ConfigError) as error:
        home.config(**_shop(Nowhere, **more))
    assert says in str(error.value)


@pytest.fixture
def ledger(server, reply):
    """Records and deletes with numbers of changes, which only grow."""

    class Ledger:
        def __init__(self):
            self.records = {n: {"id": n, "name": f"N{n}", "version": n} for n in range(97, 103)}
            self.gone = {}

        def __call__(self, asked):
            since = int(asked.query.get("from", 0))
            if asked.path == "/deleted":
                return reply([{"id": n} for n, version in self.gone.items() if version >= since])
            return reply([r for r in self.records.values() if r["version"] >= since])

    server.handle = Ledger()
    by_number = {"parameter": "from", "form": "number"}
    deletions = {"path": "/deleted", "since": by_number, "key": "id"}
    api = {"since": by_number, "deletions": deletions}
    return server.handle, _shop(server, cursor="version", api=api)


def test_cursor_of_numbers_is_asked_by_its_order_as_numbers(ledger, server, follow):
    service, settings = ledger
    source = follow(**settings)
    source.sync()
    service.records[97] |= {"name": "New", "version": 104}
    del service.records[98]
    service.gone[98] = 103
    before = len(server.asked)
    rows = source.sync()
    # 102 and not 99, which is greater as a text.
    assert [one.query["from"] for one in server.asked[before:]] == ["102", "102"]
    assert rows["97"]["name"] == "New" and "98" not in rows
    assert _plain(rows) == _plain(source.whole())
    assert not source.manifest.notes


def test_overlap_of_numbers_is_a_number(ledger, server, follow):
    source = follow(**ledger[1], overlap="5")
    source.sync()
    source.sync()
    assert server.asked[-2].query["from"] == "97"
    wrong = follow(**ledger[1], overlap="10m")
    wrong.sync()
    with pytest.raises(ConfigError, match="needs a number, such as 1000"):
        wrong.sync()


def test_cursor_that_is_no_moment_is_said(ledger, server, follow):
    settings = ledger[1]
    settings["api"] = {"since": "from"}
    source = follow(**settings)
    source.sync()
    assert "no 'version' is a moment: every sync reads everything" in source.manifest.notes


@pytest.fixture(params=["token", "link"])
def feed(request, server, reply):
    """A service whose last page says how to ask for what changed since; deletes come among it."""

    class Feed:
        def __init__(self):
            self.records = {n: {"id": n, "name": f"N{n}"} for n in range(1, 6)}
            self.log = []
            self.oldest = 0

        def __call__(self, asked):
            start, token = int(asked.query.get("start", 0)), asked.query.get("sync")
            if token is not None and int(token) < self.oldest:
                return reply({"error": "token expired"}, 410)
            found = list(self.records.values())
            if token is not None:
                keys = dict.fromkeys(self.log[int(token) :])
                found = [self.records.get(n, {"id": n, "state": "gone"}) for n in keys]
            page = {"items": found[start : start + 2], "total": len(found)}
            if start + 2 >= len(found):
                page["sync"] = len(self.log)
                page["link"] = f"http://internal.invalid{asked.path}?sync={len(self.log)}"
            return reply(page)

    server.handle = Feed()
    way = {"token": "sync", "parameter": "sync"} if request.param == "token" else {"link": "link"}
    api = {"paging": {"offset": "start"}, "total": "total", "changes": way}
    settings = _shop(server, mode="changes", api=api, deleted={"column": "state", "values": "gone"})
    settings.pop("cursor")
    return server.handle, settings


def test_changes_after_an_answer_are_asked_for_as_it_says(feed, server, follow):
    service, settings = feed
    source = follow(**settings)
    assert len(source.sync()) == 5
    service.records[2]["name"] = "New"
    del service.records[4]
    service.records[9] = {"id": 9, "name": "N9"}
    service.log += [2, 4, 9]
    before = len(server.asked)
    rows = source.sync()
    assert sorted(rows) == ["1", "2", "3", "5", "9"] and rows["2"]["name"] == "New"
    assert [one.query.get("sync") for one in server.asked[before:]] == ["0", "0"]
    service.records[9]["name"] = "Again"
    service.log += [9]
    assert source.sync()["9"]["name"] == "Again"
    assert server.asked[-1].query["sync"] == "3"


def test_token_that_expired_means_reading_everything(feed, follow):
    service, settings = feed
    source = follow(**settings)
    source.sync()
    del service.records[1]
    service.oldest = 7
    assert sorted(source.sync()) == ["2", "3", "4", "5"]


def test_answer_without_the_declared_token_is_said(feed, follow):
    _, settings = feed
    settings["api"]["changes"] = {"link": "nowhere.next"}
    with pytest.raises(SourceLayout, match=r"nothing at nowhere\.next on the last page"):
        follow(**settings).sync()


# -- OData

KINDS = {
    "Customer": {
        "Id": "Edm.String",
        "Name": "Edm.String",
        "Kind": "Edm.String",
        "Made": "Edm.DateTimeOffset",
        "Changed": "Edm.DateTimeOffset",
    }
}


@pytest.fixture(params=[2, 4])
def service(request, server):
    records = [
        {"Id": f"C{n}", "Name": f"N{n}", "Kind": "A", "Made": _at(n), "Changed": _at(n)}
        for n in range(1, 9)
    ]
    made = Service(request.param, KINDS, ["Id"], records, most=3)
    server.handle = made
    return made


def _odata(server, **more):
    return {
        "connector": "api",
        "url": f"{server.url}/srv/Customers",
        "key": "Id",
        "columns": {"name": "Name"},
        "mode": "cursor",
        "cursor": "Changed",
        "api": {"kind": "odata", "page_size": 3, "filter": "Kind eq 'A'"},
        **more,
    }


def _record(service, key):
    return next(record for record in service.records if record["Id"] == key)


def test_odata_is_asked_by_the_cursor_and_within_the_filter(service, server, follow):
    source = follow(**_odata(server))
    source.sync()
    _record(service, "C2").update(Name="New", Changed=_at(9 * 1440))
    service.records.append({"Id": "C9", "Name": "N9", "Kind": "A", "Changed": None})
    service.records.append({"Id": "X1", "Name": "X", "Kind": "B", "Changed": _at(9 * 1440)})
    before = len(server.asked)
    rows = source.sync()
    assert len(rows) == 9 and rows["C2"]["Name"] == "New" and "X1" not in rows
    assert rows == source.whole()
    filters = [one.query["$filter"] for one in server.asked[before:] if "$filter" in one.query]
    assert filters[0].startswith("(Kind eq 'A') and (Changed ge ")


def test_empty_cursor_is_asked_by_when_the_record_was_made(service, server, follow):
    settings = _odata(server)
    settings["api"]["created"] = "Made"
    for record in service.records:
        record["Changed"] = None
    source = follow(**settings)
    source.sync()
    service.records.append({"Id": "C9", "Name": "N9", "Kind": "A", "Made": _at(4000)})
    assert "C9" in source.sync()
    condition = next(o.query["$filter"] for o in server.asked if "Made ge" in str(o.query))
    assert "(Changed eq null and Made ge " in condition


def test_odata_is_asked_by_a_cursor_of_numbers(service, server, follow):
    service.kinds = {"Customer": {**KINDS["Customer"], "Version": "Edm.Int64"}}
    for number, record in enumerate(service.records, 95):
        record["Version"] = number
    source = follow(**_odata(server, cursor="Version"))
    source.sync()
    _record(service, "C2").update(Name="New", Version=103)
    before = len(server.asked)
    rows = source.sync()
    assert rows["C2"]["Name"] == "New" and rows == source.whole()
    filters = [one.query["$filter"] for one in server.asked[before:] if "$filter" in one.query]
    assert filters[0].startswith("(Kind eq 'A') and (Version ge 102")


def test_comparison_finds_deletes_and_late_records_by_their_keys(service, server, follow):
    source = follow(**_odata(server))
    source.sync()
    service.records = [record for record in service.records if record["Id"] != "C3"]
    late = (START - timedelta(days=300)).strftime("%Y-%m-%dT%H:%M:%SZ")
    service.records.append({"Id": "L1", "Name": "Late", "Kind": "A", "Made": late, "Changed": late})
    rows = source.sync()
    assert "C3" in rows and "L1" not in rows
    source.config = source.config.model_copy(update={"full_every": timedelta(0)})
    before = len(server.asked)
    rows = source.sync()
    assert "C3" not in rows and rows["L1"]["Name"] == "Late" and rows == source.whole()
    selected = [o.query.get("$select") for o in server.asked[before:] if o.path.endswith("ers")]
    assert "Id,Changed" in selected


def test_zone_of_a_cursor_without_one_is_that_of_the_source(server, follow):
    kinds = {"Customer": {**KINDS["Customer"], "Changed": "Edm.DateTime"}}
    record = {"Id": "C1", "Name": "N", "Kind": "A", "Changed": "2026-01-31T08:00:00"}
    server.handle = Service(2, kinds, ["Id"], [record])
    source = follow(**_odata(server, time_zone="Asia/Shanghai", overlap="1h"))
    source.sync()
    before = len(server.asked)
    source.sync()
    asked = next(o.query["$filter"] for o in server.asked[before:] if "Changed" in str(o.query))
    assert "Changed ge datetime'2026-01-31T07:00:00'" in asked


@pytest.fixture
def tracked(server):
    """A service with change tracking."""
    service = Service(4, KINDS, ["Id"], [], most=3)
    service.tracked = True
    service.records = [
        {"Id": f"C{n}", "Name": f"N{n}", "Kind": "A", "Changed": _at(n)} for n in range(1, 9)
    ]
    server.handle = service
    settings = _odata(server, mode="changes")
    settings.pop("cursor")
    settings["api"] = {"kind": "odata"}
    return service, settings


def test_tracked_changes_bring_new_changed_and_deleted_records(tracked, server, follow):
    service, settings = tracked
    source = follow(**settings)
    assert len(source.sync()) == 8
    _record(service, "C2")["Name"] = "New"
    service.records = [record for record in service.records if record["Id"] != "C5"]
    service.records.append({"Id": "C9", "Name": "N9"})
    service.log += [(0, "C2"), (0, "C5"), (0, "C9")]
    rows = source.sync()
    assert rows["C2"]["Name"] == "New" and "C5" not in rows and "C9" in rows
    assert rows == source.whole()
    service.log += [(0, "C9")]
    _record(service, "C9")["Name"] = "Again"
    assert source.sync()["C9"]["Name"] == "Again"
    links = [one for one in server.asked if "$deltatoken" in one.query]
    assert [one.query["$deltatoken"] for one in links] == ["0", "3"]


def test_address_of_changes_that_expired_means_reading_everything(tracked, follow):
    service, settings = tracked
    source = follow(**settings)
    source.sync()
    service.expired = True
    service.records = service.records[:6]
    assert len(source.sync()) == 6


def test_tracking_that_is_off_is_said(tracked, follow):
    service, settings = tracked
    service.tracked = False
    with pytest.raises(SourceLayout, match="does not say where changes are") as error:
        follow(**settings).sync()
    assert "mode: cursor" in str(error.value)


def test_mark_is_that_of_the_service_when_it_began(shop, server, follow):
    source = follow(**_shop(server))
    shop.records[8]["changed"] = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    source.sync()
    assert datetime.fromisoformat(source.mark.split('"')[3]).timestamp() <= time.time() + 1
