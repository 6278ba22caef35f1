"""Predicted against counted on the real nginx: pick by pick where it is deterministic, by chi-square where it draws."""

from __future__ import annotations

import ipaddress
import random

import proxies
import pytest
from traffic.pools import pool, server

from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p
from lbcheck.traffic.algorithms import ketama, leastconn, modulo, shares, weighted

pytestmark = proxies.needs_nginx

WEIGHTS = [[1, 1, 1, 1], [5, 1, 1], [3, 2, 1], [7, 3, 2], [1, 1, 10]]
KEYS = [f"/item/{number * number}?of={number}" for number in range(500)]
ADDRESSES = [str(ipaddress.ip_address(random.Random(at).randrange(1 << 24, 224 << 24))) for at in range(450)] + [
    str(ipaddress.ip_address(random.Random(at).randrange(0x2001 << 112, 0x2002 << 112))) for at in range(50)
]
DRAWS = 3000

#: Method, parameters of each server (None: the address again, for a duplicate).
UPSTREAMS = {
    **{f"rr{at}": ("", [f"weight={weight}" for weight in weights]) for at, weights in enumerate(WEIGHTS)},
    **{f"lc{at}": ("least_conn;", [f"weight={weight}" for weight in weights]) for at, weights in enumerate(WEIGHTS)},
    "down": ("", ["weight=3", "weight=2 down", "weight=2"]),
    "backups": ("", ["down", "weight=3 backup", "backup", "backup down"]),
    "hash": ("hash $http_x_key;", ["weight=1", "weight=2", "weight=3"]),
    "hash_down": ("hash $http_x_key;", ["weight=1", "weight=2 down", "weight=3"]),
    "hash_far": ("hash $http_x_key;", ["weight=16384", "weight=16384", "weight=16384", "weight=8192"]),
    "hash_constant": ("hash consistent;", ["weight=1", "weight=2", "weight=3"]),
    "ring": ("hash $http_x_key consistent;", ["weight=1", "weight=1", "weight=2"]),
    "ring_down": ("hash $http_x_key consistent;", ["weight=1", "weight=1 down", "weight=2", "weight=1"]),
    "ring_constant": ("hash abc consistent;", ["weight=1", "weight=1", "weight=2"]),
    "ip_hash": ("ip_hash;", ["weight=1", "weight=2", "weight=3"]),
    "ip_hash_down": ("ip_hash;", ["weight=1", "weight=2 down", "weight=3"]),
    "random": ("random;", ["weight=5", "weight=1", "weight=1"]),
    "random_down": ("random;", ["weight=5", "weight=9 down", "weight=1"]),
    "two": ("random two;", ["weight=5", "weight=1", "weight=1"]),
    "two_alike": ("random two;", ["weight=3", "weight=1"]),
    "two_far": ("random two;", ["weight=50", "weight=1"]),
    "two_down": ("random two;", ["weight=5", "weight=6 down", "weight=1", "weight=2"]),
}


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(4) as servers:
        yield servers


@pytest.fixture(scope="module")
def client(tmp_path_factory, backend):
    port = proxies.free_port()
    text = ["keepalive_requests 1000000;", f"server {{ listen 127.0.0.1:{port};"]
    text += ["set_real_ip_from 127.0.0.1; real_ip_header X-Client;"]
    text += [f"location /{name}/ {{ proxy_pass http://{name}; }}" for name in UPSTREAMS] + ["}"]
    for name, (method, parameters) in UPSTREAMS.items():
        lines = zip(backend.addresses, parameters, strict=False)
        text.append(f"upstream {name} {{ {method} {' '.join(f'server {at} {what};' for at, what in lines)} }}")
    folder = tmp_path_factory.mktemp("nginx")
    with proxies.nginx(folder, "\n".join(text), port), proxies.Client(port) as client:
        yield client


def ask(client, name, keys, header="X_Key"):
    return [client.ask(f"/{name}/", **{header: key}) for key in keys]


@pytest.mark.parametrize(("at", "weights"), list(enumerate(WEIGHTS)))
def test_round_robin(client, at, weights):
    count = 10 * sum(weights)
    assert client.ask_all([f"/rr{at}/"] * count) == weighted.smooth_picks(weights, count)


@pytest.mark.parametrize(("at", "weights"), list(enumerate(WEIGHTS)))
def test_least_conn(client, at, weights):
    balancer = leastconn.LeastConn(weights)
    predicted = []
    for _ in range(10 * sum(weights)):
        predicted.append(balancer.pick())
        balancer.release(predicted[-1])
    assert client.ask_all([f"/lc{at}/"] * len(predicted)) == predicted


def test_down_servers_get_nothing(client):
    counted = client.ask_all(["/down/"] * 50)
    assert [counted.count(at) / 50 for at in range(3)] == shares(
        pool("round_robin", [3, server(2, down=True), 2]), "nginx"
    ).servers


def test_backups_take_over_by_weight(client):
    servers = [server(down=True), server(3, backup=True), server(backup=True), server(backup=True, down=True)]
    counted = client.ask_all(["/backups/"] * 40)
    assert [counted.count(at) / 40 for at in range(4)] == shares(pool("hash", servers, key="$uri"), "nginx").servers


@pytest.mark.parametrize(
    ("name", "weights", "down"),
    [("hash", [1, 2, 3], ()), ("hash_down", [1, 2, 3], {1}), ("hash_far", [16384, 16384, 16384, 8192], ())],
)
def test_hash(client, name, weights, down):
    predicted = [modulo.server_for(modulo.hash_values(key.encode()), weights, down) for key in KEYS]
    assert ask(client, name, KEYS) == predicted


@pytest.mark.parametrize(("name", "weights", "down"), [("ring", [1, 1, 2], ()), ("ring_down", [1, 1, 2, 1], {1})])
def test_hash_consistent(client, backend, name, weights, down):
    continuum = ketama.Continuum(backend.addresses[: len(weights)], weights)
    assert ask(client, name, KEYS) == [continuum.server_for(key.encode(), down) for key in KEYS]


@pytest.mark.parametrize(
    ("name", "algorithm", "key"), [("hash_constant", "hash", "consistent"), ("ring_constant", "hash_consistent", "abc")]
)
def test_constant_key(client, backend, name, algorithm, key):
    weights = [int(what.partition("=")[2]) for what in UPSTREAMS[name][1]]
    servers = [server(weight, name=at) for weight, at in zip(weights, backend.addresses, strict=False)]
    predicted = shares(pool(algorithm, servers, key=key), "nginx").servers
    assert set(ask(client, name, KEYS[:50])) == {predicted.index(1.0)}


@pytest.mark.parametrize(("name", "down"), [("ip_hash", ()), ("ip_hash_down", {1})])
def test_ip_hash(client, name, down):
    packed = [ipaddress.ip_address(address).packed for address in ADDRESSES]
    predicted = [modulo.server_for(modulo.ip_hash_values(address), [1, 2, 3], down) for address in packed]
    assert ask(client, name, ADDRESSES, "X_Client") == predicted


@pytest.mark.parametrize("name", [name for name in UPSTREAMS if name.startswith(("random", "two"))])
def test_random(client, name):
    method, parameters = UPSTREAMS[name]
    servers = [server(int(what.split()[0][7:]), at=at, down="down" in what) for at, what in enumerate(parameters)]
    predicted = shares(pool("random_two" if "two" in method else "random", servers), "nginx").servers
    counted = client.ask_all([f"/{name}/"] * DRAWS)
    counts = [counted.count(at) for at in range(len(servers))]
    assert chi_square_p(counts, predicted) > IMPOSSIBLE, (counts, predicted)


def test_duplicates_share_their_arc(tmp_path, backend):
    port = proxies.free_port()
    first, second, *_ = backend.addresses
    text = f"upstream u {{ hash $http_x_key consistent; server {first}; server {first} weight=2; server {second}; }}"
    text += f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://u; }} }}"
    with proxies.nginx(tmp_path, text, port), proxies.Client(port) as client:
        counted = [client.ask("/", X_Key=key) for key in KEYS]
    continuum = ketama.Continuum([first, first, second], [1, 2, 1])
    assert counted == [{0: 0, 1: 0, 2: 1}[continuum.server_for(key.encode())] for key in KEYS]


def test_hash_gives_up_after_21_tries(tmp_path, backend):
    """Down servers with nearly all of the weight: what is not found in time falls to round robin."""
    port = proxies.free_port()
    lines = zip(backend.addresses, ["", "weight=1000 down", ""], strict=False)
    text = f"upstream u {{ hash $http_x_key; {' '.join(f'server {at} {what};' for at, what in lines)} }}"
    text += f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://u; }} }}"
    with proxies.nginx(tmp_path, text, port), proxies.Client(port) as client:
        counted = [client.ask("/", X_Key=key) for key in KEYS]
    turns = weighted.SmoothRoundRobin([1, 1000, 1], down={1})
    predicted = [modulo.server_for(modulo.hash_values(key.encode()), [1, 1000, 1], {1}) for key in KEYS]
    assert counted == [turns.pick() if server is None else server for server in predicted]
