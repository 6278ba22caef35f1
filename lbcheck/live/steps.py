"""HAProxy's `http-check` and `tcp-check` lines, and its checks of protocols, as steps (src/tcpcheck.c of 2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.live import requests
from lbcheck.live.requests import plain
from lbcheck.live.target import Expect, ImpossibleError, Send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.live.target import Step

#: Words before or behind the pattern of `expect`, each with a value, that do not change whether it is met.
_BESIDE = frozenset({"comment", "tout-status", "on-success", "on-error", "status-code"})
_PATTERNS = frozenset(
    {"string", "rstring", "binary", "rbinary", "status", "rstatus", "string-lf", "binary-lf"}
)  # fmt: skip


class Open(NamedTuple):
    """A connection of a check, as its line says; what it leaves out is the server's."""

    words: tuple[str, ...] = ("default",)


def of_lines(lines: Sequence[Sequence[str]], *, http: bool, ok404: bool) -> list[Open | Step]:
    """Return the steps of lines without their first word. Raises ImpossibleError."""
    made: list[Open | Step] = []
    option = next((number for number, line in enumerate(lines) if line[0] == "httpchk"), -1)
    asked = False
    for number, line in enumerate(lines):
        if line[0] == "connect":
            made.append(Open(tuple(line[1:])))
        elif line[0] == "send" and http:
            request = requests.of_send(line[1:])
            if option >= 0 and not asked:
                general = requests.of_option(lines[option][1:])
                request = request.over(general) if option < number else general.over(request)
            asked = True
            made.append(Send(request.data))
        elif line[0].startswith("send"):
            made.append(Send(_sent(line[0], line[1:])))
        elif line[0] == "expect":
            made.append(_expected(line[1:], http=http, ok404=ok404))
    if option >= 0 and not asked:
        made.insert(int(bool(made) and isinstance(made[0], Open)), Send(requests.of_option(lines[option][1:]).data))
    if http and isinstance(made[-1:] and made[-1], Send):
        made.append(_expected(("status", "200-399"), http=True, ok404=ok404))
    return connected(made)


def connected(steps: list[Open | Step]) -> list[Open | Step]:
    """Return the steps with a connection as the first one."""
    return steps if steps and isinstance(steps[0], Open) else [Open(), *steps]


def _sent(word: str, words: Sequence[str]) -> bytes:
    text = words[0] if words else ""
    if word.endswith("-lf"):
        text = plain(text)
    return _binary(text) if word.startswith("send-binary") else _bytes(text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _binary(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ImpossibleError("its hexadecimal text is not understood") from None


def _expected(words: Sequence[str], *, http: bool, ok404: bool) -> Expect:
    """Return `expect [!] KIND PATTERN` with what stands beside it. Raises ImpossibleError."""
    inverse, index, made = False, 0, None
    least, outcomes = -1, False
    while index < len(words):
        word = words[index]
        stripped = word.lstrip("!")
        inverse ^= (len(word) - len(stripped)) % 2 == 1
        value = words[index + 1] if index + 1 < len(words) else ""
        index += 2
        if not stripped:
            index -= 1
        elif stripped == "min-recv":
            least = int(value) if value.lstrip("-").isdecimal() and len(value) < 10 else -1
        elif stripped in {"ok-status", "error-status"}:
            outcomes = outcomes or value.upper() == "L7OKC"
        elif stripped in {"hdr", "fhdr"}:
            made, index = _header_expected(stripped, words, index - 1)
        elif stripped in _PATTERNS:
            made = _pattern_expected(stripped, value)
        elif stripped not in _BESIDE:
            raise ImpossibleError(f"`expect {stripped}` is not understood here")
    if made is None or outcomes:
        raise ImpossibleError("what it expects is not understood here")
    return made._replace(inverse=inverse, least=least, http=http, ok404=ok404)


def _pattern_expected(word: str, pattern: str) -> Expect:
    kind = word.removesuffix("-lf")
    if kind != word:
        pattern = plain(pattern)
    data = _binary(pattern) if kind == "binary" else _bytes(pattern)
    return Expect(kind, data, words=f"{kind} {pattern}")


def _header_expected(word: str, words: Sequence[str], index: int) -> tuple[Expect, int]:
    """Return `hdr name [-m HOW] NAME [value [-m HOW] VALUE]`, and the index behind it."""
    found = []
    for wanted in ("name", "value"):
        keyword = words[index] if index < len(words) else ""
        if keyword.removesuffix("-lf") != wanted:
            break
        index += 1
        how = "str"
        if index + 1 < len(words) and words[index] == "-m":
            how, index = words[index + 1], index + 2
        text = words[index] if index < len(words) else ""
        found.append((how, _bytes(plain(text) if keyword != wanted else text)))
        index += 1
    if not found:
        raise ImpossibleError("what it expects is not understood here")
    (how, name), (compared, value) = found[0], (found[1:] or [("", b"")])[0]
    shown = " ".join(one[1].decode("utf-8", "surrogateescape") for one in found[:1])
    return Expect(word, header=(how, name, compared, value), words=f"a header {shown}"), index
