"""One service written for six balancers: equal models, and moving from any of them to any other moves nothing.

`fixtures/same-service`: shop.example.com on port 80, /api to one pool, everything else to the other.
"""

from __future__ import annotations

import json
import re
import shutil
from http.client import HTTPConnection
from itertools import permutations
from pathlib import Path

import proxies
import pytest
from cli.running import lbcheck
from verdicts import CannotJudgeError, verdict

from lbcheck import project
from lbcheck.changes.across import TURNS, Member, agree, group
from lbcheck.changes.decisions import Decisions, same_decisions

FOLDER = Path(__file__).parent.parent / "fixtures" / "same-service"
#: The files or folders by dialect. Kubernetes has no weights of pods: what it says is the service without them.
FILES = {
    "nginx": "nginx.conf",
    "haproxy": "haproxy.cfg",
    "envoy": "envoy.yaml",
    "traefik": "traefik",
    "native": "native.yaml",
    "kubernetes": "gateway.yaml",
}
PAIRS = list(permutations(FILES, 2))
DOOR = ("http", "tcp", False, "", 80)
#: What a request asks for, and which pool it gets; None for none.
DECISIONS = {
    ("shop.example.com", "/"): "web",
    ("shop.example.com", "/api"): "api",
    ("shop.example.com", "/api/"): "api",
    ("shop.example.com", "/api/orders"): "api",
    ("shop.example.com", "/apiary"): "web",
    ("shop.example.com", "/x/api"): "web",
    ("other.example.com", "/api"): None,
    ("other.example.com", "/"): None,
}
CHECKS = {"nginx": None, "kubernetes": None}  # they have no active checks, or these are the containers' own


def read(path):
    [config] = project.configs(project.prepare(project.Request((str(path),))))
    return config


def member(network, number, weight):
    return Member(("ipv4", f"10.0.{network}.{number}", 8080), weight, "primary", enabled=True)


def expected(heavy):
    """Return the pools by name, none of them sticky or open. `heavy` is the part of the API's first server."""
    return {
        "web": (TURNS, (member(1, 11, 0.5), member(1, 12, 0.5)), "", None),
        "api": (TURNS, (member(2, 11, heavy), member(2, 12, 1 - heavy)), "", None),
    }


def names(config):
    """Return id of a pool → its name, without the namespace of a Service."""
    return {id(pool): pool.name.rpartition("/")[2] for pool in config.pools}


@pytest.fixture(scope="module")
def even(tmp_path_factory):
    """Return a copy of the fixture in which nobody has a weight above 1."""
    folder = tmp_path_factory.mktemp("even") / "same-service"
    shutil.copytree(FOLDER, folder)
    for path in folder.rglob("*.*"):
        path.write_text(re.sub(r"(weight\W+)3\b", r"\g<1>1", path.read_text()))
    return folder


@pytest.mark.parametrize("dialect", FILES)
def test_lowers_to_the_same_model(dialect):
    config = read(FOLDER / FILES[dialect])
    assert (config.dialect, config.hits, config.unmodelled) == (dialect, [], [])
    pools = {names(config)[id(pool)]: group(pool, dialect) for pool in config.pools}
    assert pools.keys() == {"web", "api"}
    for name, wanted in expected(0.75).items():
        assert agree(pools[name], wanted), name
    said = {server.weight.value for pool in config.pools for server in pool.servers}
    assert said == ({1} if dialect == "kubernetes" else {1, 3})
    wanted = CHECKS.get(dialect, ("http", "/healthz", 5.0))
    assert {check(server) for pool in config.pools for server in pool.servers} == {wanted}


def check(server):
    """Return what is asked of a server and how often; times that differ by default only (fall, rise) left out."""
    return server.check and (server.check.kind, server.check.path.value, server.check.interval.value)


@pytest.mark.parametrize("dialect", FILES)
def test_sends_each_request_where_the_others_send_it(dialect):
    config = read(FOLDER / FILES[dialect])
    decisions = Decisions(config, names(config))
    assert set(decisions.doors) == {DOOR}
    found = {request: decisions.of(DOOR, *request) for request in DECISIONS}
    assert found == {request: pool and {(pool, 1.0)} for request, pool in DECISIONS.items()}


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_no_kind_of_request_is_decided_otherwise(old, new):
    one, other = read(FOLDER / FILES[old]), read(FOLDER / FILES[new])
    assert same_decisions(one, other, {**names(one), **names(other)}) is True


@pytest.mark.parametrize(("old", "new"), [pair for pair in PAIRS if "kubernetes" not in pair])
def test_moving_to_another_balancer_moves_nothing(old, new):
    assert_nothing_moves(FOLDER, old, new)


@pytest.mark.parametrize(("old", "new"), [pair for pair in PAIRS if "kubernetes" in pair])
def test_moving_to_kubernetes_and_back_moves_nothing(old, new, even):
    assert_nothing_moves(even, old, new)


def assert_nothing_moves(folder, old, new):
    changes = diff(folder, old, new)
    assert (changes["moved"], changes["moved_unknown"], changes["findings"]) == (
        0,
        False,
        {"introduced": [], "fixed": [], "unchanged": 0},
    )
    assert len(changes["pools"]) == 2
    for pool in changes["pools"]:
        assert (pool["status"], pool["moved"], pool["dialect"]) == ("unchanged", 0, new)
        assert len(pool["servers"]) == 2
        assert all(server["before"] == server["after"] is not None for server in pool["servers"])


def diff(folder, old, new):
    done = lbcheck(folder, "diff", "--isolated", "--output-format", "json", FILES[old], FILES[new])
    assert done.returncode in {0, 1}, done.stderr
    return json.loads(done.stdout)


def test_in_words():
    done = lbcheck(FOLDER, "diff", "--isolated", "nginx.conf", "envoy.yaml")
    assert (done.returncode, done.stdout) == (0, "0 % of the traffic moves; 2 pools unchanged\n")


def test_weights_that_kubernetes_cannot_say_move_traffic():
    pools = {pool["name"]: pool for pool in diff(FOLDER, "nginx", "kubernetes")["pools"]}
    assert (pools["shop/web"]["status"], pools["shop/web"]["moved"]) == ("unchanged", 0)
    assert (pools["shop/api"]["status"], pools["shop/api"]["moved"]) == ("changed", 0.25)


@pytest.mark.parametrize("dialect", ["nginx", "haproxy", "envoy"])
def test_the_real_proxy_takes_it(dialect, tmp_path):
    name = FILES[dialect]
    try:
        accepted, said = verdict(dialect, {name: (FOLDER / name).read_text()}, tmp_path)
    except CannotJudgeError as error:
        pytest.skip(str(error))
    assert accepted, said


def asked(port, host, path):
    """Return the status of an answer, and the number of the server that it comes from; None where the proxy answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    connection.close()
    number = answer.headers["X-Server"]
    return answer.status, None if number is None else int(number)


def here(dialect, addresses, port):
    """Return a file of the fixture with the addresses of servers that run here, on a port of loopback."""
    text = (FOLDER / FILES[dialect]).read_text()
    for at, known in enumerate(("10.0.1.11", "10.0.1.12", "10.0.2.11", "10.0.2.12")):
        host, _, other = addresses[at].partition(":")
        text = text.replace(f"{known}:8080", addresses[at])
        text = text.replace(f"{known}, port_value: 8080", f"{host}, port_value: {other}")
    for old, new in (
        ("listen 80", f"listen 127.0.0.1:{port}"),
        ("bind :80", f"bind 127.0.0.1:{port}"),
        ("0.0.0.0, port_value: 80}", f"127.0.0.1, port_value: {port}}}"),
    ):
        text = text.replace(old, new)
    assert "10.0." not in text
    return text[text.index("http {") + 6 : text.rindex("}")] if dialect == "nginx" else text


@pytest.mark.parametrize(
    ("dialect", "run"),
    [
        pytest.param("nginx", proxies.nginx, marks=proxies.needs_nginx),
        pytest.param("haproxy", proxies.haproxy, marks=proxies.needs_haproxy),
        pytest.param("envoy", proxies.envoy, marks=proxies.needs_envoy),
    ],
)
def test_the_real_proxy_decides_so(dialect, run, tmp_path):
    port = proxies.free_port()
    with proxies.Servers(4) as servers, run(tmp_path, here(dialect, servers.addresses, port), port):
        found = {request: {asked(port, *request) for _ in range(4)} for request in DECISIONS}
    wanted = {"web": {(200, 0), (200, 1)}, "api": {(200, 2), (200, 3)}, None: {(404, None)}}
    assert found == {request: wanted[pool] for request, pool in DECISIONS.items()}


@proxies.needs_nginx
def test_nginx_redirects_to_a_proxied_location_with_a_slash(tmp_path):
    """What `decisions` supposes of nginx: /api is answered where only /api/ is written, unless something takes /api."""
    for more, status in (("", 301), ("location /api { return 204; }", 204), ("location = /api { return 205; }", 205)):
        port = proxies.free_port()
        blocks = f"server {{ listen 127.0.0.1:{port}; location /api/ {{ proxy_pass http://127.0.0.1:1; }} {more} }}"
        with proxies.nginx(tmp_path, blocks, port):
            assert asked(port, "test", "/api") == (status, None)


#: What somebody gets wrong on the way, in the file of the new balancer.
SLIPS = {
    "a weight": ("haproxy", "weight 3", "weight 4"),
    "a server": ("envoy", "10.0.1.12", "10.0.1.13"),
    "a backup": ("haproxy", "10.0.1.12:8080", "10.0.1.12:8080 backup"),
    "a port of a server": ("native", "10.0.2.12:8080", "10.0.2.12:8081"),
    "a path": ("native", "path: /api", "path: {prefix: /api}"),
    "the whole path alone": ("haproxy", "{ path /api } or ", ""),
    "a host": ("envoy", "domains: [shop.example.com]", "domains: [www.example.com]"),
    "the port": ("haproxy", "bind :80", "bind :8080"),
    "the order": (
        "envoy",
        "{match: {prefix: /}, route: {cluster: web}}",
        "{match: {prefix: /}, route: {cluster: api}}",
    ),
    "what is not known": ("haproxy", "path_beg /api/", "path_reg ^/api/"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_not_called_unchanged(slip, tmp_path):
    dialect, right, wrong = SLIPS[slip]
    folder = tmp_path / "same-service"
    shutil.copytree(FOLDER, folder)
    path = folder / FILES[dialect]
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong))
    for old, new in (("nginx", dialect), (dialect, "nginx")):
        changes = diff(folder, old, new)
        assert changes["moved"] != 0
        assert changes["moved"] is None or changes["moved"] > 0
        if slip in {"a weight", "a server", "a backup", "a port of a server"}:
            assert "unchanged" in {pool["status"] for pool in changes["pools"]}
            assert "changed" in {pool["status"] for pool in changes["pools"]}
