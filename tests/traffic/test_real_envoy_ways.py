"""What requests meet before they meet a route, on the real Envoy: filter chains, redirects, filters that answer."""

from __future__ import annotations

import http.client
import json

import proxies
import pytest
from changes.read import versions
from traffic.test_real_envoy import HTTP, ROUTER, cluster

from lbcheck.changes.compare import compare
from lbcheck.changes.rerouted import rerouted
from lbcheck.checks.routing import route_shadowed
from lbcheck.context import Context
from lbcheck.dialects.envoy import read
from lbcheck.files import DiskFiles
from lbcheck.report.pictures.sections import views
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.flow import route_shares
from lbcheck.traffic.scenario import Scenario

pytestmark = proxies.needs_envoy


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(2) as servers:
        yield servers


def lowered(text):
    (config,) = read(["envoy.json"], DiskFiles(memory={"envoy.json": text}))
    return config


def chain(pool, match=None, host=None, manager=None):
    """Return a filter chain whose requests all go to the pool."""
    every = {"name": pool, "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": pool}}]}
    inside = {
        "@type": HTTP,
        "stat_prefix": "web",
        "route_config": {"virtual_hosts": [{**every, **(host or {})}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": ROUTER}}],
        **(manager or {}),
    }
    found = {"name": pool, "filters": [{"name": "http", "typed_config": inside}]}
    return found if match is None else {**found, "filter_chain_match": match}


def bootstrap(port, backend, chains, **more):
    """Return a text of two clusters, a and b, of a server each."""
    made = [
        cluster(name, backend.addresses[at:], "ROUND_ROBIN", {}, [(1, 0, None, True)]) for at, name in enumerate("ab")
    ]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    listener = {"name": "web", "address": address, "filter_chains": chains, **more}
    return json.dumps({"static_resources": {"listeners": [listener], "clusters": made}})


def takers(text, folder, port, **headers):
    """Return who answers: the pools that do, the statuses of Envoy's own answers, None where it resets connections."""
    found = set()
    with proxies.envoy(folder, text, port):
        for _ in range(3):
            try:
                with proxies.Client(port) as client:
                    answer = client.answer_to("/", **headers)
            except (OSError, http.client.HTTPException):
                found.add(None)
                continue
            server = answer.server
            found.add("ab"[server] if server is not None else answer.status or None)
    return found


def within(prefix, bits):
    return [{"address_prefix": prefix, "prefix_len": bits}]


OWN = "the listener's own port"
NETWORK = {"prefix_ranges": within("127.0.0.0", 8)}
HOST = {"prefix_ranges": within("127.0.0.1", 32)}
ELSEWHERE = {"prefix_ranges": within("10.0.0.0", 8)}
CLIENT = {"source_prefix_ranges": within("10.0.0.0", 8)}
#: Matches of the chains to a and b, each one's part of its frontend's requests (None: only clients know), and who
#: answers those on loopback.
CHAINS = {
    "own port": ([{"destination_port": OWN}, None], [1.0, 0.0], "a"),
    "another port": ([{"destination_port": 1}, None], [0.0, 1.0], "b"),
    "another port alone": ([{"destination_port": 1}], [0.0], None),
    "own port, some clients": ([{"destination_port": OWN, **CLIENT}, None], [None, 0.0], None),
    "another network alone": ([ELSEWHERE], [0.0], None),
    "another network": ([ELSEWHERE, None], [0.0, 1.0], "b"),
    "own network": ([NETWORK, None], [1.0, 0.0], "a"),
    "longest prefix": ([NETWORK, HOST], [0.0, 1.0], "b"),
    "longest prefix, some clients": ([NETWORK, {**HOST, **CLIENT}], [0.0, None], None),
    "no bits": ([{"prefix_ranges": within("0.0.0.0", 0)}], [1.0], "a"),
    "some clients alone": ([CLIENT], [None], None),
    "some clients": ([CLIENT, None], [None, 1.0], "b"),
    "clients of this machine": ([{"source_type": "SAME_IP_OR_LOOPBACK"}, None], [None, 1.0], "a"),
    "other clients": ([{"source_type": "EXTERNAL"}, None], [None, 1.0], "b"),
    "any clients": ([{"source_type": 0}], [1.0], "a"),
    "a client's port": ([{"source_ports": [1]}], [None], None),
    "direct clients": ([{"direct_source_prefix_ranges": within("127.0.0.0", 8)}, None], [None, 1.0], "a"),
}


def filled(match, port):
    return match and {name: port if value is OWN else value for name, value in match.items()}


@pytest.mark.parametrize("case", CHAINS)
def test_filter_chains(tmp_path, backend, case):
    matches, shares, who = CHAINS[case]
    port = proxies.free_port()
    text = bootstrap(port, backend, [chain("ab"[at], filled(match, port)) for at, match in enumerate(matches)])
    assert [share for one in lowered(text).frontends for share in route_shares(one)] == shares
    assert takers(text, tmp_path, port) == {who}


@pytest.mark.parametrize("match", [None, {"destination_port": 2}, CLIENT])
def test_the_default_chain(tmp_path, backend, match):
    port = proxies.free_port()
    chains = [chain("a", {"destination_port": 1})]
    text = bootstrap(port, backend, chains, default_filter_chain=chain("b", match))
    assert [route_shares(one) for one in lowered(text).frontends] == [[0.0], [1.0]]
    assert takers(text, tmp_path, port) == {"b"}


def test_the_default_chain_behind_one_that_takes_all(tmp_path, backend):
    port = proxies.free_port()
    text = bootstrap(port, backend, [chain("a")], default_filter_chain=chain("b"))
    assert [route_shares(one) for one in lowered(text).frontends] == [[1.0], [0.0]]
    assert takers(text, tmp_path, port) == {"a"}


def test_a_destination_of_its_own_may_be_any(backend):
    original = "type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst"
    filters = [{"name": "original", "typed_config": {"@type": original}}]
    text = bootstrap(1024, backend, [chain("a", {"destination_port": 1}), chain("b")], listener_filters=filters)
    assert [route_shares(one) for one in lowered(text).frontends] == [[None], [1.0]]


def test_a_port_that_a_listener_has_too(backend):
    further = [{"address": {"socket_address": {"address": "127.0.0.1", "port_value": 1025}}}]
    chains = [chain("a", {"destination_port": 1025}), chain("b")]
    config = lowered(bootstrap(1024, backend, chains, additional_addresses=further))
    assert [[one.address.port for one in frontend.listeners] for frontend in config.frontends] == [[1025], [1024]]
    assert [route_shares(one) for one in config.frontends] == [[1.0], [1.0]]


@pytest.mark.parametrize("field", [{"address_suffix": "127.0.0.1"}, {"suffix_len": 8}])
def test_unimplemented_matches_are_refused(tmp_path, backend, field):
    port = proxies.free_port()
    text = bootstrap(port, backend, [chain("a", field)])
    assert [hit.code for hit in lowered(text).hits] == ["E14"]
    with pytest.raises(pytest.fail.Exception, match="unimplemented fields"):
        takers(text, tmp_path, port)


def said(old, new):
    return rerouted(compare(versions("envoy", old), versions("envoy", new)))


def test_diff_of_filter_chains(backend):
    old = bootstrap(10000, backend, [chain("a")])
    assert said(old, bootstrap(10000, backend, [chain("a", {"destination_port": 10000})])) == []
    assert said(old, bootstrap(10000, backend, [chain("a", {"destination_port": 10001})])) == [
        "any other host:10000/ goes to no pool, before to pool a"
    ]
    gone, new = said(old, bootstrap(10000, backend, [chain("a", CLIENT)]))
    assert gone == "gone: 127.0.0.1:10000, every request: pool a"
    assert new == "new: 127.0.0.1:10000, opaque exact source_prefix_ranges 10.0.0.0/8: pool a"


OWN_HEADER = {"use_remote_address": True}
HOPS = {"use_remote_address": True, "xff_num_trusted_hops": 1}
LOOPBACK = {**OWN_HEADER, "internal_address_config": {"cidr_ranges": within("127.0.0.0", 8)}}


@pytest.mark.parametrize(
    ("wanted", "manager", "shares", "who", "with_header"),
    [("ALL", OWN_HEADER, [1.0, 0.0], 301, 301), (2, OWN_HEADER, [1.0, 0.0], 301, 301),
     ("all", {}, [None, None], 301, "a"), ("ALL", HOPS, [None, None], 301, "a"),
     ("EXTERNAL_ONLY", OWN_HEADER, [None, None], 301, 301), ("EXTERNAL_ONLY", LOOPBACK, [None, None], "a", "a"),
     ("EXTERNAL_ONLY", {}, [None, None], 301, "a"), ("NONE", OWN_HEADER, [1.0], "a", "a")],
)  # fmt: skip
def test_hosts_that_want_tls(tmp_path, backend, wanted, manager, shares, who, with_header):
    port = proxies.free_port()
    text = bootstrap(port, backend, [chain("a", host={"require_tls": wanted}, manager=manager)])
    config = lowered(text)
    (frontend,) = config.frontends
    assert route_shares(frontend) == shares
    assert not list(route_shadowed(config, Context()))  # the routes may serve a listener with TLS
    assert takers(text, tmp_path, port) == {who}
    assert takers(text, tmp_path, port, X_Forwarded_Proto="https") == {with_header}


TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"


@pytest.mark.parametrize(("manager", "shares"), [(OWN_HEADER, [1.0]), ({}, [None, None])])
def test_hosts_that_want_tls_and_have_it(backend, manager, shares):
    """Over TLS the route serves all, unless a proxy before Envoy says that its client came without."""
    over = chain("a", host={"require_tls": "ALL"}, manager=manager)
    over["transport_socket"] = {"name": "tls", "typed_config": {"@type": TLS}}
    (frontend,) = lowered(bootstrap(10000, backend, [over])).frontends
    assert route_shares(frontend) == shares


def test_diff_of_hosts_that_want_tls(backend):
    old = bootstrap(10000, backend, [chain("a", manager=OWN_HEADER)])
    new = bootstrap(10000, backend, [chain("a", host={"require_tls": "ALL"}, manager=OWN_HEADER)])
    assert said(old, new) == ["any other host:10000/ goes to no pool, before to pool a"]
    trusting = [bootstrap(10000, backend, [chain("a", host={"require_tls": word})]) for word in ("NONE", "ALL")]
    assert said(*trusting) == ["new: 127.0.0.1:10000, not header:x-forwarded-proto exact https: no pool"]


HEALTH = "type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck"


def health(**fields):
    """Return the filters of a connection manager with a health check filter before the router."""
    first = {"name": "health", "typed_config": {"@type": HEALTH, **fields}}
    return {"http_filters": [first, {"name": "router", "typed_config": {"@type": ROUTER}}]}


def paths(**match):
    return [{"name": ":path", "string_match": match}]


@pytest.mark.parametrize(
    ("filters", "shares", "who"),
    [
        (health(pass_through_mode=False, headers=paths(prefix="/")), [1.0, 0.0], {200}),
        (health(pass_through_mode=False), [1.0, 0.0], {200}),
        (health(pass_through_mode=False, headers=paths(exact="/health")), [None, None], {"a"}),
        (health(pass_through_mode=True, headers=paths(prefix="/")), [1.0], {"a"}),
        (health(pass_through_mode=True, cache_time="10s", headers=paths(prefix="/")), [None, None], {"a", 200}),
    ],
)
def test_filters_that_answer_health_checks(tmp_path, backend, filters, shares, who):
    port = proxies.free_port()
    text = bootstrap(port, backend, [chain("a", manager=filters)])
    config = lowered(text)
    assert not config.hits
    assert [route_shares(one) for one in config.frontends] == [shares]
    assert takers(text, tmp_path, port) == who


def test_diff_of_filters_that_answer(backend):
    old = bootstrap(10000, backend, [chain("a")])
    every = bootstrap(10000, backend, [chain("a", manager=health(pass_through_mode=False))])
    one = bootstrap(10000, backend, [chain("a", manager=health(pass_through_mode=False, headers=paths(exact="/up")))])
    assert said(old, every) == ["any other host:10000/ goes to no pool, before to pool a"]
    assert said(old, one) == ["any other host:10000/up goes to no pool, before to pool a"]


def twin(text, port, **more):
    """Return the text with a second listener like the first, on another port."""
    made = json.loads(text)
    (first,) = made["static_resources"]["listeners"]
    other = json.loads(json.dumps(first))
    other["name"] = "other"
    other["address"]["socket_address"]["port_value"] = port
    made["static_resources"]["listeners"].append({**other, **more})
    return json.dumps(made)


@pytest.mark.parametrize("how", [{"bind_to_port": False}, {"deprecated_v1": {"bind_to_port": False}}])
def test_a_listener_that_binds_no_port(tmp_path, backend, how):
    port, closed = proxies.free_port(), proxies.free_port()
    text = twin(bootstrap(port, backend, [chain("a")]), closed, **how)
    assert [route_shares(one) for one in lowered(text).frontends] == [[1.0], [0.0]]
    with proxies.envoy(tmp_path, text, port), pytest.raises(OSError, match="refused"), proxies.Client(closed):
        pass


def test_a_listener_to_which_another_hands_over(backend):
    text = twin(bootstrap(1024, backend, [chain("a")], use_original_dst=True), 1025, bind_to_port=False)
    assert [route_shares(one) for one in lowered(text).frontends] == [[1.0], [None]]


def test_virtual_hosts_of_a_control_plane(backend):
    """Those that are written serve; what Envoy asks a control plane for may lead to any cluster."""
    service = {"envoy_grpc": {"cluster_name": "b"}}
    source = {
        "api_config_source": {"api_type": "DELTA_GRPC", "transport_api_version": "V3", "grpc_services": [service]}
    }
    made = json.loads(bootstrap(1024, backend, [chain("a")]))
    made["node"] = {"id": "one", "cluster": "web"}
    (only,) = made["static_resources"]["listeners"][0]["filter_chains"]
    only["filters"][0]["typed_config"]["route_config"]["vhds"] = {"config_source": source}
    config = lowered(json.dumps(made))
    assert [counted.reason for counted in config.unmodelled] == [
        "further virtual hosts come from a control plane (VHDS)"
    ]
    assert [route.outcome for frontend in config.frontends for route in frontend.routes] == ["pools", "unknown"]
    assert not [view.name for view in views(traffic(config, Scenario())) if view.orphan]
