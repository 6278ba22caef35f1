"""HAProxy in the sandbox: what it is started with, which of its lines are changed, and what it writes to."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from lbcheck.rehearsal.play import standing
from lbcheck.rehearsal.play.witness import OUTPUT
from lbcheck.rehearsal.preparing import trust, variables
from lbcheck.rehearsal.preparing.messages import messages
from lbcheck.rehearsal.preparing.prepared import Prepared, Statement
from lbcheck.rehearsal.proxies.haproxy import rewrite
from lbcheck.rehearsal.proxies.haproxy.altered import altered
from lbcheck.rehearsal.proxies.haproxy.code import code
from lbcheck.rehearsal.proxies.haproxy.keys import varied
from lbcheck.rehearsal.proxies.haproxy.picks import picker
from lbcheck.rehearsal.proxies.seam import Adapter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lbcheck.dialects.haproxy.tree import Line, Section
    from lbcheck.model import Config, Frontend, Pool, Route, Server

#: Algorithms that follow an order, and give each server its share exactly over whole cycles.
_ORDERED = frozenset({"roundrobin", "static-rr", "leastconn", "first", "sticky"})

_ONE_USER = "the sandbox has one user"
#: Keyword of the global section that is taken out → why.
_TAKEN_OUT = {
    "daemon": "lbcheck has to see when HAProxy ends",
    "master-worker": "one process is enough to see",
    "user": _ONE_USER,
    "group": _ONE_USER,
    "uid": _ONE_USER,
    "gid": _ONE_USER,
    "chroot": "the sandbox is one already",
    "nbproc": "one process has one state of balancing, so counts are exact",
    "nbthread": "one thread has one state of balancing, so counts are exact",
    "cpu-map": "there is one thread",
    "ulimit-n": "the sandbox may not raise limits",
    "setcap": "the sandbox has given up all others",
}
#: Parameters of a listener, with a value each, that name who owns its socket.
_OWNERS = frozenset({"user", "group", "uid", "gid"})
#: Loaded before the config: a global section may stand in several files.
_EXTRA = "/run/lbcheck-rehearsal.cfg"
#: Listeners that are handed over by whoever starts HAProxy get ports of their own from here on.
_FIRST_PORT = 20000


def prepare(config: Config, binary: str, *, trusted: bool = False, home: str | None = None) -> Prepared:
    """Return a config's tree made ready, at its own place or in the folder `home`. `trusted`: its code may run."""
    made = Prepared()
    made.folders.update({"/run", "/run/haproxy", "/var/lib/haproxy"})
    made.environment = _environment(config)
    for section, line in _lines(config):
        made.statements.append(Statement(line.words, line.span_of))
        _change(made, section, line)
        if not trusted and (what := code(section, line)) is not None:
            made.refuse(line.span, what)
    if not trusted:
        made.refused.extend(trust.unread(config))
    made.files[_EXTRA] = "global\n    nbthread 1\n    no strict-limits\n" + standing.LISTENS
    paths = [_EXTRA]
    for number, source in enumerate(config.files):
        path = os.path.realpath(source.path)
        if home is not None or not os.path.exists(path):
            path = f"{home or '/etc/haproxy'}/haproxy{number}.cfg"
        paths.append(path)
        made.place(source, paths[-1])
    files = tuple(word for path in paths for word in ("-f", path))
    made.check = (binary, "-c", *files)
    made.run = (binary, "-db", *files)
    return made


def unfit(pool: Pool, leading: Sequence[tuple[Frontend, Route]]) -> str | None:
    """Return why the pool cannot be rehearsed; None where it can."""
    del leading
    if any(server.address.kind == "name" and _resolved_later(server) for server in pool.servers):
        return "its servers' addresses come from resolvers while it runs, and the sandbox has none"
    return None


def _resolved_later(server: Server) -> bool:
    """Say whether HAProxy does not ask the system for a name's address at start (`init-addr last,none`)."""
    setting = server.options.get("init-addr")
    return setting is not None and "libc" not in str(setting.value).split(",")


def ordered(pool: Pool, lost: Collection[int] = ()) -> bool:
    """Say whether the algorithm takes servers in an order, whichever are gone."""
    del lost
    return pool.algorithm.name in _ORDERED


def called(pool: Pool, server: Server, address: str) -> str:
    """Return how its messages call a server that something besides the traffic can find dead."""
    del address
    return f"{pool.name}/{server.name}" if server.probed else ""


def turn(run: Sequence[str]) -> tuple[tuple[str, ...], int] | str:
    """Return the command line with a master process, and the signal to it (management.txt, "master-worker")."""
    return (run[0], "-W", *run[1:]), int(signal.SIGUSR2)


def _lines(config: Config) -> Iterator[tuple[Section, Line]]:
    """Yield every line, heads of sections included."""
    for section in config.tree.read.sections:
        yield section, section.head
        for line in section.lines:
            yield section, line


def _change(made: Prepared, section: Section, line: Line) -> None:
    first = line.words[0]
    if section.kind == "global" and line is not section.head and first in _TAKEN_OUT:
        made.change(line.source, line.start, line.end, "", _TAKEN_OUT[first])
        return
    at = 2 if (first, line.word(1)) == ("stats", "socket") else 1 if first == "bind" else None
    if at is not None:
        _listener(made, section, line, at)
    if at is not None or first == "unix-bind":
        _owners(made, line)


def _listener(made: Prepared, section: Section, line: Line, at: int) -> None:
    """Make the folder of a socket; give a listener that is inherited a port."""
    for address in line.word(at).split(","):
        path = variables.expanded(address.removeprefix("unix@"), made.environment)
        if path.startswith("/"):
            made.folders.add(os.path.dirname(path))
    if line.word(at).startswith("fd@"):
        host, port = "127.0.0.1", _FIRST_PORT + len(made.rewrites)
        if section.kind in {"frontend", "listen"}:  # peers listen only where one of them is this machine
            made.ready.add((host, port))
        span = line.span_of(at)
        made.change(line.source, span.start, span.end, f"{host}:{port}", "nobody hands it a socket")


def _owners(made: Prepared, line: Line) -> None:
    for index in range(1, len(line.words) - 1):
        if line.words[index] in _OWNERS and line.words[index - 1] not in _OWNERS:
            span = line.span_of(index, index + 1)
            made.change(line.source, span.start, span.end, "", _ONE_USER)


def _environment(config: Config) -> dict[str, str]:
    """Return values for the variables that the config names and does not set."""
    own = {line.word(1) for _, line in _lines(config) if line.words[0] in {"setenv", "presetenv"}}
    names = [name for source in config.files for name in variables.named(source.text)]
    folder = os.path.dirname(os.path.realpath(config.path))
    return variables.made_up((name for name in dict.fromkeys(names) if name not in own), folder)


def by_load(pool: Pool) -> bool:
    """Say whether who serves a request depends on what else is under way."""
    return pool.algorithm.name in {"leastconn", "first"} or (
        pool.algorithm.name == "random" and pool.algorithm.draws > 1
    )


ADAPTER = Adapter(
    "haproxy",
    "apt-get install haproxy",
    prepare=prepare,
    messages=messages,
    unfit=unfit,
    varied=varied,
    ordered=ordered,
    picker=picker,
    turn=turn,
    altered=altered,
    by_load=by_load,
    stands=True,
    called=called,
    tells=OUTPUT,
    rounded=frozenset({"roundrobin"}),
    writer=rewrite,
)
