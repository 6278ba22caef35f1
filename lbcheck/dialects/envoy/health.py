"""How a cluster finds out that a host is dead: health checks and outlier detection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.model import HealthCheck, Setting

if TYPE_CHECKING:
    from lbcheck.dialects.envoy.message import Message
    from lbcheck.model import Duration

_KINDS = {"http_health_check": "http", "tcp_health_check": "tcp", "grpc_health_check": "grpc"}


def health_check(message: Message, noted: list[Duration]) -> HealthCheck:
    """Return the health check of a `health_checks` entry."""
    name = next((name for name in _KINDS if name in message), "custom_health_check")
    inside = message.message(name)
    custom = inside.word("name").rpartition(".")[2]
    options: dict[str, Setting[Any]] = {}
    if "send" in inside:
        options["send"] = Setting(True, inside.place("send"))
    for jitter in ("interval_jitter", "interval_jitter_percent", "no_traffic_interval", "reuse_connection"):
        if jitter in message:
            options[jitter] = message.seconds(jitter) or message.number(jitter) or Setting(None, message.place(jitter))
    return HealthCheck(
        _KINDS.get(name, custom or "custom"),
        message.span,
        interval=message.seconds("interval", noted),
        timeout=message.seconds("timeout", noted),
        fall=message.integer("unhealthy_threshold"),
        rise=message.integer("healthy_threshold"),
        port=message.integer("alt_port"),
        method=_method(inside),
        path=inside.text("path"),
        host=inside.text("host") or inside.text("authority"),
        expect=_expected(inside),
        options=options,
    )


def _method(inside: Message) -> Setting[str] | None:
    """Return the method of an HTTP check; None for Envoy's own, GET."""
    written = inside.enum("method", "envoy.config.core.v3.RequestMethod")
    return None if written is None or written.value in ("METHOD_UNSPECIFIED", "") else written


def _expected(inside: Message) -> Setting[str] | None:
    """Return which answers pass, in the words of `traffic.detection.checks`; None: 200 alone, or a connection."""
    ranges = []
    for one in inside.messages("expected_statuses"):
        start, end = one.integer("start"), one.integer("end")
        if start is None or end is None:
            return Setting("opaque", inside.place("expected_statuses"))
        ranges.append(f"{start.value}-{end.value - 1}")  # the end is not part of an Int64Range
    if ranges:
        return Setting("status " + ",".join(ranges), inside.place("expected_statuses"))
    return Setting("receive", inside.place("receive")) if "receive" in inside else None


#: What outlier detection does where nothing is written (outlier_detection.proto).
OUTLIER_DEFAULTS = {
    "consecutive_5xx": 5,
    "consecutive_gateway_failure": 5,
    "max_ejection_percent": 10,
    "enforcing_consecutive_5xx": 100,
    "enforcing_consecutive_gateway_failure": 0,
    "consecutive_local_origin_failure": 5,
    "enforcing_consecutive_local_origin_failure": 100,
}


def outlier(cluster: Message) -> dict[str, Setting[Any]]:
    """Return the settings of `outlier_detection` by their names, defaults filled in; {} where it is off."""
    if "outlier_detection" not in cluster:
        return {}
    inside = cluster.message("outlier_detection")
    found: dict[str, Setting[Any]] = {"outlier_detection": Setting(True, cluster.place("outlier_detection"))}
    for name, default in OUTLIER_DEFAULTS.items():
        found[name] = inside.integer(name) or Setting(default)
    found["base_ejection_time"] = inside.seconds("base_ejection_time") or Setting(30.0)
    found["always_eject_one_host"] = inside.boolean("always_eject_one_host") or Setting(False)
    found["split_external_local_origin_errors"] = inside.boolean("split_external_local_origin_errors") or Setting(False)
    return found
