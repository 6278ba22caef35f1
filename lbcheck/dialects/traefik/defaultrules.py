"""`defaultRule` of the Docker provider: the rule of routers that have none of their own, a Go template.

(pkg/provider/docker/config.go build(), pkg/provider/configuration.go BuildRouterConfiguration().)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.traefik.values import TEMPLATE
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    import re

    from lbcheck.dialects.containers import Container
    from lbcheck.text import Span

#: What Traefik takes where nothing is said (pkg/provider/docker DefaultTemplateRule).
USUAL = "Host(`{{ normalize .Name }}`)"
EXPRESSION = pattern(r"\{\{[^\n]*?\}\}")
_MASK = pattern(r"\$\(_+")
_NAME = pattern(r"\{\{ *(?:normalize +)?\.Name(?: *\| *normalize)? *\}\}\Z")
_LABEL = pattern(r"\{\{ *(?:(?P<bare>index +\.Labels)|(?P<normal>normalize) +\( *index +\.Labels) +"
                 r"(?:\"(?P<name>[^\"`\\]+)\"|`(?P<raw>[^`]+)`) *(?(normal)\) *)\}\}\Z")  # fmt: skip
_WORD_END = pattern(r"[\W_]+")
#: Labels that Compose writes itself.
_SERVICE, _PROJECT, _COMPOSE = "com.docker.compose.service", "com.docker.compose.project", "com.docker."


def masked(match: re.Match[str]) -> str:
    """Return as many characters that make no trouble in a text; `$(` marks a template's value (values.TEMPLATE)."""
    return "$(" + "_" * (len(match[0]) - 2)


def unmasked(text: str, span: Span) -> str | None:
    """Return what was written at a place before its expressions were masked; None where it cannot be told."""
    written: dict[int, set[str]] = {}
    for found in EXPRESSION.findall(span.text):
        written.setdefault(len(found), set()).add(found)
    parts = []
    at = 0
    for mask in _MASK.finditer(text):
        known = written.get(len(mask[0]), set())
        if len(known) != 1:
            return None
        parts += [text[at : mask.start()], next(iter(known)).replace('\\"', '"')]
        at = mask.end()
    return "".join(parts) + text[at:]


def rule(template: str, container: Container, project: str | None) -> str | None:
    """Return the rule that a template makes for a container of a project; None where that is not known.

    The name of a container is its service's and its project's; where the project's name is not written, it depends on
    folders and arguments. What images have for labels is nowhere here.
    """
    parts = []
    at = 0
    for found in EXPRESSION.finditer(template):
        value = _value(found[0], container, project)
        if value is None:
            return None
        parts += [template[at : found.start()], value]
        at = found.end()
    made = "".join(parts) + template[at:]
    return None if TEMPLATE.search(made) or not made else made


def _value(expression: str, container: Container, project: str | None) -> str | None:
    if _NAME.match(expression):
        return None if project is None else normalized(f"{container.name}_{project}")
    found = _LABEL.match(expression)
    if found is None:
        return None
    value = _label(found["name"] or found["raw"], container, project)
    return normalized(value) if value is not None and found["normal"] else value


def _label(name: str, container: Container, project: str | None) -> str | None:
    if name == _SERVICE:
        return container.name
    if name == _PROJECT:
        return project
    if name.startswith(_COMPOSE) or container.elsewhere is not None:
        return None
    return next((one.value.value for one in container.labels if one.key.value == name), None)


def normalized(text: str) -> str:
    """Return a text's letters and digits, "-" for all between them (pkg/provider Normalize())."""
    return "-".join(filter(None, _WORD_END.split(text)))
