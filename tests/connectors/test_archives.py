"""Archives as sources: members, names, bounds, faults."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib

import pytest

from connectors import archives, columnar, holding, locating, sampling
from onefold.errors import SourceLayout, SourceLocked, SourceMissing

CSV = "id,name,phone\n1,Ann Sample,020 7946 0018\n2,Bob Sample,020 7946 0019\n"
OTHER = "id,name,city\n3,王小明,南京\n"


def _zip(path, members, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def _declared(home, path, **settings):
    return home.config(
        connector="delimited", path=path, headings="auto", key="id", **{"country": "CN", **settings}
    )


def test_members_of_a_zip_file_are_read_as_its_tables(home):
    junk = {"__MACOSX/a.csv": "x", ".DS_Store": "x", "in/Thumbs.db": "x"}
    _zip(home.data / "all.zip", {"b/b.csv": OTHER, "a.csv": CSV, **junk})
    config = _declared(home, "data/all.zip")
    manifest, rows = home.sync(config)
    assert [(row["id"], row["_position"]) for row in rows] == [
        ("1", "all.zip|a.csv|2"),
        ("2", "all.zip|a.csv|3"),
        ("3", "all.zip|b/b.csv|2"),
    ]
    assert [one.name for one in manifest.files] == ["all.zip"]
    before = home.lake_files()
    assert home.sync(config, manifest)[0] == manifest
    assert home.lake_files() == before


@pytest.mark.parametrize(
    ("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_packed_file_is_the_file(home, ending, pack):
    (home.data / f"crm.csv.{ending}").write_bytes(pack(CSV.encode()))
    _, rows = home.sync(_declared(home, "data/crm.csv*"))
    assert [row["_position"] for row in rows] == [f"crm.csv.{ending}|2", f"crm.csv.{ending}|3"]


def test_tar_file_is_read_and_what_is_no_file_left_alone(home):
    with tarfile.open(home.data / "all.tar.gz", "w:gz") as archive:
        for name, text in (("in/a.csv", CSV), ("../../out.csv", OTHER)):
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("passwd.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    _, rows = home.sync(_declared(home, "data/all.tar.gz"))
    assert sorted(row["id"] for row in rows) == ["1", "2", "3"]
    assert not (home.folder.parent / "out.csv").exists()


def _with_raw_name(path, name, extra=b""):
    """A zip file whose name is bytes without the mark of UTF-8, as Chinese Windows writes it."""
    data, crc = OTHER.encode(), zlib.crc32(OTHER.encode())
    fixed = struct.pack(
        "<HHHHHIIIHH", 20, 0, 0, 0, 33, crc, len(data), len(data), len(name), len(extra)
    )
    local = b"PK\x03\x04" + fixed + name + extra + data
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + fixed + struct.pack("<HHHII", 0, 0, 0, 0, 0)
    entry += name + extra
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(local), 0)
    path.write_bytes(local + entry + end)


def test_chinese_names_are_not_garbled(home):
    name = "客户资料/华东区.csv"
    field = b"\x01" + struct.pack("<I", zlib.crc32(b"a.csv")) + name.encode()
    cases = {
        "gbk.zip": (name.encode("gbk"), b""),
        "utf8.zip": (name.encode(), b""),
        "extra.zip": (b"a.csv", struct.pack("<HH", 0x7075, len(field)) + field),
    }
    for archive, (raw, extra) in cases.items():
        _with_raw_name(home.data / archive, raw, extra)
        _, rows = home.sync(_declared(home, f"data/{archive}"))
        assert rows[0]["_position"] == f"{archive}|{name}|2"
    _, rows = home.sync(_declared(home, "data/gbk.zip", members="客户资料/*.csv"))
    assert rows[0]["name"] == "王小明"


def test_only_the_members_that_are_wanted_are_read(home):
    _zip(home.data / "all.zip", {"a.csv": CSV, "in/b.csv": OTHER, "readme.txt": "hello"})
    _, rows = home.sync(_declared(home, "data/all.zip", members="*b.csv"))
    assert [row["id"] for row in rows] == ["3"]
    with pytest.raises(SourceMissing, match=r"no member.*found a\.csv, in/b\.csv, readme\.txt"):
        home.sync(_declared(home, "data/all.zip", members="*.xlsx"))
    _zip(home.data / "none.zip", {})
    with pytest.raises(SourceMissing, match="empty"):
        home.sync(_declared(home, "data/none.zip"))


def test_dbf_table_in_a_zip_file_finds_its_memos(home, tmp_path):
    dbf = pytest.importorskip("dbf")
    table = dbf.Table(str(tmp_path / "kh.dbf"), "KHMC C(9); BZ M", dbf_type="db3", on_disk=True)
    table.open(dbf.READ_WRITE)
    table.append(("Ann", "a note"))
    table.close()
    _zip(home.data / "kh.zip", {n: (tmp_path / n).read_bytes() for n in ("kh.dbf", "kh.dbt")})
    config = home.config(connector="dbf", path="data/kh.zip", columns={"name": "KHMC"})
    assert home.sync(config)[1][0]["BZ"] == "a note"


def test_archive_that_is_replaced_replaces_its_rows(home):
    """Mode files: an archive is one file, whatever is in it."""
    _zip(home.data / "a.zip", {"a.csv": CSV, "b.csv": OTHER.replace("city", "phone")})
    _zip(home.data / "z.zip", {"z.csv": "id,name\n9,Zoe Sample\n"})
    config = _declared(home, "data/*.zip", mode="files")
    manifest, _ = home.sync(config)
    _zip(home.data / "a.zip", {"b.csv": OTHER.replace("city", "phone") + "4,李四,13800000001\n"})
    _, rows = home.sync(config, manifest)
    assert sorted((row["id"], row["_position"]) for row in rows) == [
        ("3", "a.zip|b.csv|2"),
        ("4", "a.zip|b.csv|3"),
        ("9", "z.zip|z.csv|2"),
    ]


# -- faults


def test_password_damage_and_half_a_file_are_said(home):
    path = _zip(home.data / "a.zip", {"a.csv": CSV * 200})
    whole = path.read_bytes()
    locked = bytearray(whole)
    locked[6] |= 1
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(locked)
    with pytest.raises(SourceLocked, match="has a password"):
        home.sync(_declared(home, "data/a.zip"))
    damaged = bytearray(whole)
    damaged[60] ^= 0xFF
    packed = gzip.compress(CSV.encode() * 200)
    for name, data in (
        ("a.zip", whole[:-30]),
        ("a.zip", bytes(damaged)),
        ("a.zip", b"no archive"),
        ("a.csv.gz", packed[:-30]),
        ("a.csv.gz", packed[:40] + b"\0" + packed[41:]),
        ("a.tar", b"no archive" * 100),
    ):
        (home.data / name).write_bytes(data)
        with pytest.raises(SourceLayout, match=f"{name}: the archive cannot be unpacked"):
            home.sync(_declared(home, f"data/{name}"))
    assert not home.lake_files()


def test_bomb_is_refused_before_it_fills_the_disk(home, monkeypatch, tmp_path):
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    bomb = gzip.compress(bytes(40 << 20))
    (home.data / "a.csv.gz").write_bytes(bomb)
    with pytest.raises(SourceLayout, match="unpacks to far more than it is"):
        home.sync(_declared(home, "data/a.csv.gz"))
    folder = tmp_path / "out"
    with pytest.raises(SourceLayout):
        archives.unpack(home.data / "a.csv.gz", "a", folder)
    written = sum(path.stat().st_size for path in folder.rglob("*"))
    assert written <= max(1 << 20, 100 * len(bomb))
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    _zip(home.data / "many.zip", {f"{i}.csv": "id\n" for i in range(5)})
    with pytest.raises(SourceLayout, match="more than 3 members"):
        home.sync(_declared(home, "data/many.zip"))


def test_archive_that_is_replaced_while_it_is_unpacked_is_not_mixed(home, monkeypatch):
    path = _zip(home.data / "a.zip", {"a.csv": CSV, "b.csv": OTHER})
    real = archives._place

    def place(folder, member):
        path.touch()
        return real(folder, member)

    monkeypatch.setattr(archives, "_place", place)
    with pytest.raises(SourceLocked, match="changed while it was read"):
        home.sync(_declared(home, "data/a.zip"))


# -- without a declared source


def test_archive_is_recognized_by_what_is_in_it(tmp_path):
    _zip(tmp_path / "crm.zip", {"crm.csv": CSV, "readme.txt": "hello", "b.pdf": "%PDF"})
    (place,) = locating.locate(str(tmp_path / "crm.zip"), tmp_path)
    assert place.settings == {"connector": "delimited", "path": "crm.zip", "members": ["crm.csv"]}
    (sample,) = sampling.unmapped(place.config)
    assert sample.columns == ["id", "name", "phone"]
    (tmp_path / "all.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    (place,) = locating.locate(str(tmp_path / "all.csv.gz"), tmp_path)
    assert (place.name, place.settings["connector"]) == ("all", "delimited")
    for name in ("crm.zip", "all.csv.gz"):
        assert columnar.read(tmp_path / name, "a").table["id"].to_pylist() == ["1", "2"]


def test_nothing_stays_behind(home, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _zip(home.data / "all.zip", {"a.csv": CSV})
    with holding.held(_declared(home, "data/all.zip")) as config:
        (file,) = config.held.files()
        assert file.path.is_file()
    assert not file.path.exists()
    assert not list(tmp_path.glob("onefold-*"))
