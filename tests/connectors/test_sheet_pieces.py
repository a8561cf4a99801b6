"""Large sheets, parsed in pieces, beside python-calamine parsing them whole."""

import datetime as dt
import re
import zipfile

import openpyxl
import pytest
import python_calamine as calamine
import xlsxwriter

from connectors import error_cells, sheet_cells, sheet_pieces

ROWS = 300


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Pieces of about ten rows, two or three in a workbook."""
    for name, size in {"_LARGE": 0, "_BOOK": 3_000, "_PIECE": 1_500, "_MOST_BEFORE": 1_500}.items():
        monkeypatch.setattr(sheet_pieces, name, size)


def _values(row):
    moment = dt.datetime(2020, 1, 1) + dt.timedelta(hours=7 * row)
    return [
        f"客户 {row}" if row % 5 else None,
        13_000_000_000 + row if row % 3 else f"0{row}",
        row / 7,
        moment if row % 2 else moment.date(),
        row % 2 == 0,
        "a & b <c>\nd_x000D_",
        ("=1/0" if row % 11 == 0 else "=A1") if row % 4 == 0 else None,
    ]


def _with_openpyxl(path):
    """Texts within the sheet, formulas never calculated, years from 1904, gaps, merged ranges."""
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    sheet = book.active
    sheet.title = "A & B"
    for row in range(ROWS):
        for column, value in enumerate(_values(row)):
            sheet.cell(3 + row + row // 50 * 40, 2 + column + (row > 200), value)
    sheet.merge_cells("B1:D1")
    sheet.merge_cells("B3:B4")
    book.create_sheet("Other")["A1"] = "x"
    book.save(path)


def _with_xlsxwriter(path):
    """Texts that sheets share, errors in formulas, durations."""
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        sheet = book.add_worksheet("A & B")
        hours = book.add_format({"num_format": "[h]:mm"})
        for row in range(ROWS):
            for column, value in enumerate(_values(row)):
                if column == 6 and value:
                    sheet.write_formula(row, column, value, None, "#N/A" if row % 3 else 5)
                elif value is not None:
                    sheet.write(row, column, value)
            sheet.write(row, 8, row / 24, hours)


def _whole(path):
    with calamine.load_workbook(str(path)) as workbook:
        return sheet_cells.whole(workbook.get_sheet_by_name("A & B"))


def _all(cells):
    first = list(cells.columns(0, range(cells.width)))
    later = list(cells.columns(17, range(cells.width)))
    return cells.width, cells.merges, cells.head(62), first, later


def _edited(path, edit, part="xl/worksheets/sheet1.xml"):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert edit(members[part]) != members[part]
    members[part] = edit(members[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("write", [_with_openpyxl, _with_xlsxwriter])
@pytest.mark.parametrize("batch", [20_000, 64])
def test_pieces_hold_what_the_whole_sheet_holds(tmp_path, monkeypatch, write, batch):
    path = tmp_path / "a.xlsx"
    write(path)
    monkeypatch.setattr(sheet_cells, "_BATCH_ROWS", batch)
    parsed = sheet_pieces.parse(path, "A & B")
    assert parsed
    assert len(parsed.cells.pieces) > 5
    assert _all(parsed.cells) == _all(_whole(path))
    assert parsed.faults == error_cells.find(path, "A & B")
    assert len(parsed.faults) > 5


def test_rows_of_large_pieces_are_made_one_by_one(tmp_path, monkeypatch):
    path = tmp_path / "a.xlsx"
    _with_openpyxl(path)
    parsed = sheet_pieces.parse(path, "A & B")
    assert parsed
    expected = _all(parsed.cells)
    monkeypatch.setattr(sheet_cells, "_CELLS_AT_ONCE", 0)
    monkeypatch.setattr(sheet_cells, "_ROWS_AT_ONCE", 3)
    assert _all(parsed.cells) == expected
    assert _all(_whole(path)) == expected


@pytest.mark.parametrize(
    "edit",
    [
        lambda xml: xml.replace(b"</row>", b"</row>\n  "),
        lambda xml: re.sub(rb'<c r="[A-Z]+\d+"', b"<c", xml),
        lambda xml: xml.replace(b"</row>", b'</row><row r="20000"/>', 1),
        lambda xml: xml.replace(
            b"</sheetData>",
            b'<row r="9999"><c r="ZZ9999" t="str"><v>far!</v></c></row></sheetData>',
        ),
    ],
    ids=["blanks", "cells-without-names", "row-without-cells", "far-cell"],
)
def test_other_ways_of_writing_rows_give_the_same(tmp_path, edit):
    path = tmp_path / "a.xlsx"
    _with_xlsxwriter(path)
    _edited(path, edit)
    parsed = sheet_pieces.parse(path, "A & B")
    assert parsed
    assert len(parsed.cells.pieces) > 5
    assert _all(parsed.cells) == _all(_whole(path))


@pytest.mark.parametrize(
    "edit",
    [
        lambda xml: xml.replace(b"</row>", b'</row><!-- </row><row r="3"> -->', 5),
        lambda xml: xml.replace(b"<t>a &amp;", b"<t><![CDATA[</row><row r='1'>]]>"),
        lambda xml: re.sub(rb'<row r="\d+"', b"<row", xml),
        lambda xml: re.sub(rb"(<row .*?</row>)(<row .*?</row>)", rb"\2\1", xml, flags=re.S),
        lambda xml: re.sub(rb"(</?)(row|c|v|sheetData)\b", rb"\1x:\2", xml),
    ],
    ids=["comments", "cdata", "unnumbered", "unsorted", "prefix"],
)
def test_what_is_not_plainly_written_is_left_to_calamine(tmp_path, edit):
    path = tmp_path / "a.xlsx"
    _with_openpyxl(path)
    _edited(path, edit)
    assert sheet_pieces.parse(path, "A & B") is None


@pytest.mark.parametrize(
    "edit",
    [
        lambda xml: xml[: len(xml) // 2],
        lambda xml: xml[:-20],
        lambda xml: xml.replace(b"</c></row>", b"</d></row>"),
        lambda xml: re.sub(rb't="s"><v>\d+', rb't="s"><v>99999', xml, count=3),
        lambda xml: xml.replace(b"</worksheet>", b"</sheetData></worksheet>"),
    ],
    ids=["cut", "end-cut", "wrong-tag", "unknown-text", "end-twice"],
)
def test_what_is_damaged_is_left_to_calamine(tmp_path, edit):
    path = tmp_path / "a.xlsx"
    _with_xlsxwriter(path)
    _edited(path, edit)
    assert sheet_pieces.parse(path, "A & B") is None
    with pytest.raises(calamine.CalamineError):
        _whole(path)


@pytest.mark.parametrize(
    ("part", "edit"),
    [
        ("xl/workbook.xml", lambda xml: re.sub(rb"(</?)(sheets?)\b", rb"\1x:\2", xml)),
        ("xl/_rels/workbook.xml.rels", lambda xml: xml.replace(b"sheet1.xml", b"sheet9.xml")),
    ],
)
def test_workbook_that_is_not_plainly_written_is_left_to_calamine(tmp_path, part, edit):
    path = tmp_path / "a.xlsx"
    _with_xlsxwriter(path)
    _edited(path, edit, part)
    assert sheet_pieces.parse(path, "A & B") is None


def test_damaged_bytes_are_left_to_calamine(tmp_path):
    path = tmp_path / "a.xlsx"
    _with_xlsxwriter(path)
    content = bytearray(path.read_bytes())
    content[3_000] ^= 1
    path.write_bytes(content)
    assert sheet_pieces.parse(path, "A & B") is None


def test_small_sheets_are_left_to_calamine(tmp_path, monkeypatch):
    path = tmp_path / "a.xlsx"
    _with_xlsxwriter(path)
    monkeypatch.setattr(sheet_pieces, "_LARGE", 1 << 20)
    assert sheet_pieces.parse(path, "A & B") is None
    monkeypatch.setattr(sheet_pieces, "_LARGE", 0)
    monkeypatch.setattr(sheet_pieces, "_MOST_SHARED", 100)
    assert sheet_pieces.parse(path, "A & B") is None


def test_sheets_are_told_without_the_texts_that_they_share(tmp_path, monkeypatch):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("A & B").write(0, 0, "Name")
        book.add_worksheet("Old").hide()
        book.add_chartsheet("Chart")
    with calamine.load_workbook(str(path)) as workbook:
        expected = workbook.sheets_metadata
    _edited(path, lambda xml: xml[:-9], "xl/sharedStrings.xml")
    with pytest.raises(calamine.CalamineError):
        calamine.load_workbook(str(path))
    assert sheet_pieces.outline(path) == expected
    monkeypatch.setattr(sheet_pieces, "_LARGE", 1 << 20)
    assert sheet_pieces.outline(path) is None


def test_nothing_is_left_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = tmp_path / "a.xlsx"
    _with_xlsxwriter(path)
    assert sheet_pieces.parse(path, "A & B")
    _edited(path, lambda xml: xml[:-20])
    assert sheet_pieces.parse(path, "A & B") is None
    assert list((tmp_path / "temporary").iterdir()) == []
