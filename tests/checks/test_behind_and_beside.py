"""What is in front of the balancer and beside its servers: S05, F10, H09 and H10 beyond their pages."""

from __future__ import annotations

import pytest
from checks.read import DEFAULTS, found, said, severities

A, B = "server a 10.0.0.1:80 check", "server b 10.0.0.2:80 check"


def haproxy(front="", back="", balance="source"):
    return (
        f"{DEFAULTS}frontend web\n  bind :8080\n{front}  default_backend app\n"
        f"backend app\n  balance {balance}\n{back}  {A}\n  {B}\n"
    )


@pytest.mark.parametrize(
    ("front", "count"),
    [
        ("", 0),
        ("  http-request redirect scheme https if { hdr(x-forwarded-proto) http }\n", 1),
        ("  acl near req.hdr_ip(X-Forwarded-For) 10.1.0.0/16\n  http-request deny if near\n", 1),
        ("  http-request track-sc0 hdr_ip(x-forwarded-for)\n", 1),
        ("  acl has hdr(x-forwarded-for) -m found\n", 0),
        ("  http-request set-header X-Was %[hdr(x-forwarded-for)]\n", 0),
        ("  capture request header X-Forwarded-For len 20\n", 0),
        ("  option forwardfor\n", 0),
        ("  bind :81 accept-proxy\n  acl near hdr_ip(x-forwarded-for) 10.1.0.0/16\n", 0),
        ("  acl near hdr_ip(x-forwarded-for) 10.1.0.0/16\n  http-request set-src hdr(x-forwarded-for)\n", 0),
    ],
)
def test_who_says_that_a_proxy_is_in_front_of_haproxy(front, count):
    assert len(said("S05", "haproxy", haproxy(front))) == count


def test_only_the_hash_of_the_address_matters():
    front = "  acl near hdr_ip(x-forwarded-for) 10.1.0.0/16\n"
    assert len(said("S05", "haproxy", haproxy(front, balance="hash src"))) == 1
    assert said("S05", "haproxy", haproxy(front, balance="hash hdr(cookie)")) == []
    assert said("S05", "haproxy", haproxy(front, balance="leastconn")) == []


def nginx(listen, server="", key="hash $remote_addr", http=""):
    return (
        f"events {{}}\nhttp {{\n{http}\nupstream app {{ {key}; server 10.0.0.1:80; server 10.0.0.2:80; }}\n"
        f"server {{ {listen} {server} location / {{ proxy_pass http://app; }} }}\n}}\n"
    )


PLAIN, WRAPPED = "listen 8080;", "listen 8080 proxy_protocol;"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (nginx(WRAPPED), 1),
        (nginx(WRAPPED, key="ip_hash"), 1),
        (nginx(PLAIN), 0),
        (nginx(PLAIN + WRAPPED.replace("8080", "8081")), 0),
        (nginx(WRAPPED, http="set_real_ip_from 10.0.0.0/8;"), 0),
        (nginx(WRAPPED, key="hash $remote_addr$request_uri"), 0),
        (nginx(WRAPPED, key="hash $http_x_forwarded_for"), 0),
        (nginx(PLAIN, http="log_format x '$http_x_forwarded_for';"), 0),
        (nginx(PLAIN, server="if ($http_x_forwarded_proto = http) { return 301 https://a; }"), 1),
        (nginx(PLAIN, server="if ($http_user_agent = x) { return 403; }"), 0),
    ],
)
def test_who_says_that_a_proxy_is_in_front_of_nginx(text, count):
    assert len(said("S05", "nginx", text)) == count


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        (["10.0.0.9:1", "10.0.0.9:2"], ["info"]),
        (["10.0.0.9:1", "10.0.0.9:2 backup"], [""]),
        (["10.0.0.9:1", "10.0.0.8:2 backup"], []),
        (["10.0.0.9:1", "10.0.0.9:2", "10.0.0.8:2"], []),
        (["10.0.0.9:1", "10.0.0.9:2", "10.0.0.8:2 disabled"], ["info"]),
        (["10.0.0.9:1"], []),
        (["127.0.0.1:1", "127.0.0.1:2"], []),
        (["172.17.0.1:1", "172.17.0.1:2"], []),
        (["unix@/run/a", "unix@/run/b"], []),
        (["app.example:1", "app.example:2"], []),
        (["10.0.0.9:1", "${PEER}:2"], []),
    ],
)
def test_what_is_one_machine(servers, expected):
    assert severities("F10", *[f"server s{at} {one}" for at, one in enumerate(servers)]) == expected


def test_the_proxys_own_machine_may_hold_everything():
    own = "frontend web\n  bind 10.0.0.9:80\n  default_backend app\n"
    assert severities("F10", "server a 10.0.0.9:1", "server b 10.0.0.9:2", before=DEFAULTS + own, defaults="") == []


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (["option httpchk GET / HTTP/1.1"], 1),
        (["option httpchk GET / HTTP/1.0"], 0),
        (["option httpchk GET /"], 0),
        ([r"option httpchk GET / HTTP/1.1\r\nHost:\ a.example"], 0),
        (["option httpchk GET / HTTP/1.1", "http-check send hdr Host a.example"], 0),
        (["option httpchk GET / HTTP/1.1", "http-check expect status 200"], 1),
        (["option httpchk GET / HTTP/1.1", "http-check expect status 200-499"], 0),
        (["option httpchk GET / HTTP/1.1", "http-check expect ! rstatus ^5"], 0),
        (["option httpchk GET / HTTP/1.1", "default-server check-proto h2"], 0),
        (["option httpchk GET / HTTP/1.1", "http-check connect proto h2"], 0),
    ],
)
def test_whose_checks_lack_a_host(lines, count):
    assert len(severities("H10", *lines, A, B)) == count


def tiers(rule, *check, address="127.0.0.1:8081"):
    return (
        f"{DEFAULTS}frontend web\n  bind :8080\n  default_backend tier\n"
        f"frontend inner\n  bind 127.0.0.1:8081\n  {rule}\n  default_backend app\n"
        f"backend tier\n  option httpchk GET /health?x=1\n{''.join(f'  {line}{chr(10)}' for line in check)}"
        f"  server inner {address} check\nbackend app\n  {A}\n  {B}\n"
    )


STRICT = "http-check expect status 200"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (tiers("http-request redirect scheme https"), ["info"]),
        (tiers("http-request redirect scheme https", STRICT), [""]),
        (tiers("http-request redirect scheme https", "http-check expect rstatus ^[23]"), ["info"]),
        (tiers("http-request return status 204", STRICT), [""]),
        (tiers("http-request return status 200", STRICT), []),
        (tiers("http-request return status 503 if { path /health }"), [""]),
        (tiers("http-request return status 503 if { path /other }"), []),
        (tiers("http-request return status 503 if { src 10.0.0.0/8 }"), []),
        (tiers("http-request redirect scheme https", STRICT, address="10.0.0.7:8081"), []),
        (tiers("http-request redirect scheme https", STRICT, "default-server port 9000"), []),
        (tiers("http-request redirect scheme https code $CODE", STRICT), []),
    ],
)
def test_what_a_listener_of_the_config_answers(text, expected):
    assert [hit.severity or "" for hit in found("H09", "haproxy", text)] == expected
