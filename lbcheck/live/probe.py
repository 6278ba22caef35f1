"""Probing many servers at a time, each once however many pools have it, within bounds of number and time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.live import outcome
from lbcheck.live.exchange import Exchange, Limits
from lbcheck.live.failure import FailedError, SlowError, UnsureError
from lbcheck.live.handshake import Contexts
from lbcheck.live.names import Names
from lbcheck.live.outcome import Verdict
from lbcheck.live.stream import is_socket
from lbcheck.live.target import OUT_OF_ROTATION, Connect
from lbcheck.wording import counted, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lbcheck.live.target import Step, Target

    Progress = Callable[[int, int], None]

#: A certificate that ends within so many days is worth a word although it is right today.
_SOON = 14
#: So many addresses of one name are tried.
_ADDRESSES = 16
_STAGES = {
    outcome.TCP: ("no connection to", "look for a firewall in between, and whether the machine is on"),
    outcome.TLS: ("no TLS handshake with", "look at the server: it accepts connections and says nothing"),
    outcome.CHECK: ("no answer to the check from", "look at the server: it accepts connections and does not answer"),
}


class Wishes(NamedTuple):
    """How to probe: seconds for each stage of a server and for all of it, how many at a time, what names mean."""

    timeout: float = 5.0
    concurrency: int = 100
    max_time: float = 300.0
    hosts: Mapping[str, Sequence[str]] = {}


def probe(
    targets: Iterable[Target], wishes: Wishes, progress: Progress = lambda *_: None
) -> dict[Target, list[Verdict]]:
    """Return a verdict for each address of each target. Connects; `progress` is told (done, all)."""
    return asyncio.run(_all(list(dict.fromkeys(targets)), wishes, progress))


async def _all(targets: list[Target], wishes: Wishes, progress: Progress) -> dict[Target, list[Verdict]]:
    names, contexts = Names(wishes.hosts, wishes.timeout), Contexts()
    found: dict[Target, list[Verdict]] = {}
    waiting = iter(targets)

    async def work() -> None:
        for target in waiting:
            found[target] = await _target(target, names, contexts, wishes)
            progress(len(found), len(targets))

    try:
        async with asyncio.timeout(wishes.max_time):
            await asyncio.gather(*(work() for _ in range(min(wishes.concurrency, len(targets)))))
    except TimeoutError:
        late = Verdict(outcome.NOT_PROBED, reason=f"{duration(wishes.max_time)} were over before (--max-time)")
        for target in targets:
            found.setdefault(target, [late])
    return found


async def _target(target: Target, names: Names, contexts: Contexts, wishes: Wishes) -> list[Verdict]:
    """Look up its name, and try each address that is a server of its own."""
    main = target.traffic or next(step for step in target.steps if isinstance(step, Connect))
    if main.path:
        if not is_socket(main.path):
            return [Verdict(outcome.NOT_PROBED, reason=f"there is no socket {main.path} on this machine")]
        return [await _tried(target, names, contexts, wishes)]
    try:
        addresses = await names.addresses(main.host)
    except FailedError as error:
        return [_failed(error, target, None)]
    if target.only_name:
        return [Verdict(outcome.NOT_PROBED, reason=OUT_OF_ROTATION)]
    kept = addresses[: _ADDRESSES if target.every else 1]
    placed = [_placed(target, main.host, address) for address in kept]
    tried = []
    for one in placed:
        tried.append(await _tried(one, names, contexts, wishes))  # noqa: PERF401 - one after the other, on purpose
    if target.every and len(addresses) > len(kept):
        tried.append(Verdict(outcome.NOT_PROBED, reason=f"its name has {counted(len(addresses), 'address')}"))
    return tried


def _placed(target: Target, host: str, address: str) -> Target:
    """Return the target with an address in place of a name."""

    def at(step: Step) -> Step:
        return step._replace(host=address) if isinstance(step, Connect) and step.host == host else step

    traffic = target.traffic
    if traffic is not None and traffic.host == host:
        traffic = traffic._replace(host=address)
    return target._replace(steps=tuple(map(at, target.steps)), traffic=traffic)


async def _tried(target: Target, names: Names, contexts: Contexts, wishes: Wishes) -> Verdict:
    began = time.monotonic()
    exchange = Exchange(contexts, _limits(target, wishes.timeout))
    place = next(step for step in target.steps if isinstance(step, Connect)).place
    try:
        steps = [await _addressed(step, names) for step in target.steps]
        await exchange.run(steps)
        verdict = _passed(target, exchange)
        if target.traffic is not None:
            verdict = await _with_traffic(target, verdict, contexts, wishes)
    except FailedError as error:
        verdict = _failed(error, target, exchange)
    except SlowError as error:
        verdict = _slow(error, target, place, exchange, wishes.timeout)
    except UnsureError as error:
        verdict = _unsure(exchange, str(error))
    except Exception as error:  # noqa: BLE001 - one server that breaks the probe must not silence the others
        verdict = _unsure(
            exchange, f"probing it failed, which is a fault of lbcheck's: {type(error).__name__}: {error}"
        )
    return verdict._replace(connected_to=place, seconds=round(time.monotonic() - began, 4))


async def _addressed(step: Step, names: Names) -> Step:
    """Give a connection that a check makes elsewhere the first address of its name."""
    if not isinstance(step, Connect) or step.path:
        return step
    return step._replace(host=(await names.addresses(step.host))[0])


def _limits(target: Target, timeout: float) -> Limits:
    connect, answer, together = target.times
    return Limits(min(connect or timeout, timeout), None if together else min(answer or timeout, timeout))


async def _with_traffic(target: Target, verdict: Verdict, contexts: Contexts, wishes: Wishes) -> Verdict:
    """Connect to where the requests go, too, where the check goes elsewhere."""
    traffic = target.traffic
    assert traffic is not None  # noqa: S101 - called where there is one
    exchange = Exchange(contexts, Limits(wishes.timeout, wishes.timeout))
    passes = "the check passes elsewhere, so the proxy sends requests there all the same"
    try:
        await exchange.run([traffic])
    except FailedError as error:
        return _failed(error, target, exchange)._replace(reason=f"{error.reason}; {passes}")
    except SlowError as error:
        slow = _slow(error, target, traffic.place, exchange, wishes.timeout)
        return slow._replace(reason=f"{slow.reason}; {passes}")
    except UnsureError as error:
        return verdict._replace(state=outcome.UNKNOWN, reason=str(error))
    if exchange.gaps and verdict.state == outcome.UP:
        verdict = verdict._replace(state=outcome.UNKNOWN, reason="; ".join(exchange.gaps))
    if verdict.certificate is not None:
        return verdict
    return verdict._replace(certificate=exchange.certificate, warnings=_warnings(exchange))


def _passed(target: Target, exchange: Exchange) -> Verdict:
    gaps = [*target.gaps, *exchange.gaps]
    return Verdict(
        outcome.UNKNOWN if gaps else outcome.UP,
        exchange.stage,
        "; ".join(gaps) or None,
        status=exchange.status,
        certificate=exchange.certificate,
        warnings=_warnings(exchange),
    )


def _warnings(exchange: Exchange) -> tuple[str, ...]:
    """Say what the proxy lets pass today: a certificate that ends soon, or has ended and is not looked at."""
    certificate = exchange.certificate
    if certificate is None or certificate.days > _SOON:
        return ()
    if certificate.days < 0:
        return (f"its certificate expired on {certificate.expires[:10]}; the proxy does not verify it",)
    ends = f"its certificate expires in {counted(certificate.days, 'day')}"
    return (ends if certificate.verified else f"{ends}; the proxy does not verify it",)


def _unsure(exchange: Exchange, reason: str) -> Verdict:
    return Verdict(outcome.UNKNOWN, exchange.stage, reason, certificate=exchange.certificate)


def _failed(error: FailedError, target: Target, exchange: Exchange | None) -> Verdict:
    reason = error.reason
    if error.stage == outcome.DNS and target.needs_name:
        reason += f", and {target.needs_name} does not start while a name has none"
    certificate = error.certificate or (exchange.certificate if exchange is not None else None)
    return Verdict(outcome.DOWN, error.stage, reason, error.advice, status=error.status, certificate=certificate)


def _slow(error: SlowError, target: Target, place: str, exchange: Exchange, timeout: float) -> Verdict:
    what, advice = _STAGES[error.stage]
    limits = _limits(target, timeout)
    after_connect = error.stage == outcome.CHECK and limits.answer is not None
    waited = limits.answer if after_connect and limits.answer is not None else limits.connect
    own = target.times.answer if after_connect else target.times.connect
    reason = f"{what} {place} within {duration(waited)}"
    if own is not None and own > waited:
        reason += f" (--timeout; the proxy waits {duration(own)})"
    return Verdict(outcome.DOWN, error.stage, reason, advice, certificate=exchange.certificate)
