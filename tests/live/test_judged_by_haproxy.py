"""What probing calls up or down is what the real HAProxy makes of the same servers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time

import proxies
from live.cases import HTTP, OK, PLAIN
from live.running import probed
from live.stubs import Authority, Stubs, after_proxy, answers, hangs, says

from lbcheck.live.outcome import DOWN, UP

pytestmark = proxies.needs_haproxy

_DEFAULTS = """defaults
 mode tcp
 timeout connect 2s
 timeout check 2s
 timeout client 1s
 timeout server 1s
 default-server inter 2500ms
"""


def judged(folder, text, count):
    """Return server "pool/server" → (status, check_status) as the real HAProxy has it after its first checks."""
    stats, port = f"{folder}/stats", proxies.free_port()
    whole = f" stats socket {stats}\n{text}frontend f\n bind 127.0.0.1:{port}\n"
    with proxies.haproxy(str(folder), whole, port):
        end = time.monotonic() + 15
        found = {}
        while time.monotonic() < end and (
            len(found) < count or any(check in {"", "INI"} or "*" in check for _, check in found.values())
        ):
            time.sleep(0.1)
            found = _stat(stats)
    return found


def _stat(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)
        one.sendall(b"show stat -1 4 -1\n")
        data = b""
        while piece := one.recv(65536):
            data += piece
    lines = data.decode().lstrip("# ").splitlines()
    names = lines[0].split(",")
    rows = [dict(zip(names, line.split(","), strict=False)) for line in lines[1:] if line]
    return {f"{row['pxname']}/{row['svname']}": (row["status"], row["check_status"]) for row in rows}


def place(stubs, behave, tls=None):
    if behave == "closed":
        return stubs.closed()
    if behave == "full":
        return stubs.full()
    return stubs.server(behave, tls)


def backend(number, lines, where, options):
    return f"backend b{number}\n{lines}server s {where} check {options}\n"


def compare(folder, cases):
    """Hold every case against HAProxy; `cases` is name → (lines, options, place)."""
    text = _DEFAULTS + "".join(
        backend(number, lines, where, options) for number, (lines, options, where) in enumerate(cases.values())
    )
    real = judged(folder, text, len(cases))
    found = probed(text)
    assert len(found) == len(cases)
    states = {}
    for number, name in enumerate(cases):
        status, check = real[f"b{number}/s"]
        (verdict,) = found[f"b{number}"]
        states[name] = (status.split(" ", 1)[0], check, verdict.state, verdict.reason)
    wrong = {name: said for name, said in states.items() if (UP if said[0] == "UP" else DOWN) != said[2]}
    assert not wrong
    return states


def test_plain_servers(tmp_path):
    with Stubs() as stubs:
        cases = {name: (lines, options, place(stubs, behave)) for name, (lines, options, behave) in PLAIN.items()}
        states = compare(tmp_path, cases)
    down = [said for said in states.values() if said[2] == DOWN]
    assert 30 < len(down) < len(states) - 20
    assert all(reason for *_, reason in down)


def test_tls_servers(tmp_path):
    ca, other = Authority(tmp_path), Authority(tmp_path, "other")
    verify = f"ssl verify required ca-file {ca.path}"
    good = ca.context("app.test", "*.wild.test")
    with Stubs() as stubs:

        def serve(behave=OK, **options):
            names = options.pop("names", ("app.test", "*.wild.test"))
            return stubs.server(behave, options.pop("by", ca).context(*names, **options))

        right = stubs.server(OK, good)
        cases = {
            "not verified": (HTTP, "ssl verify none", serve(by=other)),
            "expired, not verified": (HTTP, "ssl verify none", serve(ends=-3, begins=-9)),
            "verified": (HTTP, verify, right),
            "expired": (HTTP, verify, serve(ends=-3, begins=-9)),
            "not valid yet": (HTTP, verify, serve(begins=3)),
            "another authority": (HTTP, verify, serve(by=other)),
            "right SNI": (HTTP, f"{verify} check-sni app.test", right),
            "wrong SNI": (HTTP, f"{verify} check-sni web.test", right),
            "wildcard": (HTTP, f"{verify} check-sni x.wild.test", right),
            "wildcard, two labels": (HTTP, f"{verify} check-sni x.y.wild.test", right),
            "verifyhost": (HTTP, f"{verify} verifyhost app.test", right),
            "wrong verifyhost": (HTTP, f"{verify} verifyhost web.test", right),
            "wrong verifyhost, right SNI": (HTTP, f"{verify} verifyhost web.test check-sni app.test", right),
            "wrong verifyhost, not verified": (HTTP, "ssl verify none verifyhost web.test", right),
            "traffic's SNI is not the check's": (HTTP, f"{verify} sni str(web.test)", right),
            "common name beside others": (HTTP, f"{verify} verifyhost cn.test", serve(common="cn.test")),
            "needs SNI": (HTTP, f"{verify} check-sni app.test", serve(sni="app.test")),
            "needs SNI, gets none": (HTTP, verify, serve(sni="app.test")),
            "TLS, 503": (HTTP, verify, serve(answers(b"503 No"))),
            "TLS, hangs then": (HTTP, verify, serve(hangs)),
            "TLS to a plain server": (HTTP, verify, stubs.server(says(b"HTTP/1.1 400 Bad\r\n\r\n", until=None))),
            "TLS to a server that waits": (HTTP, verify, stubs.server(OK)),
            "TLS to a silent server": (HTTP, verify, stubs.server(hangs)),
            "TLS to a closed port": (HTTP, verify, stubs.closed()),
            "plain to a TLS server": (HTTP, "", right),
            "check-ssl": (HTTP, f"check-ssl verify required ca-file {ca.path}", right),
            "no-check-ssl": (HTTP, f"{verify} no-check-ssl", right),
            "another port drops TLS": (HTTP, f"{verify} port {right.rpartition(':')[2]}", right),
            "another port, check-ssl": (HTTP, f"{verify} port {right.rpartition(':')[2]} check-ssl", right),
            "connect only": ("", verify, right),
            "connect only, expired": ("", verify, serve(ends=-3, begins=-9)),
            "step with TLS": ("option tcp-check\ntcp-check connect ssl\n", f"verify required ca-file {ca.path}", right),
            "step without TLS": (
                "option tcp-check\ntcp-check connect\ntcp-check send x\\r\\n\\r\\n\ntcp-check expect string HTTP\n",
                verify,
                right,
            ),
            "step with another name": (
                HTTP + "http-check connect ssl sni web.test\nhttp-check send uri /\n",
                verify,
                right,
            ),
            "ssl-hello": ("option ssl-hello-chk\n", "", right),
            "client certificate": (HTTP, f"{verify} crt {ca.client()}", serve(asks_client=True)),
            "no client certificate": (HTTP, verify, serve(asks_client=True)),
            "authority above not sent": (HTTP, verify, serve(by=ca.below("middle"))),
        }
        states = compare(tmp_path, cases)
    assert ", 3 days ago" in states["expired"][3]
    assert "is for app.test, *.wild.test, and the proxy wants web.test" in states["wrong SNI"][3]
    assert "does not speak TLS" in states["TLS to a plain server"][3]


def test_proxy_protocol_before_tls(tmp_path):
    """asyncio's servers cannot read before TLS begins, so HAProxy itself is the server."""
    port, ca = proxies.free_port(), Authority(tmp_path)
    with Stubs() as stubs:
        where, pem = stubs.server(OK), ca.client("server")
        inner = (
            f"defaults\n mode tcp\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"
            f"listen l\n bind 127.0.0.1:{port} ssl crt {pem} accept-proxy\n server s {where}\n"
        )
        (tmp_path / "inner").mkdir()
        with proxies.haproxy(str(tmp_path / "inner"), inner, port):
            here = f"127.0.0.1:{port}"
            secure = f"ssl verify required ca-file {ca.path} check-sni server.test"
            states = compare(
                tmp_path,
                {
                    "1": (HTTP, f"{secure} send-proxy", here),
                    "2": (HTTP, f"{secure} send-proxy-v2", here),
                    "none": (HTTP, secure, here),
                    "not where the check goes": (HTTP, f"{secure} send-proxy port {port}", here),
                },
            )
    assert [said[2] for said in states.values()] == [UP, UP, DOWN, DOWN]


#: Backends whose requests are to be the same to the byte.
ASKED = [
    "option httpchk\n",
    "option httpchk /up\n",
    "option httpchk HEAD /up HTTP/1.1\nhttp-check send hdr Host app.test hdr X-Y 'a b' hdr User-Agent lb\n",
    "option httpchk\nhttp-check send meth POST uri /p ver HTTP/1.1 hdr host app.test body hello\n",
    "option httpchk GET /old HTTP/1.1\\r\\nHost:\\ old.test\\r\\nX-A:\\ b\n",
    "option httpchk GET /e\nhttp-check send hdr Host e.test meth PUT\n",
    "option httpchk\nhttp-check send ver HTTP/1.1 hdr Connection keep-alive\n",
    "option httpchk\nhttp-check send ver HTTP/1.0 hdr Connection keep-alive\n",
    "option httpchk DELETE /x\n",
    "option httpchk\nhttp-check send meth PATCH uri /p ver HTTP/1.1\n",
    "http-check send hdr Host app.test meth POST body hi\noption httpchk GET /after\n",
    "option httpchk GET /x HTTP/1.1\nhttp-check connect default\nhttp-check send hdr Host e.test hdr A b hdr A c\n",
    "option tcp-check\ntcp-check send-binary 00ff10\n",
    "option mysql-check user lb\n",
    "option mysql-check user lb pre-41\n",
    "option pgsql-check user bob\n",
    "option ldap-check\n",
    "option redis-check\n",
    "option ssl-hello-chk\n",
]


def test_asks_byte_for_byte(tmp_path):
    heard = {}
    with Stubs() as stubs:

        def hearing(number):
            async def behave(reader, _writer):
                data = b""
                with contextlib.suppress(OSError):  # it may be over, or reset
                    async with asyncio.timeout(0.3):  # a PROXY header may come apart from what follows
                        while piece := await reader.read(65536):
                            data += piece
                heard.setdefault(number, []).append(data)

            return behave

        text = _DEFAULTS + "".join(
            backend(number, lines, stubs.server(hearing(number)), "send-proxy-v2" if number % 2 else "")
            for number, lines in enumerate(ASKED)
        )
        judged(tmp_path, text, len(ASKED))
        real = {number: pieces[0] for number, pieces in heard.items()}
        heard.clear()
        probed(text)
    wanted, found = (
        {number: _timeless(data) for number, data in one.items()} for one in (real, {n: d[0] for n, d in heard.items()})
    )
    assert found == wanted
    assert len(found) == len(ASKED)


def _timeless(data):
    """Take out the time that `option ssl-hello-chk` sends, and what of the PROXY protocol does not matter."""
    at = data.find(b"HAPROXYSSLCHK")
    return data[: at - 4] + data[at:] if at > 4 else data


def test_nothing_is_called_up_that_is_elsewhere_closed():
    """HAProxy keeps sending requests to a closed port whose check asks another one: the probe says so."""
    with Stubs() as stubs:
        good, closed = stubs.server(after_proxy(b"PROXY ", OK)), stubs.closed()
        text = f"{_DEFAULTS}backend b\n{HTTP}server s {closed} check port {good.rpartition(':')[2]} check-send-proxy\n"
        (verdict,) = probed(text)["b"]
    assert verdict.state == DOWN
    assert "refuses the connection; the check passes elsewhere" in verdict.reason
