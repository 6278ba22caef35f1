"""HTTP/1 answers, as far as a health check reads them: status, headers, and the part of the body that has come."""

from __future__ import annotations

import re
from typing import NamedTuple

from lbcheck.live.stream import BLOCK

_STATUS_LINE = re.compile(rb"HTTP/[0-9]\.[0-9] ([0-9]{3})(?: ([^\r\n]*))?\r?\Z")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\r\n]*)?\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")


class GarbageError(Exception):
    """What came is no HTTP answer."""


class Answer(NamedTuple):
    """An answer; `whole` says that no more of it can come."""

    status: int
    reason: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    whole: bool


def parsed(data: bytes, *, ended: bool) -> Answer | None:
    """Return the answer at the beginning of the data, None while its head is not complete. Raises GarbageError.

    An interim answer (1xx) is an answer: HAProxy's checks do not wait for the one after it.
    """
    full = len(data) >= BLOCK
    end = _HEAD_END.search(data)
    if end is None:
        _plausible(data)
        if ended or full:
            raise GarbageError
        return None
    line, *rest = data[: end.start()].split(b"\n")
    match = _STATUS_LINE.match(line)
    if match is None:
        raise GarbageError
    headers = tuple(_header(one) for one in rest)
    body, whole = _body(int(match[1]), dict(headers), data[end.end() :])
    return Answer(int(match[1]), match[2] or b"", headers, body, whole or ended or full)


def _plausible(data: bytes) -> None:
    """Refuse at once what does not begin as an answer does, as the proxy's parser."""
    if not b"HTTP/".startswith(data[:5]) and not data.startswith(b"HTTP/"):
        raise GarbageError
    line, newline, _ = data.partition(b"\n")
    if newline and _STATUS_LINE.match(line) is None:
        raise GarbageError


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.rstrip(b"\r").partition(b":")
    if not colon or not _NAME.match(name):
        raise GarbageError
    return name.lower(), value.strip(b" \t")


def _body(status: int, headers: dict[bytes, bytes], data: bytes) -> tuple[bytes, bool]:
    """Return what has come of the body, and whether that is all."""
    if status in {204, 304}:
        return b"", True
    if b"chunked" in headers.get(b"transfer-encoding", b"").lower():
        return _unchunked(data)
    length = headers.get(b"content-length", b"")
    if not length.isdigit():
        return data, False
    wanted = int(length[:18])
    return data[:wanted], len(data) >= wanted


def _unchunked(data: bytes) -> tuple[bytes, bool]:
    found, at = b"", 0
    while True:
        match = _CHUNK.match(data, at)
        if match is None:
            return found, False
        size = int(match[1], 16)
        if size == 0:
            return found, True
        found += data[match.end() : match.end() + size]
        at = match.end() + size
        if at >= len(data):
            return found, False
        at += 2 if data.startswith(b"\r\n", at) else 1
