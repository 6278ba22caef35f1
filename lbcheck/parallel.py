"""The same work on several parts at once: every part but the first in a forked process of its own.

A fork finds all that was read before in its memory, so only the answers are sent, through a pipe each. The standard
library's pools do the same and take longer to import than a small folder takes to check.
"""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

P = TypeVar("P")
R = TypeVar("R")


class _Child(NamedTuple):
    process: int
    pipe: int


def spread(work: Callable[[P], R], parts: Sequence[P], failed: Callable[[P], R]) -> list[R]:
    """Return work(part) for each part, in their order.

    `failed` answers for a part whose process ended without an answer (killed for want of memory, say). A part for
    which the system has no process left is worked on here.
    """
    children = [_start(work, part) for part in parts[1:]]
    answers = [work(part) for part in parts[:1]]
    for child, part in zip(children, parts[1:], strict=True):
        sent = [work(part)] if child is None else _sent(child)
        answers.append(cast("R", sent[0]) if sent else failed(part))
    return answers


def _start(work: Callable[[P], R], part: P) -> _Child | None:
    reading, writing = os.pipe()
    try:
        process = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return None
    if process:
        os.close(writing)
        return _Child(process, reading)
    try:
        os.close(reading)
        with os.fdopen(writing, "wb") as stream:
            pickle.dump([work(part)], stream, pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)  # nothing of the parent's, such as its half-filled buffers, may be finished here


def _sent(child: _Child) -> list[object]:
    """Return what a child sent, in a list; [] where that is no whole answer."""
    with os.fdopen(child.pipe, "rb") as stream:
        data = stream.read()
    os.waitpid(child.process, 0)
    try:
        answer: list[object] = pickle.loads(data)  # noqa: S301 - our own process wrote it
    except (EOFError, pickle.UnpicklingError):
        return []
    return answer
