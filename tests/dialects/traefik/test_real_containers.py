"""Which containers the real Traefik takes, and at which port: told by a Docker of ours, against what we read."""

from __future__ import annotations

import contextlib
import http.server
import json
import socketserver
import subprocess
import threading
import urllib.request

import proxies
import pytest

from lbcheck.dialects import traefik
from lbcheck.files import DiskFiles

pytestmark = proxies.needs_traefik

#: Labels, and the ports that the container exposes.
CONTAINERS = {
    "none": ({}, [80]),
    "x": ({"tier": "x"}, [80]),
    "empty": ({"tier": ""}, [80]),
    "zone": ({"zone": "ab"}, [80]),
    "two": ({"tier": "x", "zone": "b"}, [9000, 8080]),
}


#: Containers of a Compose project that have no rule.
UNRULED = {
    "bare": ({"traefik.enable": "true", "site": "a.b"}, [80]),
    "named": ({"traefik.http.services.own.loadbalancer.server.port": "81"}, [80]),
    "ruled": ({"traefik.http.routers.ruled.rule": "Host(`r`)"}, [80]),
    "only-tcp": ({"traefik.tcp.services.t.loadbalancer.server.port": "81"}, [80]),
}


def labels(name):
    if name in UNRULED:
        written = {"com.docker.compose.project": "my_shop", "com.docker.compose.service": name}
        return {**UNRULED[name][0], **written}
    return {f"traefik.http.routers.{name}.rule": f"Host(`{name}.test`)", **CONTAINERS[name][0]}


def inspected(name, at):
    """Return what Docker says of a container."""
    ports = {f"{port}/tcp": None for port in {**CONTAINERS, **UNRULED}[name][1]}
    return {
        "Id": name,
        "Name": f"/{name}",
        "State": {"Status": "running", "Running": True},
        "Config": {"Labels": labels(name), "ExposedPorts": {port: {} for port in ports}},
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {"Ports": ports, "Networks": {"default": {"IPAddress": f"127.0.9.{at}", "NetworkID": "n"}}},
    }


class Docker(http.server.BaseHTTPRequestHandler):
    """The little of Docker's API that Traefik asks (pkg/provider/docker/pdocker.go)."""

    over = threading.Event()
    there = tuple(CONTAINERS)

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path.endswith("/events"):
            self.send_response(200)
            self.end_headers()
            self.over.wait()
            return
        found = {name: inspected(name, at) for at, name in enumerate(self.there, 2)}
        answer = {"ApiVersion": "1.43", "MinAPIVersion": "1.24", "Version": "24.0"}
        if path.endswith("/containers/json"):
            answer = [{"Id": name, "Names": [f"/{name}"], "State": "running"} for name in found]
        elif "/containers/" in path:
            answer = found[path.split("/")[-2]]
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Api-Version", "1.43")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def log_message(self, *_said):
        """Say nothing: there is no address to name at a socket of a file."""


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture(scope="module")
def socket(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("docker") / "s")
    with Server(path, Docker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield path
        Docker.over.set()
        server.shutdown()


def arguments(constraint):
    return [f"--providers.docker.constraints={constraint}"] if constraint else []


def asked(socket, folder, section, arguments):
    """Return what the real Traefik makes of the containers, in a section of its configuration by name."""
    web, api = proxies.free_port(), proxies.free_port()
    command = [proxies.TRAEFIK, f"--providers.docker.endpoint=unix://{socket}", "--api.insecure=true"]
    command += [f"--entrypoints.web.address=127.0.0.1:{web}", f"--entrypoints.traefik.address=127.0.0.1:{api}"]
    command += ["--global.checknewversion=false", "--global.sendanonymoususage=false", *arguments]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    found = {}

    def told():
        with contextlib.suppress(OSError), opener.open(f"http://127.0.0.1:{api}/api/rawdata", timeout=2) as answer:
            services = json.load(answer)[section]
            found.update({name: one for name, one in services.items() if name.endswith("@docker")})
        return bool(found)

    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            proxies.wait_until(told)
        finally:
            process.kill()
            process.wait()
    return {name.partition("@")[0]: one for name, one in found.items()}


def real(socket, folder, constraint):
    """Return the port of each container that the real Traefik takes."""
    found = asked(socket, folder, "services", arguments(constraint))
    urls = {name: one["loadBalancer"]["servers"][0]["url"] for name, one in found.items()}
    return {name: int(url.rpartition(":")[2]) for name, url in urls.items()}


def ours(constraint):
    proxy = {"image": "traefik:v3.6", "command": ["--providers.docker=true", *arguments(constraint)]}
    services = {"traefik": proxy}
    for name, (_, ports) in CONTAINERS.items():
        services[name] = {"image": "x", "expose": [str(port) for port in ports], "labels": labels(name)}
    files = DiskFiles(memory={"compose.yaml": json.dumps({"services": services})})
    (config,) = traefik.read(["compose.yaml"], files)
    assert not config.unmodelled
    return {pool.name: pool.servers[0].address.port for pool in config.pools}


@pytest.mark.parametrize(
    "constraint",
    [
        "",
        "Label(`tier`,`x`)",
        "!Label(`tier`,`x`)",
        "Label(`tier`,``)",
        "Label(`tier`,`x`) || LabelRegex(`zone`,`^a`)",
        "Label(`tier`,`x`) && !(LabelRegex(`zone`,`b`) || Label(`zone`,`c`))",
    ],
)
def test_the_containers_that_constraints_take_and_their_ports(socket, tmp_path, constraint):
    assert real(socket, tmp_path, constraint) == ours(constraint) != {}


def hosts(template):
    """Return the hosts of the routes that we read of the same project."""
    command = ["--providers.docker=true", "--entrypoints.web.address=:80", *template]
    services = {"traefik": {"image": "traefik:v3.6", "command": command, "labels": ["traefik.enable=false"]}}
    for name, (written, _) in UNRULED.items():
        services[name] = {"image": "x", "expose": ["80"], "labels": written}
    text = json.dumps({"name": "my_shop", "services": services})
    (config,) = traefik.read(["compose.yaml"], DiskFiles(memory={"compose.yaml": text}))
    routes = [route for front in config.frontends for route in front.routes]
    return sorted(value for route in routes for ((condition,),) in [route.match] for value in condition.values)


@pytest.mark.parametrize(
    "template",
    [
        "",
        "Host(`{{ normalize .Name }}.example.com`)",
        'Host(`{{ index .Labels "com.docker.compose.service" }}.{{ .Name }}`)',
        'Host(`{{ normalize (index .Labels "com.docker.compose.project") }}`)',
    ],
)
def test_the_rules_of_containers_that_have_none(socket, tmp_path, monkeypatch, template):
    monkeypatch.setattr(Docker, "there", tuple(UNRULED))
    told = [f"--providers.docker.defaultRule={template}"] if template else []
    rules = [one["rule"] for one in asked(socket, tmp_path, "routers", told).values()]
    assert sorted(rule.removeprefix("Host(`").removesuffix("`)") for rule in rules) == hosts(told)
    assert len(rules) == 3
