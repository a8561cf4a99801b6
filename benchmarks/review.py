"""The review app on a large warehouse: how long its pages take, and 20 stewards at once.

python -m benchmarks.review --records 1000000 --cases 100000 [--database sqlite|URL]

Makes a store (benchmarks/review_store.py), serves the app as ``onefold review``
does, and asks for its pages over HTTP on 127.0.0.1: alone, then while another
process publishes changed customers, then as 20 stewards who decide as fast as
they can, with the publish beside, too. Times are those of one request after
another, as a steward waits for them; CPU is what the server's process used per
request, which does not hang on what else the machine does. Writes
benchmarks/results/review-*.json and the table of docs/benchmarks.md.
"""

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import sqlalchemy as sa

from benchmarks import review_store
from benchmarks.bench import machine
from benchmarks.table import PAGE, RESULTS, between, markdown
from onefold import settings
from review.security import sessions
from review.security.cookies import Cookies
from warehouse import accounts, audit, batches, cases, engine
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.review_tables import case_state, judgement
from warehouse.tables import golden_customer

START, END = "<!-- review:start -->", "<!-- review:end -->"
COOKIE = Cookies(secure=False).session
STEWARDS = 20
MEDIAN_MS, P95_MS = 100, 300
"""What queue, case and search may take."""
ENDS = ("cases", "answers", "accepted", "refused")
PROMISED = ("queue", "case", "search")


class Browser:
    """One steward's connection: keeps it alive, sends the cookie and the CSRF token."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self.headers = {"Cookie": f"{COOKIE}={token}", "Accept-Language": "zh"}
        me = json.loads(self.get("/api/v1/me")[1])
        self.headers["X-CSRF-Token"] = me["csrf_token"]

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def post(self, path: str, **form: str) -> tuple[int, str]:
        """Status and where it leads."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", path, urlencode(form), {**self.headers, **kind})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("location") or ""


# ------------------------------------------------------------------ the server
def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(home: Path) -> Iterator[tuple[int, int]]:
    """``onefold review`` on a home: its port and process id."""
    port = _free_port()
    onefold = Path(sys.executable).parent / "onefold"
    process = subprocess.Popen(
        [onefold, "review", "--home", home, "--port", str(port)], stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the app did not start")
            time.sleep(0.2)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ------------------------------------------------------------------ what is asked
def requests(wh: Warehouse, login: str, seed: int = 5) -> dict[str, list[str]]:
    """Addresses by what they ask for, ``page: what``; chosen from what the store holds."""
    chance = np.random.default_rng(seed)
    batch = batches.start(wh, cases.Filter(kind="merge"), "link", 20, login)
    order = cases.ids(wh, cases.Filter())
    some = [order[at] for at in chance.integers(0, len(order), 40)]
    deep = cases.get(wh, order[len(order) // 2]).row
    source = deep.sources[0]
    after = quote(f"{deep.expected_cost!r}~{deep.case_id}")
    query = sa.select(golden_customer).order_by(golden_customer.c.golden_id)
    with wh.read() as connection:
        size = connection.execute(sa.select(sa.func.count()).select_from(golden_customer)).scalar()
        rows = [
            connection.execute(query.offset(int(at)).limit(1)).mappings().one()
            for at in chance.integers(0, size or 1, 12)
        ]
    names = [row["name"] for row in rows if row["name"]]
    phones = [one for row in rows for one in row["phones"] or ()]
    emails = [one for row in rows for one in row["emails"] or ()]

    def search(typed: Sequence[str]) -> list[str]:
        return [f"/customers?q={quote(one)}" for one in typed]

    return {
        "queue: first page": ["/cases"],
        "queue: deep page": [f"/cases?after={after}"],
        "queue: one question": ["/cases?kind=merge", "/cases?kind=split", "/cases?kind=override"],
        "queue: one source": [f"/cases?source={source}", f"/cases?source={source}&after={after}"],
        "queue: one type": ["/cases?type=person", "/cases?type=organization"],
        "queue: one band": ["/cases?band=4", "/cases?band=0", f"/cases?band=4&after={after}"],
        "queue: one reason": [f"/cases?reason={deep.reason}"],
        "queue: a state": [
            "/cases?state=decided",
            "/cases?state=skipped",
            "/cases?state=open,skipped,unsure,waiting,decided",
        ],
        "queue: assigned": ["/cases?assignee=me", "/cases?assignee=nobody"],
        "queue: age": ["/cases?days=1", "/cases?days=90"],
        "queue: source, type and band": [f"/cases?source={source}&type=organization&band=5"],
        "case: any": [f"/cases/{one}" for one in some],
        "case: in a narrow queue": [f"/cases/{one}?source={source}&band=4" for one in some[:20]],
        "search: name": search(names),
        "search: pinyin": search(["zhangwei", "wang fang", "li na", "zw"]),
        "search: phone": search(phones[:8]),
        "search: e-mail": search(emails[:8]),
        "search: id": search([row["golden_id"] for row in rows[:4]]),
        "search: common beginning": search(["zhang", "z", "138", "1", "张", "王", "crm:"]),
        "search: two words": search(["zhang wei", "wang 138", "li s"]),
        "search: nothing there": search(["qqqq", "99999999999"]),
        "customer": [f"/customers/{row['golden_id']}" for row in rows],
        "dashboard": ["/"],
        "batch: list": ["/batches"],
        "batch: new": ["/batches/new", "/batches/new?kind=merge", f"/batches/new?source={source}"],
        "batch: its sample": [f"/batches/{batch.batch_id}"],
        "batch: case of its sample": [
            f"/cases/{one}?batch={batch.batch_id}" for one in batch.to_judge
        ],
        "decisions": ["/judgements"],
        "second looks": ["/second"],
    }


def admins_requests(wh: Warehouse) -> dict[str, list[str]]:
    """As :func:`requests`: what only admins may see."""
    last = audit.show(wh, limit=1)[0]
    seen = f"object_kind=case&object_id={cases.queue(wh, limit=1).rows[0].case_id}"
    return {
        "audit: latest": ["/audit"],
        "audit: in the middle": [f"/audit?before={last.number // 2}"],
        "audit: one person, act, thing or day": [
            "/audit?login=steward00",
            "/audit?action=apply_batch",
            f"/audit?{seen}",
            "/audit?object_kind=batch",
            f"/audit?day={last.at:%Y-%m-%d}",
            "/audit?day=2020-02-02",
        ],
        "people": ["/people"],
    }


def ask(browser: Browser, pid: int, asked: dict[str, list[str]], times: int) -> dict[str, Any]:
    """Milliseconds and CPU of each kind of request."""
    found: dict[str, Any] = {}
    for what, paths in asked.items():
        took: list[float] = []
        cpu = cpu_seconds(pid)
        rounds = max(times, len(paths))
        for number in range(rounds):
            start = time.perf_counter()
            status, _ = browser.get(paths[number % len(paths)])
            took.append((time.perf_counter() - start) * 1000)
            if status not in (200, 303):
                raise SystemExit(f"{what}: status {status}")
        spent = (cpu_seconds(pid) - cpu) * 1000 / rounds
        found[what] = {**spread(took), "cpu_ms": round(spent, 1)}
        print(f"  {what:32} {told(found[what])}", flush=True)
    return found


def spread(took: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum."""
    values = np.percentile(np.array(took), [50, 95, 100])
    names = ("p50_ms", "p95_ms", "max_ms")
    return {name: round(float(one), 1) for name, one in zip(names, values, strict=True)}


def told(one: dict[str, float]) -> str:
    """Figures in one line."""
    return (
        f"p50 {one['p50_ms']:7.1f}  p95 {one['p95_ms']:7.1f}  max {one['max_ms']:7.1f} ms"
        f"  cpu {one['cpu_ms']:6.1f} ms"
    )


# ------------------------------------------------------------------ stewards at once
class Desk:
    """What stewards who decide at the same time were answered."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self.accepted: list[str] = []
        self.refused = 0
        self.errors = 0
        self._lock = threading.Lock()

    def judge(self, browser: Browser, case_id: str, kind: str) -> None:
        """Decide a case that was not touched when the steward saw it."""
        start = time.perf_counter()
        status, to = browser.post(f"/cases/{case_id}/judge", kind=kind, version="0")
        with self._lock:
            self.took.append((time.perf_counter() - start) * 1000)
            if status == 303 and to.startswith("/cases"):
                self.accepted.append(case_id)
            elif status == 409:
                self.refused += 1
            else:
                self.errors += 1

    def work(self, tokens: Sequence[str], port: int, of: Callable[[int], Sequence[str]]) -> float:
        """Every steward decides the cases that ``of`` names; gives wall seconds."""

        def steward(place: int) -> None:
            browser = Browser(port, tokens[place])
            for case_id in of(place):
                self.judge(browser, case_id, "link" if place % 2 else "no_link")

        threads = [threading.Thread(target=steward, args=(place,)) for place in range(len(tokens))]
        start = time.perf_counter()
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        return time.perf_counter() - start

    def report(self, wh: Warehouse, wanted: Sequence[str]) -> dict[str, int]:
        """What was answered against what is stored."""
        with wh.read(REVIEW) as connection:
            judged = connection.execute(
                sa.select(judgement.c.case_id, sa.func.count())
                .where(judgement.c.case_id.in_(wanted), judgement.c.state == "in_force")
                .group_by(judgement.c.case_id)
            ).all()
            decided = connection.execute(
                sa.select(sa.func.count())
                .select_from(case_state)
                .where(case_state.c.case_id.in_(wanted), case_state.c.state == "decided")
            ).scalar_one()
        return {
            "cases": len(wanted),
            "answers": len(self.took),
            "accepted": len(self.accepted),
            "refused": self.refused,
            "errors": self.errors,
            "lost": len(set(self.accepted) - {case_id for case_id, _ in judged}),
            "decided_twice": sum(count > 1 for _, count in judged)
            + len(self.accepted)
            - len(set(self.accepted)),
            "left_open": len(wanted) - int(decided),
        }


def decide(wh: Warehouse, port: int, pid: int, tokens: Sequence[str], each: int) -> dict[str, Any]:
    """Stewards at once: first all on the same cases, then each on some of their own."""
    order = cases.ids(wh, cases.Filter(assignee=cases.NOBODY))  # nobody touched these before
    shared, own = order[: 2 * each], order[2 * each : (2 + len(tokens)) * each]
    found: dict[str, Any] = {"stewards": len(tokens)}
    for what, wanted, of in (
        ("same_cases", shared, lambda place: shared[place:] + shared[:place]),
        ("own_cases", own, lambda place: own[place * each : (place + 1) * each]),
    ):
        desk, cpu = Desk(), cpu_seconds(pid)
        wall = desk.work(tokens, port, of)
        spent = (cpu_seconds(pid) - cpu) * 1000 / len(desk.took)
        found[what] = {
            **desk.report(wh, wanted),
            "wall_seconds": round(wall, 1),
            "answers_per_second": round(len(desk.took) / wall, 1),
            **spread(desk.took),
            "cpu_ms": round(spent, 1),
        }
    return found


# ------------------------------------------------------------------ the bench
def run(home: Path, times: int, each: int) -> dict[str, Any]:
    """Measure on a home that is filled.

    Args:
        home: the home.
        times: requests of each kind.
        each: cases that every steward decides.
    """
    wh = engine.connect(settings.load(home))
    try:
        logins = [f"steward{number:02}" for number in range(STEWARDS)]
        tokens = [_token(wh, login) for login in logins]
        admin = _token(wh, "admin00", "admin")
        with publishing(home) as publisher:
            review_store.history(wh, logins)
            asked = [(tokens[0], requests(wh, logins[0])), (admin, admins_requests(wh))]
            with served(home) as (port, pid):

                def all_asked(rounds: int) -> dict[str, Any]:
                    parts = [ask(Browser(port, token), pid, some, rounds) for token, some in asked]
                    return {what: one for part in parts for what, one in part.items()}

                for token, some in asked:
                    browser = Browser(port, token)
                    for path in (one for paths in some.values() for one in paths):
                        browser.get(path)
                publisher.wait("ready")
                print("alone", flush=True)
                found: dict[str, Any] = {"load_alone": load(), "alone": all_asked(times)}
                print("while another process publishes", flush=True)
                publisher.tell("go")
                publisher.wait("going")
                found |= {"load_publishing": load(), "publishing": all_asked(times)}
                print(f"{STEWARDS} stewards decide", flush=True)
                found["deciding"] = decide(wh, port, pid, tokens, each)
                print(f"  {found['deciding']}", flush=True)
        return {**found, "publishes": publisher.report}
    finally:
        wh.close()


def load() -> float:
    """Processes that wanted to run in the last minute, on average: this program's are some."""
    return round(os.getloadavg()[0], 1)


def _token(wh: Warehouse, login: str, role: accounts.Role = "steward") -> str:
    if accounts.find(wh, login) is None:
        accounts.add(wh, login, full_name=login, role=role, created_by="onefold")
        accounts.set_password(wh, login, "-", by=login, must_change=False)
    return sessions.new(wh, login, timedelta(hours=12))


@dataclass
class Publisher:
    """Another process, which publishes again and again once it is told to.

    Attributes:
        home: the home; files in it are how both tell each other where they are.
        process: runs benchmarks/review_store.py.
        report: of each publish, once it ended.
    """

    home: Path
    process: subprocess.Popen[str]
    report: list[dict[str, float]]

    def wait(self, sign: str) -> None:
        """Until it says ``ready`` (it has read all it changes) or ``going``."""
        while not (self.home / sign).exists():
            if self.process.poll() is not None:
                raise SystemExit("the publish did not start")
            time.sleep(0.2)

    def tell(self, sign: str) -> None:
        """To ``go`` or to ``stop``: no further publish begins."""
        (self.home / sign).touch()


@contextmanager
def publishing(home: Path) -> Iterator[Publisher]:
    """A publisher, ready or nearly so; it is stopped at the end."""
    for sign in review_store.SIGNS:
        (home / sign).unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.review_store", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    publisher = Publisher(home, process, [])
    try:
        yield publisher
    except BaseException:
        process.terminate()
        raise
    publisher.tell("stop")
    publisher.tell("go")
    said, _ = process.communicate()
    publisher.report.extend(json.loads(said))


# ------------------------------------------------------------------ what is told
def table(result: dict[str, Any]) -> str:
    """The figures of a run as Markdown."""
    names = ("p50_ms", "p95_ms", "max_ms", "cpu_ms")
    head = ["page", "", "median ms", "95 % ms", "slowest ms", "CPU ms"]
    rows = [head + [f"{one}, publish beside" for one in head[2:]]]
    for what, alone in result["alone"].items():
        page, _, which = what.partition(": ")
        beside = result["publishing"][what]
        rows.append([page, which, *(f"{one[n]:.0f}" for one in (alone, beside) for n in names)])
    return markdown(rows)


def document(result: dict[str, Any]) -> str:
    """What docs/benchmarks.md says of a run."""
    store, box = result["store"], result["machine"]
    lines = [
        f"{result['database']}: {store['records']:,} records, {store['customers']:,} golden"
        f" customers, {store['cases']:,} cases. {box['processor']}, {box['cores']} cores;"
        f" load {result['load_alone']} when asked alone and {result['load_publishing']} with a"
        f" publish beside, of which the bench is some; made {result['made_at']}.",
        "",
        *((result["note"], "") if result.get("note") else ()),
        table(result),
        "",
        "| 20 stewards | cases | answers | accepted | refused | lost | decided twice | errors |"
        " median ms | 95 % ms | answers per second | CPU ms |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, what in (("same_cases", "on the same cases"), ("own_cases", "on their own cases")):
        one = result["deciding"][name]
        told_ = [one[key] for key in (*ENDS, "lost", "decided_twice", "errors")]
        cells = [f"{number:,}" for number in told_]
        cells += [f"{one['p50_ms']:.0f}", f"{one['p95_ms']:.0f}"]
        cells += [f"{one['answers_per_second']:g}", f"{one['cpu_ms']:.0f}"]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    lines += ["", _publishes(result["publishes"])]
    return "\n".join(lines)


def _publishes(wrote: Sequence[dict[str, float]]) -> str:
    """What was published meanwhile."""
    if not wrote:
        return "Meanwhile one publish was under way and did not end."
    wall = [one["wall_seconds"] for one in wrote]
    return (
        f"Meanwhile {len(wrote)} publishes, each of {wrote[0]['changed']:,} changed customers or"
        f" so: {min(wall):.0f} to {max(wall):.0f} s,"
        f" {max(one['cpu_seconds'] for one in wrote):.0f} CPU s at most."
    )


def misses(result: dict[str, Any]) -> list[str]:
    """What is slower than promised while a publish runs."""
    return [
        f"{what}: {told(one)}"
        for what, one in result["publishing"].items()
        if what.partition(":")[0] in PROMISED
        and (one["p50_ms"] > MEDIAN_MS or one["p95_ms"] > P95_MS)
    ]


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.review", description=__doc__)
    asked.add_argument("--records", type=int, default=1_000_000)
    asked.add_argument("--cases", type=int, default=100_000)
    asked.add_argument("--database", default="sqlite", help="sqlite, or the URL of an empty one")
    asked.add_argument("--home", type=Path, help="measure on this home, made by an earlier run")
    asked.add_argument("--keep", type=Path, help="make the home here, and keep it")
    asked.add_argument("--times", type=int, default=40, help="requests of each kind")
    asked.add_argument("--each", type=int, default=20, help="cases that a steward decides")
    asked.add_argument("--results", type=Path, default=RESULTS)
    given = asked.parse_args()
    box = machine()
    with tempfile.TemporaryDirectory(prefix="onefold-review-") as scratch:
        home = given.home or given.keep or Path(scratch) / "home"
        if given.database != "sqlite":
            os.environ["ONEFOLD_DATABASE_URL"] = given.database
        if given.home is None:
            review_store.build(home, Path(scratch) / "demo", given.records, given.cases)
        engine.migrate(settings.load(home))
        store = review_store.sizes(home)
        result = {
            "database": "SQLite" if given.database == "sqlite" else "PostgreSQL",
            "store": store,
            "machine": box,
            "made_at": f"{datetime.now(UTC):%Y-%m-%d}",
            **run(home, given.times, given.each),
        }
    name = f"review-{result['database'].lower()}-{store['records'] // 1000}k.json"
    (given.results / name).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if given.results == RESULTS:
        write(RESULTS)
    print(document(result))
    for line in misses(result):
        print(f"slower than promised: {line}")


def write(folder: Path, file: Path = PAGE) -> None:
    """Write the tables of all results between the marks of the document."""
    found = [json.loads(one.read_text(encoding="utf-8")) for one in folder.glob("review-*.json")]
    found.sort(key=lambda one: (-one["store"]["records"], one["database"]))
    between(file, "\n\n".join(document(one) for one in found), (START, END))


if __name__ == "__main__":
    main()
