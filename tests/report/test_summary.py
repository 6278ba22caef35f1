from __future__ import annotations

import pytest

from lbcheck.report import summary
from lbcheck.results import Change, Counts, Result

ONE = Counts(1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("severities", "places", "suppressed", "counts", "words"),
    [
        ("", 0, 0, ONE, "Nothing wrong found in 1 config (1 server)"),
        ("", 0, 3, ONE, "Nothing wrong found in 1 config (1 server); 3 suppressed"),
        (
            "",
            1,
            0,
            ONE,
            "Nothing wrong found in the parts that were checked of 1 config (1 server); 1 place not checked",
        ),
        ("", 0, 0, Counts(4), "Nothing was checked: no load balancer config in 4 files"),
        ("", 2, 0, Counts(), "Nothing was checked: no load balancer config in 0 files; 2 places not checked"),
        ("iwwe", 0, 0, ONE, "Found 1 error, 2 warnings, 1 info in 1 config (1 server)"),
        ("e", 0, 0, Counts(1), "Found 1 error; no config was checked"),
        ("ww", 0, 0, Counts(9, 2000, 1, 1, 10000), "Found 2 warnings in 2,000 configs (10,000 servers)"),
    ],
)
def test_the_headline_praises_only_what_was_looked_at(skewed, lua, severities, places, suppressed, counts, words):
    names = {"e": "error", "w": "warning", "i": "info"}
    found = [skewed._replace(severity=names[letter]) for letter in severities]
    assert summary.headline(Result(found, [lua] * places, suppressed, counts)) == words


@pytest.mark.parametrize(
    ("safe", "words"),
    [
        ([], ""),
        ([True, True], "2 fixable with --fix"),
        ([False], "1 fixable with --fix --unsafe-fixes"),
        ([True, False, False], "1 fixable with --fix, 2 more with --fix --unsafe-fixes"),
    ],
)
def test_fixes_are_counted_by_what_applies_them(skewed, safe, words):
    findings = [skewed._replace(fix=Change("x", each, ())) for each in safe]
    assert summary.fixes(Result([*findings, skewed._replace(fix=None)])) == words


def test_statistics_count_the_loudest_first(skewed, unchecked):
    text = summary.statistics(Result([unchecked, *[skewed] * 12, skewed._replace(code="D00", name="a\x1bb")]))
    assert text == ("12  warning  D01 weight-skew\n 1  warning  D00 a\\x1bb\n 1  error    X99 not-in-the-catalogue\n")
    assert summary.statistics(Result()) == ""
