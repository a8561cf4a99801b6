"""XML documents become records; entities do nothing."""

import resource
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connectors import columnar, locating, sampling
from connectors.config import SourceConfig
from connectors.files import SourceFile
from connectors.flattening import ListRule
from connectors.nested import xml_files
from onefold.errors import SourceEncoding, SourceHeld, SourceLayout

DOCUMENT = """<?xml version="1.0" encoding="{encoding}"?>
<!-- an export -->
<e:export xmlns:e="urn:example" at="2024-01-01"><head><count>2</count></head>
 <e:customers>
  <e:customer id="1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
   <name>Ann &amp; <![CDATA[Co <KG>]]></name>
   <address kind="bill"><city>Ulm</city></address>
   <address kind="ship"><city>Bonn</city></address>
   <phone type="home">020 7946 0018</phone><phone>020 7946 0019</phone>
   <note xsi:nil="true">x</note><empty/>
  </e:customer>
  <e:customer id="2"><name>{name}</name>
  </e:customer>
 </e:customers>
</e:export>
"""


def _document(encoding="UTF-8", name="王小明"):
    return DOCUMENT.format(encoding=encoding, name=name)


@pytest.fixture
def source(home):
    def declare(data, **settings):
        raw = data if isinstance(data, bytes) else data.encode()
        (home.data / "a.xml").write_bytes(raw)
        settings = {"headings": "auto", "key": "@id", "path": "data/a.xml", **settings}
        return home.config(connector="xml", **settings)

    return declare


@pytest.mark.parametrize(
    "record", [None, "customer", "customers/customer", "/export/customers/customer"]
)
def test_attributes_children_and_repeated_children_become_columns(home, source, record):
    settings = {"record": record} if record else {}
    _, (first, second) = home.sync(source(_document(), **settings))
    assert (first["@id"], first["name"]) == ("1", "Ann & Co <KG>")
    assert (first["address.city"], first["address@kind"]) == ("Ulm; Bonn", "bill; ship")
    assert (first["phone"], first["phone@type"]) == ("020 7946 0018; 020 7946 0019", "home")
    assert (first["note"], first["empty"]) == (None, None)
    assert (second["@id"], second["name"], second["phone"]) == ("2", "王小明", None)
    assert [first["_position"], second["_position"]] == ["a.xml|1", "a.xml|2"]


def test_one_of_repeated_children_can_be_preferred(home, source):
    lists = {"address": {"prefer": {"@kind": "ship"}}}
    _, rows = home.sync(source(_document(), lists=lists))
    assert rows[0]["address.city"] == "Bonn"


@pytest.mark.parametrize("declared", ["GB18030", "gb2312", "GBK", "UTF-8", "Big5"])
def test_declared_encoding_is_followed_and_gbk_read_as_its_successor(home, source, declared):
    name = {"Big5": "王小華", "UTF-8": "𠮷王"}.get(declared, "王小镕")
    real = "gb18030" if declared[:2].casefold() == "gb" else declared
    _, rows = home.sync(source(_document(declared, name).encode(real)))
    assert rows[1]["name"] == name


def test_encoding_of_the_yaml_wins_over_one_that_is_wrong(home, source):
    data = _document("UTF-8").encode("gb18030")
    with pytest.raises(SourceEncoding, match="no text in the encoding"):
        home.sync(source(data))
    assert home.sync(source(data, encoding="gbk"))[1][1]["name"] == "王小明"
    with pytest.raises(SourceEncoding, match="no encoding 'klingon'"):
        home.sync(source(data, encoding="klingon"))


def test_record_is_the_outermost_element_that_repeats(home, source):
    one = "<crm><client id='1'><name>Ann</name><tel>1</tel><tel>2</tel></client></crm>"
    assert [row["name"] for row in home.sync(source(one, record="client"))[1]] == ["Ann"]
    flat = "<list>" + "<c id='1' name='Ann'/><c id='2' name='Bob'/>" + "<total>2</total></list>"
    assert [row["@name"] for row in home.sync(source(flat, columns={"name": "@name"}))[1]] == [
        "Ann",
        "Bob",
    ]
    with pytest.raises(SourceLayout, match="no element 'x/c'"):
        home.sync(source(flat, record="x/c"))


def test_column_that_only_the_last_record_has_is_there(home, source):
    body = "".join(f"<c id='{i}'><name>Ann</name></c>" for i in range(10_020))
    _, rows = home.sync(source(f"<l>{body}<c id='x'><late>yes</late></c></l>"))
    assert len(rows) == 10_021
    assert (rows[-2]["late"], rows[-1]["late"]) == (None, "yes")


@pytest.mark.parametrize("count", ["head/count", "customers@n", "/export/head/count"])
def test_number_of_records_that_the_file_says_is_compared(home, source, count):
    right = _document().replace("<e:customers>", "<e:customers n='2'>")
    assert len(home.sync(source(right, count=count))[1]) == 2
    wrong = right.replace("<count>2", "<count>3").replace("n='2'", "n='x'")
    with pytest.raises(SourceHeld, match=r"it should have (3|a number of) records by"):
        home.sync(source(wrong, count=count, key="name"))
    _, rows = home.sync(source(wrong, count=count, check_counts=False))
    assert len(rows) == 2


# -- faults


def test_large_file_does_not_stay_in_memory(home, source):
    body = "".join(f"<c id='{i}'><name>{'x' * 9000}</name></c>" for i in range(5_000))
    config = source(f"<l>{body}</l>")
    del body
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    home.sync_path(config)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 120_000  # KB; the file has 45 MB


BOMB = """<!DOCTYPE l [<!ENTITY a "{a}">{more}]><l><c id="1"><name>&{last};</name></c>
<c id="2"><name>Bob</name></c></l>"""


@pytest.mark.parametrize(
    "data",
    [
        BOMB.format(
            a="ha" * 100,
            more="".join(
                f'<!ENTITY b{i} "{f"&b{i - 1};" * 50 if i else "&a;" * 50}">' for i in range(9)
            ),
            last="b8",
        ),
        BOMB.format(a="x", more='<!ENTITY f SYSTEM "file:///etc/passwd">', last="f"),
        BOMB.format(a="x", more='<!ENTITY f SYSTEM "http://127.0.0.1:9/x">', last="f"),
        BOMB.format(a="Company", more="", last="a"),
    ],
)
def test_entities_are_neither_expanded_nor_fetched_nor_lost(home, source, data):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    with pytest.raises(SourceLayout, match="entities of its own"):
        home.sync(source(data))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 2
    assert not home.lake_files()


def test_document_that_is_cut_off_or_no_xml_is_refused(home, source):
    data = _document()
    for broken in (data[:-20], data[: len(data) // 2], "hello", "", data.replace("</name>", "", 1)):
        with pytest.raises(SourceLayout, match=r"a\.xml"):
            home.sync(source(broken))
    assert not home.lake_files()


def test_file_is_recognized_and_its_record_written_down(tmp_path):
    for name in ("a.xml", "b.txt"):
        (tmp_path / name).write_bytes(_document("gbk", "王小镕").encode("gb18030"))
        (place,) = locating.locate(str(tmp_path / name), tmp_path)
        assert place.settings["record"] == "export/customers/customer"
        assert "address.city" in sampling.unmapped(place.config)[0].columns
        assert columnar.read(tmp_path / name, "a").table["name"].to_pylist()[1] == "王小镕"


TAGS, TEXTS = st.sampled_from("abc"), st.sampled_from(["", " ", "x", "y z", "1"])
ELEMENTS = st.recursive(
    st.tuples(TAGS, st.dictionaries(TAGS, TEXTS, max_size=2), TEXTS, st.just([]), TEXTS),
    lambda inner: st.tuples(
        TAGS, st.dictionaries(TAGS, TEXTS, max_size=2), TEXTS, st.lists(inner, max_size=3), TEXTS
    ),
    max_leaves=6,
)


def _element(made):
    tag, attributes, text, children, tail = made
    element = etree.Element(tag, attributes)
    element.text, element.tail = text, tail
    element.extend([_element(child) for child in children])
    return element


@settings(max_examples=60, deadline=None)
@given(ELEMENTS)
def test_short_way_of_flattening_is_the_same_as_the_general_one(made):
    element, names, file = _element(made), xml_files._Names(), SourceFile(Path("a.xml"), "a.xml")
    plain = SourceConfig(name="a", connector="xml", path=("a.xml",), headings="auto")
    general = plain.model_copy(update={"lists": {"no such list": ListRule(take="all")}})
    short = xml_files._flat(plain, file, element, names)
    long = xml_files._flat(general, file, element, names)
    assert _parts(short) == _parts(long)


def _parts(flat):
    return {name: sorted(text.split("; ")) for name, text in flat.items() if text}


def test_names_of_columns_end_with_the_attribute():
    assert xml_files._column("address.phone.@type") == "address.phone@type"
