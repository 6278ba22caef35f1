"""Whether a text is made of Kubernetes objects that have to do with traffic, told by `apiVersion` and `kind`."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.kinds import KINDS, KUSTOMIZE, UNREAD, group_of, relevant, unread
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from lbcheck.text import Source

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")

_DOCUMENT = pattern(r"^---", re.MULTILINE)
_VALUE = r"""[ \t]*:[ \t]*["']?(?P<value>[^#\r\n]*?)["']?[ \t]*(?:#[^\r\n]*)?\r?$"""
_API = pattern(r"""^\ufeff?["']?apiVersion["']?""" + _VALUE, re.MULTILINE)
_KIND = pattern(r"""^\ufeff?["']?kind["']?""" + _VALUE, re.MULTILINE)
_INNER = pattern(r"""^[ \t-]+["']?kind["']?""" + _VALUE, re.MULTILINE)
_FLOW = pattern(r"\ufeff?\s*(?:---\s*)?[\[{]")
_FLOW_API = pattern(r"""["']?apiVersion["']?\s*:\s*["']?(?P<value>[\w.-]+(?:/[\w.-]+)?)""")
_FLOW_KIND = pattern(r"""["']?kind["']?\s*:\s*["']?(?P<value>\w+)""")
#: What the bootstrap of an Envoy has, and a ConfigMap with one.
_BOOTSTRAP = pattern(r"\b(?:static|dynamic)_resources\b")
_ALL_KINDS = frozenset().union(*KINDS.values(), *UNREAD.values())


def recognises(source: Source) -> bool:
    """Say whether the text holds an object that has to do with where traffic goes, or is a kustomization."""
    text = source.text
    named = os.path.basename(source.path) in KUSTOMIZATIONS
    if "kind" not in text or "apiVersion" not in text:
        return named and _kustomizes(text)
    if _FLOW.match(text):
        versions = {match["value"] for match in _FLOW_API.finditer(text)}
        kinds = {match["value"].removesuffix("List") for match in _FLOW_KIND.finditer(text)}
        return any(_ours(version, kind) for version in versions for kind in kinds & _ALL_KINDS)
    return any(_object(part) for part in _DOCUMENT.split(text)) or (named and _kustomizes(text))


def holds_bootstrap(api_version: str, kind: str, text: str) -> bool:
    """Say whether an object is a ConfigMap from whose text an Envoy may start."""
    return (api_version, kind) == ("v1", "ConfigMap") and _BOOTSTRAP.search(text) is not None


def _ours(version: str, kind: str) -> bool:
    return relevant(version, kind) or unread(version, kind)


def _kustomizes(text: str) -> bool:
    return any(f"\n{key}:" in f"\n{text}" for key in ("resources", "bases", "components", "patches", "namespace"))


def _object(text: str) -> bool:
    """Say whether one document is such an object, or a list that holds some."""
    kind, version = _KIND.search(text), _API.search(text)
    if kind is None or version is None:
        return False
    if kind["value"].endswith("List"):
        return _ours(version["value"], kind["value"].removesuffix("List")) or any(
            match["value"] in _ALL_KINDS for match in _INNER.finditer(text)
        )
    if "{{" in version["value"]:
        return kind["value"] in _ALL_KINDS
    if holds_bootstrap(version["value"], kind["value"], text):
        return True
    return _ours(version["value"], kind["value"]) or group_of(version["value"]) == KUSTOMIZE
