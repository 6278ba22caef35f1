"""A server that probing calls up answers the real nginx's requests, and one that it calls down does not."""

from __future__ import annotations

import os

import proxies
import pytest
from live.running import planned, probed
from live.stubs import Authority, Stubs, after_proxy, answers

from lbcheck.live.outcome import DOWN, UP

pytestmark = proxies.needs_nginx

OK = answers(b"200 OK")


def compare(folder, cases):
    """Hold each case against nginx; `cases` is name → (place, name of the upstream, directives of the location)."""
    port = proxies.free_port()
    blocks, locations = "", ""
    for number, (where, upstream, directives) in enumerate(cases.values()):
        blocks += f"upstream {upstream} {{ server {where}; }}\n" if upstream else ""
        scheme = "https" if "ssl" in directives else "http"
        locations += f"location /{number}/ {{ {directives} proxy_pass {scheme}://{upstream or where}/; }}\n"
    blocks += f"server {{ listen 127.0.0.1:{port}; proxy_connect_timeout 5s; proxy_read_timeout 1s;\n{locations}}}\n"
    with proxies.nginx(str(folder), blocks, port):
        statuses = []
        for number in range(len(cases)):
            with proxies.Client(port) as client:
                statuses.append(client.answer_to(f"/{number}/").status)
    pools = probed(f"events {{}}\nhttp {{\n{blocks}}}\n", "nginx", str(folder / "nginx.conf"))
    found = {}
    for (name, (where, upstream, _)), status in zip(cases.items(), statuses, strict=True):
        (verdict,) = pools[upstream or where]
        found[name] = (status, verdict.state, verdict.reason)
    assert not {name: said for name, said in found.items() if (UP if said[0] == 200 else DOWN) != said[1]}
    return found


def test_servers(tmp_path):
    ca, other = Authority(tmp_path), Authority(tmp_path, "other")
    middle = ca.below("middle")
    lowest = middle.below("lowest")
    verify = f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {ca.path};"
    with Stubs() as stubs:

        def serve(by=ca, names=("app.test", "*.wild.test"), **options):
            return stubs.server(OK, by.context(*names, **options))

        right = serve()
        address = serve(names=("127.0.0.1",))
        shown = f"proxy_ssl_certificate {ca.client()}; proxy_ssl_certificate_key {ca.client()};"
        cases = {
            "plain": (stubs.server(OK), "u0", ""),
            "closed": (stubs.closed(), "u1", ""),
            "not verified": (serve(by=other), "u2", "proxy_ssl_verify off;"),
            "expired, not verified": (serve(ends=-3, begins=-9), "u3", "proxy_ssl_verify off;"),
            "the upstream's name is wanted": (right, "u4", verify),
            "the upstream's name is right": (right, "app.test", verify),
            "proxy_ssl_name": (right, "u5", f"{verify} proxy_ssl_name app.test;"),
            "proxy_ssl_name with a port": (right, "u6", f"{verify} proxy_ssl_name app.test:443;"),
            "$proxy_host": (right, "u7", f"{verify} proxy_ssl_name $proxy_host;"),
            "wildcard": (right, "x.wild.test", verify),
            "expired": (serve(ends=-3, begins=-9), "u8", f"{verify} proxy_ssl_name app.test;"),
            "another authority": (serve(by=other), "u9", f"{verify} proxy_ssl_name app.test;"),
            "common name beside others": (serve(common="cn.test"), "u10", f"{verify} proxy_ssl_name cn.test;"),
            "an address for a name": (address, None, verify),
            "needs SNI, gets none": (serve(sni="app.test"), "u11", f"{verify} proxy_ssl_name app.test;"),
            "needs SNI": (serve(sni="app.test"), "u12", f"{verify} proxy_ssl_name app.test; proxy_ssl_server_name on;"),
            "one between": (serve(by=middle), "u13", f"{verify} proxy_ssl_name app.test;"),
            "two between": (serve(by=lowest), "u14", f"{verify} proxy_ssl_name app.test;"),
            "two between, allowed": (
                serve(by=lowest), "u15", f"{verify} proxy_ssl_name app.test; proxy_ssl_verify_depth 2;",
            ),
            "TLS to a plain server": (stubs.server(OK), "u16", "proxy_ssl_verify off;"),
            "client certificate": (
                serve(asks_client=True), "u17",
                f"{verify} proxy_ssl_name app.test; {shown}",
            ),
        }  # fmt: skip
        found = compare(tmp_path, cases)
    assert "wants u4" in found["the upstream's name is wanted"][2]
    assert "allows 1" in found["two between"][2]
    assert sum(said[1] == DOWN for said in found.values()) > 7


def test_stream_sends_the_proxy_protocol(tmp_path):
    with Stubs() as stubs:
        secure = stubs.server(OK, Authority(tmp_path).context("app.test"))
        wants = stubs.server(after_proxy(b"PROXY TCP4 127.0.0.1 127.0.0.1", OK))
        servers = (
            "server { listen 1; proxy_pass a; proxy_protocol on; } server { listen 2; proxy_pass b; proxy_ssl on; }"
        )
        text = (
            f"stream {{ upstream a {{ server {wants}; }} upstream b {{ server {secure}; }} {servers} }}\nevents {{}}\n"
        )
        (first,), (second,) = probed(text, "nginx").values()
    assert (first.state, second.state, second.certificate.names) == (UP, UP, ("app.test",))


def test_every_address_of_a_name_is_a_server():
    with Stubs() as stubs:
        port = stubs.server(OK).rpartition(":")[2]
        text = f"events {{}}\nhttp {{ upstream a {{ server app.internal:{port}; }} }}\n"
        hosts = {"app.internal": ["127.0.0.1", "127.77.0.1"]}
        first, second = probed(text, "nginx", hosts=hosts)["a"]
    assert (first.state, first.connected_to) == (UP, f"127.0.0.1:{port}")
    assert (second.state, second.reason) == (DOWN, f"127.77.0.1:{port} refuses the connection")


def test_unix_sockets(tmp_path):
    path = str(tmp_path / "app.sock")
    with Stubs() as stubs:
        stubs.server(OK, path=path)
        text = f"events {{}}\nhttp {{ upstream a {{ server unix:{path}; server unix:{path}.gone; }} }}\n"
        first, second = probed(text, "nginx")["a"]
        assert (first.state, first.connected_to) == (UP, path)
        assert (second.state, second.reason) == ("not_probed", f"there is no socket {path}.gone on this machine")
    if os.path.exists(path):
        first, _ = probed(text, "nginx")["a"]
        assert first.state == DOWN


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("${HOST}:80", "its address is filled in elsewhere"),
        ("10.0.0.1:80 down", "the config has it out of rotation"),
        ("app.test service=http resolve", "its servers come from a DNS SRV record"),
    ],
)
def test_what_cannot_be_tried_says_why(server, reason):
    text = f"events {{}}\nhttp {{ upstream a {{ server {server}; }} }}\n"
    ((server,),) = [pool.servers for pool in planned(text, "nginx")]
    assert (server.target, server.reason) == (None, reason)
