from __future__ import annotations

import pytest
from checks.build import config, hits
from checks.read import config as read

from lbcheck.checks.multiplied import hostname_multiplies
from lbcheck.declared import Declarations, declare
from lbcheck.world import Service, Workload, World

ELB = "app-1.eu-west-1.elb.amazonaws.com"


def nginx(*servers, hosts=None, replicas=None, inside="http"):
    """Return (line, severity) of the findings in an upstream of these servers, which begin at line 2."""
    lines = "".join(f"  server {server};\n" for server in servers)
    made = read("nginx", f"{inside} {{ upstream app {{\n{lines} }} }} events {{}}")
    if replicas is not None:
        made.world = project(made, replicas)
    declare(made, Declarations(hosts=hosts or {}))
    return [(hit.span.line, hit.severity) for hit in hits(hostname_multiplies, made)]


def project(made, replicas):
    span = made.pools[0].span
    found = {name: Workload("container", name, span, replicas=number) for name, number in replicas.items()}
    return World(found.values(), [Service(name, span, workloads=[one]) for name, one in found.items()])


def test_three_addresses_beside_one():
    assert nginx("app.internal:80", "10.0.0.9:80", hosts={"app.internal": 3}) == [(2, None)]
    assert nginx("10.0.0.9:80", "app.internal:80", hosts={"app.internal": 2}) == [(3, None)]
    assert nginx("app.internal:80", "10.0.0.9:80", hosts={"app.internal": 3}, inside="stream") == [(2, None)]
    assert nginx("a.internal:80", "b.internal:80", hosts={"a.internal": 2, "b.internal": 3}) == [(3, None)]


@pytest.mark.parametrize(
    ("servers", "hosts"),
    [
        (["app.internal:80"], {"app.internal": 3}),
        (["app.internal:80", "10.0.0.9:80"], {"app.internal": 1}),
        (["app.internal:80", "10.0.0.9:80"], {}),
        (["app.internal:80", "10.0.0.9:80 weight=3"], {"app.internal": 3}),
        (["app.internal:80", "10.0.0.9:80 backup"], {"app.internal": 3}),
        (["app.internal:80", "10.0.0.9:80 down"], {"app.internal": 3}),
        (["a.internal:80", "b.internal:80 weight=2"], {"a.internal": 3, "b.internal": 3}),
        (["a.internal:80", "b.internal:80"], {"a.internal": 3}),
        (["localhost:80", "10.0.0.9:80"], {}),
    ],
)
def test_each_line_keeps_its_part_or_nobody_knows(servers, hosts):
    assert nginx(*servers, hosts=hosts) == []


def test_replicas_of_a_project():
    assert nginx("app:80", "old:80", replicas={"app": 3, "old": 1}) == [(2, None)]
    assert nginx("app:80", "old:80", replicas={"app": 3, "old": 3}) == []
    assert nginx("app:80", "old:80", replicas={"app": 3, "old": None}) == []
    assert nginx("app:80", "elsewhere:80", replicas={"app": 3}) == []


def test_names_that_have_several_addresses_by_nature():
    assert nginx(f"{ELB}:80 resolve", "10.0.0.9:80") == [(2, "info")]
    assert nginx(f"{ELB}:80", "10.0.0.9:80") == []
    assert nginx(f"{ELB}:80 resolve") == []
    assert nginx(f"{ELB}:80 resolve", f"b{ELB}:80 resolve") == []


@pytest.mark.parametrize(("kind", "number"), [("STRICT_DNS", 1), ("LOGICAL_DNS", 0)])
def test_envoy(kind, number):
    endpoint = "{endpoint: {address: {socket_address: {address: %s, port_value: 80}}}}"
    endpoints = ", ".join(endpoint % host for host in ("app.internal", "10.0.0.9"))
    text = f"""
static_resources:
  clusters:
  - name: app
    type: {kind}
    load_assignment: {{cluster_name: app, endpoints: [{{lb_endpoints: [{endpoints}]}}]}}
"""
    made = read("envoy", text)
    declare(made, Declarations(hosts={"app.internal": 3}))
    assert len(hits(hostname_multiplies, made)) == number


def test_haproxy_takes_one_address():
    made = read("haproxy", "defaults\nbackend app\n  server a app.internal:80\n  server b 10.0.0.9:80\n")
    declare(made, Declarations(hosts={"app.internal": 3}))
    assert hits(hostname_multiplies, made) == []
    assert hits(hostname_multiplies, config()) == []
