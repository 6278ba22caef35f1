"""Envoy's bootstraps and xDS resources: recognised by content, refused where Envoy refuses, lowered to the model."""

from __future__ import annotations

import json
import random

import pytest
import verdicts
from proxies import ENVOY
from verdicts import verdict

from lbcheck.checks.addresses import server_duplicate
from lbcheck.checks.pools import pool_undefined
from lbcheck.context import Context
from lbcheck.dialects import envoy
from lbcheck.files import DiskFiles
from lbcheck.project import judge
from lbcheck.settings import Settings
from lbcheck.text import Source

TYPES = "type.googleapis.com/envoy"
BASE = """\
static_resources:
  listeners:
  - name: web
    address: {socket_address: {address: 127.0.0.1, port_value: 10000}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: web
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {prefix: /}
                route: {cluster: app}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - name: app
    type: STATIC
    connect_timeout: 1s
    load_assignment:
      cluster_name: app
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 8080}}}
        - endpoint: {address: {socket_address: {address: 10.0.0.2, port_value: 8080}}}
"""
MATCH = "              - match: {prefix: /}\n"
ROUTE = "                route: {cluster: app}\n"
ROUTER = "".join(BASE.splitlines(keepends=True)[19:20])
CHECK = "{timeout: 1s, interval: 2s, unhealthy_threshold: 3, healthy_threshold: 2, grpc_health_check: {}}"
ENDPOINTS = BASE[BASE.index("    load_assignment:") :]


def changed(*changes):
    text = BASE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def load(text, name="envoy.yaml"):
    (config,) = envoy.read([name], DiskFiles(memory={name: text}))
    return config


def said(config):
    return [(hit.code, hit.span.line, hit.span.column) for hit in config.hits]


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (BASE, True),
        ("staticResources: {}\n", True),
        ("# a comment\n---\ndynamic_resources:\n  cds_config: {ads: {}}\n", True),
        ('{"static_resources": {"clusters": []}}', True),
        ('{"node": {"id": "a"}, "dynamic_resources": {}}', True),
        (f'resources:\n- "@type": {TYPES}.config.cluster.v3.Cluster\n  name: a\n', True),
        (f'{{"resources": [{{"@type": "{TYPES}.config.endpoint.v3.ClusterLoadAssignment"}}]}}', True),
        ("apiVersion: v1\nkind: ConfigMap\ndata:\n  envoy.yaml: |\n    static_resources: {}\n", False),
        ("resources:\n  - deployment.yaml\n", False),
        ("resources:\n  limits: {cpu: 1}\n", False),
        ("a:\n  static_resources: {}\n", False),
        ('{"a": {"static_resources": {}}}', False),
        ("services:\n  web: {image: envoy}\n", False),
        ("", False),
    ],
)
def test_recognises(text, known):
    assert envoy.recognises(Source("a.yaml", text)) is known


#: Changes to BASE and what is said about them: code and line, or nothing where Envoy takes it.
REFUSALS = {
    "base": ((), None),
    "unknown field": ((("type: STATIC", "typ: STATIC"),), ("E06", 23)),
    "unknown field in a filter": ((("stat_prefix: web", "stat_prefix: web\n          sever_name: x"),), ("E06", 11)),
    "number for a name": ((("name: all", "name: 123"),), ("E09", 13)),
    "word that is a boolean": ((("name: all", "name: on"),), ("E09", 13)),
    "quoted number": ((("name: all", 'name: "123"'),), None),
    "enum in small letters": ((("type: STATIC", "type: static"),), None),
    "enum by number": ((("type: STATIC", "type: 0"),), None),
    "enum by a number in quotes": ((("type: STATIC", "type: '00'"),), None),
    "enum by a number with a point": ((("type: STATIC", "type: '0.0'"),), ("E09", 23)),
    "enum with a dash": ((("type: STATIC", "type: strict-dns"),), ("E09", 23)),
    "enum": ((("type: STATIC", "type: STATIK"),), ("E09", 23)),
    "port as text": ((("port_value: 8080", 'port_value: "8080"'),), None),
    "port as float": ((("port_value: 8080", "port_value: 8080.0"),), None),
    "port too large": ((("port_value: 8080", "port_value: 80800"),), ("E09", 29)),
    "duration without unit": ((("connect_timeout: 1s", "connect_timeout: 1"),), ("E09", 24)),
    "duration in milliseconds": ((("connect_timeout: 1s", "connect_timeout: 100ms"),), ("E09", 24)),
    "duration in parts": ((("connect_timeout: 1s", "connect_timeout: {seconds: 1}"),), None),
    "duration of nothing in parts": ((("connect_timeout: 1s", "connect_timeout: {seconds: 0}"),), ("E09", 24)),
    "duration of zero": ((("connect_timeout: 1s", "connect_timeout: 0s"),), ("E09", 24)),
    "camel case": ((("connect_timeout", "connectTimeout"),), None),
    "absent list": ((("connect_timeout: 1s", "health_checks:"),), None),
    "one for a list": ((('domains: ["*"]', 'domains: "*"'),), None),
    "no domain": ((('domains: ["*"]', "domains: []"),), ("E09", 14)),
    "two of a choice": ((("{cluster: app}", "{cluster: app, cluster_header: x}"),), ("E14", 17)),
    "none of a choice": (((ROUTE, ""),), ("E08", 16)),
    "no port": ((("address: 127.0.0.1, port_value: 10000", "address: 127.0.0.1"),), ("E08", 4)),
    "missing field": ((("      cluster_name: app\n", ""),), ("E08", 26)),
    "weight of zero": ((("- endpoint: {", "- load_balancing_weight: 0\n          endpoint: {"),), ("E09", 29)),
    "name in a static cluster": ((("10.0.0.1", "host.example"),), ("E09", 29)),
    "two names of one logical cluster": ((("STATIC", "LOGICAL_DNS"),), ("E14", 29)),
    "domain twice": ((('["*"]', '["*", "*"]'),), ("E10", 14)),
    "cluster twice": ((("  clusters:\n", f"  clusters:\n  - name: app\n    type: STATIC\n{ENDPOINTS}"),), ("E10", 30)),
    "merge key": ((("connect_timeout: 1s", "<<: {connect_timeout: 1s}"),), ("E06", 24)),
    "alias": ((("connect_timeout: 1s", "connect_timeout: &t 1s\n    dns_refresh_rate: *t"),), None),
    "boolean as text": ((("connect_timeout: 1s", 'respect_dns_ttl: "true"'),), None),
    "boolean as yes": ((("connect_timeout: 1s", "respect_dns_ttl: yes"),), None),
    "extension without its type": (((ROUTER, ""),), ("E08", 19)),
    "extension that may be missing": (((ROUTER, "            is_optional: true\n"),), None),
    "listener without an address": (((BASE.splitlines(keepends=True)[3], ""),), ("E08", 3)),
    "split without a weight": (
        (("{cluster: app}", "{weighted_clusters: {clusters: [{name: app, weight: 1}, {name: app}]}}"),),
        ("E08", 17),
    ),
    "gRPC check over HTTP/1.1": ((("connect_timeout: 1s", f"health_checks: [{CHECK}]"),), ("E14", 24)),
    "misspelled type": ((("router.v3.Router}", "router.v3.Ruter}"),), ("E09", 20)),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_says_what_envoy_refuses(name):
    changes, wanted = REFUSALS[name]
    found = [(code, line) for code, line, _ in said(load(changed(*changes)))]
    assert found == ([] if wanted is None else [wanted])


@pytest.mark.skipif(ENVOY is None, reason="envoy is not installed")
@pytest.mark.parametrize("name", REFUSALS)
def test_envoy_agrees(name, tmp_path):
    changes, wanted = REFUSALS[name]
    accepted, words = verdict("envoy", {"envoy.yaml": changed(*changes)}, tmp_path)
    assert accepted is (wanted is None), words
    assert "envoy" in verdicts.BINARIES


def test_duplicate_keys_are_a_warning_and_the_last_counts():
    config = load(changed(("type: STATIC", "type: STATIC\n    type: STRICT_DNS"), ("10.0.0.1", "host.example")))
    assert [(hit.code, hit.severity) for hit in config.hits] == [("E10", "warning")]
    assert config.pools[0].options["discovery"].value == "STRICT_DNS"


def test_what_older_envoys_take_is_a_warning():
    config = load(changed((ROUTER, "")))
    assert [(hit.code, hit.severity) for hit in config.hits] == [("E08", "warning")]


def test_a_duration_in_parts():
    config = load(changed(("connect_timeout: 1s", "connect_timeout: {seconds: 2, nanos: 500000000}")))
    assert config.pools[0].timeouts["connect"].value == 2.5


def test_of_a_key_twice_the_last_counts():
    config = load(changed(("type: STATIC", "load_assignment:\n    type: STATIC")))
    assert [(hit.code, hit.severity) for hit in config.hits] == [("E10", "warning")]
    assert len(config.pools[0].servers) == 2


def test_places():
    config = load(changed(("type: STATIC", "typ: STATIC")))
    assert said(config) == [("E06", 23, 5)]
    (pool,) = config.pools
    assert (pool.span.line, pool.span.text) == (22, "app")
    assert [server.span.text for server in pool.servers] == ["10.0.0.1", "10.0.0.2"]


def test_the_model_of_the_base():
    config = load(BASE)
    (frontend,) = config.frontends
    (pool,) = config.pools
    assert (frontend.name, frontend.hosts, frontend.protocol) == ("web/all", [], "http")
    assert [listener.address.text for listener in frontend.listeners] == ["127.0.0.1:10000"]
    (route,) = frontend.routes
    assert (route.match, route.targets[0].pool, route.timeouts["server"].value) == (((),), pool, 15.0)
    assert (pool.algorithm.name, pool.open, pool.timeouts["connect"].value) == ("round_robin", None, 1.0)
    assert [(server.address.key, server.weight.value, server.checked.value) for server in pool.servers] == [
        (("ipv4", "10.0.0.1", 8080), 1, False),
        (("ipv4", "10.0.0.2", 8080), 1, False),
    ]
    assert config.unmodelled == []
    assert config.open is None


def test_json_and_yaml_are_the_same():
    import yaml

    config = load(json.dumps(yaml.safe_load(BASE)), "envoy.json")
    assert not config.hits
    assert [server.name for server in config.pools[0].servers] == ["10.0.0.1:8080", "10.0.0.2:8080"]


def test_localities_priorities_and_weights():
    text = changed(
        (
            "      - lb_endpoints:\n",
            "      - locality: {region: r, zone: a}\n        load_balancing_weight: 3\n        lb_endpoints:\n",
        ),
        (
            "        - endpoint: {address: {socket_address: {address: 10.0.0.2",
            (
                "      - locality: {zone: b}\n        priority: 1\n        lb_endpoints:\n"
                "        - load_balancing_weight: 7\n          health_status: DRAINING\n"
                "          endpoint: {address: {socket_address: {address: 10.0.0.2"
            ),
        ),
    )
    one, other = load(text).pools[0].servers
    assert (one.role, one.zone.value, one.options["locality weight"].value) == ("primary", "a", 3)
    assert (other.role, other.priority.value, other.weight.value, other.enabled) == ("backup", 1, 7, False)
    assert (one.options["locality"].value, other.options["locality"].value) == ("r/a/", "/b/")


@pytest.mark.parametrize(
    ("lines", "name", "options"),
    [
        (
            "lb_policy: LEAST_REQUEST\n    least_request_lb_config: {choice_count: 3}",
            "least_request",
            {"choice_count": 3},
        ),
        (
            "lb_policy: RING_HASH\n    ring_hash_lb_config: {minimum_ring_size: 9}",
            "ring_hash",
            {"minimum_ring_size": 9},
        ),
        ("lb_policy: MAGLEV\n    maglev_lb_config: {table_size: 251}", "maglev", {"table_size": 251}),
        ("lb_policy: 3", "random", {}),
        (
            (
                "lb_policy: RANDOM\n    load_balancing_policy: {policies: [{typed_extension_config: "
                "{name: a, typed_config: "
                f'{{"@type": {TYPES}.extensions.load_balancing_policies.maglev.v3.Maglev, table_size: 251}}}}}}]}}'
            ),
            "maglev",
            {"table_size": 251},
        ),
    ],
)
def test_policies(lines, name, options):
    config = load(changed(("connect_timeout: 1s", lines)))
    assert not config.hits
    algorithm = config.pools[0].algorithm
    assert algorithm.name == name
    assert {key: setting.value for key, setting in algorithm.options.items()} == options


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("type: EDS\n    eds_cluster_config: {eds_config: {ads: {}}}", "EDS"),
        ("type: ORIGINAL_DST\n    lb_policy: CLUSTER_PROVIDED", "ORIGINAL_DST"),
        (
            (
                "cluster_type: {name: envoy.clusters.aggregate, typed_config: "
                f'{{"@type": {TYPES}.extensions.clusters.aggregate.v3.ClusterConfig, clusters: [a]}}}}'
            ),
            "aggregate",
        ),
    ],
)
def test_open_pools(lines, reason):
    config = load(changed((BASE[BASE.index("    type: STATIC") :], f"    {lines}\n")))
    assert not config.hits
    assert reason in config.pools[0].open


@pytest.mark.parametrize(
    ("match", "condition"),
    [
        ("{path: /a}", ("path", "exact", ["/a"])),
        ("{path_separated_prefix: /a}", ("path", "path_prefix", ["/a"])),
        ('{safe_regex: {regex: "/a|/b"}}', ("path", "regex", ["^(?:/a|/b)$"])),
        ("{prefix: /, headers: [{name: x-a, string_match: {exact: b}}]}", ("header:x-a", "exact", ["b"])),
        ('{prefix: /, headers: [{name: ":method", string_match: {exact: GET}}]}', ("method", "exact", ["GET"])),
        ("{prefix: /, headers: [{name: x-a, present_match: true}]}", ("header:x-a", "exists", [])),
        ("{prefix: /, query_parameters: [{name: q, present_match: true}]}", ("query:q", "exists", [])),
    ],
)
def test_matches(match, condition):
    config = load(changed(("{prefix: /}", match)))
    assert not config.hits
    (((found,),),) = [route.match for route in config.frontends[0].routes]
    assert (found.field, found.op, sorted(found.values)) == condition


def test_fractions_never_cover_each_other():
    fraction = "{prefix: /, runtime_fraction: {default_value: {numerator: 50}}}"
    config = load(changed((MATCH + ROUTE, (MATCH.replace("{prefix: /}", fraction) + ROUTE) * 2)))
    one, other = (route.match[0][0] for route in config.frontends[0].routes)
    assert one.field == "opaque"
    assert one.key != other.key


def test_weighted_clusters():
    weights = "weighted_clusters: {clusters: [{name: app, weight: 3}, {name: gone, weight: 1}]}"
    config = load(changed(("{cluster: app}", f"{{{weights}}}")))
    first, second = config.frontends[0].routes[0].targets
    assert (first.share, first.pool.name) == (0.75, "app")
    assert (second.share, second.pool) == (0.25, None)


HTTP = "type.googleapis.com/envoy.extensions.filters.http"
SET = "                typed_per_filter_config: {envoy.filters.http.fault: FILTER}\n"
ABORT = f"{{'@type': {HTTP}.fault.v3.HTTPFault, abort: {{http_status: 503, percentage: {{numerator: 100}}}}}}"
DELAY = f"{{'@type': {HTTP}.fault.v3.HTTPFault, delay: {{fixed_delay: 1s, percentage: {{numerator: 100}}}}}}"
FILTERS = "          http_filters:\n"
ANSWERED = "requests that a fault answers before they reach a host"
STRUCT = "type.googleapis.com/xds.type.v3.TypedStruct"
SUBSETS = "    lb_subset_config: {subset_selectors: [{keys: [version]}]}\n"


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ((FILTERS, FILTERS + f"          - {{name: envoy.filters.http.fault, typed_config: {ABORT}}}\n"), [ANSWERED]),
        ((FILTERS, FILTERS + f"          - {{name: envoy.filters.http.fault, typed_config: {DELAY}}}\n"), []),
        ((ROUTE, ROUTE + SET.replace("FILTER", ABORT)), [ANSWERED]),
        (
            (FILTERS, FILTERS + f"          - {{name: lua, typed_config: {{'@type': {HTTP}.lua.v3.Lua}}}}\n"),
            ["what a Lua script does with requests"],
        ),
        (
            (
                FILTERS,
                FILTERS
                + f"          - {{name: lua, typed_config: {{'@type': {STRUCT}, type_url: {HTTP}.lua.v3.Lua}}}}\n",
            ),
            ["what a Lua script does with requests"],
        ),
        (("    connect_timeout: 1s\n", SUBSETS), ["the subset of its hosts that metadata chooses"]),
    ],
)
def test_what_else_decides_is_counted_as_not_checked(change, reasons):
    assert [place.reason for place in load(changed(change)).unmodelled] == reasons


def test_a_cluster_that_a_header_names_is_not_known():
    config = load(changed(("{cluster: app}", "{cluster_header: x-cluster}")))
    (route,) = config.frontends[0].routes
    assert (route.outcome, route.expression) == ("unknown", "the header x-cluster")


def test_files_that_a_bootstrap_names_are_part_of_it():
    clusters = f'resources:\n- "@type": {TYPES}.config.cluster.v3.Cluster\n' + "".join(
        line[2:] for line in BASE[BASE.index("  - name: app") + 4 :].splitlines(keepends=True)
    ).replace("me: app", "  name: app", 1)
    listeners = BASE[: BASE.index("  clusters:")]
    sources = "dynamic_resources:\n  cds_config: {path_config_source: {path: /etc/envoy/cds.yaml}}\n"
    files = {"a/envoy.yaml": listeners + sources, "a/cds.yaml": clusters, "b/cds.yaml": clusters}
    config, other = envoy.read(list(files), DiskFiles(memory=files))
    assert [source.path for source in config.files] == ["a/envoy.yaml", "a/cds.yaml"]
    assert config.frontends[0].routes[0].targets[0].pool is config.pools[0]
    assert (config.open, other.open) == (None, "resources of an Envoy whose bootstrap was not seen")
    (alone,) = envoy.read(["a/envoy.yaml"], DiskFiles(memory=files))
    assert "cds.yaml, which was not given" in alone.open


def test_clusters_that_filters_name_are_in_use():
    tracing = '          tracing: {provider: {name: z, typed_config: {"@type": ' + TYPES
    tracing += ".config.trace.v3.ZipkinConfig, collector_cluster: zipkin, collector_endpoint: /x}}}\n"
    config = load(changed(("          route_config:\n", tracing + "          route_config:\n")))
    assert not config.hits
    assert ("", "zipkin") not in config.used  # no cluster of that name
    more = f"  clusters:\n  - name: zipkin\n    type: STATIC\n{ENDPOINTS}"
    config = load(
        changed(("          route_config:\n", tracing + "          route_config:\n"), ("  clusters:\n", more))
    )
    assert ("", "zipkin") in config.used


@pytest.mark.parametrize(
    "change",
    [
        ("port_value: 8080", 'port_value: "{{ port }}"'),
        ("port_value: 8080", "port_value: ${PORT}"),
        ("port_value: 8080", "port_value: HOST_PORT"),
        ("port_value: 8080", "port_value: PORT"),
        ("port_value: 8080", "port_value: $port"),
        ("10.0.0.1", "LOCAL_SERVICE_IP"),
        ("10.0.0.1", "{{ host }}"),
        ("connect_timeout: 1s", "connect_timeout: ${TIMEOUT}"),
        ("connect_timeout: 1s", "{% if x %}connect_timeout: 1s{% endif %}"),
    ],
)
def test_templates_are_no_mistakes(change):
    assert [hit.code for hit in load(changed(change)).hits] == []


def test_a_second_document_is_not_read_by_envoy():
    config = load(BASE + "---\n" + BASE.replace("app", "other"))
    assert [pool.name for pool in config.pools] == ["app"]
    assert "first document" in config.unmodelled[0].reason


def test_version_2_is_not_checked():
    text = "static_resources:\n  clusters:\n  - name: a\n    hosts: [{socket_address: {address: a, port_value: 1}}]\n"
    config = load(text)
    assert not config.hits
    assert "version 2" in config.unmodelled[0].reason


SPIFFE = "spiffe://example.org/ns/shop/sa/app"
TLS = """\
    type: STRICT_DNS
    transport_socket:
      name: tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        common_tls_context: {context}
"""


SECRET = "validation_context_sds_secret_config: {name: ca, sds_config: {path_config_source: {path: ca.yaml}}}"
URI = f"{{san_type: URI, matcher: {{exact: '{SPIFFE}'}}}}"


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ("{}", True),
        ("{match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: app}}]}", True),
        (f"{{match_typed_subject_alt_names: [{URI}]}}", False),
        (f"{{match_subject_alt_names: [{{exact: '{SPIFFE}'}}]}}", False),
        ("{match_subject_alt_names: [{exact: app}]}", True),
    ],
)
@pytest.mark.parametrize(
    "around",
    [
        "{validation_context: CONTEXT}",
        f"{{combined_validation_context: {{default_validation_context: CONTEXT, {SECRET}}}}}",
    ],
)
def test_a_server_known_by_a_uri_needs_no_name(around, context, told):
    tls = TLS.replace("{context}", around.replace("CONTEXT", context))
    config = changed(("    type: STATIC\n", tls), ("10.0.0.1", "app"), ("10.0.0.2", "app"))
    assert ("L02" in [finding.code for finding in judge(Settings())(load(config)).findings]) is told


@pytest.mark.parametrize(
    ("name", "severity"), [("app", "info"), ("localhost", "info"), ("app.", "info"), ("app.example.com", "warning")]
)
def test_a_name_of_one_label_mostly_has_one_certificate(name, severity):
    tls = TLS.replace("{context}", "{validation_context: {trusted_ca: {filename: ca.pem}}}")
    config = changed(("    type: STATIC\n", tls), ("10.0.0.1", name), ("10.0.0.2", name))
    said = [finding.severity for finding in judge(Settings())(load(config)).findings if finding.code == "L02"]
    assert said == [severity]


def test_the_admin_interface():
    config = load("admin:\n  address: {socket_address: {address: 0.0.0.0, port_value: 9901}}\n" + BASE)
    (admin,) = config.admins
    assert (admin.kind, admin.address.text, admin.protected, admin.writable) == ("admin", "0.0.0.0:9901", "", True)


@pytest.mark.parametrize(
    ("host", "told"), [("0.0.0.0", ["O01"]), ("$server_ip", []), ("${HOST}", []), ("ADMIN_HOST", []), ("127.0.0.1", [])]
)
def test_an_admin_interface_whose_address_is_filled_in_later(host, told):
    admin = f"admin:\n  address: {{socket_address: {{address: {host!r}, port_value: 9901}}}}\n"
    assert [one.code for one in judge(Settings())(load(admin + BASE)).findings if one.code == "O01"] == told


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        ("", False),
        ("layered_runtime: {layers: [{name: base, static_layer: {}}]}\n", False),
        ("layered_runtime: {layers: [{name: base, static_layer: {}}, {name: admin, admin_layer: {}}]}\n", True),
    ],
)
def test_the_runtime_is_changed_only_where_it_has_an_admin_layer(layers, told):
    """Envoy 1.40 answers `/runtime_modify` with "No admin layer specified" otherwise."""
    admin = "admin:\n  address: {socket_address: {address: 0.0.0.0, port_value: 9901}}\n"
    (finding,) = [one for one in judge(Settings())(load(layers + admin + BASE)).findings if one.code == "O01"]
    assert ("change its runtime" in finding.message) is told
    assert "stop the proxy" in finding.message
    assert "allow_paths" in finding.help
    assert "password" not in finding.help


def test_broken_texts_never_raise():
    """Any text that begins as a bootstrap ends in hits or notes."""
    draw = random.Random(1)
    lines = BASE.splitlines()
    for _ in range(300):
        kept = list(lines)
        for _ in range(draw.randrange(1, 6)):
            at = draw.randrange(len(kept))
            kept[at] = draw.choice(
                [
                    "",
                    kept[at][: draw.randrange(len(kept[at]) + 1)],
                    kept[at] + " [",
                    kept[at].replace(":", ": []", 1),
                    kept[at].replace(": ", ": {a: ", 1),
                    "  " + kept[at],
                    kept[at].partition(":")[0] + ": null",
                    kept[at].partition(":")[0] + ": 99999999999999999999999",
                    kept[at].partition(":")[0] + ": [[[1]]]",
                ]
            )
        load("\n".join(kept))


@pytest.mark.parametrize(("comment", "said"), [("", True), (" # twice on purpose", False)])
def test_eds_keeps_the_first_host_of_an_address(comment, said):
    def endpoint(port, weight):
        address = f"{{socket_address: {{address: 10.0.0.1, port_value: {port}}}}}"
        return f"    - {{endpoint: {{address: {address}}}, load_balancing_weight: {weight}}}"

    text = "resources:\n" + "\n".join(
        [
            '- "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster',
            "  name: app",
            "  type: EDS",
            "  eds_cluster_config: {eds_config: {ads: {}}}",
            '- "@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
            "  cluster_name: app",
            "  endpoints:",
            "  - lb_endpoints:",
            endpoint(80, 10),
            endpoint(81, 10),
            "  - priority: 1",
            "    lb_endpoints:",
            endpoint(81, 5) + comment,
        ]
    )
    (config,) = envoy.read(["eds.yaml"], DiskFiles(memory={"eds.yaml": text}))
    (pool,) = config.pools
    assert [server.address.port for server in pool.servers] == [80, 81]
    found = [hit for hit in server_duplicate(config, Context()) if hit.code == "P04"]
    assert [hit.span.line for hit in found] == [14] * said


ROUTES = """\
- "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: web{more}
  virtual_hosts:
  - {{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: nowhere}}}}]}}
"""


@pytest.mark.parametrize(
    ("more", "effect"),
    [("", "answers 503"), ("\n  validate_clusters: true", "takes none of the routes")],
)
def test_a_cluster_that_routes_of_rds_miss(more, effect):
    """Envoy 1.40 answers 503, and 404 where it validates."""
    before, _, rest = BASE.partition("          route_config:")
    source = "config_source: {path_config_source: {path: routes.yaml}}"
    rds = f"          rds: {{route_config_name: web, {source}}}\n          http_filters:"
    texts = {
        "envoy.yaml": before + rds + rest.partition("          http_filters:")[2],
        "routes.yaml": "resources:\n" + ROUTES.format(more=more),
    }
    (config,) = envoy.read([*texts], DiskFiles(memory=texts))
    (hit,) = pool_undefined(config, Context())
    assert effect in hit.args["effect"]


@pytest.mark.parametrize(
    ("more", "effect"), [("", "does not start"), ("            validate_clusters: false\n", "answers 503")]
)
def test_a_cluster_that_routes_in_the_listener_miss(more, effect):
    text = BASE.replace("cluster: app}", "cluster: nowhere}").replace("route_config:\n", "route_config:\n" + more)
    (config,) = envoy.read(["envoy.yaml"], DiskFiles(memory={"envoy.yaml": text}))
    (hit,) = pool_undefined(config, Context())
    assert effect in hit.args["effect"]
