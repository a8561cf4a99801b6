"""Which known system a database or a file comes from, by its tables and columns.

What belongs here: comparing what is there with what templates expect. What each
expects stands in its file; reading a database's catalog is the caller's part.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from connectors.templates import model

_LEAST = 0.6
"""Share of a template's columns below which it is not proposed."""
_BY_NAMES_ALONE = 0.5
"""Score of a template whose tables are there while their columns are not known."""
_IN_A_FILE = 0.9
"""Score of a file with all headings: people write such headings, too."""


@dataclass(frozen=True)
class Recognized:
    """A template that fits.

    Attributes:
        template: its name.
        score: 0..1, how much of what it expects is there.
        table: the table, file or sheet with the records.
    """

    template: str
    score: float
    table: str


def recognize(tables: Mapping[str, Collection[str]] | Iterable[str]) -> list[Recognized]:
    """The templates that fit, the best first.

    Args:
        tables: table (with or without its schema), sheet or file name → its columns;
            names alone, or no columns, where those are not known yet.

    >>> [found.template for found in recognize({"KNA1": ["MANDT", "KUNNR", "NAME1", "LOEVM",
    ...     "ADRNR", "KTOKD"], "ADRC": ["ADDRNUMBER", "NATION", "CITY1"]})]
    ['sap_ecc']
    """
    known = dict(tables) if isinstance(tables, Mapping) else dict.fromkeys(tables, ())
    by_name: dict[str, list[str]] = {}
    for name in sorted(known):
        by_name.setdefault(_plain(name.rpartition(".")[2]), []).append(name)
    columns = {name: frozenset(map(_plain, found)) for name, found in known.items()}
    found = []
    for name in model.names():
        signs = model.load(name).recognized_by
        fits = [_by_tables(name, signs, by_name, columns), _by_headings(name, signs, columns)]
        found += [fit for fit in fits if fit is not None and fit.score > 0]
    return sorted(found, key=lambda fit: (-fit.score, fit.template))


def _by_tables(
    name: str,
    signs: model.Signs,
    by_name: Mapping[str, list[str]],
    columns: Mapping[str, frozenset[str]],
) -> Recognized | None:
    if not signs.tables:
        return None
    expected = there = 0
    place = ""
    for table, wanted in signs.tables.items():
        own = by_name.get(_plain(table))
        if not own:
            return None
        best = max(own, key=lambda candidate: _share(wanted, columns[candidate]))
        place = place or best
        if columns[best]:
            expected += len(wanted)
            there += round(_share(wanted, columns[best]) * len(wanted))
    if not expected:
        return Recognized(name, _BY_NAMES_ALONE, place)
    return Recognized(name, there / expected, place) if there >= _LEAST * expected else None


def _by_headings(
    name: str, signs: model.Signs, columns: Mapping[str, frozenset[str]]
) -> Recognized | None:
    shares = {table: _share(signs.headings, own) for table, own in sorted(columns.items()) if own}
    if not signs.headings or not shares:
        return None
    best = max(shares, key=lambda table: shares[table])
    score = shares[best] * _IN_A_FILE
    return Recognized(name, score, best) if shares[best] >= _LEAST else None


def _share(wanted: Collection[str], own: frozenset[str]) -> float:
    """Which part of the wanted columns is there; ``A | B`` is one of the two."""
    if not wanted:
        return 1.0
    there = sum(any(_plain(form) in own for form in column.split("|")) for column in wanted)
    return there / len(wanted)


def _plain(name: str) -> str:
    """Letters and digits in one case: replicas write ``billing_street`` for ``BillingStreet``."""
    return "".join(character for character in name.casefold() if character.isalnum())
