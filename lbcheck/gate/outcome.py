"""What the gate says: stage by stage what was found, and whether the config may be deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.gate.policy import DIFF, PROBE, REHEARSE

if TYPE_CHECKING:
    from lbcheck.changes.outcome import Changes
    from lbcheck.gate.policy import Policy
    from lbcheck.traffic.outcome import Traffic

#: How a stage ended. NOT_RUN: it was wanted and could not be; LEFT_OUT: nobody asked for it.
PASSED, FAILED, NOT_RUN, LEFT_OUT = "passed", "failed", "not run", "left out"
GO, NO_GO = "GO", "NO-GO"


class Stage(NamedTuple):
    """One stage: its `reasons` to fail, or why it was not run; and the `evidence`, what it looked at and saw.

    `broken`: lbcheck itself failed in it.
    """

    name: str
    outcome: str
    reasons: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    broken: bool = False


class Verdict(NamedTuple):
    """All stages under one policy. `new` is what is to be deployed, `old` what it replaces, None where nobody said.

    `traffic` and `changes` (None where nothing is replaced) are what a page draws. `broken`: lbcheck itself failed.
    """

    new: str
    old: str | None
    policy: Policy
    stages: tuple[Stage, ...]
    traffic: Traffic
    changes: Changes | None = None
    broken: bool = False

    @property
    def blocking(self) -> tuple[Stage, ...]:
        """The stages that stand against the deployment: those that failed, and those that are wanted and did not run.

        The policy wants them, or the command line: rehearsals and probes run where it asks for them, and only there.
        A limit to what may move wants to know how much does.
        """
        return tuple(stage for stage in self.stages if self._blocks(stage))

    def _blocks(self, stage: Stage) -> bool:
        asked = stage.name in {REHEARSE, PROBE} and stage.outcome == NOT_RUN
        limited = stage.name == DIFF and stage.outcome == NOT_RUN and self.policy.moved is not None
        return stage.outcome == FAILED or asked or limited or self.missing(stage)

    def missing(self, stage: Stage) -> bool:
        """Whether a stage that the policy requires did not run."""
        return stage.name in self.policy.require and stage.outcome in {NOT_RUN, LEFT_OUT}

    @property
    def word(self) -> str:
        """GO or NO_GO."""
        return NO_GO if self.blocking else GO
