"""Chinese addresses in Latin letters: No. 781 Xuefu Road, Room 1207, Chengdu.

What belongs here: reading them, and the comparable form of a road in both
scripts: pinyin of its name without 路, 街 and the like, a direction at the end.

>>> parts = read("Room 1207, No. 781 Xuefu Rd, Wuhou District, Chengdu, Sichuan 610041")
>>> parts.road, parts.number, parts.unit, parts.names, parts.postal_code
('Xuefu Road', '781', '1207', ('Wuhou', 'Chengdu', 'Sichuan'), '610041')
>>> road_key("学府路"), latin_road_key("Xue Fu Lu")
('xuefu', 'xuefu')
>>> road_key("人民东路"), latin_road_key("East Renmin Road"), road_key("忠孝东路四段")
('renmindong', 'renmindong', 'zhongxiaodongs4')
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from rules import tables, text
from rules.addresses.chinese import number


class Latin(NamedTuple):
    """Parts of a romanized address; ``names`` are what may be divisions, smallest first."""

    road: str
    number: str
    unit: str
    names: tuple[str, ...]
    postal_code: str


_SUFFIX = re.compile(
    r"(?:大道|大街|公路|马路|国道|省道|县道|环路|胡同|[路街道巷弄村庄屯])"
    r"(?:([东西南北中])段|([一二三四五六七八九十\d]+)段)?$"
)
_LAST = frozenset("道街路同巷弄村庄屯段")
"""The last character of every match of it."""
_USUAL = {
    "长": "chang",
    "朝": "chao",
    "重": "chong",
    "厦": "xia",
    "行": "xing",
    "都": "du",
    "大": "da",
}
_TYPES = {
    "road": "Road", "rd": "Road", "lu": "Road", "street": "Street", "st": "Street",
    "str": "Street", "jie": "Street", "avenue": "Avenue", "ave": "Avenue", "av": "Avenue",
    "dadao": "Avenue", "dajie": "Street", "boulevard": "Boulevard", "blvd": "Boulevard",
    "lane": "Lane", "ln": "Lane", "alley": "Alley", "xiang": "Alley", "hutong": "Hutong",
    "highway": "Highway", "hwy": "Highway", "gonglu": "Highway", "drive": "Drive", "dr": "Drive",
}  # fmt: skip
_WORDS = {
    "east": "dong", "e": "dong", "west": "xi", "w": "xi", "south": "nan", "s": "nan",
    "north": "bei", "n": "bei", "middle": "zhong", "mid": "zhong", "central": "zhong",
    "center": "zhong", "centre": "zhong", "first": "yi", "1st": "yi", "second": "er", "2nd": "er",
    "third": "san", "3rd": "san", "fourth": "si", "4th": "si", "fifth": "wu", "5th": "wu",
    "sixth": "liu", "6th": "liu", "seventh": "qi", "7th": "qi", "eighth": "ba", "8th": "ba",
    "ninth": "jiu", "9th": "jiu", "tenth": "shi", "10th": "shi",
    "people's": "renmin", "peoples": "renmin", "century": "shiji", "liberation": "jiefang",
}  # fmt: skip
_DIRECTIONS = ("dong", "xi", "nan", "bei", "zhong")
_LEADING = frozenset(
    {"east", "e", "west", "w", "south", "s", "north", "n", "middle", "mid", "central"}
)
_TYPE = "|".join(sorted(_TYPES, key=len, reverse=True))
_ROAD = re.compile(
    rf"(?i)(?:\bno\.?\s*|#\s*)?(\b\d{{1,5}}(?:-\d{{1,4}})?[a-z]?)?(?:\s*hao\b)?[\s,]*"
    rf"\b((?:[a-z][a-z'’.]*|\d(?:st|nd|rd|th))(?:[\s-]+(?:[a-z][a-z'’.]*|\d(?:st|nd|rd|th))){{0,4}}?)"
    rf"\s+({_TYPE})\b\.?(?:\s*\(?(east|west|south|north|middle|[ewsn])\b\.?\)?)?"
    r"(?:[\s,]*no\.?\s*(\d{1,5}(?:-\d{1,4})?[a-z]?)|\s+(\d{1,5})\s*hao\b)?"
)
_ROOM = re.compile(
    r"(?i)\b(?:room|rm|flat|apartment|apt|suite|ste|shi)\b\.?\s*(?:no\.?\s*)?#?\s*([a-z]?-?\d*[a-z]?)\b"
)
_UNIT = re.compile(r"(?i)\b(?:unit|entrance|danyuan)\b\.?\s*(?:no\.?\s*)?([a-z]?\d*[a-z]?)\b")
_BUILDING = re.compile(
    r"(?i)\b(?:building|bldg|block|blk|tower)\b\.?\s*(?:no\.?\s*)?#?\s*([a-z]?\d+[a-z]?|[a-z])\b"
)
_FLOOR = re.compile(
    r"(?i)\b(\d{1,3})(?:st|nd|rd|th)?\s*(?:/\s*f|floor|fl)\b\.?|\bfloor\s*(\d{1,3})\b|\b(\d{1,3})f\b"
)
_SECTION = re.compile(r"(?i)[\s,]*\bsec(?:tion|\.)?\s*(\d|[ivx]+)\b\.?")
_POSTAL = re.compile(r"(?<!\d)(\d{6})(?!\d)")
_COUNTRY = re.compile(r"(?i)\b(?:p\.?\s?r\.?\s?(?:of\s+)?china|prc|china|taiwan|r\.?o\.?c\.?)\b\.?")
_KIND = re.compile(
    r"(?i)\s*\b(?:district|dist\.?|city|province|prov\.?|county|municipality|prefecture|new area"
    r"|autonomous region|special administrative region|sar|town|shi|sheng|qu)\b\.?"
)


def read(line: str) -> Latin:
    """Read an address of a Chinese place written in Latin letters."""
    rest = _COUNTRY.sub(" ", line)
    postal = ""
    if match := _POSTAL.search(rest):
        postal, rest = match[1], rest.replace(match[0], " ")
    found = []
    for pattern in (_BUILDING, _UNIT, _ROOM):
        if (match := pattern.search(rest)) and any(match.groups()):
            found.append(next(g for g in match.groups() if g).upper().strip("-"))
            rest = rest[: match.start()] + "," + rest[match.end() :]
    if match := _FLOOR.search(rest):
        floor = next(g for g in match.groups() if g)
        rest = rest[: match.start()] + "," + rest[match.end() :]
        if not found or not found[-1].lstrip("ABCDEFGH").startswith(floor):
            found.append(floor + "F")
    section = ""
    if match := _SECTION.search(rest):
        section, rest = match[1], rest[: match.start()] + rest[match.end() :]
    road = house = ""
    if match := _ROAD.search(rest):
        before, name, kind, direction, after, hao = match.groups()
        house = before or after or hao or ""
        road = " ".join([*name.split(), _TYPES[kind.lower()]])
        if direction:
            road = f"{direction.capitalize()} {road}"
        if section:
            road += f" Section {section}"
        rest = rest[: match.start()] + "," + rest[match.end() :]
    names = (_KIND.sub("", piece).strip(" .-") for piece in rest.split(","))
    return Latin(road, house, "-".join(found), tuple(n for n in names if len(n) > 1), postal)


@cache
def _syllables() -> re.Pattern[str]:
    found = {reading for row in tables.rows("pinyin") for reading in row[0].split(" ")}
    return re.compile("(?:" + "|".join(sorted(found, key=len, reverse=True)) + ")+")


def is_pinyin(road: str) -> bool:
    """Whether a road's name can be pinyin, so that its place is likely Chinese.

    >>> is_pinyin("Xuefu Road"), is_pinyin("East Renmin Road"), is_pinyin("Church Street")
    (True, True, False)
    """
    words = [w for w in re.findall(r"[a-z']+", road.casefold()) if w not in _TYPES]
    words = [w.replace("'", "") for w in words if w not in _WORDS]
    return bool(words) and all(_syllables().fullmatch(word) for word in words)


@lru_cache(maxsize=32768)
def road_key(road: str) -> str:
    """Comparable form of a Chinese road, village or estate name."""
    section = ""
    base = road
    if road[-1:] in _LAST and (match := _SUFFIX.search(road)) and match.start():
        base = road[: match.start()]
        if match[2]:
            section = "s" + number(match[2])
        elif match[1]:
            section = _pinyin(match[1])
    return _pinyin(base) + section


def _pinyin(name: str) -> str:
    return "".join(map(_sound, name))


@lru_cache(maxsize=1 << 14)
def _sound(character: str) -> str:
    """The usual reading of a character; a letter or digit as it is, nothing for a mark."""
    if character in _USUAL:
        return _USUAL[character]
    if syllables := text.syllables(character):
        return syllables[0]
    return character.lower() if character.isalnum() else ""


def latin_road_key(road: str) -> str:
    """Comparable form of a romanized road name."""
    words = re.findall(r"[a-z0-9']+", road.casefold().replace("’", "'"))
    section = ""
    if len(words) > 2 and words[-2] == "section":
        section = "s" + {"i": "1", "ii": "2", "iii": "3", "iv": "4"}.get(words[-1], words[-1])
        words = words[:-2]
    while len(words) > 1 and words[-1] in _TYPES:
        words.pop()
    if len(words) > 1 and words[-1] in ("da",):
        words.pop()
    if len(words) > 1 and words[0] in _LEADING:
        words.append(words.pop(0))
    return "".join(_WORDS.get(word, word) for word in words).replace("'", "") + section
