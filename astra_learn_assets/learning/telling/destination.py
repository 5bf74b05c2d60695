"""Where a webhook may go: to public addresses by HTTPS, and nowhere inside.

Whoever can add a subscription could otherwise have the platform knock at doors behind it: a cloud's
metadata service (169.254.169.254), Redis, the Kubernetes API. So the *addresses* that the name resolves to
are judged, every one of them, at each attempt, and the connection is made to one of the very addresses that
were judged: a name that resolves to another one a second later (DNS rebinding) gains nothing. Redirects are
not followed.

Of several addresses :data:`TRIED` are tried, one after the other, the two families in turns (RFC 8305, 4): a
host whose IPv6 leads nowhere, or one of whose machines is down, is reached at the next.
IPv4 written inside IPv6 (mapped, 6to4, Teredo, NAT64) is judged as the IPv4 it leads to.

``ASTRA_NOTIFY_PRIVATE_ADDRESSES`` allows private addresses, loopback and plain HTTP, for a receiver in one's
own network; link-local addresses, where most metadata services are, and those of ``never.txt``, where the
others are, stay refused.
"""

from __future__ import annotations

import ipaddress
import itertools
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from astra_learn_assets import bounded
from astra_learn_assets.errors import BadInput, NotReached

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LONGEST = 2_000
TRIED = 4
_RESOLVE_SECONDS = 5.0  # the resolver's own patience is what resolv.conf says, half a minute or more
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _never() -> frozenset[_Address]:
    lines = (Path(__file__).parent / "never.txt").read_text(encoding="ascii").splitlines()
    return frozenset(ipaddress.ip_address(line) for line in lines if not line.startswith("#"))


_NEVER = _never()


@dataclass(frozen=True)
class Destination:
    """A URL, and the addresses that a connection for it may be made to, in the order they are tried."""

    host: str
    port: int
    tls: bool
    target: str
    addresses: tuple[str, ...]


def parse(url: str, *, private: bool) -> tuple[str, int, bool, str]:
    """Host, port, whether TLS, and request target of a webhook's URL; nothing is resolved.

    Raises:
        BadInput: saying which part will not do.
    """
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise BadInput(f"the webhook's URL must be plain ASCII without spaces, {_LONGEST} characters at most")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInput(f"the webhook's URL cannot be read: {error}") from None
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise BadInput("the webhook's URL must begin with https://")
    if parts.username is not None or parts.password is not None:
        raise BadInput("the webhook's URL must not hold a user or password: the signature proves who sends")
    if not parts.hostname:
        raise BadInput("the webhook's URL names no host")
    if port == 0:
        raise BadInput("the webhook's URL names port 0")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    tls = parts.scheme == "https"
    return parts.hostname, port or (443 if tls else 80), tls, target


def resolve(url: str, *, private: bool) -> Destination:
    """``url`` with the addresses to connect to.

    Raises:
        BadInput: the URL will not do, or leads to an address that is not public.
        NotReached: the name does not resolve now, or not in time.
    """
    host, port, tls, target = parse(url, private=private)
    try:
        found = bounded.within(_RESOLVE_SECONDS, socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotReached(f"the webhook's host does not resolve: {type(error).__name__}") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        _require_allowed(address, private=private)
    return Destination(host, port, tls, target, in_turns(addresses)[:TRIED])


def in_turns(addresses: Sequence[str]) -> tuple[str, ...]:
    """``addresses``, IPv6 and IPv4 alternating, beginning with the first one's family."""
    of_first = [one for one in addresses if _family(one) == _family(addresses[0])]
    others = [one for one in addresses if _family(one) != _family(addresses[0])]
    pairs = itertools.zip_longest(of_first, others)
    return tuple(one for pair in pairs for one in pair if one is not None)


def _family(address: str) -> int:
    return 6 if ":" in address else 4


def _require_allowed(text: str, *, private: bool) -> None:
    address = _led_to(ipaddress.ip_address(text.partition("%")[0]))
    if address in _NEVER or _is_nobodys(address):
        raise BadInput(f"the webhook's host leads to {address}, which no receiver has")
    if not address.is_global and not private:
        raise BadInput(
            f"the webhook's host leads to {address}, which is not public; "
            "ASTRA_NOTIFY_PRIVATE_ADDRESSES=true allows receivers in one's own network"
        )


def _is_nobodys(address: _Address) -> bool:
    """Whether no host of any network of one's own may have ``address``."""
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return True  # given up by RFC 3879, and no ``is_reserved``
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return True
    return address.is_reserved and not address.is_loopback  # ::1 is both


def _led_to(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one only wraps, else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
