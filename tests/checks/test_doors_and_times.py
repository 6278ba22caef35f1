"""Listeners, ways to steer the proxy, versions, and times without units."""

from __future__ import annotations

import pytest
from checks.build import config, frontend, hits, listener, written
from checks.read import DEFAULTS, backend, found, said

from lbcheck.checks.listeners import listener_duplicate_bind
from lbcheck.text import Source


def binds(*frontends):
    text = DEFAULTS
    for number, lines in enumerate(frontends):
        text += f"frontend f{number}\n" + "".join(f"  bind {line}\n" for line in lines)
    return [(hit.frontend, hit.args["other"]) for hit in found("R08", "haproxy", text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([":80"], ["*:80"]),
        (["10.0.0.1:80"], ["10.0.0.1:80"]),
        (["0.0.0.0:80"], [":80 ssl crt x"]),
        (["[::]:80"], [":::80"]),
        ([":8000-8010"], [":8005"]),
        ([":80"], [":81,:80"]),
        (["/run/a.sock"], ["/run/a.sock"]),
        ([":80 interface eth0"], [":80 interface eth0"]),
    ],
)
def test_two_frontends_on_one_address(one, other):
    assert binds(one, other) == [("f1", "f0")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([":80"], [":81"]),
        ([":80"], ["10.0.0.1:80"]),
        ([":80", ":80 thread 2"], [":81"]),
        ([":80"], ["[::]:80"]),
        (["[::]:80 v4v6"], ["[::]:80 v6only"]),
        ([":80 interface eth0"], [":80 interface eth1"]),
        ([":443"], ["quic4@:443"]),
        (["${A}:80"], ["${A}:80"]),
        (["fd@3"], ["fd@3"]),
        (["/run/a.sock"], ["/run/A.sock"]),
        (["abns@a"], ["abns@a"]),
    ],
)
def test_addresses_that_do_not_meet(one, other):
    assert binds(one, other) == []


def test_of_alternatives_only_one_listens():
    arms = [frontend(name, [], [listener("*:80")], branch=((1, arm),)) for arm, name in enumerate("ab")]
    assert hits(listener_duplicate_bind, config(*arms)) == []
    arms.append(frontend("c", [], [listener("*:80")]))
    assert [hit.frontend for hit in hits(listener_duplicate_bind, config(*arms))] == ["c"]


def test_virtual_hosts_share_an_address():
    def names(*hosts):
        return frontend(" ".join(hosts) or "any", [], [listener("*:80")], hosts=hosts)

    assert hits(listener_duplicate_bind, config(names("a"), names("b"), names(), dialect="native")) == []
    assert len(hits(listener_duplicate_bind, config(names("a"), names("a", "b"), dialect="native"))) == 1


def test_nginx_joins_servers_but_not_http_and_stream():
    def block(scope, **options):
        on = listener("*:80", options={name: written(True) for name in options})
        return frontend(scope, [], [on], scope=scope)

    assert hits(listener_duplicate_bind, config(block("http"), block("http"), dialect="nginx")) == []
    (hit,) = hits(listener_duplicate_bind, config(block("http"), block("stream"), dialect="nginx"))
    assert hit.args["effect"].endswith("nginx does not start")
    both = (block("http", reuseport=1), block("stream", reuseport=1))
    (hit,) = hits(listener_duplicate_bind, config(*both, dialect="nginx"))
    assert "deals the connections out" in hit.args["effect"]


def test_an_open_config_may_be_of_alternatives():
    made = config(frontend("a", [], [listener("*:80")]), frontend("b", [], [listener("*:80")]))
    made.open = "fragments"
    assert hits(listener_duplicate_bind, made) == []


def test_thousands_of_listeners_are_no_trouble():
    many = [
        frontend(f"f{n}", [], [listener(f"10.{n >> 8}.{n & 255}.1:80"), listener(f"*:{n + 1}")]) for n in range(5000)
    ]
    assert hits(listener_duplicate_bind, config(*many)) == []
    same = [frontend(f"f{n}", [], [listener("*:80")]) for n in range(2000)]
    assert len(hits(listener_duplicate_bind, config(*same))) == 1999


@pytest.mark.parametrize(
    ("bind", "lines", "expected"),
    [
        (":9000", ["stats enable"], [""]),
        (":9000", ["stats enable", "stats admin if TRUE"], ["error"]),
        (":9000", ["stats enable", "stats admin if TRUE", "stats auth a:b"], []),
        (":9000", ["stats enable", "stats admin unless FALSE"], ["error"]),
        (":9000", ["stats enable", "stats admin if LOCALHOST || TRUE"], ["error"]),
        (":9000", ["stats enable", "stats admin if LOCALHOST"], [""]),
        (":9000", ["acl inside src 10.0.0.0/8", "stats enable", "stats admin if inside"], [""]),
        (":9000", ["stats enable", "stats admin if FALSE"], [""]),
        ("127.0.0.1:9000", ["stats enable", "stats admin if TRUE"], []),
        ("/run/stats.sock", ["stats enable"], []),
        (":9000", ["stats enable", "http-request deny unless { src 10.0.0.0/8 }"], []),
        ("${STATS}", ["stats enable"], []),
        (":9000", [], []),
    ],
)
def test_the_statistics_page(bind, lines, expected):
    text = DEFAULTS + f"listen stats\n  bind {bind}\n" + "".join(f"  {line}\n" for line in lines)
    assert [{"warning": ""}.get(severity, severity) for _, severity in said("O01", "haproxy", text)] == expected


def test_a_page_on_many_addresses_is_one_finding():
    text = DEFAULTS + "listen stats\n  bind :9000\n  bind 10.0.0.1:9001\n  stats enable\n"
    (hit,) = found("O01", "haproxy", text)
    assert hit.args["where"] == " on :9000 and 10.0.0.1:9001"


@pytest.mark.parametrize(
    ("socket", "expected"),
    [
        ("ipv4@*:9999 level admin", ["error"]),
        ("ipv4@*:9999", ["warning"]),
        ("ipv4@127.0.0.1:9999 level admin", []),
        ("/run/haproxy.sock mode 600 level admin", []),
    ],
)
def test_the_command_socket(socket, expected):
    text = f"global\n  stats socket {socket}\n" + DEFAULTS
    assert [severity for _, severity in said("O01", "haproxy", text)] == expected


def site(*lines):
    inside = "".join(f"{line}\n" for line in lines)
    return "events {}\nhttp {\nupstream app { server 10.0.0.1:80; }\nserver {\nlisten 80;\n" + inside + "}\n}\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["location /s { stub_status; }"], ["warning"]),
        (["location /s { stub_status; allow 10.0.0.0/8; deny all; }"], []),
        (["allow 127.0.0.1;", "deny all;", "location /s { stub_status; }"], []),
        (["location /api { api write=on; }"], ["error"]),
        (["location /api { api write=on; auth_basic x; auth_basic_user_file y; }"], []),
    ],
)
def test_doors_of_nginx(lines, expected):
    assert [severity for _, severity in said("O01", "nginx", site(*lines))] == expected


NEW = backend("balance uri", "server a 10.0.0.1:80 hash-key addr init-state up", "server b 10.0.0.2:80 hash-key addr")


def test_versions():
    (hit,) = found("O05", "haproxy", NEW)
    assert (hit.severity, hit.args["feature"], len(hit.related)) == ("info", "init-state", 1)
    both = found("O05", "haproxy", NEW, targets={"haproxy": (2, 8)})
    assert [(hit.args["feature"], hit.severity) for hit in both] == [("hash-key", "error"), ("init-state", "error")]
    one = found("O05", "haproxy", NEW, targets={"haproxy": (3, 0, 5)})
    assert [hit.args["feature"] for hit in one] == ["init-state"]
    assert found("O05", "haproxy", NEW, targets={"haproxy": (3, 1)}) == []
    assert len(found("O05", "haproxy", NEW, targets={"nginx": (1, 26)})) == 1


def test_commercial_features_have_no_open_version():
    text = site("location / { proxy_pass http://app; health_check; }")
    assert found("O05", "nginx", text)[0].args["verdict"] == "open-source nginx refuses it"
    assert found("O05", "nginx", text, targets={"nginx": (1, 31)})[0].severity == "error"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("timeout connect 5", "5s"),
        ("timeout connect 99", "99s"),
        ("timeout connect 100", None),
        ("timeout connect 5ms", None),
        ("timeout connect 0", None),
        ("timeout server 86400000", "1d"),
        ("timeout server 90000000", "90000s"),
        ("timeout tunnel 3600000", None),
        ("server a 10.0.0.1:80 check inter 10", "10s"),
        ("server a 10.0.0.1:80 check inter 2000 fall 3 rise 2", None),
        ("default-server slowstart 60", "60s"),
    ],
)
def test_bare_milliseconds(line, expected):
    assert [hit.args["meant"] for hit in found("T12", "haproxy", backend(line))] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("proxy_read_timeout 60000;", ("60s", "warning")),
        ("proxy_read_timeout 86400;", ("24h", "info")),
        ("proxy_read_timeout 86400s;", None),
        ("proxy_read_timeout 3600;", None),
        ("proxy_read_timeout 5001;", ("5001s", "warning")),
        ("keepalive_timeout 65000;", ("65s", "warning")),
        ("keepalive_timeout 7200;", None),
        ("keepalive_timeout 31536000;", None),
        ("proxy_read_timeout 36000;", ("10h", "info")),
        ("proxy_read_timeout 2592000;", ("720h", "info")),
        ("proxy_read_timeout 180000;", ("180s", "warning")),
        ("proxy_read_timeout 86400000;", ("86400s", "warning")),
        ("ssl_session_timeout 86000;", None),
    ],
)
def test_bare_seconds(line, expected):
    assert [(hit.args["meant"], hit.severity) for hit in found("T12", "nginx", site(line))] == (
        [expected] if expected else []
    )


def test_the_fix_puts_the_unit_to_the_number():
    text = site().replace("server 10.0.0.1:80;", "server 10.0.0.1:80 fail_timeout=10000;")
    (hit,) = found("T12", "nginx", text)
    (edit,) = hit.fix.edits
    source = Source("x", text)
    mended = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert "server 10.0.0.1:80 fail_timeout=10s;" in mended
    assert source.position(edit.span.start)[0] == 3


def lacking(text):
    (hit,) = found("T01", "haproxy", text)
    return hit.severity, hit.args["lacking"], hit.args["lines"]


BACK = "backend app\n  server a 10.0.0.1:80\nbackend spare\n  timeout connect 1s\n  server b 10.0.0.2:80\n"


def test_missing_timeouts_are_said_of_the_proxies_that_lack_them():
    said_of = "no `timeout connect` and `timeout server` for backend app, no `timeout server` for backend spare"
    advice = "`timeout connect 5s` and `timeout server 50s`"
    assert lacking("defaults\n  timeout client 30s\n" + BACK) == (None, said_of, advice)


def test_proxies_without_defaults_are_one_finding():
    fronts = "global\n  maxconn 9\nfrontend a\n  bind :80\nfrontend b\n  bind :81\n"
    said_of = "no `timeout client` for frontend a and frontend b"
    assert lacking(fronts) == (None, said_of, "`timeout client 50s`")
    assert lacking(fronts + BACK)[0] == "error"
    assert found("T01", "haproxy", fronts.removeprefix("global\n  maxconn 9\n")) == []  # another file has the defaults
