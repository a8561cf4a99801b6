"""What PostgreSQL's log says was changed, as keys: messages of its output plugin pgoutput.

What belongs here: bytes to keys. Rows are not taken from the log: it leaves out what was
stored aside and did not change, and writes some types otherwise than a SELECT does. Where
the messages come from stands in connectors/replication.py.

Source: PostgreSQL documentation, 54.9 Logical Replication Message Formats, protocol 1.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.postgres_copy import decoded
from connectors.reading import Key

_MOST = 500_000
"""Keys that are kept; of more, everything is read anyway."""
_UNSAID = "the log did not say the key of a changed row"
_UNCHANGED = b"\0"
"""In place of a value that was stored aside and did not change; no text holds this."""


@dataclass
class Decoded:
    """The changes of some transactions, in the order of their commits.

    Attributes:
        keys: of every row that was inserted, updated (before and after) or deleted, once.
        whole: why the keys do not say everything; '' if they do.
        xids: of every transaction its number, as the server writes it in 32 bits.
        ends: of every transaction where its commit ends in the log.
    """

    keys: dict[Key, None] = field(default_factory=dict)
    whole: str = ""
    xids: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Relation:
    """A table as the log has it.

    Attributes:
        places: where its columns that hold the key are.
        identified: whether all of them are in what the log says of an old row.
    """

    places: tuple[int, ...]
    identified: bool


def decode(messages: Iterable[bytes], followed: Mapping[int, Sequence[str]]) -> Decoded:
    """Read messages to their end.

    Args:
        messages: as pgoutput gives them, whole transactions.
        followed: table's number (oid) → its columns that hold the key.
    """
    found, relations, xid = Decoded(), dict[int, _Relation](), 0
    for message in messages:
        kind = message[:1]
        if kind == b"B":
            (xid,) = struct.unpack_from(">I", message, 17)
        elif kind == b"C":
            found.xids.append(xid)
            found.ends.append(struct.unpack_from(">Q", message, 10)[0])
        elif kind == b"R":
            number = _number(message, 1)
            if number in followed:
                relations[number] = _relation(message, followed[number])
        elif kind == b"T":
            count = _number(message, 1)
            emptied = struct.unpack_from(f">{count}I", message, 6)
            if not followed.keys().isdisjoint(emptied):
                found.whole = "the table was emptied"
        elif kind in (b"I", b"U", b"D") and not found.whole:
            relation = relations.get(_number(message, 1))
            if relation is not None:
                _add(found, relation, message)
    return found


def _add(found: Decoded, relation: _Relation, message: bytes) -> None:
    """The keys of one changed row."""
    inserted, at = message[:1] == b"I", 5
    if not inserted and not relation.identified:
        found.whole = _UNSAID
        return
    before: tuple[bytes | None, ...] | None = None
    while at < len(message):
        cells, at = _cells(message, at + 1)
        key = tuple(cells[place] for place in relation.places)
        if _UNCHANGED in key:
            if before is None:
                found.whole = _UNSAID
                return
            key = tuple(then if now == _UNCHANGED else now
                        for now, then in zip(key, before, strict=True))  # fmt: skip
        if any(value is not None for value in key):
            found.keys[tuple(None if value is None else decoded(value) for value in key)] = None
        before = key
    if len(found.keys) > _MOST:
        found.keys.clear()
        found.whole = "more rows were changed than are looked up one by one"


def _cells(message: bytes, at: int) -> tuple[list[bytes | None], int]:
    """The values of a row, and where what follows it begins."""
    (count,) = struct.unpack_from(">H", message, at)
    at += 2
    cells: list[bytes | None] = []
    for _ in range(count):
        kind = message[at : at + 1]
        at += 1
        if kind == b"n":
            cells.append(None)
        elif kind == b"u":
            cells.append(_UNCHANGED)
        else:
            size = _number(message, at)
            cells.append(message[at + 4 : at + 4 + size])
            at += 4 + size
    return cells, at


def _relation(message: bytes, key: Sequence[str]) -> _Relation:
    _, at = _name(message, 5)  # schema
    _, at = _name(message, at)  # table
    (count,) = struct.unpack_from(">H", message, at + 1)
    at += 3
    places: dict[str, int] = {}
    identity: set[str] = set()
    for place in range(count):
        flag = message[at]
        name, at = _name(message, at + 1)
        at += 8
        places[name] = place
        if flag & 1:
            identity.add(name)
    if not places.keys() >= set(key):
        return _Relation((), False)
    return _Relation(tuple(places[name] for name in key), identity >= set(key))


def _number(message: bytes, at: int) -> int:
    return int(struct.unpack_from(">I", message, at)[0])


def _name(message: bytes, at: int) -> tuple[str, int]:
    end = message.index(b"\0", at)
    return message[at:end].decode(), end + 1
