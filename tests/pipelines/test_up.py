"""onefold up: three processes start with one command and stop with one signal."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from onefold.errors import ConfigError
from pipelines.up import up

ROOT = Path(__file__).parents[2]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    """The process's children and theirs, from /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        if int(fields[1]) == pid:
            child = int(stat.parent.name)
            found += [child, *_children(child)]
    return found


def _serves(port: int, path: str = "server_info") -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as page:
            return page.status == 200
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _locations(port: int) -> list[str]:
    """The names under which the page serves definitions."""
    query = {"query": "{workspaceOrError {... on Workspace {locationEntries {name}}}}"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps(query).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        entries = json.load(answer)["data"]["workspaceOrError"]["locationEntries"]
    return [entry["name"] for entry in entries]


def test_page_daemon_and_review_app_start_together_and_stop_together(synced: Path) -> None:
    port, review_port = _free_port(), _free_port()
    code = (
        "import sys; from pathlib import Path; from pipelines.up import up;"
        f"sys.exit(up(Path({str(synced)!r}), {port}, {review_port}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (synced / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 120
        while not _serves(port) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.3)
        assert _serves(port), (synced / "up.log").read_text(encoding="utf-8")
        assert _locations(port) == ["onefold"]
        while not _serves(review_port, "health") and time.monotonic() < deadline:
            time.sleep(0.3)
        assert _serves(review_port, "health"), (synced / "up.log").read_text(encoding="utf-8")
        children = _children(process.pid)
        assert len(children) >= 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        deadline = time.monotonic() + 90
        left = children
        while left and time.monotonic() < deadline:
            left = [pid for pid in children if Path(f"/proc/{pid}").exists()]
            time.sleep(0.3)
        assert not left
        assert not _serves(port)
        assert not _serves(review_port, "health")
        log_text = (synced / "up.log").read_text(encoding="utf-8")
        assert "First login: admin, one-time password" in log_text
        assert f"http://127.0.0.1:{review_port}" in log_text
        assert "Traceback" not in log_text
    finally:
        if process.poll() is None:
            process.kill()


def test_a_taken_port_is_said_in_words(synced: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="another program uses it"):
            up(synced, taken.getsockname()[1])
        with pytest.raises(ConfigError, match="--review-port"):
            up(synced, _free_port(), taken.getsockname()[1])
