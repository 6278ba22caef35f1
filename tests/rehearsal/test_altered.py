"""Keys that a config writes anew on their way to the choice of a server."""

from __future__ import annotations

import proxies
import pytest
from checks.read import config
from rehearsal import running
from rehearsal.configs import haproxy
from rehearsal.running import rehearsed
from rehearsal.sandboxes import needs_sandbox

from lbcheck.rehearsal.judging.distribution import by_pick
from lbcheck.rehearsal.judging.loss_verdict import DETECTION, FAILED, SHARES, excused
from lbcheck.rehearsal.outcome import Aspect, MeasuredLoss
from lbcheck.rehearsal.planning.plan import plan
from lbcheck.rehearsal.play.load import Ask

HAPROXY = """\
frontend web
    mode http
    bind :80
    {front}
    default_backend app
frontend other
    mode http
    bind :81
    http-request set-path /x
    http-request set-header X-User anon
    default_backend beside
backend app
    mode http
    balance {balance}
    {back}
    server s1 10.0.0.1:80
    server s2 10.0.0.2:80
backend beside
    mode http
    server s1 10.0.0.1:80
"""
NGINX = """\
events {{}}
http {{
    upstream app {{ hash {key}; server 10.0.0.1; server 10.0.0.2; }}
    server {{
        listen 80;
        location /rw/ {{
            {rule}
            proxy_pass http://app;
        }}
    }}
}}
"""


@pytest.mark.parametrize(
    ("balance", "front", "back", "line"),
    [
        ("uri", "", "http-request replace-path /(.*) /x/\\1", 15),
        ("uri", "http-request set-uri %[url,regsub(^/api,/)]", "", 4),
        ("uri", "http-request set-header X-User a", "", None),
        ("url_param id", "http-request set-query a=1", "", 4),
        ("hdr(X-User)", "http-request set-header x-user anon", "", 4),
        ("hdr(X-User)", "http-request set-header X-Other anon", "http-request set-path /x", None),
        ("source", "tcp-request connection set-src str(10.0.0.9)", "", 4),
        ("source", "http-request set-path /x", "", None),
        ("roundrobin", "http-request set-path /x", "", None),
    ],
)
def test_what_haproxy_writes_anew(balance, front, back, line):
    made = plan(config("haproxy", HAPROXY.format(balance=balance, front=front, back=back)))
    place = made.targets[0].altered
    assert (None if place is None else int(place.rpartition(":")[2])) == line


@pytest.mark.parametrize(
    ("key", "rule", "line"),
    [
        ("$uri", "rewrite ^/rw/(.*)$ /const break;", 7),
        ("$host$uri consistent", "set $args a=1;", 7),
        ("$arg_id", "rewrite ^/rw/(.*)$ /x?id=1 break;", 7),
        ("$request_uri", "rewrite ^/rw/(.*)$ /const break;", None),
        ("$uri", "set $other 1;", None),
    ],
)
def test_what_nginx_writes_anew(key, rule, line):
    place = plan(config("nginx", NGINX.format(key=key, rule=rule))).targets[0].altered
    assert (None if place is None else int(place.rpartition(":")[2])) == line


def test_picks_of_rewritten_keys_are_not_wrong():
    asks = [Ask(number, "", "/", ()) for number in range(4)]
    right, wrong = [0, 0, 0, 0], [0, 1, 1, 1]
    assert by_pick(asks, right, lambda _: 0, "a.cfg:4").passed is True
    assert by_pick(asks, wrong, lambda _: 0).passed is False
    found = by_pick(asks, wrong, lambda _: 0, "a.cfg:4")
    assert (found.passed, found.reason) == (None, "3 of 4 picks went elsewhere: its key is rewritten (a.cfg:4)")


@needs_sandbox
@proxies.needs_haproxy
def test_the_real_proxy_hashes_what_was_rewritten(tmp_path):
    text = HAPROXY.format(balance="uri", front="", back="http-request replace-path /(.*) /x/\\1")
    found = rehearsed(tmp_path, haproxy(text))
    pool = found.pools[0]
    assert (pool.passed, "its key is rewritten" in (pool.reason or "")) == (None, True), running.told(found)


@pytest.mark.parametrize(("told", "detection"), [(True, (False, "late")), (False, (None, "its key is rewritten"))])
def test_a_loss_in_a_pool_whose_shares_are_not_known_is_not_held_against_them(told, detection):
    aspects = (Aspect(DETECTION, False, "late"), Aspect(FAILED, False, "9 of 9"), Aspect(SHARES, True))
    found = excused(MeasuredLoss("s1", "refuses", 1, aspects), "its key is rewritten", told=told)
    assert [(one.passed, one.reason) for one in found.aspects] == [
        detection,
        (None, "its key is rewritten"),
        (True, None),
    ]
