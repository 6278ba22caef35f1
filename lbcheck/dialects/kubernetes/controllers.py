"""Ingress controllers: who takes an Ingress, in which order, and how ingress-nginx reads its annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.kinds import NETWORKING
from lbcheck.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lbcheck.dialects.kubernetes.objects import Cluster, Object
    from lbcheck.dialects.yaml_nodes import ScalarNode

ANNOTATION = "nginx.ingress.kubernetes.io/"
#: ingress-nginx takes an Ingress.
NGINX = "ingress-nginx"
#: Another controller does.
OTHER = "another controller"

_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
_OLD_CLASS = "kubernetes.io/ingress.class"
_NGINX_CLASS = pattern(r"(?:[\w-]*-)?nginx(?:-[\w-]*)?\Z|webapprouting\.kubernetes\.azure\.com\Z")
_OTHER_CLASS = pattern(
    r"(?:[\w-]*-)?(?:alb|ambassador|apisix|caddy|cilium|contour|gce|gloo|haproxy|istio|kong|skipper|tailscale|traefik)"
    r"(?:-[\w-]*)?\Z|azure[/-]application-gateway\Z|openshift-[\w-]+\Z"
)
#: NGINX's own controller has classes of the same name as ingress-nginx.
_NGINX_INC = ("nginx.org/", "nginx.com/")
_TIME = pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
#: What strconv.ParseBool takes.
_BOOLEANS = dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True) | dict.fromkeys(
    ("0", "f", "F", "FALSE", "false", "False"), False
)


def class_of(one: Object) -> str:
    """Return the class of an Ingress, "" where it names none."""
    return one.spec.text("ingressClassName") or one.annotations.get(_OLD_CLASS, "")


def annotation(one: Object, name: str) -> ScalarNode | None:
    """Return the value of an ingress-nginx annotation."""
    return one.meta.view("annotations").scalar(ANNOTATION + name)


def flag(one: Object, name: str) -> bool | None:
    """Return a boolean annotation of ingress-nginx; None where it is absent, or nothing that ingress-nginx takes.

    Source: internal/ingress/annotations/parser parseBool(), which is Go's strconv.ParseBool.
    """
    node = annotation(one, name)
    return None if node is None else _BOOLEANS.get(node.text)


def is_canary(one: Object) -> bool:
    """Say whether ingress-nginx takes an Ingress for a canary."""
    return flag(one, "canary") is True


class Controllers:
    """Who takes the Ingresses of a run, as far as classes and annotations tell."""

    __slots__ = ("_cluster", "_default", "_known")

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[int, str | None] = {}
        classes = cluster.all(NETWORKING, "IngressClass")
        self._default = next((one for one in classes if one.annotations.get(_DEFAULT_CLASS) == "true"), None)

    def of(self, one: Object) -> str | None:
        """Return NGINX or OTHER; None where the class does not tell, nor an annotation of ingress-nginx."""
        if id(one) not in self._known:
            self._known[id(one)] = self._of(one)
        return self._known[id(one)]

    def _of(self, one: Object) -> str | None:
        found = self._by_class(class_of(one))
        if found == NGINX and any(key.startswith(_NGINX_INC) for key in one.annotations):
            found = None
        if found is None and any(key.startswith(ANNOTATION) for key in one.annotations):
            return NGINX
        return found

    def _by_class(self, name: str) -> str | None:
        known = self._cluster.named(NETWORKING, "IngressClass", "", name)[:1]
        if not name and self._default is not None:
            known = [self._default]
        controller = known[0].spec.text("controller") if known else None
        if controller is not None:
            return NGINX if "ingress-nginx" in controller else OTHER
        if _NGINX_CLASS.match(name):
            return NGINX
        return OTHER if _OTHER_CLASS.match(name) else None


def oldest(found: Iterable[Object]) -> Object | None:
    """Return the first Ingress in ingress-nginx's order; None where that depends on times that no manifest shows.

    The older one comes first; of one age, the one whose namespace/name is the later in the alphabet
    (internal/ingress/controller/store sortIngressSlice()).
    """
    objects = list({id(one): one for one in found}.values())
    if len(objects) == 1:
        return objects[0]
    names = {f"{one.namespace}/{one.name}" for one in objects}
    times = [one.meta.text("creationTimestamp") or "" for one in objects]
    if len(names) < len(objects) or not all(map(_TIME.match, times)):
        return None
    first = min(times)
    old = [one for one, time in zip(objects, times, strict=True) if time == first]
    return max(old, key=lambda one: f"{one.namespace}/{one.name}")
