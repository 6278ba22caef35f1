"""Busy shares: exact ones against the stationary distribution, simulated ones against both, and what is not known."""

from __future__ import annotations

import copy
from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traffic.pools import pool, server

from lbcheck.model import Setting
from lbcheck.traffic.algorithms import shares
from lbcheck.traffic.algorithms.leastconn import LeastConn, LeastConnTree
from lbcheck.traffic.algorithms.load import NO_LIMIT
from lbcheck.traffic.busy import MAX_IN_FLIGHT, busy_shares, loop
from lbcheck.traffic.busy.choices import RoundRobin, Slots, Window
from lbcheck.traffic.busy.levels import settled, standing
from lbcheck.traffic.busy.rings import Bounds

SEED = 7


def limited(weight, most=None, **how):
    made = server(weight, **how)
    made.max_conns = None if most is None else Setting(most)
    return made


def near(expected, tolerance=1e-9):
    return pytest.approx(expected, abs=tolerance)


def check(found, expected):
    """Hold shares to those expected: exact ones to the last digits, simulated ones to their standard error."""
    if found.exact:
        assert found.servers == near(expected)
        assert (found.seed, found.stderr) == (None, None)
    else:
        assert found.seed == SEED
        assert found.stderr < 0.01
        assert found.servers == near(expected, 5 * found.stderr + 1e-9)


class Chain:
    """The closed loop of a rule without chance of its own, as a Markov chain over everything that it remembers."""

    def __init__(self, rule, in_flight, remembered):
        for _ in range(in_flight):
            rule.pick()
        self.in_flight = in_flight
        self._remembered = remembered
        self._places = {remembered(rule): 0}
        rules, self._steps = [rule], []
        for known in rules:  # grows on the way
            self._steps.append(
                [self._step(known, server, rules) for server, count in enumerate(known.inflight) if count]
            )

    def _step(self, rule, server, rules):
        after = copy.deepcopy(rule)
        after.release(server)
        picked = after.pick()
        place = self._places.setdefault(self._remembered(after), len(rules))
        if place == len(rules):
            rules.append(after)
        return rule.inflight[server] / self.in_flight, place, picked

    def shares(self, servers):
        chances = [1 / len(self._steps)] * len(self._steps)
        for _ in range(3000):
            after = [chance / 2 for chance in chances]  # half of the time nothing happens, so that nothing oscillates
            for chance, steps in zip(chances, self._steps, strict=True):
                for part, place, _ in steps:
                    after[place] += chance * part / 2
            chances = after
        found = [0.0] * servers
        for chance, steps in zip(chances, self._steps, strict=True):
            for part, _, picked in steps:
                found[picked] += chance * part
        return found


def turns(rule):
    return (tuple(rule.inflight), tuple(rule._turns._current))


def order(rule):
    return (tuple(rule.inflight), tuple(sorted(range(len(rule._places)), key=rule._places.__getitem__)))


@pytest.mark.parametrize(
    ("weights", "in_flight"),
    [([1, 1, 1], 2), ([1, 1, 1], 4), ([1, 1, 1], 5), ([1, 1, 1, 1], 3), ([2, 1, 1], 3), ([2, 1, 1], 2), ([3, 1], 3),
     ([3, 1], 5), ([3, 2, 1], 4), ([5, 1, 1], 10), ([2, 2, 1], 8), ([4, 3], 3)],
)  # fmt: skip
def test_least_conn_comes_to_its_stationary_shares(weights, in_flight):
    expected = Chain(LeastConn(weights), in_flight, turns).shares(len(weights))
    check(busy_shares(pool("least_conn", weights), "nginx", in_flight, SEED), expected)
    check(busy_shares(pool("least_connections", weights), "native", in_flight, SEED), expected)


@pytest.mark.parametrize(
    ("weights", "in_flight"),
    [([1, 1, 1], 2), ([1, 1, 1], 5), ([5, 1], 2), ([5, 1], 4), ([5, 1], 10), ([3, 2, 1], 3), ([3, 2, 1], 7),
     ([2, 2, 1], 6), ([100, 99, 3], 5)],
)  # fmt: skip
def test_leastconn_comes_to_its_stationary_shares(weights, in_flight):
    expected = Chain(LeastConnTree(weights), in_flight, order).shares(len(weights))
    check(busy_shares(pool("leastconn", weights), "haproxy", in_flight, SEED), expected)


@pytest.mark.parametrize(
    ("weights", "limits", "in_flight"),
    [([1, 1, 1], [1, 2, 0], 3), ([3, 1], [2, 0], 3), ([2, 1, 1], [2, 1, 2], 4), ([1, 1], [3, 3], 4)],
)
def test_full_servers_under_round_robin(weights, limits, in_flight):
    rule = RoundRobin(weights, [most or NO_LIMIT for most in limits])
    expected = Chain(rule, in_flight, turns).shares(len(weights))
    servers = [limited(weight, most) for weight, most in zip(weights, limits, strict=True)]
    check(busy_shares(pool("round_robin", servers), "nginx", in_flight, SEED), expected)
    check(busy_shares(pool("round_robin", servers), "native", in_flight, SEED), expected)


@pytest.mark.parametrize(("algorithm", "kind"), [("roundrobin", Window), ("static-rr", Slots)])
def test_full_servers_under_turns_of_haproxy(algorithm, kind):
    weights, limits, in_flight = [2, 1], [2, NO_LIMIT], 3

    def remembered(rule):
        return (tuple(rule.inflight), rule._at if kind is Slots else inside(rule._window))

    expected = Chain(kind(weights, limits), in_flight, remembered).shares(2)
    servers = [limited(2, 2), limited(1)]
    check(busy_shares(pool(algorithm, servers), "haproxy", in_flight, SEED), expected)


def inside(window):
    """Return what a window round robin remembers, times and places relative to each other."""
    queues = [tuple(one[-1] for one in sorted(queue)) for queue in (window._now, window._first, window._next)]
    places = tuple(
        window._place[at] - window._position if any(at in queue for queue in queues[::2]) else None
        for at in range(len(window._place))
    )
    return (*queues, places, tuple(window._remainder), window._position % (2 * window._width))


def test_random_two_with_two_requests_in_flight():
    """Of weights 3 and 1, one request on each server stays so: the idle one always gets the next."""
    stays = busy_shares(pool("random_two", [3, 1]), "nginx", 2, SEED)
    check(stays, [0.5, 0.5])


def test_random_two_of_alike_servers_is_even():
    found = busy_shares(pool("random_two", [4, 4, 4]), "nginx", 5, SEED)
    assert found.exact
    assert found.servers == near([1 / 3] * 3)


def test_weights_show_only_under_load():
    """D20 and D21: HAProxy's leastconn rotates when idle, nginx's random two turns weights round."""
    leastconn = pool("leastconn", [5, 1])
    assert shares(leastconn, "haproxy").servers == [0.5, 0.5]
    assert busy_shares(leastconn, "haproxy", 1, SEED).servers == [0.5, 0.5]
    assert busy_shares(leastconn, "haproxy", 10, SEED).servers == near([0.9, 0.1])
    two = pool("random_two", [5, 1, 1])
    assert shares(two, "nginx").servers[0] < 0.25
    assert busy_shares(two, "nginx", 100, SEED).servers[0] > 0.69


def test_random_evens_the_arcs_out():
    """Three servers of weight 1 get 35, 30 and 35 % of a quiet ring."""
    drawn = pool("random", [1, 1, 1])
    quiet = shares(drawn, "haproxy").servers
    found = [busy_shares(drawn, "haproxy", in_flight, SEED).servers for in_flight in (1, 10, 300)]
    assert found[0] == quiet
    spans = [max(servers) - min(servers) for servers in found]
    assert spans[0] > spans[1] > spans[2]
    assert spans[2] < 0.005
    assert busy_shares(pool("random", [1, 1, 1], draws=1), "haproxy", 100, SEED).servers == quiet


def test_least_time_supposes_that_times_are_alike():
    found = busy_shares(pool("least_time", [5, 1, 1]), "nginx", 11, SEED)
    assert found.servers == near([9 / 11, 1 / 11, 1 / 11])
    assert not found.exact
    assert 0.01 < found.stderr < 0.05
    assert busy_shares(pool("least_time", [5, 1, 1]), "nginx", 1, SEED).servers == near([1, 0, 0])
    assert busy_shares(pool("least_time", [2, 2]), "nginx", 9, SEED).servers == near([0.5, 0.5])
    assert shares(pool("least_time", [5, 1, 1]), "nginx").servers is None


BLIND = [
    ("nginx", "round_robin"), ("nginx", "random"), ("nginx", "ip_hash"), ("nginx", "hash"),
    ("nginx", "hash_consistent"), ("haproxy", "roundrobin"), ("haproxy", "static-rr"), ("haproxy", "source"),
    ("haproxy", "uri"), ("haproxy", "sticky"), ("native", "round_robin"), ("native", "random"), ("native", "hash"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "algorithm"), BLIND)
def test_who_does_not_look_at_load_keeps_the_quiet_shares(dialect, algorithm):
    servers = [limited(3, 50), limited(1, 50), limited(2, backup=True), limited(1, 50)]
    made = pool(algorithm, servers, key="$uri")
    quiet = shares(made, dialect)
    for in_flight in (0, 1, 40):
        found = busy_shares(made, dialect, in_flight, SEED)
        assert found.servers == quiet.servers
        assert found.exact == quiet.exact


@pytest.mark.parametrize("algorithm", ["round_robin", "least_conn", "random", "random_two", "ip_hash", "hash"])
def test_what_all_servers_together_do_not_take(algorithm):
    servers = [limited(3, 4), limited(1, 2), limited(9, down=True)]
    made = pool(algorithm, servers, key="$uri")
    found = busy_shares(made, "nginx", 10, SEED)
    assert found.servers == near([0.4, 0.2, 0])
    assert found.unserved == near(0.4)
    assert found.exact
    made.servers.append(limited(1, 1, backup=True))
    made.servers.append(limited(1, backup=True))
    found = busy_shares(made, "nginx", 10, SEED)
    assert found.servers[:3] == near([0.4, 0.2, 0])
    assert 0.05 < found.servers[3] <= 0.1
    assert fsum(found.servers) == near(1)


def test_the_queue_of_nginx_plus():
    made = pool("least_conn", [limited(3, 4), limited(1, 2)])
    made.options["queue"] = Setting("3 timeout=5s")
    assert busy_shares(made, "nginx", 9, SEED).servers == near([2 / 3, 1 / 3])
    found = busy_shares(made, "nginx", 11, SEED)
    assert (found.servers, found.unserved) == (near([0.5, 0.25]), near(0.25))


def test_haproxy_serves_what_waits():
    servers = [limited(3, 4), limited(1, 2), limited(1, 2)]
    for algorithm in ("roundrobin", "static-rr", "leastconn", "first", "random"):
        found = busy_shares(pool(algorithm, servers), "haproxy", 30, SEED)
        assert found.servers == near([0.5, 0.25, 0.25])
        assert found.exact
    by_key = pool("uri", servers)
    assert busy_shares(by_key, "haproxy", 30, SEED).servers == shares(by_key, "haproxy").servers
    assert busy_shares(pool("sticky", servers), "haproxy", 30, SEED).servers == [1, 0, 0]


def test_full_queues_of_haproxy():
    servers = [limited(1, 2, maxqueue=1), limited(1, 5)]
    found = busy_shares(pool("uri", servers), "haproxy", 12, SEED)
    assert found.unserved > 0.05
    assert found.servers[0] < found.servers[1]
    alone = busy_shares(pool("source", [limited(1, 2, maxqueue=1)]), "haproxy", 12, SEED)
    assert alone.servers == near([2 / 11])
    assert alone.unserved == near(9 / 11)


def test_many_requests_wait_as_few_do():
    """Those that wait for their own servers gather at the slowest one, so that all get their shares of the requests."""
    servers = [limited(1, 200, maxqueue=100), limited(1, 900), limited(1, 50)]
    by_key = pool("uri", servers)
    for in_flight in (400, 1500):
        assert busy_shares(by_key, "haproxy", in_flight, SEED).servers == near([1 / 3] * 3, 0.015)
    assert "how long queues get" in busy_shares(by_key, "haproxy", 2500, SEED).reason
    drawn = pool("random", servers)
    assert busy_shares(drawn, "haproxy", 1149, SEED).servers == near([200 / 1150, 900 / 1150, 50 / 1150], 0.01)


def test_a_limit_that_grows_with_the_load():
    servers = [limited(1, 100, minconn=10), limited(1)]
    made = pool("first", servers)
    assert busy_shares(made, "haproxy", 10, SEED).servers == [1, 0]
    assert "fullconn" in busy_shares(made, "haproxy", 20, SEED).reason
    made.options["fullconn"] = Setting(50)
    assert busy_shares(made, "haproxy", 20, SEED).servers == [1, 0]
    assert busy_shares(made, "haproxy", 12, SEED).servers == [1, 0]
    made.options["fullconn"] = Setting(200)
    assert busy_shares(made, "haproxy", 20, SEED).servers == near([0.5, 0.5])
    assert busy_shares(made, "haproxy", 40, SEED).servers == near([0.5, 0.5])
    assert busy_shares(made, "haproxy", 400, SEED).servers == near([0.25, 0.75])


def test_slots_of_the_balance_factor_are_as_many_as_it_says():
    for factor in (101, 125, 300):
        bounds = Bounds(factor, [16, 48, 16, 160], [NO_LIMIT] * 4)
        for served in (0, 1, 7, 99):
            slots = [bounds.slots(at, served) for at in range(4)]
            total = ((served + 1) * factor + 99) // 100
            assert sum(slots) >= total
            assert sum(slots) == total or 1 in slots


def test_the_balance_factor_bounds_the_largest_arc():
    """HAProxy gives the largest of two arcs 57 %; with at most 110 % of the average it gets less."""
    made = pool("uri", [1, 1], consistent=True, avalanche=True)
    assert max(busy_shares(made, "haproxy", 40, SEED).servers) == near(0.569, 0.001)
    made.algorithm.balance_factor = Setting(110)
    found = busy_shares(made, "haproxy", 40, SEED)
    assert max(found.servers) < 0.55 + 2 * found.stderr
    assert busy_shares(made, "haproxy", 1, SEED).servers == shares(made, "haproxy").servers
    many = pool("uri", [60] * 10, consistent=True, avalanche=True, balance_factor=Setting(125))
    estimated = busy_shares(many, "haproxy", 50, SEED)
    assert estimated.servers == near([0.1] * 10, 4 * estimated.stderr)


def test_unknown_stays_unknown():
    assert busy_shares(pool("least_conn", [1, 1], opened="a template decides"), "nginx", 9, SEED).reason == (
        "a template decides"
    )
    assert "not emulated" in busy_shares(pool("weird", [1, 1]), "nginx", 9, SEED).reason
    assert "not emulated" in busy_shares(pool("weird", [1, 1]), "haproxy", 9, SEED).reason
    assert "caddy" in busy_shares(pool("round_robin", [1, 1]), "caddy", 9, SEED).reason
    assert "100,000" in busy_shares(pool("round_robin", [1, 1]), "nginx", MAX_IN_FLIGHT + 1, SEED).reason
    for dialect, algorithm in (("nginx", "round_robin"), ("haproxy", "leastconn"), ("native", "round_robin")):
        hidden = pool(algorithm, [server(1, **{"opaque limit": True}), 1])
        assert "filled in elsewhere" in busy_shares(hidden, dialect, 9, SEED).reason
    queue = pool("uri", [limited(1, 2, maxqueue="${Q}"), 1])
    assert "maxqueue" in busy_shares(queue, "haproxy", 9, SEED).reason
    factor = pool("uri", [1, 1], consistent=True, avalanche=True)
    factor.algorithm.options = {"opaque hash-balance-factor": Setting(True)}
    assert "hash-balance-factor" in busy_shares(factor, "haproxy", 9, SEED).reason
    affinity = pool("uri", [limited(1, 2), 1], consistent=True, avalanche=True)
    affinity.options["hash-preserve-affinity"] = Setting("maxconn")
    assert "hash-preserve-affinity" in busy_shares(affinity, "haproxy", 9, SEED).reason
    full = pool("round_robin", [limited(1, 2), limited(1, 2)])
    assert "max_queue" in busy_shares(full, "native", 9, SEED).reason
    full.max_queue = Setting(2)
    assert busy_shares(full, "native", 9, SEED).unserved == near(3 / 7)
    assert "hash" in busy_shares(pool("hash", [limited(1, 2), 1]), "native", 9, SEED).reason


def test_settled_states():
    assert settled(LeastConn([5, 1, 1]), 14) == [10, 2, 2]
    assert settled(LeastConn([5, 1, 1]), 15) is None
    assert settled(LeastConnTree([5, 1]), 10) == [9, 1]
    assert settled(LeastConn([1]), 5) == [5]
    assert settled(LeastConn([1, 1, 1], [2, 1, 4], {0}), 3) == [0, 1, 2]


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 40) | st.just(NO_LIMIT)), min_size=1, max_size=6),
    st.integers(0, 500),
)
def test_standing_never_more_than_asked_for_nor_than_fits(servers, in_flight):
    weights, limits = zip(*servers, strict=True)
    found = standing(weights, limits, in_flight)
    assert all(0 <= count <= most for count, most in zip(found, limits, strict=True))
    wanted = min(in_flight, sum(limits))
    assert wanted - len(servers) <= sum(found) <= wanted


def test_work_is_bounded(monkeypatch):
    """At most 10,000 requests are simulated however many are in flight, and fewer where each choice costs more."""
    asked = []
    run = loop.Loop._run
    monkeypatch.setattr(loop.Loop, "_run", lambda self, steps: asked.append(steps) or run(self, steps))
    for servers, in_flight in ((3, 10), (3, 100_000), (400, 1000)):
        asked.clear()
        found = busy_shares(
            pool("round_robin", [limited(1 + at % 5, in_flight - 1) for at in range(servers)]), "nginx", in_flight, SEED
        )
        assert not found.exact
        assert sum(asked) <= (20_000 if servers == 3 else 7_500)


def test_many_requests_in_flight_stay_where_weights_put_them():
    found = busy_shares(pool("random_two", [5, 1, 1]), "nginx", 100_000, SEED)
    assert found.servers == near([5 / 7, 1 / 7, 1 / 7], 0.001)
    assert found.stderr > 0.001


ANY = {
    "nginx": ["round_robin", "least_conn", "least_time", "random", "random_two", "ip_hash", "hash", "hash_consistent"],
    "haproxy": ["roundrobin", "static-rr", "leastconn", "first", "random", "source", "uri", "hdr", "hash", "sticky"],
    "native": ["round_robin", "least_connections", "random", "hash", "hash_consistent"],
}
SERVERS = st.lists(
    st.builds(
        limited,
        st.integers(0, 20),
        st.none() | st.integers(0, 6),
        at=st.integers(1, 9),
        backup=st.booleans(),
        down=st.booleans(),
        maxqueue=st.integers(0, 3),
    ),
    max_size=6,
)


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from([(dialect, name) for dialect, names in ANY.items() for name in names]),
    SERVERS,
    st.sampled_from(["$uri", "constant", "", "str(x)"]),
    st.booleans(),
    st.integers(1, 40),
    st.sampled_from([None, 110, 150]),
)
def test_shares_and_unserved_sum_to_one_and_the_seed_decides(which, servers, key, consistent, in_flight, factor):
    dialect, algorithm = which
    made = pool(
        algorithm,
        servers,
        key=key,
        consistent=consistent,
        avalanche=consistent,
        balance_factor=None if factor is None else Setting(factor),
    )
    found = busy_shares(made, dialect, in_flight, SEED)
    if found.servers is None:
        assert found.reason
        return
    assert all(share >= 0 for share in found.servers)
    assert abs(fsum(found.servers) + found.unserved - 1) < 1e-9
    again = busy_shares(made, dialect, in_flight, SEED)
    assert (again.servers, again.unserved, again.stderr) == (found.servers, found.unserved, found.stderr)
    assert (found.stderr is None) == found.exact
    for one, share in zip(servers, found.servers, strict=True):
        assert not share or (one.enabled and one.weight.value)
    quiet = shares(made, dialect)
    if in_flight == 1 and quiet.servers is not None:
        assert found.servers == quiet.servers


def test_seeds_differ():
    made = pool("random", [1, 2, 1])
    first, second = (busy_shares(made, "haproxy", 20, seed) for seed in (1, 2))
    assert first.servers != second.servers
    assert (first.seed, second.seed) == (1, 2)
    spread = 5 * (first.stderr + second.stderr)
    assert first.servers == near(second.servers, spread)
