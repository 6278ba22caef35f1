"""What haproxy refuses in the settings of `global` (src/cfgparse-global.c, and the file of each `tune.` setting).

What is here holds for every version from 2.6 to 3.5; limits that a build decides are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.dialects.haproxy.judgement.times import check_time
from lbcheck.dialects.haproxy.values import number
from lbcheck.dialects.haproxy.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lbcheck.dialects.haproxy.judgement.times import Found
    from lbcheck.dialects.haproxy.tree import Line

#: Switches: a word behind them is one too many.
FLAGS = words(
    """
    busy-polling daemon h1-accept-payload-with-any-method h2-workaround-bogus-websocket-clients insecure-fork-wanted
    insecure-setuid-wanted noepoll noevports nogetaddrinfo nokqueue nopoll noreuseport nosplice pp2-never-send-local
    quiet tune.ssl.force-private-cache
    """
)
#: Settings of exactly one word.
SINGLE = words(
    """
    ca-base chroot cluster-secret crt-base fd-hard-limit gid h1-case-adjust-file localpeer log-tag max-spread-checks
    maxcompcpuusage maxcomprate maxconn maxconnrate maxpipes maxsessrate maxsslconn maxsslrate maxzlibmem nbthread node
    pidfile spread-checks ssl-default-bind-ciphers ssl-default-bind-ciphersuites ssl-default-bind-curves
    ssl-default-server-ciphers ssl-default-server-ciphersuites thread-groups tune.bufsize tune.comp.maxlevel
    tune.h2.header-table-size tune.h2.max-frame-size tune.http.cookielen tune.http.logurilen tune.http.maxhdr
    tune.idletimer tune.maxaccept tune.maxpollevents tune.maxrewrite tune.pipesize tune.pool-high-fd-ratio
    tune.pool-low-fd-ratio tune.rcvbuf.client tune.rcvbuf.server tune.recv_enough tune.runqueue-depth
    tune.sndbuf.client tune.sndbuf.server tune.ssl.cachesize tune.ssl.default-dh-param tune.ssl.lifetime uid
    """
)
#: The smallest and the largest number, None where there is no limit or the build decides it.
_RANGES: dict[str, tuple[int, int | None]] = {
    "maxcompcpuusage": (0, 100),
    "maxsslconn": (0, None),
    "nbthread": (1, None),
    "spread-checks": (0, 50),
    "thread-groups": (1, None),
    "tune.bufsize": (1, None),
    "tune.comp.maxlevel": (1, 9),
    "tune.h2.header-table-size": (4096, 65536),
    "tune.h2.initial-window-size": (0, None),
    "tune.h2.max-concurrent-streams": (0, None),
    "tune.h2.max-frame-size": (16384, 16777215),
    "tune.http.maxhdr": (1, 32767),
    "tune.maxrewrite": (0, None),
    "tune.pool-high-fd-ratio": (0, 100),
    "tune.pool-low-fd-ratio": (0, 100),
    "tune.ssl.cachesize": (0, None),
    "tune.ssl.default-dh-param": (1024, None),
}
_TIMES = words("hard-stop-after max-spread-checks")

#: Every keyword that `setting` judges.
JUDGED = FLAGS | SINGLE | _TIMES | _RANGES.keys()


def setting(line: Line) -> Iterator[Found]:
    """Yield what is refused in a line of `global` whose keyword is among JUDGED."""
    keyword, value = line.words[0], line.word(1)
    if not value:
        if keyword in SINGLE or keyword in _TIMES:
            yield "E08", 0, 0, f"'{keyword}' needs a value", f"write '{keyword} VALUE', or take it out"
    elif keyword in FLAGS:
        yield "E08", 1, 1, f"'{keyword}' takes no argument, but got '{value}'", "take it out"
    elif keyword in SINGLE and line.word(2):
        yield "E08", 2, 2, f"'{keyword}' takes one word, and '{line.word(2)}' is one too many", "take it out"
    elif keyword in _TIMES:
        yield from check_time(line, 1, keyword)
    elif keyword in _RANGES:
        yield from _range(keyword, value)


def _range(keyword: str, value: str) -> Iterator[Found]:
    low, high = _RANGES[keyword]
    given = number(value)
    if given < 0 < low:
        return  # some read it as a large number
    if given < low or (high is not None and given > high):
        limits = f"from {low} on" if high is None else f"from {low} to {high}"
        yield "E09", 1, 1, f"'{keyword}' takes numbers {limits}, not '{value}'", "write a number within these limits"
