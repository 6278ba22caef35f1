from __future__ import annotations

import pytest
from checks.read import DEFAULTS, said

TCP = DEFAULTS.replace("mode http", "mode tcp")
REST = "backend app\n  server a 10.0.0.1:80\nbackend api\n  server a 10.0.0.2:80\n"


def lines(*rules, rest=REST):
    """Return the lines of the findings of a frontend; its rules begin at line 7."""
    text = TCP + "frontend web\n" + "".join(f"  {rule}\n" for rule in rules) + "  default_backend app\n" + rest
    return [line for line, _ in said("R09", "haproxy", text)]


@pytest.mark.parametrize(
    "rule",
    [
        "use_backend api if { path_beg /api }",
        "use_backend api unless { req.hdr(host) -i a }",
        "use_backend api if METH_GET",
        "use_backend api if { src 10.0.0.0/8 } { hdr(host) -m beg a }",
        "use_backend api if { src 10.0.0.0/8 } or { url_param(a) b }",
        "use_backend %[req.hdr(host),lower]",
        "tcp-request content reject if { path_beg /api }",
        "http-request deny",
        "redirect scheme https",
    ],
)
def test_no_request_to_read(rule):
    assert lines("bind :80", rule) == [8]


@pytest.mark.parametrize(
    "rule",
    [
        "use_backend api if { src 10.0.0.0/8 }",
        "use_backend api if { req.ssl_sni -i a }",
        "use_backend api if { ssl_fc_sni -i path }",
        "use_backend api if { pathological }",
        "tcp-request connection reject if { src 10.0.0.0/8 }",
    ],
)
def test_what_a_connection_has(rule):
    assert lines("bind :80", rule) == []


def test_named_acls():
    assert lines("acl api path_beg /api", "use_backend api if api") == [8]
    assert lines("acl api src 10.0.0.0/8", "acl api path /api", "use_backend api if api") == [9]
    assert lines("acl api src 10.0.0.0/8", "use_backend api if api") == []


def test_somebody_waits_for_the_request():
    rule = "use_backend api if { path_beg /api }"
    assert lines("tcp-request inspect-delay 5s", "tcp-request content accept if HTTP", rule) == []
    assert lines("bind :80 defer-accept", rule) == []
    assert lines("tcp-request content switch-mode http", rule) == []
    assert lines("tcp-request inspect-delay 5s", rule) == [8]


def test_http_rules_run_where_the_connection_is_upgraded():
    http = REST.replace("backend api\n", "backend api\n  mode http\n")
    assert lines("http-request deny", "use_backend api if { src 10.0.0.1 }", rest=http) == []
    assert lines("http-request deny", "use_backend api if { src 10.0.0.1 }") == [7]
    assert lines("tcp-request content switch-mode http if HTTP", "http-request deny") == []
    assert lines(rest=REST + "  http-request deny\n") == [12]


def test_a_piece_of_a_config_may_have_its_mode_elsewhere():
    assert said("R09", "haproxy", "frontend web\n  use_backend api if { path /a }\n") == []


def test_one_finding_a_section():
    rule = "use_backend api if { path_beg /api }"
    assert lines(rule, rule, rule) == [7]
