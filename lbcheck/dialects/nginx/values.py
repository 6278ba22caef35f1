"""nginx's notations of times, addresses and URLs."""

from __future__ import annotations

import re
from functools import lru_cache

from lbcheck.dialects.nginx.templates import OPAQUE
from lbcheck.model import Address
from lbcheck.patterns import pattern

#: Seconds of each unit (ngx_parse_time in src/core/ngx_parse.c). A number without one is seconds.
UNITS = {"y": 31536000.0, "M": 2592000.0, "w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}

_TIME = pattern(r"(?:(\d+)(y|M|w|d|h|ms|m|s)?\s*)", re.ASCII)
_IPV4 = pattern(r"\d{1,3}(?:\.\d{1,3}){3}\Z", re.ASCII)
_SCHEME = pattern(r"([a-zA-Z][a-zA-Z0-9+.-]*)://(.*)\Z", re.DOTALL)


#: A config writes the same few values thousands of times.
_remembered = lru_cache(maxsize=4096)


@_remembered
def seconds(text: str) -> float | None:
    """Return a time in seconds; None for what is no time (`off`, a variable, a template) or absurdly long."""
    if len(text) > 40:
        return None
    total, at = 0.0, 0
    while at < len(text):
        match = _TIME.match(text, at)
        if match is None:
            return None
        total += int(match[1]) * UNITS[match[2] or "s"]
        at = match.end()
    return total if text else None


def bare(text: str) -> bool:
    """Say whether a time is written without any unit."""
    return text.isascii() and text.isdigit()


@_remembered
def whole(text: str) -> int | None:
    """Return a number written in plain ASCII digits; None otherwise, and for numbers that nginx cannot hold."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def is_opaque(text: str) -> bool:
    """Say whether a value is filled in elsewhere: a variable or a template expression."""
    return OPAQUE in text or "$" in text


def address(text: str, default_port: int | None = 80) -> Address:
    """Return the address of a server or of a *_pass, as `ngx_parse_url` reads it."""
    if is_opaque(text):
        return Address(text.replace(OPAQUE, ""), "unix" if text.startswith("unix:") else "opaque", None, None)
    if text.startswith("unix:"):
        return Address(text, "unix", text[5:].rstrip(":"), None)
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return Address(text, "ipv6", host, _port(rest.removeprefix(":"), default_port))
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, ""
    return Address(text, "ipv4" if _IPV4.match(host) else "name", host, _port(port, default_port))


def _port(text: str, default: int | None) -> int | None:
    return whole(text) if text else default


@_remembered
def listen_address(text: str, default_port: int | None = 80) -> tuple[Address, int | None]:
    """Return a listener's address and the last port of a range; host "" is the wildcard."""
    if is_opaque(text):
        return Address(text.replace(OPAQUE, ""), "opaque", None, None), None
    if text.startswith("unix:"):
        return Address(text, "unix", text[5:], None), None
    host, colon, port = text.rpartition(":")
    if text.startswith("[") and not text.rpartition("]")[2]:
        host, port = text, ""
    elif not colon:
        first = text.partition("-")[0]
        host, port = ("", text) if first.isdigit() else (text, "")
    first, _, last = port.partition("-")
    kind = "ipv6" if host.startswith("[") else "ipv4" if host in {"", "*"} or _IPV4.match(host) else "name"
    host = host.strip("[]")
    wild = "" if host in {"*", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    return Address(text, kind, wild, _port(first, default_port)), whole(last) if last else None


@_remembered
def split_url(text: str) -> tuple[str, str, str]:
    """Return (scheme, authority, rest) of a *_pass argument; the scheme is "" where none is written."""
    match = _SCHEME.match(text)
    scheme, after = (match[1].lower(), match[2]) if match else ("", text)
    if after.startswith("unix:"):
        path, colon, rest = after[5:].partition(":")
        return scheme, f"unix:{path}", rest if colon else ""
    cut = len(after)
    for mark in "/?":
        at = after.find(mark, 0, cut)
        cut = at if at >= 0 else cut
    return scheme, after[:cut], after[cut:]
