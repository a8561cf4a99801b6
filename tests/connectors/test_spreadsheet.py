"""Spreadsheets of every format, with all that people do to them."""

import datetime as dt
from io import BytesIO

import openpyxl
import pytest
import python_calamine as calamine
import xlsxwriter

from connectors import sheet_pieces, spreadsheet
from onefold.errors import SourceEmpty, SourceLayout, SourceLocked, SourceMissing

FORMATS = ["xlsx", "xls", "xlsb", "ods"]
TABLE = [
    ["Customer", "Phone", "City"],
    ["Ann Sample", 5550100.0, "Springfield"],
    ["Bob Beispiel", "0012", None],
]


def _book(home, name, build):
    out = BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    build(book)
    book.close()
    (home.data / name).write_bytes(out.getvalue())


def _auto(home, pattern="data/*"):
    return home.config(connector="spreadsheet", path=pattern, headings="auto")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_text(home, writers, kind):
    (home.data / f"list.{kind}").write_bytes(writers[kind](TABLE))
    manifest, rows = home.sync(_auto(home))
    assert [(row["Customer"], row["Phone"], row["City"]) for row in rows] == [
        ("Ann Sample", "5550100", "Springfield"),
        ("Bob Beispiel", "0012", None),
    ]
    assert [row["_position"] for row in rows] == [
        f"list.{kind}|Customers|2",
        f"list.{kind}|Customers|3",
    ]
    assert manifest.key_basis == "content"


@pytest.mark.parametrize("kind", FORMATS)
def test_headings_are_found_under_titles_and_notes(home, writers, kind):
    title = [["2023年度客户清单（内部资料）"], ["制表人：王小明", None, "2023-06-30"], []]
    table = [["客户名称", "联系人", "手机"], ["示例贸易有限公司", "李示例", "13800000001"]]
    (home.data / f"a.{kind}").write_bytes(writers[kind]([*title, *table]))
    manifest, rows = home.sync(_auto(home))
    assert manifest.columns == ("客户名称", "联系人", "手机")
    assert [row["_position"] for row in rows] == [f"a.{kind}|Customers|5"]


def test_numbers_keep_the_digits_that_excel_kept(home, writers):
    rows = [
        ["姓名", "手机", "身份证号"],
        ["甲某", 13800000001.0, 370613197609273000.0],
        ["乙某", 2161234567.0, "11010519491231002X"],
        ["丙某", 0.5, 1234567890123456.0],
    ]
    (home.data / "a.xlsx").write_bytes(writers["xlsx"](rows))
    manifest, found = home.sync(_auto(home))
    assert [row["手机"] for row in found] == ["13800000001", "2161234567", "0.5"]
    assert [row["身份证号"] for row in found] == [
        "370613197609273000",
        "11010519491231002X",
        "1234567890123460",
    ]
    assert manifest.notes == (
        "a.xlsx|Customers: 身份证号: numbers of more than 15 digits, the last ones lost (2 times)",
    )


def test_dates_are_iso(home):
    def build(book):
        sheet = book.add_worksheet("S")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(0, 0, ["Name", "Date of birth", "Created"])
        sheet.write(1, 0, "Ann Sample")
        sheet.write_datetime(1, 1, dt.datetime(1980, 1, 2), day)
        sheet.write_datetime(1, 2, dt.datetime(2020, 5, 6, 7, 8), moment)

    _book(home, "a.xlsx", build)
    _, rows = home.sync(_auto(home))
    assert (rows[0]["Date of birth"], rows[0]["Created"]) == ("1980-01-02", "2020-05-06 07:08:00")


def test_totals_empty_and_repeated_rows_are_left_out_and_reported(home, writers):
    rows = [
        ["客户名称", "电话", "金额"],
        ["示例商店", "010-55550100", 1.0],
        ["小计", None, 1.0],
        [None, None, None],
        ["客户名称", "电话", "金额"],
        ["总计能源有限公司", "010-55550101", 2.0],
        ["Total Sample Ltd", "010-55550102", 2.0],
        ["合 计：3户", None, 5.0],
        ["审核人：王某某", None, None],
    ]
    (home.data / "a.xlsx").write_bytes(writers["xlsx"](rows))
    manifest, found = home.sync(_auto(home))
    assert [row["客户名称"] for row in found] == [
        "示例商店",
        "总计能源有限公司",
        "Total Sample Ltd",
    ]
    assert {(one.what, one.count) for one in manifest.skipped} == {
        ("totals row", 2),
        ("empty row", 1),
        ("repeated headings", 1),
        ("footnote", 1),
    }
    assert manifest.rows + sum(one.count for one in manifest.skipped) == len(rows) - 1


def test_hidden_sheets_are_reported_and_read_on_request(home):
    def build(book):
        for name, person in (("Now", "Ann Sample"), ("Old", "Bob Beispiel")):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["Name", "Phone"])
            sheet.write_row(1, 0, [person, "555-0100"])
        book.get_worksheet_by_name("Old").hide()

    _book(home, "a.xlsx", build)
    manifest, rows = home.sync(_auto(home))
    assert [row["Name"] for row in rows] == ["Ann Sample"]
    assert [(one.where, one.what) for one in manifest.skipped] == [("a.xlsx|Old", "hidden sheet")]
    config = home.config(
        connector="spreadsheet", path="data/*", headings="auto", hidden_sheets=True
    )
    assert len(home.sync(config)[1]) == 2


def test_sheets_without_customers_are_reported(home):
    def build(book):
        sheet = book.add_worksheet("Customers")
        sheet.write_row(0, 0, ["Name", "Phone"])
        sheet.write_row(1, 0, ["Ann Sample", "555-0100"])
        book.add_worksheet("Read me").write(0, 0, "Ask the sales team before you use this list.")
        pivot = book.add_worksheet("Pivot")
        pivot.write_row(0, 0, ["Quarter", "Turnover"])
        pivot.write_row(1, 0, ["Q1", 12])
        book.add_worksheet("Empty")
        book.add_chartsheet("Chart")

    _book(home, "a.xlsx", build)
    manifest, rows = home.sync(_auto(home))
    assert len(rows) == 1
    assert {one.where for one in manifest.skipped} == {
        "a.xlsx|Read me",
        "a.xlsx|Pivot",
        "a.xlsx|Empty",
    }


def test_a_sheet_of_blanks_is_left_out_where_there_are_no_headings(home):
    def build(book):
        book.add_worksheet("Blanks").write_row(1, 1, [" ", "  "])
        book.add_worksheet("Customers").write_row(0, 0, ["Ann Sample", "555-0100"])

    _book(home, "a.xlsx", build)
    config = home.config(
        connector="spreadsheet", path="data/*", header_row=0, columns={"name": "column 1"}
    )
    manifest, rows = home.sync(config)
    assert [row["column 1"] for row in rows] == ["Ann Sample"]
    assert [(one.where, one.what) for one in manifest.skipped] == [("a.xlsx|Blanks", "empty sheet")]


def test_sheet_of_customers_without_names_is_an_error(home, writers):
    rows = [["Whom", "Phone", "E-mail"], ["Ann Sample", "555-0100", "ann@example.com"]]
    (home.data / "a.xlsx").write_bytes(writers["xlsx"](rows))
    with pytest.raises(
        SourceLayout, match=r'a\.xlsx\|Customers: no column.*"Whom".*customers\.yml'
    ):
        home.sync(_auto(home))
    config = home.config(
        connector="spreadsheet", path="data/*", headings="auto", columns={"name": "Whom"}
    )
    assert len(home.sync(config)[1]) == 1


@pytest.mark.parametrize("upper_first", [True, False])
def test_headings_of_two_lines_are_joined(home, upper_first):
    def build(book):
        sheet = book.add_worksheet("S")
        sheet.merge_range("A1:D1", "客户资料")
        if upper_first:
            sheet.merge_range("A2:A3", "客户名称")
        else:
            sheet.write("A3", "客户名称")
        sheet.merge_range("B2:C2", "联系方式")
        sheet.write("B3", "手机")
        sheet.write("C3", "座机")
        if upper_first:
            sheet.merge_range("D2:D3", "备注")
        else:
            sheet.write("D3", "备注")
        sheet.write_row(3, 0, ["示例商店", "13800000001", "010-55550100", "老客户"])

    _book(home, "a.xlsx", build)
    manifest, rows = home.sync(_auto(home))
    assert manifest.columns == ("客户名称", "联系方式 > 手机", "联系方式 > 座机", "备注")
    assert [row["_position"] for row in rows] == ["a.xlsx|S|4"]


def test_headings_of_two_lines_are_found_without_merge_information(home, writers):
    rows = [
        ["客户名称", "联系方式", None, "地址"],
        [None, "手机", "座机", None],
        ["示例商店", "13800000001", "010-55550100", "示例路1号"],
    ]
    (home.data / "a.ods").write_bytes(writers["ods"](rows))
    manifest, found = home.sync(_auto(home))
    assert manifest.columns == ("客户名称", "联系方式 > 手机", "联系方式 > 座机", "地址")
    assert len(found) == 1


def test_first_record_is_not_taken_for_a_second_line_of_headings(home):
    def build(book):
        sheet = book.add_worksheet("S")
        sheet.write("A1", "Name")
        sheet.merge_range("B1:C1", "Phone")
        sheet.write_row(1, 0, ["Ann Sample", "home", "555-0100"])
        sheet.write_row(2, 0, ["Bob Beispiel", "work", "555-0101"])

    _book(home, "a.xlsx", build)
    manifest, rows = home.sync(_auto(home))
    assert manifest.rows == 2
    assert [row["Name"] for row in rows] == ["Ann Sample", "Bob Beispiel"]


def test_formula_errors_keep_their_text_and_are_counted(home):
    def build(book):
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["Name", "Phone", "City"])
        sheet.write(1, 0, "Ann Sample")
        sheet.write_formula(1, 1, "=VLOOKUP(1,A:A,1,0)", None, "#N/A")
        sheet.write_formula(1, 2, '="Spring"&"field"', None, "Springfield")
        sheet.write(2, 0, "Bob Beispiel")
        sheet.write_formula(2, 1, "=1/0", None, "#DIV/0!")

    _book(home, "a.xlsx", build)
    manifest, rows = home.sync(_auto(home))
    assert [row["Phone"] for row in rows] == ["#N/A", "#DIV/0!"]
    assert rows[0]["City"] == "Springfield"
    assert manifest.notes == ("a.xlsx|S: Phone: formulas without a result (2 times)",)


def test_formula_that_was_never_calculated_is_no_empty_cell(home):
    book = openpyxl.Workbook()
    book.active.append(["Name", "Phone", "City"])
    book.active.append(["Ann Sample", "=B9&C9", None])
    book.save(home.data / "a.xlsx")
    _, rows = home.sync(_auto(home))
    assert (rows[0]["Phone"], rows[0]["City"]) == ("#CALC!", None)


@pytest.mark.parametrize("kind", ["ods", "xlsb"])
def test_error_cells_of_other_formats_keep_their_text(home, writers, kind):
    rows = [["Name", "Phone"], ["Ann Sample", "#N/A"]]
    (home.data / f"a.{kind}").write_bytes(writers[kind](rows))
    _, found = home.sync(_auto(home))
    assert found[0]["Phone"] == "#N/A"


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_password_protected_workbook_is_named(home, writers, locked_workbook, kind):
    made = {"xlsx": lambda *_, **__: locked_workbook.read_bytes()}
    data = {**writers, **made}[kind](TABLE, encrypted=True)
    (home.data / f"secret.{kind}").write_bytes(data)
    with pytest.raises(SourceLocked, match=rf"secret\.{kind}.*password"):
        home.sync(_auto(home))
    assert home.lake_files() == {}


@pytest.mark.parametrize(
    "data", [b"", b"Name,Phone\nAnn,1\n", b"PK\x03\x04 and no more"], ids=["empty", "text", "cut"]
)
def test_file_that_is_no_workbook_is_named(home, data):
    (home.data / "a.xlsx").write_bytes(data)
    with pytest.raises(SourceLayout, match=r"a\.xlsx.*no workbook"):
        home.sync(_auto(home))


def test_many_workbooks_give_the_union_of_their_columns(home, writers):
    sub = home.data / "south"
    sub.mkdir()
    (home.data / "b.xlsx").write_bytes(writers["xlsx"]([["Name", "Cell"], ["Ann Sample", "1"]]))
    (sub / "a.xls").write_bytes(writers["xls"]([["客户", "电话"], ["示例商店", "2"]]))
    (home.data / "~$b.xlsx").write_bytes(b"lock")
    manifest, rows = home.sync(_auto(home, "data/**/*.xls*"))
    assert manifest.columns == ("Name", "Cell", "客户", "电话")
    assert [row["_position"] for row in rows] == ["b.xlsx|Customers|2", "south/a.xls|Customers|2"]
    assert rows[1]["Name"] is None


@pytest.mark.parametrize(("room", "opened"), [(1_000, 1), (9, 2), (0, 2)])
def test_a_workbook_is_opened_again_only_for_sheets_that_were_not_kept(
    home, monkeypatch, room, opened
):
    """Opening one reads all its shared strings."""

    def build(book):
        for name, person in (("South", "Ann Sample"), ("North", "Bob Beispiel")):
            sheet = book.add_worksheet(name)
            for number, row in enumerate([TABLE[0], [person, "1", "Rome"], [person, "2", "Oslo"]]):
                sheet.write_row(number, 0, row)

    _book(home, "two.xlsx", build)
    calls, load = [], calamine.load_workbook
    monkeypatch.setattr(calamine, "load_workbook", lambda path: calls.append(path) or load(path))
    monkeypatch.setattr(spreadsheet, "_KEPT_CELLS", room)
    _, rows = home.sync(_auto(home))
    assert [(row["Customer"], row["Phone"]) for row in rows] == [
        *(("Ann Sample", "1"), ("Ann Sample", "2")),
        *(("Bob Beispiel", "1"), ("Bob Beispiel", "2")),
    ]
    assert len(calls) == opened


def test_sorted_rows_and_swapped_files_change_positions_only(home, writers):
    people = [[f"Person {i}", f"555-01{i:02}"] for i in range(20)]
    (home.data / "a.xlsx").write_bytes(writers["xlsx"]([["Name", "Phone"], *people[:12]]))
    (home.data / "b.xlsx").write_bytes(writers["xlsx"]([["Name", "Phone"], *people[12:]]))
    manifest, rows = home.sync(_auto(home))
    before = home.lake_files()
    (home.data / "b.xlsx").write_bytes(writers["xlsx"]([["Name", "Phone"], *people[11::-1]]))
    (home.data / "a.xlsx").write_bytes(
        writers["xlsx"]([["Phone", "Name"], *(p[::-1] for p in people[12:])])
    )
    again, moved = home.sync(_auto(home), manifest)
    assert again.content_hash == manifest.content_hash
    kept = [{row["_source_key"]: row["Name"] for row in one} for one in (rows, moved)]
    assert kept[0] == kept[1]
    assert {row["Name"]: row["_position"] for row in moved}["Person 0"] == "b.xlsx|Customers|13"
    assert len(home.lake_files()) == len(before) + 1


def test_workbook_saved_again_as_it_was_writes_nothing(home, writers):
    people = [[f"Person {i}", f"555-01{i:02}"] for i in range(20)]
    (home.data / "a.xlsx").write_bytes(writers["xlsx"]([["Name", "Phone"], *people]))
    manifest, rows = home.sync(_auto(home))
    before = home.lake_files()
    (home.data / "a.xlsx").write_bytes(writers["xlsx"]([["Name", "Phone", None], *people]))
    assert home.sync(_auto(home), manifest) == (manifest, rows)
    assert home.lake_files() == before


def test_exact_copies_each_get_a_key(home, writers):
    rows = [["Name", "Phone"], ["Ann Sample", "1"], ["Ann Sample", "1"], ["Ann Sample", "1"]]
    (home.data / "a.xlsx").write_bytes(writers["xlsx"](rows))
    _, found = home.sync(_auto(home))
    keys = sorted(str(row["_source_key"]) for row in found)
    assert [key[32:] for key in keys] == ["", "-2", "-3"]
    assert {row["_problem"] for row in found} == {None}


def test_chosen_sheet_that_is_not_there_is_named(home, writers):
    (home.data / "a.xlsx").write_bytes(writers["xlsx"](TABLE))
    config = home.config(connector="spreadsheet", path="data/*", headings="auto", sheets="Clients")
    with pytest.raises(SourceMissing, match=r'no sheet "Clients" \(found "Customers"\)'):
        home.sync(config)


def test_cell_of_the_greatest_length_is_read(home, writers):
    long = "长" * 32_767
    (home.data / "a.xlsx").write_bytes(writers["xlsx"]([["Name", "Notes"], ["Ann", long]]))
    assert home.sync(_auto(home))[1][0]["Notes"] == long


def test_cell_of_ten_megabytes_is_read(home, writers):
    long = "长" * 10_000_000
    (home.data / "a.ods").write_bytes(writers["ods"]([["Name", "Notes"], ["Ann", long]]))
    assert home.sync(_auto(home))[1][0]["Notes"] == long


def test_column_without_a_heading_is_kept(home, writers):
    rows = [["Name", None, "Phone", None], ["Ann Sample", "VIP", "555-0100", None]]
    (home.data / "a.xlsx").write_bytes(writers["xlsx"](rows))
    manifest, found = home.sync(_auto(home))
    assert manifest.columns == ("Name", "column 2", "Phone")
    assert found[0]["column 2"] == "VIP"


def test_table_that_begins_in_another_column_is_read(home):
    def build(book):
        sheet = book.add_worksheet("S")
        for number, row in enumerate(TABLE, 3):
            sheet.write_row(number, 2, row)

    _book(home, "a.xlsx", build)
    manifest, rows = home.sync(_auto(home))
    assert manifest.columns == ("Customer", "Phone", "City")
    assert [(row["Customer"], row["Phone"], row["City"]) for row in rows] == [
        ("Ann Sample", "5550100", "Springfield"),
        ("Bob Beispiel", "0012", None),
    ]
    assert [row["_position"] for row in rows] == ["a.xlsx|S|5", "a.xlsx|S|6"]


@pytest.mark.parametrize("room", [10_000, 0])
def test_large_sheet_is_landed_as_a_small_one(home, monkeypatch, room):
    def build(book):
        sheet = book.add_worksheet("S")
        sheet.merge_range("A1:D1", "客户资料")
        sheet.merge_range("A2:A3", "客户名称")
        sheet.merge_range("B2:C2", "联系方式")
        sheet.write_row("B3", ["手机", "座机"])
        for row in range(3, 400):
            sheet.write_row(row, 0, [f"示例商店 {row}", 13_800_000_000 + row, f"010-{row}"])
            if row % 9 == 0:
                sheet.write_formula(row, 2, "=1/0", None, "#DIV/0!")
        sheet.write(300, 3, "老客户")

    _book(home, "a.xlsx", build)
    monkeypatch.setattr(spreadsheet, "_KEPT_CELLS", room)
    manifest, rows = home.sync(_auto(home))
    for name, size in {"_LARGE": 0, "_BOOK": 3_000, "_PIECE": 1_500, "_MOST_BEFORE": 1_500}.items():
        monkeypatch.setattr(sheet_pieces, name, size)
    parsed = sheet_pieces.parse(home.data / "a.xlsx", "S")
    assert parsed
    assert len(parsed.cells.pieces) > 5
    config = home.config(connector="spreadsheet", path="data/*", headings="auto", sheets="S")
    again, found = home.sync(config)
    assert (found, again.notes, again.columns) == (rows, manifest.notes, manifest.columns)
    assert manifest.columns == ("客户名称", "联系方式 > 手机", "联系方式 > 座机", "column 4")
    assert manifest.notes == ("a.xlsx|S: 联系方式 > 座机: formulas without a result (44 times)",)


def test_declared_heading_row_wins(home, writers):
    rows = [["Name", "Phone"], ["Who", "Where"], ["Ann Sample", "Springfield"]]
    (home.data / "a.xlsx").write_bytes(writers["xlsx"](rows))
    config = home.config(
        connector="spreadsheet", path="data/*", header_row=2, columns={"name": "Who"}
    )
    manifest, found = home.sync(config)
    assert manifest.columns == ("Who", "Where")
    assert len(found) == 1


def test_unknown_headings_are_found_by_their_look(home, writers):
    rows = [
        ["Rapport trimestriel"],
        ["Betreuer", "Gemarkung", "Flurnummer"],
        ["Ann Sample", "Springfield", 1201.0],
        ["Bob Beispiel", "Musterstadt", 1202.0],
    ]
    (home.data / "a.xlsx").write_bytes(writers["xlsx"](rows))
    config = home.config(connector="spreadsheet", path="data/*", columns={"name": "Betreuer"})
    assert [row["_position"] for row in home.sync(config)[1]] == [
        "a.xlsx|Customers|3",
        "a.xlsx|Customers|4",
    ]


def test_title_that_is_narrower_than_the_table_is_no_heading(home):
    def build(book):
        sheet = book.add_worksheet("S")
        sheet.merge_range("A1:B1", "2023年度客户清单")
        sheet.merge_range("A2:B2", "制表人：王某某")
        sheet.merge_range("C2:D2", "日期：2023-06-30")
        sheet.write_row(2, 0, ["客户名称", "联系人", "手机", "地址"])
        sheet.write_row(3, 0, ["示例商店", "李示例", "13800000001", "示例路1号"])

    _book(home, "a.xlsx", build)
    manifest, rows = home.sync(_auto(home))
    assert manifest.columns == ("客户名称", "联系人", "手机", "地址")
    assert len(rows) == 1


@pytest.mark.parametrize("title", ["A1:B1", "B1:C1", "A1:C1"])
def test_title_right_above_the_headings_is_no_part_of_them(home, title):
    def build(book):
        sheet = book.add_worksheet("S")
        sheet.merge_range(title, "2023年度清单")
        sheet.write_row(1, 0, ["客户名称", "联系人", "手机", "地址"])
        sheet.write_row(2, 0, ["示例商店", "李示例", "13800000001", "示例路1号"])

    _book(home, "a.xlsx", build)
    assert home.sync(_auto(home))[0].columns == ("客户名称", "联系人", "手机", "地址")


def test_workbook_that_became_empty_is_named(home, writers):
    (home.data / "a.xlsx").write_bytes(writers["xlsx"](TABLE))
    manifest, _ = home.sync(_auto(home))
    _book(home, "a.xlsx", lambda book: book.add_worksheet("Customers"))
    with pytest.raises(SourceEmpty, match="nothing to read"):
        home.sync(_auto(home), manifest)


def test_workbook_under_the_name_of_another_format_is_read(home, writers):
    (home.data / "a.xls").write_bytes(writers["xlsx"](TABLE))
    (home.data / "b.xlsx").write_bytes(writers["xls"](TABLE))
    assert len(home.sync(_auto(home))[1]) == 4


def test_stray_cell_far_below_is_a_row_of_its_own(home):
    def build(book):
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["Name", "Phone"])
        sheet.write_row(1, 0, ["Ann Sample", "555-0100"])
        sheet.write(99_999, 0, "Bob Beispiel")

    _book(home, "a.xlsx", build)
    _, rows = home.sync(_auto(home))
    assert [row["_position"] for row in rows] == ["a.xlsx|S|2", "a.xlsx|S|100000"]


def test_control_characters_escaped_in_xml_are_themselves(home, writers):
    rows = [["Name", "Address"], ["Ann Sample", "Road 1_x000D_Springfield"]]
    (home.data / "a.xls").write_bytes(writers["xls"](rows))
    assert home.sync(_auto(home))[1][0]["Address"] == "Road 1\rSpringfield"


def test_numbered_rows_of_a_form_that_nobody_filled_in_are_no_records(home, writers):
    rows = [
        ["序号", "客户名称", "电话"],
        [1.0, "示例商店", "010-55550100"],
        [2.0, "样本商店", None],
        [3.0, None, None],
        ["4", None, None],
    ]
    (home.data / "a.xlsx").write_bytes(writers["xlsx"](rows))
    manifest, found = home.sync(_auto(home))
    assert [row["客户名称"] for row in found] == ["示例商店", "样本商店"]
    assert [(one.what, one.count) for one in manifest.skipped] == [("numbered empty row", 2)]


@pytest.mark.parametrize("path", ["data", "data/*"])
def test_files_beside_workbooks_are_reported(home, writers, path):
    (home.data / "a.xlsx").write_bytes(writers["xlsx"](TABLE))
    (home.data / "read me.txt").write_text("Ask the sales team.")
    (home.data / "Thumbs.db").write_bytes(b"\0")
    manifest, rows = home.sync(_auto(home, path))
    assert len(rows) == 2
    assert [(one.where, one.what) for one in manifest.skipped] == [
        ("Thumbs.db", "no workbook"),
        ("read me.txt", "no workbook"),
    ]


def test_folder_without_workbooks_is_named(home):
    (home.data / "read me.txt").write_text("Ask the sales team.")
    with pytest.raises(SourceMissing, match=r"no file is a workbook .found read me\.txt"):
        home.sync(_auto(home))
