"""`lbcheck gate -o gate.md`: the verdict for a pull request's comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.gate.outcome import FAILED, LEFT_OUT, NOT_RUN, PASSED
from lbcheck.report.pictures.markdown import code, prose, row

if TYPE_CHECKING:
    from lbcheck.gate.outcome import Stage, Verdict
    from lbcheck.report.options import Options

_SIGNS = {PASSED: "✅ passed", FAILED: "❌ failed", NOT_RUN: "❔ not run", LEFT_OUT: "– left out"}


def render(verdict: Verdict, options: Options) -> str:
    """Return a headline and a table of the stages."""
    del options
    what = code(verdict.new, 100) + (f" in place of {code(verdict.old, 100)}" if verdict.old else "")
    lines = [f"### {verdict.word}: {what}\n\n", row(("Stage", "", "What was seen")), row((":--", ":--", ":--"))]
    return "".join([*lines, *(row(_cells(stage, verdict)) for stage in verdict.stages)])


def _cells(stage: Stage, verdict: Verdict) -> tuple[str, str, str]:
    words = ["**the policy requires it**"] if verdict.missing(stage) else []
    words += [f"**{prose(reason)}**" if stage.outcome == FAILED else prose(reason) for reason in stage.reasons]
    words += [prose(seen) for seen in stage.evidence]
    return stage.name, _SIGNS[stage.outcome], "<br>".join(words)
