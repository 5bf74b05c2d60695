"""A real HTTP server and a real SMTP server that keep what they are sent."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Webhooks:
    """What a receiver got; it answers with the statuses of ``answers``, then with 204."""

    port: int = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/astra?a=1"


def certificate(folder: Path, *names: str) -> Path:
    """A key and a certificate for ``names`` that nobody has signed, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "certificate.pem"
    path.write_bytes(pem + made.public_bytes(Encoding.PEM))
    return path


def _tls(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@contextmanager
def webhooks(pem: Path | None = None) -> Iterator[Webhooks]:
    """``pem``: the receiver speaks TLS with this certificate."""
    kept = Webhooks()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.requests.append((self.path, dict(self.headers.items()), body))
            status = kept.answers.pop(0) if kept.answers else 204
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", kept.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if pem is not None:
        server.socket = _tls(pem).wrap_socket(server.socket, server_side=True)
    with _serving(server) as port:
        kept.port = port
        yield kept


@dataclass
class Mailbox:
    """What an SMTP server took; ``refuses``: the code with which it answers RCPT, if it does."""

    port: int = 0
    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    refuses: int | None = None
    secured: int = 0


@contextmanager
def smtp_server(pem: Path | None = None) -> Iterator[Mailbox]:
    """Speaks what RFC 5321 demands of a minimal server; with ``pem`` it offers STARTTLS."""
    box = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 box.example ESMTP")
            sender, to = "", []
            while line := self.rfile.readline().decode().strip():
                verb = line[:4].upper()
                if verb in ("EHLO", "HELO"):
                    self._say("250-box.example")
                    if pem is not None:
                        self._say("250-STARTTLS")
                    self._say("250 8BITMIME")
                elif verb == "STAR" and pem is not None:
                    self._say("220 go on")
                    try:
                        secured = _tls(pem).wrap_socket(self.request, server_side=True)
                    except OSError:
                        return
                    self.rfile, self.wfile = secured.makefile("rb"), secured.makefile("wb", buffering=0)
                    box.secured += 1
                elif verb == "MAIL":
                    sender = line.partition(":")[2].split()[0].strip("<>")
                    self._say("250 OK")
                elif verb == "RCPT" and box.refuses is not None:
                    self._say(f"{box.refuses} no such user here")
                elif verb == "RCPT":
                    to.append(line.partition(":")[2].split()[0].strip("<>"))
                    self._say("250 OK")
                elif verb == "DATA":
                    self._say("354 go on")
                    lines = []
                    while (data := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(data[1:] if data.startswith(b".") else data)
                    mail = message_from_bytes(b"".join(lines), policy=policy.default)
                    assert isinstance(mail, EmailMessage)
                    box.mails.append((sender, to, mail))
                    self._say("250 OK")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 OK" if verb in ("RSET", "NOOP") else "502 not here")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with _serving(Server(("127.0.0.1", 0), Handler)) as port:
        box.port = port
        yield box


@contextmanager
def dripping(first: bytes = b"") -> Iterator[int]:
    """A server that answers ``first``, then a few bytes a second, and never ends."""
    ending = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                self.request.sendall(first)
                while not ending.wait(0.3):
                    self.request.sendall(b"H")
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with _serving(Server(("127.0.0.1", 0), Handler)) as port:
        yield port
        ending.set()


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
