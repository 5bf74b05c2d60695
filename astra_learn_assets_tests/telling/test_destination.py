"""Where a webhook may go; ugly ways in first."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from astra_learn_assets.errors import BadInput, NotReached, Unavailable
from astra_learn_assets.learning.telling import destination, webhook
from astra_learn_assets_tests.telling.receivers import certificate, webhooks

INSIDE = [
    "https://127.0.0.1/x",
    "https://localhost/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://10.1.2.3/",
    "https://192.168.0.1/",
    "https://172.16.5.5/",
    "https://100.64.0.1/",
    "https://[::1]/",
    "https://[fd00::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[64:ff9b::7f00:1]/",
]
NOWHERE = [
    "https://169.254.169.254/latest/meta-data",
    "https://[fe80::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::]/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[ff02::1]/",
    "https://168.63.129.16/",
    "https://[::ffff:168.63.129.16]/",
    "https://[64:ff9b::a83f:8110]/",
    "https://192.0.0.192/",
    "https://100.100.100.200/",
    "https://[fd00:ec2::254]/",
    "https://[fec0::1]/",
    "https://[::127.0.0.1]/",
]


@pytest.mark.parametrize("url", [*INSIDE, *NOWHERE])
def test_no_way_of_writing_an_inner_address_gets_a_webhook_there(url: str) -> None:
    with pytest.raises((BadInput, Unavailable)) as refused:
        destination.resolve(url, private=False)
    # a way of writing it that this machine's resolver does not know leads nowhere, which is as good
    assert "leads to" in str(refused.value) or "does not resolve" in str(refused.value)


@pytest.mark.parametrize("url", NOWHERE)
def test_the_clouds_metadata_stays_out_of_reach_where_private_addresses_are_allowed(url: str) -> None:
    with pytest.raises(BadInput, match="no receiver has"):
        destination.resolve(url, private=True)


@pytest.mark.parametrize(
    "url", ["http://[::1]:8080/x", "http://127.0.0.1/", "http://[fd00::1]/", "http://10.1.2.3/"]
)
def test_where_private_addresses_are_allowed_both_loopbacks_are(url: str) -> None:
    assert destination.resolve(url, private=True).addresses[0] in url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://avisos.example/x", "https://"),
        ("ftp://avisos.example/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("https://", "no host"),
        ("https:///x", "no host"),
        ("https://user:pass@avisos.example/", "user or password"),
        ("https://avisos.example:0/", "port 0"),
        ("https://avisos.example:70000/", "cannot be read"),
        ("https://avisos.example/\r\nX-Injected: 1", "plain ASCII"),
        ("https://avisos.example/ x", "plain ASCII"),
        ("https://ayuntamiento-ñ.example/", "plain ASCII"),
        ("https://avisos.example/" + "a" * 2000, "2000 characters"),
        ("https://[::1", "cannot be read"),
        ("", "https://"),
    ],
)
def test_a_url_that_will_not_do_is_refused_with_the_part_that_is_wrong(url: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        destination.parse(url, private=False)


def _answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def answer(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_a_name_with_one_public_and_one_inner_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, "93.184.216.34", "10.0.0.7")
    with pytest.raises(BadInput, match=r"10\.0\.0\.7"):
        destination.resolve("https://avisos.example/", private=False)
    _answers(monkeypatch, "93.184.216.34")
    assert destination.resolve("https://avisos.example/x?y=1", private=False) == destination.Destination(
        "avisos.example", 443, True, "/x?y=1", ("93.184.216.34",)
    )


def test_the_connection_goes_to_the_address_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere a moment later (DNS rebinding) gains nothing."""
    with webhooks() as receiver:
        asked = []

        def answer(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            asked.append(host)
            address = "127.0.0.1" if len(asked) == 1 else "192.0.2.1"
            if host == "127.0.0.1":  # what create_connection makes of an address
                address = host
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(socket, "getaddrinfo", answer)
        url = f"http://avisos.example:{receiver.port}/x"
        webhook.send(url, {"notice_id": 1}, secret=b"s", private=True)
        assert [name for name in asked if name == "avisos.example"] == ["avisos.example"]
        (_, headers, _) = receiver.requests[0]
        assert headers["Host"] == f"avisos.example:{receiver.port}"


def _lead_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """``avisos.example`` leads to these; an address leads to itself."""
    real = socket.getaddrinfo

    def answer(host: str, port: int, *args: Any, **named: Any) -> list[Any]:
        asked = addresses if host == "avisos.example" else [host]
        return [found for one in asked for found in real(one, port, *args, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_a_host_whose_first_address_is_down_is_reached_at_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with webhooks() as receiver:
        _lead_to(monkeypatch, "127.0.0.3", "127.0.0.2", "127.0.0.1")
        url = f"http://avisos.example:{receiver.port}/x"
        webhook.send(url, {"notice_id": "1"}, secret=b"s", private=True)
        assert len(receiver.requests) == 1


def test_an_address_that_never_speaks_gets_its_share_of_the_time_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "SECONDS", 4.0)
    pem = certificate(tmp_path, "avisos.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with webhooks(pem) as receiver, socket.socket() as silent:
        silent.bind(("127.0.0.2", receiver.port))
        silent.listen()
        _lead_to(monkeypatch, "127.0.0.2", "127.0.0.1")
        began = time.monotonic()
        url = f"https://avisos.example:{receiver.port}/x"
        webhook.send(url, {"notice_id": "1"}, secret=b"s", private=True)
        assert 1.5 < time.monotonic() - began < 4
        assert len(receiver.requests) == 1


def test_an_address_that_has_had_the_notice_is_the_last_that_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with webhooks() as first, socket.socket() as second:
        second.bind(("127.0.0.2", first.port))
        second.listen()
        _lead_to(monkeypatch, "127.0.0.1", "127.0.0.2")
        first.answers = [503]
        url = f"http://avisos.example:{first.port}/x"
        with pytest.raises(Unavailable, match="answered 503"):
            webhook.send(url, {"notice_id": "1"}, secret=b"s", private=True)
        second.setblocking(False)
        with pytest.raises(BlockingIOError):
            second.accept()


def test_a_host_of_dead_addresses_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    _lead_to(monkeypatch, "127.0.0.1", "127.0.0.2")
    with pytest.raises(NotReached, match="does not answer: ConnectionRefusedError"):
        webhook.send("http://avisos.example:9/x", {"notice_id": "1"}, secret=b"s", private=True)


def test_four_addresses_are_tried_the_families_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(
        monkeypatch, "2606:2800::1", "2606:2800::2", "2606:2800::1", "2606:2800::3", "2606:2800::4",
        "93.184.216.34", "93.184.216.35",
    )  # fmt: skip
    found = destination.resolve("https://avisos.example/", private=False).addresses
    assert found == ("2606:2800::1", "93.184.216.34", "2606:2800::2", "93.184.216.35")
    assert destination.in_turns(["192.0.2.1", "192.0.2.2"]) == ("192.0.2.1", "192.0.2.2")


def test_an_inner_address_behind_many_public_ones_is_judged_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, *(f"93.184.216.{n}" for n in range(1, 20)), "169.254.169.254")
    with pytest.raises(BadInput, match=r"169\.254\.169\.254"):
        destination.resolve("https://avisos.example/", private=False)
