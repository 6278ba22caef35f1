"""What differs between requests, for a pool's key to differ."""

from __future__ import annotations

import pytest
from checks.read import config

from lbcheck.rehearsal.planning.keys import varied
from lbcheck.rehearsal.preparing.samples import Sample

OPEN, CLOSED = Sample(), Sample(open_end=False)


def pool(dialect, line, mode="http"):
    if dialect == "nginx":
        body = f"upstream app {{ {line} server 10.0.0.1; server 10.0.0.2; }}"
        text = f"events {{}}\nhttp {{ {body} server {{ listen 80; location / {{ proxy_pass http://app; }} }} }}"
    else:
        text = f"defaults\nmode {mode}\nbackend app\n{line}\nserver a 10.0.0.1:80\nserver b 10.0.0.2:80\n"
    return config(dialect, text).pools[0]


@pytest.mark.parametrize(
    ("dialect", "line", "sample", "expected"),
    [
        ("nginx", "", OPEN, ""),
        ("nginx", "ip_hash;", OPEN, "source"),
        ("nginx", "hash $remote_addr;", OPEN, "source"),
        ("nginx", "hash $binary_remote_addr consistent;", OPEN, "source"),
        ("nginx", "hash $request_uri;", OPEN, "path"),
        ("nginx", "hash $request_uri;", CLOSED, "query:lbcheck"),
        ("nginx", "hash $uri;", OPEN, "path"),
        ("nginx", "hash $uri;", CLOSED, ""),
        ("nginx", "hash $scheme$uri_of_mine$args;", OPEN, "query:lbcheck"),
        ("nginx", "hash ${arg_user}x;", CLOSED, "query:user"),
        ("nginx", "hash $cookie_session;", OPEN, "cookie:session"),
        ("nginx", "hash $http_x_user_id;", OPEN, "header:x-user-id"),
        ("nginx", "hash $http_host;", OPEN, ""),
        ("nginx", "hash constant;", OPEN, ""),
        ("haproxy", "balance roundrobin", OPEN, ""),
        ("haproxy", "balance source", OPEN, "source"),
        ("haproxy", "balance uri", OPEN, "path"),
        ("haproxy", "balance uri", CLOSED, ""),
        ("haproxy", "balance url_param user", CLOSED, "query:user"),
        ("haproxy", "balance hdr(x-user)", CLOSED, "header:x-user"),
        ("haproxy", "balance hdr(host)", CLOSED, ""),
        ("haproxy", "balance hash src", OPEN, "source"),
        ("haproxy", "balance hash path", CLOSED, ""),
        ("haproxy", "balance hash req.hdr(x-user)", OPEN, "header:x-user"),
        ("haproxy", "balance hash req.cook(session),lower", OPEN, "cookie:session"),
        ("haproxy", "stick-table type ip size 1k\nstick on src", OPEN, "source"),
    ],
)
def test_varied(dialect, line, sample, expected):
    assert varied(pool(dialect, line), dialect, sample, plain=False) == expected


def test_plain_connections_differ_by_their_source_alone():
    assert varied(pool("haproxy", "balance source", "tcp"), "haproxy", OPEN, plain=True) == "source"
    assert varied(pool("haproxy", "balance uri", "tcp"), "haproxy", OPEN, plain=True) == ""
