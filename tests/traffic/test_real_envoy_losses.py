"""What the rules' pages say about losses, on the real Envoy: ejections, retries, the time that checks take."""

from __future__ import annotations

import json
import time

import proxies
import pytest
from traffic.test_real_envoy import bootstrap

from lbcheck.dialects.envoy import read
from lbcheck.files import DiskFiles
from lbcheck.traffic.losses import losses
from lbcheck.traffic.scenario import ERRORS, HANGS, REFUSES, Scenario

pytestmark = proxies.needs_envoy


@pytest.fixture
def backend():
    with proxies.Servers(3) as servers:
        yield servers


def running(folder, backend, more, hosts=2, route=None):
    """Return Envoy with one cluster of so many hosts, and its config as lbcheck reads it."""
    port = proxies.free_port()
    text = bootstrap(port, backend.addresses, {"app": ("ROUND_ROBIN", more, [(1, 0, None, True)] * hosts)})
    if route:
        made = json.loads(text)
        manager = made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"].update(route)
        text = json.dumps(made)
    (config,) = read(["envoy.json"], DiskFiles(memory={"envoy.json": text}))
    assert not config.hits
    return proxies.envoy(folder, text, port), port, config


def predicted(config, kind):
    (pool,) = config.pools
    routes = [route for frontend in config.frontends for route in frontend.routes]
    return losses(pool, "envoy", Scenario(lose=(pool.servers[0].name,), kind=kind), routes)[0]


@pytest.mark.parametrize(("percent", "ejects"), [(None, False), (50, True)])
def test_outlier_detection(tmp_path, backend, percent, ejects):
    detection = {"consecutive_5xx": 3, "interval": "1s"}
    if percent:
        detection["max_ejection_percent"] = percent
    envoy, port, config = running(tmp_path, backend, {"outlier_detection": detection})
    loss = predicted(config, ERRORS)
    backend.fail(0)
    with envoy, proxies.Client(port) as client:
        statuses = [client.answer_to("/app/").status for _ in range(60)]
    assert ("no more than 10 %" in loss.detection) is not ejects
    assert loss.detection_s is None
    assert statuses.count(500) == (3 if ejects else 30)
    assert loss.failed_share == 0.5


@pytest.mark.parametrize("kind", [REFUSES, HANGS, ERRORS])
def test_health_check_takes_no_longer_than_said(tmp_path, backend, kind):
    """After three failures, each an interval after the end of the last; an unexpected status counts at once."""
    check = {"timeout": "0.4s", "interval": "0.3s", "no_traffic_interval": "0.3s", "unhealthy_threshold": 3,
        "healthy_threshold": 1, "http_health_check": {"path": "/"}}  # fmt: skip
    envoy, port, config = running(tmp_path, backend, {"health_checks": [check], "connect_timeout": "0.2s"})
    loss = predicted(config, kind)
    assert loss.detection_s == pytest.approx({REFUSES: 0.9, HANGS: 2.1, ERRORS: 0.3}[kind])
    with envoy, proxies.Client(port) as client:
        proxies.wait_until(lambda: {client.ask("/app/") for _ in range(4)} == {0, 1})
        {REFUSES: backend.refuse, HANGS: backend.hang, ERRORS: backend.fail}[kind](0)
        lost = last = time.monotonic()
        while time.monotonic() - lost < loss.detection_s + 1.5:
            if client.answer_to("/app/").status != 200:
                last = time.monotonic()
        assert last - lost < loss.detection_s + 0.4
        if kind != ERRORS:
            assert last - lost > loss.detection_s / 3


def test_the_first_try_may_take_all_of_the_time(tmp_path, backend):
    slow = {"timeout": "1s", "retry_policy": {"retry_on": "5xx", "num_retries": 2}}
    envoy, port, _ = running(tmp_path, backend, {"connect_timeout": "10s"}, hosts=1, route=slow)
    backend.hang(0)
    with envoy, proxies.Client(port) as client:
        answer = client.answer_to("/app/")
    assert answer.status == 504
    assert answer.seconds == pytest.approx(1, abs=0.3)


def test_without_a_hash_policy_a_ring_is_random(tmp_path, backend):
    port = proxies.free_port()
    text = bootstrap(port, backend.addresses, {"app": ("RING_HASH", {}, [(1, 0, None, True)] * 3)})
    made = json.loads(text)
    manager = made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    del manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"]["hash_policy"]
    with proxies.envoy(tmp_path, json.dumps(made), port), proxies.Client(port) as client:
        found = [client.ask("/app/", X_Key="always the same") for _ in range(60)]
    assert set(found) == {0, 1, 2}
