"""Reading the reference tables in rules/resources/.

A table is a UTF-8 .tsv file; its first lines start with ``#`` and say where it
comes from, of what date, under which license, and what the columns mean.
"""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "resources"


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of ``resources/<name>.tsv`` without comments and empty lines."""
    lines = (FOLDER / f"{name}.tsv").read_text(encoding="utf-8").split("\n")
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))


@cache
def words(name: str, kind: str) -> tuple[str, ...]:
    """The words of the rows whose first cell is ``kind``: last column, separated by ``|``."""
    found = (word for row in rows(name) if row[0] == kind for word in row[-1].split("|"))
    return tuple(dict.fromkeys(word for word in found if word))
