"""What headings say of parts: of an address, of a name, of numbered columns."""

from connectors import content, mapping

NUMBER, LINE, UNIT = range(3)
"""Where a column stands in an address."""


def is_middle_name(name: str) -> bool:
    """Whether a heading says middle name."""
    plain = mapping.normalize(name)
    return any(mapping.normalize(known) == plain for known in content.words()["middle_name"])


def stem(name: str) -> str:
    """A heading without the number at its end."""
    return mapping.normalize(name).rstrip("0123456789")


def place_in_address(name: str) -> tuple[int, str]:
    """Where a column stands in an address: number, then lines, then unit."""
    plain = mapping.normalize(name)
    parts = content.words()
    if plain in {mapping.normalize(known) for known in parts["house_number"]}:
        return NUMBER, plain
    if plain in {mapping.normalize(known) for known in parts["unit"]}:
        return UNIT, plain
    return LINE, plain
