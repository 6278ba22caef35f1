"""Rings and Maglev tables whose routes have nothing to hash, on the real Envoy: a random point, not a random host."""

from __future__ import annotations

import json

import proxies
import pytest
from traffic.test_real_envoy import bootstrap, in_order
from traffic.test_real_envoy_ways import lowered

from lbcheck.context import Context
from lbcheck.dialects.envoy.checks_balance import locality_weight_ignored
from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p
from lbcheck.traffic.algorithms import shares

pytestmark = proxies.needs_envoy

DRAWS = 3000
EVEN = [(1, 0, None, True)] * 3
#: A ring of few points, on which hosts of one weight have very different arcs, and a table with weights.
CLUSTERS = {
    "small ring": ("RING_HASH", {"ring_hash_lb_config": {"minimum_ring_size": 3, "maximum_ring_size": 6}}, EVEN),
    "ring": ("RING_HASH", {}, [(1, 0, None, True), (2, 0, None, True), (5, 0, None, True)]),
    "table": ("MAGLEV", {}, [(1, 0, None, True), (2, 0, None, True), (5, 0, None, True)]),
}


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(3) as servers:
        yield servers


@pytest.mark.parametrize("name", CLUSTERS)
def test_shares_without_a_hash_policy(tmp_path, backend, name):
    port = proxies.free_port()
    made = json.loads(bootstrap(port, backend.addresses, {"app": CLUSTERS[name]}))
    manager = made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    del manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"]["hash_policy"]
    text = json.dumps(made)
    (pool,) = lowered(text).pools
    parts = in_order(pool, shares(pool, "envoy").servers)
    with proxies.envoy(tmp_path, text, port), proxies.Client(port) as client:
        found = client.ask_all(["/app/"] * DRAWS)
    counts = [found.count(at) for at in range(3)]
    assert chi_square_p(counts, parts) > IMPOSSIBLE


@pytest.mark.parametrize(
    ("policy", "weight", "codes"),
    [("RING_HASH", None, ["D13"]), ("MAGLEV", None, ["D13"]), ("ROUND_ROBIN", None, []), ("RING_HASH", 2, [])],
)
def test_localities_without_a_weight(backend, policy, weight, codes):
    """What the real Envoy does with these is counted in test_real_envoy.py."""
    weighted = {"common_lb_config": {"locality_weighted_lb_config": {}}}
    hosts = [(1, 0, weight, True)] * 2
    config = lowered(bootstrap(1024, backend.addresses, {"app": (policy, weighted, hosts)}))
    found = list(locality_weight_ignored(config, Context()))
    assert [hit.code for hit in found] == codes
    assert [hit.args["effect"] for hit in found] == ["its hash table is empty, and requests get 503"] * len(codes)
