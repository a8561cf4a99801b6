"""Workbooks of every format: opening them and parsing their sheets.

What belongs here: which reader parses a sheet, and what is wrong with a file that none
can read. Large sheets of xlsx files are connectors/sheet_pieces.py's, all others
python-calamine's by itself. What the sheets mean is connectors/spreadsheet.py's part.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import python_calamine as calamine

from connectors import error_cells, files, sheet_cells, sheet_pieces
from connectors.files import SourceFile
from connectors.sheet_cells import SheetCells
from onefold.errors import SourceLayout, SourceLocked

_ZIP, _OLE = b"PK", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class Parsed(NamedTuple):
    """A parsed sheet."""

    cells: SheetCells
    faults: Callable[[], error_cells.Found]
    """Waits for its cells without a result."""


class Workbook:
    """A workbook, opened whole only where it must be, for that reads all texts its sheets share."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._whole: calamine.CalamineWorkbook | None = None

    @property
    def sheets(self) -> list[calamine.SheetMetadata]:
        """Its sheets in their order."""
        return sheet_pieces.outline(self._path) or self._opened().sheets_metadata

    def parsed(self, name: str, beside: ThreadPoolExecutor | None = None) -> Parsed:
        """A sheet.

        Args:
            beside: looks for cells without a result meanwhile; None: nobody does.
        """
        parsed = sheet_pieces.parse(self._path, name)
        if parsed:
            return Parsed(parsed.cells, lambda: parsed.faults)
        faults = beside.submit(error_cells.find, self._path, name).result if beside else dict
        return Parsed(sheet_cells.whole(self._opened().get_sheet_by_name(name)), faults)

    def close(self) -> None:
        """Let go of it, if it was opened."""
        if self._whole:
            self._whole.close()

    def _opened(self) -> calamine.CalamineWorkbook:
        self._whole = self._whole or _loaded(self._path)
        return self._whole


@contextmanager
def opened(file: SourceFile) -> Iterator[Workbook]:
    """Open a workbook, and say in words what can go wrong with it while it is read.

    Raises:
        SourceLocked: it is password-protected, or may not be read.
        SourceLayout: it is none, or damaged.
    """
    with files.opened(file):
        try:
            workbook = Workbook(file.path)
            yield workbook
            workbook.close()
        except calamine.PasswordError as error:
            raise SourceLocked(
                file.name, "the workbook is password-protected", do="Save it without a password."
            ) from error
        except calamine.CalamineError as error:
            with file.path.open("rb") as stream:
                head = stream.read(8)
            text = not head.startswith((_ZIP, _OLE))
            raise SourceLayout(
                file.name,
                "this is no workbook that can be read",
                found="plain text or HTML under a workbook's name"
                if text
                else "a damaged or unfinished file",
                do="Open it in Excel and save it as .xlsx, or take it away.",
            ) from error


def _loaded(path: Path) -> calamine.CalamineWorkbook:
    try:
        return calamine.load_workbook(str(path))
    except calamine.PasswordError:
        raise
    except calamine.CalamineError:
        # The name may lie: old programs write xlsx under .xls and the other way round.
        return calamine.load_workbook(BytesIO(path.read_bytes()))
