"""Istio: in which namespaces an object holds, by `exportTo` and by what Sidecars import.

Source: istio/istio pilot/pkg/model/push_context.go (initVirtualServices, setDestinationRules), sidecar.go
(SelectVirtualServices), istio/api networking/v1alpha3 `exportTo`. Where a mesh's own defaults differ
(defaultVirtualServiceExportTo and its like, rootNamespace), no manifest shows it: Istio's are taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.kinds import CORE, ISTIO
from lbcheck.dialects.kubernetes.view import opaque

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.objects import Cluster, Object

#: Where objects for the whole mesh lie (meshConfig.rootNamespace).
ROOT = "istio-system"
#: What says of a Service what `exportTo` says of Istio's own objects.
EXPORT = "networking.istio.io/exportTo"
#: What a virtual service calls the proxies beside workloads, among its gateways.
MESH = "mesh"
#: All namespaces.
ANY = "*"
#: More namespaces of one object, or hosts of one Sidecar, are not looked at one by one.
_MOST = 100


def audience(one: Object) -> frozenset[str] | None:
    """Return the namespaces whose proxies an object is exported to; None where that is all, or not known.

    `~` means nobody, unless `*` stands beside it. A destination rule for some workloads is never seen elsewhere.
    """
    if one.is_a(ISTIO, "DestinationRule") and "workloadSelector" in one.spec:
        return frozenset((one.namespace,))
    names = _exported(one)
    if not names or "*" in names or len(names) > _MOST or any(map(opaque, names)):
        return None
    if "~" in names:
        return frozenset()
    return frozenset(one.namespace if name == "." else name for name in names)


def _exported(one: Object) -> list[str]:
    if one.is_a(CORE, "Service"):
        return [name.strip() for name in one.annotations.get(EXPORT, "").split(",") if name.strip()]
    return [name.text for name in one.spec.texts("exportTo")]


def reaches(one: Object, namespace: str) -> bool:
    """Say whether an object is exported to a namespace."""
    found = audience(one)
    return found is None or namespace in found


def meet(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    """Say whether two audiences may have a namespace in common."""
    return bool(other if one is None else one if other is None else one & other) or one is other is None


class Sight:
    """Which namespaces' proxies a virtual service is for. Sidecars for some workloads only are passed over."""

    __slots__ = ("_imports", "_narrowed")

    def __init__(self, cluster: Cluster) -> None:
        self._imports: dict[str, list[tuple[str, str]] | None] = {}
        for one in cluster.all(ISTIO, "Sidecar"):
            if "workloadSelector" not in one.spec:
                known = self._imports.get(one.namespace, [])
                mine = _imports(one)  # of several without a selector one counts, nobody knows which
                self._imports[one.namespace] = None if known is None or mine is None else known + mine
        self._narrowed = {one.namespace for one in cluster.all(ISTIO, "Sidecar") if "workloadSelector" in one.spec}

    def clients(self, service: Object) -> frozenset[str] | None:
        """Return the namespaces whose proxies follow a virtual service; None where that is all, or not known.

        Gateways' proxies have no Sidecar, and a delegate is seen through the virtual service that names it.
        """
        found = audience(service)
        if found is None or not self._imports or not _for_sidecars(service):
            return found
        return frozenset(space for space in found if space in self._narrowed or self._imported(space, service))

    def _imported(self, space: str, service: Object) -> bool:
        hosts = self._imports.get(space, self._imports.get(ROOT))
        if hosts is None:
            return True
        names = [whole(name.text, service.namespace) for name in service.spec.texts("hosts")]
        return any(
            (space if source == "." else source) in ("*", service.namespace)
            and any(alike(wanted, name) for name in names)
            for source, wanted in hosts
        )


def _for_sidecars(service: Object) -> bool:
    """Say whether a virtual service is for the proxies beside workloads alone."""
    gateways = [name.text for name in service.spec.texts("gateways")]
    return bool(service.spec.items("hosts")) and all(name == MESH for name in gateways)


def _imports(sidecar: Object) -> list[tuple[str, str]] | None:
    """Return (namespace, host) of what a Sidecar imports; None where it imports everything, or one cannot say.

    The namespace `.` stays: of a Sidecar for the whole mesh it is each caller's own.
    """
    listeners = sidecar.spec.views("egress")
    if not listeners or sidecar.patched or sidecar.opaque:
        return None
    found = []
    for text in (host.text for listener in listeners for host in listener.texts("hosts")):
        space, slash, name = text.partition("/")
        if not slash or opaque(text):
            return None
        found.append((space, name.lower()))
    return found if len(found) <= _MOST else None


def whole(name: str, namespace: str) -> str:
    """Return a host name with its domain, a short one as the namespace's Service."""
    return name.lower() if "." in name or name == "*" else f"{name}.{namespace}.svc.cluster.local".lower()


def alike(one: str, other: str) -> bool:
    """Say whether two host names, perhaps with a wildcard in front, have a host in common (host.Name Matches)."""
    if one.startswith("*") and other.startswith("*"):
        return one[1:].endswith(other[1:]) or other[1:].endswith(one[1:])
    if one.startswith("*"):
        return other.endswith(one[1:])
    return one.endswith(other[1:]) if other.startswith("*") else one == other
