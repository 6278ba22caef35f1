"""Times that do not go together: H04 probes, T02 tries and the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.checks_istio import virtual_rules
from lbcheck.dialects.kubernetes.checks_services import services
from lbcheck.dialects.kubernetes.durations import go_seconds
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.probes import readiness
from lbcheck.findings import Hit, Related
from lbcheck.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.model import Config


def probe_timeout(config: Config, context: Context) -> Iterator[Hit]:
    """H04: a readiness probe may take longer than the time to the next one, which the kubelet then starts late.

    One that may take just as long does not: the next one starts when it is due (pkg/kubelet/prober/worker.go).
    """
    graph = tree_of(config).graph
    told: set[int] = set()
    for one, _ in context.once(config, services):
        for pods in graph.judged(one):
            check = readiness(pods)
            if id(pods) in told or pods.owner.patched or check is None or not check.timeout or not check.interval:
                continue
            told.add(id(pods))
            timeout, interval = check.timeout, check.interval
            if timeout.value <= interval.value or not (timeout.written or interval.written):
                continue
            place = interval.span or timeout.span or one.span
            related = [Related(timeout.span, "the probe's timeout")] if timeout.span and timeout.span != place else []
            args = {
                "pool": one.shown,
                "timeout": duration(timeout.value),
                "interval": duration(interval.value),
                "period": duration(timeout.value),
                "detection": duration(timeout.value * (check.fall.value if check.fall else 1)),
            }
            yield Hit("H04", place, args, related=related, pool=one.shown)


def timeout_inversion(config: Config, _context: Context) -> Iterator[Hit]:
    """T02: the tries of a route may take longer than the route's timeout, which includes all of them."""
    for rule in virtual_rules(config):
        retries = rule.view.view("retries")
        attempts, each = retries.integer("attempts"), go_seconds(retries.text("perTryTimeout") or "")
        whole = go_seconds(rule.view.text("timeout") or "")
        if not attempts or not each or not whole or (attempts + 1) * each <= whole:
            continue
        args = {
            "route": f"{rule.label} of VirtualService {rule.owner.shown}",
            "inner": f"{attempts + 1} tries of {duration(each)} may take {duration((attempts + 1) * each)}",
            "outer": f"the route's timeout of {duration(whole)}",
            "effect": f"only {int(whole // each)} of the tries can end" if whole >= each else "no try can end",
            "advice": f"write timeout: {(attempts + 1) * each:g}s, or fewer or shorter tries",
        }
        yield Hit(
            "T02",
            rule.view.place("timeout"),
            args,
            related=[Related(retries.place("perTryTimeout"), "the time of each try")],
            frontend=f"VirtualService {rule.owner.shown}",
            route=rule.label,
        )
