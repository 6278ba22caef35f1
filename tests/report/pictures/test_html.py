from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
import samples
from drawn import diffs, runs
from hypothesis import HealthCheck, given, settings

from lbcheck.gate.outcome import FAILED, NOT_RUN, Stage, Verdict
from lbcheck.gate.policy import Policy
from lbcheck.report import diff_reporter, gate_reporter, traffic_reporter
from lbcheck.report.options import Options
from lbcheck.results import Note

many = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SAFE = {
    *("html", "head", "meta", "title", "link", "style", "body", "main", "header", "footer", "section", "figure"),
    *("h1", "h2", "p", "ul", "li", "strong", "br", "a", "bdi", "span", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td", "svg", "defs", "pattern", "rect", "path", "text"),
}


class Page(HTMLParser):
    """What a browser would make of a page, near enough: its elements and its attributes."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.words = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def inert(text):
    page = Page(text)
    assert {tag for tag, _ in page.elements} <= SAFE
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "srcset"}]
        assert re.match(r"https://|data:,$|$", attributes.get("href", ""))
    return page


@many
@given(runs())
def test_a_page_of_any_run_is_inert(traffic):
    inert(traffic_reporter("html")(traffic, Options()))


@many
@given(runs(), diffs())
def test_a_page_of_any_verdict_is_inert(traffic, changes):
    words = [f"{pool.name}: <script>alert(1)</script>" for pool in traffic.pools]
    stages = (Stage("check", FAILED, tuple(words), tuple(words)), Stage("diff", NOT_RUN, tuple(words)))
    for moved in (None, changes):
        inert(gate_reporter("html")(Verdict("<b>new", "</title>", Policy(), stages, traffic, moved), Options()))


@many
@given(diffs())
def test_a_page_of_any_diff_is_inert(changes):
    inert(diff_reporter("html")(changes, Options()))


def test_hostile_names_are_text():
    for text in (
        traffic_reporter("html")(samples.hostile(), Options()),
        diff_reporter("html")(samples.hostile_diff(), Options()),
    ):
        page = inert(text)
        assert "<script>alert(1)</script>" in "".join(page.words)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_the_policy_allows_nothing_but_our_style_sheet():
    page = inert(traffic_reporter("html")(samples.outage(), Options()))
    policy = next(meta["content"] for meta in page.of("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    text = traffic_reporter("html")(samples.outage(), Options())
    sheet = text.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(sha256(sheet.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert text.count("<style") == 1


def test_a_rules_address_is_no_way_in():
    found = samples.finding(url="javascript:alert(1)")
    changes = samples.mended()
    changes.introduced = [found]
    page = inert(diff_reporter("html")(changes, Options()))
    assert not [link for link in page.of("a") if "javascript" in link["href"]]


def test_a_page_has_drawings_tables_losses_routes_and_notes():
    traffic = samples.mixed()
    traffic.pools += samples.outage().pools[:2]
    traffic.not_checked = [Note(samples.finding().place, "a Lua block decides")] * 150
    text = "".join(inert(traffic_reporter("html")(traffic, Options())).words)
    for words in (
        "‼ 180, can take 100",
        "Shares not known: its servers come from a template loop: {% for host in hosts %}",
        "83.3 % of requests fail for up to 6 s",
        "3 checks, one every 2 s",
        "api 95 %, api_canary 5 %",
        "a Lua block decides",
        "… and 50 more",
    ):
        assert words in text


def test_a_diff_has_the_findings_that_come_and_go():
    page = inert(diff_reporter("html")(samples.mended(), Options()))
    text = "".join(page.words)
    assert "New findings (1)" in text
    assert "Fixed findings (2)" in text
    assert "pool shop_v2 is never used" in text
    assert "−50 points" in text
    assert "unchanged: catalog" in text


def test_an_unknown_pool_has_no_table():
    made = samples.unknown_pool("sessions", "a template decides", ["a", "b"])
    page = inert(traffic_reporter("html")(samples.run([made]), Options()))
    assert page.of("table") == []
    assert "Shares not known: a template decides" in "".join(page.words)


@pytest.mark.parametrize("count", [3, 1000])
def test_large_runs_stay_pages_that_a_browser_opens(count):
    made = [samples.pool(f"p{number:04}", samples.weighted([1] * 100)) for number in range(count)]
    text = traffic_reporter("html")(samples.run(made), Options())
    assert len(text) < 600_000
    assert ("800 more pools: p0200, p0201" in text) == (count == 1000)
