"""The servers of a pool as lines of a picture: each for itself, or alike ones folded and outliers kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lbcheck.report.pictures.words import amount, percent, plain, spread, times
from lbcheck.traffic.outcome import FAIR, HOT, IDLE, STARVED, UNKNOWN
from lbcheck.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lbcheck.traffic.outcome import ServerTraffic

#: How a line looks besides its standing: more than its declared capacity; requests that no server takes.
OVERLOADED = "overloaded"
NOBODY = "nobody"
#: From what people must see first to what may be read last.
ORDER = (NOBODY, OVERLOADED, HOT, STARVED, UNKNOWN, FAIR, IDLE)

#: So many outliers of a kind keep a line of their own in a pool that is folded.
_KEPT = 3
#: A bar has room for so many fair shares, or for all requests where that is less.
_FAIR_SHARES = 4.0
#: So many names are kept of a folded line, for who points at it.
_NAMES = 12


class Row(NamedTuple):
    """One line: a server, or `size` of them.

    `share` and `fair` are of all of them together; `low` and `high` the smallest and the largest single one's share.
    `fair` is None where nobody can say what would be fair. `load` and `capacity` are those of the worst one.
    """

    label: str
    names: tuple[str, ...]
    size: int
    look: str
    share: float | None
    low: float | None
    high: float | None
    fair: float | None
    busy: float | None = None
    load: float | None = None
    capacity: float | None = None
    weight: str = ""
    address: str = ""
    role: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times its fair share it gets."""
        return self.share / self.fair if self.share is not None and self.fair else None

    @property
    def fair_each(self) -> float | None:
        """What would be fair for a single one."""
        return None if self.fair is None else self.fair / self.size

    @property
    def amount(self) -> str:
        """Its share in words, each single one's where it stands for many."""
        if self.share is None or self.size == 1:
            return percent(self.share)
        return f"{spread(self.low, self.high)} each"


def fair_shares(servers: Sequence[ServerTraffic]) -> list[float | None]:
    """Return the fair share of each server: by capacity where all are declared, else an equal part for each address.

    None for servers that get nothing on purpose, and for all where no server serves.
    """
    serving = [server for server in servers if server.standing != IDLE]
    declared = bool(serving) and all(server.capacity is not None for server in serving)
    sizes = [
        None if server.standing == IDLE else server.alike * ((server.capacity or 0.0) if declared else 1.0)
        for server in servers
    ]
    total = sum(size for size in sizes if size is not None)
    return [size / total if size is not None and total else None for size in sizes]


def look(server: ServerTraffic) -> str:
    """Return how a server's line looks."""
    if server.share is None:
        return UNKNOWN
    return OVERLOADED if server.overloaded else server.standing


def row(server: ServerTraffic, fair: float | None) -> Row:
    """Return the line of one server of the config, which may stand for several alike addresses."""
    name = plain(server.name)
    each = None if server.share is None else server.share / server.alike
    return Row(
        label=f"{name} × {server.alike:,}" if server.alike > 1 else name,
        names=(name,),
        size=server.alike,
        look=look(server),
        share=server.share,
        low=each,
        high=each,
        fair=fair,
        busy=server.busy_share,
        load=None if server.load is None else server.load / server.alike,
        capacity=server.capacity,
        weight=str(server.weight),
        address=plain(server.address),
        role=_role(server) if server.standing == IDLE else "",
    )


def _role(server: ServerTraffic) -> str:
    """Return why a server gets nothing on purpose."""
    if not server.enabled:
        return "disabled"
    if server.role != "primary":
        return plain(server.role)
    return "weight 0" if server.weight == 0 else "waits its turn"


def nobody(unserved: float, *, answered: bool = False) -> Row:
    """Return the line of the requests that no server takes, or that need none.

    The proxy answers those itself, or sends them elsewhere: to another backend, or to the address of a `dispatch`.
    """
    words, kind = ("no server of it needed", FAIR) if answered else ("no server takes them", NOBODY)
    return Row(words, (), 1, kind, unserved, unserved, unserved, None)


def folded(rows: Sequence[Row], limit: int, *, alike: bool = False) -> list[Row]:
    """Return at most about `limit` lines: alike ones joined where there are more, or always if `alike` is set.

    Where that is still too long, the largest outliers of each kind stay and the rest of their kind is joined.
    """
    if len(rows) <= limit and not alike:
        return list(rows)
    groups: dict[object, list[Row]] = {}
    for each in rows:
        groups.setdefault(likeness(each), []).append(each)
    lines = [joined(group, "") for group in groups.values()]
    if len(lines) > limit:
        return _outliers(lines)
    return lines if len(rows) <= limit else sorted(lines, key=lambda each: ORDER.index(each.look))


def likeness(each: Row) -> object:
    """Return what is the same for servers that need no lines of their own."""
    high = None if each.high is None else round(each.high, 9)
    busy = None if each.busy is None else round(each.busy / each.size, 9)
    return (each.look, high, each.role, busy, each.load, each.capacity)


def _outliers(lines: list[Row]) -> list[Row]:
    kept: list[Row] = []
    for kind in ORDER:
        of_kind = [each for each in lines if each.look == kind]
        if kind in (OVERLOADED, HOT, STARVED):
            of_kind.sort(key=lambda each: each.ratio or 0.0, reverse=kind != STARVED)
            kept += of_kind[:_KEPT]
            of_kind = of_kind[_KEPT:]
        if of_kind:
            kept.append(joined(of_kind, "more " if kind in (OVERLOADED, HOT, STARVED) else ""))
    return kept


def joined(group: Sequence[Row], word: str) -> Row:
    """Return one line for all of a group; `word` is said of its servers: "3 more servers"."""
    if len(group) == 1:
        return group[0]
    count = sum(each.size for each in group)
    worst = max(group, key=lambda each: (each.load or 0.0) / each.capacity if each.capacity else 0.0)
    weights = {each.weight for each in group}
    roles = {each.role for each in group}
    return Row(
        label=counted(count, f"{word}server"),
        names=tuple(name for each in group[:_NAMES] for name in each.names)[:_NAMES],
        size=count,
        look=group[0].look,
        share=total(each.share for each in group),
        low=min((each.low for each in group if each.low is not None), default=None),
        high=max((each.high for each in group if each.high is not None), default=None),
        fair=total(each.fair for each in group),
        busy=total(each.busy for each in group),
        load=worst.load,
        capacity=worst.capacity,
        weight=weights.pop() if len(weights) == 1 else "",
        role=roles.pop() if len(roles) == 1 else "idle",
    )


def total(values: Iterable[float | None]) -> float | None:
    """Return the sum; None where a part is not known."""
    found = 0.0
    for value in values:
        if value is None:
            return None
        found += value
    return found


def full_scale(fair: float | None) -> float:
    """Return the share that fills a bar: a few fair shares in a large pool, all requests in a small one."""
    return min(1.0, fair * _FAIR_SHARES) if fair else 1.0


def mark(each: Row) -> str:
    """Return what a reader without colours needs to see beside the share: "▲ 2.5 × fair", "▼ …", "backup", ""."""
    if each.look == NOBODY:
        return "✕ unserved"
    if each.look == OVERLOADED and each.load is not None and each.capacity is not None:
        return f"‼ {amount(each.load)}, can take {amount(each.capacity)}"
    if each.look in (HOT, STARVED):
        sign = "▲" if each.look == HOT else "▼"
        return f"{sign} {times(each.ratio)} fair" if each.ratio is not None else sign
    return each.role
