"""REST services: every way of paging gives every record once, and what is wrong is said."""

import pytest

from onefold.errors import ConfigError, SourceError, SourceLayout, SourceUnreachable

PEOPLE = [{"id": n, "name": f"Sample {n}", "at": {"city": "Ulm"}} for n in range(1, 8)]


def _numbers(rows):
    return sorted(map(int, rows))


@pytest.fixture
def pages(server, reply):
    """Serve PEOPLE, three on a page, in one of the usual ways."""

    def serve(way, records=PEOPLE, most=3):
        def handle(asked):
            if way == "page":
                number = int(asked.query["p"])
                if number > 1 and (number - 1) * most >= len(records):
                    return reply({"detail": "Invalid page."}, 404)
                return reply({"data": records[(number - 1) * most : number * most]})
            start = int(asked.query.get("start") or 0)
            part, after = records[start : start + most], start + most
            there = after < len(records)
            if way == "offset":
                return reply({"items": part, "meta": {"total": len(records)}})
            if way == "next":
                link = f"/people?start={after}" if there else None
                return reply({"results": part, "links": {"next": link}})
            if way == "link":
                link = {"Link": f'<{server.url}/people?start={after}>; rel="next"'} if there else {}
                return reply(part, headers=link)
            if way == "token":
                return reply({"rows": part, "next": str(after) if there else ""})
            last = [record for record in records if record["id"] > start][:most]
            return reply({"data": last, "has_more": last[-1:] != records[-1:]})

        server.handle = handle
        return f"{server.url}/people"

    return serve


@pytest.mark.parametrize(
    ("way", "paging", "more"),
    [
        ("page", {"page": "p"}, {}),
        ("offset", {"offset": "start", "size": "limit"}, {"total": "meta.total", "page_size": 50}),
        ("offset", {"offset": "start"}, {"records": "items"}),
        ("next", {"next": "links.next"}, {}),
        ("link", "link", {}),
        ("link", None, {}),
        ("token", {"cursor": "start", "token": "next"}, {}),
        ("last", {"cursor": "start", "last": "id", "more": "has_more"}, {}),
    ],
)
def test_every_way_of_paging_gives_every_record_once(pages, read, way, paging, more):
    api = {**({"paging": paging} if paging else {}), **more}
    rows = read(pages(way), api=api)
    assert _numbers(rows) == list(range(1, 8))
    assert rows["3"]["name"] == "Sample 3" and rows["3"]["at.city"] == "Ulm"


def test_one_page_needs_no_paging_and_numbers_stay_as_written(server, reply, read):
    server.handle = lambda asked: reply(b'[{"id": 1.50, "name": "A", "vip": true, "x": null}]')
    (row,) = read(f"{server.url}/all").values()
    assert (row["id"], row["vip"], row["x"]) == ("1.50", "true", None)


@pytest.mark.parametrize("way", ["next", "token", "offset"])
def test_first_page_alone_is_never_taken_for_everything(pages, read, way):
    with pytest.raises(SourceLayout, match="there are more pages, and nothing says how") as error:
        read(pages(way))
    assert {"next": "links.next", "token": "next", "offset": "meta.total"}[way] in str(error.value)


def test_parameter_that_the_service_ignores_is_found_out(server, reply, read):
    server.handle = lambda asked: reply({"items": PEOPLE})
    with pytest.raises(SourceError, match="sends a page that it sent before") as error:
        read(f"{server.url}/people", api={"paging": {"page": "pgae"}})
    assert "api.paging in sources/customers.yml" in str(error.value)
    assert len(server.asked) == 3  # the page is asked for once more


def test_page_that_comes_again_by_accident_is_asked_for_again(pages, server, reply, read):
    url = pages("offset")
    server.faults[2] = reply({"items": PEOPLE[:3], "meta": {"total": 7}})
    rows = read(url, api={"paging": {"offset": "start"}, "total": "meta.total"})
    assert _numbers(rows) == list(range(1, 8))


def test_token_that_loops_is_an_error(server, reply, read):
    def handle(asked):
        token = {"": "a", "a": "b", "b": "a"}[asked.query.get("t", "")]
        return reply({"data": [{"id": len(server.asked), "name": "A"}], "next": token})

    server.handle = handle
    with pytest.raises(SourceError, match="the pages lead in a circle"):
        read(f"{server.url}/x", api={"paging": {"cursor": "t", "token": "next"}})


def test_record_that_moves_to_a_later_page_counts_once_in_its_newest_state(server, reply, read):
    def row(n, day):
        return {"id": n, "name": f"Sample {n}", "updated": f"2026-01-{day:02d}"}

    first, second = [row(1, 1), row(2, 2)], [row(3, 3), row(1, 9)]
    server.handle = lambda asked: reply({"data": {"1": first, "2": second}.get(asked.query["p"])})
    columns = {"name": "name", "updated_at": "updated"}
    rows = read(
        f"{server.url}/x", api={"paging": {"page": "p"}, "records": "data"}, columns=columns
    )
    assert _numbers(rows) == [1, 2, 3] and rows["1"]["updated"] == "2026-01-09"


def test_key_that_is_not_unique_loses_no_record(server, reply, read):
    server.handle = lambda asked: reply(
        [{"id": 1, "name": "Ann"}, {"id": 1, "name": "Bob"}, {"id": 1, "name": "Bob"}]
    )
    rows = read(f"{server.url}/x")
    assert sorted(row["name"] for row in rows.values()) == ["Ann", "Bob"]
    assert sum("the key occurs 2 times" in (row["_problem"] or "") for row in rows.values()) == 1


def test_fewer_records_than_the_total_are_not_taken_over(pages, server, reply, read, home):
    url = pages("offset")
    api = {"paging": {"offset": "start"}, "total": "meta.total"}
    server.faults[3] = reply({"items": PEOPLE[5:6], "meta": {"total": 7}})  # one is missing
    server.faults[4] = reply({"items": [], "meta": {"total": 7}})
    with pytest.raises(SourceUnreachable, match="fewer records came than the service says"):
        read(url, api=api)
    assert not list(home.lake.rglob("*.parquet"))


def test_record_deleted_while_the_others_are_read_is_no_loss(server, reply, read):
    totals = iter([3, 2, 2])

    def handle(asked):
        part = PEOPLE[:2] if asked.query["start"] == "0" else []
        return reply({"items": part, "total": next(totals)})

    server.handle = handle
    rows = read(f"{server.url}/x", api={"paging": {"offset": "start"}, "total": "total"})
    assert _numbers(rows) == [1, 2]


def test_lists_of_objects_are_read_as_declared(server, reply, read):
    record = {
        "id": 1,
        "name": "Ann",
        "phones": [{"no": "1"}, {"no": "2"}],
        "addresses": [{"city": "Ulm", "main": False}, {"city": "Bonn", "main": True}],
    }
    server.handle = lambda asked: reply([record])
    lists = {"addresses": {"prefer": {"main": "true"}}}
    row = read(f"{server.url}/x", lists=lists)["1"]
    assert (row["phones.no"], row["addresses.city"]) == ("1; 2", "Bonn")


def test_answer_without_a_list_names_what_it_has(server, reply, read):
    server.handle = lambda asked: reply(
        {"customers": [{"id": 1}], "extra": [{"id": 2}], "secret": "Ann"}
    )
    with pytest.raises(SourceLayout) as error:
        read(f"{server.url}/x")
    assert "found customers, extra, secret" in str(error.value) and "Ann" not in str(error.value)
    server.handle = lambda asked: reply({"data": {"list": [1, 2]}})
    with pytest.raises(SourceLayout, match=r"no list of records at 'data\.list'"):
        read(f"{server.url}/x", api={"records": "data.list"})


def test_parameters_and_headers_are_sent_beside_those_of_the_url(server, reply, read):
    server.handle = lambda asked: reply([{"id": 1, "name": "A"}])
    read(
        f"{server.url}/x?state=a%20b&page=9",
        api={"parameters": {"page": "1", "q": "x y&z"}, "headers": {"X-Tenant": "7"}},
    )
    (asked,) = server.asked
    assert asked.query == {"state": "a b", "page": "1", "q": "x y&z"}
    assert asked.headers["x-tenant"] == "7"


@pytest.mark.parametrize(
    ("api", "says"),
    [
        ({"pagin": {}}, "Did you mean 'paging'?"),
        ({"paging": {"curser": "a"}}, "Did you mean 'cursor'?"),
        ({"paging": {"page": "p", "offset": "o"}}, "api.paging: say one of next, link, page"),
        ({"paging": {"cursor": "after"}}, "cursor needs either 'token' or 'last'"),
        ({"auth": {"user": "a", "token": "b"}}, "found user, token"),
        ({"auth": {"client_id": "a"}}, "client_id needs client_secret"),
        ({"auth": {"client_id": "a", "client_secret": "b"}}, "needs 'token_url'"),
        ({"auth": {"key": "k"}}, "key needs either 'header' or 'parameter'"),
    ],
)
def test_wrong_settings_say_what_is_wrong(home, api, says):
    with pytest.raises(ConfigError) as error:
        home.config(connector="api", url="https://a.example", columns={"name": "n"}, api=api)
    assert says in str(error.value)


def test_address_must_be_of_the_web(home):
    with pytest.raises(ConfigError, match="needs 'url': https://HOST/PATH"):
        home.config(connector="api", url="ftp://a.example", columns={"name": "n"})
