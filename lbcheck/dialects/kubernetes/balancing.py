"""How ingress-nginx chooses among the pods of a Service, by the annotations of the Ingresses that name it.

An upstream of ingress-nginx is a port of a Service, whoever names it: the first Ingress that does so says how it is
balanced, any of them makes it sticky (internal/ingress/controller/controller.go createUpstreams(), getBackendServers();
rootfs/etc/nginx/lua/balancer.lua get_implementation()).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.dialects.kubernetes.controllers import annotation, flag, oldest
from lbcheck.dialects.kubernetes.services import KUBE_PROXY
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.findings import NotChecked
from lbcheck.model import Algorithm, Persistence, Setting
from lbcheck.traffic.algorithms.kubernetes import SEVERAL
from lbcheck.wording import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.dialects.kubernetes.objects import Object
    from lbcheck.dialects.yaml_nodes import ScalarNode
    from lbcheck.model import Pool

_COOKIE = "INGRESSCOOKIE"
_STICKY = frozenset({"affinity", "affinity-mode", "session-cookie-name"})


class Asking(NamedTuple):
    """A reference to a Service: who looks for its pods, and the Ingress that names it where ingress-nginx takes it.

    `sticky` is the Ingress that says whether clients stay with their pod: for a canary the one that it accompanies.
    """

    asker: str
    ingress: Object | None = None
    sticky: Object | None = None


def choose(pool: Pool, asking: Sequence[Asking], unread: list[NotChecked]) -> None:
    """Give a pool the algorithm that ingress-nginx is told to use; what is not known of it is added to `unread`."""
    ours = [one for one in asking if one.ingress is not None]
    said = [one for one in ours if _note(one) is not None]
    if not said:
        return
    node = _note(said[0])
    alike = {_words(one) for one in ours}
    if len(ours) < len(asking) or pool.algorithm.name != KUBE_PROXY:
        why = "those who send requests there do not all choose pods as this annotation says"
    elif len(alike) > 1:
        first = _first(ours)
        if first is not None:
            _give(pool, first)
            return
        why = f"which of {listed(sorted({one.ingress.shown for one in ours if one.ingress}))} says how pods are chosen"
    else:
        _give(pool, said[0])
        return
    if node is not None:
        pool.algorithm = Algorithm(SEVERAL, node.span, options={"said": Setting(sorted(map(str, alike)))})
        unread.append(NotChecked(node.span, why))


def _first(ours: Sequence[Asking]) -> Asking | None:
    """Return the reference whose Ingress says how pods are chosen; None where which it is depends on their age."""
    sticky = [one for one in ours if _sticky(one) is not None]
    if sticky:
        return sticky[0] if len({_words(one) for one in sticky}) == 1 else None
    first = oldest([one.ingress for one in ours if one.ingress is not None])
    return next((one for one in ours if one.ingress is first), None)


def _text(one: Asking, name: str) -> ScalarNode | None:
    owner = one.sticky if name in _STICKY else one.ingress
    node = None if owner is None else annotation(owner, name)
    return None if node is None or not node.text.strip() or opaque(node.text) else node


def _sticky(one: Asking) -> ScalarNode | None:
    node = _text(one, "affinity")
    return node if node is not None and node.text == "cookie" and one.asker != KUBE_PROXY else None


def _note(one: Asking) -> ScalarNode | None:
    """Return the annotation that says how pods are chosen, or how they are spoken to; None where none does."""
    if one.asker == KUBE_PROXY:
        return _text(one, "service-upstream")
    if _sticky(one) is not None:
        return _sticky(one)
    balance, protocol = _text(one, "load-balance"), _text(one, "backend-protocol")
    if balance is not None and balance.text != "ewma":
        balance = None  # round robin, as without it
    plain = protocol is None or protocol.text.upper() == "HTTP"
    return _text(one, "upstream-hash-by") or balance or (None if plain else protocol)


def _words(one: Asking) -> tuple[str, str, str]:
    """Return what a reference says, to be compared: the algorithm, its key, and the protocol."""
    made = _algorithm(one)
    protocol = made.options.get("backend-protocol")
    key = "" if made.key is None else made.key.value
    return made.name, key, "" if protocol is None else protocol.value


def _algorithm(one: Asking) -> Algorithm:
    protocol = _text(one, "backend-protocol")
    options = {}
    if protocol is not None and protocol.text.upper() != "HTTP":
        options["backend-protocol"] = Setting(protocol.text.upper(), protocol.span)
    node = _note(one)
    span = None if node is None else node.span
    if one.asker == KUBE_PROXY:
        return Algorithm(KUBE_PROXY, span, options={**options, "service-upstream": Setting("true", span)})
    sticky, key, mode = _sticky(one), _text(one, "upstream-hash-by"), _text(one, "affinity-mode")
    if sticky is not None:
        kept = mode is not None and mode.text == "persistent"
        return Algorithm("sticky_persistent" if kept else "sticky_balanced", span, options=options)
    if key is not None:
        subset = one.ingress is not None and flag(one.ingress, "upstream-hash-by-subset") is True
        name = "chashsubset" if subset else "chash"
        return Algorithm(name, span, key=Setting(key.text.strip(), key.span), consistent=True, options=options)
    balance = _text(one, "load-balance")
    return Algorithm("ewma" if balance is not None and balance.text == "ewma" else KUBE_PROXY, span, options=options)


def _give(pool: Pool, one: Asking) -> None:
    pool.algorithm = _algorithm(one)
    sticky, name = _sticky(one), _text(one, "session-cookie-name")
    if sticky is not None:
        pool.persistence = Persistence("cookie", sticky.span, _COOKIE if name is None else name.text, "insert")
