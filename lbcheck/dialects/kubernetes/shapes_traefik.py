"""What the API server demands of Traefik's kinds, and Traefik of their rules (pkg/provider/kubernetes/crd/traefikio).

A rule that Traefik refuses disables its route. Which version reads it is not known: what either takes is let through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.shapes import Listing, Number, Record, Text
from lbcheck.dialects.kubernetes.view import opaque
from lbcheck.dialects.traefikrules import matchers
from lbcheck.dialects.traefikrules.expressions import RuleError
from lbcheck.dialects.traefikrules.places import place

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.shapes import Report, Rule
    from lbcheck.dialects.kubernetes.view import View


def _rule(protocol: str) -> Rule:
    """Return what judges the rule of a route."""

    def judge(view: View, name: str, report: Report) -> None:
        node = view.scalar("match")
        if node is None or not node.text or opaque(node.text):
            return
        said = view.text("syntax")
        errors = []
        for syntax in ("v3", "v2") if said is None else (said,):
            try:
                matchers.read(node.text, protocol, syntax)
            except RuleError as error:
                errors.append(error)
            else:
                return
        first = errors[0]
        problem = f"{name}.match: {first.problem}: Traefik refuses the rule, and its traffic reaches no service"
        report.add("E09", place(node, first.at), problem, first.advice)

    return judge


_NAME = Text()
_WEIGHT = Number(0, 2**31 - 1)
_PERCENT = Number(0, 100)
_SERVICE = Record(
    {
        "name": _NAME,
        "kind": Text(words=("Service", "TraefikService")),
        "weight": _WEIGHT,
        "strategy": Text(words=("wrr", "p2c", "hrw", "leasttime", "RoundRobin")),
    },
    ("name",),
)
_STREAM_SERVICE = Record({"name": _NAME, "weight": _WEIGHT}, ("name", "port"))
_MIRROR = Record({**_SERVICE.fields, "percent": _PERCENT}, ("name",))
_PRIORITY = Number(-(2**63), 2**63 - 1001)
INGRESS_ROUTE = Record(
    {
        "routes": Listing(
            Record(
                {
                    "match": Text(),
                    "kind": Text(words=("Rule",)),
                    "priority": _PRIORITY,
                    "services": Listing(_SERVICE),
                },
                ("match",),
                (_rule("http"),),
            )
        )
    },
    ("routes",),
)
INGRESS_ROUTE_TCP = Record(
    {
        "routes": Listing(
            Record(
                {"match": Text(), "priority": _PRIORITY, "services": Listing(_STREAM_SERVICE)},
                ("match",),
                (_rule("tcp"),),
            )
        )
    },
    ("routes",),
)
INGRESS_ROUTE_UDP = Record({"routes": Listing(Record({"services": Listing(_STREAM_SERVICE)}))}, ("routes",))
TRAEFIK_SERVICE = Record(
    {
        "weighted": Record({"services": Listing(_SERVICE)}),
        "highestRandomWeight": Record({"services": Listing(_SERVICE)}),
        "mirroring": Record({**_SERVICE.fields, "mirrors": Listing(_MIRROR)}, ("name",)),
    }
)
