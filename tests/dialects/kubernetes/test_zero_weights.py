"""Gateway API: backendRefs of which none weighs anything."""

from __future__ import annotations

import pytest
from dialects.kubernetes.test_kubernetes import DEPLOYMENT, SERVICE, codes, one

from lbcheck.traffic.assemble import traffic
from lbcheck.traffic.scenario import Scenario

ZERO = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: h}}
spec:
  parentRefs: [{{name: gw}}]
  rules: [{{backendRefs: {backends}}}]
"""


@pytest.mark.parametrize(
    "backends", ["[{name: web, port: 80, weight: 0}]", "[{name: web, port: 80, weight: 0}, {name: web, weight: 0}]"]
)
def test_a_route_whose_backends_all_weigh_nothing_loses_its_requests(backends):
    config = one(ZERO.format(backends=backends), SERVICE, DEPLOYMENT)
    (route,) = traffic(config, Scenario()).frontends[0].routes
    assert {target.share for target in route.targets} == {0.0}
    assert route.unserved == 1.0
    assert ("D05", "error") in codes(config)
