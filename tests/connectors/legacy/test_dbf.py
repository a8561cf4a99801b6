"""DBF files, written by the library ``dbf`` or by bytes from the published format."""

import datetime as dt
import struct

import dbf
import pytest

from connectors.legacy import dbf_table
from onefold.errors import SourceEncoding, SourceHeld, SourceLayout, SourceLocked, SourceMissing

LANGUAGE_BYTE = 29


def _written(path, fields, rows, kind="db3", codepage="cp936", deleted=()):
    """A table of the library ``dbf``."""
    table = dbf.Table(str(path), fields, dbf_type=kind, codepage=codepage, on_disk=True)
    table.open(dbf.READ_WRITE)
    for row in rows:
        table.append(row)
    table.close()
    data = bytearray(path.read_bytes())
    start, length = struct.unpack_from("<HH", data, 8)
    for number in deleted:
        data[start + number * length] = ord("*")
    path.write_bytes(data)
    return path


def _plain(records, *, count=None, language=0, fields=((b"CUSTNO", b"C", 4), (b"NAME", b"C", 10))):
    """A dBase III table by its bytes; a record begins with its mark of deletion."""
    length = 1 + sum(width for *_, width in fields)
    start = 33 + 32 * len(fields)
    head = struct.pack(
        "<BBBBIHH17xB2x", 3, 126, 1, 2, len(records) if count is None else count, start, length,
        language,
    )  # fmt: skip
    for name, kind, width in fields:
        head += struct.pack("<11sc4xBB14x", name, kind, width % 256, width // 256)
    return head + b"\r" + b"".join(records) + b"\x1a"


def _record(number, name, encoding="gb18030", mark=b" "):
    return mark + number.encode().ljust(4) + name.encode(encoding).ljust(10)


@pytest.fixture
def source(home):
    def declare(data=None, **settings):
        if data is not None:
            (home.data / "kh.dbf").write_bytes(data)
        settings = {"headings": "auto", "path": "data/kh.dbf", "key": "CUSTNO", **settings}
        settings.setdefault("defaults", {"name": "-"})
        return home.config(connector="dbf", **settings)

    return declare


FIELDS = "CUSTNO C(6); NAME C(30); CREDIT N(12,2); SINCE D; ACTIVE L; NOTE M"
ROWS = [
    ("000101", "示例贸易有限公司", 1234.5, dt.date(2001, 2, 28), True, "老客户，月结三十天。" * 90),
    ("000102", "王小明", None, None, None, ""),
    ("000103", "已删除", 1, None, False, "gone"),
    ("000104", "李示例", -7, dt.date(1999, 12, 31), False, "short"),
]


@pytest.mark.parametrize(("kind", "start"), [("db3", 0x83), ("fp", 0xF5), ("vfp", 0x30)])
def test_table_with_memos_and_deleted_rows_is_read_as_written(home, source, kind, start):
    path = _written(home.data / "kh.dbf", FIELDS, ROWS, kind, deleted=[2])
    assert path.read_bytes()[0] == start
    manifest, rows = home.sync(source())
    assert [row["CUSTNO"] for row in rows] == ["000101", "000102", "000104"]
    first = rows[0]
    assert first["NAME"] == "示例贸易有限公司"
    assert (first["CREDIT"], first["SINCE"], first["ACTIVE"]) == ("1234.50", "2001-02-28", "TRUE")
    assert first["NOTE"] == "老客户，月结三十天。" * 90
    assert rows[2]["NOTE"] == "short"
    assert [rows[1][name] for name in ("SINCE", "ACTIVE", "NOTE")] == [None] * 3
    assert [row["_position"] for row in rows] == ["kh.dbf|1", "kh.dbf|2", "kh.dbf|4"]
    assert [(one.what, one.count) for one in manifest.skipped] == [("deleted row", 1)]


def test_field_types_of_visual_foxpro_become_text(home, source):
    fields = "CUSTNO C(4); COUNTER I; LIMIT Y; RATE B; SEEN T; CITY C(8) null"
    seen = dt.datetime(2023, 1, 12, 23, 59, 58)
    rows = [
        ("0001", -5, 1234.5678, 0.25, seen, dbf.Null),
        ("0002", 70000, -1, 3.0, None, "Ulm"),
    ]
    _written(home.data / "kh.dbf", fields, rows, "vfp")
    _, (first, second) = home.sync(source())
    assert (first["COUNTER"], first["LIMIT"], first["RATE"]) == ("-5", "1234.5678", "0.25")
    assert (first["SEEN"], first["CITY"]) == ("2023-01-12 23:59:58", None)
    assert (second["COUNTER"], second["LIMIT"], second["RATE"]) == ("70000", "-1.0000", "3")
    assert (second["SEEN"], second["CITY"]) == (None, "Ulm")


def test_varchar_of_visual_foxpro_ends_where_its_flag_says(home, source):
    """Bits of _NullFlags in the order of the fields: first shorter than its length, then null."""
    fields = [(b"CUSTNO", b"C", 4, 0), (b"NAME", b"V", 6, 2), (b"CITY", b"V", 4, 0)]
    fields.append((b"_NullFlags", b"0", 1, 5))
    records = [
        b" 0001" + b"Ann  \x05" + b"Ulm\x03" + bytes([0b101]),
        b" 0002" + b"Annika" + b"Bonn" + bytes([0b000]),
        b" 0003" + b"      " + b"Bonn" + bytes([0b010]),
    ]
    start = 33 + 32 * len(fields) + 263
    head = struct.pack("<BBBBIHH17xB2x", 0x30, 126, 1, 2, 3, start, len(records[0]), 3)
    for name, kind, width, flags in fields:
        head += struct.pack("<11sc4xBBB13x", name, kind, width, 0, flags)
    data = (head + b"\r").ljust(start, b"\0") + b"".join(records)
    _, rows = home.sync(source(data))
    assert [(row["NAME"], row["CITY"]) for row in rows] == [
        ("Ann", "Ulm"),
        ("Annika", "Bonn"),
        (None, "Bonn"),
    ]
    assert "_NullFlags" not in rows[0]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "big5", "cp1252"])
@pytest.mark.parametrize("language", [0x00, 0x03])
def test_language_byte_that_says_nothing_or_wrong_does_not_garble(home, source, encoding, language):
    names = {"cp1252": ["Müller", "Görlitz", "Ångström"]}.get(
        encoding, ["王小明" if encoding != "big5" else "王小華", "李四", "陳大文"]
    )
    data = _plain(
        [_record(f"{i:04}", name, encoding) for i, name in enumerate(names)], language=language
    )
    _, rows = home.sync(source(data, country="DE" if encoding == "cp1252" else "CN"))
    assert [row["NAME"] for row in rows] == names


def test_text_that_is_cut_in_the_middle_of_a_character_loses_that_one_only(home, source):
    """A field of ten bytes holds no more of a longer name, whichever byte that ends with."""
    name = "A示例贸易有".encode("gb18030")[:10]
    data = _plain([_record("0001", "王小明"), b" 0002" + name, _record("0003", "A\nB")])
    manifest, rows = home.sync(source(data, country="CN"))
    assert [row["NAME"] for row in rows] == ["王小明", "A示例贸易", "A\nB"]
    assert "kh.dbf: NAME cut in the middle of a character" in manifest.notes


def test_declared_encoding_and_cpg_file_decide(home, source):
    data = _plain([_record("0001", "Straße", "cp850")], language=0x03)
    _, rows = home.sync(source(data, encoding="cp850"))
    assert rows[0]["NAME"] == "Straße"
    (home.data / "kh.CPG").write_text("850")
    _, rows = home.sync(source())
    assert rows[0]["NAME"] == "Straße"
    with pytest.raises(SourceEncoding, match="no text in utf-8"):
        home.sync(source(encoding="utf-8"))


def test_wider_text_than_one_byte_can_say_is_read_whole(home, source):
    fields = ((b"CUSTNO", b"C", 4), (b"NAME", b"C", 10), (b"NOTE", b"C", 300))
    _, rows = home.sync(source(_plain([_record("0001", "Ann") + b"x" * 300], fields=fields)))
    assert rows[0]["NOTE"] == "x" * 300


RECORDS = [_record(f"{i:04}", "王小明") for i in range(5)]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (_plain(RECORDS)[:-12], "4 whole records"),
        (_plain(RECORDS, count=9), "5 whole records"),
        (_plain(RECORDS, count=0), "5 records"),
        (_plain(RECORDS, count=3), "5 records"),
    ],
)
def test_other_number_of_records_than_the_header_says_holds_the_source(home, source, data, found):
    with pytest.raises(SourceHeld, match=f"records by its header.*found {found}"):
        home.sync(source(data))
    assert not home.lake_files()
    manifest, rows = home.sync(source(data, check_counts=False))
    assert len(rows) == manifest.rows <= 5
    assert any("by its header" in note for note in manifest.notes)


def test_file_with_room_after_its_last_record_is_whole(home, source):
    _, rows = home.sync(source(_plain(RECORDS) + bytes(64)))
    assert len(rows) == 5


def test_missing_memo_file_is_said_and_can_be_done_without(home, source):
    _written(home.data / "kh.dbf", "CUSTNO C(6); NOTE M", [("000101", "text")])
    (home.data / "kh.dbt").unlink()
    with pytest.raises(SourceMissing, match="its memo file is not there"):
        home.sync(source())
    manifest, rows = home.sync(source(memos=False))
    assert rows[0]["NOTE"] is None
    assert manifest.notes == ("kh.dbf: read without its memo file",)


def test_memo_that_the_memo_file_does_not_hold_is_counted(home, source):
    _written(home.data / "kh.dbf", "CUSTNO C(6); NOTE M", [("000101", "text"), ("000102", "more")])
    memo = home.data / "kh.dbt"
    memo.write_bytes(memo.read_bytes()[:512])
    manifest, rows = home.sync(source())
    assert [row["NOTE"] for row in rows] == [None, None]
    assert "kh.dbf: memos that are not in the memo file (2 times)" in manifest.notes


def test_changed_memo_alone_makes_a_new_snapshot(home, source):
    _written(home.data / "kh.dbf", "CUSTNO C(6); NOTE M", [("000101", "text")])
    config = source()
    manifest, _ = home.sync(config)
    memo = home.data / "kh.dbt"
    memo.write_bytes(memo.read_bytes().replace(b"text", b"TEXT"))
    changed, rows = home.sync(config, manifest)
    assert rows[0]["NOTE"] == "TEXT"
    assert changed.sync_id != manifest.sync_id


def test_encrypted_and_damaged_files_are_refused(source, home):
    data = bytearray(_plain(RECORDS))
    data[15] = 1
    with pytest.raises(SourceLocked, match="encrypted"):
        home.sync(source(bytes(data)))
    for broken in (b"", b"PK\x03\x04 no table" * 9, _plain(RECORDS)[:60], b"\x03" + bytes(99)):
        with pytest.raises(SourceLayout, match=r"kh\.dbf: "):
            home.sync(source(broken))


def test_several_tables_give_the_union_of_their_columns(home, source):
    _written(home.data / "a.dbf", "CUSTNO C(4); NAME C(9)", [("0001", "Ann")])
    _written(home.data / "b.dbf", "CUSTNO C(4); CITY C(9)", [("0002", "Ulm")])
    _, rows = home.sync(source(path="data/*.dbf"))
    assert [(r["CUSTNO"], r["NAME"], r["CITY"]) for r in rows] == [
        ("0001", "Ann", None),
        ("0002", None, "Ulm"),
    ]


def test_currency_and_counter_of_the_published_format_are_exact():
    as_text = {kind: dbf_table.text_of(kind) for kind in "YN+L"}
    assert as_text["Y"](struct.pack("<q", 140000)) == "14.0000"
    assert as_text["N"](b"*****") is None
    assert as_text["+"](bytes.fromhex("80000007")) == "7"
    assert as_text["L"](b"?") is None
