"""Which losses a pool has, what the others get, and what of it is the same for alike servers."""

from __future__ import annotations

import time
from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traffic.outages import predicted
from traffic.pools import pool, server

from lbcheck.model import Retry, Setting
from lbcheck.traffic.algorithms import MAX_RING_POINTS, shares
from lbcheck.traffic.losses import losses
from lbcheck.traffic.outcome import Loss
from lbcheck.traffic.scenario import KINDS, Scenario

EACH = Scenario()


def near(expected):
    return pytest.approx(expected, abs=1e-12)


def shares_of(loss):
    return [survivor.share for survivor in loss.servers]


def redispatched(made):
    """Let requests to servers that nobody notices go on, so that the others get their share."""
    made.retry = Retry(Setting(3), Setting(True), Setting(frozenset({"conn-failure"})))
    return made


def noticing(text):
    """A HAProxy config whose servers are checked."""
    return predicted("haproxy", f"defaults\nmode http\ndefault-server check\nbackend app\n{text}", "refuses")["app"]


def test_each_server_that_serves_is_lost_in_turn():
    found = noticing(
        "server a 10.0.0.1:1 weight 2\nserver b 10.0.0.2:1\nserver c 10.0.0.3:1 weight 0\n"
        "server d 10.0.0.4:1 disabled\nserver e 10.0.0.5:1 backup"
    )
    assert [loss.lost for loss in found] == ["a", "b"]
    assert shares_of(found[0]) == near([0, 1, 0, 0, 0])
    assert shares_of(found[1]) == near([1, 0, 0, 0, 0])
    assert [loss.failed_share for loss in found] == near([2 / 3, 1 / 3])
    assert [loss.unserved for loss in found] == [0, 0]
    assert found[0].names == ("a",)
    assert [survivor.address for survivor in found[0].servers][:2] == ["10.0.0.1:1", "10.0.0.2:1"]


def test_alike_servers_are_given_once():
    found = noticing("\n".join(f"server s{at} 10.0.0.{at}:1" for at in range(9)))
    assert [(loss.lost, loss.alike) for loss in found] == [("s0", 9)]
    assert shares_of(found[0]) == near([0] + [1 / 8] * 8)


@pytest.mark.parametrize("other", ["weight 2", "maxconn 10", "inter 9s", "fall 9", "no-check", "# lbcheck: capacity=9"])
def test_servers_that_differ_are_told_apart(other):
    found = noticing(
        f"server a 10.0.0.1:1 maxconn 5\nserver b 10.0.0.2:1 maxconn 5\nserver c 10.0.0.3:1 maxconn 5 {other}"
    )
    alike = [loss.alike for loss in found]
    assert alike == ([3] if "capacity" in other else [2, 1])  # comments are read elsewhere


def test_capacities_tell_servers_apart():
    servers = [server(name=name) for name in "abc"]
    servers[2].capacity = Setting(50.0)
    made = losses(pool("roundrobin", servers), "haproxy", EACH, demand=90.0)
    assert [loss.alike for loss in made] == [2, 1]


def test_loads_and_capacities_of_the_survivors():
    servers = [server(3, name="a"), server(1, name="b"), server(2, name="c", count=2)]
    for one, capacity in zip(servers, (100.0, None, 40.0), strict=True):
        one.capacity = None if capacity is None else Setting(capacity)
    made = pool("random", servers)
    made.retry = Retry(Setting(3), Setting(True), Setting(frozenset({"error"})))
    found = {loss.lost: loss for loss in losses(made, "native", EACH, demand=80.0)}
    assert list(found) == ["a", "b", "one server of c"]
    assert [one.load for one in found["a"].servers] == near([0, 16, 64])
    assert [one.capacity for one in found["a"].servers] == [0.0, None, 80.0]
    assert [one.load for one in found["one server of c"].servers] == near([40, 80 / 6, 160 / 6])
    assert [one.capacity for one in found["one server of c"].servers] == [100.0, None, 40.0]
    assert found["one server of c"].alike == 2
    assert [one.load for one in losses(made, "native", EACH)[0].servers] == [None] * 3


def test_named_servers_and_zones():
    servers = [server(name=name) for name in ("a", "b", "c", "d")]
    for one, zone in zip(servers, ("east", "west", "east", None), strict=True):
        one.zone = None if zone is None else Setting(zone)
    made = pool("roundrobin", servers)
    named = losses(made, "haproxy", Scenario(lose=("b", "app/d", "nobody", "other/a")))
    assert [loss.lost for loss in named] == ["b", "d"]
    assert [loss.alike for loss in named] == [1, 1]
    zone = losses(made, "haproxy", Scenario(lose_zones=("east", "north")))
    assert [(loss.lost, loss.names) for loss in zone] == [("zone east", ("a", "c"))]
    assert losses(made, "haproxy", Scenario(lose=("nobody",))) == []
    both = losses(made, "haproxy", Scenario(lose=("a",), lose_zones=("west",)))
    assert [loss.lost for loss in both] == ["a", "zone west"]


def test_zone_is_noticed_when_its_slowest_server_is():
    text = "defaults\nmode http\ndefault-server check\nbackend app\n"
    text += "server a 10.0.0.1:1 inter 1s\nserver b 10.0.0.2:1 inter 5s\nserver c 10.0.0.3:1 {}\nserver d 10.0.0.4:1"
    assert zone_loss("haproxy", text.format(""), {"a", "b"}).detection_s == 15.0
    assert zone_loss("haproxy", text.format("no-check"), {"a", "c"}).detection_s is None


def test_backups_and_those_that_nobody_leaves():
    found = noticing("server a 10.0.0.1:1\nserver b 10.0.0.2:1 backup\nserver c 10.0.0.3:1 backup")
    assert [(loss.lost, loss.backups, loss.failed_share) for loss in found] == [("a", True, 1.0)]
    assert shares_of(found[0]) == [0, 1, 0]
    acting = noticing("server a 10.0.0.1:1 disabled\nserver b 10.0.0.2:1 backup\nserver c 10.0.0.3:1 backup")
    assert [(loss.lost, loss.backups) for loss in acting] == [("b", True)]
    assert shares_of(acting[0]) == [0, 0, 1]
    alone = noticing("server a 10.0.0.1:1")
    assert [(loss.unserved, loss.failed_share, loss.backups) for loss in alone] == [(1.0, 1.0, False)]


def test_nobody_notices():
    """What the lost server gets fails for good; where it is tried on the others, these share it."""
    text = "backend app\n{}\nserver a 10.0.0.1:1 weight 2\nserver b 10.0.0.2:1\nserver c 10.0.0.3:1"
    found = predicted("haproxy", text.format("mode http"), "refuses", "a")["app"][0]
    assert (found.detection_s, found.failed_share, found.unserved) == (None, 0.5, 0.5)
    assert shares_of(found) == near([0, 0.25, 0.25])
    found = predicted("haproxy", text.format("option redispatch"), "refuses", "a")["app"][0]
    assert (found.detection_s, found.failed_share, found.unserved) == (None, 0.0, 0.0)
    assert shares_of(found) == near([0, 0.5, 0.5])
    found = predicted("haproxy", text.format("retries ${N}"), "refuses", "a")["app"][0]
    assert (found.detection_s, found.failed_share) == (None, None)
    assert shares_of(found) == [None] * 3
    assert "not known" in found.reason
    assert not found.exact


def test_nobody_notices_one_server_of_a_line():
    made = pool("roundrobin", [server(2, count=2), 4])
    made.retry = Retry(Setting(0), Setting(False), Setting(frozenset()))
    found = losses(made, "haproxy", EACH)[0]
    assert shares_of(found) == near([0.25, 0.5])
    assert found.unserved == near(0.25)


def test_unknown_shares_and_open_pools():
    found = losses(pool("least_time", [1, 1]), "nginx", EACH)
    assert [loss.alike for loss in found] == [2]
    assert shares_of(found[0]) == [None, None]
    assert "response times" in found[0].reason
    opened = pool("round_robin", [1, 1], opened="a template decides")
    assert losses(opened, "nginx", EACH) == []
    named = losses(opened, "nginx", Scenario(lose=(opened.servers[0].name,)))
    assert [loss.reason for loss in named] == ["a template decides"]
    assert losses(pool("roundrobin", [1, 1]), "another", EACH)[0].detection.startswith(
        "how another notices is not known"
    )


def test_several_lost_servers_may_be_met_one_after_the_other():
    """With two of four equal servers lost, a third of the requests that go on meet the other lost one."""
    text = "defaults\nmode http\nbackend app\nbalance roundrobin\noption redispatch\nretries {}\n"
    text += "\n".join(f"server s{at} 10.0.0.{at}:1 check" for at in range(4))
    for retries, part in ((0, 1.0), (1, 1 / 3), (2, 1 / 9)):
        made = predicted("haproxy", text.format(retries), "refuses")["app"]
        assert made[0].failed_share == (0.25 if retries == 0 else 0.0)
        assert zone_loss("haproxy", text.format(retries), {"s0", "s1"}).failed_share == near(part / 2)


@pytest.mark.parametrize(
    ("tries", "lost", "failed", "delay"),
    [
        (0, 2, 0.0, 4.0),
        (2, 2, 1 / 2 * 1 / 3, 2.0),
        (3, 3, None, 4.0),
        (3, 2, 0.0, 4.0),
        (1, 2, 0.5, None),
        (0, 4, 1.0, 8.0),
    ],
)
def test_several_lost_servers_of_nginx(tries, lost, failed, delay):
    peers = " ".join(f"server 10.0.0.{at};" for at in range(4))
    text = f"events {{}}\nhttp {{ upstream app {{ {peers} }} server {{ listen 80; proxy_next_upstream_tries {tries};"
    text += "proxy_connect_timeout 2s; location / { proxy_pass http://app; } } }"
    found = zone_loss("nginx", text, {f"10.0.0.{at}" for at in range(lost)}, "hangs")
    assert found.failed_share == (None if failed is None else near(failed))
    assert found.delay_s == delay


def zone_loss(dialect, text, names, kind="refuses"):
    from checks.read import config

    made = config(dialect, text)
    for one in made.pools[0].servers:
        one.zone = Setting("lost" if one.name in names else "kept")
    routes = [route for frontend in made.frontends for route in frontend.routes]
    return losses(made.pools[0], dialect, Scenario(kind=kind, lose_zones=("lost",)), routes)[0]


def test_order_and_arcs_tell_servers_apart():
    first = losses(pool("first", [1, 1, 1]), "haproxy", EACH)
    assert [loss.alike for loss in first] == [1, 1, 1]
    ring = losses(redispatched(pool("random", [1] * 5)), "haproxy", EACH)
    assert len({tuple(shares_of(loss)) for loss in ring}) == 5
    estimated = losses(redispatched(pool("random", [200] * 5)), "haproxy", EACH)
    assert [loss.alike for loss in estimated] == [5]
    assert estimated[0].stderr > 0
    assert not estimated[0].exact
    for algorithm in ("hash", "ip_hash"):
        assert len(losses(pool(algorithm, [1] * 5, key="$uri"), "nginx", EACH)) == 5
    twice = [server(1, name="a:1"), server(1, name="a:1"), server(1, name="b:1")]
    assert len(losses(pool("hash_consistent", twice, key="$uri"), "nginx", EACH)) == 3


def test_large_pools_give_the_worst_of_alike_servers():
    made = redispatched(pool("uri", [1] * 60, consistent=True, avalanche=True))
    (found,) = losses(made, "haproxy", EACH)
    assert found.alike == 60
    worst = max(max(shares(made, "haproxy", lost={at}).servers) for at in range(60))
    assert max(shares_of(found)) == near(worst)


def test_secrets_in_names_are_not_shown():
    made = pool("random", [server(name="http://user:password@10.0.0.1:80"), server(name="b")])
    text = str(losses(made, "native", EACH)) + str(losses(made, "native", Scenario(lose=("b",))))
    assert "password" not in text


SERVERS = st.lists(
    st.builds(
        server,
        st.integers(0, 30),
        at=st.integers(1, 9),
        backup=st.booleans(),
        down=st.sampled_from([False, False, True]),
        count=st.sampled_from([1, 1, 2]),
    ),
    max_size=6,
)
ALGORITHMS = [
    *(("nginx", name) for name in ("round_robin", "random_two", "ip_hash", "hash", "hash_consistent")),
    *(("haproxy", name) for name in ("roundrobin", "leastconn", "first", "random", "uri")),
    ("native", "random"),
]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(ALGORITHMS),
    SERVERS,
    st.sampled_from(KINDS),
    st.sampled_from([None, 0, 1, 3]),
    st.booleans(),
    st.sampled_from([(), ("10.0.0.1:8080",), ("10.0.0.1:8080", "10.0.0.2:8080")]),
)
def test_shares_and_unserved_sum_to_one(which, servers, kind, retries, redispatch, lose):
    dialect, algorithm = which
    made = pool(algorithm, servers, key="$uri", consistent=True, avalanche=True)
    if retries is not None:
        made.retry = Retry(Setting(retries), Setting(redispatch), Setting(frozenset({"conn-failure", "error", "500"})))
    found = losses(made, dialect, Scenario(kind=kind, lose=lose), demand=10.0)
    for loss in found:
        assert isinstance(loss, Loss)
        assert loss.alike >= 1
        assert len(loss.servers) == len(servers)
        if loss.reason is not None:
            continue
        assert abs(fsum(shares_of(loss)) + loss.unserved - 1) < 1e-9
        assert all(share >= 0 for share in shares_of(loss))
        assert loss.failed_share is None or -1e-12 <= loss.failed_share <= 1 + 1e-12
        for survivor in loss.servers:
            assert survivor.load == near(10 * survivor.share)
    if not lose:
        serving = sum(one.count for one in servers if one.serving)
        assert sum(loss.alike for loss in found) >= serving


def spent(made, dialect, scenario=EACH):
    best = 1e9
    for _ in range(3):
        start = time.process_time()
        found = losses(made, dialect, scenario, demand=100.0)
        best = min(best, time.process_time() - start)
    return best, found


def test_all_losses_of_a_pool_of_20_take_no_time():
    """0.25 ms on a machine at rest: 500 such pools are one config."""
    for dialect, algorithm in (("nginx", "round_robin"), ("haproxy", "roundrobin"), ("native", "random")):
        took, found = spent(pool(algorithm, range(1, 21)), dialect)
        assert len(found) == 20
        assert took < 0.003


def test_losses_of_a_ring_take_little_longer_than_one():
    made = pool("hash_consistent", [server(1, name=f"10.0.{at // 250}.{at % 250}:80") for at in range(400)], key="$uri")
    start = time.process_time()
    shares(made, "nginx", MAX_RING_POINTS, {0})
    one = time.process_time() - start
    every, found = spent(made, "nginx", Scenario(exact_points=MAX_RING_POINTS))
    assert [loss.alike for loss in found] == [400]
    assert every < 5 * one


def test_of_very_many_alike_servers_the_busiest_is_lost():
    many = pool("hash_consistent", [server(name=f"10.0.{at >> 8}.{at & 255}:80") for at in range(201)], key="$uri")
    (loss,) = losses(many, "nginx", Scenario())
    normal = shares(many, "nginx").servers
    assert loss.alike == 201
    assert loss.lost == many.servers[normal.index(max(normal))].name
