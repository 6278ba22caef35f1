"""Requests that no server of the pool answered: the proxy's own doing, other pools', and real failures."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from traffic.pools import pool

from lbcheck.model import Algorithm, Setting
from lbcheck.rehearsal import reload
from lbcheck.rehearsal.judging.picks import picker
from lbcheck.rehearsal.judging.verdict import counted, judge
from lbcheck.rehearsal.planning.plan import Target
from lbcheck.rehearsal.play.load import NOBODY, PROXY, asks
from lbcheck.rehearsal.play.script import Load

LOAD = Load("app", "127.0.0.1", 80, expect=(10, 11))
CAUSES = {
    200: "a cache or a rule",
    429: "a limit or a rule",
    503: "a limit or a rule, or a server that it does not reach",
}


def own(number, total, status):
    return f"the proxy itself answered {number} of {total} requests ({status}): {CAUSES[status]}"


def judged(stubs, statuses=None, *, dialect="haproxy", name="roundrobin", together=(), unsettled=False, vary=""):
    """Judge a pool of two alike servers, the stubs 10 and 11, by who answered."""
    target = Target(pool(name, [1, 1]), (10, 11), (0,))
    statuses = statuses or [200 if stub >= 0 else 503 for stub in stubs]
    events = [
        {"event": "load", "number": 0, "reached": True, "down": [], "unsettled": unsettled, "stubs": stubs,
         "statuses": statuses},
        {"event": "together", "number": 0, "stubs": [one for one, _ in together],
         "statuses": [one for _, one in together]},
    ]  # fmt: skip
    return judge(target, dialect, counted(target, dialect, [LOAD._replace(vary=vary)], events), 1.0)


def test_limits_and_caches_are_left_out():
    """`limit_req`, `deny_status 429`, `proxy_cache`: what reaches the servers is shared out as ever."""
    found = judged([10, 11, PROXY, 10, PROXY, 11], [200, 200, 429, 200, 429, 200])
    assert (found.passed, found.requests, found.failed) == (True, 4, 0)
    assert found.left_out == own(2, 6, 429)
    assert [server.served for server in found.servers] == [2, 2]
    found = judged([10, 10, PROXY, 10, PROXY, 10], [200, 200, 429, 200, 429, 200])
    assert (found.passed, found.reason) == (False, "counted [4, 0] where [2, 2] were predicted")


def test_where_next_to_nothing_reaches_a_server_nothing_is_judged():
    found = judged([10, *[PROXY] * 9], [200] * 10, dialect="nginx", name="round_robin")
    assert (found.passed, found.reason) == (None, own(9, 10, 200))
    assert judged([PROXY] * 4).reason == own(4, 4, 503)


@pytest.mark.parametrize(("stub", "status"), [(NOBODY, 0), (PROXY, 502), (PROXY, 504), (10, 500)])
def test_what_fails_fails(stub, status):
    found = judged([10, 11, stub], [200, 200, status])
    assert (found.passed, found.reason, found.failed) == (False, "1 of 3 requests failed", 1)


def test_requests_that_chance_sends_elsewhere():
    """`use_backend canary if { rand(100) lt 20 }`."""
    found = judged([10, 77, 11, 10, 77, 11])
    assert (found.passed, found.requests) == (True, 4)
    assert found.left_out == "2 of 6 requests went to other pools"
    assert judged([77, 77]).reason == "2 of 2 requests went to other pools"
    together = [(10, 200), (77, 200), (11, 200)] * 8 + [(10, 200)]
    assert judged([10, 11], together=together).concurrent.passed
    assert judged([10, 11], together=[*together, (10, 200), (10, 200)]).concurrent.passed is False
    assert judged([10, 11], together=together[:12]).concurrent.reason == "8 requests are too few to tell"


def test_each_pick_is_held_against_its_own_request():
    """`hash $request_uri` behind a limit: what is left out does not shift the keys."""
    made = pool("hash", [1, 1])
    made.algorithm = Algorithm("hash", key=Setting("$request_uri"))
    pick = picker(made, "nginx")
    load = LOAD._replace(vary="path", requests=40)
    picked = [pick(ask) for ask in asks(load)]
    assert set(picked) == {0, 1}
    target = Target(made, (10, 11), (0,))
    stubs = [PROXY if number % 3 == 0 else 10 + place for number, place in enumerate(picked)]
    event = {"event": "load", "number": 0, "reached": True, "down": [], "unsettled": False, "stubs": stubs,
             "statuses": [429 if stub == PROXY else 200 for stub in stubs]}  # fmt: skip
    found = judge(target, "nginx", counted(target, "nginx", [load], [event]), 1.0)
    assert (found.passed, found.wrong_picks) == (True, 0)


def test_limits_with_several_under_way():
    together = [(10, 200), (PROXY, 503), (10, 200), (PROXY, 503)]
    found = judged([10, 11], together=together).concurrent
    assert (found.passed, found.reason) == (None, own(2, 4, 503))
    assert judged([10, 11], together=[(10, 200), (PROXY, 502)]).concurrent.passed is False


def test_an_order_that_a_server_came_back_to_need_not_begin_with_a_cycle():
    """On a busy machine a first check may fail: then one turn is another one's."""
    odd = [10, 11] * 3 + [10]
    assert judged([11, 11, *odd, 10], unsettled=True).passed
    assert judged([10, 10, *odd, 10]).passed is False
    assert judged([10] * 8, unsettled=True).passed is False


def reloaded(dialect, *answers):
    event = {"event": "reload", "pools": ["app"], "seconds": 0.1, "output": "", "answers": answers}
    found = reload.judged(SimpleNamespace(path="old", dialect=dialect), [event], [])
    return found.passed, found.lost, found.errors, found.reason


def test_limits_are_not_what_a_reload_loses():
    fine, limited, missed = (10, 200, 0.1, True), (PROXY, 503, 0.2, True), (PROXY, 502, 0.2, True)
    assert reloaded("nginx", fine, limited) == (True, 0, 0, None)
    assert reloaded("haproxy", fine, (PROXY, 429, 0.2, True)) == (True, 0, 0, None)
    assert reloaded("haproxy", fine, limited) == (False, 0, 1, "1 of 2 requests were lost")
    assert reloaded("nginx", fine, missed, (NOBODY, 0, 0.3, True)) == (False, 1, 1, "2 of 3 requests were lost")
    assert reloaded("nginx", fine, (PROXY, 502, 0.2, False)) == (True, 0, 0, None)  # the new config leaves that out
    assert reloaded("haproxy", fine, (PROXY, 503, -0.2, True)) == (None, 0, 0, "1 request failed before it, too")
