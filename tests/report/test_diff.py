"""Reports of a diff: the JSON holds to its schema and contract, and nothing that a config says steers a terminal."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from changes.read import addresses, haproxy, named, nginx, versions
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from traffic.generated import CONFIGS

from lbcheck.changes import overall
from lbcheck.changes.compare import compare
from lbcheck.changes.outcome import Changes
from lbcheck.report import diff_concise, diff_json
from lbcheck.report.options import Options
from lbcheck.traffic.outcome import Traffic

SCHEMA = json.loads(files("lbcheck.report").joinpath("diff.schema.json").read_text("utf-8"))
CHECK = json.loads(files("lbcheck.report").joinpath("check.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def changes(name, old, new, **findings):
    before, after = versions(name, old), versions(name, new)
    sides = (Traffic(), Traffic())
    for side, found in zip(sides, (before, after), strict=True):
        for version in found:
            side.add(version.traffic)
    found = compare(before, after)
    pools = [pool for change in found for pool in change.pools]
    return Changes(*sides, pools, overall.moved(found, *sides), **findings)


def told(*args, **findings):
    written = json.loads(diff_json.render(changes(*args, **findings), Options()))
    VALIDATOR.validate(written)
    return written


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ["finding", "related", "fix", "edit", "not_checked", "severity", "tool"])
def test_findings_are_those_of_check(name):
    assert SCHEMA["$defs"][name] == CHECK["$defs"][name]


def test_the_promised_keys(skewed, unchecked):
    old, new = haproxy(*named(1, 2)), haproxy("server s1 10.0.0.1:80 weight 3", *named(3))
    written = told("haproxy", old, new, introduced=[skewed], fixed=[unchecked], unchanged=3)
    assert list(written)[:1] == ["version"]
    assert {"moved", "moved_unknown", "pools", "findings"} <= written.keys()
    assert (written["version"], written["moved"], written["moved_unknown"]) == (1, 0.5, False)
    [pool] = written["pools"]
    assert {
        "name",
        "renamed_from",
        "path",
        "dialect",
        "config",
        "protocol",
        "status",
        "moved",
        "servers",
    } <= pool.keys()
    assert (pool["status"], pool["moved"]) == ("changed", 0.5)
    assert [(one["address"], one["before"], one["after"]) for one in pool["servers"]] == [
        ("10.0.0.1:80", 0.5, 0.75),
        ("10.0.0.3:80", None, 0.25),
        ("10.0.0.2:80", 0.5, None),
    ]
    findings = written["findings"]
    assert [len(findings["introduced"]), len(findings["fixed"]), findings["unchanged"]] == [1, 1, 3]
    assert findings["introduced"][0]["code"] == skewed.code


def test_what_is_not_known():
    odd = haproxy('server a "${A}:80" weight "${W}"', "server b 10.0.0.2:80")
    written = told("haproxy", odd, odd.replace("0.2:80", "0.3:80"))
    assert (written["moved"], written["moved_unknown"]) == (None, True)
    [pool] = written["pools"]
    assert (pool["status"], pool["moved"]) == ("changed", None)
    assert pool["reason"]


def test_keys():
    old, new = (nginx("hash $uri;", *addresses(*numbers)) for numbers in ((1, 2), (1, 2, 3)))
    [pool] = told("nginx", old, new)["pools"]
    assert pool["keys_moved"] == pytest.approx(2 / 3, abs=1e-4)
    assert (pool["keys_exact"], pool["keys_reason"]) == (True, None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CONFIGS, CONFIGS)
def test_any_two_configs(one, other):
    name, path, text = one
    later = other[2] if other[0] == name else text
    written = told(name, {path: text}, {path: later})
    for pool in written["pools"]:
        assert (pool["status"] in {"added", "removed"}) == (None in (pool["before"], pool["after"]))
        if pool["moved"] is None and pool["status"] in {"changed", "unchanged"}:
            assert pool["reason"]
        for side in ("before", "after"):
            if pool[side] is not None and pool[side]["unserved"] is not None:
                whole = sum(server[side] or 0.0 for server in pool["servers"]) + pool[side]["unserved"]
                assert whole == pytest.approx(1, abs=1e-9)
    same = told(name, {path: text}, {path: text})
    assert {pool["status"] for pool in same["pools"]} <= {"unchanged"}
    assert all(pool["moved"] in {None, 0.0} and not pool["keys_moved"] for pool in same["pools"])


def test_concise_lines(skewed, unchecked):
    old, new = haproxy(*named(1, 2, 3, 4, 5, 6, 7)), haproxy(*named(1, 2))
    text = diff_concise.render(changes("haproxy", old, new, introduced=[skewed], fixed=[unchecked]), Options())
    lines = text.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("haproxy.cfg:11: changed pool app: 71.4 % of its requests move; s1 14.3 % → 50 %, ")
    assert lines[0].endswith(", 3 more")
    assert lines[1].startswith("lb/nginx.conf:12:9: introduced warning D01 ")
    assert lines[2].startswith("conf d/é.cfg:120:1: fixed error X99 ")
    assert lines[3].startswith(
        "71.4 % of all traffic moves; 1 pool changed; 1 finding introduced, 1 fixed, 0 unchanged"
    )
    assert "\x1b[" in diff_concise.render(changes("haproxy", old, new), Options(color=True))


def test_names_cannot_steer_a_terminal():
    lines = ["server \x1b[31mred 10.0.0.1:80", "server ##[add-mask]x 10.0.0.2:80"]
    old, new = haproxy(*lines), haproxy(lines[0] + " weight 3", lines[1])
    text = diff_concise.render(changes("haproxy", old, new), Options())
    assert "\x1b" not in text
    assert "##[" not in text
