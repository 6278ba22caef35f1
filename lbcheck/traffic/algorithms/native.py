"""Shares of the native dialect: it describes a balancer that keeps its weights, whatever product that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms.members import Member, members, nobody, proportional, spread

if TYPE_CHECKING:
    from collections.abc import Collection

    from lbcheck.model import Pool
    from lbcheck.traffic.algorithms import Shares


class Balancer:
    """A pool's servers that are in rotation."""

    __slots__ = ("known", "pool")
    interchangeable = True

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.known = [
            (place, member) for place, member in enumerate(members(pool)) if member.server.enabled and member.weight > 0
        ]

    def acting(self, lost: Collection[int] = ()) -> list[Member]:
        """Return the servers that requests are shared out among: the primaries, or the backups where none serves."""
        usable = [member for place, member in self.known if place not in lost]
        return [member for member in usable if not member.server.backup] or usable

    def shares(self, lost: Collection[int] = ()) -> Shares:
        """Return weight / sum of weights for the servers that act.

        That is what round robin, random and evenly spread hashes come to by definition, and least connections at low
        load. The members at the places `lost` are out.
        """
        taking = self.acting(lost)
        weights = [member.weight for member in taking]
        return spread(self.pool, taking, proportional(weights)) if taking else nobody(self.pool)
