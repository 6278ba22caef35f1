from __future__ import annotations

from lbcheck.dialects.haproxy import read
from lbcheck.files import DiskFiles

TEXT = """\
defaults
    mode http
    timeout client 30s
    default-server inter 3s weight 5

frontend web
    bind :80,[::1]:8080 interface lo
    acl api path_beg -i /api
    use_backend api if api !{ method POST }
    default_backend app

backend api
    server a 10.0.0.1:8080 check
backend app
    balance leastconn
    server a 10.0.0.2:8080 weight 10 backup
"""


def test_one_config_from_text_to_model():
    (config,) = read(["x.cfg"], DiskFiles(memory={"x.cfg": TEXT}))
    (web,) = config.frontends
    assert [listener.address.port for listener in web.listeners] == [80, 8080]
    assert [route.targets[0].pool.name for route in web.routes] == ["api", "app"]
    assert [[repr(condition) for condition in part] for part in web.routes[0].match] == [
        ["Condition(path prefix ['/api'])", "Condition(not method exact ['POST'])"]
    ]
    api, app = config.pools
    assert api.servers[0].weight.value == 5
    assert api.servers[0].weight.span.line == 4
    assert api.servers[0].check.interval.value == 3.0
    assert app.servers[0].weight.value == 10
    assert app.servers[0].backup
    assert app.algorithm.name == "leastconn"
