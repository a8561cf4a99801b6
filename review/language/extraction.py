"""Marked texts of code and templates, and bringing the catalogs up to date with them.

``python -m review.language.extraction`` adds new texts to both catalogs, drops
those that are gone, and says what zh still lacks. For developers; the app
itself only reads the catalogs.
"""

import ast
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

from review.language import DEFAULT, LANGUAGES, catalogs

ROOT = Path(__file__).parents[2]
COMMON = "common"
"""Part of the texts that no single part of the app owns."""
_MARKED: Mapping[str, Any] = {"N_": None, "say": (2,), "ngettext": (1, 2)}
OF_US: Mapping[str, Mapping[str, Any]] = {
    "review": _MARKED,
    "onefold": _MARKED,
    "warehouse": _MARKED,
    "rules": {"Problem": (2,)},  # a finding's reason
}
"""Package whose texts people read in their language → the calls that mark them, and where."""
_ERRORS = frozenset({"AccountError", "DecisionConflict", "NotThere"})
"""Errors that the app tells in the reader's language: what is wrong, and what to do."""
_TEMPLATES: Mapping[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2)}
_EXTENSIONS = {"extensions": "jinja2.ext.i18n, jinja2.ext.do", "trimmed": "true"}


def messages() -> dict[str | tuple[str, str], list[str]]:
    """Every marked text (or singular and plural), with the files it stands in."""
    found: dict[str | tuple[str, str], list[str]] = {}
    for file, text in _extracted():
        places = found.setdefault(text, [])
        if file not in places:
            places.append(file)
    return found


def _extracted() -> Iterator[tuple[str, str | tuple[str, str]]]:
    for package, calls in OF_US.items():
        for path in sorted((ROOT / package).rglob("*.py")):
            code, file = path.read_bytes(), path.relative_to(ROOT).as_posix()
            for _line, text, _comments, _context in extract("python", io.BytesIO(code), calls):
                yield file, _plain(text)
            yield from ((file, text) for text in said_by_errors(code.decode("utf-8")))
    for path in sorted((ROOT / "review" / "templates").rglob("*.html")):
        for _line, text, _comments, _context in extract(
            "jinja2.ext:babel_extract",
            io.BytesIO(path.read_bytes()),
            _TEMPLATES,
            options=_EXTENSIONS,
        ):
            yield path.relative_to(ROOT).as_posix(), _plain(text)


def said_by_errors(code: str) -> list[str]:
    """What the errors that a module raises say is wrong, and what to do about it.

    Raises:
        ValueError: one of them is no plain text, so that no catalog could translate it.

    >>> said_by_errors("raise NotThere(f'case {one}', 'there is no such case', do='See.')")
    ['there is no such case', 'See.']
    """
    found = []
    for node in ast.walk(ast.parse(code)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id not in _ERRORS:
            continue
        for said in [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "do")]:
            if not (isinstance(said, ast.Constant) and isinstance(said.value, str)):
                raise ValueError(f"line {said.lineno}: {ast.unparse(said)} is no plain text")
            found.append(said.value)
    return found


def _plain(text: Any) -> str | tuple[str, str]:
    return (text[0], text[1]) if isinstance(text, tuple) else text


def part_of(file: str) -> str:
    """The part of the app that a file belongs to: each has a catalog of its own.

    >>> part_of("review/templates/people/list.html"), part_of("review/routes/people.py")
    ('people', 'people')
    >>> part_of("review/templates/base.html"), part_of("warehouse/accounts.py")
    ('common', 'common')
    """
    path = Path(file)
    if path.parent.name in ("routes", "presenters"):
        return path.stem
    if path.parts[0] == "rules":
        return "quarantine"
    if "templates" in path.parts and path.parent.name not in ("templates", "components", "errors"):
        return path.parent.name
    return "common"


def expected() -> dict[str, list[str | tuple[str, str]]]:
    """Every marked text by part, in the order of the catalogs."""
    found: dict[str, list[str | tuple[str, str]]] = {COMMON: []}
    for text, files in messages().items():
        for part in {part_of(file) for file in files}:
            found.setdefault(part, []).append(text)
    return {part: sorted(texts, key=str) for part, texts in found.items()}


def update(language: str) -> list[str]:
    """Bring the catalogs up to date; gives the texts that they do not translate."""
    before = catalogs(language)
    known = {
        message.id: message.string
        for part in before.values()
        for message in part
        if message.id and message.string
    }
    missing = []
    folder = ROOT / "review" / "language" / language / "LC_MESSAGES"
    wanted = expected()
    for gone in before.keys() - wanted.keys():
        (folder / f"{gone}.po").unlink()
    for part, texts in wanted.items():
        after = Catalog(locale=language)
        kept = {message.id: message.string for message in before.get(part, ()) if message.string}
        for text in texts:
            string = kept.get(text) or known.get(text) or ""
            if language != DEFAULT and not string:
                missing.append(text if isinstance(text, str) else text[0])
            if string or language != DEFAULT:
                after.add(text, string)
        if len(after) or part == COMMON:
            (folder / f"{part}.po").write_text(_written(after, language), encoding="utf-8")
    return missing


def _written(catalog: Catalog, language: str) -> str:
    """The catalog as text, without dates and lines, so that it differs only where texts do."""
    body = io.BytesIO()
    write_po(body, catalog, width=100, omit_header=True)
    head = (
        f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n'
        f'"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Plural-Forms: {catalog.plural_forms}\\n"\n\n'
    )
    return (head + body.getvalue().decode("utf-8").strip()).strip() + "\n"


if __name__ == "__main__":
    for code in LANGUAGES:
        for one in update(code):
            print(f"{code}: not translated: {one}")
