"""Ways to see or steer haproxy at run time: the statistics page and the `stats socket`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.binds import line_listeners, listeners
from lbcheck.dialects.haproxy.conditions import condition_index, match
from lbcheck.model import Admin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.haproxy.resolve import Proxy, Tree
    from lbcheck.dialects.haproxy.tree import Line
    from lbcheck.model import Listener

#: Rules that decide who may come in.
_GUARDS = frozenset({"deny", "auth", "reject", "tarpit", "silent-drop", "allow"})


def admins(tree: Tree) -> Iterator[Admin]:
    """Yield each statistics page once per address, each `stats socket`, and the Data Plane API as a program."""
    for line in tree.global_lines("stats", "socket"):
        yield from _socket(line)
    for proxy in tree.proxies:
        if not proxy.disabled:
            yield from _page(proxy)
    for section in tree.sections("program"):
        for line in section.lines:
            if line.words[0] == "command" and "dataplaneapi" in line.text_from(1):
                yield Admin("api", line.span, None, writable=True, protected=None)


def _socket(line: Line) -> Iterator[Admin]:
    for listener in line_listeners(line, 2):
        level = listener.options.get("level")
        writable = level is not None and level.value == "admin"
        yield Admin("socket", line.span, listener.address, writable=writable, protected=_reach(listener))


def _page(proxy: Proxy) -> Iterator[Admin]:
    lines = stats_lines(proxy)
    if not any(line.word(1) in ("enable", "uri", "admin", "auth", "realm") for line in lines):
        return
    if proxy.mode == "tcp":
        return
    words = {line.word(1) for line in lines}
    writable = any(line.word(1) == "admin" and _for_all(proxy, line) for line in lines)
    guard = "auth" if "auth" in words else "acl" if "http-request" in words or _guarded(proxy) else None
    span = lines[0].span
    found = listeners(proxy) if proxy.is_frontend else []
    if not found:
        yield Admin("stats", span, None, writable=writable, protected=guard)
    for listener in found:
        yield Admin("stats", span, listener.address, writable=writable, protected=guard or _reach(listener))


def _for_all(proxy: Proxy, line: Line) -> bool:
    """Say whether a `stats admin` lets everybody in: its condition holds for every request, whoever sends it."""
    return () in match(line, condition_index(line, 2), proxy.acls)


def stats_lines(proxy: Proxy) -> Sequence[Line]:
    """Return the `stats` lines that hold: own ones replace all inherited ones (`stats_check_init_uri_auth`)."""
    return proxy.inherited("stats")


def _guarded(proxy: Proxy) -> bool:
    rules = (line.word(1) for line in proxy.every("http-request"))
    content = (line.word(2) for line in proxy.every("tcp-request"))
    return any(word in _GUARDS for word in (*rules, *content))


def _reach(listener: Listener) -> str | None:
    """Return what guards a listener by itself: "unix", "loopback", "tls" (client certificates), "" nothing."""
    address = listener.address
    if address.kind == "unix":
        return "unix"
    if address.kind == "opaque":
        return None
    verify = listener.options.get("verify")
    if listener.tls and verify is not None and verify.value == "required":
        return "tls"
    return "loopback" if address.loopback else ""
