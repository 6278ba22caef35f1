"""What serves nobody, from manifests to reports: proven, it is unserved with the reason; in doubt, it is not known."""

from __future__ import annotations

import json

import pytest
from cli.running import lbcheck
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, INGRESS, SERVICE, app, codes, found, joined, one
from repos import put

from lbcheck.declared import Declarations, declare
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.scenario import Demand, Scenario

GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: default}
spec: {gatewayClassName: x, listeners: [{name: http, port: 80, protocol: HTTP}]}
"""
ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: r, namespace: default}}
spec: {{parentRefs: [{{name: gw}}], rules: [{{backendRefs: [{refs}]}}]}}
"""
GRANT = """\
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {{name: g, namespace: {space}}}
spec:
  from: [{{group: gateway.networking.k8s.io, kind: {kind}, namespace: default}}]
  to: [{{group: "", kind: Service}}]
"""
INGRESS_ROUTE = """\
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {{name: r}}
spec: {{routes: [{{match: "PathPrefix(`/`)", kind: Rule, services: [{services}]}}]}}
"""
VIRTUAL = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: v}}
spec: {{hosts: [shop], http: [{{route: [{{destination: {{{to}}}}}]}}]}}
"""
SUBSETS = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: d}
spec: {host: web, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
"""
LONELY = SERVICE.replace("app: web", "app: nobody")
BOTH = "{name: web, port: 80, weight: 3}, {name: api, port: 80, weight: 1}"
NOBODY = "no workload makes pods with app: nobody, so it has no endpoints"


def run(config, *complete):
    declare(config, Declarations(complete=frozenset(complete)))
    return traffic(config, Scenario())


def targets(config, *complete):
    """Return (pool, share, unserved, reason) of all targets of the only route."""
    (frontend,) = run(config, *complete).frontends
    (route,) = frontend.routes
    return [(to.pool, to.share, to.unserved, to.reason) for to in route.targets]


def in_other(text):
    return text.replace("metadata: {name: web}", "metadata: {name: web, namespace: other}")


class TestServicesWithoutEndpoints:
    def test_a_selector_that_matches_nothing_leaves_its_share_unserved(self):
        config = one(GATEWAY, ROUTE.format(refs=BOTH), LONELY, *app("api", 2))
        seen = run(config, "default")
        pools = {pool.name: pool for pool in seen.pools}
        assert (pools["web"].unserved, pools["web"].unserved_reason, pools["web"].open) == (1.0, NOBODY, False)
        assert (pools["api"].unserved, pools["api"].unserved_reason) == (0.0, None)
        assert seen.frontends[0].unserved == 0.75
        assert ("K01", "error") in codes(config, "default")

    @pytest.mark.parametrize("complete", [(), ("other",)])
    def test_in_an_open_world_it_is_not_known(self, complete):
        seen = run(one(GATEWAY, ROUTE.format(refs=BOTH), LONELY, *app("api", 2)), *complete)
        pools = {pool.name: pool for pool in seen.pools}
        assert pools["web"].unserved is None
        assert pools["web"].unserved_reason is None
        assert pools["web"].reason == "no object of this run says which pods are behind it"
        assert seen.frontends[0].unserved is None

    @pytest.mark.parametrize(
        "text",
        [
            LONELY.replace("app: nobody", "role: leader"),
            LONELY.replace("app: nobody", """app: '${APP}'"""),
            LONELY.replace("  selector: {app: nobody}\n", ""),
            LONELY.replace("ports:", "type: ExternalName\n  externalName: db.example.com\n  ports:"),
        ],
    )
    def test_what_only_the_running_cluster_knows_is_no_proof(self, text):
        seen = run(one(GATEWAY, ROUTE.format(refs="{name: web, port: 80}"), text), "*")
        assert seen.pools[0].unserved_reason is None
        assert seen.pools[0].unserved in (None, 0.0)

    def test_endpoints_that_an_object_gives_serve(self):
        endpoints = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web}\nsubsets: [{addresses: [{ip: 10.0.0.1}]}]\n"
        seen = run(one(GATEWAY, ROUTE.format(refs="{name: web, port: 80}"), LONELY, endpoints), "*")
        assert (seen.pools[0].unserved, seen.frontends[0].unserved) == (0.0, 0.0)

    def test_a_target_port_that_no_pod_has(self):
        named = joined(SERVICE.replace("targetPort: http", "targetPort: grpc"), DEPLOYMENT)
        config = one(GATEWAY, ROUTE.format(refs="{name: web, port: 80}"), named)
        assert ("K03", "error") in codes(config, "default")
        seen = run(config, "default")
        assert seen.pools[0].unserved_reason == "no pod of it has a port named grpc, so it has no endpoints"
        assert seen.frontends[0].unserved == 1.0
        assert run(config).frontends[0].unserved is None

    def test_one_port_of_several_that_no_pod_has(self):
        ports = "ports: [{name: http, port: 80, targetPort: http}, {name: grpc, port: 90, targetPort: grpc}]"
        text = joined(SERVICE.replace("ports: [{name: http, port: 80, targetPort: http}]", ports), DEPLOYMENT)
        refs = "{name: web, port: 80}, {name: web, port: 90}"
        why = "web: no pod has the port to which port 90 of the Service leads"
        config = one(GATEWAY, ROUTE.format(refs=refs), text)
        assert targets(config, "default") == [("web", 0.5, 0.0, None), ("web", 0.5, 1.0, why)]
        assert targets(config) == [("web", 0.5, 0.0, None), ("web", 0.5, None, why)]


class TestReferences:
    @pytest.mark.parametrize(
        ("ref", "objects", "complete", "lost", "why"),
        [
            ("{name: gone, port: 80}", (), ("default",), 1.0, "gone: there is no such Service: its requests get 500"),
            ("{name: gone, port: 80}", (), ("other",), None, "gone: no such Service was scanned: the cluster may"),
            ("{kind: Bucket, name: b}", (), (), 1.0, "Bucket b: a Bucket is no backend: its requests get 500"),
            ("{group: example.com, kind: Bucket, name: b}", (), ("*",), None, "no pool named Bucket b was seen: "),
            ("{name: web, port: 81}", (), (), 1.0, "web: the Service has no port 81, only 80: its requests get 500"),
            ("{name: web, namespace: other, port: 80}", (), ("other",), 1.0, "other/web: no ReferenceGrant of "),
            ("{name: web, namespace: other, port: 80}", (), (), None, "other/web: no ReferenceGrant of "),
            ("{name: web, namespace: other, port: 80}", ("HTTPRoute",), ("other",), 0.0, None),
            ("{name: web, namespace: other, port: 80}", ("TCPRoute",), (), 1.0, "other/web: no ReferenceGrant of "),
            ("{name: '${NAME}', port: 80}", (), ("*",), None, "no pool named ${NAME} was seen: "),
        ],
    )
    def test_a_backend_keeps_its_share_and_serves_it_only_if_it_resolves(self, ref, objects, complete, lost, why):
        grants = [GRANT.format(space="other", kind=kind) for kind in objects]
        other = [in_other(SERVICE), in_other(DEPLOYMENT)]
        refs = ROUTE.format(refs=f"{{name: web, port: 80}}, {ref}")
        config = one(GATEWAY, refs, SERVICE, DEPLOYMENT, *other, *grants)
        good, bad = targets(config, *complete)
        assert good == ("web", 0.5, 0.0, None)
        assert (bad[1], bad[2]) == (0.5, lost)
        assert bad[3] is None if why is None else bad[3].startswith(why)

    def test_what_rule_k11_calls_an_error_is_unserved_and_nothing_else(self):
        refs = "{name: web, port: 81}, {name: gone, port: 80}, {kind: Bucket, name: b}, {name: web, port: 80}"
        config = one(GATEWAY, ROUTE.format(refs=refs), SERVICE, DEPLOYMENT)
        for complete in ((), ("default",)):
            told = [hit for hit in found(config, *complete) if (hit.code, hit.severity) == ("K11", "error")]
            assert sum(lost == 1.0 for *_, lost, _ in targets(config, *complete)) == len(told) == 2 + len(complete)

    def test_all_invalid(self):
        seen = run(one(GATEWAY, ROUTE.format(refs="{kind: Bucket, name: b}"), SERVICE), "*")
        assert seen.frontends[0].unserved == 1.0

    @pytest.mark.parametrize(("complete", "lost"), [((), None), (("default",), 1.0)])
    def test_an_ingress(self, complete, lost):
        ((pool, share, unserved, reason),) = targets(one(INGRESS), *complete)
        assert (pool, share, unserved) == ("web", 1.0, lost)
        assert ("503" in reason) == (lost == 1.0)

    def test_a_port_that_the_service_of_an_ingress_lacks(self):
        config = one(INGRESS.replace("number: 80", "number: 81"), SERVICE, DEPLOYMENT)
        ((_, _, unserved, reason),) = targets(config)
        assert unserved == 1.0
        assert reason == "web: the Service has no port 81, only 80 (http): its requests end in 503"

    @pytest.mark.parametrize(("complete", "lost"), [((), None), (("default",), 1.0)])
    def test_traefik_drops_a_route_of_which_one_service_is_missing(self, complete, lost):
        services = "{name: web, port: 80}, {name: gone, port: 80}"
        config = one(INGRESS_ROUTE.format(services=services), SERVICE, DEPLOYMENT)
        assert [unserved for *_, unserved, _ in targets(config, *complete)] == [lost, lost]
        assert all("gone: " in reason for *_, reason in targets(config, *complete))

    @pytest.mark.parametrize("empty", [LONELY, joined(SERVICE, DEPLOYMENT.replace("replicas: 3", "replicas: 0"))])
    def test_traefik_may_drop_a_route_of_which_one_service_is_empty(self, empty):
        services = "{name: web, port: 80}, {name: api, port: 80}"
        config = one(INGRESS_ROUTE.format(services=services), empty, *app("api", 2))
        why = "api: web has no endpoints: without allowEmptyServices Traefik drops the whole route"
        assert targets(config, "default") == [("web", 0.5, 1.0, None), ("api", 0.5, None, why)]

    @pytest.mark.parametrize(
        ("more", "complete", "why"),
        [
            ([LONELY], ["default"], "web has no endpoints: without allowEmptyServices Traefik leaves it out"),
            ([], ["default"], "there is no such Service: Traefik leaves it out"),
            ([], [], "no such Service was scanned"),
        ],
    )
    def test_without_one_of_its_services_a_tcp_route_gives_all_to_the_others(self, more, complete, why):
        text = INGRESS_ROUTE.replace("IngressRoute", "IngressRouteTCP").replace("PathPrefix(`/`)", "HostSNI(`*`)")
        text = text.replace("kind: Rule, ", "")
        config = one(text.format(services="{name: web, port: 80}, {name: api, port: 80}"), *more, *app("api", 2))
        found = targets(config, *complete)
        assert [(share, unserved) for _, share, unserved, _ in found] == [(None, None), (None, None)]
        assert all(why in reason for *_, reason in found)
        alone = one(text.format(services="{name: web, port: 80}"), *more)
        assert [(share, unserved) for _, share, unserved, _ in targets(alone, *complete)] == [
            (1.0, 1.0 if complete else None)
        ]

    def test_traefik_serves_a_route_of_which_all_services_have_endpoints(self):
        services = "{name: web, port: 80}, {name: api, port: 80}"
        config = one(INGRESS_ROUTE.format(services=services), SERVICE, DEPLOYMENT, *app("api", 2))
        assert targets(config, "default") == [("web", 0.5, 0.0, None), ("api", 0.5, 0.0, None)]

    def test_a_missing_service_of_a_traefik_service_drops_the_route(self):
        weighted = (
            "apiVersion: traefik.io/v1alpha1\nkind: TraefikService\nmetadata: {name: both}\n"
            "spec: {weighted: {services: [{name: web, port: 80}, {name: gone, port: 80}]}}\n"
        )
        services = "{name: both, kind: TraefikService}"
        config = one(INGRESS_ROUTE.format(services=services), weighted, SERVICE, DEPLOYMENT)
        assert [unserved for *_, unserved, _ in targets(config, "default")] == [1.0, 1.0]
        assert [unserved for *_, unserved, _ in targets(config)] == [None, None]

    @pytest.mark.parametrize(
        ("to", "objects", "complete", "lost", "why"),
        [
            ("host: gone", (), ("default",), 1.0, "gone: there is no such Service"),
            ("host: web, port: {number: 81}", (), (), 1.0, "web:81: the Service has no port 81"),
            ("host: web, subset: v3", (SUBSETS,), (), 1.0, "web/v3: DestinationRule d has the subsets v1 and v2"),
            ("host: web, subset: v1", (), (), None, "web/v1: no DestinationRule for it was scanned"),
            ("host: web, subset: v1", (), ("default",), 1.0, "web/v1: there is no DestinationRule for it"),
            ("host: db.example.com", (), (), None, "db.example.com: there is no ServiceEntry"),
            ("host: db.example.com", (), ("*",), 1.0, "db.example.com: there is no ServiceEntry"),
            ("host: web, subset: v1", (SUBSETS,), (), 0.0, None),
        ],
    )
    def test_istio(self, to, objects, complete, lost, why):
        config = one(VIRTUAL.format(to=to), *app("web", 2), *objects)
        ((_, share, unserved, reason),) = targets(config, *complete)
        assert (share, unserved) == (1.0, lost)
        assert reason is None if why is None else reason.startswith(why)

    @pytest.mark.parametrize(("complete", "lost"), [((), None), (("default",), 1.0)])
    def test_a_subset_whose_labels_no_pod_has(self, complete, lost):
        seen = run(one(VIRTUAL.format(to="host: web, subset: v2"), *app("web", 2), SUBSETS), *complete)
        (pool,) = (pool for pool in seen.pools if pool.name == "web/v2")
        assert (pool.unserved, seen.frontends[0].unserved) == (lost, lost)
        assert pool.unserved_reason == (None if lost is None else "no pod of the Service has version: v2")


@pytest.mark.parametrize("where", ["defaultBackend", "path"])
def test_what_becomes_of_requests_to_a_resource_is_not_known(where):
    resource = "{resource: {apiGroup: example.com, kind: Bucket, name: b}}"
    rules = "rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: RESOURCE}]}}]"
    spec = (
        f"  defaultBackend: {resource}\n" if where == "defaultBackend" else f"  {rules.replace('RESOURCE', resource)}\n"
    )
    (frontend,) = run(one(INGRESS.partition("  rules:")[0] + spec), "*").frontends
    (route,) = frontend.routes
    assert (route.outcome, route.unserved, frontend.unserved) == ("unknown", 0.0, None)


def test_demand_on_what_does_not_resolve_reaches_no_pool():
    config = one(GATEWAY, ROUTE.format(refs="{name: web, port: 80}, {name: web, port: 81}"), SERVICE, DEPLOYMENT)
    declare(config, Declarations(demands=[Demand("Gateway gw, listener http", 100.0)]))
    (pool,) = traffic(config, Scenario()).pools
    assert pool.demand == 50.0


def test_shares_that_round_leave_nothing_over():
    (route,) = run(one(GATEWAY, ROUTE.format(refs=", ".join(["{name: web, port: 80}"] * 6)))).frontends[0].routes
    assert route.unserved == 0.0


class TestReports:
    REFS = "{name: web, port: 80}, {name: api, port: 80}, {name: api, port: 81}, {name: gone, port: 80}"

    @pytest.fixture
    def folder(self, tmp_path):
        put(tmp_path, {"new/a.yaml": joined(GATEWAY, ROUTE.format(refs=self.REFS), LONELY, *app("api", 2))})
        return tmp_path

    @pytest.mark.parametrize("form", ["text", "markdown", "mermaid", "svg", "html", "json"])
    def test_each_says_why(self, folder, form):
        for complete in ([], ["--complete-namespace", "default"]):
            text = lbcheck(folder, "traffic", "new", "--output-format", form, *complete).stdout
            words = " ".join(text.replace("<br/>", " ").replace("#58;", ":").split())
            if form not in {"mermaid", "svg"}:  # they have no room for every reason
                assert "the Service has no port 81" in words
            assert ("so it has no endpoints" in words) == bool(complete)

    def test_text(self, folder):
        lines = lbcheck(folder, "traffic", "new", "--complete-namespace", "default").stdout.splitlines()
        assert any("web" in line and "no server takes them" in line and "unserved" in line for line in lines)
        assert f"    ✕ {NOBODY}" in lines
        assert "    ✕ api: the Service has no port 81, only 80: its requests get 500" in lines
        assert "    ✕ gone: there is no such Service: its requests get 500" in lines
        assert lines[-1] == "1 route leads to no pool, 1 pool leaves requests unserved; 2 pools in 1 config"

    def test_text_of_an_open_world_says_what_is_not_known(self, folder):
        text = lbcheck(folder, "traffic", "new").stdout
        assert "    ? gone: no such Service was scanned" in text
        assert "    ✕ api: the Service has no port 81, only 80: its requests get 500" in text
        assert "unserved" not in text

    def test_diff_does_not_call_a_lost_grant_unmoved(self, tmp_path):
        refs = ROUTE.format(refs="{name: web, namespace: other, port: 80}")
        parts = [GATEWAY, refs, in_other(SERVICE), in_other(DEPLOYMENT)]
        grant = GRANT.format(space="other", kind="HTTPRoute")
        put(tmp_path, {"old/a.yaml": joined(*parts, grant), "new/a.yaml": joined(*parts)})
        for complete, moved in ([], None), (["--complete-namespace", "other"], 1.0):
            done = lbcheck(tmp_path, "diff", "old", "new", "--output-format", "json", *complete)
            assert json.loads(done.stdout)["moved"] == moved

    def test_gate(self, folder):
        done = lbcheck(folder, "gate", "new", "--complete-namespace", "default", "--output-format", "json")
        (stage,) = (stage for stage in json.loads(done.stdout)["stages"] if stage["name"] == "traffic")
        assert stage["outcome"] == "failed"
        assert f"100 % of the requests of pool web find no server: {NOBODY}" in stage["reasons"]
