"""Counts against shares."""

from __future__ import annotations

import pytest
from traffic.pools import pool

from lbcheck.rehearsal.judging.distribution import by_chance, by_cycle, by_pick
from lbcheck.rehearsal.outcome import CYCLES, TOLERATED
from lbcheck.rehearsal.planning.cycles import whole_cycle
from lbcheck.rehearsal.play.load import Ask
from lbcheck.traffic.algorithms.weighted import window_picks

PARTS = [0.5, 0.25, 0.25]
CYCLE = [0, 1, 2, 0]


def test_a_cycle_is_as_long_as_its_shares_are_exact():
    assert whole_cycle(PARTS) == 4
    assert whole_cycle([1 / 3, 2 / 3, 0.0]) == 3
    assert whole_cycle([1.0]) == whole_cycle([]) == 1
    assert whole_cycle([10 / 12, 1 / 12, 1 / 12]) == 12
    assert whole_cycle([65535 / 131071, 65536 / 131071]) == 131071


def test_whole_cycles_are_exact():
    made = pool("round_robin", [2, 1, 1])
    assert by_cycle(made, "nginx", PARTS, CYCLE * 30 + [0, 1])[:2] == (CYCLES, True)
    held = by_cycle(made, "nginx", PARTS, [*CYCLE * 29, 0, 0, 2, 1])
    assert held[:2] == (CYCLES, True)
    held = by_cycle(made, "nginx", PARTS, [*CYCLE * 29, 0, 1, 1, 1])
    assert held[:2] == (CYCLES, False)
    assert held.reason == "counted [59, 32, 29] where [60, 30, 30] were predicted"
    assert by_cycle(made, "nginx", PARTS, [0, 1, 2]).passed is None


def test_what_runs_side_by_side_may_be_off_by_one_request_or_by_the_tolerance():
    made = pool("round_robin", [2, 1, 1])
    assert by_cycle(made, "nginx", PARTS, [*CYCLE * 29, 0, 1, 1, 0], 0.0)[:2] == (CYCLES, True)
    off = [*CYCLE * 48, *[1, 1, 1, 0, 1, 1, 0, 0]]
    assert by_cycle(made, "nginx", PARTS, off, 2.0)[:2] == (TOLERATED, True)
    assert by_cycle(made, "nginx", PARTS, off, 1.0)[:2] == (TOLERATED, False)


def test_haproxy_s_own_rounding_is_known():
    weights = [5, 36, 36]
    made = pool("roundrobin", weights)
    picks = window_picks(weights, 77)
    assert [picks.count(at) for at in range(3)] == [4, 37, 36]
    assert by_cycle(made, "haproxy", [weight / 77 for weight in weights], picks).passed


def test_each_pick_of_a_hash_counts():
    asks = [Ask(number, "", f"/{number}", ()) for number in range(4)]
    assert by_pick(asks, [0, 1, 0, 1], lambda ask: ask.number % 2)[1:] == (True, None, None, 0)
    held = by_pick(asks, [0, 1, 0, 0], lambda ask: ask.number % 2)
    assert (held.passed, held.wrong_picks) == (False, 1)
    assert by_pick(asks, [0, 1, 0, 0], lambda _: None).passed is None


def test_chance():
    assert by_chance([500, 260, 240], PARTS).passed
    held = by_chance([400, 300, 300], PARTS)
    assert held.passed is False
    assert held.p_value == pytest.approx(0, abs=1e-6)
    assert by_chance([500, 499, 1], [0.5, 0.5, 0.0]).p_value == 0.0


def test_the_emulator_does_not_excuse_a_wrong_prediction():
    weights = [1, 3]
    picks = window_picks(weights, 240)
    assert by_cycle(pool("roundrobin", weights), "haproxy", [0.25, 0.75], picks).passed
    assert by_cycle(pool("roundrobin", weights), "haproxy", [0.75, 0.25], picks).passed is False
