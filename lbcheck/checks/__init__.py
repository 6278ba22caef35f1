"""Checks that hold for every dialect, by rule code: plain functions from a Config to hits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.checks import (
    addresses,
    admin,
    agreement,
    answers,
    capacity,
    distribution,
    domains,
    failover,
    group,
    hashing,
    health,
    keys,
    listeners,
    loops,
    multiplied,
    neighbours,
    placeholders,
    pools,
    probes,
    probing,
    routing,
    sinkholes,
    splits,
    times,
    tries,
    versions,
    weights,
    zeros,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lbcheck.context import Context
    from lbcheck.findings import Hit
    from lbcheck.model import Config

    Check = Callable[[Config, Context], Iterable[Hit]]

CHECKS: dict[str, Check] = {
    "D01": distribution.weight_skew,
    "D02": weights.weight_outlier,
    "D03": weights.weight_implicit,
    "D04": zeros.weight_zero,
    "D05": zeros.weight_all_zero,
    "D06": distribution.weight_ignored,
    "D08": hashing.hash_ring_imbalance,
    "D11": multiplied.hostname_multiplies,
    "D15": splits.size_mismatch,
    "D19": sinkholes.least_conn_sinkhole,
    "F01": failover.backup_only_pool,
    "F10": domains.shared_failure_domain,
    "F14": capacity.capacity_n_minus_1,
    "H01": health.hc_missing,
    "H03": health.hc_partial,
    "H04": probing.hc_timeout_ge_interval,
    "H05": probing.hc_timeout_too_low,
    "H07": probing.hc_detection_slow,
    "H09": answers.hc_redirect_or_status,
    "H10": probes.hc_host_header_missing,
    "O01": admin.admin_exposed,
    "O05": versions.feature_needs_version,
    "P01": pools.pool_empty,
    "P02": pools.pool_undefined,
    "P04": addresses.server_duplicate,
    "P05": addresses.primary_and_backup,
    "P06": pools.all_disabled,
    "P07": pools.pool_unused,
    "P10": loops.proxy_loop,
    "P11": placeholders.server_address_unroutable,
    "P16": addresses.server_port_outlier,
    "R01": routing.route_shadowed,
    "R02": routing.route_duplicate_conflict,
    "R03": routing.default_route_missing,
    "R06": splits.degenerate,
    "R08": listeners.listener_duplicate_bind,
    "S04": keys.hash_key_constant,
    "S09": group.hash_drift,
    "T02": tries.timeout_inversion,
    "T04": tries.retry_non_idempotent,
    "T05": tries.retry_amplification,
    "T07": tries.retry_without_per_try_timeout,
    "T12": times.time_unit_suspicious,
    "X01": agreement.conflicting_settings,
    "X02": group.pool_drift,
    "X04": neighbours.compose_server_missing,
}
