"""The closing words: what was found in how much, and what nobody looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.findings import SEVERITIES
from lbcheck.report.escape import escape
from lbcheck.wording import counted

if TYPE_CHECKING:
    from lbcheck.results import Result


def headline(result: Result) -> str:
    """Return the one line that says what a run came to. It praises only what was looked at."""
    parts = [_verdict(result)]
    if result.suppressed:
        parts.append(f"{result.suppressed:,} suppressed")
    if result.not_checked:
        parts.append(f"{counted(len(result.not_checked), 'place')} not checked")
    return "; ".join(parts)


def _verdict(result: Result) -> str:
    numbers = [(result.count(severity), severity) for severity in SEVERITIES]
    found = ", ".join(counted(number, severity) for number, severity in numbers if number)
    scope = _scope(result)
    if found:
        return f"Found {found} in {scope}" if result.counts.configs else f"Found {found}; no config was checked"
    if not result.counts.configs:
        return f"Nothing was checked: no load balancer config in {counted(result.counts.files, 'file')}"
    if result.not_checked:
        return f"Nothing wrong found in the parts that were checked of {scope}"
    return f"Nothing wrong found in {scope}"


def _scope(result: Result) -> str:
    return f"{counted(result.counts.configs, 'config')} ({counted(result.counts.servers, 'server')})"


def fixes(result: Result) -> str:
    """Return the line that says what `--fix` would mend; "" where there is nothing to mend."""
    changes = [found.fix for found in result.findings if found.fix]
    safe = sum(change.safe for change in changes)
    unsafe = len(changes) - safe
    parts = []
    if safe:
        parts.append(f"{safe:,} fixable with --fix")
    if unsafe:
        parts.append(f"{unsafe:,} {'more ' if safe else 'fixable '}with --fix --unsafe-fixes")
    return ", ".join(parts)


def statistics(result: Result) -> str:
    """Return how often each rule spoke, the loudest first, one line each; "" where none did."""
    numbers: dict[tuple[str, str, str], int] = {}
    for found in result.findings:
        key = (found.code, found.name, found.severity)
        numbers[key] = numbers.get(key, 0) + 1
    rows = sorted(numbers.items(), key=lambda row: (-row[1], row[0]))
    width = max((len(f"{number:,}") for _, number in rows), default=0)
    return "".join(
        f"{number:>{width},}  {severity:<7}  {escape(code)} {escape(name)}\n" for (code, name, severity), number in rows
    )
