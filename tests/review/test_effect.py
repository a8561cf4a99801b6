"""What stewards decide in the web app binds every later run, and the golden table follows."""

from typing import Any

import dagster as dg
import pytest
from fastapi.testclient import TestClient

from onefold.settings import Settings
from pipelines import definitions, stages
from pipelines.jobs import APPLY
from pipelines.run import instance
from warehouse import publish
from warehouse.engine import Warehouse

pytestmark = pytest.mark.demo_home


@pytest.fixture
def steward(client: Any) -> TestClient:
    return client("steward", "li.na")


@pytest.fixture
def apply(home: Settings) -> Any:
    """Takes waiting decisions in, as the sensor's job does; gives how many customers differ."""

    def run() -> int:
        with stages.opened(home.home) as opened:
            waiting, report = stages.apply(opened)
        assert report is not None, waiting.words
        return report.added + report.changed + report.ended

    return run


@pytest.fixture
def holders(wh: Warehouse) -> Any:
    """``holders(records)``: the golden customers that hold them."""

    def of(records: list[str]) -> set[str]:
        crosswalk = publish.read_identity(wh).crosswalk.to_pylist()
        found = {row["record_id"]: row["golden_id"] for row in crosswalk}
        return {found[one] for one in records}

    return of


def _case(one: TestClient, number: int = 0, least: int = 2) -> dict[str, Any]:
    """An open case of several customers with so many records at least."""
    rows = one.get("/api/v1/cases", params={"kind": "merge", "limit": 50}).json()["cases"]
    found = [row for row in rows if row["record_count"] >= least and row["state"] == "open"]
    return one.get(f"/api/v1/cases/{found[number]['case_id']}").json()


def _records(case: dict[str, Any]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for record in case["records"]:
        groups.setdefault(record["golden_id"], []).append(record["record_id"])
    return groups


def _names(case: dict[str, Any]) -> dict[str, set[str]]:
    """Golden customer → the names that its records have."""
    names: dict[str, set[str]] = {}
    for record in case["records"]:
        names.setdefault(record["golden_id"], set()).add(str(record["values"]["name"]))
    return names


def _judge(one: TestClient, case: dict[str, Any], **said: Any) -> str:
    body = {"version": case["version"], "reason": "looked at", **said}
    done = one.post(f"/api/v1/cases/{case['case_id']}/judge", json=body)
    assert done.status_code == 200, done.text
    return str(done.json()["judgement_id"])


def _undo(one: TestClient, judgement_id: str) -> None:
    done = one.post(f"/api/v1/judgements/{judgement_id}/undo", json={"reason": "an error"})
    assert done.status_code == 200, done.text


def _all(groups: dict[str, list[str]]) -> list[str]:
    return [one for group in groups.values() for one in group]


def test_linked_customers_become_one_and_undone_they_are_two_again(
    steward: TestClient, apply: Any, holders: Any
) -> None:
    case = _case(steward)
    groups = _records(case)
    judgement_id = _judge(steward, case, kind="link")
    assert apply() > 0
    (kept,) = holders(_all(groups))
    gone = next(iter(groups.keys() - {kept}))
    assert steward.get(f"/api/v1/customers/{gone}").json()["golden_id"] == kept
    _undo(steward, judgement_id)
    assert apply() > 0
    assert holders(_all(groups)) == groups.keys(), "the former ids are back"
    for golden_id, records in groups.items():
        assert holders(records) == {golden_id}


def test_customers_said_to_be_different_never_meet_again(
    steward: TestClient, apply: Any, holders: Any
) -> None:
    case = _case(steward)
    groups = _records(case)
    _judge(steward, case, kind="no_link")
    apply()
    gone = steward.get(f"/api/v1/cases/{case['case_id']}")
    assert gone.status_code == 404, "a run settled the case"
    assert holders(_all(groups)) == groups.keys()
    queue = steward.get("/api/v1/cases", params={"limit": 200}).json()["cases"]
    assert not any(groups.keys() <= set(row["golden_ids"]) for row in queue)


def test_pages_say_what_is_decided_and_not_published_yet(
    steward: TestClient, apply: Any, holders: Any
) -> None:
    case = _case(steward)
    golden_id = case["golden_ids"][0]
    pages = [f"/cases/{case['case_id']}", f"/customers/{golden_id}"]
    notice = "Not published yet"
    asked = {"Accept-Language": "en"}
    assert not any(notice in steward.get(page, headers=asked).text for page in pages)
    _undo(steward, _judge(steward, case, kind="no_link"))
    assert not any(notice in steward.get(page, headers=asked).text for page in pages)
    judgement_id = _judge(steward, {**case, "version": 2}, kind="no_link")
    assert all(notice in steward.get(page, headers=asked).text for page in pages)
    apply()
    assert notice not in steward.get(pages[1], headers=asked).text
    _undo(steward, judgement_id)
    assert notice in steward.get(pages[1], headers=asked).text
    apply()
    assert not any(notice in steward.get(page, headers=asked).text for page in pages)


def test_picked_groups_hold(steward: TestClient, apply: Any, holders: Any) -> None:
    case = _case(steward, least=3)
    records = sorted(_all(_records(case)))
    parts = [records[:1], records[1:]]
    _judge(steward, case, kind="groups", groups=parts)
    apply()
    one, other = (holders(part) for part in parts)
    assert len(one) == len(other) == 1 and one != other


def test_a_customer_that_was_merged_and_is_parted_gives_back_the_former_id(
    steward: TestClient, apply: Any, holders: Any
) -> None:
    case = _case(steward)
    groups = _records(case)
    judgement_id = _judge(steward, case, kind="link")
    apply()
    (kept,) = holders(_all(groups))
    parts = {"groups": list(groups.values()), "reason": "two people"}
    refused = steward.post(f"/api/v1/customers/{kept}/unmerge", json=parts)
    assert refused.status_code == 409
    assert {step["judgement_id"] for step in refused.json()["chain"]} == {judgement_id}
    _undo(steward, judgement_id)
    done = steward.post(f"/api/v1/customers/{kept}/unmerge", json=parts)
    assert done.status_code == 200, done.text
    apply()
    for golden_id, records in groups.items():
        assert holders(records) == {golden_id}


def test_a_contradicting_decision_is_refused_with_the_chain_of_earlier_ones(
    steward: TestClient, apply: Any, holders: Any
) -> None:
    case = _case(steward, least=3)
    golden_id, records = next((k, v) for k, v in _records(case).items() if len(v) > 1)
    parts = {"groups": [records[:1], records[1:]], "reason": "two people"}
    parted = steward.post(f"/api/v1/customers/{golden_id}/unmerge", json=parts).json()
    link = {"kind": "link", "version": case["version"]}
    refused = steward.post(f"/api/v1/cases/{case['case_id']}/judge", json=link)
    assert refused.status_code == 409
    assert {one["judgement_id"] for one in refused.json()["chain"]} == {parted["judgement_id"]}
    assert {one["decision_id"] for one in refused.json()["chain"]} <= set(parted["decision_ids"])
    apply()
    assert holders(records[:1]) != holders(records[1:])


def test_what_waits_for_a_second_person_holds_once_that_person_approved(
    home: Settings, client: Any, wh: Warehouse, app: Any, apply: Any, holders: Any
) -> None:
    app.state.policy = app.state.policy.model_copy(update={"second_person_above": 0.0})
    first, second = client("steward", "li.na"), client("steward", "wang")
    case = _case(first)
    groups = _records(case)
    judgement_id = _judge(first, case, kind="link")
    assert not stages.waiting(wh).decisions, "nothing is decided before that"
    done = second.post(f"/api/v1/judgements/{judgement_id}/approve")
    assert done.status_code == 200, done.text
    apply()
    assert len(holders(_all(groups))) == 1


def test_a_pinned_value_stays_until_its_records_say_something_else(
    steward: TestClient, apply: Any, holders: Any
) -> None:
    case, golden_id = next(
        (case, golden_id)
        for case in (_case(steward, number) for number in range(6))
        for golden_id, names in _names(case).items()
        if set().union(*_names(case).values()) - names
    )
    body = {"value": "别名", "reason": "asked"}
    pinned = steward.put(f"/api/v1/customers/{golden_id}/fields/name", json=body)
    assert pinned.status_code == 200, pinned.text
    apply()
    assert steward.get(f"/api/v1/customers/{golden_id}").json()["values"]["name"] == "别名"
    asked = {"kind": "override", "limit": 50}
    assert not steward.get("/api/v1/cases", params=asked).json()["cases"]
    case = steward.get(f"/api/v1/cases/{case['case_id']}").json()
    _judge(steward, case, kind="link")
    apply()
    (kept,) = holders(_all(_records(case)))
    assert steward.get(f"/api/v1/customers/{kept}").json()["values"]["name"] == "别名"
    again = steward.get("/api/v1/cases", params=asked).json()["cases"]
    assert [row["golden_ids"] for row in again] == [[kept]]


def test_the_sensor_sees_a_decision_of_the_web_app_and_its_job_publishes_it(
    home: Settings, steward: TestClient, holders: Any
) -> None:
    defs = definitions.build(home.home)
    sensor, job = defs.resolve_sensor_def("decisions_sensor"), defs.resolve_job_def(APPLY)
    case = _case(steward)
    groups = _records(case)

    def tick(dagster: dg.DagsterInstance) -> list[dg.RunRequest]:
        with dg.build_sensor_context(instance=dagster) as context:
            return list(sensor.evaluate_tick(context).run_requests or [])

    with instance(home.home) as dagster:
        assert tick(dagster) == []
        _judge(steward, case, kind="link")
        (asked,) = tick(dagster)
        assert job.execute_in_process(instance=dagster, tags=asked.tags).success
        assert tick(dagster) == []
    assert len(holders(_all(groups))) == 1
