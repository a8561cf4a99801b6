"""Delimited text: no record is lost, whatever is wrong with a line."""

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors import config as configs
from connectors import delimited
from onefold.errors import SourceEmpty, SourceEncoding, SourceLayout, SourceMissing


def _csv(home, text, name="a.csv", encoding="utf-8"):
    (home.data / name).write_bytes(text.encode(encoding))


def _auto(home, **more):
    return home.config(connector="delimited", path="data/*", headings="auto", **more)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_and_encoding_are_found(home, encoding, delimiter):
    lines = [["客户名称", "电话", "地址"], ["示例商店", "010-55550100", "示例路1号, 2室"]]
    rows = "\r\n".join(
        delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in line)
        for line in lines
    )
    _csv(home, rows + "\r\n", encoding=encoding)
    manifest, found = home.sync(_auto(home))
    assert manifest.columns == ("客户名称", "电话", "地址")
    assert found[0]["地址"] == "示例路1号, 2室"
    assert found[0]["_position"] == "a.csv|2"


def test_big5_is_read(home):
    _csv(home, "客戶名稱,電話\n示範商店,02-55550100\n", encoding="big5")
    _, rows = home.sync(_auto(home))
    assert rows[0]["客戶名稱"] == "示範商店"


def test_wrong_encoding_is_named_and_leaves_nothing(home):
    (home.data / "a.csv").write_bytes("Name,Phone\n王小明,1\n".encode("gb18030"))
    with pytest.raises(SourceEncoding, match=r"a\.csv.*utf-8"):
        home.sync(_auto(home, encoding="utf-8"))
    assert home.lake_files() == {}


def test_line_in_a_quoted_field_keeps_the_positions_right(home):
    _csv(home, 'Name,Notes\n"Ann ""A"" Sample","first\nsecond"\nBob Beispiel,x\n')
    _, rows = home.sync(_auto(home))
    assert [(row["Name"], row["_position"]) for row in rows] == [
        ('Ann "A" Sample', "a.csv|2"),
        ("Bob Beispiel", "a.csv|4"),
    ]
    assert rows[0]["Notes"] == "first\nsecond"


def test_ragged_lines_are_kept_and_marked(home):
    _csv(
        home,
        "Name,Phone,City\n"
        "Ann Sample,1,Springfield\n"
        "Bob Beispiel,2,Musterstadt,left,over\n"
        "Carl Exemple,3\n"
        "Dora Muestra,4,Ciudad,,\n",
    )
    manifest, rows = home.sync(_auto(home))
    assert [row["_problem"] for row in rows] == [None, "5 fields of 3", "2 fields of 3", None]
    assert rows[1]["City"] == "Musterstadt,left,over"
    assert manifest.problems == 2


def test_open_quote_does_not_swallow_the_records_after_it(home):
    lines = "".join(f"Person {i},555-01{i:02}\n" for i in range(50))
    _csv(home, f'Name,Phone\n"Ann Sample,555-0199\n{lines}')
    _, rows = home.sync(_auto(home))
    assert len(rows) == 51
    assert rows[0]["_problem"] == "a quote is opened and not closed"
    assert {row["_problem"] for row in rows[1:]} == {None}
    assert rows[50]["_position"] == "a.csv|52"


def test_open_quote_in_the_last_field_does_not_swallow_the_records_after_it(home):
    lines = "".join(f"Person {i},555-01{i:02}\n" for i in range(50))
    _csv(home, f'Name,Phone\nAnn Sample,"555-0199\n{lines}')
    _, rows = home.sync(_auto(home))
    assert len(rows) == 51
    assert rows[0]["_problem"] == "a quote is opened and not closed"


def test_quote_inside_a_field_is_text(home):
    _csv(home, 'Name,Size\nAnn Sample,5" pipe\nBob Beispiel,6\n')
    _, rows = home.sync(_auto(home))
    assert rows[0]["Size"] == '5" pipe'
    assert len(rows) == 2


def test_titles_totals_and_blank_lines_are_reported(home):
    _csv(
        home,
        "sep=;\r\nExport of all customers\r\n\r\nName;Phone\r\nAnn Sample;1\r\n;\r\nTotal: 1;\r\n",
    )
    manifest, rows = home.sync(_auto(home))
    assert [row["_position"] for row in rows] == ["a.csv|5"]
    assert {(one.what, one.count) for one in manifest.skipped} == {
        ("empty row", 1),
        ("totals row", 1),
    }


def test_cell_of_ten_megabytes_is_read(home):
    long = "长" * 10_000_000
    _csv(home, f"Name,Notes\nAnn Sample,{long}\n")
    assert home.sync(_auto(home))[1][0]["Notes"] == long


def test_many_files_give_the_union_of_their_columns(home):
    _csv(home, "Name,Phone\nAnn Sample,1\n", "a.csv")
    _csv(home, "Phone;Name;City\n2;Bob Beispiel;Musterstadt\n", "b.csv")
    manifest, rows = home.sync(_auto(home))
    assert manifest.columns == ("Name", "Phone", "City")
    assert [row["Phone"] for row in rows] == ["1", "2"]


def test_text_without_headings_gets_numbered_columns(home):
    _csv(home, "Ann Sample,1\nBob Beispiel,2\n")
    config = home.config(
        connector="delimited", path="data/a.csv", header_row=0, columns={"name": "column 1"}
    )
    assert [row["column 1"] for row in home.sync(config)[1]] == ["Ann Sample", "Bob Beispiel"]


def test_missing_column_names_the_columns_found(home):
    _csv(home, "Name,City\nAnn Sample,Springfield\n")
    config = home.config(connector="delimited", path="data/*", columns={"name": "Name"}, key="Id")
    with pytest.raises(
        SourceLayout, match=r'no column "Id" \(found "Name", "City"\).*sources/customers\.yml, key'
    ):
        home.sync(config)


def test_missing_file_names_what_is_there(home):
    _csv(home, "Name\nAnn\n", "crm_2024.csv")
    config = home.config(connector="delimited", path="data/crm.csv", headings="auto")
    with pytest.raises(SourceMissing, match=r"crm_2024\.csv in .*data, not .*crm\.csv"):
        home.sync(config)


@pytest.mark.parametrize("key", [(), "Name"])
def test_empty_file_is_named(home, key):
    _csv(home, "Name\nAnn Sample\n")
    manifest, _ = home.sync(_auto(home, key=key))
    for text in ("", "\n\n", "Name\n"):
        _csv(home, text)
        with pytest.raises(SourceEmpty, match="customers: there is nothing to read"):
            home.sync(_auto(home, key=key), manifest)


def test_headings_without_records_are_no_error_the_first_time(home):
    _csv(home, "Name,Phone\n")
    manifest, rows = home.sync(_auto(home))
    assert (manifest.rows, rows) == (0, [])


def test_columns_named_like_ours_are_kept(home):
    _csv(home, "Name,_id,_position\nAnn Sample,7,north\n")
    manifest, rows = home.sync(_auto(home, key="_id"))
    assert manifest.columns == ("Name", "_id", "_position_")
    assert rows[0] == {
        "_source_key": "7",
        "_position": "a.csv|2",
        "_row_hash": rows[0]["_row_hash"],
        "_problem": None,
        "Name": "Ann Sample",
        "_id": "7",
        "_position_": "north",
    }


_CELL = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r\x85\u2028\u2029"),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_CELL, _CELL), max_size=8))
def test_what_a_csv_writer_writes_is_read_back(tmp_path_factory, rows):
    import csv

    path = tmp_path_factory.mktemp("csv") / "a.csv"
    kept = [row for row in rows if any(map(str.strip, row))]
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("Name", "Notes"), *(("x" + a, b) for a, b in kept)])
    config = configs.SourceConfig(
        name="customers", connector="delimited", path=(str(path),), headings="auto", delimiter=","
    )
    with delimited.read(config) as reading:
        found = [tuple(row.values())[2:] for part in reading.batches() for row in part.to_pylist()]
    assert found == [("x" + a, b or None) for a, b in kept]


REGULAR = 'Name,City\nAnn,Leeds\n"Moore, Bob",\n,\nTotal: 3,\nName,City\nCy,"a ""b"""\n'
_PIECES = st.sampled_from(
    [
        "a",
        "王",
        '"',
        '""',
        ",",
        ",",
        "\n",
        "\n",
        "\r\n",
        "\r",
        " ",
        "\0",
        "\x1a",
        "Total",
        "Name,City",
    ]
)


def _read_by(monkeypatch, path, encoding, *, block, singly=False):
    """Every row, what was left out, and in how many parts Arrow gave it."""
    parts = []
    with monkeypatch.context() as patched:
        patched.setattr(delimited, "_BLOCK", block)
        if singly:
            patched.setattr(delimited, "_parsed", lambda *_: None)
        config = configs.SourceConfig(
            name="customers", connector="delimited", path=(str(path),), headings="auto",
            delimiter=",", encoding=encoding,
        )  # fmt: skip
        with delimited.read(config) as reading:
            rows = []
            for part in reading.rows:
                parts.append(isinstance(part, pa.RecordBatch))
                one = part.to_pylist() if parts[-1] else None
                rows += (
                    [tuple(row.values()) for row in one]
                    if one is not None
                    else [(part.position, part.problem, *part.values)]
                )
            return rows, reading.report.skipped, sum(parts)


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(_PIECES, max_size=30), block=st.sampled_from([1, 7, 4096]))
@example(pieces=["a", ",", "a", "\n", '"', "a", "\n", "a", ",", "a", "\n"], block=1)
@example(pieces=["a", ",", '"'], block=1)
@example(pieces=["a", ",", '"', "\n", "a", ",", "a", "\n"], block=1)
@example(pieces=['"', "a", '"', "a", ",", "a", "\n"], block=4096)
def test_lines_parsed_together_are_what_each_alone_is(tmp_path_factory, pieces, block):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(("Name,City\n" + "".join(pieces)).encode())
    with pytest.MonkeyPatch.context() as monkeypatch:
        alone = _read_by(monkeypatch, path, "utf-8", block=4096, singly=True)
        together = _read_by(monkeypatch, path, "utf-8", block=block)
    assert together[:2] == alone[:2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_regular_lines_are_parsed_together_in_any_encoding(monkeypatch, tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes(
        (REGULAR + "王小明,北京\n" * 3 + "broken\n" + "Dee,Bath\n" * 9).encode(encoding)
    )
    alone = _read_by(monkeypatch, path, encoding, block=40, singly=True)
    together = _read_by(monkeypatch, path, encoding, block=40)
    assert together[:2] == alone[:2]
    assert [row[0] for row in alone[0][:3]] == ["a.csv|2", "a.csv|3", "a.csv|7"]
    assert (together[2] > 1) == (encoding != "utf-16")
