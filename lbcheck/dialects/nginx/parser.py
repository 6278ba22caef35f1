"""Text → tree, in one pass and without recursion.

A simple line (`server 10.0.0.1:80 weight=5;`) is cut by one regular expression and `str.split`; everything else goes
token by token. The two give the same tree, which the tests hold.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.nginx.lexer import TOKEN, unescape
from lbcheck.dialects.nginx.templates import OTHER_BRANCH, TORN, UNKNOWN_TEXT, mask, some_text, unread
from lbcheck.dialects.nginx.tree import Directive, Fault, Tree, lua_end
from lbcheck.files import MAX_DEPTH
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.text import Source

#: A directive on one line without quotes, variables, escapes or comments: 1 its words, 2 what ends it. Or: 3 `}`.
#: Only ASCII, for `str.split` would cut at blanks that nginx does not know.
_SIMPLE = re.compile(
    r"[ \t\r\n]*(?:([A-Za-z0-9_~^=./*:][!%&()*+,\-./0-9:<=>?@A-Z\[\]^_`a-z|~ \t]*+)([;{])|(\})|(?:\#[^\n]*\n))"
)
_BLANK_END = pattern(r"[ \t\r\n]*\Z")
#: Behind a template's expression that stands for whole directives.
_STATEMENT_END = pattern(r"[ \t\r]*(?:\n|\#|\}|\Z)")


class _Parser:
    """The state of one pass: where it is, and the blocks that are open."""

    __slots__ = ("at", "children", "end", "faults", "gaps", "source", "stack", "template", "text", "top")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.text = mask(source.text)
        self.template = self.text != source.text
        self.at = start
        self.end = end
        self.top: list[Directive] = []
        self.children = self.top
        self.stack: list[Directive] = []
        self.faults: list[Fault] = []
        self.gaps: list[tuple[int, int, str]] = []

    def run(self) -> None:
        simple, text, end = _SIMPLE.match, self.text, self.end
        source = self.source
        while True:
            match = simple(text, self.at, end)
            if match is None:
                if not self.statement():
                    return
                continue
            group = match.lastindex
            if group == 2:
                parts = match[1].split()
                start = match.start(1)
                directive = Directive(source, parts[0], parts[1:], start, start + len(match[1].rstrip()))
                self.at = directive.close = match.end()
                if match[2] == "{":
                    if not self.open(directive):
                        return
                else:
                    self.children.append(directive)
            else:
                self.at = match.end()
                if group == 3 and not self.close(match.start(3)):
                    return

    def open(self, directive: Directive) -> bool:
        """Begin a block; False where the reading has to stop."""
        self.children.append(directive)
        directive.children = []
        if directive.name.endswith("_by_lua_block"):
            return self.lua(directive)
        if len(self.stack) >= MAX_DEPTH:
            self.fault(
                directive.start,
                directive.end,
                f"blocks are nested more than {MAX_DEPTH} deep",
                "nest fewer blocks",
                "E04",
            )
            return False
        self.stack.append(directive)
        self.children = directive.children
        return True

    def lua(self, directive: Directive) -> bool:
        closing = lua_end(self.text, self.at)
        if closing < 0 or closing >= self.end:
            self.fault(
                directive.start,
                directive.end,
                f"the Lua block of `{directive.name}` is not closed",
                "close it with `}`",
            )
            return False
        directive.raw = self.source.text[self.at : closing]
        self.at = directive.close = closing + 1
        return True

    def close(self, at: int) -> bool:
        """End the innermost block; False where there is none."""
        if not self.stack:
            self.fault(
                at, at + 1, 'unexpected "}": no block is open here', "delete it, or open the block that it closes"
            )
            return False
        directive = self.stack.pop()
        directive.close = at + 1
        self.children = (self.stack[-1].children or []) if self.stack else self.top
        return True

    def suspect(self) -> Directive | None:
        """Return the first block whose `}` stands further left than itself: most likely another one lacks its `}`."""
        left_open = set(map(id, self.stack))
        blocks = (one for one in Tree(self.source, self.top, []).all() if one.children is not None and one.raw is None)
        closed = sorted((one for one in blocks if id(one) not in left_open), key=lambda one: one.close)
        return next((one for one in closed if self.indent(one.close - 1) < self.indent(one.start)), None)

    def indent(self, at: int) -> int:
        """Return the width of the blanks before the first character of the line; a large number within a line."""
        start = self.text.rfind("\n", 0, at) + 1
        before = self.text[start:at]
        return len(before) if not before.strip() else 1_000_000

    def statement(self) -> bool:
        """Read one directive, block opening or `}` by tokens; False at the end or where the reading has to stop."""
        text, end = self.text, self.end
        parts: list[str] = []
        first = last = self.at
        while True:
            match = TOKEN.match(text, self.at, end)
            if match is None:
                return self.at_end(parts, first, last)
            group = match.lastindex or 0
            start = match.start(group) - (group in {3, 4})
            if group == 2:
                return self.punctuation(match[2], start, parts, first, last)
            self.at = match.end()
            if group == 1:
                continue
            if not parts:
                first = start
            parts.append(unescape(match[group]))
            last = self.at
            if len(parts) == 1 and some_text(parts[0]) and _STATEMENT_END.match(text, self.at, end):
                self.children.append(Directive(self.source, parts[0], [], first, last))
                self.gaps.append((first, last, UNKNOWN_TEXT))
                return True
            if group < 5 and self.at < end and text[self.at] not in " \t\r\n;{)":
                self.fault(
                    self.at,
                    self.at + 1,
                    f'unexpected "{text[self.at]}" after a closing quote',
                    "leave a blank behind the quote",
                )
                return False

    def punctuation(self, mark: str, start: int, parts: list[str], first: int, last: int) -> bool:
        self.at = start + 1
        if mark == "}":
            if parts:
                self.fault(
                    first, last, f'`{parts[0]}` is not ended by ";": nginx stops at the "}}" behind it',
                    'write ";" at its end',
                    related=(start, start + 1, 'nginx stops here: unexpected "}"'),
                )  # fmt: skip
                return False
            return self.close(start)
        if not parts:
            self.fault(start, start + 1, f'unexpected "{mark}"', "write the directive's name before it, or delete it")
            return False
        directive = Directive(self.source, parts[0], parts[1:], first, last)
        directive.close = self.at
        if mark == "{":
            return self.open(directive)
        self.children.append(directive)
        return True

    def at_end(self, parts: list[str], first: int, last: int) -> bool:
        text, end = self.text, self.end
        blank = _BLANK_END.match(text, self.at, end)
        last_place = (end, end, "the file ends here")
        if blank is None:
            quote = re.compile(r"[ \t\r\n]*").match(text, self.at, end)
            at = quote.end() if quote else self.at
            what = "quote" if text[at] in "\"'" else "escape"
            self.fault(
                at, at + 1, f"the {what} that begins here is not closed", f"close the {what}", related=last_place
            )
        elif parts:
            self.fault(
                first, last, f'`{parts[0]}` is not ended by ";" or "{{"', 'write ";" at its end', related=last_place
            )
        elif self.stack:
            opener = self.suspect() or self.stack[-1]
            line = self.source.position(opener.start)[0]
            self.fault(
                opener.start, opener.end, f"the block `{opener.name}` that opens on line {line} is not closed",
                'write the missing "}"', related=last_place,
            )  # fmt: skip
        return False

    def fault(
        self, start: int, end: int, problem: str, advice: str, code: str = "E01",
        *, related: tuple[int, int, str] | None = None,
    ) -> None:  # fmt: skip
        if self.template and code == "E01" and self.unsure(start, related):
            self.gaps.append((start, end, TORN))
        else:
            self.faults.append(Fault(start, end, problem, advice, related, code))

    def unsure(self, start: int, related: tuple[int, int, str] | None) -> bool:
        """Say whether a template's tags may explain a fault: all but a plain directive that lacks its `;`."""
        if related is None or self.text[related[0] : related[1]] != "}":
            return True
        return self.text[start : related[0]] != self.source.text[start : related[0]]


def parse(source: Source, start: int = 0, end: int | None = None) -> Tree:
    """Return the tree of source.text[start:end]; never raises."""
    parser = _Parser(source, start, len(source.text) if end is None else end)
    if source.text.startswith("\ufeff", start):
        if not parser.template:  # an engine may well take it off
            parser.fault(
                start, start + 1,
                "the file begins with a byte order mark, which nginx takes for a part of the first word",
                "save the file as UTF-8 without BOM",
            )  # fmt: skip
        parser.at += 1
    parser.run()
    if parser.template:
        cut = (gap for gap in unread(source.text) if start <= gap[0] < parser.end)
        parser.gaps.extend((begin, stop, OTHER_BRANCH) for begin, stop in cut)
    return Tree(source, parser.top, parser.faults, sorted(parser.gaps))
