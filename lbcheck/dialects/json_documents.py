"""JSON objects one after another in one text, as `kubectl get -o json | jq -c '.items[]'` writes them.

YAML wants `---` between them; kubectl, which tells JSON by the first brace, does not (apimachinery's
util/yaml.NewYAMLOrJSONDecoder reads on behind each object).
"""

from __future__ import annotations

import json

from lbcheck.patterns import pattern

_SPACE = pattern(r"[ \t\r\n]*")


def bounds(text: str) -> list[tuple[int, int]]:
    """Return where each object begins and ends; [] where the text is anything else than several of them."""
    decoder = json.JSONDecoder()
    found: list[tuple[int, int]] = []
    at = _behind(text, int(text.startswith("\ufeff")))
    while at < len(text):
        if text[at] != "{":
            return []
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return []
        found.append((at, end))
        at = _behind(text, end)
    return found if len(found) > 1 else []


def _behind(text: str, at: int) -> int:
    """Return where the white space ends that begins at an offset."""
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
