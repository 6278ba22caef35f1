from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbcheck.report.excerpt import columns
from lbcheck.report.pictures import words


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (None, "?"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.8333333, "83.3 %"),
        (0.5, "50 %"),
        (0.0045, "0.45 %"),
        (0.00001, "0.001 %"),
        (1e-9, "< 0.001 %"),
        (0.9999, "> 99.9 %"),
        (0.9994, "99.9 %"),
    ],
)
def test_only_nothing_is_zero_and_only_all_is_a_hundred_percent(share, said):
    assert words.percent(share) == said


def test_spreads_differences_and_ratios():
    assert words.spread(0.0041, 0.0062) == "0.41–0.62 %"
    assert words.spread(0.5, 0.5000001) == "50 %"
    assert [words.points(each) for each in (0.25, -0.5, 0.0, 0.0016)] == ["+25", "−50", "±0", "+0.16"]
    assert [words.times(each) for each in (2.5, 0.0204, 99.2, 1234.5)] == ["2.5 ×", "0.02 ×", "99 ×", "1,234 ×"]


def test_names_are_cut_in_the_middle():
    assert words.cut("front-end-server-12", 11) == "front…er-12"
    assert len(words.plain("x" * 10_000)) == words.LONGEST
    assert words.plain("a" * 9_000 + "the end").endswith("the end")


def test_what_fonts_draw_outside_of_its_place_is_written_out():
    assert words.plain("e\u0301") == "e\u0301"
    assert words.plain("e" + "\u0301" * 4) == "e\u0301\u0301\\u0301\\u0301"
    assert words.plain("\ufdfd") == "\\ufdfd"


def test_text_is_wrapped_at_blanks_and_the_rest_of_it_cut():
    assert words.wrapped("servers come from a loop", 12, 3) == ["servers come", "from a loop"]
    assert words.wrapped("abcdefghij klm", 4, 2) == ["abcd", "ef…m"]
    assert words.wrapped("", 4, 2) == []


@given(st.text(), st.integers(1, 40))
def test_a_cut_text_fits(text, room):
    assert columns(words.cut(words.plain(text), room)) <= room


@given(st.text(), st.integers(2, 40), st.integers(1, 4))
def test_wrapped_text_fits(text, room, lines):
    found = words.wrapped(words.plain(text), room, lines)
    assert len(found) <= lines
    assert all(columns(line) <= room for line in found)


def test_as_many_names_as_fit():
    assert words.named(["a", "b"], 20) == "a, b"
    assert words.named([f"server{number}" for number in range(100)], 30) == "server0, server1 and 98 more"
