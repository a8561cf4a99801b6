"""COBOL files, encoded here from IBM's formats of numbers and records."""

import struct
import subprocess

import pytest
import yaml

from connectors import locating, sampling
from connectors.legacy import code_pages, copybook
from onefold.errors import ConfigError, SourceEncoding, SourceHeld, SourceLayout, SourceMissing

BOOK = """\
000100* CUSTOMER MASTER
000200 01  CUSTOMER-REC.
000300     05  CUST-NO            PIC 9(6).
000400     05  CUST-TYPE          PIC X.
000500         88  IS-PERSON      VALUE '1'.
000600         88  IS-FIRM        VALUES ARE '2', '3'.
000700     05  CUST-NAME          PIC X(20).
000800     05  BALANCE            PIC S9(7)V99 COMP-3.
000900     05  POINTS             PIC S9(4) COMP.
001000     05  LIMIT-AMT          PIC S9(5)V99.
001100     05  SINCE-DATE         PIC 9(8) COMP-3.
001200     05  TEMPERATURE        PIC S9(3) SIGN LEADING SEPARATE.
001300     05  RATE               COMP-1.
001400     05  PERSON-DATA.
001500         10  BIRTH          PIC 9(8).
001600         10  FILLER         PIC X(4).
001700     05  FIRM-DATA REDEFINES PERSON-DATA.
001800         10  TAX-NO         PIC X(12).
001900     05  PHONE              PIC X(12) OCCURS 2 TIMES.
"""


def zoned(value, digits):
    text = f"{abs(value):0{digits}}"
    zone = 0xD0 if value < 0 else 0xC0
    return bytes(0xF0 | int(d) for d in text[:-1]) + bytes([zone | int(text[-1])])


def packed(value, digits, sign=None):
    nibbles = f"{abs(value):0{digits}}" + (sign or ("d" if value < 0 else "c"))
    return bytes.fromhex(nibbles.rjust((len(nibbles) + 1) // 2 * 2, "0"))


def text(value, width, page="cp037"):
    return value.encode(page).ljust(width, " ".encode(page))[:width]


def _record(number=1, kind="1", name="ANN SAMPLE", **changed):
    cells = {
        "number": text(f"{number:06}", 6),
        "kind": text(kind, 1),
        "name": text(name, 20),
        "balance": packed(-123456, 9),
        "points": struct.pack(">h", -7),
        "limit": zoned(-1050, 7),
        "since": packed(20010228, 8, "f"),
        "temperature": text("-012", 4),
        "rate": bytes.fromhex("c1180000"),
        "shared": text("19800131", 12),
        "phones": text("02079460018", 12) + text("", 12),
    }
    return b"".join({**cells, **changed}.values())


@pytest.fixture
def source(home):
    def declare(data, book=BOOK, *, layout=None, **settings):
        (home.data / "cust.dat").write_bytes(data)
        (home.folder / "cust.cpy").write_text(book, encoding="utf-8")
        path = "cust.cpy"
        if layout is not None:
            path = "layout.yaml"
            written = yaml.safe_dump({"copybook": "cust.cpy", **layout}, allow_unicode=True)
            (home.folder / path).write_text(written, encoding="utf-8")
        settings = {"headings": "auto", "path": "data/cust.dat", **settings}
        settings.setdefault("defaults", {"name": "-"})
        return home.config(connector="cobol", layout=path, **settings)

    return declare


def test_every_kind_of_number_is_read_as_it_was_written(home, source):
    _, (row,) = home.sync(source(_record(), key="CUST-NO"))
    assert (row["_source_key"], row["_position"]) == ("000001", "cust.dat|0")
    assert (row["CUST-NAME"], row["CUST-TYPE"]) == ("ANN SAMPLE", "1")
    assert (row["BALANCE"], row["POINTS"], row["LIMIT-AMT"]) == ("-1234.56", "-7", "-10.50")
    assert (row["SINCE-DATE"], row["TEMPERATURE"], row["RATE"]) == ("20010228", "-12", "-1.5")
    assert (row["BIRTH"], row["TAX-NO"]) == ("19800131", "19800131")
    assert (row["PHONE(1)"], row["PHONE(2)"]) == ("02079460018", None)


NUMBERS = [
    ("9(4) COMP-3", packed(42, 4, "f"), "0042"),
    ("S9(4) COMP-3", packed(42, 5), "42"),
    ("S9(5)V9(3) PACKED-DECIMAL", packed(-5, 8), "-0.005"),
    ("9(3) COMP-6", bytes.fromhex("0123"), "123"),
    ("9(4) COMP", struct.pack(">H", 42), "0042"),
    ("S9(9) BINARY", struct.pack(">i", -123456789), "-123456789"),
    ("S9(16)V99 COMP-5", struct.pack(">q", -1), "-0.01"),
    ("9(3)", text("007", 3), "007"),
    ("S9(3)", zoned(7, 3), "7"),
    ("S9(3)", text("007", 3), "7"),
    ("S9(3) SIGN IS LEADING", bytes([0xD0, 0xF0, 0xF7]), "-7"),
    ("S9(2)V9 TRAILING SEPARATE CHARACTER", text("123-", 4), "-12.3"),
    ("9(2)PPP", text("12", 2), "12000"),
    ("PP9(2)", text("12", 2), "0.0012"),
    ("COMP-2", bytes.fromhex("4264000000000000"), "100"),
    ("ZZ,ZZ9.99-", text("  1,234.50", 10), "1,234.50"),
    ("N(2)", "王明".encode("utf-16-be"), "王明"),
    ("9(4) COMP-3", b"\x40\x40\x40", None),
    ("9(4) COMP-3", bytes(3), None),
    ("9(4)", text("", 4), None),
    ("S9(4)", b"\xff" * 4, None),
]


@pytest.mark.parametrize(("picture", "data", "value"), NUMBERS)
def test_number_of_the_published_formats(home, source, picture, data, value):
    clause = picture if picture.startswith("COMP") else f"PIC {picture}"
    book = f"       01 R.\n           05 ID PIC X(3).\n           05 V {clause}.\n"
    _, (row,) = home.sync(source(text("abc", 3) + data, book))
    assert row["V"] == value


def test_numbers_of_files_in_ascii_have_their_own_signs(home, source):
    book = "01 R.\n 05 A PIC S9(3).\n 05 B PIC S9(3).\n 05 C PIC S9(3).\n 05 D PIC S9(4) COMP.\n"
    data = b"01{" + b"01J" + b"01q" + struct.pack("<h", -2)
    config = source(data, book, layout={"encoding": "ascii", "byte_order": "little"})
    _, (row,) = home.sync(config)
    assert [row[name] for name in "ABCD"] == ["10", "-11", "-11", "-2"]


def test_items_that_share_bytes_are_there_only_when_their_condition_holds(home, source):
    firm = _record(2, "2", "SAMPLE LTD", shared=text("TAX-12345678", 12))
    when = {"PERSON-DATA": {"CUST-TYPE": "1"}, "FIRM-DATA": {"CUST-TYPE": ["2", "3"]}}
    manifest, rows = home.sync(source(_record() + firm, layout={"when": when}))
    assert [(row["BIRTH"], row["TAX-NO"]) for row in rows] == [
        ("19800131", None),
        (None, "TAX-12345678"),
    ]
    assert not manifest.notes
    _, rows = home.sync(source(_record() + firm))
    assert rows[1]["BIRTH"] is None


ODO = """
       01  R.
           05  ID-NO           PIC 9(2).
           05  HOW-MANY        PIC 9.
           05  CONTACT         OCCURS 0 TO 3 TIMES
                   DEPENDING ON HOW-MANY INDEXED BY CX.
               10  TEL         PIC X(3).
               10  USES        PIC 9.
               10  FOR-WHAT    PIC X(2) OCCURS 0 TO 2 TIMES
                   DEPENDING ON USES.
           05  CITY            PIC X(4).
"""
ODO_RECORDS = [text(t, len(t)) for t in ("012AAA1x1BBB0ULM ", "020BONN", "031CCC2y1y2KIEL")]


@pytest.mark.parametrize("records", ["fixed", "rdw", "bdw", "lines"])
def test_occurs_depending_on_moves_what_follows(home, source, records):
    def rdw(data):
        return struct.pack(">HH", len(data) + 4, 0) + data

    joined = {
        "fixed": b"".join(ODO_RECORDS),
        "rdw": b"".join(map(rdw, ODO_RECORDS)),
        "bdw": rdw(b"".join(map(rdw, ODO_RECORDS[:2]))) + rdw(rdw(ODO_RECORDS[2])),
        "lines": b"\x15".join(ODO_RECORDS),
    }
    config = source(joined[records], ODO, layout={"records": records})
    manifest, rows = home.sync(config)
    assert [row["CITY"] for row in rows] == ["ULM", "BONN", "KIEL"]
    assert [row["TEL(1)"] for row in rows] == ["AAA", None, "CCC"]
    assert (rows[0]["FOR-WHAT(1,1)"], rows[0]["TEL(2)"], rows[2]["FOR-WHAT(1,2)"]) == (
        "x1",
        "BBB",
        "y2",
    )
    assert manifest.problems == 0


def test_number_of_occurrences_that_cannot_be_marks_the_record(home, source):
    record = text("019AAA0BBB0CCC0ULM ", 19)
    data = struct.pack(">HH", len(record) + 4, 0) + record
    _, (row,) = home.sync(source(data, ODO, layout={"records": "rdw"}))
    assert "HOW-MANY is no number of CONTACT from 0 to 3" in row["_problem"]
    assert row["TEL(3)"] == "CCC"


# -- code pages


def _iconv(value, page):
    done = subprocess.run(
        ["iconv", "-f", "UTF-8", "-t", page], input=value.encode(), capture_output=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("1388", "王小明A公司镕"),
        ("IBM935", "示例贸易ABC"),
        ("IBM1047", "Ann [Sample]"),
        ("cp1141", "Müller & Söhne"),
        ("cp500", "Ann!"),
    ],
)
def test_text_of_any_code_page_is_read(home, source, page, name):
    number = code_pages._iconv_name(page)
    book = "01 R.\n 05 ID-NO PIC 9(3).\n 05 NAME PIC X(30).\n"
    blank = _iconv(" ", number)
    data = _iconv("007", number) + _iconv(name, number).ljust(30, blank)
    manifest, (row,) = home.sync(source(data, book, layout={"encoding": page}))
    assert (row["ID-NO"], row["NAME"]) == ("007", name)
    assert not manifest.notes


def test_graphic_items_have_no_shifts_and_bytes_that_are_none_are_said(home, source):
    book = "01 R.\n 05 NAME PIC G(4) DISPLAY-1.\n 05 CITY PIC X(6).\n"
    name = _iconv("王小明", "IBM1388").strip(b"\x0e\x0f")
    data = name + b"\x40\x40" + b"\x0e\xfe\xfe\x0f\x40\x40"
    manifest, (row,) = home.sync(source(data, book, encoding="1388"))
    assert row["NAME"] == "王小明"
    assert manifest.notes == ("cust.dat: CITY holds bytes that are not 1388",)
    with pytest.raises(SourceEncoding, match="no such code page"):
        home.sync(source(data, book, encoding="IBM99999"))


# -- several kinds of records in one file

SEGMENTS = """
       01  HEADER-REC.
           05  REC-TYPE  PIC X.
           05  RUN-DATE  PIC 9(8).
       01  CUSTOMER-REC.
           05  REC-TYPE  PIC X.
           05  CUST-NO   PIC 9(3).
           05  NAME      PIC X(8).
       01  PHONE-REC.
           05  REC-TYPE  PIC X.
           05  PHONE     PIC X(5).
       01  TRAILER-REC.
           05  REC-TYPE  PIC X.
           05  HOW-MANY  PIC 9(5) COMP-3.
"""
KINDS = {
    "H": {"record": "HEADER-REC", "role": "header"},
    "C": {"record": "CUSTOMER-REC"},
    "P": {"record": "PHONE-REC", "part_of": "C"},
    "T": {"record": "TRAILER-REC", "role": "trailer", "count": "HOW-MANY", "counts": "C"},
}
LAYOUT = {"records": "rdw", "segments": {"by": "REC-TYPE", "kinds": KINDS}, "key": "CUST-NO"}


def _segments(*records, count=2):
    trailer = () if count is None else (text("T", 1) + packed(count, 5, "f"),)
    all_of = [text("H20240101", 9), *(text(one, len(one)) for one in records), *trailer]
    return b"".join(struct.pack(">HH", len(one) + 4, 0) + one for one in all_of)


PARTS = ("C001ANN     ", "P12345", "P23456", "C002BOB     ", "X??")


def test_parts_go_into_the_row_before_them_and_the_trailer_counts(home, source):
    manifest, rows = home.sync(source(_segments(*PARTS), SEGMENTS, layout=LAYOUT))
    assert [(row["_source_key"], row["NAME"], row["PHONE"]) for row in rows] == [
        ("001", "ANN", "12345; 23456"),
        ("002", "BOB", None),
    ]
    assert "RUN-DATE" not in rows[0]
    skipped = {one.what: one.count for one in manifest.skipped}
    assert skipped == {"header": 1, "trailer": 1, "record of another kind": 1}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_segments(*PARTS, count=3), "3 records by its trailer.*found 2"),
        (_segments(*PARTS, count=None), "a trailer with the number of records.*found no trailer"),
    ],
)
def test_other_number_than_the_trailer_says_holds_the_source(home, source, data, words):
    with pytest.raises(SourceHeld, match=words):
        home.sync(source(data, SEGMENTS, layout=LAYOUT))
    assert not home.lake_files()
    manifest, rows = home.sync(source(data, SEGMENTS, layout=LAYOUT, check_counts=False))
    assert len(rows) == 2
    assert any("trailer" in note for note in manifest.notes)


def test_part_without_its_record_is_kept_and_marked(home, source):
    _, rows = home.sync(
        source(_segments("P12345", "C001ANN     ", count=1), SEGMENTS, layout=LAYOUT)
    )
    assert rows[0]["_problem"].startswith("PHONE-REC without C before it")


# -- faults


def test_file_that_is_cut_off_is_said(home, source):
    _, rows = home.sync(source(_record(1) + _record(2)[:50]))
    assert rows[1]["_problem"] == f"truncated record: 50 of {len(_record())} bytes"
    with pytest.raises(SourceLayout, match="ends in the middle of a record"):
        home.sync(source(_segments(*PARTS)[:-2], SEGMENTS, layout=LAYOUT))
    short = text("01", 2)
    data = struct.pack(">HH", 6, 0) + short
    _, (row,) = home.sync(source(data, ODO, layout={"records": "rdw"}))
    assert "truncated record" in row["_problem"] or "HOW-MANY" in row["_problem"]


def test_wrong_record_length_and_wrong_framing_are_refused(home, source):
    data = b"".join(_record(i) for i in range(30))
    with pytest.raises(SourceLayout, match="most records do not fit the copybook"):
        home.sync(source(data, layout={"record_length": len(_record()) + 1}))
    with pytest.raises(SourceLayout, match="no length where a record should begin"):
        home.sync(source(data, layout={"records": "rdw"}))
    with pytest.raises(SourceLayout, match="the record of the copybook is longer"):
        home.sync(source(data, layout={"record_length": 20}))
    assert not home.lake_files()


def test_bytes_that_are_no_number_are_kept_in_hexadecimal_and_counted(home, source):
    data = b"".join(_record(i) for i in range(9)) + _record(9, balance=b"\x12\x34\x5a\xbc\x99")
    manifest, rows = home.sync(source(data))
    assert rows[9]["BALANCE"] == "x'12345abc99'"
    assert rows[9]["CUST-NO"] == "000009"
    assert manifest.notes == ("cust.dat: BALANCE holds bytes that are no number",)


@pytest.mark.parametrize(
    ("layout", "error", "words"),
    [
        ({"record": "NO-SUCH"}, SourceLayout, "no record 'NO-SUCH'.*found HEADER-REC"),
        ({}, SourceLayout, "several records"),
        ({"segments": {"by": "CUST-NO", "kinds": KINDS}}, SourceLayout, "has no item CUST-NO"),
        ({"recods": "rdw"}, SourceLayout, "recods"),
        (
            {"segments": {"by": "REC-TYPE", "kinds": {"P": {**KINDS["P"]}}}},
            SourceLayout,
            "'C' is no kind",
        ),
        (
            {"record": "PHONE-REC", "when": {"PHONE": {"NO": "1"}}},
            SourceLayout,
            "'NO' under 'when'",
        ),
        ({"copybook": "other.cpy"}, SourceLayout, "the copybook cannot be read"),
    ],
)
def test_layout_that_contradicts_the_copybook_is_said(home, source, layout, error, words):
    with pytest.raises(error, match=words):
        home.sync(source(_segments(*PARTS), SEGMENTS, layout=layout))


def test_missing_layout_is_said(home, source):
    config = source(b"x")
    (home.folder / "cust.cpy").unlink()
    with pytest.raises(SourceLayout, match="cannot be read"):
        home.sync(config)
    with pytest.raises(ConfigError, match="needs 'layout'"):
        home.config(connector="cobol", path="data/cust.dat", headings="auto")
    (home.folder / "none.yaml").unlink(missing_ok=True)
    with pytest.raises(SourceMissing, match="layout file is not there"):
        home.sync(
            home.config(
                connector="cobol", path="data/cust.dat", layout="none.yaml", headings="auto"
            )
        )


# -- copybooks


def _sizes(book):
    (root,) = copybook.parse(book, "b.cpy")
    return {item.name: item.size for item in root.walk()}


def test_free_form_comments_and_clauses_over_lines_are_understood():
    book = """
    01 R.
    * a comment
    05 A PIC X(10)
       VALUE 'IT''S. A, B'. 05 B PIC S9(5)      *> and another
       USAGE IS COMPUTATIONAL-3.
    05 C USAGE COMP. 10 D PIC 9(4). 10 E PIC 9(9). 10 F PIC S9(10).
    05 G OCCURS 3 TIMES ASCENDING KEY IS H INDEXED BY I, J PIC 9(2).
    66 Q RENAMES A THRU B.
    """
    sizes = _sizes(book)
    assert (sizes["A"], sizes["B"], sizes["D"], sizes["E"], sizes["F"]) == (10, 3, 2, 4, 8)
    assert sizes["R"] == 10 + 3 + 14 + 6


def test_synchronized_items_begin_at_their_boundary(home, source):
    book = "01 R.\n 05 A PIC X.\n 05 B PIC 9(4) COMP SYNC.\n 05 C PIC 9(9) COMP SYNC.\n"
    data = text("x", 1) + b"\0" + struct.pack(">H", 7) + struct.pack(">I", 8)
    _, (row,) = home.sync(source(data, book))
    assert (row["B"], row["C"]) == ("0007", "000000008")


def test_items_of_one_name_are_told_apart_by_their_group(home, source):
    book = """01 R. 05 HOME. 10 CITY PIC X(4). 05 WORK. 10 CITY PIC X(4). 05 ZIP PIC 9(5)."""
    _, (row,) = home.sync(source(text("ULM BONN89073", 13), book))
    assert (row["HOME.CITY"], row["WORK.CITY"], row["ZIP"]) == ("ULM", "BONN", "89073")


@pytest.mark.parametrize(
    ("book", "words"),
    [
        ("       01 R.\n           COPY OTHER.\n", "line 2.*includes another"),
        ("01 R.\n 05 A PIC X OCCURS MANY.\n", "OCCURS without a number"),
        ("01 R.\n 05 A PIC X FROBNICATE.\n", "line 2: FROBNICATE is not understood"),
        ("01 R.\n 05 A.\n", "neither a picture nor items"),
        ("* nothing\n", "no item"),
    ],
)
def test_line_of_a_copybook_that_is_not_understood_is_named(book, words):
    with pytest.raises(SourceLayout, match=words):
        copybook.parse(book, "b.cpy")


def test_copybook_beside_a_file_makes_it_a_source(tmp_path):
    (tmp_path / "cust.dat").write_bytes(b"".join(_record(i) for i in range(20)))
    (tmp_path / "cust.cpy").write_text(BOOK, encoding="utf-8")
    (place,) = locating.locate(str(tmp_path / "cust.dat"), tmp_path)
    assert place.settings == {"connector": "cobol", "path": "cust.dat", "layout": "cust.cpy"}
    assert "CUST-NAME" in sampling.unmapped(place.config)[0].columns
    assert [one.name for one in locating.locate(str(tmp_path), tmp_path)] == ["cust"]
    layout = "copybook: cust.cpy\nfile: cust.dat\n"
    (tmp_path / "any.yaml").write_text(layout, encoding="utf-8")
    (place,) = locating.locate(str(tmp_path / "cust.dat"), tmp_path)
    assert place.settings["layout"] == "any.yaml"


@pytest.mark.parametrize(
    ("page", "expected", "name"),
    [("IBM1388", "IBM1388", "王小明"), ("IBM037", None, "ANN"), ("ascii", "gb18030", "ANN")],
)
def test_code_page_is_told_by_blanks_and_shifts(tmp_path, page, expected, name):
    blank = _iconv(" ", page)
    data = b"".join(
        _iconv(f"{i:03}{name}", page).ljust(33, blank) + packed(i, 5, "f") for i in range(30)
    )
    (tmp_path / "c.dat").write_bytes(data)
    book = "01 R.\n 05 NO PIC 9(3).\n 05 NAME PIC X(30).\n 05 P PIC 9(5) COMP-3.\n"
    (tmp_path / "c.cpy").write_text(book, encoding="utf-8")
    (place,) = locating.locate(str(tmp_path / "c.dat"), tmp_path)
    assert place.settings.get("encoding") == expected
    table = sampling.unmapped(place.config)[0].table
    assert table["NAME"].to_pylist()[7] == name
    assert table["P"].to_pylist()[7] == "00007"
