"""JSON lines and JSON documents become records, none is lost."""

import json

import pytest

from connectors import columnar, locating, sampling
from connectors.nested import json_files
from onefold.errors import SourceEmpty, SourceEncoding, SourceHeld, SourceLayout

ANN = {
    "id": 1,
    "name": "Ann Sample",
    "address": {"city": "Ulm", "zip": "089073"},
    "phones": [{"no": "020 7946 0018"}, {"no": "020 7946 0019"}],
    "tags": ["a", "b"],
    "vip": True,
}
WANG = {"id": 20190000000000000001, "name": "王小明", "score": 1.10, "note": None}


@pytest.fixture
def source(home):
    def declare(data, name="a.json", **settings):
        raw = data if isinstance(data, bytes) else data.encode()
        (home.data / name).write_bytes(raw)
        settings = {"headings": "auto", "key": "id", "path": f"data/{name}", **settings}
        return home.config(connector="json", **settings)

    return declare


def _lines(*records):
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records)


SHAPES = {
    "lines": _lines(ANN, WANG) + "\n",
    "list": json.dumps([ANN, WANG], ensure_ascii=False, indent=1),
    "in an object": json.dumps({"at": "2024", "data": {"n": 2, "items": [ANN, WANG]}}),
    "on one line": _lines({"value": [ANN, WANG]}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_records_are_found_in_lines_lists_and_objects(home, source, shape):
    _, (first, second) = home.sync(source(SHAPES[shape]))
    assert (first["address.city"], first["address.zip"]) == ("Ulm", "089073")
    assert (first["phones.no"], first["tags"]) == ("020 7946 0018; 020 7946 0019", "a; b")
    assert (second["id"], second["name"], second["score"]) == (
        "20190000000000000001",
        "王小明",
        "1.1",
    )
    assert (first["note"], second["vip"]) == (None, None)
    assert [first["_position"], second["_position"]] == ["a.json|1", "a.json|2"]


def test_one_object_is_one_record_and_record_says_where_a_list_is(home, source):
    assert home.sync(source(json.dumps(WANG, indent=1)))[1][0]["name"] == "王小明"
    both = json.dumps({"orders": [{"id": 9}], "crm": {"customers": [ANN]}})
    _, rows = home.sync(source(both, record="crm.customers"))
    assert [row["name"] for row in rows] == ["Ann Sample"]
    with pytest.raises(SourceLayout, match=r"no 'clients' of record 'crm\.clients'"):
        home.sync(source(both, record="crm.clients"))


def test_one_item_of_a_list_can_be_preferred(home, source):
    record = {"id": 1, "name": "Ann", "tel": [{"no": "1", "use": "x"}, {"no": "2", "use": "main"}]}
    config = source(_lines(record, record | {"id": 2}), lists={"tel": {"prefer": {"use": "main"}}})
    assert [row["tel.no"] for row in home.sync(config)[1]] == ["2", "2"]


@pytest.mark.parametrize("block", [1, 7, 64])
def test_place_where_a_block_ends_changes_nothing(home, source, monkeypatch, block):
    monkeypatch.setattr(json_files, "_BLOCK", block)
    numbers = [{"id": i, "name": "Ann", "n": 10**i} for i in range(30)]
    for data in (json.dumps({"a": [], "b": {"c": numbers}, "d": "x"}), json.dumps(numbers)):
        _, rows = home.sync(source(data))
        assert [row["n"] for row in rows] == [str(10**i) for i in range(30)]


def test_column_that_only_the_last_record_has_is_there(home, source):
    records = [{"id": i, "name": "Ann"} for i in range(10_050)] + [{"id": "x", "late": "yes"}]
    _, rows = home.sync(source(_lines(*records)))
    assert [row["late"] for row in rows[-2:]] == [None, "yes"]
    assert [row["id"] for row in rows] == [str(record["id"]) for record in records]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_text_is_read_in_the_encoding_that_it_has(home, source, encoding):
    records = [{"id": i, "name": name} for i, name in enumerate(("王小明", "李四", "张三"))]
    _, rows = home.sync(source(_lines(*records).encode(encoding), country="CN"))
    assert [row["name"] for row in rows] == ["王小明", "李四", "张三"]
    with pytest.raises(SourceEncoding):
        home.sync(source(b'{"id": "\xff"}\n{"id": "\xff"}', encoding="utf-8"))


@pytest.mark.parametrize("count", ["n", "meta.total"])
def test_number_of_records_that_the_file_says_is_compared(home, source, count):
    document = {"n": 2, "items": [ANN, WANG], "x": [[1], {"y": []}], "meta": {"total": "2"}}
    assert len(home.sync(source(json.dumps(document), count=count))[1]) == 2
    for wrong in ({"n": 3, "meta": {"total": 3}}, {"n": None, "meta": {}}, {"n": [2], "meta": 2}):
        config = source(json.dumps(document | wrong), count=count)
        with pytest.raises(SourceHeld, match=rf"by '{count}'.*found 2 records"):
            home.sync(config)


# -- faults


def test_line_that_is_no_object_is_kept_and_marked(home, source):
    data = _lines(ANN, WANG) + '\n{"id": 3, "name": "cut o\n[1]\n\n' + _lines({"id": 5})
    manifest, rows = home.sync(source(data))
    assert [row["_position"] for row in rows] == [f"a.json|{i}" for i in (1, 2, 3, 4, 6)]
    assert [row[json_files.BROKEN] for row in rows][2:4] == ['{"id": 3, "name": "cut o', "[1]"]
    assert rows[2]["_problem"].startswith("this line is no JSON object")
    assert manifest.problems == 2
    with pytest.raises(SourceLayout, match="most lines are no JSON objects"):
        home.sync(source(_lines(ANN, WANG) + "\nx" * 20))


@pytest.mark.parametrize("data", [SHAPES["list"], SHAPES["in an object"]])
def test_document_that_is_cut_off_is_refused_wherever(home, source, data):
    for end in range(30, len(data) - 2, 37):
        with pytest.raises(SourceLayout):
            home.sync(source(data[:end]))
    assert not home.lake_files()
    with pytest.raises(SourceLayout, match=r"ends before it is complete"):
        home.sync(source(data[:-4] if data[-1] == "]" else data[:-7]))


def test_what_is_no_json_and_what_is_empty_are_said(home, source):
    with pytest.raises(SourceLayout, match="no JSON"):
        home.sync(source("hello " * (1 << 18)))
    with pytest.raises(SourceEmpty, match="empty"):
        home.sync(source(" \n"))
    with pytest.raises(SourceLayout):
        home.sync(source('[{"a": ' + '{"a":' * 100_000))
    with pytest.raises(SourceLayout, match="more than 2,000 columns"):
        home.sync(source(json.dumps([{f"k{i}": {"name": "x"} for i in range(2_100)}])))


def test_file_is_recognized_by_ending_and_by_first_bytes(tmp_path):
    for name in ("a.jsonl", "b.json", "c.txt"):
        (tmp_path / name).write_text(_lines(ANN, WANG), encoding="utf-8")
        (place,) = locating.locate(str(tmp_path / name), tmp_path)
        assert place.settings == {"connector": "json", "path": name}
        assert "address.city" in sampling.unmapped(place.config)[0].columns
        assert columnar.read(tmp_path / name, "a").table["name"].to_pylist()[1] == "王小明"
