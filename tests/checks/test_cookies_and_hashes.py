from __future__ import annotations

import pytest
from checks.read import DEFAULTS, backend, found, said, severities

A, B, C = (f"server {name} 10.0.0.{number}:80 check" for number, name in enumerate("abc", 1))
INSERT = "cookie S insert indirect nocache"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([INSERT, A, B], ["error"]),
        ([INSERT, f"{A} cookie a", B], [""]),
        ([INSERT, f"{A} cookie a", f"{B} cookie b"], []),
        ([INSERT, A], []),
        (["cookie S insert dynamic", "dynamic-cookie-key k", A, B], []),
        (["cookie S", A, B], []),
        (["mode tcp", INSERT, A, B], []),
        ([INSERT, f"{A} cookie a", f"{B} disabled"], []),
        ([INSERT, f"{A} cookie a", f"{B} backup"], []),
        ([INSERT, "option allbackups", f"{A} cookie a", f"{B} backup", f"{C} backup"], ["info"]),
        ([INSERT, "option allbackups", f"{A} cookie a", f"{B} backup"], []),
    ],
)
def test_servers_without_a_value(lines, expected):
    assert severities("S01", *lines) == expected


def test_the_fix_takes_the_names_unless_they_are_taken():
    (hit,) = found("S01", "haproxy", backend(INSERT, f"{A} cookie x", B))
    assert [edit.text for edit in hit.fix.edits] == [" cookie b"]
    (hit,) = found("S01", "haproxy", backend(INSERT, f"{A} cookie b", B))
    assert hit.fix is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([INSERT, f"{A} cookie x", f"{B} cookie x"], [""]),
        ([INSERT, f"{A} cookie x", f"{B} cookie x", f"{C} cookie x"], ["", ""]),
        ([INSERT, f"{A} cookie x", f"{B} cookie x backup"], []),
        ([INSERT, f"{A} cookie x", f"{B} cookie x disabled"], []),
        ([INSERT, "server-template t 1-3 10.0.0.1:80 check cookie x"], [""]),
        ([f"{A} cookie x", f"{B} cookie x"], []),
    ],
)
def test_one_value_for_two_servers(lines, expected):
    assert severities("S02", *lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([f"{A} cookie x", f"{B} cookie y"], [""]),
        ([INSERT, f"{A} cookie x"], []),
        (["mode tcp", INSERT, f"{A} cookie x"], [""]),
        ([A], []),
    ],
)
def test_a_value_that_nothing_reads(lines, expected):
    assert severities("S03", *lines) == expected


def test_a_cookie_in_defaults_is_read():
    assert severities("S03", f"{A} cookie x", defaults=DEFAULTS + "  cookie S insert\n") == []


HASHED = "balance uri"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([HASHED, "hash-type consistent sdbm", A, B], [""]),
        ([HASHED, "hash-type consistent djb2 avalanche", A, B], []),
        ([HASHED, "hash-type consistent", A, B], []),
        ([HASHED, "hash-type map-based sdbm", A, B], []),
        ([HASHED, "hash-type consistent crc32", A, B], ["info"]),
        (["balance source", "hash-type consistent crc32", A, B], [""]),
        (["balance roundrobin", "hash-type consistent sdbm", A, B], []),
        ([HASHED, "hash-type consistent sdbm", A], []),
    ],
)
def test_no_avalanche(lines, expected):
    assert severities("D09", *lines) == expected


def test_an_inherited_hash_type_is_one_finding():
    text = (
        backend(A, B, defaults=DEFAULTS + "  balance uri\n  hash-type consistent wt6\n") + f"backend o\n  {A}\n  {B}\n"
    )
    assert said("D09", "haproxy", text) == [(7, "")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["balance static-rr", f"{A} slowstart 10s", B], [""]),
        ([HASHED, f"{A} slowstart 10s", B], [""]),
        ([HASHED, "hash-type consistent", f"{A} slowstart 10s", B], []),
        (["balance roundrobin", f"{A} slowstart 10s", B], []),
        (["balance static-rr", f"{A} slowstart 0", B], []),
        ([HASHED, "hash-balance-factor 150", A, B], [""]),
        ([HASHED, "hash-balance-factor 0", A, B], []),
        (["balance random", "hash-balance-factor 150", A, B], []),
        (["balance leastconn", "hash-type consistent", A, B], [""]),
        (["balance random", "hash-type consistent", A, B], []),
        ([HASHED, f"{A} agent-check agent-port 9", B], ["info"]),
        (["balance static-rr", f"{A} slowstart 10s"], []),
    ],
)
def test_what_a_static_algorithm_ignores(lines, expected):
    assert severities("D18", *lines) == expected


def test_a_hash_type_in_defaults_is_for_those_who_hash():
    assert severities("D18", "balance roundrobin", A, B, defaults=DEFAULTS + "  hash-type consistent\n") == []


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("hash str(x)", [""]),
        ("hash str(x),lower", [""]),
        ("hash str(x),concat(,txn.y)", []),
        ("hash path", []),
        ("hash src", []),
        ("hash always_true", [""]),
        ('hash "env(HOST)"', [""]),
        ("uri", []),
        ("hdr(host)", []),
    ],
)
def test_constant_samples(key, expected):
    assert severities("S04", f"balance {key}", A, B) == expected


def test_one_server_needs_no_key():
    assert severities("S04", "balance hash str(x)", A) == []


FRONT = "frontend web\n  bind :80\n  use_backend app if {{ hdr(host) -i {} }}\n"


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        (FRONT.format("a.example"), ["info"]),
        (FRONT.format("a.example b.example"), []),
        (FRONT.format("a.example") + "  default_backend app\n", []),
        ("", []),
    ],
)
def test_the_host_of_one_route(front, expected):
    assert severities("S04", "balance hdr(Host)", A, B, defaults=DEFAULTS + front) == expected


def upstream(*lines):
    inside = "".join(f"{line};\n" for line in (*lines, "server 10.0.0.1:80", "server 10.0.0.2:80"))
    return (
        "events {}\nhttp {\nupstream app {\n"
        + inside
        + "}\nserver { listen 80; location / { proxy_pass http://app; } }\n}\n"
    )


@pytest.mark.parametrize(
    ("hash_line", "expected"),
    [
        ("hash consistent", 1),
        ("hash abc consistent", 1),
        ("hash $hostname", 1),
        ("hash $request_uri consistent", 0),
        ("hash ${uri}x", 0),
        ('hash "$hostname$uri"', 0),
        ("hash {{ key }}", 0),
        ("hash <%= key %>", 0),
        ("ip_hash", 0),
    ],
)
def test_constant_keys_of_nginx(hash_line, expected):
    assert len(said("S04", "nginx", upstream(hash_line))) == expected
