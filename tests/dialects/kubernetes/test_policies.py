"""Destination rules and probes: what part of the pods may be taken out, limits, hashes, and how soon one is out."""

from __future__ import annotations

import pytest

from lbcheck.context import Context
from lbcheck.dialects import kubernetes
from lbcheck.dialects.kubernetes.checks_policies import (
    circuit_breaker_defaults,
    hash_without_policy,
    outlier_detection_noop,
)
from lbcheck.dialects.kubernetes.checks_times import probe_slow
from lbcheck.files import DiskFiles
from lbcheck.project import judge
from lbcheck.settings import Settings

RULE = """apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web}
spec:
  host: web
  POLICY
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
PODS = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: COUNT
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web, version: v1}}, spec: {containers: [{name: a, image: b}]}}
"""
SCALER = """---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {kind: Deployment, name: web}, maxReplicas: 9}
"""


def policy(percent=None):
    said = "" if percent is None else f", maxEjectionPercent: {percent}"
    return f"trafficPolicy: {{outlierDetection: {{interval: 5s{said}}}}}"


@pytest.mark.parametrize(
    ("text", "rest", "count"),
    [
        (policy(), PODS.replace("COUNT", "3"), 1),
        (policy(0), PODS.replace("COUNT", "3"), 1),
        (policy(), PODS.replace("COUNT", "10"), 0),
        (policy(33), PODS.replace("COUNT", "3"), 1),
        (policy(34), PODS.replace("COUNT", "3"), 0),
        (policy(), PODS.replace("COUNT", "1"), 0),
        (policy(), PODS.replace("COUNT", "3") + SCALER, 0),
        (policy(), "", 0),
        (policy("${PERCENT}"), PODS.replace("COUNT", "3"), 0),
        ("trafficPolicy: {}", PODS.replace("COUNT", "3"), 0),
        (
            f"subsets: [{{name: v1, labels: {{version: v1}}, {policy(10)}}}]",
            PODS.replace("COUNT", "3"),
            1,
        ),
        (f"subsets: [{{name: v2, labels: {{version: v2}}, {policy(10)}}}]", PODS.replace("COUNT", "3"), 0),
    ],
)
def test_what_may_be_taken_out(text, rest, count):
    memory = {"a.yaml": RULE.replace("POLICY", text) + rest}
    config = kubernetes.read(["a.yaml"], DiskFiles(roots=["."], memory=memory))[0]
    assert len(list(outlier_detection_noop(config, Context()))) == count


def test_an_older_envoy_ejects_one_all_the_same():
    memory = {"a.yaml": RULE.replace("POLICY", policy()) + PODS.replace("COUNT", "3")}
    config = kubernetes.read(["a.yaml"], DiskFiles(roots=["."], memory=memory))[0]
    assert not list(outlier_detection_noop(config, Context({"envoy": (1, 27)})))


@pytest.mark.parametrize(
    ("policy", "count", "expected"),
    [
        ("connectionPool: {http: {http1MaxPendingRequests: 1}}", 2, ["C09"]),
        ("connectionPool: {http: {http2MaxRequests: 9}}", 2, ["C09"]),
        ("connectionPool: {http: {maxRetries: 3}}", 2, ["C09"]),
        ("connectionPool: {http: {http1MaxPendingRequests: 1, http2MaxRequests: 1}}", 2, ["C09"]),
        ("connectionPool: {http: {http1MaxPendingRequests: 1}}", 1, []),  # the circuit breaker's demonstration
        ("connectionPool: {http: {http2MaxRequests: 10}}", 2, []),
        ("connectionPool: {http: {http2MaxRequests: 0}}", 2, []),  # Istio's default
        ("connectionPool: {tcp: {maxConnections: 1}}", 2, []),  # what is beyond waits
        ("loadBalancer: {consistentHash: {minimumRingSize: 4096}}", 2, ["S07"]),
        ("loadBalancer: {consistentHash: {maglev: {}}}", 1, ["S07"]),
        ("loadBalancer: {consistentHash: {useSourceIp: true}}", 2, []),
        ("loadBalancer: {consistentHash: {httpHeaderName: x-user}}", 2, []),
        ("loadBalancer: {simple: RANDOM}", 2, []),
    ],
)
def test_limits_and_hashes(policy, count, expected):
    text = RULE.replace("POLICY", f"trafficPolicy: {{{policy}}}") + PODS.replace("COUNT", str(count))
    (config,) = kubernetes.read(["a.yaml"], DiskFiles(memory={"a.yaml": text}))
    checks = (circuit_breaker_defaults, hash_without_policy)
    assert [hit.code for check in checks for hit in check(config, Context())] == expected


def test_limits_of_a_subset():
    subset = "subsets: [{name: v1, labels: {version: v1}, trafficPolicy: {connectionPool: {http: {maxRetries: 1}}}}]"
    text = RULE.replace("POLICY", subset) + PODS.replace("COUNT", "2")
    (config,) = kubernetes.read(["a.yaml"], DiskFiles(memory={"a.yaml": text}))
    assert [hit.pool for hit in circuit_breaker_defaults(config, Context())] == ["web/v1"]
    (scaled,) = kubernetes.read(["a.yaml"], DiskFiles(memory={"a.yaml": text + SCALER}))
    assert list(circuit_breaker_defaults(scaled, Context())) == []


def version(name, count):
    pods = PODS.replace("COUNT", str(count)).replace("version: v1", f"version: {name}")
    return pods.replace("metadata: {name: web}", f"metadata: {{name: web-{name}}}")


OWN = ", trafficPolicy: {connectionPool: {http: {maxRetries: 1024}}}"
SPREAD = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec: {hosts: [web], http: [{route: [ROUTES]}]}
"""


def to(*subsets):
    return ", ".join(f"{{destination: {{host: web{', subset: ' * bool(name)}{name}}}, weight: 1}}" for name in subsets)


@pytest.mark.parametrize(
    ("routes", "counts", "own", "expected"),
    [
        (None, (1, 1), "", ["web has maxRetries: 1 for all of its 2 pods together"]),
        (to("v1", "v2"), (1, 1), "", []),
        (to("v1", "v2"), (1, 3), "", ["web/v2 has maxRetries: 1 for all of its 3 pods together"]),
        (to("v1", "v2"), (2, 3), "", ["web/v2 has maxRetries: 1 for all of its 3 pods together"]),
        (to("v1", "v2"), (1, 3), OWN, []),
        (to("v1"), (1, 3), "", []),
        (to("v1", ""), (1, 3), "", ["web has maxRetries: 1 for all of its 4 pods together"]),
        (to("v1", "v2"), (1, None), "", []),
    ],
)
def test_limits_of_a_host_hold_for_each_subset(routes, counts, own, expected):
    subsets = f"subsets: [{{name: v1, labels: {{version: v1}}}}, {{name: v2, labels: {{version: v2}}{own}}}]"
    limits = f"trafficPolicy: {{connectionPool: {{http: {{maxRetries: 1}}}}}}\n  {subsets}"
    pods = [version(name, count) for name, count in zip(("v1", "v2"), counts, strict=True) if count is not None]
    scaled = version("v2", 3) + SCALER.replace("name: web}", "name: web-v2}") if counts[1] is None else ""
    text = (
        RULE.replace("POLICY", limits) + "".join(pods) + scaled + (SPREAD.replace("ROUTES", routes) if routes else "")
    )
    (config,) = kubernetes.read(["a.yaml"], DiskFiles(memory={"a.yaml": text}))
    hits = [hit for hit in judge(Settings())(config).findings if hit.code == "C09"]
    assert [hit.message.removeprefix("pool ").partition(" together")[0] + " together" for hit in hits] == expected


@pytest.mark.parametrize(
    ("probe", "count", "expected"),
    [
        ("periodSeconds: 30", 2, ["H07"]),
        ("periodSeconds: 20", 2, ["H07"]),  # 3 × 20 s, and the second that the last one takes
        ("periodSeconds: 19", 2, []),
        ("periodSeconds: 10, failureThreshold: 7", 2, ["H07"]),
        ("periodSeconds: 30", 1, []),  # nobody could answer in its place
        ("periodSeconds: 30, failureThreshold: 1", 2, []),
    ],
)
def test_slow_probes(probe, count, expected):
    probed = PODS.replace("image: b", f"image: b, readinessProbe: {{tcpSocket: {{port: 80}}, {probe}}}")
    text = RULE.split("---\n")[1] + probed.replace("COUNT", str(count))
    (config,) = kubernetes.read(["a.yaml"], DiskFiles(memory={"a.yaml": text}))
    assert [hit.code for hit in probe_slow(config, Context())] == expected
