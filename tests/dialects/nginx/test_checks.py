"""What nginx's own checks say, and above all where they keep silent."""

from __future__ import annotations

import time

import pytest

from lbcheck.catalog import render, rules
from lbcheck.context import Context
from lbcheck.dialects.nginx import read
from lbcheck.dialects.nginx.checks import CHECKS
from lbcheck.files import DiskFiles

TWO = "server 10.0.0.1:80; server 10.0.0.2:80;"
LOCATION = "location / { proxy_pass http://app; }"


def hits(text, target=None):
    files = DiskFiles(roots=["."], memory={"nginx.conf": text})
    files.known = ["nginx.conf"]
    context = Context(targets={"nginx": target} if target else None)
    return [
        hit for config in read(["nginx.conf"], files) for check in CHECKS.values() for hit in check(config, context)
    ]


def codes(text, target=None):
    return sorted((hit.code, hit.severity) for hit in hits(text, target))


def config(upstream="", location="proxy_pass http://app;", *, top="", http="", server=""):
    pool = f"upstream app {{ {upstream} }}" if upstream else ""
    return f"{top} events {{}} http {{ {http} {pool} server {{ listen 8080; {server} location / {{ {location} }} }} }}"


#: Errors take a server out.
HEARD = "proxy_next_upstream error timeout http_500;"
PATIENT = "server 10.0.0.1:80 max_fails=3; server 10.0.0.2:80 max_fails=3;"
MANY = "worker_processes 8;"

SILENT = {
    "one worker": config(f"least_conn; {PATIENT}", http=HEARD),
    "round robin without zone": config("server 10.0.0.1:80 weight=5; server 10.0.0.2:80;", top=MANY),
    "a fragment does not know its workers": "upstream app { least_conn; server 10.0.0.1:80; server 10.0.0.2:80; }",
    "zone": config(f"zone app 64k; random two; {TWO}", top=MANY),
    "max_conns=0 is no limit": config("server 10.0.0.1:80 max_conns=0; server 10.0.0.2:80;", top=MANY),
    "localhost as an upstream's name": "events {} http { upstream localhost { server 10.0.0.1:80; }"
    " server { location / { proxy_pass http://localhost; } } }",
    "random two with equal weights": config(f"random two; {TWO}"),
    "random two by time": config("random two least_time=header; server 10.0.0.1:80 weight=2; server 10.0.0.2:80;"),
    "loopback may retry at once": config("server 127.0.0.1:81 fail_timeout=0; server 127.0.0.1:82 fail_timeout=0;"),
    "sockets may retry at once": config("server unix:/a fail_timeout=0; server unix:/b fail_timeout=0;"),
    "a lone server": config(
        "server 10.0.0.1:80 max_fails=0 fail_timeout=1h;", "proxy_next_upstream off; proxy_pass http://app;"
    ),
    "max_fails=0 makes the time meaningless": config(
        "server unix:/a max_fails=0 fail_timeout=1h; server unix:/b max_fails=0 fail_timeout=1h;"
    ),
    "three strikes": config(
        "server 10.0.0.1:80 max_fails=3; server 10.0.0.2:80;",
        "proxy_next_upstream error http_500; proxy_pass http://app;",
    ),
    "a backup stands by": config(
        f"{TWO} server 10.0.0.3:80 backup;", "proxy_next_upstream error http_500; proxy_pass http://app;"
    ),
    "a patient read timeout": config(TWO, "proxy_read_timeout 30s; proxy_pass http://app;"),
    "timeouts go nowhere": config(
        TWO, "proxy_read_timeout 2s; proxy_next_upstream error non_idempotent; proxy_pass http://app;"
    ),
    "keepalive of fastcgi": config(f"{TWO} keepalive 8;", "fastcgi_pass app;"),
    "keepalive over HTTP/2": config(f"{TWO} keepalive 8;", "proxy_http_version 2; proxy_pass http://app;"),
    "keepalive over HTTP/1.0": config(
        f"{TWO} keepalive 8;", "proxy_set_header Connection Keep-Alive; proxy_pass http://app;"
    ),
    "upgrade map": config(
        f"{TWO} keepalive 8;",
        "proxy_http_version 1.1; proxy_set_header Connection $connection_upgrade; proxy_pass http://app;",
        http='map $http_upgrade $connection_upgrade { default upgrade; "" ""; }',
    ),
    "container name with port": config("", "proxy_pass http://my_app:8080;"),
    "short host": config("", "proxy_pass http://backend;"),
    "numbers are no slips": config(TWO, "proxy_pass http://app1;", http=f"upstream app2 {{ {TWO} }}"),
    "missing include": config("", "proxy_pass http://my_app;", http="include /etc/nginx/upstreams/*.conf;"),
    "socket with variable": config("", "proxy_pass http://unix:/run/$host.sock:/;"),
    "address with variable port": config("", "proxy_pass http://127.0.0.1:$server_port;"),
    "upstream by set": config(TWO, "set $b app; proxy_pass http://$b;"),
    "upstream by set in if": config(
        TWO, "set $b app; if ($http_x) { set $b other; } proxy_pass http://$b;", http=f"upstream other {{ {TWO} }}"
    ),
    "a script sets it": config("", "set $b x.example.com; access_by_lua_block { ngx.var.b = 1 } proxy_pass http://$b;"),
    "nothing is known": config("", "proxy_pass http://$unknown;"),
    "an argument may be an address": config("", "proxy_pass http://$arg_to;"),
    "no scheme in sight": config("", "proxy_pass http:/$uri;"),
    "pool named by the host": config("", "proxy_pass http://$host;", http=f"upstream a.example.com {{ {TWO} }}"),
    "nginx knows the host from another pass": config(
        "",
        "set $b a.invalid; proxy_pass http://$b:80;",
        server="location /x { proxy_pass http://a.invalid:80; }",
    ),
    "resolver": config("", "resolver 10.0.0.53; set $b a.example.com; proxy_pass http://$b;"),
    "resolver for all": config("", "proxy_pass http://$host;", http="resolver 10.0.0.53;"),
    "a split that only logs": config(TWO, http="split_clients $request_id $log { 1% 1; } map $log $x { 1 a; }"),
    "a split that sums up": config(
        TWO, "proxy_pass http://$v;", http=f"upstream b {{ {TWO} }} split_clients $remote_addr $v {{ 50% app; 50% b; }}"
    ),
    "thirds": config(
        TWO, "proxy_pass http://$v;", http="split_clients $remote_addr $v { 33.33% app; 33.33% app; 33.34% app; }"
    ),
    "only the path": config(TWO, "proxy_pass http://app/$v/;", http="split_clients $remote_addr $v { 10% a; }"),
    "map over the scheme": config(TWO, "proxy_pass http://$v;", http="map $scheme $v { http app; https app; }"),
    "an if catches the rest": config(
        TWO, 'if ($v = "") { return 404; } proxy_pass http://$v;', http="map $http_x $v { a app; }"
    ),
    "all server names are listed": config(
        TWO, "proxy_pass http://$v;", http="map $host $v { a.test app; }", server="server_name a.test;"
    ),
    "part of a host": config(
        TWO, "proxy_pass http://$v;", http='map $http_x $p { default a; } map $p $v { ~. "${p}pp"; default app; }'
    ),
    "template": config("", "proxy_pass http://{{ backend }};"),
    "elb with resolve": config("zone app 64k; resolver 10.0.0.53; server x.elb.amazonaws.com resolve;"),
    "other FQDN": config("", "proxy_pass http://api.example.com;"),
}  # fmt: skip


@pytest.mark.parametrize("name", SILENT)
def test_silent(name):
    assert codes(SILENT[name]) == []


LOUD = {
    "sticky without zone": (config(f"sticky cookie a; {TWO}", top=MANY), [("D10", "warning")]),
    "limits speak instead of methods": (
        config(f"least_conn; {PATIENT.replace(';', ' max_conns=5;', 1)}", top=MANY, http=HEARD),
        [("C05", None)],
    ),
    "some servers blind": (config("server 10.0.0.1:80; server 10.0.0.2:80 max_fails=0;"), [("H14", "warning")]),
    "all blind, but fast": (
        config(
            "server 10.0.0.1:80 max_fails=0; server 10.0.0.2:80 max_fails=0;",
            "proxy_connect_timeout 1s; proxy_pass http://app;",
        ),
        [("H14", "info")],
    ),
    "payments": (
        config(TWO, server="location /payments { proxy_next_upstream off; proxy_pass http://app; }"),
        [("F12", "info")],
    ),
    "answers only": (config(TWO, http="proxy_next_upstream http_404;"), [("F12", "warning")]),
    "a dead server and answers": (config(TWO, http="proxy_next_upstream error http_404;"), []),
    "hanging servers and answers": (config(TWO, http="proxy_next_upstream timeout http_404;"), []),
    "no word of nginx": (config(TWO, http="proxy_next_upstream {{ words }};"), []),
    "one try for all": (config(TWO, http="proxy_next_upstream_tries 1;"), [("F12", "warning")]),
    "other context": (
        config("", "proxy_pass http://db;")
        + f" stream {{ upstream db {{ {TWO} }} server {{ listen 81; proxy_pass db; }} }}",
        [("P03", "warning")],
    ),
    "value with a dot": (
        config(TWO, "proxy_pass http://$v;", http="map $http_x $v { default app; a x.example.com; }"),
        [("N02", None)],
    ),
    "any host": (config("", "proxy_pass http://$host;"), [("N02", None)]),
    "part of a name": (config("", "proxy_pass http://$1.example.com;"), [("N02", None)]),
    "near an upstream, with resolver": (
        config(
            "", "proxy_pass http://$v;",
            http=f"resolver 10.0.0.53; upstream orders {{ {TWO} }} map $http_x $v {{ default orders; a order; }}",
        ),
        [("R05", "warning")],
    ),
    "set passes a map on": (
        config(TWO, "set $b $v; proxy_pass http://$b;", http="map $http_x $v { default app; a nope; }"),
        [("R05", "error")],
    ),
    "cluster name": (config("", "proxy_pass http://web.prod.svc.cluster.local;"), [("N01", "info")]),
}  # fmt: skip


@pytest.mark.parametrize("name", LOUD)
def test_loud(name):
    text, wanted = LOUD[name]
    assert codes(text) == wanted


@pytest.mark.parametrize(("block", "effect"), [("http", "answers 502"), ("stream", "closes the client's connection")])
def test_what_a_missing_resolver_does(block, effect):
    inside = "location / { proxy_pass http://a.test:$x; }" if block == "http" else "proxy_pass a.test:$remote_port;"
    inside = f"set $x 81; {inside}" if block == "http" else inside
    (message,) = said("N02", f"events {{}} {block} {{ server {{ listen 8080; {inside} }} }}")
    assert message.endswith(effect)


def said(code, text):
    return [render(rules()[code].message, hit.args) for hit in hits(text) if hit.code == code]


def test_pools_that_lack_the_same_in_one_place_are_one_finding():
    pools = "".join(f"upstream p{number} {{ server 10.0.0.{number}; keepalive 8; }}" for number in range(5))
    header = 'proxy_http_version 1.1; proxy_set_header Connection "";'
    places = "".join(f"location /{number} {{ proxy_pass http://p{number}; }}" for number in range(3))
    own = "location /3 { proxy_set_header X y; proxy_pass http://p3; }"
    part = f"location /4 {{ proxy_pass http://p4; }} location /5 {{ {header} proxy_pass http://p4; }}"
    first, alone, half = said("C07", f"events {{}} http {{ {pools} server {{ {places} {own} {part} }} }}")
    both = '`proxy_http_version 1.1;` and `proxy_set_header Connection "";`'
    end = "so before nginx 1.29.7 each request"
    assert first == (
        f"`keepalive` of the pools p0, p1 and p2 keeps no connection open: all 3 proxy_pass to them lack {both}, "
        f"{end} opens one"
    )
    assert alone == f"`keepalive 8` of pool p3 keeps no connection open: its proxy_pass lacks {both}, {end} opens one"
    assert half == (
        f"`keepalive 8` of pool p4 keeps no connection open behind 1 of its 2 proxy_pass: it lacks {both}, "
        f"{end} there opens one"
    )


def test_localhost_is_said_once_a_pool_and_once_an_address():
    text = config(
        "server localhost:81; server localhost:82;",
        "proxy_pass http://localhost:83;",
        server="location /a { proxy_pass http://localhost:83/x; } location /b { proxy_pass http://localhost; }",
    )
    found = [hit for hit in hits(text) if hit.code == "D12"]
    assert [(hit.args["address"], len(hit.related), len(hit.fix.edits)) for hit in found] == [
        ("localhost:81 and localhost:82", 1, 2), ("localhost:83", 1, 2), ("localhost", 0, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("listen", "wanted"),
    [
        ("listen 127.0.0.1:83; listen [::1]:83;", []),
        ("listen 83; listen [::]:83;", []),
        ("listen localhost:83;", []),
        ("listen 83;", ["D12"]),
        ("listen 84; listen [::]:84;", ["D12"]),
        ("listen 10.0.0.1:83; listen [::]:83;", ["D12"]),
    ],
)
def test_localhost_may_be_this_nginx_on_both_addresses(listen, wanted):
    text = config("", "proxy_pass http://localhost:83;", http=f"server {{ {listen} return 204; }}")
    assert [hit.code for hit in hits(text)] == wanted


def test_keepalive_rules_end_with_the_version_that_keeps_by_default():
    text = config(f"keepalive 8; least_conn; {PATIENT}", http=HEARD)
    assert codes(text) == [("C07", None), ("D17", "error")]
    assert codes(text, (1, 29, 6)) == [("C07", None), ("D17", "error")]
    assert codes(text, (1, 29, 7)) == []


@pytest.mark.parametrize(
    "text",
    [
        "proxy_pass;", "proxy_pass http://$;", "set $x; proxy_pass http://$x;", "set $x $x; proxy_pass http://$x;",
        "set $a $b; set $b $a; proxy_pass http://$a;", "proxy_next_upstream; proxy_read_timeout; proxy_pass http://app;",
        "proxy_set_header; proxy_pass http://app;", "proxy_pass http://${x; proxy_pass http://:80;",
    ],
)  # fmt: skip
def test_broken_words_do_no_harm(text):
    odd = "map; geo $g { 1; } split_clients a $s { x% app; } map $g $x { $x $x; a; } split_clients;"
    hits(config(f"keepalive; random; hash; zone; server; {TWO}", text, http=odd))


def test_large_configs_cost_no_square():
    servers = "".join(
        f"server {{ server_name s{n}.test; location / {{ proxy_pass http://$pool; }} "
        f"location /b {{ proxy_pass http://x_{n}; }} }}"
        for n in range(1500)
    )
    pools = "".join(f"upstream pool{n} {{ {TWO} }}" for n in range(1500))
    entries = "".join(f"s{n}.test pool{n};" for n in range(1500))
    text = f"events {{}} http {{ {pools} map $host $pool {{ default pool1; {entries} }} {servers} }}"
    files = DiskFiles(roots=["."], memory={"nginx.conf": text})
    started = time.process_time()
    (whole,) = read(["nginx.conf"], files)
    context = Context()
    for check in CHECKS.values():
        list(check(whole, context))
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("servers", "location", "wanted"),
    [
        (2, "proxy_next_upstream error http_502;", "two such requests can empty all 2"),
        (3, "proxy_next_upstream error http_502;", "two such requests can empty all 3"),
        (3, "proxy_next_upstream error http_502; proxy_next_upstream_tries 2;", "three such requests can empty all 3"),
        (3, "proxy_next_upstream error http_502; proxy_next_upstream_tries 9;", "two such requests can empty all 3"),
        (3, "proxy_next_upstream error http_502; proxy_next_upstream_tries 1;", None),
        (2, "proxy_read_timeout 2s;", "one such request can empty all 2"),
        (3, "proxy_read_timeout 2s; proxy_next_upstream_tries 1;", "three such requests can empty all 3"),
    ],
)
def test_how_many_requests_empty_a_pool(servers, location, wanted):
    lines = "".join(f"server 10.0.0.{number}:80;" for number in range(servers))
    found = [hit for hit in hits(config(lines, f"{location} proxy_pass http://app;")) if hit.code == "H17"]
    rule = rules()["H17"]
    assert [wanted in render(rule.message, hit.args) for hit in found] == ([True] if wanted else [])
