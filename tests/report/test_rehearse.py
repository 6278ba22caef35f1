"""What reports say of rehearsals."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator, ValidationError
from report import rehearsals
from xmlschema import XMLSchema

from lbcheck.gate import stages
from lbcheck.rehearsal.outcome import Aspect
from lbcheck.report import REHEARSE_REPORTERS, REHEARSE_SUFFIXES, rehearse_json, rehearse_reporter, rehearse_text
from lbcheck.report.options import Options

SCHEMA = json.loads(files("lbcheck.report").joinpath("rehearse.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
JUNIT = XMLSchema(Path(__file__).parent / "schemas" / "junit.xsd")


def told(name, found=rehearsals.ALL):
    return rehearse_reporter(name)(found, Options())


def test_every_suffix_names_a_format():
    assert set(REHEARSE_SUFFIXES.values()) == set(REHEARSE_REPORTERS)


@pytest.mark.parametrize("found", [(), rehearsals.ALL, rehearsals.FINE])
def test_json_is_valid_by_its_schema(found):
    Draft202012Validator.check_schema(SCHEMA)
    written = json.loads(rehearse_json.render(found, Options()))
    VALIDATOR.validate(written)
    assert written["passed"] == all(one.passed for one in found)


def test_every_key_is_described_and_wanted():
    written = json.loads(told("json"))
    described = SCHEMA["$defs"]
    (pool, *_), config = written["pools"], written["configs"][0]
    for name, found in [
        ("config", config),
        ("message", config["native"][0]),
        ("rewrite", config["rewrites"][0]),
        ("reload", config["reload"]),
        ("pool", pool),
        ("server", pool["servers"][0]),
        ("concurrent", pool["concurrent"]),
        ("loss", pool["losses"][0]),
        ("aspect", pool["losses"][0]["judged"][0]),
    ]:
        assert list(found) == list(described[name]["properties"]) == described[name]["required"]
        with pytest.raises(ValidationError):
            Draft202012Validator({"$defs": described, "$ref": f"#/$defs/{name}"}).validate(
                {key: value for key, value in found.items() if key != next(iter(found))}
            )


def test_shares_stand_side_by_side():
    pool = json.loads(told("json"))["pools"][0]
    assert [
        (one["name"], one["measured_share"], one["predicted_share"], one["p_value"]) for one in pool["servers"]
    ] == [("a", 2 / 3, 2 / 3, 1.0), ("b", 1 / 3, 1 / 3, 1.0)]


def test_junit_has_a_case_for_each_pool_and_loss():
    text = told("junit")
    JUNIT.validate(text)
    root = ET.fromstring(text)
    cases = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert cases["pool app"] == ["system-out"]
    assert cases["pool app without a (refuses)"] == ["system-out"]
    assert cases["pool app without b (or any of 3 alike) (refuses)"] == ["failure"]
    assert cases["pool app without c (hangs)"] == ["skipped"]
    assert cases["pool api"] == cases["pool api, 8 requests at once"] == ["failure"]
    assert cases["pool old <b>"] == ["skipped"]
    assert cases["reload from old/haproxy.cfg"] == ["failure"]
    assert cases["nginx accepts it"] == ["failure"]
    assert cases["nginx runs it"] == ["error"]
    assert (root.get("failures"), root.get("errors")) == ("6", "1")


def test_junit_of_nothing_and_of_what_passes():
    for found, failures in (((), "0"), (rehearsals.FINE, "0")):
        text = told("junit", found)
        JUNIT.validate(text)
        assert ET.fromstring(text).get("failures") == failures


def test_html_has_a_measured_column():
    page = told("html")
    for words in ("Predicted</th>", "Measured</th>", "66.7 %", "NOT as predicted", "requests lost in the reload"):
        assert words in page
    assert "old &lt;b&gt;" in page
    assert "\x1b" not in page
    assert "nothing was executed" not in page
    assert "what the real proxy did" in page


def one(**changes):
    """Return the text of a rehearsal of one pool that differs so from one that came out as predicted."""
    pool = rehearsals.FINE[0].pools[0]._replace(**changes)
    return rehearse_text.render([rehearsals.FINE[0]._replace(pools=(pool,))], Options(width=200))


def test_losses_of_a_pool_that_nothing_reached_are_told():
    text = one(passed=None, requests=0, reason="no request reached it", losses=(rehearsals.LATE,))
    assert "detection NOT as predicted: not noticed within 7.5 s" in text
    assert text.splitlines()[-1].startswith("0 pools as predicted, 1 NOT as predicted")


def test_what_fails_with_several_at_once_is_told():
    concurrent = rehearsals.API.concurrent
    text = one(concurrent=concurrent, losses=())
    assert "as predicted one after the other, NOT with several at once  (240 requests" in text
    assert "8 at once: shares are 3.4 points off at most (tolerated: 1); NOT as predicted: a share is" in text
    pool = rehearsals.FINE[0].pools[0]._replace(concurrent=concurrent)
    assert stages.rehearse([rehearsals.FINE[0]._replace(pools=(pool,))]).reasons == (
        "pool app, 8 at once: a share is 3.4 points off",
    )


def test_what_was_not_judged_is_not_called_as_predicted():
    aspects = (Aspect("detection", True), Aspect("failed requests", None, "it depends"), Aspect("shares", True))
    loss = rehearsals.AS_PREDICTED._replace(aspects=aspects, failed=0, requests=300)
    text = one(losses=(loss,))
    assert "without a (refuses): detection and shares as predicted" in text
    assert "0 of 300 requests failed (50 % predicted until it is noticed; not judged)" in text
    assert "failed requests not judged: it depends" in text
    assert text.splitlines()[-1] == "1 pool as predicted, 0 of 1 losses as predicted, 1 as far as they were judged"
    few = rehearsals.AS_PREDICTED._replace(predicted_failed_requests=1, failed=3, requests=157)
    assert "3 of 157 requests failed (1 predicted until it is noticed)" in one(losses=(few,))
    junit = rehearse_reporter("junit")(
        [rehearsals.FINE[0]._replace(pools=(rehearsals.APP._replace(losses=(loss,)),))], Options()
    )
    assert "failed requests not judged: it depends" in junit


def test_requests_that_are_not_counted_are_told():
    assert "    not counted: 2 of 240 requests went to other pools\n" in one(
        left_out="2 of 240 requests went to other pools"
    )


def test_text():
    text = rehearse_text.render(rehearsals.ALL, Options(width=100))
    assert "\x1b" not in text
    lines = text.splitlines()
    assert lines[1].strip() == "app  as predicted, but for a loss  (240 requests, whole cycles)"
    assert "without a (refuses): as predicted" in text
    assert "50 % predicted until it is noticed); noticed after 4.2 s (at most 6 s predicted); backups came in" in text
    assert "detection NOT as predicted: not noticed within 7.5 s" in text
    assert "without c: a unix socket cannot be made to hang" in text
    assert "reload from old/haproxy.cfg: 2 of 227 requests lost" in text
    assert lines[-1] == (
        "0 pools as predicted, 2 NOT as predicted, 1 not judged, 1 of 3 losses as predicted, 1 measured only, "
        "2 configs not rehearsed, 2 requests lost in the reload"
    )
    assert rehearse_text.render(rehearsals.FINE, Options()).splitlines()[-1] == (
        "1 pool as predicted, 1 of 1 losses as predicted"
    )


def test_every_report_says_of_a_rewritten_config_that_it_is_one():
    (fine,) = rehearsals.FINE[:1]
    for name in REHEARSE_REPORTERS:
        found = [fine._replace(rewritten="no <namespaces>")]
        said = told(name, found)
        if name == "json":
            (config,) = json.loads(said)["configs"]
            assert (config["rewritten"], config["rewritten_because"]) == (True, "no <namespaces>")
        else:
            assert "rewritten, not run as it is" in said
        assert "rewritten, not run as it is" not in told(name, [fine])
