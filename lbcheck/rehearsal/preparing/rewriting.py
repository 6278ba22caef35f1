"""A config written anew from its tree: only what is known to stay in a private folder and on loopback is in it."""

from __future__ import annotations

import re
import secrets
import socket
import sys
from typing import TYPE_CHECKING

from lbcheck.rehearsal.outcome import Rewrite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.rehearsal.preparing.prepared import Statement
    from lbcheck.text import Span

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
#: The findings after which not all of a config is known.
_UNREAD = frozenset({"E00", "E01", "E02", "E03", "E04", "E05"})
#: Where HAProxy says a line after a path besides `:12`.
_LATER = r"['\"] at line "


class Places:
    """Free places on loopback for those of a config, the same for the same one; they are held until `close`."""

    def __init__(self) -> None:
        self.listeners: dict[tuple[str, int], tuple[str, int]] = {}
        self.servers: dict[tuple[str, int], tuple[str, int]] = {}
        self._held: list[socket.socket] = []
        self._net = f"127.{64 + secrets.randbelow(128)}"

    def listener(self, host: str, port: int) -> str:
        """Return where a listener of the config is put."""
        key = ("" if host in {"", "*", "0.0.0.0"} else host, port)  # noqa: S104 - what the config binds
        if key not in self.listeners:
            self.listeners[key] = self._free("127.0.0.1")
        return "{}:{}".format(*self.listeners[key])

    def server(self, host: str, port: int) -> str:
        """Return where a server of the config is put: on an address of its own, where all of 127/8 is loopback."""
        key = (host.lower(), port)
        if key not in self.servers:
            number = len(self.servers) + 1
            own = f"{self._net}.{number >> 8 & 255}.{number & 255}" if sys.platform == "linux" else "127.0.0.1"
            self.servers[key] = self._free(own)
        return "{}:{}".format(*self.servers[key])

    def known(self, host: str, port: int) -> bool:
        """Say whether this is one of the places that were given out."""
        return (host, port) in {*self.listeners.values(), *self.servers.values()}

    def own(self) -> bool:
        """Say whether a listener of the config may be a server of it: then requests would take another way."""
        return any(
            port == other and (host == name or name in _LOOPBACK)
            for host, port in self.listeners
            for name, other in self.servers
        )

    def close(self) -> None:
        """Let go of the places, for those who will listen there."""
        for one in self._held:
            one.close()
        self._held.clear()

    def _free(self, host: str) -> tuple[str, int]:
        one = socket.socket()
        self._held.append(one)
        one.bind((host, 0))
        return host, one.getsockname()[1]


class Rewriting:
    """The new text of a config, a line for each statement; what was changed of it; and why it must not be run.

    `home` is the private folder: `path` is where the text will lie, `pem` a certificate, `run` is for what is written.
    """

    def __init__(self, home: str, name: str, places: Places) -> None:
        self.home = home
        self.path = f"{home}/config/{name}"
        self.pem = f"{home}/config/lbcheck.pem"
        self.run = f"{home}/run"
        self.places = places
        self.rewrites: list[Rewrite] = []
        self.refused: list[str] = []
        self.statements: list[Statement] = []
        self._lines: list[tuple[str, Span | None]] = []

    def write(self, line: str, span: Span | None = None) -> None:
        """Add a line that comes from this place of the config, or is lbcheck's own."""
        self._lines.append((line, span))

    def change(self, span: Span, after: str, reason: str) -> None:
        """Note that a part of the config is written differently, or ("") not at all."""
        before = span.source.text[span.start : span.end].strip()
        self.rewrites.append(Rewrite(span.path, span.line, before, after, reason))

    def refuse(self, span: Span, why: str) -> None:
        """Note what must not be run where nothing holds it."""
        self.refused.append(f"{span.path}:{span.line}: {why}")

    @property
    def text(self) -> str:
        """The config as the proxy reads it."""
        return "".join(f"{line}\n" for line, _ in self._lines)

    def line(self, number: int) -> tuple[str, int] | None:
        """Return path and line in the user's own config of a line, counted from 1, of the text."""
        span = self._lines[number - 1][1] if 0 < number <= len(self._lines) else None
        return None if span is None else (span.path, span.line)

    def told(self, output: str) -> str:
        """Return what a proxy says with the user's own places in it."""

        def own(match: re.Match[str]) -> str:
            place = self.line(int(match[2]))
            return match[0] if place is None else f"{place[0]}{match[1]}{place[1]}"

        return re.sub(f"{re.escape(self.path)}(:|{_LATER})([0-9]{{1,9}})", own, output)


def address(text: str, default: int | None = None) -> tuple[str, int] | None:
    """Return host and port of HOST:PORT or [HOST]:PORT; None for anything else, unix sockets among it."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.*-]*)(?::([0-9]{1,5}))?", text)
    if match is None:
        return None
    port = default if match[2] is None else int(match[2])
    return (match[1], port) if port is not None and 0 < port < 65536 else None


def unread(hits: Sequence[str]) -> str | None:
    """Return why a config with these findings (by code) is not rewritten: it was not read to its end."""
    found = sorted(_UNREAD.intersection(hits))
    return f"it was not read to its end ({found[0]})" if found else None
