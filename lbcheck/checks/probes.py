"""What a probe asks for: the host name that the application behind a server goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.checks.probing import checked
from lbcheck.findings import INFO, Hit, Related
from lbcheck.traffic.detection.checks import fails_on
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lbcheck.context import Context
    from lbcheck.model import Config, HealthCheck, Pool, Server, Setting

#: What a server of HTTP/1.1 answers to a request without a Host header (RFC 9112, 3.2).
_BAD_REQUEST = 400
#: Where HAProxy's servers and steps of checks name the protocol.
_PROTOCOLS = ("proto", "check-proto", "check-alpn", "alpn", "connect-proto", "connect-alpn")


def hc_host_header_missing(config: Config, context: Context) -> Iterator[Hit]:
    """H10: a probe without the host name that the protocol wants, or with another than the requests have.

    In HAProxy a probe of HTTP/1.1 without Host. In Envoy the name is the cluster's where none is written; that it
    matters is known where a route gives the requests a name of their own.
    """
    told = set()
    rewrites = _rewrites(config) if config.dialect == "envoy" else {}
    for pool, checks, _ in context.once(config, checked):
        for check in checks:
            if check.kind != "http" or check.host is not None or "opaque" in check.options:
                continue
            hit = _bare(pool, check) if config.dialect == "haproxy" else _by_cluster(pool, check, rewrites)
            if hit is not None and hit.span not in told:
                told.add(hit.span)
                yield hit


def _bare(pool: Pool, check: HealthCheck) -> Hit | None:
    version = check.options.get("version")
    if version is None or version.value.upper() != "HTTP/1.1" or "no-request" in check.options:
        return None
    if any(_of_http2(settings) for settings in (check.options, *(server.options for server in pool.servers))):
        return None
    if check.expect is not None and fails_on(_BAD_REQUEST, check.expect.value) is not True:
        return None
    args = {
        "pool": pool.name,
        "what": "is sent as HTTP/1.1 without a Host header",
        "effect": "servers of HTTP/1.1 answer 400, and healthy ones are taken out",
        "advice": "add `http-check send hdr Host NAME` with the name of the application",
    }
    return Hit("H10", version.span or check.span or pool.span, args, pool=pool.name)


def _of_http2(settings: Mapping[str, Setting[Any]]) -> bool:
    """Say whether the connection speaks HTTP/2, which asks for the host in another way."""
    return any(name in settings and "h2" in str(settings[name].value) for name in _PROTOCOLS)


def _by_cluster(pool: Pool, check: HealthCheck, rewrites: dict[int, Setting[str]]) -> Hit | None:
    rewrite = rewrites.get(id(pool))
    if rewrite is None or check.span is None:
        return None
    names = {rewrite.value} if rewrite.value != "true" else set(map(_own_name, pool.servers))
    if None in names or names <= {pool.name}:
        return None
    by_name = listed(sorted(filter(None, names)))
    args = {
        "pool": pool.name,
        "what": f"asks for host {pool.name}, the cluster's name, while the requests ask for {by_name}",
        "effect": "servers that choose the application by name answer the probe from another one",
        "advice": "set `host` in the http_health_check to the name that the requests have",
    }
    related = [Related(rewrite.span, "the requests' name")] if rewrite.span is not None else []
    return Hit("H10", check.span, args, severity=INFO, related=related, pool=pool.name)


def _own_name(server: Server) -> str | None:
    """Return the Host that `auto_host_rewrite` gives a request for this server; None where it has no name."""
    written = server.options.get("hostname")
    if written is not None:
        return str(written.value)
    return server.address.host if server.address.kind == "name" else None


def _rewrites(config: Config) -> dict[int, Setting[str]]:
    """Return the host that the requests of a pool are given, where all of its routes give them the same."""
    found: dict[int, list[Setting[str] | None]] = {}
    for frontend in config.frontends:
        for route in frontend.routes:
            for target in route.targets:
                found.setdefault(id(target.pool), []).append(route.options.get("host_rewrite"))
    alike: dict[int, Setting[str]] = {}
    for pool, rewrites in found.items():
        first = rewrites[0]
        if first is None or first.value == "false":
            continue
        if all(one is not None and one.value == first.value for one in rewrites):
            alike[pool] = first
    return alike
