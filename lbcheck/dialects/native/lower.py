"""From a file's nodes to a config: what is wrong with the text, the format and the names, and the model of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects import yaml
from lbcheck.dialects.native import fields as f
from lbcheck.dialects.native import frontends, pools, schema
from lbcheck.dialects.native.values import STATEMENT, TEMPLATE
from lbcheck.dialects.unread import doubled, unreadable
from lbcheck.dialects.yaml_nodes import MappingNode, blocks
from lbcheck.files import UnreadableError
from lbcheck.findings import Hit, NotChecked
from lbcheck.model import Config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.native.fields import Fields
    from lbcheck.dialects.yaml_nodes import Node
    from lbcheck.files import Files
    from lbcheck.model import Frontend, Pool
    from lbcheck.text import Source


def marked(source: Source) -> bool:
    """Say whether a document of the text has the key `lbcheck`."""
    return any("lbcheck" in f.of(root) for root in yaml.read(source).documents)


def read(path: str, files: Files) -> Config:
    """Turn a file into a config; several documents in it are one. Never raises."""
    try:
        source = files.read(path)
    except UnreadableError as error:
        return unreadable("native", path, error)
    config = Config("native", source.path, [source])
    stream = yaml.read(source)
    config.tree = stream.documents
    config.blocks = lambda: blocks(stream.documents)
    for hit in stream.hits:
        _note(config, source, hit)
    roots = [root for root in stream.documents if _ours(root, config)]
    if not roots and not stream.hits:
        args = {"problem": "there is no lbcheck: v1 at the top level", "advice": "begin the file with lbcheck: v1"}
        config.hits.append(Hit("E01", source.span(0, min(1, len(source.text))), args))
    for root in roots:
        _lower(root, config)
    config.unread = config.open is not None and not (config.frontends or config.pools or config.hits)
    return config


def _note(config: Config, source: Source, hit: Hit) -> None:
    """Take over what is wrong with the text; what a template engine has yet to fill in is not wrong."""
    if hit.code == "E01" and (TEMPLATE.search(source.line(hit.span.line)) or STATEMENT.search(source.text)):
        config.open = "a template that has yet to be filled in"
        config.unmodelled.append(NotChecked(hit.span, config.open))
    else:
        config.hits.append(hit)


def _ours(root: Node, config: Config) -> bool:
    if "lbcheck" in f.of(root):
        return True
    if root.end > root.start:
        config.unmodelled.append(NotChecked(root.span, "a document without lbcheck: v1"))
    return False


def _lower(root: Node, config: Config) -> None:
    """Add a document's pools and frontends to the config, and what is wrong with it."""
    config.hits += doubled(root)
    schema.check(root, config)
    fields = f.of(root)
    known: dict[str, Pool] = {pool.name: pool for pool in config.pools}
    for node, inside in _mappings(fields, "pools"):
        pool = pools.pool(node, inside, config)
        if pool is not None:
            config.pools.append(pool)
            _named_once(config, "pool", pool, known.setdefault(pool.name, pool))
    names: dict[str, Frontend] = {frontend.name: frontend for frontend in config.frontends}
    for node, inside in _mappings(fields, "frontends"):
        frontend = frontends.frontend(node, inside, config, known)
        if frontend is not None:
            config.frontends.append(frontend)
            _named_once(config, "frontend", frontend, names.setdefault(frontend.name, frontend))


def _named_once(config: Config, what: str, one: Pool | Frontend, first: Pool | Frontend) -> None:
    if one is not first:
        pools.duplicate(config, what, one.name, first.span, one.span)


def _mappings(fields: Fields, name: str) -> Iterator[tuple[MappingNode, Fields]]:
    for item in f.items(fields, name):
        if isinstance(item, MappingNode):
            yield item, item.fields()
