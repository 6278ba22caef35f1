"""Routers as routes, at the entry points where they listen, in the order in which they win (pkg/server/router)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lbcheck.dialects.traefik import braces, middlewares
from lbcheck.dialects.traefik import fields as f
from lbcheck.dialects.traefik.defaultrules import unmasked
from lbcheck.dialects.traefik.entries import PROTOCOLS
from lbcheck.dialects.traefikrules import conditions, matchers
from lbcheck.dialects.traefikrules.expressions import Call, RuleError, calls
from lbcheck.dialects.traefikrules.places import place
from lbcheck.model import EVERY_REQUEST, Condition, Frontend, Listener, Retry, Route, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.dialects.traefik.entries import Entries, Entry
    from lbcheck.dialects.traefik.services import Services
    from lbcheck.dialects.traefik.static import EntryPoint, Static
    from lbcheck.dialects.traefikrules.expressions import Expression
    from lbcheck.dialects.yaml_nodes import ScalarNode
    from lbcheck.model import Match
    from lbcheck.text import Span

#: How an entry point is called that only routers without one of their own come to, where no static file was seen.
DEFAULT = "default entry points"
#: The entry point that Traefik makes, on port 80, where a static file has none (SetEffectiveConfiguration()).
IMPLIED = "http"
#: Before all routers of an entry point.
_FIRST = 2**63
_LAST = -_FIRST
#: A router of unknown priority comes before those that it may leave nothing.
_UNKNOWN = _FIRST - 1
#: What helps a router that waits for a name and has no TLS (pkg/server/router/tcp buildEntryPointHandler()).
_SNI = "add `tls: {}` (with `passthrough: true` where the server speaks it), or write HostSNI(`*`)"
#: What a frontend's name says besides its entry point, where it has more than one kind of routers.
_KINDS = {
    ("http", False): "",
    ("http", True): " (TLS)",
    ("tcp", False): " (TCP)",
    ("tcp", True): " (TCP, TLS)",
    ("udp", False): " (UDP)",
}


class Broken(NamedTuple):
    """A router that Traefik does not enable: where it is written, what is wrong, what to do, and what it routes."""

    entry: Entry
    span: Span
    problem: str
    advice: str
    protocol: str
    #: Version 2 takes the rule all the same.
    older: bool = False
    #: Traefik says so: it does not where a rule is right and matches nothing.
    logged: bool = True


class Router(NamedTuple):
    """A router that is read: its rule's match, its priority (None: not known), and whether it speaks TLS.

    One that is `asleep` is not there, for its service has no container: what no other router takes gets 404.
    """

    entry: Entry
    protocol: str
    match: Match
    priority: int | None
    tls: bool
    asleep: bool = False


def read(entries: Entries, static: Static) -> tuple[list[Router], list[Broken]]:
    """Return the routers with a rule that Traefik takes, and those that it does not enable for their rule.

    A rule that version 2 takes is among both.
    """
    found: list[Router] = []
    broken: list[Broken] = []
    for protocol in PROTOCOLS:
        for entry in entries.of(protocol, "routers").values():
            if f.written(entry.fields, "parentrefs") and protocol != "udp":
                continue  # another router has already taken its requests
            made = _router(entry, protocol, static.syntax)
            if isinstance(made, Broken):
                broken.append(made)
                made = _router(entry, protocol, "v2") if made.older else made
            if isinstance(made, Router):
                found.append(made)
    return found, broken


def asleep(entries: Entries, there: Entries, static: Static) -> list[Router]:
    """Return the routers of services that are scaled to 0, but for those whose name another container has too."""
    found, _ = read(entries, static)
    return [
        router._replace(priority=_LAST, asleep=True)
        for router in found
        if router.entry.name not in there.of(router.protocol, "routers")
    ]


def _router(entry: Entry, protocol: str, syntax: str) -> Router | Broken:
    """Return a router, or what breaks it."""
    fields = entry.fields
    tls = f.switched(fields, "tls")
    if protocol == "udp":
        return Router(entry, protocol, EVERY_REQUEST, 0, tls=False)
    node = f.scalar(fields, "rule")
    if node is not None and f.opaque(fields, "rule"):
        return _unknown(entry, protocol, node, tls=tls)
    if node is None:
        return Broken(entry, entry.key.span, "it has no rule", "write one such as rule: Host(`example.com`)", protocol)
    own = f.text(fields, "rulesyntax")
    syntax = syntax if own is None else own.value
    try:
        expression = matchers.read(node.text, protocol, syntax)
    except RuleError as error:
        older = own is None and syntax != "v2" and _taken(node.text, protocol)
        return Broken(
            entry, place(node, error.at), f"its rule is refused: {error.problem}", error.advice, protocol, older
        )
    broken = _unmet(entry, node, expression, protocol, newer=own is None and syntax != "v2")
    if broken is not None:
        return broken
    match = conditions.match(expression, node.text, syntax)
    everything = protocol == "tcp" and isinstance(expression, Call) and expression.arguments == ("*",)
    return Router(entry, protocol, match, _priority(entry, node.text, everything=everything), tls)


def _unknown(entry: Entry, protocol: str, node: ScalarNode, *, tls: bool) -> Router:
    """Return a router whose rule a template has yet to write: it takes some requests, nobody knows which."""
    rule = unmasked(node.text, node.span) or node.span.text
    written = f.integer(entry.fields, "priority")
    priority = written.value if written is not None and written.value else None
    return Router(entry, protocol, ((Condition("opaque", "exact", [rule]),),), priority, tls)


def _unmet(entry: Entry, node: ScalarNode, expression: Expression, protocol: str, *, newer: bool) -> Broken | None:
    """Return what keeps a rule that can be read from taking anything."""
    call = braces.never(expression) if newer else None
    if call is not None:
        return Broken(entry, place(node, call.start), braces.PROBLEM, braces.ADVICE, protocol, older=True, logged=False)
    names = [call for call in calls(expression) if call.name == "HostSNI"]
    tls = f.switched(entry.fields, "tls") or f.opaque(entry.fields, "tls")
    if protocol != "tcp" or tls or not names or names[0].arguments[0] == "*":
        return None
    problem = "its rule asks for a name, which only TLS tells, and it has no tls"
    return Broken(entry, place(node, names[0].start), problem, _SNI, protocol)


def _taken(rule: str, protocol: str) -> bool:
    """Say whether version 2 takes a rule."""
    try:
        matchers.read(rule, protocol, "v2")
    except RuleError:
        return False
    return True


def _priority(entry: Entry, rule: str, *, everything: bool) -> int:
    """Return the priority: as written, else the rule's length in bytes; HostSNI(`*`) comes last (GetRulePriority())."""
    written = f.integer(entry.fields, "priority")
    if written is not None and written.value:
        return written.value
    return -1 if everything else len(rule.encode("utf-8", "surrogatepass"))


def frontends(
    routers: Sequence[Router], entries: Entries, static: Static, services: dict[str, Services]
) -> list[Frontend]:
    """Return a frontend for each entry point and kind of routers that come to it, its routes in order of priority."""
    routes: dict[str, dict[tuple[str, bool], list[tuple[int, Route]]]] = {}
    for name in static.entry_points:
        routes[name] = {}
    redirected = {name: one.redirect for name, one in static.entry_points.items() if one.redirect is not None}
    for router in routers:
        for name in _entry_points(router, static):
            entry_point = static.entry_points.get(name)
            tls = router.tls or (entry_point is not None and entry_point.tls and router.protocol == "http")
            if name in redirected and not tls and router.protocol == "http":
                continue
            route = _route(router, entries, services[router.protocol], entry_point, tls=tls)
            routes.setdefault(name, {}).setdefault((router.protocol, tls), []).append(
                (_UNKNOWN if router.priority is None else router.priority, route)
            )
    for name, span in redirected.items():
        route = Route("redirection", span, EVERY_REQUEST, (), "answer")
        routes[name].setdefault(("http", False), []).insert(0, (_FIRST, route))
    return [frontend for name, kinds in routes.items() for frontend in _of_entry_point(name, kinds, static)]


def _entry_points(router: Router, static: Static) -> Iterator[str]:
    """Yield the names of the entry points that a router comes to, those that exist where that is known."""
    named = [node.text for node in f.texts(router.entry.fields, "entrypoints")]
    udp = router.protocol == "udp"
    if named:
        yield from (name for name in dict.fromkeys(named) if not static.known or name in static.entry_points)
    elif not static.known:
        yield DEFAULT
    elif not static.entry_points:
        if not udp:
            yield IMPLIED
    else:
        yield from (name for name, one in static.entry_points.items() if (one.udp if udp else one.default))


def _of_entry_point(
    name: str, kinds: dict[tuple[str, bool], list[tuple[int, Route]]], static: Static
) -> Iterator[Frontend]:
    entry_point = static.entry_points.get(name)
    if not kinds:
        kinds = {("udp" if entry_point is not None and entry_point.udp else "http", False): []}
    for (protocol, tls), routes in sorted(kinds.items(), key=lambda item: list(_KINDS).index(item[0])):
        if protocol == "udp":  # the last by name gets all packets (pkg/server/router/udp buildEntryPointHandlers())
            routes.sort(key=lambda one: one[1].label, reverse=True)
        else:
            routes.sort(key=lambda one: (-one[0], one[1].label))
        ordered = [route for _, route in routes]
        yield Frontend(
            name + (_KINDS[protocol, tls] if len(kinds) > 1 else ""),
            entry_point.span if entry_point is not None else ordered[0].span,
            listeners := _listeners(entry_point, tls=tls),
            ordered,
            protocol=protocol,
            scope=protocol,
            timeouts=entry_point.timeouts if entry_point is not None and protocol == "http" else None,
            options=_options(name, tls=tls, listened=bool(listeners)),
        )


def _options(name: str, *, tls: bool, listened: bool) -> dict[str, Setting[Any]]:
    """Return a frontend's options. Where no static file says on which address, only they tell who gets in.

    A router with `tls` takes requests over TLS alone, one without takes plain ones alone, on one port
    (pkg/server/router BuildHandlers(), by TLS).
    """
    options: dict[str, Setting[Any]] = {
        "entry point": Setting(name),
        "named": Setting(name != DEFAULT),
        "tls": Setting(tls),
    }
    if tls and not listened:
        options["entrance"] = Setting("TLS")
    return options


def _listeners(entry_point: EntryPoint | None, *, tls: bool) -> list[Listener]:
    listener = None if entry_point is None else entry_point.listener
    if listener is None:
        return []
    if not tls:
        return [listener]
    made = Listener(listener.address, listener.span, transport=listener.transport, tls=True, options=listener.options)
    return [made]


def _route(router: Router, entries: Entries, services: Services, entry_point: EntryPoint | None, *, tls: bool) -> Route:
    entry = router.entry
    node = f.scalar(entry.fields, "service")
    if router.asleep:
        return Route(f"{entry.name} (scaled to 0: 404)", entry.key.span, router.match, ())
    options: dict[str, Setting[Any]] = {}
    if router.protocol != "udp" and router.priority is not None:
        options["priority"] = Setting(router.priority)
    names = middlewares.named(entry, router.protocol, entry_point)
    on_the_way = list(middlewares.used(names, entries, router.protocol))
    effect = middlewares.effect(on_the_way, tls=tls)
    services.note(*effect.notes, *middlewares.foreign(names, entries))
    if effect.filters:
        options["filters"] = Setting(effect.filters)
    if node is None:
        return Route(entry.name, entry.key.span, router.match, (), "unknown", expression=entry.name)
    if f.opaque(entry.fields, "service"):
        return Route(entry.name, entry.key.span, router.match, (), "unknown", expression=node.text)
    found = services.at(node.text, node.span)
    outcome = found.outcome
    if effect.answers:
        outcome = "answer"
    return Route(
        entry.name,
        entry.key.span,
        router.match,
        found.targets if outcome != "answer" else (),
        outcome,
        expression=node.text if outcome == "unknown" else None,
        retry=_retry(on_the_way),
        options=options,
    )


def _retry(found: Sequence[Entry]) -> Retry | None:
    """Return what a retry middleware does: the request goes to the balancer again (pkg/middlewares/retry)."""
    for one in found:
        if f.written(one.fields, "retry"):
            inside = f.inside(one.fields, "retry")
            attempts = f.integer(inside, "attempts")
            if attempts is None:
                return None
            status = [node.text for node in f.texts(inside, "status")]
            off = f.boolean(inside, "disableretryonnetworkerror")
            network = [] if off is not None and off.value else ["network"]
            span = f.place(one.fields["retry"])
            return Retry(
                Setting(max(attempts.value - 1, 0), attempts.span),
                Setting(True),
                Setting(frozenset([*network, *status]), span),
            )
    return None
