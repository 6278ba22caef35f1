"""From a config's text to the model: pools, servers, frontends, routes, and what holds on each."""

from __future__ import annotations

import pytest

from lbcheck.dialects import nginx
from lbcheck.files import DiskFiles


def read(text, name="nginx.conf", **others):
    memory = {name: text, **{path.replace("__", "/").replace("_conf", ".conf"): one for path, one in others.items()}}
    files = DiskFiles(["/nonexistent"], memory=memory)
    files.known = list(memory)
    return nginx.read([name], files)[0]


def http(body, **others):
    return read(f"events {{}}\nhttp {{\n{body}\n}}\n", **others)


def stream(body):
    return read(f"events {{}}\nstream {{\n{body}\n}}\n")


def route_of(config, label):
    return next(route for frontend in config.frontends for route in frontend.routes if route.label == label)


def test_a_server_and_its_defaults():
    config = http(
        "upstream app { server 10.0.0.1; server 10.0.0.2:81 weight=5 max_fails=0 fail_timeout=1m max_conns=7; }"
    )
    one, two = config.pools[0].servers
    assert (one.name, one.address.kind, one.address.host, one.address.port) == ("10.0.0.1", "ipv4", "10.0.0.1", 80)
    assert (one.weight.value, one.max_fails.value, one.fail_timeout.value, one.max_conns.value) == (1, 1, 10.0, 0)
    assert not one.weight.written
    assert one.passive
    assert (two.weight.value, two.max_fails.value, two.fail_timeout.value, two.max_conns.value) == (5, 0, 60.0, 7)
    assert two.weight.span.text == "weight=5"
    assert two.fail_timeout.span.text == "fail_timeout=1m"
    assert not two.passive
    assert one.checked is None


def test_roles_and_parameters_of_servers():
    config = http(
        "upstream app { server backup-host backup; server b down;\n"
        "  server c resolve slow_start=30s route=x; server d drain; }"
    )
    backup, down, resolved, drained = config.pools[0].servers
    assert (backup.role, backup.name, backup.address.kind) == ("backup", "backup-host", "name")
    assert down.disabled.span.text == "down"
    assert not down.enabled
    assert (resolved.resolve.value, resolved.slow_start.value, resolved.options["route"].value) == (True, 30.0, "x")
    assert not drained.enabled
    assert {one.feature for one in config.requirements} >= {"resolve", "slow_start", "route", "drain"}


@pytest.mark.parametrize(
    ("words", "name", "key"),
    [
        ("", "round_robin", None),
        ("least_conn;", "least_conn", None),
        ("ip_hash;", "ip_hash", None),
        ("hash $uri;", "hash", "$uri"),
        ("hash $uri consistent;", "hash_consistent", "$uri"),
        ("random;", "random", None),
        ("random two least_conn;", "random_two", None),
        ("ip_hash; least_conn;", "least_conn", None),
    ],
)
def test_methods(words, name, key):
    algorithm = http(f"upstream app {{ {words} server 10.0.0.1; }}").pools[0].algorithm
    assert algorithm.name == name
    assert (algorithm.key.value if algorithm.key else None) == key


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("server 10.0.0.1;", None),
        ("state /x;", "state file"),
        ("server $host;", "filled in"),
        ("server {{ host }};", "filled in"),
        ("server 10.0.0.1; balancer_by_lua_block { x() }", "balancer_by_lua_block"),
        ("{% for s in servers %}\nserver 10.0.0.1;\n{% endfor %}", "template loop"),
        ("include /etc/nginx/members.conf;", "include"),
    ],
)
def test_open_pools(body, why):
    found = http(f"upstream app {{ {body} }}").pools[0].open
    assert (found is None) if why is None else why in found


def test_an_upstream_in_pieces():
    config = http("upstream app { include members.conf; }", members_conf="server 10.0.0.1;\nserver 10.0.0.2;\n")
    assert [server.name for server in config.pools[0].servers] == ["10.0.0.1", "10.0.0.2"]
    assert config.pools[0].servers[0].span.path == "members.conf"
    assert config.pools[0].open is None


def test_frontends_listeners_and_routes():
    config = http(
        "upstream app { server 10.0.0.1; }\n"
        "server { listen 443 ssl default_server reuseport; listen [::1]:8080; listen unix:/run/x;\n"
        "  server_name a.example *.b;\n"
        "  location = /x { return 200; }\n  location ^~ /s/ { root /srv; }\n"
        "  location ~* \\.php$ { fastcgi_pass unix:/run/php.sock; }\n  location / { proxy_pass http://app/; } }"
    )
    frontend = config.frontends[0]
    assert (frontend.name, frontend.hosts, frontend.order, frontend.protocol) == (
        "a.example",
        ["a.example", "*.b"],
        "nginx",
        "http",
    )
    one, two, three = frontend.listeners
    assert (one.address.host, one.address.port, one.tls, set(one.options)) == (
        "",
        443,
        True,
        {"ssl", "default_server", "reuseport"},
    )
    assert (two.address.kind, two.address.host, two.address.port) == ("ipv6", "::1", 8080)
    assert (three.address.kind, three.address.host) == ("unix", "/run/x")
    seen = [
        (next(iter(route.match[0])).strength, next(iter(route.match[0])).op, route.outcome) for route in frontend.routes
    ]
    assert seen == [
        ("=", "exact", "answer"),
        ("^~", "prefix", "answer"),
        ("~*", "regex", "pools"),
        ("", "prefix", "pools"),
    ]
    assert frontend.routes[3].targets[0].pool is config.pools[0]
    assert frontend.routes[2].targets[0].pool.implicit
    assert frontend.routes[2].targets[0].pool.servers[0].address.kind == "unix"


def test_a_server_without_listen_has_the_default_one():
    assert http("server { }").frontends[0].listeners[0].address.port == 80


def test_settings_are_inherited():
    config = http(
        "proxy_connect_timeout 3s;\nproxy_next_upstream error http_502;\nproxy_set_header Host $host;\n"
        "server { proxy_read_timeout 10s; proxy_set_header Connection '';\n"
        "  location /a { proxy_pass http://10.0.0.1; }\n"
        "  location /b { proxy_pass https://10.0.0.2; proxy_next_upstream off; proxy_next_upstream_tries 2; } }"
    )
    one, two = route_of(config, "location /a"), route_of(config, "location /b")
    assert {name: setting.value for name, setting in one.timeouts.items()} == {
        "connect": 3.0,
        "send": 60.0,
        "read": 10.0,
    }
    assert one.timeouts["connect"].written
    assert not one.timeouts["send"].written
    assert one.retry.conditions.value == {"error", "http_502"}
    assert one.retry.redispatch.value
    assert one.options["connection"].value == ""
    assert "host" not in one.options
    assert (two.retry.redispatch.value, two.retry.attempts.value) == (False, 2)
    assert two.options["tls"].value
    assert two.targets[0].pool.servers[0].address.port == 443


def test_stream():
    config = stream(
        "upstream db { least_conn; server 10.0.0.1:5432; server 10.0.0.2:5432 backup; }\n"
        "server { listen 53 udp; listen 5400-5410; proxy_pass db; proxy_timeout 5s; }\n"
        "server { listen 81; proxy_pass 10.0.0.3:9; proxy_next_upstream off; }"
    )
    pool, frontend = config.pools[0], config.frontends[0]
    assert (pool.scope, pool.protocol, frontend.scope, frontend.protocol) == ("stream", "tcp", "stream", "udp")
    assert frontend.listeners[1].port_end == 5410
    assert {name: setting.value for name, setting in frontend.routes[0].timeouts.items()} == {
        "connect": 60.0,
        "idle": 5.0,
    }
    assert config.frontends[1].routes[0].timeouts["idle"].value == 600.0
    assert not config.frontends[1].routes[0].retry.redispatch.value
    assert frontend.routes[0].retry.redispatch.value


def test_mail_is_no_http():
    frontend = read("events {}\nmail { auth_http 127.0.0.1/a; server { listen 25; protocol smtp; } }").frontends[0]
    assert (frontend.protocol, frontend.scope, frontend.routes) == ("tcp", "mail", [])


@pytest.mark.parametrize(
    ("body", "passed", "names"),
    [
        ("", "http://a", ["a"]),
        ("", "$scheme://a", ["a"]),
        ("", "http://a$request_uri", ["a"]),
        ("", "http://a/$1", ["a"]),
        ("map $host $x { default a; one b; }", "http://$x", ["a", "b"]),
        ("map $host $x { default http://a; one http://b; }", "$x", ["a", "b"]),
        ("map $host $x { default $y; } map $uri $y { default b; }", "http://$x", ["b"]),
        ("geo $x { default a; 10.0.0.0/8 b; }", "http://$x", ["a", "b"]),
    ],
)
def test_variables_lead_to_pools(body, passed, names):
    config = http(
        f"upstream a {{ server 10.0.0.1; }}\nupstream b {{ server 10.0.0.2; }}\n{body}\n"
        f"server {{ location / {{ proxy_pass {passed}; }} }}"
    )
    route = route_of(config, "location /")
    assert [target.name for target in route.targets] == names
    assert route.outcome == "pools"
    assert all(not target.pool.implicit for target in route.targets)


def test_set_leads_to_a_pool():
    config = http("upstream a { server 10.0.0.1; }\nserver { set $x a; location / { proxy_pass http://$x; } }")
    assert [target.name for target in route_of(config, "location /").targets] == ["a"]


@pytest.mark.parametrize("passed", ["http://$arg_x", "http://$host", "$x", "http://{{ pool }}"])
def test_what_only_run_time_knows(passed):
    config = http(f"upstream a {{ server 10.0.0.1; }}\nserver {{ location / {{ proxy_pass {passed}; }} }}")
    route = route_of(config, "location /")
    assert (route.outcome, route.targets) == ("unknown", [])
    assert ("http", "*") in config.used
    assert len(config.unmodelled) == 1


def test_shares_of_split_clients():
    config = http(
        "upstream a { server 10.0.0.1; }\nupstream b { server 10.0.0.2; }\n"
        "split_clients $remote_addr $x { 0.5% a; 20% b; * a; }\nserver { location / { proxy_pass http://$x; } }"
    )
    shares = {target.name: target.share for target in route_of(config, "location /").targets}
    assert shares == pytest.approx({"a": 0.8, "b": 0.2})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("worker_processes auto;\nevents {}\nhttp {}", None),
        ("worker_processes 4;\nevents {}\nhttp {}", 4),
        ("events {}\nhttp {}", 1),
    ],
)
def test_workers(text, value):
    assert read(text).workers.value == value


def test_workers_of_a_fragment_are_not_known():
    config = read("upstream app { server 10.0.0.1; }", "conf.d/app.conf")
    assert config.workers is None
    assert config.open is not None


def test_durations_without_units_are_kept():
    config = http("upstream a { server 10.0.0.1 fail_timeout=30; }\nproxy_read_timeout 5000;\nproxy_send_timeout 5s;")
    assert {(one.keyword, one.text, one.seconds) for one in config.durations} == {
        ("fail_timeout", "30", 30.0),
        ("proxy_read_timeout", "5000", 5000.0),
    }


PAGES = [
    ("server { listen 81; location /s { stub_status; } }", "counters", False, ""),
    ("server { listen 127.0.0.1:81; location /s { stub_status; } }", "counters", False, "loopback"),
    ("server { listen 81; location /s { stub_status; allow 10.0.0.0/8; deny all; } }", "counters", False, "acl"),
    ("server { listen 81; deny all; location /s { stub_status; allow 10.0.0.0/8; } }", "counters", False, ""),
    ("server { listen 81; location /s { stub_status; allow all; } }", "counters", False, "acl"),
    ("server { listen 81; location /s { proxy_pass http://10.0.0.1; stub_status; } }", "counters", False, ""),
    ("server { listen 81; location /s { check_status; } }", "status", False, ""),
    ("server { listen 81; include conf/acl.conf; location /s { stub_status; } }", "counters", False, None),
    ("server { listen 81; include mime.types; location /s { stub_status; } }", "counters", False, ""),
    ("server { listen 81; auth_basic x; location /api { api write=on; } }", "api", True, "auth"),
    ("server { listen 81; location /api { api write=on; } }", "api", True, ""),
    ("server { listen 81; location /a { api write=on; limit_except GET { deny all; } } }", "api", False, ""),
    ("server { listen 81; location /a { upstream_conf; } }", "api", True, ""),
]


@pytest.mark.parametrize(("body", "kind", "writable", "protected"), PAGES)
def test_admins(body, kind, writable, protected):
    (admin,) = http(body).admins
    assert (admin.kind, admin.writable, admin.protected) == (kind, writable, protected)


@pytest.mark.parametrize(
    "body",
    [
        "server { listen 81; location /s { stub_status; proxy_pass http://10.0.0.1; } }",
        "server { listen 81; location /s { stub_status; return 404; } }",
        "server { listen 81; return 404; location /s { stub_status; } }",
    ],
)
def test_a_page_that_never_answers_is_no_door(body):
    assert http(body).admins == []


def test_the_server_around_a_fragment_may_guard_its_page():
    assert [admin.protected for admin in read("location /s { stub_status; }", "status.conf").admins] == [None]


def test_a_variable_that_brings_the_host_may_use_any_upstream():
    config = http("upstream a { server 10.0.0.1; }\nserver { location / { proxy_pass http:/$uri; } }")
    assert ("http", "*") in config.used
    assert [pool.name for pool in config.pools] == ["a"]


def test_a_foreign_pass_uses_its_upstream():
    assert ("http", "Cache") in http(
        "upstream Cache { server 10.0.0.1; }\nserver { location / { memc_pass Cache; } }"
    ).used


def test_blocks_are_given_for_suppressions():
    config = http("server {\nlocation / {\nreturn 200;\n}\n}")
    assert [(span.line, span.end_position[0]) for span in config.blocks()] == [(1, 1), (2, 8), (3, 7), (4, 6)]


@pytest.mark.parametrize("value", ["${WEIGHT}", "{{ weight }}", "$weight"])
def test_a_weight_or_a_limit_that_is_filled_in_elsewhere(value):
    weighed = http(f"upstream app {{ server 10.0.0.1 weight={value}; server 10.0.0.2; }}").pools[0]
    assert weighed.open == "a server's weight is filled in elsewhere"
    limited = http(f"upstream app {{ server 10.0.0.1 max_conns={value}; server 10.0.0.2 max_conns=3; }}").pools[0]
    assert limited.open is None
    assert ["opaque limit" in server.options for server in limited.servers] == [True, False]


def test_how_certificates_are_verified_is_kept_where_tls_is_spoken():
    config = http(
        "proxy_ssl_verify on; proxy_ssl_name a.test;\n"
        "server { location /a { proxy_pass http://10.0.0.1; }\n"
        "  location /b { proxy_pass https://10.0.0.2; proxy_ssl_trusted_certificate ca.pem; } }"
    )
    one, two = route_of(config, "location /a"), route_of(config, "location /b")
    assert "ssl_verify" not in one.options
    kept = {name: two.options[name].value for name in ("ssl_verify", "ssl_name", "ssl_trusted_certificate")}
    assert kept == {"ssl_verify": "on", "ssl_name": "a.test", "ssl_trusted_certificate": "ca.pem"}
