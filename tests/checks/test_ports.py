from __future__ import annotations

import pytest
from checks.read import DEFAULTS, found, said

TWO_DOORS = ("bind :80", "bind :443 ssl crt site.pem")


def haproxy(*lines, binds=TWO_DOORS, defaults=DEFAULTS):
    """Return the severities for a backend of these lines, reached through these binds."""
    front = "frontend web\n" + "".join(f"  {bind}\n" for bind in binds) + "  default_backend app\n"
    text = defaults + front + "backend app\n" + "".join(f"  {line}\n" for line in lines)
    return [severity for _, severity in said("P09", "haproxy", text)]


@pytest.mark.parametrize(
    "line", ["server a 10.0.0.1", "server a app.internal", "server a ipv4@10.0.0.1", "server a ::1:", "server a [::1]"]
)
def test_the_port_of_the_client(line):
    assert haproxy(line) == [""]
    assert haproxy(line, binds=["bind :80"]) == ["info"]


@pytest.mark.parametrize(
    "line",
    [
        "server a 10.0.0.1:8080",
        "server a 10.0.0.1:+1000",
        "server a 10.0.0.1:-1000",
        "server a 0.0.0.0",
        "server a *",
        "server a [::1]:80",
        "server a unix@/run/a.sock",
        "server a /run/a.sock",
        "server a abns@a",
        "server a ${APP}",
        "server a 10.0.0.1 disabled",
        "server-template a 3 _http._tcp.app.internal resolvers dns",
    ],
)
def test_the_port_is_known_or_meant(line):
    assert haproxy(line) == []


@pytest.mark.parametrize(
    "bind", ["bind :8000-8999", "bind :80 transparent", "bind unix@/run/web.sock", "bind :${PORT}"]
)
def test_ports_are_kept_on_purpose_or_not_known(bind):
    assert haproxy("server a 10.0.0.1", binds=[bind]) == []


def test_tcp_mode_is_not_looked_at():
    assert haproxy("server a 10.0.0.1", defaults=DEFAULTS.replace("http", "tcp")) == []


def test_a_computed_backend_may_be_anyone():
    text = DEFAULTS + "frontend web\n  bind :80\n  bind :81\n  use_backend %[src]\n  default_backend app\n"
    assert said("P09", "haproxy", text + "backend app\n  server a 10.0.0.1\n") == []


def nginx(servers, *passes):
    places = "".join(f"location /{number} {{ proxy_pass {one}; }}" for number, one in enumerate(passes))
    return found("P09", "nginx", f"http {{ upstream app {{ {servers} }} server {{ {places} }} }} events {{}}")


@pytest.mark.parametrize("server", ["10.0.0.1", "app.internal", "[::1]", "10.0.0.1 weight=2"])
def test_tls_to_port_80(server):
    (hit,) = nginx(f"server {server};", "https://app")
    assert hit.severity == "error"
    assert [edit.text for edit in hit.fix.edits] == [":443"]
    assert hit.fix.edits[0].span.start == hit.span.start + len(f"server {server.split()[0]}")


def test_the_port_would_be_wrong_for_plain_http():
    (hit,) = nginx("server 10.0.0.1;", "https://app", "http://app")
    assert hit.fix is None


@pytest.mark.parametrize(
    "server",
    ["10.0.0.1:443", "10.0.0.1:80", "[::1]:443", "unix:/run/a.sock", "10.0.0.1 down", "app service=http resolve"],
)
def test_the_port_is_written(server):
    assert nginx(f"server {server};", "https://app") == []


def test_plain_http_to_port_80():
    assert nginx("server 10.0.0.1;", "http://app") == []
