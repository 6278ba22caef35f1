"""A config made ready for the sandbox: what is started, which files lie where, and what had to be changed and why."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.rehearsal.isolation.mounts import PROGRAMS
from lbcheck.rehearsal.outcome import Rewrite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.model import Listener
    from lbcheck.text import Source, Span


class Statement(NamedTuple):
    """A directive or a line of a config: its words, the name first, and where each of them is written."""

    words: Sequence[str]
    place: Callable[[int], Span]


class Prepared:
    """Command lines, files by their paths in the sandbox, folders to be written to, changes, and what is refused.

    `places` maps a path in the sandbox back to the user's own. `seen` are folders of this machine that are seen in the
    sandbox: those in which the config's files lie. `environment` are variables that the config names, `ready` where
    it listens because of a change, `statements` what messages about the config may be about. `programs` are single
    files of this machine that are run, by their places in the sandbox; `certified` names that the servers'
    certificate has to hold besides their own, `authorities` the files by which it is verified; `uncovered` says why
    nothing of the config but its native check can be rehearsed; `unchecked` why there is
    no native check. `listeners` are those that the sandbox has for frontends, by id, of which the config names none;
    `located` finds what a message without a line is about.
    """

    def __init__(self) -> None:
        self.check: tuple[str, ...] = ()
        self.run: tuple[str, ...] = ()
        self.files: dict[str, str] = {}
        self.folders: set[str] = set()
        self.rewrites: list[Rewrite] = []
        self.refused: list[str] = []
        self.places: dict[str, str] = {}
        self.seen: set[str] = set()
        self.environment: dict[str, str] = {}
        self.ready: set[tuple[str, int]] = set()
        self.statements: list[Statement] = []
        self.programs: dict[str, str] = {}
        self.certified: set[str] = set()
        self.authorities: set[str] = set()
        self.uncovered: str | None = None
        self.unchecked: str | None = None
        self.listeners: dict[int, list[Listener]] = {}
        self.located: Callable[[str], Span | None] = lambda _: None
        self._edits: dict[int, tuple[Source, list[tuple[int, int, str]]]] = {}

    def change(self, source: Source, start: int, end: int, after: str, reason: str) -> None:
        """Replace [start, end) of a source; lines stay where they are, and the proxy's messages name the right ones."""
        before = source.text[start:end]
        after += "\n" * (before.count("\n") - after.count("\n"))
        self._edits.setdefault(id(source), (source, []))[1].append((start, end, after))
        line = source.position(start)[0]
        self.rewrites.append(Rewrite(source.path, line, before.strip(), after.strip(), reason))

    def add(self, path: str, what: str, reason: str) -> None:
        """Note what is said on the command line about the config at a path, over what it says itself."""
        self.rewrites.append(Rewrite(path, 1, "", what, reason))

    def refuse(self, span: Span, what: str) -> None:
        """Say what is not run unless the user trusts the config."""
        self.refused.append(f"{span.path}:{span.line}: {what}")

    def place(self, source: Source, path: str) -> None:
        """Put a source, with its changes, at a path of the sandbox; nothing is written where it lies there already."""
        self.places[path] = source.path
        edits = self._edits.get(id(source))
        own = os.path.realpath(source.path)
        if path.startswith(PROGRAMS):
            self.refused.append(f"{source.path}:1: it is included as {path}, where programs lie")
            return
        if os.path.exists(own):
            self.seen.add(os.path.dirname(own))
        if edits is None and own == path:
            self.files.pop(path, None)  # a log of this name would be an empty file in its place
            return
        text = source.text
        for start, end, after in sorted(edits[1] if edits else (), reverse=True):
            text = text[:start] + after + text[end:]
        self.files[path] = text
