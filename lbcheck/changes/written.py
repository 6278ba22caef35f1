"""Whether two pools say the same about where their requests go, whether or not it can be computed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lbcheck.changes.pairing import address

if TYPE_CHECKING:
    from collections.abc import Hashable

    from lbcheck.model import Pool


#: What decides where a server stands on a ring of HAProxy.
_PLACES = ("id", "hash-key")


def same_pool(old: Pool, new: Pool) -> bool:
    """Say whether two pools have the same name, algorithm and servers, in any order.

    A template decides the members of an open pool, and any of its lines may be one of them: the two are the same only
    if their files are.
    """
    if _choice(old) != _choice(new) or Counter(in_order(old)) != Counter(in_order(new)):
        return False
    return old.open is None or old.span.source.text == new.span.source.text


def _choice(pool: Pool) -> Hashable:
    algorithm = pool.algorithm
    return (
        pool.name,
        pool.protocol,
        pool.open,
        algorithm.name,
        algorithm.key.value if algorithm.key is not None else None,
        algorithm.consistent,
        algorithm.function,
        algorithm.avalanche,
        algorithm.draws,
        algorithm.balance_factor.value if algorithm.balance_factor is not None else None,
        frozenset((name, str(setting.value)) for name, setting in algorithm.options.items()),
    )


def in_order(pool: Pool) -> list[Hashable]:
    """Return what is written of each server that counts for its share, in the order of the config."""
    return [
        (
            server.name,
            address(server),
            server.weight.value,
            server.role,
            server.enabled,
            server.count,
            *(str(server.options[word].value) if word in server.options else None for word in _PLACES),
        )
        for server in pool.servers
    ]
