"""Why a probe ends before its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lbcheck.live.outcome import Certificate


class FailedError(Exception):
    """The server does not do what its proxy asks: the stage that failed, why, and what to do about it."""

    def __init__(
        self,
        stage: str,
        reason: str,
        advice: str,
        *,
        status: int | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = reason
        self.advice = advice
        self.status = status
        self.certificate = certificate


class UnsureError(Exception):
    """Whether the proxy would take the answer is not known here; the text says why."""


class SlowError(Exception):
    """Nothing came in time; `connected` says how far it was."""

    def __init__(self, stage: str) -> None:
        super().__init__(stage)
        self.stage = stage
