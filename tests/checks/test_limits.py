from __future__ import annotations

import pytest
from checks.read import DEFAULTS, found

SERVERS = ["server a 10.0.0.1:80 maxconn 300", "server b 10.0.0.2:80 maxconn 300", "server c 10.0.0.3:80 maxconn 300"]


def hits(limit, servers=SERVERS, *, before="", bind=":80", more="", defaults=DEFAULTS):
    front = f"frontend web\n  bind {bind}\n{limit and f'  maxconn {limit}'}\n  default_backend app\n"
    back = "backend app\n" + "".join(f"  {server}\n" for server in servers)
    return found("C01", "haproxy", before + defaults + front + back + more)


def severities(*args, **fields):
    return [hit.severity for hit in hits(*args, **fields)]


@pytest.mark.parametrize(("limit", "severity"), [(299, ["warning"]), (300, ["info"]), (599, ["info"]), (600, [])])
def test_against_one_and_against_all_but_the_largest(limit, severity):
    assert severities(limit) == severity


def test_all_must_have_a_limit_to_be_summed():
    assert severities(400, [*SERVERS, "server d 10.0.0.4:80"]) == []
    assert severities(400, [*SERVERS, "server d 10.0.0.4:80 maxconn 0"]) == []
    assert severities(400, [*SERVERS, "server d 10.0.0.4:80 disabled"]) == ["info"]
    assert severities(200, [*SERVERS, "server d 10.0.0.4:80"]) == ["warning"]


def test_without_limits_there_is_nothing_to_compare():
    assert severities(10, ["server a 10.0.0.1:80"]) == []
    assert severities("") == []
    assert severities(0) == []


@pytest.mark.parametrize(
    "bind", [":80 proto h2", ":443 ssl crt a.pem alpn h2,http/1.1", ":443 ssl crt a.pem", "quic4@:443"]
)
def test_many_requests_a_connection(bind):
    assert severities(10, bind=bind) == []


def test_tls_without_h2():
    assert severities(10, bind=":443 ssl crt a.pem alpn http/1.1") == ["warning"]


def test_the_process_has_a_limit_too():
    (hit,) = hits("", before="global\n  maxconn 100\n")
    assert (hit.span.line, hit.severity, hit.args["limit"]) == (2, "warning", "100")
    assert severities(1000, before="global\n  maxconn 1000\n") == []
    assert severities("", before="global\n  maxconn ${MAX}\n") == []


def test_frontends_add_up():
    other = "frontend other\n  bind :81\n  maxconn 250\n  default_backend app\n"
    assert severities(250, more=other) == ["info"]
    assert severities(400, more=other) == []
    assert severities(250, more=other.replace("  maxconn 250\n", "")) == []


def test_a_computed_backend_may_be_any():
    other = "frontend other\n  bind :81\n  use_backend %[src]\n"
    assert severities(10, more=other) == []
    assert severities(10, more=other + "  maxconn 20\n") == ["warning"]


def test_one_finding_for_an_inherited_limit():
    second = "backend two\n  server a 10.0.0.1:80 maxconn 900\nfrontend b\n  bind :81\n  default_backend two\n"
    (hit,) = hits("", defaults=DEFAULTS + "  maxconn 100\n", more=second)
    assert (hit.pool, hit.severity) == ("two", "warning")
