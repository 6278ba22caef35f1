"""Which keys move: held to every pick of the proxies' own algorithms, and to what the rings promise."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from math import sqrt
from random import Random

import pytest
from changes.read import addresses, app, named, nginx, pools, versions
from hypothesis import given, settings
from hypothesis import strategies as st

from lbcheck.changes.compare import compare
from lbcheck.traffic.algorithms import keymaps, maps, modulo
from lbcheck.traffic.algorithms.chash import Tree
from lbcheck.traffic.algorithms.hashes import key_hash, sdbm
from lbcheck.traffic.algorithms.ketama import Continuum
from lbcheck.traffic.algorithms.ring import CIRCLE, Ring

WEIGHTS = st.lists(st.integers(1, 6), min_size=1, max_size=6)


def keys(count=20_000, size=12, seed=3):
    random = Random(seed)
    return [random.randbytes(size) for _ in range(count)]


def near(found, picks):
    """Hold a computed part to counted picks: off by less than five standard errors."""
    counted = sum(picks) / len(picks)
    assert abs(counted - found) < 5 * sqrt(max(found * (1 - found), 1 / len(picks)) / len(picks)), (counted, found)


class TestNginx:
    def test_hash_over_all_values(self):
        pool = app("nginx", ["hash $uri;", *addresses(1, 2, 3)], ["hash $uri;", *addresses(1, 2, 3, 4)])
        moved = sum(value % 3 != value % 4 for value in range(modulo.HASH_VALUES)) / modulo.HASH_VALUES
        assert (pool.keys_moved, pool.keys_exact) == (moved, True)

    def test_ip_hash_over_all_values(self):
        old = ["ip_hash;", *addresses(1, 2, more=" weight=2")]
        pool = app("nginx", old, [*old, *addresses(3)])
        before, after = (0, 0, 1, 1), (0, 0, 1, 1, 2)
        moved = sum(before[value % 4] != after[value % 5] for value in range(6271)) / 6271
        assert pool.keys_moved == pytest.approx(moved, abs=1e-12)

    def test_a_ring_moves_what_the_new_server_gets(self):
        ring = "hash $uri consistent;"
        pool = app("nginx", [ring, *addresses(1, 2, 3)], [ring, *addresses(1, 2, 3, 4)])
        added = next(server for server in pool.servers if server.status == "added")
        assert pool.keys_moved == pytest.approx(added.after, abs=1e-9)
        assert pool.keys_moved == pytest.approx(pool.moved, abs=1e-9)

    def test_a_server_that_goes_down_on_a_ring(self):
        ring = "hash $uri consistent;"
        down = [*addresses(1, 3), *addresses(2, more=" down")]
        pool = app("nginx", [ring, *addresses(1, 2, 3)], [ring, *down])
        gone = next(server for server in pool.servers if server.name == "10.0.0.2:80")
        assert pool.keys_moved == pytest.approx(gone.before, abs=1e-9)

    def test_a_ring_whose_servers_are_nearly_all_down(self):
        """More than 20 points in a row whose servers are down: round robin decides, and the key counts as moved."""
        ring = "hash $uri consistent;"
        names = [f"10.0.0.{number}:80" for number in range(1, 41)]
        pool = app(
            "nginx",
            [ring, *addresses(*range(1, 41))],
            [ring, *addresses(*range(1, 40), more=" down"), *addresses(40)],
        )
        continuum = Continuum(names, [1] * 40)
        down = frozenset(range(39))
        near(pool.keys_moved, [continuum.server_for(key) != continuum.server_for(key, down) for key in keys()])

    def test_from_a_table_to_a_ring_of_the_same_key(self):
        pool = app("nginx", ["hash $uri;", *addresses(1, 2, 3)], ["hash $uri consistent;", *addresses(1, 2, 3)])
        ring = Continuum(["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"], [1, 1, 1])
        picks = [modulo.server_for(modulo.hash_values(key), [1, 1, 1]) != ring.server_for(key) for key in keys()]
        near(pool.keys_moved, picks)
        assert pool.keys_exact

    def test_down_in_a_table_is_sampled(self):
        """Only the keys of the server that went down move; a line that is taken out deals all anew."""
        down = [*addresses(1), *addresses(2, more=" down"), *addresses(3, 4)]
        pool = app("nginx", ["hash $uri;", *addresses(1, 2, 3, 4)], ["hash $uri;", *down])
        assert not pool.keys_exact
        assert abs(pool.keys_moved - 0.25) < 5 * sqrt(0.25 * 0.75 / 20_000)
        by_address = app("nginx", ["ip_hash;", *addresses(1, 2, 3, 4)], ["ip_hash;", *down])
        assert abs(by_address.keys_moved - 0.25) < 5 * sqrt(0.25 * 0.75 / 20_000)

    def test_another_key_is_an_expectation(self):
        pool = app("nginx", ["hash $uri;", *addresses(1, 2, 3, 4)], ["hash $host;", *addresses(1, 2, 3, 4)])
        assert pool.keys_moved == pytest.approx(0.75, abs=1e-4)
        assert (pool.keys_exact, pool.status, pool.moved) == (False, "changed", 0.0)

    def test_one_server(self):
        pool = app("nginx", ["hash $uri;", *addresses(1)], ["hash $uri;", *addresses(1, 2)])
        assert pool.keys_moved == 0.5
        assert app("nginx", ["hash $uri;", *addresses(1)], ["hash $uri;", *addresses(2)]).keys_moved == 1.0

    def test_lines_of_one_address_are_one_machine(self):
        pool = app("nginx", ["hash $uri;", *addresses(1, 2)], ["hash $uri;", *addresses(1, 1, 2, 2)])
        moved = sum((value % 2 == 1) != (value % 4 > 1) for value in range(4)) / 4
        assert pool.keys_moved == pytest.approx(moved)

    @pytest.mark.parametrize("new", [["least_conn;"], []])
    def test_no_hash_on_one_side(self, new):
        pool = app("nginx", ["hash $uri;", *addresses(1, 2)], [*new, *addresses(1, 2)])
        assert (pool.keys_moved, pool.keys_reason) == (None, None)

    def test_a_constant_key_is_not_known(self):
        pool = app("nginx", ["hash consistent;", *addresses(1, 2)], ["hash consistent;", *addresses(1, 3)])
        assert (pool.keys_moved, pool.keys_reason) == (None, "all requests have one hash key")

    def test_a_large_ring_is_not_compared(self):
        ring = "hash $uri consistent;"
        old = [ring, *addresses(1, 2, more=" weight=2000")]
        pool = app("nginx", old, [*old, *addresses(3)])
        assert pool.keys_moved is None
        assert "640,000 ring points" in pool.keys_reason

    def test_rings_have_a_budget_together(self, monkeypatch):
        monkeypatch.setattr("lbcheck.changes.keys._MAX_ALL_POINTS", 2_000)
        blocks = "".join(
            f"    upstream other{number} {{\n        hash $uri consistent;\n        server 10.0.0.1:80;\n"
            f"        server 10.0.0.2:80;\n    }}\n"
            for number in range(5)
        )
        old = nginx(*addresses(1), rest=blocks)
        new = old.replace("server 10.0.0.2:80;", "server 10.0.0.2:80; server 10.0.0.3:80;")
        moved = [pool for pool in pools("nginx", old, new).values() if pool.name != "app"]
        assert [pool.keys_moved is None for pool in moved] == [False, False, True, True, True]
        assert "together" in moved[-1].keys_reason
        exact = compare(versions("nginx", old), versions("nginx", new), exact=True)
        assert all(pool.keys_moved for pool in exact[0].pools if pool.name != "app")

    def test_what_is_written_alike_does_not_move(self):
        """Not even a ring that is too large to be compared."""
        ring = ["hash $uri consistent;", *addresses(1, 2, more=" weight=2000")]
        pool = app("nginx", ring, ring)
        assert (pool.keys_moved, pool.status) == (0.0, "unchanged")


class TestHAProxy:
    @pytest.mark.parametrize(("before", "after"), [(3, 4), (4, 3), (4, 6), (2, 4), (1, 3), (5, 5)])
    def test_map_over_all_remainders(self, before, after):
        old, new = range(1, before + 1), range(1, after + 1)
        pool = app("haproxy", ["balance uri", *named(*old)], ["balance uri", *named(*new)])
        was, now = maps.slots([1] * before), maps.slots([1] * after)
        values = range(before * after)
        moved = sum(was[value % before] != now[value % after] for value in values) / (before * after)
        assert (pool.keys_moved, pool.keys_exact) == (pytest.approx(moved, abs=1e-12), True)

    @settings(max_examples=60, deadline=None)
    @given(WEIGHTS, WEIGHTS)
    def test_maps_of_any_weights(self, before, after):
        old = [f"server s{at} 10.0.0.{at}:80 weight {weight}" for at, weight in enumerate(before, 1)]
        new = [f"server s{at} 10.0.0.{at}:80 weight {weight}" for at, weight in enumerate(after, 1)]
        pool = app("haproxy", ["balance source", *old], ["balance source", *new])
        was, now = maps.slots(before), maps.slots(after)
        values = len(was) * len(now)
        moved = sum(was[value % len(was)] != now[value % len(now)] for value in range(values)) / values
        assert pool.keys_moved == pytest.approx(moved, abs=1e-12)

    def test_a_ring_moves_what_the_new_server_gets(self):
        ring = ["balance uri", "hash-type consistent"]
        pool = app("haproxy", [*ring, *named(1, 2, 3)], [*ring, *named(1, 2, 3, 4)])
        added = next(server for server in pool.servers if server.status == "added")
        assert pool.keys_moved == pytest.approx(added.after, abs=1e-9)

    def test_a_ring_goes_by_places_in_the_list(self):
        """A server that is put first takes the others' ids, and their places on the ring."""
        ring = ["balance uri", "hash-type consistent"]
        pool = app("haproxy", [*ring, *named(1, 2, 3)], [*ring, *named(4, 1, 2, 3)])
        was, now = Tree([1, 2, 3], [1, 1, 1]), Tree([1, 2, 3, 4], [1, 1, 1, 1])
        hashes = [key_hash(key, sdbm, avalanche=True) for key in keys()]
        picks = [
            ("a", "b", "c")[was.server_for(value)] != ("d", "a", "b", "c")[now.server_for(value)] for value in hashes
        ]
        near(pool.keys_moved, picks)
        assert pool.keys_moved > 0.6

    def test_a_ring_goes_by_addresses_where_that_is_written(self):
        ring = ["balance uri", "hash-type consistent"]
        by_address = [f"{line} hash-key addr-port" for line in named(1, 2, 3, 4)]
        pool = app("haproxy", [*ring, *by_address], [*ring, *by_address[1:]])
        gone = next(server for server in pool.servers if server.status == "removed")
        assert pool.keys_moved == pytest.approx(gone.before, abs=1e-9)
        by_place = app("haproxy", [*ring, *named(1, 2, 3, 4)], [*ring, *by_address])
        assert (by_place.status, by_place.keys_moved > 0.5) == ("changed", True)

    def test_a_renamed_server_keeps_its_keys(self):
        pool = app("haproxy", ["balance uri", *named(1, 2)], ["balance uri", named(1)[0], "server new 10.0.0.2:80"])
        assert (pool.keys_moved, pool.servers[1].renamed_from) == (0.0, "s2")

    @pytest.mark.parametrize("ring", [[], ["hash-type consistent"]])
    def test_keys_of_a_name_at_another_address_have_moved(self, ring):
        """Their places on map and ring follow from weights and ids, but it is another machine whose cache is cold."""
        lines = ["balance uri", *ring]
        one = app("haproxy", [*lines, *named(1, 2)], [*lines, named(1)[0], "server s2 10.0.0.9:80"])
        assert (one.moved, one.servers[1].address_before) == (pytest.approx(one.keys_moved), "10.0.0.2:80")
        assert 0.3 < one.keys_moved < 0.7
        new = [line.replace("10.0.0", "10.0.9") for line in named(1, 2)]
        every = app("haproxy", [*lines, *named(1, 2)], [*lines, *new])
        assert (every.keys_moved, every.moved) == (pytest.approx(1.0), pytest.approx(1.0))

    def test_from_a_map_to_a_ring(self):
        pool = app("haproxy", ["balance uri", *named(1, 2)], ["balance uri", "hash-type consistent", *named(1, 2)])
        assert pool.keys_moved == pytest.approx(0.5, abs=0.001)
        assert not pool.keys_exact, "the ring's hash has an avalanche"

    def test_the_same_hash_on_a_map_and_on_a_ring(self):
        old = ["balance uri", "hash-type map-based sdbm avalanche", *named(1, 2, 3)]
        pool = app("haproxy", old, ["balance uri", "hash-type consistent", *named(1, 2, 3)])
        was, now = maps.slots([1, 1, 1]), Tree([1, 2, 3], [1, 1, 1])
        hashes = [key_hash(key, sdbm, avalanche=True) for key in keys()]
        near(pool.keys_moved, [maps.server_for(was, value) != now.server_for(value) for value in hashes])
        assert pool.keys_exact

    def test_a_template_makes_them_unknown(self):
        lines = ["balance uri", "server-template s 2 app.test:80"]
        pool = app("haproxy", lines, ["balance uri", "server-template s 3 app.test:80"])
        assert (pool.keys_moved, pool.moved, pool.status) == (None, None, "changed")
        assert pool.keys_reason == pool.reason != ""

    @pytest.mark.parametrize("kind", ["hash-type consistent sdbm", "hash-type consistent djb2"])
    def test_without_avalanche_nobody_knows(self, kind):
        pool = app("haproxy", ["balance uri", kind, *named(1, 2)], ["balance uri", kind, *named(1, 2, 3)])
        assert pool.keys_moved is None
        assert "avalanche" in pool.keys_reason
        assert (pool.moved, pool.status) == (None, "changed")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, CIRCLE - 1), min_size=1, max_size=5), min_size=1, max_size=4),
    st.integers(0, CIRCLE - 1),
)
def test_stretches_are_what_the_ring_says_of_every_value(points, value):
    ring = Ring(points)
    for ends, owners, one in (
        (*ring.clockwise_stretches(), ring.clockwise),
        (*ring.nearest_stretches(), ring.nearest),
    ):
        assert ends[-1] == CIRCLE
        assert list(ends) == sorted(ends)
        assert len(ends) == len(owners)
        near_points = [place + step for place in ring.places for step in (-1, 0, 1)]
        for probe in [value, 0, CIRCLE - 1, *(place % CIRCLE for place in near_points)]:
            assert owners[bisect_right(ends, probe)] == ring.owners[one(probe)], probe


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=2, max_size=6), st.binary(min_size=1, max_size=20))
def test_stretches_of_a_table_are_its_picks(weights, key):
    made = keymaps._modulo(("nginx", "crc32", "$uri"), weights, frozenset(), [(at, 0) for at in range(len(weights))])
    assert made.owner(key) == modulo.server_for(modulo.hash_values(key), weights)
    assert list(accumulate(weights))[-1] == sum(weights)
    by_address = keymaps._modulo(keymaps.IP_HASH, weights, frozenset(), [(at, 0) for at in range(len(weights))])
    assert by_address.owner(key[:4]) == modulo.server_for(modulo.ip_hash_values(key[:4]), weights)
