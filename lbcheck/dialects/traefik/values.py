"""Times and addresses as Traefik writes them, and what in a text is a template's."""

from __future__ import annotations

import re
from contextlib import suppress

from lbcheck.model import Address
from lbcheck.patterns import pattern

#: What a template has yet to fill in: the file provider's own Go templates, and those of tools before it.
TEMPLATE = pattern(r"\{\{|\{%|<%|\$\{|\$\(|@@")
#: Statements of template engines: loops and conditions decide what is between them.
STATEMENT = pattern(r"\{%|<%|\{\{-?\s*(?:range|if|else|end|with|define|template|block|include|#|/)")

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = pattern(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_WHOLE = pattern(r"[-+]?[0-9]{1,15}\Z")
_PORT = pattern(r"[0-9]{1,5}\Z")
_IPV4 = pattern(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}\Z")
_IPV6 = pattern(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[\w.-]+)?\Z")
_NAME = pattern(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?\Z")
_URL = pattern(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:[^/?#@]*@)?(?P<place>[^/?#]*)")

#: The port of a URL that names none.
_PORTS = {"http": 80, "h2c": 80, "https": 443, "ws": 80, "wss": 443}


def seconds(text: str) -> tuple[float, str] | None:
    """Return (seconds, unit as written) of a time such as 500ms, 1m30s or 30; None where it is none.

    A bare number is seconds (github.com/traefik/paerser types.Duration); the rest is Go's time.ParseDuration.
    """
    if _WHOLE.match(text):
        return float(text), ""
    sign = -1.0 if text.startswith("-") else 1.0
    at = 1 if text[:1] in ("+", "-") else 0
    if at == len(text) or len(text) > 60:
        return None
    total = 0.0
    unit = ""
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            return None
        unit = part[2]
        total += float(part[1]) * _UNITS[unit]
        at = part.end()
    return sign * total, unit


def url(text: str) -> tuple[str, Address] | None:
    """Return (scheme, address) of a server's URL; None where it is none."""
    if TEMPLATE.search(text):
        return text.partition("://")[0] if "://" in text else "", Address(text, "opaque", None, None)
    found = _URL.match(text)
    if found is None or not found["place"]:
        return None
    scheme = found["scheme"].lower()
    address = endpoint(_ascii(found["place"]), _PORTS.get(scheme))
    return None if address is None else (scheme, Address(found["place"], address.kind, address.host, address.port))


def _ascii(place: str) -> str:
    """Return a host name's ASCII form, under which Go's net/http asks for it."""
    with suppress(UnicodeError):
        return place if place.isascii() else place.encode("idna").decode("ascii")
    return place


def endpoint(text: str, default: int | None = None, *, listener: bool = False) -> Address | None:
    """Return the address of host:port; None where it is none. A listener may leave its host out."""
    if TEMPLATE.search(text):
        return Address(text, "opaque", None, None)
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        if "]" not in text or (rest and not rest.startswith(":")):
            return None
        port = rest[1:]
    else:
        host, _, port = text.rpartition(":") if ":" in text else (text, "", "")
    number = int(port) if _PORT.match(port) else default if not port else None
    if (port and number is None) or (number is not None and number > 65535):
        return None
    return _addressed(text, host, number, listener=listener)


def _addressed(text: str, host: str, number: int | None, *, listener: bool) -> Address | None:
    if not host:
        return Address(text, "ipv4", "", number) if listener else None
    if _IPV4.match(host):
        return Address(text, "ipv4", host, number) if all(int(part) <= 255 for part in host.split(".")) else None
    if _IPV6.match(host):
        return Address(text, "ipv6", host, number)
    return Address(text, "name", host, number) if _NAME.match(host) and len(host) <= 253 else None
