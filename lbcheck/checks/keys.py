"""Hash keys that are the same for every request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.findings import INFO, Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Frontend, Pool, Route

#: nginx variables that never change while a process runs.
_NGINX_CONSTANTS = r"\$\{?(?:hostname|nginx_version)\b\}?"
#: HAProxy sample fetches that are constants (manual 7.3.1 and 7.3.2).
_HAPROXY_CONSTANTS = r"(?:str|int|bool|bin|ipv4|ipv6|meth|env)\([^()$%]*\)|always_true|always_false|hostname"
#: A converter that brings a variable in makes the key vary after all.
_VARIABLE = r"\b(?:txn|sess|req|res|proc)\."
#: Hashes of the Host header, by algorithm and key.
_BY_HOST = frozenset(
    {("hdr", "host")} | {(name, f"header {key}") for name in ("ring_hash", "maglev") for key in ("host", ":authority")}
)
#: What template engines leave for later: the text is not known.
_TEMPLATE = r"\{\{|\{%|<%|@@"


def hash_key_constant(config: Config, context: Context) -> Iterator[Hit]:
    """S04: the key of a hash holds nothing of the request, so one server gets everything."""
    for pool in config.pools:
        key = pool.algorithm.key
        if key is None or not _several(pool):
            continue
        place = key.span or pool.algorithm.span or pool.span
        if _constant(config.dialect, pool.algorithm.name, key.value):
            args = {"pool": pool.name, "what": f"text {key.value}", "reason": "the same for every request"}
            yield Hit("S04", place, args, pool=pool.name)
        elif (pool.algorithm.name, key.value.lower()) in _BY_HOST:
            host = _only(context.once(config, hosts).get((pool.scope, pool.name)))
            if host is not None:
                args = {"pool": pool.name, "what": "Host header", "reason": f"and its only route takes {host} alone"}
                yield Hit("S04", place, args, severity=INFO, pool=pool.name)


def _several(pool: Pool) -> bool:
    """Say whether there is more than one server to choose from, as far as it is known."""
    return pool.open is not None or sum(server.count for server in pool.serving) > 1


def _constant(dialect: str, algorithm: str, key: str) -> bool:
    if not key or not key.isascii() or re.search(_TEMPLATE, key):
        return False  # readers put a character that is not ASCII in a template's place
    if dialect == "nginx":
        return "$" not in re.sub(_NGINX_CONSTANTS, "", key)
    return dialect == "haproxy" and algorithm == "hash" and _constant_sample(key)


def _constant_sample(expression: str) -> bool:
    """Say whether a HAProxy expression begins with a constant, and no converter brings in a variable."""
    fetch = re.match(_HAPROXY_CONSTANTS, expression)
    if fetch is None or "${" in expression:
        return False
    converters = expression[fetch.end() :]
    return converters[:1] in ("", ",") and not re.search(_VARIABLE, converters)


def _only(names: set[str] | None) -> str | None:
    return next(iter(names)) if names is not None and len(names) == 1 else None


def hosts(config: Config) -> dict[tuple[str, str], set[str] | None]:
    """Return the host names that reach each pool, by (scope, name); None where they are not limited or not known."""
    found: dict[tuple[str, str], set[str] | None] = {}
    for frontend in config.frontends:
        for route in frontend.routes:
            names = _route_hosts(route)
            if names is None and config.dialect == "envoy":
                names = _domains(frontend)
            for target in route.targets:
                key = (frontend.scope, target.name)
                known = found.get(key, set())
                found[key] = None if known is None or names is None else known | names
    return found


def _domains(frontend: Frontend) -> set[str] | None:
    """Return the domains of an Envoy virtual host; None where one of them stands for many."""
    if not frontend.hosts or any("*" in host for host in frontend.hosts):
        return None
    return {host.lower().split(":")[0] for host in frontend.hosts}


def _route_hosts(route: Route) -> set[str] | None:
    names: set[str] = set()
    for alternative in route.match:
        exact = [each for each in alternative if each.field == "host" and each.op == "exact" and not each.negated]
        if not exact:
            return None
        names.update(name.lower().split(":")[0] for name in exact[0].values)
    return names
