"""Provinces, cities and districts of China: names, short names, former names.

What belongs here: which division a name can mean, and reading the divisions at
the head of a Chinese address. Roads and numbers stand in addresses/chinese.py.

A short name (上海, 朝阳) is refused where a road, a building or a village of that
name goes on (上海南京东路, 朝阳路); a name that fits no division already read is
left alone; a name with one wrong character is taken only if the city is known
and no other district of it comes as near.

Source: resources/divisions.tsv, whose head names where it comes from.

>>> read("浙江杭州下城区朝晖路12号").division
Division(code='330105', province='浙江省', city='杭州市', district='拱墅区')
>>> read("上海南京东路100号").rest, read("朝阳路8号").rest
('南京东路100号', '朝阳路8号')
>>> find("Zhejiang", "Hangzhou", None)
Division(code='330100', province='浙江省', city='杭州市', district='')
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, product
from typing import NamedTuple

from rules import tables, text


class Division(NamedTuple):
    """A division and those above it; levels below its own are empty."""

    code: str
    province: str
    city: str
    district: str

    @property
    def level(self) -> int:
        """0 province, 1 city, 2 district."""
        return 2 if self.district else 1 if self.city else 0

    def covers(self, other: "Division") -> bool:
        """Whether the other lies in it or is it."""
        return (
            self.province == other.province
            and (not self.city or self.city == other.city)
            and (not self.district or self.district == other.district)
        )


@dataclass(slots=True)
class Reading:
    """Divisions at the head of a text.

    Attributes:
        division: the most specific one found; None if none.
        rest: the text behind them.
        is_short: whether only short names were read.
        repaired: whether a name with one wrong character was taken.
        former: whether a former name was read.
        skipped: a name of a division's form that no list has, left out.
    """

    division: Division | None
    rest: str
    is_short: bool = False
    repaired: bool = False
    former: bool = False
    skipped: str = ""


_DIRECT = frozenset({"北京市", "天津市", "上海市", "重庆市"})
_PEOPLE = (
    "蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|拉祜|水|东乡|纳西|景颇"
    "|柯尔克孜|土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|普米|塔吉克|怒|鄂温克|德昂|保安|裕固|独龙|各|高山"
)
_SUFFIX = re.compile(
    rf"(?:(?:{_PEOPLE})族)*(?:自治州|自治县|自治旗|联合旗|自治区|特别行政区|矿区|林区|特区|地区|新区|省|盟|州|旗|市|区|县|镇|乡)$"
    r"|(?:维吾尔|壮族|回族)?自治区$"
)
_ENDING = {"自治州": "州", "自治县": "县", "自治旗": "旗"}
_NICKNAMES = {
    "内蒙": "内蒙古自治区",
    "呼市": "呼和浩特市",
    "乌市": "乌鲁木齐市",
    "港岛": "香港特别行政区",
}
_WITH_AREAS = ("香港", "澳门")
_AREAS = ("香港岛", "港岛", "九龙", "新界", "澳门半岛", "澳门外岛")
_NOT_A_DIVISION = re.compile(  # behind a short name: 上海南京东路, 朝阳路, 长安镇
    r"[东西南北中上下前后新老大小内外]?[一二三四五六七八九十]{0,2}"
    r"(?:大?[路街道巷弄]|胡同|马路|公路|国道|省道|环路|支路|[村镇乡屯庄寨堡])"
)
_NOT_A_DISTRICT = re.compile(  # behind a district's short name as well: 朝阳大厦, 和平里
    r"[东西南北中上下前后新老大小内外]?[一二三四五六七八九十]{0,2}"
    r"(?:[湾桥站港码门坊里苑园院城庙寺山岛]|花园|大厦|小区|新村|广场|宾馆|酒店|饭店|商[城场]|公寓|大学|学院|学校"
    r"|医院|银行|公司|集团|工业|开发|科技|国际|国贸|中心|家园|华庭|豪庭|名邸)"
)
_ENDINGS = frozenset("省市区县州盟旗镇乡")
_ROAD = frozenset("路街道巷弄")
_BLANK = " ,.;、/-_>·|:"
_FULL_NAMES = re.compile(r"(?![中邮])[\u3400-\u9fff]*[省市区县州盟旗]")
"""The characters of a line up to the last one that may end a full name."""
_HEAD = re.compile(
    r"^(?:中华人民共和国|中国大陆|中国|china|p\.?r\.?\s?china|prc|cn)?[\s,.;、:/-]*(?:\(?邮编[:：]?\s*)?(?:\d{6}(?!\d)\)?)?[\s,.;、:/-]*",
    re.I,
)
_DAMAGED = re.compile(r"[\u3400-\u9fff]{1,6}?(?:自治州|自治县|地区|[市区县州盟旗])")


_ZONE = re.compile(  # named like a district or city, but none: never taken for a misspelled one
    r".*(?:高新|经开|开发|工业|产业|保税|园|景|小|社|校|厂|库|港|度假|示范|实验|集聚|新|市|城|郊|老|住宅|别墅|生活"
    r"|商业|商务|科技|物流|合作|自贸|片)区|.*(?:超|菜|夜|花|门|楼|集|闹|城)市|.*(?:大|本|全)[市区县]"
)


def stem(name: str) -> str:
    """The short name of a division.

    >>> stem("延边朝鲜族自治州"), stem("浦东新区"), stem("广西壮族自治区"), stem("沙县")
    ('延边', '浦东', '广西', '沙县')
    """
    short = _SUFFIX.sub("", name)
    return short if len(short) >= 2 else name


@cache
def all_divisions() -> tuple[Division, ...]:
    """Every division, provinces before their cities before their districts."""
    return tuple(Division(*row[:4]) for row in tables.rows("divisions"))


class _Names(NamedTuple):
    """Names to the divisions so named, and their first three characters to their lengths."""

    full: dict[str, tuple[Division, ...]]
    short: dict[str, tuple[Division, ...]]
    former: dict[str, tuple[Division, ...]]
    lengths: dict[str, tuple[int, ...]]

    def sizes(self, line: str, at: int) -> tuple[int, ...]:
        """The lengths, longest first, of names that begin as the line does at a place."""
        found = self.lengths.get(line[at : at + 3])
        return self.lengths.get(line[at : at + 2], ()) if found is None else found

    def tells(self, name: str) -> bool:
        """Whether the name is that of any division."""
        return name in self.full or name in self.short or name in self.former


def _own_name(division: Division) -> str:
    return division.district or division.city or division.province


@cache
def _names() -> _Names:
    full: dict[str, list[Division]] = {}
    short: dict[str, list[Division]] = {}
    former: dict[str, list[Division]] = {}
    former_short: list[tuple[str, Division]] = []
    for row in tables.rows("divisions"):
        division = Division(*row[:4])
        name = _own_name(division)
        full.setdefault(name, []).append(division)
        if "乾" in name:  # 干 in most words, so that simplifying a line changes it
            full.setdefault(name.replace("乾", "干"), []).append(division)
        brief = stem(name)
        if brief != name:
            short.setdefault(brief, []).append(division)
            for long, ending in _ENDING.items():
                if name.endswith(long):
                    full.setdefault(brief + ending, []).append(division)
        for old in filter(None, row[4].split("|")):
            former.setdefault(old, []).append(division)
            if stem(old) != old and (brief := stem(old)) not in short:
                former_short.append((brief, division))
    for brief, division in former_short:
        if brief not in short:
            former.setdefault(brief, []).append(division)
    for nickname, name in _NICKNAMES.items():
        short[nickname] = list(full[name])
    lengths: dict[str, set[int]] = {}
    for name in (*full, *short, *former):
        lengths.setdefault(name[:3], set()).add(len(name))
    for start in lengths:
        if len(start) > 2 and start[:2] in lengths:
            lengths[start].add(2)
    return _Names(
        {k: tuple(v) for k, v in full.items()},
        {k: tuple(v) for k, v in short.items()},
        {k: tuple(v) for k, v in former.items()},
        {k: tuple(sorted(v, reverse=True)) for k, v in lengths.items()},
    )


@cache
def _children() -> dict[tuple[str, str], tuple[tuple[str, Division], ...]]:
    """Province and city ('' for the province's own cities) → current and former names below."""
    found: dict[tuple[str, str], list[tuple[str, Division]]] = {}
    for row in tables.rows("divisions"):
        division = Division(*row[:4])
        if division.level:
            above = (division.province, division.city if division.district else "")
            for name in (_own_name(division), *filter(None, row[4].split("|"))):
                found.setdefault(above, []).append((name, division))
    return {key: tuple(value) for key, value in found.items()}


def _fits(division: Division, context: Division | None) -> bool:
    return context is None or context.covers(division) or division.covers(context)


def read(line: str, hint: Division | None = None) -> Reading:
    """Read the divisions at the head of a simplified Chinese line.

    Args:
        line: the address, cleaned and in simplified characters.
        hint: what other columns say; decides between divisions of one name only.
    """
    names = _names()
    at, head = _of_full_names(usual[0]) if (usual := _FULL_NAMES.match(line)) else (0, _head(()))
    if not at or line[at : at + 1] in _ROAD:
        at, head = _after_country(line), _head(())
    is_short, repaired, was_former, skipped = not head.options, False, False, ""
    while at < len(line):
        while at < len(line) and line[at] in _BLANK:
            at += 1
        if head.is_deepest and not head.is_said_again(line, at, names):
            break
        size, below = _full_name(line, at, head, names)
        if below is not None:
            head, is_short = below, False
            at += size
            continue
        found = _next(line, at, head.options, hint, names) if size else None
        if found is not None:
            size, options, how = found
            head = _head(options)
            is_short = is_short and how == "short"
            was_former = was_former or how == "former"
            at += size
            continue
        if head.options and head.options[0].province[:2] in _WITH_AREAS:
            area = next((a for a in _AREAS if line.startswith(a, at)), "")
            if area and not _NOT_A_DIVISION.match(line, at + len(area)):
                at += len(area)
                continue
        context = head.choose(hint) or hint
        if context is not None and context.district:
            break
        found = _damaged(line, at, context, hint, names) or _behind_junk(
            line, at, head.options, context, hint, names
        )
        if found is None:
            break
        size, options, how = found
        head = _head(options)
        if how == "skipped":
            skipped = line[at : at + size]
        else:
            repaired = True
        at += size
    return Reading(head.choose(hint), line[at:], is_short, repaired, was_former, skipped)


@lru_cache(maxsize=1 << 15)
def _of_full_names(start: str) -> "tuple[int, _Head]":
    """The divisions that a line begins with, as far as its start tells whatever stands behind.

    Args:
        start: of Han characters only, not of a country or postal code.

    Returns:
        the size of the names and the divisions, the last by its full name, which may be
        another one before a character of _ROAD.
    """
    names, head, at = _names(), _head(()), 0
    told = at, head
    while start[at:] not in _begun():
        size, below = _full_name(start, at, head, names)
        is_full = below is not None
        if below is None:
            size, below = _before_full_name(start, at, head, names)
        if below is None:
            break
        head, at = below, min(at + size, len(start))  # a longer name's size where the start ends
        told = (at, head) if is_full else told
    return told


def _before_full_name(
    line: str, at: int, head: "_Head", names: _Names
) -> "tuple[int, _Head | None]":
    """As :func:`_full_name`, for the short name of a division before one inside it: 广西|百色市.

    Only where it is the one name that a closer look can find at this place.
    """
    known = [name for size in names.sizes(line, at) if names.tells(name := line[at : at + size])]
    if len(known) != 1:
        return 0, None
    name, size = known[0], len(known[0])
    found = () if name in names.full or name in names.former else names.short[name]
    found = _narrow(found, head.options)
    is_safe = head.options or any(division.level < 2 for division in found)
    if not (is_safe and _goes_on(line, at + size, found, names)):
        return 0, None
    return size, _head(found)


@cache
def _begun() -> frozenset[str]:
    """What a name begins with that is not the whole of it, and nothing."""
    names = _names()
    every = (*names.full, *names.short, *names.former)
    return frozenset(name[:size] for name in every for size in range(len(name)))


def _after_country(line: str) -> int:
    """Where the divisions begin: behind the country and a postal code in front."""
    if "\u3400" <= line[:1] <= "\u9fff" and line[0] not in "中邮":
        return 0
    match = _HEAD.match(line)
    return match.end() if match else 0


@cache
def _names_of() -> dict[tuple[str, str, str], tuple[str, ...]]:
    """Province, city and district ('' for none) to all names of the division, in any form."""
    found: dict[tuple[str, str, str], list[str]] = {}
    names = _names()
    for table in (names.full, names.short, names.former):
        for name, divisions in table.items():
            for division in divisions:
                found.setdefault(division[1:], []).append(name)
    return {place: tuple(own) for place, own in found.items()}


def _names_around(own: Division) -> frozenset[str]:
    """All names of a division and of those that it lies in."""
    around = product([own.province], {own.city, ""}, {own.district, ""})
    return frozenset(chain.from_iterable(_names_of().get(place, ()) for place in around))


class _Head:
    """The divisions read so far, with what full names can follow: each is found out once.

    Attributes:
        options: the divisions that what was read can mean.
        is_deepest: whether that is one district, in which no area has a name of its own.
    """

    __slots__ = ("_again", "_below", "_only", "is_deepest", "options")

    def __init__(self, options: tuple[Division, ...]) -> None:
        self.options = options
        self._below: dict[str, _Head | None] = {}
        self._only = _choose(options, None) if len(options) == 1 else None
        own = self._only
        self.is_deepest = bool(own and own.district and own.province[:2] not in _WITH_AREAS)
        self._again = _names_around(options[0]) if self.is_deepest else frozenset()

    def below(self, name: str, candidates: tuple[Division, ...]) -> "_Head | None":
        """The divisions of a full name that follows; None if it does not fit."""
        if name not in self._below:
            found = _narrow(candidates, self.options)
            self._below[name] = _head(found) if found else None
        return self._below[name]

    def is_said_again(self, line: str, at: int, names: _Names) -> bool:
        """Whether a name of the deepest division, or of one around it, follows."""
        sizes = names.sizes(line, at)
        return bool(sizes) and any(line[at : at + size] in self._again for size in sizes)

    def choose(self, hint: Division | None) -> Division | None:
        """The one division meant; see :func:`_choose`."""
        return self._only or _choose(self.options, hint)


@lru_cache(maxsize=8192)
def _head(options: tuple[Division, ...]) -> _Head:
    return _Head(options)


def _full_name(line: str, at: int, head: _Head, names: "_Names") -> tuple[int, _Head | None]:
    """As :func:`_next` for full names that need no look at what follows.

    Returns the name's size and the divisions; no divisions if a closer look is
    needed, and no size either if there is no name at all.
    """
    for size in names.sizes(line, at):
        name = line[at : at + size]
        if candidates := names.full.get(name):
            end = at + size
            if name[-1] in _ENDINGS and (size > 3 or line[end : end + 1] not in _ROAD):
                return size, head.below(name, candidates)
            return size, None
        if name in names.former or name in names.short:
            return size, None
    return 0, None


_Step = tuple[int, tuple[Division, ...], str]


def _next(
    line: str, at: int, options: tuple[Division, ...], hint: Division | None, names: _Names
) -> _Step | None:
    """The longest name at a place that fits what was read before."""
    for size in names.sizes(line, at):
        name = line[at : at + size]
        if len(name) < size:
            continue
        for how, table in (("full", names.full), ("former", names.former), ("short", names.short)):
            candidates = table.get(name)
            if not candidates:
                continue
            end = at + size
            brief = how == "short" or name[-1] not in _ENDINGS
            found = _narrow(candidates, options)
            if not brief and line[end : end + 1] in _ROAD and size < 4:
                found = found if _goes_on(line, end, found, names) else ()
            if not found or (brief and _is_other(line, end, found, hint, names)):
                continue
            if brief and not options and not _is_safe_alone(found, hint, line, end):
                continue
            return size, found, how
    return None


def _is_other(
    line: str, end: int, found: tuple[Division, ...], hint: Division | None, names: _Names
) -> bool:
    """Whether a short name is that of a road, building or village that goes on."""
    is_district = all(division.level == 2 for division in found)
    astray = hint is not None and not any(_fits(division, hint) for division in found)
    other = _NOT_A_DIVISION.match(line, end)
    if other is None and (is_district or astray):
        other = _NOT_A_DISTRICT.match(line, end)
        if other and not astray and _NOT_A_DIVISION.match(line, other.end()):
            other = None  # 莱山(区)花园路
    return other is not None and not _goes_on(line, end, found, names)


def _goes_on(line: str, at: int, found: tuple[Division, ...], names: _Names) -> bool:
    """Whether the full name of a division inside one of those found follows: 深圳|南山区."""
    for size in names.sizes(line, at):
        name = line[at : at + size]
        below = names.full.get(name) or names.former.get(name) or ()
        if name[-1:] in _ENDINGS and any(f.covers(d) and f != d for d in below for f in found):
            return True
    return False


def _narrow(
    candidates: tuple[Division, ...], options: tuple[Division, ...]
) -> tuple[Division, ...]:
    """Candidates that lie in (or repeat) one of the divisions read before."""
    if not options:
        return candidates
    deeper = tuple(c for c in candidates if any(o.covers(c) and o != c for o in options))
    if deeper:
        return deeper
    # 北京市北京市, 杭州市浙江省: said again, nothing new
    return tuple(o for o in options if any(c.covers(o) for c in candidates))


def _is_safe_alone(found: tuple[Division, ...], hint: Division | None, line: str, end: int) -> bool:
    """Whether a short name may open an address: a province or city, or a district of the hint."""
    if any(division.level < 2 for division in found):
        return True
    if hint is not None and any(hint.covers(division) for division in found):
        return True
    return len(found) == 1 and len(line) > end and len(_own_name(found[0])) > 3


def _damaged(
    line: str, at: int, context: Division | None, hint: Division | None, names: _Names
) -> _Step | None:
    """A name of a division's form that no list has: repaired, or skipped before a good one."""
    if context is None or not (match := _DAMAGED.match(line, at)):
        return None
    name = match[0]
    if _ZONE.fullmatch(name):
        return None
    below = _children().get((context.province, context.city), ())
    near = {division for own, division in below if _near(name, own)}
    if len(near) == 1 and line[match.end() : match.end() + 1] not in _ROAD:
        return len(name), tuple(near), "repaired"
    if not near and name[-1] in "市州盟区县" and context.level == 0:
        following = _next(line, match.end(), (context,), hint, names)
        if following and following[1][0].level == 2 and following[2] != "short":
            return len(name), (context,), "skipped"
    return None


def _behind_junk(
    line: str,
    at: int,
    options: tuple[Division, ...],
    context: Division | None,
    hint: Division | None,
    names: _Names,
) -> _Step | None:
    """Characters that belong to no name before a full name of city or district: skipped.

    One behind divisions already read, up to three (a misspelled province) at the start.
    """
    if line[at : at + 1].isascii():
        return None
    inside = (context,) if context is not None else ()
    for size in (1,) if options else (1, 2, 3):
        following = _next(line, at + size, inside, hint, names)
        if following and following[2] == "full" and following[0] > 2:
            found = following[1]
            if len(found) == 1 and found[0].level and found[0] != context:
                return size, inside, "skipped"
    return None


def _near(name: str, own: str) -> bool:
    """Whether one character is wrong or missing."""
    if own[-1] != name[-1]:
        return False
    if len(own) == len(name) > 2:
        return sum(a != b for a, b in zip(own, name, strict=True)) == 1
    return len(own) == len(name) + 1 and any(
        own[:i] + own[i + 1 :] == name for i in range(len(own) - 1)
    )


def _choose(options: tuple[Division, ...], hint: Division | None) -> Division | None:
    """One division out of several of the same name, or what they have in common."""
    if len(options) > 1 and hint is not None:
        options = tuple(o for o in options if _fits(o, hint)) or options
    for option in options:
        if option.district and option.district == option.city:
            return option  # a city without districts is its own district
    if len(options) > 1:
        lowest = min(option.level for option in options)
        options = tuple(option for option in options if option.level == lowest)
    if not options:
        return None
    if len(options) == 1:
        only = options[0]
        return only._replace(city=only.province) if only.province in _DIRECT else only
    provinces, cities = {o.province for o in options}, {o.city for o in options}
    if len(provinces) > 1:
        return None
    city = options[0].city if len(cities) == 1 else ""
    return Division("", options[0].province, city, "")


@cache
def _towns() -> dict[tuple[str, str, str], Division | None]:
    """Province, city and town → the county it lies in; None if in several of the city."""
    by_code = {division.code: division for division in all_divisions() if division.district}
    found: dict[tuple[str, str, str], Division | None] = {}
    for code, names in tables.rows("towns"):
        division = by_code[code]
        for name in names.split("|"):
            place = (division.province, division.city, name)
            found[place] = None if place in found else division
    return found


def by_town(division: Division, town: str) -> Division:
    """The county of a city that has a town of that name, if exactly one has; else the city.

    >>> by_town(find("北京市", None, None), "龙潭街道").district
    '东城区'
    """
    if division.district or not town:
        return division
    return _towns().get((division.province, division.city, town)) or division


@cache
def _latin() -> dict[str, tuple[Division, ...]]:
    """Pinyin of names and short names, without blanks → divisions."""
    found: dict[str, list[Division]] = {}
    for table in (_names().full, _names().short):
        for name, divisions in table.items():
            for reading in text.readings(name):
                found.setdefault(reading, []).extend(divisions)
    for latin, name in tables.rows("latin_divisions"):
        found[latin] = list(_names().full[name])
    return {k: tuple(dict.fromkeys(v)) for k, v in found.items()}


_LATIN_SUFFIX = re.compile(
    r"(?:city|shi|province|sheng|district|qu|county|xian|municipality|prefecture|new area"
    r"|autonomous region|sar|special administrative region)$"
)


@lru_cache(maxsize=8192)
def named(name: str) -> tuple[Division, ...]:
    """Every division that a name alone, Chinese or romanized, can mean.

    >>> [d.city for d in named("下城区")], [d.province for d in named("Zhejiang Province")]
    (['杭州市'], ['浙江省'])
    """
    if not name:
        return ()
    if text.has_han(name):
        name = text.to_simplified(text.clean(name)).replace(" ", "")
        tables_ = _names()
        return tables_.full.get(name) or (
            tables_.short.get(name, ()) + tables_.former.get(name, ())
        )
    key = re.sub(r"[^a-z]", "", name.casefold())
    for latin in (key, re.sub(r"[^a-z]", "", _LATIN_SUFFIX.sub("", name.casefold().strip()))):
        if latin in _latin():
            return _latin()[latin]
    return ()


@lru_cache(maxsize=8192)
def find(region: str | None, city: str | None, district: str | None) -> Division | None:
    """The division that three columns name together; the deepest consistent one.

    A column that contradicts those above it is left out; an unknown one too.
    """
    options: tuple[Division, ...] = ()
    for value, level in ((region, 0), (city, 1), (district, 2)):
        candidates = named(value) if value else ()
        if not candidates:
            continue
        if options:
            options = _narrow(candidates, options) or options
        else:
            exact = tuple(c for c in candidates if c.level == level)
            options = exact or candidates
    if len(options) > 1 and not city and not district and not options[0].level:
        options = options[:1]  # Shanxi: 山西 unless a city tells 陕西 (Shaanxi)
    return _choose(options, None)
