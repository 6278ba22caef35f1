"""What probing says about servers that behave badly, names that lead nowhere, and checks that cannot be asked."""

from __future__ import annotations

import builtins
import socket
import time

import pytest
from live.running import planned, probed
from live.stubs import Authority, Stubs, answers, hangs, only_if, says

from lbcheck.live import names
from lbcheck.live.outcome import DOWN, NOT_PROBED, UNKNOWN, UP
from lbcheck.live.target import Connect

OK = answers(b"200 OK")
DEFAULTS = "defaults\n timeout connect 1s\n timeout check 1s\n timeout client 1s\n timeout server 1s\n"
HTTP = "option httpchk\n"


def backend(server, lines=HTTP):
    return f"{DEFAULTS}backend b\n{lines}server s {server}\n"


def one(text, name="haproxy", **wishes):
    (verdicts,) = probed(text, name, **wishes).values()
    (verdict,) = verdicts
    return verdict


@pytest.fixture
def stubs():
    with Stubs() as made:
        yield made


@pytest.fixture
def resolver(monkeypatch):
    """A resolver of our own, for a test shall ask none: name → addresses, or an error to raise."""
    known = {}

    def getaddrinfo(host, *_args, **_options):
        found = known.get(host, socket.gaierror(socket.EAI_NONAME, "no such name"))
        if isinstance(found, Exception):
            raise found
        if callable(found):
            return found()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]

    monkeypatch.setattr(names.socket, "getaddrinfo", getaddrinfo)
    return known


def test_bad_servers_are_named_rightly(stubs, tmp_path):
    ca = Authority(tmp_path)
    secure = f"check ssl verify required ca-file {ca.path}"
    expired, other = ca.context("app.test", ends=-3, begins=-9), ca.context("other.test")
    cases = {
        "closed": (stubs.closed(), "check", "refuses the connection"),
        "full": (stubs.full(), "check", "no connection to"),
        "hangs": (stubs.server(hangs), "check", "no answer to the check from"),
        "expired": (stubs.server(OK, expired), secure, "expired on "),
        "wrong name": (
            stubs.server(OK, other),
            f"{secure} check-sni app.test",
            "is for other.test, and the proxy wants app.test",
        ),
        "503": (stubs.server(answers(b"503 Busy")), "check", "answers 503 Busy, and the check wants status 200-399"),
        "garbage": (stubs.server(says(b"\x1b[2Jboo\r\n", until=None)), "check", "which is no HTTP answer"),
        "301": (stubs.server(answers(b"301 Moved", b"", b"Location: /x")), "check", None),
    }
    text = DEFAULTS + "".join(
        f"backend {name.replace(' ', '_')}\n{HTTP}server s {where} {options}\n"
        for name, (where, options, _) in cases.items()
    )
    found = probed(text)
    for (name, (where, _, reason)), (verdict,) in zip(cases.items(), found.values(), strict=True):
        assert verdict.connected_to == where, name
        if reason is None:
            assert (verdict.state, verdict.status, verdict.reason) == (UP, 301, None)
        else:
            assert verdict.state == DOWN, name
            assert reason in verdict.reason, name
            assert verdict.advice, name
    wants_200 = one(backend(f"{cases['301'][0]} check", HTTP + "http-check expect status 200\n"))
    assert wants_200.reason.endswith("answers 301 Moved (to /x), and the check wants status 200")


def test_a_thousand_servers_within_ten_seconds(stubs):
    """A hundred loopback addresses, ten checks each."""
    places = [stubs.server(OK, host=f"127.0.{number}.2") for number in range(1, 101)]
    patient = DEFAULTS.replace("1s", "9s")  # a busy machine is no slow server
    text = patient + "".join(
        f"backend b{number}\n option httpchk GET /{number}\n"
        + "".join(f" server s{at} {where} check\n" for at, where in enumerate(places))
        for number in range(10)
    )
    began = time.monotonic()
    found = probed(text, concurrency=100, timeout=9)
    assert time.monotonic() - began < 10
    assert [verdict.state for verdicts in found.values() for verdict in verdicts] == [UP] * 1000
    assert stubs.connections == 1000


def test_hanging_servers_cost_no_more_than_the_limits_say(stubs):
    where = stubs.server(hangs)
    text = DEFAULTS + "".join(
        f"backend b{number}\noption httpchk GET /{number}\nserver s {where} check\n" for number in range(60)
    )
    began = time.monotonic()
    found = probed(text, timeout=0.2, concurrency=20)
    assert 0.6 <= time.monotonic() - began < 3
    assert {verdict.state for verdicts in found.values() for verdict in verdicts} == {DOWN}


def test_the_time_for_all_of_it_is_bounded(stubs):
    where = stubs.server(hangs)
    text = DEFAULTS + "".join(
        f"backend b{number}\noption httpchk GET /{number}\nserver s {where} check\n" for number in range(9)
    )
    began = time.monotonic()
    found = probed(text, timeout=0.5, concurrency=3, max_time=0.7)
    assert time.monotonic() - began < 2
    states = [verdict.state for (verdict,) in found.values()]
    assert states == [DOWN] * 3 + [NOT_PROBED] * 6
    assert found["b8"][0].reason == "700 ms were over before (--max-time)"


def test_what_many_pools_share_is_asked_once(stubs):
    where = stubs.server(OK)
    text = DEFAULTS + "".join(f"backend b{number}\n{HTTP}server s {where} check\n" for number in range(5))
    assert [verdict.state for (verdict,) in probed(text).values()] == [UP] * 5
    assert stubs.connections == 1


def test_a_server_that_never_stops_talking(stubs):
    async def endless(_reader, writer):
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    where = stubs.server(endless)
    found = one(backend(f"{where} check", "option tcp-check\ntcp-check expect string never\n"))
    assert (found.state, found.stage) == (DOWN, "check")
    assert len(found.reason) < 250
    assert one(backend(f"{where} check")).state == DOWN


def test_a_pattern_that_takes_for_ever(stubs):
    where = stubs.server(answers(b"200 OK", b"a" * 5000 + b"!"))
    began = time.monotonic()
    found = one(backend(f"{where} check", HTTP + "http-check expect rstring ^(a+)+$\n"))
    assert time.monotonic() - began < 2
    assert (found.state, found.reason) == (UNKNOWN, "the check's regular expression takes too long")


def test_waits_as_long_as_the_proxy_does_and_no_longer(stubs):
    where = stubs.server(says(None))
    quick = one(backend(f"{where} check").replace("check 1s", "check 100ms"), timeout=5)
    assert quick.reason == f"no answer to the check from {where} within 100 ms"
    cut = one(backend(f"{where} check").replace("check 1s", "check 20s"), timeout=0.2)
    assert cut.reason == f"no answer to the check from {where} within 200 ms (--timeout; the proxy waits 20 s)"
    interval = one(backend(f"{where} check inter 150").replace(" timeout check 1s\n", ""), timeout=5)
    assert interval.reason == f"no answer to the check from {where} within 150 ms"


def test_names(stubs, resolver):
    port = stubs.server(OK).rpartition(":")[2]
    resolver["app.test"] = ["127.0.0.1", "127.66.0.1"]
    first = one(backend(f"app.test:{port} check"))
    assert (first.state, first.connected_to) == (UP, f"127.0.0.1:{port}")
    gone = one(backend(f"gone.test:{port} check"))
    assert (gone.state, gone.stage) == (DOWN, "dns")
    assert gone.reason == "no address is known for gone.test, and HAProxy does not start while a name has none"
    for starts in ("init-addr last,libc,none", "init-addr 127.0.0.1", "resolvers r"):
        later = one(f"resolvers r\n nameserver a 127.0.0.1:53\n{backend(f'gone.test:{port} check {starts}')}")
        assert later.reason == "no address is known for gone.test"
    resting = one(backend(f"gone.test:{port} check disabled"))
    assert (resting.state, resting.reason) == (DOWN, gone.reason)
    disabled = one(backend(f"gone.test:{port} check", f"disabled\n{HTTP}"))
    assert (disabled.state, disabled.reason) == (NOT_PROBED, "the config has it out of rotation")
    resting = one(backend(f"app.test:{port} check disabled"))
    assert (resting.state, resting.reason) == (NOT_PROBED, "the config has it out of rotation")
    resolver["slow.test"] = lambda: time.sleep(0.6) or []
    slow = one(backend(f"slow.test:{port}"), timeout=0.2)
    assert "the resolver gives no answer about slow.test within 0.2 s" in slow.reason
    resolver["offline.test"] = socket.gaierror(socket.EAI_AGAIN, "try again")
    assert "cannot say now" in one(backend(f"offline.test:{port}")).reason
    mapped = one(backend(f"Mapped.Test:{port} check"), hosts={"mapped.test": ["127.0.0.1"]})
    assert mapped.state == UP


def test_the_server_that_a_server_follows(stubs):
    up, down = stubs.server(OK), stubs.closed()
    text = f"{DEFAULTS}backend a\n{HTTP}server s {down} check\nbackend b\nserver t {up} track a/s\n"
    (_,), (follows,) = probed(text).values()
    assert (follows.state, follows.stage) == (DOWN, "tcp")
    ((_,), (told,)) = [pool.servers for pool in planned(text)]
    assert told.target.asked == "OPTIONS /, status 200-399 (of s, which it follows)"
    assert told.target.traffic == Connect("127.0.0.1", int(up.rpartition(":")[2]))


@pytest.mark.parametrize(
    ("lines", "options", "gap"),
    [
        (HTTP + 'http-check send uri "$WHAT"\n', "", "a variable holds a part of it"),
        (HTTP, 'port "$WHERE"', "a variable holds a part of it"),
        (HTTP + "http-check send hdr x %[uuid()]\n", "", "it uses a log-format expression"),
        (HTTP + "http-check send uri-lf /%H\n", "", "it uses a log-format expression"),
        (HTTP + "http-check expect status 500 error-status L7OKC\n", "", "what it expects is not understood here"),
        (HTTP, "proto h2 check-proto h2", "it speaks HTTP/2"),
        ("option external-check\n", "", "a check of the kind external is not asked from here"),
        ("option spop-check\n", "", "a check of the kind spop is not asked from here"),
        ("option tcp-check\ntcp-check connect port int(80)\n", "", "its port is an expression"),
    ],
)
def test_checks_that_cannot_be_asked_are_named(stubs, lines, options, gap):
    found = one(backend(f"{stubs.server(OK)} check {options}", lines))
    assert (found.state, found.stage) == (UNKNOWN, "tcp")
    assert found.reason.startswith("its check was not asked: ")
    assert gap in found.reason
    assert one(backend(f"{stubs.closed()} check {options}", lines)).state == DOWN


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("127.0.0.1", "its port is that which the client came to"),
        ('"$HOST":80', "its address is filled in elsewhere"),
        ("127.0.0.1:80 disabled", "the config has it out of rotation"),
        ("abns@app", "its socket has no place among the files"),
        ("_http._tcp.app.test:80", "its servers come from a DNS SRV record"),
        ("127.0.0.1:80 socks4 127.0.0.1:1", "the proxy reaches it through a SOCKS proxy"),
    ],
)
def test_servers_that_cannot_be_tried_say_why(server, reason):
    found = one(backend(server, ""))
    assert (found.state, found.reason) == (NOT_PROBED, reason)


def test_tls_without_its_files(stubs, tmp_path):
    ca = Authority(tmp_path)
    where = stubs.server(OK, ca.context("app.test"))
    missing = one(backend(f"{where} check ssl verify required ca-file /srv/none.pem"))
    assert missing.state == UNKNOWN
    assert missing.reason == "its certificate was not verified: /srv/none.pem: no such file (--root finds it)"
    assert missing.certificate.names == ("app.test",)
    found = one(
        backend(f"{where} check ssl verify required ca-file {ca.path[len(str(tmp_path)) :]}"), root=str(tmp_path)
    )
    assert (found.state, found.certificate.verified) == (UP, True)
    based = f"global\n ca-base {tmp_path}\n" + backend(f"{where} check ssl verify required ca-file ca.pem")
    assert one(based).state == UP
    usual = f"global\n ssl-server-verify none\n{backend(f'{where} check ssl')}"
    assert (one(usual).state, one(usual).certificate.verified) == (UP, None)
    wants = stubs.server(OK, ca.context("app.test", asks_client=True))
    shows = one(backend(f"{wants} check ssl verify none crt /srv/none.pem"))
    assert (shows.state, "to show to it is not here" in (shows.reason or "")) != (UP, False)


def test_what_the_proxy_lets_pass_is_said(stubs, tmp_path):
    ca = Authority(tmp_path)
    expired = one(backend(f"{stubs.server(OK, ca.context('a.test', ends=-3, begins=-9))} check ssl verify none"))
    assert expired.state == UP
    assert expired.certificate.days == -4
    assert [warning.endswith("; the proxy does not verify it") for warning in expired.warnings] == [True]
    soon = one(
        backend(f"{stubs.server(OK, ca.context('a.test', ends=5.5))} check ssl verify required ca-file {ca.path}")
    )
    assert soon.warnings == ("its certificate expires in 5 days",)
    fine = one(backend(f"{stubs.server(OK, ca.context('a.test', ends=60.5))} check ssl verify none"))
    assert (fine.certificate.days, fine.warnings) == (60, ())
    assert "CA" in fine.certificate.issuer or "trustme" in fine.certificate.issuer


def test_without_cryptography_the_verdict_stays(stubs, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **options):
        if name.partition(".")[0] == "cryptography":
            raise ImportError(name)
        return real(name, *args, **options)

    ca = Authority(tmp_path)
    late = stubs.server(OK, ca.context("a.test", ends=-3, begins=-9))
    right = stubs.server(OK, ca.context("a.test", ends=60.5))
    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr("lbcheck.live.certificates.decodes", lambda: False)
    secure = f"check ssl verify required ca-file {ca.path}"
    found = one(backend(f"{late} {secure}"))
    assert (found.state, found.certificate) == (DOWN, None)
    assert "has expired" in found.reason
    assert one(backend(f"{right} {secure}")).certificate.days == 60
    assert one(backend(f"{right} check ssl verify none")).certificate is None


NATIVE = """lbcheck: v1
pools:
  - name: app
    health_check: {check}
    servers: [{{address: "{where}"}}]
"""


@pytest.mark.parametrize(
    ("check", "behave", "state", "reason"),
    [
        ("false", OK, UP, None),
        ("{type: http, path: /up, host: app.test}", only_if(b"GET /up HTTP/1.1\r\nhost: app.test\r\n"), UP, None),
        ("{type: http, path: /up}", answers(b"302 Found"), UP, None),
        (
            "{type: http, path: /up}",
            answers(b"404 Not Found"),
            DOWN,
            "answers 404 Not Found, and the check wants status 200-399",
        ),
        ("{type: http, expect: 2xx}", answers(b"302 Found"), DOWN, "wants status 2xx"),
        ("{type: http, expect: 200-299}", answers(b"204 No Content"), UP, None),
        ("{type: http, expect: ready}", answers(b"200 OK", b"all ready"), UP, None),
        ("{type: http, expect: ready}", answers(b"200 OK", b"not yet"), DOWN, "wants its text in the body"),
        ("{type: http, timeout: 100ms}", hangs, DOWN, "no answer to the check"),
        ("{type: grpc}", hangs, UNKNOWN, "its check was not asked: gRPC's is spoken in HTTP/2"),
        ("{type: tls}", says(b"boo\r\n\r\n", until=None), DOWN, "does not speak TLS"),
    ],
)
def test_native(stubs, check, behave, state, reason):
    found = one(NATIVE.format(check=check, where=stubs.server(behave)), "native")
    assert found.state == state, found
    assert (reason or "") in (found.reason or "")


def test_native_over_tls(stubs, tmp_path):
    where = stubs.server(OK, Authority(tmp_path).context("app.test"))
    for check in ("{type: https}", "{type: tls}"):
        found = one(NATIVE.format(check=check, where=where), "native")
        assert (found.state, found.certificate.names) == (UP, ("app.test",))


ENVOY = """\
static_resources:
  clusters:
  - name: app
    type: STATIC
    health_checks: {check}
    load_assignment:
      cluster_name: app
      endpoints:
      - lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: {host}, port_value: {port}}}}}}}}}]
"""
ENVOY_CHECK = "[{{timeout: 0.2s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, {}}}]"


@pytest.mark.parametrize(
    ("check", "behave", "state", "reason"),
    [
        ("", OK, UP, None),
        ("http_health_check: {path: /up}", only_if(b"GET /up HTTP/1.1\r\nhost: app\r\n"), UP, None),
        ("http_health_check: {path: /up}", answers(b"302 Found"), DOWN, "the check wants status 200"),
        (
            "http_health_check: {path: /up, expected_statuses: [{start: 200, end: 400}]}",
            answers(b"302 Found"),
            UP,
            None,
        ),
        ("http_health_check: {path: /up}", hangs, DOWN, "no answer to the check"),
        ("tcp_health_check: {}", hangs, UP, None),
        ("tcp_health_check: {send: {text: '00'}}", hangs, UNKNOWN, "its check was not asked"),
    ],
)
def test_envoy(stubs, check, behave, state, reason):
    host, port = stubs.server(behave).split(":")
    text = ENVOY.format(check=ENVOY_CHECK.format(check) if check else "[]", host=host, port=port)
    found = one(text, "envoy")
    assert found.state == state, found
    assert (reason or "") in (found.reason or "")


def test_secrets_are_not_shown():
    text = backend(
        "127.0.0.1:80 check", "option httpchk GET /up?token=hunter2\nhttp-check send hdr Authorization hunter2\n"
    )
    from lbcheck.live.plan import reported

    (pool,) = [reported(pool, None) for pool in planned(text)]
    assert "hunter2" not in repr(pool)
    assert pool.servers[0].asked.startswith("GET /up?token=*")


@pytest.mark.parametrize(("lines", "parameters"), [(HTTP, "check agent-check agent-port 9"), ("", "agent-check")])
def test_an_agent_is_not_asked_and_that_is_said(stubs, lines, parameters):
    place = stubs.server(OK)
    verdict = one(backend(f"{place} {parameters}", lines))
    assert (verdict.state, verdict.reason) == (UNKNOWN, "its agent, which may take it out, was not asked")
    assert one(backend(f"{place} {parameters} no-agent-check", lines)).state == UP
