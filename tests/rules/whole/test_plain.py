"""What is read as a whole column is what the rule of one cell reads, and nothing plain is left."""

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import address, email, person_name, phone, plain_name, romanization
from rules.latin_name import CHINESE_COUNTRIES
from rules.whole import addresses, emails, han_names, names, phones
from rules.whole.texts import Bytes, built
from rules.whole.vocabulary import Vocabulary

many = settings(max_examples=300, deadline=None)


def column(cells):
    return pa.array(cells, pa.string())


def rows_of(found):
    """Number of each row → what its columns hold."""
    values = {name: own.to_pylist() for name, own in found.columns.items()}
    return {
        row: {name: own[place] for name, own in values.items()}
        for place, row in enumerate(found.rows.tolist())
    }


word = st.one_of(
    st.sampled_from(
        re.findall(
            r"\S+",
            "Ann ann BILL Bob Elizabeth Harper Smith SMITH O'Neil Wei Lee Jo J V de Dr Jr MD Test"
            " Ben Long Howard Jan Young King Todd Chan Tai Man Zhang Li Ming Peter Patterson"
            " Unknown McLeod mcdonald Liz Müller 张伟 n/a Marie-Claire",
        )
    ),
    st.text("abehilnorstAEM", min_size=1, max_size=6),
)
cell = st.one_of(
    st.none(),
    st.just(""),
    word,
    st.tuples(word, word).map(" ".join),
    st.tuples(word, word).map("{0[0]} {0[1]}.".format),
    st.tuples(word, word, word).map("{0[0]} {0[1]}. {0[2]}".format),
    st.tuples(word, word).map("{0[0]}, {0[1]}".format),
    st.sampled_from(["Ann ", " Lee", "Ann  Lee", "test client", "no name", "."]),
)


@many
@given(st.lists(st.tuples(cell, cell, cell), max_size=8), st.sampled_from(["US", "CN", "GB", "TH"]))
def test_a_name_of_a_column_is_that_of_its_cells(cells, country):
    is_abroad = np.full(len(cells), country not in CHINESE_COUNTRIES)
    columns = (column([row[i] for row in cells]) for i in range(3))
    found = rows_of(names.read(*columns, is_abroad))
    for row, (full, family, given_name) in enumerate(cells):
        if row not in found:
            continue
        long_way = person_name.closely.__wrapped__
        name = long_way(full or "", family or "", given_name or "", country)
        assert not (name.problems or name.notes or name.other_names or name.suffix)
        assert found[row] == {
            "name": name.name,
            "name_key": name.key,
            "name_readings": name.readings,
            "family_name": name.family_name,
            "given_name": name.given_name,
            "middle_name": name.middle_name,
        }


surname = st.sampled_from(
    [*sorted(romanization.surnames())[::7], "张", "王", "欧阳", "单", "小", "老"]
)
han_word = st.one_of(
    surname,
    st.text("伟明娜张王兄总女生单行乐欧阳諾理士小", min_size=1, max_size=2),
    st.sampled_from(["先生", "客户", "测试", "经理", "王总", "小姐", "Ann", "伟 明", "·", "𠀀"]),
)
han_cell = st.one_of(
    st.none(),
    st.just(""),
    han_word,
    st.tuples(surname, han_word).map("".join),
)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.tuples(han_cell, han_cell, han_cell), max_size=8))
def test_a_chinese_name_of_a_column_is_that_of_its_cells(cells):
    found = rows_of(han_names.read(*(column([row[i] for row in cells]) for i in range(3))))
    for row, (full, family, given_name) in enumerate(cells):
        plain = plain_name.read(full or "", family or "", given_name or "")
        if row in found:
            assert plain is not None and plain.middle is None
            assert found[row] == {
                "name": plain.shown,
                "name_key": plain.key,
                "name_readings": plain.readings,
                "family_name": plain.family,
                "given_name": plain.given,
            }


def test_no_plain_chinese_name_with_one_reading_is_left():
    cells = [
        ("李伟", "", ""),
        ("欧阳伟", "", ""),
        ("", "王", "明"),
        ("", "张伟明", ""),
        ("", "", "张伟"),
    ]
    found = han_names.read(*(column([row[i] for row in cells]) for i in range(3)))
    assert found.rows.tolist() == list(range(len(cells)))


def test_usual_names_are_read_as_a_column():
    full = column([None, "Bob Harper", "Ann Marie Harper", None, "Wei Zhang", "Harper Bob"])
    family = column(["Smith", None, None, "", None, None])
    given = column(["Ann J.", None, None, "Ann", None, None])
    found = names.read(full, family, given, np.zeros(6, dtype=bool))
    assert found.rows.tolist() == [0, 1, 2, 5]


def test_a_name_whose_word_may_be_a_chinese_surname_is_western_where_that_is_likelier():
    family = column(["Patterson", "Long", "Lee", "Smith"])
    given = column(["Jan", "Howard", "Wei", "Ben E."])
    found = names.read(column([None] * 4), family, given, np.array([True, True, True, True]))
    assert found.rows.tolist()[:1] == [0] and 2 not in found.rows.tolist()
    assert not len(names.read(column([None] * 4), family, given, np.zeros(4, dtype=bool)).rows)


numeral = st.one_of(
    st.none(),
    st.from_regex(r"\A(?:\+?1[- .])?\(?[2-9]\d\d\)?[- .]{0,2}[2-9]\d\d[- .]?\d{4}\Z"),
    st.text("1 23(5)-.+0", max_size=14),
    st.from_regex(r"\A(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}\Z", fullmatch=True),
    st.from_regex(r"\A(?:\(?0|\+86[- ])(?:10|2\d|57\d|89\d|\d{3})\)?[- ]?[2-8]\d{6,7}\Z"),
    st.sampled_from(["010-88888888", "0571-7777777", "+86-21-62345678", "(021)62345678"]),
    st.sampled_from(
        ["2125550000", "222-222-2222", "3333333333", "1234567890", "13800138000", "13999999999", ""]
    ),
)


@many
@given(st.lists(numeral, max_size=8), st.sampled_from(["US", "CN"]))
def test_a_number_of_a_column_is_that_of_its_cell(cells, country):
    found = phones.read(column(cells), country)
    read = dict(
        zip(
            found.rows.tolist(),
            zip(found.e164.to_pylist(), found.kinds.to_pylist(), found.sure.tolist(), strict=True),
            strict=True,
        )
    )
    for row, written in enumerate(cells):
        if row in read:
            e164, kind, sure = read[row]
            expected = phone.Phones((phone.Phone(e164, kind, "", e164),), (e164,))
            assert phone.parse(written, country=country) == expected
            assert sure == phone.is_plainly_of(country, written)
        elif written and written.isascii():
            assert not phone.is_plainly_of(country, written)


mail = st.one_of(
    st.none(),
    st.from_regex(r"\A[a-z0-9_.+-]{1,66}@(?:[a-z0-9-]{1,8}\.){1,2}[a-z]{1,20}\Z"),
    st.sampled_from(
        re.findall(
            r"\S+",
            "ann@mail.org a.b@x-y.co.uk wei@gmial.com test@test.com xxxx@web.org none@web.org"
            " noemail@web.org ann@example.com 0000@web.org Ann@mail.org a@b.de;c@d.fr n/a",
        )
    ),
)


@many
@given(st.lists(mail, max_size=8))
def test_an_e_mail_address_of_a_column_is_that_of_its_cell(cells):
    for row in emails.usual(column(cells)).tolist():
        assert email.parse(cells[row]) == email.Emails((cells[row],))


def test_usual_e_mail_addresses_are_read_as_a_column():
    assert emails.usual(column(["ann@mail.org", None, "", "li.wei2@web.example.org"])).tolist() == [
        0,
        3,
    ]


line = st.one_of(
    st.none(),
    st.from_regex(
        r"\A[0-9]{1,4} (?:[A-Za-z]|[A-Z][a-z']{1,3}\.?|5th|St\.?|No\.?|Fl|Bldg|apt|1)"
        r"(?: (?:Main|St|N|B|Rd\.|Box|Floor|floor|Ste|O'Hara's|4th|Unit|Tower|no|East)){0,3}"
        r"(?:,? (?:Apt\.? ?#?|#|suite |Unit|no |Fl |flat )[A-Za-z]?[0-9]{0,5}[A-Za-z]?)?\Z"
    ),
    st.sampled_from(
        [
            "",
            " ",
            "n/a",
            "7 Main St ",
            "7 Main St #",
            "7",
            "7 1",
            "张江路7号",
            "7 Mäin St",
            "PO Box 4",
            "12 Main St, Springfield, IL 62704",
            "4 1st Ave",
            "4 1s Ave",
            "4 Elm St é1",
            "4 Elm #b",
        ]
    ),
)
region = st.sampled_from([None, "IL", "n.y.", "GREATER LONDON", "n/a", "", "广东省"])
city = st.sampled_from([None, "SPRINGFIELD", "mcLean", " York ", "test", ".", "杭州市"])
code = st.sampled_from(
    [
        None,
        "62704",
        "2121",
        "62704-1234",
        "SW1A 1AA",
        "00000",
        "x",
        "",
        " 62704",
        "K1A 0B1",
        "999077",
    ]
)


@many
@given(
    st.lists(st.tuples(line, region, city, city, code), max_size=8),
    st.sampled_from(["US", "GB", "DE", "AU", "IE", "CN"]),
)
def test_an_address_of_a_column_is_that_of_its_cells(cells, country):
    found = rows_of(
        addresses.read(*(column([row[i] for row in cells]) for i in range(5)), country)
        if cells
        else addresses.read(*[column([])] * 5, country)
    )
    for row, (written, region, city, district, code) in enumerate(cells):
        alone = address.parse(
            written, region=region, city=city, district=district, postal_code=code, country=country
        )
        if row in found:
            assert alone.country == country and not alone.problems
            parts = alone._asdict()
            for name, value in found[row].items():
                assert value == (parts["key" if name == "address_key" else name] or None), name


def test_usual_addresses_are_read_as_columns():
    lines = column(["1048 Bush Gdns #173", "7 Main St, Apt B2", None, "12 Main St Floor 3"])
    nothing = column([None] * 4)
    found = addresses.read(lines, nothing, nothing, nothing, nothing, "US")
    assert found.rows.tolist() == [0, 1, 2]
    assert found.columns["unit"].to_pylist() == ["173", "B2", None]


texts = st.lists(st.one_of(st.none(), st.text("ab# é", max_size=5)), max_size=6)


@many
@given(texts, st.integers(0, 3))
def test_bytes_know_the_rows_and_places_of_a_byte(cells, start):
    own = Bytes(column(cells)[start:])
    cells = [(cell or "").encode() for cell in cells[start:]]
    is_mark = own.data == ord("#")
    assert own.rows_with(is_mark).tolist() == [i for i, c in enumerate(cells) if b"#" in c]
    assert (own.last(is_mark) - own.starts)[own.last(is_mark) >= 0].tolist() == [
        cell.rindex(b"#") for cell in cells if b"#" in cell
    ]
    assert (own.first(is_mark) - own.starts).tolist() == [
        cell.index(b"#") if b"#" in cell else len(cell) for cell in cells
    ]
    assert own.count(is_mark, own.starts, own.ends).tolist() == [c.count(b"#") for c in cells]
    heads = own.pieces(own.starts, own.first(is_mark))
    assert heads.to_pylist() == [cell.split(b"#")[0].decode() for cell in cells]
    assert built(own.data, own.ends - own.starts).to_pylist() == [c.decode() for c in cells]


class Sizes(NamedTuple):
    """A table of the lengths of texts."""

    values: np.ndarray

    def joined(self, more):
        return Sizes(np.concatenate([self.values, more.values]))


@many
@given(st.lists(texts, max_size=6))
def test_a_vocabulary_says_of_each_text_what_is_known_of_it_however_few_are_kept(slices):
    looked = []

    def look(texts):
        looked.extend(texts)
        return Sizes(np.array([len(text) for text in texts]))

    large, small = Vocabulary(look), Vocabulary(look, most=4)
    for cells in slices:
        for vocabulary in (large, small):
            known, numbers = vocabulary.of(column(cells))
            assert known.values[numbers].tolist() == [len(cell or "") for cell in cells]
    looked.clear()
    for cells in slices:
        large.of(column(cells))
    assert looked == []
