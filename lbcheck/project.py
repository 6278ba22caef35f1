"""One run over many files: find the configs, read each group once, judge every config, in parallel where it pays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lbcheck import discovery, engine, grouping
from lbcheck.context import Context
from lbcheck.declared import declare
from lbcheck.dialects import dialect
from lbcheck.discovery import Refused
from lbcheck.engine import INTERNAL, finish, raised_at
from lbcheck.files import DiskFiles, Overlaid, UnreadableError
from lbcheck.findings import Hit, NotChecked
from lbcheck.grouping import Unit
from lbcheck.model import Config
from lbcheck.peers import Peers
from lbcheck.results import Counts, Result
from lbcheck.surroundings import Surroundings
from lbcheck.text import Source, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lbcheck.files import Files, FileTree
    from lbcheck.settings import Settings

    Judge = Callable[[Config], Result]

#: Below this many bytes a second process costs more than it saves.
WORTH_FORKING = 100_000


class Request(NamedTuple):
    """What to look at.

    `paths` are files, folders or "-" for `stdin`, which is shown as `stdin_name`. `together` are groups of files
    that HAProxy loads as one config, in that order. `changed`: the paths are changed files, and the configs
    around them are wanted. `files` is where to look instead of on the disk.
    """

    paths: tuple[str, ...]
    stdin: str | None = None
    stdin_name: str = "-"
    together: tuple[tuple[str, ...], ...] = ()
    dialect: str | None = None
    exclude: tuple[str, ...] = ()
    root: str | None = None
    changed: bool = False
    jobs: int = 0
    files: FileTree | None = None


class Work(NamedTuple):
    """Files and the groups in which they are read; what is left after discovery."""

    files: FileTree
    units: list[Unit]
    refused: list[Refused]
    wanted: frozenset[str] | None
    surroundings: Surroundings
    peers: Peers


def check(request: Request, judge: Judge) -> Result:
    """Find, read and judge; findings come in order of path and place. Raises PathMissingError."""
    work = prepare(request)
    result = Result()
    for path in work.refused:
        unread = judge(_unread(path))
        unread.counts = Counts(files=1)
        result.add(unread)
    for part in _parts(work, judge, request.jobs):
        result.add(part)
    finish(result)
    return result


def judge(settings: Settings, approved: frozenset[str] | None = None) -> Judge:
    """Return the function that judges one config by the settings; comments silence the `approved` findings, or all.

    Raises SettingsError for an unknown selector.
    """
    selection = settings.selection()
    selection.approved = approved
    declared = settings.declarations()

    def judged(config: Config) -> Result:
        matched = declare(config, declared)
        result = engine.check(config, selection, Context(settings.targets, settings.options))
        result.declared = matched
        return result

    return judged


def silenced(request: Request, judge: Judge, files: FileTree) -> frozenset[str]:
    """Return the fingerprints of the findings that comments silence in another version of what is to be checked.

    A pull request cannot silence its own check if its comments count only for these: the same finding (its rule, path,
    pool, server and line) must have been silenced before it.
    """
    paths = _around(())[0] if request.changed else list(request.paths)
    named = [request.stdin_name if path == "-" else path for path in paths]
    there = request._replace(
        files=files,
        stdin=None,
        changed=False,
        paths=tuple(path for path in named if files.exists(path)),
        together=tuple(tuple(path for path in group if files.exists(path)) for group in request.together),
    )
    return frozenset(check(there, judge).silenced)


def prepare(request: Request) -> Work:
    """Return the files to read and how they group. Raises PathMissingError."""
    paths, wanted = _around(request.paths) if request.changed else (list(request.paths), None)
    files, held = _files(request, paths)
    listed = [request.stdin_name if path == "-" and request.stdin is not None else path for path in paths]
    forced = None if request.changed else request.dialect
    grouped = {os.path.normpath(path) for group in request.together for path in group}
    found, refused = discovery.discover(listed, files, request.exclude, forced, held=held)
    found = [item for item in found if item.path not in grouped]
    if request.changed and request.dialect:
        found = [item for item in found if item.dialect == request.dialect]
    ordered = [_ordered(group, files, refused) for group in request.together]
    units = [unit for unit in ordered if unit.paths] + grouping.units(found, files)
    files.known = [item.path for item in found]
    peers = Peers(units, files)
    if wanted is not None:
        units = [unit for unit in units if wanted.intersection(map(os.path.realpath, unit.paths))]
        refused = []
    return Work(files, units, refused, wanted, Surroundings(_composed(found, files), files), peers)


def _composed(found: Iterable[discovery.Found], files: FileTree) -> list[str]:
    """Return the Compose files among the found ones; those with labels for Traefik are of its dialect."""
    some = [item for item in found if item.dialect in ("compose", "traefik")]
    if not some:
        return []
    from lbcheck.dialects import composefile

    return [
        item.path
        for item in some
        if item.dialect == "compose" or (item.dialect == "traefik" and composefile.recognises(files.read(item.path)))
    ]


def _files(request: Request, paths: Sequence[str]) -> tuple[FileTree, frozenset[str]]:
    """Return where to read, and which paths are in memory."""
    if request.files is not None:
        return request.files, frozenset()
    named = (*paths, *(member for group in request.together for member in group))
    memory = {} if request.stdin is None else {request.stdin_name: request.stdin}
    return DiskFiles(discovery.roots(path for path in named if path != "-"), request.root, memory), frozenset(memory)


def _ordered(group: Sequence[str], files: FileTree, refused: list[Refused]) -> Unit:
    """Return the files that the user named as one HAProxy config; those that cannot be read are refused."""
    paths = []
    for path in group:
        try:
            files.read(path)
        except UnreadableError as error:
            refused.append(Refused(path, "E03" if error.code == "E02" else error.code, error.reason))
        else:
            paths.append(path)
    return Unit("haproxy", tuple(paths), ordered=True)


def _around(paths: Sequence[str]) -> tuple[list[str], frozenset[str]]:
    """Return the folder in which the configs around changed files are looked for, and the files' real paths."""
    top = discovery.git_top(".")
    return [os.path.relpath(top) if top else "."], frozenset(os.path.realpath(path) for path in paths)


def _unread(refused: Refused) -> Config:
    """Return a config that holds nothing but the reason why a path was not read."""
    source = Source(refused.path, "")
    config = Config("", refused.path, [source])
    if refused.code is None:
        config.unmodelled.append(NotChecked(Span(source, 0, 0), refused.reason))
    else:
        args = {"problem": f"cannot read this file: {refused.reason}", "advice": "name a regular file"}
        config.hits.append(Hit(refused.code, Span(source, 0, 0), args))
    return config


def _read_unit(work: Work, unit: Unit) -> list[Config]:
    configs = _configs_of(unit, work.files)
    work.surroundings.place(configs)
    if unit.ordered:
        return configs
    work.peers.place(configs)
    if work.wanted is None:
        return configs
    return [config for config in configs if _holds(config, work.wanted)]


def _configs_of(unit: Unit, files: Files) -> list[Config]:
    """Return what a unit's files say, with nothing of what is around them."""
    if unit.ordered:
        from lbcheck.dialects.haproxy import read_group

        return [read_group(unit.paths, files)]
    return dialect(unit.dialect).read(unit.paths, files)


def again(work: Work, config: Config, texts: Mapping[str, str]) -> Config | None:
    """Return what a config would be with other texts at these paths; None where its readers cannot tell.

    It is read as it was at first, but nothing around it is looked at, nor is it judged.
    """
    own = {source.path for source in config.files}
    unit = next((unit for unit in work.units if not own.isdisjoint(unit.paths)), None)
    if unit is None:
        return None
    try:
        found = _configs_of(unit, Overlaid(work.files, texts))
    except Exception:  # noqa: BLE001 - a text that nobody wrote must not end the run
        return None
    return found[0] if unit.ordered else next((one for one in found if one.path == config.path), None)


def _holds(config: Config, wanted: frozenset[str]) -> bool:
    return any(os.path.realpath(source.path) in wanted for source in config.files)


def configs(work: Work) -> Iterator[Config]:
    """Read the configs one by one, in order of discovery; a path that was not read is an empty config that says so."""
    for path in work.refused:
        yield _unread(path)
    yield from _read(work, work.units)


def _read(work: Work, units: Iterable[Unit]) -> Iterator[Config]:
    for unit in units:
        try:
            yield from _read_unit(work, unit)
        except Exception as error:  # noqa: BLE001 - one config that breaks the reader must not silence the others
            problem = f"reading this config failed: {type(error).__name__} at {raised_at(error)}"
            yield _broken(unit.paths[0], problem)


#: The config that was judged last: the process ends soon, and taking its objects apart one by one would hold it up.
_kept: list[Config] = []


def _judged(work: Work, judge: Judge, units: Iterable[Unit]) -> Result:
    result = Result()
    for config in _read(work, units):
        _kept[:] = (config,)
        result.add(judge(config))
    return result


def _broken(path: str, problem: str) -> Config:
    """Return a config that says what went wrong in our own code."""
    source = Source(path, "")
    config = Config("", path, [source])
    advice = "report it with a config that shows it at https://github.com/lbcheck/lbcheck/issues"
    config.hits.append(Hit(INTERNAL, Span(source, 0, 0), {"problem": problem, "advice": advice}))
    return config


def _parts(work: Work, judge: Judge, jobs: int) -> Iterable[Result]:
    units = work.units
    sizes = [sum(len(work.files.read(path).text) for path in unit.paths) for unit in units]
    jobs = min(jobs or os.cpu_count() or 1, len(units))
    if jobs < 2 or sum(sizes) < WORTH_FORKING or not hasattr(os, "fork"):
        return [_judged(work, judge, units)]
    from lbcheck.parallel import spread

    return spread(
        lambda hand: _judged(work, judge, hand), _dealt(units, sizes, jobs), lambda hand: _cut_short(hand, judge)
    )


def _dealt(units: Sequence[Unit], sizes: Sequence[int], hands: int) -> list[list[Unit]]:
    """Deal the units so that all hands hold about the same number of bytes, the largest first."""
    held: list[list[Unit]] = [[] for _ in range(hands)]
    weights = [0] * hands
    for size, unit in sorted(zip(sizes, units, strict=True), key=lambda pair: -pair[0]):
        lightest = weights.index(min(weights))
        held[lightest].append(unit)
        weights[lightest] += size
    return held


def _cut_short(units: Sequence[Unit], judge: Judge) -> Result:
    """Return the result of units whose process ended early: one of them brought it down, nobody knows which."""
    result = Result()
    for unit in units:
        result.add(judge(_broken(unit.paths[0], "the process that checked this config ended early")))
    return result


def expanded(paths: Iterable[str]) -> list[str]:
    """Return files as they are and folders as their .cfg files in lexical order, as `haproxy -f` takes them.

    Raises PathMissingError.
    """
    found: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            found.extend(os.path.join(path, name) for name in sorted(os.listdir(path)) if name.endswith(".cfg"))
        elif os.path.lexists(path):
            found.append(os.path.normpath(path))
        else:
            raise discovery.PathMissingError(path)
    return found
