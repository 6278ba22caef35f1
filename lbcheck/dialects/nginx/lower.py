"""The resolved tree of one config → the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.admins import PAGES, admins
from lbcheck.dialects.nginx.frontends import Lowering
from lbcheck.dialects.nginx.includes import fault_hits
from lbcheck.dialects.nginx.passes import FAMILIES, context_of, host_and_port
from lbcheck.dialects.nginx.templates import deciders
from lbcheck.dialects.nginx.upstreams import pool
from lbcheck.dialects.nginx.values import bare, seconds, split_url, whole
from lbcheck.dialects.nginx.variables import Variables
from lbcheck.findings import NotChecked
from lbcheck.model import Config, Duration, Requirement, Setting
from lbcheck.patterns import pattern
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.includes import Includer
    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.text import Source

#: Timeouts whose unit people forget; a number alone is seconds.
_TIMED = frozenset(
    {f"{family}_{what}_timeout" for family in FAMILIES.values() for what in ("connect", "send", "read")}
    | {"proxy_timeout", "keepalive_timeout", "client_body_timeout", "client_header_timeout", "send_timeout",
       "resolver_timeout"}
)  # fmt: skip
#: Directives outside of upstreams → first open-source version, and the edition that had them before.
_REQUIREMENTS: dict[str, tuple[tuple[int, ...], str]] = {
    "health_check": ((), "NGINX Plus"),
    "http2": ((1, 25, 1), ""),
    "http3": ((1, 25, 0), ""),
}
_COLLECTED = frozenset({"resolver", *_REQUIREMENTS, *PAGES})
_SURROGATE = pattern("[\ud800-\udfff]")


def lower(path: str, main: Scope, includer: Includer, opened: str | None, *, whole_root: bool) -> Config:
    """Return the config whose main context is `main`. `opened` says why it is not whole, for fragments."""
    config = Config("nginx", path, _sources(includer))
    config.tree = main
    config.hits.extend(includer.hits)
    gap: str | None = None
    for tree in includer.used.values():
        config.hits.extend(fault_hits(tree))
        config.unmodelled.extend(NotChecked(Span(tree.source, *where), reason) for *where, reason in tree.gaps)
        gap = gap or next((reason for *_, reason in tree.gaps), None)
    _pools(config, main)
    lowering = Lowering(config, Variables(main))
    for block in main.blocks():
        if block.directive is not None and block.directive.name in {"http", "stream", "mail"}:
            config.frontends.extend(lowering.frontend(server) for server in block.scopes("server"))
    _walk(config, main, includer)
    config.workers = _workers(main, whole_root=whole_root)
    config.unmodelled.extend(includer.unmodelled)
    config.unmodelled.extend(
        _not_utf8(source) for source in config.files if not source.text.isascii() and _SURROGATE.search(source.text)
    )
    config.assumed = includer.assumed
    config.open = opened or includer.open or gap
    config.blocks = lambda: _blocks(includer)
    return config


def _sources(includer: Includer) -> list[Source]:
    return list({id(tree.source): tree.source for tree in includer.used.values()}.values())


def _blocks(includer: Includer) -> Iterator[Span]:
    for tree in includer.used.values():
        yield from (directive.block_span for directive in tree.all() if directive.children is not None)


def _pools(config: Config, main: Scope) -> None:
    at: dict[int, list[tuple[int, str]]] = {}
    for block in main.blocks():
        for scope in block.scopes("upstream"):
            assert scope.directive is not None  # noqa: S101 - an upstream scope has one
            source = scope.directive.source
            if id(source) not in at:
                at[id(source)] = deciders(source.text)
            config.pools.append(pool(scope, context_of(scope), config, at[id(source)]))


def _workers(main: Scope, *, whole_root: bool) -> Setting[int | None] | None:
    found = main.find("worker_processes")
    if found is None:
        return Setting(1) if whole_root else None
    value = found.args[0] if found.args else ""
    if value == "auto":
        return Setting(None, found.span)
    number = whole(value)
    return None if number is None else Setting(number, found.span)


def _walk(config: Config, main: Scope, includer: Includer) -> None:
    """Collect what may stand at any depth: resolvers, times without a unit, ways to see or steer the proxy."""
    wanted = [name for name in main.holders if name in _COLLECTED or name.endswith(("_timeout", "_pass"))]
    for scope in main.holding(*wanted):
        if scope.path[:1] not in {("http",), ("stream",)} or scope.path[-1] == "upstream":
            continue
        config.admins.extend(admins(scope, includer.missed))
        for directive in scope.directives:
            name = directive.name
            if name == "resolver":
                config.resolvers[" ".join(directive.args)] = directive.span
            elif name.endswith("_timeout"):
                _time(config, directive)
            elif name.endswith("_pass") and name not in FAMILIES and directive.args:
                # Another module's pass may name an upstream too.
                named = host_and_port(split_url(directive.args[0])[1])[0]
                config.used.update({(context_of(scope), named), (context_of(scope), named.lower())})
            elif name in _REQUIREMENTS:
                since, edition = _REQUIREMENTS[name]
                config.requirements.append(Requirement("nginx", name, since, directive.name_span, edition))


def _time(config: Config, directive: Directive) -> None:
    text = directive.args[0] if directive.args else ""
    value = seconds(text) if bare(text) and directive.name in _TIMED else None
    if value is not None:
        config.durations.append(Duration(directive.name, text, "", "s", value, directive.arg_span(0)))


def _not_utf8(source: Source) -> NotChecked:
    found = _SURROGATE.search(source.text)
    at = found.start() if found else 0
    return NotChecked(Span(source, at, at + 1), "bytes that are not UTF-8 are shown escaped")
