"""What the API server demands of core objects, as far as it decides where traffic goes.

Source: kubernetes/kubernetes pkg/apis/core/validation, pkg/apis/apps/validation, pkg/apis/networking/validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.kubernetes.shapes import Listing, Number, Record, Text, together
from lbcheck.dialects.kubernetes.view import View, integer, opaque
from lbcheck.dialects.yaml_nodes import ScalarNode
from lbcheck.patterns import pattern
from lbcheck.wording import listed

if TYPE_CHECKING:
    from lbcheck.dialects.kubernetes.shapes import Report
    from lbcheck.dialects.yaml_nodes import Node

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
PORT = Number(1, 65535)
_TRANSPORT = Text(words=("TCP", "UDP", "SCTP"), blank=True)
_PORT_NAME = pattern(r"(?=[a-z0-9-]{1,15}\Z)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*\Z")


class _NumberOrName:
    """A port by number, or a container port by its name (IANA service name, 15 characters)."""

    def judge(self, node: Node, name: str, report: Report) -> None:
        """Judge a targetPort."""
        if not isinstance(node, ScalarNode) or opaque(node.text):
            return
        if integer(node) is not None:
            PORT.judge(node, name, report)
        elif not _PORT_NAME.match(node.text):
            advice = "write a number without quotes, or a container port's name of at most 15 characters"
            report.add("E09", node.span, f"{name} cannot be {node.text[:40]!r}", advice)


def _ports_named(view: View, name: str, report: Report) -> None:
    """Of several ports each has a name."""
    for at, port in enumerate(view.views("ports") if len(view.items("ports")) > 1 else []):
        if "name" not in port:
            report.add("E08", port.span, f"{name}.ports[{at}] has no name among several ports", "write name:")


def _external(view: View, name: str, report: Report) -> None:
    if view.text("type") == "ExternalName" and not view.text("externalName"):
        report.add("E08", view.place("type"), f"{name} is an ExternalName and names none", "write externalName:")


SERVICE = Record(
    {
        "type": Text(words=("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"), blank=True),
        "ports": Listing(
            Record(
                {
                    "port": PORT,
                    "targetPort": _NumberOrName(),
                    "protocol": _TRANSPORT,
                    "name": Text(
                        pattern(rf"{_LABEL}\Z"), advice="write lower-case letters, digits and -, at most 63 of them"
                    ),
                },
                ("port",),
            ),
            unique=("name",),
        ),
        "sessionAffinity": Text(words=("None", "ClientIP")),
        "externalTrafficPolicy": Text(words=("Cluster", "Local")),
        "internalTrafficPolicy": Text(words=("Cluster", "Local")),
    },
    rules=(_ports_named, _external),
)

_PATH = Record(
    {
        "pathType": Text(words=("Exact", "Prefix", "ImplementationSpecific")),
        "backend": Record({"service": Record({"name": Text()}, ("name",))}),
    },
    ("pathType", "backend"),
)


def _ingress(view: View, name: str, report: Report) -> None:
    """Paths of a kind begin with a slash; hosts are names, a wildcard being their first label only."""
    for at, rule in enumerate(view.views("rules")):
        host = rule.text("host")
        if host and not opaque(host) and not _HOST.match(host) and not _GAP.search(host):
            advice = "write a host name in lower case, without scheme, port or path"
            report.add("E09", rule.place("host"), f"{name}.rules[{at}].host cannot be {host[:60]}", advice)
        for path in rule.view("http").views("paths"):
            text = path.text("path")
            if path.text("pathType") in ("Exact", "Prefix") and not opaque(text) and not (text or "").startswith("/"):
                problem = f"the path {text!r} does not begin with /" if text else "an Exact or Prefix path is empty"
                report.add("E09", path.place("path"), problem, "write a path that begins with /")


_HOST = pattern(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*\Z")
#: What a script or a reader replaces in a host, such as MY_DOMAIN: no mistake, for nobody applies it so.
_GAP = pattern(r"(?:\A|\.)[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?:\.|\Z)")
INGRESS = Record({"rules": Listing(Record({"http": Record({"paths": Listing(_PATH, least=1)})}))}, rules=(_ingress,))


def _selects_its_pods(view: View, name: str, report: Report) -> None:
    """A workload's selector takes the pods of its own template, or the API server refuses it."""
    wanted = view.view("selector").strings("matchLabels")
    template = view.view("template")
    if not wanted or not template or any(opaque(one) for one in wanted.values()):
        return
    labels = template.view("metadata").strings("labels")
    if any(opaque(one) for one in labels.values()) or wanted.items() <= labels.items():
        return
    missing = [f"{key}: {value}" for key, value in wanted.items() if labels.get(key) != value]
    problem = f"{name}.selector asks for {listed(missing)}, and the pods of its own template have it not"
    report.add("E14", view.place("selector"), problem, "write the same labels in template.metadata.labels")


WORKLOAD = Record({"replicas": Number(0, 2**31 - 1)}, rules=(_selects_its_pods,))


class _NumberOrPercent:
    """A number of pods, or a part of them in percent."""

    def judge(self, node: Node, name: str, report: Report) -> None:
        """Judge a budget's number."""
        if not isinstance(node, ScalarNode) or opaque(node.text):
            return
        number = integer(node)
        known = number >= 0 if number is not None else _PERCENT.match(node.text) is not None
        if not known:
            report.add("E09", node.span, f"{name} cannot be {node.text[:40]!r}", "write a number, or 0% to 100%")


_PERCENT = pattern(r"(?:100|[0-9]{1,2})%\Z")
#: Source: kubernetes/kubernetes pkg/apis/policy/validation ValidatePodDisruptionBudgetSpec.
BUDGET = Record(
    {"minAvailable": _NumberOrPercent(), "maxUnavailable": _NumberOrPercent()},
    rules=(together("minAvailable", "maxUnavailable"),),
)
