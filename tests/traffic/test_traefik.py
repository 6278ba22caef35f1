"""Traefik: shares held against picks of its own packages (3.7.13), losses against its health checks and retries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lbcheck.dialects import traefik
from lbcheck.files import DiskFiles
from lbcheck.traffic.algorithms import rendezvous, shares
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.busy import busy_shares
from lbcheck.traffic.scenario import Scenario

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "algorithms" / "golden_vectors.json"

#: What hrw.go chose for these clients among these servers with weights 3, 1 and 2.
SERVERS = ["http://10.0.0.1:8080", "http://10.0.0.2:8080", "http://10.0.0.3:9"]
PICKS = {
    "160.66.190.92": 2,
    "204.177.242.216": 0,
    "190.167.237.136": 1,
    "8.216.120.199": 0,
    "242.64.167.14": 1,
    "231.41.29.96": 0,
    "121.223.64.98": 0,
    "140.27.147.64": 1,
}


def service(weights, *, strategy="wrr", port=":8080", extra=""):
    servers = "".join(
        f"        - {{url: 'http://10.0.0.{number}{port}', weight: {weight}}}\n"
        for number, weight in enumerate(weights, 1)
    )
    return f"    app:\n      loadBalancer:\n        strategy: {strategy}\n{extra}        servers:\n{servers}"


def load(services, routers="", more=""):
    text = f"http:\n  services:\n{services}{more}"
    if routers:
        text += f"  routers:\n{routers}"
    (config,) = traefik.read(["a.yml"], DiskFiles(memory={"a.yml": text}))
    assert config.hits == []
    return config


def of(weights, **options):
    return shares(load(service(weights, **options)).pools[0], "traefik")


@pytest.mark.skipif(not GOLDEN.exists(), reason="the golden vectors are not beside the checkout")
def test_wrr_gives_each_server_its_part_of_a_cycle():
    for vector in json.loads(GOLDEN.read_text())["edf_traefik_unshuffled"]:
        weights, picks = vector["weights"], vector["picks"]
        found = of(weights)
        assert found.exact
        assert found.servers == pytest.approx([picks.count(place) / len(picks) for place in range(len(weights))])


@pytest.mark.parametrize(
    ("weights", "strategy", "expected"),
    [
        ([5, 0, 1], "wrr", [5 / 6, 0, 1 / 6]),
        ([0, 0], "wrr", [0, 0]),
        ([-1, 2], "wrr", [0, 1]),
        ([5, 1, 1], "p2c", [1 / 3] * 3),
        ([0, 0], "p2c", [1 / 2] * 2),
    ],
)
def test_weights(weights, strategy, expected):
    found = of(weights, strategy=strategy)
    assert found.servers == pytest.approx(expected)
    assert found.unserved == (0 if any(expected) else 1)


@pytest.mark.parametrize("strategy", ["leasttime", "fastest"])
def test_what_only_running_tells(strategy):
    found = of([1, 2], strategy=strategy)
    assert found.servers is None
    assert found.reason
    assert of([1], strategy=strategy).servers == [1]


def test_hrw_pick_by_pick():
    for client, place in PICKS.items():
        assert rendezvous.choice(client, SERVERS, [3, 1, 2]) == place


def test_hrw_shares_are_counted():
    found = of([3, 1], strategy="hrw")
    assert (found.exact, found.seed) == (False, rendezvous.SEED)
    assert found.servers == pytest.approx([0.75, 0.25], abs=5 * found.stderr)


def test_hrw_hardly_tells_names_apart_that_differ_in_their_last_bytes():
    """Counted on 3.7.13 over 20,000 clients: 100 % to the first; 50.2 %, 25.0 % and 24.8 % of three."""
    assert of([3, 1], strategy="hrw", port="").servers == [1, 0]
    three = of([1, 1, 1], strategy="hrw", port="")
    assert three.servers == pytest.approx([0.5024, 0.24985, 0.24775], abs=5 * three.stderr)


def test_hrw_of_too_many_servers_or_unknown_ones():
    assert "more than" in of([1] * 51, strategy="hrw").reason
    assert of([1] * 50, strategy="hrw").servers is not None
    config = load(service([1, 1], strategy="hrw").replace("10.0.0.1", "{{ x }}"))
    assert shares(config.pools[0], "traefik").reason


@pytest.mark.parametrize("strategy", ["wrr", "p2c", "hrw"])
def test_busy_shares_are_those_at_low_load(strategy):
    pool = load(service([2, 1], strategy=strategy)).pools[0]
    assert busy_shares(pool, "traefik", 50, 1).servers == shares(pool, "traefik").servers


CHECK = "        healthCheck: {path: /health, interval: 10s, timeout: 3s}\n"
ROUTER = "    r: {rule: 'Host(`a`)', service: app}\n"
AGAIN = """    r: {rule: 'Host(`a`)', service: app, middlewares: [again]}
  middlewares:
    again: {retry: {attempts: 3}}
"""


def losses(config, kind, pool=0):
    found = traffic(config, Scenario(kind=kind)).pools[pool].losses
    return [(loss.detection_s, loss.failed_share, loss.unserved, [one.share for one in loss.servers]) for loss in found]


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [("refuses", 10), ("hangs", 13), ("errors", 10)],
)
def test_a_failed_probe_takes_a_server_out(kind, seconds):
    (lost, *_) = losses(load(service([1, 1, 2], extra=CHECK), ROUTER), kind)
    assert lost == (seconds, 0.25, 0, pytest.approx([0, 1 / 3, 2 / 3]))


def test_without_a_check_a_dead_server_keeps_its_share():
    assert losses(load(service([1, 1]), ROUTER), "refuses") == [(None, 0.5, 0.5, [0, 0.5])]


def test_passive_checks():
    extra = "        passiveHealthCheck: {failureWindow: 20s, maxFailedAttempts: 2}\n"
    (lost,) = losses(load(service([1, 1], extra=extra), ROUTER), "errors")
    assert lost[0] == 20


def test_retries():
    assert losses(load(service([1, 1], extra=CHECK), AGAIN), "refuses")[0][:2] == (10, 0)
    assert losses(load(service([1, 1], extra=CHECK), AGAIN), "errors")[0][:2] == (10, 0.5)
    assert losses(load(service([9, 1], extra=CHECK), AGAIN), "refuses")[0][:2] == (10, None)
    assert losses(load(service([1, 1], strategy="hrw", extra=CHECK), AGAIN), "refuses")[0][1] > 0.4
    sticky = CHECK + "        sticky: {cookie: {}}\n"
    assert losses(load(service([1, 1], extra=sticky), AGAIN), "refuses")[0][1] is None


def test_a_failover_s_fallback_comes_in():
    more = """    spare: {loadBalancer: {servers: [{url: "http://10.0.0.9"}]}}
    both: {failover: {service: app, fallback: spare}}
"""
    config = load(service([1], extra=CHECK), ROUTER.replace("service: app", "service: both"), more)
    assert [pool.name for pool in config.pools] == ["both"]
    assert losses(config, "refuses") == [(10, 1, 0, [0, 1])]


def test_weighted_services():
    more = """    other: {loadBalancer: {servers: [{url: "http://10.0.0.9"}]}}
    split: {weighted: {services: [{name: app, weight: 3}, {name: other}]}}
"""
    result = traffic(load(service([1, 1]), ROUTER.replace("service: app", "service: split"), more), Scenario())
    (route,) = result.frontends[0].routes
    assert [(target.pool, target.share) for target in route.targets] == [("app", 0.75), ("other", 0.25)]


@pytest.mark.parametrize(
    ("check", "errors", "unserved"),
    [("", "", 1.0), ("healthCheck: {path: /}, ", "", 0.0), ("", ", errors: {status: ['500-599']}", 0.0)],
)
def test_a_failover_that_waits_in_vain_serves_nobody(check, errors, unserved):
    """Traefik does not build it (F09): its routers answer 404, as a running 3.6.12 does."""
    services = "".join(
        f"    {name}: {{loadBalancer: {{{check}servers: [{{url: 'http://10.0.0.{at}'}}]}}}}\n"
        for at, name in enumerate("ab", 1)
    )
    services += f"    f: {{failover: {{service: a, fallback: b{errors}}}}}\n"
    found = traffic(load(services, "    r: {rule: Host(`a`), service: f}\n"), Scenario())
    (pool,) = found.pools
    assert (pool.pool.name, pool.unserved, pool.servers[0].share) == ("f", unserved, 1.0 - unserved)
    assert found.frontends[0].routes[0].targets[0].unserved == unserved
    assert bool(pool.losses) == (not unserved)
