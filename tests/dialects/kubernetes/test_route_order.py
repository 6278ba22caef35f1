"""R01 and R02 in Kubernetes: which rules have an order, and which of the same match are compared."""

from __future__ import annotations

import pytest

from lbcheck.checks.routing import route_duplicate_conflict, route_shadowed
from lbcheck.context import Context
from lbcheck.dialects import kubernetes
from lbcheck.files import DiskFiles

SERVICE = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: shop}\nspec:\n  hosts: [shop]\n"
INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: NAME}\n"
    "spec:\n  rules:\n  - host: a.example\n    http:\n      paths:\n"
)
ALL, API, WEB = (f"route: [{{destination: {{host: {name}}}}}]" for name in ("all", "api", "web"))


def path(prefix, service):
    backend = f"{{service: {{name: {service}, port: {{number: 80}}}}}}"
    return f"      - {{path: {prefix}, pathType: Prefix, backend: {backend}}}\n"


def found(check, text):
    config = kubernetes.read(["a.yaml"], DiskFiles(roots=["."], memory={"a.yaml": text}))[0]
    return [(hit.span.line, hit.severity) for hit in check(config, Context())]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (f"  http:\n  - {ALL}\n  - match: [{{uri: {{prefix: /a}}}}]\n    {API}\n", [(8, "error")]),
        (f"  http:\n  - match: [{{uri: {{prefix: /a}}}}]\n    {API}\n  - {ALL}\n", []),
        (f"  http:\n  - redirect: {{uri: /x}}\n  - match: [{{uri: {{prefix: /a}}}}]\n    {API}\n", [(8, "warning")]),
        (f"  http:\n  - {ALL}\n  tcp:\n  - {API}\n", []),
        (f"  http:\n  - match: [{{gateways: [edge]}}]\n    {ALL}\n  - {API}\n", []),
    ],
)
def test_the_rules_of_a_virtual_service_have_an_order(rules, expected):
    assert found(route_shadowed, SERVICE + rules) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (INGRESS + path("/a", "api") + path("/a", "web"), [(10, None)]),
        (INGRESS + path("/a", "api") + path("/a", "api"), [(10, "info")]),
        (INGRESS + path("/", "api") + path("/a", "web"), []),
        (INGRESS + path("/a", "api") + "---\n" + INGRESS.replace("NAME", "other") + path("/a", "web"), []),
    ],
)
def test_the_same_path_twice_in_one_object(text, expected):
    assert found(route_duplicate_conflict, text) == expected


def test_more_specific_paths_need_no_order():
    assert found(route_shadowed, INGRESS + path("/", "api") + path("/a", "web")) == []


def test_a_route_with_two_parents_of_one_listener_is_there_once():
    gateway = (
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"
        "spec:\n  gatewayClassName: x\n  listeners: [{name: web, port: 80, protocol: HTTP}]\n---\n"
    )
    route = (
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: shop}\n"
        "spec:\n  parentRefs: [{name: edge}, {name: edge, sectionName: web}]\n"
        "  rules: [{matches: [{path: {value: /a}}], backendRefs: [{name: api, port: 80}]}]\n"
    )
    assert found(route_duplicate_conflict, gateway + route) == []
