"""Shares at low load: who takes part, exact values, and what cannot be known."""

from __future__ import annotations

from itertools import islice
from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traffic.pools import ALGORITHMS, BY_WEIGHT, near, pool, server

from lbcheck.model import Address
from lbcheck.traffic.algorithms import (
    MAX_RING_POINTS,
    chash,
    draws,
    hashes,
    ketama,
    maps,
    modulo,
    rehash,
    ring,
    ring_points,
    shares,
    weighted,
)
from lbcheck.traffic.algorithms.members import members


@pytest.mark.parametrize(("dialect", "algorithm"), BY_WEIGHT)
def test_by_weight(dialect, algorithm):
    found = shares(pool(algorithm, [5, 1, server(9, backup=True), server(3, down=True), 2]), dialect)
    assert found.servers == near([0.625, 0.125, 0, 0, 0.25])
    assert found.unserved == 0
    assert found.exact


@pytest.mark.parametrize(("dialect", "algorithm"), BY_WEIGHT)
def test_nothing_serves(dialect, algorithm):
    for servers in ([], [server(down=True)], [server(0)] if dialect != "nginx" else []):
        found = shares(pool(algorithm, servers), dialect)
        assert found.servers == [0.0] * len(servers)
        assert found.unserved == 1.0


def test_backups_of_nginx_take_over_by_weight_whatever_the_method():
    servers = [server(down=True), server(3, backup=True), server(1, backup=True), server(1, backup=True, down=True)]
    for algorithm in ALGORITHMS["nginx"]:
        assert shares(pool(algorithm, servers, key="$uri"), "nginx").servers == near([0, 0.75, 0.25, 0])


def test_first_backup_of_haproxy_takes_over_alone():
    servers = [server(0), server(3, backup=True, down=True), server(3, backup=True), server(1, backup=True)]
    assert shares(pool("roundrobin", servers), "haproxy").servers == [0, 0, 1, 0]
    assert shares(pool("roundrobin", servers, options=["allbackups"]), "haproxy").servers == near([0, 0, 0.75, 0.25])


def test_template_lines_stand_for_alike_servers():
    found = shares(pool("roundrobin", [server(2), server(1, count=3)]), "haproxy")
    assert found.servers == near([0.4, 0.6])
    alone = shares(pool("random", [1, server(1, count=2)]), "haproxy").servers
    apart = shares(pool("random", [1, 1, 1]), "haproxy").servers
    assert alone == near([apart[0], apart[1] + apart[2]])


def test_leastconn_of_haproxy_ignores_weights_when_idle():
    assert shares(pool("leastconn", [5, 1, server(0)]), "haproxy").servers == near([0.5, 0.5, 0])


def test_first_of_haproxy_is_the_lowest_id():
    servers = [server(id="30"), server(1), server(id="1")]
    assert shares(pool("first", servers), "haproxy").servers == [0, 0, 1]


def test_random_two_inverts_weights():
    assert draws.random_two_shares([3, 1]) == pytest.approx([0.25, 0.75], abs=0.002)
    assert draws.random_two_shares([5, 1, 1]) == pytest.approx([5 / 21, 8 / 21, 8 / 21], abs=0.001)


def test_random_two_gives_up_after_21_draws():
    heavy, light = draws.random_two_shares([500, 1])
    assert heavy == pytest.approx(0.959, abs=0.0001)
    assert heavy + light == pytest.approx(1)


def test_weights_beyond_the_hash_range_get_nothing():
    assert shares(pool("ip_hash", [7000, 7000]), "nginx").servers == [1.0, 0.0]
    assert shares(pool("hash", [16384, 16384, 16384, 8192], key="$uri"), "nginx").servers == [0.5, 0.5, 0, 0]


def test_first_try_shares_count_every_hash():
    for weights in ([1, 1, 1], [5, 1, 1], [7, 3, 2], [4000, 3000]):
        counted = [0] * len(weights)
        for value in range(modulo.IP_HASH_VALUES):
            counted[modulo.server_for(iter([value]), weights)] += 1
        expected = [count / modulo.IP_HASH_VALUES for count in counted]
        assert modulo.first_try_shares(weights, modulo.IP_HASH_VALUES) == expected


def test_constant_key_goes_to_one_server():
    for algorithm in ("hash", "hash_consistent"):
        found = shares(pool(algorithm, [1, 1, 1], key="consistent"), "nginx")
        assert sorted(found.servers) == [0, 0, 1]
        assert found.exact
    assert sorted(shares(pool("hash", [1, 1, 1], key="str(x)"), "haproxy").servers) == [0, 0, 1]


def test_duplicates_share_an_arc():
    twice = [server(1, name="a:1"), server(3, name="a:1"), server(3, name="b:1")]
    once = [server(3, name="a:1"), server(3, name="b:1")]
    first, second, third = shares(pool("hash_consistent", twice, key="$uri"), "nginx").servers
    whole = shares(pool("hash_consistent", once, key="$uri"), "nginx").servers
    assert [first + second, third] == near(whole)
    assert second == near(3 * first)


def test_down_servers_leave_their_arcs_to_the_next_point():
    names = [f"10.0.0.{at}:80" for at in range(6)]
    weights = [1, 2, 1, 1, 1, 1]
    continuum = ketama.Continuum(names, weights)
    for down in ({1}, {0, 1, 2}, {0, 1, 2, 3, 4}):
        arcs = [0.0] * 6
        last = continuum.ring.places[-1] - ring.CIRCLE
        for at, place in enumerate(continuum.ring.places):
            tries = (continuum.ring.owners[(at + step) % len(continuum.ring.owners)] for step in range(21))
            owner = next((one for one in tries if one not in down), None)
            if owner is None:
                arcs[5] += (place - last) / ring.CIRCLE  # alone up: round robin can only take it
            else:
                arcs[owner] += (place - last) / ring.CIRCLE
            last = place
        if down == {1} or len(down) == 5:
            assert continuum.shares(down) == near(arcs)
        assert fsum(continuum.shares(down)) == near(1)


def test_hashing_past_down_servers_is_simulated():
    found = shares(pool("hash", [2, server(1, down=True), 1], key="$uri"), "nginx")
    assert not found.exact
    assert found.seed == rehash.SEED
    assert found.servers == [pytest.approx(2 / 3, abs=0.02), 0, pytest.approx(1 / 3, abs=0.02)]


@pytest.mark.parametrize(("weights", "least", "most"), [([1] * 4, 0.1, 0.13), ([1] * 5, 0, 0.02)])
def test_error_of_hashing_past_down_servers_is_that_of_keys_of_one_length(weights, least, most):
    """Of 4 equal servers that hash keys of one length, all requests of a lost one go to one of the others."""
    found = shares(pool("hash", weights, key="$uri"), "nginx", lost={0})
    assert least < found.stderr < most
    for length in (8, 16, 32):
        keys = [str(number).rjust(length, "0").encode() for number in range(2000)]
        lost = [key for key in keys if modulo.server_for(modulo.hash_values(key), weights) == 0]
        takers = {modulo.server_for(modulo.hash_values(key), weights, {0}) for key in lost}
        assert len(takers) == 1 if len(weights) == 4 else len(takers) > 1


def test_ip_hash_past_down_servers_is_exact():
    servers = [server(2), server(1, down=True), server(3)]
    found = shares(pool("ip_hash", servers), "nginx")
    assert found.exact
    assert found.stderr is None
    counted = [0] * 3
    for first in range(256):
        for second in range(256):
            values = modulo.ip_hash_values(bytes([first, second, first ^ second, 1]))
            counted[modulo.server_for(values, [2, 1, 3], {1})] += 1
    assert [count / 65536 for count in counted] == pytest.approx(found.servers, abs=0.01)


def test_nearest_arcs_count_what_nearest_picks():
    small = ring.Ring([[5, 100, 70], [ring.CIRCLE - 3, 40]])
    near_points = [*range(200), *range(ring.CIRCLE - 100, ring.CIRCLE)]
    picks = [small.owners[small.nearest(value)] for value in near_points]
    assert picks[:3] == [1, 1, 0]  # 1 is 4 from either side: the point before takes it
    far = len(range(200, ring.CIRCLE - 100))
    # of the long way from 100 to -3, the half up to its middle goes to the point before
    to_first = (ring.CIRCLE - 103) // 2 - 99
    assert small.nearest_arcs(2) == [picks.count(0) + to_first, picks.count(1) + far - to_first]


def test_clockwise_arcs_count_what_clockwise_picks():
    small = ring.Ring([[5, 100], [200, 5]])
    assert [small.owners[small.clockwise(value)] for value in (0, 5, 6, 100, 101, 200, 201)] == [0, 0, 0, 0, 1, 1, 0]
    assert small.clockwise_arcs(2) == [ring.CIRCLE - 200 + 5 + 95, 100]


def test_full_hashes_is_full_hash_of_each():
    values = [0, 1, 4096, 0xFFFFFFFF, 0x80000000, *range(5000, 5100)]
    assert hashes.full_hashes(values) == [hashes.full_hash(value) for value in values]
    assert hashes.full_hashes([]) == []


def test_unknown_stays_unknown():
    for dialect, algorithms in ALGORITHMS.items():
        for algorithm in algorithms:
            found = shares(pool(algorithm, [1, 1], opened="a template decides"), dialect)
            assert found.servers is None
            assert found.reason == "a template decides"
    assert "response times" in shares(pool("least_time", [1, 1]), "nginx").reason
    assert "not emulated" in shares(pool("weird", [1, 1]), "nginx").reason
    assert "not emulated" in shares(pool("weird", [1, 1]), "haproxy").reason
    assert "not emulated" in shares(pool("roundrobin", [1, 1]), "envoy").reason
    assert "not emulated" in shares(pool("round_robin", [1, 1]), "another").reason
    raw = shares(pool("source", [1, 1], consistent=True, function="crc32"), "haproxy")
    assert raw.servers is None
    assert "avalanche" in raw.reason
    assert shares(pool("uri", [1, 1], consistent=True, function="djb2"), "haproxy").servers is None
    assert shares(pool("uri", [1, 1], consistent=True, function="crc32"), "haproxy").exact
    by_address = [server(**{"hash-key": "addr"}), server(2)]
    by_address[0].address = Address("app.example:80", "name", "app.example", 80)
    assert "hash-key addr" in shares(pool("random", by_address), "haproxy").reason
    assert "hash-key addr" in shares(pool("hash", by_address, key="str(x)", consistent=True), "haproxy").reason
    assert shares(pool("hash", by_address, key="str(x)"), "haproxy").exact


def test_ring_points_and_the_limit():
    large = pool("hash_consistent", [100_000] * 3, key="$uri")
    assert ring_points(large, "nginx") == 48_000_000 > MAX_RING_POINTS
    found = shares(large, "nginx")
    assert found.servers is None
    assert "48,000,000 ring points" in found.reason
    assert ring_points(pool("random", [10, server(5, count=2), server(7, down=True)]), "haproxy") == 320
    assert ring_points(pool("uri", [10]), "haproxy") == 0
    assert ring_points(pool("hash_consistent", [10]), "native") == 0


@pytest.mark.parametrize(
    ("dialect", "algorithm", "weight"), [("nginx", "hash_consistent", 8), ("haproxy", "random", 60)]
)
def test_large_rings_are_estimated_within_their_error(dialect, algorithm, weight):
    many = pool(algorithm, [weight, 2 * weight] * 5, key="$uri")
    estimated = shares(many, dialect)
    walked = shares(many, dialect, exact_points=MAX_RING_POINTS)
    assert (estimated.exact, walked.exact) == (False, True)
    assert estimated.seed is None
    assert 0 < estimated.stderr < 0.005
    for guess, true in zip(estimated.servers, walked.servers, strict=True):
        assert abs(guess - true) < 5 * estimated.stderr


@pytest.mark.parametrize(
    ("servers", "numbers"),
    [
        ([server(id="2"), server(count=3), server()], [2, 3, 4, 5, 6]),
        ([server(), server(count=3, id="7"), server()], [1, 7, 3, 4, 5]),
        ([server(count=3), server(), server(id="4"), server()], [1, 2, 3, 5, 4, 7]),
        ([server(id="x"), server()], [1, 2]),
    ],
)
def test_ids_of_haproxy(servers, numbers):
    """As `show servers state` gives them on HAProxy 2.6.12."""
    assert [member.number for member in members(pool("random", servers))] == numbers


def test_ring_of_a_server_without_a_port():
    assert ketama.host_and_port("10.0.0.1") == (b"10.0.0.1", b"")
    assert ketama.host_and_port("10.0.0.1:80") == (b"10.0.0.1", b"80")
    assert ketama.host_and_port("[::1]:80") == (b"[::1]", b"80")
    assert ketama.host_and_port("[::1]") == (b"[::1]", b"")
    assert ketama.host_and_port("unix:/run/a:1") == (b"/run/a:1", b"")


SERVERS = st.lists(
    st.builds(
        server,
        st.integers(0, 300),
        at=st.integers(1, 9),
        backup=st.booleans(),
        down=st.booleans(),
        count=st.integers(1, 3),
    ),
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([(dialect, name) for dialect, names in ALGORITHMS.items() for name in names]),
    SERVERS,
    st.sampled_from(["$uri", "constant", "", "str(x)", None]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "sdbm", "djb2", "wt6", "crc32", "none"]),
)
def test_shares_and_unserved_sum_to_one(which, servers, key, consistent, avalanche, function):
    dialect, algorithm = which
    if dialect == "nginx":
        servers = [one for one in servers if one.count == 1]
    made = pool(algorithm, servers, key=key, consistent=consistent, avalanche=avalanche, function=function)
    found = shares(made, dialect)
    if found.servers is None:
        assert found.reason
        return
    assert len(found.servers) == len(servers)
    assert all(share >= 0 for share in found.servers)
    assert abs(fsum(found.servers) + found.unserved - 1) < 1e-9
    for one, share in zip(servers, found.servers, strict=True):
        if share:
            assert one.enabled
            assert one.weight.value > 0


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_rotations_keep_the_weights_over_a_cycle(weights):
    cycle = sum(weights)
    picks = weighted.smooth_picks(weights, cycle)
    assert [picks.count(at) for at in range(len(weights))] == weights
    table = maps.slots(weights)
    assert [table.count(at) * cycle for at in range(len(weights))] == [weight * len(table) for weight in weights]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_windows_keep_the_weights_to_within_one_pick(weights):
    cycles = 5
    picks = weighted.window_picks(weights, cycles * sum(weights))
    for at, weight in enumerate(weights):
        assert abs(picks.count(at) - cycles * weight) <= cycles


def test_chash_tree_of_one_server():
    assert chash.Tree([7], [1]).shares() == [1.0]


def test_next_hash_goes_on_as_nginx_does():
    for address in (b"\1\2\3\4", b"\xff\xfe\xfd\xfc", b"\0\0\0\0"):
        first, *further = islice(modulo.ip_hash_values(address), 5)
        value = first
        for expected in further:
            value = modulo.next_hash(value, first)
            assert value == expected
