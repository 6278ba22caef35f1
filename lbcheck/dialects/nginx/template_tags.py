"""The tags of template engines in a text, and how they nest: Jinja, ERB and EPP, Go, Handlebars, @@NAME@@.

Engines are told apart by their brackets and their words alone. A tag is a value, opens a construct (a condition, a
loop, a definition), begins another branch of it, closes it, or puts out nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a tag does.
VALUE, NOTHING, OPEN, BRANCH, CLOSE = "value", "nothing", "open", "branch", "close"

_OPENERS = pattern(r"\{\{|\{%|\{\#|<%|@@\w+@@")
_CLOSERS = {"{{": "}}", "{%": "%}", "{#": "#}", "<%": "%>"}

_JINJA = pattern(r"\{%[-+~]?\s*(\w+)([^%]*)")
_JINJA_OPENS = frozenset(
    {"if", "for", "macro", "block", "call", "filter", "while", "with", "raw", "autoescape", "trans", "unless"}
)
_JINJA_BRANCHES = frozenset({"else", "elif", "elsif", "elseif"})

_RUBY = pattern(r"<%[-_]?\s*(.*?)\s*[-_]?%>\Z", re.DOTALL)
_RUBY_BRANCH = pattern(r"(?:\}\s*)?(?:else|elsif|elif|when|in|rescue|ensure)\b")
_RUBY_CLOSE = pattern(r"(?:end\b|\})")
_RUBY_OPEN = pattern(r"(?:if|unless|case|while|until|for|begin)\b|.*(?:\bdo|\{)\s*(?:\|[^|]*\|)?\Z", re.DOTALL)

_BRACES = pattern(r"\{\{\{?[-~]?\s*(.*?)\s*[-~]?\}?\}\}\Z", re.DOTALL)
_BRACES_OPEN = pattern(r"(?:if|range|with|define|block)\s+\S|\#|\^.")
_BRACES_BRANCH = pattern(r"else\b|\^\Z")
_BRACES_CLOSE = pattern(r"end\Z|/(?!\*)")
_BRACES_NOTHING = pattern(r"/\*|!|\$\w+\s*:?=[^=]")

#: Constructs whose text is put out somewhere else, if at all.
_DEFINES = pattern(r"\{%-?\s*macro\b|\{\{-?\s*define\b")
_LOOP = pattern(
    r"\{%-?\s*(?:for|while)\b|<%-?\s*[^%]*?\b(?:each\w*|for|while|until|times)\b|\{\{-?\s*(?:range|\#each)\b"
)
_CASE = pattern(r"<%-?\s*case\b")


class Tag(NamedTuple):
    """One tag: its range, what it does, and by which brackets it is told (constructs of an engine nest in it alone)."""

    start: int
    end: int
    role: str
    family: str


class Construct(NamedTuple):
    """A construct from its first tag to its last, and what of it no rendering has in which each condition holds."""

    start: int
    end: int
    cut: tuple[int, int] | None


def tags(text: str) -> Iterator[Tag]:
    """Yield the tags in order.

    One pass: an opener whose closer is missing from the rest of the text is no template's, and none of its kind is
    looked for again.
    """
    closed: set[str] = set()
    at = 0
    while len(closed) < len(_CLOSERS) and (match := _OPENERS.search(text, at)) is not None:
        opener, at = match[0], match.end()
        if opener.startswith("@@"):
            yield Tag(match.start(), at, VALUE, "@@")
            continue
        closing = -1 if opener in closed else text.find(_CLOSERS[opener], at)
        if closing < 0:
            closed.add(opener)
            continue
        at = closing + 2
        if opener == "{{" and text.startswith("{", match.end()) and text.startswith("}", at):
            at += 1  # {{{ raw }}}
        yield Tag(match.start(), at, _role(text[match.start() : at], opener), opener)


def _role(whole: str, opener: str) -> str:
    if opener == "{#":
        return NOTHING
    if opener == "{%":
        return _jinja(whole)
    return _ruby(whole) if opener == "<%" else _braces(whole)


def _jinja(whole: str) -> str:
    match = _JINJA.match(whole)
    word, rest = (match[1], match[2]) if match else ("", "")
    if word in _JINJA_BRANCHES:
        return BRANCH
    if word.startswith("end"):
        return CLOSE
    return OPEN if word in _JINJA_OPENS or (word == "set" and "=" not in rest) else NOTHING


def _ruby(whole: str) -> str:
    if whole.startswith(("<%=", "<%-=")):
        return VALUE
    match = _RUBY.match(whole)
    code = match[1] if match else ""
    if _RUBY_BRANCH.match(code):
        return BRANCH
    if _RUBY_CLOSE.match(code):
        return CLOSE
    return OPEN if not code.startswith(("#", "|")) and _RUBY_OPEN.match(code) else NOTHING


def _braces(whole: str) -> str:
    match = _BRACES.match(whole)
    code = match[1] if match else ""
    if _BRACES_NOTHING.match(code):
        return NOTHING
    if _BRACES_BRANCH.match(code):
        return BRANCH
    if _BRACES_CLOSE.match(code):
        return CLOSE
    return OPEN if _BRACES_OPEN.match(code) else VALUE


def constructs(text: str, found: list[Tag]) -> list[Construct]:
    """Return the constructs that are closed, in order of their ends."""
    pairs: list[Construct] = []
    stacks: dict[str, list[tuple[Tag, list[Tag]]]] = {}
    for tag in found:
        stack = stacks.setdefault(tag.family, [])
        if tag.role == OPEN:
            stack.append((tag, []))
        elif tag.role == BRANCH and stack:
            stack[-1][1].append(tag)
        elif tag.role == CLOSE and stack:
            first, branches = stack.pop()
            opening = text[first.start : first.end]
            if _CASE.match(opening):
                branches = branches[1:]  # the first `when` begins the branch that stays
            cut = first.end if _DEFINES.match(opening) else branches[0].start if branches else tag.start
            pairs.append(Construct(first.start, tag.end, (cut, tag.start) if cut < tag.start else None))
    return pairs


def repeats(opening: str) -> bool:
    """Say whether the tag begins a loop."""
    return bool(_LOOP.match(opening))
