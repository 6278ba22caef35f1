"""The names in the certificate of the stubs: those that the proxies want to see."""

from __future__ import annotations

import ssl
from itertools import chain

import pytest
from rehearsal.configs import haproxy, nginx
from rehearsal.running import configs

from lbcheck.rehearsal.judging.verdict import Counted, Served, judge
from lbcheck.rehearsal.planning.identities import identities, verified
from lbcheck.rehearsal.planning.plan import Plan, plan
from lbcheck.rehearsal.preparing.certificate import Certificate


def named(pem, folder):
    """Return the names and the authority of a certificate."""
    path = folder / "pem"
    path.write_text(pem)
    found = ssl._ssl._test_decode_cert(str(path))  # the leaf: what comes first
    return {value for _, value in found["subjectAltName"]}, pem.rpartition("-----BEGIN CERTIFICATE-----")[2]


def test_a_certificate_grows_with_its_plan(tmp_path):
    made = Plan()
    pem = Certificate(made.certifiable)
    made.certified.update({"app.corp", "my_app", "*.wide.test", "x@y", "bücher.test"})
    names, authority = named(pem(), tmp_path)
    assert {"app.corp", "*.wide.test", "localhost"} <= names
    assert pem() == pem()
    made.address_of("later.test")
    later, same = named(pem(), tmp_path)
    assert ("later.test" in later, same) == (True, authority)


@pytest.mark.parametrize(
    ("case", "wanted", "looks"),
    [
        (haproxy("backend b\n    server s 10.0.0.1:443 ssl sni str(a.test) verify none\n"), {"a.test"}, False),
        (haproxy("backend b\n    server s 10.0.0.1:443 ssl verifyhost b.test ca-file x\n"), {"b.test"}, True),
        (haproxy("backend b\n    server s 10.0.0.1:80 check-sni c.test\n"), {"c.test"}, False),
        (
            nginx(
                "upstream u { server 10.0.0.1; } server { location / { proxy_pass https://u; proxy_ssl_verify on; } }"
            ),
            {"u"},
            True,
        ),
        (
            nginx(
                "upstream u { server 10.0.0.1; } server { location / { proxy_pass http://u; proxy_ssl_verify on; } }"
            ),
            set(),
            False,
        ),
        (
            nginx("server { location / { proxy_pass https://10.0.0.1:8443; proxy_ssl_name d.test:1; } }"),
            {"10.0.0.1", "d.test"},
            False,
        ),
    ],
)
def test_names_that_servers_have_to_have(case, wanted, looks, tmp_path):
    (config,) = configs(tmp_path, case)
    routes = list(chain.from_iterable(frontend.routes for frontend in config.frontends))
    (pool,) = config.pools
    assert set(identities(pool, routes)) == wanted
    assert verified(pool, routes) is looks


BOTH = """\
frontend web
    bind :80
    default_backend b
backend b
    server s1 10.0.0.1:443 ssl verify {verify} ca-file ca.pem
    server s2 10.0.0.2:443 ssl verify none
"""


@pytest.mark.parametrize(("verify", "passed"), [("required", None), ("none", False)])
def test_failures_of_servers_that_are_verified_say_nothing(verify, passed, tmp_path):
    (config,) = configs(tmp_path, haproxy(BOTH.format(verify=verify)))
    made = plan(config)
    served = Served(range(240), [None, 1] * 120, 120, total=240)
    seen = Counted(made.loads[0], served, [], Served())
    found = judge(made.targets[0], "haproxy", seen, 1.0)
    assert (found.passed, "120 of 240 requests failed" in found.reason) == (passed, True)
