"""H21 in Istio: how many pods there are, and what part of them may be taken out."""

from __future__ import annotations

import pytest

from lbcheck.context import Context
from lbcheck.dialects import kubernetes
from lbcheck.dialects.kubernetes.checks_outliers import outlier_detection_noop
from lbcheck.files import DiskFiles

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
