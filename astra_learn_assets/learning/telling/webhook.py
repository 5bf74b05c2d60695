"""Send a message as a signed POST request.

    Astra-Notice: 0b6c2f1e-…              the notice; the same at each attempt, so that a receiver can tell
    Astra-Timestamp: 1796056200           seconds, of this attempt
    Astra-Signature: v1=5f2c…             hex of HMAC-SHA256(secret, timestamp + "." + body)

The signature covers the time, so a copy is worth nothing once it is older than the receiver's window
(``WINDOW_SECONDS``, see docs/notices.md); each attempt is signed anew. An answer of 2xx is a delivery,
anything else is none. The whole exchange ends after ``SECONDS``, however slowly the other side drips.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any

from astra_learn_assets.errors import NotReached, Unavailable
from astra_learn_assets.learning.telling.destination import Destination, resolve

WINDOW_SECONDS = 300
SECONDS = 10.0
_CONNECT_SECONDS = 5.0


def sign(secret: bytes, timestamp: int, body: bytes) -> str:
    """What the header ``Astra-Signature`` says of ``body`` sent at ``timestamp``."""
    mac = hmac.new(secret, f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1={mac.hexdigest()}"


def send(
    url: str,
    message: Mapping[str, Any],
    *,
    secret: bytes,
    private: bool,
) -> None:
    """POST ``message`` to ``url``, signed with ``secret``.

    Raises:
        BadInput: the URL will not do, or leads where nothing may be sent.
        NotReached: no connection, or no answer in time.
        Unavailable: no answer of the 2xx kind; the sentence holds nothing of what the receiver said.
    """
    there = resolve(url, private=private)
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "astra-learn",
        "Astra-Notice": str(message["notice_id"]),
        "Astra-Timestamp": str(timestamp),
        "Astra-Signature": sign(secret, timestamp, body),
        "Connection": "close",
    }
    try:
        status = _post(there, body, headers)
    except ssl.SSLCertVerificationError as error:
        raise Unavailable(f"the webhook's certificate is not valid: {error.verify_message}") from None
    except (OSError, http.client.HTTPException) as error:
        raise NotReached(f"the webhook does not answer: {type(error).__name__}") from None
    if not 200 <= status < 300:
        raise Unavailable(f"the webhook answered {status}")


def _post(there: Destination, body: bytes, headers: Mapping[str, str]) -> int:
    connection = _Pinned(there)
    ends = threading.Timer(SECONDS, connection.cut)
    ends.daemon = True
    ends.start()
    try:
        connection.request("POST", there.target, body, dict(headers))
        return connection.getresponse().status  # the body is nobody's concern
    finally:
        ends.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was judged, whatever the name resolves to by now.

    The next address is tried while nothing has been sent: what was refused, or gave no answer to the
    handshake in its share of the time, has not had the notice. A certificate that is not valid ends it: that
    is an answer.
    """

    def __init__(self, there: Destination) -> None:
        super().__init__(there.host, there.port, timeout=_CONNECT_SECONDS)
        self.default_port = 443 if there.tls else 80  # what the Host header leaves out
        self._there = there
        self._is_cut = False
        self._ends_at = time.monotonic() + SECONDS

    def connect(self) -> None:
        addresses = self._there.addresses
        for number, address in enumerate(addresses):
            share = (self._ends_at - time.monotonic()) / (len(addresses) - number)
            try:
                self._connect_to(address, max(min(share, _CONNECT_SECONDS), 0.01))
                break
            except ssl.SSLCertVerificationError:
                raise
            except OSError:
                if self._is_cut or number + 1 == len(addresses):
                    raise
                self._leave()

    def _connect_to(self, address: str, seconds: float) -> None:
        plain = socket.create_connection((address, self._there.port), seconds)
        self._take(plain)
        if self._there.tls:
            # wrapping makes another socket of it, so the handshake begins once cut() can reach that one
            secured = ssl.create_default_context().wrap_socket(
                plain, server_hostname=self._there.host, do_handshake_on_connect=False
            )
            self._take(secured)
            secured.do_handshake()
        self.sock.settimeout(_CONNECT_SECONDS)

    def _leave(self) -> None:
        """Close what an address that did not do has left open."""
        sock: socket.socket | None = self.sock
        self.sock = None
        if sock is not None:
            sock.close()

    def _take(self, sock: socket.socket) -> None:
        self.sock = sock
        if self._is_cut:  # in between, when there was nothing to shut down
            raise TimeoutError

    def cut(self) -> None:
        """End the exchange from another thread: whoever waits for a byte gets none."""
        self._is_cut = True
        sock: socket.socket | None = self.sock
        if sock is not None:
            try:
                # not SSLSocket's own, which takes TLS away from under whoever reads
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return  # closed already
