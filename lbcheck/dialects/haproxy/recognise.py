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
_INI = re.compile(r"^[ \t]*\[[^\]\n]*\][ \t]*\r?$", re.MULTILINE)
_BRACES = re.compile(r"^[^#\n]*\{[ \t]*\r?(?:#.*)?$", re.MULTILINE)
_FILES = re.compile(r"(?:map(?:_[a-z]+)*\(|-f[ \t]+|lf-file[ \t]+|config[ \t]+)([^\s,)\"']+)")


def recognises(source: Source) -> bool:
    """Say whether a text is a HAProxy config: it has a section's head and a line that fits into one.

    A text with `[section]` heads is an INI file, one with blocks in braces an nginx or other config.
    """
    text = source.text
    if _HEAD.search(text) is None or _INI.search(text) is not None:
        return False
    if _BODY.search(text) is None:
        return False
    return not any("{%" not in match[0] and "{{" not in match[0] for match in _BRACES.finditer(text))


def references(source: Source) -> list[str]:
    """Return the files that the text names as maps, pattern lists or SPOE configs."""
    return [] if "/" not in source.text else list(dict.fromkeys(_FILES.findall(source.text)))
