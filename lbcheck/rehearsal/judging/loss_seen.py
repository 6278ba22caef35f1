"""What was seen of a loss: which requests were sent when, who answered them, and which of them say something."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.rehearsal.judging import answered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lbcheck.rehearsal.planning.losing import Trial
    from lbcheck.rehearsal.play.sandbox import Event

#: Requests that were under way when the server was lost say nothing; what comes so many seconds later does.
MARGIN = 0.05


class Answer(NamedTuple):
    """An answer as the sandbox tells it: times in seconds, `at` since the loss. `failed`: no server answered well."""

    ask: int
    stub: int
    status: int
    at: float
    took: float
    failed: bool

    @property
    def over(self) -> float:
        """When it was there."""
        return self.at + self.took


class Seen:
    """What was seen of a loss, by the requests of its pool: those that other pools answered are left out.

    `noticed`, `restored` and `back` are times in seconds, as `Outage` tells them. `during` are the requests that were
    under way while the server was lost, `answered` those that were over when it came back, `failed` those that failed.
    """

    def __init__(self, trial: Trial, dialect: str, event: Event) -> None:
        self._places = trial.target.places()
        self._dialect = dialect
        self._event = event
        self.load: int = event["load"]
        self.noticed: float | None = event["noticed"]
        self.restored: float = event["restored"]
        self.back: float | None = event["back"]
        self._answers = [
            Answer(ask, stub, status, at, took, answered.failed(dialect, stub, status, lost=True))
            for ask, stub, status, at, took in event["answers"]
            if stub < 0 or stub in self._places
        ]
        self._alone = len(trial.predicted.places) == 1
        self.during = [one for one in self._answers if one.over >= 0 and one.at < self.restored]
        self.answered = [one for one in self.during if one.over < self.restored - MARGIN]
        self.failed = [one for one in self.during if one.failed]
        self._end = end = self.restored if self.noticed is None else self.noticed
        saved = [one.took for one in self.during if self.noticed is not None and one.at < end < one.over]
        slowest = max([trial.stall if not self.failed else 0.0, *saved, *(one.took for one in self.failed)])
        #: Requests that met the lost server as long as it was not noticed. One that was waiting when the proxy noticed
        #: may have been saved by that.
        self.lasting = [one for one in self.answered if MARGIN <= one.at < end - slowest]

    def served(self) -> list[tuple[int, int]]:
        """Return (place in the pool's servers, ask) of each request that was served once it was quiet again, in order.

        Where the proxy has not noticed, it may still send requests to the lost server, and then to another: that one
        has served them.
        """
        if self.noticed is None:
            return [(self._places[one.stub], one.ask) for one in self.lasting if one.stub >= 0 and not one.failed]
        start = max(self._event["served_from"], MARGIN)
        arrivals = sorted(self._event["arrivals"], key=lambda one: one[2])
        return [
            (self._places[stub], ask)
            for stub, ask, at in arrivals
            if start <= at < self.restored and stub in self._places
        ]

    def outcomes(self) -> list[int | None]:
        """Return the place that served each of the lasting requests, None for one that failed."""
        return [None if one.failed else self._places.get(one.stub) for one in self.lasting]

    def crowded(self) -> bool:
        """Say whether several requests were under way at once until the proxy noticed."""
        free = 0.0
        for one in sorted(self.during, key=lambda one: one.at):
            if one.at < min(free, self._end):
                return True
            free = one.over
        return False

    def unsettled(self) -> bool:
        """Say whether requests of before were still waiting when those came that show who serves afterwards."""
        start: float = self._event["served_from"]
        return any(one.at < start <= one.over for one in self.during)

    def under_way(self) -> int:
        """Return how many requests were under way at most when the server was lost, or the proxy noticed."""
        times = (0.0, self.noticed or 0.0)
        return max(sum(one.at < time <= one.over for one in self.during) for time in times)

    def disturbed(self) -> str | None:
        """Return why what failed may have had another cause than the loss; None where nothing speaks for that."""
        own = answered.own_answers(self._dialect, ((one.stub, one.status) for one in self._answers), lost=True)
        if own:
            return answered.told(own, len(self._answers))
        calm = [one for one in self._answers if one.over < 0 or self._after(one)]
        amiss = _failures(calm)
        return f"{amiss} of {len(calm)} requests failed without it, too" if amiss else None

    def _after(self, one: Answer) -> bool:
        return self._alone and self.back is not None and one.at > self.restored + self.back + MARGIN


def _failures(answers: Iterable[Answer]) -> int:
    return sum(one.failed for one in answers)
