from __future__ import annotations

import pytest

from lbcheck.report.escape import escape, shown, shown_path, valid


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain text, 日本語 é", "plain text, 日本語 é"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\tb\r\nc\0", r"a\x09b\x0d\x0ac\x00"),
        ("\x7f\x9b31m", r"\x7f\u009b31m"),
        ("\u202eevil\u2066\u2069", r"\u202eevil\u2066\u2069"),
        ("zero\u200bwidth\ufeff\u00a0", r"zero\u200bwidth\ufeff\u00a0"),
        ("line\u2028separator\u2029", r"line\u2028separator\u2029"),
        ("\U000e0041", r"\U000e0041"),
        ("filler\u3164", r"filler\u3164"),
        ("byte \udcff, half \ud800", r"byte \xff, half \ud800"),
        ("##[add-mask]x", r"\x23#[add-mask]x"),
        ("x ##vso[task.setvariable]", r"x \x23#vso[task.setvariable]"),
        ("##TeamCity[x] ###[", r"\x23#TeamCity[x] #\x23#["),
        ("## a heading [1]", "## a heading [1]"),
    ],
)
def test_escape_writes_out_what_is_not_plainly_visible(text, written):
    assert escape(text) == written


def test_shown_tells_which_form_belongs_to_which_character():
    assert shown("a\x1b##[") == ["a", r"\x1b", r"\x23", "#", "["]


def test_a_path_cannot_begin_a_workflow_command():
    assert shown_path("::error::x") == "./::error::x"
    assert shown_path("  ::error::x") == "./  ::error::x"
    assert shown_path(":") == "./:"
    assert shown_path("a::error::x") == "a::error::x"


def test_valid_names_lone_surrogates_and_leaves_the_rest():
    assert valid("a\udcff\x1bé") == "a\\udcff\x1bé"
    assert valid("\ud83d\ude00") == r"\ud83d\ude00"
