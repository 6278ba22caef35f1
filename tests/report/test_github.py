from __future__ import annotations

from lbcheck.report.github import render
from lbcheck.report.options import Options
from lbcheck.results import Result


def test_github_is_a_command_for_each_finding(result):
    assert (
        render(result, Options())
        == """\
::warning file=lb/nginx.conf,line=12,col=9,endLine=12,endColumn=39,title=D01 weight-skew\
::server 10.0.0.1:8080 of pool app gets 83.3 %25 of its traffic, 10 times a fair share%0Agive it a weight near 1
::error file=conf d/é.cfg,line=120,endLine=122,title=X99 not-in-the-catalogue::no server of pool {api} is checked
::notice title=lbcheck::Found 1 error, 1 warning in 2 configs (31 servers); 1 suppressed; 1 place not checked
"""
    )


def test_a_clean_run_says_nothing(clean):
    assert render(clean, Options()) == ""


def test_info_is_a_notice(skewed):
    assert render(Result([skewed._replace(severity="info")]), Options()).startswith("::notice ")


def test_names_and_messages_cannot_forge_a_command(skewed):
    hostile = skewed._replace(
        place=skewed.place._replace(path="a,line=1::x\r\n::add-mask::y"),
        message="m%0A\n::set-env name=A::b\x1b[0m ##[add-mask]z",
        help="",
    )
    assert render(Result([hostile]), Options()) == (
        "::warning file=a%2Cline=1%3A%3Ax%0D%0A%3A%3Aadd-mask%3A%3Ay,line=12,col=9,endLine=12,endColumn=39,"
        "title=D01 weight-skew::m%250A%0A::set-env name=A::b\\x1b[0m \\x23#[add-mask]z\n"
    )
