"""Encodings are told apart on short and long files, and never guessed on a sample."""

import codecs

import pytest

from connectors import encoding
from onefold.errors import SourceEncoding

SIMPLIFIED = "客户名称,联系人,地址\n示例贸易有限公司,王小明,北京市朝阳区示例路1号\n"
TRADITIONAL = "客戶名稱,聯絡人,地址\n示範貿易有限公司,陳大文,臺北市信義區示範路1號\n"


def _detect(tmp_path, data, **settings):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    found = encoding.detect(path, "a.csv", **settings)
    return found.name, path.read_text(encoding=found.name)


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [
        (SIMPLIFIED, "utf-8", "utf-8"),
        (SIMPLIFIED, "utf-8-sig", "utf-8-sig"),
        (SIMPLIFIED, "gb18030", "gb18030"),
        (SIMPLIFIED, "gbk", "gb18030"),
        (TRADITIONAL, "big5", "big5"),
        (TRADITIONAL, "gb18030", "gb18030"),
        (SIMPLIFIED, "utf-16", "utf-16"),
        (SIMPLIFIED, "utf-16-le", "utf-16-le"),
        (SIMPLIFIED, "utf-16-be", "utf-16-be"),
        (SIMPLIFIED, "utf-32", "utf-32"),
        ("姓名\n王小明\n", "gb18030", "gb18030"),
        ("姓名\n陳大文\n", "big5", "big5"),
        ("姓名\n𠮷田\n王小明\n李示例\n", "gb18030", "gb18030"),
        ("name,city\nAnn,Springfield\n", "ascii", "utf-8"),
    ],
)
def test_encoding_is_found(tmp_path, text, written, expected):
    assert _detect(tmp_path, text.encode(written)) == (expected, text)


def test_western_text_is_not_taken_for_chinese(tmp_path):
    text = "Name;Straße;Ort\n" + "Jörg Müller;Königstraße 1;Düsseldorf\n" * 5
    assert _detect(tmp_path, text.encode("cp1252"), country="DE") == ("cp1252", text)
    assert _detect(tmp_path, text.encode("cp1252")) == ("cp1252", text)


def test_korean_and_japanese_are_left_to_chardet_where_the_country_says_so(tmp_path):
    korean = "이름,주소\n" + "홍길동,서울특별시 종로구 세종대로\n" * 5
    assert _detect(tmp_path, korean.encode("euc-kr"), country="KR")[1] == korean
    japanese = "氏名,住所\n" + "見本太郎さん,とうきょうと千代田区のまち\n" * 5
    assert _detect(tmp_path, japanese.encode("shift_jis"), country="JP")[1] == japanese


def test_whole_file_is_decoded_not_a_sample(tmp_path):
    data = "客户,电话\n".encode() * 200_000 + "王小明\n".encode("gb18030")
    with pytest.raises(SourceEncoding, match="encoding:"):
        _detect(tmp_path, data + b"\xff\xff\n")


def test_character_across_two_blocks_is_whole(tmp_path):
    text = "x" + "客" * 700_000
    assert _detect(tmp_path, text.encode()) == ("utf-8", text)
    assert _detect(tmp_path, text.encode("gb18030")) == ("gb18030", text)


def test_declared_encoding_that_does_not_fit_names_the_byte(tmp_path):
    with pytest.raises(SourceEncoding, match=r"no text in utf-8 .found a wrong byte at offset 5"):
        _detect(tmp_path, b"Name\n\xff\n", declared="utf-8")


def test_declared_gbk_reads_characters_of_gb18030(tmp_path):
    text = "姓名\n㐂田\n"
    assert _detect(tmp_path, text.encode("gb18030"), declared="gbk") == ("gb18030", text)


def test_declared_utf_8_takes_the_mark_off(tmp_path):
    assert _detect(tmp_path, codecs.BOM_UTF8 + b"Name\n", declared="UTF-8")[1] == "Name\n"


@pytest.mark.parametrize("name", ["utf-9", "base64", "idna"])
def test_encoding_that_is_none_is_named(tmp_path, name):
    with pytest.raises(SourceEncoding):
        _detect(tmp_path, "é\n".encode(), declared=name)


def test_mainframe_file_without_its_copybook_is_told_what_to_give(tmp_path):
    rows = b"".join(
        f"{n:06}ANNA MEYER          0301234".encode("cp037") + b"\x00\x12\x3c" for n in range(50)
    )
    with pytest.raises(SourceEncoding, match=r"EBCDIC.*copybook.*--layout FILE"):
        _detect(tmp_path, rows)


def test_empty_file_is_not_taken_for_wide_characters(tmp_path):
    assert _detect(tmp_path, b"")[0] == "utf-8"
