"""One config of each dialect, realistic enough to be edited in harmless and in dangerous places."""

from __future__ import annotations

ENVOY = """\
static_resources:
  listeners:
  - name: web
    address: {socket_address: {address: 127.0.0.1, port_value: 8080}}
    filter_chains:
    - name: main
      filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: web
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: /var/log/envoy.log
              log_format: {text_format_source: {inline_string: "%START_TIME%"}}
          route_config:
            name: main
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - name: api
                match: {prefix: /api}
                route: {cluster: api, timeout: 5s}
              - match: {prefix: /}
                route:
                  weighted_clusters:
                    clusters:
                    - {name: app, weight: 90}
                    - {name: api, weight: 10}
          http_filters:
          - name: envoy.filters.http.cors
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: app
    type: STATIC
    connect_timeout: 1s
    lb_policy: ROUND_ROBIN
    load_assignment:
      cluster_name: app
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 80}}}
        - endpoint: {address: {socket_address: {address: 10.0.0.2, port_value: 80}}}
  - name: api
    type: STATIC
    connect_timeout: 1s
    load_assignment:
      cluster_name: api
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 10.0.1.1, port_value: 80}}}
          load_balancing_weight: 3
        - endpoint: {address: {socket_address: {address: 10.0.1.2, port_value: 80}}}
"""
INGRESS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: shop, labels: {team: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - name: app
        image: example/app:1.2
        ports: [{name: http, containerPort: 8080}]
        resources: {requests: {cpu: 100m}}
        env: [{name: MODE, value: fast}]
---
apiVersion: v1
kind: Service
metadata:
  name: app
  namespace: shop
spec:
  selector: {app: app}
  ports:
  - {name: http, port: 80, targetPort: http}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {greeting: hello}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: app
  namespace: shop
  labels: {team: web}
  annotations:
    nginx.ingress.kubernetes.io/proxy-read-timeout: "30"
    cert-manager.io/cluster-issuer: letsencrypt
spec:
  ingressClassName: nginx
  tls: [{hosts: [shop.example.com], secretName: cert-a}]
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}
"""
MESH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers: [{name: app, image: "example/app:1", ports: [{containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: shop}
spec:
  selector: {app: app}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  gatewayClassName: eg
  listeners:
  - name: http
    protocol: HTTP
    port: 80
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: shop}
spec:
  parentRefs: [{name: gw}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /}}]
    timeouts: {request: 10s}
    backendRefs:
    - name: app
      port: 80
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: app, namespace: shop}
spec:
  hosts: [app]
  http:
  - name: all
    timeout: 3s
    route:
    - destination: {host: app}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: app, namespace: shop}
spec:
  host: app
  trafficPolicy:
    connectionPool: {tcp: {connectTimeout: 1s}}
"""
TRAEFIK = """\
http:
  routers:
    app:
      rule: Host(`shop.example.com`)
      entryPoints: [web]
      service: app
      middlewares: [secure, zip]
      tls: {certResolver: le}
  middlewares:
    secure:
      headers: {frameDeny: true}
    zip:
      compress: {}
  services:
    app:
      loadBalancer:
        healthCheck: {path: /hz, interval: 10s}
        responseForwarding: {flushInterval: 100ms}
        servers:
        - url: http://10.0.0.1:80
        - url: http://10.0.0.2:80
"""
COMPOSE = """\
services:
  proxy:
    image: traefik:v3.1
    command:
    - --providers.docker=true
    - --entrypoints.web.address=:80
    ports: ["80:80"]
  app:
    image: example/app:1
    environment:
    - MODE=fast
    labels:
    - traefik.enable=true
    - traefik.http.routers.app.rule=Host(`shop.example.com`)
    - traefik.http.services.app.loadbalancer.server.port=8080
    - com.example.team=web
    deploy: {replicas: 3, resources: {limits: {cpus: "1"}}}
    volumes: ["data:/data"]
volumes: {data: {}}
"""
NGINX = """\
worker_processes auto;
events { worker_connections 1024; }
http {
    log_format main '$remote_addr $status';
    access_log /var/log/nginx/access.log main;
    gzip on;
    upstream app {
        server 10.0.0.1:80;
        server 10.0.0.2:80;
    }
    server {
        listen 80;
        server_name shop.example.com;
        client_max_body_size 10m;
        allow 10.0.0.0/8;
        location / {
            proxy_pass http://app;
            proxy_set_header Host $host;
            proxy_read_timeout 30s;
        }
        location /old { rewrite ^/old(.*) /new$1 break; proxy_pass http://app; }
    }
}
"""
HAPROXY = """\
# the shop's balancer
global
    log /dev/log local0
    maxconn 4096
defaults
    mode http
    option httplog
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend web
    bind 127.0.0.1:8080
    acl internal src 10.0.0.0/8
    http-request set-header X-Forwarded-Proto http
    http-request deny if { path_beg /admin } !internal
    default_backend app
backend app
    balance roundrobin
    server a 10.0.0.1:80 check
    server b 10.0.0.2:80 check
"""
CONFIGS = {
    "envoy": ("envoy.yaml", ENVOY),
    "ingress": ("app.yaml", INGRESS),
    "mesh": ("mesh.yaml", MESH),
    "traefik": ("dynamic.yaml", TRAEFIK),
    "compose": ("compose.yaml", COMPOSE),
    "nginx": ("nginx.conf", NGINX),
    "haproxy": ("haproxy.cfg", HAPROXY),
}
