"""The app's texts in Chinese and English: gettext catalogs, read once, and babel's formats.

Texts are written in English in code and templates, marked with ``_`` or
``ngettext``, or with ``N_`` where they are only looked up later, and translated
in ``zh/LC_MESSAGES/PART.po``, one file per part of the app; the English ones hold
only what differs from the text in the code. Explanations have a catalog of their own
(dedupe/explaining).
"""

import gettext
import io
from functools import cache
from importlib import resources

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("zh", "en")
DEFAULT = "en"
LOCALES = {"zh": Locale("zh", "CN", "Hans"), "en": Locale("en", "GB")}
NAMES = {"zh": "中文", "en": "English"}
"""What each language calls itself."""


def N_(text: str) -> str:  # noqa: N802
    """Mark a text for the catalogs; it is translated where it is shown."""
    return text


@cache
def translations(language: str) -> gettext.GNUTranslations:
    """The catalogs of a language, one per part of the app, compiled in memory into one."""
    merged = Catalog(locale=language)
    for part in catalogs(language).values():
        for message in part:
            if message.id and message.string:
                merged.add(message.id, message.string)
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def catalogs(language: str) -> dict[str, Catalog]:
    """The catalogs of a language by part, as they stand in the files."""
    folder = resources.files("review") / "language" / language / "LC_MESSAGES"
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".po")), key=str)
    return {
        file.name.removesuffix(".po"): read_po(
            io.StringIO(file.read_text(encoding="utf-8")), locale=language
        )
        for file in files
    }


def preferred(accept: str) -> str:
    """The language to use for a browser's Accept-Language.

    >>> preferred("fr;q=0.9, zh-TW;q=0.8, en;q=0.5"), preferred("de"), preferred("*, zh;q=0")
    ('zh', 'en', 'en')
    """
    weighed: list[tuple[float, int, str]] = []
    for part in accept.split(","):
        name, _, rest = part.strip().partition(";")
        quality = rest.strip().removeprefix("q=") or "1"
        try:
            weight = float(quality)
        except ValueError:
            continue
        language = name.strip().lower().partition("-")[0]
        if language in LANGUAGES and weight > 0:
            weighed.append((-weight, len(weighed), language))
    return min(weighed)[2] if weighed else DEFAULT
