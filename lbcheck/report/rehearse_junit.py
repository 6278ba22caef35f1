"""`lbcheck rehearse -o report.xml`: JUnit XML. A suite is a config; a case is its check, a pool, a loss, a reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbcheck.report.junit_parts import Suite, document
from lbcheck.report.rehearse_words import (
    alone,
    clock,
    native_line,
    noticed,
    rewritten_line,
    share_lines,
    together,
    unjudged,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lbcheck.rehearsal.outcome import MeasuredLoss, MeasuredPool, MeasuredReload, Rehearsed
    from lbcheck.report.options import Options

_DIFFERS, _REFUSED = "not as predicted", "refused"


def render(rehearsed: Sequence[Rehearsed], options: Options) -> str:
    """Return the report as XML in ASCII."""
    del options
    suites = {one.config: Suite(one.config) for one in rehearsed}
    for one in rehearsed:
        _add(suites[one.config], one)
    if not suites:
        suites[""] = Suite("")
        suites[""].left_out("lbcheck rehearse", "no config that can be rehearsed was found")
    return document(suites)


def _add(suite: Suite, one: Rehearsed) -> None:
    said = "\n".join([*filter(None, [rewritten_line(one)]), *map(native_line, one.native)])
    name = f"{one.dialect} accepts it"
    if one.accepted:
        suite.passed(name, said)
    elif one.error is None:
        suite.failed(name, _REFUSED, f"{one.dialect} refuses it", said)
    if one.error is not None:
        suite.broken(f"{one.dialect} runs it", "not rehearsed", one.error, said)
    for pool in one.pools:
        _pool(suite, pool)
    if one.reload is not None:
        _reload(suite, one.reload)


def _pool(suite: Suite, pool: MeasuredPool, when: str = "") -> None:
    lines = "\n".join(filter(None, [share_lines(pool.servers), pool.left_out]))
    _case(suite, f"pool {pool.name}{when}", lines, passed=pool.passed, reason=pool.reason)
    found = pool.concurrent
    if found is not None:
        name = f"pool {pool.name}{when}, {found.in_flight} requests at once"
        _case(suite, name, together(found), passed=found.passed, reason=found.reason)
    for loss in pool.losses:
        _loss(suite, pool, loss)


def _loss(suite: Suite, pool: MeasuredPool, loss: MeasuredLoss) -> None:
    reasons = [f"{one.what}: {one.reason}" for one in loss.aspects if one.reason and one.passed is loss.passed]
    reason = loss.reason or "; ".join(reasons)
    words = [f"{until(loss)}; {noticed(loss)}{clock(loss)}", share_lines(loss.servers), *unjudged(loss)]
    lines = "" if loss.reason else "\n".join(words)
    _case(suite, f"pool {pool.name} without {alone(loss)} ({loss.kind})", lines, passed=loss.passed, reason=reason)


def _reload(suite: Suite, reload: MeasuredReload) -> None:
    words = f"{reload.lost + reload.errors} of {reload.requests} requests lost"
    _case(suite, f"reload from {reload.old}", words, passed=reload.passed, reason=reload.reason)
    for pool in reload.pools:
        _pool(suite, pool, " after the reload")


def _case(suite: Suite, name: str, lines: str, *, passed: bool | None, reason: str | None) -> None:
    if passed:
        suite.passed(name, lines)
    elif passed is None:
        suite.left_out(name, reason or "not judged")
    else:
        suite.failed(name, _DIFFERS, reason or _DIFFERS, lines)
