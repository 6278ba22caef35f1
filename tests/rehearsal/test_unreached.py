"""Why a pool was not reached, in words."""

from __future__ import annotations

import proxies
import pytest
from rehearsal.configs import nginx
from rehearsal.running import configs, rehearsed, told
from rehearsal.sandboxes import needs_sandbox

from lbcheck.rehearsal.judging.verdict import measured
from lbcheck.rehearsal.planning.plan import plan
from lbcheck.rehearsal.play.load import NOBODY, PROXY

HAPROXY = """\
frontend web
    bind :80
    bind :443 ssl crt x.pem
    mode http
    default_backend app
backend app
    mode http
    server s1 10.0.0.1:443 ssl verify {verify}
    server s2 10.0.0.2:443 check ssl verify {verify}
"""
NO_ANSWER = "the connection ends without an answer"


def event(port, stub, status=0, **values):
    return {"event": "load", "port": port, "reached": False, "down": []} | {
        "stubs": [stub],
        "statuses": [status],
        **values,
    }


@pytest.mark.parametrize(
    ("events", "verify", "why"),
    [
        ([event(80, PROXY, 403)], "none", "the proxy itself answers with 403"),
        ([event(80, PROXY, 301), event(443, PROXY, 403)], "none", "the proxy itself answers with 403"),
        ([event(80, PROXY, 200)], "none", "the proxy itself answers with 200, or takes away the header x-lbcheck-stub"),
        ([event(80, PROXY, 301), event(443, 7)], "none", "servers of another pool answer"),
        ([event(80, PROXY, 301)], "none", "the proxy itself answers with 301"),
        ([event(443, PROXY, 400)], "none", "the proxy itself answers with 400, as to a client without a certificate"),
        ([event(443, NOBODY)], "none", f"{NO_ANSWER}, as to a client without a certificate"),
        ([event(80, NOBODY)], "none", NO_ANSWER),
        (
            [event(80, PROXY, 503)],
            "required ca-file x",
            "the proxy itself answers with 503; it verifies certificates that lie elsewhere",
        ),
        (
            [event(80, PROXY, 503, down=["app/s2", "other/s1"])],
            "none",
            "the proxy took s2 for down: its checks fail here",
        ),
        ([], "none", None),
    ],
)
def test_what_came_back_is_told(events, verify, why, tmp_path):
    (config,) = configs(tmp_path, ("haproxy.cfg", HAPROXY.format(verify=verify)))
    made = plan(config)
    numbers = {load.port: number for number, load in enumerate(made.loads)}
    played = [{**one, "number": numbers[one["port"]]} for one in events]
    found = measured(made.targets[0], "haproxy", made.loads, played, 1.0)
    assert found.passed is None
    assert found.reason == "no request reached it" + ("" if why is None else f": {why}")


@needs_sandbox
@proxies.needs_nginx
def test_a_status_of_the_real_proxy(tmp_path):
    text = "upstream a { server 10.0.0.1; } server { listen 80; location / { deny all; proxy_pass http://a; } }"
    found = rehearsed(tmp_path, nginx(text))
    (pool,) = found.pools
    assert pool.reason == "no request reached it: the proxy itself answers with 403", told(found)
