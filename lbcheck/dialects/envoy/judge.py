"""What Envoy refuses although every field is right: names that do not fit, sums that make no sense (group E).

Each was tried on Envoy 1.40. Unknown clusters are P02's, weights that sum to 0 are D05's, which is raised here where
Envoy does not start with them, and two listeners on one address are R08's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.envoy.chains import UNIMPLEMENTED
from lbcheck.dialects.envoy.matches import route_match
from lbcheck.dialects.envoy.message import TEMPLATE, texts
from lbcheck.findings import Hit, Related
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.envoy.message import Message
    from lbcheck.dialects.envoy.resources import Resources
    from lbcheck.model import Config, Pool, Route
    from lbcheck.text import Span


#: Fields of common_lb_config that a typed policy has itself.
_PARTIAL = ("zone_aware_lb_config", "locality_weighted_lb_config", "consistent_hashing_lb_config")
#: Policies that this Envoy has, and WrrLocality does not take.
_PICKING = frozenset({"RoundRobin", "LeastRequest", "Random", "RingHash", "Maglev", "ClusterProvided", "Subset"})


def judge(resources: Resources, config: Config) -> None:
    """Add to the config what Envoy would refuse in it."""
    for pool in config.pools:
        config.hits += _pool(pool)
    for cluster in resources.clusters:
        config.hits += _policies(cluster)
    for routes in route_configs(resources):
        config.hits += _domains(routes)
        if not any(routes is one for one in resources.route_configs):
            config.hits += _weightless(routes)
    for listener in resources.listeners:
        config.hits += _unimplemented(listener)
    for frontend in config.frontends:
        for route in frontend.routes:
            config.hits += _weights(route)


def route_configs(resources: Resources) -> Iterator[Message]:
    """Yield every route configuration, those inside of connection managers too."""
    yield from resources.route_configs
    for listener in resources.listeners:
        chains = [*listener.messages("filter_chains"), *listener.messages("default_filter_chain")]
        for item in (item for chain in chains for item in chain.messages("filters")):
            manager = item.message("typed_config")
            if "route_config" in manager:
                yield manager.message("route_config")


def _pool(pool: Pool) -> Iterator[Hit]:
    kind = pool.options["discovery"].value
    if pool.check is not None and pool.check.kind == "grpc" and not pool.options["http2"].value:
        problem = f"{pool.name} is checked by gRPC and speaks HTTP/1.1 to its servers"
        advice = "give it http2_protocol_options in its HttpProtocolOptions"
        yield _hit("E14", pool.check.span or pool.span, problem, advice)
    if kind == "STATIC":
        for server in pool.servers:
            if server.address.kind == "name":
                problem = f"{server.address.host} is no IP address, and a STATIC cluster looks no name up"
                yield _hit("E09", server.span, problem, "write its address, or make the cluster STRICT_DNS")
    elif kind == "LOGICAL_DNS" and pool.open is None and len(pool.servers) > 1:
        problem = f"a LOGICAL_DNS cluster has one endpoint, and {pool.name} has {len(pool.servers)}"
        related = [Related(server.span, "and this one") for server in pool.servers[1:10]]
        yield _hit("E14", pool.servers[0].span, problem, "make the cluster STRICT_DNS", related)


def _policies(cluster: Message) -> Iterator[Hit]:
    """Report what a cluster may not have besides a typed policy, and policies that take no other one inside."""
    if "load_balancing_policy" not in cluster:
        return
    common = cluster.message("common_lb_config")
    for holder, names in ((cluster, ("lb_subset_config",)), (common, _PARTIAL)):
        for name in names:
            if name in holder:
                problem = f"load_balancing_policy cannot be combined with {name}"
                yield _hit("E14", holder.place(name), problem, "write it into the typed policy")
    for one in cluster.message("load_balancing_policy").messages("policies"):
        kind, inside = one.message("typed_extension_config").typed("typed_config")
        if kind != "WrrLocality":
            continue
        for further in inside.message("endpoint_picking_policy").messages("policies")[:1]:
            extension = further.message("typed_extension_config")
            picking, _ = extension.typed("typed_config")
            if picking in _PICKING:
                problem = f"WrrLocality takes ClientSideWeightedRoundRobin alone as its picking policy, not {picking}"
                advice = "use that, or a policy with locality weights of its own instead of WrrLocality"
                yield _hit("E14", extension.message("typed_config").place("@type"), problem, advice)


def _weightless(routes: Message) -> Iterator[Hit]:
    """Report a split whose weights are all 0 ("Sum of weights in the weighted_cluster must be greater than 0")."""
    for route in (route for host in routes.messages("virtual_hosts") for route in host.messages("routes")):
        weights = [
            one.integer("weight") for one in route.message("route").message("weighted_clusters").messages("clusters")
        ]
        if weights and all(weight is not None and not weight.value for weight in weights):
            parts = counted(len(weights), "pool")
            args = {
                "whole": f"route {route_match(route.message('match'))[1]}",
                "parts": parts,
                "effect": "Envoy does not start",
            }
            yield Hit("D05", route.span, args)


def _unimplemented(listener: Message) -> Iterator[Hit]:
    """Report what a filter chain's match has and no Envoy reads ("contains unimplemented fields")."""
    for chain in listener.messages("filter_chains"):
        match = chain.message("filter_chain_match")
        for name in UNIMPLEMENTED:
            if name in match:
                yield _hit("E14", match.place(name), f"no Envoy chooses filter chains by {name}", "remove it")


def _weights(route: Route) -> Iterator[Hit]:
    """Report targets of a split without a weight: Envoy has no default for it."""
    for target in route.targets:
        if target.weight is not None and not target.weight.written:
            yield _hit("E08", target.span, f"{target.name} has no weight among the weighted clusters", "write weight:")


def _domains(routes: Message) -> Iterator[Hit]:
    """Report a domain that two virtual hosts of one route configuration have."""
    seen: dict[str, Span] = {}
    for host in routes.messages("virtual_hosts"):
        for node in texts(host.get("domains")) if "domains" in host else ():
            domain = node.text.lower()
            if TEMPLATE.search(domain):
                continue
            first = seen.setdefault(domain, node.span)
            if first != node.span:
                problem = f"the domain {node.text} belongs to another virtual host already"
                yield _hit("E10", node.span, problem, "remove one of them", [Related(first, "it is here, too")])


def _hit(code: str, span: Span, problem: str, advice: str, related: list[Related] | None = None) -> Hit:
    return Hit(code, span, {"problem": problem, "advice": advice}, related=related or ())
