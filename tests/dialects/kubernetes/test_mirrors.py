"""Copies of requests: judged like requests where they go nowhere, but no client sees it, and no share either."""

from __future__ import annotations

import pytest
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, SERVICE, app, found, one
from dialects.kubernetes.test_unserved import GATEWAY, GRANT, SUBSETS, in_other

from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.scenario import Scenario

VIRTUAL = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: v}}
spec: {{hosts: [shop], http: [{{route: [{{destination: {{host: web}}}}], {mirror}}}]}}
"""
ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: r, namespace: default}}
spec:
  parentRefs: [{{name: gw}}]
  rules:
    - filters: [{{type: RequestMirror, requestMirror: {{backendRef: {{{ref}}}{percent}}}}}]
      backendRefs: [{{name: web, port: 80}}]
"""
DROPPED = ": the copies that its mirror sends there are dropped"


def told(config, *complete):
    codes = {"K11", "K15", "K16", "P02"}
    return [(hit.code, hit.severity, hit.message) for hit in found(config, *complete) if hit.code in codes]


def notes(config):
    return [note.reason for note in config.unmodelled]


def only_target(config):
    (route,) = traffic(config, Scenario()).frontends[0].routes
    return [(target.pool, target.share, target.unserved) for target in route.targets], route.unserved


@pytest.mark.parametrize("form", ["mirror: {{{to}}}", "mirrors: [{{destination: {{{to}}}}}]"])
class TestIstio:
    def config(self, form, to, *objects):
        return one(VIRTUAL.format(mirror=form.format(to=to)), *app("web", 2), *objects)

    def test_a_service_that_is_not_there(self, form):
        config = self.config(form, "host: gone")
        message = f"no pool is called gone: there is no such Service{DROPPED}"
        assert told(config, "default") == [("P02", "warning", message)]
        assert told(config) == []
        assert "where their copies end: no Service gone was scanned" in notes(config)

    def test_a_port_that_the_service_lacks(self, form):
        config = self.config(form, "host: web, port: {number: 81}")
        (hit,) = told(config)
        assert hit[:2] == ("P02", "warning")
        assert hit[2].endswith(DROPPED)
        assert "where their copies end: the Service web has no port 81" in notes(config)

    def test_a_subset_that_the_destination_rule_lacks(self, form):
        (hit,) = told(self.config(form, "host: web, subset: v3", SUBSETS))
        found = f"DestinationRule d has the subsets v1 and v2{DROPPED}"
        assert hit == ("K15", "warning", f"VirtualService v sends to subset v3 of web, and {found}")

    def test_a_subset_of_which_no_rule_was_scanned(self, form):
        assert [hit[:2] for hit in told(self.config(form, "host: web, subset: v3"))] == [("K15", "info")]

    def test_a_subset_of_no_pod(self, form):
        config = self.config(form, "host: web, subset: v2", SUBSETS)
        message = f"subset v2 of web: no pod of the Service has version: v2{DROPPED}"
        assert told(config, "default") == [("K16", "warning", message)]
        assert [hit[:2] for hit in told(config)] == [("K16", "info")]

    @pytest.mark.parametrize("to", ["host: web, subset: v1", "host: web, port: {number: 80}"])
    def test_what_is_there_is_silent(self, form, to):
        config = self.config(form, to, SUBSETS.replace(", {name: v2, labels: {version: v2}}", ""))
        assert told(config, "default") == notes(config) == []

    @pytest.mark.parametrize("to", ["host: gone", "host: web, subset: v3"])
    def test_copies_are_no_share_and_their_loss_leaves_nothing_unserved(self, form, to):
        config = self.config(form, to, SUBSETS)
        assert only_target(config) == ([("web", 1.0, 0.0)], 0.0)
        assert "gone" not in {pool.name for pool in config.pools}


@pytest.mark.parametrize(
    "mirror",
    [
        "mirror: {host: gone}, mirrorPercentage: {value: 0}",
        "mirror: {host: gone}, mirrorPercent: 0",
        "mirrors: [{destination: {host: gone}, percentage: {value: 0.0}}]",
    ],
)
def test_nothing_is_copied_at_zero_percent(mirror):
    config = one(VIRTUAL.format(mirror=mirror), *app("web", 2))
    assert told(config, "default") == notes(config) == []


def test_copies_serve_nobody():
    text = VIRTUAL.replace("host: web", "host: gone").format(mirror="mirror: {host: web}")
    run = traffic(one(text, *app("web", 2)), Scenario())
    assert [target.pool for target in run.frontends[0].routes[0].targets] == ["gone"]
    assert run.frontends[0].unserved is None


class TestGateway:
    OTHER = (in_other(SERVICE), in_other(DEPLOYMENT))

    def config(self, ref, *objects, percent=""):
        return one(GATEWAY, ROUTE.format(ref=ref, percent=percent), SERVICE, DEPLOYMENT, *objects)

    @pytest.mark.parametrize(
        ("ref", "complete", "severity", "why"),
        [
            ("name: gone, port: 80", ("default",), "warning", "there is no such Service"),
            ("name: gone, port: 80", (), "info", "no such Service was scanned"),
            ("name: web, port: 81", (), "warning", "the Service has no port 81, only 80"),
            ("kind: Bucket, name: b", (), "warning", "a Bucket is no backend"),
            ("name: web, namespace: other, port: 80", ("other",), "warning", "no ReferenceGrant of namespace other"),
        ],
    )
    def test_a_backend_that_does_not_resolve(self, ref, complete, severity, why):
        ((code, level, message),) = told(self.config(ref, *self.OTHER), *complete)
        assert (code, level) == ("K11", severity)
        assert f", and {why}" in message
        assert message.endswith(DROPPED) == (severity == "warning")

    def test_what_resolves_is_silent(self):
        grant = GRANT.format(space="other", kind="HTTPRoute")
        assert told(self.config("name: web, namespace: other, port: 80", *self.OTHER, grant), "*") == []
        assert told(self.config("name: gone, port: 80", percent=", percent: 0"), "*") == []

    def test_copies_are_no_share(self):
        assert only_target(self.config("name: gone, port: 80")) == ([("web", 1.0, 0.0)], 0.0)
