"""Person or organization, when the source does not say.

What belongs here: weighing what the name and the other fields of a record tell.
A declared type is never second-guessed here. Word lists:
resources/customer_type.tsv and those of person_name and organization_name.

Method: evidence is added up in powers of ten, positive for an organization. The
weights are round numbers: an identity number decides, a legal form nearly does.

>>> infer("张伟"), infer("杭州映龙科技"), infer("李记小吃店"), infer("王总")
('person', 'organization', 'organization', 'person')
>>> infer("Christopher Taylor"), infer("Summit Harbor"), infer("Smith & Hunt")
('person', 'organization', 'organization')
>>> infer("Thompson"), infer("Mr Thompson"), infer("Jessica")
('organization', 'person', 'person')
>>> infer("Long", contact_name="Ann Lee"), infer("Wei Zhang", employer_name="Long Ltd")
('organization', 'person')
"""

import math
import re
from collections.abc import Sequence
from datetime import date
from functools import cache, lru_cache

import numpy as np

from rules import (
    han_organization,
    industries,
    latin_name,
    latin_organization,
    notes,
    organization_name,
    place_names,
    romanization,
    tables,
    text,
)
from rules.customer import ORGANIZATION, PERSON

_DECISIVE, _STRONG = 6.0, 3.0
_TITLE_END = re.compile(
    "(?:先生|女士|小姐|太太|老师|经理|老板|师傅|医生|教授|主任|总监|会计|阿姨|大姐|大哥|夫人|律师|博士|书记)$"
)
_INITIALS = re.compile(r"^[^\W\d_][\w'-]+, ?(?:[A-Za-z]\b\.? ?){1,3}$")
_HAN_ONLY = re.compile("[㐀-䶿一-鿿\U00020000-\U000323af]+")
_WORDS = re.compile(r"[^\s,;]+")
_FORM_WORDS = frozenset(
    {"ltd", "llc", "inc", "plc", "llp", "gmbh", "limited", "corp", "incorporated"}
)
_SEVERAL_WORDS = re.compile(r"[A-Za-z-]+,?(?: [A-Za-z-]+)+")
_MIXED_CASE = re.compile(r"\b(?:Mc|Mac|De|Di|La|Le|Van|O')[A-Z]")
_CAMEL = re.compile(r"[a-z][A-Z]")
_TWO_WORDS = re.compile("([A-Za-z]+) ([A-Za-z]+)")
_NO_PARTS = han_organization.Parts()
_TITLE_BEFORE = re.compile(r"(?:mr|mrs|ms|miss|dr|prof|sir|madam|mdm)\b\.?\s", re.IGNORECASE)
_TITLE_BEHIND = re.compile(r"\b(?:jr|sr|ii|iii|phd|md|esq)\.?$", re.IGNORECASE)
_LONGEST_BEHIND = 5
"""Characters of a title behind a name, its dot and a line's end."""


def infer(
    name: str | None,
    *,
    contact_name: str | None = None,
    employer_name: str | None = None,
    national_id_kind: str | None = None,
    tax_id_kind: str | None = None,
    birth_date: date | None = None,
    usual: float = 0.0,
) -> str:
    """``person`` or ``organization``.

    Args:
        name: the name as the source has it.
        contact_name: person to ask for, if the record has such a field and it is filled.
        employer_name: the organization that a person works at.
        national_id_kind: kind of the record's personal identity number, if it has one.
        tax_id_kind: kind of its organization's number, if it has one.
        birth_date: date of birth.
        usual: :func:`usual` of the other names in its column.
    """
    evidence = usual
    if national_id_kind:
        evidence -= _DECISIVE
    if tax_id_kind:
        evidence += _DECISIVE
    if birth_date:
        evidence -= _STRONG + 1.5
    if employer_name:
        evidence -= _STRONG
    if contact_name:
        same = text.fold(contact_name) == text.fold(name or "")
        evidence += -1.0 if same else _STRONG + 0.5
    evidence += of_name(name or "")
    return ORGANIZATION if evidence > 0 else PERSON


_ROUNDS = 20
_FEWEST = 50
"""Names of a column from which its others tell."""
_MOST_USUAL, _LEAST_USUAL = 1.5, 0.75


def usual(names: Sequence[str]) -> float:
    """What the other names of a column tell of one: log10 of the odds for an organization.

    In a list of restaurants "Arcadia" is one; in a list of voters it is somebody's name. The
    share of organizations is found from the names together (a mixture of two kinds whose
    likelihoods are known, by expectation maximization). Halves only, and 0 unless one kind is
    much commoner, so that a few rows more or less change nothing.

    Args:
        names: some of the column, each record's once.
    """
    odds = np.array([10.0 ** min(max(of_name(name), -9.0), 9.0) for name in names if name])
    if len(odds) < _FEWEST:
        return 0.0
    share = 0.5
    for _ in range(_ROUNDS):
        share = float(np.mean(share * odds / (share * odds + 1.0 - share)))
        share = min(max(share, 1e-3), 1.0 - 1e-3)
    told = math.log10(share / (1.0 - share))
    if abs(told) < _LEAST_USUAL:
        return 0.0
    return min(max(round(2.0 * told) / 2.0, -_MOST_USUAL), _MOST_USUAL)


@lru_cache(maxsize=1 << 15)
def of_name(name: str) -> float:
    """What a name alone tells: log10 of the odds for an organization, roughly."""
    if match := _TWO_WORDS.fullmatch(name):
        words = list(match.groups())
        keys = [word.lower() for word in words]
        if _is_plain(keys):
            return _of_words(name, words, keys)
    shown = text.clean(name)
    cell = notes.split(shown, han_organization.is_part)
    shown = cell.text
    if not shown:
        return 0.0
    if organization_name.is_famous(shown):
        return _STRONG
    return _of_han(text.to_simplified(shown)) if text.has_han(shown) else _of_latin(shown)


@cache
def _words(kind: str) -> frozenset[str]:
    return frozenset(tables.words("customer_type", kind))


@cache
def _institution() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(_words("institution")))))


def _of_han(name: str) -> float:
    surnames = romanization.surnames()
    if "·" in name:
        return -2.0
    if _institution().search(name):
        return 4.0
    compact = "".join(name.split())
    if _TITLE_END.search(compact) and len(compact) <= 6:
        return -3.0
    if compact[:-1] in surnames and compact[-1] in "总工董":
        return -3.0
    if not _HAN_ONLY.fullmatch(compact):
        han = "".join(_HAN_ONLY.findall(compact))
        return -1.5 if 1 <= len(han) <= 3 and han[0] in surnames and "?" not in name else 0.8
    if len(compact) >= 6:
        return 3.0
    if len(compact) < 4:
        return _of_short_han(compact)
    form = han_organization.parse(compact)
    if form.legal_form or form.branch:
        return 3.0
    if compact[:2] in surnames and len(compact) == 4 and not form.industry:
        return -2.5
    if place_names.leading(compact) or form.industry or len(compact) > 4:
        return 2.0
    if compact[0] not in surnames:
        return 2.0
    doubled = 0.5 if compact[2] == compact[3] else 0.0  # a typing error
    return 1.0 - doubled - 0.5 * sum(c in _words("given") for c in compact[1:])


def _of_short_han(name: str) -> float:
    """One to three characters: is the first a surname, do the others stand in given names?"""
    surname = romanization.surnames().get(name[0])
    given = _words("given")
    evidence = -1.2
    if surname is None:
        evidence += 1.9
        last = romanization.surnames().get(name[-1])
        if last and last.weight > 0.01 and all(c in given for c in name[:-1]):
            evidence -= 1.2  # given name first: 小明王
    else:
        # A brand begins with a given character once in 300 times.
        evidence += min(0.9, math.log10((1 / 300) / (surname.weight / 5)))
    for character in name[1:]:
        evidence += -0.35 if character in given else 0.2
    if len(name) > 1 and name[-1] in _words("shop"):
        evidence += 1.6
    elif len(name) > 1 and name[-1] in _words("shop_or_name"):
        evidence += 0.4
    if len(name) == 3 and name[1:] in industries.han_words():
        evidence += 1.0
    return evidence


@cache
def _titles() -> frozenset[str]:
    """What may stand in front of a person's name or behind it, as words of their own."""
    return frozenset(re.findall("[a-z]+", _TITLE_BEFORE.pattern + _TITLE_BEHIND.pattern))


def _is_plain(keys: list[str]) -> bool:
    """Whether two folded words are neither famous nor hold a title, legal form or business."""
    return (
        _titles().isdisjoint(keys)
        and not organization_name.is_famous("".join(keys))
        and latin_organization.says_nothing(*keys)
    )


def _of_latin(name: str) -> float:
    if (
        _TITLE_BEFORE.match(name)
        or _TITLE_BEHIND.search(name, max(len(name) - _LONGEST_BEHIND, 0))
        or _INITIALS.search(name)
    ):
        return -3.0
    words = [w.strip(".'\"()") for w in _WORDS.findall(name.replace("&", " & "))]
    words = [w for w in words if w]
    if not words:
        return 0.0
    keys = [text.fold(w) if w != "&" else "and" for w in words]
    return _of_words(name, words, keys, latin_organization.parse(name, "US"))


def _of_words(
    name: str, words: list[str], keys: list[str], parts: han_organization.Parts = _NO_PARTS
) -> float:
    as_person = _person_score(name, words, keys)
    evidence = 0.0
    if parts.legal_form:
        evidence += 4.0
    if parts.branch or any(c.isdigit() for c in name):
        evidence += 2.0
    elif any(k in _FORM_WORDS for k in keys[1:]):
        evidence += 3.0
    if "and" in keys[1:-1]:
        evidence += -0.5 if _is_couple(keys) else 4.0
    if parts.industry and not parts.legal_form:
        evidence += 1.2 if as_person > -3.5 else 2.5
    brands = sum(k in _words("brand") for k in keys)
    evidence += 1.0 * brands if as_person < -3.0 else 0.4 * brands
    if _CAMEL.search(name) and not _MIXED_CASE.search(name):
        evidence += 1.0
    # A typical person scores -2, two unknown words -7.7.
    return evidence - (as_person + 5.6) * 0.8


def _is_couple(keys: list[str]) -> bool:
    """``John & Mary Smith``: given names on both sides and a family name behind."""
    place = keys.index("and")
    return (
        len(keys) > place + 2
        and latin_name.given_share(keys[0]) > -1.5
        and latin_name.given_share(keys[place + 1]) > -1.5
        and latin_name.family_share(keys[-1]) > -3.0
        and keys[-1] not in industries.single_words()
    )


def _share(word: str, share: float) -> float:
    """The share of a name; a word that no list knows may be a misspelled name."""
    if share > -3.1 or len(word) < 3:
        return share
    folded = text.fold(word)
    if folded in _words("brand") or folded in industries.single_words():
        return share - 0.5
    return max(share, -3.0)


def _person_score(name: str, words: list[str], keys: list[str]) -> float:
    """How common the words are as given and family name: log10 of the product of the shares."""
    if len(words) == 1:
        word = words[0]
        if word.isupper() and len(word) <= 4:
            return -8.0
        given, family = latin_name.given_share(word), latin_name.family_share(word)
        parsed = latin_name.parse(word)
        if parsed.is_chinese and parsed.given and parsed.family:
            return -3.5
        # Somebody is called by a given name alone sooner than by a family name alone: who has
        # one without a title is rather a firm named after its owner.
        if family > given and not latin_name.may_be_chinese(words):
            return family - 6.5
        return max(given - 2.5, family - 6.5)
    if len(words) > 5:
        return -8.0
    comma = "," in name
    first, last = words[0], words[-1]
    scores = [
        _share(first, latin_name.given_share(first)) + _share(last, latin_name.family_share(last))
    ]
    family_first = latin_name.given_share(words[1]) + latin_name.family_share(first)
    scores.append(family_first + (0.5 if comma else -0.7))
    if len(last) == 1 or len(words[1]) == 1:
        scores = [score + 0.7 for score in scores]
    if _SEVERAL_WORDS.fullmatch(name) and not latin_name.may_be_chinese(words):
        return max(scores) + (1.0 if comma else 0.0)
    parsed = latin_name.parse(name)
    if parsed.is_chinese and parsed.given:
        scores.append(-3.4 if len(keys) <= 3 else -4.5)
    return max(scores) + (1.0 if comma else 0.0)
