"""Archives: zip, gzip, tar, and what lies in them.

What belongs here: unpacking into a folder, within bounds, under the right names. An
archive is to a source what a workbook is: one file with several tables. The rows of a
member stand at ``archive|member|row``; a gzip file of one text is that text.

Names in a zip file are UTF-8 if a flag says so, else whatever the program that wrote it
used, which in China is GBK; zipfile reads that as code page 437.

Source: PKWARE APPNOTE 6.3.10, 4.4.4 and appendix D; Info-ZIP Unicode Path extra field (0x7075).
"""

import bz2
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, Any

from connectors import encoding
from onefold.errors import SourceLayout, SourceLocked, SourceMissing

_STREAMS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.GzipFile,
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}
_TARS = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
ENDINGS = (".zip", *_TARS, *_STREAMS)

MOST_BYTES, MOST_RATIO, MOST_MEMBERS = 1 << 30, 100, 10_000
"""An archive that unpacks to more than MOST_BYTES must not be more than MOST_RATIO times its own
size; text seldom packs 30 times, a bomb 1,000 times."""
_JUNK = ("__MACOSX", ".", "Thumbs.db", "desktop.ini")
_ENCRYPTED, _UTF_8 = 0x1, 0x800
_UNICODE_PATH = 0x7075
_BLOCK = 1 << 20


def is_archive(name: str) -> bool:
    """Whether a file's name is an archive's.

    >>> is_archive("Customers.ZIP"), is_archive("crm.csv.gz"), is_archive("crm.xlsx")
    (True, True, False)
    """
    return name.casefold().endswith(ENDINGS)


def inner_name(name: str) -> str:
    """A name without the ending that says that it is packed.

    >>> inner_name("crm.csv.gz"), inner_name("crm.tar.gz"), inner_name("crm.zip")
    ('crm.csv', 'crm', 'crm')
    """
    return name[: -max(len(end) for end in ENDINGS if name.casefold().endswith(end))]


def unpack(
    path: Path, name: str, folder: Path, wanted: Sequence[str] = ()
) -> list[tuple[str, Path]]:
    """Unpack an archive, all of it or some of its members.

    Args:
        name: of the archive, for messages.
        folder: where to; nothing is ever written outside of it.
        wanted: names or globs of members; empty: all but what systems leave in archives.

    Returns:
        Name and place of every member, in the order of their names; the name is '' for the one
        file in a file that packs one.

    Raises:
        SourceLocked: a member has a password.
        SourceLayout: it is damaged, or unpacks to far more than it is.
        SourceMissing: no member is wanted, or there is none.
    """
    bounds = _Bounds(path, name)
    with _said_in_words(name):
        if path.name.casefold().endswith(".zip"):
            found = _of_zip(path, name, folder, wanted, bounds)
        elif path.name.casefold().endswith(_TARS):
            found = _of_tar(path, name, folder, wanted, bounds)
        else:
            to = folder / inner_name(path.name)
            with _STREAMS[path.suffix.casefold()](path) as stream:
                bounds.copy(stream, to)
            return [("", to)]
    if not found:
        raise SourceMissing(
            name,
            "no member of the archive is wanted" if wanted else "the archive is empty",
            found=", ".join(bounds.seen[:10]),
            do="Mend 'members' in the source's YAML." if wanted else "Pack it again.",
        )
    return sorted(found)


class _Bounds:
    """What an archive may unpack to."""

    def __init__(self, path: Path, name: str) -> None:
        self._name = name
        self._left = max(MOST_BYTES, MOST_RATIO * path.stat().st_size)
        self.seen: list[str] = []

    def member(self, name: str) -> None:
        """Count a member."""
        self.seen.append(name)
        if len(self.seen) > MOST_MEMBERS:
            raise self._too_much(f"more than {MOST_MEMBERS:,} members")

    def copy(self, stream: IO[bytes], to: Path) -> None:
        """Write a member out, as long as there is not too much of it."""
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("wb") as out:
            while block := stream.read(_BLOCK):
                self._left -= len(block)
                if self._left < 0:
                    raise self._too_much(f"more than {MOST_RATIO} times its size")
                out.write(block)

    def _too_much(self, found: str) -> SourceLayout:
        return SourceLayout(
            self._name,
            "the archive unpacks to far more than it is",
            found=found,
            do="If that is right, unpack it and give the files.",
        )


@contextmanager
def _said_in_words(name: str) -> Iterator[None]:
    import tarfile  # slow to load, and of no use to most sources

    broken = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError)
    try:
        yield
    except (*broken, zlib.error, EOFError) as error:
        raise SourceLayout(
            name,
            "the archive cannot be unpacked",
            found="a damaged or unfinished file",
            do="Copy it again, or pack it anew.",
        ) from error
    except NotImplementedError as error:
        raise SourceLayout(
            name, "the archive is packed in a way that is not known", do="Pack it as plain zip."
        ) from error


def _of_zip(
    path: Path, name: str, folder: Path, wanted: Sequence[str], bounds: _Bounds
) -> list[tuple[str, Path]]:
    found = []
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            member = _name(info)
            bounds.member(member)
            if info.is_dir() or not _is_wanted(member, wanted):
                continue
            if info.flag_bits & _ENCRYPTED:
                raise SourceLocked(
                    name, "the archive has a password", do="Pack it without a password."
                )
            to = _place(folder, member)
            with archive.open(info) as stream:
                bounds.copy(stream, to)
            found.append((member, to))
    return found


def _of_tar(
    path: Path, name: str, folder: Path, wanted: Sequence[str], bounds: _Bounds
) -> list[tuple[str, Path]]:
    import tarfile

    found = []
    with tarfile.open(path, errors="surrogateescape") as archive:
        for info in archive:
            raw = info.name.encode("utf-8", "surrogateescape")
            member = _decoded(raw, "utf-8")
            bounds.member(member)
            if not info.isfile() or not _is_wanted(member, wanted):
                continue
            stream = archive.extractfile(info)
            if stream is not None:
                to = _place(folder, member)
                bounds.copy(stream, to)
                found.append((member, to))
    return found


def _is_wanted(member: str, wanted: Sequence[str]) -> bool:
    parts = PurePosixPath(member).parts
    if not parts or any(part.startswith(_JUNK) for part in parts if part.strip(".")):
        return False
    return not wanted or any(
        fnmatchcase(member, pattern) or fnmatchcase(parts[-1], pattern) for pattern in wanted
    )


def _place(folder: Path, member: str) -> Path:
    """Where a member goes: below the folder, whatever its name says."""
    parts = [part for part in PurePosixPath(member).parts if part not in ("/", "..", ".")]
    return folder.joinpath(*parts)


# -- names


def _name(info: zipfile.ZipInfo) -> str:
    """The name of a member of a zip file, '/' between folders."""
    if info.flag_bits & _UTF_8:
        name = info.filename
    else:
        raw = info.orig_filename.encode("cp437")
        name = _unicode_path(info.extra, raw) or _decoded(raw, "cp437")
    return name.replace("\\", "/")


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """The name in the extra field that Info-ZIP writes, if it is of this name."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + size]
        if (
            kind == _UNICODE_PATH
            and len(body) > 5
            and body[1:5] == struct.pack("<I", zlib.crc32(raw))
        ):
            return body[5:].decode("utf-8", "replace")
        at += 4 + size
    return None


def _decoded(raw: bytes, otherwise: str) -> str:
    """A name whose encoding is not said.

    >>> _decoded("客户.csv".encode("gbk"), "cp437"), _decoded("Mü.csv".encode("cp437"), "cp437")
    ('客户.csv', 'Mü.csv')
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return encoding.chinese(raw) or raw.decode(otherwise, "replace")
