"""Resident identity numbers of mainland China: 18 digits, and 15 before 1999.

Six digits of place, eight of birth (six in the old form), three of sequence
(odd for men), one check character. Residence permits for people from Hong
Kong, Macau and Taiwan have the same form with place 810000, 820000, 830000.

The place is never a reason to refuse a number: it was given when the number
was first issued, and the lists of former places are incomplete.

Source: GB 11643-1999; check character ISO 7064 MOD 11-2; old sequences 996-999
for people over a hundred (born in the 1800s) GB 11643-1989.

>>> check_character("11010519491231002")
'X'
>>> is_valid("11010519491231002X"), is_valid("110105194912310021")
(True, False)
>>> from_old("110105491231002")
'11010519491231002X'
>>> birth_date("11010519491231002X"), sex("11010519491231002X")
(datetime.date(1949, 12, 31), 'F')
"""

import re
from datetime import date
from functools import cache, lru_cache
from operator import mul

from rules import tables

_FORM = re.compile(r"[1-9]\d{16}[\dX]", re.ASCII)
_OLD_FORM = re.compile(r"[1-9]\d{14}", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_OF_ZEROS = ord("0") * sum(_WEIGHTS)
_CHECKS = "10X98765432"
_EARLIEST = date(1850, 1, 1)


def check_character(first17: str) -> str:
    """The check character of the first 17 digits (0-9)."""
    return _CHECKS[(sum(map(mul, first17.encode(), _WEIGHTS)) - _OF_ZEROS) % 11]


def birth_date(number: str) -> date | None:
    """The date of birth in an 18-character number, None if the calendar has no such day."""
    return _day(number[6:14])


@lru_cache(maxsize=1 << 15)
def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def sex(number: str) -> str:
    """M or F, from the 17th digit of an 18-character number."""
    return "M" if int(number[16]) % 2 else "F"


def is_plausible(number: str) -> bool:
    """Whether 18 characters have the form and a possible date of birth."""
    if not _FORM.fullmatch(number):
        return False
    born = birth_date(number)
    return born is not None and _EARLIEST <= born <= date.today()


def is_valid(number: str) -> bool:
    """Whether 18 characters are a resident number: form, date of birth and check character."""
    return is_plausible(number) and check_character(number[:17]) == number[17]


def from_old(number: str) -> str | None:
    """The 18-character form of a 15-digit number, None if it is not one."""
    if not _OLD_FORM.fullmatch(number):
        return None
    century = "18" if number[12:] in ("996", "997", "998", "999") else "19"
    first17 = f"{number[:6]}{century}{number[6:]}"
    full = first17 + check_character(first17)
    return full if is_plausible(full) else None


def has_known_place(number: str) -> bool:
    """Whether the first six digits are, or once were, a county of China."""
    return number[2:6] in _places().get(number[:2], frozenset())


@cache
def _places() -> dict[str, frozenset[str]]:
    return {head: frozenset(tails.split(" ")) for head, tails in tables.rows("place_codes")}
