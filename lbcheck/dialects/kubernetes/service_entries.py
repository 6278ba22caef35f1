"""Istio: what is behind a host outside, as a service entry has it.

Sources: istio/api networking/v1 ServiceEntry, WorkloadEntry; istio/istio pilot/pkg/serviceregistry/serviceentry
conversion.go (convertEndpoint).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.istio import DEFAULT_POLICY
from lbcheck.model import Address, Algorithm, Pool, Server, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.view import View


def outside(name: str, entry: Object) -> Pool:
    """Return the pool of a host outside, as a service entry has it."""
    ports, endpoints = entry.spec.views("ports"), entry.spec.views("endpoints")
    servers = [
        Server(
            one.text("address") or "",
            _address(one.text("address") or "", ports, one.view("ports")),
            one.place("address"),
            Setting(1) if one.integer("weight") is None else Setting(one.integer("weight") or 0, one.place("weight")),
        )
        for one in endpoints
    ]
    why = None
    if "workloadSelector" in entry.spec:
        why = "a selector chooses its workloads"
    elif not endpoints:
        resolved = (entry.spec.text("resolution") or "NONE").startswith("DNS")
        servers = [Server(name, _address(name, ports), entry.span, Setting(1))] if resolved else []
        why = None if resolved else "callers choose the address themselves"
    return Pool(name, entry.span, servers, Algorithm(DEFAULT_POLICY), scope=entry.namespace, open=why)


def _address(text: str, ports: list[View], own: View | None = None) -> Address:
    """Return where an endpoint is. `ports` are those of the service entry, `own` those that the endpoint has for them.

    Of the same ports as those called it holds none: which of them a request asks for is the caller's. The pool is that
    of all callers, so where only some of several lead to other ports it is known as a text alone.
    """
    if text.startswith("unix://"):
        return Address(text, "unix", text[7:], None)
    kind = "ipv6" if ":" in text else "ipv4" if text.replace(".", "").isdigit() else "name"
    shown = f"[{text}]" if kind == "ipv6" else text
    meant = [(one.integer("number"), _target(one, own)) for one in ports]
    other = sorted(f"{called} at {number}" for called, number in meant if called != number)
    if not other:
        return Address(text, kind, text, None)
    if len(meant) == 1:
        return Address(f"{shown}:{meant[0][1]}", kind, text, meant[0][1])
    return Address(f"{shown} ({', '.join(other)})", "opaque", text, None)


def _target(port: View, own: View | None) -> int | None:
    """Return the port of an endpoint behind one of a service entry's: its own, `targetPort`, or the same one."""
    found = None if own is None else own.integer(port.text("name") or "")
    return found or port.integer("targetPort") or port.integer("number")
