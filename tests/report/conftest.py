"""One run for all reporters: a warning with everything that a finding may have, and a bare error of several lines."""

from __future__ import annotations

import pytest

from lbcheck.results import Change, Counts, Finding, Note, Place, Result

SKEWED = Finding(
    code="D01",
    name="weight-skew",
    severity="warning",
    message="server 10.0.0.1:8080 of pool app gets 83.3 % of its traffic, 10 times a fair share",
    help="give it a weight near 1",
    fingerprint="5f2a",
    place=Place("lb/nginx.conf", 12, 9, 12, 39, 310, 340, "        server 10.0.0.1:8080 weight=10;"),
    config="lb/nginx.conf",
    dialect="nginx",
    pool="app",
    server="10.0.0.1:8080",
    related=(Note(Place("lb/nginx.conf", 3, 5, 3, 17, 40, 52, "    upstream app {"), "pool app is written here"),),
    fix=Change("write weight=1", False, (("lb/nginx.conf", 330, 339, "weight=1"),)),
    url="https://example.org/rules/D01-weight-skew.md",
)
UNCHECKED = Finding(
    code="X99",
    name="not-in-the-catalogue",
    severity="error",
    message="no server of pool {api} is checked",
    help="",
    fingerprint="77aa",
    place=Place("conf d/é.cfg", 120, 1, 122, 3, 900, 960, "backend api"),
    config="conf d/é.cfg",
    dialect="haproxy",
    object={"kind": "Service", "namespace": "shop", "name": "api"},
    pointer="/spec/ports/0",
)
LUA = Note(
    Place("lb/nginx.conf", 40, 5, 44, 6, 800, 860, "    content_by_lua_block {"), "a Lua block decides at run time"
)
COUNTS = Counts(files=3, configs=2, frontends=2, pools=5, servers=31)


@pytest.fixture
def skewed():
    return SKEWED


@pytest.fixture
def unchecked():
    return UNCHECKED


@pytest.fixture
def lua():
    return LUA


@pytest.fixture
def result():
    return Result([SKEWED, UNCHECKED], [LUA], 1, COUNTS)


@pytest.fixture
def clean():
    return Result(counts=COUNTS)
