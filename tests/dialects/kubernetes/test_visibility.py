"""Istio: what exportTo, Sidecars and the order of namespaces make of destination rules and virtual services."""

from __future__ import annotations

import pytest
from dialects.kubernetes.test_kubernetes import codes, found, one

from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.scenario import Scenario

APP = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, version: v1}}
    spec: {containers: [{name: a, image: b, ports: [{containerPort: 8080}], readinessProbe: {tcpSocket: {port: 8080}}}]}
"""
EVERYWHERE = "web.shop.svc.cluster.local"


def rule(namespace, more="", name="v1", subset=""):
    return f"""\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: web, namespace: {namespace}}}
spec:
  host: {EVERYWHERE}
  subsets: [{{name: {name}, labels: {{version: v1}}{subset}}}]
  {more}
"""


def virtual(namespace, more="", to="subset: v1"):
    return f"""\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: web, namespace: {namespace}}}
spec:
  hosts: [{EVERYWHERE}]
  {more}
  http: [{{route: [{{destination: {{host: {EVERYWHERE}, {to}}}}}]}}]
"""


def sidecar(namespace, hosts, more=""):
    return f"""\
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: default, namespace: {namespace}}}
spec:
  {more}
  egress: [{{hosts: {hosts}}}]
"""


def reasons(*documents):
    return [place.reason for place in one(*documents).unmodelled]


OWN = 'exportTo: ["."]'


class TestSubsets:
    @pytest.mark.parametrize("where", ["shop", "istio-system", "front"])
    def test_found_by_everybody(self, where):
        assert codes(one(APP, virtual("front"), rule(where))) == []

    def test_a_rule_of_its_own_namespace_alone(self):
        apart = (APP, virtual("front", OWN), rule("shop", OWN))
        assert codes(one(*apart)) == [("K15", "info")]
        assert codes(one(*apart), "front", "shop") == [("K15", "error")]
        (told,) = found(one(*apart), "front", "shop")
        assert "DestinationRule shop/web, which has it, is not exported to front" in told.message
        assert codes(one(APP, virtual("shop", OWN), rule("shop", OWN))) == []
        assert codes(one(APP, virtual("front", OWN), rule("shop", "exportTo: [front]"))) == []

    def test_the_callers_namespace_goes_before_the_services(self):
        own = rule("front", name="v2")
        assert codes(one(APP, virtual("front", OWN), rule("shop"), own)) == [("K15", "error")]
        (told,) = found(one(APP, virtual("front", OWN), rule("shop"), own))
        assert "callers in front follow DestinationRule front/web, not shop/web" in told.message
        assert codes(one(APP, virtual("back", OWN), rule("shop"), own)) == []

    def test_the_services_namespace_goes_before_the_root(self):
        both = (rule("shop", name="v2"), rule("istio-system"))
        assert codes(one(APP, virtual("front", OWN), *both)) == [("K15", "error")]

    def test_a_third_namespace_may_be_the_root_of_this_mesh(self):
        assert codes(one(APP, virtual("front", OWN), rule("mesh")), "*") == []
        assert codes(one(APP, virtual("front", OWN), rule("mesh", OWN)), "*") == [("K15", "error")]

    def test_a_rule_that_others_follow_says_nothing_of_these_callers(self):
        """Another destination rule, of a repository that was not scanned, may have the subset."""
        assert codes(one(APP, virtual("front"), rule("back", OWN, name="v2"))) == [("K15", "info")]
        assert codes(one(APP, virtual("front"), rule("shop", name="v2"))) == [("K15", "error")]

    def test_rules_for_some_workloads_stay_in_their_namespace(self):
        some = "workloadSelector: {matchLabels: {app: x}}"
        assert codes(one(APP, virtual("front", OWN), rule("shop", some)), "*") == [("K15", "error")]

    def test_a_template_decides_later(self):
        assert codes(one(APP, virtual("front", 'exportTo: ["${SPACE}"]'), rule("shop", OWN)), "*") == []


class TestNobody:
    def test_a_virtual_service_that_is_exported_to_nobody(self):
        config = one(APP, virtual("front", 'exportTo: ["~"]', "subset: v9"), rule("shop"))
        assert codes(config) == []
        assert config.frontends == []
        assert reasons(APP, virtual("front", 'exportTo: ["~"]')) == [
            "a VirtualService that no proxy follows: exportTo, or a Sidecar"
        ]

    @pytest.mark.parametrize(("export", "expected"), [("~", []), (".", [("K06", "warning")])])
    def test_it_routes_nothing_to_pods(self, export, expected):
        blind = APP.replace(", readinessProbe: {tcpSocket: {port: 8080}}", "")
        assert codes(one(blind, virtual("front", f"exportTo: ['{export}']", "port: {number: 80}"))) == expected

    def test_a_hundred_namespaces_are_looked_at_and_more_are_all(self):
        names = ", ".join(f"n{at}" for at in range(100))
        assert codes(one(APP, virtual("front", f"exportTo: [{names}]"), rule("shop", OWN)), "*") == [("K15", "error")]
        assert codes(one(APP, virtual("front", f"exportTo: [{names}, m]"), rule("shop", OWN)), "*") == []

    @pytest.mark.parametrize(
        ("hosts", "imported"),
        [
            ("['./*']", True),
            ("['*/*']", True),
            ("['front/*.svc.cluster.local']", True),
            (f"['istio-system/*', 'front/{EVERYWHERE}']", True),
            ("['istio-system/*']", False),
            ("['./other.shop.svc.cluster.local']", False),
            ("['~/*']", False),
        ],
    )
    def test_a_sidecar_imports(self, hosts, imported):
        config = one(APP, virtual("front", OWN), rule("shop"), sidecar("front", hosts))
        assert bool(config.frontends) is imported
        mesh = one(APP, virtual("front", OWN), rule("shop"), sidecar("istio-system", hosts))
        assert bool(mesh.frontends) is imported

    @pytest.mark.parametrize(
        "documents",
        [
            (virtual("front", OWN), sidecar("front", "['~/*']", "workloadSelector: {labels: {app: x}}")),
            (virtual("front", OWN + "\n  gateways: [edge]"), sidecar("front", "['~/*']")),
            (virtual("front"), sidecar("front", "['~/*']")),
            (virtual("front", OWN), sidecar("back", "['~/*']")),
        ],
    )
    def test_other_callers_follow_it_all_the_same(self, documents):
        assert one(APP, rule("shop"), *documents).frontends != []


class TestPolicies:
    POLICY = "trafficPolicy: {loadBalancer: {simple: RANDOM}}"

    @pytest.mark.parametrize(
        ("documents", "expected"),
        [
            ([rule("shop", POLICY)], "RANDOM"),
            ([rule("istio-system", POLICY)], "RANDOM"),
            ([rule("shop"), rule("istio-system", POLICY)], "LEAST_REQUEST"),
            ([rule("shop", POLICY + "\n  " + OWN)], "RANDOM"),
            ([rule("front", POLICY)], "LEAST_REQUEST"),
            ([rule("shop", POLICY + "\n  exportTo: [front]")], "LEAST_REQUEST"),
            ([rule("shop", POLICY).replace(EVERYWHERE, '"*.shop.svc.cluster.local"')], "RANDOM"),
        ],
    )
    def test_a_service_is_called_as_from_beside_it(self, documents, expected):
        config = one(APP, virtual("shop", to="port: {number: 80}"), *documents)
        assert [pool.algorithm.name for pool in config.pools if pool.name == "shop/web"] == [expected]

    def test_what_others_do_is_counted_as_not_checked(self):
        assert reasons(APP, rule("front", self.POLICY)) == ["a DestinationRule that callers in front alone follow"]
        assert reasons(APP, rule("front")) == []
        both = (rule("shop", self.POLICY), rule("shop", self.POLICY.replace("RANDOM", "ROUND_ROBIN")))
        assert reasons(APP, *both) == ["which trafficPolicy for shop/web is the oldest"]

    def test_subsets_of_one_name_are_pools_of_their_own(self):
        other = rule("front").replace("version: v1", "version: v2")
        config = one(APP, virtual("shop", OWN), virtual("front", OWN), rule("shop"), other)
        shares = {
            pool.pool.name: [server.share for server in pool.servers] for pool in traffic(config, Scenario()).pools
        }
        assert shares["shop/web/v1"] == [1.0]
        assert shares["shop/web/v1 of front/web"] == []

    def test_a_policy_without_a_route_needs_routes_of_the_same_callers(self):
        unused = rule("back", OWN, subset=", trafficPolicy: {loadBalancer: {simple: RANDOM}}")
        assert codes(one(APP, unused, virtual("front", OWN, "port: {number: 80}"))) == []
        assert codes(one(APP, unused, virtual("back", OWN, "port: {number: 80}"))) == [("K16", "warning")]


class TestDestinations:
    @pytest.mark.parametrize(
        ("export", "expected"),
        [(".", ["shop/web is not exported to front"]), ("front", []), ("*", []), ("a, front", []), ("", [])],
    )
    def test_services_by_annotation(self, export, expected):
        noted = f"namespace: shop, annotations: {{networking.istio.io/exportTo: '{export}'}}}}\nspec: {{selector"
        service = APP.replace("namespace: shop}\nspec: {selector", noted, 1)
        assert service != APP
        assert reasons(service, virtual("front", OWN, "port: {number: 80}")) == expected
        assert reasons(service, virtual("front", to="port: {number: 80}")) == []

    def entry(self, namespace, address, export="'*'"):
        return f"""\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: out, namespace: {namespace}}}
spec:
  hosts: [out.example.com]
  ports: [{{number: 80, name: http, protocol: HTTP}}]
  resolution: STATIC
  exportTo: [{export}]
  endpoints: [{{address: {address}}}]
"""

    @pytest.mark.parametrize(("namespace", "expected"), [("front", "10.0.0.2"), ("back", "10.0.0.1")])
    def test_service_entries_of_ones_own_namespace_go_before(self, namespace, expected):
        text = virtual(namespace, OWN, "port: {number: 80}").replace(EVERYWHERE, "out.example.com")
        config = one(text, self.entry("infra", "10.0.0.1"), self.entry("front", "10.0.0.2", "."))
        (route,) = config.frontends[0].routes
        assert [server.name for server in route.targets[0].pool.servers] == [expected]

    def test_service_entries_that_callers_do_not_see(self):
        text = virtual("front", OWN, "port: {number: 80}").replace(EVERYWHERE, "out.example.com")
        config = one(text, self.entry("infra", "10.0.0.1", "."))
        assert config.frontends[0].routes[0].targets[0].pool is None
        assert [place.reason for place in config.unmodelled] == ["out.example.com is not exported to front"]
