"""`lbcheck probe` at a terminal: each pool's servers with a line of what came of them, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from lbcheck.live.outcome import DOWN, NOT_PROBED, PLANNED, STATES, UNKNOWN, UP
from lbcheck.report.escape import shown_path
from lbcheck.report.pictures.terminal import columns_width, padded, printed, styled, unread, width_of
from lbcheck.report.pictures.words import cut, plain, told, wrapped
from lbcheck.traffic.outcome import HOT
from lbcheck.traffic.outcome import UNKNOWN as DOUBTFUL
from lbcheck.wording import counted, duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lbcheck.live.outcome import ProbedPool, ProbedServer, Probes, Verdict
    from lbcheck.report.options import Options

#: State → (sign, word, look). Nothing depends on colours.
_FACES = {
    UP: ("✓", "up", "good"),
    DOWN: ("✗", "DOWN", HOT),
    UNKNOWN: ("?", "unknown", DOUBTFUL),
    NOT_PROBED: ("-", "not probed", "muted"),
    PLANNED: (" ", "", ""),
}
_COUNTED = {UP: "up", DOWN: "DOWN", UNKNOWN: "unknown", NOT_PROBED: "not probed", PLANNED: "would be probed"}
_WORD, _NAME = 11, 28
#: A reason may take so many lines.
_MOST_LINES = 6
#: So many servers of a pool that are up are listed; of the others all.
_MOST_UP = 10


def render(probes: Probes, options: Options) -> str:
    """Return the pools with their servers, the ones that are down first said, and the verdict as the last line."""
    return printed(_lines(probes, width_of(options)), options)


def _lines(probes: Probes, width: int) -> Iterator[Text]:
    config = None
    for pool in probes.pools:
        if pool.config != config:
            config = pool.config
            yield styled(shown_path(cut(config, width)), "strong")
        if pool.servers or pool.open:
            yield from _pool(pool, width)
    for path in probes.broken:
        yield styled(f"{shown_path(cut(path, width))}: not probed, its proxy would not load it: lbcheck check", HOT)
    if probes.not_checked:
        yield from unread(probes.not_checked, width)
    yield _verdict(probes)


def _pool(pool: ProbedPool, width: int) -> Iterator[Text]:
    parts = ", ".join(_amounts(pool.servers)) or "no servers"
    yield Text("  ").append_text(styled(plain(pool.name), "strong")).append(f"  {parts}")
    name = columns_width((plain(server.name) for server in pool.servers), 4, _NAME)
    shown, hidden = _kept(pool.servers)
    for server in shown:
        yield from _server(server, name, width)
    if hidden:
        yield styled(f"      … and {hidden:,} more that are up", "muted")
    if pool.open:
        yield styled(f"      there may be more servers: {told(pool.open)}", "muted")


def _kept(servers: Sequence[ProbedServer]) -> tuple[list[ProbedServer], int]:
    kept, up = [], 0
    for server in servers:
        quiet = server.verdict.state == UP and not server.verdict.warnings
        up += quiet
        if not quiet or up <= _MOST_UP:
            kept.append(server)
    return kept, max(0, up - _MOST_UP)


def _amounts(servers: Sequence[ProbedServer]) -> list[str]:
    numbers = {state: sum(server.verdict.state == state for server in servers) for state in STATES}
    return [f"{number:,} {_COUNTED[state]}" for state, number in numbers.items() if number]


def _server(server: ProbedServer, name: int, width: int) -> Iterator[Text]:
    verdict = server.verdict
    sign, word, look = _FACES[verdict.state]
    head = Text("    ").append_text(styled(f"{sign} {word:{_WORD}}", look))
    if verdict.state == PLANNED:
        head = Text("    ")
    head.append_text(padded(plain(server.name), name)).append("  ")
    yield from _folded(head, _said(server, verdict), width)
    for warning in verdict.warnings:
        yield from _folded(styled("      ! ", DOUBTFUL), told(warning), width)
    if verdict.advice is not None:
        yield from _folded(Text("      = help: "), told(verdict.advice), width)


def _folded(head: Text, text: str, width: int) -> Iterator[Text]:
    """Put text behind a head, on lines below it where it is long."""
    indent = head.cell_len
    for line in wrapped(text, max(20, width - indent), _MOST_LINES) or [""]:
        yield head.append(line)
        head = Text(" " * indent)


def _said(server: ProbedServer, verdict: Verdict) -> str:
    """Return what came of a server in one line."""
    backup = "" if server.role != "backup" else "backup: "
    if verdict.state == PLANNED:
        return f"{backup}would connect to {plain(verdict.connected_to or '')}: {plain(server.asked or '')}"
    if verdict.reason is not None:
        place = verdict.connected_to or server.address
        where = "" if verdict.reason.find(place) >= 0 or verdict.state == NOT_PROBED else f"{plain(place)}: "
        return f"{backup}{where}{told(verdict.reason)}"
    parts = [plain(verdict.connected_to or server.address), plain(server.asked or "")]
    if verdict.status is not None:
        parts.append(f"answers {verdict.status}")
    if verdict.certificate is not None and verdict.certificate.days >= 0:
        parts.append(f"certificate for {counted(verdict.certificate.days, 'more day')}")
    if verdict.seconds is not None:
        parts.append(duration(max(0.001, round(verdict.seconds, 3))))
    return backup + ", ".join(parts)


def _verdict(probes: Probes) -> Text:
    if probes.dry_run:
        number = probes.count(PLANNED)
        return styled(f"{counted(number, 'server')} would be probed; nothing was connected to", "strong")
    down, doubtful, missed = probes.count(DOWN), probes.count(UNKNOWN), probes.count(NOT_PROBED)
    parts = [f"{counted(probes.count(UP), 'server')} up"]
    if down:
        parts.insert(0, f"{counted(down, 'server')} would be DOWN")
    if doubtful:
        parts.append(f"{doubtful:,} unknown")
    if missed:
        parts.append(f"{missed:,} not probed")
    if probes.broken:
        parts.append(f"{counted(len(probes.broken), 'config')} not probed")
    bad = down or probes.broken
    return styled(", ".join(parts), HOT if bad else DOUBTFUL if doubtful or missed else "good")
