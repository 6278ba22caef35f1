"""From a Compose file to a config: no pools, but its world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects import composefile, yaml
from lbcheck.dialects.unread import doubled, unreadable
from lbcheck.dialects.yaml_nodes import blocks
from lbcheck.files import UnreadableError
from lbcheck.model import Config

if TYPE_CHECKING:
    from lbcheck.files import Files


def read(path: str, files: Files) -> Config:
    """Turn a file into a config; never raises."""
    try:
        source = files.read(path)
    except UnreadableError as error:
        return unreadable("compose", path, error)
    config = Config("compose", source.path, [source])
    stream = yaml.read(source)
    config.hits += stream.hits
    config.blocks = lambda: blocks(stream.documents)
    for root in stream.documents[:1]:
        config.hits += doubled(root)
        config.tree = composefile.containers(root, source)
        config.world = config.tree.world
    return config
