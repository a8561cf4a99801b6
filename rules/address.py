"""Addresses: any written form → divisions, road, number and unit."""

import re
from dataclasses import dataclass

from rules import text as texts
from rules.placeholder import is_placeholder
from rules.quarantine import Problem


@dataclass(frozen=True, slots=True)
class Address:
    """One address in parts; a part that is not known is None."""

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


def parse(
    text: str | None,
    *,
    region: str | None = None,
    city: str | None = None,
    district: str | None = None,
    postal_code: str | None = None,
    country: str | None = "CN",
) -> Address:
    """Read one address and the division columns beside it."""
    line = texts.clean(text) if text else ""
    if is_placeholder(line):
        line = ""
    match = re.search(r"(\d+)", line)
    return Address(
        line or None,
        line or None,
        match[1] if match else None,
        None,
        district or None,
        city or None,
        region or None,
        postal_code or None,
        country or None,
        texts.fold(line) or None,
    )
