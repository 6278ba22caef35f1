"""What of a HAProxy config loads or runs code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.rehearsal.preparing.variables import LOADING

if TYPE_CHECKING:
    from lbcheck.dialects.haproxy.tree import Line, Section

_HAPROXY = re.compile(
    r"lua-|external-check$|insecure-fork-wanted$|insecure-setuid-wanted$|ssl-engine$|ssl-provider|module-|program$"
)
#: `option` and `filter` of HAProxy that run programs or load them.
_HAPROXY_SECOND = {"option": frozenset({"external-check"}), "filter": frozenset({"opentracing", "lua"})}


def code(section: Section, line: Line) -> str | None:
    """Return what a line of HAProxy loads or runs; None where it does not."""
    first, second = line.words[0], line.word(1)
    if 0 in line.opaque or (first in _HAPROXY_SECOND and 1 in line.opaque):
        return f"{first} {second} is known only when it runs"
    if first in {"setenv", "presetenv"} and LOADING.match(second):
        return f"{first} {second} says what is loaded"
    if _HAPROXY.match(first) or second.partition(".")[0] in _HAPROXY_SECOND.get(first, ()):
        return f"{first} {second} runs code".replace("  ", " ")
    if section.kind == "program":
        return "a program section starts a program"
    return None
