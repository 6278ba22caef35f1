"""Envoy configs to rehearse, written from their routes and clusters."""

from __future__ import annotations

import json

HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
TCP = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
DOWNSTREAM = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
UPSTREAM = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
#: A check that notices within a second.
CHECK = {"timeout": "0.5s", "interval": "0.5s", "unhealthy_threshold": 2, "healthy_threshold": 1,
    "http_health_check": {"path": "/health"}}  # fmt: skip


def host(address, **more):
    """Return an LbEndpoint of HOST:PORT, or of a unix socket's path."""
    if address.startswith("/"):
        return {"endpoint": {"address": {"pipe": {"path": address}}}, **more}
    name, _, port = address.rpartition(":")
    return {"endpoint": {"address": {"socket_address": {"address": name, "port_value": int(port)}}}, **more}


def cluster(name, *levels, **more):
    """Return a cluster; each level is a list of addresses, or of (address, weight)."""
    groups = [
        {
            "priority": priority,
            "lb_endpoints": [
                host(one) if isinstance(one, str) else host(one[0], load_balancing_weight=one[1]) for one in level
            ],
        }
        for priority, level in enumerate(levels)
    ]
    return {"name": name, **more, "load_assignment": {"cluster_name": name, "endpoints": groups}}


def listener(port, filters, *, tls=None):
    chain = {"filters": [{"name": name, "typed_config": one} for name, one in filters]}
    if tls:
        chain["transport_socket"] = {"name": "tls", "typed_config": {"@type": DOWNSTREAM, "common_tls_context": tls}}
    address = {"socket_address": {"address": "0.0.0.0", "port_value": port}}
    return {"name": f"port-{port}", "address": address, "filter_chains": [chain]}


def manager(*routes, domain="*", filters=()):
    """Return a connection manager with routes of one virtual host; `filters` come before the router."""
    return {
        "@type": HTTP,
        "stat_prefix": "web",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": [domain], "routes": list(routes)}]},
        "http_filters": [*filters, {"name": "router", "typed_config": {"@type": ROUTER}}],
    }


def web(*routes, port=8080, tls=None, filters=()):
    """Return an HTTP listener with routes for all names."""
    return listener(port, [("http", manager(*routes, filters=filters))], tls=tls)


def by_name(port, tls, *, hosts=None, **routes):
    """Return a TLS listener with a filter chain for each name of a server: its first label, and a route.

    `hosts` is what the virtual hosts are for: the server's name where nothing is given.
    """
    made = listener(port, [])
    inspector = "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
    made["listener_filters"] = [{"name": "inspector", "typed_config": {"@type": inspector}}]
    made["filter_chains"] = []
    for name, one in routes.items():
        domain = f"{name}.example.com"
        (chain,) = listener(port, [("http", manager(one, domain=hosts or domain))], tls=tls)["filter_chains"]
        made["filter_chains"].append({"filter_chain_match": {"server_names": [domain]}, **chain})
    return made


def tcp(name, port):
    """Return a listener whose connections go to a cluster."""
    return listener(port, [("tcp", {"@type": TCP, "stat_prefix": name, "cluster": name})])


def route(name, prefix=None, **more):
    """Return a route to the cluster of a name, under its own path."""
    return {"match": {"prefix": prefix or f"/{name}/"}, "route": {"cluster": name, **more}}


def envoy(listeners, clusters, **top):
    """Return a case: a bootstrap in YAML, a listener or cluster in a line, as (name, text)."""
    lines = [f"{name}: {json.dumps(value)}" for name, value in top.items()]
    lines += ["static_resources:", "  listeners:", *(f"    - {json.dumps(one)}" for one in listeners)]
    lines += ["  clusters:", *(f"    - {json.dumps(one)}" for one in clusters)]
    return "envoy.yaml", "\n".join(lines) + "\n"


def simple(*clusters, filters=(), **top):
    """Return a case whose routes are one for each cluster."""
    return envoy([web(*(route(one["name"]) for one in clusters), filters=filters)], clusters, **top)
