"""Quarantine: rejected values are mended or accepted on pages and by the API, and replayed."""

import html
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from onefold import settings as settings_module
from onefold.settings import Settings
from pipelines import stages
from warehouse import audit, export, findings, repairs, staged_records
from warehouse.engine import Warehouse
from warehouse.findings import Filter, Finding

Client = Callable[..., TestClient]

CRM = """\
Id,Name,Phone,Mail,City,Street
C1,张伟,13800000001,zhangwei@example.com,南京,中山路1号
C2,李娜,1380000,lina@example.com,南京,北京东路20号
C3,王芳,13800000003,wangfang.example.com,苏州,人民路300号
C4,,,,无锡,
C5,陈静,1380000,chenjing@example.com,无锡,学前街12号
C6,刘洋,1380000,liuyang@example.com,无锡,运河路7号
"""
SHOP = """\
Id,Name,Phone
S1,Joan Ashford,13800000077
S2,Ann Ellery,call me
"""
YML = """\
connector: delimited
path: data/{name}.csv
key: Id
customer_type: person
columns: {columns}
"""
COLUMNS = {
    "crm": "{name: Name, phone: Phone, email: Mail, city: City, address: Street}",
    "shop": "{name: Name, phone: Phone}",
}
TOO_SHORT = "The number has too few or too many digits; check it."


def refresh(home: Settings) -> None:
    """What a refresh does, without Dagster."""
    with stages.opened(home.home) as deployment:
        for source in deployment.sources:
            stages.sync(deployment, source)
            stages.stage(deployment, source)
        stages.publish(deployment)


@pytest.fixture(scope="module")
def _small(_migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(_migrated, tmp_path_factory.mktemp("quarantine") / "home")
    (folder / "data").mkdir(exist_ok=True)
    for name, text in (("crm", CRM), ("shop", SHOP)):
        (folder / "data" / f"{name}.csv").write_text(text, encoding="utf-8")
        declared = YML.format(name=name, columns=COLUMNS[name])
        (folder / "sources" / f"{name}.yml").write_text(declared, encoding="utf-8")
    refresh(settings_module.load(folder))
    return folder


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A refreshed home with six findings; or, asked for as "empty", without customers."""
    if getattr(request, "param", "") == "empty":
        empty: Settings = request.getfixturevalue("empty_home")
        return empty
    made = shutil.copytree(request.getfixturevalue("_small"), tmp_path / "home")
    return settings_module.load(made)


def finding(wh: Warehouse, record_id: str) -> Finding:
    """The finding that stands on a record."""
    [one] = [one for one in findings.of_record(wh, record_id) if one.state != "repaired"]
    return one


def phones(wh: Warehouse, record_id: str) -> list[str] | None:
    """The phones of a staged record."""
    [record] = staged_records.read(wh, [record_id]).to_pylist()
    found: list[str] | None = record["phones"]
    return found


def golden_phones(wh: Warehouse) -> set[str]:
    """The phones of all golden customers."""
    return {one for row in export.read_golden(wh).to_pylist() for one in row["phones"] or ()}


def change(home: Settings, before: str, after: str) -> None:
    """Change the file of the crm."""
    path = home.home / "data" / "crm.csv"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def readable(page: str) -> str:
    """The text of a page."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page)))


def test_findings_are_told_by_source_and_rule_with_their_counts(client: Client) -> None:
    one = client("steward")
    page = readable(one.get("/quarantine").text)
    assert "phone_length Phones crm error: not used 3" in page
    assert "email_no_at E-mail crm error: not used 1" in page
    assert "phone_not_a_number Phones shop error: not used 1" in page
    assert "record_without_identity whole record crm error: not used 1" in page
    told = one.get("/api/v1/quarantine/counts").json()
    assert told["total"] == 6
    assert told["counts"][0] == {
        "source": "crm",
        "rule": "phone_length",
        "severity": "error",
        "field": "phones",
        "findings": 3,
    }
    narrow = readable(one.get("/quarantine?source=crm&rule=email_no_at").text)
    assert "wangfang.example.com" in narrow
    assert "call me" not in narrow
    nothing = one.get("/quarantine?source=shop&rule=email_no_at").text
    assert "No finding fits the filter" in nothing
    assert 'href="/quarantine"' in nothing


def test_a_mended_value_reaches_the_golden_table_until_the_source_changes_its_own(
    client: Client, wh: Warehouse, home: Settings
) -> None:
    one, path = client("steward"), f"/quarantine/{finding(wh, 'crm:C2').quarantine_id}"
    assert phones(wh, "crm:C2") is None
    said = one.post(f"{path}/check", data={"value": "138 0000 0002"}).text
    assert "+8613800000002" in said
    done = one.post(f"{path}/repair", data={"value": "138 0000 0002", "reason": "asked her"})
    assert (done.status_code, done.headers["location"][:12]) == (303, "/quarantine/")
    assert "waits for the next sync" in one.get(path).text
    assert "1 repair waits" in one.get("/quarantine").text
    refresh(home)
    assert phones(wh, "crm:C2") == ["+8613800000002"]
    assert "+8613800000002" in golden_phones(wh)
    assert "no longer found" in one.get(path).text
    change(home, "北京东路20号", "北京东路21号")
    refresh(home)
    assert phones(wh, "crm:C2") == ["+8613800000002"], "replayed; another cell changed"
    change(home, "李娜,1380000,", "李娜,13800000022,")
    refresh(home)
    assert phones(wh, "crm:C2") == ["+8613800000022"]
    assert "+8613800000002" not in golden_phones(wh)
    assert "overtaken" in one.get("/quarantine/repairs").text


def test_a_mended_value_that_is_taken_back_is_rejected_again(
    client: Client, wh: Warehouse, home: Settings
) -> None:
    one, of = client("steward"), finding(wh, "shop:S2")
    path = f"/api/v1/quarantine/{of.quarantine_id}"
    made = one.post(f"{path}/repair", json={"value": "13800000078"}).json()
    assert made["becomes"] == ["+8613800000078"]
    refresh(home)
    assert phones(wh, "shop:S2") == ["+8613800000078"]
    undone = one.post(f"/quarantine/repairs/{made['repair_id']}/undo")
    assert undone.headers["location"] == "/quarantine/repairs"
    again = one.post(f"/quarantine/repairs/{made['repair_id']}/undo")
    assert again.status_code == 409
    assert "It was undone already." in again.text
    refresh(home)
    assert phones(wh, "shop:S2") is None
    assert finding(wh, "shop:S2").state == "open"


def test_a_record_that_is_accepted_is_let_in(client: Client, wh: Warehouse, home: Settings) -> None:
    one, of = client("steward"), finding(wh, "crm:C4")
    assert of.whole_record
    assert not staged_records.read(wh, ["crm:C4"]).num_rows
    page = one.get(f"/quarantine/{of.quarantine_id}").text
    assert "the record is let in as it is" in page
    assert 'name="value"' not in page, "a whole record has no value to mend"
    one.post(f"/quarantine/{of.quarantine_id}/accept")
    refresh(home)
    assert staged_records.read(wh, ["crm:C4"]).num_rows == 1
    assert findings.get(wh, of.quarantine_id).state == "accepted"
    assert "accepted" in one.get("/quarantine?state=accepted").text


def test_a_value_that_its_rules_refuse_is_not_kept_and_the_page_says_why(
    client: Client, wh: Warehouse
) -> None:
    one, of = client("steward"), finding(wh, "crm:C2")
    refused = one.post(f"/quarantine/{of.quarantine_id}/repair", data={"value": "138-0000"})
    assert refused.status_code == 422
    assert f"This value cannot be used either: {TOO_SHORT}" in refused.text
    assert 'value="138-0000"' in refused.text, "what was entered can be corrected"
    assert 'aria-invalid="true"' in refused.text
    same = one.post(f"/quarantine/{of.quarantine_id}/repair", data={"value": " 1380000 "})
    assert same.status_code == 422
    assert "the source's own value" in html.unescape(same.text)
    path = f"/api/v1/quarantine/{of.quarantine_id}/repair"
    told = one.post(path, json={"value": "138-0000", "dry_run": True})
    assert told.status_code == 422
    assert told.json()["detail"].endswith(TOO_SHORT)
    one.post("/preferences", data={"language": "zh", "back": "/"})
    chinese = one.post(path, json={"value": "138-0000"}).json()["detail"]
    assert chinese == "此值同样无法使用：号码的位数不对，请核对。"
    assert repairs.listed(wh) == []
    assert one.post(path, json={"value": "13800000002", "dry_run": True}).json() == {
        "repair_id": None,
        "checked": True,
        "becomes": ["+8613800000002"],
        "problems": [],
    }
    assert repairs.listed(wh) == []


def test_of_two_stewards_the_second_is_told_who_was_first(client: Client, wh: Warehouse) -> None:
    of = finding(wh, "crm:C2")
    li, wang = client("steward", "li.na"), client("steward", "wang")
    page = f"/quarantine/{of.quarantine_id}"
    li.post(f"{page}/repair", data={"value": "13800000002"})
    for late in (
        wang.post(f"{page}/repair", data={"value": "13800000009"}),
        wang.post(f"{page}/accept"),
        wang.post(f"/api/v1{page}/accept", json={}),
    ):
        assert late.status_code == 409
        assert "li.na dealt with it already" in late.text
    [made] = repairs.listed(wh)
    assert (made.repaired_by, made.value) == ("li.na", "13800000002")


def test_a_viewer_sees_the_form_of_values_and_no_value(
    client: Client, wh: Warehouse, reading: Any
) -> None:
    steward, viewer = client("steward"), client("viewer")
    of = finding(wh, "crm:C2")
    steward.post(f"/quarantine/{of.quarantine_id}/repair", data={"value": "13800000002"})
    secrets = {
        "1380000", "call me", "wangfang.example", "李娜", "lina@", "北京东路", "13800000002",
    }  # fmt: skip
    paths = ["/quarantine?state=any", "/quarantine/repairs"]
    for each in findings.page(wh, Filter(state=None)).rows:
        paths.append(f"/quarantine/{each.quarantine_id}")
    told = ""
    for path in paths:
        for prefix in ("", "/api/v1"):
            seen = viewer.get(f"{prefix}{path}")
            assert seen.status_code == 200
            text = reading.all_of(seen.text)
            assert not {one for one in secrets if one in text}, path
            told += steward.get(f"{prefix}{path}").text
    assert all(one in told for one in secrets)
    shown = viewer.get(f"/api/v1/quarantine/{of.quarantine_id}").json()
    assert (shown["raw_value"], shown["value"]) == ("0000000", "00000000000")
    assert {cell["column"]: cell["text"] for cell in shown["cells"]}["Name"] == "＊＊"
    assert audit.verify(wh).ok


def test_many_are_accepted_if_they_are_as_many_as_was_told_and_taken_back_at_once(
    client: Client, wh: Warehouse
) -> None:
    one = client("steward")
    where = "/quarantine/accept?source=crm&rule=phone_length"
    assert "Accept 3 findings?" in one.get(where).text
    one.post(f"/quarantine/{finding(wh, 'crm:C2').quarantine_id}/accept")
    stale = one.post(where, data={"expected": 3})
    assert stale.status_code == 409
    assert "look at the list again" in stale.text
    which = {"source": "crm", "rule": "phone_length"}
    done = one.post("/api/v1/quarantine/accept", json={"which": which, "expected": 2}).json()
    assert done["findings"] == 2
    left = [each.rule for each in findings.page(wh, Filter()).rows]
    assert "phone_length" not in left
    assert len(left) == 3
    assert done["act"] in one.get(f"/quarantine/repairs?act={done['act']}").text
    undone = one.post(f"/api/v1/quarantine/repairs/{done['act']}/undo").json()
    assert undone["repairs"] == 2
    assert len(findings.page(wh, Filter()).rows) == 5


def test_the_api_lists_every_finding_and_repair_once(client: Client, wh: Warehouse) -> None:
    one = client("steward")
    for each in findings.page(wh, Filter(source="crm")).rows:
        one.post(f"/api/v1/quarantine/{each.quarantine_id}/accept", json={"reason": "so it is"})
    for path, name, key in (
        ("/api/v1/quarantine?state=any", "findings", "quarantine_id"),
        ("/api/v1/quarantine/repairs?", "repairs", "repair_id"),
    ):
        seen: list[str] = []
        after = ""
        while True:
            told = one.get(f"{path}&limit=2{after}").json()
            seen += [each[key] for each in told[name]]
            if told["after"] is None:
                break
            after = f"&after={told['after']}"
        assert len(seen) == len(set(seen)) == (6 if name == "findings" else 5)
    for wrong in ("after=x", "state=gone", "rul=x"):
        assert one.get(f"/api/v1/quarantine?{wrong}").status_code == 422, wrong
    assert one.get("/api/v1/quarantine/none").status_code == 404


def test_a_customers_page_leads_to_its_rejected_values(client: Client, wh: Warehouse) -> None:
    one, of = client("steward"), finding(wh, "crm:C2")
    found = one.get("/api/v1/customers", params={"q": "李娜"}).json()["customers"][0]
    one.post("/preferences", data={"language": "zh", "back": "/"})
    page = one.get(f"/customers/{found['golden_id']}").text
    assert f'href="/quarantine/{of.quarantine_id}"' in page
    assert "号码的位数不对，请核对。" in page


def test_without_the_lake_a_finding_is_shown_and_mended_unchecked(
    client: Client, wh: Warehouse, home: Settings
) -> None:
    one, of = client("steward"), finding(wh, "crm:C2")
    shutil.rmtree(Path(home.lake.removeprefix("file://")))
    assert "the lake is not at hand" in one.get(f"/quarantine/{of.quarantine_id}").text
    path = f"/api/v1/quarantine/{of.quarantine_id}/repair"
    assert one.post(path, json={"value": "13800000002"}).json()["checked"] is False


def test_a_mended_date_is_tried_in_the_order_of_its_column(
    client: Client, wh: Warehouse, home: Settings
) -> None:
    text = "Id,Name,Born\nS1,Joan Ashford,25/03/1980\nS3,Ann Ellery,31/02/1990\n"
    (home.home / "data" / "shop.csv").write_text(text, encoding="utf-8")
    declared = YML.format(name="shop", columns="{name: Name, birth_date: Born}")
    (home.home / "sources" / "shop.yml").write_text(f"{declared}country: US\n", encoding="utf-8")
    refresh(home)
    path = f"/api/v1/quarantine/{finding(wh, 'shop:S3').quarantine_id}/repair"
    told = client("steward").post(path, json={"value": "03/04/1990", "dry_run": True}).json()
    assert told["becomes"] == ["1990-04-03"], "days first, as Joan Ashford's date tells"


def test_of_a_source_or_record_that_is_gone_nothing_is_promised(
    client: Client, wh: Warehouse, home: Settings
) -> None:
    one, of = client("steward"), finding(wh, "crm:C2")
    other = finding(wh, "shop:S2").quarantine_id
    one.post(f"/quarantine/{of.quarantine_id}/repair", data={"value": "13800000002"})
    change(home, "C2,李娜,1380000,lina@example.com,南京,北京东路20号\n", "")
    (home.home / "sources" / "shop.yml").unlink()
    refresh(home)
    assert [made.state for made in repairs.listed(wh)] == ["overtaken"]
    page = one.get(f"/quarantine/{of.quarantine_id}").text
    assert "not in the newest snapshot" in page
    assert one.get(f"/quarantine/{other}").status_code == 200
    for act in ("repair", "accept"):
        refused = one.post(f"/quarantine/{other}/{act}", data={"value": "13800000078"})
        assert refused.status_code == 409
        assert "not declared any more" in refused.text


def test_of_stewards_at_once_one_repairs_a_finding(client: Client, wh: Warehouse) -> None:
    path = f"/quarantine/{finding(wh, 'crm:C2').quarantine_id}"
    stewards = [client("steward", f"s{number}") for number in range(6)]

    def repair(number: int) -> int:
        value = {"value": f"1380000001{number}"}
        act = ("repair", "accept")[number % 2]
        return stewards[number].post(f"{path}/{act}", data=value).status_code

    with ThreadPoolExecutor(len(stewards)) as threads:
        answers = sorted(threads.map(repair, range(len(stewards))))
    assert answers == [303, 409, 409, 409, 409, 409]
    assert len(repairs.listed(wh)) == 1
    assert audit.verify(wh).ok


@pytest.mark.parametrize("home", ["empty"], indirect=True)
def test_an_empty_quarantine_says_what_to_do(client: Client) -> None:
    one = client("viewer")
    page = html.unescape(one.get("/quarantine").text)
    assert "Nothing is in quarantine" in page
    assert "onefold refresh" in page
    assert "Nothing was mended or accepted yet" in one.get("/quarantine/repairs").text
    led = client("steward").get("/quarantine/accept")
    assert (led.status_code, led.headers["location"]) == (303, "/quarantine")


def test_by_keyboard_a_value_is_mended_another_accepted_and_both_taken_back(
    page: Callable[..., Any],
    axe: Callable[[Any], None],
    shot: Callable[..., None],
    wh: Warehouse,
) -> None:
    rows = findings.page(wh, Filter(rule="phone_length")).rows
    first, second = (f"/quarantine/{one.quarantine_id}" for one in rows[:2])
    steward = page("steward", "zh")
    steward.goto("/quarantine?rule=phone_length")
    axe(steward)
    shot(steward, "quarantine-zh")
    for key in ("j", "j", "k", "Enter"):
        steward.keyboard.press(key)
    steward.wait_for_url(f"**{first}?rule=phone_length")
    axe(steward)
    shot(steward, "finding-zh")
    steward.keyboard.press("e")
    expect(steward.get_by_label("改用的值")).to_be_focused()
    steward.keyboard.press("Control+A")
    steward.keyboard.type("1380001")
    expect(steward.locator("#check")).to_have_text("号码的位数不对，请核对。")
    steward.keyboard.press("Enter")
    wrong = steward.get_by_role("alert")
    expect(wrong).to_have_text("此值同样无法使用：号码的位数不对，请核对。")
    expect(steward.get_by_label("改用的值")).to_be_focused()
    axe(steward)
    steward.keyboard.press("Control+A")
    steward.keyboard.type("13800000002")
    expect(steward.locator("#check")).to_have_text("通过检查。 将变为： +8613800000002")
    axe(steward)
    steward.keyboard.press("Enter")
    steward.wait_for_url(f"**{second}?rule=phone_length")
    expect(steward.get_by_role("status").first).to_contain_text("已修正，下次同步时生效。")
    steward.keyboard.press("a")
    steward.wait_for_url(re.compile("/quarantine/(?!" + second[12:] + ")"))
    assert [one.kind for one in repairs.listed(wh)] == ["accept", "value"]
    steward.keyboard.press("u")  # to what was done last
    steward.wait_for_url(f"**{second}?rule=phone_length")
    steward.keyboard.press("u")  # and back
    steward.wait_for_url("**/quarantine/repairs")
    axe(steward)
    steward.goto(first)
    steward.keyboard.press("u")
    steward.wait_for_url("**/quarantine/repairs")
    assert [one.state for one in repairs.listed(wh)] == ["undone", "undone"]
    steward.keyboard.press("q")
    steward.wait_for_url("**/quarantine")
    steward.keyboard.press("?")
    expect(steward.get_by_role("dialog")).to_be_visible()
    axe(steward)

    viewer = page("viewer", "en", theme="dark", width=820)
    whole = finding(wh, "crm:C4").quarantine_id
    for path in ("/quarantine", first, f"/quarantine/{whole}", "/quarantine?rule=none"):
        viewer.goto(path)
        expect(viewer.locator("h1")).to_be_visible()
        axe(viewer)
        wide = viewer.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} is {wide} px wider than the window"
    shot(viewer, "quarantine-en-dark")
    assert all("Failed to load resource" in one for one in page.complaints)  # type: ignore[attr-defined]
    page.complaints.clear()  # type: ignore[attr-defined]
