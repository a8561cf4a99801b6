"""The pages of decisions: what was said, what undoing it does, and the second person."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from onefold import settings as settings_module
from onefold.settings import Settings
from warehouse import cases, judgements
from warehouse.engine import Warehouse

pytestmark = pytest.mark.demo_home

Client = Callable[..., TestClient]


def judge(client: Client, wh: Warehouse, login: str = "steward", **form: str) -> dict[str, Any]:
    """Answer the first case of the queue as somebody; gives the judgement."""
    one = cases.queue(wh, limit=1).rows[0]
    sent = {"kind": "link", "version": str(one.version), **form}
    answer = client("steward", login=login).post(f"/cases/{one.case_id}/judge", data=sent)
    assert answer.status_code == 303
    return judgements.listed(wh)[0]


def test_without_decisions_the_page_leads_to_the_queue(client: Client) -> None:
    page = client("viewer").get("/judgements").text
    assert "Nothing was decided yet" in page
    assert 'href="/cases"' in page


def test_a_decision_says_who_why_and_what_undoing_it_does(client: Client, wh: Warehouse) -> None:
    made = judge(client, wh, "li.na", reason="same phone")
    before = judgements.get(wh, made["judgement_id"])["before"]
    page = client("viewer").get(f"/judgements/{made['judgement_id']}").text
    assert "li.na" in page
    assert "same phone" in page
    assert before
    assert all(golden_id in page for golden_id in before)
    assert "/undo" not in page
    assert "/undo" in client("steward").get(f"/judgements/{made['judgement_id']}").text


def test_what_is_undone_cannot_be_undone_again(client: Client, wh: Warehouse) -> None:
    path = f"/judgements/{judge(client, wh)['judgement_id']}"
    steward = client("steward")
    first = steward.post(f"{path}/undo", data={"reason": "mixed up"})
    assert first.headers["location"].startswith("/cases/C")
    assert steward.post(f"{path}/undo").status_code == 409
    page = steward.get(path).text
    assert "mixed up" in page or "undone" in page
    assert "/undo" not in page


def test_a_viewer_can_undo_nothing(client: Client, wh: Warehouse) -> None:
    made = judge(client, wh)["judgement_id"]
    assert client("viewer").post(f"/judgements/{made}/undo").status_code == 403
    assert judgements.get(wh, made)["state"] == "in_force"


def test_a_decision_names_no_customer_to_a_viewer(
    client: Client, wh: Warehouse, reading: Any
) -> None:
    hidden = reading.secrets(cases.get(wh, cases.queue(wh, limit=1).rows[0].case_id).members)
    made = judge(client, wh)["judgement_id"]
    viewer = client("viewer")
    told = "".join(
        reading.all_of(viewer.get(path).text) for path in ("/judgements", f"/judgements/{made}")
    )
    assert hidden
    assert not [value for value in hidden if value in told]


class TestSecondPerson:
    """Cases above a value need one."""

    @pytest.fixture
    def home(self, app_home: Settings) -> Settings:
        file = Path(app_home.home) / "onefold.yml"
        said = file.read_text(encoding="utf-8")
        file.write_text(f"{said}\nreview:\n  second_person_above: 0\n", encoding="utf-8")
        return settings_module.load(app_home.home)

    def test_ones_own_answer_cannot_be_approved(self, client: Client, wh: Warehouse) -> None:
        made = judge(client, wh, "li.na")
        assert made["state"] == "waiting"
        path = f"/judgements/{made['judgement_id']}"
        own = client("steward", login="li.na")
        assert "Somebody else must answer" in own.get(path).text
        assert own.post(f"{path}/approve").status_code == 409

    def test_another_one_approves(self, client: Client, wh: Warehouse) -> None:
        made = judge(client, wh, "li.na")["judgement_id"]
        other = client("steward", login="wang")
        assert made in other.get("/judgements").text
        assert other.post(f"/judgements/{made}/approve").status_code == 303
        found = judgements.get(wh, made)
        assert (found["state"], found["approved_by"]) == ("in_force", "wang")
        assert found["decision_count"] > 0

    def test_a_refusal_opens_the_case_again(self, client: Client, wh: Warehouse) -> None:
        made = judge(client, wh, "li.na")
        other = client("steward", login="wang")
        assert other.post(f"/judgements/{made['judgement_id']}/refuse").status_code == 303
        assert cases.row(wh, made["case_id"]).state == "open"
        assert judgements.get(wh, made["judgement_id"])["state"] == "refused"
