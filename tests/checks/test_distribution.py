from __future__ import annotations

import pytest
from checks.build import config, hits, written
from checks.lines import Text

from lbcheck.checks.distribution import weight_ignored, weight_skew
from lbcheck.checks.hashing import hash_ring_imbalance
from lbcheck.context import Context
from lbcheck.model import Algorithm


def found(check, *members, dialect="nginx", context=None, **fields):
    text = Text()
    return hits(check, config(text.pool("app", *members, **fields), dialect=dialect), context)


@pytest.mark.parametrize(
    ("weights", "server", "share"),
    [
        ((10, 1, 1), 1, "83.3 %"),
        ((5, 1, 1), 1, "71.4 %"),
        ((60, 2, 2, 2), 1, "90.9 %"),
        ((99, None), 1, "99 %"),
        ((10, 10, 1), 3, "4.8 %"),
        ((80, 10, 10), 1, "80 %"),
        ((None, None, 50), 3, "96.2 %"),
    ],
)
def test_a_skew_is_told_at_the_outlying_weight(weights, server, share):
    (hit,) = found(weight_skew, *weights)
    assert (hit.server, hit.args["share"]) == (f"10.0.0.{server}:8080", share)


@pytest.mark.parametrize(
    "weights",
    [(2, 1), (3, 1), (4, 1), (2, 2, 1, 1), (90, 10), (95, 5), (99, 1), (9, 1), (45, 45, 10), (7, 7), (50,), (50, 0)],
)
def test_moderate_weights_and_canaries_are_fine(weights):
    assert not found(weight_skew, *weights)


def test_a_name_or_a_comment_makes_a_canary():
    text = Text()
    canary = text.server("10.0.0.3:8080", comment="# new machine, on trial")
    made = text.pool("app", text.server("a:1", 20), text.server("b:1", 20), canary)
    assert not hits(weight_skew, config(made, dialect="nginx"))
    other = text.server("10.0.0.4:8080", comment="# in Newark, renewed")
    made = text.pool("app", text.server("a:1", 50), other, comment="# newest")
    assert hits(weight_skew, config(made, dialect="nginx"))


def test_the_threshold_is_the_users():
    assert found(weight_skew, 3, 1, context=Context(options={"D01": {"max_share_ratio": 2}}))


def test_shares_are_judged_not_weights():
    assert not found(weight_skew, 10, 1, 1, dialect="haproxy", algorithm="leastconn")
    assert not found(weight_skew, 10, 1, 1, algorithm="random_two")
    assert not found(weight_skew, 7000, 1, 1, algorithm="ip_hash")
    assert not found(weight_skew, 10, 1, open="server-template")


def test_declared_capacity_decides():
    text = Text()
    sized = [text.server("a:1", 10, capacity=1000), text.server("b:1", 1, capacity=100)]
    assert not hits(weight_skew, config(text.pool("app", *sized), dialect="native"))
    sized = [text.server("a:1", 1, capacity=1000), text.server("b:1", 1, capacity=100)]
    (hit,) = hits(weight_skew, config(text.pool("app", *sized), dialect="native"))
    assert (hit.server, hit.args["ratio"], hit.severity) == ("b:1", "5.5", None)
    (hit,) = hits(weight_skew, config(text.pool("app", *sized, options={"demand": written(400)}), dialect="native"))
    assert hit.severity == "error"


def test_weights_that_the_algorithm_does_not_read():
    (hit,) = found(weight_ignored, 5, 1, dialect="haproxy", algorithm="first")
    assert (hit.severity, hit.fix.edits[0].text) == (None, "roundrobin")
    (hit,) = found(weight_ignored, 5, 1, dialect="haproxy", algorithm="leastconn")
    assert (hit.severity, hit.fix) == ("info", None)
    assert not found(weight_ignored, 5, 5, dialect="haproxy", algorithm="first")
    assert not found(weight_ignored, 5, 1, dialect="haproxy", algorithm="roundrobin")
    assert not found(weight_ignored, 5, 1, algorithm="least_conn")


def ring(name="source"):
    return Algorithm(name, consistent=True, function="sdbm", avalanche=True)


def test_a_ring_with_few_points_is_unfair():
    (hit,) = found(hash_ring_imbalance, *[None] * 10, dialect="haproxy", algorithm=ring())
    assert hit.args["hash"] == "the ring (160 points)"
    assert float(hit.args["ratio"]) == pytest.approx(1.34, abs=0.05)
    assert hit.fix.edits
    assert not found(hash_ring_imbalance, None, None, dialect="haproxy", algorithm=ring())
    assert not found(hash_ring_imbalance, *[100] * 10, dialect="haproxy", algorithm=ring())
    assert not found(hash_ring_imbalance, *[None] * 10, dialect="haproxy", algorithm="source")
    assert not found(hash_ring_imbalance, *[None] * 10, dialect="haproxy", algorithm=ring("random"))


def test_a_huge_ring_is_not_checked_and_that_is_said():
    text = Text()
    made = config(text.pool("app", 100_000, 100_000, algorithm="hash_consistent"), dialect="nginx")
    assert not hits(hash_ring_imbalance, made)
    assert "ring" in made.unmodelled[0].reason
