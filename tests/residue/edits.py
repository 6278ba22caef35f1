"""Edits of `configs`: (config, what is written, what is written instead), for the dangerous ones the field's name."""

from __future__ import annotations

_ANNOTATION = '    nginx.ingress.kubernetes.io/proxy-read-timeout: "30"\n'
_SERVICE = "  name: app\n  namespace: shop\nspec:\n  selector: {app: app}\n"

HARMLESS = [
    ("envoy", '"%START_TIME%"', '"%START_TIME% %RESPONSE_CODE%"'),
    ("envoy", "stat_prefix: web", "stat_prefix: edge"),
    ("envoy", "/var/log/envoy.log", "/dev/stdout"),
    ("envoy", "timeout: 5s", "timeout: 9s"),
    ("envoy", "connect_timeout: 1s", "connect_timeout: 2s"),
    ("envoy", "    - name: main\n      filters", "    - name: other\n      filters"),
    ("envoy", "              - name: api\n                match", "              - match"),
    ("envoy", "  - name: app\n    type: STATIC\n", "  - name: app\n    type: STATIC\n    alt_stat_name: x\n"),
    ("envoy", "{name: app, weight: 90}", "{name: app, weight: 80}"),
    ("envoy", "load_balancing_weight: 3", "load_balancing_weight: 5"),
    ("envoy", "domains: [", "response_headers_to_add: [{header: {key: a, value: b}}]\n              domains: ["),
    ("envoy", "stat_prefix: web\n", "stat_prefix: web\n          server_name: x\n          stream_idle_timeout: 9s\n"),
    ("envoy", "    lb_policy: ROUND_ROBIN\n", ""),
    ("envoy", "    connect_timeout: 1s\n    load", "    connect_timeout: 1s\n    lb_policy: ROUND_ROBIN\n    load"),
    ("envoy", "static_resources:\n", "admin: {address: {pipe: {path: /tmp/a}}}\nstatic_resources:\n"),
    ("ingress", "replicas: 3", "replicas: 5"),
    ("ingress", "example/app:1.2", "example/app:1.3"),
    ("ingress", "cpu: 100m", "cpu: 200m"),
    ("ingress", "value: fast", "value: slow"),
    ("ingress", "greeting: hello", "greeting: hi"),
    ("ingress", "  labels: {team: web}\n", "  labels: {team: shop}\n"),
    ("ingress", 'timeout: "30"', 'timeout: "60"'),
    ("ingress", _ANNOTATION, _ANNOTATION + '    nginx.ingress.kubernetes.io/proxy-body-size: "8m"\n'),
    ("ingress", "letsencrypt", "staging"),
    ("ingress", "secretName: cert-a", "secretName: cert-b"),
    ("ingress", "  name: app\n  namespace: shop\nspec:", "  name: app\n  labels: {a: b}\n  namespace: shop\nspec:"),
    ("mesh", "example/app:1", "example/app:2"),
    ("mesh", "request: 10s", "request: 20s"),
    ("mesh", "timeout: 3s", "timeout: 4s"),
    ("mesh", "  - name: all\n", "  - name: every\n"),
    ("mesh", "connectTimeout: 1s", "connectTimeout: 2s"),
    ("mesh", "gw, namespace: shop}", "gw, namespace: shop, labels: {a: b}}"),
    ("mesh", "- name: app\n      port: 80\n", "- name: app\n      port: 80\n      weight: 1\n"),
    ("traefik", "frameDeny: true", "frameDeny: true, stsSeconds: 9"),
    ("traefik", "interval: 10s", "interval: 20s"),
    ("traefik", "100ms", "200ms"),
    ("traefik", "certResolver: le", "certResolver: zero"),
    ("traefik", "compress: {}", "compress: {minResponseBodyBytes: 1200}"),
    ("compose", "example/app:1", "example/app:2"),
    ("compose", "MODE=fast", "MODE=slow"),
    ("compose", "team=web", "team=shop"),
    ("compose", "cpus:", "memory: 1G, cpus:"),
    ("compose", "replicas: 3", "replicas: 4"),
    ("compose", "data:/data", "data:/var/data"),
    ("nginx", "$remote_addr $status", "$remote_addr $host $status"),
    ("nginx", "gzip on", "gzip off"),
    ("nginx", "proxy_read_timeout 30s", "proxy_read_timeout 60s"),
    ("nginx", "            proxy_set_header Host $host;\n", ""),
    ("nginx", "1024", "2048"),
    ("nginx", "10m", "20m"),
    ("nginx", "server 10.0.0.1:80;", "server 10.0.0.1:80 weight=2;"),
    ("nginx", "server 10.0.0.1:80;", "server 10.0.0.1:80 weight=1;"),
    ("nginx", "        server 10.0.0.1:80;\n        server 10.0.0.2:80;\n", "server 10.0.0.2:80; server 10.0.0.1:80;"),
    ("haproxy", "/dev/log", "127.0.0.1:514"),
    ("haproxy", "option httplog", "option tcplog"),
    ("haproxy", "timeout client 30s", "timeout client 60s"),
    ("haproxy", "X-Forwarded-Proto http", "X-Forwarded-Proto https"),
    ("haproxy", "10.0.0.1:80 check", "10.0.0.1:80 check weight 2"),
    ("haproxy", "10.0.0.1:80 check", "10.0.0.1:80 check inter 5s"),
    ("haproxy", "    balance roundrobin\n", "    balance roundrobin\n    http-response set-header A b\n"),
]
_ROUTE = "                route: {cluster: api, timeout: 5s}\n"
_FILTERS = "          http_filters:\n"
_FAULT = (
    "          - name: envoy.filters.http.fault\n            typed_config:\n"
    '              "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault\n'
    "              abort: {http_status: 503, percentage: {numerator: 100}}\n"
)
_HOST = "            - name: all\n"

_MATCH = "match: {prefix: /api}"
_FILTER_CHAIN = "    filter_chains:\n"
_PROXIED = (
    "    listener_filters:\n    - name: envoy.filters.listener.proxy_protocol\n      typed_config:\n"
    '        "@type": type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol\n'
)
_BACKEND = "    default_backend"

#: The fields are such as nobody is likely to model, made-up ones where the proxy takes any.
DANGEROUS = [
    ("envoy", _HOST, _HOST + "              rate_limits: [{actions: [{remote_address: {}}]}]\n", "rate_limits"),
    (
        "envoy",
        _HOST,
        _HOST + "              include_attempt_count_in_response: true\n",
        "include_attempt_count_in_response",
    ),
    ("envoy", _FILTERS, _FILTERS + _FAULT, "http_filters"),
    ("envoy", _FILTERS, "          strip_trailing_host_dot: true\n" + _FILTERS, "strip_trailing_host_dot"),
    ("envoy", _FILTER_CHAIN, _PROXIED + _FILTER_CHAIN, "listener_filters"),
    (
        "envoy",
        "  - name: app\n    type",
        "  - name: app\n    close_connections_on_host_health_failure: true\n    type",
        "close_connections_on_host_health_failure",
    ),
    ("envoy", _ROUTE, _ROUTE.replace("5s", "5s, prefix_rewrite: /v2"), "prefix_rewrite"),
    (
        "ingress",
        _ANNOTATION,
        "    nginx.ingress.kubernetes.io/unheard-of: x\n",
        "nginx.ingress.kubernetes.io/unheard-of",
    ),
    ("ingress", _ANNOTATION, "    haproxy.org/deny-list: 10.0.0.0/8\n" + _ANNOTATION, "haproxy.org/deny-list"),
    ("ingress", _SERVICE, _SERVICE + "  unheardOf: Local\n", "unheardOf"),
    ("ingress", "name: settings", "name: ingress-nginx-controller", "ConfigMap"),
    ("mesh", "gatewayClassName: eg", "gatewayClassName: eg\n  unheardOf: {a: b}", "unheardOf"),
    ("mesh", "  - name: http\n    protocol", "  - name: http\n    unheardOf: {a: b}\n    protocol", "unheardOf"),
    ("mesh", "    timeouts: {", "    unheardOf: {a: b}\n    timeouts: {", "unheardOf"),
    ("mesh", "    timeout: 3s\n", "    timeout: 3s\n    unheardOf: {a: b}\n", "unheardOf"),
    ("mesh", "  trafficPolicy:\n", "  trafficPolicy:\n    unheardOf: {a: b}\n", "unheardOf"),
    ("traefik", "compress: {}", "unheardOf: {}", "unheardof"),
    ("traefik", "certResolver: le", "certResolver: le, options: strict", "options"),
    ("compose", "    - com", "    - traefik.docker.network=other\n    - com", "traefik.docker.network"),
    ("compose", "--providers.docker=true", "--providers.docker.network=other", "command"),
    ("nginx", "        listen 80;\n", "        listen 80;\n        satisfy any;\n", "satisfy"),
    ("nginx", "allow 10.0.0.0/8;", "allow 10.0.0.0/8; deny all;", "deny"),
    ("nginx", "proxy_pass http://app;\n", "auth_request /auth;\n            proxy_pass http://app;\n", "auth_request"),
    ("nginx", "proxy_pass http://app;\n", "if ($arg_x) { return 403; }\n            proxy_pass http://app;\n", "if"),
    ("nginx", "^/old(.*)", "^/ol(.*)", "rewrite"),
    ("haproxy", _BACKEND, "    http-request set-dst hdr(x)\n" + _BACKEND, "http-request"),
    ("haproxy", _BACKEND, "    tcp-request content lua.gate\n" + _BACKEND, "tcp-request"),
    ("haproxy", _BACKEND, "    filter bwlim-in x default-limit 1 default-period 1s\n" + _BACKEND, "filter"),
    ("haproxy", _BACKEND, "    http-request lua.gate\n" + _BACKEND, "http-request"),
]
