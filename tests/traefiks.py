"""The real Traefik, asked in a network namespace of its own what it makes of files; `make traefik` builds it."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys

import proxies
import pytest
import traefik_alone

_NAMESPACE = ("unshare", "--user", "--map-root-user", "--net", "--kill-child")


@functools.cache
def has_namespaces():
    """Say whether this user may make a network namespace."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def command(program, paths):
    """Return the command that prints what Traefik refuses in files, by name, as JSON."""
    return [*_NAMESPACE, sys.executable, traefik_alone.__file__, program, *map(str, paths)]


def refused(*paths):
    """Return what the real Traefik refuses: its errors by "http routers app@file" and the like, "" for everything."""
    run = subprocess.run(command(proxies.TRAEFIK, paths), capture_output=True, text=True, check=False)
    assert run.returncode in (0, traefik_alone.REFUSED), run.stderr
    return json.loads(run.stdout)


def needs_alone(test):
    """Mark tests that ask the real Traefik in a namespace."""
    marked = pytest.mark.skipif(not has_namespaces(), reason="no network namespace can be made here")(test)
    return proxies.needs_traefik(marked)


@functools.cache
def version():
    """Return the version of the real Traefik, () where its build does not say."""
    said = subprocess.run([proxies.TRAEFIK, "version"], capture_output=True, text=True, check=True).stdout
    number = said.split("Version:")[1].split()[0].lstrip("v")
    return () if number == "dev" else tuple(map(int, number.split(".")))
