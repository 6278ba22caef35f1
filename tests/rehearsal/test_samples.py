"""The requests that are made up for a route."""

from __future__ import annotations

import pytest
from checks.read import config

from lbcheck.rehearsal.preparing.samples import samples

HAPROXY = """\
defaults
    mode http
frontend web
    bind :80
    acl shop hdr(host) -i shop.test
    {rule}
    default_backend app
backend app
    server one 10.0.0.1:80
"""


@pytest.mark.parametrize(
    ("rule", "host"),
    [
        ("http-request return status 404 if !shop", "shop.test"),
        ("http-request deny if shop", "rehearsal.test"),
        ("http-request deny if !shop { path /x }", "rehearsal.test"),
        ("", "rehearsal.test"),
    ],
)
def test_the_host_that_an_answer_before_the_routes_lets_pass(rule, host):
    (frontend,) = config("haproxy", HAPROXY.format(rule=rule)).frontends
    (sample,) = samples(frontend, frontend.routes[-1].match)
    assert dict(sample.headers)["Host"] == host


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("acl x src 10.0.0.0/8", {"source": "10.255.255.254"}),
        ("acl x src 10.0.0.9", {"source": "10.0.0.9"}),
        ("acl x src 2001:db8::/32", {"source": "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe"}),
        ("acl x ssl_fc_sni -i a.test", {"sni": "a.test"}),
        ("acl x req.cook(canary) -m str yes", {"headers": (("Host", "rehearsal.test"), ("Cookie", "canary=yes"))}),
        ("acl x cook(canary) yes", {"headers": (("Host", "rehearsal.test"), ("Cookie", "canary=yes"))}),
        ("acl x path_reg ^/v(?<id>[0-9])/x$", {"path": "/v0/x"}),
    ],
)
def test_what_a_condition_asks_for(rule, wanted):
    text = HAPROXY.format(rule=f"{rule}\n    use_backend app if x")
    (frontend,) = config("haproxy", text).frontends
    (sample,) = samples(frontend, frontend.routes[0].match)
    assert {name: getattr(sample, name) for name in wanted} == wanted


def test_what_nobody_can_ask_for():
    text = HAPROXY.format(rule="use_backend app if { nbsrv(app) gt 1 }")
    (frontend,) = config("haproxy", text).frontends
    assert samples(frontend, frontend.routes[0].match) == []
