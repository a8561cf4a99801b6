"""A real HTTP server on 127.0.0.1 that answers as a test says, and breaks where it says."""

import email.utils
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors import snapshot
from connectors.web import client


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass
class Reply:
    """One answer.

    Attributes:
        body: an object for JSON, or bytes.
        cut: the connection ends after so many bytes of the body.
        chunked: the length is not said.
        clock: seconds that the server's clock is wrong.
    """

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    chunked: bool = False
    clock: float = 0


class Server:
    """Answers with ``handle``; a fault in ``faults`` (number of a request → answer) comes first."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.faults: dict[int, Reply] = {}
        self.handle: Callable[[Asked], Reply] = lambda asked: Reply({"error": "nothing"}, 404)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if context:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(
                    self.command,
                    parts.path,
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    {name.casefold(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
                server.asked.append(asked)
                fault = server.faults.get(len(server.asked))
                self._send(fault if fault is not None else server.handle(asked))

            do_POST = do_GET  # noqa: N815

            def _send(self, reply: Reply) -> None:
                body = reply.body
                if not isinstance(body, bytes):
                    body = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
                headers = {"Content-Type": "application/json", **reply.headers}
                self.send_response_only(reply.status)
                now = email.utils.formatdate(time.time() + reply.clock, usegmt=True)
                self.send_header("Date", now)
                for name, value in headers.items():
                    self.send_header(name, value)
                if reply.chunked:
                    self.send_header("Connection", "close")
                else:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: reply.cut])
                if reply.cut is not None or reply.chunked:
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True

        return Handler


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server; the client waits for it in hundredths of seconds."""
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)
    made = Server()
    yield made
    made.close()


@pytest.fixture
def other_server() -> Iterator[Server]:
    """A second one, for the host that credentials must not reach."""
    made = Server()
    yield made
    made.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that it signed itself, with its key, in one PEM file."""
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[Server]:
    """A server whose certificate nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    made = Server(context)
    yield made
    made.close()


@pytest.fixture
def read(home: Any) -> Callable[..., dict[str, dict[str, str | None]]]:
    """Declare a source of connector api, sync it; its rows by key."""

    def sync(url: str, **settings: Any) -> dict[str, dict[str, str | None]]:
        settings = {"key": "id", "columns": {"name": "name"}, **settings}
        if "template" not in settings:
            settings["connector"] = "api"
        rows = snapshot.read(home.sync_path(home.config(url=url, **settings))).to_pylist()
        return {str(row["_source_key"]): row for row in rows}

    return sync
