"""What has to differ from request to request for a pool's key to differ (`Load.vary`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.rehearsal.proxies.table import adapter
from lbcheck.rehearsal.proxies.varying import SOURCE

if TYPE_CHECKING:
    from lbcheck.model import Pool
    from lbcheck.rehearsal.preparing.samples import Sample

#: Algorithms whose key is not written.
_KEYED = frozenset({"source", "uri", "ip_hash", "rdp-cookie"})


def keyed(pool: Pool) -> bool:
    """Say whether the pool's algorithm takes a key from the request."""
    return pool.algorithm.key is not None or pool.algorithm.name in _KEYED


def varied(pool: Pool, dialect: str, sample: Sample, *, plain: bool) -> str:
    """Return it as `Load.vary` has it; "" where nothing that may differ changes the key. `plain`: no HTTP is spoken."""
    found = adapter(dialect).varied(pool, sample)
    return "" if plain and found != SOURCE else found
