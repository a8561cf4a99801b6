"""Sources to read: a home in a temporary folder, and files in formats no library here writes."""

import functools
import importlib
import importlib.util
import struct
import sys
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
import yaml

from connectors import snapshot
from connectors.source import Manifest, SourceConfig, extract, load_sources
from rules.standardize import Standardized, standardize

Cell = str | float | None
Staged = dict[str, dict[str, Any]]


class Home:
    """A home with one source under test, ``customers``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lake = folder / "lake"
        self.data = folder / "data"
        self.data.mkdir()
        (folder / "sources").mkdir()

    def config(self, **settings: Any) -> SourceConfig:
        """Declare the source; see connectors/config.py."""
        text = yaml.safe_dump(settings, allow_unicode=True)
        (self.folder / "sources" / "customers.yml").write_text(text, encoding="utf-8")
        return load_sources(self.folder)["customers"]

    def sync(
        self, config: SourceConfig, previous: Manifest | None = None
    ) -> tuple[Manifest, list[dict[str, str | None]]]:
        """Extract; the manifest and the rows that are now in the lake."""
        done = extract(config, self.lake, previous)
        return done.manifest, snapshot.read(done.path).to_pylist()

    def sync_path(self, config: SourceConfig) -> Path:
        """Extract; the snapshot."""
        return extract(config, self.lake, None).path

    def lake_files(self) -> dict[str, int]:
        """Every file in the lake with its time of change."""
        return {
            str(path): path.stat().st_mtime_ns for path in self.lake.rglob("*") if path.is_file()
        }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(scope="session")
def dialect_of() -> Callable[[str], sa.Dialect]:
    """The dialect of a database by its name; it writes SQL without server and driver."""
    reason = "the SQL is not looked at: make setup installs tests/clients/requirements-dialects.txt"

    @functools.cache
    def kind(name: str) -> Callable[[], sa.Dialect]:
        if name == "db2":
            return pytest.importorskip("ibm_db_sa.ibm_db", reason=reason).dialect
        if name == "hana":
            with mock.patch.dict(sys.modules, _driver_of_hana()):
                found = pytest.importorskip("sqlalchemy_hana.dialect", reason=reason)
            return found.HANAHDBCLIDialect
        return importlib.import_module(f"sqlalchemy.dialects.{name}").dialect

    return lambda name: kind(name)()


def _driver_of_hana() -> dict[str, ModuleType]:
    """Empty modules in place of hdbcli, which is proprietary: HANA's dialect imports it at once."""
    if importlib.util.find_spec("hdbcli"):
        return {}
    driver, dbapi = ModuleType("hdbcli"), ModuleType("hdbcli.dbapi")
    driver.dbapi = dbapi  # type: ignore[attr-defined]
    return {"hdbcli": driver, "hdbcli.dbapi": dbapi}


@pytest.fixture
def read_rows(home: Home) -> Callable[..., list[dict[str, str | None]]]:
    """Declare, sync and return the rows."""

    def read(**settings: Any) -> list[dict[str, str | None]]:
        return home.sync(home.config(**settings))[1]

    return read


@pytest.fixture
def standardized(home) -> Callable[..., Standardized]:
    """Declare a source, read it into the lake, standardize what is there."""

    def read(country: str = "CN", **settings: Any) -> Standardized:
        config = home.config(**settings)
        raw = snapshot.read(home.sync_path(config))
        return standardize(raw, config, country)

    return read


@pytest.fixture
def staged(standardized) -> Callable[..., Staged]:
    """The staged records of a source by their key, with what is filled only."""

    def read(country: str = "CN", **settings: Any) -> Staged:
        rows = standardized(country, **settings).staged.to_pylist()
        return {
            row["source_key"]: {name: value for name, value in row.items() if value is not None}
            for row in rows
        }

    return read


def xlsb(rows: Sequence[Sequence[Cell]], sheet: str = "Customers") -> bytes:
    """A minimal xlsb workbook (MS-XLSB 2.1.7.62)."""

    def record(kind: int, body: bytes = b"") -> bytes:
        head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
        size, left = b"", len(body)
        while True:
            size += bytes([left & 0x7F | (0x80 if left > 0x7F else 0)])
            left >>= 7
            if not left:
                return head + size + body

    def wide(text: str) -> bytes:
        return struct.pack("<I", len(text)) + text.encode("utf-16-le")

    width = max(map(len, rows))
    data = record(129) + record(148, struct.pack("<IIII", 0, len(rows) - 1, 0, width - 1))
    data += record(145)
    for number, row in enumerate(rows):
        data += record(0, struct.pack("<IIHHBI", number, 0, 300, 0, 0, 0))
        for column, value in enumerate(row):
            place = struct.pack("<II", column, 0)
            if isinstance(value, str) and value.startswith("#"):
                data += record(3, place + bytes([{"#DIV/0!": 7, "#N/A": 42}[value]]))
            elif isinstance(value, str):
                data += record(6, place + wide(value))
            elif value is not None:
                data += record(5, place + struct.pack("<d", value))
    data += record(146) + record(130)
    book = record(131) + record(143)
    book += record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide(sheet))
    book += record(144) + record(132)
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.bin", book)
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<Relationships xmlns="{relations}"><Relationship Id="rId1" Type="{kind}" '
            'Target="worksheets/sheet1.bin"/></Relationships>',
        )
        archive.writestr("xl/worksheets/sheet1.bin", data)
    return out.getvalue()


_ODS = "urn:oasis:names:tc:opendocument:xmlns"


def ods(
    rows: Sequence[Sequence[Cell]], sheet: str = "Customers", *, encrypted: bool = False
) -> bytes:
    """A minimal ods workbook (OASIS OpenDocument 1.3, part 3)."""

    def cell(value: Cell) -> str:
        if value is None:
            return "<table:table-cell/>"
        if isinstance(value, str):
            kind = 'office:value-type="string"'
        else:
            kind = f'office:value-type="float" office:value="{value:.15g}"'
        return f"<table:table-cell {kind}><text:p>{value}</text:p></table:table-cell>"

    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    content = (
        f'<office:document-content xmlns:office="{_ODS}:office:1.0" '
        f'xmlns:table="{_ODS}:table:1.0" xmlns:text="{_ODS}:text:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="{sheet}">{lines}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    lock = '<manifest:encryption-data manifest:checksum-type="SHA256"/>' if encrypted else ""
    manifest = (
        f'<manifest:manifest xmlns:manifest="{_ODS}:manifest:1.0"><manifest:file-entry '
        f'manifest:full-path="content.xml" manifest:media-type="text/xml">{lock}'
        "</manifest:file-entry></manifest:manifest>"
    )
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    return out.getvalue()


def xls(
    rows: Sequence[Sequence[Cell]], sheet: str = "Customers", *, encrypted: bool = False
) -> bytes:
    """An xls workbook; an encrypted one has the mark of encryption and nothing more."""
    import xlwt

    book = xlwt.Workbook()
    page = book.add_sheet(sheet)
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is not None:
                page.write(number, column, value)
    out = BytesIO()
    book.save(out)
    data = bytearray(out.getvalue())
    if encrypted:
        second = data.find(bytes.fromhex("09081000")) + 4 + 16
        data[second : second + 2] = b"\x2f\x00"  # FILEPASS
    return bytes(data)


def xlsx(rows: Sequence[Sequence[Cell]], sheet: str = "Customers") -> bytes:
    """An xlsx workbook."""
    import xlsxwriter

    out = BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False})
    page = book.add_worksheet(sheet)
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is not None:
                page.write(number, column, value)
    book.close()
    return out.getvalue()


WRITERS: dict[str, Callable[..., bytes]] = {"xlsx": xlsx, "xls": xls, "xlsb": xlsb, "ods": ods}


@pytest.fixture
def writers() -> dict[str, Callable[..., bytes]]:
    """A function per spreadsheet format: rows, sheet name → the file's bytes."""
    return WRITERS


@pytest.fixture
def locked_workbook() -> Path:
    """An xlsx workbook encrypted with a password (ECMA-376 agile encryption)."""
    return Path(__file__).with_name("locked.xlsx")
