"""Guarded YAML: a node tree with exact places from PyYAML's events, whatever the text.

PyYAML's own constructors lose places and duplicate keys, read `on` as a boolean, and its C composer dies on 50,000
open brackets. Events do not. Depth, size and alias expansion are bounded.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from lbcheck.dialects.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode
from lbcheck.files import MAX_DEPTH
from lbcheck.findings import Hit, Related
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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


def read_parts(source: Source, parts: Iterable[tuple[int, int]]) -> Stream:
    """Return the documents of parts of a text, each from one offset to another, as `read` does those of the whole."""
    stream = Stream()
    try:
        _check_characters(source.text)
        for start, end in parts:
            _Builder(source, stream.documents, start).run(source.text[start:end])
    except _Problem as problem:
        stream.hits.append(_hit(source, problem))
    return stream


def _build(source: Source, stream: Stream, text: str) -> None:
    """Add the documents of a text, in a second attempt with addresses that end in colons. Raises _Problem."""
    shift = int(source.text.startswith("\ufeff"))  # a byte-order mark is no part of the document, but of the offsets
    text = text[shift:]
    try:
        _Builder(source, stream.documents, shift).run(text)
    except _Problem as problem:
        if "unexpected ':'" not in problem.problem or _COLON in text:
            raise
        stream.documents.clear()
        _Builder(source, stream.documents, shift).run(_ADDRESS_END.sub(_COLON, text))


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


class _Builder:
    """Turns events into nodes: one loop, which holds what it needs in local names, since it runs for every value."""

    __slots__ = ("_anchors", "_documents", "_expanded", "_measured", "_open", "_shift", "_source")

    def __init__(self, source: Source, documents: list[Node], shift: int) -> None:
        self._source = source
        self._documents = documents
        #: Where the text that is read begins in the source's.
        self._shift = shift
        #: The lists and mappings whose end has not come yet, each with the key that waits for its value around it.
        self._open: list[tuple[SequenceNode | MappingNode, Node | None]] = []
        self._anchors: dict[str, Node] = {}
        self._expanded = 0
        self._measured: dict[int, tuple[int, int]] = {}

    def run(self, text: str) -> None:
        """Read all documents of a text. Raises _Problem."""
        import yaml

        make = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            loader = make(text)
            following = loader.get_event  # yaml.parse() asks first whether there is one
            try:
                self._loop(_mended(following) if _COLON in text else following, yaml.events)
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
        starts = (one.start for one, _ in reversed(self._open))
        return next((start for start in starts if self._source.text[start] in "[{"), None)

    def _loop(self, following: Callable[[], Any], events: Any) -> None:
        """Read to the end of the stream."""
        scalar, alias, finished = events.ScalarEvent, events.AliasEvent, events.StreamEndEvent
        begins: dict[Any, type[MappingNode | SequenceNode]]
        begins = {events.MappingStartEvent: MappingNode, events.SequenceStartEvent: SequenceNode}
        ends = (events.MappingEndEvent, events.SequenceEndEvent)
        source, shift, waiting = self._source, self._shift, self._open
        node: Any
        holder: Any = None
        key: Node | None = None
        left, end = MAX_NODES + 1, 0
        while left and (event := following()).__class__ is not finished:
            kind = event.__class__
            if kind is scalar:
                start, end = event.start_mark.index + shift, event.end_mark.index + shift
                node = ScalarNode(source, start, end, event.tag, event.value, plain=not event.style)
                if event.anchor is not None:
                    self._anchors[event.anchor] = node
            elif kind in ends:
                node, key = waiting.pop()
                holder = waiting[-1][0] if waiting else None
                end = self._end(node, holder, event, end)
            elif kind in begins:
                node = self._begin(begins[kind], event)
                waiting.append((node, key))
                holder, key, end = node, None, node.end
                continue
            elif kind is alias:
                node, end = self._alias(event, holder), event.end_mark.index + shift
            else:
                self._anchors.clear()
                continue
            left -= 1
            if holder is None:
                self._documents.append(node)
            elif holder.__class__ is SequenceNode:
                holder.items.append(node)
            elif key is None:
                key = node
            else:
                holder.add(key, node)
                key = None
        if not left:
            problem = f"the file holds more than the limit of {MAX_NODES:,} values"
            raise _Problem("E04", node.start, problem, "split the file")

    def _begin(self, kind: type[MappingNode | SequenceNode], event: Any) -> MappingNode | SequenceNode:
        """Return a list or mapping that begins. Raises _Problem where it is one too many in another."""
        node = kind(self._source, event.start_mark.index + self._shift, event.end_mark.index + self._shift, event.tag)
        node.twice = False  # until one is seen
        if len(self._open) >= MAX_DEPTH:
            raise _too_deep(node.start)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _end(self, node: Any, holder: Any, event: Any, last: int) -> int:
        """Give a list or mapping its end, and return it; `last` is where its last value ends, as a block does."""
        if event.end_mark.index > event.start_mark.index:  # a bracket
            last = event.end_mark.index + self._shift
        node.end = last
        if node.twice and holder is not None:
            holder.twice = True
        return last

    def _alias(self, event: Any, holder: Any) -> Node:
        """Return what an alias stands for. Raises _Problem where that is nothing, itself, or more than is allowed."""
        start = event.start_mark.index + self._shift
        node = self._anchors.get(event.anchor)
        if node is None:
            raise _Problem("E01", start, f"there is no anchor &{event.anchor} above", "name an anchor of this document")
        if any(node is one for one, _ in self._open):
            raise _Problem("E01", start, f"*{event.anchor} stands inside &{event.anchor}", "write the value out")
        size, height = self._measure(node)
        self._expanded += size
        if self._expanded > MAX_EXPANSION:
            problem = f"aliases stand for more than the limit of {MAX_EXPANSION:,} values"
            raise _Problem("E04", start, problem, "write fewer of them, or split the file")
        if len(self._open) + height > MAX_DEPTH:
            raise _too_deep(start)
        if isinstance(node, (MappingNode, SequenceNode)) and node.twice:
            holder.twice = True
        return node

    def _measure(self, node: Node) -> tuple[int, int]:
        """Return how many values a node stands for, with what its aliases stand for, and how deep it is.

        No node is deeper than the limit, and each is measured once.
        """
        known = self._measured.get(id(node))
        if known is None:
            inside: Iterable[Node] = ()
            if isinstance(node, SequenceNode):
                inside = node.items
            elif isinstance(node, MappingNode):
                inside = chain.from_iterable(node.pairs)
            sizes = [self._measure(one) for one in inside]
            known = 1 + sum(size for size, _ in sizes), 1 + max((height for _, height in sizes), default=0)
            self._measured[id(node)] = known
        return known


def _mended(following: Callable[[], Any]) -> Callable[[], Any]:
    """Return what reads on, with the colons back in the values in which something stands for them."""

    def mended() -> Any:
        event = following()
        value = getattr(event, "value", None)
        if value is not None:
            event.value = value.replace(_COLON, ":")
        return event

    return mended


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
