"""HAProxy's checks of other protocols: what each says and waits for (src/tcpcheck.c, as Debian's 2.6.12 has it)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lbcheck.live.steps import connected
from lbcheck.live.target import Expect, ImpossibleError, Send

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.live.steps import Open
    from lbcheck.live.target import Step

#: The ciphers that `option ssl-hello-chk` offers: those of SSLv3 and TLS 1.0.
_CIPHERS = b"".join(number.to_bytes(2, "big") for number in (*range(0x01, 0x1C), *range(0x2F, 0x3B)))


def of_kind(kind: str, arguments: Sequence[str]) -> list[Open | Step]:
    """Return the steps of `option KIND-check ARGUMENTS`. Raises ImpossibleError for what cannot be asked from here."""
    make = _KINDS.get(kind)
    if make is None:
        raise ImpossibleError(f"a check of the kind {kind} is not asked from here")
    return connected(make([text.encode("utf-8", "surrogateescape") for text in arguments]))


def _hello(arguments: Sequence[bytes]) -> list[Open | Step]:
    del arguments
    random = int(time.time()).to_bytes(4, "big") + b"HAPROXYSSLCHK\nHAPROXYSSLCHK\n"
    body = b"\x03\x00" + random + b"\x00" + len(_CIPHERS).to_bytes(2, "big") + _CIPHERS + b"\x01\x00"
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    record = b"\x16\x03\x00" + len(message).to_bytes(2, "big") + message
    return [Send(record), Expect("rbinary", b"^1[56]", least=5, words="a TLS answer")]


def _smtp(arguments: Sequence[bytes]) -> list[Open | Step]:
    helo = b" ".join(arguments[:2]) if len(arguments) > 1 and arguments[0] in {b"EHLO", b"HELO"} else b"HELO localhost"
    return [
        Expect("rstring", rb"^[0-9]{3}[ \r]", least=4, words="SMTP's greeting"),
        Expect("rstring", rb"^2[0-9]{2}[ \r]", least=4, words="SMTP's greeting with a code 2xx"),
        Send(helo + b"\r\n"),
        Expect("rstring", rb"^(2[0-9]{2}-[^\r]*\r\n)*2[0-9]{2}[ \r]", words="a code 2xx to its HELO"),
        Send(b"QUIT\r\n"),
        Expect("rstring", rb"^2[0-9]{2}[- \r]", least=4, words="a code 2xx to its QUIT"),
    ]


def _redis(arguments: Sequence[bytes]) -> list[Open | Step]:
    del arguments
    return [Send(b"*1\r\n$4\r\nPING\r\n"), Expect("string", b"+PONG\r\n", words="+PONG to its PING")]


def _postgres(arguments: Sequence[bytes]) -> list[Open | Step]:
    user = arguments[1] if len(arguments) > 1 else b""
    packet = b"\x00\x03\x00\x00user\x00" + user + b"\x00\x00"
    return [
        Send((len(packet) + 4).to_bytes(4, "big") + packet),
        Expect("rstring", b"^E", inverse=True, least=5, words="an error"),
        Expect(
            "rbinary",
            b"^52000000[A-Z0-9]{2}000000(00|02|03|04|05|06|07|09|0A)",
            least=9,
            words="PostgreSQL's authentication",
        ),
    ]


def _mysql(arguments: Sequence[bytes]) -> list[Open | Step]:
    greeting: list[Open | Step] = [Expect("mysql greeting")]
    if len(arguments) < 2:
        return greeting
    user, old = arguments[1], arguments[2:3] == [b"pre-41"]
    if arguments[2:3] == [b"post-80"]:
        raise ImpossibleError("`mysql-check … post-80` is newer than what is asked from here")
    if old:
        body = b"\x00\x80\x00\x00\x01" + user + b"\x00\x00"
    else:
        body = b"\x00\x82\x00\x00\x00\x80\x00\x01\x21" + bytes(23) + user + b"\x00\x00"
    login = len(body).to_bytes(3, "little") + b"\x01" + body + b"\x01\x00\x00\x00\x01"
    return [Send(login), *greeting, Expect("mysql login")]


def _ldap(arguments: Sequence[bytes]) -> list[Open | Step]:
    del arguments
    bind = bytes.fromhex("300C020101600702010304008000")
    return [Send(bind), Expect("rbinary", b"^30", least=14, words="LDAP"), Expect("ldap")]


_KINDS: dict[str, Callable[[Sequence[bytes]], list[Open | Step]]] = {
    "tls": _hello,
    "smtp": _smtp,
    "redis": _redis,
    "pgsql": _postgres,
    "mysql": _mysql,
    "ldap": _ldap,
}
