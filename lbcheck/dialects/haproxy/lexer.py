"""Text into lines of words, as haproxy splits them (`parse_line` in src/tools.c, `readcfgfile` in src/cfgparse.c).

A line without quote, backslash, comment or `$` is split by str methods; only the others are scanned by character.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.tree import NOT_OPAQUE, Document, Line, Mistake
from lbcheck.text import Span

if TYPE_CHECKING:
    from lbcheck.text import Source

#: haproxy refuses a line of more words (MAX_LINE_ARGS).
MAX_WORDS = 64

#: What makes a line need the careful scan; the second half is blank to str.split and a plain letter to haproxy.
_CAREFUL = re.compile(
    "[\"'\\\\#$\\x00\\r\\x1c-\\x1f\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]"
)


def _template(opening: str, closing: str) -> str:
    """Return a template without another one inside: a text of openings only is still read in one pass.

    What it quotes, as in `{{ "{{" }}`, opens nothing. Each part is atomic, not their repetition: Python up to 3.11.4
    fails on a possessive group whose parts can be matched in several ways (its issue 106052).
    """
    part = rf"""[^"'{{}}%#<>\n]++|"[^"}}>\n]*+"|'[^'}}>\n]*+'|(?!{opening}|{closing})."""
    return f"{opening}(?:(?>{part}))*{closing}"


#: Values and statements of Jinja, Go templates and ERB.
_TEMPLATE = "|".join(
    (_template(r"\{\{", r"\}\}"), _template(r"\{%", r"%\}"), _template(r"\{#", r"#\}"), _template("<%", "%>"))
)
_TEMPLATED = re.compile(_TEMPLATE)
_OPENINGS = ("{{", "{%", "{#", "<%")
#: Statements decide about lines instead of giving a value.
_STATEMENT = re.compile(
    "|".join(
        (
            _template(r"\{[%#]", r"[%#]\}"),
            _template("<%(?!=)", "%>"),
            _template(r"\{\{(?=[-~]?\s*+(?:[#/^>!]|(?:if|else|end|range|with|define|template|block)\b))", r"\}\}"),
        )
    )
)
_LEADING = re.compile("[ \t\v\f\r]*")
_GAP = re.compile("[ \t\v\f][ \t\v\f\r]*")

_ESCAPE = r"(?P<escape>\\(?:x[0-9a-fA-F]{2}|[ \\tnr#'\"]))|(?P<hex>\\x)|(?P<backslash>\\)"
_MACRO = r"(?P<macro>\$(?:\{[A-Za-z_.][^}\s]*\}|[A-Za-z_]\w*))|(?P<dollar>\$)"
_OUTSIDE = rf"(?P<text>[^ \t\v\f\r\x00\"'\\#$]+)|(?P<quote>[\"'])|{_ESCAPE}|{_MACRO}"
_TEMPLATED_TEXT = rf"(?P<text>(?:(?!{_TEMPLATE})[^ \t\v\f\r\x00\"'\\#$])+)"
_OUTSIDE_TEMPLATED = rf"(?P<template>{_TEMPLATE})|{_TEMPLATED_TEXT}|(?P<quote>[\"'])|{_ESCAPE}|{_MACRO}"
_VARIABLE = r"\$(?:\{\.?[A-Za-z_]\w*(?:\[\*\])?(?:-[^}\r\x00]*)?\}|\.?[A-Za-z_]\w*)"
_DOUBLE = rf"(?P<text>[^\r\x00\"\\$]+)|(?P<quote>\")|(?P<dollar>\\\$)|{_ESCAPE}|(?P<macro>{_VARIABLE})|(?P<bad>\$)"
_SINGLE = r"(?P<text>[^\r\x00']+)|(?P<quote>')"
_PIECES = {"": re.compile(_OUTSIDE), '"': re.compile(_DOUBLE), "'": re.compile(_SINGLE)}
_PIECES_TEMPLATED = {**_PIECES, "": re.compile(_OUTSIDE_TEMPLATED)}
_SIMPLE = r"[^\s\"'\\#$\x00\x1c-\x1f]++|\"[^\"\\$\r\x00]*+\"|'[^'\r\x00]*+'"
_WORD = re.compile(_SIMPLE, re.ASCII)
#: A line of such words only, up to a comment.
_QUOTED = re.compile(rf"(?>[ \t]*+(?:{_SIMPLE})(?=[ \t#]|\r?$))*+[ \t]*+(?=#|\r?$)", re.ASCII)
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r"}


def scan(source: Source) -> Document:
    """Split a source into lines of words. Never raises; what haproxy refuses becomes a mistake of the document."""
    document = Document(source)
    text = source.text
    templated = any(opening in text for opening in _OPENINGS) and _TEMPLATED.search(text) is not None
    careful = _CAREFUL.search
    append = document.lines.append
    start = 0
    for raw in text.split("\n"):
        special = careful(raw)
        plain = raw if special is None else _plain(raw, special.start())
        if plain is None or templated:
            _careful_line(document, start, start + len(raw), templated=templated)
        elif words := plain.split():
            first = start + plain.find(words[0])
            line = Line(source, first, start + len(plain.rstrip()), words)
            if len(words) <= MAX_WORDS:
                append(line)
            else:
                _too_many(document, line)
        start += len(raw) + 1
    if text and not text.endswith("\n"):
        _no_line_end(document)
    return document


def _plain(raw: str, at: int) -> str | None:
    """Return the part of a line that can be split at blanks, if its first special character ends it; None if not."""
    if (raw[at] == "#" and "\0" not in raw) or (raw[at] == "\r" and at == len(raw) - 1):
        return raw[:at]
    return None


def _careful_line(document: Document, start: int, end: int, *, templated: bool) -> None:
    text = document.source.text
    nul = text.find("\0", start, end)
    if nul >= 0:
        _mistake(document, nul, nul + 1, "a NUL character, at which haproxy stops reading", "remove the character")
    at = _LEADING.match(text, start, end).end()  # type: ignore[union-attr]  # it matches the empty string too
    if at == end or text[at] == "#":
        return
    if templated and (statements := list(_STATEMENT.finditer(text, at, end))):
        document.controls.append(Span(document.source, statements[0].start(), statements[-1].end()))
        if not _STATEMENT.sub("", text[at:end]).strip():
            return
    if not templated and (quoted := _QUOTED.match(text, at, end)):
        _quoted_line(document, at, quoted.end())
        return
    words = _Words(document, at, end, templated=templated)
    if not words.scan() or not words.values or not words.values[0]:
        return
    line = Line(document.source, words.starts[0], words.ends[-1], words.values)
    line.place(words.starts, words.ends, frozenset(words.opaque))
    line.expands = words.expands
    if len(words.values) <= MAX_WORDS:
        document.lines.append(line)
    else:
        _too_many(document, line)


def _quoted_line(document: Document, start: int, end: int) -> None:
    """Read a line whose words are plain or quoted as a whole, without a variable or an escape."""
    values: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _WORD.finditer(document.source.text, start, end):
        word = match[0]
        values.append(word[1:-1] if word[0] in "\"'" else word)
        starts.append(match.start())
        ends.append(match.end())
    if not values or not values[0]:
        return
    line = Line(document.source, starts[0], ends[-1], values)
    line.place(starts, ends, NOT_OPAQUE)
    if len(values) <= MAX_WORDS:
        document.lines.append(line)
    else:
        _too_many(document, line)


class _Words:
    """The words of one line while they are scanned; a class because quotes, place and result change together."""

    __slots__ = ("document", "end", "ends", "expands", "opaque", "pieces", "starts", "templated", "text", "values")

    def __init__(self, document: Document, at: int, end: int, *, templated: bool) -> None:
        self.document = document
        self.text = document.source.text
        self.starts = [at]
        self.end = end
        self.templated = templated
        self.pieces = _PIECES_TEMPLATED if templated else _PIECES
        self.values: list[str] = []
        self.ends: list[int] = []
        self.opaque: set[int] = set()
        self.expands = False

    def scan(self) -> bool:
        """Fill the lists; False where haproxy refuses the line."""
        at = self.starts.pop()
        while at < self.end and self.text[at] not in "#\r\0":
            self.starts.append(at)
            after = self._word(at)
            if after < 0:
                return False
            self.ends.append(after)
            gap = _GAP.match(self.text, after, self.end)
            if gap is None:
                break
            at = gap.end()
        return True

    def _word(self, at: int) -> int:
        """Read one word and return where it ends, or -1 after noting what haproxy refuses in it."""
        parts: list[str] = []
        quote = ""
        opened = at
        while match := self.pieces[quote].match(self.text, at, self.end):
            kind = match.lastgroup
            piece = match[0]
            if kind == "quote":
                quote = "" if quote else piece
                opened = at
            elif kind in ("bad", "hex"):
                return self._refuse(kind, at, quote)
            else:
                parts.append(self._value(kind, piece))
            at = match.end()
        if quote:
            return self._refuse("quote", opened, quote)
        self.values.append("".join(parts))
        if self.templated and _TEMPLATED.search(self.text, self.starts[-1], at):
            self.opaque.add(len(self.values) - 1)
        return at

    def _value(self, kind: str | None, piece: str) -> str:
        if kind == "escape":
            return _unescaped(piece)
        if kind in ("macro", "template"):
            self.opaque.add(len(self.values))
            self.expands |= "[*]" in piece or _STATEMENT.match(piece) is not None
        return piece[1:] if kind == "dollar" and len(piece) > 1 else piece

    def _refuse(self, kind: str, at: int, quote: str) -> int:
        problem, advice = {
            "quote": (f"the quote {quote} is never closed", f"close it with another {quote}, or write \\{quote}"),
            "hex": ("'\\x' without two hexadecimal digits behind it", "write two digits, or '\\\\x' for a backslash"),
            "bad": (
                "inside double quotes, '$' begins the name of an environment variable, and none follows",
                "write '\\$', or use single quotes",
            ),
        }[kind]
        _mistake(self.document, at, min(at + len(quote or "xx"), self.end), problem, advice)
        return -1


def _unescaped(piece: str) -> str:
    if piece[1] != "x":
        return _ESCAPED.get(piece[1], piece[1])
    code = ord(bytes.fromhex(piece[2:]))
    return chr(code) if code < 0x80 else chr(0xDC00 + code)  # a byte that is no UTF-8 by itself


def _mistake(document: Document, start: int, end: int, problem: str, advice: str) -> None:
    document.mistakes.append(Mistake("E01", start, end, f"{problem}: haproxy refuses to start", advice))


def _too_many(document: Document, line: Line) -> None:
    problem = f"{len(line.words)} words on one line, more than the {MAX_WORDS} that haproxy takes"
    _mistake(document, line.starts()[MAX_WORDS], line.end, problem, "split it into several lines")


def _no_line_end(document: Document) -> None:
    text = document.source.text
    start = text.rfind("\n") + 1
    _mistake(
        document,
        start,
        len(text),
        "the last line has no line end, which haproxy takes for a truncated file",
        "end the file with a line break",
    )
