from __future__ import annotations

import re

import pytest
import samples
from drawn import diffs, names, runs
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt

from lbcheck.report import diff_reporter, traffic_reporter
from lbcheck.report.options import Options
from lbcheck.report.pictures.markdown import LIMIT, code, prose
from lbcheck.results import Note

many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
#: What a code host makes links of, besides Markdown's own.
REFERENCE = re.compile(r"(?:^|[^\w`])[@#!~&$%]\w|\bwww\.|://|\w@\w|\b[0-9a-f]{7,40}\b|\bGH-\d")
ALLOWED = {
    *(
        "heading_open",
        "heading_close",
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "code_inline",
        "softbreak",
    ),
    *("strong_open", "strong_close", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    *(f"{part}_{end}" for part in ("table", "thead", "tbody", "tr", "th", "td") for end in ("open", "close")),
}


def parsed(text):
    """The tokens of a text as GitHub reads it: CommonMark with tables."""
    return MarkdownIt("commonmark").enable("table").parse(text)


def harmless(text):
    """Nothing in it but our headings, tables and lists, and no reference outside of code spans."""
    assert len(text.encode("utf-8")) <= LIMIT
    tokens = parsed(text)
    inside = [child for token in tokens for child in token.children or ()]
    assert {token.type for token in (*tokens, *inside)} <= ALLOWED
    assert [token.content for token in tokens if token.type == "inline" and token.map[0] == 0] in (
        ["Where the traffic goes"],
        ["What the change moves"],
    )
    assert sum(token.type == "heading_open" for token in tokens) == 1
    for token in tokens:
        if token.children:
            plain = "".join("`" if child.type == "code_inline" else child.content for child in token.children)
            assert not REFERENCE.search(plain), plain
    return tokens


def cells(text):
    """How many cells each row of a table has, by its own bars."""
    return {line.count("|") for line in text.split("\n") if line.startswith("|")}


@many
@given(runs())
def test_no_run_forges_markup(traffic):
    text = traffic_reporter("markdown")(traffic, Options())
    harmless(text)
    assert cells(text) <= {6}


@many
@given(diffs())
def test_no_diff_forges_markup(changes):
    text = diff_reporter("markdown")(changes, Options())
    harmless(text)
    assert cells(text) <= {7}


def test_hostile_names_stay_in_code_spans():
    for text in (
        traffic_reporter("markdown")(samples.hostile(), Options()),
        diff_reporter("markdown")(samples.hostile_diff(), Options()),
    ):
        spans = [
            child.content for token in harmless(text) for child in token.children or () if child.type == "code_inline"
        ]
        assert "<script>alert(1)</script>" in spans
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


@given(names)
def test_a_name_is_one_code_span(name):
    children = parsed(code(name))[1].children
    assert [child.type for child in children] in (["code_inline"], ["text"])
    assert children[0].type == "code_inline" or children[0].content == "(no name)"


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("50 % of requests fail, then shop2 gets 50 % each (now 8.3 %)",) * 2,
        ("ask @user about #12", "ask `@user` about `#12`"),
        ("fixed in deadbeef, see www.example.org.", "fixed in `deadbeef`, see `www.example.org`."),
        ("<b>bold</b> and *this* and [a](b)", "`<b>bold</b>` and `*this*` and `[a](b`)"),
        ("a|b `c", "`a\\x7cb` `\\x60c`"),
        ("add `option redispatch 1`, or (`check`).", "add `option redispatch 1`, or (`check`)."),
        ("`a`@b and `c d", "`\\x60a\\x60@b` and `\\x60c` d"),
    ],
)
def test_only_words_that_mean_something_become_code(words, written):
    assert prose(words) == written.replace("shop2", "`shop2`")


@pytest.mark.parametrize("length", [5, 10_000])
@pytest.mark.parametrize("count", [10, 2_000])
def test_a_comment_is_never_longer_than_code_hosts_take(count, length):
    made = [
        samples.pool(
            f"{'日' * length}{number}", samples.weighted([9, 1], "本" * length), config=f"{'語' * length}{number}"
        )
        for number in range(count)
    ]
    text = traffic_reporter("markdown")(samples.run(made), Options())
    harmless(text)
    changes = [samples.change(each, None) for each in made]
    findings = [samples.finding(message="x" * length)] * count
    diff = samples.Changes(samples.run(made), samples.run([]), changes, None, introduced=findings, fixed=findings)
    harmless(diff_reporter("markdown")(diff, Options()))
    if count > 10:
        assert "left out" in text or "more pools" in text


def test_unknown_pools_say_why_and_have_no_bar():
    text = traffic_reporter("markdown")(samples.mixed(), Options())
    line = next(line for line in text.split("\n") if "`sessions`" in line)
    assert line.startswith("| `sessions` | 3 servers | ? | not known | its servers come from a template loop:")
    assert "░" not in line


def test_a_diff_has_shares_before_and_after_and_findings():
    text = diff_reporter("markdown")(samples.mended(), Options())
    assert "| `shop` 50 % moved | `shop1` | 83.3 % | 33.3 % | −50 points | ▓▓▓▓▓▓▓▓░░ → ▓▓▓░░░░░░░ |" in text
    assert "**New findings** (1)" in text
    assert "- **`H03`** `hc-partial` `haproxy.cfg:20` server `catalog2` of pool catalog is not checked" in text


def test_both_sides_of_a_diff_say_what_was_not_checked():
    changes = samples.mended()
    notes = [Note(samples.finding().place, "the keyword bogus is not known")]
    changes.before.not_checked, changes.after.not_checked = notes, notes * 2
    text = diff_reporter("markdown")(changes, Options())
    assert "\nBefore, not checked: 1 place.\n\nAfter, not checked: 2 places.\n" in text
