from __future__ import annotations

import pytest

from lbcheck import wording


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "250 ms"), (0.0005, "0.5 ms"), (1, "1 s"), (1.5, "1.5 s"), (60, "60 s"), (90, "90 s"), (120, "2 min"),
     (86400, "24 h"), (172800, "2 d"), (100_001, "100,001 s"), (7384, "7384 s")],
)  # fmt: skip
def test_durations_carry_their_unit(seconds, text):
    assert wording.duration(seconds) == text


def test_percentages_drop_an_empty_digit():
    assert [wording.percent(share) for share in (5 / 6, 0.5, 1, 0.0004)] == ["83.3 %", "50 %", "100 %", "0 %"]


def test_counts_and_lists():
    assert (wording.counted(1, "server"), wording.counted(1200, "server")) == ("1 server", "1,200 servers")
    assert [wording.listed(["a", "b", "c", "d", "e"][:n]) for n in range(6)] == [
        "", "a", "a and b", "a, b and c", "a, b, c and d", "a, b, c and 2 more",
    ]  # fmt: skip
