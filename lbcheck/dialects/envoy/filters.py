"""HTTP filters that answer requests or choose their hosts themselves: what they do is not in the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.envoy.message import Message, pairs
from lbcheck.findings import NotChecked

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
