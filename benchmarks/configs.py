"""Configs of any size for the benchmarks: regular, valid for the real proxies, with one known number of servers."""

from __future__ import annotations


def nginx(pools: int, servers: int) -> str:
    """An nginx.conf with `pools` upstreams of `servers` each, every one of them routed."""
    lines = [
        "worker_processes auto;",
        "events { worker_connections 8192; }",
        "http {",
        "    proxy_http_version 1.1;",
        '    proxy_set_header Connection "";',
        "    server_names_hash_max_size 262144;",
    ]
    for pool in range(pools):
        lines += [f"    upstream pool{pool} {{", f"        zone pool{pool} 256k;", "        least_conn;"]
        lines += [
            f"        server 10.{pool >> 8}.{pool & 255}.{n + 1}:8080 max_fails=3 fail_timeout=10s;"
            for n in range(servers)
        ]
        lines += [
            "        keepalive 32;",
            "    }",
            "    server {",
            "        listen 8080;",
            f"        server_name s{pool}.example.com;",
            "        location / {",
            "            proxy_set_header Host $host;",
            '            proxy_set_header Connection "";',
            f"            proxy_pass http://pool{pool};",
            "        }",
            "    }",
        ]
    return "\n".join([*lines, "}", ""])


def haproxy(pools: int, servers: int) -> str:
    """A haproxy.cfg with `pools` backends of `servers` each, every one of them routed."""
    lines = [
        "global",
        "    maxconn 20000",
        "defaults",
        "    mode http",
        "    balance roundrobin",
        "    option httpchk GET /healthz",
        "    timeout connect 5s",
        "    timeout client 30s",
        "    timeout server 30s",
        "frontend web",
        "    bind 127.0.0.1:8080",
    ]
    lines += [f"    use_backend pool{pool} if {{ hdr(host) -i s{pool}.example.com }}" for pool in range(pools)]
    lines.append("    default_backend pool0")
    for pool in range(pools):
        lines.append(f"backend pool{pool}")
        lines += [
            f"    server s{n} 10.{pool >> 8}.{pool & 255}.{n + 1}:8080 check inter 5s fall 3 rise 2"
            for n in range(servers)
        ]
    return "\n".join([*lines, ""])


_TYPES = "type.googleapis.com/envoy.extensions"


def envoy(pools: int, servers: int) -> str:
    """An Envoy bootstrap with `pools` clusters of `servers` endpoints each, every one of them routed."""
    lines = [
        "static_resources:",
        "  listeners:",
        "  - name: web",
        "    address: {socket_address: {address: 127.0.0.1, port_value: 8080}}",
        "    filter_chains:",
        "    - filters:",
        "      - name: envoy.filters.network.http_connection_manager",
        "        typed_config:",
        f'          "@type": {_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager',
        "          stat_prefix: web",
        "          http_filters:",
        "          - name: envoy.filters.http.router",
        f'            typed_config: {{"@type": {_TYPES}.filters.http.router.v3.Router}}',
        "          route_config:",
        "            virtual_hosts:",
    ]
    for pool in range(pools):
        lines += [
            f"            - name: s{pool}",
            f"              domains: [s{pool}.example.com]",
            f"              routes: [{{match: {{prefix: /}}, route: {{cluster: pool{pool}}}}}]",
        ]
    lines.append("  clusters:")
    for pool in range(pools):
        lines += [
            f"  - name: pool{pool}",
            "    type: STATIC",
            "    outlier_detection: {max_ejection_percent: 20}",
            "    load_assignment:",
            f"      cluster_name: pool{pool}",
            "      endpoints:",
            "      - lb_endpoints:",
        ]
        for n in range(servers):
            lines += [
                "        - endpoint:",
                "            address:",
                "              socket_address:",
                f"                address: 10.{pool >> 8}.{pool & 255}.{n + 1}",
                "                port_value: 8080",
            ]
    return "\n".join([*lines, ""])


def _weight(pool: int, server: int) -> int:
    return 1 + (pool * 7 + server * 13) % 100


def nginx_weighted(pools: int, servers: int) -> str:
    """As `nginx`, with weights up to 100, and every second pool hashed consistently."""
    lines = ["events {}", "http {", "    server_names_hash_max_size 262144;"]
    for pool in range(pools):
        lines += [f"    upstream pool{pool} {{", f"        zone pool{pool} 256k;"]
        lines += ["        hash $request_uri consistent;"] * (pool % 2)
        lines += [
            f"        server 10.{pool >> 8}.{pool & 255}.{n + 1}:8080 weight={_weight(pool, n)};"
            for n in range(servers)
        ]
        lines += ["    }", f"    server {{ listen 8080; server_name s{pool}.example.com;"]
        lines += [f"        location / {{ proxy_pass http://pool{pool}; }}", "    }"]
    return "\n".join([*lines, "}", ""])


def haproxy_weighted(pools: int, servers: int) -> str:
    """As `haproxy`, with weights up to 100, and every second pool hashed consistently."""
    lines = ["defaults", "    mode http", "    timeout connect 5s", "    timeout client 30s", "    timeout server 30s"]
    lines += ["frontend web", "    bind 127.0.0.1:8080"]
    lines += [f"    use_backend pool{pool} if {{ hdr(host) -i s{pool}.example.com }}" for pool in range(pools)]
    lines.append("    default_backend pool0")
    for pool in range(pools):
        lines += [f"backend pool{pool}"] + ["    balance uri", "    hash-type consistent"] * (pool % 2)
        lines += [
            f"    server s{n} 10.{pool >> 8}.{pool & 255}.{n + 1}:8080 check weight {_weight(pool, n)}"
            for n in range(servers)
        ]
    return "\n".join([*lines, ""])


def nginx_ring(servers: int) -> str:
    """One upstream of equal servers, hashed consistently: a ring of 160 points for each."""
    lines = [f"        server 10.1.{n >> 8}.{n & 255}:8080;" for n in range(servers)]
    inside = "\n".join(["    upstream ring {", "        hash $request_uri consistent;", *lines, "    }"])
    server = "    server { listen 8080; location / { proxy_pass http://ring; } }"
    return f"events {{}}\nhttp {{\n{inside}\n{server}\n}}\n"


SMALL_NGINX = """\
events {}
http {
    upstream app {
        zone app 64k;
        server 10.0.0.1:8080 max_fails=3 fail_timeout=10s;
        server 10.0.0.2:8080 max_fails=3 fail_timeout=10s;
    }
    server {
        listen 80;
        server_name example.com;
        location / {
            proxy_pass http://app;
            proxy_set_header Host $host;
        }
    }
}
"""


_APP = """\
apiVersion: v1
kind: Service
metadata:
  name: app-{0}
  namespace: shop
  labels:
    app: app-{0}
spec:
  type: NodePort
  selector:
    app: app-{0}
  ports:
    - name: http
      port: 80
      targetPort: http
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{0}
  namespace: shop
  labels:
    app: app-{0}
spec:
  replicas: 3
  selector:
    matchLabels:
      app: app-{0}
  template:
    metadata:
      labels:
        app: app-{0}
    spec:
      containers:
        - name: app
          image: example.com/app:{0}
          ports:
            - name: http
              containerPort: 8080
          readinessProbe:
            httpGet:
              path: /ready
              port: http
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 256Mi
          env:
            - name: LOG_LEVEL
              value: "1"
            - name: WORKERS
              value: "2"
"""


def kubernetes(apps: int) -> str:
    """Manifests of as many Services, each with its Deployment of three pods."""
    return "---\n".join(_APP.format(number) for number in range(apps))
