"""The part of a Chinese address behind its divisions: town, road, number, building, room.

What belongs here: reading it, and its comparable form. Divisions stand in
addresses/divisions.py.

Source: GB/T 18521-2001 (place names), GA/T 2149 (standard addresses) for the
order of the parts; units as people write them.

>>> read("莼湖街道和平大道375号丽景花园十四幢4单元302室")
Line(town='莼湖街道', road='和平大道', number='375', estate='丽景花园', unit='14-4-302')
>>> read("文三路123号23-2-1702").unit, read("解放路266号水岸商务楼24楼2412").unit
('23-2-1702', '2412')
>>> read("健康路 2061708室")[1:], read("丽景花园2061708室")[1:]
(('健康路', '206', '', '1708'), ('', '206', '丽景花园', '1708'))
>>> read("忠孝东路四段100号5楼之1")
Line(town='', road='忠孝东路四段', number='100', estate='', unit='5F-1')
"""

import re
from functools import lru_cache
from typing import NamedTuple


class Line(NamedTuple):
    """Parts of an address line; empty where there is none.

    ``number`` joins lane and house (弄, 巷, 号) by hyphens; ``unit`` joins
    building, entrance and room.
    """

    town: str
    road: str
    number: str
    estate: str
    unit: str


_NUMERALS = "〇零一二三四五六七八九十百"
_N = rf"(?:\d+|[{_NUMERALS}]+)"
_ZONE = (
    r"(?:[\u3400-\u9fff]{0,10}?(?:经济技术|高新技术产业|高新|经济|工业|科技|技术|保税|旅游|产业|综合)+"
    r"(?:开发|园|示范|集聚|合作|实验|度假)?区)"
)
_TOWN = re.compile(
    rf"(?:{_ZONE})?(?:[\u3400-\u9fff]{{2,9}}?(?:街道(?:办事处|办)?|民族乡|地区办事处|镇|乡|苏木)(?![路街道巷口]))?"
)
_ROAD = re.compile(
    r"[\u3400-\u9fffA-Za-z0-9·]{1,14}?"
    r"(?:大道|大街|公路|马路|国道|省道|县道|环路|胡同|(?:[东西南北中]?[一二三四五六七八九十\d]{0,3})?[路街道弄巷])"
    r"(?:[东西南北中]?段|[东西南北中]?[一二三四五六七八九十\d]+段|[东西南北](?=\d))?"
)
_VILLAGE = re.compile(
    rf"[\u3400-\u9fff]{{1,8}}?(?:村|庄|屯|社区|小区|新村)(?:{_N}(?:组|队|社|区))?"
)
_NUMBER = re.compile(
    rf"\s*(?:([东西南北])?(?:第)?(?:(\d+)\s*弄\s*)?(?:(\d+)\s*巷\s*)?(?:(\d+)\s*弄\s*)?"
    rf"([甲乙丙丁附临]?\s*\d+(?:[-之]\d+)?[A-Za-z甲乙丙丁]?|[{_NUMERALS}]+)\s*"
    r"(?:号院|号大院|号之(\d+)|号附(\d+)号?|号(?![楼幢栋房])|#(?![楼幢栋房])))"
)
_BARE_LANE = re.compile(r"\s*(\d+)\s*[弄巷](?=\D|$)")
_BARE_NUMBER = re.compile(r"\s*(\d{1,4}(?:-\d{1,3})?)(?![\d幢栋座室楼层单-])")
_HYPHENS = re.compile(
    r"(?<![\d-])([A-Za-z]?\d{1,4}[A-Za-z]?)(?:-([A-Za-z]?\d{1,2}))?-([A-Za-z]?\d{2,5}[A-Za-z]?)(?![\d-])"
)
_BUILDING = re.compile(
    rf"({_N}|[A-Za-z]\d{{0,2}}|\d+[A-Za-z]|[甲乙丙丁东西南北])\s*-?(?:号楼|号幢|号栋|[幢栋座]楼?|#楼|楼栋|斋|舍)"
)
_ENTRANCE = re.compile(rf"({_N}|[A-Za-z甲乙丙丁东西])\s*(?:单元|门(?!牌)|梯|号门)")
_FLOOR = re.compile(rf"({_N})\s*(?:楼|层|[Ff](?![A-Za-z]))(?:之(\d+))?")
_ROOM = re.compile(
    r"(?<![A-Za-z\d])([A-Za-z]?\d{1,5}[A-Za-z]?(?:[-、]\d{1,4})?)\s*(?:号?房|室|号(?=$)|户|铺)"
)
_ROOM_HAN = re.compile(rf"([{_NUMERALS}]{{1,5}})\s*(?:室|房)")
_TAIL = re.compile(r"(?<![A-Za-z\d])([A-Za-z]?\d{3,4}[A-Za-z]?)\s*$")
_RUN_TOGETHER = re.compile(r"\s*(?<!\d)(\d{3}|\d{4})((?:[1-3]\d|[1-9])[0-3]\d)室")
_TOWN_MARK = re.compile("[区镇乡]|街道|苏木")
_NOISE_MARK = re.compile("[(,;、。]")
_PLAIN_NUMBER = re.compile("([0-9]+)号(?![院大之附楼幢栋房])")
_PLAIN_UNIT = re.compile(  # 丽景花园14幢4单元302室; the estate has no character that marks a part
    r"([\u3400-\u9fff]*)(?:([0-9]+)(?:号楼|[幢栋座]))?(?:([0-9]+)单元)?([0-9]{1,5})室"
)
_USUAL = re.compile(  # 莼湖街道和平大道375(号)丽景花园14幢4单元302(室), ...14-4-302
    r"([\u3400-\u9fff]+)"
    r"([0-9]+(?=号(?![院大之附楼幢栋房]))|[0-9]{1,4}(?![0-9幢栋座室楼层单段弄巷之号甲乙丙丁]))号?"
    r"([\u3400-\u9fff]*)"
    r"(?:(?:([0-9]+)(?:号楼|[幢栋座]))?(?:([0-9]+)单元)?([0-9]{1,5}(?=室)|[0-9]{3,4})室?"
    r"|([0-9]{1,4})(?:-([0-9]{1,2}))?-([0-9]{2,5}))?"
)
_PART = frozenset("号楼幢栋座斋舍元门梯层室房户铺")
_DIGITS = {c: str(i) for i, c in enumerate("零一二三四五六七八九")} | {"〇": "0"}
_NOISE = re.compile(r"\((?!.{0,3}号).*?\)|[,;、。]+")


def number(numeral: str) -> str:
    """Digits of a numeral: Chinese with tens, or digit by digit.

    >>> number("十二"), number("二十三"), number("一百零五"), number("一七〇二"), number("12")
    ('12', '23', '105', '1702', '12')
    """
    if numeral[:1].isdigit() or not numeral:
        return numeral
    if "十" not in numeral and "百" not in numeral:
        return "".join(_DIGITS[c] for c in numeral)
    total, current = 0, 0
    for c in numeral:
        if c == "百":
            total, current = total + max(current, 1) * 100, 0
        elif c == "十":
            total, current = total + max(current, 1) * 10, 0
        else:
            current = int(_DIGITS[c])
    return str(total + current)


def read(rest: str) -> Line:
    """Read a simplified, cleaned line that no longer starts with divisions."""
    if (
        (match := _USUAL.fullmatch(rest))
        and (head := _before_number(match[1]))
        and _PART.isdisjoint(estate := match[3])
    ):
        unit = "-".join(filter(None, match.groups()[3:]))
        return Line(*head, match[2], estate, unit)
    return _read(rest)


@lru_cache(maxsize=1 << 15)
def _before_number(head: str) -> tuple[str, str] | None:
    """Town and road of the characters before a number in the road; None if they end otherwise.

    Neither goes on behind a number that ends in 号.
    """
    before = f"{head}1号"
    town = match[0] if (match := _TOWN.match(before)) else ""
    match = _ROAD.match(before, len(town))
    return (town, match[0]) if match and match.end() == len(head) else None


def _read(rest: str) -> Line:
    """As :func:`read`, for any line."""
    if _NOISE_MARK.search(rest):
        rest = _NOISE.sub(" ", rest)
    rest = rest.strip()
    town = ""
    if _TOWN_MARK.search(rest) and (match := _TOWN.match(rest)):
        town = match[0]
    at = len(town)
    road = house = ""
    if match := _ROAD.match(rest, at):
        road, after = match[0], match.end()
        house, end = _house(rest, after)
        at = end
    elif match := _VILLAGE.match(rest, at):
        road = match[0]
        house, at = _house(rest, match.end(), bare=False)
    tail = rest[at:].replace(" ", "")
    if not tail:
        return Line(town, road.replace(" ", ""), house, "", "")
    if not house and (match := _RUN_TOGETHER.search(tail)):  # 丽景花园206(号)1708室
        house, tail = match[1], tail[: match.start()] + tail[match.end(1) :]
    unit, start = _unit(tail)
    estate = tail[:start].strip("-.") if start else ""
    if estate.isascii():
        estate = ""
    if not road and not house and (match := re.match(r"(\d+)号(?!楼)", estate)):
        house, estate = match[1], estate[match.end() :]
    return Line(town, road.replace(" ", ""), house, estate, unit)


def _house(rest: str, at: int, bare: bool = True) -> tuple[str, int]:
    """The number in the road and where it ends."""
    if match := _PLAIN_NUMBER.match(rest, at):
        return match[1], match.end()
    if match := _NUMBER.match(rest, at):
        _side, lane, alley, sub, own, after, extra = match.groups()
        parts = [part for part in (lane, alley, sub, _own(own), after, extra) if part]
        return "-".join(parts), match.end()
    if match := _BARE_LANE.match(rest, at):
        return match[1], match.end()
    if match := _RUN_TOGETHER.match(rest, at):  # 健康路206(号)1708室
        return match[1], match.end(1)
    if bare and (match := _BARE_NUMBER.match(rest, at)):
        return match[1], match.end()
    return "", at


def _own(text: str) -> str:
    text = text.replace(" ", "").replace("之", "-")
    return number(text) if text[0] in _NUMERALS else text.lstrip("附临")


def _unit(tail: str) -> tuple[str, int]:
    """Building, entrance and room joined by hyphens, and where they start."""
    if (match := _PLAIN_UNIT.fullmatch(tail)) and _PART.isdisjoint(match[1]):
        return "-".join(part for part in match.groups()[1:] if part), match.end(1)
    if "-" in tail and (match := _HYPHENS.search(tail)):
        parts = [part.upper() for part in match.groups() if part]
        return "-".join(parts), match.start()
    starts = []
    parts = []
    at = 0
    if match := _BUILDING.search(tail):
        parts.append(_upper(match[1]))
        starts.append(match.start())
        at = match.end()
    if match := _ENTRANCE.search(tail, at):
        parts.append(_upper(match[1]))
        starts.append(match.start())
        at = match.end()
    floor = None
    if match := _FLOOR.search(tail, at):
        floor = number(match[1]) + ("F-" + match[2] if match[2] else "F")
        starts.append(match.start())
        at = match.end()
    room = ""
    if match := (_ROOM.search(tail, at) or _ROOM_HAN.search(tail, at) or _TAIL.search(tail, at)):
        room = _upper(match[1])
        starts.append(match.start())
    elif parts and (match := re.match(r"\d{1,4}$", tail[at:])):
        room = match[0]
    if floor and not (room and room.strip("ABCDEFGHabcdefgh").startswith(floor[:-1])):
        parts.append(floor)
    if room:
        parts.append(room)
    return "-".join(parts), min(starts, default=len(tail))


def _upper(text: str) -> str:
    return number(text) if text[0] in _NUMERALS else text.upper()
