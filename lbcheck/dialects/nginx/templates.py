"""Templates of nginx configs (Jinja, ERB, Go, @@NAME@@): opaque values with places, never a syntax error.

What is read is one rendering: the one in which every condition holds, with each loop's text once. The other branches
are cut out; `unread` says where, for they were not checked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.nginx.template_tags import OPEN, VALUE, constructs, repeats, tags
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.dialects.nginx.template_tags import Construct, Tag

#: Stands for each character of an expression whose value is not known; no config holds it otherwise.
OPAQUE = "\ue000"
#: Why a place of a template was not checked.
OTHER_BRANCH = "another branch of a template's condition, or a definition: one rendering is checked"
UNKNOWN_TEXT = "what a template puts in here is not known"
TORN = "the blocks of this template do not pair up, so not all of it was checked"

_OPAQUE_RUN = pattern(f"{OPAQUE}+")
#: A variable of the environment, which `envsubst` replaces by any number of words.
_ENVIRONMENT = pattern(r"\$(?:[A-Z][A-Z0-9_]*|\{[A-Z][A-Z0-9_]*\})\Z")
_NO_BREAK = pattern(r"[^\n]")


class _Template(NamedTuple):
    masked: str
    constructs: list[Construct]
    opens: list[Tag]


def is_template(text: str) -> bool:
    """Say, cheaply, whether the text may hold template expressions.

    `{#` alone is no sign of one: `server {# comment` is plain nginx.
    """
    return "{{" in text or "{%" in text or "<%" in text or "@@" in text


def mask(text: str) -> str:
    """Return text of the same length with values replaced by OPAQUE characters, statements and cuts by blanks."""
    return masked(text) if is_template(text) else text


def masked(text: str) -> str:
    """Do what `mask` does, to a text that is known to be a template."""
    return _template(text).masked


@lru_cache(maxsize=8)
def _template(text: str) -> _Template:
    found = list(tags(text))
    pairs = constructs(text, found)
    pieces: list[str] = []
    at = 0
    cuts = iter(sorted(pair.cut for pair in pairs if pair.cut is not None))
    cut = next(cuts, None)
    for tag in found:
        while cut is not None and max(at, cut[0]) <= tag.start:
            if cut[1] > at:
                pieces += text[at : max(at, cut[0])], _blank(text[max(at, cut[0]) : cut[1]])
                at = cut[1]
            cut = next(cuts, None)
        if tag.end <= at:
            continue
        whole = text[tag.start : tag.end]
        pieces += text[at : tag.start], OPAQUE * len(whole) if tag.role == VALUE else _blank(whole)
        at = tag.end
    return _Template("".join(pieces) + text[at:], pairs, [tag for tag in found if tag.role == OPEN])


def _blank(text: str) -> str:
    return _NO_BREAK.sub(" ", text)


def deciders(text: str) -> list[tuple[int, str]]:
    """Return where a loop or a condition begins, and which: what stands in it may be there or not, and how often."""
    if not is_template(text):
        return []
    return [
        (tag.start, "a template loop" if repeats(text[tag.start : tag.end]) else "a template's condition")
        for tag in _template(text).opens
    ]


def unread(text: str) -> list[tuple[int, int]]:
    """Return the ranges that are cut out, outermost only."""
    if not is_template(text):
        return []
    found: list[tuple[int, int]] = []
    for start, end in sorted(pair.cut for pair in _template(text).constructs if pair.cut is not None):
        if not found or start >= found[-1][1]:
            found.append((start, end))
    return found


def exclusive(text: str, one: int, other: int) -> bool:
    """Say whether two offsets stand under conditions of their own, so that perhaps one of them is there at a time."""
    if not is_template(text):
        return False
    pairs = _template(text).constructs
    first = {index for index, pair in enumerate(pairs) if pair.start <= one < pair.end}
    second = {index for index, pair in enumerate(pairs) if pair.start <= other < pair.end}
    return bool(first - second) and bool(second - first)


def any_words(word: str) -> bool:
    """Say whether a word may turn out to be none, one or several once it is filled in."""
    return OPAQUE in word or bool(_ENVIRONMENT.match(word))


def some_text(word: str) -> bool:
    """Say whether a word is nothing but an expression, so that it may stand for whole directives."""
    return (word != "" and not word.strip(OPAQUE)) or (word.startswith("${") and bool(_ENVIRONMENT.match(word)))


def shortened(text: str) -> str:
    """Return a value with an ellipsis for each expression."""
    return _OPAQUE_RUN.sub("…", text)
