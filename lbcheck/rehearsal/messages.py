"""What a proxy's own check says, with places in the user's own files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.rehearsal.outcome import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE = re.compile(
    r" in (?P<a>/\S+?):(?P<b>\d+)|\[(?P<c>/[^\s:\]]+):(?P<d>\d+)\]|parsing \[(?P<e>/[^\s:]+):(?P<f>\d+)\]"
)


def messages(output: str, places: Mapping[str, str]) -> tuple[Message, ...]:
    """Return the lines of a check; `places` maps the sandbox's paths to the user's."""
    found = []
    for line in output.splitlines():
        if not line.strip():
            continue
        match = _PLACE.search(line)
        path = line_number = None
        if match:
            groups = [group for group in match.groups() if group]
            path, line_number = places.get(groups[0]), int(groups[1])
        text = line
        for inside, outside in places.items():
            text = text.replace(inside, outside)
        found.append(Message(path, line_number if path else None, text))
    return tuple(found)
