"""Choices under load on the real nginx: requests are held on the servers, and each next one is predicted."""

from __future__ import annotations

import ipaddress
import random
from zlib import crc32

import busy_stubs
import proxies
import pytest
from traffic.pools import pool, server

from lbcheck.model import Setting
from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p
from lbcheck.traffic.algorithms import ketama, modulo
from lbcheck.traffic.algorithms.leastconn import LeastConn
from lbcheck.traffic.algorithms.load import NO_LIMIT
from lbcheck.traffic.busy import busy_shares
from lbcheck.traffic.busy.choices import Draw, RandomTwo, Redrawn, Rehashed, RoundRobin
from lbcheck.traffic.busy.rings import Points

pytestmark = proxies.needs_nginx

LEAST = {"lc_alike": [1, 1, 1, 1], "lc": [5, 1, 1], "lc_321": [3, 2, 1], "lc_far": [7, 3, 2]}
#: Method, weights, limits, and the requests that stand on each server while one more is drawn for, again and again.
DRAWN = {
    "two": ("random two;", [5, 1, 2], [0, 0, 0], [5, 1, 1]),
    "two_alike": ("random two;", [1, 1, 1, 1], [0, 0, 0, 0], [2, 0, 1, 1]),
    "two_full": ("random two;", [5, 1, 2, 3], [2, 0, 0, 0], [2, 1, 1, 2]),
    "random_full": ("random;", [5, 1, 2], [2, 0, 0], [2, 1, 0]),
    "random_heavy": ("random;", [200, 1, 2], [2, 0, 0], [2, 1, 0]),
}
PROBES = 800
UPSTREAMS = {
    **{name: ("least_conn;", [f"weight={weight}" for weight in weights]) for name, weights in LEAST.items()},
    "lc_capped": ("least_conn;", ["weight=5 max_conns=4", "max_conns=3", "weight=2"]),
    "rr_capped": ("", ["weight=5 max_conns=4", "max_conns=3", "weight=2"]),
    "lc_backups": ("least_conn;", ["max_conns=3", "weight=2 max_conns=2", "weight=2 backup", "max_conns=4 backup"]),
    "rr_backups": ("", ["max_conns=3", "weight=2 max_conns=2", "weight=2 max_conns=9 backup", "max_conns=4 backup"]),
    "hash": ("hash $http_x_key;", ["max_conns=2", "weight=2 max_conns=5", "weight=3"]),
    "ip_hash": ("ip_hash;", ["max_conns=2", "weight=2 max_conns=5", "weight=3"]),
    "ring": ("hash $http_x_key consistent;", ["max_conns=2", "max_conns=5", "weight=3 down", "weight=2"]),
    **{
        name: (method, [f"weight={weight} max_conns={most}" for weight, most in zip(weights, limits, strict=True)])
        for name, (method, weights, limits, _) in DRAWN.items()
    },
}


@pytest.fixture(scope="module")
def backend():
    with busy_stubs.HeldServers(4) as servers:
        yield servers


@pytest.fixture(scope="module")
def port(tmp_path_factory, backend):
    port = proxies.free_port()
    text = [f"proxy_read_timeout 60s; server {{ listen 127.0.0.1:{port};"]
    text += ["set_real_ip_from 127.0.0.1; real_ip_header X-Client;"]
    text += [f"location /{name}/ {{ proxy_pass http://{name}; }}" for name in UPSTREAMS] + ["}"]
    for name, (method, parameters) in UPSTREAMS.items():
        lines = zip(backend.addresses, parameters, strict=False)
        text.append(f"upstream {name} {{ {method} {' '.join(f'server {at} {what};' for at, what in lines)} }}")
    with proxies.nginx(tmp_path_factory.mktemp("nginx"), "\n".join(text), port):
        yield port


def compare(crowd, rule, target, in_flight, turns, seed, headers=dict):
    """Open requests, then end one at random and open the next, holding each pick to the rule's."""
    chance = random.Random(seed)
    under_way = []
    for turn in range(in_flight + turns):
        if turn >= in_flight:
            token, server = under_way.pop(chance.randrange(len(under_way)))
            crowd.end(token)
            rule.release(server)
        token, server = crowd.open(target, **headers())
        assert server == rule.pick(), (turn, rule.inflight)
        under_way.append((token, server))
    for token, server in under_way:
        crowd.end(token)
        rule.release(server)


@pytest.mark.parametrize("name", LEAST)
def test_least_conn(port, backend, name):
    rule = LeastConn(LEAST[name])
    with busy_stubs.Crowd(port, backend) as crowd:
        for in_flight in (1, 3, 10, 23):
            compare(crowd, rule, f"/{name}/", in_flight, 40, in_flight)


@pytest.mark.parametrize(("name", "kind"), [("lc_capped", LeastConn), ("rr_capped", RoundRobin)])
def test_full_servers_are_passed_over(port, backend, name, kind):
    rule = kind([5, 1, 2], [4, 3, NO_LIMIT])
    with busy_stubs.Crowd(port, backend) as crowd:
        for in_flight in (3, 8, 12):
            compare(crowd, rule, f"/{name}/", in_flight, 40, in_flight)


class Keys:
    """Random keys, or client addresses, and their hashes in the same order."""

    def __init__(self):
        self._random = random.Random(5)
        self._key = ""

    def headers(self):
        self._key = f"key-{self._random.randrange(10**6)}"
        return {"X_Key": self._key}

    def client(self):
        self._key = ".".join(str(self._random.randrange(1, 224)) for _ in range(4))
        return {"X_Client": self._key}

    def hashes(self):
        return modulo.hash_values(self._key.encode())

    def address_hashes(self):
        return modulo.ip_hash_values(ipaddress.ip_address(self._key).packed)

    def crc(self):
        return crc32(self._key.encode())


def test_hashes_past_full_servers(port, backend):
    keys = Keys()
    weights, limits = [1, 2, 3], [2, 5, NO_LIMIT]
    named = Rehashed(keys.hashes, weights, limits)
    by_address = Rehashed(keys.address_hashes, weights, limits)
    continuum = ketama.Continuum(backend.addresses, [1, 1, 3, 2])
    ring = Points(continuum, keys.crc, [1, 1, 3, 2], [2, 5, NO_LIMIT, NO_LIMIT], {2})
    with busy_stubs.Crowd(port, backend) as crowd:
        for in_flight in (3, 15, 30):
            compare(crowd, named, "/hash/", in_flight, 50, in_flight, keys.headers)
            compare(crowd, by_address, "/ip_hash/", in_flight, 50, in_flight, keys.client)
            compare(crowd, ring, "/ring/", in_flight, 50, in_flight, keys.headers)


@pytest.mark.parametrize(("name", "method"), [("lc_backups", "least_conn"), ("rr_backups", "round_robin")])
def test_backups_take_what_full_primaries_leave(port, backend, name, method):
    """Which of the backups it is follows the method; what is more than all of them take is refused at once."""
    parameters = UPSTREAMS[name][1]
    for in_flight in (5, 8, 12, 18, 25):
        predicted = busy_shares(pool(method, [made_of(what) for what in parameters]), "nginx", in_flight, 1)
        counted, answers = [0] * len(parameters), []
        with busy_stubs.Crowd(port, backend) as crowd:
            held = []
            for _ in range(in_flight):
                token = crowd.send(f"/{name}/")
                found = crowd.arrival(0.3 if len(held) >= 11 else 5)
                if found is None:
                    answers.append(crowd.status(token))
                else:
                    held.append(token)
                    counted[found[1]] += 1
            for token in held:
                crowd.end(token)
        assert answers == [502] * len(answers)
        assert sum(counted[:2]) == min(5, in_flight)
        assert counted[0] + counted[1] == pytest.approx(in_flight * sum(predicted.servers[:2]))
        assert len(answers) == pytest.approx(in_flight * predicted.unserved)
        if in_flight > 5 and predicted.exact:
            assert counted == pytest.approx([in_flight * share for share in predicted.servers], abs=1)


def made_of(what):
    words = dict(word.partition("=")[::2] for word in what.split())
    made = server(int(words.get("weight", 1)), backup="backup" in words)
    made.max_conns = Setting(int(words.get("max_conns", 0)))
    return made


@pytest.mark.parametrize("name", DRAWN)
def test_draws(port, backend, name):
    method, weights, limits, standing = DRAWN[name]
    chance = random.Random(3)
    kind = RandomTwo if "two" in method else Redrawn
    rule = kind(Draw(weights, chance), weights, [most or NO_LIMIT for most in limits])
    for at, count in enumerate(standing):
        rule.put(at, count)
    counted = [0] * len(weights)
    with busy_stubs.Crowd(port, backend) as crowd:
        held = crowd.stand(f"/{name}/", standing, crowd.end)
        for _ in range(PROBES):
            token, place = crowd.open(f"/{name}/")
            counted[place] += 1
            crowd.end(token)
        for token in held:
            crowd.end(token)
    chosen = [rule.choose() for _ in range(60_000)]
    predicted = [chosen.count(at) / len(chosen) for at in range(len(weights))]
    assert chi_square_p(counted, predicted) > IMPOSSIBLE, (counted, predicted)


@pytest.mark.parametrize(("weights", "in_flight"), [([5, 1, 1], 10), ([2, 1, 1], 3)])
def test_a_closed_loop_comes_to_the_predicted_shares(tmp_path, weights, in_flight):
    """With service times that are exponential; in these states each request is as likely as any to end next."""
    predicted = busy_shares(pool("least_conn", weights), "nginx", in_flight, 1)
    assert predicted.exact
    chance = random.Random(11)
    port = proxies.free_port()
    with busy_stubs.HeldServers(len(weights), lambda: chance.expovariate(200)) as servers:
        lines = " ".join(f"server {at} weight={weight};" for at, weight in zip(servers.addresses, weights, strict=True))
        text = f"upstream u {{ least_conn; {lines} }}"
        text += f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://u; }} }}"
        with proxies.nginx(tmp_path, text, port):
            busy_stubs.closed_loop(port, "/", in_flight, 1500)
        counted = servers.counts()
    assert chi_square_p(counted, predicted.servers) > IMPOSSIBLE, (counted, predicted)
    by_weight = [weight / sum(weights) for weight in weights]
    assert chi_square_p(counted, by_weight) < IMPOSSIBLE
