"""One backend each: what HAProxy asks, and a server that behaves in one way."""

# ruff: noqa: E501 - a case is a line

from __future__ import annotations

from live.stubs import after_proxy, answers, closes, hangs, only_if, says, talks

OK = answers(b"200 OK")
V1, V2 = b"PROXY TCP4 ", b"\r\n\r\n\x00\r\nQUIT\n"
HTTP = "option httpchk\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BARE = b"HTTP/1.0 200 OK\r\n\r\n"
LDAP = bytes.fromhex("300c02010161070a010004000400")
LDAP_BUSY = bytes.fromhex("300c02010161070a013304000400")
GREETING = b"\x0a\x00\x00\x00\x0a5.5.5-test"
TCP = "option tcp-check\n"


def http(expect, behave):
    return HTTP + f"http-check expect {expect}\n", "", behave


#: Name → (lines of the backend, options of the server, behaviour of the server); a text as behaviour is a special one.
PLAIN = {
    "200": (HTTP, "", OK),
    "301 is good": (HTTP, "", answers(b"301 Moved", b"", b"Location: http://other.test/")),
    "404": (HTTP, "", answers(b"404 Not Found")),
    "503": (HTTP, "", answers(b"503 Service Unavailable")),
    "closed": (HTTP, "", "closed"),
    "closed, connect only": ("", "", "closed"),
    "open, connect only": ("", "", closes),
    "full, connect only": ("", "", "full"),
    "hangs": (HTTP, "", hangs),
    "closes": (HTTP, "", closes),
    "garbage": (HTTP, "", says(b"\x00\xff\x1b[31mgarbage\r\n\r\n", until=None)),
    "another protocol": (HTTP, "", says(b"220 mail.test ESMTP\r\n", until=None)),
    "ICY": (HTTP, "", says(b"ICY 200 OK\r\n\r\n")),
    "status of two digits": (HTTP, "", says(b"HTTP/1.1 20 OK\r\n\r\n")),
    "status of four digits": (HTTP, "", says(b"HTTP/1.1 2000 OK\r\n\r\n")),
    "no reason phrase": (HTTP, "", says(b"HTTP/1.1 200\r\n\r\n")),
    "lines end in LF": (HTTP, "", says(b"HTTP/1.1 200 OK\nA: b\n\n")),
    "a header without a colon": (HTTP, "", says(b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n")),
    "head in pieces": (HTTP, "", says(b"HTT", b"P/1.1 2", b"00 OK\r\nA: b\r\n", b"\r\n")),
    "half a head, then the end": (HTTP, "", says(b"HTTP/1.1 200 OK\r\nA: b\r\n")),
    "half a head, then nothing": (HTTP, "", says(b"HTTP/1.1 200 OK\r\nA: b\r\n", None)),
    "an interim answer first": (HTTP, "", says(b"HTTP/1.1 102 Wait\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n")),
    "100 first": (HTTP, "", says(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")),
    "101": (HTTP, "", says(b"HTTP/1.1 101 Switch\r\n\r\n")),
    "a request of one's own": ("option httpchk GET /up HTTP/1.1\nhttp-check send hdr Host app.test\n", "", only_if(b"GET /up HTTP/1.1\r\nhost: app.test\r\n")),
    "no Host where it is wanted": ("option httpchk GET /up HTTP/1.1\n", "", only_if(b"host: app.test")),
    "Host behind the version": ("option httpchk HEAD / HTTP/1.1\\r\\nHost:\\ old.test\n", "", only_if(b"host: old.test")),
    "send before the option": ("http-check send hdr Host app.test\noption httpchk GET /up\n", "", only_if(b"GET /up HTTP/1.0\r\nhost: app.test")),
    "a body": (HTTP + "http-check send meth POST uri /p ver HTTP/1.1 body ping\n", "", only_if(b"content-length: 4\r\n")),
    "own steps without a request": ("http-check expect status 200\n", "", hangs),
    "expects 200, gets 301": http("status 200", answers(b"301 Moved")),
    "expects a list": http("status 200,301-308", answers(b"302 Found")),
    "expects not 503, gets it": http("! status 503", answers(b"503 No")),
    "expects not 503": http("! status 503", answers(b"500 No")),
    "expects ^2": http("rstatus ^2", answers(b"204 No Content")),
    "expects ^2, gets 404": http("rstatus ^2", answers(b"404 No")),
    "expects a text": http("string ready", answers(b"200 OK", b"all ready")),
    "expects a text, another comes": http("string ready", answers(b"200 OK", b"not yet")),
    "expects a text, nothing comes": http("string ready", answers(b"200 OK")),
    "expects not a text, nothing comes": http("! string down", answers(b"200 OK")),
    "expects not a text": http("! string down", answers(b"200 OK", b"up")),
    "a text of a 500": http("string ready", answers(b"500 No", b"ready")),
    "a text in pieces": http("string ready", says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nre", b"ady")),
    "a text in chunks": http("string ready", says(CHUNKED + b"2\r\nre\r\n", b"3\r\nady\r\n0\r\n\r\n")),
    "a text until the end": http("rstring re.*dy$", says(BARE + b"re", b"ady")),
    "a text too far away": http("string ready", says(BARE + b"x" * 40_000 + b"ready")),
    "min-recv is not enough": http("min-recv 4 string ready", says(BARE + b"read", None)),
    "a header": http("hdr name x-state value ok", answers(b"200 OK", b"", b"X-State: warm, ok")),
    "a whole header": http("fhdr name x-state value ok", answers(b"200 OK", b"", b"X-State: warm, ok")),
    "a header is there": http("hdr name -m beg x-st", answers(b"200 OK", b"", b"X-State: warm")),
    "a header is not there": http("hdr name x-state", answers(b"200 OK")),
    "a header by a pattern": http("hdr name -m reg ^X-.*e$ value -m reg ^wa", answers(b"200 OK", b"", b"X-State: warm")),
    "two expectations": (HTTP + "http-check expect status 200\nhttp-check expect string ready\n", "", answers(b"200 OK", b"no")),
    "redirected by disable-on-404": (HTTP + "http-check disable-on-404\n", "", answers(b"404 No")),
    "sequence": (HTTP + "http-check connect default\nhttp-check send uri /a ver HTTP/1.1 hdr host a.test\nhttp-check expect status 200\n"
                 "http-check connect\nhttp-check send uri /b meth GET\nhttp-check expect status 200\n", "", only_if(b"/", bad=b"")),
    "sequence, the second fails": (HTTP + "http-check connect default\nhttp-check send uri /a\nhttp-check expect status 200\n"
                                   "http-check connect\nhttp-check send uri /b\nhttp-check expect status 200\n", "", only_if(b"/a")),
    "tcp-check": (TCP + "tcp-check send PING\\r\\n\ntcp-check expect string +PONG\n", "", talks(6, b"+PONG\r\n")),
    "tcp-check, wrong": (TCP + "tcp-check send PING\\r\\n\ntcp-check expect string +PONG\n", "", talks(6, b"-ERR\r\n")),
    "tcp-check, a banner in pieces": (TCP + "tcp-check expect rstring ^SSH-2\n", "", says(b"SS", b"H-2.0-x\r\n", until=None)),
    "tcp-check, unwanted": (TCP + "tcp-check expect ! string ERR\ntcp-check expect string OK\n", "", says(b"O", b"K ERR", until=None)),
    "tcp-check, bytes": (TCP + "tcp-check send-binary 00ff\ntcp-check expect binary ff00\n", "", talks(2, b"\x01\xff\x00")),
    "tcp-check, a pattern of bytes": (TCP + "tcp-check expect rbinary ^0AFF\n", "", says(b"\x0a\xff", until=None)),
    "tcp-check, silence": (TCP + "tcp-check expect string x\n", "", hangs),
    "tcp-check, the end": (TCP + "tcp-check expect string x\n", "", closes),
    "tcp-check, one connection only": (TCP + "tcp-check connect\n", "", closes),
    "redis": ("option redis-check\n", "", talks(14, b"+PONG\r\n")),
    "redis wants a password": ("option redis-check\n", "", talks(14, b"-NOAUTH\r\n")),
    "smtp": ("option smtpchk EHLO lb.test\n", "", talks(b"220 hi\r\n", 14, b"250-hi\r\n250 ok\r\n", 6, b"221 bye\r\n")),
    "smtp, no QUIT": ("option smtpchk\n", "", talks(b"220 hi\r\n", 16, b"250 ok\r\n", 6)),
    "smtp, refused": ("option smtpchk\n", "", talks(b"554 no\r\n", 14, b"250 ok\r\n")),
    "smtp, HELO refused": ("option smtpchk\n", "", talks(b"220 hi\r\n", 16, b"503 no\r\n")),
    "mysql": ("option mysql-check\n", "", talks(len(GREETING).to_bytes(3, "little") + b"\x00" + GREETING)),
    "mysql, blocked": ("option mysql-check\n", "", talks(b"\x09\x00\x00\x00\xff\x69\x04Host bl")),
    "mysql, a user": ("option mysql-check user lb\n", "", talks(len(GREETING).to_bytes(3, "little") + b"\x00" + GREETING + b"\x07\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00")),
    "mysql, a user, denied": ("option mysql-check user lb\n", "", talks(len(GREETING).to_bytes(3, "little") + b"\x00" + GREETING + b"\x09\x00\x00\x02\xff\x15\x04Denied")),
    "mysql, another protocol": ("option mysql-check\n", "", talks(b"SSH")),
    "pgsql": ("option pgsql-check user lb\n", "", talks(17, b"R\x00\x00\x00\x08\x00\x00\x00\x00")),
    "pgsql, an error": ("option pgsql-check user lb\n", "", talks(17, b"E\x00\x00\x00\x08\x00\x00\x00\x00")),
    "ldap": ("option ldap-check\n", "", talks(14, LDAP)),
    "ldap, busy": ("option ldap-check\n", "", talks(14, LDAP_BUSY)),
    "ldap, another protocol": ("option ldap-check\n", "", talks(14, b"HTTP/1.1 400 Bad\r\n")),
    "ssl-hello, a plain server": ("option ssl-hello-chk\n", "", says(b"HTTP/1.1 400 Bad\r\n\r\n", until=None)),
    "PROXY protocol": (HTTP, "send-proxy", after_proxy(V1, OK)),
    "PROXY protocol 2": (HTTP, "send-proxy-v2", after_proxy(V2, OK)),
    "PROXY protocol missing": (HTTP, "", after_proxy(V1, OK)),
    "PROXY protocol for checks": (HTTP, "check-send-proxy", after_proxy(V1, OK)),
    "PROXY protocol in a step": (HTTP + "http-check connect send-proxy\nhttp-check send uri /\n", "", after_proxy(V1, OK)),
    "PROXY protocol not in a step": (HTTP + "http-check connect\nhttp-check send uri /\n", "send-proxy", after_proxy(V1, OK)),
}  # fmt: skip
