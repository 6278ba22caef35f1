"""Numbers of Envoy's documentation and source that do not depend on a running Envoy."""

from __future__ import annotations

import pytest

from lbcheck.traffic.algorithms import hashtables
from lbcheck.traffic.algorithms.members import proportional
from lbcheck.traffic.algorithms.priorities import Level, loads, locality_weight
from lbcheck.traffic.algorithms.xxhash import xxh64


def level(healthy, total):
    return Level(healthy, total, healthy, total, total)


@pytest.mark.parametrize(
    ("text", "seed", "value"),
    [
        (b"", 0, 0xEF46DB3751D8E999),
        (b"", 1, 0xD5AFBA1336A3BE4B),
        (b"abc", 0, 0x44BC2CF5AD770999),
        (b"foo", 0, 0x33BF00A859C4BA3F),
        (b"Nobody inspects the spammish repetition", 0, 0xFBCEA83C8A378BF1),
    ],
)
def test_xxh64(text, seed, value):
    assert xxh64(text, seed) == value


def test_ring_of_unlike_weights():
    """ring_hash_lb.cc: the least host gets a whole number of points, and the ring is as large as that makes it."""
    parts = proportional([1, 1, 10])
    assert hashtables.point_counts(parts) == [86, 86, 860]
    assert hashtables.point_counts(proportional([1, 1, 1])) == [342, 342, 342]
    assert sum(hashtables.point_counts(proportional([1, 1, 10]), 1024, 100)) == 100


def test_maglev_is_as_documented():
    """The documentation's example: of two hosts with weights 1 and 2, 21,846 and 43,691 of 65,537 places."""
    parts = proportional([1, 2])
    assert hashtables.table_counts(parts) == [21846, 43691]
    table = hashtables.table(("10.0.0.1:80", "10.0.0.2:80"), tuple(parts))
    assert [table.count(0), table.count(1)] == [21846, 43691]


@pytest.mark.parametrize(
    ("levels", "percents", "panic"),
    [
        ([(72, 100), (100, 100)], [100, 0], [False, False]),
        ([(71, 100), (100, 100)], [99, 1], [False, False]),
        ([(50, 100), (60, 100)], [70, 30], [False, False]),
        ([(25, 100), (25, 100)], [50, 50], [True, True]),
        ([(5, 100), (65, 100)], [8, 92], [True, False]),  # the documentation's table rounds to 7 and 93
        ([(1, 2)], [100], [False]),
        ([(1, 3)], [100], [True]),
        ([(0, 3), (2, 2)], [0, 100], [False, False]),
        ([(0, 3), (0, 1)], [75, 25], [True, True]),
    ],
)
def test_priorities(levels, percents, panic):
    found = loads([level(*one) for one in levels])
    assert (found.percents, found.panic) == (percents, panic)


def test_without_panic_all_goes_to_the_first_priority():
    assert loads([level(0, 2), level(0, 2)], threshold=0).percents == [100, 0]


@pytest.mark.parametrize(("healthy", "weight"), [(10, 4.0), (8, 4.0), (7, 3.92), (5, 2.8), (0, 0.0)])
def test_locality_weights_fall_with_health(healthy, weight):
    assert locality_weight(4, healthy, 10) == pytest.approx(weight)
