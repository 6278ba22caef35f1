"""Frontends and routes of the native format, as the model sees them."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from lbcheck.dialects.native import fields as f
from lbcheck.dialects.native import values
from lbcheck.dialects.native.pools import POOL_TIMEOUTS, retry
from lbcheck.dialects.yaml_nodes import MappingNode, SequenceNode
from lbcheck.findings import Hit
from lbcheck.model import EVERY_REQUEST, Condition, Frontend, Listener, Route, Setting, WeightedTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lbcheck.dialects.native.fields import Fields
    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.model import Config, Match, Pool
    from lbcheck.text import Span

    Plain = Callable[[str], tuple[str, str] | None]

_CLIENT_TIMEOUTS = {"client": "client", "request": "http-request", "keepalive": "http-keep-alive"}
_ALL_TIMEOUTS = {**_CLIENT_TIMEOUTS, **POOL_TIMEOUTS}
_OPERATORS = ("exact", "prefix", "suffix", "contains", "regex")
#: Alternatives of one route beyond which it is not taken apart.
_MAX_ALTERNATIVES = 64

Conditions = list[Condition]


def frontend(node: MappingNode, fields: Fields, config: Config, pools: Mapping[str, Pool]) -> Frontend | None:
    """Return the frontend of a mapping; None where it has no name."""
    name = f.text(fields, "name")
    if name is None:
        return None
    protocol = f.text(fields, "protocol")
    kind = "http" if protocol is None else protocol.value
    routes = [_route(item, config, pools) for item in f.items(fields, "routes") if isinstance(item, MappingNode)]
    default = f.text(fields, "default_pool")
    if default is not None and default.span is not None:
        target = WeightedTarget(default.value, default.span, pools.get(default.value), share=1.0)
        routes.append(Route("default", default.span, EVERY_REQUEST, [target]))
    return Frontend(
        name.value,
        name.span or node.span,
        _listeners(fields, config, "udp" if kind == "udp" else "tcp"),
        routes,
        protocol=kind,
        hosts=f.texts(fields.get("hosts")),
        timeouts=f.timeouts(fields, _ALL_TIMEOUTS, config.durations),
        max_conns=f.integer(fields, "max_connections"),
    )


def _listeners(fields: Fields, config: Config, transport: str) -> list[Listener]:
    pair = fields.get("listen")
    if pair is None:
        return []
    found = []
    for node in pair[1].items if isinstance(pair[1], SequenceNode) else [pair[1]]:
        inside = f.of(node)
        written = f.text(inside, "address") if inside else f.text({"listen": (pair[0], node)}, "listen")
        if written is None:
            continue
        address = values.address(written.value, listener=True)
        if address is None:
            problem = f"{written.value[:60]} is no address to listen on"
            args = {"problem": problem, "advice": "write host:port, :port, [address]:port or unix:/path"}
            config.hits.append(Hit("E09", written.span or node.span, args))
            continue
        own = f.text(inside, "transport")
        tls = f.boolean(inside, "tls")
        found.append(
            Listener(
                address,
                written.span or node.span,
                transport=transport if own is None else own.value,
                tls=tls is not None and tls.value,
            )
        )
    return found


def _route(node: MappingNode, config: Config, pools: Mapping[str, Pool]) -> Route:
    fields = node.fields()
    match, label = _match(fields)
    name = f.text(fields, "name")
    return Route(
        name.value if name is not None else label,
        name.span if name is not None and name.span is not None else _first_line(node),
        match,
        _targets(fields, pools),
        "answer" if "answer" in fields else "pools",
        retry=retry(fields),
        timeouts=f.timeouts(fields, _ALL_TIMEOUTS, config.durations),
    )


def _first_line(node: Node) -> Span:
    end = node.source.text.find("\n", node.start, node.end)
    return node.source.span(node.start, node.end if end < 0 else end)


def _targets(fields: Fields, pools: Mapping[str, Pool]) -> list[WeightedTarget]:
    single = f.text(fields, "pool")
    if single is not None and single.span is not None:
        return [WeightedTarget(single.value, single.span, pools.get(single.value), share=1.0)]
    found = []
    for item in f.items(fields, "targets"):
        inside = f.of(item)
        name = f.text(inside, "pool")
        if name is not None and name.span is not None:
            weight = f.integer(inside, "weight") or Setting(1)
            found.append(WeightedTarget(name.value, name.span, pools.get(name.value), weight))
    total = sum(target.weight.value for target in found if target.weight is not None)
    for target in found:
        target.share = target.weight.value / total if total and target.weight is not None else None
    return found


def _match(fields: Fields) -> tuple[Match, str]:
    """Return which requests a route takes, and how people see it: its host and path."""
    choices = [
        _patterns("host", fields, _host, ignore_case=True),
        _patterns("path", fields, _path),
        _patterns("sni", fields, _host, ignore_case=True),
        _list("method", [one.upper() for one in f.texts(fields.get("method"))]),
        _list("source", f.texts(fields.get("source"))),
        *_named("header", fields),
        *_named("query", fields),
    ]
    label = _first_text(fields, "host") + _first_text(fields, "path") or "every request"
    needed = [choice for choice in choices if choice]
    count = 1
    for choice in needed:
        count *= len(choice)
    if count > _MAX_ALTERNATIVES:
        return ((Condition("opaque", "exact", [str(sorted(fields))]),),), label
    return tuple(product(*needed)), label


def _first_text(fields: Fields, name: str) -> str:
    pair = fields.get(name)
    pairs = [pair, *(f.of(pair[1]).values() if pair is not None else ())]
    return next((text for one in pairs for text in f.texts(one)), "")


def _list(field: str, wanted: list[str]) -> Conditions:
    return [Condition(field, "exact", wanted)] if wanted else []


def _path(text: str) -> tuple[str, str] | None:
    """Return (operator, value) of a plain path; None where it takes every request."""
    return None if text == "/" else ("path_prefix", text)


def _host(text: str) -> tuple[str, str] | None:
    return ("suffix", text[1:]) if text.startswith("*.") else None if text == "*" else ("exact", text)


def _patterns(field: str, fields: Fields, plain: Plain, *, ignore_case: bool = False) -> Conditions:
    """Return the alternatives of one field, one for each operator; none where every request passes."""
    pair = fields.get(field)
    inside = f.of(pair[1]) if pair is not None else {}
    grouped: dict[str, list[str]] = {op: f.texts(inside.get(op)) for op in _OPERATORS if op in inside}
    for text in [] if inside else f.texts(pair):
        known = plain(text)
        if known is None:
            return []
        grouped.setdefault(known[0], []).append(known[1])
    return [Condition(field, op, wanted, ignore_case=ignore_case) for op, wanted in grouped.items() if wanted]


def _named(field: str, fields: Fields) -> list[Conditions]:
    """Return a condition for each header or parameter that is named."""
    found = []
    for name, pair in f.of(fields[field][1] if field in fields else None).items():
        key = f"{field}:{name.lower() if field == 'header' else name}"
        exists = f.boolean({name: pair}, name)
        wanted = f.texts(pair)
        if exists is not None:
            found.append([Condition(key, "exists", [], negated=not exists.value)])
        elif wanted:
            found.append([Condition(key, "exact", wanted)])
    return found
