"""Addresses: any written form → divisions, street, number, unit and a comparable key.

What belongs here: choosing how to read an address and agreeing it with the
columns beside it. The text of the address decides where it names divisions and
the columns contradict it; columns fill what it does not say.

Divisions of China carry their current official names. Taiwan has no region,
Hong Kong and Macau no city. The key is the same for Chinese characters and
pinyin: road without 路 or Street, then the number.

Source: rules/addresses/ and the tables they read.

>>> a = parse("浙江杭州下城区朝晖路12号恒大苑23幢2单元1702室")
>>> a.region, a.city, a.district, a.street, a.house_number, a.unit, a.key
('浙江省', '杭州市', '拱墅区', '朝晖路', '12', '23-2-1702', 'chaohui 12')
>>> parse("No. 781 Xuefu Road, Room 1207", city="Chengdu").key == parse("成都市学府路781号").key
True
>>> parse("1048 Bush Gdns #173", city="San Jose", region="California", country="US")[1:4]
('Bush Gardens', '1048', '173')
>>> country_code("P.R. China"), country_code("UK"), country_code("")
('CN', 'GB', None)
"""

import re
from functools import lru_cache
from typing import NamedTuple

from rules import codes
from rules import text as texts
from rules.addresses import chinese, divisions, postal, romanized, western
from rules.addresses.divisions import Division
from rules.placeholder import is_placeholder
from rules.quarantine import Problem


class Address(NamedTuple):
    """One address in parts; a part that is not known is None.

    Attributes:
        address_line: the text as one line, cleaned.
        street: road with its town, village or development zone, without the number.
        house_number: number in the road; lanes and houses joined by hyphens.
        unit: building, entrance and room joined by hyphens; apartment or suite.
        district, city, region: divisions; official names in China.
        postal_code: in its national form.
        country: ISO 3166 code.
        key: road and number for comparing, never shown.
        problems: findings.
    """

    address_line: str | None = None
    street: str | None = None
    house_number: str | None = None
    unit: str | None = None
    district: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    key: str | None = None
    problems: tuple[Problem, ...] = ()


_Columns = tuple[str | None, str | None, str | None]
CHINESE = frozenset({"CN", "HK", "MO", "TW"})
"""Countries whose addresses may be written in Chinese."""
_COUNTRY_OF = {"71": "TW", "81": "HK", "82": "MO"}
_AMERICAN = re.compile(
    r",\s*[A-Za-z]{2}\.?,?\s+\d{5}(?:-\d{4})?\s*(?:,\s*USA?|,\s*United States)?\s*$"
)
_SIX_DIGITS = re.compile(r"\d{6}")
_POSTAL_IN_TEXT = re.compile(r"(?:邮编|邮政编码|郵編)?[:：]?\s*(?<!\d)(\d{6})(?!\d)(?!号|室)")

_PLACEHOLDER = Problem("address_placeholder", "This is a filler, not an address; ask for it.")
_POSTAL_CODE = Problem(
    "address_postal_code", "The postal code does not have its country's form; check it.", "warning"
)
_CONTRADICTION = Problem(
    "address_contradiction",
    "The address names another city or region than the columns beside it; its own is taken.",
    "warning",
)
_REPAIRED = Problem(
    "address_division_repaired",
    "A division's name had one wrong character and was corrected; check it.",
    "warning",
)
_UNKNOWN = Problem(
    "address_division_unknown", "The address names a city that no list has; check it.", "warning"
)


def country_code(text: str | None, default: str | None = None) -> str | None:
    """ISO 3166 code of a country's name or code; the default if there is none to read."""
    if not text or is_placeholder(text):
        return default
    return codes.country(text) or default


def parse(
    text: str | None,
    *,
    region: str | None = None,
    city: str | None = None,
    district: str | None = None,
    postal_code: str | None = None,
    country: str | None = "CN",
) -> Address:
    """Read one address and the columns beside it; never raises on bad data.

    Args:
        text: the address line as the source holds it.
        region, city, district, postal_code: the columns beside it, as the source holds them.
        country: ISO 3166 code of the record, or the one to assume.
    """
    country = country or "CN"
    beside = look_beside(region, city, district, postal_code, country)
    if text and country not in CHINESE and (plain := western.plain(text, beside.told)):
        number, street, unit, key = plain
        told = beside.told
        return Address(
            *(text, street, number, unit, beside.district, beside.city, beside.region),
            *(beside.postal_code, told, key, beside.problems),
        )
    line, problems = _line(text)
    code = beside.code
    if line and texts.has_han(line):
        return _chinese(line, problems, beside, country)
    if country not in CHINESE:
        parts = western.read(line, beside.told)
        return Address(
            line or None,
            parts.street or None,
            parts.number or None,
            parts.unit or None,
            beside.district,
            beside.city or parts.city or None,
            beside.region or parts.region or None,
            beside.postal_code or parts.postal_code or None,
            beside.told,
            parts.key or None,
            problems + beside.problems if problems or beside.problems else (),
        )
    found = _latin(line, beside.columns, country, code)
    country = found.country or country
    normal, more = _postal_code(code, country)
    return Address(
        line or None,
        *found[1:7],
        normal or found.postal_code,
        found.country,
        found.key,
        problems + more + found.problems,
    )


class Beside(NamedTuple):
    """What the columns beside an address say.

    Attributes:
        columns: region, city and district, cleaned.
        code: the postal code as written.
        told: country of the record, unless the postal code's form tells another one.
        district, city, region: as a western address shows them.
        postal_code: in its national form.
        problems: findings on the postal code.
    """

    columns: _Columns
    code: str
    told: str
    district: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    problems: tuple[Problem, ...]


def look_beside(
    region: str | None, city: str | None, district: str | None, code: str | None, country: str
) -> Beside:
    code = code.strip() if code else ""
    told = _told(code, country)
    columns, titled = _divisions(region, city, district, told)
    return Beside(columns, code, told, *titled, *(_postal_code(code, told) if code else (None, ())))


@lru_cache(maxsize=1 << 15)
def _divisions(
    region: str | None, city: str | None, district: str | None, country: str
) -> tuple[_Columns, _Columns]:
    """Region, city and district cleaned, and :func:`_titled`."""
    columns = _column(region), _column(city), _column(district)
    return columns, _titled(columns, country)


@lru_cache(maxsize=8192)
def _titled(columns: _Columns, country: str) -> _Columns:
    """District, city and region as a western address shows them."""
    region, city, district = columns
    return (
        western.title(district) if district else None,
        western.title(city) if city else None,
        western.state(region, country) if region else None,
    )


def _postal_code(code: str, country: str) -> tuple[str | None, tuple[Problem, ...]]:
    """The postal code in its national form, and what is wrong with it."""
    normal = postal.normalize(code, country)
    is_wrong = code and normal is None and not _is_filler_code(code)
    return normal, (_POSTAL_CODE,) if is_wrong else ()


def _told(code: str, country: str) -> str:
    """The country, unless the postal code's form tells another one."""
    return (postal.tells(code) or country) if code and not code.isdigit() else country


def _is_filler_code(code: str) -> bool:
    return is_placeholder(code) or len(set(code.replace(".0", ""))) == 1 or code == "999077"


def _line(text: str | None) -> tuple[str, tuple[Problem, ...]]:
    """The line cleaned, and what is wrong with it."""
    line = texts.clean(text).strip(" ,;，；") if text else ""
    return ("", (_PLACEHOLDER,)) if line and is_placeholder(line) else (line, ())


@lru_cache(maxsize=16384)
def _column(value: str | None) -> str | None:
    if not value:
        return None
    value = texts.clean(value)
    return None if is_placeholder(value) else value


def _chinese(line: str, problems: tuple[Problem, ...], beside: Beside, default: str) -> Address:
    """Read Chinese characters, with a postal code among them if none stands beside."""
    columns = beside.columns
    reading = divisions.read(texts.to_simplified(line), divisions.find(*columns))
    parts = chinese.read(reading.rest)
    own = reading.division
    (region, city, district, country), more = _settled(
        own,
        columns,
        default,
        "" if own is not None and own.district else parts.town,
        (reading.is_short, reading.repaired, bool(reading.skipped)),
    )
    road = parts.road or parts.estate
    number = parts.number or (parts.unit.split("-")[0] if not parts.road else "")
    key = f"{romanized.road_key(road)} {number}".strip() if road else ""
    code, wrong = beside.postal_code, beside.problems
    if beside.told != country:
        code, wrong = _postal_code(beside.code, country)
    if not beside.code and default == "CN" and _SIX_DIGITS.search(line):
        match = _POSTAL_IN_TEXT.search(line)
        code = postal.normalize(match[1], "CN") if match else None
    return Address(
        line,
        (parts.town + parts.road) or parts.estate or None,
        parts.number or None,
        parts.unit or None,
        district,
        city,
        region,
        code,
        country,
        key or texts.fold(reading.rest) or None,
        (*problems, *wrong, *more) if problems or wrong or more else (),
    )


_Place = tuple[str | None, str | None, str | None, str]
"""Region, city, district and country."""


@lru_cache(maxsize=1 << 15)
def _settled(
    own: Division | None, columns: _Columns, default: str, town: str, how: tuple[bool, bool, bool]
) -> tuple[_Place, tuple[Problem, ...]]:
    """The place that text and columns tell together, and what is wrong with it.

    Args:
        own: what the text says.
        columns: region, city and district, cleaned.
        default: country of the record.
        town: in the text; empty where ``own`` is a district.
        how: ``is_short``, ``repaired`` and whether any ``skipped`` of the text's reading.
    """
    division, problems = _agree(own, divisions.find(*columns), *how)
    if division is not None:
        division = divisions.by_town(division, town)
    return _placed(division, columns, default), problems


def _agree(
    own: Division | None, hint: Division | None, is_short: bool, repaired: bool, skipped: bool
) -> tuple[Division | None, tuple[Problem, ...]]:
    """The division of text and columns together; the text wins where it is as deep."""
    problems: tuple[Problem, ...] = ()
    if repaired:
        problems = (_REPAIRED,)
    if skipped:
        problems = (*problems, _UNKNOWN)
    if own is None or hint is None:
        return own or hint, problems
    if own.covers(hint):
        return hint, problems
    if hint.covers(own):
        return own, problems
    if is_short and own.level == 0:
        return hint, problems
    if own.province == hint.province and own.city == hint.city:
        return own, problems  # another district of the same city: people know theirs better
    return own, (*problems, _CONTRADICTION)


def _placed(division: Division | None, columns: _Columns, country: str) -> _Place:
    """Region, city, district and country; the columns as they are where no division is known."""
    if division is None:
        return *columns, country
    country = _COUNTRY_OF.get(division.code[:2] or _code(division.province), country)
    if country not in CHINESE:
        country = "CN"
    region = None if country == "TW" else division.province
    return region, division.city or None, division.district or None, country


def _code(province: str) -> str:
    named = divisions.named(province)
    return named[0].code[:2] if named else ""


@lru_cache(maxsize=8192)
def _latin(line: str, columns: _Columns, country: str, code: str) -> Address:
    """Latin letters where a Chinese place is assumed: romanized, or abroad after all."""
    hint = divisions.find(*columns)
    parts = romanized.read(line)
    own = divisions.find(*_deepest(parts.names)) if parts.names else None
    if hint is None and own is None and line and not romanized.is_pinyin(parts.road):
        told = _told(code, "") or ("US" if _AMERICAN.search(line) else "")
        found = _western(line, columns, told or "US")
        return found if told else found._replace(country=country)
    division = own if hint is None or (own and hint.covers(own)) else hint
    key = f"{romanized.latin_road_key(parts.road)} {parts.number.lower()}".strip()
    region, city, district, place = _placed(division, columns, country)
    return Address(
        street=western.title(parts.road) or None,
        house_number=parts.number.upper() or None,
        unit=parts.unit or None,
        district=district,
        city=city,
        region=region,
        postal_code=postal.normalize(parts.postal_code, country),
        country=place,
        key=key or texts.fold(line) or None,
    )


def _deepest(names: tuple[str, ...]) -> tuple[str | None, str | None, str | None]:
    """Region, city and district among names that stand smallest first."""
    known = [name for name in names if divisions.named(name)][::-1]
    if len(known) == 1:
        return None, known[0], None
    region, city, district = (*known, None, None, None)[:3]
    return region, city, district


def _western(line: str, columns: _Columns, country: str) -> Address:
    parts = western.read(line, country)
    district, city, region = _titled(columns, country)
    return Address(
        street=parts.street or None,
        house_number=parts.number or None,
        unit=parts.unit or None,
        district=district,
        city=city or parts.city or None,
        region=region or parts.region or None,
        postal_code=parts.postal_code or None,
        country=country,
        key=parts.key or None,
    )
