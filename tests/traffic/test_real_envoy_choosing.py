"""Which cluster a TCP proxy's connections go to where filters before it choose, on the real Envoy."""

from __future__ import annotations

import json

import proxies
import pytest
from traffic.test_real_envoy_ways import bootstrap, lowered, said

from lbcheck.report.pictures.sections import views
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.flow import route_shares
from lbcheck.traffic.scenario import Scenario

pytestmark = proxies.needs_envoy

FILTERS = "type.googleapis.com/envoy.extensions.filters"
TCP = f"{FILTERS}.network.tcp_proxy.v3.TcpProxy"
ONE = {"cluster": "a"}
SPLIT = {"weighted_clusters": {"clusters": [{"name": "a", "weight": 1}]}}


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(2) as servers:
        yield servers


def state(text, when="on_new_connection", key="envoy.tcp_proxy.cluster", **more):
    form = {"text_format_source": {"inline_string": text}}
    kind = "listener" if when == "on_accept" else "network"
    inside = {"@type": f"{FILTERS}.{kind}.set_filter_state.v3.Config"}
    return {"name": "state", "typed_config": {**inside, when: [{"object_key": key, "format_string": form, **more}]}}


def sni():
    return {"name": "sni", "typed_config": {"@type": f"{FILTERS}.network.sni_cluster.v3.SniCluster"}}


def text(port, backend, before=(), listening=(), proxy=ONE):
    last = {"name": "tcp", "typed_config": {"@type": TCP, "stat_prefix": "web", **proxy}}
    return bootstrap(port, backend, [{"filters": [*before, last]}], listener_filters=list(listening))


#: Filters of the network and of the listener, what the TCP proxy says; the cluster as read (None: not known), and as
#: it is for a client that has no TLS.
CHOICES = {
    "none": ([], [], ONE, "a", "a"),
    "network": ([state("b")], [], ONE, "b", "b"),
    "listener": ([], [state("b", "on_accept")], ONE, "b", "b"),
    "another key": ([state("b", key="mine", factory_key="envoy.string")], [], ONE, "a", "a"),
    "split": ([state("b")], [], SPLIT, "a", "a"),
    "twice": ([state("a"), state("b")], [], ONE, None, "b"),
    "command": ([state("%DYNAMIC_METADATA(envoy.lb:cluster)%", skip_if_empty=True)], [], ONE, None, None),
    "data": ([state("b", "on_downstream_data")], [], ONE, None, None),
    "name in TLS": ([sni()], [], ONE, None, "a"),
}


@pytest.mark.parametrize("name", CHOICES)
def test_choices(tmp_path, backend, name):
    before, listening, proxy, cluster, who = CHOICES[name]
    port = proxies.free_port()
    boot = text(port, backend, before, listening, proxy)
    config = lowered(boot)
    assert not config.hits
    (frontend,) = config.frontends
    (route,) = frontend.routes
    assert [target.name for target in route.targets] == ([] if cluster is None else [cluster])
    assert route_shares(frontend) == [1.0]
    assert len(config.unmodelled) == (cluster is None)
    orphans = [view.name for view in views(traffic(config, Scenario())) if view.orphan]
    assert orphans == ([] if cluster is None else ["b" if cluster == "a" else "a"])
    with proxies.envoy(tmp_path, boot, port):
        found = set()
        for _ in range(3 if who else 0):
            with proxies.Client(port) as client:
                found.add("ab"[client.ask("/")])
    assert found == ({who} if who else set())


def test_diff(backend):
    old = text(10000, backend)
    assert said(old, text(10000, backend, [state("b")])) == ["any other host:10000/ goes to pool b, before to pool a"]
    assert said(old, text(10000, backend, [state("a")])) == []
    assert said(old, text(10000, backend, [sni()]))


def test_code_is_counted(backend):
    module = {"@type": f"{FILTERS}.network.wasm.v3.Wasm", "config": {"name": "one"}}
    config = lowered(text(1024, backend, [{"name": "wasm", "typed_config": module}]))
    assert [counted.reason for counted in config.unmodelled] == ["what a Wasm module does with connections"]


def test_a_cluster_that_is_nowhere_is_no_target_of_another(backend):
    made = json.loads(text(1024, backend, [state("nowhere")]))
    (route,) = lowered(json.dumps(made)).frontends[0].routes
    assert [(target.name, target.pool) for target in route.targets] == [("nowhere", None)]
