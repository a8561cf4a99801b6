"""Access databases (.mdb, .accdb), read with mdbtools.

What belongs here: calling mdb-tables, mdb-count and mdb-export, and what they do not say by
themselves: that a file is cut off, that rows are missing, in which code page a file of
Access 97 is. Positions are ``file|table|row``, rows counted from 1.

mdbtools is GPL and a program of its own, which is called and not linked.

Source: mdbtools 1.0 manual pages; MDB_JET3_CHARSET in its README.
"""

import csv
import io
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors import encoding, files, mapping
from connectors.config import SourceConfig
from connectors.files import SourceFile
from connectors.reading import Reading, Report, Row, Since
from onefold.errors import SourceEmpty, SourceError, SourceLayout, SourceMissing

SUFFIXES = frozenset({".mdb", ".accdb", ".mde", ".accde"})
MARKS = (b"Standard Jet DB\0", b"Standard ACE DB\0")
"""At byte 4 of a file."""
_JET_3 = "JET3"
_ONE_BYTE = "ISO-8859-1"
"""Jet 3 has no Unicode: read in this, every byte is one character, and can be had back."""
_EXPORT = ("-D", "%Y-%m-%d", "-T", "%Y-%m-%d %H:%M:%S", "-b", "strip", "-B")
_CUT_OFF = "beyond EOF"


@contextmanager
def read(config: SourceConfig, since: Since | None = None) -> Iterator[Reading]:
    """Open one table of Access files; several files give the union of their columns.

    Raises:
        SourceError: mdbtools is not installed.
        SourceMissing: no file, or no such table.
        SourceLayout: a file is no Access file, or is cut off.
        SourceHeld: a table has more or fewer rows than it says.
    """
    report = Report()
    found = files.find(config, since)
    opened = [_Table(config, file, report) for file in found]
    columns = list(dict.fromkeys(name for table in opened for name in table.columns))
    rows = itertools.chain.from_iterable(table.rows(columns) for table in opened)
    yield Reading(columns, rows, report, f"table {config.table} in {files.named(found)}")


def tables(path: Path) -> dict[str, list[str]]:
    """The tables of a file with their columns.

    Raises:
        SourceError: as for :func:`read`.
    """
    names = _called("mdb-tables", path.name, "-1", "-t", "table", str(path)).splitlines()
    return {name: _columns(path, path.name, name) for name in names if name}


class _Table:
    """One table of one file."""

    def __init__(self, config: SourceConfig, file: SourceFile, report: Report) -> None:
        self._config, self._file, self._report = config, file, report
        names = _called("mdb-tables", file.name, "-1", str(file.path)).splitlines()
        self._name = mapping.find_column(names, config.table or "") or ""
        if not self._name:
            raise SourceMissing(
                file.name,
                f'no table "{config.table}"',
                found=mapping.shown(names),
                do=f"Mend 'table' in {config.file}.",
            )
        self._encoding = self._found_encoding()
        self.columns = [
            self._text(name) or "" for name in _columns(file.path, file.name, self._name)
        ]

    def rows(self, columns: list[str]) -> Iterator[Row]:
        """Every row, in the order of the file."""
        place = [columns.index(name) for name in self.columns]
        position, number = f"{self._file.name}|{self._name}", 0
        said = int(_called("mdb-count", self._file.name, str(self._file.path), self._name) or 0)
        with files.opened(self._file):
            for record in self._records():
                number += 1
                values: list[str | None] = [None] * len(columns)
                for i, value in zip(place, record, strict=True):
                    values[i] = self._text(value)
                if any(values):
                    yield Row(f"{position}|{number}", values)
                else:
                    self._report.skip(position, "empty row")
        if number != said:
            files.hold_count(
                self._config, self._report, position, f"{said:,} rows by its header", f"{number:,}"
            )

    def _records(self) -> Iterator[list[str]]:
        lines = _exported(self._file, self._name)
        records = csv.reader(lines)
        next(records, None)
        for record in records:
            if len(record) != len(self.columns):
                lines.close()
                raise SourceLayout(
                    self._file.name,
                    "a row has another number of columns than the table",
                    found=f"{len(record)} of {len(self.columns)}",
                    do="Compact and repair the database in Access.",
                )
            yield record

    def _text(self, value: str) -> str | None:
        if self._encoding:
            value = had_back(value, self._encoding)
        return value if value.strip() else None

    def _found_encoding(self) -> str | None:
        """The encoding of a file of Access 97; None: the file is in Unicode."""
        file = self._file
        version = _called("mdb-ver", file.name, str(file.path)).strip()
        if version != _JET_3:
            return None
        with tempfile.NamedTemporaryFile(prefix="onefold-") as bytes_of:
            for line in _exported(file, self._name):
                bytes_of.write(line.encode("latin-1"))
            bytes_of.flush()
            config = self._config
            found = encoding.detect(
                Path(bytes_of.name), file.name, declared=config.encoding, country=config.country
            )
        self._report.note(f"{file.name}: encoding found to be {found.name}")
        return found.name.removesuffix("-sig")


def had_back(text: str, encoding_of_bytes: str) -> str:
    """A text of Access 97, every byte of which became one character.

    >>> had_back("示例客户".encode("gbk").decode(_ONE_BYTE), "gb18030")
    '示例客户'
    """
    return text.encode(_ONE_BYTE).decode(encoding_of_bytes, "replace")


def _columns(path: Path, where: str, table: str) -> list[str]:
    """The headings of a table."""
    lines = _exported(SourceFile(path, where), table)
    try:
        return next(csv.reader(lines), [])
    finally:
        lines.close()


def _exported(file: SourceFile, table: str) -> Generator[str, None, None]:
    """What mdb-export writes, line by line.

    Raises:
        SourceLayout: it cannot read all of the file.
    """
    command = [_program("mdb-export"), *_EXPORT, str(file.path), table]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said,
        subprocess.Popen(  # noqa: S603
            command, stdout=subprocess.PIPE, stderr=said, env=_environment()
        ) as process,
    ):
        try:
            if process.stdout:
                yield from io.TextIOWrapper(process.stdout, "utf-8", "replace", newline="")
        except GeneratorExit:
            process.kill()
            raise
        finally:
            process.wait()
            said.seek(0)
        _check(file.name, process.returncode, said.read())


def _called(program: str, where: str, *arguments: str) -> str:
    """What a program of mdbtools answers."""
    done = subprocess.run(  # noqa: S603
        [_program(program), *arguments], capture_output=True, check=False, env=_environment()
    )
    _check(where, done.returncode, done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode("utf-8", "replace")


def _check(where: str, code: int, said: str) -> None:
    if _CUT_OFF in said:
        raise SourceLayout(
            where, "the file ends before it is complete", do="Copy it again while Access is closed."
        )
    if code:
        raise SourceLayout(
            where,
            "this is no Access database that can be read",
            found="another format, a password, or a damaged file",
            do="Open it in Access, then compact and repair it, or export the table.",
        )


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SourceError(
            name,
            "Access files are read with mdbtools, which is not installed",
            do="Install it: 'apt-get install mdbtools' (Debian, Ubuntu), 'dnf install mdbtools', "
            "'brew install mdbtools'.",
        )
    return found


def _environment() -> dict[str, str]:
    return {**os.environ, "MDB_JET3_CHARSET": _ONE_BYTE, "MDBICONV": "UTF-8"}


def require_table(path: Path, table: str | None, found: dict[str, list[str]]) -> None:
    """Refuse a file without tables, or without the one that somebody named.

    Raises:
        SourceEmpty, SourceMissing: as said.
    """
    if not found:
        raise SourceEmpty(path.name, "there are no tables", do="Give another file.")
    if table is not None and table not in found:
        raise SourceMissing(
            path.name, f'no table "{table}"', found=mapping.shown(list(found)), do="Name another."
        )
