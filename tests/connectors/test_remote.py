"""Files elsewhere, from servers on this machine that behave like them and fail like them."""

import base64
import hashlib
import http.server
import os
import socket
import sys
import threading
import traceback
import zipfile
from email.utils import formatdate
from io import BytesIO
from pathlib import Path

import paramiko
import pytest
import s3fs
from moto.server import ThreadedMotoServer

from connectors import holding, locating, remote, sampling, source
from onefold.errors import ConfigError, SourceError, SourceLocked, SourceMissing, SourceUnreachable

CSV = b"id,name\n1,Ann Sample\n2,Bob Sample\n"
CHANGED = CSV + b"3,Cid Sample\n"
LONG_AGO = 1_600_000_000


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(remote, "FIRST_PAUSE", 0.01)


class Web:
    """A web server of some files, which counts what is asked and fails as told.

    Attributes:
        files: path → bytes.
        asked: method and path of every request.
        faults: what to do with the next GETs: a status, ``cut`` or ``replace``.
    """

    def __init__(self):
        self.files, self.asked, self.faults, self.headers = {}, [], [], {}
        self.logins = set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_HEAD(self):
                self._answer(body=False)

            def do_GET(self):
                self._answer(body=True)

            def _answer(self, *, body):
                outer.asked.append((self.command, self.path))
                outer.logins.add(self.headers.get("Authorization"))
                fault = outer.faults.pop(0) if body and outer.faults else None
                name = self.path.partition("?")[0]
                if isinstance(fault, int) or name not in outer.files:
                    self.send_response(fault or 404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                data = outer.files[name]
                self.send_response(200)
                headers = {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', **outer.headers}
                for key, value in {"Content-Length": str(len(data)), **headers}.items():
                    if value is not None:
                        self.send_header(key, value)
                self.end_headers()
                if fault == "replace":
                    outer.files[name] = CHANGED
                if body:
                    self.wfile.write(data[: len(data) // 2] if fault == "cut" else data)
                if fault == "cut":
                    self.connection.shutdown(socket.SHUT_RDWR)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def gets(self):
        return [path for method, path in self.asked if method == "GET"]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def web():
    server = Web()
    server.files["/in/crm.csv"] = CSV
    yield server
    server.close()


def _declared(home, path, **settings):
    return home.config(
        **{"connector": "delimited", "path": path, "headings": "auto", "key": "id", **settings}
    )


def test_file_on_a_web_server_is_read_and_fetched_again_only_when_it_changed(home, web):
    config = _declared(home, f"{web.url}/in/crm.csv?token=secret")
    manifest, rows = home.sync(config)
    assert [(row["id"], row["_position"]) for row in rows] == [
        ("1", "crm.csv|2"),
        ("2", "crm.csv|3"),
    ]
    assert manifest.files[0].sha256 == hashlib.sha256(CSV).hexdigest()
    count = len(web.gets())
    assert home.sync(config, manifest)[0] == manifest
    assert len(web.gets()) == count
    web.files["/in/crm.csv"] = CHANGED
    assert home.sync(config, manifest)[0].rows == 3


def test_server_that_says_nothing_about_versions_is_read_every_time(home, web):
    web.headers = {"ETag": None}
    config = _declared(home, f"{web.url}/in/crm.csv")
    manifest, _ = home.sync(config)
    assert manifest.files[0].version == ""
    web.files["/in/crm.csv"] = CSV.replace(b"Bob", b"Rob")  # of the same size
    assert home.sync(config, manifest)[1][1]["name"] == "Rob Sample"


@pytest.mark.parametrize("faults", [["cut"], [503, "cut", 500], ["replace"]])
def test_connection_that_breaks_is_tried_again_until_the_copy_is_whole(home, web, faults):
    web.faults = list(faults)
    _, rows = home.sync(_declared(home, f"{web.url}/in/crm.csv"))
    assert len(rows) == (3 if "replace" in faults else 2)
    assert not web.faults


@pytest.mark.parametrize(
    ("faults", "error", "words"),
    [
        (["cut"] * 9, SourceUnreachable, "cannot be fetched|not whole"),
        ([502] * 9, SourceUnreachable, "the server answers 502"),
        ([403] * 9, SourceLocked, "refuses access"),
        ([404] * 9, SourceMissing, "no such file"),
    ],
)
def test_what_stays_wrong_is_said_and_nothing_is_kept(home, web, faults, error, words, caplog):
    web.faults = faults
    config = _declared(home, f"{web.url}/in/crm.csv?token=" + "sec" + "ret")
    with pytest.raises(error, match=words) as caught:
        home.sync(config)
    shown = "".join(traceback.format_exception(caught.value))
    assert "onefold.errors" in shown and "secret" not in shown.replace(__file__, "")
    waits = [record.getMessage() for record in caplog.records if record.name.startswith("onefold")]
    assert len(waits) == (3 if error is SourceUnreachable else 0)
    assert all("crm.csv" in line and "trying again in" in line for line in waits)
    assert "secret" not in caplog.text
    assert not home.lake_files()


def test_checksum_that_the_server_says_is_compared(home, web):
    right = base64.b64encode(hashlib.md5(CSV).digest()).decode()
    web.headers = {"Content-MD5": right}
    home.sync(_declared(home, f"{web.url}/in/crm.csv"))
    web.headers = {"Content-MD5": right[::-1]}
    with pytest.raises(SourceUnreachable, match="another checksum"):
        home.sync(_declared(home, f"{web.url}/in/crm.csv", key="name"))


def test_server_that_is_not_there_is_said(home):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceUnreachable, match="cannot be fetched"):
        home.sync(_declared(home, f"http://me:secret@127.0.0.1:{port}/a.csv"))
    with pytest.raises(SourceMissing):
        home.sync(_declared(home, [f"http://127.0.0.1:{port}/a.csv", "data/none.csv"]))


def test_links_of_a_page_that_a_pattern_fits_are_read(home, web):
    web.files["/in/"] = b'<a href="crm.csv">a</a> <a href="b.csv">b</a> <a href="c.txt">c</a>'
    web.files["/in/b.csv"] = b"id,name\n9,Zoe Sample\n"
    _, rows = home.sync(_declared(home, f"{web.url}/in/*.csv"))
    assert [row["_position"] for row in rows] == ["b.csv|2", "crm.csv|2", "crm.csv|3"]


def test_only_new_and_changed_files_elsewhere_are_fetched(home, web):
    pages = {f"/in/{name}.csv": f"id,name\n{name},Ann Sample\n".encode() for name in "abc"}
    web.files |= {
        "/in/": "".join(f'<a href="{name}.csv">x</a>' for name in "abcd").encode(),
        **pages,
    }
    web.files["/in/d.csv"] = web.files.pop("/in/crm.csv")
    config = _declared(home, f"{web.url}/in/*.csv", mode="files")
    manifest, _ = home.sync(config)
    web.files["/in/b.csv"] = b"id,name\nb,Bob Sample\n"
    web.asked.clear()
    _, rows = home.sync(config, manifest)
    assert {row["id"]: row["name"] for row in rows}["b"] == "Bob Sample"
    assert len(rows) == 5
    assert [path for path in web.gets() if path.endswith(".csv")] == ["/in/b.csv"]


def test_archive_elsewhere_is_unpacked_here(home, web):
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.csv", CSV)
    web.files["/in/all.zip"] = data.getvalue()
    _, rows = home.sync(_declared(home, f"{web.url}/in/all.zip"))
    assert rows[0]["_position"] == "all.zip|a.csv|2"


def test_memo_file_of_a_table_elsewhere_comes_with_it(home, web, tmp_path):
    dbf = pytest.importorskip("dbf")
    table = dbf.Table(str(tmp_path / "kh.dbf"), "KHMC C(9); BZ M", dbf_type="db3", on_disk=True)
    table.open(dbf.READ_WRITE)
    table.append(("Ann", "a note"))
    table.close()
    for name in ("kh.dbf", "kh.dbt"):
        web.files[f"/in/{name}"] = (tmp_path / name).read_bytes()
    config = home.config(connector="dbf", path=f"{web.url}/in/kh.dbf", columns={"name": "KHMC"})
    manifest, rows = home.sync(config)
    assert rows[0]["BZ"] == "a note"
    count = len(web.gets())
    assert home.sync(config, manifest)[0] == manifest
    assert not [path for path in web.gets()[count:] if path in web.files]


def test_package_that_is_missing_is_named(home, web, monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(SourceError, match=r"pip install 'onefold\[web-files\]'"):
        home.sync(_declared(home, f"{web.url}/in/crm.csv"))


def test_scheme_that_is_not_known_and_sources_without_files_on_disk(home, web):
    with pytest.raises(ConfigError, match="this scheme is not known"):
        home.sync(_declared(home, "gopher://127.0.0.1/a.csv"))
    assert source.files(_declared(home, f"{web.url}/in/crm.csv")) == []


def test_address_makes_a_source_and_hides_the_password(tmp_path, web, monkeypatch):
    host = web.url.removeprefix("http://")
    (place,) = locating.locate(f"http://me:pw@{host}/in/crm.csv", tmp_path)
    assert place.settings == {
        "connector": "delimited",
        "path": f"http://me:${{CRM_PASSWORD}}@{host}/in/crm.csv",
    }
    assert place.secret == "CRM_PASSWORD"
    assert sampling.unmapped(place.config)[0].columns == ["id", "name"]
    assert web.logins == {"Basic " + base64.b64encode(b"me:pw").decode()}


# -- SFTP


class _Files(paramiko.SFTPServerInterface):
    """A folder, read only."""

    root: Path

    def _path(self, path):
        return Path(f"{self.root}{self.canonicalize(path)}")

    def list_folder(self, path):
        found = []
        for one in self._path(path).iterdir():
            attributes = paramiko.SFTPAttributes.from_stat(one.stat())
            attributes.filename = one.name
            found.append(attributes)
        return found

    def stat(self, path):
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    lstat = stat

    def open(self, path, flags, attr):
        try:
            handle = paramiko.SFTPHandle(flags)
            handle.readfile = self._path(path).open("rb")
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        return handle


class _Login(paramiko.ServerInterface):
    def check_auth_password(self, username, password):
        right = (username, password) == ("reader", "p@ss")
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username):
        return "password"

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED


@pytest.fixture
def sftp(tmp_path, monkeypatch):
    """An SFTP server whose key stands in ~/.ssh/known_hosts; its address and folder."""
    folder = tmp_path / "sftp"
    folder.mkdir()
    key = paramiko.ECDSAKey.generate()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    files = type("Files", (_Files,), {"root": folder})

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, files)
            transport.start_server(server=_Login())
            transports.append(transport)

    transports = []
    threading.Thread(target=serve, daemon=True).start()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    known = tmp_path / ".ssh" / "known_hosts"
    known.parent.mkdir()
    known.write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
    yield f"127.0.0.1:{port}", folder
    listener.close()
    for transport in transports:
        transport.close()


def test_files_on_an_sftp_server_are_read_by_pattern(home, sftp, monkeypatch):
    host, folder = sftp
    (folder / "in").mkdir()
    for name in ("a.csv", "b.csv", "c.txt"):
        (folder / "in" / name).write_bytes(CSV)
        os.utime(folder / "in" / name, (LONG_AGO, LONG_AGO))
    monkeypatch.setenv("SFTP_PASSWORD", "p%40ss")
    config = _declared(home, f"sftp://reader:${{SFTP_PASSWORD}}@{host}/in/*.csv", key="")
    manifest, rows = home.sync(config)
    assert {row["_position"] for row in rows} == {"a.csv|2", "a.csv|3", "b.csv|2", "b.csv|3"}
    assert all(one.version.startswith("changed 2020") for one in manifest.files)
    assert home.sync(config, manifest)[0] == manifest
    (folder / "in" / "b.csv").write_bytes(CHANGED)
    changed, rows = home.sync(config, manifest)
    assert len(rows) == 5
    assert changed.files[1].version == ""  # changed a moment ago: it may change again
    config = _declared(home, f"sftp://reader:${{SFTP_PASSWORD}}@{host}/in/none.csv")
    with pytest.raises(
        SourceMissing, match=r"sftp://127\.0\.0\.1.*/in/none\.csv: there is no such"
    ):
        home.sync(config)


def _connections():
    threads = threading.enumerate()
    ours = (one for one in threads if isinstance(one, paramiko.Transport) and not one.server_mode)
    return {one for one in ours if one.is_active()}


def test_look_at_an_sftp_server_fetches_nothing_and_hangs_up(home, sftp, monkeypatch):
    host, folder = sftp
    (folder / "a.csv").write_bytes(CSV)
    (folder / "b.csv").write_bytes(CSV)
    os.utime(folder / "a.csv", (LONG_AGO, LONG_AGO))
    monkeypatch.setattr(remote, "_SETTLED", 1_000_000)
    before = _connections()
    seen = holding.look(_declared(home, f"sftp://reader:p%40ss@{host}/*.csv"))
    assert [(one.name, one.size, one.settled) for one in seen] == [
        ("a.csv", len(CSV), True),
        ("b.csv", len(CSV), False),
    ]
    with pytest.raises(SourceMissing):
        holding.look(_declared(home, f"sftp://reader:p%40ss@{host}/none.csv"))
    assert _connections() <= before


def test_sftp_server_must_be_known_and_the_password_right(home, sftp, tmp_path):
    host, folder = sftp
    (folder / "a.csv").write_bytes(CSV)
    with pytest.raises(SourceLocked, match="refuses access") as caught:
        home.sync(_declared(home, f"sftp://reader:wrong-pw@{host}/a.csv"))
    assert "wrong-pw" not in str(caught.value)
    known = tmp_path / ".ssh" / "known_hosts"
    other = paramiko.ECDSAKey.generate()
    for line in ("", f"[{host.replace(':', ']:')} {other.get_name()} {other.get_base64()}\n"):
        known.write_text(line)
        with pytest.raises(SourceLocked, match="known_hosts"):
            home.sync(_declared(home, f"sftp://reader:p%40ss@{host}/a.csv"))


# -- S3


@pytest.fixture(scope="module")
def s3():
    """An S3 server with one bucket; its address goes to the environment."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    patch.setenv("AWS_ACCESS_KEY_ID", "testing")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    system = s3fs.S3FileSystem(skip_instance_cache=True)
    system.mkdir("bucket")
    yield system
    server.stop()
    patch.undo()


def test_objects_in_s3_are_read_by_pattern_and_told_apart_by_their_etags(home, s3):
    s3.pipe({"bucket/in/a.csv": CSV, "bucket/in/b.csv.gz": b"", "bucket/in/c.txt": b"x"})
    config = _declared(home, "s3://bucket/in/*.csv")
    manifest, rows = home.sync(config)
    assert [row["_position"] for row in rows] == ["a.csv|2", "a.csv|3"]
    assert manifest.files[0].version.startswith("etag ")
    assert home.sync(config, manifest)[0] == manifest
    (seen,) = holding.look(config)
    assert (seen.name, seen.size, seen.version) == ("a.csv", len(CSV), manifest.files[0].version)
    s3.pipe("bucket/in/d.csv", b"id,name\n4,Dan Sample\n")
    assert home.sync(config, manifest)[0].rows == 3
    with pytest.raises(SourceMissing, match="no file fits"):
        home.sync(_declared(home, "s3://bucket/other/*.csv"))


def test_file_that_comes_with_a_time_of_change_only(home, web):
    web.headers = {"ETag": None, "Last-Modified": formatdate(LONG_AGO, usegmt=True)}
    config = _declared(home, f"{web.url}/in/crm.csv")
    manifest, _ = home.sync(config)
    assert manifest.files[0].version == "changed Sun, 13 Sep 2020 12:26:40 GMT"
    web.headers["Last-Modified"] = formatdate(usegmt=True)
    assert home.sync(_declared(home, config.path[0], key="name"))[0].files[0].version == ""
