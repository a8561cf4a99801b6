"""Places as they stand in names of organizations.

What belongs here: telling at the front, in brackets or at the end of a name
whether there is a place, and its short name (杭州市 and Hangzhou are 杭州).
Addresses have their own parser.

Source: resources/divisions.tsv, place_words.tsv.

>>> leading("杭州市西湖区天堂科技"), leading("长安汽车")
(('西湖', 6), None)
>>> short_name("内蒙古自治区"), latin("Hangzhou")
('内蒙古', '杭州')
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from rules import tables, text

_PEOPLES = (
    "蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|拉祜|水|东乡|纳西|景颇"
    "|柯尔克孜|土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|俄罗斯|鄂温克|德昂|保安|裕固|独龙"
    "|鄂伦春|各"
)
_AUTONOMOUS = re.compile(f"(?:(?:{_PEOPLES})族?)*自治[州县旗区]$")
_SUFFIX = re.compile(r"(?:特别行政区|新区|矿区|林区|地区|[省市区县旗盟州])$")
_LONGEST = 15


@dataclass(frozen=True)
class Place:
    """A division: its short name, its province's short name, its level (1, 2, 3)."""

    short: str
    province: str
    level: int


@lru_cache(maxsize=1 << 13)
def shorten(name: str) -> str:
    """The short name of a division: its proper name, if that has two characters.

    >>> shorten("文山壮族苗族自治州"), shorten("涪陵区"), shorten("理县")
    ('文山', '涪陵', '理县')
    """
    for region in ("内蒙古", "西藏", "新疆", "广西", "宁夏"):
        if name.startswith(region) and name.endswith("自治区"):
            return region
    short = _AUTONOMOUS.sub("", name)
    if short == name:
        short = _SUFFIX.sub("", name)
    return short if len(short) > 1 else name


@cache
def _places() -> tuple[dict[str, list[Place]], dict[str, list[Place]]]:
    """Full names, and short names that may stand alone, to the divisions so named."""
    full: dict[str, list[Place]] = {}
    bare: dict[str, list[Place]] = {}
    for row in tables.rows("divisions"):
        names = [row[1], row[2], row[3]]
        level = 3 if row[3] else 2 if row[2] else 1
        name = names[level - 1]
        place = Place(shorten(name), shorten(row[1]), level)
        for written in [name, *(row[4].split("|") if len(row) > 4 and row[4] else [])]:
            if written == name or len(written) > 2:
                full.setdefault(written, []).append(place)
            # Districts are seldom named without 区.
            if level < 3 or written[-1] in "市县旗":
                bare.setdefault(shorten(written), []).append(place)
    return full, bare


@cache
def _lengths() -> dict[str, tuple[int, ...]]:
    """The first two characters of names to the lengths of names that begin so, longest first."""
    full, bare = _places()
    lengths: dict[str, set[int]] = {}
    for name in (*full, *bare):
        if 1 < len(name) <= _LONGEST:
            lengths.setdefault(name[:2], set()).add(len(name))
    return {start: tuple(sorted(found, reverse=True)) for start, found in lengths.items()}


@cache
def _ambiguous() -> frozenset[str]:
    return frozenset(tables.words("place_words", "ambiguous"))


@cache
def _areas() -> frozenset[str]:
    return frozenset(tables.words("place_words", "area"))


def short_name(s: str) -> str | None:
    """The short name of a place that the whole text names; None if it names none."""
    full, bare = _places()
    if s in full:
        return full[s][0].short
    if s in bare:
        return s
    if s in _areas():
        return s
    return None


@cache
def _beginnings() -> frozenset[str]:
    full, bare = _places()
    return frozenset(name[:size] for name in (*full, *bare) for size in range(1, len(name)))


def begins(s: str) -> bool:
    """Whether the name of a place begins with the text, as where a width cuts it off.

    >>> begins("鄂尔"), begins("尔鄂")
    (True, False)
    """
    return s in _beginnings()


def may_lead(s: str) -> int:
    """How many characters of a place that is also a word stand in front; 0 if none.

    >>> may_lead("红河星辰"), may_lead("杭州星辰")
    (2, 0)
    """
    for size in _lengths().get(s[:2], ()):
        if s[:size] in _ambiguous():
            return size
    return 0


def leading(s: str) -> tuple[str, int] | None:
    """The most specific place at the front: its short name and how many characters it takes.

    A place within the one before it is taken too (浙江省杭州市), another is not.
    """
    full, bare = _places()
    found: Place | None = None
    end = 0
    while True:
        place = None
        for length in _lengths().get(s[end : end + 2], ()):
            piece = s[end : end + length]
            if len(piece) < length:
                continue
            options = full.get(piece) or bare.get(piece)
            if not options:
                continue
            if found is not None:
                options = [
                    p for p in options if p.province == found.province and p.level > found.level
                ]
                if not options and piece == found.short:  # 吉林省吉林市 written twice
                    continue
            elif piece not in full and piece in _ambiguous():
                continue
            if options:
                place, length_found = options[0], length
                break
        if place is None:
            break
        found, end = place, end + length_found
    if found is None:
        if s.startswith("中国") and len(s) > 2:
            return "中国", 2
        return None
    return found.short, end


def trailing(s: str) -> tuple[str, int] | None:
    """The place at the end: its short name and where it begins."""
    full, bare = _places()
    for length in range(min(_LONGEST, len(s)), 1, -1):
        piece = s[-length:]
        options = full.get(piece) or (bare.get(piece) if piece not in _ambiguous() else None)
        if options:
            return options[0].short, len(s) - length
    return None


@cache
def _within() -> dict[str, frozenset[str]]:
    """The short name of a division to those of its province and city, for each of that name."""
    outer: dict[str, set[str]] = {}
    for row in tables.rows("divisions"):
        names = [shorten(name) for name in row[1:4] if name]
        outer.setdefault(names[-1], set()).update(names[:-1])
    return {inner: frozenset(names) for inner, names in outer.items()}


def contains(outer: str, inner: str) -> bool:
    """Whether one division lies within another, both by their short names.

    >>> contains("山西", "阳泉"), contains("中国", "阳泉"), contains("阳泉", "山西")
    (True, True, False)
    """
    return outer == "中国" or outer in _within().get(inner, ())


@cache
def _latin() -> dict[str, Place]:
    """Folded Latin spelling to place: provinces, cities and county-level cities."""
    names: dict[str, Place] = {}
    shorts: dict[str, Place] = {}
    for row in tables.rows("divisions"):
        name = row[3] or row[2] or row[1]
        if row[3] and not row[3].endswith("市"):
            continue
        place = Place(shorten(name), shorten(row[1]), 3 if row[3] else 2 if row[2] else 1)
        shorts.setdefault(place.short, place)
        spellings = list(text.readings(place.short))
        if not row[3]:
            spellings += text.readings(name)
        for spelling in spellings:
            if not row[3] or len(spelling) >= 6:
                names.setdefault(spelling, place)
    for pair in tables.words("place_words", "latin"):
        spelling, short = pair.split("=")
        names[spelling.replace(" ", "")] = shorts.get(short) or Place(short, short, 1)
    return names


def latin(s: str) -> str | None:
    """The short name of a Chinese province or city in Latin letters; None if it is none."""
    place = _latin().get(text.fold(s))
    return place.short if place else None


def latin_within(s: str, outer: str) -> str | None:
    """As :func:`latin`, for a place within another: Hangzhou within Zhejiang."""
    place, around = _latin().get(text.fold(s)), _latin().get(text.fold(outer))
    if place and around and place.province == around.province and place.level > around.level:
        return place.short
    return None
