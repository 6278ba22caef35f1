"""Pools of a diff as pictures show them: both sides of each server in one line, what moved most first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from lbcheck.changes.outcome import ADDED, CHANGED, REMOVED, UNCHANGED
from lbcheck.report.pictures.rows import OVERLOADED, Row, fair_shares, joined, likeness, nobody, row
from lbcheck.report.pictures.words import cut, percent, plain, points, sentence, told
from lbcheck.traffic.outcome import FAIR, HOT, STARVED
from lbcheck.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.changes.outcome import Changes, PoolChange, ServerChange
    from lbcheck.traffic.outcome import PoolTraffic

_URGENT = (OVERLOADED, HOT, STARVED)
#: So many servers that moved most keep a line of their own in a pool that is folded.
_KEPT = 6
_NAME_ROOM = 40


class Pair(NamedTuple):
    """One line on both sides; a side is None where there is no such server."""

    label: str
    before: Row | None
    after: Row | None
    status: str
    size: int = 1

    @property
    def moved(self) -> float | None:
        """How much its share grew or shrank; None where a side is not known."""
        before = 0.0 if self.before is None else self.before.share
        after = 0.0 if self.after is None else self.after.share
        return None if before is None or after is None else after - before

    @property
    def aside(self) -> str:
        """What happened to it, in words: "new", "removed", "+8.3 points", ""."""
        moved = self.moved
        if self.status in (ADDED, REMOVED):
            return "new" if self.status == ADDED else "removed"
        if moved is None or abs(moved) < 5e-6:
            return ""
        if self.size > 1 and all(side is None or side.low == side.high for side in (self.before, self.after)):
            return f"{points(moved / self.size)} points each"
        return f"{points(moved)} points"


class PoolPair:
    """One pool of a diff, `at` its place in `Changes.pools`. `reason` says why nobody knows what moved."""

    __slots__ = ("at", "change", "flow", "reason")

    def __init__(self, at: int, change: PoolChange) -> None:
        self.at = at
        self.change = change
        self.reason = None if change.reason is None else told(change.reason)
        #: Its part of its frontends' requests before and after, where both are known and differ.
        self.flow: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        """The pool's name, and the one it had."""
        name = plain(self.change.name)
        old = self.change.renamed_from
        return name if old is None else f"{name} (was {plain(old)})"

    @property
    def rank(self) -> tuple[int, float, str, int]:
        """What to sort by to have what moved most first, then what nobody knows."""
        change = self.change
        order = 2 if change.status == UNCHANGED else 1 if change.moved is None and change.status == CHANGED else 0
        return (order, -(change.moved or 0.0), change.name, self.at)

    @property
    def headline(self) -> str:
        """What happened to the pool, in a few words."""
        change = self.change
        words = {ADDED: "new pool", REMOVED: "pool removed", UNCHANGED: "unchanged"}.get(change.status)
        if words is None:
            words = "how much moved is not known" if change.moved is None else f"{percent(change.moved)} moved"
        if self.flow is not None:
            words += f", gets {percent(self.flow[1])} of requests (was {percent(self.flow[0])})"
        if change.keys_moved is not None:
            words += f", {percent(change.keys_moved)} of its keys move"
        dead = "" if change.after is None else change.after.unserved_reason
        if dead and (change.before is None or not change.before.unserved_reason):
            words += f", {told(dead)}"
        if change.elsewhere:
            words += f", {_addresses(change.elsewhere)}"
        if self.reason is None and any(side is not None and side.notes for side in (change.before, change.after)):
            words += ", in doubt: a line is not understood"
        return words + self._method

    @property
    def _method(self) -> str:
        """How it chooses its servers now, where that is new."""
        before, after = self.change.before, self.change.after
        if before is None or after is None or before.algorithm == after.algorithm:
            return ""
        names = (plain(side.algorithm.replace("_", " ")) for side in (before, after))
        return f", {' → '.join(names)}"

    def pairs(self, limit: int, *, alike: bool = False) -> list[Pair]:
        """Return its lines in the diff's order, alike ones joined where there are more than `limit`."""
        change = self.change
        before, after = _Side(change.before), _Side(change.after)
        lines = [
            _pair(each, before.find(each.renamed_from or each.name, each.address), after.find(each.name, each.address))
            for each in change.servers
        ]
        lines = _folded(lines, limit, alike=alike)
        sides = (change.before, change.after)
        before_dead, after_dead = map(_unserved, sides)
        if before_dead or after_dead:
            label = next(side.label for side in (after_dead, before_dead) if side is not None)
            lines.insert(0, Pair(label, before_dead, after_dead, CHANGED))
        return lines


def _unserved(pool: PoolTraffic | None) -> Row | None:
    if pool is None or not pool.unserved:
        return None
    return nobody(pool.unserved, answered=pool.pool.answers)


class _Side:
    """The servers of one side, each handed out once."""

    def __init__(self, pool: PoolTraffic | None) -> None:
        servers = () if pool is None else pool.servers
        self._rows = [row(server, fair) for server, fair in zip(servers, fair_shares(servers), strict=True)]
        self._by_address: dict[str, list[int]] = {}
        self._by_name: dict[str, list[int]] = {}
        self._used: set[int] = set()
        for at, server in reversed(list(enumerate(servers))):
            self._by_address.setdefault(server.address, []).append(at)
            self._by_name.setdefault(server.name, []).append(at)

    def find(self, name: str, address: str) -> Row | None:
        """Return the line of a server with this address, or else this name."""
        for table, key in ((self._by_address, address), (self._by_name, name)):
            left = table.get(key, [])
            while left:
                at = left.pop()
                if at not in self._used:
                    self._used.add(at)
                    return self._rows[at]
        return None


def _pair(change: ServerChange, before: Row | None, after: Row | None) -> Pair:
    name = plain(change.name)
    label = name if change.renamed_from is None else f"{name} (was {plain(change.renamed_from)})"
    return Pair(
        label,
        None if change.status == ADDED else before,
        None if change.status == REMOVED else after,
        change.status,
        max((side.size for side in (before, after) if side is not None), default=1),
    )


def _folded(lines: Sequence[Pair], limit: int, *, alike: bool) -> list[Pair]:
    if len(lines) <= limit and not alike:
        return list(lines)
    groups: dict[object, list[Pair]] = {}
    for line in lines:
        key = (line.status, *(side and likeness(side) for side in (line.before, line.after)))
        groups.setdefault(key, []).append(line)
    merged = [_joined(group, "") for group in groups.values()]
    if len(merged) > limit:
        merged = _outliers(merged)
    return merged if len(lines) <= limit else sorted(merged, key=_by_move)


def _by_move(line: Pair) -> tuple[int, float]:
    """Sort by what people must see first: who is too hot or starves now, then who moved most."""
    now = FAIR if line.after is None else line.after.look
    return (_URGENT.index(now) if now in _URGENT else len(_URGENT), -abs(line.moved or 0.0))


def _outliers(lines: Sequence[Pair]) -> list[Pair]:
    ordered = sorted(lines, key=_by_move)
    groups: dict[object, list[Pair]] = {}
    for line in ordered[_KEPT:]:
        looks = tuple(side and side.look for side in (line.before, line.after))
        groups.setdefault((line.status, (line.moved or 0.0) > 0, looks), []).append(line)
    return [*ordered[:_KEPT], *(_joined(group, "more ") for group in groups.values())]


def _joined(group: Sequence[Pair], word: str) -> Pair:
    if len(group) == 1:
        return group[0]
    count = sum(line.size for line in group)
    before = [line.before for line in group if line.before is not None]
    after = [line.after for line in group if line.after is not None]
    return Pair(
        counted(count, f"{word}server"),
        joined(before, word) if before else None,
        joined(after, word) if after else None,
        group[0].status,
        count,
    )


def headline(changes: Changes) -> str:
    """Return in one line what a change does: "42.9 % of the traffic moves; 2 pools changed, 1 pool removed; …"."""
    parts = [_moved(changes)]
    elsewhere = sum(change.elsewhere for change in changes.pools)
    if elsewhere:
        parts.append(_addresses(elsewhere))
    numbers = Counter(change.status for change in changes.pools)
    kinds = (CHANGED, ADDED, REMOVED, UNCHANGED)
    pools = [f"{counted(numbers[kind], 'pool')} {kind}" for kind in kinds if numbers[kind]]
    if pools:
        parts.append(", ".join(pools))
    if changes.introduced or changes.fixed:
        parts.append(f"{counted(len(changes.introduced), 'new finding')}, {len(changes.fixed):,} fixed")
    return sentence("; ".join(parts))


def _addresses(count: int) -> str:
    return f"{counted(count, 'server')} at {'another address' if count == 1 else 'other addresses'}"


def _moved(changes: Changes) -> str:
    unknown = changes.not_understood
    if unknown:
        names = listed([plain(name, _NAME_ROOM) for name in dict.fromkeys(one.name for one in unknown)])
        are = "change is" if len(unknown) == 1 else "changes are"
        return f"{_understood(changes)}; {len(unknown):,} {are} not understood: {names}"
    if changes.moved is not None:
        return f"{percent(changes.moved)} of the traffic moves"
    return _most(changes) or "how much traffic moves is not known"


def _understood(changes: Changes) -> str:
    """Say how much moves, as far as that is understood."""
    if changes.moved is not None:
        return f"{percent(changes.moved)} of the traffic moves by what is understood"
    return _most(changes) or "how much traffic moves is not known"


def _most(changes: Changes) -> str:
    known = [change for change in changes.pools if change.moved]
    if not known:
        return ""
    most = max(known, key=lambda change: change.moved or 0.0)
    return f"{percent(most.moved)} of the requests to {cut(plain(most.name), _NAME_ROOM)} move to other servers"
