"""What has to differ from request to request for an Envoy pool's key to differ, and the hash of a request's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.rehearsal.proxies.varying import PATH, SOURCE, free
from lbcheck.traffic.algorithms.xxhash import xxh64

if TYPE_CHECKING:
    from lbcheck.model import Pool
    from lbcheck.rehearsal.play.load import Ask
    from lbcheck.rehearsal.preparing.samples import Sample

_KINDS = {"header": "header:", "cookie": "cookie:", "query_parameter": "query:"}
_TERMINAL = " (terminal)"
_BITS = (1 << 64) - 1


class UnknownError(Exception):
    """What Envoy hashes for a request is not known."""


def varied(pool: Pool, sample: Sample) -> str:
    """Return it as `Load.vary` has it: what the first part of the key is that is free to be anything."""
    for part in _parts(pool):
        kind, _, name = part.removesuffix(_TERMINAL).partition(" ")
        if (kind, name) == ("header", ":path"):
            found = PATH if sample.open_end else ""
        else:
            found = SOURCE if kind == "source_ip" else free(_KINDS.get(kind, ""), "" if ":" in name else name)
        if found:
            return found
    return ""


def _parts(pool: Pool) -> list[str]:
    """Return the hash policies, in order, as dialects.envoy.hashing writes them."""
    return [] if pool.algorithm.key is None else pool.algorithm.key.value.split(" ^ ")


def hashed(pool: Pool, ask: Ask) -> int | None:
    """Return the hash of a request by its hash policies (source/common/http/hash_policy.cc); None: it is drawn."""
    found: int | None = None
    try:
        for part in _parts(pool):
            value = _value(part.removesuffix(_TERMINAL), ask)
            if value is not None:
                old = 0 if found is None else (found << 1 | found >> 63) & _BITS
                found = old ^ xxh64(value.encode("latin-1", "replace"))
            if found is not None and part.endswith(_TERMINAL):
                break
    except UnknownError:
        return None
    return found


def _value(part: str, ask: Ask) -> str | None:
    """Return the text that a policy hashes; None where the request has none. Raises UnknownError."""
    kind, _, name = part.partition(" ")
    if kind == "source_ip" and ask.source:
        return ask.source
    if kind == "header":
        return _header(name, ask)
    if kind == "query_parameter":
        query = dict(pair.partition("=")[::2] for pair in ask.path.partition("?")[2].split("&"))
        return query.get(name)
    if kind == "cookie":
        cookies = dict(pair.partition("=")[::2] for pair in (_header("cookie", ask) or "").split("; "))
        if name in cookies:
            return cookies[name]
    raise UnknownError(part)


def _header(name: str, ask: Ask) -> str | None:
    if name == ":path":
        return ask.path
    wanted = {":authority": "host"}.get(name.lower(), name.lower())
    if wanted.startswith(":") or wanted.endswith("(rewritten)"):
        raise UnknownError(name)
    values = [value for key, value in ask.headers if key.lower() == wanted]
    if len(values) > 1:
        raise UnknownError(name)
    return values[0] if values else None
