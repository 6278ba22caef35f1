"""H21: a destination rule's outlier detection that may not take out a single pod."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes import istio
from lbcheck.dialects.kubernetes.destination_rules import Subset
from lbcheck.dialects.kubernetes.kinds import ISTIO
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.findings import Hit, Related
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.kubernetes.view import View
    from lbcheck.model import Config, Pool

#: Envoy's default, which istiod leaves where the rule says nothing, or 0 (cluster_traffic_policy.go).
_DEFAULT = 10
#: From this Envoy on no host is ejected that the percentage does not allow (before, the first one always was).
_STRICT = (1, 28)


def outlier_detection_noop(config: Config, context: Context) -> Iterator[Hit]:
    """H21: maxEjectionPercent of all pods is less than one; their number is known from replicas."""
    if context.before("envoy", _STRICT):
        return
    rules = tree_of(config).rules
    for one in tree_of(config).cluster.all(ISTIO, "DestinationRule"):
        if one.patched or one.wrong or one.opaque:
            continue
        host = istio.host_of(one.spec.text("host") or "", one)
        if host.namespace is None:
            continue
        for holder in [one.spec, *one.spec.views("subsets")]:
            detection = holder.view("trafficPolicy", "outlierDetection")
            if not detection:
                continue
            whole = holder is one.spec
            pool = rules.graph.pool(host.namespace, host.name) if whole else rules.pool_of(host, Subset(one, holder))
            hit = None if pool is None else _judged(pool, detection)
            if hit is not None:
                yield hit


def _judged(pool: Pool, detection: View) -> Hit | None:
    pods = sum(server.count for server in pool.servers)
    written = detection.integer("maxEjectionPercent")
    if pool.open is not None or pods < 2 or (written is None and "maxEjectionPercent" in detection):
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
