"""What changed records lead to is what working everything out anew leads to.

One home goes on from what it knows, the other does everything from the start, over the same
history: every table of the warehouse must be the same after every refresh, ids included, and every
table of the lake.

``ONEFOLD_STATEFUL_EXAMPLES=300 pytest --timeout=0 tests/test_incremental.py`` looks for longer.
"""

import atexit
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from connectors.config import SourceConfig
from onefold.errors import DecisionConflict
from pipelines import lake, stages, stored
from pipelines.stages import changes, matching
from pipelines.stages.deployment import Deployment
from rules.customer import STAGED_SCHEMA
from rules.quarantine import QUARANTINE_SCHEMA
from rules.standardize import standardize
from warehouse import decisions, publish, staged, stores, sync_runs

EXAMPLES = int(os.environ.get("ONEFOLD_STATEFUL_EXAMPLES", "3"))
SOURCES = ("shop", "desk")
FIELDS = ("name", "phone", "email", "address", "city", "updated_at", "contact_name")
PEOPLE = (
    ("张伟", "13900000001", "zw@example.com", "中山路1号", "南京市", "2024-01-05", ""),
    ("張偉", "13900000001", "", "中山路1号", "南京市", "", ""),
    ("Zhang Wei", "", "zw@example.com", "", "南京市", "2023-03-01", ""),
    ("张玮", "13900000009", "", "中山路1号", "南京市", "", ""),
    ("李晓明", "13900000002", "lxm@example.com", "人民路20号", "苏州市", "2024-02-01", ""),
    ("李小明", "13900000002", "", "人民路20号", "苏州市", "", ""),
    ("李晓红", "13900000003", "", "人民路20号", "苏州市", "2022-02-01", ""),
    ("王芳", "13900000004", "wf@example.com", "学前街12号", "无锡市", "", ""),
    ("王芳", "13900000005", "", "运河路7号", "常州市", "2024-05-01", ""),
    ("Ann Smith", "07700900001", "ann@example.com", "12 High Street", "Leeds", "2024-01-01", ""),
    ("Anne Smith", "07700900001", "", "12 High St", "Leeds", "", ""),
    ("Annie Smyth", "", "ann@example.com", "", "Leeds", "2021-01-01", ""),
    ("Robert Smith", "07700900001", "", "12 High Street", "Leeds", "", ""),
    (
        "杭州云帆科技有限公司",
        "0571-00000001",
        "hi@yunfan.example",
        "西湖路3号",
        "杭州市",
        "",
        "张伟",
    ),
    ("云帆科技", "0571-00000001", "", "西湖路3号", "杭州市", "2024-03-01", "王芳"),
    ("杭州云帆贸易有限公司", "0571-00000002", "", "西湖路3号", "杭州市", "", ""),
    ("苏州兰亭纸业有限公司", "0512-00000077", "", "竹辉路9号", "苏州市", "", "李晓明"),
    ("苏州兰亭纸业有限公", "0512-00000077", "lt@lanting.example", "竹辉路9号", "苏州市", "", ""),
)
"""Invented records of few customers: relatives, namesakes, short forms, slips, a shared number."""
NOW = datetime(2026, 1, 5, tzinfo=UTC)
KEYS = st.integers(0, 15)
_VARY = {
    "sync_id", "publish_id", "first_seen", "last_seen", "since", "at", "valid_from", "valid_to",
    "published_at", "first_published_at", "started_at", "finished_at", "retired_at", "left_at",
    "decided_at", "revoked_at", "snapshot", "manifest", "fingerprint", "version_num",
}  # fmt: skip
"""Columns that say when or in which run; everything else must be the same."""


@functools.cache
def cleaned() -> pa.Table:
    """PEOPLE as they are staged."""
    columns = {
        name: pa.array(values)
        for name, values in zip(FIELDS, zip(*PEOPLE, strict=True), strict=True)
    }
    numbers = [str(number) for number in range(len(PEOPLE))]
    for name in ("_source_key", "_position", "_row_hash"):
        columns[name] = pa.array(numbers)
    columns["_problem"] = pa.nulls(len(PEOPLE), pa.string())
    config = SourceConfig.model_validate(
        {
            "name": "shop",
            "connector": "delimited",
            "path": ("x.csv",),
            "columns": {name: (name,) for name in FIELDS},
        }
    )
    return standardize(pa.table(columns), config, "CN").staged


def rows_of(source: str, records: dict[int, int]) -> pa.Table:
    """The staged records of a source.

    Args:
        records: key → which of PEOPLE.
    """
    table = cleaned().take(pa.array(list(records.values()), pa.int64()))
    keys = [str(key) for key in records]
    changed = {
        "source": [source] * len(keys),
        "source_key": keys,
        "record_id": [f"{source}:{key}" for key in keys],
    }
    for name, values in changed.items():
        at = STAGED_SCHEMA.get_field_index(name)
        table = table.set_column(at, STAGED_SCHEMA.field(at), pa.array(values, pa.string()))
    return table


def stage(deployment: Deployment, source: str, records: dict[int, int], number: int) -> None:
    sync = sync_runs.Sync(
        sync_id=f"{number:04d}", started_at=datetime.now(UTC), rows_read=len(records)
    )
    none = QUARANTINE_SCHEMA.empty_table()
    staged.replace(deployment.warehouse, source, rows_of(source, records), none, sync)


START = {
    source: {key: (key * 5 + at) % len(PEOPLE) for key in range(12)}
    for at, source in enumerate(SOURCES)
}


@functools.cache
def published() -> Path:
    """A home with START, published; to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="onefold-"))
    atexit.register(shutil.rmtree, folder, True)
    (folder / "home" / "sources").mkdir(parents=True)
    (folder / "home" / "onefold.yml").write_text("country: CN\nmatching: {review: 0.2}\n")
    with stages.opened(folder / "home") as deployment:
        for source in SOURCES:
            stage(deployment, source, START[source], 0)
        stages.publish(deployment)
    return folder / "home"


@contextmanager
def everything() -> Iterator[None]:
    """Nothing earlier is taken for a base."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(changes, "bases", lambda *_: iter(()))
        patched.setattr(changes, "since", lambda *_: None)
        yield


@contextmanager
def only_what_changed() -> Iterator[None]:
    """However many records changed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(changes, "MOST", 1000)
        patched.setattr(stored, "MOST", 1000)
        yield


def contents(deployment: Deployment) -> dict[str, list[tuple[str, ...]]]:
    """Every row of every table of both stores."""
    found = {}
    for store, metadata in stores.METADATA.items():
        with deployment.warehouse.read(store) as connection:
            for table in metadata.sorted_tables:
                shown = [column for column in table.columns if column.name not in _VARY]
                rows = connection.execute(sa.select(*shown))
                found[table.name] = sorted(tuple(map(str, row)) for row in rows)
    return found


def tables(deployment: Deployment) -> dict[str, Any]:
    """Every table of the lake that there is for now."""
    return {
        table: lake.read(deployment.lake, table, name).to_pylist()
        for table, name in matching.names(deployment).items()
    }


class Histories(RuleBasedStateMachine):
    """Two homes with one history."""

    @initialize()
    def begin(self) -> None:
        self.closing = ExitStack()
        folder = Path(self.closing.enter_context(tempfile.TemporaryDirectory(prefix="onefold-")))
        self.homes = []
        for name in ("part", "whole"):
            home = shutil.copytree(published(), folder / name)
            self.homes.append(self.closing.enter_context(stages.opened(home)))
        self.records = {source: dict(found) for source, found in START.items()}
        self.staged = {source: dict(found) for source, found in START.items()}
        self.deleted: list[tuple[str, int, int]] = []
        self.number = 0

    @rule(source=st.sampled_from(SOURCES), key=KEYS, which=st.integers(0, len(PEOPLE) - 1))
    def insert_or_update(self, source: str, key: int, which: int) -> None:
        self.records[source][key] = which

    @rule(source=st.sampled_from(SOURCES), key=KEYS)
    def delete(self, source: str, key: int) -> None:
        if key in self.records[source] and len(self.records[source]) > 1:
            self.deleted.append((source, key, self.records[source].pop(key)))

    @rule()
    def bring_back(self) -> None:
        if self.deleted:
            source, key, which = self.deleted.pop()
            self.records[source][key] = which

    @rule(
        kind=st.sampled_from(["link", "no_link"]),
        one=st.integers(0, 40),
        other=st.integers(0, 40),
    )
    def decide(self, kind: Any, one: int, other: int) -> None:
        ids = publish.read_identity(self.homes[0].warehouse).crosswalk["record_id"].to_pylist()
        left, right = ids[one % len(ids)], ids[other % len(ids)]
        for home in self.homes if left != right else ():
            try:
                decisions.add(
                    home.warehouse,
                    kind,
                    left_id=left,
                    right_id=right,
                    reason="x",
                    decided_by="a",
                    decided_at=NOW,
                )
            except DecisionConflict:
                continue

    @rule(which=st.integers(0, 40))
    def pin(self, which: int) -> None:
        live = publish.read_identity(self.homes[0].warehouse).live
        for home in self.homes:
            decisions.add(
                home.warehouse, "override", golden_id=live[which % len(live)], field="name",
                value="别名", reason="x", decided_by="a", decided_at=NOW,
            )  # fmt: skip

    @rule(which=st.integers(0, 40))
    def revoke(self, which: int) -> None:
        standing = decisions.read(self.homes[0].warehouse)["decision_id"].to_pylist()
        for home in self.homes if standing else ():
            decision_id = standing[which % len(standing)]
            decisions.revoke(home.warehouse, decision_id, revoked_by="a", reason="x")

    def sync(self) -> None:
        self.number += 1
        for source in SOURCES:
            if self.records[source] != self.staged[source]:
                for home in self.homes:
                    stage(home, source, self.records[source], self.number)
                self.staged[source] = dict(self.records[source])

    @rule()
    def stop_halfway(self) -> None:
        self.sync()
        with only_what_changed():
            stages.scored_pairs(self.homes[0])

    @rule()
    def refresh(self) -> None:
        self.sync()
        part, whole = self.homes
        with only_what_changed():
            stages.publish(part)
        with everything():
            stages.publish(whole)
        mine, full = contents(part), contents(whole)
        for name in full:
            assert mine[name] == full[name], name
        one, other = tables(part), tables(whole)
        for name in other:
            assert one[name] == other[name], name

    def teardown(self) -> None:
        if hasattr(self, "closing"):
            with self.closing:
                self.refresh()


Histories.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=12,
    deadline=None,
    phases=[Phase.generate] if EXAMPLES < 20 else [Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
TestHistories = Histories.TestCase


def test_a_decision_on_one_record_of_a_case_changes_its_evidence() -> None:
    history = Histories()
    history.begin()
    try:
        history.decide("no_link", 0, 1)
        history.refresh()
        history.revoke(0)
    finally:
        history.teardown()  # refreshes, and compares, once more
