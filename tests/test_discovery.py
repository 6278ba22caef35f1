"""Which names may be configs' names."""

from __future__ import annotations

import pytest

from lbcheck.discovery import candidates


@pytest.mark.parametrize(
    ("path", "dialects"),
    [
        ("lb/nginx.conf", ("nginx", "haproxy")),
        ("lb/nginx.conf.j2", ("nginx", "haproxy")),
        ("sites-available/default", ("nginx",)),
        ("app.nginx", ("nginx",)),
        ("docker/Dockerfile.nginx", ()),
        ("docker/Containerfile.nginx", ()),
        ("docker/dockerfile.conf", ()),
    ],
)
def test_candidates(path, dialects):
    assert candidates(path) == dialects
