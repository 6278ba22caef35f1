"""nginx's `hash KEY` and `ip_hash`: a small hash modulo the sum of weights, and another try where that is unusable."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, islice
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

#: How many different first hashes there are; servers whose weights lie beyond get no first-choice traffic.
HASH_VALUES = 32_768
IP_HASH_VALUES = 6_271
#: After so many hashes on unusable servers, nginx takes round robin.
TRIES = 21
#: What nginx begins an address's hash with, and what it multiplies by for each octet.
_START, _FACTOR = 89, 113


def hash_values(key: bytes) -> Iterator[int]:
    """Yield the hashes of a key in the order of nginx's tries (ngx_http_upstream_get_hash_peer())."""
    value = rehash = 0
    while True:
        salt = str(rehash).encode() if rehash else b""
        value += crc32(salt + key) >> 16 & 0x7FFF
        yield value
        rehash += 1


def ip_hash_values(address: bytes) -> Iterator[int]:
    """Yield the hashes of a packed client address in the order of nginx's tries (ngx_http_upstream_get_ip_hash_peer()).

    Of an IPv4 address only the first three bytes count; a client without an address (a unix socket) is three zeros.
    """
    octets = address[:3] if len(address) == 4 else address
    value = _START
    while True:
        for byte in octets:
            value = (value * _FACTOR + byte) % IP_HASH_VALUES
        yield value


def next_hash(value: int, first: int) -> int:
    """Return what follows `value` among the hashes of an IPv4 address that begin with `first`.

    The octets shift every hash by the same amount, which the first one gives away: so addresses with one first hash
    meet the same servers in all tries.
    """
    return (value * _FACTOR**3 + first - _START * _FACTOR**3) % IP_HASH_VALUES


def server_for(values: Iterator[int], weights: Sequence[int], down: Collection[int] = ()) -> int | None:
    """Return the server for a request's hashes; None where nginx gives up and takes round robin.

    `down` servers keep their place in the sum of weights.
    """
    ends = list(accumulate(weights))
    for value in islice(values, TRIES):
        server = bisect_right(ends, value % ends[-1])
        if server not in down:
            return server
    return None


def first_try_shares(weights: Sequence[int], values: int) -> list[float]:
    """Return each server's share of first hashes, which are 0 to `values` - 1 and equally likely.

    With a sum of weights above `values` the servers behind it get nothing.
    """
    total = sum(weights)
    rounds, rest = divmod(values, total)
    found = []
    start = 0
    for weight in weights:
        end = start + weight
        found.append((rounds * weight + max(0, min(rest, end) - start)) / values)
        start = end
    return found
