"""Listeners and files of this machine that nothing in a sandbox may reach."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import socket

SECRET = "s3cret-of-the-machine"


class Canaries:
    """Listeners on this machine, of TCP, UDP and unix sockets; `reached` are those that heard something."""

    def __init__(self, folder):
        self._folder = folder
        self._sockets = {}
        self.addresses = ["127.0.0.1", *filter(None, [_own_address()])]
        self.port = 0

    def __enter__(self):
        for address in self.addresses:
            tcp = self._listen(f"tcp {address}", socket.create_server((address, self.port)))
            self.port = tcp.getsockname()[1]
            udp = self._listen(f"udp {address}", socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            udp.bind((address, self.port))
        for name, kind in (("stream", socket.SOCK_STREAM), ("datagram", socket.SOCK_DGRAM)):
            path = self.path(name)
            self._listen(path, socket.socket(socket.AF_UNIX, kind)).bind(path)
            os.chmod(path, 0o777)
        self._sockets[self.path("stream")].listen()
        return self

    def __exit__(self, *_error):
        for one in self._sockets.values():
            one.close()

    def path(self, name):
        """Return the path of a unix socket, "stream" or "datagram"."""
        return str(self._folder / f"{name}.sock")

    def reached(self):
        readable, _, _ = select.select(list(self._sockets.values()), [], [], 0.2)
        return [name for name, one in self._sockets.items() if one in readable]

    def _listen(self, name, one):
        self._sockets[name] = one
        return one


def _own_address():
    """Return an address of this machine that is no loopback one, if it has one; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]
    return None


def state(*paths):
    """Return what lies at these paths, folders with all that is in them: kinds, times, contents."""
    found = {}
    for path in map(str, paths):
        entries = [path] if not os.path.isdir(path) else [path, *_below(path)]
        for entry in entries:
            with contextlib.suppress(OSError):
                status = os.lstat(entry)
                found[entry] = (status.st_mode, status.st_uid, status.st_size, status.st_mtime_ns, _hash(entry))
    return found


def _below(path):
    return [os.path.join(folder, name) for folder, dirs, files in os.walk(path) for name in (*dirs, *files)]


def _hash(path):
    if not os.path.isfile(path) or os.path.getsize(path) > 1 << 20:
        return ""
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()
