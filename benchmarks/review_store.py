"""A warehouse of any size for the bench of the review app: the demo's customers, many times.

What belongs here: making the store through the same functions that a refresh
writes with, and publishing into it again. Every copy of the demo has its own
ids, phone numbers, e-mail addresses and, for people with Chinese names, another
last character, so that a search finds as many as it would in life. Cases are
the demo's, put on customers with as many records, with the evidence of the case
they come from.

python -m benchmarks.review_store HOME publishes changes again and again. Files in the home say
where it is: it makes ``ready`` when it has read what it changes and waits for ``go``, makes
``going`` when the first publish is about to write, and begins no other once there is ``stop``.
"""

import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace as replaced
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dedupe import identity
from dedupe.cases import CASES_SCHEMA, MEMBERS_SCHEMA, PAIRS_SCHEMA, Cases
from dedupe.identity import EVENTS_SCHEMA, REDIRECT_SCHEMA, Identity
from dedupe.suggestions import SUGGESTIONS_SCHEMA
from dedupe.survivorship import GOLDEN_SCHEMA, PROVENANCE_SCHEMA, Consolidated
from onefold import settings
from onefold.cli import home as homes
from onefold.settings import Settings
from pipelines import stages
from rules.quarantine import QUARANTINE_SCHEMA
from rules.text import has_han
from warehouse import (
    audit,
    batches,
    case_states,
    case_tables,
    engine,
    judgements,
    publish,
    rows,
    staged,
    staged_records,
    sync_runs,
    text_form,
)
from warehouse import cases as case_store
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.tables import (
    case_evidence,
    case_member,
    golden_customer,
    golden_field,
    review_case,
    staged_customer,
)

_PHONE = re.compile(r"\d{8}$")
_STRIDE = 100_000
"""Golden ids per copy."""
SIGNS = ("ready", "go", "going", "stop")
"""Files in the home by which the bench and the process that publishes follow each other."""
_LOOKS = 50_000
"""Looks at cases in the audit log."""
_STEP = 104_729
"""A prime: how far a phone number moves from copy to copy."""


class Base:
    """The demo as published: what is copied."""

    def __init__(self, wh: Warehouse) -> None:
        self.staged = staged_records.read(wh)
        self.crosswalk = publish.read_identity(wh).crosswalk
        self.consolidated = stored(wh)
        cases, members, evidence = stored_cases(wh)
        self.cases = cases.to_pylist()
        self.evidence = dict(
            zip(evidence["case_id"].to_pylist(), evidence["evidence"].to_pylist(), strict=True)
        )
        self.records: dict[str, list[str]] = defaultdict(list)
        for row in self.crosswalk.to_pylist():
            self.records[row["golden_id"]].append(row["record_id"])
        self.members: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for row in members.to_pylist():
            self.members[row["case_id"]][row["golden_id"]].append(row["record_id"])
        self.names = dict(
            zip(
                self.consolidated.golden["golden_id"].to_pylist(),
                self.consolidated.golden["name"].to_pylist(),
                strict=True,
            )
        )
        ends = {name[-1] for name in self.names.values() if name and _is_person(name)}
        self.ends = sorted(ends)

    def layouts(self, wanted: int) -> list[tuple[dict[str, Any], dict[str, str]]]:
        """A case and old golden id → new one, for so many cases of one copy.

        No customer is in two of them.
        """
        free: dict[int, list[str]] = defaultdict(list)
        for golden_id, ids in self.records.items():
            free[len(ids)].append(golden_id)
        found: list[tuple[dict[str, Any], dict[str, str]]] = []
        usable = [one for one in self.cases if self._whole(one)]
        while len(found) < wanted:
            before = len(found)
            for case in usable:
                sizes = [len(self.records[one]) for one in case["golden_ids"]]
                if all(len(free[size]) >= sizes.count(size) for size in sizes):
                    place = {
                        one: free[size].pop()
                        for one, size in zip(case["golden_ids"], sizes, strict=True)
                    }
                    found.append((case, place))
                if len(found) == wanted:
                    break
            if len(found) == before:
                raise SystemExit(f"only {before} cases fit a copy of the demo, not {wanted}")
        return found

    def _whole(self, case: dict[str, Any]) -> bool:
        """Whether all records of its customers are in it (a split may show some)."""
        held = self.members[case["case_id"]]
        return all(len(held[one]) == len(self.records[one]) for one in case["golden_ids"])


def _is_person(name: str) -> bool:
    return 2 <= len(name) <= 3 and has_han(name)


def stored(wh: Warehouse) -> Consolidated:
    """Golden customers and their provenance as last published."""
    with wh.read() as connection:
        golden = rows.read(connection, golden_customer, GOLDEN_SCHEMA.names)
        trail = rows.read(connection, golden_field, PROVENANCE_SCHEMA.names)
    return Consolidated(
        text_form.decode(golden, GOLDEN_SCHEMA).sort_by("golden_id"),
        text_form.decode(trail, PROVENANCE_SCHEMA).sort_by(
            [("golden_id", "ascending"), ("field", "ascending"), ("item", "ascending")]
        ),
    )


def stored_cases(wh: Warehouse) -> tuple[pa.Table, pa.Table, pa.Table]:
    """CASES_SCHEMA, MEMBERS_SCHEMA and EVIDENCE_SCHEMA as last published."""
    with wh.read() as connection:
        cases = rows.read(connection, review_case, CASES_SCHEMA.names)
        members = rows.read(connection, case_member, MEMBERS_SCHEMA.names)
        evidence = rows.read(connection, case_evidence, case_tables.EVIDENCE_SCHEMA.names)
    return text_form.decode(cases, CASES_SCHEMA), members, evidence


def base(folder: Path) -> Base:
    """The Chinese demo, refreshed in a folder."""
    homes.create_demo(folder, Path(str(resources.files("demo") / "zh")), "zh")
    with stages.opened(folder) as deployment:
        for source in deployment.sources:
            stages.sync(deployment, source)
            stages.stage(deployment, source)
        stages.publish(deployment)
    wh = engine.connect(settings.load(folder))
    try:
        return Base(wh)
    finally:
        wh.close()


# ------------------------------------------------------------------ one copy
def _keys(column: pa.ChunkedArray, copy: int) -> pa.ChunkedArray:
    """Source keys of a copy; in the order of the copies, so that tables are written in order."""
    return pc.binary_join_element_wise(f"{copy:04d}", column, "-")


def _record(record_id: str, copy: int) -> str:
    source, key = record_id.split(":", 1)
    return f"{source}:{copy:04d}-{key}"


def _golden(golden_id: str, copy: int) -> str:
    return identity.golden_id(int(golden_id[len(identity.PREFIX) :]) + copy * _STRIDE)


def _each(column: pa.ChunkedArray, name: Callable[[str, int], str], copy: int) -> pa.Array:
    """A column with every id replaced by the copy's."""
    parts = column.combine_chunks().dictionary_encode()
    named = pa.array([name(one, copy) for one in parts.dictionary.to_pylist()], pa.string())
    return named.take(parts.indices)


def _phone(number: str, copy: int) -> str:
    return _PHONE.sub(lambda m: f"{(int(m[0]) + copy * _STEP) % 100_000_000:08d}", number)


def _email(address: str, copy: int) -> str:
    return address.replace("@", f"{copy}@", 1)


def _name(name: str | None, copy: int, ends: list[str]) -> str | None:
    if not name or not _is_person(name):
        return name
    place = (ends.index(name[-1]) + copy * 7) % len(ends) if name[-1] in ends else copy
    return name[:-1] + ends[place % len(ends)]


def _people(table: pa.Table, copy: int, ends: list[str]) -> pa.Table:
    """Staged or golden columns with the copy's names, phones and addresses."""
    changed: dict[str, list[Any]] = {
        "name": [_name(one, copy, ends) for one in table["name"].to_pylist()],
        "phones": [one and [_phone(n, copy) for n in one] for one in table["phones"].to_pylist()],
        "emails": [one and [_email(e, copy) for e in one] for one in table["emails"].to_pylist()],
    }
    for name, values in changed.items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(values, table.schema.field(name).type))
    return table


def _put(table: pa.Table, **columns: pa.ChunkedArray) -> pa.Table:
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _staged(of: Base, copy: int) -> pa.Table:
    keys = _keys(of.staged["source_key"], copy)
    record = pc.binary_join_element_wise(of.staged["source"], keys, ":")
    return _people(_put(of.staged, source_key=keys, record_id=record), copy, of.ends)


def _cases(
    of: Base, copy: int, layouts: list[tuple[dict[str, Any], dict[str, str]]], chance: Any
) -> Iterator[tuple[dict[str, Any], list[dict[str, str]], str]]:
    """Each case with its members and evidence."""
    for number, (case, place) in enumerate(layouts):
        probability = case["probability"]
        if probability is not None:
            probability = float(np.clip(chance.normal(probability, 0.15), 0.02, 0.98))
        case_id = f"C{copy:04d}{number:04d}"
        said = of.evidence.get(case["case_id"]) or "{}"
        members = []
        for old, new in place.items():
            for was, now in zip(of.members[case["case_id"]][old], of.records[new], strict=True):
                source = now.split(":", 1)[0]
                said = said.replace(f'"{was}"', f'"{_record(now, copy)}"')
                members.append(
                    {
                        "case_id": case_id,
                        "record_id": _record(now, copy),
                        "golden_id": _golden(new, copy),
                        "source": source,
                    }
                )
        sources = sorted({one["source"] for one in members})
        row = {
            **case,
            "case_id": case_id,
            "title": _name(of.names[place[case["golden_ids"][0]]], copy, of.ends) or "",
            "golden_ids": [_golden(place[one], copy) for one in case["golden_ids"]],
            "sources": sources,
            "source_count": len(sources),
            "probability": probability,
            "band": min(int((probability or 0.0) * 10), 9),
            "expected_cost": float(case["expected_cost"] * chance.uniform(0.2, 2.0)),
        }
        yield row, members, said


# ------------------------------------------------------------------ the whole store
def build(home: Path, scratch: Path, records: int, cases: int) -> None:
    """Make a home and fill its warehouse.

    Args:
        home: folder to make.
        scratch: folder to make for the demo that is copied.
        records: staged records, at least.
        cases: cases in the queue.
    """
    of = base(scratch)
    homes.create(home)
    target = settings.load(home)
    engine.migrate(target)
    make(target, of, records, cases)


def history(wh: Warehouse, logins: Sequence[str]) -> None:
    """What stewards did before: decisions by the thousand, assigned cases, a long audit log.

    Args:
        wh: the filled warehouse.
        logins: who did it.
    """
    if audit.show(wh, action="apply_batch", limit=1):
        return  # the home was measured before
    usual = case_store.Filter(kind="merge", band=1)
    batch = batches.start(wh, usual, "no_link", 20, logins[0])
    for case_id in batch.sample:
        judgements.judge(wh, case_id, "no_link", logins[0], 0)
    batches.apply(wh, batch.batch_id, logins[0])
    for number, row in enumerate(case_store.queue(wh, after=(1e9, ""), limit=400).rows):
        login = logins[number % len(logins)]
        if number % 2:
            case_states.assign(wh, row.case_id, login, login, row.version)
        else:
            state = "skipped" if number % 4 else "unsure"
            case_states.mark(wh, row.case_id, state, login, row.version)
    order = case_store.ids(wh, case_store.Filter())
    with wh.write(REVIEW) as connection:
        for number in range(_LOOKS):
            login, case_id = logins[number % len(logins)], order[number % len(order)]
            audit.append(connection, login, "view_case", "case", case_id)


def sizes(home: Path) -> dict[str, int]:
    """Records, golden customers and cases of a home."""
    wh = engine.connect(settings.load(home))
    try:
        with wh.read() as connection:
            return {
                name: int(
                    connection.execute(sa.select(sa.func.count()).select_from(t)).scalar_one()
                )
                for name, t in (
                    ("records", staged_customer),
                    ("customers", golden_customer),
                    ("cases", review_case),
                )
            }
    finally:
        wh.close()


def make(target: Settings, of: Base, records: int, cases: int) -> None:
    """Fill a migrated, empty warehouse.

    Args:
        target: its settings.
        of: what is copied.
        records: staged records, at least.
        cases: cases in the queue.
    """
    copies = -(-records // of.staged.num_rows)
    layouts = of.layouts(-(-cases // copies))
    chance = np.random.default_rng(7)
    wh = engine.connect(target)
    try:
        _sync(wh, of, copies)
        _publish(wh, of, copies, layouts, chance, cases)
    finally:
        wh.close()


def _sync(wh: Warehouse, of: Base, copies: int) -> None:
    whole = pa.concat_tables([_staged(of, copy) for copy in range(copies)])
    for source in pc.unique(whole["source"]).to_pylist():
        some = whole.filter(pc.equal(whole["source"], source)).combine_chunks()
        sync = sync_runs.Sync(
            sync_id="s1",
            started_at=datetime.now(UTC),
            rows_read=some.num_rows,
            snapshot="-",
            content_hash="-",
            manifest={},
        )
        staged.replace(wh, source, some, QUARANTINE_SCHEMA.empty_table(), sync)


def _publish(
    wh: Warehouse, of: Base, copies: int, layouts: list[Any], chance: Any, cases: int
) -> None:
    golden, trail, pairs = [], [], []
    rows_: list[dict[str, Any]] = []
    members: list[dict[str, str]] = []
    evidence: list[dict[str, str]] = []
    for copy in range(copies):
        table = of.consolidated.golden
        table = _put(table, golden_id=_each(table["golden_id"], _golden, copy))
        golden.append(_people(table, copy, of.ends))
        table = of.consolidated.provenance
        ids = _each(table["golden_id"], _golden, copy)
        trail.append(_put(table, golden_id=ids, source_key=_keys(table["source_key"], copy)))
        ids = _each(of.crosswalk["golden_id"], _golden, copy)
        records = _each(of.crosswalk["record_id"], _record, copy)
        pairs.append(_put(of.crosswalk, golden_id=ids, record_id=records))
        for row, some, said in _cases(of, copy, layouts, chance):
            if len(rows_) < cases:
                rows_.append(row)
                members += some
                evidence.append({"case_id": row["case_id"], "evidence": said})
    for one in evidence:
        one["content_hash"] = case_tables.digest(one["evidence"])
    publish.publish(
        wh,
        _identity(pa.concat_tables(pairs)),
        [Consolidated(one, own) for one, own in zip(golden, trail, strict=True)],
        SUGGESTIONS_SCHEMA.empty_table(),
        "first",
        cases=Cases(
            pa.Table.from_pylist(rows_, CASES_SCHEMA),
            pa.Table.from_pylist(members, MEMBERS_SCHEMA),
            PAIRS_SCHEMA.empty_table(),
        ),
        evidence=pa.Table.from_pylist(evidence, case_tables.EVIDENCE_SCHEMA),
    )


def _identity(pairs: pa.Table) -> Identity:
    return Identity(
        pairs.sort_by("record_id").combine_chunks(),
        REDIRECT_SCHEMA.empty_table(),
        EVENTS_SCHEMA.empty_table(),
        _STRIDE * 10_000,
    )


# ------------------------------------------------------------------ a publish beside it
def publish_changes(wh: Warehouse, home: Path, share: float = 0.01) -> list[dict[str, float]]:
    """Publish again and again, each time with a share of the customers changed.

    Args:
        wh: the warehouse.
        home: where the signs are.
        share: of the customers that change.

    Returns:
        of each publish: customers changed, wall and CPU seconds.
    """
    ready, go, going, stop = (home / sign for sign in SIGNS)
    found: list[dict[str, float]] = []
    base_ = publish.read_identity(wh)
    whole, (cases, members, _) = stored(wh), stored_cases(wh)
    chance = np.random.default_rng(11)
    ready.touch()
    while not go.exists():
        time.sleep(0.2)
    while not stop.exists():
        size = whole.golden.num_rows
        some = chance.random(size) < share
        city = pc.if_else(pa.array(some), f"城{len(found)}", whole.golden["city"])
        whole = replaced(whole, golden=_put(whole.golden, city=city))
        going.touch()
        wall, cpu = time.perf_counter(), time.process_time()
        done = publish.publish(
            wh,
            _identity(base_.crosswalk),
            [whole],
            SUGGESTIONS_SCHEMA.empty_table(),
            f"{datetime.now(UTC)}",
            cases=Cases(cases, members, PAIRS_SCHEMA.empty_table()),
        )
        found.append(
            {
                "changed": done.count("golden_customer", "changed"),
                "wall_seconds": round(time.perf_counter() - wall, 1),
                "cpu_seconds": round(time.process_time() - cpu, 1),
            }
        )
    return found


if __name__ == "__main__":
    home_ = Path(sys.argv[1])
    opened = engine.connect(settings.load(home_))
    try:
        print(json.dumps(publish_changes(opened, home_)))
    finally:
        opened.close()
