"""Traefik's kinds: what their routes come to in pods, what is wrong with them, and what keeps the rules silent."""

from __future__ import annotations

from pathlib import Path

import pytest
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, SERVICE, codes, found, joined, load, one

from lbcheck.checks.routing import route_shadowed
from lbcheck.context import Context
from lbcheck.dialects.kubernetes import shapes_traefik
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.scenario import Scenario

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "kubernetes" / "traefik__traefik"
FIXTURES = CORPUS / "pkg" / "provider" / "kubernetes" / "crd" / "fixtures"

ROUTE = """\
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: shop}
spec:
  entryPoints: [web]
  routes:
    - match: Host(`shop.example.com`)
      kind: Rule
      services:
        - {name: web, port: 80}
"""
SPLIT = """\
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: split}
spec:
  weighted:
    services:
      - {name: web, port: 80, weight: 3}
      - {name: api, port: http, weight: 1}
"""
MIRROR = """\
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: copied}
spec:
  mirroring:
    name: web
    port: 80
    mirrors: [{name: api, port: 80, percent: 10}]
"""
WEB = (SERVICE, DEPLOYMENT)
API = tuple(text.replace("web", "api").replace("replicas: 3", "replicas: 1") for text in WEB)


def services(*lines, text=ROUTE):
    return text.replace("        - {name: web, port: 80}\n", "".join(f"        - {line}\n" for line in lines))


def to_split(name="split"):
    return services(f"{{name: {name}, kind: TraefikService}}")


def targets(config):
    (route,) = [route for frontend in config.frontends for route in frontend.routes]
    return {target.name: target.share for target in route.targets}


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ((ROUTE,), {"web": 1.0}),
        ((services("{name: web, port: 80}", "{name: api, port: 80, weight: 3}"),), {"web": 0.25, "api": 0.75}),
        ((to_split(), SPLIT), {"web": 0.75, "api": 0.25}),
        ((services("{name: split, kind: TraefikService}", "{name: web, port: 80}"), SPLIT), {"web": 0.5, "api": 0.125}),
        ((to_split("copied"), MIRROR), {"web": 1.0}),
        ((to_split(), SPLIT.replace("weight: 3", "weight: 0")), {"web": 0.0, "api": 1.0}),
        ((to_split(), SPLIT.replace("weighted", "highestRandomWeight")), {}),
        ((to_split(), SPLIT.replace("name: api, port: http", "name: split, kind: TraefikService")), {}),
        ((to_split("api@internal"),), {}),
        ((to_split("other@file"),), {}),
    ],
)
def test_where_requests_go(documents, expected):
    config = one(*documents, *WEB, *API)
    assert targets(config) == pytest.approx(expected)


def test_parts_of_a_service_that_is_reached_twice():
    config = one(services("{name: split, kind: TraefikService}", "{name: web, port: 80}"), SPLIT, *WEB, *API)
    (route,) = config.frontends[0].routes
    assert [(target.name, target.share) for target in route.targets] == [("web", 0.375), ("api", 0.125), ("web", 0.5)]


def test_pods_get_alike_parts():
    config = one(to_split(), SPLIT, *WEB, *API)
    found = {pool.name: pool for pool in traffic(config, Scenario()).pools}
    assert [(server.share, server.alike) for server in found["web"].servers] == [(1.0, 3)]


def test_routes_win_by_priority_and_else_by_length():
    text = f"""{ROUTE}\
    - {{match: 'PathPrefix(`/`)', priority: 1000, services: [{{name: web, port: 80}}]}}
    - {{match: 'Host(`shop.example.com`) && PathPrefix(`/api`)', services: [{{name: web, port: 80}}]}}
"""
    (frontend,) = one(text, *WEB).frontends
    assert [route.label for route in frontend.routes] == ["shop, route 2", "shop, route 3", "shop, route 1"]
    shadowed = text.replace("PathPrefix(`/api`)', services: [{name: web", "PathPrefix(`/api`)', services: [{name: api")
    assert ("R01", "error") in codes(one(shadowed, *WEB, *API))
    (told,) = [hit for hit in route_shadowed(one(shadowed, *WEB, *API), Context()) if hit.code == "R01"]
    assert told.args["advice"] == "give the narrower router the higher `priority`"


def test_of_two_routes_with_one_rule_the_last_counts():
    text = ROUTE + "    - {match: Host(`shop.example.com`), services: [{name: api, port: 80}]}\n"
    config = one(text, *WEB, *API)
    assert config.frontends[0].routes[0].targets[0].name == "api"
    (told,) = found(config)
    assert told.code == "R02"
    assert ": api gets the requests" in told.message


def test_of_two_routes_of_one_priority_neither_is_shadowed():
    text = ROUTE.replace("kind: Rule", "priority: 7") + (
        "    - {match: 'PathPrefix(`/`)', priority: 7, services: [{name: api, port: 80}]}\n"
    )
    assert codes(one(text, *WEB, *API)) == []


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ((services("{name: wbe, port: 80}"),), ["no such Service", "did you mean web?"]),
        ((services("{name: web, port: 81}"),), ["the Service has no port 81, only 80 (http)", "drops the whole route"]),
        ((services("{name: web}"),), ["names no port", "drops the whole route"]),
        ((services("{name: web, port: https}"),), ["no port https"]),
        ((to_split("splat"), SPLIT, *API), ["no such TraefikService", "did you mean split?"]),
        ((to_split(), SPLIT.replace("port: http", "port: 8080"), *API), ["TraefikService split sends a part to api"]),
    ],
)
def test_services_that_are_not_there(documents, expected):
    (told,) = found(one(*documents, *WEB), "*")
    assert told.code == "K04"
    for words in expected:
        assert words in f"{told.message} ({told.help})"


@pytest.mark.parametrize(
    "documents",
    [
        (services("{name: web, port: http}"),),
        (services("{name: '{{ .Values.name }}', port: 80}"),),
        (services("{name: web, port: 80, namespace: other}"),),
        (to_split("api@internal"),),
        (ROUTE.replace("traefik.io", "traefik.containo.us").replace("Host(`shop.example.com`)", "Host(`a`, `b`)"),),
        (ROUTE.replace("Host(`shop.example.com`)", "HostRegexp(`{sub:[a-z]+}.example.com`)"),),
    ],
)
def test_silent(documents):
    assert [code for code, severity in codes(one(*documents, *WEB)) if severity != "info"] == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("Host(shop.example.com)", "shop.example.com is no text"),
        ("Host(`a`) & Path(`/b`)", "single &"),
        ("Hots(`a`)", "did you mean Host?"),
        ("PathPrefix(`api`)", "begins with /"),
    ],
)
def test_a_rule_that_no_version_takes(rule, words):
    (told,) = found(one(ROUTE.replace("Host(`shop.example.com`)", f'"{rule}"'), *WEB))
    assert (told.code, told.place.line) == ("E09", 7)
    assert words in f"{told.message} ({told.help})"


@pytest.mark.parametrize(
    ("weights", "expected"),
    [((0, 0), ["D05"]), ((50, 60), ["R06"]), ((1, 1), []), ((90, 10), []), ((None, 50), ["D03"])],
)
def test_weights_are_judged_as_everywhere(weights, expected):
    lines = [
        f"{{name: {name}, port: 80{'' if weight is None else f', weight: {weight}'}}}"
        for name, weight in zip(("web", "api"), weights, strict=True)
    ]
    two = API[0], API[1].replace("replicas: 1", "replicas: 3")
    assert [code for code, _ in codes(one(services(*lines), *WEB, *two))] == expected


def test_the_syntax_that_a_route_names_alone_counts():
    text = ROUTE.replace("kind: Rule", "syntax: v3").replace("`shop.example.com`", "`a`, `b`")
    assert codes(one(text, *WEB)) == [("E09", "error")]
    assert codes(one(text.replace("v3", "v2"), *WEB)) == []


@pytest.mark.parametrize(
    ("kind", "match", "expected"),
    [
        ("IngressRouteTCP", "HostSNI(`a`)", []),
        ("IngressRouteTCP", "Host(`a`)", [("E09", "error")]),
        ("IngressRouteUDP", "", []),
    ],
)
def test_tcp_and_udp(kind, match, expected):
    text = ROUTE.replace("kind: IngressRoute", f"kind: {kind}").replace("      kind: Rule\n", "")
    text = text.replace("match: Host(`shop.example.com`)\n      services", f"match: {match}\n      services")
    config = one(text.replace("match: \n      services", "services"), *WEB)
    assert codes(config) == expected
    if not expected:
        assert targets(config) == {"web": 1.0}


def test_of_two_routes_that_take_everything_none_is_narrower():
    text = ROUTE.replace("kind: IngressRoute", "kind: IngressRouteUDP").replace("      kind: Rule\n", "")
    text = text.replace("    - match: Host(`shop.example.com`)\n      services", "    - services")
    second = "    - services:\n        - {name: api, port: http}\n"
    (told,) = [finding for finding in found(one(text + second, *WEB, *API)) if finding.code == "R01"]
    assert told.help == "delete all but one of them, or give each a listener of its own"


def test_a_service_behind_a_route_alone_is_used():
    """K06: a workload that requests reach wants a readiness probe."""
    config = one(to_split(), SPLIT, SERVICE, DEPLOYMENT.replace("readinessProbe", "livenessProbe"), *API)
    assert [code for code, _ in codes(config)] == ["K06"]


def test_a_circle_and_many_children_end():
    texts = []
    for at in range(9):
        head = SPLIT.partition("      - ")[0].replace("split", f"s{at}")
        texts.append(head + f"      - {{name: s{at + 1 if at < 8 else 0}, kind: TraefikService}}\n" * 8)
    assert targets(one(to_split("s0"), *texts)) == {}


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ((services("{name: web, port: 80, strategy: hrw}"),), "hrw gives each pod"),
        ((services("{name: web, port: 80, strategy: p2c}"),), None),
        ((to_split(), SPLIT.replace("weighted", "highestRandomWeight")), "each service of highestRandomWeight"),
        ((ROUTE.replace("  routes:", "  parentRefs: [{name: all}]\n  routes:"),), "a parent has taken"),
    ],
)
def test_what_is_not_known_is_counted(documents, words):
    reasons = [place.reason for place in one(*documents, *WEB, *API).unmodelled]
    assert [words in reason for reason in reasons] == [True] * (words is not None)


@pytest.mark.skipif(not FIXTURES.exists(), reason="the corpus of real configs is not beside the checkout")
def test_fixtures_of_traefik_s_own_provider():
    """Each by itself with the Services beside it: nothing that Traefik takes is an error."""
    wrong = {}
    for path in sorted(FIXTURES.rglob("with_*.yml")) + sorted(FIXTURES.rglob("simple.yml")):
        beside = path.parent / "services.yml"
        texts = {"a_yaml": path.read_text()} | ({"b_yaml": beside.read_text()} if beside.exists() else {})
        told = [(code, severity) for code, severity in codes(load(**texts)) if severity == "error"]
        if told:
            wrong[str(path.relative_to(FIXTURES))] = [code for code, _ in told]
    assert wrong == REFUSED


#: What Traefik's tests expect it to drop: no rule, or no port; and of one rule twice the last.
REFUSED = {
    "tcp/with_externalname_without_ports.yml": ["E08"],
    "udp/with_externalname_without_ports.yml": ["E08"],
    "udp/with_two_routes.yml": ["R01"],
    "with_empty_rule_kind.yml": ["E09"],
    "with_externalname_without_ports.yml": ["K04"],
    "with_one_external_svc_and_regular_svc_health_check.yml": ["K04"],
}


def test_shapes_are_of_all_kinds():
    assert joined(ROUTE) == ROUTE
    assert {name for name in vars(shapes_traefik) if name.isupper() and name[0] != "_"} >= {
        "INGRESS_ROUTE", "INGRESS_ROUTE_TCP", "INGRESS_ROUTE_UDP", "TRAEFIK_SERVICE",
    }  # fmt: skip
