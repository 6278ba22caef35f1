"""L03, L04 and R10 where their pages show nothing: what keeps them silent."""

from __future__ import annotations

import pytest
from dialects.traefik.test_traefik import http, one

from lbcheck.project import judge
from lbcheck.settings import Settings

ROUTER = "r: {rule: Host(`a`), service: app, entryPoints: [web]}"
STATIC = """
entryPoints:
  web: {address: ":80"}
  more: {address: ":81"}
providers:
  file: {filename: f0.yml}
"""


def service(*urls, check="{path: /}"):
    listed = "".join(f"      - {{url: '{url}'}}\n" for url in urls)
    return f"app:\n  loadBalancer:\n    healthCheck: {check}\n    servers:\n{listed}"


def told(config, *codes):
    return [(hit.code, hit.severity) for hit in judge(Settings())(config).findings if hit.code in codes]


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        (["http://10.0.0.1:443"], [("L03", "warning")]),
        (["http://10.0.0.1:8443"], [("L03", "info")]),
        (["https://10.0.0.1:80"], [("L03", "warning")]),
        (["https://10.0.0.1:8443"], []),
        (["http://10.0.0.1"], []),
        (["https://10.0.0.1"], []),
        (["http://10.0.0.1:443", "http://10.0.0.2:9000"], []),
        (["h2c://10.0.0.1:443"], []),
        (["http://{{ .Host }}:443"], []),
    ],
)
def test_schemes_and_ports(urls, expected):
    assert told(one(http(ROUTER, service(*urls))), "L03") == expected


GRPC = "r: {rule: 'Host(`a`) && Header(`Content-Type`, `application/grpc`)', service: app}"


@pytest.mark.parametrize(
    ("router", "url", "check", "fires"),
    [
        (ROUTER, "http://10.0.0.1:50051", "{mode: grpc}", True),
        (ROUTER, "http://10.0.0.1:50051", "{mode: grpc, port: 50052}", False),
        (ROUTER, "h2c://10.0.0.1:50051", "{mode: grpc}", False),
        (ROUTER, "https://10.0.0.1:50051", "{mode: grpc}", False),
        (ROUTER, "http://10.0.0.1:50051", "{path: /}", False),
        (GRPC, "http://10.0.0.1:50051", "{path: /}", True),
        (GRPC.replace("&& ", "&& !"), "http://10.0.0.1:50051", "{path: /}", False),
    ],
)
def test_grpc_wants_http_2(router, url, check, fires):
    assert told(one(http(router, service(url, check=check))), "L04") == [("L04", "error")] * fires


@pytest.mark.parametrize(
    ("old", "new", "fires"),
    [
        ("", "", True),
        ("more: {", "more: {asDefault: true, ", True),
        ("more: {", "traefik: {", False),
        (":81", ":81/udp", True),
        ("more: {", "more: {http: {redirections: {entryPoint: {to: web}}}, ", False),
        ("providers:", "metrics: {prometheus: {entryPoint: more}}\nproviders:", False),
        ("providers:", "providers:\n  docker: {}", False),
        ("providers:\n  file: {filename: f0.yml}", "", False),
    ],
)
def test_an_entry_point_that_nothing_comes_to(old, new, fires):
    config = one(STATIC.replace(old, new, 1) + http(ROUTER, service("http://10.0.0.1:80")))
    assert told(config, "R10") == [("R10", "warning")] * fires


def test_a_router_that_names_none_comes_to_all():
    text = STATIC + http(ROUTER.replace(", entryPoints: [web]", ""), service("http://10.0.0.1:80"))
    assert told(one(text), "R10") == []


def test_entry_points_without_any_router_wait_for_more_files():
    assert told(one(STATIC + "http:\n  middlewares: {m: {compress: {}}}\n"), "R10") == []


PROJECT = """
services:
  proxy:
    image: {image}
    command: --providers.docker --entrypoints.web.address=:80
    ports: ["443:443"]
    labels: {{traefik.http.routers.dash.rule: Host(`d`), traefik.http.routers.dash.service: api@internal}}
  app:
    image: app
    labels: {{traefik.http.services.app.loadbalancer.server.port: {port}}}
"""


@pytest.mark.parametrize(
    ("image", "port", "expected"),
    [
        ("traefik:v3.6", 443, [("L03", "info")]),
        ("traefik:v3.6", 8080, []),
        ("registry.example.com/edge", 8080, []),
    ],
)
def test_what_a_container_speaks_behind_traefik(image, port, expected):
    assert told(one(PROJECT.format(image=image, port=port)), "L03") == expected
