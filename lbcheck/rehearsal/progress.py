"""How far a rehearsal has come, for people who watch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lbcheck.rehearsal.planning.plan import Plan, Target
    from lbcheck.rehearsal.play.sandbox import Event


class Step(NamedTuple):
    """What is being done with a config. `pool` and its `servers` (name, requests so far) where requests are counted.

    `losses` is how many losses are played, and how many of them are `over`.
    """

    config: str
    stage: str
    pool: str = ""
    servers: tuple[tuple[str, int], ...] = ()
    over: int = 0
    losses: int = 0


class Watch:
    """Turns the events of sandboxes into steps. Script 0 is normal operation; the rest are losses."""

    def __init__(self, config: str, made: Plan, losses: int, tell: Callable[[Step], None]) -> None:
        self._made = made
        self._tell = tell
        self._step = Step(config, "counting", losses=losses)

    def __call__(self, at: int, event: Event) -> None:
        """See an event of the script at this place."""
        if at == 0 and event["event"] == "progress":
            load = self._made.loads[event["number"]]
            counted = dict(event["counts"])
            target = next(target for target in self._made.targets if event["number"] in target.loads)
            self._step = self._step._replace(pool=load.name, servers=tuple(_names(target, counted)))
        elif at == 0 and event["event"] == "done":
            stage = "losing servers" if self._step.losses else "judging"
            self._step = self._step._replace(stage=stage, pool="", servers=())
        elif event["event"] == "loss":
            self._step = self._step._replace(over=self._step.over + 1)
        else:
            return
        self._tell(self._step)


def _names(target: Target, counted: dict[int, int]) -> Sequence[tuple[str, int]]:
    pairs = zip(target.pool.servers, target.stubs, strict=True)
    return [(server.name, counted.get(stub, 0)) for server, stub in pairs if stub is not None]
