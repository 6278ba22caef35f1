"""`constraints` of the Docker provider: which containers Traefik takes, by their labels (pkg/provider/constraints)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.traefik.values import TEMPLATE
from lbcheck.dialects.traefikrules.expressions import Both, Call, RuleError, parse

if TYPE_CHECKING:
    from lbcheck.dialects.containers import Container
    from lbcheck.dialects.traefikrules.expressions import Expression
    from lbcheck.dialects.yaml_nodes import ScalarNode
    from lbcheck.text import Span

#: Labels that Compose writes itself; only that of the service is known.
_COMPOSE = "com.docker."
_SERVICE = "com.docker.compose.service"


class Constraint(NamedTuple):
    """An expression of Label and LabelRegex; None where it could not be read."""

    span: Span
    expression: Expression | None


def read(node: ScalarNode) -> Constraint:
    """Return a constraint as it is written."""
    try:
        found = None if TEMPLATE.search(node.text) else parse(node.text)
    except RuleError:
        found = None
    return Constraint(node.span, found)


def takes(container: Container, constraint: Constraint | None) -> bool:
    """Say whether a container is taken; it is where that is not known (`unsure`)."""
    return constraint is None or _holds(container, constraint.expression) is not False


def unsure(container: Container, constraint: Constraint | None) -> bool:
    """Say whether nobody knows if a container is taken."""
    return constraint is not None and _holds(container, constraint.expression) is None


def _holds(container: Container, expression: Expression | None) -> bool | None:
    """Return whether an expression holds for a container's labels; None where that is not known."""
    if expression is None:
        return None
    if isinstance(expression, Call):
        found = _call(container, expression)
        return None if found is None else found != expression.negated
    parts = [_holds(container, part) for part in expression.parts]
    decisive = not isinstance(expression, Both)
    return decisive if decisive in parts else None if None in parts else not decisive


def _call(container: Container, call: Call) -> bool | None:
    """Return what a function says of the labels; one that is not there is empty text to it."""
    if len(call.arguments) != 2 or call.name not in ("Label", "LabelRegex"):
        return None
    name, wanted = call.arguments
    if name == _SERVICE:
        value = container.name
    elif name.startswith(_COMPOSE) or container.elsewhere is not None:
        return None
    else:
        value = next((one.value.value for one in container.labels if one.key.value == name), "")
    if TEMPLATE.search(value):
        return None
    return value == wanted if call.name == "Label" else _matches(wanted, value)


def _matches(regex: str, value: str) -> bool | None:
    """Return whether a regular expression of Go is found in a text, as far as Python reads it alike."""
    try:
        return re.search(regex, value) is not None if regex.isascii() and "\\" not in regex else None
    except (re.error, RecursionError):
        return None
