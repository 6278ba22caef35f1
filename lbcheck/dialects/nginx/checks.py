"""The checks that are about nginx's own ways, by rule code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.nginx import (
    checks_balance,
    checks_clients,
    checks_failover,
    checks_keepalive,
    checks_names,
    checks_ports,
    checks_sinkholes,
    checks_variables,
    checks_zone,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lbcheck.context import Context
    from lbcheck.findings import Hit
    from lbcheck.model import Config

CHECKS: dict[str, Callable[[Config, Context], Iterable[Hit]]] = {
    "C05": checks_zone.max_conns_per_worker,
    "C07": checks_keepalive.keepalive_ineffective,
    "D07": checks_balance.hash_weight_overflow,
    "D10": checks_zone.upstream_without_zone,
    "D12": checks_names.localhost_two_peers,
    "D17": checks_balance.method_redefined,
    "D19": checks_sinkholes.least_conn_sinkhole,
    "D21": checks_balance.random_two_inverts,
    "F04": checks_failover.backup_with_hash,
    "F12": checks_failover.next_upstream_off,
    "H14": checks_failover.passive_disabled,
    "H17": checks_failover.hair_trigger,
    "H24": checks_failover.fail_timeout_long,
    "N01": checks_names.static_dns,
    "N02": checks_variables.variable_without_resolver,
    "P03": checks_names.upstream_name_as_dns,
    "P09": checks_ports.port_missing,
    "R04": checks_variables.split_gap,
    "R05": checks_variables.map_unknown_pool,
    "S05": checks_clients.hash_source_behind_proxy,
}
