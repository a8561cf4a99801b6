"""Code pages of mainframes: bytes as text.

What belongs here: EBCDIC and any other code page, those of one byte and those that mix one
and two bytes by shift-out (0E) and shift-in (0F), such as 935 and 1388 for Chinese. Python
knows a few of them, iconv of the C library nearly all: it is asked once for a whole table.

Source: IBM CDRA, encoding schemes 1100 (one byte) and 1301 (mixed); glibc localedata.
"""

import codecs
import functools
import re
import subprocess

from onefold.errors import SourceEncoding

_SHIFT_OUT, _SHIFT_IN, _NEW_LINE = b"\x0e", b"\x0f", b"\x25"
_SHIFTED = re.compile(rb"\x0e(.*?)(?:\x0f|\Z)", re.DOTALL)
_UNKNOWN = "\ufffd"


class CodePage:
    """One code page.

    Attributes:
        name: as the layout names it.
        is_ebcdic: whether it is of the EBCDIC family.
        is_mixed: whether it has characters of two bytes between shift-out and shift-in.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._single, self._codec = "", ""
        self._double: dict[bytes, str] = {}
        try:
            self._codec = codecs.lookup(_python_name(name)).name
        except LookupError:
            self._single, self._double = _tables(name)
        letters = self.decode(bytes([0xC1, 0xC2, 0x81, 0xF0, 0xF9]))
        self.is_ebcdic = letters == "ABa09"
        self.is_mixed = bool(self._double)

    def decode(self, data: bytes) -> str:
        """Bytes as text; a byte that is none is U+FFFD."""
        if self._codec:
            return data.decode(self._codec, "replace")
        if not self._double or _SHIFT_OUT not in data:
            return data.decode("latin-1").translate(self._table)
        at, parts = 0, []
        for match in _SHIFTED.finditer(data):
            parts.append(data[at : match.start()].decode("latin-1").translate(self._table))
            parts.append(self.decode_double(match.group(1)))
            at = match.end()
        parts.append(data[at:].decode("latin-1").translate(self._table))
        return "".join(parts)

    def decode_double(self, data: bytes) -> str:
        """Characters of two bytes each, without shifts: PIC G. Half a character at the end is
        left out."""
        if not self._double:
            return self.decode(data)
        pairs = (data[at : at + 2] for at in range(0, len(data) - 1, 2))
        return "".join(self._double.get(pair, _UNKNOWN) for pair in pairs)

    @functools.cached_property
    def _table(self) -> dict[int, str]:
        return dict(enumerate(self._single))


@functools.cache
def load(name: str) -> CodePage:
    """A code page by its name: ``cp037``, ``IBM1047``, ``1388``, ``gb18030``.

    Raises:
        SourceEncoding: neither Python nor iconv knows it.
    """
    return CodePage(name)


def _python_name(name: str) -> str:
    """The name of a codec; a number alone is an IBM code page."""
    plain = name.casefold().removeprefix("ibm").lstrip("-_")
    if plain.isdigit():
        return f"cp{int(plain):03}"
    return {"gb2312": "gb18030", "gbk": "gb18030"}.get(plain, name)


def _iconv_name(name: str) -> str:
    plain = name.casefold().removeprefix("ibm").removeprefix("cp").removeprefix("ccsid")
    plain = plain.lstrip("-_ ")
    return f"IBM{int(plain):03}" if plain.isdigit() else name


def _tables(name: str) -> tuple[str, dict[bytes, str]]:
    """What every byte is, and every two bytes between shifts, as iconv has it."""
    _converted(name, b"\x40", strict=True)
    ones = [bytes([byte]) for byte in range(256) if byte not in b"\x0e\x0f\x15\x25"]
    lines = _converted(name, b"".join(one + _NEW_LINE for one in ones), strict=False).split("\n")
    if len(lines) != len(ones) + 1:
        lines = [_converted(name, one, strict=False) for one in ones]
    single = {one[0]: line for one, line in zip(ones, lines, strict=False) if len(line) == 1}
    single |= {0x15: "\n", 0x25: "\n"}
    pairs = [bytes([high, low]) for high in range(0x40, 0xFF) for low in range(0x40, 0xFF)]
    text = _converted(
        name, b"".join(_SHIFT_OUT + pair + _SHIFT_IN + _NEW_LINE for pair in pairs), strict=False
    )
    lines = text.split("\n")
    double = {}
    if len(lines) == len(pairs) + 1:
        found = zip(pairs, lines, strict=False)
        double = {pair: line for pair, line in found if len(line) == 1 and line not in "\x0e\x0f"}
    return "".join(single.get(byte, _UNKNOWN) for byte in range(256)), double


def _converted(name: str, data: bytes, *, strict: bool) -> str:
    """What iconv makes of some bytes; what it does not know is left out unless ``strict``."""
    command = ["iconv", "-f", _iconv_name(name), "-t", "UTF-8", *([] if strict else ["-c"])]
    try:
        done = subprocess.run(command, input=data, capture_output=True, check=False)  # noqa: S603
    except FileNotFoundError as error:
        raise _unknown(name, "no iconv on this machine") from error
    if strict and done.returncode:
        raise _unknown(name, "neither Python nor iconv knows it")
    return done.stdout.decode("utf-8", "replace")


def _unknown(name: str, found: str) -> SourceEncoding:
    return SourceEncoding(
        f"encoding {name}",
        "there is no such code page",
        found=found,
        do="Name it as cp037, IBM1047, IBM1388, gb18030, ...; 'iconv -l' lists what is known.",
    )
