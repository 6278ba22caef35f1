"""A Traefik config made ready: its files where it looks for them, and a static one where none was given."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from lbcheck.model import Address, Listener
from lbcheck.rehearsal.preparing import certificate, trust
from lbcheck.rehearsal.preparing.prepared import Prepared
from lbcheck.rehearsal.proxies import nodes
from lbcheck.rehearsal.proxies.traefik.code import code
from lbcheck.rehearsal.proxies.traefik.told import located

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Config, Frontend
    from lbcheck.text import Source

#: Where the program is seen in the sandbox; where the static file lies that lbcheck makes, and the files that it names.
_PLACE = "/opt/lbcheck/traefik"
_STATIC, _DYNAMIC = "/etc/traefik/lbcheck-static.yaml", "/etc/traefik/lbcheck-dynamic"
_FOLDERS = ("/run", "/etc/traefik", "/var/log/traefik", "/var/lib/traefik")
_SUFFIXES = (".yaml", ".yml", ".toml")
#: Ports of entry points that are named as everybody does; others get one of their own from here on.
_PORTS = {"web": 80, "http": 80, "websecure": 443, "https": 443}
_FIRST_PORT = 8000
#: Fields of the static configuration that name a file to be written.
_WRITTEN = frozenset({"filepath", "storage"})


def prepare(config: Config, binary: str, *, trusted: bool = False, home: str | None = None) -> Prepared:
    """Return a config made ready, at its own place or in the folder `home`. `trusted`: its code may run."""
    made = Prepared()
    documents = [one.root for one in config.tree.documents if one.root is not None]
    made.folders.update(_FOLDERS)
    made.programs[_PLACE] = binary
    made.located = located(documents)
    made.environment["SSL_CERT_FILE"] = certificate.PLACE  # what Go verifies servers by
    if not trusted:
        for span, what in code(documents):
            made.refuse(span, what)
        made.refused.extend(trust.unread(config))
    _written(made, documents)
    _secured(made, config)
    main = _alone(made, config) if config.tree.static.document is None else _together(made, config, home)
    made.run = (_PLACE, f"--configfile={main}")
    made.unchecked = "Traefik has no check of its own that could be asked"
    return made


def _together(made: Prepared, config: Config, home: str | None) -> str:
    """Place a static file, and the dynamic ones where it looks for them; return its path."""
    static = config.tree.static
    own: Source = static.document.source
    main = os.path.realpath(own.path)
    if home is not None or not os.path.exists(main) or not main.endswith(_SUFFIXES):
        main = f"{home or '/etc/traefik'}/{_named(own.path)}"
    made.place(own, main)
    dynamic = [source for source in config.files if source is not own]
    if static.directory is not None:
        folder = os.path.abspath(static.directory.value)
        made.folders.add(folder)
        for number, source in enumerate(dynamic):
            made.place(source, f"{folder}/{number}-{_named(source.path)}")
        if not dynamic:
            made.uncovered = f"it reads {static.directory.value}, of which nothing was given"
    elif static.filename is not None:
        source = dynamic[0] if dynamic else own
        if not dynamic and os.path.basename(own.path) != os.path.basename(static.filename.value):
            made.uncovered = f"it reads {static.filename.value}, which was not given"
        made.place(source, os.path.abspath(static.filename.value))
    else:
        others = sorted(static.providers - {"internal"})
        made.uncovered = f"its routers come from {', '.join(others)}" if others else "nothing gives it routers"
    return main


def _named(path: str) -> str:
    name = os.path.basename(path)
    return name if name.endswith(_SUFFIXES) else f"{name or 'traefik'}.yaml"


def _alone(made: Prepared, config: Config) -> str:
    """Make a static file for dynamic ones, with the entry points that their routers name; return its path."""
    for number, source in enumerate(config.files):
        made.place(source, f"{_DYNAMIC}/{number}-{_named(source.path)}")
    entry_points: dict[str, dict[str, Any]] = {}
    for frontend in config.frontends:
        name = str(frontend.options["entry point"].value)
        known = frontend.options["named"].value
        key = name if known else "lbcheck"
        port = _PORTS.get(key, _FIRST_PORT + len(entry_points))
        one = entry_points.setdefault(key, {"address": f":{port}{'/udp' if frontend.protocol == 'udp' else ''}"})
        if not known:
            one["asDefault"] = True
        made.listeners[id(frontend)] = [_listener(frontend, one["address"])]
    static = {
        "entryPoints": entry_points or {"web": {"address": ":80"}},
        "providers": {"file": {"directory": _DYNAMIC, "watch": False}},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
    }
    made.files[_STATIC] = json.dumps(static, indent=1)
    places = ", ".join(f"{name} {one['address']}" for name, one in entry_points.items())
    made.add(config.path, f"a static file with the entry points {places}", "none was given")
    return _STATIC


def _listener(frontend: Frontend, place: str) -> Listener:
    port = int(place.strip(":").partition("/")[0])
    transport = "udp" if frontend.protocol == "udp" else "tcp"
    address = Address(place, "ipv4", "", port)
    return Listener(address, frontend.span, transport=transport, tls=bool(frontend.options["tls"].value))


def _written(made: Prepared, documents: Sequence[Any]) -> None:
    """Make the folders of what it writes: logs, certificates that it would ask for."""
    for key, node in nodes.walked(documents):
        path = nodes.text(node)
        if key is not None and path and nodes.same(nodes.text(key) or "") in _WRITTEN:
            made.folders.add(os.path.dirname(os.path.abspath(path)))


def _secured(made: Prepared, config: Config) -> None:
    """Note the names and the authorities by which servers are verified."""
    for protocol in ("http", "tcp"):
        for entry in config.tree.entries.of(protocol, "serverstransports").values():
            for key, node in nodes.walked([entry.node]):
                name, value = nodes.same(nodes.text(key) or "") if key is not None else "", nodes.text(node)
                if value and name == "servername":
                    made.certified.add(value)
                elif value and name == "rootcas" and not value.startswith("-----"):
                    made.authorities.add(os.path.abspath(value))
                    why = "the servers' certificates are made up, and so is what they are verified by"
                    made.add(config.path, f"lbcheck's authority as {value}", why)
