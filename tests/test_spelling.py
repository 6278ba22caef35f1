from __future__ import annotations

import pytest

from lbcheck.spelling import closest, distance, nearest


@pytest.mark.parametrize(
    ("left", "right", "edits"),
    [
        ("backend", "backend", 0),
        ("backend", "bakcend", 1),
        ("backend", "backnd", 1),
        ("backend", "backends", 1),
        ("backend", "backemd", 1),
        ("ca", "abc", 3),
        ("8080", "8008", 1),
        ("", "ab", 2),
    ],
)
def test_distance_counts_single_edits_and_swaps(left, right, edits):
    assert distance(left, right, 5) == edits
    assert distance(right, left, 5) == edits


def test_distance_stops_at_the_limit():
    assert distance("abcdef", "uvwxyz", 2) == 3
    assert distance("a" * 10_000, "a" * 9_999, 1) == 2


def test_nearest_keeps_only_the_best_in_their_order():
    assert nearest("app", ["apq", "ap", "apx", "zzz"], 2) == ["apq", "ap", "apx"]
    assert nearest("app", ["axx", "apq", "axy"], 2) == ["apq"]
    assert nearest("app", ["apq", "apq"], 1) == ["apq"]
    assert nearest("app", ["zzz"], 2) == []


def test_closest_never_guesses_short_or_distant_names():
    assert closest("wieght", ["weight", "wright"]) == "weight"
    assert closest("ab", ["ac"]) is None
    assert closest("api", ["web", "static"]) is None
    assert closest("proxy_pas", ["proxy_pass", "proxy_bind"]) == "proxy_pass"
