"""Alerts: told once per change of state, to real servers and programs, and never in the way."""

import base64
import hashlib
import hmac
import json
import re
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from typer.testing import CliRunner

from onefold import settings
from onefold.cli.app import app
from onefold.errors import ConfigError, OnefoldError
from pipelines import alerting, definitions, stages
from pipelines.alerting import AlertPolicy, Hook
from pipelines.alerting.conditions import Condition
from pipelines.alerting.messages import Alert, text
from pipelines.run import instance, refresh
from warehouse import outcomes
from warehouse.outcomes import GoldenOutcome

Edit = Callable[[str, str, str], None]


class Service:
    """A webhook on this machine that keeps what it got and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.got.append((self.path, dict(self.headers), json.loads(body)))
                service.raw = body
                status, headers, answer = (
                    service.answers.pop(0) if service.answers else (200, {}, b'{"errcode":0}')
                )
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.raw = b""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def texts(self) -> list[str]:
        return [body["text"] for _, _, body in self.got]


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.alerting.delivery.PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("pipelines.alerting.delivery.LONGEST_PAUSE_SECONDS", 0.05)


def hook(home: Path, *hooks: dict[str, Any]) -> settings.Settings:
    """Give the home these hooks."""
    file = home / "onefold.yml"
    found = yaml.safe_load(file.read_text(encoding="utf-8")) | {"alerts": list(hooks)}
    file.write_text(yaml.safe_dump(found, allow_unicode=True), encoding="utf-8")
    return settings.load(home)


def sync(home: Path) -> None:
    """Read and stage both sources, noting how it went, as the assets do."""
    with stages.opened(home) as opened:
        for source in ("crm", "erp"):
            synced = stages.sync(opened, source)
            stages.note_source(opened, synced, stages.stage(opened, source))


def events(service: Service) -> list[tuple[str, str | None]]:
    """What was told so far: event and source."""
    return [(one["event"], one["source"]) for _, _, body in service.got for one in body["alerts"]]


def test_each_change_of_state_is_told_once_and_its_end_too(synced: Path, service: Service) -> None:
    config = hook(synced, {"kind": "json", "url": service.url})
    sync(synced)
    assert alerting.tell(config) == []
    crm = (synced / "data" / "crm.csv").read_bytes()
    (synced / "data" / "crm.csv").unlink()
    for _ in range(3):
        sync(synced)
        alerting.tell(config)
    assert events(service) == [("failed", "crm")]
    told = service.got[0][2]["alerts"][0]
    assert "crm.csv" in told["message"]
    assert told["last_good_at"]
    (synced / "data" / "crm.csv").write_bytes(crm)
    for _ in range(2):
        sync(synced)
        alerting.tell(config)
    assert events(service) == [("failed", "crm"), ("recovered", "crm")]
    assert service.got[1][2]["alerts"][0]["was"] == "failed"


def test_a_held_source_is_told_as_held(synced: Path, service: Service, world: Any) -> None:
    config = hook(synced, {"kind": "json", "url": service.url})
    world.write_erp(synced, world.ERP[:1])
    sync(synced)
    alerting.tell(config)
    assert events(service) == [("held", "erp")]


def test_staleness_is_told_when_it_comes_and_when_it_goes(synced: Path, service: Service) -> None:
    config = hook(synced, {"kind": "json", "url": service.url})
    sync(synced)
    late = datetime.now(UTC) + timedelta(hours=27)
    alerting.tell(config, late)
    alerting.tell(config, late + timedelta(hours=1))
    assert events(service) == [("stale", "crm")]
    sync(synced)
    alerting.tell(config)
    assert events(service) == [("stale", "crm"), ("recovered", "crm")]


def test_a_source_whose_file_broke_is_not_called_fresh_again(
    synced: Path, service: Service, edit: Edit
) -> None:
    config = hook(synced, {"kind": "json", "url": service.url})
    sync(synced)
    late = datetime.now(UTC) + timedelta(hours=27)
    alerting.tell(config, late)
    edit("sources/crm.yml", "key: Id", "kye: Id")
    alerting.tell(config, late)
    assert events(service) == [("stale", "crm"), ("failed", "crm")]


def test_a_source_that_was_removed_is_not_spoken_of(synced: Path, service: Service) -> None:
    config = hook(synced, {"kind": "json", "url": service.url})
    (synced / "data" / "crm.csv").unlink()
    sync(synced)
    alerting.tell(config)
    (synced / "sources" / "crm.yml").unlink()
    alerting.tell(config)
    assert events(service) == [("failed", "crm")]


def test_a_hook_is_told_only_of_what_it_asks_for(synced: Path, service: Service) -> None:
    config = hook(synced, {"kind": "json", "url": service.url, "on": ["stale"]})
    crm = (synced / "data" / "crm.csv").read_bytes()
    (synced / "data" / "crm.csv").unlink()
    sync(synced)
    alerting.tell(config)
    (synced / "data" / "crm.csv").write_bytes(crm)
    sync(synced)
    alerting.tell(config)
    assert service.got == []


def test_several_changes_are_one_message(synced: Path, service: Service, world: Any) -> None:
    config = hook(synced, {"kind": "slack", "url": service.url})
    (synced / "data" / "crm.csv").unlink()
    world.write_erp(synced, world.ERP[:1])
    sync(synced)
    alerting.tell(config)
    (said,) = service.texts()
    assert "Source crm: the sync failed." in said
    assert "Source erp: the sync is held back." in said
    assert said.startswith("[Onefold · home]")


def test_a_hook_that_fails_fails_no_refresh_and_is_told_again_later(
    synced: Path, service: Service
) -> None:
    config = hook(
        synced,
        {"kind": "json", "url": service.url, "tries": 2, "name": "ops"},
        {"kind": "slack", "url": service.url, "name": "other"},
    )
    (synced / "data" / "crm.csv").unlink()
    service.answers = [(503, {"Retry-After": "1"}, b""), (500, {}, b"")]
    lines: list[str] = []
    report = refresh(synced, on_progress=lines.append)
    assert report.published
    assert [len(service.got), service.got[2][2]["text"][:9]] == [3, "[Onefold "]
    assert any("alerts, ops: the alerts were not taken (found 127.0.0.1: HTTP 500" in one
               for one in lines)  # fmt: skip
    status = CliRunner().invoke(app, ["status", "--home", str(synced)])
    assert "Alerts of ops: not delivered since" in status.output
    soon = datetime.now(UTC) + timedelta(seconds=20)
    assert alerting.tell(config, soon) == []
    later = datetime.now(UTC) + timedelta(minutes=2)
    assert [one.error for one in alerting.tell(config, later)] == [""]
    assert service.got[-1][2]["alerts"][0]["source"] == "crm"
    assert not alerting.troubles(synced)


def test_a_refused_request_is_not_tried_again_at_once(synced: Path, service: Service) -> None:
    config = hook(synced, {"kind": "json", "url": service.url})
    service.answers = [(403, {}, b"")]
    (told,) = alerting.test(config)
    assert "HTTP 403" in told.error
    assert len(service.got) == 1


def test_a_variable_that_is_missing_keeps_no_sync_back(synced: Path) -> None:
    config = hook(synced, {"kind": "slack", "url": "${NO_SUCH_VARIABLE}"})
    (synced / "data" / "crm.csv").unlink()
    sync(synced)
    (told,) = alerting.tell(config)
    assert "NO_SUCH_VARIABLE" in told.error
    assert "NO_SUCH_VARIABLE" in alerting.troubles(synced)["slack"]
    assert "NO_SUCH_VARIABLE" in alerting.test(config)[0].error


def test_tokens_are_in_no_message(
    synced: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", "http://127.0.0.1:1/robot/send?access_token=t0ken")
    config = hook(synced, {"kind": "dingtalk", "url": "${HOOK}", "secret": "s3cret", "tries": 1})
    with caplog.at_level("DEBUG"):
        (told,) = alerting.test(config)
    assert "127.0.0.1: ConnectError" in told.error
    kept = told.error + caplog.text + repr(AlertPolicy.of(config))
    assert "t0ken" not in kept
    assert "s3cret" not in kept


def test_dingtalk_gets_its_form_and_signature(synced: Path, service: Service) -> None:
    url = f"{service.url}?access_token=x"
    config = hook(synced, {"kind": "dingtalk", "url": url, "secret": "SECabc"})
    assert alerting.test(config)[0].error == ""
    path, _, body = service.got[0]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
    stamp = query["timestamp"][0]
    assert len(stamp) == 13
    signed = hmac.new(b"SECabc", f"{stamp}\nSECabc".encode(), hashlib.sha256).digest()
    assert query["sign"][0] == base64.b64encode(signed).decode()
    assert query["access_token"] == ["x"]
    assert body["msgtype"] == "text"
    assert "测试消息" in body["text"]["content"]


def test_feishu_gets_its_form_and_signature(synced: Path, service: Service) -> None:
    service.answers = [(200, {}, b'{"code": 0, "msg": "success"}')]
    config = hook(synced, {"kind": "feishu", "url": service.url, "secret": "abc"})
    assert alerting.test(config)[0].error == ""
    body = service.got[0][2]
    key = f"{body['timestamp']}\nabc".encode()
    assert body["sign"] == base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
    assert body["msg_type"] == "text"
    assert "测试消息" in body["content"]["text"]


def test_json_is_signed_over_the_whole_body_and_has_the_headers(
    synced: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "t0ken")
    headers = {"Authorization": "Bearer ${TOKEN}"}
    config = hook(synced, {"kind": "json", "url": service.url, "secret": "abc", "headers": headers})
    alerting.test(config)
    _, got, _ = service.got[0]
    assert got["Authorization"] == "Bearer t0ken"
    signed = hmac.new(b"abc", service.raw, hashlib.sha256).hexdigest()
    assert got["X-Onefold-Signature"] == f"sha256={signed}"


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("dingtalk", b'{"errcode": 310000, "errmsg": "sign not match"}'),
        ("wecom", b'{"errcode": 93000, "errmsg": "invalid webhook url"}'),
        ("feishu", b'{"code": 19021, "msg": "sign match fail"}'),
        ("feishu", b"<html>"),
    ],
)
def test_a_refusal_inside_a_good_answer_is_a_refusal(
    synced: Path, service: Service, kind: str, answer: bytes
) -> None:
    service.answers = [(200, {}, answer)]
    (told,) = alerting.test(hook(synced, {"kind": kind, "url": service.url}))
    assert "code" in told.error


def test_a_program_gets_the_alerts_on_its_input_and_no_shell_reads_its_arguments(
    synced: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out; touch never.json"
    code = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    config = hook(synced, {"kind": "command", "command": [sys.executable, "-c", code, str(out)]})
    (synced / "data" / "crm.csv").unlink()
    sync(synced)
    assert [one.error for one in alerting.tell(config)] == [""]
    got = json.loads(out.read_text(encoding="utf-8"))
    assert [one["event"] for one in got["alerts"]] == ["failed"]
    assert "the sync failed" in got["text"]


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (["/no/such/program"], "No such file"),
        ([sys.executable, "-c", "raise SystemExit(7)"], "ended with 7"),
        ([sys.executable, "-c", "import time; time.sleep(60)"], "no end after 0.5 s"),
    ],
)
def test_a_program_that_fails_is_said(synced: Path, command: list[str], found: str) -> None:
    timeout = 0.5 if "time" in command[-1] else 20
    entry = {"kind": "command", "command": command, "tries": 1, "timeout": timeout}
    assert found in alerting.test(hook(synced, entry))[0].error


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "sms"}, "entry 1, kind"),
        ({"kind": "slack"}, "needs 'url'"),
        ({"kind": "command"}, "needs 'command'"),
        ({"kind": "slack", "url": "x", "secret": "y"}, "'secret' has no meaning for kind slack"),
        ({"kind": "slack", "url": "x", "chanel": "y"}, "entry 1, chanel"),
        ({"kind": "slack", "url": "x", "on": ["late"]}, "entry 1, on"),
    ],
)
def test_a_wrong_hook_is_said_in_words(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AlertPolicy.read([entry])


def test_a_bare_on_which_yaml_reads_as_true_is_taken() -> None:
    entries = yaml.safe_load("- {kind: slack, url: x, on: [stale]}")
    assert AlertPolicy.read(entries).hooks[0].on == ("stale",)


def test_every_setting_and_kind_of_a_hook_is_documented() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    table = guide.split("\n## Alerts")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(Hook.model_fields)
    for kind in ("dingtalk", "wecom", "feishu", "slack", "json", "command"):
        assert f"`{kind}`" in table


def test_two_hooks_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two hooks have one name"):
        AlertPolicy.read([{"kind": "slack", "url": "x"}, {"kind": "slack", "url": "y"}])


def test_a_text_fits_its_service_and_counts_what_it_leaves_out() -> None:
    from zoneinfo import ZoneInfo

    alerts = [
        Alert("failed", Condition(f"sync:{n}", "failed", f"s{n}", "原因" * 200)) for n in range(30)
    ]
    said = text(alerts, "home", ZoneInfo("UTC"), "zh", 2000)
    assert len(said.encode()) <= 2000
    told = said.count("同步失败")
    assert f"另有 {30 - told} 条" in said


def test_what_holds_the_golden_table_back_is_told_and_so_is_its_end(
    synced: Path, service: Service, world: Any
) -> None:
    config = hook(synced, {"kind": "json", "url": service.url})
    world.execute(synced, "DELETE FROM staged_customer WHERE record_id = 'erp:E4'")
    assert not refresh(synced).published
    alerting.tell(config)
    assert events(service) == [("held", None)]
    assert "no_record_lost" in service.got[0][2]["alerts"][0]["message"]
    with stages.opened(synced) as opened:
        stages.note_golden(opened)
    alerting.tell(config)
    assert events(service) == [("held", None), ("recovered", None)]


def test_a_refresh_that_stops_is_told(synced: Path, service: Service) -> None:
    hook(synced, {"kind": "json", "url": service.url})
    next((synced / "lake" / "candidates").glob("*.arrow")).write_bytes(b"13800000001")
    with pytest.raises(OnefoldError):
        refresh(synced)
    assert events(service) == [("failed", None)]
    assert "13800000001" not in service.raw.decode()


def test_a_warehouse_that_cannot_be_reached_is_told_and_nothing_else_recovers(
    synced: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = hook(synced, {"kind": "json", "url": service.url})
    (synced / "data" / "crm.csv").unlink()
    sync(synced)
    alerting.tell(config)
    monkeypatch.setenv("ONEFOLD_DATABASE_URL", "postgresql://a:b@127.0.0.1:1/none")
    away = settings.load(synced)
    alerting.tell(away)
    assert events(service) == [("failed", "crm"), ("failed", None)]
    alerting.tell(config)
    assert events(service)[2:] == [("recovered", None)]


def test_the_daemons_sensors_and_a_refresh_tell_a_failure_once(
    synced: Path, service: Service, world: Any
) -> None:
    hook(synced, {"kind": "json", "url": service.url})
    world.execute(synced, "DELETE FROM staged_customer WHERE record_id = 'erp:E4'")
    defs = definitions.build(synced)
    with instance(synced) as dagster:
        job = defs.resolve_job_def("sync_crm")
        result = job.execute_in_process(instance=dagster, raise_on_error=False)
        run = dagster.get_run_by_id(result.run_id)
        assert run is not None
        failure = next(e for e in result.all_events if e.event_type_value == "PIPELINE_FAILURE")
        context = dg.build_run_status_sensor_context(
            "failures_sensor", failure, dagster, run
        ).for_run_failure()
        defs.resolve_sensor_def("failures_sensor")(context)
        with dg.build_sensor_context(instance=dagster) as again:
            outcome = defs.resolve_sensor_def("alerts_sensor").evaluate_tick(again)
    assert outcome.skip_message == "Nothing changed that is to be told."
    assert alerting.tell(settings.load(synced)) == []
    assert events(service) == [("held", None)]


def test_a_failure_that_is_told_late_does_not_undo_a_later_publish(synced: Path) -> None:
    outcomes.note_golden(synced, GoldenOutcome("published"))
    earlier = (datetime.now(UTC) - timedelta(minutes=5)).isoformat(timespec="seconds")
    outcomes.note_golden(synced, GoldenOutcome("failed", "x", tried_at=earlier))
    golden = outcomes.read(synced).golden
    assert golden is not None
    assert golden.status == "published"


def test_no_alert_holds_a_customers_value(synced: Path, service: Service, world: Any) -> None:
    config = hook(
        synced, {"kind": "json", "url": service.url}, {"kind": "slack", "url": service.url}
    )
    path = synced / "data" / "crm.csv"
    path.write_text(world.CRM.replace("Id,Name", "Name"), encoding="utf-8")
    world.write_erp(synced, world.ERP[:1])
    sync(synced)
    alerting.tell(config)
    sent = json.dumps([body for _, _, body in service.got], ensure_ascii=False)
    assert "crm" in sent
    values = {cell for line in world.CRM.splitlines()[1:] for cell in line.split(",")[:7]}
    assert not {value for value in values if len(value) > 2 and value in sent} - {
        "person", "organization",
    }  # fmt: skip


def test_the_command_tells_what_is_due_and_sends_a_trial(synced: Path, service: Service) -> None:
    assert CliRunner().invoke(app, ["alert", "--home", str(synced)]).exit_code != 0
    hook(synced, {"kind": "wecom", "url": service.url})
    trial = CliRunner().invoke(app, ["alert", "--test", "--home", str(synced)])
    assert (trial.exit_code, trial.output.strip()) == (0, "wecom: sent.")
    assert service.got[0][2]["msgtype"] == "text"
    due = CliRunner().invoke(app, ["alert", "--home", str(synced)])
    assert (due.exit_code, due.output.strip()) == (0, "Nothing changed that is to be told.")
    service.answers = [(404, {}, b"")]
    assert CliRunner().invoke(app, ["alert", "--test", "--home", str(synced)]).exit_code == 1
