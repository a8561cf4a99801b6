"""The commands of the review app: serving, accounts, audit log."""

import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from onefold import settings
from onefold.cli import home as homes
from onefold.cli.app import app
from onefold.errors import AccountError, ConfigError
from review import serving
from review.policy import ReviewPolicy
from review.security import passwords
from warehouse import accounts, engine
from warehouse.columns import REVIEW
from warehouse.review_tables import audit_event

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A migrated home."""
    folder = tmp_path / "home"
    homes.create(folder)
    engine.migrate(settings.load(folder))
    return folder


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--home", str(home)])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _served(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def test_the_first_start_prints_a_password_once_and_a_signal_ends_it(home: Path) -> None:
    port = _free_port()
    command = [sys.executable, "-c", "from onefold.cli import program; program()", "review"]
    process = subprocess.Popen(
        [*command, "--home", str(home), "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    try:
        deadline = time.monotonic() + 60
        while not _served(port) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        assert _served(port)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            process.kill()
    assert process.returncode == 0, said
    assert said.count("one-time password") == 1
    assert f"http://127.0.0.1:{port}" in said
    assert "Traceback" not in said
    given = re.search(r"one-time password (\S+)", said)
    assert given
    with closing(engine.connect(settings.load(home))) as wh:
        assert passwords.matches(accounts.password_hash(wh, "admin"), given.group(1))
        assert serving.first_account(wh) is None  # the next start has none to print


def test_accounts_are_made_listed_and_reset(home: Path) -> None:
    made = run(home, "account", "add", "Li.Na", "--role", "viewer", "--name", "Li Na")
    assert made.exit_code == 0, made.output
    first = re.search(r"one-time password (\S+)", made.output)
    listed = run(home, "account", "list").output
    assert "li.na" in listed and "viewer" in listed and "never" in listed
    reset = run(home, "account", "reset", "LI.NA").output
    second = re.search(r"one-time password (\S+)", reset)
    assert first and second and first.group(1) != second.group(1)
    with closing(engine.connect(settings.load(home))) as wh:
        kept = accounts.password_hash(wh, "li.na")
    assert passwords.matches(kept, second.group(1))
    assert isinstance(run(home, "account", "add", "li.na").exception, AccountError)


def test_the_audit_log_is_shown_and_a_changed_event_is_named(home: Path) -> None:
    for login in ("a", "b", "c"):
        run(home, "account", "add", login)
    shown = run(home, "audit", "show", "--limit", "2").output
    assert "account b" in shown and "account c" in shown and "account a" not in shown
    whole = run(home, "audit", "verify")
    assert (whole.exit_code, "3 events" in whole.output) == (0, True)
    noted = re.search(r"(\d+:[0-9a-f]{64})", whole.output)
    assert noted
    with closing(engine.connect(settings.load(home))) as wh, wh.write(REVIEW) as connection:
        connection.execute(audit_event.delete().where(audit_event.c.number == 3))
    assert run(home, "audit", "verify").exit_code == 0, "a cut-off end leaves a whole chain"
    assert run(home, "audit", "verify", "--expect", noted.group(1)).exit_code == 1
    with closing(engine.connect(settings.load(home))) as wh, wh.write(REVIEW) as connection:
        changed = audit_event.update().where(audit_event.c.number == 1)
        connection.execute(changed.values(login="nobody"))
    broken = run(home, "audit", "verify")
    assert broken.exit_code == 1
    assert "Event 1: its content was changed." in broken.output


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        ("UPDATE audit_event SET action = 'logout' WHERE number = 2", "Event 2: its content was"),
        ("DELETE FROM audit_event WHERE number = 2", "Event 2: the event is missing."),
        (
            "INSERT INTO audit_event (number, at, login, action, previous_hash, hash) "
            "SELECT 4, at, login, action, previous_hash, hash FROM audit_event WHERE number = 3",
            "Event 4: it does not follow the event before it.",
        ),
    ],
    ids=["tampered", "removed", "inserted"],
)
def test_verify_names_the_event_that_somebody_with_the_file_laid_hands_on(
    home: Path, tamper: str, said: str
) -> None:
    for login in ("a", "b", "c"):
        run(home, "account", "add", login)
    with closing(sqlite3.connect(home / "review.db")) as file, file:
        assert file.execute(tamper).rowcount == 1
    broken = run(home, "audit", "verify")
    assert (broken.exit_code, said in broken.output) == (1, True), broken.output


def with_section(home: Path, **section: object) -> settings.Settings:
    return settings.load(home).model_copy(update={"sections": {"review": section}})


def test_other_machines_reach_it_only_when_told_and_over_https(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain = settings.load(home)
    with pytest.raises(ConfigError, match="--open"):
        serving.listening(plain, "0.0.0.0", None, False)
    with pytest.raises(ConfigError, match="https only"):
        serving.listening(plain, "0.0.0.0", None, True)
    proxied = with_section(home, address="https://crm.example.com")
    assert serving.listening(proxied, "0.0.0.0", None, True).sections["review"]["host"]
    assert not caplog.text
    serving.listening(with_section(home, address="http://crm.example.com"), "0.0.0.0", None, True)
    assert "plain http" in caplog.text
    with pytest.raises(ConfigError, match="no such file"):
        serving.listening(with_section(home, certificate="cert.pem"), None, None, False)


def test_the_address_to_open_is_told(home: Path) -> None:
    assert serving.where(ReviewPolicy(port=3009)) == "http://127.0.0.1:3009"
    assert serving.where(ReviewPolicy(host="::1")) == "http://[::1]:3001"
    assert serving.where(ReviewPolicy(certificate="x.pem")) == "https://127.0.0.1:3001"
    assert serving.where(ReviewPolicy(address="https://crm.example.com/")).endswith(".com")


def test_a_taken_port_is_said_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="cannot listen"):
            serving.require_free("127.0.0.1", taken.getsockname()[1])
