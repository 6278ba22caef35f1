"""Rehearsals on the real nginx and HAProxy, in sandboxes of their own."""

from __future__ import annotations

import os
import socket

import proxies
import pytest
from rehearsal.configs import CASES, haproxy, nginx
from rehearsal.running import rehearsed, told
from rehearsal.sandboxes import needs_sandbox

from lbcheck import project
from lbcheck.project import Request
from lbcheck.rehearsal.judging import distribution, verdict
from lbcheck.rehearsal.planning.wishes import Wishes
from lbcheck.rehearsal.rehearse import rehearse
from lbcheck.traffic.algorithms import Shares

BUSY = "a limit or a rule, or a server that it does not reach"
pytestmark = [proxies.needs_nginx, proxies.needs_haproxy, needs_sandbox]


@pytest.mark.parametrize("name", CASES)
def test_counted_as_predicted(name, tmp_path):
    case, judged = CASES[name]
    found = rehearsed(tmp_path, case)
    assert found.accepted, found.native
    assert found.error is None
    assert {pool.name: (pool.judged, pool.passed, pool.reason) for pool in found.pools} == {
        pool: (how, True, None) for pool, how in judged.items()
    }
    assert all(pool.requests >= 200 and not pool.failed for pool in found.pools)


def test_the_outage():
    for path in ("fixtures/outage/before", "fixtures/outage/after"):
        for config in project.configs(project.prepare(Request((path,)))):
            found = rehearse(config, Wishes(losses=False))
            assert found.passed, found
            shop = next(pool for pool in found.pools if pool.name == "shop")
            shares = [round(server.measured, 3) for server in shop.servers]
            assert shares == ([0.833, 0.083, 0.083] if path.endswith("before") else [0.333, 0.333, 0.333])


@pytest.mark.parametrize("name", ["nginx, hashes pick by pick", "haproxy, names that do not exist, checked"])
def test_a_wrong_prediction_is_caught(name, tmp_path, monkeypatch):
    """What rehearsing is for: plant an algorithm that shares evenly by order, whatever is written."""
    case, _ = CASES[name]

    def even(pool, *_args, **_options):
        serving = [server.serving for server in pool.servers]
        return Shares([one / sum(serving) for one in serving])

    monkeypatch.setattr(verdict, "shares", even)
    monkeypatch.setattr(verdict, "picker", lambda _pool, _dialect: lambda _ask: 0)
    if "checked" in name:
        monkeypatch.setattr(verdict, "picker", lambda _pool, _dialect: None)
        monkeypatch.setattr(
            distribution, "window_picks", lambda weights, count: [at % len(weights) for at in range(count)]
        )
    found = rehearsed(tmp_path, case)
    assert not found.passed
    assert any(pool.passed is False and pool.reason for pool in found.pools)


def test_a_refused_config_is_told_at_its_own_place(tmp_path):
    found = rehearsed(tmp_path, nginx("    upstream app { server 10.0.0.1 wieght=3; }"))
    assert not found.accepted
    assert not found.passed
    (said,) = [message for message in found.native if message.line]
    assert said.path == str(tmp_path / "nginx.conf")
    assert (said.line, "wieght" in said.text) == (8, True)


def test_only_the_native_check(tmp_path):
    found = rehearsed(tmp_path, CASES["haproxy, names that do not exist, checked"][0], only_native=True)
    assert found.accepted
    assert found.passed
    assert not found.pools


def test_code_is_refused_unless_trusted(tmp_path):
    body = "listen web\n    bind :8080\n    option external-check\n    server a 10.0.0.1:80\n"
    found = rehearsed(tmp_path, haproxy(body))
    assert "--trust-config" in found.error
    assert not found.passed


def test_what_was_changed_is_listed(tmp_path):
    found = rehearsed(tmp_path, CASES["haproxy, TCP, cookies, random"][0], only_native=True)
    assert {change.before.split()[0] for change in found.rewrites} == {
        "daemon", "user", "group", "chroot", "nbthread",
    }  # fmt: skip
    assert all(change.path == str(tmp_path / "haproxy.cfg") and change.reason for change in found.rewrites)


def test_nothing_is_reached_outside(tmp_path):
    """A canary listens on this machine's loopback: the same address in the sandbox is another one."""
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.1)
        port = canary.getsockname()[1]
        body = f"""
    upstream app {{ server 127.0.0.1:{port}; server 10.0.0.2:80; }}
    error_log syslog:server=127.0.0.1:{port};
    server {{ listen 8080; location / {{ proxy_pass http://app; }} }}"""
        before = sorted(os.listdir("/run"))
        found = rehearsed(tmp_path, nginx(body))
        assert found.passed, found
        with pytest.raises(TimeoutError):
            canary.accept()
    assert sorted(os.listdir("/run")) == before
    assert not os.path.exists("/srv/logs")
    assert os.listdir(tmp_path) == ["nginx.conf"]


def test_what_the_proxy_answers_itself_is_no_failure(tmp_path):
    """Limits for each client are met by nobody, those for all by most; a cache asks its servers once."""
    body = """
    limit_req_zone $binary_remote_addr zone=each:1m rate=1r/s;
    limit_req_zone $server_port zone=all:1m rate=1r/m;
    proxy_cache_path /var/cache/nginx keys_zone=kept:1m;
    proxy_cache_valid any 1m;
    upstream each { server 10.0.0.1:80; server 10.0.0.2:80; }
    upstream all { server 10.0.1.1:80; server 10.0.1.2:80; }
    upstream kept { server 10.0.2.1:80; server 10.0.2.2:80; }
    server {
        listen 80;
        location /each { limit_req zone=each; proxy_pass http://each; }
        location /all { limit_req zone=all; proxy_pass http://all; }
        location /kept { proxy_cache kept; proxy_pass http://kept; }
    }"""
    found = rehearsed(tmp_path, nginx(body))
    assert found.passed, told(found)
    each, everybody, kept = found.pools
    assert (each.passed, each.requests, each.left_out) == (True, 240, None)
    assert (everybody.passed, kept.passed) == (None, None)
    assert everybody.reason == f"the proxy itself answered 240 of 240 requests (503): {BUSY}"
    assert kept.reason == "the proxy itself answered 240 of 240 requests (200): a cache or a rule"


def test_requests_that_a_draw_sends_elsewhere_are_not_missing(tmp_path):
    body = """
frontend web
    bind :80
    stick-table type ip size 1k expire 30s store http_req_rate(10s)
    http-request track-sc0 src
    http-request deny deny_status 429 if { sc_http_req_rate(0) gt 20 }
    use_backend canary if { rand(100) lt 20 }
    default_backend app
backend app
    server a 10.0.0.1:80
    server b 10.0.0.2:80
backend canary
    server c 10.0.1.1:80
"""
    found = rehearsed(tmp_path, haproxy(body))
    assert found.passed, told(found)
    app = found.pools[0]
    assert app.passed
    assert 100 < app.requests < 240
    assert app.left_out == f"{240 - app.requests} of 240 requests went to other pools"
