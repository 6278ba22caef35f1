from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from xmlschema import XMLSchema

from lbcheck.report.junit import render
from lbcheck.report.options import Options
from lbcheck.results import Result

SCHEMA = XMLSchema(Path(__file__).parent / "schemas" / "junit.xsd")


def suites(result, **options):
    text = render(result, Options(**options))
    SCHEMA.validate(text)
    return ET.fromstring(text)


def test_junit_is_a_suite_for_each_file_and_a_case_for_each_finding(result):
    assert (
        render(result, Options())
        == """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="lbcheck" tests="3" failures="2" errors="0">
  <testsuite name="lb/nginx.conf" file="lb/nginx.conf" tests="2" failures="1" errors="0" skipped="1">
    <testcase classname="lb/nginx.conf" name="D01 weight-skew (12:9)">\
<failure type="D01" message="server 10.0.0.1:8080 of pool app gets 83.3 % of its traffic, 10 times a fair share">\
lb/nginx.conf:12:9: warning: server 10.0.0.1:8080 of pool app gets 83.3 % of its traffic, 10 times a fair share
help: give it a weight near 1
lb/nginx.conf:3: pool app is written here
https://example.org/rules/D01-weight-skew.md</failure></testcase>
    <testcase classname="lb/nginx.conf" name="not checked (40:5)">\
<skipped message="a Lua block decides at run time"/></testcase>
  </testsuite>
  <testsuite name="conf d/&#233;.cfg" file="conf d/&#233;.cfg" tests="1" failures="1" errors="0" skipped="0">
    <testcase classname="conf d/&#233;.cfg" name="X99 not-in-the-catalogue (120:1)">\
<failure type="X99" message="no server of pool {api} is checked">\
conf d/&#233;.cfg:120:1: error: no server of pool {api} is checked</failure></testcase>
  </testsuite>
</testsuites>
"""
    )
    suites(result)


def test_a_clean_run_has_one_passing_case(clean):
    (suite,) = suites(clean)
    (case,) = suite
    assert (suite.get("tests"), case.get("name")) == ("1", "Nothing wrong found in 2 configs (31 servers)")
    assert len(case) == 0


@pytest.mark.parametrize(
    ("severity", "fail_on", "tag"),
    [
        ("info", "warning", "system-out"),
        ("info", "info", "failure"),
        ("warning", "warning", "failure"),
        ("warning", "error", "system-out"),
        ("error", "error", "failure"),
    ],
)
def test_only_what_fails_the_run_is_a_failure(skewed, severity, fail_on, tag):
    root = suites(Result([skewed._replace(severity=severity)]), fail_on=fail_on)
    assert [child.tag for child in root[0][0]] == [tag]
    assert root.get("failures") == ("1" if tag == "failure" else "0")


def test_an_internal_error_is_an_error(skewed):
    root = suites(Result([skewed._replace(code="E00", severity="error")]))
    assert (root.get("errors"), root.get("failures"), root[0][0][0].tag) == ("1", "0", "error")


def test_what_xml_forbids_is_written_out(skewed):
    root = suites(Result([skewed._replace(message="<&\"'> \x00\x0b\x1b \ufffe \udcff ]]>")]))
    assert root[0][0][0].get("message") == r"""<&"'> \x00\x0b\x1b \ufffe \xff ]]>"""
