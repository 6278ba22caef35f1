"""Manifests of a small shop, and what lbcheck says of them when it is called as people call it."""

from __future__ import annotations

import json
import os

from click.testing import CliRunner

from lbcheck.cli.commands import cli

NGINX = "nginx.ingress.kubernetes.io/"
APP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
        - {name: app, ports: [{name: http, containerPort: 8080}], readinessProbe: {httpGet: {path: /, port: http}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: NAME}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: NAME}}}
---
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {selector: {app: NAME}, ports: [{name: http, port: 80, targetPort: http}]}
"""


def app(*names):
    """Return two ready pods behind a Service for each name."""
    return "---\n".join(APP.replace("NAME", name) for name in names)


def ingress(name="shop", to="a", kind="nginx", *, host="shop.example.com", path="/", default=None, meta=None, **noted):
    """Return an Ingress; `noted` are annotations of ingress-nginx, or of anybody where they have a slash.

    `kind` is its class, `default` the Service of its defaultBackend, `path` None leaves it without rules.
    """
    keys = {key if "/" in key else NGINX + key.replace("_", "-"): value for key, value in noted.items()}
    spec = {"ingressClassName": kind} if kind else {}
    if default is not None:
        spec["defaultBackend"] = {"service": {"name": default, "port": {"number": 80}}}
    if path is not None:
        backend = {"service": {"name": to, "port": {"number": 80}}}
        paths = [{"path": path, "pathType": "Prefix", "backend": backend}]
        spec["rules"] = [{"host": host, "http": {"paths": paths}}]
    return json.dumps({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "annotations": keys, **(meta or {})},
        "spec": spec,
    })  # fmt: skip


def joined(*documents):
    """Return one file of several documents."""
    return "\n---\n".join(documents)


def said(folder, command, new, old=None, *args):
    """Return what a command prints about a file of manifests, in one line; `old` is the version before it."""
    paths = {"old.yaml": old, "new.yaml": new}
    for path, text in paths.items():
        if text is not None:
            (folder / path).write_text(text)
    before, after = str(folder / "old.yaml"), str(folder / "new.yaml")
    given = [after] if old is None else [after, "--from", before] if command == "gate" else [before, after]
    done = CliRunner().invoke(cli, [command, *given, *args], env={"NO_COLOR": "1", "COLUMNS": "400"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return " ".join(done.stdout.replace(f"{folder}{os.sep}", "").split())
