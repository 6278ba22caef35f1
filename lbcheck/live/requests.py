"""The HTTP request of a check, byte for byte as HAProxy writes it (2.6; src/tcpcheck.c and src/mux_h1.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.live.target import ImpossibleError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Without a body, these carry no Content-Length.
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_LOG_FORMAT = "it uses a log-format expression, whose value only the proxy knows"


class Request(NamedTuple):
    """A request: what is left out is HAProxy's default."""

    method: str = ""
    uri: str = ""
    version: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    def over(self, other: Request) -> Request:
        """Return what `option httpchk` and the first `http-check send` make together: the later one counts."""
        return Request(
            self.method or other.method,
            self.uri or other.uri,
            self.version or other.version,
            self.headers or other.headers,
            self.body or other.body,
        )

    @property
    def data(self) -> bytes:
        """What goes over the wire."""
        method, version, body = self.method or "OPTIONS", self.version or "HTTP/1.0", _bytes(self.body)
        lines = [f"{method} {self.uri or '/'} {version}"]
        connection = "close"
        for name, value in self.headers:
            if name.lower() == "connection":
                connection = value.lower()
            else:
                lines.append(f"{name.lower()}: {value}")
        if body or method not in _BODILESS:
            lines.append(f"content-length: {len(body)}")
        modern = version.endswith(("1.1", "2.0"))
        if (connection == "close") == modern and connection in {"close", "keep-alive"}:
            lines.append(f"connection: {connection}")
        return b"\r\n".join(map(_bytes, lines)) + b"\r\n\r\n" + body


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def of_option(words: Sequence[str]) -> Request:
    """Return the request of `option httpchk [METHOD] [URI [VERSION [HOST]]]`; `words` are those behind `httpchk`."""
    if len(words) < 2:
        return Request(uri=words[0] if words else "")
    version, *lines = (words[2] if len(words) > 2 else "").split("\r\n")
    hidden, _, body = "\r\n".join(lines).partition("\r\n\r\n")
    headers = [line.partition(":") for line in hidden.split("\r\n") if line]
    found = [(name.strip(), plain(value.strip())) for name, _, value in headers]
    if len(words) > 3:
        found.append(("host", plain(words[3])))
    return Request(words[0], words[1], version, tuple(found), body)


def of_send(words: Sequence[str]) -> Request:
    """Return the request of `http-check send`; `words` are those behind `send`. Raises ImpossibleError."""
    fields: dict[str, str] = {}
    headers: list[tuple[str, str]] = []
    index = 0
    while index + 1 < len(words):
        word, value = words[index], words[index + 1]
        if word == "hdr" and index + 2 < len(words):
            if value.lower() not in {"content-length", "transfer-encoding"}:
                headers.append((value, plain(words[index + 2])))
            index += 1
        elif word in _FIELDS:
            fields[_FIELDS[word]] = plain(value) if word.endswith("-lf") else value
        index += 2
    return Request(
        fields.get("meth", ""), fields.get("uri", ""), fields.get("ver", ""), tuple(headers), fields.get("body", "")
    )


_FIELDS = {"meth": "meth", "uri": "uri", "uri-lf": "uri", "ver": "ver", "body": "body", "body-lf": "body"}


def plain(text: str) -> str:
    """Return a log-format string that is what it says. Raises ImpossibleError for one that is not."""
    if "%" in text:
        raise ImpossibleError(_LOG_FORMAT)
    return text
