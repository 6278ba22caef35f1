"""Shares of the native dialect: it describes a balancer that keeps its weights, whatever product that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.traffic.algorithms.members import members, nobody, proportional, spread

if TYPE_CHECKING:
    from lbcheck.model import Pool
    from lbcheck.traffic.algorithms import Shares


def shares(pool: Pool) -> Shares:
    """Return weight / sum of weights for the servers that serve; for the backups where no primary does.

    That is what round robin, random and evenly spread hashes come to by definition, and least connections at low load.
    """
    known = [member for member in members(pool) if member.server.enabled and member.weight > 0]
    taking = [member for member in known if not member.server.backup] or known
    return spread(pool, taking, proportional([member.weight for member in taking])) if taking else nobody(pool)
