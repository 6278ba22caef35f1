"""Predicted against counted on the real nginx, once it has noticed that a server is lost."""

from __future__ import annotations

import ipaddress

import proxies
import pytest
from traffic.pools import pool, server
from traffic.test_real_nginx import ADDRESSES, KEYS

from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p
from lbcheck.traffic.algorithms import ketama, modulo, shares, weighted

pytestmark = proxies.needs_nginx

WEIGHTS = [[1, 1, 1, 1], [5, 1, 1], [3, 2, 1], [7, 3, 2]]
HASHED = [1, 2, 3]
DRAWS = 1500
#: Method, parameters of each server. `lost` is one of the first three.
UPSTREAMS = {
    **{f"rr{at}": ("", [f"weight={weight}" for weight in weights]) for at, weights in enumerate(WEIGHTS)},
    **{f"lc{at}": ("least_conn;", [f"weight={weight}" for weight in weights]) for at, weights in enumerate(WEIGHTS)},
    "hash": ("hash $http_x_key;", [f"weight={weight}" for weight in HASHED]),
    "hash_equal": ("hash $http_x_key;", ["weight=1"] * 4),
    "ring": ("hash $http_x_key consistent;", [f"weight={weight}" for weight in HASHED]),
    "ip_hash": ("ip_hash;", [f"weight={weight}" for weight in HASHED]),
    "random": ("random;", ["weight=5", "weight=1", "weight=2"]),
    "two": ("random two;", ["weight=5", "weight=1", "weight=2", "weight=1"]),
}


@pytest.fixture(scope="module", params=[0, 1, 2])
def lost(request):
    return request.param


@pytest.fixture(scope="module")
def backend(lost):
    with proxies.Servers(4) as servers:
        servers.refuse(lost)
        yield servers


@pytest.fixture(scope="module")
def client(tmp_path_factory, backend):
    port = proxies.free_port()
    text = ["keepalive_requests 1000000;", f"server {{ listen 127.0.0.1:{port};"]
    text += ["set_real_ip_from 127.0.0.1; real_ip_header X-Client; add_header X-Tried $upstream_addr always;"]
    text += [f"location /{name}/ {{ proxy_pass http://{name}; }}" for name in UPSTREAMS] + ["}"]
    for name, (method, parameters) in UPSTREAMS.items():
        lines = zip(backend.addresses, parameters, strict=False)
        made = " ".join(f"server {at} {what} fail_timeout=1h;" for at, what in lines)
        text.append(f"upstream {name} {{ {method} {made} }}")
    folder = tmp_path_factory.mktemp("nginx")
    with proxies.nginx(folder, "\n".join(text), port), proxies.Client(port) as client:
        client.noticed = set()
        yield client


def notice(client, name):
    """Send requests until one has met the lost server, unless that was done, and return who answered them."""
    answered = []
    keys = [f"first {number}" for number in range(1000)]
    headers = {"X_Key": keys, "X_Client": [f"10.{at // 250}.{at % 250}.1" for at in range(1000)]}
    if name in client.noticed:
        return answered
    client.noticed.add(name)
    for at in range(1000):
        answer = client.answer_to(f"/{name}/", **{header: values[at] for header, values in headers.items()})
        assert answer.status == 200
        answered.append(answer.server)
        if "," in answer.headers["x-tried"]:
            return answered
    return pytest.fail("no request met the lost server")


def ask(client, name, count=None, **headers):
    """Send requests that must not meet the lost server, and return who answered them."""
    count = count or len(next(iter(headers.values())))
    answers = [
        client.answer_to(f"/{name}/", **{header: values[at] for header, values in headers.items()})
        for at in range(count)
    ]
    assert not any("," in answer.headers["x-tried"] for answer in answers)
    return [answer.server for answer in answers]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_round_robin(client, lost, weights):
    """Pick by pick from the first request on."""
    balancer = weighted.SmoothRoundRobin(weights, fail_timeout=[3600] * len(weights))
    predicted = []
    for _ in range(sum(weights) * 12):
        picked = balancer.pick()
        if picked == lost:
            balancer.failed(lost)
            picked = balancer.pick(tried={lost})
        predicted.append(picked)
    name = f"rr{WEIGHTS.index(weights)}"
    noticed = notice(client, name)
    assert noticed + ask(client, name, len(predicted) - len(noticed)) == predicted
    hold_over_whole_cycles(client, lost, name, "round_robin", weights)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_least_conn(client, lost, weights):
    name = f"lc{WEIGHTS.index(weights)}"
    notice(client, name)
    hold_over_whole_cycles(client, lost, name, "least_conn", weights)


def hold_over_whole_cycles(client, lost, name, method, weights):
    cycle = sum(weights) - weights[lost]
    ask(client, name, 2 * cycle)
    counted = ask(client, name, 10 * cycle)
    predicted = shares(pool(method, weights), "nginx", lost={lost}).servers
    assert [counted.count(at) for at in range(len(weights))] == pytest.approx([10 * cycle * one for one in predicted])


@pytest.mark.parametrize(("name", "weights"), [("hash", HASHED), ("hash_equal", [1] * 4)])
def test_hash(client, lost, name, weights):
    notice(client, name)
    predicted = [modulo.server_for(modulo.hash_values(key.encode()), weights, {lost}) for key in KEYS]
    assert ask(client, name, X_Key=KEYS) == predicted


def test_keys_of_one_length_all_go_to_one_of_four_equal_servers(client, lost):
    """Why shares of `hash` after a loss have so large an error."""
    notice(client, "hash_equal")
    keys = [f"{number:08}" for number in range(200)]
    counted = ask(client, "hash_equal", X_Key=keys)
    homes = [modulo.server_for(modulo.hash_values(key.encode()), [1] * 4) for key in keys]
    assert len({taker for taker, home in zip(counted, homes, strict=True) if home == lost}) == 1


def test_hash_consistent(client, backend, lost):
    notice(client, "ring")
    continuum = ketama.Continuum(backend.addresses[:3], HASHED)
    assert ask(client, "ring", X_Key=KEYS) == [continuum.server_for(key.encode(), {lost}) for key in KEYS]


def test_ip_hash(client, lost):
    notice(client, "ip_hash")
    packed = [ipaddress.ip_address(address).packed for address in ADDRESSES]
    predicted = [modulo.server_for(modulo.ip_hash_values(address), HASHED, {lost}) for address in packed]
    assert ask(client, "ip_hash", X_Client=ADDRESSES) == predicted


@pytest.mark.parametrize("name", ["hash", "ring", "ip_hash"])
def test_shares_of_hashed_requests(client, backend, lost, name):
    """Keys of many lengths and addresses of many networks, as the prediction supposes them."""
    notice(client, name)
    if name == "ip_hash":
        drawn = {"X_Client": [f"{at % 223 + 1}.{at * 7 % 256}.{at * 31 % 256}.9" for at in range(DRAWS)]}
    else:
        drawn = {"X_Key": [f"{at * at:x}".ljust(4 + at % 36, "-") for at in range(DRAWS)]}
    counted = ask(client, name, **drawn)
    servers = [server(weight, name=at) for weight, at in zip(HASHED, backend.addresses, strict=False)]
    algorithm = {"ring": "hash_consistent"}.get(name, name)
    predicted = shares(pool(algorithm, servers, key="$http_x_key"), "nginx", lost={lost})
    counts = [counted.count(at) for at in range(3)]
    assert chi_square_p(counts, predicted.servers) > IMPOSSIBLE, (counts, predicted)


@pytest.mark.parametrize(("name", "algorithm"), [("random", "random"), ("two", "random_two")])
def test_random(client, lost, name, algorithm):
    notice(client, name)
    weights = [int(what.partition("=")[2]) for what in UPSTREAMS[name][1]]
    predicted = shares(pool(algorithm, weights), "nginx", lost={lost}).servers
    counted = ask(client, name, DRAWS)
    counts = [counted.count(at) for at in range(len(weights))]
    assert chi_square_p(counts, predicted) > IMPOSSIBLE, (counts, predicted)


def test_backups_come_in_by_weight(tmp_path):
    """One after the other: the primary beside one that is `down`, a backup, the other backup."""
    port = proxies.free_port()
    servers = [server(), server(down=True), server(3, backup=True), server(backup=True)]
    made = pool("round_robin", servers)
    with proxies.Servers(4) as backend:
        backend.refuse(0)
        lines = zip(backend.addresses, ["", "down", "weight=3 backup", "backup"], strict=True)
        text = f"upstream u {{ {' '.join(f'server {at} {what} fail_timeout=1h;' for at, what in lines)} }}"
        text += f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://u; }} }}"
        with proxies.nginx(tmp_path, text, port), proxies.Client(port) as client:
            client.ask_all(["/"] * 4)  # notices on the first one; the others end the cycle that it began
            counted = client.ask_all(["/"] * 40)
            assert [counted.count(at) / 40 for at in range(4)] == shares(made, "nginx", lost={0}).servers
            backend.refuse(2)
            client.ask_all(["/"] * 4)
            assert set(client.ask_all(["/"] * 8)) == {shares(made, "nginx", lost={0, 2}).servers.index(1.0)}
            backend.refuse(3)
            assert [client.answer_to("/").status for _ in range(3)] == [502] * 3
            assert shares(made, "nginx", lost={0, 2, 3}).unserved == 1.0


def test_sole_server_is_never_taken_out(tmp_path, backend, lost):
    port = proxies.free_port()
    text = f"upstream u {{ server {backend.addresses[lost]} fail_timeout=1h; }}"
    text += f"server {{ listen 127.0.0.1:{port}; add_header X-Tried $upstream_addr always;"
    text += "location / { proxy_pass http://u; } }"
    with proxies.nginx(tmp_path, text, port), proxies.Client(port) as client:
        answers = [client.answer_to("/") for _ in range(5)]
    assert [answer.status for answer in answers] == [502] * 5
    assert {answer.headers["x-tried"] for answer in answers} == {backend.addresses[lost]}
