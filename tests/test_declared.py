"""What people declare beside a config: comments, settings, host names."""

from __future__ import annotations

import pytest

from lbcheck.declared import Declarations, declare
from lbcheck.dialects import dialect
from lbcheck.files import DiskFiles
from lbcheck.traffic.scenario import Capacity, Demand, Zone

NGINX = """
events {}
http {
  upstream app {
    server 10.0.0.1:80; # lbcheck: capacity=200
    # lbcheck: capacity = 350.5 the new one
    # it has more memory
    server 10.0.0.2:80;
    server app.test:80;
  }
  server { listen 80; location / { proxy_pass http://app; } }
}
"""
HAPROXY = """
defaults
  mode http
backend app
  server one 10.0.0.1:80 # lbcheck: capacity=200
  server two 10.0.0.2:80
  server three app.test:80
"""


def read(name, path, text):
    return dialect(name).read([path], DiskFiles(memory={path: text}))[0]


def capacities(config):
    return [server.capacity and server.capacity.value for server in config.pools[0].servers]


def test_comments_beside_and_above():
    config = read("nginx", "nginx.conf", NGINX)
    declare(config)
    assert capacities(config) == [200.0, 350.5, None]
    assert config.pools[0].servers[0].capacity.span.line == 5
    config = read("haproxy", "haproxy.cfg", HAPROXY)
    declare(config)
    assert capacities(config) == [200.0, None, None]


def test_settings_by_name_address_and_pool():
    wanted = [Capacity("app/two", 5.0), Capacity("10.0.0.*", 7.0), Capacity("thr[e]*", 9.0), Capacity("*", 1.0)]
    config = read("haproxy", "haproxy.cfg", HAPROXY)
    declare(config, Declarations(wanted))
    assert capacities(config) == [200.0, 5.0, 9.0]
    config = read("haproxy", "haproxy.cfg", HAPROXY.replace("# lbcheck: capacity=200", ""))
    declare(config, Declarations(wanted))
    assert capacities(config) == [7.0, 5.0, 9.0]


def test_zones_by_pattern():
    config = read("haproxy", "haproxy.cfg", HAPROXY)
    declare(config, Declarations(zones=[Zone("*/one", "a"), Zone("10.*", "b")]))
    assert [server.zone and server.zone.value for server in config.pools[0].servers] == ["a", "b", None]


def test_the_demand_reaches_the_pool():
    config = read("nginx", "nginx.conf", NGINX)
    before = config.pools[0].options
    declare(config, Declarations(demands=[Demand("*", 900.0)]))
    assert config.pools[0].options["demand"].value == 900.0
    assert "demand" not in before


def test_only_nginx_makes_a_server_of_each_address():
    hosts = {"app.test": 3}
    config = read("nginx", "nginx.conf", NGINX)
    declare(config, Declarations(hosts=hosts))
    assert [server.count for server in config.pools[0].servers] == [1, 1, 3]
    config = read("haproxy", "haproxy.cfg", HAPROXY)
    declare(config, Declarations(hosts=hosts))
    assert [server.count for server in config.pools[0].servers] == [1, 1, 1]


@pytest.mark.parametrize("text", ["capacity", "capacity=", "capacity=lots", "capacity=0", "capacity=-3", "capacity=3x"])
def test_malformed_comments_are_found(text):
    config = read("nginx", "nginx.conf", NGINX.replace("capacity=200", text))
    declare(config)
    assert [hit.code for hit in config.hits] == ["E15"]
    assert capacities(config)[0] is None
