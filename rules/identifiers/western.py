"""Tax and registration numbers of other countries.

Source: python-stdnum where it knows the number (VAT, EIN, LEI); SSA rules for
social security numbers, HMRC rules for national insurance numbers, Companies
House for company numbers.

>>> us_social_security_fault("078051120"), us_social_security_fault("000123456")
('', 'never')
>>> us_social_security_fault("977832216"), nino_fault("QQ123456C"), nino_fault("AB123456C")
('reserved', 'reserved', '')
>>> is_company_number("OC301540"), is_vat("DE136695976"), is_lei("213800KUD8LAJWSQ9D15")
(True, True, True)
"""

import re
from functools import cache, lru_cache

import stdnum.eu.vat
import stdnum.gb.vat
import stdnum.lei
import stdnum.us.ein
from stdnum.exceptions import ValidationError

_NINO = re.compile(r"[A-Z]{2}\d{6}[A-D]?")
_NINO_NEVER = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})
_COMPANY = re.compile(
    r"(?:OC|SC|NI|SO|NC|R0|LP|SL|NL|FC|SF|NF|GE|GN|GS|IP|SP|NP|RC|SR|NR|CE|CS|PC|IC|SI|NV|ES)\d{6}"
    r"|\d{8}"
)


def us_social_security_fault(digits: str) -> str:
    """What is wrong with nine digits: '' nothing, 'reserved' not given out, 'never' impossible.

    Area numbers from 900 are not social security numbers, but taxpayer numbers
    of the same length (ITIN) and examples use them.
    """
    if digits[:3] in ("000", "666") or digits[3:5] == "00" or digits[5:] == "0000":
        return "never"
    return "reserved" if digits[0] == "9" else ""


def is_itin(digits: str) -> bool:
    """Whether nine digits are an individual taxpayer number by its number ranges."""
    group = int(digits[3:5])
    return digits[0] == "9" and (50 <= group <= 65 or (70 <= group <= 99 and group not in (89, 93)))


def is_ein(digits: str) -> bool:
    """Whether nine digits are an employer number with a prefix that the IRS assigns."""
    return len(digits) == 9 and digits.isdigit() and _is_prefix_of_ein(digits[:2])


@cache
def _is_prefix_of_ein(prefix: str) -> bool:
    return bool(stdnum.us.ein.is_valid(f"{prefix}1234567"))


def nino_fault(text: str) -> str:
    """Like :func:`us_social_security_fault`, for a national insurance number; 'form' if none."""
    if not _NINO.fullmatch(text):
        return "form"
    if text[0] in "DFIQUV" or text[1] in "DFIQUVO" or text[:2] in _NINO_NEVER:
        return "reserved"
    return ""


def is_company_number(text: str) -> bool:
    """Whether it can be a British company number (they have no check digit)."""
    return _COMPANY.fullmatch(text) is not None


@lru_cache(maxsize=1 << 14)
def is_vat(text: str) -> bool:
    """Whether it is a VAT number of the United Kingdom or an EU state, with its prefix."""
    try:
        if text.startswith(("GB", "XI")):
            stdnum.gb.vat.validate(text)
        else:
            stdnum.eu.vat.validate(text)
    except (ValidationError, ValueError, KeyError, IndexError):
        return False
    return True


def is_lei(text: str) -> bool:
    """Whether 20 characters are a legal entity identifier (ISO 17442)."""
    return stdnum.lei.is_valid(text)
