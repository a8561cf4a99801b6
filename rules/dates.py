"""Dates: any written form → a calendar date, or a moment in UTC.

What belongs here: reading one cell. Whether 03/04 is March or April cannot be
seen from one value; the caller says it (``day_first``), best from the column.

Source: ISO 8601; ROC years (year 1 = 1912); Excel day numbers (day 1 = 1900-01-01,
with the 1900 leap-year error, so 60 and below are refused).

>>> parse("二〇〇一年三月五日").value, parse("民國88年7月1日").value
(datetime.date(2001, 3, 5), datetime.date(1999, 7, 1))
>>> parse("03/04/1981").value, parse("03/04/1981", day_first=True).value
(datetime.date(1981, 3, 4), datetime.date(1981, 4, 3))
>>> parse("0000-00-00").problems[0].rule
'date_placeholder'
>>> parse_timestamp("2023-01-13T20:29:00+08:00").value
datetime.datetime(2023, 1, 13, 12, 29, tzinfo=datetime.timezone.utc)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from unicodedata import normalize
from zoneinfo import ZoneInfo

from rules.placeholder import is_placeholder
from rules.quarantine import Problem


@dataclass(slots=True)
class Dated:
    """A date, or None with the reason in ``problems``."""

    value: date | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Moment:
    """A moment in UTC, or None with the reason in ``problems``."""

    value: datetime | None = None
    problems: tuple[Problem, ...] = ()


_PLACEHOLDER = Problem("date_placeholder", "This is a filler, not a date; find the right one.")
_IMPOSSIBLE = Problem("date_impossible", "The calendar has no such day; check it.")
_UNREADABLE = Problem("date_unreadable", "This is not a date in any known form; check it.")
_FUTURE = Problem("date_in_future", "The date lies after the latest possible one; check it.")
_TOO_OLD = Problem("date_too_old", "The date lies before 1850; check the year.")
_NO_DAY = Problem("date_incomplete", "Only year and month (or the year) are given; find the day.")
_CENTURY = Problem(
    "date_two_digit_year", "The year has two digits; the century was inferred.", "warning"
)

EARLIEST = date(1850, 1, 1)
"""The first day that a living customer's record may name."""
_EXCEL_EPOCH = date(1899, 12, 30)
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_ISO_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}:[0-9]{2}Z?)?")
_YMD = re.compile(r"(\d{4})\s*[-/.年_]\s*(\d{1,2})\s*[-/.月_]\s*(\d{1,2})\s*[日号號]?")
_YM = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?|(\d{4})\s*年?")
_XYZ = re.compile(r"(\d{1,2})\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{4}|\d{2})")
_YYMD = re.compile(r"'?(\d{2})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号號]?")
_ROC = re.compile(
    r"(?:中華民國|中华民国|民國|民国|roc)\s*(\d{1,3}|元)\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*日?",
    re.I,
)
_DMON = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s.\-/]*([a-z]{3,9})\.?[\s,.\-/]*(\d{4}|'?\d{2})")
_MOND = re.compile(r"([a-z]{3,9})\.?[\s\-/]*(\d{1,2})(?:st|nd|rd|th)?[\s,.\-/]+(\d{4}|'?\d{2})")
_YMOND = re.compile(r"(\d{4})[\s,.\-/]*([a-z]{3,9})\.?[\s,.\-/]*(\d{1,2})(?:st|nd|rd|th)?")
_TIME = re.compile(
    r"[\sT]\s*(?:(上午|下午|am|pm)\s*)?(\d{1,2})[:时時点點](\d{1,2})(?:[:分](\d{1,2})(?:[.,](\d{1,9}))?秒?)?分?"
    r"\s*(am|pm|a\.m\.|p\.m\.)?\s*(z|utc|gmt|[+-]\d{1,2}:?\d{0,2})?\s*$",
    re.I,
)
_WEEKDAY = re.compile(
    r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[\s,.]+"
    r"|[(（]?(?:星期|周|礼拜)[一二三四五六日天][)）]?"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "jan january januar",
            "feb february februar",
            "mar march maerz märz mrz",
            "apr april",
            "may mai\n        ",
            "jun june juni",
            "jul july juli",
            "aug august",
            "sep sept september",
            "oct october okt oktober\n        ",
            "nov november",
            "dec december dez dezember",
        ],
        1,
    )
    for name in names.split()
}
_DIGITS = dict(zip("〇零○Ｏ一二三四五六七八九", "0000123456789", strict=True))
_CHINESE_NUMBER = re.compile("[〇零○一二三四五六七八九十廿卅]+")


def parse(
    text: str | None,
    *,
    formats: Sequence[str] = (),
    day_first: bool = False,
    latest: date | None = None,
    earliest: date = EARLIEST,
) -> Dated:
    """Read one date.

    Args:
        text: the cell as the source holds it.
        formats: ``YYMMDD``, ``YYYYMMDD``, ``DDMMYYYY``, ``MMDDYYYY``, ``DDMMYY``, ``MMDDYY``,
            ``ROC`` or strptime patterns, tried first.
        day_first: whether 03/04/1981 is the third of April.
        latest: the last day that can be right (today for birth dates); also decides
            the century of two-digit years, which is today's otherwise.
        earliest: the first day that can be right.

    Returns:
        The date, or None and why; never raises on bad data.
    """
    if not text:
        return Dated()
    if (match := _ISO.fullmatch(text)) and not formats:
        value = _date(*match.groups())
        if value and value >= earliest and (latest is None or value <= latest):
            return Dated(value)
    return _parse(text, tuple(formats), day_first, latest, earliest)


def parse_timestamp(text: str | None, *, day_first: bool = False, zone: str = "UTC") -> Moment:
    """Read a moment; without a zone of its own it is taken to be in ``zone``.

    A bare date is its first moment. Returns UTC, or None and why.
    """
    if not text:
        return Moment()
    if _ISO_MOMENT.fullmatch(text):  # most systems write it so
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:  # no such day or hour: the way below says why
            return _parse_timestamp(text, day_first, zone)
        if moment.date() >= EARLIEST:
            return Moment(_in_utc(moment, moment.tzinfo or _zone(zone)))
    return _parse_timestamp(text, day_first, zone)


@lru_cache(maxsize=32768)
def _parse_timestamp(text: str, day_first: bool, zone: str) -> Moment:
    text = normalize("NFKC", text).strip()
    if re.fullmatch(r"1\d{9}(?:\d{3})?(?:\.0)?", text):  # Unix seconds or milliseconds
        seconds = int(text.removesuffix(".0")[:10])
        return Moment(datetime.fromtimestamp(seconds, UTC))
    if re.fullmatch(r"\d{14}", text):
        text = f"{text[:8]} {text[8:10]}:{text[10:12]}:{text[12:]}"
    if (match := re.fullmatch(r"([2-5]\d{4})\.(\d+)", text)) and int(match[2]):
        moment = datetime(1899, 12, 30) + timedelta(days=float(text))
        return Moment(_in_utc(moment.replace(microsecond=0), _zone(zone)))
    match = _TIME.search(text)
    day = _parse(text[: match.start()] if match else text, (), day_first, None, EARLIEST)
    if day.value is None or match is None:
        if day.value is None:
            return Moment(None, day.problems)
        return Moment(_in_utc(datetime(*day.value.timetuple()[:3]), _zone(zone)), day.problems)
    half, hour, minute, second, fraction, after, offset = match.groups()
    hours = int(hour)
    half = (half or after or "").lower().replace(".", "")
    if half in ("pm", "下午") and hours < 12:
        hours += 12
    elif half in ("am", "上午") and hours == 12:
        hours = 0
    try:
        moment = datetime(
            *day.value.timetuple()[:3],
            hours,
            int(minute),
            min(int(second or 0), 59),
            int((fraction or "0")[:6].ljust(6, "0")),
        )
    except ValueError:
        return Moment(None, (_IMPOSSIBLE,))
    return Moment(_in_utc(moment, _offset(offset) if offset else _zone(zone)), day.problems)


def _in_utc(moment: datetime, zone: tzinfo) -> datetime:
    return moment.replace(tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)


def _offset(text: str) -> tzinfo:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    delta = timedelta(hours=min(hours, 23), minutes=min(minutes, 59))
    return timezone(-delta if text[0] == "-" else delta)


@lru_cache(maxsize=65536)
def _parse(
    text: str, formats: tuple[str, ...], day_first: bool, latest: date | None, earliest: date
) -> Dated:
    text = normalize("NFKC", text).strip().strip("'\"").strip()
    if is_placeholder(text) or (set(text) <= set("0-/:. T年月日") and "0" in text):
        return Dated(None, (_PLACEHOLDER,) if text else ())
    pivot = latest or date.today()
    for form in formats:
        value, problem = _by_format(text, form, pivot)
        if value:
            return _checked(value, problem, latest, earliest)
    text = text.casefold()
    if match := _TIME.search(text):
        text = text[: match.start()]
    text = _WEEKDAY.sub("", text).strip(" ,;t")
    if any(c in text for c in "〇零○一二三四五六七八九十廿卅"):
        text = _CHINESE_NUMBER.sub(lambda m: _number(m[0]), text)
    value, problem = _read(text, day_first, pivot)
    if value is None:
        return Dated(None, (problem or _UNREADABLE,))
    return _checked(value, problem, latest, earliest)


def _checked(value: date, problem: Problem | None, latest: date | None, earliest: date) -> Dated:
    if value < earliest:
        return Dated(None, (_PLACEHOLDER if value.year < 1800 else _TOO_OLD,))
    if latest is not None and value > latest:
        return Dated(None, (_FUTURE,))
    if (value.year, value.month, value.day) in ((9999, 12, 31), (2999, 12, 31), (9999, 1, 1)):
        return Dated(None, (_PLACEHOLDER,))
    return Dated(value, (problem,) if problem else ())


def _read(text: str, day_first: bool, pivot: date) -> tuple[date | None, Problem | None]:
    """The first form that fits; (None, reason) if it fits but the day does not exist."""
    if match := _YMD.fullmatch(text):
        return _or_impossible(_date(*match.groups()))
    if match := _ROC.fullmatch(text):
        since = 1 if match[1] == "元" else int(match[1])
        return _or_impossible(_date(since + 1911, match[2], match[3]))
    if match := _XYZ.fullmatch(text):
        first, separator, second, year = match.groups()
        return _slashed(first, second, year, day_first or separator == ".", pivot)
    if match := _YYMD.fullmatch(text):
        return _two_digits(match[1], match[2], match[3], pivot)
    for pattern, (day, month, year) in (
        (_DMON, (1, 2, 3)),
        (_MOND, (2, 1, 3)),
        (_YMOND, (3, 2, 1)),
    ):
        if (match := pattern.fullmatch(text)) and match[month] in _MONTHS:
            digits = match[year].strip("'")
            if len(digits) == 2:
                return _two_digits(digits, _MONTHS[match[month]], match[day], pivot)
            return _or_impossible(_date(digits, _MONTHS[match[month]], match[day]))
    digits = text.removesuffix(".0")
    if digits.isdigit() and digits.isascii():
        return _run(digits, pivot)
    if _YM.fullmatch(text):
        return None, _NO_DAY
    if re.fullmatch(r"\d{5}\.\d+", text):
        return _EXCEL_EPOCH + timedelta(days=int(float(text))), None
    return None, _UNREADABLE


def _run(digits: str, pivot: date) -> tuple[date | None, Problem | None]:
    """A run of digits: YYYYMMDD, YYMMDD, an Excel day number or a year."""
    if len(digits) == 8:
        value = _date(digits[:4], digits[4:6], digits[6:])
        if value is None or not 1800 <= value.year <= 2200:
            other = _date(digits[4:], digits[:2], digits[2:4])
            other = other or _date(digits[4:], digits[2:4], digits[:2])
            value = other if other and 1850 <= other.year <= 2200 else value
        return _or_impossible(value)
    if len(digits) == 6:
        return _two_digits(digits[:2], digits[2:4], digits[4:], pivot)
    if len(digits) == 5 and int(digits) > 60:
        return _EXCEL_EPOCH + timedelta(days=int(digits)), None
    if len(digits) == 7:  # ROC 0880701
        value = _date(int(digits[:3]) + 1911, digits[3:5], digits[5:])
        return (value, None) if value and int(digits[:3]) <= 150 else (None, _UNREADABLE)
    if len(digits) == 4 and 1850 <= int(digits) <= 2200:
        return None, _NO_DAY
    return None, _UNREADABLE


def _slashed(
    first: str, second: str, year: str, day_first: bool, pivot: date
) -> tuple[date | None, Problem | None]:
    day, month = (first, second) if day_first else (second, first)
    if int(month) > 12 >= int(day):
        day, month = month, day
    if len(year) == 2:
        return _two_digits(year, month, day, pivot)
    return _or_impossible(_date(year, month, day))


def _two_digits(
    year: str, month: str | int, day: str | int, pivot: date
) -> tuple[date | None, Problem | None]:
    """The latest century that does not lie after ``pivot``."""
    century = pivot.year // 100 * 100
    value = _date(century + int(year), month, day)
    if value is None or value > pivot:
        value = _date(century - 100 + int(year), month, day) or value
    return (value, _CENTURY) if value else (None, _IMPOSSIBLE)


def _by_format(text: str, form: str, pivot: date) -> tuple[date | None, Problem | None]:
    digits = text.removesuffix(".0")
    if "%" in form:
        try:
            return datetime.strptime(text, form).date(), None
        except ValueError:
            return None, None
    size = form.count("Y"), form.count("M"), form.count("D")
    if not digits.isdigit() or form == "ROC":
        match = re.fullmatch(r"(\d{1,3})\D?(\d{1,2})\D?(\d{1,2})", digits)
        if form == "ROC" and match:
            return _date(int(match[1]) + 1911, match[2], match[3]), None
        return None, None
    digits = digits.zfill(len(form))
    if len(digits) != len(form) or sum(size) != len(form):
        return None, None
    part = {c: digits[form.index(c) : form.rindex(c) + 1] for c in "YMD" if c in form}
    if size[0] == 2:
        value, _ = _two_digits(part["Y"], part["M"], part["D"], pivot)
        return value, None  # declared by the source: nothing to look at
    return _date(part["Y"], part["M"], part.get("D", "")), None


def _or_impossible(value: date | None) -> tuple[date | None, Problem | None]:
    return (value, None) if value else (None, _IMPOSSIBLE)


def _date(year: str | int, month: str | int, day: str | int) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _number(text: str) -> str:
    """Chinese numerals to digits, positional or with ten.

    >>> _number("二〇〇一"), _number("十二"), _number("二十"), _number("三十一"), _number("廿五")
    ('2001', '12', '20', '31', '25')
    """
    text = text.replace("廿", "二十").replace("卅", "三十")
    if "十" in text:
        tens, ones = text.split("十", 1)
        return (_DIGITS.get(tens, "1") if tens else "1") + (_DIGITS.get(ones, "0") if ones else "0")
    return "".join(_DIGITS[c] for c in text)
