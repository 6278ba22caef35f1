"""C10: an Envoy whose container may have less memory than Envoy believes, or that has no limit of its own."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects import yaml
from lbcheck.dialects.kubernetes.kinds import CORE
from lbcheck.dialects.kubernetes.lower import tree_of
from lbcheck.dialects.kubernetes.view import View, opaque
from lbcheck.findings import INFO, Hit, Related
from lbcheck.patterns import pattern
from lbcheck.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.context import Context
    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.kubernetes.pods import Pods
    from lbcheck.model import Config

#: Where Envoy's image looks where no argument says it.
_DEFAULT_PATH = "/etc/envoy/envoy.yaml"
_FLAGS = ("-c", "--config-path")
#: An image of Envoy itself; products with an Envoy in them write its bootstrap themselves.
_IMAGE = pattern(r"(?:[^\s]+/)?envoyproxy/envoy(?:-[a-z-]+)?(?:[:@]\S+)?\Z|envoy(?:[:@]\S+)?\Z", re.ASCII)
#: Suffixes of a quantity (apimachinery/pkg/api/resource); "m" is a thousandth.
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_QUANTITY = pattern(r"(\d{1,15}(?:\.\d{1,9})?)([kMGT]i?|Ki)?\Z", re.ASCII)
_MEBIBYTE = 2**20
#: What Envoy is given of a limit: the rest is for what is not on its heap.
_PART = 0.9


class _Bootstrap(NamedTuple):
    """The object that holds a bootstrap, and its text parsed."""

    holder: Object
    root: View


def heap_beyond_limit(config: Config, _context: Context) -> Iterator[Hit]:
    """C10: max_heap_size_bytes above the container's memory limit, or a limit of which Envoy does not know."""
    cluster = tree_of(config).cluster
    for pods in tree_of(config).graph.pods:
        owner = pods.owner
        for container in pods.containers:
            image = container.text("image") or ""
            if "envoy" not in image or not _IMAGE.match(image) or not owner.sure:
                continue
            limits = container.view("resources", "limits")
            limit = _bytes(limits.text("memory"))
            if limit is None:
                continue
            maps = cluster.named(CORE, "ConfigMap", owner.namespace, _mounted(pods, container)[0])
            found = _bootstrap(maps, _mounted(pods, container)[1])
            if found is not None:
                yield from _judged(owner, limits, limit, found)


def _bytes(text: str | None) -> float | None:
    found = None if text is None else _QUANTITY.match(text)
    if found is None or found[2] not in (None, *_UNITS):
        return None
    return float(found[1]) * _UNITS[found[2] or ""]


def _mounted(pods: Pods, container: View) -> tuple[str, str]:
    """Return the ConfigMap, and its key, that the container's Envoy reads as its bootstrap; ("", "") if none is."""
    path = _path(container)
    volumes = {one.text("name"): one.view("configMap") for one in pods.spec.views("volumes")}
    for mount in container.views("volumeMounts"):
        at, source = mount.text("mountPath") or "", volumes.get(mount.text("name"))
        if not at or source is None or path is None:
            continue
        part = mount.text("subPath")
        if part is not None and path == at:
            inside = part
        elif part is None and path.startswith(at.rstrip("/") + "/"):
            inside = posixpath.relpath(path, at)
        else:
            continue
        keys = {item.text("path"): item.text("key") for item in source.views("items")}
        return source.text("name") or "", (keys.get(inside) if keys else inside) or ""
    return "", ""


def _path(container: View) -> str | None:
    """Return the file that Envoy is told to read; None where something else starts it, or tells it more."""
    words = [one.text for name in ("command", "args") for one in container.texts(name)]
    if any(opaque(word) or " " in word or "config-yaml" in word for word in words):
        return None
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in _FLAGS:
            value = value if equals else "".join(words[place + 1 : place + 2])
            return posixpath.normpath(value) if value.startswith("/") else None
    return _DEFAULT_PATH


def _bootstrap(maps: list[Object], key: str) -> _Bootstrap | None:
    if len(maps) != 1 or maps[0].patched or maps[0].opaque:
        return None
    text = maps[0].root.view("data").text(key)
    if text is None or opaque(text):
        return None
    documents = yaml.read(Source(maps[0].source.path, text)).documents
    root = View(documents[0]) if len(documents) == 1 else View(None)
    known = "static_resources" in root or "dynamic_resources" in root
    return _Bootstrap(maps[0], root) if known else None


def _judged(owner: Object, limits: View, limit: float, found: _Bootstrap) -> Iterator[Hit]:
    manager = found.root.view("overload_manager")
    heaps = [
        heap
        for monitor in manager.views("resource_monitors")
        if (heap := _bytes(monitor.view("typed_config").text("max_heap_size_bytes"))) is not None
    ]
    args = {
        "workload": f"{owner.kind} {owner.shown}",
        "limit": _size(limit),
        "wanted": f"{int(limit * _PART):,}".replace(",", ""),
    }
    related = [Related(found.holder.span, "its bootstrap")]
    if heaps and _least_trigger(manager) * min(heaps) > limit:
        args |= {
            "what": f"its overload manager lets it grow to {_size(min(heaps))}",
            "effect": "it is killed before it sheds any load",
        }
        yield Hit("C10", limits.place("memory"), args, related=related)
    elif not heaps and "overload_manager" not in found.root:
        args |= {
            "what": "it has no overload manager",
            "effect": "under load it is killed, with all of its connections, where it could refuse some",
        }
        yield Hit("C10", limits.place("memory"), args, severity=INFO, related=related)


def _least_trigger(manager: View) -> float:
    """Return the part of the heap at which the first action sets in; 1 where none is written."""
    parts = []
    for action in manager.views("actions"):
        for trigger in action.views("triggers"):
            for kind, name in (("threshold", "value"), ("scaled", "scaling_threshold")):
                text = trigger.view(kind).text(name)
                if text is not None and re.fullmatch(r"[01](?:\.\d{1,9})?", text, re.ASCII):
                    parts.append(float(text))
    return min(parts, default=1.0)


def _size(number: float) -> str:
    return f"{number / _MEBIBYTE:,.0f} MiB"
