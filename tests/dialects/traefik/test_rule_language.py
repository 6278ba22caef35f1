"""The rule language: what Traefik's own tests take and refuse, and what a rule comes to in the model."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbcheck.dialects.traefikrules import conditions, goregexp, matchers
from lbcheck.dialects.traefikrules.expressions import RuleError, parse
from lbcheck.model import EVERY_REQUEST

EXPECTED = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "expected" / "traefik-rules.tsv"


def verdict(rule, protocol="http", syntax="v3"):
    try:
        matchers.read(rule, protocol, syntax)
    except RuleError as refused:
        said = refused
    else:
        return "valid"
    assert 0 <= said.at <= len(rule)
    assert said.problem
    assert said.advice
    return said.problem


@pytest.mark.skipif(not EXPECTED.exists(), reason="the corpus of real configs is not beside the checkout")
def test_the_rules_of_traefik_s_own_tests():
    rows = [line.split("\t") for line in EXPECTED.read_text(encoding="utf-8").splitlines()[1:]]
    assert len(rows) == 412
    wrong = []
    for _, _, syntax, expected, rule, *_ in rows:
        said = verdict(rule, *syntax.split())
        if (said == "valid") != (expected == "valid"):
            wrong.append((syntax, expected, rule, said))
    assert not wrong
    assert sum(row[3] == "valid" for row in rows) == 292


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("", "empty"),
        ("Host(`a`) &&", "ends where a matcher is due"),
        ("Host(`a`) Host(`b`)", "could end"),
        ("Host(`a`)\n&& Path(`/b`)", "ends with this line"),
        ("Host(`a`\n)", "the line ends"),
        ("Host('a')", "single quotes"),
        ("Host(`a`) & Host(`b`)", "single &"),
        ("Host(`a", "never closed"),
        ("(Host(`a`)", "never closed"),
        ("Host(`a`))", "could end"),
        ("Host", "no arguments"),
        ("Host(a)", "a is no text"),
        ("Host(shop.example.com) && Path(`/`)", "shop.example.com is no text"),
        ("Host(`a`, b-c)", "b-c is no text"),
        ("Host(1)", "1 is no text"),
        ("Path(/api)", "/api is no text"),
        ("HostSNI(*)", "* is no text"),
        ("Host(`a`, *.example.com)", "*.example.com is no text"),
        ("1 && Host(`a`)", "1 means nothing"),
        ("foobar", "no matcher foobar"),
        ("Hots(`a`)", "no matcher Hots"),
        ("HostHeader(`a`)", "v2 syntax"),
        ("Host(`a`, `b`)", "2 arguments"),
        ('Host("\\q")', "no escape"),
        ("PathRegexp(`^/(?!api)`)", "look-around"),
        ("PathRegexp(`^/a**`)", "nested repetition"),
        ("ClientIP(`10.0.0.0/255.0.0.0`)", "no IP address"),
        ("!" * 500 + "Host(`a`)", "nested deeper"),
        ("(" * 100_000, "nested deeper"),
    ],
)
def test_refused_and_why(rule, words):
    assert words in verdict(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "Host(`a`,)",
        "Host(`a`)\n",
        "Host(`a`) &&\n  Path(`/b`)",
        "Host(`a`) // a comment\n",
        "Host(`a`) /* or */ || Host(`b`)",
        'HOST("\\x61.example.com") && !pathprefix(`/b`)',
        "PathRegexp(`^/(?i)[[:alpha:]]+(?P<n>a|b)?$`)",
        "QueryRegexp(`q`)",
    ],
)
def test_taken(rule):
    assert verdict(rule) == "valid"


def test_suggests():
    with pytest.raises(RuleError) as caught:
        matchers.read("PathPrefx(`/a`)", "http", "v3")
    assert caught.value.advice == "did you mean PathPrefix?"


def match(rule, protocol="http", syntax="v3"):
    found = conditions.match(matchers.read(rule, protocol, syntax), rule, syntax)
    return [[(one.field, one.op, sorted(one.values), one.negated) for one in alternative] for alternative in found]


@pytest.mark.parametrize(
    ("rule", "alternatives"),
    [
        ("Host(`A.com`)", [[("host", "exact", ["a.com"], False)]]),
        ("Host(`*.a.com`)", [[("host", "regex", ["^[^.]*\\.a\\.com$"], False)]]),
        ("Host(`a`) || Host(`b`)", [[("host", "exact", ["a", "b"], False)]]),
        (
            "Host(`a`) && (PathPrefix(`/x`) || Path(`/y`))",
            [
                [("host", "exact", ["a"], False), ("path", "prefix", ["/x"], False)],
                [("host", "exact", ["a"], False), ("path", "exact", ["/y"], False)],
            ],
        ),
        (
            "!(Host(`a`) && Method(`get`))",
            [[("host", "exact", ["a"], True)], [("method", "exact", ["GET"], True)]],
        ),
        ("Header(`X-A`, `1`)", [[("header:x-a", "exact", ["1"], False)]]),
        ("Query(`q`)", [[("query:q", "exact", [""], False)]]),
        ("ClientIP(`10.0.0.0/8`)", [[("source", "exact", ["10.0.0.0/8"], False)]]),
        ("PathRegexp(`^/a`)", [[("path", "regex", ["^/a"], False)]]),
    ],
)
def test_match(rule, alternatives):
    assert match(rule) == alternatives


def test_match_of_everything_and_nothing():
    assert conditions.match(parse("HostSNI(`*`)"), "", "v3") == EVERY_REQUEST
    assert conditions.match(parse("!HostSNI(`*`)"), "", "v3") == ()
    assert match("HostSNI(`a.com`, `b.com`)", "tcp", "v2") == [[("sni", "exact", ["a.com", "b.com"], False)]]
    assert match("ALPN(`h2`)", "tcp") == [[("opaque", "exact", ["ALPN(h2)"], False)]]


def test_match_of_a_rule_with_too_many_alternatives_is_opaque():
    rule = " && ".join(f"(Path(`/{n}`) || Method(`M{n}`))" for n in range(12))
    assert match(rule)[0][0][0] == "opaque"


def test_v2_templates_are_opaque():
    assert match("Path(`/{id:[0-9]+}`)", "http", "v2")[0][0][0] == "opaque"
    assert match("Host(`a`, `b`) && PathPrefix(`/x`, `/y`)", "http", "v2") == [
        [("host", "exact", ["a", "b"], False), ("path", "prefix", ["/x", "/y"], False)]
    ]


@given(st.text("HostPah(`\"/a)&|! \n,\\'.é", max_size=40))
def test_any_text_is_read_or_refused(rule):
    for protocol in ("http", "tcp"):
        for syntax in ("v2", "v3"):
            verdict(rule, protocol, syntax)


@given(st.text("ab()[]|*+?{}1,\\^$:Q-i<P>", max_size=30))
def test_any_pattern_is_judged(pattern):
    said = goregexp.problem(pattern)
    assert said is None or said
