"""Is a text a HAProxy config, and which other files does it name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lbcheck.text import Source

_NAMED = "frontend|backend|listen|peers|resolvers|userlist|mailers|cache|ring|log-forward|program|http-errors|fcgi-app"
_HEAD = re.compile(
    rf"^[ \t]*(?:global|defaults(?:[ \t]+[\w.:-]+)?(?:[ \t]+from[ \t]+[\w.:-]+)?|(?:{_NAMED})[ \t]+[^\s{{}};=]+"
    r"(?:[ \t]+[^{};=\n]*)?)[ \t]*\r?(?:#.*)?$",
    re.MULTILINE,
)
_BODY = re.compile(
    r"^[ \t]*(?:mode[ \t]+(?:tcp|http|log|health)\b|timeout[ \t]+[a-z-]+[ \t]+\S|(?:option|balance|stats)[ \t]+[a-z]|"
    r"(?:server|acl)[ \t]+\S+[ \t]+\S|(?:bind|default_backend|use_backend|log|maxconn|http-request|tcp-request|"
    r"nameserver|peer|user|group|mailer|chroot|nbthread|nbproc|errorfile|retries|default-server|server-template|stick-table|"
    r"description|dispatch|redirect|cookie)[ \t]+\S|daemon\b|tune\.)",
    re.MULTILINE,
)
#: The end of an INI file's `[section]`, and of a line that opens a block. They begin with a letter that is rare, so
#: that a large text is skimmed; what stands before it on its line is looked at afterwards.
_INI = re.compile(r"\[[^\[\]\n]*+\][ \t]*\r?$", re.MULTILINE)
_BRACE = re.compile(r"\{[ \t]*\r?(?:#.*)?$", re.MULTILINE)
_FILES = re.compile(r"(?:map(?:_[a-z]+)*\(|-f[ \t]+|lf-file[ \t]+|config[ \t]+)([^\s,)\"']+)")


def recognises(source: Source) -> bool:
    """Say whether a text is a HAProxy config: it has a section's head and a line that fits into one.

    A text with `[section]` heads is an INI file, one with blocks in braces an nginx or other config.
    """
    text = source.text
    if _HEAD.search(text) is None or any(not _before(match).strip(" \t") for match in _INI.finditer(text)):
        return False
    return _BODY.search(text) is not None and not any(map(_opens_block, _BRACE.finditer(text)))


def _before(match: re.Match[str]) -> str:
    """Return what stands before a match on its line."""
    return match.string[match.string.rfind("\n", 0, match.start()) + 1 : match.start()]


def _opens_block(match: re.Match[str]) -> bool:
    line = _before(match) + match[0]
    return "#" not in _before(match) and "{%" not in line and "{{" not in line


def references(source: Source) -> list[str]:
    """Return the files that the text names as maps, pattern lists or SPOE configs."""
    text = source.text
    named = any(word in text for word in ("map", "-f", "config"))  # a large text is searched fast for whole words
    return list(dict.fromkeys(_FILES.findall(text))) if named and "/" in text else []
