"""An Envoy config made ready: what the command line says over it, what Envoy writes to, what it must not run."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from lbcheck.rehearsal.outcome import Rewrite
from lbcheck.rehearsal.preparing import trust
from lbcheck.rehearsal.preparing.prepared import Prepared
from lbcheck.rehearsal.proxies import nodes
from lbcheck.rehearsal.proxies.envoy.code import code
from lbcheck.rehearsal.proxies.envoy.told import located

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Admin, Config

#: Where its admin interface listens in the sandbox.
ADMIN = "/run/lbcheck-envoy-admin.sock"
#: Where the program is seen in the sandbox.
_PLACE = "/opt/lbcheck/envoy"
#: Envoy knows the form of a file by its name.
_FORMS = (".yaml", ".yml", ".json")
_FILES = (*_FORMS, ".pb", ".pb_text")
_FOLDERS = ("/run", "/etc/envoy", "/var/log/envoy", "/var/lib/envoy")
_HOST_NAME = re.compile(r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+\Z")
#: Findings of reading: Envoy will say so itself.
_UNREAD = frozenset({"E01", "E03", "E04"})


def prepare(config: Config, binary: str, *, trusted: bool = False, home: str | None = None) -> Prepared:
    """Return a config made ready, at its own place or in the folder `home`. `trusted`: its code may run."""
    made = Prepared()
    documents = config.tree.documents
    made.folders.update(_FOLDERS)
    made.programs[_PLACE] = binary
    made.located = located(documents, config.files)
    if not trusted:
        for span, what in code(documents):
            made.refuse(span, what)
        made.refused.extend(trust.unread(config))
    main = os.path.realpath(config.path)
    if home is not None or not os.path.exists(main) or not main.endswith(_FORMS):
        main = f"{home or '/etc/envoy'}/{_named(os.path.basename(main))}"
    made.place(config.files[0], main)
    made.uncovered = _placed(made, config) or _uncovered(config)
    _written(made, documents)
    _secured(made, config.tree.clusters)
    command = (_PLACE, "-c", main, "--concurrency", "1", "--disable-hot-restart", "-l", "warning")
    _told(made, config)
    made.run = (*command, "--config-yaml", over(None))
    made.check = (*made.run, "--mode", "validate")
    return made


def _named(name: str) -> str:
    return name if name.endswith(_FORMS) else f"{name or 'envoy'}.yaml"


def _placed(made: Prepared, config: Config) -> str | None:
    """Put further files where the config looks for them; return which one is not there (None: all are)."""
    known = {os.path.basename(source.path): source for source in config.files[1:]}
    for key, node in nodes.walked(config.tree.documents):
        path = nodes.text(node) if key is not None and nodes.text(key) == "path" else None
        if path is None or not path.endswith(_FILES):
            continue
        source = known.get(os.path.basename(path))
        if source is None:
            return f"it reads {path}, which was not given"
        made.place(source, os.path.abspath(path))
    return None


def over(interval: float | None) -> str:
    """Return what is said over the config: where the admin interface is, and after how long a check comes at most."""
    over: dict[str, Any] = {"admin": {"address": {"pipe": {"path": ADMIN}}}}
    if interval is not None:
        layer = {"name": "lbcheck", "static_layer": {"health_check.max_interval": max(1, round(interval * 1000))}}
        over["layered_runtime"] = {"layers": [layer]}
    return json.dumps(over)


def _told(made: Prepared, config: Config) -> None:
    """List what the command line says over the config."""
    made.add(config.path, "--concurrency 1", "one worker has one state of balancing, so counts are exact")
    made.add(config.path, "--disable-hot-restart", "nobody takes over from it")
    asked = "lbcheck asks it there which hosts are out"
    written = [one for one in config.admins if one.kind == "admin"]
    for one in written:
        made.rewrites.append(Rewrite(one.span.path, one.span.line, _admin(one), f"admin {ADMIN}", asked))
    if not written:
        made.add(config.path, f"admin {ADMIN}", asked)
    if any(pool.check is not None and pool.check.interval is not None for pool in config.pools):
        why = "while a server of a pool is lost, for before its first request a pool is checked every 60 s"
        made.add(config.path, "health_check.max_interval of that pool's interval", why)


def _admin(one: Admin) -> str:
    return "admin" if one.address is None else f"admin {one.address.text}"


def _written(made: Prepared, documents: Sequence[Any]) -> None:
    """Make what it writes to: logs, and the folders of its sockets."""
    for key, node in nodes.walked(documents):
        path = nodes.text(node)
        if key is None or path is None or not path.startswith("/") or path.startswith("/dev/"):
            continue
        name = nodes.same(nodes.text(key) or "")
        if name in {"path", "accesslogpath"} and not path.endswith(_FILES):
            made.folders.add(os.path.dirname(path))
            if path.endswith(".log") or name == "accesslogpath":
                made.files.setdefault(path, "")


def _secured(made: Prepared, clusters: Sequence[Any]) -> None:
    """Note which names the servers' certificate needs, and the files by which it is verified."""
    for cluster in clusters:
        for key, node in nodes.walked(filter(None, [cluster.get("transport_socket")])):
            word = nodes.text(node)
            if word is None or key is None:
                continue
            if _HOST_NAME.match(word) and not word.startswith(("envoy.", "type.googleapis.")):
                made.certified.add(word)
        for inside in _contexts(cluster):
            path = inside.message("trusted_ca").word("filename")
            if path:
                full = os.path.abspath(path)
                made.authorities.add(full)
                why = "the servers' certificates are made up, and so is what they are verified by"
                span = inside.message("trusted_ca").place("filename")
                made.rewrites.append(Rewrite(span.path, span.line, path, f"{path} of lbcheck's", why))


def _contexts(cluster: Any) -> list[Any]:
    """Return the validation contexts of a cluster."""
    common = cluster.message("transport_socket").typed("typed_config")[1].message("common_tls_context")
    return [
        common.message("validation_context"),
        common.message("combined_validation_context").message("default_validation_context"),
    ]


def _uncovered(config: Config) -> str | None:
    """Return why the config as a whole cannot be rehearsed; None where it can."""
    if any(hit.code in _UNREAD for hit in config.hits):
        return None  # Envoy will say so
    if not config.tree.bootstraps:
        return f"{config.path} is no bootstrap, which Envoy starts from"
    for bootstrap in config.tree.bootstraps:
        dynamic = bootstrap.message("dynamic_resources")
        for name, what in (("cds_config", "clusters"), ("lds_config", "listeners"), ("ads_config", "resources")):
            source = dynamic.message(name)
            path = source.message("path_config_source").word("path") or source.word("path")
            if name in dynamic and not path:
                return f"its {what} come from a management server"
    return None
