"""What is said of lost servers and of clients that come back, on the real Traefik."""

from __future__ import annotations

import contextlib
import json
import socket
import time

import proxies
import pytest

from lbcheck.dialects import traefik
from lbcheck.files import DiskFiles
from lbcheck.traffic.losses import losses
from lbcheck.traffic.scenario import ERRORS, HANGS, REFUSES, Scenario

pytestmark = proxies.needs_traefik

CHECK = {"healthCheck": {"path": "/", "interval": "500ms", "timeout": "200ms"}}


@pytest.fixture
def backend():
    with proxies.Servers(3) as servers:
        yield servers


def balancer(addresses, **more):
    return {"loadBalancer": {"servers": [{"url": f"http://{address}"} for address in addresses], **more}}


def running(folder, services, **router):
    """Return Traefik with services, the first of which is asked for, its port, and its config as lbcheck reads it."""
    port = proxies.free_port()
    middlewares, transports = router.pop("middlewares", None), router.pop("transports", None)
    made = {"rule": "PathPrefix(`/`)", "service": next(iter(services)), **router}
    http = {"routers": {"app": made}, "services": services}
    if middlewares:
        made["middlewares"], http["middlewares"] = list(middlewares), middlewares
    if transports:
        http["serversTransports"] = transports
    text = json.dumps({"http": http})
    (config,) = traefik.read(["a.yaml"], DiskFiles(memory={"a.yaml": text}))
    assert not config.hits
    return proxies.traefik(folder, text, port), port, config


def predicted(config, kind, at=0):
    pool = config.pools[0]
    routes = [route for frontend in config.frontends for route in frontend.routes]
    return losses(pool, "traefik", Scenario(lose=(pool.servers[at].name,), kind=kind), routes)[0]


def lose(backend, number, kind):
    {REFUSES: backend.refuse, HANGS: backend.hang, ERRORS: backend.fail}[kind](number)


@pytest.mark.parametrize("kind", [REFUSES, HANGS, ERRORS])
def test_one_failed_probe_takes_a_server_out(tmp_path, backend, kind):
    fast = {"fast": {"forwardingTimeouts": {"dialTimeout": "100ms"}}}
    app = balancer(backend.addresses[:2], serversTransport="fast", **CHECK)
    proxy, port, config = running(tmp_path, {"app": app}, transports=fast)
    loss = predicted(config, kind)
    assert loss.detection_s == pytest.approx(0.7 if kind == HANGS else 0.5)
    with proxy, proxies.Client(port) as client:
        assert {client.ask() for _ in range(4)} == {0, 1}
        lose(backend, 0, kind)
        lost = last = time.monotonic()
        while time.monotonic() - lost < loss.detection_s + 1:
            if client.answer_to().status != 200:
                last = time.monotonic()
        assert last - lost < loss.detection_s + 0.3
        assert [client.ask() for _ in range(6)] == [1] * 6


def test_without_a_check_a_dead_server_keeps_its_share(tmp_path, backend):
    proxy, port, config = running(tmp_path, {"app": balancer(backend.addresses[:2])})
    loss = predicted(config, REFUSES)
    backend.refuse(0)
    with proxy, proxies.Client(port) as client:
        statuses = [client.answer_to().status for _ in range(60)]
    assert (statuses.count(502), statuses.count(200)) == (30, 30)
    assert (loss.detection_s, loss.failed_share) == (None, 0.5)


def test_the_first_probe_comes_an_interval_after_the_start(tmp_path, backend):
    backend.refuse(0)
    proxy, port, _ = running(tmp_path, {"app": balancer(backend.addresses[:2], **CHECK)})
    with proxy, proxies.Client(port) as client:
        assert 502 in {client.answer_to().status for _ in range(4)}


@pytest.mark.parametrize(("attempts", "saved"), [(2, True), (1, False)])
def test_a_retry_brings_requests_to_another_server(tmp_path, backend, attempts, saved):
    again = {"again": {"retry": {"attempts": attempts}}}
    proxy, port, config = running(tmp_path, {"app": balancer(backend.addresses[:2])}, middlewares=again)
    loss = predicted(config, REFUSES)
    backend.refuse(0)
    with proxy, proxies.Client(port) as client:
        statuses = [client.answer_to().status for _ in range(60)]
    assert statuses.count(502) == (0 if saved else 30)
    assert loss.failed_share == pytest.approx(0 if saved else 0.5)


def test_a_passive_check_takes_a_server_out_for_its_window(tmp_path, backend):
    passive = {"passiveHealthCheck": {"failureWindow": "1s", "maxFailedAttempts": 2}}
    proxy, port, _ = running(tmp_path, {"app": balancer(backend.addresses[:2], **passive)})
    backend.fail(0)
    with proxy, proxies.Client(port) as client:
        statuses = [client.answer_to().status for _ in range(40)]
        assert statuses.count(500) == 2
        backend.restore(0)
        taken = proxies.wait_until(lambda: client.ask() == 0)
    assert 0.5 < taken < 1.5


def test_a_failover_and_its_way_back(tmp_path, backend):
    services = {
        "app": {"failover": {"service": "main", "fallback": "spare"}},
        "main": balancer(backend.addresses[:2], **CHECK),
        "spare": balancer(backend.addresses[2:]),
    }
    proxy, port, config = running(tmp_path, services)
    (pool,) = config.pools
    assert [server.backup for server in pool.servers] == [False, False, True]
    with proxy, proxies.Client(port) as client:
        assert {client.ask() for _ in range(10)} == {0, 1}
        backend.refuse(0)
        proxies.wait_until(lambda: [client.ask() for _ in range(4)] == [1] * 4)
        backend.refuse(1)
        proxies.wait_until(lambda: [client.ask() for _ in range(4)] == [2] * 4)
        backend.restore(0)
        proxies.wait_until(lambda: [client.ask() for _ in range(4)] == [0] * 4)


def test_a_cookie_leads_back_and_new_clients_take_turns(tmp_path, backend):
    sticky = {"sticky": {"cookie": {"name": "at"}}}
    proxy, port, config = running(tmp_path, {"app": balancer(backend.addresses, **sticky)})
    assert config.pools[0].persistence.kind == "cookie"
    with proxy, proxies.Client(port) as client:
        assert sorted(client.ask() for _ in range(30)) == sorted([0, 1, 2] * 10)
        first = client.answer_to()
        cookie = first.headers["set-cookie"].partition(";")[0]
        assert {client.ask(Cookie=cookie) for _ in range(20)} == {first.server}


def test_a_child_s_health_reaches_its_parent_only_where_both_say_so(tmp_path, backend):
    listening = {"weighted": {"healthCheck": {}, "services": [{"name": "one"}, {"name": "two"}]}}
    children = {"one": balancer(backend.addresses[:1], **CHECK), "two": balancer(backend.addresses[1:2], **CHECK)}
    deaf = {"weighted": {"services": [{"name": "one"}, {"name": "two"}]}}
    for number, (parent, lost) in enumerate([(listening, 0), (deaf, 15)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        proxy, port, _ = running(folder, {"app": parent, **children})
        with proxy, proxies.Client(port) as client:
            backend.refuse(0)
            time.sleep(1.2)
            statuses = [client.answer_to().status for _ in range(30)]
        assert (statuses.count(503), statuses.count(200)) == (lost, 30 - lost)
        backend.restore(0)


def test_a_server_of_weight_0_that_is_up_hangs_the_balancer(tmp_path, backend):
    """What D04 says of it: the check never tells the balancer that the others are back."""
    servers = [{"url": f"http://{address}", "weight": at} for at, address in enumerate(backend.addresses[:2])]
    proxy, port, _ = running(tmp_path, {"app": {"loadBalancer": {"servers": servers, **CHECK}}})
    with proxy, proxies.Client(port) as client:
        assert client.ask() == 1
        backend.refuse(1)
        time.sleep(1.2)
        for _ in range(2):
            with proxies.Client(port, patience=1) as other, pytest.raises(TimeoutError):
                other.answer_to()
            backend.restore(1)
            time.sleep(1.2)


@pytest.mark.parametrize(("scheme", "begins"), [("http", b"GET / HTTP/1.1"), ("h2c", b"PRI * HTTP/2.0")])
def test_only_h2c_is_http_2(tmp_path, scheme, begins):
    """What L04 says: gRPC to a URL with the scheme http arrives as HTTP/1.1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"{scheme}://127.0.0.1:{server.getsockname()[1]}"
        proxy, port, _ = running(tmp_path, {"app": {"loadBalancer": {"servers": [{"url": url}]}}})
        with proxy, socket.create_connection(("127.0.0.1", port), 5) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\n\r\n")
            server.settimeout(5)
            with server.accept()[0] as arrived:
                assert arrived.recv(100).startswith(begins)


def test_of_udp_routers_the_last_by_name_gets_all_packets(tmp_path):
    """Two servers; a router's order of writing says nothing, nor does its priority: there is none."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2)]
        for one in servers:
            one.bind(("127.0.0.1", 0))
            one.settimeout(3)
        places = ["{}:{}".format(*one.getsockname()) for one in servers]
        services = {
            name: {"loadBalancer": {"servers": [{"address": place}]}} for name, place in zip("ab", places, strict=True)
        }
        routers = {name: {"service": name, "entryPoints": ["udp"]} for name in "ba"}
        text = json.dumps({"udp": {"routers": routers, "services": services}})
        (config,) = traefik.read(["a.yaml"], DiskFiles(memory={"a.yaml": text}))
        assert [route.label for route in config.frontends[0].routes] == ["b", "a"]
        with proxies.traefik(tmp_path, text, (port := proxies.free_port()), udp=(packets := proxies.free_port())):
            assert port != packets
            client = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            client.sendto(b"hello", ("127.0.0.1", packets))
            assert servers[1].recv(10) == b"hello"


def test_an_entry_point_without_routers_answers_404(tmp_path, backend):
    proxy, port, _ = running(tmp_path, {"app": balancer(backend.addresses)}, entryPoints=["other"])
    with proxy, proxies.Client(port) as client:
        assert client.answer_to("/anything").status == 404


@pytest.mark.parametrize(("limit", "status"), [("1s", 0), ("6s", 504)])
def test_an_answer_that_comes_after_the_write_timeout_reaches_nobody(tmp_path, limit, status):
    """What T02 says: without the inversion the client has a 504, with it a closed connection."""
    port = proxies.free_port()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        services = {"app": balancer(["{}:{}".format(*silent.getsockname())], serversTransport="slow")}
        http = {
            "routers": {"app": {"rule": "PathPrefix(`/`)", "service": "app"}},
            "services": services,
            "serversTransports": {"slow": {"forwardingTimeouts": {"responseHeaderTimeout": "2s"}}},
        }
        proxy = proxies.traefik(tmp_path, json.dumps({"http": http}), port, write_timeout=limit)
        with proxy, proxies.Client(port) as client:
            assert client.answer_to().status == status
