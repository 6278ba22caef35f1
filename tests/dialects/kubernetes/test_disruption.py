"""PodDisruptionBudgets: what the API server refuses, and how many pods of a workload may go at once."""

from __future__ import annotations

import pytest
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, SERVICE, codes, one

BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  LIMIT
"""


def evictable(*documents):
    return [workload.evictable for workload in one(SERVICE, DEPLOYMENT, *documents).world.workloads]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("maxUnavailable: 1", 1),
        ("maxUnavailable: 0", 0),
        ("maxUnavailable: 9", 3),
        ("maxUnavailable: 40%", 2),
        ("minAvailable: 2", 1),
        ("minAvailable: 5", 0),
        ("minAvailable: 34%", 1),
        ("minAvailable: 0%", 3),
        ("{}", None),
        ('minAvailable: "${MIN}"', None),
    ],
)
def test_how_many_of_three_pods(limit, expected):
    assert evictable(BUDGET.replace("LIMIT", "" if limit == "{}" else limit)) == [expected]


def test_pods_with_two_budgets_stay_and_those_of_others_do_not_count():
    loose, strict = (BUDGET.replace("LIMIT", f"maxUnavailable: {most}") for most in (2, 1))
    assert evictable(loose, strict) == [0]
    assert evictable(loose, strict.replace("app: web", "app: other")) == [2]
    assert evictable(strict.replace("{name: web}", "{name: web, namespace: other}")) == [None]


def test_selectors_that_are_empty_or_not_read():
    limited = BUDGET.replace("LIMIT", "maxUnavailable: 1")
    everything = limited.replace("{matchLabels: {app: web}}", "{}")
    assert evictable(everything) == [1]
    assert evictable(everything.replace("policy/v1", "policy/v1beta1")) == [None]
    some = limited.replace("matchLabels: {app: web}", "matchExpressions: [{key: app, operator: Exists}]")
    assert evictable(some) == [None]


def test_an_autoscaler_decides_how_many_there_are():
    scaler = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {kind: Deployment, name: web}, maxReplicas: 9}
"""
    assert evictable(BUDGET.replace("LIMIT", "maxUnavailable: 1"), scaler) == [None]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("maxUnavailable: 1", []),
        ("minAvailable: 100%", []),
        ("minAvailable: 110%", ["E09"]),
        ("minAvailable: -1", ["E09"]),
        ("minAvailable: many", ["E09"]),
        ("minAvailable: 1\n  maxUnavailable: 1", ["E14"]),
    ],
)
def test_what_the_api_server_refuses(limit, expected):
    assert [code for code, _ in codes(one(SERVICE, DEPLOYMENT, BUDGET.replace("LIMIT", limit)))] == expected
