"""`lbcheck gate --output-format json`: the verdict, described by gate.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lbcheck.report import objects
from lbcheck.report.jsontext import dumps, lines, listed

if TYPE_CHECKING:
    from lbcheck.gate.outcome import Stage, Verdict
    from lbcheck.report.options import Options


def render(verdict: Verdict, options: Options) -> str:
    """Return one JSON object, with a line for each stage."""
    del options
    members = {
        "version": dumps(objects.VERSION),
        "tool": dumps(objects.tool()),
        "verdict": dumps(verdict.word),
        "new": dumps(verdict.new),
        "old": dumps(verdict.old),
        "policy": dumps(verdict.policy._asdict()),
        "stages": listed([_stage(stage, verdict) for stage in verdict.stages]),
    }
    return lines(members.items()) + "\n"


def _stage(stage: Stage, verdict: Verdict) -> dict[str, Any]:
    return {
        "name": stage.name,
        "outcome": stage.outcome.replace(" ", "_"),
        "required": stage.name in verdict.policy.require,
        "blocking": stage in verdict.blocking,
        "reasons": stage.reasons,
        "evidence": stage.evidence,
    }
