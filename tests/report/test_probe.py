"""`lbcheck probe` as JSON and as text, of one run that has everything in it."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from lbcheck.live.outcome import (
    CHECK,
    DNS,
    DOWN,
    NOT_PROBED,
    PLANNED,
    TCP,
    TLS,
    UNKNOWN,
    UP,
    Certificate,
    ProbedPool,
    ProbedServer,
    Probes,
    Verdict,
)
from lbcheck.report import probe_json, probe_text
from lbcheck.report.options import Options
from lbcheck.results import Note, Place

SCHEMA = json.loads(files("lbcheck.report").joinpath("probe.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
RIGHT = Certificate(("app.test",), "An authority", "2027-01-31T12:00:00Z", 80, verified=True)
LATE = Certificate(("app.test",), "An authority", "2026-01-31T12:00:00Z", -3)
EVIL = '10.0.0.4:80 answers "\x1b[31m\r\n\u202egarbage ##[add-mask]", which is no HTTP answer'
SHOWN = r'10.0.0.4:80 answers "\x1b[31m\x0d\x0a\u202egarbage \x23#[add-mask]", which is no HTTP answer'


def server(name, verdict, role="primary", asked="GET /up, status 200-399"):
    return ProbedServer(name, f"{name}.test:80", role, 7, asked, verdict)


def run(*servers, **fields):
    found = Probes(dry_run=fields.get("dry_run", False))
    found.pools = [ProbedPool("lb/haproxy.cfg", "haproxy", "app", "lb/haproxy.cfg", 3, fields.get("open"), servers)]
    return found


EVERYTHING = run(
    server("a", Verdict(UP, CHECK, None, None, "10.0.0.1:80", 0.0123, 200, RIGHT)),
    server("b", Verdict(UP, TLS, None, None, "10.0.0.2:80", 0.01, None, LATE, ("it expired",)), "backup"),
    server("c", Verdict(DOWN, DNS, "no address is known for c.test", "correct the name")),
    server("d", Verdict(DOWN, CHECK, EVIL, "correct the port", "10.0.0.4:80", 0.01, 404)),
    server("e", Verdict(UNKNOWN, TCP, "its check was not asked: it speaks HTTP/2", None, "10.0.0.5:80", 0.01)),
    server("f", Verdict(NOT_PROBED, reason="its address is filled in elsewhere"), asked=None),
    open="a template decides its servers",
)
EVERYTHING.broken = ["lb/broken.cfg"]
EVERYTHING.not_checked = [Note(Place("lb/haproxy.cfg", 9, 1, 9, 5, 90, 94, "  foo"), "the keyword foo is not known")]


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("found", [EVERYTHING, Probes(), run(server("a", Verdict(PLANNED)), dry_run=True)])
def test_json_is_valid_by_its_schema(found):
    VALIDATOR.validate(json.loads(probe_json.render(found, Options())))


def test_every_key_is_described():
    written = json.loads(probe_json.render(EVERYTHING, Options()))
    described = SCHEMA["$defs"]
    assert list(written) == list(SCHEMA["properties"])
    assert list(written["summary"]) == list(described["summary"]["properties"])
    assert list(written["pools"][0]) == list(described["pool"]["properties"])
    first = written["pools"][0]["servers"][0]
    assert list(first) == list(described["server"]["properties"])
    assert list(first["certificate"]) == list(described["certificate"]["properties"])


@pytest.mark.parametrize("key", ["state", "stage", "reason", "certificate"])
def test_the_schema_wants_every_key(key):
    written = json.loads(probe_json.render(EVERYTHING, Options()))
    del written["pools"][0]["servers"][0][key]
    assert list(VALIDATOR.iter_errors(written))


def test_text_says_what_is_down_and_what_to_do():
    lines = probe_text.render(EVERYTHING, Options()).splitlines()
    assert lines == [
        "lb/haproxy.cfg",
        "  app  2 up, 2 DOWN, 1 unknown, 1 not probed",
        "    ✓ up         a     10.0.0.1:80, GET /up, status 200-399, answers 200, certificate for 80 more days, 12 ms",
        "    ✓ up         b     backup: 10.0.0.2:80, GET /up, status 200-399, 10 ms",
        "      ! it expired",
        "    ✗ DOWN       c     c.test:80: no address is known for c.test",
        "      = help: correct the name",
        rf"    ✗ DOWN       d     {SHOWN}",
        "      = help: correct the port",
        "    ? unknown    e     10.0.0.5:80: its check was not asked: it speaks HTTP/2",
        "    - not probed f     its address is filled in elsewhere",
        "      there may be more servers: a template decides its servers",
        "lb/broken.cfg: not probed, its proxy would not load it: lbcheck check",
        "not checked: 1 place",
        "  lb/haproxy.cfg:9: the keyword foo is not known",
        "2 servers would be DOWN, 2 servers up, 1 unknown, 1 not probed, 1 config not probed",
    ]  # fmt: skip


def test_long_reasons_go_on_below():
    verdict = Verdict(
        DOWN, TCP, "10.0.0.1:80 refuses the connection; the check passes elsewhere", "start it", "10.0.0.1:80"
    )
    lines = probe_text.render(run(server("a", verdict)), Options(width=60)).splitlines()
    assert lines[2:5] == [
        "    ✗ DOWN       a     10.0.0.1:80 refuses the connection;",
        "                       the check passes elsewhere",
        "      = help: start it",
    ]


def test_colours_only_where_they_are_allowed():
    plain, painted = (probe_text.render(EVERYTHING, Options(color=one)) for one in (False, True))
    assert "\x1b" not in plain
    assert "\x1b[1;31m✗ DOWN" in painted
    assert "\x1b[31m" not in painted.replace("\x1b[1;31m", "")


def test_many_that_are_up_are_counted():
    up = [server(f"s{number}", Verdict(UP, TCP, connected_to="10.0.0.1:80", seconds=0.01)) for number in range(1000)]
    lines = probe_text.render(run(*up, server("x", Verdict(DOWN, TCP, "refuses", "start it"))), Options()).splitlines()
    assert lines[-4:] == [
        "    ✗ DOWN       x     x.test:80: refuses",
        "      = help: start it",
        "      … and 990 more that are up",
        "1 server would be DOWN, 1,000 servers up",
    ]


def test_a_dry_run_says_so():
    found = run(server("a", Verdict(PLANNED, connected_to="10.0.0.1:80")), dry_run=True)
    lines = probe_text.render(found, Options()).splitlines()
    assert lines[2:] == [
        "    a     would connect to 10.0.0.1:80: GET /up, status 200-399",
        "1 server would be probed; nothing was connected to",
    ]


def test_nothing_invisible_in_any_field():
    dirty = "\x1b]0;x\x07\n\u202e"
    verdict = Verdict(DOWN, TCP, dirty, dirty, dirty, 0.1, None, Certificate((dirty,), dirty, "", 1), (dirty,))
    found = run(server(dirty, verdict), server(dirty, Verdict(UP, TCP, connected_to=dirty), asked=dirty), open=dirty)
    text = probe_text.render(found, Options())
    assert all(char == "\n" or char.isprintable() for char in text)
    assert len(text.splitlines()) == len(text.split("\n")) - 1
