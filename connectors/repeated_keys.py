"""Keys that occur more than once: every row gets one of its own, and says why.

What belongs here: which of several rows keeps the key, what the others are called, and the
same rows with their new keys. The key itself is made in connectors/landing.py.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors import row_hashes
from connectors.landing import Landed
from connectors.reading import PROBLEM, ROW_HASH, SOURCE_KEY

PROBLEM_TEXT = "the key occurs {} times in the source; another row was kept"
_PARTS = 32
"""Parts in which repeated keys are looked for."""
_MOST_NEW = 0.2
"""Share of the keys that may be new where the places of the others tell that each occurs once."""
_SAID = re.compile(r"(?:; )?" + PROBLEM_TEXT.format(r"\d+"))
_FROM_CONTENT = re.compile(r"#[0-9a-f]{32}")
_RENAMED = re.compile(r"(.*)#[0-9a-f]{8}(?:-\d+)?", re.DOTALL)


@dataclass(frozen=True)
class Repair:
    """What a row is called instead, its hash then, and what is wrong with it because of that."""

    key: str
    row_hash: str
    problem: str | None
    alone: bool = False
    """Whether the problem stands for all that was said of the row before."""
    position: str = ""
    """Where the row stands, if the repair is not of a row that landed just now."""


def repair(landed: Landed, *, by_content: bool, at: pa.Array | None = None) -> dict[int, Repair]:
    """New keys for rows whose key another row has too, by the row's number.

    Every row gets a key of its own, whatever the order of the rows: of the rows that
    have no other problem the one with the smallest hash keeps the key, the others
    get part of their hash to it.

    Args:
        at: the place of each key in a snapshot, where it is found there (key_places.places).
    """
    if at is not None and _are_distinct(landed.keys, at):
        return {}
    repeated = _repeated(landed.keys)
    if not len(repeated):
        return {}
    rows = pc.indices_nonzero(pc.is_in(landed.keys, value_set=repeated)).to_pylist()
    groups: dict[str, list[tuple[bool, str, str, int]]] = defaultdict(list)
    picked = (landed.keys.take(rows), landed.hashes.take(rows), landed.positions.take(rows))
    for row, key, row_hash, position in zip(rows, *(p.to_pylist() for p in picked), strict=True):
        groups[key].append((row in landed.marked, row_hash, position, row))
    repairs = {}
    for key, members in groups.items():
        seen: Counter[str] = Counter()
        for place, (_, row_hash, _, row) in enumerate(sorted(members)):
            seen[row_hash] += 1
            if place == 0:
                continue
            again = f"-{seen[row_hash]}" if seen[row_hash] > 1 else ""
            if by_content or _FROM_CONTENT.fullmatch(key):
                repairs[row] = Repair(f"{key}{again}", row_hash, None)
                continue
            problem = PROBLEM_TEXT.format(len(members))
            new_hash = row_hashes.of(row_hash, problem).hex()
            repairs[row] = Repair(f"{key}#{row_hash[:8]}{again}", new_hash, problem)
    return repairs


def _are_distinct(keys: pa.ChunkedArray, at: pa.Array) -> bool:
    """Whether no key occurs twice, as far as their places tell cheaply."""
    new = keys.filter(at.is_null())
    if len(new) > _MOST_NEW * len(keys):
        return False
    there = np.bincount(np.asarray(at.drop_null()), minlength=1)
    if there.max() > 1 or pc.count_distinct(new).as_py() < len(new):
        return False
    return pc.sum(pc.is_in(keys, value_set=new)).as_py() in (None, len(new))


def _repeated(keys: pa.ChunkedArray) -> pa.Array:
    """Keys that occur more than once; none is empty.

    Those of some last bytes at a time: a table of a million keys at once takes 70 MB.
    """
    parts = [_last_bytes(chunk) % _PARTS for chunk in keys.chunks]
    found = [pa.array([], pa.string())]
    for part in range(_PARTS):
        here = [c.filter(pa.array(p == part)) for c, p in zip(keys.chunks, parts, strict=True)]
        counts = pa.chunked_array(here, pa.string()).value_counts()
        found.append(counts.filter(pc.greater(counts.field("counts"), 1)).field("values"))
    return pa.concat_arrays(found)


def _last_bytes(texts: pa.Array) -> np.ndarray:
    """The last byte of every text, uint8; of one that is empty, any."""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset + 1 : texts.offset + len(texts) + 1]
    return np.frombuffer(data, np.uint8)[ends - 1] if len(texts) else np.empty(0, np.uint8)


def adjusted(landed: Landed, repairs: Mapping[int, Repair]) -> tuple[int, int]:
    """The sums of hashes, and of rows with where they stand, after the repairs."""
    other = [row for row, one in repairs.items() if one.problem]
    if not other:
        return landed.total, landed.placed
    before = bytes.fromhex("".join(landed.hashes.take(other).to_pylist()))
    after = bytes.fromhex("".join(repairs[row].row_hash for row in other))
    places = landed.positions.take(other).combine_chunks()
    total = landed.total - row_hashes.total(before) + row_hashes.total(after)
    placed = landed.placed - row_hashes.placed(before, places) + row_hashes.placed(after, places)
    return total & row_hashes.MASK, placed & row_hashes.MASK


def repaired(batch: pa.RecordBatch, repairs: Mapping[int, Repair]) -> pa.RecordBatch:
    """A part of a snapshot with the new keys of some of its rows, by their number in it."""
    keys, hashes, problems = (
        batch.column(name).to_pylist() for name in (SOURCE_KEY, ROW_HASH, PROBLEM)
    )
    for row, repair in repairs.items():
        keys[row], hashes[row] = repair.key, repair.row_hash
        before = None if repair.alone else problems[row]
        both = [text for text in (before, repair.problem) if text]
        problems[row] = "; ".join(both) or None
    for name, values in ((SOURCE_KEY, keys), (ROW_HASH, hashes), (PROBLEM, problems)):
        index = batch.schema.get_field_index(name)
        batch = batch.set_column(index, batch.schema.field(index), pa.array(values, pa.string()))
    return batch


def is_renamed(problem: str) -> bool:
    """Whether a row was called otherwise because its key occurs twice.

    >>> is_renamed(f"the line is too short; {PROBLEM_TEXT.format(2)}"), is_renamed("too short")
    (True, False)
    """
    return _SAID.search(problem) is not None


def without_repeats(problem: str | None) -> str | None:
    """What else is wrong with a row; None if nothing is.

    >>> without_repeats(f"the line is too short; {PROBLEM_TEXT.format(2)}")
    'the line is too short'
    """
    return problem and (_SAID.sub("", problem) or None)


def repeats(problem: str | None) -> str | None:
    """What is said of the key that occurs twice; None if nothing is.

    >>> repeats(f"the line is too short; {PROBLEM_TEXT.format(2)}")
    'the key occurs 2 times in the source; another row was kept'
    """
    found = _SAID.search(problem or "")
    return found.group().removeprefix("; ") if found else None


def original(key: str) -> str:
    """The key that a renamed row had.

    >>> original("A#1#0a1b2c3d"), original("7#0a1b2c3d-2")
    ('A#1', '7')
    """
    match = _RENAMED.fullmatch(key)
    return match.group(1) if match else key


def replaced(column: pa.Array | pa.ChunkedArray, others: Mapping[int, str]) -> pa.Array:
    """A column with other texts in some rows."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not others:
        return whole
    rows = sorted(others)
    mask = np.zeros(len(whole), bool)
    mask[rows] = True
    values = pa.array([others[row] for row in rows], pa.string())
    return pc.replace_with_mask(whole, pa.array(mask), values)
