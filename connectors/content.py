"""What a column's values look like: phone, credit code, date, company, name.

What belongs here: tests of one value each, and their shares over a sample. What
the shares say about a column stands in connectors/recognition.py. The tests
tell kinds apart, they do not validate: the rules do that, value by value.

>>> found = shares(["138 0013 8000", "13900139000"])
>>> found["mobile"], found["email"]
(1.0, 0.0)
>>> shares(["浙江星辰贸易有限公司", "Acme Trading Ltd"])["organization"]
1.0
"""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import opencc
import yaml

_EMAIL = re.compile(r"[^\s@,;，；]+@[^\s@,;，；]+\.[a-z]{2,}")
_URL = re.compile(r"(?:https?://|www\.)\S+|[a-z0-9-]+\.(?:com|cn|org|net|co\.uk)(?:/\S*)?")
_CN_MOBILE = re.compile(r"(?:\+|00)?(?:86)?1[3-9]\d{9}(?:\.0)?")
_PHONE_CHARACTERS = re.compile(
    r"(?:tel|ph|mob)?[:.]?[+\d(（][\d()（）+\-./ —转]*(?:(?:x|ext\.?)\s?\d+)?"
)
_PHONE_SIGNS = re.compile(r"^[+(（]|^0\d|\d[-. )）]\d|(?:x|ext|转)")
_DATE = re.compile(
    r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?(?P<t>[t ]\d{1,2}:\d{2}.*)?"
    r"|(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<y2>\d{4}|\d{2})(?P<t2>[t ]\d{1,2}:\d{2}.*)?"
    r"|(?P<y3>(?:17|18|19|20)\d{2})(?P<m3>\d{2})(?P<d3>\d{2})"
    r"|\d{1,2}[- ](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[- ,]+(?P<y4>\d{4})"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2}, ?(?P<y5>\d{4})"
)
_RESIDENT = re.compile(r"[1-9]\d{5}(?:18|19|20)?\d{2}(?:0\d|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dx]?")
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}")
_NINO = re.compile(r"[a-z]{2}\d{6}[a-d]")
_ASIAN_ID = re.compile(r"[a-z][12]\d{8}|[a-z]{1,2}\d{6}\(?[\da]\)?")
_CREDIT = re.compile(r"[0-9a-hj-npqrtuwxy]{2}\d{6}[0-9a-hj-npqrtuwxy]{10}")
_EIN = re.compile(r"\d{2}-\d{7}")
_VAT = re.compile(r"(?:gb|de|fr|it|es|nl|at|be|pl|dk|se|fi|ie|pt|cz|hu|ro|lu|chn?e)[0-9a-z]{8,12}")
_LICENSE = re.compile(r"\d{8}-[\dx]")
_POSTAL = {
    "GB": re.compile(r"[a-z]{1,2}\d[a-z\d]? ?\d[abd-hjlnp-uw-z]{2}"),
    "CA": re.compile(r"[a-ceghj-nprstvxy]\d[a-z][ -]?\d[a-z]\d"),
    "US": re.compile(r"\d{5}(?:-\d{4})?"),
    "CN": re.compile(r"[0-8]\d{5}"),
    "AU": re.compile(r"[0-8]\d{3}"),
}
_WESTERN_ADDRESS = re.compile(
    r"^(?:(?:unit|apt|suite|flat)\s*\w+\s*,?\s*)?\d+[a-z]?\b.*[a-z]{3}|\bp\.?o\.? box\b"
)
_HAN_ADDRESS = re.compile(r"[省市区县镇乡村].*(?:[路街道巷弄村号]|大道)|(?:路|街|大道|巷|弄)\d+号?")
_HAN = re.compile("[㐀-鿿]")
_HAN_ONLY = re.compile("[㐀-鿿·]{2,8}")
_WORDS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*\.?")
_PERSON = re.compile(r"[^\W\d_]+(?:[-'’. ,]+[^\W\d_]+)*[.,]?")
_INTEGER = re.compile(r"-?\d{1,15}")
_DECIMAL = re.compile(r"-?\d[\d,]*\.\d+|[¥$€£]\s?-?\d[\d,.]*|-?\d{1,3}(?:,\d{3})+|-?\d+(?:\.\d+)?%")
_HOUSE_NUMBER = re.compile(r"\d{1,5}(?:[ /-]?[a-z0-9]{1,3})?|no\.? ?\d+|\d+(?:号|號|弄|栋|幢)")


@dataclass(frozen=True)
class _Known:
    given: frozenset[str]
    family: frozenset[str]
    han: frozenset[str]
    han_double: frozenset[str]
    organization: frozenset[str]
    organization_han: re.Pattern[str]
    street: frozenset[str]
    sexes: frozenset[str]
    types: frozenset[str]
    countries: frozenset[str]
    regions: dict[str, frozenset[str]]


@functools.cache
def words() -> dict[str, Any]:
    """connectors/resources/recognition.yml."""
    path = resources.files("connectors") / "resources/recognition.yml"
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    return found


@functools.cache
def _known() -> _Known:
    data = words()

    def split(name: str) -> frozenset[str]:
        return frozenset(data[name].split())

    return _Known(
        given=split("given_names"),
        family=split("family_names"),
        han=frozenset(data["han_surnames"]),
        han_double=frozenset(data["han_double_surnames"]),
        organization=split("organization_words"),
        organization_han=re.compile(f"(?:{'|'.join(data['organization_han'])})(?:[(（].*[)）])?$"),
        street=split("street_words"),
        sexes=frozenset(data["sexes"]),
        types=frozenset(data["types"]),
        countries=frozenset(data["countries"]),
        regions={name: _region_names(text) for name, text in data["regions"].items()},
    )


def _region_names(text: str) -> frozenset[str]:
    return frozenset(text.split()) | {"new york", "new jersey", "new south wales", "new mexico"}


@functools.cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def folded(value: str) -> str:
    """NFKC, simplified, lower case, one blank between words."""
    text = unicodedata.normalize("NFKC", value)
    if _HAN.search(text):
        text = _simplifier().convert(text)
    return " ".join(text.casefold().split())


def _digits(text: str) -> int:
    return sum(c.isdigit() for c in text)


def _mobile(text: str) -> bool:
    return _CN_MOBILE.fullmatch(re.sub(r"[\s()+-]", "", text)) is not None


def _phone(text: str) -> bool:
    if _mobile(text):
        return True
    if not 7 <= _digits(text) <= 20 or _DATE.fullmatch(text) or _SSN.fullmatch(text):
        return False
    return _PHONE_CHARACTERS.fullmatch(text) is not None and (
        _PHONE_SIGNS.search(text) is not None or _digits(text) in (10, 11)
    )


def _national_id(text: str) -> bool:
    plain = re.sub(r"[\s-]", "", text)
    if _RESIDENT.fullmatch(plain) and len(plain) in (15, 18):
        return True
    return any(p.fullmatch(text) for p in (_SSN, _ASIAN_ID)) or _NINO.fullmatch(plain) is not None


def _tax_id(text: str) -> bool:
    plain = re.sub(r"[\s-]", "", text)
    if len(plain) == 18 and _CREDIT.fullmatch(plain):
        return not _RESIDENT.fullmatch(plain)
    return any(p.fullmatch(text) for p in (_EIN, _LICENSE)) or (
        _VAT.fullmatch(plain) is not None and _digits(plain) >= 7
    )


def year(text: str) -> int | None:
    """The year of a date that is written out, or None if the text is no date.

    >>> year("1984-03-02"), year("3/2/1984"), year("19840302"), year("1984"), year("1801-88-17")
    (1984, 1984, 1984, None, 1801)
    """
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    if found["m3"] and not (1 <= int(found["m3"]) <= 12 and 1 <= int(found["d3"]) <= 31):
        return None
    if found["a"] and min(int(found["a"]), int(found["b"])) > 12:
        return None
    written = found["y"] or found["y2"] or found["y3"] or found["y4"] or found["y5"]
    if len(written) == 2:
        return 1900 + int(written) if int(written) > 26 else 2000 + int(written)
    return int(written) if 1600 <= int(written) <= 2100 else None


def has_time(text: str) -> bool:
    """Whether a date is written with a time of day."""
    found = _DATE.fullmatch(text)
    return found is not None and bool(found["t"] or found["t2"])


def _organization(text: str) -> bool:
    if _HAN.search(text):
        return len(text) > 3 and _known().organization_han.search(text) is not None
    parts = re.sub(r"[^\w ]", " ", text).split()
    return len(parts) > 1 and not _known().organization.isdisjoint(parts)


def _person_han(text: str) -> bool:
    if not _HAN_ONLY.fullmatch(text) or len(text) > 4 or _organization(text):
        return False
    known = _known()
    return (text[0] in known.han and len(text) <= 3) or text[:2] in known.han_double


def _person_latin(text: str) -> bool:
    if not _PERSON.fullmatch(text) or _organization(text):
        return False
    parts = [part.strip(".'") for part in re.split(r"[\s,]+", text) if part.strip(".'")]
    known = _known()
    return 2 <= len(parts) <= 5 and any(p in known.given or p in known.family for p in parts)


def _given(text: str) -> bool:
    first = re.split(r"[\s-]", text, maxsplit=1)[0]
    return len(text.split()) <= 2 and first in _known().given


def _family(text: str) -> bool:
    return len(text.split()) <= 2 and (
        text.split(" ", 1)[0] in _known().family or text in _known().han | _known().han_double
    )


def _address(text: str) -> bool:
    if _HAN.search(text):
        return _HAN_ADDRESS.search(text) is not None and len(text) > 4
    parts = re.sub(r"[^\w ]", " ", text).split()
    if len(parts) < 2 or _known().street.isdisjoint(parts):
        return False
    return _WESTERN_ADDRESS.search(text) is not None or parts[-1] in _known().street


def _city(text: str) -> bool:
    return (
        len(text) <= 10
        and _HAN_ONLY.fullmatch(text) is not None
        and text.endswith(("市", "自治州"))
    )


def _region(text: str) -> bool:
    known = _known().regions
    if _HAN.search(text):
        return len(text) <= 10 and any(text.startswith(name) for name in known["CN"])
    return any(text in names for names in known.values())


TESTS: dict[str, Callable[[str], bool]] = {
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "url": lambda text: _URL.fullmatch(text) is not None,
    "national_id": _national_id,
    "tax_id": _tax_id,
    "mobile": _mobile,
    "phone": _phone,
    "date": lambda text: year(text) is not None,
    "postal_code": lambda text: any(p.fullmatch(text) for p in _POSTAL.values()),
    "postal_letters": lambda text: any(_POSTAL[c].fullmatch(text) for c in ("GB", "CA")),
    "organization": _organization,
    "person_han": _person_han,
    "person": lambda text: _person_han(text) or _person_latin(text),
    "given_name": _given,
    "family_name": _family,
    "address": _address,
    "city": _city,
    "region": _region,
    "country": lambda text: text in _known().countries,
    "sex": lambda text: text in _known().sexes,
    "customer_type": lambda text: text in _known().types,
    "han": lambda text: _HAN.search(text) is not None,
    "integer": lambda text: _INTEGER.fullmatch(text) is not None,
    "decimal": lambda text: _DECIMAL.fullmatch(text) is not None,
    "house_number": lambda text: _HOUSE_NUMBER.fullmatch(text) is not None,
    "one_word": lambda text: " " not in text,
    "digit": lambda text: any(c.isdigit() for c in text),
    "time": has_time,
}
"""Name of a kind → whether a folded value is of it."""


@functools.lru_cache(maxsize=1 << 16)
def _kinds(value: str) -> frozenset[str]:
    """Names of the kinds that a value looks like; tables of one source share many values."""
    text = folded(value)
    return frozenset(name for name, test in TESTS.items() if test(text))


def shares(values: Sequence[str]) -> dict[str, float]:
    """Share of the values, 0..1, that look like each kind; all 0 if there are none."""
    found: Counter[str] = Counter()
    for value, count in Counter(values).items():
        for name in _kinds(value):
            found[name] += count
    return {name: found[name] / max(len(values), 1) for name in TESTS}


def is_datum(text: str) -> bool:
    """Whether a text can only be a value, never a heading.

    >>> is_datum("a@example.com"), is_datum("555-010-0001"), is_datum("Sales 2024")
    (True, True, False)
    """
    plain = folded(text)
    return any(TESTS[kind](plain) for kind in ("email", "phone", "date", "national_id"))


def postal_country(values: Sequence[str]) -> str | None:
    """The country whose postal codes most values are, if their form alone tells."""
    texts = [folded(value) for value in values]
    for country in ("GB", "CA"):
        if texts and sum(_POSTAL[country].fullmatch(t) is not None for t in texts) > len(texts) / 2:
            return country
    return None


def region_country(values: Sequence[str]) -> str | None:
    """The country whose provinces or states most values are; the first of equal ones."""
    texts = [folded(value) for value in values]
    counts = {
        country: sum(
            t in names or (country == "CN" and _region(t) and bool(_HAN.search(t))) for t in texts
        )
        for country, names in _known().regions.items()
    }
    best = max(counts, key=lambda country: counts[country])
    return best if texts and counts[best] > len(texts) / 2 else None


def has_han(text: str) -> bool:
    """Whether Chinese characters stand in a text."""
    return _HAN.search(text) is not None
