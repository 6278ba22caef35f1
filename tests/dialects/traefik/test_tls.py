"""A router with `tls` takes requests over TLS alone, one without takes plain ones alone, on the same port."""

from __future__ import annotations

import pytest
from changes.read import versions
from cli.running import lbcheck
from dialects.traefik.asked import dynamic, told

from lbcheck.changes.compare import compare
from lbcheck.changes.rerouted import rerouted

PLAIN, SECURE = dynamic(), dynamic("tls: {}")
WIDE = {"COLUMNS": "200"}
STATIC = """\
entryPoints:
  web:
    address: ":80"
    http:
      middlewares: []
providers:
  file: {filename: /etc/traefik/dynamic.yaml}
"""


@pytest.mark.parametrize(("old", "new"), [(PLAIN, SECURE), (SECURE, PLAIN)])
def test_tls_is_part_of_who_gets_in(tmp_path, old, new):
    said = told(tmp_path, "diff", old, new, name="dynamic.yaml")
    gone, come = ("", " over TLS") if old is PLAIN else (" over TLS", "")
    assert said[-3:-1] == [
        f"rerouted: gone: web{gone}, host exact x.example.com: pool a and pool b",
        f"rerouted: new: web{come}, host exact x.example.com: pool a and pool b",
    ]
    assert said[-1].startswith("How much traffic moves is not known")


def test_one_more_router_over_tls_leaves_the_plain_one_what_it_has(tmp_path):
    more = '    s: {rule: "Host(`x.example.com`)", entryPoints: [web], service: w, tls: {}}'
    both = PLAIN.replace("  services:", f"{more}\n  services:")
    said = told(tmp_path, "diff", PLAIN, both, name="dynamic.yaml")
    assert [line for line in said if line.startswith("rerouted")] == [
        "rerouted: new: web over TLS, host exact x.example.com: pool a and pool b"
    ]


def project(folder, side, dynamic, static=STATIC):
    (folder / side).mkdir()
    (folder / side / "traefik.yaml").write_text(static)
    (folder / side / "dynamic.yaml").write_text(dynamic)
    return side


def test_which_requests_of_a_port_are_rerouted(tmp_path):
    done = lbcheck(tmp_path, "diff", project(tmp_path, "old", PLAIN), project(tmp_path, "new", SECURE), env=WIDE)
    pools = "pool a (50 %) and pool b (50 %)"
    assert f"rerouted: x.example.com:80/ without TLS goes to no pool, before to {pools}" in done.stdout
    assert f"rerouted: x.example.com:80/ over TLS goes to {pools}, before to no pool" in done.stdout


def test_all_routers_of_an_entry_point_with_tls_speak_it(tmp_path):
    static = STATIC.replace("middlewares: []", "tls: {}")
    old, new = (project(tmp_path, side, text, static) for side, text in (("old", PLAIN), ("new", SECURE)))
    done = lbcheck(tmp_path, "diff", old, new)
    assert done.stdout.splitlines()[-1].startswith("0 % of the traffic moves")


def test_an_ingress_route_with_tls():
    route = """\
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: shop}
spec:
  entryPoints: [web]
  routes: [{match: Host(`shop.example.com`), kind: Rule, services: [{name: web, port: 80}]}]
"""
    old, new = (versions("kubernetes", {"a.yaml": text}) for text in (route, route + "  tls: {}\n"))
    assert rerouted(compare(old, new))
    assert not rerouted(compare(old, old))


def test_a_static_file_in_flow_style_is_read_too(tmp_path):
    """Its listener was not, so that nobody knew on which port requests come."""
    flow = """\
entryPoints: {web: {address: ":80"}}
providers: {file: {filename: /etc/traefik/dynamic.yaml}}
"""
    half = 'entryPoints:\n  web: {address: ":80"}\n'
    for number, static in enumerate((flow, half + flow.splitlines()[1])):
        old, new = (project(tmp_path, f"{side}{number}", text, static) for side, text in (("a", PLAIN), ("b", SECURE)))
        done = lbcheck(tmp_path, "diff", old, new, env=WIDE)
        assert "rerouted: x.example.com:80/ without TLS goes to no pool" in done.stdout
