"""Which requests are made up for a pool, and which stubs stand for its servers."""

from __future__ import annotations

import pytest
from checks.read import config

from lbcheck.rehearsal.judging.verdict import Counted, Served, counted, judge
from lbcheck.rehearsal.planning.plan import plan
from lbcheck.rehearsal.play.load import asks

PASSED_ON = """\
defaults
    mode tcp
frontend names
    bind :8443
    use_backend one if { req_ssl_sni -i one.test }
    default_backend other
frontend plain
    bind :9000
    default_backend third
backend one
    server s1 10.0.0.1:443
backend other
    server s1 10.0.0.2:443
backend third
    server s1 10.0.0.3:80
"""
MAPPED = """\
events {}
http {
    map $cookie_beta $pool { default stable; 1 beta; }
    upstream stable { server 10.0.0.1; server 10.0.0.2; }
    upstream beta { server 10.0.0.3; }
    upstream keyed { ip_hash; server 10.0.0.4; server 10.0.0.5; }
    map $host $other { default keyed; a stable; }
    split_clients $remote_addr $drawn { 10% beta; * stable; }
    server { listen 80; location / { proxy_pass http://$pool; } }
    server { listen 81; location / { proxy_pass http://$other; } }
    server { listen 82; location / { proxy_pass http://$drawn; } }
}
"""


def test_who_is_asked_for_by_name_in_tls_speaks_tls():
    made = plan(config("haproxy", PASSED_ON))
    assert [stub.tls for stub in made.stubs] == [True, True, False]
    assert list(dict.fromkeys((load.name, load.tls, load.sni) for load in made.loads)) == [
        ("one", True, "one.test"),
        ("other", True, ""),
        ("third", False, ""),
    ]


def test_a_condition_on_the_client_is_kept():
    rule = "frontend web\n    bind :80\n    mode http\n    use_backend app if { src 10.0.0.0/8 }\n"
    made = plan(config("haproxy", rule + "backend app\n    balance source\n    server s1 192.0.2.1:80\n"))
    (load,) = made.loads
    assert {ask.source for ask in asks(load)} == {"10.255.255.254"}


def test_a_route_to_several_pools_is_tried_with_requests_that_do_not_vary():
    made = plan(config("nginx", MAPPED))
    loads = {target.pool.name: [made.loads[number] for number in target.loads] for target in made.targets}
    assert all(load.shared and not load.vary for load in (*loads["stable"], *loads["beta"]))
    assert {load.port for load in loads["stable"]} == {80, 81}  # where shares are drawn, nobody knows who is meant
    assert {load.port for load in loads["beta"]} == {80}
    assert loads["keyed"] == []  # a key that varies may lead elsewhere


ENTRIES = """\
events {{}}
http {{
    map {source} $pool {{ hostnames; default one; {key} two; }}
    upstream one {{ server 10.0.0.1; }}
    upstream two {{ server 10.0.0.2; }}
    server {{ listen 80; location /x {{ proxy_pass http://$pool; }} }}
}}
"""


@pytest.mark.parametrize(
    ("source", "key", "path", "header"),
    [
        ("$host", "a.test", "/x", ("Host", "a.test")),
        ("${http_host}", ".a.test", "/x", ("Host", "a.test")),
        ("$host", "*.a.test", "/x", ("Host", "www.a.test")),
        ("$host", "~^v[0-9]\\.a$", "/x", ("Host", "v0.a")),
        ("$cookie_beta", "1", "/x", ("Cookie", "beta=1")),
        ("$http_x_pool", "2", "/x", ("x-pool", "2")),
        ("$arg_p", "2", "/x?p=2", ("Host", "rehearsal.test")),
    ],
)
def test_what_a_map_wants_is_asked_for(source, key, path, header):
    made = plan(config("nginx", ENTRIES.format(source=source, key=key)))
    (load,) = [made.loads[number] for number in made.targets[1].loads][1:]
    assert (load.path, header in load.headers) == (path, True)


def test_what_nobody_can_ask_of_a_map():
    made = plan(config("nginx", ENTRIES.format(source="$ssl_cipher", key="x")))
    assert len(made.targets[1].loads) == 1


@pytest.mark.parametrize(("stubs", "passed"), [([0, 1] * 120, True), ([0, 1, 2] * 80, None)])
def test_a_route_that_leads_elsewhere_says_nothing(stubs, passed):
    made = plan(config("nginx", MAPPED))
    (target,) = [one for one in made.targets if one.pool.name == "stable"]
    event = {"event": "load", "number": target.loads[0], "reached": True, "down": [], "unsettled": False}
    event |= {"stubs": stubs, "statuses": [200] * 240}
    assert judge(target, "nginx", counted(target, "nginx", made.loads, [event]), 1.0).passed is passed


def test_a_key_that_cannot_vary_is_not_left_to_chance():
    text = "frontend web\n    mode http\n    bind :80\n    default_backend app\nbackend app\n    mode http\n"
    servers = "    balance hash req.hdr(host)\n    server s1 10.0.0.1:80\n    server s2 10.0.0.2:80\n"
    made = plan(config("haproxy", text + servers))
    seen = Counted(made.loads[0], Served(range(500), [1] * 500, total=500), [], Served())
    found = judge(made.targets[0], "haproxy", seen, 1.0)
    assert (found.passed, found.reason) == (None, "its key is not one that lbcheck can vary")


def test_a_socket_that_is_no_file_spoils_its_own_pool_only():
    text = """\
frontend web
    bind :80
    default_backend inner
frontend inner
    bind abns@bar
    bind unix@/run/inner.sock
    default_backend app
backend inner
    server s1 abns@bar send-proxy-v2
backend app
    server s1 10.0.0.1:80
"""
    made = plan(config("haproxy", text))
    assert [stub.address for stub in made.stubs] == ["10.0.0.1:80"]
    assert {(load.name, load.socket) for load in made.loads} == {("app", "/run/inner.sock")}
    assert made.ready == {("127.0.0.1", 80), ("/run/inner.sock", 0)}
    assert "not all of its servers have an address" in made.targets[0].reason
