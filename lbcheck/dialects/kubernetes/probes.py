"""Readiness probes as the model's health checks: what takes a pod out of its Services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.model import HealthCheck, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.pods import Pods
    from lbcheck.dialects.kubernetes.view import View

#: How a probe asks, by the name of its field, in the model's words.
_KINDS = {"httpGet": "http", "tcpSocket": "tcp", "grpc": "grpc", "exec": "exec"}
#: The API's defaults (kubernetes/api core/v1 Probe).
PERIOD, TIMEOUT, FAILURES, SUCCESSES = 10, 1, 3, 1


def readiness(pods: Pods) -> HealthCheck | None:
    """Return the readiness probe of the first container that has one."""
    if not pods.readiness:
        probe = next((one for one in (container.view("readinessProbe") for container in pods.containers) if one), None)
        pods.readiness.append(None if probe is None else _check(probe))
    return pods.readiness[0]


def _check(probe: View) -> HealthCheck:
    field = next((name for name in _KINDS if name in probe), "")
    asked = probe.view(field)
    port = asked.integer("port")
    return HealthCheck(
        _KINDS.get(field, "exec"),
        probe.span,
        interval=_seconds(probe, "periodSeconds", PERIOD),
        timeout=_seconds(probe, "timeoutSeconds", TIMEOUT),
        fall=_count(probe, "failureThreshold", FAILURES),
        rise=_count(probe, "successThreshold", SUCCESSES),
        port=None if port is None else Setting(port, asked.place("port")),
        path=_text(asked, "path") if field == "httpGet" else None,
    )


def _seconds(probe: View, name: str, default: int) -> Setting[float]:
    number = probe.integer(name)
    return Setting(float(default)) if number is None or number < 1 else Setting(float(number), probe.place(name))


def _count(probe: View, name: str, default: int) -> Setting[int]:
    number = probe.integer(name)
    return Setting(default) if number is None or number < 1 else Setting(number, probe.place(name))


def _text(view: View, name: str) -> Setting[str] | None:
    text = view.text(name)
    return None if text is None else Setting(text, view.place(name))
