"""The parts of a DBF file: header, fields, memo file, and a field's bytes as text.

What belongs here: dBase III to 7, FoxPro, Visual FoxPro and Clipper, byte by byte.
How a source is made of such files stands in connectors/legacy/dbf.py.

Source: dBase .DBF File Structure (dBase Inc.), DBF and FPT structures in the Visual
FoxPro 9 documentation, "Table File Structure" and "Memo File Structure".
"""

import datetime as dt
import mmap
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

from onefold.errors import SourceLayout, SourceLocked

_END_OF_FIELDS = 0x0D
_DBASE_7 = frozenset({0x04, 0x8C})
_FOXPRO = frozenset({0x30, 0x31, 0x32})
"""Visual FoxPro: binary memo numbers, nullable and variable fields."""
VERSIONS = frozenset({0x03, 0x04, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8B, 0x8C, 0x8E, 0xCB})
VERSIONS |= frozenset({0xE5, 0xF5, 0xFB})
"""First bytes of the files that are read; 0x02, dBase II, has another header."""

CODE_PAGES = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x04: "mac_roman", 0x08: "cp865",
    0x09: "cp437", 0x0A: "cp850", 0x0B: "cp437", 0x0D: "cp437", 0x0E: "cp850", 0x0F: "cp437",
    0x10: "cp850", 0x11: "cp437", 0x12: "cp850", 0x13: "cp932", 0x14: "cp850", 0x15: "cp437",
    0x16: "cp850", 0x17: "cp865", 0x18: "cp437", 0x19: "cp437", 0x1A: "cp850", 0x1B: "cp437",
    0x1C: "cp863", 0x1D: "cp850", 0x1F: "cp852", 0x22: "cp852", 0x23: "cp852", 0x24: "cp860",
    0x25: "cp850", 0x26: "cp866", 0x37: "cp850", 0x40: "cp852", 0x4D: "gb18030", 0x4E: "cp949",
    0x4F: "cp950", 0x50: "cp874", 0x57: "cp1252", 0x58: "cp1252", 0x59: "cp1252", 0x64: "cp852",
    0x65: "cp866", 0x66: "cp865", 0x67: "cp861", 0x6A: "cp737", 0x6B: "cp857", 0x6C: "cp863",
    0x78: "cp950", 0x79: "cp949", 0x7A: "gb18030", 0x7B: "cp932", 0x7C: "cp874", 0x7D: "cp1255",
    0x7E: "cp1256", 0x86: "cp737", 0x87: "cp852", 0x88: "cp857", 0x96: "mac_cyrillic",
    0x97: "mac_latin2", 0x98: "mac_greek", 0xC8: "cp1250", 0xC9: "cp1251", 0xCA: "cp1254",
    0xCB: "cp1253", 0xCC: "cp1257",
}  # fmt: skip
"""Language driver byte → encoding; 936 is read as its successor."""

MEMO_KINDS = frozenset("M")
RAW_KINDS = frozenset("GPQWO@")
"""Pictures, objects, raw bytes: nothing that is text."""
_JULIAN_OF_ORDINAL_0 = 1_721_425
"""Julian day number of the day before the first of January of year 1."""


@dataclass(frozen=True)
class Field:
    """One field of a record.

    Attributes:
        name: as in the file, still bytes.
        kind: one letter: C text, N number, D date, M memo, ...
        start: offset of its first byte in the record; the mark of deletion is byte 0.
        length: bytes.
        null_bit, short_bit: its bits in ``_NullFlags``, if it has them: null; shorter than
            its length.
    """

    name: bytes
    kind: str
    start: int
    length: int
    null_bit: int | None = None
    short_bit: int | None = None


@dataclass(frozen=True)
class Header:
    """What a DBF file says of itself.

    Attributes:
        version: first byte.
        records: how many records it says it has, deleted ones too.
        start: offset of the first record.
        length: bytes of a record.
        language: language driver byte; 0: not said.
        fields: the fields, without ``_NullFlags``.
        flags: the field ``_NullFlags``, or None.
    """

    version: int
    records: int
    start: int
    length: int
    language: int
    fields: tuple[Field, ...]
    flags: Field | None

    @property
    def is_foxpro(self) -> bool:
        """Whether numbers of memos are binary."""
        return self.version in _FOXPRO


def read_header(stream: BinaryIO, where: str) -> Header:
    """Read header and fields.

    Raises:
        SourceLayout: this is no DBF file, or its header is damaged.
        SourceLocked: the file is encrypted.
    """
    head = stream.read(32)
    if len(head) < 32 or head[0] not in VERSIONS:
        raise _damaged(where, "this is no DBF file that can be read", "another format")
    records, start, length = struct.unpack_from("<IHH", head, 4)
    if head[15] == 1:
        raise SourceLocked(where, "the file is encrypted", do="Export it without encryption.")
    rest = stream.read(max(start - 32, 0))
    if len(rest) < start - 32 or length < 2 or start < 65:
        raise _damaged(where, "the header is damaged", f"{len(rest) + 32} of {start} bytes")
    sevens = head[0] in _DBASE_7
    at, size = (36, 48) if sevens else (0, 32)
    raw = []
    while at + size <= len(rest) and rest[at] != _END_OF_FIELDS:
        raw.append(rest[at : at + size])
        at += size
    fields, place, bit = [], 1, 0
    for one in raw:
        name = one[:32] if sevens else one[:11]
        kind, width, decimals = one[32:35] if sevens else (one[11], one[16], one[17])
        letter, marks = chr(kind), 0 if sevens else one[18]
        if letter == "C" and head[0] not in _DBASE_7 | _FOXPRO:
            width += 256 * decimals  # Clipper and FoxPro: long texts
        if sevens and letter == "I":
            letter = "+"
        elif letter == "B" and head[0] not in _FOXPRO:
            letter = "Q"  # a number of raw bytes in the memo file
        short = null = None
        if head[0] in _FOXPRO and letter in "VQ":
            short, bit = bit, bit + 1
        if head[0] in _FOXPRO and marks & 2:
            null, bit = bit, bit + 1
        fields.append(Field(name.split(b"\0")[0], letter, place, width, null, short))
        place += width
    if not fields or place > length:
        raise _damaged(where, "the header is damaged", f"fields of {place} bytes in {length}")
    flags = next((field for field in fields if field.kind == "0"), None)
    own = tuple(field for field in fields if field.kind != "0")
    return Header(head[0], records, start, length, head[29], own, flags)


def _damaged(where: str, what: str, found: str) -> SourceLayout:
    return SourceLayout(where, what, found=found, do="Copy it again, or take it away.")


class Memos:
    """The memo file beside a table: texts by the number of their block."""

    def __init__(self, path: Path, header: Header) -> None:
        with path.open("rb") as stream:
            empty = not stream.read(1)
            self._data: bytes | mmap.mmap = (
                b"" if empty else mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            )
        self._is_fpt = path.suffix.casefold() == ".fpt"
        self._has_lengths = header.version in (0x8B, 0xCB, 0x8C, 0x8E)
        if self._is_fpt:
            self._block = int.from_bytes(self._data[6:8], "big") or 512
        else:
            self._block = int.from_bytes(self._data[20:22], "little") or 512
            self._block = self._block if self._has_lengths else 512

    def read(self, number: int) -> bytes | None:
        """The memo that begins in a block; None if it is not there whole."""
        at = number * self._block
        if not 0 < at < len(self._data):
            return None
        if self._is_fpt:
            (length,) = struct.unpack_from(">I", self._data[at : at + 8].ljust(8, b"\0"), 4)
            at += 8
        elif self._data[at : at + 4] == b"\xff\xff\x08\x00":
            length = int.from_bytes(self._data[at + 4 : at + 8], "little") - 8
            at += 8
        else:  # dBase III: up to the mark of the end
            end = self._data.find(b"\x1a", at)
            length = (len(self._data) if end < 0 else end) - at
        return self._data[at : at + length] if 0 <= length <= len(self._data) - at else None


# -- a field's bytes as text


def text_of(kind: str) -> Callable[[bytes], str | None]:
    """A function from the bytes of a number, date or flag to text; None for nothing."""
    return _KINDS.get(kind, _plain)


def _plain(cut: bytes) -> str | None:
    return cut.strip(b" \0").decode("latin-1") or None


def _number(cut: bytes) -> str | None:
    text = cut.strip(b" \0").decode("latin-1")
    return None if not text or not text.strip("*") else text


def _date(cut: bytes) -> str | None:
    """Eight digits as a date, if they are one; else as they stand there.

    >>> _date(b"19800229"), _date(b"        "), _date(b"20230230")
    ('1980-02-29', None, '20230230')
    """
    text = cut.strip(b" \0").decode("latin-1")
    if not text.strip("0"):
        return None
    try:
        return dt.datetime.strptime(text, "%Y%m%d").date().isoformat()
    except ValueError:
        return text


def _logical(cut: bytes) -> str | None:
    return {b"T": "TRUE", b"Y": "TRUE", b"F": "FALSE", b"N": "FALSE"}.get(cut[:1].upper())


def _moment(cut: bytes) -> str | None:
    """Julian day and milliseconds, as Visual FoxPro keeps a moment.

    >>> _moment(struct.pack("<ii", 2459957, 3_600_000)), _moment(bytes(8))
    ('2023-01-12 01:00:00', None)
    """
    day, milliseconds = struct.unpack("<ii", cut)
    if not day or cut == b"        ":
        return None
    try:
        date = dt.datetime.fromordinal(day - _JULIAN_OF_ORDINAL_0)
    except (ValueError, OverflowError):
        return None
    # FoxPro keeps 01:00:00 as 3,599,999.99…
    return (date + dt.timedelta(seconds=round(milliseconds / 1000))).isoformat(" ")


def _currency(cut: bytes) -> str | None:
    if cut == b"        ":
        return None
    return str(Decimal(struct.unpack("<q", cut)[0]).scaleb(-4))


def _double(cut: bytes) -> str | None:
    value = struct.unpack("<d", cut)[0]
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _integer(cut: bytes) -> str | None:
    return str(struct.unpack("<i", cut)[0]) if len(cut) == 4 else _plain(cut)


def _counter(cut: bytes) -> str | None:
    """dBase 7: big-endian, its sign turned around."""
    return str(struct.unpack(">I", cut)[0] - (1 << 31)) if any(cut) else None


_KINDS: dict[str, Callable[[bytes], str | None]] = {
    "N": _number,
    "F": _number,
    "D": _date,
    "L": _logical,
    "T": _moment,
    "Y": _currency,
    "B": _double,
    "I": _integer,
    "+": _counter,
}


def memo_number(cut: bytes) -> int:
    """The number of a memo's block; 0 for none.

    >>> memo_number(b"        12"), memo_number(b"   "), memo_number(bytes([7, 0, 0, 0]))
    (12, 0, 7)
    """
    if len(cut) == 4:
        return int.from_bytes(cut, "little")
    text = cut.strip(b" \0")
    return int(text) if text.isdigit() else 0


def bits(flags: Sequence[bytes], bit: int) -> list[bool]:
    """One bit of ``_NullFlags``, for every record."""
    byte, mask = bit >> 3, 1 << (bit & 7)
    return [byte < len(one) and bool(one[byte] & mask) for one in flags]
