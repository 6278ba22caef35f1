"""Whether what came is what a check waits for (src/tcpcheck.c of HAProxy, tcpcheck_eval_expect and its like)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.live.answers import GarbageError, parsed
from lbcheck.live.failure import FailedError
from lbcheck.live.outcome import CHECK
from lbcheck.live.patterns import found

if TYPE_CHECKING:
    from collections.abc import Callable

    from lbcheck.live.answers import Answer
    from lbcheck.live.target import Expect

#: What somebody sees of an answer that is not understood.
_SHOWN = 60
_BODIES = frozenset({"string", "rstring"})


class More(Exception):  # noqa: N818 - no error: read on
    """What has come so far decides nothing."""


def met(expect: Expect, data: bytes, place: str, *, ended: bool) -> None:
    """Return where raw bytes are what is expected. Raises More, FailedError and UnsureError."""
    own = _PROTOCOLS.get(expect.kind)
    if own is not None:
        own(data, place, ended)
        return
    if not ended and (len(data) < expect.least or (expect.kind in _PLAIN and len(data) < len(expect.pattern))):
        raise More
    match = _match(expect, data)
    if not match and not ended and expect.least == -1:
        raise More
    if match == expect.inverse:
        reason = f"{place} answers {_excerpt(data)}"
        raise FailedError(CHECK, f"{reason}, and the check {_wants(expect)}", "look at the server, or at the check")


_PLAIN = frozenset({"string", "binary"})


def _match(expect: Expect, data: bytes) -> bool:
    if expect.kind in _PLAIN:
        return expect.pattern in data
    return found(expect.pattern, data.hex().upper().encode() if expect.kind == "rbinary" else data)


def _wants(expect: Expect) -> str:
    return f"{'does not want' if expect.inverse else 'wants'} {expect.words or expect.kind}"


def _excerpt(data: bytes) -> str:
    line = data[: _SHOWN + 1].decode("utf-8", "surrogateescape")
    return f'"{line[:_SHOWN]}{"…" if len(line) > _SHOWN else ""}"' if data else "nothing"


def answered(expect: Expect, data: bytes, place: str, *, ended: bool) -> Answer:
    """Return the HTTP answer, where it is what is expected. Raises More, FailedError and UnsureError."""
    try:
        answer = parsed(data, ended=ended)
    except GarbageError:
        advice = "correct the port, or ask with another kind of check"
        raise FailedError(CHECK, f"{place} answers {_excerpt(data)}, which is no HTTP answer", advice) from None
    if answer is None:
        raise More
    if expect.ok404 and answer.status == 404:
        raise FailedError(
            CHECK,
            f"{place} answers 404, and `http-check disable-on-404` takes it out of rotation for that",
            "let the path answer as the check wants it",
            status=404,
        )
    match = _matches(expect, answer)
    if not match and not answer.whole and expect.kind in _BODIES and expect.least == -1:
        raise More
    if match == expect.inverse:
        raise _unwanted(expect, answer, place)
    return answer


def _matches(expect: Expect, answer: Answer) -> bool:
    if expect.kind == "status":
        return _in_ranges(answer.status, expect.pattern)
    if expect.kind == "rstatus":
        return found(expect.pattern, str(answer.status).encode())
    if expect.kind in {"hdr", "fhdr"}:
        return any(_header(expect, name, value) for name, value in answer.headers)
    body = answer.body
    if not answer.whole and len(body) < max(expect.least, len(expect.pattern) if expect.kind == "string" else 0, 1):
        raise More
    if not body:
        return expect.inverse  # an empty body fails both ways
    return expect.pattern in body if expect.kind == "string" else found(expect.pattern, body)


def _in_ranges(status: int, pattern: bytes) -> bool:
    for part in pattern.split(b","):
        low, dash, high = part.partition(b"-")
        if not dash:
            high = low
        if _number(low) <= status <= _number(high):
            return True
    return False


def _number(text: bytes) -> int:
    """Return a status; 1000, which none has, for what is none."""
    return int(text) if text.isdigit() and len(text) < 4 else 1000


def _header(expect: Expect, name: bytes, value: bytes) -> bool:
    how, wanted, compared, text = expect.header
    if how == "reg":
        if not found(wanted, name, ignore_case=True):
            return False
    elif not _compare(how, name.lower(), wanted.lower()):
        return False
    if not compared:
        return True
    values = [value] if expect.kind == "fhdr" else [part.strip() for part in value.split(b",")]
    if compared == "reg":
        return any(found(text, one) for one in values)
    return any(_compare(compared, one, text) for one in values)


def _compare(how: str, text: bytes, wanted: bytes) -> bool:
    tests: dict[str, Callable[[], bool]] = {
        "beg": lambda: text.startswith(wanted),
        "end": lambda: text.endswith(wanted),
        "sub": lambda: wanted in text,
    }
    return tests[how]() if how in tests else text == wanted


def _unwanted(expect: Expect, answer: Answer, place: str) -> FailedError:
    said = answer.reason.decode("utf-8", "surrogateescape")[:_SHOWN]
    reason = f"{place} answers {answer.status}{f' {said}' if said else ''}"
    if expect.kind in _BODIES and not answer.body:
        reason += " without a body"
    advice = "let the path answer as the check wants it, or ask another path"
    location = dict(answer.headers).get(b"location")
    if 300 <= answer.status < 400 and location is not None:
        reason += f" (to {location[:_SHOWN].decode('utf-8', 'surrogateescape')})"
        advice = "ask the path that it leads to, with the Host header that the server wants, or expect 3xx too"
    elif answer.status in {400, 421}:
        advice = "send the Host header that the server wants with the check"
    elif answer.status >= 500:
        advice = "look at the server: it says itself that it is not well"
    return FailedError(CHECK, f"{reason}, and the check {_wants(expect)}", advice, status=answer.status)


def _mysql_greeting(data: bytes, place: str, ended: bool) -> None:  # noqa: FBT001 - the table calls it
    _mysql(data, 0, place, ended=ended)


def _mysql_login(data: bytes, place: str, ended: bool) -> None:  # noqa: FBT001 - the table calls it
    _mysql(data, 4 + int.from_bytes(data[:3], "little"), place, ended=ended)


def _mysql(data: bytes, offset: int, place: str, *, ended: bool) -> None:
    """Look for a whole packet of MySQL's protocol that is no error (tcpcheck_mysql_expect_packet())."""
    length = int.from_bytes(data[offset : offset + 3], "little")
    if len(data) < offset + 4 or len(data) < offset + 4 + length:
        if not ended:
            raise More
        raise FailedError(CHECK, f"{place} answers {_excerpt(data)}, which is not MySQL's protocol", "correct the port")
    if data[offset + 4 : offset + 5] == b"\xff":
        said = _excerpt(data[offset + 7 : offset + 4 + length])
        raise FailedError(CHECK, f"{place} answers with MySQL's error {said}", "let the check's user log in from here")


def _ldap(data: bytes, place: str, ended: bool) -> None:  # noqa: FBT001 - the table calls it
    """Look for an LDAPv3 bindResponse of success (tcpcheck_ldap_expect_bindrsp())."""
    first = data[1] if len(data) > 1 else 0
    more = first & 0x7F if first & 0x80 else 0
    length = int.from_bytes(data[2 : 2 + more], "big") if more else first
    if len(data) < 2 + more + length:
        if not ended:
            raise More
        length = 0
    message = data[2 + more :]
    skipped = 5 + (message[4] & 0x7F if len(message) > 4 and message[4] & 0x80 else 0)
    if not length or message[:4] != b"\x02\x01\x01\x61" or message[skipped : skipped + 2] != b"\x0a\x01":
        raise FailedError(CHECK, f"{place} answers {_excerpt(data)}, which is not LDAPv3", "correct the port")
    code = message[skipped + 2] if len(message) > skipped + 2 else 0
    if code:
        raise FailedError(CHECK, f"{place} refuses the LDAP bind with result {code}", "let anonymous clients bind")


#: `Expect.kind` of protocols that HAProxy reads with code of their own.
_PROTOCOLS: dict[str, Callable[[bytes, str, bool], None]] = {
    "mysql greeting": _mysql_greeting,
    "mysql login": _mysql_login,
    "ldap": _ldap,
}
