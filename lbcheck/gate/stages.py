"""Each stage: from what was found to passed or failed, with the reasons and the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import SEVERITIES, UNREAD
from lbcheck.gate.astray import astray, lost
from lbcheck.gate.outcome import FAILED, LEFT_OUT, NOT_RUN, PASSED, Stage
from lbcheck.gate.policy import CHECK, DIFF, NOTHING, PROBE, REHEARSE, TRAFFIC
from lbcheck.live import outcome as live
from lbcheck.rehearsal.outcome import held
from lbcheck.traffic.outcome import HOT
from lbcheck.wording import counted, listed, percent, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.changes.outcome import Changes, PoolChange
    from lbcheck.gate.policy import Policy
    from lbcheck.live.outcome import Probes
    from lbcheck.rehearsal.outcome import MeasuredPool, Rehearsed
    from lbcheck.results import Finding, Note, Result
    from lbcheck.traffic.outcome import Loss, PoolTraffic, Survivor, Traffic

#: Float rounding of shares that sum to a limit.
_ROUNDING = 1e-9
#: So many places are named of a run in which nothing could be read.
_MOST_PLACES = 3


def left_out(name: str, how: str) -> Stage:
    """Return the stage that nobody asked for; `how` are the words of the command line that ask."""
    return Stage(name, LEFT_OUT, (f"nobody asked for it: add {how}",))


def not_run(name: str, why: str, more: Sequence[str] = ()) -> Stage:
    """Return the stage that could not be run; `more` says where that comes from."""
    return Stage(name, NOT_RUN, (why, *shortened(more, _MOST_PLACES)))


def _ended(name: str, reasons: Sequence[str], evidence: Sequence[str]) -> Stage:
    return Stage(name, FAILED if reasons else PASSED, tuple(shortened(reasons)), tuple(evidence))


def check(result: Result, policy: Policy) -> Stage:
    """Hold the findings against the highest severity that may remain."""
    if not result.counts.configs:
        why = f"no load balancer config in {counted(result.counts.files, 'file')}"
        return not_run(CHECK, why, [*map(_told, result.findings), *map(_noted, result.not_checked)])
    worse = [found for found in result.findings if _beyond(found.severity, policy.allow)]
    evidence = [
        f"{counted(result.counts.configs, 'config')}, {counted(result.counts.servers, 'server')}: {_numbers(result)}",
        *_unread(result.not_checked),
    ]
    return _ended(CHECK, [_told(found) for found in worse], evidence)


def _beyond(severity: str, allowed: str) -> bool:
    return allowed == NOTHING or SEVERITIES.index(severity) < SEVERITIES.index(allowed)


def _numbers(result: Result) -> str:
    numbers = [(result.count(severity), severity) for severity in SEVERITIES]
    found = ", ".join(counted(number, severity) for number, severity in numbers if number) or "nothing found"
    return found + (f", {result.suppressed:,} suppressed" if result.suppressed else "")


def _unread(notes: Sequence[Note]) -> list[str]:
    """What was not understood, so that a pass does not reassure about it."""
    if not notes:
        return []
    missing = [note for note in notes if note.message.endswith(UNREAD)]  # a file says more than a line
    first = "among them" if missing else "the first at"
    return [f"{counted(len(notes), 'place')} not checked, {first} {_noted((missing or notes)[0])}"]


def _noted(note: Note) -> str:
    return f"{note.place.path}:{note.place.line}: {note.message}"


def _told(found: Finding) -> str:
    return f"{found.place.path}:{found.place.line}: {found.severity}[{found.code}] {found.message}"


def diff(changes: Changes, policy: Policy) -> Stage:
    """Hold what a change moves against the largest part that may move, and its own findings against the severity.

    A route that the change leads away from all pools is no matter of policy.
    """
    reasons = [
        _told(found) for found in changes.introduced if found.code[0] == "V" and _beyond(found.severity, policy.allow)
    ]
    reasons += dict.fromkeys(lost(changes.before, changes.after))
    reasons += _moved_too_much(changes, policy)
    changed = sum(pool.status != "unchanged" for pool in changes.pools)
    moved = "how much of all requests moves is not known"
    if changes.moved is not None:
        moved = f"{percent(changes.moved)} of all requests move"
        moved += " by what is understood" if changes.not_understood else ""
    evidence = [
        f"{changed:,} of {counted(len(changes.pools), 'pool')} changed; {moved}",
        f"{counted(len(changes.introduced), 'finding')} introduced, {len(changes.fixed):,} fixed",
    ]
    unknown = [pool for pool in changes.pools if pool.moved is None and pool.reason is not None]
    if unknown:
        evidence.append(f"not known what moves in {_names(unknown)}: {unknown[0].reason}")
    evidence += [f"rerouted: {words}" for words in shortened(changes.rerouted)]
    evidence += shortened([f"not understood: {one.path}:{one.line}: {one.said}" for one in changes.not_understood])
    open_ended = unknown or changes.rerouted or not changes.pools  # else, what each pool moves is the most there can be
    amount_open = (changes.moved is None and open_ended) or changes.not_understood
    if not reasons and policy.moved is not None and amount_open:
        return Stage(DIFF, NOT_RUN, ("whether too much moves cannot be known",), tuple(evidence))
    return _ended(DIFF, reasons, evidence)


def _moved_too_much(changes: Changes, policy: Policy) -> Iterator[str]:
    """Yield what moves more than the policy allows: of all requests, or of each pool's where the whole is not known."""
    if policy.moved is None:
        return
    limit = f"at most {percent(policy.moved)} may"
    if changes.moved is not None:
        if changes.moved > policy.moved + _ROUNDING:
            yield f"{percent(changes.moved)} of all requests go to other servers; {limit}"
        return
    for pool in changes.pools:
        if pool.moved is not None and pool.moved > policy.moved + _ROUNDING:
            yield f"{percent(pool.moved)} of the requests of pool {pool.name} go to other servers; {limit}"


def _names(pools: Sequence[PoolChange]) -> str:
    return listed([pool.name for pool in pools])


def traffic(found: Traffic, policy: Policy) -> Stage:
    """Hold the shares against declared capacities: in normal operation, and after the loss of any one server.

    Requests that come to no pool, or there to no server, are no matter of policy.
    """
    if not found.configs:
        return not_run(TRAFFIC, "no load balancer config was found", list(map(_noted, found.not_checked)))
    used = {target.at for frontend in found.frontends for route in frontend.routes for target in route.targets}
    reasons = [*dict.fromkeys(one.words for one in astray(found))]
    reasons += [reason for at, pool in enumerate(found.pools) for reason in _strained(pool, policy, used=at in used)]
    return _ended(TRAFFIC, reasons, [*_seen(found), *_unread(found.not_checked)])


def _strained(pool: PoolTraffic, policy: Policy, *, used: bool) -> Iterator[str]:
    if used and pool.unserved and not pool.pool.answers:
        why = "" if pool.unserved_reason is None else f": {pool.unserved_reason}"
        yield f"{percent(pool.unserved)} of the requests of pool {pool.name} find no server{why}"
    full = [server for server in pool.servers if server.overloaded]
    for server in full:
        yield (
            f"server {server.name} of pool {pool.name} gets {server.load:,.0f} of the declared {pool.demand:,.0f} "
            f"({percent(server.share or 0.0)}) and can take {server.capacity:,.0f}"
        )
    if not full and pool.demand is not None:
        yield from _after_losses(pool, policy)


def _after_losses(pool: PoolTraffic, policy: Policy) -> Iterator[str]:
    """Yield the loss after which a survivor is strained most, where it is beyond the headroom."""
    strains = [(_strain(server), server, loss) for loss in pool.losses for server in loss.servers]
    worst: tuple[float, Survivor, Loss] | None = max(strains, key=lambda one: one[0], default=None)
    if worst is not None and worst[0] > 1 - policy.headroom + _ROUNDING:
        strain, server, loss = worst
        left = f"; {percent(policy.headroom)} must be left" if policy.headroom else ""
        yield (
            f"without {loss.lost}, server {server.name} of pool {pool.name} gets {server.load:,.0f}, "
            f"{percent(strain)} of what it can take{left}"
        )


def _strain(server: Survivor) -> float:
    return 0.0 if server.load is None or not server.capacity else server.load / server.capacity


def _seen(found: Traffic) -> Iterator[str]:
    """Yield what the shares are like: the hottest server, and how many pools are not known."""
    unknown = [pool for pool in found.pools if pool.reason is not None]
    servers = sum(server.alike for pool in found.pools for server in pool.servers)
    yield f"{counted(len(found.pools), 'pool')}, {counted(servers, 'server')}; {_hottest(found)}"
    if unknown:
        yield f"shares not known of {listed([pool.name for pool in unknown])}: {unknown[0].reason}"
    if not any(pool.demand is not None for pool in found.pools):
        yield "no demand is declared, so loads were not held against capacities"


def _hottest(found: Traffic) -> str:
    hot = [
        (server.share or 0.0, server.name, pool)
        for pool in found.pools
        for server in pool.servers
        if server.standing == HOT
    ]
    if not hot:
        return "no server gets far more than its fair share"
    share, name, pool = max(hot, key=lambda one: one[0] * len(one[2].servers))
    fair = 1 / max(1, sum(server.alike for server in pool.servers if server.share))
    return f"{name} of pool {pool.name} gets {percent(share)}, a fair share is {percent(fair)}"


def rehearse(found: Sequence[Rehearsed]) -> Stage:
    """Say where the real proxy does something else than predicted, or refuses the config."""
    if not found:
        return not_run(REHEARSE, "no config for whose proxy a sandbox is built")
    reasons = [reason for one in found for reason in _unlike(one)]
    unplayed = [f"{one.config}: {one.error}" for one in found if one.error is not None]
    pools = [pool for one in found for pool in one.pools]
    shares = [pool.passed for pool in pools]
    losses = sum(loss.passed is True for pool in pools for loss in pool.losses)
    numbers = f"{shares.count(True):,} as predicted, {shares.count(None):,} not judged"
    evidence = [f"of {counted(len(pools), 'pool')} {numbers}; losses as predicted: {losses:,}", *unplayed]
    evidence += shortened([line for pool in pools for line in _unjudged(pool)])
    broken = any(one.broken for one in found)
    if not reasons and (unplayed or broken or not held(found)):
        return Stage(REHEARSE, NOT_RUN, ("not all of it could be played",), tuple(evidence), broken)
    return _ended(REHEARSE, reasons, evidence)._replace(broken=broken)


def _unjudged(pool: MeasuredPool) -> Iterator[str]:
    """Yield what of a pool was not held against the prediction, and why, so that a pass does not reassure about it."""
    if pool.passed is None:
        yield f"pool {pool.name} not judged: {pool.reason}"
    for loss in pool.losses:
        if loss.passed is None:
            why = loss.reason or next((one.reason for one in loss.aspects if one.reason), "it was measured only")
            yield f"pool {pool.name} without {loss.lost} not judged: {why}"


def _unlike(one: Rehearsed) -> Iterator[str]:
    if not one.accepted and one.error is None:
        said = one.native[0].text if one.native else "it says nothing"
        yield f"{one.dialect} refuses {one.config}: {said}"
    for pool in one.pools:
        yield from _pool_unlike(pool)
    if one.reload is not None and one.reload.passed is False:
        yield f"{one.config}: {one.reload.reason or 'the reload loses requests'}"


def _pool_unlike(pool: MeasuredPool) -> Iterator[str]:
    if pool.passed is False:
        yield f"pool {pool.name}: {pool.reason}"
    if pool.concurrent is not None and pool.concurrent.passed is False:
        yield f"pool {pool.name}, {pool.concurrent.in_flight} at once: {pool.concurrent.reason}"
    for loss in pool.losses:
        for aspect in loss.aspects:
            if aspect.passed is False:
                yield f"pool {pool.name} without {loss.lost}: {aspect.what}: {aspect.reason}"


def probe(found: Probes) -> Stage:
    """Say which servers would be down, seen from here."""
    servers = [(pool, server) for pool in found.pools for server in pool.servers]
    reasons = [f"{config} would not be loaded, so its servers were not probed" for config in found.broken]
    reasons += [
        f"server {server.name} of pool {pool.name} would be down: {server.verdict.reason or 'it does not answer'}"
        for pool, server in servers
        if server.verdict.state == live.DOWN
    ]
    numbers = [(found.count(state), state.replace("_", " ")) for state in live.STATES]
    evidence = [
        f"of {counted(len(servers), 'server')}: "
        + ", ".join(f"{number:,} {word}" for number, word in numbers if number)
    ]
    if not reasons and not found.count(live.UP) + found.count(live.UNKNOWN):
        return Stage(PROBE, NOT_RUN, ("no server could be probed",), tuple(evidence if servers else ()))
    return _ended(PROBE, reasons, evidence)
