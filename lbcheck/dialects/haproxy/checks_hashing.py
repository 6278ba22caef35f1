"""Hash types that spread badly, and features that a static algorithm ignores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import INFO, Edit, Fix, Hit
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool

_HASHES = frozenset({"source", "uri", "url_param", "hdr", "hash", "rdp-cookie"})
#: Algorithms that `hash-type` says nothing about (random draws on the consistent ring by itself).
_UNHASHED = frozenset({"roundrobin", "static-rr", "leastconn", "first"})


def no_avalanche(config: Config, context: Context) -> Iterator[Hit]:
    """D09: an explicit function switches the avalanche off that a consistent hash needs (src/backend.c, gen_hash)."""
    del context
    for pool, words, span in _hash_types(config):
        algorithm = pool.algorithm
        if algorithm.name not in _HASHES or words[:1] != ["consistent"] or len(words) < 2 or "avalanche" in words:
            continue
        if len(pool.serving) < 2 and not pool.open:
            continue
        crc = words[1] == "crc32" and algorithm.name != "source"
        args = {"pool": pool.name, "function": words[1], "method": algorithm.name}
        fix = Fix("add avalanche", [Edit(Span(span.source, span.end, span.end), " avalanche")])
        yield Hit("D09", span, args, severity=INFO if crc else None, pool=pool.name, fix=fix)


def _hash_types(config: Config) -> Iterator[tuple[Pool, list[str], Span]]:
    """Yield each pool's effective `hash-type` with its words; the pools come in the order of their sections."""
    pools = iter(config.pools)
    for proxy in config.tree.proxies:
        if proxy.is_backend:
            pool = next(pools)
            line = proxy.effective("hash-type")
            if line is not None:
                yield pool, line.words[1:], line.span


def static_feature(config: Config, context: Context) -> Iterator[Hit]:
    """D18: what only a dynamic algorithm can do, beside a static one."""
    del context
    own: dict[int, tuple[list[str], Span]] = {id(pool): (words, span) for pool, words, span in _hash_types(config)}
    for pool in config.pools:
        name = pool.algorithm.name
        words, span = own.get(id(pool), ([], None))
        mapped = name in _HASHES and not pool.algorithm.consistent
        if name == "static-rr" or mapped:
            yield from _ignored(pool, "`balance static-rr`" if name == "static-rr" else "a map-based hash")
        elif words and span is not None and name in _UNHASHED and len(pool.servers) > 1 and _is_own(pool, span):
            args = {"what": f"`hash-type {words[0]}`", "pool": pool.name, "why": f"`balance {name}` hashes nothing"}
            yield Hit("D18", span, args, pool=pool.name)


def _is_own(pool: Pool, span: Span) -> bool:
    """Say whether the line stands in the pool's own section: one in defaults is meant for others."""
    return span.source is pool.span.source and span.start > pool.span.start


def _ignored(pool: Pool, algorithm: str) -> Iterator[Hit]:
    factor = pool.algorithm.balance_factor
    if factor is not None and factor.span is not None and pool.algorithm.name != "static-rr":
        args = {"what": "`hash-balance-factor`", "pool": pool.name, "why": f"{algorithm} knows no bounded load"}
        yield Hit("D18", factor.span, args, pool=pool.name)
    server = next((server for server in pool.servers if server.slow_start is not None and server.slow_start.span), None)
    if server is not None and server.slow_start is not None and server.slow_start.span is not None:
        why = f"{algorithm} cannot change weights at run time: a server that comes back gets its full load at once"
        args = {"what": "`slowstart`", "pool": pool.name, "why": why}
        yield Hit("D18", server.slow_start.span, args, pool=pool.name, server=server.name)
