from __future__ import annotations

import pytest
from checks.build import config, hits, pool, server
from checks.read import severities

from lbcheck.checks.placeholders import server_address_unroutable
from lbcheck.dialects import dialect
from lbcheck.files import DiskFiles

ENVOY = """
static_resources:
  clusters:
  - name: app
    type: STATIC
    load_assignment:
      cluster_name: app
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: ADDRESS, port_value: PORT}}}}]}]
"""


def of_nginx(where, path="nginx.conf", inside="http"):
    text = f"{inside} {{ upstream app {{ server {where}; }} }} events {{}}"
    made = dialect("nginx").read([path], DiskFiles(["/nonexistent"], memory={path: text}))[0]
    return [hit.severity for hit in hits(server_address_unroutable, made)]


@pytest.mark.parametrize(
    ("where", "severity"),
    [
        ("0.0.0.0:80", "warning"),
        ("[::]:80", "warning"),
        ("255.255.255.255:80", "error"),
        ("239.1.2.3:80", "error"),
        ("[ff02::1]:80", "error"),
        ("192.0.2.1:80", "warning"),
        ("198.51.100.7:80", "warning"),
        ("203.0.113.255:80", "warning"),
        ("[2001:db8::1]:80", "warning"),
        ("api.example.com:80", "warning"),
        ("web.invalid:80", "warning"),
        ("TODO:80", "error"),
        ("CHANGEME.internal:80", "error"),
        ("change-me:80", "error"),
    ],
)
def test_nothing_is_reached_there(where, severity):
    assert of_nginx(where) == [severity]


@pytest.mark.parametrize(
    "where",
    [
        "10.0.0.1:80", "127.0.0.1:80", "[::1]:80", "192.0.3.1:80", "[2001:db9::1]:80", "todo:80", "todos.internal:80",
        "exchange-media:80", "example:80", "myexample.com:80", "app.example.de:80", "unix:/run/TODO/app.sock",
    ],
)  # fmt: skip
def test_a_real_address(where):
    assert of_nginx(where) == []


def test_an_example_is_told_mildly():
    assert of_nginx("192.0.2.1:80", "examples/nginx.conf") == ["info"]
    assert of_nginx("192.0.2.1:80", "app-tests/conf/nginx.conf") == ["info"]
    assert of_nginx("192.0.2.1:80", "latest/contest/nginx.conf") == ["warning"]


def test_datagrams_may_go_to_many():
    assert of_nginx("239.1.2.3:514", inside="stream") == []


def test_haproxy_sends_where_the_client_wanted_to():
    assert severities("P11", "server a 0.0.0.0:80", "server b [::]:0", "server c 10.0.0.1:0") == []
    assert severities("P11", "server a 192.0.2.1:80") == ["warning"]


def test_a_server_that_is_out_is_a_place_kept():
    assert severities("P11", "server a 192.0.2.1:80 disabled", "server b 10.0.0.1:80") == []


def test_port_0_of_envoy():
    text = ENVOY.replace("ADDRESS", "10.0.0.1").replace("PORT", "0")
    (made,) = dialect("envoy").read(["e.yaml"], DiskFiles(["/nonexistent"], memory={"e.yaml": text}))
    assert [hit.severity for hit in hits(server_address_unroutable, made)] == ["error"]


def test_one_finding_a_pool_about_the_worst():
    servers = [server("a", "192.0.2.1:80"), server("b", "224.0.0.1:80"), server("c", "10.0.0.1:80")]
    (hit,) = hits(server_address_unroutable, config(pool("app", servers)))
    assert (hit.server, hit.severity, len(hit.related)) == ("b", "error", 1)


def of_kubernetes(address, kind="Endpoints"):
    entry = {
        "Endpoints": "apiVersion: v1\nkind: Endpoints\nmetadata: {name: app}\n"
        f"subsets: [{{addresses: [{{ip: '{address}'}}]}}]",
        "ServiceEntry": "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: app}\n"
        "spec: {hosts: [app.internal], ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC, "
        f"endpoints: [{{address: '{address}'}}]}}",
    }[kind]
    text = f"""
apiVersion: v1
kind: Service
metadata: {{name: app}}
spec: {{type: LoadBalancer, ports: [{{port: 80}}]}}
---
{entry}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: app}}
spec: {{hosts: [app.internal], http: [{{route: [{{destination: {{host: app.internal}}}}]}}]}}
"""
    (made,) = dialect("kubernetes").read(["k.yaml"], DiskFiles(["/nonexistent"], memory={"k.yaml": text}))
    assert any(one.address.host == address for pool in made.pools for one in pool.servers)
    return [hit.severity for hit in hits(server_address_unroutable, made)]


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.1.1", "224.0.0.9", "0.0.0.0", "::1", "fe80::1"])
def test_what_the_api_server_refuses_as_an_endpoint(address):
    assert of_kubernetes(address) == ["error"]


def test_a_proxy_beside_the_application_may_go_to_the_loopback():
    assert of_kubernetes("127.0.0.1", "ServiceEntry") == []
    assert of_kubernetes("192.0.2.1", "ServiceEntry") == ["warning"]
    assert of_kubernetes("10.0.0.1") == []
