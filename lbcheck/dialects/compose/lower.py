"""From a Compose file to a config: no pools, but its world."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.dialects import composefile, composemerge, composeoverride, yaml
from lbcheck.dialects.unread import doubled, unreadable
from lbcheck.dialects.yaml_nodes import blocks
from lbcheck.files import UnreadableError
from lbcheck.findings import NotChecked
from lbcheck.model import Config
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.files import Files
    from lbcheck.findings import Hit

#: What makes a text a template that is no YAML yet: a statement, or an expression that no quote keeps from being a
#: mapping. Compose's own `${NAME}` and Swarm's "{{.Node.Hostname}}" are YAML.
_TEMPLATE = pattern(r"\{%|^[ \t]*(?:-[ \t]+)?(?:[\w.-]+:[ \t]+)?\{\{", re.MULTILINE)


def read(path: str, files: Files, override: str | None = None, given: Sequence[str] = ()) -> Config:
    """Turn a file into a config, with the one that Compose merges into it; never raises.

    What it would merge and is not among the `given` files is counted as not checked.
    """
    config = _alone(path, files)
    config.unmodelled += composeoverride.missed(config.files[0], given, files)
    if override is None:
        return config
    other = _alone(override, files)
    config.files += other.files
    config.hits += other.hits
    config.unmodelled += other.unmodelled
    config.open = config.open or other.open
    roots = [root for one in (config, other) if (root := _root(one)) is not None]
    if len(roots) > 1:
        config.blocks = lambda: blocks(roots)
        _describe(config, composemerge.merged(*roots))
    return config


def _alone(path: str, files: Files) -> Config:
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
        _describe(config, root)
    return config


def _root(config: Config) -> Node | None:
    """Return the first document of a config's file; None where it could not be read."""
    return next(iter(yaml.read(config.files[0]).documents), None)


def _describe(config: Config, root: Node) -> None:
    config.tree = composefile.containers(root, config.files[0])
    config.world = config.tree.world


def _note(hit: Hit, config: Config) -> None:
    """Take over a finding about the text; a template that has yet to be filled in is not wrong but not checked."""
    found = _TEMPLATE.search(hit.span.source.text) if hit.code == "E01" else None
    if found is None:
        config.hits.append(hit)
    else:
        span = hit.span.source.span(found.start(), found.end())
        config.unmodelled.append(NotChecked(span, "a template that has yet to be filled in"))
