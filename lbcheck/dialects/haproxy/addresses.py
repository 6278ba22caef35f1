"""Addresses of servers and binds (`str2sa_range` in src/tools.c)."""

from __future__ import annotations

import re

from lbcheck.dialects.haproxy.values import placeholder
from lbcheck.dialects.haproxy.words import words
from lbcheck.model import Address

_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_PREFIXES = words(
    """
    unix uxdg uxst abns abnsz ipv4 ipv6 ip tcp4 tcp6 tcp udp4 udp6 udp quic4 quic6 mptcp4 mptcp6 mptcp fd sockpair rhttp
    """
)
_PREFIX = re.compile(r"(?:(stream|dgram)\+)?(?:([a-z0-9]+)@)?")
#: An address that is several: a range of ports.
_RANGE = re.compile(r"([0-9]+)-([0-9]+)")
_UNIX = frozenset({"unix", "uxdg", "uxst", "abns", "abnsz"})
_DATAGRAM = frozenset({"uxdg", "udp", "udp4", "udp6", "quic4", "quic6"})


def server_address(text: str, *, opaque: bool = False) -> Address:
    """Return where a server listens. No port means the port that the client came to; then `port` is None."""
    return _address(text, opaque=opaque)[0]


def plain_address(text: str) -> Address:
    """Return where a server listens whose address is known to be an IPv4 address and a port."""
    host, _, port = text.partition(":")
    return Address(text, "ipv4", host, int(port))


def bind_addresses(text: str, *, opaque: bool = False) -> list[tuple[Address, int | None, str]]:
    """Return the addresses of a `bind` (comma-separated): each with the last port of a range and its transport."""
    return [_address(part, opaque=opaque) for part in text.split(",") if part]


def _address(text: str, *, opaque: bool) -> tuple[Address, int | None, str]:
    match = _PREFIX.match(text)
    style, prefix, rest = (match[1], match[2] or "", text[match.end() :]) if match else (None, "", text)
    if prefix and prefix not in _PREFIXES:
        return Address(text, "opaque", None, None), None, "tcp"
    transport = "udp" if prefix in _DATAGRAM or style == "dgram" else "tcp"
    if prefix in _UNIX or (not prefix and rest.startswith("/")):
        return Address(text, "opaque" if opaque else "unix", rest, None), None, transport
    if prefix in ("fd", "sockpair", "rhttp"):
        return Address(text, "opaque", None, None), None, transport
    host, separated, port = _split(rest)
    low, high = _ports(port if separated else "")
    if opaque and (placeholder(host) or not host):
        return Address(text, "opaque", None, low), high, transport
    kind = _kind(host, prefix)
    if opaque and separated and low is None:
        return Address(text, "opaque", _bare(host), None), high, transport
    return Address(text, kind, _bare(host), low), high, transport


def _split(text: str) -> tuple[str, bool, str]:
    """Split host and port at the last colon, unless a closing bracket comes after it."""
    colon = text.rfind(":")
    if colon > text.rfind("]"):
        return text[:colon], True, text[colon + 1 :]
    return text, False, ""


def _ports(text: str) -> tuple[int | None, int | None]:
    """Return (port, last port of a range). An offset (`+10`) or nothing is no port of its own."""
    if text.isdecimal():
        return int(text), None
    match = _RANGE.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else (None, None)


def _kind(host: str, prefix: str) -> str:
    if ":" in host or prefix in ("ipv6", "tcp6", "udp6", "quic6"):
        return "ipv6"
    if host in ("", "*") or _IPV4.fullmatch(host):
        return "ipv4"
    return "name"


def _bare(host: str) -> str:
    """Return the host without brackets; "" for every address of a listener."""
    host = host.removeprefix("[").removesuffix("]")
    return "" if host == "*" else host
