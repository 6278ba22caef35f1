"""A config's traffic: routes multiply through to pools, and what is not known stays unknown."""

from __future__ import annotations

import pytest

from lbcheck.dialects import dialect
from lbcheck.files import DiskFiles
from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.outcome import FAIR, HOT, IDLE, STARVED, UNKNOWN
from lbcheck.traffic.scenario import Demand, Scenario

NGINX = """
events {}
http {
  split_clients $remote_addr $side { 10% blue; 70% green; }
  upstream blue { server 10.0.0.1; server 10.0.0.2; }
  upstream green { server 10.0.1.1 weight=10; server 10.0.1.2; server 10.0.1.9 backup; }
  upstream lone { server 10.0.2.1; }
  server { listen 80; server_name split.test; location / { proxy_pass http://$side; } }
  server { listen 81; server_name two.test;
    location / { proxy_pass http://blue; } location /green { proxy_pass http://green; } }
  server { listen 82; server_name lone.test; location / { proxy_pass http://lone; } }
  server { listen 83; server_name dark.test; location / { proxy_pass http://$http_x; } }
}
"""
HAPROXY = """
defaults
  mode http
frontend web
  bind :80
  use_backend a if { path_beg /a }
  default_backend b
frontend all
  bind :81
  default_backend b
backend a
  server one 10.0.0.1:80
backend b
  server one 10.0.0.1:80 weight 3
  server two 10.0.0.2:80 weight 1
backend unused
  server-template web 3 app.test:80
"""


def read(name, path, text):
    return dialect(name).read([path], DiskFiles(memory={path: text}))[0]


def nginx(**scenario):
    return traffic(read("nginx", "nginx.conf", NGINX), Scenario(**scenario))


def haproxy(**scenario):
    return traffic(read("haproxy", "haproxy.cfg", HAPROXY), Scenario(**scenario))


def pool(found, name):
    return next(one for one in found.pools if one.name == name)


def frontend(found, name):
    return next(one for one in found.frontends if name in (one.name, *one.hosts))


def test_split_clients_multiplies_through():
    split = frontend(nginx(), "split.test")
    assert [route.share for route in split.routes] == [1.0]
    assert {target.pool: target.share for target in split.routes[0].targets} == {"blue": 0.1, "green": 0.7}
    assert split.unserved == pytest.approx(0.2, abs=1e-12)


def test_targets_know_their_pools():
    found = nginx()
    for one in found.frontends:
        for route in one.routes:
            assert all(found.pools[target.at].name == target.pool for target in route.targets)


def test_clients_decide_between_paths():
    two = frontend(nginx(), "two.test")
    assert [route.share for route in two.routes] == [None, None]
    assert two.unserved is None
    assert [target.share for route in two.routes for target in route.targets] == [1.0, 1.0]


def test_a_variable_is_known_at_run_time_only():
    (route,) = frontend(nginx(), "dark.test").routes
    assert route.outcome == "unknown"
    assert "$http_x" in route.reason
    assert route.targets == ()


def test_the_default_backend_alone_takes_everything():
    assert [route.share for route in frontend(haproxy(), "all").routes] == [1.0]
    assert [route.share for route in frontend(haproxy(), "web").routes] == [None, None]


def test_demand_goes_where_it_is_known_to_go():
    demands = (Demand("all", 300.0), Demand("web", 100.0), Demand("web", 40.0, "use_backend a*"))
    found = haproxy(demands=demands)
    assert pool(found, "a").demand == 40.0
    assert pool(found, "b").demand == 300.0  # what of `web` ends here nobody knows
    assert pool(found, "unused").demand is None
    assert [server.load for server in pool(found, "b").servers] == [225.0, 75.0]
    assert frontend(found, "web").demand == 100.0


def test_demand_follows_a_split():
    found = nginx(demands=(Demand("split.*", 1000.0), Demand("lone.test", 50.0)))
    assert pool(found, "blue").demand == pytest.approx(100.0)
    assert pool(found, "green").demand == pytest.approx(700.0)
    assert pool(found, "lone").demand == 50.0


def test_standing():
    found = nginx()
    assert [server.standing for server in pool(found, "green").servers] == [HOT, STARVED, IDLE]
    assert [server.standing for server in pool(found, "blue").servers] == [FAIR, FAIR]
    assert [server.standing for server in pool(haproxy(), "b").servers] == [FAIR, FAIR]


def test_open_pools_are_not_even_but_unknown():
    config = read("haproxy", "haproxy.cfg", HAPROXY)
    for one in config.pools:
        one.open = "its members come from somewhere else"
    for one in traffic(config, Scenario()).pools:
        assert one.reason == "its members come from somewhere else"
        assert one.unserved is None
        assert {(server.share, server.standing) for server in one.servers} == {(None, UNKNOWN)}


def test_a_broken_config_has_no_shares():
    found = traffic(read("haproxy", "haproxy.cfg", HAPROXY), Scenario(), broken=True)
    assert all(one.reason for one in found.pools)
    assert all(server.share is None for one in found.pools for server in one.servers)


def test_parts_are_joined():
    found = nginx()
    found.add(haproxy())
    for one in found.frontends:
        for route in one.routes:
            assert all(found.pools[target.at].name == target.pool for target in route.targets)
    assert found.configs == 2


def test_what_the_proxy_answers_itself_is_served():
    text = NGINX.replace("location / { proxy_pass http://lone; }", "return 301 https://lone.test;")
    lone = frontend(traffic(read("nginx", "nginx.conf", text), Scenario()), "lone.test")
    assert [(route.share, route.outcome, route.unserved) for route in lone.routes] == [(1.0, "answer", 0.0)]
    assert lone.unserved == 0.0


def test_shares_are_not_known_where_use_server_rules_choose():
    text = "listen app\n bind :80\n use-server a if { path_beg /a }\n server a 10.0.0.1:80\n server b 10.0.0.2:80\n"
    found = traffic(read("haproxy", "haproxy.cfg", text), Scenario(in_flight=10)).pools[0]
    assert found.reason == "`use-server` rules choose servers past its algorithm"
    assert [(one.share, one.busy_share) for one in found.servers] == [(None, None)] * 2
    assert found.unserved is None
    assert {loss.failed_share for loss in found.losses} == {None}


def test_a_disabled_backend_serves_nobody():
    text = "frontend web\n bind :80\n default_backend app\nbackend app\n disabled\n server a 10.0.0.1:80 check\n"
    found = traffic(read("haproxy", "haproxy.cfg", text), Scenario(in_flight=10)).pools[0]
    assert (found.unserved, found.servers[0].share, found.servers[0].busy_share) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(("in_flight", "lost"), [(None, None), (2, 0.0), (10, 0.8)])
def test_what_no_server_takes_when_all_are_full(in_flight, lost):
    text = "http { upstream a { server 10.0.0.1 max_conns=1; server 10.0.0.2 max_conns=1; } }"
    found = traffic(read("nginx", "nginx.conf", text), Scenario(in_flight=in_flight)).pools[0]
    assert found.busy_unserved == (lost if lost is None else pytest.approx(lost))
    if in_flight:
        assert sum(one.busy_share for one in found.servers) + found.busy_unserved == pytest.approx(1.0)


MISSING = """
global
frontend web
  bind :80
  default_backend nope
frontend api
  bind :81
  use_backend nope if { path_beg /x }
  default_backend app
frontend dead
  bind :82
  default_backend off
frontend stats
  mode http
  bind :83
  default_backend page
backend app
  server one 10.0.0.1:80
backend off
  server one 10.0.0.1:80 disabled
backend page
  mode http
  http-request return status 200
"""


def test_what_goes_to_a_pool_that_does_not_exist_is_unserved():
    found = traffic(read("haproxy", "haproxy.cfg", MISSING), Scenario())
    assert frontend(found, "web").unserved == 1.0
    assert frontend(found, "api").unserved is None  # how many ask for /x only the clients know
    (target,) = frontend(found, "web").routes[0].targets
    assert (target.at, target.share, target.unserved, target.missing) == (None, 1.0, 1.0, True)
    assert target.reason == "no pool is named nope"


def test_what_a_pool_does_not_serve_its_frontend_does_not():
    found = traffic(read("haproxy", "haproxy.cfg", MISSING), Scenario())
    assert frontend(found, "dead").unserved == 1.0
    assert frontend(found, "stats").unserved == 0.0  # the proxy answers itself
    broken = traffic(read("haproxy", "haproxy.cfg", MISSING), Scenario(), broken=True)
    assert frontend(broken, "dead").unserved is None


def test_another_file_may_bring_the_pool():
    config = read("haproxy", "haproxy.cfg", MISSING.replace("global\n", ""))
    found = traffic(config, Scenario())
    assert frontend(found, "web").unserved is None
    (target,) = frontend(found, "web").routes[0].targets
    assert (target.unserved, target.missing) == (None, False)
    assert [note.span.line for note in config.unmodelled if "no pool named nope" in note.reason] == [4, 7]
    assert not any("nope" in note.reason for note in read("haproxy", "haproxy.cfg", MISSING).unmodelled)
