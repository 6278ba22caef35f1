"""What nginx refuses about `listen`: ports that do not exist, and two claims to one address (src/http/ngx_http.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.directive_table import DIRECTIVES
from lbcheck.dialects.nginx.hits import hit
from lbcheck.dialects.nginx.values import is_opaque, listen_address
from lbcheck.findings import Related
from lbcheck.patterns import pattern
from lbcheck.spelling import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Hit
    from lbcheck.model import Address

_REFUSES = "nginx refuses the config"
#: Parameters that set options of the socket: for one address they may be written once (`lsopt.set`).
_SOCKET = pattern(
    r"(?:setfib=|fastopen=|backlog=|rcvbuf=|sndbuf=|accept_filter=|ipv6only=|so_keepalive=)|(?:deferred|bind|reuseport"
    r"|multipath)\Z"
)
_PARAMETERS = ("default_server", "ssl", "http2", "quic", "proxy_protocol", "setfib", "fastopen", "backlog", "rcvbuf",
    "sndbuf", "accept_filter", "deferred", "bind", "ipv6only", "reuseport", "so_keepalive", "udp", "multipath",
    "default", "spdy", "http3", "id")  # fmt: skip
_PORT = pattern(r"(?:(?:.*:)?(\d+)(?:-(\d+))?)\Z", re.ASCII | re.DOTALL)
#: Words that make it a socket of another kind than TCP's.
_OTHER = frozenset({"udp", "quic"})
_KNOWN = frozenset(_PARAMETERS)


def addresses(main: Scope) -> Iterator[Hit]:
    """Yield what is wrong with the `listen` lines of all servers together."""
    for outer in main.blocks():
        kind = outer.directive.name if outer.directive is not None else ""
        if kind not in {"http", "stream"}:
            continue
        taken = _Taken(kind)
        for server in outer.scopes("server"):
            for directive in server.all("listen"):
                if directive.args and not is_opaque(" ".join(directive.args)):
                    yield from taken.listen(server, directive)


class _Taken:
    """Who has claimed what of each address so far."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._default: dict[object, Directive] = {}
        self._options: dict[object, Directive] = {}
        self._server: dict[object, tuple[Scope, Directive]] = {}

    def listen(self, server: Scope, directive: Directive) -> Iterator[Hit]:
        """Yield what is wrong with one line, and remember its claims."""
        text, args = directive.args[0], directive.args[1:]
        wrong = _wrong_port(text)
        if wrong is not None:
            yield hit("E09", directive.arg_span(0), f"port {wrong} is not between 1 and 65535: {_REFUSES}", _PORTS)
            return
        for index, arg in enumerate(args, 1):
            if arg.partition("=")[0] not in _KNOWN:
                yield from _parameter(directive, index, arg)
        where, end = listen_address(text, 80)
        if end is not None or where.kind == "name" or (where.port is None and where.kind != "unix"):
            return
        key = (_canonical(where), not _OTHER.isdisjoint(args))
        yield from self._same(server, directive, key, where)
        if self.kind == "http" and ("default_server" in args or "default" in args):
            first = self._default.setdefault(key, directive)
            if first is not directive:
                yield _double(
                    directive, first, f"a second default server for {_shown(where)}", "let one be the default"
                )
        if any(_SOCKET.match(arg) for arg in args):
            first = self._options.setdefault(key, directive)
            if first is not directive:
                what = f"options of the socket {_shown(where)} a second time"
                yield _double(directive, first, what, "write them on one of the lines")

    def _same(self, server: Scope, directive: Directive, key: object, where: Address) -> Iterator[Hit]:
        """In one server an address stands once; in stream (without server_name) in all servers together."""
        known = self._server.get(key)
        if known is not None and (known[0] is server or (self.kind == "stream" and not _named(server, known[0]))):
            yield _double(directive, known[1], f"{_shown(where)} a second time", "take one of the lines out")
        self._server[key] = (server, directive)


_PORTS = "write a port that exists"


def _parameter(directive: Directive, index: int, arg: str) -> Iterator[Hit]:
    """Yield a finding for a number, or a slip of a known word; other builds know more words."""
    name = arg.partition("=")[0]
    if _next_directive(directive, index, name):
        problem = f'`listen` has no ";" at its end and takes `{name}` for a parameter: {_REFUSES}'
        yield hit("E09", directive.arg_span(index), problem, f'write ";" in front of {name}')
        return
    near = nearest(name, _PARAMETERS, 1 if len(name) < 8 else 2) if len(name) > 3 else []
    if near or name.isdigit():
        advice = f"did you mean {near[0]}?" if near else "write a second listen for a second port"
        yield hit("E09", directive.arg_span(index), f'"{arg}" is no parameter of listen: {_REFUSES}', advice)


def _next_directive(directive: Directive, index: int, name: str) -> bool:
    """Say whether a word begins a line of its own and is a directive: the one before it lost its `;`."""
    if name not in DIRECTIVES:
        return False
    span = directive.arg_span(index)
    return not span.source.line(span.line)[: span.column - 1].strip() and span.line > directive.span.line


def _named(one: Scope, other: Scope) -> bool:
    """Say whether stream servers may share an address: nginx 1.25.5 chooses among them by server_name."""
    return one.find("server_name") is not None or other.find("server_name") is not None


def _wrong_port(text: str) -> str | None:
    match = None if text.startswith("unix:") or text.endswith("]") else _PORT.match(text)
    if match is None or (":" not in text and "." in text):
        return None
    return next((port for port in match.groups() if port and not 0 < int(port[:9]) <= 65535), None)


def _canonical(where: Address) -> tuple[str, str | None, int | None]:
    kind, host, port = where.key
    if kind == "ipv6" and host:
        from ipaddress import ip_address

        try:
            host = str(ip_address(host))
        except ValueError:
            return kind, host, port
    return kind, host, port


def _shown(where: Address) -> str:
    return where.text if where.host or where.kind == "ipv6" else f"*:{where.port}"


def _double(directive: Directive, first: Directive, what: str, advice: str) -> Hit:
    problem = f"this line claims {what}: {_REFUSES}"
    return hit("E10", directive.span, problem, advice, [Related(first.span, "the first claim")])
