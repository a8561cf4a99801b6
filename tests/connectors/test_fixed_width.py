"""Fixed-width files: bytes are cut first, decoded after."""

import pytest
import yaml

from onefold.errors import SourceEmpty, SourceHeld, SourceLayout, SourceMissing

FIELDS = [
    {"name": "custno", "start": 0, "width": 4},
    {"name": "type", "start": 4, "width": 1, "values": {"1": "person", "2": "organization"}},
    {"name": "name", "start": 5, "width": 10},
    {"name": "birth", "start": 15, "width": 6, "format": "YYMMDD", "missing": "000000"},
    {"name": "address", "start": 21, "width": 9},
]
LENGTH = 30


def _line(number, name, address="", birth="000000", kind="1"):
    cells = ((number, 4), (kind, 1), (name, 10), (birth, 6), (address, 9))
    return b"".join(text.encode("gb18030")[:width].ljust(width) for text, width in cells)


def _source(home, data, *, layout=None, **settings):
    (home.data / "old.txt").write_bytes(data)
    described = {
        "encoding": "gb18030",
        "newline": "\r\n",
        "record_length": LENGTH,
        "key": "custno",
        "fields": FIELDS,
        **(layout or {}),
    }
    text = yaml.safe_dump(described, allow_unicode=True)
    (home.folder / "layout.yaml").write_text(text, encoding="utf-8")
    settings = {"headings": "auto", **settings}
    return home.config(
        connector="fixed_width", path="data/old.txt", layout="layout.yaml", **settings
    )


LINES = [_line("0001", "王小明", "示例路1号"), _line("0002", "李示例", "样本街22")]


def test_bytes_are_cut_before_they_are_decoded(home):
    manifest, rows = home.sync(_source(home, b"\r\n".join(LINES) + b"\r\n"))
    assert [(r["custno"], r["name"], r["address"]) for r in rows] == [
        ("0001", "王小明", "示例路1号"),
        ("0002", "李示例", "样本街22"),
    ]
    assert [(r["_source_key"], r["_position"]) for r in rows] == [
        ("0001", "old.txt|0"),
        ("0002", "old.txt|32"),
    ]
    assert manifest.key_basis == "columns"


def test_field_cut_in_the_middle_of_a_character_is_not_garbled(home):
    line = _line("0001", "王小明", "东南西北路")
    assert line[21:30] == "东南西北".encode("gb18030") + "路".encode("gb18030")[:1]
    manifest, rows = home.sync(_source(home, line + b"\r\n"))
    assert rows[0]["address"] == "东南西北"
    assert manifest.notes == ("old.txt: address cut in the middle of a character",)


def test_character_of_four_bytes_cut_in_the_middle_is_dropped(home):
    line = _line("0001", "王小明", "东南西𠮷")
    _, rows = home.sync(_source(home, line + b"\r\n"))
    assert rows[0]["address"] == "东南西"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda line: line[:17], "truncated line: 17 of 30 bytes"),
        (lambda line: line + b"XY", "overlong line: 32 of 30 bytes"),
    ],
)
def test_line_of_a_wrong_length_is_kept_and_marked(home, change, problem):
    data = b"\r\n".join([LINES[0], change(LINES[1]), _line("0003", "陈样本")]) + b"\r\n"
    manifest, rows = home.sync(_source(home, data))
    assert [row["_problem"] for row in rows] == [None, problem, None]
    assert [row["_position"] for row in rows][1] == "old.txt|32"
    assert manifest.problems == 1
    if "overlong" in problem:
        assert rows[1]["address"] == "样本街22XY"


def test_file_that_does_not_fit_its_layout_at_all_is_an_error(home):
    data = b"".join(line + b"?\r\n" for line in LINES * 10)
    with pytest.raises(SourceLayout, match=r"old\.txt: most lines are not 30 bytes long"):
        home.sync(_source(home, data))
    assert home.lake_files() == {}


def test_trimmed_lines_are_whole_if_the_layout_says_so(home):
    data = b"\n".join(line.rstrip() for line in [_line("0001", "王小明"), *LINES])
    _, rows = home.sync(_source(home, data, layout={"trimmed": True, "key": []}))
    assert {row["_problem"] for row in rows} == {None}
    assert len(rows) == 3


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
def test_either_newline_is_read(home, newline):
    data = newline.join(LINES)
    _, rows = home.sync(_source(home, data))
    assert [row["_problem"] for row in rows] == [None, None]
    assert rows[1]["_position"] == f"old.txt|{30 + len(newline)}"


def test_records_without_newlines_are_cut_by_length(home):
    data = b"".join(LINES) + _line("0003", "陈样本")[:10]
    _, rows = home.sync(_source(home, data, layout={"newline": ""}))
    assert [row["_position"] for row in rows] == ["old.txt|0", "old.txt|30", "old.txt|60"]
    assert rows[2]["_problem"] == "truncated line: 10 of 30 bytes"


def test_ebcdic_is_read(home):
    data = b"".join(f"{i:04}1{'SAMPLE':10}000000{'ROAD 1':9}".encode("cp037") for i in range(3))
    config = _source(home, data, layout={"newline": "", "encoding": "cp037"})
    assert [row["address"] for row in home.sync(config)[1]] == ["ROAD 1"] * 3


def test_end_mark_of_old_systems_is_no_record(home):
    manifest, rows = home.sync(_source(home, b"\r\n".join([*LINES, b"\x1a"])))
    assert len(rows) == 2
    assert [(one.what, one.count) for one in manifest.skipped] == [("empty row", 1)]


def test_layout_tells_the_rules_about_codes_and_dates(home):
    config = _source(home, LINES[0], values={"customer_type": {"1": "organization"}})
    assert config.values["customer_type"] == {"1": "organization", "2": "organization"}
    assert config.values["birth_date"] == {"000000": ""}
    assert config.formats["birth_date"] == ("YYMMDD",)


def test_repeated_keys_are_kept_and_marked_in_any_order(home):
    lines = [_line("0001", "王小明"), _line("0001", "王小民"), _line("0001", "王小明"), *LINES[1:]]
    config = _source(home, b"\r\n".join(lines))
    manifest, rows = home.sync(config)
    assert manifest.rows == 4 and manifest.problems == 2
    assert len({row["_source_key"] for row in rows}) == 4
    kept = {(row["_source_key"], row["name"], row["_problem"]) for row in rows}
    (home.data / "old.txt").write_bytes(b"\r\n".join(lines[::-1]))
    again = home.sync(config)
    assert {(row["_source_key"], row["name"], row["_problem"]) for row in again[1]} == kept
    assert again[0].content_hash == manifest.content_hash


def test_empty_key_is_kept_and_marked(home):
    _, rows = home.sync(
        _source(home, b"\r\n".join([*LINES, _line("", "陈样本"), _line("", "陈样本")]))
    )
    assert [row["_problem"] for row in rows] == [None, None, "the key is empty", "the key is empty"]
    assert len({row["_source_key"] for row in rows}) == 4


def test_empty_file_after_records_is_an_error(home):
    config = _source(home, b"\r\n".join(LINES))
    manifest, _ = home.sync(config)
    (home.data / "old.txt").write_bytes(b"")
    with pytest.raises(SourceEmpty, match="0 rows, 2 at the last sync"):
        home.sync(config, manifest)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"fields": [*FIELDS, FIELDS[0]]}, "two fields have one name"),
        ({"record_length": 20}, "a field ends at byte 30"),
        ({"key": "number"}, "the key 'number' is no field"),
        ({"encoding": "ebcdic-zz"}, "there is no encoding"),
        ({"widths": [1]}, "widths"),
    ],
)
def test_wrong_layout_is_named(home, layout, message):
    with pytest.raises(SourceLayout, match=rf"layout\.yaml.*{message}"):
        home.sync(_source(home, LINES[0], layout=layout))


def test_missing_layout_is_named(home):
    config = _source(home, LINES[0])
    (home.folder / "layout.yaml").unlink()
    with pytest.raises(SourceMissing, match="the layout file is not there"):
        home.sync(config)


def test_missing_file_is_named(home):
    config = _source(home, LINES[0])
    (home.data / "old.txt").unlink()
    with pytest.raises(SourceMissing, match=r"customers: the file is not there"):
        home.sync(config)


MARKS = {
    "header": {"starts": "HDR"},
    "trailer": {"starts": "TRL", "count": {"start": 3, "width": 5}},
}


def _marked(count, lines=LINES, trailers=1):
    trailer = [f"TRL{count:>5}".encode().ljust(LENGTH)] * trailers
    return b"\r\n".join([b"HDR20240101".ljust(LENGTH), *lines, *trailer]) + b"\r\n"


def test_header_and_trailer_are_no_records_and_their_count_is_right(home):
    manifest, rows = home.sync(_source(home, _marked("2"), layout=MARKS))
    assert [row["custno"] for row in rows] == ["0001", "0002"]
    assert {one.what for one in manifest.skipped} == {"header", "trailer"}
    counted = {"starts": "TRL", "count": {"start": 3, "width": 5, "includes": 2}}
    home.sync(_source(home, _marked("4"), layout={**MARKS, "trailer": counted}))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_marked("3"), "3 records by its trailer.*found 2"),
        (_marked("2", LINES[:1]), "2 records by its trailer.*found 1"),
        (_marked("x"), "no number of records by its trailer"),
        (_marked("2", trailers=0), "one trailer.*found 0 of them"),
        (_marked("2", trailers=2), "one trailer.*found 2 of them"),
    ],
)
def test_other_number_of_records_than_the_trailer_says_holds_the_source(home, data, words):
    with pytest.raises(SourceHeld, match=words):
        home.sync(_source(home, data, layout=MARKS))
    assert not home.lake_files()
    manifest, _ = home.sync(_source(home, data, layout=MARKS, check_counts=False))
    assert any("trailer" in note for note in manifest.notes)
