"""Who a proxy takes for down: read in its messages, or asked of its admin interface, or not known."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from http.client import HTTPException, HTTPResponse
from typing import Any, Protocol

#: `Script.tells`: the proxy says it in its output; else at the unix socket at this path; "" nowhere.
OUTPUT = "output"
#: HAProxy's message about a server (src/server.c srv_update_status()).
_STATE = re.compile(rb"Server (\S+/\S+) is (DOWN|UP)\b")
#: How often an admin interface is asked at most, and how long an answer may take, in seconds; its size in bytes.
_OFTEN, _PATIENCE, _LARGEST = 0.04, 2.0, 64 << 20
#: Why Envoy takes a host out itself (admin/v3/clusters.proto HostHealthStatus).
_OUT = ("failed_active_health_check", "failed_outlier_check")


class Witness(Protocol):
    """Says which servers the proxy takes for down, by the names that it has for them."""

    def down(self) -> set[str]:
        """Return those that are down now."""

    def ever_down(self) -> list[str]:
        """Return those that have gone down so far, in order, each as often as it did."""

    def close(self) -> None:
        """Let go of what is open."""


def of(tells: str, output: str) -> Witness:
    """Return the witness for `Script.tells`; the proxy writes its output to a file at `output`."""
    if not tells:
        return _Nobody()
    return _Spoken(output) if tells == OUTPUT else _Admin(tells)


class _Nobody:
    """Nobody says it."""

    def down(self) -> set[str]:
        return set()

    def ever_down(self) -> list[str]:
        return []

    def close(self) -> None:
        return


class _Spoken:
    """HAProxy's messages, each read once."""

    def __init__(self, path: str) -> None:
        self._log = open(path, "rb")  # noqa: SIM115 - read as long as the proxy runs
        self._rest = b""
        self._down: set[str] = set()
        self._ever: list[str] = []

    def _read(self) -> None:
        *lines, self._rest = (self._rest + self._log.read()).split(b"\n")
        for line in lines:
            for found, state in _STATE.findall(line):
                name = found.decode("utf-8", "backslashreplace")
                if state == b"UP":
                    self._down.discard(name)
                else:
                    self._down.add(name)
                    self._ever.append(name)

    def down(self) -> set[str]:
        self._read()
        return set(self._down)

    def ever_down(self) -> list[str]:
        self._read()
        return list(self._ever)

    def close(self) -> None:
        self._log.close()


class _Admin:
    """Envoy's admin interface at a unix socket, asked now and then: hosts as CLUSTER/ADDRESS."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._asked = 0.0
        self._down: set[str] = set()
        self._ever: list[str] = []

    def _ask(self) -> None:
        if time.monotonic() < self._asked + _OFTEN:
            return
        with contextlib.suppress(OSError, HTTPException, ValueError, KeyError, TypeError):
            found = {name for name, out in _hosts(_got(self._path, "/clusters?format=json")) if out}
            self._ever += sorted(found - self._down)
            self._down = found
        self._asked = time.monotonic()

    def down(self) -> set[str]:
        self._ask()
        return set(self._down)

    def ever_down(self) -> list[str]:
        self._ask()
        return list(self._ever)

    def close(self) -> None:
        return


def _hosts(answer: Any) -> list[tuple[str, bool]]:
    """Return each host, and whether Envoy has taken it out."""
    found = []
    for cluster in answer["cluster_statuses"]:
        for host in cluster.get("host_statuses", ()):
            address = host["address"]
            place = address.get("socket_address")
            where = address["pipe"]["path"] if place is None else f"{place['address']}:{place['port_value']}"
            status = host.get("health_status", {})
            found.append((f"{cluster['name']}/{where}", any(status.get(reason) for reason in _OUT)))
    return found


def _got(path: str, target: str) -> Any:
    """Return the JSON that somebody answers with at a unix socket. Raises OSError, HTTPException and ValueError."""
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(_PATIENCE)
        one.connect(path)
        one.sendall(f"GET {target} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n".encode())
        answer = HTTPResponse(one)
        answer.begin()
        return json.loads(answer.read(_LARGEST))
