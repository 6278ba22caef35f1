"""How Envoy reads hosts and paths before it matches them: what moves requests is no change of 0 %."""

from __future__ import annotations

import http.client
import json

import proxies
import pytest
from traffic.test_real_envoy_ways import bootstrap, chain, said

pytestmark = proxies.needs_envoy

HOST = "x.example.com"
ROUTES = [
    {"match": {"prefix": "/admin"}, "direct_response": {"status": 403}},
    {"match": {"path": "/exact"}, "direct_response": {"status": 410}},
    {"match": {"prefix": "/"}, "route": {"cluster": "a"}},
]
OPEN = ROUTES[-1:]


@pytest.fixture(scope="module")
def backend():
    with proxies.Servers(2) as servers:
        yield servers


def text(port, backend, manager=None, config=None, routes=ROUTES, domains=(HOST,)):
    found = chain("a", host={"domains": list(domains), "routes": routes}, manager=manager)
    found["filters"][0]["typed_config"]["route_config"].update(config or {})
    return bootstrap(port, backend, [found])


def status(folder, port, boot, host=HOST, target="/"):
    """Return the status of the answer to a request, the port of the listener standing for PORT in its host."""
    with proxies.envoy(folder, boot, port):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.putrequest("GET", target, skip_host=True)
        connection.putheader("Host", host.replace("PORT", str(port)))
        connection.putheader("X-Host", HOST)
        connection.endheaders()
        found = connection.getresponse().status
        connection.close()
        return found


ESCAPED = {"path_with_escaped_slashes_action": "REJECT_REQUEST"}
#: Fields of the connection manager and the route configuration; a request, its statuses without them and with them.
READINGS = {
    "any port": ({"strip_any_host_port": True}, {}, f"{HOST}:8080", "/", 404, 200),
    "ignored port": ({}, {"ignore_port_in_host_matching": True}, f"{HOST}:8080", "/", 404, 200),
    "own port": ({"strip_matching_host_port": True}, {}, f"{HOST}:PORT", "/", 404, 200),
    "dot": ({"strip_trailing_host_dot": True}, {}, f"{HOST}.", "/", 404, 200),
    "header": ({}, {"vhost_header": "x-host"}, "other", "/", 404, 200),
    "slashes": ({"merge_slashes": True}, {}, HOST, "//admin", 200, 403),
    "normal form": ({"normalize_path": True}, {}, HOST, "/a/../admin", 200, 403),
    "escaped slashes": (ESCAPED, {}, HOST, "/a%2fb", 200, 400),
    "parameters": ({}, {"ignore_path_parameters_in_path_matching": True}, HOST, "/exact;a=b", 200, 410),
}


@pytest.mark.parametrize("name", READINGS)
def test_readings(tmp_path, backend, name):
    manager, config, host, target, *statuses = READINGS[name]
    port = proxies.free_port()
    old, new = text(port, backend), text(port, backend, manager, config)
    told, back = said(old, new), said(new, old)
    assert [one.startswith("requests are matched otherwise: now by the ") for one in told] == [True]
    assert [one.startswith("requests are matched otherwise: no longer by the ") for one in back] == [True]
    found = []
    for at, boot in enumerate((old, new)):
        folder = tmp_path / str(at)
        folder.mkdir()
        found.append(status(folder, port, boot, host, target))
    assert found == statuses


def test_two_ways_to_leave_the_port_out(backend):
    one = text(1024, backend, {"strip_any_host_port": True})
    assert said(one, text(1024, backend, {}, {"ignore_port_in_host_matching": True})) == []
    assert said(one, text(1024, backend, {"strip_matching_host_port": True}))


@pytest.mark.parametrize(
    "manager",
    [{"merge_slashes": False}, {"normalize_path": False}, {"path_with_escaped_slashes_action": "KEEP_UNCHANGED"},
     {"path_with_escaped_slashes_action": 0}],
)  # fmt: skip
def test_what_changes_nothing(backend, manager):
    assert said(text(1024, backend), text(1024, backend, manager)) == []


@pytest.mark.parametrize("name", READINGS)
def test_what_no_route_asks_for(backend, name):
    """It changes nothing, but Envoy refuses escaped slashes whatever routes ask for."""
    manager, config, *_ = READINGS[name]
    old = text(1024, backend, routes=OPEN, domains=["*"])
    told = said(old, text(1024, backend, manager, config, OPEN, ["*"]))
    refused = "requests are matched otherwise: now by the action REJECT_REQUEST for paths with escaped slashes"
    assert told == ([refused] if name == "escaped slashes" else [])


def test_escaped_slashes_that_are_unescaped(tmp_path, backend):
    port = proxies.free_port()
    both = {"path_with_escaped_slashes_action": "unescape_and_forward", "merge_slashes": True}
    new = text(port, backend, both)
    assert said(text(port, backend, {"merge_slashes": True}), new)
    assert status(tmp_path, port, new, target="/%2fadmin") == 403


def test_routes_that_change_besides(backend):
    moved = json.loads(json.dumps(ROUTES).replace('"a"', '"b"'))
    told = said(text(1024, backend), text(1024, backend, {"merge_slashes": True}, routes=moved))
    assert "requests are matched otherwise: now by the path with its slashes merged" in told
    assert len(told) > 1
