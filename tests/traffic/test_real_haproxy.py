"""Predicted against counted on the real HAProxy: pick by pick, and by chi-square where it draws."""

from __future__ import annotations

import ipaddress
import random

import proxies
import pytest
from traffic.pools import pool, server

from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p
from lbcheck.traffic.algorithms import chash, hashes, leastconn, maps, shares, weighted
from lbcheck.traffic.algorithms.members import members

pytestmark = proxies.needs_haproxy

WEIGHTS = [[1, 1, 1, 1], [5, 1, 1], [3, 2, 1], [7, 3, 2], [5, 36, 36], [256, 9, 30, 1]]
HASHED = [1, 2, 3]
KEYS = [f"item-{number * number}.of.{number:x}" for number in range(500)]
ADDRESSES = [str(ipaddress.ip_address(random.Random(at).randrange(1 << 24, 224 << 24))) for at in range(450)] + [
    str(ipaddress.ip_address(random.Random(at).randrange(0x2001 << 112, 0x2002 << 112))) for at in range(50)
]
DRAWS = 3000
#: Of hash-type: what is written, hash function, consistent, avalanche.
HASH_TYPES = {
    "default": ("", "sdbm", False, False),
    "map_aval": ("map-based sdbm avalanche", "sdbm", False, True),
    "map_djb2": ("map-based djb2", "djb2", False, False),
    "map_wt6": ("map-based wt6", "wt6", False, False),
    "map_wt6_aval": ("map-based wt6 avalanche", "wt6", False, True),
    "map_crc32": ("map-based crc32", "crc32", False, False),
    "ring": ("consistent", "sdbm", True, True),
    "ring_sdbm": ("consistent sdbm", "sdbm", True, False),
    "ring_djb2_aval": ("consistent djb2 avalanche", "djb2", True, True),
    "ring_wt6": ("consistent wt6", "wt6", True, False),
    "ring_crc32": ("consistent crc32", "crc32", True, False),
}
DRAWN = {
    "random": ("random", ["weight 5", "", ""]),
    "random_one": ("random(1)", ["weight 3", "", "weight 8"]),
    "random_disabled": ("random", ["weight 3", "weight 9 disabled", "weight 0", ""]),
    "random_ids": ("random(1)", ["id 2", "", "id 70", ""]),
    "random_backups": ("random", ["disabled", "weight 2 backup", "weight 3 backup"]),
}

#: Lines of a backend, options of each server.
BACKENDS = {
    **{f"rr{at}": ("balance roundrobin", weights) for at, weights in enumerate(WEIGHTS)},
    **{f"static{at}": ("balance static-rr", weights) for at, weights in enumerate(WEIGHTS)},
    **{f"lc{at}": ("balance leastconn", weights) for at, weights in enumerate(WEIGHTS)},
    "zero": ("balance roundrobin", [3, 0, 1]),
    "first": ("balance first", ["id 30", "", "id 1"]),
    "backup": ("balance roundrobin", ["weight 0", "disabled backup", "weight 3 backup", "backup"]),
    "backups": ("balance roundrobin\noption allbackups", ["weight 0", "weight 2 backup", "weight 3 backup", "backup"]),
    "nobody": ("balance roundrobin", ["weight 0", "disabled"]),
    "constant": ("balance hash str(x)", HASHED),
    "constant_ring": ("balance hash str(abc)\nhash-type consistent", HASHED),
    "bounded": ("balance hdr(x-key)\nhash-type consistent\nhash-balance-factor 150", HASHED),
    "expression": ("balance hash req.hdr(x-key)\nhash-type consistent", HASHED),
    "parameter": ("balance url_param key", HASHED),
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
    **{name: (f"balance {how}\noption allbackups", servers) for name, (how, servers) in DRAWN.items()},
}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    port = proxies.free_port()
    with proxies.Servers(4) as backend:
        text = ["defaults", "mode http", "timeout client 30s", "timeout server 30s", "timeout connect 5s"]
        text += [
            "frontend f",
            f"bind 127.0.0.1:{port}",
            "http-request set-src hdr(x-client) if { hdr(x-client) -m found }",
        ]
        text += ["use_backend %[path,field(2,/)]"]
        for name, (lines, servers) in BACKENDS.items():
            text += [f"backend {name}", lines]
            for at, what in enumerate(servers):
                options = what if isinstance(what, str) else f"weight {what}"
                text.append(f"server s{at} {backend.addresses[at]} {options}")
        folder = tmp_path_factory.mktemp("haproxy")
        with proxies.haproxy(folder, "\n".join(text), port), proxies.Client(port) as client:
            yield client


def ask(client, name, keys, header="X_Key"):
    return [client.ask(f"/{name}/", **{header: key}) for key in keys]


def predict(values, weights, *, consistent):
    if consistent:
        tree = chash.Tree(range(1, len(weights) + 1), weights)
        return [tree.server_for(value) for value in values]
    table = maps.slots(weights)
    return [maps.server_for(table, value) for value in values]


@pytest.mark.parametrize(("at", "weights"), list(enumerate(WEIGHTS)))
def test_roundrobin(client, at, weights):
    count = 5 * sum(weights)
    assert client.ask_all([f"/rr{at}/"] * count) == weighted.window_picks(weights, count)


@pytest.mark.parametrize(("at", "weights"), list(enumerate(WEIGHTS)))
def test_static_rr(client, at, weights):
    cycle = maps.slots(weights)
    assert client.ask_all([f"/static{at}/"] * (2 * len(cycle))) == cycle * 2


@pytest.mark.parametrize(("at", "weights"), list(enumerate(WEIGHTS)))
def test_leastconn_takes_plain_turns(client, at, weights):
    balancer = leastconn.LeastConnTree(weights)
    predicted = []
    for _ in range(40):
        predicted.append(balancer.pick())
        balancer.release(predicted[-1])
    assert client.ask_all([f"/lc{at}/"] * len(predicted)) == predicted


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("zero", "roundrobin"),
        ("first", "first"),
        ("backup", "roundrobin"),
        ("backups", "roundrobin"),
        ("nobody", "roundrobin"),
    ],
)
def test_who_takes_part(client, name, algorithm):
    lines, options = BACKENDS[name]
    made = pool(algorithm, [made_of(what) for what in options], options=["allbackups"] if "allbackups" in lines else [])
    predicted = shares(made, "haproxy")
    counted = client.ask_all([f"/{name}/"] * 60)
    assert [counted.count(at) / 60 for at in range(len(options))] == pytest.approx(predicted.servers)
    assert counted.count(None) / 60 == predicted.unserved


def made_of(what):
    words = str(what).split() if isinstance(what, str) else ["weight", str(what)]
    options = {"id": words[words.index("id") + 1]} if "id" in words else {}
    weight = int(words[words.index("weight") + 1]) if "weight" in words else 1
    return server(weight, backup="backup" in words, down="disabled" in words, **options)


@pytest.mark.parametrize("name", HASH_TYPES)
def test_hash_of_a_header(client, name):
    _, function, consistent, avalanche = HASH_TYPES[name]
    values = [hashes.key_hash(key.encode(), hashes.FUNCTIONS[function], avalanche=avalanche) for key in KEYS]
    assert ask(client, f"hdr_{name}", KEYS) == predict(values, HASHED, consistent=consistent)


@pytest.mark.parametrize("name", HASH_TYPES)
def test_hash_of_the_uri(client, name):
    _, function, consistent, avalanche = HASH_TYPES[name]
    targets = [f"/uri_{name}/{key}" for key in KEYS]
    values = [hashes.key_hash(target.encode(), hashes.FUNCTIONS[function], avalanche=avalanche) for target in targets]
    assert client.ask_all([target + "?never=hashed" for target in targets]) == predict(
        values, HASHED, consistent=consistent
    )


@pytest.mark.parametrize("name", HASH_TYPES)
def test_source(client, name):
    _, _, consistent, avalanche = HASH_TYPES[name]
    values = [hashes.source_hash(ipaddress.ip_address(one).packed, avalanche=avalanche) for one in ADDRESSES]
    assert ask(client, f"source_{name}", ADDRESSES, "X_Client") == predict(values, HASHED, consistent=consistent)


@pytest.mark.parametrize(("name", "consistent"), [("bounded", True), ("expression", True)])
def test_hash_of_an_expression_and_with_idle_bounds(client, name, consistent):
    values = [hashes.key_hash(key.encode(), avalanche=consistent) for key in KEYS]
    assert ask(client, name, KEYS) == predict(values, HASHED, consistent=consistent)


def test_hash_of_a_parameter(client):
    values = [hashes.key_hash(key.encode()) for key in KEYS]
    counted = client.ask_all([f"/parameter/?a=1&key={key}" for key in KEYS])
    assert counted == predict(values, HASHED, consistent=False)


@pytest.mark.parametrize(
    ("name", "key", "consistent"), [("constant", "str(x)", False), ("constant_ring", "str(abc)", True)]
)
def test_constant_key(client, name, key, consistent):
    made = pool("hash", HASHED, key=key, consistent=consistent, avalanche=consistent)
    assert set(client.ask_all([f"/{name}/"] * 20)) == {shares(made, "haproxy").servers.index(1.0)}


@pytest.mark.parametrize("name", DRAWN)
def test_random(client, name):
    made = pool("random", [made_of(what) for what in DRAWN[name][1]], options=["allbackups"])
    predicted = shares(made, "haproxy").servers
    counted = client.ask_all([f"/{name}/"] * DRAWS)
    counts = [counted.count(at) for at in range(len(made.servers))]
    assert chi_square_p(counts, predicted) > IMPOSSIBLE, (counts, predicted)


def test_ids_of_templates(tmp_path):
    """A template's servers all listen at one address here: only the ring tells their ids apart."""
    port = proxies.free_port()
    with proxies.Servers(3) as backend:
        first, second, third = backend.addresses
        text = "defaults\nmode http\ntimeout client 30s\ntimeout server 30s\ntimeout connect 5s\n"
        text += f"listen l\nbind 127.0.0.1:{port}\nbalance hdr(x-key)\nhash-type consistent\nserver a {first} id 2\n"
        text += f"server-template t 3 {second}\nserver z {third} weight 2"
        with proxies.haproxy(tmp_path, text, port), proxies.Client(port) as client:
            counted = [client.ask("/", X_Key=key) for key in KEYS]
    found = members(pool("hdr", [server(id="2"), server(count=3), server(2)]))
    tree = chash.Tree([member.number for member in found], [member.weight for member in found])
    values = [hashes.key_hash(key.encode(), avalanche=True) for key in KEYS]
    assert counted == [found[tree.server_for(value)].index for value in values]
