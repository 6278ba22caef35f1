from __future__ import annotations

import pytest
import samples

from lbcheck.report.pictures import losses

# ruff: noqa: E501 - a sentence is a line

SERVERS = samples.weighted([2, 1, 1], "s")


def told(loss):
    return losses.told(loss, samples.pool("app", SERVERS))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"failed": 0.5},
            "without s1: 50 % of requests fail for up to 6 s, then s2, s3 get 50 % each (now 25 %)",
        ),
        ({"failed": 0.5, "detection_s": None}, "without s1: 50 % of requests fail for as long as it is down"),
        (
            {"failed": 0.5, "detection_s": None, "never": False},
            "without s1: 50 % of requests fail for a time that is not known, then s2, s3 get 50 % each (now 25 %)",
        ),
        ({"failed": 0.0}, "without s1: no request fails, then s2, s3 get 50 % each (now 25 %)"),
        (
            {"failed": 0.0, "delay_s": 5.0, "detection_s": None},
            "without s1: requests wait 5 s for another server, for as long as it is down, then s2, s3 get 50 % each (now 25 %)",
        ),
        (
            {"failed": None, "reason": "the ring is too large"},
            "without s1: how many requests fail is not known, then shares are not known: the ring is too large",
        ),
        (
            {"failed": 1.0, "unserved": 1.0, "alike": 3},
            "without s1 (or any of 3 alike): 100 % of requests fail for up to 6 s, then 100 % find no server",
        ),
        (
            {"failed": 0.5, "detection_s": 10.0, "failed_requests": 1, "again_s": 10.0},
            "without s1: 1 request fails in each worker process, and one more every 10 s, then s2, s3 get 50 % each (now 25 %)",
        ),
        (
            {"failed": 0.5, "detection_s": 70.0, "again_s": 10.0},
            "without s1: 50 % of requests fail for up to 70 s, and one every 10 s later, then s2, s3 get 50 % each (now 25 %)",
        ),
        (
            {"failed": 0.1, "backups": True},
            "without s1: 10 % of requests fail for up to 6 s, then backups take over, s2, s3 get 50 % each (now 25 %)",
        ),
    ],
)
def test_a_loss_in_one_sentence(given, sentence):
    assert told(samples.loss("s1", [("s1", 0.0), ("s2", 0.5), ("s3", 0.5)], **given)) == sentence


def test_overload_after_a_loss():
    loss = samples.loss("s1", [("s1", 0.0), ("s2", 0.5), ("s3", 0.5)], failed=0.0)
    over = loss.servers[1]._replace(load=150.0, capacity=100.0)
    assert told(loss._replace(servers=(loss.servers[0], over, loss.servers[2]))) == (
        "without s1: no request fails, then s2 overloaded (150, can take 100)"
    )


def test_the_worst_loss_is_the_one_that_most_requests_suffer_from():
    after = [("s1", 0.0), ("s2", 0.5), ("s3", 0.5)]
    long = samples.loss("long", after, failed=0.1, detection_s=100.0)
    short = samples.loss("short", after, failed=0.9, detection_s=1.0)
    never = samples.loss("never", after, failed=0.01, detection_s=None)
    dead = samples.loss("dead", after, failed=0.0, unserved=0.2)
    made = samples.pool("app", SERVERS, losses=[short, long, never, dead])
    assert [loss.lost for loss in losses.ranked(made)] == ["dead", "never", "long", "short"]
    assert losses.worst(made) is dead
    assert losses.worst(samples.pool("app", SERVERS)) is None


def test_of_two_overloads_the_greater_is_worse():
    made = []
    for lost, share, load, capacity in (("grows", 1.0, 100.0, 90.0), ("bursts", 0.8, 80.0, 60.0)):
        loss = samples.loss(lost, [("s1", share), ("s2", 1 - share), ("s3", 0.0)], failed=0.0)
        over = loss.servers[0]._replace(load=load, capacity=capacity)
        made.append(loss._replace(servers=(over, *loss.servers[1:])))
    assert losses.worst(samples.pool("app", SERVERS, losses=made)).lost == "bursts"


def test_a_loss_of_which_nobody_knows_what_fails_may_be_the_worst():
    """s1 gets half of the requests: more may fail without it than the quarter that fails without s2."""
    after = [("s1", 0.3), ("s2", 0.3), ("s3", 0.4)]
    known = samples.loss("s2", after, failed=0.25, detection_s=6.0)
    unknown = samples.loss("s1", after, failed=None, detection_s=6.0)
    small = samples.loss("s3", after, failed=None, detection_s=3.0)
    made = samples.pool("app", SERVERS, losses=[small, known, unknown])
    assert [loss.lost for loss in losses.ranked(made)] == ["s1", "s2", "s3"]
    nobody_knows = samples.unknown_pool("app", "open", ["s1", "s2"], losses=[known, unknown])
    assert losses.worst(nobody_knows) is unknown


def test_of_a_line_that_stands_for_several_servers_one_is_lost():
    server = samples.server("web", 0.8, alike=4)
    one = samples.loss("one server of web", [("web", 0.75)], failed=None)._replace(names=("web",))
    whole = samples.loss("web", [("web", 0.0)], failed=None)
    other = samples.loss("s2", [("web", 1.0)], failed=0.5)
    made = samples.pool("app", [server], losses=[one, other, whole])
    assert [loss.lost for loss in losses.ranked(made)] == ["web", "s2", "one server of web"]
