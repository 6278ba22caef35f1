"""nginx's balancing methods: `random two` among unequal weights, and methods that undo each other."""

from __future__ import annotations

from functools import reduce
from math import gcd
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.edits import behind, drop, unsafe
from lbcheck.dialects.nginx.passes import upstreams
from lbcheck.findings import ERROR, WARNING, Edit, Hit, Related
from lbcheck.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.context import Context
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Fix
    from lbcheck.model import Config, Server
    from lbcheck.text import Span

#: How many values a first try's hash has: `% 6271` in ngx_http_upstream_ip_hash_module.c, and the upper 15 bits
#: of a CRC-32 in ngx_http_upstream_hash_module.c. Both are then taken modulo the sum of the weights.
_HASH_RANGE = {"ip_hash": 6271, "hash": 32768}
#: The directives that choose a pool's method; of two, the later counts.
_METHODS = frozenset({"ip_hash", "hash", "least_conn", "least_time", "random", "fair"})
#: From this version on `keepalive` no longer wraps the method that stands before it (nginx CHANGES, 1.29.7).
_KEEPALIVE_ANYWHERE = (1, 29, 7)


def hash_weight_overflow(config: Config, context: Context) -> Iterator[Hit]:
    """D07: the weights sum to more than the hash has values, so the last servers are never a first choice."""
    del context
    for pool in config.pools:
        values = _HASH_RANGE.get(pool.algorithm.name)
        members = [server for server in pool.primaries if server.weight.value > 0]
        total = sum(server.weight.value for server in members)
        if values is None or total <= values or pool.open:
            continue
        starved, below = [], 0
        for server in members:
            if below >= values and server.enabled:
                starved.append(server)
            below += server.weight.value
        args = {
            "method": pool.algorithm.name,
            "pool": pool.name,
            "total": f"{total:,}",
            "values": f"{values:,}",
            "effect": _starved(starved, members),
        }
        where = pool.algorithm.span or pool.span
        yield Hit("D07", where, args, fix=_smaller_weights(members, values), pool=pool.name)


def _starved(starved: Sequence[Server], members: Sequence[Server]) -> str:
    if not starved:
        return f"{members[-1].name} gets less than its weight says"
    last = f"{starved[0].name}" if len(starved) == 1 else f"{starved[0].name} and {len(starved) - 1} more"
    return f"{last} never gets a first choice"


def _smaller_weights(members: Sequence[Server], values: int) -> Fix | None:
    """Divide all weights by their common divisor, where that brings the sum into the hash's range."""
    divisor = reduce(gcd, (server.weight.value for server in members))
    if divisor < 2 or sum(server.weight.value for server in members) // divisor > values:
        return None
    edits = []
    for server in members:
        span, weight = server.weight.span, server.weight.value
        if span is None or span.text.removeprefix("weight=") != str(weight):
            return None
        edits.append(Edit(span, span.text.replace(str(weight), str(weight // divisor))))
    return unsafe(f"divide all weights by {divisor}", *edits)


def random_two_inverts(config: Config, context: Context) -> Iterator[Hit]:
    """D21: `random two` among unequal weights gives the heavy servers less than the light ones on an idle pool."""
    del context
    for pool in config.pools:
        algorithm = pool.algorithm
        members = pool.serving
        if algorithm.name != "random_two" or pool.open or len(members) < 2 or _by_time(algorithm.span):
            continue
        weights = [server.weight.value for server in members]
        if min(weights) == max(weights):
            continue
        heavy = weights.index(max(weights))
        args = {
            "pool": pool.name,
            "server": members[heavy].name,
            "weight": weights[heavy],
            "share": percent(_idle_shares(weights)[heavy]),
            "meant": percent(weights[heavy] / sum(weights)),
        }
        edit = _drop_two(algorithm.span)
        fix = unsafe("draw once, by weight", edit) if edit is not None else None
        yield Hit("D21", algorithm.span or pool.span, args, fix=fix, pool=pool.name, server=members[heavy].name)


def _by_time(span: Span | None) -> bool:
    """Say whether the two that were drawn are compared by their response times."""
    return span is not None and "least_time" in span.text


def _drop_two(span: Span | None) -> Edit | None:
    """Make `random two [least_conn]` a `random`."""
    return Edit(span, "random") if span is not None and span.text.split()[:2] == ["random", "two"] else None


def _idle_shares(weights: Sequence[int]) -> list[float]:
    """Return the shares of `random two` while no connection is open.

    Two servers are drawn by weight, the second unlike the first, and the second wins the tie
    (`ngx_http_upstream_get_random2_peer`): a server's share is the chance to be drawn second.
    """
    total = sum(weights)
    odds = [weight / (total - weight) for weight in weights]
    every = sum(odds)
    return [weight / total * (every - own) for weight, own in zip(weights, odds, strict=True)]


def method_redefined(config: Config, context: Context) -> Iterator[Hit]:
    """D17: two balancing methods in one upstream, or one behind `keepalive`, which it switches off."""
    later = context.before("nginx", _KEEPALIVE_ANYWHERE) is False
    for (_, name), scope in context.once(config, upstreams).items():
        method: Directive | None = None
        keepalive: Directive | None = None
        for directive in scope.directives:
            if directive.name == "keepalive":
                keepalive = directive
            elif directive.name in _METHODS:
                if keepalive is not None and not later:
                    yield _keepalive_lost(name, keepalive, directive)
                elif method is not None:
                    yield _second_method(name, method, directive)
                method = directive


def _keepalive_lost(pool: str, keepalive: Directive, method: Directive) -> Hit:
    args = {
        "problem": f"`{method.name}` stands behind `keepalive` in pool {pool}: before nginx 1.29.7 it switches the "
        "keep-alive off, and each request opens a connection",
        "advice": "write `keepalive` behind the method",
    }
    related = [Related(keepalive.span, "this keepalive does nothing")]
    move = (drop(keepalive), behind(method, f"{keepalive.span.text};"))
    fix = unsafe("move keepalive behind the method", *move) if keepalive.source is method.source else None
    return Hit("D17", method.span, args, severity=ERROR, related=related, fix=fix, pool=pool)


def _second_method(pool: str, first: Directive, second: Directive) -> Hit:
    args = {
        "problem": f"pool {pool} chooses its method twice: `{second.span.text}` counts, `{first.span.text}` is dropped",
        "advice": "keep the one that is meant",
    }
    related = [Related(first.span, "this one is dropped")]
    fix = unsafe("delete the method that is dropped", drop(first))
    return Hit("D17", second.span, args, severity=WARNING, related=related, fix=fix, pool=pool)
