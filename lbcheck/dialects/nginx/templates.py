"""Template expressions in an nginx config (Jinja, ERB, @@NAME@@): opaque values with places, never a syntax error."""

from __future__ import annotations

import re

#: Stands for each character of an expression whose value is not known; no config holds it otherwise.
OPAQUE = "\ue000"

#: `{#` alone is no sign of a template: `server {# comment` is plain nginx.
_MARKS = ("{{", "{%", "<%", "@@")
_OPENERS = re.compile(r"\{\{|\{%|\{\#|<%|@@\w+@@")
_CLOSERS = {"{{": "}}", "{%": "%}", "{#": "#}", "<%": "%>"}
_CONTROL = re.compile(r"\{\{-?\s*(?:range|if|else|end|with|define|template|block)\b")
_LOOP = re.compile(r"\{%-?\s*(?:for|while)\b|<%-?\s*[^%]*?\b(?:each|for|while|times)\b|\{\{-?\s*range\b")


def is_template(text: str) -> bool:
    """Say, cheaply, whether the text may hold template expressions."""
    return any(mark in text for mark in _MARKS)


def mask(text: str) -> str:
    """Return text of the same length with values replaced by OPAQUE characters and statements by blanks.

    One pass: an opener whose closer is missing from the rest of the text is no template's, and none of its kind is
    looked for again.
    """
    if not is_template(text):
        return text
    pieces: list[str] = []
    closed: set[str] = set()
    at = 0
    while (match := _OPENERS.search(text, at)) is not None:
        opener, end = match[0], match.end()
        if not opener.startswith("@@"):
            closing = -1 if opener in closed else text.find(_CLOSERS[opener], end)
            if closing < 0:
                closed.add(opener)
                pieces.append(text[at:end])
                at = end
                if len(closed) == len(_CLOSERS):
                    break
                continue
            end = closing + 2
        pieces += text[at : match.start()], _masked(text[match.start() : end])
        at = end
    return "".join(pieces) + text[at:]


def _masked(whole: str) -> str:
    if whole.startswith(("{{", "<%=", "@@")) and not _CONTROL.match(whole):
        return OPAQUE * len(whole)
    return re.sub(r"[^\n]", " ", whole)


def loops(text: str) -> list[int]:
    """Return the offsets at which a loop begins: what stands in it may be there any number of times."""
    return [match.start() for match in _LOOP.finditer(text)] if is_template(text) else []
