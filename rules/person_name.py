"""Names of people: any written form to family name, given name and readings.

What belongs here: one cell, or a family and a given cell, to the parts of a
Chinese name; plain names go to rules/plain_name.py, names in Latin letters to
rules/latin_name.py, remarks to rules/notes.py. Surnames: resources/surnames.tsv.

>>> name = parse("欧阳　娜娜女士（VIP）")
>>> name.family_name, name.given_name, name.title, name.notes
('欧阳', '娜娜', '女士', ['VIP'])
>>> parse("单小明").readings, parse("王总").given_name
(['shan xiaoming', 'dan xiaoming', 'chan xiaoming'], None)
>>> parse("Xiaoming ZHANG").readings == parse("張曉明").readings
True
>>> parse("N/A").name, parse("N/A").problems[0].rule
('', 'name_placeholder')
"""

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache

from rules import han_name, latin_name, notes, plain_name, romanization, tables, text
from rules.placeholder import is_placeholder
from rules.quarantine import Problem

TITLE_ONLY = "title_only"
"""The note of a name of which only the family name is known (王总)."""

_PLAIN = re.compile("[㐀-䶿一-鿿\U00020000-\U000323af]{2,3}")
_HAN = "〇㐀-䶿一-鿿\U00020000-\U000323af"
_HAN_PIECE = re.compile(f"[{_HAN}·?�□]+")
_HAN_DOT = re.compile(f"(?<=[{_HAN}])\\s*[.。]\\s*(?=[{_HAN}])")
_HAN_BLANK = re.compile(f"(?<=[{_HAN}])\\s+(?=[{_HAN}])")
_SEVERAL = re.compile(f"(?<=[{_HAN}]{{2}})\\s*[、,/;&+和与]\\s*(?=[{_HAN}]{{2}})")
_LATIN_PIECE = re.compile(r"[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ.' -]*")
_STRAY = re.compile(f"(?<![{_HAN}])([A-Za-z]-?)([{_HAN}])(?![{_HAN}])")
_DAMAGE = re.compile("[?�□]")
_WORD = re.compile("[A-Za-z]+")
_TRAILING_DIGITS = re.compile(r"\s*[\d]+$")

_PLACEHOLDER = Problem(
    "name_placeholder", "The cell holds a placeholder instead of a name; enter the name."
)
_DAMAGED = Problem(
    "name_damaged_character",
    "A character was lost when the name was stored in a smaller character set; restore it.",
    "warning",
)
_TWO_PEOPLE = Problem(
    "name_several_people",
    "The cell names more than one person; only the first was used. Make a record for each.",
    "warning",
)
_NOT_A_NAME = Problem("name_unreadable", "The cell holds no letters; enter the name.")


@dataclass(slots=True)
class PersonName:
    """A parsed name of a person; all text is in shown form but ``key`` and ``readings``.

    Attributes:
        name: full name as shown, without notes and titles; empty if the cell names nobody.
        key: folded name, family name first, without middle name and suffix; a lost character is ?.
        readings: ``family given`` in Latin letters, the likeliest first.
        notes: what was taken out of the cell, and the flag :data:`TITLE_ONLY`.
        phones: telephone numbers found in the cell, as written.
    """

    name: str = ""
    key: str = ""
    readings: list[str] = field(default_factory=list)
    family_name: str | None = None
    given_name: str | None = None
    middle_name: str | None = None
    suffix: str | None = None
    title: str | None = None
    other_names: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    """What is known of a name while it is parsed."""

    notes: list[str] = field(default_factory=list)
    other_names: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    title: str = ""


def parse(
    full: str | None, *, family: str | None = None, given: str | None = None, country: str = "CN"
) -> PersonName:
    """Parse a person's name.

    Args:
        full: the whole name in one cell; empty if the name stands in the other two.
        family: the cell for family names; may hold the given or the full name by mistake.
            Beside a whole name it says which of its words are which.
        given: the cell for given names.
        country: ISO 3166 code; decides what an ambiguous Latin name means.

    Returns:
        The parts. The lists may be shared between calls: do not change them.
    """
    cells = full or "", family or "", given or ""
    if plain := plain_name.read(*cells):
        family, given, middle, readings, shown, key = plain
        return PersonName(shown, key, readings, family, given, middle)
    return closely(*cells, country)


@lru_cache(maxsize=1 << 15)
def closely(full: str, family: str, given: str, country: str) -> PersonName:
    """As :func:`parse`, of a name that is not a plain one."""
    full = text.clean(full)
    if not full:
        family, given = text.clean(family), text.clean(given)
        if is_nobody(given):
            full, family = family, ""
        elif is_nobody(family):
            full, given = given, ""
        elif text.has_han(family + given):
            family, given = _spell_stray(family), _spell_stray(given)
            if text.has_han(family + given):
                full, family, given = _join_cells(family, given)
    if _PLAIN.fullmatch(full) and not han_name.has_title(full):
        return _han(text.to_simplified(full), _Draft()) if not is_nobody(full) else _nobody(full)
    draft = _Draft()
    if full:
        if is_nobody(full):
            return _nobody(full)
        full = _strip(full, draft)
        if not full or is_nobody(full):
            return _nobody(full, draft)
        if text.has_han(full):
            return _mixed(full, draft, country)
        return _latin(full, family, given, draft, country)
    if not family:
        return _nobody("")
    return _latin("", _strip(family, draft), _strip(given, draft), draft, country)


@cache
def _nobody_words() -> frozenset[str]:
    return frozenset(tables.words("person_words", "nobody")) | frozenset(
        word for word in tables.words("person_words", "title") if len(word) > 1
    )


@lru_cache(maxsize=1 << 15)
def is_nobody(name: str) -> bool:
    """Whether a cell names nobody: empty, a placeholder, or a word such as 客户.

    >>> is_nobody("测试"), is_nobody("test"), is_nobody("先生"), is_nobody("王先生")
    (True, True, True, False)
    """
    return is_placeholder(name) or name.casefold().strip(" .*-_") in _nobody_words()


def _nobody(found: str, draft: _Draft | None = None) -> PersonName:
    """The result for a cell that names nobody; an empty cell is no problem."""
    draft = draft or _Draft()
    if found:
        draft.problems.append(_PLACEHOLDER)
    return PersonName(
        notes=draft.notes,
        other_names=draft.other_names,
        phones=draft.phones,
        problems=draft.problems,
    )


def _strip(name: str, draft: _Draft) -> str:
    """The cell without remarks and numbers, which go into ``draft``."""
    if _WORD.fullmatch(name):
        return name
    cell = notes.split(name)
    draft.notes += cell.notes
    draft.other_names += cell.other_names
    draft.phones += cell.phones
    name = cell.text
    for note in list(draft.notes):  # a name in the other script, in brackets
        if notes.is_remark(note) or text.has_han(note) == text.has_han(name):
            continue
        if _LATIN_PIECE.fullmatch(note) or (_HAN_PIECE.fullmatch(note) and 2 <= len(note) <= 4):
            draft.notes.remove(note)
            draft.other_names.append(note)
    if len(name) > 2 and (digits := _TRAILING_DIGITS.search(name)):
        draft.notes.append(digits.group().strip())
        name = name[: digits.start()]
    return name


# Chinese names --------------------------------------------------------------------------------


@cache
def _titles() -> re.Pattern[str]:
    words = sorted(tables.words("person_words", "title"), key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(words)})$")


def _spell_stray(cell: str) -> str:
    """A rare Han character within a Latin name, left behind by a program that did not know it."""
    return _STRAY.sub(lambda m: f"{m[1]}{text.readings(m[2])[0]}", cell)


def _join_cells(family: str, given: str) -> tuple[str, str, str]:
    """Family and given cell with Han characters as one full name, swapped cells set right.

    Returns the full name and two empty texts.
    """
    surnames = romanization.surnames()
    if not (text.has_han(family) and text.has_han(given)):
        return f"{family} {given}".strip(), "", ""
    last, first = text.to_simplified(family), text.to_simplified(given)
    if len(first) > 1 and first.startswith(last):  # the given cell holds the full name
        return given, "", ""
    if len(last) > len(first) and last.endswith(first) and len(last) > 1:
        return family, "", ""
    if last in surnames:
        as_last = surnames[last].weight
        as_first = surnames[first].weight if first in surnames else 0.0
        if len(last) == len(first) == 1 and as_last < han_name.RARE and as_first > 0.015:
            return given + family, "", ""
        return family + given, "", ""
    if first in surnames and len(last) <= 3:
        return given + family, "", ""
    return family + given, "", ""


def _mixed(name: str, draft: _Draft, country: str) -> PersonName:
    """A cell with Han characters and perhaps others."""
    name = _HAN_DOT.sub("·", text.to_simplified(name))
    words = name.split()
    if len(words) == 2 and words[0] not in romanization.surnames() and all(map(_is_full, words)):
        name = "、".join(words)
    name = _HAN_BLANK.sub("", name)
    people = _SEVERAL.split(name)
    if len(people) > 1 and all(_looks_like_name(p) for p in people):
        draft.problems.append(_TWO_PEOPLE)
        draft.notes += people[1:]
        name = people[0]
    pieces = _HAN_PIECE.findall(name)
    han = max(pieces, key=len) if pieces else ""
    latin = [p.strip(" -.") for p in _LATIN_PIECE.findall(name) if p.strip(" -.")]
    han = _take_title(han, draft)
    if latin and len(han) == 1 and han in romanization.surnames():  # Peter 张
        parsed = latin_name.parse("", family=_spelled(han), given=" ".join(latin), country=country)
        shown = f"{' '.join(latin)} {han}"
        readings = [f"{r} {text.fold(latin[0])}" for r in romanization.surnames()[han].pinyin]
        return _finish(shown, text.fold(han + latin[0]), readings, draft, han, parsed.given)
    for piece in latin:
        if notes.is_remark(piece) or len(piece) < 2:
            draft.notes.append(piece)
        else:
            draft.other_names.append(piece)
    if is_nobody(han):
        return _nobody(han or name, draft)
    return _han(han, draft)


def _is_full(word: str) -> bool:
    """Whether a word is a whole Han name with a surname that is not rare."""
    surname = romanization.surnames().get(word[:1])
    return bool(_PLAIN.fullmatch(word)) and surname is not None and surname.weight > 0.005


def _looks_like_name(piece: str) -> bool:
    return 2 <= len(piece) <= 4 and (
        piece[0] in romanization.surnames() or piece[:2] in romanization.surnames()
    )


def _spelled(surname: str) -> str:
    return romanization.surnames()[surname].pinyin[0].capitalize()


def _take_title(name: str, draft: _Draft) -> str:
    """The name without a title behind it (王总) or 老 in front of it (老王)."""
    pattern, short = _titles(), han_name.short_titles()
    surnames = romanization.surnames()
    if (match := pattern.search(name)) and match.start() > 0:
        rest = name[: match.start()]
        # 兄, 君 and the like end given names too (王文君); behind a surname they are titles.
        if len(match.group()) > 1 or rest in surnames or match.group() == "收":
            draft.title = match.group()
            name = rest
    if not draft.title and name[-1:] in short and name[:-1] in surnames:
        draft.title, name = name[-1], name[:-1]
    if len(name) == 2 and name[0] in "老小阿大" and name[1] in surnames:
        if not draft.title and surnames[name[1]].weight < 0.004:
            return name
        draft.title, name = draft.title or name[0], name[1]
    return name


def _han(name: str, draft: _Draft) -> PersonName:
    """The result for a name in Han characters without anything else."""
    family, given = han_name.split(name)
    if not given and not draft.notes.count(TITLE_ONLY):
        draft.notes.append(TITLE_ONLY)
    if _DAMAGE.search(name):
        draft.problems.append(_DAMAGED)
        name = _DAMAGE.sub("?", name)
        family, given = _DAMAGE.sub("?", family), _DAMAGE.sub("?", given)
    surnames = romanization.surnames()
    dotted = "·" in name
    families = (
        surnames[family].pinyin if family in surnames and not dotted else tuple(_spell(family))
    )
    givens = _spell(given)
    if len(families) == len(givens) == 1:
        readings = [f"{families[0]} {givens[0]}".strip()]
    else:
        readings = text.combine([[f"{f} " for f in families] or [""], givens or [""]])
        readings = [reading.strip() for reading in readings]
    if dotted:  # the order differs between peoples
        readings += [f"{g} {f}" for f in families[:2] for g in givens[:2]]
    key = _key(name)
    return _finish(name, key, readings, draft, family, given)


def _key(name: str) -> str:
    return "?".join(map(text.fold, name.split("?"))) if "?" in name else text.fold(name)


def _spell(name: str) -> list[str]:
    """Readings of Han text, a lost character as ?."""
    if "?" not in name:
        return text.readings(name)
    return text.combine([["?"] if c == "?" else text.readings(c) for c in name])


def _finish(
    name: str, key: str, readings: list[str], draft: _Draft, family: str, given: str
) -> PersonName:
    return PersonName(
        name=name,
        key=key,
        readings=readings,
        family_name=family or None,
        given_name=given or None,
        title=draft.title or None,
        other_names=draft.other_names,
        notes=draft.notes,
        phones=draft.phones,
        problems=draft.problems,
    )


# Latin names ----------------------------------------------------------------------------------


def _latin(
    full: str, family: str | None, given: str | None, draft: _Draft, country: str
) -> PersonName:
    parsed = latin_name.parse(full, family=family, given=given, country=country)
    if parsed.is_several:
        draft.problems.append(_TWO_PEOPLE)
    if not parsed.family and not parsed.given:
        draft.problems.append(_NOT_A_NAME)
        return _nobody("", draft)
    if parsed.title and not parsed.given:
        draft.notes.append(TITLE_ONLY)
    return PersonName(
        name=parsed.shown,
        key=text.fold(parsed.family + parsed.given),
        readings=parsed.readings,
        family_name=parsed.family or None,
        given_name=parsed.given or None,
        middle_name=parsed.middle or None,
        suffix=parsed.suffix or None,
        title=parsed.title or None,
        other_names=parsed.other_names + draft.other_names,
        notes=draft.notes,
        phones=draft.phones,
        problems=draft.problems,
    )
