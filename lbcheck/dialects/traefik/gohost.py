"""Which addresses of servers Go refuses: Traefik leaves them out, or does not build their service (net, net/url).

Any other text is taken, and fails only when something is to be sent there: `app:8080` is a URL of the scheme `app`.
"""

from __future__ import annotations

from lbcheck.patterns import pattern

_SCHEME = pattern(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PORT = pattern(r"(?::[0-9]*)?\Z")
_UNESCAPED = pattern(r"%(?![0-9A-Fa-f]{2})")
_LOCAL = pattern(r"(?:https?://)?:[0-9]{1,5}(?:/|\Z)")
_NAMED_PORT = pattern(r"[^:/\s]+:[A-Za-z][A-Za-z0-9-]*\Z")
_CONTROL = pattern(r"[\x00-\x1f\x7f]")


def is_local(text: str) -> bool:
    """Say whether a URL or address names a port alone: it is Traefik's own machine that is asked then (net.Dial)."""
    return _LOCAL.match(text) is not None


def has_named_port(text: str) -> bool:
    """Say whether the port of host:port is a name such as https, which Go looks up (net.LookupPort)."""
    return _NAMED_PORT.match(text) is not None


def split_refused(text: str) -> bool:
    """Say whether Go's net.SplitHostPort refuses host:port; the port may be any text."""
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        return not closed or not port.startswith(":") or ":" in port[1:] or "[" in host
    return text.count(":") != 1 or "[" in text or "]" in text


def url_refused(text: str) -> bool:
    """Say whether Go's url.Parse refuses a text for certain."""
    text, _, fragment = text.partition("#")
    if _UNESCAPED.search(fragment):
        return True
    scheme = _SCHEME.match(text)
    rest = text if scheme is None else text[scheme.end() :]
    if _CONTROL.search(text) or text.startswith(":") or (scheme is None and ":" in rest.partition("/")[0]):
        return True
    rest = rest.partition("?")[0]
    if not rest.startswith("//"):
        return False
    authority, _, path = rest[2:].partition("/")
    return _UNESCAPED.search(path) is not None or _host_refused(authority.rpartition("@")[2])


def _host_refused(host: str) -> bool:
    if host.startswith("["):
        _, closed, port = host.rpartition("]")
        return not closed or not _PORT.match(port)
    at = host.rfind(":")
    refused = at >= 0 and not _PORT.match(host, at)
    return refused or _UNESCAPED.search(host) is not None or " " in host
