"""What people are told of Traefik's configurations: the output of `check`, `traffic` and `diff` for texts."""

from __future__ import annotations

import json

from cli.running import lbcheck

PROXY = """\
services:
  traefik:
    image: traefik:v3.6
    command: [--providers.docker=true, "--entrypoints.web.address=:80"]
    ports: ["80:80"]
"""


def service(name, more="", router="app", port="8080"):
    """Return a Compose service with a router and a service of Traefik's, and more lines; port "" has no label."""
    labels = [f"traefik.http.routers.{router}.rule=Host(`x.example.com`)"]
    labels += [f"traefik.http.services.{router}.loadbalancer.server.port={port}"] if port else []
    lines = ["image: example/app:1", "labels:", *(f"  - {label}" for label in labels), *more.split("\n")]
    return f"  {name}:\n" + "".join(f"    {line}\n" for line in lines if line)


POOLS = """\
  services:
    a: {loadBalancer: {servers: [{url: "http://10.0.0.1:8080"}, {url: "http://10.0.0.2:8080"}]}}
    b: {loadBalancer: {servers: [{url: "http://10.0.1.1:8080"}, {url: "http://10.0.1.2:8080"}]}}
"""


def dynamic(router="", services="", more=""):
    """Return a dynamic file with a router to the service w, with more of its fields, services and sections."""
    rule = "Host(`x.example.com`)"
    written = services or "    w: {weighted: {services: [{name: a, weight: 50}, {name: b, weight: 50}]}}\n"
    fields = f'rule: "{rule}", entryPoints: [web], service: w'
    return f"http:\n  routers:\n    r: {{{fields}{router and f', {router}'}}}\n{POOLS}{written}{more}"


def told(folder, command, *texts, name="compose.yml"):
    """Return what a command prints of texts, each in a folder of its own, line by line."""
    places = []
    for side, text in zip(("old", "new"), texts, strict=False):
        (folder / side).mkdir(exist_ok=True)
        (folder / side / name).write_text(text)
        places.append(f"{side}/{name}")
    done = lbcheck(folder, command, *places, env={"COLUMNS": "200"})
    assert done.stderr == "", done.stderr
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def compared(folder, old, new, name="compose.yml"):
    """Return what `diff` says of two texts as an object."""
    for side, text in (("old", old), ("new", new)):
        (folder / side).mkdir(exist_ok=True)
        (folder / side / name).write_text(text)
    done = lbcheck(folder, "diff", "--output-format", "json", f"old/{name}", f"new/{name}")
    return json.loads(done.stdout)
