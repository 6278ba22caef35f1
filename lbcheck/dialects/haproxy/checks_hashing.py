"""Hash types that spread badly, and features that a static algorithm ignores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import INFO, Edit, Fix, Hit
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Pool, Setting

_HASHES = frozenset({"source", "uri", "url_param", "hdr", "hash", "rdp-cookie"})
#: Algorithms that `hash-type` says nothing about (random draws on the consistent ring by itself).
_UNHASHED = frozenset({"roundrobin", "static-rr", "leastconn", "first"})


def no_avalanche(config: Config, _context: Context) -> Iterator[Hit]:
    """D09: a named function switches the avalanche off that a consistent hash needs (src/backend.c, gen_hash).

    One finding for each `hash-type` line, however many backends inherit it.
    """
    told = set()
    for pool in config.pools:
        algorithm = pool.algorithm
        kind = algorithm.options.get("hash-type")
        if kind is None or kind.span is None or not algorithm.consistent or algorithm.name not in _HASHES:
            continue
        function = kind.value.split()[1:2]
        if not function or algorithm.avalanche or kind.span in told or _alone(pool):
            continue
        told.add(kind.span)
        crc = function == ["crc32"] and algorithm.name != "source"
        args = {"pool": pool.name, "function": function[0], "reason": _reason(algorithm.name, function[0], crc=crc)}
        fix = Fix("add avalanche", [Edit(Span(kind.span.source, kind.span.end, kind.span.end), " avalanche")])
        yield Hit("D09", kind.span, args, severity=INFO if crc else None, fix=fix, pool=pool.name)


def _reason(algorithm: str, function: str, *, crc: bool) -> str:
    if algorithm == "source":
        return "neighbouring addresses share one server"
    if crc:
        return "crc32 spreads well by itself, but not every kind of key was tried"
    return f"{function} of similar keys covers a small part of the ring, so a few servers get most requests"


def static_feature(config: Config, _context: Context) -> Iterator[Hit]:
    """D18: what only a dynamic algorithm can do, beside a static one."""
    if config.open is not None:
        return  # the defaults of another file may choose the algorithm
    told = set()
    for pool in config.pools:
        for hit in () if _alone(pool) else _static(pool):
            if hit.span not in told:  # what a hundred backends inherit is one mistake
                told.add(hit.span)
                yield hit


def _static(pool: Pool) -> Iterator[Hit]:
    name = pool.algorithm.name
    if name == "static-rr" or (name in _HASHES and not pool.algorithm.consistent):
        yield from _ignored(pool, "`balance static-rr`" if name == "static-rr" else "a map-based hash")
    kind = pool.algorithm.options.get("hash-type")
    if kind is not None and name in _UNHASHED and _is_own(pool, kind):
        yield _hit(pool, kind, f"`hash-type {kind.value}`", f"`balance {name}` hashes nothing")


def _alone(pool: Pool) -> bool:
    return pool.open is None and sum(server.count for server in pool.serving) < 2


def _is_own(pool: Pool, setting: Setting[str] | Setting[int]) -> bool:
    """Say whether the line stands in the pool's own section: one in defaults is meant for others."""
    return setting.span is not None and setting.span.source is pool.span.source and setting.span.start > pool.span.start


def _ignored(pool: Pool, algorithm: str) -> Iterator[Hit]:
    factor = pool.algorithm.balance_factor
    if factor is not None and factor.value and pool.algorithm.name != "static-rr" and _is_own(pool, factor):
        yield _hit(pool, factor, "`hash-balance-factor`", f"{algorithm} knows no bounded load")
    slow = [server for server in pool.servers if server.slow_start is not None and server.slow_start.value > 0]
    if slow and slow[0].slow_start is not None:
        why = f"{algorithm} cannot change weights at run time, so a server that comes back gets its full load at once"
        yield _hit(pool, slow[0].slow_start, "`slowstart`", why)
    agents = [option for server in pool.servers if (option := server.options.get("agent-check")) is not None]
    if agents:
        why = f"{algorithm} takes 0 % and 100 % of a weight at run time and nothing between; up and down still count"
        yield _hit(pool, agents[0], "a weight from `agent-check`", why, INFO)


def _hit(
    pool: Pool, setting: Setting[str] | Setting[int] | Setting[float], what: str, why: str, severity: str | None = None
) -> Hit:
    return Hit(
        "D18",
        setting.span or pool.span,
        {"what": what, "pool": pool.name, "why": why},
        severity=severity,
        pool=pool.name,
    )
