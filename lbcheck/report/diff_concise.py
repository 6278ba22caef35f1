"""`lbcheck diff --output-format concise`: a line for each pool that changes and each finding that comes or goes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lbcheck.changes.outcome import ADDED, CHANGED, REMOVED, UNCHANGED
from lbcheck.report.escape import escape, shown_path
from lbcheck.report.paint import painter
from lbcheck.wording import counted, percent, shortened

if TYPE_CHECKING:
    from lbcheck.changes.outcome import Changes, NotUnderstood, PoolChange, ServerChange
    from lbcheck.report.options import Options
    from lbcheck.report.paint import Paint
    from lbcheck.results import Finding

#: So many servers of a pool are named, those first whose share changes most.
_SERVERS = 4


def render(changes: Changes, options: Options) -> str:
    """Return the lines, and a last one that sums up."""
    paint = painter(color=options.color)
    lines = [_pool(pool, paint) for pool in changes.pools if pool.status != UNCHANGED]
    lines += [_finding("introduced", found, found.severity, paint) for found in changes.introduced]
    lines += [_finding("fixed", found, "good", paint) for found in changes.fixed]
    lines += [f"{paint('bold', 'rerouted')} {escape(words)}" for words in shortened(changes.rerouted)]
    lines += [_not_understood(one, paint) for one in changes.not_understood]
    lines.append(_summary(changes))
    return "\n".join(lines) + "\n"


def _pool(pool: PoolChange, paint: Paint) -> str:
    known = pool.after or pool.before
    line = "" if known is None else f"{known.line}:"
    name = escape(pool.name) + (f" (was {escape(pool.renamed_from)})" if pool.renamed_from is not None else "")
    where = paint("bold", f"{shown_path(pool.path)}:{line}")
    return f"{where} {paint('gutter', pool.status)} pool {name}{_moved(pool)}{_servers(pool)}"


def _moved(pool: PoolChange) -> str:
    if pool.reason is not None:
        return f": what moves is not known: {escape(pool.reason)}"
    if pool.moved is None:
        return ""
    said = f": {percent(pool.moved)} of its requests move"
    if pool.keys_moved is not None:
        about = "" if pool.keys_exact else "about "
        return f"{said}, {about}{percent(pool.keys_moved)} of its keys change their server"
    return said + (f", which keys is not known: {escape(pool.keys_reason)}" if pool.keys_reason is not None else "")


def _servers(pool: PoolChange) -> str:
    changed = [server for server in pool.servers if server.status != UNCHANGED]
    if not changed:
        return ""
    shown = sorted(changed, key=_distance, reverse=True)[:_SERVERS] if len(changed) > _SERVERS + 1 else changed
    words = [_server(server) for server in shown]
    if len(shown) < len(changed):
        words.append(f"{len(changed) - len(shown):,} more")
    return "; " + ", ".join(words)


def _distance(server: ServerChange) -> float:
    return abs((server.after or 0.0) - (server.before or 0.0))


def _server(server: ServerChange) -> str:
    before, after = ("-" if share is None else percent(share) for share in (server.before, server.after))
    name = escape(server.name)
    if server.status == ADDED:
        return f"{name} new: {after}"
    if server.status == REMOVED:
        return f"{name} gone: {before}"
    elsewhere = "" if server.address_before is None else f" at {escape(server.address)}"
    return f"{name} {before} → {after}{elsewhere}"


def _finding(word: str, found: Finding, style: str, paint: Paint) -> str:
    place = found.place
    where = paint("bold", f"{shown_path(place.path)}:{place.line}:{place.column}:")
    what = f"{word} {found.severity} {escape(found.code)}"
    return f"{where} {paint(style, what)} {escape(found.message)}"


def _not_understood(one: NotUnderstood, paint: Paint) -> str:
    where = paint("bold", f"{shown_path(one.path)}:{one.line}:")
    return f"{where} {paint('warning', 'not understood')} {escape(one.said)}"


def _summary(changes: Changes) -> str:
    numbers = Counter(pool.status for pool in changes.pools)
    kinds = (CHANGED, ADDED, REMOVED, UNCHANGED)
    pools = [f"{counted(numbers[kind], 'pool')} {kind}" for kind in kinds if numbers[kind]]
    come, gone = len(changes.introduced), len(changes.fixed)
    parts = [
        *_all_traffic(changes),
        ", ".join(pools) or "no pools",
        f"{counted(come, 'finding')} introduced, {gone:,} fixed, {changes.unchanged:,} unchanged",
    ]
    if changes.after.not_checked:
        parts.append(f"{counted(len(changes.after.not_checked), 'place')} not checked")
    return "; ".join(parts)


def _all_traffic(changes: Changes) -> list[str]:
    known = changes.moved is not None
    said = (
        f"{percent(changes.moved or 0.0)} of all traffic moves"
        if known
        else "How much of all traffic moves is not known"
    )
    if not changes.not_understood:
        return [said]
    count = counted(len(changes.not_understood), "change")
    return [f"{said} by what is understood" if known else said, f"{count} not understood"]
