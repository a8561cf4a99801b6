"""Postal codes: the national form, and where one stands in a line.

Source: Universal Postal Union, national formats; own list.

>>> normalize("sw203jd", "GB"), normalize("2121", "US"), normalize("10011.0", "US")
('SW20 3JD', '02121', '10011')
>>> normalize("30000", "CN"), normalize("000000", "CN"), normalize("1234ab", "NL")
('030000', None, '1234 AB')
"""

import re
from functools import lru_cache
from unicodedata import normalize as nfkc

_GB = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})")
_DIGITS = {
    "CN": 6, "DE": 5, "FR": 5, "IT": 5, "ES": 5, "FI": 5, "MX": 5, "MY": 5, "TH": 5, "KR": 5,
    "TR": 5, "UA": 5, "EE": 5, "HR": 5, "AT": 4, "CH": 4, "BE": 4, "DK": 4, "NO": 4, "HU": 4,
    "AU": 4, "NZ": 4, "LU": 4, "SI": 4, "BG": 4, "ZA": 4, "PH": 4, "RU": 6, "IN": 6, "SG": 6,
    "RO": 6, "VN": 6, "ID": 5, "SA": 5, "US": 5,
}  # fmt: skip
_LEADING_ZERO = frozenset({"CN", "US", "DE", "FR", "IT", "ES", "MX", "EE", "TR", "UA", "FI"})
_SPLIT = {"SE": 3, "CZ": 3, "SK": 3, "GR": 3}
_ALL_DIGITS = re.compile(r"[0-9]+")
_NONE = frozenset({"HK", "MO"})
_FORMS = {
    "GB": re.compile(r"(?i)[\s,]*\b([A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})$"),
    "US": re.compile(r"[\s,]*\b(\d{5}(?:-\d{4})?)$"),
    "CA": re.compile(r"(?i)[\s,]*\b([A-Z]\d[A-Z][\s-]?\d[A-Z]\d)$"),
    "AU": re.compile(r"[\s,]+(\d{4})$"),
    "IE": re.compile(r"(?i)[\s,]+([AC-FHKNPRTV-Y]\d[\dW]\s?[0-9AC-FHKNPRTV-Y]{4})$"),
}
_CONTINENT = re.compile(
    r"(?i)^(?:[A-Z]{1,2}-)?(\d{4,5}|\d{3}\s\d{2}|\d{4}\s?[A-Z]{2}|\d{2}-\d{3})\s+(\D+)$"
)


def digits(country: str) -> int:
    """How many digits the country's codes have; 0 if they are not plain digits."""
    return _DIGITS.get(country, 0)


def normalize(code: str | None, country: str) -> str | None:
    """The code in its country's form; None if it has none or this cannot be one."""
    if not code:
        return None
    if len(code) == _DIGITS.get(country) and _ALL_DIGITS.fullmatch(code) and len(set(code)) > 1:
        return code
    return _normal(code, country)


@lru_cache(maxsize=8192)
def _normal(code: str, country: str) -> str | None:
    """As :func:`normalize`, for any code."""
    code = re.sub(r"\.0+$", "", nfkc("NFKC", code).strip().upper().strip("'\""))
    bare = re.sub(r"[\s.·-]", "", code)
    if (
        not bare
        or set(bare) <= {"0"}
        or (len(bare) > 4 and len(set(bare)) == 1)
        or country in _NONE
    ):
        return None
    if country == "GB":
        match = _GB.fullmatch(bare)
        return f"{match[1]} {match[2]}" if match else None
    if country == "US" and re.fullmatch(r"\d{8,9}", bare):
        bare = bare.zfill(9)
        return bare[:5] if bare.endswith("0000") else f"{bare[:5]}-{bare[5:]}"
    if country == "TW":
        return bare if re.fullmatch(r"\d{3}(?:\d{2,3})?", bare) else None
    if country == "CA":
        return f"{bare[:3]} {bare[3:]}" if re.fullmatch(r"(?:[A-Z]\d){3}", bare) else None
    if country == "JP":
        return f"{bare[:3]}-{bare[3:]}" if re.fullmatch(r"\d{7}", bare) else None
    if country == "NL":
        match = re.fullmatch(r"(?:NL)?(\d{4})([A-Z]{2})", bare)
        return f"{match[1]} {match[2]}" if match else None
    if country == "PL":
        return f"{bare[:2]}-{bare[2:]}" if re.fullmatch(r"\d{5}", bare) else None
    if country == "PT":
        return f"{bare[:4]}-{bare[4:]}" if re.fullmatch(r"\d{7}", bare) else None
    if country in _SPLIT:
        return f"{bare[:3]} {bare[3:]}" if re.fullmatch(r"\d{5}", bare) else None
    if country in _DIGITS:
        bare = re.sub(rf"^{country}", "", bare)
        size = _DIGITS[country]
        if country in _LEADING_ZERO and bare.isdigit() and len(bare) == size - 1:
            bare = "0" + bare  # a spreadsheet dropped it
            if country == "CN" and not "01" <= bare[:2] <= "07":
                return None
        return bare if re.fullmatch(rf"\d{{{size}}}", bare) else None
    return code if re.search(r"\d", code) and len(code) <= 12 else None


_BRITISH = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{0,2}")


def tells(code: str) -> str:
    """The country that the form of a code alone tells: GB (also when cut short), CA, or ''.

    >>> tells("M13 7JJ"), tells("LS10 5"), tells("K1A 0B1"), tells("90210")
    ('GB', 'GB', 'CA', '')
    """
    code = nfkc("NFKC", code).strip().upper()
    if re.fullmatch(r"[A-Z]\d[A-Z][ -]?\d[A-Z]\d", code):
        return "CA"
    return "GB" if len(code) > 4 and _BRITISH.fullmatch(code) else ""


def at_end(piece: str, country: str) -> tuple[str, str] | None:
    """What stands before a postal code at the end of a text, and the code."""
    form = _FORMS.get(country)
    if form is None or not (match := form.search(piece)):
        return None
    code = normalize(match[1], country)
    return (piece[: match.start()].strip(" ,"), code) if code else None


def at_start(piece: str, country: str) -> tuple[str, str] | None:
    """A postal code at the start of a text, and what stands behind it (10115 Berlin)."""
    if country in ("US", "GB", "CA", "AU", "IE") or not (match := _CONTINENT.match(piece)):
        return None
    code = normalize(match[1], country)
    return (code, match[2].strip()) if code else None
