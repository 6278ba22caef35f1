"""Guarded YAML: a node tree with exact places from PyYAML's events, whatever the text.

PyYAML's own constructors lose places and duplicate keys, read `on` as a boolean, and its C composer dies on 50,000
open brackets. Events do not. Depth, size and alias expansion are bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.dialects.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode
from lbcheck.files import MAX_DEPTH
from lbcheck.findings import Hit, Related
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.text import Source

#: How many values aliases may stand for, in all.
MAX_EXPANSION = 100_000
#: How many values one file may hold.
MAX_NODES = 2_000_000

#: What YAML does not allow in a text (5.1 of its specification). A byte that is not UTF-8 is a lone surrogate here.
_FORBIDDEN = pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


#: The end of an IPv6 address in a flow list, `[2001:db8::]`. Go's readers take it for text, libyaml for an error.
_ADDRESS_END = pattern(r"(?<=:):(?=[ \t]*[,\]}])")
#: What stands for that colon while libyaml reads, and in no text that is YAML's.
_COLON = "\ue03a"


class Stream:
    """What a text holds: the root nodes of its documents, and the findings about it. An empty document has no root."""

    __slots__ = ("documents", "hits")

    def __init__(self) -> None:
        self.documents: list[Node] = []
        self.hits: list[Hit] = []


class _Problem(Exception):  # noqa: N818 - not an error of ours, a finding on its way
    """What stops the reading of a text."""

    def __init__(self, code: str, start: int, problem: str, advice: str, begins: int | None = None) -> None:
        super().__init__(problem)
        self.code = code
        self.start = start
        self.problem = problem
        self.advice = advice
        self.begins = begins


def read(source: Source, text: str | None = None) -> Stream:
    """Return the documents of a text, up to the first thing that is not YAML or beyond a limit; never raises.

    `text` is read in place of the source's own: one of the same length, in which something is blanked out.
    """
    stream = Stream()
    try:
        _check_characters(source.text)
        _build(source, stream, source.text if text is None else text)
    except _Problem as problem:
        stream.hits.append(_hit(source, problem))
    return stream


def _build(source: Source, stream: Stream, text: str) -> None:
    """Add the documents of a text, in a second attempt with addresses that end in colons. Raises _Problem."""
    try:
        _Builder(source, stream.documents).run(text)
    except _Problem as problem:
        if "unexpected ':'" not in problem.problem or _COLON in text:
            raise
        stream.documents.clear()
        _Builder(source, stream.documents).run(_ADDRESS_END.sub(_COLON, text))


def _check_characters(text: str) -> None:
    found = _FORBIDDEN.search(text)
    if found is None:
        return
    code = ord(found[0])
    what = f"the byte 0x{code - 0xDC00:02x}, which is not UTF-8" if 0xDC80 <= code <= 0xDCFF else f"U+{code:04X}"
    raise _Problem("E01", found.start(), f"YAML allows no {what}", "remove it, or save the file as UTF-8 text")


def _hit(source: Source, problem: _Problem) -> Hit:
    start = min(problem.start, len(source.text))
    end = min(start + 1, len(source.text))
    related = []
    if problem.begins is not None and problem.begins != start:
        begins = min(problem.begins, len(source.text))
        related.append(Related(source.span(begins, begins), "what it belongs to begins here"))
    args = {"problem": problem.problem, "advice": problem.advice}
    return Hit(problem.code, source.span(start, end), args, related=related)


class _Open:
    """A list or mapping whose end has not come yet, and what it holds so far."""

    __slots__ = ("anchor", "end", "height", "key", "node", "size")

    def __init__(self, node: SequenceNode | MappingNode, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.key: Node | None = None
        self.end = node.end
        self.size = 1
        self.height = 1


class _Builder:
    """Turns events into nodes. `size` and `height` of a node count what its aliases stand for."""

    __slots__ = ("_anchors", "_documents", "_expanded", "_open", "_replaced", "_shift", "_source", "_total")

    def __init__(self, source: Source, documents: list[Node]) -> None:
        self._source = source
        self._documents = documents
        #: A byte-order mark is no part of the document, but of the offsets.
        self._shift = int(source.text.startswith("\ufeff"))
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}
        self._expanded = 0
        self._total = 0
        self._replaced = False

    def run(self, text: str) -> None:
        """Read all documents of a text. Raises _Problem."""
        self._replaced = _COLON in text
        import yaml

        make = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        handlers: dict[type, Any] = {
            yaml.ScalarEvent: self._scalar,
            yaml.SequenceStartEvent: self._sequence,
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceEndEvent: self._close,
            yaml.MappingEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        try:
            loader = make(text[self._shift :])
            following, end = loader.get_event, yaml.StreamEndEvent  # yaml.parse() asks first whether there is one
            try:
                while (event := following()).__class__ is not end:
                    handler = handlers.get(event.__class__)
                    if handler is not None:
                        handler(event)
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            raise _marked(error, self._source.text, self._shift, self._bracket()) from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            at = getattr(error, "position", None)
            where = at + self._shift if isinstance(at, int) else 0
            raise _Problem("E01", where, _plain_words(error), "mend the text around this place") from None

    def _bracket(self) -> int | None:
        """Return where the innermost bracket stands that is still open."""
        starts = (one.node.start for one in reversed(self._open))
        return next((start for start in starts if self._source.text[start] in "[{"), None)

    def _document(self, _event: Any) -> None:
        self._anchors.clear()

    def _scalar(self, event: Any) -> None:
        tag = event.tag
        if tag == "!":
            tag = "tag:yaml.org,2002:str"
        shift = self._shift
        start, end = event.start_mark.index + shift, event.end_mark.index + shift
        text = event.value
        if self._replaced and _COLON in text:
            text = text.replace(_COLON, ":")
        node = ScalarNode(self._source, start, end, tag, text, plain=not event.style)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, 1, 1)
        self._add(node, end, 1, 1)

    def _sequence(self, event: Any) -> None:
        start, end = event.start_mark.index + self._shift, event.end_mark.index + self._shift
        self._begin(SequenceNode(self._source, start, end, event.tag), event.anchor)

    def _mapping(self, event: Any) -> None:
        start, end = event.start_mark.index + self._shift, event.end_mark.index + self._shift
        self._begin(MappingNode(self._source, start, end, event.tag), event.anchor)

    def _begin(self, node: SequenceNode | MappingNode, anchor: str | None) -> None:
        self._check_depth(node.start, 1)
        if anchor is not None:
            self._anchors[anchor] = None
        self._open.append(_Open(node, anchor))

    def _close(self, event: Any) -> None:
        done = self._open.pop()
        node = done.node
        bracket = event.end_mark.index > event.start_mark.index  # else a block, which ends where its last value does
        node.end = event.end_mark.index + self._shift if bracket else done.end
        if done.anchor is not None:
            self._anchors[done.anchor] = (node, done.size, done.height)
        self._add(node, node.end, done.size, done.height)

    def _alias(self, event: Any) -> None:
        start = event.start_mark.index + self._shift
        if event.anchor not in self._anchors:
            raise _Problem("E01", start, f"there is no anchor &{event.anchor} above", "name an anchor of this document")
        known = self._anchors[event.anchor]
        if known is None:
            raise _Problem("E01", start, f"*{event.anchor} stands inside &{event.anchor}", "write the value out")
        node, size, height = known
        self._expanded += size
        if self._expanded > MAX_EXPANSION:
            problem = f"aliases stand for more than the limit of {MAX_EXPANSION:,} values"
            raise _Problem("E04", start, problem, "write fewer of them, or split the file")
        self._check_depth(start, height)
        self._add(node, event.end_mark.index + self._shift, size, height)

    def _check_depth(self, start: int, height: int) -> None:
        if len(self._open) + height > MAX_DEPTH:
            raise _too_deep(start)

    def _add(self, node: Node, end: int, size: int, height: int) -> None:
        self._total += 1
        if self._total > MAX_NODES:
            problem = f"the file holds more than the limit of {MAX_NODES:,} values"
            raise _Problem("E04", node.start, problem, "split the file")
        if not self._open:
            self._documents.append(node)
            return
        holder = self._open[-1]
        holder.end = end
        holder.size += size
        if height >= holder.height:
            holder.height = height + 1
        inside = holder.node
        if inside.__class__ is SequenceNode:
            inside.items.append(node)
        elif holder.key is None:
            holder.key = node
        else:
            inside.pairs.append((holder.key, node))  # type: ignore[union-attr]
            holder.key = None


def _too_deep(start: int) -> _Problem:
    return _Problem("E04", start, f"nested deeper than the limit of {MAX_DEPTH} levels", "write it flatter")


def _plain_words(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


#: How libyaml and PyYAML name an error, and what to do about it.
_ADVICE = {
    "mapping values are not allowed": "put quotes around a value that holds a colon, or mend the indentation",
    "did not find expected key": "line this up with the keys above, or mend the line before",
    "could not find expected ':'": "write a colon and a space behind the key",
    "did not find expected ',' or": "close the bracket, or write the missing comma",
    "did not find expected '-'": "line this up with the list above",
    "expected <block end>": "line this up with the lines above",
    "expected ',' or": "close the bracket, or write the missing comma",
    "found undefined tag handle": "drop the tag, or put quotes around a value that begins with !",
    "found unknown escape": "write the backslash twice, or use single quotes",
    "block sequence entries are not allowed": "begin the list on a line of its own",
}


def _marked(error: Any, text: str, shift: int, bracket: int | None) -> _Problem:
    """Return the problem that PyYAML or libyaml found, with its place and what to write instead."""
    mark = error.problem_mark or error.context_mark
    at = min(mark.index + shift, len(text)) if mark is not None else 0
    begins = error.context_mark.index + shift if error.context_mark is not None else None
    words = error.problem or "not YAML"
    if "exceeded maximum" in words:  # libyaml's own bound on brackets, met while it looks ahead
        return _too_deep(at)
    if at >= len(text.rstrip()):  # what is never closed is best seen where it opens
        if begins is not None and "end of stream" in words:
            return _Problem("E01", begins, "this quote is never closed", "close the quote")
        if bracket is not None:
            return _Problem("E01", bracket, "this bracket is never closed", "close the bracket")
    char = text[at : at + 1]
    if char == "\t":
        return _Problem("E01", at, "a tab stands where YAML wants spaces", "indent with spaces")
    if char and "cannot start any token" in words:
        return _Problem("E01", at, f"a value cannot begin with {char}", "put quotes around it")
    problem = f"{error.context}: {words}" if error.context else words
    advice = next((advice for start, advice in _ADVICE.items() if start in words), "mend the text around this place")
    return _Problem("E01", at, problem, advice, begins)
