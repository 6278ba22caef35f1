"""What is played in a sandbox, as plain data: it crosses from the one that plans to the one that plays, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

#: How a lost server behaves besides the ways that are predicted (`traffic.scenario.KINDS`): it answers late.
SLOW = "slow"


class Stub(NamedTuple):
    """A counting server. `host` is an IP address, or "" and `path` a unix socket. `tls`: it speaks TLS.

    To health checks it answers with this `status`, and with the `text` in the body.
    """

    host: str
    port: int
    path: str = ""
    tls: bool = False
    status: int = 200
    text: str = ""

    @property
    def address(self) -> str:
        """Where it listens, as people write it."""
        return self.path or f"{self.host}:{self.port}"


class Load(NamedTuple):
    """Requests to one listener, one after the other, of which each says which stub answered it.

    `name` is the pool that they are to reach. If the first answer does not come from one of the stubs `expect`, the
    rest is not asked; once a pool was reached, further loads of its name are left out.

    `together` requests more are asked with several under way at once, once the rest has reached its pool.

    `vary` is what differs from request to request: "" nothing, "source" the client's address, "path" the end of the
    path, "header:NAME", "cookie:NAME" or "query:NAME". `requests` at most, `seconds` at most. `loopback`:
    clients' addresses are such of this machine. `source` is the client's address where that does not vary, "" for any;
    `sni` the name that a client over TLS asks for, "" for the host. `shared`: its route leads to other pools too.
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
    together: int = 0
    loopback: bool = False
    source: str = ""
    sni: str = ""
    shared: bool = False


class Loss(NamedTuple):
    """The stubs at `stubs` are lost in this `kind` of way, until that was noticed and seen for a while; then come back.

    Requests come at a steady `rate` a second, by the first of the `loads` that gets through, and `at_once` of them may
    wait for an answer; once the proxy has noticed, quicker, until `settled` of them were served. Times in seconds:
    `checked` at most until a health check of each of the servers `probed` (POOL/NAME) has passed, without which nothing
    is lost, `notice` at most until the proxy has noticed, `recovery` until it sends requests there again.

    How it is known that the proxy has noticed: it says that the server which it calls `down` is, or it has not tried
    the server for a time of `silence`. Neither of them where it cannot be known. `lag` is how much later it may act.
    """

    loads: tuple[int, ...]
    stubs: tuple[int, ...]
    kind: str
    rate: float
    settled: int
    checked: float
    notice: float
    recovery: float
    silence: float = 0.0
    down: str = ""
    at_once: int = 200
    probed: tuple[str, ...] = ()
    lag: float = 0.0


class Reload(NamedTuple):
    """While the script's loads at `before` are played, its config makes way for another one.

    `files` are written, those at `gone` removed, and the proxy is sent a `signal`. Then the loads at `after` are
    played.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    files: Mapping[str, str]
    gone: tuple[str, ...]
    signal: int
    ready: tuple[tuple[str, int], ...]


class Script(NamedTuple):
    """The whole play.

    `check` (() for none) and `run` are command lines. `ready` is where the proxy has to listen: addresses with their
    ports, paths of unix sockets with 0. All `loads` are played; or one `loss` while one of them is; or a `reload`.
    `settle` is for how many seconds after it listens the proxy may not know its routes.
    `tells` is where the proxy says which servers it takes for down (`witness.of`).
    `programs` are single files of this machine that are run, by their places in the sandbox. `home` is the private
    folder where there are no namespaces, with `run` in it to be written to.
    """

    check: tuple[str, ...]
    run: tuple[str, ...]
    files: Mapping[str, str] = {}
    folders: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    stubs: tuple[Stub, ...] = ()
    loads: tuple[Load, ...] = ()
    loss: Loss | None = None
    reload: Reload | None = None
    ready: tuple[tuple[str, int], ...] = ()
    certificate: str = ""
    only_check: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    home: str = ""
    programs: Mapping[str, str] = {}
    tells: str = ""
    settle: float = 0.0


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
        loss=_loss(*script.loss) if script.loss is not None else None,
        reload=_reload(*script.reload) if script.reload is not None else None,
    )


def _load(*values: Any) -> Load:
    load = Load(*values)
    return load._replace(headers=tuple((name, value) for name, value in load.headers), expect=tuple(load.expect))


def _loss(*values: Any) -> Loss:
    loss = Loss(*values)
    return loss._replace(loads=tuple(loss.loads), stubs=tuple(loss.stubs), probed=tuple(loss.probed))


def _reload(*values: Any) -> Reload:
    reload = Reload(*values)
    return reload._replace(before=tuple(reload.before), after=tuple(reload.after))
