"""Within one dialect: a host, path, rule, priority or port that changes is never "0 % moves"; what says the same is."""

from __future__ import annotations

import pytest
from changes.read import addresses, haproxy, named, nginx, versions

from lbcheck.changes import overall
from lbcheck.changes.compare import compare
from lbcheck.traffic.outcome import Traffic

NGINX = """\
http {
    upstream web { server 10.0.0.1:80; server 10.0.0.2:80; }
    upstream api { server 10.0.1.1:80; server 10.0.1.2:80; }
    server {
        listen 80;
        server_name shop.example.com;
        location /api/ { proxy_pass http://api; }
        location ~ [.]php$ { proxy_pass http://api; }
        location ~ ^/old { proxy_pass http://web; }
        location / { proxy_pass http://web; }
    }
    server { listen 80; server_name other.example.com; location / { proxy_pass http://web; } }
}
"""
HAPROXY = haproxy(*named(1, 2), rest="backend api\n    server a 10.0.1.1:80\n    server b 10.0.1.2:80\n").replace(
    "    default_backend app",
    "    acl is_api path_beg /api\n    use_backend api if is_api\n"
    "    use_backend api if { path_beg /img }\n    default_backend app",
)
ENVOY = """\
static_resources:
  listeners:
    - address: {socket_address: {address: 0.0.0.0, port_value: 80}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/MANAGER
                stat_prefix: shop
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
                route_config:
                  virtual_hosts:
                    - name: shop
                      domains: [shop.example.com]
                      routes:
                        - {match: {prefix: /api, headers: [{name: x-beta, present_match: true}]}, route: {cluster: api}}
                        - {match: {prefix: /}, route: {cluster: web}}
  clusters:
    - name: web
      connect_timeout: 1s
      load_assignment: {cluster_name: web, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {
        address: 10.0.0.1, port_value: 80}}}}]}]}
    - name: api
      connect_timeout: 1s
      load_assignment: {cluster_name: api, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {
        address: 10.0.1.1, port_value: 80}}}}]}]}
""".replace("MANAGER", "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager")
TRAEFIK = """\
http:
  routers:
    api: {rule: "Host(`shop.example.com`) && PathPrefix(`/api/`)", service: api, entryPoints: [web]}
    web: {rule: "Host(`shop.example.com`)", service: web, entryPoints: [web]}
  services:
    api: {loadBalancer: {servers: [{url: "http://10.0.1.1:80"}, {url: "http://10.0.1.2:80"}]}}
    web: {loadBalancer: {servers: [{url: "http://10.0.0.1:80"}, {url: "http://10.0.0.2:80"}]}}
"""
PODS = """\
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web}]}}
"""
INGRESS = (
    """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: w, namespace: shop}
spec:
  rules:
    - host: w.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
"""
    + PODS
)
GATEWAY = (
    """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shop, namespace: shop}
spec: {gatewayClassName: x, listeners: [{name: http, protocol: HTTP, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  parentRefs: [{name: shop}]
  hostnames: [shop.example.com]
  rules: [{matches: [{path: {type: PathPrefix, value: /api}}], backendRefs: [{name: web, port: 80}]}]
"""
    + PODS
)
ISTIO = (
    """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web]
  gateways: [gw]
  http:
    - {match: [{headers: {end-user: {exact: jason}}}, {uri: {prefix: /a}}], route: [{destination: {host: web}}]}
    - {route: [{destination: {host: web}}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec: {selector: {istio: gw}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
"""
    + PODS
)
ROUTE = (
    """\
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: r, namespace: shop}
spec: {entryPoints: [web], routes: [{match: "Host(`a.test`)", kind: Rule, services: [{name: web, port: 80}]}]}
"""
    + PODS
)
TEXTS = {
    "nginx": {"nginx.conf": NGINX},
    "haproxy": {"haproxy.cfg": HAPROXY},
    "envoy": {"envoy.yaml": ENVOY},
    "traefik": {"dynamic.yaml": TRAEFIK},
    "ingress": {"ingress.yaml": INGRESS},
    "gateway": {"gateway.yaml": GATEWAY},
    "istio": {"istio.yaml": ISTIO},
    "route": {"route.yaml": ROUTE},
}
KUBERNETES = frozenset({"ingress", "gateway", "istio", "route"})

CHANGES = [
    ("nginx", "listen 80;\n", "listen 8081;\n"),
    ("nginx", "shop.example.com", "shop.example.org"),
    ("nginx", "/api/", "/apj/"),
    ("nginx", "listen 80; server_name other", "listen 80 default_server; server_name other"),
    ("nginx", "[.]php$", "[.]py$"),
    ("haproxy", ":8080", ":8088"),
    ("haproxy", "path_beg /api", "path_beg /apj"),
    ("haproxy", "path_beg /api", "path_reg ^/api"),
    ("envoy", "port_value: 80}}\n      filter", "port_value: 8181}}\n      filter"),
    ("envoy", "shop.example.com", "shop.example.org"),
    ("envoy", "prefix: /api", "prefix: /apj"),
    ("envoy", "name: x-beta", "name: x-test"),
    ("envoy", "- filters:", "- filter_chain_match: {server_names: [a.test]}\n          filters:"),
    ("traefik", "Host(`shop.example.com`) &&", "Host(`shop.example.org`) &&"),
    ("traefik", "/api/", "/apj/"),
    ("traefik", "service: api,", "service: api, priority: 1,"),
    ("traefik", "service: api, entryPoints: [web]", "service: api, entryPoints: [internal]"),
    ("ingress", "w.example.com", "x.example.com"),
    ("ingress", "path: /,", "path: /w,"),
    ("gateway", "value: /api", "value: /apj"),
    ("gateway", "shop.example.com", "shop.example.org"),
    ("gateway", "port: 80}]}\n---\napiVersion: gateway", "port: 8081}]}\n---\napiVersion: gateway"),
    ("istio", "exact: jason", "exact: bob"),
    ("istio", "prefix: /a", "prefix: /zzz"),
    ("istio", "hosts: [web]", "hosts: [other]"),
    ("istio", "gateways: [gw]", "gateways: [mesh]"),
    ("istio", "number: 80,", "number: 8080,"),
    ("route", "entryPoints: [web]", "entryPoints: [internal]"),
]


def moved(name, change):
    """Return how much of all traffic moves if one text of the dialect's config becomes another."""
    dialect = "kubernetes" if name in KUBERNETES else name
    [(path, text)] = TEXTS[name].items()
    found = change(text)
    assert found != text
    before, after = versions(dialect, {path: text}), versions(dialect, {path: found})
    sides = (Traffic(), Traffic())
    for traffic, versions_of_it in zip(sides, (before, after), strict=True):
        for version in versions_of_it:
            traffic.add(version.traffic)
    changes = compare(before, after)
    assert changes[0].before is not None
    assert changes[0].after is not None
    return overall.moved(changes, *sides)


@pytest.mark.parametrize(("name", "old", "new"), CHANGES)
def test_what_decides_otherwise_is_not_0(name, old, new):
    def change(text):
        assert text.count(old) == 1
        return text.replace(old, new)

    assert moved(name, change) is None


@pytest.mark.parametrize("name", TEXTS)
def test_what_says_the_same_moves_nothing(name):
    assert moved(name, lambda text: text + "# a comment\n") == 0.0


SAME = {
    "locations in another order": (
        "nginx",
        "        location /api/ { proxy_pass http://api; }\n",
        "        location / { proxy_pass http://web; }\n",
    ),
    "rules of one backend": (
        "haproxy",
        "    use_backend api if is_api\n",
        "    use_backend api if { path_beg /img }\n",
    ),
    "routers": (
        "traefik",
        '    api: {rule: "Host(`shop.example.com`) && PathPrefix(`/api/`)", service: api, entryPoints: [web]}\n',
        '    web: {rule: "Host(`shop.example.com`)", service: web, entryPoints: [web]}\n',
    ),
    "alternatives": ("istio", "{headers: {end-user: {exact: jason}}}", "{uri: {prefix: /a}}"),
}


@pytest.mark.parametrize("what", SAME)
def test_another_order_that_decides_the_same_moves_nothing(what):
    name, one, other = SAME[what]

    def turned(text):
        assert text.count(one) == text.count(other) + text.count(other) - 1 == 1
        return text.replace(one, "\0").replace(other, one).replace("\0", other)

    assert moved(name, turned) == 0.0


def test_other_names_that_decide_the_same_move_nothing():
    assert moved("haproxy", lambda text: text.replace("is_api", "wants_api")) == 0.0
    assert moved("haproxy", lambda text: text.replace("frontend web", "frontend shop")) == 0.0
    assert moved("traefik", lambda text: text.replace("    api: {rule", "    rest: {rule")) == 0.0


def test_regular_expressions_in_another_order_are_not_known():
    one, other = "location ~ [.]php$ { proxy_pass http://api; }", "location ~ ^/old { proxy_pass http://web; }"
    turn = {one: other, other: one}
    assert moved("nginx", lambda text: "\n".join(turn.get(line.strip(), line) for line in text.split("\n"))) is None


def test_routes_that_lead_elsewhere_are_not_0():
    turn = {"service: api": "service: web", "service: web": "service: api"}
    found = moved("traefik", lambda text: "\n".join(_turned(line, turn) for line in text.split("\n")))
    assert found is None or found > 0


def _turned(line, turn):
    return next((line.replace(old, new) for old, new in turn.items() if old in line), line)


def test_a_changed_listener_hides_no_other_change():
    old, new = nginx(*addresses(1, 2)), nginx(*addresses(1, 3)).replace("8080", "8081")
    before, after = versions("nginx", old), versions("nginx", new)
    sides = (Traffic(), Traffic())
    sides[0].add(before[0].traffic)
    sides[1].add(after[0].traffic)
    assert overall.moved(compare(before, after), *sides) is None
