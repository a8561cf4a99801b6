"""XML: a document of any size that repeats an element, the record.

What belongs here: finding the record, and an element as nested values. Attributes are named
``@name``, so that columns are ``address.city``, ``@id`` and ``phone@type``; what becomes of
children that repeat stands in connectors/flattening.py. Namespaces are left out of names.
Positions are ``file|number of the record``, from 1.

No entity is resolved, no DTD loaded, nothing fetched: a file that uses entities of its own is
refused, as nothing of it may be lost.

Source: XML 1.0 (fifth edition); the traps of untrusted XML: CWE-611, CWE-776.
"""

import codecs
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lxml import etree

from connectors import files
from connectors.config import SourceConfig
from connectors.fields import SEPARATOR
from connectors.files import SourceFile
from connectors.flattening import Flat, flatten
from connectors.nested.gathering import Found, gathered
from connectors.reading import Reading, Report, Since
from onefold.errors import SourceEncoding, SourceLayout

SUFFIXES = frozenset({".xml"})
_LOOKED_AT = 20_000
"""Elements that are looked at to find the record."""
_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)["']""")
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_ENCODING_ERRORS = frozenset(
    {"ERR_INVALID_CHAR", "ERR_INVALID_ENCODING", "ERR_UNSUPPORTED_ENCODING", "ERR_UNKNOWN_ENCODING"}
)
_ATTRIBUTE = "@"


@contextmanager
def read(config: SourceConfig, since: Since | None = None) -> Iterator[Reading]:
    """Open XML files; several give the union of their columns.

    Raises:
        SourceMissing: no file.
        SourceEncoding: a file is no text in the encoding that it or the source says.
        SourceLayout: a file is no XML, is cut off, uses entities, or has no such record.
    """
    report = Report()
    found = files.find(config, since)
    records = itertools.chain.from_iterable(_records(config, file, report) for file in found)
    with gathered(records, config.name) as (columns, rows):
        yield Reading(columns, rows, report, files.named(found))


def _records(config: SourceConfig, file: SourceFile, report: Report) -> Iterator[Found]:
    with files.opened(file), _said_in_words(config, file):
        encoding = _encoding(config, file)
        path = _path(config.record) if config.record else _repeated(file, encoding)
        number, names = 0, _Names()
        counted, attribute = (config.count or "").partition("@")[::2]
        count_path, said = _path(counted), None
        tags = [f"{{*}}{name[-1]}" for name in (path, count_path) if name]
        options = _options(encoding)
        for _, element in etree.iterparse(str(file.path), events=("end",), tag=tags, **options):
            if count_path and _is_at(element, count_path):
                said = element.get(attribute) if attribute else element.text
            if not _is_at(element, path):
                continue
            number += 1
            yield Found(f"{file.name}|{number}", _flat(config, file, element, names))
            element.clear(keep_tail=False)
            before = element.getprevious()
            while before is not None:
                parent = before.getparent()
                if parent is None:
                    break
                parent.remove(before)
                before = element.getprevious()
        if not number:
            raise SourceLayout(
                file.name,
                f"there is no element '{'/'.join(path)}'",
                do=f"Mend 'record' in {config.file}.",
            )
        if config.count:
            files.compare_count(config, report, file.name, said, number)


def _options(encoding: str | None) -> dict[str, Any]:
    """What the parser may do: read text, and nothing else."""
    return {
        "resolve_entities": False,
        "no_network": True,
        "load_dtd": False,
        "remove_comments": True,
        "remove_pis": True,
        "encoding": encoding,
    }


# -- the record


def _path(record: str) -> tuple[str, ...]:
    """The names of a path of elements.

    >>> _path("/export/customers/customer"), _path("customer")
    (('export', 'customers', 'customer'), ('customer',))
    """
    return tuple(part for part in record.split("/") if part)


def _is_at(element: etree._Element, path: tuple[str, ...]) -> bool:
    """Whether an element ends a path."""
    here: etree._Element | None = element
    for name in reversed(path):
        if here is None or _name(here) != name:
            return False
        here = here.getparent()
    return True


def find_record(config: SourceConfig, file: SourceFile) -> str:
    """The path of the record, as 'record' in a source's YAML has it.

    Raises:
        SourceEncoding, SourceLayout: as for :func:`read`.
    """
    with _said_in_words(config, file):
        return "/".join(_repeated(file, _encoding(config, file)))


def _repeated(file: SourceFile, encoding: str | None) -> tuple[str, ...]:
    """The path of the element that is the record: the outermost one that repeats and holds
    something; of several, the one that comes most often. Without any, the innermost one whose
    children hold only text."""
    counts: Counter[tuple[str, ...]] = Counter()
    holds: Counter[tuple[str, ...]] = Counter()
    here: list[str] = []
    looked = etree.iterparse(str(file.path), events=("start", "end"), **_options(encoding))
    for number, (event, element) in enumerate(looked):
        if event == "start":
            here.append(_name(element))
            counts[tuple(here)] += 1
            if len(here) > 1:
                holds[tuple(here[:-1])] += 1
            if element.attrib:
                holds[tuple(here)] += len(element.attrib)
        else:
            here.pop()
            element.clear()
        if number > 2 * _LOOKED_AT:
            break
    repeated = [path for path, count in counts.items() if count > 1 and holds[path]]
    if repeated:
        least = min(map(len, repeated))
        outermost = [path for path in repeated if len(path) == least]
        return max(outermost, key=lambda path: counts[path])
    parents = [path for path in counts if holds[path]]
    if not parents:
        raise SourceLayout(
            file.name, "no element of it can be a record", do="Look at the file; it has no fields."
        )
    leaves = [path for path in parents if not any(other[:-1] == path for other in parents)]
    return max(leaves, key=lambda path: holds[path])


# -- an element


def _flat(config: SourceConfig, file: SourceFile, element: etree._Element, names: "_Names") -> Flat:
    """A record as columns; what :func:`flatten` makes of it, in half the time."""
    flat: Flat = {}
    if config.lists:
        value = _value(element, file)
        record = value if isinstance(value, dict) else {"": value}
        for name, text in flatten(record, config.lists).items():
            _add(flat, _column(name), text)
        return flat
    _gather(element, "", flat, names, file)
    return flat


class _Names(dict[tuple[str, str], str]):
    """Column of an element and tag of a child → column of the child."""

    def __missing__(self, key: tuple[str, str]) -> str:
        column, tag = key
        name = etree.QName(tag).localname
        self[key] = f"{column}.{name}" if column else name
        return self[key]


def _gather(
    element: etree._Element, column: str, flat: Flat, names: _Names, file: SourceFile
) -> None:
    """Add what an element holds to its columns, values that repeat joined."""
    text, is_leaf = element.text or "", True
    if element.keys():
        for attribute, value in element.items():
            if not str(attribute).startswith(_INSTANCE):
                _add(flat, f"{column}{_ATTRIBUTE}{etree.QName(attribute).localname}", str(value))
                is_leaf = False
        if element.get(_NIL) in ("true", "1"):
            text = ""
    for child in element:
        tag = child.tag
        if type(tag) is not str:
            raise _entities(file)
        _gather(child, names[column, tag], flat, names, file)
        text += child.tail or ""
        is_leaf = False
    text = text.strip()
    if text or is_leaf:
        _add(flat, column or "value", text or None)


def _add(flat: Flat, column: str, value: str | None) -> None:
    before = flat.get(column)
    flat[column] = f"{before}{SEPARATOR}{value}" if before and value else before or value or None


def _column(name: str) -> str:
    """The name of a column: an attribute stands behind its element.

    >>> _column("phone.@type"), _column("phone."), _column("@id"), _column("")
    ('phone@type', 'phone', '@id', 'value')
    """
    return name.replace(f".{_ATTRIBUTE}", _ATTRIBUTE).removesuffix(".") or "value"


def _value(element: etree._Element, file: SourceFile) -> Any:
    """An element as text, or as what it holds by name; its own text has the name ''."""
    record: dict[str, Any] = {
        f"{_ATTRIBUTE}{etree.QName(name).localname}": value
        for name, value in element.attrib.items()
        if not str(name).startswith(_INSTANCE)
    }
    own = [element.text or ""]
    for child in element:
        if child.tag is etree.Entity:
            raise _entities(file)
        name, value = _name(child), _value(child, file)
        if name not in record:
            record[name] = value
        elif isinstance(record[name], list):
            record[name].append(value)
        else:
            record[name] = [record[name], value]
        own.append(child.tail or "")
    text = "".join(own).strip() or None
    if element.get(_NIL) in ("true", "1"):
        text = None
    if not record:
        return text
    if text:
        record[""] = text
    return {name: _alike(value) for name, value in record.items()}


def _entities(file: SourceFile) -> SourceLayout:
    return SourceLayout(
        file.name,
        "the file uses entities of its own",
        do="Export it without entities; Onefold resolves none.",
    )


def _alike(value: Any) -> Any:
    """A list whose items are all objects if one of them is."""
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [item if isinstance(item, dict) else {"": item} for item in value]
    return value


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


# -- encoding and faults


def _encoding(config: SourceConfig, file: SourceFile) -> str | None:
    """The encoding to read in, where it is not the one that the file declares."""
    if config.encoding:
        return _successor(config.encoding)
    with file.path.open("rb") as stream:
        declared = _DECLARED.search(stream.read(1024))
    if not declared:
        return None
    name = declared.group(1).decode("ascii")
    successor = _successor(name)
    return successor if successor != name else None


def _successor(name: str) -> str:
    """GB18030 in place of those before it: files hold characters of it more often than not."""
    try:
        plain = codecs.lookup(name).name
    except LookupError:
        return name
    return "gb18030" if plain in ("gb2312", "gbk") else name


@contextmanager
def _said_in_words(config: SourceConfig, file: SourceFile) -> Iterator[None]:
    try:
        yield
    except etree.XMLSyntaxError as error:
        entry = getattr(error.error_log, "last_error", None)
        kind = str(entry.type_name) if entry else ""
        where = f"{file.name}, line {error.lineno}" if error.lineno else file.name
        if kind in _ENCODING_ERRORS or "ncoding" in str(error.msg or ""):
            raise SourceEncoding(
                where,
                "the bytes are no text in the encoding that the file declares",
                do=f"Write the right one in {config.file} (encoding: ...), or export it as UTF-8.",
            ) from error
        if "ntity" in str(error.msg or ""):
            raise _entities(file) from error
        raise SourceLayout(
            where,
            "this is no XML that can be read",
            found=kind.removeprefix("ERR_").replace("_", " ").lower() or "nothing",
            do="Copy or export it again.",
        ) from error
    except LookupError as error:
        raise SourceEncoding(
            f"{config.file}, encoding",
            f"there is no encoding '{config.encoding}'",
            do="Use utf-8, gb18030, big5, ...",
        ) from error
