from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from lbcheck.report.gitlab import render
from lbcheck.report.options import Options
from lbcheck.results import Result

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "gitlab.schema.json").read_text("utf-8"))


def issues(result):
    written = json.loads(render(result, Options()))
    Draft202012Validator(SCHEMA).validate(written)
    return written


def test_gitlab_is_an_issue_for_each_finding(result, clean):
    assert issues(result) == [
        {
            "description": "server 10.0.0.1:8080 of pool app gets 83.3 % of its traffic, 10 times a fair share "
            "(give it a weight near 1)",
            "check_name": "D01 weight-skew",
            "fingerprint": "5f2a",
            "severity": "major",
            "location": {"path": "lb/nginx.conf", "lines": {"begin": 12, "end": 12}},
        },
        {
            "description": "no server of pool {api} is checked",
            "check_name": "X99 not-in-the-catalogue",
            "fingerprint": "77aa",
            "severity": "critical",
            "location": {"path": "conf d/é.cfg", "lines": {"begin": 120, "end": 122}},
        },
    ]
    assert issues(clean) == []


def test_fingerprints_are_unique(skewed):
    prints = ["a", "a", "a-2", "a", "b"]
    written = issues(Result([skewed._replace(fingerprint=each) for each in prints]))
    assert [issue["fingerprint"] for issue in written] == ["a", "a-2", "a-2-2", "a-3", "b"]


@pytest.mark.parametrize(("severity", "word"), [("error", "critical"), ("warning", "major"), ("info", "info")])
def test_severities_are_gitlabs(skewed, severity, word):
    assert issues(Result([skewed._replace(severity=severity)]))[0]["severity"] == word


def test_paths_have_no_leading_dot(skewed):
    (issue,) = issues(Result([skewed._replace(place=skewed.place._replace(path="./lb.conf"))]))
    assert issue["location"]["path"] == "lb.conf"
