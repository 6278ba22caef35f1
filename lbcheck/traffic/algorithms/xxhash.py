"""The hashes of Envoy's consistent load balancers: XXH64 and, where a ring asks for it, 64-bit MurmurHash2.

XXH64 after its specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), MurmurHash2 as in Envoy's
source/common/common/murmur_hash.cc, which is libstdc++'s.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
_MURMUR = 0xC6A4A7935BD1E995
#: The seed that libstdc++ gives MurmurHash2.
STD_HASH_SEED = 0xC70F6907


def xxh64(data: bytes, seed: int = 0) -> int:
    """Return the XXH64 of some bytes."""
    length = len(data)
    at = 0
    if length >= 32:
        value, at = _stripes(data, seed)
    else:
        value = seed + _P5
    value = (value + length) & _MASK
    while at + 8 <= length:
        word = int.from_bytes(data[at : at + 8], "little") * _P2 & _MASK
        value ^= ((word << 31 | word >> 33) & _MASK) * _P1 & _MASK
        value = (((value << 27 | value >> 37) & _MASK) * _P1 + _P4) & _MASK
        at += 8
    if at + 4 <= length:
        value ^= int.from_bytes(data[at : at + 4], "little") * _P1 & _MASK
        value = (((value << 23 | value >> 41) & _MASK) * _P2 + _P3) & _MASK
        at += 4
    for byte in data[at:]:
        value ^= byte * _P5 & _MASK
        value = ((value << 11 | value >> 53) & _MASK) * _P1 & _MASK
    value ^= value >> 33
    value = value * _P2 & _MASK
    value ^= value >> 29
    value = value * _P3 & _MASK
    return value ^ value >> 32


def _stripes(data: bytes, seed: int) -> tuple[int, int]:
    """Return the state after all whole stripes of 32 bytes, and where they end."""
    lanes = [seed + _P1 + _P2, seed + _P2, seed, seed - _P1]
    at = 0
    while at + 32 <= len(data):
        for lane in range(4):
            word = int.from_bytes(data[at : at + 8], "little")
            lanes[lane] = _round(lanes[lane] & _MASK, word)
            at += 8
    value = sum(_turned(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
    for lane in lanes:
        value = ((value ^ _round(0, lane)) * _P1 + _P4) & _MASK
    return value, at


def _round(state: int, word: int) -> int:
    return _turned((state + word * _P2) & _MASK, 31) * _P1 & _MASK


def _turned(value: int, by: int) -> int:
    return (value << by | value >> 64 - by) & _MASK


def murmur2(data: bytes, seed: int = STD_HASH_SEED) -> int:
    """Return the 64-bit MurmurHash2 of some bytes."""
    value = seed ^ (len(data) * _MURMUR & _MASK)
    whole = len(data) & ~7
    for at in range(0, whole, 8):
        word = int.from_bytes(data[at : at + 8], "little") * _MURMUR & _MASK
        word = (word ^ word >> 47) * _MURMUR & _MASK
        value = (value ^ word) * _MURMUR & _MASK
    if len(data) > whole:
        value = (value ^ int.from_bytes(data[whole:], "little")) * _MURMUR & _MASK
    value = (value ^ value >> 47) * _MURMUR & _MASK
    return value ^ value >> 47
