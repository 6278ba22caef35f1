"""Pools as pictures show them: worst first, with the words that stand beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.pictures.rows import OVERLOADED, Row, fair_shares, folded, look, nobody, row
from lbcheck.report.pictures.words import percent, plain, sentence
from lbcheck.traffic.outcome import HOT, IDLE, STARVED, UNKNOWN
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.traffic.outcome import PoolTraffic, ServerTraffic

#: How bad it stands about a pool, from 0.
FINE, IN_DOUBT, UNEVEN, BROKEN = range(4)


class PoolView:
    """One pool of a run.

    `at` is its place in `Traffic.pools`. `trouble` is one of the numbers above and `misplaced` the part of its
    requests that would have to move for every server to have its fair share. `reason` says why shares are not
    known; then nothing may be drawn that looks like shares.
    """

    __slots__ = ("at", "fair", "misplaced", "orphan", "pool", "reason", "trouble")

    def __init__(self, at: int, pool: PoolTraffic, *, orphan: bool = False) -> None:
        self.at = at
        self.pool = pool
        self.orphan = orphan
        self.fair = fair_shares(pool.servers)
        self.reason = unknown_because(pool)
        self.misplaced = _misplaced(pool.servers, self.fair)
        self.trouble = self._trouble()

    def _trouble(self) -> int:
        if self.answers:
            return FINE
        looks = {look(server) for server in self.pool.servers}
        if OVERLOADED in looks or (self.pool.unserved or 0.0) > 0:
            return BROKEN
        if HOT in looks or STARVED in looks:
            return UNEVEN
        return IN_DOUBT if self.reason is not None else FINE

    @property
    def rank(self) -> tuple[int, int, float, str, int]:
        """What to sort by to have the worst first."""
        used = 0 if self.orphan else 1
        return (-self.trouble * used, -used, -self.misplaced, self.pool.name, self.at)

    @property
    def answers(self) -> bool:
        """Whether the proxy answers these requests itself: having no server is then no defect."""
        return self.pool.pool.answers and bool(self.pool.unserved)

    @property
    def name(self) -> str:
        """The pool's name."""
        return plain(self.pool.name)

    @property
    def method(self) -> str:
        """How it chooses, and how sure the shares are."""
        pool = self.pool
        words = plain(pool.algorithm.replace("_", " "))
        if pool.reason is None and not pool.exact:
            error = "" if pool.stderr is None else f" ± {percent(pool.stderr)}"
            words += f", {'estimated' if pool.seed is None else 'simulated'}{error}"
        return words

    def rows(self, limit: int, *, alike: bool = False) -> list[Row]:
        """Return its lines, in the config's order where they are not folded."""
        servers = self.pool.servers
        lines = folded([row(server, fair) for server, fair in zip(servers, self.fair, strict=True)], limit, alike=alike)
        if self.pool.unserved:
            lines.insert(0, nobody(self.pool.unserved, answered=self.answers))
        return lines


def unknown_because(pool: PoolTraffic) -> str | None:
    """Return why a pool's shares are not known; None where they are."""
    if pool.reason is not None:
        return plain(pool.reason)
    if any(server.share is None for server in pool.servers) or pool.unserved is None:
        return "shares not known"
    return None


def _misplaced(servers: Sequence[ServerTraffic], fair: Sequence[float | None]) -> float:
    pairs = [
        (server.share, part)
        for server, part in zip(servers, fair, strict=True)
        if server.share is not None and part is not None
    ]
    return sum(abs(share - part) for share, part in pairs) / 2


def tally(pools: Sequence[PoolTraffic]) -> dict[str, int]:
    """Return how many servers look how."""
    numbers = dict.fromkeys((OVERLOADED, HOT, STARVED, UNKNOWN, IDLE), 0)
    for pool in pools:
        for server in pool.servers:
            kind = look(server)
            numbers[kind] = numbers.get(kind, 0) + server.alike
    return numbers


def summary(pools: Sequence[PoolTraffic]) -> str:
    """Return in one line what there is to see: "2 servers get too much, 3 servers starve; 8 pools"."""
    numbers = tally(pools)
    parts = []
    if numbers[OVERLOADED]:
        parts.append(f"{counted(numbers[OVERLOADED], 'server')} overloaded")
    if numbers[HOT]:
        parts.append(f"{counted(numbers[HOT], 'server')} {'gets' if numbers[HOT] == 1 else 'get'} too much")
    if numbers[STARVED]:
        parts.append(f"{counted(numbers[STARVED], 'server')} {'starves' if numbers[STARVED] == 1 else 'starve'}")
    dead = sum(1 for pool in pools if pool.unserved and not pool.pool.answers)
    if dead:
        parts.append(f"{counted(dead, 'pool')} {'leaves' if dead == 1 else 'leave'} requests unserved")
    unknown = sum(1 for pool in pools if unknown_because(pool) is not None)
    if unknown:
        parts.append(f"shares of {counted(unknown, 'pool')} not known")
    known = len(pools) - unknown
    if not parts and known:
        parts.append("every server gets its fair share")
    return sentence("; ".join([*([", ".join(parts)] if parts else []), counted(len(pools), "pool")]))
