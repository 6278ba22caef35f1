"""Enums: a word in any case or a number, as Envoy's reader of JSON takes them; nothing is concluded from others."""

from __future__ import annotations

import pytest
from dialects.envoy.test_envoy import BASE, CHECK, ROUTE

from lbcheck.dialects import envoy
from lbcheck.files import DiskFiles
from lbcheck.traffic.algorithms import shares

LB = "    lb_policy: {}\n    connect_timeout: 1s\n"
HOST = "        - endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 8080}}}\n"


def lowered(*replaced):
    text = BASE
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    (config,) = envoy.read(["envoy.yaml"], DiskFiles(memory={"envoy.yaml": text}))
    return config


def with_status(status):
    return lowered((HOST, HOST + f"          health_status: {status}\n"))


@pytest.mark.parametrize(
    ("status", "enabled", "option"),
    [("UNHEALTHY", False, None), ("unhealthy", False, None), ("2", False, None), ("4", False, None),
     ("'02'", False, None), ("3", False, "draining"), ("5", True, "degraded"), ("degraded", True, "degraded"),
     ("1", True, None), ("0", True, None)],
)  # fmt: skip
def test_health_status(status, enabled, option):
    config = with_status(status)
    server = config.pools[0].servers[0]
    assert server.enabled is enabled
    assert [name for name in server.options if name in ("draining", "degraded", "unknown status")] == (
        [option] if option else []
    )
    assert not config.hits
    assert not config.unmodelled


@pytest.mark.parametrize("status", ["99", "-1", "'{{ status }}'"])
def test_a_status_that_is_not_known(status):
    config = with_status(status)
    assert "not known" in shares(config.pools[0], "envoy").reason
    assert len(config.unmodelled) == 1


@pytest.mark.parametrize(
    ("written", "kind", "known"),
    [("3", "EDS", False), ("eds", "EDS", False), ("Original_Dst", "ORIGINAL_DST", False), ("1", "STRICT_DNS", True),
     ("'{{ type }}'", "", False)],
)  # fmt: skip
def test_discovery(written, kind, known):
    inline = BASE[BASE.index("    load_assignment:") :]
    config = lowered(("    type: STATIC\n", f"    type: {written}\n"), (inline, "" if not known else inline))
    pool = config.pools[0]
    assert pool.options["discovery"].value == kind
    assert (pool.open is None) is known


@pytest.mark.parametrize(
    ("written", "name"),
    [("ring_hash", "ring_hash"), ("2", "ring_hash"), ("least_Request", "least_request"), ("1", "least_request"),
     ("5", "maglev"), ("4", "opaque")],
)  # fmt: skip
def test_policies(written, name):
    assert lowered(("    connect_timeout: 1s\n", LB.format(written))).pools[0].algorithm.name == name


@pytest.mark.parametrize(
    ("written", "function"), [("1", "MURMUR_HASH_2"), ("murmur_hash_2", "MURMUR_HASH_2"), ("0", "XX_HASH")]
)
def test_hash_functions(written, function):
    lines = LB.format("ring_hash") + f"    ring_hash_lb_config: {{hash_function: {written}}}\n"
    options = lowered(("    connect_timeout: 1s\n", lines)).pools[0].algorithm.options
    assert options["hash_function"].value == function


def test_a_hash_function_that_is_not_known():
    lines = LB.format("ring_hash") + "    ring_hash_lb_config: {hash_function: 9}\n"
    config = lowered(("    connect_timeout: 1s\n", lines))
    assert "not known" in shares(config.pools[0], "envoy").reason
    assert config.unmodelled


@pytest.mark.parametrize(("written", "status"), [("4", 308), ("see_other", 303), ("9", None)])
def test_redirects(written, status):
    config = lowered((ROUTE, f"                redirect: {{response_code: {written}}}\n"))
    options = config.frontends[0].routes[0].options
    assert (options["status"].value if "status" in options else None) == status


def test_priorities_of_thresholds():
    lines = "    circuit_breakers: {thresholds: [{priority: high, max_requests: 5}, {priority: 0, max_requests: 7}]}\n"
    config = lowered(("    connect_timeout: 1s\n", "    connect_timeout: 1s\n" + lines))
    assert config.pools[0].options["max_requests"].value == 7


@pytest.mark.parametrize(("written", "method"), [("3", "POST"), ("head", "HEAD"), ("0", None)])
def test_methods_of_checks(written, method):
    check = CHECK.replace("grpc_health_check: {}", f"http_health_check: {{path: /, method: {written}}}")
    config = lowered(("    connect_timeout: 1s\n", f"    connect_timeout: 1s\n    health_checks: [{check}]\n"))
    found = config.pools[0].check.method
    assert (found.value if found is not None else None) == method
