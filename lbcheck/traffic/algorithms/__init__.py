"""The exact share of requests that each server of a pool gets, as that proxy's own algorithm computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lbcheck.model import Pool


class Shares:
    """Shares of a pool's requests at low load.

    `servers` has one fraction per server of `Pool.servers`, in that order (backups and disabled ones 0.0), or is
    None with a `reason` where it cannot be known. `unserved` is the fraction that no server takes (1.0 when nothing
    serves). `exact` is False for simulated values, which then carry `seed` and `stderr`.
    """

    __slots__ = ("exact", "reason", "seed", "servers", "stderr", "unserved")

    def __init__(
        self,
        servers: list[float] | None,
        *,
        unserved: float = 0.0,
        exact: bool = True,
        reason: str | None = None,
        seed: int | None = None,
        stderr: float | None = None,
    ) -> None:
        self.servers = servers
        self.unserved = unserved
        self.exact = exact
        self.reason = reason
        self.seed = seed
        self.stderr = stderr


def shares(pool: Pool, dialect: str) -> Shares:
    """Return each server's share of the pool's requests in normal operation at low load."""
    raise NotImplementedError
