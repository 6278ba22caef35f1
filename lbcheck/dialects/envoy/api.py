"""Every message and enum of Envoy's API, version 3, as api_maker.py found them in Envoy 1.40."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


#: A number as an enum's reader takes it.
NUMBER = re.compile(r"-?[0-9]{1,10}\Z")


class Field(NamedTuple):
    """A field: its type as api.txt writes it, and the rules by which Envoy refuses a value.

    `many` is "*" where it is repeated, "%" for a map. `choice` names the oneof that it belongs to. `bounds` are pairs
    of a comparison and a number.
    """

    kind: str
    many: str
    required: bool
    least: int
    choice: str
    bounds: tuple[tuple[str, float], ...]


class Type(NamedTuple):
    """A message: its fields, and the oneofs of which one field has to be there."""

    fields: Mapping[str, Field]
    choices: tuple[str, ...]
    needed: tuple[str, ...]


@cache
def _lines() -> dict[str, str]:
    import pkgutil

    text = (pkgutil.get_data("lbcheck.dialects.envoy", "api.txt") or b"").decode()
    found = {}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        name, _, rest = rest.partition(" ")
        found[name] = f"{word} {rest}"
    return found


@cache
def message(name: str) -> Type | None:
    """Return a message by its full name; None where this version has none of it."""
    kind, _, rest = _lines().get(name, "").partition(" ")
    if kind != "message":
        return None
    fields: dict[str, Field] = {}
    choices = []
    for word in rest.split():
        if word.startswith("!"):
            choices.append(word[1:])
            continue
        field, _, described = word.partition(":")
        fields[field] = _field(described)
    needed = tuple(field for field, one in fields.items() if (one.required or one.least) and not one.choice)
    return Type(fields, tuple(choices), needed)


def _field(described: str) -> Field:
    kind, _, rules = described.partition(":")
    many = kind[0] if kind[0] in "*%" else ""
    required, least, choice, passes = False, 0, "", False
    bounds = []
    for rule in rules.split(",") if rules else ():
        if rule == "!":
            required = True
        elif rule == "?":
            passes = True
        elif rule[0] == "+":
            least = int(rule[1:])
        elif rule[0] == "o":
            choice = rule
        elif rule[0] in "<>":
            sign = rule[:2] if rule[1] == "=" else rule[0]
            bounds.append((sign, float(rule[len(sign) :])))
    return Field(kind.lstrip("*%"), many, required, 0 if passes else least, choice, tuple(bounds))


@cache
def enum(name: str) -> tuple[str, ...] | None:
    """Return the words of an enum; None where the name is none of an enum."""
    kind, _, rest = _lines().get(name, "").partition(" ")
    return tuple(word.partition("=")[0] for word in rest.split()) if kind == "enum" else None


@cache
def words(name: str) -> Mapping[str | int, str]:
    """Return the words of an enum by their own capitals and by their numbers; of two for one number the first."""
    kind, _, rest = _lines().get(name, "").partition(" ")
    found: dict[str | int, str] = {}
    for written in rest.split() if kind == "enum" else ():
        word, _, number = written.partition("=")
        found[word.upper()] = word
        found.setdefault(int(number), word)
    return found


def word(text: str, name: str) -> str | None:
    """Return the word of an enum that a text stands for; None where it has none.

    Envoy's reader of JSON takes a word in capitals or not, and a number, also as a text: "unhealthy", 2, "02". It does
    not take a number with a point, nor `-` for `_`.
    """
    known = words(name)
    return known.get(int(text)) if NUMBER.match(text) else known.get(text.upper())


@cache
def messages() -> frozenset[str]:
    """Return the full names of all messages."""
    return frozenset(name for name, line in _lines().items() if line.startswith("message"))
