"""Pools for the tests, by hand."""

from __future__ import annotations

from lbcheck.model import BACKUP, PRIMARY, Address, Algorithm, Pool, Server, Setting
from lbcheck.text import Source

SPAN = Source("test", "pool").span(0, 4)


def server(weight=1, *, name=None, at=1, backup=False, down=False, count=1, **options):
    name = name or f"10.0.0.{at}:8080"
    return Server(
        name,
        Address(name, "ipv4", name.partition(":")[0], 8080),
        SPAN,
        Setting(weight),
        BACKUP if backup else PRIMARY,
        disabled=Setting(True, SPAN) if down else None,
        count=count,
        options={keyword: Setting(value) for keyword, value in options.items()},
    )


def pool(algorithm, servers, *, key=None, opened=None, options=(), **how):
    """Return a pool; plain numbers among the servers are weights."""
    made = [one if isinstance(one, Server) else server(one, at=at) for at, one in enumerate(servers, 1)]
    return Pool(
        "app",
        SPAN,
        made,
        Algorithm(algorithm, key=None if key is None else Setting(key), **how),
        open=opened,
        options={option: Setting(True) for option in options},
    )
