"""What somebody named as a source: a database, a file, a pattern, a folder of files.

What belongs here: finding out which connector reads it, and the settings that
say where it is. What its columns mean stands in connectors/recognition.py and
rules/onboarding.
"""

import glob
import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy import exc

from connectors import archives, databases, fixed_width, kinds, mapping, remote, sampling, templates
from connectors.config import SourceConfig
from connectors.databases import Fit
from connectors.files import SourceFile
from connectors.legacy import access, cobol_layout
from connectors.nested import xml_files
from connectors.web import finding
from onefold.errors import ConfigError, OnefoldError, SourceError, SourceLayout, SourceMissing
from onefold.settings import expand_environment

_LAYOUTS = (".yml", ".yaml")
_WITH_LAYOUT = ("fixed_width", "cobol")
_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Place:
    """Where a source is.

    Attributes:
        name: proposed name of the source.
        settings: the settings of its YAML that say where it is, secrets as ``${NAME}``.
        config: the same with everything filled in, to read it now; maps nothing.
        what: in words.
        key: primary key of the table.
        secret: environment variable that must hold the password, or ''.
        others: further tables that may list customers.
        template: the known system that it is read as, or ''.
    """

    name: str
    settings: dict[str, Any]
    config: SourceConfig
    what: str
    key: tuple[str, ...] = ()
    secret: str = ""
    others: tuple[Fit, ...] = ()
    template: str = ""


def locate(
    what: str,
    home: Path,
    *,
    name: str | None = None,
    table: str | None = None,
    layout: Path | None = None,
    template: str | None = None,
) -> list[Place]:
    """The sources that somebody means.

    Args:
        what: SQLAlchemy URL or address of files elsewhere (``${NAME}`` is replaced in both),
            file, glob or folder.
        home: paths below it are written relative to it.
        name: the source's name, if it is one.
        table: table of a database.
        template: known system to read a database as; '' for none; else recognized by its
            tables, unless ``table`` is given.
        layout: layout of a fixed-width file.

    Returns:
        One source, or one for each pattern of the files in a folder.

    Raises:
        ConfigError: a name or option that does not fit.
        SourceError: it is not there, cannot be read, or is of no known kind.
    """
    what = what.removeprefix("file://")
    if what.startswith(("http://", "https://")) and not finding.is_file(what):
        found = _service(what, name, table, template)
        if found is not None:
            return [found]
    if remote.is_file_address(what):
        return [_elsewhere(what, home, name, layout)]
    if "://" in what:
        return [_database(what, home, name, table, template)]
    path = Path(os.path.abspath(Path(what).expanduser()))  # noqa: PTH100  # '..' out, links kept
    if path.is_dir():
        places = _folder(path, home, layout)
        if name is not None and len(places) == 1:
            return [_renamed(places[0], name)]
        if name is not None and places:
            raise ConfigError(
                f"--name {name}",
                "the folder holds several sources",
                found=", ".join(place.name for place in places),
                do="Leave --name out, or name one of the files.",
            )
        return places
    if not path.is_file():
        matches = sorted(glob.glob(str(path))) if _PATTERN.search(what) else []  # noqa: PTH207
        if not matches:
            raise SourceMissing(str(path), "there is no such file or folder", do="Mend the path.")
        return [_files(str(path), [Path(match) for match in matches], home, name, layout)]
    if kinds.of(path) == "sqlite":
        return [_database(f"sqlite:///{path}", home, name or _slug(path.stem), table, template)]
    if kinds.of(path) == "access":
        return [_access(path, home, name or _slug(path.stem), table)]
    return [_files(str(path), [path], home, name, layout)]


def _renamed(place: Place, name: str) -> Place:
    return replace(place, name=name, config=place.config.model_copy(update={"name": name}))


# -- web services


def _service(url: str, name: str | None, table: str | None, template: str | None) -> Place | None:
    """A web service, or None if there is only a file at the address."""
    parts = urlsplit(url)
    last = PurePosixPath(parts.path).name
    proposed = name or _slug(table or last or (parts.hostname or "").partition(".")[0])
    variable = _secret(proposed).removesuffix("_PASSWORD")
    found = finding.find(url, proposed, variable, table=table, template=template)
    if found is None:
        return None
    return Place(
        name=proposed,
        settings=found.settings,
        config=found.config,
        what=found.what,
        secret=found.secret,
        others=found.others,
        template=found.template,
    )


# -- databases


def _database(
    url: str, home: Path, name: str | None, table: str | None, template: str | None
) -> Place:
    real = expand_environment(url, "the URL")
    try:
        parsed = sa.make_url(real)
    except (exc.ArgumentError, ValueError):
        raise ConfigError(
            "the URL",
            "this is no database URL",
            do="Write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE.",
        ) from None
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        file = Path(os.path.abspath(Path(parsed.database).expanduser()))  # noqa: PTH100
        real = f"{parsed.drivername}:///{file}"
        written = f"{parsed.drivername}:///{_relative(file, home)}"
        name = name or _slug(file.stem)
        secret = ""
    else:
        name = name or _slug(parsed.database or parsed.get_backend_name())
        written, secret = _without_password(url, parsed, name)
    config = _config(name, {"connector": "sql", "url": real, "table": table or "?"})
    others: tuple[Fit, ...] = ()
    if template and table is None:
        return _system(template, name, real, written, secret)
    if table is None:
        found = databases.look(config)
        if found.system and template is None:
            return _system(found.system.template, name, real, written, secret)
        if not found.tables:
            raise SourceLayout(
                name,
                "no table looks like one of customers",
                do="Name it with --table TABLE.",
            )
        table, others = found.tables[0].table, found.tables[1:]
        config = config.model_copy(update={"table": table})
    return Place(
        name=name,
        settings={"connector": "sql", "url": written, "table": table},
        config=config,
        what=f"table {table}",
        key=databases.primary_key(config),
        secret=secret,
        others=others,
    )


def _system(template: str, name: str, real: str, written: str, secret: str) -> Place:
    """A database that is read as a known system's."""
    title = templates.load(template).title
    filled = templates.fill({"template": template, "url": real, "name": name})
    return Place(
        name=name,
        settings={"template": template, "url": written},
        config=SourceConfig.model_validate(filled),
        what=f"{title} ({template})",
        secret=secret,
        template=template,
    )


def _without_password(url: str, parsed: sa.URL, name: str) -> tuple[str, str]:
    """The URL as it may be written down, and the variable that holds the password."""
    if not parsed.password:
        return url, ""
    in_variables = re.search(r"://[^@/]*\$\{([A-Za-z_]\w*)\}[^@/]*@", url)
    if in_variables:
        return url, in_variables.group(1)
    secret = _secret(name)
    # SQLAlchemy hides a password as '***', which no part before it can hold: it would be %2A.
    shown = parsed.render_as_string(hide_password=True)
    return shown.replace(":***@", f":${{{secret}}}@", 1), secret


def _access(path: Path, home: Path, name: str, table: str | None) -> Place:
    """An Access file, and the table of it that may list customers."""
    found = access.tables(path)
    access.require_table(path, table, found)
    fits = sorted(
        (databases.fit(one, columns) for one, columns in found.items()),
        key=lambda fit: (-fit.score, fit.table),
    )
    likely = tuple(fit for fit in fits if fit.score >= databases.LIKELY)
    chosen = table or (likely or tuple(fits))[0].table
    read: dict[str, Any] = {"connector": "access", "path": str(path), "table": chosen}
    return Place(
        name=name,
        settings=read | {"path": _relative(path, home)},
        config=_config(name, read),
        what=f"table {chosen}",
        others=likely[1:] if table is None else (),
    )


def _secret(name: str) -> str:
    """The environment variable that holds a source's password."""
    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return f"{plain}_PASSWORD" if plain and not plain[0].isdigit() else "SOURCE_PASSWORD"


# -- files


def _folder(folder: Path, home: Path, layout: Path | None) -> list[Place]:
    """One source for each group of files of a folder that belong together."""
    files = sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith((".", "~$"))
    )
    groups: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    for path in files:
        kind = _kind(path, layout)
        if kind is None or _is_layout(path):
            continue
        if kind == "spreadsheet":
            groups[kind,].append(path)
        elif kind in ("delimited", "parquet", "dbf", "json", "xml"):
            groups[kind, path.suffix.casefold(), *_headings(path)].append(path)
        else:
            groups[kind, str(path)].append(path)
    places = []
    for (kind, *_), members in sorted(groups.items(), key=lambda group: group[1][0].name):
        if kind == "access":
            places.append(_access(members[0], home, _slug(members[0].stem), None))
            continue
        if kind == "sqlite" and not _lists_customers(members[0]):
            continue
        if kind == "sqlite":
            places.append(
                _database(f"sqlite:///{members[0]}", home, _slug(members[0].stem), None, None)
            )
        elif len(members) == 1:
            places.append(_files(str(members[0]), members, home, None, layout))
        else:
            pattern = _pattern(folder, members, files)
            shared = members if pattern is None else [Path(match) for match in glob.glob(pattern)]  # noqa: PTH207
            places.append(_files(pattern, sorted(shared), home, None, layout, folder))
    if not places:
        raise SourceMissing(
            str(folder),
            "the folder holds no file that can be a source",
            found=", ".join(path.name for path in files[:10]) or "no files",
            do="Give the file itself, or a folder below.",
        )
    names: dict[str, int] = defaultdict(int)
    result = []
    for place in places:
        names[place.name] += 1
        again = names[place.name]
        result.append(place if again == 1 else _renamed(place, f"{place.name}_{again}"))
    return result


def _lists_customers(path: Path) -> bool:
    """Whether a SQLite file has a table of customers; a folder may hold other ones."""
    url = {"connector": "sql", "url": f"sqlite:///{path}", "table": "?"}
    try:
        found = databases.look(_config("file", url))
    except SourceError:
        return False
    return bool(found.tables) or found.system is not None


def _headings(path: Path) -> tuple[str, ...]:
    """What tells files of one kind apart: their headings in any order."""
    try:
        sample = sampling.read(
            _config("file", _read_by(path, None, alone=True) | {"path": str(path)}), 1
        )
    except OnefoldError:
        return (path.name,)
    return tuple(sorted(map(mapping.normalize, sample.columns)))


def _pattern(folder: Path, members: Sequence[Path], files: Sequence[Path]) -> str | None:
    """A glob that finds these files of a folder and no others; None if there is none."""
    start = _common([path.name for path in members]).rstrip("0123456789")
    endings = {path.suffix for path in members}
    ending = endings.pop() if len(endings) == 1 else ""
    base = glob.escape(str(folder))
    for pattern in (f"{base}/*{ending}", f"{base}/{glob.escape(start)}*{ending}"):
        found = {Path(match) for match in glob.glob(pattern)} & set(files)  # noqa: PTH207
        others = found - set(members)
        if found >= set(members) and not {p for p in others if _kind(p, None) is not None}:
            return pattern
    return None


def _common(names: Sequence[str]) -> str:
    """What all names begin with.

    >>> _common(["crm_2024.csv", "crm_2025.csv"])
    'crm_202'
    """
    shortest, longest = min(names), max(names)
    same = (i for i, (a, b) in enumerate(zip(shortest, longest, strict=False)) if a != b)
    return shortest[: next(same, len(shortest))]


def _files(
    pattern: str | None,
    members: Sequence[Path],
    home: Path,
    name: str | None,
    layout: Path | None,
    folder: Path | None = None,
) -> Place:
    """A source of files of one kind."""
    first = members[0]
    paths = [pattern] if pattern is not None else [str(path) for path in members]
    stem = _stem(first.name) if len(members) == 1 else (folder or first.parent).name
    proposed = name or _slug(stem)
    read = _read_by(first, layout, alone=len(members) == 1) | {"path": paths}
    config = _config(proposed, read)
    settings = dict(read)
    written = [_relative(Path(path), home) for path in paths]
    settings["path"] = written[0] if len(written) == 1 else written
    if "layout" in settings:
        settings["layout"] = _relative(Path(settings["layout"]), home)
    what = first.name if len(members) == 1 else f"{len(members)} files"
    return Place(proposed, settings, config, what)


def _elsewhere(url: str, home: Path, name: str | None, layout: Path | None) -> Place:
    """A source of files on a server; the first one is fetched to see what they are."""
    real = expand_environment(url, "the URL")
    found = remote.listed(real)
    first = min(found, key=lambda file: file.name)
    proposed = name or _slug(_stem(PurePosixPath(first.name).name))
    with tempfile.TemporaryDirectory(prefix="onefold-") as folder:
        copy = Path(folder) / PurePosixPath(first.name).name
        remote.fetch(first, copy)
        read = _read_by(copy, layout, alone=len(found) == 1)
    written, secret = remote.without_password(url, _secret(proposed))
    settings = read | {"path": written}
    if "layout" in settings:
        settings["layout"] = _relative(Path(settings["layout"]), home)
    what = first.name if len(found) == 1 else f"{len(found)} files"
    return Place(proposed, settings, _config(proposed, read | {"path": real}), what, secret=secret)


def _read_by(first: Path, layout: Path | None, *, alone: bool) -> dict[str, Any]:
    """The settings that say how a file is read: connector, layout, members, record.

    Raises:
        SourceLayout: nothing reads it.
    """
    kind, found = _kind(first, layout), layout or _layout_of(first)
    if kind is None or kind == "sqlite":
        raise SourceLayout(
            first.name,
            "this kind of file is not known",
            found=first.suffix or "no ending",
            do=f"Give {kinds.KNOWN}, or a fixed-width or COBOL file with --layout.",
        )
    read: dict[str, Any] = {"connector": kind, "path": []}
    if found and kind in _WITH_LAYOUT:
        read["layout"] = os.path.abspath(found)  # noqa: PTH100
        page = cobol_layout.likely_page(first, found) if kind == "cobol" else None
        if page:
            read["encoding"] = page
    chosen = kinds.look(first)[1] if alone else ()
    if chosen:
        read["members"] = list(_listing_customers(first, read, chosen))
    if kind == "xml" and not archives.is_archive(first.name):
        config = _config("file", read | {"path": glob.escape(str(first))})
        read["record"] = xml_files.find_record(config, SourceFile(first, first.name))
    return read


def _listing_customers(
    archive: Path, read: dict[str, Any], members: Sequence[str]
) -> Sequence[str]:
    """The members of an archive whose headings look like customers; all, if none does."""
    likely = []
    for member in members:
        config = _config("file", read | {"path": glob.escape(str(archive)), "members": [member]})
        try:
            columns = sampling.read(config, 1).columns
        except SourceError:
            continue
        if databases.fit(member, columns).score:
            likely.append(member)
    return likely or members


def _stem(name: str) -> str:
    """A file's name without its endings."""
    return Path(archives.inner_name(name) if archives.is_archive(name) else name).stem


def _kind(path: Path, layout: Path | None) -> str | None:
    """The connector of a file, by its ending and its first bytes; None if none reads it."""
    found = layout or _layout_of(path)
    if found and cobol_layout.is_layout(found):
        return "cobol"
    kind, _ = kinds.look(path)
    if layout:
        return "fixed_width"
    if kind != "text":
        return kind
    return "fixed_width" if found else "delimited"


def _is_layout(path: Path) -> bool:
    """Whether a file's name is that of a layout or a copybook."""
    return path.suffix.casefold() in (*_LAYOUTS, *cobol_layout.COPYBOOKS)


def _layout_of(path: Path) -> Path | None:
    """The layout file beside a file: it names it, is named after it, or is its copybook."""
    found: list[tuple[int, Path]] = []
    for other in sorted(path.parent.iterdir()):
        if not _is_layout(other) or not other.is_file():
            continue
        if other.suffix.casefold() in cobol_layout.COPYBOOKS:
            if other.stem.casefold() == path.stem.casefold():
                found.append((2, other))
            continue
        try:
            is_cobol = cobol_layout.is_layout(other)
            describes = (
                cobol_layout.file_of(other) if is_cobol else fixed_width.load_layout(other).file
            )
        except OnefoldError:
            continue
        named = other.stem.casefold() in {
            f"{path.stem.casefold()}{sign}layout" for sign in ("_", "-", ".", "")
        }
        if describes == path.name:
            found.append((0, other))
        elif describes is None and named:
            found.append((1, other))
    return min(found)[1] if found else None


def _config(name: str, settings: dict[str, Any]) -> SourceConfig:
    return SourceConfig(name=name, headings="auto", **settings)


def _relative(path: Path, home: Path) -> str:
    """A path as the YAML may have it: relative to the home where it is below."""
    try:
        return path.relative_to(home).as_posix()
    except ValueError:
        return str(path)


def _slug(text: str) -> str:
    """A name for a source.

    >>> _slug("Customer List FINAL (v2)"), _slug("客户资料(李强)最新版"), _slug("__")
    ('customer_list_final_v2', '客户资料_李强_最新版', 'source')
    """
    return re.sub(r"[^\w]+", "_", text.casefold()).strip("_") or "source"
