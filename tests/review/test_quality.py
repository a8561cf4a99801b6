"""The page of quality: shares and their way, by source and field, and what to mend."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO

import openpyxl
import pytest
from fastapi.testclient import TestClient

from onefold.settings import Settings
from review.presenters import quality as shown
from warehouse import audit, quality
from warehouse.engine import Warehouse
from warehouse.outcomes import DATA_DOCS
from warehouse.quality import Measure
from warehouse.quality_policy import QualityPolicy

Client = Callable[..., TestClient]
NOW = datetime.now(UTC)


def test_before_the_first_measure_the_page_says_so(client: Client) -> None:
    page = client("viewer").get("/quality")
    assert page.status_code == 200
    assert "Nothing was measured yet" in page.text or "尚无质量数据" in page.text


@pytest.mark.demo_home
def test_every_source_has_its_shares_and_a_page_by_field(client: Client, wh: Warehouse) -> None:
    quality.measure(wh, NOW, NOW.date(), QualityPolicy())
    viewer = client("viewer")
    page = viewer.get("/quality").text
    for source in ("crm", "erp", "excel", "legacy"):
        assert f'href="/quality?source={source}"' in page
    one = next(
        one
        for one in quality.latest(wh)
        if (one.source, one.field, one.measure) == ("erp", "phones", "completeness")
    )
    assert f"{one.share:.1%}" in viewer.get("/quality?source=erp").text
    assert viewer.get("/quality?source=nowhere").status_code == 404


@pytest.mark.demo_home
def test_stewards_fetch_what_to_mend_and_the_audit_log_says_who(
    client: Client, wh: Warehouse
) -> None:
    assert client("viewer").get("/quality/to-mend?source=erp").status_code == 403
    assert client("steward").get("/quality/to-mend?source=nowhere").status_code == 404
    got = client("steward").get("/quality/to-mend?source=erp")
    assert got.status_code == 200
    assert got.headers["cache-control"] == "no-store"
    rows = list(openpyxl.load_workbook(BytesIO(got.content)).active.iter_rows(values_only=True))
    assert rows[0][:5] == ("severity", "position", "source_key", "field", "raw_value")
    assert len(rows) > 1
    event = audit.show(wh, action="fetch_to_mend", limit=1)[0]
    assert (event.login, event.object_id) == ("steward", "erp")
    assert event.detail == {"findings": len(rows) - 1}


@pytest.mark.demo_home
def test_programs_read_the_figures_and_how_they_went(client: Client, wh: Warehouse) -> None:
    # The demo was measured on a day of its time zone, which may be tomorrow's in UTC.
    day = max(one.day for one in quality.latest(wh))
    three = timedelta(days=3)
    quality.measure(wh, NOW - three, day - three, QualityPolicy())
    quality.measure(wh, NOW, day, QualityPolicy(timely_days=30))
    viewer = client("viewer")
    latest = viewer.get("/api/v1/quality?source=crm").json()["figures"]
    assert {one["day"] for one in latest} == {day.isoformat()}
    assert {one["source"] for one in latest} == {"crm"}
    (records,) = (one for one in latest if one["measure"] == "single")
    assert records["share"] == records["good"] / records["counted"]
    assert records["target"] == 0.95
    some_days = viewer.get("/api/v1/quality?source=crm&days=10").json()["figures"]
    assert len({one["day"] for one in some_days}) == 2
    assert viewer.get("/api/v1/quality?sorce=crm").status_code == 422


def test_a_days_figures_count_once_though_they_are_of_the_past_too() -> None:
    day = NOW.date()
    old = Measure("crm", "", "single", 80, 100, day - timedelta(days=10))
    new = Measure("crm", "", "single", 96, 100, day)
    cell = shown.by_field([new], [old, new], QualityPolicy())[""]["single"]
    assert (cell.good, cell.counted, cell.tone) == (96, 100, "good")
    assert cell.change == pytest.approx(0.16)
    assert cell.line == "2.5,21.5 93.5,2.5"


@pytest.mark.parametrize(("share", "tone"), [(0.96, "good"), (0.92, "warn"), (0.5, "bad")])
def test_far_below_its_target_a_share_is_bad(share: float, tone: str) -> None:
    one = Measure("crm", "", "single", round(100 * share), 100, NOW.date())
    assert shown.by_source([one], [], QualityPolicy())["crm"]["single"].tone == tone


def test_data_docs_are_linked_once_they_are_made_and_shown_after_login_only(
    client: Client, home: Settings
) -> None:
    viewer = client("viewer")
    assert viewer.get("/quality/docs/index.html").status_code == 404
    folder = home.home / DATA_DOCS
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<p>all checks</p>")
    (folder / "notes.txt").write_text("not a page")
    got = viewer.get("/quality/docs/index.html")
    assert (got.status_code, got.text) == (200, "<p>all checks</p>")
    assert "script-src 'self'" in got.headers["content-security-policy"]
    for path in ("notes.txt", "../outcomes.json", "%2e%2e/outcomes.json", "missing.html"):
        assert viewer.get(f"/quality/docs/{path}").status_code == 404
    nobody = client(None).get("/quality/docs/index.html", follow_redirects=False)
    assert nobody.status_code in (302, 303, 401)
