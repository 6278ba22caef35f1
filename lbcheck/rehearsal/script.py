"""What is played in a sandbox, as plain data: it crosses from the one that plans to the one that plays, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

#: How a lost server behaves.
REFUSES, HANGS, ERRORS = "refuses", "hangs", "errors"


class Stub(NamedTuple):
    """A counting server. `host` is an IP address, or "" and `path` a unix socket. `tls`: it speaks TLS."""

    host: str
    port: int
    path: str = ""
    tls: bool = False
    protocol: str = "http"


class Load(NamedTuple):
    """Requests to one listener, one after the other, of which each says which stub answered it.

    `name` is the pool that they are to reach. If the first answer does not come from one of the stubs `expect`, the
    rest is not asked; once a pool was reached, further loads of its name are left out.

    `vary` is what differs from request to request: "" nothing, "source" the client's address, "path" the end of the
    path, "header:NAME", "cookie:NAME" or "query:NAME". `requests` at most, `seconds` at most.
    """

    name: str
    host: str
    port: int
    socket: str = ""
    tls: bool = False
    proxy_protocol: bool = False
    protocol: str = "http"
    method: str = "GET"
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    vary: str = ""
    requests: int = 1000
    seconds: float = 10.0
    seed: int = 1
    expect: tuple[int, ...] = ()


class Loss(NamedTuple):
    """While `load` is repeated, the stubs at `stubs` are lost for `outage` seconds, then come back."""

    load: int
    stubs: tuple[int, ...]
    kind: str
    outage: float
    recovery: float


class Script(NamedTuple):
    """The whole play. `check` (() for none) and `run` are command lines; `ready` is where the proxy has to listen."""

    check: tuple[str, ...]
    run: tuple[str, ...]
    folder: str = ""
    files: Mapping[str, str] = {}
    folders: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    stubs: tuple[Stub, ...] = ()
    loads: tuple[Load, ...] = ()
    losses: tuple[Loss, ...] = ()
    ready: tuple[tuple[str, int], ...] = ()
    certificate: str = ""
    only_check: bool = False
    environment: tuple[tuple[str, str], ...] = ()


def dumps(script: Script) -> str:
    """Return a script as one line of JSON."""
    return json.dumps(script)


def loads(text: str) -> Script:
    """Return the script that `dumps` wrote."""
    values: list[Any] = json.loads(text)
    script = Script(*values)
    return script._replace(
        stubs=tuple(Stub(*one) for one in script.stubs),
        loads=tuple(_load(*one) for one in script.loads),
        losses=tuple(Loss(*one) for one in script.losses),
    )


def _load(*values: Any) -> Load:
    load = Load(*values)
    return load._replace(headers=tuple((name, value) for name, value in load.headers), expect=tuple(load.expect))
