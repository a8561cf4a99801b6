"""Twenty stewards log in and decide at once: no decision is lost, no case is decided twice."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from warehouse import audit, cases
from warehouse.columns import REVIEW, WAREHOUSE
from warehouse.engine import Warehouse
from warehouse.moments import now
from warehouse.review_tables import decision, judgement
from warehouse.tables import case_member, review_case

STEWARDS, CASES, TRIED = 20, 100, 15
PASSWORD = "seven quiet lakes"


def fill(wh: Warehouse) -> list[str]:
    """A hundred cases, each of two customers with a record each."""
    names = [f"C{number:03d}" for number in range(CASES)]
    with wh.write(WAREHOUSE) as connection:
        for number, case_id in enumerate(names):
            golden_ids = [f"G{number}a", f"G{number}b"]
            row = {
                "case_id": case_id, "kind": "merge", "customer_type": "person",
                "title": f"Ann {number}", "golden_ids": golden_ids, "sources": ["crm", "erp"],
                "record_count": 2, "customer_count": 2, "source_count": 2, "probability": 0.5,
                "band": 5, "expected_cost": float(number), "reason": "likely", "since": now(),
                "publish_id": "P1", "content_hash": "h",
            }  # fmt: skip
            connection.execute(sa.insert(review_case).values(**row))
            for golden_id, source in zip(golden_ids, ("crm", "erp"), strict=True):
                connection.execute(
                    sa.insert(case_member).values(
                        case_id=case_id,
                        record_id=f"{source}:{number}",
                        golden_id=golden_id,
                        source=source,
                    )
                )
    return names


class Steward(threading.Thread):
    """Logs in by the API, waits for the others, and decides cases as fast as it can."""

    def __init__(self, server: str, login: str, ids: list[str], start: threading.Barrier) -> None:
        super().__init__(name=login)
        self.server, self.ids, self.barrier = server, ids, start
        self.answers: list[tuple[str, int, dict[str, Any]]] = []

    def run(self) -> None:
        with httpx.Client(base_url=self.server, timeout=120) as client:
            token = client.get("/api/v1/session").json()["csrf_token"]
            said = {"login": self.name, "password": PASSWORD}
            entered = client.post("/api/v1/session", json=said, headers={"X-CSRF-Token": token})
            if entered.status_code == 204:
                client.headers["X-CSRF-Token"] = client.get("/api/v1/me").json()["csrf_token"]
            self.barrier.wait(300)
            for number, case_id in enumerate(self.ids):
                kind = ("link", "no_link")[number % 2]
                body = {"kind": kind, "version": 0, "reason": f"{self.name} saw it"}
                answer = client.post(f"/api/v1/cases/{case_id}/judge", json=body)
                self.answers.append((case_id, answer.status_code, answer.json()))


@pytest.mark.timeout(600)
def test_twenty_stewards_at_once_lose_no_decision_and_decide_no_case_twice(
    server: str, wh: Warehouse, account: Callable[..., str]
) -> None:
    ids = fill(wh)
    barrier = threading.Barrier(STEWARDS)
    share = CASES // STEWARDS
    stewards = [
        Steward(
            server,
            account("steward", f"steward{number}"),
            [ids[(number * share + step) % CASES] for step in range(TRIED)],
            barrier,
        )
        for number in range(STEWARDS)
    ]
    for one in stewards:
        one.start()
    for one in stewards:
        one.join(500)

    answers = [(one.name, *each) for one in stewards for each in one.answers]
    assert len(answers) == STEWARDS * TRIED
    assert {status for _, _, status, _ in answers} == {200, 409}
    accepted = {case_id: login for login, case_id, status, _ in answers if status == 200}
    assert Counter(status for _, _, status, _ in answers)[200] == len(accepted) == CASES
    for login, case_id, status, said in answers:
        if status == 409:
            assert (said["state"], said["by"]) == ("decided", accepted[case_id])
            assert said["by"] != login

    with wh.read(REVIEW) as connection:
        kept = connection.execute(sa.select(judgement)).all()
        made = connection.execute(sa.select(decision.c.judgement_id)).scalars().all()
    assert {row.case_id: row.judged_by for row in kept} == accepted, "nothing lost or made up"
    assert len(kept) == CASES, "no case twice"
    assert Counter(made) == Counter(row.judgement_id for row in kept)
    told = {said["judgement_id"] for *_, status, said in answers if status == 200}
    assert told == {row.judgement_id for row in kept}, "each was told its own"
    assert cases.counts(wh)["decided"] == CASES
    assert len(audit.show(wh, action="judge", limit=1000)) == CASES
    assert audit.verify(wh).ok
