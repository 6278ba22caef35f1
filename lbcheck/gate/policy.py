"""What a config has to fulfil before it goes live: the settings' `[gate]`."""

from __future__ import annotations

from typing import NamedTuple

CHECK, DIFF, TRAFFIC, REHEARSE, PROBE = "check", "diff", "traffic", "rehearse", "probe"
#: The stages in the order in which they run.
STAGES = (CHECK, DIFF, TRAFFIC, REHEARSE, PROBE)
#: The word for "no finding at all is allowed".
NOTHING = "none"


class Policy(NamedTuple):
    """The limits. The defaults are those of `lbcheck check`, and no limit to what a change moves.

    `allow` is the highest severity of findings that may remain, NOTHING for none. `moved` is the largest part of the
    requests (0 to 1) that a change may send to other servers, None for any. `headroom` is the part of its declared
    capacity (0 to 1) that each server must have left after the loss of any other. `tolerance` is how far (0 to 1)
    counts under concurrent load may be from the prediction. `require` are the stages that fail where they did not run;
    it runs none of them, since the settings may come from whoever wrote the config.
    """

    allow: str = "info"
    moved: float | None = None
    headroom: float = 0.0
    tolerance: float = 0.01
    require: tuple[str, ...] = (CHECK, TRAFFIC)
