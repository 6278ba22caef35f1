"""From a Compose file to a config: no pools, but its world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects import composefile, yaml
from lbcheck.dialects.yaml_nodes import blocks, duplicate_keys
from lbcheck.files import UnreadableError
from lbcheck.findings import Hit, NotChecked, Related
from lbcheck.model import Config
from lbcheck.text import Source

if TYPE_CHECKING:
    from lbcheck.files import Files


def read(path: str, files: Files) -> Config:
    """Turn a file into a config; never raises."""
    try:
        source = files.read(path)
    except UnreadableError as error:
        return _unreadable(path, error)
    config = Config("compose", source.path, [source])
    stream = yaml.read(source)
    config.hits += stream.hits
    config.blocks = lambda: blocks(stream.documents)
    for root in stream.documents[:1]:
        for first, again in duplicate_keys(root):
            args = {"problem": f"the key {again.span.text[:60]} stands here twice", "advice": "keep one of them"}
            config.hits.append(Hit("E10", again.span, args, related=[Related(first.span, "the first one is here")]))
        config.tree = composefile.containers(root, source)
        config.world = config.tree.world
    return config


def _unreadable(path: str, error: UnreadableError) -> Config:
    source = Source(path, "")
    config = Config("compose", path, [source])
    if error.code is None:
        config.unmodelled.append(NotChecked(source.span(0, 0), error.reason))
    else:
        args = {"problem": f"{path} cannot be read: {error.reason}", "advice": "name a readable file"}
        config.hits.append(Hit(error.code, source.span(0, 0), args))
    return config
