"""The checks that are about HAProxy's own ways, by rule code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy import checks_balance, checks_health, checks_modes, checks_names, checks_timeouts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lbcheck.context import Context
    from lbcheck.findings import Hit
    from lbcheck.model import Config

CHECKS: dict[str, Callable[[Config, Context], Iterable[Hit]]] = {
    "D17": checks_balance.balance_redefined,
    "H02": checks_health.not_enabled,
    "H11": checks_health.drops_tls,
    "H13": checks_health.inactive_rules,
    "N04": checks_names.without_resolvers,
    "N05": checks_names.init_addr,
    "S08": checks_modes.hash_in_tcp_mode,
    "T01": checks_timeouts.missing_timeouts,
}
