"""Addresses: two records to one level for city, road, number and unit together.

Apart, city and postal code cost 2-8 points of F1: they agree and disagree
together. Cutting an address into its parts stands in ``rules.address``.
"""

import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pyarrow as pa
from rapidfuzz.distance import OSA, Levenshtein

from dedupe.comparing.columns import Codes, Ints, Levels, Mask, Rows, encode, per_distinct_pair
from dedupe.levels import MISSING

OTHER_CITY, OTHER_ROAD, CITY, OTHER_NUMBER, NEAR, OTHER_UNIT, NUMBER, SAME = range(8)
_TOWN = re.compile(r"^.{1,8}?(?:街道|镇|乡|村|开发区|工业园|园区)(?=..)")
_DIGITS = re.compile(r"\d+")


def levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """Address levels of pairs of rows; -1 where nothing can be compared."""
    columns = {
        name: encode(features.column(name).combine_chunks())
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
    city[_texts(columns["city"], left, right, city == 0, _town) == 1] = -1
    district = _compare(columns["district"], left, right)
    region = _compare(columns["region"], left, right)
    postal = _compare(columns["postal_code"], left, right)
    number = _compare(columns["house_number"], left, right)
    unit = _units(columns["unit"], left, right)
    place = np.where(city >= 0, city, np.where(district >= 0, district, region))
    same_place = (place == 1) | (postal == 1) | (district == 1)
    other_place = (place == 0) & (postal != 1) & (district != 1)

    near_by = ~other_place
    same_road = _compare(columns["road_key"], left, right) == 1
    road = _texts(columns["road"], left, right, near_by & ~same_road, _road)
    road[near_by & same_road] = 2
    line = _texts(columns["address_line"], left, right, near_by & (road < 2), _line)

    result = np.full(len(left), MISSING, dtype=np.int8)
    result[other_place] = OTHER_CITY
    result[same_place] = CITY
    result[same_place & (road == 0)] = OTHER_ROAD
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
    column: Codes, left: Rows, right: Rows, where: Mask, function: Callable[[str, str], int]
) -> Levels:
    """A level for each distinct pair of texts, -1 where either is missing."""
    a, b = column.codes[left], column.codes[right]
    result = np.full(len(left), -1, dtype=np.int8)
    both: Mask = where & (a >= 0) & (b >= 0)
    values = column.values

    def level(x: int, y: int) -> int:
        return function(values[x], values[y])

    if both.any():
        result[both] = per_distinct_pair(a[both], b[both], level)
    return result


def _units(column: Codes, left: Rows, right: Rows) -> Levels:
    return _texts(column, left, right, np.ones(len(left), dtype=bool), _unit)


def _unit(a: str, b: str) -> int:
    """1 if the same unit as far as both say, 0 if not.

    >>> _unit("4-2-302", "4-302"), _unit("302", "4-2-302"), _unit("302", "303")
    (1, 1, 0)
    """
    if a == b:
        return 1
    short, long = sorted((a.split("-"), b.split("-")), key=len)
    rest = iter(long)
    return int(short[-1] == long[-1] and all(part in rest for part in short))


@lru_cache(maxsize=1 << 16)
def plain_road(road: str) -> str:
    """A road without the town before it.

    >>> plain_road("莼湖街道和平大道"), plain_road("millercrescent")
    ('和平大道', 'millercrescent')
    """
    return _TOWN.sub("", road)


def _town(a: str, b: str) -> int:
    """1 if one city's name is most likely a slip of the other's: then region or code decide.

    >>> _town("foresthill", "foretshill"), _town("newton", "norton"), _town("杭州", "惠州")
    (1, 0, 0)
    """
    shorter = min(len(a), len(b))
    if shorter < 5 or not (a.isascii() and b.isascii()):
        return 0
    allowed = 1 if shorter < 9 else 2
    return int(OSA.distance(a, b, score_cutoff=allowed) <= allowed)


def _road(a: str, b: str) -> int:
    """2 if the same road, 1 if similar, 0 if not."""
    if a == b:
        return 2
    x, y = plain_road(a), plain_road(b)
    if x == y or (min(len(x), len(y)) > 2 and (a.endswith(y) or b.endswith(x))):
        return 2
    short, long = sorted((x, y), key=len)
    if x.isascii() and y.isascii():
        if len(short) > 4 and _abbreviated(short, long):
            return 2
        near = OSA.distance(x, y, score_cutoff=2) <= (1 if len(short) < 9 else 2)
        return int(near or (len(short) > 5 and long.startswith(short)) or _moved(short, long))
    if _DIGITS.findall(x) != _DIGITS.findall(y):
        return 0
    near = len(short) > 2 and OSA.distance(x, y, score_cutoff=1) <= 1
    return int(near or (len(short) > 3 and short in long))


MOVED_FROM, MOVED_SHARE = 12, 0.75


def _moved(short: str, long: str) -> bool:
    """Whether three quarters of the shorter road's letter pairs are in the longer one.

    Then the same words stand in another order, or one record leaves some out.

    >>> _moved("woollumstreetallunga", "allungawoolumstreet"), _moved("cedaravenue", "oakcrescent")
    (True, False)
    """
    if len(short) < MOVED_FROM:
        return False
    pairs = _letter_pairs(short)
    return len(pairs & _letter_pairs(long)) >= MOVED_SHARE * len(pairs)


@lru_cache(maxsize=1 << 16)
def _letter_pairs(road: str) -> frozenset[str]:
    return frozenset(road[at : at + 2] for at in range(len(road) - 1))


def _abbreviated(short: str, long: str) -> bool:
    """Whether only the kind of road is written shorter: mainst for mainstreet."""
    common = 0
    for x, y in zip(short, long, strict=False):
        if x != y:
            break
        common += 1
    tail_short, tail_long = short[common - 1 :], long[common - 1 :]
    if common < 4 or len(tail_short) > 5:
        return False
    rest = iter(tail_long)
    return all(c in rest for c in tail_short)


def _line(a: str, b: str) -> int:
    """2 if the same line, 1 if nearly, 0 if not; numbers must agree."""
    if a == b:
        return 2 if len(a) > 6 else 0
    if min(len(a), len(b)) < 8 or _DIGITS.findall(a) != _DIGITS.findall(b):
        return 0
    return int(Levenshtein.normalized_similarity(a, b, score_cutoff=0.85) >= 0.85)
