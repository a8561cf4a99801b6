"""The files of a source: which they are, their names in positions, their hashes.

What belongs here: finding and fingerprinting. What is in a file is the
connector's part.
"""

import glob
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

from connectors.config import SourceConfig
from connectors.reading import FileFacts, Report, Since
from connectors.remote import is_remote
from onefold.errors import SourceHeld, SourceLocked, SourceMissing

_GLOB = frozenset("*?[")
_LOCK_PREFIXES = ("~$", ".~lock.", ".~")
"""Files that Excel, LibreOffice and WPS put beside an open workbook."""
_BESIDE = {"dbf": frozenset({".fpt", ".dbt", ".cpg"})}
"""Connector → endings of the files that belong to one of the same name."""


@dataclass(frozen=True)
class SourceFile:
    """One file of a source.

    Attributes:
        path: where it is.
        name: its place below the folder that the glob starts in, '/' between folders;
            a plain file name in the usual case; of a member of an archive
            ``archive|member``.
        beside: files that belong to it: the memo file of a DBF table.
    """

    path: Path
    name: str
    beside: tuple[Path, ...] = ()


def find(config: SourceConfig, since: Since | None = None) -> list[SourceFile]:
    """Every file to be read, in the order of their names; not the ones that are unchanged.

    A folder stands for the files in it. Files elsewhere and archives are there only while
    the source is held (connectors/holding.py).

    Raises:
        SourceMissing: a path is not there, or a glob finds nothing.
    """
    if config.held is not None:
        return list(config.held.files(since))
    left_out = since.unchanged if since else frozenset[str]()
    return [file for file in on_disk(config) if file.name not in left_out]


def on_disk(config: SourceConfig) -> list[SourceFile]:
    """The files of a source that are on disk, archives as they are, in the order of their names.

    Raises:
        SourceMissing: a path is not there, or a glob finds nothing.
    """
    found: dict[Path, SourceFile] = {}
    for pattern in config.path:
        if is_remote(pattern):
            continue
        base = _base(pattern)
        if Path(pattern).is_dir():
            pattern, base = f"{pattern}/*", Path(pattern)
        matches = [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207
        if not matches and Path(pattern).is_file():  # a name with brackets in it
            matches, base = [Path(pattern)], Path(pattern).parent
        files = [path for path in matches if path.is_file() and is_own(config, path.name)]
        if not files:
            raise _missing(config, pattern, base)
        for path in files:
            name = path.relative_to(base).as_posix()
            found.setdefault(path, SourceFile(path, name, beside(config, path)))
    return sorted(found.values(), key=lambda file: (file.name, str(file.path)))


def is_own(config: SourceConfig, name: str) -> bool:
    """Whether a file is one of its own: no lock, and not what belongs to another one."""
    if name.startswith(_LOCK_PREFIXES):
        return False
    return PurePath(name).suffix.casefold() not in belonging(config)


def belonging(config: SourceConfig) -> frozenset[str]:
    """Endings of the files that belong to one of the same name."""
    return _BESIDE.get(config.connector, frozenset())


def beside(config: SourceConfig, path: Path) -> tuple[Path, ...]:
    """The files that belong to a file, whatever the case of their names."""
    endings = belonging(config)
    if not endings:
        return ()
    stem = path.stem.casefold()
    return tuple(
        sorted(
            other
            for other in path.parent.iterdir()
            if other.suffix.casefold() in endings and other.stem.casefold() == stem
        )
    )


def _base(pattern: str) -> Path:
    """The folder that a glob starts in.

    >>> str(_base("/data/excel/*.xlsx")), str(_base("/data/**/a.csv")), str(_base("/data/a.csv"))
    ('/data/excel', '/data', '/data')
    """
    fixed = []
    for part in Path(pattern).parent.parts:
        if _GLOB & set(part):
            break
        fixed.append(part)
    return Path(*fixed)


def _missing(config: SourceConfig, pattern: str, base: Path) -> SourceMissing:
    if not base.is_dir():
        return SourceMissing(
            config.name, "the folder is not there", found=f"no {base}", do=_DO.format(config.file)
        )
    what = "no file fits" if _GLOB & set(pattern) else "the file is not there"
    others = sorted(path.name for path in base.iterdir() if path.is_file())[:10]
    listed = ", ".join(others) if others else "no files"
    return SourceMissing(
        config.name, what, found=f"{listed} in {base}, not {pattern}", do=_DO.format(config.file)
    )


_DO = "Put it there, or mend 'path' in {}."


def named(found: Sequence[SourceFile]) -> str:
    """Some files in words, for people."""
    names = ", ".join(file.name for file in found[:3])
    return names + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def hold_count(config: SourceConfig, report: Report, where: str, said: str, found: str) -> None:
    """Hold a source back whose file says another number of records than it has.

    Args:
        where: the file.
        said, found: how many it says, and how many there are, in words.

    Raises:
        SourceHeld: unless the source says ``check_counts: false``; then it is a note.
    """
    if config.check_counts:
        raise SourceHeld(
            where,
            f"it should have {said}",
            found=found,
            do="Copy the file again. If it is right as it is, write 'check_counts: false' in "
            f"{config.file}. The last good records stay in use.",
        )
    report.note(f"{where}: {said}, {found} found")


def compare_count(
    config: SourceConfig, report: Report, where: str, said: str | None, there: int
) -> None:
    """Compare the number of records that a file says, as text, with those that are there.

    Raises:
        SourceHeld: they differ, or it says none.
    """
    text = (said or "").strip()
    if text.isdigit() and int(text) == there:
        return
    number = f"{int(text):,} records" if text.isdigit() else "a number of records"
    hold_count(config, report, where, f"{number} by '{config.count}'", f"{there:,} records")


def facts(file: SourceFile) -> FileFacts:
    """Name, size and hash of a file and what belongs to it.

    Raises:
        SourceLocked: it may not be read.
        SourceMissing: it has gone.
    """
    digest, size = hashlib.sha256(), 0
    with opened(file):
        for path in (file.path, *file.beside):
            with path.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
                    size += len(block)
    return FileFacts(name=file.name, size=size, sha256=digest.hexdigest())


@contextmanager
def opened(file: SourceFile) -> Iterator[None]:
    """Say in words what can go wrong with a file while it is read.

    Raises:
        SourceLocked: it may not be read, or it changed while it was read.
        SourceMissing: it has gone.
    """
    try:
        before = [_stamp(path) for path in (file.path, *file.beside)]
        yield
        after = [_stamp(path) for path in (file.path, *file.beside)]
    except PermissionError as error:
        raise SourceLocked(
            file.name, "the file may not be read", do="Close it elsewhere or mend its permissions."
        ) from error
    except FileNotFoundError as error:
        raise SourceMissing(file.name, "the file has gone", do="Put it back.") from error
    if before != after:
        raise SourceLocked(
            file.name, "the file changed while it was read", do="Sync again when it is finished."
        )


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
