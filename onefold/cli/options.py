"""Options that several commands take."""

import os
from pathlib import Path
from typing import Annotated

import typer

from onefold.errors import ConfigError

LANGUAGES = ("en", "zh")
Home = Annotated[
    Path | None,
    typer.Option("--home", help="The home folder; else ONEFOLD_HOME, else the current folder."),
]
Lang = Annotated[str | None, typer.Option("--lang", help="en or zh; else the terminal's language.")]


def language_of(asked: str | None) -> str:
    """The language that was asked for, else that of the terminal.

    Raises:
        ConfigError: there is no such language.
    """
    if asked is not None:
        if asked not in LANGUAGES:
            raise ConfigError("--lang", "there are two languages", found=asked, do="Say zh or en.")
        return asked
    local = next(filter(None, (os.environ.get(n) for n in ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "zh" if local.startswith("zh") else "en"
