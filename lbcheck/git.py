"""The git program, asked for revisions and objects: the one place that starts a process, and it writes nothing.

A repository may belong to a stranger (a pull request's), so git is started such that it runs nothing that the
repository names: plumbing commands only, no hooks, no file-system monitor, no text conversion or filters, no fetching
of objects that a partial clone has left out, and no word of ours that could be taken for an option.

Why the program and not a library: git itself knows every format that it has (packs, alternates, reftable, SHA-256,
linked work trees, partial clones) and whose repositories it may trust (`safe.directory`). dulwich 1.2 reads the formats
too, but knows nothing of the trust, and would bring 90,000 lines and an HTTP client to a tool that opens no connection.
"""

from __future__ import annotations

import os
import re
import selectors
import subprocess
from contextlib import suppress
from typing import IO, cast

from lbcheck.files import GitError

#: Seconds that git may take to answer, or to say the next piece of an answer.
PATIENCE = 60.0
#: An object identifier, SHA-1 or SHA-256.
_NAME = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?$")
_BLOCK = 1 << 16


#: Why an object was not read.
MISSING = "this clone of the repository does not have it, or git cannot read it"


class MissingObjectError(Exception):
    """An object that git does not give, or one of more bytes than were asked for (`size` then says how many)."""

    def __init__(self, size: int | None = None) -> None:
        super().__init__(size)
        self.size = size


def _command(words: tuple[str, ...]) -> list[str]:
    # An empty core.fsmonitor is "off" for all versions; before 2.36 "false" was the name of a program to run.
    return ["git", "--no-pager", "-c", "core.fsmonitor=", "-c", f"core.hooksPath={os.devnull}", *words]


def _surroundings() -> dict[str, str]:
    return {
        **os.environ,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",  # versions that do not know the word above cannot fetch either
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def output(folder: str, *words: str) -> bytes:
    """Return what `git WORDS` prints when it is run in a folder. Raises GitError with git's own first line."""
    try:
        done = subprocess.run(  # noqa: S603 - a list of words, no shell; see the module's docstring
            _command(words),
            cwd=folder,
            env=_surroundings(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except FileNotFoundError:
        raise GitError("git is not installed, and revisions are read with it") from None
    except (OSError, ValueError) as error:
        raise GitError(f"git cannot be started: {error}") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git did not answer within {PATIENCE:.0f} seconds") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitError(said[0].removeprefix("fatal: ") if said else f"git {words[0]} failed")
    return done.stdout


def top_and_prefix(folder: str) -> tuple[str | None, str]:
    """Return the top of the working tree around a folder and the path from there to the folder ("" or "lb/").

    The top is None where there is no working tree (a bare clone). Raises GitError outside git.
    """
    inside = output(folder, "rev-parse", "--is-inside-work-tree").strip() == b"true"
    if not inside:
        return None, ""
    prefix = os.fsdecode(output(folder, "rev-parse", "--show-prefix").removesuffix(b"\n"))
    top = os.fsdecode(output(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n"))
    return top, prefix


def object_name(folder: str, revision: str, kind: str) -> str | None:
    """Return the name of the "commit" or "tree" that a revision stands for, None where it stands for none."""
    if revision.startswith("-") or not revision or "\0" in revision:
        return None  # no revision begins so, and git would take it for an option
    try:
        said = output(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{{kind}}}").strip()
    except GitError:
        return None
    return said.decode("ascii") if _NAME.match(said) else None


def merge_base(folder: str, one: str, other: str) -> str | None:
    """Return the commit at which two revisions part; None where they have none in common, or one is none."""
    commits = [object_name(folder, revision, "commit") for revision in (one, other)]
    if None in commits:
        return None
    try:
        said = output(folder, "merge-base", *cast("list[str]", commits)).split()
    except GitError:
        return None
    return said[0].decode("ascii")


def ignored(top: str) -> list[str]:
    """Return what .gitignore leaves out of a working tree, relative to its top; a whole folder ends with "/"."""
    said = output(top, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    return [os.fsdecode(path) for path in said.split(b"\0") if path]


class Objects:
    """The objects of a repository, read from one `git cat-file --batch` that is kept until `close`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._held = b""
        self._ready: selectors.BaseSelector | None = None

    def read(self, name: str, limit: int) -> tuple[str, bytes]:
        """Return (type, bytes) of an object. Raises MissingObjectError, GitError where git hangs or cannot start."""
        process = self._started()
        try:
            request = cast("IO[bytes]", process.stdin)
            request.write(name.encode("ascii") + b"\n")
            request.flush()
            words = self._until(b"\n").split()
            if len(words) != 3:
                raise MissingObjectError
            size = int(words[2])
            if size > limit:
                self.close()  # rather than read through all of it
                raise MissingObjectError(size)
            return words[1].decode("ascii"), self._exactly(size + 1)[:-1]
        except (OSError, ValueError):  # git ends at an object that is broken, or that it may not fetch
            self.close()
            raise MissingObjectError from None

    def _started(self) -> subprocess.Popen[bytes]:
        """Return the running git; a forked child starts one of its own, for the parent's answers the parent."""
        if self._process is not None and self._owner == os.getpid():
            return self._process
        if self._process is not None:
            _ABANDONED.append(self._process)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a list of words, no shell; see the module's docstring
                _command(("cat-file", "--batch")),
                cwd=self._folder,
                env=_surroundings(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise GitError(f"git cannot be started: {error}") from None
        self._owner = os.getpid()
        self._held = b""
        self._ready = selectors.DefaultSelector()
        self._ready.register(cast("IO[bytes]", self._process.stdout), selectors.EVENT_READ)
        return self._process

    def _more(self) -> bytes:
        ready = cast("selectors.BaseSelector", self._ready).select(PATIENCE)
        if not ready:
            self.close()
            raise GitError(f"git did not answer within {PATIENCE:.0f} seconds")
        piece = os.read(ready[0][0].fd, _BLOCK)
        if not piece:
            raise OSError("end of git's answer")
        return piece

    def _until(self, end: bytes) -> bytes:
        while end not in self._held:
            self._held += self._more()
        line, _, self._held = self._held.partition(end)
        return line

    def _exactly(self, size: int) -> bytes:
        pieces = [self._held]
        left = size - len(self._held)
        while left > 0:
            pieces.append(self._more())
            left -= len(pieces[-1])
        whole = b"".join(pieces)
        self._held = whole[size:]
        return whole[:size]

    def close(self) -> None:
        """End git."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        if self._ready is not None:
            self._ready.close()
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        process.wait()


#: What a forked child inherited and must neither use nor end.
_ABANDONED: list[subprocess.Popen[bytes]] = []
