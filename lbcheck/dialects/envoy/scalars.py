"""What a scalar means to Envoy: yaml-cpp reads booleans and whole numbers, protobuf's JSON reader converts the texts.

parseYamlNode() in yaml_utility.cc takes what has quotes for a text, then tries a boolean, then a whole number in the
bases of C; all else is a text, as protobuf's JSON mapping wants large and fractional numbers. The reader of JSON turns
texts into numbers with a decimal or hexadecimal reader (no octal) and into booleans with absl's SimpleAtob().
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.dialects.yaml_nodes import ScalarNode

#: yaml-cpp's booleans: in lower case, in capitals, or with one capital.
_TRUE = frozenset({"y", "yes", "true", "on"})
_FALSE = frozenset({"n", "no", "false", "off"})
#: absl's, in any case.
_TEXT_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_TEXT_FALSE = frozenset({"false", "f", "no", "n", "0"})
_WHOLE = pattern(r"[-+]?(?:0[xX][0-9a-fA-F]+|[0-9]+)\Z")
_OCTAL = pattern(r"[-+]?0[0-7]+\Z")
_DECIMAL = pattern(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
_HEX = pattern(r"[-+]?0[xX](?:[0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?|\.[0-9a-fA-F]+)(?:[pP][-+]?[0-9]+)?\Z")
#: No number that fits is written longer.
_LONGEST = 40


def whole(node: ScalarNode) -> int | None:
    """Return the whole number that a field of that type gets; None where Envoy refuses the text."""
    read = _read(node)
    if not isinstance(read, str):
        return None if isinstance(read, bool) else read
    value = _number(read)
    return int(value) if value is not None and value.is_integer() else None


def number(node: ScalarNode) -> float | None:
    """Return the number that a field of that type gets; None where Envoy refuses the text."""
    read = _read(node)
    if not isinstance(read, str):
        return None if isinstance(read, bool) else float(read)
    return _number(read.strip())


def truth(node: ScalarNode) -> bool | None:
    """Return the boolean that a field of that type gets; None where Envoy refuses the text."""
    read = _read(node)
    if not isinstance(read, str):
        return read if isinstance(read, bool) else None
    text = read.lower()
    return True if text in _TEXT_TRUE else False if text in _TEXT_FALSE else None


def is_text(node: ScalarNode) -> bool:
    """Say whether a field of texts takes it: a boolean and a number of 32 bits without quotes are none."""
    read = _read(node)
    return isinstance(read, str) or (not isinstance(read, bool) and not -(2**31) <= read < 2**31)


def enumerated(node: ScalarNode) -> str:
    """Return what a field with an enum gets: a word, or a number in decimal digits."""
    read = _read(node)
    return node.text if isinstance(read, bool) else str(read)


def _read(node: ScalarNode) -> bool | int | str:
    """Return what yaml-cpp makes of a scalar."""
    text = node.text
    if not node.plain or node.tag is not None or len(text) > _LONGEST:
        return text
    low = text.lower()
    if low in _TRUE or low in _FALSE:
        return low in _TRUE if text in (low, low.upper(), low.capitalize()) else text
    if not _WHOLE.match(text):
        return text
    if low.lstrip("+-").startswith("0x"):
        return _fitting(int(text, 16), text)
    if _OCTAL.match(text):
        return _fitting(int(text, 8), text)
    return text if text.lstrip("+-").startswith("0") and low.lstrip("+-") != "0" else _fitting(int(text), text)


def _fitting(value: int, text: str) -> int | str:
    """Return a number of 64 bits; a larger one stays a text."""
    return value if -(2**63) <= value < 2**63 else text


def _number(text: str) -> float | None:
    """Return what protobuf's reader of JSON makes of a text."""
    if len(text) > _LONGEST:
        return None
    if _HEX.match(text):
        return float.fromhex(text)
    if _DECIMAL.match(text):
        return float(text)
    special = text.lower().lstrip("+-")
    return float(text) if special in ("inf", "infinity", "nan") else None
