"""Telephone numbers: any written form → E.164.

What belongs here: reading a cell that holds one or more numbers, in Chinese
or international habits. Which column is a phone stands in the source's mapping.

A number that lost its area code, or a digit, has no E.164 form; it still gets
a key (``local:DIGITS``, ``damaged:DIGITS``) that finds its kin in matching.

Source: ITU-T E.164 (11/2010); area codes in resources/area_codes.tsv; other
countries' plans from Google's libphonenumber (phonenumberslite).

>>> parse("０５７１－８７６５４３２１转802").numbers
(Phone(e164='+8657187654321', kind='fixed', extension='802', key='+8657187654321'),)
>>> [p.e164 for p in parse("138 1234 5678 / 010-62345678/79").numbers]
['+8613812345678', '+861062345678', '+861062345679']
>>> parse("1.38E+10").problems[0].rule
'phone_scientific_notation'
>>> parse("(020) 7946 0018", country="GB").numbers[0].e164
'+442079460018'
>>> [p.e164 for p in parse("212/555-0123; 310/555-0199", country="US").numbers]
['+12125550123', '+13105550199']
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from rules import numbering, tables
from rules.area_codes import by_city, lengths
from rules.placeholder import is_placeholder
from rules.quarantine import Problem


@dataclass(slots=True)
class Phone:
    """One number in full.

    Attributes:
        e164: "+" and digits, ITU-T E.164.
        kind: mobile, fixed, service or unknown (the plan does not tell).
        extension: digits to dial after it answers, empty if none.
        key: its comparable form, the E.164 number without the extension.
    """

    e164: str
    kind: str
    extension: str
    key: str


@dataclass(slots=True)
class Phones:
    """What a cell holds: full numbers in order, keys of those and of partial ones, findings."""

    numbers: tuple[Phone, ...] = ()
    keys: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


_CN_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_MOBILE = re.compile(r"(?:\+?86[- ]?)?(1[3-9][0-9])[- ]?([0-9]{4})[- ]?([0-9]{4})")
_CHINESE = frozenset({"CN", "HK", "TW", "MO", ""})
_SIMPLE = re.compile(r"[+(]?\d[\d() .-]{6,16}\d", re.ASCII)
"""One number with the usual marks and nothing else."""
_AMERICAN_PLAIN = re.compile(  # 212555.0000 is a number that lost digits in a spreadsheet
    r"(?:\+?1[- .])?\(?([2-9][0-9]{2})\)?[- .]{0,2}([2-9][0-9]{2})[- .]?(?!0000)([0-9]{4})"
)
_CN_LANDLINE = re.compile(
    r"(?:\(?0([1-9]\d{1,2})\)?|\+86[- ]([1-9]\d{1,2}))[- ]?"
    r"([2-8]\d{6,7})(?:(?:[-*转]| ext )(\d{1,5}))?",
    re.ASCII,
)
_CN_LOCAL = re.compile(r"[2-8]\d{6,7}", re.ASCII)
_DIGITS = re.compile(r"\D")
_LEAD = re.compile(r"^[^\d+(]+")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}")
_FLOAT = re.compile(r"(\+?\d{6,})\.0*")
_DASHES = re.compile("[\u2010-\u2015\u2212\u2500\u30fc\u4e00\uff0d_]")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_EXTENSION = re.compile(
    r"(?i)\s*(?:,?\s*(?:分机|分機|内线|內線|转|轉|extension|ext|extn|x|ex)[\s.:：号]*|[*#]\s*)(\d{1,6})(?!\d)"
)
_SEPARATOR = re.compile(r"(?i)[/\\,，;；、|\n\r&]+|(?<=\d)\s+(?:or|and|或|和)\s+(?=[+\d(])|或|和")
_AREA_SLASH = re.compile(  # 212/555-0123, 030/1234567: the slash ends an area code
    r"((?:^|[,，;；、|\n\r&])\s*(?:(?:\+|00)\d{1,3}[ .-]*)?(?:\(0\)\s?)?\(?\d{2,5}\)?)"
    r"\s?/\s?(?=\d(?:[ .-]?\d){4})"
)
_MOBILE_IN_TEXT = re.compile(
    r"(?<![\d+])(?:(?:\+|00)?\s?\(?86\)?[-. ]*|0)?(1[3-9]\d)[-. ]?(\d{4})[-. ]?(\d{4})(?![\d])"
    r"|(?<![\d+])\+\s?86[-. ]*(1[3-9]\d)[-. ]?(\d{4})[-. ]?(\d{4})(?![\d])"
)
_COUNTRY_BEFORE = re.compile(  # people do write +852, +886 or +1 before a mainland number
    r"(?<!\d)(?:\+\s?|00)(?!86|85[23]\D|886|1\D)[1-9]\d{0,2}[-. ]*(?:\(0?\))?[-. (]*$"
)
_TRUNK_ZERO = re.compile(r"0[1-9]\d{8,9}")
_GAP = re.compile(r"(?<=\d)\s+(?=[+(\d])")
_FOREIGN_86 = re.compile(r"\D*(\+\s?|00)86")
_PREFIX_86 = re.compile(r"^\(?(?:\+|00)?\s?\(?\+?86\)?[-. ]*(?=\(?[01-9])")
_SERVICE = re.compile(r"[48]00\d{7}")
_SHORT_SERVICE = re.compile(r"95\d{3}|96\d{3,4}")
_SHORT = re.compile(r"1\d{2,5}")
_TAIWAN = re.compile(r"09\d\d-\d{3}-\d{3}|\(0\d\)\s?\d{3,4}-?\d{4}")
_AMERICAN = re.compile(r"\([2-9]\d\d\) ?\d{3}-\d{4}|[2-9]\d\d([-.])\d{3}\1\d{4}")
_BRITISH = re.compile(r"0\d{4} \d{6}|07\d{3} \d{6}|0\d{2} \d{4} \d{4}|0\d{3} \d{3} \d{4}")
_NEIGHBOR = re.compile(r"852[2-9]\d{7}|853[26]\d{7}|886\d{8,9}")
FILLERS = frozenset(row[1] for row in tables.rows("placeholders_of_kind") if row[0] == "phone")
"""Digits that stand where somebody had no number."""

_PLACEHOLDER = Problem("phone_placeholder", "This is a filler, not a number; ask the customer.")
_SCIENTIFIC_NOTATION = Problem(
    "phone_scientific_notation",
    "A spreadsheet turned the number into scientific notation and its digits are lost; "
    "read it again from the original.",
)
_NO_AREA_CODE = Problem(
    "phone_no_area_code",
    "A landline number without area code, and the record's city does not tell it; add the code.",
    "warning",
)
_LENGTH = Problem("phone_length", "The number has too few or too many digits; check it.")
_SHORT_NUMBER = Problem(
    "phone_short_number",
    "A short number such as 110 or 12345 reaches a public service, not a customer; ask for theirs.",
)
_UNASSIGNED = Problem(
    "phone_unassigned", "No such number can exist in this numbering plan; check it."
)
_NOT_A_NUMBER = Problem("phone_not_a_number", "There is no telephone number in this text.")
_AREA_CODE = Problem("phone_area_code", "No such area code exists in mainland China; check it.")


def parse(text: str | None, *, country: str = "CN", city: str | None = None) -> Phones:
    """Read every number in a cell.

    Args:
        text: the cell as the source holds it.
        country: ISO 3166 code of the record, deciding how national numbers read.
        city: Chinese city of the record, for landlines without area code.

    Returns:
        Full numbers without repeats, in the order written; never raises on bad data.
    """
    if not text:
        return Phones()
    if country in _CHINESE and (match := _MOBILE.fullmatch(text)):
        mobile = "".join(match.groups())
        if not _is_filler(mobile):
            key = "+86" + mobile
            return Phones((Phone(key, "mobile", "", key),), (key,))
    country = (country or "CN").upper()
    if country == "US" and (american := _american(text)):
        return american
    found = _parse(text, country, "")
    # A city says nothing but the area code of a number without one.
    return _parse(text, country, city) if city and _NO_AREA_CODE in found.problems else found


def is_plainly_of(country: str, text: str) -> bool:
    """Whether a cell is one sound number of a country without a doubt; False may mean either.

    >>> is_plainly_of("US", "(212) 555-0123"), is_plainly_of("CN", "13812345678")
    (True, True)
    """
    if country == "US":
        return _american(text) is not None
    return country == "CN" and _is_plain_mobile(text)


def _is_plain_mobile(text: str) -> bool:
    """Whether it is the eleven digits of a Chinese mobile number and no filler."""
    return _CN_MOBILE.fullmatch(text) is not None and text not in FILLERS and len(set(text[3:])) > 1


@lru_cache(maxsize=1 << 15)
def _american(text: str) -> Phones | None:
    """What a plain American number is; None if it has to be looked at closely."""
    if match := _AMERICAN_PLAIN.fullmatch(text):
        number = "".join(match.groups())
        kind = numbering.kind("1", number)
        if kind and not _is_filler(number) and "1" + number not in FILLERS:
            key = "+1" + number
            return Phones((Phone(key, kind, "", key),), (key,))
    return None


@lru_cache(maxsize=65536)
def _parse(text: str, country: str, city: str) -> Phones:
    if not text.isascii():
        text = _DASHES.sub("-", _INVISIBLE.sub("", normalize("NFKC", text)))
        text = numbering.ascii_digits(text)
    text = text.strip(" \t\r\n'\"`")
    if "/" in text:
        text = _AREA_SLASH.sub(r"\1-", text)
    if country == "CN" and (match := _CN_LANDLINE.fullmatch(text)):
        domestic, after_86, own, extension = match.groups()
        found = numbering.landline((domestic or after_86) + own, international=True)
        if found and not _is_filler(found[1]):
            key = f"+86{found[0]}{found[1]}"
            return Phones((Phone(key, "fixed", extension or "", key),), (key,))
    if country == "US" and (american := _american(text)):
        return american
    if _SIMPLE.fullmatch(text) and (single := _simple(text, country)):
        return single
    if is_placeholder(text):
        return Phones(problems=(_PLACEHOLDER,)) if text else Phones()
    if _SCIENTIFIC.fullmatch(text):
        return _from_scientific(text, country, city)
    if match := _FLOAT.fullmatch(text):
        text = match[1]
    reader = _Reader(country, city)
    if country == "CN" and _CN_LOCAL.fullmatch(text) and not _is_filler(text):
        reader.local(text)
    else:
        reader.read(text)
    return reader.result()


def _simple(text: str, country: str) -> Phones | None:
    """What a single number in a usual form is; None if it has to be looked at closely."""
    digits = _DIGITS.sub("", text)
    # Ten digits follow the 1 of a Chinese mobile number.
    if country != "US" and "1" in digits[:-10] and (match := _MOBILE_IN_TEXT.search(text)):
        mobile = "".join(group for group in match.groups() if group)
        if len(match[0]) < len(text) or _is_filler(mobile):
            return None
        key = "+86" + mobile
        return Phones((Phone(key, "mobile", "", key),), (key,))
    if country in _CHINESE or (digits.startswith(("86", "0086")) and _FOREIGN_86.match(text)):
        return None
    if _is_filler(digits) or _FLOAT.fullmatch(text):
        return None
    if text.startswith("+") or digits.startswith("00"):
        text = "+" + digits.removeprefix("00")
    if country in ("US", "CA") and _TRUNK_ZERO.fullmatch(digits):
        country = "GB"  # no American number starts with 0
        text = digits
    number = numbering.read(text, country)
    if number.fault:
        return None
    return Phones((Phone(number.e164, number.kind, "", number.e164),), (number.e164,))


def _from_scientific(text: str, country: str, city: str) -> Phones:
    mantissa, exponent = re.split("[eE]", text)
    kept = len(mantissa.replace(".", ""))
    if 9 <= kept <= int(exponent) + 1 <= 15:  # no display cuts there: what lacks are zeros
        return _parse(mantissa.replace(".", "").ljust(int(exponent) + 1, "0"), country, city)
    return Phones(problems=(_SCIENTIFIC_NOTATION,))


def _is_filler(digits: str) -> bool:
    """Whether the digits count up or repeat, as people fill a field that must not be empty."""
    return digits in FILLERS or not digits[-8:].strip(digits[-1:])


class _Reader:
    """Collects the numbers of one cell."""

    def __init__(self, country: str, city: str) -> None:
        self.country, self.city = country, city
        self.numbers: dict[str, Phone] = {}
        self.keys: dict[str, None] = {}
        self.problems: dict[Problem, None] = {}

    def result(self) -> Phones:
        return Phones(tuple(self.numbers.values()), tuple(self.keys), tuple(self.problems))

    def add(self, e164: str, kind: str, extension: str = "") -> None:
        if e164 not in self.numbers or (extension and not self.numbers[e164].extension):
            self.numbers[e164] = Phone(e164, kind, extension, e164)
        self.keys[e164] = None

    def damaged(self, digits: str, problem: Problem) -> None:
        self.problems[problem] = None
        if len(digits) >= 6:
            self.keys["damaged:" + digits] = None

    def read(self, text: str) -> None:
        if self.country != "US" or "+86" in text or "0086" in text:
            rest = _MOBILE_IN_TEXT.sub(self._mobile, text)
        else:
            rest = text
        last = ""
        found_before = bool(self.numbers or self.problems)
        for piece in _SEPARATOR.split(rest):
            digits = _DIGITS.sub("", piece)
            if not digits:
                continue
            if last and len(digits) <= 4 and digits == piece.strip():
                # 010-62345678/79: only the last digits differ
                self._one(last[: -len(digits)] + digits, "")
                continue
            if len(digits) < 5 and found_before and digits != piece.strip():
                continue  # a note beside the number: "(2部)"
            last = self._piece(piece, last)
            found_before = True
        if not self.keys and not self.problems:
            self.problems[_NOT_A_NUMBER] = None

    def _mobile(self, match: "re.Match[str]") -> str:
        if _COUNTRY_BEFORE.search(match.string, 0, match.start()):
            return match[0]  # +49 151 ... is German
        digits = "".join(group for group in match.groups() if group)
        if _is_filler(digits):
            self.problems[_PLACEHOLDER] = None
        else:
            tail = _EXTENSION.match(match.string, match.end())
            self.add("+86" + digits, "mobile", tail[1] if tail else "")
        return " , "

    def _piece(self, piece: str, last: str) -> str:
        """Read one number and return it as dialed nationally, for a following short form."""
        extension = ""
        if match := _EXTENSION.search(piece):
            before = _DIGITS.sub("", piece[: match.start()])
            if len(before) >= 5:
                piece, extension = piece[: match.start()], match[1]
            elif not before:  # what follows a mobile already read
                return ""
        if self.country in _CHINESE or _FOREIGN_86.match(piece):
            halves = self._in_turn(piece) if "+" in piece else [piece]
            halves = halves if len(halves) > 1 else self._halves(piece)
            for half in halves[:-1]:
                self._one(half, "", last)
            return self._one(halves[-1], extension, last)
        numbers = self._in_turn(piece)
        for number in numbers[:-1]:
            self._one(number, "")
        self._one(numbers[-1], extension, last)
        return ""

    def _in_turn(self, piece: str) -> list[str]:
        """Split where two numbers stand side by side: the whole is none, but the parts are."""
        gaps = [match.span() for match in _GAP.finditer(piece)]
        if not gaps or len(_DIGITS.sub("", piece)) < 14 or self._exists(piece):
            return [piece]
        for start, end in gaps:
            if self._exists(piece[:start]):
                rest = self._in_turn(piece[end:])
                if all(self._exists(number) for number in rest):
                    return [piece[:start], *rest]
        return [piece]

    def _exists(self, text: str) -> bool:
        """Whether a text as a whole is a number of the record's country, or with + of any."""
        text = _LEAD.sub("", text)
        digits = _DIGITS.sub("", text)
        if text.startswith("+") or digits.startswith("00"):
            text = "+" + digits.removeprefix("00")
        return bool(digits) and not numbering.read(text, self.country).fault

    @staticmethod
    def _halves(piece: str) -> list[str]:
        """Split '0571-87654321 0571-87654322' but not '0571 8765 4321'."""
        parts = piece.split()
        if len(parts) < 2 or len(_DIGITS.sub("", piece)) < 14:
            return [piece]
        halves: list[str] = []
        current = ""
        for part in parts:
            size = len(_DIGITS.sub("", current))
            if size >= 7 and (len(_DIGITS.sub("", part)) >= 3 or part.startswith("+")):
                halves.append(current)
                current = part
            else:
                current = f"{current} {part}".strip()
        return [*halves, current]

    def _one(self, text: str, extension: str, last: str = "") -> str:
        text = _LEAD.sub("", text)
        digits = _DIGITS.sub("", text)
        if len(digits) < 3:
            return ""
        if _is_filler(digits):
            self.problems[_PLACEHOLDER] = None
            return ""
        international = text.startswith("+") or digits.startswith("00")
        if international and not re.match(r"\+?\s?(?:00)?\s?86", text):
            self._foreign("+" + digits.removeprefix("00"), extension)
            return ""
        if self.country == "CN" or (international and "86" in text[:5]):
            return self._chinese(text, extension, last)
        if self.country in ("HK", "MO", "TW") and self._greater_china(digits, extension):
            return ""
        self._foreign(text, extension)
        return ""

    def _greater_china(self, digits: str, extension: str) -> bool:
        code = {"HK": "852", "MO": "853", "TW": "886"}[self.country]
        if digits.startswith(code) and len(digits) > 9:
            return self._try("+" + digits, extension)
        if self.country != "TW" and len(digits) == 8:
            return self._try(f"+{code}{digits}", extension)
        if len(digits) > 9 and digits.startswith("86") and _CN_MOBILE.fullmatch(digits[2:]):
            self.add("+" + digits, "mobile", extension)
            return True
        return False

    def _try(self, text: str, extension: str, country: str = "") -> bool:
        """Take the number if it can exist in the country (or, with +, anywhere)."""
        found = numbering.read(text, country or self.country)
        if found.fault:
            return False
        self.add(found.e164, found.kind, extension)
        return True

    def _foreign(self, text: str, extension: str) -> None:
        found = numbering.read(text, self.country)
        digits = _DIGITS.sub("", text)
        if not found.fault:
            self.add(found.e164, found.kind, extension)
        elif not text.startswith("+") and self._other_country(digits, extension):
            return
        elif found.fault == "unreadable":
            self.damaged(digits, _LENGTH)
        else:
            problem = _UNASSIGNED if found.fault == "unassigned" else _LENGTH
            self.damaged(found.e164.lstrip("+"), problem)

    def _other_country(self, digits: str, extension: str) -> bool:
        """Whether digits that do not fit the record's country are plainly another's."""
        if _CN_MOBILE.fullmatch(digits):
            self.add("+86" + digits, "mobile", extension)
            return True
        if self.country in ("US", "CA") and _TRUNK_ZERO.fullmatch(digits):
            return self._try(digits, extension, "GB")  # no American number starts with 0
        if len(digits) > 10 and not digits.startswith("0"):
            return self._try("+" + digits, extension)
        return False

    def _chinese(self, text: str, extension: str, last: str) -> str:
        with_86 = _PREFIX_86.match(text) is not None and len(_DIGITS.sub("", text)) > 10
        body = _PREFIX_86.sub("", text, count=1) if with_86 else text
        groups = re.findall(r"\d+", body)
        if len(groups) >= 2 and "-" in body:  # 0571-87654321-802
            joined = "".join(groups[:-1])
            if 1 <= len(groups[-1]) <= 5 and body.rstrip().endswith(groups[-1]):
                split = numbering.landline(joined, with_86)
                if split or (len(groups[0]) >= 7 and len(groups) == 2):
                    extension = extension or groups[-1]
                    groups = groups[:-1]
        digits = "".join(groups)
        plain = digits.lstrip("0") if len(digits) > 11 else digits
        if _CN_MOBILE.fullmatch(plain) or _CN_MOBILE.fullmatch(digits.removeprefix("0")):
            mobile = plain if _CN_MOBILE.fullmatch(plain) else digits.removeprefix("0")
            self.add("+86" + mobile, "mobile", extension)
            return mobile
        if _SERVICE.fullmatch(digits):
            self.add("+86" + digits, "service", extension)
            return digits
        if (
            not with_86
            and digits[0] != "0"
            and self._other_plan(text.strip(" .,;-"), digits, extension)
        ):
            return ""
        if found := numbering.landline(digits, with_86):
            area, local = found
            self.add(f"+86{area}{local}", "fixed", extension)
            return "0" + area + local
        return self._chinese_odd(text, digits, extension, last, with_86)

    def _chinese_odd(self, text: str, digits: str, extension: str, last: str, with_86: bool) -> str:
        """What is no full Chinese number: local, of a neighbor's plan, or damaged."""
        core = digits.lstrip("0")
        if with_86:
            self.damaged(core, _LENGTH)
        elif len(digits) in (7, 8) and digits[0] in "2345678":
            return self.local(digits, extension, last)
        elif _SHORT_SERVICE.fullmatch(digits):
            self.add("+86" + digits, "service", extension)
            return digits
        elif _SHORT.fullmatch(digits):
            self.problems[_SHORT_NUMBER] = None
        elif self._other_plan(text.strip(" .,;-"), digits, extension):
            return ""
        elif len(digits) >= 10 and digits[0] == "0" and not numbering.has_area_code(digits[1:]):
            self.damaged(core, _AREA_CODE)
        else:
            self.damaged(core, _LENGTH)
        return ""

    def _other_plan(self, text: str, digits: str, extension: str) -> bool:
        """Whether the way it is written tells a number of another country."""
        if _NEIGHBOR.fullmatch(digits):
            return self._try("+" + digits, extension)
        for form, country in ((_TAIWAN, "TW"), (_AMERICAN, "US"), (_BRITISH, "GB")):
            if form.fullmatch(text) and self._try(text, extension, country):
                return True
        return False

    def local(self, digits: str, extension: str = "", last: str = "") -> str:
        """Take a landline number without area code, which the city or the number before tells."""
        areas = by_city(self.city) if self.city else ()
        before = numbering.landline(last, False) if last else None
        if before:
            areas = (before[0],)
        fitting = [area for area in areas if len(digits) in lengths()[area]]
        if len(fitting) == 1:
            self.add(f"+86{fitting[0]}{digits}", "fixed", extension)
            self.keys["local:" + digits] = None
            return "0" + fitting[0] + digits
        self.keys["local:" + digits] = None
        self.problems[_LENGTH if areas and not fitting else _NO_AREA_CODE] = None
        return digits
