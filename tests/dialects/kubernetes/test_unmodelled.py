"""What decides who gets which requests and is not in the model: counted as not checked, never passed over."""

from __future__ import annotations

import pytest
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, ROUTE, SERVICE, VIRTUAL, app, load, one

from lbcheck.dialects import kubernetes
from lbcheck.text import Source

RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web}
spec:
  host: web
  trafficPolicy: {policy}
"""
FILTER = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: web}
spec: {configPatches: []}
"""
FOREIGN = """\
apiVersion: {group}/v1
kind: {kind}
metadata: {{name: web}}
spec: {{}}
"""


def reasons(*documents):
    return [place.reason.split(":")[0] for place in one(*documents, DEPLOYMENT).unmodelled]


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("projectcontour.io", "HTTPProxy"),
        ("flagger.app", "Canary"),
        ("split.smi-spec.io", "TrafficSplit"),
        ("policy.linkerd.io", "HTTPRoute"),
    ],
)
def test_routes_of_other_controllers(group, kind):
    text = FOREIGN.format(group=group, kind=kind)
    assert kubernetes.recognises(Source("a.yaml", text))
    assert [(place.span.line, place.reason) for place in load(a_yaml=text).unmodelled] == [
        (2, f"where an object of the kind {kind} sends traffic")
    ]
    other = FOREIGN.format(group="example.com", kind=kind)
    assert not kubernetes.recognises(Source("a.yaml", other))
    assert load(a_yaml=other).unmodelled == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (
            "{abort: {percentage: {value: 10}, httpStatus: 503}}",
            ["requests that a fault answers before they reach a pod"],
        ),
        ("{delay: {percentage: {value: 10}, fixedDelay: 5s}}", []),
    ],
)
def test_a_fault_answers_in_place_of_the_pods(fault, expected):
    text = VIRTUAL.replace("  http:\n    - ", f"  http:\n    - fault: {fault}\n      ", 1)
    assert text != VIRTUAL
    assert reasons(text, SERVICE, *app("old", 2), *app("new", 1)) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("{loadBalancer: {simple: RANDOM}}", []),
        ("{loadBalancer: {localityLbSetting: {enabled: true}}}", []),
        ("{loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}]}}}", ["failover by locality"]),
        ("{loadBalancer: {localityLbSetting: {enabled: false, failover: [{from: a, to: b}]}}}", []),
        (
            "{portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: RANDOM}}]}",
            ["a load balancer for one port alone"],
        ),
    ],
)
def test_policies_by_place_and_port(policy, expected):
    assert reasons(RULE.replace("{policy}", policy), SERVICE) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sessionAffinity: ClientIP", ["sessionAffinity"]),
        ("sessionAffinity: None", []),
        ("internalTrafficPolicy: Local", ["internalTrafficPolicy"]),
        ("internalTrafficPolicy: Cluster", []),
        ("trafficDistribution: PreferClose", ["trafficDistribution"]),
    ],
)
def test_services_that_are_not_random(line, expected):
    assert reasons(SERVICE.replace("spec:\n", f"spec:\n  {line}\n")) == expected


@pytest.mark.parametrize("name", ["topology-mode", "topology-aware-hints"])
@pytest.mark.parametrize(("value", "told"), [("Auto", True), ("auto", True), ("Disabled", False), ('""', False)])
def test_services_that_stay_in_a_zone(name, value, told):
    key = f"service.kubernetes.io/{name}"
    text = SERVICE.replace("{name: web}", f"{{name: web, annotations: {{{key}: {value}}}}}", 1)
    config = one(text, DEPLOYMENT)
    assert [place.reason for place in config.unmodelled] == [f"{key}: where callers and pods are is not known"] * told
    assert [place.span.text for place in config.unmodelled] == [value] * told


def test_filters_of_proxies_and_implementations():
    assert reasons(FILTER) == ["what an EnvoyFilter changes in the proxies"]
    own = "filters: [{type: ExtensionRef, extensionRef: {group: x.io, kind: F, name: f}}]"
    text = ROUTE.replace("    - backendRefs", f"    - {own}\n      backendRefs", 1)
    assert text != ROUTE
    assert reasons(text, SERVICE) == ["what a filter of the implementation's own does (ExtensionRef)"]
    text = ROUTE.replace("weight: 90}", f"weight: 90, {own}}}", 1)
    assert text != ROUTE
    assert reasons(text, SERVICE) == ["what a filter of the implementation's own does (ExtensionRef)"]
