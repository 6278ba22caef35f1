"""Predicted against counted on the real Envoy: exact over whole cycles, pick by pick for hashes, else by chi-square."""

from __future__ import annotations

import json

import proxies
import pytest

from lbcheck.dialects.envoy import read
from lbcheck.files import DiskFiles
from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p
from lbcheck.traffic.algorithms import hashtables, shares
from lbcheck.traffic.algorithms.members import proportional
from lbcheck.traffic.algorithms.xxhash import xxh64

pytestmark = proxies.needs_envoy

WEIGHTS = [[1, 1, 1, 1], [5, 1, 1], [3, 2, 1], [7, 3, 2], [1, 1, 10]]
KEYS = [f"/item/{number * number}?of={number}" for number in range(400)]
DRAWS = 3000
HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
LOCALITIES = {"common_lb_config": {"locality_weighted_lb_config": {}}}
FAILS_ON_PANIC = {"common_lb_config": {"zone_aware_lb_config": {"fail_traffic_on_panic": True}}}
TYPED_FAILS = {"policies": [{"typed_extension_config": {"name": "turns", "typed_config": {
    "@type": "type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin",
    "locality_lb_config": {"zone_aware_lb_config": {"fail_traffic_on_panic": True}}}}}]}  # fmt: skip
NO_PANIC = {"common_lb_config": {"healthy_panic_threshold": {"value": 0}}}

#: Policy and further fields of a cluster, and its hosts: (weight, priority, locality's weight, healthy or its status).
CLUSTERS = {
    **{f"rr{at}": ("ROUND_ROBIN", {}, [(weight, 0, None, True) for weight in weights])
       for at, weights in enumerate(WEIGHTS)},
    "lr": ("LEAST_REQUEST", {}, [(1, 0, None, True)] * 4),
    "lr_weighted": ("LEAST_REQUEST", {}, [(5, 0, None, True), (1, 0, None, True), (1, 0, None, True)]),
    "random": ("RANDOM", {}, [(5, 0, None, True), (1, 0, None, True), (1, 0, None, True)]),
    "ring": ("RING_HASH", {}, [(1, 0, None, True)] * 4),
    "ring_weighted": ("RING_HASH", {}, [(1, 0, None, True), (1, 0, None, True), (10, 0, None, True)]),
    "ring_small": ("RING_HASH", {"ring_hash_lb_config": {"minimum_ring_size": 10, "maximum_ring_size": 16}},
                   [(3, 0, None, True), (2, 0, None, True), (1, 0, None, True)]),
    "ring_murmur": ("RING_HASH", {"ring_hash_lb_config": {"hash_function": "MURMUR_HASH_2"}}, [(1, 0, None, True)] * 3),
    "ring_down": ("RING_HASH", {}, [(1, 0, None, True), (1, 0, None, False), (2, 0, None, True), (1, 0, None, True)]),
    "maglev": ("MAGLEV", {}, [(1, 0, None, True)] * 4),
    "maglev_weighted": ("MAGLEV", {}, [(1, 0, None, True), (2, 0, None, True), (5, 0, None, True)]),
    "maglev_small": ("MAGLEV", {"maglev_lb_config": {"table_size": 251}}, [(1, 0, None, True), (3, 0, None, True)]),
    "backups": ("ROUND_ROBIN", {}, [(1, 0, None, True), (1, 0, None, True), (1, 1, None, True)]),
    "spill": ("ROUND_ROBIN", {}, [(1, 0, None, True), (1, 0, None, False), (1, 1, None, True), (1, 1, None, True)]),
    "panic": ("ROUND_ROBIN", {}, [(1, 0, None, True), (1, 0, None, False), (1, 0, None, False)]),
    "panics": ("RANDOM", {}, [(1, 0, None, False), (1, 0, None, False), (1, 0, None, False), (1, 1, None, False)]),
    "no_panic": ("RANDOM", NO_PANIC,
                 [(1, 0, None, True), (1, 0, None, False), (1, 0, None, False), (1, 0, None, True)]),
    "dead": ("ROUND_ROBIN", NO_PANIC, [(1, 0, None, False), (1, 0, None, False)]),
    "gone": ("ROUND_ROBIN", {}, [(1, 0, None, False), (1, 1, None, True), (1, 2, None, True)]),
    "localities": ("ROUND_ROBIN", LOCALITIES, [(1, 0, 3, True), (1, 0, 3, True), (1, 0, 1, True)]),
    "locality_down": ("ROUND_ROBIN", LOCALITIES, [(1, 0, 2, False), (1, 0, 2, True), (1, 0, 1, True), (1, 0, 1, True)]),
    "locality_unweighted": ("ROUND_ROBIN", LOCALITIES, [(1, 0, 1, True), (1, 0, None, True)]),
    "locality_ring": ("RING_HASH", LOCALITIES, [(1, 0, 3, True), (1, 0, 3, True), (1, 0, 1, True)]),
    "weightless_ring": ("RING_HASH", LOCALITIES, [(1, 0, None, True)] * 2),
    "weightless_maglev": ("MAGLEV", LOCALITIES, [(1, 0, None, True)] * 2),
    "weightless_turns": ("ROUND_ROBIN", LOCALITIES, [(1, 0, None, True)] * 2),
    "weightless_level": ("RING_HASH", LOCALITIES, [(1, 0, None, True), (1, 0, None, False), (1, 1, 2, True)]),
    "weightless_spill": ("MAGLEV", LOCALITIES, [(1, 0, 2, True), (1, 0, 2, False), (1, 1, None, True)]),
    "panic_typed": ("ROUND_ROBIN", {"load_balancing_policy": TYPED_FAILS}, [(1, 0, None, False)] * 2),
    **{f"panic_{policy.lower()}": (policy, FAILS_ON_PANIC, [(1, 0, None, False)] * 2)
       for policy in ("ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "RING_HASH", "MAGLEV")},
    "draining": ("ROUND_ROBIN", {}, [(1, 0, None, True), (1, 0, None, "DRAINING"), (1, 0, None, "DRAINING")]),
    "drains": ("ROUND_ROBIN", {}, [(1, 0, None, True), (1, 0, None, False), (1, 0, None, "DRAINING")]),
    "drains_panic": ("ROUND_ROBIN", {}, [(1, 0, None, True), (1, 0, None, False), (1, 0, None, False),
                                         (1, 0, None, "DRAINING")]),
    "drained": ("RANDOM", {}, [(1, 0, None, "DRAINING"), (1, 0, None, "DRAINING")]),
    "drained_calm": ("RANDOM", NO_PANIC, [(1, 0, None, "DRAINING"), (1, 0, None, "DRAINING")]),
    "drain_level": ("ROUND_ROBIN", {}, [(1, 0, None, True), (1, 0, None, "DRAINING"), (1, 1, None, True)]),
    "drained_level": ("ROUND_ROBIN", {}, [(1, 0, None, "DRAINING"), (1, 1, None, True), (1, 1, None, False)]),
    "drained_levels": ("RANDOM", {}, [(1, 0, None, "DRAINING"), (1, 0, None, "DRAINING"), (1, 1, None, False),
                                      (1, 1, None, "DRAINING")]),
    "drain_spill": ("RANDOM", {}, [(1, 0, None, True), (1, 0, None, False), (1, 0, None, "DRAINING"),
                                   (1, 1, None, True)]),
    "drain_locality": ("ROUND_ROBIN", LOCALITIES, [(1, 0, 2, True), (1, 0, 2, "DRAINING"), (1, 0, 2, "DRAINING"),
                                                   (1, 0, 1, True)]),
    "drain_localities": ("ROUND_ROBIN", LOCALITIES, [(1, 0, 2, "DRAINING"), (1, 0, 2, "DRAINING"), (1, 0, 1, True),
                                                     (1, 0, 1, True)]),
    "drain_random": ("RANDOM", {}, [(1, 0, None, True), (1, 0, None, "DRAINING"), (1, 0, None, "DRAINING"),
                                    (1, 0, None, True)]),
    "weighs": ("RANDOM", {}, [(4, 0, None, True), (1, 0, None, False), (9, 0, None, "DRAINING"), (1, 1, None, True)]),
    "numbers": (0, NO_PANIC, [(1, 0, None, True), (1, 0, None, 2), (1, 0, None, "unhealthy"), (1, 0, None, "03")]),
    "numbers_drain": ("round_robin", {}, [(1, 0, None, True), (1, 0, None, 3), (1, 0, None, "draining")]),
}  # fmt: skip
#: A host's status where no other one is written.
STATUS = {True: "HEALTHY", False: "UNHEALTHY"}
#: Clusters with hosts that drain: whose turns are exact over three, and the others.
DRAINS = ["draining", "drains", "drains_panic", "drain_level", "drained_level"]
ENUMS = ["numbers", "numbers_drain"]
SHARES_OF_DRAINS = [
    "drained", "drained_calm", "drained_levels", "drain_spill", "drain_locality", "drain_localities", "drain_random",
    "weighs",
]  # fmt: skip
SPLITS = {"split": [("rr0", 3), ("lr", 1)]}


def endpoints(addresses, hosts):
    groups = {}
    for address, (weight, priority, locality, healthy) in zip(addresses, hosts, strict=False):
        host, port = address.split(":")
        groups.setdefault((priority, locality), []).append(
            {
                "endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}},
                "load_balancing_weight": weight,
                "health_status": STATUS.get(healthy, healthy),
            }
        )
    return [
        {
            "priority": priority,
            "lb_endpoints": group,
            **({"load_balancing_weight": locality} if locality else {}),
            "locality": {"zone": f"zone-{locality}"},
        }
        for (priority, locality), group in groups.items()
    ]


def cluster(name, addresses, policy, more, hosts):
    assignment = {"cluster_name": name, "endpoints": endpoints(addresses, hosts)}
    if name == "weighs":
        assignment["policy"] = {"weighted_priority_health": True}
    return {"name": name, "type": "STATIC", "lb_policy": policy, "load_assignment": assignment, **more}


def bootstrap(port, addresses, clusters, splits=(), admin=None):
    key = {"hash_policy": [{"header": {"header_name": "x-key"}}]}
    routes = [{"match": {"prefix": f"/{name}/"}, "route": {"cluster": name, **key}} for name in clusters]
    for name, parts in dict(splits).items():
        weighted = {"clusters": [{"name": part, "weight": weight} for part, weight in parts]}
        routes.append({"match": {"prefix": f"/{name}/"}, "route": {"weighted_clusters": weighted}})
    manager = {
        "@type": HTTP,
        "stat_prefix": "web",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": ROUTER}}],
    }
    listener = {
        "name": "web",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    made = [cluster(name, addresses, *what) for name, what in clusters.items()]
    text = {"static_resources": {"listeners": [listener], "clusters": made}}
    if admin:
        text["admin"] = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}}
    return json.dumps(text, indent=1)


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(4) as servers:
        yield servers


@pytest.fixture(scope="module")
def text_and_port(backend):
    port = proxies.free_port()
    return bootstrap(port, backend.addresses, CLUSTERS, SPLITS), port


@pytest.fixture(scope="module")
def client(tmp_path_factory, text_and_port):
    text, port = text_and_port
    with proxies.envoy(tmp_path_factory.mktemp("envoy"), text, port), proxies.Client(port) as client:
        yield client


@pytest.fixture(scope="module")
def config(text_and_port):
    (found,) = read(["envoy.json"], DiskFiles(memory={"envoy.json": text_and_port[0]}))
    assert not found.hits
    return found


def predicted(config, name, lost=()):
    pool = next(pool for pool in config.pools if pool.name == name)
    found = shares(pool, "envoy", lost=lost)
    assert found.reason is None
    return [*in_order(pool, found.servers), found.unserved]


def in_order(pool, parts):
    """Return parts in the order of the test's hosts: the config groups them by locality."""
    by_address = dict(zip([server.address.text for server in pool.servers], parts, strict=True))
    return [by_address[address] for address in sorted(by_address, key=lambda text: int(text.split(":")[0][8:]))]


def counted(client, name, count):
    found = client.ask_all([f"/{name}/"] * count)
    return [found.count(at) for at in range(len(CLUSTERS[name][2]))] + [found.count(None)]


@pytest.mark.parametrize(
    "name", ["rr0", "rr1", "rr2", "rr3", "rr4", "lr_weighted", "backups", "panic", "gone", "dead", *DRAINS, *ENUMS]
)
def test_turns_are_exact_over_whole_cycles(client, config, name):
    weights = [weight for weight, *_ in CLUSTERS[name][2]]
    cycle = sum(weights) if name.startswith(("rr", "lr")) else 6
    count = 10 * cycle
    assert counted(client, name, count) == pytest.approx([part * count for part in predicted(config, name)])


@pytest.mark.parametrize(
    "name", ["lr", "random", "spill", "panics", "no_panic", "locality_down", "localities", "locality_unweighted",
     *SHARES_OF_DRAINS],
)  # fmt: skip
def test_shares(client, config, name):
    assert chi_square_p(counted(client, name, DRAWS), predicted(config, name)) > IMPOSSIBLE


def test_locality_turns_are_exact(client, config):
    count = 400
    assert counted(client, "localities", count) == pytest.approx(
        [part * count for part in predicted(config, "localities")], abs=2
    )


def test_weighted_clusters(client, config):
    (frontend,) = config.frontends
    route = next(route for route in frontend.routes if route.label == "/split/")
    assert [target.share for target in route.targets] == [0.75, 0.25]
    found = client.ask_all(["/split/"] * DRAWS)
    parts = [0.75 / 4 + 0.25 / 4] * 4
    assert chi_square_p([found.count(at) for at in range(4)], parts) > IMPOSSIBLE


#: Clusters whose hash tables may be empty, and those whose requests may fail in panic.
EMPTY = [name for name in CLUSTERS if name.startswith(("weightless", "panic_"))]


@pytest.mark.parametrize("name", EMPTY)
def test_what_no_host_takes(client, config, name):
    """Hosts of localities without a weight are in no hash table; a hash table does not fail requests in panic."""
    found = [client.ask(f"/{name}/", X_Key=f"{number}") for number in range(DRAWS)]
    counts = [found.count(at) for at in range(len(CLUSTERS[name][2]))] + [found.count(None)]
    parts = predicted(config, name)
    assert sum(parts) == pytest.approx(1)
    assert chi_square_p(counts, parts) > IMPOSSIBLE


def ask(client, name):
    return [client.ask(f"/{name}/", X_Key=key) for key in KEYS]


@pytest.mark.parametrize("name", [name for name in CLUSTERS if name.startswith("ring")])
def test_ring_hash(client, config, backend, name):
    _, more, hosts = CLUSTERS[name]
    up = [at for at, (_, _, _, healthy) in enumerate(hosts) if healthy]
    settings = more.get("ring_hash_lb_config", {})
    counts = hashtables.point_counts(
        proportional([hosts[at][0] for at in up]),
        settings.get("minimum_ring_size", hashtables.MINIMUM_RING),
        settings.get("maximum_ring_size", hashtables.MAXIMUM_RING),
    )
    points = hashtables.Points(settings.get("hash_function", "XX_HASH"))
    ring = hashtables.ring([backend.addresses[at] for at in up], counts, points)
    assert ask(client, name) == [up[hashtables.on_ring(ring, xxh64(key.encode()))] for key in KEYS]
    arcs = ring.clockwise_arcs(len(up))
    parts = predicted(config, name)
    assert [parts[at] for at in up] == pytest.approx([arc / hashtables.VALUES for arc in arcs])


@pytest.mark.parametrize("name", [name for name in CLUSTERS if name.startswith("maglev")])
def test_maglev(client, config, backend, name):
    _, more, hosts = CLUSTERS[name]
    size = more.get("maglev_lb_config", {}).get("table_size", hashtables.TABLE)
    order = sorted(range(len(hosts)), key=lambda at: backend.addresses[at])
    keys = tuple(backend.addresses[at] for at in order)
    table = hashtables.table(keys, tuple(proportional([hosts[at][0] for at in order])), size)
    assert ask(client, name) == [order[table[xxh64(key.encode()) % size]] for key in KEYS]
    counts = [table.count(order.index(at)) / size for at in range(len(hosts))]
    assert predicted(config, name)[:-1] == pytest.approx(counts)


def test_locality_weights_on_a_ring(client, config):
    found = ask(client, "locality_ring")
    parts = predicted(config, "locality_ring")
    assert chi_square_p([found.count(at) for at in range(3)] + [0], parts) > IMPOSSIBLE


@pytest.mark.parametrize(("kind", "parts"), [("EDS", [10, 1, 1]), ("STATIC", [10, 5, 1])])
def test_hosts_of_one_address(kind, parts, tmp_path, backend):
    """Of hosts of one address EDS keeps the first, in another priority or locality too; a static cluster keeps all."""
    port = proxies.free_port()
    one, two, three, _ = backend.addresses
    hosts = [(10, 0, None, True), (1, 0, None, True), (4, 0, 3, True), (1, 0, 3, True), (7, 1, None, True)]
    made = json.loads(bootstrap(port, [one, two, two, three, two], {"app": ("ROUND_ROBIN", {}, hosts)}))
    texts = by_eds(made, str(tmp_path / "eds.json")) if kind == "EDS" else {}
    for path, text in texts.items():
        tmp_path.joinpath(path).write_text(text)
    text = json.dumps(made)
    (config,) = read(["envoy.json", *texts], DiskFiles(memory={"envoy.json": text, **texts}))
    assert not config.hits
    count = 10 * sum(parts)
    with proxies.envoy(tmp_path, text, port), proxies.Client(port) as client:
        found = client.ask_all(["/app/"] * count)
    assert [found.count(at) for at in range(3)] == [part * 10 for part in parts]
    (pool,) = config.pools
    totals = dict.fromkeys((one, two, three), 0.0)
    for server, share in zip(pool.servers, shares(pool, "envoy").servers, strict=True):
        totals[server.address.text] += share * count
    assert list(totals.values()) == pytest.approx([part * 10 for part in parts])


def by_eds(made, path):
    """Let the one cluster of a bootstrap ask the file at a path for its hosts; return the file's text by its path."""
    (cluster,) = made["static_resources"]["clusters"]
    assignment = cluster.pop("load_assignment")
    cluster["type"] = "EDS"
    cluster["eds_cluster_config"] = {"eds_config": {"path_config_source": {"path": path}}}
    made["node"] = {"id": "one", "cluster": "web"}
    resource = {"@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment", **assignment}
    return {path: json.dumps({"resources": [resource]})}


def test_hosts_that_a_health_check_finds_dead(tmp_path, backend):
    """Losing one of two: 30 % spill over to the next priority; losing both: all of it."""
    port, admin = proxies.free_port(), proxies.free_port()
    check = {"timeout": "0.2s", "interval": "0.1s", "no_traffic_interval": "0.1s", "unhealthy_threshold": 1,
        "healthy_threshold": 1, "tcp_health_check": {}}  # fmt: skip
    hosts = [(1, 0, None, True), (1, 0, None, True), (1, 1, None, True), (1, 1, None, True)]
    merging = {"common_lb_config": {"update_merge_window": "0s"}}  # else a second loss is told a second later
    clusters = {"app": ("RANDOM", {"health_checks": [check], **merging}, hosts)}
    text = bootstrap(port, backend.addresses, clusters, admin=admin)
    (config,) = read(["envoy.json"], DiskFiles(memory={"envoy.json": text}))
    with proxies.envoy(tmp_path, text, port), proxies.Client(port) as client:
        for dead in ([0], [0, 1], [0, 1, 2]):
            backend.refuse(dead[-1])
            wait_for_dead(admin, len(dead))
            found = client.ask_all(["/app/"] * 1000)
            counts = [found.count(at) for at in range(4)] + [found.count(None)]
            assert chi_square_p(counts, predicted(config, "app", lost=dead)) > IMPOSSIBLE, (dead, counts)
    for number in range(3):
        backend.restore(number)


def wait_for_dead(admin, count):
    from urllib.request import urlopen

    def seen():
        with urlopen(f"http://127.0.0.1:{admin}/clusters", timeout=5) as answer:
            return answer.read().decode().count("failed_active_hc") == count

    proxies.wait_until(seen)
