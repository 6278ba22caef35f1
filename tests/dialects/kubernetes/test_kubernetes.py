"""Kubernetes manifests: recognised by what they are, one world, mistakes at line and column, and the model of them."""

from __future__ import annotations

import json
import textwrap

import pytest
from cli.running import lbcheck

from lbcheck.dialects import kubernetes
from lbcheck.files import DiskFiles
from lbcheck.project import judge
from lbcheck.settings import Settings
from lbcheck.text import Source
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.scenario import Scenario

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /, port: http}}
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
    - host: a.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
"""


def joined(*documents):
    return "---\n".join(textwrap.dedent(one) for one in documents)


def load(*paths, **texts):
    """Read texts that lie in memory, by path; `paths` are those that the run was given, all where none is."""
    memory = {name.replace("__", "/").replace("_yaml", ".yaml"): text for name, text in texts.items()}
    (config,) = kubernetes.read(paths or list(memory), DiskFiles(memory=memory))
    return config


def one(*documents):
    return load(a_yaml=joined(*documents))


def found(config, *complete):
    settings = Settings()
    settings.complete_namespaces = frozenset(complete)
    return judge(settings)(config).findings


def codes(config, *complete):
    return sorted((finding.code, finding.severity) for finding in found(config, *complete))


@pytest.mark.parametrize(
    ("path", "text", "known"),
    [
        ("a.yaml", SERVICE, True),
        ("a.yaml", "\ufeff" + SERVICE, True),
        ("a.yaml", SERVICE.replace("\n", "\r\n"), True),
        ("a.yaml", "# comment\n---\n" + SERVICE, True),
        ("a.yaml", '"apiVersion": "v1"\n"kind": "Service"\n', True),
        ("a.yaml", "kind: ConfigMap\napiVersion: v1\n---\n" + INGRESS, True),
        ("a.yaml", "kind: ConfigMap\napiVersion: v1\n", False),
        ("a.yaml", "apiVersion: serving.knative.dev/v1\nkind: Service\n", False),
        ("a.yaml", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n", True),
        ("a.yaml", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n", False),
        ("a.json", '{"apiVersion": "v1", "kind": "Service"}', True),
        ("a.json", '{"apiVersion": "v1", "kind": "Secret"}', False),
        ("a.yaml", "services:\n  web: {image: x}\n", False),
        ("a.yaml", "kind: Service\n", False),
        ("kustomization.yaml", "resources: [a.yaml]\n", True),
        ("kustomization.yaml", "title: x\n", False),
        ("a.yaml", 'apiVersion: {{ include "x" . }}\nkind: Ingress\n', True),
        ("a.yaml", 'apiVersion: {{ include "x" . }}\nkind: Secret\n', False),
        ("a.yaml", "", False),
    ],
)
def test_recognised_by_group_and_kind(path, text, known):
    assert kubernetes.recognises(Source(path, text)) is known


def test_lists_are_taken_apart_and_pointers_lead_into_them():
    config = load(a_json=json.dumps({
        "apiVersion": "v1",
        "kind": "List",
        "items": [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 0}]}}],
    }))  # fmt: skip
    (finding,) = found(config)
    assert (finding.code, finding.object, finding.pointer) == (
        "E09",
        {"kind": "Service", "namespace": "default", "name": "a"},
        "/items/0/spec/ports/0/port",
    )


def test_all_files_are_one_world():
    config = load(apps__ingress_yaml=INGRESS, base__web_yaml=joined(SERVICE, DEPLOYMENT))
    assert codes(config) == []
    assert [pool.name for pool in config.pools] == ["web"]
    assert [(server.name, server.count) for server in config.pools[0].servers] == [("web", 3)]


def test_an_error_concerns_its_object_alone():
    config = one(INGRESS.replace("number: 80", "number: 81"), SERVICE.replace("port: 80", "port: 800000"), DEPLOYMENT)
    assert ("E09", "error") in codes(config)
    config = one(INGRESS.replace("name: web, port", "name: wbe, port"), "a: [", SERVICE)
    assert [finding.code for finding in found(config)] == ["K04", "E01"]


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("shop_a.example.com", ["E09"]),
        ("Shop.example.com", ["E09"]),
        ("https://a.example.com", ["E09"]),
        ("$BRANCH-review.example.com", []),
        ("${BRANCH}.example.com", []),
        ("MY_DISCOVERY_DOMAIN", []),
        ("shop.BASE_DOMAIN", []),
    ],
)
def test_a_host_that_is_filled_in_later_is_no_mistake(host, told):
    config = one(INGRESS.replace("a.example.com", host), SERVICE, DEPLOYMENT)
    assert [finding.code for finding in found(config) if finding.code == "E09"] == told


def test_syntax_error_has_line_and_column():
    (finding,) = found(load(a_yaml="apiVersion: v1\nkind: Service\nmetadata:\n\tname: a\n"))
    assert (finding.code, finding.place.line, finding.place.column) == ("E01", 4, 1)


def test_a_key_that_stands_twice():
    (finding,) = found(one(DEPLOYMENT + "  replicas: 4\n"))
    assert (finding.code, finding.place.line, finding.pointer) == ("E10", 14, "/spec/replicas")


@pytest.mark.parametrize(
    "text",
    [
        SERVICE.replace("name: web}", "name: {{ .Release.Name }}}"),
        "{{- if .Values.on }}\n" + SERVICE + "{{- end }}\n",
        "{% for one in all %}\n" + SERVICE + "{% endfor %}\n",
        DEPLOYMENT.replace("replicas: 3", "replicas: {{ .Values.replicas }}"),
    ],
)
def test_templates_are_not_checked_and_say_what_to_do(text):
    config = one(text)
    assert codes(config) == []
    (note,) = config.unmodelled
    assert "lbcheck check -" in note.reason
    assert config.pools == []


def test_braces_in_texts_are_no_template():
    config = one(
        SERVICE.replace("metadata: {name: web}", 'metadata: {name: web, annotations: {x: "{{ $labels.job }}"}}'),
        DEPLOYMENT,
    )
    assert config.unmodelled == []
    assert codes(config) == []


def test_standard_input(tmp_path):
    rendered = joined(INGRESS, SERVICE.replace("app: web", "app: wbe "), DEPLOYMENT)
    result = lbcheck(tmp_path, "check", "-", "--isolated", "--output-format", "json", stdin=rendered)
    (finding,) = json.loads(result.stdout)["findings"]
    assert result.returncode == 1
    assert (finding["code"], finding["path"], finding["object"]["kind"], finding["pointer"]) == (
        "K01",
        "-",
        "Service",
        "/spec/selector",
    )


@pytest.mark.parametrize(
    ("options", "settings", "severity"),
    [
        ((), "", "info"),
        (("--complete-namespace", "default"), "", "error"),
        (("--complete-namespace", "*"), "", "error"),
        (("--complete-namespace", "other"), "", "info"),
        ((), 'complete-namespaces = ["default"]\n', "error"),
    ],
)
def test_what_is_missing_from_a_complete_namespace_is_an_error(options, settings, severity, tmp_path):
    (tmp_path / "a.yaml").write_text(INGRESS)
    (tmp_path / "lbcheck.toml").write_text(settings)
    result = lbcheck(tmp_path, "check", "a.yaml", "--output-format", "json", *options)
    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["code"], finding["severity"]) == ("K04", severity)


class TestIgnoring:
    @staticmethod
    def noted(manifest, text):
        note = f"metadata: {{name: web, annotations: {{lbcheck.dev/ignore: {json.dumps(text)}}}}}"
        return manifest.replace("metadata: {name: web}", note)

    def config(self, text):
        return one(self.noted(INGRESS, text).replace("80}", "81}"), SERVICE, DEPLOYMENT)

    @pytest.mark.parametrize(
        "text", ["K04", "K04, K06", "ingress-backend-missing; the port comes later", "K04; until=2999-01-01 reason"]
    )
    def test_an_annotation_silences_its_object(self, text):
        assert codes(self.config(text)) == []

    @pytest.mark.parametrize(
        ("text", "code"),
        [("K06", None), ("K99", "E15"), ("", "E15"), ("K04; until=2020-01-01", "E13"), ("K04; until=soon", "E15")],
    )
    def test_what_does_not_silence_is_told(self, text, code):
        raised = [finding.code for finding in found(self.config(text))]
        assert "K04" in raised
        assert code is None or code in raised

    def test_other_objects_are_not_silenced(self):
        config = one(self.noted(SERVICE, "K04"), INGRESS.replace("80}", "81}"), DEPLOYMENT)
        assert [finding.code for finding in found(config)] == ["K04"]

    def test_a_comment_silences_its_line(self):
        config = one(INGRESS.replace("80}}}", "81}}} # lbcheck: ignore[K04] reason"), SERVICE, DEPLOYMENT)
        assert codes(config) == []


class TestKustomize:
    BASE = "resources: [web.yaml]\n"

    def test_resources_outside_the_named_paths_are_followed(self):
        config = load(
            "over/kustomization.yaml",
            over__kustomization_yaml="namespace: shop\nresources: [../base, extra.yaml]\n",
            over__extra_yaml=INGRESS,
            base__kustomization_yaml=self.BASE,
            base__web_yaml=joined(SERVICE, DEPLOYMENT),
        )
        assert [pool.name for pool in config.pools] == ["shop/web"]
        assert codes(config) == []

    def test_two_overlays_leave_a_base_in_its_own_namespace(self):
        config = load(
            dev__kustomization_yaml="namespace: dev\nresources: [../base]\n",
            prod__kustomization_yaml="namespace: prod\nresources: [../base]\n",
            base__kustomization_yaml=self.BASE,
            base__web_yaml=joined(INGRESS, SERVICE, DEPLOYMENT),
        )
        assert [pool.name for pool in config.pools] == ["web"]
        assert codes(config) == []

    def test_what_patches_change_is_not_judged(self):
        config = load(
            kustomization_yaml="resources: [web.yaml]\npatches:\n- path: probe.yaml\n",
            web_yaml=joined(INGRESS, SERVICE, DEPLOYMENT.replace("readinessProbe", "livenessProbe")),
            probe_yaml="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 9}\n",
        )
        assert codes(config) == []
        assert [note.reason for note in config.unmodelled] == ["patches: patches are not applied"]
        assert config.pools[0].open

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("apiVersion: v1\nkind: ServiceAccount\n", []),
            ("apiVersion: v1\nkind: Secret\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n", []),
            ("apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n", ["a.yaml was not read"]),
            ("apiVersion: v1\nkind: Secret\n---\nkind: {{ .kind }}\n", ["a.yaml was not read"]),
            ("title: x\n", ["a.yaml was not read"]),
            ("", ["a.yaml was not read"]),
        ],
    )
    def test_objects_without_traffic_are_nothing_unchecked(self, text, expected):
        config = load("kustomization.yaml", kustomization_yaml="resources: [a.yaml]\n", a_yaml=text)
        assert [note.reason for note in config.unmodelled] == expected

    def test_what_is_not_here_is_not_checked(self):
        config = load(kustomization_yaml="resources: [gone.yaml, https://example.com/x.yaml]\n")
        assert [note.reason for note in config.unmodelled] == [
            "gone.yaml was not read",
            "https://example.com/x.yaml was not read",
        ]

    def test_kustomizations_that_name_each_other_end(self):
        config = load(
            a__kustomization_yaml="namespace: x\nresources: [../b]\n",
            b__kustomization_yaml="resources: [../a, web.yaml]\n",
            b__web_yaml=SERVICE,
        )
        assert len(config.files) == 3


def shares_of(config):
    """Return what each pod gets of a route's requests: (route, server) → split x 1/replicas."""
    run = traffic(config, Scenario())
    found = {}
    for frontend in run.frontends:
        for route in frontend.routes:
            for target in route.targets:
                pool = None if target.at is None else run.pools[target.at]
                for server in pool.servers if pool else ():
                    if target.share is not None and server.share is not None:
                        found[route.match, server.name] = target.share * server.share / server.alike
    return found


def app(name, replicas, version="v1"):
    service = SERVICE.replace("web", name)
    deployment = DEPLOYMENT.replace("name: web}", f"name: {name}}}").replace("app: web", f"app: {name}")
    labels = deployment.replace("metadata: {labels: {", f"metadata: {{labels: {{version: {version}, ")
    return service, labels.replace("replicas: 3", f"replicas: {replicas}")


ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: split}
spec:
  parentRefs: [{name: gw}]
  rules:
    - backendRefs:
        - {name: old, port: 80, weight: 90}
        - {name: new, port: 80, weight: 10}
"""


def test_gateway_api_split_over_pods():
    found = shares_of(one(ROUTE, *app("old", 3), *app("new", 2)))
    label = "HTTPRoute split, rule 1"
    assert found == {(label, "old"): pytest.approx(0.3), (label, "new"): pytest.approx(0.05)}


def test_a_missing_weight_is_one_in_the_gateway_api_and_nothing_in_istio():
    config = one(ROUTE.replace(", weight: 90", "").replace("weight: 10", "weight: 3"), *app("old", 1), *app("new", 1))
    assert shares_of(config)["HTTPRoute split, rule 1", "old"] == pytest.approx(0.25)
    config = one(VIRTUAL.replace("weight: 90", "headers: {}"), *app("old", 1), *app("new", 1))
    assert shares_of(config) == {("http rule 1", "old"): 0.0, ("http rule 1", "new"): 1.0}


VIRTUAL = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: split}
spec:
  hosts: [shop]
  http:
    - route:
        - destination: {host: old}
          weight: 90
        - destination: {host: new.default.svc.cluster.local}
          weight: 30
"""


def test_istio_weights_are_relative():
    found = shares_of(one(VIRTUAL, *app("old", 2), *app("new", 1)))
    assert found == {("http rule 1", "old"): pytest.approx(0.375), ("http rule 1", "new"): pytest.approx(0.25)}


def test_istio_subsets_take_the_pods_with_their_labels():
    rule = """\
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: web}
        spec:
          host: web
          subsets: [{name: a, labels: {version: v1}}, {name: b, labels: {version: v2}}]
        """
    virtual = VIRTUAL.replace("{host: old}", "{host: web, subset: a}").replace(
        "{host: new.default.svc.cluster.local}", "{host: web, subset: b}"
    )
    _, first = app("web", 3)
    _, second = app("web", 1, "v2")
    second = second.replace("{name: web}\nspec", "{name: web-v2}\nspec")
    found = shares_of(one(virtual, rule, SERVICE, first, second))
    assert found == {("http rule 1", "web"): pytest.approx(0.25), ("http rule 1", "web-v2"): pytest.approx(0.25)}


@pytest.mark.parametrize(
    ("annotations", "part"),
    [
        ({"canary-weight": "10"}, 0.1),
        ({"canary-weight": "50", "canary-weight-total": "1000"}, 0.05),
        ({"canary-weight": "5", "canary-weight-total": "10"}, 0.05),
        ({"canary-weight": "300"}, 1.0),
    ],
)
def test_an_ingress_nginx_canary_takes_its_part(annotations, part):
    noted = {f"nginx.ingress.kubernetes.io/{name}": value for name, value in {"canary": "true", **annotations}.items()}
    canary = INGRESS.replace("{name: web}\nspec", f"{{name: canary, annotations: {json.dumps(noted)}}}\nspec")
    config = one(INGRESS, canary.replace("{name: web, port", "{name: new, port"), *app("web", 2), *app("new", 2))
    found = shares_of(config)
    assert found == {("/", "web"): pytest.approx((1 - part) / 2), ("/", "new"): pytest.approx(part / 2)}


def test_an_autoscaled_pool_is_open():
    scaler = """\
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata: {name: web}
        spec: {scaleTargetRef: {kind: Deployment, name: web}}
        """
    config = one(INGRESS, SERVICE, DEPLOYMENT, scaler)
    assert config.pools[0].open == "an autoscaler decides how many pods Deployment web has"
    assert shares_of(config) == {}


SLICE = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
endpoints:
  - {addresses: [10.0.0.1], nodeName: a}
  - {addresses: [10.0.0.2], nodeName: a}
  - {addresses: [10.0.0.3], nodeName: b}
  - {addresses: [10.0.0.4], nodeName: b, conditions: {ready: false}}
"""


def test_local_traffic_goes_by_node_where_nodes_are_known():
    outside = SERVICE.replace("spec:\n", "spec:\n  type: LoadBalancer\n  externalTrafficPolicy: Local\n")
    shares = shares_of(one(outside, SLICE))
    assert {name: part for (_, name), part in shares.items()} == {
        "10.0.0.1": 0.25,
        "10.0.0.2": 0.25,
        "10.0.0.3": 0.5,
        "10.0.0.4": 0.0,
    }
    run = traffic(one(outside, DEPLOYMENT), Scenario())
    assert "nodes are not known" in run.pools[0].reason


def test_hashed_pods_have_no_known_shares():
    rule = """\
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: old}
        spec: {host: old, trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}}
        """
    run = traffic(one(VIRTUAL, rule, *app("old", 2), *app("new", 1)), Scenario())
    assert [(pool.pool.name, bool(pool.reason)) for pool in run.pools] == [("old", True), ("new", False)]


@pytest.mark.parametrize(
    ("kind", "probe", "seconds"),
    [
        ("refuses", "{httpGet: {port: http}, periodSeconds: 5, failureThreshold: 2}", 10),
        ("refuses", "{tcpSocket: {port: http}}", 30),
        ("hangs", "{httpGet: {port: http}, periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 2}", 12),
        ("hangs", "{httpGet: {port: http}, periodSeconds: 1, timeoutSeconds: 4, failureThreshold: 2}", 8),
        ("errors", "{httpGet: {port: http}}", 30),
        ("errors", "{tcpSocket: {port: http}}", None),
        ("errors", "{exec: {command: [x]}}", None),
    ],
)
def test_a_readiness_probe_takes_a_lost_pod_out(kind, probe, seconds):
    text = DEPLOYMENT.replace("readinessProbe: {httpGet: {path: /, port: http}}", f"readinessProbe: {probe}")
    run = traffic(one(INGRESS, SERVICE, text), Scenario(kind=kind))
    (loss,) = run.pools[0].losses
    assert loss.detection_s == seconds


def test_without_a_probe_a_pod_that_hangs_stays_in():
    text = DEPLOYMENT.replace("readinessProbe", "livenessProbe")
    run = traffic(one(INGRESS, SERVICE, text), Scenario(kind="hangs"))
    (loss,) = run.pools[0].losses
    assert loss.detection_s is None


def test_pods_are_not_probed_from_outside(tmp_path):
    (tmp_path / "a.yaml").write_text(joined(INGRESS, SERVICE, DEPLOYMENT))
    result = lbcheck(tmp_path, "probe", "--dry-run", "a.yaml")
    assert "what kubernetes would ask its servers is not known" in result.stdout


def test_the_same_application_twice_is_one():
    config = load(a__x_yaml=joined(INGRESS, SERVICE, DEPLOYMENT), b__x_yaml=joined(SERVICE, DEPLOYMENT))
    assert (config.pools[0].open, [server.count for server in config.pools[0].servers]) == (None, [3])
    config = load(
        a__x_yaml=joined(INGRESS, SERVICE, DEPLOYMENT), b__x_yaml=DEPLOYMENT.replace("replicas: 3", "replicas: 4")
    )
    assert config.pools[0].open == "the run holds several versions of Deployment web"
    config = load(a__x_yaml=joined(INGRESS, SERVICE, DEPLOYMENT), b__x_yaml=SERVICE.replace("app: web", "app: shop"))
    assert config.pools[0].open == "the run holds several Services web"


@pytest.mark.parametrize(
    ("ports", "host", "shown", "port"),
    [
        ("[{port: 8080}]", "10.0.0.1", "10.0.0.1:8080", 8080),
        ("[{port: 8080}]", "fd00::1", "[fd00::1]:8080", 8080),
        ("[{name: a, port: 1}, {name: b, port: 2}]", "10.0.0.1", "10.0.0.1", None),
        ("[]", "fd00::1", "fd00::1", None),
    ],
)
@pytest.mark.parametrize("kind", ["EndpointSlice", "Endpoints"])
def test_addresses_behind_a_service_have_the_port_of_their_object(kind, ports, host, shown, port):
    service = SERVICE.replace("  selector: {app: web}\n", "")
    assert service != SERVICE
    config = one(INGRESS, service, OBJECTS[kind].format(ports=ports, host=host))
    [server] = config.pools[0].servers
    assert (server.address.text, server.address.host, server.address.port) == (shown, host, port)


OBJECTS = {
    "EndpointSlice": """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: web, labels: {{kubernetes.io/service-name: web}}}}
addressType: IPv4
ports: {ports}
endpoints: [{{addresses: ["{host}"]}}]
""",
    "Endpoints": """\
apiVersion: v1
kind: Endpoints
metadata: {{name: web}}
subsets: [{{addresses: [{{ip: "{host}"}}], ports: {ports}}}]
""",
}
