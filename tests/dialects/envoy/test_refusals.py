"""Combinations that Envoy refuses, each held against the real one: splits without a weight, policies with others."""

from __future__ import annotations

import json

import proxies
import pytest
import verdicts

from lbcheck.checks.zeros import weight_all_zero
from lbcheck.context import Context
from lbcheck.dialects import envoy
from lbcheck.engine import broken
from lbcheck.files import DiskFiles

POLICIES = "type.googleapis.com/envoy.extensions.load_balancing_policies"
HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def policy(kind, **inside):
    typed = {"@type": f"{POLICIES}.{kind}", **inside}
    return {"policies": [{"typed_extension_config": {"name": "one", "typed_config": typed}}]}


TURNS = policy("round_robin.v3.RoundRobin")
REPORTS = policy("client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin")
WRR = "wrr_locality.v3.WrrLocality"
#: Fields of a cluster, and the codes of what is found.
CLUSTERS = [
    ({"load_balancing_policy": TURNS}, []),
    ({"load_balancing_policy": TURNS, "lb_policy": "RING_HASH", "ring_hash_lb_config": {}}, []),
    ({"load_balancing_policy": TURNS, "common_lb_config": {"healthy_panic_threshold": {"value": 0}}}, []),
    ({"load_balancing_policy": TURNS, "lb_subset_config": {}}, ["E14"]),
    ({"load_balancing_policy": TURNS, "common_lb_config": {"locality_weighted_lb_config": {}}}, ["E14"]),
    ({"load_balancing_policy": TURNS, "common_lb_config": {"zone_aware_lb_config": {}}}, ["E14"]),
    ({"load_balancing_policy": TURNS, "common_lb_config": {"consistent_hashing_lb_config": {}}}, ["E14"]),
    ({"common_lb_config": {"locality_weighted_lb_config": {}}}, []),
    ({"load_balancing_policy": policy(WRR, endpoint_picking_policy=REPORTS)}, []),
    ({"load_balancing_policy": policy(WRR, endpoint_picking_policy=TURNS)}, ["E14"]),
]


def judged(made, folder):
    """Return the codes of what is found by reading, and hold them against the real Envoy where there is one."""
    text = json.dumps({"static_resources": made})
    (config,) = envoy.read(["envoy.json"], DiskFiles(memory={"envoy.json": text}))
    if proxies.ENVOY is not None:
        accepted, said = verdicts.verdict("envoy", {"envoy.json": text}, folder)
        assert accepted is not broken(config), said
    return config


@pytest.mark.parametrize(("fields", "codes"), CLUSTERS)
def test_clusters(tmp_path, fields, codes):
    config = judged({"clusters": [{"name": "app", "type": "STATIC", "connect_timeout": "1s", **fields}]}, tmp_path)
    assert [hit.code for hit in config.hits] == codes


@pytest.mark.parametrize(("weights", "codes"), [([0, 0], ["D05"]), ([0], ["D05"]), ([0, 1], []), ([3], [])])
def test_splits(tmp_path, weights, codes):
    named = [{"name": "app", "weight": weight} for weight in weights]
    routes = [{"match": {"prefix": "/"}, "route": {"weighted_clusters": {"clusters": named}}}]
    manager = {
        "@type": HTTP,
        "stat_prefix": "web",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": ROUTER}}],
    }
    listener = {
        "name": "web",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 10000}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    config = judged({"listeners": [listener], "clusters": [{"name": "app", "connect_timeout": "1s"}]}, tmp_path)
    assert [(hit.code, hit.args["effect"]) for hit in config.hits] == [(code, "Envoy does not start") for code in codes]


def test_a_split_of_rds():
    split = {"clusters": [{"name": "app", "weight": 0}, {"name": "next", "weight": 0}]}
    one = {
        "name": "all",
        "domains": ["*"],
        "routes": [{"match": {"prefix": "/"}, "route": {"weighted_clusters": split}}],
    }
    kind = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
    text = json.dumps({"resources": [{"@type": kind, "name": "web", "virtual_hosts": [one]}]})
    (config,) = envoy.read(["rds.json"], DiskFiles(memory={"rds.json": text}))
    assert not config.hits
    (found,) = weight_all_zero(config, Context())
    assert found.args["effect"] == "Envoy takes none of the routes that stand beside it"
