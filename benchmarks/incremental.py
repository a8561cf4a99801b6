"""What a refresh costs when few records changed: CPU of a full run and of the next ones.

    python -m benchmarks.incremental --records 1000000 --folder DIR [--results FILE]

One source, people with addresses (people.py), in a Parquet file: as they come
(everything is new), once more without a change, and with 1 % of the records
changed: a third of these updated, a third deleted, a third new. Each is one
``onefold refresh`` of its own, from reading the file to the published golden table,
with its CPU seconds by stage: what the process had used when Dagster began and ended
each. Then stewards answer three suggestions, and ``onefold apply`` brings that into the
golden table.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from benchmarks import measure, people
from pipelines import stages
from pipelines.run import instance
from warehouse import decisions
from warehouse.tables import merge_suggestion

SOURCE = """\
connector: parquet
path: {path}
key: record_id
customer_type: person
columns: {{given_name: first_name, family_name: last_name, birth_date: birth_date,
          address: street_address, city: city, region: state, postal_code: postcode,
          phone: phone, email: email}}
"""
ANSWERED = 3
"""Suggestions that stewards answer."""
FIELDS = ("phone", "email", "street_address", "last_name")
"""What an update changes one of, to what another record has."""
HOURS = 6


def changed(records: pa.Table, share: float, seed: int) -> pa.Table:
    """The records with a share of them updated, deleted and new, a third each."""
    random = np.random.default_rng(seed)
    size = records.num_rows
    third = max(1, round(size * share / 3))
    chosen = random.permutation(size)[: 2 * third]
    updated, deleted = chosen[:third], chosen[third:]
    field = random.integers(len(FIELDS), size=third)
    columns = {name: records[name].combine_chunks() for name in records.column_names}
    for number, name in enumerate(FIELDS):
        rows = updated[field == number]
        taken = np.arange(size)
        taken[rows] = random.integers(size, size=len(rows))
        columns[name] = columns[name].take(pa.array(taken))
    kept = np.ones(size, dtype=bool)
    kept[deleted] = False
    new = records.take(pa.array(random.integers(size, size=third)))
    ids = pa.array([f"N{seed}{number:07d}" for number in range(third)])
    new = new.set_column(new.column_names.index("record_id"), "record_id", ids)
    return pa.concat_tables([pa.table(columns).filter(pa.array(kept)), new])


def home(folder: Path, path: Path) -> Path:
    """A home whose only source is a file of people."""
    (folder / "sources").mkdir(parents=True)
    (folder / "onefold.yml").write_text("country: US\n", encoding="utf-8")
    (folder / "sources" / "people.yml").write_text(SOURCE.format(path=path), encoding="utf-8")
    return folder


def refreshed(place: Path, name: str) -> dict[str, object]:
    """One refresh of a home, measured."""
    spent: list[measure.Spent] = []
    told = _measured(place, "refresh", name, spent)
    return {**told, "parts": parts(_steps(place), spent, float(str(told["cpu_seconds"])))}


def applied(place: Path, name: str) -> dict[str, object]:
    """Stewards link the records of :data:`ANSWERED` suggestions; ``onefold apply``, measured."""
    with stages.opened(place) as home:
        with home.warehouse.read() as connection:
            query = sa.select(merge_suggestion.c.left_id, merge_suggestion.c.right_id)
            query = query.order_by(merge_suggestion.c.suggestion_id).limit(ANSWERED)
            pairs = [(row.left_id, row.right_id) for row in connection.execute(query)]
        for left, right in pairs:
            said = {"reason": "measured", "decided_by": "benchmark"}
            decisions.add(home.warehouse, "link", left_id=left, right_id=right, **said)
    return {"decisions": len(pairs), **_measured(place, "apply", name, [])}


def _measured(
    place: Path, command: str, name: str, spent: list[measure.Spent]
) -> dict[str, object]:
    program = [sys.executable, "-c", "from onefold.cli import program; program()"]
    log = place.parent / f"{name}.log"
    measured = measure.run(
        [*program, command, "--home", str(place)], log, HOURS * 3600, spent=spent
    )
    if measured.status != "done":
        raise RuntimeError(f"{name}: {measured.status}; see {log}")
    return measured.as_dict()


def parts(
    steps: Mapping[str, tuple[float, float]], spent: Sequence[measure.Spent], total: float
) -> dict[str, float]:
    """CPU seconds by stage, and of what came before, between and after them.

    Args:
        steps: stage → when it began and ended, seconds since 1970; one after the other.
        spent: CPU time of the process from moment to moment.
        total: its CPU time in all.
    """
    at, used = np.array([*spent]).reshape(-1, 2).T if spent else np.zeros((2, 1))
    found = {}
    for name, moments in sorted(steps.items(), key=lambda one: one[1]):
        start, end = np.interp(moments, at, used)
        found[name] = round(float(end - start), 2)
    return {**found, "other": round(total - sum(found.values()), 2)}


def _steps(place: Path) -> dict[str, tuple[float, float]]:
    """When each stage of the home's last run began and ended."""
    with instance(place) as dagster:
        last = dagster.get_runs(limit=1)[0].run_id
        told = dagster.get_run_step_stats(last)
        return {
            one.step_key: (one.start_time, one.end_time)
            for one in told
            if one.start_time is not None and one.end_time is not None
        }


def run(records: int, share: float, folder: Path) -> dict[str, object]:
    """All refreshes of a file of people, what the last costs of the first, and a few decisions."""
    folder.mkdir(parents=True)
    path = folder / "people.parquet"
    made = people.make(records, seed=7).records
    pq.write_table(made, path)
    place = home(folder / "home", path)
    runs = {"full": refreshed(place, "full"), "unchanged": refreshed(place, "unchanged")}
    pq.write_table(changed(made, share, seed=1), path)
    runs["changed"] = refreshed(place, "changed")
    runs["decided"] = applied(place, "decided")
    return {"records": records, "share": share, "runs": runs, "of_full": _of_full(runs)}


def _of_full(runs: Mapping[str, Mapping[str, object]]) -> float:
    whole, part = (float(str(runs[name]["cpu_seconds"])) for name in ("full", "changed"))
    return round(part / whole, 4)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--folder", type=Path, required=True, help="made, for data and home")
    parser.add_argument("--results", type=Path)
    arguments = parser.parse_args()
    found = run(arguments.records, arguments.share, arguments.folder)
    text = json.dumps(found, indent=1)
    print(text)
    if arguments.results:
        arguments.results.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
