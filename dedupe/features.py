"""Staged customers to what comparing and blocking need: one row per record.

What belongs here: folding, splitting and reading that would otherwise be done
once per pair. Everything is worked out on distinct values. Keys made for
blocking stand in blocking.py, levels in comparing/.

Features hold key forms only; they are never shown and never stored in the
warehouse. ``name_ref`` is a number that records have in common whose names
are equal in every part. But for ``name_cut``, which looks at all names of a source
(:func:`completed`), a row follows from its record alone.
"""

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedupe import text_numbers
from dedupe.comparing import address, characters, organization_form, person_forms, texts
from dedupe.comparing.columns import as_array
from rules import text
from rules.customer import ORGANIZATION, PERSON
from rules.slices import SLICE, Spill

_COPIED = (
    "record_id",
    "customer_type",
    "source",
    "name",
    "name_key",
    "name_readings",
    "other_names",
    "org_region",
    "org_brand",
    "org_industry",
    "org_legal_form",
    "id_keys",
    "birth_date",
    "sex",
    "emails",
    "phones",
    "phone_kinds",
    "phone_keys",
    "postal_code",
    "country",
)
_WORDS = {
    "family_name": "family",
    "given_name": "given",
    "middle_name": "middle",
    "name_suffix": "suffix",
}
_FOLDED = {
    "org_brand": "brand_key",
    "org_branch": "branch",
    "street": "road",
    "house_number": "house_number",
    "address_line": "address_line",
    "city": "city",
    "district": "district",
    "region": "region",
}
_NAME_PARTS = (
    "customer_type",
    "name",
    "name_key",
    "family",
    "given",
    "middle",
    "suffix",
    "org_region",
    "org_brand",
    "org_industry",
    "org_legal_form",
)
_NAMED = (*_NAME_PARTS, "name_cut", "name_readings", "other_names")
"""Columns that a name_ref is made of."""


def build(staged: pa.Table | Spill, text_fields: Sequence[str] = ()) -> pa.Table:
    """Work out the features of every record.

    Args:
        staged: ``rules.customer.STAGED_SCHEMA``, in any order; columns are read one by one.
        text_fields: attributes to compare as plain text.

    Returns:
        one row per record, sorted by record_id; texts folded, missing ones null;
        a column ``text:<attribute>`` per text field.
    """
    rows = _Rows(staged)
    columns: dict[str, pa.Array] = {name: rows.column(name) for name in _COPIED}
    for name, to in _WORDS.items():
        columns[to] = _words(rows.encoded(name))
    for name, to in _FOLDED.items():
        columns[to] = folded(rows.encoded(name))
    columns["unit"] = distinct_map(rows.encoded("unit"), unit_key)
    named = pc.not_equal(columns["customer_type"], PERSON)
    organization_name = pc.if_else(named, columns["name"], pa.scalar(None, pa.string()))
    columns["brand_readings"] = distinct_map(
        columns["org_brand"], _brand_readings, pa.list_(pa.string())
    )
    for name, source, function in (
        ("brand_starts", columns["org_brand"], _brand_starts),
        ("brand_words", columns["org_brand"], _brand_words),
        ("initials", organization_name, _initials),
    ):
        columns[name] = distinct_map(source, function, pa.list_(pa.string()))
    columns["acronym"] = distinct_map(organization_name, _acronym)
    columns["road_key"] = pc.coalesce(
        _roads_of_keys(rows.encoded("address_key")),
        distinct_map(columns["road"], address.plain_road),
    )
    columns["contacts"] = _lists(
        distinct_map(rows.encoded("contact_name"), person_forms.split_words),
        distinct_map(rows.encoded("legal_representative"), person_forms.split_words),
    )
    columns["employer"] = rows.column("employer_name")
    if text_fields:
        columns |= texts.keys(rows.column("attributes"), text_fields)
    return completed(pa.table(columns))


def completed(features: pa.Table) -> pa.Table:
    """The features with what follows from all rows together: name_cut, and with it name_ref."""
    columns = {name: as_array(features.column(name)) for name in features.column_names}
    columns["name_cut"] = pa.array(cut_names(*(columns[name] for name in CUT_FROM_COLUMNS)))
    columns["name_ref"] = _refs(columns)
    return pa.table(columns)


CUT_FROM_COLUMNS = ("name", "source", "customer_type")
"""Columns that name_cut follows from, of all rows together."""


def cut_otherwise(features: pa.Table) -> npt.NDArray[np.int64]:
    """Rows whose name_cut is another than all rows together say.

    Args:
        features: CUT_FROM_COLUMNS and name_cut of all rows.
    """
    cut = cut_names(*(as_array(features[name]) for name in CUT_FROM_COLUMNS))
    return np.flatnonzero(np.asarray(features["name_cut"]) != cut)


def turned(features: pa.Table) -> pa.Table:
    """Rows with the other name_cut, and what follows from it."""
    columns = {name: as_array(features.column(name)) for name in features.column_names}
    columns["name_cut"] = pc.invert(columns["name_cut"])
    columns["name_ref"] = _refs(columns)
    return pa.table(columns)


def recut(before: pa.Table, now: pa.Table) -> pa.Array:
    """Records whose name counts as cut now and did not, or the other way round.

    Args:
        before, now: record_id, name_cut.
    """
    at = pc.index_in(now["record_id"], value_set=as_array(before["record_id"]))
    was = as_array(before["name_cut"]).take(at.combine_chunks())
    differs = pc.fill_null(pc.not_equal(now["name_cut"], was), False)
    return now["record_id"].filter(differs).combine_chunks()


def distinct_map(
    values: pa.Array, function: Callable[[str], object], kind: pa.DataType | None = None
) -> pa.Array:
    """A function on text, called once per distinct value; null and empty results are null."""
    encoded = values.dictionary_encode()
    results = [function(value) or None for value in encoded.dictionary.to_pylist()]
    return pa.array(results, kind or pa.string()).take(encoded.indices)


def folded(values: pa.Array) -> pa.Array:
    """The text.fold of each value: plain Latin ones by one pass of compiled code.

    >>> folded(pa.array(["High Street", "鍾路", "--", None])).to_pylist()
    ['highstreet', '钟路', None, None]
    """
    return _by_columns(
        values,
        pc.string_is_ascii,
        _folded_plain,
        text.fold,
    )


def _folded_plain(values: pa.Array) -> pa.Array:
    """ASCII texts in small letters, without all that is no letter or digit.

    Args:
        values: text without nulls; of others than ASCII texts something is left.
    """
    offsets = np.frombuffer(values.buffers()[1], np.int32, len(values) + 1, 4 * values.offset)
    written = np.frombuffer(values.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    folded = _PLAIN[written]
    kept = folded != 0
    ends = np.zeros(len(kept) + 1, dtype=np.int32)
    np.cumsum(kept, out=ends[1:])
    return pa.StringArray.from_buffers(
        len(values), pa.py_buffer(ends[offsets - offsets[0]]), pa.py_buffer(folded[kept])
    )


_PLAIN = np.array([ord(chr(b).lower()) if b < 128 and chr(b).isalnum() else 0 for b in range(256)])
_PLAIN = _PLAIN.astype(np.uint8)
"""Byte of an ASCII text to that of its folded form; 0 is left out."""


def _words(values: pa.Array) -> pa.Array:
    """The person_forms.split_words of each value.

    >>> _words(pa.array(["Ann", "Wei-Ming", "張", None])).to_pylist()
    ['ann', 'wei ming', '张', None]
    """
    return _by_columns(
        values,
        lambda shown: pc.match_substring_regex(shown, "^[A-Za-z]*$"),
        pc.ascii_lower,
        person_forms.split_words,
    )


def _roads_of_keys(keys: pa.Array) -> pa.Array:
    """The :func:`_road_of_key` of each key.

    >>> _roads_of_keys(pa.array(["chaohui 12", "鍾 路 ３", "12", None])).to_pylist()
    ['chaohui', '鍾路', '12', None]
    """
    return _by_columns(
        keys,
        pc.string_is_ascii,
        lambda plain: pc.replace_substring(
            pc.replace_substring_regex(plain, "(?s) [0-9][^ ]*$", ""), " ", ""
        ),
        _road_of_key,
    )


def _by_columns(
    values: pa.Array,
    is_plain: Callable[[pa.Array], pa.Array],
    of_plain: Callable[[pa.Array], pa.Array],
    of_other: Callable[[str], str],
) -> pa.Array:
    """A function of text: of plain values by one pass of compiled code, of others one by one.

    Args:
        is_plain: which distinct values are.
        of_plain, of_other: the same function, of plain ones together and of any single one.

    Returns:
        one text per value; null and empty results are null.
    """
    encoded = values.dictionary_encode()
    shown = encoded.dictionary
    plain = is_plain(shown)
    found = pc.if_else(plain, of_plain(shown), pa.scalar(None, pa.string()))
    others = [of_other(value) for value in shown.filter(pc.invert(plain)).to_pylist()]
    found = pc.replace_with_mask(found, pc.invert(plain), pa.array(others, pa.string()))
    found = pc.if_else(pc.equal(found, ""), pa.scalar(None, pa.string()), found)
    return found.take(encoded.indices)


def unit_key(shown: str) -> str:
    """Numbers and letters of building, unit and room, joined by hyphens.

    >>> unit_key("Apt 21"), unit_key("4-2-302")
    ('21', '4-2-302')
    """
    parts = "".join(c if c.isalnum() else " " for c in text.fold_words(shown)).split()
    numbered = [part for part in parts if any(c.isdigit() for c in part)]
    return "-".join(numbered or parts)


def _road_of_key(key: str) -> str:
    """The road of an address key, which ends with the number.

    >>> _road_of_key("chaohui 12"), _road_of_key("chaohui")
    ('chaohui', 'chaohui')
    """
    words = key.split(" ")
    return "".join(words[:-1] if len(words) > 1 and words[-1][:1].isdigit() else words)


def _brand_readings(brand: str) -> list[str]:
    if text.has_han(brand):
        return text.readings(brand)
    return ["".join(organization_form.words(brand))]


def _brand_starts(brand: str) -> list[str]:
    """Readings of a Chinese brand and of its first two and three characters; of a Latin one
    every two words together, and those that may be such a reading.

    >>> _brand_starts("海王星"), _brand_starts("Hangzhou Xingchen Trade")
    (['haiwang', 'haiwangxing'], ['hangzhouxingchen', 'xingchentrade', 'hangzhou', 'xingchen'])
    """
    if text.has_han(brand):
        folded = text.fold(brand)
        starts = [folded[:size] for size in (2, 3, len(folded)) if len(folded) >= size]
        return list(dict.fromkeys(r for start in starts for r in text.readings(start)))
    words = organization_form.words(brand)
    pairs = ["".join(words[i : i + 2]) for i in range(min(2, len(words) - 1))]
    return pairs + [w for w in words[:3] if len(w) > 3 and characters.is_pinyin(w)]


def _brand_words(brand: str) -> list[str]:
    """The first two longer words of a Latin brand: each may be a pinyin brand or a surname."""
    if text.has_han(brand):
        return []
    return [word for word in organization_form.words(brand)[:3] if len(word) > 3]


def _acronym(name: str) -> str:
    """A name of one short Latin word, which may be the initials of another."""
    words = [] if text.has_han(name) else organization_form.words(name)
    return words[0] if len(words) == 1 and 2 <= len(words[0]) <= 5 else ""


def _initials(name: str) -> list[str]:
    """What others may call a Latin name by its initials.

    >>> _initials("Perry & Savage Electronics Ltd"), _initials("PSE")
    (['ps', 'pse', 'psel'], [])
    """
    if text.has_han(name):
        return []
    ways = (way[:5] for way in organization_form.initials(name))
    return list(dict.fromkeys(way[:n] for way in ways for n in range(2, len(way) + 1)))


class _Rows:
    """A staged table's columns in the order of the record ids, each copied when it is asked for."""

    def __init__(self, staged: pa.Table | Spill) -> None:
        self._staged = staged
        self._order = pc.sort_indices(staged.column("record_id"))

    def column(self, name: str) -> pa.Array:
        return as_array(self._staged.column(name).take(self._order))

    def encoded(self, name: str) -> pa.Array:
        """A column as a dictionary and numbers: encoded as the rows lie, and only then ordered,
        because text that is read here and there takes three times as long as numbers."""
        encoded = as_array(self._staged.column(name)).dictionary_encode()
        indices = encoded.indices.take(self._order)
        return pa.DictionaryArray.from_arrays(indices, encoded.dictionary)


def _lists(*columns: pa.Array) -> pa.Array:
    """Several text columns as one list column without nulls and repetitions."""
    filled = np.flatnonzero(np.any([c.is_valid() for c in columns], axis=0))
    some: Iterable[tuple[str | None, ...]] = zip(
        *(c.take(pa.array(filled)).to_pylist() for c in columns), strict=True
    )
    lists = [list(dict.fromkeys(v for v in row if v)) or None for row in some]
    at = np.zeros(len(columns[0]), dtype=np.int64)
    at[filled] = np.arange(len(filled)) + 1
    return pa.array([None, *lists], pa.list_(pa.string())).take(pa.array(at))


def _refs(columns: dict[str, pa.Array]) -> pa.Array:
    """A number per distinct name, int64: of all its parts and other names together."""
    named = {name: columns[name] for name in _NAMED}
    rows = len(columns["name"])
    found = [
        _refs_of({name: column.slice(start, SLICE) for name, column in named.items()})
        for start in range(0, max(rows, 1), SLICE)
    ]
    return pa.array(np.concatenate(found))


def _refs_of(columns: dict[str, pa.Array]) -> npt.NDArray[np.int64]:
    """The numbers of some names."""
    texts = [pc.fill_null(columns[name], "") for name in _NAME_PARTS]
    texts.append(pc.cast(columns["name_cut"], pa.string()))
    for name in ("name_readings", "other_names"):
        texts.append(pc.fill_null(pc.binary_join(columns[name], "|"), ""))
    return text_numbers.of(pc.binary_join_element_wise(*texts, "\x1f"))


def _bytes(name: str) -> int:
    """Bytes of a name in GB18030; brackets in a Chinese name took two before cleaning.

    >>> _bytes("星辰(杭州)"), _bytes("Star (UK)")
    (12, 9)
    """
    if text.has_han(name):
        name = name.replace("(", "（").replace(")", "）")
    return len(name.encode("gb18030", "replace"))


def cut_names(names: pa.Array, sources: pa.Array, types: pa.Array) -> np.ndarray:
    """Which organization names were cut by a field of their source that was too short.

    A name that ends within a legal form was cut. A source that cuts shows a
    pile-up at one length in bytes with next to nothing above it (cleaning makes
    a few names longer); the bytes are those of GB18030, the encoding of the
    systems that still count in them.

    Args:
        names: in shown form.
        sources: names of the records' sources.
        types: customer types.

    Returns:
        one boolean per row.
    """
    result = np.zeros(len(names), dtype=bool)
    organization = np.flatnonzero(pc.equal(types, ORGANIZATION))
    known = [name or "" for name in names.take(pa.array(organization)).to_pylist()]
    source = np.asarray(sources.dictionary_encode().indices)[organization]
    length = np.array([_bytes(name) for name in known], dtype=np.int64)
    cut = np.array([_CUT_FORM.search(name) is not None for name in known], dtype=bool)
    for one in np.unique(source):
        rows = source == one
        counts = np.bincount(length[rows], minlength=CUT_FROM + 1)
        at = counts + np.append(0, counts[:-1])
        limit = CUT_FROM + int(at[CUT_FROM:].argmax())
        above, below = counts[limit + 1 :].sum(), counts[limit - 5 : limit - 1].sum()
        if at[limit] >= max(5, 10 * above, below):
            cut |= rows & (length >= limit - 1)
    result[organization] = cut
    return result


CUT_FROM = 16
"""Bytes below which no field for a name is believed to cut."""
_CUT_FORM = re.compile("(?:有限?|有限责任?|有限责任公|有限公|股份?|股份有限?|股份有限公)$")
