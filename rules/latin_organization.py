"""Names of organizations in Latin letters, taken apart.

What belongs here: legal form in one spelling, brand and line of business, branch,
and the region of translated Chinese names. Legal forms: resources/legal_forms.tsv.

>>> parts = parse("The Smith & Hunt Electronics, L.L.C. - Boston Branch", "US")
>>> parts.brand, parts.industry, parts.legal_form, parts.branch
('Smith & Hunt', 'electronics', 'LLC', 'Boston')
"""

import re
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from rules import industries, place_names, tables, text
from rules.han_organization import Parts
from rules.latin_name import CHINESE_COUNTRIES, family_share

_CUT = 20
"""A name of so many characters may have been cut off by a fixed width."""
_COMMON = -3.2
"""Family names of this share are no misspelled words: Burgess is not burgers."""
_LONG_FORMS = {
    "limited": "Ltd",
    "company": "Co",
    "incorporated": "Inc",
    "corporation": "Corp",
}
_BRANCH_WORD = (
    r"(?:branch(?: office)?|(?:regional |sales |representative |head )?office|store|location|depot"
    r"|division|warehouse|plant|showroom|outlet|site|br)"
)
_BRANCH = re.compile(
    rf"(?:\s+-+\s*|\s*[,(/]\s*)([^-,()/]*?)\s*\b{_BRANCH_WORD}\.?(?:\s*#?\s*(\d+))?\)?$",
    re.IGNORECASE,
)
_MAY_BRANCH = re.compile(r"[-,(/#\d]")
"""What a name with a branch has at least one of, unless it says so."""
_GLUED_BRANCH = re.compile(r"\s+([A-Z][\w.']*(?: [A-Z][\w.']*)?)\s+(?:branch|BRANCH|Branch)$")
_DASHED = re.compile(r"\s+-+\s+([A-Za-z][A-Za-z .']{0,24})$")
_NUMBER = re.compile(r"(?:\s+|\s*[-,(]\s*)(?:#|no\.?\s*|store\s*#?\s*|unit\s*#?\s*)(\d+)\)?$", re.I)
_DOTTED = re.compile(r"(?<![A-Za-z])((?:[A-Za-z]\.\s?)+[A-Za-z])\.?(?![A-Za-z])")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_JOINED = re.compile(r"[^A-Za-z\s]")
_GAPS = re.compile(r"[\s,;]+")
_SLASHED = re.compile(r"\b([A-Za-z])/([A-Za-z])\b(?:/([A-Za-z])\b)?")
_RISKY = frozenset(tables.words("legal_form_words", "risky"))
"""Forms that are also words: taken only if written like a form (S.p.A., AS)."""


@cache
def _forms() -> tuple[dict[tuple[str, ...], str], dict[tuple[str, ...], str], frozenset[str]]:
    """Folded words to one spelling: at the end, in front; and words of groups."""
    behind: dict[tuple[str, ...], str] = {}
    front: dict[tuple[str, ...], str] = {}
    group: set[str] = set()
    for kind, form, written in tables.rows("legal_forms"):
        for phrase in written.split("|"):
            folded = tuple(text.fold(w) for w in phrase.split())
            if kind == "latin":
                behind.setdefault(folded, form)
            elif kind == "latin_front":
                front.setdefault(folded, form)
            elif kind == "group" and len(folded) == 1:
                group.add(folded[0])
    return behind, front, frozenset(group)


@cache
def form_words() -> frozenset[str]:
    """Words that legal forms at the end of names consist of.

    >>> {"ltd", "co", "smith"} & form_words() == {"ltd", "co"}
    True
    """
    return frozenset(word for phrase in _forms()[0] for word in phrase) - {"and", "of", ""}


@cache
def _telling() -> frozenset[str]:
    """Words of legal forms, groups and lines of business, and those that join such words."""
    behind, front, group = _forms()
    phrases = (word for phrase in (*behind, *front) for word in phrase)
    return group.union(phrases, industries.all_words(), ("the", "of", "o", "and", "branch"))


def says_nothing(first: str, last: str) -> bool:
    """Whether a name of two folded words has no legal form, branch or line of business.

    >>> says_nothing("ann", "smith"), says_nothing("smith", "bakery"), says_nothing("a", "limitd")
    (True, False, False)
    """
    return (
        _telling().isdisjoint((first, last))
        and "branch" not in first
        and "branch" not in last
        and _misspelled_form(last) is None
        and (family_share(last) >= _COMMON or industries.misspelled([last]) is None)
        and (len(first) + len(last) < _CUT - 1 or industries.completed(last) is None)
    )


def parse(name: str, country: str) -> Parts:
    """Take apart a name in Latin letters without remarks; callers must not change the parts."""
    return _parse(name, country in CHINESE_COUNTRIES)


@lru_cache(maxsize=1 << 16)
def _parse(name: str, may_be_chinese: bool) -> Parts:
    parts = Parts()
    name, parts.branch = _split_branch(name)
    if "(" in name:
        name = _BRACKETS.sub(lambda m: _bracket(m[1], parts), name)
    if "/" in name:
        name = _SLASHED.sub(lambda m: "".join(g for g in m.groups() if g), name)
    if "." in name:
        name = _DOTTED.sub(lambda m: m[1].replace(".", "").replace(" ", ""), name)
    if _JOINED.search(name):
        words = _GAPS.split(name.replace("&", " & ").replace("+", " & "))
        words = [w.strip("-'\"") if len(w) > 1 else w for w in words]
        words = [w for w in (w.rstrip(".") for w in words) if w and w != "-"]
        keys = ["and" if w == "&" else text.fold(w) for w in words]
        words = [w for w, k in zip(words, keys, strict=True) if k]
        keys = [k for k in keys if k]
    else:
        words = name.split()
        keys = [text.fold(word) for word in words]
    if not keys:
        return Parts()
    if len(words) > 1 and keys[0] == "the":
        words, keys = words[1:], keys[1:]
    if len(words) > 2 and keys[-1] == "the":  # "Hardware Store, The"
        words, keys = words[:-1], keys[:-1]
    if len(name) >= _CUT and len(keys) > 2 and keys[-1] in ("of", "o"):
        words, keys, parts.is_truncated = words[:-1], keys[:-1], True
    end = _split_form(words, keys, parts, len(name))
    start = 0
    front = _forms()[1]
    for length in (2, 1):
        if parts.legal_form is None and end > length and tuple(keys[:length]) in front:
            parts.legal_form, start = front[tuple(keys[:length])], length
            break
    if parts.branch is None:
        end = _split_of(words, keys, start, end, parts)
    if may_be_chinese:
        start = _split_region(keys, start, end, parts)
    core_end = end
    end = _split_industry(keys, start, end, parts, len(name))
    brand = words[start:end]
    parts.core = " ".join(keys[start:core_end])
    parts.whole = " ".join(keys[:core_end])
    parts.brand = _show(" ".join(brand))
    folded = "".join(k for k in keys[start:end] if k != "and")
    parts.readings = [folded] if folded else []
    core = "".join(k for k in keys[start:core_end] if k != "and")
    form = text.fold(parts.legal_form) if parts.legal_form else ""
    branch = text.fold(f"{parts.branch}branch") if parts.branch else ""
    region = text.fold(parts.region) if parts.region else ""
    parts.key = f"{region}{core}{form}{branch}"
    return parts


def _bracket(content: str, parts: Parts) -> str:
    """A place in brackets is the region; other brackets are part of the name."""
    if short := place_names.latin(content):
        parts.region = short
        return " "
    if content.lower().strip(".") in {"pty", "pvt", "private"}:
        return f" {content} "
    if text.fold(content) in _forms()[2]:
        return f" {content} "
    parts.region = _show(content)
    return " "


def _split_branch(name: str) -> tuple[str, str | None]:
    """The name without a branch behind it, and the branch's place or number."""
    if not _MAY_BRANCH.search(name) and "branch" not in name.lower():
        return name, None
    if match := _BRANCH.search(name):
        where = f"{match[1].strip()} {match[2] or ''}".strip()
        return name[: match.start()], _show(where) or "Branch"
    if match := _GLUED_BRANCH.search(name):
        before = name[: match.start()]
        last = text.fold(before.split()[-1]) if before.split() else ""
        if (last,) in _forms()[0]:
            return before, _show(match[1])
    if match := _NUMBER.search(name):
        return name[: match.start()], match[1]
    if match := _DASHED.search(name):
        words = name[: match.start()].split()
        if words and (text.fold(words[-1]),) in _forms()[0]:
            return name[: match.start()], _show(match[1])
    return name, None


def _split_form(words: list[str], keys: list[str], parts: Parts, width: int) -> int:
    """Where the legal form begins; ``parts.legal_form`` is set."""
    behind = _forms()[0]
    for length in range(min(6, len(keys) - 1), 0, -1):
        tail = tuple(keys[-length:])
        if tail not in behind:
            continue
        if length == 1 and tail[0] in _RISKY and not _written_as_form(words[-1], keys[-1]):
            continue
        parts.legal_form = behind[tail]
        end = len(keys) - length
        while end > 1 and (keys[end - 1] == "and" or (keys[end - 1],) in behind):
            if keys[end - 1] in _RISKY:
                break
            end -= 1
        return end
    last = keys[-1]
    if len(keys) > 1 and (form := _misspelled_form(last)):
        parts.legal_form = form
        return len(keys) - (2 if form == "Ltd" and keys[-2] == "co" and len(keys) > 2 else 1)
    if width >= _CUT and len(keys) > 2:
        for word in (
            "limited",
            "incorporated",
            "corporation",
            "company",
            "llc",
            "ltd",
            "plc",
            "inc",
        ):
            if (
                word.startswith(last)
                and last not in industries.single_words()
                and (len(last) > 2 or width >= 22)
            ):
                parts.is_truncated = True
                if len(last) > 2:
                    parts.legal_form = behind[(word,)]
                return len(keys) - 1
    return len(keys)


def _misspelled_form(word: str) -> str | None:
    """The legal form that a word is one typing error away from; None if there is none."""
    if (word,) in _forms()[0] or word in industries.single_words():
        return None
    if word == "crop":
        return "Corp"
    if len(word) == 3 and word.startswith("ll") and word != "llp":
        return "LLC"
    if len(word) < 6 or not word.startswith(("l", "i", "c")):
        return None
    for form, short in _LONG_FORMS.items():
        if OSA.distance(word, form, score_cutoff=1) <= 1:
            return short
    return None


def _written_as_form(word: str, key: str) -> bool:
    if key in {"store", "stores", "shop", "trust"}:
        return True
    if word.isupper():
        return key not in industries.single_words()
    return word[1:] != word[1:].lower()


def _split_of(words: list[str], keys: list[str], start: int, end: int, parts: Parts) -> int:
    """``Robles Energy of Phoenix``: a branch if a line of business stands before it."""
    for place in range(max(start + 2, end - 4), end - 1):
        if (
            keys[place] == "of"
            and keys[place - 1] != "bank"
            and industries.trailing_words(keys[start:place])
        ):
            where = " ".join(words[place + 1 : end])
            parts.branch = _show(where)
            return place
    return end


def _split_region(keys: list[str], start: int, end: int, parts: Parts) -> int:
    """A Chinese province or city in front; where the rest begins."""
    for length in (2, 1):
        if end - start > length:
            piece = "".join(keys[start : start + length])
            if length == 2 and piece not in {"hongkong", "innermongolia"}:
                continue
            if short := place_names.latin(piece):
                parts.region = parts.region or short
                after = start + length
                # Zhejiang Hangzhou ...: the more specific one.
                second = place_names.latin_within(keys[after], piece) if end - after > 1 else None
                business = industries.trailing_words(keys[after + 1 : end])
                if second and not (business and business[1] == 0):
                    parts.region, after = second, after + 1
                return after
    return start


def _split_industry(keys: list[str], start: int, end: int, parts: Parts, width: int) -> int:
    """Where the lines of business begin; ``parts.industry`` is set."""
    codes: list[str] = []
    group = _forms()[2]
    while end - start > 1 and keys[end - 1] in group:
        end -= 1
        if keys[end - 1] == "and" and end - start > 1:
            end -= 1
    found = industries.trailing_words(keys[start + 1 : end])
    vague = not found or found[0] in ("services", "daily goods")
    if vague and family_share(keys[end - 1]) < _COMMON:
        found = industries.misspelled(keys[start + 1 : end]) or found
    if found:
        codes.append(found[0])
        end = start + 1 + found[1]
        # "Plumbing and Drains": a second line of business.
        inner = keys[start + 1 : end - 1] if keys[end - 1] == "and" else []
        if second := industries.trailing_words(inner):
            codes.insert(0, second[0])
            end = start + 1 + second[1]
    elif width >= _CUT and end - start > 1 and end == len(keys):
        code = industries.completed(keys[end - 1])
        if code:
            codes, end, parts.is_truncated = [code], end - 1, True
    while end - start > 1 and codes and keys[end - 1] in group:
        end -= 1
    parts.industry = " ".join(dict.fromkeys(codes)) or None
    return end


def _show(words: str) -> str:
    """Words as a name is written: not all in capitals, unless they are short."""
    if words.isupper() and len(words) > 4:
        return re.sub(r"[^\W\d_]{2,}", lambda m: m.group().capitalize(), words)
    return words
