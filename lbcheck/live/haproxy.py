"""What HAProxy asks a server: where its check goes, how, and for how long (src/check.c, init_srv_check(), of 2.6)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lbcheck.live import protocols, steps
from lbcheck.live.names import literal
from lbcheck.live.target import (
    HAPROXY,
    NO_PROXY,
    PROXY_V1,
    PROXY_V2,
    SYSTEM_CA,
    Connect,
    Expect,
    ImpossibleError,
    Send,
    Target,
    Times,
    Tls,
)
from lbcheck.traffic.detection import Neighbours
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lbcheck.live.here import Here
    from lbcheck.live.target import Step
    from lbcheck.model import Config, HealthCheck, Pool, Server, Setting

#: Servers that follow each other are followed so far.
_FOLLOWED = 10
#: `sni str(name)`: any other expression is known at run time only.
_CONSTANT = re.compile(r"str\(\s*\"?'?([^()\"']*)'?\"?\s*\)\Z")
_OPAQUE = "$"


class Asking:
    """Makes the target of each server of one config."""

    def __init__(self, config: Config, here: Here) -> None:
        self._neighbours = Neighbours(config.pools)
        self._here = here

    def targets(self, pool: Pool, server: Server) -> Iterator[Target]:
        """Yield what to try of a server. Raises ImpossibleError."""
        home, checked = self._followed(pool, server)
        check = checked.check if checked.checked is not None and checked.checked.value else None
        _possible(pool, server)
        target = _Line(home, checked, check, self._here).target()
        own = _Line(pool, server, check, self._here).traffic() if checked is not server else None
        if own is not None:
            target = target._replace(asked=f"{target.asked} (of {checked.name}, which it follows)", traffic=own)
        yield target

    def _followed(self, pool: Pool, server: Server) -> tuple[Pool, Server]:
        home, checked = pool, server
        for _ in range(_FOLLOWED):
            if checked.tracks is None:
                return home, checked
            found = self._neighbours.server(checked.tracks.value, home)
            if found is None:
                raise ImpossibleError(f"it follows {checked.tracks.value}, which is not known")
            home, checked = found
        raise ImpossibleError("it follows a server that follows another one, and so on")


def _possible(pool: Pool, server: Server) -> None:
    address = server.address
    if pool.protocol == "log" or address.text.startswith(("udp", "quic", "uxdg", "dgram+")):
        raise ImpossibleError("it is spoken to in datagrams, which open no connection")
    for word, what in (("socks4", "through a SOCKS proxy"), ("namespace", "from another network namespace")):
        if word in server.options:
            raise ImpossibleError(f"the proxy reaches it {what}")
    if address.kind == "name" and (address.host or "").startswith("_"):
        raise ImpossibleError("its servers come from a DNS SRV record")


class _Line:
    """One server line with the check that holds for it."""

    def __init__(self, pool: Pool, server: Server, check: HealthCheck | None, here: Here) -> None:
        self._pool = pool
        self._server = server
        self._check = check
        self._here = here
        self._options = server.options

    def target(self) -> Target:
        """Return the check, or a connection as for a request where there is none."""
        traffic = self.traffic()
        rest: dict[str, Any] = {
            "times": self._times(),
            "every": "resolvers" in self._options or self._server.resolve is not None,
            "needs_name": "" if self._starts_without_name() else "HAProxy",
        }
        agent = ("its agent, which may take it out, was not asked",) if "agent-check" in self._options else ()
        if self._check is None:
            if traffic is None:
                raise ImpossibleError("its port is that which the client came to")
            asked = "TCP connection" if traffic.tls is None else "TLS handshake"
            return Target((traffic,), asked, gaps=(*self._traffic_gaps(), *agent), **rest)
        gaps: tuple[str, ...] = agent
        try:
            made = tuple(self._steps(self._check))
        except ImpossibleError as error:
            if traffic is None:
                raise
            made, gaps = (traffic,), (f"its check was not asked: {error}", *agent)
        elsewhere = traffic if traffic is not None and not _reaches(made, traffic) else None
        return Target(made, self._asked(made), traffic=elsewhere, gaps=gaps, **rest)

    def traffic(self) -> Connect | None:
        """Return the connection that requests use; None where its port is the client's."""
        address = self._server.address
        if address.kind == "unix":
            if not (address.host or "").startswith("/"):
                raise ImpossibleError("its socket has no place among the files")
            return Connect("", 0, address.host or "", self._proxy(), self._tls(self._request_name()[0]))
        if not address.known or not address.host:
            raise ImpossibleError("its address is filled in elsewhere")
        if not address.port:
            return None
        return Connect(address.host, address.port, "", self._proxy(), self._tls(self._request_name()[0]))

    def _starts_without_name(self) -> bool:
        """Say whether HAProxy starts although the name has no address (seen on 2.6.12)."""
        if "resolvers" in self._options or self._server.resolve is not None:
            return True
        return any(word == "none" or literal(word) for word in self._text("init-addr").split(","))

    def _proxy(self) -> int:
        if any(word.startswith("send-proxy-v2") for word in self._options):
            return PROXY_V2
        return PROXY_V1 if "send-proxy" in self._options else NO_PROXY

    def _request_name(self) -> tuple[str, bool]:
        """Return the name that requests ask for by SNI, and whether it is known here."""
        sni = self._text("sni")
        if not sni:
            return "", True
        found = _CONSTANT.match(sni)
        return (found[1], True) if found else ("", False)

    def _traffic_gaps(self) -> tuple[str, ...]:
        name, known = self._request_name()
        if self._server.tls is None or known or not self._verifies():
            return ()
        return (f"{name or 'the name'} that its certificate must have is known only at run time (sni)",)

    def _text(self, keyword: str) -> str:
        found = self._options.get(keyword)
        return "" if found is None or found.value is True else str(found.value)

    def _verifies(self) -> bool:
        usual = self._pool.options.get("ssl-server-verify")
        return (self._text("verify") or (usual.value if usual is not None else "required")) != "none"

    def _tls(self, sni: str, *, forced: bool = False, alpn: str = "") -> Tls | None:
        if not forced and (self._server.tls is None or not self._server.tls.value):
            return None
        verify = self._verifies()
        words = alpn or self._text("alpn")
        return Tls(
            sni,
            verify,
            (sni or self._text("verifyhost")) if verify else "",
            HAPROXY,
            self._file("ca-file", "ca-base") if verify else "",
            certificate=self._file("crt", "crt-base"),
            alpn=tuple(word for word in words.split(",") if word),
        )

    def _file(self, keyword: str, base: str) -> str:
        path = self._text(keyword)
        folder = self._pool.options.get(base)
        if not path or path == SYSTEM_CA:
            return path
        return self._here.path(path, str(folder.value) if folder is not None else "")

    def _moved(self, check: HealthCheck) -> bool:
        """Say whether the check goes elsewhere, so that TLS and PROXY protocol have to be asked for once more."""
        return bool((check.port is not None and check.port.value) or check.address is not None)

    def _check_connect(self, opening: steps.Open) -> Connect:
        """Return a connection of the check, as its line and the server's options say."""
        check = self._check
        assert check is not None  # noqa: S101 - called for a check
        words = opening.words
        if "via-socks4" in words or "check-via-socks4" in self._options:
            raise ImpossibleError("it goes through a SOCKS proxy")
        usual = "default" in words
        sni = _after(words, "sni") or (self._text("check-sni") if usual else "")
        alpn = _after(words, "alpn") or (self._text("check-alpn") if usual else "")
        tls = "ssl" in words or (usual and self._check_tls(check))
        if "h2" in (_after(words, "proto"), self._text("check-proto") if usual else ""):
            raise ImpossibleError("it speaks HTTP/2")
        proxy = NO_PROXY
        if "send-proxy" in words or (usual and self._check_proxy(check)):
            proxy = max(PROXY_V1, self._proxy())
        host, port, path = self._check_place(check, _after(words, "addr"), _after(words, "port"))
        return Connect(host, port, path, proxy, self._tls(sni, forced=True, alpn=alpn) if tls else None)

    def _check_tls(self, check: HealthCheck) -> bool:
        if "no-check-ssl" in self._options:
            return False
        return "check-ssl" in self._options or (not self._moved(check) and self._server.tls is not None)

    def _check_proxy(self, check: HealthCheck) -> bool:
        return "check-send-proxy" in self._options or (not self._moved(check) and self._proxy() != NO_PROXY)

    def _check_place(self, check: HealthCheck, address: str, port: str) -> tuple[str, int, str]:
        if port and not (port.isdecimal() and len(port) < 6):
            raise ImpossibleError("its port is an expression, whose value only the proxy knows")
        written = address or (check.address.value if check.address is not None else "")
        host, own_port, path = _place(written) if written else (self._server.address.host or "", 0, "")
        if not written and self._server.address.kind == "unix":
            return "", 0, host
        usual = check.port.value if check.port is not None else 0
        found = int(port or 0) or (own_port if address else usual or own_port) or usual
        found = found or self._server.address.port or 0
        if not path and not found:
            raise ImpossibleError("its port is that which the client came to")
        return host, found, path

    def _steps(self, check: HealthCheck) -> Iterator[Step]:
        options = check.options
        if "opaque" in options:
            raise ImpossibleError("a variable holds a part of it")
        lines = options.get("steps")
        made: list[Any]
        if check.kind in {"http", "tcp"}:
            made = steps.of_lines(
                lines.value if lines is not None else (), http=check.kind == "http", ok404="disable-on-404" in options
            )
        else:
            arguments = options.get("arguments")
            made = protocols.of_kind(check.kind, arguments.value if arguments is not None else ())
        for step in made:
            yield self._check_connect(step) if isinstance(step, steps.Open) else step

    def _asked(self, made: tuple[Step, ...]) -> str:
        check = self._check
        assert check is not None  # noqa: S101 - called for a check
        sent = next((step for step in made if isinstance(step, Send)), None)
        if sent is not None and check.kind == "http":
            line = sent.data.split(b"\r\n", 1)[0].decode("utf-8", "surrogateescape").rsplit(" ", 1)[0]
            wanted = next((step.words for step in made if isinstance(step, Expect)), "")
            return f"{line}, {wanted}" if wanted else line
        talk = sum(not isinstance(step, Connect) for step in made)
        if not talk:
            first = next((step for step in made if isinstance(step, Connect)), None)
            return "TLS handshake" if first is not None and first.tls is not None else "TCP connection"
        return f"tcp-check, {counted(talk, 'step')}" if check.kind == "tcp" else f"{check.kind} check"

    def _times(self) -> Times:
        """Return how long HAProxy waits: an interval, or `timeout connect` and `timeout check` where both are set."""
        connect = _positive(self._pool.timeouts, "connect")
        if self._check is None:
            return Times(connect)
        interval = self._check.interval.value if self._check.interval is not None else None
        timeout = self._check.timeout.value if self._check.timeout is not None else None
        if not timeout:
            return Times(interval, None, together=interval is not None)
        limits = [one for one in (interval, connect) if one]
        return Times(min(limits, default=None), timeout)


def _reaches(made: tuple[Step, ...], traffic: Connect) -> bool:
    """Say whether one of the check's connections is that which requests use."""
    same: Callable[[Connect], object] = lambda one: (one.host, one.port, one.path, one.tls is None)  # noqa: E731
    return any(isinstance(step, Connect) and same(step) == same(traffic) for step in made)


def _after(words: tuple[str, ...], keyword: str) -> str:
    return next((value for word, value in pairwise(words) if word == keyword), "")


def _place(text: str) -> tuple[str, int, str]:
    """Return host, port (0 none) and path of an address that a check is sent to."""
    text = text.rpartition("@")[2]
    if _OPAQUE in text:
        raise ImpossibleError("a variable holds a part of it")
    if text.startswith("/"):
        return "", 0, text
    host, colon, port = text.rpartition(":")
    if not colon or (text.count(":") > 1 and not text.startswith("[")) or text.endswith("]"):
        return text.strip("[]"), 0, ""
    return host.strip("[]"), int(port) if port.isdecimal() and len(port) < 6 else 0, ""


def _positive(timeouts: Mapping[str, Setting[float]], name: str) -> float | None:
    found = timeouts.get(name)
    return found.value or None if found is not None else None
