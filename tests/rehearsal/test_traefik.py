"""Rehearsals on the real Traefik, in sandboxes of their own."""

from __future__ import annotations

import json

import pytest
from cli.running import lbcheck
from proxies import TRAEFIK, needs_traefik
from rehearsal.canaries import Canaries, state
from rehearsal.running import rehearsed as anew
from rehearsal.running import told
from rehearsal.sandboxes import needs_sandbox
from rehearsal.traefiks import dynamic, service

from lbcheck import project
from lbcheck.project import Request
from lbcheck.rehearsal.judging import verdict
from lbcheck.rehearsal.planning.staging import NoBinaryError, binary
from lbcheck.rehearsal.planning.wishes import Wishes
from lbcheck.rehearsal.rehearse import rehearse
from lbcheck.traffic.algorithms import Shares

pytestmark = [needs_traefik, needs_sandbox]

CYCLES, PICKS, CHANCE = "whole cycles", "pick by pick", "chi-square"
THREE = ("10.0.0.1", "10.0.0.2", "10.0.0.3:8080")
CHECK = {"path": "/health", "interval": "1s", "timeout": "500ms"}
STICKY = {"cookie": {"name": "lb"}}


def rehearsed(folder, content, **wishes):
    return anew(folder, ("dynamic.yaml", json.dumps(content, indent=1)), binary=TRAEFIK, **wishes)


def pools(found):
    return {pool.name: (pool.judged, pool.passed, pool.reason) for pool in found.pools}


def test_turns_splits_and_chance(tmp_path):
    services = {
        "weighted": service(("10.0.0.1", 5), ("10.0.0.2", 2), "a.internal.test:8080"),
        "sticky": service(*THREE, sticky=STICKY),
        "two": service(*THREE, strategy="p2c"),
        "split": {"weighted": {"services": [{"name": "blue", "weight": 3}, {"name": "green", "weight": 1}],
                               "sticky": STICKY}},
        "blue": service("10.1.0.1", "10.1.0.2"),
        "green": service(("10.2.0.1", 2), ("10.2.0.2", 1)),
        "failing": {"failover": {"service": "main", "fallback": "spare"}},
        "main": service("10.3.0.1", "10.3.0.2", healthCheck=CHECK),
        "spare": service("10.4.0.1"),
    }  # fmt: skip
    found = rehearsed(tmp_path, dynamic(services, ["weighted", "sticky", "two", "split", "failing"]))
    assert found.error is None
    assert pools(found) == {
        "weighted": (CYCLES, True, None), "sticky": (CYCLES, True, None), "two": (CHANCE, True, None),
        "blue": (CYCLES, True, None), "green": (CYCLES, True, None), "failing": (CYCLES, True, None),
    }, told(found)  # fmt: skip
    assert all(pool.requests >= 200 and not pool.failed for pool in found.pools)


def test_clients_by_highest_random_weight(tmp_path):
    found = rehearsed(tmp_path, dynamic({"app": service(("10.0.0.1", 3), *THREE[1:], strategy="hrw")}))
    if any("strategy" in one.text for one in found.native):
        pytest.skip("this Traefik has no strategy hrw")
    assert pools(found) == {"app": (PICKS, True, None)}, told(found)


@pytest.mark.parametrize("path", ["fixtures/same-service/traefik", "fixtures/same-service/traefik/shop.yaml"])
def test_the_same_service(path):
    (config,) = project.configs(project.prepare(Request((path,))))
    found = rehearse(config, Wishes(losses=False, binary=TRAEFIK))
    assert pools(found) == {"web": (CYCLES, True, None), "api": (CYCLES, True, None)}, told(found)
    assert len(found.rewrites) == (1 if path.endswith("shop.yaml") else 0)


STATIC = """\
[entryPoints.web]
  address = ":80"
[entryPoints.websecure]
  address = "192.0.2.1:443"
[entryPoints.db]
  address = ":5432"
[providers.file]
  directory = "/etc/traefik/conf.d"
[accessLog]
  filePath = "/srv/logs/access.log"
[certificatesResolvers.le.acme]
  email = "a@example.com"
  storage = "/letsencrypt/acme.json"
  [certificatesResolvers.le.acme.tlsChallenge]
"""
SECURE = """\
http:
  routers:
    shop:
      rule: Host(`shop.example.com`) && PathPrefix(`/api`)
      service: secure@file
      entryPoints: [websecure]
      tls: {certResolver: le}
  services:
    secure:
      loadBalancer:
        serversTransport: mine
        servers: [{url: "https://10.2.0.1"}, {url: "https://b.internal.test"}]
  serversTransports:
    mine: {serverName: app.example.com, rootCAs: [/etc/nowhere/ca.pem]}
"""
DATABASE = """\
[tcp.routers.db]
  rule = "HostSNI(`*`)"
  entryPoints = ["db"]
  service = "db"
[[tcp.services.db.loadBalancer.servers]]
  address = "10.3.0.1:5432"
[[tcp.services.db.loadBalancer.servers]]
  address = "db.internal.test:5432"
[[tls.certificates]]
  certFile = "/etc/nowhere/a.crt"
  keyFile = "/etc/nowhere/a.key"
"""


def test_a_static_file_with_tls_on_both_sides_and_tcp(tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "traefik.toml").write_text(STATIC)
    (tmp_path / "conf.d" / "secure.yaml").write_text(SECURE)
    (tmp_path / "conf.d" / "database.toml").write_text(DATABASE)
    (config,) = project.configs(project.prepare(Request((str(tmp_path),))))
    found = rehearse(config, Wishes(losses=False, binary=TRAEFIK))
    assert pools(found) == {"secure": (CYCLES, True, None), "db": (CYCLES, True, None)}, told(found)


@pytest.mark.parametrize("kind", ["refuses", "errors"])
def test_servers_lost(kind, tmp_path):
    services = {
        "app": service("10.0.0.1", ("10.0.0.2", 2), "10.0.0.3", healthCheck=CHECK),
        "failing": {"failover": {"service": "main", "fallback": "spare"}},
        "main": service("10.3.0.1", healthCheck=CHECK),
        "spare": service("10.4.0.1"),
        "bare": service("10.5.0.1", "10.5.0.2"),
    }
    found = rehearsed(tmp_path, dynamic(services, ["app", "failing", "bare"]), losses=True, kind=kind)
    seen = {
        (pool.name, loss.lost): {aspect.what: aspect.passed for aspect in loss.aspects}
        for pool in found.pools
        for loss in pool.losses
    }
    assert set(seen) == {("app", "10.0.0.1"), ("app", "10.0.0.2"), ("failing", "10.3.0.1"), ("bare", "10.5.0.1")}
    for aspects in seen.values():
        assert (aspects["detection"], aspects["shares"]) == (True, True), told(found)
    assert next(pool for pool in found.pools if pool.name == "failing").losses[0].backups
    assert found.passed, told(found)


def test_a_retry_saves_the_requests(tmp_path):
    content = dynamic({"app": service("10.0.0.1", "10.0.0.2")}, middlewares={"again": {"retry": {"attempts": 3}}})
    content["http"]["routers"]["app"]["middlewares"] = ["again"]
    found = rehearsed(tmp_path, content, losses=True)
    (loss,) = found.pools[0].losses
    assert (loss.failed_share, loss.predicted_failed_share) == (0.0, 0.0)
    assert found.passed, told(found)


def test_wrong_predictions_are_caught(tmp_path, monkeypatch):
    monkeypatch.setattr(verdict, "shares", lambda pool, *_args: Shares([1 / len(pool.servers)] * len(pool.servers)))
    found = rehearsed(tmp_path, dynamic({"app": service(("10.0.0.1", 3), "10.0.0.2")}))
    assert [(pool.judged, pool.passed) for pool in found.pools] == [(CYCLES, False)]
    assert not found.passed


PLUGINS = {
    "a middleware": ("dynamic.yaml", json.dumps(dynamic(
        {"app": service(*THREE)}, middlewares={"mine": {"plugin": {"mine": {"a": 1}}}}))),
    "one of the static file": (
        "traefik.yaml",
        """\
entryPoints: {web: {address: ':80'}}
providers: {file: {filename: a.yaml}}
experimental: {LOCALPLUGINS: {mine: {moduleName: example.com/mine}}}
""",
    ),
    "one in TOML": (
        "traefik.toml",
        """\
[entryPoints.web]
  address = ":80"
[providers.file]
  filename = "a.yaml"
[experimental.plugins.mine]
  moduleName = "example.com/mine"
  version = "v1"
""",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLUGINS)
def test_plugins_are_refused_unless_trusted(name, tmp_path):
    found = anew(tmp_path, PLUGINS[name], binary=TRAEFIK)
    assert "runs code); --trust-config lets it" in found.error
    assert str(tmp_path) in found.error
    found = anew(tmp_path, PLUGINS[name], binary=TRAEFIK, trusted=True)
    assert "--trust-config" not in (found.error or "")


def test_what_traefik_logs_is_told_at_its_place(tmp_path):
    content = dynamic({"app": service(*THREE)})
    content["http"]["routers"]["broken"] = {"rule": "Host(`a`)", "service": "nowhere", "entryPoints": ["web"]}
    found = rehearsed(tmp_path, content)
    (said,) = [one for one in found.native if "nowhere" in one.text]
    lines = json.dumps(content, indent=1).splitlines()
    assert lines[said.line - 1].strip().startswith('"broken"')
    assert found.pools[0].passed


@pytest.mark.parametrize(
    ("providers", "reason"),
    [
        ("{docker: {}}", "its routers come from docker"),
        ("{file: {filename: /etc/traefik/dyn.yaml}}", "it reads /etc/traefik/dyn.yaml, which was not given"),
        ("{file: {directory: /etc/traefik/dyn}}", "it reads /etc/traefik/dyn, of which nothing was given"),
    ],
)
def test_routers_that_are_not_there(providers, reason, tmp_path):
    found = anew(tmp_path, ("traefik.yaml", f"entryPoints: {{web: {{address: ':80'}}}}\nproviders: {providers}\n"),
                 binary=TRAEFIK)  # fmt: skip
    assert found.error == f"{reason}: the rehearsal does not cover that"


def test_the_static_file_that_is_made_is_listed(tmp_path):
    content = dynamic({"app": service(*THREE)})
    content["http"]["routers"]["other"] = {"rule": "Host(`a`)", "service": "app", "entryPoints": ["web", "inner"]}
    (tmp_path / "dynamic.yaml").write_text(json.dumps(content))
    found = lbcheck(tmp_path, "rehearse", "--no-losses", "--binary", TRAEFIK, "--show-rewrites", "dynamic.yaml")
    assert found.returncode == 0, found.stdout
    assert "added `a static file with the entry points web :80, inner :8001`: none was given" in found.stdout


def test_no_traefik_no_check_and_no_namespaces(tmp_path):
    (tmp_path / "dynamic.yaml").write_text(json.dumps(dynamic({"app": service(*THREE)})))
    found = lbcheck(tmp_path, "rehearse", "--binary", "/nowhere/traefik", "dynamic.yaml")
    assert (found.returncode, found.stdout) == (2, "")
    assert "/nowhere/traefik is not installed: download it from https://github.com/traefik/traefik/" in found.stderr
    with pytest.raises(NoBinaryError):
        binary("traefik", Wishes(binary="/nowhere/traefik"))
    found = lbcheck(tmp_path, "rehearse", "--binary", TRAEFIK, "--only-native", "dynamic.yaml")
    assert "Traefik has no check of its own" in found.stdout
    found = lbcheck(tmp_path, "rehearse", "--binary", TRAEFIK, "--no-namespaces", "dynamic.yaml")
    assert found.returncode == 2
    assert "without namespaces traefik is not rehearsed" in found.stdout


@pytest.mark.parametrize(("rule", "passed"), [("Host(`a.test`)", False), ("HostRegexp(`^a.test$`)", None)])
def test_a_service_that_traefik_does_not_build(rule, passed, tmp_path):
    """It answers 404 itself; where the rule leaves doubt whether the requests meet it, nothing is judged."""
    services = {
        "app": service(*THREE),
        "bare": service("10.1.0.1", "10.1.0.2"),
        "lost": {"failover": {"service": "bare", "fallback": "app"}},
    }
    content = dynamic(services, routed=["app"])
    content["http"]["routers"]["lost"] = {"rule": rule, "service": "lost", "entryPoints": ["web"]}
    found = rehearsed(tmp_path, content)
    by_name = {pool.name: pool.passed for pool in found.pools}
    assert (by_name["app"], by_name["lost"]) == (True, passed), told(found)
    (lost,) = [pool for pool in found.pools if pool.name == "lost"]
    assert "the proxy itself answers with 404" in lost.reason
    assert found.differs is (passed is False)


def test_nothing_outside_is_reached_or_written(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    tmp_path.chmod(0o755)
    folder = tmp_path / "config"
    folder.mkdir()
    with Canaries(outside) as canaries:
        for address in canaries.addresses:
            place = f"{address}:{canaries.port}"
            (folder / "traefik.yaml").write_text(
                f"entryPoints: {{web: {{address: ':8080'}}}}\nlog: {{filePath: {outside}/victim.txt, level: DEBUG}}\n"
                f"providers: {{file: {{filename: dynamic.yaml}}, http: {{endpoint: 'http://{place}/'}},\n"
                f"  docker: {{endpoint: 'tcp://{place}'}}}}\n"
                "global: {checkNewVersion: true, sendAnonymousUsage: true}\n"
                f"tracing: {{otlp: {{http: {{endpoint: 'http://{place}/v1'}}}}}}\n"
            )
            services = {"app": service(place, "10.0.0.1", healthCheck=CHECK)}
            (folder / "dynamic.yaml").write_text(json.dumps(dynamic(services)))
            before = state(outside, folder)
            found = lbcheck(folder, "rehearse", "--output-format", "json", "--no-losses", "--binary", TRAEFIK, ".")
            told = json.loads(found.stdout)
            assert [config["error"] for config in told["configs"]] == [None], found.stdout
            assert [pool["name"] for pool in told["pools"]] == ["app"]
            assert canaries.reached() == []
            assert state(outside, folder) == before
