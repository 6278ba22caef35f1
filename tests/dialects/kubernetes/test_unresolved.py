"""Istio: destinations, ports, Gateways and hosts that are not in the run are counted, and told where it is complete."""

from __future__ import annotations

import pytest
from dialects.kubernetes.test_kubernetes import found, one, shares_of
from dialects.kubernetes.test_visibility import APP, rule, sidecar, virtual

from lbcheck.declared import Declarations, declare
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.scenario import Scenario

ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: edge, namespace: shop}}
spec:
  hosts: ["a.example.com"]
  gateways: [{gateways}]
  http: [{{route: [{{destination: {{{to}}}}}]}}]
"""
ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: out, namespace: shop}
spec: {hosts: ["*.example.org"], resolution: NONE, ports: [{number: 80, name: http, protocol: HTTP}]}
"""


def route(to="host: web", gateways="mesh"):
    return ROUTE.format(to=to, gateways=gateways)


def gateway(hosts, namespace="shop"):
    return f"""\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw, namespace: {namespace}}}
spec: {{servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ["{hosts}"]}}]}}
"""


def reasons(*documents):
    return [place.reason for place in one(*documents).unmodelled]


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("host: web", None),
        ("host: web.shop.svc.cluster.local", None),
        ("host: web, port: {number: 80}", None),
        ("host: api.example.org", None),
        ('host: "{{ .Values.host }}"', None),
        ("host: wbe", "where these requests end: no Service shop/wbe was scanned"),
        ("host: api.example.net", "where these requests end: no ServiceEntry for api.example.net was scanned"),
        ("host: web, port: {number: 81}", "where these requests end: the Service shop/web has no port 81"),
    ],
)
def test_destinations(to, expected):
    assert reasons(APP, ENTRY, route(to)) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("gateways", "namespace", "hosts", "expected"),
    [
        ("gw", "shop", "*.example.com", None),
        ("gw", "shop", "*", None),
        ("gw", "shop", "./a.example.com", None),
        ("shop/gw", "shop", "*/a.example.com", None),
        ("./gw", "shop", "shop/*", None),
        ("gw.edge.svc.cluster.local", "edge", "a.example.com", None),
        ("gw, mesh", "shop", "b.example.com", None),
        ("gw", "edge", "*", "what the Gateway shop/gw lets in: it was not scanned"),
        ("gw", "shop", "b.example.com", "who sends requests for a.example.com: none of its Gateways takes that host"),
        ("gw", "shop", "other/*", "who sends requests for a.example.com: none of its Gateways takes that host"),
    ],
)
def test_gateways(gateways, namespace, hosts, expected):
    assert reasons(APP, gateway(hosts, namespace), route(gateways=gateways)) == ([] if expected is None else [expected])


def test_a_destination_rule_for_a_service_that_was_not_scanned():
    missing = rule("shop").replace("web.shop", "wbe.shop")
    assert reasons(APP, missing) == ["what the DestinationRule does: no Service shop/wbe was scanned"]


@pytest.mark.parametrize("hosts", ["[]", '["./*"]'])
def test_a_subset_that_only_other_namespaces_are_shown(hosts):
    sight = [] if hosts == "[]" else [sidecar("front", hosts)]
    told = reasons(APP, rule("shop", 'exportTo: ["."]'), virtual("front"), *sight)
    assert told == ["only callers in shop are shown a DestinationRule with the subset v1"]
    assert reasons(APP, rule("shop"), virtual("front"), *sight) == []


class TestComplete:
    @pytest.mark.parametrize(
        ("to", "complete", "expected"),
        [
            ("host: wbe", (), []),
            ("host: wbe", ("other",), []),
            ("host: wbe", ("shop",), [("shop/wbe", "there is no such Service: its requests get 503")]),
            ("host: web, port: {number: 80}", ("shop",), []),
            (
                "host: web, port: {number: 81}",
                (),
                [("shop/web:81", "the Service has no port 81, only 80 (http): its requests get 503")],
            ),
        ],
    )
    def test_told_where_nothing_else_can_be(self, to, complete, expected):
        told = [finding.message for finding in found(one(APP, route(to)), *complete) if finding.code == "P02"]
        assert told == [f"no pool is called {name}: {effect}" for name, effect in expected]

    @pytest.mark.parametrize(("complete", "lost"), [((), None), (("other",), None), (("shop",), 1.0), (("*",), 1.0)])
    def test_traffic_says_lost_only_where_the_namespace_is_complete(self, complete, lost):
        config = one(APP, route("host: wbe"))
        declare(config, Declarations(complete=frozenset(complete)))
        (target,) = traffic(config, Scenario()).frontends[0].routes[0].targets
        assert target.unserved == lost
        assert ("--complete-namespace" in target.reason) == (lost is None)

    def test_a_port_that_the_service_lacks_reaches_nobody(self):
        assert shares_of(one(APP, route("host: web, port: {number: 81}"))) == {}
