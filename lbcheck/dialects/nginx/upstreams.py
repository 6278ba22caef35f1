"""`upstream` blocks → pools (src/http/ngx_http_upstream.c, ngx_http_upstream_server; the stream module alike)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.nginx.contexts import MASKS
from lbcheck.dialects.nginx.known import apart, foreign
from lbcheck.dialects.nginx.templates import OPAQUE
from lbcheck.dialects.nginx.values import address, bare, is_opaque, seconds, whole
from lbcheck.findings import NotChecked
from lbcheck.model import (
    BACKUP,
    PRIMARY,
    Algorithm,
    Duration,
    Persistence,
    Pool,
    Requirement,
    Server,
    Setting,
)
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.model import Config

#: Defaults of `server` (docs, ngx_http_upstream_module#server); shared, for most servers write none of them.
WEIGHT = Setting(1)
MAX_CONNS = Setting(0)
MAX_FAILS = Setting(1)
FAIL_TIMEOUT = Setting(10.0)

#: What a `server` may have behind its address.
PARAMETERS = frozenset(
    {"weight", "max_conns", "max_fails", "fail_timeout", "backup", "down", "slow_start", "resolve", "service", "route",
     "drain"}
)  # fmt: skip

#: Balancing directives of nginx itself.
METHODS = frozenset({"least_conn", "ip_hash", "hash", "random", "least_time"})
#: Balancers of third-party modules: which server they choose is not known here.
FOREIGN_METHODS = frozenset(
    {"fair", "balancer_by_lua_block", "balancer_by_lua_file", "balancer_by_lua", "consistent_hash", "jvm_route",
     "upstream_jdomain", "jdomain", "ewma", "chash", "dynamic_resolve", "vnswrr", "session_sticky"}
)  # fmt: skip

#: Flags and keys of `server` → first version that has them in the open-source edition, edition that had them before.
SERVER_REQUIREMENTS: dict[str, tuple[tuple[int, ...], str]] = {
    "resolve": ((1, 27, 3), "NGINX Plus"),
    "service": ((1, 27, 3), "NGINX Plus"),
    "route": ((1, 29, 6), "NGINX Plus"),
    "drain": ((1, 29, 6), "NGINX Plus"),
    "slow_start": ((), "NGINX Plus"),
}
#: The same for directives inside `upstream`.
UPSTREAM_REQUIREMENTS: dict[str, tuple[tuple[int, ...], str]] = {
    "sticky": ((1, 29, 6), "NGINX Plus"),
    "least_time": ((1, 31, 0), "NGINX Plus"),
    "state": ((), "NGINX Plus"),
    "queue": ((), "NGINX Plus"),
    "ntlm": ((), "NGINX Plus"),
    "resolver": ((1, 27, 3), "NGINX Plus"),
}


def pool(scope: Scope, kind: str, config: Config, deciders: list[tuple[int, str]]) -> Pool:
    """Return the pool of an `upstream` block. `kind` is "http" or "stream"; `deciders` say where a template decides."""
    directive = scope.directive
    assert directive is not None  # noqa: S101 - an upstream scope has one
    default_port = 80 if kind == "http" else None
    servers = [_server(item, default_port, config) for item in scope.all("server") if item.children is None]
    name = directive.args[0] if directive.args else ""
    unknown = list(_not_understood(scope))
    config.unmodelled.extend(NotChecked(span, f"{what} is not known") for what, span in unknown)
    return Pool(
        _shown(name, directive),
        directive.arg_span(0) if directive.args else directive.span,
        servers,
        _algorithm(scope),
        scope=kind,
        protocol="http" if kind == "http" else "tcp",
        open=_open(scope, directive, deciders),
        persistence=_persistence(scope),
        state=_zone(scope),
        unsure=f"{unknown[0][0]} in line {unknown[0][1].line}" if unknown else None,
        options=_options(scope, config),
    )


def _not_understood(scope: Scope) -> Iterator[tuple[str, Span]]:
    """Yield the directives and parameters of servers that nginx does not have: other people's modules know more."""
    for directive in scope.directives:
        name = directive.name
        if name == "server":
            for index, arg in enumerate(directive.args[1:], 1):
                key = arg.partition("=")[0]
                if key not in PARAMETERS and OPAQUE not in arg and not is_opaque(arg):
                    yield f"`{key}`", directive.arg_span(index)
        elif not (name in MASKS or name in FOREIGN_METHODS or apart(name) or foreign(name) or OPAQUE in name):
            yield f"`{name}`", directive.name_span


def _shown(value: str, directive: Directive) -> str:
    """Return a first argument as people may read it: as it is written where a template fills it in."""
    return directive.arg_span(0).text.strip("\"'") if OPAQUE in value else value


def _server(directive: Directive, default_port: int | None, config: Config) -> Server:
    args = directive.args
    text = args[0] if args else ""
    options: dict[str, Setting[Any]] = {}
    if len(args) > 1:
        source = directive.source
        whole_text = source.text
        at = max(whole_text.find(text, directive.start + 6, directive.end), directive.start + 6) + len(text)
        for index, arg in enumerate(args[1:], 1):
            start = whole_text.find(arg, at, directive.end)
            span = Span(source, start, start + len(arg)) if start >= 0 else directive.arg_span(index)
            at = span.end
            key, equals, value = arg.partition("=")
            options[key] = Setting(value if equals else True, span)
    role = BACKUP if options.pop("backup", None) else PRIMARY
    fail_timeout = _duration(options, "fail_timeout", config) or FAIL_TIMEOUT
    limit = options.get("max_conns")
    max_conns = _number(options, "max_conns")
    if limit is not None and max_conns is None:
        options["opaque limit"] = limit
    slow_start = options.get("slow_start")
    max_fails = _number(options, "max_fails") or MAX_FAILS
    for key, setting in options.items():
        if key in SERVER_REQUIREMENTS and setting.span is not None:
            config.requirements.append(
                Requirement("nginx", key, SERVER_REQUIREMENTS[key][0], setting.span, "NGINX Plus")
            )
    return Server(
        _shown(text, directive),
        address(text, default_port),
        directive.span,
        _number(options, "weight") or WEIGHT,
        role,
        disabled=options.pop("down", None) or options.pop("drain", None),
        passive=max_fails.value > 0,
        max_conns=max_conns or MAX_CONNS,
        max_fails=max_fails,
        fail_timeout=fail_timeout,
        slow_start=None if slow_start is None else _duration({"slow_start": slow_start}, "slow_start", config),
        resolve=options.pop("resolve", None),
        options=options,
    )


def _number(options: dict[str, Setting[Any]], key: str) -> Setting[int] | None:
    setting = options.pop(key, None)
    if setting is None:
        return None
    number = whole(setting.value) if isinstance(setting.value, str) else None
    return None if number is None else Setting(number, setting.span)


def _duration(options: dict[str, Setting[Any]], key: str, config: Config) -> Setting[float] | None:
    setting = options.pop(key, None)
    if setting is None or not isinstance(setting.value, str):
        return None
    value = seconds(setting.value)
    if value is None:
        return None
    if bare(setting.value) and setting.span is not None:
        config.durations.append(Duration(key, setting.value, "", "s", value, setting.span))
    return Setting(value, setting.span)


def _algorithm(scope: Scope) -> Algorithm:
    """Return the method that counts: the last one written ("load balancing method redefined" is only a warning)."""
    found: Directive | None = None
    for directive in scope.directives:
        if directive.name in METHODS or directive.name in FOREIGN_METHODS:
            found = directive
    if found is None:
        return Algorithm("round_robin")
    args = found.args
    if found.name == "hash":
        consistent = len(args) > 1 and args[1] == "consistent"
        key = Setting(args[0], found.arg_span(0)) if args else None
        return Algorithm("hash_consistent" if consistent else "hash", found.span, key=key, consistent=consistent)
    if found.name == "random":
        return Algorithm("random_two" if args[:1] == ["two"] else "random", found.span)
    return Algorithm(found.name, found.span)


def _open(scope: Scope, directive: Directive, deciders: list[tuple[int, str]]) -> str | None:
    """Say why the members are not all known, or None."""
    what = next((what for at, what in deciders if directive.start <= at <= directive.close), None)
    for item in scope.directives if what is None else ():
        if OPAQUE in item.name:
            what = "a template"
        elif item.name == "state":
            what = "a state file"
        elif item.name in {"dyups_interface", "consul", "upsync", "upsync_dump_path", "nchan_redis_server"}:
            what = f"`{item.name}`"
        elif item.name in FOREIGN_METHODS:
            return f"`{item.name}` decides where requests go"
        elif item.name == "server" and (unknown := _unknown_part(item)) is not None:
            return f"a server's {unknown} is filled in elsewhere"
    if what is not None:
        return f"{what} decides its members"
    return "one of its includes was not found" if _include_gap(scope, directive) else None


def _unknown_part(server: Directive) -> str | None:
    if server.args and is_opaque(server.args[0]):
        return "address"
    return "weight" if any(arg.startswith("weight=") and is_opaque(arg) for arg in server.args[1:]) else None


def _include_gap(scope: Scope, directive: Directive) -> bool:
    includes = sum(child.name == "include" for child in directive.children or ())
    return bool(includes) and not any(len(via) > len(scope.via) for via in scope.vias or ())


def _persistence(scope: Scope) -> Persistence | None:
    sticky = scope.find("sticky")
    if sticky is None:
        return None
    mode = sticky.args[0] if sticky.args else "cookie"
    name = sticky.args[1] if len(sticky.args) > 1 else None
    return Persistence("route" if mode == "route" else "cookie", sticky.span, name, mode)


def _zone(scope: Scope) -> Setting[str] | None:
    zone = scope.find("zone")
    return Setting(zone.args[0] if zone.args else "", zone.span) if zone else None


def _options(scope: Scope, config: Config) -> dict[str, Setting[Any]]:
    options: dict[str, Setting[Any]] = {}
    for directive in scope.directives:
        name = directive.name
        if name in UPSTREAM_REQUIREMENTS:
            since, edition = UPSTREAM_REQUIREMENTS[name]
            config.requirements.append(Requirement("nginx", name, since, directive.name_span, edition))
        if name != "server":
            options[name] = Setting(" ".join(directive.args), directive.span)
    return options


def implicit(text: str, span: Span, kind: str, default_port: int | None) -> Pool:
    """Return the pool that nginx makes of an address in a *_pass: one server (a name may have several addresses)."""
    where = address(text, default_port)
    server = Server(
        text, where, span, WEIGHT,
        passive=True, max_conns=MAX_CONNS, max_fails=MAX_FAILS, fail_timeout=FAIL_TIMEOUT,
    )  # fmt: skip
    protocol = "http" if kind == "http" else "tcp"
    open_ = "its address is filled in elsewhere" if where.kind == "opaque" else None
    return Pool(
        text, span, [server], Algorithm("round_robin"), scope=kind, protocol=protocol, implicit=True, open=open_
    )
