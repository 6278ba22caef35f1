"""Pools for the tests, by hand."""

from __future__ import annotations

import pytest

from lbcheck.model import BACKUP, PRIMARY, Address, Algorithm, Pool, Server, Setting
from lbcheck.text import Source

SPAN = Source("test", "pool").span(0, 4)
#: Dialect → the algorithms that are emulated.
ALGORITHMS = {
    "nginx": ["round_robin", "least_conn", "random", "random_two", "ip_hash", "hash", "hash_consistent"],
    "haproxy": ["roundrobin", "static-rr", "leastconn", "first", "random", "source", "uri", "hdr", "hash", "sticky"],
    "native": ["round_robin", "least_connections", "random", "hash", "hash_consistent"],
}
#: Some of those that give every server its weight's part.
BY_WEIGHT = [
    ("nginx", "round_robin"),
    ("nginx", "least_conn"),
    ("nginx", "random"),
    ("haproxy", "roundrobin"),
    ("haproxy", "static-rr"),
    ("haproxy", "uri"),
    ("native", "least_connections"),
    ("native", "hash"),
]


def near(expected):
    return pytest.approx(expected, abs=1e-12)


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
