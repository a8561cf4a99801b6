"""Registration numbers of organizations in mainland China.

- Unified social credit code, since October 2015: 18 characters; two of kind,
  six of place, nine that are the organization code, one check character.
- Organization code: eight characters and a check character (digit or X).
- Tax number before 2015: six digits of place and the organization code.
- Business license number before 2015: 15 digits, the last one a check digit.

Source: GB 32100-2015; GB 11714-1997; license GS 15-2006, ISO 7064 MOD 11,10.

>>> is_credit_code("91350100M000100Y43"), is_organization_code("D2143569X")
(True, True)
>>> is_old_tax_number("110108D2143569X"), is_license("110108000000016")
(True, True)
"""

import re
from operator import mul

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_VALUE = {c: v for v, c in enumerate(_CREDIT_ALPHABET)}
_CREDIT_WEIGHTS = tuple(3**i % 31 for i in range(17))
_CREDIT_FORM = re.compile(rf"[1-9ANY][1-9]\d{{6}}[{_CREDIT_ALPHABET}]{{10}}")
_CODE_FORM = re.compile(r"[0-9A-Z]{8}[0-9X]")
_CODE_VALUE = {c: v for v, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
_CODE_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_LICENSE_STEPS = [
    {str(digit): ((rest + digit) % 10 or 10) * 2 % 11 for digit in range(10)} for rest in range(11)
]
"""What is left over before a digit, and the digit, to what is left over behind it."""
_PLACE = re.compile(r"[1-6]\d{5}")


def credit_check(first17: str) -> str:
    """The check character of a credit code's first 17 characters."""
    total = sum(map(mul, map(_CREDIT_VALUE.__getitem__, first17), _CREDIT_WEIGHTS))
    return _CREDIT_ALPHABET[-total % 31]


def code_check(first8: str) -> str:
    """The check character of an organization code's first eight characters."""
    total = sum(map(mul, map(_CODE_VALUE.__getitem__, first8), _CODE_WEIGHTS))
    return "0123456789X"[-total % 11]


def license_check(first14: str) -> str:
    """The check digit of a license number's first 14 digits."""
    rest = 10
    for digit in first14:
        rest = _LICENSE_STEPS[rest][digit]
    return str((11 - rest) % 10)


def looks_like_credit_code(text: str) -> bool:
    """Whether 18 characters have the form, whatever the check character says."""
    return _CREDIT_FORM.fullmatch(text) is not None


def is_credit_code(text: str) -> bool:
    """Whether 18 characters are a credit code by form and check character."""
    return looks_like_credit_code(text) and credit_check(text[:17]) == text[17]


def is_organization_code(text: str) -> bool:
    """Whether nine characters are an organization code."""
    return _CODE_FORM.fullmatch(text) is not None and code_check(text[:8]) == text[8]


def is_old_tax_number(text: str) -> bool:
    """Whether 15 characters are place and organization code."""
    return _PLACE.match(text) is not None and len(text) == 15 and is_organization_code(text[6:])


def is_license(text: str) -> bool:
    """Whether 15 digits are a business license number."""
    return (
        len(text) == 15
        and text.isascii()
        and text.isdigit()
        and text[0] in "123456"
        and license_check(text[:14]) == text[14]
    )
