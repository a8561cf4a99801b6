"""Which member of an xlsx or xlsb file holds what.

What belongs here: sheets and what they share, by the relations that the file lists, and writing
a workbook with other sheets. What a member says of cells is read by python-calamine and
connectors/error_cells.py.

Source: ECMA-376 part 2, 9 (relationships); part 1, 18.2.19 (sheets).
"""

import posixpath
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

WORKBOOK, BINARY_WORKBOOK = "xl/workbook.xml", "xl/workbook.bin"
_RELATIONS = "xl/_rels/workbook.{}.rels"
_SHEETS, _RELATIONS_END = (
    re.compile(rb"<sheets>.*</sheets>", re.S),
    re.compile(b"</Relationships>"),
)
_SHEET = '<sheet name="{0}" sheetId="{0}" r:id="onefold{0}"/>'
_RELATION = (
    '<Relationship Id="onefold{0}" Type="{1}/worksheet" Target="worksheets/onefold{0}.xml"/>'
)
_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


class DoubtfulError(Exception):
    """The XML is not written as programs write it."""


def targets(archive: zipfile.ZipFile, kind: str = "xml") -> dict[str | None, str]:
    """Id of a relation of the workbook → the member that it leads to.

    Args:
        kind: xml or bin.
    """
    found = {}
    for element in _elements(archive, _RELATIONS.format(kind)):
        target = element.get("Target", "")
        path = target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
        found[element.get("Id")] = posixpath.normpath(path)
    return found


def sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Name of a sheet of an xlsx file → its member."""
    related, found = targets(archive), {}
    for element in _elements(archive, WORKBOOK):
        if element.tag.endswith("}sheet"):
            relation = next((v for k, v in element.attrib.items() if k.endswith("}id")), None)
            found[element.get("name", "")] = related.get(relation, "")
    return found


def shared(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The members that every sheet of an xlsx file needs: styles, shared strings and the like."""
    of_sheets = set(sheets(archive).values())
    named = {*targets(archive).values(), WORKBOOK, _RELATIONS.format("xml"), "_rels/.rels"}
    return [
        member
        for member in archive.infolist()
        if member.filename in named - of_sheets and member.filename.endswith((".xml", ".rels"))
    ]


def write(path: Path, shared: Mapping[str, bytes], sheets: Iterable[bytes]) -> None:
    """Write a workbook that is only to be read: other sheets with what those of another share.

    Args:
        shared: names of the members and what they hold, as :func:`shared` lists them.
        sheets: XML of each.

    Raises:
        DoubtfulError: what is shared is not plainly written.
    """
    count = 0
    with zipfile.ZipFile(path, "w") as archive:
        for count, xml in enumerate(sheets, 1):
            archive.writestr(f"xl/worksheets/onefold{count}.xml", xml)
        numbers = range(1, count + 1)
        listed = "".join(_SHEET.format(number) for number in numbers)
        related = "".join(_RELATION.format(number, _TYPE) for number in numbers)
        for name, content in shared.items():
            if name == WORKBOOK:
                content = _replaced(_SHEETS, f"<sheets>{listed}</sheets>", content)
            elif name == _RELATIONS.format("xml"):
                content = _replaced(_RELATIONS_END, related + "</Relationships>", content)
            archive.writestr(name, content)


def _replaced(what: re.Pattern[bytes], by: str, content: bytes) -> bytes:
    found, times = what.subn(by.encode(), content)
    if times != 1:
        raise DoubtfulError
    return found


def _elements(archive: zipfile.ZipFile, member: str) -> list[ElementTree.Element]:
    try:
        return list(ElementTree.fromstring(archive.read(member)).iter())  # noqa: S314
    except (KeyError, ElementTree.ParseError):
        return []
