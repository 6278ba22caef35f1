"""One root cause, one finding: which rules are silent because another one has already named the reason.

Every row of ECHOES says: where `cause` fires, the findings of `echoes` about the same thing are its echoes. They
are dropped, not counted as suppressed, and come back with `--ignore CAUSE`.

* A pool that serves nothing (P01 empty, D05 all weights zero, P06 all disabled) has no shares, checks or failover
  worth judging.
* D02 and D03 name how a skew came about, D01 only measures it, and nearly every pool that fires them fires D01:
  the narrower rule speaks. Without a story of its own a skew stays D01: among weights of 1 there is no digit to
  lose, so 10/1/1 is D01, and 100/100/100/10 is D02.
* D06, D07, D08 and D21 explain shares by the algorithm; the weights are then not the place to mend. Where weights
  do nothing (D06), a wrong one does nothing either.
* H02 is a check that nobody switched on: that no server, not every server, or no primary beside a backup (F02) is
  checked follows from it, and so do the words of a check that does not run (H05, H07). F02 in turn is the reason to
  mend what H01 and H03 say of the same pool.
* Where nothing watches the servers (H01, H02), nothing hears what they answer either (D19).
* F01 has only backups: that they are never, or not all, used as backups follows.
* A pool is unused (P07) because a name that was to mean it is misspelled (P02, P03, R05), or because the route to
  it can never match (R01, R02): the cause names the pool, or has its place among the related ones.
* Two pools of one name, or one server twice, is said once (P05 before P04); that it is one machine (F10) follows.
* A name that stands for no server (P11) needs no resolver (N01, N04, N05).
* A template whose servers share an address (P13) lacks the resolvers that N04 would only advise.
* N02 needs a resolver for names that no pool has; R05 would say the same of each name.
* C05 and D10 both ask for a `zone`; C05's reason is the stronger.
* A destination without a weight gets nothing in Istio (K17); D03 and R06 would say less of it.
* A pool that lost most of its servers (V01) has survivors whose shares grew (V04).
* S04's constant key sends everything to one server; S08's key does not exist: neither needs a ring's arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lbcheck.findings import Hit
    from lbcheck.results import Finding

#: What a cause and its echo have in common: "pool" the same pool, "route" the same route of the same frontend,
#: "target" the pool that the cause is about or points at.
POOL = "pool"
ROUTE = "route"
TARGET = "target"

_DEAD = ("D01", "D02", "D03", "D04", "D06", "D07", "D08", "D10", "D12", "D18", "D21", "H01", "H02", "H03", "F")
_SKEW = ("D01", "D02", "D03")

#: (cause, what is shared, echoes): codes, or one letter for a whole group.
ECHOES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("P01", POOL, _DEAD),
    ("D05", POOL, _DEAD),
    ("P06", POOL, _DEAD),
    ("D02", POOL, ("D01",)),
    ("D03", POOL, ("D01",)),
    ("D06", POOL, _SKEW),
    ("D07", POOL, ("D01",)),
    ("D08", POOL, ("D01",)),
    ("D21", POOL, _SKEW),
    ("S04", POOL, ("D01", "D08")),
    ("S08", POOL, ("D01", "D08")),
    ("H01", POOL, ("D19",)),
    ("H02", POOL, ("H01", "H03", "H05", "H07", "F02", "D19")),
    ("F01", POOL, ("F02", "F03", "F04", "F05")),
    ("F02", POOL, ("H01", "H03")),
    ("P04", POOL, ("F10",)),
    ("P05", POOL, ("P04", "F10")),
    ("P11", POOL, ("N01", "N04", "N05")),
    ("P13", POOL, ("N04",)),
    ("C05", POOL, ("D10",)),
    ("P02", TARGET, ("P07",)),
    ("P03", TARGET, ("P07",)),
    ("R05", TARGET, ("P07",)),
    ("R01", TARGET, ("P07",)),
    ("R02", TARGET, ("P07",)),
    ("R02", ROUTE, ("R01",)),
    ("N02", ROUTE, ("R05",)),
    ("K17", ROUTE, ("D03", "R06")),
    ("V01", POOL, ("V04",)),
)


def split(hits: Sequence[Hit]) -> tuple[list[Hit], list[Hit]]:
    """Return (hits to show, echoes of them). Order is kept; echoes cause no silence themselves."""
    present = {hit.code for hit in hits}
    rows = [row for row in ECHOES if row[0] in present]
    if not rows:
        return list(hits), []
    echoes: set[int] = set()
    for cause, shared, codes in rows:
        causes = [hit for hit in hits if hit.code == cause and id(hit) not in echoes]
        known = {key for hit in causes for key in _CAUSE_KEYS[shared](hit)}
        echoes.update(
            id(hit) for hit in hits if _within(hit.code, codes) and not known.isdisjoint(_ECHO_KEYS[shared](hit))
        )
    return [hit for hit in hits if id(hit) not in echoes], [hit for hit in hits if id(hit) in echoes]


#: The same between what a change introduces: (cause, echoes) about one pool of one config. That a pool became empty
#: (V02) tells more than that it is empty; why a share is out of proportion tells more than that it grew (V04).
INTRODUCED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("V02", ("P01", "P06", "D05")),
    ("D01", ("V04",)),
    ("D02", ("V04",)),
    ("D03", ("V04",)),
    ("D06", ("V04",)),
    ("D07", ("V04",)),
    ("D08", ("V04",)),
    ("D21", ("V04",)),
    ("S04", ("V03", "V04")),
)


def of_change(introduced: Sequence[Finding]) -> list[Finding]:
    """Return the findings that a change introduces without the echoes among them. Order is kept."""
    echoes = {
        (echo, finding.config, finding.pool)
        for cause, codes in INTRODUCED
        for finding in introduced
        if finding.code == cause and finding.pool is not None
        for echo in codes
    }
    return [finding for finding in introduced if (finding.code, finding.config, finding.pool) not in echoes]


def _within(code: str, codes: tuple[str, ...]) -> bool:
    return code in codes or code[0] in codes


def _pool(hit: Hit) -> Iterable[object]:
    return (hit.pool,) if hit.pool is not None else ()


def _route(hit: Hit) -> Iterable[object]:
    return ((hit.frontend, hit.route),) if hit.route is not None else ()


def _pool_and_line(hit: Hit) -> Iterable[object]:
    return (*_pool(hit), (id(hit.span.source), hit.span.line))


def _pool_and_related_lines(hit: Hit) -> Iterable[object]:
    return (*_pool(hit), *((id(other.span.source), other.span.line) for other in hit.related))


_CAUSE_KEYS: dict[str, Callable[[Hit], Iterable[object]]] = {
    POOL: _pool,
    ROUTE: _route,
    TARGET: _pool_and_related_lines,
}
_ECHO_KEYS: dict[str, Callable[[Hit], Iterable[object]]] = {POOL: _pool, ROUTE: _route, TARGET: _pool_and_line}
