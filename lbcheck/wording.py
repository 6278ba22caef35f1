"""Numbers and lists as people say them, for the arguments of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def duration(seconds: float) -> str:
    """Return a time with its unit: "250 ms", "6 s", "90 s", "24 h", "3 d"; whole larger units where it is one."""
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    for size, unit in _UNITS:
        if seconds > size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:.4g} s" if seconds < 10_000 else f"{seconds:,.0f} s"


def rhythm(count: int, interval: float) -> str:
    """Return "one probe every 30 s", "3 probes, 30 s apart"; the interval is in seconds."""
    return f"one probe every {duration(interval)}" if count == 1 else f"{count} probes, {duration(interval)} apart"


def percent(share: float) -> str:
    """Return a fraction as a percentage with one digit: 0.8333 is "83.3 %"."""
    return f"{share * 100:.1f} %".replace(".0 %", " %")


def counted(number: int, noun: str) -> str:
    """Return "1 server", "2 servers"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(words: Sequence[str], limit: int = 3) -> str:
    """Return "a", "a and b", "a, b and c", "a, b, c and 4 more"."""
    if len(words) > limit + 1:
        return f"{', '.join(words[:limit])} and {len(words) - limit:,} more"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def shortened(lines: Sequence[str], most: int = 8) -> list[str]:
    """Return the first lines, and how many there are more."""
    shown = list(lines[:most])
    return [*shown, f"and {len(lines) - most:,} more"] if len(lines) > most else shown
