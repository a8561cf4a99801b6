"""Parts of names in Han characters: where the family name ends, and what is a title.

What belongs here: what rules/plain_name.py and rules/person_name.py both ask of a
simplified Chinese name. Titles: resources/person_words.tsv.

>>> split("欧阳娜娜"), split("张伟"), has_title("王总"), has_title("张伟")
(('欧阳', '娜娜'), ('张', '伟'), True, False)
"""

from functools import cache

from rules import romanization, tables

RARE = 0.006
"""A surname of less weight, with one character behind it, may be the given name."""
BEFORE = "老小阿大"
"""Titles that stand before a family name."""


@cache
def titles() -> frozenset[str]:
    """Titles that stand behind a name, and those of one character behind a family name only."""
    return _titles() | short_titles()


@cache
def _titles() -> frozenset[str]:
    return frozenset(tables.words("person_words", "title"))


@cache
def short_titles() -> frozenset[str]:
    """Titles of one character that stand behind a family name."""
    return frozenset(tables.words("person_words", "title_short"))


def has_title(name: str) -> bool:
    """Whether a Han name of two or three characters may end in a title or begin with 老, 小, 阿."""
    words = _titles()
    return (
        name[-1] in words
        or name[-2:] in words
        or name in words
        or (name[-1] in short_titles() and name[:-1] in romanization.surnames())
        or (len(name) == 2 and name[0] in BEFORE)
    )


def split(name: str) -> tuple[str, str]:
    """Family and given name of a Han name."""
    surnames = romanization.surnames()
    if "·" in name:
        parts = [p for p in name.split("·") if p]
        return (parts[-1], "·".join(parts[:-1])) if len(parts) > 1 else ("", "".join(parts))
    if len(name) > 2:
        for length in (4, 3, 2):
            if len(name) > length and name[:length] in surnames:
                return name[:length], name[length:]
    elif name in surnames:  # a compound surname alone
        return name, ""
    if len(name) > 4 and name[0] not in surnames:
        return "", name
    return name[:1], name[1:]
