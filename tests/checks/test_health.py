from __future__ import annotations

import pytest
from checks.read import DEFAULTS, backend, found, severities

A, B = "server a 10.0.0.1:80", "server b 10.0.0.2:80"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([A, B], [""]),
        ([A], []),
        ([A, f"{B} disabled"], []),
        ([A, f"{B} backup"], [""]),
        ([f"{A} check", B], []),
        ([A, f"{B} track x/y"], []),
        ([A, "server b 10.0.0.1:80"], []),
        ([A, "server b 10.0.0.1:81"], [""]),
        ([f"{A} agent-check agent-port 1", B], []),
        (["option redispatch", A, B], ["info"]),
        (["option redispatch", "retries 0", A, B], [""]),
        (["mode log", A, B], []),
        (["server-template t 1-3 10.0.0.1:80"], [""]),
        (["server-template t 1-3 app.example:80 resolvers dns"], []),
        ([f"{A} resolvers dns", f"{B} resolvers dns"], [""]),
    ],
)
def test_a_pool_without_checks(lines, expected):
    assert severities("H01", *lines) == expected


def test_servers_are_counted_where_all_are_there():
    (hit,) = found("H01", "haproxy", backend(A, B))
    assert hit.args["servers"] == "2 servers"
    either = backend(A, ".if feature(OPENSSL)", B, ".else", "server c 10.0.0.3:80", ".endif")
    (hit,) = found("H01", "haproxy", either)
    assert hit.args["servers"] == "servers"  # 2 of the 3
    (hit,) = found("H01", "haproxy", backend("server-template t 1-3 10.0.0.1:80"))
    assert hit.args["servers"] == "3 servers"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([f"{A} check", B], [""]),
        ([f"{A} check", f"{B} no-check"], []),
        (["default-server check", A, f"{B} no-check"], []),
        ([f"{A} check", f"{B} track app/a"], []),
        ([f"{A} check", f"{B} disabled"], []),
        ([f"{A} check", f"{B} agent-check agent-port 1"], []),
        ([f"{A} check", f"{B} backup"], ["info"]),
        ([f"{A} check", f"{B} backup", "server c 10.0.0.3:80 backup"], [""]),
        ([A, B], []),
    ],
)
def test_a_server_that_was_forgotten(lines, expected):
    assert severities("H03", *lines) == expected


def test_the_fix_checks_every_forgotten_server():
    (hit,) = found("H03", "haproxy", backend(f"{A} check", B, "server c 10.0.0.3:80 # last"))
    places = [(edit.span.line, edit.span.source.text[: edit.span.start].rpartition("\n")[2]) for edit in hit.fix.edits]
    assert places == [(8, f"  {B}"), (9, "  server c 10.0.0.3:80")]


HTTP = "option httpchk GET /"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([HTTP, "timeout check 2s", f"{A} check", f"{B} check"], [""]),
        ([HTTP, "timeout check 1s", f"{A} check", f"{B} check"], []),
        ([HTTP, f"{A} check inter 2s", f"{B} check"], []),
        ([HTTP, "timeout check 10s", f"{A} check"], []),  # nobody could take over
        (["timeout check 10s", f"{A} check", f"{B} check"], []),  # a TCP check ends when it is connected
        (["option tcp-check", "tcp-check expect string OK", "timeout check 10s", f"{A} check", f"{B} check"], [""]),
        ([HTTP, "timeout check 10s", A, B], []),
    ],
)
def test_a_timeout_beyond_the_interval(lines, expected):
    assert severities("H04", *lines) == expected


def test_one_line_in_defaults_is_one_finding():
    text = backend(HTTP, f"{A} check", f"{B} check", defaults=DEFAULTS + "  timeout check 10s\n")
    text += "backend other\n  option httpchk\n  server c 10.0.0.3:80 check\n  server d 10.0.0.4:80 check\n"
    (hit,) = found("H04", "haproxy", text)
    assert (hit.span.text.strip(), hit.args["period"], hit.args["detection"]) == ("timeout check 10s", "12 s", "36 s")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([f"{A} check inter 400ms", f"{B} check inter 400ms"], ["info"]),
        ([f"{A} check inter 400ms fall 2"], ["warning"]),
        ([f"{A} check inter 400ms fall 5"], []),
        ([f"{A} check inter 500ms fall 1"], []),
        ([HTTP, "timeout check 200ms", f"{A} check fall 2"], ["warning"]),
        ([HTTP, "timeout check 250ms", f"{A} check inter 300ms fall 2"], []),
        (["timeout check 200ms", f"{A} check fall 2"], []),
        (["timeout check 1s", f"{A} check inter 90ms fall 2"], ["warning"]),
        ([f"{A} check inter 10 fall 1"], []),  # T12: the unit is missing
        ([A], []),
    ],
)
def test_an_impatient_probe(lines, expected):
    assert severities("H05", *lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([f"{A} check inter 20s", f"{B} check inter 20s"], []),
        ([f"{A} check inter 21s", f"{B} check inter 21s"], [""]),
        ([f"{A} check inter 40s fastinter 5s", f"{B} check inter 40s fastinter 5s"], []),
        ([f"{A} check inter 5s fall 20", f"{B} check"], [""]),
        ([f"{A} check inter 5m"], []),
        (["option redispatch", f"{A} check inter 30s", f"{B} check inter 30s"], ["info"]),
        ([f"{A} check inter 30s observe layer4", f"{B} check inter 30s"], ["info"]),
    ],
)
def test_a_slow_detection(lines, expected):
    assert severities("H07", *lines) == expected


def test_a_detection_that_outlasts_the_clients():
    impatient = DEFAULTS.replace("client 30s", "client 2s")
    front = "frontend web\n  bind :80\n  default_backend app\n"
    (hit,) = found("H07", "haproxy", backend(f"{A} check", f"{B} check", defaults=impatient + front))
    assert hit.args["effect"].endswith("until then, for more than twice the client timeout of 2 s")
    again = backend("option redispatch", f"{A} check", f"{B} check", defaults=impatient + front)
    assert found("H07", "haproxy", again) == []


def test_the_longest_time_is_an_option():
    text = backend(f"{A} check inter 4s", f"{B} check inter 4s")
    assert len(found("H07", "haproxy", text, options={"H07": {"max_seconds": 10}})) == 1


@pytest.mark.parametrize(
    ("line", "connects", "asks"),
    [
        ("ssl verify none check", [], []),
        ("ssl verify none check port 9443", ["warning"], [""]),
        ("ssl verify none check addr 10.0.0.9", ["warning"], [""]),
        ("ssl verify none check port 8080", ["info"], ["info"]),
        ("ssl verify none check port 9443 check-ssl", [], []),
        ("send-proxy check port 80", [], [""]),
        ("send-proxy check port 8081", [], []),
        ("send-proxy check port 80 check-send-proxy", [], []),
    ],
)
def test_a_check_without_what_the_traffic_has(line, connects, asks):
    server = f"server a 10.0.0.1:80 {line}"
    assert severities("H11", server) == connects
    assert severities("H11", "option httpchk GET /", server) == asks
    assert severities("H11", "option tcp-check", "tcp-check expect string x", server) == asks


def test_what_becomes_of_a_check_without_tls():
    tls = "server a 10.0.0.1:443 ssl verify none check"
    effects = [
        found("H11", "haproxy", backend(*more, f"{tls} port {port}"))[0].args["effect"]
        for more, port in (([], 443), (["option httpchk"], 443), (["option httpchk"], 9443))
    ]
    assert "passes while TLS is broken" in effects[0]
    assert effects[1].endswith("marked down")
    assert effects[2] == f"{effects[1]}, or it passes while TLS is broken"


def inactive(*lines):
    return [(hit.args["why"], hit.args["effect"], hit.args["fix"]) for hit in found("H13", "haproxy", backend(*lines))]


def test_why_the_rules_of_a_check_are_not_used():
    rule = "http-check expect status 200"
    (forgotten,) = inactive(rule, f"{A} check")
    assert forgotten[0] == "`option httpchk` is not set"
    assert "bare TCP connect" in forgotten[1]
    (replaced,) = inactive("option httpchk GET /", rule, "option ssl-hello-chk", f"{A} check")
    assert replaced == (
        "the check that is made is `option ssl-hello-chk`",
        "a server that fails what the rules ask for stays up",
        "keep `option httpchk` alone, or `option ssl-hello-chk` without the `http-check` rules",
    )
    assert inactive("option ssl-hello-chk", "option httpchk GET /", rule, f"{A} check") == []
    (alone,) = inactive(f"{A} check", f"{B} observe layer4")
    assert alone[:2] == ("the server has no `check`", "the errors of the traffic change nothing")
