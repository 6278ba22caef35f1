"""Subsets of one destination rule: each is found by its name, and its pods by their labels, however many there are."""

from __future__ import annotations

import sys

import pytest
from dialects.kubernetes.test_kubernetes import codes, found, joined, one

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: v{at}, labels: {{app: web, version: v{at}}}}}
spec: {{containers: [{{name: web, readinessProbe: {{tcpSocket: {{port: 80}}}}}}]}}
"""


def rule(*labels):
    subsets = "".join(f"  - {{name: v{at}, labels: {{{label}}}}}\n" for at, label in enumerate(labels))
    return f"""\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: web}}
spec:
  host: web
  subsets:
{subsets}"""


def routes(*subsets):
    rules = "".join(
        f"  - {{match: [{{uri: {{exact: /{at}}}}}], route: [{{destination: {{host: web, subset: {subset}}}}}]}}\n"
        for at, subset in enumerate(subsets)
    )
    return f"""\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: web}}
spec:
  hosts: [web]
  http:
{rules}"""


def many(count, prefix=""):
    numbers = range(count)
    return joined(
        SERVICE,
        *(POD.format(at=at) for at in numbers),
        rule(*(f"version: v{at}" for at in numbers)),
        routes(*(f"{prefix}v{at}" for at in numbers)),
    )


def calls(work):
    """Return how many functions are called, of ours and of the interpreter's."""
    count = 0

    def seen(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("prefix", ["", "un"])
def test_twice_as_many_cost_twice_as_much(prefix):
    """One more subset costs the same at any number; once all were gone through for each of them."""
    codes(one(many(3, prefix)))  # what is loaded the first time is no matter of their number
    costs = [calls(lambda: codes(one(many(count, prefix)))) for count in (100, 200, 300)]  # noqa: B023 - called at once
    assert costs[2] - costs[1] == pytest.approx(costs[1] - costs[0], rel=0.1)


def test_each_subset_has_the_pods_of_its_labels():
    config = one(many(30))
    assert codes(config) == []
    pools = {pool.name: [server.name for server in pool.servers] for pool in config.pools}
    assert [pools[f"web/v{at}"] for at in range(30)] == [[f"v{at}"] for at in range(30)]


def test_labels_that_the_selector_excludes_have_no_pods():
    config = one(
        SERVICE, POD.format(at=0), POD.replace("app: web", "app: other").format(at=1), rule("app: other"), routes("v0")
    )
    assert [pool.servers for pool in config.pools if pool.name == "web/v0"] == [[]]


def test_of_two_subsets_of_one_name_the_first_counts():
    config = one(
        SERVICE,
        POD.format(at=0),
        POD.format(at=1),
        rule("version: v1", "version: v0").replace("name: v1,", "name: v0,"),
        routes("v0"),
    )
    assert [[server.name for server in pool.servers] for pool in config.pools if pool.name == "web/v0"] == [["v1"]]


def test_an_undefined_subset_names_its_neighbour():
    (finding,) = [
        each
        for each in found(one(SERVICE, rule("version: v0").replace("v0,", "stable,"), routes("stabel")))
        if each.code == "K15"
    ]
    assert "did you mean stable?" in finding.help
