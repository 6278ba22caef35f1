"""Checks about Traefik's own ways, by rule code. They look at the entries as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.traefik.checks_files import pool_name_collision
from lbcheck.dialects.traefik.checks_hashing import hrw_imbalance
from lbcheck.dialects.traefik.checks_labels import container_ambiguous
from lbcheck.dialects.traefik.checks_routers import router_broken
from lbcheck.dialects.traefik.checks_services import composite_health, failover_invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lbcheck.context import Context
    from lbcheck.findings import Hit
    from lbcheck.model import Config

CHECKS: dict[str, Callable[[Config, Context], Iterable[Hit]]] = {
    "D08": hrw_imbalance,
    "F09": failover_invalid,
    "H18": composite_health,
    "P14": container_ambiguous,
    "R11": router_broken,
    "X05": pool_name_collision,
}
