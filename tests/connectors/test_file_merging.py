"""New and changed files over a snapshot give what reading all of them gives."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from connectors import delimited, snapshot
from connectors.config import SourceConfig
from connectors.source import extract
from onefold.errors import SourceHeld


class Folder:
    """A folder of CSV files and the source that reads them."""

    def __init__(self, home: Path, **settings) -> None:
        self.home, self.data = home, home / "data"
        self.data.mkdir(exist_ok=True)
        self.config = SourceConfig.model_validate(
            {
                "name": "customers", "connector": "delimited", "path": f"{self.data}/*.csv",
                "columns": {"name": "name"}, "mode": "files", "hold_if_shrinks_by": 1,
                "key": "id", "encoding": "utf-8",
            } | settings
        )  # fmt: skip

    def write(self, name: str, rows, columns=("id", "name")) -> None:
        lines = [",".join(columns), *(",".join(row) for row in rows)]
        (self.data / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def sync(self, **changes) -> snapshot.Extraction:
        config = self.config.model_copy(update=changes)
        return extract(config, self.home / "lake", snapshot.latest(self.home / "lake", config.name))

    def assert_whole(self, done: snapshot.Extraction) -> None:
        config = self.config.model_copy(update={"mode": "snapshot"})
        whole = extract(config, self.home / "whole", None)
        assert rows_of(done.path) == rows_of(whole.path)
        for name in ("content_hash", "positions_hash", "rows", "problems", "columns", "skipped"):
            own, other = getattr(done.manifest, name), getattr(whole.manifest, name)
            assert (set(own), len(own)) == (set(other), len(other)) if name in (
                "columns", "skipped",
            ) else own == other, name  # fmt: skip


def rows_of(path: Path) -> list[tuple[str | None, ...]]:
    """Key, position, hash, problem and values of every row."""
    table = snapshot.read(path)
    names = sorted(table.column_names)
    return sorted(zip(*(table[name].to_pylist() for name in names), strict=True), key=repr)


class Files(RuleBasedStateMachine):
    """Files come, change and go; their keys overlap, and some rows have none."""

    key: tuple[str, ...] = ("id",)
    rows = st.lists(
        st.tuples(st.sampled_from(["1", "2", "3", " "]), st.sampled_from(["a", "b"])), max_size=4
    )
    files = st.sampled_from(["x", "y", "z"])

    @initialize(rows=rows)
    def begin(self, rows) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.source = Folder(Path(self.folder.name), key=self.key)
        self.source.write("always", [("0", "here"), *rows])
        self.source.sync()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(name=files, rows=rows, further=st.booleans())
    def write(self, name, rows, further) -> None:
        if further:
            filled = [(*row, "Bath") for row in rows]
            self.source.write(name, filled, ("id", "name", f"city {name}"))
        else:
            self.source.write(name, rows)

    @rule(name=files)
    def remove(self, name) -> None:
        (self.source.data / f"{name}.csv").unlink(missing_ok=True)

    @rule()
    def sync(self) -> None:
        self.source.assert_whole(self.source.sync())


class FilesWithoutKey(Files):
    """The same where the key is made of the content."""

    key = ()


FEW = settings(
    max_examples=15, stateful_step_count=10, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
TestFiles = Files.TestCase
TestFiles.settings = FEW
TestFilesWithoutKey = FilesWithoutKey.TestCase
TestFilesWithoutKey.settings = FEW


@pytest.fixture
def opened(monkeypatch):
    """Names of the files that were parsed."""
    names = []
    original = delimited.opened

    def noted(config, file, report):
        names.append(file.name)
        return original(config, file, report)

    monkeypatch.setattr(delimited, "opened", noted)
    return names


def test_only_new_and_changed_files_are_parsed(tmp_path, opened):
    folder = Folder(tmp_path)
    for name in "abc":
        folder.write(name, [(f"{name}{i}", "x") for i in range(5)])
    folder.sync()
    opened.clear()
    folder.write("b", [("b0", "x"), ("b9", "changed")])
    folder.write("d", [("d0", "new")])
    (folder.data / "c.csv").unlink()
    done = folder.sync()
    assert opened == ["b.csv", "d.csv"]
    assert (done.counts.read, done.counts.new, done.counts.deleted) == (3, 2, 9)
    folder.assert_whole(done)
    opened.clear()
    (folder.data / "d.csv").unlink()
    assert folder.sync().counts.deleted == 1
    assert opened == []


def test_rows_of_a_file_that_is_gone_may_stay(tmp_path):
    folder = Folder(tmp_path, removed_files="keep")
    folder.write("may", [("1", "in May"), ("2", "in May")])
    folder.sync()
    (folder.data / "may.csv").unlink()
    folder.write("june", [("3", "in June")])
    assert folder.sync().manifest.rows == 3
    assert folder.sync().status == "unchanged"
    done = folder.sync(columns={"name": ("name",), "note": ("id",)})
    assert done.manifest.rows == 3
    folder.write("may", [("1", "in May, mended")])
    done = folder.sync()
    assert sorted(snapshot.read(done.path)["name"].to_pylist()) == ["in June", "in May, mended"]


def test_files_that_take_too_many_rows_with_them_are_held_back(tmp_path):
    folder = Folder(tmp_path, hold_if_shrinks_by=0.5)
    folder.write("a", [(f"a{i}", "x") for i in range(9)])
    folder.write("b", [("b", "x")])
    first = folder.sync()
    (folder.data / "a.csv").unlink()
    with pytest.raises(SourceHeld, match="1 rows, 10 before"):
        folder.sync()
    assert snapshot.latest(tmp_path / "lake", "customers") == first.manifest
