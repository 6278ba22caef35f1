"""The loss that hurts a pool most, in one sentence, and every loss as a line of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.pictures.words import amount, cut, named, percent, plain
from lbcheck.wording import counted, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.report.pictures.views import PoolView
    from lbcheck.traffic.outcome import Loss, PoolTraffic, ServerTraffic, Survivor

#: A loss that nobody notices counts as lasting so many seconds: longer than what any check needs.
_NEVER = 86_400.0
_NAMES_ROOM = 40
#: Shares that differ by less are the same.
_SAME = 1e-9


def worst(pool: PoolTraffic) -> Loss | None:
    """Return the loss of a pool's that most requests suffer from; None where it has none."""
    return max(pool.losses, key=lambda loss: _badness(loss, pool), default=None)


def shown(view: PoolView, most: int) -> list[Loss]:
    """Return the losses that a short report tells: those that somebody asked about, else the worst one.

    Of a pool to which nothing comes, nobody asks unless he names it.
    """
    if view.asked:
        return ranked(view.pool)[:most]
    loss = None if view.aside or not view.pool.servers else worst(view.pool)
    return [] if loss is None else [loss]


def ranked(pool: PoolTraffic) -> list[Loss]:
    """Return all losses of a pool, the one that most requests suffer from first."""
    return sorted(pool.losses, key=lambda loss: _badness(loss, pool), reverse=True)


def _badness(loss: Loss, pool: PoolTraffic) -> tuple[float, float, int, float, float]:
    """Requests that find no server for good; those that fail until it is noticed; overload; the largest growth.

    Of requests of which nobody knows whether they fail, all are taken to fail that meet the lost servers. Of overloads
    the one of more servers is worse, then the one that is farther beyond what a server can take.
    """
    lasting = _NEVER if loss.detection_s is None else loss.detection_s
    growth = [
        (after.share or 0.0) - (before.share or 0.0) for after, before in zip(loss.servers, pool.servers, strict=False)
    ]
    over = overloaded(loss)
    beyond = max(map(_beyond, over), default=0.0)
    failed = _met(loss, pool) if loss.failed_share is None else loss.failed_share
    return (loss.unserved, failed * lasting, len(over), beyond, max(growth, default=0.0))


def _met(loss: Loss, pool: PoolTraffic) -> float:
    """Return the part of the requests that meet the lost servers, as far as that is known: all, where it is not.

    Of a line that stands for several servers one may be lost, or all.
    """
    lost = [server for server in pool.servers if server.name in loss.names]
    if not lost or any(server.share is None for server in lost):
        return 1.0
    one = loss.lost.startswith("one server of ")
    return min(1.0, sum((server.share or 0.0) / (server.alike if one else 1) for server in lost))


def _beyond(server: Survivor) -> float:
    """Return how many times of what it can take a server then gets."""
    return (server.load or 0.0) / (server.capacity or 1.0)


def overloaded(loss: Loss) -> list[Survivor]:
    """Return the survivors that then get more than they were declared to take."""
    return [
        server
        for server in loss.servers
        if server.load is not None and server.capacity is not None and server.load > server.capacity
    ]


def lost(loss: Loss) -> str:
    """Return what is lost, in words: "shop1", "app1 (or any of 12 alike)"."""
    name = plain(loss.lost)
    return name if loss.alike <= 1 else f"{name} (or any of {loss.alike:,} alike)"


def until(loss: Loss, pool: PoolTraffic) -> str:
    """Return what happens to requests until the proxy notices."""
    if loss.failed_share is None:
        return "how many requests fail is not known"
    if loss.failed_requests is not None:
        return _one_by_one(loss, loss.failed_requests, pool)
    lasting = _lasting(loss)
    wait = f" after {duration(loss.delay_s)}" if loss.delay_s else ""
    if loss.failed_share > 0:
        again = "" if loss.again_s is None else f", and one every {duration(loss.again_s)} later"
        return f"{percent(loss.failed_share)} of requests fail{wait} for {lasting}{again}"
    if wait:
        return f"requests wait {duration(loss.delay_s or 0.0)} for another server, for {lasting}"
    return "no request fails"


def _lasting(loss: Loss) -> str:
    if loss.never:
        return "as long as it is down"
    return "a time that is not known" if loss.detection_s is None else f"up to {duration(loss.detection_s)}"


def _one_by_one(loss: Loss, failed: int, pool: PoolTraffic) -> str:
    """Return how many requests fail where each failure counts, and how often one fails later."""
    each = "" if pool.pool.state is not None else " in each worker process"
    words = f"{counted(failed, 'request')} {'fails' if failed == 1 else 'fail'}{each}"
    if loss.again_s is None:
        return words
    again = "one" if len(loss.names) == 1 else f"{len(loss.names):,}"
    return f"{words}, and {again} more every {duration(loss.again_s)}"


def afterwards(loss: Loss, pool: PoolTraffic) -> str:
    """Return what becomes of the requests when the proxy has noticed; "" where it never does."""
    if loss.never and loss.failed_share:
        return ""
    if loss.reason is not None:
        return f"shares are not known: {cut(plain(loss.reason), 80)}"
    words = ["backups take over"] if loss.backups else []
    if loss.unserved > 0:
        words.append(f"{percent(loss.unserved)} find no server")
    over = overloaded(loss)
    if over:
        names = named([plain(server.name) for server in over], _NAMES_ROOM)
        worst_one = max(over, key=_beyond)
        words.append(
            f"{names} overloaded ({amount(worst_one.load or 0.0)}, can take {amount(worst_one.capacity or 0.0)})"
        )
    elif loss.unserved < 1:
        words.append(_busiest(loss, pool))
    return ", ".join(word for word in words if word)


def _busiest(loss: Loss, pool: PoolTraffic) -> str:
    """Return who gets most then, and how much it gets without the loss."""
    known = [(server.share, at) for at, server in enumerate(loss.servers) if server.share]
    if not known:
        return ""
    most = max(share for share, _ in known)
    ahead = [at for share, at in known if most - share < _SAME]
    names = named([plain(loss.servers[at].name) for at in ahead[:20]], _NAMES_ROOM)
    if len(ahead) > 2:
        names = f"{len(ahead):,} servers"
    each = " each" if len(ahead) > 1 else ""
    return f"{names} {'get' if each else 'gets'} {percent(most)}{each}{_now(ahead, pool.servers, percent(most))}"


def _now(ahead: Sequence[int], servers: Sequence[ServerTraffic], then: str) -> str:
    normal = {percent(servers[at].share) for at in ahead if at < len(servers)}
    return f" (now {normal.pop()})" if len(normal) == 1 and then not in normal else ""


def told(loss: Loss, pool: PoolTraffic) -> str:
    """Return a loss in one sentence: "without shop1: 83.3 % of requests fail for up to 6 s, then …"."""
    then = afterwards(loss, pool)
    return f"without {lost(loss)}: {until(loss, pool)}{f', then {then}' if then else ''}"
