"""What nginx refuses in `upstream` blocks (src/http/ngx_http_upstream.c and the modules of the methods)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx import judge_addresses
from lbcheck.dialects.nginx.contexts import MASKS
from lbcheck.dialects.nginx.hits import hit
from lbcheck.dialects.nginx.judge_values import is_seconds
from lbcheck.dialects.nginx.known import APART, apart
from lbcheck.dialects.nginx.templates import OPAQUE, is_template, shortened
from lbcheck.dialects.nginx.values import whole
from lbcheck.findings import Related
from lbcheck.spelling import nearest
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Hit

#: Methods that know no backup servers, from their line on (their `uscf->flags`).
_NO_BACKUP = frozenset({"hash", "ip_hash", "random"})
_FLAGS = frozenset({"backup", "down", "resolve", "drain"})
_KEYS = frozenset({"weight", "max_fails", "max_conns", "fail_timeout", "slow_start", "route", "service"})
_EXAMPLES = {"weight": "weight=2", "max_fails": "max_fails=3", "max_conns": "max_conns=100",
    "fail_timeout": "fail_timeout=10s", "slow_start": "slow_start=30s"}  # fmt: skip
#: nginx wants eight pages (`ngx_http_upstream_zone`).
_LEAST_ZONE = 8 * 4096
_REFUSES = "nginx refuses the config"


def upstream(scope: Scope, *, fragment: bool) -> Iterator[Hit]:
    """Yield what is wrong inside one block."""
    block = scope.directive
    own = True
    stream = scope.path[:1] == ("stream",)
    method: Directive | None = None
    servers: list[Directive] = []
    for directive in scope.directives:
        name = directive.name
        if name == "server":
            servers.append(directive)
            yield from judge_addresses.server(directive, stream=stream)
            if len(directive.args) > 1:
                yield from _server(directive, method)
        elif name in _NO_BACKUP:
            method = directive
            yield from _method(directive)
        elif name == "zone" and len(directive.args) == 2:
            yield from _zone(directive)
        elif name == "keepalive" and directive.args and whole(directive.args[0]) == 0:
            yield hit("E09", directive.arg_span(0), f'"keepalive 0" is no valid value: {_REFUSES}', "leave it out")
        elif name not in MASKS or name in APART or OPAQUE in name:
            own = False
    if block is not None and block.end and own and not any("backup" not in one.args for one in servers):
        yield from _empty(scope, block, servers, fragment=fragment)


def _server(directive: Directive, method: Directive | None) -> Iterator[Hit]:
    for index, arg in enumerate(directive.args[1:], 1):
        if OPAQUE in arg or "$" in arg:
            continue
        key, equals, value = arg.partition("=")
        if not equals and key in _FLAGS:
            if key == "backup" and method is not None:
                yield _no_backup(directive, index, method)
        elif not equals or key not in _KEYS:
            yield from _unknown(directive, index, key)
        elif not _valid(key, value):
            advice = "use `down` to take the server out" if arg == "weight=0" else _advice(key)
            yield hit("E09", directive.arg_span(index), f'"{arg}" is no valid {key}: {_REFUSES}', advice)


def _unknown(directive: Directive, index: int, key: str) -> Iterator[Hit]:
    """Other builds know more parameters ("id" of nginx-sticky-module …): only what lies near a known one is a slip."""
    if key in _KEYS:
        yield hit("E09", directive.arg_span(index), f'"{key}" needs a value: {_REFUSES}', _advice(key))
        return
    near = nearest(key, sorted(_KEYS | _FLAGS), 2) if len(key) > 4 else []
    if key in _FLAGS or near:
        what = f'"{key}" takes no value' if key in _FLAGS else f'a server knows no parameter "{key}"'
        advice = f"write {key}" if key in _FLAGS else f"did you mean {near[0]}?"
        yield hit("E09", directive.arg_span(index), f"{what}: {_REFUSES}", advice)


def _advice(key: str) -> str:
    return f"write it as {_EXAMPLES.get(key, f'{key}=NAME')}"


@lru_cache(maxsize=4096)
def _valid(key: str, value: str) -> bool:
    if key in {"weight", "max_fails", "max_conns"}:
        number = whole(value)
        return number is not None and (key != "weight" or number > 0)
    return is_seconds(value) if key in {"fail_timeout", "slow_start"} else bool(value)


def _no_backup(directive: Directive, index: int, method: Directive) -> Hit:
    return hit(
        "E14",
        directive.arg_span(index),
        f'{method.name} knows no backup servers: {_REFUSES} (balancing method does not support parameter "backup")',
        "take `backup` off, or choose least_conn or round robin",
        [Related(method.span, "the method")],
    )


def _method(directive: Directive) -> Iterator[Hit]:
    args = directive.args
    if any(OPAQUE in arg for arg in args):
        return
    if directive.name == "hash" and len(args) == 2 and args[1] != "consistent":
        problem = f'"{args[1]}" is no parameter of hash: {_REFUSES}'
        yield hit("E09", directive.arg_span(1), problem, "write consistent, or leave it out")
    elif directive.name == "random" and args and args[0] != "two":
        problem = f'"{args[0]}" is no parameter of random: {_REFUSES}'
        yield hit("E09", directive.arg_span(0), problem, "write two, or leave it out")


def _zone(directive: Directive) -> Iterator[Hit]:
    text = directive.args[1]
    if OPAQUE in text or "$" in text:
        return
    unit = {"k": 1024, "m": 1024 * 1024}.get(text[-1:].lower(), 0)
    number = whole(text[:-1] if unit else text)
    if number is None:
        yield hit("E09", directive.arg_span(1), f'"{text}" is no size: {_REFUSES}', "write it as 64k or 1m")
    elif 0 < number * (unit or 1) < _LEAST_ZONE:
        problem = f"a zone of {text} is too small: {_REFUSES}"
        yield hit("E09", directive.arg_span(1), problem, "give it 32k or more; 64k holds about a hundred servers")


def _empty(scope: Scope, block: Directive, servers: list[Directive], *, fragment: bool) -> Iterator[Hit]:
    """NGINX Plus takes an empty upstream with a zone, for its API to fill; a gap may hold the servers."""
    text = block.source.text[block.start : block.close]
    if is_template(text) or "include" in text:
        return
    if not servers and scope.all("zone") and (fragment or _plus(scope)):
        return
    name = shortened(" ".join(block.args))
    what = "has only backup servers" if servers else "has no servers"
    yield hit(
        "E14", block.span, f"upstream {name} {what}: {_REFUSES}",
        "take `backup` off one of them" if servers else "add a server",
        [Related(Span(block.source, block.close - 1, block.close), "nginx names this line")],
    )  # fmt: skip


def _plus(scope: Scope) -> bool:
    outer = scope
    while outer.parent is not None:
        outer = outer.parent
    return any(map(apart, outer.holders))


def names(main: Scope) -> Iterator[Hit]:
    """Yield upstreams that are defined twice."""
    for outer in main.blocks():
        seen: dict[str, Directive] = {}
        for scope in outer.scopes("upstream"):
            directive = scope.directive
            if directive is None or not directive.args or OPAQUE in directive.args[0]:
                continue
            name = directive.args[0].lower()
            if name in seen:
                yield hit(
                    "E10", directive.span, f'upstream "{directive.args[0]}" is defined twice: nginx refuses the second',
                    "give it another name, or join the two", [Related(seen[name].span, "the first one")],
                )  # fmt: skip
            seen.setdefault(name, directive)
