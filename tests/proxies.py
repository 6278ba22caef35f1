"""The real nginx and HAProxy on loopback, in front of counting servers: the judges of what lbcheck predicts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time

import pytest

_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
NGINX = shutil.which("nginx", path=_PATH)
HAPROXY = shutil.which("haproxy", path=_PATH)

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
needs_haproxy = pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")

#: How long a proxy may take to accept connections, or to stop.
_PATIENCE = 10.0


class Servers:
    """HTTP servers on loopback addresses of their own (127.0.0.11, …) that say in each answer which one they are."""

    def __init__(self, count):
        self.counts = [0] * count
        self._sockets = [_listen(f"127.0.0.{11 + number}") for number in range(count)]
        self.addresses = ["{}:{}".format(*one.getsockname()) for one in self._sockets]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        protocols = set()
        for number, one in enumerate(self._sockets):
            made = self._loop.create_server(lambda number=number: _Answers(self.counts, number, protocols), sock=one)
            self._loop.run_until_complete(made)
        self._loop.run_forever()
        for protocol in list(protocols):
            protocol.transport.abort()
        for one in self._sockets:
            self._loop.remove_reader(one)
            one.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


class _Answers(asyncio.Protocol):
    def __init__(self, counts, number, protocols):
        self._counts = counts
        self._number = number
        self._protocols = protocols
        self._rest = b""

    def connection_made(self, transport):
        self.transport = transport
        self._protocols.add(self)

    def connection_lost(self, _error):
        self._protocols.discard(self)

    def data_received(self, data):
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for _ in requests:
            self._counts[self._number] += 1
            self.transport.write(b"HTTP/1.1 200 OK\r\nX-Server: %d\r\nContent-Length: 0\r\n\r\n" % self._number)


def _listen(host, port=0):
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((host, port))
    one.listen(128)
    one.setblocking(False)
    return one


def free_port():
    """Return a port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def nginx(folder, blocks, port):
    """Run nginx with one worker on `blocks`, the inside of `http { }`, until the block ends."""
    for name in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
        blocks += f"\n{'client_body' if name == 'body' else name}_temp_path {folder}/{name};"
    text = (
        f"daemon off; master_process off; error_log {folder}/error.log; pid {folder}/nginx.pid;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{ access_log off;\n{blocks}\n}}\n"
    )
    path = _write(folder, "nginx.conf", text)
    with _running([NGINX, "-p", str(folder), "-c", path, "-e", "stderr"], port, folder):
        yield


@contextlib.contextmanager
def haproxy(folder, text, port):
    """Run HAProxy with one thread on a config, until the block ends."""
    path = _write(folder, "haproxy.cfg", f"global\n  nbthread 1\n{text}\n")
    with _running([HAPROXY, "-db", "-f", path], port, folder):
        yield


def _write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    return path


@contextlib.contextmanager
def _running(command, port, folder):
    log = os.path.join(folder, "output.log")
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        _wait_until_ready(process, port, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process, port, log):
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    with open(log, encoding="utf-8", errors="replace") as stream:
        pytest.fail(f"the proxy did not start: {stream.read()[-2000:]}")


class Client:
    """One connection to a proxy that stays open over all requests."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._socket.close()

    def ask(self, target="/", **headers):
        """Send one request and return the number of the server that answered; None where the proxy answered itself."""
        return self.ask_all([target], **headers)[0]

    def ask_all(self, targets, **headers):
        """Send requests one after the other and return the servers' numbers, in order."""
        return [self._ask(target, headers) for target in targets]

    def _ask(self, target, headers):
        fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self._socket.sendall(f"GET {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n".encode())
        while b"\r\n\r\n" not in self._rest:
            data = self._socket.recv(65536)
            if not data:
                pytest.fail("the proxy closed the connection")
            self._rest += data
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        body = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        while len(self._rest) < body:
            self._rest += self._socket.recv(65536)
        self._rest = self._rest[body:]
        return next((int(line[9:]) for line in lines if line.startswith(b"x-server:")), None)
