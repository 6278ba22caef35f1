"""The checks that are about Kubernetes' own ways, by rule code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes import (
    checks_domains,
    checks_gateway,
    checks_heap,
    checks_ingress,
    checks_ingressroute,
    checks_istio,
    checks_nginx,
    checks_policies,
    checks_probes,
    checks_services,
    checks_times,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lbcheck.context import Context
    from lbcheck.findings import Hit
    from lbcheck.model import Config


def _backend_missing(config: Config, context: Context) -> Iterable[Hit]:
    yield from checks_ingress.backend_missing(config, context)
    yield from checks_ingressroute.backend_missing(config)


CHECKS: dict[str, Callable[[Config, Context], Iterable[Hit]]] = {
    "C10": checks_heap.heap_beyond_limit,
    "F10": checks_domains.shared_failure_domain,
    "H04": checks_times.probe_timeout,
    "C09": checks_policies.circuit_breaker_defaults,
    "H07": checks_times.probe_slow,
    "H21": checks_policies.outlier_detection_noop,
    "K01": checks_services.selector_no_match,
    "K02": checks_services.selector_too_broad,
    "K03": checks_services.target_port_mismatch,
    "K04": _backend_missing,
    "K06": checks_probes.readiness_missing,
    "K11": checks_gateway.backend_invalid,
    "K12": checks_gateway.not_attached,
    "K13": checks_ingress.canary_invalid,
    "K15": checks_istio.subset_undefined,
    "K16": checks_istio.subset_no_pods,
    "K17": checks_istio.weights,
    "L03": checks_nginx.scheme_port_mismatch,
    "L04": checks_nginx.grpc_without_h2,
    "P02": checks_istio.pool_undefined,
    "R10": checks_gateway.listener_without_route,
    "S04": checks_nginx.hash_key_constant,
    "S07": checks_policies.hash_without_policy,
}
