"""A small home with two sources, and what stands in its stores, for comparing."""

import json
import logging
import shutil
import sqlite3
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from onefold import settings
from pipelines import lake, stages, table_files
from pipelines.run import instance
from warehouse import stores
from warehouse.engine import connect

NewDatabase = Callable[..., AbstractContextManager[str]]

CRM = """\
Id,Name,Type,Phone,Email,City,Street,Updated
C1,张伟,person,13800000001,zhangwei@example.com,南京,中山路1号,2024-01-05
C2,李娜,person,13800000002,lina@example.com,南京,北京东路20号,2024-02-05
C3,王芳,person,13800000003,,苏州,人民路300号,2024-03-05
C4,南京青禾信息技术有限公司,organization,025-00000001,info@qinghe.example,南京,软件大道8号,2024-01-09
C5,苏州蓝湖食品有限公司,organization,0512-00000002,hello@lanhu.example,苏州,园区路5号,2024-01-09
C6,陈静,person,13800000006,chenjing@example.com,无锡,学前街12号,2023-11-05
C7,刘洋,person,13800000007,liuyang@example.com,无锡,运河路7号,2023-12-01
C8,,person,,,,,2024-01-01
"""
"""Eight rows; the last one names nobody."""

ERP = [
    ("E1", "张 伟", "P", "138-0000-0001", "ZHANGWEI@example.com", "南京市", "中山路1号"),
    ("E2", "南京青禾信息技术公司", "C", "025 00000001", "", "南京市", "软件大道8号"),
    ("E3", "王芳", "P", "13800000003", "wangfang@example.com", "苏州市", "人民路300号"),
    ("E4", "赵磊", "P", "13800000009", "zhaolei@example.com", "常州市", "延陵路40号"),
    ("E5", "苏州兰亭纸业有限公司", "C", "0512-00000077", "", "苏州市", "竹辉路9号"),
    ("E6", "刘洋", "P", "not a number", "liuyang@example.com", "无锡市", "运河路7号"),
]

CRM_YML = """\
connector: delimited
path: data/crm.csv
key: Id
columns: {name: Name, customer_type: Type, phone: Phone, email: Email, city: City,
          address: Street, updated_at: Updated}
schedule: "30 2 * * *"
"""
ERP_YML = """\
connector: sql
url: sqlite:///data/erp.db
table: customer
key: id
columns: {name: name, customer_type: kind, phone: tel, email: mail, city: city, address: street}
values:
  customer_type: {P: person, C: organization}
"""


def write_erp(folder: Path, rows: list[tuple[str, ...]]) -> None:
    """Make the ERP database anew with these rows."""
    path = folder / "data" / "erp.db"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE customer (id, name, kind, tel, mail, city, street)")
    connection.executemany("INSERT INTO customer VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()


def write_home(folder: Path, database: str = "sqlite") -> Path:
    """Make a home with the sources crm and erp."""
    (folder / "sources").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "onefold.yml").write_text(
        f"database: {database}\ncountry: CN\ntimezone: Asia/Shanghai\n", encoding="utf-8"
    )
    (folder / "sources" / "crm.yml").write_text(CRM_YML, encoding="utf-8")
    (folder / "sources" / "erp.yml").write_text(ERP_YML, encoding="utf-8")
    (folder / "data" / "crm.csv").write_text(CRM, encoding="utf-8")
    write_erp(folder, ERP)
    return folder


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No home or database of whoever runs the tests."""
    for name in ("ONEFOLD_HOME", "ONEFOLD_DATABASE_URL", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def world() -> ModuleType:
    """This module: the small home's data and the functions to make and read it."""
    return sys.modules[__name__]


@pytest.fixture
def home(tmp_path: Path, migrated_files: Path) -> Path:
    """A home on SQLite as ``onefold init`` leaves it, with two sources."""
    return shutil.copytree(migrated_files, write_home(tmp_path / "home"), dirs_exist_ok=True)


@pytest.fixture(scope="session")
def _synced(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """A home on SQLite that went through every stage once; to be copied, not used."""

    def make(folder: Path) -> None:
        home = write_home(folder / "home")
        run_all(home)
        with instance(home):  # makes Dagster's tables, which takes longer than copying them
            pass

    return made_once("synced", make) / "home"


@pytest.fixture(scope="session")
def _synced_on_postgres(
    tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase
) -> Iterator[Path]:
    """The same on PostgreSQL."""
    with new_database() as url:
        folder = write_home(tmp_path_factory.mktemp("synced") / "home", url)
        run_all(folder)
        yield folder


@pytest.fixture
def synced(_synced: Path, tmp_path: Path) -> Path:
    """A home on SQLite that went through every stage once."""
    return shutil.copytree(_synced, tmp_path / "home")


@pytest.fixture(params=["sqlite", "postgresql"])
def any_synced(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The same, and in a second run of the test one on PostgreSQL."""
    if request.param == "sqlite":
        yield shutil.copytree(request.getfixturevalue("_synced"), tmp_path / "home")
        return
    original = request.getfixturevalue("_synced_on_postgres")
    home = shutil.copytree(original, tmp_path / "home")
    before = settings.load(original).database_url
    with request.getfixturevalue("new_database")(before) as url:
        text = (home / "onefold.yml").read_text(encoding="utf-8")
        name = sa.make_url(before).database or ""
        text = text.replace(name, sa.make_url(url).database or "")
        (home / "onefold.yml").write_text(text, encoding="utf-8")
        yield home


def run_all(home: Path) -> None:
    """Every stage once, without Dagster."""
    with stages.opened(home) as opened:
        for source in opened.sources:
            stages.sync(opened, source)
            stages.stage(opened, source)
        stages.publish(opened)


_VARY = {
    "sync_id", "publish_id", "first_seen", "last_seen", "since", "at", "valid_from", "valid_to",
    "published_at", "first_published_at", "started_at", "finished_at", "retired_at", "left_at",
    "snapshot", "manifest", "fingerprint", "version_num",
}  # fmt: skip
"""Columns that say when or in which run; everything else must be the same."""


def contents(home: Path, ignore: frozenset[str] = frozenset(_VARY)) -> dict[str, list[Any]]:
    """Every row of every table of both stores, without the ignored columns, sorted."""
    found: dict[str, list[Any]] = {}
    warehouse = connect(settings.load(home))
    try:
        for store, metadata in stores.METADATA.items():
            with warehouse.read(store) as connection:
                for table in metadata.sorted_tables:
                    shown = [column for column in table.columns if column.name not in ignore]
                    rows = connection.execute(sa.select(*shown))
                    found[table.name] = sorted(tuple(map(_text, row)) for row in rows)
    finally:
        warehouse.close()
    return found


def _text(value: object) -> str:
    """The same on both databases: SQLite's times have no zone, they are UTC."""
    if isinstance(value, datetime):
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return str(value)


OF_SOURCES = {"data", ".onefold.lock"}
"""What the sources themselves hold."""


def every_byte(home: Path, elsewhere: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the home and its exports, unpacked where it is packed."""
    for folder in (home, elsewhere):
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if not path.is_file() or (folder == home and parts[0] in OF_SOURCES):
                continue
            content = path.read_bytes()
            yield str(path), content
            if path.suffix in (table_files.PARQUET, table_files.ARROW):
                yield f"{path} values", str(table_files.read(path)).encode()
                shown = table_files.read(path).to_pylist()
                yield f"{path} rows", json.dumps(shown, ensure_ascii=False, default=str).encode()
            if path.suffix == ".xlsx":
                with zipfile.ZipFile(BytesIO(content)) as book:
                    for name in book.namelist():
                        yield f"{path} {name}", book.read(name)


def traces(home: Path, elsewhere: Path, values: set[str]) -> dict[str, list[str]]:
    """Value → where it stands."""
    places = list(every_byte(home, elsewhere))
    for table, rows in contents(home, frozenset()).items():
        places.append((table, "\n".join(map(str, rows)).encode()))
    found: dict[str, list[str]] = {}
    for value in values:
        forms = (value.encode(), json.dumps(value)[1:-1].encode())
        where = [name for name, content in places if any(form in content for form in forms)]
        if where:
            found[value] = where
    return found


def own_values(names: set[str]) -> set[str]:
    """What in the sources stands in the records of these people only."""
    rows = [line.split(",") for line in CRM.splitlines()[1:]]
    rows += [[one.replace(" ", "") if i == 1 else one for i, one in enumerate(row)]
             for row in ERP]  # fmt: skip
    theirs = {cell for row in rows if row[1] in names for cell in row}
    others = {cell for row in rows if row[1] not in names for cell in row}
    found = {cell for cell in theirs - others if len(cell) > 3 or cell in names}
    found = {cell for cell in found if not cell.startswith("20")}  # days
    found |= {f"+86{cell}" for cell in found if cell.isdigit() and len(cell) == 11}
    return found


def execute(home: Path, statement: str, store: str = "warehouse") -> None:
    """Run a statement behind the pipeline's back; {} is the schema's prefix."""
    warehouse = connect(settings.load(home))
    prefix = f"{store}." if warehouse.is_postgresql else ""
    try:
        with warehouse.write(store) as connection:
            connection.execute(sa.text(statement.replace("{}", prefix)))
    finally:
        warehouse.close()


@contextmanager
def told(lines: list[str]) -> Iterator[None]:
    """Collect what the stages say while the block runs."""
    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("onefold")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def lake_rows(home: Path, table: str) -> list[dict[str, Any]]:
    """Rows of the newest file of a table in the lake."""
    newest, *_ = lake.names(home / "lake", table)
    return lake.read(home / "lake", table, newest).to_pylist()


def files(folder: Path) -> dict[str, bytes]:
    """Every file below the folder, by its relative path, with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def edit(synced: Path) -> Callable[[str, str, str], None]:
    """Replace text in a file of the synced home; fails if it is not there."""

    def replace(name: str, old: str, new: str) -> None:
        path = synced / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return replace
