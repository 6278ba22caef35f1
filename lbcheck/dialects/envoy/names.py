"""The files that an Envoy config names, found without reading it as YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.text import Source

_PATH = pattern(r"""path["']?[ \t]*:[ \t]*["']?([^\s"',}]+)""")


def references(source: Source) -> list[str]:
    """Return the paths of YAML and JSON files that a text names: `path_config_source` and its forerunner `path`."""
    named = _PATH.findall(source.text) if "path" in source.text else []
    return [path for path in named if path.endswith((".yaml", ".yml", ".json"))]
