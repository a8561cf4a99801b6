"""What ``privacy: encrypt:`` promises: no number in any byte, and the product as without it."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from connectors import resealing, snapshot
from connectors.source import declared
from onefold import keys, settings
from onefold.errors import ConfigError
from onefold.keys import Keys
from pipelines import stages, table_files
from pipelines.stages import rekeying
from warehouse import engine, export, export_database, findings, overrides, repairs, search, stores
from warehouse.engine import Warehouse


def _number(body: str) -> str:
    """An identity number with its check character (GB 11643)."""
    total = sum(int(c) * (1 << (17 - place)) for place, c in enumerate(body))
    return body + "10X98765432"[total % 11]


NUMBERS = [
    _number(body)
    for body in (
        "11010119900307851", "32010219851212344", "32050119780228021", "32020119990101113",
        "11010119660606009", "32010219720313077",
    )
]  # fmt: skip
BROKEN = "320102198513443219"
"""No number, as its month tells: rejected, and kept in quarantine."""
MENDED = _number("32010219851112321")
"""What a steward puts in its place."""
CHANGED = _number("32010219851215217")
"""What the source says later in place of the second."""
NEW = _number("32010219850505505")
"""Pinned by a steward."""

COLUMNS = ("Id", "Name", "Phone", "IdNo", "City", "Street", "Mail", "Born", "Sex", "Firm", "Hobby")
CRM = [
    (
        "C1",
        "张伟",
        "13800000001",
        NUMBERS[0],
        "南京",
        "中山路1号",
        "zw.crm@example.com",
        "1990-03-07",
        "男",
        "南京远航贸易有限公司",
        "钓鱼协会",
    ),
    ("C2", "李娜", "13800000002", NUMBERS[1], "南京", "北京东路20号", "", "", "", "", ""),
    (
        "C3",
        "王芳",
        "13800000003",
        NUMBERS[2],
        "苏州",
        "人民路300号",
        "wf@example.com",
        "",
        "女",
        "",
        "",
    ),
    ("C4", "陈静", "13800000006", BROKEN, "无锡", "学前街12号", "", "", "", "", ""),
    ("C5", "刘洋", "13800000007", NUMBERS[3], "无锡", "运河路7号", "", "", "", "", ""),
    ("C6", "赵磊", "13800000009", "", "常州", "延陵路40号", "", "1972-03-13", "", "", ""),
    ("C7", "孙立军", "", NUMBERS[4], "南京", "汉口路5号", "", "", "", "", ""),
]
ERP = [
    (
        "E1",
        "张 伟",
        "138-0000-0001",
        NUMBERS[0],
        "南京市",
        "中山路1号",
        "zw.crm@example.com",
        "1990-03-07",
    ),
    ("E2", "王芳", "13800000003", NUMBERS[2].lower(), "苏州市", "人民路300号", "", "1978-02-28"),
    ("E3", "刘洋", "", NUMBERS[3], "无锡市", "", "", ""),
    ("E4", "赵磊", "13800000009", NUMBERS[5], "常州市", "延陵路40号", "", ""),
    ("E5", "孙立君", "", "", "南京市", "汉口路5号", "", ""),
    ("E6", "南京远航贸易有限公司", "", "", "南京市", "", "", ""),
]
STREETS = ("中山路", "北京东路", "延陵路")
OTHERS = (
    *("张伟", "李娜", "王芳", "孙立军", "孙立君", "zhangwei", "zhang wei", "sunlijun", "远航贸易"),
    *(f"1380000000{digit}" for digit in (1, 2, 3, 6, 7, 9)),
    *("138-0000-0001", "zw.crm@", "wf@ex", "1990-03-07", "1978-02-28", "1972-03-13", "钓鱼协会"),
)
"""Names as read and as they are pronounced, telephone numbers, mail addresses, birth dates, ..."""
_NUMBERS = [one[:17].lower() for one in (*NUMBERS, NEW, CHANGED, BROKEN, MENDED)]
_SECRET = [*_NUMBERS, *STREETS, *OTHERS]
"""What is nowhere in an encrypted home; identity numbers without their check characters."""
YML = """\
connector: {connector}
{place}
key: Id
columns: {{name: Name, phone: Phone, national_id: IdNo, city: City, address: Street, email: Mail,
  birth_date: Born, sex: 'Sex?', organization_name: 'Firm?', attributes.hobby: 'Hobby?'}}
"""
PRIVACY = """
privacy:
  key: ${ONEFOLD_KEY}
  encrypt: [personal]
"""
OFF = PRIVACY.replace("[personal]", "[]")
KEY = "ofkey-" + "A" * 43
NewDatabase = Callable[..., AbstractContextManager[str]]
Made = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEFOLD_KEY", KEY)


def _declare(home: Path, stores: Path, privacy: str = "", database: str = "sqlite") -> Path:
    """A home with two sources that hold personal data; they stand beside it.

    Args:
        home: the folder to make.
        stores: a folder with empty stores, to be copied.
        privacy: of onefold.yml.
        database: its URL.
    """
    data = home.parent / "data"
    shutil.copytree(stores, home)
    (home / "sources").mkdir()
    (home / "onefold.yml").write_text(f"database: {database}\ncountry: CN\n{privacy}", "utf-8")
    data.mkdir()
    lines = [",".join(row) for row in [COLUMNS, *CRM]]
    (data / "crm.csv").write_text("\n".join(lines) + "\n", "utf-8")
    connection = sqlite3.connect(data / "erp.db")
    connection.execute(f"CREATE TABLE customer ({', '.join(COLUMNS[:8])})")
    connection.executemany(f"INSERT INTO customer VALUES ({', '.join('?' * 8)})", ERP)
    connection.commit()
    connection.close()
    for source, connector, place in (
        ("crm", "delimited", "path: ../data/crm.csv"),
        ("erp", "sql", "url: sqlite:///../data/erp.db\ntable: customer"),
    ):
        text = YML.format(connector=connector, place=place)
        (home / "sources" / f"{source}.yml").write_text(text, "utf-8")
    return home


def _run(home: Path, world: ModuleType) -> None:
    """Sync, publish, pin a value, mend a finding, and publish that.

    The record of the pinned value changes meanwhile, so that a case asks about it.
    """
    world.run_all(home)
    with _open(home) as wh:
        [found] = search.find(wh, "李娜")
        overrides.override(wh, found.golden_id, "national_id", NEW, "anna", reason="her passport")
        [finding] = [one for one in findings.of_record(wh, "crm:C4") if one.raw_value == BROKEN]
        repairs.add(wh, finding.quarantine_id, "value", "anna", value=MENDED, reason="her card")
    file = home.parent / "data" / "crm.csv"
    file.write_text(file.read_text("utf-8").replace(NUMBERS[1], CHANGED), "utf-8")
    world.run_all(home)


@pytest.fixture(scope="module")
def _made(made_once: Made, migrated_files: Path, world: ModuleType) -> Callable[[str, str], Path]:
    """The folder of a home that went through every stage, and of its sources."""

    def made(name: str, privacy: str) -> Path:
        def make(folder: Path) -> None:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("ONEFOLD_KEY", KEY)
                _run(_declare(folder / "home", migrated_files, privacy), world)

        return made_once(f"encryption-{name}", make)

    return made


@pytest.fixture
def plain(_made: Callable[[str, str], Path], tmp_path: Path) -> Path:
    """A home without encryption."""
    return shutil.copytree(_made("plain", ""), tmp_path / "plain") / "home"


@pytest.fixture
def home(_made: Callable[[str, str], Path], tmp_path: Path) -> Path:
    """The same home with encryption."""
    return shutil.copytree(_made("encrypted", PRIVACY), tmp_path / "encrypted") / "home"


@contextmanager
def _open(home: Path) -> Iterator[Warehouse]:
    warehouse = engine.connect(settings.load(home))
    try:
        yield warehouse
    finally:
        warehouse.close()


def _traces(home: Path, wanted: Sequence[str] = ()) -> list[str]:
    """Where a text stands: in any byte, any value of the lake, any row of the database.

    Args:
        wanted: lower case; as usual _SECRET.
    """
    places = _places(home, wanted or _SECRET)
    return sorted({place for found in places.values() for place in found})


def _places(home: Path, wanted: Sequence[str]) -> dict[str, set[str]]:
    """Text → files and tables that hold it."""
    forms = {one: (one.encode(), _escaped(one)) for one in wanted}
    found: dict[str, set[str]] = {one: set() for one in wanted}

    def look(place: str, data: bytes) -> None:
        data = data.lower()
        for one, written in forms.items():
            if any(form in data for form in written):
                found[one].add(place)

    for path in sorted(home.rglob("*")):
        if path.is_file():
            place = path.relative_to(home).as_posix()
            look(place, path.read_bytes())
            if path.suffix in (table_files.PARQUET, table_files.ARROW):
                rows = table_files.read(path).to_pylist()
                look(place, _plain(rows) + str(table_files.metadata(path)).encode())
    with _open(home) as wh:
        for name, metadata in stores.METADATA.items():
            with wh.read(name) as connection:
                for table in metadata.sorted_tables:
                    prefix = f"{name}." if wh.is_postgresql else ""
                    stored = connection.exec_driver_sql(f"SELECT * FROM {prefix}{table.name}")
                    look(table.name, _plain([tuple(row) for row in stored]))
    return found


def _plain(rows: list[Any]) -> bytes:
    return json.dumps(rows, default=str, ensure_ascii=False).encode()


def _escaped(text: str) -> bytes:
    """As JSON writes it where it writes ASCII only."""
    return json.dumps(text)[1:-1].encode()


def _golden(home: Path) -> list[dict[str, Any]]:
    """Golden customers in clear, without when they were published."""
    with _open(home) as wh:
        table = export.read_golden(wh)
    return table.drop_columns(["first_published_at", "published_at"]).to_pylist()


def _view(home: Path, name: str, columns: str) -> list[Any]:
    with _open(home) as wh, wh.read() as connection:
        name = f"bi.{name}" if wh.is_postgresql else name
        query = f"SELECT {columns} FROM {name} ORDER BY golden_id"
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def _counts(home: Path) -> dict[str, int]:
    """Rows of tables that tell whether something was written."""
    names = ("golden_customer_history", "quarantine", "publish_run", "review_case", "lineage_event")
    tables = stores.METADATA["warehouse"].tables
    counts = {}
    with _open(home) as wh, wh.read() as connection:
        for name in names:
            query = sa.select(sa.func.count()).select_from(tables[f"warehouse.{name}"])
            counts[name] = connection.execute(query).scalar_one()
    return counts


def _privacy(home: Path, text: str) -> None:
    (home / "onefold.yml").write_text(f"database: sqlite\ncountry: CN\n{text}", "utf-8")


def test_no_number_is_in_any_byte_and_the_golden_table_is_that_without(
    plain: Path, home: Path, world: ModuleType
) -> None:
    places = _places(plain, _SECRET)
    assert [one for one, found in places.items() if not found] == []  # as they would be found
    clear = {place for found in places.values() for place in found}
    assert {"warehouse.db", "review.db", "staged_customer", "golden_customer_history"} <= clear
    assert {"decision", "judgement", "quarantine", "repair", "case_evidence"} <= clear
    assert {"customer_search", "review_case"} <= clear
    tables = {place.split("/")[1] for place in clear if place.startswith("lake/")}
    assert {"raw", "features", "kin", "kinships"} <= tables
    assert _traces(home) == []
    assert _counts(home) == _counts(plain) and _counts(home)["review_case"]
    assert _golden(home) == _golden(plain)
    assert {NUMBERS[0], NUMBERS[5], NEW, MENDED} <= {row["national_id"] for row in _golden(home)}
    before = world.files(home)
    world.run_all(home)
    assert world.files(home).keys() == before.keys()
    assert _counts(home) == _counts(plain)


def test_bi_shows_masks_as_without_and_tokens_in_place_of_numbers(plain: Path, home: Path) -> None:
    columns = (
        "golden_id, customer_type, name, national_id, address_line, street, house_number, email,"
        " phone, other_names, birth_date, birth_year, sex, employer_name, phone_count"
    )
    masked, without = (_view(one, "dim_customer", columns) for one in (home, plain))
    people, others = (
        [row for row in masked if (row[1] == "person") is person] for person in (True, False)
    )
    assert people == [row for row in without if row[1] == "person"]
    assert f"110…{NUMBERS[0][-4:]}" in {row[3] for row in people}
    assert {1990, 1972} <= {row[11] for row in people}
    assert [row[2] for row in others] == ["南…"]  # which token is an organization's is not known
    shown, clear = (
        [row[1] for row in _view(one, "dim_customer_pii", "golden_id, national_id") if row[1]]
        for one in (home, plain)
    )
    own = Keys.of(settings.load(home))
    assert shown == [own.encrypt(one) for one in clear]
    points = _view(home, "customer_contact_point_pii", "golden_id, kind, value")
    assert {own.decrypt(row[2]) for row in points} == {
        row[2] for row in _view(plain, "customer_contact_point_pii", "golden_id, kind, value")
    }


def test_an_export_to_a_database_has_values_in_clear(plain: Path, home: Path) -> None:
    found = []
    for one in (plain, home):
        url = f"sqlite:///{one.parent / 'exported.db'}"
        with _open(one) as wh:
            export_database.to_database(wh, url)
        engine_ = sa.create_engine(url)
        with engine_.connect() as connection:
            tables = ("dim_customer", "customer_contact_point")
            rows = [connection.exec_driver_sql(f"SELECT * FROM {name}") for name in tables]
            found.append([sorted(map(_said, each.mappings()), key=str) for each in rows])
        engine_.dispose()
    assert found[0] == found[1]
    assert "1990-03-07" in str(found[1]) and "enc:" not in str(found[1])


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without when it was published."""
    return {
        name: row[name] for name in row if "published_at" not in name and name != "onefold_hash"
    }


@pytest.mark.parametrize(
    ("typed", "kind", "beginning"),
    [
        (f" {NUMBERS[0][:6]} {NUMBERS[0][6:]}", "identifier", NUMBERS[0][:12]),
        ("张 伟", "name", "张"),
        ("zhang wei", "reading", "zhang"),
        ("ZW", "reading", "z"),
        ("+86 138 0000 0001", "phone", "1380000"),
        ("013800000001", "phone", "86138"),
        ("ZW.crm@example.com", "email", "zw.crm@"),
    ],
)
def test_a_customer_is_found_by_what_is_typed_whole(
    home: Path, typed: str, kind: str, beginning: str
) -> None:
    with _open(home) as wh:
        [found] = search.find(wh, typed)
        assert (found.kind, found.exact) == (kind, True)
        assert found.golden_id == search.find(wh, "crm:C1")[0].golden_id
        assert not search.find(wh, beginning)


def test_a_wrong_key_is_refused_before_anything_is_written(
    home: Path, world: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = world.files(home)
    monkeypatch.setenv("ONEFOLD_KEY", keys.new())
    for use in (world.run_all, rekeying.apply, _golden):
        with pytest.raises(ConfigError, match=r"encrypted with key .* which is not declared"):
            use(home)
    _privacy(home, "")
    with pytest.raises(ConfigError, match="none is declared"):
        world.run_all(home)
    _privacy(home, PRIVACY)
    assert world.files(home) == before


def test_a_home_is_encrypted_later_and_decrypted_without_another_version_of_a_customer(
    plain: Path, world: ModuleType
) -> None:
    before, counted = _golden(plain), _counts(plain)
    _privacy(plain, PRIVACY.replace("personal", "national_id"))
    with pytest.raises(ConfigError, match="Run 'onefold key apply'"):
        world.run_all(plain)
    rekeying.apply(plain)
    assert _traces(plain, _NUMBERS) == []
    assert "customer_search" in _traces(plain, OTHERS)
    _privacy(plain, PRIVACY)  # and later every other column
    with pytest.raises(ConfigError, match="Run 'onefold key apply'"):
        world.run_all(plain)
    rekeying.apply(plain)
    assert _traces(plain) == []
    world.run_all(plain)
    assert _golden(plain) == before and _traces(plain) == []
    assert _counts(plain)["golden_customer_history"] == counted["golden_customer_history"]
    _privacy(plain, OFF)
    rekeying.apply(plain)
    assert "warehouse.db" in _traces(plain) and _golden(plain) == before
    world.run_all(plain)
    assert _counts(plain)["golden_customer_history"] == counted["golden_customer_history"]


def test_a_key_is_replaced_in_steps_and_the_old_one_is_needed_no_more(
    home: Path, world: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, counted = _golden(home), _counts(home)
    was = Keys.of(settings.load(home)).key.id
    monkeypatch.setenv("ONEFOLD_KEY", keys.new())
    monkeypatch.setenv("ONEFOLD_OLD_KEY", KEY)
    _privacy(home, PRIVACY + '  old_keys: ["${ONEFOLD_OLD_KEY}"]\n')
    own = Keys.of(settings.load(home))
    [first, *_] = sorted((home / "lake" / "raw").glob("crm/*.parquet"))
    assert resealing.reseal(first, declared(home, own).sources["crm"], own)  # and killed here
    with pytest.raises(ConfigError, match="Run 'onefold key apply'"):
        world.run_all(home)
    assert _golden(home) == before
    assert {*NUMBERS[:5], BROKEN} <= set(snapshot.read(first, own)["IdNo"].to_pylist())
    done = rekeying.apply(home)
    assert done.snapshots == 2 and done.rows["golden_customer"] and done.rows["decision"]
    _privacy(home, PRIVACY)
    monkeypatch.delenv("ONEFOLD_OLD_KEY")
    files = world.files(home)
    assert _traces(home, [f"enc:{was}:"]) == []
    world.run_all(home)
    assert world.files(home).keys() == files.keys()
    assert _golden(home) == before and _counts(home) == counted
    assert rekeying.apply(home).rows == {}


def test_a_source_whose_key_is_the_number_is_refused(tmp_path: Path, migrated_files: Path) -> None:
    home = _declare(tmp_path / "home", migrated_files, PRIVACY)
    path = home / "sources" / "crm.yml"
    path.write_text(path.read_text("utf-8").replace("key: Id", "key: IdNo"), "utf-8")
    with stages.opened(home) as opened:
        done = stages.sync(opened, "crm")
    assert done.status == "failed" and "carry values that are to be kept encrypted" in done.message
    assert not list((home / "lake" / "raw").glob("crm/*.parquet"))


def test_a_column_that_cannot_be_encrypted_is_refused(home: Path) -> None:
    _privacy(home, PRIVACY.replace("personal", "updated_at"))
    with pytest.raises(ConfigError, match=r"cannot be kept encrypted \(found updated_at"):
        _golden(home)


def test_no_number_is_in_a_dump_of_postgresql(
    tmp_path: Path, new_database: NewDatabase, migrated_url: str, world: ModuleType
) -> None:
    (tmp_path / "none").mkdir()
    with new_database(migrated_url) as url:
        _in_postgresql(_declare(tmp_path / "home", tmp_path / "none", PRIVACY, url), world)


def _in_postgresql(home: Path, world: ModuleType) -> None:
    _run(home, world)
    assert _traces(home) == []
    assert {NUMBERS[0], NUMBERS[5], NEW, MENDED} <= {row["national_id"] for row in _golden(home)}
    masked = {row[1] for row in _view(home, "dim_customer", "golden_id, national_id")}
    assert f"110…{NUMBERS[0][-4:]}" in masked
