"""Ask the real Traefik what it makes of its files. Runs in a network namespace of its own, and prints JSON.

    unshare --user --map-root-user --net python traefik_alone.py TRAEFIK FILE…

Nothing leaves the namespace, so the files may say any address and port. Traefik's API tells which routers and services
it has disabled, and why; its log tells why it has left out a file, or not started at all.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request

import yaml

from lbcheck.dialects.traefik.document import STATIC
from lbcheck.rehearsal.isolation import network

PATIENCE = 20.0
#: The exit code where something is wrong; any other one but 0 is ours.
REFUSED = 10
#: Where the API is when the files do not say. A client is never given this port: to one that it were given while nobody
#: listens there yet, it would speak to itself.
API = 999
#: What the log says of the file provider: that its configuration is there, and that there is none.
_RECEIVED = "Configuration received"
_FAILED = ("Error while building configuration", "Cannot start the provider *file.Provider", "Command error")
#: Sections of a static configuration that are replaced, so that Traefik can be watched, and needs nobody else.
_OURS = ("entrypoints", "providers", "api", "log", "global", "certificatesresolvers")


def main(program, *paths):
    """Print what is wrong: by name of a router or service, "" for what keeps all of it from being read."""
    network.bring_up()
    with tempfile.TemporaryDirectory() as folder:
        static, port = _static(paths)
        config = os.path.join(folder, "static.yaml")
        with open(config, "w", encoding="utf-8") as stream:
            stream.write(static)
        log = os.path.join(folder, "log")
        with open(log, "wb") as output:
            process = subprocess.Popen([program, f"--configFile={config}"], stdout=output, stderr=output)
        try:
            found = _ask(process, log, port)
        finally:
            process.kill()
            process.wait()
    json.dump(found, sys.stdout, indent=1)
    return REFUSED if found else 0


def _static(paths):
    """Return a static configuration that reads the files, and the port of its API."""
    texts = {path: _text(path) for path in paths}
    data = {path: _data(path, text) for path, text in texts.items()}
    named = [path for path in paths if isinstance(data[path], dict) and STATIC & {key.lower() for key in data[path]}]
    if not named:
        at = os.path.dirname(os.path.abspath(paths[0]))
        file = {"filename": os.path.abspath(paths[0])} if len(paths) == 1 else {"directory": at}
        return json.dumps(_observed({"entryPoints": _entry_points(data.values()), "providers": {"file": file}})), API
    static = _observed(data[named[0]])
    said = static["entryPoints"].get("traefik", {})
    return json.dumps(static), int(said["address"].rpartition(":")[2])


def _text(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as stream:
        return stream.read()


def _data(path, text):
    """Return a file as plain data; None where it cannot be read, which is for Traefik to say."""
    with contextlib.suppress(yaml.YAMLError, tomllib.TOMLDecodeError):
        return tomllib.loads(text) if path.endswith(".toml") else yaml.load(text, _Loader)
    return None


class _Loader(yaml.SafeLoader):
    """Takes a key that stands twice."""


def _observed(static):
    """Return a static configuration with an API and a log that can be read, and without what needs others."""
    points = {**_inside(static, "entrypoints")}
    points.setdefault("traefik", {"address": f":{API}"})
    providers = {key: value for key, value in _inside(static, "providers").items() if key.lower() == "file"}
    return {
        **{key: value for key, value in static.items() if key.lower() not in _OURS},
        "entryPoints": points,
        "providers": {**providers, "providersThrottleDuration": "1ms"},
        "api": {"insecure": True, "dashboard": False},
        "log": {"level": "DEBUG", "format": "json"},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
    }


def _entry_points(data):
    """Return the entry points that routers name, each with a port of its own."""
    found = {"web": ""}
    for content in data:
        for protocol in ("http", "tcp", "udp"):
            routers = _inside(_inside(content, protocol), "routers")
            for router in routers.values() if isinstance(routers, dict) else ():
                names = _inside(router, "entrypoints")
                found.update(dict.fromkeys(names if isinstance(names, list) else [], "/udp" * (protocol == "udp")))
    return {str(name): {"address": f":{10_000 + at}{kind}"} for at, (name, kind) in enumerate(found.items())}


def _inside(mapping, name):
    """Return the value of a key without regard to case."""
    pairs = mapping.items() if isinstance(mapping, dict) else ()
    return next((value for key, value in pairs if str(key).lower() == name), {})


def _ask(process, log, port):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        lines = list(_lines(log))
        refused = [line.get("error", line["message"]) for line in lines if line["message"].startswith(_FAILED)]
        if refused:
            return {"": refused[:1]}
        if process.poll() is not None:
            return {"": [lines[-1]["message"] if lines else "it ended at once"]}
        state = _state(port)
        wanted = _wanted(lines)
        if state is not None and wanted is not None and wanted <= set(state):
            return {name: errors for name, errors in state.items() if errors}
        time.sleep(0.01)
    raise SystemExit("Traefik did not say in time what it makes of the files")


def _lines(log):
    with open(log, encoding="utf-8", errors="replace") as stream:
        for text in stream:
            with contextlib.suppress(ValueError):
                line = json.loads(text)
                yield {**line, "message": line.get("message", "")}


def _wanted(lines):
    """Return the names that the file provider has brought; None while it has not."""
    providers = [line for line in lines if line["message"] == "Starting provider *file.Provider"]
    static = [line for line in lines if "staticConfiguration" in line]
    if static and "file" not in static[0]["staticConfiguration"].get("providers", {}):
        return set()
    got = [line for line in lines if line["message"] == _RECEIVED and line["providerName"] == "file"]
    if not providers or not got:
        return None
    return {
        f"{protocol} {section} {name}@file"
        for protocol in ("http", "tcp", "udp")
        for section in ("routers", "services")
        for name in got[-1]["config"].get(protocol, {}).get(section, {})
    }


def _state(port):
    """Return each router's and service's errors by protocol, section and name; None while the API does not answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/api/rawdata", timeout=2) as answer:
            data = json.load(answer)
    except OSError:
        return None
    found = {}
    for section, items in data.items():
        protocol = section[:3] if section[:3] in ("tcp", "udp") else "http"
        word = section.removeprefix(protocol).lower()
        for name, item in items.items():
            found[f"{protocol} {word} {name}"] = item.get("error", [])
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
