"""The API: the same checks, masking and audit as the pages; lists that go on; problems."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from review.policy import ReviewPolicy
from warehouse import audit, cases, decisions
from warehouse.columns import WAREHOUSE
from warehouse.engine import Warehouse
from warehouse.tables import case_evidence, review_case

Client = Callable[..., TestClient]
pytestmark = pytest.mark.demo_home


def first(one: TestClient, **asked: Any) -> dict[str, Any]:
    """The first case of the queue, in full."""
    found = one.get("/api/v1/cases", params={"limit": 1, **asked}).json()["cases"][0]
    case: dict[str, Any] = one.get(f"/api/v1/cases/{found['case_id']}").json()
    return case


def test_the_queue_goes_on_until_every_case_was_told_once(client: Client, wh: Warehouse) -> None:
    one, seen, after = client("viewer"), [], None
    while True:
        asked = {"limit": 2, **({"after": after} if after else {})}
        told = one.get("/api/v1/cases", params=asked).json()
        seen += [case["case_id"] for case in told["cases"]]
        after = told["after"]
        if after is None:
            break
    assert seen == cases.ids(wh, cases.Filter())
    assert len(seen) > 4


def test_a_filter_with_a_mistake_is_refused_rather_than_ignored(client: Client) -> None:
    one = client("viewer")
    for wrong in ({"knd": "merge"}, {"kind": "everything"}, {"after": "x"}, {"band": 12}):
        answer = one.get("/api/v1/cases", params=wrong)
        assert answer.status_code == 422, wrong
        assert answer.headers["content-type"] == "application/problem+json"
    assert "kind" in one.get("/api/v1/cases", params={"kind": "x"}).json()["places"]
    told = one.get("/api/v1/cases", params={"kind": "merge", "limit": 200}).json()["cases"]
    assert {case["kind"] for case in told} == {"merge"}


def test_counts_and_bands_are_those_of_the_queue(client: Client, wh: Warehouse) -> None:
    one = client("viewer")
    assert one.get("/api/v1/counts").json() == cases.counts(wh)
    told = one.get("/api/v1/bands", params={"kind": "merge"}).json()["bands"]
    assert [(band["band"], band["cases"]) for band in told] == [
        (band.band, band.cases) for band in cases.bands(wh, cases.Filter(kind="merge"))
    ]


def test_a_viewer_sees_no_personal_value_that_a_steward_sees(client: Client, wh: Warehouse) -> None:
    steward, viewer = client("steward"), client("viewer")
    case = first(steward, kind="merge")
    secret = {
        value
        for record in case["records"]
        for field in ("name", "national_id", "address_line", "birth_date")
        if len(value := record["values"].get(field) or "") > 3
    } | {
        value
        for record in case["records"]
        for field in ("phones", "emails")
        for value in record["values"].get(field) or []
    }
    assert len(secret) > 2
    assert case["evidence"]["pairs"][0]["steps"]
    golden_id = case["golden_ids"][0]
    for path in (
        f"/api/v1/cases/{case['case_id']}",
        "/api/v1/cases?limit=200",
        f"/api/v1/customers/{golden_id}",
        f"/api/v1/customers/{golden_id}/history",
        f"/api/v1/customers?q={golden_id}",
    ):
        full, masked = steward.get(path).text, viewer.get(path).text
        assert viewer.get(path).status_code == 200
        assert not {one for one in secret if one in masked}, path
        assert len(full) > 100
    assert viewer.get(f"/api/v1/cases/{case['case_id']}").json()["evidence"] is None


def test_evidence_is_said_in_the_language_that_is_asked_for(client: Client) -> None:
    one = client("steward")
    case_id = first(one)["case_id"]
    said = {
        language: one.get(f"/api/v1/cases/{case_id}", params={"language": language}).json()
        for language in ("zh", "en")
    }
    assert said["zh"]["reason_said"] != said["en"]["reason_said"]
    chinese = said["zh"]["evidence"]["pairs"][0]["steps"]
    english = said["en"]["evidence"]["pairs"][0]["steps"]
    assert [one["bits"] for one in chinese] == [one["bits"] for one in english]
    assert chinese[0]["says"] != english[0]["says"]


def test_a_case_is_decided_once_and_the_second_is_told_who_was_first(client: Client) -> None:
    li, wang = client("steward", "li.na"), client("steward", "wang")
    case = first(li, kind="merge")
    path = f"/api/v1/cases/{case['case_id']}"
    body = {"kind": "link", "version": case["version"], "reason": "one and the same"}
    tried = li.post(f"{path}/judge", json={**body, "dry_run": True}).json()
    assert tried["state"] == "not_done"
    assert tried["effect"]["joined"] == sorted(case["golden_ids"][1:]) or tried["effect"]["joined"]
    assert li.get(path).json()["state"] == "open", "a dry run changes nothing"
    done = li.post(f"{path}/judge", json=body)
    assert (done.status_code, done.json()["state"]) == (200, "in_force")
    late = wang.post(f"{path}/judge", json={**body, "kind": "no_link"})
    assert late.status_code == 409
    assert (late.json()["state"], late.json()["by"]) == ("decided", "li.na")
    judgement_id = done.json()["judgement_id"]
    told = wang.get(f"/api/v1/judgements/{judgement_id}").json()
    assert (told["judged_by"], told["kind"], told["state"]) == ("li.na", "link", "in_force")
    effect = wang.get(f"/api/v1/judgements/{judgement_id}/undo").json()
    assert effect["changes"] is False, "no run has merged them yet"
    undone = wang.post(f"/api/v1/judgements/{judgement_id}/undo", json={})
    assert undone.json()["decisions_revoked"] == len(done.json()["decision_ids"])
    assert li.get(path).json()["state"] == "open"


def test_a_contradiction_comes_with_its_chain(client: Client) -> None:
    one = client("steward")
    case = first(one, kind="merge")
    golden_id = case["golden_ids"][0]
    linked = one.post(
        f"/api/v1/cases/{case['case_id']}/judge", json={"kind": "link", "version": case["version"]}
    ).json()
    mine = [r["record_id"] for r in case["records"] if r["golden_id"] == golden_id]
    assert len(mine) > 1
    parted = one.post(
        f"/api/v1/customers/{golden_id}/unmerge",
        json={"groups": [[mine[0]], mine[1:]], "reason": "two people"},
    )
    assert parted.status_code == 409
    assert {step["judgement_id"] for step in parted.json()["chain"]} == {linked["judgement_id"]}


def test_marks_assignments_and_comments_are_kept(client: Client) -> None:
    one = client("steward", "li.na")
    case = first(one)
    path = f"/api/v1/cases/{case['case_id']}"
    version = one.post(f"{path}/mark", json={"state": "unsure", "version": case["version"]}).json()[
        "version"
    ]
    assigned = one.post(f"{path}/assign", json={"assignee": "li.na", "version": version})
    assert assigned.json()["version"] == version + 1
    assert one.post(f"{path}/comments", json={"said": "ask the branch"}).status_code == 201
    told = one.get(path).json()
    assert (told["state"], told["assignee"]) == ("unsure", "li.na")
    assert [comment["said"] for comment in told["comments"]] == ["ask the branch"]
    nobody = one.post(f"{path}/assign", json={"assignee": "no.body", "version": version + 1})
    assert nobody.status_code == 404
    missing = "/api/v1/cases/C404"
    for what, body in (
        ("mark", {"state": "skipped", "version": 0}),
        ("assign", {"assignee": None, "version": 0}),
        ("comments", {"said": "hello"}),
        ("judge", {"kind": "link", "version": 0}),
    ):
        assert one.post(f"{missing}/{what}", json=body).status_code == 404, what


def test_judgements_go_on_latest_first(client: Client) -> None:
    one = client("steward")
    queue = one.get("/api/v1/cases", params={"kind": "merge", "limit": 5}).json()["cases"]
    made = []
    for case in queue:
        body = {"kind": "no_link", "version": 0}
        answer = one.post(f"/api/v1/cases/{case['case_id']}/judge", json=body)
        made += [answer.json()["judgement_id"]] if answer.status_code == 200 else []
    assert len(made) >= 3
    seen, after = [], None
    while True:
        asked = {"limit": 2, **({"after": after} if after else {})}
        told = one.get("/api/v1/judgements", params=asked).json()
        seen += [each["judgement_id"] for each in told["judgements"]]
        if (after := told["after"]) is None:
            break
    assert seen == made[::-1]


def test_looks_and_writes_are_audited_as_on_pages(client: Client, wh: Warehouse) -> None:
    one = client("steward", "li.na")
    case = first(one)
    golden_id = case["golden_ids"][0]
    one.get(f"/api/v1/customers/{golden_id}")
    one.get("/api/v1/customers", params={"q": golden_id})
    one.post(f"/api/v1/cases/{case['case_id']}/mark", json={"state": "skipped", "version": 0})
    found = [(event.action, event.object_id) for event in audit.show(wh, login="li.na", limit=4)]
    assert found == [
        ("mark_skipped", case["case_id"]),
        ("search_customers", None),
        ("view_customer", golden_id),
        ("view_case", case["case_id"]),
    ]
    told = client("admin").get("/api/v1/audit", params={"login": "li.na", "limit": 4}).json()
    assert [(e["action"], e["object_id"]) for e in told["events"]] == found
    assert (
        client("admin")
        .get("/api/v1/audit", params={"login": "li.na", "after": told["after"], "limit": 1})
        .json()["events"][0]["number"]
        < told["events"][-1]["number"]
    )


def test_a_customer_is_found_and_told_with_its_origins(client: Client) -> None:
    one = client("steward")
    case = first(one, kind="merge")
    found = one.get(f"/api/v1/customers/{case['golden_ids'][0]}").json()
    assert found["state"] == "live"
    assert found["record_count"] == len(found["records"])
    assert set(found["origins"]) >= set(found["values"]) - {"type_basis"}
    name = found["values"]["name"]
    hits = one.get("/api/v1/customers", params={"q": name}).json()["customers"]
    assert case["golden_ids"][0] in {hit["golden_id"] for hit in hits}
    events = one.get(f"/api/v1/customers/{case['golden_ids'][0]}/history").json()["events"]
    assert {event["kind"] for event in events} >= {"lineage", "version"}
    assert not any("%(" in event["says"] for event in events)
    assert one.get("/api/v1/customers/G404").status_code == 404


def test_people_are_looked_after_by_admins(client: Client) -> None:
    one = client("admin")
    made = one.post("/api/v1/people", json={"login": "Zhao", "role": "viewer"})
    assert made.status_code == 201
    assert (made.json()["login"], len(made.json()["password"])) == ("zhao", 19)
    assert one.post("/api/v1/people", json={"login": "zhao"}).status_code == 422
    changed = one.patch("/api/v1/people/zhao", json={"role": "steward", "is_active": False}).json()
    assert (changed["role"], changed["is_active"]) == ("steward", False)
    assert one.patch("/api/v1/people/admin", json={"role": "viewer"}).status_code == 422
    assert one.post("/api/v1/people/zhao/password").json()["password"] != made.json()["password"]
    assert one.post("/api/v1/people/nobody/password").status_code == 404
    told = {each["login"]: each for each in one.get("/api/v1/people").json()["people"]}
    assert told["zhao"]["must_change_password"] is True
    assert "password_hash" not in told["zhao"]


def test_a_batch_is_applied_once_its_sample_was_judged_and_taken_back_whole(
    client: Client,
) -> None:
    one = client("steward")
    body = {"kind": "no_link", "which": {"kind": "merge"}, "size": 1}
    made = one.post("/api/v1/batches", json=body)
    assert made.status_code == 201
    batch, path = made.json(), f"/api/v1/batches/{made.json()['batch_id']}"
    assert (batch["cases"], batch["to_judge"]) == (len(batch["case_ids"]), batch["sample"])
    assert one.post(f"{path}/apply").status_code == 409, "its sample was not judged"
    sample = batch["sample"][0]
    one.post(f"/api/v1/cases/{sample}/judge", json={"kind": "no_link", "version": 0})
    ready = one.get(path).json()
    assert (ready["judged"], ready["right"], ready["precision"]) == (1, 1, 1.0)
    assert ready["answers"][sample]["right"] is True
    assert sample not in ready["effect"]["open"]
    applied = one.post(f"{path}/apply").json()
    assert applied["judged"] == len(ready["effect"]["open"]) - len(applied["refused"]) > 0
    listed = one.get("/api/v1/batches").json()["batches"]
    assert [each["state"] for each in listed] == ["applied"]
    undone = one.post(f"{path}/undo", json={"reason": "too early"}).json()
    assert undone["judgements"] == applied["judged"]
    assert one.get(path).json()["outcome"]["undone"] == applied["judged"]
    wrong = {**body, "which": {"knd": "merge"}}
    assert one.post("/api/v1/batches", json=wrong).status_code == 422


def test_a_second_look_is_blind_and_by_somebody_else(client: Client, app: FastAPI) -> None:
    app.state.policy = ReviewPolicy(blind_share=1.0)
    li, wang = client("steward", "li.na"), client("steward", "wang")
    case = first(li, kind="merge")
    path = f"/api/v1/cases/{case['case_id']}"
    judgement = li.post(f"{path}/judge", json={"kind": "no_link", "version": 0}).json()
    assert li.get("/api/v1/second-reviews").json()["waiting"] == []
    waiting = wang.get("/api/v1/second-reviews").json()["waiting"]
    assert [one["judgement_id"] for one in waiting] == [judgement["judgement_id"]]
    assert waiting[0].keys() == {"judgement_id", "case_id", "customers", "drawn_at", "records"}
    assert len(waiting[0]["records"]) == case["record_count"]
    again = f"/api/v1/second-reviews/{judgement['judgement_id']}"
    assert li.post(again, json={"kind": "link"}).status_code == 409
    assert wang.post(again, json={"kind": "no_link"}).json()["agrees"] is True
    assert wang.get("/api/v1/second-reviews").json()["agreement"]["rate"] == 1.0
    missing = wang.post("/api/v1/second-reviews/J404", json={"kind": "link"})
    assert missing.status_code == 404


class TestSecondPerson:
    """What costs more than the policy's value holds once somebody else approved it."""

    @pytest.fixture(autouse=True)
    def _above(self, app: FastAPI) -> None:
        app.state.policy = ReviewPolicy(second_person_above=0.0)

    @pytest.fixture
    def waiting(self, client: Client, wh: Warehouse) -> tuple[dict[str, Any], dict[str, Any]]:
        """A case, and what judging it gave."""
        li = client("steward", "li.na")
        case = first(li, kind="merge")
        path = f"/api/v1/cases/{case['case_id']}"
        done = li.post(f"{path}/judge", json={"kind": "no_link", "version": 0})
        assert done.status_code == 200, done.text
        assert done.json()["state"] == "waiting"
        assert done.json()["decision_ids"] == []
        assert decisions.read(wh).num_rows == 0
        return case, done.json()

    def test_it_waits_and_is_found(
        self, client: Client, waiting: tuple[dict[str, Any], dict[str, Any]]
    ) -> None:
        case, done = waiting
        one = client("steward", "wang")
        assert one.get(f"/api/v1/cases/{case['case_id']}").json()["state"] == "waiting"
        found = one.get("/api/v1/judgements", params={"state": "waiting"}).json()["judgements"]
        assert [each["judgement_id"] for each in found] == [done["judgement_id"]]

    def test_another_one_approves_and_it_is_in_force(
        self, client: Client, wh: Warehouse, waiting: tuple[dict[str, Any], dict[str, Any]]
    ) -> None:
        case, done = waiting
        path = f"/api/v1/judgements/{done['judgement_id']}"
        assert client("steward", "li.na").post(f"{path}/approve").status_code == 409
        assert client("viewer").post(f"{path}/approve").status_code == 403
        approved = client("steward", "wang").post(f"{path}/approve")
        assert approved.status_code == 200, approved.text
        told = approved.json()
        assert told["state"] == "in_force"
        in_force = decisions.read(wh).to_pylist()
        assert [each["decision_id"] for each in in_force] == told["decision_ids"] != []
        assert {each["decided_by"] for each in in_force} == {"li.na"}
        row = cases.row(wh, case["case_id"])
        assert (row.state, row.judgement_id) == ("decided", done["judgement_id"])
        one = client("viewer").get(path).json()
        assert (one["state"], one["approved_by"]) == ("in_force", "wang")
        again = client("steward", "wang").post(f"{path}/approve")
        assert again.status_code == 409
        assert again.headers["content-type"] == "application/problem+json"

    def test_another_one_refuses_and_the_case_can_be_decided_again(
        self, client: Client, wh: Warehouse, waiting: tuple[dict[str, Any], dict[str, Any]]
    ) -> None:
        case, done = waiting
        path = f"/api/v1/judgements/{done['judgement_id']}"
        assert client("steward", "li.na").post(f"{path}/refuse").status_code == 409
        wang = client("steward", "wang")
        refused = wang.post(f"{path}/refuse")
        assert refused.json() == {"judgement_id": done["judgement_id"], "state": "refused"}
        assert wang.post(f"{path}/approve").status_code == 409
        row = cases.row(wh, case["case_id"])
        assert (row.state, decisions.read(wh).num_rows) == ("open", 0)
        again = f"/api/v1/cases/{case['case_id']}/judge"
        body = {"kind": "link", "version": row.version}
        assert wang.post(again, json=body).json()["state"] == "waiting"
        assert wang.post("/api/v1/judgements/J404/approve").status_code == 404

    def test_a_value_of_a_customer_waits_too(self, client: Client, wh: Warehouse) -> None:
        li, wang = client("steward", "li.na"), client("steward", "wang")
        golden_id = first(li, kind="merge")["golden_ids"][0]
        path = f"/api/v1/customers/{golden_id}"
        body = {"value": "上海市", "reason": "moved"}
        done = li.put(f"{path}/fields/city", json=body).json()
        assert (done["state"], done["decision_ids"]) == ("waiting", [])
        assert li.get(path).json()["decisions"] == []
        (known,) = li.get(path).json()["waiting"]
        assert (known["judgement_id"], known["field"]) == (done["judgement_id"], "city")
        approve = f"/api/v1/judgements/{done['judgement_id']}/approve"
        assert li.post(approve).status_code == 409
        assert wang.post(approve).json()["state"] == "in_force"
        (pinned,) = li.get(path).json()["decisions"]
        assert (pinned["value"], pinned["decided_by"]) == ("上海市", "li.na")
        assert li.get(path).json()["waiting"] == []


def test_a_value_is_set_seen_by_who_may_and_withdrawn(client: Client) -> None:
    steward, viewer = client("steward"), client("viewer")
    golden_id = first(steward, kind="merge")["golden_ids"][0]
    body = {"value": "欧阳小明", "reason": "told by phone"}
    path = f"/api/v1/customers/{golden_id}"
    done = steward.put(f"{path}/fields/name", json=body)
    assert (done.status_code, done.json()["state"]) == (200, "in_force")
    twice = steward.put(f"{path}/fields/name", json={**body, "value": "欧阳大明"})
    assert twice.status_code == 409
    assert twice.json()["chain"][0]["decision_id"] == done.json()["decision_ids"][0]
    assert steward.get(path).json()["decisions"][0]["value"] == "欧阳小明"
    assert "欧阳小明" not in viewer.get(path).text
    withdraw = f"/api/v1/decisions/{done.json()['decision_ids'][0]}/withdraw"
    assert steward.post(withdraw, json={"reason": "a mistake"}).status_code == 200
    assert steward.post(withdraw, json={"reason": "a mistake"}).status_code == 404
    assert steward.get(path).json()["decisions"] == []


def test_a_session_begins_and_ends_through_the_api_and_guesses_slow_down(
    client: Client, account: Callable[..., str]
) -> None:
    account("steward", "li.na")
    one = client(None)
    said = {"login": "li.na", "password": "seven quiet lakes"}
    assert one.post("/api/v1/session", json=said).status_code == 403, "without the token"
    one.headers["X-CSRF-Token"] = one.get("/api/v1/session").json()["csrf_token"]
    assert one.post("/api/v1/session", json={**said, "password": "x"}).status_code == 401
    assert one.post("/api/v1/session", json=said).status_code == 204
    one.headers["X-CSRF-Token"] = one.get("/api/v1/me").json()["csrf_token"]
    assert one.get("/api/v1/me").json()["login"] == "li.na"
    assert one.delete("/api/v1/session").status_code == 204
    assert one.get("/api/v1/me").status_code == 401
    other = client(None)
    other.headers["X-CSRF-Token"] = other.get("/api/v1/session").json()["csrf_token"]
    answers = [
        other.post("/api/v1/session", json={**said, "password": str(number)}) for number in range(7)
    ]
    assert [answer.status_code for answer in answers][-1] == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_api_is_listed_for_people(
    page: Callable[..., Any], axe: Callable[[Any], None], language: str
) -> None:
    reader = page("viewer", language)
    reader.goto("/api")
    listed = reader.locator("details summary code").all_inner_texts()
    assert "POST /api/v1/cases/{case_id}/judge" in listed
    assert len(listed) == len(set(listed)) > 35
    reader.locator("summary", has_text="/judge").first.click()
    assert reader.get_by_text("dry_run").first.is_visible()
    axe(reader)


def test_a_pinned_value_in_question_is_told_to_who_may_see_it(
    client: Client, wh: Warehouse
) -> None:
    steward, viewer = client("steward"), client("viewer")
    case = first(steward, kind="merge")
    record = case["records"][0]["record_id"]
    facts = {
        "decision_id": "D000001", "golden_id": case["golden_ids"][0], "field": "city",
        "value": "上海市", "before": {record: "北京市"}, "now": {record: "天津市"},
        "decided_by": "li.na", "decided_at": "2026-01-02T03:04:05+00:00", "basis": "x",
    }  # fmt: skip
    this = review_case.c.case_id == case["case_id"]
    same = case_evidence.c.case_id == case["case_id"]
    with wh.write(WAREHOUSE) as connection:
        connection.execute(sa.update(review_case).where(this).values(kind="override"))
        connection.execute(sa.update(case_evidence).where(same).values(evidence=facts))
    told = steward.get(f"/api/v1/cases/{case['case_id']}").json()
    assert told["evidence"] is None
    assert told["pinned"]["now"] == {record: "天津市"}
    masked = viewer.get(f"/api/v1/cases/{case['case_id']}").json()
    assert (masked["kind"], masked["pinned"]) == ("override", None)
