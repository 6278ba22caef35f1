"""Servers that are lost and come back, and reloads, on the real nginx and HAProxy."""

from __future__ import annotations

import time

import proxies
import pytest
from rehearsal.configs import haproxy, nginx
from rehearsal.running import rehearsed, told
from rehearsal.sandboxes import needs_sandbox

from lbcheck.traffic.aftermath import Aftermath
from lbcheck.traffic.algorithms import Shares
from lbcheck.traffic.scenario import ERRORS, HANGS

pytestmark = [proxies.needs_nginx, proxies.needs_haproxy, needs_sandbox]

HAPROXY = haproxy(
    """
frontend web
    bind :80
    use_backend unchecked if { path_beg /unchecked/ }
    default_backend app
backend app
    option httpchk GET /health
    option redispatch
    timeout connect 300ms
    server a 10.0.0.1:80 check inter 200ms weight 2
    server b 10.0.0.2:80 check inter 200ms
    server c 10.0.0.3:80 check inter 200ms backup
backend unchecked
    retries 0
    server a 10.0.1.1:80
    server b 10.0.1.2:80
"""
)
NGINX = nginx(
    """
    upstream app { server 10.0.0.1:8080 weight=2 fail_timeout=1s; server 10.0.0.2:8080 fail_timeout=1s; }
    upstream keys {
        hash $arg_user consistent;
        server 10.0.1.1:80;
        server 10.0.1.2:80 fail_timeout=1s;
        server 10.0.1.3:80;
    }
    server {
        listen 8080;
        proxy_connect_timeout 300ms;
        location / { proxy_pass http://app; }
        location /keys/ { proxy_pass http://keys; proxy_next_upstream off; }
    }"""
)


def losses(found):
    assert found.error is None
    return {(pool.name, loss.lost): loss for pool in found.pools for loss in pool.losses}


def judged(loss):
    return {aspect.what: aspect.passed for aspect in loss.aspects}


def test_haproxy_loses_each_server(tmp_path):
    found = rehearsed(tmp_path, HAPROXY, losses=True)
    assert found.passed, told(found)
    seen = losses(found)
    assert set(seen) == {("app", "a"), ("app", "b"), ("unchecked", "a")}  # its second one is like the first
    for name in "ab":
        loss = seen["app", name]
        assert judged(loss) == {"detection": True, "failed requests": True, "shares": True}
        assert 0.2 <= loss.detection_s <= loss.predicted_detection_s + 1.5
        assert loss.predicted_detection_s == pytest.approx(0.6)
        assert (loss.failed, loss.backups) == (0, False)
        assert 0.1 < loss.recovery_s < 3
    assert [server.served > 0 for server in seen["app", "a"].servers] == [False, True, False]
    unchecked = seen["unchecked", "a"]
    assert unchecked.alike == 2
    assert unchecked.detection_s is None
    assert unchecked.failed_share == pytest.approx(0.5, abs=0.05) == unchecked.predicted_failed_share
    assert judged(unchecked) == {"detection": True, "failed requests": True, "shares": True}


def test_nginx_loses_each_server(tmp_path):
    found = rehearsed(tmp_path, NGINX, losses=True, patience=10.0, lose=("app/10.0.0.1:8080", "keys/10.0.1.2:80"))
    assert found.passed, told(found)
    app, keys = losses(found).values()
    assert app.failed == 0
    assert app.detection_s < 0.5 < app.predicted_detection_s
    assert 0 < app.recovery_s < 5  # nginx counts whole seconds
    assert [server.served > 0 for server in app.servers] == [False, True]
    assert [aspect.judged for aspect in keys.aspects if aspect.what == "shares"] == ["pick by pick"]
    assert 1 <= keys.failed <= 3


@pytest.mark.parametrize("kind", [HANGS, ERRORS, "slow"])
def test_other_kinds_of_loss(kind, tmp_path):
    found = rehearsed(tmp_path, HAPROXY, losses=True, kind=kind, lose=("app/a",))
    assert found.passed, told(found)
    (loss,) = losses(found).values()
    assert loss.kind == kind
    assert loss.requests > 50
    if kind == "slow":
        assert set(judged(loss).values()) == {None}
    else:
        assert judged(loss) == {"detection": True, "failed requests": True, "shares": True}
        assert loss.detection_s <= loss.predicted_detection_s + 1.5
        assert (loss.failed > 5) == (kind == ERRORS)


def test_backups_come_in(tmp_path):
    body = """
listen app
    bind :80
    server a 10.0.0.1:80 check inter 200ms
    server b 10.0.0.2:80 check inter 200ms backup
"""
    found = rehearsed(tmp_path, haproxy(body), losses=True, lose=("a",))
    assert found.passed, told(found)
    (loss,) = losses(found).values()
    assert loss.backups
    assert [server.measured for server in loss.servers] == [0.0, 1.0]


def test_a_wrong_prediction_of_a_loss_is_caught(tmp_path, monkeypatch):
    """Plant survivors that share by something else than their weights."""
    body = """
listen app
    bind :80
    server a 10.0.0.1:80 check inter 200ms
    server b 10.0.0.2:80 check inter 200ms weight 3
    server c 10.0.0.3:80 check inter 200ms
"""
    monkeypatch.setattr(Aftermath, "_shares", lambda _self, _counts: Shares([0.0, 0.25, 0.75]))
    found = rehearsed(tmp_path, haproxy(body), losses=True, lose=("a",))
    assert not found.passed
    (loss,) = losses(found).values()
    assert judged(loss)["shares"] is False
    assert judged(loss)["detection"] is True


def test_requests_that_a_reload_loses(tmp_path):
    after = nginx("    upstream app { server 10.0.0.1:80; server 10.0.0.3:80 weight=2; }\n    SERVER")
    server = "server { listen 8080; location / { proxy_pass http://app; } }"
    for text, lost in ((server, False), (server.replace("8080", "8081"), True)):
        found = rehearsed(tmp_path, (after[0], after[1].replace("SERVER", text)), old=NGINX)
        assert found.reload.passed is not lost, found.reload
        assert (found.reload.lost > 0) is lost
        assert found.reload.requests > 50
        assert found.passed is not lost
        (pool,) = found.reload.pools
        assert (pool.passed, [server.measured for server in pool.servers]) == (True, [pytest.approx(1 / 3), 2 / 3])


def test_haproxy_reloads_without_loss(tmp_path):
    after = haproxy("listen app\n    bind :80\n    server b 10.0.0.2:80\n    server d 10.0.0.4:80 weight 3\n")
    found = rehearsed(tmp_path, after, old=HAPROXY)
    assert found.passed, told(found)
    assert found.reload.lost == found.reload.errors == 0
    (pool,) = found.reload.pools
    assert [server.measured for server in pool.servers] == [0.25, 0.75]


def test_a_reload_from_what_the_proxy_refuses(tmp_path):
    found = rehearsed(tmp_path, HAPROXY, old=haproxy("listen app\n    bind :80\n    blance roundrobin\n"))
    assert found.reload.passed is None
    assert "does not take the old config" in found.reload.reason


def test_a_server_on_the_proxy_s_own_machine(tmp_path):
    body = "listen app\n    bind :8080\n    server a 127.0.0.1:9001 check inter 200ms\n"
    found = rehearsed(tmp_path, haproxy(body), losses=True)
    assert found.passed, told(found)
    (loss,) = losses(found).values()
    assert judged(loss)["detection"] is True
    assert judged(loss)["shares"] is True  # nobody serves


def test_a_server_that_nobody_takes_out(tmp_path):
    body = (
        "server { listen 80; location / { proxy_pass http://app; } location /d { proxy_pass http://10.0.9.9:8000; } }"
    )
    found = rehearsed(tmp_path, nginx("    upstream app { server 10.0.0.1:80; }\n    " + body), losses=True)
    assert found.passed, told(found)
    assert [judged(loss)["detection"] for loss in losses(found).values()] == [True, True]
    assert [loss.detection_s for loss in losses(found).values()] == [None, None]


def test_a_server_whose_check_fails_here_is_not_lost(tmp_path):
    """It goes down of itself, and that is no sign that the loss was noticed; other protocols' checks are answered."""
    body = """
listen app
    bind :80
    option httpchk GET /
    http-check expect hdr name x-ready value 1
    server a 10.0.0.1:80 check inter 200ms fall 100
    server b 10.0.0.2:80 check inter 200ms
listen redis
    bind :6379
    mode tcp
    option redis-check
    server a 10.0.1.1:6379 check inter 200ms
listen tls
    bind :443
    mode tcp
    option ssl-hello-chk
    server a 10.0.2.1:443 check inter 200ms
"""
    found = rehearsed(tmp_path, haproxy(body), losses=True)
    assert found.passed, told(found)
    app, _, redis, tls = losses(found).values()
    assert (app.passed, app.reason) == (None, "no check of app/a passes here: the last one said L7STS")
    assert judged(redis)["detection"] is judged(tls)["detection"] is True
    assert redis.detection_s > 0.1 < tls.detection_s


@pytest.mark.soak
def test_how_long_it_takes(tmp_path):
    body = """
listen app
    bind :80
    server a 10.0.0.1:80 check weight 5
    server b 10.0.0.2:80 check weight 2
    server c 10.0.0.3:80 check
"""
    detection, recovery = 6.0, 4.0  # three checks, two seconds apart; then two good ones
    assert min(took(tmp_path, haproxy(body)) for _ in range(2)) < 5
    assert min(took(tmp_path, haproxy(body), losses=True) for _ in range(2)) < 5 + detection + recovery


def took(folder, case, **wishes):
    started = time.monotonic()
    found = rehearsed(folder, case, **wishes)
    assert found.passed, told(found)
    return time.monotonic() - started
