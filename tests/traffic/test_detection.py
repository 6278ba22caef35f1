"""How the proxy notices a lost server, and what becomes of requests until then, as the config says it."""

from __future__ import annotations

import pytest
from traffic.outages import predicted
from traffic.pools import pool

from lbcheck.model import EVERY_REQUEST, Retry, Route, Setting, WeightedTarget
from lbcheck.traffic.losses import losses
from lbcheck.traffic.scenario import ERRORS, HANGS, REFUSES, Scenario

SERVERS = "server a 10.0.0.1:80 {0}\nserver b 10.0.0.2:80 {0}\nserver c 10.0.0.3:80 {0}"


def haproxy(kind, *lines, server="check", rest="", defaults="mode http\ntimeout connect 5s", lost="a", top=""):
    text = f"global\n{top}\ndefaults\n{defaults}\n{rest}\nbackend app\n" + "\n".join([*lines, SERVERS.format(server)])
    return predicted("haproxy", text, kind, lost)["app"][0]


def nginx(kind, location="", server="", *, name="proxy", more=""):
    peers = " ".join(f"server 10.0.0.{at} {server};" for at in (1, 2, 3))
    inside = f"location / {{ {name}_pass {'' if name == 'fastcgi' else 'grpc://' if name == 'grpc' else 'http://'}app; "
    text = f"events {{}}\nhttp {{ upstream app {{ {peers} }} server {{ listen 80; {inside}{location} }} {more} }} }}"
    return predicted("nginx", text, kind, "10.0.0.1")["app"][0]


def native(kind, lines="", servers=None, routes="- {pool: app}"):
    servers = servers or "[10.0.0.1:80, 10.0.0.2:80]"
    text = f"lbcheck: 1\nfrontends:\n  - name: web\n    listen: ':80'\n    routes:\n      {routes}\n"
    text += f"pools:\n  - name: app\n    servers: {servers}\n" + "".join(f"    {line}\n" for line in lines.split("\n"))
    return predicted("native", text, kind, "10.0.0.1:80")["app"][0]


@pytest.mark.parametrize(
    ("kind", "server", "lines", "seconds"),
    [
        (REFUSES, "check", [], 6.0),
        (REFUSES, "check inter 10s fastinter 1s fall 5", [], 14.0),
        (REFUSES, "check inter 3s fall 1", [], 3.0),
        (HANGS, "check", [], 12.0),
        (HANGS, "check inter 10s fastinter 1s fall 2", [], 31.0),
        (HANGS, "check inter 10s fall 2", ["timeout check 1s"], 30.0),
        (HANGS, "check inter 1s fall 2", ["timeout check 9s"], 4.0),
        (ERRORS, "check inter 1s fall 2", ["option httpchk GET /"], 2.0),
        (ERRORS, "check", [], None),
        (ERRORS, "check", ["option ssl-hello-chk"], None),
        (ERRORS, "check", ["option mysql-check"], None),
        (REFUSES, "check", ["option mysql-check"], 6.0),
        (REFUSES, "", [], None),
        (REFUSES, "check inter ${INTER}", [], None),
        (REFUSES, "check port 9000", [], None),
        (HANGS, "check port 9000", [], 12.0),
        (HANGS, "check addr 10.9.9.9", [], None),
        (REFUSES, "check port 80", [], 6.0),
        (REFUSES, "agent-check agent-port 9000", [], None),
        (REFUSES, "check observe layer4", [], 6.0),
    ],
)
def test_checks_of_haproxy(kind, server, lines, seconds):
    assert haproxy(kind, *lines, server=server).detection_s == seconds


@pytest.mark.parametrize(
    ("expect", "seconds"),
    [
        ("status 200", 6.0),
        ("status 200-399,404", 6.0),
        ("status 200,500-599", None),
        ("! status 500", 6.0),
        ("! status 404", None),
        ("rstatus ^2..", 6.0),
        ("! rstatus ^5", 6.0),
        ("rstatus ^[25]", None),
        ("rstatus (", None),
        ("comment healthy status 200", 6.0),
        ("string OK", None),
        ("! string error", None),
    ],
)
def test_answer_that_a_check_expects(expect, seconds):
    loss = haproxy(ERRORS, "option httpchk GET /", f"http-check expect {expect}")
    assert loss.detection_s == seconds


def test_words_about_checks():
    assert haproxy(REFUSES).detection.startswith("down after 3 failed checks, 2 s apart; its requests fail: ")
    fast = haproxy(HANGS, "timeout check 1s", server="check inter 20s fastinter 1s fall 2").detection
    assert fast.startswith("down after 2 failed checks, the first within 20 s, then 1 s apart, each after 5 s; ")
    assert "one every 3 s" in haproxy(REFUSES, server="check inter 3s fall 1").detection
    assert "not checked" in haproxy(REFUSES, server="").detection
    assert "port 9000" in haproxy(REFUSES, server="check port 9000").detection
    assert "10.9.9.9" in haproxy(REFUSES, server="check addr 10.9.9.9").detection
    assert "agent" in haproxy(REFUSES, server="agent-check agent-port 9000").detection
    assert "how often it is checked is not known" in haproxy(REFUSES, server="check inter ${INTER}").detection


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("observe layer7 on-error mark-down", "10 errors in a row"),
        ("observe layer7 error-limit 7 on-error sudden-death", "7 errors in a row"),
        ("observe layer7 error-limit 7", "21 errors in a row"),
        ("observe layer7 on-error fastinter", None),
        ("observe layer4", None),
    ],
)
def test_observed_errors_of_haproxy(options, words):
    loss = haproxy(ERRORS, server=f"check {options}")
    assert loss.detection_s is None
    assert words is None or words in loss.detection
    assert ("errors in a row" in loss.detection) == (words is not None)


def test_spread_checks_make_intervals_longer():
    assert haproxy(REFUSES, top="spread-checks 50").detection_s == 9.0
    assert haproxy(HANGS, top="spread-checks 50").detection_s == 15.0


def test_servers_that_follow_others():
    rest = "backend probes\noption httpchk GET /\nserver a 10.0.0.1:80 check inter 1s fall 2"
    followed = haproxy(REFUSES, server="track probes/a", rest=rest)
    assert followed.detection_s == 2.0
    assert "follows" in followed.detection
    assert haproxy(ERRORS, server="track probes/a", rest=rest).detection_s == 2.0
    assert haproxy(REFUSES, server="track probes/b", rest=rest).detection_s is None
    assert haproxy(REFUSES, server="track elsewhere/a", rest=rest).detection_s is None
    chain = f"{rest}\nbackend middle\nserver a 10.0.0.1:80 track probes/a"
    assert haproxy(REFUSES, server="track middle/a", rest=chain).detection_s == 2.0
    text = "backend app\nserver a 10.0.0.1:80 check\nserver b 10.0.0.1:81 track a\nserver c 10.0.0.1:82 track c"
    found = predicted("haproxy", f"defaults\nmode http\n{text}", REFUSES)["app"]
    assert [loss.detection_s for loss in found] == [6.0, None, None]
    assert "follows a server at 10.0.0.1:80, which may answer" in found[1].detection
    found = predicted("haproxy", f"defaults\nmode http\n{text}", HANGS)["app"]
    assert [loss.detection_s for loss in found] == [12.0, 12.0, None]


@pytest.mark.parametrize(
    ("kind", "lines", "failed", "delay"),
    [
        (REFUSES, [], 1 / 3, None),
        (REFUSES, ["option redispatch"], 0.0, 0.0),
        (HANGS, ["option redispatch"], 0.0, 5.0),
        (HANGS, ["option redispatch", "no option redispatch"], 1 / 3, None),
        (REFUSES, ["option redispatch", "retries 0"], 1 / 3, None),
        (REFUSES, ["option redispatch", "balance leastconn"], 0.0, 0.0),
        (REFUSES, ["option redispatch", "cookie S insert"], 0.0, 2.0),
        (HANGS, ["option redispatch", "cookie S insert"], 0.0, 15.0),
        (REFUSES, ["option redispatch 1", "cookie S insert"], 0.0, 0.0),
        (REFUSES, ["option redispatch 4", "cookie S insert"], 1 / 3, None),
        (REFUSES, ["option redispatch -2", "cookie S insert"], 0.0, 1.0),
        (REFUSES, ["option redispatch", "stick on src", "stick-table type ip size 1k"], 0.0, 2.0),
        (REFUSES, ["option redispatch", "balance uri"], 1 / 3, None),
        (REFUSES, ["option redispatch", "retry-on none"], 1 / 3, None),
        (ERRORS, ["option redispatch"], 1 / 3, None),
        (ERRORS, ["option redispatch", "retry-on 500"], 0.0, 0.0),
        (ERRORS, ["retry-on all-retryable-errors"], 1 / 3, None),
        (REFUSES, ["option redispatch", "retry-on 500"], 1 / 3, None),
        (REFUSES, ["retries ${RETRIES}"], None, None),
    ],
)
def test_requests_of_haproxy(kind, lines, failed, delay):
    loss = haproxy(kind, *lines)
    assert loss.failed_share == (None if failed is None else pytest.approx(failed))
    assert loss.delay_s == delay


def test_ring_of_haproxy_goes_on_to_another_server():
    loss = haproxy(REFUSES, "option redispatch", "balance uri", "hash-type consistent")
    assert (loss.failed_share, loss.delay_s) == (0.0, 2.0)
    assert "3 tries" in loss.detection


def test_waiting_is_not_known_without_timeout_connect():
    loss = haproxy(HANGS, "option redispatch", defaults="mode http")
    assert (loss.failed_share, loss.delay_s) == (0.0, None)
    assert "`timeout connect`" in loss.detection


def test_backups_of_haproxy_wait_until_it_is_noticed():
    text = (
        "defaults\nmode http\nbackend app\noption redispatch\nserver a 10.0.0.1:80 check\nserver b 10.0.0.2:80 backup"
    )
    loss = predicted("haproxy", text, REFUSES)["app"][0]
    assert loss.failed_share == 1.0
    assert "no other server" in loss.detection
    assert loss.backups
    assert [survivor.share for survivor in loss.servers] == [0.0, 1.0]
    several = text.replace("server a", "option allbackups\nserver a").replace(
        "a 10.0.0.1:80 check", "a 10.0.0.1:80 backup"
    )
    loss = predicted("haproxy", several, REFUSES)["app"][0]
    assert loss.failed_share == 0.0


def test_option_persist_keeps_clients_on_a_server_that_is_down():
    assert haproxy(REFUSES, "cookie S insert", "option persist").detection_s is None
    assert haproxy(REFUSES, "cookie S insert", "option persist", "option redispatch").detection_s == 6.0


@pytest.mark.parametrize(
    ("kind", "location", "server", "seconds", "failed", "delay"),
    [
        (REFUSES, "", "", 10.0, 0.0, 0.0),
        (HANGS, "", "", 70.0, 0.0, 60.0),
        (HANGS, "proxy_connect_timeout 2s;", "fail_timeout=30s", 32.0, 0.0, 2.0),
        (REFUSES, "proxy_next_upstream off;", "", 10.0, 1 / 3, None),
        (REFUSES, "proxy_next_upstream http_502;", "", 10.0, 1 / 3, None),
        (REFUSES, "", "max_fails=0", None, 0.0, 0.0),
        (REFUSES, "", "fail_timeout=0", None, 0.0, 0.0),
        (HANGS, "proxy_next_upstream_timeout 30s;", "", 70.0, 1 / 3, None),
        (HANGS, "proxy_next_upstream_timeout 0;", "", 70.0, 0.0, 60.0),
        (REFUSES, "proxy_next_upstream_timeout 30s;", "", 10.0, 0.0, 0.0),
        (REFUSES, "proxy_next_upstream_tries 1;", "", 10.0, 1 / 3, None),
        (ERRORS, "", "", None, 1 / 3, None),
        (ERRORS, "proxy_next_upstream error http_500;", "", 10.0, None, None),
        (ERRORS, "proxy_next_upstream http_500 non_idempotent;", "", 10.0, 0.0, 0.0),
        (ERRORS, "proxy_next_upstream http_500 non_idempotent; proxy_next_upstream_tries 1;", "", None, 1 / 3, None),
    ],
)
def test_nginx(kind, location, server, seconds, failed, delay):
    loss = nginx(kind, location, server)
    assert loss.detection_s == seconds
    assert loss.failed_share == (None if failed is None else pytest.approx(failed))
    assert loss.delay_s == delay


def test_words_about_nginx():
    assert nginx(REFUSES, server="max_fails=3").detection == (
        "out for 10 s after 3 failed requests within that time, then tried again by one request; "
        "its requests go on to the next server"
    )
    assert "`max_fails=0`" in nginx(REFUSES, server="max_fails=0").detection
    assert "`proxy_next_upstream off`" in nginx(REFUSES, "proxy_next_upstream off;").detection
    assert "`http_500` in `proxy_next_upstream`" in nginx(ERRORS).detection
    assert "`fastcgi_next_upstream off`" in nginx(REFUSES, "fastcgi_next_upstream off;", name="fastcgi").detection


def test_calls_of_grpc_are_posts():
    loss = nginx(ERRORS, "grpc_next_upstream http_500;", name="grpc")
    assert loss.failed_share == pytest.approx(1 / 3)
    assert "POST" in loss.detection


def test_worst_route_of_nginx_counts():
    other = "server { listen 81; location / { proxy_pass http://app; proxy_next_upstream off; } }"
    loss = nginx(REFUSES, more=other)
    assert loss.failed_share == pytest.approx(1 / 3)
    assert "at worst" in loss.detection
    slow = "server { listen 81; location / { proxy_pass http://app; proxy_connect_timeout 90s; } }"
    assert nginx(HANGS, more=slow).delay_s == 90.0
    assert nginx(HANGS, more=slow).detection_s == 100.0
    unsure = "server { listen 81; location / { proxy_pass http://app; proxy_next_upstream http_500; } }"
    assert nginx(ERRORS, more=unsure).failed_share is None


def test_pools_of_nginx_that_no_route_leads_to():
    text = "events {}\nhttp { upstream app { server 10.0.0.1; server 10.0.0.2; } }"
    for kind, seconds in ((REFUSES, 10.0), (HANGS, None), (ERRORS, None)):
        loss = predicted("nginx", text, kind, "10.0.0.1")["app"][0]
        assert (loss.detection_s, loss.failed_share) == (seconds, None)
        assert "no route leads here" in loss.detection or kind == HANGS


def test_backups_of_nginx_save_requests_at_once():
    text = "events {}\nhttp { upstream app { server 10.0.0.1; server 10.0.0.2 backup; }\n"
    text += "server { listen 80; location / { proxy_pass http://app; } } }"
    loss = predicted("nginx", text, REFUSES)["app"][0]
    assert (loss.detection_s, loss.failed_share, loss.backups) == (10.0, 0.0, True)


def test_streams_of_nginx():
    text = "events {}\nstream { upstream app { server 10.0.0.1:1; server 10.0.0.2:1; }\n"
    text += "server { listen 1; proxy_pass app; %s } }"
    found = {
        (kind, words): predicted("nginx", text % words, kind, "10.0.0.1:1")["app"][0]
        for kind in (REFUSES, HANGS, ERRORS)
        for words in ("", "proxy_next_upstream off;")
    }
    assert (found[REFUSES, ""].detection_s, found[REFUSES, ""].failed_share) == (10.0, 0.0)
    assert found[REFUSES, "proxy_next_upstream off;"].failed_share == 0.5
    assert (found[HANGS, ""].detection_s, found[HANGS, ""].delay_s) == (70.0, 60.0)
    assert (found[ERRORS, ""].detection_s, found[ERRORS, ""].failed_share) == (None, 0.5)


@pytest.mark.parametrize(
    ("kind", "lines", "seconds", "failed"),
    [
        (REFUSES, "", None, None),
        (REFUSES, "health_check: {interval: 2s, fall: 3, timeout: 1s}", 6.0, None),
        (HANGS, "health_check: {interval: 2s, fall: 3, timeout: 1s}", 9.0, None),
        (HANGS, "health_check: {interval: 2s, fall: 3}", None, None),
        (REFUSES, "health_check: {interval: 2s}", None, None),
        (REFUSES, "health_check: {interval: 10s, fast_interval: 1s, fall: 3}", 12.0, None),
        (ERRORS, "health_check: {interval: 2s, fall: 3}", None, None),
        (ERRORS, "health_check: {type: http, interval: 2s, fall: 3}", 6.0, None),
        (ERRORS, "health_check: {type: http, interval: 2s, fall: 3, expect: 2xx}", 6.0, None),
        (ERRORS, "health_check: {type: http, interval: 2s, fall: 3, expect: 'healthy'}", None, None),
        (REFUSES, "health_check: {interval: 2s, fall: 3, port: 9}", None, None),
        (REFUSES, "passive_check: {failures: 2, time: 20s}", 20.0, None),
        (ERRORS, "passive_check: {failures: 2, time: 20s}", None, None),
        (REFUSES, "retry: {attempts: 1}", None, 0.0),
        (REFUSES, "retry: {attempts: 0}", None, 0.5),
        (REFUSES, "retry: {attempts: 2, other_server: false}", None, 0.5),
        (REFUSES, "retry: {attempts: 2, when: [http_502]}", None, 0.5),
        (ERRORS, "retry: {attempts: 2, when: [http_500]}", None, 0.0),
        (ERRORS, "retry: {attempts: 2}", None, None),
        (HANGS, "retry: {attempts: 2}\ntimeouts: {connect: 3s}", None, 0.0),
    ],
)
def test_native(kind, lines, seconds, failed):
    loss = native(kind, lines)
    assert (loss.detection_s, loss.failed_share) == (seconds, failed)
    assert loss.delay_s == (None if failed != 0.0 else 3.0 if kind == HANGS else 0.0)


def test_retry_of_a_native_route_counts():
    assert native(REFUSES, "retry: {attempts: 0}", routes="- {pool: app, retry: {attempts: 1}}").failed_share == 0.0


def test_check_that_asks_nothing_is_not_known():
    """Own steps drop the request of an inherited `option httpchk`: every check times out, whatever happens."""
    loss = haproxy(ERRORS, "http-check expect status 200", defaults="mode http\noption httpchk")
    assert loss.detection_s is None
    assert "not known" in loss.detection


def test_statuses_that_are_none():
    assert haproxy(ERRORS, "option httpchk GET /", "http-check expect status 2[0-9]+").detection_s is None


def test_native_servers_with_less_than_is_needed():
    assert "after how many failures" in native(REFUSES, "passive_check: {failures: 2}").detection
    own = "[{address: '10.0.0.1:80', health_check: false}, 10.0.0.2:80]"
    assert "no health check" in native(REFUSES, "health_check: {interval: 2s, fall: 3}", own).detection
    assert native(ERRORS, "health_check: {type: mysql, interval: 2s, fall: 3}").detection_s is None


def test_nothing_is_known_of_a_model_without_settings():
    made = pool("round_robin", [1, 1])
    route = Route("/", made.span, EVERY_REQUEST, [WeightedTarget("app", made.span, made)])
    found = losses(made, "nginx", Scenario(kind=HANGS), [route])[0]
    assert (found.detection_s, found.failed_share) == (None, None)
    for one in made.servers:
        one.max_fails, one.fail_timeout = Setting(1), Setting(10.0)
    found = losses(made, "nginx", Scenario(kind=HANGS), [route])[0]
    assert (found.detection_s, found.failed_share) == (None, None)
    route.retry = Retry(Setting(0), Setting(True), Setting(frozenset({"timeout"})))
    found = losses(made, "nginx", Scenario(kind=HANGS), [route])[0]
    assert (found.detection_s, found.failed_share, found.delay_s) == (None, 0.0, None)
    assert "after a time that is not known" in found.detection


def test_request_goes_on_for_a_limited_time():
    """After 2 s and 4 s the next server is tried; at 5 s and later no more."""
    loss = nginx(HANGS, "proxy_connect_timeout 2s; proxy_next_upstream_timeout 5s;")
    assert (loss.failed_share, loss.delay_s) == (0.0, 2.0)


def test_only_servers_are_alone():
    text = "events {}\nhttp { server { listen 80; location / { proxy_pass http://10.0.0.1:80; } } }"
    for kind in (REFUSES, HANGS, ERRORS):
        (loss,) = predicted("nginx", text, kind)["10.0.0.1:80"]
        assert (loss.detection_s, loss.failed_share, loss.unserved) == (None, 1.0, 1.0)
        assert loss.detection == "nginx never takes the only server out; its requests fail: there is no other server"
    text = "events {}\nhttp { upstream app { server 10.0.0.1; server 10.0.0.2 down; } }"
    (loss,) = predicted("nginx", text, ERRORS)["app"]
    assert (loss.detection_s, loss.failed_share) == (None, 1.0)
