"""F10 and D04 in Kubernetes: pods on one node, and targets that get nothing."""

from __future__ import annotations

import pytest
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, ROUTE, SERVICE, app, codes, one

SLICE = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 80}]
endpoints: [{addresses: [10.0.0.1], nodeName: a}, {addresses: [10.0.0.2], nodeName: NODE}]
"""


@pytest.mark.parametrize(
    ("pin", "replicas", "expected"),
    [
        ("nodeName: a", 3, [("F10", "info")]),
        ("nodeSelector: {kubernetes.io/hostname: a}", 3, [("F10", "info")]),
        ("nodeSelector: {kubernetes.io/hostname: a}", 1, []),
        ("nodeSelector: {kubernetes.io/os: linux}", 3, []),
        ('nodeName: "${NODE}"', 3, []),
    ],
)
def test_pods_that_are_bound_to_a_node(pin, replicas, expected):
    text = DEPLOYMENT.replace("    spec:\n", f"    spec:\n      {pin}\n").replace(
        "replicas: 3", f"replicas: {replicas}"
    )
    assert codes(one(SERVICE, text)) == expected


def test_pods_of_which_some_are_elsewhere():
    bound = DEPLOYMENT.replace("    spec:\n", "    spec:\n      nodeName: a\n")
    free = DEPLOYMENT.replace("{name: web}\nspec", "{name: free}\nspec").replace("{app: web}", "{app: web, v: x}")
    assert ("F10", "info") not in codes(one(SERVICE, bound, free))
    assert ("F10", "info") in codes(one(SERVICE, bound, free.replace("    spec:\n", "    spec:\n      nodeName: a\n")))


@pytest.mark.parametrize(("node", "expected"), [("a", ["F10"]), ("b", [])])
def test_endpoints_that_are_on_a_node(node, expected):
    alone = SERVICE.replace("  selector: {app: web}\n", "")
    assert [code for code, _ in codes(one(alone, SLICE.replace("NODE", node)))] == expected


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((1, 1, 0), [("D04", "info")]),
        ((1, 0, 0), [("D04", "warning")]),
        ((1, 1, "0 # drained until Friday"), []),
        ((1, 0), []),
        ((0, 0, 0), [("D05", "error")]),
    ],
)
def test_targets_without_weight(weights, expected):
    names = ("north", "south", "west")[: len(weights)]
    refs = "".join(
        f"        - name: {name}\n          port: 80\n          weight: {weight}\n"
        for name, weight in zip(names, weights, strict=True)
    )
    route = f"{ROUTE.split('    - backendRefs')[0]}    - backendRefs:\n{refs}"
    apps = [text for name in names for text in app(name, 2)]
    raised = [found for found in codes(one(route, *apps)) if found[0] in ("D04", "D05")]
    assert raised == expected
