"""Which connector reads a file: by the ending of its name and its first bytes.

What belongs here: the table of endings and marks. What is asked for is a guess; the
connector says whether it is true.
"""

import codecs
import glob
import re
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from connectors import archives, spreadsheet
from connectors.legacy import access, dbf, dbf_table
from connectors.nested import json_files, xml_files
from onefold.errors import SourceError

HEAD = 4096
"""Bytes of a file that are looked at."""
_SQLITE = b"SQLite format 3\0"
_ZIP = b"PK\x03\x04"
_JSON = re.compile(rb"""\{\s*"[^"]*"\s*:|\[\s*\{""")
TEXT = frozenset({".csv", ".tsv", ".tab", ".psv", ".txt", ".dat", ".asc", ".prn", ".del", ""})
"""Endings of text, delimited or of fixed width, or of nothing in particular."""
BY_ENDING: dict[str, str] = {
    **dict.fromkeys(spreadsheet.SUFFIXES, "spreadsheet"),
    ".parquet": "parquet",
    ".pq": "parquet",
    **dict.fromkeys(dbf.SUFFIXES, "dbf"),
    **dict.fromkeys(access.SUFFIXES, "access"),
    **dict.fromkeys(json_files.SUFFIXES, "json"),
    **dict.fromkeys(xml_files.SUFFIXES, "xml"),
}
"""Ending → connector, where the ending decides."""
KNOWN = "CSV, TSV, a workbook, Parquet, DBF, Access, JSON, XML, SQLite, a zip or gzip file of these"
"""What is read without further settings, in words."""


def of(path: Path) -> str | None:
    """The connector of a file; ``sqlite`` for a database, ``text`` for text, None if unknown.

    Raises:
        SourceError: the file may not be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise SourceError(
            path.name, "the file may not be read", found=error.strerror or "", do="Mend its rights."
        ) from error
    return of_head(path.suffix.casefold(), head)


def look(path: Path) -> tuple[str | None, tuple[str, ...]]:
    """The connector of a file, looking into an archive: the one that reads most of it.

    Returns:
        The connector as :func:`of` says it, and the members of the archive to read, as globs;
        none if there is no choice.

    Raises:
        SourceError: the file may not be read, or the archive cannot be unpacked.
    """
    if not archives.is_archive(path.name):
        return of(path), ()
    with tempfile.TemporaryDirectory(prefix="onefold-") as folder:
        found = archives.unpack(path, path.name, Path(folder))
        sizes: Counter[str] = Counter()
        members: dict[str, list[str]] = defaultdict(list)
        for name, place in found:
            kind = of(place)
            if kind not in (None, "sqlite"):
                sizes[str(kind)] += place.stat().st_size + 1
                members[str(kind)].append(glob.escape(name))
        if not sizes:
            return None, ()
        kind = sizes.most_common(1)[0][0]
        return kind, tuple(members[kind]) if len(found) > 1 else ()


def of_head(ending: str, head: bytes) -> str | None:
    """The same of an ending in lower case and the first bytes.

    >>> of_head(".xlsx", b"PK"), of_head(".csv", b"a,b"), of_head(".pdf", b"%PDF-1.4")
    ('spreadsheet', 'text', None)
    """
    if head.startswith(_SQLITE):
        return "sqlite"
    if head[4:20] in access.MARKS:
        return "access"
    if ending in BY_ENDING:
        return BY_ENDING[ending]
    if ending not in TEXT:
        return None
    if head.startswith(_ZIP):
        return "spreadsheet"
    if _is_dbf(head):
        return "dbf"
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith(b"<?xml"):
        return "xml"
    if _JSON.match(start):
        return "json"
    return "text"


def _is_dbf(head: bytes) -> bool:
    """Whether bytes are those of a DBF header: no text has them."""
    return (
        len(head) > 64
        and head[0] in dbf_table.VERSIONS
        and b"\0\0\0" in head[12:32]
        and 1 <= head[2] <= 12
        and 1 <= head[3] <= 31
    )
