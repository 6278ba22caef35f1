"""Picks that were once compared with nginx 1.22.1 and HAProxy 2.6.12 one by one."""

from __future__ import annotations

import ipaddress
import json
import os

import pytest

from lbcheck.traffic.algorithms import chash, hashes, ketama, maps, modulo, weighted

with open(os.path.join(os.path.dirname(__file__), "golden_vectors.json"), encoding="utf-8") as stream:
    GOLDEN = json.load(stream)


@pytest.mark.parametrize("case", GOLDEN["nginx_swrr"], ids=lambda case: str(case["weights"]))
def test_smooth_round_robin(case):
    picks = case["picks"]
    assert weighted.smooth_picks(case["weights"], 3 * len(picks)) == picks * 3


@pytest.mark.parametrize("case", GOLDEN["nginx_swrr_failure"], ids=lambda case: str(case["weights"]))
def test_smooth_round_robin_with_failures(case):
    balancer = weighted.SmoothRoundRobin(case["weights"], case["max_fails"], case["fail_timeout"])
    for request in case["trace"]:
        assert attempts(balancer, request["t"], request["dead"]) == request["attempts"], request


def attempts(balancer, now, dead):
    tried = []
    found = []
    while len(tried) < len(balancer.weights):
        server = balancer.pick(now, tried)
        if server is None:
            return [*found, None]
        tried.append(server)
        if server not in dead:
            balancer.succeeded(server)
            return [*found, [server, "ok"]]
        balancer.failed(server, now)
        found.append([server, "fail"])
    return found


@pytest.mark.parametrize("case", GOLDEN["nginx_hash"], ids=lambda case: case["key"])
def test_nginx_hash(case):
    assert modulo.server_for(modulo.hash_values(case["key"].encode()), case["weights"]) == case["server"]


@pytest.mark.parametrize("case", GOLDEN["nginx_ip_hash"], ids=lambda case: case["ip"])
def test_nginx_ip_hash(case):
    address = ipaddress.ip_address(case["ip"]).packed
    assert modulo.server_for(modulo.ip_hash_values(address), case["weights"]) == case["server"]


def test_nginx_consistent_hash():
    case = GOLDEN["nginx_hash_consistent"]
    names = [name for name, _ in case["servers"]]
    continuum = ketama.Continuum(names, [weight for _, weight in case["servers"]])
    ring = continuum.ring
    assert len(ring.places) == case["n_points"]
    first = [[place, names[owner]] for place, owner in zip(ring.places[:5], ring.owners, strict=False)]
    assert first == case["first_points"]
    for key, name in case["picks"].items():
        assert names[continuum.server_for(key.encode())] == name


@pytest.mark.parametrize("case", GOLDEN["haproxy_fwrr"], ids=lambda case: str(case["weights"]))
def test_haproxy_roundrobin(case):
    picks = case["picks"]
    assert weighted.window_picks(case["weights"], 3 * len(picks)) == picks * 3


@pytest.mark.parametrize("case", GOLDEN["haproxy_map"], ids=lambda case: str(case["weights"]))
def test_haproxy_map(case):
    assert maps.slots(case["weights"]) == case["map"]


@pytest.mark.parametrize("case", GOLDEN["haproxy_uri_map_sdbm"], ids=lambda case: case["key"])
def test_haproxy_uri_on_the_map(case):
    value = hashes.key_hash(case["key"].encode())
    assert value == case["hash"]
    assert maps.server_for(maps.slots([10, 20, 30]), value) == case["server"]


@pytest.mark.parametrize("case", GOLDEN["haproxy_uri_consistent"], ids=lambda case: case["key"])
def test_haproxy_uri_on_the_ring(case):
    value = hashes.key_hash(case["key"].encode(), avalanche=True)
    assert value == case["hash"]
    assert chash.Tree([1, 2, 3], [1, 3, 1]).server_for(value) == case["server"]


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_haproxy_ring_shares(count):
    known = GOLDEN["haproxy_consistent_keyspace_share_w1"][str(count)]
    shares = chash.Tree(range(1, count + 1), [1] * count).shares()
    assert [round(share, 5) for share in shares] == list(known.values())
