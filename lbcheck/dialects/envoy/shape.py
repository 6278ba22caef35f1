"""What Envoy refuses before it looks at the sense: unknown fields, values of the wrong type, what a message needs.

The rules are those of the table that api_maker.py took from Envoy itself. What a template has yet to write is not
judged, and an extension that this version of Envoy does not have is "not checked".
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from lbcheck.dialects.envoy import api, scalars
from lbcheck.dialects.envoy.addresses import plain_endpoint
from lbcheck.dialects.envoy.longlists import PlainEndpoint
from lbcheck.dialects.envoy.message import (
    DURATION,
    PLACEHOLDER,
    TEMPLATE,
    duration_in_parts,
    entries,
    first_line,
    null,
    snake,
    whole,
)
from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode, SequenceNode
from lbcheck.findings import WARNING, Hit, NotChecked, Related
from lbcheck.spelling import closest
from lbcheck.wording import listed

if TYPE_CHECKING:
    from lbcheck.dialects.envoy.api import Field, Type
    from lbcheck.dialects.envoy.resources import Resources
    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.model import Config
    from lbcheck.text import Span

BOOTSTRAP = "envoy.config.bootstrap.v3.Bootstrap"
_ENDPOINT = "envoy.config.endpoint.v3.LbEndpoint"
_LISTENER = "envoy.config.listener.v3.Listener"
#: Messages that name an extension.
_EXTENSIONS = frozenset(
    {
        "envoy.config.listener.v3.Filter",
        "envoy.config.listener.v3.ListenerFilter",
        "envoy.config.core.v3.TransportSocket",
        "envoy.config.accesslog.v3.AccessLog",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
    }
)
_TYPED_STRUCTS = ("xds.type.v3.TypedStruct", "udpa.type.v1.TypedStruct")
#: A file with more mistakes than this is generated, or of another format: the rest is not listed.
_MAX_HITS = 500
_COMPARED = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_BOUND_WORDS = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}
_SCALARS = {"s": "a text", "B": "a text", "u": "a whole number", "i": "a whole number", "d": "a number",
    "b": "true or false", "D": "a duration"}  # fmt: skip


def check(resources: Resources, config: Config) -> None:
    """Add to the config what Envoy would refuse in its documents."""
    walker = _Walker(config)
    for bootstrap in resources.bootstraps:
        if bootstrap.node is not None:
            walker.message(bootstrap.node, BOOTSTRAP, "the file")
    walker.dynamic = True
    for group in (resources.listeners, resources.clusters, resources.route_configs, resources.assignments):
        for one in group:
            if "@type" in one and one.node is not None:
                walker.any(one.node, "this resource")


class _Walker:
    """Goes through the nodes with the table in hand. `dynamic`: resources of xDS, whose unknown fields pass."""

    __slots__ = ("_config", "_seen", "dynamic")

    def __init__(self, config: Config) -> None:
        self._config = config
        self._seen: set[tuple[int, str]] = set()
        self.dynamic = False

    def _hit(
        self,
        code: str,
        span: Span,
        problem: str,
        advice: str,
        related: tuple[Related, ...] = (),
        severity: str | None = None,
    ) -> None:
        if len(self._config.hits) < _MAX_HITS:
            args = {"problem": problem, "advice": advice}
            self._config.hits.append(Hit(code, span, args, related=related, severity=severity))

    def _unchecked(self, span: Span, reason: str) -> None:
        if len(self._config.unmodelled) < _MAX_HITS:
            self._config.unmodelled.append(NotChecked(span, reason))

    def message(self, node: Node, name: str, called: str) -> None:
        """Judge a node that has to be a message of this name."""
        if name == _ENDPOINT and (isinstance(node, PlainEndpoint) or plain_endpoint(node) is not None):
            return
        if (id(node), name) in self._seen:  # an alias stands for the same mistake
            return
        self._seen.add((id(node), name))
        known = api.message(name)
        if known is None:
            return
        if not isinstance(node, MappingNode):
            self._wrong(node, called, "a mapping")
            return
        self._fields(node, known, called)
        self._kinds(node, name)

    def _fields(self, node: MappingNode, known: Type, called: str) -> None:
        written: set[str] = set()
        chosen: dict[str, Node] = {}
        statement = False
        for text, (key, value) in entries(node).items():
            name = snake(text)
            field = known.fields.get(name)
            if text in ("@type", "<<"):
                continue
            if field is None:
                statement = statement or TEMPLATE.search(text) is not None
                self._unknown(key, name, known, called)
                continue
            if null(value):
                continue
            written.add(name)
            if field.choice:
                first = chosen.setdefault(field.choice, key)
                if first is not key:
                    problem = f"{called} has {first.span.text} and {text}, of which it takes one"
                    self._hit("E14", key.span, problem, "keep one of them", (Related(first.span, "the other one"),))
            self._value(value, field, text)
        merged = next((key for key, _ in node.pairs if isinstance(key, ScalarNode) and key.text == "<<"), None)
        if merged is not None and not self.dynamic:
            self._hit("E06", merged.span, "Envoy knows no merge keys (<<)", "write the fields out")
        elif not statement and merged is None:
            self._missing(node, known, written, chosen, called)

    def _kinds(self, node: MappingNode, name: str) -> None:
        """Judge what no rule of the table says: extensions are found by their types, listeners by their addresses."""
        written = {snake(text) for text in entries(node)}
        if name in _EXTENSIONS and written.isdisjoint({"typed_config", "config_discovery", "is_optional", "<<"}):
            called = entries(node).get("name")
            of = f" of {called[1].span.text[:60]}" if called is not None else ""
            problem = f"the configuration{of} is missing: newer Envoys refuse it, older ones find extensions by name"
            advice = "write typed_config: with its @type"
            self._hit("E08", first_line(node), problem, advice, severity=WARNING)
        elif name == _LISTENER and written.isdisjoint({"address", "api_listener", "internal_listener", "<<"}):
            self._hit("E08", first_line(node), "this listener has no address", "write address: and its value")

    def _unknown(self, key: ScalarNode, name: str, known: Type, called: str) -> None:
        if TEMPLATE.search(key.text):
            self._unchecked(key.span, "a template decides this field")
        elif self.dynamic:
            self._unchecked(key.span, f"Envoy knows no field {key.text[:60]} here, and passes it over")
        else:
            meant = closest(name, known.fields)
            some = list(known.fields)
            advice = f"did you mean {meant}?" if meant else f"it takes {listed(some, 20)}" if some else "remove it"
            self._hit("E06", key.span, f"{called} has no field {key.text[:60]}", advice)

    def _missing(self, node: MappingNode, known: Type, written: set[str], chosen: dict[str, Node], called: str) -> None:
        place = first_line(node)
        missing = [name for name in known.needed if name not in written]
        if missing:
            self._hit("E08", place, f"{called} has no {listed(missing)}", f"write {missing[0]}: and its value")
        for choice in known.choices:
            if choice not in chosen:
                options = [name for name, field in known.fields.items() if field.choice == choice]
                self._hit("E08", place, f"{called} has none of {listed(options)}", "write one of them")

    def _value(self, node: Node, field: Field, name: str) -> None:
        if field.many == "*":
            items = node.items if isinstance(node, SequenceNode) else [node]
            if len(items) < field.least:
                self._hit("E09", first_line(node), f"{name} is empty", f"write at least {field.least}")
            for item in items:
                self._single(item, field, f"this {name.removesuffix('s')}")
        elif field.many == "%":
            if isinstance(node, MappingNode):
                for _, value in entries(node).values():
                    self._single(value, field, name)
            else:
                self._wrong(node, name, "a mapping")
        else:
            self._single(node, field, name)

    def _single(self, node: Node, field: Field, name: str) -> None:
        kind = field.kind
        if kind == "A":
            self.any(node, name)
        elif kind in ("S", "E"):
            return
        elif len(kind) > 1:
            words = api.enum(kind)
            if words is None:
                self.message(node, kind, name)
            else:
                self._enum(node, kind, words, name)
        else:
            self._scalar(node, field, name)

    def any(self, node: Node, called: str) -> None:
        """Judge an Any by the type that it names."""
        if not isinstance(node, MappingNode):
            self._wrong(node, called, "a mapping with @type")
            return
        typed = entries(node).get("@type")
        if typed is None or not isinstance(typed[1], ScalarNode):
            if node.pairs and not TEMPLATE.search(node.span.text[:200]):
                self._hit("E08", first_line(node), f"{called} has no @type", "name the type of its message")
            return
        name = typed[1].text.rpartition("/")[2]
        if name in _TYPED_STRUCTS or TEMPLATE.search(name):
            return
        if api.message(name) is None:
            self._type(typed[1], name)
            return
        self.message(node, name, called)

    def _type(self, node: ScalarNode, name: str) -> None:
        """Say that a type is not known: misspelled where a known one is near, else of another build of Envoy."""
        near = closest(name, api.messages()) if name.startswith("envoy.") else None
        if (
            near is not None
            and not self.dynamic
            and near.rpartition(".")[0].count(".") == name.rpartition(".")[0].count(".")
        ):
            self._hit("E09", node.span, f"there is no type {name}", f"did you mean {near}?")
        else:
            self._unchecked(node.span, f"the type {name[:100]}, which Envoy 1.40 does not have")

    def _enum(self, node: Node, kind: str, words: tuple[str, ...], name: str) -> None:
        if not isinstance(node, ScalarNode):
            self._wrong(node, name, "a word")
        elif api.word(scalars.enumerated(node), kind) is not None:
            return
        elif TEMPLATE.search(node.text):
            self._unchecked(node.span, "a template decides this value")
        elif api.NUMBER.match(scalars.enumerated(node)):
            self._unchecked(node.span, f"{name} {node.text}, for which Envoy 1.40 has no word")
        else:
            meant = closest(node.text.upper().replace("-", "_"), words)
            advice = f"did you mean {meant}?" if meant else f"write {', '.join(words[:-1])} or {words[-1]}"
            self._hit("E09", node.span, f"{name} cannot be {_shown(node)}", advice)

    def _scalar(self, node: Node, field: Field, name: str) -> None:
        parts = duration_in_parts(node) if field.kind == "D" else None
        if parts is not None:
            self._bounds(node, field, name, parts.value)
            return
        if not isinstance(node, ScalarNode):
            self._wrong(node, name, _SCALARS[field.kind])
            return
        if TEMPLATE.search(node.text):
            return
        value = _READERS[field.kind](node)
        if value is None:
            self._wrong(node, name, _SCALARS[field.kind])
            return
        if field.kind in "sB":
            if field.least and not node.text and not field.many:
                self._hit("E09", node.span, f"{name} is empty", "write a value")
            return
        if not field.many:
            self._bounds(node, field, name, value)

    def _bounds(self, node: Node, field: Field, name: str, value: float) -> None:
        for sign, bound in field.bounds:
            if not _COMPARED[sign](value, bound):
                unit = " seconds" if field.kind == "D" else ""
                self._hit(
                    "E09", node.span, f"{name} is {_shown(node)}", f"it must be {_BOUND_WORDS[sign]} {bound:g}{unit}"
                )
                return

    def _wrong(self, node: Node, name: str, wanted: str) -> None:
        if isinstance(node, ScalarNode) and _filled_in_later(node.text, name):
            self._unchecked(node.span, "a template decides this value")
            return
        if node.source.text.startswith("{{", node.start):
            self._unchecked(first_line(node), "a template decides this value")
            return
        advice = f"write {wanted}"
        if wanted == "a duration":
            advice = "write seconds with an s behind them, such as 5s or 0.25s"
        self._hit("E09", _place(node), f"{name} is {_shown(node)}, not {wanted}", advice)


def _filled_in_later(text: str, name: str) -> bool:
    """Say whether a script, or a reader, has yet to write a value; a port in capitals is such a gap (PORT)."""
    return (
        TEMPLATE.search(text) is not None
        or PLACEHOLDER.match(text) is not None
        or (name.endswith("port_value") and text.isalpha() and text.isupper())
    )


def _place(node: Node) -> Span:
    return node.span if isinstance(node, ScalarNode) else first_line(node)


def _shown(node: Node) -> str:
    if not isinstance(node, ScalarNode):
        return "a mapping" if isinstance(node, MappingNode) else "a list"
    text = node.text or "empty"
    return text if len(text) <= 60 else f"{text[:57]}…"


def _text(node: ScalarNode) -> float | None:
    """Return something where a node is a text to Envoy."""
    return 0.0 if node.tag is not None or scalars.is_text(node) else None


def _integer(node: ScalarNode) -> float | None:
    return whole(node)


def _natural(node: ScalarNode) -> float | None:
    value = whole(node)
    return value if value is not None and value >= 0 else None


def _number(node: ScalarNode) -> float | None:
    return scalars.number(node)


def _boolean(node: ScalarNode) -> float | None:
    return None if scalars.truth(node) is None else 0.0


def _duration(node: ScalarNode) -> float | None:
    return float(node.text[:-1]) if DURATION.match(node.text) else None


_READERS = {"s": _text, "B": _text, "u": _natural, "i": _integer, "d": _number, "b": _boolean, "D": _duration}
