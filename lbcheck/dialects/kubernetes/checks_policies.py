"""Destination rules: H21 outlier detection that may not take out a single pod, C09 limits that are a demonstration's.

S07 hashes of nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes import checks_istio, istio
from lbcheck.dialects.kubernetes.destination_rules import Subset
from lbcheck.dialects.kubernetes.kinds import ISTIO
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.visibility import meet
from lbcheck.findings import Hit, Related
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lbcheck.context import Context
    from lbcheck.dialects.kubernetes.destination_rules import Rules
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Config, Pool

    #: A subset to which requests are sent, the namespaces of their callers, and whether they are copies.
    Routed = tuple[str, frozenset[str] | None, bool]

#: Envoy's default, which istiod leaves where the rule says nothing, or 0 (cluster_traffic_policy.go).
_DEFAULT = 10
#: Limits beyond which a proxy answers 503 itself; beyond maxConnections requests wait.
_LIMITS = ("http1MaxPendingRequests", "http2MaxRequests", "maxRetries")
#: A limit below this is a demonstration's.
_TINY = 10
#: What a consistent hash may be made of.
_KEYS = ("httpHeaderName", "httpCookie", "httpQueryParameterName", "useSourceIp")
#: From this Envoy on no host is ejected that the percentage does not allow (before, the first one always was).
_STRICT = (1, 28)


class Policy(NamedTuple):
    """A trafficPolicy, and the pool of its host or subset.

    `limited` are the pools whose clusters take its connectionPool, each with limits of its own: of a policy for the
    host, the subsets to which routes lead, and that have no connectionPool of their own, and the host as a whole where
    routes lead there, or none is known (istio/istio pilot/pkg/networking/util MergeTrafficPolicy).
    """

    view: View
    pool: Pool
    limited: Sequence[Pool]


def policies(config: Config) -> list[Policy]:
    """Return the policies of the destination rules that can be judged, for Services that the run has."""
    rules = tree_of(config).rules
    routed = checks_istio.routed_subsets(config)
    found = []
    for one in tree_of(config).cluster.all(ISTIO, "DestinationRule"):
        host = istio.host_of(one.spec.text("host") or "", one)
        if host.namespace is None or not one.sure:
            continue
        for holder in [one.spec, *one.spec.views("subsets")]:
            if "trafficPolicy" not in holder:
                continue
            whole = holder is one.spec
            pool = rules.graph.pool(host.namespace, host.name) if whole else rules.pool_of(host, Subset(one, holder))
            if pool is not None:
                limited = _limited(rules, one, host, pool, routed) if whole else [pool]
                found.append(Policy(holder.view("trafficPolicy"), pool, limited))
    return found


def _limited(
    rules: Rules, one: Object, host: istio.Host, whole: Pool, routed: Mapping[istio.Host, Sequence[Routed]]
) -> list[Pool]:
    followers = rules.followers(one, host)
    used = {subset for subset, clients, _ in routed.get(host, ()) if meet(clients, followers)} or {""}
    inheriting = [
        rules.pool_of(host, Subset(one, subset))
        for subset in one.spec.views("subsets")
        if subset.text("name") in used and "connectionPool" not in subset.view("trafficPolicy")
    ]
    return [whole] * ("" in used) + [pool for pool in inheriting if pool is not None]


def _pods(pool: Pool) -> int:
    """Return how many pods a pool has, 0 where that is not known."""
    return 0 if pool.open is not None else sum(server.count for server in pool.servers)


def outlier_detection_noop(config: Config, context: Context) -> Iterator[Hit]:
    """H21: maxEjectionPercent of all pods is less than one; their number is known from replicas."""
    if context.before("envoy", _STRICT):
        return
    for policy, pool, _ in context.once(config, policies):
        hit = _judged(pool, policy.view("outlierDetection")) if "outlierDetection" in policy else None
        if hit is not None:
            yield hit


def circuit_breaker_defaults(config: Config, context: Context) -> Iterator[Hit]:
    """C09: a limit for all pods of a cluster together that a few requests at once reach. Each subset is a cluster.

    What Envoy limits to 3 retries where nothing is written Istio does not (istio/istio cluster_traffic_policy.go
    getDefaultCircuitBreakerThresholds), and 0 means Istio's default.
    """
    for policy, _, limited in context.once(config, policies):
        limits = policy.view("connectionPool", "http")
        pool = max(limited, key=_pods, default=None)
        if pool is None or _pods(pool) < 2:
            continue
        for name in _LIMITS:
            limit = limits.integer(name)
            if limit is None or not 0 < limit < _TINY:
                continue
            args = {
                "pool": pool.name,
                "what": f"has {name}: {limit} for all of its {_pods(pool)} pods together",
                "effect": "what one caller's proxy sends beyond that is answered with 503, with every pod idle",
                "advice": f"set {name} to what all pods together can take, or leave it out",
            }
            yield Hit("C09", limits.place(name), args, pool=pool.name)
            break


def hash_without_policy(config: Config, context: Context) -> Iterator[Hit]:
    """S07: consistentHash says how to hash and not what, so that Istio gives the routes no hash policy.

    Source: istio/istio pilot/pkg/networking/core/route/route.go consistentHashToHashPolicy.
    """
    for policy, pool, _ in context.once(config, policies):
        hashed = policy.view("loadBalancer", "consistentHash")
        if hashed and not any(name in hashed for name in _KEYS):
            args = {
                "what": f"{pool.name} is balanced by a hash",
                "route": "consistentHash",
                "effect": "does not say of what: every request goes to a random pod",
                "advice": "write httpHeaderName, httpCookie, httpQueryParameterName or useSourceIp",
            }
            yield Hit("S07", policy.view("loadBalancer").place("consistentHash"), args, pool=pool.name)


def _judged(pool: Pool, detection: View) -> Hit | None:
    pods = _pods(pool)
    written = detection.integer("maxEjectionPercent")
    if pods < 2 or (written is None and "maxEjectionPercent" in detection):
        return None
    percent = written or _DEFAULT
    if percent * pods >= 100:
        return None
    args = {
        "pool": pool.name,
        "percent": percent,
        "servers": counted(pods, "pod"),
        "advice": f"set maxEjectionPercent to {-(-100 // pods)} or more",
    }
    place = detection.place("maxEjectionPercent") if written is not None else detection.span
    return Hit("H21", place, args, related=[Related(pool.span, "what it watches")], pool=pool.name)
