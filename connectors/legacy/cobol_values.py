"""The bytes of a COBOL item as text: zoned, packed, binary and floating numbers, texts.

What belongs here: one function per kind of item. Which bytes they are is told in
connectors/legacy/cobol_records.py.

A number without sign and decimals keeps the digits of its picture: ``000123``. Blanks and
low-values where a number should stand are nothing.

Source: IBM Enterprise COBOL for z/OS 6.4 Programming Guide, "Examples: numeric data and
internal representation"; z/Architecture Principles of Operation, chapters 8 and 18; signs of
zoned numbers in ASCII: Micro Focus COBOL Language Reference, SIGN clause.
"""

import struct
from collections.abc import Callable
from decimal import Decimal

from connectors.legacy.code_pages import CodePage
from connectors.legacy.copybook import Item

Decode = Callable[[bytes], "str | None"]

_ASCII_SIGNS = {
    **{letter: (str(i), "") for i, letter in enumerate("{ABCDEFGHI")},
    **{letter: (str(i), "-") for i, letter in enumerate("}JKLMNOPQR")},
    **{letter: (str(i), "-") for i, letter in enumerate("pqrstuvwxy")},
    **{str(i): (str(i), "") for i in range(10)},
}
_NEGATIVE_ZONES, _SIGN_ZONES = frozenset({0xB, 0xD}), frozenset(range(0xA, 0x10))
_NOTHING = frozenset(b"\0\x20\x40\xff")


class NoNumber(ValueError):
    """The bytes are no number of their kind."""


def decoder(item: Item, page: CodePage, little_endian: bool) -> Decode:
    """A function from the bytes of an item to its text; it raises NoNumber."""
    if item.usage == "display":
        if not item.digits:
            return lambda data: page.decode(data).strip(" \0\u3000") or None
        return _zoned(item, page)
    if item.usage == "dbcs":
        return lambda data: _double(data, page)
    if item.usage == "national":
        return lambda data: data.decode("utf-16-be", "replace").strip(" \0\u3000") or None
    if item.usage == "packed":
        return lambda data: _packed(data, item)
    if item.usage == "unsigned packed":
        return lambda data: _of_digits(data.hex(), "", item, data)
    if item.usage in ("float", "double"):
        return _ibm_float if page.is_ebcdic else _ieee(item, little_endian)
    order: str = "little" if little_endian else "big"
    return lambda data: _binary(data, item, order)


def _double(data: bytes, page: CodePage) -> str | None:
    data = data.removeprefix(b"\x0e").removesuffix(b"\x0f")
    return page.decode_double(data).strip(" \0\u3000") or None


def _zoned(item: Item, page: CodePage) -> Decode:
    if not item.signed:
        return lambda data: _of_digits(page.decode(data), "", item, data)
    if item.sign_separate:
        return lambda data: _separate(page.decode(data), item, data)
    if not page.is_ebcdic:
        return lambda data: _overpunched(page.decode(data), item, data)
    at = 0 if item.sign_leading else item.size - 1

    def decode(data: bytes) -> str | None:
        zone = data[at] >> 4
        digit = bytes([data[at] | 0xF0])
        text = page.decode(data[:at] + digit + data[at + 1 :])
        if zone not in _SIGN_ZONES and not _NOTHING.issuperset(data):
            raise NoNumber
        return _of_digits(text, "-" if zone in _NEGATIVE_ZONES else "", item, data)

    return decode


def _separate(text: str, item: Item, data: bytes) -> str | None:
    sign, rest = (text[0], text[1:]) if item.sign_leading else (text[-1], text[:-1])
    if sign not in "+- " and not _NOTHING.issuperset(data):
        raise NoNumber
    return _of_digits(rest, "-" if sign == "-" else "", item, data)


def _overpunched(text: str, item: Item, data: bytes) -> str | None:
    at = 0 if item.sign_leading else len(text) - 1
    if text[at] not in _ASCII_SIGNS:
        if _NOTHING.issuperset(data):
            return None
        raise NoNumber
    digit, sign = _ASCII_SIGNS[text[at]]
    return _of_digits(text[:at] + digit + text[at + 1 :], sign, item, data)


def _packed(data: bytes, item: Item) -> str | None:
    text = data.hex()
    if text[-1] not in "abcdef" and not _NOTHING.issuperset(data):
        raise NoNumber
    return _of_digits(text[:-1], "-" if text[-1] in "bd" else "", item, data)


def _of_digits(text: str, sign: str, item: Item, data: bytes) -> str | None:
    """Digits as a number with its sign and point; blanks before the first digit count as zeros."""
    if _NOTHING.issuperset(data):
        return None
    text = text.lstrip(" ").rjust(len(text), "0")
    if not (text.isascii() and text.isdigit()):
        raise NoNumber
    return _scaled(text[-item.digits :] if "packed" in item.usage else text, sign, item)


def _scaled(digits: str, sign: str, item: Item) -> str:
    """Digits with the point where the picture has it.

    >>> item = Item("A", 5, digits=5, scale=2)
    >>> _scaled("00123", "-", item), _scaled("00123", "", Item("A", 5, digits=5))
    ('-1.23', '00123')
    >>> _scaled("00120", "-", Item("A", 5, digits=5, signed=True))
    '-120'
    """
    if item.scale > 0:
        digits = digits.rjust(item.scale + 1, "0")
        whole = digits[: -item.scale].lstrip("0") or "0"
        return _signed(f"{whole}.{digits[-item.scale :]}", sign)
    digits += "0" * -item.scale
    return _signed(digits.lstrip("0") or "0", sign) if item.signed or item.scale else digits


def _signed(text: str, sign: str) -> str:
    return f"{sign}{text}" if text.strip("0.") else text


def _binary(data: bytes, item: Item, order: str) -> str:
    value = int.from_bytes(data, "big" if order == "big" else "little", signed=item.signed)
    digits = str(abs(value)).rjust(0 if item.signed else item.digits, "0")
    return _scaled(digits, "-" if value < 0 else "", item)


def _ibm_float(data: bytes) -> str:
    """Hexadecimal floating point: base 16, exponent excess 64.

    >>> _ibm_float(bytes.fromhex("42640000")), _ibm_float(bytes.fromhex("c1180000"))
    ('100', '-1.5')
    """
    fraction = int.from_bytes(data[1:], "big") / (1 << 8 * (len(data) - 1))
    value = fraction * 16.0 ** ((data[0] & 0x7F) - 64)
    return _plain(-value if data[0] & 0x80 else value, 7 if len(data) == 4 else 16)


def _ieee(item: Item, little_endian: bool) -> Decode:
    form = ("<" if little_endian else ">") + ("f" if item.usage == "float" else "d")
    figures = 7 if item.usage == "float" else 16
    return lambda data: _plain(struct.unpack(form, data)[0], figures)


def _plain(value: float, figures: int) -> str:
    text = f"{Decimal(f'{value:.{figures}g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
