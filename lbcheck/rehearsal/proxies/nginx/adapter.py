"""nginx in the sandbox: what it is started with, which of its directives are changed, and what it writes to."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from lbcheck.paths import is_glob
from lbcheck.rehearsal.preparing import trust
from lbcheck.rehearsal.preparing.messages import messages
from lbcheck.rehearsal.preparing.prepared import Prepared, Statement
from lbcheck.rehearsal.proxies.nginx import fragments, rewrite
from lbcheck.rehearsal.proxies.nginx.altered import altered
from lbcheck.rehearsal.proxies.nginx.code import code
from lbcheck.rehearsal.proxies.nginx.keys import varied
from lbcheck.rehearsal.proxies.nginx.mapped import mapped
from lbcheck.rehearsal.proxies.nginx.picks import picker
from lbcheck.rehearsal.proxies.seam import Adapter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lbcheck.dialects.nginx.scope import Scope
    from lbcheck.dialects.nginx.tree import Directive
    from lbcheck.model import Config, Frontend, Pool, Route
    from lbcheck.text import Source

#: Algorithms that follow an order, and give each server its share exactly over whole cycles.
_ORDERED = frozenset({"round_robin", "least_conn"})

#: Directive → what is written instead ("" takes it out), and why.
_CHANGED = {
    "daemon": ("", "lbcheck has to see when nginx ends"),
    "master_process": ("", "nginx runs as it does in production, with a master"),
    "user": ("", "the sandbox has one user"),
    "worker_processes": ("", "one worker has one state of balancing, so counts are exact"),
    "worker_cpu_affinity": ("", "there is one worker"),
    "worker_priority": ("", "the sandbox may not raise priorities"),
    "worker_rlimit_nofile": ("", "the sandbox may not raise limits"),
    "thread_pool": ("", "one worker needs no pools"),
}
#: Directives whose first argument is a file, or a folder, that nginx writes.
_LOGS = frozenset({"error_log", "access_log", "pid", "lock_file"})
_FOLDERS = frozenset(
    {"client_body_temp_path", "proxy_temp_path", "fastcgi_temp_path", "uwsgi_temp_path", "scgi_temp_path",
     "proxy_cache_path", "fastcgi_cache_path", "uwsgi_cache_path", "scgi_cache_path"}
)  # fmt: skip
_DEFAULT_FILES = ("/run/nginx.pid", "/var/log/nginx/error.log", "/var/log/nginx/access.log")
_DEFAULT_FOLDERS = ("/run", "/var/lib/nginx", "/var/log/nginx", "/var/cache/nginx", "/var/lock")


def prepare(config: Config, binary: str, *, trusted: bool = False, home: str | None = None) -> Prepared:
    """Return a config's tree made ready, at its own place or in the folder `home`. `trusted`: its code may run."""
    made = Prepared()
    made.folders.update(_DEFAULT_FOLDERS)
    made.files.update(dict.fromkeys(_DEFAULT_FILES, ""))
    seen: set[tuple[int, int]] = set()
    for directive, _ in _all(config.tree):
        key = (id(directive.source), directive.start)
        if key in seen or fragments.is_around(directive):
            continue
        seen.add(key)
        made.statements.append(Statement((directive.name, *directive.args), directive.word_span))
        _change(made, directive)
        _written(made, directive)
        if not trusted and (what := code(directive)) is not None:
            made.refuse(directive.span, what)
    if not trusted:
        made.refused.extend(trust.unread(config))
    main = _main(config) if home is None else f"{home}/nginx.conf"
    if (text := fragments.around(config.tree)) is not None:
        main = os.path.join(os.path.dirname(main), fragments.NAME)
        made.files[main] = text
    for source, path in _places(config, main):
        made.place(source, path)
    ours = "daemon off; worker_processes 1; user root;"
    made.check = (binary, "-t", "-c", main, "-g", ours)
    made.run = (binary, "-c", main, "-g", ours)
    return made


def unfit(pool: Pool, leading: Sequence[tuple[Frontend, Route]]) -> str | None:
    """Return why the stubs cannot answer what nginx sends: they speak HTTP and plain bytes."""
    del pool
    families = {route.options["pass"].value for _, route in leading if "pass" in route.options}
    strange = families - {"proxy"}
    return f"the stubs do not speak {min(strange)}" if strange else None


def ordered(pool: Pool, lost: Collection[int] = ()) -> bool:
    """Say whether the algorithm takes servers in an order, whichever are gone."""
    del lost
    return pool.algorithm.name in _ORDERED


def turn(run: Sequence[str]) -> tuple[tuple[str, ...], int] | str:
    """Return the command line, which has a master process, and the signal that tells it to reload (nginx(8))."""
    return tuple(run), int(signal.SIGHUP)


def _main(config: Config) -> str:
    path = os.path.realpath(config.path)
    return path if os.path.exists(path) else "/etc/nginx/nginx.conf"


def _all(scope: Scope) -> Iterator[tuple[Directive, tuple[Directive, ...]]]:
    """Yield every directive with the includes that led to it."""
    for one in scope.walk():
        for number, directive in enumerate(one.directives):
            yield directive, one.via if one.vias is None else one.vias[number]


def _change(made: Prepared, directive: Directive) -> None:
    if directive.name not in _CHANGED or directive.children is not None:
        return
    after, reason = _CHANGED[directive.name]
    made.change(directive.source, directive.start, directive.close, after, reason)


def _written(made: Prepared, directive: Directive) -> None:
    path = directive.args[0] if directive.args else ""
    if not path.startswith("/") or "$" in path:
        return
    if directive.name in _LOGS and not path.startswith("/dev/"):
        made.folders.add(os.path.dirname(path))
        made.files.setdefault(path, "")
    elif directive.name in _FOLDERS:
        made.folders.add(path)


def _places(config: Config, main: str) -> Iterator[tuple[Source, str]]:
    """Yield each source with its path in the sandbox: where its include looks for it."""
    done: set[int] = set()
    for directive, via in _all(config.tree):
        source = directive.source
        if id(source) in done:
            continue
        done.add(id(source))
        if via:
            yield source, _included(via[-1].args[0], source.path, main)
        else:
            yield source, os.path.realpath(source.path) if fragments.is_around(directive) else main


def _included(pattern: str, path: str, main: str) -> str:
    full = os.path.normpath(os.path.join(os.path.dirname(main), pattern))
    return os.path.join(os.path.dirname(full), os.path.basename(path)) if is_glob(pattern) else full


def by_load(pool: Pool) -> bool:
    """Say whether who serves a request depends on what else is under way."""
    return pool.algorithm.name in {"least_conn", "least_time", "random_two"}


ADAPTER = Adapter(
    "nginx",
    "apt-get install nginx",
    prepare=prepare,
    messages=messages,
    unfit=unfit,
    varied=varied,
    ordered=ordered,
    picker=picker,
    turn=turn,
    altered=altered,
    mapped=mapped,
    by_load=by_load,
    silence=True,
    without_server=502,  # its 503 is a limit
    writer=rewrite,
)
