"""Configs for Traefik to rehearse."""

from __future__ import annotations


def service(*servers, **more):
    """Return a service of these servers, hosts or (host, weight)."""
    made = [{"url": f"http://{one}"} if isinstance(one, str) else {"url": f"http://{one[0]}", "weight": one[1]}
            for one in servers]  # fmt: skip
    return {"loadBalancer": {"servers": made, **more}}


def dynamic(services, routed=None, **more):
    """Return the HTTP section of a dynamic file: each service that is `routed` has a router under its own path."""
    names = list(services) if routed is None else routed
    routers = {name: {"rule": f"PathPrefix(`/{name}`)", "service": name, "entryPoints": ["web"]} for name in names}
    return {"http": {"routers": routers, "services": services, **more}}
