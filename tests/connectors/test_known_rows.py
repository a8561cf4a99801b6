"""A row that says what it said has the hash that it had; what changed follows while it lands."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import comparing, known_rows, row_hashes, snapshot
from connectors.config import SourceConfig
from connectors.known_rows import KnownRows
from connectors.reading import Reading, Report, batch, text

CONFIG = SourceConfig(
    name="customers",
    connector="delimited",
    path=("a.csv",),
    headings="auto",
    key="a",
    hold_if_shrinks_by=1,
)
COLUMNS = ("a", "b", "c")
_VALUE = st.sampled_from([None, "", "x", "y", "王", " x"])
_RECORD = st.tuples(_VALUE, _VALUE)


@pytest.fixture(scope="module", autouse=True)
def small_parts():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known_rows, "_BATCH_ROWS", 4)
        yield


def _write(lake, rows, size, previous=None, wrong=()):
    """A sync of rows that come some at a time, those of some keys with a problem."""
    numbers = itertools.count(1)
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    batches = (
        batch(
            text(f"a.csv|{next(numbers)}" for _ in part),
            _columns(part),
            text("too short" if key in wrong else None for key, *_ in part),
        )
        for part in parts
    )
    reading = Reading(list(COLUMNS), batches, Report(), "a.csv")
    return snapshot.write(reading, CONFIG, lake, previous, key=(0,), settings_hash="")


def _columns(rows):
    return [text(column) for column in zip(*rows, strict=True)]


@st.composite
def _syncs(draw):
    """The rows of two syncs: some gone, changed, come or elsewhere in the second."""
    before = [(f"K{number}", *one) for number, one in enumerate(draw(st.lists(_RECORD)))]
    after = [row for row in before if draw(st.integers(0, 5))]
    for place in draw(st.lists(st.integers(0, 30), max_size=3)):
        if place < len(after):
            after[place] = (after[place][0], *draw(_RECORD))
    for place, key in draw(st.lists(st.tuples(st.integers(0, 30), _KEY), max_size=3)):
        after.insert(place, (key, *draw(_RECORD)))
    if draw(st.integers(0, 3)) == 0:
        after = draw(st.permutations(after))
    return before, after, draw(st.integers(1, 9)), draw(st.integers(1, 9))


_KEY = st.sampled_from(["K0", "K3", "N1", "N2", "", None])


@settings(deadline=None)
@given(_syncs())
def test_hashes_are_those_of_the_values_whatever_is_known(tmp_path_factory, syncs):
    before, after, first, size = syncs
    if not before:
        return
    done = _write(tmp_path_factory.mktemp("lake"), before, first)
    stood = {row[0]: row for row in before}
    with KnownRows(done.path, COLUMNS) as rows:
        for start in range(0, len(after), size):
            part = after[start : start + size]
            values = _columns(part)
            found, known = rows.hashes(text(key or "" for key, *_ in part), values)
            assert found == row_hashes.digests(COLUMNS, values)
            assert all(stood[row[0]] == row for row, one in zip(part, known, strict=True) if one)


def test_nearly_all_rows_are_known_when_some_come_and_some_go(tmp_path):
    before = [(f"K{number}", "x", None) for number in range(400)]
    done = _write(tmp_path, before, 50)
    after = [row for number, row in enumerate(before) if number % 10]
    after = [*after[:100], *((f"N{number}", "y", "") for number in range(9)), *after[100:]]
    with KnownRows(done.path, COLUMNS) as rows:
        parts = [after[start : start + 30] for start in range(0, len(after), 30)]
        known = [rows.hashes(text(k for k, *_ in p), _columns(p))[1] for p in parts]
    assert np.concatenate(known).sum() == 360


def test_a_source_in_another_order_is_soon_hashed_as_ever(tmp_path):
    before = [(f"K{number}", "x", None) for number in range(400)]
    done = _write(tmp_path, before, 50)
    with KnownRows(done.path, COLUMNS) as rows:
        for start in range(400, 0, -30):
            part = before[max(start - 30, 0) : start][::-1]
            values = _columns(part)
            assert rows.hashes(text(k for k, *_ in part), values)[0] == row_hashes.digests(
                COLUMNS, values
            )
        assert rows._parts == []


@settings(deadline=None)
@given(_syncs(), *2 * [st.sets(st.sampled_from(["K0", "K1", "K3", "N1"]))])
def test_what_changed_follows_from_landing_as_from_comparing(
    tmp_path_factory, syncs, wrong, wrong_now
):
    before, after, first, size = syncs
    lake = tmp_path_factory.mktemp("lake")
    if not before or not after:
        return
    previous = _write(lake, before, first, wrong=wrong)
    done = _write(lake, after, size, previous.manifest, wrong_now)
    if done.status == "unchanged":
        assert done.compared is None
        return
    own, both = done.compared, comparing.compare(previous.path, done.path)
    assert own.keys.to_pylist() == both.keys.to_pylist()
    assert own.changed.tolist() == both.changed.tolist()
    assert own.stays.to_pylist() == both.stays.to_pylist()
    assert own.gone.to_pylist() == both.gone.to_pylist()
    if own.rows is not None:
        [chosen] = comparing.chosen(done.path, both.changed, 1000)
        assert own.rows.to_pylist() == chosen.to_pylist()
    counts = done.counts
    assert (counts.new + counts.changed, counts.deleted) == (len(both.changed), len(both.gone))
