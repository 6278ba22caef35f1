"""`lbcheck gate` at a terminal: the verdict first, then each stage with its reasons and its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from lbcheck.gate.outcome import FAILED, GO, LEFT_OUT, NOT_RUN, PASSED
from lbcheck.report.escape import escape, shown_path
from lbcheck.report.pictures.terminal import padded, printed, styled, width_of
from lbcheck.report.pictures.words import wrapped
from lbcheck.traffic.outcome import HOT, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.gate.outcome import Stage, Verdict
    from lbcheck.report.options import Options

_LOOKS = {PASSED: "good", FAILED: HOT, NOT_RUN: UNKNOWN, LEFT_OUT: "muted"}
_NAME, _OUTCOME, _LINES = 10, 10, 4


def render(verdict: Verdict, options: Options) -> str:
    """Return the verdict in one screen."""
    return printed(_lines(verdict, width_of(options)), options)


def _lines(verdict: Verdict, width: int) -> Iterator[Text]:
    what = shown_path(verdict.new) + (f" in place of {escape(verdict.old)}" if verdict.old else "")
    yield styled(f"{verdict.word}: {what}", "good" if verdict.word == GO else HOT)
    for stage in verdict.stages:
        yield Text()
        yield from _stage(stage, width, required=verdict.missing(stage))
    if verdict.blocking:
        yield Text()
        yield styled(f"{verdict.word} because of {' and '.join(stage.name for stage in verdict.blocking)}", HOT)


def _stage(stage: Stage, width: int, *, required: bool) -> Iterator[Text]:
    look = HOT if required else _LOOKS[stage.outcome]
    head = padded(stage.name, _NAME, "strong").append_text(padded(stage.outcome, _OUTCOME, look))
    words = [(reason, look) for reason in stage.reasons] + [(seen, "") for seen in stage.evidence]
    if required:
        words.insert(0, ("the policy requires it", look))
    room = width - _NAME - _OUTCOME
    for text, style in words:
        for line in wrapped(escape(text), room, _LINES):
            yield head.append_text(styled(line, "muted" if stage.outcome == LEFT_OUT and not required else style))
            head = Text(" " * (_NAME + _OUTCOME))
