from __future__ import annotations

import pytest

from lbcheck.report.excerpt import columns, excerpt
from lbcheck.results import Place


def drawn(text, column, end_column, width=80, end_line=1):
    line, offset, length = excerpt(Place("x", 1, column, end_line, end_column, 0, 0, text), width)
    return f"{line}\n{' ' * offset}{'^' * length}"


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("❤\ufe0f", 1), ("ｱﾞ", 2), ("\uff21", 2)]
)
def test_columns_counts_cells_of_a_terminal(text, width):
    assert columns(text) == width


def test_the_caret_stands_under_the_span():
    assert drawn("listen 80;", 8, 10) == "listen 80;\n       ^^"


def test_tabs_lead_to_the_next_stop():
    assert drawn("\ta\tb;", 4, 5) == "    a   b;\n        ^"


def test_wide_and_combining_characters_keep_the_caret_in_place():
    assert drawn("日本 e\u0301x y;", 8, 9) == "日本 e\u0301x y;\n        ^"
    assert drawn("set 日本;", 5, 7) == "set 日本;\n    ^^^^"


def test_escaped_characters_are_underlined_as_they_are_shown():
    assert drawn("a\x1bb", 2, 3) == "a\\x1bb\n ^^^^"


def test_an_empty_span_gets_one_caret():
    assert drawn("abc", 4, 4) == "abc\n   ^"
    assert drawn("abc", 2, 2) == "abc\n ^"


def test_a_span_of_several_lines_is_underlined_to_the_end_of_the_first():
    assert drawn("server {  ", 1, 2, end_line=3) == "server {  \n^^^^^^^^"


def test_a_place_beyond_the_excerpt_is_not_underlined():
    assert drawn("abc", 4001, 4002) == "abc\n   "


def test_a_long_line_is_cut_at_the_right():
    assert drawn("abcdefghijklmnopqrstuvwxyz", 2, 4, width=10) == "abcdefghi…\n ^^"


def test_a_long_line_is_cut_around_the_span():
    assert drawn("abcdefghijklmnopqrstuvwxyz", 13, 15, width=10) == "…ghijklmn…\n       ^^"


def test_a_long_line_is_cut_at_the_left():
    assert drawn("abcdefghijklmnopqrstuvwxyz", 25, 27, width=10) == "…stuvwxyz\n       ^^"


def test_a_span_longer_than_the_width_is_cut_too():
    assert drawn("x " + "y" * 50, 3, 53, width=10) == "x yyyyyyy…\n  ^^^^^^^"


def test_a_line_of_megabytes_costs_no_more_than_what_is_shown():
    line, offset, length = excerpt(Place("x", 1, 8_000_000, 1, 8_000_003, 0, 0, "z" * 16_000_000), 40)
    assert (len(line), line[offset : offset + length]) == (40, "zzz")
