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
