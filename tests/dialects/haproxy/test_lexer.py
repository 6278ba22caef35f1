from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbcheck.dialects.haproxy.lexer import scan
from lbcheck.text import Source

#: Input of the characters that mean something, and of others that must mean nothing.
TEXTS = st.text(st.sampled_from(" \t\r\n\n\"'\\#${}%<>ab:x41[*]-\v\f\0\x1c\x85\xa0é\udc80"), max_size=60)


def words(text):
    document = scan(Source("x.cfg", text + "\n"))
    return [line.words for line in document.lines], [mistake.problem for mistake in document.mistakes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("server a 10.0.0.1:80", ["server", "a", "10.0.0.1:80"]),
        ("  a\t b  ", ["a", "b"]),
        ('a "b c" d', ["a", "b c", "d"]),
        ("a 'b \"c' d", ["a", 'b "c', "d"]),
        ('a b"c d"e', ["a", "bc de"]),
        (r"a b\ c", ["a", "b c"]),
        (r"a \#b #c", ["a", "#b"]),
        (r'a "\x41\t\\"', ["a", "A\t\\"]),
        (r"a \1 b\d", ["a", r"\1", r"b\d"]),
        (r"a '\x41'", ["a", r"\x41"]),
        ("a b#c", ["a", "b"]),
        ("a \\", ["a", "\\"]),
        ('a "" b', ["a", "", "b"]),
        ("a ^/x$ $", ["a", "^/x$", "$"]),
        ('a "b\\$c"', ["a", "b$c"]),
        ("a b\r", ["a", "b"]),
        ("a b\r c", ["a", "b"]),
        ("a b \r c", ["a", "b", "c"]),
        ("a\x1cb\xa0c d", ["a\x1cb\xa0c", "d"]),
        (r"a \xff", ["a", "\udcff"]),
        ('a "b" # c"', ["a", "b"]),
    ],
)
def test_words_are_split_as_haproxy_splits_them(text, expected):
    assert words(text) == ([expected], [])


@pytest.mark.parametrize("text", ["", "   ", "# a", '"" a', "\r", "\t#"])
def test_a_line_without_a_first_word_is_no_line(text):
    assert words(text) == ([], [])


@pytest.mark.parametrize(
    ("text", "at", "problem"),
    [
        ('a "b', 2, "never closed"),
        ("a 'b", 2, "never closed"),
        ('a b"c', 3, "never closed"),
        ('a "b $ c"', 5, "environment variable"),
        ('a "^/b$"', 6, "environment variable"),
        (r"a \xg1", 2, "hexadecimal"),
        ("a\0b", 1, "NUL"),
        ("a " * 65, 128, "65 words"),
    ],
)
def test_what_haproxy_refuses_has_its_place(text, at, problem):
    document = scan(Source("x.cfg", text + "\n"))
    (mistake,) = document.mistakes
    assert (mistake.code, mistake.start) == ("E01", at)
    assert problem in mistake.problem


def test_a_file_without_a_last_line_end_is_refused():
    assert [mistake.start for mistake in scan(Source("x.cfg", "a\nb c")).mistakes] == [2]
    assert scan(Source("x.cfg", "")).mistakes == []


@pytest.mark.parametrize(
    ("text", "expected", "opaque"),
    [
        ('a "$B" c', ["a", "$B", "c"], {1}),
        ('a "${B-x y}:80"', ["a", "${B-x y}:80"], {1}),
        ("a ${b}:1 $c", ["a", "${b}:1", "$c"], {1, 2}),
        ("a {{ b c }}:{{d}} e", ["a", "{{ b c }}:{{d}}", "e"], {1}),
        ('a {{ "{{" }} c', ["a", '{{ "{{" }}', "c"], {1}),
        ('a "{{ b }} c"', ["a", "{{ b }} c"], {1}),
        ("a <%= b %>:80", ["a", "<%= b %>:80"], {1}),
    ],
)
def test_variables_and_templates_are_opaque_words(text, expected, opaque):
    (line,) = scan(Source("x.cfg", text + "\n")).lines
    assert (line.words, set(line.opaque)) == (expected, opaque)


def test_a_templates_statements_are_no_lines():
    document = scan(
        Source("x.cfg", "{% for a in b %}\nserver {{ a }} x\n {{#each}}\n{# note #}\n<% end %>\n{{ end }}\n")
    )
    assert [line.words for line in document.lines] == [["server", "{{ a }}", "x"]]
    assert [span.line for span in document.controls] == [1, 3, 4, 5, 6]


def test_a_word_that_stands_for_several_is_marked():
    (line,) = scan(Source("x.cfg", 'server "${ARGS[*]}" x\n')).lines
    assert line.expands


@given(TEXTS)
@settings(max_examples=400)
def test_words_and_gaps_rebuild_the_text(text):
    for line in scan(Source("x.cfg", text)).lines:
        at = line.start
        for start, end in zip(line.starts(), line.ends(), strict=True):
            assert at <= start <= end <= line.end
            assert not text[at:start].strip(" \t\r\v\f")
            at = end
        assert at == line.end
        begin = text.rfind("\n", 0, line.start) + 1
        assert not text[begin : line.start].strip(" \t\r\v\f")
        rest = text[line.end :].split("\n")[0].lstrip(" \t\v\f\r")
        assert not rest or rest[0] in "#\0" or text[line.end] == "\r"


@given(TEXTS)
@settings(max_examples=400)
def test_the_fast_and_the_careful_scan_agree(text):
    """A template anywhere in a file sends every line through the careful scan."""
    fast = scan(Source("x.cfg", text + "\n"))
    careful = scan(Source("x.cfg", text + "\n{{x}}\n"))
    if "{{" in text or "{%" in text or "{#" in text or "<%" in text or "}}" in text:
        return
    assert [line.words for line in fast.lines] == [line.words for line in careful.lines][:-1]
    assert [line.starts() for line in fast.lines] == [line.starts() for line in careful.lines][:-1]
    assert [mistake.start for mistake in fast.mistakes] == [mistake.start for mistake in careful.mistakes]
