"""Which server a hashed request has to go to: the proxy's own choice, computed for the key that the request carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.rehearsal.proxies.table import adapter

if TYPE_CHECKING:
    from collections.abc import Collection

    from lbcheck.model import Pool
    from lbcheck.rehearsal.proxies.seam import Pick


def picker(pool: Pool, dialect: str, lost: Collection[int] = ()) -> Pick | None:
    """Return the function from a request to the index in `pool.servers`; None where the pool does not hash.

    The servers at the places `lost` are gone, as in `traffic.algorithms.shares`. The function returns None for a
    request of which the choice is not known.
    """
    if any(server.count != 1 for server in pool.servers):
        return None
    return adapter(dialect).picker(pool, lost)
