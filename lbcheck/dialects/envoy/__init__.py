"""Envoy: bootstraps and xDS resources in YAML and JSON, and nothing that a control plane would have to be asked for.

names.py, resources.py, group.py   which texts are Envoy's, what they hold, which files are one Envoy
message.py, scalars.py,
addresses.py                       typed access to nodes, as protobuf's JSON mapping has it
api.txt, api.py, shape.py          every message of the API with its fields, and what Envoy would refuse (group E);
                                   api_maker.py writes the table from an Envoy binary
lower.py                           the model: clusters.py with eds.py, endpoints.py, policies.py and health.py;
                                   listeners.py with chains.py, choosing.py, readings.py, routes.py, redirects.py,
                                   matches.py and hashing.py; mentions.py for who else uses a cluster, runtime.py for
                                   what overrides them
checks.CHECKS                      the checks of Envoy's own ways
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.context import Context
    from lbcheck.files import Files
    from lbcheck.findings import Hit
    from lbcheck.model import Config
    from lbcheck.text import Source

#: A bootstrap's own top-level fields, and the type of a resource.
_BOOTSTRAP = pattern(r"""^["']?(?:static_resources|dynamic_resources)["']?[ \t]*:""", re.MULTILINE)
_CAMEL = pattern(r"""^["']?(?:staticResources|dynamicResources)["']?[ \t]*:""", re.MULTILINE)
_JSON_START = pattern(r"\ufeff?\s*\{")
_JSON_FIELD = pattern(r"""["'](?:static|dynamic)(?:_r|R)esources["']\s*:""")
_RESOURCE = pattern(
    r"""["']?@type["']?\s*:\s*["']?type\.googleapis\.com/envoy\."""
    r"""(?:config\.(?:listener|cluster|route|endpoint)|api|service\.discovery|extensions\.transport_sockets\.tls)\."""
)
_RESOURCES = pattern(
    r"""^\ufeff?["']?resources["']?[ \t]*:|^\ufeff?[ \t]*\{[^{}\[]*["']resources["']\s*:""", re.MULTILINE
)
#: Kubernetes objects hold pieces of Envoy's configuration, too (EnvoyFilter, ConfigMap).
_KUBERNETES = pattern(r"^apiVersion[ \t]*:", re.MULTILINE)


def recognises(source: Source) -> bool:
    """Say whether the text is a bootstrap, or resources as a control plane or a file hands them out."""
    text = source.text
    if "esources" not in text or _KUBERNETES.search(text):
        return False
    if _BOOTSTRAP.search(text) or _CAMEL.search(text):
        return True
    if _JSON_START.match(text) and _JSON_FIELD.search(text):
        return _holds_bootstrap(source)
    return bool(_RESOURCES.search(text) and _RESOURCE.search(text))


def _holds_bootstrap(source: Source) -> bool:
    """Look into JSON on one line, or indented, for a bootstrap's fields at its top."""
    from lbcheck.dialects import yaml
    from lbcheck.dialects.envoy.resources import is_bootstrap

    return any(is_bootstrap(root) for root in yaml.read(source).documents)


def references(source: Source) -> list[str]:
    """Return the resource files that a text names."""
    from lbcheck.dialects.envoy.names import references as named

    return named(source)


def neighbourhood(source: Source) -> None:
    """Only files that name each other belong together."""
    del source


def read(paths: Sequence[str], files: Files) -> list[Config]:
    """Turn files into configs, one for each bootstrap with the files that it names; never raises."""
    from lbcheck.dialects.envoy.group import configs

    return configs(paths, files)


def _checks() -> dict[str, Callable[[Config, Context], Iterable[Hit]]]:
    from lbcheck.dialects.envoy.checks import CHECKS as TABLE

    return TABLE


def __getattr__(name: str) -> dict[str, Callable[[Config, Context], Iterable[Hit]]]:
    """Load the table of checks when it is asked for: recognising a file needs none of them."""
    if name == "CHECKS":
        return _checks()
    raise AttributeError(name)
