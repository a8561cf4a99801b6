"""Addresses: two records to one level for city, road, number and unit together.

Apart, city and postal code cost 2-8 points of F1: they agree and disagree
together. Cutting an address into its parts stands in ``rules.address``.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from dedupe.comparing.columns import Codes, Ints, Levels, Mask, Rows, as_array, derive, encode
from dedupe.comparing.measures import Texts, distinct_codes, levels_of
from dedupe.levels import MISSING

OTHER_CITY, UNLIKE, ELSEWHERE, OTHER_ROAD, CITY, POSTAL = range(6)
OTHER_NUMBER, NEAR, OTHER_UNIT, NUMBER, SAME = range(6, 11)
_TOWN = re.compile(r"^.{1,8}?(?:街道|镇|乡|村|开发区|工业园|园区)(?=..)")
_NO_DIGITS = r"[^\p{Nd}]+"


def levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """Address levels of pairs of rows; -1 where nothing can be compared."""
    columns = {
        name: encode(as_array(features.column(name)))
        for name in (
            "city",
            "region",
            "district",
            "postal_code",
            "road",
            "road_key",
            "house_number",
            "unit",
            "address_line",
        )
    }
    city = _compare(columns["city"], left, right)
    city[_texts(columns["city"], left, right, city == 0, _towns) == 1] = -1
    district = _compare(columns["district"], left, right)
    region = _compare(columns["region"], left, right)
    postal = _compare(columns["postal_code"], left, right)
    number = _compare(columns["house_number"], left, right)
    unit = _texts(columns["unit"], left, right, np.ones(len(left), dtype=bool), _units)
    place = np.where(city >= 0, city, np.where(district >= 0, district, region))
    same_place = (place == 1) | (postal == 1) | (district == 1)
    other_place = (place == 0) & (postal != 1) & (district != 1)
    # Where nothing but postal codes is known, their beginnings name the town.
    only_postal = (place == -1) & (postal == 0)
    area = _compare(derive(columns["postal_code"], postal_area), left, right)
    same_place |= only_postal & (area == 1)
    other_place |= only_postal & (area == 0)

    near_by = ~other_place
    same_road = _compare(columns["road_key"], left, right) == 1
    worth = near_by | (number == 1)
    road = _texts(columns["road"], left, right, worth & ~same_road, _roads)
    road[worth & same_road] = 2
    line = _texts(columns["address_line"], left, right, near_by & (road < 2), _lines)

    result = np.full(len(left), MISSING, dtype=np.int8)
    result[other_place] = OTHER_CITY
    result[other_place & (number == 1) & (road > 0)] = ELSEWHERE
    result[same_place] = CITY
    result[postal == 1] = POSTAL
    result[same_place & (road == 0)] = OTHER_ROAD
    result[~same_place & ~other_place & (road == 0)] = UNLIKE
    roads = ~other_place & (road >= 1)
    result[roads & same_place] = OTHER_NUMBER
    result[roads & (number != 0) & (road == 1)] = NEAR
    result[roads & (number == -1) & same_place] = NEAR
    known = roads & (number == 1) & (road == 2)
    result[known] = NUMBER
    result[known & (unit == 0)] = OTHER_UNIT
    result[known & (unit == 1)] = SAME
    result[roads & (road == 1) & (number == 1) & (unit == 1)] = SAME
    result[~other_place & (line == 1) & (result < NEAR)] = NEAR
    result[~other_place & (line == 2) & (result < SAME)] = SAME
    return result


def _compare(column: Codes, left: Rows, right: Rows) -> Ints:
    """1 where equal, 0 where not, -1 where either is missing."""
    a, b = column.codes[left], column.codes[right]
    return np.where((a < 0) | (b < 0), -1, (a == b).astype(np.int32)).astype(np.int32)


def _texts(
    column: Codes,
    left: Rows,
    right: Rows,
    where: Mask,
    compared: Callable[[Codes], Callable[[Ints, Ints], Levels]],
) -> Levels:
    """The levels of some pairs of rows, -1 where either text is missing.

    Args:
        compared: of a column of the texts of these pairs.
    """

    def level(a: Ints, b: Ints) -> Levels:
        some, (one, other) = column.only(a, b)
        return compared(some)(one, other)

    return levels_of(column.codes[left], column.codes[right], where, level)


def _units(column: Codes) -> Callable[[Ints, Ints], Levels]:
    """1 if the same unit as far as both say, 0 if not.

    >>> column = encode(pa.array(["4-2-302", "4-302", "302", "303"]))
    >>> _units(column)(np.array([0, 2, 2]), np.array([1, 0, 3])).tolist()
    [1, 1, 0]
    """
    parts = [value.split("-") for value in column.values]
    letters = {part: chr(code) for code, part in enumerate(sorted(set(chain(*parts))), 1)}
    spelled = Texts(["".join(letters[part] for part in row) for row in parts])
    last = np.array([*(letters[row[-1]] for row in parts), ""], dtype=object)

    def level(a: Ints, b: Ints) -> Levels:
        short, long = spelled.ordered(a, b)
        return ((last[a] == last[b]) & spelled.in_order(short, long)).astype(np.int8)

    return level


@lru_cache(maxsize=1 << 16)
def plain_road(road: str) -> str:
    """A road without the town before it.

    >>> plain_road("莼湖街道和平大道"), plain_road("millercrescent")
    ('和平大道', 'millercrescent')
    """
    return _TOWN.sub("", road)


def postal_area(code: str) -> str:
    """The beginning of a postal code, which stands for a town or a post office.

    >>> postal_area("DH4 5QU"), postal_area("97201"), postal_area("3165")
    ('DH4', '972', '31')
    """
    return code.partition(" ")[0] if " " in code else code[: 3 if len(code) > 4 else 2]


def _towns(column: Codes) -> Callable[[Ints, Ints], Levels]:
    """1 if one city's name is most likely a slip of the other's, or is its beginning (Frankfurt
    am Main, New York City): then region or code decide.

    >>> names = encode(pa.array(["foresthill", "foretshill", "newton", "norton", "杭州", "惠州"]))
    >>> _towns(names)(np.array([0, 2, 4]), np.array([1, 3, 5])).tolist()
    [1, 0, 0]
    >>> names = encode(pa.array(["newyorkcity", "newyork", "york"]))
    >>> _towns(names)(np.array([0, 0]), np.array([1, 2])).tolist()
    [1, 0]
    """
    texts = Texts(column.objects)

    def level(a: Ints, b: Ints) -> Levels:
        shorter = texts.shorter(a, b)
        legible = (shorter > 4) & texts.ascii[a] & texts.ascii[b]
        result = np.zeros(len(a), dtype=np.int8)
        near = texts.within(a[legible], b[legible], np.where(shorter[legible] < 9, 1, 2))
        result[legible] = near
        short, long = texts.ordered(a, b)
        result[legible & (texts.common_start(short, long) == shorter)] = 1
        return result

    return level


def _roads(column: Codes) -> Callable[[Ints, Ints], Levels]:
    """2 if the same road, 1 if similar, 0 if not.

    >>> names = ["mainst", "mainstreet", "maimstreet", "和平大道", "莼湖街道和平大道", "和平路"]
    >>> _roads(encode(pa.array(names)))(np.array([0, 1, 3, 3]), np.array([1, 2, 4, 5])).tolist()
    [2, 1, 2, 0]
    """
    count = len(column.texts)
    plain = _plain_roads(column)
    texts = Texts(np.concatenate([plain.to_numpy(zero_copy_only=False), column.objects]))
    same_plain = encode(plain).codes

    def level(a: Ints, b: Ints) -> Levels:
        least = texts.shorter(a, b)
        same = (a == b) | (same_plain[a] == same_plain[b])
        rows = np.flatnonzero(~same & (least > 2))
        ends = texts.ends(a[rows] + count, b[rows]) | texts.ends(b[rows] + count, a[rows])
        same[rows[ends]] = True
        result = np.where(same, 2, 0).astype(np.int8)
        short, long = texts.ordered(a, b)
        latin = texts.ascii[a] & texts.ascii[b]
        rows = np.flatnonzero(~same & latin)
        result[rows] = _latin_roads(texts, short[rows], long[rows])
        rows = np.flatnonzero(~same & ~latin & (least > 2))
        rows = rows[_same_numbers(plain, a[rows], b[rows])]
        short, long = short[rows], long[rows]
        similar = texts.within(short, long, 1)
        similar |= (texts.length[short] > 3) & texts.contains(long, short)
        result[rows] = similar
        return result

    return level


def _plain_roads(column: Codes) -> pa.Array:
    """The :func:`plain_road` of each: one in plain Latin letters is as it is."""
    others = pc.invert(pc.string_is_ascii(column.texts))
    plain = [plain_road(road) for road in column.texts.filter(others).to_pylist()]
    return pc.replace_with_mask(column.texts, others, pa.array(plain, pa.string()))


def _same_numbers(values: pa.Array, a: Ints, b: Ints) -> Mask:
    """Where two texts have the same numbers in the same order.

    >>> texts = pa.array(["12 high st apt 3", "12/3", "123", "high st"])
    >>> _same_numbers(texts, np.array([0, 0, 0]), np.array([1, 2, 3])).tolist()
    [True, False, False]
    """
    used, place = distinct_codes(np.concatenate([a, b]))
    spaced = pc.replace_substring_regex(values.take(pa.array(used)), _NO_DIGITS, " ")
    first, second = encode(pc.utf8_trim(spaced, " ")).codes[place].reshape(2, -1)
    same: Mask = first == second
    return same


def _latin_roads(texts: Texts, short: Ints, long: Ints) -> Levels:
    """2 if only the kind of road is written shorter (mainst for mainstreet), 1 if similar."""
    length = texts.length[short]
    common = texts.common_start(short, long)
    result = (texts.within(short, long, np.where(length < 9, 1, 2))).astype(np.int8)
    result[(length > 5) & (common == length)] = 1
    abbreviated = (length > 4) & (common > 3) & (length - common < 5)
    abbreviated[abbreviated] = texts.in_order(short[abbreviated], long[abbreviated])
    result[abbreviated] = 2
    rows = np.flatnonzero((result == 0) & (length >= MOVED_FROM))
    result[rows] = _moved(texts.values[short[rows]], texts.values[long[rows]])
    return result


MOVED_FROM, MOVED_SHARE = 12, 0.75


def _moved(short: np.ndarray, long: np.ndarray) -> Mask:
    """Whether three quarters of the letter pairs of the road with fewer are in the other one.

    Then the same words stand in another order, or one record leaves some out.

    >>> roads = np.array(["woollumstreetallunga", "cedaravenue"], dtype=object)
    >>> _moved(roads, np.array(["allungawoolumstreet", "oakcrescent"], dtype=object)).tolist()
    [True, False]
    """
    distinct, inverse = np.unique(np.concatenate([short, long]), return_inverse=True)
    held = _letter_pairs(distinct)
    first, second = held[inverse[: len(short)]], held[inverse[len(short) :]]
    shared = np.asarray(first.multiply(second).sum(axis=1)).ravel()
    fewer = np.minimum(*(np.asarray(pairs.sum(axis=1)).ravel() for pairs in (first, second)))
    share: Mask = shared >= MOVED_SHARE * fewer
    return share


def _letter_pairs(roads: np.ndarray) -> csr_array:
    """Which pairs of neighboring letters each plain Latin road has: ones in (roads, pairs)."""
    sizes = np.array([len(road) for road in roads], dtype=np.int64)
    letters = np.frombuffer("".join(roads).encode("ascii"), dtype=np.uint8).astype(np.int64)
    owner = np.repeat(np.arange(len(roads)), sizes)
    inside = np.flatnonzero(owner[1:] == owner[:-1])
    pair = letters[inside] * 128 + letters[inside + 1]
    ones = np.ones(len(inside), dtype=np.int16)
    held = csr_array((ones, (owner[inside], pair)), shape=(len(roads), 128 * 128))
    held.sum_duplicates()
    held.data[:] = 1
    return held


def _lines(column: Codes) -> Callable[[Ints, Ints], Levels]:
    """2 if the same line, 1 if nearly, 0 if not; numbers must agree."""
    texts = Texts(column.objects)

    def level(a: Ints, b: Ints) -> Levels:
        result = np.where((a == b) & (texts.length[a] > 6), 2, 0).astype(np.int8)
        rows = np.flatnonzero((a != b) & (texts.shorter(a, b) > 7))
        rows = rows[_same_numbers(column.texts, a[rows], b[rows])]
        result[rows] = texts.ratio(a[rows], b[rows], 0.85)
        return result

    return level
