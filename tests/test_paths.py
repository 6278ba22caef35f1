"""Paths found by how they end."""

from __future__ import annotations

import pytest

from lbcheck.paths import PathIndex, shared_folders

PATHS = ["a/nginx/nginx.conf", "a/nginx/conf.d/x.conf", "a/nginx/conf.d/y.conf", "b/conf.d/x.conf", "x.conf"]


@pytest.mark.parametrize(
    ("end", "found"),
    [
        ("x.conf", ["a/nginx/conf.d/x.conf", "b/conf.d/x.conf", "x.conf"]),
        ("conf.d/*.conf", ["a/nginx/conf.d/x.conf", "a/nginx/conf.d/y.conf", "b/conf.d/x.conf"]),
        ("nginx/*/x.conf", ["a/nginx/conf.d/x.conf"]),
        ("*/x.*", ["a/nginx/conf.d/x.conf", "b/conf.d/x.conf"]),
        ("*.conf", []),
        ("d/x.conf", []),
        ("none/*.conf", []),
    ],
)
def test_ending(end, found):
    assert sorted(PathIndex(PATHS).ending(end)) == found


def test_nearest_shares_the_most_leading_folders():
    index = PathIndex(PATHS)
    assert index.nearest("conf.d/x.conf", "b/nginx.conf") == ["b/conf.d/x.conf"]
    assert index.nearest("conf.d/*.conf", "a/nginx") == ["a/nginx/conf.d/x.conf", "a/nginx/conf.d/y.conf"]
    assert index.nearest("z.conf", "a") == []
    assert shared_folders("a/b/c", "a/b/d") == 2
