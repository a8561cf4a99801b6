"""Formulas without a result in xlsx workbooks: #N/A and formulas never calculated.

What belongs here: finding them in the sheet's XML, because python-calamine gives
an empty cell for both and a value would vanish without a trace. openpyxl would
find them too, in 30 times the time of the whole reading.

Source: ECMA-376 part 1, 18.3.1.4 (cell, t="e") and 18.18.11.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from xml.etree import ElementTree

NOT_CALCULATED = "#CALC!"
"""Stands for a formula that the program that wrote the file never calculated."""

_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*?)(/?)>(.*?)(?=<(?:\w+:)?c[\s>]|</(?:\w+:)?row>|$)", re.S)
_REFERENCE = re.compile(rb'\br="([A-Z]+)(\d+)"')
_VALUE = re.compile(rb"<(?:\w+:)?v[^>/]*>([^<]*)<")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_ERROR_TYPE = re.compile(rb"\bt=[\"']e[\"']")
_EMPTY = re.compile(
    rb"<(?:\w+:)?v\s*/>|<(?:\w+:)?v></|</(?:\w+:)?f></(?:\w+:)?c>|<(?:\w+:)?f[^>]*/></(?:\w+:)?c>"
)
_ROW = re.compile(rb"<(?:\w+:)?row[\s>].*?</(?:\w+:)?row>", re.S)


def find(data: bytes, sheets: list[str]) -> dict[str, dict[tuple[int, int], str]]:
    """Find cells whose formula has no result.

    Args:
        data: the workbook's bytes; anything but xlsx has no findings.
        sheets: names of the sheets to look at.

    Returns:
        Sheet → (row, column), both from 0 → the error as Excel shows it.
    """
    if not data.startswith(b"PK"):
        return {}
    found: dict[str, dict[tuple[int, int], str]] = {}
    with zipfile.ZipFile(BytesIO(data)) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            return {}
        for name, part in _parts(archive).items():
            if name not in sheets or part not in archive.namelist():
                continue
            xml = archive.read(part)
            if _ERROR_TYPE.search(xml) or _EMPTY.search(xml):
                found[name] = dict(_cells(xml))
    return found


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name → its XML part."""
    targets = {}
    for element in _elements(archive, "xl/_rels/workbook.xml.rels"):
        target = element.get("Target", "")
        path = target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
        targets[element.get("Id")] = posixpath.normpath(path)
    result = {}
    for element in _elements(archive, "xl/workbook.xml"):
        if element.tag.endswith("}sheet"):
            relation = next((v for k, v in element.attrib.items() if k.endswith("}id")), None)
            result[element.get("name", "")] = targets.get(relation, "")
    return result


def _elements(archive: zipfile.ZipFile, part: str) -> list[ElementTree.Element]:
    try:
        return list(ElementTree.fromstring(archive.read(part)).iter())  # noqa: S314
    except (KeyError, ElementTree.ParseError):
        return []


def _cells(xml: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    for row in _ROW.finditer(xml):
        text = row.group()
        if not (_ERROR_TYPE.search(text) or _EMPTY.search(text)):
            continue
        for cell in _CELL.finditer(text):
            attributes, closed, body = cell.groups()
            reference = _REFERENCE.search(attributes)
            if closed or not reference:
                continue
            value = _VALUE.search(body)
            if _ERROR_TYPE.search(attributes):
                yield _place(reference), value.group(1).decode() if value else "#VALUE!"
            elif _FORMULA.search(body) and not (value and value.group(1)):
                if b't="str"' in attributes:
                    continue
                yield _place(reference), NOT_CALCULATED


def _place(reference: re.Match[bytes]) -> tuple[int, int]:
    column = 0
    for letter in reference.group(1):
        column = column * 26 + letter - 64
    return int(reference.group(2)) - 1, column - 1
