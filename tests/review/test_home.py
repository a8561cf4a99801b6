"""The dashboard: its figures are those of the stores."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from warehouse import cases, dashboard, judgements, outcomes
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.moments import now
from warehouse.outcomes import SourceOutcome
from warehouse.review_tables import judgement, second_review

Client = Callable[..., TestClient]


def counted(wh: Warehouse) -> dashboard.Overview:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return dashboard.overview(wh, "steward", today, today - timedelta(days=6))


def judge(wh: Warehouse, number: int, login: str) -> list[str]:
    """Decide the first suggested merges of the queue; gives the judgements' ids."""
    made = []
    for row in cases.queue(wh, cases.Filter(kind="merge"), limit=number).rows:
        done = judgements.judge(wh, row.case_id, "no_link", login, row.version)
        made.append(done.judgement_id)
    return made


def test_an_empty_home_is_told_what_to_do(client: Client) -> None:
    assert "onefold refresh" in client("viewer").get("/").text


@pytest.mark.demo_home
def test_a_week_without_decisions_is_said(client: Client) -> None:
    assert "Nobody decided anything" in client("viewer").get("/").text


@pytest.mark.demo_home
def test_what_waits_is_counted_by_state_band_and_kind(wh: Warehouse) -> None:
    before = counted(wh)
    assert before.pending == cases.counts(wh)["open"] > 0
    assert sum(band.cases for band in before.bands) == before.pending
    assert {band.band: band.cases for band in before.bands} == {
        band.band: band.cases for band in cases.bands(wh)
    }
    for band in before.bands:
        if band.expected is not None:
            assert band.band / 10 - 0.001 <= band.expected <= band.band / 10 + 0.101
    judge(wh, 3, "steward")
    after = counted(wh)
    assert (after.pending, after.states["decided"]) == (before.pending - 3, 3)


@pytest.mark.demo_home
def test_who_decided_is_counted_for_today_and_for_seven_days(wh: Warehouse) -> None:
    made = judge(wh, 4, "li.na")
    judge(wh, 1, "wang")
    with wh.write(REVIEW) as connection:
        for judgement_id, days in ((made[0], 3), (made[1], 30)):
            moved = sa.update(judgement).where(judgement.c.judgement_id == judgement_id)
            connection.execute(moved.values(judged_at=now() - timedelta(days=days)))
    judgements.undo(wh, made[2], "li.na", "was wrong")
    people = counted(wh).people
    assert [(one.login, one.today, one.week) for one in people] == [
        ("li.na", 1, 2),
        ("wang", 1, 1),
    ]


@pytest.mark.demo_home
def test_agreement_is_the_share_of_answered_second_looks(wh: Warehouse) -> None:
    assert counted(wh).agreement is None
    made = judge(wh, 4, "li.na")
    with wh.write(REVIEW) as connection:
        for judgement_id, agrees in zip(made, (True, True, False, None), strict=True):
            answered = None if agrees is None else now()
            connection.execute(
                sa.insert(second_review).values(
                    judgement_id=judgement_id,
                    case_id="x",
                    drawn_at=now(),
                    agrees=agrees,
                    answered_at=answered,
                )
            )
    found = counted(wh)
    assert (found.second_open, found.second_done, found.second_agree) == (1, 3, 2)
    assert found.agreement == pytest.approx(2 / 3)


@pytest.mark.demo_home
def test_the_api_tells_the_same(client: Client, wh: Warehouse) -> None:
    told = client("viewer").get("/api/v1/overview").json()
    assert told["customers"] == counted(wh).customers > 0
    assert told["states"] == counted(wh).states


@pytest.mark.demo_home
def test_sources_that_are_not_in_step_are_named(client: Client, wh: Warehouse) -> None:
    home = wh.settings.home
    for name in outcomes.read(home).sources:
        outcomes.forget(home, name)
    asked = client("viewer")
    assert "not in step" not in asked.get("/", headers={"Accept-Language": "en"}).text
    outcomes.note_source(home, "erp", SourceOutcome("changed", fresh_for=3600))
    long_ago = (datetime.now(UTC) - timedelta(hours=2)).isoformat(timespec="seconds")
    late = SourceOutcome("changed", fresh_for=3600, tried_at=long_ago)
    outcomes.note_source(home, "crm", late)
    outcomes.note_source(home, "sap", SourceOutcome("held", "too few rows"))
    said = " ".join(asked.get("/", headers={"Accept-Language": "en"}).text.split())
    assert "Sources not in step" in said
    assert "crm (stale), sap (held back)" in said
    assert "erp (" not in said


@pytest.mark.demo_home
@pytest.mark.parametrize(
    ("language", "theme", "width"), [("zh", "light", 1280), ("en", "dark", 820)]
)
def test_the_dashboard_in_a_browser(
    page: Callable[..., Any],
    axe: Callable[[Any], None],
    shot: Callable[..., None],
    wh: Warehouse,
    language: str,
    theme: str,
    width: int,
) -> None:
    judge(wh, 2, "li.na")
    reader = page("steward", language, theme=theme, width=width)
    reader.goto("/")
    expect(reader.locator("h1")).to_have_text("总览" if language == "zh" else "Dashboard")
    expect(reader.locator("dl.tiles dd").first).to_have_text(str(counted(wh).pending))
    assert reader.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    axe(reader)
    shot(reader, f"dashboard-{language}-{theme}", full=True)
