"""How a cluster chooses a host: `lb_policy` with its settings, or the typed `load_balancing_policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.envoy.message import Message
from lbcheck.model import Algorithm, Setting

if TYPE_CHECKING:
    from lbcheck.text import Span

#: `lb_policy` and the typed policies that do the same, by the names that the model gives them.
_OLD = {
    "ROUND_ROBIN": "round_robin",
    "LEAST_REQUEST": "least_request",
    "RING_HASH": "ring_hash",
    "RANDOM": "random",
    "MAGLEV": "maglev",
    "CLUSTER_PROVIDED": "cluster_provided",
}
_POLICIES = "envoy.config.cluster.v3.Cluster.LbPolicy"
_SELECTION = "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest.SelectionMethod"
#: The hash functions of ring_hash_lb_config, and of the typed policy.
_FUNCTIONS = "envoy.config.cluster.v3.Cluster.RingHashLbConfig.HashFunction"
_TYPED_FUNCTIONS = "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash.HashFunction"
_TYPED = {
    "RoundRobin": "round_robin",
    "LeastRequest": "least_request",
    "RingHash": "ring_hash",
    "Random": "random",
    "Maglev": "maglev",
    "ClusterProvided": "cluster_provided",
    "ClientSideWeightedRoundRobin": "client_side_weighted_round_robin",
}
_CONFIGS = {"ring_hash": "ring_hash_lb_config", "maglev": "maglev_lb_config",
    "least_request": "least_request_lb_config", "round_robin": "round_robin_lb_config"}  # fmt: skip
_SIZES = ("minimum_ring_size", "maximum_ring_size", "table_size", "choice_count")


class Policy:
    """An algorithm, and how localities take part: "flat", "weighted", "zone_aware" or "opaque" (not known)."""

    __slots__ = ("algorithm", "localities", "reason")

    def __init__(self, algorithm: Algorithm, localities: str, reason: str | None = None) -> None:
        self.algorithm = algorithm
        self.localities = localities
        self.reason = reason


def policy(cluster: Message) -> Policy:
    """Return a cluster's policy; a typed one counts before `lb_policy`."""
    if "load_balancing_policy" in cluster:
        return _first_known(cluster.message("load_balancing_policy"), cluster)
    written = cluster.enum("lb_policy", _POLICIES)
    name = "round_robin" if written is None else _OLD.get(written.value, "opaque")
    inside = cluster.message(_CONFIGS.get(name, ""))
    common = cluster.message("common_lb_config")
    options = {**_options(inside, _FUNCTIONS), **_hashing(common.message("consistent_hashing_lb_config"))}
    options.update(_panicking(common))
    localities = "weighted" if "locality_weighted_lb_config" in common else "flat"
    if "lb_subset_config" in cluster:
        options["subset"] = Setting(True, cluster.place("lb_subset_config"))
    return Policy(_algorithm(name, None if written is None else written.span, options), localities)


def _first_known(message: Message, cluster: Message) -> Policy:
    """Return the first of the list that is understood: Envoy takes the first one that its build has."""
    for one in message.messages("policies"):
        extension = one.message("typed_extension_config")
        kind, inside = extension.typed("typed_config")
        name = extension.text("name")
        span = (inside.place("@type") if "@type" in inside else None) or (name.span if name is not None else None)
        return _typed(kind, inside, span)
    reason = "no policy of its load_balancing_policy could be read"
    return Policy(_algorithm("opaque", cluster.place("load_balancing_policy"), {}), "opaque", reason)


def _typed(kind: str, inside: Message, span: Span | None) -> Policy:
    if kind == "WrrLocality":
        found = _first_known(inside.message("endpoint_picking_policy"), Message(inside.node))
        return Policy(found.algorithm, "weighted", found.reason)
    if kind == "Subset":
        found = _first_known(inside.message("subset_lb_policy"), Message(inside.node))
        found.algorithm.options = {**found.algorithm.options, "subset": Setting(True, span)}
        return found
    name = _TYPED.get(kind)
    if name is None:
        return Policy(_algorithm("opaque", span, {}), "opaque", f"its load-balancing policy {kind} is not emulated")
    options = {**_options(inside, _TYPED_FUNCTIONS), **_hashing(inside.message("consistent_hashing_lb_config"))}
    options.update(_panicking(inside.message("locality_lb_config")))
    localities = "weighted" if "locality_weighted_lb_config" in inside.message("locality_lb_config") else "flat"
    if "locality_weighted_lb_config" in inside:
        localities = "weighted"
    return Policy(_algorithm(name, span, options), localities)


def _algorithm(name: str, span: Span | None, options: dict[str, Setting[Any]]) -> Algorithm:
    return Algorithm(name, span, consistent=name in ("ring_hash", "maglev"), options=options)


def _options(inside: Message, functions: str) -> dict[str, Setting[Any]]:
    found: dict[str, Setting[Any]] = {}
    for name in _SIZES:
        size = inside.integer(name)
        if size is not None:
            found[name] = size
    function = inside.enum("hash_function", functions)
    if function is not None and function.value != "DEFAULT_HASH":
        found["hash_function"] = function
    bias = inside.message("active_request_bias").number("default_value")
    if bias is not None:
        found["active_request_bias"] = bias
    selection = inside.enum("selection_method", _SELECTION)
    if selection is not None and selection.value == "FULL_SCAN":
        found["full_scan"] = Setting(True, inside.place("selection_method"))
    if "slow_start_config" in inside:
        found["slow_start"] = inside.message("slow_start_config").seconds("slow_start_window") or Setting(0.0)
    return {**found, **_deprecated_hashing(inside)}


def _panicking(common: Message) -> dict[str, Setting[Any]]:
    """Read whether requests fail in panic: CommonLbConfig says it, and the locality_lb_config of typed policies."""
    fails = common.message("zone_aware_lb_config").boolean("fail_traffic_on_panic")
    return {} if fails is None else {"fail_traffic_on_panic": fails}


def _deprecated_hashing(inside: Message) -> dict[str, Setting[Any]]:
    """Read what RingHash and Maglev took themselves before consistent_hashing_lb_config."""
    return _hashing(inside)


def _hashing(inside: Message) -> dict[str, Setting[Any]]:
    found: dict[str, Setting[Any]] = {}
    if inside.true("use_hostname_for_hashing"):
        found["use_hostname_for_hashing"] = Setting(True, inside.place("use_hostname_for_hashing"))
    if "hash_balance_factor" in inside:
        found["hash_balance_factor"] = inside.integer("hash_balance_factor") or Setting(0)
    return found
