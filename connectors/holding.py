"""The files of a source while it is read: fetched from elsewhere, taken out of archives.

What belongs here: what is brought into a temporary folder, when, and how it is told that it
need not be. Nothing is fetched before somebody reads it, and nothing twice.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from connectors import archives, files, remote
from connectors.config import SourceConfig
from connectors.files import SourceFile
from connectors.reading import FileFacts, Since
from connectors.remote import RemoteFile


@contextmanager
def held(config: SourceConfig) -> Iterator[SourceConfig]:
    """Have the files of a source at hand.

    Yields:
        The same settings; ``files.find`` gives the files that can be read, as long as this lasts.

    Raises:
        SourceMissing: a path is not there, or a pattern finds nothing.
        SourceLocked, SourceUnreachable: a server refuses, or does not answer.
    """
    if not config.path or config.held is not None:
        yield config
        return
    with tempfile.TemporaryDirectory(prefix="onefold-") as folder:
        yield holding(config, Held(config, Path(folder)))


def holding(config: SourceConfig, what: "Held | Only") -> SourceConfig:
    """The same settings, with these files."""
    changed = config.model_copy()
    changed._held = what
    return changed


@dataclass(frozen=True)
class Seen:
    """One file elsewhere, with what belongs to it, as it can be seen without fetching it.

    Attributes:
        name: as in :class:`connectors.reading.FileFacts`.
        size: bytes; None if the server does not say.
        stamp: ETags or times of change; '' if it says neither.
        version: as in :class:`connectors.reading.FileFacts`.
        settled: whether it changed long enough ago to be whole.
    """

    name: str
    size: int | None
    stamp: str
    version: str
    settled: bool


def look(config: SourceConfig) -> list[Seen]:
    """The files of a source that are elsewhere, in the order of their names; none is fetched.

    Raises:
        ConfigError: the scheme is not known.
        SourceMissing, SourceLocked, SourceUnreachable: as :func:`held`.
    """
    found = []
    for pattern in filter(remote.is_remote, config.path):
        with remote.looked_at(pattern) as there:
            own = (one for one in there if files.is_own(config, PurePosixPath(one.name).name))
            found += [_Remote(one, config, Path()).seen for one in own]
    return sorted(found, key=lambda one: one.name)


@dataclass(frozen=True)
class Only:
    """Some of the files that are held, to read them alone."""

    some: tuple[SourceFile, ...]

    def files(self, since: Since | None = None) -> Sequence[SourceFile]:
        """These."""
        return self.some


class Held:
    """The files of a source, on disk and elsewhere."""

    def __init__(self, config: SourceConfig, folder: Path) -> None:
        self._config, self._folder = config, folder
        there = [file for file in config.path if remote.is_remote(file)]
        self._sets: list[_File] = [_Local(file) for file in files.on_disk(config)]
        for pattern in there:
            for found in remote.listed(pattern):
                if files.is_own(config, PurePosixPath(found.name).name):
                    self._sets.append(_Remote(found, config, folder / str(len(self._sets))))
        self._sets.sort(key=lambda one: one.name)
        self._members: dict[str, list[SourceFile]] = {}

    def facts(self, known: Sequence[FileFacts] = ()) -> list[FileFacts]:
        """Name, size and hash of every file, an archive being one.

        Args:
            known: those of the last time; a file elsewhere whose version is the same is not
                fetched.
        """
        before = {one.name: one for one in known}
        return [one.facts(before.get(one.name)) for one in self._sets]

    def files(self, since: Since | None = None) -> Sequence[SourceFile]:
        """Every file to be read, the members of archives one by one."""
        left_out = since.unchanged if since else frozenset[str]()
        return [
            member for one in self._sets if one.name not in left_out for member in self._of(one)
        ]

    def _of(self, one: "_File") -> list[SourceFile]:
        if one.name not in self._members:
            file = one.file
            packed = archives.is_archive(file.path.name)
            self._members[one.name] = self._unpacked(file) if packed else [file]
        return self._members[one.name]

    def _unpacked(self, file: SourceFile) -> list[SourceFile]:
        config = self._config
        folder = self._folder / f"members{len(self._members)}"
        with files.opened(file):
            found = archives.unpack(file.path, file.name, folder, config.members)
        return [
            SourceFile(
                path, f"{file.name}|{name}" if name else file.name, files.beside(config, path)
            )
            for name, path in found
            if files.is_own(config, path.name)
        ]


@dataclass(frozen=True)
class _Local:
    """A file on disk."""

    file: SourceFile

    @property
    def name(self) -> str:
        return self.file.name

    def facts(self, known: FileFacts | None) -> FileFacts:
        return files.facts(self.file)


@dataclass(frozen=True)
class _Remote:
    """A file elsewhere, fetched when it is first looked at."""

    there: RemoteFile
    config: SourceConfig
    folder: Path

    @property
    def name(self) -> str:
        return self.there.name

    @cached_property
    def beside(self) -> list[RemoteFile]:
        endings = files.belonging(self.config)
        return remote.companions(self.there, endings) if endings else []

    @cached_property
    def file(self) -> SourceFile:
        copies = []
        for one in (self.there, *self.beside):
            copies.append(self.folder / PurePosixPath(one.name).name)
            remote.fetch(one, copies[-1])
        return SourceFile(copies[0], self.name, tuple(copies[1:]))

    @cached_property
    def seen(self) -> Seen:
        """What is known without fetching it."""
        parts = (self.there, *self.beside)
        sizes = [one.size for one in parts if one.size is not None]
        size = sum(sizes) if len(sizes) == len(parts) else None
        whole = size is not None and all(one.version for one in parts)
        return Seen(
            name=self.name,
            size=size,
            stamp=" ".join(one.stamp for one in parts),
            version=" ".join(one.version for one in parts) if whole else "",
            settled=all(one.version or not one.stamp for one in parts),
        )

    def facts(self, known: FileFacts | None) -> FileFacts:
        version = self.seen.version
        if known and version and (known.version, known.size) == (version, self.seen.size):
            return known
        return files.facts(self.file).model_copy(update={"version": version})


_File = _Local | _Remote


def only(config: SourceConfig, file: SourceFile) -> SourceConfig:
    """The same settings for one of the files that are held."""
    return holding(config, Only((file,)))
