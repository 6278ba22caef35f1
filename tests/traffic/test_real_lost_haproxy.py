"""Predicted against counted on the real HAProxy, once its checks have marked a server down."""

from __future__ import annotations

import ipaddress

import proxies
import pytest
from traffic.pools import pool
from traffic.test_real_haproxy import ADDRESSES, HASH_TYPES, KEYS, made_of

from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p
from lbcheck.traffic.algorithms import chash, hashes, maps, shares

pytestmark = proxies.needs_haproxy

WEIGHTS = [[1, 1, 1, 1], [5, 1, 1], [3, 2, 1], [7, 3, 2], [256, 9, 30, 1]]
HASHED = [1, 2, 3, 1]
DRAWS = 2000
#: Lines of a backend, options of each server.
BACKENDS = {
    **{f"rr{at}": ("balance roundrobin", weights) for at, weights in enumerate(WEIGHTS)},
    **{f"static{at}": ("balance static-rr", weights) for at, weights in enumerate(WEIGHTS)},
    **{f"lc{at}": ("balance leastconn", weights) for at, weights in enumerate(WEIGHTS)},
    "zero": ("balance roundrobin", [3, 0, 1]),
    "first": ("balance first", ["id 30", "", "id 1"]),
    "backup": ("balance roundrobin", ["", "disabled backup", "weight 3 backup", "backup"]),
    "backups": ("balance roundrobin\noption allbackups", ["", "weight 0", "weight 3 backup", "backup"]),
    "ring_backups": ("balance random(1)\noption allbackups", ["", "weight 2 backup", "weight 3 backup", "backup"]),
    "nobody": ("balance roundrobin", ["", "weight 0", "disabled"]),
    "constant": ("balance hash str(x)", HASHED),
    "constant_ring": ("balance hash str(abc)\nhash-type consistent", HASHED),
    "random": ("balance random", ["weight 5", "", "", "weight 2"]),
    "random_one": ("balance random(1)", ["id 2", "weight 3", "id 70", ""]),
    **{
        f"hdr_{name}": (f"balance hdr(x-key)\nhash-type {what[0] or 'map-based'}", HASHED)
        for name, what in HASH_TYPES.items()
    },
    **{
        f"uri_{name}": (f"balance uri\nhash-type {what[0] or 'map-based'}", HASHED) for name, what in HASH_TYPES.items()
    },
    **{
        f"source_{name}": (f"balance source\nhash-type {what[0] or 'map-based'}", HASHED)
        for name, what in HASH_TYPES.items()
    },
}


@pytest.fixture(scope="module", params=[0, 1, 2])
def lost(request):
    return request.param


@pytest.fixture(scope="module")
def client(tmp_path_factory, lost):
    """A client of a HAProxy that has had some traffic before it lost a server; all backends track the same checks."""
    port = proxies.free_port()
    with proxies.Servers(4) as backend:
        text = ["defaults", "mode http", "timeout client 30s", "timeout server 30s", "timeout connect 5s"]
        text += ["frontend f", f"bind 127.0.0.1:{port}"]
        text += ["http-request set-src hdr(x-client) if { hdr(x-client) -m found }"]
        text += ["http-request return status 200 hdr X-Server %[nbsrv(checks)] if { path /up }"]
        text += ["use_backend %[path,field(2,/)]"]
        text += ["backend checks", "default-server check inter 100ms fall 1"]
        text += [f"server s{at} {address}" for at, address in enumerate(backend.addresses)]
        for name, (lines, servers) in BACKENDS.items():
            text += [f"backend {name}", lines]
            for at, what in enumerate(servers):
                options = what if isinstance(what, str) else f"weight {what}"
                text.append(f"server s{at} {backend.addresses[at]} track checks/s{at} {options}")
        folder = tmp_path_factory.mktemp("haproxy")
        with proxies.haproxy(folder, "\n".join(text), port), proxies.Client(port) as client:
            for name in BACKENDS:
                client.ask_all([f"/{name}/"] * 5)
            backend.refuse(lost)
            proxies.wait_until(lambda: client.ask("/up") == 3)
            yield client


def after(name, algorithm, lost, **how):
    lines, options = BACKENDS[name]
    made = pool(algorithm, [made_of(what) for what in options], options=["allbackups"] if "all" in lines else [], **how)
    return shares(made, "haproxy", lost={lost})


def picks(values, lost, *, consistent):
    """Return which server takes each hash when one is lost."""
    left = [at for at in range(len(HASHED)) if at != lost]
    weights = [HASHED[at] for at in left]
    if consistent:
        tree = chash.Tree([at + 1 for at in left], weights)
        return [left[tree.server_for(value)] for value in values]
    table = maps.slots(weights)
    return [left[maps.server_for(table, value)] for value in values]


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [(f"{short}{at}", long) for short, long in (("rr", "roundrobin"), ("static", "static-rr")) for at in range(5)]
    + [("zero", "roundrobin")],
)
def test_weights_of_the_others_hold_over_whole_cycles(client, lost, name, algorithm):
    weights = BACKENDS[name][1]
    cycle = sum(weights) - weights[lost]
    client.ask_all([f"/{name}/"] * (2 * cycle))
    counted = client.ask_all([f"/{name}/"] * (4 * cycle))
    predicted = after(name, algorithm, lost).servers
    assert [counted.count(at) for at in range(len(weights))] == pytest.approx([4 * cycle * one for one in predicted])


@pytest.mark.parametrize("at", range(5))
def test_leastconn_takes_plain_turns(client, lost, at):
    count = 12 * (len(WEIGHTS[at]) - 1)
    counted = client.ask_all([f"/lc{at}/"] * count)
    predicted = after(f"lc{at}", "leastconn", lost).servers
    assert [counted.count(one) / count for one in range(len(WEIGHTS[at]))] == pytest.approx(predicted)


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [("first", "first"), ("backup", "roundrobin"), ("backups", "roundrobin"), ("nobody", "roundrobin")],
)
def test_who_takes_part(client, lost, name, algorithm):
    predicted = after(name, algorithm, lost)
    counted = client.ask_all([f"/{name}/"] * 40)
    assert [counted.count(at) / 40 for at in range(len(predicted.servers))] == pytest.approx(predicted.servers)
    assert counted.count(None) / 40 == predicted.unserved


@pytest.mark.parametrize("name", HASH_TYPES)
def test_hash_of_a_header(client, lost, name):
    _, function, consistent, avalanche = HASH_TYPES[name]
    values = [hashes.key_hash(key.encode(), hashes.FUNCTIONS[function], avalanche=avalanche) for key in KEYS]
    counted = [client.ask(f"/hdr_{name}/", X_Key=key) for key in KEYS]
    assert counted == picks(values, lost, consistent=consistent)


@pytest.mark.parametrize("name", HASH_TYPES)
def test_hash_of_the_uri(client, lost, name):
    _, function, consistent, avalanche = HASH_TYPES[name]
    targets = [f"/uri_{name}/{key}" for key in KEYS]
    values = [hashes.key_hash(target.encode(), hashes.FUNCTIONS[function], avalanche=avalanche) for target in targets]
    assert client.ask_all(targets) == picks(values, lost, consistent=consistent)


@pytest.mark.parametrize("name", HASH_TYPES)
def test_source(client, lost, name):
    _, _, consistent, avalanche = HASH_TYPES[name]
    values = [hashes.source_hash(ipaddress.ip_address(one).packed, avalanche=avalanche) for one in ADDRESSES]
    counted = [client.ask(f"/source_{name}/", X_Client=address) for address in ADDRESSES]
    assert counted == picks(values, lost, consistent=consistent)


@pytest.mark.parametrize(("name", "consistent"), [("hdr_default", False), ("hdr_ring", True)])
def test_shares_of_hashed_requests(client, lost, name, consistent):
    predicted = after(name, "hdr", lost, consistent=consistent, avalanche=consistent).servers
    counted = [client.ask(f"/{name}/", X_Key=f"{at * at:x}-{at}") for at in range(DRAWS)]
    counts = [counted.count(at) for at in range(len(HASHED))]
    assert chi_square_p(counts, predicted) > IMPOSSIBLE, (counts, predicted)


@pytest.mark.parametrize(
    ("name", "key", "consistent"), [("constant", "str(x)", False), ("constant_ring", "str(abc)", True)]
)
def test_constant_key(client, lost, name, key, consistent):
    predicted = after(name, "hash", lost, key=key, consistent=consistent, avalanche=consistent)
    assert set(client.ask_all([f"/{name}/"] * 10)) == {predicted.servers.index(1.0)}


@pytest.mark.parametrize("name", ["random", "random_one", "ring_backups"])
def test_random(client, lost, name):
    predicted = after(name, "random", lost).servers
    counted = client.ask_all([f"/{name}/"] * DRAWS)
    counts = [counted.count(at) for at in range(len(predicted))]
    assert chi_square_p(counts, predicted) > IMPOSSIBLE, (counts, predicted)
