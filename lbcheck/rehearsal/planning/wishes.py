"""What the user wants of a rehearsal."""

from __future__ import annotations

from typing import NamedTuple

from lbcheck.rehearsal.play.script import SLOW
from lbcheck.traffic.scenario import KINDS, REFUSES

#: The dialects for which there is a real proxy to run.
REHEARSED = frozenset({"nginx", "haproxy", "envoy", "traefik"})
#: How a lost server may behave.
LOSSES = (*KINDS, SLOW)


class Wishes(NamedTuple):
    """How a config is rehearsed.

    `requests` to each pool (None: what shows its shares), for at most so many `seconds`. `losses`: servers are lost,
    each in turn or those that `lose` names, in this `kind` of way (one of LOSSES), and none is waited for longer than
    `patience` seconds. `tolerance`, in points of share, is for requests of which several are under way at once.
    """

    binary: str | None = None
    trusted: bool = False
    only_native: bool = False
    requests: int | None = None
    seconds: float = 10.0
    seed: int = 1
    losses: bool = True
    lose: tuple[str, ...] = ()
    kind: str = REFUSES
    tolerance: float = 1.0
    patience: float = 120.0
