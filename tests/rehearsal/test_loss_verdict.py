"""What is seen of a loss against what was predicted of it, without any proxy."""

from __future__ import annotations

import pytest
from traffic.pools import pool

from lbcheck.model import Algorithm, Setting
from lbcheck.rehearsal.judging.loss_verdict import judged
from lbcheck.rehearsal.planning.losing import Trial
from lbcheck.rehearsal.planning.plan import Target
from lbcheck.rehearsal.play.load import NOBODY, PROXY
from lbcheck.rehearsal.play.script import Load, Loss
from lbcheck.traffic.outcome import Loss as Predicted
from lbcheck.traffic.outcome import Survivor

LOAD = Load("app", "127.0.0.1", 80, expect=(10, 11, 12))
RESTORED = 8.0


def trial(*, detection=6.0, failed=0.5, shares=(0.0, 0.5, 0.5), unserved=0.0, kind="refuses", never=False, **play):
    predicted = Predicted(
        "a", ("a",), 1, "refuses", detection, "down after 3 failed checks", failed, None, unserved,
        tuple(Survivor(name, name, share) for name, share in zip("abc", shares, strict=True)), never=never, places=(0,),
    )  # fmt: skip
    target = Target(pool("roundrobin", [2, 1, 1]), (10, 11, 12), (0,), called=("app/a", "app/b", "app/c"))
    script = Loss((0,), (10,), kind, 100.0, 120, 0.0, (detection or 3.0) + 1.5, 1.0, down="app/a")
    return Trial(target, predicted, script._replace(**play))


def event(noticed, served=(11, 12), failing=2, took=0.001, step=0.01):
    """Requests a hundredth of a second apart: until `noticed` every `failing`th fails, then all `served` take turns."""
    answers, arrivals = [], []
    for number in range(round(RESTORED / step)):
        at = number * step
        lost = (noticed is None or at < noticed) and failing and number % failing == 0
        stub = NOBODY if lost else served[number // 2 % 2 if failing == 2 else number % len(served)]
        answers.append((number, stub, 503 if lost else 200, at, took if lost else 0.001))
        if not lost:
            arrivals.append((stub, number, at))
    return {
        "event": "loss", "load": 0, "noticed": noticed, "restored": RESTORED, "back": 2.0,
        "served_from": 0.0 if noticed is None else noticed + 0.05,
        "answers": answers, "arrivals": arrivals, "down": [],
    }  # fmt: skip


def verdict(made, *events, tolerance=1.0, dialect="haproxy"):
    found = judged(made, dialect, events, [LOAD], tolerance)
    return found, {aspect.what: (aspect.passed, aspect.reason) for aspect in found.aspects}


def test_as_predicted():
    found, aspects = verdict(trial(), event(4.0, took=1.0))
    assert found.passed
    assert {passed for passed, _ in aspects.values()} == {True}
    assert (found.failed, found.requests, found.detection_s, found.recovery_s) == (200, 800, 4.0, 2.0)
    assert found.failed_share == pytest.approx(0.5, abs=0.01)
    assert found.last_failure_s == pytest.approx(3.98)
    assert [server.predicted for server in found.servers] == [0.0, 0.5, 0.5]


def test_noticed_too_late_or_never():
    _, aspects = verdict(trial(detection=1.0), event(4.0))
    assert aspects["detection"] == (False, "noticed after 4.0 s, not 1 s")
    _, aspects = verdict(trial(), event(None))
    assert aspects["detection"] == (False, "not noticed within 7.5 s")
    assert aspects["shares"][0] is None


def test_longer_than_anybody_waits():
    _, aspects = verdict(trial(detection=600.0, notice=3.0), event(None))
    assert aspects["detection"] == (None, "it may take 600 s: longer than is waited for")


def test_nobody_can_see_it():
    _, aspects = verdict(trial(down=""), event(None))
    assert aspects["detection"] == (None, "when the proxy stops sending to it cannot be seen")


def test_where_none_may_fail_one_is_enough():
    found, aspects = verdict(trial(failed=0.0), event(0.8, failing=70))
    assert aspects["failed requests"] == (False, "1 of 800 requests failed where none may")
    assert found.passed is False
    _, aspects = verdict(trial(failed=0.0), event(4.0, failing=0))
    assert aspects["failed requests"] == (True, None)


def test_another_part_fails():
    _, aspects = verdict(trial(failed=0.25), event(4.0))
    assert aspects["failed requests"][0] is False
    _, aspects = verdict(trial(failed=0.5), event(0.08))
    assert aspects["failed requests"] == (None, "too few requests to tell: 3 before it was noticed")
    _, aspects = verdict(trial(failed=None), event(4.0))
    assert aspects["failed requests"][0] is None
    _, aspects = verdict(trial(failed=1.0), event(4.0))
    assert aspects["failed requests"][0] is False


def test_so_many_failures_take_it_out():
    few = trial()
    few = few._replace(predicted=few.predicted._replace(failed_requests=2))
    assert verdict(few, event(0.04))[1]["failed requests"] == (True, None)
    _, aspects = verdict(few, event(0.2))
    assert aspects["failed requests"] == (False, "10 requests failed, where 2 were predicted")


def test_requests_under_way_when_it_is_lost_count_as_well():
    """On a busy machine three were sent just before, failed just after, and took it out: `max_fails=3`."""
    few = trial()
    few = few._replace(predicted=few.predicted._replace(failed_requests=3))
    seen = event(0.0, failing=0)
    assert verdict(few, seen)[1]["failed requests"] == (False, "0 requests failed, where 3 were predicted")
    seen["answers"] += [(9000 + number, PROXY, 502, -0.01, 0.02) for number in range(3)]
    found, aspects = verdict(few, seen, dialect="nginx")
    assert aspects["failed requests"] == (True, None)
    assert (found.failed, found.last_failure_s) == (3, 0.0)
    seen["answers"] += [(9010 + number, PROXY, 502, -0.01, 0.02) for number in range(3)]
    assert verdict(few, seen, dialect="nginx")[1]["failed requests"] == (True, None)
    seen["answers"] += [(9020 + number, PROXY, 502, 0.001 * number, 0.0001) for number in range(9)]
    assert verdict(few, seen, dialect="nginx")[1]["failed requests"][0] is False


def test_others_serve_than_predicted():
    found, aspects = verdict(trial(shares=(0.0, 1.0, 0.0)), event(4.0))
    assert aspects["shares"][0] is False
    assert found.passed is False
    _, aspects = verdict(trial(shares=(0.0, None, None)), event(4.0))
    assert aspects["shares"][0] is None


def test_checks_that_fail_for_no_reason_excuse_nobody_and_blame_nobody():
    busy = event(4.0, took=1.0)
    busy["down"] = ["app/a", "app/c", "other/b"]
    names = ("a", "b", "c")
    made = trial()
    for server, name in zip(made.target.pool.servers, names, strict=True):
        server.name = name
    found, aspects = verdict(made, busy)
    assert set(aspects.values()) == {(None, "the proxy took c for down too: its checks fail here")}
    assert found.passed is None
    made.target.pool.servers[2].tracks = Setting("app/a")
    assert verdict(made, busy)[1]["shares"] == (None, "the proxy took c for down too: it follows another one's checks")


def test_nobody_is_left():
    _, aspects = verdict(trial(shares=(0.0, 0.0, 0.0), unserved=1.0, failed=0.5), event(4.0))
    assert aspects["shares"] == (False, "395 requests were served where none may be")


def test_a_loss_that_nobody_notices():
    lasting = trial(detection=None, never=True, shares=(0.0, 0.25, 0.25), unserved=0.5)
    found, aspects = verdict(lasting, event(None))
    assert found.passed, aspects
    found, aspects = verdict(lasting, event(2.0))
    assert aspects["detection"] == (False, "taken out after 2.0 s, where nobody takes it out")


def test_a_loss_that_nobody_saw_to_the_end_of_a_request():
    lasting = trial(detection=None, never=True, shares=(0.0, 0.25, 0.25), unserved=0.5)
    _, aspects = verdict(lasting, event(None, took=RESTORED))
    assert aspects["shares"] == (None, "no request shows them")
    assert aspects["failed requests"] == (None, "too few requests to tell: 0 before it was noticed")


def test_slow_servers_are_measured_only():
    found, aspects = verdict(trial(kind="slow"), event(4.0))
    assert found.passed is None
    assert found.predicted_detection_s is None
    assert all(passed is None and "not predicted" in reason for passed, reason in aspects.values())


def test_what_was_not_played_says_why():
    found, _ = verdict(trial()._replace(play=None, reason="a unix socket cannot be made to hang"))
    assert (found.passed, found.reason) == (None, "a unix socket cannot be made to hang")
    assert verdict(trial(), {"event": "loss"})[0].reason == "no request reached the pool"
    assert verdict(trial())[0].reason == "the rehearsal ended early"
    unusable = {"event": "unusable", "reason": "the proxy does not listen", "output": "a\nbind failed"}
    assert verdict(trial(), unusable)[0].reason == "the proxy does not listen: bind failed"


def by_load(made, name="leastconn", **options):
    made.target.pool.algorithm = Algorithm(name, **options)
    return made


WAITS = "which server a request meets depends on how many wait at each"


@pytest.mark.parametrize("name", ["leastconn", "first", "random"])
def test_who_waits_for_a_lost_server_keeps_others_from_it(name):
    """`balance leastconn` with checks: what waits for the lost server counts as its load, so it gets no more."""
    _, aspects = verdict(by_load(trial(), name), event(4.0, failing=40, took=3.0))
    assert aspects["failed requests"] == (None, WAITS)
    assert aspects["detection"] == (True, None)


def test_one_after_the_other_they_meet_it_as_predicted():
    _, aspects = verdict(by_load(trial()), event(4.0))
    assert aspects["failed requests"] == (True, None)
    _, aspects = verdict(by_load(trial(failed=0.25)), event(4.0))
    assert aspects["failed requests"][0] is False
    _, aspects = verdict(by_load(trial(), "random", draws=1), event(4.0, failing=40, took=3.0))
    assert aspects["failed requests"][0] is False


def test_a_server_that_is_saved_by_others_is_so_under_any_load():
    _, aspects = verdict(by_load(trial(failed=0.0)), event(4.0, failing=40, took=3.0))
    assert aspects["failed requests"][0] is False
    unused = by_load(trial(failed=0.0, shares=(0.0, 1.0, 0.0)), "first")._replace(part=0.0)
    assert verdict(unused, event(4.0, failing=40, took=3.0))[1]["failed requests"] == (None, WAITS)


def test_alone_it_is_met_under_any_load():
    alone = by_load(trial(failed=1.0, shares=(0.0, 0.0, 0.0), unserved=1.0))
    for server in alone.target.pool.servers[1:]:
        server.disabled = Setting(value=True)
    assert verdict(alone, event(4.0, failing=1, took=0.5))[1]["failed requests"] == (True, None)
    assert verdict(alone, event(4.0, failing=3, took=0.5))[1]["failed requests"][0] is False


def test_limits_of_servers_under_load():
    """A survivor with a `maxconn` takes no more, whoever would be saved by it."""
    saved = trial(failed=0.0)
    saved.target.pool.servers[1].max_conns = Setting(2)
    assert verdict(saved, event(4.0, failing=40, took=3.0))[1]["failed requests"] == (None, WAITS)
    assert verdict(saved, event(0.5, failing=40, took=0.6))[1]["failed requests"] == (None, WAITS)
    assert verdict(saved, event(4.0, failing=40))[1]["failed requests"][0] is False


def test_who_serves_while_others_still_wait_is_not_known():
    made = by_load(trial(failed=0.0, shares=(0.0, 0.75, 0.25)))
    seen = event(4.0, failing=0)
    assert verdict(made, seen)[1]["shares"][0] is False
    seen["answers"].append((9000, 11, 200, 3.5, 2.0))
    assert verdict(made, seen)[1]["shares"] == (None, WAITS)
    assert verdict(trial(failed=0.0, shares=(0.0, 0.75, 0.25)), seen)[1]["shares"][0] is False


def test_that_nobody_notices_is_not_known_where_failures_are_not():
    lasting = by_load(trial(detection=None, never=True, unserved=0.5, shares=(0.0, 0.25, 0.25), down=""))
    assert verdict(lasting, event(None))[1]["detection"] == (True, None)
    _, aspects = verdict(lasting, event(None, failing=40, took=3.0))
    assert aspects["detection"] == (None, "when the proxy stops sending to it cannot be seen")


def test_shares_of_what_waits_are_not_known():
    lasting = by_load(trial(detection=None, never=True, shares=(0.0, 0.25, 0.25), unserved=0.5))
    assert verdict(lasting, event(None, failing=40, took=3.0))[1]["shares"] == (None, WAITS)


def test_who_answers_serves_and_not_who_was_asked_before():
    """`retry-on all-retryable-errors`: each request that the lost server answers with a 500 is sent to another one."""
    seen = event(None, failing=0)
    seen["arrivals"] += [(10, number, at - 0.0001) for _, number, at in seen["arrivals"][::3]]
    saved = trial(detection=None, never=True, failed=0.0, shares=(0.0, 0.5, 0.5), kind="errors", down="")
    found, aspects = verdict(saved, seen)
    assert aspects["shares"] == (True, None)
    assert [server.served > 0 for server in found.servers] == [False, True, True]


def test_requests_of_other_pools_do_not_count():
    """`use_backend canary if { rand(100) lt 20 }` takes some requests away, none of which meets the lost server."""
    seen = event(4.0, took=1.0)
    for number in range(0, 800, 5):
        ask, _, _, at, _ = seen["answers"][number]
        seen["answers"][number] = (ask, 13, 200, at, 0.001)
    found, _ = verdict(trial(), seen)
    assert found.requests == 640
    assert found.failed_share == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("dialect", "status", "sound"), [("haproxy", 429, False), ("nginx", 503, False), ("haproxy", 503, True)]
)
def test_limits_of_the_proxy_s_own(dialect, status, sound):
    """nginx says 502 where a server is missed, and 503 where a limit is reached."""
    seen = event(4.0, took=1.0)
    seen["answers"] = [
        (ask, PROXY, status, at, 0.001) if number % 2 == 0 and at < 3 else (ask, stub, said, at, took)
        for number, (ask, stub, said, at, took) in enumerate(seen["answers"])
    ]
    _, aspects = verdict(trial(), seen, dialect=dialect)
    words = f"the proxy itself answered 150 of 800 requests ({status}): a limit or a rule"
    assert all(reason and reason.startswith(words) for _, reason in aspects.values()) is not sound


def test_what_fails_while_all_are_there_is_not_the_loss_s_doing():
    seen = event(4.0, took=1.0)
    seen["answers"].insert(0, (9000, PROXY, 503, -0.2, 0.01))
    assert verdict(trial(), seen)[1]["shares"] == (None, "1 of 1 requests failed without it, too")
    seen["answers"][0] = (9000, PROXY, 503, RESTORED + 3, 0.01)
    assert verdict(trial(), seen)[1]["shares"] == (None, "1 of 1 requests failed without it, too")
    seen["answers"][0] = (9000, PROXY, 503, RESTORED + 1, 0.01)
    assert verdict(trial(), seen)[0].passed
