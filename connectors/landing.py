"""Rows to a file: the records of a reading, batch by batch, with their keys and hashes.

What belongs here: what every snapshot adds to the source's own columns, made for
whole columns. Memory is bounded by a batch and, of every record, key and hash.
Which rows a source has is the connector's part; the file, its manifest and keys
that occur twice are connectors/snapshot.py's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors import row_hashes
from connectors.known_rows import KnownRows
from connectors.reading import FileFacts, Reading
from connectors.snapshot_writer import SnapshotWriter, schema
from connectors.value_kinds import Kinds

_MOST_FRESH = 100_000
"""Rows that are kept in memory besides."""
EMPTY_KEY = "the key is empty"


@dataclass
class Landed:
    """What is known once every row is in the file.

    Attributes:
        rows: how many there are.
        total: the sum of the rows' hashes.
        placed: the sum of rows with where they stand.
        keys, hashes, positions: of every row, in the file's order.
        marked: numbers of the rows that have a problem of their own.
        kinds: column → kind of its values (connectors/value_kinds.py).
        fresh: ``(numbers, rows)`` of the rows that the last snapshot is not known to have, as the
            file has them; None where that was not asked, or they are many.
    """

    rows: int
    total: int
    placed: int
    keys: pa.ChunkedArray
    hashes: pa.ChunkedArray
    positions: pa.ChunkedArray
    marked: frozenset[int]
    kinds: Mapping[str, str] = field(default_factory=dict)
    fresh: Sequence[tuple[np.ndarray, pa.RecordBatch]] | None = None


def land(
    reading: Reading, to: SnapshotWriter, key: Sequence[int], known: KnownRows | None = None
) -> Landed:
    """Write every row of a reading.

    Args:
        key: indexes of the key columns; empty: made of the content.
        known: the rows of the last snapshot; only for a reading that is not sealed and has a key.

    Raises:
        SourceError: whatever the connector raises.
    """
    fields = schema(reading.columns)
    keys: list[pa.Array] = []
    hashes: list[pa.Array] = []
    positions: list[pa.Array] = []
    total = placed = rows = 0
    marked: list[int] = []
    kinds = Kinds(reading.columns)
    fresh: list[tuple[np.ndarray, pa.RecordBatch]] | None = [] if known else None
    for batch in _let_in(reading, key):
        position, problem = batch.column(0), batch.column(1)
        values = [_without_nul(column) for column in batch.columns[2:]]
        there = None
        if known:
            found, there = known.hashes(joined([values[i] for i in key]), values)
        else:
            found = row_hashes.digests(reading.columns, values)
        kinds.add(values, found)
        if reading.seal:
            found = reading.seal.hashes(found)
            values = reading.seal.sealed(reading.columns, values)
        if key:
            made = joined([values[i] for i in key])
            empty = pc.equal(made, "")
            if pc.any(empty).as_py():
                own = pc.binary_join_element_wise("#", row_hashes.hexadecimal(found), "")
                made = pc.if_else(empty, own, made)
                said = pc.binary_join_element_wise(problem, EMPTY_KEY, "; ", null_handling="skip")
                problem = pc.if_else(empty, said, problem)
        else:
            made = row_hashes.hexadecimal(found)
        if problem.null_count < len(problem):
            with_problem = pc.indices_nonzero(problem.is_valid()).to_pylist()
            found = _with_problems(found, problem, with_problem)
            marked += [rows + row for row in with_problem]
            if there is not None:  # the same values are another row with a problem
                there[with_problem] = False
        row_hash = row_hashes.hexadecimal(found)
        landed = [made, position, row_hash, problem, *values]
        written = pa.RecordBatch.from_arrays(landed, schema=fields)
        to.write(written)
        if there is not None and fresh is not None:
            new = np.flatnonzero(~there)
            fresh.append((rows + new, written.take(pa.array(new))))
            fresh = fresh if sum(len(one) for one, _ in fresh) <= _MOST_FRESH else None
        total += row_hashes.total(found)
        placed += row_hashes.placed(found, position)
        rows += batch.num_rows
        keys.append(made)
        hashes.append(row_hash)
        positions.append(position)
    return Landed(
        rows=rows,
        total=total & row_hashes.MASK,
        placed=placed & row_hashes.MASK,
        keys=pa.chunked_array(keys, pa.string()),
        hashes=pa.chunked_array(hashes, pa.string()),
        positions=pa.chunked_array(positions, pa.string()),
        marked=frozenset(marked),
        kinds=kinds.found(),
        fresh=fresh,
    )


def _let_in(reading: Reading, key: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """The rows of a reading without those that may not land."""
    if reading.withhold is None:
        yield from reading.batches()
        return
    fields = schema(reading.columns)
    for batch in reading.batches():
        values = [_without_nul(column) for column in batch.columns[2:]]
        content = row_hashes.digests(reading.columns, values)
        found = reading.seal.hashes(content) if reading.seal else content
        row_hash = row_hashes.hexadecimal(found)
        made = joined([values[i] for i in key]) if key else row_hash
        rows = [made, batch.column(0), row_hash, batch.column(1), *values]
        held = reading.withhold(pa.RecordBatch.from_arrays(rows, schema=fields), content)
        if held is not None:
            reading.report.withheld += pc.sum(held).as_py() or 0
            batch = batch.filter(pc.invert(held))
        if batch.num_rows:
            yield batch


def file_rows(landed: Landed, facts: Sequence[FileFacts]) -> tuple[tuple[str, int], ...]:
    """The files that rows come from, in the rows' order, and how many of each.

    Empty if a position does not begin with the name of a file.
    """
    found: list[tuple[str, int]] = []
    for chunk in landed.positions.chunks:
        first = pc.list_element(pc.split_pattern(chunk, "|", max_splits=1), 0)
        runs = pc.run_end_encode(first)
        lengths = np.diff(runs.run_ends.to_numpy(), prepend=0).tolist()
        found += zip(runs.values.to_pylist(), lengths, strict=True)
    if not {name for name, _ in found} <= {one.name for one in facts}:
        return ()
    grouped = groupby(found, key=lambda one: one[0])
    return tuple((name, sum(count for _, count in some)) for name, some in grouped)


def joined(parts: Sequence[pa.Array]) -> pa.Array:
    """Key columns as one key; '' where all are empty.

    >>> joined([pa.array(["0010", "", None]), pa.array([" A ", "a|b", " "])]).to_pylist()
    ['0010|A', '|a\\\\|b', '']
    >>> joined([pa.array(["a|b"])]).to_pylist()
    ['a|b']
    """
    plain = [pc.fill_null(pc.utf8_trim_whitespace(part), "") for part in parts]
    if len(plain) == 1:
        return plain[0]
    there = [pc.not_equal(part, "") for part in plain]
    some = there[0]
    for one in there[1:]:
        some = pc.or_(some, one)
    for sign in ("\\", "|"):
        plain = [pc.replace_substring(part, sign, f"\\{sign}") for part in plain]
    return pc.if_else(some, pc.binary_join_element_wise(*plain, "|"), "")


def _without_nul(column: pa.Array) -> pa.Array:
    """Text without NUL: never data, and PostgreSQL refuses it."""
    data = column.buffers()[2]
    if data is None or np.frombuffer(data, np.uint8).all():
        return column
    return pc.replace_substring(column, "\0", "")


def _with_problems(found: bytes, problem: pa.Array, rows: Sequence[int]) -> bytes:
    """The hashes, those of rows with a problem made of both."""
    changed, size = bytearray(found), row_hashes.SIZE
    for row, text in zip(rows, problem.take(rows).to_pylist(), strict=True):
        place = slice(row * size, (row + 1) * size)
        changed[place] = row_hashes.of(found[place].hex(), text)
    return bytes(changed)
