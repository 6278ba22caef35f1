"""From a Compose file to a config: no pools, but its world."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects import composefile, yaml
from lbcheck.dialects.unread import doubled, unreadable
from lbcheck.dialects.yaml_nodes import blocks
from lbcheck.files import UnreadableError
from lbcheck.findings import NotChecked
from lbcheck.model import Config
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.files import Files
    from lbcheck.findings import Hit

#: What makes a text a template that is no YAML yet: a statement, or an expression that no quote keeps from being a
#: mapping. Compose's own `${NAME}` and Swarm's "{{.Node.Hostname}}" are YAML.
_TEMPLATE = pattern(r"\{%|^[ \t]*(?:-[ \t]+)?(?:[\w.-]+:[ \t]+)?\{\{", re.MULTILINE)


def read(path: str, files: Files) -> Config:
    """Turn a file into a config; never raises."""
    try:
        source = files.read(path)
    except UnreadableError as error:
        return unreadable("compose", path, error)
    config = Config("compose", source.path, [source])
    stream = yaml.read(source)
    for hit in stream.hits:
        _note(hit, config)
    config.blocks = lambda: blocks(stream.documents)
    for root in stream.documents[:1]:
        config.hits += doubled(root)
        config.tree = composefile.containers(root, source)
        config.world = config.tree.world
    return config


def _note(hit: Hit, config: Config) -> None:
    """Take over a finding about the text; a template that has yet to be filled in is not wrong but not checked."""
    found = _TEMPLATE.search(hit.span.source.text) if hit.code == "E01" else None
    if found is None:
        config.hits.append(hit)
    else:
        span = hit.span.source.span(found.start(), found.end())
        config.unmodelled.append(NotChecked(span, "a template that has yet to be filled in"))
