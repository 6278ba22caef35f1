"""Where requests leave for a server: every `proxy_pass`, `grpc_pass`, `fastcgi_pass`, … with what holds there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.scope import Scope
from lbcheck.dialects.nginx.templates import OPAQUE
from lbcheck.dialects.nginx.values import seconds, split_url
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.context import Context
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.model import Config, Pool

#: The directives that send a request on, and the prefix of the directives that steer each.
FAMILIES = {f"{family}_pass": family for family in ("proxy", "grpc", "fastcgi", "uwsgi", "scgi", "memcached")}

_PORT = pattern(r":\d+\Z", re.ASCII)
_IPV4 = pattern(r"\d+(?:\.\d+){3}\Z", re.ASCII)


class Pass:
    """One `*_pass`: `host` and `port` as its argument says, `pool` the upstream that it names, if it names one."""

    __slots__ = ("context", "directive", "family", "host", "pool", "port", "scheme", "scope")

    def __init__(self, directive: Directive, scope: Scope, pools: dict[tuple[str, str], Pool]) -> None:
        self.directive = directive
        self.scope = scope
        self.family = FAMILIES[directive.name]
        self.context = context_of(scope)
        self.scheme, authority, _ = split_url(directive.args[0])
        self.host, self.port = host_and_port(authority)
        self.pool = None if self.port else pools.get((self.context, self.host.lower()))

    @property
    def text(self) -> str:
        """The argument as it is written."""
        return self.directive.args[0]

    @property
    def plain(self) -> bool:
        """Whether the argument is a plain value: no variable, no template."""
        return "$" not in self.text and OPAQUE not in self.text

    def setting(self, name: str) -> Directive | None:
        """Return the directive FAMILY_`name` that holds here, or None where the default does."""
        return self.scope.inherited(f"{self.family}_{name}")

    def time(self, name: str, default: float) -> float | None:
        """Return FAMILY_`name` in seconds; None where it is not a plain time."""
        directive = self.setting(name)
        if directive is None:
            return default
        return seconds(directive.args[0]) if directive.args else None


def context_of(scope: Scope) -> str:
    """Return "http" or "stream": the name space that upstreams are looked up in."""
    return "stream" if "stream" in scope.path else "http"


def host_and_port(authority: str) -> tuple[str, str]:
    """Return the host and the port of `host:port`, the port "" where none is written."""
    if authority.startswith("unix:"):
        return authority, ""
    found = _PORT.search(authority)
    return (authority[: found.start()], found[0][1:]) if found else (authority, "")


def is_literal_address(host: str) -> bool:
    """Say whether a host needs no name lookup: an IP address or a socket's path."""
    return host.startswith(("unix:", "[")) or bool(_IPV4.match(host))


def root(config: Config) -> Scope | None:
    """Return the main context, or None where the config has no tree of nginx's."""
    return config.tree if isinstance(config.tree, Scope) else None


def named_pools(config: Config) -> dict[tuple[str, str], Pool]:
    """Return the `upstream` blocks by (context, name in lower case)."""
    return {(pool.scope or "http", pool.name.lower()): pool for pool in config.pools if not pool.implicit}


def passes(config: Config) -> list[Pass]:
    """Return every `*_pass` in order of writing."""
    main = root(config)
    if main is None:
        return []
    pools = named_pools(config)
    return [
        Pass(directive, scope, pools)
        for scope in main.holding(*FAMILIES)
        for name in FAMILIES
        for directive in scope.all(name)
        if directive.args and directive.children is None
    ]


def passes_by_pool(config: Config, context: Context) -> dict[int, list[Pass]]:
    """Return the `*_pass` directives that name an upstream, by the id of its Pool."""
    found: dict[int, list[Pass]] = {}
    for one in context.once(config, passes):
        if one.pool is not None:
            found.setdefault(id(one.pool), []).append(one)
    return found


def upstreams(config: Config) -> dict[tuple[str, str], Scope]:
    """Return the `upstream` blocks as Scopes, by (context, name in lower case)."""
    main = root(config)
    if main is None:
        return {}
    return {
        (context_of(scope), scope.directive.args[0].lower()): scope
        for outer in (main, *main.blocks())
        for scope in outer.scopes("upstream")
        if scope.directive is not None and scope.directive.args
    }
