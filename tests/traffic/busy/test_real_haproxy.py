"""Choices under load on the real HAProxy: requests are held on the servers, and each next one is predicted."""

from __future__ import annotations

import itertools
import math
import random
import socket
import time

import busy_stubs
import proxies
import pytest
from traffic.pools import pool, server

from lbcheck.model import Setting
from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p
from lbcheck.traffic.algorithms import chash, hashes, maps
from lbcheck.traffic.algorithms.leastconn import LeastConnTree
from lbcheck.traffic.algorithms.load import NO_LIMIT
from lbcheck.traffic.algorithms.weighted import WEIGHT_SCALE
from lbcheck.traffic.busy import busy_shares
from lbcheck.traffic.busy.choices import Bound, Draw, LeastDrawn, Slots, Window
from lbcheck.traffic.busy.rings import Bounds, walking
from lbcheck.traffic.busy.waiting import REFUSED, Queueing

pytestmark = proxies.needs_haproxy

LEAST = {
    "lc_alike": [1, 1, 1, 1],
    "lc": [5, 1],
    "lc_321": [3, 2, 1],
    "lc_far": [100, 7, 30],
    "lc_most": [256, 255, 9, 1],
}
BOUNDED = {"bounded_125": (125, [1, 1, 1]), "bounded_110": (110, [5, 1, 2, 1]), "bounded_300": (300, [10, 1, 30])}
#: Draws, bounds, weights, and the requests that stand on each server while one more is drawn for, again and again.
DRAWN = {
    "random": (2, "", [1, 1, 1], [2, 1, 3]),
    "random_weighed": (2, "", [5, 1, 2], [5, 1, 1]),
    "random_three": (3, "", [1, 1, 2, 1], [1, 1, 3, 0]),
    "random_bounded": (1, "hash-balance-factor 150", [3, 1, 2], [3, 1, 0]),
}
PROBES = 600
BACKENDS = {
    **{name: ("balance leastconn", [f"weight {weight}" for weight in weights]) for name, weights in LEAST.items()},
    "lc_capped": ("balance leastconn", ["weight 5 maxconn 4", "weight 1 maxconn 2", "weight 2 maxconn 3"]),
    "lc_queued": (
        "balance leastconn",
        ["weight 5 maxconn 3 maxqueue 2", "weight 1 maxconn 2", "weight 2 maxconn 2 maxqueue 3"],
    ),
    "rr_capped": ("balance roundrobin", ["weight 5 maxconn 4", "weight 1 maxconn 2", "weight 2"]),
    "rr_full": ("balance roundrobin", ["weight 5 maxconn 4", "weight 1 maxconn 2", "weight 2 maxconn 3"]),
    "static_capped": ("balance static-rr", ["weight 5 maxconn 4", "weight 1 maxconn 2", "weight 2 maxconn 3"]),
    "first": ("balance first", ["id 30 maxconn 3", "maxconn 4", "id 1 maxconn 2"]),
    **{
        name: (
            f"balance hdr(x-key)\nhash-type consistent\nhash-balance-factor {factor}",
            [f"weight {weight}" for weight in weights],
        )
        for name, (factor, weights) in BOUNDED.items()
    },
    **{
        name: (f"balance random({draws})\n{factor}", [f"weight {weight}" for weight in weights])
        for name, (draws, factor, weights, _) in DRAWN.items()
    },
    "bounded_full": (
        "balance hdr(x-key)\nhash-type consistent\nhash-balance-factor 200",
        ["maxconn 3", "maxconn 4 maxqueue 2", ""],
    ),
    "bound": ("balance hdr(x-key)", ["maxconn 2 maxqueue 1", "weight 2 maxconn 1", "maxconn 1 maxqueue 2"]),
}


class Proxy:
    """The running HAProxy: where it listens, and what it says of itself."""

    def __init__(self, port, admin):
        self.port = port
        self._admin = admin

    def busy(self, backend):
        """Return (waiting, under way) of each server of a backend, and of the backend itself at the end."""
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(5)
            one.connect(self._admin)
            one.sendall(b"show stat\n")
            text = b"".join(iter(lambda: one.recv(65536), b"")).decode()
        rows = [line.split(",") for line in text.splitlines() if line.startswith(f"{backend},")]
        return [(int(row[2]), int(row[4])) for row in rows]

    def settle(self, backend, under_way, waiting=0):
        """Wait until the backend has so many requests, those that wait included, and so many wait."""
        deadline = time.monotonic() + 5
        while (found := self.busy(backend))[-1][1] != under_way or sum(row[0] for row in found) != waiting:
            assert time.monotonic() < deadline, (found, under_way, waiting)
            time.sleep(0.0005)


@pytest.fixture(scope="module")
def backend():
    with busy_stubs.HeldServers(4) as servers:
        yield servers


@pytest.fixture(scope="module")
def proxy(tmp_path_factory, backend):
    port = proxies.free_port()
    folder = tmp_path_factory.mktemp("haproxy")
    admin = str(folder / "admin")
    text = [f"stats socket {admin}", "defaults", "mode http", "timeout client 60s", "timeout server 60s"]
    text += [
        "timeout connect 5s",
        "timeout queue 60s",
        "option http-server-close",
        "frontend f",
        f"bind 127.0.0.1:{port}",
    ]
    text += ["use_backend %[path,field(2,/)]"]
    for name, (lines, servers) in BACKENDS.items():
        text += [f"backend {name}", lines]
        text += [f"server s{at} {backend.addresses[at]} {what}" for at, what in enumerate(servers)]
    with proxies.haproxy(folder, "\n".join(text), port):
        yield Proxy(port, admin)


def end(crowd, proxy, name, token, under_way):
    """Let a request be answered, and wait until HAProxy has forgotten it."""
    crowd.end(token)
    proxy.settle(name, under_way)


def compare(crowd, proxy, rule, name, in_flight, turns, seed, headers=dict):
    """Open requests, then end one at random and open the next, holding each pick to the rule's."""
    chance = random.Random(seed)
    under_way = []
    for turn in range(in_flight + turns):
        if turn >= in_flight:
            token, server = under_way.pop(chance.randrange(len(under_way)))
            end(crowd, proxy, name, token, len(under_way))
            rule.release(server)
        token, server = crowd.open(f"/{name}/", **headers())
        assert server == rule.pick(), (turn, rule.inflight)
        under_way.append((token, server))
    while under_way:
        token, server = under_way.pop()
        end(crowd, proxy, name, token, len(under_way))
        rule.release(server)


@pytest.mark.parametrize("name", LEAST)
def test_leastconn(proxy, backend, name):
    rule = LeastConnTree(LEAST[name])
    with busy_stubs.Crowd(proxy.port, backend) as crowd:
        for in_flight in (1, 3, 10, 23):
            compare(crowd, proxy, rule, name, in_flight, 40, in_flight)


LIMITED = {
    "lc_capped": (LeastConnTree, [4, 2, 3], [4, 2, 3]),
    "lc_queued": (LeastConnTree, [5, 2, 5], [3, 2, 2]),
    "rr_capped": (Window, [4, 2, NO_LIMIT], [4, 2, NO_LIMIT]),
    "rr_full": (Window, [4, 2, 3], [4, 2, 3]),
    "static_capped": (Slots, [4, 2, 3], [4, 2, 3]),
}


@pytest.mark.parametrize("name", LIMITED)
def test_full_servers_are_passed_over_and_waited_for(proxy, backend, name):
    kind, limits, serving = LIMITED[name]
    rule = kind([5, 1, 2], limits)
    with busy_stubs.Crowd(proxy.port, backend) as crowd:
        for in_flight in (2, 6, 8, 9, 10, 14):
            compare_waiting(crowd, proxy, Queueing(rule, serving, binds=False), name, in_flight, 40)


def compare_waiting(crowd, proxy, balancer, name, in_flight, turns, headers=dict):
    """The same where some requests wait or are refused: none of them reaches a server before it is predicted to."""
    chance = random.Random(in_flight)
    under_way, waiting, sent, refused = [], 0, 0, 0
    while sent < in_flight + turns or under_way:
        if sent >= in_flight:
            token, server = under_way.pop(chance.randrange(len(under_way)))
            crowd.end(token)
            begun = balancer.leave(server)
            for _ in range(begun):
                token, place = crowd.arrival()
                assert place == server, (sent, name)
                under_way.append((token, place))
            waiting -= begun
            proxy.settle(name, len(under_way) + waiting, waiting)
        if sent < in_flight + turns:
            sent += 1
            token = crowd.send(f"/{name}/", **headers())
            predicted = balancer.arrive()
            if predicted == REFUSED:
                refused += 1
                assert crowd.status(token) == 503
                proxy.settle(name, len(under_way) + waiting, waiting)
            elif predicted is None:
                waiting += 1
                proxy.settle(name, len(under_way) + waiting, waiting)
                assert crowd.arrival(0) is None, (sent, name)
            else:
                assert crowd.arrival() == (token, predicted), (sent, name)
                under_way.append((token, predicted))
    assert not waiting
    return refused


class Keys:
    """Random keys for a header, and their hashes in the same order."""

    def __init__(self, *, avalanche):
        self._random = random.Random(7)
        self._avalanche = avalanche
        self._hash = None

    def headers(self):
        key = f"key-{self._random.randrange(10**6)}"
        self._hash = hashes.key_hash(key.encode(), avalanche=self._avalanche)
        return {"X_Key": key}

    def hash(self):
        return self._hash


def around_the_ring(keys, factor, weights, serving):
    bounds = Bounds(factor, [weight * WEIGHT_SCALE for weight in weights], serving)
    return walking(chash.Tree(range(1, len(weights) + 1), weights), bounds, keys.hash)


@pytest.mark.parametrize("name", BOUNDED)
def test_balance_factor(proxy, backend, name):
    factor, weights = BOUNDED[name]
    keys = Keys(avalanche=True)
    none = [NO_LIMIT] * len(weights)
    rule = Bound(around_the_ring(keys, factor, weights, none), none)
    with busy_stubs.Crowd(proxy.port, backend) as crowd:
        for in_flight in (1, 2, 5, 12, 30):
            compare(crowd, proxy, rule, name, in_flight, 40, in_flight, keys.headers)


def test_balance_factor_with_full_servers(proxy, backend):
    keys = Keys(avalanche=True)
    serving = [3, 4, NO_LIMIT]
    rule = Bound(around_the_ring(keys, 200, [1, 1, 1], serving), [NO_LIMIT, 6, NO_LIMIT])
    balancer = Queueing(rule, serving, binds=True)
    with busy_stubs.Crowd(proxy.port, backend) as crowd:
        refused = [compare_waiting(crowd, proxy, balancer, "bounded_full", n, 60, keys.headers) for n in (5, 20, 40)]
    assert refused[-1]


def test_requests_wait_for_the_server_of_their_key(proxy, backend):
    keys = Keys(avalanche=False)
    table = maps.slots([1, 2, 1])
    serving = [2, 1, 1]
    rule = Bound(lambda _load: maps.server_for(table, keys.hash()), [3, NO_LIMIT, 3])
    balancer = Queueing(rule, serving, binds=True)
    with busy_stubs.Crowd(proxy.port, backend) as crowd:
        refused = [compare_waiting(crowd, proxy, balancer, "bound", n, 60, keys.headers) for n in (2, 6, 12)]
    assert refused[-1]


@pytest.mark.parametrize("in_flight", [1, 2, 3, 5, 6, 7, 9])
def test_first(proxy, backend, in_flight):
    limits = [3, 4, 2]
    servers = [limited(limits[0], id="30"), limited(limits[1]), limited(limits[2], id="1")]
    predicted = busy_shares(pool("first", servers), "haproxy", in_flight, 1)
    assert predicted.exact
    chance = random.Random(in_flight)
    with busy_stubs.Crowd(proxy.port, backend) as crowd:
        under_way = [crowd.open("/first/") for _ in range(in_flight)]
        for _ in range(30):
            token, _ = under_way.pop(chance.randrange(in_flight))
            end(crowd, proxy, "first", token, in_flight - 1)
            under_way.append(crowd.open("/first/"))
            standing = [server for _, server in under_way]
            assert [standing.count(at) / in_flight for at in range(3)] == pytest.approx(predicted.servers)
        while under_way:
            end(crowd, proxy, "first", under_way.pop()[0], len(under_way))


def limited(most, weight=1, **options):
    made = server(weight, **options)
    made.max_conns = Setting(most)
    return made


@pytest.mark.parametrize("name", DRAWN)
def test_random(proxy, backend, name):
    draws, factor, weights, standing = DRAWN[name]
    none = [NO_LIMIT] * len(weights)
    tree = chash.Tree(range(1, len(weights) + 1), weights)
    chance = random.Random(3)
    draw = Draw(tree.shares(), chance)
    bounds = Bounds(150, [weight * WEIGHT_SCALE for weight in weights], none)
    choice = walking(tree, bounds, lambda: chance.randrange(1 << 32)) if factor else lambda _load: draw()
    rule = LeastDrawn(choice, draws, weights, none)
    for at, count in enumerate(standing):
        rule.put(at, count)
    counted = [0] * len(weights)
    with busy_stubs.Crowd(proxy.port, backend) as crowd:
        total = sum(standing)
        held = crowd.stand(f"/{name}/", standing, crowd.end)
        proxy.settle(name, total)
        for _ in range(PROBES):
            token, server = crowd.open(f"/{name}/")
            counted[server] += 1
            end(crowd, proxy, name, token, total)
        for token in held:
            crowd.end(token)
    chosen = [rule.choose() for _ in range(60_000)]
    predicted = [chosen.count(at) / len(chosen) for at in range(len(weights))]
    if not factor:
        assert predicted == pytest.approx(least_of(tree.shares(), draws, weights, standing), abs=0.01)
    assert chi_square_p(counted, predicted) > IMPOSSIBLE, (counted, predicted)


def least_of(chances, draws, weights, standing):
    """Return how likely each server is to be the last one of the least loaded among so many draws."""
    loads = [count / weight for count, weight in zip(standing, weights, strict=True)]
    found = [0.0] * len(chances)
    for drawn in itertools.product(range(len(chances)), repeat=draws):
        least = min(loads[server] for server in drawn)
        best = next(server for server in reversed(drawn) if loads[server] == least)
        found[best] += math.prod(chances[server] for server in drawn)
    return found


def test_a_closed_loop_comes_to_the_predicted_shares(tmp_path):
    """With service times that are exponential; in this state each request is as likely as any to end next."""
    predicted = busy_shares(pool("leastconn", [5, 1]), "haproxy", 10, 1)
    assert predicted.exact
    chance = random.Random(11)
    port = proxies.free_port()
    with busy_stubs.HeldServers(2, lambda: chance.expovariate(100)) as servers:
        lines = [f"server s{at} {where} weight {5 - 4 * at}" for at, where in enumerate(servers.addresses)]
        text = ["defaults", "mode http", "timeout client 60s", "timeout server 60s", "timeout connect 5s", "listen l"]
        text += [f"bind 127.0.0.1:{port}", "balance leastconn", *lines]
        with proxies.haproxy(tmp_path, "\n".join(text), port):
            busy_stubs.closed_loop(port, "/", 10, 1500)
        counted = servers.counts()
    assert chi_square_p(counted, predicted.servers) > IMPOSSIBLE, (counted, predicted)
    assert chi_square_p(counted, [5 / 6, 1 / 6]) < IMPOSSIBLE
