"""Writes api.txt from an Envoy binary: `python -m lbcheck.dialects.envoy.api_maker PATH`.

The binary carries the descriptors of its API (a serialised FileDescriptorProto for every .proto file), with each
field's type and the rules by which Envoy refuses a value (protoc-gen-validate): nothing of that is copied by hand.

A line is `message NAME FIELD…` or `enum NAME WORD=NUMBER…`. A field is NAME:TYPE, or NAME:TYPE:RULES. A type is one
letter (see `_LETTERS`), or the name of a message or an enum; `*` before it says repeated, `%` a map. Rules, parted by
commas: `!` required, `+N` and `-N` least and most characters or items, `>N`, `>=N`, `<N`, `<=N` bounds of a number or
a duration, `?` an absent value passes, `oN` one of the fields of a choice; `!oN` on a message: a choice that must be
made.
"""

from __future__ import annotations

import re
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Files begin with field 1, their own name, and go on with package or imports.
_START = re.compile(rb"\n[\x08-\x7f]\x01?((?:[a-z0-9_]+/)+[a-zA-Z0-9_\-]+\.proto)[\x12\x1a]")
_FILE_FIELDS = frozenset({2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 14})
#: What a configuration begins with; everything that these lead to is written, and all extensions.
_ROOTS = ("envoy.config.bootstrap.v3.Bootstrap", "envoy.service.discovery.v3.DiscoveryResponse",
    "envoy.config.endpoint.v3.ClusterLoadAssignment", "envoy.service.runtime.v3.Runtime")  # fmt: skip
_LETTERS = {1: "d", 2: "d", 3: "i", 4: "u", 5: "i", 6: "u", 7: "u", 8: "b", 9: "s", 12: "B", 13: "u", 15: "i", 16: "i",
    17: "i", 18: "i"}  # fmt: skip
_KNOWN = {
    "google.protobuf.Duration": "D", "google.protobuf.Timestamp": "s", "google.protobuf.Any": "A",
    "google.protobuf.Struct": "S", "google.protobuf.Value": "S", "google.protobuf.ListValue": "S",
    "google.protobuf.BoolValue": "b", "google.protobuf.StringValue": "s", "google.protobuf.BytesValue": "B",
    "google.protobuf.DoubleValue": "d", "google.protobuf.FloatValue": "d", "google.protobuf.UInt32Value": "u",
    "google.protobuf.UInt64Value": "u", "google.protobuf.Int32Value": "i", "google.protobuf.Int64Value": "i",
    "google.protobuf.Empty": "E", "google.protobuf.FieldMask": "s",
}  # fmt: skip
_VALIDATE = 1071
_NUMBERS = {1: "f", 2: "d", 3: "v", 4: "v", 5: "v", 6: "v", 7: "z", 8: "z", 9: "f4", 10: "f8", 11: "f4", 12: "f8"}

Fields = dict[int, list[int | bytes]]


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return (number, where it ends). Raises IndexError at the end of the data."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at


def parse(data: bytes) -> Fields:
    """Return the fields of a serialised message by number."""
    found: Fields = {}
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        wire = tag & 7
        value: int | bytes
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            size = 8 if wire == 1 else 4
            value, at = data[at : at + size], at + size
        found.setdefault(tag >> 3, []).append(value)
    return found


def files(data: bytes) -> Iterator[Fields]:
    """Yield the descriptors that a binary carries, each file once."""
    seen = set()
    for found in _START.finditer(data):
        size, at = varint(data, found.start() + 1)
        if data[at : at + size] != found[1] or found[1] in seen:
            continue
        seen.add(found[1])
        yield parse(data[found.start() : _end(data, found.start(), at + size)])


def _end(data: bytes, start: int, at: int) -> int:
    while at < len(data):
        try:
            tag, after = varint(data, at)
            value, after = varint(data, after)
        except IndexError:
            break
        if tag >> 3 not in _FILE_FIELDS or tag & 7 not in (0, 2):
            break
        at = after + value if tag & 7 == 2 else after
    return max(start, at)


def _one(fields: Fields, number: int) -> bytes:
    value = fields.get(number, [b""])[-1]
    return value if isinstance(value, bytes) else b""


def _integer(fields: Fields, number: int, otherwise: int = 0) -> int:
    value = fields.get(number, [otherwise])[-1]
    return value if isinstance(value, int) else otherwise


def _messages(fields: Fields, number: int) -> list[Fields]:
    return [parse(value) for value in fields.get(number, []) if isinstance(value, bytes)]


class Table:
    """Every message and enum of the files, by full name."""

    def __init__(self, data: bytes) -> None:
        self.messages: dict[str, Fields] = {}
        self.enums: dict[str, Fields] = {}
        for one in files(data):
            package = _one(one, 2).decode()
            for enum in _messages(one, 5):
                self.enums[f"{package}.{_one(enum, 1).decode()}"] = enum
            for message in _messages(one, 4):
                self._take(package, message)

    def _take(self, prefix: str, message: Fields) -> None:
        name = f"{prefix}.{_one(message, 1).decode()}"
        self.messages[name] = message
        for enum in _messages(message, 4):
            self.enums[f"{name}.{_one(enum, 1).decode()}"] = enum
        for inner in _messages(message, 3):
            self._take(name, inner)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the table, sorted by name."""
        wanted = [name for name in self.messages if name in _ROOTS or _extension(name)]
        seen = set(wanted)
        enums: set[str] = set()
        for name in wanted:
            for kind in self._types(name):
                if kind in self.enums:
                    enums.add(kind)
                elif kind in self.messages and kind not in seen:
                    seen.add(kind)
                    wanted.append(kind)
        for name in sorted(wanted):
            yield " ".join(["message", name, *self._message(name)])
        for name in sorted(enums):
            words = [f"{_one(value, 1).decode()}={_integer(value, 2)}" for value in _messages(self.enums[name], 2)]
            yield " ".join(["enum", name, *words])

    def _types(self, name: str) -> Iterator[str]:
        for field in _messages(self.messages[name], 2):
            kind = self._map(field)
            yield from ([kind] if kind else [])

    def _map(self, field: Fields) -> str:
        """Return the full name of a field's message or enum, "" for scalars; of a map that of its values."""
        name = _one(field, 6).decode().removeprefix(".")
        message = self.messages.get(name)
        if message is not None and _integer(parse(_one(message, 7)), 7):  # MessageOptions.map_entry
            return _one(_messages(message, 2)[1], 6).decode().removeprefix(".")
        return name

    def _message(self, name: str) -> Iterator[str]:
        message = self.messages[name]
        for number, choice in enumerate(_messages(message, 8)):
            if _integer(parse(_one(choice, 2)), _VALIDATE):
                yield f"!o{number}"
        for field in _messages(message, 2):
            yield self._field(field)

    def _field(self, field: Fields) -> str:
        kind = self._type(field)
        rules = _rules(parse(_one(parse(_one(field, 8)), _VALIDATE)))
        if 9 in field and not _integer(field, 17):  # in a oneof that somebody wrote
            rules.append(f"o{_integer(field, 9)}")
        parts = [_one(field, 1).decode(), kind, ",".join(rules)]
        return ":".join(part for part in parts if part)

    def _type(self, field: Fields) -> str:
        name = _one(field, 6).decode().removeprefix(".")
        message = self.messages.get(name)
        if message is not None and _integer(parse(_one(message, 7)), 7):
            return "%" + self._scalar(_messages(message, 2)[1])
        return ("*" if _integer(field, 4) == 3 else "") + self._scalar(field)

    @staticmethod
    def _scalar(field: Fields) -> str:
        name = _one(field, 6).decode().removeprefix(".")
        return _KNOWN.get(name, name) or _LETTERS[_integer(field, 5)]


def _extension(name: str) -> bool:
    return name.startswith(("envoy.extensions.", "envoy.config.", "envoy.type.", "xds.type.")) and ".v3" in name


def _rules(rules: Fields) -> list[str]:
    found: list[str] = []
    for number, held in rules.items():
        inside = parse(held[-1]) if isinstance(held[-1], bytes) else {}
        if number == 17 and _integer(inside, 2):
            found.append("!")
        elif number in (14, 15):
            found += _length(inside)
        elif number == 18:
            found += [f"+{_integer(inside, 1)}"] * (1 in inside) + [f"-{_integer(inside, 2)}"] * (2 in inside)
        elif number in (20, 21) and _integer(inside, 1):
            found.append("!")
        if number == 21:
            found += [f"{sign}{_seconds(inside, at)}" for at, sign in _DURATIONS.items() if at in inside]
        elif number in _NUMBERS:
            found += [f"{sign}{_bound(inside, at, number)}" for at, sign in _BOUNDS.items() if at in inside]
            found += ["?"] * bool(_integer(inside, 8))
    return found


_DURATIONS = {3: "<", 4: "<=", 5: ">", 6: ">="}
_BOUNDS = {2: "<", 3: "<=", 4: ">", 5: ">="}


def _length(inside: Fields) -> list[str]:
    found = [f"+{_integer(inside, at)}" for at in (2, 4) if _integer(inside, at)]
    found += [f"-{_integer(inside, at)}" for at in (3, 5) if at in inside]
    return found[:1] if len(found) > 1 and found[0][0] == found[-1][0] else found


def _seconds(inside: Fields, number: int) -> str:
    one = parse(_one(inside, number))
    value = _integer(one, 1) + _integer(one, 2) / 1e9
    return f"{value:g}"


def _bound(inside: Fields, number: int, kind: int) -> str:
    value = inside[number][-1]
    how = _NUMBERS[kind]
    if isinstance(value, bytes):
        form = {"f": "<f", "d": "<d", "f4": "<i", "f8": "<q"}[how]
        return f"{struct.unpack(form, value)[0]:.10g}"
    if how == "z":
        value = (value >> 1) ^ -(value & 1)
    elif kind in (3, 4) and value >= 1 << 63:
        value -= 1 << 64
    return str(value)


def main(path: str) -> None:
    """Write the table to standard output."""
    with open(path, "rb") as stream:
        table = Table(stream.read())
    sys.stdout.write("\n".join(table.lines()) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
