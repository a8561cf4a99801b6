"""Cells of spreadsheets as text: what Excel stores, without what a float adds.

What belongs here: one cell, and whole columns of them, to the same text. Which cells
are a table stands in connectors/spreadsheet.py.
"""

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.tables import Cell

_EXACT_DIGITS = 15
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
"""Microseconds."""
_ESCAPED = re.compile(r"_x(00[01][0-9A-Fa-f])_")
"""Control characters as ECMA-376 part 1, 22.9.2.19, writes them in XML."""
_UNDERSCORE = ord("_")
_BEGINS_BLANK = np.zeros(256, bool)
"""First bytes, in UTF-8, of all blanks, and of other characters."""
_BEGINS_BLANK[[*range(33), 0xC2, 0xE1, 0xE2, 0xE3]] = True
_SHORT = 11
"""Characters of a number that has no more than 15 digits, be it from 0.001 to a million."""
_TIMES = frozenset({dt.date, dt.datetime})
_EPOCH, _FIRST_DAY = dt.datetime(1970, 1, 1), dt.date(1970, 1, 1)


def as_text(cell: Cell) -> str | None:
    """A cell as text.

    >>> as_text(13812345678.0), as_text(3.70613197609273e17), as_text(0.1)
    ('13812345678', '370613197609273000', '0.1')
    >>> as_text(dt.datetime(2023, 1, 12)), as_text(True)
    ('2023-01-12', 'TRUE')
    """
    if isinstance(cell, str):
        cell = _unescaped(cell)
        return cell if cell.strip() else None
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float | int):
        return _number(cell)
    if isinstance(cell, dt.datetime):
        if cell.time() == dt.time():
            return cell.date().isoformat()
        return cell.isoformat(" ", "seconds" if not cell.microsecond else "auto")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text)


def _number(cell: float | int) -> str:
    if isinstance(cell, int) or (cell.is_integer() and abs(cell) < 10**_EXACT_DIGITS):
        return str(int(cell))
    text = f"{cell:.{_EXACT_DIGITS}g}"
    if "e" not in text:
        return text
    text = f"{Decimal(text):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def column(cells: Sequence[Cell]) -> tuple[pa.Array, int]:
    """A column of cells as text, as :func:`as_text` writes each.

    Returns:
        the texts, and how many numbers have more digits than a spreadsheet keeps.
    """
    try:  # most columns are text, and to look at every type would take as long
        return _strings(cells), 0
    except pa.ArrowTypeError:
        kinds = set(map(type, cells))
    if kinds <= _TIMES:
        return _moments(cells), 0
    if len(kinds) == 1:
        return _of_kind(kinds.pop(), cells)
    codes = {kind: code for code, kind in enumerate(sorted(kinds, key=lambda kind: kind.__name__))}
    found = np.fromiter(map(codes.__getitem__, map(type, cells)), np.int8, len(cells))
    parts, places, damaged = [], [], 0
    for kind, code in codes.items():
        some = np.flatnonzero(found == code)
        made, count = _of_kind(kind, [cells[i] for i in some.tolist()])
        parts.append(made)
        places.append(some)
        damaged += count
    order = np.empty(len(cells), np.int64)
    order[np.concatenate(places)] = np.arange(len(cells))
    return pa.concat_arrays(parts).take(pa.array(order)), damaged


def _of_kind(kind: type, cells: Sequence[Any]) -> tuple[pa.Array, int]:
    """Cells of one type as text, and how many of them are damaged numbers."""
    if kind is str:
        return _strings(cells), 0
    if kind is float:
        return _floats(cells)
    if kind is bool:
        return pc.if_else(pa.array(cells, pa.bool_()), "TRUE", "FALSE"), 0
    if kind in _TIMES:
        return _moments(cells), 0
    damaged = sum(abs(cell) >= 10**_EXACT_DIGITS for cell in cells) if kind is int else 0
    return pa.array([as_text(cell) for cell in cells], pa.string()), damaged


def _strings(cells: Sequence[Any]) -> pa.Array:
    """Text of cells; where there is none, or nothing but blanks, null.

    Raises:
        pa.ArrowTypeError: a cell is no text.
    """
    texts = pa.array(cells, pa.string())
    if not len(texts):
        return texts
    bounds, chars = _buffers(texts)
    if (chars == _UNDERSCORE).any() and b"_x00" in chars.tobytes():
        texts = pa.array([cell and _unescaped(cell) for cell in cells], pa.string())
        bounds, chars = _buffers(texts)
    filled = bounds[1:] > bounds[:-1]
    odd = np.flatnonzero(filled)
    odd = odd[_BEGINS_BLANK[chars[bounds[odd]]]]
    if len(odd):
        blank = pc.equal(pc.utf8_trim_whitespace(texts.take(pa.array(odd))), "")
        filled[odd[blank.to_numpy(zero_copy_only=False)]] = False
    if filled.all():
        return texts
    there = pa.py_buffer(np.packbits(filled, bitorder="little"))
    return pa.StringArray.from_buffers(len(texts), *texts.buffers()[1:], there)


def _buffers(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Where the text of each cell begins and the last one ends, and the bytes of all."""
    _, offsets, data = texts.buffers()
    return np.frombuffer(offsets, np.int32, len(texts) + 1), np.frombuffer(data or b"", np.uint8)


def _floats(cells: Sequence[Cell]) -> tuple[pa.Array, int]:
    numbers = np.array(cells, np.float64)
    large = np.abs(numbers) >= 10**_EXACT_DIGITS
    whole = ~large & (numbers == np.floor(numbers))
    texts = pa.array(np.where(whole, numbers, 0).astype(np.int64)).cast(pa.string())
    if not whole.all():
        texts = pc.replace_with_mask(texts, pa.array(~whole), _fractions(numbers[~whole]))
    return texts, int(large.sum())


def _fractions(numbers: np.ndarray) -> pa.Array:
    """Numbers as :func:`_number` writes them.

    The shortest text that is read back as the number, which Arrow writes, is the one with 15
    digits where it has no more of them.
    """
    texts = pa.array(numbers).cast(pa.string())
    bounds, _ = _buffers(texts)
    size = np.abs(numbers)
    rest = np.flatnonzero((np.diff(bounds) > _SHORT) | (size < 1e-3) | (size >= 1e6))
    if len(rest):
        written = pa.array([_number(number) for number in numbers[rest].tolist()], pa.string())
        mask = np.zeros(len(numbers), bool)
        mask[rest] = True
        texts = pc.replace_with_mask(texts, pa.array(mask), written)
    return texts


def _moments(cells: Sequence[Any]) -> pa.Array:
    """Dates and moments as text, without the time where it is midnight."""
    since = [
        cell - _EPOCH if isinstance(cell, dt.datetime) else cell - _FIRST_DAY for cell in cells
    ]
    moments = pa.array(since, pa.duration("us")).view(pa.timestamp("us"))
    passed = moments.view(pa.int64()).to_numpy()
    if (passed % _SECOND).any():
        texts = moments.cast(pa.string())
        return pc.replace_substring_regex(texts, r"(?: 00:00:00)?\.0+$", "")
    midnight = passed % _DAY == 0
    if midnight.all():
        return moments.cast(pa.date32()).cast(pa.string())
    texts = moments.cast(pa.timestamp("s")).cast(pa.string())
    if midnight.any():
        mask = pa.array(midnight)
        days = moments.filter(mask).cast(pa.date32()).cast(pa.string())
        texts = pc.replace_with_mask(texts, mask, days)
    return texts
