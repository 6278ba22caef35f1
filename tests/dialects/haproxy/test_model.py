"""From text to model: what is inherited, what a server is, how requests find their pool."""

from __future__ import annotations

import pytest

from lbcheck.dialects.haproxy import read, read_group
from lbcheck.files import DiskFiles

DEFAULTS = "defaults\n mode http\n timeout client 30s\n timeout server 1m\n timeout connect 5000\n"


def config(text, **files):
    memory = {"x.cfg": text, **{name.replace("_", "."): body for name, body in files.items()}}
    return read_group(["x.cfg"], DiskFiles(memory=memory))


def pool(lines, defaults=DEFAULTS):
    return config(defaults + "backend b\n " + lines.replace("\n", "\n ") + "\n").pools[0]


def frontend(lines, rest="", defaults=DEFAULTS):
    return config(defaults + "frontend f\n " + lines.replace("\n", "\n ") + "\n" + rest).frontends[0]


def shown(match):
    return [[repr(condition)[10:-1] for condition in part] for part in match]


def test_a_setting_keeps_the_place_where_it_is_written():
    made = pool("timeout server 5s\nserver a 10.0.0.1:80", DEFAULTS + " retries 2\n default-server weight 7\n")
    assert {name: (time.value, time.span.line) for name, time in made.timeouts.items()} == {
        "client": (30.0, 3),
        "server": (5.0, 9),
        "connect": (5.0, 5),
    }
    assert (made.retry.attempts.value, made.retry.attempts.span.line) == (2, 6)
    assert (made.servers[0].weight.value, made.servers[0].weight.span.text) == (7, "weight 7")
    assert made.retry.redispatch.value is False
    assert not made.retry.redispatch.written


def test_defaults_inherit_only_what_they_name():
    text = (
        "defaults one\n mode http\n balance leastconn\n"
        "defaults two from one\n retries 9\n"
        "defaults\n balance source\n"
        "backend a from two\nbackend b from one\nbackend c\n"
    )
    pools = config(text).pools
    assert [(made.algorithm.name, made.retry.attempts.value, made.protocol) for made in pools] == [
        ("leastconn", 9, "http"),
        ("leastconn", 3, "http"),
        ("source", 3, "tcp"),
    ]


def test_options_are_taken_back_by_no():
    made = pool("no option redispatch", DEFAULTS + " option redispatch\n option allbackups\n")
    assert made.retry.redispatch.value is False
    assert made.retry.redispatch.span.line == 9
    assert "redispatch" not in made.options
    assert made.options["allbackups"].value is True


def test_servers_with_the_same_options_keep_places_of_their_own():
    made = pool(
        "default-server rise 4 maxconn 9 observe layer4\n"
        "server a 10.0.0.1:80 check inter 7s weight 5 cookie x minconn 3\n"
        "server b 10.0.0.2:80 check inter 7s weight 5 cookie x minconn 3"
    )
    for server, line in zip(made.servers, (8, 9), strict=True):
        check = server.check
        own = (server.weight, server.checked, server.cookie, check.interval, server.options["minconn"])
        assert [(one.value, one.span.text) for one in own] == [
            (5, "weight 5"),
            (True, "check"),
            ("x", "cookie x"),
            (7.0, "inter 7s"),
            (3, "minconn 3"),
        ]
        assert {one.span.line for one in own} | {check.span.line, server.span.line} == {line}
        inherited = (server.max_conns, check.rise, server.options["observe"])
        assert [(one.value, one.span.line) for one in inherited] == [(9, 7), (4, 7), ("layer4", 7)]


def test_a_variable_and_its_name_in_quotes_are_not_the_same_weight():
    made = pool("server a 10.0.0.1:80 weight $W\nserver b 10.0.0.2:80 weight '$W'\nserver c 10.0.0.3:80 weight $W")
    assert [one.weight.written for one in made.servers] == [False, True, False]


def test_a_template_line_and_a_server_line_keep_their_places_apart():
    made = pool(
        "server a 10.0.0.1:80 weight 5\nserver-template b 2 10.0.0.2:80 weight 5\nserver c 10.0.0.3:80 weight 5"
    )
    assert [(one.weight.span.text, one.weight.span.line) for one in made.servers] == [
        ("weight 5", 7),
        ("weight 5", 8),
        ("weight 5", 9),
    ]


def test_backends_of_one_defaults_section_differ_where_they_say_so():
    text = DEFAULTS + " balance leastconn\n retries 2\n" + "backend {}\n server s 10.0.0.1:80\n{}" * 4
    text = text.format("a", "", "b", " retries 9\n", "c", " disabled\n", "d", "")
    found = config(text).pools
    assert [(one.name, one.algorithm.name, one.retry.attempts.value, "disabled" in one.options) for one in found] == [
        ("a", "leastconn", 2, False),
        ("b", "leastconn", 9, False),
        ("c", "leastconn", 2, True),
        ("d", "leastconn", 2, False),
    ]


def test_checks_are_alike_where_servers_say_the_same_and_whatever_they_inherit():
    made = pool(
        "server a 10.0.0.1:80 check inter 7s\nserver b 10.0.0.2:80 check inter 7s\n"
        "server c 10.0.0.3:80 check inter 8s\ndefault-server fall 9\nserver d 10.0.0.4:80 check inter 7s"
    )
    first, second, third, fourth = (one.check.likeness for one in made.servers)
    assert first == second
    assert len({first, third, fourth}) == 3


def test_default_server_holds_for_the_servers_below_it():
    made = pool(
        "server a 10.0.0.1:80\n"
        "default-server weight 5 check backup\n"
        "server b 10.0.0.2:80 weight 9\n"
        "default-server inter 7s\n"
        "server c 10.0.0.3:80 no-check no-backup"
    )
    assert [(one.weight.value, one.backup, one.checked.value) for one in made.servers] == [
        (1, False, False),
        (9, True, True),
        (5, False, False),
    ]
    assert made.servers[1].check.interval.value == 2.0


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        ("weight 20", "weight", 20),
        ("weight 50%", "weight", 50),
        ("weight x", "weight", 0),
        ("maxconn 100", "max_conns", 100),
        ("slowstart 30s", "slow_start", 30.0),
        ("cookie a", "cookie", "a"),
        ("ssl verify none", "tls", True),
        ("disabled", "disabled", True),
        ("resolvers r", "resolve", True),
        ("track b/c", "tracks", "b/c"),
        ("check", "checked", True),
        ("track b/c", "checked", True),
        ("agent-check", "checked", False),
    ],
)
def test_fields_of_a_server(options, field, value):
    (server,) = pool(f"server a 10.0.0.1:80 {options}").servers
    assert getattr(server, field).value == value


def test_other_options_of_a_server_keep_their_keyword():
    (server,) = pool("server a 10.0.0.1:80 maxqueue 5 send-proxy observe layer4 agent-inter 2s sni str(x)").servers
    assert {name: setting.value for name, setting in server.options.items()} == {
        "maxqueue": 5,
        "send-proxy": True,
        "observe": "layer4",
        "agent-inter": 2.0,
        "sni": "str(x)",
    }
    assert server.passive
    assert server.options["maxqueue"].span.text == "maxqueue 5"


@pytest.mark.parametrize(
    ("text", "kind", "host", "port"),
    [
        ("10.0.0.1:80", "ipv4", "10.0.0.1", 80),
        ("10.0.0.1", "ipv4", "10.0.0.1", None),
        ("10.0.0.1:+5", "ipv4", "10.0.0.1", None),
        ("[::1]:80", "ipv6", "::1", 80),
        ("::1:80", "ipv6", "::1", 80),
        ("ipv6@fe80::1:80", "ipv6", "fe80::1", 80),
        ("app.example:80", "name", "app.example", 80),
        ("_http._tcp.app.example", "name", "_http._tcp.app.example", None),
        ("unix@/run/a.sock", "unix", "/run/a.sock", None),
        ("/run/a.sock", "unix", "/run/a.sock", None),
        ("abns@app", "unix", "app", None),
        ("fd@3", "opaque", None, None),
        ("${HOST}:80", "opaque", None, 80),
        ("10.0.0.1:${PORT}", "opaque", "10.0.0.1", None),
    ],
)
def test_addresses_of_servers(text, kind, host, port):
    address = pool(f"server a {text}").servers[0].address
    assert (address.kind, address.host, address.port, address.text) == (kind, host, port, text)


def test_addresses_of_binds():
    found = frontend("bind :80,10.0.0.1:8000-8010 interface eth0\nbind quic4@:443 ssl crt x\nbind unix@/run/a mode 600")
    assert [
        (one.address.kind, one.address.host, one.address.port, one.port_end, one.transport, one.tls)
        for one in found.listeners
    ] == [
        ("ipv4", "", 80, None, "tcp", False),
        ("ipv4", "10.0.0.1", 8000, 8010, "tcp", False),
        ("ipv4", "", 443, None, "udp", True),
        ("unix", "/run/a", None, None, "tcp", False),
    ]
    assert found.listeners[0].options["interface"].value == "eth0"


def test_a_template_line_makes_an_open_pool():
    made = pool("server-template web 2-5 app.example:80 check")
    assert made.open
    assert (made.servers[0].name, made.servers[0].count) == ("web2-5", 4)


@pytest.mark.parametrize(
    "lines",
    [
        'server a 10.0.0.1:80 weight "$W"',
        "{% for s in servers %}\nserver {{ s }} 10.0.0.1:80\n{% endfor %}",
        ".if feature(OPENSSL)\nserver a 10.0.0.1:80\n.endif",
        'server a 10.0.0.1:80 "${OPTIONS[*]}"',
        "{{ servers }}",
    ],
)
def test_a_pool_whose_servers_are_decided_elsewhere_is_open(lines):
    assert pool(lines + "\nserver z 10.0.0.9:80").open


def test_a_variable_in_an_address_does_not_open_a_pool():
    assert pool("server a ${A}:80\nserver b ${B}:80").open is None


HASHES = [
    ("balance roundrobin", ("roundrobin", False, "sdbm", False)),
    ("balance uri", ("uri", False, "sdbm", False)),
    ("balance uri\nhash-type consistent", ("uri", True, "sdbm", True)),
    ("balance uri\nhash-type consistent sdbm", ("uri", True, "sdbm", False)),
    ("balance uri\nhash-type consistent djb2 avalanche", ("uri", True, "djb2", True)),
    ("balance uri\nhash-type map-based crc32", ("uri", False, "crc32", False)),
    ("balance uri\nhash-type map-based sdbm avalanche", ("uri", False, "sdbm", True)),
]


@pytest.mark.parametrize(("lines", "expected"), HASHES)
def test_hash_types_with_their_defaults(lines, expected):
    made = pool(lines).algorithm
    assert (made.name, made.consistent, made.function, made.avalanche) == expected


@pytest.mark.parametrize(
    ("line", "name", "key", "draws"),
    [
        ("balance random", "random", None, 2),
        ("balance random(5)", "random", None, 5),
        ("balance hdr(X-User)", "hdr", "X-User", 2),
        ("balance url_param id check_post", "url_param", "id", 2),
        ("balance hash var(txn.id),lower", "hash", "var(txn.id),lower", 2),
        ("balance rdp-cookie", "rdp-cookie", "mstshash", 2),
        ("balance source", "source", "src", 2),
    ],
)
def test_algorithms_and_their_keys(line, name, key, draws):
    made = pool(line).algorithm
    assert (made.name, made.key and made.key.value, made.draws) == (name, key, draws)
    assert made.span.text == line


def test_without_a_balance_line_it_is_round_robin_by_default():
    made = pool("server a 10.0.0.1:80").algorithm
    assert (made.name, made.span) == ("roundrobin", None)


CHECKS = [
    ("", ("tcp", None, None, None)),
    ("option httpchk", ("http", "OPTIONS", "/", None)),
    ("option httpchk /up", ("http", "OPTIONS", "/up", None)),
    ("option httpchk HEAD /up HTTP/1.1\\r\\nHost:\\ app", ("http", "HEAD", "/up", "app")),
    ("option httpchk GET /up HTTP/1.1 app", ("http", "GET", "/up", "app")),
    ("option httpchk\nhttp-check send meth GET uri /up hdr Host app", ("http", "GET", "/up", "app")),
    ("option httpchk\noption tcp-check", ("tcp", None, None, None)),
    ("option mysql-check user x", ("mysql", None, None, None)),
    ("option ssl-hello-chk", ("tls", None, None, None)),
]


@pytest.mark.parametrize(("lines", "expected"), CHECKS)
def test_kinds_of_checks(lines, expected):
    check = pool(lines + "\nserver a 10.0.0.1:80 check").servers[0].check
    found = tuple(setting and setting.value for setting in (check.method, check.path, check.host))
    assert (check.kind, *found) == expected


def test_intervals_of_a_check():
    made = pool(
        "default-server inter 3s fall 5\n"
        "server a 10.0.0.1:80 check rise 4 fastinter 500 downinter 1m port 81 addr 10.1.1.1"
    )
    check = made.servers[0].check
    values = (
        check.interval,
        check.fast_interval,
        check.down_interval,
        check.fall,
        check.rise,
        check.port,
        check.address,
    )
    assert [setting.value for setting in values] == [3.0, 0.5, 60.0, 5, 4, 81, "10.1.1.1"]
    assert check.interval.span.line == 7


def test_own_steps_of_a_check_drop_an_inherited_request():
    base = DEFAULTS + " option httpchk GET /up\n http-check expect status 200\n"
    inherited = pool("server a 10.0.0.1:80 check", base).check
    assert (inherited.path.value, inherited.expect.value) == ("/up", "status 200")
    own = pool("option httpchk GET /own\nserver a 10.0.0.1:80 check", base).check
    assert (own.path.value, own.expect) == ("/own", None)
    silent = pool("http-check expect status 204\nserver a 10.0.0.1:80 check", base).check
    assert (silent.path, silent.options["no-request"].span.line) == (None, 9)
    switched = pool("http-check disable-on-404\nserver a 10.0.0.1:80 check", base).check
    assert (switched.path.value, switched.options["disable-on-404"].value) == ("/up", True)


@pytest.mark.parametrize(
    ("lines", "kind", "mode", "dynamic"),
    [
        ("cookie S insert indirect nocache", "cookie", "insert", False),
        ("cookie S prefix", "cookie", "prefix", False),
        ("cookie S insert dynamic\ndynamic-cookie-key k", "cookie", "insert", True),
        ("stick-table type ip size 1k\nstick on src", "stick-table", "on", False),
        ("stick match src", "stick-table", "match", False),
        ("persist rdp-cookie", "rdp-cookie", None, False),
    ],
)
def test_persistence(lines, kind, mode, dynamic):
    found = pool(lines).persistence
    assert (found.kind, found.mode, found.dynamic) == (kind, mode, dynamic)


@pytest.mark.parametrize(
    "line",
    [
        "http-request return status 200",
        "http-request redirect location /",
        "redirect scheme https",
        "http-request deny if { src 10.0.0.0/8 }",
        "http-request use-service prometheus-exporter",
        "stats enable",
        "stick-table type ip size 1k",
        "dispatch 10.0.0.1:80",
        "option transparent",
        "monitor-uri /up",
        "errorfile 503 /etc/haproxy/back-soon.http",
        "errorloc302 503 https://status.example.org/",
        'http-error status 503 content-type text/plain string "back soon"',
        "errorfiles pages",
    ],
)
def test_a_pool_that_answers_by_itself_needs_no_servers(line):
    assert pool(line).answers
    assert not pool("http-request set-header X y").answers


def test_what_answers_for_one_section_does_not_for_those_below_it():
    inherited = DEFAULTS + " errorfile 503 /x.http\n default_backend app\n"
    made = config(inherited + "backend app\nlisten l\n bind :80\nbackend b\n errorfile 404 /x.http\n")
    assert [one.answers for one in made.pools] == [False, True, False]


def test_a_computed_use_server_has_servers_that_come_later():
    assert pool("use-server %[lua.pick] if TRUE").open
    assert not pool("use-server a if TRUE\n server a 10.0.0.1:80").open


def test_routes_stand_in_the_order_of_evaluation():
    found = frontend(
        "default_backend app\nuse_backend api if { path_beg /api }\nhttp-request deny if { src 10.0.0.0/8 }\n"
        "redirect scheme https unless { ssl_fc }\ntcp-request connection reject if { src 10.1.0.0/16 }",
        "backend app\nbackend api\n",
    )
    assert [(route.outcome, [target.name for target in route.targets]) for route in found.routes] == [
        ("answer", []),
        ("answer", []),
        ("answer", []),
        ("pools", ["api"]),
        ("pools", ["app"]),
    ]
    assert shown(found.routes[2].match) == [["not scheme exact ['https']"]]
    assert found.routes[3].targets[0].pool.name == "api"
    assert found.routes[4].match == ((),)


@pytest.mark.parametrize(
    ("binds", "plain", "secure"),
    [
        (["bind :80"], [[]], []),
        (["bind :80", "bind :81 name x"], [[]], []),
        (["bind :443 ssl crt /c.pem"], [], [[]]),
        (["bind :80", "bind :443 ssl crt /c.pem"], [["not scheme exact ['https']"]], [["scheme exact ['https']"]]),
        (['bind :80 "${TLS}"'], [["not scheme exact ['https']"]], [["scheme exact ['https']"]]),
        (['bind ":${PORT}"'], [[]], []),
        ([], [["not scheme exact ['https']"]], [["scheme exact ['https']"]]),
    ],
)
def test_whether_ssl_fc_holds_is_known_where_all_listeners_are_alike(binds, plain, secure):
    rules = "redirect scheme https unless { ssl_fc }\n use_backend app if { ssl_fc }\n"
    text = DEFAULTS + "frontend f\n " + "\n ".join([*binds, rules]) + "backend app\n server a 10.0.0.1:80\n"
    (made,) = config(text).frontends
    assert [shown(route.match) for route in made.routes] == [plain, secure]


def test_what_allow_lets_through_is_no_longer_denied():
    found = frontend("http-request allow if { src 10.0.0.1 }\nhttp-request deny")
    (deny,) = found.routes
    assert [condition.field for condition in deny.match[0]] == ["opaque"]


def test_a_listen_is_a_frontend_and_a_pool():
    made = config(DEFAULTS + "listen l\n bind :80\n server a 10.0.0.1:80\n")
    assert made.frontends[0].routes[-1].targets[0].pool is made.pools[0]


def test_a_pool_that_does_not_exist_is_none():
    (route,) = frontend("default_backend nosuch").routes
    assert (route.targets[0].name, route.targets[0].pool) == ("nosuch", None)


def test_rules_of_a_named_defaults_section_come_first_and_see_its_acls():
    text = (
        "defaults d\n mode http\n acl bad path /bad\n http-request deny if bad\n"
        "frontend f from d\n bind :80\n acl bad path /worse\n http-request deny if bad\n"
    )
    found = config(text).frontends[0].routes
    assert [shown(route.match) for route in found] == [[["path exact ['/bad']"]], [["path exact ['/worse']"]]]


CONDITIONS = [
    ("if { path /a /b }", [["path exact ['/a', '/b']"]]),
    ("if { path_beg -i /a }", [["path prefix ['/a']"]]),
    ("if { path_end .php }", [["path suffix ['.php']"]]),
    ("if { path -m reg ^/x$ }", [["path regex ['^/x$']"]]),
    ("if { path_sub x }", [["path contains ['x']"]]),
    ("if { path,lower -m beg /a }", [["path prefix ['/a']"]]),
    ("if { hdr(Host) a.b }", [["host exact ['a.b']"]]),
    ("if { req.hdr(host),field(1,:) a.b }", [["host exact ['a.b']"]]),
    ("if { hdr_end(host) .b }", [["host suffix ['.b']"]]),
    ("if { hdr(X-A) b }", [["header:x-a exact ['b']"]]),
    ("if { hdr(X-A) -m found }", [["header:x-a exists []"]]),
    ("if { url_param(v) 2 }", [["query:v exact ['2']"]]),
    ("if { src 10.0.0.0/8 }", [["source exact ['10.0.0.0/8']"]]),
    ("if { req.ssl_sni -i a.b }", [["sni exact ['a.b']"]]),
    ("if { ssl_fc_sni_end .b }", [["sni suffix ['.b']"]]),
    ("if METH_GET", [["method exact ['GET', 'HEAD']"]]),
    ("if !{ ssl_fc }", [["not scheme exact ['https']"]]),
    ("if TRUE", [[]]),
    ("if FALSE", []),
    ("unless TRUE", []),
    ("if TRUE { path /a }", [["path exact ['/a']"]]),
    ("if { path /a } or { path /b }", [["path exact ['/a']"], ["path exact ['/b']"]]),
    ("if { path /a } || { path /b }", [["path exact ['/a']"], ["path exact ['/b']"]]),
    ("if { path /a } { method GET }", [["path exact ['/a']", "method exact ['GET']"]]),
    ("unless { path /a }", [["not path exact ['/a']"]]),
    ("unless { path /a } { method GET }", [["not path exact ['/a']"], ["not method exact ['GET']"]]),
    ("unless { path /a } or { path /b }", [["not path exact ['/a']", "not path exact ['/b']"]]),
    ("if two", [["path exact ['/1']"], ["path exact ['/2']"]]),
    ("if !two", [["not path exact ['/1']", "not path exact ['/2']"]]),
    ("if { path_dir a }", [["opaque exact ['path_dir a']"]]),
    ("if { hdr_dom(host) a.b }", [["opaque exact ['hdr_dom(host) a.b']"]]),
    ("if { nbsrv(app) lt 1 }", [["opaque exact ['nbsrv(app) lt 1']"]]),
    ("if { path -f /list }", [["opaque exact ['path -f /list']"]]),
    ("if { var(txn.x) -m bool }", [["opaque exact ['var(txn.x) -m bool']"]]),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_conditions_become_alternatives(condition, expected):
    acls = "acl two path /1\nacl two path /2\n"
    found = frontend(acls + f"use_backend app {condition}", "backend app\n")
    assert shown(found.routes[0].match) == expected


def test_too_many_alternatives_are_one_opaque_condition():
    names = " ".join("m" for _ in range(9))
    acls = "\n".join(f"acl m path /{index}" for index in range(4))
    found = frontend(f"{acls}\nuse_backend app if {names}", "backend app\n")
    assert shown(found.routes[0].match) == [[f"opaque exact ['{names}']"]]


def test_a_map_that_is_here_gives_the_targets():
    text = (
        DEFAULTS + "frontend f\n bind :80\n use_backend %[req.hdr(host),lower,map(hosts.map{})]\nbackend a\nbackend d\n"
    )
    found = config(text.format(",d"), hosts_map="# hosts\na.example a\nb.example nosuch\n")
    (route,) = found.frontends[0].routes
    assert [(target.name, target.pool is None) for target in route.targets] == [
        ("a", False),
        ("nosuch", True),
        ("d", False),
    ]
    assert (route.outcome, route.match) == ("pools", ((),))
    found = config(text.format(""), hosts_map="a.example a\n")
    assert found.frontends[0].routes[0].match[0][0].field == "opaque"
    assert found.used == set()


def test_a_map_that_is_elsewhere_may_name_any_pool():
    text = DEFAULTS + "frontend f\n bind :80\n use_backend %[path,map_beg(/etc/none.map,d)]\nbackend d\n"
    found = config(text)
    (route,) = found.frontends[0].routes
    assert (route.outcome, [target.name for target in route.targets]) == ("unknown", ["d"])
    assert ("", "*") in found.used
    assert [note.span.line for note in found.unmodelled] == [8]


def test_what_else_refers_to_a_pool_uses_it():
    text = (
        DEFAULTS + "frontend f\n bind :80\n http-request track-sc0 src table t\n acl up nbsrv(n) gt 0\n"
        "backend t\n stick-table type ip size 1k\nbackend n\nbackend k\n server a 10.0.0.1:80 track o/s\n"
        "backend o\n server s 10.0.0.1:80 check\nbackend free\n"
    )
    assert config(text).used == {("", "t"), ("", "n"), ("", "o")}


ADMINS = [
    ("global\n stats socket /run/h.sock level admin\n", [("socket", True, "unix")]),
    ("global\n stats socket ipv4@127.0.0.1:9999\n", [("socket", False, "loopback")]),
    ("global\n stats socket :9999 level admin\n", [("socket", True, "")]),
    (DEFAULTS + "listen s\n bind :8404\n stats enable\n", [("stats", False, "")]),
    (
        DEFAULTS + "listen s\n bind :8404\n stats enable\n stats auth a:b\n stats admin if TRUE\n",
        [("stats", True, "auth")],
    ),
    (DEFAULTS + "listen s\n bind 127.0.0.1:8404\n stats uri /\n", [("stats", False, "loopback")]),
    (
        DEFAULTS + "listen s\n bind :8404\n stats enable\n http-request deny unless LOCALHOST\n",
        [("stats", False, "acl")],
    ),
    (DEFAULTS + " stats auth a:b\nlisten s\n bind :8404\n stats enable\n", [("stats", False, "")]),
    (DEFAULTS + " stats enable\nfrontend s\n mode tcp\n bind :8404\n", []),
]


@pytest.mark.parametrize(("text", "expected"), ADMINS)
def test_ways_to_steer_it(text, expected):
    assert [(one.kind, one.writable, one.protected) for one in config(text).admins] == expected


def test_processes_resolvers_durations_requirements():
    text = (
        "global\n nbproc 4\nresolvers r\n nameserver a 10.0.0.1:53\n" + DEFAULTS + "backend b\n"
        " default-server inter 2000\n server a 10.0.0.1:80 check slowstart 10 init-state up\n option forwarded\n"
    )
    found = config(text)
    assert (found.workers.value, list(found.resolvers)) == (4, ["r"])
    assert [(one.keyword, one.text, one.unit, one.seconds) for one in found.durations] == [
        ("timeout connect", "5000", "", 5.0),
        ("inter", "2000", "", 2.0),
        ("slowstart", "10", "", 0.01),
    ]
    assert sorted((one.feature, one.since) for one in found.requirements) == [
        ("init-state", (3, 1)),
        ("option forwarded", (2, 8)),
    ]


def test_alternatives_of_an_if_are_no_duplicates():
    text = (
        DEFAULTS + ".if feature(OPENSSL)\nfrontend f\n bind :443\n.else\nfrontend f\n bind :80\n.endif\n"
        ".if 0\nfrontend f\n bind :1\n.endif\nbackend b\n.if defined(X)\n server a 10.0.0.1:80\n.else\n"
        " server a 10.0.0.2:80\n.endif\n"
    )
    found = config(text)
    assert found.hits == []
    assert [one.branch for one in found.frontends] == [((1, 0),), ((1, 1),)]


def test_blocks_reach_from_head_to_last_line():
    found = config(DEFAULTS + "backend b\n server a 10.0.0.1:80\n\n# end\n")
    assert [(span.line, span.end_position[0]) for span in found.blocks()] == [(1, 5), (6, 7)]


def test_files_of_one_folder_are_one_config():
    memory = {
        "haproxy.cfg": "global\n",
        "conf.d/20.cfg": "backend b\n server a 10.0.0.1:80\n",
        "conf.d/10.cfg": DEFAULTS + "frontend f\n bind :80\n default_backend b\n",
        "other.cfg": "defaults\n mode http\n",
        "num/01-a.cfg": DEFAULTS,
        "num/02-b.cfg": "backend x\n",
    }
    found = read(list(memory), DiskFiles(memory=memory))
    assert [[source.path for source in one.files] for one in found] == [
        ["haproxy.cfg", "conf.d/10.cfg", "conf.d/20.cfg"],
        ["other.cfg"],
        ["num/01-a.cfg", "num/02-b.cfg"],
    ]
    assert found[0].frontends[0].routes[0].targets[0].pool.name == "b"
    assert found[0].pools[0].timeouts["server"].value == 60.0


def test_bytes_that_are_no_text_are_noted_once():
    found = config("defaults\n mode http\nbackend b\n description caf\udce9\udcff\n")
    assert [(note.span.line, note.reason) for note in found.unmodelled] == [(4, "a byte that is not UTF-8")]
    assert found.hits == []


def test_rules_that_checks_ask_for_are_kept_on_the_pool():
    text = (
        "backend app\n use-server a if { path /a }\n use-server b unless { path /a }\n"
        " server a 10.0.0.1:80 weight 0\n server b 10.0.0.2:80\n"
        "backend any\n use-server %[req.hdr(x)] if TRUE\n server c 10.0.0.3:80\n"
        "backend table\n stick-table type ip size 1m\n"
    )
    app, dynamic, table = config(text).pools
    assert app.options["use-server"].value == {"a", "b"}
    assert dynamic.options["use-server"].value == frozenset()
    assert "stick-table" in table.options


def test_limits_that_a_variable_holds():
    made = pool(
        'hash-preserve-affinity maxconn\nhash-balance-factor "${F}"\nserver a 10.0.0.1:80 maxconn "${M}"\n'
        "server b 10.0.0.2:80 maxconn 5\nserver c 10.0.0.3:80"
    )
    assert ["opaque limit" in server.options for server in made.servers] == [True, False, False]
    assert [server.max_conns and server.max_conns.value for server in made.servers] == [None, 5, None]
    assert made.algorithm.balance_factor is None
    assert "opaque hash-balance-factor" in made.algorithm.options
    assert made.options["hash-preserve-affinity"].value == "maxconn"
    assert "opaque hash-balance-factor" not in pool("hash-balance-factor 150").algorithm.options


def test_steps_of_checks_are_kept_in_the_order_of_writing():
    made = pool("http-check send hdr Host app\noption httpchk GET /up\nserver a 10.0.0.1:80 check")
    assert made.servers[0].check.options["steps"].value == (("send", "hdr", "Host", "app"), ("httpchk", "GET", "/up"))
    (user,) = pool("option mysql-check user lb\nserver a 10.0.0.1:80 check").servers
    assert user.check.options["arguments"].value == ("user", "lb")
    (plain,) = pool("server a 10.0.0.1:80 check").servers
    assert not plain.check.options
    one, two = pool('option httpchk\nserver a 10.0.0.1:80 check port "$P"\nserver b 10.0.0.2:80 check').servers
    assert ["opaque" in server.check.options for server in (one, two)] == [True, False]


def test_what_global_says_about_tls_to_servers_is_kept_in_the_pools():
    text = "global\n ca-base /etc/ca\n ssl-server-verify none\n spread-checks 20\nbackend b\n server a 10.0.0.1:80\n"
    (made,) = config(text).pools
    assert [made.options[name].value for name in ("ca-base", "ssl-server-verify", "spread-checks")] == [
        "/etc/ca", "none", 20,
    ]  # fmt: skip
