"""The requests that are made up for a route."""

from __future__ import annotations

import pytest
from checks.read import config

from lbcheck.rehearsal.samples import samples

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
