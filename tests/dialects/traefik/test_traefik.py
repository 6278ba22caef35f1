"""Traefik's files: recognised by content, joined as Traefik joins them, lowered to listeners, routes and pools."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbcheck import redaction
from lbcheck.context import Context
from lbcheck.dialects import traefik
from lbcheck.files import DiskFiles
from lbcheck.model import BACKUP, EVERY_REQUEST
from lbcheck.project import judge
from lbcheck.settings import Settings
from lbcheck.text import Source

STATIC = """
entryPoints:
  web:
    address: ":80"
  websecure:
    address: "10.0.0.9:443"
    http:
      tls: {}
  dns:
    address: ":53/udp"
providers:
  file:
    directory: /etc/traefik/conf.d
"""


def load(*files, **named):
    """Configs of files by name; a text alone is one dynamic file."""
    memory = {f"f{number}.yml": text for number, text in enumerate(files)} | {
        name.replace("__", "/").replace("_", "."): text for name, text in named.items()
    }
    return traefik.read(list(memory), DiskFiles(memory=memory))


def one(*files, **named):
    (config,) = load(*files, **named)
    return config


def http(routers="", services=""):
    text = "http:\n"
    for name, body in (("routers", routers), ("services", services)):
        if body:
            text += f"  {name}:\n" + "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return text


APP = """
app:
  loadBalancer:
    servers:
      - url: http://10.0.0.1:8080
        weight: 3
      - url: https://app2.example.com/base
    healthCheck:
      path: /health
      interval: 10
      timeout: 1500ms
      port: 9000
    sticky: {cookie: {name: srv}}
"""


@pytest.mark.parametrize(
    ("path", "text", "known"),
    [
        ("a.yml", http("r: {rule: Host(`a`), service: s}"), True),
        ("a.yml", "tls:\n  options:\n    default: {minVersion: VersionTLS12}\n", True),
        ("a.yml", STATIC, True),
        ("a.yml", "entrypoints:\n  web:\n    address: :80\n", True),
        ("a.yml", '{"http": {"routers": {"r": {"rule": "Host(`a`)", "service": "s"}}}}', True),
        ("a.yml", "providers:\n  docker:\n    exposedByDefault: false\n", True),
        ("a.toml", '[http.routers.r]\nrule = "Host(`a`)"\n', True),
        ("a.toml", "[entryPoints.web]\naddress = ':80'\n", True),
        ("a.yml", "http:\n  port: 80\n  services: [a]\n", False),
        ("a.yml", "services:\n  web:\n    image: app\nproviders:\n  docker: {}\n", False),
        ("a.yml", "services:\n  web:\n    image: traefik-forward-auth\n", False),
        ("a.yml", "services:\n  web:\n    image: 'docker.io/library/traefik:v3.6'\n", True),
        ("a.yml", "services:\n  web:\n    image: traefik\n", True),
        ("a.yml", "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nhttp:\n  routers: {}\n", False),
        ("a.yml", "providers:\n  aws:\n    region: eu\n", False),
        ("a.toml", "[tool.http]\nservices = 1\n", False),
        ("a.yml", "http:\n", False),
        ("a.yml", "", False),
    ],
)
def test_recognises(path, text, known):
    assert traefik.recognises(Source(path, text)) is known


def test_a_load_balancer_becomes_a_pool():
    config = one(http(services=APP))
    assert (config.hits, config.unmodelled, config.open) == ([], [], None)
    (pool,) = config.pools
    assert (pool.name, pool.span.text, pool.scope, pool.algorithm.name) == ("app", "app", "http", "wrr")
    first, second = pool.servers
    assert (first.name, first.address.host, first.address.port, first.tls) == ("10.0.0.1:8080", "10.0.0.1", 8080, None)
    assert (first.weight.value, first.weight.span.text) == (3, "3")
    assert (second.name, second.address.kind, second.address.port) == ("app2.example.com", "name", 443)
    assert (second.tls.value, second.weight.value, second.weight.written) == (True, 1, False)
    check = first.check
    assert check is pool.check
    assert (check.kind, check.interval.value, check.timeout.value, check.fall.value) == ("http", 10, 1.5, 1)
    assert (check.down_interval.value, check.port.value, check.path.value) == (10, 9000, "/health")
    assert (first.checked.value, first.passive) == (True, False)
    assert (pool.persistence.kind, pool.persistence.name) == ("cookie", "srv")
    assert pool.timeouts["connect"].value == 30
    assert [(one.keyword, one.text) for one in config.durations] == [("interval", "10"), ("timeout", "1500ms")]


def test_a_strategy_that_is_none():
    config = one(http(services="app: {loadBalancer: {strategy: foobar, servers: [{url: 'http://10.0.0.1'}]}}"))
    (told,) = [found for found in judge(Settings())(config).findings if found.code == "R11"]
    assert told.help == "write one of wrr, p2c, hrw and leasttime"


def test_defaults_and_passive_checks():
    config = one(
        http(
            services="""
app:
  loadBalancer:
    strategy: p2c
    servers: [{url: "http://10.0.0.1"}, {url: "http://[::1]:81", weight: 0}, {url: "http://c:82", weight: -1}]
    healthCheck: {path: /, interval: 0s}
    passiveHealthCheck: {maxFailedAttempts: 3}
"""
        )
    )
    (pool,) = config.pools
    assert pool.algorithm.name == "p2c"
    assert [(server.address.kind, server.address.port) for server in pool.servers] == [
        ("ipv4", 80),
        ("ipv6", 81),
        ("name", 82),
    ]
    assert [server.weight.value for server in pool.servers] == [1, 0, 0]
    assert (pool.check.interval.value, pool.check.timeout.value) == (30, 5)
    server = pool.servers[0]
    assert (server.passive, server.max_fails.value, server.fail_timeout.value) == (True, 3, 10)


ROUTERS = """
site:
  rule: Host(`example.com`)
  service: app
  entryPoints: [web]
api:
  rule: Host(`example.com`) && PathPrefix(`/api`)
  service: app@file
everywhere:
  rule: PathPrefix(`/`)
  priority: 1000
  service: app
  entryPoints: web
dashboard:
  rule: Host(`d.example.com`)
  service: api@internal
elsewhere:
  rule: Host(`e.example.com`)
  service: app@docker
"""


def test_routers_at_their_entry_points_in_order_of_priority():
    config = one(traefik_yml=STATIC, conf_d__a_yml=http(ROUTERS, APP))
    assert [source.path for source in config.files] == ["traefik.yml", "conf.d/a.yml"]
    web, websecure, dns = config.frontends
    assert [(front.name, front.protocol, len(front.routes)) for front in config.frontends] == [
        ("web", "http", 5),
        ("websecure", "http", 3),
        ("dns", "udp", 0),
    ]
    assert [route.label for route in web.routes] == ["everywhere", "api", "dashboard", "elsewhere", "site"]
    assert [(one.address.host, one.address.port, one.tls) for one in web.listeners] == [("", 80, False)]
    assert [(one.address.host, one.address.port, one.tls) for one in websecure.listeners] == [("10.0.0.9", 443, True)]
    assert dns.listeners[0].transport == "udp"
    everywhere, api, dashboard, elsewhere, site = web.routes
    assert (everywhere.outcome, api.targets[0].pool, api.targets[0].name) == ("pools", config.pools[0], "app")
    assert (dashboard.outcome, dashboard.targets) == ("answer", ())
    assert (elsewhere.outcome, elsewhere.expression) == ("unknown", "app@docker")
    assert site.span.text == "site"


def test_an_undefined_service_is_missing_only_where_all_files_were_seen():
    text = http("r: {rule: Host(`a`), service: nowhere, entryPoints: [web]}", APP)
    route = one(traefik_yml=STATIC, conf_d__a_yml=text).frontends[0].routes[0]
    assert (route.outcome, route.targets[0].name, route.targets[0].pool) == ("pools", "nowhere", None)
    for config in (one(text), *load(traefik_yml=STATIC, other__a_yml=text)[1:]):
        assert [route.outcome for front in config.frontends for route in front.routes] == ["unknown"]
        assert ("http", "*") in config.used


UNSEEN = """http:
  routers:
    r: {rule: Host(`a`), service: nowhere, middlewares: [nomw, both, auth@docker], tls: {options: strict}}
    q: {rule: Host(`b`), service: w@file, tls: {options: default}}
  middlewares:
    both: {chain: {middlewares: [inner]}}
    pages: {errors: {service: pages}}
  services:
    w: {weighted: {services: [{name: gone}, {name: app@docker}]}}
    m: {mirroring: {service: w, mirrors: [{name: copy}]}}
    f: {failover: {service: w, fallback: dr}}
"""


def test_what_a_lone_file_names_and_does_not_define_is_not_checked():
    notes = {note.message for note in judge(Settings())(one(UNSEEN)).not_checked}
    names = ("service nowhere", "middleware nomw", "middleware inner", "TLS option strict")
    names += ("service pages", "service gone", "service copy", "service dr")
    elsewhere = {"what middleware auth@docker does, which comes from docker"}
    assert notes == elsewhere | {f"{name} is not defined here, and may be elsewhere" for name in names}
    complete = one("providers: {file: {filename: f0.yml}}\n" + UNSEEN)
    assert not any("elsewhere" in note.message for note in judge(Settings())(complete).not_checked)


PAGES = """
app: {loadBalancer: {servers: [{url: http://10.0.0.1:80}]}}
pages: {loadBalancer: {servers: [{url: http://10.0.0.3:80}]}}
"""


def test_error_pages_are_in_use_and_plugins_are_not_known():
    middlewares = """\
  middlewares:
    pages: {errors: {status: ["500-599"], service: pages, query: /}}
    own: {plugin: {rewriter: {from: a, to: b}}}
"""
    text = http("r: {rule: Host(`a`), service: app, entryPoints: [web], middlewares: [pages, own]}", PAGES)
    for more, unused, unknown in (("", ["pages"], []), (middlewares, [], ["what the plugin of middleware own does"])):
        config = one(traefik_yml=STATIC, conf_d__a_yml=text + more)
        found = judge(Settings())(config).findings
        assert [finding.pool for finding in found if finding.code == "P07"] == unused
        assert [place.reason for place in config.unmodelled] == unknown


def test_tls_and_plain_routers_of_one_entry_point_do_not_compete():
    config = one(
        traefik_yml=STATIC,
        conf_d__a_yml=http(
            "a: {rule: Host(`a`), service: app, entryPoints: [web]}\n"
            "b: {rule: Host(`a`), service: app, tls: {}, entryPoints: [web]}",
            APP,
        ),
    )
    assert [(front.name, [route.label for route in front.routes]) for front in config.frontends[:2]] == [
        ("web", ["a"]),
        ("web (TLS)", ["b"]),
    ]


def test_a_redirected_entry_point_answers_plain_requests_itself():
    static = STATIC.replace('":80"', '":80"\n    http: {redirections: {entryPoint: {to: websecure}}}')
    config = one(traefik_yml=static, conf_d__a_yml=http(ROUTERS, APP))
    (redirection,) = config.frontends[0].routes
    assert (redirection.match, redirection.outcome) == (EVERY_REQUEST, "answer")
    assert len(config.frontends[1].routes) == 3


WEIGHTED = """
a: {loadBalancer: {servers: [{url: "http://10.0.0.1"}]}}
b: {loadBalancer: {servers: [{url: "http://10.0.0.2"}]}}
c: {loadBalancer: {servers: [{url: "http://10.0.0.3"}]}}
inner:
  weighted:
    services: [{name: a, weight: 3}, {name: b}]
outer:
  weighted:
    services: [{name: inner, weight: 1}, {name: c, weight: 1}]
copied:
  mirroring: {service: a, mirrors: [{name: b, percent: 10}]}
saved:
  failover: {service: a, fallback: b}
"""


def targets(service):
    config = one(http(f"r: {{rule: Host(`a`), service: {service}}}", WEIGHTED))
    (route,) = config.frontends[0].routes
    return config, [
        (target.name, target.pool.name, target.weight and target.weight.value, target.share) for target in route.targets
    ]


def test_weighted_services():
    assert targets("inner")[1] == [("a", "a", 3, 0.75), ("b", "b", 1, 0.25)]
    assert targets("outer")[1] == [("a", "a", None, 0.375), ("b", "b", None, 0.125), ("c", "c", 1, 0.5)]


def test_mirrors_get_copies():
    config, found = targets("copied")
    assert found == [("a", "a", None, 1.0)]
    assert ("http", "b") in config.used


def test_a_failover_is_one_pool_with_backups():
    config, found = targets("saved")
    assert [(name, pool) for name, pool, *_ in found] == [("saved", "saved")]
    pool = next(pool for pool in config.pools if pool.name == "saved")
    assert [(server.name, server.role == BACKUP) for server in pool.servers] == [
        ("10.0.0.1", False),
        ("10.0.0.2", True),
    ]


def test_a_failover_to_the_same_service_names_it():
    text = http("r: {rule: Host(`a`), service: f}", APP + "f: {failover: {service: app, fallback: app@file}}\n")
    (told,) = [finding for finding in judge(Settings())(one(text)).findings if finding.code == "F09"]
    assert "failover f falls back from app to the same: nothing takes over" in told.message


def test_halves_of_a_failover_are_no_pools_of_their_own():
    config = one(
        http(
            "r: {rule: Host(`a`), service: s}",
            """
a: {loadBalancer: {servers: [{url: "http://10.0.0.1"}]}}
b: {loadBalancer: {servers: [{url: "http://10.0.0.2"}]}}
s: {failover: {service: a, fallback: b}}
""",
        )
    )
    assert [pool.name for pool in config.pools] == ["s"]


@pytest.mark.parametrize(
    "services",
    [
        "s: {weighted: {services: [{name: s}]}}",
        "s: {failover: {service: t, fallback: s}}\nt: {mirroring: {service: s}}",
        "s: {weighted: {services: [{weight: 1}]}}",
        "s: {loadBalancer: {servers: [{url: 'http://a'}]}, weighted: {services: [{name: t}]}}",
        "\n".join(f"s{n}: {{mirroring: {{service: s{n + 1}}}}}" for n in range(50)) + "\ns: {mirroring: {service: s0}}",
    ],
)
def test_circles_and_broken_services_end(services):
    config = one(http("r: {rule: Host(`a`), service: s}", services))
    assert config.frontends[0].routes[0].outcome == "unknown"


def test_tcp_and_udp():
    config = one(
        traefik_yml=STATIC,
        conf_d__a_yml="""
tcp:
  routers:
    all: {rule: HostSNI(`*`), service: db, entryPoints: [web]}
    one: {rule: HostSNI(`db.example.com`), service: db, entryPoints: [web], tls: {passthrough: true}}
    two: {rule: ClientIP(`10.0.0.1`), service: db, entryPoints: [web]}
  services:
    db:
      loadBalancer:
        servers: [{address: "10.0.0.1:5432"}, {address: "10.0.0.2:5432", tls: true}]
        healthCheck: {interval: 5s}
udp:
  routers:
    dns: {service: dns}
  services:
    dns: {loadBalancer: {servers: [{address: "10.0.0.3:53"}]}}
""",
    )
    assert [(pool.name, pool.scope, pool.protocol) for pool in config.pools] == [
        ("db", "tcp", "tcp"),
        ("dns", "udp", "udp"),
    ]
    assert [(front.name, [route.label for route in front.routes]) for front in config.frontends] == [
        ("web (TCP)", ["two", "all"]),
        ("web (TCP, TLS)", ["one"]),
        ("websecure", []),
        ("dns", ["dns"]),
    ]
    db = config.pools[0]
    assert (db.check.kind, [server.tls and server.tls.value for server in db.servers]) == ("tcp", [None, True])


def test_retry_middlewares():
    text = http("r: {rule: Host(`a`), service: app, middlewares: [again]}", APP)
    text += "  middlewares:\n    again: {retry: {attempts: 4}}\n"
    retry = one(text).frontends[0].routes[0].retry
    assert (retry.attempts.value, retry.redispatch.value, retry.conditions.value) == (3, True, {"network"})


def test_toml_and_yaml_come_to_the_same():
    toml = """
[http.routers.r]
rule = "Host(`a`)"
service = "app"
[http.services.app.loadBalancer.healthCheck]
path = "/health"
[[http.services.app.loadBalancer.servers]]
url = "http://10.0.0.1:80"
weight = 2
[[http.services.app.loadBalancer.servers]]
url = "http://10.0.0.2:80"
"""
    config = one(a_toml=toml)
    assert (config.hits, config.unmodelled) == ([], [])
    assert [(server.name, server.weight.value, server.span.line) for server in config.pools[0].servers] == [
        ("10.0.0.1:80", 2, 7),
        ("10.0.0.2:80", 1, 10),
    ]
    assert config.frontends[0].routes[0].targets[0].pool is config.pools[0]


def test_files_of_a_folder_are_one_config_unless_they_are_alternatives():
    first, second = http(services="a: {loadBalancer: {servers: []}}"), http(services="b: {loadBalancer: {servers: []}}")
    assert len(load(x__a_yml=first, x__b_yml=second)) == 1
    assert len(load(x__a_yml=first, x__b_yml=first)) == 2
    assert len(load(x__a_yml=first, y__b_yml=second)) == 2


def test_of_several_folders_that_the_static_file_may_mean_none_is_taken():
    static = STATIC.replace("directory: /etc/traefik/conf.d", "filename: dynamic.yml")
    text = http("r: {rule: Host(`a`), service: app, entryPoints: [web]}", APP)
    configs = load(lib__traefik_yml=static, one__dynamic_yml=text, two__dynamic_yml=text)
    assert [len(config.files) for config in configs] == [1, 1, 1]
    codes = {finding.code for config in configs for finding in judge(Settings())(config).findings}
    assert "X05" not in codes
    near, _ = load(one__traefik_yml=static, one__dynamic_yml=text, two__dynamic_yml=text)
    assert [source.path for source in near.files] == ["one/traefik.yml", "one/dynamic.yml"]


def test_a_file_that_the_static_one_names():
    static = STATIC.replace("directory: /etc/traefik/conf.d", "filename: /etc/traefik/dynamic.yml")
    (config,) = load(deploy__traefik_yml=static, deploy__dynamic_yml=http("r: {rule: Host(`a`), service: app}", APP))
    assert [source.path for source in config.files] == ["deploy/traefik.yml", "deploy/dynamic.yml"]
    assert config.tree.complete
    assert traefik.references(Source("traefik.yml", static)) == ["/etc/traefik/dynamic.yml"]


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        (http("r: {rule: Host(`a`), servce: s}"), "E06", "servce", "did you mean service"),
        (http("r: {rule: Host(`a`), service: s}", "s: {loadBalancer: {}}"), "E08", "loadBalancer", "nothing in it"),
        (
            http(services="s: {loadBalancer: {servers: [{url: 'http://a', weight: lots}]}}"),
            "E09",
            "lots",
            "whole number",
        ),
        (http(services="s: {loadBalancer: {passHostHeader: yes, servers: []}}"), "E09", "yes", "true or false"),
        (http(services="s: {loadBalancer: {servers: [], healthCheck: {interval: soon}}}"), "E09", "soon", "a time"),
        (
            "http:\n  services:\n    a: {loadBalancer: {servers: []}}\n    a: {loadBalancer: {servers: []}}\n",
            "E10",
            "a",
            "twice",
        ),
        ("http:\n  routers:\n  services: [\n", "E01", "[", "never closed"),
    ],
)
def test_what_makes_traefik_refuse_a_file(text, code, place, words):
    (hit,) = one(text).hits
    assert (hit.code, hit.span.text) == (code, place)
    assert words in " ".join(map(str, hit.args.values()))


def test_templates_are_not_judged():
    text = http(services="s: {loadBalancer: {servers: [{url: 'http://{{ env `HOST` }}:80', weight: '{{ 3 }}'}]}}")
    config = one(text)
    assert config.hits == []
    assert config.pools[0].servers[0].address.kind == "opaque"
    assert config.pools[0].open
    loop = (
        "http:\n  services:\n{{ range $i := until 3 }}\n    s{{ $i }}:\n      loadBalancer: {servers: []}\n{{ end }}\n"
    )
    config = one(loop)
    assert config.hits == []
    assert config.open
    assert config.unmodelled


def test_the_rule_s_error_is_found_in_the_text():
    config = one(http("r:\n  rule: Host(`a`) && Hots(`b`)\n  service: s"))
    (broken,) = config.tree.broken
    assert (broken.span.line, broken.span.column) == (4, 26)


@given(st.text("http:\n rouesvcyPbldBalwgk[]{}-`'\"(*)&<>\t", max_size=120))
def test_any_text_is_read(text):
    for path in ("a.yml", "a.toml"):
        traefik.recognises(Source(path, text))
        traefik.references(Source(path, text + "file"))
        assert traefik.read([path], DiskFiles(memory={path: text}))


KEYS = st.sampled_from(
    [
        "http",
        "tcp",
        "udp",
        "routers",
        "services",
        "middlewares",
        "app",
        "loadBalancer",
        "servers",
        "url",
        "address",
        "weight",
        "rule",
        "service",
        "name",
        "weighted",
        "failover",
        "fallback",
        "mirroring",
        "mirrors",
        "sticky",
        "cookie",
        "healthCheck",
        "interval",
        "entryPoints",
        "web",
        "providers",
        "file",
        "directory",
    ]
)
SCALARS = st.sampled_from(
    ["app", "http://10.0.0.1", "Host(`a`)", "*", "-1", "true", "~", "conf.d", "::", "", "1e999", "0x1", "a@b"]
)
TREES = st.recursive(
    SCALARS,
    lambda inside: st.one_of(st.lists(inside, max_size=3), st.dictionaries(KEYS, inside, max_size=4)),
    max_leaves=25,
)


@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_any_tree_is_read(tree):
    import json

    files = {"traefik.yml": json.dumps(tree), "conf.d/a.yml": json.dumps(tree)}
    for config in traefik.read(list(files), DiskFiles(memory=files)):
        list(config.blocks())


def test_expressions_in_values_are_filled_in_later():
    text = http(
        """
r:
  rule: "Host(`app.{{env "DOMAIN"}}`)"
  service: {{ env "NAME" }}
q:
  rule: Host(`q`)
  service: app
""",
        APP,
    )
    config = one(text)
    assert (config.hits, config.open) == ([], None)
    routes = [route for front in config.frontends for route in front.routes]
    assert [(route.label, route.outcome) for route in routes] == [("r", "unknown"), ("q", "pools")]
    assert [list(one.values) for one in routes[0].match[0]] == [['Host(`app.{{env "DOMAIN"}}`)']]
    assert len(config.pools[0].servers) == 2
    assert config.pools[0].span.source.text == text


def broken(text, target=None):
    config = one(text)
    targets = {"traefik": target} if target else {}
    return [(hit.severity, hit.args["problem"]) for hit in traefik.CHECKS["R11"](config, Context(targets))]


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        ("http", "answers 404 to its requests"),
        ("tcp", "none of its connections reach the service"),
        ("udp", "none of its packets reach the service"),
    ],
)
def test_what_a_disabled_router_s_traffic_gets(protocol, words):
    rule = "" if protocol == "udp" else "rule: Hots(`a`), "
    text = STATIC + f"{protocol}:\n  routers:\n    r: {{{rule}entryPoints: [nowhere], service: s}}\n"
    config = one(traefik_yml=text.replace("directory: /etc/traefik/conf.d", "filename: /etc/traefik/traefik.yml"))
    effects = {hit.args["effect"] for hit in traefik.CHECKS["R11"](config, Context())}
    assert effects == {f"Traefik only logs that, and {words}"}


def test_a_rule_of_version_2_is_an_error_where_version_3_runs():
    text = http("r: {rule: 'Host(`a`, `b`)', service: app}", APP)
    assert [severity for severity, _ in broken(text)] == ["info"]
    assert [severity for severity, _ in broken(text, (3, 1))] == [None]
    assert broken(text, (2, 11)) == []
    assert [route.label for route in one(text).frontends[0].routes] == ["r"]
    assert [severity for severity, _ in broken(text.replace("`b`", "`é`"))] == [None]


@pytest.mark.parametrize(
    ("rule", "never"),
    [
        ("HostRegexp(`{sub:[a-z]+}.example.com`)", True),
        ("HostRegexp(`{host:.+}`)", True),
        ("HostRegexp(`{sub:[a-z]{2,3}}.example.com`)", True),
        ("Host(`a`) && PathPrefix(`/api/{id}`)", True),
        ("(Path(`/{a}`) || Path(`/{b}`)) && Host(`a`)", True),
        ("Path(`/{a}`) || Path(`/b`)", False),
        ("Host(`a`) && !PathPrefix(`/api/{id}`)", False),
        (r"HostRegexp(`^[a-z]{2,3}\.example\.com$`)", False),
        (r"HostRegexp(`^\p{Greek}+$`)", False),
        ("HostRegexp(`^.+.${DOMAIN}$`)", False),
        ("Host(`a`)", False),
    ],
)
def test_what_version_3_takes_and_never_matches(rule, never):
    text = http(f"r: {{rule: '{rule}', service: app}}", APP)
    assert [severity for severity, _ in broken(text)] == ["info"] * never
    assert [severity for severity, _ in broken(text, (3, 5))] == [None] * never
    assert broken(text, (2, 11)) == []
    assert broken(text.replace("service: app", "ruleSyntax: v2, service: app"), (3, 5)) == []


def test_sections_that_traefik_passes_over_are_not_checked():
    text = STATIC + "logLevel: DEBUG\ndocker: {endpoint: x}\nx-common: {}\n"
    said = [one.reason for one in one(traefik_yml=text).unmodelled]
    assert said == [f"Traefik knows no section {name} here, and passes it over" for name in ("logLevel", "docker")]
    assert one(http("r: {rule: Host(`a`), service: app}", APP)).unmodelled == []


def test_of_two_files_the_first_by_name_counts():
    static = STATIC.replace("directory: /etc/traefik/conf.d", "directory: conf.d")
    first = http(services="app: {loadBalancer: {servers: [{url: 'http://10.0.0.1'}]}}")
    config = one(
        traefik_yml=static,
        conf_d__b_toml="[[http.services.app.loadBalancer.servers]]\nurl = 'http://10.0.0.2'\n",
        conf_d__a_yml=first,
    )
    assert [server.name for pool in config.pools for server in pool.servers] == ["10.0.0.1"]
    (hit,) = traefik.CHECKS["X05"](config, Context())
    assert (hit.span.path, hit.args["other"]) == ("conf.d/b.toml", "conf.d/a.yml")


@pytest.mark.parametrize(
    ("ports", "weights", "severities"),
    [("", (3, 1), ["error"]), ("", (1, 1, 1), ["error"]), (":80", (1, 1, 1), []), (":80", (3, 1), [])],
)
def test_hrw_of_urls_that_differ_in_their_last_bytes(ports, weights, severities):
    servers = ", ".join(f"{{url: 'http://10.0.0.{n}{ports}', weight: {weight}}}" for n, weight in enumerate(weights, 1))
    config = one(http(services=f"app: {{loadBalancer: {{strategy: hrw, servers: [{servers}]}}}}"))
    assert [hit.severity for hit in traefik.CHECKS["D08"](config, Context())] == severities


@pytest.mark.parametrize(
    "line",
    [
        "- traefik.http.middlewares.a.basicauth.users=test:$$apr1$$H6uskkkW$$IgXLP6ewTrSuBkTrqE8wj/",
        'users = ["test:$2y$05$abcdefghijklmnopqrstuv", "other:{SHA}d95o2uzYI7q7tY7bHI4U1xBug7s="]',
    ],
)
def test_hashes_of_passwords_are_not_shown(line):
    shown = redaction.without(line, redaction.secrets(Source("a.yml", line), 1, 1))
    assert not any(secret in shown for secret in ("IgXLP6ew", "abcdefgh", "d95o2uz"))
    assert "test:" in shown


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("10.0.0.2:80", "does not build it"),
        ("http://10.0.0.2:eighty", "does not build it"),
        ("app:80", "every request that goes there fails"),
        ("http://10.0.0.300", "every request that goes there fails"),
        ("http://bücher.example", None),
        ("http://:8080", None),
    ],
)
def test_what_a_server_that_is_no_url_costs(url, words):
    config = one(http("r: {rule: Host(`a`), service: app}", APP.replace("http://10.0.0.1:8080", url)))
    told = [found.message for found in judge(Settings())(config).findings if found.code == "R11"]
    assert [words in message for message in told] == [True] * (words is not None)


@pytest.mark.parametrize(
    ("rule", "version"), [("Host(`*.a.example`)", (3, 7, 0)), ("Host(`*`)", None), ("HostRegexp(`.*`)", None)]
)
def test_stars_in_hosts_need_a_version(rule, version):
    config = one(http(f'r: {{rule: "{rule}", service: app}}', APP))
    assert [one.since for one in config.requirements] == [version] * (version is not None)


@pytest.mark.parametrize(
    ("protocol", "address", "words"),
    [
        ("tcp", "http://10.0.0.1:80", "leaves that server out"),
        ("tcp", "10.0.0.1", "leaves that server out"),
        ("tcp", "[::1]", "leaves that server out"),
        ("tcp", "10.0.0.1:70000", "every connection that goes there fails"),
        ("udp", "10.0.0.1:70000", "leaves that server out"),
        ("tcp", "10.0.0.1:https", None),
        ("tcp", ":80", None),
    ],
)
def test_what_a_server_that_is_no_address_costs(protocol, address, words):
    rule = "rule: HostSNI(`*`), " if protocol == "tcp" else ""
    text = f"""{protocol}:
  routers:
    r: {{{rule}service: app}}
  services:
    app:
      loadBalancer:
        servers:
          - address: "{address}"
"""
    told = [found.message for found in judge(Settings())(one(text)).findings if found.code == "R11"]
    assert [words in message for message in told] == [True] * (words is not None)


@pytest.mark.parametrize(
    "split",
    [
        "split: {weighted: {services: [{name: app, weight: 9}, {name: gone, weight: 1}]}}",
        "split: {mirroring: {service: app, mirrors: [{name: gone, percent: 10}]}}",
    ],
)
def test_one_missing_service_costs_all_that_hold_it(split):
    """Seen on 3.6.12: Traefik does not build them, so that nothing reaches the others either."""
    text = STATIC + http("r: {rule: Host(`a`), service: split}", APP + split)
    config = one(text.replace("directory: /etc/traefik/conf.d", "filename: f0.yml"))
    routes = [route for frontend in config.frontends for route in frontend.routes]
    assert {(target.name, target.pool, target.share) for route in routes for target in route.targets} == {
        ("gone", None, 1.0)
    }
    codes = {finding.code for finding in judge(Settings())(config).findings}
    assert "P02" in codes
    assert "P07" not in codes


def test_without_entry_points_there_is_one():
    text = http("r: {rule: Host(`a`), service: app}\nq: {rule: Host(`b`), service: app, entryPoints: [web]}", APP)
    config = one("providers: {file: {filename: f0.yml}}\n" + text)
    assert [(frontend.name, [route.label for route in frontend.routes]) for frontend in config.frontends] == [
        ("http", ["r"])
    ]


@pytest.mark.parametrize("rule", ["PathPrefix(`/`)", "Host(`a`) || PathPrefix(`/`)"])
def test_a_router_for_every_path_leaves_those_behind_it_nothing(rule):
    services = APP + "other: {loadBalancer: {servers: [{url: http://10.0.0.9}]}}"
    text = http(
        f"all: {{rule: '{rule}', service: app, priority: 1000}}\none: {{rule: Host(`a`), service: other}}", services
    )
    config = one(text)
    assert config.frontends[0].routes[0].match == EVERY_REQUEST
    assert "R01" in {finding.code for finding in judge(Settings())(config).findings}
    behind = one(text.replace("priority: 1000", "priority: 1"))
    assert "R01" not in {finding.code for finding in judge(Settings())(behind).findings}


@pytest.mark.parametrize(
    ("rule", "lost"),
    [
        ("HostSNI(`db.example.com`)", True),
        ("ClientIP(`10.0.0.0/8`) && HostSNI(`db.example.com`)", True),
        ("HostSNI(`*`)", False),
        ("HostSNI(`db.example.com`), tls: {passthrough: true}", False),
        ("HostSNI(`db.example.com`), tls: '{{ .TLS }}'", False),
    ],
)
def test_a_tcp_router_for_a_name_needs_tls(rule, lost):
    """Held against the real one beside what else disables a router."""
    servers = "{loadBalancer: {servers: [{address: '10.0.0.1:5432'}]}}"
    text = f"tcp:\n  routers: {{db: {{rule: {rule}, service: db}}}}\n  services: {{db: {servers}}}\n"
    config = one(text)
    assert [hit.code for hit in traefik.CHECKS["R11"](config, Context())] == ["R11"] * lost
    assert bool(config.frontends) != lost


def test_advice_on_probes_names_nothing_that_traefik_lacks():
    check = "healthCheck: {path: /h, interval: 90s, timeout: 100ms}"
    servers = "servers: [{url: http://10.0.0.1}, {url: http://10.0.0.2}]"
    config = one(http("r: {rule: Host(`a`), service: app}", f"app: {{loadBalancer: {{{check}, {servers}}}}}"))
    told = {finding.code: finding for finding in judge(Settings())(config).findings}
    assert told["H05"].help == "give a probe at least 250 ms, better 1 s to 5 s"
    assert told["H07"].help == "probe more often"
    assert "(one probe every 90 s)" in told["H07"].message
