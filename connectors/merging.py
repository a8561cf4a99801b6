"""Changes over the previous snapshot: the next whole one.

What belongs here: which rows of the previous snapshot are replaced or gone, and which keys
have to be looked up. What changed is the connector's part (connectors/reading.py), the
snapshot that comes out is connectors/combining.py's, when all keys are compared is
connectors/source.py's to say.

Rows that stay are never looked at one by one: keys are compared as whole columns. The result
is the snapshot that reading everything would have given, as far as the changes say
everything; :func:`merge` gives None where they cannot.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import landing, mapping, snapshot
from connectors.combining import Fresh, Kept, combine
from connectors.config import SourceConfig
from connectors.lake_files import temporary
from connectors.landing import EMPTY_KEY, Landed
from connectors.reading import PROBLEM, SOURCE_KEY, Key, Reading, Report, Row
from connectors.repeated_keys import is_renamed, original, replaced
from connectors.snapshot import Extraction, Manifest
from connectors.snapshot_writer import SnapshotWriter

_KEYS_AT_ONCE = 500
_FEW, _SHARE = 1_000, 0.2
"""So many keys, or this share of all, are looked up; if there are more, everything is read."""
Listing = Callable[[], Iterator[Row | pa.RecordBatch]]
Fetch = Callable[[Sequence[Key]], Iterator[Row | pa.RecordBatch]]
_BETWEEN, _NOTHING = "\x1f", "\x00"


def merge(
    reading: Reading,
    config: SourceConfig,
    lake: Path,
    previous: Manifest,
    *,
    settings_hash: str,
    compare: bool,
) -> Extraction | None:
    """Bring the previous snapshot up to date with a reading of changes.

    Args:
        reading: an opened source whose ``changes`` are there.
        previous: the manifest of the last good snapshot.
        settings_hash: goes into the manifest.
        compare: whether all keys are compared, if the changes do not ask for it themselves.

    Returns:
        the outcome; None if everything has to be read instead.

    Raises:
        SourceEmpty, SourceHeld: as :func:`connectors.snapshot.write`.
        SourceError: whatever the connector raises; nothing is left behind.
    """
    changes, key = reading.changes, previous.key
    if changes is None or not key or set(reading.columns) != set(previous.columns):
        return None
    compare = compare or changes.went_back
    if compare and changes.listing is None:
        return None
    stored = _stored(snapshot.path_of(lake, previous), key)
    place, sync_id = snapshot.begin(lake, config.name)
    with (
        temporary(place, f"{sync_id}-rows") as first,
        temporary(place, f"{sync_id}-keys") as second,
    ):
        read = _landed(reading, first, key)
        lookup = _Lookup(stored, read)
        lookup.add_touched(_keys(changes.touched, key))
        lookup.add_deleted(_keys(changes.deleted, key))
        cursor = config.cursor and mapping.find_column(previous.columns, config.cursor)
        if changes.within is not None and cursor:
            readable = cursor not in previous.sealed
            lookup.add_unread(cursor, key, changes.within if readable else lambda _: True)
        if compare and changes.listing is not None:
            lookup.compare(_listed(changes.listing, key, cursor=bool(cursor)), cursor)
        asked = lookup.asked
        if len(asked) > max(_FEW, _SHARE * previous.rows) or (asked and changes.fetch is None):
            return None
        found = replace(reading, rows=_fetched(reading, changes.fetch, asked, key))
        fetched = _landed(found, second, key)
        names = pa.array(asked, pa.string())
        keep = pc.invert(
            pc.is_in(stored.keys, pa.concat_arrays([read.keys, names, lookup.gone_keys()]))
        )
        return combine(
            Kept(snapshot.path_of(lake, previous), keep),
            [
                Fresh(Path(first.name), read.landed, pc.invert(pc.is_in(read.keys, names))),
                Fresh(Path(second.name), fetched.landed),
            ],
            config,
            lake,
            previous,
            snapshot.describe(reading, config.name, sync_id, key, settings_hash),
            compared=compare,
        )


@dataclass(frozen=True)
class _Stored:
    """The previous snapshot, as far as every row of it is looked at.

    Attributes:
        path: its file.
        keys: of every row the key as the source has it; '' where it has none.
        repeated: keys that more than one row has.
        unnamed: what the key columns hold in rows without a key, each once.
    """

    path: Path
    keys: pa.Array
    repeated: pa.Array
    unnamed: tuple[Key, ...]


@dataclass(frozen=True)
class _Read:
    """Rows that were read now.

    Attributes:
        landed: what is known of them.
        raw: what the key columns hold.
        keys: the key of each; '' where it has none.
    """

    landed: Landed
    raw: pa.Table
    keys: pa.Array


class _Lookup:
    """Keys to be looked up, and keys that are gone."""

    def __init__(self, stored: _Stored, read: _Read) -> None:
        self._stored, self._read = stored, read
        self.asked: dict[str, dict[Key, None]] = {}
        """Key → how the source writes it."""
        self._gone: list[pa.Array] = []
        for raw in stored.unnamed:
            self._ask("", raw)
        # Of a key that several rows have, or that is empty, all rows are looked up.
        odd = pc.or_(pc.is_in(read.keys, stored.repeated), pc.equal(read.keys, ""))
        self._ask_all(read.raw, read.keys, pc.or_(odd, pc.is_in(read.keys, _repeated(read.keys))))

    def gone_keys(self) -> pa.Array:
        """Keys of rows that are not there any more, unless they were read."""
        return pa.concat_arrays([pa.array([], pa.string()), *self._gone])

    def add_touched(self, keys: pa.Table) -> None:
        """Keys that a change table lists."""
        self._ask_all(keys, _joined(keys), None)

    def add_deleted(self, keys: pa.Table) -> None:
        """Keys that the source says are gone."""
        self._gone.append(_joined(keys))

    def add_unread(self, cursor: str, key: Sequence[str], within: Callable[[str], bool]) -> None:
        """Rows whose cursor lies in the range that was read again, and that were not there.

        Args:
            cursor: its column in the snapshot.
            key: the key's columns.
            within: whether a cursor lies in the range.
        """
        stored = self._stored
        before = pq.read_table(stored.path, columns=[cursor])[cursor].combine_chunks()
        inside = [text for text in before.unique().to_pylist() if text is not None and within(text)]
        there = pc.is_in(before, pa.array(inside, pa.string()))
        unread = pc.and_not(there, pc.is_in(stored.keys, self._read.keys))
        raw = pq.read_table(stored.path, columns=list(key)).select(list(key)).combine_chunks()
        self._ask_all(raw, stored.keys, unread)

    def compare(self, listed: pa.Table, cursor: str | None) -> None:
        """Find rows that are gone, that came late, or whose cursor is another.

        Args:
            listed: of every record the columns of its key and, if there is one, its cursor.
            cursor: the cursor's column in the snapshot.
        """
        stored, read = self._stored, self._read
        cursors = listed.column(listed.num_columns - 1) if cursor else None
        raw = listed.drop_columns([listed.column_names[-1]]) if cursor else listed
        keys = _joined(raw)
        before = (
            pq.read_table(stored.path, columns=[cursor]).column(0).combine_chunks()
            if cursor
            else None
        )
        known = pc.is_in(_paired(keys, cursors), _paired(stored.keys, before))
        odd = pc.or_(pc.is_in(keys, _repeated(keys)), pc.is_in(keys, stored.repeated))
        odd = pc.or_(odd, pc.equal(keys, ""))
        other = pc.and_not(pc.invert(known), pc.is_in(keys, read.keys))
        self._ask_all(raw, keys, pc.or_(odd, other))
        self._gone.append(stored.keys.filter(pc.invert(pc.is_in(stored.keys, keys))))

    def _ask(self, key: str, raw: Key) -> None:
        self.asked.setdefault(key, {})[raw] = None

    def _ask_all(self, raw: pa.Table, keys: pa.Array, which: pa.Array | None) -> None:
        if which is not None:
            rows = pc.indices_nonzero(which)
            raw, keys = raw.take(rows), keys.take(rows)
        written = zip(*(column.to_pylist() for column in raw.columns), strict=True)
        for key, one in zip(keys.to_pylist(), written, strict=True):
            self._ask(key, one)


# -- reading


def _stored(path: Path, key: Sequence[str]) -> _Stored:
    table = pq.read_table(path, columns=[SOURCE_KEY, PROBLEM])
    keys, unnamed = table[SOURCE_KEY].combine_chunks(), tuple[Key, ...]()
    odd = pc.indices_nonzero(table[PROBLEM].is_valid())
    if len(odd):
        problems, given = table[PROBLEM].take(odd).to_pylist(), keys.take(odd).to_pylist()
        names = {
            row: "" if EMPTY_KEY in text else original(name) if is_renamed(text) else name
            for row, name, text in zip(odd.to_pylist(), given, problems, strict=True)
        }
        keys = replaced(keys, names)
    if pc.any(pc.equal(keys, "")).as_py():
        nameless = pq.read_table(path, columns=list(key)).filter(pc.equal(keys, ""))
        written = zip(*(column.to_pylist() for column in nameless.select(key).columns), strict=True)
        unnamed = tuple(dict.fromkeys(written))
    return _Stored(path, keys, _repeated(keys), unnamed)


def _landed(reading: Reading, file: IO[bytes], key: Sequence[str]) -> _Read:
    with SnapshotWriter(file, reading.columns) as writer:
        landed = landing.land(reading, writer, [reading.columns.index(name) for name in key])
    file.flush()
    raw = pq.read_table(file.name, columns=list(key)).select(list(key))
    return _Read(landed, raw, _joined(raw))


def _keys(rows: Iterable[Row | pa.RecordBatch], key: Sequence[str]) -> pa.Table:
    """Rows of key columns as a table."""
    columns = [str(place) for place in range(len(key))]
    batches = Reading(columns, iter(rows), Report(), "").batches()
    schema = pa.schema([pa.field(name, pa.string()) for name in columns])
    return pa.Table.from_batches((batch.select(columns) for batch in batches), schema)


def _listed(listing: Listing, key: Sequence[str], *, cursor: bool) -> pa.Table:
    return _keys(listing(), [*key, *(["cursor"] if cursor else [])])


def _fetched(
    reading: Reading,
    fetch: Fetch | None,
    asked: dict[str, dict[Key, None]],
    key: Sequence[str],
) -> Iterator[pa.RecordBatch]:
    """The rows of the keys that are asked for, each once."""
    names = list(asked)
    places = [2 + reading.columns.index(name) for name in key]
    for start in range(0, len(names) if fetch else 0, _KEYS_AT_ONCE):
        some = names[start : start + _KEYS_AT_ONCE]
        assert fetch is not None
        rows = fetch([raw for name in some for raw in asked[name]])
        for batch in replace(reading, rows=rows).batches():
            # A database may take A for a; what was not asked for is somewhere else already.
            found = landing.joined([batch.column(place) for place in places])
            yield batch.filter(pc.is_in(found, pa.array(some, pa.string())))


# -- keys


def _joined(raw: pa.Table) -> pa.Array:
    return landing.joined([column.combine_chunks() for column in raw.columns])


def _repeated(keys: pa.Array) -> pa.Array:
    counts = keys.value_counts()
    return counts.filter(pc.greater(counts.field("counts"), 1)).field("values")


def _paired(keys: pa.Array, cursors: pa.Array | pa.ChunkedArray | None) -> pa.Array:
    if cursors is None:
        return keys
    return pc.binary_join_element_wise(keys, pc.fill_null(cursors, _NOTHING), _BETWEEN)
