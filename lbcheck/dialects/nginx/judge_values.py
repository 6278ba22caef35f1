"""Values that nginx refuses, judged by the setter that nginx itself uses for the directive (source_table.py)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.hits import hit
from lbcheck.dialects.nginx.source_table import KINDS, RANGES, WORDS
from lbcheck.dialects.nginx.templates import OPAQUE
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.findings import Hit

#: `ngx_parse_time` in src/core/ngx_parse.c: units from large to small; after a blank only a last number may follow.
#: A time kept in milliseconds knows neither years nor months, one kept in seconds no milliseconds.
_HOURS = r"(?:\d*w *)?(?:\d*d *)?(?:\d*h *)?(?:\d*m(?!s) *)?"
_TIME = pattern(_HOURS + r"(?:\d* +|(?:\d*s *)?(?:\d*ms *)?)\d*\Z", re.ASCII)
_SECONDS = pattern(r"(?:\d*y *)?(?:\d*M *)?" + _HOURS + r"(?:\d* +|(?:\d*s *)?)\d*\Z", re.ASCII)
_SIZE = pattern(r"\d+[kKmM]?\Z", re.ASCII)
_OFFSET = pattern(r"\d+[kKmMgG]?\Z", re.ASCII)
_NUMBER = pattern(r"\d{1,19}\Z", re.ASCII)
_DIGIT = pattern(r"\d", re.ASCII)

#: Setters of src/core/ngx_conf_file.c that refuse a second value ("is duplicate").
SINGLE = frozenset({"flag", "time", "seconds", "size", "offset", "number", "buffers", "word", "text"})
#: Directives of which other editions take more words than the source says.
_WIDER = frozenset({"server_tokens"})
#: Directives with a setter of their own whose first word is a time all the same.
_TIMES = frozenset({"keepalive_timeout"})

_ADVICE = {
    "time": "write it as 500ms, 10s or 1m",
    "seconds": "write it as 10s, 1m or 1h",
    "size": "write it as 8k or 1m",
    "offset": "write it as 8k, 1m or 1g",
    "number": "write a whole number",
    "buffers": "write a number and a size, as in 4 8k",
    "flag": "write on or off",
}


def kind_of(name: str, part: str) -> str | None:
    """Return what kind of value a directive takes in "http", "stream", "mail" or the main context ("")."""
    return KINDS.get(name) or KINDS.get(f"{part}/{name}")


def is_time(text: str) -> bool:
    """Say whether nginx takes the text for a time of up to a millisecond's precision."""
    return len(text) < 100 and bool(_TIME.match(text)) and bool(_DIGIT.search(text))


def is_seconds(text: str) -> bool:
    """Say whether nginx takes the text for a time in whole seconds (`fail_timeout`)."""
    return len(text) < 100 and bool(_SECONDS.match(text)) and bool(_DIGIT.search(text))


#: Kinds whose one value is judged alone. A second word (`keepalive_timeout 60s 30s`) is left alone.
_PLAIN: dict[str, Callable[[str], bool]] = {
    "flag": lambda value: value.lower() in {"on", "off"},
    "time": is_time,
    "seconds": is_seconds,
    "size": lambda value: bool(_SIZE.match(value)),
    "offset": lambda value: bool(_OFFSET.match(value)),
}


def wrong_value(directive: Directive, kind: str) -> Hit | None:
    """Return a finding where the value is none of its kind. Variables and templates are left alone."""
    name = directive.name
    for index, value in enumerate(directive.args):
        if OPAQUE in value or "$" in value:
            return None
        if not _right(name, kind, index, value):
            problem = f'"{value}" is no valid value of "{name}": nginx refuses the config'
            return hit("E09", directive.arg_span(index), problem, _advice(name, kind))
    return None


def judged(name: str, part: str) -> str | None:
    """Return the kind by which a directive's values are judged; None where they are not."""
    if name in _TIMES:
        return "time"
    kind = kind_of(name, part)
    return None if kind == "text" or name in _WIDER else kind


def _right(name: str, kind: str, index: int, value: str) -> bool:
    if kind in {"word", "words"}:
        known = WORDS.get(name) or WORDS.get(f"http/{name}") or (value,)
        return value.lower() in {word.lower() for word in known}
    if kind == "buffers":
        return bool(_NUMBER.match(value) if index == 0 else _SIZE.match(value)) and _above_zero(value)
    if kind == "number":
        return bool(_NUMBER.match(value)) and _within(name, int(value))
    return index > 0 or _PLAIN[kind](value)


def _above_zero(value: str) -> bool:
    return value.strip("0kKmM") != ""


def _within(name: str, number: int) -> bool:
    low, high = RANGES.get(name, (0, -1))
    return number >= low and (high < 0 or number <= high)


def _advice(name: str, kind: str) -> str:
    if kind in {"word", "words"}:
        known = WORDS.get(name) or WORDS.get(f"http/{name}") or ()
        return f"write {'one' if kind == 'word' else 'some'} of {', '.join(known)}"
    if name in RANGES:
        low, high = RANGES[name]
        return f"write a number from {low} up" if high < 0 else f"write a number from {low} to {high}"
    return _ADVICE[kind]
