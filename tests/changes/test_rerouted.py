"""People are told which host, path or port goes elsewhere, within one dialect and from one balancer to another."""

from __future__ import annotations

import pytest
from changes.read import addresses, haproxy, named, nginx, versions
from changes.test_routing import ISTIO, TRAEFIK

from lbcheck.changes.compare import compare
from lbcheck.changes.rerouted import rerouted

API = "    upstream api { server 10.0.1.1:80; server 10.0.1.2:80; }\n"
OLD = nginx(*addresses(1, 2), rest=API).replace("location / {", "location /api { proxy_pass http://api; } location / {")
RULES = "    use_backend api if { path_beg /api }\n    default_backend app\n"
NEW = (
    haproxy(*named(1, 2), rest="backend api\n    server a 10.0.1.1:80\n    server b 10.0.1.2:80\n")
    .replace("    default_backend app\n", RULES)
    .replace("127.0.0.1:8080", ":8080")
)


def said(old, new):
    return rerouted(compare(versions(*old), versions(*new)))


def test_nothing_is_said_of_what_decides_alike():
    assert said(("nginx", OLD), ("haproxy", NEW)) == []
    assert said(("nginx", OLD), ("nginx", OLD)) == []


@pytest.mark.parametrize("across", [True, False])
def test_a_path_that_goes_elsewhere(across):
    old, new = ("haproxy", NEW.replace("/api }", "/apj }")), ("nginx", OLD) if across else ("haproxy", NEW)
    assert said(old, new) == [
        "any other host:8080/api goes to pool api, before to pool app",
        "any other host:8080/apj goes to pool app, before to pool api",
    ]


def test_a_lost_port():
    found = said(("nginx", OLD), ("haproxy", NEW.replace(":8080", ":8081")))
    assert "any other host:8080/api goes to no pool, before to pool api" in found
    assert "any other host:8081/ goes to pool app, before to no pool" in found


def test_a_host():
    rule = "    default_backend app\n"
    old, new = (NEW.replace(rule, f"    use_backend app if {{ hdr(host) {name}.test }}\n") for name in ("one", "two"))
    assert {
        "one.test:8080/ goes to no pool, before to pool app",
        "two.test:8080/ goes to pool app, before to no pool",
    } <= {*said(("haproxy", old), ("haproxy", new))}


def test_where_it_is_not_known_the_routes_are_named():
    old, new = {"a.yaml": ISTIO}, {"a.yaml": ISTIO.replace("jason", "bob")}
    gone, come = said(("kubernetes", old), ("kubernetes", new))
    assert gone.startswith("gone: VirtualService shop/web, host web, header:end-user exact jason or path prefix /a: ")
    assert come.startswith("new: VirtualService shop/web, host web, header:end-user exact bob or path prefix /a: ")
    old, new = {"a.yaml": TRAEFIK}, {"a.yaml": TRAEFIK.replace("service: api,", "service: api, priority: 1,")}
    assert said(("traefik", old), ("traefik", new)) == [
        "routes are reached another way, tried in another order, or lead elsewhere"
    ]


KUBERNETES = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec: {gatewayClassName: eg, listeners: [{name: web, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r}
spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: app, port: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {selector: {app: app}, ports: [{port: 80}]}
"""
STREAM = """\
stream {
    upstream app { server 10.0.0.1:80; server 10.0.0.2:80; }
    server { listen 8080; proxy_pass app; }
}
"""
WEB = nginx(*addresses(1, 2))


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        (WEB, WEB.replace("listen 8080", "listen 8080 ssl"), " without TLS", " over TLS"),
        (WEB, WEB.replace("listen 8080", "listen 127.0.0.1:8080"), " at every address", " at 127.0.0.1"),
        (STREAM, STREAM.replace("listen 8080", "listen 8080 udp"), " over TCP", " over UDP"),
        (WEB, WEB.replace("listen 8080", "listen 8081"), "", ""),
    ],
)
def test_two_ways_to_one_port_are_told_apart(old, new, before, after):
    ports = ("8080", "8081" if "8081" in new else "8080")
    assert old != new
    assert sorted(said(("nginx", old), ("nginx", new))) == sorted(
        [
            f"any other host:{ports[0]}/{before} goes to no pool, before to pool app",
            f"any other host:{ports[1]}/{after} goes to pool app, before to no pool",
        ]
    )


def test_a_stream_in_place_of_http():
    new = KUBERNETES.replace("HTTP}", "TCP}").replace("v1\nkind: HTTPRoute", "v1alpha2\nkind: TCPRoute")
    assert said(("kubernetes", {"a.yaml": KUBERNETES}), ("kubernetes", {"a.yaml": new})) == [
        "any other host:80/ as HTTP goes to no pool, before to pool app",
        "any other host:80/ as TCP goes to pool app, before to no pool",
    ]


def test_where_requests_end_is_not_no_pool_where_nobody_knows():
    old, new = {"a.yaml": TRAEFIK}, {"a.yaml": TRAEFIK.replace("service: api,", "service: api@docker,")}
    assert old != new
    gone, come = said(("traefik", old), ("traefik", new))
    assert gone.endswith(": pool api")
    assert come.endswith(": not known where to")
    assert come.removeprefix("new").removesuffix("not known where to") == gone.removeprefix("gone").removesuffix(
        "pool api"
    )


def test_a_route_that_is_known_in_part():
    new = NEW.replace("    default_backend app", "    use_backend %[path,map(/a.map,api)]\n    default_backend app")
    assert new != NEW
    (come,) = said(("haproxy", NEW), ("haproxy", new))
    assert come.startswith("new: ")
    assert come.endswith(": pool api, or not known where to")
