"""TOML as the node tree of `yaml_nodes`, with exact places, whatever the text.

The standard library's tomllib says whether a text is TOML, and where it is not, but keeps no places; tomlkit keeps the
text but gives no offsets, and takes ten times as long as tomllib (1,000 servers: 0.7 s). So tomllib judges, and the
reader below finds the places in a text that is known to be right: it needs no judgement of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects.yaml import Stream
from lbcheck.dialects.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode
from lbcheck.files import MAX_DEPTH
from lbcheck.findings import Hit
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.text import Source

_STRING = "tag:yaml.org,2002:str"
_BLANK = pattern(r"(?:[ \t]|#[^\n]*)*")
_BLANKS = pattern(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = pattern(r"[A-Za-z0-9_-]+")
_BASIC = pattern(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = pattern(r"'[^'\n]*'")
_LONG_BASIC = pattern(r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL)
_LONG_LITERAL = pattern(r"'''(?:[^']|'(?!''))*'{3,5}", re.DOTALL)
_PLAIN = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9][0-9:.Z+-]*|[^\s,\]}#=]+")
_ESCAPE = pattern(r'\\(?:([btnfre"\\])|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|[ \t]*\r?\n[ \t\r\n]*)')
_SIMPLE = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}
_NUMBER = pattern(r"[-+]?[0-9]")
_BINARY = pattern(r"0b[01]+\Z")
#: What tomllib says of TOML 1.1, which BurntSushi/toml reads from 1.6 on: line ends and a last comma in inline tables,
#: `\\e` and `\\x1b` in strings. The reader below takes exactly these.
_NEWER = ("initial character for a key part", "unclosed inline table", "unescaped '\\' in a string")
_PLACE = pattern(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")


class _UnreadableError(Exception):
    """What the reader met that it does not take; `code` is E01, or E04 beyond a limit."""

    def __init__(self, code: str, at: int) -> None:
        super().__init__()
        self.code = code
        self.at = at


def read(source: Source) -> Stream:
    """Return the document of a text, or the first thing in it that is not TOML or beyond a limit; never raises."""
    stream = Stream()
    try:
        root = _Reader(source).whole()
    except (_UnreadableError, RecursionError) as error:
        code, at = (error.code, error.at) if isinstance(error, _UnreadableError) else ("E04", 0)
        stream.hits.append(_too_deep(source, at) if code == "E04" else _refused(source) or _odd(source, at))
        return stream
    refused = _refused(source)
    if refused is not None and not str(refused.args["problem"]).endswith(_NEWER):
        stream.hits.append(refused)
    else:
        stream.documents.append(root)
    return stream


def _refused(source: Source) -> Hit | None:
    """Return what tomllib says is wrong with the text."""
    import tomllib

    text = source.text
    shift = int(text.startswith("\ufeff"))
    try:
        tomllib.loads(text[shift:])
    except (tomllib.TOMLDecodeError, ValueError) as error:
        said = str(error)
        place = _PLACE.search(said)
        at = len(text.rstrip())
        if place is not None and place[1]:
            at = source.line_start(int(place[1])) + int(place[2]) - 1
        return _wrong(source, at, (said[: place.start()] if place is not None else said)[:200])
    except RecursionError:
        return _too_deep(source, 0)
    return None


def _wrong(source: Source, at: int, said: str) -> Hit:
    at = min(at, len(source.text))
    problem = said[:1].lower() + said[1:]
    args = {"problem": f"this is not TOML: {problem}", "advice": "mend the text around this place"}
    return Hit("E01", source.span(at, min(at + 1, len(source.text))), args)


def _odd(source: Source, at: int) -> Hit:
    return _wrong(source, at, "it could not be read from here on")


def _too_deep(source: Source, at: int) -> Hit:
    problem = f"nested deeper than the limit of {MAX_DEPTH} levels"
    return Hit(
        "E04", source.span(at, min(at + 1, len(source.text))), {"problem": problem, "advice": "write it flatter"}
    )


class _Reader:
    """Reads a text that is TOML. On others it gives up, sooner or later."""

    __slots__ = ("_at", "_known", "_source", "_text")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = source.text
        self._at = int(source.text.startswith("\ufeff"))
        #: Each mapping's values by key, for a table of 10,000 is asked 10,000 times.
        self._known: dict[int, dict[str, Node]] = {}

    def whole(self) -> MappingNode:
        """Return the root mapping. Raises _UnreadableError."""
        root = table = MappingNode(self._source, self._at, len(self._text), None)
        above: list[Node] = []
        while self._skip(_BLANKS) < len(self._text):
            if self._text[self._at] == "[":
                table, above = self._header(root)
            else:
                self._pair(table)
                for one in (*above, table):
                    one.end = max(one.end, self._at)
            self._skip(_BLANK)
            if self._at < len(self._text) and self._text[self._at] not in "\r\n":
                raise _UnreadableError("E01", self._at)
        return root

    def _skip(self, blank: re.Pattern[str]) -> int:
        match = blank.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return self._at

    def _expect(self, sign: str) -> None:
        if not self._text.startswith(sign, self._at):
            raise _UnreadableError("E01", self._at)
        self._at += len(sign)

    def _header(self, root: MappingNode) -> tuple[MappingNode, list[Node]]:
        """Return the table that a header opens, and those it lies in."""
        many = self._text.startswith("[[", self._at)
        self._at += 1 + many
        keys = self._keys()
        self._expect("]]" if many else "]")
        node: MappingNode = root
        above: list[Node] = [root]
        for key in keys[:-1]:
            node = self._step(node, key, above)
            above.append(node)
        return (self._item(node, keys[-1], above) if many else self._step(node, keys[-1], above)), above

    def _step(self, node: MappingNode, key: ScalarNode, above: list[Node]) -> MappingNode:
        """Return the table below a key, the last one of an array of tables; a new one where there is none."""
        found = self._found(node, key)
        if isinstance(found, SequenceNode) and found.items:
            above.append(found)
            found = found.items[-1]
        if found is None:
            found = MappingNode(self._source, key.start, self._at, None)
            self._add(node, key, found)
        if not isinstance(found, MappingNode):
            raise _UnreadableError("E01", key.start)
        found.end = max(found.end, self._at)
        return found

    def _item(self, node: MappingNode, key: ScalarNode, above: list[Node]) -> MappingNode:
        found = self._found(node, key)
        if found is None:
            found = SequenceNode(self._source, key.start, self._at, None)
            self._add(node, key, found)
        if not isinstance(found, SequenceNode):
            raise _UnreadableError("E01", key.start)
        item = MappingNode(self._source, key.start, self._at, None)
        found.items.append(item)
        found.end = self._at
        above.append(found)
        return item

    def _found(self, node: MappingNode, key: ScalarNode) -> Node | None:
        return self._known.get(id(node), {}).get(key.text)

    def _add(self, node: MappingNode, key: ScalarNode, value: Node) -> None:
        node.pairs.append((key, value))
        self._known.setdefault(id(node), {}).setdefault(key.text, value)

    def _keys(self) -> list[ScalarNode]:
        keys = [self._key()]
        while self._text.startswith(".", self._skip(_BLANK)):
            self._at += 1
            keys.append(self._key())
            if len(keys) > MAX_DEPTH:
                raise _UnreadableError("E04", keys[0].start)
        return keys

    def _key(self) -> ScalarNode:
        start = self._skip(_BLANK)
        char = self._text[start : start + 1]
        if char in ('"', "'"):
            text = self._quoted(start)
        else:
            match = _BARE.match(self._text, start)
            if match is None:
                raise _UnreadableError("E01", start)
            text = match[0]
            self._at = match.end()
        return ScalarNode(self._source, start, self._at, None, text, plain=False)

    def _pair(self, table: MappingNode, depth: int = 0) -> None:
        keys = self._keys()
        self._expect("=")
        for key in keys[:-1]:
            table = self._step(table, key, [])
        self._skip(_BLANK)
        value = self._value(depth)
        self._add(table, keys[-1], value)
        table.end = max(table.end, self._at)

    def _value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _UnreadableError("E04", self._at)
        start = self._at
        char = self._text[start : start + 1]
        if char == "[":
            return self._array(start, depth)
        if char == "{":
            return self._inline(start, depth)
        if char in ('"', "'"):
            text = self._quoted(start)
            return ScalarNode(self._source, start, self._at, _STRING, text, plain=False)
        match = _PLAIN.match(self._text, start)
        if match is None:
            raise _UnreadableError("E01", start)
        self._at = match.end()
        return self._scalar(start, match[0])

    def _scalar(self, start: int, text: str) -> ScalarNode:
        """Return a number, a boolean or a date, in YAML's spelling."""
        plain = text in ("true", "false")
        word = text.lstrip("+-")
        if word in ("inf", "nan"):
            text, plain = text.replace("inf", ".inf") if word == "inf" else ".nan", True
        elif _NUMBER.match(text) and ":" not in text and "-" not in text[1:].replace("e-", "").replace("E-", ""):
            text, plain = _number(text), True
        return ScalarNode(self._source, start, self._at, None if plain else _STRING, text, plain=plain)

    def _array(self, start: int, depth: int) -> SequenceNode:
        node = SequenceNode(self._source, start, start, None)
        self._at += 1
        while not self._text.startswith("]", self._skip(_BLANKS)):
            node.items.append(self._value(depth + 1))
            if not self._text.startswith(",", self._skip(_BLANKS)):
                break
            self._at += 1
        self._expect("]")
        node.end = self._at
        return node

    def _inline(self, start: int, depth: int) -> MappingNode:
        node = MappingNode(self._source, start, start, None)
        self._at += 1
        while not self._text.startswith("}", self._skip(_BLANKS)):
            self._pair(node, depth + 1)
            if not self._text.startswith(",", self._skip(_BLANKS)):
                break
            self._at += 1
        self._expect("}")
        node.end = self._at
        return node

    def _quoted(self, start: int) -> str:
        sign = self._text[start]
        long = self._text.startswith(sign * 3, start)
        kinds = (_LONG_BASIC, _BASIC) if sign == '"' else (_LONG_LITERAL, _LITERAL)
        match = kinds[0 if long else 1].match(self._text, start)
        if match is None:
            raise _UnreadableError("E01", start)
        self._at = match.end()
        quotes = 3 if long else 1
        inner = match[0][quotes:-quotes]
        if long:
            inner = inner.replace("\r\n", "\n").removeprefix("\n")
        if sign == '"' and "\\" in inner:
            if "\\" in _ESCAPE.sub("", inner):
                raise _UnreadableError("E01", start)
            return _ESCAPE.sub(_unescaped, inner)
        return inner


def _number(text: str) -> str:
    """Return a number as YAML spells it; what is none stays as it is, for tomllib to refuse."""
    plain = text.replace("_", "").removeprefix("+")
    if _BINARY.match(plain):
        return str(int(plain, 0))
    return plain


def _unescaped(match: re.Match[str]) -> str:
    simple, *coded = match.groups()
    if simple:
        return _SIMPLE[simple]
    number = next((int(digits, 16) for digits in coded if digits), None)
    if number is None:  # a backslash at the line's end: the next line goes on
        return ""
    return chr(number) if number <= 0x10FFFF else "\ufffd"
