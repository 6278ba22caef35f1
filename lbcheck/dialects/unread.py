"""What every reader of YAML says of a file that it cannot read, and of a key that stands twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.yaml_nodes import duplicate_keys
from lbcheck.findings import Hit, NotChecked, Related
from lbcheck.model import Config
from lbcheck.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.files import UnreadableError


def unreadable(dialect: str, path: str, error: UnreadableError) -> Config:
    """Return a config that holds nothing but the reason why its file was not read."""
    source = Source(path, "")
    config = Config(dialect, path, [source])
    if error.code is None:
        config.unmodelled.append(NotChecked(source.span(0, 0), error.reason))
    else:
        args = {"problem": f"{path} cannot be read: {error.reason}", "advice": "name a readable file"}
        config.hits.append(Hit(error.code, source.span(0, 0), args))
    return config


def doubled(root: Node) -> Iterator[Hit]:
    """Yield E10 for each key that a mapping below `root` has twice."""
    for first, again in duplicate_keys(root):
        args = {"problem": f"the key {again.span.text[:60]} stands here twice", "advice": "keep one of them"}
        yield Hit("E10", again.span, args, related=[Related(first.span, "the first one is here")])
