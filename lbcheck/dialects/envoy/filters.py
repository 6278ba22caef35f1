"""HTTP filters that answer requests or choose their hosts themselves: what they do is not in the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.envoy.matches import headers
from lbcheck.dialects.envoy.message import Message, pairs
from lbcheck.findings import NotChecked
from lbcheck.model import Condition, Route, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

#: By the type of their configuration. Filters that let some requests through and refuse others (rate limits, RBAC,
#: authentication) are none of them: those that pass go where the routes say.
_CODE = {
    "Lua": "a Lua script",
    "LuaPerRoute": "a Lua script",
    "Wasm": "a Wasm module",
    "DynamicModuleFilter": "a dynamic module",
    "ExternalProcessor": "an external processor",
}


def deciding(manager: Message) -> Iterator[NotChecked]:
    """Yield the filters of a connection manager whose doing decides where requests go."""
    for item in manager.messages("http_filters"):
        kind, inside = item.typed("typed_config")
        reason = None if item.true("disabled") else _reason(kind, inside)
        if reason is not None:
            yield NotChecked(item.message("typed_config").place("@type"), reason)


def answering(manager: Message) -> Iterator[Route]:
    """Yield what health check filters take from every virtual host, as routes that Envoy answers itself.

    Without `pass_through_mode` all that matches, with its `cache_time` nobody knows how much of it
    (HealthCheckFilter::decodeHeaders() in health_check.cc).
    """
    for item in manager.messages("http_filters"):
        kind, inside = item.typed("typed_config")
        if kind != "HealthCheck" or item.true("disabled"):
            continue
        conditions = tuple(headers(inside))
        if inside.true("pass_through_mode"):
            if "cache_time" not in inside:
                continue
            conditions = (*conditions, Condition("opaque", "exact", ["the health check filter has an answer kept"]))
        known = "cluster_min_healthy_percentages" not in inside and not inside.true("pass_through_mode")
        status = {"status": Setting(200)} if known else {}
        place = item.message("typed_config").place("@type")
        yield Route("health check filter", place, (conditions,), outcome="answer", options=status)


def overriding(holder: Message) -> Iterator[NotChecked]:
    """Yield the same of what a virtual host or route sets for filters (`typed_per_filter_config`)."""
    for _, value in pairs(holder.get("typed_per_filter_config")):
        inside = Message(value)
        kind = inside.word("@type").rpartition(".")[2]
        reason = _reason(kind, inside)
        if reason is not None:
            yield NotChecked(inside.place("@type"), reason)


def _reason(kind: str, inside: Message) -> str | None:
    if kind == "HTTPFault" and "abort" in inside:
        return "requests that a fault answers before they reach a host"
    if kind == "StatefulSession":
        return "which requests a session keeps on their host"
    return f"what {_CODE[kind]} does with requests" if kind in _CODE else None
