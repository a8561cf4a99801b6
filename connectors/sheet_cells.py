"""The cells of a sheet, parsed whole or in pieces: first rows, and columns of many rows.

What belongs here: putting together what python-calamine parsed, with the empty cells that
stand around it. Rows and columns are counted from 0, as the sheet shows them.
"""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import python_calamine as calamine

from connectors.tables import Cell, Merge

_BATCH_ROWS, _ROWS_AT_ONCE = 20_000, 1_000
_CELLS_AT_ONCE = 500_000
"""Cells of a piece that are made at once; to get at the rows of a piece one by one, calamine
counts all rows above it."""


@dataclass(frozen=True)
class SheetCells:
    """A parsed sheet.

    Attributes:
        pieces: parts of the sheet that follow one another; none is empty.
        merges: merged ranges; None where the format does not tell.
    """

    pieces: Sequence[calamine.CalamineSheet]
    merges: Sequence[Merge] | None

    @property
    def size(self) -> int:
        """How many cells are kept, empty ones too."""
        return sum(piece.height * piece.width for piece in self.pieces)

    @property
    def width(self) -> int:
        """Columns up to the last one with a cell."""
        return max((piece.end[1] + 1 for piece in self.pieces if piece.end), default=0)

    def head(self, count: int) -> list[list[Cell]]:
        """The first rows of the sheet, all of one width.

        Args:
            count: how many at most.
        """
        found: list[list[Cell]] = []
        width = self.width
        for rows, left in self._rows(0):
            for row in rows[: count - len(found)]:
                found.append([*[""] * left, *row, *[""] * (width - left - len(row))])
            if len(found) >= count:
                break
        return found

    def columns(self, first: int, places: Sequence[int]) -> Iterator[dict[int, list[Cell]]]:
        """The cells of some columns by their places, 20,000 rows at a time.

        Args:
            first: the first row.
            places: at least one.
        """
        found: dict[int, list[Cell]] = {place: [] for place in places}
        for rows, left in self._rows(first):
            width = len(rows[0])
            some = list(itertools.chain.from_iterable(rows))
            blank = [""] * len(rows)
            for place, cells in found.items():
                cells += some[place - left :: width] if 0 <= place - left < width else blank
            while len(found[places[0]]) >= _BATCH_ROWS:
                yield {place: cells[:_BATCH_ROWS] for place, cells in found.items()}
                found = {place: cells[_BATCH_ROWS:] for place, cells in found.items()}
        if found[places[0]]:
            yield found

    def _rows(self, first: int) -> Iterator[tuple[Sequence[Sequence[Cell]], int]]:
        """Rows from ``first`` on, some of one width at a time, and the column they begin at.

        Few at a time: lists that stay would be looked through by the collector, and cells of
        more rows would leave the processor's cache.
        """
        after = first
        for piece in self.pieces:
            (top, left), (bottom, _) = piece.start or (0, 0), piece.end or (0, 0)
            for row in range(after, top, _ROWS_AT_ONCE):
                yield [[] for _ in range(min(_ROWS_AT_ONCE, top - row))], 0
            if after <= bottom:
                for rows in _filled(piece, max(after - top, 0)):
                    yield rows, left
                after = bottom + 1


def whole(sheet: calamine.CalamineSheet) -> SheetCells:
    """A sheet that was parsed at once."""
    return SheetCells((sheet,) if sheet.start else (), sheet.merged_cell_ranges)


def _filled(piece: calamine.CalamineSheet, skipped: int) -> Iterator[Sequence[Sequence[Cell]]]:
    """The rows of a piece without its first ones."""
    if piece.height * piece.width <= _CELLS_AT_ONCE:
        rows: Iterator[Sequence[Cell]] = iter(piece.to_python()[skipped:])
    else:
        rows = iter(piece.iter_rows())
        deque(itertools.islice(rows, piece.start[0] + skipped if piece.start else 0), 0)
    while some := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        yield some
