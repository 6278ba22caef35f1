"""Which endpoints of a Service get connections: by the name of its port, and by their conditions, for all who ask."""

from __future__ import annotations

import pytest
from dialects.kubernetes.manifests import ingress, joined, said

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {TYPE, ports: [{PORT}]}
"""
OBJECTS = {
    "EndpointSlice": """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a-1, labels: {kubernetes.io/service-name: a}}
addressType: IPv4
ports: [{PORTS}]
endpoints: [{addresses: [10.1.0.1]}, {addresses: [10.1.0.2]}]
""",
    "Endpoints": """\
apiVersion: v1
kind: Endpoints
metadata: {name: a}
subsets: [{addresses: [{ip: 10.1.0.1}, {ip: 10.1.0.2}], ports: [{PORTS}]}]
""",
}
#: Who asks: an Ingress of some class, or kube-proxy for clients outside.
ASKERS = {"ingress-nginx": "nginx", "another": "traefik", "nobody knows": "", "kube-proxy": None}


def shop(asker, port, endpoints):
    kind = ASKERS[asker]
    service = SERVICE.replace("PORT", port).replace("TYPE", "type: LoadBalancer" if kind is None else "type: ClusterIP")
    return joined(service, endpoints, *([] if kind is None else [ingress(kind=kind)]))


def outcome(told):
    if "shares not known" in told:
        return "not known"
    return "nobody" if "100 % ✕ unserved" in told else "all" if "50 % each" in told else told


NAMED = "name: http, port: 80, targetPort: 8080"
BY_NAME = "name: http, port: 80, targetPort: http"
BARE = "port: 80, targetPort: 8080"


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize(
    ("port", "ports", "expected"),
    [
        (NAMED, "name: http, port: 8080", ("all", "all", "all", "all")),
        (NAMED, "name: other, port: 9999", ("all", "nobody", "not known", "nobody")),
        (NAMED, "port: 8080", ("all", "nobody", "not known", "nobody")),
        (BY_NAME, "name: other, port: 9999", ("nobody", "nobody", "nobody", "nobody")),
        (BARE, "port: 8080", ("all", "all", "all", "all")),
        (BARE, "name: http, port: 8080", ("all", "nobody", "not known", "nobody")),
        (NAMED, "name: http, port: 8080, protocol: UDP", ("nobody", "nobody", "nobody", "nobody")),
    ],
)
def test_a_port_is_found_by_its_name(tmp_path, kind, port, ports, expected):
    made = OBJECTS[kind].replace("PORTS", ports)
    assert tuple(outcome(said(tmp_path, "traffic", shop(asker, port, made))) for asker in ASKERS) == expected


def test_where_nobody_knows_who_asks_it_is_said_why(tmp_path):
    text = shop("nobody knows", NAMED, OBJECTS["EndpointSlice"].replace("PORTS", "name: other, port: 9999"))
    told = said(tmp_path, "traffic", text, None, "--output-format", "json")
    assert "its endpoints have no port of the Service's name: kube-proxy sends them nobody, ingress-nginx does" in told


def test_the_number_is_that_of_the_port_that_is_found(tmp_path):
    def told(asker, *ports):
        made = OBJECTS["EndpointSlice"].replace("{PORTS}", ", ".join(ports))
        return said(tmp_path, "traffic", shop(asker, NAMED, made), None, "--output-format", "json")

    both = ("{name: http, port: 8081}", "{name: other, port: 9999}")
    assert '"address": "10.1.0.1:8081"' in told("another", *both)
    assert '"address": "10.1.0.1:8080"' in told("ingress-nginx", "{name: other, port: 9999}")


def test_a_change_of_the_name_is_no_small_one(tmp_path):
    old, new = (
        shop("another", NAMED, OBJECTS["EndpointSlice"].replace("PORTS", f"name: {name}, port: 8080"))
        for name in ("http", "web")
    )
    assert "100 % of the traffic moves" in said(tmp_path, "diff", new, old)


ENDED = "{ready: false, serving: true, terminating: true}"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (ENDED, ENDED, ("nobody", "not known", "not known", "all")),
        (ENDED, ENDED.replace("serving: true", "serving: false"), ("nobody", "not known", "not known", "one")),
        (ENDED, "{ready: true}", ("one", "one", "one", "one")),
        ("{ready: false}", "{ready: false}", ("nobody", "nobody", "nobody", "nobody")),
    ],
)
def test_kube_proxy_falls_back_on_endpoints_that_are_terminating(tmp_path, first, second, expected):
    made = OBJECTS["EndpointSlice"].replace("PORTS", "name: http, port: 8080")
    for number, conditions in enumerate((first, second), 1):
        made = made.replace(f"[10.1.0.{number}]", f"[10.1.0.{number}], conditions: {conditions}")

    def told(asker):
        found = said(tmp_path, "traffic", shop(asker, NAMED, made))
        return "one" if "100 % 10" in found or "0 % disabled" in found else outcome(found)

    assert tuple(map(told, ASKERS)) == expected


def test_beside_an_ingress_what_kube_proxy_does_is_not_all(tmp_path):
    made = OBJECTS["EndpointSlice"].replace("PORTS", "name: other, port: 8080")
    assert "not known" in said(tmp_path, "traffic", joined(shop("kube-proxy", NAMED, made), ingress()))


@pytest.mark.parametrize(("address", "expected"), [("10.96.0.1", "nobody"), ("None", "all")])
def test_ingress_nginx_that_goes_to_the_service_itself_gets_what_kube_proxy_has(tmp_path, address, expected):
    service = SERVICE.replace("PORT", NAMED).replace("TYPE", f'clusterIP: "{address}"')
    made = OBJECTS["EndpointSlice"].replace("PORTS", "name: other, port: 8080")
    told = said(tmp_path, "traffic", joined(service, made, ingress(service_upstream="true")))
    assert outcome(told) == expected
