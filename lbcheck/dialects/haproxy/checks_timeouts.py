"""Timeouts that are not set are infinite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import ERROR, Hit
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.haproxy.resolve import Proxy
    from lbcheck.model import Config

_EFFECTS = {
    "client": "clients that vanish keep their slots until maxconn is used up",
    "server": "hung servers keep their requests, and the slots, for ever",
    "connect": "a server that does not answer holds each connection attempt as long as the system does",
}


def missing_timeouts(config: Config, context: Context) -> Iterator[Hit]:
    """T01: one finding for each place that could set what its proxies lack (src/cfgparse.c, check_config_validity)."""
    del context
    if config.open is not None:
        return
    places: dict[int, tuple[Proxy, dict[str, str]]] = {}
    for proxy in config.tree.proxies:
        if proxy.mode in {"log", "opaque"} or proxy.effective("disabled") is not None or proxy.section.templated:
            continue
        for name in _lacks(proxy):
            place = proxy.base or proxy
            places.setdefault(id(place), (place, {}))[1].setdefault(name, f"{proxy.kind} {proxy.name}")
    for place, missing in places.values():
        names = [name for name in ("client", "connect", "server") if name in missing]
        args = {
            "proxy": listed(sorted(set(missing.values()))),
            "missing": listed([f"`timeout {name}`" for name in names]),
            "effect": _EFFECTS[names[0]],
            "place": f"defaults {place.name}".strip() if place.kind == "defaults" else "`defaults`",
        }
        severity = ERROR if {"client", "server"} <= set(names) else None
        yield Hit("T01", place.span, args, severity=severity)


def _lacks(proxy: Proxy) -> Iterator[str]:
    if proxy.is_frontend and not _set(proxy, "client"):
        yield "client"
    if proxy.is_backend and (proxy.lines("server") or proxy.lines("server-template")):
        if not _set(proxy, "connect"):
            yield "connect"
        if not _set(proxy, "server") and not (proxy.mode == "tcp" and _set(proxy, "tunnel")):
            yield "server"


def _set(proxy: Proxy, name: str) -> bool:
    return proxy.effective(f"timeout {name}") is not None
