"""The rule language as Traefik reads it: a Go expression of calls with string arguments, joined by `&&`, `||` and `!`.

Traefik hands a rule to github.com/vulcand/predicate, which hands it to go/parser. So Go's own rules hold: strings in
back quotes or double quotes, a trailing comma is fine, and a line may end only where no expression could end (a
newline behind `)` or a string ends the rule, as it ends a statement in Go).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lbcheck.patterns import pattern

#: Parentheses and `!` nested deeper than this are no rule that a person wrote.
_MAX_NESTING = 100


class Call(NamedTuple):
    """One matcher with its arguments; `start` and `end` are its place in the rule's text."""

    name: str
    arguments: tuple[str, ...]
    negated: bool
    start: int
    end: int


class Both(NamedTuple):
    """All of the parts must hold."""

    parts: tuple[Expression, ...]


class Either(NamedTuple):
    """One of the parts must hold."""

    parts: tuple[Expression, ...]


Expression = Call | Both | Either


class RuleError(Exception):
    """A rule that Traefik refuses: what is wrong, where in its text, and what to write instead."""

    def __init__(self, at: int, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.at = at
        self.problem = problem
        self.advice = advice


_TOKEN = pattern(
    r"""(?P<blank>[ \t\r]+)
      | (?P<line>\n)
      | (?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<name>[^\W\d]\w*)
      | (?P<raw>`[^`]*`)
      | (?P<quoted>"(?:[^"\\\n]|\\.)*")
      | (?P<sign>&&|\|\||[!(),])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = pattern(r'\\(?:([abfnrtv\\"])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))')
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}

#: (kind, text, start, end); kind is "name", "string", "line" (an end of line that ends an expression) or the sign.
_Token = tuple[str, str, int, int]


def parse(text: str) -> Expression:
    """Return the expression of a rule, negations pushed down to its matchers. Raises RuleError."""
    return _Reader(_tokens(text), len(text)).whole()


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unquoted_argument(text, at, found) or _unreadable(text, at)
        kind, word = match.lastgroup or "", match[0]
        end = match.end()
        if kind == "line":
            if found and found[-1][0] in ("name", "string", ")"):
                found.append(("line", word, at, end))
        elif kind == "raw":
            found.append(("string", word[1:-1].replace("\r", ""), at, end))
        elif kind == "quoted":
            found.append(("string", _unquoted(word[1:-1], at + 1), at, end))
        elif kind == "name":
            found.append(("name", word, at, end))
        elif kind == "sign":
            found.append((word, word, at, end))
        at = end
    while found and found[-1][0] == "line":
        found.pop()
    return found


def _unreadable(text: str, at: int) -> RuleError:
    char = text[at]
    if char in '`"':
        return RuleError(at, "this quote is never closed", "close the quote")
    if char == "'":
        return RuleError(at, "single quotes make no text in a rule", "write back quotes: Host(`example.com`)")
    if char in "&|":
        return RuleError(at, f"a single {char} joins nothing", f"write {char}{char}")
    return RuleError(at, f"{char} means nothing in a rule", "write matchers such as Host(`example.com`)")


def _unquoted_argument(text: str, at: int, found: list[_Token]) -> RuleError | None:
    """Return what is said of Host(example.com) and HostSNI(*): a text is due, and it is not one sign that is wrong."""
    kinds = [token[0] for token in found[-3:]]
    if kinds[-2:] in (["(", "name"], [",", "name"]):
        start = found[-1][2]
    elif text[at] not in "`\"'&|" and (kinds[-2:] == ["name", "("] or kinds[-1:] == [","]):
        start = at
    else:
        return None
    word = re.split(r"[,)\s]", text[start:], maxsplit=1)[0]
    return RuleError(start, f"{word[:60]} is no text", "write the arguments in back quotes")


def _unquoted(text: str, start: int) -> str:
    pieces: list[str] = []
    at = 0
    while (slash := text.find("\\", at)) >= 0:
        match = _ESCAPE.match(text, slash)
        if match is None:
            raise RuleError(start + slash, f"{text[slash : slash + 2]} is no escape", "use back quotes")
        simple, octal, *coded = match.groups()
        number = int(octal, 8) if octal else next((int(digits, 16) for digits in coded if digits), 0)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF or (octal and number > 255):
            raise RuleError(start + slash, f"{match[0]} is no character", "write the character itself")
        pieces += (text[at:slash], _SIMPLE[simple] if simple else chr(number))
        at = match.end()
    return "".join(pieces) + text[at:]


class _Reader:
    """Go's precedence: `!` before `&&` before `||`."""

    __slots__ = ("_at", "_depth", "_end", "_tokens")

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self._tokens = tokens
        self._at = 0
        self._end = end
        self._depth = 0

    def whole(self) -> Expression:
        if not self._tokens:
            raise RuleError(0, "the rule is empty", "say which requests it takes: Host(`example.com`)")
        found = self._either(negated=False)
        kind, word, start, _ = self._peek()
        if kind == "line":
            raise RuleError(
                start, "the rule ends with this line", "put the && or || at the line's end, or fold the text"
            )
        if kind:
            raise RuleError(start, f"{word} stands where the rule could end", "join matchers with && or ||")
        return found

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "", self._end, self._end)

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _either(self, *, negated: bool) -> Expression:
        parts = [self._both(negated=negated)]
        while self._peek()[0] == "||":
            self._next()
            parts.append(self._both(negated=negated))
        return _joined(parts, Both if negated else Either)

    def _both(self, *, negated: bool) -> Expression:
        parts = [self._one(negated=negated)]
        while self._peek()[0] == "&&":
            self._next()
            parts.append(self._one(negated=negated))
        return _joined(parts, Either if negated else Both)

    def _one(self, *, negated: bool) -> Expression:
        kind, word, start, _ = self._next()
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise RuleError(start, f"nested deeper than {_MAX_NESTING} levels", "write it flatter")
        if kind == "!":
            found = self._one(negated=not negated)
        elif kind == "(":
            found = self._either(negated=negated)
            self._close()
        elif kind == "name":
            found = self._call(word, start, negated=negated)
        elif not kind:
            raise RuleError(start, "the rule ends where a matcher is due", "finish it")
        else:
            said = "a text" if kind == "string" else word.replace("\n", "an end of line")
            raise RuleError(start, f"{said} stands where a matcher is due", "write one such as Host(`example.com`)")
        self._depth -= 1
        return found

    def _close(self) -> None:
        kind, word, start, _ = self._next()
        if kind == "line":
            raise RuleError(start, "the line ends before its bracket is closed", "put the bracket on the same line")
        if kind != ")":
            said = f"{word} stands where ) is due" if kind else "a bracket is never closed"
            raise RuleError(start, said, "close the bracket")

    def _call(self, name: str, start: int, *, negated: bool) -> Call:
        arguments: list[str] = []
        if self._peek()[0] != "(":
            return Call(name, (), negated, start, start + len(name))  # refused where the matchers' names are known
        self._next()
        while self._peek()[0] != ")":
            kind, word, at, _ = self._next()
            if kind != "string":
                said = f"{word.strip() or 'an end of line'} is no text" if kind else "a bracket is never closed"
                raise RuleError(at, said, "write the arguments in back quotes")
            arguments.append(word)
            if self._peek()[0] != ",":
                break
            self._next()
        self._close()
        return Call(name, tuple(arguments), negated, start, self._tokens[self._at - 1][3])


def _joined(parts: list[Expression], kind: type[Both | Either]) -> Expression:
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


def calls(expression: Expression) -> list[Call]:
    """Return the matchers of an expression, in order."""
    if isinstance(expression, Call):
        return [expression]
    return [call for part in expression.parts for call in calls(part)]
