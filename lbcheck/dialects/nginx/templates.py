"""Template expressions in an nginx config (Jinja, ERB, @@NAME@@): opaque values with places, never a syntax error."""

from __future__ import annotations

import re

#: Stands for each character of an expression whose value is not known; no config holds it otherwise.
OPAQUE = "\ue000"

_MARKS = ("{{", "{%", "{#", "<%", "@@")
_TEMPLATE = re.compile(
    r"(?P<value>\{\{[\s\S]*?\}\}|<%=[\s\S]*?%>|@@\w+@@)|(?P<statement>\{%[\s\S]*?%\}|<%[\s\S]*?%>|\{\#[\s\S]*?\#\})"
)
_LOOP = re.compile(r"\{%-?\s*(?:for|while)\b|<%-?\s*[^%]*?\b(?:each|for|while|times)\b|\{\{-?\s*range\b")


def is_template(text: str) -> bool:
    """Say, cheaply, whether the text may hold template expressions."""
    return any(mark in text for mark in _MARKS)


def mask(text: str) -> str:
    """Return text of the same length with values replaced by OPAQUE characters and statements by blanks."""
    return _TEMPLATE.sub(_masked, text) if is_template(text) else text


def _masked(match: re.Match[str]) -> str:
    whole = match[0]
    if match["value"] and not re.match(r"\{\{-?\s*(?:range|if|else|end|with|define|template|block)\b", whole):
        return OPAQUE * len(whole)
    return re.sub(r"[^\n]", " ", whole)


def loops(text: str) -> list[int]:
    """Return the offsets at which a loop begins: what stands in it may be there any number of times."""
    return [match.start() for match in _LOOP.finditer(text)] if is_template(text) else []
