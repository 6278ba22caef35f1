"""What a change in a manifest does to requests before any pod is asked, told by `diff`, `traffic` and `check`."""

from __future__ import annotations

import json

import pytest
from cli.running import lbcheck
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, INGRESS, ROUTE, SERVICE, app, joined, load, one

SERVERS = "servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]"
ISTIO = joined(
    SERVICE,
    DEPLOYMENT,
    f"""\
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {{name: g}}
    spec: {{selector: {{istio: ingressgateway}}, {SERVERS}}}
    """,
    """\
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: v}
    spec:
      hosts: [shop.example.com]
      gateways: [g]
      http:
      - route: [{destination: {host: web}}]
    """,
)
REDIRECTED = ISTIO.replace("hosts: [shop.example.com]}]", "hosts: [shop.example.com], tls: {httpsRedirect: true}}]")


def diff(folder, old, new):
    """Return what `diff` says of a change: the part that moves, what is rerouted, and the servers of pools."""
    (folder / "old.yaml").write_text(old)
    (folder / "new.yaml").write_text(new)
    done = lbcheck(folder, "diff", "old.yaml", "new.yaml", "--isolated", "--output-format", "json")
    return json.loads(done.stdout)


def routes(folder, text):
    """Return what becomes of requests by route: outcome, and the pools with their shares."""
    (folder / "a.yaml").write_text(text)
    done = lbcheck(folder, "traffic", "a.yaml", "--isolated", "--output-format", "json")
    return [
        (route["outcome"], [(target["pool"], target["share"]) for target in route["targets"]])
        for config in json.loads(done.stdout)["frontends"]
        for route in config["routes"]
    ]


def check(folder, text):
    """Return what `check` says of a text: codes, and what was not checked."""
    (folder / "a.yaml").write_text(text)
    found = json.loads(lbcheck(folder, "check", "a.yaml", "--isolated", "--output-format", "json").stdout)
    return [one["code"] for one in found["findings"]], [one["reason"] for one in found["not_checked"]]


def test_a_gateway_that_redirects_to_https_sends_no_plain_request_to_a_pod(tmp_path):
    assert routes(tmp_path, ISTIO) == [("pools", [("web", 1.0)])]
    assert routes(tmp_path, REDIRECTED) == [("answer", [])]
    found = diff(tmp_path, ISTIO, REDIRECTED)
    assert found["moved"] is None
    assert found["rerouted"][-1].endswith("host shop.example.com, every request: no pool")
    assert [(pool["name"], pool["status"]) for pool in found["pools"]] == [("web", "unchanged")]


@pytest.mark.parametrize(
    "server",
    [
        "{port: {number: 443, name: https, protocol: HTTPS}, hosts: [shop.example.com], tls: {mode: SIMPLE}}",
        "{port: {number: 8080, name: other, protocol: HTTP}, hosts: ['*']}",
        "{port: {number: 8080, name: other, protocol: HTTP}, hosts: ['./*.example.com']}",
    ],
)
def test_where_another_server_takes_the_host_requests_reach_the_pods(server, tmp_path):
    both = [one.replace("servers: [", f"servers: [{server}, ") for one in (ISTIO, REDIRECTED)]
    assert routes(tmp_path, both[1]) == [("pools", [("web", 1.0)])]
    assert diff(tmp_path, *both)["moved"] is None
    assert diff(tmp_path, both[1], both[1])["moved"] == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gateways: [g]", "gateways: [g, mesh]"),
        ("gateways: [g]", "gateways: [g, other]"),
        ("protocol: HTTP}", "protocol: HTTPS}"),
        ("httpsRedirect: true", "httpsRedirect: false"),
        ("gateways: [g]", "gateways: ['${GATEWAY}']"),
        ("servers: [", "servers: [{port: {number: 443, name: s, protocol: HTTPS}, hosts: ['${SHOP}']}, "),
    ],
)
def test_it_is_said_only_where_all_requests_meet_the_redirect(old, new, tmp_path):
    text = REDIRECTED.replace(old, new)
    assert text != REDIRECTED
    assert routes(tmp_path, text) == [("pools", [("web", 1.0)])]


def test_a_host_that_is_not_filled_in_yet_may_meet_any_server():
    server = "{port: {number: 443, name: s, protocol: HTTPS}, hosts: [other.example.com], tls: {mode: SIMPLE}}"
    text = REDIRECTED.replace("servers: [", f"servers: [{server}, ")
    for host, outcome in (("shop.example.com", "answer"), ("${SHOP}.example.com", "pools")):
        config = one(text.replace("hosts: [shop.example.com]\n", f"hosts: ['{host}']\n"))
        assert [route.outcome for route in config.frontends[0].routes] == [outcome]


@pytest.mark.parametrize("name", ["./g", "default/g", "g.default", "g.default.svc.cluster.local"])
def test_a_gateway_by_any_of_its_names(name):
    for text, outcome in ((ISTIO, "pools"), (REDIRECTED, "answer")):
        (frontend,) = one(text.replace("gateways: [g]", f"gateways: [{name}]")).frontends
        assert [route.outcome for route in frontend.routes] == [outcome]


def test_what_a_patch_changes_of_it_is_not_known():
    for target, outcome in (("VirtualService", "pools"), ("Gateway", "pools"), ("Service", "answer")):
        config = load(
            kustomization_yaml=f"resources: [a.yaml]\npatches: [{{path: p.yaml, target: {{kind: {target}}}}}]\n",
            a_yaml=REDIRECTED,
            p_yaml="- {op: replace, path: /spec/x, value: []}\n",
        )
        assert [route.outcome for route in config.frontends[0].routes] == [outcome]


@pytest.mark.parametrize("host", ["other.example.com", "elsewhere/shop.example.com", "'*.shop.example.com'"])
def test_servers_for_other_hosts_take_none_of_its_requests(host, tmp_path):
    server = f"{{port: {{number: 443, name: s, protocol: HTTPS}}, hosts: [{host}], tls: {{mode: SIMPLE}}}}"
    assert routes(tmp_path, REDIRECTED.replace("servers: [", f"servers: [{server}, ")) == [("answer", [])]


GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  gatewayClassName: eg
  listeners: [{name: http, port: 80, protocol: HTTP}]
"""
CLASSED = [
    (joined(INGRESS.replace("spec:\n", "spec:\n  ingressClassName: {class}\n", 1)), "Ingress a.example.com"),
    (
        joined(INGRESS.replace("name: web}", "name: web, annotations: {kubernetes.io/ingress.class: {class}}}", 1)),
        "Ingress a.example.com",
    ),
    (joined(GATEWAY.replace("Name: eg", "Name: {class}"), ROUTE), "Gateway gw, listener http"),
]


@pytest.mark.parametrize(("text", "name"), CLASSED)
def test_another_class_may_mean_another_controller(text, name, tmp_path):
    old, new = (joined(SERVICE, DEPLOYMENT, text.replace("{class}", one)) for one in ("one", "two"))
    found = diff(tmp_path, old, new)
    assert found["moved"] is None
    assert found["rerouted"] == [f"{name} has the class two, before the class one: another controller may serve it"]
    assert diff(tmp_path, old, old)["moved"] == 0


def test_a_class_that_nobody_named_before(tmp_path):
    text = joined(SERVICE, DEPLOYMENT, INGRESS)
    found = diff(tmp_path, text, text.replace("spec:\n  rules", "spec:\n  ingressClassName: two\n  rules"))
    assert found["moved"] is None
    assert found["rerouted"] == [
        "Ingress a.example.com has the class two, before no class: another controller may serve it"
    ]


def test_a_class_is_told_beside_a_host_that_goes_elsewhere(tmp_path):
    text = joined(SERVICE, DEPLOYMENT, CLASSED[0][0].replace("{class}", "one"))
    found = diff(tmp_path, text, text.replace("Name: one", "Name: two").replace("path: /\n", "path: /api\n"))
    assert len(found["rerouted"]) > 1
    assert found["rerouted"][-1].startswith("Ingress a.example.com has the class two")


def test_of_two_classes_one_that_changes(tmp_path):
    one, two, three = (
        CLASSED[0][0].replace("{class}", name).replace("name: web}", f"name: {name}}}", 1) for name in ("a", "b", "c")
    )
    found = diff(tmp_path, joined(SERVICE, DEPLOYMENT, one, two), joined(SERVICE, DEPLOYMENT, one, three))
    (words,) = found["rerouted"]
    assert found["moved"] is None
    assert words.startswith("Ingress a.example.com has the class a and the class c, before the class a and the class b")


REDIRECT = "filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]"
SPLIT = joined(GATEWAY, ROUTE, *app("old", 2), *app("new", 2))


def test_no_server_gets_what_a_backends_filter_redirects(tmp_path):
    text = SPLIT.replace("weight: 90}", f"weight: 90, {REDIRECT}}}")
    assert routes(tmp_path, SPLIT) == [("pools", [("old", 0.9), ("new", 0.1)])]
    assert routes(tmp_path, text) == [("pools", [("redirect of HTTPRoute split, rule 1", 0.9), ("new", 0.1)])]
    done = lbcheck(tmp_path, "traffic", "a.yaml", "--isolated")
    assert "no server of it needed" in done.stdout
    assert check(tmp_path, text) == check(tmp_path, SPLIT)
    found = diff(tmp_path, SPLIT, text)
    assert found["moved"] == pytest.approx(0.9)
    assert {pool["name"]: pool["status"] for pool in found["pools"]} == {
        "redirect of HTTPRoute split, rule 1": "added",
        "old": "unchanged",
        "new": "unchanged",
    }


def test_where_all_backends_redirect_the_rule_answers(tmp_path):
    text = SPLIT.replace("weight: 90}", f"weight: 90, {REDIRECT}}}").replace("weight: 10}", f"weight: 10, {REDIRECT}}}")
    assert routes(tmp_path, text) == [("answer", [])]


@pytest.mark.parametrize(
    ("group", "taken"),
    [("", True), ("group: gateway.networking.k8s.io, ", True), ("group: x.io, ", False), ('group: "", ', False)],
)
def test_a_listener_takes_kinds_of_one_group(group, taken, tmp_path):
    allowed = f"allowedRoutes: {{kinds: [{{{group}kind: HTTPRoute}}]}}"
    text = SPLIT.replace("protocol: HTTP}", f"protocol: HTTP, {allowed}}}")
    assert text != SPLIT
    assert check(tmp_path, text)[0] == [*check(tmp_path, SPLIT)[0], *["K12"] * (not taken)]
    found = diff(tmp_path, SPLIT, text)
    assert found["moved_understood"] == (0 if taken else 1)


ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: out}
spec:
  hosts: [out.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 10.0.0.1}, {address: 10.0.0.2}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v}
spec:
  hosts: [out.example.com]
  http: [{route: [{destination: {host: out.example.com}}]}]
"""
TWO = ENTRY.replace("HTTP}]", "HTTP}, {number: 443, name: https, protocol: HTTPS}]", 1)


@pytest.mark.parametrize(
    ("text", "endpoint", "moved", "address"),
    [
        (ENTRY, "10.0.0.1, ports: {http: 8081}", 0.5, "10.0.0.1:8081"),
        (ENTRY, "'2001:db8::1', ports: {http: 8081}", 0.5, "[2001:db8::1]:8081"),
        (ENTRY, "10.0.0.1, ports: {http: 80}", 0, "10.0.0.1"),
        (ENTRY, "10.0.0.1, ports: {other: 8081}", 0, "10.0.0.1"),
        (TWO, "10.0.0.1, ports: {https: 8443}", None, "10.0.0.1 (443 at 8443)"),
        (TWO, "10.0.0.1, ports: {https: 443, http: 80}", 0, "10.0.0.1"),
    ],
)
def test_an_endpoint_with_ports_of_its_own_is_another_process(text, endpoint, moved, address, tmp_path):
    found = diff(tmp_path, text, text.replace("10.0.0.1", endpoint))
    assert found["moved_understood"] == moved
    assert found["pools"][0]["servers"][0]["address"] == address


def test_all_endpoints_follow_a_target_port(tmp_path):
    assert diff(tmp_path, ENTRY, ENTRY.replace("number: 80", "number: 80, targetPort: 8080"))["moved"] == 1
    assert diff(tmp_path, ENTRY, TWO)["moved_understood"] == 0
    assert check(tmp_path, ENTRY) == check(tmp_path, TWO)


def test_plain_requests_and_those_with_tls_on_one_port_are_told_apart(tmp_path):
    found = diff(tmp_path, SPLIT, SPLIT.replace("protocol: HTTP}", "protocol: HTTPS, tls: {mode: Terminate}}"))
    split = "pool new (10 %) and pool old (90 %)"
    assert sorted(found["rerouted"]) == [
        f"any other host:80/ over TLS goes to {split}, before to no pool",
        f"any other host:80/ without TLS goes to no pool, before to {split}",
    ]
