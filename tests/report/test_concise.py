from __future__ import annotations

from lbcheck.report.concise import render
from lbcheck.report.options import Options


def test_concise_is_a_line_each_and_the_summary(result):
    assert (
        render(result, Options())
        == """\
lb/nginx.conf:12:9: warning D01 server 10.0.0.1:8080 of pool app gets 83.3 % of its traffic, 10 times a fair share \
(give it a weight near 1)
conf d/é.cfg:120:1: error X99 no server of pool {api} is checked
Found 1 error, 1 warning in 2 configs (31 servers); 1 suppressed; 1 place not checked
"""
    )


def test_concise_in_colour(result):
    first = render(result, Options(color=True)).split("\n")[0]
    assert first.startswith("\x1b[1mlb/nginx.conf:12:9:\x1b[0m \x1b[1;33mwarning\x1b[0m D01 ")


def test_a_file_name_cannot_forge_a_workflow_command(skewed, result):
    result.findings = [skewed._replace(place=skewed.place._replace(path="::error file=x::\n::y"))]
    lines = render(result, Options()).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(r"./::error file=x::\x0a::y:12:9: ")
