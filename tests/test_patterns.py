"""Patterns that are compiled on use."""

from __future__ import annotations

import re

import pytest

from lbcheck.patterns import pattern


@pytest.fixture
def compiled(monkeypatch):
    """Return the list of what is compiled from now on."""
    texts = []
    compile_ = re.compile

    def noted(text, flags=0):
        texts.append(text)
        return compile_(text, flags)

    monkeypatch.setattr(re, "compile", noted)
    return texts


def test_nothing_is_compiled_before_it_is_used(compiled):
    word = pattern(r"\w+")
    assert compiled == []
    assert [word.match(text) is not None for text in ("a", "-", "b")] == [True, False, True]
    assert compiled == [r"\w+"]


def test_it_does_what_the_compiled_one_does():
    word = pattern("a(b)?", re.IGNORECASE)
    assert word.search("xAB")[1] == "B"
    assert word.fullmatch("ab", 0, 1)[0] == "a"
    assert word.sub("-", "abA") == "--"
    assert [match.start() for match in word.finditer("a a")] == [0, 2]
    assert (word.pattern, word.groups) == ("a(b)?", 1)


def test_a_wrong_pattern_is_an_error_where_it_is_used():
    with pytest.raises(re.error):
        pattern("(").match("x")
