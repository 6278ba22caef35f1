"""The checks of Envoy's own ways, by rule code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.envoy import checks_balance, checks_limits, checks_protocols

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lbcheck.context import Context
    from lbcheck.findings import Hit
    from lbcheck.model import Config

CHECKS: dict[str, Callable[[Config, Context], Iterable[Hit]]] = {
    "C09": checks_limits.circuit_breaker_defaults,
    "D13": checks_balance.locality_weight_ignored,
    "H21": checks_limits.outlier_detection_noop,
    "L02": checks_protocols.backend_tls_name,
    "L03": checks_protocols.scheme_port_mismatch,
    "L04": checks_protocols.grpc_without_h2,
    "R03": checks_balance.default_host_missing,
    "S07": checks_balance.hash_without_policy,
}
