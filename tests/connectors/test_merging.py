"""Changes over a snapshot give what reading everything gives; in between they differ as said."""

import sqlite3
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from connectors import snapshot
from connectors.config import SourceConfig
from connectors.source import extract

START = datetime(2024, 1, 1)
OVERLAP = timedelta(minutes=1)
NEVER, ALWAYS = "never", timedelta(0)


def source(home: Path, **settings) -> SourceConfig:
    """A table ``customer`` with the key ``id`` and the cursor ``at``."""
    return SourceConfig.model_validate(
        {
            "name": "customers", "connector": "sql", "url": f"sqlite:///{home}/crm.db",
            "table": "customer", "key": "id", "columns": {"name": "name"}, "mode": "cursor",
            "cursor": "at", "overlap": "1m", "full_every": NEVER, "hold_if_shrinks_by": 1,
        } | settings
    )  # fmt: skip


def rows_of(path: Path) -> list[tuple[str | None, ...]]:
    """Key, hash, problem and values of every row."""
    table = snapshot.read(path)
    names = sorted(set(table.column_names) - {"_position"})
    return sorted(zip(*(table[name].to_pylist() for name in names), strict=True), key=repr)


class Lake:
    """The snapshots of one source, and those of reading it whole each time."""

    def __init__(self, home: Path, config: SourceConfig) -> None:
        self.home, self.config = home, config

    def sync(self, **changes) -> snapshot.Extraction:
        """Sync on top of the newest snapshot."""
        config = self.config.model_copy(update=changes)
        return extract(config, self.home / "lake", snapshot.latest(self.home / "lake", config.name))

    def whole(self) -> snapshot.Extraction:
        """Everything, read anew."""
        config = self.config.model_copy(update={"mode": "snapshot"})
        return extract(config, self.home / "whole", None)

    def is_whole(self, done: snapshot.Extraction) -> bool:
        """Whether a sync ended with what reading everything gives."""
        whole = self.whole()
        assert rows_of(done.path) == rows_of(whole.path)
        own, other = done.manifest, whole.manifest
        return (own.content_hash, own.positions_hash, own.rows, own.problems) == (
            other.content_hash, other.positions_hash, other.rows, other.problems,
        )  # fmt: skip


class Syncing(RuleBasedStateMachine):
    """A table that changes in every way, synced by its cursor."""

    ids = st.sampled_from([str(number) for number in range(8)])
    columns = "id text, name text, at text"

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        home = Path(self.folder.name)
        self.database = sqlite3.connect(home / "crm.db", isolation_level=None)
        self.database.execute(f"CREATE TABLE customer ({self.columns})")
        self.lake = Lake(home, source(home))
        self.clock, self.mark = START, None
        self.seen: dict[str, tuple] = {}
        self.write("0")
        self.synced = False
        self.sync(compare=True)

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def write(self, key: str | None, at: datetime | str | None = "now") -> None:
        self.clock += timedelta(seconds=40)
        moment = self.clock if at == "now" else at
        self.database.execute(
            "INSERT INTO customer VALUES (?, ?, ?)",
            (key, f"name {self.clock:%H%M%S}", moment and moment.isoformat(" ")),
        )

    def table(self) -> dict[str, tuple]:
        return {row[0]: row for row in self.database.execute("SELECT * FROM customer")}

    @rule(key=ids, when=st.sampled_from(["now", "late", "null"]))
    def put(self, key: str, when: str) -> None:
        """Insert or update; late: stamped with a moment that was read long ago."""
        self.database.execute("DELETE FROM customer WHERE id = ?", (key,))
        late = START - timedelta(days=1) + (self.clock - START) / 100
        self.write(key, {"now": "now", "late": late, "null": None}[when])

    @rule(key=ids)
    def delete(self, key: str) -> None:
        self.database.execute("DELETE FROM customer WHERE id = ?", (key,))

    @precondition(lambda self: self.table())
    @rule(compare=st.booleans())
    def sync(self, compare: bool) -> None:
        done = self.lake.sync(full_every=ALWAYS if compare else NEVER)
        now = self.table()
        moments = [row[2] for row in now.values() if row[2]]
        begin = self.mark and (self.mark - OVERLAP).isoformat(" ")
        # Without any cursor there is no beginning; one that went back is looked at as a whole.
        went_back = moments and self.mark and max(moments) < self.mark.isoformat(" ")
        if compare or begin is None or not moments or went_back:
            assert self.lake.is_whole(done)
            self.seen = now
        else:
            self.seen |= {k: r for k, r in now.items() if r[2] is None or r[2] >= begin}
        table = snapshot.read(done.path)
        found = zip(*(table[name].to_pylist() for name in ("id", "name", "at")), strict=True)
        assert {row[0]: row for row in found} == self.seen
        self.mark = datetime.fromisoformat(max(moments)) if moments else None


class SyncingRepeatedKeys(Syncing):
    """The same with rows that share a key or have none: right after each comparison."""

    ids = st.sampled_from(["1", "1 ", "2", "", " ", None])

    @rule(key=ids, when=st.sampled_from(["now", "late", "null"]))
    def put(self, key, when) -> None:
        late = START - timedelta(days=1) + (self.clock - START) / 100
        self.write(key, {"now": "now", "late": late, "null": None}[when])

    @rule(number=st.integers(0, 20))
    def delete(self, number) -> None:
        self.database.execute(
            "DELETE FROM customer WHERE rowid IN (SELECT rowid FROM customer LIMIT 1 OFFSET ?)",
            (number,),
        )

    @precondition(lambda self: self.table())
    @rule(compare=st.booleans())
    def sync(self, compare: bool) -> None:
        done = self.lake.sync(full_every=ALWAYS if compare else NEVER)
        if compare:
            assert self.lake.is_whole(done)


FEW = settings(
    max_examples=20, stateful_step_count=10, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
TestSyncing = Syncing.TestCase
TestSyncing.settings = FEW
TestSyncingRepeatedKeys = SyncingRepeatedKeys.TestCase
TestSyncingRepeatedKeys.settings = FEW
