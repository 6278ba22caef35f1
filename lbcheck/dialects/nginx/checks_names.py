"""Hostnames in an nginx config: what they resolve to, and when."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.edits import unsafe
from lbcheck.dialects.nginx.passes import Pass, context_of, is_literal_address, named_pools, passes
from lbcheck.dialects.nginx.values import address
from lbcheck.findings import ERROR, INFO, WARNING, Edit, Hit, Related
from lbcheck.patterns import pattern
from lbcheck.spelling import distance
from lbcheck.text import Span
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.context import Context
    from lbcheck.findings import Fix
    from lbcheck.model import Address, Config, Pool, Server

    _Meant = tuple[str, str, str, Pool | None]

#: Services whose addresses change while their name stays. `svc.cluster.local` stands for one stable address, unless
#: the service is headless.
_MOVING = pattern(
    r"\.(?:elb(?:\.[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?|cloudfront\.net|azurewebsites\.net|azurefd\.net|azureedge\.net"
    r"|cloudapp\.azure\.com|trafficmanager\.net|run\.app|consul)\.?\Z",
    re.IGNORECASE,
)
_CLUSTER = pattern(r"\.svc(?:\.cluster\.local)?\.?\Z", re.IGNORECASE)
_DIGITS = pattern(r"\d+")
#: How many pairs of names are compared in one config at most: a generated one must not cost minutes.
_MAX_PAIRS = 30_000
#: More places than this are not listed with one finding.
_MAX_RELATED = 10


def localhost_two_peers(config: Config, context: Context) -> Iterator[Hit]:
    """D12: `localhost` is 127.0.0.1 and ::1, so nginx has two servers where one was meant. One finding a pool."""
    own = _both_families(config)
    for pool in config.pools:
        servers = [] if pool.implicit else [server for server in pool.servers if _is_local(server.address, own)]
        if servers:
            places = [(server.span, server.address.text) for server in servers]
            yield _two_peers(places, pool.name, servers[0].name)
    uses: dict[tuple[str, str, str], list[Pass]] = {}
    for one in context.once(config, passes):
        default = 443 if one.scheme in {"https", "grpcs"} else 80
        if one.plain and one.pool is None and _is_local(address(_host_text(one), default), own):
            uses.setdefault((one.context, one.scheme, one.port), []).append(one)
    for same in uses.values():
        yield _two_peers([(one.directive.span, _host_text(one)) for one in same], None, None)


def _host_text(one: Pass) -> str:
    """Return the host of a pass, with its port where one is written."""
    return f"{one.host}:{one.port}" if one.port else one.host


def _both_families(config: Config) -> set[int]:
    """Return the ports on which this nginx itself answers at 127.0.0.1 as well as at ::1."""
    found: dict[int, set[str]] = {}
    for frontend in config.frontends:
        for listener in frontend.listeners:
            where = listener.address
            if where.port is not None and where.host in {"", "127.0.0.1", "::1", "localhost"}:
                found.setdefault(where.port, set()).add(where.kind)
    return {port for port, kinds in found.items() if {"ipv4", "ipv6"} <= kinds or "name" in kinds}


def _is_local(where: Address, own: set[int]) -> bool:
    return (where.host or "").lower() == "localhost" and where.port not in own


def _two_peers(places: list[tuple[Span, str]], pool: str | None, server: str | None) -> Hit:
    names = list(dict.fromkeys(text for _, text in places))
    args = {
        "address": listed(names),
        "verb": "is two servers" if len(names) == 1 else "are two servers each",
        "numeric": listed([re.sub("localhost", "127.0.0.1", text, flags=re.IGNORECASE) for text in names]),
    }
    edits = [edit for span, text in places if (edit := _in_place(span, text)) is not None]
    fix = unsafe("write 127.0.0.1", *edits) if len(edits) == len(places) else None
    related = [Related(span, "here too") for span, _ in places[1:_MAX_RELATED]]
    return Hit("D12", places[0][0], args, related=related, fix=fix, pool=pool, server=server)


def _in_place(span: Span, text: str) -> Edit | None:
    at = span.text.lower().find("localhost", max(span.text.find(text), 0))
    if at < 0:
        return None
    return Edit(Span(span.source, span.start + at, span.start + at + len("localhost")), "127.0.0.1")


def static_dns(config: Config, context: Context) -> Iterator[Hit]:
    """N01: a name whose addresses are known to change is resolved once, when nginx starts or reloads."""
    for pool in config.pools:
        for server in pool.servers:
            if not pool.implicit and server.address.kind == "name" and not _resolves(server):
                yield from _static(server.address.host or "", server.span, pool.name, server.name)
    for one in context.once(config, passes):
        if one.plain and one.pool is None:
            yield from _static(one.host, one.directive.span, None, None)


def _resolves(server: Server) -> bool:
    return server.resolve is not None and server.resolve.value


def _static(host: str, span: Span, pool: str | None, server: str | None) -> Iterator[Hit]:
    moving = bool(_MOVING.search(host))
    if moving or _CLUSTER.search(host):
        yield Hit("N01", span, {"host": host}, severity=WARNING if moving else INFO, pool=pool, server=server)


def upstream_name_as_dns(config: Config, context: Context) -> Iterator[Hit]:
    """P03: a `*_pass` to a name that is no upstream, and looks as if it were meant to be one."""
    if config.open:
        return
    pools = context.once(config, named_pools)
    judged: dict[tuple[str, str, bool], _Meant | None] = {}
    for one in context.once(config, passes):
        if not one.plain or one.pool is not None or _no_upstream_meant(one):
            continue
        key = (one.context, one.host.lower(), bool(one.port))
        if key not in judged:
            judged[key] = _meant(one, pools if len(judged) * len(pools) < _MAX_PAIRS else {})
        found = judged[key]
        if found is None:
            continue
        why, advice, severity, pool = found
        args = {"name": one.host, "why": why, "advice": advice}
        related = [Related(pool.span, "the upstream")] if pool is not None else []
        fix = _rename(one, pool) if severity == ERROR and pool is not None else None
        yield Hit("P03", one.directive.span, args, severity=severity, related=related, fix=fix, pool=one.host)


def _no_upstream_meant(one: Pass) -> bool:
    host = one.host
    return not host or "." in host or host.lower() == "localhost" or is_literal_address(host)


def _meant(one: Pass, pools: dict[tuple[str, str], Pool]) -> _Meant | None:
    """Return what speaks for a misspelling: (why, advice, severity, the upstream that was meant)."""
    context = context_of(one.scope)
    name = one.host.lower()
    other = pools.get(("stream" if context == "http" else "http", name))
    if other is not None and not one.port:
        where = "stream" if context == "http" else "http"
        return f"the upstream of that name stands in `{where}`", f"repeat it in `{context}`", WARNING, other
    near = None if one.port else near_pool(name, (pool for (scope, _), pool in pools.items() if scope == context))
    if near is not None:
        return f"upstream {near.name} is spelt nearly so", f"write {near.name}", ERROR, near
    if "_" in name and not one.port:
        return "its underscore and lack of a port make it look like one", f"add `upstream {one.host}`", WARNING, None
    return None


def near_pool(name: str, pools: Iterable[Pool]) -> Pool | None:
    """Return an upstream within two slips of the pen; app1 and app2 are neighbours, no slip."""
    limit = 2 if len(name) >= 6 else 1
    for pool in pools:
        other = pool.name.lower()
        if len(name) < 4 or _DIGITS.sub("", name) == _DIGITS.sub("", other):
            continue
        if distance(name, other, limit) <= limit:
            return pool
    return None


def _rename(one: Pass, pool: Pool) -> Fix | None:
    span = one.directive.span
    at = span.text.rfind(one.host)
    if at < 0:
        return None
    place = Span(span.source, span.start + at, span.start + at + len(one.host))
    return unsafe(f"write {pool.name}", Edit(place, pool.name))
