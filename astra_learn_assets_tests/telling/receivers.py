"""A real HTTP server and a real SMTP server that keep what they are sent."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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


@contextmanager
def webhooks() -> Iterator[Webhooks]:
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

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        kept.port = port
        yield kept


@dataclass
class Mailbox:
    """What an SMTP server took; ``refuses``: the code with which it answers RCPT, if it does."""

    port: int = 0
    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    refuses: int | None = None


@contextmanager
def smtp_server() -> Iterator[Mailbox]:
    """Speaks what RFC 5321 demands of a minimal server; offers no STARTTLS."""
    box = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 box.example ESMTP")
            sender, to = "", []
            while line := self.rfile.readline().decode().strip():
                verb = line[:4].upper()
                if verb in ("EHLO", "HELO"):
                    self._say("250-box.example")
                    self._say("250 8BITMIME")
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
def dripping() -> Iterator[int]:
    """A server that answers a byte a second and never ends."""
    ending = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
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
