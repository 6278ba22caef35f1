"""Hostnames in an nginx config: what they resolve to, and when."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.edits import unsafe
from lbcheck.dialects.nginx.passes import Pass, context_of, is_literal_address, named_pools, passes
from lbcheck.findings import ERROR, INFO, WARNING, Edit, Hit, Related
from lbcheck.spelling import distance
from lbcheck.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lbcheck.context import Context
    from lbcheck.findings import Fix
    from lbcheck.model import Config, Pool, Server

    _Meant = tuple[str, str, str, Pool | None]

#: Services whose addresses change while their name stays. `svc.cluster.local` stands for one stable address, unless
#: the service is headless.
_MOVING = re.compile(
    r"\.(?:elb(?:\.[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?|cloudfront\.net|azurewebsites\.net|azurefd\.net|azureedge\.net"
    r"|cloudapp\.azure\.com|trafficmanager\.net|run\.app|consul)\.?\Z",
    re.IGNORECASE,
)
_CLUSTER = re.compile(r"\.svc(?:\.cluster\.local)?\.?\Z", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
#: How many pairs of names are compared in one config at most: a generated one must not cost minutes.
_MAX_PAIRS = 30_000


def localhost_two_peers(config: Config, context: Context) -> Iterator[Hit]:
    """D12: `localhost` is 127.0.0.1 and ::1, so nginx has two servers where one was meant."""
    for pool in config.pools:
        for server in pool.servers:
            if not pool.implicit and (server.address.host or "").lower() == "localhost":
                fix = _in_place(server.span, server.address.text)
                yield Hit("D12", server.span, _two(server.address.text), fix=fix, pool=pool.name, server=server.name)
    for one in context.once(config, passes):
        if one.plain and one.pool is None and one.host.lower() == "localhost":
            fix = _in_place(one.directive.span, one.host)
            yield Hit("D12", one.directive.span, _two(one.host + (f":{one.port}" if one.port else "")), fix=fix)


def _two(text: str) -> dict[str, object]:
    return {"address": text, "numeric": re.sub("localhost", "127.0.0.1", text, flags=re.IGNORECASE)}


def _in_place(span: Span, text: str) -> Fix | None:
    at = span.text.lower().find("localhost", max(span.text.find(text), 0))
    if at < 0:
        return None
    place = Span(span.source, span.start + at, span.start + at + len("localhost"))
    return unsafe("write 127.0.0.1", Edit(place, "127.0.0.1"))


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
