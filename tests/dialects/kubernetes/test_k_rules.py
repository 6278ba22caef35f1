"""The K rules where their pages show nothing: what keeps them silent, and how sure they are."""

from __future__ import annotations

import json
import re

import pytest
from dialects.kubernetes.test_kubernetes import (
    DEPLOYMENT,
    INGRESS,
    ROUTE,
    SERVICE,
    VIRTUAL,
    app,
    codes,
    found,
    load,
    one,
)

from lbcheck.dialects import kubernetes
from lbcheck.files import DiskFiles

NO_PROBE = DEPLOYMENT.replace("readinessProbe", "livenessProbe")


def renamed(manifest, name, old="web"):
    """Return a manifest under another name, with a namespace where `name` has one: space/name."""
    space, _, short = name.rpartition("/")
    meta = f"{{name: {short}, namespace: {space}}}" if space else f"{{name: {short}}}"
    return manifest.replace(f"{{name: {old}}}\nspec", f"{meta}\nspec")


GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: infra}
spec:
  gatewayClassName: x
  listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Same}}}]
"""


class TestSelectors:
    @pytest.mark.parametrize(
        ("selector", "expected"),
        [
            ("{app: web, role: primary}", []),
            ("{app: web, statefulset.kubernetes.io/pod-name: web-0}", []),
            ('{app: "${APP}"}', []),
        ],
    )
    def test_labels_of_the_run_time_are_not_judged(self, selector, expected):
        config = one(SERVICE.replace("{app: web}", selector), renamed(DEPLOYMENT, "other"))
        assert [code for code in codes(config) if code != ("K01", "info")] == expected

    @pytest.mark.parametrize(("preview", "told"), [("preview", []), ("other", [("K01", "error")])])
    def test_an_experiment_s_pods_are_there_for_a_while(self, preview, told):
        template = f"{{name: one, specRef: canary, metadata: {{labels: {{app: {preview}}}}}}}"
        strategy = (
            f"  strategy: {{canary: {{steps: [{{setWeight: 5}}, {{experiment: {{templates: [{template}]}}}}]}}}}\n"
        )
        rollout = DEPLOYMENT.replace("apps/v1", "argoproj.io/v1alpha1").replace("kind: Deployment", "kind: Rollout")
        assert codes(one(SERVICE.replace("{app: web}", "{app: preview}"), rollout + strategy)) == told

    def test_a_slip_beside_the_workload_is_an_error(self):
        other = DEPLOYMENT.replace("{name: web}\nspec", "{name: shop}\nspec").replace("app: web", "app: checkout")
        assert codes(one(SERVICE.replace("app: web", "app: chekout"), other)) == [("K01", "error")]
        assert codes(one(SERVICE.replace("app: web", "app: v1"), other.replace("app: checkout", "app: v2"))) == [
            ("K01", "info")
        ]

    def test_elsewhere_it_may_be_another_application(self):
        far = {"x__web_yaml": SERVICE.replace("app: web", "app: wec"), "y__web_yaml": DEPLOYMENT}
        assert codes(load(**far)) == [("K01", "info")]
        assert codes(load(**far), "default") == [("K01", "error")]

    def test_endpoints_by_hand(self):
        by_hand = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web}\nsubsets: [{addresses: [{ip: 10.0.0.1}]}]\n"
        assert codes(one(SERVICE, by_hand), "default") == []

    def test_external_names_select_nothing(self):
        external = SERVICE.replace("spec:\n", "spec:\n  type: ExternalName\n  externalName: a.example.com\n")
        assert codes(one(external), "default") == []


class TestSeveralWorkloads:
    def test_versions_are_a_split_by_replicas(self):
        _, first = app("web", 9)
        _, second = app("web", 1, "v2")
        second = second.replace("{name: web}\nspec", "{name: web-v2}\nspec")
        (finding,) = found(one(SERVICE, first, second))
        assert (finding.code, finding.severity) == ("K02", "info")
        assert "Deployment web-v2 gets 10 % of its traffic" in finding.message

    def test_headless_services_list_their_members(self):
        _, first = app("web", 1)
        second = renamed(first, "cache").replace("8080", "9").replace("name: http", "name: x")
        assert [finding.code for finding in found(one(SERVICE, first, second))] == ["K02"]
        assert codes(one(SERVICE.replace("spec:\n", "spec:\n  clusterIP: None\n"), first, second)) == []

    def test_two_copies_of_one_workload_are_no_two_workloads(self):
        assert codes(one(SERVICE, DEPLOYMENT, DEPLOYMENT.replace("replicas: 3", "replicas: 4"))) == []


class TestPorts:
    def test_a_container_that_declares_nothing_may_listen_anywhere(self):
        number = SERVICE.replace("targetPort: http", "targetPort: 9000")
        assert codes(one(number, DEPLOYMENT)) == [("K03", "warning")]
        sidecar = DEPLOYMENT + "        - {name: proxy}\n"
        assert codes(one(number, sidecar)) == []

    def test_a_list_of_ports_that_may_be_short(self):
        second = SERVICE.replace("targetPort: http}", "targetPort: 8080}, {name: admin, port: 81, targetPort: 9000}")
        assert codes(one(second, DEPLOYMENT)) == [("K03", "info")]
        assert codes(one(second.replace("8080", "8081"), DEPLOYMENT)) == [("K03", "warning"), ("K03", "warning")]

    @pytest.mark.parametrize(
        ("probe", "told"),
        [
            ("readinessProbe: {httpGet: {port: 9000}}", []),
            ("livenessProbe: {tcpSocket: {port: 9000}}", []),
            ("startupProbe: {grpc: {port: 9000}}", []),
            ("startupProbe: {grpc: {port: 9001}}", [("K03", "warning")]),
        ],
    )
    def test_a_port_that_a_probe_asks(self, probe, told):
        number = SERVICE.replace("targetPort: http", "targetPort: 9000")
        assert codes(one(number, re.sub("readinessProbe: .*", probe, DEPLOYMENT))) == told

    def test_a_named_port_of_another_protocol(self):
        assert codes(one(SERVICE, DEPLOYMENT.replace("name: http,", "name: http, protocol: UDP,"))) == [
            ("K03", "error")
        ]

    def test_a_native_sidecar_counts(self):
        port = "ports: [{name: web, containerPort: 1}]"
        sidecar = f"      initContainers:\n        - {{name: p, restartPolicy: Always, {port}}}\n"
        assert codes(one(SERVICE.replace("targetPort: http", "targetPort: web"), DEPLOYMENT + sidecar)) == []


class TestReadiness:
    def test_only_routed_services_count(self):
        assert codes(one(SERVICE, NO_PROBE)) == []
        assert codes(one(SERVICE, NO_PROBE, INGRESS)) == [("K06", "warning")]
        assert codes(one(SERVICE.replace("spec:\n", "spec:\n  type: NodePort\n"), NO_PROBE)) == [("K06", "warning")]

    @pytest.mark.parametrize("kind", ["HTTPRoute", "TCPRoute"])
    def test_a_route_of_another_namespace_reaches_it_where_a_grant_allows_that(self, kind):
        version = "v1" if kind == "HTTPRoute" else "v1alpha2"
        route = (
            f"apiVersion: gateway.networking.k8s.io/{version}\nkind: {kind}\nmetadata: {{name: r, namespace: front}}\n"
            "spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: web, namespace: back, port: 80}]}]}\n"
        )
        behind = [renamed(text, "back/web") for text in (SERVICE, NO_PROBE)]
        grant = (
            "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\n"
            "metadata: {name: g, namespace: back}\n"
            f"spec: {{from: [{{group: gateway.networking.k8s.io, kind: {kind}, namespace: front}}],"
            " to: [{group: '', kind: Service}]}\n"
        )

        def told(*documents):
            return [code for code in codes(one(route, *behind, *documents)) if code[0] == "K06"]

        assert told(grant) == [("K06", "warning")]
        assert told() == told(grant.replace("namespace: front", "namespace: other")) == []

    def test_the_serving_container_counts(self):
        helper = DEPLOYMENT + "        - {name: metrics, ports: [{name: metrics, containerPort: 9100}]}\n"
        assert codes(one(SERVICE, helper, INGRESS)) == []

    def test_istio_writes_the_probe_of_its_gateways(self):
        gateway = NO_PROBE.replace("- name: web\n", "- name: istio-proxy\n          image: auto\n")
        assert codes(one(SERVICE, gateway, INGRESS)) == []
        assert codes(one(SERVICE, gateway.replace("auto", "envoy"), INGRESS)) == [("K06", "warning")]

    @pytest.mark.parametrize(("timeout", "expected"), [(5, []), (6, [("H04", "warning")])])
    def test_a_probe_that_ends_when_the_next_one_is_due(self, timeout, expected):
        times = f"port: http}}, periodSeconds: 5, timeoutSeconds: {timeout}}}"
        assert codes(one(SERVICE, DEPLOYMENT.replace("port: http}}", times))) == expected

    def test_jobs_are_never_ready(self):
        job = NO_PROBE.replace("apps/v1", "batch/v1").replace("Deployment", "Job").replace("  replicas: 3\n", "")
        assert codes(one(SERVICE, job, INGRESS)) == []


class TestIngress:
    @pytest.mark.parametrize("port", ["{number: 80}", "{name: http}", "{name: use-annotation}"])
    def test_ports_that_are_there(self, port):
        assert codes(one(INGRESS.replace("{number: 80}", port), SERVICE, DEPLOYMENT)) == []

    def test_the_old_api(self):
        old = INGRESS.replace("networking.k8s.io/v1", "extensions/v1beta1").replace(
            "{service: {name: web, port: {number: 80}}}", "{serviceName: web, servicePort: 81}"
        )
        assert [code for code, _ in codes(one(old, SERVICE, DEPLOYMENT))] == ["K04"]

    @pytest.mark.parametrize(("port", "expected"), [("number: 3000", []), ("name: admin", [("K04", "error")])])
    def test_an_external_name_takes_any_number(self, port, expected):
        outside = SERVICE.replace("selector: {app: web}", "type: ExternalName\n  externalName: shop.partner.net")
        assert codes(one(INGRESS.replace("number: 80", port), outside)) == expected

    def canary(self, name="canary", **annotations):
        noted = {"nginx.ingress.kubernetes.io/canary": "true"}
        noted |= {f"nginx.ingress.kubernetes.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
        text = INGRESS.replace("{name: web}\nspec", f"{{name: {name}, annotations: {json.dumps(noted)}}}\nspec")
        return text.replace("{name: web, port", "{name: new, port")

    def test_a_canary_without_a_main_ingress(self):
        alone = self.canary(canary_weight="5")
        assert ("K13", "info") in codes(one(alone, *app("new", 1)))
        assert ("K13", "error") in codes(one(alone, *app("new", 1)), "default")

    def test_a_canary_of_nothing(self):
        config = one(INGRESS, SERVICE, DEPLOYMENT, self.canary(), *app("new", 1))
        assert codes(config) == [("K13", "error")]

    def test_a_canary_by_header(self):
        config = one(INGRESS, SERVICE, DEPLOYMENT, self.canary(canary_by_header="x-new"), *app("new", 1))
        assert codes(config) == []

    def test_two_canaries_of_one_path(self):
        two = [self.canary(name, canary_weight="5") for name in ("one", "two")]
        assert codes(one(INGRESS, SERVICE, DEPLOYMENT, *two, *app("new", 1))) == [("K13", "warning")]


class TestNeighbours:
    """A Service or Gateway without a namespace in another folder may be another application's."""

    @pytest.mark.parametrize(
        ("paths", "space", "severity"),
        [
            (("a.yaml", "b.yaml"), "", "error"),
            (("one/a.yaml", "two/b.yaml"), "", "info"),
            (("one/a.yaml", "two/b.yaml"), ", namespace: default", "error"),
        ],
    )
    @pytest.mark.parametrize("code", ["K04", "K11", "K12"])
    def test_ports(self, code, paths, space, severity):
        user, service = {
            "K04": (INGRESS.replace("number: 80", "number: 81"), SERVICE),
            "K11": (ROUTE.replace("port: 80", "port: 81", 1), renamed(SERVICE, "old")),
            "K12": (ROUTE.replace("{name: gw}", "{name: gw, port: 81}"), GATEWAY.replace(", namespace: infra", "")),
        }[code]
        texts = {
            path: re.sub(r"^(metadata: {name: \w+)}", rf"\1{space}}}", text, flags=re.MULTILINE)
            for path, text in zip(paths, (user, service), strict=True)
        }
        (config,) = kubernetes.read(list(texts), DiskFiles(memory=texts))
        told = [finding for finding in found(config) if finding.code == code and "port 81" in finding.message]
        assert [finding.severity for finding in told] == [severity]
        sure = [one for one in found(config, "default") if one.code == code and "port 81" in one.message]
        assert [finding.severity for finding in sure] == ["error"]


class TestGateway:
    def test_a_gateway_that_was_not_scanned(self):
        config = one(ROUTE, *app("old", 1), *app("new", 1))
        assert codes(config) == [("K12", "info")]
        assert codes(config, "default") == [("K12", "error")]

    @pytest.mark.parametrize(
        ("parents", "expected"),
        [
            ("{name: gw, port: 81}", [("error", "does not listen on port 81: its requests get 404")]),
            ("{name: gw, port: 81}, {name: gw, port: 80}", [("warning", "requests that come there get 404")]),
            ("{name: gw, port: 81}, {kind: ListenerSet, name: set}", [("warning", "requests that come there get 404")]),
            ("{name: gw, port: 81}, {name: gw, port: 82}", [("error", "its requests get 404")] * 2),
        ],
    )
    def test_a_parent_that_does_not_take_the_route_beside_one_that_does(self, parents, expected):
        route = ROUTE.replace("{name: gw}", parents)
        texts = (route, GATEWAY.replace(", namespace: infra", ""), *app("old", 1), *app("new", 1))
        told = [finding for finding in found(one(*texts)) if finding.code == "K12"]
        assert [finding.severity for finding in told] == [severity for severity, _ in expected]
        assert all(words in finding.message for finding, (_, words) in zip(told, expected, strict=True))

    def test_connections_get_no_404(self):
        route = ROUTE.replace("HTTPRoute", "TCPRoute").replace("{name: gw}", "{name: gw, port: 81}")
        texts = (route, GATEWAY.replace(", namespace: infra", ""), *app("old", 1), *app("new", 1))
        (told,) = [finding for finding in found(one(*texts)) if finding.code == "K12"]
        assert told.message.endswith("does not listen on port 81: it gets no traffic")

    def test_other_namespaces_are_let_in_where_that_is_said(self):
        route = renamed(ROUTE, "shop/split", "split").replace("{name: gw}", "{name: gw, namespace: infra}")
        apps = [renamed(text, f"shop/{name}", name) for name in ("old", "new") for text in app(name, 1)]
        assert codes(one(route, GATEWAY, *apps)) == [("K12", "error")]
        assert codes(one(route, GATEWAY.replace("from: Same", "from: All"), *apps)) == []
        labelled = GATEWAY.replace("from: Same", "from: Selector, selector: {matchLabels: {a: b}}")
        assert codes(one(route, labelled, *apps)) == []
        space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {a: c}}\n"
        assert codes(one(route, labelled, space, *apps)) == [("K12", "error")]
        assert codes(one(route, labelled, space.replace("a: c", "a: b"), *apps)) == []

    def test_a_namespace_that_is_not_written_may_be_any(self):
        route = ROUTE.replace("{name: gw}", "{name: gw, namespace: infra}")
        assert codes(one(route, GATEWAY, *app("old", 1), *app("new", 1))) == []

    @pytest.mark.parametrize(
        ("listener", "route", "meet"),
        [
            ("*.example.com", "a.example.com", True),
            ("*.example.com", "a.b.example.com", True),
            ("*.example.com", "example.com", False),
            ("a.example.com", "*.example.com", True),
            ("*.example.com", "*.a.example.com", True),
            ("A.example.com", "a.example.com", True),
            ("a.example.com", "b.example.com", False),
        ],
    )
    def test_host_names_meet(self, listener, route, meet):
        from lbcheck.dialects.kubernetes.attachment import meets

        assert meets(listener, route) is meet

    GRANT = """\
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: a, namespace: back}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: front}]
  to: [{group: "", kind: Service}]
"""

    def test_backends_of_other_namespaces_have_to_allow_it(self):
        route = renamed(ROUTE, "front/split", "split").replace("name: old,", "name: old, namespace: back,")
        service = renamed(SERVICE, "back/old").replace("  selector: {app: web}\n", "")

        def told(*documents):
            return [code for code in codes(one(route, service, *documents)) if code[0] == "K11"]

        assert told() == [("K11", "info"), ("K11", "info")]
        assert told(self.GRANT) == [("K11", "info")]
        assert told(self.GRANT.replace("namespace: front", "namespace: other")) == [("K11", "error"), ("K11", "info")]


@pytest.mark.parametrize(("aggression", "advice"), [("-0.1", "write a number of at least 1"), ("2e9", None)])
def test_a_number_without_an_upper_bound(aggression, advice):
    """The CRD has a minimum for it, and no maximum."""
    rule = (
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec:\n  host: a\n"
        f"  trafficPolicy: {{loadBalancer: {{warmup: {{duration: 30s, aggression: {aggression}}}}}}}\n"
    )
    assert [one.help for one in found(one(rule)) if one.code == "E09"] == ([advice] if advice else [])


class TestIstio:
    RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: old}
spec: {host: old, subsets: [{name: v1, labels: {version: v1}}]}
"""

    def test_a_subset_of_a_host_without_rules(self):
        subset = VIRTUAL.replace("{host: old}", "{host: old, subset: v1}").replace("weight: 30", "weight: 10")
        apps = (*app("old", 1), *app("new", 1))
        assert codes(one(subset, *apps)) == [("K15", "info")]
        assert codes(one(subset, *apps), "default") == [("K15", "error")]
        assert codes(one(subset, self.RULE, *apps)) == []
        assert codes(one(subset, self.RULE.replace("host: old", "host: '*.svc.cluster.local'"), *apps)) == []
        assert codes(one(subset, self.RULE.replace("name: v1", "name: v2"), *apps)) == [("K15", "error")]

    @pytest.mark.parametrize(
        ("weights", "expected"),
        [((90, 10), []), ((1, 1), []), ((2, 1), []), ((90, 20), ["K17"]), ((99, 0), ["K17"]), ((50, 50), [])],
    )
    def test_sums_that_look_like_percentages(self, weights, expected):
        text = VIRTUAL.replace("weight: 90", f"weight: {weights[0]}").replace("weight: 30", f"weight: {weights[1]}")
        assert [code for code, _ in codes(one(text, *app("old", 1), *app("new", 1)))] == expected

    def test_a_single_destination_needs_no_weight(self):
        text = VIRTUAL.split("        - destination: {host: new")[0].replace("          weight: 90\n", "")
        assert codes(one(text, *app("old", 1))) == []
