"""The queue and a case: what everybody sees of them, and what a steward says."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from review.routes import cases as routes
from warehouse import audit, cases, judgements, staged_records
from warehouse.cases import Filter
from warehouse.engine import Warehouse
from warehouse.tables import staged_customer

pytestmark = pytest.mark.demo_home

Client = Callable[..., TestClient]
Posted = Callable[..., Any]
LINKED = re.compile(r'<th scope="row"><a href="/cases/(C\w+)')


def row(wh: Warehouse, **wanted: Any) -> cases.Row:
    """The first case of the queue that is like that."""
    return next(
        one
        for one in cases.queue(wh, limit=500).rows
        if all(getattr(one, name) == value for name, value in wanted.items())
    )


@pytest.fixture
def judged(client: Client) -> Posted:
    """``judged(row, kind, login=..., **form)``: posts an answer as a steward."""

    def post(one: cases.Row, kind: str, login: str = "steward", **form: str) -> Any:
        sent = {"kind": kind, "version": str(one.version), **form}
        return client("steward", login=login).post(f"/cases/{one.case_id}/judge", data=sent)

    return post


# ---------------------------------------------------------------- what is shown
def test_a_viewer_reads_no_personal_value_of_any_case(
    client: Client, wh: Warehouse, reading: Any
) -> None:
    viewer = client("viewer")
    pages = reading.all_of(viewer.get("/cases").text)
    checked = 0
    for one in cases.queue(wh, limit=500).rows:
        hidden = reading.secrets(cases.get(wh, one.case_id).members)
        text = pages + reading.all_of(viewer.get(f"/cases/{one.case_id}").text)
        assert not [value for value in hidden if value in text]
        checked += len(hidden)
    assert checked > 50


def test_a_steward_reads_every_value_of_a_case(client: Client, wh: Warehouse, reading: Any) -> None:
    one = row(wh, kind="merge")
    text = reading.text_of(client("steward").get(f"/cases/{one.case_id}").text)
    for member in cases.get(wh, one.case_id).members:
        for value in (member["name"], member["address_line"], *(member["phones"] or [])):
            assert value is None or value in text


def test_only_stewards_are_offered_answers(client: Client, wh: Warehouse) -> None:
    path = f"/cases/{row(wh).case_id}"
    assert 'data-key="a"' in client("steward").get(path).text
    assert 'data-key="a"' in client("admin").get(path).text
    assert 'data-key="a"' not in client("viewer").get(path).text


def test_parts_of_a_customer_stand_together_and_are_named(client: Client, wh: Warehouse) -> None:
    one = row(wh, kind="split")
    page = client("steward").get(f"/cases/{one.case_id}").text
    parts = re.findall(r'<span class="badge info">(part \d)</span>', page)
    assert len(parts) == one.record_count
    assert parts == sorted(parts)
    assert len(set(parts)) == 2


# ---------------------------------------------------------------- the queue
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("kind=split", Filter(kind="split")),
        ("type=person", Filter(customer_type="person")),
        ("source=erp", Filter(source="erp")),
        ("band=4", Filter(band=4)),
        ("kind=merge&type=organization&source=crm", Filter("merge", "organization", "crm")),
        ("assignee=nobody", Filter(assignee="nobody")),
        ("days=7", None),
        ("state=decided", None),
    ],
)
def test_a_filter_shows_its_cases_and_no_others(
    client: Client, wh: Warehouse, query: str, wanted: Filter | None
) -> None:
    page = client("steward").get(f"/cases?{query}").text
    linked = LINKED.findall(page)
    rows = cases.queue(wh, wanted, limit=500).rows if wanted else []
    assert linked == [one.case_id for one in rows]
    assert linked or 'class="empty"' in page


def test_paging_over_the_whole_queue_gives_every_case_once(
    client: Client, wh: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "PAGE", 2)
    steward = client("steward")
    path, seen, pages = "/cases", [], 0
    while path:
        page = steward.get(path).text
        seen += LINKED.findall(page)
        path = "".join(re.findall(r'href="([^"]*)" rel="next"', page))
        pages += 1
    assert seen == [one.case_id for one in cases.queue(wh, limit=500).rows]
    assert pages == -(-len(seen) // 2) > 2


@pytest.mark.parametrize(
    "query", ["band=x", "days=-1", "state=foo", "kind=a%27--", "after=zz", "after=nan~C1"]
)
def test_nonsense_in_the_address_is_not_asked(client: Client, query: str) -> None:
    assert client("viewer").get(f"/cases?{query}").status_code == 200


@pytest.mark.parametrize(
    "path", ["/cases/C0", "/judgements/J9", "/customers/G9", "/judgements/%20"]
)
def test_what_is_not_there_is_404_with_a_way_back(client: Client, path: str) -> None:
    answer = client("steward").get(path)
    assert answer.status_code == 404
    assert 'class="button' in answer.text.partition("<main")[2]


# ---------------------------------------------------------------- deciding
@pytest.mark.parametrize(
    ("act", "said"),
    [("judge", {"kind": "link"}), ("mark", {"state": "skipped"}), ("pinned", {"kind": "keep"})],
)
def test_who_answers_a_case_that_a_run_settled_is_told_so_and_led_on(
    client: Client, act: str, said: dict[str, str]
) -> None:
    answer = client("steward").post(f"/cases/C0/{act}?kind=merge", data={**said, "version": "0"})
    assert answer.status_code == 409
    assert "This case is settled" in answer.text
    assert 'href="/cases/next?kind=merge"' in answer.text


def test_a_case_whose_records_left_their_sources_is_shown_until_the_next_publish(
    client: Client, wh: Warehouse
) -> None:
    (row,) = cases.queue(wh, limit=1).rows
    gone = [one["record_id"] for one in cases.get(wh, row.case_id).members]
    with wh.write() as connection:
        connection.execute(sa.delete(staged_customer).where(staged_customer.c.record_id.in_(gone)))
    assert client("steward").get(f"/cases/{row.case_id}").status_code == 200
    assert client("steward").get(f"/customers/{row.golden_ids[0]}").status_code == 200


def test_an_answer_leads_to_the_next_case_and_can_be_undone(
    wh: Warehouse, judged: Posted, client: Client
) -> None:
    first, second = cases.queue(wh, limit=2).rows
    answer = judged(first, "link")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{second.case_id}")
    made = judgements.listed(wh)[0]
    assert (made["case_id"], made["kind"], made["judged_by"]) == (first.case_id, "link", "steward")
    steward = client("steward")
    assert steward.get("/judgements/last").headers["location"].endswith(made["judgement_id"])
    steward.post(f"/judgements/{made['judgement_id']}/undo")
    assert cases.row(wh, first.case_id).state == "open"
    assert steward.get("/judgements/last").headers["location"] == "/judgements"


def test_the_next_case_keeps_to_the_filter(wh: Warehouse, client: Client) -> None:
    first, second = cases.queue(wh, Filter(customer_type="person"), limit=2).rows
    answer = client("steward").post(
        f"/cases/{first.case_id}/judge?type=person",
        data={"kind": "no_link", "version": str(first.version)},
    )
    assert answer.headers["location"] == f"/cases/{second.case_id}?type=person"


def test_groups_are_taken_as_given(wh: Warehouse, judged: Posted) -> None:
    one = next(one for one in cases.queue(wh, limit=500).rows if one.record_count > 2)
    records = sorted(member["record_id"] for member in cases.get(wh, one.case_id).members)
    form = {f"group:{record}": "1" for record in records} | {f"group:{records[-1]}": "2"}
    assert judged(one, "groups", **form).status_code == 303
    made = judgements.get(wh, judgements.listed(wh)[0]["judgement_id"])
    assert sorted(map(sorted, made["groups"])) == sorted([records[:-1], records[-1:]])


def test_who_answers_what_somebody_else_answered_is_told(wh: Warehouse, judged: Posted) -> None:
    one = row(wh)
    judged(one, "link", login="li.na")
    late = judged(one, "no_link", login="wang")
    assert late.status_code == 409
    assert [made["judged_by"] for made in judgements.listed(wh)] == ["li.na"]


@pytest.mark.parametrize("version", ["", "7", "x", "-1", "9" * 30])
def test_an_answer_to_another_version_is_refused(
    wh: Warehouse, client: Client, version: str
) -> None:
    sent = {"kind": "link", "version": version}
    answer = client("steward").post(f"/cases/{row(wh).case_id}/judge", data=sent)
    assert answer.status_code == 409
    assert not judgements.listed(wh)


def test_skipped_and_unsure_cases_leave_the_queue_and_come_back(
    wh: Warehouse, client: Client
) -> None:
    steward = client("steward")
    for state in ("skipped", "unsure"):
        one = row(wh)
        steward.post(f"/cases/{one.case_id}/mark", data={"state": state, "version": one.version})
        assert one.case_id not in steward.get("/cases").text
        assert one.case_id in steward.get(f"/cases?state={state}").text
        version = cases.row(wh, one.case_id).version
        steward.post(f"/cases/{one.case_id}/mark", data={"state": "open", "version": version})
        assert row(wh).case_id == one.case_id


def test_a_case_is_assigned_to_who_has_an_account_only(
    wh: Warehouse, client: Client, account: Callable[..., str]
) -> None:
    one, name = row(wh), account("steward", "li.na")
    steward, path = client("steward"), f"/cases/{row(wh).case_id}/assign"
    assert steward.post(path, data={"assignee": "x", "version": one.version}).status_code == 404
    assert steward.post(path, data={"assignee": name, "version": one.version}).status_code == 303
    assert one.case_id in client("steward", login="li.na").get("/cases?assignee=me").text
    assert one.case_id not in steward.get("/cases?assignee=me").text


def test_a_comment_is_shown_as_text(wh: Warehouse, client: Client) -> None:
    path = f"/cases/{row(wh).case_id}"
    client("steward").post(f"{path}/comment", data={"said": "<b>call</b> them & ask"})
    assert "&lt;b&gt;call&lt;/b&gt; them &amp; ask" in client("steward").get(path).text


def test_looks_and_acts_are_in_the_audit_log_without_values(
    wh: Warehouse, client: Client, judged: Posted, reading: Any
) -> None:
    one = row(wh)
    path = f"/cases/{one.case_id}"
    client("viewer").get(path)
    client("steward").post(f"{path}/comment", data={"said": "is it 张伟?"})
    judged(one, "link", reason="the same")
    made = judgements.listed(wh)[0]["judgement_id"]
    client("viewer").get(f"/judgements/{made}")
    client("steward").post(f"/judgements/{made}/undo")
    events = list(audit.show(wh, limit=50))
    acts = {(event.login, event.action) for event in events}
    assert acts >= {
        ("viewer", "view_case"),
        ("steward", "comment"),
        ("steward", "judge"),
        ("viewer", "view_judgement"),
        ("steward", "undo"),
    }
    hidden = reading.secrets(cases.get(wh, one.case_id).members) | {"张伟"}
    told = "\n".join(f"{event.object_id} {event.detail}" for event in events)
    assert not [value for value in hidden if value in told]
    assert audit.verify(wh)


def test_the_filter_offers_the_sources_there_are(wh: Warehouse, client: Client) -> None:
    page = client("viewer").get("/cases").text
    options = page.partition('<select id="source"')[2].partition("</select>")[0]
    assert re.findall('value="([^"]*)"', options) == ["", *staged_records.sources(wh)]
