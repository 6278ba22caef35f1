"""`server` blocks → frontends with listeners and routes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lbcheck.dialects.nginx import settings
from lbcheck.dialects.nginx.passes import FAMILIES, context_of, host_and_port
from lbcheck.dialects.nginx.templates import OPAQUE, shortened
from lbcheck.dialects.nginx.upstreams import implicit
from lbcheck.dialects.nginx.values import is_opaque, listen_address, split_url
from lbcheck.dialects.nginx.variables import hundredths, names_in
from lbcheck.findings import NotChecked
from lbcheck.model import (
    EVERY_REQUEST,
    Address,
    Condition,
    Frontend,
    Listener,
    Match,
    Pool,
    Route,
    Setting,
    WeightedTarget,
)
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.dialects.nginx.variables import Value, Variables
    from lbcheck.model import Config

#: Location prefixes → (operator, whether case is ignored).
_STRENGTHS = {"=": ("exact", False), "^~": ("prefix", False), "~": ("regex", False), "~*": ("regex", True)}
#: Ports that a *_pass takes where none is written.
_DEFAULT_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443, "memcached": 11211}
#: Variables whose value begins with the path or the query: what stands before them is the whole authority.
_PATH_VARIABLE = pattern(r"\$\{?(?:request_uri|uri|document_uri|is_args|fastcgi_script_name)\b")
_VARIABLE_SCHEME = pattern(r"\A\$\{?\w+\}?://", re.ASCII)
_LUA_ANSWERS = ("content_by_lua_block", "content_by_lua_file", "content_by_lua", "js_content", "perl")


class Lowering:
    """What the frontends of one config are made with: its pools by scope and name, its variables, its unknowns."""

    def __init__(self, config: Config, variables: Variables) -> None:
        self.config = config
        self.variables = variables
        self.pools = {(pool.scope, pool.name.lower()): pool for pool in config.pools}
        #: Targets of expressions that mean the same everywhere: a large map, used in every server, is read once.
        self._shared: dict[tuple[str, str, str], list[WeightedTarget] | None] = {}

    def frontend(self, scope: Scope) -> Frontend:
        """Return the frontend of a `server` block."""
        directive = scope.directive
        assert directive is not None  # noqa: S101 - a server scope has one
        kind = "mail" if scope.path[:1] == ("mail",) else context_of(scope)
        listeners = [_listener(item) for item in scope.all("listen") if item.args]
        hosts = [shortened(host) for item in scope.all("server_name") for host in item.args]
        if not listeners and kind == "http" and directive.end:
            listeners = [Listener(Address("80", "ipv4", "", 80), directive.name_span)]
        name = next((host for host in hosts if host not in {"", "_"}), "") or ", ".join(
            listener.address.text for listener in listeners
        )
        udp = any(listener.transport == "udp" for listener in listeners)
        return Frontend(
            name or "server",
            directive.name_span,
            listeners,
            self._server_routes(scope, kind),
            protocol="http" if kind == "http" else "udp" if udp else "tcp",
            order="nginx",
            scope=kind,
            hosts=hosts,
            options=_frontend_options(scope),
        )

    def _server_routes(self, scope: Scope, kind: str) -> list[Route]:
        if kind != "http":
            item = scope.find("proxy_pass") if kind == "stream" else None
            return [self._route(scope, item, EVERY_REQUEST, "all connections", "stream")] if item else []
        routes: list[Route] = []
        for inside in scope.walk():
            if inside.directive is not None and inside.directive.name in {"location", "if", "limit_except"}:
                routes.extend(self._location(inside))
        if scope.find("return") is not None:
            found = scope.find("return")
            assert found is not None  # noqa: S101 - just looked at
            routes.append(Route("server", found.span, EVERY_REQUEST, outcome="answer"))
        return routes

    def _location(self, scope: Scope) -> list[Route]:
        directive = scope.directive
        assert directive is not None  # noqa: S101 - every block but main has one
        if directive.name == "location":
            label = "location " + shortened(" ".join(directive.args))
            match = _nested_match(scope)
        else:
            label, match = self._conditional(scope)
        for name in FAMILIES:
            item = scope.find(name)
            if item is not None and item.args and item.children is None:
                return [self._route(scope, item, match, label, "http")]
        return [] if directive.name != "location" else [_answer(scope, directive, match, label)]

    def _conditional(self, scope: Scope) -> tuple[str, Match]:
        """Return label and match of an `if` or `limit_except`: the location's, and a condition that is opaque."""
        directive = scope.directive
        outer = scope.enclosing("location")
        assert directive is not None  # noqa: S101 - every block but main has one
        text = f"{directive.name} {' '.join(directive.args)}"
        opaque = Condition("opaque", "exact", [text])
        if outer is None or outer.directive is None:
            return text, ((opaque,),)
        inner = location_match(outer.directive.args)
        return f"location {' '.join(outer.directive.args)}, {text}", tuple((*one, opaque) for one in inner)

    def _route(self, scope: Scope, item: Directive, match: Match, label: str, kind: str) -> Route:
        family = FAMILIES.get(item.name, "proxy")
        text = item.args[0] if item.args else ""
        targets, known = self._targets(scope, item, text, kind)
        return Route(
            label,
            item.span,
            match,
            targets,
            "pools" if known else "unknown",
            expression=shortened(text) if is_opaque(text) else None,
            retry=settings.retry(scope, family),
            timeouts=settings.timeouts(scope, family, kind),
            options=settings.options(scope, item, family, text),
        )

    def _targets(self, scope: Scope, item: Directive, text: str, kind: str) -> tuple[list[WeightedTarget], bool]:
        if not is_opaque(text):
            return [self._target(text, item, kind, None)], True
        scheme, authority, _ = split_url(_VARIABLE_SCHEME.sub("http://", text))
        authority = _PATH_VARIABLE.split(authority, maxsplit=1)[0]
        wanted = f"{scheme}://{authority}" if scheme else authority
        if item.name == "proxy_pass" and kind == "http" and not scheme and not text.startswith("$"):
            self._unknown(item, kind, text)  # `http:/$uri`: the variable brings the rest of "://" and the host
            return [], False
        if OPAQUE in text or self.variables.local(scope, wanted):
            found = self._chosen(scope, item, text, kind, wanted)
        else:
            key = (kind, item.name, wanted)
            if key not in self._shared:
                self._shared[key] = self._chosen(scope, item, text, kind, wanted)
            found = self._shared[key]
        if found is None:
            self._unknown(item, kind, text)
            return [], False
        return found, bool(found)

    def _chosen(self, scope: Scope, item: Directive, text: str, kind: str, wanted: str) -> list[WeightedTarget] | None:
        """Return the targets of an expression, or None where they are known only at run time."""
        values = None if OPAQUE in text else self.variables.values(scope, wanted)
        if values is None or any(value.unknown and names_in(split_url(value.text)[1]) for value in values):
            return None
        shares = _shares(values)
        targets: dict[int, WeightedTarget] = {}
        for number, value in enumerate(values):
            if not value.text:
                continue
            target = self._target(value.text, item, kind, value)
            target = targets.setdefault(id(target.pool), target)
            if shares:
                target.share = (target.share or 0.0) + shares[number]
        return list(targets.values())

    def _unknown(self, item: Directive, kind: str, text: str) -> None:
        self.config.used.add((kind, "*"))
        shown = shortened(text)
        self.config.unmodelled.append(NotChecked(item.span, f"where {shown} sends requests is known only at run time"))

    def _target(self, text: str, item: Directive, kind: str, value: Value | None) -> WeightedTarget:
        scheme, authority, _ = split_url(text)
        host, port = host_and_port(authority)
        entry = value.entry if value is not None else None
        span = entry.arg_span(0) if entry is not None and entry.args else item.arg_span(0)
        pool = None if port else self.pools.get((kind, host.lower()))
        if pool is None:
            pool = self._implicit(authority, span, kind, scheme or _FAMILY_SCHEMES.get(item.name, ""))
        return WeightedTarget(pool.name, span, pool, share=None)

    def _implicit(self, authority: str, span: Any, kind: str, scheme: str) -> Pool:
        key = (kind, f"{scheme}://{authority.lower()}")
        pool = self.pools.get(key)
        if pool is None:
            default = _DEFAULT_PORTS.get(scheme) if kind == "http" else None
            pool = self.pools[key] = implicit(authority, span, kind, default)
            self.config.pools.append(pool)
        return pool


def _shares(values: list[Value]) -> list[float] | None:
    """Return the fraction of requests that gets each value, where one split_clients block alone chooses."""
    tables = {id(value.table): value.table for value in values}
    table = values[0].table if len(tables) == 1 else None
    if table is None or table.kind != "split_clients" or len(table.entries) != len(values):
        return None
    parts = [hundredths([entry]) for _, entry in table.entries]
    return [
        (max(10_000 - sum(parts), 0) if entry.name == "*" else part) / 10_000
        for part, (_, entry) in zip(parts, table.entries, strict=True)
    ]


_FAMILY_SCHEMES = {"grpc_pass": "grpc", "memcached_pass": "memcached"}


def location_match(args: list[str]) -> Match:
    """Return what a location's arguments match; `()` for a named one, which only nginx itself can reach."""
    if not args:
        return ()
    strength, path = (args[0], args[1]) if len(args) > 1 else _joined(args[0])
    if path.startswith("@"):
        return ()
    if is_opaque(path) and strength not in {"~", "~*"}:
        return ((Condition("opaque", "exact", [path]),),)
    op, ignore_case = _STRENGTHS.get(strength, ("prefix", False))
    return ((Condition("path", op, [path], ignore_case=ignore_case, strength=strength),),)


def _nested_match(scope: Scope) -> Match:
    """Return what a location matches: of one inside another, what both match, for the outer one is chosen first."""
    directive, outer = scope.directive, scope.enclosing("location")
    inner = location_match(directive.args if directive is not None else [])
    if outer is None:
        return inner
    return tuple((*around, *one) for around in _nested_match(outer) for one in inner)


def _joined(text: str) -> tuple[str, str]:
    """Split `=/path` and `~regex` written without a blank, as ngx_http_core_location does."""
    strength = next((mark for mark in ("^~", "~*", "=", "~") if text.startswith(mark)), "")
    return strength, text.removeprefix(strength)


def _answer(scope: Scope, directive: Directive, match: Match, label: str) -> Route:
    """Return the route of a location that answers by itself, or of which Lua decides."""
    outcome = "unknown" if any(scope.find(name) for name in _LUA_ANSWERS) else "answer"
    return Route(label, directive.span, match, outcome=outcome)


def _frontend_options(scope: Scope) -> dict[str, Setting[Any]]:
    default = next((item for item in scope.all("listen") if _is_default(item)), None)
    return {} if default is None else {"default_server": Setting(True, default.span)}


def _is_default(item: Directive) -> bool:
    return "default_server" in item.args or "default" in item.args


def _listener(item: Directive) -> Listener:
    where, port_end = listen_address(item.args[0])
    flags = [arg.partition("=") for arg in item.args[1:]]
    return Listener(
        where,
        item.span,
        transport="udp" if any(name in {"udp", "quic"} for name, _, _ in flags) else "tcp",
        tls=any(name in {"ssl", "quic"} for name, _, _ in flags),
        port_end=port_end,
        options={name: Setting(value or True) for name, _, value in flags},
    )
