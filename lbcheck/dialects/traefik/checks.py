"""Checks about Traefik's own ways, by rule code. They look at the entries as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.traefik.checks_entrypoints import listener_without_route
from lbcheck.dialects.traefik.checks_files import pool_name_collision
from lbcheck.dialects.traefik.checks_hashing import hrw_imbalance
from lbcheck.dialects.traefik.checks_labels import container_ambiguous
from lbcheck.dialects.traefik.checks_protocols import grpc_without_h2, scheme_port_mismatch
from lbcheck.dialects.traefik.checks_routers import router_broken
from lbcheck.dialects.traefik.checks_services import composite_health, failover_invalid
from lbcheck.dialects.traefik.checks_timeouts import timeout_inversion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lbcheck.context import Context
    from lbcheck.findings import Hit
    from lbcheck.model import Config

CHECKS: dict[str, Callable[[Config, Context], Iterable[Hit]]] = {
    "D08": hrw_imbalance,
    "F09": failover_invalid,
    "H18": composite_health,
    "L03": scheme_port_mismatch,
    "L04": grpc_without_h2,
    "P14": container_ambiguous,
    "R10": listener_without_route,
    "R11": router_broken,
    "T02": timeout_inversion,
    "X05": pool_name_collision,
}
