"""The native format: recognised by its mark, mistakes at line and column, and as general a model as any dialect's."""

from __future__ import annotations

import copy
import json
import os
import pkgutil
import re
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lbcheck.dialects import native
from lbcheck.files import DiskFiles
from lbcheck.model import EVERY_REQUEST
from lbcheck.text import Source
from lbcheck.traffic.algorithms import shares

SCHEMA = json.loads(pkgutil.get_data("lbcheck.dialects.native", "schema.json"))
with open(os.path.join(os.path.dirname(__file__), "..", "..", "..", "docs", "native.md"), encoding="utf-8") as _stream:
    DOCS = _stream.read()
EXAMPLE = max(re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL), key=len)


def load(text):
    (config,) = native.read(["lb.yaml"], DiskFiles(memory={"lb.yaml": text}))
    return config


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("lbcheck: v1\n", True),
        ("# a comment\n---\nlbcheck: 'v1'\n", True),
        ("\ufefflbcheck: v1\n", True),
        ("pools: []\nlbcheck: v2\n", True),
        ('{"pools": [], "lbcheck": "v1"}', True),
        ('{\n\t"lbcheck" : "v1"\n}', True),
        ('{"a": {"lbcheck": "v1"}}', False),
        ("a:\n  lbcheck: v1\n", False),
        ("lbcheck:\n  script: lbcheck check .\n", False),
        ("lbcheck: {stage: test}\n", False),
        ("kind: Service\n", False),
        ("lbcheck", False),
        ("", False),
        ("# lbcheck: v1\n", False),
    ],
)
def test_recognises(text, known):
    assert native.recognises(Source("a.yaml", text)) is known


def test_the_documented_example():
    config = load(EXAMPLE)
    assert config.hits == []
    assert config.unmodelled == []
    app, api, canary = config.pools
    assert (app.name, app.span.text, app.algorithm.name, app.algorithm.span.text) == (
        "app",
        "app",
        *["round_robin"] * 2,
    )
    assert shares(app, "native").servers == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert (api.algorithm.name, api.algorithm.key.value, api.algorithm.consistent) == (
        "hash_consistent",
        "client_ip",
        True,
    )
    first, second, drained, backup = app.servers
    assert (first.name, first.address.text, first.zone.value, first.max_conns.value) == (
        "app1",
        "10.0.0.1:8080",
        "a",
        400,
    )
    assert first.span.text.startswith("address: 10.0.0.1:8080")
    assert (first.weight.value, first.weight.span.text, first.capacity.value) == (2, "2", 800)
    assert (first.max_fails.value, first.fail_timeout.value, first.passive) == (5, 30, True)
    assert second.slow_start.value == 30
    assert (drained.enabled, drained.options["state"].value, drained.name) == (False, "drain", "10.0.0.3:8080")
    assert (backup.backup, backup.weight.written) == (True, False)
    assert first.check is app.check is second.check
    check = app.check
    assert (check.kind, check.path.value, check.interval.value, check.timeout.value) == ("http", "/healthz", 5, 2)
    assert (check.fall.value, check.rise.value, check.port, check.expect.value) == (3, 2, None, "200-299")
    assert first.checked.value
    assert (api.check.kind, api.check.options["tls"].value, api.check.port.value) == ("http", True, 9443)
    assert (api.servers[0].tls.value, api.servers[0].passive) == (True, False)
    assert [server.address.port for server in canary.servers] == [8443, 8443]
    assert {name: one.value for name, one in app.timeouts.items()} == {
        "connect": 2,
        "server": 30,
        "queue": 5,
        "tunnel": 3600,
    }
    assert (app.retry.attempts.value, app.retry.redispatch.value) == (2, True)
    assert app.retry.conditions.value == {"error", "timeout", "http_503"}
    assert (app.persistence.kind, app.persistence.name, app.max_queue.value) == ("cookie", "SRV", 100)
    assert app.options["demand"].value == 900


def test_the_example_s_frontend():
    (web,) = load(EXAMPLE).frontends
    assert [(one.address.host, one.address.port, one.tls, one.transport) for one in web.listeners] == [
        ("", 80, False, "tcp"),
        ("", 443, True, "tcp"),
    ]
    assert {name: one.value for name, one in web.timeouts.items()} == {
        "client": 30,
        "http-request": 10,
        "http-keep-alive": 60,
    }
    api, account, old, default = web.routes
    assert [(target.name, target.share, target.pool.name) for target in api.targets] == [
        ("api", 0.95, "api"),
        ("api-canary", 0.05, "api-canary"),
    ]
    assert [[(one.field, one.op, set(one.values)) for one in way] for way in api.match] == [
        [("path", "path_prefix", {"/api"}), ("method", "exact", {"GET", "POST"})]
    ]
    assert api.label == "api"
    assert (api.timeouts["server"].value, api.retry.attempts.value) == (5, 1)
    assert len(account.match) == 2
    fields = [{(one.field, one.op) for one in way} for way in account.match]
    assert fields[0] ^ fields[1] == {("path", "exact"), ("path", "regex")}
    assert {("host", "suffix"), ("source", "exact"), ("header:x-beta", "exact"), ("header:cookie", "exists")} <= fields[
        0
    ]
    assert (old.outcome, old.targets, old.label) == ("answer", [], "/old")
    assert (default.match, default.targets[0].pool.name) == (EVERY_REQUEST, "app")


def test_the_example_in_json_is_the_same_model():
    config = load(json.dumps(yaml.safe_load(EXAMPLE), indent=1))
    plain = load(EXAMPLE)
    assert config.hits == []
    for one, other in zip(config.pools, plain.pools, strict=True):
        assert [(s.name, s.weight.value, s.role) for s in one.servers] == [
            (s.name, s.weight.value, s.role) for s in other.servers
        ]
    assert [route.match[0][0].key for route in config.frontends[0].routes[:2]] == [
        route.match[0][0].key for route in plain.frontends[0].routes[:2]
    ]


def schema_keys(schema):
    for name, inside in schema.get("properties", {}).items():
        yield name, inside
        yield from schema_keys(inside)
    for inside in schema.get("$defs", {}).values():
        yield from schema_keys(inside)


def test_every_key_is_described():
    for name, inside in schema_keys(SCHEMA):
        referred = SCHEMA["$defs"].get(inside.get("$ref", "").removeprefix("#/$defs/"), {})
        assert "description" in inside or "description" in referred or "/properties/" in inside.get("$ref", ""), name
        assert re.search(rf"\b{re.escape(name.strip('$'))}\b", DOCS), f"docs/native.md does not say {name}"


def test_the_schema_is_one():
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"].endswith("lbcheck/dialects/native/schema.json")


POOL = "lbcheck: v1\npools:\n  - name: a\n    servers:\n"


@pytest.mark.parametrize(
    ("text", "line", "column", "code", "problem", "advice"),
    [
        ("lbcheck: v2\n", 1, 10, "E09", "a version of the format that does not exist", "lbcheck: v1"),
        ("lbcheck: v1\npool: []\n", 2, 1, "E06", "the file has no key pool", "did you mean pools?"),
        ("lbcheck: v1\npools: {}\n", 2, 8, "E09", "pools is a mapping, not a list", ""),
        ("lbcheck: v1\npools:\n", 2, 1, "E09", "pools is empty, not a list", ""),
        ("lbcheck: v1\npools: [x]\n", 2, 9, "E09", "this pool is the text x, not a mapping", ""),
        ("lbcheck: v1\npools:\n  - name: a\n", 3, 5, "E08", "this pool has no servers", "write servers"),
        ("lbcheck: v1\npools:\n  - servers: []\n", 3, 5, "E08", "this pool has no name", ""),
        (
            POOL + "      - address: a:1\n        wieght: 3\n",
            6,
            9,
            "E06",
            "this server has no key wieght",
            "did you mean weight?",
        ),
        (POOL + "      - adress: a:1\n", 5, 9, "E06", "no key adress", "did you mean address?"),
        (POOL + "      - {address: 'a:1', weight: 1.5}\n", 5, 34, "E09", "weight is 1.5, not a whole number", ""),
        (POOL + "      - {address: 'a:1', weight: -1}\n", 5, 34, "E09", "weight is -1", "at least 0"),
        (POOL + "      - {address: 'a:1', weight: on}\n", 5, 34, "E09", "weight is the text on", ""),
        (
            POOL + "      - {address: 'a:1', weight: '5'}\n",
            5,
            34,
            "E09",
            "weight is the text 5, not a whole number",
            "",
        ),
        (POOL + "      - {address: 'a:1', weight: }\n", 5, 26, "E09", "weight is empty", ""),
        (POOL + "      - {address: 'a:1', role: spare}\n", 5, 32, "E09", "role cannot be spare", "primary or backup"),
        (
            POOL + "      - {address: 'a:1', state: drained}\n",
            5,
            33,
            "E09",
            "state cannot be drained",
            "did you mean drain?",
        ),
        (POOL + "      - {address: 'a:1', capacity: 0}\n", 5, 36, "E09", "capacity is 0", "more than 0"),
        (POOL + "      - {address: 80}\n", 5, 19, "E09", "address is 80, not a text", ""),
        (POOL + "      - 10.0.0.1:99999\n", 5, 9, "E09", "10.0.0.1:99999 is no address", "host:port"),
        (POOL + "      - 10.0.0.256:80\n", 5, 9, "E09", "no address", ""),
        (POOL + "      - http://a:80/x\n", 5, 9, "E09", "no address", ""),
        (POOL + "      - {address: ':80'}\n", 5, 19, "E09", "no address", ""),
        (
            POOL + "      - {address: 'a:1', name: x}\n      - {address: 'a:2', name: x}\n",
            6,
            32,
            "E10",
            "another server x",
            "",
        ),
        (POOL + "      - {address: 'a:1', weight: 1, weight: 2}\n", 5, 37, "E10", "weight stands here twice", ""),
        (POOL + "      []\n  - name: a\n    servers: []\n", 6, 11, "E10", "another pool a", ""),
        (POOL + "      []\n    algorithm: least_conn\n", 6, 16, "E09", "cannot be least_conn", "round_robin"),
        (POOL + "      []\n    algorithm: Round-Robin\n", 6, 16, "E09", "Round-Robin", "did you mean round_robin?"),
        (POOL + "      []\n    algorithm: hash\n", 3, 5, "E08", "this pool has no key", "write key"),
        (POOL + "      []\n    health_check: {interval: 5 s}\n", 6, 30, "E09", "interval cannot be 5 s", "500ms"),
        (POOL + "      []\n    health_check: {fall: 0}\n", 6, 26, "E09", "fall is 0", "at least 1"),
        (POOL + "      []\n    health_check: {path: healthz}\n", 6, 26, "E09", "path cannot be healthz", ""),
        (
            POOL + "      []\n    timeouts: {conect: 5s}\n",
            6,
            16,
            "E06",
            "timeouts has no key conect",
            "did you mean connect?",
        ),
        ("lbcheck: v1\nfrontends:\n  - {name: w, listen: here}\n", 3, 23, "E09", "here is no address to listen on", ""),
        (
            "lbcheck: v1\nfrontends:\n  - {name: w, listen: 70000}\n",
            3,
            23,
            "E09",
            "70000 is no address to listen on",
            "",
        ),
        ("lbcheck: v1\nfrontends:\n  - {name: w, listen: []}\n", 3, 23, "E09", "listen is empty", ""),
        (
            "lbcheck: v1\nfrontends:\n  - name: w\n    listen: 80\n    routes:\n      - path: /x\n",
            6,
            9,
            "E08",
            "leads nowhere",
            "",
        ),
        (
            "lbcheck: v1\nfrontends:\n  - name: w\n    listen: 80\n    routes:\n      - {pool: a, answer: 404}\n",
            6,
            9,
            "E08",
            "pool and answer",
            "",
        ),
        (
            "lbcheck: v1\nfrontends:\n  - {name: w, listen: 1}\n  - {name: w, listen: 2}\n",
            4,
            12,
            "E10",
            "another frontend w",
            "",
        ),
        ("lbcheck: v1\npools: [\n", 2, 8, "E01", "bracket is never closed", "close the bracket"),
        ("lbcheck: v1\n\tpools: 1\n", 2, 1, "E01", "a tab", "spaces"),
        ("pools: []\n", 1, 1, "E01", "no lbcheck: v1", ""),
        ("", 1, 1, "E01", "no lbcheck: v1", ""),
        ("lbcheck: v1\na: \0\n", 2, 4, "E01", "U+0000", ""),
        ("lbcheck: v1\nx-a: " + "[" * 300, 2, 205, "E04", "nested deeper", ""),
    ],
)
def test_mistakes_have_their_place(text, line, column, code, problem, advice):
    (hit,) = load(text).hits
    assert (hit.code, hit.span.line, hit.span.column) == (code, line, column)
    assert problem in hit.args["problem"]
    assert advice in hit.args["advice"]
    assert not hit.args["problem"].endswith(".")
    assert not hit.args["advice"].endswith(".")


def test_mistakes_leave_the_rest_standing():
    config = load(POOL + "      - 10.0.0.1:80\n      - {address: 10.0.0.2:80, weight: x}\n      - {}\n  - {}\n  - 3\n")
    assert sorted(hit.code for hit in config.hits) == ["E08", "E08", "E09", "E09"]
    (pool,) = config.pools
    assert len(pool.servers) == 2
    assert pool.open == "not all of its servers could be read"


def test_undefined_pools_are_left_to_the_rule():
    text = "lbcheck: v1\nfrontends:\n  - {name: w, listen: 80, default_pool: gone, routes: [{path: /x, pool: lost}]}\n"
    config = load(text)
    assert config.hits == []
    assert [(t.name, t.pool) for r in config.frontends[0].routes for t in r.targets] == [("lost", None), ("gone", None)]


@pytest.mark.parametrize(
    ("text", "kind", "host", "port"),
    [
        ("10.0.0.1:80", "ipv4", "10.0.0.1", 80),
        ("10.0.0.1", "ipv4", "10.0.0.1", None),
        ("app.internal:8080", "name", "app.internal", 8080),
        ("app", "name", "app", None),
        ("[::1]:80", "ipv6", "::1", 80),
        ("[fe80::1%eth0]:80", "ipv6", "fe80::1%eth0", 80),
        ("2001:db8::1", "ipv6", "2001:db8::1", None),
        ("unix:/run/app.sock", "unix", "/run/app.sock", None),
        ("${HOST}:80", "opaque", None, None),
    ],
)
def test_addresses(text, kind, host, port):
    config = load(POOL + f"      - '{text}'\n")
    assert config.hits == []
    address = config.pools[0].servers[0].address
    assert (address.text, address.kind, address.host, address.port) == (text, kind, host, port)


@pytest.mark.parametrize(
    "listen", ["80", "':80'", "'*:80'", "'80'", "['0.0.0.0:80']", "{address: 80}", "[{address: ':80'}]"]
)
def test_listeners(listen):
    config = load(f"lbcheck: v1\nfrontends:\n  - {{name: w, listen: {listen}}}\n")
    assert config.hits == []
    (listener,) = config.frontends[0].listeners
    assert listener.address.port == 80
    assert listener.address.host in ("", "0.0.0.0")


def test_health_check_of_a_server_overrides_the_pool_s():
    text = (
        POOL
        + "      - a:1\n      - {address: 'b:1', health_check: false}\n"
        + "      - {address: 'c:1', health_check: {port: 9}}\n"
    )
    config = load(text + "    health_check: {type: http, path: /up, interval: 3s}\n")
    plain, off, own = config.pools[0].servers
    assert (plain.checked.value, plain.check.interval.value) == (True, 3)
    assert (off.checked.value, off.checked.written, off.check) == (False, True, None)
    assert (own.check.port.value, own.check.path.value, own.check.interval.value) == (9, "/up", 3)
    (bare,) = load(POOL + "      - a:1\n").pools[0].servers
    assert (bare.checked.value, bare.checked.written) == (False, False)
    (tcp,) = load(POOL + "      - a:1\n    health_check: true\n").pools[0].servers
    assert (tcp.checked.value, tcp.check.kind, tcp.check.interval) == (True, "tcp", None)


def test_anchors_and_own_keys():
    text = """lbcheck: v1
x-defaults:
  check: &check {type: tcp, interval: 5s}
pools:
  - {name: a, health_check: *check, servers: [a:1], x-owner: me}
  - {name: b, health_check: {<<: *check, interval: 9s}, servers: [b:1]}
"""
    config = load(text)
    assert config.hits == []
    assert [pool.check.interval.value for pool in config.pools] == [5, 9]


def test_templates_are_not_checked_rather_than_wrong():
    config = load(
        POOL + "      - {address: '10.0.0.1:80', weight: '${W}'}\n      - {address: 10.0.0.2:80, weight: {{ w }}}\n"
    )
    assert config.hits == []
    assert [one.span.line for one in config.unmodelled] == [5, 6]
    assert "weight" in config.pools[0].open
    assert shares(config.pools[0], "native").servers is None
    loop = load(POOL + "{% for host in hosts %}\n      - {{ host }}:80\n{% endfor %}\n")
    assert loop.hits == []
    assert loop.open
    assert loop.unmodelled
    inside = load(POOL + "      # {% for host in hosts %}\n      - a:1\n      # {% endfor %}\n")
    assert inside.pools[0].open == "a template decides its members"


def test_several_documents_are_one_config():
    ours = "lbcheck: v1\npools: [{name: a, servers: [a:1]}]\n"
    config = load(f"{ours}---\nkind: Other\n---\n{ours}")
    assert [hit.code for hit in config.hits] == ["E10"]
    assert [(one.span.line, one.reason) for one in config.unmodelled] == [(4, "a document without lbcheck: v1")]


def test_blocks_are_what_a_comment_speaks_for():
    starts = {(span.line, span.end_position[0]) for span in load(EXAMPLE).blocks()}
    lines = EXAMPLE.splitlines()
    pool = next(at for at, line in enumerate(lines, 1) if line == "  - name: app")
    assert any(first == pool and last > pool + 20 for first, last in starts)


def test_unreadable_file():
    (config,) = native.read(["/nowhere/lb.yaml"], DiskFiles(roots=["/nowhere"]))
    assert [hit.code for hit in config.hits] == ["E02"]
    (outside,) = native.read(["/etc/hostname"], DiskFiles(roots=["/nowhere"]))
    assert (outside.hits, len(outside.unmodelled)) == ([], 1)


def test_many_mistakes_do_not_take_long():
    start = time.process_time()
    keys = "".join(f"k{at}: 1\n" for at in range(20_000))
    assert 1 <= len(load("lbcheck: v1\n" + keys).hits) <= 100
    servers = "".join(f"      - {{address: 'a:{at}', weight: x}}\n" for at in range(5_000))
    assert 1 <= len(load(POOL + servers).hits) <= 1_000
    assert time.process_time() - start < 10


PLAIN = yaml.safe_load(EXAMPLE)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 70000), st.text(max_size=6), st.just([]), st.just({}), st.just("5s")
)


def places(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_broken_examples_never_raise(data):
    broken = copy.deepcopy(PLAIN)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from([path for path in places(broken) if path]))
        holder = broken
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = data.draw(LEAVES)
    text = yaml.safe_dump(broken, allow_unicode=True, sort_keys=False)
    config = load(text)
    for hit in config.hits:
        assert 0 <= hit.span.start <= hit.span.end <= len(text)
        assert hit.args["problem"]
        assert hit.args["advice"]
    for pool in config.pools:
        known = shares(pool, "native")
        assert known.servers is None or abs(sum(known.servers) + known.unserved - 1) < 1e-9


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, len(EXAMPLE)),
    st.integers(0, 30),
    st.text(st.sampled_from(list("ab:-[]{}&*!|>'\"\n\t #%0\0")), max_size=4),
)
def test_broken_texts_never_raise(at, length, new):
    text = EXAMPLE[:at] + new + EXAMPLE[at + length :]
    native.recognises(Source("a", text))
    config = load(text)
    list(config.blocks())
    for hit in config.hits:
        assert 0 <= hit.span.start <= hit.span.end <= len(text)


def test_a_limit_that_a_template_holds():
    text = "lbcheck: v1\npools:\n- name: app\n  servers:\n"
    text += '  - {address: "10.0.0.1:80", max_connections: "${M}"}\n  - {address: "10.0.0.2:80", max_connections: 5}\n'
    servers = load(text).pools[0].servers
    assert ["opaque limit" in server.options for server in servers] == [True, False]
