"""The checks that are about HAProxy's own ways, by rule code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy import (
    checks_balance,
    checks_clients,
    checks_cookies,
    checks_failover,
    checks_hashing,
    checks_health,
    checks_limits,
    checks_modes,
    checks_names,
    checks_ports,
    checks_templates,
    checks_timeouts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lbcheck.context import Context
    from lbcheck.findings import Hit
    from lbcheck.model import Config

CHECKS: dict[str, Callable[[Config, Context], Iterable[Hit]]] = {
    "C01": checks_limits.below_servers,
    "C02": checks_failover.first_without_maxconn,
    "D09": checks_hashing.no_avalanche,
    "D17": checks_balance.balance_redefined,
    "D18": checks_hashing.static_feature,
    "F02": checks_failover.backup_never_used,
    "F03": checks_failover.first_backup_only,
    "F05": checks_failover.no_redispatch,
    "H02": checks_health.not_enabled,
    "H11": checks_health.drops_tls,
    "H13": checks_health.inactive_rules,
    "N04": checks_names.without_resolvers,
    "N05": checks_names.init_addr,
    "P09": checks_ports.port_missing,
    "P13": checks_templates.count_of_template,
    "R09": checks_modes.mode_mismatch,
    "S01": checks_cookies.without_value,
    "S02": checks_cookies.same_value,
    "S03": checks_cookies.unused_value,
    "S05": checks_clients.hash_source_behind_proxy,
    "S08": checks_modes.hash_in_tcp_mode,
    "T01": checks_timeouts.missing_timeouts,
}
