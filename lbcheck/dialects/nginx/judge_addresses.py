"""Addresses that nginx refuses, in an upstream's `server` and in `*_pass` (`ngx_parse_url`, src/core/ngx_inet.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.hits import hit
from lbcheck.dialects.nginx.passes import FAMILIES
from lbcheck.dialects.nginx.templates import OPAQUE
from lbcheck.dialects.nginx.values import split_url
from lbcheck.findings import Related
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Hit

_REFUSES = "nginx refuses the config"
_PLAIN = pattern(r"(?:\d{1,3}(?:\.\d{1,3}){3}|[a-zA-Z0-9_-]+(?:\.[a-zA-Z0-9_-]+)*)(?::(\d{1,5}))?\Z", re.ASCII)
_BRACKETS = pattern(r"\[[^\]]*\](?::(.*))?\Z", re.DOTALL)
#: Schemes of *_pass; of fastcgi, scgi and memcached none is known.
_SCHEMES = {"proxy": ("http://", "https://"), "grpc": ("grpc://", "grpcs://"), "uwsgi": ("uwsgi://", "suwsgi://")}
#: What is judged in each top block.
_PASSES = {"http": FAMILIES, "stream": {"proxy_pass": "stream"}}
_VARIABLE = pattern(r"\$[a-z]")


def wrong(text: str) -> str | None:
    """Return what is wrong with an address, in words; None where nothing is, or it is filled in elsewhere."""
    match = _PLAIN.match(text)
    if match is not None:
        return _wrong_port(match[1], text)
    if text.startswith("unix:") or OPAQUE in text or "$" in text or not text.isascii():
        return None
    if text.startswith("["):
        match = _BRACKETS.match(text)
        return f'"{text}" has no closing bracket' if match is None else _wrong_port(match[1], text)
    if "/" in text:
        what = "a URL" if "://" in text else "a path"
        return f'"{text}" is {what}, where a host and a port are wanted'
    host, _, port = text.partition(":")
    return f'"{text}" names no host' if not host else _wrong_port(port if ":" in text else None, text)


def _wrong_port(port: str | None, text: str) -> str | None:
    if port is None or (port.isascii() and port.isdigit() and 0 < int(port[:9]) <= 65535):
        return None
    return f'"{text}" has no valid port'


def server(directive: Directive, *, stream: bool) -> Iterator[Hit]:
    """Yield what is wrong with the address of an upstream's server; in stream each needs a port."""
    text = directive.args[0] if directive.args else ""
    problem = wrong(text)
    advice = "write it as 10.0.0.1:8080"
    bare = ":" not in text.rpartition("]")[2] and OPAQUE not in text and "$" not in text
    if problem is None and stream and bare and not any(arg.startswith("service=") for arg in directive.args):
        problem = f'"{text}" needs a port, for stream has no usual one'
    if _VARIABLE.search(text) and OPAQUE not in text:
        problem = f'"{text}": an upstream\'s server is no place for variables, nginx takes them for a host name'
        advice = "write the address; for a name that changes, `resolve` or a variable in proxy_pass"
    if problem is not None:
        yield hit("E09", directive.arg_span(0), f"{problem}: {_REFUSES}", advice)


def passes(main: Scope, *, whole: bool) -> Iterator[Hit]:
    """Yield what is wrong with the addresses of every *_pass. A name may be an upstream's, unless all are known."""
    known: dict[int, dict[str, Directive]] = {}
    for scope in main.holding(*FAMILIES):
        part = scope.path[0] if scope.path else ""
        top = scope.top()
        if id(top) not in known:
            known[id(top)] = {block.directive.args[0].lower(): block.directive for block in top.scopes("upstream")
                              if block.directive is not None and block.directive.args}  # fmt: skip
        for name, family in _PASSES.get(part, {}).items():
            for directive in scope.all(name):
                if len(directive.args) == 1 and directive.children is None:
                    yield from _pass(directive, family, known[id(top)], whole=whole)


def _pass(directive: Directive, family: str, known: dict[str, Directive], *, whole: bool) -> Iterator[Hit]:
    text = directive.args[0]
    if "$" in text or OPAQUE in text:
        return
    scheme = next((one for one in _SCHEMES.get(family, ()) if text.lower().startswith(one)), "")
    problem: str | None
    if family == "proxy" and not scheme:
        problem = f'"{text}" begins with neither http:// nor https://: {_REFUSES}'
        yield hit("E09", directive.arg_span(0), problem, f"write http://{text.rpartition('://')[2]}")
        return
    place = text[len(scheme) :]
    if family == "proxy" and not place.startswith("unix:"):
        place = split_url(text)[1]
    host = place.partition(":")[0].lower()
    problem = wrong(place)
    if problem is not None:
        yield hit("E09", directive.arg_span(0), f"{problem}: {_REFUSES}", f"write {scheme}10.0.0.1:8080")
    elif host in known and ":" in place:
        problem = f'"{place}" names the upstream "{host}", which may not have a port: {_REFUSES}'
        related = [Related(known[host].span, "the upstream")]
        yield hit("E14", directive.arg_span(0), problem, f"write {scheme}{host}", related)
    elif whole and family != "proxy" and ":" not in place.rpartition("]")[2] and place.lower() not in known:
        problem = f'"{place}" has no port, and no upstream has that name: {_REFUSES}'
        yield hit("E09", directive.arg_span(0), problem, f"write {scheme}{place}:9000, or define the upstream")
