"""Clusters that hand their requests on to others, on the real Envoy: members get what nobody here can say."""

from __future__ import annotations

import json

import proxies
import pytest
from changes.read import versions
from traffic.test_real_envoy import bootstrap
from traffic.test_real_envoy_ways import lowered

from lbcheck.changes.compare import compare
from lbcheck.changes.overall import moved
from lbcheck.report.pictures.sections import views
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.flow import target_shares
from lbcheck.traffic.scenario import Scenario

pytestmark = proxies.needs_envoy

AGGREGATE = "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig"
UP = (1, 0, None, True)
DOWN = (1, 0, None, False)


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(4) as servers:
        yield servers


def aggregate(name, members):
    kind = {"name": "envoy.clusters.aggregate", "typed_config": {"@type": AGGREGATE, "clusters": members}}
    return {"name": name, "lb_policy": "CLUSTER_PROVIDED", "cluster_type": kind}


def running(port, backend, aggregates, first=(UP, UP), route=None):
    """Return Envoy's text: clusters one and two of two servers each, and a route to the first of the aggregates."""
    one, two = backend.addresses[:2], backend.addresses[2:]
    made = json.loads(bootstrap(port, one, {"one": ("ROUND_ROBIN", {}, first)}))
    other = json.loads(bootstrap(port, two, {"two": ("ROUND_ROBIN", {}, [UP, UP])}))
    resources = made["static_resources"]
    resources["clusters"] += other["static_resources"]["clusters"]
    resources["clusters"] += [aggregate(name, members) for name, members in aggregates.items()]
    manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    action = route or {"cluster": next(iter(aggregates))}
    manager["route_config"]["virtual_hosts"][0]["routes"] = [{"match": {"prefix": "/"}, "route": action}]
    return json.dumps(made)


#: Aggregates, the first one's hosts, and which servers serve.
CASES = [
    ({"all": ["one", "two"]}, (UP, UP), {0, 1}),
    ({"all": ["two", "one"]}, (UP, UP), {2, 3}),
    ({"all": ["one", "two"]}, (UP, DOWN), {0, 2, 3}),
    ({"all": ["one", "two"]}, (DOWN, DOWN), {2, 3}),
    ({"all": ["nobody", "two"]}, (UP, UP), {2, 3}),
    ({"all": ["inner", "two"], "inner": ["one"]}, (UP, UP), {2, 3}),  # an aggregate has no hosts of its own
]


@pytest.mark.parametrize(("aggregates", "first", "serving"), CASES)
def test_who_serves_is_not_known_here(tmp_path, backend, aggregates, first, serving):
    port = proxies.free_port()
    text = running(port, backend, aggregates, first)
    config = lowered(text)
    (route,) = [route for frontend in config.frontends for route in frontend.routes]
    assert not config.hits
    assert target_shares(route)[0] == [None] * len(route.targets)
    orphans = {view.name for view in views(traffic(config, Scenario())) if view.orphan}
    assert orphans == {"one"} - {name for members in aggregates.values() for name in members}
    with proxies.envoy(tmp_path, text, port), proxies.Client(port) as client:
        assert set(client.ask_all(["/"] * 60)) == serving


def test_a_circle_ends(backend):
    config = lowered(running(1024, backend, {"all": ["inner", "one"], "inner": ["all", "two"]}))
    assert [target.name for target in config.frontends[0].routes[0].targets] == ["all", "inner", "one", "two"]


def test_a_split_with_one_is_not_known(backend):
    route = {"weighted_clusters": {"clusters": [{"name": "all", "weight": 1}, {"name": "two", "weight": 1}]}}
    config = lowered(running(1024, backend, {"all": ["one", "two"]}, route=route))
    assert target_shares(config.frontends[0].routes[0])[0] == [None] * 4


def change(old, new):
    before, after = versions("envoy", old), versions("envoy", new)
    return moved(compare(before, after), before[0].traffic, after[0].traffic)


def test_diff(backend):
    ordered, turned, alone = (
        running(1024, backend, {"all": ["one", "two"]}),
        running(1024, backend, {"all": ["two", "one"]}),
        running(1024, backend, {"all": ["one", "two"]}, route={"cluster": "one"}),
    )
    assert change(ordered, ordered) == 0
    assert change(ordered, turned) is None
    assert change(alone, ordered) is None
