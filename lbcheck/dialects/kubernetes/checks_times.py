"""Times of readiness probes: H04 those that do not go together, H07 those that take a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.checks_services import services
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.probes import readiness
from lbcheck.findings import Hit, Related
from lbcheck.traffic.detection.kubernetes import until_unready
from lbcheck.wording import duration, rhythm

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


def probe_slow(config: Config, context: Context) -> Iterator[Hit]:
    """H07: a pod that hangs is taken out only after a minute, while others could answer in its place.

    What has ended the kubelet sees sooner, without a probe.
    """
    graph = tree_of(config).graph
    longest = context.option("H07", "max_seconds", 60.0)
    told: set[int] = set()
    for one, _ in context.once(config, services):
        for pods in graph.judged(one):
            check = readiness(pods)
            if id(pods) in told or not pods.owner.sure or check is None or not check.interval or not check.fall:
                continue
            told.add(id(pods))
            alone = pods.replicas is not None and pods.replicas.value < 2 and len(graph.judged(one)) == 1
            wait = 0.0 if check.timeout is None else check.timeout.value
            seconds = until_unready(check.interval.value, check.fall.value, wait)
            if alone or seconds <= longest or not (check.interval.written or check.fall.written):
                continue
            args = {
                "pool": one.shown,
                "detection": duration(seconds),
                "probes": rhythm(check.fall.value, check.interval.value),
                "effect": "a pod that hangs keeps its share of the requests until then",
                "advice": "probe more often: periodSeconds is 10 and failureThreshold 3 where nothing is written",
            }
            place = check.interval.span or check.fall.span or one.span
            yield Hit("H07", place, args, pool=one.shown, server=pods.owner.name)
