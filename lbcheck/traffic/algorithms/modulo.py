"""nginx's `hash KEY` and `ip_hash`: a small hash modulo the sum of weights, and another try where that is unusable."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, islice
from math import sqrt
from random import Random
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

#: How many different first hashes there are; servers whose weights lie beyond get no first-choice traffic.
HASH_VALUES = 32_768
IP_HASH_VALUES = 6_271
#: After so many hashes on unusable servers, nginx takes round robin.
_TRIES = 21
#: Requests that stand for all when servers are down, and the seed that makes them the same in every run.
_SAMPLES = 10_000
SEED = 1


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
    value = 89
    while True:
        for byte in octets:
            value = (value * 113 + byte) % IP_HASH_VALUES
        yield value


def server_for(values: Iterator[int], weights: Sequence[int], down: Collection[int] = ()) -> int | None:
    """Return the server for a request's hashes; None where nginx gives up and takes round robin.

    `down` servers keep their place in the sum of weights.
    """
    ends = list(accumulate(weights))
    for value in islice(values, _TRIES):
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


def shares_with_down(
    weights: Sequence[int],
    values: int,
    request: Callable[[Random], Iterator[int]],
    down: Collection[int],
) -> tuple[list[float], float]:
    """Return each server's share when some are down, and the largest standard error.

    What falls on a usable server at once is exact; where the rest goes depends on the keys, and is simulated with
    the random requests that `request` makes.
    """
    first = first_try_shares(weights, values)
    moved = sum(share for server, share in enumerate(first) if server in down)
    found = [0.0 if server in down else share for server, share in enumerate(first)]
    second, samples = _second_choices(weights, request, down)
    usable_total = sum(weight for server, weight in enumerate(weights) if server not in down)
    error = 0.0
    for server, weight in enumerate(weights):
        if server in down:
            continue
        part = second[server] / samples if samples else weight / usable_total
        found[server] += moved * part
        error = max(error, moved * sqrt(part * (1 - part) / max(1, samples)))
    return found, error


def _second_choices(
    weights: Sequence[int], request: Callable[[Random], Iterator[int]], down: Collection[int]
) -> tuple[list[float], int]:
    """Return where the requests go that meet a down server first, and how many of them there were."""
    random = Random(SEED)  # noqa: S311 - a simulation, the same in every run
    ends = list(accumulate(weights))
    usable_total = sum(weight for server, weight in enumerate(weights) if server not in down)
    found = [0.0] * len(weights)
    samples = 0
    for _ in range(_SAMPLES):
        values = request(random)
        if bisect_right(ends, next(values) % ends[-1]) not in down:
            continue
        samples += 1
        for value in islice(values, _TRIES - 1):
            server = bisect_right(ends, value % ends[-1])
            if server not in down:
                found[server] += 1
                break
        else:
            for server, weight in enumerate(weights):
                found[server] += 0 if server in down else weight / usable_total
    return found, samples


def random_key(random: Random) -> Iterator[int]:
    """Return the hashes of a random key."""
    return hash_values(random.randbytes(random.randrange(4, 40)))


def random_address(random: Random) -> Iterator[int]:
    """Return the hashes of a random IPv4 network."""
    return ip_hash_values(random.randbytes(4))
