"""`lbcheck gate -o gate.html`: the verdict, the stages as a table, and the drawing of the traffic or of the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.gate.outcome import FAILED, LEFT_OUT, NOT_RUN, PASSED
from lbcheck.report.pictures import diff_layout, html, layout
from lbcheck.report.pictures.words import plain, told
from lbcheck.traffic.outcome import HOT, UNKNOWN

if TYPE_CHECKING:
    from lbcheck.gate.outcome import Stage, Verdict
    from lbcheck.report.options import Options
    from lbcheck.report.pictures.shapes import Drawing

#: Outcome → the looks, in the style sheet's words, of itself and of its reasons.
_LOOKS = {PASSED: ("", ""), FAILED: (HOT, "error"), NOT_RUN: (UNKNOWN, "warning"), LEFT_OUT: ("detail", "")}


def render(verdict: Verdict, options: Options) -> str:
    """Return the page."""
    del options
    what = plain(verdict.new) + (f" in place of {plain(verdict.old)}" if verdict.old else "")
    blocking = " and ".join(stage.name for stage in verdict.blocking)
    return html.page(
        f"{verdict.word}: {what}",
        f"Not to be deployed because of {blocking}" if blocking else "Every stage that ran passed",
        (_drawing(verdict, html.WIDE), _drawing(verdict, html.NARROW)),
        "gate.html.jinja",
        stages=[_stage(stage, verdict) for stage in verdict.stages],
        drawn="Where the traffic goes" if verdict.changes is None else "What the change moves",
    )


def _drawing(verdict: Verdict, width: float) -> Drawing:
    if verdict.changes is not None:
        return diff_layout.draw(verdict.changes, width, titled=False)
    return layout.draw(verdict.traffic, width, titled=False)


def _stage(stage: Stage, verdict: Verdict) -> dict[str, Any]:
    look, mark = _LOOKS[stage.outcome]
    missing = verdict.missing(stage)
    return {
        "name": stage.name,
        "outcome": stage.outcome,
        "look": HOT if missing else look,
        "mark": mark,
        "reasons": [*(["the policy requires it"] if missing else []), *map(told, stage.reasons)],
        "evidence": [told(seen) for seen in stage.evidence],
    }
