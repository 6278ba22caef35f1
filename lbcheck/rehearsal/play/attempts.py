"""Who tries to connect where: the SYN packets at an interface, refused and unanswered ones too."""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SO_ATTACH_FILTER, _SO_TIMESTAMPNS = 26, 35
#: What the kernel notes with a packet: when it came, by the machine's clock, in seconds and nanoseconds.
_STAMP = struct.Struct("ll")
_ETH_P_IP, _ETH_P_IPV6 = 0x0800, 0x86DD
_SYN = 0x02
#: What the kernel hands on: the first fragment of a TCP segment with SYN and without ACK (bpf(4), socket(7)).
_FILTER_4 = [
    (0x30, 0, 0, 9),  # ldb [protocol]
    (0x15, 0, 5, 6),  # jeq TCP
    (0xB1, 0, 0, 0),  # ldxb 4*([0]&0xf)
    (0x50, 0, 0, 13),  # ldb [x + flags]
    (0x54, 0, 0, 0x12),  # and SYN | ACK
    (0x15, 0, 1, _SYN),  # jeq SYN
    (0x06, 0, 0, 128),  # ret 128
    (0x06, 0, 0, 0),  # ret 0
]
_FILTER_6 = [
    (0x30, 0, 0, 6),  # ldb [next header]
    (0x15, 0, 4, 6),  # jeq TCP
    (0x30, 0, 0, 40 + 13),  # ldb [flags]
    (0x54, 0, 0, 0x12),  # and SYN | ACK
    (0x15, 0, 1, _SYN),  # jeq SYN
    (0x06, 0, 0, 128),  # ret 128
    (0x06, 0, 0, 0),  # ret 0
]


class Attempts:
    """The attempts to connect to one address since this was made, each once however often its SYN was repeated."""

    def __init__(self, host: str, port: int, interface: str) -> None:
        """Begin to look. Raises OSError where this process may not."""
        address = ipaddress.ip_address(host)
        kind, program = (_ETH_P_IP, _FILTER_4) if address.version == 4 else (_ETH_P_IPV6, _FILTER_6)
        self._end = (address.packed, port)
        self._ahead = _ahead()
        self._seen: dict[tuple[bytes, int], float] = {}
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            _attach(self._socket, program)
            self._socket.setblocking(False)
            self._socket.bind((interface, kind))
        except OSError:
            self._socket.close()
            raise

    def times(self) -> list[float]:
        """Return when each attempt was first seen (monotonic)."""
        while True:
            try:
                packet, notes, _, where = self._socket.recvmsg(256, socket.CMSG_SPACE(_STAMP.size))
            except BlockingIOError:
                return list(self._seen.values())
            if where[2] != socket.PACKET_OUTGOING:  # what goes out at this interface comes in at it
                self._note(packet, _came(notes) - self._ahead)

    def _note(self, packet: bytes, came: float) -> None:
        if packet[0] >> 4 == 4:
            head = 4 * (packet[0] & 0xF)
            source, target = packet[12:16], packet[16:20]
        else:
            head = 40
            source, target = packet[8:24], packet[24:40]
        own, port = struct.unpack_from("!HH", packet, head)
        if (target, port) == self._end:
            self._seen.setdefault((source, own), came)

    def close(self) -> None:
        """Look no longer."""
        self._socket.close()


def _came(notes: Sequence[tuple[int, int, bytes]]) -> float:
    """Return when a packet came, by the machine's clock: what the kernel notes with it."""
    for level, kind, data in notes:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = _STAMP.unpack(data[: _STAMP.size])
            came: float = seconds + nanoseconds / 1e9
            return came
    return time.time()


def _ahead() -> float:
    """Return by how much the machine's clock is ahead of the monotonic one, of some tries the quickest."""
    found = []
    for _ in range(20):
        before, clock, after = time.monotonic(), time.time(), time.monotonic()
        found.append((after - before, clock - before))
    return min(found)[1]


def _attach(end: socket.socket, program: Sequence[tuple[int, int, int, int]]) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in program))
    end.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(code))
    )  # struct sock_fprog
