from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from lbcheck import __version__
from lbcheck.report import json_lines, json_object
from lbcheck.report.options import Options
from lbcheck.results import Result

SCHEMA = json.loads(files("lbcheck.report").joinpath("check.schema.json").read_text("utf-8"))
#: The contract of version 1: these keys in this order, and only additions to them.
FINDING = re.findall(
    r"\w+",
    "code name severity message fingerprint path line column end_line end_column config dialect frontend route pool "
    "server object pointer related fix url",
)
SUMMARY = re.findall(r"\w+", "files configs frontends pools servers error warning info suppressed not_checked")


def part(name):
    return {"$schema": SCHEMA["$schema"], "$defs": SCHEMA["$defs"], "$ref": f"#/$defs/{name}"}


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_json_is_one_object_with_the_promised_keys(result):
    written = json.loads(json_object.render(result, Options()))
    assert list(written) == ["version", "tool", "summary", "findings", "not_checked"]
    assert (written["version"], written["tool"]) == (1, {"name": "lbcheck", "version": __version__})
    assert list(written["summary"]) == SUMMARY
    assert list(written["summary"].values()) == [3, 2, 2, 5, 31, 1, 1, 0, 1, 1]
    for finding in written["findings"]:
        assert [key for key in finding if key != "help"] == FINDING
    assert written["not_checked"] == [
        {"path": "lb/nginx.conf", "line": 40, "reason": "a Lua block decides at run time"}
    ]


def test_json_tells_everything_of_a_finding(result):
    skewed, unchecked = json.loads(json_object.render(result, Options()))["findings"]
    assert skewed == {
        "code": "D01",
        "name": "weight-skew",
        "severity": "warning",
        "message": "server 10.0.0.1:8080 of pool app gets 83.3 % of its traffic, 10 times a fair share",
        "help": "give it a weight near 1",
        "fingerprint": "5f2a",
        "path": "lb/nginx.conf",
        "line": 12,
        "column": 9,
        "end_line": 12,
        "end_column": 39,
        "config": "lb/nginx.conf",
        "dialect": "nginx",
        "frontend": None,
        "route": None,
        "pool": "app",
        "server": "10.0.0.1:8080",
        "object": None,
        "pointer": None,
        "related": [{"path": "lb/nginx.conf", "line": 3, "column": 5, "message": "pool app is written here"}],
        "fix": {
            "title": "write weight=1",
            "safe": False,
            "edits": [{"path": "lb/nginx.conf", "start": 330, "end": 339, "text": "weight=1"}],
        },
        "url": "https://example.org/rules/D01-weight-skew.md",
    }
    assert unchecked["object"] == {"kind": "Service", "namespace": "shop", "name": "api"}
    assert (unchecked["pointer"], unchecked["fix"], unchecked["url"]) == ("/spec/ports/0", None, None)


def test_json_is_valid_by_its_schema(result, clean):
    for each in (result, clean, Result()):
        Draft202012Validator(SCHEMA).validate(json.loads(json_object.render(each, Options())))


@pytest.mark.parametrize("key", ["code", "path", "line", "fix", "related"])
def test_the_schema_wants_every_key(result, key):
    written = json.loads(json_object.render(result, Options()))
    del written["findings"][0][key]
    assert not Draft202012Validator(SCHEMA).is_valid(written)


def test_json_has_a_line_for_each_finding(result, clean):
    assert len(json_object.render(result, Options()).splitlines()) == 12
    assert '"findings": [],\n"not_checked": []\n}\n' in json_object.render(clean, Options())


def test_json_lines_are_findings_then_places_then_one_summary(result):
    lines = [json.loads(line) for line in json_lines.render(result, Options()).splitlines()]
    assert [line["type"] for line in lines] == ["finding", "finding", "not_checked", "summary"]
    whole = json.loads(json_object.render(result, Options()))
    assert [{"type": "finding", **finding} for finding in whole["findings"]] == lines[:2]
    assert {"type": "not_checked", **whole["not_checked"][0]} == lines[2]
    assert lines[3] == {"type": "summary", **{key: whole[key] for key in ("version", "tool", "summary")}}


def test_json_lines_are_valid_by_the_schema(result):
    names = {"finding": "finding", "not_checked": "not_checked", "summary": "line_summary"}
    for line in json_lines.render(result, Options()).splitlines():
        written = json.loads(line)
        Draft202012Validator(part(names[written["type"]])).validate(written)


def test_bytes_that_are_not_utf8_are_named(skewed):
    text = json_object.render(Result([skewed._replace(message="\udcff \ud83d\ude00")]), Options())
    assert text.isascii()
    assert json.loads(text)["findings"][0]["message"] == r"\udcff \ud83d\ude00"
