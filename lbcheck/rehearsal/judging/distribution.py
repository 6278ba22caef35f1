"""How requests were shared out against how they had to be: by pick, by cycle, or by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.rehearsal.judging.chances import IMPOSSIBLE, chi_square_p
from lbcheck.rehearsal.outcome import CHANCE, CYCLES, PICKS, TOLERATED
from lbcheck.rehearsal.planning.cycles import whole_cycle
from lbcheck.rehearsal.proxies.table import adapter
from lbcheck.traffic.algorithms.weighted import window_picks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.model import Pool
    from lbcheck.rehearsal.play.load import Ask
    from lbcheck.rehearsal.proxies.seam import Pick

#: Of so many cycles the first may be left out.
_SETTLING = 3
#: So many places are tried at which a cycle may begin.
_STARTS = 2_000
#: HAProxy's rounding moves no more picks than this part: with weights 5, 36 and 36, one in 77 at times.
_ROUNDING = 0.02


class Held(NamedTuple):
    """Counts held against shares. `passed` None: they cannot be, for this `reason`."""

    judged: str | None
    passed: bool | None
    reason: str | None
    p_value: float | None = None
    wrong_picks: int | None = None


def counts(pool: Pool, served: Sequence[int | None]) -> list[int]:
    """Return how many of the requests each server of the pool has served."""
    found = [0] * len(pool.servers)
    for index in served:
        if index is not None:
            found[index] += 1
    return found


def by_pick(asks: Sequence[Ask], served: Sequence[int | None], pick: Pick, altered: str | None = None) -> Held:
    """Compare each request's server with the one to which its key has to lead.

    `altered` is where the config may change that key on its way: then picks that went elsewhere are not wrong.
    """
    wanted = [(pick(ask), index) for ask, index in zip(asks, served, strict=True)]
    known = [(want, index) for want, index in wanted if want is not None]
    if not known:
        return Held(None, None, "its key is not one that lbcheck can send")
    wrong = sum(want != index for want, index in known)
    reason = f"{wrong} of {len(known)} picks went elsewhere" if wrong else None
    if wrong and altered is not None:
        return Held(None, None, f"{reason}: its key is rewritten ({altered})")
    return Held(PICKS, not wrong, reason, wrong_picks=wrong)


def by_cycle(
    pool: Pool, dialect: str, parts: Sequence[float], served: Sequence[int | None], tolerance: float | None = None
) -> Held:
    """Compare whole cycles; HAProxy's rounding moves a pick now and then, and the emulator knows where.

    `tolerance` is for requests of which several are under way at once, and which need not have begun with a cycle: so
    many points of share, and one request at least, may be elsewhere; and the first cycle is left out, in which an order
    that has just changed settles.
    """
    cycle = whole_cycle(parts)
    if tolerance is not None and len(served) >= _SETTLING * cycle:
        served = served[cycle:]
    whole = len(served) // cycle * cycle
    if not whole:
        return Held(None, None, f"fewer requests than one cycle of {cycle:,}")
    found = counts(pool, served[:whole])
    exact = [round(part * whole) for part in parts]
    off = max(abs(one - other) for one, other in zip(found, exact, strict=True))
    rounds = pool.algorithm.name in adapter(dialect).rounded and off <= 1 + whole * _ROUNDING
    if not off or (rounds and found in _windows(pool, parts, whole)):
        return Held(CYCLES, True, None)
    if pool.algorithm.name in adapter(dialect).reshuffled and _aligned(pool, parts, served, cycle):
        return Held(CYCLES, True, None)
    reason = f"counted {found} where {exact} were predicted"
    if tolerance is None:
        return Held(CYCLES, False, reason)
    if off <= 1:
        return Held(CYCLES, True, None)
    return Held(TOLERATED, off / whole * 100 <= tolerance, reason)


def _aligned(pool: Pool, parts: Sequence[float], served: Sequence[int | None], cycle: int) -> bool:
    """Say whether each cycle is exact, two at least, where the counting begins with one.

    Inside a cycle the order of servers that are due at once changes, so that elsewhere one may come twice.
    """
    exact = [round(part * cycle) for part in parts]
    for start in range(min(cycle, len(served) - 2 * cycle + 1, _STARTS)):
        ends = range(start + cycle, len(served) + 1, cycle)
        if all(counts(pool, served[end - cycle : end]) == exact for end in ends):
            return True
    return False


def _windows(pool: Pool, parts: Sequence[float], count: int) -> list[list[int]]:
    """Return what the emulator counts, from the first few places at which the counting may have begun."""
    taking = [index for index, part in enumerate(parts) if part]
    picks = window_picks([pool.servers[index].weight.value for index in taking], count + 8)
    return [counts(pool, [taking[pick] for pick in picks[start : start + count]]) for start in range(8)]


def by_chance(found: Sequence[int], parts: Sequence[float]) -> Held:
    """Compare with the shares by how likely such counts are."""
    if not any(found):
        return Held(None, None, "no request shows them")
    chance = chi_square_p(found, parts)
    passed = chance >= IMPOSSIBLE
    reason = None if passed else f"so far from the prediction only once in {1 / max(chance, 1e-300):.3g} runs"
    return Held(CHANCE, passed, reason, p_value=chance)
