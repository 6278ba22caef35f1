"""Runtime values that override what clusters say, on the real Envoy."""

from __future__ import annotations

import json

import proxies
import pytest
from traffic.test_real_envoy import bootstrap
from traffic.test_real_envoy_ways import lowered

from lbcheck.traffic.algorithms import shares

pytestmark = proxies.needs_envoy

DEAD = [(1, 0, None, False), (1, 0, None, False)]
CALM = {"common_lb_config": {"healthy_panic_threshold": {"value": 0}}}
PANIC = "upstream.healthy_panic_threshold"


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(2) as servers:
        yield servers


def running(port, backend, layers, more=(), hosts=DEAD):
    made = json.loads(bootstrap(port, backend.addresses, {"app": ("ROUND_ROBIN", dict(more), hosts)}))
    made["layered_runtime"] = {"layers": [{"name": f"layer {at}", **layer} for at, layer in enumerate(layers)]}
    return json.dumps(made)


def static(value):
    return {"static_layer": value}


@pytest.mark.parametrize(
    ("layers", "more", "panics"),
    [
        ([static({PANIC: 0})], (), False),
        ([static({"upstream": {"healthy_panic_threshold": 0}})], (), False),
        ([static({"upstream": {"healthy_panic_threshold": "0"}})], (), False),
        ([static({PANIC: 0.4})], (), False),
        ([static({PANIC: 0}), static({"upstream": {"healthy_panic_threshold": 50}})], (), True),
        ([static({"upstream": {"healthy_panic_threshold": 50}}), static({PANIC: 0})], (), False),
        ([static({PANIC: 0}), {"admin_layer": {}}], (), False),
        ([static({PANIC: 50})], CALM, True),
        ([static({PANIC: "x"})], (), True),
        ([static({PANIC: -1})], CALM, False),
        ([static({PANIC: 0}), static({PANIC: True})], (), True),
    ],
)
def test_the_panic_threshold(tmp_path, backend, layers, more, panics):
    port = proxies.free_port()
    text = running(port, backend, layers, more)
    config = lowered(text)
    found = shares(config.pools[0], "envoy")
    assert [*found.servers, found.unserved] == ([0.5, 0.5, 0] if panics else [0, 0, 1])
    assert not config.unmodelled
    with proxies.envoy(tmp_path, text, port), proxies.Client(port) as client:
        assert set(client.ask_all(["/app/"] * 6)) == ({0, 1} if panics else {None})


def test_weights_count_whatever_old_envoys_had_a_key_for(tmp_path, backend):
    port = proxies.free_port()
    hosts = [(9, 0, None, True), (1, 0, None, True)]
    text = running(port, backend, [static({"upstream": {"weight_enabled": 0}})], hosts=hosts)
    assert shares(lowered(text).pools[0], "envoy").servers == pytest.approx([0.9, 0.1])
    with proxies.envoy(tmp_path, text, port), proxies.Client(port) as client:
        found = client.ask_all(["/app/"] * 40)
    assert [found.count(0), found.count(1)] == [36, 4]


@pytest.mark.parametrize(("name", "refused"), [("app", True), ("another", False)])
def test_maintenance(tmp_path, backend, name, refused):
    port = proxies.free_port()
    text = running(port, backend, [static({"upstream": {"maintenance_mode": {name: 100}}})])
    reason = shares(lowered(text).pools[0], "envoy").reason
    assert ("maintenance_mode" in (reason or "")) is refused
    with proxies.envoy(tmp_path, text, port), proxies.Client(port) as client:
        assert (set(client.ask_all(["/app/"] * 6)) == {None}) is refused


@pytest.mark.parametrize("value", [{PANIC: 0, "upstream": {"healthy_panic_threshold": 50}}, {PANIC: "{{ panic }}"}])
def test_a_threshold_that_is_not_known(backend, value):
    """Written twice in one layer, it is either; a template has yet to write it."""
    assert "not known" in shares(lowered(running(1024, backend, [static(value)])).pools[0], "envoy").reason


@pytest.mark.parametrize(
    "layer",
    [
        static({"outlier_detection": {"consecutive_5xx": 1}}),
        static({"health_check.max_interval": 5}),
        static({"circuit_breakers": {"app": {"default": {"max_requests": 1}}}}),
        {"disk_layer": {"symlink_root": "/srv/runtime"}},
        {"rtds_layer": {"name": "values"}},
    ],
)
def test_what_is_not_read_is_counted(backend, layer):
    (counted,) = lowered(running(1024, backend, [layer])).unmodelled
    assert counted.reason.startswith("runtime values")
