"""What decides which host gets a request: locality weights that do nothing, hashes without anything to hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.envoy.judge import route_configs
from lbcheck.dialects.envoy.message import texts
from lbcheck.findings import ERROR, INFO, Hit, Related
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config, Frontend, Pool, Route, Server, Setting

#: More related places than this are not listed.
_RELATED = 10


def locality_weight_ignored(config: Config, _context: Context) -> Iterator[Hit]:
    """D13: localities have weights that nobody reads, or a locality has none where they are read.

    endpoint_components.proto: a locality without a weight "is assigned no load" if locality weighted load balancing is
    on, and weights are ignored if it is off.
    """
    for pool in config.pools:
        if pool.open is not None or pool.options["localities"].value == "opaque":
            continue
        for level in _levels(pool).values():
            if _weighted_hash(pool) and not any(map(_takes, level.values())):
                yield _no_table(pool, [server for group in level.values() for server in group])
                continue
            if len(level) < 2:
                continue
            weights = {name: _weight(group) for name, group in level.items()}
            written = [weight for weight in weights.values() if weight is not None]
            if pool.options["localities"].value == "weighted":
                bare = [name for name, weight in weights.items() if weight is None]
                if bare and written and any(weight.value for weight in written):
                    yield _no_load(pool, bare, level)
            elif written and len({weight.value for weight in written}) + bool(len(written) < len(weights)) > 1:
                yield _unread(pool, written)


def _levels(pool: Pool) -> dict[int, dict[str, list[Server]]]:
    """Return the servers by priority and locality."""
    found: dict[int, dict[str, list[Server]]] = {}
    for server in pool.servers:
        priority = server.priority.value if server.priority is not None else 0
        locality = server.options.get("locality")
        name = locality.value if locality is not None else ""
        found.setdefault(priority, {}).setdefault(name, []).append(server)
    return found


def _weight(group: list[Server]) -> Setting[Any] | None:
    return group[0].options.get("locality weight")


def _weighted_hash(pool: Pool) -> bool:
    return pool.options["localities"].value == "weighted" and pool.algorithm.name in ("ring_hash", "maglev")


def _no_table(pool: Pool, servers: list[Server]) -> Hit:
    """Return the finding of a priority that has no hosts in its hash table (normalizeLocalityWeights())."""
    args = {
        "pool": pool.name,
        "what": f"no locality of {len(servers)} servers has a load_balancing_weight",
        "effect": "its hash table is empty, and requests get 503",
        "advice": "give every locality a load_balancing_weight",
    }
    return Hit("D13", servers[0].span, args, severity=ERROR, pool=pool.name, server=servers[0].name)


def _takes(group: list[Server]) -> bool:
    weight = _weight(group)
    return weight is not None and bool(weight.value)


def _no_load(pool: Pool, bare: list[str], level: dict[str, list[Server]]) -> Hit:
    servers = level[bare[0]]
    names = listed([name or "without a name" for name in bare])
    args = {
        "pool": pool.name,
        "what": f"locality {names} has no load_balancing_weight",
        "effect": f"its {len(servers)} of {len(pool.servers)} servers get no request",
        "advice": "give every locality a load_balancing_weight",
    }
    return Hit("D13", servers[0].span, args, severity=ERROR, pool=pool.name, server=servers[0].name)


def _unread(pool: Pool, written: list[Setting[Any]]) -> Hit:
    args = {
        "pool": pool.name,
        "what": f"localities have weights ({', '.join(str(weight.value) for weight in written)})",
        "effect": "nothing reads them: every server gets requests by its own weight",
        "advice": "add `common_lb_config: {locality_weighted_lb_config: {}}`, or remove the weights",
    }
    span = written[0].span or pool.span
    related = [Related(weight.span, "another one") for weight in written[1:_RELATED] if weight.span is not None]
    return Hit("D13", span, args, related=related, pool=pool.name)


def default_host_missing(config: Config, _context: Context) -> Iterator[Hit]:
    """R03: requests for other names than those of the virtual hosts find none."""
    if config.open is not None:
        return
    for routes in route_configs(config.tree):
        hosts = routes.messages("virtual_hosts")
        names = [node.text for host in hosts if "domains" in host for node in texts(host.get("domains"))]
        if not names or "*" in names or "vhds" in routes:
            continue
        first = hosts[0].text("name")
        args = {
            "frontend": f"route configuration {routes.word('name')}".rstrip(),
            "default": 'virtual host for "*"',
            "unanswered": "",
            "pools": listed(names),
            "status": 404,
            "advice": 'add a virtual host with the domain "*" if other names are to be served',
        }
        span = first.span if first is not None and first.span is not None else hosts[0].span
        yield Hit("R03", span, args, severity=INFO)


def hash_without_policy(config: Config, _context: Context) -> Iterator[Hit]:
    """S07: a cluster hashes and its routes give it nothing to hash, or routes hash and their clusters do not.

    thread_aware_lb_impl.cc takes a random number where no policy gives a hash: each server gets its part of the ring,
    or of Maglev's table, and no client stays with one.
    """
    bare: dict[int, tuple[Pool, list[Route]]] = {}
    for _, route in _routes(config):
        pools = [target.pool for target in route.targets if target.pool is not None]
        if "hash_policy" not in route.options:
            for pool in pools:
                if pool.algorithm.name in ("ring_hash", "maglev"):
                    bare.setdefault(id(pool), (pool, []))[1].append(route)
        elif pools and len(pools) == len(route.targets) and not any(map(_may_hash, pools)):
            yield _idle(route, pools)
    for pool, routes in bare.values():
        args = {
            "what": f"pool {pool.name} hashes",
            "route": listed([route.label for route in routes[:3]]),
            "effect": "has no hash_policy, so that each request goes to a random server, by its part of the hash table",
            "advice": "say in the route what to hash, such as `hash_policy: [{header: {header_name: x-user}}]`",
        }
        related = [Related(pool.algorithm.span, "the policy that hashes")] if pool.algorithm.span is not None else []
        yield Hit("S07", routes[0].targets[0].span, args, related=related, pool=pool.name)


def _routes(config: Config) -> Iterator[tuple[Frontend, Route]]:
    """Yield each route once, though several listeners may share it."""
    seen = set()
    for frontend in config.frontends:
        for route in frontend.routes:
            if route.outcome == "pools" and route.span not in seen:
                seen.add(route.span)
                yield frontend, route


def _may_hash(pool: Pool) -> bool:
    return pool.algorithm.consistent or pool.algorithm.name in ("opaque", "cluster_provided") or bool(pool.open)


def _idle(route: Route, pools: list[Pool]) -> Hit:
    args = {
        "what": f"route {route.label} has a hash_policy",
        "route": listed([pool.name for pool in pools]),
        "effect": "does not hash, so that it keeps no client on its server",
        "advice": "use RING_HASH or MAGLEV there, or remove the policy",
    }
    span = route.options["hash_policy"].span or route.span
    return Hit("S07", span, args, severity=INFO, route=route.label, pool=pools[0].name)
