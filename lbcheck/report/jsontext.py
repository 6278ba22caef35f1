"""JSON text in ASCII, valid for strict readers: neither raw control characters nor lone surrogates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.report.escape import valid

if TYPE_CHECKING:
    from collections.abc import Iterable


def dumps(value: object) -> str:
    """Return a value as JSON in one line.

    Python would write a lone surrogate as an escape that strict readers (jq, Go, Rust) refuse or replace, so it is
    written by name: see `escape.valid`.
    """
    import json

    text = json.dumps(value)
    return json.dumps(_valid(value)) if "\\ud" in text else text


def listed(values: list[dict[str, Any]]) -> str:
    """Return a JSON array with one element a line, for greps and diffs."""
    return "[\n" + ",\n".join([dumps(value) for value in values]) + "\n]" if values else "[]"


def lines(members: Iterable[tuple[str, str]]) -> str:
    """Return a JSON object with one member a line, from names and values that are JSON already."""
    return "{\n" + ",\n".join([f'"{key}": {text}' for key, text in members]) + "\n}"


def _valid(value: object) -> object:
    if isinstance(value, str):
        return valid(value)
    if isinstance(value, dict):
        return {valid(key): _valid(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_valid(item) for item in value]
    return value
