"""The published schema, and its verdict on a file as findings with line and column."""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from lbcheck.dialects.native.values import TEMPLATE
from lbcheck.dialects.yaml_nodes import MappingNode, ScalarNode, at_path, to_data
from lbcheck.findings import Hit, NotChecked
from lbcheck.spelling import closest
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jsonschema.exceptions import ValidationError

    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.model import Config
    from lbcheck.text import Span

#: A file with more mistakes than this is generated, or of another format: the rest is not listed.
_MAX_ERRORS = 500
#: For so many unknown keys of one mapping a near one is looked for, and no more are listed.
_MAX_KEYS = 50
_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


@cache
def _validator() -> Any:
    import json
    import pkgutil

    from jsonschema import Draft202012Validator

    text = pkgutil.get_data("lbcheck.dialects.native", "schema.json")
    return Draft202012Validator(json.loads(text or b"{}"))


def check(root: Node, config: Config) -> None:
    """Add to the config what the schema finds wrong with a document."""
    data = to_data(root)
    if _validator().is_valid(_thinned(data)):
        return
    said = set()
    for error in islice(_validator().iter_errors(data), _MAX_ERRORS):
        node = at_path(root, error.absolute_path)
        if _templated(error.instance, node):
            config.unmodelled.append(NotChecked(_place(root, error, node), "a template decides this value"))
            continue
        for hit in _hits(root, error, node):
            key = (hit.code, hit.span.start, hit.args["problem"])
            if key not in said:  # each missing key is an error of its own to the validator
                said.add(key)
                config.hits.append(hit)


def _thinned(data: Any) -> Any:
    """Return the document with one server of each kind.

    Servers that differ in nothing but their address are right or wrong together, and judging each of 10,000 takes
    most of a run's time. Where the thinned document is wrong, the whole one is judged.
    """
    if not isinstance(data, dict) or not isinstance(data.get("pools"), list):
        return data
    kinds: set[object] = set()
    return {**data, "pools": [_thinned_pool(pool, kinds) for pool in data["pools"]]}


def _thinned_pool(pool: Any, kinds: set[object]) -> Any:
    servers = pool.get("servers") if isinstance(pool, dict) else None
    if not isinstance(servers, list):
        return pool
    kept = []
    for server in servers:
        kind = _kind(server)
        if kind is None or kind not in kinds:
            kept.append(server)
            kinds.add(kind)
    return {**pool, "servers": kept}


def _kind(server: Any) -> object:
    """Return what decides whether a server is right, besides an address that is a text; None: look at it itself."""
    if isinstance(server, str):
        return "" if server else None
    address = server.get("address") if isinstance(server, dict) else None
    if not isinstance(address, str) or not address:
        return None
    rest = [(key, type(value), value) for key, value in server.items() if key != "address"]
    return None if any(isinstance(value, (dict, list)) for _, _, value in rest) else tuple(rest)


def _templated(instance: object, node: Node) -> bool:
    if isinstance(instance, str):
        return TEMPLATE.search(instance) is not None
    return isinstance(node, MappingNode) and node.source.text.startswith("{{", node.start)


def _place(root: Node, error: ValidationError, node: Node) -> Span:
    """Return the place of the value that is wrong; its key where nothing is written."""
    path = list(error.absolute_path)
    if node.end <= node.start and path and isinstance(path[-1], str):
        pair = _pair(at_path(root, path[:-1]), path[-1])
        if pair is not None:
            return pair[0].span
    return node.span if isinstance(node, ScalarNode) else _head(node)


def _head(node: Node) -> Span:
    """Return the first line of a list or mapping."""
    end = node.source.text.find("\n", node.start, node.end)
    return node.source.span(node.start, node.end if end < 0 else end)


def _pair(node: Node, name: str) -> tuple[ScalarNode, Node] | None:
    return node.fields().get(name) if isinstance(node, MappingNode) else None


def _hits(root: Node, error: ValidationError, node: Node) -> Iterator[Hit]:
    if error.validator == "additionalProperties" and isinstance(error.schema, dict):
        yield from _unknown_keys(error, node, error.schema)
        return
    if error.validator == "required" and _misspelled(error):
        return
    if error.validator == "oneOf" and not isinstance(error.instance, dict):  # its type has been reported
        return
    code = "E08" if error.validator in ("required", "oneOf") else "E09"
    words = _WORDS.get(str(error.validator), _other)
    problem, advice = words(error, _name(error))
    yield Hit(code, _place(root, error, node), {"problem": problem, "advice": advice})


def _unknown_keys(error: ValidationError, node: Node, schema: dict[str, Any]) -> Iterator[Hit]:
    known = list(schema.get("properties", {}))
    own = "patternProperties" in schema
    fields = node.fields() if isinstance(node, MappingNode) else {}
    unknown = (name for name in fields if name not in known and not (own and name.startswith("x-")))
    for name in islice(unknown, _MAX_KEYS):
        meant = closest(name, known)
        otherwise = f"it takes {listed(known, 20)}" + ("; keys of your own begin with x-" if own else "")
        args = {
            "problem": f"{_name(error)} has no key {_shown(name)}",
            "advice": f"did you mean {meant}?" if meant else otherwise,
        }
        yield Hit("E06", fields[name][0].span, args)


def _name(error: ValidationError) -> str:
    """Return what people call the place: the last key, an item of a list by its list's name in the singular."""
    path = list(error.absolute_path)
    if not path:
        return "the file"
    if isinstance(path[-1], str):
        return path[-1]
    name = next((step for step in reversed(path) if isinstance(step, str)), "item")
    return f"this {name.removesuffix('s')}" if name != "listen" else "this listener"


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None:
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _advice(error: Any, otherwise: str) -> str:
    description = error.schema.get("description") if isinstance(error.schema, dict) else None
    return description[:1].lower() + description[1:].rstrip(".") if description else otherwise


def _misspelled(error: Any) -> bool:
    """Say whether everything that is missing stands there under a name nearly right, which is said already."""
    known = error.schema.get("properties", {})
    meant = {closest(key, known) for key in islice((key for key in error.instance if key not in known), _MAX_KEYS)}
    return all(key in error.instance or key in meant for key in error.validator_value)


def _required(error: Any, name: str) -> tuple[str, str]:
    missing = [key for key in error.validator_value if key not in error.instance]
    return f"{name} has no {listed(missing)}", f"write {missing[0]}: and its value"


def _type(error: Any, name: str) -> tuple[str, str]:
    kinds = [error.validator_value] if isinstance(error.validator_value, str) else list(error.validator_value)
    wanted = " or ".join(_KINDS.get(kind, kind) for kind in kinds)
    text = "the text " if isinstance(error.instance, str) and error.instance else ""
    shown = _shown(error.instance) or "an empty text"
    return f"{name} is {text}{shown}, not {wanted}", _advice(error, f"write {wanted}")


def _enum(error: Any, name: str) -> tuple[str, str]:
    known = [str(value) for value in error.validator_value]
    spelled = str(error.instance).lower().replace("-", "_")
    meant = spelled if spelled in known else closest(str(error.instance), known)
    advice = f"did you mean {meant}?" if meant else f"write {', '.join(known[:-1])} or {known[-1]}"
    return f"{name} cannot be {_shown(error.instance)}", advice


def _const(error: Any, name: str) -> tuple[str, str]:
    problem = f"{name} is {_shown(error.instance)}, a version of the format that does not exist"
    return problem, f"write {name}: {error.validator_value}"


def _one_of(error: Any, name: str) -> tuple[str, str]:
    written = [key for key in ("pool", "targets", "answer") if key in error.instance]
    problem = f"{name} has {listed(written)}" if written else f"{name} leads nowhere"
    return problem, "write one of pool, targets and answer"


def _pattern(error: Any, name: str) -> tuple[str, str]:
    return f"{name} cannot be {_shown(error.instance)}", _advice(error, f"it must match {error.validator_value}")


def _bound(error: Any, name: str) -> tuple[str, str]:
    words = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than"}
    bound = words[str(error.validator)]
    return f"{name} is {_shown(error.instance)}", f"it must be {bound} {error.validator_value}"


def _empty(error: Any, name: str) -> tuple[str, str]:
    return f"{name} is empty", _advice(error, "write a value, or leave the key out")


def _other(error: Any, name: str) -> tuple[str, str]:
    return f"{name} is not right: {error.message[:200]}", "write it as docs/native.md says"


_WORDS: dict[str, Callable[[Any, str], tuple[str, str]]] = {
    "required": _required,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "oneOf": _one_of,
    "pattern": _pattern,
    "minimum": _bound,
    "maximum": _bound,
    "exclusiveMinimum": _bound,
    "minLength": _empty,
    "minItems": _empty,
    "minProperties": _empty,
}
