"""The hash functions of HAProxy (src/hash.c, include/haproxy/intops.h), all modulo 2^32."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MASK = 0xFFFFFFFF


def sdbm(key: bytes) -> int:
    """Return the sdbm hash, HAProxy's default."""
    value = 0
    for byte in key:
        value = (value * 65599 + byte) & _MASK
    return value


def djb2(key: bytes) -> int:
    """Return Bernstein's hash (times 33, from 5381)."""
    value = 5381
    for byte in key:
        value = (value * 33 + byte) & _MASK
    return value


def wt6(key: bytes) -> int:
    """Return HAProxy's own wt6."""
    first, second, step, other = 0xA53C965A, 0x5CA6953A, 6, 18
    for byte in key:
        first = ~(first ^ byte) & _MASK
        second = ~(second + byte) & _MASK
        turned = (second << step | second >> (32 - step)) & _MASK
        second = (first << other | first >> (32 - other)) & _MASK
        first = turned
        mixed = (first >> 16 ^ second) & 0xFFFF
        step, other = mixed & 0x1F, mixed >> 11
    return first ^ second


def decimal(key: bytes) -> int:
    """Return the number with which the key begins (`none`, HAProxy 2.9 and newer); 0 where it begins with none."""
    text = key.decode("latin-1")
    sign = text[:1] if text[:1] in ("-", "+") else ""
    end = len(sign)
    while end < len(text) and text[end] in "0123456789":
        end += 1
    value = int(text[len(sign) : end] or "0")
    return (-value if sign == "-" else value) & _MASK


FUNCTIONS: dict[str, Callable[[bytes], int]] = {
    "sdbm": sdbm,
    "djb2": djb2,
    "wt6": wt6,
    "crc32": crc32,
    "none": decimal,
}


_PRIMES = (2654435761, 2246822519, 3266489917, 668265263, 374761393)


def xxh32(data: bytes, seed: int = 0) -> int:
    """Return the 32-bit xxHash, with which HAProxy hashes IPv6 addresses and guids of servers."""
    first, second, third, fourth, fifth = _PRIMES
    at = 0
    value = (seed + fifth) & _MASK
    if len(data) >= 16:
        lanes = [seed + first + second, seed + second, seed, seed - first]
        for at in range(0, len(data) - 15, 16):
            for lane in range(4):
                word = int.from_bytes(data[at + 4 * lane : at + 4 * lane + 4], "little")
                lanes[lane] = _turned(lanes[lane] + word * second, 13) * first & _MASK
        at += 16
        value = sum(_turned(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
    value += len(data)
    for start in range(at, len(data) - 3, 4):
        value = _turned(value + int.from_bytes(data[start : start + 4], "little") * third, 17) * fourth
    for byte in data[len(data) - (len(data) - at) % 4 :]:
        value = _turned(value + byte * fifth, 11) * first
    value &= _MASK
    value = (value ^ value >> 15) * second & _MASK
    value = (value ^ value >> 13) * third & _MASK
    return value ^ value >> 16


def _turned(value: int, by: int) -> int:
    value &= _MASK
    return (value << by | value >> (32 - by)) & _MASK


def full_hash(value: int) -> int:
    """Return the avalanche of a 32-bit value: Jenkins' six steps and a multiplication."""
    value = (value + 0x7ED55D16 + (value << 12)) & _MASK
    value = value ^ 0xC761C23C ^ (value >> 19)
    value = (value + 0x165667B1 + (value << 5)) & _MASK
    value = ((value + 0xD3A2646C) ^ (value << 9)) & _MASK
    value = (value + 0xFD7046C5 + (value << 3)) & _MASK
    value = value ^ 0xB55A4F09 ^ (value >> 16)
    return value * 3221225473 & _MASK


def full_hashes(values: Iterable[int]) -> list[int]:
    """Return `full_hash` of many values, ten times faster than one by one.

    All values lie in one large integer, 64 bits each, so that each step is one operation on all of them: nothing
    that `full_hash` adds to or shifts into 32 bits outgrows 64.
    """
    packed = array("Q", values)
    count = len(packed)
    ones = int.from_bytes(b"\1\0\0\0\0\0\0\0" * count, "little")
    low = ones * _MASK
    lanes = int.from_bytes(_little_endian(packed).tobytes(), "little")
    lanes = (lanes + ones * 0x7ED55D16 + (lanes << 12)) & low
    lanes = lanes ^ (ones * 0xC761C23C) ^ ((lanes >> 19) & low)
    lanes = (lanes + ones * 0x165667B1 + (lanes << 5)) & low
    lanes = ((lanes + ones * 0xD3A2646C) ^ (lanes << 9)) & low
    lanes = (lanes + ones * 0xFD7046C5 + (lanes << 3)) & low
    lanes = lanes ^ (ones * 0xB55A4F09) ^ ((lanes >> 16) & low)
    lanes = (lanes + (lanes << 30) + (lanes << 31)) & low
    return _little_endian(array("Q", lanes.to_bytes(8 * count, "little"))).tolist()


def _little_endian(values: array[int]) -> array[int]:
    """Return 64-bit values in the byte order of the large integer."""
    import sys

    if sys.byteorder == "big":
        values.byteswap()
    return values


def key_hash(key: bytes, function: Callable[[bytes], int] = sdbm, *, avalanche: bool = False) -> int:
    """Return what HAProxy makes of the hashed part of a request (src/backend.c gen_hash())."""
    value = function(key)
    return full_hash(value) if avalanche else value


def source_hash(address: bytes, *, avalanche: bool = False) -> int:
    """Return what `balance source` makes of a client's packed address: its words XORed, no hash function."""
    value = 0
    for at in range(0, len(address), 4):
        value ^= int.from_bytes(address[at : at + 4], "big")
    return full_hash(value) if avalanche else value
