"""Shares after a loss that was noticed: as if the config had taken the server out, ids and points staying."""

from __future__ import annotations

from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traffic.pools import ALGORITHMS, BY_WEIGHT, near, pool, server

from lbcheck.traffic.algorithms import MAX_RING_POINTS, balancer, chash, ketama, ring, shares
from lbcheck.traffic.algorithms.members import members


@pytest.mark.parametrize(("dialect", "algorithm"), BY_WEIGHT)
def test_survivors_share_by_weight(dialect, algorithm):
    made = pool(algorithm, [5, 1, 2, server(9, backup=True)])
    assert shares(made, dialect, lost={0}).servers == near([0, 1 / 3, 2 / 3, 0])
    assert shares(made, dialect, lost={0, 2}).servers == near([0, 1, 0, 0])
    assert shares(made, dialect, lost={3}).servers == near(shares(made, dialect).servers)


@pytest.mark.parametrize("dialect", ALGORITHMS)
def test_nobody_is_left(dialect):
    for algorithm in ALGORITHMS[dialect]:
        found = shares(pool(algorithm, [1, server(2, backup=True)], key="$uri"), dialect, lost={0, 1})
        assert found.servers == [0, 0]
        assert found.unserved == 1.0


def test_backups_come_in_when_the_last_primary_is_lost():
    servers = [1, server(1, down=True), server(3, backup=True), server(1, backup=True)]
    for algorithm in ALGORITHMS["nginx"]:
        assert shares(pool(algorithm, servers, key="$uri"), "nginx", lost={0}).servers == near([0, 0, 0.75, 0.25])
    assert shares(pool("roundrobin", servers), "haproxy", lost={0}).servers == [0, 0, 1, 0]
    assert shares(pool("roundrobin", servers), "haproxy", lost={0, 2}).servers == [0, 0, 0, 1]
    every = pool("roundrobin", servers, options=["allbackups"])
    assert shares(every, "haproxy", lost={0}).servers == near([0, 0, 0.75, 0.25])


def test_rules_of_haproxy_algorithms():
    assert shares(pool("leastconn", [5, 1, 1]), "haproxy", lost={2}).servers == near([0.5, 0.5, 0])
    assert shares(pool("first", [server(id="30"), server(1), server(id="1")]), "haproxy", lost={2}).servers == [0, 1, 0]
    assert shares(pool("sticky", [1, 1, 1]), "haproxy", lost={0}).servers == [0, 1, 0]
    assert sorted(shares(pool("hash", [1, 1, 1], key="str(x)"), "haproxy", lost={0, 1}).servers) == [0, 0, 1]


def test_ids_stay_when_a_server_is_lost():
    made = pool("uri", [1, 2, 1, 3], consistent=True, avalanche=True)
    found = shares(made, "haproxy", lost={1})
    first, third, fourth = chash.Tree([1, 3, 4], [1, 1, 3]).shares()
    assert found.servers == near([first, 0, third, fourth])


def test_lost_lines_lose_all_the_servers_they_stand_for():
    made = pool("roundrobin", [server(2), server(1, count=3), server(1)])
    assert shares(made, "haproxy", lost={1}).servers == near([2 / 3, 0, 1 / 3])
    one = balancer(made, "haproxy").shares({2})
    assert one.servers == near([2 / 5, 2 / 5, 1 / 5])


def test_unknown_stays_unknown():
    assert shares(pool("round_robin", [1, 1], opened="a template decides"), "nginx", lost={0}).servers is None
    assert shares(pool("least_time", [1, 1, 1]), "nginx", lost={0}).servers is None
    assert shares(pool("least_time", [1, 1, 1]), "nginx", lost={0, 1, 2}).unserved == 1.0


@pytest.mark.parametrize(("dialect", "algorithm"), [("nginx", "hash_consistent"), ("haproxy", "random")])
def test_large_rings_are_estimated_within_their_error(dialect, algorithm):
    many = pool(algorithm, [60, 120] * 5, key="$uri")
    estimated = shares(many, dialect, lost={3})
    walked = shares(many, dialect, MAX_RING_POINTS, lost={3})
    assert (estimated.exact, walked.exact) == (False, True)
    for guess, true in zip(estimated.servers, walked.servers, strict=True):
        assert abs(guess - true) < 5 * estimated.stderr


SERVERS = st.lists(
    st.fixed_dictionaries(
        {
            "weight": st.integers(0, 40),
            "at": st.integers(1, 9),
            "backup": st.booleans(),
            "down": st.sampled_from([False, False, True]),
            "count": st.sampled_from([1, 1, 1, 2]),
        }
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([(dialect, name) for dialect, names in ALGORITHMS.items() for name in names]),
    SERVERS,
    st.sets(st.integers(0, 6), max_size=3),
    st.sampled_from(["$uri", "constant", "str(x)"]),
    st.booleans(),
)
def test_lost_is_taken_out_of_rotation(which, servers, lost, key, consistent):
    dialect, algorithm = which
    if dialect == "nginx":
        servers = [{**one, "count": 1} for one in servers]

    def made(gone):
        lines = [server(**{**one, "down": one["down"] or at in gone}) for at, one in enumerate(servers)]
        return pool(algorithm, lines, key=key, consistent=consistent, avalanche=True, function="sdbm")

    found = shares(made(()), dialect, MAX_RING_POINTS, lost)
    expected = shares(made(lost), dialect, MAX_RING_POINTS)
    assert found.servers == near(expected.servers)
    assert found.unserved == expected.unserved
    assert (found.exact, found.seed) == (expected.exact, expected.seed)
    assert found.stderr == expected.stderr
    assert abs(fsum(found.servers) + found.unserved - 1) < 1e-9
    asked = balancer(made(()), dialect, MAX_RING_POINTS)
    places = [{place for place, member in enumerate(members(made(()))) if member.index == at} for at in lost]
    for one in places:  # what it remembers of one answer does not change the next one
        asked.shares(one)
    assert asked.shares(set().union(*places)).servers == near(found.servers)


POINTS = st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=12), min_size=2, max_size=5)


@given(POINTS)
def test_moves_of_the_nearest_point_are_those_of_a_ring_without_the_owner(points):
    taken = {}  # HAProxy's points are all apart
    for owner, places in enumerate(points):
        for place in places:
            taken.setdefault(place, owner)
    apart = [sorted(place for place in taken if taken[place] == owner) for owner in set(taken.values())]
    if len(apart) < 2:
        return
    whole = ring.Ring(apart)
    moves, arcs = whole.nearest_moves(len(apart)), whole.nearest_arcs(len(apart))
    for gone in range(len(apart)):
        rest = ring.Ring([[] if at == gone else places for at, places in enumerate(apart)])
        assert moves.without(gone, arcs) == rest.nearest_arcs(len(apart))


@given(POINTS, st.integers(0, 6))
def test_moves_of_the_next_point_are_those_of_skipping_the_owner(points, further):
    whole = ring.Ring(points)
    owners = len(points)
    moves, arcs = whole.clockwise_moves(owners, further), whole.clockwise_arcs(owners)
    for gone in range(owners):
        if set(whole.owners) == {gone}:
            continue
        skipped, lost = whole.skipping_arcs(owners, {gone}, further)
        assert moves.without(gone, arcs) == skipped
        assert moves.lost[gone] == lost


def test_duplicates_keep_their_arc_until_all_are_lost():
    continuum = ketama.Continuum(["a:1", "a:1", "b:1", "c:1"], [1, 1, 1, 1])
    every = continuum.shares()
    one = continuum.shares({0})
    assert one[1] == near(every[0] + every[1])
    both = continuum.shares({0, 1})
    assert both[:2] == [0, 0]
    assert both[2] > every[2]
