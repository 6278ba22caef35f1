"""What is seen of a loss against what was predicted of it, without any proxy."""

from __future__ import annotations

import pytest
from traffic.pools import pool

from lbcheck.rehearsal.load import NOBODY
from lbcheck.rehearsal.losing import Trial
from lbcheck.rehearsal.loss_verdict import judged
from lbcheck.rehearsal.plan import Target
from lbcheck.rehearsal.script import Load, Loss
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
        "event": "loss", "load": 0, "noticed": noticed, "tries": [], "restored": RESTORED, "back": 2.0,
        "served_from": 0.0 if noticed is None else noticed + 0.05,
        "answers": answers, "arrivals": arrivals, "down": [],
    }  # fmt: skip


def verdict(made, *events, tolerance=1.0):
    found = judged(made, "haproxy", events, [LOAD], tolerance)
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
    assert aspects["detection"] == (True, None)
    assert aspects["shares"] == (None, "the proxy took c for down too: its checks fail here")
    assert found.passed


def test_nobody_is_left():
    _, aspects = verdict(trial(shares=(0.0, 0.0, 0.0), unserved=1.0, failed=0.5), event(4.0))
    assert aspects["shares"] == (False, "395 requests were served where none may be")


def test_a_loss_that_nobody_notices():
    lasting = trial(detection=None, never=True, shares=(0.0, 0.25, 0.25), unserved=0.5)
    found, aspects = verdict(lasting, event(None))
    assert found.passed, aspects
    found, aspects = verdict(lasting, event(2.0))
    assert aspects["detection"] == (False, "taken out after 2.0 s, where nobody takes it out")


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
