"""Kubernetes: a pod is taken out of its Services when its readiness probe has failed often enough.

The kubelet probes once a period, from a ticker of its own for each container, and never two at a time
(pkg/kubelet/prober worker.go); endpoints follow within about a second, which is left out here. That a process has ended
it also learns from the container runtime, sooner than any probe, and a node that is gone is only missed by the node
controller (--node-monitor-grace-period, 40 s or more); neither time is in the manifests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.detection import Notice, never
from lbcheck.traffic.scenario import ERRORS, HANGS, REFUSES
from lbcheck.wording import counted, duration

if TYPE_CHECKING:
    from lbcheck.model import Server


def notice(server: Server, kind: str) -> Notice:
    """Return when a pod's readiness probe takes it out, if it was lost right after a good one."""
    check = server.check
    if check is None or check.interval is None or check.fall is None:
        if kind == REFUSES:
            return Notice(
                None, "it is out when the kubelet sees that its process has ended, and has no readiness probe"
            )
        return never("it has no readiness probe, so it stays in")
    if kind == ERRORS and check.kind in ("tcp", "exec", "grpc"):
        if check.kind == "tcp":
            return never("its readiness probe only connects and goes on to pass")
        return Notice(None, "whether its readiness probe fails too is not known")
    wait = check.timeout.value if kind == HANGS and check.timeout is not None else 0.0
    period = max(check.interval.value, wait)
    failed = counted(check.fall.value, "failed readiness probe")
    seconds = until_unready(check.interval.value, check.fall.value, wait)
    return Notice(seconds, f"not ready after {failed}, {duration(period)} apart")


def until_unready(interval: float, fall: int, wait: float) -> float:
    """Return after how many seconds a pod is not ready whose probes fail, each after waiting so long."""
    period = max(interval, wait)
    return round(fall * period + (wait if wait < period else 0.0), 6)
