"""One locality written several times in a priority, on the real Envoy: the last weight that is written counts."""

from __future__ import annotations

import json

import proxies
import pytest
from traffic.test_real_envoy import LOCALITIES, bootstrap
from traffic.test_real_envoy_ways import lowered

from lbcheck.traffic.algorithms import shares

pytestmark = proxies.needs_envoy


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(4) as servers:
        yield servers


def group(addresses, zone, weight, priority=0):
    endpoints = []
    for address in addresses:
        host, port = address.split(":")
        where = {"socket_address": {"address": host, "port_value": int(port)}}
        endpoints.append({"endpoint": {"address": where}})
    found = {"locality": {"zone": zone} if zone else {}, "priority": priority, "lb_endpoints": endpoints}
    return found if weight is None else {**found, "load_balancing_weight": weight}


@pytest.mark.parametrize("kind", ["STATIC", "STRICT_DNS"])
@pytest.mark.parametrize(
    ("groups", "weights"),
    [
        ([("a", 3, 2), ("a", 1, 1), ("b", 1, 1)], [1, 1, 1, 3]),
        ([("a", 1, 2), ("a", 3, 1), ("b", 1, 1)], [1, 1, 1, 1]),
        ([("a", 3, 2), ("a", None, 1), ("b", 1, 1)], [1, 1, 1, 1]),
        ([("a", None, 2), ("a", 3, 1), ("b", 1, 1)], [1, 1, 1, 1]),
        ([("a", 3, 2), ("a", 1, 0), ("b", 1, 2)], [1, 1, 1, 1]),
        ([("a", 3, 2), ("b", 1, 1), ("a", 1, 1, 1)], [3, 3, 2, 0]),
    ],
)
def test_one_locality_in_several_groups(tmp_path, backend, kind, groups, weights):
    port = proxies.free_port()
    made = json.loads(bootstrap(port, backend.addresses, {"app": ("ROUND_ROBIN", LOCALITIES, [(1, 0, None, True)])}))
    (cluster,) = made["static_resources"]["clusters"]
    waiting = list(backend.addresses)
    cluster["type"] = kind
    cluster["load_assignment"]["endpoints"] = [
        group([waiting.pop(0) for _ in range(count)], zone, weight, *priority)
        for zone, weight, count, *priority in groups
    ]
    text = json.dumps(made)
    (pool,) = lowered(text).pools
    if kind == "STRICT_DNS" and 0 in [count for _, _, count, *_ in groups]:
        weights = [3, 3, 1, 1]  # nothing is looked up for a group without endpoints
    parts = [weight / sum(weights) for weight in weights]
    assert shares(pool, "envoy").servers == pytest.approx(parts)
    with proxies.envoy(tmp_path, text, port), proxies.Client(port) as client:
        found = client.ask_all(["/app/"] * 240)
    assert [found.count(at) for at in range(4)] == pytest.approx([part * 240 for part in parts], abs=2)
