"""What a YAML scalar means: the core schema of YAML 1.2, and text wherever versions of YAML disagree.

`on`, `yes`, `010` and `22:30` are a boolean, eight and 1,350 to YAML 1.1 readers; here they stay the text that
somebody wrote. A number too long to be one stays text as well.
"""

from __future__ import annotations

from typing import Any

from lbcheck.patterns import pattern

_WORDS: dict[str, bool | float | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    ".nan": float("nan"),
    ".NaN": float("nan"),
    ".NAN": float("nan"),
}
for _sign, _value in (("", "inf"), ("+", "inf"), ("-", "-inf")):
    for _word in (".inf", ".Inf", ".INF"):
        _WORDS[_sign + _word] = float(_value)

_INTEGER = pattern(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_BASED = pattern(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = pattern(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
#: What a number or a word of the core schema begins with; anything else is text without a closer look.
_LIKELY = frozenset("0123456789+-.~nNtTfF")
#: Digits of the longest number that is read as one.
_MAX_DIGITS = 300

_TAG = "tag:yaml.org,2002:"
_FITS: dict[str, tuple[type, ...]] = {"null": (type(None),), "bool": (bool,), "int": (int,), "float": (int, float)}


def resolve(text: str, tag: str | None = None, *, plain: bool = True) -> Any:
    """Return the value of a scalar: None, a boolean, an int, a float or text. `plain`: it stands without quotes.

    Of explicit tags, the core schema's own count; a value that its tag does not fit stays text, and other tags
    are left to the reader.
    """
    if tag is None:
        return _plain(text) if plain else text
    if tag.startswith(_TAG):
        value = _plain(text)
        fits = _FITS.get(tag[len(_TAG) :])
        if fits is not None and type(value) in fits:
            return value
    return text


def _plain(text: str) -> Any:
    if (text and text[0] not in _LIKELY) or len(text) > _MAX_DIGITS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        return float(text)
    return text
