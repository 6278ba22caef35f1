"""Times and addresses of the native format, and what in a text is a template engine's."""

from __future__ import annotations

import re

from lbcheck.model import Address
from lbcheck.patterns import pattern

#: Expressions that a template engine or the shell fills in later: values that contain one are not known.
TEMPLATE = pattern(r"\{\{|\{%|<%|\$\{|\$\(|@@")
#: Statements of template engines: loops and conditions decide what is between them.
STATEMENT = pattern(r"\{%|<%|\{\{-?\s*(?:range|if|else|end|with|define|include|#|/)")

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}
_DURATION = pattern(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|)\Z")
_PORT = pattern(r"[0-9]{1,5}\Z")
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}\Z")
_IPV6 = re.compile(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[\w.-]+)?\Z")
_NAME = pattern(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?\Z")


def seconds(text: str) -> tuple[float, str] | None:
    """Return (seconds, unit as written) of a time such as 500ms, 5s or 30; None where it is none."""
    found = _DURATION.match(text)
    if found is None or len(text) > 30:
        return None
    return float(found[1]) * _UNITS[found[2]], found[2]


def address(text: str, *, listener: bool = False) -> Address | None:
    """Return the address of a server or a listener; None where the text is none.

    A listener may leave its host out: `:80`, `*:80` or `80` is all addresses, with host "".
    """
    if TEMPLATE.search(text):
        return Address(text, "opaque", None, None)
    if text.startswith("unix:"):
        return Address(text, "unix", text[5:], None) if len(text) > 5 else None
    if listener and _PORT.match(text):
        host, port = "", text
    elif text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
        if "]" not in text or (rest and not rest.startswith(":")) or rest == ":":
            return None
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        if not port:
            return None
    else:
        host, port = text, ""
    return _checked(text, host, port, listener=listener)


def _checked(text: str, host: str, port: str, *, listener: bool) -> Address | None:
    number = int(port) if _PORT.match(port) else None
    if (port and number is None) or (number is not None and number > 65535) or (listener and number is None):
        return None
    if host in ("", "*"):
        return Address(text, "ipv4", "", number) if listener else None
    if _IPV4.match(host):
        known = all(int(part) <= 255 for part in host.split("."))
        return Address(text, "ipv4", host, number) if known else None
    if _IPV6.match(host):
        return Address(text, "ipv6", host, number)
    return Address(text, "name", host, number) if _NAME.match(host) and len(host) <= 253 else None
