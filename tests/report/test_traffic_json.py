from __future__ import annotations

import json
from importlib.resources import files
from math import fsum

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from traffic.generated import CONFIGS

from lbcheck.dialects import dialect
from lbcheck.files import DiskFiles
from lbcheck.forecast import of_configs
from lbcheck.report import traffic_json
from lbcheck.report.options import Options
from lbcheck.settings import Settings
from lbcheck.traffic.scenario import Scenario

SCHEMA = json.loads(files("lbcheck.report").joinpath("traffic.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

OPEN = """
defaults
  mode http
frontend web
  bind :80
  use_backend %[req.hdr(host)]
backend app
  server one 10.0.0.1:80 weight "${WEIGHT}"
  server two 10.0.0.2:80
backend templated
  server-template web 3 app.test:80 weight 3
  server two 10.0.0.2:80
"""


def told(name, path, text, scenario=None):
    configs = dialect(name).read([path], DiskFiles(memory={path: text}))
    found = of_configs(configs, Settings(), scenario or Scenario())
    assert not found.errors, found.errors
    return json.loads(traffic_json.render(found.traffic, Options()))


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CONFIGS)
def test_shares_sum_to_one(config):
    written = told(*config)
    VALIDATOR.validate(written)
    for pool in written["pools"]:
        if pool["reason"] is None:
            sums = [(pool["unserved"], pool["servers"])]
            sums += [(loss["unserved"], loss["servers"]) for loss in pool["losses"] if loss["reason"] is None]
        else:
            sums = []
            assert pool["unserved"] is None
            assert all(server["share"] is None for server in pool["servers"])
        for unserved, servers in sums:
            assert fsum([unserved, *(server["share"] for server in servers)]) == pytest.approx(1, abs=1e-9)
    for frontend in written["frontends"]:
        shares = [route["share"] for route in frontend["routes"]]
        if None in shares:
            assert frontend["unserved"] is None
            continue
        for route in frontend["routes"]:
            parts = [target["share"] for target in route["targets"]] or [float(route["outcome"] == "answer")]
            assert fsum([route["unserved"], *parts]) == pytest.approx(1, abs=1e-9)
        assert fsum(shares) == pytest.approx(1, abs=1e-9)


def test_unknown_is_null_and_says_why():
    written = told("haproxy", "haproxy.cfg", OPEN)
    VALIDATOR.validate(written)
    app, templated = written["pools"]
    for pool in (app, templated):
        assert pool["reason"]
        assert {(server["share"], server["standing"]) for server in pool["servers"]} == {(None, "unknown")}
    (route,) = written["frontends"][0]["routes"]
    assert route["outcome"] == "unknown"
    assert "known only at run time" in route["reason"]


def test_every_key_is_described():
    written = told("haproxy", "haproxy.cfg", OPEN)
    described = SCHEMA["$defs"]
    assert list(written) == list(SCHEMA["properties"])
    assert list(written["pools"][0]) == list(described["pool"]["properties"])
    assert list(written["pools"][0]["servers"][0]) == list(described["server"]["properties"])
    assert list(written["frontends"][0]) == list(described["frontend"]["properties"])
    assert list(written["frontends"][0]["routes"][0]) == list(described["route"]["properties"])
