"""Twenty stewards at once through the pages, on both databases."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from fastapi.testclient import TestClient

from review.app import create_app
from review.security import sessions
from warehouse import accounts, audit, cases
from warehouse.review_tables import case_state, decision, judgement

STEWARDS = 20
CASES = 6


def _steward(app, world, number):
    login = f"steward{number:02}"
    accounts.add(world.wh, login, full_name=login, role="steward", created_by="test")
    accounts.set_password(world.wh, login, "-", by=login, must_change=False)
    one = TestClient(app, base_url="http://127.0.0.1:3001", follow_redirects=False)
    one.cookies.set(app.state.cookies.session, sessions.new(world.wh, login, timedelta(hours=1)))
    one.headers["X-CSRF-Token"] = one.get("/api/v1/me").json()["csrf_token"]
    return one


def test_through_the_pages_no_decision_is_lost_and_no_case_is_decided_twice(world):
    world.put("erp", {str(number): f"Ann {number}" for number in range(2 * CASES)})
    pairs = [(f"erp:{2 * number}", f"erp:{2 * number + 1}") for number in range(CASES)]
    world.publish(
        [[one] for pair in pairs for one in pair],
        suggestions=[
            {
                "left_id": left,
                "right_id": right,
                "probability": 0.4,
                "kind": "merge",
                "reason": "likely",
            }
            for left, right in pairs
        ],
    )
    order = [row.case_id for row in cases.queue(world.wh).rows]
    app = create_app(world.wh.settings, world.wh)
    clients = [_steward(app, world, number) for number in range(STEWARDS)]

    def work(number):
        start = number % CASES
        kind = "link" if number % 2 else "no_link"
        return [
            (case_id, kind, clients[number].post(f"/cases/{case_id}/judge", data={"kind": kind}))
            for case_id in order[start:] + order[:start]
        ]

    with ThreadPoolExecutor(STEWARDS) as pool:
        answers = [one for found in pool.map(work, range(STEWARDS)) for one in found]
    for one in clients:
        one.close()

    said = Counter(answer.status_code for _, _, answer in answers)
    assert said == {303: CASES, 409: (STEWARDS - 1) * CASES}
    accepted = {case_id: kind for case_id, kind, answer in answers if answer.status_code == 303}
    stored = {row["case_id"]: row["kind"] for row in world.rows(judgement)}
    assert len(world.rows(judgement)) == CASES and stored == accepted
    assert sorted(row["kind"] for row in world.rows(decision)) == sorted(accepted.values())
    assert {row["case_id"]: row["state"] for row in world.rows(case_state)} == dict.fromkeys(
        order, "decided"
    )
    assert audit.verify(world.wh).ok
