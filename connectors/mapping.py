"""Which column of a source holds which input field.

What belongs here: the meaning of headings, declared (``columns``) and found
(``headings: auto``). The words stand in connectors/resources/headings.yml;
what is made of the values is the rules' part.
"""

import functools
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import opencc
import yaml

from connectors.config import SourceConfig
from connectors.fields import INPUT_FIELDS, NAME_FIELDS
from connectors.reading import RESERVED
from onefold.errors import SourceLayout

__all__ = [
    "INPUT_FIELDS",
    "NAME_FIELDS",
    "Meaning",
    "find_column",
    "meaning",
    "normalize",
    "resolve",
]

LEVELS = " > "
"""Joins the two lines of a two-line heading."""

_SHOWN_COLUMNS = 40
INITIALS = 2500
"""Rank of initials: sure only where the values agree."""
_LONGEST_HEADING = 30
_HAN = re.compile("[\u3400-\u9fff]")
_DBF_NAME = 10
"""Characters that the name of a DBF field may have."""
_PARENTHESES = re.compile(r"[(\[{【〔<「《][^()\[\]{}【】〔〕<>「」《》]*[)\]}】〕>」》]")
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_PARTS = re.compile(r"[/\\、,，;；|&+]|\bor\b|\band\b|或者|或|及|和|与", re.IGNORECASE)
_IDENTIFIERS = {"national_id", "tax_id", "identifier"}
_PHONES = {"phone", "mobile"}
_NAMES = {"name", "organization_name", "family_name", "given_name"}


@dataclass(frozen=True)
class Meaning:
    """What a heading means.

    Attributes:
        field: an input field.
        rank: how sure that is, 0 the surest; orders the columns of one field.
    """

    field: str
    rank: int


@dataclass(frozen=True)
class _Words:
    meanings: dict[str, Meaning | None]
    han_before: tuple[str, ...]
    han_after: tuple[str, ...]
    latin: frozenset[str]
    contains: tuple[tuple[str, tuple[str, ...]], ...]
    not_with: frozenset[str]
    alone: frozenset[str]


@functools.cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _plain(text: str) -> str:
    """NFKC, simplified, without accents; case kept for words like MobilePhone."""
    if text.isascii():
        return text
    text = _simplifier().convert(unicodedata.normalize("NFKC", text))
    split = unicodedata.normalize("NFD", text)
    return unicodedata.normalize(
        "NFC", "".join(c for c in split if not "\u0300" <= c <= "\u036f")
    ).replace("ß", "ss")


def normalize(heading: str) -> str:
    """The heading's letters and digits only, in one case and script.

    >>> normalize("聯絡人 "), normalize("E-Mail"), normalize("Straße"), normalize("MOBILE #")
    ('联络人', 'email', 'strasse', 'mobile')
    """
    return "".join(c for c in _plain(heading).casefold() if c.isalnum())


@functools.cache
def _words() -> _Words:
    text = (resources.files("connectors") / "resources/headings.yml").read_text(encoding="utf-8")
    # libyaml's loader, where PyYAML has it, takes a tenth of the time and is as safe.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data: dict[str, Any] = yaml.load(text, loader)  # noqa: S506
    meanings: dict[str, Meaning | None] = {}
    for group in data["ignored"]:
        for heading in group:
            meanings[normalize(str(heading))] = None
    for field, groups in data["fields"].items():
        for rank, heading in enumerate(heading for group in groups for heading in group):
            meanings.setdefault(normalize(str(heading)), Meaning(field, rank))
    for initials, field in _pinyin():
        meanings.setdefault(initials, Meaning(field, INITIALS))
    around = data["around"]
    return _Words(
        meanings=meanings,
        han_before=tuple(sorted(map(str, around["han_before"]), key=len, reverse=True)),
        han_after=tuple(sorted(map(str, around["han_after"]), key=len, reverse=True)),
        latin=frozenset(map(str, around["latin"])),
        contains=tuple((str(c["field"]), tuple(map(str, c["any"]))) for c in data["contains"]),
        not_with=frozenset(map(str, data["not_with"])),
        alone=frozenset(normalize(str(word)) for word in data["alone"]),
    )


def _pinyin() -> list[tuple[str, str]]:
    """Initials of Chinese headings, and the field they mean."""
    path = resources.files("connectors") / "resources/pinyin_headings.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(initials, field) for initials, field in rows]


@functools.lru_cache(maxsize=10_000)
def meaning(heading: str) -> Meaning | None:
    """The input field that a heading names, or None.

    >>> meaning("联系方式\\n(必填)").field, meaning("Tax ID / SSN").field, meaning("Attn:").field
    ('phone', 'identifier', 'contact_name')
    >>> meaning("客户经理"), meaning("Customer No.")
    (None, None)
    """
    top, found, bottom = heading.partition(LEVELS)
    if found:
        return _two_lines(top, bottom)
    bare = _PARENTHESES.sub(" ", unicodedata.normalize("NFKC", heading))
    for written in (heading, bare):
        known, result = _known(written)
        if known:
            return result
    return _composite(bare) or _stripped(bare) or _contained(bare) or _cut_off(heading)


def _known(heading: str) -> tuple[bool, Meaning | None]:
    """Whether the heading is in the list, and what it means; a number at its end is no matter."""
    meanings, plain = _words().meanings, normalize(heading)
    single = plain.removesuffix("es") if plain.endswith("sses") else plain.removesuffix("s")
    for form in (plain, plain.rstrip("0123456789"), single):
        if form in meanings and (form or not plain):
            return True, meanings[form]
    return False, None


def _two_lines(top: str, bottom: str) -> Meaning | None:
    known, result = _known(top + bottom)
    if known:
        return result
    upper, lower = meaning(top), meaning(bottom)
    if lower is None:
        known, _ = _known(bottom)
        return None if known else upper
    if (
        upper
        and lower.field == "name"
        and upper.field in (*_NAMES, "contact_name", "legal_representative")
    ):
        return Meaning(upper.field, lower.rank)
    return lower


def _composite(heading: str) -> Meaning | None:
    """Headings like 姓名/公司: several fields in one column."""
    parts = [part for part in _PARTS.split(_plain(heading)) if normalize(part)]
    if len(parts) < 2:
        return None
    found = [m for m in map(meaning, parts) if m]
    fields = {m.field for m in found}
    rank = 500 + min((m.rank for m in found), default=0)
    if len(found) < len(parts) and not (fields and len(fields) == 1):
        return None
    if len(fields) == 1:
        return Meaning(fields.pop(), rank)
    for group, field in ((_IDENTIFIERS, "identifier"), (_PHONES, "phone"), (_NAMES, "name")):
        if fields <= group:
            return Meaning(field, rank)
    if fields <= {"region", "city", "district", "address", "postal_code", "country"}:
        return Meaning("address", rank)
    return Meaning("phone", rank) if fields & _PHONES and fields <= _PHONES | {"email"} else None


def _stripped(heading: str) -> Meaning | None:
    """Headings with words around them, like 客户联系电话 or billing_phone."""
    words = _words()
    plain = normalize(heading).rstrip("0123456789")
    if _has_han(plain):
        for _ in range(4):
            shorter = _shorter(plain, words)
            if shorter == plain:
                return None
            plain = shorter
            if plain in words.meanings and plain not in words.alone:
                known = words.meanings[plain]
                return known and Meaning(known.field, 1000 + known.rank)
        return None
    tokens = _tokens(heading)
    if words.not_with & set(tokens):
        return None
    rest = [token for token in tokens if token not in words.latin and not token.isdigit()]
    for form in ("".join(rest), *(rest[-1:] if len(rest) == 1 else [])):
        if len(rest) < len(tokens) and form in words.meanings and form not in words.alone:
            known = words.meanings[form]
            return known and Meaning(known.field, 1000 + known.rank)
    return None


def _shorter(plain: str, words: _Words) -> str:
    for before in words.han_before:
        if plain.startswith(before) and len(plain) > len(before):
            return plain[len(before) :]
    for after in words.han_after:
        if plain.endswith(after) and len(plain) > len(after):
            return plain[: -len(after)]
    return plain


def _contained(heading: str) -> Meaning | None:
    words = _words()
    plain, tokens = normalize(heading), _tokens(heading)
    if len(plain) > 40 or words.not_with & set(tokens):
        return None
    if _has_han(plain) and any(word in plain for word in words.not_with if _has_han(word)):
        return None
    phrase = f" {' '.join(tokens)} "
    for place, (field, parts) in enumerate(words.contains):
        if any(part in plain if _has_han(part) else f" {part} " in phrase for part in parts):
            return Meaning(field, 2000 + place)
    return None


def _cut_off(heading: str) -> Meaning | None:
    """Headings that a DBF file cut after ten characters: ACCOUNTNAM.

    >>> _cut_off("MOBILEPHON"), _cut_off("MobilePhon"), _cut_off("MOBILE")
    (Meaning(field='mobile', rank=2500), None, None)
    """
    if len(heading) != _DBF_NAME or heading != heading.upper():
        return None
    plain = normalize(heading)
    whole = {
        found and found.field
        for known, found in _words().meanings.items()
        if known.startswith(plain) and len(plain) >= _DBF_NAME - 1
    }
    field = whole.pop() if len(whole) == 1 else None
    return Meaning(field, INITIALS) if field else None


def _tokens(heading: str) -> list[str]:
    return [token.casefold() for token in _TOKEN.findall(_plain(heading))]


def _has_han(text: str) -> bool:
    return _HAN.search(text) is not None


@functools.lru_cache(maxsize=10_000)
def is_known(heading: str) -> bool:
    """Whether a cell's text is a heading we know, mapped or not: a sign of a heading row."""
    return len(heading) <= _LONGEST_HEADING and (_known(heading)[0] or meaning(heading) is not None)


def recognizer(config: SourceConfig) -> Callable[[str], bool]:
    """Tell whether a text is a heading: one we know, or one that the source's YAML names."""
    wanted = {normalize(name) for used in config.columns.values() for name in used}
    wanted |= {normalize(name) for name in config.key}
    longest = max(map(len, wanted), default=0) + _LONGEST_HEADING

    def known(text: str) -> bool:
        return len(text) <= longest and (normalize(text) in wanted or is_known(text))

    return known


def find_column(columns: Sequence[str], wanted: str) -> str | None:
    """The column that ``wanted`` names: as written, else by its letters and digits.

    >>> find_column(["Contact no. (required)"], "contact no (required)")
    'Contact no. (required)'
    """
    if wanted in columns:
        return wanted
    plain = normalize(wanted)
    same = [column for column in columns if plain and normalize(column) == plain]
    return same[0] if len(same) == 1 else None


def resolve(config: SourceConfig, columns: Iterable[str]) -> dict[str, list[str]]:
    """Map input fields to the columns that hold them.

    Declared columns come first and in their order; with ``headings: auto`` the
    columns nobody declared follow their headings, the surest first. The result
    does not depend on the order of ``columns``. A declared column that ends in
    ``?`` may be missing.

    Args:
        columns: the source's columns; those that a snapshot adds are left aside.

    Returns:
        Input field → its columns, in the order in which they are to be used.

    Raises:
        SourceLayout: a declared column is not there, or no column holds a name.
    """
    own = [column for column in columns if column not in RESERVED]
    found: dict[str, list[str]] = {}
    for field, wanted in config.columns.items():
        found[field] = []
        for name in wanted:
            column = find_column(own, name)
            if column is None and name.endswith("?"):
                column = find_column(own, name[:-1])
                if column is None:
                    continue
            if column is None:
                raise missing_column(config, name, own, f"columns.{field}")
            if column not in found[field]:  # two spellings of one heading
                found[field].append(column)
    if config.headings == "auto":
        taken = {column for used in found.values() for column in used}
        guesses: dict[str, list[tuple[int, str, str]]] = {}
        for column in own:
            meant = meaning(column)
            if column not in taken and meant and meant.field not in config.columns:
                guess = (meant.rank, normalize(column), column)
                guesses.setdefault(meant.field, []).append(guess)
        for field, ranked in guesses.items():
            found[field] = [column for _, _, column in sorted(ranked)]
    result = {field: found[field] for field in _in_order(found) if found[field]}
    if not any(field in result or field in config.defaults for field in NAME_FIELDS):
        raise SourceLayout(
            config.name,
            "no column holds the customer's name",
            found=shown(own),
            do=f"Map it in {config.file}: 'columns: {{name: ...}}'.",
        )
    return result


def _in_order(fields: Iterable[str]) -> list[str]:
    place = {field: i for i, field in enumerate(INPUT_FIELDS)}
    return sorted(fields, key=lambda field: (place.get(field, len(place)), field))


def missing_column(
    config: SourceConfig, wanted: str, columns: Sequence[str], setting: str, where: str = ""
) -> SourceLayout:
    """The error for a column that is not there."""
    return SourceLayout(
        where or config.name,
        f'no column "{wanted}"',
        found=shown(columns),
        do=f"Mend it in {config.file}, {setting}.",
    )


def shown(columns: Sequence[str]) -> str:
    """Column names for a message."""
    names = ", ".join(f'"{column}"' for column in columns[:_SHOWN_COLUMNS])
    more = len(columns) - _SHOWN_COLUMNS
    return (names or "no columns") + (f" and {more} more" if more > 0 else "")


def words_hash() -> str:
    """Hash of the lists of headings, which decides where a table begins."""
    folder = resources.files("connectors") / "resources"
    digest = hashlib.sha256()
    for name in ("headings.yml", "pinyin_headings.tsv"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()
