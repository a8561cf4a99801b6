"""Identity and registration numbers of Hong Kong, Macau and Taiwan.

Source: HK identity card check digit (Immigration Department); TW identity
number and, since 2021, resident numbers of foreigners (second character 8 or
9); TW unified business number, divisible by 5 since 2023-04-01 (all older
numbers, divisible by 10, satisfy it too).

>>> is_hk_identity("A1234563"), is_tw_identity("A123456789"), is_tw_business("04595257")
(True, True, True)
"""

import re

_HK_FORM = re.compile(r"[A-Z]{1,2}\d{6}[0-9A]")
_TW_FORM = re.compile(r"[A-Z][12896ABCD]\d{8}")
_TW_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_BUSINESS_WEIGHTS = (1, 2, 1, 2, 1, 2, 4, 1)


def is_hk_identity(text: str) -> bool:
    """Whether it is a Hong Kong identity card number, brackets removed."""
    if not _HK_FORM.fullmatch(text):
        return False
    body = text[:-1].rjust(8)
    values = [36 if c == " " else int(c, 36) for c in body]
    total = sum(v * w for v, w in zip(values, range(9, 1, -1), strict=True))
    return (total + int(text[-1], 16)) % 11 == 0


def is_tw_identity(text: str) -> bool:
    """Whether it is a Taiwanese identity or resident number."""
    if not _TW_FORM.fullmatch(text) or text[1] == "6":
        return False
    area = 10 + _TW_LETTERS.index(text[0])
    second = int(text[1]) if text[1].isdigit() else (10 + _TW_LETTERS.index(text[1])) % 10
    digits = [second, *(int(c) for c in text[2:9])]
    total = area // 10 + area % 10 * 9
    total += sum(d * w for d, w in zip(digits, range(8, 0, -1), strict=True))
    return (total + int(text[9])) % 10 == 0


def is_tw_business(text: str) -> bool:
    """Whether eight digits are a unified business number."""
    if not re.fullmatch(r"\d{8}", text) or text == "00000000":
        return False
    products = [int(d) * w for d, w in zip(text, _BUSINESS_WEIGHTS, strict=True)]
    total = sum(p // 10 + p % 10 for p in products)
    return total % 5 == 0 or (text[6] == "7" and (total + 1) % 5 == 0)


def is_mo_identity(text: str) -> bool:
    """Whether eight digits can be a Macau identity number (its check is not public)."""
    return re.fullmatch(r"[157]\d{7}", text) is not None
