from __future__ import annotations

import pytest
from checks.read import DEFAULTS, backend, found, severities

A, B, C = (f"server {name} 10.0.0.{number}:80" for number, name in enumerate("abc", 1))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([f"{A} backup", f"{B} backup"], ["warning"]),
        ([f"{A} backup"], ["info"]),
        (["option allbackups", f"{A} backup", f"{B} backup"], ["info"]),
        ([A, f"{B} backup"], []),
        ([f"{A} disabled", f"{B} backup"], []),
        ([], []),
    ],
)
def test_nothing_but_backups(lines, expected):
    assert severities("F01", *lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([A, f"{B} check backup"], [""]),
        ([f"{A} check", f"{B} check backup"], []),
        ([f"{A} agent-check agent-port 1", f"{B} backup"], []),
        ([f"{A} weight 0", f"{B} backup"], []),  # live: the backup serves
        ([f"{A} disabled", f"{C} check", f"{B} backup"], []),
        ([A, f"{B} backup disabled"], []),
        ([A, f"{B} backup # manual spare"], ["info"]),
        (["mode log", A, f"{B} backup"], []),
        ([f"{A} no-check", f"{B} backup"], [""]),
    ],
)
def test_a_backup_that_never_takes_over(lines, expected):
    assert severities("F02", *lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([f"{A} check", f"{B} check backup", f"{C} check backup"], ["info"]),
        (["option allbackups", A, f"{B} backup", f"{C} backup"], []),
        ([A, f"{B} backup", f"{C} backup disabled"], []),
        ([f"{A} maxconn 100", f"{B} backup maxconn 50", f"{C} backup"], ["warning"]),
        ([f"{A} maxconn 100", f"{B} backup maxconn 100", f"{C} backup"], ["info"]),
        ([A, f"{B} backup maxconn 50", f"{C} backup"], ["info"]),
    ],
)
def test_backups_that_wait(lines, expected):
    assert severities("F03", *lines) == expected


def test_the_fix_writes_the_option_above_the_servers():
    text = backend("balance roundrobin", A, f"{B} backup", f"{C} backup")
    (edit,) = found("F03", "haproxy", text)[0].fix.edits
    assert (edit.span.line, edit.text) == (8, "  option allbackups\n")


CHECKED = [f"{A} check", f"{B} check"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["balance source", *CHECKED], [""]),
        (["balance roundrobin", *CHECKED], []),
        (["balance source", "option redispatch", *CHECKED], []),
        (["balance source", A, B], []),
        (["balance source", f"{A} check", f"{B} check backup"], []),
        (["cookie S insert", f"{A} check cookie a", f"{B} check cookie b"], [""]),
        (["cookie S insert", *CHECKED], []),
        (["cookie S insert dynamic", "dynamic-cookie-key k", *CHECKED], [""]),
        (["stick-table type ip size 1k", "stick on src", *CHECKED], [""]),
        (["mode tcp", "balance source", *CHECKED], [""]),
        (["mode tcp", "balance source", "server m 10.0.0.1:3306 check", "server n 10.0.0.2:3306 check"], []),
        (["mode tcp", "balance source", "option pgsql-check", *CHECKED], []),
    ],
)
def test_retries_on_a_dead_server_alone(lines, expected):
    assert severities("F05", *lines) == expected


def test_the_fix_stays_in_the_section():
    (hit,) = found("F05", "haproxy", backend("balance source", "hash-type consistent", *CHECKED))
    assert [(edit.span.line, edit.text) for edit in hit.fix.edits] == [(7, "  option redispatch 1\n")]
    assert hit.args["advice"] == "add `option redispatch 1`"


@pytest.mark.parametrize(
    "lines", [["balance source"], ["balance uri", "cookie S insert dynamic", "dynamic-cookie-key k"]]
)
def test_a_redispatch_on_a_map_leads_back_to_the_dead_server(lines):
    """As tests/traffic/test_real_outages_haproxy.py has it of the real one ("map", "ring_each")."""
    (hit,) = found("F05", "haproxy", backend(*lines, *CHECKED))
    assert hit.fix is None
    assert hit.args["advice"].startswith("write `hash-type consistent` and `option redispatch 1`")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([A, B], [""]),
        ([f"{A} maxconn 10", B], []),
        ([f"{A} maxconn 10", B, C], [""]),
        ([f"{A} maxconn 0", B], [""]),
        ([A, f"{B} backup"], []),
        ([A], []),
        (["mode tcp", A, B], ["warning"]),
        (["mode tcp", f"{A} maxconn 5", B, C], [""]),
        ([f"{A} id 9", f"{B} maxconn 9 id 1"], []),
        (['server a 10.0.0.1:80 maxconn "$MAX"', B], []),
        (["default-server maxconn 10", A, B], []),
    ],
)
def test_first_without_a_limit(lines, expected):
    assert severities("C02", "balance first", *lines) == expected


def test_an_inherited_first_is_one_finding_the_gravest():
    first = DEFAULTS + "  balance first\n"
    more = f"backend tcp\n  mode tcp\n  {A}\n  {B}\nbackend one\n  {A}\n  {B}\nbackend full\n  {A} maxconn 9\n  {B}\n"
    (hit,) = found("C02", "haproxy", first + more + f"backend two\n  {A}\n  {B}\n")
    assert (hit.pool, hit.severity) == ("one", None)
    assert [other.message for other in hit.related] == ["nor has a of tcp one", "nor has a of two one"]
    own = "".join(f"backend {name}\n  balance first\n  {A}\n  {B}\n" for name in ("x", "y"))
    assert len(found("C02", "haproxy", DEFAULTS + own)) == 2
