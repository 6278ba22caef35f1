"""Which keys of an Envoy cluster move: held to every pick of its ring and its table."""

from __future__ import annotations

import pytest
from changes.read import pools
from changes.test_keys import keys, near

from lbcheck.traffic.algorithms import hashtables
from lbcheck.traffic.algorithms.members import proportional
from lbcheck.traffic.algorithms.xxhash import xxh64

HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
HEAD = f"""\
static_resources:
  listeners:
  - name: web
    address: {{socket_address: {{address: 127.0.0.1, port_value: 8080}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": {HTTP}
          stat_prefix: web
          route_config:
            virtual_hosts:
            - name: app
              domains: ["*"]
              routes:
              - match: {{prefix: /}}
                route: {{cluster: app, hash_policy: [{{header: {{header_name: NAME}}}}]}}
  clusters:
  - name: app
    type: STATIC
"""


def text(policy, numbers, header="x-user"):
    lines = [f"    lb_policy: {policy}", "    load_assignment:", "      cluster_name: app", "      endpoints:"]
    lines.append("      - lb_endpoints:")
    lines += [
        f"        - endpoint: {{address: {{socket_address: {{address: 10.0.0.{number}, port_value: 80}}}}}}"
        for number in numbers
    ]
    return HEAD.replace("NAME", header) + "\n".join([*lines, ""])


def app(old, new):
    return pools("envoy", old, new)["app"]


def hosts(numbers):
    return tuple(f"10.0.0.{number}:80" for number in numbers)


def ring_picks(numbers):
    names = hosts(numbers)
    ring = hashtables.ring(names, hashtables.point_counts(proportional([1] * len(names))), hashtables.Points())
    return [names[hashtables.on_ring(ring, xxh64(key))] for key in keys()]


def table_picks(numbers):
    names = hosts(numbers)
    table = hashtables.table(names, tuple(proportional([1] * len(names))))
    return [names[table[xxh64(key) % hashtables.TABLE]] for key in keys()]


@pytest.mark.parametrize(("policy", "picks"), [("RING_HASH", ring_picks), ("MAGLEV", table_picks)])
@pytest.mark.parametrize("after", [(1, 2, 3, 4), (1, 3), (4, 5, 6)])
def test_keys_that_move(policy, picks, after):
    pool = app(text(policy, (1, 2, 3)), text(policy, after))
    assert pool.keys_exact
    moved = [one != other for one, other in zip(picks((1, 2, 3)), picks(after), strict=True)]
    near(pool.keys_moved, moved)


def test_the_same_twice_moves_nothing():
    pool = app(text("MAGLEV", (1, 2, 3)), text("MAGLEV", (3, 2, 1)))
    assert (pool.keys_moved, pool.keys_exact) == (0.0, True)


def test_another_header_is_an_expectation():
    pool = app(text("RING_HASH", (1, 2)), text("RING_HASH", (1, 2), "x-session"))
    assert not pool.keys_exact
    assert pool.keys_moved == pytest.approx(0.5, abs=0.02)


def test_names_are_not_known():
    named = text("RING_HASH", (1, 2)).replace("STATIC", "STRICT_DNS").replace("10.0.0.1", "a.example")
    pool = app(named, text("RING_HASH", (1, 2)))
    assert pool.keys_moved is None
    assert "resolve" in pool.keys_reason
